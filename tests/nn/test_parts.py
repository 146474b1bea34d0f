"""Parts: several networks in one vector, of which some are trained and others only applied."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, backward, grad
from sknn.autodiff import primitives as F
from sknn.nn import BatchNorm, Constants, Context, Dense, Draws, Dropout, LayerNorm, Network, Parts, value_and_grad
from sknn.optim import Group

X = np.random.default_rng(1).standard_normal((5, 3))


def network(seed=0, layers=None, shape=(3,), dtype="float64"):
    layers = [Dense(4, activation="tanh"), BatchNorm(), Dense(3)] if layers is None else layers
    return Network(layers, shape, np.random.default_rng(seed), dtype)


def parts(dtype="float64"):
    return Parts(
        generator=network(0, dtype=dtype),
        constants=Constants(dtype, c=2.0, pair=[1.0, 3.0]),
        critic=network(1, [Dense(2, activation="tanh"), LayerNorm(), Dense(1)], dtype=dtype),
    )


def objective(nets, x):
    return F.mean(F.square(nets.critic(nets.generator(x)) - nets.constants.c)) + F.sum(nets.constants.pair**2)


def value(nets, x):
    return float(F.plain(objective(nets, x)))


# -- one vector ----------------------------------------------------------------------------------------------------


def test_the_parts_lie_one_after_the_other_with_their_values():
    alone, joined = [network(0), network(1)], Parts(a=network(0), b=network(1))
    assert_array_equal(joined.theta, np.concatenate([each.theta for each in alone]))
    assert_array_equal(joined.state, np.concatenate([each.state for each in alone]))
    n, k = alone[0].n_parameters, alone[0].state.size
    assert (joined.span("a"), joined.span("b"), joined.span()) == (slice(0, n), slice(n, 2 * n), slice(0, 2 * n))
    assert (joined.state_span("b"), joined.state_span()) == (slice(k, 2 * k), slice(0, 2 * k))
    assert list(joined.names) == [f"{part}.{name}" for part in "ab" for name in alone[0].names]
    assert list(joined.state_names) == [f"{part}.{name}" for part in "ab" for name in alone[0].state_names]
    for name, (start, stop, shape) in joined.names.items():
        part, layer, own = name.split(".")
        view = joined.parameters[part][layer][own]
        assert view.shape == shape
        assert_array_equal(joined.theta[start:stop], view.ravel())
    assert joined.groups == [*alone[0].groups, *(Group(n + g[0], n + g[1], n + g[2], g[3]) for g in alone[0].groups)]
    assert joined.groups_of("b") == alone[1].groups


def test_what_is_written_into_theta_holds_in_every_part():
    joined = parts()
    function = joined.function()
    joined.theta[:] = 0.5
    assert_array_equal(joined.critic.theta, np.full(joined.critic.n_parameters, 0.5))
    assert float(joined.constants.parameters["c"]) == float(function.constants.c) == 0.5
    assert_array_equal(joined["critic"](X), function.critic(X))
    joined.critic.theta[:] = 1.0
    assert_array_equal(joined.theta[joined.span("critic")], np.ones(joined.critic.n_parameters))


def test_it_answers_what_a_network_does():
    joined = parts()
    both = [joined.generator, joined.critic]
    assert joined.multiplications == sum(each.multiplications for each in both)
    assert len(list(joined.walk())) == 6
    assert joined.decaying_norm() == pytest.approx(sum(each.decaying_norm() for each in both))
    assert joined.decaying_norm("critic") == both[1].decaying_norm()
    assert joined.leaves_of("critic") == both[1].leaves
    assert joined.leaves == [leaf for part in joined.parts.values() for leaf in part.leaves]
    assert joined.is_finite
    joined.critic.theta[0] = np.nan
    assert not joined.is_finite


def test_a_network_answers_what_parts_do():
    alone = network()
    assert alone.span() == slice(0, alone.n_parameters)
    assert alone.state_span() == slice(0, alone.state.size)
    assert (alone.groups_of(), alone.leaves_of(), alone.parts) == (alone.groups, alone.leaves, {})
    assert_array_equal(alone.function(None)(X), alone(X))
    with pytest.raises(ValueError, match=r"parts=\('critic',\) names 'critic', but the parts are \(\)"):
        alone.span("critic")


def test_a_stretch_is_of_parts_that_lie_side_by_side():
    joined = parts()
    n = joined.theta.size
    assert joined.span("critic", "constants") == slice(joined.generator.theta.size, n)
    assert joined.span("constants") == slice(joined.generator.theta.size, joined.generator.theta.size + 3)
    with pytest.raises(ValueError, match=r"parts=\('critic', 'generator'\) do not lie side by side: .*'critic'"):
        joined.span("critic", "generator")
    assert joined.state_span("critic", "generator") == slice(0, 8)  # nothing lies in between


def test_parts_may_have_parts():
    joined = Parts(outer=parts(), last=network(2))
    assert "outer.generator.0.weight" in joined.names
    joined.theta[:] = 0.25
    assert float(joined.function().outer.constants.c) == 0.25
    assert_array_equal(joined.outer.critic.theta, np.full(joined.outer.critic.n_parameters, 0.25))


# -- functions -----------------------------------------------------------------------------------------------------


def test_gradient_by_all_parameters(check_parameters):
    check_parameters(objective, [parts()], X)


def test_only_trained_parts_are_differentiated_and_gradients_pass_through_the_others():
    joined = parts()
    value_and_grad(objective, [joined], X)
    span = joined.span("generator")
    expected = joined.grad[span].copy()
    joined.grad[:] = 7
    nets = joined.function(["generator"], watched=True)
    backward(objective(nets, X), joined.leaves_of("generator"))
    assert_array_equal(joined.grad[span], expected)
    assert (expected != 0).any()
    assert (joined.grad[span.stop :] == 7).all()
    assert type(nets.constants.c) is np.ndarray
    assert type(nets.critic(X)) is np.ndarray


def test_parts_that_are_not_trained_predict_and_keep_their_running_statistics():
    joined = Parts(critic=network(1), generator=network(0, [BatchNorm(), Dropout(0.5), Dense(3)]))
    nets = joined.function(("critic",), watched=True, training=True, draws=Draws(0))
    before = joined.state.copy()
    generated = nets.generator(X)
    assert_array_equal(generated, joined.generator(X))
    nets.critic(generated)
    assert_array_equal(joined.state[joined.state_span("generator")], before[joined.state_span("generator")])
    assert (joined.state[joined.state_span("critic")] != before[joined.state_span("critic")]).all()
    assert (nets.training, nets.critic.training, nets.generator.training) == (True, True, False)
    assert (nets.critic.context.moves, nets.generator.context.moves) == (True, False)


def test_statistics_stay_where_nothing_is_to_move():
    alone = network()
    before = alone.state.copy()
    y = alone.function(training=True, moves=False)(X)
    assert_array_equal(alone.state, before)
    assert_array_equal(alone(X, training=True), y)
    assert (alone.state != before).all()


def test_nets_tell_training_and_progress_and_know_their_parts():
    nets = parts().function(training=True)
    assert (nets.training, nets.progress) == (True, 1.0)
    nets.progress = 0.5
    assert nets["critic"] is nets.critic
    assert nets.generator[:1](X).shape == (5, 4)
    with pytest.raises(AttributeError, match="there is no part 'discriminator'"):
        nets.discriminator  # noqa: B018


# -- another theta -------------------------------------------------------------------------------------------------

MADE = {
    "network": (network, lambda net, x: F.sum(F.square(net(x)))),
    "parts": (parts, objective),
    "constants": (lambda: Constants("float64", c=2.0, a=[[1.0, 2.0]]), lambda net, x: net.c * F.sum(net.a**3)),
}
each_made = pytest.mark.parametrize(("made", "of"), MADE.values(), ids=MADE)


@each_made
def test_at_another_theta_is_the_same_with_that_theta_inside(made, of):
    one, other = made(), made()
    other.theta[:] = np.random.default_rng(5).standard_normal(other.n_parameters)
    assert float(of(one.at(other.theta), X)) == pytest.approx(float(of(other.function(), X)), rel=1e-14)
    assert (one.theta != other.theta).any()


@each_made
def test_the_gradient_by_theta(made, of):
    one = made()
    theta = Tensor(np.random.default_rng(5).standard_normal(one.n_parameters))
    found = grad(of(one.at(theta), X), theta)
    direction = np.random.default_rng(6).standard_normal((4, theta.size))
    for e in 1e-3 * direction:
        ahead, behind = ([float(of(one.at(theta.value + s * k * e), X)) for k in (1, 2)] for s in (1, -1))
        slope = (8 * (ahead[0] - behind[0]) - (ahead[1] - behind[1])) / 12
        assert_allclose(found @ e, slope, rtol=1e-6)


@each_made
def test_a_hessian_times_a_vector(made, of):
    one, v = made(), np.random.default_rng(6).standard_normal(made().n_parameters)

    def slope(theta, create_graph=False):
        return grad(of(one.at(theta), X), theta, create_graph=create_graph)

    theta = Tensor(np.random.default_rng(5).standard_normal(one.n_parameters))
    product = grad(F.sum(slope(theta, create_graph=True) * v), theta)
    difference = (slope(Tensor(theta.value + 1e-5 * v)) - slope(Tensor(theta.value - 1e-5 * v))) / 2e-5
    assert_allclose(product, difference, rtol=1e-5, atol=1e-7)


@each_made
@pytest.mark.parametrize("theta", [np.zeros(1), Tensor(np.zeros((2, 3)))], ids=["array", "Tensor"])
def test_a_theta_of_another_shape_is_refused(made, of, theta):
    with pytest.raises(ValueError, match=r"theta must be of shape \(\d+,\), got shape"):
        made().at(theta)


# -- copies --------------------------------------------------------------------------------------------------------

COPIES = {
    "copy": lambda joined: joined.copy(),
    "shallow": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda joined: pickle.loads(pickle.dumps(joined)),
    "old pickle": lambda joined: pickle.loads(pickle.dumps(joined, protocol=2)),
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_is_equal_independent_and_its_views_hold(copied):
    joined = parts()
    joined.function(training=True).generator(X)
    expected, before = value_and_grad(objective, [joined], X)[1][0].copy(), joined.theta.copy()
    twin = copied(joined)
    assert (twin.names, twin.state_names, twin.groups) == (joined.names, joined.state_names, joined.groups)
    assert_array_equal(twin.state, joined.state)
    assert_array_equal(value_and_grad(objective, [twin], X)[1][0], expected)
    for each in (twin, joined):
        for part in each.parts.values():
            for own, whole in ((part.theta, each.theta), (part.grad, each.grad), (part.state, each.state)):
                assert np.shares_memory(own, whole) or not own.size
        for view in (each.parameters["generator"]["0"]["weight"], each.constants.parameters["c"]):
            assert np.shares_memory(view, each.theta)
    twin.theta += 1
    twin.state += 1
    assert_array_equal(joined.theta, before)
    assert value(twin.function(), X) != value(joined.function(), X)


def test_a_copy_in_another_precision():
    joined = parts("float32")
    twin = joined.copy("float64")
    assert {each.theta.dtype.name for each in (twin, *twin.parts.values())} == {"float64"}
    assert_array_equal(twin.theta, joined.theta)
    nets = joined.function(watched=True)
    assert objective(nets, X.astype("f4")).dtype == "float32"


def test_a_part_alone_is_pickled_without_the_others():
    joined = Parts(small=network(), large=network(1, [Dense(2000)]))
    alone = pickle.dumps(joined.small)
    assert len(alone) < 10_000
    assert_array_equal(pickle.loads(alone)(X), joined.small(X))


def test_bind_moves_the_values_and_refuses_other_sizes():
    alone = network()
    y, n = alone(X), alone.n_parameters
    theta, gradient, state = np.zeros(n + 2), np.zeros(n + 2), np.zeros(alone.state.size)
    alone.bind(theta[1:-1], gradient[1:-1], state)
    assert_array_equal(alone(X), y)
    value_and_grad(lambda net, x: F.sum(net(x)), [alone], X)
    assert (gradient[1:-1] != 0).any()
    theta[:] = 0
    assert_array_equal(alone(X), np.zeros((5, 3)))
    with pytest.raises(ValueError, match=rf"theta, grad and state must be of sizes \({n}, {n}, 8\), got \({n + 2}, "):
        alone.bind(theta, gradient, state)


def test_rates_are_handed_on_to_the_parts():
    both = parts()
    rates = {"generator.0.weight": 0.0, "generator.0.bias": 0.0, "critic.2.weight": 0.5, "constants.c": 0.0}
    both.train_at(rates)
    assert both.rates == rates
    assert both.critic.rates == {"2.weight": 0.5}
    assert set(both.names) - set(both.trained) == {"generator.0.weight", "generator.0.bias", "constants.c"}
    assert len(both.leaves) == len(both.trained)
    assert [group.rate for group in both.groups_of("critic")].count(0.5) == 1
    assert pickle.loads(pickle.dumps(both)).rates == rates
    before = both.theta.copy()
    both.grad[:] = 0.0
    value_and_grad(objective, [both], X)
    for name, (start, stop, _) in both.names.items():
        assert both.grad[start:stop].any() == (name in both.trained) or name.endswith("bias")
    assert_array_equal(both.theta, before)


# -- errors --------------------------------------------------------------------------------------------------------

SAME = network()
ERRORS = {
    "no parts": (lambda: Parts(), ValueError, r"Parts\(\) has no parts: name at least one network"),
    "a name that means something": (
        lambda: Parts(theta=network()), ValueError, r"theta=Network\(.* has a name that stands for something else",
    ),
    "a name of a method": (lambda: Parts(span=network()), ValueError, r"span=Network\(.* has a name that stands for"),
    "one twice": (lambda: Parts(a=SAME, b=SAME), ValueError, r"parts=\('a', 'b'\) name one network twice"),
    "two precisions": (
        lambda: Parts(a=network(), c=Constants(c=1.0)), ValueError,
        "parts must have one dtype, got {'a': 'float64', 'c': 'float32'}",
    ),
    "no such part in a function": (
        lambda: parts().function(["critics"]), ValueError, r"parts=\['critics'\] names 'critics', but the parts are",
    ),
    "no such part": (lambda: parts().critics, AttributeError, "Parts has neither an attribute nor a part"),
}  # fmt: skip


@pytest.mark.parametrize(("action", "error", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(action, error, message):
    with pytest.raises(error, match=message):
        action()


def test_a_context_says_nothing_by_default():
    assert network().at(network().theta).context == Context(moves=False)
