"""Networks whose weights are drawn for each batch, or for each sample."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.nn import BatchNorm, Conv, Dense, Draws, Flatten, LayerNorm, Network, Residual, with_spread

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 3))


def network(layers, shape=(3,)):
    return Network(layers, shape, np.random.default_rng(0), "float64")


def nested(net, value):
    found = {}
    for name, (_, _, shape) in net.names.items():
        *path, last = name.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = np.full(shape, value)
    return found


def drawn(net, std, locally=True, seed=0):
    return with_spread(net.function(draws=Draws(seed, "float64")), net.layers_by_name, std, locally)


@pytest.mark.parametrize("locally", [True, False])
@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Dense(4, activation="tanh"), Dense(2)], (3,)),
        ([Dense(4), LayerNorm(), Residual([Dense(4, activation="relu", use_bias=False)]), Dense(2)], (3,)),
        ([Conv(2, 3), Flatten(), Dense(2)], (5, 5, 1)),
        ([Dense(2), BatchNorm()], (3,)),
    ],
)
def test_without_a_spread_it_is_the_network(layers, shape, locally):
    net, x = network(layers, shape), RNG.standard_normal((6, *shape))
    assert_allclose(drawn(net, nested(net, 0.0), locally)(x), net(x), atol=1e-9)
    assert_array_equal(drawn(net, {}, locally)(x), net(x))


@pytest.mark.parametrize("locally", [True, False])
def test_an_output_has_the_mean_and_variance_that_the_weights_say(locally):
    net = network([Dense(1)])
    std = {"0": {"weight": np.array([[0.1], [0.2], [0.3]]), "bias": np.array([0.4])}}
    nets = [drawn(net, std, locally, seed) for seed in range(3000)]
    y = np.array([each(X) for each in nets])[..., 0]
    variance = X**2 @ [0.01, 0.04, 0.09] + 0.16
    assert_allclose(y.mean(axis=0), net(X)[:, 0], atol=5 * np.sqrt(variance.max() / 3000))
    assert_allclose(y.var(axis=0), variance, rtol=0.15)
    together = np.corrcoef(y.T)[0, 1]  # of two samples, by common weights or not at all
    expected = 0.0 if locally else (X[0] * X[1] @ [0.01, 0.04, 0.09] + 0.16) / np.sqrt(variance[0] * variance[1])
    assert together == pytest.approx(expected, abs=0.1)


def test_positions_of_a_sample_have_their_weights_in_common():
    net = network([Dense(2)], (4, 3))
    x = np.broadcast_to(X[:1], (2, 4, 3))
    y = drawn(net, nested(net, 1.0))(x)
    assert_allclose(y, np.broadcast_to(y[:1, :1], y.shape))
    assert np.abs(y - net(x)).max() > 0.1


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
def test_the_gradient_by_standard_deviations_is_that_of_finite_differences(activation):
    net = network([Dense(2, activation=activation)])
    std = {"weight": np.full((3, 2), 0.3), "bias": np.full(2, 0.2)}

    def value(weight):
        return (drawn(net, {"0": {**std, "weight": weight}})(X) ** 2).sum()

    weight = Tensor(std["weight"])
    found = grad(value(weight), weight)
    step = np.zeros((3, 2))
    step[1, 0] = 1e-6
    assert found[1, 0] == pytest.approx((value(std["weight"] + step) - value(std["weight"] - step)) / 2e-6, rel=1e-6)


def test_inputs_that_are_zero_have_outputs_without_variance_and_a_finite_gradient():
    net = network([Dense(2, use_bias=False)])
    weight = Tensor(np.full((3, 2), 0.3))
    y = drawn(net, {"0": {"weight": weight}})(np.zeros((4, 3)))
    assert_allclose(y.value, 0.0, atol=1e-9)
    assert_array_equal(grad(y.sum(), weight), np.zeros((3, 2)))
