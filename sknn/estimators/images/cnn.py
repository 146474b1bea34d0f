"""Convolutional networks for signals, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np

from ...augment import Augmentation
from ...autodiff.tape import Array
from ...description import in_order, is_integer
from ...nn import Conv, Dense, Draws, Dropout, Flatten, GlobalPool, Layer, Pool, Unflatten
from ...ops.windows import Padding, per_axis
from ...series import is_ragged, lies_in_series
from ...template import layers as dense
from ...template.augmented import AUGMENT, augmented_batch
from ...template.estimator import Estimator
from ...template.grids import read_grids, warn_of_images
from ...template.inputs import as_rows, stated_shape
from ...template.kinds import Classifier, Regressor
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples

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
        "channel, 3-D signals (n, T, C), 4-D images, 5-D volumes, a list or a column of arrays samples of different "
        "sizes, (T_i, C) or (H_i, W_i, C), which need `global_pooling`. (None, C) says that any length will do, (None, "
        "None, C) any size. Steps at the end of (n, T, C) that are NaN are left out.",
    )
    data_format: Literal["channels_last", "channels_first"] = parameter(
        default="channels_last", text="Where the channels are in X and in `input_shape`."
    )
    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Samples in a mini-batch; "auto" is min(32, n_samples), fewer than for the MLP, which generalises better '
        "here.",
    )
    input_scaling = "standard"

    _shape: tuple[Any, ...] = fitted("That of a sample, as it is stored; None along axes of any size.")
    _in_rows: bool = fitted("Whether samples are rows of features, which become grids in the network.")
    _accepted_sparse: ClassVar[Any] = False
    _how_free: ClassVar[str] = "say global_pooling='average' or 'max', which makes one row of channels of each"
    _accepts_grids: ClassVar[bool] = True
    _auto_batch_size: ClassVar[int] = 32  # digits, shuffled 5-fold: 0.989 over eight seeds; at 200, one seed, 0.986

    @property
    def _free_grid(self) -> bool:
        return self.global_pooling is not None

    def _layers(self, n_outputs: int) -> list[Layer]:
        layers: list[Layer] = []
        if self._in_rows:
            shape = self._shape if self.input_shape is None else self._read_shape(self._shape)
            layers.append(Unflatten(shape, self.data_format == "channels_first"))
        blocks = self._blocks()
        kernels, dilations = self._per_block("kernel_size", len(blocks)), self._per_block("dilation", len(blocks))
        per_axis("pool_size", self.pool_size, len(self._shape) - 1, least=1)
        sizes = dense.hidden_sizes(self)
        functions = iter(dense.activations(self.activation, sum(map(len, blocks)) + len(sizes)))
        for block, kernel_size, dilation in zip(blocks, kernels, dilations, strict=True):
            for filters in block:
                activation = next(functions)
                conv = Conv(
                    filters, kernel_size, self.stride, self.padding, dilation, init=dense.init_before(activation)
                )
                layers += dense.activated(self, conv, activation)
            if self.pooling is not None:
                ragged: Padding = "same" if isinstance(self.padding, str) and self.padding == "same" else "valid"
                layers.append(Pool(self.pooling, self.pool_size, padding=ragged))
            layers += [Dropout(self.conv_dropout)] if self.conv_dropout else []
        layers.append(Flatten() if self.global_pooling is None else GlobalPool(self.global_pooling))
        for units, activation in zip(sizes, functions, strict=True):
            layers += dense.hidden(self, Dense(units, init=dense.init_before(activation)), activation)
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
        self._in_rows = self._are_rows(X) if fresh else self._in_rows and not lies_in_series(self, X, fresh)
        if self._in_rows:
            return super()._read_x(as_rows(self, X, fresh, self.data_format), fresh)
        x = read_grids(self, X, fresh)
        if fresh and self.input_shape is not None:
            self._leave_open(self._read_shape(np.shape(x)))
        return x

    def _are_rows(self, X: Any) -> bool:
        """Whether samples come, or may come, as rows of features, of which only the parameters say how they lie."""
        if self.data_format == "channels_last":
            return self.input_shape is not None and None not in self.input_shape and not lies_in_series(self, X, True)
        if is_ragged(X):
            raise ValueError("data_format='channels_first' does not apply to samples of different sizes, (T_i, C)")
        return True

    def _leave_open(self, stated: tuple[Any, ...]) -> None:
        """Take samples of any size from now on, as `input_shape` says, of which the first are here."""
        if len(stated) != len(self._shape) or stated[-1] != self._shape[-1]:
            raise ValueError(f"input_shape={self.input_shape!r}, but X has samples of shape {self._shape}")
        if None in stated and self.global_pooling is None:
            raise ValueError(f"input_shape={self.input_shape!r} leaves sizes open; {self._how_free}")
        self._shape = (*(None,) * (len(stated) - 1), stated[-1])

    def _batch(self, samples: Samples, index: slice | Array, draws: Draws) -> Batch:
        batch = samples.take(index)
        if self.augment is None or not self._in_rows:
            return augmented_batch(self, batch, draws)
        n, channels = len(batch.x), 1 if self.data_format == "channels_first" else -1
        grids = np.moveaxis(batch.x.reshape(n, *self._shape), channels, -1)
        batch = augmented_batch(self, batch._replace(x=grids), draws)
        return batch._replace(x=np.moveaxis(batch.x, -1, channels).reshape(n, -1))

    def _channels(self) -> Array | None:
        if not self._in_rows:
            return None
        positions, first = np.arange(prod(self._shape)), self.data_format == "channels_first"
        return positions // prod(self._shape[1:]) if first else positions % self._shape[-1]

    def _read_shape(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of a sample, as it is stored: stated, or that in X, whose channels are first."""
        if self.input_shape is not None:
            first = self.data_format == "channels_first"
            order = "(C, L), (C, H, W) or (C, D, H, W)" if first else "(L, C), (H, W, C) or (D, H, W, C)"
            return stated_shape(self, range(2, 5), f"{order}, with the channels named")
        found = given[1:]
        if len(found) == 2:
            warn_of_images(given, found[1], found[0], "X[:, None]")
        if len(found) > 4:
            raise ValueError(f"X has shape {given}: signals have 2 or 3 axes, images 4 and volumes 5, with the samples")
        return found if len(found) > 1 else (1, *found)


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
