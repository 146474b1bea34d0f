"""Every optimizer minimises, agrees with its formula, and keeps to its groups and dtype, in blocks and threads too."""

import copy
import pickle
import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize, rosen, rosen_der
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from sknn import optim
from sknn.optim import LBFGS, SGD, SOLVERS, Adam, AdamW, Descents, Optimizer, RMSprop, clip_norm

DTYPES = [np.float32, np.float64]
OPTIMIZERS = {name: solver for name, solver in SOLVERS.items() if solver.is_stochastic}


class Rates(NamedTuple):
    """The learning rates with which an optimizer walks on the two surfaces."""

    parabola: float
    rosenbrock: float


RATES = {
    "sgd": Rates(parabola=1e-3, rosenbrock=3e-4),
    "rmsprop": Rates(parabola=3e-2, rosenbrock=1e-2),
    "adam": Rates(parabola=1e-1, rosenbrock=3e-2),
    "adamw": Rates(parabola=1e-1, rosenbrock=3e-2),
}


def sklearn_sgd(theta, gradients, learning_rate, l2, *, momentum, nesterov):
    reference = SGDOptimizer([theta], learning_rate, momentum=momentum, nesterov=nesterov)
    for grad in gradients:
        reference.update_params([theta], [grad + l2 * theta])


def sklearn_adam(theta, gradients, learning_rate, l2, *, beta_1, beta_2, epsilon):
    reference = AdamOptimizer([theta], learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    for grad in gradients:
        reference.update_params([theta], [grad + l2 * theta])


def naive_rmsprop(theta, gradients, learning_rate, l2, *, decay, epsilon):
    v = 0
    for grad in gradients:
        g = grad + l2 * theta
        v = decay * v + (1 - decay) * g**2
        theta -= learning_rate * g / (np.sqrt(v) + epsilon)


def naive_adamw(theta, gradients, learning_rate, l2, *, beta_1, beta_2, epsilon, weight_decay):
    m, v = 0, 0
    for t, grad in enumerate(gradients, start=1):
        g = grad + l2 * theta
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        theta -= learning_rate * (m_hat / (np.sqrt(v_hat) + epsilon) + weight_decay * theta)


class Formula(NamedTuple):
    """An optimizer, hyper-parameters (a large epsilon, which shows where it is added), and an independent reference."""

    name: str
    hyper_parameters: dict
    reference: Callable


FORMULAS = [
    Formula("sgd", {"momentum": 0.9, "nesterov": True}, sklearn_sgd),
    Formula("sgd", {"momentum": 0.9, "nesterov": False}, sklearn_sgd),
    Formula("sgd", {"momentum": 0.0, "nesterov": True}, sklearn_sgd),
    Formula("sgd", {"momentum": 0.0, "nesterov": False}, sklearn_sgd),
    Formula("rmsprop", {"decay": 0.9, "epsilon": 1e-8}, naive_rmsprop),
    Formula("rmsprop", {"decay": 0.5, "epsilon": 0.1}, naive_rmsprop),
    Formula("adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}, sklearn_adam),
    Formula("adam", {"beta_1": 0.0, "beta_2": 0.5, "epsilon": 0.1}, sklearn_adam),
    Formula("adamw", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}, naive_adamw),
    Formula("adamw", {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1, "weight_decay": 2.0}, naive_adamw),
]


def random_walk(descent, theta, n_steps, *, seed=0, learning_rate=0.01, l2=0.1):
    """Take steps along random gradients."""
    rng = np.random.default_rng(seed)
    for _ in range(n_steps):
        descent.step(theta, rng.standard_normal(theta.size).astype(theta.dtype), learning_rate, l2)


def random_vector(size, dtype=np.float64):
    return np.random.default_rng(42).standard_normal(size).astype(dtype)


def descend(optimizer, gradient, theta, learning_rate, n_steps):
    """Minimise with a rate that falls to zero, as a signed gradient needs to come to rest."""
    descent = optimizer.start(theta)
    for step in range(n_steps):
        descent.step(theta, gradient(theta).astype(theta.dtype), learning_rate * (1 - step / n_steps))


def test_every_optimizer_has_its_rows():
    assert set(RATES) == set(OPTIMIZERS)
    assert {formula.name for formula in FORMULAS} == set(OPTIMIZERS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_minimises_a_badly_scaled_parabola(name, dtype):
    curvature = np.logspace(0, 3, 8).astype(dtype)
    theta = np.ones(8, dtype)
    descend(OPTIMIZERS[name], lambda x: curvature * x, theta, RATES[name].parabola, n_steps=1000)
    assert np.sum(curvature * theta**2) < 1e-4 * np.sum(curvature)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_makes_progress_on_rosenbrock(name, dtype):
    theta = np.array([-1.2, 1.0], dtype)
    descend(OPTIMIZERS[name], rosen_der, theta, RATES[name].rosenbrock, n_steps=2000)
    assert rosen(theta) < 0.01 * rosen([-1.2, 1.0])


@pytest.mark.parametrize("l2", [0.0, 0.3])
@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: f"{formula.name}-{formula.hyper_parameters}")
def test_agrees_with_its_formula(formula, l2):
    theta, expected = random_vector(7), random_vector(7)
    gradients = np.random.default_rng(1).standard_normal((20, 7))
    descent = replace(OPTIMIZERS[formula.name], **formula.hyper_parameters).start(theta)
    for grad in gradients:
        descent.step(theta, grad.copy(), 0.05, l2)
    formula.reference(expected, gradients, 0.05, l2, **formula.hyper_parameters)
    assert_allclose(theta, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_is_a_vector_for_every_slot_and_a_count(name):
    theta = random_vector(5, np.float32)
    descent = OPTIMIZERS[name].start(theta)
    assert tuple(descent.slots) == OPTIMIZERS[name].slot_names
    assert descent.steps == 0
    assert all(slot.shape == (5,) and slot.dtype == np.float32 and not slot.any() for slot in descent.slots.values())
    random_walk(descent, theta, n_steps=3)
    assert descent.steps == 3
    assert all(slot.all() for slot in descent.slots.values())


def test_plain_gradient_descent_keeps_no_state():
    assert SGD(momentum=0).start(np.ones(3)).slots == {}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_descents_of_one_optimizer_know_nothing_of_each_other(name):
    optimizer = OPTIMIZERS[name]
    expected, theta = np.ones(5), np.ones(5)
    random_walk(replace(optimizer).start(expected), expected, n_steps=3)
    descent, other = optimizer.start(theta), optimizer.start(np.ones(9))
    random_walk(other, np.ones(9), n_steps=4)
    random_walk(descent, theta, n_steps=3)
    assert_array_equal(theta, expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_no_group_covers_is_frozen(name):
    theta = random_vector(10)
    before = theta.copy()
    descent = OPTIMIZERS[name].start(theta, groups=[(7, 9, 9, 1.0), (1, 3, 5, 2.0)])
    random_walk(descent, theta, n_steps=3)
    frozen = [0, 5, 6, 9]
    assert_array_equal(theta[frozen], before[frozen])
    assert np.all(np.delete(theta, frozen) != np.delete(before, frozen))
    assert all(not slot[frozen].any() for slot in descent.slots.values())


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spread", [1, 2], ids=["in one piece", "strided"])
def test_an_average_follows_all_of_theta(name, dtype, spread):
    theta = random_vector(10, dtype)
    average = random_vector(10 * spread, dtype)[::spread]
    expected = average.copy()
    descent = OPTIMIZERS[name].start(theta, groups=[(1, 3, 5, 2.0), (7, 9, 9, 1.0)])
    for share in (0.75, 0.25):
        descent.step(theta, random_vector(10, dtype), 0.1, average=average, share=share)
        expected += share * (theta - expected)
        assert_array_equal(average, expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_groups_to_train_nothing_moves(name):
    theta = random_vector(4)
    random_walk(OPTIMIZERS[name].start(theta, groups=[]), theta, n_steps=2)
    assert_array_equal(theta, random_vector(4))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_groups_move_like_vectors_of_their_own(name):
    """Two groups in one vector: each as if alone, at its rate, decaying in its prefix only."""
    groups = [(0, 4, 6, 1.0), (6, 6, 11, 0.25)]
    theta = random_vector(11)
    gradients = np.random.default_rng(3).standard_normal((4, 11))
    descent = OPTIMIZERS[name].start(theta, groups)
    for grad in gradients:
        descent.step(theta, grad.copy(), 0.1, l2=0.5)
    for start, stop, rate, decays in [(0, 4, 1.0, True), (4, 6, 1.0, False), (6, 11, 0.25, False)]:
        alone = random_vector(11)[start:stop]
        size = alone.size
        single = OPTIMIZERS[name].start(alone, [(0, size if decays else 0, size, 1.0)])
        for grad in gradients:
            single.step(alone, grad[start:stop].copy(), 0.1 * rate, l2=0.5)
        assert_array_equal(theta[start:stop], alone)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_the_prefix_decays(name):
    """With a zero gradient, the L2 penalty (or AdamW's own decay) is all that moves theta."""
    theta = np.ones(6)
    descent = OPTIMIZERS[name].start(theta, groups=[(0, 2, 6, 1.0)])
    descent.step(theta, np.zeros(6), 0.1, l2=0.5)
    assert np.all(theta[:2] < 1)
    assert_array_equal(theta[2:], np.ones(4))


def test_decoupled_decay_is_scaled_by_the_rate_of_the_group():
    theta = np.ones(4)
    AdamW(weight_decay=0.5).start(theta, [(0, 2, 2, 1.0), (2, 4, 4, 0.5)]).step(theta, np.zeros(4), 0.1)
    assert_allclose(theta, [0.95, 0.95, 0.975, 0.975], rtol=1e-15)


@pytest.mark.parametrize(("block", "workers"), [(32_768, 1), (32_768, 2), (32_768, 3), (1_000, 2), (100_000, 4)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_blocks_and_workers_change_no_bit(name, block, workers, monkeypatch):
    groups = [(0, 90_001, 120_000, 1.0), (120_007, 120_007, 150_001, 0.5)]

    def walk(block, workers):
        monkeypatch.setattr(optim, "BLOCK", block)
        theta = random_vector(150_003, np.float32)
        descent = OPTIMIZERS[name].start(theta, groups, workers)
        random_walk(descent, theta, n_steps=3)
        return theta, descent.slots

    theta, slots = walk(block, workers)
    expected, expected_slots = walk(10**9, 1)
    assert_array_equal(theta, expected)
    for slot in expected_slots:
        assert_array_equal(slots[slot], expected_slots[slot])


@dataclass(frozen=True, eq=False)
class Witness(Optimizer):
    """Remembers which threads worked, and how NumPy was to treat errors there."""

    caller: int = field(default_factory=threading.get_ident)
    threads: set = field(default_factory=set)
    error_handling: set = field(default_factory=set)

    def update(self, learning_rate, steps, theta, grad, scratch):
        self.threads.add(threading.get_ident())
        self.error_handling.add(np.geterr()["under"])


@pytest.mark.parametrize(
    ("n_blocks", "workers", "n_threads"), [(8, 1, 1), (8, 2, 2), (2, 8, 2), (1, 8, 1), (0.1, 2, 1)]
)
def test_threads_are_used_where_there_is_a_block_for_each(n_blocks, workers, n_threads):
    theta = np.zeros(int(n_blocks * optim.BLOCK), np.float32)
    half = theta.size // 2
    witness = Witness()
    witness.start(theta, [(0, half, half, 1.0), (half, half, theta.size, 1.0)], workers).step(theta, theta.copy(), 0.1)
    assert len(witness.threads) == n_threads
    assert witness.caller in witness.threads


def test_errstate_of_the_caller_holds_in_every_thread():
    theta = np.zeros(2 * optim.BLOCK)
    witness = Witness()
    with np.errstate(under="call"):
        witness.start(theta, workers=2).step(theta, theta.copy(), 0.1)
    assert witness.error_handling == {"call"}


@dataclass(frozen=True, eq=False)
class Failing(Optimizer):
    """Fails in the calling thread at once, or in another thread after a while; notes the blocks that were done."""

    fail_in_caller: bool
    caller: int = field(default_factory=threading.get_ident)
    done: list = field(default_factory=list)

    def update(self, learning_rate, steps, theta, grad, scratch):
        in_caller = threading.get_ident() == self.caller
        if not in_caller:
            time.sleep(0.05)
        if in_caller == self.fail_in_caller:
            raise ArithmeticError("no update")
        self.done.append(theta)


@pytest.mark.parametrize("fail_in_caller", [True, False])
def test_an_error_reaches_the_caller_when_all_threads_are_done(fail_in_caller):
    theta = np.zeros(2 * optim.BLOCK)
    optimizer = Failing(fail_in_caller)
    with pytest.raises(ArithmeticError, match="no update"):
        optimizer.start(theta, workers=2).step(theta, theta.copy(), 0.1)
    assert len(optimizer.done) == 1


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: f"{formula.name}-{formula.hyper_parameters}")
def test_float32_stays_float32_whatever_the_type_of_the_numbers(formula):
    """NumPy's float64 scalars would make the arithmetic run, and round, in float64."""
    theta, expected = random_vector(50, np.float32), random_vector(50, np.float32)
    as_numpy = {name: np.float64(value) for name, value in formula.hyper_parameters.items() if name != "nesterov"}
    descent = replace(OPTIMIZERS[formula.name], **formula.hyper_parameters | as_numpy).start(theta)
    random_walk(descent, theta, n_steps=5, learning_rate=np.float64(0.01), l2=np.float64(0.1))
    random_walk(replace(OPTIMIZERS[formula.name], **formula.hyper_parameters).start(expected), expected, n_steps=5)
    assert theta.dtype == np.float32
    assert all(slot.dtype == np.float32 for slot in descent.slots.values())
    assert_array_equal(theta, expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_allocates_no_arrays(name):
    theta = random_vector(optim.BLOCK, np.float32)
    grad = random_vector(optim.BLOCK, np.float32)
    descent = OPTIMIZERS[name].start(theta, [(0, theta.size // 2, theta.size, 1.0)])
    descent.step(theta, grad, 0.01, l2=0.1)
    tracemalloc.start()
    try:
        descent.step(theta, grad, 0.01, l2=0.1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < theta.nbytes / 10


@pytest.mark.parametrize("duplicate", [lambda descent: pickle.loads(pickle.dumps(descent)), copy.deepcopy])
@pytest.mark.parametrize(("size", "workers"), [(100, 1), (3 * 32_768, 2)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_copy_continues_identically(name, size, workers, duplicate):
    theta = random_vector(size, np.float32)
    descent = OPTIMIZERS[name].start(theta, [(0, size // 2, size, 0.5)], workers)
    random_walk(descent, theta, n_steps=2)
    twin, theta_twin = duplicate(descent), theta.copy()
    random_walk(descent, theta, n_steps=2, seed=1)
    random_walk(twin, theta_twin, n_steps=2, seed=1)
    assert_array_equal(theta_twin, theta)
    assert twin.steps == descent.steps == 4


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_slots_and_steps_are_a_checkpoint(name):
    theta = random_vector(20)
    descent = OPTIMIZERS[name].start(theta)
    random_walk(descent, theta, n_steps=2)
    resumed, theta_resumed = OPTIMIZERS[name].start(theta), theta.copy()
    for slot, saved in descent.slots.items():
        resumed.slots[slot][:] = saved
    resumed.steps = descent.steps
    random_walk(descent, theta, n_steps=2, seed=1)
    random_walk(resumed, theta_resumed, n_steps=2, seed=1)
    assert_array_equal(theta_resumed, theta)


@pytest.mark.parametrize("duplicate", [lambda solver: pickle.loads(pickle.dumps(solver)), copy.deepcopy, replace])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_is_a_frozen_value(name, duplicate):
    solver = SOLVERS[name]
    twin = duplicate(solver)
    assert twin == solver
    assert hash(twin) == hash(solver)
    assert eval(repr(solver), vars(optim)) == solver
    assert solver not in [other for key, other in SOLVERS.items() if key != name]
    with pytest.raises(FrozenInstanceError):
        setattr(solver, fields(solver)[0].name, 0.5)


def test_solvers_that_say_something_else_are_not_equal():
    assert (
        len({SGD(), SGD(0.5), SGD(nesterov=False), RMSprop(0.5), Adam(), Adam(0.5), AdamW(), AdamW(0.5), SGD(0.9)}) == 8
    )
    assert Adam(beta_2=np.float64(0.5)) == Adam(beta_2=0.5)


@pytest.mark.parametrize(
    ("solver", "penalised", "l2", "has_own_decay"),
    [
        (SGD(), SGD(), 0.3, False),
        (Adam(0.5), Adam(0.5), 0.3, False),
        (LBFGS(9), LBFGS(9), 0.3, False),
        (AdamW(0.5), AdamW(0.5, weight_decay=0.3), 0.0, False),
        (AdamW(weight_decay=0.1), AdamW(weight_decay=0.1), 0.0, True),
    ],
)
def test_who_sees_to_the_penalty(solver, penalised, l2, has_own_decay):
    assert solver.penalised(0.3) == (penalised, l2)
    assert solver.has_own_decay == has_own_decay


def test_adamw_decays_by_a_hundredth_where_nobody_says_how_much():
    one, other = random_vector(50), random_vector(50)
    random_walk(AdamW().start(one), one, n_steps=5)
    random_walk(AdamW(weight_decay=0.01).start(other), other, n_steps=5)
    assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.1), r"momentum must be a number in \[0, 1\]; got 1.1"),
        (lambda: RMSprop(decay=1), r"decay must be a number in \[0, 1\); got 1"),
        (lambda: Adam(beta_1=-0.1), r"beta_1 must be a number in \[0, 1\); got -0.1"),
        (lambda: Adam(beta_2=np.nan), r"beta_2 must be a number in \[0, 1\); got nan"),
        (lambda: Adam(epsilon=0), r"epsilon must be a number in \(0, inf\); got 0"),
        (lambda: AdamW(weight_decay="much"), r"weight_decay must be a number in \[0, inf\); got 'much'"),
        (lambda: SGD().start(np.ones((2, 2))), r"theta must be a floating array .* got shape \(2, 2\)"),
        (lambda: SGD().start(np.ones(2, int)), "theta must be a floating array .* dtype int64"),
        (lambda: SGD().start(np.ones(2), workers=0), "workers must be at least 1; got 0"),
        (lambda: SGD().start(np.ones(4), [(0, 3, 3, 1.0), (2, 2, 4, 1.0)]), "without overlap"),
        (lambda: SGD().start(np.ones(4), [(0, 3, 5, 1.0)]), "within a vector of 4; got .*stop=5"),
        (lambda: SGD().start(np.ones(4), [(0, 3, 2, 1.0)]), "start <= decay_stop <= stop"),
        (lambda: SGD().start(np.ones(4), [(0, 3, 4, -1.0)]), "rate of a group must be finite and not negative"),
        (lambda: LBFGS(max_fun=0), r"max_fun must be an integer in \[1, inf\); got 0"),
        (lambda: LBFGS(max_fun=1.5), r"max_fun must be an integer in \[1, inf\); got 1.5"),
        (lambda: LBFGS(max_fun=True), r"max_fun must be an integer in \[1, inf\); got True"),
        (lambda: SGD(momentum=True), r"momentum must be a number in \[0, 1\]; got True"),
        (lambda: SGD(nesterov="no"), "nesterov must be True or False; got 'no'"),
        (lambda: SGD().start(np.ones(2)).step(np.ones(2), np.ones(3), 0.1), r"grad of shape \(3,\)"),
        (lambda: SGD().start(np.ones(2)).step(np.ones(2, "f4"), np.ones(2), 0.1), "theta of shape .* dtype float32"),
        (
            lambda: SGD().start(np.ones(2)).step(*np.ones((2, 2)), 0.1, average=np.ones(3)),
            r"average .* got shape \(3,\)",
        ),
        (lambda: clip_norm(np.ones(2), 0.0), "max_norm must be positive; got 0.0"),
        (lambda: clip_norm(np.ones(2), np.nan), "max_norm must be positive; got nan"),
    ],
)
def test_errors_name_the_argument_and_its_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("dtype", "entry", "size"),
    [
        (np.float32, 1.0, 4),
        (np.float32, 1e30, 100),
        (np.float32, 3e38, 10_000),
        (np.float32, -1e30, 2 * 32_768 + 5),
        (np.float32, 1e-30, 100),
        (np.float64, 1e200, 100),
        (np.float64, -1e-200, 100),
    ],
)
@pytest.mark.parametrize("fraction", [0.5, 1e-3])
def test_clip_norm_shortens_to_max_norm_at_any_scale(dtype, entry, size, fraction):
    grad = np.full(size, entry, dtype)
    expected_norm = abs(float(grad[0])) * size**0.5
    max_norm = fraction * expected_norm
    norm = clip_norm(grad, max_norm)
    assert norm == pytest.approx(expected_norm, rel=1e-12)
    assert isinstance(norm, float)
    assert grad.dtype == dtype
    assert_allclose(grad, np.full(size, np.sign(entry) * max_norm / size**0.5), rtol=10 * np.finfo(dtype).eps)


@pytest.mark.parametrize("scale", [1e30, 3e38])
def test_clip_norm_makes_a_huge_float32_gradient_a_unit_vector(scale):
    """The norm, or its inverse, is out of the range of float32."""
    grad = np.resize([scale, -scale], 10_000).astype(np.float32)
    assert clip_norm(grad, 1.0) == pytest.approx(100 * scale)
    assert_allclose(grad, np.resize([0.01, -0.01], 10_000), rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "max_norm", "norm"),
    [
        ([3.0, 4.0], 5.0, 5.0),
        ([3.0, 4.0], np.inf, 5.0),
        ([0.0, 0.0], 1.0, 0.0),
        ([], 1.0, 0.0),
        ([1.0, np.nan], 1.0, np.nan),
        ([1.0, -np.inf], 1.0, np.inf),
    ],
)
def test_clip_norm_leaves_short_and_broken_gradients_alone(values, max_norm, norm):
    grad = np.array(values)
    assert_array_equal(clip_norm(grad, max_norm), norm)
    assert_array_equal(grad, values)


def rosenbrock(theta):
    return rosen(theta), rosen_der(theta)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lbfgs_minimises_rosenbrock(dtype):
    theta = np.array([-1.2, 1.0, 0.5], dtype)
    minimum = LBFGS().minimize(rosenbrock, theta)
    assert minimum.converged
    assert minimum.theta.dtype == np.float64
    assert minimum.value == rosen(minimum.theta)
    assert minimum.value < 1e-6
    assert_array_equal(theta, np.array([-1.2, 1.0, 0.5], dtype))


@pytest.mark.parametrize("given", [{}, {"tol": 1.0}])
def test_lbfgs_is_scipys_with_the_options_of_scikit_learn(given):
    start = np.array([-1.2, 1.0])
    options = {"maxfun": 15_000, "maxiter": 200, "gtol": given.get("tol", 1e-4)}
    expected = minimize(rosenbrock, start, method="L-BFGS-B", jac=True, options=options)
    minimum = LBFGS().minimize(rosenbrock, start, **given)
    assert_array_equal(minimum.theta, expected.x)
    assert (minimum.value, minimum.n_iter, minimum.message) == (expected.fun, expected.nit, expected.message)


def test_lbfgs_takes_float32_gradients():
    def value_and_grad(theta):
        return np.float32(np.sum((theta - 3) ** 2)), (2 * (theta - 3)).astype(np.float32)

    assert_allclose(LBFGS().minimize(value_and_grad, np.zeros(2, np.float32)).theta, 3, atol=1e-4)


def test_lbfgs_keeps_no_hold_of_the_callers_gradient():
    buffer = np.empty(2)

    def value_and_grad(theta):
        buffer[:] = rosen_der(theta)
        return rosen(theta), buffer

    def spoil(theta, value):
        buffer[:] = np.nan

    start = np.array([-1.2, 1.0])
    minimum = LBFGS().minimize(value_and_grad, start, callback=spoil)
    assert_array_equal(minimum.theta, LBFGS().minimize(rosenbrock, start).theta)


@pytest.mark.parametrize(("max_fun", "limit"), [(15_000, {"max_iter": 3}), (5, {})])
def test_lbfgs_says_when_a_limit_ended_it(max_fun, limit):
    minimum = LBFGS(max_fun).minimize(rosenbrock, np.array([-1.2, 1.0]), **limit)
    assert not minimum.converged
    assert minimum.n_iter <= 5
    assert "LIMIT" in minimum.message.upper()


def test_lbfgs_reports_every_iteration_and_stops_when_asked():
    values = []

    def callback(theta, value):
        assert value == rosen(theta)
        values.append(value)
        if len(values) == 4:
            raise StopIteration

    minimum = LBFGS().minimize(rosenbrock, np.array([-1.2, 1.0]), callback=callback)
    assert minimum.n_iter == len(values) == 4
    assert values == sorted(values, reverse=True)
    assert not minimum.converged


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS.values(), SGD(momentum=0.0)], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rates", [[0.1, 0.1, 0.1], [0.1, 0.01, 0.1]], ids=["one rate", "rates"])
@pytest.mark.parametrize("steps", [[0, 0, 0], [0, 3, 0]], ids=["in step", "out of step"])
def test_descents_side_by_side_take_the_steps_of_each_alone(optimizer, dtype, rates, steps):
    rng, groups = np.random.default_rng(0), [(0, 5, 19, 1.0), (19, 30, 37, 0.5)]
    theta = rng.standard_normal((3, 41)).astype(dtype)
    alone, runs = ([optimizer.start(row, groups) for row in theta] for _ in range(2))
    for run, count in zip([*alone, *runs], steps * 2, strict=True):
        run.steps = count
    expected, grad = theta.copy(), np.empty_like(theta)
    together = Descents(runs, theta, grad)
    for _ in range(3):
        grad[:] = rng.standard_normal(theta.shape)
        for run, row, slope, rate in zip(alone, expected, grad.copy(), rates, strict=True):
            run.step(row, slope, rate, 0.25)
        together.step(rates, [0.25] * 3)
    together.part()
    assert_array_equal(theta, expected)
    for run, own in zip(runs, alone, strict=True):
        assert run.steps == own.steps
        assert all(np.array_equal(run.slots[name], own.slots[name]) for name in own.slots)
        assert all(slot.base is None for slot in run.slots.values())
