"""Forecasts: windows at the edges by hand, nothing from behind the cut, baselines, what is known in advance."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import sknn
from sknn import CNNRegressor, Forecaster, MLPRegressor
from sknn.nn import Sequences
from sknn.series import ragged

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
T = np.arange(240)
WAVE = np.sin(2 * np.pi * T / 12) + 0.02 * T + 0.1 * RNG.normal(size=240)
TWO = np.column_stack([WAVE, 50 + 10 * np.cos(2 * np.pi * T / 12)])
SMALL = {"window": 24, "horizon": 6, "season": 12}


class Recording(RegressorMixin, BaseEstimator):
    """Keeps what it is given, and answers zeros."""

    def __init__(self, takes_series=False):
        self.takes_series = takes_series

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def predict(self, X):
        self.asked_ = X
        return np.zeros((len(X), *self.y_.shape[1:]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output, tags.input_tags.three_d_array = True, self.takes_series
        return tags


# -- windows -------------------------------------------------------------------------------------------------------


def test_windows_at_the_edges_by_hand():
    series = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 16.0])
    forecaster = Forecaster(Recording(), window=3, horizon=2, normalise=None).fit(series)
    seen = forecaster.estimator_
    assert_allclose(seen.X_ * series.std() + series.mean(), [[1, 2, 4], [2, 4, 7]])
    assert_allclose(seen.y_ * series.std() + series.mean(), [[7, 11], [11, 16]])
    assert_allclose(forecaster.predict(), np.full((2, 1), series.mean()))
    assert_allclose(seen.asked_ * series.std() + series.mean(), [[7, 11, 16]])


LEVELS = {
    "last": ([[-3, -2, 0], [-5, -3, 0]], [[3, 7], [4, 9]], None),
    "each": (
        [(np.array(x) - np.mean(x)) / np.std(x) for x in ([1, 2, 4], [2, 4, 7])],
        [(np.array(y) - np.mean(x)) / np.std(x) for x, y in (([1, 2, 4], [7, 11]), ([2, 4, 7], [11, 16]))],
        1.0,
    ),
}


@pytest.mark.parametrize("normalise", LEVELS)
def test_levels_by_hand(normalise):
    X, y, scale = LEVELS[normalise]
    series = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 16.0])
    seen = Forecaster(Recording(), window=3, horizon=2, normalise=normalise).fit(series).estimator_
    scale = series.std() if scale is None else scale
    assert_allclose(seen.X_ * scale, X)
    assert_allclose(seen.y_ * scale, y)


def test_stride_and_several_series():
    seen = Forecaster(Recording(), window=3, horizon=1, stride=2).fit([np.arange(8.0), np.arange(5.0)]).estimator_
    assert len(seen.X_) == 3 + 1  # from 0, 2, 4 of the first, from 0 of the second
    assert seen.y_.shape == (4,)


def test_channels_lie_in_a_row_or_are_a_series():
    flat = Forecaster(Recording(), window=3, horizon=2).fit(TWO).estimator_
    deep = Forecaster(Recording(takes_series=True), window=3, horizon=2).fit(TWO).estimator_
    assert flat.X_.shape == (236, 6)
    assert deep.X_.shape == (236, 3, 2)
    assert_array_equal(flat.X_, deep.X_.reshape(236, 6))
    assert flat.y_.shape == (236, 4)
    one = Forecaster(Recording(takes_series=True), window=3, horizon=2).fit(WAVE).estimator_
    assert one.X_.shape == (236, 3)


# -- what it is given and gives ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [np.asarray, list, pd.Series, lambda x: x[:, None], lambda x: pd.DataFrame({"y": x})], ids=range(5)
)
def test_forms_of_one_series(form):
    expected = Forecaster(Ridge(), **SMALL).fit(WAVE).predict()
    found = Forecaster(Ridge(), **SMALL).fit(form(WAVE))
    assert_array_equal(found.predict(), expected)
    assert_array_equal(found.predict(form(WAVE)), expected)
    assert expected.shape == (6, 1)
    assert found.n_features_in_ == 1


@pytest.mark.parametrize("form", [list, tuple, ragged, Sequences.of], ids=["list", "tuple", "objects", "rows"])
def test_several_series_are_learnt_together_and_forecast_one_by_one(form):
    series = [WAVE, WAVE[:100], WAVE[50:]]
    forecaster = Forecaster(Ridge(), **SMALL).fit(form(series))
    found = forecaster.predict()
    assert isinstance(found, list)
    for each, forecast in zip(series, found, strict=True):
        assert_allclose(forecast, forecaster.predict(each))
    assert_allclose(forecaster.predict([WAVE])[0], found[0])


def test_two_channels():
    forecast = Forecaster(Ridge(), **SMALL).fit(TWO[:200]).predict()
    assert forecast.shape == (6, 2)
    assert_allclose(forecast[:, 1], TWO[200:206, 1], atol=1.0)


@pytest.mark.parametrize(
    "estimator",
    [
        LinearRegression(),
        make_pipeline(StandardScaler(), Ridge()),
        GradientBoostingRegressor(n_estimators=20, random_state=0),  # one output at a time
        MLPRegressor(16, learning_rate_init=0.01, max_iter=30, tol=0.0, random_state=0),
        CNNRegressor(8, input_shape=(24, 2), max_iter=40, learning_rate_init=0.01, random_state=0),
        None,
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_any_regressor_beats_the_last_value(estimator):
    forecaster = Forecaster(estimator, window=24, horizon=3).fit(TWO[:180])
    assert forecaster.predict().shape == (3, 2)
    assert forecaster.score(TWO[180:]) > 0.3


@pytest.mark.parametrize("normalise", ["last", "each"])
def test_forecasts_move_with_the_level_of_the_series(normalise):
    forecaster = Forecaster(Ridge(), normalise=normalise, **SMALL).fit(WAVE)
    expected = forecaster.predict(WAVE)
    assert_allclose(forecaster.predict(WAVE + 1024.0), expected + 1024.0, rtol=1e-9)
    assert_allclose(clone(forecaster).fit(8.0 * WAVE - 3.0).predict(), 8.0 * expected - 3.0, rtol=1e-9)
    if normalise == "each":
        assert_allclose(forecaster.predict(4.0 * WAVE), 4.0 * expected, rtol=1e-9)


def test_what_lies_before_the_window_or_behind_the_cut_changes_no_forecast():
    forecaster = Forecaster(Ridge(), **SMALL).fit(WAVE)
    changed = WAVE.copy()
    changed[:100], changed[200:] = -1e9, 1e9
    assert_array_equal(forecaster.predict(changed[:200]), forecaster.predict(WAVE[:200]))


# -- known in advance ----------------------------------------------------------------------------------------------

WEATHER = RNG.normal(size=240)
DRIVEN = np.column_stack([3.0 * WEATHER + 7.0, WEATHER])


@pytest.mark.parametrize("takes_series", [False, True])
def test_what_is_known_is_seen_over_the_horizon_and_not_forecast(takes_series):
    series = np.column_stack([np.arange(6.0) ** 2, np.arange(6.0)])
    forecaster = Forecaster(Recording(takes_series), window=3, horizon=2, normalise="last", known=[1]).fit(series)
    seen, (mean, scale) = forecaster.estimator_, (series.mean(axis=0), series.std(axis=0))
    past = np.stack([(series[k : k + 3] - mean) / scale for k in (0, 1)])
    past[:, :, 0] = np.array([[-4, -3, 0], [-8, -5, 0]]) / scale[0]
    ahead = (np.array([[3, 4], [4, 5]]) - mean[1]) / scale[1]
    if takes_series:
        assert_allclose(seen.X_[:, :3], past)
        assert_allclose(seen.X_[:, 3:, 1], ahead)
        assert not seen.X_[:, 3:, 0].any()
    else:
        assert_allclose(seen.X_, np.column_stack([past.reshape(2, -1), ahead]))
    assert_allclose(seen.y_ * scale[0], [[5, 12], [7, 16]])
    assert forecaster.predict(future=[6.0, 7.0]).shape == (2, 1)


def test_a_series_that_follows_what_is_known_is_forecast_exactly():
    forecaster = Forecaster(LinearRegression(), window=4, horizon=3, known=(1,)).fit(DRIVEN[:200])
    ahead = DRIVEN[200:203, 1:]
    assert_allclose(forecaster.predict(future=ahead), DRIVEN[200:203, :1], rtol=1e-8)
    assert_allclose(forecaster.predict([DRIVEN[:100]], [DRIVEN[100:103, 1]])[0], DRIVEN[100:103, :1], rtol=1e-8)
    assert forecaster.score(DRIVEN[200:]) > 0.999
    assert set(forecaster.backtest(DRIVEN, 2)["channel"]) == {0}


# -- quantiles -----------------------------------------------------------------------------------------------------


def test_quantiles_hold_what_they_say():
    noise = np.random.default_rng(1).normal(size=3000)
    forecaster = Forecaster(Ridge(), window=5, horizon=3, quantiles=[0.1, 0.5, 0.9]).fit(noise[:1500])
    found = forecaster.predict_quantiles([noise[k - 5 : k] for k in range(1505, 2990, 3)])
    truth = np.stack([noise[k : k + 3, None] for k in range(1505, 2990, 3)])
    shares = (truth[..., None] < np.stack(found)).mean(axis=(0, 1, 2))
    assert_allclose(shares, [0.1, 0.5, 0.9], atol=0.04)
    one = forecaster.predict_quantiles()
    assert one.shape == (3, 1, 3)
    assert np.all(np.diff(one) > 0)


def test_quantiles_are_those_of_the_errors_on_the_last_fifth():
    forecaster = Forecaster(Ridge(), window=24, horizon=1, quantiles=[0.5]).fit(WAVE)
    earlier = Forecaster(Ridge(), window=24, horizon=1).fit(WAVE[:192])
    errors = [WAVE[k] - earlier.predict(WAVE[:k])[0, 0] for k in range(192, 240)]
    shift = forecaster.predict_quantiles()[0, 0, 0] - forecaster.predict()[0, 0]
    assert_allclose(shift, np.median(errors) * forecaster.scale_[0] / earlier.scale_[0], rtol=1e-9)


def test_without_quantiles_there_is_no_such_method():
    assert not hasattr(Forecaster(), "predict_quantiles")


# -- baselines -----------------------------------------------------------------------------------------------------


def test_the_score_is_the_skill_against_the_better_baseline():
    forecaster = Forecaster(Ridge(), window=12, horizon=2, season=6).fit(WAVE[:150])
    test = WAVE[150:]
    starts = range(len(test) - 14 + 1)
    truth = np.array([test[k + 12 : k + 14] for k in starts])
    found = np.array([forecaster.predict(test[: k + 12])[:, 0] for k in starts])
    last = np.array([[test[k + 11]] * 2 for k in starts])
    season = np.array([test[k + 6 : k + 8] for k in starts])
    best = min(((truth - each) ** 2).mean() for each in (last, season))
    assert_allclose(forecaster.score(test), 1 - ((truth - found) ** 2).mean() / best, rtol=1e-9)


def test_backtest_by_hand():
    forecaster = Forecaster(LinearRegression(), window=12, horizon=2, season=12)
    found = forecaster.backtest(WAVE, n_splits=3).set_index(["fold", "model"])
    assert len(found) == 3 * 4
    cut, end = 120, 180  # of the second fold: 240 steps in four parts
    model = clone(forecaster).fit(WAVE[:cut])
    ends = range(cut, end - 2 + 1)
    errors = np.array([WAVE[k : k + 2] - model.predict(WAVE[:k])[:, 0] for k in ends])
    last = np.array([WAVE[k : k + 2] - WAVE[k - 1] for k in ends])
    season = np.array([WAVE[k : k + 2] - WAVE[k - 12 : k - 10] for k in ends])
    row = found.loc[1, "forecaster"]
    assert row["n_forecasts"] == len(ends)
    assert_allclose(row["mse"], (errors**2).mean(), rtol=1e-9)
    assert_allclose(row["mae"], np.abs(errors).mean(), rtol=1e-9)
    assert_allclose(found.loc[(1, "last value"), "mse"], (last**2).mean())
    assert_allclose(found.loc[(1, "season"), "mae"], np.abs(season).mean())
    assert_allclose(row["skill"], 1 - row["mse"] / min((last**2).mean(), (season**2).mean()))
    assert found["skill"].xs("season", level="model").max() <= 0
    ridge = clone(forecaster).set_params(estimator=Ridge()).fit(WAVE[:cut])
    errors = np.array([WAVE[k : k + 2] - ridge.predict(WAVE[:k])[:, 0] for k in ends])
    assert_allclose(found.loc[(1, "ridge"), "mse"], (errors**2).mean(), rtol=1e-9)


def test_no_fold_sees_what_it_forecasts():
    changed = WAVE.copy()
    changed[180:] = RNG.normal(1e3, 1e3, 60)
    forecaster = Forecaster(Ridge(), window=12, horizon=2)
    found, other = (forecaster.backtest(x, n_splits=3).set_index("fold") for x in (WAVE, changed))
    pd.testing.assert_frame_equal(found.loc[:1], other.loc[:1])
    assert not hasattr(forecaster, "estimator_")


def test_backtest_of_several_series_and_channels():
    found = Forecaster(Ridge(), window=12, horizon=2).backtest([TWO, TWO[:100]], n_splits=2)
    assert set(found["channel"]) == {0, 1}
    assert set(found["model"]) == {"forecaster", "ridge", "last value"}
    assert found["n_forecasts"].tolist() == [80 - 1 + 33 - 1] * 6 + [80 - 1 + 34 - 1] * 6


# -- in daily use --------------------------------------------------------------------------------------------------


def test_searches_go_in_folds_of_time():
    search = GridSearchCV(
        Forecaster(Ridge(), **SMALL),
        {"estimator__alpha": [1e-3, 1e6], "normalise": ["last", "each"]},
        cv=TimeSeriesSplit(3),
        error_score="raise",
    ).fit(WAVE)
    assert search.best_params_["estimator__alpha"] == 1e-3
    assert search.predict(WAVE).shape == (6, 1)
    several = GridSearchCV(Forecaster(Ridge(), **SMALL), {"estimator__alpha": [1e-3, 1e6]}, cv=2, error_score="raise")
    assert several.fit([WAVE, WAVE[:200], WAVE[20:], WAVE[:90]]).best_params_ == {"estimator__alpha": 1e-3}


def test_clones_and_pickles():
    forecaster = Forecaster(MLPRegressor(4, max_iter=2, tol=1.0, random_state=0), quantiles=[0.5], **SMALL).fit(WAVE)
    again = pickle.loads(pickle.dumps(forecaster))
    assert_array_equal(again.predict_quantiles(), forecaster.predict_quantiles())
    assert_array_equal(clone(forecaster).fit(WAVE).predict(), forecaster.predict())
    assert forecaster.get_params()["estimator__max_iter"] == 2


def test_a_fit_that_fails_leaves_what_was_learnt():
    forecaster = Forecaster(Ridge(), quantiles=[0.5], **SMALL).fit(TWO)
    expected = forecaster.predict_quantiles()
    with pytest.raises(ValueError, match="too few for window=24"):
        forecaster.fit(WAVE[:9])
    assert_array_equal(forecaster.predict_quantiles(), expected)
    forecaster.set_params(quantiles=None).fit(WAVE)
    assert not hasattr(forecaster, "residual_quantiles_")


def test_it_is_saved_with_a_network_inside(tmp_path):
    forecaster = Forecaster(MLPRegressor(4, max_iter=2, tol=1.0, random_state=0), **SMALL).fit([WAVE, WAVE[:99]])
    sknn.save(forecaster, tmp_path / "forecaster.sknn")
    assert_array_equal(sknn.load(tmp_path / "forecaster.sknn").predict(), forecaster.predict())


def test_it_needs_no_target_and_is_no_regressor_of_rows():
    tags = get_tags(Forecaster())
    assert not tags.target_tags.required
    assert tags.estimator_type is None


ERRORS = {
    "short": (WAVE[:29], {}, "the series has 29 steps, too few for window=24 and horizon=6, which take 30"),
    "one of several": ([WAVE, WAVE[:9]], {}, "1 of 2 series have 9 steps, too few for window=24 and horizon=6"),
    "NaN": ([WAVE, np.append(WAVE, np.nan)], {}, "Input X contains NaN: sample 1, step 240"),
    "a long season": (WAVE, {"season": 25}, "season=25 must not be longer than window=24"),
    "an unknown channel": (TWO, {"known": [2]}, r"known=\[2\] must hold numbers of channels, of which there are 2"),
    "nothing to forecast": (TWO, {"known": [0, 1]}, r"known=\[0, 1\] leaves none of 2 channels"),
    "a quantile of 1": (WAVE, {"quantiles": [0.5, 1.0]}, r"quantiles=\[0.5, 1.0\] must hold numbers between 0 and 1"),
    "short for quantiles": (WAVE[:33], {"quantiles": [0.5]}, "the series has 27 steps without their last fifth"),
    "words": (np.array(["a"] * 90), {}, "must hold real numbers"),
    "four axes": (np.zeros((9, 3, 2, 2)), {}, r"\(T,\) or \(T, channels\)"),
    "no regressor": (WAVE, {"estimator": 3}, "The 'estimator' parameter"),
}


@pytest.mark.parametrize(("series", "options", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(series, options, message):
    with pytest.raises(ValueError, match=message):
        Forecaster(**{"estimator": Ridge(), **SMALL, **options}).fit(series)


def test_errors_later():
    forecaster = Forecaster(Ridge(), **SMALL)
    with pytest.raises(NotFittedError):
        forecaster.predict()
    with pytest.raises(NotFittedError):
        forecaster.score(WAVE)
    forecaster.fit(TWO)
    with pytest.raises(ValueError, match="the series has 23 steps, too few for window=24"):
        forecaster.predict(TWO[:23])
    with pytest.raises(ValueError, match="X has 1 channels, but Forecaster is expecting 2 channels"):
        forecaster.predict(WAVE)
    with pytest.raises(ValueError, match="the series has 40 steps in each of 6 parts, too few for window=40"):
        clone(forecaster).set_params(window=40).backtest(TWO)
    with pytest.raises(ValueError, match="n_splits=0 must be a positive integer"):
        forecaster.backtest(TWO, n_splits=0)
    forecaster.set_params(known=[1]).fit(TWO)
    with pytest.raises(ValueError, match=r"future must give the channels \[1\] over the horizon, got None"):
        forecaster.predict()
    with pytest.raises(ValueError, match=r"future must have shape \(horizon, n_known\) = \(6, 1\)"):
        forecaster.predict(future=np.zeros(5))
