"""Series as X of the families that take nothing else: how they are read, and what is done to them before a network.

A family that takes series names these parameters in its body, and calls these functions in `_read_x`, `_look_at` and
`_new_scaling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..description import is_integer
from ..nn import Sequences
from .inputs import BLOCK, read_table
from .parameters import parameter
from .samples import Samples, flat
from .scaling import Scaling
from .series import is_ragged

TIME_CHANNEL = parameter(
    default=None,
    text="The channel of X that holds the times of the steps, which must increase; None: steps are equally far apart. "
    "Only differences of times count.",
)
MISSING = parameter(
    default="indicator",
    text="What NaN is, where not all channels are NaN up to the end of a series, which only says that it ends: "
    '"indicator" puts the mean of the channel there, and a channel that says where, for each one that lacks values in '
    'training; "error" refuses it.',
)
DATA_FORMAT = parameter(
    default="channels_last",
    text='Where the channels are: "channels_last" is (n, T, C) or a list of (T_i, C), "channels_first" (n, C, T) or a '
    "list of (C, T_i).",
)


# -- reading -------------------------------------------------------------------------------------------------------


def read_steps(estimator: Any, X: Any, fresh: bool) -> Sequences:
    """X as rows without padding, with channels, in floating point; a first fit sets n_features_in_.

    A list or a column of arrays and an array (n, T, C) are series of any length, and have C features; an array or a
    table (n, T), or rows of numbers in a list, are series of one channel, whose T steps are its features.

    Raises
    ------
    ValueError
        If a value is infinite, or NaN where `missing` does not allow it, if times do not increase, or channels (or
        steps, where these are features) are not as many as in the fit.
    """
    series = _as_sequences(estimator, X, fresh)
    _check_finite(series, estimator.missing)
    channel = _time_channel(estimator, series.values.shape[1])
    return series if channel is None else _from_its_start(series, channel)


def _as_sequences(estimator: Any, X: Any, fresh: bool) -> Sequences:
    if not _holds_series(X):
        table = _read_table(estimator, X, fresh)
        return Sequences(table.reshape(-1, 1), np.full(len(table), table.shape[1]))
    if estimator.data_format == "channels_first" and not hasattr(X, "lengths"):
        X = _channels_last(X)
    if len(getattr(X, "shape", ())) == 3 and X.dtype == object:  # what NumPy makes of arrays that are alike
        X = X.astype(np.float64)
    series = Sequences.of(X)
    values = series.values
    values = values[:, None] if values.ndim == 1 else values
    values = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    series = _without_padding(series.like(values))
    _check_channels(estimator, series, fresh)
    return series


def _holds_series(X: Any) -> bool:
    """Whether each sample is an array of its own, or X has an axis for channels; rows of numbers are a table."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and (_n_axes(X[0]) > 1 or (_n_axes(X[0]) == 1 and (hasattr(X[0], "shape") or is_ragged(X))))
    return len(getattr(X, "shape", ())) == 3 or is_ragged(X)


def _n_axes(sample: Any) -> int:
    try:
        return np.ndim(sample)
    except ValueError:  # steps that differ in their channels, which is refused where the sample can be named
        return 2


def _channels_last(X: Any) -> Any:
    if len(getattr(X, "shape", ())) == 3:
        return np.asarray(X).swapaxes(1, 2)
    samples = X if isinstance(X, list | tuple) else np.asarray(X).ravel()
    return [np.asarray(sample).T for sample in samples]


def _without_padding(series: Sequences) -> Sequences:
    """Up to the last step of each sample that is not NaN as a whole."""
    present = ~np.isnan(series.values).all(axis=1)
    if present.all():
        return series
    n_steps = series.step + 1
    lengths = np.maximum.reduceat(np.where(present, n_steps, 0), series.starts)
    if (lengths == 0).any():
        raise ValueError(f"sample {int(np.argmin(lengths))} of X has no step that is not NaN as a whole")
    return Sequences(series.values[n_steps <= series.at_positions(lengths)], lengths)


def _read_table(estimator: Any, X: Any, fresh: bool) -> Array:
    """Series of one channel and one length, (n, T)."""
    by_features = fresh or estimator._n_steps is not None  # otherwise a channel of any length
    table: Array = read_table(estimator, X, fresh, by_features)
    if fresh:
        estimator._n_steps = table.shape[1]
    elif estimator._n_steps is None and estimator.n_features_in_ != 1:
        raise ValueError(_other_channels(estimator, 1))
    return table


def _check_channels(estimator: Any, series: Sequences, fresh: bool) -> None:
    n_channels = series.values.shape[1]
    if fresh:
        estimator.n_features_in_, estimator._n_steps = n_channels, None
        vars(estimator).pop("feature_names_in_", None)
        return
    n_steps = estimator._n_steps
    if n_channels != (estimator.n_features_in_ if n_steps is None else 1):
        raise ValueError(_other_channels(estimator, n_channels))
    if n_steps is not None and (series.lengths != n_steps).any():
        other = int(np.argmax(series.lengths != n_steps))
        raise ValueError(
            f"sample {other} of X has {series.lengths[other]} steps, but {type(estimator).__name__} was fitted to a "
            f"table of {n_steps}, its features; fit it to an array (n, T, 1) or a list of arrays for series of any "
            "length"
        )


def _other_channels(estimator: Any, n_channels: int) -> str:
    expected = estimator.n_features_in_ if estimator._n_steps is None else 1
    name = type(estimator).__name__
    return f"X has {n_channels} channels, but {name} is expecting {expected} channels as input"


def _check_finite(series: Sequences, missing: str) -> None:
    values = series.values
    with np.errstate(invalid="ignore"):
        bad = np.isinf(values) if missing == "indicator" else ~np.isfinite(values)
    if bad.any():
        position, channel = np.argwhere(bad)[0]
        what = "infinity" if np.isinf(values[position, channel]) else "NaN"
        remedy = "" if what == "infinity" else "; missing='indicator' takes what is missing"
        raise ValueError(f"Input X contains {what}: {_place(series, position)}, channel {channel}{remedy}")


def _place(series: Sequences, position: int) -> str:
    sample = int(series.sample[position])
    return f"sample {sample}, step {position - series.starts[sample]} (counted from 0)"


def in_the_form_of(X: Any, steps: Sequences, data_format: str) -> Any:
    """What belongs to the steps of X as an array (n, T, ...), where X is one and all series are as long as it is."""
    shape = getattr(X, "shape", ())
    if len(shape) == 3:
        n_steps = shape[2 if data_format == "channels_first" else 1]
        is_grid = bool((steps.lengths == n_steps).all())
    else:
        is_grid = len(shape) == 2 and not is_ragged(X)
    return steps.values.reshape(len(steps), -1, *steps.values.shape[1:]) if is_grid else steps


def labels_of_steps(X: Any, y: Any, data_format: str) -> Any:
    """Labels (n, T) without those of the steps that an array X holds NaN for after the end of a series."""
    shape = getattr(X, "shape", ())
    if len(shape) != 3 or isinstance(y, list | tuple) or is_ragged(y):
        return y
    x = _channels_last(X) if data_format == "channels_first" else X
    if np.shape(y)[:2] != np.shape(x)[:2] or not is_ragged(x):
        return y
    return [labels[:n] for labels, n in zip(np.asarray(y), Sequences.of(x).lengths, strict=True)]


# -- times ---------------------------------------------------------------------------------------------------------


def _time_channel(estimator: Any, n_channels: int) -> int | None:
    """The number of the channel of times, counted from the first; None if there is none."""
    channel = estimator.time_channel
    if channel is None:
        return None
    if not (is_integer(channel) and -n_channels <= channel < n_channels):
        raise ValueError(f"time_channel={channel!r} is not there: X has {n_channels} channel(s), counted from 0")
    return int(channel) % n_channels


def _from_its_start(series: Sequences, channel: int) -> Sequences:
    """With times that begin with 0 in each sample, so that a shift of the clock changes nothing."""
    values = series.values.copy()
    times = values[:, channel]
    if np.isnan(times).any():
        position = int(np.argmax(np.isnan(times)))
        raise ValueError(f"time_channel={channel}: the time of {_place(series, position)} is NaN")
    times -= series.at_positions(times[series.starts])
    gaps = _gaps(series, times)
    gaps[series.starts] = 1.0
    if (gaps <= 0).any():
        position = int(np.argmax(gaps <= 0))
        raise ValueError(
            f"time_channel={channel}: times must increase, but that of {_place(series, position)} is not later than "
            "the one before it"
        )
    return series.like(values)


def _gaps(series: Sequences, times: Array) -> Array:
    """How long ago the step before was, 0 for the first of a sample."""
    gaps = np.diff(times, prepend=times[:1])
    gaps[series.starts] = 0.0
    return gaps


def times_of(x: Sequences, channel: int) -> Array:
    """Times of all steps since the first of their sample, in units of the usual gap, from scaled series."""
    gaps = np.zeros((len(x), int(x.lengths.max())))  # so that no sample's sum knows of another
    gaps[x.sample, x.step] = np.expm1(x.values[:, channel].astype(np.float64))
    return np.cumsum(gaps, axis=1)[x.sample, x.step]


# -- what is learnt from the training samples -----------------------------------------------------------------------


def channels_with_gaps(samples: Samples) -> tuple[int, ...]:
    """Those in which values are missing."""
    lacking: Any = False
    for rows in samples.blocks(BLOCK):
        lacking |= np.isnan(flat(samples.take(rows).x)).any(axis=0)
    return tuple(np.flatnonzero(lacking).tolist())


class SeriesScaling(Scaling):
    """(x - mean) / scale for each channel over the steps that are not missing; of times, the logarithms of gaps.

    The channel of times becomes log(1 + gap / usual gap), with the time since the step before, 0 for the first, and
    its median in the samples that this was made from.

    Parameters
    ----------
    samples : Samples
        Series.
    kind : "standard" or None
        None: values stay as they are, but for times.
    time_channel : int or None
        The channel that holds them.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_channels,)
        0 and 1 for times.
    usual_gap : float
        The median time between steps; 1.0 where there are no times.
    """

    def __init__(self, samples: Samples, kind: str | None, time_channel: int | None) -> None:
        n_channels = samples.x.values.shape[1]
        self.mean, self.scale = np.zeros(n_channels), np.ones(n_channels)
        self.kind, self.time_channel, self.usual_gap, self.fits_single = kind, time_channel, 1.0, True  # type: ignore
        if time_channel is not None:
            self.usual_gap = _usual_gap(samples, time_channel)
        for channel in range(n_channels) if kind == "standard" else ():
            known = list(_known(samples, channel)) if channel != time_channel else []
            if known:
                found = Scaling(known)
                self.mean[channel], self.scale[channel] = found.mean[0], found.scale[0]
                self.fits_single &= found.fits_single

    def __call__(self, x: Sequences) -> Sequences:
        """Scaled series, in their precision; what is missing stays so."""
        if not hasattr(x, "lengths"):  # their values, as the base asks for them in double precision
            return super().__call__(x)
        values = super().__call__(x.values)
        if self.time_channel is not None:
            gaps = _gaps(x, x.values[:, self.time_channel])
            values[:, self.time_channel] = np.log1p(gaps / gaps.dtype.type(self.usual_gap))
        return x.like(values)


def new_scaling(estimator: Any, samples: Samples) -> SeriesScaling | None:
    """The scaling of an estimator, learnt from its training samples; None where there is nothing to do."""
    channel = _time_channel(estimator, samples.x.values.shape[1])
    if channel is None and estimator.input_scaling is None:
        return None
    return SeriesScaling(samples, estimator.input_scaling, channel)


def _known(samples: Samples, channel: int) -> Iterator[tuple[Array, Array | None]]:
    """The values of a channel that are not missing, and their weights."""
    for rows in samples.blocks(BLOCK):
        batch = samples.take(rows)
        values = batch.x.values[:, channel : channel + 1]
        known = ~np.isnan(values[:, 0])
        if known.any():
            yield values[known], None if batch.weight is None else batch.x.at_positions(batch.weight)[known]


def _usual_gap(samples: Samples, channel: int) -> float:
    """The median time between steps, each with the weight of its sample."""
    gaps, weights = [np.zeros(0)], [np.zeros(0)]
    for rows in samples.blocks(BLOCK):
        batch = samples.take(rows)
        found = _gaps(batch.x, batch.x.values[:, channel].astype(np.float64))
        weight = np.ones(len(found)) if batch.weight is None else batch.x.at_positions(batch.weight)
        gaps.append(found[found > 0])
        weights.append(weight[found > 0])
    each, weight = np.concatenate(gaps), np.concatenate(weights)
    if not len(each):
        return 1.0
    order = np.argsort(each)
    reached = np.cumsum(weight[order])
    return float(each[order][np.searchsorted(reached, 0.5 * reached[-1])])
