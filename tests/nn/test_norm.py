"""BatchNorm, LayerNorm and GroupNorm: what is normalised, and what BatchNorm remembers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, check_grads, grad
from sknn.autodiff import primitives as F
from sknn.nn import Activation, BatchNorm, Context, Dense, GroupNorm, LayerNorm, Network, Sequences, differentiate
from sknn.ops.norm import BLOCK, batch_norm, batch_statistics

OVER = ["channels", "sample"]
SHAPES = [(3,), (5, 3), (4, 2, 3)]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def network(layer, shape, dtype="float64") -> Network:
    return Network([layer], shape, None, dtype)


# -- the statistics of a batch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(7, 3), (2, 4, 3), (2 * BLOCK, 3), (2, BLOCK + 1)], ids=str)
def test_batch_statistics_are_mean_and_biased_variance_of_each_channel(shape):
    x = 3 + 2 * normal(*shape)
    mean, variance = batch_statistics(x)
    axes = tuple(range(len(shape) - 1))
    assert_allclose(mean, x.mean(axes), rtol=1e-12)
    assert_allclose(variance, x.var(axes), rtol=1e-11)


def test_batch_statistics_are_accumulated_in_float64():
    x = (1e4 + normal(50_000, 2)).astype(np.float32)
    mean, variance = batch_statistics(x)
    assert mean.dtype == variance.dtype == np.float64
    exact = x.astype(np.float64)
    assert_allclose(mean, exact.mean(0), rtol=1e-13)
    assert_allclose(variance, exact.var(0), rtol=1e-9)


def test_statistics_known_already_give_the_same():
    x, gain, shift = normal(6, 2, 3), normal(3, seed=1), normal(3, seed=2)
    known = batch_norm(x, gain, shift, statistics=batch_statistics(x))
    assert_array_equal(known, batch_norm(x, gain, shift))


# -- BatchNorm in training -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_batch_norm_normalises_each_channel_over_the_batch(shape):
    axes = tuple(range(len(shape)))
    y = network(BatchNorm(), shape)(5 + 3 * normal(8, *shape), training=True)
    assert_allclose(y.mean(axes), 0, atol=1e-14)
    assert_allclose(y.var(axes), 1, rtol=1e-4)


def test_running_statistics_by_hand():
    net = network(BatchNorm(momentum=0.75), (2,))
    mean, variance = net.parameters["0"]["mean"], net.parameters["0"]["variance"]
    assert_array_equal([mean, variance], [[0, 0], [1, 1]])
    net(np.array([[1.0, 0.0], [3.0, 4.0]]), training=True)  # means 2, 2; unbiased variances 2, 8
    assert_allclose([mean, variance], [[0.5, 0.5], [1.25, 2.75]])
    net(np.array([[-2.0, 8.0], [-2.0, 8.0]]), training=True)
    assert_allclose([mean, variance], [[-0.125, 2.375], [0.9375, 2.0625]])
    assert_array_equal(net.state, [*mean, *variance])


def test_running_statistics_of_a_grid_count_every_position():
    net, x = network(BatchNorm(momentum=0.0), (2, 2, 3)), normal(4, 2, 2, 3)
    net(x, training=True)
    assert_allclose(net.parameters["0"]["mean"], x.mean((0, 1, 2)), rtol=1e-12)
    assert_allclose(net.parameters["0"]["variance"], x.var((0, 1, 2), ddof=1), rtol=1e-12)


def test_running_statistics_of_float32_with_a_large_mean():
    net, x = network(BatchNorm(momentum=0.0), (2,), "float32"), (1e4 + normal(50_000, 2)).astype(np.float32)
    y = net(x, training=True)
    assert y.dtype == np.float32
    assert net.state.dtype == np.float64
    assert_allclose(net.parameters["0"]["mean"], x.astype(np.float64).mean(0), rtol=1e-13)
    assert_allclose(net.parameters["0"]["variance"], x.astype(np.float64).var(0, ddof=1), rtol=1e-9)


def test_a_recorded_pass_follows_the_statistics_as_a_plain_one_does():
    plain, watched, x = network(BatchNorm(), (3,)), network(BatchNorm(), (3,)), normal(5, 3)
    y = plain(x, training=True)
    assert_array_equal(watched.function(watched=True, training=True)(Tensor(x)).value, y)
    assert_array_equal(watched.state, plain.state)
    assert (plain.state != network(BatchNorm(), (3,)).state).all()


def test_a_last_batch_of_one_sample_moves_the_mean_but_not_the_variance():
    net = network(BatchNorm(momentum=0.5), (2,))
    net.parameters["0"]["shift"][:] = [3.0, 4.0]
    assert_array_equal(net(np.array([[6.0, -2.0]]), training=True), [[3.0, 4.0]])
    assert_array_equal(net.state, [3.0, -1.0, 1.0, 1.0])


def test_gradient_in_training(check_parameters):
    layers = [Dense(3, activation="tanh"), BatchNorm(epsilon=1e-2), Dense(2)]
    net = Network(layers, (4,), np.random.default_rng(0), "float64")
    check_grads(lambda x: net(x, training=True), normal(5, 4))
    target = normal(5, 2, seed=3)
    check_parameters(lambda net, x: F.sum(F.square(net(x, training=True) - target)), [net], normal(5, 4))


# -- BatchNorm applied ---------------------------------------------------------------------------------------------


def trained(shape: tuple[int, ...], dtype: str = "float64") -> Network:
    """One with running statistics, gain and shift of its own."""
    net = network(BatchNorm(), shape, dtype)
    net.theta[:] = 1 + 0.3 * normal(net.n_parameters)
    for seed in range(5):
        net(2 + 3 * normal(8, *shape, seed=seed), training=True)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_applied_it_uses_the_running_statistics_and_leaves_them(shape, dtype):
    net, x = trained(shape, dtype), normal(6, *shape).astype(dtype)
    state, p = net.state.copy(), net.parameters["0"]
    y = net(x)
    assert y.dtype == dtype
    expected = (x - p["mean"]) / np.sqrt(p["variance"] + 1e-5) * p["gain"] + p["shift"]
    assert_allclose(y, expected, rtol=1e-12 if dtype == "float64" else 1e-4, atol=1e-6)
    assert_allclose(net(x[:1]), y[:1], rtol=1e-6, atol=1e-6)  # no sample depends on another
    assert_array_equal(net.state, state)


def test_gradient_of_what_is_applied(check_parameters):
    net, x, target = trained((2, 3)), normal(4, 2, 3), normal(4, 2, 3, seed=1)
    check_grads(lambda x: F.square(net(x)), x)
    check_parameters(lambda net, x: F.sum(F.square(net(x) - target)), [net], x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_members_along_a_leading_axis_are_normalised_each_alone(shape, training):
    nets, xs = [trained(shape), trained(shape)], [normal(8, *shape, seed=seed) for seed in (1, 2)]
    nets[1].theta += 1
    together = {name: np.stack([net.parameters["0"][name] for net in nets]) for name in nets[0].parameters["0"]}
    gain, shift = Tensor(together["gain"]), Tensor(together["shift"])
    y = BatchNorm().apply({**together, "gain": gain, "shift": shift}, np.stack(xs), Context(training))
    found = grad(F.sum(F.square(y)), [gain, shift])
    for k, (net, x) in enumerate(zip(nets, xs, strict=True)):
        assert_array_equal(y.value[k], net.copy()(x, training=training))
        applied = net.function(watched=True, training=training)
        differentiate(F.sum(F.square(applied(x))), [net])
        assert_array_equal(np.concatenate([g[k] for g in found]), net.grad)
        assert_array_equal(np.concatenate([together["mean"][k], together["variance"][k]]), net.state)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "silu", "softmax"])
@pytest.mark.parametrize("training", [True, False])
def test_an_activation_behind_it_is_that_of_a_layer_of_its_own(activation, training):
    """To the bit; but kernels have SiLU within, where its product with the slope is added up before it is rounded."""
    rounding = 1e-13 if activation == "silu" else 0.0
    one = Network([Dense(3), BatchNorm(activation=activation)], (4, 2), np.random.default_rng(0), "float64")
    two = Network([Dense(3), BatchNorm(), Activation(activation)], (4, 2), np.random.default_rng(0), "float64")
    found = []
    for net in (one, two):
        net.theta += 0.3 * normal(net.n_parameters, seed=5)
        y = net.function(watched=True, training=training)(normal(6, 4, 2))
        differentiate(F.sum(F.square(y)), [net])
        found.append((y.value, net.grad.copy(), net.state.copy()))
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rounding, atol=rounding)


# -- LayerNorm -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("training", [False, True])
def test_layer_norm_normalises_each_position_or_sample(shape, over, training):
    net, axes = network(LayerNorm(over=over), shape), tuple(range(1, len(shape) + 1)) if over == "sample" else -1
    x = 5 + 3 * normal(8, *shape)
    y = net(x, training=training)
    assert_allclose(y.mean(axes), 0, atol=1e-13)
    assert_allclose(y.var(axes), x.var(axes) / (x.var(axes) + 1e-5), rtol=1e-12)
    assert_allclose(net(x[2:3], training=training), y[2:3], rtol=1e-12)
    assert net.state.size == 0


def test_layer_norm_applies_gain_and_shift_to_the_channels():
    net = network(LayerNorm(), (2, 3))
    x, (gain, shift) = normal(4, 2, 3), normal(2, 3, seed=1)
    z = net(x)
    net.parameters["0"]["gain"][:], net.parameters["0"]["shift"][:] = gain, shift
    assert_allclose(net(x), gain * z + shift, rtol=1e-12)


def test_no_position_knows_of_another_unless_the_sample_is_normalised():
    x = normal(2, 5, 3)
    later = x.copy()
    later[:, 3:] += normal(2, 2, 3, seed=1)
    changed = [
        np.abs(net(later) - net(x)).max((0, 2)) > 0 for net in (network(LayerNorm(over=over), (5, 3)) for over in OVER)
    ]
    assert_array_equal(changed, [[False] * 3 + [True] * 2, [True] * 5])


def test_layer_norm_over_samples_refuses_rows_of_steps():
    rows = Sequences(normal(5, 3), [2, 3])
    assert_array_equal(network(LayerNorm(), (None, 3))(rows).values, network(LayerNorm(), (3,))(rows.values))
    with pytest.raises(ValueError, match="over='sample': LayerNorm of series in rows of steps takes over='channels'"):
        network(LayerNorm(over="sample"), (None, 3))(rows)


def test_layer_norm_of_float32_with_a_large_mean():
    x = (1e3 + normal(4, 64, 64, 3)).astype(np.float32)
    y = network(LayerNorm(over="sample"), (64, 64, 3), "float32")(x)
    exact = network(LayerNorm(over="sample"), (64, 64, 3))(x.astype(np.float64))
    assert y.dtype == np.float32
    assert_allclose(y, exact, atol=1e-4)  # a float32 near 1000 has steps of 6e-5


# -- GroupNorm -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "groups"), [((6,), 3), ((5, 6), 2), ((4, 2, 6), 6), ((2, 3, 2, 6), 1)], ids=str)
def test_group_norm_by_a_loop(shape, groups):
    net, x = network(GroupNorm(groups), shape), 5 + 3 * normal(4, *shape)
    gain, shift = net.parameters["0"]["gain"], net.parameters["0"]["shift"]
    gain[:], shift[:] = normal(6, seed=1), normal(6, seed=2)
    expected, width = np.empty_like(x), 6 // groups
    for sample in range(4):
        for first in range(0, 6, width):
            part = x[sample, ..., first : first + width]
            z = (part - part.mean()) / np.sqrt(part.var() + 1e-5)
            expected[sample, ..., first : first + width] = z
    assert_allclose(net(x, training=True), gain * expected + shift, rtol=1e-11)
    assert net.state.size == 0


def test_one_group_is_the_whole_sample():
    x = normal(3, 4, 5, 6)
    assert_allclose(network(GroupNorm(1), (4, 5, 6))(x), network(LayerNorm(over="sample"), (4, 5, 6))(x), rtol=1e-12)


def test_no_sample_knows_of_another():
    net, x = network(GroupNorm(2), (5, 4)), normal(6, 5, 4)
    assert_array_equal(net(x)[2:3], net(x[2:3]))


def test_series_of_different_lengths_are_normalised_each_over_its_steps():
    net, series = network(GroupNorm(2), (None, 4)), Sequences.of([normal(n, 4, seed=n) for n in (5, 2, 7)])
    net.parameters["0"]["gain"][:] = normal(4)
    for together, sample in zip(net(series), series, strict=True):
        assert_allclose(together, net(sample[None])[0], rtol=1e-12)


def test_group_norm_of_float32_with_a_large_mean():
    x = (1e3 + normal(4, 64, 64, 4)).astype(np.float32)
    y, exact = network(GroupNorm(2), (64, 64, 4), "float32")(x), network(GroupNorm(2), (64, 64, 4))(x.astype(float))
    assert y.dtype == np.float32
    assert_allclose(y, exact, atol=1e-4)  # a float32 near 1000 has steps of 6e-5


# -- all ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm(), LayerNorm(over="sample"), GroupNorm(3)], ids=repr)
def test_constant_inputs_give_the_shift(layer):
    net = network(layer, (2, 3))
    net.parameters["0"]["shift"][:] = [1, 2, 3]
    assert_allclose(net(np.full((4, 2, 3), 0.25), training=True), np.broadcast_to([1.0, 2, 3], (4, 2, 3)))


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm(), LayerNorm(over="sample"), GroupNorm(3)], ids=repr)
def test_gain_and_shift_do_not_decay(layer):
    net = Network([Dense(3), layer], (2,), np.random.default_rng(0))
    decaying = net.names["0.weight"]
    assert [(group.decay_stop, group.stop) for group in net.groups] == [(decaying.stop, net.n_parameters)]
    assert_array_equal(net.parameters["1"]["gain"], 1)
    assert_array_equal(net.parameters["1"]["shift"], 0)


@pytest.mark.parametrize("Layer", [BatchNorm, LayerNorm, GroupNorm])
def test_gains_that_begin_with_zero_let_nothing_through_but_learn(Layer):
    net, x = network(Layer(gain_init="zeros"), (4, 8)), normal(5, 4, 8)
    y = net.function(watched=True, training=True)(x)
    assert_array_equal(y.value, 0)
    differentiate(F.sum(F.square(y - 1.0 - normal(5, 4, 8, seed=1))), [net])
    assert (net.grad[:8] != 0).all()
