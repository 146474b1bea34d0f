"""Amounts at pixels: what is known of them is encoded, weighted and decoded, in the form in which it came."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import r2_score

from sknn.losses import SquaredError
from sknn.nn import Grids, Sequences
from sknn.template.pixels import PixelTarget
from sknn.template.targets import RealTarget

RNG = np.random.default_rng(0)
WEIGHT = np.array([1.0, 2.0, 0.5])
FORMS = {
    "signals": (RNG.normal(3, 2, (3, 7)), 1),
    "images": (RNG.normal(3, 2, (3, 4, 5)), 2),
    "images of two channels": (RNG.normal(3, 2, (3, 4, 5, 2)), 2),
    "series": (Sequences(RNG.normal(3, 2, 9), [2, 3, 4]), 1),
    "images of different sizes": (Grids(RNG.normal(3, 2, (11, 2)), [[1, 2], [3, 1], [2, 3]]), 2),
}
each_form = pytest.mark.parametrize(("y", "n_axes"), FORMS.values(), ids=FORMS)


def values(y):
    return y.values if hasattr(y, "lengths") else y


def with_gaps(y):
    changed = values(y).copy()
    changed[(0,) * changed.ndim] = np.nan
    return y.like(changed) if hasattr(y, "lengths") else changed


def target(y, n_axes, weight=None):
    return PixelTarget(y, weight, n_axes, lambda y, weight: RealTarget(y, weight, SquaredError(), True))


@each_form
def test_what_is_encoded_is_decoded(y, n_axes):
    found = target(y, n_axes)
    encoded = found.encode(y, np.dtype(np.float64))
    decoded = found.decode(encoded)
    for one, other in zip(decoded, y, strict=True):
        assert_allclose(one, other, atol=1e-8)
    rows = values(encoded).reshape(-1, found.n_outputs)
    assert_allclose(rows.mean(axis=0), 0, atol=1e-9)
    assert_allclose(rows.std(axis=0), 1, rtol=1e-9)


@each_form
def test_pixels_that_are_nan_have_no_weight_and_no_influence(y, n_axes):
    gaps = with_gaps(y)
    found = target(gaps, n_axes, WEIGHT)
    weight = found.weights(gaps, WEIGHT)
    assert np.isfinite(values(found.encode(gaps, np.dtype(np.float64)))).all()
    assert values(weight).ravel()[0] == 0
    assert (values(weight).ravel()[1:] > 0).all()
    assert_array_equal([each.max() for each in weight], WEIGHT)
    known = values(weight).ravel() > 0
    rows = values(y).reshape(len(known), -1)
    mean = np.average(rows[known], axis=0, weights=values(weight).ravel()[known])
    assert_allclose(np.ravel(found.attributes["y_mean_"]), mean)


@each_form
def test_the_score_is_that_of_all_known_pixels(y, n_axes):
    gaps = with_gaps(y)
    found = target(gaps, n_axes)
    guess = [np.asarray(image) + 0.1 for image in y]
    rows = values(y).reshape(-1, found.n_outputs)[1:]
    assert_allclose(found.score(list(gaps), guess, None), r2_score(rows, rows + 0.1))
    with pytest.raises(ValueError, match="no pixel that is known"):
        target(y.like(values(y) * np.nan) if hasattr(y, "lengths") else y * np.nan, n_axes)


@each_form
def test_later_batches_may_hold_no_pixel_that_is_known(y, n_axes):
    found = target(y, n_axes)
    unknown = y.like(values(y) * np.nan) if hasattr(y, "lengths") else y * np.nan
    found.check(unknown, False)
    assert np.isfinite(values(found.encode(unknown, np.dtype(np.float64)))).all()
    assert not values(found.weights(unknown, None)).any()


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_another_number_of_channels_is_refused(value):
    found = target(np.ones((2, 3, 3, 2)), 2)
    with pytest.raises(ValueError, match="had 2 outputs"):
        found.check(np.full((2, 3, 3), value), False)
