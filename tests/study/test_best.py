"""From a study to its winner: refitted to all rows, it travels and predicts for tables that come later."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import sknn
from sknn.study import Study
from sknn.study.data import DataSet

IRIS = load_iris(return_X_y=True)


def mixed_table(n=90):
    random = np.random.RandomState(0)
    kind = random.choice(["x", "y", "z"], n)
    table = pd.DataFrame({"a": random.randn(n), "kind": kind, "b": np.where(random.rand(n) < 0.1, np.nan, 1.0)})
    return table, np.where(table["a"] + 3 * (kind == "x") > 1, "yes", "no")


@pytest.mark.parametrize(("scoring", "best"), [("accuracy", "svm"), ("log_loss", "bayes")])
def test_the_best_by_the_first_measure_learns_all_rows(scoring, best):
    study = Study({"bayes": GaussianNB(), "svm": SVC()}, cv=3, scoring=scoring).run(*IRIS)
    expected = {"bayes": GaussianNB(), "svm": SVC()}[best].fit(*IRIS)
    assert type(study.best()) is type(expected)
    np.testing.assert_array_equal(study.best().predict(IRIS[0]), expected.predict(IRIS[0]))


def test_preprocessing_is_in_it_and_it_travels():
    model = pickle.loads(pickle.dumps(Study(["logistic", "dummy"], cv=3).run(*IRIS).best()))
    np.testing.assert_allclose(model[0].mean_, StandardScaler().fit(IRIS[0]).mean_)
    assert model.score(*IRIS) > 0.9


def test_of_a_table_columns_are_found_by_name():
    X, y = mixed_table()
    model = Study(["logistic", "dummy"], cv=3).run(X, y).best()
    assert model.score(X, y) > 0.9
    np.testing.assert_array_equal(model.predict(X.iloc[:, ::-1].assign(more="?")), model.predict(X))


@pytest.mark.parametrize("models", [["logistic"], ["hist_gradient_boosting"], ["perceptron"]])
def test_of_a_table_values_may_be_missing_later(models):
    X, y = mixed_table()
    whole = X.assign(b=1.0)
    for table in (whole, whole[["a", "b"]]):
        model = Study(models, cv=3).run(table, y).best()
        assert model.predict(table.assign(a=np.nan)).shape == y.shape


def kept_without_code(rows=60):
    """Data of each kind, with the name of a network."""
    random = np.random.RandomState(1)
    signals = random.randn(rows, 8, 2)
    labels = np.where(signals[:, :, 0].mean(axis=1) > 0, "yes", "no")
    curves = np.empty(rows, object)
    curves[:] = [signal[: 4 + k % 5] for k, signal in enumerate(signals)]
    with_gaps = curves.copy()
    with_gaps[0] = np.where(np.arange(len(curves[0]))[:, None] == 1, np.nan, curves[0])
    return {
        "table": ("mlp", *mixed_table(rows)),
        "numbers and times": (
            "mlp",
            pd.DataFrame({"a": signals[:, 0, 0], "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(range(rows), "D")}),
            labels,
        ),
        "images": ("mlp", signals, labels),
        "rows of signals": ("rnn", signals.reshape(rows, -1), labels),
        "curves with gaps": ("rnn", with_gaps, labels),
        "curves as rows": ("mlp", with_gaps, labels),
        "pictures as rows": ("mlp", [signal[: 5 + k % 3, :, None] for k, signal in enumerate(signals)], labels),
    }


LOADED = """
import pickle, sys
import sknn
model = sknn.load("best.sknn")
X, expected = pickle.load(open("expected", "rb"))
assert (model.predict_proba(X) == expected).all()
"""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", kept_without_code())
def test_a_network_travels_without_code(kind, tmp_path):
    name, X, y = kept_without_code()[kind]
    shape = (8, 2) if kind == "rows of signals" else None
    model = Study([name], cv=2).run(DataSet.from_arrays("data", X, y, sample_shape=shape)).best()
    sknn.save(model, tmp_path / "best.sknn")
    expected = model.predict_proba(X)
    np.testing.assert_array_equal(sknn.load(tmp_path / "best.sknn").predict_proba(X), expected)
    if kind == "table":  # where nothing has loaded what finds the columns
        (tmp_path / "expected").write_bytes(pickle.dumps((X, expected)))
        done = subprocess.run([sys.executable, "-c", LOADED], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_a_tuned_model_is_tuned_once_more():
    model = Study(["knn", "dummy"], cv=3, tune=3).run(*IRIS).best()
    again = Study(["knn", "dummy"], cv=3, tune=3).run(*IRIS).best()
    default = Study(["knn", "dummy"], cv=3).run(*IRIS).best()
    assert model[-1].get_params() == again[-1].get_params() != default[-1].get_params()


def test_of_several_data_sets_one_is_named():
    study = Study(["ridge", "logistic", "dummy"], cv=2).run({"iris": IRIS, "sugar": load_diabetes(return_X_y=True)})
    assert hasattr(study.best("sugar")[-1], "alpha")
    with pytest.raises(ValueError, match="dataset=None, but the study has 2; give one of: iris, sugar"):
        study.best()
    with pytest.raises(ValueError, match="did you mean 'sugar'"):
        study.best("suger")


def test_without_a_model_that_went_through_nothing_is_best():
    with pytest.raises(ValueError, match="no model has a score for Accuracy in every fold of 'data'"):
        Study({"broken": GaussianNB(var_smoothing=-1)}, cv=2).run(*IRIS).best()
    with pytest.raises(RuntimeError, match="call run"):
        Study(["dummy"]).best()
