"""What adversaries minimise: the best critics of known distributions, and penalties by finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import norm

from sknn.autodiff import Tensor, check_grads, grad
from sknn.autodiff import primitives as F
from sknn.estimators.generative.adversaries import ADVERSARIES, squared_slope
from sknn.nn import Beside, Conv, Dense, Draws, Flatten, Network

N = 2000
REAL = norm.ppf((np.arange(N) + 0.5) / N)[:, None]  # N(0, 1), evenly, so that means over it are exact to 1e-3
FAKE = np.random.default_rng(0).permutation(REAL + 1.0)


def best(loss, penalty, units=8):
    """The critic with the least loss against a generator of N(1, 1), and the terms of it."""
    critic = Network([Dense(units, activation="tanh"), Dense(1)], (1,), np.random.RandomState(0), "float64")

    def terms(theta):
        return ADVERSARIES[loss].criticism(critic.at(theta), REAL, FAKE, penalty, Draws(0, "float64"))

    def total(theta):
        theta = Tensor(theta)
        found = terms(theta)
        value = F.mean(found["critic_loss"])
        if penalty:
            factor, excess = found["penalty"]
            value = value + factor * F.mean(excess)
        return float(value.value), grad(value, theta)

    theta = minimize(total, critic.theta, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x
    return critic.at(theta), F.plain(F.mean(terms(theta)["critic_loss"]))


def test_the_best_critic_of_two_gaussians_knows_their_densities():
    """Its loss is 2 log 2 - 2 JSD = 1.1635, and its scores are log p / q."""
    critic, loss = best("non_saturating", 0.0)
    assert loss == pytest.approx(1.1635, abs=2e-3)
    x = np.linspace(-2.0, 3.0, 11)[:, None]
    p, q = norm.pdf(x), norm.pdf(x, 1.0)
    assert_allclose(expit(critic(x)), p / (p + q), atol=0.01)


def test_the_best_wasserstein_critic_finds_how_far_two_gaussians_are_apart():
    """By 1, and by about 1 / (2 penalty) more, where its slope is worth more than it costs."""
    assert -best("wasserstein", 50.0)[1] == pytest.approx(1.0, abs=0.03)


def test_the_best_hinge_critic_of_two_gaussians_is_the_sign_of_the_likelier():
    """Its loss is 2 (1 - total variation)."""
    _, loss = best("hinge", 0.0)
    assert loss == pytest.approx(2.0 * (1.0 - (norm.cdf(0.5) - norm.cdf(-0.5))), abs=0.01)


def condition(n):
    return np.eye(2)[np.arange(n) % 2]


CRITICS = {
    "dense": ([Dense(5, activation="relu"), Dense(4, activation="relu"), Dense(1)], (3,)),
    "smooth": ([Dense(5, activation="tanh"), Dense(1)], (3,)),
    "conditional": ([Beside("condition", 2), Dense(5, activation="relu"), Dense(1)], (3,)),
    "convolutional": (
        [
            Beside("condition", 2),
            Conv(3, 4, 2, activation="leaky_relu"),
            Conv(2, 4, 2, activation="leaky_relu"),
            Flatten(),
            Dense(1),
        ],
        (5, 6, 1),
    ),
}


@pytest.mark.parametrize(("layers", "shape"), CRITICS.values(), ids=CRITICS)
@pytest.mark.parametrize("loss", ["non_saturating", "wasserstein"])
def test_penalties_are_those_of_finite_differences_and_so_are_their_gradients(layers, shape, loss):
    network = Network(layers, shape, np.random.RandomState(1), "float64")
    rng = np.random.default_rng(2)
    network.theta += 0.3 * rng.normal(size=network.theta.size)
    real, fake = rng.normal(size=(2, 6, *shape))
    given = {"condition": condition(6)} if isinstance(layers[0], Beside) else {}

    def penalties(theta):
        def critic(x):
            return network.at(theta)(x, **given)

        factor, values = ADVERSARIES[loss].criticism(critic, real, fake, 2.0, Draws(3, "float64"))["penalty"]
        assert factor == 2.0
        return values

    between = fake + Draws(3, "float64").uniform((6, *[1] * len(shape))) * (real - fake)
    x = real if loss == "non_saturating" else between
    slopes = np.empty_like(x)
    for place in np.ndindex(shape):
        step = np.zeros(shape)
        step[place] = 1e-6
        slopes[(slice(None), *place)] = ((network(x + step, **given) - network(x - step, **given)) / 2e-6)[:, 0]
    squared = np.square(slopes).reshape(6, -1).sum(axis=1)
    expected = 0.5 * squared if loss == "non_saturating" else np.square(np.sqrt(squared) - 1.0)
    assert_allclose(penalties(network.theta).value, expected, rtol=1e-5)
    check_grads(lambda theta: F.sum(penalties(theta)), network.theta)


def test_without_a_penalty_no_slope_is_asked_for():
    terms = ADVERSARIES["non_saturating"].criticism(lambda x: x, REAL, FAKE, 0.0, Draws(0))
    assert list(terms) == ["critic_loss"]


def test_a_slope_is_that_of_each_row_alone():
    x = np.random.default_rng(2).normal(size=(4, 3))
    _, slope = squared_slope(lambda rows: F.sum(F.square(rows), axis=1, keepdims=True), x)
    assert_allclose(slope.value, 4.0 * np.square(x).sum(axis=1))
