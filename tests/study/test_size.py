"""The size of a fitted model."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor as ScikitLearnsMLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

from sknn import BayesianClassifier, CNNClassifier, MLPClassifier, PerceptronClassifier, PerceptronRegressor
from sknn.study.size import model_size

X, Y = load_iris(return_X_y=True)
SCALED = StandardScaler().fit_transform(X)

QUICK = {"max_iter": 500, "tol": 0.1, "random_state": 0}


@pytest.mark.parametrize(
    ("estimator", "size"),
    [
        # 4 inputs, 5 hidden units, 3 classes
        (MLPClassifier(hidden_layer_sizes=(5,), **QUICK), 4 * 5 + 5 + 5 * 3 + 3),
        (ScikitLearnsMLPRegressor(hidden_layer_sizes=(5,), **QUICK), 4 * 5 + 5 + 5 + 1),
        # a normalised layer has a scale and a shift for each unit, but no bias
        (MLPClassifier(hidden_layer_sizes=(5,), batch_norm=True, **QUICK), 4 * 5 + 2 * 5 + 5 * 3 + 3),
        # 2 filters of 3 taps on a signal of 4 steps, halved by the pool
        (CNNClassifier((2,), hidden_layer_sizes=(5,), **QUICK), 3 * 2 + 2 + 2 * 2 * 5 + 5 + 5 * 3 + 3),
        (BayesianClassifier(MLPClassifier(5, **QUICK), random_state=0), 4 * 5 + 5 + 5 * 3 + 3),
        (PerceptronClassifier(random_state=0), 4 * 3 + 3),
        (PerceptronRegressor(random_state=0), 4 + 1),
        (LogisticRegression(max_iter=500), 4 * 3 + 3),
        (Ridge(), 4 + 1),
        (KNeighborsClassifier(), 150 * (4 + 1)),
        (GaussianProcessRegressor(optimizer=None, alpha=1), 150 * (4 + 1)),
        (GaussianProcessClassifier(optimizer=None), 3 * 150 * (4 + 1)),  # one for each class against the rest
        (GaussianNB(), 3 * (4 + 4 + 1)),
        (DummyClassifier(), 3),
        (DummyRegressor(), 1),
        (make_pipeline(StandardScaler(), LogisticRegression()), 4 * 3 + 3),
        (GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1, 2]}, cv=2), 4 + 1),
        (TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), 4 + 1),
        (BaggingClassifier(LogisticRegression(max_iter=500), n_estimators=2, random_state=0), 2 * (4 * 3 + 3)),
    ],
)
def test_parameters_are_counted(estimator, size):
    assert model_size(estimator.fit(SCALED, Y)) == (size, "parameters")


def test_support_vectors_count_with_their_coefficients():
    machine = SVC().fit(X, Y)
    assert model_size(machine) == (machine.n_support_.sum() * (4 + 2) + 3, "parameters")
    machine = SVR().fit(X, Y)
    assert model_size(machine) == (machine.n_support_.sum() * (4 + 1) + 1, "parameters")


def test_a_linear_support_vector_machine_needs_only_its_weights():
    assert model_size(SVC(kernel="linear").fit(X, Y)) == (3 * 4 + 3, "parameters")


@pytest.mark.parametrize(
    ("estimator", "size"),
    [
        (DecisionTreeClassifier(max_depth=1), 3),
        (RandomForestClassifier(n_estimators=4, max_depth=1, random_state=0), 4 * 3),
        (GradientBoostingClassifier(n_estimators=4, max_depth=1, random_state=0), 4 * 3 * 3),
        (HistGradientBoostingRegressor(max_iter=4, max_leaf_nodes=2), 4 * 3),
    ],
)
def test_trees_count_nodes(estimator, size):
    assert model_size(estimator.fit(X, Y)) == (size, "nodes")


def test_a_size_is_a_number_that_json_can_hold():
    for estimator in (SVC(), KNeighborsClassifier(), HistGradientBoostingRegressor(max_iter=2), GaussianNB()):
        size, _ = model_size(estimator.fit(X, Y))
        assert type(size) is int, estimator
        assert not isinstance(size, np.integer)


@pytest.mark.parametrize(
    "estimator",
    [
        QuadraticDiscriminantAnalysis(),
        VotingClassifier([("tree", DecisionTreeClassifier()), ("bayes", GaussianNB())]),  # nodes and parameters
    ],
)
def test_other_models_have_no_size(estimator):
    assert model_size(estimator.fit(X, Y)) == (None, None)
