"""Vision transformers: what their parameters make of the network, which images they take, what attention looks at."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sknn import ViTClassifier, ViTRegressor
from sknn.augment import Flip
from sknn.nn import Conv, Dense, Dropout, Patches, Positions, TimePool, TransformerBlock

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
BRIGHT = RNG.integers(0, 3, (160, 2))  # the row and the column of the bright one of 3 x 3 patches
IMAGES = 0.3 * RNG.standard_normal((160, 6, 6, 1))
for image, (row, column) in zip(IMAGES, BRIGHT, strict=True):
    image[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += 1.0
ROW = BRIGHT[:, 0].astype(float)
SMALL: dict = {"depth": 1, "max_iter": 3, "batch_size": 20, "random_state": 0}
MODEL = ViTRegressor(2, width=8, dtype="float64", **SMALL)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"positions": "learned", "max_iter": 80, "learning_rate_init": 0.02},
        {"stem": (8,), "positions": None},  # zeros at the border tell the stem where it is
        {"patch_size": (1, 6)},
        {"pooling": "max"},
        {"pooling": "mean_max"},
        {"pooling": "attention"},
        {"augment": "flip"},  # left and right, which leaves the row alone
        {"dropout": 0.0, "feedforward": 1.0, "depth": 2, "n_heads": 2},
    ],
    ids=str,
)
def test_it_learns_where_something_is(params):
    model = ViTRegressor(2, width=16, depth=1, max_iter=40, learning_rate_init=0.01, batch_size=20, random_state=0)
    model.set_params(**params).fit(IMAGES[:120], ROW[:120])
    assert model.score(IMAGES[120:], ROW[120:]) > 0.6


def test_layers_are_what_was_asked_for():
    model = clone(MODEL).set_params(
        stem=(4, 6), depth=2, n_heads=2, feedforward=3.0, positions="learned", pooling="max", dropout=0.1
    )
    block = TransformerBlock(2, feedforward=3.0, dropout=0.1)
    found = [each for each in model.fit(IMAGES, ROW).network_.layers if not each.accompanies]
    stem = [Conv(4, 3, init="he_uniform"), Conv(6, 3, init="he_uniform")]
    assert found == [*stem, Patches(2, 8), block, block, TimePool("max"), Dense(1)]
    assert {Positions("learned"), Dropout(0.1)} <= set(model.network_.layers)
    assert model.network_.shapes_by_name["7"] == (3, 3, 8)


def test_without_positions_patches_may_come_in_any_order():
    turned = IMAGES.reshape(160, 3, 2, 6, 1)[:, ::-1].reshape(IMAGES.shape)  # whole rows of patches
    without = clone(MODEL).set_params(positions=None).fit(IMAGES, ROW)
    assert_allclose(without.predict(turned), without.predict(IMAGES), rtol=1e-9)
    for positions in ("sincos2d", "learned"):
        with_them = clone(MODEL).set_params(positions=positions).fit(IMAGES, ROW)
        assert np.abs(with_them.predict(turned) - with_them.predict(IMAGES)).max() > 1e-4


def test_three_thousand_steps():
    """Of 64 samples, or a tenth; but neither few epochs nor very many."""
    plans = [(8000, 64, 24), (400, 40, 150), (100_000, 64, 20)]
    model = ViTClassifier()
    for n_samples, batch_size, n_epochs in plans:
        plan = model._plan(n_samples)
        assert (plan.batch_size, plan.max_epochs) == (batch_size, n_epochs)


# -- what X is -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "patch_size", "n_patches"),
    [((36,), 4, 9), ((18, 2), 4, 5), ((6, 6, 1), 4, 4), ((4, 3, 3), (2, 3), 2), ((3, 4, 3, 1), 2, 8)],
)
def test_signals_images_and_volumes(shape, patch_size, n_patches):
    X = IMAGES.reshape(160, *shape)
    model = clone(MODEL).set_params(patch_size=patch_size).fit(X, ROW)
    assert model.predict(X).shape == (160,)
    assert model.attention_weights(X[:2]).shape == (2, 1, 4, n_patches, n_patches)


def test_images_of_different_sizes_are_each_what_they_are_alone():
    images = [RNG.standard_normal((h, w, 2)) for h, w in RNG.integers(3, 9, (40, 2))]
    y = [x.mean() for x in images]
    model = clone(MODEL).set_params(stem=(4,)).fit(images, y)
    assert model.n_features_in_ == 2
    together, weights = model.predict(images), model.attention_weights(images)
    for k, x in enumerate(images):
        n_patches = -(-x.shape[0] // 2) * -(-x.shape[1] // 2)
        assert weights[k].shape == (1, 4, n_patches, n_patches)
        assert_allclose(model.predict([x]), together[k], rtol=1e-9)
        assert_allclose(model.predict(x[None]), together[k], rtol=1e-9)
        assert_allclose(model.attention_weights([x])[0], weights[k], rtol=1e-9)


def test_a_list_of_images_of_one_size_is_an_array():
    as_list = clone(MODEL).fit(list(IMAGES), ROW)
    assert_allclose(as_list.predict(IMAGES), clone(MODEL).fit(IMAGES, ROW).predict(IMAGES), rtol=1e-9)


# -- attention -----------------------------------------------------------------------------------------------------


def test_weights_are_told_for_each_block_and_head():
    model = clone(MODEL).set_params(depth=3, n_heads=2).fit(IMAGES, ROW)
    before = model.predict(IMAGES)
    weights = model.attention_weights(IMAGES)
    assert weights.shape == (160, 3, 2, 9, 9)
    assert_allclose(weights.sum(axis=-1), 1.0)
    assert model.attention_weights(IMAGES[:2].astype("float32")).dtype == np.float32
    assert_array_equal(model.predict(IMAGES), before)


# -- augmentation --------------------------------------------------------------------------------------------------


def test_augmentation_belongs_to_training_alone():
    plain, flipped, again = (clone(MODEL).set_params(augment=each).fit(IMAGES, ROW) for each in (None, Flip(), "flip"))
    assert np.abs(plain.network_.theta - flipped.network_.theta).max() > 1e-4
    assert_array_equal(flipped.network_.theta, again.network_.theta)
    assert_array_equal(flipped.predict(IMAGES), flipped.set_params(augment=None).predict(IMAGES))


def test_searches_reach_into_it():
    search = GridSearchCV(clone(MODEL).set_params(augment=Flip()), {"augment__axes": [0, 1], "width": [4, 8]}, cv=2)
    assert search.fit(IMAGES, ROW).cv_results_["rank_test_score"].shape == (4,)


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_heads": 3}, "n_heads=3 must divide the 8 channels"),
        ({"stem": (8, 0)}, r"stem=\(8, 0\) must hold a positive integer for each convolution"),
        (
            {"patch_size": (2, 2, 2)},
            r"patch_size=\(2, 2, 2\) must be an integer of at least 1, or one for each of 2 axes",
        ),
        ({"patch_size": 0}, "The 'patch_size' parameter of ViTClassifier must be an int in the range"),
        ({"positions": "rotary"}, "The 'positions' parameter of ViTClassifier must be a str among"),
        ({"augment": "flop"}, "The 'augment' parameter of ViTClassifier must be"),
        ({"solver": "lbfgs", "dropout": 0.2}, "dropout=0.2 does not apply with solver='lbfgs'"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        ViTClassifier(2, width=8, **SMALL).set_params(**params).fit(IMAGES, ROW > 0)


def test_positions_of_images_of_different_sizes_cannot_be_learned():
    images = [image[k % 2 :] for k, image in enumerate(IMAGES)]
    with pytest.raises(ValueError, match=r"samples of different sizes, but .* take positions='sincos2d'"):
        ViTClassifier(2, width=8, positions="learned", **SMALL).fit(images, ROW > 0)
