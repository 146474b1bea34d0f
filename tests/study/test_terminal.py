"""The report: every model in the table, the best one highlighted, one sentence that compares, and failures told."""

import re
from io import BytesIO, StringIO, TextIOWrapper

import pandas as pd
import pytest
from rich.console import Console
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from sknn import PerceptronClassifier
from sknn.study import Study
from sknn.study.load import load
from sknn.study.report import comparison, show

IRIS = load("iris")
FAMILIES = {"net": "network", "weak": "network", "forest": "baseline"}
LONG_NAME = "a_name_that_is_longer_than_its_column"


def printed(models, width=120, colours=False):
    study = Study(models, cv=2).run({"iris": load_iris(return_X_y=True)})
    output = StringIO()
    show(study, IRIS, Console(file=output, width=width, color_system="standard" if colours else None))
    return output.getvalue()


def compare(**accuracies):
    results = pd.DataFrame(
        [
            {"model": model, "fold": fold, "accuracy": accuracy}
            for model, folds in accuracies.items()
            for fold, accuracy in enumerate(folds)
        ]
    )
    means = results.groupby("model")["accuracy"].mean().sort_values(ascending=False)
    summary = pd.DataFrame({"model": means.index, "n_failed": 0, "accuracy_mean": means.to_numpy()})
    return comparison(summary, results, {model: FAMILIES[model] for model in accuracies})


@pytest.mark.parametrize("width", [80, 120])
def test_every_model_and_measure_is_on_its_line(width):
    lines = printed(["perceptron", "dummy"], width).splitlines()
    rows = {line.split()[0]: line for line in lines if line.startswith(("perceptron", "dummy"))}
    assert rows["dummy"].split()[1:6] == ["baseline", "33.33", "±", "0.00", "1.099"]
    assert rows["perceptron"].split()[5] == "—"
    assert rows["perceptron"].split()[-1] == "15"
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (80, ""),
        (60, "No room for: predict, parameters."),
        (50, "No room for: fit, predict, parameters."),
        (30, "No room for: kind, log loss, fit, predict, parameters."),
    ],
)
def test_a_narrow_terminal_drops_columns_and_cuts_no_number(width, left_out):
    models = {"random_forest": DecisionTreeClassifier(max_depth=1), LONG_NAME: DummyClassifier()}
    text = printed(models, width)
    table = text.partition("─\n")[2].partition("\n\n")[0]
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert re.findall(r"\d+\.\d\d ± \d+\.\d\d", table) == ["66.67 ± 0.00", "33.33 ± 0.00"]
    assert ("1.099" in table) == ("log loss" not in left_out)
    assert ("3 nodes" in table) == ("parameters" not in left_out)
    assert "".join(line.split()[0] for line in table.splitlines()) == "random_forest" + LONG_NAME
    assert " ".join(text.split()).endswith(left_out or "on one thread.")


def test_ascii_where_the_output_has_no_more():
    file = TextIOWrapper(BytesIO(), encoding="ascii")
    models = {"perceptron": PerceptronClassifier(random_state=0), "bäume": GaussianNB(var_smoothing=-1)}
    show(Study(models, cv=2).run({"iris": (IRIS.X, IRIS.y)}), IRIS, Console(file=file, width=80))
    file.seek(0)
    text = file.read()
    assert re.search(r"^perceptron +network +\d\d\.\d\d \+- \d+\.\d\d +- ", text, re.MULTILINE)
    assert "\n------" in text
    assert "b\\xe4ume failed" in text
    assert "+- is the standard deviation" in text


def test_trees_say_that_they_count_nodes():
    assert "3 nodes" in printed({"stump": DecisionTreeClassifier(max_depth=1)})


def test_heading_describes_the_data():
    assert printed(["dummy"]).startswith("iris: 150 samples, 4 features, 3 classes; same 2 folds for every model\n")


def test_only_the_best_row_is_highlighted():
    lines = printed({"dummy": DummyClassifier(), "bayes": GaussianNB()}, colours=True).splitlines()
    highlighted = [line for line in lines if "\x1b[1;32m" in line]
    assert len(highlighted) == 1
    assert "bayes" in highlighted[0]


def test_failures_are_told_and_text_in_brackets_survives():
    text = printed({"dummy [bold]": DummyClassifier(), "broken": GaussianNB(var_smoothing=-1)})
    assert "dummy [bold]" in text
    assert "broken (failed in 2 of 2)" in text
    assert text.count("broken failed: InvalidParameterError: The 'var_smoothing' parameter of GaussianNB") == 1


@pytest.mark.parametrize(
    ("accuracies", "sentence"),
    [
        (
            {"net": [0.9, 0.8, 0.7], "weak": [0.1, 0.1, 0.1], "forest": [0.8, 0.7, 0.8]},
            "The best network (net) is 3.33 percentage points more accurate than the best classical baseline (forest) "
            "on average, and was ahead in 2 of 3 folds.",
        ),
        (
            {"net": [0.5, 0.6], "forest": [0.5, 0.7]},
            "The best network (net) is 5.00 percentage points less accurate than the best classical baseline (forest) "
            "on average, and was ahead in 0 of 2 folds (level in 1).",
        ),
        (
            {"net": [0.5, 0.7], "forest": [0.7, 0.5]},
            "The best network (net) is as accurate as the best classical baseline (forest) "
            "on average, and was ahead in 1 of 2 folds.",
        ),
        ({"net": [0.5, 0.7]}, "No classical baseline was asked for, so there is nothing to compare."),
        ({"forest": [0.5, 0.7]}, "No network was asked for, so there is nothing to compare."),
    ],
)
def test_comparison(accuracies, sentence):
    assert compare(**accuracies) == sentence


def test_a_failed_baseline_is_not_compared():
    text = printed({"net": PerceptronClassifier(), "broken": GaussianNB(var_smoothing=-1)})
    assert "No classical baseline went through all folds, so there is nothing to compare." in text
