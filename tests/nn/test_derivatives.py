"""Derivatives of networks by their parameters: of each sample, along a vector; PyTorch's numbers were recorded."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn.autodiff import ggn, hvp, jvp
from sknn.autodiff import primitives as p
from sknn.losses import LOSSES, CategoricalLogLoss, SquaredError
from sknn.nn import (
    Activation,
    BatchNorm,
    Concat,
    Constants,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    Network,
    Parts,
    Pool,
    Residual,
    Sequences,
    Sequential,
    Standardise,
    Unflatten,
    derivatives,
    per_sample_factors,
    per_sample_gradients,
    value_and_grad,
)

rng = np.random.default_rng(8)


@dataclass(frozen=True)
class Turned(Layer):
    """A dense layer that sees samples in another order, in between."""

    units: int

    def build(self, shape, store):
        return Dense(self.units).build(shape, store)

    def apply(self, params, x, context):
        order = np.arange(x.shape[0])[::-1]
        return Dense(self.units).apply(params, x[order], context)[order]


@dataclass(frozen=True)
class Frozen(Layer):
    """y = x W with a W that is not trained, and a trained shift."""

    def build(self, shape, store):
        store.parameter("weight", (shape[-1], 2), "glorot_uniform", trainable=False)
        store.parameter("bias", (2,))
        return (*shape[:-1], 2)

    def apply(self, params, x, context):
        return Dense(2).apply(params, x, context)


def made(layers, shape):
    network = Network(layers, shape, np.random.RandomState(0), "float64")
    network.theta[:] = rng.normal(size=network.theta.size) / 2
    return network


DENSE = {
    "one layer": ([Dense(3)], (2,)),
    "activations": ([Dense(4, activation="relu"), Dense(3, activation="gelu"), Dense(2, activation="tanh")], (3,)),
    "softmax": ([Dense(4, activation="softmax"), Dense(2, use_bias=False)], (3,)),
    "layers of their own": ([Dense(4), Activation("silu"), Dropout(0.5), Dense(2)], (3,)),
    "positions": ([Dense(4, activation="tanh"), Flatten(), Dense(2)], (5, 3)),
    "a grid": ([Dense(4, activation="elu"), Dense(2)], (3, 2, 2)),
    "flat rows": ([Unflatten((2, 3)), Dense(2), Flatten(), Dense(1)], (6,)),
    "around": ([Residual([Dense(3, activation="tanh")]), Sequential([Dense(2)])], (3,)),
    "standardised": ([Standardise(), Dense(2)], (3,)),
    "frozen": ([Dense(3), Frozen()], (3,)),
}
OTHERS = {
    "convolution": ([Conv(2, activation="tanh"), Pool(), Flatten(), Dense(2)], (6, 1)),
    "norms": ([Dense(3), LayerNorm(), BatchNorm(), Dense(2)], (3,)),
    "side by side": ([Concat([Dense(2)], shortcut=[Dense(1), LayerNorm()]), Dense(2)], (3,)),
    "another order": ([Dense(3, activation="tanh"), Turned(2)], (3,)),
}
each_network = pytest.mark.parametrize(("layers", "shape"), (DENSE | OTHERS).values(), ids=(DENSE | OTHERS))


def one_by_one(objective, network, *batch):
    """The gradient of each sample alone."""
    rows = []
    for i in range(len(batch[0])):
        found = value_and_grad(lambda net, *row: p.sum(objective(net, *row)), [network], *(x[i : i + 1] for x in batch))
        rows.append(found[1][0].copy())
    return np.array(rows)


@each_network
def test_the_gradient_of_each_sample_is_that_of_the_sample_alone(layers, shape):
    network = made(layers, shape)
    x = rng.normal(size=(7, *shape))
    y = rng.normal(size=(7, *network.output_shape))

    def objective(net, x, y):
        return p.sum(p.reshape(p.square(net(x) - y), (len(x), -1)), axis=1)

    values, gradients = per_sample_gradients(objective, network, x, y)
    assert_allclose(values, np.square(network(x) - y).reshape(7, -1).sum(axis=1))
    assert gradients.shape == (7, network.n_parameters)
    assert_allclose(gradients, one_by_one(objective, network, x, y), rtol=1e-10, atol=1e-12)
    whole = network.grad.copy()
    assert_allclose(per_sample_gradients(objective, network, x, y)[1], gradients)
    assert_array_equal(network.grad, whole)


@each_network
def test_of_outputs_they_are_the_jacobian(layers, shape):
    network = made(layers, shape)
    x = rng.normal(size=(3, *shape))
    values, gradients = per_sample_gradients(lambda net, x: net(x), network, x)
    assert_array_equal(values, network(x))
    assert gradients.shape == (*values.shape, network.n_parameters)
    trained = np.zeros(network.n_parameters)
    for group in network.groups:
        trained[group.start : group.stop] = rng.normal(size=group.stop - group.start)
    slope = jvp(lambda theta: network.at(theta)(x), network.theta, trained)[1]
    assert_allclose(gradients @ trained, slope, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("layers", "shape"), DENSE.values(), ids=DENSE)
def test_dense_layers_take_no_loop_over_samples(layers, shape, monkeypatch):
    monkeypatch.setattr(derivatives, "_write_row", None)
    network = made(layers, shape)
    x = rng.normal(size=(3, *shape))
    assert per_sample_gradients(lambda net, x: net(x), network, x)[1].shape[0] == 3


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in ("log_loss", "binary_log_loss")])
def test_losses_take_no_loop_over_samples(name, monkeypatch):
    n_outputs = 4 if name == "normal" else 2
    network, loss = made([Dense(3, activation="tanh"), Dense(n_outputs)], (3,)), LOSSES[name]()
    x, y = rng.normal(size=(4, 3)), rng.integers(0, 2, (4, 2)).astype(float)
    expected = one_by_one(lambda net, x, y: loss(net(x), y), network, x, y)
    monkeypatch.setattr(derivatives, "_write_row", None)
    gradients = per_sample_gradients(lambda net, x, y: loss(net(x), y), network, x, y)[1]
    assert_allclose(gradients, expected, rtol=1e-12, atol=1e-14)


def sorted_and_back(net, x):
    order = np.argsort(x[:, 0])
    return net(x[order])[np.argsort(order)]


FUNCTIONS = {
    "by hand": (lambda net, x: p.sum(p.square(net(x) - 1.0), axis=1), True),
    "one output": (lambda net, x: net(x)[:, 0] * 2.0, True),
    "the last axis": (lambda net, x: p.sum(net(x), axis=-1), True),
    "twice, added up": (lambda net, x: p.tanh(net(x)) + net(2.0 * x), True),
    "twice, one after the other": (lambda net, x: net(p.concatenate([net(x), x[:, :1]], axis=1)), False),
    "turned and turned back": (lambda net, x: net(x[::-1])[::-1], False),
    "sorted": (sorted_and_back, False),
    "transposed": (lambda net, x: p.transpose(p.transpose(net(x))), False),
    "all of them": (lambda net, x: p.expand_dims(p.sum(net(x)), 0), False),
}


@pytest.mark.parametrize(("function", "is_fast"), FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("n", [1, 3, 4])
def test_a_sample_that_may_leave_its_row_is_differentiated_alone(function, is_fast, n, monkeypatch):
    if function is FUNCTIONS["all of them"][0] and n > 1:
        return
    network = made([Dense(3, activation="tanh"), Dense(2)], (3,))
    x = rng.normal(size=(n, 3))
    expected = [per_sample_gradients(function, network, x[i : i + 1])[1][0] for i in range(n)]
    if is_fast:
        monkeypatch.setattr(derivatives, "_write_row", None)
    assert_allclose(per_sample_gradients(function, network, x)[1], expected, rtol=1e-11, atol=1e-13)


def test_tied_weights_are_differentiated_alone():
    network = made([Dense(3)], (3,))

    def tied(net, x):
        return net(x) @ p.transpose(net.parameters["0"]["weight"])

    x = rng.normal(size=(4, 3))
    expected = one_by_one(lambda net, x: p.sum(tied(net, x), axis=1), network, x)
    assert_allclose(per_sample_gradients(lambda net, x: p.sum(tied(net, x), axis=1), network, x)[1], expected)


def test_series_of_different_lengths():
    network = made([Dense(3, activation="tanh"), GlobalPool(), Dense(2)], (None, 2))
    for lengths in ([2, 4, 1], [1, 1, 1]):
        series = Sequences(rng.normal(size=(sum(lengths), 2)), np.array(lengths))
        expected = one_by_one(lambda net, x: p.sum(net(x), axis=1), network, series)
        values, gradients = per_sample_gradients(lambda net, x: p.sum(net(x), axis=1), network, series)
        assert_allclose(gradients, expected, rtol=1e-12)
        assert_allclose(values, network(series).sum(axis=1))


def test_sparse_samples():
    network = made([Dense(3, activation="tanh"), Dense(1)], (4,))
    x = sparse.random_array((6, 4), density=0.5, rng=rng, format="csr")
    found, expected = (per_sample_gradients(lambda net, x: net(x)[:, 0], network, each)[1] for each in (x, x.toarray()))
    assert_allclose(found, expected, rtol=1e-12)


def test_parts_and_numbers_beside_them():
    parts = Parts(inner=made([Dense(3, activation="tanh")], (2,)), outer=made([Dense(1)], (3,)))
    x = rng.normal(size=(5, 2))
    found = per_sample_gradients(lambda nets, x: nets.outer(nets.inner(x))[:, 0], parts, x)[1]
    assert_allclose(found, one_by_one(lambda nets, x: nets.outer(nets.inner(x))[:, 0], parts, x), rtol=1e-12)
    beside = Parts(net=made([Dense(1)], (2,)), c=Constants(k=2.0, dtype="float64"))
    found = per_sample_gradients(lambda nets, x: nets.net(x)[:, 0] * nets.c.k, beside, x)[1]
    assert_allclose(found, one_by_one(lambda nets, x: nets.net(x)[:, 0] * nets.c.k, beside, x), rtol=1e-12)


def test_what_is_computed_stays_in_the_precision_of_the_network():
    for layers in ([Dense(3)], [Dense(3), LayerNorm()]):
        network = Network(layers, (2,), np.random.RandomState(0))
        x = rng.normal(size=(4, 2)).astype(np.float32)
        values, gradients = per_sample_gradients(lambda net, x: net(x), network, x)
        assert values.dtype == gradients.dtype == np.float32


# ------------------------------------------------------------------------------------------------------ factors


def test_factors_multiply_to_the_gradients():
    network = made([Dense(4, activation="relu"), Dense(2, use_bias=False)], (5, 3))
    x = rng.normal(size=(6, 5, 3))
    values, gradients = per_sample_gradients(lambda net, x: net(x), network, x)
    again, factors = per_sample_factors(lambda net, x: net(x), network, x)
    assert_array_equal(values, again)
    assert list(factors) == ["1.weight", "0.weight"]
    flat = gradients.reshape(6, 10, -1)
    for name, (inputs, slopes) in factors.items():
        assert inputs.shape[:2] == (6, 5)
        assert slopes.shape[:3] == (10, 6, 5)
        start, stop, shape = network.names[name]
        by_weights = flat[..., start:stop].reshape(6, 10, *shape)
        assert_allclose(np.einsum("npi,knpo->nkio", inputs, slopes), by_weights, rtol=1e-10, atol=1e-12)


def test_kronecker_factors_of_a_layer_are_exact_for_one_sample():
    network = made([Dense(3)], (2,))
    x = rng.normal(size=(1, 2))
    _, factors = per_sample_factors(lambda net, x: net(x), network, x)
    inputs, slopes = factors["0.weight"]
    kronecker = np.kron(inputs.T @ inputs, np.einsum("kno,knp->op", slopes, slopes))
    columns = [
        ggn(
            lambda theta: network.at(theta)(x),
            lambda raw: p.sum(SquaredError()(raw, np.zeros((1, 3)))),
            network.theta,
            e,
        )
        for e in np.eye(network.n_parameters)
    ]
    assert_allclose(np.array(columns)[:6, :6], kronecker, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("layers", "shape"), [*OTHERS.values(), DENSE["frozen"]], ids=[*OTHERS, "frozen"])
def test_other_layers_have_no_factors(layers, shape):
    network = made(layers, shape)
    with pytest.raises(ValueError, match="has no factors of this function"):
        per_sample_factors(lambda net, x: net(x), network, rng.normal(size=(3, *shape)))


def test_a_layer_that_is_applied_twice_has_no_factors():
    network = made([Dense(3)], (3,))
    with pytest.raises(ValueError, match="each applied once"):
        per_sample_factors(lambda net, x: net(net(x)), network, rng.normal(size=(3, 3)))


WRONG = {
    "a scalar": (lambda net, x: p.sum(net(x)), TypeError, "must give a Tensor with a row for each sample"),
    "no Tensor": (lambda net, x: x, TypeError, "must give a Tensor with a row for each sample, got array"),
    "rows of all": (
        lambda net, x: net(np.ones((3, 3))) @ np.ones(2),
        ValueError,
        r"\(1,\) for one sample .*got \(3,\)",
    ),
}


@pytest.mark.parametrize(("function", "error", "message"), WRONG.values(), ids=WRONG)
def test_errors(function, error, message):
    with pytest.raises(error, match=message):
        per_sample_gradients(function, made([Dense(2)], (3,)), rng.normal(size=(3, 3)))


# ------------------------------------------------------------------------- beside PyTorch 2.13, torch.func, float64

X, Y = np.sin(0.5 * np.arange(8)).reshape(4, 2), np.array([0, 2, 1, 1])
V = np.cos(np.arange(21.0))
TANGENT = [
    [-0.107084573695, 0.0353411118, 0.14527434209],
    [0.09260634028, 0.193079166079, 0.116035897015],
    [0.570774653806, 0.750526333364, 0.240247563257],
    [0.676810954969, 0.892227152132, 0.287333820342],
]
HESSIAN_TIMES_V = [
    *(0.088249479301, -0.061726135754, 0.102891117061, 0.147038060057, -0.0175383497, 0.123593301561, 0.351079208691),
    *(-0.215224252624, -0.135854956067, -0.071307834619, 0.235824918507, -0.164517083889, -0.084079214067),
    *(0.10263522236, -0.018556008293, -0.454527977694, 0.144429646975, -0.11173018994, -0.023694056323),
    *(0.221805410822, -0.198111354499),
]
GAUSS_NEWTON_TIMES_V = [
    *(0.068079755462, -0.033470157264, 0.022685157709, 0.015106195148, -0.004851444688, 0.007402379423),
    *(0.023772840829, 0.009694163993, -0.033467004822, 0.027612356658, -0.12105270455, 0.093440347892),
    *(0.019004224842, -0.135991804175, 0.116987579333, 0.124349896333, -0.071236386883, 0.048923762045),
    *(-0.023694056323, 0.221805410822, -0.198111354499),
]
FIRST_SAMPLE = [
    *(0.0, 0.0, 0.0, 0.008075112316, -0.016872592026, 0.073854167158, 0.450557329841, -0.215949585168),
    *(-0.234607744673, 0.700711058263, -0.335846855289, -0.364864202974, 0.558222982292, -0.267553124704),
    *(-0.290669857588, 0.016843308638, -0.035193352601, 0.154047211113, -0.787462246812, 0.377426210322),
    0.410036036491,
]
OUTPUT_2_OF_SAMPLE_1 = [
    *(0.310657360797, -0.148898606017, 0.262276455012, 0.368258877063, -0.176507111589, 0.310907272743),
    *(0.0, 0.0, -0.322770373679, 0.0, 0.0, -0.818670383579, 0.0, 0.0, -0.721590026949),
    *(0.369183687145, -0.176950374648, 0.311688055497, 0.0, 0.0, 1.0),
]


def test_the_numbers_of_pytorch():
    network = made([Dense(3, activation="tanh"), Dense(3)], (2,))
    network.theta[:] = np.sin(1.0 + np.arange(21))

    def outputs(theta):
        return network.at(theta)(X)

    def loss(raw):
        return p.sum(CategoricalLogLoss()(raw, Y))

    close = {"rtol": 1e-9, "atol": 1e-11}
    assert_allclose(jvp(outputs, network.theta, V)[1], TANGENT, **close)
    assert_allclose(hvp(lambda theta: loss(outputs(theta)), network.theta, V), HESSIAN_TIMES_V, **close)
    assert_allclose(ggn(outputs, loss, network.theta, V), GAUSS_NEWTON_TIMES_V, **close)
    _, of_losses = per_sample_gradients(lambda net, x, y: CategoricalLogLoss()(net(x), y), network, X, Y)
    assert_allclose(of_losses[0], FIRST_SAMPLE, **close)
    _, of_outputs = per_sample_gradients(lambda net, x: net(x), network, X)
    assert_allclose(of_outputs[1, 2], OUTPUT_2_OF_SAMPLE_1, **close)
    assert_allclose(of_outputs @ V, TANGENT, **close)
