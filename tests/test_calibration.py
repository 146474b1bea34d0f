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
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state

from sknn.inspection import CoverageDisplay, PITDisplay, SBCDisplay, coverage, draws, pit, sbc_ranks

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


# -- what may be given ---------------------------------------------------------------------------------------------


def test_the_same_random_state_says_the_same():
    for says in (sbc_ranks, pit, coverage):
        assert_array_equal(says(RIGHT, X, Y, random_state=0), says(RIGHT, X, Y, random_state=0))
        assert not np.array_equal(says(RIGHT, X, Y), says(RIGHT, X, Y))


def test_blocks_of_samples_are_ranked_alike(monkeypatch):
    whole = sbc_ranks(RIGHT, SEVERAL, Y_SEVERAL, n_draws=10, random_state=0)
    monkeypatch.setattr(draws, "LARGEST", 3 * 10 * 7)  # the numbers of seven samples
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
