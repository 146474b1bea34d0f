"""Rational-quadratic splines: by hand, on knots, far out, and back; see test_fused.py for gradients."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.ops.spline import MINIMUM, SLOPE_AT_0, spline

rng = np.random.default_rng(7)
N_BINS = 8
DTYPES = ["float32", "float64"]


def logits_of(shares):
    """Logits of widths or heights that are these shares of the interval."""
    return np.log((np.array(shares) - MINIMUM) / (1 - MINIMUM * len(shares)))


def knots_of(logits, bound=5.0):
    sizes = MINIMUM + (1 - MINIMUM * logits.shape[-1]) * np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return bound * (2 * np.cumsum(sizes, -1)[..., :-1] - 1)


def raws(n, spread):
    """Of n numbers."""
    return rng.standard_normal((n, 1, 3 * N_BINS - 1)) * spread


def test_values_worked_by_hand():
    """Two bins on [-1, 1], the knot at (0, 0.5) with slope 2: bins 1 x 1.5 and 1 x 0.5, steepness 1.5 and 0.5."""
    slope = np.log(np.expm1(2 - MINIMUM)) - SLOPE_AT_0
    raw = np.concatenate([logits_of([0.5, 0.5]), logits_of([0.75, 0.25]), [slope]])
    x = np.array([[-0.5, 0.5]])
    y, log_slope = spline(x, np.broadcast_to(raw, (1, 2, 5)), bound=1.0)
    # halfway, y = bottom + height (s + first) / (2 s + first + last), dy/dx = 4 s^2 (first + last + 2 s) / (.)^2
    assert_allclose(y, [[-1 + 1.5 * 2.5 / 6, 0.5 + 0.5 * 2.5 / 4]], rtol=1e-13)
    assert_allclose(np.exp(log_slope), [[4 * 1.5**2 * 6 / 6**2, 4 * 0.5**2 * 4 / 4**2]], rtol=1e-13)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_raw_of_zeros_is_the_identity(dtype, inverse):
    x = rng.uniform(-7, 7, (200, 2)).astype(dtype)
    y, log_slope = spline(x, np.zeros((200, 2, 3 * N_BINS - 1), dtype), inverse=inverse)
    assert_allclose(y, x, atol=10 * np.finfo(dtype).eps)
    assert_allclose(log_slope, 0, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("spread", [0.1, 1.0])
@pytest.mark.parametrize("first", [False, True], ids=["forward", "inverse"])
def test_one_way_and_back(spread, first):
    x, raw = rng.uniform(-5.5, 5.5, (4000, 1)), raws(4000, spread)
    y, log_slope = spline(x, raw, inverse=first)
    again, back = spline(y, raw, inverse=not first)
    assert_allclose(again, x, rtol=0, atol=1e-10)
    assert_allclose(log_slope + back, 0, atol=1e-8)


@pytest.mark.parametrize("first", [False, True], ids=["forward", "inverse"])
def test_the_way_back_misses_by_no_more_than_rounding_moves_it(first):
    """Of slopes down to 1e-8, where a last bit of y is that much of x."""
    x, raw = rng.uniform(-5.5, 5.5, (4000, 1)), raws(4000, 10.0)
    y, log_slope = spline(x, raw, inverse=first)
    missed = spline(y, raw, inverse=not first)[0] - x
    assert_allclose(missed * np.minimum(np.exp(log_slope), 1.0), 0, atol=2e-14)


@pytest.mark.parametrize("inverse", [False, True])
def test_derivatives_are_those_of_finite_differences(inverse):
    x, raw = rng.uniform(-6, 6, (300, 1)), raws(300, 1.0)
    step = 1e-6
    ahead, behind = (spline(x + sign * step, raw, inverse=inverse)[0] for sign in (1, -1))
    slope = np.exp(spline(x, raw, inverse=inverse)[1])
    assert_allclose((ahead - behind) / (2 * step), slope, rtol=1e-5)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_on_knots_and_ends_and_far_out(dtype, inverse):
    """On a knot the value is the other knot to rounding; beyond the ends nothing changes, be it 50 sd or infinity."""
    raw = rng.standard_normal(3 * N_BINS - 1) * 2
    across, up = knots_of(raw[:N_BINS]), knots_of(raw[N_BINS : 2 * N_BINS])
    inner, other = (up, across) if inverse else (across, up)
    outside = [-np.inf, -1e30, -50.0, -5.0, 5.0, 50.0, 1e30, np.inf]
    x = Tensor(np.array([*inner, *outside], dtype)[:, None])
    raw = Tensor(np.broadcast_to(raw, (len(x), 1, len(raw))).astype(dtype))
    y = spline(x, raw, inverse=inverse)
    rounding = 100 * np.finfo(dtype).eps
    steepest = np.exp(np.abs(y.value[1]).max())
    assert_allclose(y.value[0, : len(inner), 0], other, atol=rounding * steepest)
    assert_array_equal(y.value[0, len(inner) :, 0], np.array(outside, dtype))
    assert_allclose(y.value[1, len(inner) :], 0, atol=rounding)
    for g in grad(y, (x, raw), seed=np.ones_like(y.value)):
        assert np.isfinite(g).all()


def test_gradients_beyond_the_ends_are_those_of_the_identity():
    x, raw = Tensor(np.array([[-50.0, 5.1]])), Tensor(raws(2, 1.0).reshape(1, 2, -1))
    to_x, to_raw = grad(spline(x, raw), (x, raw), seed=np.array([[[2.0, 3.0]], [[5.0, 7.0]]]))
    assert_array_equal(to_x, [[2.0, 3.0]])
    assert_array_equal(to_raw, np.zeros((1, 2, 3 * N_BINS - 1)))


@pytest.mark.parametrize("inverse", [False, True])
def test_extreme_parameters_stay_finite_and_monotone(inverse):
    """Bins as narrow as they get beside high ones, slopes from the least to enormous ones."""
    raw = np.zeros((1, 1, 3 * N_BINS - 1))
    raw[..., [0, N_BINS + 1]] = 1e4
    raw[..., 2 * N_BINS :] = np.resize([-1e4, 1e4], N_BINS - 1)
    x = np.linspace(-5, 5, 5001)[:, None]
    y, log_slope = spline(x, np.broadcast_to(raw, (len(x), 1, raw.shape[-1])), inverse=inverse)
    assert np.isfinite([y, log_slope]).all()
    assert (np.diff(y[:, 0]) >= 0).all()
