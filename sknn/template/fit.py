"""One call of fit or partial_fit: what is trained, on what, and what it leaves behind."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from sklearn.utils import check_random_state

from ..autodiff.tape import Array
from ..callbacks import FitObserver, Training
from ..train import FitLoop, Outcome, Stage, TrainingState, Verdict
from .fitted import keep_history, keep_network
from .inputs import DIVERGED, cast, is_mapped
from .samples import Samples
from .targets import Target
from .transfer import begin_from, set_rates
from .validation import Scorer, curve_scale, set_aside
from .warned import warn_of_rounding, warn_of_small_weights, warn_of_the_end

F = TypeVar("F", bound=Callable[..., Any])
NO_VALIDATION = (None, None, None)  # X_val, y_val, sample_weight_val


def takes_members(function: F) -> F:
    """Mark a method of a family as one that works as well for members side by side, with an axis of them in front.

    Of a batch it says that a row of it is the same in any other. A family that overrides such a method has to say it
    anew.
    """
    function.members = True  # type: ignore[attr-defined]
    return function


class FamilyData:
    """The samples of a fit, of which the family makes batches."""

    def __init__(self, estimator: Any, samples: Samples) -> None:
        self.samples, self.take = samples, partial(estimator._batch, samples)
        self.by_rows = getattr(estimator._batch, "members", False)

    def __len__(self) -> int:
        return len(self.samples)


class Task(NamedTuple):
    """What a fit asks of the loop: stages, where it starts from, and who looks on."""

    stages: list[Stage]
    state: TrainingState
    watching: dict[str, Any]


class Fit:
    """One call of fit or partial_fit.

    Parameters
    ----------
    estimator : Estimator
        What is fitted.
    samples : Samples
        Validated, without those that have no influence.
    target : Target or None
        Fitted; None where y is ignored.
    held_out : Samples or None
        Those given to validate with.
    fresh, incremental : bool
        Whether it begins with new networks; whether it is one call of many (partial_fit).
    groups : ndarray or None
        Of all samples that were given; for the splitter that sets some aside.
    """

    network: Any
    is_scaled = False  # by what came along with weights that it begins with
    interrupted = False  # by the user; what was learnt until then is kept

    def __init__(
        self,
        estimator: Any,
        samples: Samples,
        target: Target | None,
        held_out: Samples | None,
        fresh: bool,
        incremental: bool,
        groups: Array | None = None,
    ) -> None:
        self.estimator, self.samples, self.target, self.held_out = estimator, samples, target, held_out
        self.fresh, self.incremental, self.groups = fresh, incremental, groups
        self.rng = check_random_state(estimator.random_state)
        # a copy, so that what is drawn in training shifts neither initial weights nor shuffles
        drawn_so_far = (int(deepcopy(self.rng).randint(1 << 31)), 0)
        self.seed: int
        self.steps: int
        self.seed, self.steps = drawn_so_far if fresh else vars(estimator).get("_drawn_so_far", drawn_so_far)
        self.dtype = np.dtype(estimator._precision())
        self.searches = not estimator._solver().is_stochastic
        self.stops_early = estimator.early_stopping and not self.searches

    def run(self) -> None:
        """Train, and keep what was learnt in the estimator."""
        task = self.begin()
        if task is not None:
            self.finish(
                self.estimator._run(self, task.stages, task.state, observer=self.observer(task.state), **task.watching)
            )

    def begin(self) -> Task | None:
        """Be ready to train; what is to be done, or None where that is nothing."""
        estimator, target = self.estimator, self.target
        estimator._target = target
        self.network = self.networks()
        if self.stops_early and self.incremental:
            if estimator._chosen("early_stopping"):
                raise ValueError("partial_fit does not support early_stopping=True")
            self.stops_early = False  # as a default it is one of fit
        if target is not None and target.is_certain:
            self.keep(TrainingState(self.seed, self.steps))
            estimator.loss_, estimator.best_loss_, estimator.loss_curve_ = 0.0, 0.0, []
            return None
        if self.held_out is None and self.stops_early:
            self.set_aside()
        stages = [self.in_this_call(stage) for stage in estimator._stages(len(self.samples))]
        if self.incremental:
            del stages[1:]
        if any(stage.searches for stage in stages) and self.dtype != np.float64:  # a search needs double precision
            self.dtype = np.dtype(np.float64)
            self.network = (self.network if self.fresh else estimator.network_).copy(self.dtype)
        self.prepare_samples()
        warn_of_small_weights(self, stages[0])
        state = self.earlier_state() or self.new_state()
        report = print if estimator.verbose else None
        return Task(
            stages, state, {"validate": self.validation(), "curve_scale": curve_scale(target), "report": report}
        )

    def networks(self) -> Any:
        """New networks, or a copy of the fitted ones to go on with."""
        network = self.new_networks() if self.fresh else self.fitted_networks()
        set_rates(self.estimator, network)
        return network

    def new_networks(self) -> Any:
        """As they are drawn, or with the weights that they are to begin with."""
        estimator = self.estimator
        estimator._look_at(self.samples)
        network = estimator._networks(self.samples.x, self.target, self.rng, self.dtype)
        estimator._loaded, estimator.input_scaling_, self.is_scaled = begin_from(estimator, network, self.target)
        return network

    def fitted_networks(self) -> Any:
        """A copy of the fitted ones, which the parameters still have to be about."""
        self.estimator._check_unchanged()
        certain = self.target is not None and self.target.is_certain
        if not certain and self.estimator.input_scaling != getattr(self.estimator.input_scaling_, "kind", None):
            raise ValueError(
                f"input_scaling was changed after the first fit, to {self.estimator.input_scaling!r}; fit anew with "
                "warm_start=False"
            )
        return self.estimator.network_.copy(self.dtype)

    # -- the data --------------------------------------------------------------------------------------------------

    def prepare_samples(self) -> None:
        """Learn the scale of the inputs, and cast these to the precision of the networks."""
        estimator, given = self.estimator, self.samples.x
        if self.fresh and not self.is_scaled:
            estimator.input_scaling_ = self.learn_scaling()
        self.samples = self.prepared(self.samples, self.inputs(given), self.dtype)
        if self.fresh and estimator.input_scaling_ is None:
            warn_of_rounding(estimator, given, self.dtype)
        self.shown = self.held_out  # to scorers, as it was given
        if self.held_out is not None:
            x = self.samples.x if self.held_out.x is given else self.inputs(self.held_out.x)
            self.held_out = self.prepared(self.held_out, x, np.dtype(np.float64))
        if self.fresh and not estimator._loaded:
            self.teach_layers()

    def teach_layers(self) -> None:
        """Have layers that learn from their inputs, once before training, do so."""
        samples = self.samples
        for position, layer in enumerate(getattr(self.network, "layers", ())):
            if hasattr(layer, "learn"):
                before = self.network[:position]
                blocks = (samples.take(slice(k, k + 256)) for k in range(0, len(samples), 256))
                parameters = self.network.parameters[str(position)]
                layer.learn(parameters, (positions(before(batch.x), batch.weight) for batch in blocks))

    def set_aside(self) -> None:
        """Take a share of the samples out of the training, for early stopping."""
        samples, fraction = self.samples, self.estimator.validation_fraction
        y = np.arange(len(samples)) if self.target is None else samples.of(samples.y)
        if hasattr(fraction, "split"):
            splits = deque(fraction.split(np.zeros(len(samples)), y, samples.of(self.groups)), maxlen=1)
            if not splits:
                raise ValueError(f"validation_fraction={fraction!r} makes no split of {len(samples)} samples")
            kept, aside = splits[0]
        else:
            kept, aside = set_aside(y, float(fraction), self.rng, self.target is not None and self.target.stratifies)
        self.samples, self.held_out = self.samples.part(kept), self.samples.part(aside)

    def learn_scaling(self) -> Any:
        """That of the training samples, in the precision in which they come."""
        samples = self.samples
        if np.ndim(samples.weight) != 1 or hasattr(samples.weight, "lengths"):  # None, or those of positions
            samples = replace(samples, weight=samples.score_weight)
        return self.estimator._new_scaling(samples)

    def inputs(self, x: Any) -> Any:
        """Scaled inputs in the precision of the networks; a file mapped into memory is left for the batches."""
        return x if is_mapped(x) else cast(x, self.dtype, self.estimator.input_scaling_)

    def prepared(self, samples: Samples, x: Any, precision: np.dtype) -> Samples:
        """With these inputs, and targets encoded in a precision."""
        encoded = None if self.target is None else self.target.encode(samples.y, precision)
        scaling = self.estimator.input_scaling_ if is_mapped(x) else None
        return replace(samples, x=x, encoded=encoded, prepare=scaling, dtype=self.dtype)

    def mean_weight(self) -> float:
        """That of a sample as it was given; 1 without weights."""
        weight = self.samples.of(self.samples.score_weight)
        return 1.0 if weight is None else float(np.mean(weight))

    # -- the training ----------------------------------------------------------------------------------------------

    def in_this_call(self, stage: Stage) -> Stage:
        """A stage with what this call asks of it."""
        return replace(stage, plan=replace(stage.plan, once=self.incremental, early_stopping=self.stops_early))

    def earlier_state(self) -> TrainingState | None:
        """A copy of the state that partial_fit goes on from; that of another precision is of no use."""
        estimator = self.estimator
        if not self.incremental or "_state" not in vars(estimator):
            return None
        if estimator.network_.theta.dtype != self.network.theta.dtype:
            return None
        state = deepcopy(estimator._state)
        if estimator.network_.rates != self.network.rates:  # what an optimizer keeps is of what it has trained
            state.runs = {}
        return state

    def new_state(self) -> TrainingState:
        """The state before the first step; a warm start goes on with the curves, partial_fit with the counts."""
        state, estimator = TrainingState(self.seed, self.steps), self.estimator
        if self.incremental and not self.fresh:
            state.samples = estimator.t_
        elif not self.fresh:
            known = vars(estimator)
            state.loss_curve = list(known.get("loss_curve_", ()))
            state.loss_curves = {name: list(curve) for name, curve in known.get("loss_curves_", {}).items()}
            state.validation_scores = list(known.get("validation_scores_") or ())
            state.validation_losses = list(known.get("validation_loss_curve_") or ())
        return state

    def validation(self) -> Any:
        """What validation says of networks, as a function of them; None without validation samples."""
        if self.held_out is None or self.shown is None:
            return None
        seen = copy(self.estimator)
        keep_network(seen, self.network)
        seen._scorer = None if seen.scoring == "loss" else Scorer(seen, self.shown, self.stops_early)
        return lambda nets, draws: seen._verdict(nets, self.held_out, draws)

    def observer(self, state: TrainingState) -> FitObserver | None:
        """Who tells the callbacks of this training, if there are any."""
        estimator = self.estimator
        observer = vars(estimator).get("_observer")
        if observer is None:
            return None

        def attributes() -> dict[str, Any]:
            """Those that the estimator would have if training ended now."""
            twin = copy(estimator)
            twin._observer = None
            keep_network(twin, training.network_to_keep())
            keep_history(twin, self, state)
            return dict(vars(twin))

        training = observer.training = Training(
            self.network,
            self.rng,
            estimator,
            attributes,
            self.identity(),
            None
            if self.held_out is None
            else lambda: Verdict(state.validation_scores[-1], state.validation_losses[-1]),
        )
        return observer

    def identity(self) -> dict[str, Any]:
        """All that decides what comes out, besides the estimator's parameters and the networks."""
        apart = ("estimator", "network")
        return {name: value for name, value in vars(self).items() if name not in apart}

    # -- the end ---------------------------------------------------------------------------------------------------

    def keep(self, state: TrainingState) -> None:
        """Keep the networks and the history of their training."""
        keep_network(self.estimator, self.network)
        keep_history(self.estimator, self, state)

    def finish(self, loop: FitLoop) -> None:
        """Keep what was learnt, or raise if there is nothing to keep."""
        estimator, state = self.estimator, loop.state
        if loop.outcome is Outcome.INTERRUPTED and not (state.epochs and self.network.is_finite):
            raise KeyboardInterrupt
        warn_of_the_end(self, loop)
        if not self.network.is_finite:
            raise ValueError(DIVERGED)
        self.keep(state)
        estimator._drawn_so_far = (state.seed, state.steps)
        if (estimator.warm_start or self.incremental) and not self.searches:
            estimator._state = state.of_what_goes_on()
        self.interrupted = loop.outcome is Outcome.INTERRUPTED


def positions(x: Any, weight: Array | None) -> tuple[Array, Array | None]:
    """Values and weights of all positions, where samples differ in length."""
    if not hasattr(x, "lengths"):
        return x, weight
    return x.values, None if weight is None else x.at_positions(weight)


def all_positions(x: Any, weight: Array | None) -> tuple[Array, Array | None]:
    """Values and weights of all positions of grids (n, *grid, channels) too; rows of features stay."""
    if hasattr(x, "lengths") or x.ndim <= 2:
        return positions(x, weight)
    n_positions = prod(x.shape[1:-1])
    return x.reshape(-1, x.shape[-1]), None if weight is None else np.repeat(weight, n_positions)
