"""The report in the terminal: every model in the table, the best one highlighted, the verdict, and failures told."""

import re
import warnings
from io import BytesIO, StringIO, TextIOWrapper

import numpy as np
import pytest
from rich.console import Console
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sknn import MLPClassifier, PerceptronClassifier
from sknn.study import Study
from sknn.study.data import DataSet
from sknn.study.table import TableColumn, columns_that_fit, form_of
from sknn.study.terminal import show

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
LONG_NAME = "a_name_that_is_longer_than_its_column"


class Warns(DummyClassifier):
    """Warn of something long that ends with a number."""

    def fit(self, X, y):
        warnings.warn(f"it is {'very ' * 40}hard with {y.sum()}", UserWarning, stacklevel=1)
        return super().fit(X, y)


def study_of(models, data=None, **options):
    return Study(models, cv=2, **options).run({"iris": IRIS} if data is None else data)


def printed(models, width=120, colours=False, data=None, **options):
    output = StringIO()
    console = Console(file=output, width=width, color_system="standard" if colours else None, force_terminal=colours)
    show(study_of(models, data, **options), console)
    return output.getvalue()


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(name)).split()


@pytest.mark.parametrize("width", [100, 120])
def test_every_model_and_measure_is_on_its_line(width):
    text = printed(["perceptron", "dummy"], width)
    assert text.startswith("iris: 150 samples, 4 features, 3 classes; the same 2 folds for every model\n")
    assert row(text, "Dummy")[1:5] == ["0.333", "±", "0.000", "baseline"]
    assert row(text, "Dummy")[-4:] == ["3", "0.333", "1.099", "0.500"]  # size, balanced accuracy, log loss, ROC AUC
    assert row(text, "Perceptron")[-4] == "15"
    assert row(text, "Perceptron")[-2:] == ["—", "—"]
    assert "Lower is better: Log loss." in text
    assert max(map(len, text.splitlines())) <= width


def test_regression_has_its_measures_and_says_which_ones_are_losses():
    text = printed(["dummy", "ridge"], data={"diabetes": DIABETES})
    assert text.startswith("diabetes: 442 samples, 10 features, regression; ")
    assert re.search(r"Model +R² +Kind .* RMSE +MAE *\n", text)
    assert re.search(r"Ridge regression +0\.4\d+ ± 0\.\d+ +baseline", text)
    assert "Lower is better: RMSE, MAE." in text


def test_the_best_model_is_first_where_lower_is_better():
    text = printed(["dummy", "ridge"], data={"diabetes": DIABETES}, scoring=["rmse", "r2"])
    assert text.index("\nRidge") < text.index("\nDummy")
    assert re.search(r"Model +RMSE +Kind", text)


def test_tuned_models_have_the_time_of_their_search():
    assert re.search(r"\n +Fit +Search +Predict", printed(["logistic"], tune=2))
    assert "Search" not in printed(["logistic"])


@pytest.mark.parametrize(("width", "n_shown"), [(120, 9), (80, 7), (60, 5), (50, 4), (40, 3)])
def test_a_narrow_terminal_drops_columns_and_cuts_no_number(width, n_shown):
    models = {"random_forest": DecisionTreeClassifier(max_depth=1), LONG_NAME: DummyClassifier()}
    text = printed(models, width)
    table = text.partition("─\n")[2].partition("\n\n")[0]
    dropped = re.search(r"No room for: ([^.]+)\.", " ".join(text.split()))
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert re.findall(r"\d\.\d+ ± \d\.\d+", table) == ["0.667 ± 0.000", "0.333 ± 0.000"]
    assert "".join(line.split()[0] for line in table.splitlines()) == "random_forest" + LONG_NAME
    assert 9 - len(dropped[1].split(", ") if dropped else []) == n_shown


def test_names_of_some_length_take_one_line_before_what_is_no_measure():
    models = {"my_random_forest_of_stumps": DecisionTreeClassifier(max_depth=1), "my_guess": DummyClassifier()}
    text = printed(models, 80)
    rows = text.partition("─\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in rows] == list(models)
    assert "No room for: fit time" in " ".join(text.split()) or "No room for: kind" in " ".join(text.split())
    assert not re.search(r"No room for: [^.]*(Accuracy|accuracy|Log loss|ROC AUC)", " ".join(text.split()))


def test_classes_by_name_are_short_unless_two_are_called_the_same():
    text = printed(["ExtraTreeClassifier", "GaussianNB", "LinearSVC", "RidgeClassifier", ("Ridge", LinearSVC())], 50)
    first = {line.split()[0] for line in text.splitlines() if line.strip()}
    assert {"ExtraTree", "GaussianNB", "LinearSVC", "RidgeClassifier", "Ridge"} <= first


@pytest.mark.parametrize(
    ("means", "spread", "digits", "first"),
    [
        ([0.9722, 0.1], 0.0050, 2, "0.9722"),
        ([0.96, 0.3], 0.5, 2, "0.960"),
        ([54321.4, 8e4], 3021.0, 2, "54,321"),
        ([0.0000123, 0.1], 0.000004, 2, "1.23e-05"),
        ([1.5, 1e9], 0.1, 2, "1.5"),
        ([0.0, 0.1], 0.0, 2, "0.000"),
        ([np.nan, np.nan], np.nan, 2, "nan"),
        ([0.99989, 0.9], 0.00012, 1, "0.9999"),
    ],
)
def test_scores_have_the_digits_that_matter(means, spread, digits, first):
    assert format(means[0], form_of(means, [spread], digits)) == first


def test_a_column_that_fits_is_taken_after_one_that_does_not():
    columns = [TableColumn(title, title, ["0.5"]) for title in ("name", "score", "this is too long", "time")]
    assert [column.title for column in columns_that_fit(columns, 20)] == ["name", "score", "time"]


def test_ascii_where_the_output_has_no_more():
    file = TextIOWrapper(BytesIO(), encoding="ascii")
    models = {"perceptron": PerceptronClassifier(random_state=0), "bäume": GaussianNB(var_smoothing=-1)}
    show(study_of(models), Console(file=file, width=100))
    show(study_of(["ridge"], {"diabetes": DIABETES}), Console(file=file, width=100))
    file.seek(0)
    text = file.read()
    assert re.search(r"^perceptron +\d\.\d+ \+- \d\.\d+ +network .* - +-$", text, re.MULTILINE)
    assert "\n------" in text
    assert "b\\xe4ume failed" in text
    assert "+- is the standard deviation" in text
    assert re.search(r"^Model +R2 ", text, re.MULTILINE)


def test_trees_say_that_they_count_nodes():
    assert "3 nodes" in printed({"stump": DecisionTreeClassifier(max_depth=1)})


def test_only_the_best_row_is_highlighted():
    lines = printed({"dummy": DummyClassifier(), "bayes": GaussianNB()}, colours=True).splitlines()
    highlighted = [line for line in lines if "\x1b[1;32m" in line]
    assert len(highlighted) == 1
    assert "bayes" in highlighted[0]


def test_failures_are_told_and_text_in_brackets_survives():
    text = printed({"dummy [bold]": DummyClassifier(), "broken": GaussianNB(var_smoothing=-1)})
    assert "dummy [bold]" in text
    assert "broken (failed" in text
    assert text.count("broken failed: InvalidParameterError: The 'var_smoothing' parameter of GaussianNB") == 1


def test_a_study_in_which_all_failed_is_shown():
    text = printed({"broken": GaussianNB(var_smoothing=-1), "net": PerceptronClassifier(solver="none")})
    assert "there is nothing to compare" in " ".join(text.split())
    assert row(text, "broken")


def test_what_all_models_warn_of_alike_is_said_once():
    models = {"warns": Warns(), "too": Warns(), "short": DummyClassifier()}
    assert printed(models, width=200).count(" warned in 2 folds") == 2
    models.pop("short")
    assert printed(models, width=200).count("All models warned in 2 folds: UserWarning: it is very") == 1


def test_warnings_take_one_line_for_each_model():
    lines = [line for line in printed({"warns": Warns()}, width=70).splitlines() if "warned" in line]
    assert len(lines) == 1
    assert lines[0].startswith("warns warned in 2 folds: UserWarning: it is very very")
    assert lines[0].endswith(" ...")
    assert len(lines[0]) <= 70


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_convergence_warning_is_not_cut(width):
    text = " ".join(printed({"short": MLPClassifier(5, max_iter=2)}, width=width).split())
    assert (
        "short warned in 2 folds: ConvergenceWarning: Stochastic Optimizer: Maximum iterations (2) reached and the "
        "optimization hasn't converged yet." in text
    )


def test_the_verdict_is_the_studys():
    study = study_of(["perceptron", "dummy"])
    output = StringIO()
    show(study, Console(file=output, width=100))
    assert study.verdicts()["iris"].split() == output.getvalue().split("\n\n")[2].split()


@pytest.mark.parametrize(
    ("other", "ending"),
    [
        ({"wine": load_wine(return_X_y=True)}, "Over 2 data sets, Friedman's test finds no difference"),
        (
            {"diabetes": DIABETES},
            "Nothing can be said of all data sets together: the data sets are compared by accuracy and r2: "
            "give one scoring for all.",
        ),
    ],
)
def test_several_data_sets_have_a_table_each_and_a_verdict_together(other, ending):
    text = " ".join(printed(["perceptron", "dummy"], data={"iris": IRIS, **other}).split())
    assert text.count("the same 2 folds for every model") == 2
    assert ending in text.rpartition("on one thread. ")[2]


def test_what_was_noticed_in_the_data_stands_at_the_table():
    noticed = DataSet.from_arrays("iris", *IRIS, notes=["column 'x' of iris.csv has odd cells"])
    text = printed(["dummy"], data={"iris": noticed})
    assert text.index("iris: 150 samples") < text.index("column 'x' of iris.csv has odd cells") < text.index("accuracy")
