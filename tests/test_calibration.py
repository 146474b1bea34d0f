"""Calibration: ranks, coverage and integral transform, by hand and of models that are right, or wrong in known ways."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state

from sknn import MLPRegressor
from sknn import pipeline as of_pipelines
from sknn.inspection import (
    CoverageDisplay,
    ErrorUncertaintyDisplay,
    PITDisplay,
    SBCDisplay,
    coverage,
    pit,
    sbc_ranks,
)

matplotlib.use("Agg")


class Normal(RegressorMixin, BaseEstimator):
    """p(y | x) = N(x + shift, spread); right for y = x + N(0, 1) if nothing is said."""

    def __init__(self, spread=1.0, shift=0.0):
        self.spread, self.shift = spread, shift

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]

    def sample_y(self, X, n_samples, random_state=None):
        rng = check_random_state(random_state)
        mean = np.asarray(X) + self.shift
        drawn = mean[..., None] + self.spread * rng.normal(size=(*mean.shape, n_samples))
        return drawn[:, 0] if mean.shape[1] == 1 else drawn


class Fixed(BaseEstimator):
    """What it draws is the same for every sample."""

    def __init__(self, drawn):
        self.drawn = drawn

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def sample_y(self, X, n_samples, random_state=None):
        return np.tile(self.drawn, (len(X), 1))


class Intervals(BaseEstimator):
    """It predicts intervals alone: those of N(x, 1)."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict_interval(self, X, confidence):
        return X[..., None] + norm.interval(confidence)


RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 1))
Y = (X + RNG.normal(size=X.shape))[:, 0]
SEVERAL = RNG.normal(size=(400, 3))
Y_SEVERAL = SEVERAL + RNG.normal(size=SEVERAL.shape)
RIGHT = Normal().fit(X, Y)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


# -- by hand -------------------------------------------------------------------------------------------------------


def test_a_rank_is_the_number_of_smaller_draws():
    model = Fixed(np.array([3.0, 1.0, 2.0, 4.0])).fit(X, Y)
    truth = np.array([0.0, 1.5, 2.5, 9.0])
    assert_array_equal(sbc_ranks(model, np.zeros((4, 1)), truth, n_draws=4), [0, 1, 2, 4])
    place = pit(model, np.zeros((4, 1)), truth, n_draws=4)
    assert_array_equal(np.floor(5 * place), [0, 1, 2, 4])


def test_equal_values_are_ordered_at_random():
    model = Fixed(np.array([1.0, 2.0, 2.0, 3.0])).fit(X, Y)
    ranks = sbc_ranks(model, np.zeros((300, 1)), np.full(300, 2.0), n_draws=4)
    assert_array_equal(np.unique(ranks), [1, 2, 3])


def test_given_intervals_are_counted():
    truth = np.array([[-2.0], [-0.5], [0.0], [0.6], [5.0]])
    x, model = np.zeros_like(truth), Intervals().fit(X, Y)
    shares = coverage(model, x, truth, confidence=[0.5, 0.9])  # ends at 0.674 and 1.645
    assert_array_equal(shares, [[3 / 5], [3 / 5]])
    assert_array_equal(coverage(model, x, truth, confidence=0.99), [4 / 5])


def test_errors_are_told_of_bins_in_order_of_uncertainty():
    truth, predicted, std = [0.0, 4.0, 0.0, 3.0], [1.0, 1.0, 1.0, 3.0], [2.0, 4.0, 1.0, 3.0]
    display = ErrorUncertaintyDisplay.from_predictions(truth, predicted, std, n_bins=2)
    assert_allclose(display.uncertainty, np.sqrt([(1 + 4) / 2, (9 + 16) / 2]))
    assert_allclose(display.error, np.sqrt([1, 9 / 2]))
    assert display.n_samples == 2
    x, y = display.lines_["y 0"].get_data()
    assert_array_equal([x, y], [display.uncertainty, display.error])
    low, high = display.band_.get_paths()[0].vertices[:, 1].min(), display.band_.get_paths()[0].vertices[:, 1].max()
    assert low == 0
    # of two squares: -2 log(0.005) is the 99.5 % quantile of chi-square
    assert_allclose(high, np.sqrt(-np.log(0.005)) * 1.05 * display.uncertainty.max())


def test_intervals_between_quantiles_are_counted():
    network = MLPRegressor((), loss="quantile", quantile=[0.1, 0.5, 0.9], max_iter=20, tol=1.0, n_iter_no_change=2)
    network.fit(X, Y)
    low, _, high = network.predict_quantiles(X).T
    assert coverage(network, X, Y, confidence=0.8) == np.mean((low <= Y) & (high >= Y))
    with pytest.raises(AttributeError, match=r"no quantiles 0\.25 and 0\.75"):
        coverage(network, X, Y, confidence=0.5)


def test_two_models_in_the_same_axes_are_both_in_view():
    display = ErrorUncertaintyDisplay(uncertainty=[1.0, 9.0], error=[1.0, 2.0], n_samples=50).plot()
    ErrorUncertaintyDisplay(uncertainty=[1.0, 2.0], error=[1.0, 30.0], n_samples=50).plot(ax=display.ax_)
    assert display.ax_.get_xlim()[1] > 9
    assert display.ax_.get_ylim()[1] > 30


# -- models that are right, or wrong in known ways -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y"), [(X, Y), (X, Y[:, None]), (SEVERAL, Y_SEVERAL)], ids=["one", "a column", "several"]
)
def test_a_model_that_is_right_is_calibrated(x, y):
    options = {"random_state": 0, "n_draws": 200}
    ranks, values = sbc_ranks(RIGHT, x, y, **options), pit(RIGHT, x, y, **options)
    assert ranks.shape == values.shape == y.shape
    assert ranks.dtype.kind == "i"
    assert (SBCDisplay(ranks=ranks, n_draws=200).p_values > 0.01).all()
    assert (PITDisplay(values=values).p_values > 0.01).all()
    assert_allclose(coverage(RIGHT, x, y, confidence=[0.5, 0.9], **options)[0], 0.5, atol=0.07)
    assert_allclose(coverage(RIGHT, x, y, confidence=0.9, **options), 0.9, atol=0.04)


WRONG = {  # what it says of N(x, 1), and where ranks are too many: lowest fifth, middle, highest
    "too narrow": (Normal(0.4), [2, 0.5, 2]),
    "too wide": (Normal(2.5), [0.4, 2, 0.4]),
    "too high": (Normal(1.0, 1.0), [2.5, 0.7, 0.3]),
}


@pytest.mark.parametrize(("model", "excess"), WRONG.values(), ids=WRONG)
def test_a_model_that_is_wrong_is_found_out(model, excess):
    model.fit(X, Y)
    display = SBCDisplay.from_estimator(model, X, Y, n_draws=99, random_state=0)
    counts = np.histogram(display.ranks, bins=5, range=(0, 100))[0] / 80
    assert_allclose(counts[[0, 2, 4]], excess, atol=0.5)
    assert display.p_values[0] < 1e-6
    assert PITDisplay.from_estimator(model, X, Y, random_state=0).p_values[0] < 1e-6
    inside = norm.cdf(np.array([-1, 1]) * 1.645 * model.spread + model.shift) @ [-1, 1]
    assert_allclose(coverage(model, X, Y, confidence=0.9, random_state=0), inside, atol=0.05)


def test_a_gaussian_process_that_knows_its_kernel_is_calibrated():
    x = np.random.default_rng(1).uniform(-3, 3, (150, 1))
    truth = GaussianProcessRegressor(RBF() + WhiteKernel(0.1)).sample_y(x, 2, random_state=0)
    model = GaussianProcessRegressor(RBF() + WhiteKernel(0.1), optimizer=None).fit(x[:30], truth[:30])
    display = SBCDisplay.from_estimator(model, x[30:], truth[30:], random_state=0)
    assert (display.p_values > 0.001).all()


def test_a_standard_deviation_is_that_of_a_normal_distribution():
    ridge = make_pipeline(FunctionTransformer(), BayesianRidge()).fit(X, Y)
    x = RNG.normal(size=(2000, 1))
    y = x[:, 0] + RNG.normal(size=2000)
    mean, std = ridge.predict(x, return_std=True)
    u = pit(ridge, x, y, random_state=0)
    assert_allclose(u, norm.cdf((y - mean) / std), atol=0.07)
    assert_allclose(coverage(ridge, x, y, confidence=0.9, random_state=0), 0.9, atol=0.03)
    assert (SBCDisplay.from_estimator(ridge, x, y, random_state=0).p_values > 0.001).all()


def test_errors_of_calibrated_predictions_are_as_large_as_predicted():
    std = RNG.uniform(0.5, 4, (3000, 2))
    truth = RNG.normal(0, std * [1.0, 2.0])
    display = ErrorUncertaintyDisplay.from_predictions(pd.DataFrame(truth, columns=["a", "b"]), 0 * truth, std)
    assert_allclose(display.error / display.uncertainty, np.tile([1.0, 2.0], (10, 1)), rtol=0.15)
    assert list(display.lines_) == ["a", "b"]


# -- what may be given ---------------------------------------------------------------------------------------------


def test_the_same_random_state_says_the_same():
    for says in (sbc_ranks, pit, coverage):
        assert_array_equal(says(RIGHT, X, Y, random_state=0), says(RIGHT, X, Y, random_state=0))
        assert not np.array_equal(says(RIGHT, X, Y), says(RIGHT, X, Y))


def test_blocks_of_samples_are_ranked_alike(monkeypatch):
    whole = sbc_ranks(RIGHT, SEVERAL, Y_SEVERAL, n_draws=10, random_state=0)
    monkeypatch.setattr(of_pipelines, "LARGEST", 3 * 10 * 7)  # the numbers of seven samples
    blocks = sbc_ranks(RIGHT, SEVERAL, Y_SEVERAL, n_draws=10, random_state=0)
    assert blocks.shape == whole.shape
    assert (SBCDisplay(ranks=blocks, n_draws=10).p_values > 0.001).all()


def test_a_pipeline_and_a_search_stand_for_the_estimator_in_them():
    doubled = FunctionTransformer(lambda x: x * 2)
    pipeline = make_pipeline(doubled, GridSearchCV(Normal(), {"spread": [1.0]}, cv=2)).fit(X / 2, Y)
    assert_array_equal(sbc_ranks(pipeline, X / 2, Y, random_state=0), sbc_ranks(RIGHT, X, Y, random_state=0))
    table = pd.DataFrame(X / 2, columns=["a"])
    assert_array_equal(pit(pipeline, table, Y, random_state=0), pit(RIGHT, X, Y, random_state=0))


says_so = pytest.mark.parametrize("says", [sbc_ranks, pit, coverage])


@says_so
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_draws": 0}, "n_draws=0 must be a whole number, at least 1"),
        ({"n_draws": 1.5}, "n_draws=1.5 must be a whole number"),
        ({"y": Y_SEVERAL}, r"y has 3 column\(s\), but the estimator draws 1 for a sample"),
        ({"y": Y[:10]}, "inconsistent numbers of samples"),
        ({"y": np.where(Y > 1, np.nan, Y)}, "y contains NaN; leave out samples"),
        ({"X": X[:0], "y": Y[:0]}, "y holds no samples"),
        ({"y": np.full(len(X), "a")}, "y must be numbers: could not convert"),
        ({"y": 1.0}, r"y must have shape \(n_samples,\) or \(n_samples, n_outputs\), got \(\)"),
    ],
    ids=["no draws", "half a draw", "other outputs", "other samples", "nan", "no samples", "words", "a number"],
)
def test_errors(says, options, message):
    with pytest.raises(ValueError, match=message):
        says(RIGHT, **{"X": X, "y": Y, **options})


@says_so
def test_what_draws_nothing_is_refused(says):
    with pytest.raises(TypeError, match=r"LinearRegression\(\) has no sample_y"):
        says(LinearRegression().fit(X, Y), X, Y)
    with pytest.raises(NotFittedError):
        says(Normal(), X, Y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y_std": -np.ones(3)}, "y_std must lie between 0 and inf, got -1 to -1"),
        ({"y_pred": np.zeros(2)}, r"must have one shape, got \(3,\) and \(2,\) and \(3,\)"),
        ({"n_bins": 4}, "n_bins=4 must be a whole number from 1 to the 3 samples"),
        ({"n_bins": 0}, "n_bins=0 must be a whole number"),
        ({"y_true": [0.0, np.nan, 1.0]}, "y contains NaN"),
    ],
)
def test_errors_and_uncertainties_go_together(arguments, message):
    given = {"y_true": np.zeros(3), "y_pred": np.zeros(3), "y_std": np.ones(3), "n_bins": 2} | arguments
    with pytest.raises(ValueError, match=message):
        ErrorUncertaintyDisplay.from_predictions(**given)


def test_without_a_standard_deviation_there_is_no_uncertainty():
    with pytest.raises(TypeError, match=r"LinearRegression\(\) has no predict\(X, return_std=True\)"):
        ErrorUncertaintyDisplay.from_estimator(LinearRegression().fit(X, Y), X, Y)


@pytest.mark.parametrize("confidence", [0, 1.0, [0.5, 2], [[0.5]], []])
def test_levels_lie_between_0_and_1(confidence):
    with pytest.raises(ValueError, match=r"confidence=.* must be a level between 0 and 1"):
        coverage(RIGHT, X, Y, confidence=confidence)


# -- what is drawn -------------------------------------------------------------------------------------------------


def test_ranks_are_counted_against_those_expected():
    display = SBCDisplay(ranks=np.repeat(np.arange(5), [10, 10, 20, 0, 10]), n_draws=4).plot(n_bins=5)
    (line,) = display.lines_.values()
    assert_allclose(line.get_data().values, [1, 1, 2, 0, 1])
    assert_allclose(line.get_data().edges, np.arange(6) - 0.5)
    few = SBCDisplay(ranks=np.arange(100), n_draws=99).plot().lines_["y 0"].get_data()
    assert_allclose(few.values, 1)
    assert len(few.values) == 5  # of twenty ranks each


def test_the_transform_is_drawn_as_a_difference_from_a_uniform_one():
    display = PITDisplay(values=np.array([0.8, 0.3])).plot()
    x, y = display.lines_["y 0"].get_data()
    assert_allclose(x, [0, 0.3, 0.3, 0.8, 0.8, 1, 1])
    assert_allclose(y, [0, -0.3, 0.2, -0.3, 0.2, 0, 0], atol=1e-12)


def test_coverage_is_drawn_against_the_level():
    display = CoverageDisplay.from_estimator(RIGHT, X, Y, confidence=[0.2, 0.7], random_state=0)
    assert_array_equal(display.lines_["y 0"].get_xdata(), [0.2, 0.7])
    assert_array_equal(display.lines_["y 0"].get_ydata(), coverage(RIGHT, X, Y, confidence=[0.2, 0.7], random_state=0))


@pytest.mark.parametrize("Display", [SBCDisplay, PITDisplay, CoverageDisplay])
def test_outputs_are_named(Display):
    table = pd.DataFrame(Y_SEVERAL, columns=["mass", "age", "depth"])
    display = Display.from_estimator(RIGHT, SEVERAL, table, random_state=0, linewidth=3)
    assert list(display.lines_) == ["mass", "age", "depth"]
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["mass", "age", "depth"]
    assert display.lines_["age"].get_linewidth() == 3
    numbered = Display.from_estimator(RIGHT, SEVERAL, Y_SEVERAL, random_state=0)
    assert list(numbered.lines_) == ["y 0", "y 1", "y 2"]
    assert Display.from_estimator(RIGHT, X, Y).ax_.get_legend() is None
    with pytest.raises(ValueError, match=r"names=\['a'\] must name 3 outputs"):
        Display.from_estimator(RIGHT, SEVERAL, Y_SEVERAL, names=["a"])


NONSENSE = {
    "a rank too high": (SBCDisplay(ranks=[5, 200], n_draws=100), "ranks must lie between 0 and 100, got 5 to 200"),
    "half a rank": (SBCDisplay(ranks=[0.5, 2], n_draws=100), "ranks must be whole numbers"),
    "no ranks": (SBCDisplay(ranks=[], n_draws=10), r"ranks must have shape .*, got \(0,\)"),
    "no probability": (PITDisplay(values=[-1, 2]), "values must lie between 0 and 1, got -1 to 2"),
    "a word": (PITDisplay(values=["a"]), "values must be numbers: could not convert"),
    "more errors": (
        ErrorUncertaintyDisplay(uncertainty=[1.0], error=[1.0, 2.0], n_samples=3),
        r"uncertainty of shape \(1, 1\), error of shape \(2, 1\) and n_samples=3",
    ),
    "more shares": (
        CoverageDisplay(confidence=[0.5], shares=[0.5, 0.6], n_samples=10),
        "2 shares, 1 levels in confidence",
    ),
    "no samples": (CoverageDisplay(confidence=[0.5], shares=[0.5], n_samples=0), "n_samples=0: there must be"),
}


@pytest.mark.parametrize(("display", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_not_drawn(display, message):
    with pytest.raises(ValueError, match=message):
        display.plot()
    assert not plt.get_fignums()
