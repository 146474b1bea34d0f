"""Training a layer of threshold units by the perceptron rule, one unit after the other, as scikit-learn does."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import count, repeat
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
    """One threshold unit: its number, its weights and bias (views of the layer's), and what it is to learn."""

    number: int
    weights: Array
    bias: Array  # of one element; without an intercept its own zero
    positive: Any  # the label of its class
    weight_pos: float  # of its class
    weight_neg: float  # of the rest
    seed: int
    epochs: int = 0

    def ends_epoch(self, coef: Array, intercept: float, loss: float) -> bool:
        """Keep what was learnt so far; it asks for no end."""
        self.weights[:], self.bias[:] = coef, intercept
        self.epochs += 1
        return False


class PerceptronRule:
    """Trains a :class:`PerceptronClassifier` by the rule; raises ValueError on what the rule cannot do."""

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
        self.x_val = self.x[self.held_out]
        self.weight_val = None if self.weight is None else self.weight[self.held_out]

    def train(self) -> None:
        """Train all units, and keep what was learnt in the estimator."""
        estimator, fit = self.estimator, self.fit
        estimator._target = self.target
        fit.network = fit.networks()
        observer = self.observer(fit.network)
        units = self.units(fit.network.parameters["0"])
        learn = delayed(partial(self.learn, observer))
        try:
            Parallel(n_jobs=estimator.n_jobs, require="sharedmem")(learn(unit) for unit in units)
        except KeyboardInterrupt:
            if not any(unit.epochs for unit in units):
                raise
            fit.interrupted = True
        self.keep(estimator, fit.network)
        estimator.n_iter_ = max(unit.epochs for unit in units)
        earlier = getattr(estimator, "t_", 1) if fit.incremental else 1
        estimator.t_ = earlier + estimator.n_iter_ * len(fit.samples)
        finished = not fit.incremental and not fit.interrupted
        if finished and estimator.tol is not None and estimator.n_iter_ == estimator.max_iter:
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
        weights, biases = layer["weight"].T, layer.get("bias", np.zeros(len(classes)))[:, None]
        if self.target.n_outputs == 1:
            return [Unit(0, weights[0], biases[0], classes[1], class_weight[1], class_weight[0], seeds[0])]
        return [Unit(*each) for each in zip(count(), weights, biases, classes, class_weight, repeat(1.0), seeds)]

    def learn(self, observer: FitObserver | None, unit: Unit) -> None:
        """Train one unit."""
        estimator = self.estimator
        y = np.where(self.y == unit.positive, 1.0, -1.0)
        max_iter = 1 if self.fit.incremental else estimator.max_iter
        with observed(observer, unit, max_iter, self.orders(unit.seed)) as watched:
            fit_perceptron(
                self.x,
                y,
                1.0 if self.weight is None else self.weight,
                weight_pos=unit.weight_pos,
                weight_neg=unit.weight_neg,
                eta0=float(estimator.eta0),
                fit_intercept=estimator.fit_intercept,
                coef=unit.weights,
                intercept=float(unit.bias[0]),
                max_iter=max_iter,
                tol=estimator.tol,
                n_iter_no_change=estimator.n_iter_no_change,
                validate=partial(self.accuracy, y[self.held_out]) if len(self.held_out) else None,
                **watched,
            )

    def orders(self, seed: int) -> Iterable[Array] | None:
        """In which order the epochs visit the samples that are not held out; None: all as stored."""
        n_samples = len(self.y)
        orders = xorshift_orders(n_samples, seed) if self.estimator.shuffle else None
        if not len(self.held_out):
            return orders
        kept = np.ones(n_samples, bool)
        kept[self.held_out] = False
        return (order[kept[order]] for order in (repeat(np.arange(n_samples)) if orders is None else orders))

    def accuracy(self, y: Array, coef: Array, intercept: float) -> float:
        """The share of the samples held out, with these labels, that a unit is right about."""
        predicted = np.where(self.x_val @ coef + intercept > 0, 1.0, -1.0)
        return float(accuracy_score(y, predicted, sample_weight=self.weight_val))

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
        share = float(estimator.validation_fraction)
        splitter = StratifiedShuffleSplit(test_size=share, random_state=estimator.random_state)
        _, held_out = next(splitter.split(np.zeros((len(self.y), 1)), self.y))
        if self.weight is not None and not self.weight[held_out].any():
            raise ValueError("sample_weight is zero for all samples of the validation set; try another random_state")
        return held_out


@contextmanager
def observed(
    observer: FitObserver | None, unit: Unit, max_epochs: int, orders: Iterable[Array] | None
) -> Iterator[dict[str, Any]]:
    """What fit_perceptron is to be given so that callbacks are told of the training of a unit, a subtask of the fit."""
    if observer is None:
        yield {"orders": orders, "enough": unit.ends_epoch}
        return
    told = observer.unit(unit.number, max_epochs)

    def each_begins() -> Iterator[Any]:
        for order in repeat(None) if orders is None else orders:
            told.epoch_begins()
            yield order

    def enough(coef: Array, intercept: float, loss: float) -> bool:
        unit.ends_epoch(coef, intercept, loss)  # callbacks look at the network with these weights
        return told.epoch_ends(loss)

    told.fit_begins()
    yield {"orders": each_begins(), "enough": enough}
    told.fit_ends(told.training.attributes)
