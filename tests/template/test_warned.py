"""What a fit warns of: digits that are lost, weights that do not count."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning

from sknn import CNNRegressor, MLPClassifier, MLPRegressor, NetworkRegressor
from sknn.nn import Dense

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
NIGHT = 2460000.5 + np.linspace(0, 0.4, 200)[:, None]  # Julian dates
WAVE = np.sin(16 * NIGHT[:, 0])
X = RNG.normal(size=(200, 4))
LABELS = X[:, 0] + X[:, 1] > 0


@pytest.mark.parametrize(
    "model",
    [
        MLPRegressor(5, max_iter=2),
        NetworkRegressor([Dense(5)], max_iter=2, input_scaling=None),
        CNNRegressor(2, kernel_size=1, max_iter=2, input_scaling=None, input_shape=(1, 1)),
    ],
    ids=["MLP", "Network", "CNN"],
)
def test_rounding_that_costs_a_column_its_digits_is_told(model):
    with pytest.warns(UserWarning, match=r"Rounding X to float32 .* column\(s\) 0; .*input_scaling='standard'"):
        clone(model).fit(NIGHT, WAVE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        clone(model).set_params(input_scaling="standard").fit(NIGHT, WAVE)
        clone(model).set_params(dtype="float64").fit(NIGHT, WAVE)
        clone(model).fit(NIGHT.astype(np.float32), WAVE)
        clone(model).fit(np.full_like(NIGHT, 0.7), WAVE)


def test_columns_are_told_by_name():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"size": X[:, 0], "jd": NIGHT[:, 0]})
    with pytest.warns(UserWarning, match=r"column\(s\) jd;"):
        MLPRegressor(5, max_iter=2).fit(table, WAVE)


@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"solver": "sgd"}], ids=str)
@pytest.mark.parametrize("Model", [MLPClassifier, MLPRegressor])
def test_weights_that_let_the_penalty_outweigh_the_loss_are_told(Model, params):
    model = Model(5, max_iter=5, random_state=0, **params)
    y = LABELS if is_classifier(model) else X[:, 0]
    with pytest.warns(UserWarning, match=r"sample_weight has a mean of 1e-08, .*alpha=0.0001.* divide sample_weight"):
        model.fit(X, y, np.full(200, 1e-8))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, np.full(200, 0.1))
        model.set_params(alpha=0.0).fit(X, y, np.full(200, 1e-8))


def test_weights_that_vanish_in_the_precision_of_the_fit_are_named():
    with pytest.raises(ValueError, match=r"sample_weight has a mean of 1e-46, which is zero in float32"):
        MLPClassifier(5, random_state=0).fit(X, LABELS, np.full(200, 1e-46))
