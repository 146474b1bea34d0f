"""Studies of forecasts: one series, folds in time, each block forecast from all that is in front of it."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, TimeSeriesSplit

from sknn import Forecaster
from sknn.__main__ import main
from sknn.study import Study
from sknn.study.choice import as_models
from sknn.study.data import DataSet
from sknn.study.folds import folds_of
from sknn.study.forecast import BlockForecasts, Repeated
from sknn.study.load import load
from sknn.study.models import ALL
from sknn.study.page.method import data_facts, protocol_facts
from sknn.study.size import model_size

RNG = np.random.default_rng(0)
T = np.arange(240)
HEAT = RNG.normal(size=240)
LOAD = np.sin(2 * np.pi * T / 12) + 0.5 * HEAT + 0.1 * RNG.normal(size=240)
FRAME = pd.DataFrame({"heat": HEAT, "price": RNG.normal(size=240)})
DATA = DataSet.of_series("grid", LOAD, horizon=6, season=12)
WITH_OTHERS = DataSet.of_series("grid", pd.Series(LOAD, name="load"), FRAME, horizon=6, window=12, known=["heat"])


# -- data ----------------------------------------------------------------------------------------------------------


def test_a_series_is_a_table_that_begins_with_itself():
    assert list(DATA.X) == ["y"]
    assert (DATA.forecast.window, DATA.forecast.known) == (24, ())
    assert list(WITH_OTHERS.X) == ["load", "heat", "price"]
    assert WITH_OTHERS.forecast.known == (1,)
    assert_array_equal(WITH_OTHERS.y, LOAD)
    assert DataSet.of_series("a", LOAD, HEAT, horizon=2, known="x0").forecast.known == (1,)
    assert DataSet.of_series("a", LOAD, horizon=2, season=20).forecast.window == 20


def test_what_is_forecast_counts_for_the_fingerprint_and_travels():
    same = DataSet.of_series("other", LOAD, horizon=6, season=12)
    assert same.fingerprint == DATA.fingerprint == pickle.loads(pickle.dumps(DATA)).fingerprint
    others = [{"horizon": 5, "window": 24, "season": 12}, {"horizon": 6}, {"horizon": 6, "window": 30, "season": 12}]
    assert len({DATA.fingerprint, *(DataSet.of_series("a", LOAD, **each).fingerprint for each in others)}) == 4


@pytest.mark.parametrize(
    ("y", "X", "stated", "message"),
    [
        (LOAD, None, {"horizon": 0}, "horizon=0 must be a positive number of steps"),
        (LOAD, None, {"season": 0}, "season=0 must be a positive number of steps"),
        (LOAD, None, {"season": 9, "window": 8}, "season=9 must not be longer than window=8"),
        (LOAD, FRAME, {"known": ["haet"]}, "unknown known column 'haet', did you mean 'heat'"),
        (LOAD, FRAME, {"known": ["y"]}, "unknown known column 'y'"),
        (LOAD, FRAME[:-1], {}, "y of 'grid' has 240 values, but X has 239 rows"),
        (LOAD, FRAME.rename(columns={"heat": "y"}), {}, "X of 'grid' has a column 'y', as the series to forecast"),
        (LOAD, FRAME.assign(day="Monday"), {}, "holds other things than numbers in 'day'"),
        (LOAD, FRAME.where(FRAME > -2), {}, "X of 'grid' has gaps in 'heat', 'price'; a forecast takes each step"),
        (np.where(T == 7, np.nan, LOAD), None, {}, "y of 'grid' is missing in 1 row of 240; fill these gaps"),
        (["a", "b"], None, {}, "y of 'grid' holds no numbers but such as 'a'; a forecast is of numbers"),
    ],
)
def test_what_is_no_series_to_forecast(y, X, stated, message):
    with pytest.raises(ValueError, match=message):
        DataSet.of_series("grid", y, X, **{"horizon": 6} | stated)


# -- folds ---------------------------------------------------------------------------------------------------------


def test_folds_go_by_time():
    folds = folds_of(DATA, cv=5, repeats=1, seed=0)
    assert [(len(fold.train), fold.test[0], len(fold.test)) for fold in folds] == [
        (40 * k, 40 * k, 40) for k in range(1, 6)
    ]
    assert len(folds_of(DATA, cv=TimeSeriesSplit(3, max_train_size=60), repeats=1, seed=0)) == 3


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (KFold(3), "the rows that fold 0 tests on do not follow those it trains on"),
        (TimeSeriesSplit(3, gap=1), "the rows that fold 0 tests on do not follow those it trains on"),
        (12, "cv: fold 0 of 'grid' has 24 steps to train on, but window=24 and horizon=6 take 30; take fewer folds"),
    ],
)
def test_folds_that_are_no_forecasts(cv, message):
    with pytest.raises(ValueError, match=message):
        folds_of(DATA, cv=cv, repeats=1, seed=0)


# -- models --------------------------------------------------------------------------------------------------------


def test_each_row_is_forecast_once_from_all_in_front_of_its_block():
    blocks = BlockForecasts(Forecaster(Ridge(), window=12, horizon=6)).fit(LOAD[:100, None])
    found = blocks.predict(LOAD[100:115, None])
    forecaster = Forecaster(Ridge(), window=12, horizon=6).fit(LOAD[:100])
    expected = [forecaster.predict(LOAD[:end]).ravel() for end in (100, 106, 112)]
    assert_allclose(found, np.concatenate(expected)[:15])
    assert_array_equal(blocks.last_values(LOAD[100:115, None]), np.repeat(LOAD[[99, 105, 111]], 6)[:15])


def test_nothing_of_a_block_is_looked_at_but_what_is_known():
    model = as_models(["ridge"])[0].build(WITH_OTHERS, 0).fit(WITH_OTHERS.X[:200], LOAD[:200])
    rows = WITH_OTHERS.X[200:206]
    hidden = rows.assign(load=np.nan, price=np.nan)
    assert_array_equal(model.predict(rows), model.predict(hidden))
    assert (model.predict(rows) != model.predict(rows.assign(heat=0.0))).any()
    later = WITH_OTHERS.X[200:212].copy()
    later.iloc[6:, [0, 2]] = np.nan
    assert_array_equal(model.predict(later), model.predict(WITH_OTHERS.X[200:212]))


def test_default_models_of_forecasts():
    names = ["ridge", "hist_gradient_boosting", "mlp", "rnn", "last_value", "season"]
    assert [name for name, model in ALL.items() if not model.suits(DATA)] == names
    assert ALL["season"].can_fit(WITH_OTHERS) == "no season was named with --season (season=)"
    assert ALL["cnn"].can_fit(DATA) == "not for forecasts"
    assert ALL["last_value"].can_fit(DataSet.from_arrays("a", [[0.0], [1.0]], [0.5, 1.5])) == "not a series to forecast"
    assert ALL["knn"].can_fit(DATA) == ""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["ridge", "knn", "mlp", "rnn", "transformer", "LinearRegression", "season"])
def test_every_model_can_be_fitted_to_a_series(name):
    (model,) = as_models([name])
    blocks = model.build(DATA, 0)
    if name in ("rnn", "transformer", "mlp"):
        blocks.set_params(forecaster__estimator__max_iter=15 if name != "mlp" else 50)
    found = blocks.fit(DATA.X[:180], DATA.y[:180]).predict(DATA.X[180:])
    assert found.shape == (60,)
    last = mean_squared_error(DATA.y[180:], blocks.last_values(DATA.X[180:]))
    assert mean_squared_error(DATA.y[180:], found) < 0.9 * last
    assert name == "season" or model_size(blocks)[0]


def test_early_stopping_looks_at_the_latest_windows():
    long = DataSet.of_series("long", np.arange(3000.0), horizon=6)
    splitter = ALL["mlp"].build(long, 0).forecaster.estimator.validation_fraction
    train, aside = list(splitter.split(np.zeros(1000)))[-1]
    assert (aside[0], len(aside), train[-1]) == (900, 100, 900 - 6)


def test_what_comes_again():
    past = [np.arange(8.0)[:, None]]
    assert Repeated(8, 5, period=3).predict(past)[0].ravel().tolist() == [5, 6, 7, 5, 6]
    assert Repeated(8, 2).predict(past)[0].ravel().tolist() == [7, 7]


# -- studies -------------------------------------------------------------------------------------------------------


def test_a_study_of_forecasts_is_stored_and_goes_on(tmp_path):
    models = ["ridge", "last_value", "season", ("mine", LinearRegression())]
    study = Study(models, cv=3, store=tmp_path / "study.sqlite").run(DATA)
    assert study.results["error"].isna().all()
    assert list(study.results.columns[6:9]) == ["mse", "mae", "skill"]
    scores = study.summary().set_index("model")
    assert scores.loc["last_value", "skill_mean"] == 0
    assert scores.loc["ridge", "mse_mean"] < scores.loc["season", "mse_mean"] < scores.loc["last_value", "mse_mean"]
    told = study.predictions[study.predictions["model"] == "ridge"]
    assert_array_equal(told["sample"], np.arange(60, 240))
    assert_array_equal(told["target"], LOAD[60:])
    again = Study(models, cv=3, store=tmp_path / "study.sqlite").run(DATA)
    pd.testing.assert_frame_equal(again.results, study.results)
    assert "No network took part" in study.verdicts()["grid"]
    assert "6 steps at once from the 24 before, with a season of 12" in str(data_facts(DATA))
    assert "3 folds, the same for every model: each trains on all steps up to" in str(protocol_facts(study))


def test_the_best_forecasts_what_comes_next():
    best = Study(["ridge", "last_value"], cv=3).run(WITH_OTHERS).best()
    coming = pd.DataFrame({"heat": np.linspace(-2, 2, 6), "price": np.nan, "load": np.nan})
    found = best.predict(coming)
    expected = Forecaster(Ridge(), window=12, horizon=6, known=(1,)).fit(WITH_OTHERS.X.to_numpy())
    assert_allclose(found, expected.predict(future=coming[["heat"]])[:, 0])


def test_a_study_of_forecasts_can_be_tuned():
    results = Study(["ridge", "last_value"], cv=2, tune=2).run(WITH_OTHERS).results.set_index("model")
    assert results["error"].isna().all()
    assert results.loc["ridge", "params"].str.contains("forecaster__estimator__alpha").all()
    with pytest.raises(ValueError, match=r"tune: 'grid' has 60 steps to train on in the first fold, .* takes 72 with"):
        Study(["ridge"], cv=3, tune=2).run(WITH_OTHERS)


def test_a_learning_curve_has_no_points_too_short_to_be_searched():
    study = Study(["ridge", "last_value"], cv=2, tune=1, learning_curve=True).run(WITH_OTHERS)
    sizes = study.learning_curves.groupby("fold")["n_train"].unique().map(sorted).tolist()
    assert sizes == [[80], [80, 160]]
    assert study.learning_curves["error"].isna().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ["mlp"], "quantiles": [0.1]}, r"quantiles=\[0.1\] were given, but 'grid' is to be forecast"),
        ({"repeats": 2}, "repeats=2 needs folds that are shuffled, but 'grid' goes by time"),
        ({"models": ["cnn"]}, "'cnn' cannot be fitted to 'grid': not for forecasts"),
    ],
)
def test_what_is_no_study_of_forecasts(options, message):
    with pytest.raises(ValueError, match=message):
        Study(**options).run(DATA)


# -- files and the command line ------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path):
    times = pd.date_range("2026-01-01", periods=240, freq="h")
    frame = FRAME.assign(load=LOAD, time=times).sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "grid.csv", index=False)
    return tmp_path / "grid.csv"


def test_a_table_becomes_a_series_in_the_order_of_time(table):
    data = load(table, "load", order="time", forecast=6, window=12, known=["heat"])
    assert data.fingerprint == WITH_OTHERS.fingerprint
    alone = load(table, "load", order="time", features=["heat"], forecast=6)
    assert list(alone.X) == ["load", "heat"]
    frame = pd.read_csv(table)
    frame[["time", "load"]].to_csv(table, index=False)
    assert load(table, "load", order="time", forecast=6, season=12).X.to_numpy().ravel().tolist() == DATA.y.tolist()


def test_steps_that_are_uneven_are_told_and_doubled_ones_refused(table):
    frame = pd.read_csv(table)
    frame[frame["time"] != "2026-01-03 05:00:00"].to_csv(table, index=False)
    with pytest.warns(UserWarning, match="1 of 238 steps of 'time' are much shorter or longer than the usual 0.04167"):
        load(table, "load", order="time", forecast=6)
    pd.concat([frame, frame[:1]]).to_csv(table, index=False)
    with pytest.raises(ValueError, match="order='time' holds the same time twice"):
        load(table, "load", order="time", forecast=6)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"season": 12}, r"season=12 was given but belongs to --forecast \(forecast=\); leave it out"),
        ({"forecast": 6, "task": "classification"}, "task='classification' was given beside forecast=6"),
        ({"forecast": 6, "groups": "price"}, "groups='price' was given beside forecast=6"),
        ({"forecast": 6, "drop_missing_target": True}, "drop_missing_target=True was given beside forecast=6"),
    ],
)
def test_what_a_forecast_does_not_take(table, stated, message):
    with pytest.raises(ValueError, match=message):
        load(table, "load", **stated)
    with pytest.raises(ValueError, match="forecast=True was given for iris"):
        load("iris", forecast=3)


def test_forecasts_from_the_command_line(table, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    report = SimpleNamespace(write_all=lambda study, folder, figures=True: out / "report.html")
    monkeypatch.setitem(sys.modules, "sknn.study.files", report)
    series = ["study", str(table), "--target", "load", "--order-by", "time", "--forecast", "6", "--out", str(out)]
    quick = ["--cv", "2", "--n-jobs", "1", "--models", "ridge", "last_value", "season"]
    assert main([*series, "--season", "12", *quick]) == 0
    output = capsys.readouterr().out
    assert "grid: 240 samples, 3 features, forecasts of 6 steps at once from the 24 before" in output
    keep, coming = tmp_path / "best.joblib", tmp_path / "coming.csv"
    assert main([*series, *quick[:-1], "--known", "heat", "--keep", str(keep)]) == 0
    pd.DataFrame({"load": np.nan, "price": np.nan, "heat": np.linspace(-2, 2, 6)}).to_csv(coming, index=False)
    capsys.readouterr()
    assert main(["predict", str(keep), str(coming), "--out", str(tmp_path / "told.csv")]) == 0
    assert capsys.readouterr().out.endswith("no intervals around its numbers.\n")
    assert np.corrcoef(pd.read_csv(tmp_path / "told.csv")["predicted"], np.linspace(-2, 2, 6))[0, 1] > 0.5
    assert main([*series, *quick]) == 2
    told = "models: 'season' cannot be fitted to 'grid': no season was named with --season\n"
    assert capsys.readouterr().err.endswith(told)
