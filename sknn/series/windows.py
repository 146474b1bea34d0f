"""Windows of series and what follows each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..autodiff.tape import Array
from ..description import is_integer


def windows(series: Any, window: int, horizon: int, stride: int = 1) -> tuple[Array, Array]:
    """Cut series into windows of the past, each with what follows it: the samples of a forecast.

    Parameters
    ----------
    series : array-like of shape (T,) or (T, channels), or list of arrays
        One series, or several; windows never reach from one into another.
    window : int
        How many steps of the past each sample has.
    horizon : int
        How many steps follow.
    stride : int, default=1
        How many steps a window starts after the one before it; the first of a series starts at its first step.

    Returns
    -------
    past : ndarray of shape (n_windows, window) or (n_windows, window, channels)
        Of a series of T steps there are (T - window - horizon) // stride + 1, all that fit.
    future : ndarray of shape (n_windows, horizon) or (n_windows, horizon, channels)
        The steps behind each window.

    Raises
    ------
    ValueError
        If a number is not positive, a series is too short for a single window, or their channels differ.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.series import windows
    >>> past, future = windows(np.arange(7), window=3, horizon=2, stride=2)
    >>> past
    array([[0, 1, 2],
           [2, 3, 4]])
    >>> future
    array([[3, 4],
           [5, 6]])
    """
    for name, value in {"window": window, "horizon": horizon, "stride": stride}.items():
        if not is_integer(value) or value < 1:
            raise ValueError(f"{name}={value!r} must be a positive integer")
    each = [np.asarray(one) for one in (series if are_several(series) else [series])]
    check_lengths([len(one) for one in each], window, horizon)
    if len({one.shape[1:] for one in each}) > 1:
        raise ValueError(f"all series must have the same channels, got shapes {[one.shape for one in each]}")
    cut = np.concatenate([_cut(one, window + horizon, stride) for one in each])
    return cut[:, :window], cut[:, window:]


def are_several(series: Any) -> bool:
    """Whether series are several, arrays in a list or an object array or (n, T, channels), rather than one array.

    Examples
    --------
    >>> import numpy as np
    >>> are_several([1.0, 2.0]), are_several(np.zeros((9, 2))), are_several([np.zeros(9), np.zeros(9)])
    (False, False, True)
    """
    if isinstance(series, list | tuple):
        return bool(len(series)) and np.ndim(series[0]) > 0
    if hasattr(series, "lengths"):
        return True
    x = np.asarray(series)
    return x.ndim == 3 or (x.dtype == object and x.ndim == 1 and bool(len(x)) and np.ndim(x[0]) > 0)


def check_lengths(lengths: Sequence[int], window: int, horizon: int = 0, what: str = "") -> None:
    """Raise a ValueError that names the lengths if not each is that of a window and what follows it."""
    short = [length for length in lengths if length < window + horizon]
    if short:
        each = f"{len(short)} of {len(lengths)} series have {', '.join(map(str, short[:5]))}"
        found = f"the series has {short[0]}" if len(lengths) == 1 else each
        asked = f"window={window} and horizon={horizon}, which take {window + horizon}" if horizon else f"{window=}"
        raise ValueError(f"{found} steps{what}, too few for {asked}")


def _cut(series: Array, length: int, stride: int) -> Array:
    """(n, length, ...): a view of all stretches of so many steps."""
    if series.ndim not in (1, 2):
        raise ValueError(f"a series has shape {series.shape}: it must be (T,) or (T, channels)")
    return np.moveaxis(sliding_window_view(series, length, axis=0)[::stride], -1, 1)
