"""Normalizing flows: densities that are densities, samples that come from them, both in the units of the data."""

import pickle
import warnings
from copy import deepcopy
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal, norm, poisson
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_moons
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn import NormalizingFlow

RNG = np.random.default_rng(0)
KINDS = ("spline", "affine", "glow", "autoregressive")
MOONS = make_moons(1000, noise=0.1, random_state=0)[0]
TABLE = np.c_[MOONS, np.exp(RNG.normal(size=1000)), MOONS[:, 0] + RNG.gamma(2.0, size=1000)]
SMALL = {"max_iter": 5, "hidden_layer_sizes": (16, 16), "random_state": 0}
SHORT = {"max_iter": 25, "learning_rate_init": 0.005, "random_state": 0}
BRIEF = {"max_iter": 15, "hidden_layer_sizes": (32, 32), "learning_rate_init": 0.005, "random_state": 0}
IMAGES = load_digits().images[:300]

each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


@pytest.fixture(scope="module")
def moons():
    return NormalizingFlow(**SHORT).fit(MOONS)


# -- scikit-learn ----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:column.s. .* hold values that are repeated")
@pytest.mark.filterwarnings("ignore:Got `batch_size`")
@parametrize_with_checks(
    [
        NormalizingFlow(max_iter=3, batch_size=1000, early_stopping=False, dtype="float64"),
        NormalizingFlow("glow", max_iter=3, batch_size=1000, early_stopping=False, dtype="float64"),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_it_goes_where_densities_go():
    assert cross_val_score(NormalizingFlow(**SMALL), MOONS, cv=2).shape == (2,)
    search = GridSearchCV(NormalizingFlow(**SMALL), {"kind": ["affine", "spline"], "n_bins": [4]}, cv=2).fit(MOONS)
    assert search.best_estimator_.sample(3).shape == (3, 2)
    frame = pd.DataFrame(MOONS, columns=["a", "b"])
    fitted = NormalizingFlow(**SMALL).set_output(transform="pandas").fit(frame)
    assert fitted.transform(frame).columns.tolist() == ["normalizingflow0", "normalizingflow1"]


# -- densities -----------------------------------------------------------------------------------------------------


@each_kind
def test_before_training_it_is_the_normal_density_of_scaled_data(kind):
    flow = NormalizingFlow(
        kind, max_iter=1, learning_rate_init=1e-300, input_scaling="standard", early_stopping=False
    ).fit(TABLE)
    expected = norm(TABLE.mean(axis=0), TABLE.std(axis=0)).logpdf(TABLE).sum(axis=1)
    assert_allclose(flow.score_samples(TABLE), expected, rtol=1e-6)


@each_kind
def test_a_density_integrates_to_one(kind):
    flow = NormalizingFlow(kind, **SHORT).fit(MOONS)
    grid = np.linspace(-4, 5, 400)
    x = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    assert np.exp(flow.score_samples(x)).sum() * (grid[1] - grid[0]) ** 2 == pytest.approx(1.0, abs=0.005)


def test_a_density_of_bounded_data_integrates_to_one_between_the_bounds(rng):
    x = rng.beta(0.7, 2.0, size=(1000, 1))
    flow = NormalizingFlow(bounds="unit", **SHORT).fit(x)
    edges = 1 / (1 + np.exp(-np.linspace(-25, 15, 4000)))
    middle = (edges[1:] + edges[:-1]) / 2
    assert np.exp(flow.score_samples(middle[:, None])) @ np.diff(edges) == pytest.approx(1.0, abs=0.005)
    assert_array_equal(flow.score_samples([[-0.1], [1.1]]), [-np.inf, -np.inf])


@pytest.mark.parametrize("input_scaling", ["power", "standard"])
def test_other_units_move_the_score_by_the_volume_alone(input_scaling):
    factors = np.array([1e3, 0.1, 2.0, 1.0])
    options = {**SMALL, "input_scaling": input_scaling, "dtype": "float64"}
    here = NormalizingFlow(**options).fit(TABLE).score_samples(TABLE)
    there = NormalizingFlow(**options).fit(TABLE * factors + 5.0).score_samples(TABLE * factors + 5.0)
    assert_allclose(there, here - np.log(factors).sum(), rtol=0, atol=1e-6)


def test_the_true_process_is_not_beaten(moons, rng):
    """On fresh data, by more than three standard errors."""
    cov = np.array([[1.0, 0.8], [0.8, 1.0]])
    x, fresh = rng.multivariate_normal(np.zeros(2), cov, 1000), rng.multivariate_normal(np.zeros(2), cov, 4000)
    lead = multivariate_normal(np.zeros(2), cov).logpdf(fresh) - NormalizingFlow(**SHORT).fit(x).score_samples(fresh)
    assert lead.mean() > -3 * lead.std() / np.sqrt(len(lead))
    assert lead.mean() < 0.1


def test_it_learns_what_one_gaussian_does_not(moons):
    fresh = make_moons(2000, noise=0.1, random_state=1)[0]
    assert moons.score(fresh) > GaussianMixture(1).fit(MOONS).score(fresh) + 0.7


def test_powers_help_where_tails_are_heavy(rng):
    x = rng.standard_t(1.5, size=(1500, 3))
    power, standard = (
        NormalizingFlow(input_scaling=how, **SMALL).fit(x[:1000]).score(x[1000:]) for how in ("power", "standard")
    )
    assert power > standard + 0.3


# -- noise and back ------------------------------------------------------------------------------------------------


@each_kind
def test_transform_can_be_undone_far_out_too(kind, rng):
    flow = NormalizingFlow(kind, **SHORT).fit(TABLE)
    x = np.r_[TABLE[:50], TABLE.mean(axis=0) + TABLE.std(axis=0) * rng.uniform(-50, 50, (50, 4))]
    back = flow.inverse_transform(flow.transform(x))
    assert_allclose(back, x, rtol=1e-9, atol=1e-9)


def test_noise_is_standard_normal(moons):
    z = moons.transform(make_moons(2000, noise=0.1, random_state=1)[0])
    assert_allclose(z.mean(axis=0), 0, atol=0.15)
    assert_allclose(np.cov(z.T), np.eye(2), atol=0.2)


def test_samples_have_the_moments_of_the_data(moons):
    x = moons.sample(4000, random_state=0)
    assert x.dtype == np.float64
    assert_allclose(x.mean(axis=0), MOONS.mean(axis=0), atol=0.06)
    assert_allclose(np.cov(x.T), np.cov(MOONS.T), atol=0.06)


def test_a_classifier_does_not_tell_samples_from_data():
    """Half of its answers are right if there is nothing to tell."""
    data, other = (make_moons(1500, noise=0.1, random_state=k)[0] for k in (1, 2))
    drawn = NormalizingFlow(max_iter=60, random_state=0).fit(data).sample(1500, random_state=0)
    told = cross_val_score(KNeighborsClassifier(20), np.r_[other, drawn], np.repeat([0, 1], 1500), cv=StratifiedKFold())
    assert told.mean() < 0.55


def test_sampling_leaves_the_estimator_as_it_was(moons):
    before = pickle.dumps(moons)
    first = moons.sample(10, random_state=3)
    assert_array_equal(moons.sample(10, random_state=3), first)
    assert (moons.sample(10) != moons.sample(10)).all()
    assert pickle.dumps(moons) == before
    assert moons.sample(0).shape == (0, 2)


def test_samples_stay_within_their_bounds(rng):
    x = np.c_[rng.uniform(size=500), rng.exponential(size=500) - 1]
    flow = NormalizingFlow(bounds=([0, -1], [1, np.inf]), **SMALL).fit(x)
    drawn = flow.sample(5000, random_state=0)
    assert ((drawn >= [0, -1]) & (drawn <= [1, np.inf])).all()
    assert np.isfinite(flow.score_samples(drawn)).all()


def test_every_fit_keeps_to_the_bounds(rng):
    x = rng.uniform(0, 1, (200, 2))
    flow = NormalizingFlow(bounds="unit", warm_start=True, **SMALL).fit(x)
    beyond = "X has the value .* beyond its bounds, 0 and 1"
    with pytest.raises(ValueError, match=beyond):
        flow.partial_fit(3 * x)
    with pytest.raises(ValueError, match=beyond):
        flow.fit(3 * x)
    with pytest.raises(ValueError, match=f"in the validation data .*{beyond}"):
        flow.fit(x, X_val=3 * x)
    counts = (np.arange(200) > 0).astype(float)
    flow.fit(np.where(counts[:, None], x, 7.0), sample_weight=counts)
    for option in ({"bounds": (0, 2)}, {"bounds": None}, {"dequantize": True}):
        with pytest.raises(ValueError, match=f"{next(iter(option))} was changed after the first fit"):
            deepcopy(flow).set_params(**option).fit(x)


def test_values_on_their_bounds_are_taken():
    """As after a MinMaxScaler."""
    x = MinMaxScaler().fit_transform(MOONS)
    flow = NormalizingFlow(bounds="unit", **SMALL).fit(x)
    assert np.isfinite(flow.score_samples(x)).all()
    inside = ((x > 0) & (x < 1)).all(axis=1)
    assert_allclose(flow.inverse_transform(flow.transform(x[inside])), x[inside], rtol=1e-8)


# -- conditions ----------------------------------------------------------------------------------------------------


@each_kind
def test_a_condition_that_tells_nothing_changes_nothing(kind, rng):
    x, fresh = (make_moons(2000, noise=0.3, random_state=k)[0] for k in range(2))
    y, y_fresh = rng.normal(size=(2, 2000))
    free = NormalizingFlow(kind, **BRIEF).fit(x).score(fresh)
    under = NormalizingFlow(kind, conditional=True, **BRIEF).fit(x, y).score(fresh, y_fresh)
    assert under == pytest.approx(free, abs=0.05)


def test_a_linear_gaussian_is_learnt_under_its_condition(rng):
    y = rng.normal(size=3000)
    x = 2 * y[:, None] + [1.0, -1.0] + 0.5 * rng.normal(size=(3000, 2))
    flow = NormalizingFlow("affine", conditional=True, **SHORT).fit(x, y)
    drawn = flow.sample(4000, y=1.0, random_state=0)
    assert_allclose(drawn.mean(axis=0), [3, 1], atol=0.12)
    assert_allclose(np.cov(drawn.T), 0.25 * np.eye(2), atol=0.08)
    at = flow.score_samples(x[:5], y=y[:5])
    assert_allclose(at, norm(2 * y[:5, None] + [1, -1], 0.5).logpdf(x[:5]).sum(axis=1), atol=0.5)


def test_classes_are_conditions_too():
    X, y = load_iris(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flow = NormalizingFlow(conditional=True, dequantize=True, **SHORT).fit(X, y)
    means = [flow.sample(200, y=k, random_state=0)[:, 2].mean() for k in range(3)]
    assert all(a < b for a, b in pairwise(means))
    scores = np.stack([flow.score_samples(X, y=k) for k in range(3)], axis=1)
    assert (scores.argmax(axis=1) == y).mean() > 0.9


def test_noise_under_conditions_goes_back_under_the_same():
    x, y = make_moons(300, noise=0.1, random_state=0)
    flow = NormalizingFlow(conditional=True, **SMALL)
    z = flow.fit_transform(x, y)
    assert_allclose(flow.inverse_transform(z, y), x, rtol=0, atol=1e-8)
    assert (flow.transform(x, 1 - y) != z).any(axis=1).all()


# -- ties ----------------------------------------------------------------------------------------------------------


def test_columns_with_repeated_values_are_named(rng):
    frame = pd.DataFrame({"real": rng.normal(size=200), "rounded": rng.normal(size=200).round(1), "count": 0.0})
    frame["count"] = rng.poisson(3.0, 200)
    with pytest.warns(UserWarning, match=r"column\(s\) rounded, count hold values that are repeated"):
        NormalizingFlow(**SMALL).fit(frame)


def test_spread_values_are_scored_by_their_probability(rng):
    """Cells have size one, so the mean density in a cell is the probability of the count."""
    x = rng.poisson(4.0, (3000, 1)).astype(float)
    flow = NormalizingFlow(dequantize=True, **SHORT).fit(x)
    assert_array_equal(flow.spacing_, [1.0])
    counts = np.arange(12.0)
    assert_allclose(np.exp(flow.score_samples(counts[:, None])), poisson(4.0).pmf(counts), atol=0.03)
    drawn = flow.sample(4000, random_state=0)
    assert_array_equal(drawn, drawn.round())
    assert_allclose(np.bincount(drawn.ravel().astype(int).clip(0, 11)) / 4000, poisson(4.0).pmf(counts), atol=0.04)


def test_a_row_scores_the_same_wherever_it_stands(rng):
    x = np.c_[rng.poisson(4.0, (300, 2)), rng.normal(size=300)].astype(float)
    flow = NormalizingFlow(dequantize=True, **SMALL).fit(x)
    scores = flow.score_samples(x)
    rows = rng.permutation(300)[:40]
    assert_allclose(flow.score_samples(x[rows]), scores[rows], rtol=0, atol=1e-9)


def test_a_column_that_nearly_always_has_one_value_can_be_spread(rng):
    x = np.c_[rng.normal(size=400), np.arange(400) == 7, np.zeros(400)]
    for bounds in (None, ([-np.inf, -0.5, -0.5], [np.inf, 1.5, 0.5])):
        flow = NormalizingFlow(dequantize=True, bounds=bounds, **SMALL).fit(x)
        assert flow.score(np.delete(x, 7, axis=0)) > norm.logpdf(x[:, 0]).mean() - 1.0


# -- images --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["spline", "affine", "glow"])
def test_images_come_and_go_in_their_shape(kind):
    options = {"filters": (8, 8), "n_transforms": 2, "dequantize": True, "max_iter": 3, "random_state": 0}
    rows = NormalizingFlow(kind, input_shape=(8, 8, 1), **options).fit(IMAGES.reshape(-1, 64))
    images = NormalizingFlow(kind, **options).fit(IMAGES[..., None])
    assert rows.sample(3).shape == (3, 64)
    assert images.sample(3).shape == (3, 8, 8, 1)
    assert_allclose(rows.sample(3, random_state=0).ravel(), images.sample(3, random_state=0).ravel())
    assert_allclose(images.inverse_transform(images.transform(IMAGES[:5, ..., None])), IMAGES[:5, ..., None], atol=1e-8)
    assert rows.transform(IMAGES[:5].reshape(-1, 64)).shape == (5, 64)


def test_images_are_learnt_better_than_as_if_pixels_were_alone():
    options = {"filters": (16, 16), "dequantize": True, "bounds": (0, 16), "max_iter": 20, "random_state": 0}
    flow = NormalizingFlow("affine", **options).fit(IMAGES[:250, ..., None])
    start = clone(flow).set_params(learning_rate_init=1e-300, max_iter=1).fit(IMAGES[:250, ..., None])
    assert flow.score(IMAGES[250:, ..., None]) > start.score(IMAGES[250:, ..., None]) + 5
    drawn = flow.sample(5, random_state=0)
    assert ((drawn >= 0) & (drawn <= 16)).all()


# -- fitting -----------------------------------------------------------------------------------------------


def test_a_warm_start_keeps_its_parameters():
    flow = NormalizingFlow(warm_start=True, **SMALL).fit(MOONS)
    before = flow.score(MOONS)
    assert flow.fit(MOONS).score(MOONS) > before
    with pytest.raises(ValueError, match="the parameters that shape the network were changed"):
        flow.set_params(n_bins=4).fit(MOONS)


def test_weights_count_as_often_as_they_say():
    weight = np.where(MOONS[:, 1] > 0.25, 1.0, 0.0)
    flow = NormalizingFlow(**SHORT).fit(MOONS, sample_weight=weight)
    assert flow.sample(500, random_state=0)[:, 1].mean() > MOONS[MOONS[:, 1] > 0.25, 1].mean() - 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_tells_the_layers(kind):
    flow = NormalizingFlow(kind, n_transforms=2, **SMALL).fit(MOONS)
    table = flow.summary()
    assert (
        table["layer"].str.partition("(")[0].tolist()
        == {
            "spline": ["Mixing", "Coupling", "Coupling"],
            "affine": ["Coupling", "Coupling"],
            "glow": ["Mixing", "Coupling"] * 2,
            "autoregressive": ["Autoregressive"] * 2,
        }[kind]
    )
    assert table["parameters"].sum() == flow.network_.n_parameters
    assert flow.n_layers_ > 3


# -- what is refused -----------------------------------------------------------------------------------------------


REFUSALS = {
    "beyond a bound": ({"bounds": (0, 1)}, MOONS, "X has the value .* in column 0, beyond its bounds, 0 and 1"),
    "bounds of another shape": ({"bounds": ([0, 0, 0], 1)}, MOONS, r"two arrays of the shape \(2,\)"),
    "one bin": ({"n_bins": 1}, MOONS, "'n_bins' parameter .* must be an int in the range"),
    "no kind": ({"kind": "planar"}, MOONS, "'kind' parameter"),
    "a shape of rows": (
        {"input_shape": (8, 8, 1)},
        MOONS,
        "input_shape=.* is for convolutional networks: give filters",
    ),
    "no filters": ({"filters": ()}, IMAGES[..., None], r"filters=\(\) must hold a positive integer for each"),
    "negative filters": ({"filters": (4, -1)}, IMAGES[..., None], r"filters=\(4, -1\) must hold a positive integer"),
    "sides that are odd": ({"filters": 4}, np.zeros((5, 7, 8, 1)), "sides must be even"),
    "images value by value": ({"filters": 4, "kind": "autoregressive"}, IMAGES[..., None], "kind='autoregressive' is"),
    "no units": ({"hidden_layer_sizes": (0,)}, MOONS, "hidden_layer_sizes must be > 0"),
}


@pytest.mark.filterwarnings("ignore:column.s. .* hold values that are repeated")
@pytest.mark.parametrize(("options", "x", "message"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_refused(options, x, message):
    with pytest.raises(ValueError, match=message):
        NormalizingFlow(**options).fit(x)


def test_noise_of_another_width_is_refused(moons):
    with pytest.raises(ValueError, match="Z has 3 columns, but the flow makes 2 numbers of a sample"):
        moons.inverse_transform(np.zeros((1, 3)))
