"""Crops of images: what a network learns from that works on images of any size."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autodiff.tape import Array
from ...nn.draws import Draws
from ...template.samples import Batch, Samples


class Crops:
    """Crops of one size from anywhere in the images, as many in an epoch as take all images once.

    Every crop shows a position that counts: with images of which little is labelled, it lies around one of these.
    Where an image is smaller than a crop, its border goes on, and what lies beyond counts for nothing.

    Parameters
    ----------
    samples : Samples
        Images, signals or volumes with encoded targets at all positions.
    size : int
        Of a crop along each axis; along no axis longer than the largest image.
    fewest : int
        Crops in an epoch.
    """

    def __init__(self, samples: Samples, size: int, fewest: int) -> None:
        rows = np.arange(len(samples)) if samples.rows is None else samples.rows
        self.samples = samples
        self.sizes = sizes_of(samples.x)
        self.size = np.minimum(size, self.sizes[rows].max(axis=0))
        n_crops = (-(-self.sizes[rows] // self.size)).prod(axis=1)
        images = np.repeat(rows, n_crops)
        self.images = np.resize(images, max(len(images), fewest))
        self.counting = {int(row): _counting(samples.weight, row) for row in rows}

    def __len__(self) -> int:
        return len(self.images)

    def take(self, index: slice | Array, draws: Draws) -> Batch:
        """Crops of these numbers, each anywhere in the image that it belongs to."""
        images = self.images[index]
        starts = self._starts(images, draws)
        places = [self._places(start, self.sizes[k]) for k, start in zip(images.tolist(), starts, strict=True)]

        def cut(values: Any) -> Array:
            return np.stack([values[k][place] for k, place in zip(images.tolist(), places, strict=True)])

        samples = self.samples
        x = cut(samples.x)
        x = x if samples.prepare is None else samples.prepare(x)
        weight = None if samples.weight is None else cut(samples.weight)
        beyond = (self.sizes[images] < self.size).any()
        if beyond:
            inside = self._inside(images)
            weight = inside if weight is None else weight * inside
        return Batch(x.astype(samples.dtype, copy=False), cut(samples.encoded), weight)

    def _starts(self, images: Array, draws: Draws) -> Array:
        """Where crops begin: anywhere, as long as they show a position that counts."""
        last = np.maximum(self.sizes[images] - self.size, 0)
        first = np.zeros_like(last)
        for crop, k in enumerate(images.tolist()):
            known = self.counting[k]
            if known is not None:
                position = known[int(draws.integers(len(known), (1,))[0])]
                first[crop] = np.clip(position - self.size + 1, 0, last[crop])
                last[crop] = np.minimum(position, last[crop])
        shares = draws.uniform(last.shape).astype(np.float64)
        return first + (shares * (last - first + 1)).astype(np.intp)

    def _places(self, start: Array, sizes: Array) -> tuple[Any, ...]:
        """The positions of a crop along each axis; the last one of the image stands for those behind it."""
        if (sizes >= self.size).all():
            return tuple(slice(a, a + n) for a, n in zip(start.tolist(), self.size.tolist(), strict=True))
        ends = zip(start.tolist(), self.size.tolist(), sizes.tolist(), strict=True)
        return np.ix_(*(np.minimum(np.arange(a, a + n), size - 1) for a, n, size in ends))

    def _inside(self, images: Array) -> Array:
        """1.0 where crops show their image, 0.0 beyond it."""
        inside = np.zeros((len(images), *self.size))
        for crop, k in enumerate(images.tolist()):
            inside[crop][tuple(map(slice, self.sizes[k]))] = 1.0
        return inside


def sizes_of(x: Any) -> Array:
    """How long each image is along each axis: (n_images, n_axes)."""
    return x.shapes if hasattr(x, "lengths") else np.tile(x.shape[1:-1], (len(x), 1))


def _counting(weight: Any, row: Any) -> Array | None:
    """The positions of an image that count, (n, n_axes); None if all do."""
    counts = None if weight is None else weight[row] != 0
    return None if counts is None or counts.all() else np.argwhere(counts)
