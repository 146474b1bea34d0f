"""What makes codes of samples, and samples of codes: layers that mirror each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted

from ...autodiff.tape import Array
from ...nn import Conv, ConvTranspose, Dense, Flatten, Layer, Unflatten
from ...template.inputs import at_once
from ...template.layers import ACTIVATION_NAMES, init_before, listed_filters, listed_sizes
from ...template.parameters import parameter
from ...template.samples import Batch, Samples
from ...template.scaling import GlobalScaling
from ...template.values import numbers
from .pictures import as_given

N_COMPONENTS = parameter(default=2, interval="[1, inf)", text="Numbers in a code.", kw_only=False)
ACTIVATION = parameter(default="relu", allowed=ACTIVATION_NAMES[:1], text="Of hidden layers and convolutions.")
FILTERS = parameter(
    default=None,
    interval="[1, inf)",
    text="Of convolutions in front of the dense layers, each of which halves the grid; the decoder ends in as many "
    "transposed ones. None: there are none, and of images only the numbers of their pixels are seen.",
)


def hidden_layer_sizes(default: tuple[int, ...]) -> Any:
    """The parameter of this name."""
    return parameter(
        default=default,
        interval="[1, inf)",
        text="Units of the dense layers of the encoder; the decoder has them in the opposite order. With () and no "
        "`filters` both are linear.",
    )


KERNEL_SIZE = 4  # a multiple of the stride, so that transposed convolutions leave no chequered pattern


def encoder_layers(estimator: Any, n_outputs: int, activation: str = "identity") -> list[Layer]:
    """From samples to `n_outputs` numbers: convolutions, if there are any, then dense layers."""
    convolutions = [_conv(estimator, n) for n in listed_filters(estimator.filters)]
    hidden = [_dense(estimator, n) for n in listed_sizes(estimator.hidden_layer_sizes)]
    return [*convolutions, *[Flatten()][: len(convolutions)], *hidden, Dense(n_outputs, activation=activation)]


def decoder_layers(estimator: Any, shape: Sequence[int], n_each: int = 1, activation: str = "identity") -> list[Layer]:
    """From codes to `n_each` numbers for each of a sample, in a row: what encodes, the other way round."""
    hidden = [_dense(estimator, n) for n in reversed(listed_sizes(estimator.hidden_layer_sizes))]
    filters = listed_filters(estimator.filters)
    if not filters:
        return [*hidden, Dense(prod(shape) * n_each, activation=activation)]
    *grid, channels = shape
    grids = halved(grid, len(filters))
    coarsest = (*grids[-1], filters[-1])
    layers: list[Layer] = [*hidden, _dense(estimator, prod(coarsest)), Unflatten(coarsest)]
    for n, finer in zip(filters[-2::-1], grids[-2:0:-1], strict=True):
        layers.append(_up(n, finer, estimator.activation, init_before(estimator.activation)))
    return [*layers, _up(channels * n_each, grids[0], activation, "glorot_uniform"), Flatten()]


def halved(grid: Sequence[int], times: int) -> list[tuple[int, ...]]:
    """A grid, and those that convolutions of stride 2 make of it.

    Examples
    --------
    >>> halved((28, 28), 3)
    [(28, 28), (14, 14), (7, 7), (4, 4)]
    """
    grids = [tuple(grid)]
    for _ in range(times):
        grids.append(tuple(-(-n // 2) for n in grids[-1]))
    return grids


# -- what comes in and goes out ------------------------------------------------------------------------------------


def lie_between_0_and_1(samples: Samples) -> bool:
    """Whether all values do, as those of pixels."""
    return all(x.min() >= 0.0 and x.max() <= 1.0 for x, _ in in_blocks(samples))


def global_scaling(samples: Samples) -> GlobalScaling:
    """One for all features, learnt from samples."""
    return GlobalScaling(in_blocks(samples))


def in_blocks(samples: Samples) -> Iterator[tuple[Array, Array | None]]:
    """Their values and weights."""
    batches = (samples.take(rows) for rows in samples.blocks(at_once(samples.x)))
    return ((batch.x, batch.weight) for batch in batches)


def mean_over(samples: Samples, each: Callable[[Batch], Array]) -> Array:
    """The mean of what `each` gives for the samples of a batch, by their weights."""
    total, size = np.zeros(()), 0.0
    for rows in samples.blocks(at_once(samples.x)):
        batch = samples.take(rows)
        weight = np.ones(len(batch.x)) if batch.weight is None else batch.weight
        total, size = total + weight @ each(batch), size + weight.sum()
    return total / size


def read_codes(estimator: Any, Z: Any) -> Array:
    """Codes, validated."""
    check_is_fitted(estimator)
    z: Array = check_array(numbers("Z", Z), dtype=(np.float64, np.float32), input_name="Z", estimator=estimator)
    n_components = estimator._n_features_out
    if z.shape[1] != n_components:
        raise ValueError(
            f"Z has {z.shape[1]} numbers in a row, but codes of this {type(estimator).__name__} have {n_components}"
        )
    return z


def as_samples(estimator: Any, decoded: Array) -> Array:
    """Scaled samples in rows, in the units and the shape of those of the fit, in their precision."""
    x, scaling = decoded.reshape(len(decoded), *estimator._shape), estimator.input_scaling_
    return as_given(estimator, x if scaling is None else scaling.inverse(x).astype(x.dtype, copy=False))


# -- layers --------------------------------------------------------------------------------------------------------


def _dense(estimator: Any, units: int) -> Dense:
    return Dense(units, activation=estimator.activation, init=init_before(estimator.activation))


def _conv(estimator: Any, filters: int) -> Conv:
    return Conv(filters, KERNEL_SIZE, 2, activation=estimator.activation, init=init_before(estimator.activation))


def _up(filters: int, grid: tuple[int, ...], activation: str, init: str) -> ConvTranspose:
    return ConvTranspose(filters, KERNEL_SIZE, 2, activation=activation, init=init, output_size=grid)
