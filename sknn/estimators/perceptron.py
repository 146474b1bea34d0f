"""Single-layer networks: Rosenblatt's perceptron and Widrow and Hoff's linear neuron."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import repeat
from math import inf
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from joblib import Parallel, delayed
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if

from ..autodiff.tape import Array
from ..callbacks import FitObserver, Training
from ..losses import SquaredError
from ..nn import Dense, Layer, Network
from ..ops.delta_rule import delta_rule_epoch
from ..ops.perceptron import PerceptronFit, fit_perceptron, shuffle_seeds, xorshift_orders
from ..optim import SGD, Optimizer
from ..train import FitLoop, Plan, TrainingState, Verdict
from .base import BALANCED_IN_PARTS, ClassifierTargets, NetworkEstimator, RegressorTargets, Task, is_mapped
from .targets import RealTarget, Target, check_first_partial_fit
from .validation import SCORING, Samples

RULE_UNFINISHED = (
    "Maximum number of iteration ({}) reached before convergence. Consider increasing max_iter to improve the fit."
)


class SingleLayer(NetworkEstimator):
    """The parameters of all single-layer networks, named as in scikit-learn's linear models."""

    dtype = "float64"  # one layer is cheap, and its weights can be compared with those of other linear models

    _parameter_constraints: ClassVar[dict] = {
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "scoring": SCORING,
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
    }

    def _layers(self, n_outputs: int) -> list[Layer]:
        return [Dense(n_outputs, init="zeros", use_bias=self.fit_intercept)]

    def _optimizer(self) -> Optimizer:
        return SGD(momentum=0.0)

    def _plan(self, n_samples: int) -> Plan:
        return Plan(
            batch_size=self._batch_size(n_samples),
            max_epochs=self.max_iter,
            learning_rate_init=self.eta0,
            shuffle=self.shuffle,
            tol=-inf if self.tol is None else self.tol,
            patience=self.n_iter_no_change - 1,
        )

    def _batch_size(self, n_samples: int) -> int:
        return 1

    n_layers_ = 2

    @property
    def coef_(self) -> Array:
        """The weights, a view of the network's parameters."""
        return _layer(self)["weight"].T

    @property
    def intercept_(self) -> Array:
        """The biases; zeros without `fit_intercept`."""
        return _layer(self).get("bias", np.zeros(self.coef_.shape[0]))


def _layer(estimator: Any) -> dict[str, Array]:
    if "network_" not in vars(estimator):
        raise AttributeError(f"this {type(estimator).__name__} is not fitted yet")
    return estimator.network_.parameters["0"]


def _has_probabilities(estimator: PerceptronClassifier) -> bool:
    if estimator.solver == "perceptron":
        raise AttributeError("the perceptron rule estimates no probabilities; use solver='sgd'")
    return True


class PerceptronClassifier(ClassifierTargets, ClassifierMixin, SingleLayer):
    """A single layer of threshold units, trained by Rosenblatt's rule, or of logistic ones, trained by its gradient.

    With ``solver="perceptron"`` there is one unit for two classes and otherwise one for each class against the rest.
    A unit learns from a sample (x, t), t = +-1, only if it is wrong about it:

    .. math:: w \\leftarrow w + \\eta\\, s\\, t\\, x, \\quad b \\leftarrow b + \\eta\\, s\\, t
              \\qquad \\text{if } t (w \\cdot x + b) \\le 0

    with learning rate eta and the sample's weight s. The weights are those of scikit-learn's Perceptron to the last
    bit. With ``solver="sgd"`` the same layer has logistic outputs (softmax for several classes) and minimises the log
    loss in mini-batches; only then are there probabilities.

    Parameters
    ----------
    solver : {"perceptron", "sgd"}, default="perceptron"
        The rule.
    fit_intercept : bool, default=True
        Whether there is an intercept.
    max_iter : int, default=1000
        Most epochs.
    tol : float or None, default=1e-3
        Stop when for `n_iter_no_change` epochs the mean loss was not lower than the best by this much (or the score on
        validation samples not higher); None: go through all epochs.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    verbose : int, default=0
        Whether to print the loss of each epoch of "sgd".
    eta0 : float, default=1.0
        The learning rate.
    batch_size : int or "auto", default="auto"
        Samples in a mini-batch of "sgd"; "auto" is min(200, n_samples). Not for the perceptron rule, which has no
        batches.
    n_jobs : int, default=None
        How many units the perceptron rule trains at the same time, as threads.
    random_state : int, RandomState instance or None, default=0
        Determines shuffling and the validation split.
    early_stopping : bool, default=False
        Whether to stop when the score on validation samples no longer improves; "sgd" then keeps the best weights. The
        samples are those given to fit as X_val, or a share set aside.
    validation_fraction : float, default=0.1
        The share of samples set aside, of each class where there are enough of them.
    scoring : str or callable, default="loss"
        The score on validation samples of "sgd", as of :class:`MLPClassifier`. The perceptron rule goes by accuracy on
        samples set aside, and takes neither X_val nor another scoring than the default.
    n_iter_no_change : int, default=5
        Epochs without improvement before stopping.
    class_weight : dict, "balanced" or None, default=None
        Factors on the weights of the samples of each class; partial_fit takes no "balanced".
    warm_start : bool, default=False
        Whether the next call of fit goes on from the fitted weights.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    coef_, intercept_ : ndarray of shape (n_outputs, n_features) and (n_outputs,)
        Weights and intercepts in float64; one row for two classes.
    network_ : Network
        The fitted network.
    n_iter_, t_ : int
        Epochs (of the unit that took most), and 1 plus the samples seen in them.
    loss_curve_ : list of float
        The mean loss of each epoch of "sgd".
    validation_scores_, best_validation_score_, validation_loss_curve_ : list of float, float, list of float
        As of :class:`sknn.MLPClassifier`, for "sgd".
    n_outputs_, n_layers_, out_activation_ : int, int, str
        As of :class:`sknn.MLPClassifier`; the activation is "identity" for the perceptron rule.
    n_features_in_, feature_names_in_ : int, ndarray
        Features seen in fit, and their names if they have string names.

    Raises
    ------
    ValueError
        On bad input, on fewer than two classes, and when the weights overflow.

    References
    ----------
    Rosenblatt (1958). The perceptron: a probabilistic model for information storage and organization in the brain.
    Psychological Review 65.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import PerceptronClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> PerceptronClassifier().fit(X, y == 0).score(X, y == 0)
    1.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **SingleLayer._parameter_constraints,
        "solver": [StrOptions({"perceptron", "sgd"})],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        **ClassifierTargets._class_constraints,
    }

    def __init__(
        self,
        *,
        solver: Literal["perceptron", "sgd"] = "perceptron",
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        batch_size: int | Literal["auto"] = "auto",
        n_jobs: int | None = None,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        n_iter_no_change: int = 5,
        class_weight: dict | Literal["balanced"] | None = None,
        warm_start: bool = False,
    ) -> None:
        self._keep_parameters(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> PerceptronClassifier:
        """Fit to samples and their classes.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : PerceptronClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> PerceptronClassifier:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever be seen; needed in the first call.

        Returns
        -------
        self : PerceptronClassifier
        """
        if self.class_weight == "balanced":
            raise ValueError(BALANCED_IN_PARTS)
        return self._fit(X, y, sample_weight, incremental=True, target=check_first_partial_fit(self, y, classes))

    def decision_function(self, X: Any) -> Array:
        """The raw outputs: positive on the side of a class.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        raw : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One column for each class if there are more than two.
        """
        raw = self._raw_outputs(X)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    predict_proba = available_if(_has_probabilities)(ClassifierTargets.predict_proba)
    predict_log_proba = available_if(_has_probabilities)(ClassifierTargets.predict_log_proba)

    def _influential(self, samples: Samples) -> Samples:
        if self.solver == "perceptron":
            return samples  # as in scikit-learn, a row of weight zero moves nothing but counts as an error
        return super()._influential(samples)

    def _class_weights(
        self, target: Target, y: Array, sample_weight: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        if self.solver == "perceptron":
            return None  # the rule takes them apart from the weights of samples
        return super()._class_weights(target, y, sample_weight, incremental)

    def _check_scoring(self, validation: Samples | None) -> None:
        if self.solver != "perceptron":
            super()._check_scoring(validation)
        elif validation is not None or self.scoring != "loss":
            raise ValueError(
                "solver='perceptron' stops by the accuracy on samples that it sets aside itself, as scikit-learn's; "
                "X_val and scoring need solver='sgd'"
            )

    def _new_target(self, y: Array, sample_weight: Array | None) -> Target:
        if y.ndim > 1:
            raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
        return super()._new_target(y, sample_weight)

    def _train(
        self, samples: Samples, target: Target, validation: Samples | None, fresh: bool, incremental: bool
    ) -> None:
        if len(target.classes_) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(target.classes_)} class: {target.classes_}"
            )
        if self.solver == "perceptron":
            self._train_rule(samples, target, fresh, incremental)
        else:
            super()._train(samples, target, validation, fresh, incremental)

    def _train_rule(self, samples: Samples, target: Target, fresh: bool, incremental: bool) -> None:
        self._check_rule(incremental)
        X, y, sample_weight = samples.X, samples.y, samples.sample_weight
        X = X if issparse(X) or is_mapped(X) else np.ascontiguousarray(X)
        class_weight = compute_class_weight(self.class_weight, classes=target.classes_, y=y)
        network = self._network(X.shape[1], target.n_outputs, None, np.dtype(self.dtype), fresh)
        layer = network.parameters["0"]
        observer = self._observer_of_rule(network, target)
        held_out = self._held_out(y, sample_weight) if self.early_stopping else np.array([], int)
        seeds = shuffle_seeds(check_random_state(self.random_state), len(target.classes_))
        if target.n_outputs == 1:
            positives, weights = target.classes_[1:], [(class_weight[1], class_weight[0])]
        else:
            positives, weights = target.classes_, [(factor, 1.0) for factor in class_weight]

        def keep(unit: int, coef: Array, intercept: float) -> None:
            layer["weight"][:, unit] = coef
            if self.fit_intercept:
                layer["bias"][unit] = intercept

        def learn(unit: int) -> PerceptronFit:
            return self._learn_unit(
                X,
                np.where(y == positives[unit], 1.0, -1.0),
                1.0 if sample_weight is None else sample_weight,
                weights=weights[unit],
                start=(layer["weight"][:, unit], float(layer["bias"][unit]) if self.fit_intercept else 0.0),
                seed=seeds[unit],
                held_out=held_out,
                max_iter=1 if incremental else self.max_iter,
                watch=None if observer is None else ObservedUnit(observer, unit, self.max_iter, partial(keep, unit)),
            )

        fits = Parallel(n_jobs=self.n_jobs, require="sharedmem")(delayed(learn)(k) for k in range(target.n_outputs))
        for unit, found in enumerate(fits):
            keep(unit, found.coef, found.intercept)
        self._target = target
        self._forget_history()
        self._keep_network(network, SquaredError())  # whose link, too, is the identity
        self.n_iter_ = max(found.n_iter for found in fits)
        earlier = getattr(self, "t_", 1) if incremental else 1
        self.t_ = earlier + self.n_iter_ * X.shape[0]
        if not incremental and self.tol is not None and self.n_iter_ == self.max_iter:
            warnings.warn(RULE_UNFINISHED.format(self.max_iter), ConvergenceWarning, stacklevel=2)

    def _check_rule(self, incremental: bool) -> None:
        """Raise ValueError on what the rule cannot do."""
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if self.batch_size != "auto":
            raise ValueError(
                f"batch_size={self.batch_size!r} does not apply with solver='perceptron', which learns sample by sample"
            )

    def _learn_unit(
        self,
        X: Any,
        y: Array,
        sample_weight: Array | float,
        *,
        weights: tuple[float, float],
        start: tuple[Array, float],
        seed: int,
        held_out: Array,
        max_iter: int,
        watch: ObservedUnit | None,
    ) -> PerceptronFit:
        """Train one unit on targets of +-1."""
        n = X.shape[0]
        orders = xorshift_orders(n, seed) if self.shuffle else repeat(np.arange(n)) if len(held_out) else None

        def accuracy(coef: Array, intercept: float) -> float:
            predicted = np.where(X[held_out] @ coef + intercept > 0, 1.0, -1.0)
            weight = np.broadcast_to(sample_weight, n)[held_out]
            return float(accuracy_score(y[held_out], predicted, sample_weight=weight))

        if len(held_out):
            kept = np.ones(n, bool)
            kept[held_out] = False
            orders = (order[kept[order]] for order in orders)  # type: ignore[union-attr]
        if watch is not None:
            orders = watch.told_of(repeat(None) if orders is None else orders)
        found = fit_perceptron(
            X,
            y,
            sample_weight,
            weight_pos=weights[0],
            weight_neg=weights[1],
            eta0=self.eta0,
            fit_intercept=self.fit_intercept,
            coef=start[0],
            intercept=start[1],
            max_iter=max_iter,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            orders=orders,
            validate=accuracy if len(held_out) else None,
            enough=None if watch is None else watch.enough,
        )
        if watch is not None:
            watch.ends()
        return found

    def _observer_of_rule(self, network: Network, target: Target) -> FitObserver | None:
        """Who tells the callbacks of the training by the rule, if there are any."""
        observer = vars(self).get("_observer")
        if observer is None:
            return None

        def attributes() -> dict[str, Any]:
            twin = copy(self)
            twin._observer, twin._target = None, target
            twin._forget_history()
            twin._keep_network(network.copy(), SquaredError())
            return dict(vars(twin))

        observer.training = Training(network, None, self, attributes, {}, by_gradient=False)
        observer.begins(None)
        return observer

    def _subtasks(self) -> dict[str, Any]:
        if self.solver == "perceptron":
            return {"max_subtasks": None, "sequential_subtasks": False}  # the units, whose subtasks are epochs
        return super()._subtasks()

    def _held_out(self, y: Array, sample_weight: Array | None) -> Array:
        """The rows set aside, the same as scikit-learn's: stratified by class."""
        splitter = StratifiedShuffleSplit(test_size=self.validation_fraction, random_state=self.random_state)
        _, held_out = next(splitter.split(np.zeros((len(y), 1)), y))
        if sample_weight is not None and not sample_weight[held_out].any():
            raise ValueError("sample_weight is zero for all samples of the validation set; try another random_state")
        return held_out

    def _batch_size(self, n_samples: int) -> int:
        return min(200 if self.batch_size == "auto" else self.batch_size, n_samples)


class ObservedUnit:
    """Tells callbacks of the training of one unit, a subtask of the fit."""

    def __init__(self, observer: FitObserver, unit: int, max_epochs: int, keep: Callable[[Array, float], None]) -> None:
        self.observer, self.keep = observer.unit(unit, max_epochs), keep
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


class PerceptronRegressor(RegressorTargets, RegressorMixin, SingleLayer):
    """The single linear neuron, trained by the delta rule; one for each output.

    For every sample (x, y) of weight s, one after the other,

    .. math:: e = y - w \\cdot x - b, \\qquad w \\leftarrow w + \\eta\\, s\\, e\\, x, \\qquad
              b \\leftarrow b + \\eta\\, s\\, e,

    a step down the gradient of the squared error. A step that would overshoot, because eta s is more than the inverse
    of the squared length of (x, 1), is shortened to just reach y (the normalised rule of the same authors), so training
    cannot diverge. It is fast when the features are scaled to about unit size.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether there is an intercept b.
    max_iter : int, default=1000
        Most epochs.
    tol : float or None, default=1e-3
        Stop when for `n_iter_no_change` epochs the mean squared error of an epoch was not lower than the best by this
        much of the variance of y (with early stopping that on validation samples, or another score not higher by this);
        None: go through all epochs.
    shuffle : bool, default=True
        Whether each epoch takes the samples in a new order.
    verbose : int, default=0
        Whether to print the loss of each epoch.
    eta0 : float, default=0.01
        The learning rate.
    random_state : int, RandomState instance or None, default=0
        Determines shuffling and the validation split.
    early_stopping : bool, default=False
        Whether to stop when the score on validation samples no longer improves, and keep the best weights. The samples
        are those given to fit as X_val, or a share set aside.
    validation_fraction : float, default=0.1
        The share of samples set aside.
    scoring : str or callable, default="loss"
        The score on validation samples, as of :class:`MLPRegressor`.
    n_iter_no_change : int, default=5
        Epochs without improvement before stopping.
    warm_start : bool, default=False
        Whether the next call of fit goes on from the fitted weights.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Weights in float64.
    intercept_ : ndarray of shape (n_outputs,)
        Intercepts.
    network_ : Network
        The fitted network.
    loss_curve_ : list of float
        Half the mean squared error of each epoch, each sample's taken before learning from it.
    validation_scores_, best_validation_score_, validation_loss_curve_ : list of float, float, list of float
        As of :class:`sknn.MLPRegressor`; the loss in units of y.
    n_iter_, t_ : int
        Epochs, and samples seen.
    n_features_in_, feature_names_in_ : int, ndarray
        Features seen in fit, and their names if they have string names.

    Raises
    ------
    ValueError
        On bad input; the estimator is then left as it was before the call.

    References
    ----------
    Widrow, Hoff (1960). Adaptive switching circuits. IRE WESCON Convention Record.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import PerceptronRegressor
    >>> X = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> neuron = PerceptronRegressor(eta0=0.1, tol=1e-9).fit(X, [-1.0, 1.0, 3.0, 5.0])
    >>> neuron.coef_.round(2), neuron.intercept_.round(2)
    (array([2.]), array([1.]))
    """

    _parameter_constraints: ClassVar[dict] = {**SingleLayer._parameter_constraints}

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 0.01,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        n_iter_no_change: int = 5,
        warm_start: bool = False,
    ) -> None:
        self._keep_parameters(locals())

    @property
    def coef_(self) -> Array:
        """The weights, a view of the network's parameters."""
        weights = _layer(self)["weight"].T
        return weights[0] if len(weights) == 1 else weights

    @property
    def intercept_(self) -> Array:
        """The biases; zeros without `fit_intercept`."""
        return _layer(self).get("bias", np.zeros(self.n_outputs_))

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> PerceptronRegressor:
        """Fit to samples and their values.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : PerceptronRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> PerceptronRegressor:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.

        Returns
        -------
        self : PerceptronRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _loss(self) -> SquaredError:
        return SquaredError()

    def _new_target(self, y: Array, sample_weight: Array | None) -> RealTarget:
        return RealTarget(y, sample_weight, self._loss(), standardise=False)

    def _descend(self, task: Task, optimizer: Optimizer) -> None:
        plan = self._plan_of(task)
        state = self._earlier_state(task) or self._new_state(task, optimizer, plan)
        by_loss = not task.stops_early or self.scoring == "loss"
        loop = DeltaRule(task, plan, state, self._validation(task), by_loss, print if self.verbose else None)
        self._finish(task, loop.epochs(self._observer_of_epochs(task, state)), state, plan)


class DeltaRule(FitLoop):
    """Epochs of the delta rule; losses are in units of y, the tolerance for them in units of its variance."""

    def __init__(
        self,
        task: Task,
        plan: Plan,
        state: TrainingState,
        validate: Callable[[], Verdict] | None,
        by_loss: bool,
        report: Callable[[str], None] | None,
    ) -> None:
        self.X = task.X if task.rows is None else task.X[task.rows]
        self.y = task.target.encode(task.y, np.dtype(np.float64))
        self.weight = np.ones(len(self.y)) if task.sample_weight is None else task.sample_weight
        self.step = np.minimum(plan.learning_rate_init * self.weight, 1.0 / _squared_length(self.X))
        if by_loss:
            mean = np.average(self.y, axis=0, weights=self.weight)
            plan = replace(plan, tol=plan.tol * self.mean_loss(self.y - mean))
        super().__init__(task.network, len(self.y), plan, state, task.rng, validate, report)

    def epoch(self) -> float:
        if self.plan.shuffle:
            self.shuffle()
        layer = self.network.parameters["0"]
        errors = np.empty_like(self.y)
        errors[self.order] = delta_rule_epoch(self.X, self.y, self.step, layer["weight"], layer.get("bias"), self.order)
        return self.mean_loss(errors)

    def mean_loss(self, errors: Array) -> float:
        """Half the weighted mean squared error, averaged over the outputs."""
        return float(0.5 * np.average(errors**2, weights=self.weight, axis=0).mean())


def _squared_length(X: Any) -> Array:
    """That of each row with a last 1 for the bias."""
    if issparse(X):
        return 1.0 + np.asarray(X.multiply(X).sum(axis=1)).ravel()
    return 1.0 + np.einsum("ij,ij->i", X, X, dtype=np.float64)
