"""Series of different lengths as rows without padding: all their steps one below the other, and how many are whose."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..ops.recurrence import Steps
from ..ops.rows import RowWindows, make_transposed_row_windows
from .ragged import Ragged


class Sequences(Ragged):
    """Series of different lengths: their steps one after the other in one array, and the lengths.

    For whoever splits, shuffles or searches, it is an array of n samples: ``len(x)``, ``x[rows]`` and ``x.shape`` are
    about samples. For a network, ``x.values`` are positions: what treats each on its own need not know where a
    sample ends, and what looks at neighbours reads `lengths`. There is no padding, hence no mask to forget.

    Parameters
    ----------
    values : ndarray of shape (n_positions, ...)
        The steps of all samples; (n_positions, channels) or (n_positions,) as a rule.
    lengths : array-like of int, of shape (n_samples,)
        How many of them each sample has.

    Attributes
    ----------
    values, lengths : ndarray
        As given.
    starts : ndarray of int, of shape (n_samples,)
        The position at which each sample begins.
    sample : ndarray of int, of shape (n_positions,)
        The number of the sample that each position belongs to.

    Raises
    ------
    ValueError
        If a length is not a positive integer, or they do not add up to the number of positions.

    See Also
    --------
    Sequences.of : Reads lists, arrays and columns of tables.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Sequences
    >>> x = Sequences.of([[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]])
    >>> x
    Sequences(3 samples of 1 to 3 steps, float64)
    >>> x.values, x.lengths
    (array([1., 2., 3., 4., 5., 6.]), array([3, 1, 2]))
    >>> x[[2, 0]].values
    array([5., 6., 1., 2., 3.])
    >>> x[1]
    array([4.])
    """

    def __init__(self, values: Array, lengths: Any) -> None:
        lengths = np.asarray(lengths)
        if lengths.ndim != 1 or not (np.issubdtype(lengths.dtype, np.integer) or not lengths.size):
            raise ValueError(
                f"lengths must be integers, one for each sample, but are of shape {lengths.shape} and {lengths.dtype}"
            )
        self.values, self.lengths, self._shared = values, lengths.astype(np.intp, copy=False), {}
        if (self.lengths < 1).any():
            raise ValueError(f"{_name(int(np.argmax(self.lengths < 1)))} has no steps: every sample needs at least one")
        if self.lengths.sum() != len(values):
            raise ValueError(f"lengths add up to {self.lengths.sum()}, but there are {len(values)} positions")

    @classmethod
    def of(cls, X: Any, dtype: Any = None) -> Sequences:
        """Read series in any of the forms in which they come.

        Parameters
        ----------
        X : Sequences, list, ndarray, Series or DataFrame
            A list, a 1-D object array or a column of a table with one array of shape (T_i,) or (T_i, channels) for each
            sample; or numbers of shape (n_samples, T, channels), of which steps that are NaN as a whole are dropped at
            the end of a sample. NaN anywhere else stays.
        dtype : dtype, default=None
            Of the values; None: one that holds all of them.

        Raises
        ------
        ValueError
            If X is none of these, or a sample is empty, of another number of channels or axes, or not of numbers.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn.nn import Sequences
        >>> ends_early = np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])
        >>> Sequences.of(ends_early).lengths
        array([2, 1])
        """
        if isinstance(X, Sequences):
            return X if dtype is None else X.astype(dtype)
        if isinstance(X, list | tuple):
            return _from_samples(X, dtype)
        x = np.asarray(X)
        if x.dtype != object:
            return _from_grid(x, dtype)
        if x.ndim == 2 and x.shape[1] == 1:  # a table with this one column
            x = x[:, 0]
        if x.ndim != 1:
            raise ValueError(
                f"X has dtype object and shape {x.shape}: samples of different lengths come as one array each, in a "
                "list, an object array of shape (n_samples,) or one column of a table"
            )
        return _from_samples(x, dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {"values": self.values, "lengths": self.lengths}  # without what was worked out from these

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _shared={})

    def __repr__(self) -> str:
        channels = f", {'x'.join(map(str, self.values.shape[1:]))} channels" if self.values.ndim > 1 else ""
        shortest, longest = self.lengths.min(initial=self.values.shape[0]), self.lengths.max(initial=0)
        steps = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        return f"Sequences({len(self)} samples of {steps} steps{channels}, {self.dtype})"

    # -- as positions ----------------------------------------------------------------------------------------------

    @property
    def shapes(self) -> Array:
        return self.lengths[:, None]

    def of_shapes(self, shapes: Array) -> Sequences:
        return self.of_lengths(shapes[:, 0])

    def of_lengths(self, lengths: Array) -> Sequences:
        """As many samples of other lengths, without values, which take no memory."""
        other = Sequences.__new__(Sequences)
        other.lengths, other._shared = lengths, {}
        other.values = np.empty((lengths.sum(), 0), self.dtype)
        return other

    def windows(self, *description: Any) -> RowWindows:
        """Windows over each sample, described as in ``RowWindows``; layers that ask for the same share them."""
        return self._kept(description, lambda: RowWindows(self.lengths, *description))

    def transposed_windows(self, *description: Any) -> RowWindows:
        """Windows over longer samples, of which the positions of these are the windows; shared in the same way."""
        return self._kept(("transposed", *description), lambda: make_transposed_row_windows(self.lengths, *description))

    def after_windows(self, *description: Any) -> Sequences:
        windows = self.windows(*description)
        return self if windows.output is self.lengths else self.of_lengths(windows.output)

    def before_windows(self, *description: Any) -> Sequences:
        return self.of_lengths(self.transposed_windows(*description).lengths)

    @property
    def steps(self) -> Steps:
        """Which steps are at the same time, for operations that read them in order; shared in the same way."""
        return self._kept(("steps",), lambda: Steps(self.lengths))


@lru_cache(maxsize=64)  # the grids of a fit are the same few at every step
def of_equal_lengths(n_samples: int, n_steps: int) -> Sequences:
    """Samples of as many steps each, without values: how those of a grid (n_samples, n_steps, ...) lie."""
    return Sequences(np.empty((n_samples * n_steps, 0)), np.full(n_samples, n_steps))


def _name(number: int) -> str:
    return f"sample {number} of X"


def _from_samples(samples: Iterable[Any], dtype: Any) -> Sequences:
    arrays = [_numbers(sample, number) for number, sample in enumerate(samples)]
    if not arrays:
        raise ValueError("X holds no samples")
    for number, each in enumerate(arrays):
        if each.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"{_name(number)} has shape {each.shape}, but sample 0 has shape {arrays[0].shape}: all must have the "
                "same channels"
            )
    lengths = [len(each) for each in arrays]
    return Sequences(np.concatenate(arrays, dtype=dtype), lengths)


def _numbers(sample: Any, number: int) -> Array:
    try:
        x = np.asarray(sample)
    except ValueError:
        raise ValueError(f"{_name(number)} is no array of numbers: its steps differ in their channels") from None
    if np.ma.is_masked(sample):
        raise ValueError(f"{_name(number)} is masked in {np.ma.count_masked(sample)} of its {x.size} places")
    if x.ndim not in (1, 2):
        raise ValueError(f"{_name(number)} has shape {x.shape}: it must be (T,) or (T, channels)")
    if x.dtype.kind not in "biuf" and len(x):
        raise ValueError(f"{_name(number)} has dtype {x.dtype}: it must hold real numbers")
    return x


def _from_grid(x: Array, dtype: Any) -> Sequences:
    """Of samples with one length, (n, T, channels), up to their last step that is not NaN as a whole."""
    if x.ndim != 3:
        raise ValueError(
            f"X has shape {x.shape}: series are (n_samples, T, channels), or a list of arrays (T_i,) or (T_i, channels)"
        )
    if x.dtype.kind not in "biuf":
        raise ValueError(f"X has dtype {x.dtype}: it must hold real numbers")
    n, longest, channels = x.shape
    lengths = np.full(n, longest)
    if x.dtype.kind == "f" and longest and np.isnan(x[:, -1]).all(axis=-1).any():
        present = ~np.isnan(x).all(axis=-1)
        lengths = np.where(present.any(axis=1), longest - present[:, ::-1].argmax(axis=1), 0)
    if (lengths == longest).all():
        values = x.reshape(n * longest, channels)
    else:
        values = x[np.arange(longest) < lengths[:, None]]
    return Sequences(values if dtype is None else values.astype(dtype, copy=False), lengths)
