"""Networks from layers of your own choice, with parameters that searches reach into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils.metaestimators import available_if

from ...nn import Dense, Layer, Network, Unflatten
from ...nn.init import Random
from ...template.targets import check_first_partial_fit
from ...template.training import ClassificationLoss, MultilayerEstimator, RegressionLoss, flattened


def _parts(description: Any) -> dict[str, Any]:
    """What a layer or a sequence of layers consists of, by name or position; nothing for anything else."""
    if isinstance(description, Layer) and is_dataclass(description):
        return {each.name: getattr(description, each.name) for each in fields(description) if each.init}
    if isinstance(description, list | tuple) and any(isinstance(each, Layer) for each in description):
        return {str(position): each for position, each in enumerate(description)}
    return {}


def _nested(description: Any, name: str) -> dict[str, Any]:
    """All that lies inside a description: each layer as name__0 and each of its parameters as name__0__units."""
    found = {}
    for key, part in _parts(description).items():
        inner = f"{name}__{key}"
        found.update({inner: part, **_nested(part, inner)})
    return found


def _changed(description: Any, changes: dict[str, Any]) -> Any:
    """A new description with some of its parts changed, told by paths such as "0__units"; the old one stays."""
    parts = _parts(description)
    by_part: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        part, _, rest = path.partition("__")
        by_part.setdefault(part, {})[rest] = value
    for part, inner in by_part.items():
        if part not in parts:
            raise ValueError(f"Invalid parameter {part!r} for {description!r}. Valid parameters are: {list(parts)!r}.")
        whole = inner.pop("", parts[part])  # first the part as a whole, then what is inside it
        parts[part] = _changed(whole, inner) if inner else whole
    return type(description)(**parts) if isinstance(description, Layer) else type(description)(parts.values())


def _all(layers: Sequence[Layer]) -> Iterator[Layer]:
    """The layers, and those within them."""
    for layer in layers:
        yield layer
        yield from _all(layer.inner)


class OwnNetwork(MultilayerEstimator):
    """What a list of layers means for the network, and how searches reach into it."""

    _parameter_constraints: ClassVar[dict] = {
        **MultilayerEstimator._parameter_constraints,
        "layers": [list, tuple],
        "input_shape": ["array-like", None],
    }

    _shape: tuple[int, ...]

    # -- parameters ------------------------------------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to tell each layer too, as ``layers__0``, and its parameters, as ``layers__0__units``.

        Returns
        -------
        params : dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        return {**params, **_nested(self.layers, "layers")} if deep else params

    def set_params(self, **params: Any) -> Any:
        """Set parameters of this estimator and of its layers.

        ``layers__0=Dense(5)`` replaces a whole layer, ``layers__0__units=5`` one of its parameters. The layers and
        the list given to the estimator stay as they are: it gets a new list with new layers.

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no such parameter or layer; nothing is changed then.
        """
        prefix = "layers__"
        inner = {name.removeprefix(prefix): value for name, value in params.items() if name.startswith(prefix)}
        own = {name: value for name, value in params.items() if not name.startswith(prefix)}
        if inner:
            own["layers"] = _changed(own.get("layers", self.layers), inner)
        return super().set_params(**own)

    # -- the layers ------------------------------------------------------------------------------------------------

    def _check_options(self) -> None:
        super()._check_options()
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise ValueError(f"layers[{position}]={layer!r} is no layer of sknn.nn, such as Dense(100)")
        for layer in _all(self.layers):
            if self.solver == "lbfgs" and (layer.is_random or layer.needs_batch):
                why = "which needs the same function of the weights at every step"
                raise ValueError(f"{layer!r} among the layers does not apply with solver='lbfgs', {why}")
            if self.batch_size == 1 and layer.needs_batch:
                why = "a single sample has no spread to be normalised by"
                raise ValueError(f"{layer!r} among the layers does not apply with batch_size=1: {why}")

    def _layers(self, n_outputs: int) -> list[Layer]:
        grid: list[Layer] = [Unflatten(self._shape)] if len(self._shape) > 1 else []
        return [*grid, *self._scaling(), *self.layers, Dense(n_outputs)]

    def _network(self, n_features: int, n_outputs: int, rng: Random, dtype: np.dtype, fresh: bool) -> Network:
        network = super()._network(n_features, n_outputs, rng, dtype, fresh)
        if len(network.output_shape) > 1:
            raise ValueError(
                f"layers end in samples of shape {network.shapes[-2]}, but the output layer takes a row of features: "
                "put Flatten() or GlobalPool() where the grid is to end"
            )
        return network

    @property
    def n_layers_(self) -> int:
        """The number of layers with weights, with the inputs as one more."""
        return 1 + sum(name.endswith(".weight") for name in self.network_.names)

    # -- the inputs ------------------------------------------------------------------------------------------------

    @property
    def _accepted_sparse(self) -> Any:
        """Sparse X can go into a dense layer only."""
        first = self.layers[0] if isinstance(self.layers, list | tuple) and self.layers else Dense(1)
        rows = self.input_shape is None or len(self.input_shape) == 1
        return MultilayerEstimator._accepted_sparse if rows and isinstance(first, Dense) else False

    def _as_rows(self, X: Any, fresh: bool) -> Any:
        X = X if hasattr(X, "shape") else np.asarray(X)
        if fresh:
            self._shape = X.shape[1:] if self.input_shape is None else self._stated_shape()
        if issparse(X) or len(X.shape) <= 2:
            return X
        return flattened(X, self._shape, channel=len(self._shape) - 1, order="")

    def _stated_shape(self) -> tuple[int, ...]:
        shape = tuple(self.input_shape)
        if not shape or any(not isinstance(size, Integral) or size < 1 for size in shape):
            raise ValueError(f"input_shape={self.input_shape!r} must be positive integers, such as (8, 8, 1)")
        return tuple(int(size) for size in shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class NetworkClassifier(ClassificationLoss, ClassifierMixin, OwnNetwork):
    """Classifier with a network of your own layers; loss and outputs are those of :class:`MLPClassifier`.

    Parameters
    ----------
    layers : list or tuple of Layer, default=(Dense(100, activation="relu"),)
        The hidden layers, from :mod:`sknn.nn`, in order. The output layer is added: a Dense layer with as many units as
        the target needs. They must end in a row of features for each sample: after convolutions comes ``Flatten()`` or
        ``GlobalPool()``. They are descriptions that fitting never changes, so the same may stand in several networks.
        In searches ``layers__0__units`` is a parameter of the first one, ``layers__0`` that layer as a whole.
    input_shape : tuple of int or None, default=None
        Of one sample as the first layer is to see it, (H, W, C) for images, with the channels named and last. X may
        have that shape, may leave out a single channel, or be flattened. None: the shape that samples have in X.
    solver, alpha, clip_norm, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state
        See :class:`MLPClassifier`.
    tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, scoring
        See :class:`MLPClassifier`.
    label_smoothing, class_weight, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dtype
        See :class:`MLPClassifier`.
    input_scaling : {"standard", None}, default=None
        Whether the network standardises its inputs, channel by channel, with what it learns in the first fit.

    Attributes
    ----------
    network_ : Network
        The fitted network; :meth:`summary` tells its layers.
    n_features_in_ : int
        The product of the input's shape.
    feature_names_in_ : ndarray
        Names of the features, if X had string names.
    classes_ : ndarray of shape (n_classes,), or a list of such
        Class labels; for several columns of classes those of each.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, validation_loss_curve_
        See :class:`MLPClassifier`.
    n_iter_, t_, n_layers_, n_outputs_
        See :class:`MLPClassifier`.
    out_activation_ : str
        "logistic" or "softmax".

    Raises
    ------
    ValueError
        On bad input, on layers that do not fit each other, when an option or a layer is chosen that does not apply
        (scikit-learn's own options have no effect then), and when training diverges; the estimator is then left as it
        was before the call.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sknn import NetworkClassifier
    >>> from sknn.nn import BatchNorm, Dense
    >>> X, y = load_iris(return_X_y=True)
    >>> network = NetworkClassifier([Dense(8, activation="tanh"), BatchNorm()], learning_rate_init=0.03, tol=0.01)
    >>> network.set_params(layers__0__units=16, random_state=0).fit(X, y).summary()[["layer", "parameters"]]
                 layer  parameters
    0  Dense(16, tanh)          80
    1      BatchNorm()          32
    2         Dense(3)          51
    >>> search = GridSearchCV(network, {"layers__0__units": [4, 16], "layers__0__activation": ["tanh", "relu"]})
    >>> search.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **OwnNetwork._parameter_constraints,
        **ClassificationLoss._class_constraints,
    }

    def __init__(
        self,
        layers: Sequence[Layer] = (Dense(100, activation="relu"),),
        *,
        input_shape: Sequence[int] | None = None,
        solver: Literal["adam", "sgd", "adamw", "rmsprop", "lbfgs"] = "adam",
        alpha: float = 0.0001,
        clip_norm: float | None = None,
        label_smoothing: float = 0.0,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        class_weight: dict | list[dict] | Literal["balanced"] | None = None,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        input_scaling: Literal["standard"] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
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
    ) -> NetworkClassifier:
        """Fit to samples and their classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, *input_shape) or (n_samples, n_features)
            Samples, as grids or flattened.
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_columns)
            Class labels, an indicator matrix, or several columns of class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        X_val, y_val : array-like, default=None
            Validation samples, which nothing is learnt from: ``early_stopping=True`` goes by them instead of setting
            samples aside; otherwise score and loss on them are only recorded.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : NetworkClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @available_if(OwnNetwork._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> NetworkClassifier:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like of shape (n_samples, *input_shape) or (n_samples, n_features)
            Samples, as grids or flattened.
        y : array-like of shape (n_samples,), (n_samples, n_labels) or (n_samples, n_columns)
            Class labels, an indicator matrix, or several columns of class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.
        classes : array-like of shape (n_classes,) or list of such, default=None
            All classes that will ever be seen, a list of them for several columns; needed in the first call.

        Returns
        -------
        self : NetworkClassifier
        """
        return self._fit(X, y, sample_weight, incremental=True, target=check_first_partial_fit(self, y, classes))


class NetworkRegressor(RegressionLoss, RegressorMixin, OwnNetwork):
    """Regressor with a network of your own layers; standardises the target inside.

    Parameters
    ----------
    layers : list or tuple of Layer, default=(Dense(100, activation="relu"),)
        The hidden layers, from :mod:`sknn.nn`, in order. The output layer is added: a Dense layer with as many units as
        the target needs. They must end in a row of features for each sample: after convolutions comes ``Flatten()`` or
        ``GlobalPool()``. They are descriptions that fitting never changes, so the same may stand in several networks.
        In searches ``layers__0__units`` is a parameter of the first one, ``layers__0`` that layer as a whole.
    input_shape : tuple of int or None, default=None
        Of one sample as the first layer is to see it, (H, W, C) for images, with the channels named and last. X may
        have that shape, may leave out a single channel, or be flattened. None: the shape that samples have in X.
    loss, delta, quantile, target_scaling
        See :class:`MLPRegressor`.
    solver, alpha, clip_norm, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state
        See :class:`MLPClassifier`.
    tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, scoring
        See :class:`MLPClassifier`.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dtype
        See :class:`MLPClassifier`.
    input_scaling : {"standard", None}, default=None
        Whether the network standardises its inputs, channel by channel, with what it learns in the first fit.

    Attributes
    ----------
    network_ : Network
        The fitted network; :meth:`summary` tells its layers.
    n_features_in_ : int
        The product of the input's shape.
    feature_names_in_ : ndarray
        Names of the features, if X had string names.
    y_mean_, y_scale_ : float or ndarray of shape (n_outputs,)
        What the target was standardised with.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, validation_loss_curve_
        See :class:`MLPClassifier`.
    n_iter_, t_, n_layers_, n_outputs_
        See :class:`MLPClassifier`.
    out_activation_ : str
        "identity", or "exp" for "poisson".

    Raises
    ------
    ValueError
        On bad input, on layers that do not fit each other, when an option or a layer is chosen that does not apply
        (scikit-learn's own options have no effect then), and when training diverges; the estimator is then left as it
        was before the call.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import NetworkRegressor
    >>> from sknn.nn import Conv, Dense, GlobalPool
    >>> rng = np.random.RandomState(0)
    >>> X = np.sin(np.arange(30) * rng.uniform(0.2, 2, (300, 1)))[..., None]  # waves of 30 steps with one channel
    >>> y = np.abs(np.diff(X[..., 0])).mean(axis=1)
    >>> network = NetworkRegressor(
    ...     [Conv(8, kernel_size=5, activation="relu"), GlobalPool(), Dense(8, activation="tanh")],
    ...     learning_rate_init=0.01,
    ...     random_state=0,
    ... )
    >>> network.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict] = {**OwnNetwork._parameter_constraints, **RegressionLoss._loss_constraints}

    def __init__(
        self,
        layers: Sequence[Layer] = (Dense(100, activation="relu"),),
        *,
        input_shape: Sequence[int] | None = None,
        loss: Literal["squared_error", "absolute_error", "huber", "poisson", "quantile"] = "squared_error",
        delta: float = 1.35,
        quantile: float | Sequence[float] = 0.5,
        target_scaling: Literal["standard"] | None = "standard",
        solver: Literal["adam", "sgd", "adamw", "rmsprop", "lbfgs"] = "adam",
        alpha: float = 0.0001,
        clip_norm: float | None = None,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: str | Callable = "loss",
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        input_scaling: Literal["standard"] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
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
    ) -> NetworkRegressor:
        """Fit to samples and their values.

        Parameters
        ----------
        X : array-like of shape (n_samples, *input_shape) or (n_samples, n_features)
            Samples, as grids or flattened.
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
        self : NetworkRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @available_if(OwnNetwork._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> NetworkRegressor:
        """Go through the given samples once, going on from the fitted weights if there are any.

        Parameters
        ----------
        X : array-like of shape (n_samples, *input_shape) or (n_samples, n_features)
            Samples, as grids or flattened.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; None: all are one.

        Returns
        -------
        self : NetworkRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)
