"""U-nets: labels and amounts at the pixels of images of any size, from few images, in tiles, beside scikit-learn."""

import pickle
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter, zoom
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_validate

from sknn import UNetRegressor, UNetSegmenter
from sknn.autodiff import Tensor, grad
from sknn.metrics import dice_score
from sknn.nn import Draws
from sknn.ops.loss import average
from sknn.template.samples import Batch

SMALL: dict = {"depth": 2, "random_state": 0}
QUICK: dict = {**SMALL, "max_iter": 2}


def squares(n, grid=(24, 20), seed=0):
    """Noisy images of squares (cubes, intervals), and where these are."""
    rng = np.random.default_rng(seed)
    y = np.zeros((n, *grid), int)
    for labels in y:
        labels[tuple(slice(a, a + size // 2) for a, size in zip(rng.integers(1, 8, len(grid)), grid, strict=True))] = 1
    return (y + 0.5 * rng.normal(size=y.shape))[..., None], y


X, Y = squares(12)
SMOOTH = gaussian_filter(np.random.default_rng(1).normal(size=(12, 24, 20)), (0, 2, 2)) * 5
NOISY = (SMOOTH + np.random.default_rng(2).normal(size=SMOOTH.shape))[..., None]


def objects(images):
    found = np.empty(len(images), object)
    for k, image in enumerate(images):
        found[k] = image
    return found


def cut(images):
    """To different sizes."""
    return [image[: 16 + k % 8, : 20 - k % 5] for k, image in enumerate(images)]


# -- labels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["cross_entropy", "dice", "both"])
@pytest.mark.parametrize("grid", [(60,), (24, 20), (12, 12, 10)], ids=["signals", "images", "volumes"])
def test_it_learns_from_signals_images_and_volumes(grid, loss):
    x, y = squares(12, grid)
    model = UNetSegmenter(4, loss=loss, max_iter=30, **SMALL).fit(x[:8], y[:8])
    assert model.score(x[8:], y[8:]) > 0.8
    assert model.score(x[8:], y[8:]) == dice_score(y[8:], model.predict(x[8:]))
    proba = model.predict_proba(x[8:])
    assert proba.shape == (4, *grid, 2)
    assert_allclose(proba.sum(axis=-1), 1.0, rtol=1e-6)
    assert_array_equal(proba.argmax(axis=-1), model.predict(x[8:]))


def test_there_may_be_any_number_of_classes_of_any_name():
    names = np.array(["sky", "square", "edge"])[np.where(X[..., 0] > 1.5, 2, Y)]
    model = UNetSegmenter(4, max_iter=20, **SMALL).fit(X, names)
    assert model.classes_.tolist() == ["edge", "sky", "square"]
    assert model.predict_proba(X).shape == (*Y.shape, 3)
    assert model.score(X, names) > 0.6


@pytest.mark.parametrize("size", range(17, 41))
def test_labels_have_the_size_of_the_image_whatever_it_is(size):
    assert MODEL.predict(np.zeros((1, size, 57 - size, 1))).shape == (1, size, 57 - size)


MODEL = UNetSegmenter(2, depth=3, max_iter=1, random_state=0).fit(X, Y)


def test_images_of_different_sizes_are_predicted_as_each_alone():
    images, labels = cut(X), cut(Y)
    model = UNetSegmenter(2, dtype="float64", **QUICK).fit(images, labels)
    found = model.predict_proba(images)
    assert found.dtype == object
    for image, proba in zip(images, found, strict=True):
        assert_allclose(model.predict_proba(image[None])[0], proba, rtol=1e-10)
    assert [each.shape for each in model.predict(objects(images))] == [each.shape for each in labels]
    assert 0 < model.score(images, labels) < 1
    same = UNetSegmenter(2, dtype="float64", **QUICK).fit(objects(images), objects(labels))
    assert_array_equal(same.network_.theta, model.network_.theta)


def test_one_image_is_enough():
    model = UNetSegmenter(4, max_iter=60, **SMALL).fit(X[:1], Y[:1])
    assert model.n_patches_ == 8
    assert model.score(X[1:], Y[1:]) > 0.7


def test_it_trains_for_500_steps():
    model = UNetSegmenter(2, patch=16, depth=1, random_state=0).fit(X, Y)
    assert model.n_patches_ == 12 * 2 * 2
    assert model.n_iter_ == -(-500 // 6)
    assert model.t_ == 84 * 48


def test_positions_without_a_label_are_of_no_class():
    """Whatever marks them; taken for those of a class, they would count."""
    some = np.where(np.arange(20) < 12, Y, -1)
    one, marked, taken = (
        UNetSegmenter(2, unlabelled=mark, **QUICK).fit(X, np.where(some < 0, label, some))
        for mark, label in [(-1, -1), (9, 9), (-1, 1)]
    )
    assert one.classes_.tolist() == marked.classes_.tolist() == [0, 1]
    assert_array_equal(marked.network_.theta, one.network_.theta)
    assert (taken.network_.theta != one.network_.theta).any()
    with pytest.raises(ValueError, match="no labelled position: all are -1"):
        UNetSegmenter(2, **QUICK).fit(X, np.full_like(Y, -1))


@pytest.mark.parametrize("loss", ["cross_entropy", "dice", "both"])
def test_the_gradient_at_a_position_without_a_label_is_exactly_zero(loss):
    model = UNetSegmenter(2, loss=loss, **QUICK).fit(X, Y)
    some = np.where(np.random.default_rng(3).random(Y.shape) < 0.3, Y, -1)
    y, weight = model._new_target(some, None).encode(some, np.dtype("float64")), (some >= 0).astype(float)
    raw = Tensor(np.random.default_rng(4).normal(size=(*Y.shape, 1)))
    objective = model._objective(lambda x: raw, Batch(X, y, weight), Draws(0))
    slope = grad(average(objective.reshape(-1), weight.ravel()), raw)[..., 0]
    assert (slope[some < 0] == 0).all()
    assert (slope[some >= 0] != 0).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "dice", "both"])
@pytest.mark.parametrize("augment", [None, "shift"])
def test_few_labels_are_enough_to_go_on(loss, augment):
    """One pixel of each class, in an image from which most crops would show none."""
    x, y = squares(1, (64, 64))
    some = np.full_like(y, -1)
    for label in (0, 1):
        place = tuple(np.argwhere(y == label)[5])
        some[place] = label
    model = UNetSegmenter(2, loss=loss, patch=8, augment=augment, **QUICK).fit(x, some)
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize("loss", ["cross_entropy", "dice"])
def test_weights_of_classes_and_images_count(loss):
    fitted = [
        UNetSegmenter(2, loss=loss, class_weight=weight, **QUICK).fit(X, Y, sample_weight)
        for weight, sample_weight in [(None, None), ({1: 5.0}, None), (None, np.arange(12.0)), ("balanced", None)]
    ]
    for k, one in enumerate(fitted):
        for other in fitted[:k]:
            assert (one.network_.theta != other.network_.theta).any()
    without = UNetSegmenter(2, loss=loss, **QUICK).fit(X[4:], Y[4:])
    zero = UNetSegmenter(2, loss=loss, **QUICK).fit(X, Y, (np.arange(12) > 3).astype(float))
    assert_array_equal(zero.network_.theta, without.network_.theta)


@pytest.mark.parametrize("loss", ["cross_entropy", "dice"])
def test_early_stopping_looks_at_whole_images(loss):
    model = UNetSegmenter(4, loss=loss, max_iter=10, early_stopping=True, patch=8, **SMALL)
    fitted = clone(model).set_params(validation_fraction=0.25).fit(X, Y)
    assert len(fitted.validation_scores_) == fitted.n_iter_
    assert np.isfinite(fitted.validation_scores_).all()
    other_size = clone(model).fit(X[:8], Y[:8], X_val=X[8:, :17, :13], y_val=Y[8:, :17, :13])
    assert_allclose(other_size.validation_scores_, -np.array(other_size.validation_loss_curve_))
    ragged = clone(model).set_params(scoring=make_scorer(dice_score)).fit(cut(X), cut(Y))
    assert 0 < ragged.best_validation_score_ <= 1


# -- what the skips are for ----------------------------------------------------------------------------------------


def filaments(n, rng, size=256, n_lines=15, length=160):
    """Wandering lines one pixel wide, in noise on a background that is bright and dark, and where they are."""
    lines = np.zeros((n, size, size), int)
    for image in lines:
        for _ in range(n_lines):
            angles = rng.uniform(0, 2 * np.pi) + np.cumsum(0.12 * rng.normal(size=length))
            steps = np.cumsum(np.stack([np.sin(angles), np.cos(angles)], axis=1), axis=0)
            places = (rng.uniform(0, size, 2) + steps).astype(int)
            image[tuple(places[((places >= 0) & (places < size)).all(axis=1)].T)] = 1
    background = 8 * gaussian_filter(rng.normal(size=lines.shape), (0, 8, 8))
    return (1.5 * lines + background + 0.5 * rng.normal(size=lines.shape))[..., None], lines


@pytest.mark.slow
@pytest.mark.parametrize(("skips", "low", "high"), [(True, 0.65, 1.0), (False, 0.0, 0.2)])
def test_without_skips_nothing_that_is_thin_is_found_in_200_steps(skips, low, high):
    """Of 8 crops of 128 pixels each."""
    images, lines = filaments(16, np.random.default_rng(1))
    others, there = filaments(8, np.random.default_rng(2))
    model = UNetSegmenter(skips=skips, max_iter=25, random_state=0).fit(images, lines)
    assert model.t_ == 200 * 8
    assert low <= dice_score(there, model.predict(others), average=None)[1] <= high


# -- tiles ---------------------------------------------------------------------------------------------------------

ON_GRIDS = {"signals": ((700,), 64), "images": ((150, 170), 32), "volumes": ((40, 36, 50), 16)}


@pytest.mark.parametrize(("grid", "tile"), ON_GRIDS.values(), ids=ON_GRIDS)
@pytest.mark.parametrize("params", [{}, {"up": "nearest", "attention": True, "residual": True}], ids=["plain", "all"])
def test_an_image_in_tiles_is_predicted_as_the_whole(grid, tile, params):
    """With enough around each tile there is no difference but that of rounding."""
    depth = 3 if len(grid) < 3 else 1
    model = UNetSegmenter(2, depth=depth, max_iter=1, dtype="float64", random_state=0, **params)
    model.fit(*squares(8, tuple(min(n, 32) for n in grid)))
    large = np.random.default_rng(0).normal(size=(2, *grid, 1))
    whole = model.set_params(tile=10_000).predict_proba(large)
    in_tiles = model.set_params(tile=tile).predict_proba(large)
    assert_allclose(in_tiles, whole, rtol=0, atol=1e-12)
    assert in_tiles.std() > 1e-3


# -- amounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_noise_is_removed(loss):
    model = UNetRegressor(4, loss=loss, max_iter=40, **SMALL).fit(NOISY[:8], SMOOTH[:8])
    assert model.predict(NOISY[8:]).shape == (4, 24, 20)
    assert model.score(NOISY[8:], SMOOTH[8:]) > 0.3
    errors = [np.square(found - SMOOTH[8:]).mean() for found in (model.predict(NOISY[8:]), NOISY[8:, ..., 0])]
    assert errors[0] < 0.5 * errors[1]


def test_images_may_become_larger():
    coarse = SMOOTH.reshape(12, 12, 2, 10, 2).mean(axis=(2, 4))[..., None]
    model = UNetRegressor(4, max_iter=150, **SMALL).fit(coarse[:8], SMOOTH[:8])
    assert model.factors_ == (2, 2)
    assert model.predict(coarse[8:]).shape == (4, 24, 20)
    linear = zoom(coarse[8:, ..., 0], (1, 2, 2), order=1, mode="nearest", grid_mode=True)
    errors = [np.square(found - SMOOTH[8:]).mean() for found in (model.predict(coarse[8:]), linear)]
    assert errors[0] < errors[1]
    ragged = UNetRegressor(2, **QUICK).fit(
        cut(coarse), [np.kron(image[..., 0], np.ones((2, 2))) for image in cut(coarse)]
    )
    assert [each.shape for each in ragged.predict(cut(coarse))] == [
        (2 * image.shape[0], 2 * image.shape[1]) for image in cut(coarse)
    ]


def test_there_may_be_several_amounts_at_a_pixel_some_of_them_unknown():
    both = np.stack([SMOOTH, 100 - SMOOTH], axis=-1)
    both[:, :5] = np.nan
    model = UNetRegressor(4, max_iter=20, **SMALL).fit(NOISY, both)
    assert model.predict(NOISY).shape == both.shape
    assert np.isfinite(model.predict(NOISY)).all()
    assert model.score(NOISY, both) > 0.3
    one = UNetRegressor(2, **QUICK).fit(NOISY, SMOOTH[..., None])
    assert one.predict(NOISY).shape == (*SMOOTH.shape, 1)
    assert_array_equal(one.predict(NOISY)[..., 0], UNetRegressor(2, **QUICK).fit(NOISY, SMOOTH).predict(NOISY))


def test_the_unit_of_amounts_does_not_matter():
    one, other = (UNetRegressor(2, dtype="float64", **QUICK).fit(NOISY, y) for y in (SMOOTH, 1e6 + 1e3 * SMOOTH))
    assert_allclose(1e6 + 1e3 * one.predict(NOISY), other.predict(NOISY), rtol=1e-8)


# -- what scikit-learn does with them ------------------------------------------------------------------------------

MODELS = {"segmenter": (UNetSegmenter(2, **QUICK), X, Y), "regressor": (UNetRegressor(2, **QUICK), NOISY, SMOOTH)}
each_model = pytest.mark.parametrize(("model", "x", "y"), MODELS.values(), ids=MODELS)


@each_model
def test_folds_and_searches(model, x, y):
    found = cross_val_predict(model, x, y, cv=KFold(3))
    assert found.shape == y.shape
    ragged = cross_val_predict(model, objects(cut(x)), objects(cut(y)), cv=KFold(3))
    assert [each.shape for each in ragged] == [each.shape for each in cut(y)]
    scores = cross_validate(model, x, y, cv=3, error_score="raise")["test_score"]
    assert np.isfinite(scores).all()
    search = GridSearchCV(model, {"filters": [1, 2], "skips": [True, False]}, cv=2, error_score="raise").fit(x, y)
    assert search.best_estimator_.predict(x).shape == y.shape


def test_the_dice_coefficient_is_a_scorer():
    scores = cross_validate(UNetSegmenter(2, **QUICK), X, Y, scoring=make_scorer(dice_score), cv=3)
    assert np.isfinite(scores["test_score"]).all()
    assert not is_classifier(UNetSegmenter())
    assert is_regressor(UNetRegressor())


@each_model
def test_a_pickle_predicts_the_same(model, x, y):
    fitted = clone(model).fit(x, y)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(x), fitted.predict(x))


@each_model
def test_a_random_state_gives_one_fit(model, x, y):
    one, same, other = (clone(model).set_params(random_state=seed, patch=8).fit(x, y) for seed in (0, 0, 1))
    assert_array_equal(one.network_.theta, same.network_.theta)
    assert (one.network_.theta != other.network_.theta).any()


@each_model
def test_images_are_changed_at_random_in_training_alone(model, x, y):
    plain, flipped = (clone(model).set_params(augment=augment).fit(x, y) for augment in (None, "flip"))
    assert (plain.network_.theta != flipped.network_.theta).any()
    assert_array_equal(flipped.predict(x), flipped.set_params(augment=None).predict(x))


# -- what is refused -----------------------------------------------------------------------------------------------

SEGMENT, REGRESS = partial(UNetSegmenter, 2, **QUICK), partial(UNetRegressor, 2, **QUICK)
ERRORS = {
    "labels of another size": (SEGMENT, X, Y[:, :-1], r"sample 0 has shape \(23, 20\), .* of shape \(24, 20\)"),
    "labels with channels": (SEGMENT, X, Y[..., None], r"sample 0 has shape \(24, 20, 1\)"),
    "a label for each image": (SEGMENT, X, Y[:, 0, 0], r"sample 0 has shape \(\)"),
    "labels of another size in a list": (SEGMENT, cut(X), cut(Y[:, :15]), "sample 0 is 16 x 20, but labels"),
    "as many": (SEGMENT, X, Y[:-1], "inconsistent numbers of samples"),
    "amounts of another size": (REGRESS, NOISY, SMOOTH[:, :-1], r"image 0 of y has shape \(23, 20\), .* 24x20"),
    "an amount for each image": (REGRESS, NOISY, SMOOTH[:, 0, 0], r"image 0 of y has shape \(\)"),
    "sometimes larger": (
        REGRESS, cut(NOISY), [np.kron(each, np.ones((1 + k % 2, 1))) for k, each in enumerate(cut(SMOOTH))],
        r"image 1 of y has shape \(34, 19\), but that of X has 17x19 positions",
    ),
    "nothing known": (REGRESS, NOISY, np.full_like(SMOOTH, np.nan), "no pixel that is known"),
    "infinity": (REGRESS, NOISY, np.where(SMOOTH > 0, np.inf, SMOOTH), "image 0 of y contains infinity"),
    "words": (REGRESS, NOISY, np.full(SMOOTH.shape, "a"), "y must hold numbers, an image for each sample"),
    "one crop a step": (partial(SEGMENT, batch_size=1), X, Y, "does not apply with batches of one sample"),
    "a search": (partial(SEGMENT, solver="lbfgs"), X, Y, "clip_norm|BatchNorm"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "x", "y", "message"), ERRORS.values(), ids=ERRORS)
def test_what_is_wrong_is_refused_and_named(make, x, y, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        model.fit(x, y)
    assert not hasattr(model, "network_")
