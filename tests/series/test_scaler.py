"""The scaler of series: moments by hand, every form in which series come, scikit-learn's checks."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn.nn import Sequences
from sknn.series import SeriesFeatures, SeriesScaler, ragged

RNG = np.random.default_rng(0)
SERIES = [RNG.normal([5.0, -100.0], [2.0, 30.0], (n, 2)) for n in (7, 4, 9, 4)]
STEPS = np.concatenate(SERIES)


@parametrize_with_checks([SeriesScaler(), SeriesScaler("each"), SeriesFeatures(), SeriesFeatures(time_channel=None)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_a_channel_is_scaled_over_the_steps_of_all_series():
    scaler = SeriesScaler().fit(SERIES)
    assert_allclose(scaler.mean_, STEPS.mean(axis=0))
    assert_allclose(scaler.scale_, STEPS.std(axis=0))
    scaled = np.concatenate(list(scaler.transform(SERIES)))
    assert_allclose(scaled, (STEPS - STEPS.mean(axis=0)) / STEPS.std(axis=0))
    assert scaler.n_features_in_ == 2


def test_each_series_on_its_own():
    scaled = SeriesScaler("each").fit(SERIES[:1]).transform(SERIES)
    for given, found in zip(SERIES, scaled, strict=True):
        assert_allclose(found, (given - given.mean(axis=0)) / given.std(axis=0))


@pytest.mark.parametrize("scale", ["all", "each"])
def test_times_stay(scale):
    timed = [np.column_stack([np.cumsum(RNG.uniform(size=len(x))), x]) for x in SERIES]
    scaled = SeriesScaler(scale, time_channel=0).fit_transform(timed)
    others = SeriesScaler(scale).fit_transform(SERIES)
    for given, found, other in zip(timed, scaled, others, strict=True):
        assert_array_equal(found[:, 0], given[:, 0])
        assert_allclose(found[:, 1:], other)


@pytest.mark.parametrize("scale", ["all", "each"])
def test_what_is_missing_stays_missing_and_counts_for_nothing(scale):
    holes = [x.copy() for x in SERIES]
    holes[0][2, 1] = holes[2][0, 0] = np.nan
    found = SeriesScaler(scale).fit_transform(holes)
    if scale == "all":
        steps = np.concatenate(holes)
        assert_allclose(np.concatenate(list(found)), (steps - np.nanmean(steps, 0)) / np.nanstd(steps, 0))
    assert_allclose(np.nanmean(found[0], axis=0), np.nanmean(found[0], axis=0))
    assert [int(np.isnan(x).sum()) for x in found] == [1, 0, 1, 0]


def objects(series):
    return ragged(series)


def padded(series):
    return np.stack([np.pad(x, ((0, 9 - len(x)), (0, 0)), constant_values=np.nan) for x in series])


RAGGED = {
    "list": list,
    "tuple": tuple,
    "objects": ragged,
    "column": lambda series: pd.DataFrame({"curve": list(series)}),
    "rows": Sequences.of,
}


@pytest.mark.parametrize("scale", ["all", "each"])
@pytest.mark.parametrize("form", RAGGED.values(), ids=RAGGED)
def test_series_come_back_as_an_object_array(form, scale):
    expected = SeriesScaler(scale).fit_transform(SERIES)
    found = SeriesScaler(scale).fit_transform(form(SERIES))
    assert found.shape == (4,)
    for series, other in zip(found, expected, strict=True):
        assert_array_equal(series, other)


@pytest.mark.parametrize("scale", ["all", "each"])
def test_an_array_comes_back_as_one_padded_as_it_was(scale):
    expected = SeriesScaler(scale).fit_transform(SERIES)
    found = SeriesScaler(scale).fit_transform(padded(SERIES))
    assert_allclose(found, padded(expected), rtol=1e-12)


def test_series_of_one_channel_have_an_axis_for_it_if_they_had():
    flat = [x[:, 0] for x in SERIES]
    assert [x.shape for x in SeriesScaler().fit_transform(flat)] == [(7,), (4,), (9,), (4,)]
    grid = RNG.normal(size=(5, 6))
    assert_allclose(SeriesScaler().fit_transform(grid), (grid - grid.mean()) / grid.std())
    assert_allclose(SeriesScaler().fit(grid).transform(grid.tolist()), (grid - grid.mean()) / grid.std())


def test_arrays_in_a_list_are_series_of_any_length_where_they_happen_to_be_of_one():
    scaler = SeriesScaler().fit([np.arange(4.0), np.arange(4.0)])
    assert scaler.n_features_in_ == 1
    assert [x.shape for x in scaler.transform([np.arange(6.0), np.arange(6.0)])] == [(6,), (6,)]


def test_it_can_be_undone():
    scaler = SeriesScaler().fit(SERIES)
    for given, found in zip(SERIES, scaler.inverse_transform(scaler.transform(SERIES)), strict=True):
        assert_allclose(found, given)
    with pytest.raises(ValueError, match="only scale='all' has an inverse"):
        SeriesScaler("each").fit(SERIES).inverse_transform(SERIES)


def test_constant_channels_become_zero():
    series = [np.full((3, 2), [0.1, 0.0]), np.full((5, 2), [0.1, 0.0])]
    for scale in ("all", "each"):
        assert_allclose(np.concatenate(list(SeriesScaler(scale).fit_transform(series))), 0.0, atol=1e-15)


def test_precision_is_kept():
    single = [x.astype(np.float32) for x in SERIES]
    assert {x.dtype for x in SeriesScaler().fit_transform(single)} == {np.dtype(np.float32)}
    assert SeriesScaler().fit_transform([np.arange(3), np.arange(5)])[0].dtype == np.float64


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([x[:, :1] for x in SERIES], "X has 1 channels, but SeriesScaler is expecting 2 channels as input"),
        ([SERIES[0], np.full((3, 2), np.inf)], "Input X contains infinity: sample 1, step 0"),
        ([SERIES[0], np.array([["a", "b"]])], "it must hold real numbers"),
        (np.zeros((3, 4, 1)), "X has 1 channels"),
    ],
)
def test_errors(X, message):
    with pytest.raises(ValueError, match=message):
        SeriesScaler().fit(SERIES).transform(X)


def test_a_time_channel_that_is_not_there():
    for estimator in (SeriesScaler(time_channel=2), SeriesFeatures(time_channel=2)):
        with pytest.raises(ValueError, match=r"time_channel=2 is not there: the series have 2 channel\(s\)"):
            clone(estimator).fit(SERIES)


def test_in_a_pipeline_that_is_cross_validated_and_saved(tmp_path):
    slopes = RNG.choice([-1.0, 1.0], 40)
    X = ragged([1e4 + 1e3 * slope * np.linspace(0, 1, RNG.integers(6, 12)) for slope in slopes])
    network = sknn.NetworkClassifier(
        [sknn.nn.Conv(4, 3, activation="relu"), sknn.nn.GlobalPool()], learning_rate_init=0.03, tol=1e-3, random_state=0
    )
    pipeline = make_pipeline(SeriesScaler("each"), network)
    assert cross_val_score(pipeline, X, slopes > 0, cv=3).mean() > 0.9
    sknn.save(pipeline.fit(X, slopes > 0), tmp_path / "pipeline.sknn")
    assert_array_equal(sknn.load(tmp_path / "pipeline.sknn").predict(X), pipeline.predict(X))
