"""The study: same folds for every model, failures recorded, and a summary that agrees with scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from sknn.study import Study

X, Y = load_iris(return_X_y=True)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
SCORES = ["dataset", "model", "fold", "accuracy", "log_loss", "n_parameters", "error"]


class Recorder(ClassifierMixin, BaseEstimator):
    """Guess the first class, and note in a list which samples were seen."""

    def __init__(self, notes):
        self.notes = notes

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.notes.append(("fit", X.tobytes(), y.tobytes()))
        return self

    def predict(self, X):
        self.notes.append(("predict", X.tobytes()))
        return np.full(len(X), self.classes_[0])


class CountsThreads(DummyClassifier):
    """Refuse to learn on more than one thread."""

    def fit(self, X, y):
        if any(pool["num_threads"] > 1 for pool in threadpool_info()):
            raise RuntimeError("too many threads")
        return super().fit(X, y)


class FailsInAFold(DummyClassifier):
    """Refuse to learn when the very first sample is among the training data."""

    def fit(self, X, y):
        if (X[:, 0] == 0).any():
            raise RuntimeError("not with sample 0")
        return super().fit(X, y)


def test_every_model_sees_the_same_folds():
    first, second = [], []
    Study({"first": Recorder(first), "second": Recorder(second)}, cv=3).run(X, Y)
    assert len(first) == 6
    assert first == second


@pytest.mark.parametrize("estimator", [GaussianNB(), LogisticRegression(max_iter=500), LinearSVC(random_state=0)])
def test_summary_agrees_with_cross_val_score(estimator):
    summary = Study({"baseline": estimator}, cv=3).run(X, Y).summary()
    expected = cross_val_score(estimator, X, Y, cv=FOLDS)
    assert summary["accuracy_mean"].item() == pytest.approx(expected.mean(), abs=1e-15)
    assert summary["accuracy_std"].item() == pytest.approx(expected.std(ddof=1), abs=1e-15)


def test_log_loss_agrees_with_cross_val_score_and_is_missing_without_probabilities():
    models = {"probabilities": GaussianNB(), "none": LinearSVC(random_state=0)}
    log_loss = Study(models, cv=3).run(X, Y).summary().set_index("model")["log_loss_mean"]
    expected = -cross_val_score(GaussianNB(), X, Y, cv=FOLDS, scoring="neg_log_loss").mean()
    assert log_loss["probabilities"] == pytest.approx(expected, abs=1e-15)
    assert np.isnan(log_loss["none"])


def test_built_in_models_beside_each_other():
    results = Study(["perceptron", "logistic", "dummy"], cv=2).run(X, Y).results
    assert list(results["model"]) == ["perceptron", "logistic", "dummy"] * 2
    assert list(results["fold"]) == [0, 0, 0, 1, 1, 1]
    assert results["error"].isna().all()
    assert (results[["fit_time", "predict_time"]] > 0).all(axis=None)
    assert results["log_loss"].isna().tolist() == [True, False, False] * 2
    assert results["n_parameters"].dropna().tolist() == [15] * 4


def test_a_failure_is_recorded_and_the_others_go_on():
    numbered = np.arange(30.0)[:, np.newaxis]
    labels = np.tile([0, 1], 15)
    study = Study({"fails": FailsInAFold(), "dummy": DummyClassifier()}, cv=3).run(numbered, labels)
    alone = Study({"dummy": DummyClassifier()}, cv=3).run(numbered, labels)
    failed = study.results[study.results["model"] == "fails"]
    assert failed["error"].dropna().tolist() == ["RuntimeError: not with sample 0"] * 2
    assert failed["accuracy"].isna().tolist() == failed["error"].notna().tolist()
    others = study.results.query("model == 'dummy'")[SCORES].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, alone.results[SCORES])


def test_models_compute_on_one_thread():
    with threadpool_limits(limits=2):
        results = Study({"counts": CountsThreads()}, cv=2).run(X, Y).results
        assert max(pool["num_threads"] for pool in threadpool_info()) == 2
    assert results["error"].isna().all()


def test_summary_puts_the_best_first_and_the_failed_last():
    models = {"dummy": DummyClassifier(), "fails": GaussianNB(var_smoothing=-1), "naive_bayes": GaussianNB()}
    summary = Study(models, cv=3).run({"second": (X, Y), "first": (X, Y)}).summary()
    assert list(summary["dataset"]) == ["second"] * 3 + ["first"] * 3
    assert list(summary["model"]) == ["naive_bayes", "dummy", "fails"] * 2
    assert list(summary["n_failed"]) == [0, 0, 3] * 2


def test_summary_before_run():
    with pytest.raises(RuntimeError, match="call run"):
        Study(["dummy"]).summary()


def test_same_seed_same_scores():
    def scores(seed):
        models = {"forest": RandomForestClassifier(n_estimators=3), "tree": DecisionTreeClassifier(max_features=1)}
        return Study(models, cv=3, random_state=seed).run(X, Y).results[SCORES]

    pd.testing.assert_frame_equal(scores(1), scores(1))
    assert not scores(1).equals(scores(2))


def test_labels_may_be_strings_and_inputs_a_data_frame():
    frame, names = pd.DataFrame(X, columns=list("abcd")), pd.Series(Y).map({0: "x", 1: "y", 2: "z"})
    by_name = Study({"naive_bayes": GaussianNB()}, cv=3).run(frame, names)
    by_number = Study({"naive_bayes": GaussianNB()}, cv=3).run(X, Y)
    pd.testing.assert_frame_equal(by_name.results[SCORES], by_number.results[SCORES])


def test_progress_is_told_before_each_fit_and_at_the_end():
    calls = []
    Study({"a": DummyClassifier(), "b": DummyClassifier()}, cv=2).run(X, Y, progress=lambda *call: calls.append(call))
    assert calls == [
        (0, 4, "data: a, fold 1 of 2"),
        (1, 4, "data: b, fold 1 of 2"),
        (2, 4, "data: a, fold 2 of 2"),
        (3, 4, "data: b, fold 2 of 2"),
        (4, 4, ""),
    ]


@pytest.mark.parametrize("cv", [1, 0, 2.5, "five"])
def test_wrong_number_of_folds(cv):
    with pytest.raises(ValueError, match=f"cv={cv!r} is not a number of folds"):
        Study(cv=cv)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "one"])
def test_wrong_seed(seed):
    with pytest.raises(ValueError, match=f"random_state={seed!r} is not a seed"):
        Study(random_state=seed)


@pytest.mark.parametrize("seed", [None, 2**32 - 1, np.int8(3)])
def test_seeds_that_are_taken(seed):
    assert Study(["dummy"], cv=2, random_state=seed).run(X, Y).results["error"].isna().all()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.linspace(0.1, 1, 150), "y of 'data' is a regression target"),
        (np.eye(3, dtype=int)[Y], "y of 'data' is a multilabel-indicator target"),
        (np.r_[np.full(3, 9), Y[3:]], "cv=5 needs at least 5 samples of every class, but class 9 .* has 3"),
    ],
)
def test_refused_targets(y, message):
    with pytest.raises(ValueError, match=message):
        Study(["dummy"]).run(X, y)
