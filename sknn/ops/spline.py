"""Monotone rational-quadratic splines, either way, with the logarithm of their derivative."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value, op
from . import compiled
from .precision import widened

MINIMUM = 1e-3  # of the interval, that every bin is wide and high; and of the slope at a knot
SLOPE_AT_0 = math.log(math.expm1(1.0 - MINIMUM))  # added to what gives a slope, which is then 1 at 0


@op
def spline(x: Array, raw: Array, *, bound: float = 5.0, inverse: bool = False) -> tuple[Array, Any]:
    """[y, log dy/dx] of a spline of x on [-bound, bound], and of y = x beyond (Durkan et al. 2019, eq. 4-8).

    Between two knots it is the quotient of two quadratics that rises from one corner to the other and has given slopes
    at both, so it can be inverted in closed form: ``inverse`` gives that, with the logarithm of its own derivative. The
    slope at the ends is 1. All of `raw` 0 is the identity.

    Parameters
    ----------
    x : ndarray of shape (n, m)
        The numbers. Those outside of the interval never meet the spline's formula.
    raw : ndarray of shape (n, m, 3 * n_bins - 1)
        For each number its spline: logits of the widths of the bins and of their heights, n_bins each, and of the
        slopes at the knots between them.
    bound : float, default=5.0
        Half the length of the interval, on both axes.
    inverse : bool, default=False
        Whether it is applied from y to x.

    Returns
    -------
    ndarray of shape (2, n, m)
        The values, and the logarithms of the derivatives in this direction.

    Examples
    --------
    >>> y, log_slope = spline(np.array([[-6.0, 1.5]]), np.zeros((1, 2, 11)))
    >>> y.tolist(), np.abs(log_slope).max() < 1e-12
    ([[-6.0, 1.5]], np.True_)
    """
    raw = widened(raw, x.dtype)
    found = compiled.spline(x, raw, bound, inverse)
    return found or _spline(x, raw, bound, inverse)


def _spline(x: Array, raw: Array, bound: float, inverse: bool) -> tuple[Array, Any]:
    inside, bins, piece, at = _located(x, raw, bound, inverse)
    share = _share_of_height(at, piece) if inverse else (at - piece.left) / piece.width
    return _result(x, inside, piece, share, inverse), (inside, raw, bins, piece, share, bound, inverse)


@spline.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    if isinstance(saved, compiled.Bent):
        return compiled.spline_back(g, saved, (out[0] is not None, out[1] is not None))
    inside, raw, bins, piece, share, bound, inverse = saved
    g = g.astype(raw.dtype, copy=False)
    to_y, to_log = g * inside
    rise = _Rise.of(piece, share)
    # The inverse solves y(x, raw) = y for x: what arrives at x leaves through y, divided by the slope.
    if inverse:
        to_log = -to_log
        to_share = -to_y * piece.width
        to_y = (to_share - to_log * rise.log_by_share) / (piece.height * rise.by_share)
        to_x = -to_y
    else:
        to_share = to_y * piece.height * rise.by_share + to_log * rise.log_by_share
        to_x = to_share / piece.width
    dx = None if out[0] is None else np.where(inside, to_x, g[0])
    if out[1] is None:
        return dx, None
    by_height, by_log = to_y * piece.height, to_log
    to_steepness = by_height * rise.by_steepness + by_log * rise.log_by_steepness
    to_width = -(to_share * share + to_steepness * piece.steepness) / piece.width
    to_height = to_y * rise.value + to_steepness / piece.width
    to_first = by_height * rise.by_first + by_log * rise.log_by_first
    to_last = by_height * rise.by_last + by_log * rise.log_by_last
    widths, heights, slopes = _parts(raw)
    draw = [
        _to_logits(widths, bins, -to_share / piece.width, to_width, bound),
        _to_logits(heights, bins, to_y, to_height, bound),
        _at_bins(bins - 1, to_first, slopes) + _at_bins(bins, to_last, slopes),
    ]
    draw[2] *= expit(slopes + SLOPE_AT_0)
    return dx, np.concatenate(draw, axis=-1)


@spline.reference
def _(x: Value, raw: Value, *, bound: float = 5.0, inverse: bool = False) -> Value:
    inside, _, piece, at = _located(x, raw, bound, inverse)
    share = _share_of_height(at, piece) if inverse else (at - piece.left) / piece.width
    return _result(x, inside, piece, share, inverse)


@spline.takes
def _(y: Array, x: Array, raw: Array, **options: Any) -> tuple[int, int]:
    return 8 * raw.size, y.size + raw.size


class Piece(NamedTuple):
    """Of each number the bin in which it lies: its lower left corner, its sides, and the slopes at both ends."""

    left: Value
    width: Value
    bottom: Value
    height: Value
    first: Value
    last: Value

    @property
    def steepness(self) -> Value:
        return self.height / self.width


def _located(x: Value, raw: Value, bound: float, inverse: bool) -> tuple[Array, Array, Piece, Value]:
    """Which numbers lie inside, in which bin, and the numbers, 0 for those outside."""
    widths, heights, slopes = _parts(raw)
    across, up = _knots(widths, bound), _knots(heights, bound)
    slopes = _between(F.softplus(slopes + SLOPE_AT_0) + MINIMUM, 1.0, 1.0)
    inside = np.absolute(F.plain(x)) <= bound
    at = F.where(inside, x, 0.0)
    inner = F.plain(up if inverse else across)[..., 1:-1]
    bins = np.add.reduce(np.expand_dims(F.plain(at), -1) >= inner, axis=-1, dtype=np.intp)
    left, right = _of_bin(across, bins), _of_bin(across, bins + 1)
    bottom, top = _of_bin(up, bins), _of_bin(up, bins + 1)
    first, last = _of_bin(slopes, bins), _of_bin(slopes, bins + 1)
    return inside, bins, Piece(left, right - left, bottom, top - bottom, first, last), at


def _parts(raw: Value) -> tuple[Value, Value, Value]:
    """Widths, heights, slopes."""
    n_bins = (F.shape_of(raw)[-1] + 1) // 3
    return raw[..., :n_bins], raw[..., n_bins : 2 * n_bins], raw[..., 2 * n_bins :]


def _knots(logits: Value, bound: float) -> Value:
    shares = F.softmax(logits, axis=-1)[..., :-1]
    sizes = 2.0 * bound * (MINIMUM + (1.0 - MINIMUM * F.shape_of(logits)[-1]) * shares)
    return _between(F.cumsum(sizes, axis=-1) - bound, -bound, bound)


def _between(inner: Value, first: float, last: float) -> Value:
    """With a number in front and one behind, along the last axis."""
    edge = np.ones((*F.shape_of(inner)[:-1], 1), inner.dtype)
    return F.concatenate([first * edge, inner, last * edge], axis=-1)


def _of_bin(each: Value, bins: Array) -> Value:
    return F.take_along(each, bins[..., None], axis=-1)[..., 0]


def _share_of_height(y: Value, piece: Piece) -> Value:
    """The share of the bin's width at which y is reached: the root of a quadratic without a difference of numbers that
    may be alike, so exact to rounding at both ends and for any slopes."""
    up = (y - piece.bottom) / piece.height
    down = 1.0 - up
    s = piece.steepness
    ahead = piece.first * down - piece.last * up
    product = 4.0 * s * s * up * down
    large = F.sqrt(ahead * ahead + product) + F.absolute(ahead)
    return 2.0 * s * up / (2.0 * s * up + F.where(ahead >= 0, large, product / large))


def _result(x: Value, inside: Array, piece: Piece, share: Value, inverse: bool) -> Value:
    rest, s = 1.0 - share, piece.steepness
    mixed = share * rest
    below = s * share * share + piece.first * mixed
    whole = below + s * rest * rest + piece.last * mixed
    slope = piece.last * share * share + 2.0 * s * mixed + piece.first * rest * rest
    log_slope = F.log(slope) + 2.0 * F.log(s / whole)
    value = piece.left + piece.width * share if inverse else piece.bottom + piece.height * (below / whole)
    return F.stack([F.where(inside, value, x), F.where(inside, -log_slope if inverse else log_slope, 0.0)])


class _Rise(NamedTuple):
    """The share of its height that a spline has risen within a bin, and its derivatives and those of log dy/dx, by the
    share of the width, the steepness height / width and the two slopes."""

    value: Array
    by_share: Array
    by_steepness: Array
    by_first: Array
    by_last: Array
    log_by_share: Array
    log_by_steepness: Array
    log_by_first: Array
    log_by_last: Array

    @classmethod
    def of(cls, piece: Piece, share: Array) -> _Rise:
        rest, s = 1.0 - share, piece.steepness
        mixed, difference = share * rest, 1.0 - 2.0 * share
        below = s * share * share + piece.first * mixed
        above = s * rest * rest + piece.last * mixed
        from_last, from_first = piece.last * share * share, piece.first * rest * rest
        slope = from_last + 2.0 * s * mixed + from_first
        per_whole = 1.0 / (below + above)
        value, part = below * per_whole, mixed * per_whole
        bend = piece.first + piece.last - 2.0 * s
        turn = 2.0 * (piece.last * share + s * difference - piece.first * rest)
        return cls(
            value,
            s * slope * per_whole * per_whole,
            part * (from_last - from_first) * per_whole,
            part * above * per_whole,
            -part * value,
            turn / slope - 2.0 * bend * difference * per_whole,
            2.0 / s + 2.0 * mixed / slope - 2.0 * (1.0 - 2.0 * mixed) * per_whole,
            rest * rest / slope - 2.0 * part,
            share * share / slope - 2.0 * part,
        )


def _to_logits(logits: Array, bins: Array, to_corner: Array, to_size: Array, bound: float) -> Array:
    """From the gradients of a bin's lower end and of its size to those of the logits of all sizes."""
    n_bins = logits.shape[-1]
    shares = F.softmax(logits, axis=-1)
    g = np.where(np.arange(n_bins) < bins[..., None], to_corner[..., None], 0.0)
    g += _at_bins(bins, to_size, logits)
    g -= np.add.reduce(g * shares, axis=-1, keepdims=True)
    g *= 2.0 * bound * (1.0 - MINIMUM * n_bins)
    g *= shares
    return g


def _at_bins(bins: Array, g: Array, like: Array) -> Array:
    """Each number at the place of its bin among zeros; nowhere if there is no such place."""
    return np.where(np.arange(like.shape[-1]) == bins[..., None], g[..., None], 0.0)
