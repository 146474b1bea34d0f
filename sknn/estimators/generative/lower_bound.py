"""How probable samples are to a diffusion model: a bound on their log-density, as an integral over levels of noise."""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi

import numpy as np

from ...autodiff.tape import Array
from .row_noise import noise_of_rows
from .samplers import HIGHEST, LOWEST, level, time_of

N_LEVELS = 64  # of noise, with a draw and its opposite at each


def lower_bound(predicted_noise: Callable[[Array, float], Array], x: Array) -> Array:
    """A lower bound on log p(x), which a perfect prediction makes tight (Kingma et al. 2021).

    With r = sigma / alpha, the noise to the signal, from r_0 = .01 to r_1 = 80, and d values,

        -log p(x) <= E int |noise - prediction|^2 d log r + d / 2 (1 + log(2 pi r_0^2)) + KL(p(x_1 | x) || N(0, I)).

    The integral is taken at midpoints, and the noise is that of each row (:func:`.row_noise.noise_of_rows`). What
    follows from its length alone is taken off: alpha^2 (|noise|^2 - d) is of mean zero, and all that differs between
    draws where the data are standard normal.

    Parameters
    ----------
    predicted_noise : callable
        ``predicted_noise(x, time)``: the mean of the noise.
    x : ndarray of shape (n, ...)
        Samples, in double precision.

    Returns
    -------
    bound : ndarray of shape (n,)
        In nats; its expectation is the bound, and the mean over samples comes closer to it than that of one.

    References
    ----------
    Kingma, Salimans, Poole, Ho (2021). Variational diffusion models. NeurIPS. arXiv:2107.00630.
    """
    n, d = len(x), x[:1].size
    width = log(HIGHEST / LOWEST) / N_LEVELS
    errors = np.zeros(n)
    for step, half in enumerate(noise_of_rows(x, N_LEVELS, d)):
        time = time_of(LOWEST * np.exp((step + 0.5) * width))
        alpha, sigma = level(time)
        excess = alpha**2 * (np.square(half).sum(axis=1) - d)
        for noise in (half.reshape(x.shape), -half.reshape(x.shape)):
            difference = predicted_noise(alpha * x + sigma * noise, time) - noise
            errors += 0.5 * (np.square(difference).reshape(n, d).sum(axis=1) - excess)
    alpha, sigma = level(time_of(HIGHEST))
    end = 0.5 * (d * (sigma**2 - log(sigma**2) - 1.0) + alpha**2 * np.square(x).reshape(n, d).sum(axis=1))
    start = 0.5 * d * (1.0 + log(2.0 * pi * LOWEST**2))
    return -(width * errors + start + end)
