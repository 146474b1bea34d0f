"""A network is one flat vector: its views, their names and order, copies of it, and gradients that land in it."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, counting, grad
from sknn.autodiff import primitives as F
from sknn.nn import (
    Activation,
    BatchNorm,
    Context,
    Conv,
    Dense,
    Draws,
    Dropout,
    Flatten,
    GlobalPool,
    InvertedResidual,
    Layer,
    LayerNorm,
    Network,
    Pool,
    Standardise,
    Store,
    Unflatten,
    value_and_grad,
)
from sknn.nn.layer import Still
from sknn.optim import Group


@dataclass(frozen=True)
class Scale(Layer):
    """y = s x, where s may be treated in any way."""

    init: str = "ones"
    decay: bool = True
    rate: float = 1.0
    trainable: bool = True

    def build(self, shape, store):
        store.parameter("s", shape, self.init, decay=self.decay, rate=self.rate, trainable=self.trainable)
        return shape

    def apply(self, params, x, context):
        return params["s"] * x


@dataclass(frozen=True)
class Centre(Layer):
    """y = x - m, where m is the mean of the last batch of training."""

    def build(self, shape, store):
        store.state("mean", shape)
        return shape

    def apply(self, params, x, context):
        if context.training:
            params["mean"][...] = np.mean(F.plain(x), axis=0)
        return x - params["mean"]


@dataclass(frozen=True)
class Several(Layer):
    """Layers one after the other, as one."""

    layers: tuple[Layer, ...]

    def build(self, shape, store: Store):
        for i, layer in enumerate(self.layers):
            shape = layer.build(shape, store.inside(f"part{i}"))
        return shape

    def apply(self, params, x, context: Context):
        for i, layer in enumerate(self.layers):
            x = layer.apply(params.get(f"part{i}", {}), x, context)
        return x


def mlp(seed: int = 0, dtype: str = "float64") -> Network:
    return Network([Dense(4, activation="tanh"), Dense(2)], (3,), np.random.default_rng(seed), dtype)


X = np.random.default_rng(1).standard_normal((5, 3))


def total(net, x):
    return F.sum(net(x))


def gradient(network: Network, name: str) -> np.ndarray:
    start, stop, shape = network.names[name]
    return network.grad[start:stop].reshape(shape)


@pytest.mark.parametrize("factor", [np.sqrt(0.25), np.full((5, 4), 0.5)], ids=["scalar", "array"])
def test_gradients_through_constants_of_float64_between_networks_of_float32(factor):
    losses = []
    for dtype in ("float32", "float64"):
        first = Network([Dense(4, activation="tanh")], (3,), np.random.default_rng(0), dtype)
        second = Network([Dense(3, activation="relu"), Dense(2)], (4,), np.random.default_rng(1), dtype)
        x = X.astype(dtype)
        losses.append(value_and_grad(lambda a, b, x: F.sum(b(factor * a(x))), [first, second], x))
    for found, exact in zip(losses[0][1], losses[1][1], strict=True):
        assert found.dtype == np.float32
        assert_allclose(found, exact, rtol=1e-4, atol=1e-5)


# -- one flat vector -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_are_views_into_one_vector(dtype):
    network = mlp(dtype=dtype)
    assert network.theta.shape == network.grad.shape == (network.n_parameters,) == (3 * 4 + 4 + 4 * 2 + 2,)
    assert network.theta.dtype == network.grad.dtype == dtype
    for name, (start, stop, shape) in network.names.items():
        layer, own_name = name.split(".")
        view = network.parameters[layer][own_name]
        assert view.shape == shape
        network.theta[start:stop] = np.arange(stop - start)
        assert_array_equal(view.ravel(), np.arange(stop - start))
        view[...] = -1
        assert (network.theta[start:stop] == -1).all()


def test_multiplications_count_every_position():
    assert mlp().multiplications == mlp().n_parameters
    layers = [Conv(4), Pool(), Conv(2, stride=2), Flatten(), Dense(3)]
    convolutions = 8 * 6 * (9 * 1 * 4 + 4) + 2 * 2 * (9 * 4 * 2 + 2)
    assert Network(layers, (8, 6, 1), np.random.RandomState(0)).multiplications == convolutions + 8 * 3 + 3


NETWORKS = {
    "dense": ((7,), [Dense(5, activation="gelu"), Dropout(0.5), Dense(3, use_bias=False)]),
    "norms": ((7,), [Standardise(), Dense(9, use_bias=False), BatchNorm(), Activation("relu"), LayerNorm(), Dense(2)]),
    "images": ((48,), [Unflatten((1, 8, 6), channels_first=True), Conv(4), BatchNorm(), Pool(), Flatten(), Dense(3)]),
    "series": ((9, 4), [Conv(6, stride=2, groups=2), LayerNorm(), GlobalPool(), Dense(3)]),
    "positions": ((9, 4), [Dense(3), Dense(2)]),
}


@pytest.mark.parametrize(("shape", "layers"), NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("n", [1, 6])
def test_operations_count_what_layers_declare_where_each_is_applied_once(shape, layers, n):
    network, x = Network(layers, shape, np.random.RandomState(0)), np.ones((n, *shape), "float32")
    for watched, training in ((False, False), (False, True), (True, True)):
        with counting() as work:
            network.function(watched=watched, training=training, draws=Draws(0))(x)
        assert work.multiplications == n * network.multiplications
        assert work.values == n * max(map(prod, network.shapes))


def test_an_axis_of_open_length_counts_as_one_position():
    layers = [Dense(4), Several((Dense(2),)), Dense(3)]
    network, closed = (Network(layers, shape, np.random.RandomState(0)) for shape in [(None, 5), (5,)])
    assert network.output_shape == (None, 3)
    assert network.multiplications == closed.multiplications == 43


def test_names_cover_the_vector_without_gap_or_overlap():
    places = list(mlp().names.values())
    assert [place.start for place in places] == [0, *(place.stop for place in places[:-1])]
    assert places[-1].stop == mlp().n_parameters


def test_what_is_written_into_theta_holds_at_once():
    network = mlp()
    watched = network.function(watched=True)
    network.theta[:] = mlp(seed=1).theta
    assert_array_equal(network(X), mlp(seed=1)(X))
    assert_array_equal(watched(X).value, mlp(seed=1)(X))


def test_names_are_hierarchical_and_do_not_depend_on_seed_or_precision():
    layers = [Dense(2), Several((Dense(2, use_bias=False), Several((Scale(),)))), Centre()]
    networks = [Network(layers, (3,), np.random.default_rng(seed), d) for seed in (0, 1) for d in ("f4", "f8")]
    for network in networks:
        assert list(network.names) == ["0.weight", "1.part0.weight", "1.part1.part0.s", "0.bias"]
        assert list(network.state_names) == ["2.mean"]
        assert network.names == networks[0].names
    network = networks[0]
    assert np.shares_memory(network.parameters["1"]["part1"]["part0"]["s"], network.theta)


def test_initial_values_are_drawn_layer_by_layer_wherever_they_lie():
    network, rng = mlp(), np.random.default_rng(0)
    for layer, shape in (("0", (3, 4)), ("1", (4, 2))):
        bound = np.sqrt(6 / sum(shape))
        assert_array_equal(network.parameters[layer]["weight"], rng.uniform(-bound, bound, shape))


def test_shapes():
    network = Network([Dense(4), Dense(2)], (7, 3), np.random.default_rng(0))
    assert (network.input_shape, network.output_shape) == ((7, 3), (7, 2))
    assert network(np.ones((5, 7, 3), np.float32)).shape == (5, 7, 2)


# -- groups --------------------------------------------------------------------------------------------------------

GROUPS = {
    "weights before biases": ([Dense(2), Dense(1)], ["0.weight", "1.weight", "0.bias", "1.bias"], [Group(0, 8, 11, 1)]),
    "high rates first": (
        [Scale(rate=0.1), Scale(rate=10.0, decay=False), Scale(), Scale(rate=10.0)],
        ["3.s", "1.s", "2.s", "0.s"],
        [Group(0, 3, 6, 10), Group(6, 9, 9, 1), Group(9, 12, 12, 0.1)],
    ),
    "frozen ones last": (
        [Scale(trainable=False), Scale(decay=False), Scale(trainable=False, rate=5.0)],
        ["1.s", "2.s", "0.s"],
        [Group(0, 0, 3, 1)],
    ),
    "all frozen": ([Scale(trainable=False)], ["0.s"], []),
    "none": ([Centre()], [], []),
}


@pytest.mark.parametrize(("layers", "names", "groups"), GROUPS.values(), ids=GROUPS)
def test_parameters_that_are_treated_alike_lie_together(layers, names, groups):
    network = Network(layers, (3,), np.random.default_rng(0))
    assert list(network.names) == names
    assert network.groups == groups


def test_decaying_norm_leaves_out_biases_and_frozen_weights():
    layers = [Dense(2, init="ones", bias_init="ones"), Scale(), Scale(decay=False), Scale(trainable=False)]
    network = Network(layers, (3,), np.random.default_rng(0))
    network.theta *= 2
    assert network.decaying_norm() == 4 * (3 * 2 + 2)
    assert Network([Centre()], (3,), None).decaying_norm() == 0


# -- copies --------------------------------------------------------------------------------------------------------

COPIES = {
    "copy": lambda network: network.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda network: pickle.loads(pickle.dumps(network)),
    "old pickle": lambda network: pickle.loads(pickle.dumps(network, protocol=2)),
}
LAYERS = [Dense(4, activation="tanh"), Centre(), Scale(rate=2.0), Scale(trainable=False), Dense(2)]


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_is_equal_independent_and_works(copied):
    network = Network(LAYERS, (3,), np.random.default_rng(0), "float64")
    network(X, training=True)
    _, (expected,) = value_and_grad(total, [network], X)
    expected, before, output = expected.copy(), network.theta.copy(), network(X)

    twin = copied(network)
    assert_array_equal(twin(X), output)
    assert (twin.layers, twin.names, twin.groups) == (network.layers, network.names, network.groups)
    _, (found,) = value_and_grad(total, [twin], X)
    assert found is twin.grad
    assert_array_equal(found, expected)

    twin.theta += 1
    twin.state += 1
    twin.grad += 1
    for view, vector in (("weight", twin.theta), ("bias", twin.theta)):
        assert np.shares_memory(twin.parameters["0"][view], vector)
    assert np.shares_memory(twin.parameters["1"]["mean"], twin.state)
    assert np.abs(twin(X) - output).min() > 0
    assert_array_equal(network.theta, before)
    assert_array_equal(network.grad, expected)
    assert_array_equal(network(X), output)


def test_a_copy_in_another_precision():
    network = mlp(dtype="float32")
    twin = network.copy("float64")
    assert (twin.theta.dtype, twin.grad.dtype, network.theta.dtype) == ("float64", "float64", "float32")
    assert_array_equal(twin.theta, network.theta)
    assert twin(X).dtype == "float64"
    assert_allclose(twin(X), network(X.astype("float32")), rtol=1e-5)


# -- application ---------------------------------------------------------------------------------------------------


def test_arrays_leave_no_trace_and_watched_results_do():
    network = mlp()
    assert type(network(X)) is np.ndarray
    assert isinstance(network.function(watched=True)(X), Tensor)
    assert isinstance(network(Tensor(X)), Tensor)


def test_state_is_updated_in_training_only_and_never_differentiated():
    network = Network([Scale(), Centre()], (3,), None, "float32")
    assert_array_equal(network(X), X)
    assert_array_equal(network.state, np.zeros(3))
    network(X, training=True)
    assert_allclose(network.state, X.mean(axis=0), rtol=1e-14)
    assert network.state.dtype == np.float64  # running sums want more precision than weights
    assert_allclose(network(X).mean(axis=0), 0, atol=1e-15)
    assert network.grad.shape == (3,)


def test_layers_learn_how_they_are_applied():
    seen = []

    class Witness(Layer):
        def build(self, shape, store):
            return shape

        def apply(self, params, x, context):
            seen.append(context)
            return x

    network, draws = Network([Several((Witness(),))], (3,), None), Draws(0)
    network(X)
    network(X, training=True, draws=draws, time=3)
    network.function(training=True, moves=False)(X, graph=X)
    assert seen == [Context(), Context(True, draws, given={"time": 3}), Context(True, moves=False, given={"graph": X})]


def test_threads_may_share_a_network():
    network = Network([Dense(64, activation="relu")] * 3, (3,), np.random.default_rng(0))
    batches = [np.random.default_rng(i).standard_normal((2000, 3)).astype("float32") for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for x, y in zip(batches, pool.map(network, batches), strict=True):
            assert_array_equal(y, network(x))


# -- value and gradient --------------------------------------------------------------------------------------------


def test_value_and_grad_by_hand():
    network = Network([Dense(1, init="ones")], (2,), None, "float64")
    value, grads = value_and_grad(total, [network], np.array([[1.0, 2.0], [3.0, 5.0]]))
    assert value == 11
    assert type(value) is float
    assert_array_equal(grads, [[4, 7, 2]])
    assert grads[0] is network.grad


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_the_value_is_one_number_with_any_number_of_axes(shape):
    network = mlp()
    expected = value_and_grad(total, [network], X)[0]
    value, _ = value_and_grad(lambda net, x: F.reshape(total(net, x), shape), [network], X)
    assert type(value) is float
    assert value == expected


def test_the_gradient_of_a_frozen_parameter_stays_zero():
    network = Network([Scale(trainable=False), Dense(2), Scale(rate=2.0)], (3,), np.random.default_rng(0), "float64")
    value_and_grad(total, [network], X)
    assert_array_equal(gradient(network, "0.s"), np.zeros(3))
    assert (gradient(network, "1.weight") != 0).all()
    assert (gradient(network, "2.s") != 0).all()


def test_two_networks_are_differentiated_as_their_composition_is():
    inner, outer = mlp(), Network([Dense(1)], (2,), np.random.default_rng(2), "float64")
    stacked = Network([*inner.layers, *outer.layers], (3,), np.random.default_rng(3), "float64")
    positions = {"0": (inner, "0"), "1": (inner, "1"), "2": (outer, "0")}
    for position, (network, own) in positions.items():
        for name, view in network.parameters[own].items():
            stacked.parameters[position][name][...] = view

    expected, _ = value_and_grad(lambda net, x: F.sum(net(x) ** 2), [stacked], X)
    value, grads = value_and_grad(lambda inner, outer, x: F.sum(outer(inner(x)) ** 2), [inner, outer], X)
    assert_allclose(value, expected, rtol=1e-14)
    assert grads[0] is inner.grad
    assert grads[1] is outer.grad
    for position, (network, own) in positions.items():
        for name in ("weight", "bias"):
            of_stacked, of_network = gradient(stacked, f"{position}.{name}"), gradient(network, f"{own}.{name}")
            assert_allclose(of_network, of_stacked, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("named", [0, 1])
def test_only_the_networks_named_are_differentiated(named):
    networks = [mlp(), Network([Dense(1)], (2,), np.random.default_rng(2), "float64")]
    _, together = value_and_grad(lambda inner, outer, x: F.sum(outer(inner(x)) ** 2), networks, X)
    expected = together[named].copy()
    other = networks[1 - named]
    other.grad[:] = 7

    def objective(net, x):
        inner, outer = (net, other) if named == 0 else (other, net)
        return F.sum(outer(inner(x)) ** 2)

    value_and_grad(objective, [networks[named]], X)
    assert_allclose(networks[named].grad, expected, rtol=1e-13)
    assert (other.grad == 7).all()


def test_weights_used_twice_add_up():
    network = mlp()
    gradients = [value_and_grad(total, [network], x)[1][0].copy() for x in (X, -2 * X)]
    value_and_grad(lambda net, x: total(net, x) + total(net, -2 * x), [network], X)
    assert_allclose(network.grad, gradients[0] + gradients[1], rtol=1e-13)


def test_a_network_applied_to_its_own_output(check_parameters):
    network = Network([Dense(5, activation="tanh"), Dense(3)], (3,), np.random.default_rng(0), "float64")
    check_parameters(lambda net, x: F.sum(net(net(net(x))) ** 2), [network], X)


def test_a_parameter_that_no_path_reaches_has_gradient_zero():
    network, idle = mlp(), mlp(seed=1)
    value_and_grad(total, [network], X)
    network.grad[:] = idle.grad[:] = np.nan
    value_and_grad(lambda net, _, x: F.sum(net(x)[:, :1]), [network, idle], X)
    assert_array_equal(idle.grad, np.zeros(idle.n_parameters))
    assert not np.isnan(network.grad).any()
    to_first, to_second = gradient(network, "1.weight").T
    assert (to_first != 0).all()
    assert_array_equal(to_second, np.zeros(4))


def test_a_gradient_within_the_objective_leaves_no_trace_in_grad():
    network = mlp()

    def objective(net, x):
        x = Tensor(x)
        return F.sum(grad(total(net, x), x, create_graph=True) ** 2)

    value_and_grad(objective, [network], X)
    assert (gradient(network, "1.weight") != 0).all()
    assert_array_equal(gradient(network, "1.bias"), np.zeros(2))  # an additive constant has no influence on a slope


BAD_OBJECTIVES = {
    "nothing": lambda net, x: None,
    "a number": lambda net, x: float(net(x).value.sum()),
    "an array": lambda net, x: net(x).value,
    "many values": lambda net, x: net(x),
    "independent of the network": lambda net, x: np.sum(x),
}


@pytest.mark.parametrize("objective", BAD_OBJECTIVES.values(), ids=BAD_OBJECTIVES)
def test_the_objective_must_return_a_scalar_tensor(objective):
    with pytest.raises(TypeError, match="objective must return a scalar Tensor"):
        value_and_grad(objective, [mlp()], X)


# -- rates of its own for some -------------------------------------------------------------------------------------


def test_groups_are_cut_where_rates_differ_and_put_together_where_they_do_not():
    network = Network([Dense(2), BatchNorm(), Dense(1)], (3,), np.random.RandomState(0))
    whole = [Group(0, 8, 15, 1.0)]  # 6 and 2 weights; biases of 2 and 1, gain and shift of 2 each
    assert network.groups == whole
    network.train_at({name: 0.5 for name in network.names})
    assert network.groups == [Group(0, 8, 15, 0.5)]
    network.train_at({"0.weight": 0.1, "0.bias": 0.1})
    assert network.groups == [Group(0, 6, 6, 0.1), Group(6, 8, 8, 1.0), Group(8, 8, 10, 0.1), Group(10, 10, 15, 1.0)]
    network.train_at({"2.weight": 0.0})
    assert network.groups == [Group(0, 6, 6, 1.0), Group(8, 8, 15, 1.0)]
    assert network.trained == [name for name in network.names if name != "2.weight"]
    network.train_at({})
    assert network.groups == whole


def test_what_is_frozen_is_no_leaf_and_its_norms_stand_still():
    network = Network([Dense(2), BatchNorm(), Dense(1)], (3,), np.random.RandomState(0), "float64")
    frozen = {name: 0.0 for name in network.names if not name.startswith("2.")}
    network.train_at(frozen)
    for twin in (network, network.copy(), copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert twin.rates == frozen
        assert len(twin.leaves) == 2
        function = twin.function(watched=True, training=True)
        assert isinstance(function[:2](X), np.ndarray)
        assert isinstance(function(X), Tensor)
        assert twin.state.tolist() == [0, 0, 1, 1]
    network.train_at({**frozen, "1.shift": 1.0})  # one parameter of the norm is trained
    network(X, training=True)
    assert network.state.tolist() != [0, 0, 1, 1]


def test_a_block_stands_still_where_all_within_it_does():
    network = Network([InvertedResidual(2), Flatten(), Dense(1)], (4, 4, 2), np.random.RandomState(0))
    needing = [own for layer, own in network.walk() if layer.needs_batch]
    assert not any(isinstance(own, Still) for own in needing)
    network.train_at({name: 0.0 for name in network.names if name.startswith("0.")})
    needing = [own for layer, own in network.walk() if layer.needs_batch]
    assert len(needing) == 3
    assert all(isinstance(own, Still) for own in needing)
    state = network.state.copy()
    network(np.ones((3, 4, 4, 2), "float32"), training=True)
    assert_array_equal(network.state, state)


def test_rates_of_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match=r"rates name 'x', but the parameters are \('0.weight', '1.weight'"):
        mlp().train_at({"x": 1.0})
