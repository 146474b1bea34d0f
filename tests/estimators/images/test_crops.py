"""Crops: where they lie, what they show, and that each shows something that counts."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.estimators.images.crops import Crops
from sknn.nn import Draws, Grids
from sknn.template.samples import Samples

SIZES = [(20, 30), (16, 16), (33, 9)]


def images(sizes=SIZES):
    """Images whose values tell where they are: the number of the image, the row and the column."""
    return [np.stack(np.broadcast_arrays(k, *np.indices(size)), axis=-1).astype(float) for k, size in enumerate(sizes)]


def samples(x, weight=None):
    return Samples(x, encoded=x, weight=weight, dtype=np.dtype(np.float32))


def batch(crops, seed=0, index=slice(None)):
    return crops.take(index, Draws(seed))


def test_an_epoch_has_as_many_crops_as_take_all_images_once():
    alike = samples(np.zeros((5, 20, 30, 1)))
    assert len(Crops(alike, 16, fewest=1)) == 5 * 2 * 2
    assert len(Crops(alike, 8, fewest=1)) == 5 * 3 * 4
    assert len(Crops(alike, 999, fewest=1)) == 5  # no crop is larger than the images
    assert len(Crops(alike, 999, fewest=8)) == 8
    assert len(Crops(replace(alike, rows=np.array([3, 1])), 16, fewest=1)) == 2 * 2 * 2
    assert len(Crops(samples(Grids.of(images())), 16, fewest=1)) == 2 * 2 + 1 + 3 * 1


def test_crops_are_pieces_of_the_images_that_they_belong_to():
    whole = images([(20, 30)] * 3)
    crops = Crops(samples(np.stack(whole)), 8, fewest=1)
    found = batch(crops)
    assert found.x.dtype == np.float32
    assert found.weight is None
    for crop, truth, k in zip(found.x, found.y, crops.images, strict=True):
        _, row, column = crop[0, 0].astype(int)
        assert_array_equal(crop, whole[k][row : row + 8, column : column + 8])
        assert_array_equal(truth, crop)


def test_crops_come_from_everywhere_with_the_same_probability():
    crops = Crops(samples(np.stack(images([(10, 12)]))), 8, fewest=3000)
    corners = batch(crops).x[:, 0, 0, 1:].astype(int)
    counts = np.bincount(corners @ [5, 1], minlength=15)
    assert counts.min() > 200 - 5 * np.sqrt(200)
    assert counts.max() < 200 + 5 * np.sqrt(200)


def test_a_seed_and_a_step_give_the_same_crops():
    crops = Crops(samples(np.stack(images([(20, 30)] * 3))), 8, fewest=1)
    assert_array_equal(batch(crops, 1).x, batch(crops, 1).x)
    assert (batch(crops, 1).x != batch(crops, 2).x).any()
    assert_array_equal(batch(crops, index=np.array([4, 2])).x[:, 0, 0, 0], crops.images[[4, 2]])


def test_beyond_a_smaller_image_its_border_goes_on_and_counts_for_nothing():
    crops = Crops(samples(Grids.of(images())), 16, fewest=1)
    found = batch(crops)
    assert found.x.shape == (8, 16, 16, 3)
    small = found.x[crops.images == 2]
    assert_array_equal(found.weight[crops.images != 2], 1)
    assert_array_equal(found.weight[crops.images == 2], np.broadcast_to(np.arange(16) < 9, (3, 16, 16)))
    assert_array_equal(small[..., 2], np.broadcast_to(np.minimum(np.arange(16), 8), (3, 16, 16)))


@pytest.mark.parametrize("ragged", [False, True])
def test_every_crop_shows_a_position_that_counts(ragged):
    """Of two images with one pixel each that is labelled, and one that is labelled everywhere."""
    whole = images([(40, 50)] * 3)
    weight = np.zeros((3, 40, 50))
    weight[0, 0, 49] = weight[1, 20, 20] = 2.0
    weight[2] = 1.0
    x, weights = np.stack(whole), weight
    if ragged:
        x = Grids.of(whole)
        weights = x.like(weight.ravel())
    crops = Crops(samples(x, weights), 8, fewest=400)
    found = batch(crops)
    assert (found.weight.reshape(len(crops), -1).max(axis=1) > 0).all()
    for crop, counts in zip(found.x.astype(int), found.weight, strict=True):
        k, row, column = crop[0, 0]
        assert_array_equal(counts, weight[k, row : row + 8, column : column + 8])
    corners = found.x[crops.images == 1, 0, 0, 1:]
    assert corners.min() == 13  # anywhere around it
    assert corners.max() == 20
