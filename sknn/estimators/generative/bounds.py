"""How probable samples are to a diffusion model: a bound on their log-density, as an integral over levels of noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log, pi

import numpy as np
from scipy.special import ndtri
from scipy.stats.qmc import Sobol

from ...autodiff.tape import Array
from .samplers import HIGHEST, LOWEST, level, time_of

N_LEVELS = 64  # of noise, with a draw and its opposite at each: a power of 2, for Sobol's points


def lower_bound(predicted_noise: Callable[[Array, float], Array], x: Array) -> Array:
    """A lower bound on log p(x), which a perfect prediction makes tight (Kingma et al. 2021).

    With r = sigma / alpha, the noise to the signal, from r_0 = .01 to r_1 = 80, and d values,

        -log p(x) <= E int |noise - prediction|^2 d log r + d / 2 (1 + log(2 pi r_0^2)) + KL(p(x_1 | x) || N(0, I)).

    The integral is taken at midpoints, and the noise is the :func:`own_noise` of each sample. What follows from its
    length alone is taken off: alpha^2 (|noise|^2 - d) is of mean zero, and all that differs between draws where the
    data are standard normal.

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
    for step, half in enumerate(own_noise(x.reshape(n, d), N_LEVELS)):
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


def own_noise(x: Array, n_draws: int) -> Iterator[Array]:
    """Standard normal numbers for rows x (n, d), n_draws times (n, d): what a row gets follows from its content.

    So it is the same in any batch, and other rows get others, over which errors average out. Of the content only
    thousandths count, so that neither precision nor units change anything. They are Sobol's points,
    moved by as much as each row says, around the unit cube (Cranley & Patterson 1976).
    """
    points = Sobol(x.shape[1], rng=0).random(n_draws)[np.random.default_rng(0).permutation(n_draws)]
    moves = numbers_of(np.round(1000.0 * x) + 0.0)  # no negative zeros
    for point in points:
        yield ndtri(np.clip((point + moves) % 1.0, 1e-15, 1.0 - 1e-15))


def numbers_of(x: Array) -> Array:
    """Uniform numbers from 0 to 1 of the shape of rows x (n, d), which each row determines: its bits, scrambled.

    The last step is that of SplitMix64 (Steele, Lea & Flood 2014).
    """
    bits, golden = np.ascontiguousarray(x, np.float64).view(np.uint64), np.uint64(0x9E3779B97F4A7C15)
    columns = np.arange(1, x.shape[1] + 1, dtype=np.uint64)
    key = scrambled(scrambled(bits + golden * columns).sum(axis=1, dtype=np.uint64))
    return (scrambled(key[:, None] + golden * columns) >> np.uint64(11)) * 2.0**-53


def scrambled(z: Array) -> Array:
    """Integers of 64 bits, each of which is mapped to another that looks as if it had been drawn."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return z ^ (z >> np.uint64(31))
