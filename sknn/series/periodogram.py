"""The strongest frequencies of values at uneven times."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.signal import lombscargle

from ..autodiff.tape import Array

OVERSAMPLING = 5  # frequencies for each width of a peak, 1 / duration
CELLS = 2**18  # times x frequencies at once: some arrays of 2 MB


def peaks(times: Array, values: Array, n: int, highest: float | None = None) -> tuple[Array, Array]:
    """The highest peaks of the Lomb-Scargle periodogram.

    Its power is the share of the values' variance that the best sine of a frequency explains. Frequencies go in fifths
    of 1 / duration, from there on, where a single cycle fits, up to the highest.

    Parameters
    ----------
    times, values : ndarray of shape (T,)
        Times that do not fall.
    n : int
        How many peaks.
    highest : float, default=None
        The highest frequency in cycles for each unit of time; None: half of one over the median step of time, that of
        Nyquist if steps are even.

    Returns
    -------
    frequencies, powers : ndarray of shape (n,)
        The highest first; zeros where there are no more peaks.

    References
    ----------
    Lomb (1976). Least-squares frequency analysis of unequally spaced data. Astrophysics and Space Science 39.
    Scargle (1982). Studies in astronomical time series analysis II. Astrophysical Journal 263.

    Examples
    --------
    >>> times = np.arange(100) / 4.0
    >>> frequencies, powers = peaks(times, np.sin(2 * np.pi * 0.8 * times), 1)
    >>> frequencies.round(2), powers.round(2)
    (array([0.8]), array([1.]))
    """
    found = np.zeros((2, n))
    centred = values - values.mean() if len(values) else values
    steps = np.diff(times)
    steps = steps[steps > 0]
    if len(steps) < 2 or np.allclose(centred, 0, atol=1e-12 * np.abs(values).max(initial=0)):
        return found[0], found[1]
    lowest = 1 / (times[-1] - times[0])
    highest = 0.5 / float(np.median(steps)) if highest is None else highest
    frequencies = lowest * np.arange(OVERSAMPLING, max(OVERSAMPLING, highest / lowest * OVERSAMPLING) + 1e-6)
    frequencies /= OVERSAMPLING
    powers = _powers(times - times[0], centred, frequencies)
    rising = np.diff(powers, prepend=-1.0) > 0
    falling = np.diff(powers, append=-1.0) <= 0
    at = np.flatnonzero(rising & falling)
    at = at[np.argsort(-powers[at], kind="stable")][:n]
    found[:, : len(at)] = frequencies[at], powers[at]
    return found[0], found[1]


def _powers(times: Array, centred: Array, frequencies: Array) -> Array:
    """Block by block, since SciPy makes tables of times x frequencies."""
    size = max(1, CELLS // len(times))
    angular = 2 * np.pi * frequencies
    blocks: list[Any] = [
        np.atleast_1d(lombscargle(times, centred, angular[k : k + size], normalize=True))
        for k in range(0, len(angular), size)
    ]
    return np.concatenate(blocks)
