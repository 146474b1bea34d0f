"""Intervals around any regressor: what they cover, against MAPIE and by hand, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import BayesianRidge, LinearRegression, QuantileRegressor
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneOut, RepeatedKFold, TimeSeriesSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import BayesianRegressor, CNNRegressor, ConformalRegressor, FlowRegressor, MLPRegressor, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIABETES, PROGRESS = load_diabetes(return_X_y=True)
X, Y = DIABETES[:100], PROGRESS[:100]
NEW = DIABETES[[200, 300, 400]]
FOLDS = KFold(4, shuffle=True, random_state=0)
NETWORK = MLPRegressor(4, max_iter=5, random_state=0)


class TwoQuantiles(RegressorMixin, BaseEstimator):
    """Linear quantiles, those of 0.1 and 0.9."""

    def fit(self, X, y):
        self.models_ = [QuantileRegressor(quantile=q, alpha=0.0).fit(X, y) for q in (0.1, 0.9)]
        return self

    def predict(self, X):
        return self.predict_quantiles(X).mean(axis=1)

    def predict_quantiles(self, X):
        return np.stack([model.predict(X) for model in self.models_], axis=1)


class Mean(RegressorMixin, BaseEstimator):
    """That of y, quickly."""

    def fit(self, X, y):
        self.mean_ = np.mean(y, axis=0)
        return self

    def predict(self, X):
        return np.full((len(X), *self.mean_.shape), self.mean_)


class Unsure(Mean):
    """With a standard deviation that is told: the first column of X."""

    def predict(self, X, return_std=False):
        mean = super().predict(X)
        return (mean, np.asarray(X)[:, 0]) if return_std else mean


# -- against others ------------------------------------------------------------------------------------------------

# What MAPIE 1.6 says of the same folds. Of its split intervals in units of std only the upper ends are those of a k-th
# smallest score: its lower ends take a smaller one, so that they are no reference.
MAPIE = {
    "split": (
        ConformalRegressor(LinearRegression(), method="split", cv=FOLDS, confidence=0.85),
        [
            [15.381188228560958, 147.2505415320078],
            [156.38590135334454, 288.25525465679135],
            [133.3041268402788, 265.1734801437256],
        ],
    ),
    "cv+": (
        ConformalRegressor(LinearRegression(), cv=FOLDS, confidence=0.85),
        [
            [1.3711284500037806, 168.55775651361859],
            [134.38626012802618, 319.41519204082715],
            [86.4704440749251, 259.6507526107551],
        ],
    ),
    "jackknife+": (
        ConformalRegressor(LinearRegression(), method="jackknife+", confidence=0.85),
        [
            [11.927351274099976, 155.46773102572996],
            [151.01753655922388, 295.8292513968222],
            [95.61189866572883, 243.66125215089613],
        ],
    ),
    "cv+, std": (
        ConformalRegressor(BayesianRidge(), cv=FOLDS, confidence=0.85),
        [
            [11.280254974930997, 176.15351475350153],
            [121.28275619764823, 302.8862895246498],
            [75.73218870470792, 254.34393095419605],
        ],
    ),
    "split, quantiles": (
        ConformalRegressor(TwoQuantiles(), method="split", cv=FOLDS, confidence=0.8),
        [
            [42.09285855064716, 128.82421337914303],
            [116.86226236551579, 325.33975869228044],
            [114.29795568483397, 286.3660016610811],
        ],
    ),
}


@pytest.mark.parametrize("name", MAPIE)
def test_intervals_are_those_of_mapie(name):
    regressor, expected = MAPIE[name]
    assert_allclose(clone(regressor).fit(X, Y).predict_interval(NEW), expected, rtol=1e-12)


def test_split_by_hand():
    rows = [(np.arange(5), np.arange(5, 10))]
    y = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 2.0, 3.5, 6.0, 10.0])  # the mean of the first is 3
    regressor = ConformalRegressor(Mean(), method="split", cv=rows).fit(np.zeros((10, 1)), y)
    assert_allclose(regressor.conformity_scores_, [3.0, 1.0, 0.5, 3.0, 7.0])
    assert_allclose(regressor.predict_interval([[0.0]], 0.5), [[0.0, 6.0]])  # k = 3
    assert_allclose(regressor.predict_interval([[0.0]], 5 / 6), [[-4.0, 10.0]])  # k = 5


def test_cv_plus_by_hand():
    """Three folds of one sample: the means of the other two are 4.5, 3, 1.5, and the errors 4.5, 0, 4.5."""
    regressor = ConformalRegressor(Mean(), cv=KFold(3)).fit(np.zeros((3, 1)), [0.0, 3.0, 6.0])
    assert_allclose(regressor.conformity_scores_, [4.5, 0.0, 4.5])
    assert_allclose(regressor.predict([[0.0]]), [3.0])
    assert_allclose(regressor.predict_interval([[0.0]], 0.5), [[0.0, 6.0]])  # of 0, 3, -3 and 9, 3, 6 the second
    assert_allclose(regressor.predict_interval([[0.0]], 0.75), [[-3.0, 9.0]])


def test_leaving_out_one_is_cv_plus_with_as_many_folds():
    jackknife = ConformalRegressor(LinearRegression(), method="jackknife+").fit(X, Y)
    folds = ConformalRegressor(LinearRegression(), cv=LeaveOneOut()).fit(X, Y)
    assert_array_equal(jackknife.predict_interval(NEW), folds.predict_interval(NEW))
    assert len(jackknife.estimators_) == 100


# -- what they cover -----------------------------------------------------------------------------------------------


def coverage(method, n, n_repeats, n_new, **params):
    """That of each repeat: the mean of n skewed numbers."""
    rng, found = np.random.default_rng(0), []
    for seed in range(n_repeats):
        x, y = np.zeros((n + n_new, 1)), rng.exponential(size=n + n_new)
        regressor = ConformalRegressor(Mean(), method=method, random_state=seed, **params)
        low, high = regressor.fit(x[:n], y[:n]).predict_interval(x[n:]).T
        found.append(np.mean((low <= y[n:]) & (y[n:] <= high)))
    return np.array(found)


def test_split_covers_exactly_as_much_as_the_theorem_says():
    found = coverage("split", 200, 200, 500, cv=0.5)
    standard_error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - np.ceil(101 * 0.9) / 101) < 3 * standard_error
    assert standard_error < 0.003


@pytest.mark.parametrize(("method", "params"), [("cv+", {"cv": 5}), ("jackknife+", {})])
def test_plus_covers_at_least_what_it_is_sure_of_and_about_what_is_asked_for(method, params):
    found = coverage(method, 20, 200, 100, **params).mean()
    assert found >= 1 - 2 * 0.1 - 0.01
    assert abs(found - 0.9) < 0.03


def test_what_is_learnt_does_not_count_where_it_is_memorised():
    """A regressor that knows its samples by heart: naive intervals would have no width."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 2)), rng.normal(size=400)
    regressor = ConformalRegressor(KNeighborsRegressor(1), random_state=0).fit(x[:200], y[:200])
    assert regressor.score(x[:200], y[:200]) == 1.0
    low, high = regressor.predict_interval(x[200:]).T
    assert np.mean((low <= y[200:]) & (y[200:] <= high)) > 0.85


@pytest.mark.parametrize("method", ["split", "cv+"])
@pytest.mark.parametrize("estimator", [LinearRegression(), BayesianRidge(), TwoQuantiles()])
def test_intervals_move_with_y(method, estimator):
    def interval(y):
        return ConformalRegressor(estimator, method=method, cv=FOLDS).fit(X, y).predict_interval(NEW)

    plain = interval(Y)
    assert_allclose(interval(Y + 1000.0), plain + 1000.0, rtol=1e-6)
    assert_allclose(interval(3.0 * Y), 3.0 * plain, rtol=1e-6)


def test_normalised_intervals_are_as_wide_as_the_estimator_is_unsure():
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 3.0, (300, 1))
    y = 5.0 + x[:, 0] * rng.normal(size=300)
    regressor = ConformalRegressor(Unsure(), method="split", random_state=0).fit(x, y)
    width = np.diff(regressor.predict_interval([[1.0], [2.0]]))[:, 0]
    assert_allclose(width[1], 2 * width[0])
    assert 2 < width[0] < 2 * 2.5  # of a normal distribution 2 * 1.64
    same = ConformalRegressor(Unsure(), method="split", normalize=None, random_state=0).fit(x, y)
    assert_allclose(np.ptp(np.diff(same.predict_interval(x))), 0.0, atol=1e-12)


def test_where_nothing_is_uncertain_any_error_is_too_large():
    x, y = np.array([[0.0], [1.0]] * 10), np.arange(20.0)
    regressor = ConformalRegressor(Unsure(), method="split", cv=0.5, random_state=0).fit(x, y)
    assert np.isinf(regressor.conformity_scores_).any()
    assert not np.isnan(regressor.predict_interval(x)).any()
    one_by_one = ConformalRegressor(Unsure(), method="jackknife+").fit(x, y)  # folds of one sample, sure or not
    assert np.isfinite(one_by_one.predict_interval([[1.0]], 0.4)).all()


def test_quantiles_are_asked_for_as_the_confidence_says():
    asked = []

    class Asked(LinearRegression):
        def predict_quantiles(self, X, quantiles=(0.25, 0.75)):
            asked.append(quantiles)
            return self.predict(X)[:, None] + 100 * np.array(quantiles)

    ConformalRegressor(Asked(), method="split", confidence=0.6, random_state=0).fit(X, Y).predict_interval(NEW, 0.8)
    assert_allclose(asked, [(0.2, 0.8)] * 2)


def test_quantiles_that_are_far_too_wide_shrink():
    class Wide(Mean):
        def predict_quantiles(self, X):
            return self.predict(X)[:, None] + [-1000.0, 1000.0]

    regressor = ConformalRegressor(Wide(), random_state=0).fit(X, Y)
    assert (regressor.conformity_scores_ < 0).all()
    assert np.diff(regressor.predict_interval(NEW)).max() < 400


def test_too_few_samples_give_intervals_without_end():
    regressor = ConformalRegressor(LinearRegression(), method="split", cv=8, random_state=0).fit(X[:64], Y[:64])
    with pytest.warns(UserWarning, match=r"8 conformity scores are too few for confidence=0.9, which takes 9"):
        assert_array_equal(regressor.predict_interval(NEW), [[-np.inf, np.inf]] * 3)
    assert np.isfinite(regressor.predict_interval(NEW, 0.8)).all()
    plus = ConformalRegressor(Mean()).fit(X[:18], np.column_stack([Y, Y])[:18])
    with pytest.warns(UserWarning, match=r"18 conformity scores.* takes 19"):
        assert_array_equal(plus.predict_interval(NEW, 0.95), np.full((3, 2, 2), [-np.inf, np.inf]))


# -- samples, weights, groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["split", "cv+", "jackknife+"])
def test_each_output_is_as_if_it_were_alone(method):
    y = np.column_stack([Y, np.random.default_rng(0).normal(size=100)])
    regressor = ConformalRegressor(LinearRegression(), method=method, random_state=0)
    both = clone(regressor).fit(X, y)
    assert both.predict_interval(NEW).shape == (3, 2, 2)
    for k in range(2):
        alone = clone(regressor).fit(X, y[:, k])
        assert_allclose(both.predict_interval(NEW)[:, k], alone.predict_interval(NEW), rtol=1e-9)


def test_equal_weights_change_nothing_whatever_their_scale():
    for method in ("split", "cv+"):
        plain = ConformalRegressor(LinearRegression(), method=method, cv=FOLDS).fit(X, Y)
        for weight in (1.0, 7.3, 1e-6):
            weighted = clone(plain).fit(X, Y, np.full(100, weight))
            for level in (0.5, 0.8, 0.9):  # of 25 scores and of 100: also where confidence * (n + 1) is a whole number
                assert_allclose(weighted.predict_interval(NEW, level), plain.predict_interval(NEW, level), rtol=1e-9)


def test_weights_by_hand():
    """Scores 1, 2, 3 that weigh 3, 1, 2: with 2 for the new sample, half of all is 4."""
    rows = [(np.arange(2), np.arange(2, 5))]
    weight = np.array([1.0, 1.0, 3.0, 1.0, 2.0])
    regressor = ConformalRegressor(DummyRegressor(), method="split", cv=rows, normalize=None)
    regressor.fit(np.zeros((5, 1)), [0.0, 0.0, 1.0, 2.0, -3.0], weight)
    assert_allclose(regressor.predict_interval([[0.0]], 0.5), [[-2.0, 2.0]])
    assert_allclose(regressor.predict_interval([[0.0]], 0.3), [[-1.0, 1.0]])
    assert_allclose(regressor.predict_interval([[0.0]], 0.75), [[-3.0, 3.0]])
    with pytest.warns(UserWarning, match="too few"):
        assert_array_equal(regressor.predict_interval([[0.0]], 0.76), [[-np.inf, np.inf]])


def test_samples_without_weight_are_as_if_they_were_not_there():
    weight = np.arange(100) % 2
    halves = [(rows[0], rows[1]) for rows in KFold(2).split(X)]
    regressor = ConformalRegressor(LinearRegression(), cv=halves).fit(X, Y, weight)
    left = ConformalRegressor(LinearRegression(), cv=KFold(2)).fit(X[1::2], Y[1::2])
    assert len(regressor.conformity_scores_) == 50
    assert_allclose(regressor.predict_interval(NEW), left.predict_interval(NEW), rtol=1e-9)


def test_weights_reach_the_last_step_of_a_pipeline():
    weight = np.where(np.arange(100) < 50, 1.0, 1e-9)
    pipeline = make_pipeline(StandardScaler(), DummyRegressor())
    regressor = ConformalRegressor(pipeline, normalize=None, random_state=0).fit(X, Y, weight)
    assert_allclose(regressor.predict(NEW), Y[:50].mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("method", "cv"), [("split", None), ("split", 4), ("split", 0.3), ("cv+", None), ("cv+", 4), ("jackknife+", None)]
)
def test_groups_are_set_aside_together(method, cv):
    groups = np.arange(100) // 5
    seen = []

    class Seeing(Mean):
        def fit(self, X, y):
            seen.append(set(X[:, 0].astype(int)))
            return super().fit(X, y)

    x = np.column_stack([groups, groups])
    regressor = ConformalRegressor(Seeing(), method=method, cv=cv, random_state=0).fit(x, Y, groups=groups)
    fits = seen if method == "split" else seen[:-1]
    n_learnt = sum(5 * len(each) for each in fits)
    assert len(regressor.conformity_scores_) + n_learnt == 100 * len(fits)  # no group is on both sides
    assert all(len(each) < 20 for each in fits)


def test_any_splitter_will_do():
    groups = np.arange(100) // 5
    by_group = ConformalRegressor(LinearRegression(), cv=GroupKFold(5)).fit(X, Y, groups=groups)
    assert len(by_group.conformity_scores_) == 100
    forward = ConformalRegressor(LinearRegression(), cv=TimeSeriesSplit(4)).fit(X, Y)
    assert len(forward.conformity_scores_) == 80  # the first fifth is never set aside
    assert forward.predict_interval(NEW).shape == (3, 2)


# -- any estimator -------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=(RNG.integers(5, 9), 2)) for _ in range(40)]
WAVES = RNG.normal(size=(40, 8, 2))
QUANTILES = MLPRegressor(4, loss="quantile", quantile=[0.05, 0.5, 0.95], max_iter=5, random_state=0)
AROUND = {
    "series": (RNNRegressor(units=3, max_iter=2), SERIES, None),
    "grids": (CNNRegressor(2, max_iter=2), WAVES, None),
    "rows": (NETWORK, X[:40], None),
    "a table": (make_pipeline(StandardScaler(), NETWORK), pd.DataFrame(X[:40]).add_prefix("x"), None),
    "a sparse table": (NETWORK, csr_array(X[:40]), None),
    "a search": (GridSearchCV(BayesianRidge(), {"tol": [1e-3]}, cv=2), X[:40], "std"),
    "learned noise": (MLPRegressor(4, loss="normal", max_iter=5), X[:40], "std"),
    "a posterior": (BayesianRegressor(NETWORK), X[:40], "std"),
    "quantiles": (QUANTILES, X[:40], "quantiles"),
    "quantiles in a pipeline": (make_pipeline(StandardScaler(), QUANTILES), X[:40], "quantiles"),
    "quantiles of a logarithm": (
        TransformedTargetRegressor(QUANTILES, func=np.log, inverse_func=np.exp),
        X[:40],
        "quantiles",
    ),
    "a flow": (FlowRegressor("affine", n_transforms=2, n_draws=20, max_iter=2, hidden_layer_sizes=4), X[:40], "std"),
}


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("method", ["split", "cv+"])
def test_around_any_estimator(name, method):
    estimator, x, kind = AROUND[name]
    y = Y[:40] + np.random.default_rng(0).uniform(-0.5, 0.5, 40)  # no value twice, which a flow warns of
    regressor = ConformalRegressor(estimator, method=method, cv=2, random_state=0).fit(x, y)
    low, high = regressor.predict_interval(x).T
    assert regressor.normalize_ == kind
    assert 0.5 < np.mean((low <= y) & (y <= high)) <= 1.0
    again = clone(regressor).fit(x, y)
    assert_array_equal(again.predict_interval(x), regressor.predict_interval(x))
    assert_array_equal(pickle.loads(pickle.dumps(regressor)).predict_interval(x), regressor.predict_interval(x))


def test_a_frozen_estimator_is_calibrated_on_all_samples():
    model = LinearRegression().fit(DIABETES[100:200], PROGRESS[100:200])
    for method in ("split", "cv+"):
        regressor = ConformalRegressor(FrozenEstimator(model), method=method).fit(X, Y)
        assert_allclose(regressor.conformity_scores_, np.abs(Y - model.predict(X)))
        middle = regressor.predict_interval(NEW).mean(axis=1)
        assert_allclose(middle, model.predict(NEW))


def test_networks_that_learn_side_by_side_are_those_that_learn_alone():
    network = MLPRegressor(5, max_iter=8, early_stopping=True, batch_size=16)
    together = ConformalRegressor(network, cv=4, random_state=0).fit(X, Y)
    with parallel_config("threading"):  # processes take a second to start
        apart = clone(together).set_params(n_jobs=2).fit(X, Y)
    assert_array_equal(together.predict_interval(X), apart.predict_interval(X))
    assert_array_equal(together.predict(X), apart.predict(X))
    assert len({member.random_state for member in [*together.estimators_, together.estimator_]}) == 5


def test_the_default_is_a_network():
    regressor = ConformalRegressor(cv=2, random_state=0).fit(X[:20], Y[:20])
    assert type(regressor.estimator_) is MLPRegressor
    assert regressor.estimator_.random_state is not None


def test_tables_searches_and_files(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcdefghij"))
    search = GridSearchCV(
        ConformalRegressor(make_pipeline(StandardScaler(), NETWORK), cv=KFold(2)),
        {"estimator__mlpregressor__alpha": [0.0, 1.0], "method": ["split", "cv+"]},
        cv=2,
        error_score="raise",
    ).fit(frame, Y)
    best = search.best_estimator_
    assert best.feature_names_in_.tolist() == list("abcdefghij")
    sknn.save(best, tmp_path / "model")
    assert_array_equal(sknn.load(tmp_path / "model").predict_interval(frame), best.predict_interval(frame))


def test_std_passes_through():
    regressor = ConformalRegressor(make_pipeline(StandardScaler(), BayesianRidge()), random_state=0).fit(X, Y)
    mean, std = regressor.predict(NEW, return_std=True)
    assert_array_equal(mean, regressor.predict(NEW))
    assert_array_equal(std, regressor.estimator_.predict(NEW, return_std=True)[1])
    with pytest.raises(ValueError, match=r"return_std=True.*LinearRegression\(\) is not"):
        ConformalRegressor(LinearRegression()).fit(X, Y).predict(NEW, return_std=True)


# -- what is refused -----------------------------------------------------------------------------------------------


class Nothing(Mean):
    def predict(self, X):
        return np.full(len(X), np.nan)


class Column(Mean):
    def predict(self, X):
        return super().predict(X)[:, None]


REFUSED = {
    "a share for folds": ({"cv": 0.2}, Y, 'cv=0.2 is a share, which method="split" takes'),
    "folds for each sample": ({"cv": 5, "method": "jackknife+"}, Y, "cv=5 does not apply"),
    "a sample twice": ({"cv": RepeatedKFold(n_splits=2, n_repeats=2)}, Y, "aside more than once"),
    "a sample on both sides": ({"cv": [(np.arange(100), np.arange(10))]}, Y, "learnt from in the same fold"),
    "more folds than samples": ({"cv": 101}, Y, "greater than the number of samples"),
    "a word": ({"cv": "prefit"}, Y, "cv"),
    "another method": ({"method": "naive"}, Y, "method"),
    "certainty": ({"confidence": 1.0}, Y, "confidence"),
    "no regressor": ({"estimator": StandardScaler()}, Y, "estimator"),
    "no std": ({"normalize": "std"}, Y, r'normalize="std" needs predict.*LinearRegression'),
    "no quantiles": ({"normalize": "quantiles"}, Y, 'normalize="quantiles" needs predict_quantiles'),
    "one quantile": ({"estimator": MLPRegressor(2, loss="quantile", max_iter=1)}, Y, "lower and an upper quantile"),
    "a std of nothing": ({"estimator": DummyRegressor()}, Y, "is 0 for all.*say normalize=None"),
    "NaN": ({"estimator": Nothing()}, Y, "is NaN for 10"),
    "columns": ({"estimator": Column()}, Y, r"has shape \(10, 1\)"),
    "words": ({}, np.array(["a", "b"] * 50), "y must be numbers"),
    "other lengths": ({}, Y[:-1], "inconsistent numbers of samples"),
    "no y": ({}, None, "requires y"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_together_is_refused_and_leaves_the_estimator_as_it_was(name):
    params, y, message = REFUSED[name]
    regressor = ConformalRegressor(LinearRegression(), random_state=0).fit(X, Y)
    regressor.set_params(**params)
    before = dict(vars(regressor))
    with pytest.raises(ValueError, match=message):
        regressor.fit(X, y)
    assert vars(regressor).keys() == before.keys()
    assert all(vars(regressor)[key] is value for key, value in before.items())


def test_weights_that_nobody_takes_are_refused():
    with pytest.raises(TypeError, match="sample_weight was given, but KNeighborsRegressor takes none"):
        ConformalRegressor(KNeighborsRegressor()).fit(X, Y, np.ones(100))
    rows = [(np.arange(50), np.arange(50, 100))]
    with pytest.raises(ValueError, match="set aside has a weight above 0"):
        ConformalRegressor(LinearRegression(), method="split", cv=rows).fit(X, Y, np.arange(100) < 50)


def test_before_a_fit_there_is_nothing_and_confidence_is_checked():
    regressor = ConformalRegressor(LinearRegression())
    assert not hasattr(regressor, "n_features_in_")
    for method in (regressor.predict, regressor.predict_interval):
        with pytest.raises(NotFittedError):
            method(X)
    regressor.fit(X, Y)
    for confidence in (0, 1, 1.5, "0.9", True):
        with pytest.raises(ValueError, match=f"confidence={confidence!r} must be a number above 0 and below 1"):
            regressor.predict_interval(X, confidence)
