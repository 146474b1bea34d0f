"""The size of a fitted model."""

import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sknn import MLPClassifier, PerceptronClassifier
from sknn.study.size import model_size

X, Y = load_iris(return_X_y=True)
SCALED = StandardScaler().fit_transform(X)


@pytest.mark.parametrize(
    ("estimator", "size"),
    [
        # 4 inputs, 5 hidden units, 3 classes
        (MLPClassifier(hidden_layer_sizes=(5,), max_iter=500, tol=0.1, random_state=0), 4 * 5 + 5 + 5 * 3 + 3),
        (PerceptronClassifier(random_state=0), 4 * 3 + 3),
        (LogisticRegression(max_iter=500), 4 * 3 + 3),
        (make_pipeline(StandardScaler(), LogisticRegression()), 4 * 3 + 3),
    ],
)
def test_networks_and_linear_models_count_parameters(estimator, size):
    assert model_size(estimator.fit(SCALED, Y)) == (size, "parameters")


def test_trees_count_nodes():
    stumps = RandomForestClassifier(n_estimators=4, max_depth=1, random_state=0).fit(X, Y)
    assert model_size(stumps) == (4 * 3, "nodes")
    assert model_size(DecisionTreeClassifier(max_depth=1).fit(X, Y)) == (3, "nodes")


def test_other_models_have_no_size():
    assert model_size(DummyClassifier().fit(X, Y)) == (None, None)
