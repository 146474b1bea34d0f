"""Augmentation as a parameter of families: what training sees, what validation sees, and that fits can be repeated."""

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import sknn
from sknn.augment import Augmentation, Flip, Noise, Shift
from sknn.callbacks import Checkpoint
from sknn.nn import Conv, Dense, Draws, GlobalPool
from sknn.series import read_series
from sknn.template.augmented import AUGMENT, augmented_batch
from sknn.template.kinds import Classifier
from sknn.template.parameters import parameter
from sknn.template.samples import Batch
from sknn.template.segmenter import Segmenter

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(24, 6, 6, 1)).astype("float32")
LABELS = RNG.integers(2, size=24)
SERIES = [RNG.normal(size=(n, 2)) for n in RNG.integers(4, 9, 24)]


class Pooled(Classifier):
    """What the convolutions of an image hold on average; it remembers what it has seen."""

    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    seen: Any = parameter(default=None, text="A list of (training, x).")
    random_state = 0
    max_iter = 3
    tol = 0.0
    batch_size = 8

    def _read_x(self, X, fresh):
        if isinstance(X, list):
            return read_series(self, X, fresh)
        self.n_features_in_ = X.shape[-1]
        return X

    def _layers(self, n_outputs):
        return [Conv(3, 3, activation="relu"), GlobalPool("average"), Dense(n_outputs)]

    def _batch(self, samples, index, draws):
        return augmented_batch(self, samples.take(index), draws)

    def _outputs(self, nets, batch, draws):
        if self.seen is not None:
            self.seen.append((nets.training, batch.x))
        return nets(batch.x)


class Pixels(Segmenter):
    """The class of each pixel, or step, from those around it."""

    augment: str | Augmentation | Sequence[str | Augmentation] | None = AUGMENT
    random_state = 0
    max_iter = 3
    batch_size = 8

    _read_x = Pooled._read_x

    def _layers(self, n_outputs):
        return [Conv(n_outputs, 3)]

    def _batch(self, samples, index, draws):
        return augmented_batch(self, samples.take(index), draws, maps=True)


def is_given(x):
    """Whether all samples of a batch are some of the images."""
    given = {image.tobytes() for image in IMAGES}
    return all(np.ascontiguousarray(sample).tobytes() in given for sample in x)


@pytest.mark.parametrize("augment", ["shift", Flip(0), ("flip", Noise(0.2))], ids=str)
def test_training_sees_other_samples_and_validation_those_that_are_given(augment):
    seen = []
    model = Pooled(seen=seen, augment=augment).fit(IMAGES, LABELS, X_val=IMAGES[:5], y_val=LABELS[:5])
    assert {training for training, _ in seen} == {True, False}
    for training, x in seen:
        assert is_given(x) is not training
    seen.clear()
    model.predict(IMAGES)
    assert all(is_given(x) for _, x in seen)


def test_without_augmentation_training_sees_what_is_given():
    seen = []
    Pooled(seen=seen).fit(IMAGES, LABELS)
    assert all(is_given(x) for _, x in seen)


def test_every_epoch_sees_new_ones():
    seen = []
    Pooled(seen=seen, augment="noise").fit(IMAGES, LABELS)
    bits = [sample.tobytes() for _, x in seen for sample in x]
    assert len(set(bits)) == len(bits) == 72


class Killed(Exception):
    pass


@pytest.mark.parametrize("X", [IMAGES, SERIES], ids=["images", "series of different lengths"])
@pytest.mark.parametrize("augment", ["shift", ["flip", "noise"]], ids=str)
def test_a_fit_repeats_and_goes_on_to_the_bit(X, augment, tmp_path, monkeypatch):
    model = Pooled(augment=augment, max_iter=4)
    whole = clone(model).fit(X, LABELS).network_.theta
    assert_array_equal(clone(model).fit(X, LABELS).network_.theta, whole)
    assert not np.array_equal(clone(model).set_params(augment=None).fit(X, LABELS).network_.theta, whole)

    batches, make = [], Pooled._batch

    def dies_in_the_third_epoch(*args):
        batches.append(args)
        if len(batches) == 8:
            raise Killed
        return make(*args)

    monkeypatch.setattr(Pooled, "_batch", dies_in_the_third_epoch)
    with pytest.raises(Killed):
        clone(model).set_callbacks(Checkpoint(tmp_path, every=1)).fit(X, LABELS)
    resumed = clone(model).set_callbacks(Checkpoint(tmp_path, every=1)).fit(X, LABELS)
    assert len(batches) == 8 + 6
    assert_array_equal(resumed.network_.theta, whole)


def test_partial_fit_draws_anew_in_each_call_and_goes_on_after_a_pickle():
    seen = []
    model = Pooled(augment="noise", seen=seen)
    for _ in range(3):
        model.partial_fit(IMAGES, LABELS, classes=[0, 1])
    assert len({x.tobytes() for _, x in seen}) == len(seen) == 9
    other = Pooled(augment="noise").partial_fit(IMAGES, LABELS, classes=[0, 1])
    other = pickle.loads(pickle.dumps(other)).partial_fit(IMAGES, LABELS).partial_fit(IMAGES, LABELS)
    assert_array_equal(other.network_.theta, model.network_.theta)


# -- label maps ----------------------------------------------------------------------------------------------------

MAPS = (IMAGES[..., 0] > 0).astype(int)


def test_label_maps_move_with_their_images():
    y = MAPS[..., None].astype("float64")
    batch = augmented_batch(Pixels(augment=[Shift(0.34), Flip("all")]), Batch(IMAGES, y), Draws(0), maps=True)
    assert not np.array_equal(batch.y, y)
    assert_array_equal(batch.y[..., 0], batch.x[..., 0] > 0)
    assert set(np.unique(batch.weight)) == {0.0, 1.0}


def test_what_comes_in_from_outside_counts_for_nothing_and_weights_move_along():
    x = np.arange(1.0, 5.0).reshape(1, 4, 1)
    weight = np.array([[0.5, 1.0, 2.0, 4.0]])
    found = {}
    for seed in range(20):
        batch = augmented_batch(Pixels(augment=Shift(0.3)), Batch(x, x, weight), Draws(seed), maps=True)
        found[tuple(batch.x[0, :, 0])] = batch.weight[0].tolist()
    assert found == {(1, 2, 3, 4): [0.5, 1, 2, 4], (2, 3, 4, 4): [1, 2, 4, 0], (1, 1, 2, 3): [0, 0.5, 1, 2]}


def test_a_batch_that_would_lose_all_its_labels_stays():
    x, weight = np.arange(4.0).reshape(1, 4, 1), np.array([[1.0, 0.0, 0.0, 0.0]])
    for seed in range(20):
        batch = augmented_batch(Pixels(augment=Shift(0.3)), Batch(x, x, weight), Draws(seed), maps=True)
        assert batch.weight.sum() == 1.0


@pytest.mark.parametrize(
    ("X", "y"),
    [(IMAGES, MAPS), (SERIES, [(x[:, 0] > 0).astype(int) for x in SERIES])],
    ids=["images", "series of different lengths"],
)
def test_segmenters_learn_from_maps_that_moved(X, y):
    model = Pixels(augment=["shift", "flip", "noise"], max_iter=150, learning_rate_init=0.1).fit(X, y)
    assert model.score(X, y) > 0.95


# -- as a parameter ------------------------------------------------------------------------------------------------


def test_searches_reach_in():
    assert Pooled(augment="shift").set_params(augment__by=0.3).augment == Shift(0.3)
    assert Pooled(augment=["flip", "noise"]).set_params(augment__1__std=0.5).augment == [Flip(), Noise(0.5)]
    assert Pooled(augment=(Shift(0.2),)).get_params()["augment__0__by"] == 0.2
    grid = {"augment": [None, "shift", ["flip", Noise(0.1)]]}
    search = GridSearchCV(Pooled(), grid, cv=2).fit(IMAGES, LABELS)
    assert len(search.cv_results_["params"]) == 3


def test_it_is_kept_in_files(tmp_path, monkeypatch):
    monkeypatch.setattr("sknn.persistence.registry._registered", {"Pooled": Pooled})
    model = Pooled(augment=["flip", Noise(0.2)]).fit(IMAGES, LABELS)
    sknn.save(model, tmp_path / "model")
    again = sknn.load(tmp_path / "model")
    assert again.augment == ["flip", Noise(0.2)]
    assert_array_equal(again.predict_proba(IMAGES), model.predict_proba(IMAGES))


REFUSED = {
    "an unknown name": ({"augment": "shear"}, "augment"),
    "an unknown name in a list": ({"augment": ["shear"]}, "augment=.* holds 'shear'; choose of"),
    "a number": ({"augment": 3}, "augment"),
    "a search over all samples": ({"augment": "flip", "solver": "lbfgs"}, "augment='flip' does not apply with solver"),
    "no plane": ({"augment": "rotate"}, "Rotate.* needs an axis -2"),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(params, message):
    with pytest.raises(ValueError, match=message):
        Pooled(**params).fit(SERIES if params["augment"] == "rotate" else IMAGES, LABELS)
