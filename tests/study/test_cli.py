"""The command line, from the arguments to the exit code."""

import subprocess
import sys

import pytest

from sknn.__main__ import main

QUICK = ["--folds", "2", "--models", "perceptron", "logistic", "dummy"]


def test_study_prints_the_table_and_keeps_progress_apart(capsys):
    assert main(["study", "iris", *QUICK]) == 0
    output, progress = capsys.readouterr()
    assert all(f"\n{model} " in output for model in ("perceptron", "logistic", "dummy"))
    assert "The best network (perceptron) is" in output
    assert progress.splitlines()[0] == "[1/6] iris: perceptron, fold 1 of 2"
    assert progress.splitlines()[-1] == "[6/6] iris: dummy, fold 2 of 2"


def test_seed_decides_the_folds(capsys):
    def accuracies(seed):
        main(["study", "iris", "--folds", "2", "--models", "logistic", "--seed", seed])
        return [line.split()[2:6] for line in capsys.readouterr().out.splitlines() if line.startswith("logistic")]

    assert accuracies("1") == accuracies("1") != accuracies("2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["digit"],
            "unknown data set 'digit', did you mean 'digits'? Known: digits, iris, wine, breast_cancer, diabetes; "
            "or a file (.csv, .tsv, .parquet, .npz), or openml:ID or openml:NAME",
        ),
        (
            ["iris", "--models", "dummy", "forest"],
            "unknown model 'forest', did you mean 'random_forest'? "
            "Known: mlp, perceptron, random_forest, logistic, dummy",
        ),
        (["iris", "--folds", "1"], "--folds 1 is not a number of folds; it must be an integer of at least 2"),
        (
            ["iris", "--folds", "51"],
            "--folds 51 needs at least 51 samples of every class, but class 0 of 'iris' has 50",
        ),
        (["iris", "--seed", "-1"], "--seed -1 is not a seed; it must be an integer from 0 to 4294967295"),
    ],
)
def test_wrong_argument_is_one_line_and_exit_code_2(arguments, message, capsys):
    assert main(["study", *arguments]) == 2
    assert capsys.readouterr() == ("", f"sknn study: {message}\n")


@pytest.mark.parametrize("arguments", [[], ["study"], ["study", "iris", "--folds", "many"], ["nonsense"]])
def test_arguments_that_cannot_be_parsed(arguments, capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert "error:" in capsys.readouterr().err


def test_a_failed_model_is_exit_code_1(monkeypatch, capsys):
    def broken(self, X, y):
        raise RuntimeError("no luck")

    monkeypatch.setattr("sklearn.dummy.DummyClassifier.fit", broken)
    assert main(["study", "iris", *QUICK]) == 1
    assert "dummy failed: RuntimeError: no luck" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--version"], ["sknn 0."]),
        (["--help"], ["study", "compare networks with classical models"]),
        (["study", "--help"], ["digits, iris, wine, breast_cancer", "logistic", "LogisticRegression", "--folds N"]),
    ],
)
def test_help_and_version(arguments, parts, capsys):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(arguments)
    output = capsys.readouterr().out
    assert all(part in output for part in parts)


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize("arguments", [["--help"], ["study", "--help"]])
def test_help_is_at_most_80_columns_wide(arguments, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(arguments)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_the_narrowest_terminal_cuts_no_number(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "5")
    main(["study", "iris", "--folds", "2", "--models", "dummy"])
    assert "33.33 ± 0.00\n" in capsys.readouterr().out


def test_without_rich_it_says_what_to_install(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert main(["study", "iris"]) == 1
    assert capsys.readouterr().err == "sknn study needs rich: pip install 'sknn[study]'\n"


def test_interrupted_study_ends_without_a_traceback(monkeypatch, capsys):
    def interrupted(self, X, y):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn.dummy.DummyClassifier.fit", interrupted)
    assert main(["study", "iris", "--models", "dummy"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "sknn study: interrupted"


def test_runs_as_a_module():
    command = [sys.executable, "-m", "sknn", "study", "nowhere"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert finished.stderr.startswith("sknn study: unknown data set 'nowhere'")
