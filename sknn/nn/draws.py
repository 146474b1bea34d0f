"""Random numbers that depend on a seed and on where in a fit they are drawn, and on nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator, Philox

from ..autodiff.tape import Array
from .layer import Shape


class Draws:
    """The random numbers of a step of a phase: set to a phase and a step, it draws the same numbers in the same order.

    So nobody has to keep the state of a generator: a fit that is resumed, phases, members and threads draw the same,
    whatever was drawn before or beside them. The numbers are those of a counter, scrambled (Philox 4x64-10).

    Parameters
    ----------
    seed : int
        Not negative.
    dtype : str or dtype, default="float32"
        Of the numbers with fractions: "float32" or "float64", that of the network.

    Raises
    ------
    ValueError
        If `seed` is out of range or `dtype` another.

    References
    ----------
    Salmon, Moraes, Dror, Shaw (2011). Parallel random numbers: as easy as 1, 2, 3. SC '11.

    Examples
    --------
    >>> from sknn.nn import Draws
    >>> draws = Draws(0)
    >>> first = draws.uniform((2,))
    >>> draws.at(phase=0, step=1)
    >>> draws.uniform((2,)) == first
    array([False, False])
    >>> draws.at(phase=0, step=0)
    >>> draws.uniform((2,)) == first
    array([ True,  True])
    """

    by_pair = True  # whether there are numbers for pairs of steps as well, not for units alone

    def __init__(self, seed: int, dtype: str | np.dtype = "float32") -> None:
        if not 0 <= seed < 1 << 128:
            raise ValueError(f"seed={seed!r} must be at least 0 and less than 2**128")
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype={dtype!r} must be 'float32' or 'float64'")
        self.seed, self.dtype = seed, np.dtype(dtype)
        self._generator = Generator(Philox(key=seed))
        self._start: Any = self._generator.bit_generator.state
        self.at(0, 0)

    def at(self, phase: int, step: int) -> None:
        """Set where the next numbers come from; cheap, since the generator is set when the first of them is drawn."""
        self._place: tuple[int, int] | None = (step, phase)

    def normal(self, shape: Shape) -> Array:
        """Standard normal numbers."""
        return self._ready().standard_normal(shape, self.dtype.type)

    def uniform(self, shape: Shape) -> Array:
        """Uniform numbers, at least 0 and less than 1."""
        return self._ready().random(shape, self.dtype.type)

    def integers(self, high: int, shape: Shape) -> Array:
        """Integers, at least 0 and less than `high`."""
        return self._ready().integers(high, size=shape)

    def choice(self, n: int, shape: Shape, p: Array | None = None) -> Array:
        """Integers below `n`, drawn with replacement, alike or with the probabilities p (n,)."""
        return self._ready().choice(n, shape, p=p)

    def permutation(self, n: int) -> Array:
        """The integers below `n` in random order."""
        return self._ready().permutation(n)

    def _ready(self) -> Generator:
        """The generator, at its place: the counter of a step begins where no other step's gets to."""
        if self._place is not None:
            self._start["state"]["counter"][2:] = self._place
            self._generator.bit_generator.state = self._start
            self._place = None
        return self._generator
