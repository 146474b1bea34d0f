"""Learning-rate schedules: pure functions from a moment of training to a learning rate.

Every schedule is called as ``rate(learning_rate_init, moment, power_t)``. `SCHEDULES` says, by name, which function it
is, how often to ask it, and down to which rate training that stalls may go on.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple


class Moment(NamedTuple):
    """How far training has come.

    Parameters
    ----------
    samples : int
        Samples seen so far, each one counted in every epoch.
    total : int
        Samples that training will see at most.
    stalls : int, default=0
        How many times training has stopped improving and was allowed to go on.

    Examples
    --------
    >>> Moment(samples=300, total=1200).progress
    0.25
    """

    samples: int
    total: int
    stalls: int = 0

    @property
    def progress(self) -> float:
        """The part of training that is done, from 0 to 1."""
        if self.total < 1:
            raise ValueError(f"total must be at least one sample; got {self.total!r}")
        return min(self.samples / self.total, 1.0)


def constant(learning_rate_init: float, moment: Moment, power_t: float = 0.5) -> float:
    r"""The rate :math:`\eta_0`, always.

    Examples
    --------
    >>> constant(0.1, Moment(samples=99, total=100))
    0.1
    """
    return learning_rate_init


def invscaling(learning_rate_init: float, moment: Moment, power_t: float = 0.5) -> float:
    r"""Power decay, :math:`\eta_0 / (n + 1)^p` after :math:`n` samples.

    As in scikit-learn, the samples are those counted at the end of the last epoch.

    Parameters
    ----------
    learning_rate_init : float
        The rate :math:`\eta_0` during the first epoch.
    moment : Moment
        Its ``samples`` are :math:`n`.
    power_t : float, default=0.5
        The exponent :math:`p`.

    References
    ----------
    Robbins, Monro (1951). A stochastic approximation method. Annals of Mathematical Statistics 22.

    Examples
    --------
    >>> invscaling(0.1, Moment(samples=99, total=1000))
    0.01
    """
    return learning_rate_init / math.pow(moment.samples + 1, power_t)


def adaptive(learning_rate_init: float, moment: Moment, power_t: float = 0.5) -> float:
    r"""A fifth of the rate every time training stalls, :math:`\eta_0 / 5^s` after :math:`s` stalls.

    Training that stalls at a rate of at most 1e-6 is over, as in scikit-learn.

    References
    ----------
    Senior, Heigold, Ranzato, Yang (2013). An empirical study of learning rates in deep neural networks for speech
    recognition. ICASSP. (There: performance scheduling.)

    Examples
    --------
    >>> adaptive(0.5, Moment(samples=99, total=1000, stalls=2))
    0.02
    """
    return learning_rate_init / 5.0**moment.stalls


def cosine(learning_rate_init: float, moment: Moment, power_t: float = 0.5) -> float:
    r"""Half a cosine wave down to zero, :math:`\eta_0 (1 + \cos \pi p) / 2` at progress :math:`p`.

    References
    ----------
    Loshchilov, Hutter (2017). SGDR: Stochastic gradient descent with warm restarts. ICLR. arXiv:1608.03983. (Here
    without restarts.)

    Examples
    --------
    >>> [round(cosine(0.1, Moment(samples, total=100)), 6) for samples in (0, 50, 100)]
    [0.1, 0.05, 0.0]
    """
    return _half_wave(learning_rate_init, 0.0, moment.progress)


def one_cycle(learning_rate_init: float, moment: Moment, power_t: float = 0.5) -> float:
    r"""Up to a high rate, then down to almost nothing, each along half a cosine wave.

    From :math:`\eta_0 / 25` to the peak :math:`\eta_0` in the first 30 % of training, from there to
    :math:`\eta_0 / 10^4`.

    References
    ----------
    Smith, Topin (2018). Super-convergence: Very fast training of neural networks using large learning rates.
    arXiv:1708.07120.

    Examples
    --------
    >>> [round(one_cycle(0.5, Moment(samples, total=100)), 6) for samples in (0, 30, 100)]
    [0.02, 0.5, 5e-05]
    """
    warm_up = 0.3
    if moment.progress < warm_up:
        return _half_wave(learning_rate_init / 25, learning_rate_init, moment.progress / warm_up)
    return _half_wave(learning_rate_init, learning_rate_init / 1e4, (moment.progress - warm_up) / (1 - warm_up))


def exponential(learning_rate_init: float, moment: Moment, power_t: float = 0.5) -> float:
    r"""Geometric decay to 1 % of the rate, :math:`\eta_0 \, 0.01^p` at progress :math:`p`.

    References
    ----------
    Senior, Heigold, Ranzato, Yang (2013). An empirical study of learning rates in deep neural networks for speech
    recognition. ICASSP.

    Examples
    --------
    >>> [round(exponential(0.1, Moment(samples, total=100)), 6) for samples in (0, 50, 100)]
    [0.1, 0.01, 0.001]
    """
    return learning_rate_init * math.pow(0.01, moment.progress)


def _half_wave(first: float, last: float, fraction: float) -> float:
    """Go from first to last along half a cosine wave."""
    return last + (first - last) * (1 + math.cos(math.pi * fraction)) / 2


@dataclass(frozen=True)
class Schedule:
    """A function of time, how often to ask it, and what to do when training stalls.

    Parameters
    ----------
    rate : callable
        ``rate(learning_rate_init, moment, power_t=0.5) -> float``.
    per : {"epoch", "batch"}
        Whether the rate is to be asked for at the beginning of every epoch or of every batch.
    stop_at : float, default=inf
        Training that stalls at a rate no higher than this is over; at a higher rate it goes on, with one more stall
        counted. Infinity: the first stall ends it.
    to_the_end : bool, default=False
        Whether it plans for all the epochs there may be, so that to need them all is no failure to converge.
    """

    rate: Callable[..., float]
    per: Literal["epoch", "batch"]
    stop_at: float = math.inf
    to_the_end: bool = False


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule(constant, per="epoch"),
    "invscaling": Schedule(invscaling, per="epoch"),
    "adaptive": Schedule(adaptive, per="epoch", stop_at=1e-6),
    "cosine": Schedule(cosine, per="batch", to_the_end=True),
    "one_cycle": Schedule(one_cycle, per="batch", to_the_end=True),
    "exponential": Schedule(exponential, per="batch", to_the_end=True),
}
