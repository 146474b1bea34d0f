"""The data of a study: the ways to hand them in, and what is found out about them."""

import gc
import pickle
import re
import subprocess
import sys
import tracemalloc
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.datasets import load_digits

from sknn.study import Study
from sknn.study.data import DataSet

THREE = np.zeros((3, 2))


def of_targets(y, **stated):
    n_samples = y.shape[0] if hasattr(y, "shape") else len(y)
    return DataSet.from_arrays("toy", np.zeros((n_samples or 1, 2)), y, **stated)


def of_inputs(X, **stated):
    return DataSet.from_arrays("toy", X, [0, 1, 1], **stated)


# ------------------------------------------------------------------------------------------------- targets and task

TARGETS = {
    "whole numbers": ([0, 1, 1], "classification"),
    "whole numbers as floats": ([1.0, 2.0, 2.0], "classification"),
    "fractions": ([0.5, 1.25, 3.0], "regression"),
    "text": (["a", "b", "c"], "classification"),
    "bytes": (np.array([b"a", b"b"]), "classification"),
    "truth values": ([True, False, True], "classification"),
    "objects of text": (np.array(["a", "b"], dtype=object), "classification"),
    "objects of fractions": (np.array([0.5, 1], dtype=object), "regression"),
    "a column": (np.array([[0.5], [1.5]]), "regression"),
    "a series": (pd.Series(["a", "b"]), "classification"),
    "a series of categories": (
        pd.Series([1.5, 2.5], dtype="category").astype(str).astype("category"),
        "classification",
    ),
    "a series of pandas' own integers": (pd.Series([1, 2], dtype="Int64"), "classification"),
    "a series of pandas' own floats": (pd.Series([1.5, 2], dtype="Float64"), "regression"),
    "a table of one column": (pd.DataFrame({"y": ["a", "b"]}), "classification"),
    "polars": (pl.Series(["a", "b"]), "classification"),
    "polars, categories": (pl.Series(["a", "b"], dtype=pl.Categorical), "classification"),
    "polars, fractions": (pl.Series([0.5, 1.5]), "regression"),
    "twenty whole numbers": (np.arange(20), "classification"),
    "many different whole numbers": (np.arange(21), "regression"),
    "many labels, all of them often": (np.tile(np.arange(30), 20), "classification"),
    "many labels, one of them rare": (np.r_[np.tile(np.arange(30), 21), 30], "regression"),
    "many labels, each a few times": (np.tile(np.arange(30), 19), "regression"),
}


@pytest.mark.parametrize(("y", "task"), TARGETS.values(), ids=TARGETS)
def test_task_is_read_off_the_targets(y, task):
    data = of_targets(y)
    assert data.task == task
    assert data.y.shape == (len(y),)
    assert data.y.dtype.kind == "f" if task == "regression" else data.y.dtype != object


@pytest.mark.parametrize(
    "y", [["no", "yes", "no"], np.array(["no", "yes", "no"], dtype=object), pl.Series(["no", "yes", "no"])]
)
def test_labels_are_sorted_and_distinct(y):
    assert of_targets(y).labels.tolist() == ["no", "yes"]


def test_amounts_have_no_labels():
    with pytest.raises(AttributeError, match="'toy' is a regression data set, which has no labels"):
        of_targets([0.5, 1.5]).labels  # noqa: B018


def test_task_can_be_stated():
    assert of_targets([1, 2, 2], task="regression").y.dtype == float
    assert of_targets(np.arange(100), task="classification").labels.size == 100


WRONG_TARGETS = {
    "no such task": (
        [0, 1],
        "regresion",
        "task='regresion' is not a task; it must be 'classif.* or None",
    ),
    "text as amounts": (
        ["a", "b"],
        "regression",
        "task='regression' needs numbers as y, but y holds labels such as 'a'",
    ),
    "truth values as amounts": ([True, False], "regression", "y holds labels such as True"),
    "fractions as labels": ([1.0, 0.5], "classification", "needs labels as y, but y holds fractions such as 0.5"),
    "missing": ([0.5, np.nan, 1.5], None, "y of 'toy' is missing in 1 row of 3; leave these out"),
    "missing text": (["a", None, np.nan], None, "y of 'toy' is missing in 2 rows of 3"),
    "missing categories": (pd.Series(["a", None], dtype="category"), None, "missing in 1 row of 2"),
    "missing integers": (pd.Series([1, None], dtype="Int64"), None, "missing in 1 row of 2"),
    "infinite": ([0.5, np.inf], None, "y of 'toy' is infinite in 1 of 2 rows; leave these out"),
    "several columns": (np.eye(2), None, r"y of 'toy' has shape \(2, 2\); it must be a vector"),
    "empty": ([], None, "y of 'toy' is empty"),
    "sparse": (sparse.csr_array(np.eye(2)), None, "y of 'toy' is sparse"),
    "dates": (
        np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"),
        None,
        "y holds dates or times such as 2020-01-01; it must hold labels or numbers",
    ),
    "dates of Python": ([date(2020, 1, 1), date(2020, 1, 2)], None, "y holds dates or times such as 2020-01-01"),
    "text of many dates": (
        pd.date_range("2020-01-01", periods=30).strftime("%Y-%m-%d").to_numpy(),
        None,
        "y holds dates such as 2020-01-01; it must hold labels or numbers",
    ),
    "text of many numbers": (
        [f"{number}.5" for number in range(30)],
        None,
        "y holds numbers as text; give it as float",
    ),
    "text of many numbers and others": (
        [*(f"{number}.5" for number in range(30)), "-"],
        None,
        "y holds numbers as text but for '-' in 1 row; leave these rows out",
    ),
    "labels too large": ([1e300, -1e300, 1e300], None, r"y holds labels such as 1e\+300; labels that are numbers must"),
    "amounts too small": ([1e-300, -1e-299], "regression", "y goes up to 1e-299 in size, whose square is zero"),
    "amounts too large": ([1e300, -1e300], "regression", r"y goes up to 1e\+300 in size, whose square is infinite"),
    "mixed": (["a", 1], None, "y holds values of type int, str; it must hold text, truth values or numbers"),
    "all the same": (["a", "a"], None, "y is 'a' for every sample; there must be something to tell apart"),
}


@pytest.mark.parametrize(("y", "task", "message"), WRONG_TARGETS.values(), ids=WRONG_TARGETS)
def test_wrong_targets(y, task, message):
    with pytest.raises(ValueError, match=message):
        of_targets(y, task=task)


# ----------------------------------------------------------------------------------------------------------- inputs


def test_inputs_stay_what_they_are(tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(3, 2))
    for X in (THREE, pd.DataFrame({"a": [1, 2, 3]}), sparse.csr_array(THREE), sparse.csr_matrix(THREE), mapped):
        assert of_inputs(X).X is X


def test_inputs_that_cannot_give_rows_become_containers_that_can():
    assert isinstance(of_inputs(sparse.coo_array(np.eye(3))).X, sparse.csr_array)
    assert of_inputs([[1], [2], [3]]).X.tolist() == [[1], [2], [3]]
    for mixed in ([["a", 1], ["b", 2], [None, 3]], np.array([["a", 1], ["b", 2], [None, 3]], dtype=object)):
        frame = of_inputs(mixed).X
        assert list(frame) == ["x0", "x1"]
        assert frame["x1"].dtype == np.int64


def test_a_table_of_polars_becomes_one_of_pandas():
    colours = pl.Series(["red", None, "blue"], dtype=pl.Enum(["blue", "red"]))
    frame = of_inputs(pl.DataFrame({"n": [1, None, 3], "text": ["a", None, "b"], "colour": colours})).X
    assert isinstance(frame, pd.DataFrame)
    assert frame["n"].dtype == float
    assert frame.isna().sum().tolist() == [1, 1, 1]
    assert frame["colour"].cat.categories.tolist() == ["blue", "red"]


def test_size():
    data = of_inputs(np.zeros((3, 4, 5, 2)))
    assert (data.n_samples, data.n_features) == (3, 40)


WRONG_INPUTS = {
    "one axis": (np.zeros(3), {}, r"X has shape \(3,\); it must be \(n_samples, n_features\)"),
    "six axes": (np.zeros((3, 1, 1, 1, 1, 1)), {}, "with two to four axes for each sample"),
    "no features": (np.zeros((3, 0)), {}, "it must have samples and features"),
    "complex": (np.zeros((3, 1), complex), {}, "dtype complex128; it must hold numbers"),
    "images of objects": (np.zeros((3, 2, 2), object), {}, "dtype object; it must hold numbers"),
    "length": (np.zeros((4, 1)), {}, "y of 'toy' has 3 values, but X has 4 samples"),
    "length of groups": (THREE, {"groups": [0, 1]}, "groups of 'toy' has 2 values, but X has 3 samples"),
    "missing groups": (THREE, {"groups": ["a", None, "b"]}, "groups of 'toy' is missing in 1 row of 3"),
}


@pytest.mark.parametrize(("X", "stated", "message"), WRONG_INPUTS.values(), ids=WRONG_INPUTS)
def test_wrong_inputs(X, stated, message):
    with pytest.raises(ValueError, match=message):
        of_inputs(X, **stated)


# ------------------------------------------------------------------------------------------------ shape of a sample

PIXELS = [f"pixel_{row}_{column}" for row in range(8) for column in range(6)]
SHAPES = {
    "table": (np.zeros((3, 64)), None, None),
    "images": (np.zeros((3, 28, 28)), None, (28, 28, 1)),
    "images, upright": (np.zeros((3, 62, 47)), None, (62, 47, 1)),
    "signals": (np.zeros((3, 150, 1)), None, (150, 1)),
    "signals of few steps": (np.zeros((3, 4, 4)), None, (4, 4)),
    "signals of many channels": (np.zeros((3, 128, 9)), None, (128, 9)),
    "images with channels": (np.zeros((3, 32, 30, 3)), None, (32, 30, 3)),
    "volumes": (np.zeros((3, 8, 8, 8, 1)), None, (8, 8, 8, 1)),
    "stated image": (np.zeros((3, 64)), (8, 8), (8, 8, 1)),
    "stated image with a channel": (np.zeros((3, 64)), (8, 8, 1), (8, 8, 1)),
    "stated long image": (np.zeros((3, 64)), (4, 16, 1), (4, 16, 1)),
    "stated colours": (np.zeros((3, 3072)), (32, 32, 3), (32, 32, 3)),
    "stated signal": (np.zeros((3, 40)), (40,), (40, 1)),
    "stated signal, a number": (np.zeros((3, 40)), 40, (40, 1)),
    "stated signal with a channel": (np.zeros((3, 40)), [np.int64(40), 1], (40, 1)),
    "stated signal with channels": (np.zeros((3, 1152)), (128, 9), (128, 9)),
    "stated volume": (np.zeros((3, 27)), (3, 3, 3, 1), (3, 3, 3, 1)),
    "stated otherwise than the axes": (np.zeros((3, 100, 40)), (100, 40, 1), (100, 40, 1)),
    "stated, of a sparse matrix": (sparse.csr_array((3, 64)), (8, 8), (8, 8, 1)),
    "scikit-learn's digits": (load_digits(as_frame=True).data[:3], None, (8, 8, 1)),
    "rows and columns of pixels": (pd.DataFrame(np.zeros((3, 48)), columns=PIXELS), None, (8, 6, 1)),
    "pixels in another order": (pd.DataFrame(np.zeros((3, 48)), columns=PIXELS[::-1]), None, None),
    "pixels among others": (pd.DataFrame(np.zeros((3, 49)), columns=["age", *PIXELS]), None, None),
    "numbered pixels": (pd.DataFrame(np.zeros((3, 9)), columns=[f"pixel{k}" for k in range(1, 10)]), None, (3, 3, 1)),
    "pixels from 0": (pd.DataFrame(np.zeros((3, 9)), columns=[f"pixel{k}" for k in range(9)]), None, (3, 3, 1)),
    "no square of pixels": (pd.DataFrame(np.zeros((3, 8)), columns=[f"pixel{k}" for k in range(8)]), None, None),
}


@pytest.mark.parametrize(("X", "stated", "shape"), SHAPES.values(), ids=SHAPES)
def test_sample_shape_is_found_or_stated(X, stated, shape):
    assert of_inputs(X, sample_shape=stated).sample_shape == shape


WRONG_SHAPES = {
    "another product": (np.zeros((3, 64)), (8, 9), "sample_shape=(8, 9) makes 72 features, but X has 64; it must be"),
    "too many axes": (np.zeros((3, 64)), (8, 8, 1, 1, 1), "must be one to four positive integers"),
    "none": (np.zeros((3, 64)), (), "sample_shape=() is not the shape of a sample"),
    "fractions": (np.zeros((3, 64)), (8.0, 8), "sample_shape=(8.0, 8) is not the shape of a sample"),
    "negative": (np.zeros((3, 64)), (-8, -8), "sample_shape=(-8, -8) is not the shape of a sample"),
    "text": (np.zeros((3, 64)), "8x8", "sample_shape='8x8' is not the shape of a sample"),
    "channels first": (np.zeros((3, 3, 32, 32)), None, "as if the channels came first; they must come last"),
}


@pytest.mark.parametrize(("X", "stated", "message"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_wrong_sample_shapes(X, stated, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        of_inputs(X, sample_shape=stated)


# ------------------------------------------------------------------------------------------------------ fingerprint

FRAME = {"number": [1.0, np.nan, 3.0], "text": ["a", None, "b"], "colour": pd.Categorical(["red", "blue", None])}


def frame(**changed):
    return pd.DataFrame(FRAME | changed)


def base(X=None, y=("a", "b", "b"), groups=(1, 2, 3), **stated):
    X = np.arange(12.0).reshape(3, 4) if X is None else X
    return DataSet.from_arrays("toy", X, list(y), groups=groups, **stated)


SAME = {
    "made again": (base(), base()),
    "another name": (base(), DataSet.from_arrays("b", base().X, base().y, groups=base().groups)),
    "another layout": (base(), base(np.asfortranarray(base().X))),
    "labels from a series": (base(), base(y=pd.Series(["a", "b", "b"]))),
    "a table": (base(frame()), base(frame())),
    "another index": (base(frame()), base(frame().set_index(pd.Index([7, 8, 9])))),
    "unsorted sparse": (
        base(sparse.csr_array(np.eye(3))),
        base(sparse.coo_array(([0.5, 1, 1, 0.5], ([0, 2, 1, 0], [0, 2, 1, 0])), shape=(3, 3))),
    ),
}
DIFFERENT = {
    "value": (base(), base(np.arange(12.0).reshape(3, 4) + np.eye(3, 4))),
    "dtype": (base(), base(np.arange(12).reshape(3, 4))),
    "axes": (base(), base(np.arange(12.0).reshape(3, 2, 2))),
    "container": (base(), base(pd.DataFrame(np.arange(12.0).reshape(3, 4)))),
    "label": (base(), base(y=["a", "b", "a"])),
    "type of labels": (base(y=[0, 1, 1]), base(y=["0", "1", "1"])),
    "group": (base(), base(groups=[1, 2, 2])),
    "no groups": (base(), base(groups=None)),
    "sample_shape": (base(), base(sample_shape=(4,))),
    "task": (base(y=[1, 2, 3]), base(y=[1, 2, 3], task="regression")),
    "column name": (base(frame()), base(frame().rename(columns={"text": "texts"}))),
    "order of columns": (base(frame()), base(frame()[["text", "number", "colour"]])),
    "text": (base(frame()), base(frame(text=["a", None, "c"]))),
    "text moved across a border": (base(frame(text=["ab", "c", "d"])), base(frame(text=["a", "bc", "d"]))),
    "kind of missing": (
        base(frame(text=np.array(["a", None, 1], object))),
        base(frame(text=np.array(["a", "None", 1], object))),
    ),
    "number or text": (
        base(frame(text=np.array(["a", 1], object).repeat([2, 1]))),
        base(frame(text=np.array(["a", "1"], object).repeat([2, 1]))),
    ),
    "category": (base(frame()), base(frame(colour=pd.Categorical(["red", "red", None])))),
    "unused category": (base(frame()), base(frame(colour=pd.Categorical(FRAME["colour"], ["blue", "red", "green"])))),
    "order of categories": (base(frame()), base(frame(colour=pd.Categorical(FRAME["colour"], ordered=True)))),
    "pandas' own integers": (
        base(frame(n=pd.array([1, None, 3], "Int64"))),
        base(frame(n=pd.array([1, None, 4], "Int64"))),
    ),
    "pandas' own type": (base(frame(n=pd.array([1, 2, 3], "Int64"))), base(frame(n=[1, 2, 3]))),
    "dates": (base(frame(d=pd.date_range("2020", periods=3))), base(frame(d=pd.date_range("2021", periods=3)))),
    "time zones": (
        base(frame(d=pd.date_range("2020", periods=3, tz="UTC"))),
        base(frame(d=pd.date_range("2020", periods=3))),
    ),
    "sparse value": (base(sparse.csr_array(np.eye(3))), base(sparse.csr_array(2 * np.eye(3)))),
    "sparse place": (base(sparse.csr_array(np.eye(3))), base(sparse.csr_array(np.eye(3)[::-1]))),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_same_content_has_the_same_fingerprint(one, other):
    assert one.fingerprint == other.fingerprint
    assert re.fullmatch("[0-9a-f]{64}", one.fingerprint)


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_any_change_gives_another_fingerprint(one, other):
    assert one.fingerprint != other.fingerprint


def test_fingerprint_is_the_same_in_another_process():
    data = base(frame(n=pd.array([1, None, 3], "Int64"), d=pd.date_range("2020", periods=3, tz="UTC")))
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer).fingerprint)"
    other = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(data), capture_output=True, check=True)
    assert other.stdout.decode().strip() == data.fingerprint


# ------------------------------------------------------------------------------------------------- arrays on disk

N_MAPPED = 4000


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """32 MB that are not in memory."""
    path = tmp_path_factory.mktemp("mapped") / "X.npy"
    array = np.lib.format.open_memmap(path, mode="w+", dtype=float, shape=(N_MAPPED, 10, 100))
    array[:] = np.arange(array.size).reshape(array.shape)
    array.flush()
    return np.load(path, mmap_mode="r")


def on_disk(mapped):
    return DataSet.from_arrays("toy", mapped, np.arange(N_MAPPED) % 2)


def peak_of(function):
    tracemalloc.start()
    try:
        return function(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_fingerprint_of_an_array_on_disk_is_that_of_the_array_without_reading_it_whole(mapped):
    found, peak = peak_of(lambda: on_disk(mapped).fingerprint)
    assert found == on_disk(np.array(mapped)).fingerprint
    assert peak < mapped.nbytes / 8


ROWS = {
    "some": np.arange(0, N_MAPPED, 2),
    "backwards": np.arange(N_MAPPED)[::-1],
    "mask": np.arange(N_MAPPED) % 3 > 0,
    "twice": [5, 5, -1],
    "slice": slice(10, 2000),
    "neighbours": np.arange(10, 2000),
    "none": np.array([], dtype=int),
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_of_an_array_on_disk_stay_there(mapped, rows):
    taken, peak = peak_of(lambda: on_disk(mapped).take(rows))
    assert peak < mapped.nbytes / 8
    assert isinstance(taken, np.memmap)
    assert not taken.flags.writeable
    np.testing.assert_array_equal(taken, np.array(mapped)[rows])


def test_neighbouring_rows_are_not_copied(mapped):
    assert np.shares_memory(on_disk(mapped).take(np.arange(10, 2000)), mapped)


def test_copied_rows_leave_the_disk_with_their_last_reference(mapped, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    taken = on_disk(mapped).take([1, 3, 5])
    part = taken[1:]
    del taken
    assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(part, mapped[[3, 5]])
    del part
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_fails_leaves_nothing_behind(mapped, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(IndexError):
        on_disk(mapped).take([1, N_MAPPED])
    assert list(tmp_path.iterdir()) == []


VIEWS = {
    "all of it": np.asarray,
    "later rows": lambda X: X[100:],
    "a view of a view": lambda X: X[100:].view(np.ndarray)[100:],
    "transposed": lambda X: X.reshape(N_MAPPED, -1)[:1000].T,
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_an_array_on_disk_is_sent_to_workers_by_its_place(mapped, view):
    X = view(mapped)
    message = pickle.dumps(DataSet.from_arrays("toy", X, np.arange(len(X)) % 2))
    assert len(message) < 9 * len(X) + 2000
    received = pickle.loads(message).X
    assert isinstance(received, np.memmap)
    np.testing.assert_array_equal(received, X)


def test_an_array_on_disk_with_gaps_is_sent_by_its_values(mapped):
    X = mapped[::1000]
    received = pickle.loads(pickle.dumps(DataSet.from_arrays("toy", X, [0, 1, 0, 1]))).X
    np.testing.assert_array_equal(received, X)


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, sparse.csr_array, sparse.csr_matrix, pl.DataFrame, list])
@pytest.mark.parametrize("rows", [np.array([0, 2]), np.array([True, False, True]), [2, 0], slice(1, 3)], ids=str)
def test_rows_of_what_is_in_memory(kind, rows):
    data = of_inputs(kind(np.arange(6.0).reshape(3, 2)))
    taken = data.take(rows)
    assert type(taken) is type(data.X)
    values = taken.toarray() if sparse.issparse(taken) else np.asarray(taken)
    np.testing.assert_array_equal(values, np.arange(6.0).reshape(3, 2)[rows])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame(np.zeros((4, 3)), columns=["a", "b", "a"]), "several columns called 'a'"),
        (pd.DataFrame({"a": [1.0, np.inf, -np.inf, 0.0], "b": list("wxyz")}), "2 infinite values in 'a'; say"),
        (pd.DataFrame(np.zeros((4, 2)), columns=["a", 0]), "columns called 'a' and 0; their names must all be text"),
        (np.array([[1.0], [np.inf], [0.0], [0.0]]), "1 infinite values"),
        (
            pd.DataFrame({"a": [1.0, -1e200, 2.0, np.nan]}),
            r"goes up to 1e\+200 in size in 'a', whose square is infinite",
        ),
        (np.array([[1.0], [1e151], [0.0], [0.0]]), r"goes up to 1e\+151 in size, whose square is infinite; give it in"),
    ],
)
def test_what_every_model_would_stumble_over_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        DataSet.from_arrays("toy", X, [0, 1, 0, 1])


def test_what_is_masked_is_missing():
    X = np.ma.masked_equal([[1.0, -999.0], [2.0, 3.0]], -999)
    np.testing.assert_array_equal(DataSet.from_arrays("toy", X, [0, 1]).X, [[1, np.nan], [2, 3]])
    counts = np.ma.masked_equal(np.array([[1, 99], [2, 3]], np.uint8), 99)
    np.testing.assert_array_equal(DataSet.from_arrays("toy", counts, [0, 1]).X, [[1, np.nan], [2, 3]])
    with pytest.raises(ValueError, match="y of 'toy' is missing in 1 row of 2"):
        DataSet.from_arrays("toy", np.eye(2), np.ma.masked_equal([0, -1], -1))


def test_rows_that_may_not_belong_together_are_warned_of():
    X, y = pd.DataFrame({"a": [1.0, 2.0, 3.0]}), pd.Series([1, 0, 1], index=[2, 1, 0])
    with pytest.warns(UserWarning, match="different indices"):
        DataSet.from_arrays("toy", X, y)


# ------------------------------------------------------------------------------------------------ rows without a target

UNLABELLED = {
    "text": (["a", None, "b", "a"], ["a", "b", "a"]),
    "whole numbers": (np.array([0, np.nan, 2, 0]), [0, 2, 0]),
    "fractions": (pd.Series([0.5, np.nan, 2, 0]), [0.5, 2, 0]),
    "pandas": (pd.Series([1, None, 2, 1], dtype="Int64"), [1, 2, 1]),
    "categories": (pd.Series(["x", None, "y", "x"], dtype="category"), ["x", "y", "x"]),
}


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, sparse.csr_array])
@pytest.mark.parametrize(("y", "known"), UNLABELLED.values(), ids=UNLABELLED)
def test_rows_without_a_target_are_left_out_if_that_is_said(y, known, container):
    X = container(np.arange(8.0).reshape(4, 2))
    groups = ["p", None, "q", "p"]
    with pytest.raises(ValueError, match=r"y of 'toy' is missing in 1 row of 4; .* with --drop-missing-target \(drop_"):
        DataSet.from_arrays("toy", X, y)
    with pytest.warns(UserWarning, match="y of 'toy' is missing in 1 row of 4, which were left out"):
        data = DataSet.from_arrays("toy", X, y, groups=groups, drop_missing_target=True)
    assert data.y.tolist() == known
    assert [type(each) for each in data.y.tolist()] == [type(each) for each in known] or data.task == "regression"
    assert data.groups.tolist() == ["p", "q", "p"]
    left = data.X.toarray() if sparse.issparse(data.X) else np.asarray(data.X)
    np.testing.assert_array_equal(left, [[0, 1], [4, 5], [6, 7]])
    assert data.notes == ("y of 'toy' is missing in 1 row of 4, which were left out",)


def test_a_study_leaves_rows_without_a_target_out():
    X, y = np.random.RandomState(0).randn(40, 2), np.where(np.arange(40) % 4 == 3, np.nan, np.arange(40) % 2)
    with pytest.warns(UserWarning, match="missing in 10 rows of 40"):
        study = Study(["dummy"], cv=2).run(X, y, drop_missing_target=True)
    assert study.data_sets[0].n_samples == 30
    with pytest.raises(ValueError, match="missing in all of its 40 rows"):
        Study(["dummy"]).run(X, np.full(40, np.nan), drop_missing_target=True)
    with pytest.raises(ValueError, match="drop_missing_target was given beside a data set"):
        Study(["dummy"]).run(study.data_sets[0], drop_missing_target=True)
