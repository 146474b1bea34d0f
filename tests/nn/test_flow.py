"""Flows: what goes through them comes back, and the volume that they count is that of the map."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from sknn.nn import (
    Affine,
    Autoregressive,
    Conv,
    Coupling,
    Mixing,
    Network,
    Spline,
    flow_layers,
    from_noise,
    log_prob,
    to_noise,
    value_and_grad,
)

KINDS = ("spline", "affine", "glow", "autoregressive")
FLOWS = [(kind, d, n_conditions) for kind in KINDS for d, n_conditions in ((1, 0), (2, 0), (5, 0), (5, 3), (1, 2))]
PIXELS = np.arange(32).reshape(4, 4, 2)
IMAGES = [
    Mixing(tuple(PIXELS.ravel().tolist()), n_positions=16),
    Coupling([Conv(4, activation="relu")], PIXELS[..., 0].ravel(), PIXELS[..., 1].ravel(), Affine(), 3, (4, 4)),
    Coupling([Conv(4, activation="relu")], PIXELS[..., 1].ravel(), PIXELS[..., 0].ravel(), Spline(4), 3, (4, 4)),
]

each_flow = pytest.mark.parametrize(("kind", "d", "n_conditions"), FLOWS)


def learnt(layers, d, dtype="float64"):
    """A flow with weights as they are after training: none of them zero."""
    network = Network(layers, (d + 1,), np.random.default_rng(0), dtype)
    network.theta += (0.03 * np.random.default_rng(1).standard_normal(network.theta.size)).astype(dtype)
    return network


def data(n, d, n_conditions, spread=1.0):
    rng = np.random.default_rng(2)
    condition = rng.standard_normal((n, n_conditions)) if n_conditions else None
    return spread * rng.standard_normal((n, d)), condition


@each_flow
def test_in_the_beginning_a_flow_is_a_standard_normal_density(kind, d, n_conditions):
    network = Network(flow_layers(kind, d, n_conditions), (d + 1,), np.random.default_rng(0), "float64")
    x, condition = data(20, d, n_conditions, 3.0)
    expected = multivariate_normal(np.zeros(d)).logpdf(x)
    assert_allclose(log_prob(network.function(), x, condition), expected, rtol=0, atol=1e-10)


@each_flow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_goes_through_comes_back(kind, d, n_conditions, dtype):
    """Out to 50 standard deviations, on knots and bounds of the splines, with weights of either precision."""
    flow = learnt(flow_layers(kind, d, n_conditions), d, dtype).function()
    x, condition = data(60, d, n_conditions)
    x[20:] *= np.geomspace(1, 50, 40)[:, None]
    x[:11] = np.linspace(-5, 5, 11)[:, None]
    z, log_volume = to_noise(flow, x, condition)
    assert_allclose(from_noise(flow, z, condition), x, rtol=1e-10, atol=1e-10)
    assert np.isfinite(log_volume).all()


@each_flow
def test_in_single_precision_it_comes_back_to_a_few_digits_less(kind, d, n_conditions):
    flow = learnt(flow_layers(kind, d, n_conditions), d, "float32").function()
    x, condition = data(200, d, n_conditions)
    back = from_noise(flow, to_noise(flow, x.astype(np.float32), condition)[0], condition)
    assert back.dtype == np.float32
    assert np.quantile(np.abs(back - x), 0.95) < 1e-5


@each_flow
def test_the_volume_is_the_determinant_of_the_jacobian(kind, d, n_conditions):
    flow = learnt(flow_layers(kind, d, n_conditions), d).function()
    x, condition = data(3, d, n_conditions)
    assert_allclose(to_noise(flow, x, condition)[1], log_determinants(flow, x, condition), rtol=0, atol=1e-7)


def log_determinants(flow, x, condition):
    step = 1e-6
    columns = [
        (to_noise(flow, x + step * e, condition)[0] - to_noise(flow, x - step * e, condition)[0]) / (2 * step)
        for e in np.eye(x.shape[1])
    ]
    return np.linalg.slogdet(np.stack(columns, axis=2))[1]


def test_images_come_back_too_and_their_volume_is_that_of_the_map():
    flow = learnt(IMAGES, 32).function()
    x, condition = data(3, 32, 3)
    z, log_volume = to_noise(flow, x, condition)
    assert_allclose(from_noise(flow, z, condition), x, rtol=0, atol=1e-10)
    assert_allclose(log_volume, log_determinants(flow, x, condition), rtol=0, atol=1e-7)


def test_an_autoregressive_layer_sees_what_comes_before_alone():
    for reverse in (False, True):
        flow = learnt([Autoregressive((8, 8), reverse=reverse, activation="tanh")], 4).function()
        x, _ = data(1, 4, 0)
        for k in range(4):
            other = x.copy()
            other[0, k] += 0.5
            changed = (to_noise(flow, other)[0] != to_noise(flow, x)[0])[0]
            assert changed.tolist() == [j <= k if reverse else j >= k for j in range(4)]


def test_one_linear_layer_learns_the_gaussian_of_largest_likelihood():
    """By Newton-free descent: full batches of few rows, a step that is small enough."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 3)) @ rng.standard_normal((3, 3)) * 0.5 + [1.0, -0.5, 0.0]
    network = Network([Mixing()], (4,), None, "float64")
    for _ in range(4000):
        value, [slope] = value_and_grad(lambda flow: -log_prob(flow, x).sum() / 200, [network])
        network.theta -= 0.1 * slope
    fitted = multivariate_normal(x.mean(axis=0), np.cov(x.T, bias=True))
    assert -value == pytest.approx(fitted.logpdf(x).mean(), abs=1e-6)
    assert_allclose(log_prob(network.function(), x), fitted.logpdf(x), rtol=0, atol=1e-3)
