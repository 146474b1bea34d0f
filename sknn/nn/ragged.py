"""Samples of different sizes as rows without padding: what holds of series and of images alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..autodiff.tape import Array, Value
from ..ops.attention import Scope
from ..ops.segment import Segments

if TYPE_CHECKING:
    from .layer import Context, Layer


class Ragged:
    """Samples of different sizes: their positions one after the other in one array, and how many each has.

    For whoever splits, shuffles or searches, it is an array of n samples: ``len(x)``, ``x[rows]`` and ``x.shape`` are
    about samples. For a network, ``x.values`` are positions. A subclass says how the positions of a sample lie: in
    `shapes`, its sizes along each axis.

    Attributes
    ----------
    values : ndarray of shape (n_positions, ...)
        The positions of all samples.
    lengths : ndarray of int, of shape (n_samples,)
        How many of them each sample has.
    """

    values: Value
    lengths: Array
    _shared: dict[tuple, Any]  # what layers work out of the sizes

    # -- what a subclass says --------------------------------------------------------------------------------------

    @property
    def shapes(self) -> Array:
        """The sizes of each sample along each axis of its grid: (n_samples, n_axes)."""
        raise TypeError(f"{type(self).__name__} defines no shapes")

    def of_shapes(self, shapes: Array) -> Self:
        """As many samples of other sizes, that have no values yet: what a layer answers that changes them.

        Their values have no channels, and take no memory.
        """
        raise TypeError(f"{type(self).__name__} defines no of_shapes")

    def after_windows(self, *description: Any) -> Self:
        """The samples whose positions are the windows, described as in ``make_windows``, over these; no values."""
        raise TypeError(f"{type(self).__name__} defines no after_windows")

    def before_windows(self, *description: Any) -> Self:
        """The larger samples of which the positions of these are such windows; no values."""
        raise TypeError(f"{type(self).__name__} defines no before_windows")

    def applied(self, layer: Layer, params: dict[str, Any], x: Value, context: Context) -> Value:
        """What a layer makes of values x at the positions of these samples, which the context tells it of."""
        return layer.apply(params, x, context)

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

    def astype(self, dtype: Any) -> Self:
        """The same in another precision; itself where it has that already."""
        return self if self.dtype == dtype else self.like(self.values.astype(dtype))

    def __getitem__(self, rows: Any) -> Any:
        """Sample number `rows` as an array, or those that a slice, a mask or an array of numbers names.

        ``x[rows, ...]`` is the same: so do scikit-learn's splitters ask.
        """
        if isinstance(rows, tuple):
            if len(rows) != 2 or rows[1] is not Ellipsis:
                raise IndexError(f"x{list(rows)} asks for more than rows; the positions of all samples are x.values")
            rows = rows[0]
        if isinstance(rows, slice):
            return self._between(*rows.indices(len(self)))
        numbers = np.arange(len(self))[rows]
        return self._sample(int(numbers)) if numbers.ndim == 0 else self.take(numbers)

    def __iter__(self) -> Iterator[Array]:
        return map(self._sample, range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """An object array of the samples: never of numbers, not even where all are of one size."""
        if dtype is not None and np.dtype(dtype) != object:
            raise ValueError(f"{self!r} is no array of {np.dtype(dtype)}: its samples differ in size; see its values")
        samples = np.empty(len(self), object)
        for number, sample in enumerate(self):  # all at once, NumPy would make one array of samples of equal sizes
            samples[number] = sample
        return samples

    def _sample(self, number: int) -> Array:
        start = self.starts[number]
        return self.values[start : start + self.lengths[number]]

    # -- as positions ----------------------------------------------------------------------------------------------

    @property
    def sample_shape(self) -> tuple[Any, ...]:
        """(None, channels), a None for each axis: of one sample, sizes left open; the `input_shape` of a network."""
        return (*(None,) * self.shapes.shape[1], *self.values.shape[1:])

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

    def take(self, index: Any) -> Self:
        """The samples with these numbers, in this order; a sample may be named more than once."""
        index = np.asarray(index, np.intp)
        taken = self.without_values(index)
        shift = self.starts[index] - taken.starts  # from a position among the taken ones to the one that it comes from
        positions = taken.at_positions(shift) + np.arange(len(taken.values))
        return taken.like(np.take(self.values, positions, axis=0))

    def like(self, values: Value) -> Self:
        """The same samples with other values at their positions: (n_positions, ...), an array or something traced."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__, values=values)
        return other

    def without_values(self, rows: Any) -> Self:
        """How samples with these numbers, or all for None, lie: without values, which take no memory."""
        return self.of_shapes(self.shapes if rows is None else self.shapes[rows])

    def joined(self, parts: Sequence[Self], values: Value) -> Self:
        """The samples of several such, one after the other, with these values."""
        return self.of_shapes(np.concatenate([part.shapes for part in parts])).like(values)

    @property
    def segments(self) -> Segments:
        """The rows of each sample, for operations that make one of them; layers that ask share them."""
        return self._kept(("segments",), lambda: Segments(self.lengths))

    @property
    def step(self) -> Array:
        """The number of the position, within its sample, that each is; shared in the same way."""
        return self._kept(("step",), lambda: np.arange(len(self.values)) - self.at_positions(self.starts))

    def scope(self, causal: bool) -> Scope:
        """That each position attends to those of its sample, or to none after itself; shared in the same way."""
        return self._kept(("scope", causal), lambda: Scope(self.lengths, causal=causal))

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

    def _kept(self, key: tuple, make: Any) -> Any:
        """What is worked out of the sizes, once for all who ask."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def _between(self, first: int, last: int, step: int) -> Self:
        """What a slice names: neighbours in their order are a view."""
        if step != 1 or last <= first:
            return self.take(np.arange(first, last, step))
        part = self.without_values(slice(first, last))
        start = self.starts[first]
        return part.like(self.values[start : start + len(part.values)])
