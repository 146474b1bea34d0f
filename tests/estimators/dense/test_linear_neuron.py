"""The linear neuron."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression

from sknn import MLPRegressor, PerceptronRegressor


def test_the_linear_neuron_nears_least_squares():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((400, 3))
    y = X @ [1.0, -2.0, 0.5] + 3.0 + 0.1 * rng.standard_normal(400)
    neuron = PerceptronRegressor(eta0=0.001, max_iter=200, random_state=0).fit(X, y)
    best = LinearRegression().fit(X, y)
    assert_allclose(neuron.coef_.ravel(), best.coef_, atol=0.01)
    assert_allclose(neuron.intercept_, best.intercept_, atol=0.01)


def test_it_offers_no_quantiles_and_says_what_does():
    for each in (PerceptronRegressor, PerceptronRegressor()):
        assert not hasattr(each, "predict_quantiles")
        with pytest.raises(AttributeError, match=r"learns no quantiles; MLPRegressor\(hidden_layer_sizes=\(\), loss="):
            each.predict_quantiles(np.ones((2, 1)))
    assert hasattr(MLPRegressor, "predict_quantiles")
