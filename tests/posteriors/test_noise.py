"""The constant noise of y, measured on samples that a network has not seen."""

import numpy as np
import pytest

from sknn import MLPRegressor
from sknn.posteriors import Task
from sknn.posteriors.noise import held_out_noise, noise_of

RNG = np.random.RandomState(0)
X = RNG.uniform(-1, 1, (300, 3))
TRUTH = np.column_stack([X @ [1.0, -1.0, 0.5], 100.0 * X[:, 0]])
Y = TRUTH + RNG.normal(size=(300, 2)) * [0.1, 30.0]


def network(**parameters):
    return MLPRegressor((), input_scaling="standard", learning_rate_init=0.03, random_state=0, **parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "lbfgs"},
        {"early_stopping": True, "validation_fraction": 0.3},
        {"early_stopping": True, "validation_fraction": 0.3, "scoring": "r2"},
    ],
)
@pytest.mark.parametrize("outputs", [0, [0, 1]])
def test_each_output_has_the_noise_that_was_added(parameters, outputs):
    y = Y[:, outputs]
    noise = held_out_noise(network(**parameters).fit(X, y), X, y, None, np.random.RandomState(0))
    np.testing.assert_allclose(noise, np.array([0.1, 30.0])[outputs], rtol=0.15)


def test_it_is_not_that_of_the_samples_of_the_training():
    """Forty weights for fifty samples leave little of the noise there."""
    rng = np.random.RandomState(1)
    x, y = rng.normal(size=(50, 40)), rng.normal(size=50)
    fitted = network(solver="lbfgs", alpha=0.0, max_iter=1000).fit(x, y)
    in_training = np.sqrt(np.mean((y - fitted.predict(x)) ** 2))
    assert held_out_noise(fitted, x, y, None, rng)[0] > 3 * in_training


def test_a_sample_of_weight_two_counts_as_two():
    weight = RNG.randint(0, 3, size=len(X)).astype(float)
    wrong = Y[:, 0] + np.where(weight == 0, 50.0, 0.0)
    noise = held_out_noise(network(solver="lbfgs").fit(X, wrong, weight), X, wrong, weight, np.random.RandomState(0))
    np.testing.assert_allclose(noise, 0.1, rtol=0.15)


def test_noise_that_can_be_none_is_as_small_as_a_density_allows():
    y = TRUTH[:, 1]
    noise = held_out_noise(network(solver="lbfgs", alpha=0.0, tol=1e-9).fit(X, y), X, y, None, np.random.RandomState(0))
    assert noise == pytest.approx([1e-3 * y.std()], rel=1e-6)


def test_a_single_sample_has_no_noise_that_could_be_measured():
    fitted = network(solver="lbfgs").fit(X[:1], Y[:1, 0])
    with pytest.raises(ValueError, match=r"n_samples=1 leaves none to find the noise with.*noise=0.1"):
        held_out_noise(fitted, X[:1], Y[:1, 0], None, RNG)


@pytest.mark.parametrize(("noise", "found"), [(None, None), ("learned", None), (0.3, [0.3, 0.3])])
def test_noise_that_is_known_is_not_measured(noise, found):
    fitted = network(solver="lbfgs").fit(X, Y)
    of_task = noise_of(Task(fitted, X, Y, None, noise, "auto", 10, RNG), fitted)
    np.testing.assert_array_equal(of_task, found)
