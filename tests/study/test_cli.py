"""The command line, from the arguments to the exit code."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from sknn.__main__ import main
from sknn.study.cli import build_parser
from sknn.study.readers import ENDINGS

QUICK = ["--cv", "2", "--n-jobs", "1", "--models"]
MEADOW = ["meadow.csv", "--target", "kind"]
ALL_BUILT_IN = "digits, iris, wine, breast_cancer, diabetes"

STAND_IN = """
import sys, types
from pathlib import Path

def write_all(study, folder, figures=True):
    study.results.to_csv(Path(folder) / "results.csv", index=False)
    report = Path(folder) / "report.html"
    report.write_text("".join(study.verdicts().values()))
    return report

sys.modules["sknn.study.files"] = types.SimpleNamespace(write_all=write_all)
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    # The figures and the page have tests of their own, and take their time.
    monkeypatch.setitem(sys.modules, "sknn.study.files", ModuleType("files"))
    exec(STAND_IN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def flowers(tmp_path):
    """Two tables with the same columns, and one with amounts."""
    random = np.random.RandomState(0)
    for name in ("meadow", "garden"):
        kind = np.repeat(["rose", "tulip"], 20)
        size = random.normal(np.where(kind == "rose", 0, 3), 1)
        day = random.permutation(40)
        table = pd.DataFrame({"size": size, "bed": np.arange(40) // 4, "day": day, "kind": kind, "price": 2 * size})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    np.savez(tmp_path / "pictures.npz", X=random.normal(size=(40, 16)), y=np.arange(40) % 2)
    return tmp_path


def study(*arguments):
    return main(["study", *arguments])


def results(folder):
    return pd.read_csv(Path(folder) / "results.csv")


def test_the_report_is_named_last_and_progress_is_apart(capsys):
    assert study("iris", *QUICK, "perceptron", "logistic", "dummy") == 0
    output, progress = capsys.readouterr()
    assert all(f"\n{model} " in output for model in ("Perceptron", "Logistic regression", "Dummy"))
    assert output.endswith(f"\n\nReport: sknn-iris{os.sep}report.html\n")
    assert re.fullmatch(r"(\[\d/6\] iris: \w+, fold \d(, [\d:]+ left)?\n){6}", progress)
    assert {path.name for path in Path("sknn-iris").iterdir()} == {"report.html", "results.csv", "study.sqlite"}


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["iris"], "sknn-iris"),
        (["iris", "wine"], "sknn-iris-wine"),
        (["iris", "wine", "diabetes", "breast_cancer", *MEADOW], "sknn-iris-wine-diabetes-and-2-more"),
        (["iris", "--out", "here/and there"], "here/and there"),
    ],
)
def test_folder_of_the_results(arguments, folder, flowers, capsys):
    assert study(*arguments, *QUICK, "dummy") == 0
    assert capsys.readouterr().out.endswith(f"Report: {Path(folder) / 'report.html'}\n")
    assert (Path(folder) / "study.sqlite").is_file()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["meadow.csv", "--target", "kind"], {"dataset": ["meadow"], "n_train": [20], "roc_auc": [0.5]}),
        (["meadow.csv", "garden.csv", "--target", "kind"], {"dataset": ["meadow", "garden"]}),
        (["iris", "garden.csv", "--target", "kind"], {"dataset": ["iris", "garden"]}),
        (["meadow.csv", "--target", "price"], {"model": ["dummy"], "n_train": [20]}),
        (["meadow.csv", "--target", "day", "--task", "regression"], {"n_train": [20]}),
        (
            ["meadow.csv", "--target", "kind", "--groups", "bed", "--cv", "5"],
            {"n_train": [32], "fold": [0, 1, 2, 3, 4]},
        ),
        (["meadow.csv", "--target", "kind", "--features", "size", "bed"], {"n_train": [20]}),
        (["meadow.csv", "--target", "kind", "--drop", "price", "--na", "-999", "lost"], {"n_train": [20]}),
        (
            ["meadow.csv", "--target", "kind", "--sep", "comma", "--encoding", "ascii", "--comment", "%"],
            {"n_train": [20]},
        ),
        (["meadow.csv", "--target", "price", "--time-order", "--cv", "3"], {"n_train": [10, 20, 30]}),
        (["meadow.csv", "--target", "price", "--order-by", "day", "--cv", "3"], {"n_train": [10, 20, 30]}),
        (["pictures.npz", "--shape", "4x4"], {"dataset": ["pictures"]}),
        (["iris", "--repeats", "3"], {"fold": [0, 1, 2, 3, 4, 5]}),
        (["iris", "--scoring", "f1_macro", "neg_log_loss"], {"f1_macro": [0.167]}),
        (["iris", "--tune", "1", "--learning-curve", "--seed", "7"], {"n_train": [75]}),
    ],
)
def test_options(arguments, expected, flowers):
    defaults = [] if "--cv" in arguments else ["--cv", "2"]
    assert study(*arguments, *defaults, "--n-jobs", "1", "--models", "dummy", "--out", "out") == 0
    found = results("out")
    assert {column: found[column].round(3).unique().tolist() for column in expected} == expected


@pytest.mark.parametrize("number", ["-999", "-1e30", "-1e+30", "-inf", "-9.99E3", "-.5"])
def test_negative_numbers_are_no_options(number):
    stated = build_parser().parse_args(["study", "meadow.csv", "--na", number, "lost", "--target", "kind"])
    assert (stated.na, stated.target) == ([number, "lost"], "kind")


def test_a_stated_shape_lets_a_convolutional_network_take_part(flowers):
    assert study("pictures.npz", "--shape", "4x4x1", *QUICK, "cnn", "--out", "out") == 0
    assert study("pictures.npz", *QUICK, "cnn", "--out", "flat") == 2


def test_seed_decides_the_folds():
    for seed in ("1", "2"):
        study("iris", *QUICK, "logistic", "--seed", seed, "--out", seed)
    study("iris", *QUICK, "logistic", "--seed", "1", "--out", "again")
    scores = {folder: results(folder)["accuracy"].tolist() for folder in ("1", "2", "again")}
    assert scores["1"] == scores["again"] != scores["2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["digit"],
            f"unknown data set 'digit', did you mean 'digits'? Known: {ALL_BUILT_IN}; "
            f"or a file ({ENDINGS}), or a folder of curves or images, or openml:ID or openml:NAME",
        ),
        (["medow.csv", "--target", "kind"], "there is no file 'medow.csv', did you mean 'meadow.csv'?"),
        (
            ["meadow.csv", "--target", "Knd"],
            "unknown target column of meadow.csv 'Knd', did you mean 'kind'? Known: size, bed, day, kind, price",
        ),
        (
            ["meadow.csv"],
            "meadow.csv needs a target (--target NAME); its columns are size, bed, day, kind, price",
        ),
        (
            ["iris", "--target", "kind"],
            "--target 'kind' was given for iris, which has its target and nothing else; leave it out",
        ),
        (
            ["meadow.csv", "./meadow.csv", "--target", "kind"],
            "two data sets are called 'meadow'; give each file a name of its own",
        ),
        (
            ["meadow.csv", "--target", "kind", "--order-by", "kind"],
            "--order-by 'kind' holds text such as 'rose'; it must hold numbers or ISO dates",
        ),
        (
            ["iris", "--shape", "2x3"],
            "--shape 2x3 makes 6 features, but X has 4; it must be the shape of one sample, such as (28, 28) for "
            "images of 784 pixels",
        ),
        (
            ["iris", "--task", "regression", "--cv", "1"],
            "--cv 1 is not a number of folds; it must be an integer of at least 2",
        ),
        (
            ["iris", "--cv", "51"],
            "--cv 51 needs at least 51 samples of every class, but class 0 of 'iris' has 50, and 2 others have fewer "
            "than 51",
        ),
        (
            ["meadow.csv", "--target", "day", "--task", "classification"],
            "--cv 5 needs at least 5 samples of every class, but class 0 of 'meadow' has 1, and 39 others have fewer "
            "than 5: most classes have a single one, as if the target were the name of each sample; give another "
            "target, or if it is a number, say so with --task regression",
        ),
        (["iris", "--seed", "-1"], "--seed -1 is not a seed; it must be an integer from 0 to 4294967295"),
        (["iris", "--repeats", "0"], "--repeats 0 must be an integer of at least 1"),
        (["iris", "--tune", "-1"], "--tune -1 must be a number of configurations, or 0 for none"),
        (["iris", "--repeats", "2", "--time-order"], "--repeats 2 needs folds that are shuffled, which time forbids"),
        (["iris", "--scoring", "r2", "r2"], "--scoring ['r2', 'r2'] must name at least one measure, and each once"),
        (["iris", "--out", "meadow.csv"], "--out meadow.csv is a file; it must be a folder, or the name of a new one"),
        (["iris", "--out", "meadow.csv/in"], "--out meadow.csv/in cannot be made: Not a directory"),
    ],
)
def test_wrong_argument_is_one_line_and_exit_code_2(arguments, message, flowers, capsys):
    assert study(*arguments) == 2
    assert capsys.readouterr() == ("", f"sknn study: {message}\n")
    assert not [path for path in flowers.iterdir() if path.is_dir()]


@pytest.mark.parametrize(("option", "told"), [("--models", "unknown model 'rigde'"), ("--scoring", "unknown measure")])
def test_names_are_checked_before_data_are_read(option, told, capsys):
    assert study("there-is-no-such-file.csv", option, "rigde") == 2
    assert capsys.readouterr().err.startswith(f"sknn study: {told}")


def test_an_error_of_a_library_is_one_line_too(flowers, capsys):
    Path("ragged.csv").write_text("a,b\n1,2\n3,4,5,6\n")
    assert study("ragged.csv", "--target", "b") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--models", "randomforest"], "unknown model 'randomforest', did you mean 'random_forest'?"),
        (["--scoring", "acuracy"], "unknown measure 'acuracy', did you mean 'accuracy'?"),
    ],
)
def test_a_wrong_name_suggests_the_nearest_one(option, message, capsys):
    assert study("iris", *option) == 2
    assert capsys.readouterr().err.startswith(f"sknn study: {message}")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["study"],
        ["nonsense"],
        ["study", "iris", "--cv", "many"],
        ["study", "iris", "--shape", "28by28"],
        ["study", "iris", "--shape", "0x28"],
        ["study", "iris", "--n-jobs", "0"],
        ["study", "iris", "--task", "guessing"],
    ],
)
def test_arguments_that_cannot_be_parsed(arguments, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert "error:" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert study("iris", "--out", str(tmp_path)) == 2
    assert capsys.readouterr().err == f"sknn study: --out {tmp_path} cannot be written to\n"


def test_the_best_model_is_kept_and_predicts_in_another_process(flowers, capsys):
    assert study(*MEADOW, *QUICK, "dummy", "logistic", "--keep", "best.joblib") == 0
    assert "\nBest model: Logistic regression, fitted to all 40 rows, is in best.joblib\n" in capsys.readouterr().out
    garden = pd.read_csv("garden.csv")
    garden.iloc[:, ::-1].to_csv("new.csv", index=False, sep=";")
    command = [sys.executable, "-m", "sknn", "predict", "best.joblib", "new.csv"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == (
        "Predictions: new-predictions.csv (40 rows: predicted, probability_rose, probability_tulip)\n"
    )
    found = pd.read_csv("new-predictions.csv")
    assert (found["predicted"] == garden["kind"]).mean() > 0.9
    np.testing.assert_allclose(found.iloc[:, 1:].sum(axis=1), 1)


def test_codes_classes_and_rows_without_a_label_from_the_study_to_the_predictions(tmp_path, capsys):
    rows = np.arange(60)
    kind = np.where(rows % 3 == 0, "rose", "tulip")
    table = pd.DataFrame({"code": np.array(["007", "7", "B2"])[rows % 3], "kind": np.where(rows < 6, None, kind)})
    table.to_csv("codes.csv", index=False)
    arguments = ["codes.csv", "--target", "kind", *QUICK, "logistic", "--classes", "rose", "tulip", "lily"]
    assert study(*arguments) == 2
    assert "leave these out with --drop-missing-target\n" in capsys.readouterr().err
    assert study(*arguments, "--drop-missing-target", "--keep", "best.joblib") == 0
    output, progress = capsys.readouterr()
    for said in ("y of 'codes' is missing in 6 rows of 60, which were left out", "'lily'"):
        assert said in output
    assert "missing in 6 rows" in progress
    table[table["code"] != "B2"].drop(columns="kind").to_csv("new.csv", index=False)
    assert main(["predict", "best.joblib", "new.csv"]) == 0
    found = pd.read_csv("new-predictions.csv")
    assert list(found) == ["predicted", "probability_lily", "probability_rose", "probability_tulip"]
    assert (found["predicted"] == kind[rows % 3 != 2]).all()


def test_numbers_without_intervals_say_so(flowers, capsys):
    assert study("meadow.csv", "--target", "price", *QUICK, "ridge", "--keep", "best.joblib") == 0
    assert main(["predict", "best.joblib", "garden.csv"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("The model predicts no quantiles, so there are no inter")


def test_quantiles_from_the_study_to_the_predictions(flowers, capsys):
    arguments = ("meadow.csv", "--target", "price", "--quantiles", "0.1", "0.9", *QUICK, "dummy", "linear")
    assert study(*arguments, "--keep", "best.joblib", "--out", "out") == 0
    assert {"pinball_loss", "coverage"} < set(results("out"))
    assert "mae" not in results("out")
    assert main(["predict", "best.joblib", "garden.csv", "--out", "garden.txt"]) == 0
    assert list(pd.read_csv("garden.txt")) == ["predicted", "quantile_0.1", "quantile_0.9"]


def test_intervals_from_the_study_to_the_predictions(flowers, capsys):
    arguments = ("meadow.csv", "--target", "price", "--intervals", "0.8", *QUICK, "dummy", "bayesian_ridge")
    assert study(*arguments, "--keep", "best.joblib", "--out", "out") == 0
    assert {"interval_score", "coverage", "width", "nll", "crps"} < set(results("out"))
    assert main(["predict", "best.joblib", "garden.csv", "--out", "garden.txt", "--intervals", "0.8"]) == 0
    assert list(pd.read_csv("garden.txt")) == ["predicted", "low_0.8", "high_0.8"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.joblib", "garden.csv"], 2, "there is no file 'nothing.joblib'; a study keeps its best model with"),
        (["best.joblib", "gardn.csv"], 2, "there is no file 'gardn.csv', did you mean 'garden.csv'?"),
        (["best.joblib", "pictures.npz"], 2, "X has shape (40, 16); it must have the columns size, bed, day, price"),
        (["best.joblib", "narrow.csv"], 2, "X lacks the columns bed, day, price, which the model has learnt from"),
        (["best.joblib", "garden.csv", "--out", "no/where.csv"], 1, "[Errno 2] No such file or directory: 'no/where"),
        (["best.joblib", "garden.csv", "--sep", ";"], 2, "X lacks the columns"),
    ],
)
def test_predictions_that_cannot_be_made(arguments, code, message, flowers, capsys):
    pd.read_csv("garden.csv")[["size"]].to_csv("narrow.csv", index=False)
    assert study(*MEADOW, *QUICK, "dummy", "--keep", "best.joblib") == 0
    capsys.readouterr()
    assert main(["predict", *arguments]) == code
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith(f"sknn predict: {message}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["iris", "wine", "--keep", "best.joblib"], 2, "--keep best.joblib is for the best model of one data set, but"),
        (["iris", "--keep", "no/best.joblib"], 1, "[Errno 2] No such file or directory: 'no/best.joblib'"),
        (["iris", "--quantiles", "0.5"], 2, "--quantiles [0.5] are of numbers, but 'iris' is classification data"),
        (["iris", "--intervals", "0.9"], 2, "--intervals 0.9 are of numbers, but 'iris' is classification data"),
        (["iris", "--quantiles", "2"], 2, "--quantiles [2.0] must be numbers between 0 and 1"),
    ],
)
def test_what_is_wrong_is_found_out_before_anything_is_computed(arguments, code, message, capsys):
    assert study(*arguments) == code
    assert capsys.readouterr().err.startswith(f"sknn study: {message}")
    assert not list(Path().iterdir())


def test_without_figures(tmp_path):
    command = [sys.executable, "-m", "sknn", "study", "iris", "wine", *QUICK, "dummy", "logistic", "--no-figures"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    report = (tmp_path / "sknn-iris-wine" / "report.html").read_text("utf-8")
    assert "Average rank" in report
    assert "<svg" not in report
    assert ">Figures<" not in report
    assert not (tmp_path / "sknn-iris-wine" / "figures").exists()


def test_a_store_that_is_none_is_told_and_left_alone(tmp_path, capsys):
    (tmp_path / "study.sqlite").write_text("the diary of somebody else\n" * 100)
    assert study("iris", *QUICK, "dummy", "--out", ".") == 1
    assert "is not an SQLite file" in capsys.readouterr().err
    assert (tmp_path / "study.sqlite").read_text().startswith("the diary")


def test_a_report_that_cannot_be_written_is_no_traceback(tmp_path, monkeypatch, capsys):
    (tmp_path / "out" / "results.csv").mkdir(parents=True)
    assert study("iris", *QUICK, "dummy", "--out", "out") == 1
    assert "results.csv" in capsys.readouterr().err.splitlines()[-1]


def test_a_failed_model_is_exit_code_1(monkeypatch, capsys):
    def broken(self, X, y):
        raise RuntimeError("no luck")

    monkeypatch.setattr("sklearn.dummy.DummyClassifier.fit", broken)
    assert study("iris", *QUICK, "dummy", "perceptron") == 1
    output = capsys.readouterr().out
    assert "Dummy failed: RuntimeError: no luck" in output
    assert "Report: " in output


def test_a_warning_about_the_data_is_one_line(flowers, capsys):
    table = pd.read_csv("meadow.csv").assign(nothing=np.nan)
    table.to_csv("meadow.csv", index=False)
    assert study("meadow.csv", "--target", "kind", *QUICK, "dummy") == 0
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("sknn study: ")
    assert "nothing" in first


def test_the_same_command_again_only_reports(capsys):
    for _ in range(2):
        assert study("iris", *QUICK, "dummy", "logistic") == 0
    first, second = capsys.readouterr().out.split("Report: ")[:2]
    assert first == second.partition("\n")[2]
    assert study("iris", *QUICK, "dummy", "logistic", "--seed", "1") == 0
    assert "finished before" not in capsys.readouterr().err


def test_a_finished_study_computes_nothing(capsys, monkeypatch):
    assert study("iris", *QUICK, "dummy") == 0
    monkeypatch.setattr("sklearn.dummy.DummyClassifier.fit", lambda self, X, y: 1 / 0)
    assert study("iris", *QUICK, "dummy") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "[2/2] 2 finished before"


def test_ctrl_c_during_a_fit_keeps_what_is_finished_and_the_same_command_continues(monkeypatch, capsys):
    from sklearn.dummy import DummyClassifier

    fit, calls = DummyClassifier.fit, []

    def swallows_the_second_interrupt(self, X, y):
        calls.append(len(calls))
        if calls[-1] == 1:
            with suppress(KeyboardInterrupt):  # as networks do, which keep what they have learnt so far
                signal.raise_signal(signal.SIGINT)
        return fit(self, X, y)

    monkeypatch.setattr(DummyClassifier, "fit", swallows_the_second_interrupt)
    command = ("iris", "--cv", "4", "--n-jobs", "1", "--models", "dummy")
    assert study(*command) == 130
    output, error = capsys.readouterr()
    assert output == ""
    assert error.splitlines()[-1] == (
        "sknn study: interrupted; every finished fit is kept, and the same command continues"
    )
    assert study(*command) == 0
    assert capsys.readouterr().err.startswith("[1/4] 1 finished before")
    assert len(calls) == 2 + 3


def test_a_killed_study_continues_with_the_same_results(tmp_path):
    program = STAND_IN + "from sknn.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "study", "digits", *QUICK, "dummy", "knn", "random_forest", "mlp"]
    killed = subprocess.Popen([*command, "--out", "killed"], stderr=subprocess.PIPE, text=True)
    assert killed.stderr.readline().startswith("[1/8]")
    killed.kill()
    killed.communicate()
    with sqlite3.connect("killed/study.sqlite") as store:  # nobody waits in a test for the dead one's lease to run out
        store.execute("UPDATE cells SET renewed = 0 WHERE owner IS NOT NULL")
    store.close()
    for folder in ("killed", "whole"):
        assert study("digits", *QUICK, "dummy", "knn", "random_forest", "mlp", "--out", folder) == 0
    columns = ["model", "fold", "accuracy", "log_loss", "n_parameters"]
    pd.testing.assert_frame_equal(results("killed")[columns], results("whole")[columns])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--version"], ["sknn 0."]),
        (["--help"], ["study", "compare networks with classical models", "predict"]),
        (["predict", "--help"], ["MODEL", "quantiles", "--sep CHAR", "-predictions.csv"]),
        (
            ["study", "--help"],
            [
                *("digits, iris, wine, breast_cancer", ".parquet", "openml:ID", "--target COLUMN", "(default: 5)"),
                *("Logistic regression (for labels)", "Ridge regression (for numbers)", "CNN (for images and signals)"),
                *("accuracy, balanced_accuracy, log_loss, roc_auc", "r2, rmse, mae", "examples:", "sknn-digits"),
            ],
        ),
    ],
)
def test_help_and_version(arguments, parts, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(arguments)
    output = " ".join(capsys.readouterr().out.split())
    assert [part for part in parts if part not in output] == []


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("arguments", [["--help"], ["study", "--help"], ["predict", "--help"]])
def test_help_is_at_most_80_columns_wide(arguments, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(arguments)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("columns", ["5", "40"])
def test_the_narrowest_terminal_cuts_no_number(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    study("iris", *QUICK, "dummy")
    assert "0.333 ± 0.000 " in capsys.readouterr().out


@pytest.mark.parametrize("package", ["rich", "matplotlib"])
def test_without_a_package_it_says_what_to_install(package, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    assert study("iris") == 1
    assert capsys.readouterr().err == f"sknn study: {package} must be installed: pip install 'sknn[study]'\n"


def test_runs_as_a_module_and_writes_everything():
    command = [sys.executable, "-m", "sknn", "study", "iris", *QUICK, "dummy", "logistic", "perceptron"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    report = Path(finished.stdout.splitlines()[-1].removeprefix("Report: "))
    assert report.read_text().startswith("<!doctype html>")
    assert {"results.csv", "summary.csv", "study.sqlite", "figures"} <= {path.name for path in report.parent.iterdir()}


def test_help_does_not_wait_for_matplotlib():
    program = (
        "import sys\nfrom sknn.__main__ import main\n"
        "try:\n    main(['study', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
