"""Images, or grids of any number of axes, of different sizes as rows without padding: their pixels in one array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..ops.rows import Places, gather, spread
from ..ops.windows import ANY, Windows, make_windows, transposed_size
from .ragged import Ragged

if TYPE_CHECKING:
    from .layer import Context, Layer


class Run(NamedTuple):
    """Samples of one size: where their positions begin and end, how many they are, and the size."""

    start: int
    stop: int
    n_samples: int
    grid: tuple[int, ...]


class Runs:
    """The samples of some grids, those of one size together: as they lie, or in another order if that is fewer runs."""

    def __init__(self, grids: Grids) -> None:
        shapes = grids.shapes
        distinct, group = np.unique(shapes, axis=0, return_inverse=True)
        changes = np.flatnonzero((shapes[1:] != shapes[:-1]).any(axis=1)) + 1
        self.order: Array | None = None
        if len(distinct) <= len(changes):
            self.order = np.argsort(group.ravel(), kind="stable")
            shapes = distinct[np.sort(group.ravel())]
            changes = np.flatnonzero((shapes[1:] != shapes[:-1]).any(axis=1)) + 1
            self._places = _places(grids, self.order)
        bounds = [0, *changes.tolist(), len(shapes)]
        ends = np.concatenate([[0], shapes.prod(axis=1).cumsum()]).tolist()
        self._runs = [
            Run(ends[first], ends[last], last - first, tuple(shapes[first].tolist()))
            for first, last in pairwise(bounds)
        ]

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def gathered(self, x: Value) -> Value:
        """Values at the positions of the samples, run by run."""
        return x if self.order is None else gather(x, places=self._places)

    def put_back(self, y: Value, after: Ragged | None) -> Value:
        """What was made of them, in the order of the samples: values at positions, or a row of each."""
        if self.order is None:
            return y
        if after is None:
            return F.take(y, np.argsort(self.order))
        return spread(y, places=_places(after, self.order))


def _places(grids: Ragged, order: Array) -> Places:
    """Where the positions of samples lie that are taken in this order."""
    return Places(grids.starts[order], grids.lengths[order], len(grids.values))


class Grids(Ragged):
    """Images or volumes of different sizes: their pixels one after the other in one array, and the sizes.

    The sibling of :class:`Sequences`: for whoever splits, shuffles or searches, an array of n samples, and for a
    network, ``x.values`` are positions. A layer that treats each position on its own sees these; to one that looks at
    neighbours, images are given as arrays, all of one size at once. There is no padding, and no border but that of an
    image.

    Parameters
    ----------
    values : ndarray of shape (n_positions, ...)
        The positions of all samples, each sample in the order of its memory; (n_positions, channels) as a rule.
    shapes : array-like of int, of shape (n_samples, n_axes)
        The sizes of each sample along each axis.

    Attributes
    ----------
    values, shapes : ndarray
        As given.
    lengths : ndarray of int, of shape (n_samples,)
        How many positions each sample has.
    starts : ndarray of int, of shape (n_samples,)
        The position at which each sample begins.
    sample : ndarray of int, of shape (n_positions,)
        The number of the sample that each position belongs to.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or they do not add up to the number of positions.

    See Also
    --------
    Grids.of : Reads lists, arrays and columns of tables.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Grids
    >>> x = Grids.of([np.zeros((2, 3, 1)), np.ones((4, 4, 1))])
    >>> x
    Grids(2 samples of 2x3 to 4x4 positions, 1 channels, float64)
    >>> len(x.values), x.lengths
    (22, array([ 6, 16]))
    >>> x[1].shape
    (4, 4, 1)
    """

    def __init__(self, values: Array, shapes: Any) -> None:
        shapes = np.asarray(shapes)
        if shapes.ndim != 2 or not shapes.shape[1] or not np.issubdtype(shapes.dtype, np.integer):
            raise ValueError(
                "shapes must be integers, a row of sizes for each sample, but are of shape "
                f"{shapes.shape} and {shapes.dtype}"
            )
        self._shapes = shapes.astype(np.intp, copy=False)
        self.values, self.lengths, self._shared = values, self._shapes.prod(axis=1), {}
        if (shapes < 1).any():
            number = int(np.argmax((shapes < 1).any(axis=1)))
            raise ValueError(f"sample {number} of X is {_x(shapes[number])}: every sample needs at least one position")
        if self.lengths.sum() != len(values):
            raise ValueError(f"shapes add up to {self.lengths.sum()}, but there are {len(values)} positions")

    @classmethod
    def of(cls, X: Any, dtype: Any = None) -> Grids:
        """Read images in any of the forms in which they come.

        Parameters
        ----------
        X : Grids, list, ndarray, Series or DataFrame
            A list, a 1-D object array or a column of a table with one array (*grid, channels) for each sample, or one
            array of numbers (n_samples, *grid, channels).
        dtype : dtype, default=None
            Of the values; None: one that holds all of them.

        Raises
        ------
        ValueError
            If X is none of these, or a sample is empty, of another number of channels or axes, or not of numbers.
        """
        if isinstance(X, Grids):
            return X if dtype is None else X.astype(dtype)
        samples = X if isinstance(X, list | tuple) else np.asarray(X)
        if isinstance(samples, np.ndarray) and samples.dtype == object and samples.shape[1:] == (1,):
            samples = samples[:, 0]  # a table with this one column
        arrays = [_numbers(sample, number) for number, sample in enumerate(samples)]
        if not arrays:
            raise ValueError("X holds no samples")
        for number, each in enumerate(arrays):
            if each.ndim != arrays[0].ndim or each.shape[-1] != arrays[0].shape[-1]:
                raise ValueError(
                    f"sample {number} of X has shape {each.shape}, but sample 0 has shape {arrays[0].shape}: all must "
                    "have as many axes, and the same channels as the last"
                )
        values = np.concatenate([each.reshape(-1, each.shape[-1]) for each in arrays], dtype=dtype)
        return cls(values, [each.shape[:-1] for each in arrays])

    def __getstate__(self) -> dict[str, Any]:
        return {"values": self.values, "lengths": self.lengths, "_shapes": self._shapes}  # not what came of these

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _shared={})

    def __repr__(self) -> str:
        channels = f", {'x'.join(map(str, self.values.shape[1:]))} channels" if self.values.ndim > 1 else ""
        ends = (np.argmin(self.lengths), np.argmax(self.lengths)) if len(self) else ()
        sizes = dict.fromkeys(_x(self._shapes[k]) for k in ends)
        return f"Grids({len(self)} samples of {' to '.join(sizes)} positions{channels}, {self.dtype})"

    # -- as positions ----------------------------------------------------------------------------------------------

    @property
    def shapes(self) -> Array:
        return self._shapes

    def of_shapes(self, shapes: Array) -> Grids:
        other = Grids.__new__(Grids)
        other._shapes, other.lengths, other._shared = shapes, shapes.prod(axis=1), {}
        other.values = np.empty((other.lengths.sum(), 0), self.dtype)
        return other

    def after_windows(self, *description: Any) -> Grids:
        windows, padding = _anywhere(self._shapes.shape[1], *description), _padding(*description)
        if padding == "same":
            return self.of_shapes(-(-self._shapes // windows.stride))
        room = self._shapes + 2 * np.array(windows.low) - windows.span
        if (room < 0).any():
            number = int(np.argmax((room < 0).any(axis=1)))
            raise ValueError(
                f"sample {number} is too small, it has {_x(self._shapes[number])} positions here: windows span "
                f"{_x(windows.span)}, with padding {_x(windows.low)}; choose smaller windows or padding='same', or "
                "leave the sample out"
            )
        return self.of_shapes(room // windows.stride + 1)

    def before_windows(self, *description: Any) -> Grids:
        windows, padding = _anywhere(self._shapes.shape[1], *description), _padding(*description)
        span, stride, low = (np.array(numbers) for numbers in (windows.span, windows.stride, windows.low))
        return self.of_shapes(transposed_size(self._shapes, span, stride, low, padding))

    @property
    def runs(self) -> Runs:
        """Samples of one size together; layers that ask share them."""
        return self._kept(("runs",), lambda: Runs(self))

    def applied(self, layer: Layer, params: dict[str, Any], x: Value, context: Context) -> Value:
        if not layer.needs_grid:
            return layer.apply(params, x, context)
        alone, after, runs = context._replace(sequences=None), layer.follow(self), self.runs
        together, found = runs.gathered(x), []
        for run in runs:
            part = together if run.n_samples == len(self) else together[run.start : run.stop]
            y = layer.apply(params, F.reshape(part, (run.n_samples, *run.grid, *x.shape[1:])), alone)
            found.append(y if after is None else F.reshape(y, (-1, y.shape[-1])))
        return runs.put_back(found[0] if len(found) == 1 else F.concatenate(found), after)

    def _sample(self, number: int) -> Array:
        values = super()._sample(number)
        return values.reshape(*self._shapes[number], *values.shape[1:])


def _x(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))


def _numbers(sample: Any, number: int) -> Array:
    x = np.asarray(sample)
    if x.ndim < 3 or x.dtype.kind not in "biuf":
        raise ValueError(
            f"sample {number} of X has shape {x.shape} and dtype {x.dtype}: it must hold real numbers, as an image "
            "(H, W, channels) or a volume (D, H, W, channels)"
        )
    return x


def _padding(kernel: Any, stride: Any = 1, padding: Any = "valid", dilation: Any = 1) -> Any:
    return padding


@lru_cache(maxsize=256)
def _anywhere(n_axes: int, *description: Any) -> Windows:
    """Windows over a grid that is large enough for any: it shows whether the numbers are in range."""
    return make_windows((ANY,) * n_axes, *description)
