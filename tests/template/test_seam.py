"""The seam between a family and its training: what an objective may give, what it draws, which parts it trains."""

import re
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import primitives as F
from sknn.nn import BatchNorm, Dense, Dropout, Network, Parts
from sknn.optim import SGD
from sknn.template.estimator import Estimator
from sknn.template.kinds import Classifier
from sknn.template.parameters import parameter
from sknn.train import Phase, Stage

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 3))


class Toy(Estimator):
    """A network whose objective is a parameter."""

    objective: Any = parameter(default=None, text="Called as objective(nets, batch, draws).")
    layers: Any = parameter(default=(Dense(2),), text="Of the network.")
    random_state = 0
    max_iter = 3
    tol = 0.0
    batch_size = 5  # the last of an epoch has two

    def _layers(self, n_outputs):
        return self.layers

    def _objective(self, nets, batch, draws):
        return self.objective(nets, batch, draws)


def squares(nets, batch, draws=None):
    return F.sum(F.square(nets(batch.x)), axis=1)


# -- what an objective may give ------------------------------------------------------------------------------------

SAME = {
    "a value for each sample": squares,
    "a mean already": lambda nets, batch, draws: F.mean(squares(nets, batch)),
    "one term": lambda nets, batch, draws: {"squares": squares(nets, batch)},
    "a part of it, and another": lambda nets, batch, draws: {
        "first": F.square(nets(batch.x))[:, 0],
        "second": F.square(nets(batch.x))[:, 1],
    },
    "a term that is halved and doubled": lambda nets, batch, draws: {"doubled": (0.5, 2.0 * squares(nets, batch))},
}


@pytest.mark.parametrize("objective", SAME.values(), ids=SAME)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_objectives_that_are_the_same_give_the_same_fit(objective, solver):
    expected, found = (Toy(objective=each, solver=solver, dtype="float64").fit(X) for each in (squares, objective))
    assert_allclose(found.network_.theta, expected.network_.theta, rtol=1e-10)
    assert_allclose(found.loss_, expected.loss_, rtol=1e-12)


def two_terms(nets, batch, draws):
    return {"one": squares(nets, batch), "other": (0.25 * nets.progress, F.sum(nets(batch.x), axis=1))}


@pytest.mark.parametrize("weight", [None, RNG.uniform(0.5, 2.0, len(X))], ids=["no weights", "weights"])
def test_terms_are_recorded_by_name_without_their_factors(weight):
    still = Toy(objective=two_terms, solver="sgd", learning_rate_init=1e-12, alpha=0.0, dtype="float64")
    fitted = still.fit(X, sample_weight=weight)
    raw = fitted.network_(X)
    terms = {"one": np.square(raw).sum(axis=1), "other": raw.sum(axis=1)}
    means = {name: np.average(values, weights=weight) for name, values in terms.items()}
    assert fitted.loss_curves_.keys() == means.keys()
    for name, mean in means.items():
        assert_allclose(fitted.loss_curves_[name], [mean] * 3, rtol=1e-6)
    assert fitted.loss_curve_[0] != fitted.loss_curve_[-1]  # the factor rises


def test_a_fit_with_one_unnamed_loss_has_no_curves_by_name():
    assert not hasattr(Toy(objective=squares).fit(X), "loss_curves_")


@pytest.mark.parametrize("objective", [SAME["a mean already"], lambda *each: {"scalar": SAME["a mean already"](*each)}])
def test_a_scalar_refuses_sample_weight(objective):
    with pytest.raises(ValueError, match="sample_weight does not apply to an objective that gives one value for the"):
        Toy(objective=objective).fit(X, sample_weight=np.arange(22.0))


def test_values_need_as_many_weights():
    with pytest.raises(ValueError, match=r"values of shape \(5, 2\) for weights of shape \(5,\)"):
        Toy(objective=lambda nets, batch, draws: nets(batch.x)).fit(X, sample_weight=np.arange(1.0, 23.0))


def test_an_objective_has_to_depend_on_what_is_trained():
    with pytest.raises(TypeError, match="must depend on the networks that its phase trains, got"):
        Toy(objective=lambda nets, batch, draws: batch.x[:, 0]).fit(X)


def test_a_fit_that_fails_leaves_nothing_behind():
    model = Toy(objective=SAME["a mean already"])
    with pytest.raises(ValueError, match="sample_weight does not apply"):
        model.fit(X, sample_weight=np.arange(22.0))
    assert not [name for name in vars(model) if name.endswith("_")]


# -- training and validation ---------------------------------------------------------------------------------------


class Notes:
    """An objective that notes what it is given."""

    def __init__(self):
        self.training, self.validation = [], []

    def __call__(self, nets, batch, draws):
        note = (nets.progress, draws.uniform((1,)).item(), batch.rows)
        (self.training if nets.training else self.validation).append(note)
        return squares(nets, batch)

    def __deepcopy__(self, memo):
        return self


def test_draws_are_new_in_each_step_and_start_the_same_in_each_validation():
    notes = Notes()
    Toy(objective=notes).fit(X, X_val=X[:4])
    drawn = [draw for _, draw, _ in notes.training]
    assert len(drawn) == len(set(drawn)) == 15
    assert len({draw for _, draw, _ in notes.validation}) == 1
    again = Notes()
    Toy(objective=again).fit(X)
    assert [draw for _, draw, _ in again.training] == drawn  # whether or not there is validation


def test_progress_rises_to_one_and_is_one_in_validation():
    notes = Notes()
    Toy(objective=notes).fit(X, X_val=X[:4])
    assert_allclose([progress for progress, _, _ in notes.training[:6]], np.array([0, 5, 10, 15, 20, 22]) / 66)
    assert {progress for progress, _, _ in notes.validation} == {1.0}


def test_batches_know_which_rows_they_are_of():
    notes = Notes()
    Toy(objective=notes).fit(X)
    rows = np.concatenate([rows for _, _, rows in notes.training])
    assert_array_equal(np.sort(rows.reshape(3, 22)), np.tile(np.arange(22), (3, 1)))


def test_a_search_holds_its_draws():
    notes = Notes()
    Toy(objective=notes, solver="lbfgs", max_iter=10).fit(X)
    assert len(notes.training) > 3
    assert len({draw for _, draw, _ in notes.training}) == 1


@pytest.mark.parametrize("layer", [Dropout(0.3), BatchNorm()])
def test_a_search_refuses_layers_that_draw_or_need_the_batch_by_name(layer):
    with pytest.raises(ValueError, match=re.escape(f"{layer!r} does not apply with solver='lbfgs'")):
        Toy(objective=squares, layers=[Dense(2), layer], solver="lbfgs").fit(X)


# -- parts and phases ----------------------------------------------------------------------------------------------


class Pair(Estimator):
    """Two networks with running statistics, of which each phase trains one."""

    every: int = parameter(default=1, text="Of the second phase.")
    averaging: float = parameter(default=0.0, text="Of the first.")
    random_state = 0
    max_iter = 3
    tol = 0.0
    batch_size = 6  # four batches

    def _networks(self, x, target, rng, dtype):
        self._steps = []
        return Parts(**{name: Network([Dense(2), BatchNorm()], (3,), rng, dtype) for name in ("one", "other")})

    def _stages(self, n_samples):
        first = Phase(self._watching("one"), ["one"], name="one", averaging=self.averaging)
        second = Phase(self._watching("other"), ["other"], self.every, name="other")
        return [Stage([first, second], self._plan(n_samples), self._meant("solver", self.solver))]

    def _watching(self, name):
        def objective(nets, batch, draws):
            assert nets.training
            self._steps.append(name)
            return F.sum(F.square(nets.one(batch.x) - nets.other(batch.x) - 1.0), axis=1)

        return objective


def steps_of_other(fitted):
    """After how many steps of the first phase the second took part."""
    phases = np.array(fitted._steps)
    return np.cumsum(phases == "one")[phases == "other"].tolist()


@pytest.mark.parametrize("every", [1, 2, 5, 12, 13])
def test_every_is_counted_over_the_whole_fit(every):
    fitted = Pair(every=every).fit(X)
    assert steps_of_other(fitted) == [step for step in range(1, 13) if step % every == 0]
    assert len(fitted.loss_curves_["other"]) == len(fitted.loss_curve_) == 3


def test_every_goes_on_over_warm_starts():
    assert steps_of_other(Pair(every=5, warm_start=True).fit(X).fit(X)) == [5, 10, 15, 20]


def test_parts_that_are_not_trained_stay_as_they_are_to_the_bit():
    whole, never = Pair(every=1).fit(X), Pair(every=13).fit(X)
    fresh = Pair()._networks(X, None, np.random.RandomState(0), "float32")
    assert_array_equal(never.network_.other.theta, fresh.other.theta)
    assert_array_equal(never.network_.other.state, fresh.other.state)
    for name, change in (("one", never), ("one", whole), ("other", whole)):
        assert (change.network_[name].theta != fresh[name].theta).any()
        assert (change.network_[name].state != fresh[name].state).any()


def test_a_phase_may_have_its_own_optimizer_rate_and_clipping():
    class Slow(Pair):
        def _stages(self, n_samples):
            (stage,) = super()._stages(n_samples)
            first, second = stage.phases
            others = {"optimizer": SGD(momentum=0.0), "rate": 0.5, "clip_norm": 1e-6}
            return [
                Stage([first, Phase(second.objective, second.parts, name="other", **others)], stage.plan, stage.solver)
            ]

    fitted, fresh = Slow(alpha=0.0).fit(X), Pair()._networks(X, None, np.random.RandomState(0), "float32")
    moved = np.abs(fitted.network_.other.theta - fresh.other.theta)
    assert np.linalg.norm(moved) <= 12 * 0.001 * 0.5 * 1e-6 * 1.1
    assert np.abs(fitted.network_.one.theta - fresh.one.theta).max() > 1e-3


def test_the_average_is_kept_and_the_raw_parameters_go_on():
    """With a warm start the optimizer's state goes on; the average is that of Polyak & Juditsky by hand."""
    thetas = [Pair(max_iter=1, batch_size=22, averaging=0.0).fit(X).network_.one.theta]
    averaged = Pair(max_iter=1, batch_size=22, averaging=0.9).fit(X).network_.one.theta
    fresh = Pair()._networks(X, None, np.random.RandomState(0), "float32").one.theta
    assert_allclose(averaged, fresh + (1 - 2 / 11) * (thetas[0] - fresh), rtol=1e-5)


# -- memory --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scaled", [None, "standard"])
def test_a_fit_without_y_holds_one_cast_of_x_at_most(scaled):
    x = np.random.default_rng(0).normal(size=(20_000, 50))
    toy = Toy(objective=squares, max_iter=2, batch_size=200, input_scaling=scaled)
    toy.fit(x[:400])  # what is imported and kept for good
    tracemalloc.start()
    toy.fit(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one_cast = x.size * 4
    assert peak < one_cast + 1.5e6  # batches, blocks, the order of samples


def test_a_scoring_where_y_is_ignored_is_refused():
    with pytest.raises(ValueError, match="scoring='accuracy' does not apply where y is ignored"):
        Toy(objective=Notes(), scoring="accuracy").fit(X, X_val=X[:4])


def test_layers_that_end_in_other_outputs_than_y_needs_are_refused():
    class Five(Classifier):
        def _layers(self, n_outputs):
            return [Dense(5)]

    with pytest.raises(ValueError, match=r"put out samples of shape \(5,\), but y needs 1 output"):
        Five().fit(X, np.arange(len(X)) % 2)
