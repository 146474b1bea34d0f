"""Images as samples of a study: of one size and of several, before each model."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.pipeline import Pipeline

from sknn.series import ragged
from sknn.study.choice import as_models
from sknn.study.data import DataSet
from sknn.study.images import RowsOfPixels, as_images
from sknn.study.models import BUILT_IN

RNG = np.random.default_rng(0)
IS_LEFT = RNG.random(30) < 0.5
SIZES = RNG.integers(7, 12, (30, 2))


def image_of(is_left, size):
    """Bright on one side."""
    image = RNG.normal(0, 0.1, (*size, 1))
    side = slice(None, size[1] // 2) if is_left else slice(size[1] // 2, None)
    image[:, side] += 1
    return image


IMAGES = [image_of(*each) for each in zip(IS_LEFT, SIZES, strict=True)]
LABELS = np.where(IS_LEFT, "left", "right")


def data_of(X=IMAGES, y=LABELS, **stated):
    return DataSet.from_arrays("sides", X, y, **stated)


@pytest.mark.parametrize(
    "form",
    [list, ragged, lambda images: pd.Series(images), lambda images: [image[..., 0] for image in images]],
    ids=["list", "objects", "series of pandas", "no channels"],
)
def test_every_form_is_the_same_data(form):
    data = data_of(form(IMAGES))
    assert (data.task, data.sample_shape, data.n_features) == ("classification", (None, None, 1), 1)
    assert data.fingerprint == data_of().fingerprint


def test_images_of_one_size_are_an_array():
    same = [image[:7, :7] for image in IMAGES]
    assert data_of(same).sample_shape == data_of(ragged(same)).sample_shape == (7, 7, 1)
    assert data_of([image[..., 0] for image in same]).sample_shape == (7, 7, 1)
    assert data_of(np.zeros((30, 6, 7, 5, 1))).sample_shape == (6, 7, 5, 1)


def test_whole_numbers_stay_as_they_are():
    assert as_images([np.zeros((4, 6, 3), np.uint8), np.zeros((5, 3, 3), np.uint8)])[0].dtype == np.uint8


@pytest.mark.parametrize(
    ("X", "stated", "message"),
    [
        ([*IMAGES[:-1], IMAGES[-1][..., None]], {}, "image 29 of X is of shape"),
        ([*IMAGES[:-1], IMAGES[-1][:0]], {}, "image 29 of X is of shape (0,"),
        ([*IMAGES[:-1], IMAGES[-1].astype(str)], {}, "it must hold numbers"),
        (IMAGES[:-1], {}, "y of 'sides' has 30 values, but X has 29 samples"),
        (IMAGES, {"sample_shape": (8, 8)}, "but X holds images of different sizes"),
        (IMAGES, {"time_channel": 0}, "time_channel=0 was given, but 'sides' holds no series"),
        ([*IMAGES[:-1], np.full((7, 7, 1), np.inf)], {}, "49 infinite values"),
    ],
)
def test_wrong_images(X, stated, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        data_of(X, **stated)


def test_rows_of_pixels_have_the_usual_size():
    images = as_images([np.ones((4, 90)), np.ones((4, 100)), 3 * np.ones((8, 110))])
    rows = RowsOfPixels(longest_side=40).fit(images)
    assert rows.size_ == (4, 40)
    assert_allclose(rows.transform(images), [[1] * 160, [1] * 160, [3] * 160])
    ramp = as_images([np.linspace(0, 1, 20).reshape(4, 5), np.zeros((2, 10))])
    assert RowsOfPixels().fit(ramp[:1]).transform(ramp[:1])[0] == pytest.approx(ramp[0].ravel(), abs=1e-6)


@pytest.mark.parametrize("name", ["dummy", "logistic", "knn", "random_forest", "hist_gradient_boosting", "svm", "mlp"])
@pytest.mark.parametrize("gap", [False, True])
def test_models_of_rows_learn_from_images_of_different_sizes(name, gap):
    X = [image.copy() for image in IMAGES]
    if gap:
        X[3][2, 2] = np.nan
    data = data_of(X)
    model = BUILT_IN[name].build(data, random_state=0).fit(data.X, data.y)
    if name not in ("dummy", "hist_gradient_boosting"):  # which wants 20 samples in a leaf
        assert model.score(data.X, data.y) > 0.9
    assert BUILT_IN["rnn"].can_fit(data) == "no signals or series"


FORMS = {
    "rows": (lambda images: images.reshape(30, -1), (7, 8)),
    "no channels": (lambda images: images[..., 0], None),
    "channels": (lambda images: images, None),
    "cut": (lambda images: [image[: 6 + k % 2] for k, image in enumerate(images)], None),
    "a gap": (lambda images: np.where(np.arange(30 * 56).reshape(images.shape) == 7, np.nan, images), None),
}


@pytest.mark.parametrize("form", FORMS)
def test_networks_get_images_whatever_they_are_given_as(form):
    images = RNG.normal(0, 0.3, (30, 7, 8, 1)) + IS_LEFT[:, None, None, None]
    make, shape = FORMS[form]
    data = data_of(make(images), sample_shape=shape)
    for name in ("resnet", "ResNetClassifier"):
        (model,) = as_models([name])
        network = model.build(data, random_state=0)
        last = network[-1] if isinstance(network, Pipeline) else network
        last.set_params(filters=(4,), max_iter=20)
        assert network.fit(data.X, data.y).score(data.X, data.y) > 0.9
        assert last.n_features_in_ == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_cnn_takes_images_of_different_sizes():
    data = data_of()
    cnn = BUILT_IN["cnn"].build(data, random_state=0)
    assert (cnn.input_shape, cnn.global_pooling) == ((None, None, 1), "average")
    assert cnn.set_params(filters=(4,), max_iter=15).fit(data.X, data.y).predict(data.X).shape == (30,)
