"""The core carries what comes later: a recurrent network, attention, a residual block, a twin network, an adversarial
pair with a gradient penalty, and the residual of a differential equation.

Each is built from nothing but primitives and layers, and its gradient with respect to every parameter of every network
involved is checked against finite differences.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad, jet
from sknn.autodiff import primitives as F
from sknn.nn import Dense, Layer, Network, value_and_grad


def network(*layers: Layer, inputs: tuple[int, ...], seed: int = 0) -> Network:
    return Network(layers, inputs, np.random.default_rng(seed), "float64")


def normal(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


# -- a recurrent network: one cell, applied at every step ----------------------------------------------------------


def last_state(cell, x):
    """The state of a recurrent cell after the sequence x (n, steps, features)."""
    n, steps, _ = x.shape
    h = np.zeros((n, 4))
    for t in range(steps):
        h = cell(F.concatenate([x[:, t], h], axis=1))
    return h


def recurrent_loss(cell, readout, x, y):
    return F.mean(F.square(readout(last_state(cell, x)) - y))


def test_recurrent_network(check_parameters):
    cell = network(Dense(4, activation="tanh"), inputs=(3 + 4,))
    readout = network(Dense(1), inputs=(4,), seed=2)
    check_parameters(recurrent_loss, [cell, readout], normal(5, 20, 3), normal(5, 1, seed=3))


# -- attention: every position looks at those before it ------------------------------------------------------------


def attention(projection, output, x):
    """Scaled dot-product attention with a causal mask. x: (n, positions, features)."""
    projected = projection(x)
    width = projected.shape[-1] // 3
    query, key, value = (projected[..., i * width : (i + 1) * width] for i in range(3))
    scores = F.matmul(query, F.swapaxes(key, -1, -2)) / width**0.5
    past = np.tri(x.shape[1], dtype=bool)
    weights = F.softmax(F.where(past, scores, -np.inf), axis=-1)
    return output(F.matmul(weights, value))


@pytest.fixture
def attending():
    return network(Dense(3 * 5), inputs=(6, 4)), network(Dense(2), inputs=(6, 5), seed=2)


def test_attention(attending, check_parameters):
    def loss(projection, output, x, y):
        return F.mean(F.square(attention(projection, output, x) - y))

    check_parameters(loss, attending, normal(3, 6, 4), normal(3, 6, 2, seed=3))


def test_attention_does_not_look_ahead(attending):
    x = Tensor(normal(3, 6, 4))
    influence = grad(F.sum(attention(*attending, x)[:, 3]), x)
    assert (influence[:, :4] != 0).all()
    assert_array_equal(influence[:, 4:], np.zeros((3, 2, 4)))


# -- a residual block: a layer made of layers ----------------------------------------------------------------------


@dataclass(frozen=True)
class Residual(Layer):
    """y = x + f(x), where f is other layers one after the other."""

    layers: tuple[Layer, ...]

    def build(self, shape, store):
        inner = shape
        for i, layer in enumerate(self.layers):
            inner = layer.build(inner, store.inside(str(i)))
        if inner != shape:
            raise ValueError(f"the inner layers must keep the shape {shape}; they make it {inner}")
        return shape

    def apply(self, params, x, context):
        y = x
        for i, layer in enumerate(self.layers):
            y = layer.apply(params[str(i)], y, context)
        return x + y


BLOCK = Residual((Dense(7, activation="gelu"), Dense(4)))


def test_residual_network(check_parameters):
    net = network(BLOCK, BLOCK, Dense(1), inputs=(4,))
    check_parameters(lambda net, x, y: F.mean(F.square(net(x) - y)), [net], normal(6, 4), normal(6, 1, seed=3))


def test_one_description_serves_in_several_places():
    net = network(BLOCK, BLOCK, inputs=(4,))
    assert {"0.0.weight", "0.1.weight", "1.0.weight", "1.1.weight"} < set(net.names)
    assert not np.shares_memory(net.parameters["0"]["0"]["weight"], net.parameters["1"]["0"]["weight"])
    net.theta[:] = 0
    assert_array_equal(net(normal(3, 4)), normal(3, 4))


# -- a twin network: two branches, one set of weights --------------------------------------------------------------


def contrastive_loss(left, right, a, b, same):
    """Pairs of one kind should be close together, other pairs at least 1 apart."""
    distance = F.sum(F.square(left(a) - right(b)), axis=1)
    return F.mean(same * distance + (1 - same) * F.softplus(1 - distance))


def shared(encoder, *pairs):
    return contrastive_loss(encoder, encoder, *pairs)


PAIRS = normal(8, 3), normal(8, 3, seed=2), np.arange(8) % 2.0


def test_twin_network(check_parameters):
    encoder = network(Dense(5, activation="tanh"), Dense(2), inputs=(3,))
    check_parameters(shared, [encoder], *PAIRS)


def test_both_branches_of_a_twin_network_contribute():
    encoder = network(Dense(5, activation="tanh"), Dense(2), inputs=(3,))
    branches = [encoder.copy(), encoder.copy()]
    value, grads = value_and_grad(contrastive_loss, branches, *PAIRS)
    assert value_and_grad(shared, [encoder], *PAIRS)[0] == value
    assert_allclose(encoder.grad, grads[0] + grads[1], rtol=1e-12, atol=1e-15)


# -- an adversarial pair: a critic whose slope is penalised, and a generator that learns through it ----------------


def critic_loss(critic, generator, real, noise, mixture):
    """The Wasserstein loss with gradient penalty (Gulrajani et al. 2017)."""
    fake = generator(noise)
    between = Tensor(mixture * real + (1 - mixture) * fake)
    slope = grad(F.sum(critic(between)), between, create_graph=True)
    penalty = F.mean(F.square(F.sqrt(F.sum(F.square(slope), axis=1)) - 1))
    return F.mean(critic(fake)) - F.mean(critic(real)) + 10 * penalty


def generator_loss(generator, critic, noise):
    return -F.mean(critic(generator(noise)))


@pytest.fixture
def adversaries():
    generator = network(Dense(6, activation="tanh"), Dense(2), inputs=(3,))
    critic = network(Dense(6, activation="silu"), Dense(6, activation="tanh"), Dense(1), inputs=(2,), seed=2)
    return generator, critic


REAL, NOISE, MIXTURE = normal(7, 2), normal(7, 3, seed=2), np.linspace(0, 1, 7)[:, None]


def test_critic_with_gradient_penalty(adversaries, check_parameters):
    generator, critic = adversaries
    generator.grad[:] = 7
    check_parameters(lambda critic: critic_loss(critic, generator, REAL, NOISE, MIXTURE), [critic])
    assert (generator.grad == 7).all()


def test_generator_learns_through_the_critic(adversaries, check_parameters):
    generator, critic = adversaries
    critic.grad[:] = 7
    check_parameters(lambda generator: generator_loss(generator, critic, NOISE), [generator])
    assert (critic.grad == 7).all()


def test_adversaries_together(adversaries, check_parameters):
    check_parameters(
        lambda generator, critic: generator_loss(generator, critic, NOISE) * F.mean(critic(REAL)), adversaries
    )


# -- a differential equation: derivatives by the inputs, differentiated by the parameters --------------------------

VISCOSITY = 0.1


def residual_by_gradients(u, points):
    """u_t + u u_x - nu u_xx of Burgers' equation at points (n, 2) of time and place, by nested gradients."""
    points = Tensor(points)
    value = u(points)
    slope = grad(F.sum(value), points, create_graph=True)
    u_t, u_x = slope[:, :1], slope[:, 1:]
    u_xx = grad(F.sum(u_x), points, create_graph=True)[:, 1:]
    return u_t + value * u_x - VISCOSITY * u_xx


def residual_by_jets(u, points):
    """The same, by Taylor derivatives along the axes."""
    along_t, along_x = (np.broadcast_to(axis, points.shape) for axis in np.eye(2))
    _, u_t = jet(u, points, along_t, order=1)
    value, u_x, u_xx = jet(u, points, along_x, order=2)
    return u_t + value * u_x - VISCOSITY * u_xx


RESIDUALS = {"by nested gradients": residual_by_gradients, "by jets": residual_by_jets}
POINTS = np.random.default_rng(4).uniform(-1, 1, (9, 2))


@pytest.fixture
def solution():
    return network(Dense(8, activation="tanh"), Dense(8, activation="tanh"), Dense(1), inputs=(2,))


@pytest.mark.parametrize("residual", RESIDUALS.values(), ids=RESIDUALS)
def test_differential_equation(residual, solution, check_parameters):
    check_parameters(lambda u, points: F.mean(F.square(residual(u, points))), [solution], POINTS)


def test_nested_gradients_and_jets_agree(solution):
    values, gradients = [], []
    for residual in RESIDUALS.values():
        values.append(F.plain(residual(solution.function(watched=True), POINTS)))
        value_and_grad(lambda u, residual=residual: F.mean(F.square(residual(u, POINTS))), [solution])
        gradients.append(solution.grad.copy())
    assert_allclose(*values, rtol=1e-10, atol=1e-12)
    assert_allclose(*gradients, rtol=1e-10, atol=1e-12)
