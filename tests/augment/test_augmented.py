"""What becomes of a batch, by hand on tiny grids; and that it depends on the draws alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.augment import AUGMENTATIONS, Augmentation, Flip, Noise, Placement, Rotate, Shift, Zoom, augmented, listed
from sknn.nn import Draws, Grids, Sequences

RNG = np.random.default_rng(0)
GRIDS = {"signals": (9,), "images": (7, 6), "volumes": (4, 5, 6)}
# what needs no plane of its own
EVERYWHERE = {name: each for name, each in AUGMENTATIONS.items() if name != "rotate"}


def batch(grid, n=4, channels=2, dtype="float64"):
    return RNG.normal(size=(n, *grid, channels)).astype(dtype)


class Fixed:
    """Draws that are said beforehand, in their order."""

    def __init__(self, *values):
        self.values = list(values)

    def integers(self, high, shape):
        return np.resize(self.values.pop(0), shape)

    def uniform(self, shape):
        return np.resize(self.values.pop(0), shape)


# -- by hand -------------------------------------------------------------------------------------------------------

LINE, SQUARE = [0.0, 1.0, 2.0, 3.0], [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]
ROOT = np.sqrt(0.5)
BY_HAND = {
    "a step back, the border goes on": (Shift(0.5), [3], LINE, [1, 2, 3, 3]),
    "two steps on": (Shift(0.5), [0], LINE, [0, 0, 0, 1]),
    "each axis by itself": (Shift(0.34), [2, 0], SQUARE, [[3, 3, 4], [6, 6, 7], [6, 6, 7]]),
    "one axis stays": (Shift((0.0, 0.34)), [0, 2], SQUARE, [[1, 2, 2], [4, 5, 5], [7, 8, 8]]),
    "not reversed": (Flip(), [0], LINE, LINE),
    "reversed": (Flip(), [1], LINE, [3, 2, 1, 0]),
    "left and right": (Flip(), [1], SQUARE, [[2, 1, 0], [5, 4, 3], [8, 7, 6]]),
    "up and down": (Flip(0), [1], SQUARE, [[6, 7, 8], [3, 4, 5], [0, 1, 2]]),
    "both": (Flip("all"), [1, 1], SQUARE, [[8, 7, 6], [5, 4, 3], [2, 1, 0]]),
    "turned by a quarter": (Rotate(180), [0.75], SQUARE, [[2, 5, 8], [1, 4, 7], [0, 3, 6]]),
    "turned by an eighth": (  # a bar, of which each position sees 1 - its distance from it; the border goes on
        Rotate(90),
        [0.75],
        [[0, 0, 0], [1, 1, 1], [0, 0, 0]],
        [[0, 1 - ROOT, 1], [1 - ROOT, 1, 1 - ROOT], [1, 1 - ROOT, 0]],
    ),
    "half as large": (Zoom(1.0), [0.0], LINE, [0, 0.5, 2.5, 3]),
    "twice as large": (Zoom(1.0), [1.0], LINE, [0.75, 1.25, 1.75, 2.25]),
}


@pytest.mark.parametrize(("augmentation", "drawn", "given", "wanted"), BY_HAND.values(), ids=BY_HAND)
def test_by_hand(augmentation, drawn, given, wanted):
    x = np.asarray(given, "float64")[None, ..., None]
    found = augmented(x, augmentation, Fixed(*drawn)).x
    assert_allclose(found[0, ..., 0], wanted, atol=1e-12)


def test_what_moves_is_interpolated_once():
    x = batch((8, 8))
    half = np.full((4, 2), 0.5)
    there = Placement(4, (8, 8)).then(None, half)
    assert_array_equal(there.then(None, -half).interpolated(x), x)


def test_the_order_of_moves_counts():
    quarter, step = (Rotate(180), [0.75]), (Shift((0.0, 0.34)), [1, 2])
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    one_by_one = augmented(augmented(x, quarter[0], Fixed(*quarter[1])).x, step[0], Fixed(*step[1])).x
    together = augmented(x, [quarter[0], step[0]], Fixed(*quarter[1], *step[1])).x
    swapped = augmented(x, [step[0], quarter[0]], Fixed(*step[1], *quarter[1])).x
    inner = (slice(None), slice(None), slice(0, 2))  # one by one, a border of the first goes on in the second
    assert_allclose(together[inner], one_by_one[inner], atol=1e-12)
    assert not np.allclose(together, swapped)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_flipped_twice_is_as_before(grid):
    x, flips = batch(grid), Flip("all")
    draws = Draws(3, "float64")
    once = augmented(x, flips, draws).x
    draws.at(0, 0)
    assert not np.array_equal(once, x)
    assert_array_equal(augmented(once, flips, draws).x, x)


# -- label maps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("names", [["shift"], ["flip"], ["flip", "shift"], [Shift(0.3), Flip("all"), "noise"]], ids=str)
def test_labels_move_with_the_samples(grid, names):
    labels = np.arange(4 * np.prod(grid)).reshape(4, *grid)
    x = labels[..., None].astype("float64")
    moved, (found, twice), inside = augmented(x, names, Draws(5, "float64"), labels, 2 * labels)
    assert found.dtype == labels.dtype
    assert_allclose(moved[..., 0], found, atol=1.0 if "noise" in names else 0)
    assert_array_equal(twice, 2 * found)
    for sample, within in zip(found, inside, strict=True):  # what comes in from outside shows a border twice
        assert len(np.unique(sample[within])) == within.sum()


def test_a_label_is_that_of_the_nearest_pixel():
    x = np.arange(5.0).reshape(1, 5, 1)
    labels = np.array([["a", "b", "c", "d", "e"]])
    seen, (near,), inside = augmented(x, Zoom(0.25), Fixed(0.0), labels)  # made smaller, by 1.25
    assert_allclose(seen[0, :, 0], [0, 0.75, 2, 3.25, 4])
    assert near[0].tolist() == ["a", "b", "c", "d", "e"]
    assert inside[0].all()  # -0.5 is still nearest to the first


def test_labels_of_turned_images_are_those_of_the_image():
    disc = (np.hypot(*(np.indices((33, 33)) - 16)) < 9).astype("float64")
    moved, (labels,), _ = augmented(disc[None, ..., None], Rotate(180), Draws(0), disc[None])
    assert np.abs(labels[0] - disc).mean() < 0.02  # a disc looks the same from all sides
    assert np.abs(moved[0, ..., 0] - disc).mean() < 0.02


def test_without_labels_nobody_asks_what_lies_inside():
    assert augmented(batch((4, 4)), "shift", Draws(0)).inside is None
    assert augmented(batch((4, 4)), "noise", Draws(0), np.zeros((4, 4, 4))).inside is None


# -- samples of different sizes ------------------------------------------------------------------------------------


def test_series_of_different_lengths_are_moved_within_their_own():
    series = Sequences.of([np.arange(5.0)[:, None], 10 + np.arange(3.0)[:, None]])
    labels = series.values[:, 0].astype(int)
    x, (moved,), inside = augmented(series, ["flip", Shift(0.4)], Fixed([1], [4], [0], [0]), labels)
    assert x.values[:, 0].tolist() == [2, 1, 0, 0, 0, 10, 10, 11]
    assert moved.tolist() == [2, 1, 0, 0, 0, 10, 10, 11]
    assert inside.tolist() == [True, True, True, False, False, False, True, True]
    assert_array_equal(x.lengths, series.lengths)


def test_images_of_different_sizes_are_moved_within_their_own():
    images = [np.arange(6.0).reshape(2, 3, 1), 10 + np.arange(4.0).reshape(2, 2, 1)]
    grids = Grids.of(images)
    labels = grids.values[:, 0].astype(int)
    x, (moved,), inside = augmented(grids, [Flip("all")], Fixed([1], [0], [1], [1]), labels)
    assert x[0][..., 0].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert x[1][..., 0].tolist() == [[13, 12], [11, 10]]
    assert moved.tolist() == x.values[:, 0].tolist()
    assert inside.all()
    assert augmented(grids, "rotate", Draws(0)).x.shapes.tolist() == [[2, 3], [2, 2]]


class OnlyLarge(Augmentation):
    def placed(self, n, grid, draws):
        return None, np.ones((n, 1)) if grid[0] > 3 else None


def test_samples_of_which_only_some_move():
    series = Sequences.of([np.arange(3.0)[:, None], np.arange(4.0)[:, None]])
    x, (moved,), inside = augmented(series, OnlyLarge(), Draws(0), series.values[:, 0].astype(int))
    assert x.values[:, 0].tolist() == moved.tolist() == [0, 1, 2, 1, 2, 3, 3]
    assert inside.tolist() == [True] * 6 + [False]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_integers_are_changed_as_real_numbers(name):
    pixels = RNG.integers(0, 256, (2, 5, 4, 1)).astype("uint8")
    for x in (pixels, Grids.of(list(pixels))):
        changed, wanted = (augmented(each, name, Draws(0)).x for each in (x, x.astype("float64")))
        assert changed.dtype == np.float64
        assert_array_equal(np.asarray(changed).tolist(), np.asarray(wanted).tolist())


# -- random numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_and_step_give_the_same_bits(name):
    x, draws = batch((6, 6), n=8, dtype="float32"), Draws(7)
    first = augmented(x, name, draws).x
    other = augmented(x, name, draws).x
    draws.at(0, 0)
    assert_array_equal(augmented(x, name, draws).x, first)
    assert first.dtype == np.float32
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, augmented(x, name, Draws(8)).x)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("name", EVERYWHERE)
def test_every_sample_has_numbers_of_its_own_and_what_is_given_stays(grid, name):
    one = batch(grid, n=1)
    x = one.repeat(32, axis=0)
    kept = x.copy()
    found = augmented(x, name, Draws(0, "float64")).x
    assert_array_equal(x, kept)
    assert found.shape == x.shape
    assert len({sample.tobytes() for sample in found}) > 1


def test_shifts_reach_each_distance_alike():
    x = np.arange(20.0).reshape(1, 20, 1).repeat(5000, axis=0)
    steps = augmented(x, Shift(0.1), Draws(0)).x[:, 10, 0] - 10
    values, counts = np.unique(steps, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(800)


def test_noise_has_the_standard_deviation_that_is_said():
    x = batch((50, 40), n=10, dtype="float32")
    noise = augmented(x, Noise(0.3), Draws(0)).x - x
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert np.corrcoef(noise.ravel(), x.ravel())[0, 1] == pytest.approx(0.0, abs=0.02)


def test_factors_of_zoom_are_alike_both_ways():
    draws = Draws(0, "float64")
    factors = 1 / Zoom(0.5).placed(4000, (8,), draws)[0][:, 0, 0]
    assert 1 / 1.5 <= factors.min() < factors.max() <= 1.5
    assert np.log(factors).mean() == pytest.approx(0.0, abs=0.02)


# -- what is meant -------------------------------------------------------------------------------------------------


def test_names_and_descriptions():
    assert listed(None) == ()
    assert listed("shift") == listed(["shift"]) == (Shift(),)
    assert listed(("flip", Noise(0.2))) == (Flip(), Noise(0.2))
    x = batch((3, 3))
    assert augmented(x, None, Draws(0)).x is x


class Brighter(Augmentation):
    def changed(self, x, draws):
        return x + 1.0


def test_one_of_ones_own():
    x = batch((3,))
    assert_array_equal(augmented(x, [Brighter(), Brighter()], Draws(0)).x, x + 1.0 + 1.0)


REFUSED = {
    "an unknown name": (lambda: listed("shear"), "holds 'shear'; choose of 'shift', 'flip'"),
    "no description": (lambda: listed([Flip(), 3]), "holds 3"),
    "too far": (lambda: Shift(1.0), r"by must be a number in \[0, 1\)"),
    "shares of other axes": (lambda: augmented(batch((4,)), Shift((0.1, 0.2)), Draws(0)), "each of 1 axes"),
    "an axis too many": (lambda: augmented(batch((4,)), Flip(1), Draws(0)), "needs an axis 1, but .* a grid of 1"),
    "no plane": (lambda: augmented(batch((4,)), Rotate(), Draws(0)), "needs an axis -2"),
    "a plane of one axis": (lambda: augmented(batch((4, 4)), Rotate(axes=(0, -2)), Draws(0)), "no plane"),
    "three axes": (lambda: Rotate(axes=(0, 1, 2)), "two axes of a plane"),
    "noise that has a sign": (lambda: Noise(-1.0), "std must be"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
