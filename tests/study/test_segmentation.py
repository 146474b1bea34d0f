"""Label maps as targets of a study: as data sets, what is measured, the baselines, and a study from fit to report."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.ndimage import gaussian_filter
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GroupKFold, KFold

import sknn
from sknn.metrics import dice_score, iou_score
from sknn.series import ragged
from sknn.study import Study
from sknn.study.choice import as_models, family_of
from sknn.study.data import DataSet
from sknn.study.folds import folds_of
from sknn.study.maps import counts_of
from sknn.study.measures import as_measures, of_maps
from sknn.study.models import ALL, BUILT_IN, OF_MAPS
from sknn.study.page.method import data_facts, size_of
from sknn.study.pixels import MajoritySegmenter, OtsuSegmenter, PixelForest, pixel_features, thresholds
from sknn.study.preprocess import Needs, steps_before
from sknn.study.series import SeriesFiller

RNG = np.random.default_rng(0)
MAPS = (gaussian_filter(RNG.normal(size=(8, 20, 24)), (0, 2, 2)) > 0).astype(int)
IMAGES = (MAPS + RNG.normal(0, 0.2, MAPS.shape))[..., None]
SIZES = [(20 - k % 3, 24 - k) for k in range(8)]
CUT = [image[:h, :w] for image, (h, w) in zip(IMAGES, SIZES, strict=True)]
CUT_MAPS = [labels[:h, :w] for labels, (h, w) in zip(MAPS, SIZES, strict=True)]


def data_of(X=IMAGES, y=MAPS, **stated):
    return DataSet.from_arrays("blobs", X, y, **stated)


# -- data sets -----------------------------------------------------------------------------------------------------

FORMS = {
    "array": (IMAGES, MAPS),
    "no channels": (IMAGES[..., 0], MAPS),
    "lists": (list(IMAGES), list(MAPS)),
    "truth values": (IMAGES, MAPS == 1),
    "floats": (IMAGES, MAPS.astype(float)),
    "objects": (ragged(IMAGES), ragged(MAPS)),
}


@pytest.mark.parametrize(("X", "y"), FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_data(X, y):
    data = data_of(X, y)
    assert (data.task, data.sample_shape, data.labels.tolist()) == ("segmentation", (20, 24, 1), [0, 1])
    assert data.X.shape == IMAGES.shape
    assert_array_equal(data.y, MAPS)


@pytest.mark.parametrize("cut", [CUT, [image[..., 0] for image in CUT]], ids=["channels", "no channels"])
def test_images_of_different_sizes(cut):
    data = data_of(cut, CUT_MAPS)
    assert (data.task, data.sample_shape, data.n_features) == ("segmentation", (None, None, 1), 1)
    assert [image.shape for image in data.X] == [(*size, 1) for size in SIZES]
    assert data.take([3, 1])[0].shape == (*SIZES[3], 1)
    again = pickle.loads(pickle.dumps(data))
    assert again.fingerprint == data.fingerprint
    assert data.__sizeof__() > sum(image.nbytes + labels.nbytes for image, labels in zip(CUT, CUT_MAPS, strict=True))


@pytest.mark.parametrize("shape", [(8, 30), (8, 6, 7, 5)], ids=["steps of signals", "voxels"])
def test_signals_and_volumes(shape):
    labels = RNG.integers(0, 3, shape)
    data = data_of(labels[..., None] * [1.0, 2.0], labels)
    assert (data.task, data.sample_shape) == ("segmentation", (*shape[1:], 2))
    assert data_of(1.0 * labels, labels, task="segmentation").sample_shape == (*shape[1:], 1)


def test_what_has_no_label():
    unknown = np.ma.masked_array(MAPS, mask=np.zeros(MAPS.shape, bool))
    unknown[:, 0] = np.ma.masked
    as_nan = np.where(unknown.mask, np.nan, MAPS)
    for y in (unknown, list(unknown), as_nan):
        data = data_of(y=y)
        assert (data.y[:, 0] == -1).all()
        assert data.labels.tolist() == [0, 1]
    assert counts_of(data.y) == {-1: 8 * 24, 0: (MAPS[:, 1:] == 0).sum(), 1: (MAPS[:, 1:] == 1).sum()}


def test_any_change_gives_another_fingerprint():
    other, label = IMAGES.copy(), MAPS.copy()
    other[3, 4, 5] += 1e-9
    label[3, 4, 5] = -1
    sets = (data_of(), data_of(other), data_of(y=label), data_of(groups=np.arange(8) // 2), data_of(CUT, CUT_MAPS))
    assert len({data.fingerprint for data in sets}) == 5
    assert data_of(np.asfortranarray(IMAGES)).fingerprint == data_of().fingerprint


def test_images_on_disk_stay_there(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    data = data_of(np.load(tmp_path / "images.npy", mmap_mode="r"))
    assert data.fingerprint == data_of().fingerprint
    assert len(pickle.dumps(data)) < MAPS.nbytes + 1000
    assert Study(["otsu"], cv=2).run({"disk": data}).results["error"].isna().all()


@pytest.mark.parametrize(
    ("X", "y", "stated", "message"),
    [
        (
            IMAGES,
            MAPS[:, :-1],
            {},
            "has a label map of shape (19, 24) for an image of shape (20, 24",
        ),
        (np.moveaxis(IMAGES, -1, 1), MAPS, {}, "without its channels, which come last"),
        (np.tile(IMAGES, 3), np.tile(MAPS[..., None], 3), {}, "a map has one label for each pixel, no channels"),
        (CUT, [*CUT_MAPS[:-1], MAPS[7]], {}, "sample 7 of 'blobs' has a label map of shape (20, 24) for an image of"),
        (IMAGES[1:], MAPS, {}, "y of 'blobs' has 8 values, but X has 7 samples"),
        (IMAGES, MAPS / 2, {}, "y of 'blobs' holds 0.5 in sample 0; label maps hold whole numbers"),
        (IMAGES, MAPS.astype(str), {}, "a label map is an array of whole numbers"),
        (IMAGES, MAPS * 0, {}, "y of 'blobs' is 0 wherever it is labelled (-1 is none); there must be something"),
        (IMAGES, MAPS * 0 - 1, {}, "y of 'blobs' has no label at all"),
        (IMAGES, np.arange(MAPS.size).reshape(MAPS.shape), {}, "y of 'blobs' holds 3,840 different labels"),
        (pd.DataFrame(np.eye(8)), MAPS, {}, "so X must hold images, not a DataFrame"),
        (IMAGES, MAPS, {"sample_shape": (20, 24)}, "sample_shape=(20, 24) was given for 'blobs', whose label maps say"),
        (IMAGES, MAPS, {"groups": [1, 2]}, "groups of 'blobs' has 2 values, but X has 8 samples"),
        (IMAGES, MAPS[:, 0, 0], {"task": "segmentation"}, "a label map is an array of whole numbers"),
        (IMAGES, MAPS, {"task": "classification"}, "y of 'blobs' has shape (8, 20, 24); it must be a vector"),
    ],
)
def test_wrong_maps(X, y, stated, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        data_of(X, y, **stated)


def test_targets_of_one_axis_are_no_maps():
    assert data_of(y=MAPS[:, 0, :1]).task == "classification"
    assert DataSet.from_arrays("toy", [[0.0], [1.0]], [np.array([1]), np.array([0])]).task == "classification"
    with pytest.raises(ValueError, match=r"y of 'toy' has shape \(2, 2\); it must be a vector"):
        DataSet.from_arrays("toy", [[0.0], [1.0]], np.array([[0, 1], [1, 0]]))


def test_folds_are_of_images_and_keep_groups_together():
    assert [len(fold.test) for fold in folds_of(data_of(), 4, 2, 0)] == [2] * 8
    expected = [test.tolist() for _, test in KFold(4, shuffle=True, random_state=0).split(IMAGES)]
    assert [fold.test.tolist() for fold in folds_of(data_of(), 4, 1, 0)] == expected
    groups = np.arange(8) // 2
    of_groups = [test.tolist() for _, test in GroupKFold(4, shuffle=True, random_state=0).split(IMAGES, groups=groups)]
    assert [fold.test.tolist() for fold in folds_of(data_of(groups=groups), 4, 1, 0)] == of_groups
    with pytest.raises(ValueError, match="cv=9 needs at least 9 rows, but 'blobs' has 8"):
        folds_of(data_of(), 9, 1, 0)


def test_missing_pixels_become_the_mean_of_their_channel():
    holes = IMAGES.copy()
    holes[0, 3, 3] = np.nan
    for X, y in ((holes, MAPS), ([holes[0], *CUT[1:]], [MAPS[0], *CUT_MAPS[1:]])):
        data = data_of(X, y)
        (filler,) = steps_before(data, Needs(scaling=False))
        assert type(filler) is SeriesFiller
        filled = filler.fit_transform(data.X)[0]
        assert filled[3, 3, 0] == pytest.approx(np.nanmean(np.concatenate([image.ravel() for image in X])))
        assert ALL["otsu"].build(data, 0).fit(data.X, data.y).predict(data.X)[0].shape == (20, 24)
    assert steps_before(data_of(), Needs(scaling=True)) == []


# -- measures ------------------------------------------------------------------------------------------------------


class Constant(BaseEstimator):
    """Predicts what it is told to."""

    def __init__(self, maps):
        self.maps = maps

    def predict(self, X):
        return self.maps


@pytest.mark.parametrize("several", [False, True], ids=["one size", "several"])
def test_measures_are_those_of_metrics(several):
    truth = ragged(each.copy() for each in CUT_MAPS) if several else MAPS.copy()
    found = ragged(np.where(RNG.random(each.shape) < 0.2, 2, each) for each in truth)
    truth[2][:, :5] = -1
    labels = np.array([0, 1, 2])
    scores = {measure.name: measure.scorer(Constant(found), None, truth) for measure in of_maps(labels)}
    by_class = dice_score(truth, found, average=None, unlabelled=-1)
    expected = {"dice": by_class.mean(), "iou": iou_score(truth, found, unlabelled=-1)}
    assert scores == pytest.approx(expected | {f"dice_{k}": by_class[k] for k in labels})


def test_the_measures_of_a_study():
    assert [measure.name for measure in Study(["otsu"]).measures_of(data_of())] == ["dice", "iou", "dice_0", "dice_1"]
    assert [measure.name for measure in of_maps(np.arange(10))] == ["dice", "iou"]
    assert [measure.title for measure in as_measures(["iou", "dice_255"])] == ["IoU", "Dice of 255"]
    (absent,) = as_measures("dice_7")
    assert np.isnan(absent.scorer(Constant(MAPS), None, MAPS))
    with pytest.raises(ValueError, match="scoring: 'accuracy' is for classification, but 'data' is segmentation data"):
        Study(["otsu"], scoring="accuracy").run(IMAGES, MAPS)
    with pytest.raises(ValueError, match="scoring: 'dice_1' is for segmentation, but 'data' is classification data"):
        Study(["dummy"], scoring="dice_1").run(IMAGES, MAPS[:, 0, 0])


# -- baselines -----------------------------------------------------------------------------------------------------


def test_thresholds_are_the_best_of_all():
    """Of Otsu (1979): nothing that divides the histogram elsewhere has a larger variance between the parts."""
    values = np.concatenate([RNG.normal(mean, 1, 200) for mean in (0, 4, 9)])
    between = [
        sum(len(part) * part.mean() ** 2 for part in (values[values < at], values[values >= at]))
        for at in np.sort(values)[1:-1]
    ]
    (best,) = thresholds(values, 2)
    reached = sum(len(part) * part.mean() ** 2 for part in (values[values < best], values[values >= best]))
    assert reached == pytest.approx(max(between), rel=1e-3)
    low, high = thresholds(values, 3)
    assert 1 < low < 3
    assert 5 < high < 8


@pytest.mark.parametrize("sign", [1, -1], ids=["bright", "dark"])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_otsu_learns_which_class_is_brighter(sign, n_classes):
    labels = RNG.permutation(np.arange(6 * 90).reshape(6, 90) % n_classes, axis=1)
    labels[:, 0] = -1
    images = (sign * labels * 5 + RNG.normal(0, 0.3, labels.shape) + 40 * np.arange(6)[:, None])[..., None]
    otsu = OtsuSegmenter().fit(images[:4], labels[:4])
    assert_array_equal(otsu.predict(images[4:])[:, 1:], labels[4:, 1:])


def test_otsu_of_a_flat_image_and_of_a_smooth_one():
    otsu = OtsuSegmenter(sigma=2.0).fit(IMAGES, MAPS)
    assert set(np.unique(otsu.predict(np.full((1, 5, 5, 1), 7.0)))) <= {0, 1}
    noisy = IMAGES + RNG.normal(0, 0.5, IMAGES.shape)
    plain, smooth = (OtsuSegmenter(sigma).fit(noisy, MAPS).predict(noisy) for sigma in (0, 1))
    assert dice_score(MAPS, smooth) > dice_score(MAPS, plain) + 0.02


def test_pixels_are_seen_through_filters():
    image = np.zeros((9, 9, 2))
    image[4, 4] = 1, -1
    features = pixel_features(image, (1.0,)).reshape(9, 9, 8)
    assert features[4, 4, 0] == 1
    assert features[4, 4, 1] == pytest.approx(1 / (2 * np.pi), rel=0.02)  # a Gaussian at its centre
    assert features[4, 4, 2] == pytest.approx(0, abs=1e-6)  # flat there,
    assert features[4, 4, 3] == pytest.approx(-2 / (2 * np.pi), rel=0.02)  # and bent by -2 / sigma**2
    np.testing.assert_allclose(features[..., 4:6], -features[..., :2], atol=1e-6)


@pytest.mark.parametrize("images", ["one size", "several"])
def test_a_forest_of_pixels_learns_texture(images):
    """Both classes are as bright: what tells them apart is how rough they are."""
    X = (RNG.normal(size=MAPS.shape) * (0.2 + MAPS))[..., None]
    y = MAPS.copy()
    y[0] = -1  # an image without labels teaches nothing
    if images == "several":
        X, y = (ragged(each[: 20 - k % 2] for k, each in enumerate(of)) for of in (X, y))
    forest = PixelForest(n_estimators=10, n_pixels=500, random_state=0)
    assert dice_score(y[5:], clone(forest).fit(X[:5], y[:5]).predict(X[5:])) > 0.75
    assert dice_score(y[5:], OtsuSegmenter().fit(X[:5], y[:5]).predict(X[5:])) < 0.7
    first, again = (clone(forest).fit(X[:5], y[:5]).predict(X[5:])[0] for _ in range(2))
    assert_array_equal(first, again)
    assert len(forest.fit(X[:5], y[:5]).forest_.estimators_) == 10


def test_the_commonest_label():
    majority = MajoritySegmenter().fit(IMAGES, np.where(MAPS == 1, 5, -1))
    assert (majority.predict(IMAGES[:2]) == 5).all()
    assert [labels.shape for labels in MajoritySegmenter().fit(CUT, CUT_MAPS).predict(ragged(CUT))] == SIZES


# -- models --------------------------------------------------------------------------------------------------------


def test_default_models_of_maps():
    for data in (data_of(), data_of(CUT, CUT_MAPS)):
        assert [name for name, model in ALL.items() if not model.suits(data)] == ["dummy", *OF_MAPS]
    assert BUILT_IN["cnn"].can_fit(data_of()).endswith("models for segmentation: dummy, otsu, pixel_forest, unet")
    assert OF_MAPS["otsu"].limits == ["for label maps"]
    assert BUILT_IN["dummy"].limits == []


def test_models_by_class_and_own_ones():
    (model,) = as_models(["RNNSegmenter"])
    assert (list(model.makers), model.family, model.short) == (["segmentation"], "network", "RNN")
    own = as_models([("smooth", OtsuSegmenter(2.0)), ("network", sknn.RNNSegmenter(4))])
    assert [each.family for each in own] == ["baseline", "network"]
    assert family_of(PixelForest()) == "baseline"
    with pytest.raises(ValueError, match="for classification, not segmentation"):
        Study([("labels", DummyClassifier())]).run(IMAGES, MAPS)


@pytest.mark.parametrize("several", [False, True], ids=["one size", "several"])
def test_a_u_net_takes_part(several):
    X, y = (CUT, CUT_MAPS) if several else (IMAGES[..., 0], MAPS)
    data = data_of(X, y)
    unet = OF_MAPS["unet"].build(data, random_state=0).set_params(max_iter=25, depth=1, filters=4)
    assert dice_score(data.y, unet.fit(data.X, data.y).predict(data.X)) > 0.8
    assert unet.random_state == 0


# -- studies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("several", [False, True], ids=["one size", "several"])
def test_a_study_is_stored_and_goes_on(several, tmp_path):
    X, y = (CUT, CUT_MAPS) if several else (IMAGES, MAPS)
    models = ["dummy", "otsu", ("pixels", PixelForest(n_estimators=3, n_pixels=300))]
    study = Study(models, cv=3, store=tmp_path / "study.sqlite").run(X, y)
    assert study.results["error"].isna().all()
    dice = study.results.groupby("model")["dice"].mean()
    assert dice["otsu"] > 0.95 > 0.5 > dice["dummy"]
    assert study.results["n_parameters"].notna().all()
    again = Study(models, cv=3, store=tmp_path / "study.sqlite").run(X, y)
    pd.testing.assert_frame_equal(again.results, study.results)
    assert (study.best().predict(study.data_sets[0].X)[0] == y[0]).mean() > 0.95


def test_predictions_are_those_of_one_image_of_each_fold():
    study = Study(["otsu", "dummy"], cv=4).run(IMAGES, MAPS)
    assert len(study.predictions) == 2 * 4
    row = study.predictions.iloc[0]
    assert_array_equal(row["target"], MAPS[row["sample"]])
    assert (row["predicted"] == row["target"]).mean() > 0.95
    both = Study(["dummy"], cv=2).run({"maps": (IMAGES, MAPS), "labels": (IMAGES, MAPS[:, 0, 0])})
    assert both.predictions.groupby("dataset").size().to_dict() == {"maps": 2, "labels": 8}


def test_baselines_are_tuned_and_compared():
    noisy = IMAGES + RNG.normal(0, 0.5, IMAGES.shape)
    study = Study(["otsu"], cv=2, tune=4, scoring="dice_1").run(noisy, MAPS)
    assert study.results["params"].str.contains("sigma").all()
    plain = Study(["otsu"], cv=2, scoring="dice_1").run(noisy, MAPS)
    assert study.results["dice_1"].mean() > plain.results["dice_1"].mean()
    pairs = Study(["otsu", "dummy"], cv=4).run(IMAGES, MAPS).compare()
    assert pairs["model_a"].tolist() == ["otsu"]
    assert pairs["p_holm"][0] < 0.05


def test_figures_that_do_not_apply_say_so():
    study = Study(["otsu", "dummy"], cv=2).run(IMAGES, MAPS)
    for kind, what in (("residuals", "regression"), ("calibration", "classification")):
        with pytest.raises(ValueError, match=f"{what}, but 'data' is a segmentation"):
            study.plot(kind)


def test_the_report_says_what_the_data_are():
    labels = MAPS.copy()
    labels[:, :2] = -1
    assert size_of(data_of()) == "8 rows, samples of 20 × 24 × 1, 2 classes"
    assert size_of(data_of(CUT, CUT_MAPS)) == "8 rows, images of 323 to 480 pixels with 1 channel, 2 classes"
    told = str(data_facts(data_of(y=labels)))
    assert re.search(r"class 0 in [\d.]+ % of the pixels, class 1 in [\d.]+ % of the pixels, no label in 10 %", told)
