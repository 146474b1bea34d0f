"""Posteriors as conditional flows: known ones are found, their calibration holds, and bounds are never left."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import trapezoid
from scipy.stats import kstest, multivariate_normal, norm, truncnorm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import FlowRegressor
from sknn.inspection import SBCDisplay, coverage, pit, sbc_ranks
from sknn.template.even_points import normal_points

RNG = np.random.default_rng(0)
KINDS = ["spline", "affine", "glow", "autoregressive"]

# y ~ N(0, I) in two dimensions, x = y A + noise: the posterior is known
PLACES = np.array([[1.0, 0.5], [-0.3, 0.8]])
NOISE = 0.5
Y = RNG.normal(size=(4000, 2))
X = Y @ PLACES + NOISE * RNG.normal(size=Y.shape)
COVARIANCE = np.linalg.inv(np.eye(2) + PLACES @ PLACES.T / NOISE**2)
GAIN = PLACES @ np.linalg.inv(PLACES.T @ PLACES + NOISE**2 * np.eye(2))


def posterior(x):
    return x @ GAIN.T, COVARIANCE


# y uniform in [0, 2], seen with noise of sd 0.7: the posterior is a normal distribution, cut off
BOUNDED = RNG.uniform(0, 2, 2000)
SEEN = (BOUNDED + 0.7 * RNG.normal(size=2000))[:, None]


def cut(x, low=0.0, high=2.0, sd=0.7):
    return truncnorm((low - x) / sd, (high - x) / sd, x, sd)


LINEAR = FlowRegressor(n_transforms=1, n_draws=300, random_state=0).fit(X[:3000], Y[:3000])
CUT = FlowRegressor(n_draws=300, bounds=(0, 2), random_state=0).fit(SEEN[:1500], BOUNDED[:1500])
SHORT: dict = {
    "hidden_layer_sizes": 8,
    "n_transforms": 1,
    "max_iter": 3,
    "learning_rate": "one_cycle",
    "random_state": 0,
}


def short(y=BOUNDED[:200], x=SEEN[:200], **params):
    return FlowRegressor(**{**SHORT, **params}).fit(x, y)


# -- known posteriors ----------------------------------------------------------------------------------------------


def test_a_flow_that_can_be_nothing_else_finds_a_linear_gaussian_posterior():
    flow = FlowRegressor("affine", n_transforms=2, hidden_layer_sizes=(), target_scaling="standard", solver="lbfgs")
    flow.set_params(alpha=0.0, max_iter=2000, tol=1e-6, dtype="float64", n_draws=20_000, random_state=0).fit(X, Y)
    several = np.array([[0.0, 0.0], [1.0, -0.5], [-1.5, 0.3]])
    mean, covariance = posterior(several)
    # the standard errors of least squares, which it is
    leverage = 1 / len(X) + (several @ np.linalg.inv(X.T @ X) * several).sum(axis=1)
    variance = np.diag(covariance)
    found, std = flow.predict(several, return_std=True)
    assert (np.abs(found - mean) < 3 * np.sqrt(leverage[:, None] * variance)).all()
    assert (np.abs(std**2 - variance) < 3 * variance * np.sqrt(2 / len(X)) + 0.002).all()  # of the points
    draws = flow.sample_y(several[:1], 40_000, random_state=0)[0]
    assert_allclose(np.cov(draws), covariance, atol=0.02)


def test_a_flow_of_splines_comes_near_it():
    mean, covariance = posterior(X[3000:])
    truth = multivariate_normal(np.zeros(2), covariance).logpdf(Y[3000:] - mean)
    lost = truth - LINEAR.score_samples(X[3000:], Y[3000:])
    assert -3 * lost.std() / np.sqrt(len(lost)) < lost.mean() < 0.1
    found = LINEAR.predict(X[3000:3200])
    assert np.sqrt(np.square(found - mean[:200]).mean()) < 0.1


def test_a_posterior_between_bounds_is_found():
    grid = np.linspace(0.01, 1.99, 199)
    for x in (-0.5, 1.0, 2.3):
        truth = cut(x)
        assert_allclose(CUT.predict([[x]]), truth.mean(), atol=0.1)
        assert_allclose(CUT.predict_quantiles([[x]], [0.1, 0.5, 0.9])[0], truth.ppf([0.1, 0.5, 0.9]), atol=0.2)
        density = np.exp(CUT.score_samples(np.full((199, 1), x), grid))
        assert trapezoid(np.abs(density - truth.pdf(grid)), grid) / 2 < 0.15  # the distance in total variation


def test_what_x_says_nothing_about_has_one_density():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2000, 1)), rng.gamma(2.0, size=2000)
    flow = FlowRegressor(n_transforms=1, bounds=(0, np.inf), random_state=0).fit(x, y)
    at = np.full(5, 1.5)
    assert np.ptp(flow.score_samples(np.linspace(-1.5, 1.5, 5)[:, None], at)) < 0.25
    assert_allclose(flow.score_samples([[0.0]], [1.5]), np.log(1.5 * np.exp(-1.5)), atol=0.15)


# -- calibration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flow", "x", "y"),
    [(LINEAR, X[3000:], Y[3000:]), (CUT, SEEN[1500:], BOUNDED[1500:])],
    ids=["two", "between bounds"],
)
def test_it_is_calibrated(flow, x, y):
    display = SBCDisplay(ranks=sbc_ranks(flow, x[:200], y[:200], n_draws=200, random_state=0), n_draws=200)
    assert (display.p_values > 0.001).all()
    x, y = x[:500], y[:500]
    values = pit(flow, x, y, n_draws=100, random_state=0).reshape(len(x), -1)
    assert min(kstest(column, "uniform").pvalue for column in values.T) > 0.001
    allowed = 3 * np.sqrt(0.8 * 0.2 / len(x))
    assert_allclose(coverage(flow, x, y, confidence=0.8, n_draws=100, random_state=0), 0.8, atol=allowed)
    low, high = np.moveaxis(flow.predict_interval(x, confidence=0.8), -1, 0)
    assert_allclose(((low <= y) & (y <= high)).mean(axis=0), 0.8, atol=allowed)


# -- densities -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [None, (0, 2), (0, np.inf), (-np.inf, 2), (-1, 5)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_density_integrates_to_one(kind, bounds):
    low, high = (-3, 6) if bounds is None else np.clip(bounds, -3, 6)
    flow = short(kind=kind, bounds=bounds, dtype="float64")
    grid = np.linspace(low, high, 4001)[1:-1]
    density = np.exp(flow.score_samples(np.full((len(grid), 1), 1.2), grid))
    assert_allclose(trapezoid(density, grid), 1.0, atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_distributed_by_the_density(kind):
    flow = short(Y[:300], X[:300], kind=kind, hidden_layer_sizes=16, n_transforms=2, dtype="float64", max_iter=10)
    draws = flow.sample_y(X[:1], 4000, random_state=0)[0].T
    axes = [np.linspace(*np.quantile(column, [0, 1]), 25) for column in draws.T]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(flow.score_samples(np.repeat(X[:1], len(grid), axis=0), grid)).reshape(25, 25)
    cell = np.prod([axis[1] - axis[0] for axis in axes])
    assert_allclose((density * cell).sum(), 1.0, atol=0.03)
    for k in range(2):
        below = np.cumsum(density.sum(axis=1 - k)) * cell
        middle = (draws[:, k, None] <= axes[k] + (axes[k][1] - axes[k][0]) / 2).mean(axis=0)
        assert_allclose(below, middle, atol=0.04)


def test_other_units_move_the_density_by_their_volume():
    options = {"dtype": "float64", "target_scaling": "standard"}
    shift, scale = np.array([3.0, -1.0]), np.array([10.0, 0.1])
    here = short(Y[:200], X[:200], **options)
    there = short(Y[:200] * scale + shift, X[:200] * 7 - 2, **options)
    assert_allclose(
        there.score_samples(X * 7 - 2, Y * scale + shift),
        here.score_samples(X, Y) - np.log(scale).sum(),
        rtol=1e-6,
        atol=1e-6,
    )


def test_within_its_bounds_a_density_is_finite_and_beyond_them_zero():
    inside = np.array([0.0, 5e-324, 1e-300, 1e-20, 0.5, 2 - 1e-15, np.nextafter(2, 0), 2.0])
    for x in (-1e6, -0.5, 1.0, 1e6):
        assert np.isfinite(CUT.score_samples(np.full((len(inside), 1), x), inside)).all()
        assert_array_equal(CUT.score_samples([[x]] * 3, [-1e-9, 2.1, -100.0]), -np.inf)
    assert np.isfinite(LINEAR.score_samples(X[:4] * 1e4, Y[:4] * 1e4)).all()
    assert np.isfinite(LINEAR.score_samples(X[:2], [[1e300, 0.0], [-1e100, 1e200]])).all()


def test_draws_stay_within_the_bounds():
    draws = CUT.sample_y(np.array([[-1e3], [-1.0], [3.0], [1e3]]), 5000, random_state=0)
    assert (draws.min(), draws.max()) >= (0.0, 0.0)
    assert draws.max() <= 2.0
    each = short(Y[:200], X[:200], bounds=([-5, -np.inf], [5, 4]))
    drawn = each.sample_y(X[:50], 200, random_state=0)
    assert (drawn[:, 0] >= -5).all()
    assert (drawn[:, 0] <= 5).all()
    assert (drawn[:, 1] <= 4).all()


# -- what is predicted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("y", "shape"), [(BOUNDED[:200], ()), (np.c_[BOUNDED, BOUNDED**2][:200], (2,))])
def test_shapes_are_those_of_a_gaussian_process(y, shape):
    flow = short(y)
    x = SEEN[:7]
    assert flow.predict(x).shape == (7, *shape)
    assert [each.shape for each in flow.predict(x, return_std=True)] == [(7, *shape)] * 2
    assert flow.sample_y(x).shape == (7, *shape, 1)
    assert flow.sample_y(x, 4).shape == (7, *shape, 4)
    assert flow.sample_y(x, 0).shape == (7, *shape, 0)
    assert flow.predict_interval(x).shape == (7, *shape, 2)
    assert flow.predict_quantiles(x, [0.1, 0.5, 0.9]).shape == (7, *shape, 3)
    assert flow.score_samples(SEEN[:200], y).shape == (200,)


def test_mean_spread_and_quantiles_are_those_of_draws():
    for flow, x in ((CUT, SEEN[:3]), (LINEAR, X[:3])):
        draws = flow.sample_y(x, 40_000, random_state=0)
        mean, std = flow.predict(x, return_std=True)
        assert_allclose(mean, draws.mean(axis=-1), atol=0.02)
        assert_allclose(std, draws.std(axis=-1), atol=0.02)
        assert_array_equal(mean, flow.predict(x))
        levels = [0.05, 0.5, 0.95]
        assert_allclose(
            flow.predict_quantiles(x, levels), np.moveaxis(np.quantile(draws, levels, axis=-1), 0, -1), atol=0.05
        )
        assert_array_equal(flow.predict_interval(x, confidence=0.5), flow.predict_quantiles(x, [0.25, 0.75]))


def test_quantiles_of_one_output_are_exact():
    x = np.array([[0.7]])
    levels = np.array([0.001, 0.3, 0.999])
    quantiles = CUT.predict_quantiles(x, levels)[0]
    draws = CUT.sample_y(x, 200_000, random_state=0)[0]
    share = (draws[:, None] < quantiles).mean(axis=0)
    assert_allclose(share, levels, atol=4 * np.sqrt(0.25 / 200_000))


def test_more_points_say_the_same_more_precisely():
    few, many = (clone(CUT).set_params(n_draws=n) for n in (50, 5000))
    for flow in (few, many):
        vars(flow).update({name: value for name, value in vars(CUT).items() if name != "n_draws"})
    assert_allclose(few.predict(SEEN[:20]), many.predict(SEEN[:20]), atol=0.03)


def test_a_row_is_predicted_alike_in_any_company():
    for flow, x, y in ((CUT, SEEN, BOUNDED), (LINEAR, X, Y)):
        assert_allclose(flow.predict(x[:40])[7], flow.predict(x[7:8])[0], rtol=1e-12, atol=1e-12)
        scores = flow.score_samples(x[:40], y[:40])
        assert_allclose(scores[7], flow.score_samples(x[7:8], y[7:8])[0], rtol=1e-10, atol=1e-10)


def test_score_is_r2_of_the_mean():
    assert LINEAR.score(X[3000:3100], Y[3000:3100]) == r2_score(Y[3000:3100], LINEAR.predict(X[3000:3100]))
    assert CUT.score(SEEN[1500:1600], BOUNDED[1500:1600]) > 0.25


# -- drawing -------------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_same_draws_and_none_gives_others():
    before = pickle.dumps(LINEAR)
    one, same = (LINEAR.sample_y(X[:3], 5, random_state=1) for _ in range(2))
    assert_array_equal(one, same)
    assert not np.array_equal(one, LINEAR.sample_y(X[:3], 5, random_state=2))
    assert not np.array_equal(LINEAR.sample_y(X[:3], 5), LINEAR.sample_y(X[:3], 5))
    assert not np.array_equal(*LINEAR.sample_y(X[[0, 0]], 5, random_state=0))  # rows draw for themselves
    rng = np.random.RandomState(0)
    assert not np.array_equal(LINEAR.sample_y(X[:3], random_state=rng), LINEAR.sample_y(X[:3], random_state=rng))
    assert one.dtype == np.float64
    assert pickle.dumps(LINEAR) == before


# -- as an estimator -----------------------------------------------------------------------------------------------


def test_it_is_searched_piped_scored_and_kept(tmp_path):
    table = pd.DataFrame(X[:200], columns=["a", "b"])
    pipeline = make_pipeline(StandardScaler(), FlowRegressor(**SHORT))
    assert cross_val_score(pipeline, table, Y[:200], cv=2).shape == (2,)
    search = GridSearchCV(FlowRegressor(**SHORT), {"kind": ["spline", "affine"]}, cv=2).fit(X[:200], Y[:200])
    ranks = sbc_ranks(search, X[:20], Y[:20], n_draws=10, random_state=0)
    assert ranks.shape == (20, 2)
    sknn.save(CUT, tmp_path / "cut.sknn")
    loaded = sknn.load(tmp_path / "cut.sknn")
    assert_array_equal(loaded.sample_y(SEEN[:5], 3, random_state=0), CUT.sample_y(SEEN[:5], 3, random_state=0))
    assert_array_equal(loaded.score_samples(SEEN, BOUNDED), CUT.score_samples(SEEN, BOUNDED))


def test_weights_count():
    x, y = np.r_[SEEN[:300], SEEN[:300]], np.r_[BOUNDED[:300], 9 + BOUNDED[:300]]
    weight = np.repeat([1.0, 0.0], 300)
    flow = FlowRegressor(**SHORT).fit(x, y, weight)
    assert flow.predict(x).max() < 4
    assert_array_equal(flow.predict(SEEN[:9]), short(BOUNDED[:300], SEEN[:300]).predict(SEEN[:9]))


def test_repeated_values_are_named():
    whole = np.c_[BOUNDED, np.round(BOUNDED * 9)][:200]
    with pytest.warns(UserWarning, match=r"output\(s\) 1 of y hold values that are repeated.*add noise of the size"):
        short(whole)


def test_early_stopping_can_go_by_a_scorer():
    flow = short(scoring="r2", early_stopping=True, max_iter=6, learning_rate_init=0.01)
    assert len(flow.validation_scores_) == 6
    assert flow.best_validation_score_ == max(flow.validation_scores_) < 1
    twin = short(early_stopping=True, max_iter=6, learning_rate_init=0.01)
    assert_array_equal(twin.validation_scores_, -np.array(twin.validation_loss_curve_))


def test_single_precision_comes_back_in_it():
    flow = FlowRegressor(**SHORT).fit(SEEN[:200].astype(np.float32), BOUNDED[:200])
    x = SEEN[:5].astype(np.float32)
    assert flow.predict(x).dtype == flow.predict_interval(x).dtype == np.float32
    assert flow.sample_y(x).dtype == np.float64


# -- what is refused -----------------------------------------------------------------------------------------------

REFUSED = {
    "bounds of y": ({"bounds": (0, 1)}, "y has the value .* in column 0, beyond its bounds, 0 and 1"),
    "no pair": ({"bounds": (0, 1, 2)}, r"bounds=.* must be None, 'unit' or a pair \(low, high\)"),
    "crossed": ({"bounds": (2, 0)}, r"bounds=.* each low one below its high one"),
    "other outputs": ({"bounds": ([0, 0], [2, 2])}, "bounds=.* must be two numbers, or two arrays"),
    "a loss": ({"kind": "cubic"}, "The 'kind' parameter of FlowRegressor"),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        short(**params)


CALLS = {
    "negative": (lambda flow: flow.sample_y(SEEN, -1), "n_samples=-1 must be a whole number, at least 0"),
    "half": (lambda flow: flow.sample_y(SEEN, 1.5), "n_samples=1.5 must be a whole number"),
    "level": (lambda flow: flow.predict_interval(SEEN, confidence=1.0), "confidence=1.0 must be a number above 0"),
    "quantile": (lambda flow: flow.predict_quantiles(SEEN, [0.0]), r"quantiles=\[0.0\] must be a sequence of numbers"),
    "no quantile": (lambda flow: flow.predict_quantiles(SEEN, []), r"quantiles=\[\] must be a sequence of numbers"),
    "one quantile": (lambda flow: flow.predict_quantiles(SEEN, 0.5), "quantiles=0.5 must be a sequence of numbers"),
    "outputs": (lambda flow: flow.score_samples(X[:, :1], Y), r"y has shape \(4000, 2\), but the first fit had 1"),
    "lengths": (lambda flow: flow.score_samples(SEEN, BOUNDED[:3]), "inconsistent numbers of samples"),
    "features": (lambda flow: flow.predict(X), "X has 2 features, but FlowRegressor is expecting 1"),
}


@pytest.mark.parametrize(("call", "message"), CALLS.values(), ids=CALLS)
def test_what_cannot_be_asked_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(CUT)


def test_what_changed_after_the_first_fit_is_refused():
    flow = short(warm_start=True, bounds=(0, 2))
    for params in ({"bounds": (0, 3)}, {"target_scaling": "standard"}):
        with pytest.raises(ValueError, match=r"bounds or target_scaling was changed after the first fit"):
            clone_of(flow).set_params(**params).fit(SEEN[:200], BOUNDED[:200])
    with pytest.raises(ValueError, match="the parameters that shape the network were changed"):
        clone_of(flow).set_params(n_bins=5).fit(SEEN[:200], BOUNDED[:200])
    with pytest.raises(NotFittedError):
        FlowRegressor().sample_y(X)


def clone_of(fitted):
    return pickle.loads(pickle.dumps(fitted))


# -- points in place of draws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_features", [1, 2, 5, 10])
def test_even_points_stand_for_a_normal_distribution(n_features):
    points = normal_points(1000, n_features)
    assert points.shape == (1000, n_features)
    assert np.abs(points.mean(axis=0)).max() < 0.02 < 3 / np.sqrt(1000)
    assert_allclose(np.cov(points.T), np.eye(n_features) if n_features > 1 else 1, atol=0.09)
    assert kstest(points[:, 0], norm.cdf).statistic < 0.01
