"""Convolutional networks for signals, images and volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ...nn import Conv, Dense, Dropout, Flatten, GlobalPool, Layer, Pool, Unflatten
from ...ops.windows import Padding, per_axis
from ...template.targets import check_first_partial_fit
from ...template.training import ClassificationLoss, MultilayerEstimator, RegressionLoss, flattened

Size = int | Sequence[int]

TWO_READINGS = (
    "X of shape {shape} can be read in two ways: {n} signals of {steps} steps with {channels} channels, or {n} images "
    "of {a} x {b} pixels with one channel. Say which: input_shape={signals} or input_shape={images}"
)


class CNN(MultilayerEstimator):
    """What the parameters of convolutional networks mean for the layers, and how X becomes a grid."""

    _parameter_constraints: ClassVar[dict] = {
        **MultilayerEstimator._parameter_constraints,
        "filters": ["array-like", Interval(Integral, 1, None, closed="left")],
        "kernel_size": ["array-like", Interval(Integral, 1, None, closed="left")],
        "stride": ["array-like", Interval(Integral, 1, None, closed="left")],
        "padding": [StrOptions({"same", "valid"}), "array-like", Interval(Integral, 0, None, closed="left")],
        "dilation": ["array-like", Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"max", "average"}), None],
        "pool_size": ["array-like", Interval(Integral, 1, None, closed="left")],
        "global_pooling": [StrOptions({"max", "average"}), None],
        "conv_dropout": [Interval(Real, 0, 1, closed="left")],
        "input_shape": ["array-like", None],
        "data_format": [StrOptions({"channels_last", "channels_first"})],
    }

    _accepted_sparse = False
    _auto_batch_size = 32  # digits, shuffled 5-fold: 0.989 on average over eight seeds; at 200, one seed, 0.986
    _shape: tuple[int, ...]

    # -- the layers ------------------------------------------------------------------------------------------------

    def _layers(self, n_outputs: int) -> list[Layer]:
        shape = self._shape if self.input_shape is None else self._stated_shape()
        layers: list[Layer] = [Unflatten(shape, self.data_format == "channels_first"), *self._scaling()]
        blocks = self._blocks()
        kernels, dilations = self._per_block("kernel_size", len(blocks)), self._per_block("dilation", len(blocks))
        stride, pool_size = self._size("stride", self.stride), self._size("pool_size", self.pool_size)
        sizes = self._hidden_sizes()
        activations = iter(self._activations(sum(map(len, blocks)) + len(sizes)))
        for block, kernel_size, dilation in zip(blocks, kernels, dilations, strict=True):
            for filters in block:
                activation = next(activations)
                conv = Conv(filters, kernel_size, stride, _tuple(self.padding), dilation, init=_init(activation))
                layers += self._activated(conv, activation)
            if self.pooling is not None:
                ragged: Padding = "same" if isinstance(self.padding, str) and self.padding == "same" else "valid"
                layers.append(Pool(self.pooling, pool_size, padding=ragged))
            layers += [Dropout(self.conv_dropout)] if self.conv_dropout else []
        layers.append(Flatten() if self.global_pooling is None else GlobalPool(self.global_pooling))
        for units, activation in zip(sizes, activations, strict=True):
            layers += self._hidden_layer(Dense(units, init=_init(activation)), activation)
        return [*layers, Dense(n_outputs)]

    def _check_options(self) -> None:
        super()._check_options()
        if not self._hidden_sizes():
            self._refuse(("dropout",), "no hidden dense layers (conv_dropout is for the blocks)")
        if not isinstance(self.filters, Integral) and not len(self.filters):
            self._refuse(("conv_dropout",), "no blocks of convolutions (dropout is for the dense layers)")
        if self.pooling is None:
            self._refuse(("pool_size",), "pooling=None")

    def _blocks(self) -> list[list[int]]:
        """How many filters the convolutions of each block have."""
        blocks = [self.filters] if isinstance(self.filters, Integral) else self.filters
        found = [[block] if isinstance(block, Integral) else block for block in blocks]
        if any(isinstance(block, str) or not hasattr(block, "__len__") or not len(block) for block in found) or any(
            not isinstance(filters, Integral) or filters < 1 for block in found for filters in block
        ):
            raise ValueError(f"filters={self.filters!r} must hold a positive integer, or several, for each block")
        return [[int(filters) for filters in block] for block in found]

    def _per_block(self, name: str, n_blocks: int) -> list[Size]:
        """A size for each block: a list has one for each, anything else holds for all."""
        value = getattr(self, name)
        if not isinstance(value, list):
            return [self._size(name, value)] * n_blocks
        if len(value) != n_blocks:
            raise ValueError(f"{name}={value!r} lists {len(value)} blocks, but filters={self.filters!r} has {n_blocks}")
        return [self._size(name, size) for size in value]

    def _size(self, name: str, value: Any) -> Size:
        """A size for all axes or for each; ValueError if it is neither."""
        per_axis(name, value, len(self._shape) - 1, least=1)
        return _tuple(value)

    # -- the inputs ------------------------------------------------------------------------------------------------

    def _as_rows(self, X: Any, fresh: bool) -> Any:
        X = X if hasattr(X, "shape") else np.asarray(X)
        given = X.shape
        if fresh:
            self._shape = self._read_shape(given)
        if len(given) <= 2:
            return X
        channel = 0 if self.data_format == "channels_first" else len(self._shape) - 1
        return flattened(X, self._shape, channel, f" ({self.data_format})")

    def _read_shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a sample, as it is stored: stated, or found where that of X leaves no doubt."""
        found = given[1:]
        if self.input_shape is not None:
            return self._stated_shape()
        if len(found) == 2:
            raise ValueError(self._two_readings(*given))
        if len(found) in (3, 4):
            return found
        if len(found) > 4:
            raise ValueError(f"X has shape {given}: signals have 2 axes, images 4 and volumes 5, all with the samples")
        n_steps = found[0] if found else 0
        return (1, n_steps) if self.data_format == "channels_first" else (n_steps, 1)

    def _two_readings(self, n: int, a: int, b: int) -> str:
        first = self.data_format == "channels_first"
        steps, channels, images = (b, a, (1, a, b)) if first else (a, b, (a, b, 1))
        return TWO_READINGS.format(
            shape=(n, a, b), n=n, a=a, b=b, steps=steps, channels=channels, signals=(a, b), images=images
        )

    def _stated_shape(self) -> tuple[int, ...]:
        shape = tuple(self.input_shape)
        if not 2 <= len(shape) <= 4 or any(not isinstance(size, Integral) or size < 1 for size in shape):
            order = "(C, L), (C, H, W) or (C, D, H, W)"
            if self.data_format == "channels_last":
                order = "(L, C), (H, W, C) or (D, H, W, C)"
            raise ValueError(f"input_shape={self.input_shape!r} must be {order}, with the channels named")
        return tuple(int(size) for size in shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    # -- looking ---------------------------------------------------------------------------------------------------

    @property
    def n_layers_(self) -> int:
        """The number of layers with weights, with the inputs as one more."""
        return 1 + sum(isinstance(layer, Conv | Dense) for layer in self.network_.layers)


def _init(activation: str) -> str:
    """How weights in front of an activation function are drawn."""
    return "glorot_uniform" if activation in ("identity", "logistic", "sigmoid", "tanh", "softmax") else "he_uniform"


def _tuple(value: Any) -> Any:
    """Sequences as tuples, so that layers can be compared."""
    return value if isinstance(value, str | Integral) else tuple(value)


class CNNClassifier(ClassificationLoss, ClassifierMixin, CNN):
    """Convolutional network classifier for signals, images and volumes.

    Blocks ``[convolution -> activation] * n -> pooling``, then dense layers; loss and outputs are those of
    :class:`MLPClassifier`.

    Parameters
    ----------
    filters : int or sequence of int or of sequences of int, default=((32, 32), (64, 64))
        Blocks of convolutions, each followed by a pooling: how many filters each convolution of each block has. An
        integer is a block of one.
    kernel_size, dilation : int, tuple of int or list, default=3, 1
        Taps of a kernel and how far they are apart: for all axes, for each axis (a tuple), or for each block (a list of
        such). ``dilation=[1, 2, 4]`` widens the receptive field block by block.
    stride : int or tuple of int, default=1
        How far the windows of a convolution are apart.
    padding : "same", "valid", int or tuple of int, default="same"
        Zeros around the grid. With "same" any size of input works, pooling keeps the ragged edge; otherwise it drops
        it, and an input too small for its kernels and pools is refused.
    pooling : {"max", "average"} or None, default="max"
        At the end of each block.
    pool_size : int or tuple of int, default=2
        Of its windows, which do not overlap.
    global_pooling : {"max", "average"} or None, default=None
        One number for each channel in front of the dense layers, instead of all positions.
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Units of the dense layers.
    depth : int or None, default=None
        With an integer `hidden_layer_sizes`, how many hidden dense layers have that width; None: one.
    activation : str or sequence of str, default="relu"
        Of convolutions and hidden layers, one for all or one for each in order; see :class:`MLPClassifier`.
    batch_norm : bool, default=False
        Whether to normalise each channel, or unit, over the batch in front of the activation. Not for "lbfgs" or a
        `batch_size` of 1.
    layer_norm : bool, default=False
        Whether to normalise there over the channels of each position, or the units of a layer, instead.
    dropout, conv_dropout : float, default=0.0
        The share of values dropped after each hidden dense layer, and after each block. Not for "lbfgs".
    input_shape : tuple of int or None, default=None
        (L, C), (H, W, C) or (D, H, W, C) of one sample, channels always named, in the order of `data_format`. X may
        have that shape, may leave out a single channel, or be flattened. None: 2-D X holds signals of one channel, 4-D
        images, 5-D volumes.
    data_format : {"channels_last", "channels_first"}, default="channels_last"
        Where the channels are in X and in `input_shape`.
    solver, alpha, clip_norm, label_smoothing, learning_rate, learning_rate_init, power_t, max_iter, shuffle
        See :class:`MLPClassifier`.
    batch_size : int or "auto", default="auto"
        Samples in a mini-batch; "auto" is min(32, n_samples), fewer than for the MLP, which generalises better here.
    verbose, warm_start, class_weight, momentum, nesterovs_momentum, early_stopping, validation_fraction, scoring
        See :class:`MLPClassifier`.
    random_state, tol, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dtype
        See :class:`MLPClassifier`.
    input_scaling : {"standard", None}, default="standard"
        Whether the network standardises its inputs, channel by channel, with what it learns in the first fit.

    Attributes
    ----------
    network_ : Network
        The fitted network; :meth:`summary` tells its layers.
    n_features_in_ : int
        The product of the input's shape.
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
        On bad input, on an X whose axes could be read in two ways, when an option is chosen that does not apply
        (scikit-learn's own have no effect then), and when training diverges; the estimator is then left as it was
        before the call.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proc. IEEE 86.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sknn import CNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> cnn = CNNClassifier((8, 16), hidden_layer_sizes=(), input_shape=(8, 8, 1), tol=0.01, random_state=0)
    >>> cnn = cnn.set_params(learning_rate_init=0.01)
    >>> cnn.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict] = {**CNN._parameter_constraints, **ClassificationLoss._class_constraints}

    def __init__(
        self,
        filters: int | Sequence = ((32, 32), (64, 64)),
        *,
        kernel_size: Size | list[Size] = 3,
        stride: Size = 1,
        padding: Literal["same", "valid"] | Size = "same",
        dilation: Size | list[Size] = 1,
        pooling: Literal["max", "average"] | None = "max",
        pool_size: Size = 2,
        global_pooling: Literal["max", "average"] | None = None,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        depth: int | None = None,
        activation: str | Sequence[str] = "relu",
        batch_norm: bool = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        conv_dropout: float = 0.0,
        input_shape: Sequence[int] | None = None,
        data_format: Literal["channels_last", "channels_first"] = "channels_last",
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
        input_scaling: Literal["standard"] | None = "standard",
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
    ) -> CNNClassifier:
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
        self : CNNClassifier
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @available_if(CNN._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> CNNClassifier:
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
        self : CNNClassifier
        """
        return self._fit(X, y, sample_weight, incremental=True, target=check_first_partial_fit(self, y, classes))


class CNNRegressor(RegressionLoss, RegressorMixin, CNN):
    """Convolutional network regressor for signals, images and volumes; standardises the target inside.

    Parameters
    ----------
    filters : int or sequence of int or of sequences of int, default=((32, 32), (64, 64))
        Blocks of convolutions, each followed by a pooling: how many filters each convolution of each block has. An
        integer is a block of one.
    kernel_size, dilation : int, tuple of int or list, default=3, 1
        Taps of a kernel and how far they are apart: for all axes, for each axis (a tuple), or for each block (a list of
        such). ``dilation=[1, 2, 4]`` widens the receptive field block by block.
    stride : int or tuple of int, default=1
        How far the windows of a convolution are apart.
    padding : "same", "valid", int or tuple of int, default="same"
        Zeros around the grid. With "same" any size of input works, pooling keeps the ragged edge; otherwise it drops
        it, and an input too small for its kernels and pools is refused.
    pooling : {"max", "average"} or None, default="max"
        At the end of each block.
    pool_size : int or tuple of int, default=2
        Of its windows, which do not overlap.
    global_pooling : {"max", "average"} or None, default=None
        One number for each channel in front of the dense layers, instead of all positions.
    hidden_layer_sizes : int or sequence of int, default=(128,)
        Units of the dense layers.
    depth : int or None, default=None
        With an integer `hidden_layer_sizes`, how many hidden dense layers have that width; None: one.
    activation : str or sequence of str, default="relu"
        Of convolutions and hidden layers, one for all or one for each in order; see :class:`MLPClassifier`.
    batch_norm : bool, default=False
        Whether to normalise each channel, or unit, over the batch in front of the activation. Not for "lbfgs" or a
        `batch_size` of 1.
    layer_norm : bool, default=False
        Whether to normalise there over the channels of each position, or the units of a layer, instead.
    dropout, conv_dropout : float, default=0.0
        The share of values dropped after each hidden dense layer, and after each block. Not for "lbfgs".
    input_shape : tuple of int or None, default=None
        (L, C), (H, W, C) or (D, H, W, C) of one sample, channels always named, in the order of `data_format`. X may
        have that shape, may leave out a single channel, or be flattened. None: 2-D X holds signals of one channel, 4-D
        images, 5-D volumes.
    data_format : {"channels_last", "channels_first"}, default="channels_last"
        Where the channels are in X and in `input_shape`.
    loss, delta, quantile, target_scaling
        See :class:`MLPRegressor`.
    solver, alpha, clip_norm, learning_rate, learning_rate_init, power_t, max_iter, shuffle
        See :class:`MLPClassifier`.
    batch_size : int or "auto", default="auto"
        Samples in a mini-batch; "auto" is min(32, n_samples), fewer than for the MLP, which generalises better here.
    verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, scoring
        See :class:`MLPClassifier`.
    random_state, tol, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dtype
        See :class:`MLPClassifier`.
    input_scaling : {"standard", None}, default="standard"
        Whether the network standardises its inputs, channel by channel, with what it learns in the first fit.

    Attributes
    ----------
    network_ : Network
        The fitted network; :meth:`summary` tells its layers.
    n_features_in_ : int
        The product of the input's shape.
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
        On bad input, on an X whose axes could be read in two ways, when an option is chosen that does not apply
        (scikit-learn's own have no effect then), and when training diverges; the estimator is then left as it was
        before the call.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proc. IEEE 86.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import CNNRegressor
    >>> rng = np.random.RandomState(0)
    >>> centre, x = rng.uniform(10, 30, (300, 1)), np.arange(40)
    >>> X = np.exp(-((x - centre) ** 2) / 8) + 0.1 * rng.standard_normal((300, 40))
    >>> cnn = CNNRegressor((8, 8), kernel_size=5, learning_rate_init=0.01, tol=0.001, random_state=0)
    >>> cnn.fit(X[:200], centre[:200, 0]).score(X[200:], centre[200:, 0]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict] = {**CNN._parameter_constraints, **RegressionLoss._loss_constraints}

    def __init__(
        self,
        filters: int | Sequence = ((32, 32), (64, 64)),
        *,
        kernel_size: Size | list[Size] = 3,
        stride: Size = 1,
        padding: Literal["same", "valid"] | Size = "same",
        dilation: Size | list[Size] = 1,
        pooling: Literal["max", "average"] | None = "max",
        pool_size: Size = 2,
        global_pooling: Literal["max", "average"] | None = None,
        hidden_layer_sizes: int | Sequence[int] = (128,),
        depth: int | None = None,
        activation: str | Sequence[str] = "relu",
        batch_norm: bool = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        conv_dropout: float = 0.0,
        input_shape: Sequence[int] | None = None,
        data_format: Literal["channels_last", "channels_first"] = "channels_last",
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
        input_scaling: Literal["standard"] | None = "standard",
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
    ) -> CNNRegressor:
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
        self : CNNRegressor
        """
        return self._fit(X, y, sample_weight, incremental=False, validation=(X_val, y_val, sample_weight_val))

    @available_if(CNN._is_stochastic)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> CNNRegressor:
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
        self : CNNRegressor
        """
        return self._fit(X, y, sample_weight, incremental=True)
