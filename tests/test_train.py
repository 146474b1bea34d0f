"""The fit loop: what it reads, in which order, when it stops, and what it leaves behind."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from sknn.autodiff import primitives as F
from sknn.autodiff.work import running
from sknn.nn import Activation, Dense, Layer, Network, value_and_grad
from sknn.ops import threads
from sknn.ops.loss import average, squared_error
from sknn.ops.threads import available_threads
from sknn.optim import LBFGS, SGD, Adam, Descent
from sknn.schedules import SCHEDULES, Adaptive, InvScaling, Moment
from sknn.template.samples import Batch, Samples
from sknn.train import FitLoop, Outcome, Phase, Plan, Stage, TrainingState, Verdict, train

N = 10
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 3))
Y = RNG.standard_normal((N, 2))
WEIGHT = RNG.uniform(0.5, 2.0, N)


PLAIN = SGD(momentum=0.0)


def mlp(dtype: str = "float64") -> Network:
    return Network([Dense(4, activation="tanh"), Dense(2)], (3,), np.random.default_rng(1), dtype)


def squared(net, batch, draws=None):
    return squared_error(net(batch.x), batch.y)


def still(net, batch, draws):
    """An objective that is 1 and does not change."""
    return 1.0 + 0.0 * F.sum(net(batch.x))


class Rows:
    """Data in memory."""

    def __init__(self, x, y, weight=None, dtype=np.float64) -> None:
        self.samples = Samples(x, y, weight, weight, y, dtype=np.dtype(dtype))

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, index, draws=None) -> Batch:
        return self.samples.take(index)


def mean_of(net, batch):
    return average(squared(net, batch), *(() if batch.weight is None else (batch.weight,)))


def gradient(network, batch):
    """That of the mean over a batch."""
    return value_and_grad(mean_of, [network], batch)[1][0]


@dataclass(frozen=True, eq=False)
class Witness(SGD):
    """Plain gradient descent that notes its learning rates and the gradients that it gets."""

    momentum: float = 0.0
    rates: list[float] = field(default_factory=list)
    gradients: list[np.ndarray] = field(default_factory=list)

    def start(self, *args):
        return Noted(self, *args)


class Noted(Descent):
    def step(self, theta, grad, learning_rate, l2=0.0):
        self.optimizer.rates.append(learning_rate)
        self.optimizer.gradients.append(grad.copy())
        super().step(theta, grad, learning_rate, l2)


@dataclass
class Run:
    """What a training did."""

    network: Network
    state: TrainingState
    outcome: Outcome


def run(
    *,
    data: object = None,
    objective: Callable = squared,
    network: Network | None = None,
    optimizer: SGD | None = None,
    seed: int = 2,
    batch_size: int = N,
    max_epochs: int = 3,
    learning_rate_init: float = 0.1,
    validate: Callable | None = None,
    curve_scale: float = 1.0,
    report: Callable | None = None,
    **plan,
) -> Run:
    network = network or mlp()
    data = Rows(X, Y, dtype=network.theta.dtype) if data is None else data
    stage = Stage([Phase(objective)], Plan(batch_size, max_epochs, learning_rate_init, **plan), optimizer or PLAIN)
    state, rng = TrainingState(), np.random.default_rng(seed)
    loop = train(network, data, [stage], state, rng, validate=validate, curve_scale=curve_scale, report=report)
    return Run(network, state, loop.outcome)


# -- batches -------------------------------------------------------------------------------------------------------


class Notebook:
    """Data that notes the rows it is asked for."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.taken: list[list[int]] = []

    def __len__(self) -> int:
        return self.n

    def take(self, index, draws):
        self.taken.append(np.arange(self.n)[index].tolist())
        return Batch(np.ones((len(self.taken[-1]), 3)))

    def epochs(self, batches_per_epoch: int) -> list[list[int]]:
        """The rows of each epoch, one after the other."""
        parts = range(0, len(self.taken), batches_per_epoch)
        return [list(chain.from_iterable(self.taken[k : k + batches_per_epoch])) for k in parts]


SIZES = {1: [1] * 10, 3: [3, 3, 3, 1], 5: [5, 5], 9: [9, 1], 10: [10], 99: [10]}


@pytest.mark.parametrize(("batch_size", "sizes"), SIZES.items())
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_sample_once_in_every_epoch(batch_size, sizes, shuffle):
    data = Notebook(N)
    state = run(data=data, objective=still, batch_size=batch_size, shuffle=shuffle, tol=-np.inf).state
    assert [len(rows) for rows in data.taken] == 3 * sizes
    epochs = data.epochs(len(sizes))
    assert [sorted(rows) for rows in epochs] == 3 * [list(range(N))]
    if shuffle and batch_size < N:
        assert len({tuple(rows) for rows in [range(N), *epochs]}) == 4
    else:
        assert epochs == 3 * [list(range(N))]
    assert (state.epochs, state.samples, len(state.loss_curve)) == (3, 3 * N, 3)


def test_the_generator_alone_decides_the_order():
    orders = []
    for seed in (0, 0, 1):
        data = Notebook(N)
        run(data=data, objective=still, batch_size=3, seed=seed)
        orders.append(data.taken)
    assert orders[0] == orders[1] != orders[2]


def test_the_batch_that_holds_all_is_a_slice():
    class Slices(Rows):
        def take(self, index, draws):
            assert isinstance(index, slice)
            return super().take(index)

    run(data=Slices(X, Y, dtype=np.float64), batch_size=N, shuffle=True)


# -- what a step does ----------------------------------------------------------------------------------------------


def test_training_is_a_loop_over_batches_of_steps_down_the_gradient():
    found = run(batch_size=4, shuffle=False, learning_rate_init=0.1, max_epochs=2)
    network = mlp()
    for _ in range(2):
        for start in (0, 4, 8):
            network.theta -= 0.1 * gradient(network, Batch(X[start : start + 4], Y[start : start + 4]))
    assert_allclose(found.network.theta, network.theta, rtol=1e-12)


def test_a_sample_of_weight_three_counts_as_three_samples():
    counts = np.arange(N) % 3 + 1
    weighted = run(data=Rows(X, Y, counts.astype(float), np.float64))
    copies = Rows(np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0), None, np.float64)
    repeated = run(data=copies, batch_size=len(copies))
    assert_allclose(weighted.network.theta, repeated.network.theta, rtol=1e-12)
    assert_allclose(weighted.state.loss_curve, repeated.state.loss_curve, rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_a_batch_in_which_nothing_counts_is_no_step(alpha):
    weight = np.repeat([1.0, 0.0], [5, N - 5])  # the last of two batches
    found = run(data=Rows(X, Y, weight), batch_size=5, shuffle=False, max_epochs=1, alpha=alpha, optimizer=SGD())
    alone = run(data=Rows(X[:5], Y[:5]), batch_size=5, shuffle=False, max_epochs=1, alpha=alpha, optimizer=SGD())
    assert N == 10
    assert_array_equal(found.network.theta, alone.network.theta)
    assert found.state.loss_curve == alone.state.loss_curve


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["no weights", "weights"])
@pytest.mark.parametrize("batch_size", [1, 3, N])
def test_the_loss_curve_is_the_mean_loss_over_all_samples(weight, batch_size):
    data = Rows(X, Y, weight, np.float64)
    found = run(data=data, batch_size=batch_size, learning_rate_init=0.0, curve_scale=0.5)
    expected = np.average(squared_error(mlp()(X), Y), weights=weight)
    assert_allclose(found.state.loss_curve, [0.5 * expected] * 3, rtol=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["no weights", "weights"])
@pytest.mark.parametrize("batch_size", [4, N])
def test_the_penalty_is_half_alpha_times_the_squared_weights_over_the_weight_of_a_batch(weight, batch_size):
    alpha, rate = 0.3, 0.1
    data = Rows(X, Y, weight, np.float64)
    total_weight = N if weight is None else weight.sum()
    penalty = 0.5 * alpha * mlp().decaying_norm()
    n_batches = -(-N // batch_size)

    resting = run(data=data, batch_size=batch_size, learning_rate_init=0.0, alpha=alpha, curve_scale=0.5)
    expected = 0.5 * np.average(squared_error(mlp()(X), Y), weights=weight) + n_batches * penalty / total_weight
    assert_allclose(resting.state.loss_curve, [expected] * 3, rtol=1e-12)

    found = run(data=data, batch_size=batch_size, shuffle=False, learning_rate_init=rate, alpha=alpha, max_epochs=1)
    network = mlp()
    decaying = np.arange(network.n_parameters) < network.groups[0].decay_stop
    for start in range(0, N, batch_size):
        batch = data.take(slice(start, start + batch_size))
        batch_weight = len(batch.x) if weight is None else batch.weight.sum()
        of_loss = gradient(network, batch)
        network.theta -= rate * (of_loss + alpha / batch_weight * network.theta * decaying)
    assert_allclose(found.network.theta, network.theta, rtol=1e-12)


def test_the_penalty_is_the_integral_of_its_gradient():
    """By finite differences of the loss curve of one batch."""
    optimizer, alpha, eps = Witness(), 0.3, 1e-5
    direction = np.random.default_rng(0).standard_normal(mlp().n_parameters)

    def loss_at(t: float) -> float:
        network = mlp()
        network.theta += t * direction
        resting = run(network=network, learning_rate_init=0.0, max_epochs=1, alpha=alpha)
        return resting.state.loss_curve[0]

    network = run(optimizer=optimizer, learning_rate_init=1.0, max_epochs=1, alpha=alpha).network
    step = mlp().theta - network.theta
    assert_allclose(step @ direction, (loss_at(eps) - loss_at(-eps)) / (2 * eps), rtol=1e-7)


@pytest.mark.parametrize("factor", [1e8, 1.0])
def test_a_long_gradient_is_clipped_and_a_short_one_is_not(factor):
    def objective(net, batch, draws):
        return factor * squared(net, batch)

    free, clipped = Witness(), Witness()
    run(objective=objective, optimizer=free, max_epochs=1, learning_rate_init=0.0)
    found = run(objective=objective, optimizer=clipped, max_epochs=1, learning_rate_init=1.0, clip_norm=10.0)
    norm = np.linalg.norm(free.gradients[0])
    assert (norm > 10) == (factor > 1)
    expected = free.gradients[0] * min(1, 10 / norm)
    assert_allclose(clipped.gradients[0], expected, rtol=1e-12)
    assert_allclose(mlp().theta - found.network.theta, expected, rtol=1e-9)


def test_the_penalty_is_not_clipped():
    found = run(max_epochs=1, learning_rate_init=1.0, clip_norm=1e-9, alpha=1.0)
    network = mlp()
    stop = network.groups[0].decay_stop
    assert_allclose(found.network.theta[:stop], (1 - 1 / N) * network.theta[:stop], rtol=1e-6)
    assert_allclose(found.network.theta[stop:], network.theta[stop:], atol=1e-8)


# -- the learning rate ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", [*SCHEDULES.values(), InvScaling(0.7)], ids=str)
def test_the_rate_is_asked_for_at_every_batch_or_every_epoch(schedule):
    optimizer = Witness()
    run(optimizer=optimizer, batch_size=4, max_epochs=3, learning_rate_init=0.01, schedule=schedule)
    seen = [epoch + part for epoch in (0, N, 2 * N) for part in ((0, 4, 8) if schedule.per == "batch" else (0, 0, 0))]
    assert optimizer.rates == [schedule.rate(0.01, Moment(samples, 3 * N)) for samples in seen]


def test_the_adaptive_schedule_slows_down_when_training_stalls_and_ends_when_it_is_slow():
    optimizer, slowly = Witness(), {"schedule": Adaptive(), "learning_rate_init": 1e-5}
    found = run(optimizer=optimizer, objective=still, n_iter_no_change=1, max_epochs=100, **slowly)
    assert found.outcome is Outcome.CONVERGED
    assert found.state.stalls == 2
    first = [1e-5] * 3  # an improvement over nothing at all, then twice none
    assert_allclose(optimizer.rates, [*first, 2e-6, 2e-6, 4e-7, 4e-7], rtol=1e-12)


# -- stopping ------------------------------------------------------------------------------------------------------


class Script:
    """A validation that gives these scores and keeps the weights to which it gave them."""

    def __init__(self, network: Network, scores: list[float]) -> None:
        self.network, self.scores = network, iter(scores)
        self.thetas: list[np.ndarray] = []

    def __call__(self, nets, draws) -> Verdict:
        self.thetas.append(self.network.theta.copy())
        score = next(self.scores)
        return Verdict(score, 10.0 - score)


@pytest.mark.parametrize("n_iter_no_change", [0, 1, 4])
def test_training_stops_when_the_loss_has_not_improved_for_longer_than_is_allowed(n_iter_no_change):
    found = run(objective=still, max_epochs=100, n_iter_no_change=n_iter_no_change)
    assert found.outcome is Outcome.CONVERGED
    assert found.state.epochs == 1 + n_iter_no_change + 1
    assert found.state.best_loss == 1


@pytest.mark.parametrize(("tol", "epochs"), [(0.0, 20), (10.0, 4)])
def test_less_than_tol_is_no_improvement(tol, epochs):
    found = run(max_epochs=20, n_iter_no_change=2, tol=tol, learning_rate_init=0.01)
    assert found.state.epochs == epochs
    assert found.outcome is (Outcome.EPOCHS_DONE if epochs == 20 else Outcome.CONVERGED)
    assert found.state.best_loss == min(found.state.loss_curve) == found.state.loss_curve[-1]


SCORES = {
    "got worse": ([1, 3, 2, 2, 2, 2], 2, Outcome.CONVERGED, 5),
    "too little better": ([1, 2, 2.01, 2.02, 2.03], 5, Outcome.CONVERGED, 5),
    "all epochs done": ([1, 2, 2, 3, 2, 2], 4, Outcome.EPOCHS_DONE, 6),
}


@pytest.mark.parametrize(("scores", "best", "outcome", "epochs"), SCORES.values(), ids=SCORES)
def test_early_stopping_restores_the_best_weights(scores, best, outcome, epochs):
    network = mlp()
    validate = Script(network, scores)
    found = run(network=network, validate=validate, max_epochs=6, n_iter_no_change=2, tol=0.1)
    assert (found.outcome, found.state.epochs) == (outcome, epochs)
    assert found.state.validation_scores == scores[:epochs]
    assert found.state.best_score == max(scores)
    assert_array_equal(network.theta, validate.thetas[best - 1])
    assert len({theta.tobytes() for theta in validate.thetas}) == epochs


@dataclass(frozen=True)
class Counter(Layer):
    """y = x, counting how often it was applied."""

    def build(self, shape, store):
        store.state("count", (1,))
        return shape

    def apply(self, params, x, context):
        params["count"] += 1
        return x


def test_early_stopping_restores_the_running_statistics():
    network = Network([Counter(), Dense(2)], (3,), np.random.default_rng(1), "float64")
    run(network=network, validate=Script(network, [1, 3, 2, 2, 2]), max_epochs=5)
    assert_array_equal(network.state, [2])


# -- divergence and interruption -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divergence_ends_training(dtype):
    data = Rows(X, Y.astype(dtype), dtype=dtype)
    found = run(network=mlp(dtype), data=data, learning_rate_init=1e12, max_epochs=50, tol=-np.inf)
    assert found.outcome is Outcome.DIVERGED
    assert found.state.epochs < 50
    assert not np.isfinite(found.state.loss_curve[-1])
    assert np.isfinite(found.state.loss_curve[:-1]).all()


def test_divergence_in_the_very_last_step_does_not_go_unnoticed():
    found = run(
        network=mlp("float32"), data=Rows(X, Y.astype("f4"), dtype="f4"), learning_rate_init=1e300, max_epochs=1
    )
    assert not np.isfinite(found.network.theta).all()
    assert found.outcome is Outcome.DIVERGED


def test_after_divergence_the_best_validated_weights_are_restored():
    network = mlp()

    def objective(net, batch, draws):
        return squared(net, batch) * (1.0 if len(validate.thetas) < 3 else np.inf)

    validate = Script(network, [1, 3, 2])
    found = run(network=network, objective=objective, validate=validate, max_epochs=50)
    assert (found.outcome, found.state.epochs) == (Outcome.DIVERGED, 4)
    assert_array_equal(network.theta, validate.thetas[1])
    assert_array_equal(found.state.validation_scores, [1, 3, 2, np.nan])


def test_a_score_of_nan_is_a_divergence():
    network = mlp()
    found = run(network=network, validate=Script(network, [1, np.nan]), max_epochs=50)
    assert (found.outcome, found.state.epochs) == (Outcome.DIVERGED, 2)


class Interrupted(Rows):
    """Data at which somebody presses Ctrl-C."""

    def __init__(self, calls: int, error: type[BaseException] = KeyboardInterrupt) -> None:
        super().__init__(X, Y, dtype=np.float64)
        self.calls, self.error = calls, error

    def take(self, index, draws):
        self.calls -= 1
        if self.calls < 0:
            raise self.error
        return super().take(index)


@pytest.mark.parametrize("calls", [0, 3, 4])
def test_an_interruption_keeps_what_was_learned(calls):
    found = run(data=Interrupted(calls), batch_size=4, shuffle=False)
    assert found.outcome is Outcome.INTERRUPTED
    assert found.state.epochs == len(found.state.loss_curve) == calls // 3
    network = mlp()
    for start in (0, 4, 8, 0)[:calls]:
        network.theta -= 0.1 * gradient(network, Batch(X[start : start + 4], Y[start : start + 4]))
    assert_allclose(found.network.theta, network.theta, rtol=1e-12)


def test_an_interruption_restores_the_best_weights_if_there_are_any():
    network = mlp()
    validate = Script(network, [3, 2])
    found = run(data=Interrupted(2), network=network, validate=validate)
    assert found.outcome is Outcome.INTERRUPTED
    assert_array_equal(network.theta, validate.thetas[0])


def test_other_errors_are_passed_on_and_leave_no_settings_behind():
    before = np.geterr(), available_threads()
    with pytest.raises(MemoryError):
        run(data=Interrupted(2, MemoryError))
    assert (np.geterr(), available_threads()) == before


# -- the threads of a step -----------------------------------------------------------------------------------------


class Often:
    """An objective that applies the network several times, and notes by how many threads of the BLAS."""

    def __init__(self, times: int) -> None:
        self.times, self.threads = times, []

    def __call__(self, net, batch, draws):
        self.threads.append(available_threads())
        return sum(squared(net, batch) for _ in range(self.times))


@pytest.fixture
def large_when_applied_twice(monkeypatch):
    """A BLAS of two threads, of which steps get both that apply the network to N samples more than once."""
    monkeypatch.setattr(threads, "SMALL_STEP", 1.5 * 6 * N * mlp().multiplications)
    with threadpool_limits(2, user_api="blas"):
        if available_threads() != 2:
            pytest.skip("the threads of this BLAS cannot be counted")
        yield


@pytest.mark.parametrize(("times", "seen"), [(1, [1, 1, 1]), (3, [1, 2, 2])])
@pytest.mark.usefixtures("large_when_applied_twice")
def test_after_the_first_step_threads_follow_what_it_took(times, seen):
    objective = Often(times)
    run(objective=objective)
    assert objective.threads == seen


@pytest.mark.parametrize("batch_size", [1, 4, N, N + 5])
def test_work_is_counted_for_a_sample(batch_size):
    state = run(objective=Often(2), batch_size=batch_size).state
    assert state.work == {"loss": 2.0 * mlp().multiplications}


@pytest.mark.parametrize(("times", "seen"), [(1, {1}), (3, {2})])
@pytest.mark.usefixtures("large_when_applied_twice")
def test_after_the_first_evaluation_too(times, seen):
    objective = Often(times)
    searched(mlp(), Rows(X, Y), 10, objective, max_epochs=4)
    assert objective.threads[0] == 1
    assert set(objective.threads[1:]) == seen


@pytest.mark.usefixtures("large_when_applied_twice")
def test_a_training_that_goes_on_knows_what_its_steps_take():
    first, network, objective = run(objective=Often(3), max_epochs=1), mlp(), Often(3)
    state = copy.deepcopy(first.state)
    train(network, Rows(X, Y), [Stage([Phase(objective)], Plan(N, 2), PLAIN)], state, np.random.default_rng(0))
    assert objective.threads == [2, 2]


def test_an_objective_without_products_is_counted_once():
    calls = []

    def objective(net, batch, draws):
        calls.append(running.get() is not None)
        return F.sum(F.square(net.parameters["0"]["bias"]))

    assert run(objective=objective).state.work == {"loss": 0.0}
    assert calls == [True, False, False]


# -- going on ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_training_goes_on_where_it_stopped(kept):
    def advance(network, state, epochs):
        stage = Stage([Phase(squared)], Plan(4, epochs, 0.01, shuffle=False, tol=-np.inf), Adam())
        train(network, Rows(X, Y), [stage], state, np.random.default_rng(0))

    whole, state = mlp(), TrainingState()
    advance(whole, state, 5)

    network, first = mlp(), TrainingState()
    advance(network, first, 2)
    network, second = kept((network, first))
    advance(network, second, 3)
    assert_array_equal(network.theta, whole.theta)
    assert second.loss_curve == state.loss_curve
    assert (second.samples, second.steps) == (state.samples, state.steps) == (5 * N, 15)


def test_training_goes_on_with_the_weights_of_which_the_average_was_kept():
    def advance(network, state, epochs):
        phase = Phase(squared, averaging=0.5)
        plan = Plan(4, 10, 0.01, shuffle=False, tol=-np.inf, once=True)
        for _ in range(epochs):
            train(network, Rows(X, Y), [Stage([phase], plan, Adam())], state, np.random.default_rng(0))

    whole, state = mlp(), TrainingState()
    stage = Stage([Phase(squared, averaging=0.5)], Plan(4, 3, 0.01, shuffle=False, tol=-np.inf), Adam())
    train(whole, Rows(X, Y), [stage], state, np.random.default_rng(0))
    network, parts = mlp(), TrainingState()
    advance(network, parts, 3)
    assert_array_equal(network.theta, whole.theta)
    assert_array_equal(parts.raw_theta, state.raw_theta)
    assert (parts.raw_theta != network.theta).any()


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_one_epoch_at_a_time_follows_the_same_schedule(schedule):
    whole, parts = Witness(), Witness()
    run(optimizer=whole, batch_size=4, max_epochs=3, shuffle=False, schedule=schedule)
    network, state = mlp(), TrainingState()
    stage = Stage([Phase(squared)], Plan(4, 3, 0.1, schedule=schedule, shuffle=False, once=True), parts)
    for _ in range(3):
        outcome = train(network, Rows(X, Y), [stage], state, np.random.default_rng(0)).outcome
        assert (outcome, state.epochs) == (Outcome.EPOCHS_DONE, 1)
    assert parts.rates == whole.rates
    assert_array_equal(parts.gradients, whole.gradients)


def test_another_kind_of_epoch():
    """A loop that draws the weights anew in each epoch and never looks at a gradient."""

    class RandomSearch(FitLoop):
        def epoch(self):
            self.shuffle()
            orders.append(self.order.tolist())
            self.network.theta[:] = self.rng.standard_normal(self.network.n_parameters)
            return squared_error(self.network(X), Y).mean()

    orders: list[list[int]] = []
    network = mlp()
    state, stage = TrainingState(), Stage([], Plan(N, 5, tol=-np.inf))
    score = Script(network, [1, 4, 2, 3, 0])
    assert RandomSearch(network, N, [stage], state, np.random.default_rng(0), score).epochs() is Outcome.EPOCHS_DONE
    assert_array_equal(network.theta, score.thetas[1])
    assert [sorted(order) for order in orders] == 5 * [list(range(N))]
    assert len({tuple(order) for order in orders}) == 5


def test_an_epoch_must_be_defined():
    with pytest.raises(TypeError, match="FitLoop defines no epoch"):
        FitLoop(mlp(), N, [Stage([], Plan(N, 5))], TrainingState(), None).epochs()


def test_reports():
    said = []
    run(objective=still, max_epochs=9, n_iter_no_change=1, report=said.append)
    assert said == [
        *(f"Iteration {epoch}, loss = 1.00000000" for epoch in (1, 2, 3)),
        "Training loss did not improve more than tol=0.000100 for 1 consecutive epochs. Stopping.",
    ]


# -- all data at once ----------------------------------------------------------------------------------------------


def least_squares(weight: np.ndarray, alpha: float) -> np.ndarray:
    """The coefficients and, in the last row, the intercepts that minimise the penalised weighted squares."""
    rows = np.hstack([X, np.ones((N, 1))])
    penalty = alpha * np.diag([1.0] * 3 + [0.0])
    return np.linalg.solve(rows.T @ (weight[:, None] * rows) + penalty, rows.T @ (weight[:, None] * Y))


def searched(network: Network, data: Rows, max_fun: int = 1000, objective: Callable = squared, **plan) -> Run:
    stage = Stage([Phase(objective)], Plan(N, tol=1e-10, **plan), LBFGS(max_fun=max_fun))
    state = TrainingState()
    return Run(network, state, train(network, data, [stage], state, np.random.default_rng(0)).outcome)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["no weights", "weights"])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_a_search_finds_the_least_squares_solution(weight, alpha):
    network = Network([Dense(2)], (3,), np.random.default_rng(1), "float64")
    found = searched(network, Rows(X, Y, weight), max_epochs=500, alpha=alpha)
    assert found.outcome is Outcome.CONVERGED
    solution = least_squares(np.ones(N) if weight is None else weight, alpha)
    assert_allclose(network.parameters["0"]["weight"], solution[:3], atol=1e-6)
    assert_allclose(network.parameters["0"]["bias"], solution[3], atol=1e-6)
    total_weight = N if weight is None else weight.sum()
    loss = np.average(squared_error(network(X), Y), weights=weight)
    expected = loss + 0.5 * alpha * network.decaying_norm() / total_weight
    assert_allclose(found.state.loss_curve[-1], expected, rtol=1e-12)
    assert found.state.epochs == len(found.state.loss_curve)


@pytest.mark.parametrize("limits", [{"max_epochs": 2}, {"max_epochs": 1000, "max_fun": 2}])
def test_a_search_stops_at_its_limits(limits):
    found = searched(mlp(), Rows(X, Y), **limits)
    assert found.outcome is Outcome.EPOCHS_DONE
    assert found.state.epochs <= 2


def test_a_search_goes_back_from_where_the_loss_is_no_number():
    def nan_from_the_fourth_time_on(net, batch, draws):
        tried.append(network.theta.copy())
        return squared(net, batch) * (1.0 if len(tried) < 4 else np.nan)

    tried: list[np.ndarray] = []
    network = mlp()
    found = searched(network, Rows(X, Y), 100, nan_from_the_fourth_time_on, max_epochs=100)
    assert found.outcome is not Outcome.CONVERGED
    assert len(tried) > 4
    assert_array_equal(network.theta, tried[2])


def test_an_interrupted_search_stays_where_the_last_iteration_ended():
    def interrupted_at_the_end(net, batch, draws):
        tried.append(network.theta.copy())
        if len(tried) == 5:
            raise KeyboardInterrupt
        return squared(net, batch)

    tried: list[np.ndarray] = []
    network = mlp()
    found = searched(network, Rows(X, Y), 100, interrupted_at_the_end, max_epochs=100)
    assert found.outcome is Outcome.INTERRUPTED
    assert found.state.epochs > 0
    assert any((network.theta == theta).all() for theta in tried)


@dataclass(frozen=True)
class FrozenScale(Layer):
    """y = 2 x, with a parameter that is not to be trained."""

    def build(self, shape, store):
        store.parameter("two", shape, "ones", trainable=False)
        return shape

    def apply(self, params, x, context):
        return 2.0 * params["two"] * x


@pytest.mark.parametrize("full", [True, False])
def test_frozen_parameters_stay_as_they_are(full):
    network = Network([FrozenScale(), Dense(2), Activation("tanh")], (3,), np.random.default_rng(1), "float64")
    before = network.theta.copy()
    if full:
        searched(network, Rows(X, Y), max_epochs=20, alpha=1.0)
    else:
        run(network=network, alpha=1.0, optimizer=SGD(momentum=0.9))
    start, stop, _ = network.names["0.two"]
    assert_array_equal(network.theta[start:stop], before[start:stop])
    assert (network.theta[:start] != before[:start]).all()
