"""Statistics of series: worked out by hand, and what must not change them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import linregress
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import sknn
from sknn.series import SeriesFeatures, ragged
from sknn.series.periodogram import peaks

RNG = np.random.default_rng(0)


def named(features, X):
    found = features.fit_transform(X)
    return pd.DataFrame(found, columns=features.get_feature_names_out())


def test_by_hand():
    found = named(SeriesFeatures(), [np.array([1.0, 3.0, 2.0, 6.0])]).iloc[0]
    expected = {
        "length": 4,
        "x0_mean": 3,
        "x0_std": np.sqrt((4 + 0 + 1 + 9) / 4),
        "x0_min": 1,
        "x0_lower_quartile": 1.75,
        "x0_median": 2.5,
        "x0_upper_quartile": 3.75,
        "x0_max": 6,
        "x0_first": 1,
        "x0_last": 6,
        "x0_slope": (-1.5 * -2 + -0.5 * 0 + 0.5 * -1 + 1.5 * 3) / 5,
        "x0_mean_change": (2 + 1 + 4) / 3,
        "x0_autocorrelation": (-2 * 0 + 0 * -1 + -1 * 3) / 14,
    }
    assert list(found.index) == list(expected)
    assert_allclose(found, list(expected.values()), rtol=1e-12)


def test_with_times():
    times = np.array([10.0, 11.0, 13.0, 14.5])
    found = named(SeriesFeatures(time_channel=1), [np.column_stack([[1.0, 3.0, 2.0, 6.0], times])]).iloc[0]
    assert found["duration"] == 4.5
    assert found["median_step"] == 1.5
    assert_allclose(found["x0_slope"], linregress(times, [1.0, 3.0, 2.0, 6.0]).slope)
    assert not [name for name in found.index if name.startswith("x1")]
    assert [name for name in found.index if "_1" in name] == ["x0_frequency_1", "x0_power_1"]


def curve(frequency, n=60, offset=0.0):
    times = np.sort(RNG.uniform(0, 20, n))
    return np.column_stack([times + offset, 3.0 + np.sin(2 * np.pi * frequency * times)])


@pytest.mark.parametrize("frequency", [0.3, 1.7, 4.2])
def test_the_highest_peak_is_the_frequency_of_a_sine_at_uneven_times(frequency):
    found = named(SeriesFeatures(time_channel=0, max_frequency=6.0), [curve(frequency)]).iloc[0]
    assert found["x1_frequency_1"] == pytest.approx(frequency, abs=0.02)
    assert found["x1_power_1"] > 0.95
    assert found["x1_power_1"] >= found["x1_power_2"] >= found["x1_power_3"]


def test_two_sines_are_two_peaks():
    times = np.arange(0, 40, 0.25)
    frequencies, powers = peaks(times, 2 * np.sin(2 * np.pi * 0.5 * times) + np.sin(2 * np.pi * 1.25 * times), 2)
    assert_allclose(frequencies, [0.5, 1.25], atol=0.005)
    assert_allclose(powers, [0.8, 0.2], atol=0.02)  # of the variance


def test_the_periodogram_is_that_of_the_best_sine():
    times, values = curve(0.7, 40).T
    values = values + RNG.normal(0, 0.5, 40)
    (frequency,), (power,) = peaks(times, values, 1, 2.0)
    waves = np.column_stack([np.cos(2 * np.pi * frequency * times), np.sin(2 * np.pi * frequency * times)])
    centred = values - values.mean()
    left = centred - waves @ np.linalg.lstsq(waves, centred, rcond=None)[0]
    assert_allclose(power, 1 - left @ left / (centred @ centred), rtol=1e-10)


def test_blocks_of_frequencies_change_nothing(monkeypatch):
    times, values = curve(1.1).T
    expected = peaks(times, values, 3, 5.0)
    monkeypatch.setattr("sknn.series.periodogram.CELLS", 500)
    assert_allclose(peaks(times, values, 3, 5.0), expected, rtol=1e-10)


def test_shifting_the_clock_changes_nothing():
    X = [curve(0.5), curve(1.5, 30)]
    later = [x + np.array([1024.0, 0.0]) for x in X]
    features = SeriesFeatures(time_channel=0)
    assert_allclose(features.fit_transform(later), features.fit_transform(X), rtol=1e-6)


def test_what_is_missing_is_left_out_channel_by_channel():
    x = RNG.normal(size=(9, 2))
    holes = x.copy()
    holes[[2, 5], 0] = np.nan
    found, whole = (named(SeriesFeatures(), [each]) for each in (holes, x))
    assert_allclose(found["x0_mean"], np.nanmean(holes[:, 0]))
    assert_allclose(found.filter(like="x1"), whole.filter(like="x1"))
    assert found["length"].item() == 9
    holes[:, 0] = np.nan
    empty = named(SeriesFeatures(), [holes])
    assert empty.filter(like="x0").isna().all(axis=None)
    assert empty.filter(like="x1").notna().all(axis=None)


@pytest.mark.parametrize("x", [[5.0], [2.0, 2.0], [0.0, 0.0, 0.0], [1.0, 2.0]], ids=str)
def test_short_and_constant_series_have_statistics(x):
    for features, each in (
        (SeriesFeatures(), np.array(x)),
        (SeriesFeatures(time_channel=0), np.column_stack([np.arange(len(x)), x])),
        (SeriesFeatures(time_channel=0), np.column_stack([np.zeros(len(x)), x])),
    ):
        assert np.isfinite(features.fit_transform([each])).all()


def test_curves_may_be_a_column_of_a_table():
    stars = pd.DataFrame({"colour": [0.3, 0.9], "curve": ragged([curve(0.5), curve(0.8)])})
    columns = ColumnTransformer([("of", SeriesFeatures(time_channel=0), "curve")], remainder="passthrough")
    names = columns.fit(stars).get_feature_names_out()
    assert columns.transform(stars).shape == (2, len(names))
    assert [names[0], names[3], names[-1]] == ["of__length", "of__x1_mean", "remainder__colour"]


def test_a_table_of_steps_may_have_a_column_called_name():
    steps = pd.DataFrame({"name": [1.0, 2.0, 3.0]})
    assert SeriesFeatures().fit(steps).get_feature_names_out(steps.columns)[1] == "name_mean"


def test_channels_have_names():
    features = SeriesFeatures(time_channel=0).fit([curve(0.5)])
    assert features.get_feature_names_out(["day", "flux"])[3] == "flux_mean"
    with pytest.raises(ValueError, match="input_features should have length equal"):
        features.get_feature_names_out(["day"])
    table = SeriesFeatures().set_output(transform="pandas").fit_transform([np.arange(3.0), np.arange(5.0)])
    assert table["length"].tolist() == [3, 5]


def test_forms_agree():
    X = [RNG.normal(size=(6, 2)) for _ in range(4)]
    expected = SeriesFeatures().fit_transform(X)
    for form in (ragged(X), np.stack(X), np.pad(np.stack(X), ((0, 0), (0, 3), (0, 0)), constant_values=np.nan)):
        assert_array_equal(SeriesFeatures().fit_transform(form), expected)
    flat = np.stack(X)[:, :, 0]
    assert_array_equal(SeriesFeatures().fit_transform(flat), SeriesFeatures().fit_transform(list(flat)))
    assert len(SeriesFeatures().fit(flat).get_feature_names_out()) == 13


def test_a_forest_tells_periods_apart():
    slow = RNG.random(200) < 0.5  # of 60 the forest learns too little: most of its features say nothing
    X = ragged([curve(0.4 if each else 1.6, RNG.integers(30, 60), RNG.uniform(0, 1e3)) for each in slow])
    forest = make_pipeline(SeriesFeatures(time_channel=0, max_frequency=3.0), RandomForestClassifier(random_state=0))
    assert cross_val_score(forest, X, slow, cv=3).mean() > 0.95


def test_it_is_saved(tmp_path):
    features = SeriesFeatures(time_channel=0).fit([curve(0.5)])
    sknn.save(features, tmp_path / "features.sknn")
    X = [curve(0.7)]
    assert_array_equal(sknn.load(tmp_path / "features.sknn").transform(X), features.transform(X))


@pytest.mark.parametrize(
    ("features", "X", "message"),
    [
        (SeriesFeatures(time_channel=0), [curve(1.0)[::-1]], "times must not fall, but in sample 0 that of step 0 is"),
        (
            SeriesFeatures(time_channel=0),
            [np.array([[0.0, 1.0], [np.nan, 2.0]])],
            "time of step 1 of sample 0 is missing",
        ),
        (SeriesFeatures(max_frequency=2.0), [curve(1.0)], "max_frequency=2.0 has no effect without time_channel"),
    ],
)
def test_errors(features, X, message):
    with pytest.raises(ValueError, match=message):
        features.fit(X).transform(X)
