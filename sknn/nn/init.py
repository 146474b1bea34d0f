"""Initial values of weights, by name.

Each is a function ``(rng, shape, fan_in, fan_out, gain)`` of a NumPy random generator (a ``RandomState`` or a
``Generator``) and returns float64. `fan_in` and `fan_out` are how many inputs feed a unit and how many units an
input feeds; `gain` makes up for what the following activation does to the variance.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

Random = Any  # numpy.random.RandomState or numpy.random.Generator
Initialiser = Callable[..., np.ndarray]


def zeros(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """0 everywhere."""
    return np.zeros(shape)


def ones(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """1 everywhere."""
    return np.ones(shape)


def glorot_uniform(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return _uniform(rng, shape, gain * sqrt(6.0 / (fan_in + fan_out)))


def glorot_normal(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """N(0, s^2), s = gain sqrt(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return rng.normal(0.0, gain * sqrt(2.0 / (fan_in + fan_out)), shape)


def he_uniform(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """U(-a, a), a = gain sqrt(6 / fan_in) (He et al. 2015)."""
    return _uniform(rng, shape, gain * sqrt(6.0 / fan_in))


def he_normal(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """N(0, s^2), s = gain sqrt(2 / fan_in) (He et al. 2015)."""
    return rng.normal(0.0, gain * sqrt(2.0 / fan_in), shape)


def lecun_uniform(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """U(-a, a), a = gain sqrt(3 / fan_in) (LeCun et al. 1998)."""
    return _uniform(rng, shape, gain * sqrt(3.0 / fan_in))


def lecun_normal(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """N(0, s^2), s = gain sqrt(1 / fan_in) (LeCun et al. 1998; for SELU: Klambauer et al. 2017)."""
    return rng.normal(0.0, gain * sqrt(1.0 / fan_in), shape)


def orthogonal(rng: Random, shape: tuple[int, ...], fan_in: int, fan_out: int, gain: float = 1.0) -> np.ndarray:
    """gain times a random matrix (all axes but the last, by the last) with orthonormal rows or columns
    (Saxe et al. 2014): Q of the QR decomposition of a normal matrix, signs fixed so that Q is uniform."""
    rows, columns = prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return gain * (q if rows >= columns else q.T).reshape(shape)


def _uniform(rng: Random, shape: tuple[int, ...], bound: float) -> np.ndarray:
    return rng.uniform(-bound, bound, shape)


INITIALISERS: dict[str, Initialiser] = {
    "zeros": zeros,
    "ones": ones,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "lecun_uniform": lecun_uniform,
    "lecun_normal": lecun_normal,
    "orthogonal": orthogonal,
}
