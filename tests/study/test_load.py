"""Data sets by their names: built in, in files, and on OpenML."""

import bz2
import gzip
import lzma
import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import Bunch

from sknn.study import Study
from sknn.study.load import LOADERS, load, load_inputs

LOAD_MODULE = sys.modules[load.__module__]

# --------------------------------------------------------------------------------------------------------- built in

BUILT_IN = {
    "digits": ((1797, 64), "classification", (8, 8, 1)),
    "iris": ((150, 4), "classification", None),
    "wine": ((178, 13), "classification", None),
    "breast_cancer": ((569, 30), "classification", None),
    "diabetes": ((442, 10), "regression", None),
}


def test_every_built_in_name_has_a_row():
    assert BUILT_IN.keys() == LOADERS.keys()


@pytest.mark.parametrize(("name", "found"), BUILT_IN.items())
def test_built_in_data(name, found):
    data = load(name)
    assert (data.name, data.X.shape, data.task, data.sample_shape) == (name, *found)


def test_task_and_shape_can_be_stated():
    data = load("digits", task="regression", sample_shape=(64,))
    assert (data.task, data.sample_shape) == ("regression", (64, 1))


@pytest.mark.parametrize(
    ("wrong", "suggestion"),
    [("digit", "digits"), ("IRIS", "iris"), ("breast-cancer", "breast_cancer"), ("diabetis", "diabetes")],
)
def test_wrong_name_suggests_the_nearest(wrong, suggestion):
    with pytest.raises(ValueError, match=f"unknown data set '{wrong}', did you mean '{suggestion}'"):
        load(wrong)


def test_hopeless_name_lists_what_there_is():
    known = "digits, iris, wine, breast_cancer, diabetes"
    files = ".csv, .tsv, .txt, .dat, .parquet, .feather, .npz, .fits, .vot, .h5, .ts"
    others = f"or a file ({files}), or a folder of curves or images, or openml:ID or openml:NAME"
    with pytest.raises(ValueError, match=re.escape(f"unknown data set 'qqq'. Known: {known}; {others}")):
        load("qqq")


@pytest.mark.parametrize("role", ["target", "groups", "order"])
def test_built_in_data_have_no_columns_to_name(role):
    with pytest.raises(ValueError, match=f"{role}='a' was given for iris"):
        load("iris", **{role: "a"})


# ------------------------------------------------------------------------------------------------------------ tables

TABLE = pd.DataFrame(
    {
        "age": [31.5, np.nan, 40.0, 28.0],
        "city": ["Rome", "Oslo", None, "Rome"],
        "who": ["a", "a", "b", "b"],
        "day": ["2020-03-01", "2020-01-01", "2020-02-01", "2020-01-02"],
        "income": ["low", "high", "low", "high"],
    }
)


def write_gzip(path, text):
    path.write_bytes(gzip.compress(text.encode()))


def write_bz2(path, text):
    path.write_bytes(bz2.compress(text.encode()))


def write_text(path, text):
    path.write_text(text, "utf-8")


CSV = TABLE.to_csv(index=False)
TABLES = {
    "csv": ("people.csv", write_text, CSV),
    "upper case": ("people.CSV", write_text, CSV),
    "gzip": ("people.csv.gz", write_gzip, CSV),
    "bzip2": ("people.csv.bz2", write_bz2, CSV),
    "tabulators": ("people.tsv", write_text, TABLE.to_csv(index=False, sep="\t")),
    "tabulators, gzip": ("people.tsv.gz", write_gzip, TABLE.to_csv(index=False, sep="\t")),
    "semicolons": ("people.csv", write_text, TABLE.to_csv(index=False, sep=";")),
    "bars": ("people.csv", write_text, TABLE.to_csv(index=False, sep="|")),
    "decimal commas": ("people.csv", write_text, TABLE.to_csv(index=False, sep=";", decimal=",")),
    "spaces": ("people.csv", write_text, CSV.replace(",", ", ")),
    "question marks": ("people.csv", write_text, TABLE.to_csv(index=False, na_rep="?")),
    "with its index": ("people.csv", write_text, TABLE.to_csv()),
    "with names of rows": ("people.csv", write_text, TABLE.set_index(pd.Index(list("pqrs"))).to_csv()),
    "a mark at the start": ("people.csv", write_text, "\ufeff" + CSV),
    "parquet": ("people.parquet", lambda path, _: TABLE.to_parquet(path), None),
    "parquet with names of rows": (
        "people.parquet",
        lambda path, _: TABLE.set_index(pd.Index(list("pqrs"))).to_parquet(path),
        None,
    ),
}


@pytest.mark.parametrize(("file", "write", "text"), TABLES.values(), ids=TABLES)
def test_a_table_from_a_file(file, write, text, tmp_path):
    if file.endswith("parquet"):
        pytest.importorskip("pyarrow")
    write(tmp_path / file, text)
    data = load(str(tmp_path / file), "income", groups="who")
    assert (data.name, data.task, data.labels.tolist()) == ("people", "classification", ["high", "low"])
    assert data.groups.tolist() == ["a", "a", "b", "b"]
    assert list(data.X) == ["age", "city", "day"]
    np.testing.assert_array_equal(data.X["age"], TABLE["age"])
    assert data.X["city"].cat.categories.tolist() == ["Oslo", "Rome"]
    assert data.X["city"].isna().tolist() == [False, False, True, False]
    assert data.X["day"].tolist() == [18322, 18262, 18293, 18263]


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    write_text(path, CSV)
    return path


def test_samples_are_sorted_by_the_order(people):
    data = load(people, "income", groups="who", order="day")
    assert list(data.X) == ["age", "city"]
    assert data.X["age"].tolist()[1:] == [28.0, 40.0, 31.5]
    assert data.y.tolist() == ["high", "high", "low", "low"]
    assert data.groups.tolist() == ["a", "b", "b", "a"]


def test_what_is_stated_of_a_table(tmp_path):
    columns = [f"p{number}" for number in range(16)]
    pd.DataFrame(np.eye(16, dtype=int), columns=columns).assign(y=range(16)).to_csv(tmp_path / "eye.csv", index=False)
    data = load(tmp_path / "eye.csv", "y", task="regression", sample_shape=(4, 4, 1))
    assert (data.task, data.sample_shape) == ("regression", (4, 4, 1))


def test_columns_named_like_pixels_are_an_image(tmp_path):
    columns = [f"pixel{number}" for number in range(1, 26)]
    pd.DataFrame(np.eye(25, dtype=int), columns=columns).assign(y=[1, 2] * 12 + [1]).to_csv(tmp_path / "eye.csv")
    assert load(tmp_path / "eye.csv", "y").sample_shape == (5, 5, 1)


@pytest.mark.parametrize(
    ("values", "reason"),
    [(["Ann", "Bob", "Cy", "Di"], "holds another text in every row"), ([None] * 4, "is empty")],
)
def test_a_column_that_tells_nothing_is_left_out_with_a_warning(values, reason, tmp_path):
    TABLE.assign(name=values).to_csv(tmp_path / "people.csv", index=False)
    with pytest.warns(UserWarning, match=f"column 'name' of people.csv {reason}, so it was left out"):
        data = load(tmp_path / "people.csv", "income")
    assert list(data.X) == ["age", "city", "who", "day"]


COLUMNS = {
    "truth values": ([True, False, True, True], bool, [1, 0, 1, 1]),
    "truth values and none": ([True, False, None, True], float, [1, 0, np.nan, 1]),
    "pandas' own integers": (pd.array([1, 2, None, 4], "Int64"), float, [1, 2, np.nan, 4]),
    "pandas' own truth values": (pd.array([True, None, True, False], "boolean"), float, [1, np.nan, 1, 0]),
    "dates": (
        pd.to_datetime(["1970-01-02", None, "1970-01-03 12:00", "1969-12-31"], format="ISO8601"),
        float,
        [1, np.nan, 2.5, -1],
    ),
    "dates of a time zone": (pd.to_datetime(["1970-01-02"] * 4).tz_localize("Etc/GMT-12"), float, [0.5] * 4),
    "ISO times": (["1970-01-02T12:00:00", None, "1970-01-01", "1970-01-01 06:00"], float, [1.5, np.nan, 0, 0.25]),
}


@pytest.mark.parametrize(("values", "dtype", "expected"), COLUMNS.values(), ids=COLUMNS)
def test_columns_become_numbers(values, dtype, expected, tmp_path):
    pytest.importorskip("pyarrow")
    TABLE.assign(column=values).to_parquet(tmp_path / "people.parquet")
    column = load(tmp_path / "people.parquet", "income").X["column"]
    assert column.dtype == dtype
    np.testing.assert_array_equal(column.astype(float), expected)


def test_text_that_only_looks_like_dates_is_text(tmp_path):
    TABLE.assign(column=["2020-13-45", "2020-13-45", "2020-13-46", None]).to_csv(tmp_path / "people.csv", index=False)
    assert load(tmp_path / "people.csv", "income").X["column"].dtype == "category"


def test_lists_in_a_column_are_refused(tmp_path):
    pytest.importorskip("pyarrow")
    TABLE.assign(column=[[1], [2, 3], [3], [4]]).to_parquet(tmp_path / "people.parquet")
    message = r"column 'column' of people.parquet holds mixed values such as array.* be left out \(--drop column\)"
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "people.parquet", "income")


KNOWN = "age, city, who, day, income"
WRONG_TABLES = {
    "no target": (CSV, {}, f"people.csv needs a target (--target NAME); its columns are {KNOWN}"),
    "wrong target": (
        CSV,
        {"target": "incme"},
        "unknown target column of people.csv 'incme', did you mean 'income'? Known: age",
    ),
    "wrong case": (CSV, {"target": "INCOME"}, "did you mean 'income'?"),
    "wrong groups": (
        CSV,
        {"target": "income", "groups": "whom"},
        "unknown groups column of people.csv 'whom', did you mean 'who'?",
    ),
    "wrong order": (
        CSV,
        {"target": "income", "order": "days"},
        "unknown order column of people.csv 'days', did you mean 'day'?",
    ),
    "order of text": (
        CSV,
        {"target": "income", "order": "who"},
        "order='who' holds text such as 'a'; it must hold numbers",
    ),
    "order with an odd cell": (
        "p,t,y\n" + "".join(f"{n},{n}.5,{n % 2}\n" for n in range(20)) + "1,-,0\n",
        {"target": "y", "order": "t"},
        "order='t' holds '-' among its numbers or dates; leave such rows out",
    ),
    "missing targets": (CSV, {"target": "age"}, "y of 'people' is missing in 1 row of 4"),
    "no file at all": (None, {"target": "y"}, "there is no file"),
    "empty": ("", {"target": "y"}, "people.csv cannot be read: it is empty"),
    "no rows": ("a,y\n", {"target": "y"}, "people.csv has no rows"),
    "nothing but the target": ("y\na\nb\n", {"target": "y"}, "people.csv has no columns but y (target); a table"),
    "ragged": (
        "a,y\n1,2\n1,2,3\n",
        {"target": "y"},
        "people.csv cannot be read: its line '1,2,3' has 3 values, but its first line, 'a,y', has 2",
    ),
    "too few names": (
        "a,y\n1,2,3\n1,2,3\n",
        {"target": "y"},
        "its rows have more values than its first line has names",
    ),
}


@pytest.mark.parametrize(("text", "stated", "message"), WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_wrong_tables(text, stated, message, tmp_path):
    if text is not None:
        write_text(tmp_path / "people.csv", text)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(tmp_path / "people.csv", **stated)


BROKEN = {
    "not gzip": ("a.csv.gz", b"a,y\n1,2\n", "a.csv.gz cannot be read"),
    "not text": ("a.csv", b"a,y\n\xff\xfe,2\n", "a.csv cannot be read: byte 0xff in line 2 is not UTF-8"),
    "not Parquet": ("a.parquet", b"a,y\n", "a.parquet cannot be read"),
    "not NPZ": ("a.npz", b"a,y\n", "a.npz cannot be read"),
    "another kind": ("a.xlsx", b"a,y\n", r"a.xlsx' cannot be read; it must be a built-in name \(digits"),
    "compressed twice": ("a.npz.gz", b"", "a.npz.gz' cannot be read; it must be"),
    "no ending": ("a", b"", "a' cannot be read; it must be"),
}


@pytest.mark.parametrize(("file", "content", "message"), BROKEN.values(), ids=BROKEN)
def test_files_that_cannot_be_read(file, content, message, tmp_path):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / file, "y")


def test_what_is_there_but_no_file_is_named(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("nothing.csv")
    with pytest.raises(ValueError, match=r"folder.csv' is a folder without tables in text; one of curves has"):
        load(tmp_path / "folder.csv", "y")
    with pytest.raises(ValueError, match=r"link.csv' is a link to 'nothing.csv', which is not there"):
        load(tmp_path / "link.csv", "y")


def test_a_missing_file_suggests_the_nearest(people):
    with pytest.raises(ValueError, match=r"there is no file '.*peeple.csv', did you mean 'people.csv'\?"):
        load(people.with_name("peeple.csv"))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a.parquet cannot be read without pyarrow: pip install pyarrow"):
        load(tmp_path / "a.parquet", "y")


# ------------------------------------------------------------------------------------------------------------ arrays

X = np.arange(24.0).reshape(4, 6)
Y = np.array(["a", "b", "a", "b"])
ARRAYS = {
    "X and y": ({"X": X, "y": Y}, {}),
    "x and y": ({"x": X, "y": Y}, {}),
    "X and Y": ({"X": X, "Y": Y}, {}),
    "the only array of several axes": ({"data": X, "y": Y, "names": np.arange(6)}, {}),
    "target": ({"X": X, "y": Y[::-1], "label": Y}, {"target": "label"}),
    "training and test": ({"X_train": X[:3], "y_train": Y[:3], "X_test": X[3:], "y_test": Y[3:]}, {}),
    "training and test, small": ({"x_test": X[3:], "x_train": X[:3], "y_test": Y[3:], "y_train": Y[:3]}, {}),
    "test beside the rest": ({"x": X[:3], "y": Y[:3], "x_test": X[3:], "y_test": Y[3:]}, {}),
    "training and test beside all": ({"X": X, "X_train": X[:3], "X_test": X[3:], "y": Y}, {}),
    "target of training and test": (
        {"X_train": X[:3], "label_train": Y[:3], "X_test": X[3:], "label_test": Y[3:]},
        {"target": "label"},
    ),
    "sorted": ({"X": X[::-1], "y": Y[::-1], "t": [4, 3, 2, 1]}, {"order": "t"}),
    "sorted by date": ({"X": X[::-1], "y": Y[::-1], "t": np.arange(4, 0, -1).astype("datetime64[D]")}, {"order": "t"}),
}


@pytest.mark.parametrize(("arrays", "stated"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_from_a_file(arrays, stated, tmp_path):
    np.savez(tmp_path / "some.arrays.npz", **arrays)
    data = load(tmp_path / "some.arrays.npz", **stated)
    assert data.name == "some.arrays"
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, Y)


def test_images_and_groups_from_a_file(tmp_path):
    images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    np.savez(tmp_path / "images.npz", X=images, y=Y, who_train=[1, 1], who_test=[2, 2])
    data = load(tmp_path / "images.npz", groups="who")
    assert (data.X.dtype, data.sample_shape, data.groups.tolist()) == (np.uint8, (8, 8, 1), [1, 1, 2, 2])


WRONG_ARRAYS = {
    "no inputs": ({"a": Y, "y": Y}, {}, "a.npz has 0 arrays of several axes and none is called X, x or X_train"),
    "two inputs": ({"a": X, "b": X, "y": Y}, {}, "a.npz has 2 arrays of several axes"),
    "no target": ({"X": X, "t": Y}, {}, "a.npz has no array y, so it needs a target (--target NAME) out of X, t"),
    "wrong target": (
        {"X": X, "label": Y},
        {"target": "labels"},
        "unknown target array of a.npz 'labels', did you mean 'label'?",
    ),
    "wrong groups": ({"X": X, "y": Y}, {"groups": "g"}, "unknown groups array of a.npz 'g'"),
    "wrong order": ({"X": X, "y": Y}, {"order": "t"}, "unknown order array of a.npz 't'"),
    "lengths": ({"X": X, "y": Y[:3]}, {}, "y of 'a' has 3 values, but X has 4 samples"),
    "shapes": (
        {"X_train": X, "X_test": X[:, :3], "y": Y},
        {},
        "different shapes cannot be joined: X_train (4, 6), X_test (4, 3)",
    ),
    "objects": ({"X": X, "y": Y.astype(object)}, {}, "its array 'y' holds Python objects, which could run code"),
}


@pytest.mark.parametrize(("arrays", "stated", "message"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS)
def test_wrong_arrays(arrays, stated, message, tmp_path):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(tmp_path / "a.npz", **stated)


# ------------------------------------------------------------------------------------------------------------ OpenML


@pytest.fixture
def openml(monkeypatch):
    """A server with one data set, and the list of what it was asked for."""
    asked = []

    def fetch(**which):
        asked.append(which)
        frame = TABLE.astype({"income": "category"})
        return Bunch(frame=frame, target_names=["income"], details={"name": "people", "id": "7"})

    monkeypatch.setattr(LOAD_MODULE, "fetch_openml", fetch)
    return asked


@pytest.mark.parametrize(("text", "which"), [("openml:7", {"data_id": 7}), ("openml:people", {"name": "people"})])
def test_a_table_of_openml(text, which, openml):
    data = load(text)
    assert openml == [{**which, "as_frame": True, "parser": "pandas"}]
    assert (data.name, data.task, data.y.tolist()) == ("people", "classification", TABLE["income"].tolist())
    assert list(data.X) == ["age", "city", "who", "day"]


def test_another_target_of_openml(openml):
    data = load("openml:7", "day", groups="who")
    assert list(data.X) == ["age", "city", "income"]
    with pytest.raises(ValueError, match="unknown target column of openml:7 'dai', did you mean 'day'"):
        load("openml:7", "dai")


@pytest.mark.parametrize("names", [None, [], ["who", "income"]])
def test_openml_without_a_single_target_needs_one(names, monkeypatch):
    monkeypatch.setattr(LOAD_MODULE, "fetch_openml", lambda **_: Bunch(frame=TABLE, target_names=names))
    with pytest.raises(
        ValueError, match=re.escape(f"openml:7 needs a target (--target NAME); its columns are {KNOWN}")
    ):
        load("openml:7")
    assert load("openml:7", "income").name == "7"


def test_doubled_names_of_openml_are_refused(monkeypatch):
    doubled = pd.concat([TABLE, TABLE[["income"]]], axis=1)
    monkeypatch.setattr(LOAD_MODULE, "fetch_openml", lambda **_: Bunch(frame=doubled, target_names=["income"]))
    with pytest.raises(ValueError, match="several of its columns are called 'income'"):
        load("openml:7")


def test_openml_without_network_is_one_message(monkeypatch):
    def fail(**_):
        raise OSError("Name or service not known")

    monkeypatch.setattr(LOAD_MODULE, "fetch_openml", fail)
    with pytest.raises(ValueError, match=r"openml:7 could not be fetched from openml.org: Name or service not known"):
        load("openml:7")


def test_openml_needs_a_name():
    with pytest.raises(ValueError, match="'openml:' names no data set; it must be openml:ID or openml:NAME"):
        load("openml:")


# --------------------------------------------------------------------------------------------- text as people have it

ROWS = [(1.5, 2.5, "a"), (2.5, 3.5, "b"), (3.5, 4.5, "a"), (4.5, 5.5, "b")]


def rows_of(separator, decimal=".", end=""):
    return "".join(separator.join(str(cell).replace(".", decimal) for cell in row) + end + "\n" for row in ROWS)


TEXTS = {
    "blanks": ("a.dat", "p  q   kind\n" + rows_of("   ")),
    "blanks before": ("a.txt", "   p q kind\n" + "".join(f"  {line}\n" for line in rows_of(" ").splitlines())),
    "blanks and tabulators": ("a.txt", "p\tq kind\n" + rows_of(" \t ")),
    "tabulators": ("a.txt", "p\tq\tkind\n" + rows_of("\t")),
    "bars": ("a.csv", "p|q|kind\n" + rows_of("|")),
    "comments": ("a.csv", "# a catalogue\n# of 2026\np,q,kind\n" + rows_of(",")),
    "names in a comment": ("a.dat", "# made by hand\n# p q kind\n" + rows_of("  ")),
    "names in a comment, with commas": ("a.dat", "#p,q,kind\n" + rows_of(",")),
    "names before blank lines": ("a.csv", "\n\np,q,kind\n\n" + rows_of(",") + "\n\n"),
    "units": ("a.csv", "p,q,kind\nkm/s,mag,\n" + rows_of(",")),
    "units everywhere": ("a.csv", "p,q,kind\nkm/s,mag,text\n" + rows_of(",")),
    "units and a rule below": ("a.tsv", "p\tq\tkind\nkm/s\tmag\t\n----\t---\t---\n" + rows_of("\t")),
    "a rule above the units": ("a.tsv", "p\tq\tkind\n----\t---\t---\nkm/s\tmag\t\n" + rows_of("\t")),
    "numbers in quotes of spreadsheets": ("a.csv", "p,q,kind\n" + rows_of(",").replace("1.5,", '="1.5",')),
    "separators at the ends of rows": ("a.csv", "p,q,kind\n" + rows_of(",", end=",")),
    "separators at all ends": ("a.csv", "p,q,kind,\n" + rows_of(",", end=",")),
    "decimal commas and blanks": ("a.txt", "p q kind\n" + rows_of(" ", decimal=",")),
    "decimal commas and tabulators": ("a.tsv", "p\tq\tkind\n" + rows_of("\t", decimal=",")),
    "decimal commas in quotes": (
        "a.csv",
        'p,q,kind\n"1,5","2,5",a\n"2,5","3,5",b\n"3,5","4,5",a\n"4,5","5,5",b\n',
    ),
    "Fortran": ("a.dat", "p q kind\n" + rows_of(" ").replace(".5", ".5D+00")),
    "old Mac": ("a.csv", ("p,q,kind\n" + rows_of(",")).replace("\n", "\r")),
    "Windows": ("a.csv", ("# of 2026\np,q,kind\n" + rows_of(",")).replace("\n", "\r\n")),
    "blanks around names": ("a.csv", " p , q , kind \n" + rows_of(" , ")),
    "the separator in a line of Excel": ("a.csv", "sep=;\np;q;kind\n" + rows_of(";")),
    "Markdown": (
        "a.txt",
        "| p | q | kind |\n|---|:--|---|\n" + "".join(f"| {line} |\n" for line in rows_of(" | ").splitlines()),
    ),
    "Org mode": (
        "a.txt",
        "| p | q | kind |\n|---+---+---|\n" + "".join(f"| {line} |\n" for line in rows_of(" | ").splitlines()),
    ),
    "empty rows": ("a.csv", "p,q,kind\n" + rows_of(",") + ",,\n,,\n"),
    "ECSV": ("a.ecsv", "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: p, datatype: float64}\np q kind\n" + rows_of(" ")),
}


@pytest.mark.parametrize(("file", "text"), TEXTS.values(), ids=TEXTS)
@pytest.mark.filterwarnings("ignore:the line under the names")
def test_text_as_people_have_it(file, text, tmp_path):
    (tmp_path / file).write_bytes(text.encode())
    data = load(tmp_path / file, "kind")
    assert data.X.to_dict("list") == {"p": [1.5, 2.5, 3.5, 4.5], "q": [2.5, 3.5, 4.5, 5.5]}
    assert data.y.tolist() == ["a", "b", "a", "b"]


PLAIN = "p,q,kind\n" + rows_of(",").replace("a\n", "é\n")


@pytest.mark.parametrize("file", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
    ],
)
def test_encodings_that_leave_no_doubt(file, encode, tmp_path):
    content = encode(PLAIN)
    (tmp_path / file).write_bytes(gzip.compress(content) if file.endswith("gz") else content)
    assert load(tmp_path / file, "kind").labels.tolist() == ["b", "é"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_text_needs_no_ending_that_says_so(pack, tmp_path):
    (tmp_path / "a.csv").write_bytes(pack(PLAIN.encode()))
    assert load(tmp_path / "a.csv", "kind").n_samples == 4


OPTIONS = {
    "encoding": (PLAIN.encode("latin-1"), {"encoding": "latin-1"}),
    "separator": (PLAIN.replace(",", "^").encode(), {"sep": "^"}),
    "separator, a word": (PLAIN.replace(",", "\t").encode(), {"sep": "tab"}),
    "separator, as typed": (PLAIN.replace(",", "\t").encode(), {"sep": "\\t"}),
    "comment": (b"% made by hand\n" + PLAIN.encode() + b"% the end\n", {"comment": "%"}),
    "left out": (PLAIN.replace("p,q", "p,id,q").replace(".5,", ".5,7,", 8).encode(), {"drop": ["id"]}),
    "chosen": (PLAIN.replace("p,q", "p,id,q").replace(".5,", ".5,7,", 8).encode(), {"features": ["p", "q"]}),
}


@pytest.mark.parametrize(("content", "stated"), OPTIONS.values(), ids=OPTIONS)
@pytest.mark.filterwarnings("ignore:lines of a.csv that begin with %")
def test_what_a_file_leaves_open_is_stated(content, stated, tmp_path):
    if "drop" in stated or "features" in stated:
        content = PLAIN.replace("p,q", "id,p,q").replace("\n", "\n7,", 4).replace("7,id", "id").encode()
    (tmp_path / "a.csv").write_bytes(content)
    data = load(tmp_path / "a.csv", "kind", **stated)
    assert (list(data.X), data.labels.tolist()) == (["p", "q"], ["b", "é"])


def test_words_and_numbers_for_missing_values(tmp_path):
    write_text(tmp_path / "a.csv", "p,q,kind\n1.5,-999,a\nlost,2,b\n3.5,-999.0,lost and found\n")
    data = load(tmp_path / "a.csv", "kind", na_values=["lost", -999])
    np.testing.assert_array_equal(data.X, [[1.5, np.nan], [np.nan, 2], [3.5, np.nan]])
    assert data.labels.tolist() == ["a", "b", "lost and found"]


def test_odd_cells_are_told_with_column_count_and_examples(tmp_path):
    random = np.random.RandomState(0)
    frame = pd.DataFrame({"flux": random.normal(size=400).astype(str), "kind": ["a", "b"] * 200})
    frame.loc[[3, 7], "flux"] = ["-", "<0.1"]
    frame.to_csv(tmp_path / "a.csv", index=False)
    told = (
        "column 'flux' of a.csv holds numbers, and taken as missing what is none in 2 rows of 400: '-' in 1 row, '<0.1'"
    )
    with pytest.warns(UserWarning, match=re.escape(told)):
        data = load(tmp_path / "a.csv", "kind")
    assert data.X["flux"].isna().sum() == 2
    assert data.notes[0].startswith(told)


def test_odd_cells_cost_no_accuracy(tmp_path):
    random = np.random.RandomState(0)
    kind = random.randint(2, size=400)
    frame = pd.DataFrame({"flux": random.normal(2.5 * kind), "kind": kind})
    frame.to_csv(tmp_path / "clean.csv", index=False)
    frame.astype({"flux": str}).replace({"flux": {str(frame.loc[n, "flux"]): "-" for n in (5, 9)}}).to_csv(
        tmp_path / "odd.csv", index=False
    )
    with pytest.warns(UserWarning, match="'-' in 2 rows"):
        data = {name: load(tmp_path / f"{name}.csv", "kind") for name in ("clean", "odd")}
    scores = Study(["logistic", "dummy"], cv=3).run(data).summary().set_index(["dataset", "model"])["accuracy_mean"]
    assert scores["clean", "logistic"] > 0.85
    assert scores["odd", "logistic"] == pytest.approx(scores["clean", "logistic"], abs=0.01)


def test_labels_that_look_like_missing_can_be_kept(tmp_path):
    write_text(tmp_path / "a.csv", "p,kind\n1,None\n2,star\n3,NA\n4,None\n")
    with pytest.raises(ValueError, match=r"target 'kind' of a.csv is 'None' or 'NA', .* --not-na None NA \(not_na="):
        load(tmp_path / "a.csv", "kind")
    assert load(tmp_path / "a.csv", "kind", not_na=["None", "NA"]).labels.tolist() == ["NA", "None", "star"]


THOUSANDS = "points in 'n' of a.csv are those of thousands, as others have commas before decimals"


@pytest.mark.filterwarnings("ignore:the line under the names")
@pytest.mark.parametrize("units", ["", "km;mag;\n"])
def test_points_of_thousands_are_found_where_other_columns_have_decimal_commas(units, tmp_path):
    write_text(tmp_path / "a.csv", f"n;x;kind\n{units}1.234;1,5;a\n999;2,25;b\n-12.345;3;a\n1.234.567;0,5;b\n")
    with pytest.warns(UserWarning, match=THOUSANDS):
        data = load(tmp_path / "a.csv", "kind")
    assert data.X.to_dict("list") == {"n": [1234, 999, -12345, 1234567], "x": [1.5, 2.25, 3, 0.5]}


@pytest.mark.parametrize(
    ("n", "x"),
    [
        (["1.234", "2.5"], ["1,5", "2,5"]),  # no groups of three
        (["1.234", "0.999"], ["1,5", "2,5"]),
        (["1.234", "2.345"], ["1,234", "2"]),  # which may be thousands themselves
        (["1.234", "2.345"], ["1", "2"]),
    ],
)
def test_points_are_those_of_decimals_unless_commas_are(n, x, tmp_path):
    rows = "".join(f"{one};{other};{kind}\n" for one, other, kind in zip(n, x, "ab", strict=True))
    write_text(tmp_path / "a.csv", f"n;x;kind\n{rows}")
    assert load(tmp_path / "a.csv", "kind").X["n"].tolist() == list(map(float, n))


def test_names_that_stand_again_among_the_rows_are_left_out_and_told(tmp_path):
    write_text(tmp_path / "a.csv", "p,q,kind\n1,x,a\n2,y,b\np,q,kind\n3,x,a\n")
    with pytest.warns(UserWarning, match="names of the columns stand again in 1 row of a.csv, left out"):
        data = load(tmp_path / "a.csv", "kind")
    assert data.labels.tolist() == ["a", "b"]
    assert data.X["p"].tolist() == [1, 2, 3]


def test_rows_that_end_too_early_are_told(tmp_path):
    write_text(tmp_path / "a.csv", "kind,p,q\na,1,2\nb,3\na,5,\n")
    told = "there are fewer values than names in 1 row of a.csv, and what lacks is taken as missing: 'b,3'"
    with pytest.warns(UserWarning, match=told):
        data = load(tmp_path / "a.csv", "kind")
    np.testing.assert_array_equal(data.X["q"], [2, np.nan, np.nan])


def test_cells_may_be_as_long_as_they_like(tmp_path):
    write_text(tmp_path / "a.csv", f"p,q,kind\n1,{'x' * 200_000},a\n2,y,b\n3,y,b\n")
    assert load(tmp_path / "a.csv", "kind").X["q"].str.len().tolist() == [200_000, 1, 1]


ALIKE = {
    "case": (["Red", "red", "blue"], "'Red' and 'red'"),
    "what is not seen": (["A\u200b", "A", "B"], r"'A' and 'A\\u200b'"),
    "two ways to write é": (["e\u0301", "\u00e9", "o"], "'e\u0301' and '\u00e9'"),
    "words of truth": (["yes", "TRUE", "no"], "'TRUE' and 'yes'"),
}


@pytest.mark.parametrize("target", ["p", "kind"])
@pytest.mark.parametrize(("labels", "pair"), ALIKE.values(), ids=ALIKE)
def test_labels_that_seem_to_be_the_same_are_told(labels, pair, target, tmp_path):
    write_text(tmp_path / "a.csv", "p,kind\n" + "".join(f"{label},{at % 2}\n" for at, label in enumerate(labels * 4)))
    told = f"column 'p' of a.csv has labels that seem to be the same, {pair}; if they are, write them alike"
    with pytest.warns(UserWarning, match=told):
        load(tmp_path / "a.csv", target)


def test_groups_that_seem_to_be_the_same_are_told(tmp_path):
    write_text(tmp_path / "a.csv", "p,night,kind\n1,n1,a\n2,N1,b\n3,n2,a\n")
    with pytest.warns(UserWarning, match="column 'night' of a.csv has labels that seem to be the same, 'N1' and 'n1'"):
        load(tmp_path / "a.csv", "kind", groups="night")


def test_blanks_around_texts_make_no_other_labels(tmp_path):
    write_text(tmp_path / "a.csv", 'p,q,kind\n1,NA ,a\n2,3,a \n3,4,"b "\n')
    data = load(tmp_path / "a.csv", "kind")
    assert data.labels.tolist() == ["a", "b"]
    np.testing.assert_array_equal(data.X["q"], [np.nan, 3, 4])


def test_a_column_may_be_called_as_it_likes(tmp_path):
    write_text(tmp_path / "a.csv", 'self,frame,kind\n"1,000",x ,a\n2,y,b\n3,x,-\n')
    data = load(tmp_path / "a.csv", "kind", na_values=["2"])
    np.testing.assert_array_equal(data.X["self"], [1000, np.nan, 3])
    assert data.X["frame"].tolist() == ["x", "y", "x"]


def test_rows_that_are_missing_throughout_do_not_hide_what_is_wrong(tmp_path):
    write_text(tmp_path / "a.csv", "p,kind\n1,None\n2,star\nNA,NA\n")
    with pytest.raises(ValueError, match="y of 'a' is missing in 1 row of 2; leave these out"):
        load(tmp_path / "a.csv", "kind")


def test_a_line_of_units_is_told(tmp_path):
    write_text(tmp_path / "a.csv", TEXTS["units"][1])
    with pytest.warns(UserWarning, match="the line under the names of a.csv was left out, .* units: 'km/s', 'mag'"):
        load(tmp_path / "a.csv", "kind")


def test_an_input_that_is_the_target_is_told(tmp_path):
    write_text(tmp_path / "a.csv", "p,species,kind\n1,a,a\n2,b,b\n3,a,a\n")
    with pytest.warns(UserWarning, match="column 'species' of a.csv is the same as the target 'kind' in every row"):
        load(tmp_path / "a.csv", "kind")


@pytest.mark.parametrize("frame", [pd.DataFrame(np.eye(3), columns=["p", "kind", "p"])])
@pytest.mark.parametrize("ending", ["csv", "txt", "csv.gz"])
def test_doubled_names_are_refused(frame, ending, tmp_path):
    frame.to_csv(tmp_path / f"a.{ending}", index=False)
    with pytest.raises(ValueError, match="several of its columns are called 'p'; every column needs a name of its own"):
        load(tmp_path / f"a.{ending}", "kind")


REFUSED = {
    "target twice": ("species,p,species\na,1,a\n", {}, "several of its columns are called 'species'"),
    "names apart by semicolons": (
        "p;q;kind\n1,2,a\n3,4,b\n",
        {},
        "its first line has 3 names with semicolons between them, but its rows have 3 values with commas",
    ),
    "a title": ("Stars of 2026\np,q,kind\n1,2,a\n", {}, "its first line, 'Stars of 2026', is one field, but the rows"),
    "a longer title": (
        "Stars\nof 2026\np,q,kind\n1,2,a\n",
        {},
        "its line 'p,q,kind' has 3 values, but its first line, 'Stars', has 1; the first line must have the names",
    ),
    "a value too many": ("p,q,kind\n1,2,a\n3,4,a,b\n", {}, "its line '3,4,a,b' has 4 values, but its first line,"),
    "row names of R": (
        "p,q,kind\nMazda,1,2,a\nFiat,3,4,b\n",
        {},
        "rows have more values than its first line has names; where they begin with the name of the row, as R",
    ),
    "nothing": ("\n \n", {}, "a.csv cannot be read: it is empty"),
    "zero bytes further down": (
        b"p,kind\n" + b"1,a\n" * 2000 + b"\x00" * 9 + b"\n1,b\n",
        {},
        "it holds zero bytes, so it is no text",
    ),
    "missing values among blanks": (
        "p  q  kind\n" + "1  2  a\n" * 300 + "3     b\n",
        {},
        "its line '3     b' has 2 values for 3 columns; where values are missing blanks cannot separate the others",
    ),
    "two ways": (
        "a;x,b\n1;2,3\n4;5,6\n",
        {},
        "separated by commas (2 columns) or by semicolons (2 columns); say which",
    ),
    "no names": ("1.5,2.5,a\n3.5,4.5,b\n", {}, "Some are no names (1.5, 2.5): the first line must have"),
    "Latin-1": (PLAIN.encode("latin-1"), {}, "byte 0xe9 in line 2 is not UTF-8; name the encoding with --encoding"),
    "another encoding": (PLAIN.encode("latin-1"), {"encoding": "ascii"}, "it is not in encoding='ascii'"),
    "no encoding": (PLAIN, {"encoding": "latin-99"}, "encoding='latin-99' is not known; it must be one of Python's"),
    "binary": (b"a,y\n\x00\x01\x02\x00\x03\x04,2\n", {}, "it holds zero bytes, so it is no text"),
    "no separator": (PLAIN, {"sep": "::"}, "sep='::' is no separator; it must be one character"),
    "comments alone": (
        "colour,kind\n#ff0000,a\n#00ff00,b\n",
        {},
        "all its rows begin with #, as comments do; say what does with --comment",
    ),
    "JSON": ('{"p": {"0": 1}}', {}, "it holds JSON, which is no table"),
    "ARFF": ("@RELATION stars\n@DATA\n1,2\n", {}, "it holds ARFF, which scipy.io.arff reads"),
    "a strange separator": ("p^q^kind\n1^2^a\n", {}, "Known: p^q^kind. It is one column; if it should be several, say"),
    "a line before the names": (
        "Stars,,\np,q,kind\n1,2,a\n",
        {},
        "Some are no names (Unnamed: 1, Unnamed: 2): the first line must have those of all columns",
    ),
    "labels that all look like missing": ("p,kind\n1,NA\n2,None\n", {}, "--not-na NA None (not_na=['NA', 'None'])"),
    "HTML": ("<!DOCTYPE html><html></html>", {}, "it holds a page of the web"),
    "a spreadsheet": (b"PK\x03\x04rest", {}, "it holds a ZIP archive"),
    "Parquet": (b"PAR1rest", {}, "it holds a Parquet table; if that is right, its ending should be .parquet"),
    "features and drop": (PLAIN, {"features": ["p"], "drop": ["q"]}, "features and drop were both given"),
    "unknown features": (PLAIN, {"features": ["P"]}, "unknown features column of a.csv 'P', did you mean 'p'?"),
    "unknown to drop": (PLAIN, {"drop": ["kinds"]}, "unknown drop column of a.csv 'kinds', did you mean 'kind'?"),
    "target dropped": (PLAIN, {"drop": ["kind"]}, "drop='kind' is the target column of a.csv"),
    "nothing left": (PLAIN, {"drop": ["p", "q"]}, "a.csv has no columns but kind (target), p, q"),
    "no part": (PLAIN, {"text": "a.csv[2]"}, "[2] was given for a.csv; only FITS and HDF5 files have several parts"),
    "all useless": (
        "p,kind\nx,a\ny,b\n",
        {},
        "a.csv has no inputs: column 'p' of a.csv holds another text in every row",
    ),
}


@pytest.mark.parametrize(("content", "stated", "message"), REFUSED.values(), ids=REFUSED)
def test_text_that_is_refused(content, stated, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=re.escape(message)):
        load(**{"text": "a.csv", "target": "kind"} | stated)


def test_a_text_called_npz_is_named(tmp_path):
    write_text(tmp_path / "a.npz", PLAIN)
    with pytest.raises(
        ValueError, match=r"a.npz cannot be read: it holds text; if that is right, its ending should be .csv"
    ):
        load(tmp_path / "a.npz", "kind")


@pytest.mark.parametrize(
    ("option", "value"),
    [("sep", ";"), ("encoding", "latin-1"), ("comment", "%"), ("not_na", "NA"), ("na_values", -1), ("drop", "a")],
)
def test_options_of_text_and_tables_are_refused_elsewhere(option, value, tmp_path):
    np.savez(tmp_path / "a.npz", X=X, y=Y)
    with pytest.raises(ValueError, match=f"{option}=.* was given for a.npz, which is no t"):
        load(tmp_path / "a.npz", **{option: value})
    with pytest.raises(ValueError, match=f"{option}=.* was given for iris, which has its target and nothing else"):
        load("iris", **{option: value})


def test_rows_without_a_label_are_left_out_and_their_words_are_told(tmp_path):
    write_text(tmp_path / "a.csv", "p,kind,order\n1,a,2\n2,NA,3\n3,b,1\n4,,4\n5,a,5\n")
    with pytest.raises(ValueError, match=r"is 'NA', which means missing, in 1 of 5 rows; .* --drop-missing-target"):
        load(tmp_path / "a.csv", "kind")
    with pytest.warns(UserWarning, match="a") as said:
        data = load(tmp_path / "a.csv", "kind", order="order", drop_missing_target=True)
    assert data.y.tolist() == ["b", "a", "a"]
    texts = [str(each.message) for each in said]
    of_words = next(text for text in texts if "is 'NA', which means missing, in 1 of 5 rows" in text)
    assert of_words.endswith("; if it is a label, say so with --not-na NA (not_na=['NA'])")
    assert "y of 'a' is missing in 2 rows of 5, which were left out" in texts


def test_classes_are_words_or_the_categories_of_the_file(tmp_path):
    write_text(tmp_path / "a.csv", "p,kind,order\n1,1,2\n2,0,3\n3,1,1\n")
    assert load(tmp_path / "a.csv", "kind", classes=["2", "1", "0"]).labels.tolist() == [0, 1, 2]
    pytest.importorskip("pyarrow")
    kinds = pd.Categorical(["x", "y", "x"], ["y", "x", "z"])
    pd.DataFrame({"p": [1, 2, 3], "kind": kinds, "order": [3, 2, 1]}).to_parquet(tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet", "kind", order="order").labels.tolist() == ["x", "y", "z"]


def test_columns_that_held_text_are_read_as_text(tmp_path):
    write_text(tmp_path / "a.csv", 'code , size,flag\n007 ,1,True\nNA,"1,000",False\n 012,3,True\n')
    found = load_inputs(tmp_path / "a.csv", texts=["code", "flag", "none"])
    assert found["code"].tolist()[::2] == ["007", "012"]
    assert found["code"].isna().tolist() == [False, True, False]
    assert found["flag"].tolist() == ["True", "False", "True"]
    assert found["size"].tolist() == [1, 1000, 3]
    assert load_inputs(tmp_path / "a.csv")["code"].tolist()[::2] == [7, 12]


@pytest.mark.parametrize(
    ("text", "codes", "sizes"),
    [
        ("code;size\n1.234;1,5\n2.500;2\n", ["1.234", "2.500"], [1.5, 2]),  # no thousands
        ("code;size\n1,5;1.234\n2,5;2.5\n", ["1,5", "2,5"], [1.234, 2.5]),  # tells nothing of other columns
        ("size,code\n1.5,007,\n2,012,\n", ["007", "012"], [1.5, 2]),  # with separators at the end
        ("code,size\nA12,\n007,1\n008,2\n", ["A12", "007", "008"], [np.nan, 1, 2]),  # no unit
    ],
)
def test_columns_that_held_text_are_left_as_they_are(text, codes, sizes, tmp_path):
    write_text(tmp_path / "a.csv", text)
    found = load_inputs(tmp_path / "a.csv", texts=["code"])
    assert found["code"].tolist() == codes
    np.testing.assert_array_equal(found["size"], sizes)
