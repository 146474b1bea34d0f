"""Scores by name, in their natural sign, each computed from one answer of the model."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    log_loss,
    make_scorer,
    max_error,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from sklearn.svm import SVC

from sknn import MLPClassifier
from sknn.study.measures import Answers, as_measures

X, y = load_iris(return_X_y=True)
FLOWERS = LogisticRegression(C=0.01).fit(X, y)
BINARY = LogisticRegression(C=0.01).fit(X[50:], y[50:])
NUMBERS = LinearRegression().fit(*load_diabetes(return_X_y=True))

CLASSIFICATION = {
    "accuracy": lambda: accuracy_score(y, FLOWERS.predict(X)),
    "balanced_accuracy": lambda: balanced_accuracy_score(y, FLOWERS.predict(X)),
    "log_loss": lambda: log_loss(y, FLOWERS.predict_proba(X)),
    "neg_log_loss": lambda: log_loss(y, FLOWERS.predict_proba(X)),
    "roc_auc": lambda: roc_auc_score(y, FLOWERS.predict_proba(X), multi_class="ovr"),
    "f1_macro": lambda: f1_score(y, FLOWERS.predict(X), average="macro"),
}
REGRESSION = {
    "r2": r2_score,
    "rmse": root_mean_squared_error,
    "mae": mean_absolute_error,
    "neg_mean_absolute_error": mean_absolute_error,
    "neg_max_error": max_error,
}


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_scores_of_classes(name):
    (measure,) = as_measures(name)
    assert measure.scorer(FLOWERS, X, y) == pytest.approx(CLASSIFICATION[name]())


@pytest.mark.parametrize("name", REGRESSION)
def test_scores_of_numbers(name):
    (measure,) = as_measures([name])
    features, target = load_diabetes(return_X_y=True)
    assert measure.scorer(NUMBERS, features, target) == pytest.approx(
        REGRESSION[name](target, NUMBERS.predict(features))
    )
    assert measure.greater_is_better == (name == "r2")


def test_two_classes_are_ranked_by_the_decision_where_there_are_no_probabilities():
    (measure,) = as_measures("roc_auc")
    machine = SVC().fit(X[50:], y[50:])
    assert measure.scorer(machine, X[50:], y[50:]) == pytest.approx(
        roc_auc_score(y[50:], machine.decision_function(X[50:]))
    )


@pytest.mark.parametrize("rows", [slice(0, 100), slice(0, 50)])
def test_auc_is_missing_where_a_class_is_missing_from_the_test_rows(rows):
    (measure,) = as_measures("roc_auc")
    assert np.isnan(measure.scorer(FLOWERS, X[rows], y[rows]))


@pytest.mark.parametrize(("seen", "tested"), [([0, 1, 2], [0, 1, 3]), ([0, 1, 2], [1, 2, 3]), ([0, 1], [0, 2])])
def test_auc_is_missing_where_a_class_is_missing_from_the_training_rows(seen, tested):
    (measure,) = as_measures("roc_auc")
    flowers = np.where(y == 2, 2 + np.arange(len(y)) % 2, y)  # four kinds
    model = LogisticRegression().fit(X[np.isin(flowers, seen)], flowers[np.isin(flowers, seen)])
    rows = np.isin(flowers, tested)
    assert np.isnan(measure.scorer(model, X[rows], flowers[rows]))


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_log_loss_is_exact_and_does_not_depend_on_the_precision_of_the_inputs(container):
    (measure,) = as_measures("log_loss")
    random = np.random.RandomState(0)
    inputs, labels = random.randn(100, 5), random.randint(2, size=100)
    model = MLPClassifier((20,), max_iter=20, input_scaling=None, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(inputs, labels)
    far = (300 * inputs).astype(np.float32)
    precise = measure.scorer(model, container(far.astype(float)), labels)
    exact = model.predict_log_proba(far.astype(float))[np.arange(100), labels]
    assert exact.min() < -100
    assert precise == pytest.approx(-exact.mean(), rel=1e-12)
    assert measure.scorer(model, container(far), labels) == pytest.approx(precise, rel=1e-12)


def test_log_loss_knows_classes_that_one_side_of_the_split_lacks():
    (measure,) = as_measures("log_loss")
    assert measure.scorer(FLOWERS, X[:50], y[:50]) == pytest.approx(-np.log(FLOWERS.predict_proba(X[:50])[:, 0]).mean())
    unseen = measure.scorer(BINARY, X, y)  # class 0 has probability 0: a large loss, but a number
    assert 5 < unseen < 50


def test_the_sign_is_turned_for_searches():
    loss, accuracy = as_measures(["log_loss", "accuracy"])
    assert loss.signed(FLOWERS, X, y) == -loss.scorer(FLOWERS, X, y)
    assert accuracy.signed(FLOWERS, X, y) == accuracy.scorer(FLOWERS, X, y)


def test_callables_and_own_names():
    def share_of_first(estimator, X, y):
        return np.mean(estimator.predict(X) == 0)

    by_list = as_measures([share_of_first, "accuracy"])
    assert [measure.name for measure in by_list] == ["share_of_first", "accuracy"]
    by_dict = as_measures({"f2": make_scorer(f1_score, average="micro"), "nats": "neg_log_loss"})
    assert [(measure.name, measure.greater_is_better) for measure in by_dict] == [("f2", True), ("nats", False)]
    assert by_dict[0].scorer(FLOWERS, X, y) == pytest.approx(FLOWERS.score(X, y))


@pytest.mark.parametrize(
    ("scoring", "error", "message"),
    [
        ("acuracy", ValueError, "did you mean 'accuracy'"),
        (["accuracy", "accuracy"], ValueError, "each once"),
        (["neg_log_loss", "log_loss"], ValueError, "each once"),
        ([], ValueError, "at least one"),
        (3, TypeError, "scoring=3"),
        ([3], TypeError, "neither the name"),
    ],
)
def test_wrong_scoring(scoring, error, message):
    with pytest.raises(error, match=message):
        as_measures(scoring)


def test_the_model_is_asked_once_however_many_measures_there_are():
    class Counting(DummyClassifier):
        asked = 0

        def predict(self, X):
            Counting.asked += 1
            return super().predict(X)

    answers = Answers(Counting().fit(X, y), X)
    for measure in as_measures(["accuracy", "balanced_accuracy", "f1_macro"]):
        measure.scorer(answers, X, y)
    assert Counting.asked == 1
    answers.predict(X[:3])
    assert Counting.asked == 2
