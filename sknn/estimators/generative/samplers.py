"""From noise to data: how diffusion models draw samples, as functions of what is left when noise is taken away.

Noise grows with a time from 0 to 1: x = alpha data + sigma noise, with alpha = cos(pi t / 2) and sigma = sin(pi t / 2)
(Nichol & Dhariwal 2021). A sampler goes from one time to the next, and asks at each for the mean of the data given x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import atan, cos, exp, log, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from ...autodiff.tape import Array
from ...nn.draws import Draws

Denoise = Callable[[Array, float], Array]  # the mean of the data, given x at a time
HIGHEST, LOWEST = 80.0, 0.01  # noise to signal, where sampling begins and where what is left is taken for the data


class Level(NamedTuple):
    """How much of the data and how much noise there is at a time."""

    alpha: float
    sigma: float

    @property
    def log_ratio(self) -> float:
        """log(alpha / sigma), half the logarithm of the signal-to-noise ratio."""
        return log(self.alpha / self.sigma)


def level(time: float) -> Level:
    """That of a time from 0, where there is no noise, to 1, where there is nothing else.

    Examples
    --------
    >>> level(0.0)
    Level(alpha=1.0, sigma=0.0)
    """
    return Level(cos(0.5 * pi * time), sin(0.5 * pi * time))


def time_of(ratio: float) -> float:
    """When there is so much noise for each unit of signal.

    Examples
    --------
    >>> round(time_of(1.0), 12)
    0.5
    """
    return 2.0 / pi * atan(ratio)


def even_in_time(n_steps: int) -> list[float]:
    """Falling times of so many steps, equally far apart, and last 0."""
    return [*np.linspace(time_of(HIGHEST), time_of(LOWEST), n_steps).tolist(), 0.0]


def even_in_noise(n_steps: int) -> list[float]:
    """Falling times of so many steps, equally far apart in log(alpha / sigma), and last 0."""
    return [*map(time_of, np.geomspace(HIGHEST, LOWEST, n_steps).tolist()), 0.0]


# -- samplers ------------------------------------------------------------------------------------------------------


def ddpm(denoise: Denoise, x: Array, times: Sequence[float], draws: Draws) -> Array:
    """Noise is taken away and some of it drawn anew: x_t from its distribution given x_s and the data.

    Parameters
    ----------
    denoise : callable
        ``denoise(x, time)``: the mean of the data, of the shape of x.
    x : ndarray of shape (n, ...)
        Noise to start from.
    times : sequence of float
        Falling; the last may be 0.
    draws : Draws
        Of the new noise.

    Returns
    -------
    x : ndarray
        At the last time.

    References
    ----------
    Ho, Jain, Abbeel (2020). Denoising diffusion probabilistic models. NeurIPS. arXiv:2006.11239.
    """
    for time, next_time in pairwise(times):
        old, new = level(time), level(next_time)
        data = denoise(x, time)
        kept = old.alpha / new.alpha
        added = old.sigma**2 - (kept * new.sigma) ** 2  # variance of the noise between the two times
        x = (kept * (new.sigma / old.sigma) ** 2) * x + (new.alpha * added / old.sigma**2) * data
        if new.sigma:
            x += (new.sigma / old.sigma * sqrt(added)) * draws.normal(x.shape)
    return x


def ddim(denoise: Denoise, x: Array, times: Sequence[float], draws: Draws | None = None) -> Array:
    """All noise is taken away and the same put back, less of it: no new noise is drawn.

    Parameters are those of :func:`ddpm`. Times may rise as well: then data become the noise that they would be drawn
    from, but for an error that falls as one over the number of steps.

    References
    ----------
    Song, Meng, Ermon (2021). Denoising diffusion implicit models. ICLR. arXiv:2010.02502.
    """
    for time, next_time in pairwise(times):
        old, new = level(time), level(next_time)
        data = denoise(x, time)
        noise = (x - old.alpha * data) / old.sigma
        x = new.alpha * data + new.sigma * noise
    return x


def dpm(denoise: Denoise, x: Array, times: Sequence[float], draws: Draws | None = None) -> Array:
    """DPM-Solver++(2M): DDIM of second order, by what the data seemed to be one step earlier.

    In h, the step of log(alpha / sigma), DDIM takes the data for constant over a step; here they go on as they have
    changed over the last one. Parameters are those of :func:`ddpm`.

    References
    ----------
    Lu, Zhou, Bao, Chen, Li, Zhu (2022). DPM-Solver++: fast solver for guided sampling of diffusion probabilistic
    models. arXiv:2211.01095.
    """
    earlier, last_h = None, 0.0
    for time, next_time in pairwise(times):
        old, new = level(time), level(next_time)
        data = denoise(x, time)
        if not new.sigma:  # the step has no end in log(alpha / sigma), and first order is exact
            return new.alpha * data
        h = new.log_ratio - old.log_ratio
        ahead = data if earlier is None else data + (0.5 * h / last_h) * (data - earlier)
        x = (new.sigma / old.sigma) * x - (new.alpha * (exp(-h) - 1.0)) * ahead
        earlier, last_h = data, h
    return x


class Sampler(NamedTuple):
    """A way from noise to data, and the times at which it asks for so many steps."""

    draw: Callable[..., Array]
    times: Callable[[int], list[float]]


SAMPLERS = {
    "dpm": Sampler(dpm, even_in_noise),
    "ddim": Sampler(ddim, even_in_time),
    "ddpm": Sampler(ddpm, even_in_time),
}
