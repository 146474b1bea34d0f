"""Samples of different lengths as rows without padding: all their steps one below the other, and how many are whose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value
from ..ops.attention import Scope
from ..ops.recurrence import Steps
from ..ops.rows import RowWindows, make_transposed_row_windows
from ..ops.segment import Segments


class Sequences:
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
        self.values: Value = values
        self.lengths: Array = lengths.astype(np.intp, copy=False)
        self._shared: dict[tuple, Any] = {}  # what layers work out of the lengths
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

    # -- as an array of samples ------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def shape(self) -> tuple[int]:
        """(n_samples,): of the array of samples that this stands for."""
        return (len(self.lengths),)

    @property
    def ndim(self) -> int:
        """1, as `shape` has it."""
        return 1

    @property
    def dtype(self) -> np.dtype:
        """Of the values."""
        return self.values.dtype

    def astype(self, dtype: Any) -> Sequences:
        """The same in another precision; itself where it has that already."""
        return self if self.dtype == dtype else self.like(self.values.astype(dtype))

    def __getitem__(self, rows: Any) -> Any:
        """Sample number `rows` as an array, or Sequences of those that a slice, a mask or an array of numbers names.

        ``x[rows, ...]`` is the same: so do scikit-learn's splitters ask.
        """
        if isinstance(rows, tuple):
            if len(rows) != 2 or rows[1] is not Ellipsis:
                raise IndexError(f"x{list(rows)} asks for more than rows; the steps of all samples are x.values")
            rows = rows[0]
        if isinstance(rows, slice):
            return self._between(*rows.indices(len(self)))
        numbers = np.arange(len(self))[rows]
        if numbers.ndim == 0:
            start = self.starts[numbers]
            return self.values[start : start + self.lengths[numbers]]
        return self.take(numbers)

    def __iter__(self) -> Iterator[Array]:
        return (self.values[start : start + n] for start, n in zip(self.starts, self.lengths, strict=True))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """An object array of the samples: never of numbers, not even where all are of one length."""
        if dtype is not None and np.dtype(dtype) != object:
            raise ValueError(f"{self!r} is no array of {np.dtype(dtype)}: its samples differ in length; see its values")
        samples = np.empty(len(self), object)
        for number, sample in enumerate(self):  # all at once, NumPy would make one array of samples of equal lengths
            samples[number] = sample
        return samples

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
    def sample_shape(self) -> tuple[Any, ...]:
        """(None, channels): of one sample, its length left open; the `input_shape` of a network."""
        return (None, *self.values.shape[1:])

    @cached_property
    def starts(self) -> Array:
        """The position at which each sample begins."""
        return np.cumsum(self.lengths) - self.lengths

    @cached_property
    def sample(self) -> Array:
        """The number of the sample that each position belongs to."""
        return self.at_positions(np.arange(len(self)))

    def at_positions(self, each: Array) -> Array:
        """What belongs to each sample, (n_samples, ...), repeated at all of its positions: (n_positions, ...)."""
        return np.repeat(each, self.lengths, axis=0)

    def take(self, index: Any) -> Sequences:
        """The samples with these numbers, in this order; a sample may be named more than once."""
        index = np.asarray(index, np.intp)
        taken = self.of_lengths(self.lengths[index])
        shift = self.starts[index] - taken.starts  # from a position among the taken ones to the one that it comes from
        positions = taken.at_positions(shift) + np.arange(len(taken.values))
        return taken.like(np.take(self.values, positions, axis=0))

    def like(self, values: Value) -> Sequences:
        """The same samples with other values at their positions: (n_positions, ...), an array or something traced."""
        other = Sequences.__new__(Sequences)
        other.__dict__.update(self.__dict__, values=values)
        return other

    def of_lengths(self, lengths: Array) -> Sequences:
        """As many samples of other lengths, that have no values yet: what a layer answers that changes them.

        Their values have no channels, and take no memory.
        """
        other = Sequences.__new__(Sequences)
        other.lengths, other._shared = lengths, {}
        other.values = np.empty((lengths.sum(), 0), self.dtype)
        return other

    def windows(self, *description: Any) -> RowWindows:
        """Windows over each sample, described as in :class:`RowWindows`; layers that ask for the same share them."""
        if description not in self._shared:
            self._shared[description] = RowWindows(self.lengths, *description)
        return self._shared[description]

    @property
    def segments(self) -> Segments:
        """The rows of each sample, for operations that make one of them; shared in the same way."""
        if (key := ("segments",)) not in self._shared:
            self._shared[key] = Segments(self.lengths)
        return self._shared[key]

    @property
    def step(self) -> Array:
        """The number of the step, within its sample, that each position is; shared in the same way."""
        if (key := ("step",)) not in self._shared:
            self._shared[key] = np.arange(len(self.values)) - self.at_positions(self.starts)
        return self._shared[key]

    def scope(self, causal: bool) -> Scope:
        """That each position attends to those of its sample, or to none after itself; shared in the same way."""
        if (key := ("scope", causal)) not in self._shared:
            self._shared[key] = Scope(self.lengths, causal=causal)
        return self._shared[key]

    @property
    def steps(self) -> Steps:
        """Which steps are at the same time, for operations that read them in order; shared in the same way."""
        if (key := ("steps",)) not in self._shared:
            self._shared[key] = Steps(self.lengths)
        return self._shared[key]

    def transposed_windows(self, *description: Any) -> RowWindows:
        """Windows over longer samples, of which the positions of these are the windows; shared in the same way."""
        key = ("transposed", *description)
        if key not in self._shared:
            self._shared[key] = make_transposed_row_windows(self.lengths, *description)
        return self._shared[key]

    def after(self, windows: RowWindows) -> Sequences:
        """The samples of which windows are the positions, without values; itself where their lengths are the same."""
        return self if windows.output is self.lengths else self.of_lengths(windows.output)

    def blocks(self, max_positions: int) -> Iterator[slice]:
        """Slices of samples that together are all of them, of at most so many positions each, but at least one sample.

        Examples
        --------
        >>> from sknn.nn import Sequences
        >>> x = Sequences.of([[1, 2, 3], [4], [5, 6]])
        >>> list(x.blocks(4))
        [slice(0, 2, None), slice(2, 3, None)]
        """
        ends = self.starts + self.lengths
        first = 0
        while first < len(self):
            last = int(np.searchsorted(ends, self.starts[first] + max_positions, "right"))
            last = max(first + 1, last)
            yield slice(first, last)
            first = last

    def _between(self, first: int, last: int, step: int) -> Sequences:
        """What a slice names: neighbours in their order are a view."""
        if step != 1 or last <= first:
            return self.take(np.arange(first, last, step))
        part = self.of_lengths(self.lengths[first:last])
        start = self.starts[first]
        return part.like(self.values[start : start + len(part.values)])


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
