"""Training a layer of threshold units by the perceptron rule, one unit after the other, as scikit-learn does."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, replace
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
from ...losses import SquaredError
from ...nn import Network
from ...ops.perceptron import fit_perceptron, shuffle_seeds, xorshift_orders
from ...template.fitted import forget_history, keep_network
from ...template.inputs import is_mapped
from ...template.targets import Target
from ...template.validation import Samples

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
    """The rule, as the parameters of a model say.

    Parameters
    ----------
    model : PerceptronClassifier
        What is trained.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def train(self, samples: Samples, target: Target, fresh: bool, incremental: bool) -> None:
        """Train all units, and keep what they have learnt in the model."""
        model = self.model
        self.check(incremental)
        if not issparse(samples.X) and not is_mapped(samples.X):
            samples = replace(samples, X=np.ascontiguousarray(samples.X))
        network = model._network(samples.X.shape[1], target.n_outputs, None, np.dtype(model.dtype), fresh)
        observer = self.observer(network, target)
        held_out = self.held_out(samples.y, samples.sample_weight) if model.early_stopping else np.array([], int)
        max_iter = 1 if incremental else model.max_iter

        def learn(unit: Unit) -> int:
            watch = None if observer is None else ObservedUnit(observer, unit, model.max_iter)
            return self.learn(unit, samples, held_out, max_iter, watch)

        units = self.units(network.parameters["0"], samples.y, target)
        epochs = Parallel(n_jobs=model.n_jobs, require="sharedmem")(delayed(learn)(unit) for unit in units)
        model._target = target
        forget_history(model)
        keep_network(model, network, SquaredError())  # whose link, too, is the identity
        model.n_iter_ = max(epochs)
        earlier = getattr(model, "t_", 1) if incremental else 1
        model.t_ = earlier + model.n_iter_ * len(samples)
        if not incremental and model.tol is not None and model.n_iter_ == model.max_iter:
            warnings.warn(UNFINISHED.format(model.max_iter), ConvergenceWarning, stacklevel=2)

    def check(self, incremental: bool) -> None:
        """Raise ValueError on what the rule cannot do."""
        if self.model.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.model.batch_size != "auto":
            raise ValueError(
                f"batch_size={self.model.batch_size!r} does not apply with solver='perceptron', which learns sample by "
                "sample"
            )

    def units(self, layer: dict[str, Array], y: Array, target: Target) -> list[Unit]:
        """One for the second of two classes, or one for each class."""
        class_weight = compute_class_weight(self.model.class_weight, classes=target.classes_, y=y)
        seeds = shuffle_seeds(check_random_state(self.model.random_state), len(target.classes_))
        if target.n_outputs == 1:
            return [Unit(layer, 0, target.classes_[1], class_weight[1], class_weight[0], seeds[0])]
        return [Unit(layer, k, label, class_weight[k], 1.0, seeds[k]) for k, label in enumerate(target.classes_)]

    def learn(self, unit: Unit, samples: Samples, held_out: Array, max_iter: int, watch: ObservedUnit | None) -> int:
        """Train one unit; return the number of epochs."""
        y = np.where(samples.y == unit.positive, 1.0, -1.0)
        orders = self.orders(len(y), unit.seed, held_out)
        found = fit_perceptron(
            samples.X,
            y,
            1.0 if samples.sample_weight is None else samples.sample_weight,
            weight_pos=unit.weight_pos,
            weight_neg=unit.weight_neg,
            eta0=self.model.eta0,
            fit_intercept=self.model.fit_intercept,
            **unit.start(),
            max_iter=max_iter,
            tol=self.model.tol,
            n_iter_no_change=self.model.n_iter_no_change,
            orders=orders if watch is None else watch.told_of(repeat(None) if orders is None else orders),
            validate=Accuracy(replace(samples, y=y).take(held_out)) if len(held_out) else None,
            enough=None if watch is None else watch.enough,
        )
        unit.keep(found.coef, found.intercept)
        if watch is not None:
            watch.ends()
        return found.n_iter

    def orders(self, n_samples: int, seed: int, held_out: Array) -> Iterable[Array] | None:
        """In which order the epochs visit the samples that are not held out; None: all as stored."""
        orders = xorshift_orders(n_samples, seed) if self.model.shuffle else None
        if not len(held_out):
            return orders
        kept = np.ones(n_samples, bool)
        kept[held_out] = False
        return (order[kept[order]] for order in (repeat(np.arange(n_samples)) if orders is None else orders))

    def observer(self, network: Network, target: Target) -> FitObserver | None:
        """Who tells the callbacks of the training by the rule, if there are any."""
        observer = vars(self.model).get("_observer")
        if observer is None:
            return None

        def attributes() -> dict[str, Any]:
            twin = copy(self.model)
            twin._observer, twin._target = None, target
            forget_history(twin)
            keep_network(twin, network.copy(), SquaredError())
            return dict(vars(twin))

        observer.training = Training(network, None, self.model, attributes, {}, by_gradient=False)
        observer.begins(None)
        return observer

    def held_out(self, y: Array, sample_weight: Array | None) -> Array:
        """The rows set aside, the same as scikit-learn's: stratified by class."""
        splitter = StratifiedShuffleSplit(
            test_size=self.model.validation_fraction, random_state=self.model.random_state
        )
        _, held_out = next(splitter.split(np.zeros((len(y), 1)), y))
        if sample_weight is not None and not sample_weight[held_out].any():
            raise ValueError("sample_weight is zero for all samples of the validation set; try another random_state")
        return held_out


class Accuracy:
    """The share of validation samples that a unit is right about."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __call__(self, coef: Array, intercept: float) -> float:
        predicted = np.where(self.samples.X @ coef + intercept > 0, 1.0, -1.0)
        return float(accuracy_score(self.samples.y, predicted, sample_weight=self.samples.sample_weight))


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
