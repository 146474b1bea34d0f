"""What comes before a density: bounds, powers, ties."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kurtosis, skew, yeojohnson

from sknn.template.bounds import Bounds, read_bounds
from sknn.template.power import PowerScaling, bent, straightened
from sknn.template.ties import Spread, places, spacings

RNG = np.random.default_rng(0)
X = np.c_[RNG.normal(size=2000), RNG.gamma(3.0, size=2000), RNG.uniform(-1, 2, 2000), -RNG.weibull(2.0, 2000)]
BOUNDS = {
    "both": (Bounds(-3.0, 5.0), RNG.uniform(-3, 5, (50, 2))),
    "below": (Bounds(-3.0, np.inf), RNG.exponential(size=(50, 2)) - 3),
    "above": (Bounds(-np.inf, [1.0, 2.0]), 1 - RNG.exponential(size=(50, 2))),
    "none": (Bounds(-np.inf, np.inf), RNG.normal(size=(50, 2))),
    "of each its own": (Bounds([0.0, -np.inf, 0.0], [np.inf, 0.0, 1.0]), RNG.uniform(0, 1, (50, 3)) * [1, -1, 1]),
}


def log_slopes(function, x, step=1e-6):
    return np.log((function(x + step) - function(x - step)) / (2 * step))


@pytest.fixture
def rng():
    return np.random.default_rng(1)


# -- bounds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bounds", "x"), BOUNDS.values(), ids=BOUNDS)
def test_bounds_can_be_taken_away_and_given_back(bounds, x):
    assert_allclose(bounds.inverse(bounds(x)), x, rtol=1e-12, atol=1e-12)
    assert_allclose(bounds.log_slopes(x), log_slopes(bounds, x), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", BOUNDS)
def test_nothing_gets_beyond_the_bounds(name):
    bounds = BOUNDS[name][0]
    x = bounds.inverse(np.linspace(-1e3, 1e3, 41)[:, None] * np.ones(bounds.low.shape or (2,)))
    assert ((bounds.low <= x) & (x <= bounds.high)).all()


def test_beyond_the_bounds_there_is_no_density():
    assert_array_equal(Bounds(0.0, 1.0).log_slopes(np.array([-0.1, 1.1])), [-np.inf, -np.inf])
    assert np.isfinite(Bounds(0.0, 1.0).log_slopes(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ("units", "bounds='units' must be None, 'unit' or a pair"),
        (3.0, r"bounds=3.0 must be None, 'unit' or a pair"),
        ((1.0, 0.0), r"must be numbers, each low one below its high one"),
        ((np.nan, 0.0), r"must be numbers, each low one below its high one"),
        ((np.zeros(3), 1.0), r"two arrays of the shape \(2,\) of a sample"),
        (("a", "b"), r"must be two numbers"),
    ],
)
def test_what_bounds_may_be(bounds, message):
    with pytest.raises(ValueError, match=message):
        read_bounds(bounds, (2,))


def test_values_on_a_bound_count_as_half_as_far_off_as_the_nearest():
    x = np.array([[0.0, 1e-15], [0.5, 2e-15], [1.0, 0.0]])
    bounds = Bounds(0.0, [1.0, np.inf]).beside(x)
    assert_allclose(bounds.inverse(bounds(x)), [[0.2, 1e-15], [0.5, 2e-15], [0.8, 5e-16]])  # 0.2 / 0.8 = 0.25 / 1
    assert bounds == Bounds(0.0, [1.0, np.inf])


def test_the_unit_interval_has_a_name():
    x = np.array([[0.2, 0.9]])
    assert_array_equal(read_bounds("unit", (2,))(x), read_bounds(([0, 0], 1), (2,))(x))
    assert read_bounds(None, (2,)) is None


# -- powers --------------------------------------------------------------------------------------------------------


def test_powers_are_those_of_yeo_and_johnson_where_one_says_the_other():
    for power in (0.0, 0.3, 1.0, 1.7, 2.0):
        powers = np.array([[2 - power], [power]]) * np.ones(4)
        y = bent(X, powers)
        assert_allclose(y, yeojohnson(X.ravel(), power).reshape(X.shape), rtol=1e-12)
        assert_allclose(straightened(y, powers), X, rtol=1e-12)


def test_skewness_and_heavy_tails_are_mended():
    rng = np.random.default_rng(1)
    x = np.c_[rng.lognormal(size=5000), rng.standard_t(2.0, size=5000)]
    z = PowerScaling(x)(x)
    assert (skew(x)[0], kurtosis(x)[1]) > (5, 20)
    assert (np.abs(skew(z)) < 1.0).all()
    assert (np.abs(kurtosis(z)) < 1.5).all()


def test_powers_have_the_largest_likelihood():
    scaling = PowerScaling(X)
    best = likelihood(scaling, scaling.powers)
    assert (best >= likelihood(scaling, np.ones((2, 4))) - 1e-4).all()
    for side in range(2):
        for step in (-0.05, 0.05):
            other = scaling.powers.copy()
            other[side] = np.clip(other[side] + step, 0, 2)
            assert (best >= likelihood(scaling, other) - 1e-4).all()


def likelihood(scaling, powers):
    """Of a normal distribution of the bent columns, but for constants."""
    x = scaling.first(X)
    slopes = (np.where(x < 0, *powers) - 1) * np.log1p(np.abs(x))
    return slopes.mean(axis=0) - 0.5 * np.log(bent(x, powers).var(axis=0))


def test_a_power_never_leaves_what_can_be_undone(rng):
    """Below 0 a power has a largest value, and nothing would come back from beyond it."""
    scaling = PowerScaling(rng.lognormal(sigma=3.0, size=(500, 2)) * [1, -1])
    assert ((scaling.powers >= 0) & (scaling.powers <= 2)).all()
    assert np.isfinite(scaling.inverse(np.array([[-9.0, -9.0], [9.0, 9.0]]))).all()


@pytest.mark.parametrize("kind", ["power", "standard", None])
@pytest.mark.parametrize("bounds", [None, Bounds([-9, 0, -1, -9], [9, np.inf, 2, 0])], ids=["free", "bounded"])
def test_a_scaling_can_be_undone_and_knows_its_volume(kind, bounds):
    scaling = PowerScaling(X, kind=kind, bounds=bounds)
    z = scaling(X)
    assert_allclose(scaling.inverse(z), X, rtol=0, atol=1e-10)
    assert_allclose(scaling.log_volume(X[:9]), log_slopes(scaling, X[:9]).sum(axis=1), rtol=0, atol=1e-3)
    if kind is not None:
        assert_allclose([z.mean(axis=0), z.std(axis=0)], [np.zeros(4), np.ones(4)], atol=1e-10)
    assert scaling(X.astype(np.float32)).dtype == np.float32


def test_other_units_change_the_volume_alone():
    here, there = PowerScaling(X), PowerScaling(1e3 * X + 7)
    assert_allclose(there(1e3 * X + 7), here(X), rtol=0, atol=1e-7)
    assert_allclose(there.log_volume(1e3 * X + 7), here.log_volume(X) - 4 * np.log(1e3), rtol=0, atol=1e-7)


def test_a_weight_of_two_is_a_sample_seen_twice(rng):
    weight = rng.integers(0, 3, len(X)).astype(float)
    weighted, repeated = PowerScaling(X, weight), PowerScaling(np.repeat(X, weight.astype(int), axis=0))
    assert_allclose(weighted(X[:5]), repeated(X[:5]), rtol=0, atol=1e-4)


def test_a_constant_column_is_only_shifted():
    noise = 3.0 + np.finfo(float).eps * np.arange(len(X)) / len(X)
    scaling = PowerScaling(np.c_[X[:, 0], np.full(len(X), 3.0), noise])
    assert_allclose(scaling(np.array([[0.0, 3.0, 3.0]]))[:, 1:], [[0.0, 0.0]], atol=1e-12)


# -- ties ----------------------------------------------------------------------------------------------------------


def test_the_spacing_of_a_column_is_that_of_its_grid():
    x = np.c_[X[:, 0], np.round(X[:, 1], 1), np.arange(2000) % 7 * 2.5, np.ones(2000)]
    assert_allclose(spacings(x), [0, 0.1, 2.5, 1])


def test_values_are_spread_over_their_cells_and_stay_within_bounds():
    x = np.c_[np.arange(6.0) % 3, np.linspace(0, 1, 6)]
    spread = Spread(np.array([1.0, 0.0]), np.zeros(2), Bounds([0, -np.inf], [2, np.inf]))
    low, high = spread(x, np.zeros(x.shape)), spread(x, np.full(x.shape, 1 - 2.0**-53))
    assert_allclose(low[:3, 0], [0, 0.5, 1.5], atol=1e-12)
    assert_allclose(high[:3, 0], [0.5, 1.5, 2.0], atol=1e-12)
    assert_array_equal(low[:, 1], x[:, 1])
    assert spread.bounds.hold(low).all()


def test_what_was_spread_can_be_put_back(rng):
    x = np.c_[0.1 * rng.integers(0, 9, 50), rng.normal(size=50), rng.integers(0, 3, 50)]
    spread = Spread(np.array([0.1, 0.0, 1.0]), x.min(axis=0), Bounds([-np.inf, -np.inf, 0], [np.inf, np.inf, 2]))
    assert_allclose(spread.back(spread(x, rng.random(x.shape))), x, rtol=0, atol=1e-12)


def test_places_fill_cells_evenly():
    shares = places(16, (3, 2))
    assert_allclose(np.sort(shares, axis=0)[:, 1, 1], (np.arange(16) + 0.5) / 16)
    assert len(np.unique(shares.reshape(16, 6), axis=1).T) == 6
    assert_array_equal(places(16, (3, 2)), shares)
