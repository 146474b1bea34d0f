"""Likelihoods: how probable samples are by what a decoder puts out, and what it is shown of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..losses import LOG_2_PI
from ..nn.draws import Draws
from ..ops.loss import sigmoid_cross_entropy, softmax_cross_entropy

FAST = 10.0  # times as fast as a weight is learnt the logarithm of the noise, which may have far to go
FINEST = 1e-3  # of the noise of scaled numbers, so that a column that can be told exactly has a density
LEVELS = 256  # that there may be


class Likelihood:
    """The base of all: a family calls them with raw outputs in rows, and with scaled samples in rows.

    Attributes
    ----------
    n_each : int
        Raw outputs for each number of a sample.
    has_noise : bool
        Whether the logarithm of a noise is learnt beside the networks.
    """

    n_each = 1
    has_noise = False

    def scaling(self, kind: Any) -> Any:
        """What is done to samples, whatever `input_scaling` says, of which `kind` is the name; None: what that says."""
        return None

    def misfit(self, raw: Value, x: Array, log_noise: Value = None) -> Value:
        """Minus the log-density, or log-probability, of each scaled sample: (..., n_features) to (...)."""
        raise TypeError(f"{type(self).__name__} defines no misfit")

    def mean(self, raw: Array) -> Array:
        """The scaled sample that is expected."""
        raise TypeError(f"{type(self).__name__} defines no mean")

    def drawn(self, raw: Array, draws: Draws, log_noise: Array | None = None) -> Array:
        """Scaled samples."""
        raise TypeError(f"{type(self).__name__} defines no drawn")


class Gaussian(Likelihood):
    """Raw outputs are means; the noise around them is learnt, one number for all features or one for each channel."""

    has_noise = True

    def misfit(self, raw: Value, x: Array, log_noise: Value = None) -> Value:
        *_, n_features = x.shape
        n_channels = log_noise.shape[-1]
        variance = _variance(log_noise)
        error = F.square(raw - x)
        if n_channels == 1:
            squares = F.sum(error, axis=-1) / variance
        else:
            error = error.reshape(*error.shape[:-1], n_features // n_channels, n_channels)
            squares = F.sum(error / variance, axis=(-2, -1))
        volume = F.sum(F.log(variance)) * (n_features / n_channels) + n_features * LOG_2_PI
        return 0.5 * (squares + volume)

    def mean(self, raw: Array) -> Array:
        return raw

    def drawn(self, raw: Array, draws: Draws, log_noise: Array | None = None) -> Array:
        noise = standard_deviation(log_noise)
        return raw + np.resize(noise, raw.shape[1:]) * draws.normal(raw.shape)


def _variance(log_noise: Value) -> Value:
    return F.exp(2.0 * FAST * log_noise) + FINEST**2


def standard_deviation(log_noise: Any) -> Array:
    """That of the noise of scaled numbers, from what is learnt."""
    sd: Array = np.sqrt(_variance(log_noise))
    return sd


class Bernoulli(Likelihood):
    """Numbers are 0 or 1, raw outputs the logits of 1; numbers in between count as how probable a 1 is."""

    def scaling(self, kind: Any) -> Any:
        return Shares(kind)

    def misfit(self, raw: Value, x: Array, log_noise: Value = None) -> Value:
        return sigmoid_cross_entropy(raw, x)

    def mean(self, raw: Array) -> Array:
        return expit(raw)

    def drawn(self, raw: Array, draws: Draws, log_noise: Array | None = None) -> Array:
        return (draws.uniform(raw.shape) < expit(raw)).astype(raw.dtype)


class Categorical(Likelihood):
    """Each number is one of some levels, for each of which there is a raw output."""

    def __init__(self, levels: Array) -> None:
        self.levels, self.n_each = levels, len(levels)

    def scaling(self, kind: Any) -> Any:
        return Levels(kind, self.levels)

    def misfit(self, raw: Value, x: Array, log_noise: Value = None) -> Value:
        *_, n_features = x.shape
        number = np.rint(x * (self.n_each - 1)).astype(np.intp)
        number = np.broadcast_to(number, (*raw.shape[:-1], n_features))
        each = softmax_cross_entropy(raw.reshape(-1, self.n_each), number.reshape(-1))
        return F.sum(each.reshape(*number.shape), axis=-1)

    def mean(self, raw: Array) -> Array:
        """The level that is most probable: a mean of levels may be none."""
        raw = raw.reshape(len(raw), -1, self.n_each)
        return (raw.argmax(axis=-1) / max(self.n_each - 1, 1)).astype(raw.dtype)

    def drawn(self, raw: Array, draws: Draws, log_noise: Array | None = None) -> Array:
        raw = raw.reshape(len(raw), -1, self.n_each)
        below = np.cumsum(softmax(raw.astype(np.float64), axis=-1), axis=-1)[..., :-1]
        number = (draws.uniform(raw.shape[:-1])[..., None] >= below).sum(axis=-1)
        return (number / max(self.n_each - 1, 1)).astype(raw.dtype)


# -- what is done to samples ---------------------------------------------------------------------------------------


class Shares:
    """Numbers from 0 to 1, left as they are; others are refused."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    def __call__(self, x: Array) -> Array:
        if x.size and not (x.min() >= 0.0 and x.max() <= 1.0):
            raise ValueError(
                "likelihood='bernoulli', which 'auto' is where all numbers of a first fit are 0 or 1, is for numbers "
                "between these, but X holds others: take 'gaussian'"
            )
        return x

    def inverse(self, z: Array) -> Array:
        return z.astype(np.float64)

    def log_volume(self, x: Array) -> Array:
        return np.zeros(len(x))


class Levels:
    """Numbers that are one of some, as their places among these, from 0 to 1; others are refused."""

    def __init__(self, kind: Any, levels: Array) -> None:
        self.kind, self.levels = kind, levels

    def __call__(self, x: Array) -> Array:
        place = np.searchsorted(self.levels, x).clip(max=len(self.levels) - 1)
        new = self.levels[place] != x
        if new.any():
            raise ValueError(
                f"X holds {x[new][0]:g}, which is none of the {len(self.levels)} levels of the fit: fit anew"
            )
        return (place / max(len(self.levels) - 1, 1)).astype(x.dtype)

    def inverse(self, z: Array) -> Array:
        found: Array = self.levels[np.rint(z * (len(self.levels) - 1)).astype(np.intp)]
        return found

    def log_volume(self, x: Array) -> Array:
        return np.zeros(len(x))  # probabilities of levels, which have no units


# -- which one -----------------------------------------------------------------------------------------------------


def likelihood_for(name: str, blocks: Iterator[Array]) -> Likelihood:
    """The likelihood of this name for samples; "auto" is Bernoulli's where all numbers are 0 or 1, else Gaussian.

    Raises
    ------
    ValueError
        If there are more than 256 levels for a categorical one.
    """
    if name == "gaussian":
        return Gaussian()
    if name == "bernoulli":
        return Bernoulli()
    if name == "categorical":
        levels = np.unique(np.concatenate([np.unique(x) for x in blocks])).astype(np.float64)
        if len(levels) > LEVELS:
            raise ValueError(
                f"likelihood='categorical' has an output for each level of a number, at most {LEVELS}, but X holds "
                f"{len(levels)} different ones: take 'gaussian'"
            )
        return Categorical(levels)
    return Bernoulli() if all(((x == 0.0) | (x == 1.0)).all() for x in blocks) else Gaussian()
