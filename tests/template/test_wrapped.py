"""The estimator that another one wraps: seeds and weights."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from sknn import MLPRegressor
from sknn.template.wrapped import seeded, weight_for


def test_only_random_states_that_are_none_get_a_seed_each_its_own():
    pipeline = make_pipeline(QuantileTransformer(), StandardScaler(), MLPRegressor(random_state=5))
    one, other = (seeded(GridSearchCV(clone(pipeline), {}), np.random.RandomState(seed)).estimator for seed in (0, 1))
    assert (one[0].random_state, one[2].random_state) == (209652396, 5)
    assert other[0].random_state not in (None, 209652396)
    two = seeded(make_pipeline(QuantileTransformer(), MLPRegressor()), np.random.RandomState(0))
    assert two[0].random_state != two[1].random_state


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (Ridge(), "sample_weight"),
        (GridSearchCV(Ridge(), {}), "sample_weight"),
        (make_pipeline(StandardScaler(), Ridge()), "ridge__sample_weight"),
        (make_pipeline(StandardScaler(), make_pipeline(Ridge())), "pipeline__ridge__sample_weight"),
    ],
)
def test_weights_reach_the_end_of_pipelines(estimator, name):
    weight = np.array([1.0, 0.0, 2.0])
    told = weight_for(estimator, weight)
    assert list(told) == [name]
    estimator = estimator.set_params(cv=2) if isinstance(estimator, GridSearchCV) else estimator
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 9.0, 2.0, 3.0])
    fit = estimator.fit(X, y, **weight_for(estimator, np.array([1.0, 0.0, 1.0, 1.0])))
    assert fit.predict([[1.0]])[0] < 2


@pytest.mark.parametrize("estimator", [KNeighborsRegressor(), make_pipeline(StandardScaler(), KNeighborsRegressor())])
def test_who_takes_no_weights_is_named(estimator):
    assert weight_for(estimator, None) == {}
    with pytest.raises(TypeError, match="KNeighborsRegressor takes none"):
        weight_for(estimator, np.ones(3))
