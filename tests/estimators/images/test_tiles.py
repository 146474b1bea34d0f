"""Tiles: they cover images of any size once, and are put together in place."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.estimators.images.tiles import in_rows, joined, tiles_of
from sknn.nn import Grids

SIZES = {"signals": [(50,), (7,), (64,)], "images": [(20, 33), (5, 5), (16, 48)], "volumes": [(9, 8, 20), (3, 17, 4)]}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("side", "margin", "step"), [(8, 3, 4), (5, 0, 1), (100, 9, 8), (16, 20, 2)])
def test_tiles_cover_every_image_once(sizes, side, margin, step):
    covered = [np.zeros(size, int) for size in sizes]
    for image, shown, kept in tiles_of(np.array(sizes), side, margin, step):
        covered[image][kept] += 1
        for s, k, size in zip(shown, kept, sizes[image], strict=True):
            assert s.start % step == 0
            assert s.start == 0 or s.start <= k.start - margin
            assert s.stop == size or s.stop >= k.stop + margin
    for each in covered:
        assert_array_equal(each, 1)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_what_is_said_of_tiles_is_put_together_in_place(sizes):
    rng = np.random.default_rng(0)
    images = [rng.normal(size=(*size, 2)) for size in sizes]
    tiles = tiles_of(np.array(sizes), 8, 3, 2)
    x = in_rows(images)
    pieces = in_rows([images[tile.image][tile.shown] for tile in tiles])
    for found, expected in zip(joined(tiles, pieces, x), images, strict=True):
        assert_array_equal(found, expected)
    assert isinstance(x, Grids) == (len(sizes[0]) > 1)
