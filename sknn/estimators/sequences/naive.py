"""Forecasts that take no learning, and how much better another one is."""

from __future__ import annotations

import numpy as np

from ...autodiff.tape import Array


def naive_forecasts(past: Array, horizon: int, season: int | None) -> dict[str, Array]:
    """What repeats the last value, and what repeats the last season, (n, horizon, channels), by name.

    Parameters
    ----------
    past : ndarray of shape (n, window, channels)
        Windows of the past.
    horizon : int
        How many steps are forecast.
    season : int or None
        Steps of a season, at most as many as a window has. None: there is none.

    Examples
    --------
    >>> past = np.array([[[1.0], [2.0], [3.0]]])
    >>> {name: forecast.ravel().tolist() for name, forecast in naive_forecasts(past, 3, 2).items()}
    {'last value': [3.0, 3.0, 3.0], 'season': [2.0, 3.0, 2.0]}
    """
    found = {"last value": np.repeat(past[:, -1:], horizon, axis=1)}
    if season is not None:
        found["season"] = past[:, past.shape[1] - season + np.arange(horizon) % season]
    return found


def skill(error: float, baselines: list[float]) -> float:
    """1 - error / smallest of the baselines: 1 is perfect, 0 as good as they are, below 0 worse."""
    best = min(baselines)
    if best > 0:
        return 1 - error / best
    return 0.0 if error == 0 else -np.inf
