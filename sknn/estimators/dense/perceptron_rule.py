"""Training a layer of threshold units by the perceptron rule, one unit after the other, as scikit-learn does."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight

from ...autodiff.tape import Array
from ...callbacks import FitObserver, Training
from ...nn import Network
from ...ops.perceptron import fit_perceptron, shuffle_seeds, xorshift_orders
from ...template.fit import Fit
from ...template.fitted import forget_history, keep_network
from ...template.inputs import is_mapped

UNFINISHED = (
    "Maximum number of iteration ({}) reached before convergence. Consider increasing max_iter to improve the fit."
)


@dataclass
class Unit:
    """One threshold unit: its column of the layer's parameters, and what it is to learn."""

    layer: dict[str, Array]
    column: int
    positive: Any  # the label of its class
    weight_pos: float  # of its class
    weight_neg: float  # of the rest
    seed: int

    def start(self) -> dict[str, Any]:
        """The weights to start from."""
        bias = float(self.layer["bias"][self.column]) if "bias" in self.layer else 0.0
        return {"coef": self.layer["weight"][:, self.column], "intercept": bias}

    def keep(self, coef: Array, intercept: float) -> None:
        self.layer["weight"][:, self.column] = coef
        if "bias" in self.layer:
            self.layer["bias"][self.column] = intercept


class PerceptronRule:
    """Trains a :class:`PerceptronClassifier` by the rule.

    Parameters
    ----------
    estimator : PerceptronClassifier
        Whose parameters say how.
    fit : Fit
        What it is to learn from.

    Raises
    ------
    ValueError
        On what the rule cannot do.
    """

    def __init__(self, estimator: Any, fit: Fit) -> None:
        self.estimator, self.fit = estimator, fit
        self.target: Any = fit.target
        if estimator.early_stopping and fit.incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if estimator.batch_size != "auto":
            raise ValueError(
                f"batch_size={estimator.batch_size!r} does not apply with solver='perceptron', which learns sample by "
                "sample"
            )
        x = fit.samples.x
        self.x = x if issparse(x) or is_mapped(x) else np.ascontiguousarray(x)
        self.y, self.weight = fit.samples.y, fit.samples.score_weight
        self.held_out = self.set_aside() if estimator.early_stopping else np.array([], int)

    def train(self) -> None:
        """Train all units, and keep what was learnt in the estimator."""
        estimator, fit = self.estimator, self.fit
        estimator._target = self.target
        fit.network = fit.networks()
        observer = self.observer(fit.network)
        max_iter = 1 if fit.incremental else estimator.max_iter

        def learn(unit: Unit) -> int:
            watch = None if observer is None else ObservedUnit(observer, unit, estimator.max_iter)
            return self.learn(unit, max_iter, watch)

        units = self.units(fit.network.parameters["0"])
        epochs = Parallel(n_jobs=estimator.n_jobs, require="sharedmem")(delayed(learn)(unit) for unit in units)
        self.keep(estimator, fit.network)
        estimator.n_iter_ = max(epochs)
        earlier = getattr(estimator, "t_", 1) if fit.incremental else 1
        estimator.t_ = earlier + estimator.n_iter_ * len(fit.samples)
        if not fit.incremental and estimator.tol is not None and estimator.n_iter_ == estimator.max_iter:
            warnings.warn(UNFINISHED.format(estimator.max_iter), ConvergenceWarning, stacklevel=2)

    def keep(self, estimator: Any, network: Network) -> None:
        """Keep the layer in the estimator; its outputs are compared with 0 as they are."""
        forget_history(estimator)
        keep_network(estimator, network)
        estimator.out_activation_ = "identity"

    def units(self, layer: dict[str, Array]) -> list[Unit]:
        """One for the second of two classes, or one for each class."""
        classes = self.target.classes_
        class_weight = compute_class_weight(self.estimator.class_weight, classes=classes, y=self.y)
        seeds = shuffle_seeds(check_random_state(self.estimator.random_state), len(classes))
        if self.target.n_outputs == 1:
            return [Unit(layer, 0, classes[1], class_weight[1], class_weight[0], seeds[0])]
        return [Unit(layer, k, label, class_weight[k], 1.0, seeds[k]) for k, label in enumerate(classes)]

    def learn(self, unit: Unit, max_iter: int, watch: ObservedUnit | None) -> int:
        """Train one unit; return the number of epochs."""
        estimator, held_out = self.estimator, self.held_out
        y = np.where(self.y == unit.positive, 1.0, -1.0)
        orders = self.orders(unit.seed)
        found = fit_perceptron(
            self.x,
            y,
            1.0 if self.weight is None else self.weight,
            weight_pos=unit.weight_pos,
            weight_neg=unit.weight_neg,
            eta0=estimator.eta0,
            fit_intercept=estimator.fit_intercept,
            **unit.start(),
            max_iter=max_iter,
            tol=estimator.tol,
            n_iter_no_change=estimator.n_iter_no_change,
            orders=orders if watch is None else watch.told_of(repeat(None) if orders is None else orders),
            validate=Accuracy(self.x, y, self.weight, held_out) if len(held_out) else None,
            enough=None if watch is None else watch.enough,
        )
        unit.keep(found.coef, found.intercept)
        if watch is not None:
            watch.ends()
        return found.n_iter

    def orders(self, seed: int) -> Iterable[Array] | None:
        """In which order the epochs visit the samples that are not held out; None: all as stored."""
        n_samples = len(self.y)
        orders = xorshift_orders(n_samples, seed) if self.estimator.shuffle else None
        if not len(self.held_out):
            return orders
        kept = np.ones(n_samples, bool)
        kept[self.held_out] = False
        return (order[kept[order]] for order in (repeat(np.arange(n_samples)) if orders is None else orders))

    def observer(self, network: Network) -> FitObserver | None:
        """Who tells the callbacks of the training by the rule, if there are any."""
        observer = vars(self.estimator).get("_observer")
        if observer is None:
            return None

        def attributes() -> dict[str, Any]:
            twin = copy(self.estimator)
            twin._observer, twin._target = None, self.target
            self.keep(twin, network.copy())
            return dict(vars(twin))

        observer.training = Training(network, None, self.estimator, attributes, {}, by_gradient=False)
        observer.begins(None)
        return observer

    def set_aside(self) -> Array:
        """The rows set aside, the same as scikit-learn's: stratified by class."""
        estimator = self.estimator
        splitter = StratifiedShuffleSplit(test_size=estimator.validation_fraction, random_state=estimator.random_state)
        _, held_out = next(splitter.split(np.zeros((len(self.y), 1)), self.y))
        if self.weight is not None and not self.weight[held_out].any():
            raise ValueError("sample_weight is zero for all samples of the validation set; try another random_state")
        return held_out


class Accuracy:
    """The share of validation samples that a unit is right about."""

    def __init__(self, x: Any, y: Array, weight: Array | None, rows: Array) -> None:
        self.x, self.y, self.weight = x[rows], y[rows], None if weight is None else weight[rows]

    def __call__(self, coef: Array, intercept: float) -> float:
        predicted = np.where(self.x @ coef + intercept > 0, 1.0, -1.0)
        return float(accuracy_score(self.y, predicted, sample_weight=self.weight))


class ObservedUnit:
    """Tells callbacks of the training of one unit, a subtask of the fit."""

    def __init__(self, observer: FitObserver, unit: Unit, max_epochs: int) -> None:
        self.observer, self.keep = observer.unit(unit.column, max_epochs), unit.keep
        self.observer.fit_begins()

    def told_of(self, orders: Iterable[Any]) -> Iterator[Any]:
        """The same orders; callbacks hear of the beginning of the epoch of each."""
        for order in orders:
            self.observer.epoch_begins()
            yield order

    def enough(self, coef: Array, intercept: float, loss: float) -> bool:
        """The epoch has ended: have callbacks look at the network with these weights."""
        self.keep(coef, intercept)
        return self.observer.epoch_ends(loss)

    def ends(self) -> None:
        self.observer.fit_ends(self.observer.training.attributes)
