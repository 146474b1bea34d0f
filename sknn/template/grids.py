"""What X is for families of signals, images and volumes: one rule for all of them.

A family that takes these says ``return read_grids(self, X, fresh)`` in `_read_x` and declares `_shape`, the shape of a
sample, which a first fit sets: sizes are left open, None, where the family says that its network takes grids of any
size (`_free_grid`).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from ..autodiff.tape import Array
from ..nn import Grids, Sequences
from .inputs import read_table
from .series import is_ragged

COLOURS = 4  # an axis no longer than this, in front of longer ones, is probably one of channels
FORMS = "signals are (n, T) or (n, T, channels), images (n, H, W, channels), volumes (n, D, H, W, channels)"


def read_grids(estimator: Any, X: Any, fresh: bool) -> Any:
    """X as an array (n, *grid, channels), or as rows without padding where samples differ in size.

    Two axes are signals of one channel, (n, T), whose T steps are features; an array of three axes and a list of 2-D
    arrays are signals (n, T, C), of which steps at the end that are NaN as a whole are left out; four axes, or a list
    of 3-D arrays, are images, five, or a list of 4-D arrays, volumes. A channel axis is always there, so a first fit
    warns where three axes look like images without one.

    Parameters
    ----------
    estimator : Estimator
        A first fit sets its `_shape`, that of a sample, and its `n_features_in_`: T for (n, T), otherwise the number of
        channels.
    X : array-like, list or column of arrays, Sequences or Grids
        As it was given.
    fresh : bool
        Whether this is a first fit.

    Returns
    -------
    x : ndarray, Sequences or Grids
        Of float64 or float32 and finite.

    Raises
    ------
    ValueError
        If X has another number of axes, samples differ in size where the network takes one, a value is not finite, or
        samples have another shape than those of the fit.
    """
    x = _read(estimator, X, fresh)
    shape = getattr(x, "sample_shape", x.shape[1:])
    if fresh:
        _remember(estimator, shape, is_table=_is_table(X))
    else:
        x = _as_fitted(estimator, x, shape)
    return x


def warn_of_images(shape: tuple[int, ...], n_steps: int, n_channels: int, remedy: str = "X[..., None]") -> None:
    """Warn where an array of signals, of this shape, is probably one of images without an axis for channels."""
    if 2 * n_channels >= n_steps:
        warnings.warn(
            f"X of shape {shape} is read as {shape[0]} signals of {n_steps} steps with {n_channels} channels; if they "
            f"are images without an axis for the channel, give {remedy}",
            stacklevel=2,
        )


# -- reading -------------------------------------------------------------------------------------------------------


def _read(estimator: Any, X: Any, fresh: bool) -> Any:
    samples = _samples(X)
    if samples is not None and not samples:
        raise ValueError("X holds no samples")
    if _is_table(X):
        by_features = fresh or estimator._shape[:-1] == (estimator.n_features_in_,)
        return read_table(estimator, X, fresh, by_features)[..., None]
    if samples is not None:
        X = _of_samples(samples)
    if len(getattr(X, "shape", ())) == 3 and is_ragged(X):
        X = Sequences.of(X)
    if hasattr(X, "lengths"):
        return _finite(_with_channels(X))
    return _grid(estimator, X, fresh)


def _is_table(X: Any) -> bool:
    """Whether X is rows of numbers: signals of one channel, whose steps are features."""
    if hasattr(X, "lengths"):
        return False
    samples = _samples(X)
    if samples is None:
        return len(getattr(X, "shape", ())) < 3
    return len(samples) == 0 or (_n_axes(samples[0]) < 2 and not is_ragged(samples))


def _samples(X: Any) -> list[Any] | None:
    """The samples of a list or a column of arrays; None if X is one array, or a table."""
    if isinstance(X, list | tuple):
        return list(X)
    shape = getattr(X, "shape", ())
    return list(np.asarray(X).ravel()) if len(shape) < 3 and is_ragged(X) else None


def _n_axes(sample: Any) -> int:
    try:
        return np.ndim(sample)
    except ValueError:  # steps that differ in their channels, which is refused where the sample can be named
        return 2


def _of_samples(samples: list[Any]) -> Any:
    """One array of samples that have one shape; rows without padding of others."""
    n_axes = _n_axes(samples[0])
    try:
        shapes = {np.shape(sample) for sample in samples}
    except ValueError:
        shapes = set()
    if len(shapes) == 1 and n_axes > 1:
        return np.stack([np.asarray(sample) for sample in samples])
    if n_axes == 2:
        _check_signals(samples)
    return Sequences.of(samples) if n_axes < 3 else Grids.of(samples)


def _check_signals(samples: list[Any]) -> None:
    """Raise ValueError if 2-D arrays differ in both axes: they are images, of which channels are missing."""
    first = np.shape(samples[0])
    for number, sample in enumerate(samples):
        shape = np.shape(sample) if hasattr(sample, "shape") else first
        if len(shape) == 2 and shape[1] != first[1]:
            raise ValueError(
                f"sample {number} of X has shape {shape}, but sample 0 has shape {first}: 2-D arrays in a list are "
                "signals (T_i, channels), which all have the same channels; of images without an axis for the channel "
                "make [x[..., None] for x in X]"
            )


def _grid(estimator: Any, X: Any, fresh: bool) -> Array:
    allowed: dict[str, Any] = {"ensure_2d": False, "allow_nd": True, "input_name": "X", "estimator": estimator}
    try:
        x: Array = check_array(X, dtype=(np.float64, np.float32), **allowed)
    except ValueError:
        x = check_array(X, dtype=(np.float64, np.float32), ensure_all_finite=False, **allowed)
        _refuse_not_finite(x)
        raise
    if x.ndim not in (3, 4, 5) or 0 in x.shape:
        raise ValueError(f"X has shape {x.shape}: {FORMS}, with at least one position and channel each")
    if fresh and x.ndim == 3:
        warn_of_images(x.shape, *x.shape[1:])
    elif fresh and x.shape[1] <= COLOURS < x.shape[-1]:
        warnings.warn(
            f"X of shape {x.shape} is read as grids {x.shape[1:-1]} with {x.shape[-1]} channels; if the channels come "
            "first, give np.moveaxis(X, 1, -1)",
            stacklevel=2,
        )
    return x


def _refuse_not_finite(x: Array) -> None:
    bad = ~np.isfinite(x)
    if bad.any():
        sample, *place = (int(index) for index in np.unravel_index(int(bad.argmax()), x.shape))
        what = "NaN" if np.isnan(x[(sample, *place)]) else "infinity"
        where = f"step {place[0]}" if len(place) == 2 else f"position {tuple(place[:-1])}"
        raise ValueError(f"Input X contains {what}: sample {sample}, {where} (counted from 0)") from None


def _with_channels(x: Any) -> Any:
    """In floating point, with an axis for channels."""
    values = x.values[:, None] if x.values.ndim == 1 else x.values
    return x.like(values if values.dtype in (np.float32, np.float64) else values.astype(np.float64))


def _finite(x: Any) -> Any:
    bad = ~np.isfinite(x.values).all(axis=1)
    if bad.any():
        position = int(np.argmax(bad))
        sample = int(x.sample[position])
        what = "NaN" if np.isnan(x.values[position]).any() else "infinity"
        place = np.unravel_index(position - x.starts[sample], x.shapes[sample])
        where = f"step {place[0]}" if len(place) == 1 else f"position {tuple(map(int, place))}"
        raise ValueError(
            f"Input X contains {what}: sample {sample}, {where} (counted from 0). Steps of signals that are NaN as a "
            "whole are left out only at the end of a sample"
        )
    return x


# -- the shape of a sample -----------------------------------------------------------------------------------------


def _remember(estimator: Any, shape: tuple[Any, ...], is_table: bool) -> None:
    *grid, channels = shape
    free = estimator._free_grid
    if None in grid and not free:
        raise ValueError(
            f"X holds samples of different sizes, but {type(estimator).__name__} has weights for each position; "
            f"{estimator._how_free}"
        )
    if is_table:  # the features are steps
        estimator._shape = shape
        return
    estimator._shape = (*(None,) * len(grid), channels) if free else shape
    estimator.n_features_in_ = channels
    vars(estimator).pop("feature_names_in_", None)


def _as_fitted(estimator: Any, x: Any, shape: tuple[Any, ...]) -> Any:
    """x, whose samples have the shape of those in the fit, or a ValueError."""
    fitted, name = estimator._shape, type(estimator).__name__
    if len(shape) != len(fitted):
        raise ValueError(
            f"X has samples of shape {shape}, but {name} was fitted to samples of shape {fitted}; {FORMS}"
            f"{', and one image alone is X[None]' if len(shape) < len(fitted) else ''}"
        )
    if shape[-1] != fitted[-1]:
        raise ValueError(f"X has {shape[-1]} channels, but {name} is expecting {fitted[-1]} channels as input")
    if None in fitted[:-1] or shape == fitted:
        return x
    if hasattr(x, "lengths") and (x.shapes == fitted[:-1]).all():
        return x.values.reshape(len(x), *fitted)
    raise ValueError(
        f"X has samples of {'different sizes' if None in shape else f'shape {shape}'}, but this {name} was fitted to "
        f"samples of shape {fitted}, and takes no other size"
    )
