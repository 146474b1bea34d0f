"""Convolutional networks for signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np

from ...autodiff.tape import Array
from ...description import in_order, is_integer
from ...nn import Conv, Dense, Dropout, Flatten, GlobalPool, Layer, Pool, Unflatten
from ...ops.windows import Padding, per_axis
from ...series import lies_in_series
from ...template import layers as dense
from ...template.estimator import Estimator
from ...template.inputs import as_rows, as_series, stated_shape
from ...template.kinds import Classifier, Regressor
from ...template.parameters import fitted, parameter

Size = int | Sequence[int]


class CNN(Estimator):
    """Blocks of convolutions, then dense layers.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998). Gradient-based learning applied to document recognition. Proc. IEEE 86.
    """

    filters: int | Sequence[int | Sequence[int]] = parameter(
        default=((32, 32), (64, 64)),
        interval="[1, inf)",
        text="Blocks of convolutions, each followed by a pooling: how many filters each convolution of each block has. "
        "An integer is a block of one.",
        kw_only=False,
    )
    kernel_size: Size | list[Size] = parameter(
        default=3,
        interval="[1, inf)",
        text="Taps of a kernel: for all axes, for each axis (a tuple), or for each block (a list of such).",
    )
    stride: Size = parameter(default=1, interval="[1, inf)", text="How far the windows of a convolution are apart.")
    padding: Literal["same", "valid"] | Size = parameter(
        default="same",
        interval="[0, inf)",
        text='Zeros around the grid. With "same" any size of input works, pooling keeps the ragged edge; otherwise it '
        "drops it, and an input too small for its kernels and pools is refused.",
    )
    dilation: Size | list[Size] = parameter(
        default=1,
        interval="[1, inf)",
        text="How far the taps of a kernel are apart, as `kernel_size`: ``dilation=[1, 2, 4]`` widens the receptive "
        "field block by block.",
    )
    pooling: Literal["max", "average"] | None = parameter(default="max", text="At the end of each block.")
    pool_size: Size = parameter(default=2, interval="[1, inf)", text="Of its windows, which do not overlap.")
    global_pooling: Literal["max", "average"] | None = parameter(
        default=None, text="One number for each channel in front of the dense layers, instead of all positions."
    )
    hidden_layer_sizes: int | Sequence[int] = parameter(
        default=(128,), interval="[1, inf)", text="Units of the dense layers."
    )
    depth: int | None = dense.DEPTH
    activation: str | Sequence[str] = parameter(
        default="relu",
        allowed=dense.ACTIVATION_NAMES,
        text="Of convolutions and hidden layers, one for all or one for each in order; see :class:`MLPClassifier`.",
    )
    batch_norm: bool = dense.BATCH_NORM
    layer_norm: bool = dense.LAYER_NORM
    dropout: float = dense.DROPOUT
    conv_dropout: float = parameter(
        default=0.0, interval="[0, 1)", text='The share of values dropped after each block. Not for "lbfgs".'
    )
    input_shape: Sequence[int] | None = parameter(
        default=None,
        text="(L, C), (H, W, C) or (D, H, W, C) of one sample, channels always named, in the order of `data_format`. X "
        "may have that shape, may leave out a single channel, or be flattened. None: 2-D X holds signals of one "
        "channel, 4-D images, 5-D volumes, a list or a column of arrays (T_i, C) or (T_i,) signals of different "
        "lengths, which need `global_pooling`; (None, C) is their shape. Steps at the end of (n, T, C) that are NaN "
        "are left out.",
    )
    data_format: Literal["channels_last", "channels_first"] = parameter(
        default="channels_last", text="Where the channels are in X and in `input_shape`."
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is min(32, n_samples), fewer than for the MLP, which generalises better '
        "here.",
    )
    input_scaling = "standard"

    _shape: tuple[Any, ...] = fitted("That of a sample, as it is stored; (None, channels) of series of any length.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True
    _auto_batch_size: ClassVar[int] = 32  # digits, shuffled 5-fold: 0.989 over eight seeds; at 200, one seed, 0.986

    def _layers(self, n_outputs: int) -> list[Layer]:
        free = self._shape[0] is None  # as many steps as there are: rows without padding
        shape = self._shape if free or self.input_shape is None else self._read_shape(self._shape)
        layers: list[Layer] = [] if free else [Unflatten(shape, self.data_format == "channels_first")]
        blocks = self._blocks()
        kernels, dilations = self._per_block("kernel_size", len(blocks)), self._per_block("dilation", len(blocks))
        per_axis("pool_size", self.pool_size, len(self._shape) - 1, least=1)
        sizes = dense.hidden_sizes(self)
        functions = iter(dense.activations(self.activation, sum(map(len, blocks)) + len(sizes)))
        for block, kernel_size, dilation in zip(blocks, kernels, dilations, strict=True):
            for filters in block:
                activation = next(functions)
                conv = Conv(filters, kernel_size, self.stride, self.padding, dilation, init=_init(activation))
                layers += dense.activated(self, conv, activation)
            if self.pooling is not None:
                ragged: Padding = "same" if isinstance(self.padding, str) and self.padding == "same" else "valid"
                layers.append(Pool(self.pooling, self.pool_size, padding=ragged))
            layers += [Dropout(self.conv_dropout)] if self.conv_dropout else []
        layers.append(Flatten() if self.global_pooling is None else GlobalPool(self.global_pooling))
        for units, activation in zip(sizes, functions, strict=True):
            layers += dense.hidden(self, Dense(units, init=_init(activation)), activation)
        return [*layers, Dense(n_outputs)]

    def _check_options(self) -> None:
        super()._check_options()
        if not dense.hidden_sizes(self):
            self._refuse(("dropout",), "no hidden dense layers (conv_dropout is for the blocks)")
        if np.iterable(self.filters) and not len(self.filters):
            self._refuse(("conv_dropout",), "no blocks of convolutions (dropout is for the dense layers)")
        if self.pooling is None:
            self._refuse(("pool_size",), "pooling=None")

    def _blocks(self) -> list[list[int]]:
        """How many filters the convolutions of each block have."""
        blocks: Any = [self.filters] if is_integer(self.filters) else self.filters
        listed = blocks if in_order(blocks) else [()]
        found: list[Any] = [[block] if is_integer(block) else block for block in listed]
        if not all(in_order(b) and len(b) and all(is_integer(n) and n > 0 for n in b) for b in found):
            raise ValueError(f"filters={self.filters!r} must hold a positive integer, or several, for each block")
        return found

    def _per_block(self, name: str, n_blocks: int) -> list[Size]:
        """A size for each block: a list has one for each, anything else holds for all."""
        value = getattr(self, name)
        sizes = value if isinstance(value, list) else [value] * n_blocks
        if len(sizes) != n_blocks:
            raise ValueError(f"{name}={value!r} lists {len(sizes)} blocks, but filters={self.filters!r} has {n_blocks}")
        return sizes

    def _read_x(self, X: Any, fresh: bool) -> Any:
        if not lies_in_series(self, X, fresh):
            return super()._read_x(as_rows(self, X, fresh, self.data_format), fresh)
        if self.data_format == "channels_first":
            raise ValueError("data_format='channels_first' does not apply to series of different lengths (T_i, C)")
        if self.global_pooling is None:
            raise ValueError(
                "global_pooling=None puts all positions in a row, of which series of different lengths have different "
                "numbers; say global_pooling='average' or 'max'"
            )
        return as_series(self, X, fresh)

    def _channels(self) -> Array | None:
        if self._shape[0] is None:
            return None
        positions, first = np.arange(prod(self._shape)), self.data_format == "channels_first"
        return positions // prod(self._shape[1:]) if first else positions % self._shape[-1]

    def _read_shape(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of a sample, as it is stored: stated, or found where that of X leaves no doubt."""
        first, found = self.data_format == "channels_first", given[1:]
        if self.input_shape is not None:
            order = "(C, L), (C, H, W) or (C, D, H, W)" if first else "(L, C), (H, W, C) or (D, H, W, C)"
            return stated_shape(self, range(2, 5), f"{order}, with the channels named")
        if len(found) < 2:
            return (1, *found) if first else (*found, 1)
        if len(found) in (3, 4) or None in found:
            return found
        if len(found) == 2:
            a, b = found
            steps, channels, image = (b, a, (1, a, b)) if first else (a, b, (a, b, 1))
            raise ValueError(
                f"X of shape {given} can be read in two ways: {given[0]} signals of {steps} steps with {channels} "
                f"channels, or {given[0]} images of {a} x {b} pixels with one channel. Say which: input_shape={found} "
                f"or input_shape={image}"
            )
        raise ValueError(f"X has shape {given}: signals have 2 axes, images 4 and volumes 5, all with the samples")


def _init(activation: str) -> str:
    """How weights in front of an activation function are drawn."""
    return "glorot_uniform" if activation in ("identity", "logistic", "sigmoid", "tanh", "softmax") else "he_uniform"


class CNNClassifier(CNN, Classifier):
    """Convolutional network classifier for signals, images and volumes.

    Blocks ``[convolution -> activation] * n -> pooling``, then dense layers; loss and outputs are those of
    :class:`MLPClassifier`.

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


class CNNRegressor(CNN, Regressor):
    """Convolutional network regressor for signals, images and volumes; standardises the target inside.

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
