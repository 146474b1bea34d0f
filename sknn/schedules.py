"""Learning-rate schedules: descriptions of the way from a moment of training to a learning rate.

A new one is a frozen subclass of `Schedule` that says the rate, how often to ask for it, and down to which rate
training that stalls may go on. `SCHEDULES` says what names mean.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

from .description import Description, number


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


@dataclass(frozen=True)
class Schedule(Description):
    """The base of all schedules: a function of time, how often to ask it, and what to do when training stalls.

    Attributes
    ----------
    per : {"epoch", "batch"}
        Whether the rate is to be asked for at the beginning of every epoch or of every batch.
    stop_at : float
        Training that stalls at a rate no higher than this is over; at a higher rate it goes on, with one more stall
        counted. Infinity: the first stall ends it.
    to_the_end : bool
        Whether it plans for all the epochs there may be, so that to need them all is no failure to converge.
    """

    per: ClassVar[Literal["epoch", "batch"]] = "epoch"
    to_the_end: ClassVar[bool] = False

    @property
    def stop_at(self) -> float:
        return math.inf

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        """The learning rate.

        Parameters
        ----------
        learning_rate_init : float
            The rate that the schedule starts from.
        moment : Moment
            How far training has come.

        Returns
        -------
        rate : float
        """
        raise TypeError(f"{type(self).__name__} defines no rate")


@dataclass(frozen=True)
class Constant(Schedule):
    r"""The rate :math:`\eta_0`, always.

    Examples
    --------
    >>> Constant().rate(0.1, Moment(samples=99, total=100))
    0.1
    """

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        return learning_rate_init


@dataclass(frozen=True)
class InvScaling(Schedule):
    r"""Power decay, :math:`\eta_0 / (n + 1)^p` after :math:`n` samples.

    As in scikit-learn, the samples are those counted at the end of the last epoch.

    Parameters
    ----------
    power : float >= 0, default=0.5
        The exponent :math:`p`.

    References
    ----------
    Robbins, Monro (1951). A stochastic approximation method. Annals of Mathematical Statistics 22.

    Examples
    --------
    >>> InvScaling().rate(0.1, Moment(samples=99, total=1000))
    0.01
    """

    power: float = number("[0, inf)", default=0.5)

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        return learning_rate_init / math.pow(moment.samples + 1, self.power)


@dataclass(frozen=True)
class Adaptive(Schedule):
    r"""A fraction of the rate every time training stalls, :math:`\eta_0 / d^s` after :math:`s` stalls.

    The defaults are scikit-learn's.

    Parameters
    ----------
    divisor : float > 1, default=5.0
        What a stall divides the rate by, :math:`d`.
    stop_at : float > 0, default=1e-6
        Training that stalls at a rate no higher than this is over.

    References
    ----------
    Senior, Heigold, Ranzato, Yang (2013). An empirical study of learning rates in deep neural networks for speech
    recognition. ICASSP. (There: performance scheduling.)

    Examples
    --------
    >>> Adaptive().rate(0.5, Moment(samples=99, total=1000, stalls=2))
    0.02
    """

    divisor: float = number("(1, inf)", default=5.0)
    stop_at: float = number("(0, inf)", default=1e-6)

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        return learning_rate_init / self.divisor**moment.stalls


@dataclass(frozen=True)
class ByProgress(Schedule):
    """The base of those that come to their end with the last epoch there may be."""

    per: ClassVar[Literal["epoch", "batch"]] = "batch"
    to_the_end: ClassVar[bool] = True


@dataclass(frozen=True)
class Cosine(ByProgress):
    r"""Half a cosine wave down to zero, :math:`\eta_0 (1 + \cos \pi p) / 2` at progress :math:`p`.

    References
    ----------
    Loshchilov, Hutter (2017). SGDR: Stochastic gradient descent with warm restarts. ICLR. arXiv:1608.03983. (Here
    without restarts.)

    Examples
    --------
    >>> [round(Cosine().rate(0.1, Moment(samples, total=100)), 6) for samples in (0, 50, 100)]
    [0.1, 0.05, 0.0]
    """

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        return _half_wave(learning_rate_init, 0.0, moment.progress)


@dataclass(frozen=True)
class OneCycle(ByProgress):
    r"""Up to a high rate, then down to almost nothing, each along half a cosine wave.

    From :math:`\eta_0 / r` to the peak :math:`\eta_0` in the first part of training, from there to
    :math:`\eta_0 / f`.

    Parameters
    ----------
    warm_up : float in (0, 1), default=0.3
        The part of training that goes up.
    rise : float >= 1, default=25.0
        The peak in units of the first rate, :math:`r`.
    fall : float >= 1, default=1e4
        The peak in units of the last rate, :math:`f`.

    References
    ----------
    Smith, Topin (2018). Super-convergence: Very fast training of neural networks using large learning rates.
    arXiv:1708.07120.

    Examples
    --------
    >>> [round(OneCycle().rate(0.5, Moment(samples, total=100)), 6) for samples in (0, 30, 100)]
    [0.02, 0.5, 5e-05]
    """

    warm_up: float = number("(0, 1)", default=0.3)
    rise: float = number("[1, inf)", default=25.0)
    fall: float = number("[1, inf)", default=1e4)

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        if moment.progress < self.warm_up:
            return _half_wave(learning_rate_init / self.rise, learning_rate_init, moment.progress / self.warm_up)
        fraction = (moment.progress - self.warm_up) / (1 - self.warm_up)
        return _half_wave(learning_rate_init, learning_rate_init / self.fall, fraction)


@dataclass(frozen=True)
class Exponential(ByProgress):
    r"""Geometric decay to a small share of the rate, :math:`\eta_0 \, q^p` at progress :math:`p`.

    Parameters
    ----------
    share : float in (0, 1], default=0.01
        What is left of the rate at the end, :math:`q`.

    References
    ----------
    Senior, Heigold, Ranzato, Yang (2013). An empirical study of learning rates in deep neural networks for speech
    recognition. ICASSP.

    Examples
    --------
    >>> [round(Exponential().rate(0.1, Moment(samples, total=100)), 6) for samples in (0, 50, 100)]
    [0.1, 0.01, 0.001]
    """

    share: float = number("(0, 1]", default=0.01)

    def rate(self, learning_rate_init: float, moment: Moment) -> float:
        return learning_rate_init * math.pow(self.share, moment.progress)


def _half_wave(first: float, last: float, fraction: float) -> float:
    """Go from first to last along half a cosine wave."""
    return last + (first - last) * (1 + math.cos(math.pi * fraction)) / 2


SCHEDULES: dict[str, Schedule] = {
    "constant": Constant(),
    "invscaling": InvScaling(),
    "adaptive": Adaptive(),
    "cosine": Cosine(),
    "one_cycle": OneCycle(),
    "exponential": Exponential(),
}
