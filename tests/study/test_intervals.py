"""Studies of intervals: networks beside baselines that know how sure they are, by score, coverage and density."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import BayesianRidge, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPRegressor
from sknn.metrics import crps_gaussian, interval_score
from sknn.study import Study
from sknn.study.cli import build_parser
from sknn.study.data import DataSet
from sknn.study.intervals import LEVELS, levels_needed
from sknn.study.measures import Answers, as_measures
from sknn.study.models import of_intervals
from sknn.study.quantiles import OneByOne

RNG = np.random.default_rng(0)
X, Y = load_diabetes(return_X_y=True)
RIDGE = make_pipeline(StandardScaler(), BayesianRidge()).fit(X, Y)
MEAN, STD = RIDGE.predict(X, return_std=True)
ENDS = np.c_[MEAN - STD * norm.ppf(0.9), MEAN + STD * norm.ppf(0.9)]
NAMES = ["interval_score", "coverage", "width", "nll", "crps"]
EXPECTED = {
    "interval_score": interval_score(Y, ENDS, confidence=0.8),
    "coverage": np.mean((ENDS[:, 0] <= Y) & (ENDS[:, 1] >= Y)),
    "width": np.mean(ENDS[:, 1] - ENDS[:, 0]),
    "nll": -norm.logpdf(Y, MEAN, STD).mean(),
    "crps": crps_gaussian(Y, MEAN, STD),
}


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: Answers(model, X)], ids=["itself", "answers"])
@pytest.mark.parametrize("name", NAMES)
def test_measures_are_those_of_what_is_predicted(wrap, name):
    [measure] = as_measures([name], intervals=0.8)
    assert_allclose(measure.scorer(wrap(RIDGE), X, Y), EXPECTED[name])
    assert measure.task == "regression"


def test_an_interval_is_asked_for_once():
    answers = Answers(RIDGE, X)
    assert answers.predict_interval(X, 0.8) is answers.predict_interval(X, 0.8)
    assert_allclose(answers.predict_interval(X, 0.8), ENDS)
    assert_allclose(answers.predict_interval(X, 0.95)[:, 1], MEAN + STD * norm.ppf(0.975))


def test_the_level_that_a_row_needs_is_the_least_that_holds_it():
    needed = levels_needed(RIDGE, X, Y)
    exact = 2 * norm.cdf(np.abs(Y - MEAN) / STD) - 1
    steps = np.array([*LEVELS, 1.0])
    assert_array_equal(needed, steps[np.searchsorted(steps[:-1], exact)])
    ends = OneByOne(DummyRegressor(strategy="quantile"), [0.1, 0.9]).fit(X, Y)
    assert np.isnan(levels_needed(ends, X, Y)).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", of_intervals(0.9))
def test_every_model_gives_intervals_and_has_a_space(name):
    x, y = X[:60], Y[:60] + RNG.uniform(-0.5, 0.5, 60)  # whole numbers have no density
    data = DataSet.from_arrays("toy", x, y)
    model = of_intervals(0.9)[name]
    estimator = model.build(data, 0)
    given = estimator.get_params()
    quick = {key: 3 for key in given if key.rpartition("__")[2] == "max_iter" and "boosting" not in key}
    quick |= {key: MLPRegressor(3, max_iter=3) for key in given if key.rpartition("__")[2] == "network"}
    estimator.set_params(**quick).fit(x, y)
    for measure in as_measures(NAMES[:3], intervals=0.9):
        assert np.isfinite(measure.scorer(estimator, X[60:], Y[60:]))
    assert model.by_default is False
    assert model.limits[0] == "for numbers"
    space = model.space(data)
    assert set(space) <= set(estimator.get_params())
    assert bool(space) == (name != "dummy")


@pytest.fixture(scope="module")
def study():
    network = MLPRegressor((), loss="normal", max_iter=20, random_state=0)
    models = ["dummy", "bayesian_ridge", ("net", make_pipeline(StandardScaler(), network)), ("ridge", Ridge())]
    return Study(models, cv=2, intervals=0.8).run(X, Y)


def test_a_study_of_intervals(study):
    assert list(study.results.columns[6:11]) == NAMES
    scores = study.summary().set_index("model")
    assert scores.index[0] in ("bayesian_ridge", "net")
    assert scores.loc["bayesian_ridge", "interval_score_mean"] < scores.loc["dummy", "interval_score_mean"]
    assert scores.loc[["dummy", "bayesian_ridge"], "coverage_mean"].between(0.7, 0.9).all()
    assert "in 80 % interval score" in study.verdicts()["data"]


def test_what_a_model_does_not_tell_is_missing_without_a_failure(study):
    results = study.results.set_index("model")
    assert results.loc["dummy", ["nll", "crps"]].isna().all(axis=None)
    assert results.loc["ridge", NAMES].isna().all(axis=None)
    assert results.loc[["bayesian_ridge", "net"], NAMES].notna().all(axis=None)
    assert results[["error"]].isna().all(axis=None)
    assert results.loc[["dummy", "ridge", "bayesian_ridge"], "warnings"].isna().all()


def test_the_folds_are_those_of_any_study_and_rows_keep_their_levels(study):
    rows = study.predictions[study.predictions["model"] == "bayesian_ridge"]
    test = rows.loc[rows["fold"] == 0, "sample"].to_numpy()
    train = np.setdiff1d(np.arange(len(X)), test)
    ridge = clone(RIDGE).fit(X[train], Y[train])
    assert_array_equal(rows.loc[rows["fold"] == 0, "confidence"], levels_needed(ridge, X[test], Y[test]))
    found = study.results.query("model == 'bayesian_ridge' and fold == 0")["nll"].item()
    assert found == pytest.approx(-norm.logpdf(Y[test], *ridge.predict(X[test], return_std=True)).mean())


def test_the_report_shows_coverage(study, tmp_path):
    page = study.report(tmp_path / "report.html").read_text()
    assert "Coverage against confidence" in page
    assert "80 % width" in page


def test_a_search_chooses_by_the_interval_score_and_another_scoring_is_told_the_level():
    tuned = Study(["bayesian_ridge"], cv=2, tune=2, intervals=0.5, scoring=["nll", "coverage"]).run(X[:100], Y[:100])
    assert tuned.results["params"].notna().all()
    assert tuned.results["coverage"].between(0.3, 0.7).all()
    assert Study(["ridge", ("bayes", RIDGE)], cv=2, scoring=["nll", "rmse"]).run(X, Y).summary()["model"][0] == "bayes"


def test_the_command_line_takes_a_confidence():
    assert build_parser().parse_args(["study", "diabetes", "--intervals", "0.9"]).intervals == 0.9


@pytest.mark.parametrize(
    ("options", "data", "message"),
    [
        ({"intervals": 90}, (X, Y), "intervals=90 must be a confidence between 0 and 1"),
        ({"intervals": 0.9, "quantiles": [0.5]}, (X, Y), "are two studies; give one of them"),
        ({"intervals": 0.9}, load_iris(return_X_y=True), "intervals=0.9 are of numbers, but 'data' is classification"),
        ({"intervals": 0.9, "models": ["ridge"]}, (X, Y), "unknown model 'ridge'"),
        ({"intervals": 0.9, "scoring": ["width"]}, (X, Y), "'width' says of no model that it is better"),
        ({"scoring": ["interval_score"]}, (X, Y), "unknown measure 'interval_score'"),
    ],
)
def test_what_is_no_study_of_intervals(options, data, message):
    with pytest.raises(ValueError, match=message):
        Study(**{"models": None, "cv": 2} | options).run(*data)
