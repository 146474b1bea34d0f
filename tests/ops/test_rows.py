"""Convolution and pooling over series of different lengths, against each series alone: to the last bit with kernels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.ops import rows
from sknn.ops._kernels import native
from sknn.ops.conv import conv
from sknn.ops.pool import average_pool, max_pool
from sknn.ops.rows import Places, RowWindows, average_pool_rows, conv_rows, max_pool_rows
from sknn.ops.segment import Segments, segment_max, segment_mean
from sknn.ops.windows import make_windows

rng = np.random.default_rng(7)
DTYPE = np.float64 if native is None else np.float32  # kernels promise bits, NumPy promises digits


def assert_agree(found: np.ndarray, expected: np.ndarray) -> None:
    if native is None:
        assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    else:
        assert_array_equal(found, expected)


def drawn(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(DTYPE)


def check_against_each_alone(
    together: Callable, alone: Callable, samples: list[np.ndarray], shared: tuple[np.ndarray, ...] = ()
) -> None:
    """together(x, *shared) of rows against alone(x, length, *shared) of each: values, and gradients of all operands."""
    leaves = [Tensor(np.concatenate(samples)), *map(Tensor, shared)]
    y = together(*leaves)
    seed = drawn(*y.shape)
    dx, *others = grad(y, leaves, seed=seed)
    values, slopes, sums, start = [], [], [np.zeros(each.shape) for each in shared], 0
    for sample in samples:
        one = [Tensor(sample[None]), *leaves[1:]]
        part = alone(one[0], len(sample), *one[1:])
        stop = start + part.shape[1]
        first, *rest = grad(part, one, seed=seed[None, start:stop])
        values.append(part.value[0])
        slopes.append(first[0])
        sums = [total + each for total, each in zip(sums, rest, strict=True)]
        start = stop
    assert_agree(y.value, np.concatenate(values))
    assert_agree(dx, np.concatenate(slopes))
    for found, expected in zip(others, sums, strict=True):  # which are summed in another order
        scale = np.abs(expected).max()
        assert_allclose(found, expected, rtol=0, atol=scale * (1e-12 if native is None else 1e-5))


FEW = np.array([7, 12, 9, 30, 8])
MANY = rng.integers(8, 200, 150)  # so many that they lie on several lines

WINDOWS: dict[str, tuple] = {
    "same": (3,),
    "same, even": (4,),
    "stride": (5, 2),
    "stride of three": (4, 3),
    "dilation": (3, 1, "same", 3),
    "all": (3, 2, "same", 2),
    "valid": (5, 1, "valid"),
    "valid, stride": (2, 3, "valid"),
    "valid, dilation": (3, 2, "valid", 3),
    "padded": (3, 2, 1),
    "padded by more than same": (3, 1, 2),
    "one tap": (1, 1, "valid"),
    "one tap, stride": (1, 3),
}


def completed(kernel: int, stride: int = 1, padding: Any = "same", dilation: int = 1) -> tuple:
    return kernel, stride, padding, dilation


@pytest.mark.parametrize("lengths", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize("windows", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize(
    ("channels", "filters", "groups", "activation"),
    [(1, 3, 1, "relu"), (3, 17, 1, "tanh"), (8, 8, 8, "identity"), (4, 6, 2, "gelu"), (3, 6, 3, "relu")],
)
def test_convolution(windows, lengths, channels, filters, groups, activation):
    kernel, *more = completed(*windows)
    ragged = RowWindows(lengths, kernel, *more)
    assert (ragged._lines[1] > 1) == (lengths is MANY and ragged.output.sum() > 2 * rows.LINE)
    options = {"groups": groups, "activation": activation}
    check_against_each_alone(
        lambda x, w, b: conv_rows(x, w, b, windows=ragged, **options),
        lambda x, n, w, b: conv(x, w, b, windows=make_windows((n,), kernel, *more), **options),
        [drawn(n, channels) for n in lengths],
        (drawn(kernel, channels // groups, filters), drawn(filters)),
    )


def test_convolution_without_bias():
    ragged, w = RowWindows(FEW, 3, 1, "same"), drawn(3, 2, 4)
    check_against_each_alone(
        lambda x, w: conv_rows(x, w, windows=ragged),
        lambda x, n, w: conv(x, w, windows=make_windows((n,), 3, 1, "same")),
        [drawn(n, 2) for n in FEW],
        (w,),
    )


POOLINGS = {
    "halves": (2, 2, "same"),
    "halves, valid": (2, 2, "valid"),
    "thirds": (3, 3, "same"),
    "fifths, valid": (5, 5, "valid"),
    "overlap": (3, 2, "same"),
    "every step": (3, 1, "valid"),
    "padded": (3, 2, 1),
    "gaps": (2, 3, "same"),
}


@pytest.mark.parametrize("lengths", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize("windows", POOLINGS.values(), ids=POOLINGS)
@pytest.mark.parametrize("channels", [1, 3, 16])
@pytest.mark.parametrize(("ragged", "alone"), [(max_pool_rows, max_pool), (average_pool_rows, average_pool)])
def test_pooling(windows, lengths, channels, ragged, alone):
    over_rows = RowWindows(lengths, *windows)
    samples = [drawn(n, channels) - 3 for n in lengths]  # negative: gaps of zeros would be larger
    if alone is max_pool:
        samples = [each.round(1) for each in samples]  # ties
    check_against_each_alone(
        lambda x: ragged(x, windows=over_rows),
        lambda x, n: alone(x, windows=make_windows((n,), *windows)),
        samples,
    )


@pytest.mark.parametrize("channels", [1, 3, 16])
@pytest.mark.parametrize(("ragged", "alone"), [(segment_max, max_pool), (segment_mean, average_pool)])
def test_pooling_of_all_steps(channels, ragged, alone):
    samples = [drawn(n, channels).round(1) for n in (*FEW, 1)]
    check_against_each_alone(
        lambda x: ragged(x, segments=Segments([*FEW, 1])), lambda x, n: alone(x, windows=make_windows((n,), n)), samples
    )


TWO = np.array([2, 3])


@pytest.mark.parametrize(
    ("pool", "options"),
    [(max_pool_rows, {"windows": RowWindows(TWO, 3, 3, "same")}), (segment_max, {"segments": Segments(TWO)})],
)
def test_nan_stays(pool, options):
    leaf = Tensor(np.array([1.0, np.nan, 1.0, 1.0, 1.0])[:, None])
    y = pool(leaf, **options)
    assert_array_equal(y.value.ravel(), [np.nan, 1])
    assert_array_equal(grad(y, leaf, seed=np.ones((2, 1)))[2:].ravel(), [1, 0, 0])


@pytest.mark.parametrize("windows", WINDOWS.values(), ids=WINDOWS)
def test_how_many_windows_fit(windows):
    kernel, *more = completed(*windows)
    lengths = np.arange(9, 40)
    assert_array_equal(
        RowWindows(lengths, kernel, *more).output, [make_windows((n,), kernel, *more).output[0] for n in lengths]
    )


def test_no_series_and_one_step():
    none = conv_rows(np.zeros((0, 2)), np.ones((3, 2, 4)), windows=RowWindows(np.zeros(0, int), 3, 2, "same"))
    assert none.shape == (0, 4)
    one = conv_rows(np.ones((1, 2)), np.ones((3, 2, 4)), windows=RowWindows(np.array([1]), 3, 1, "same"))
    assert_array_equal(one, np.full((1, 4), 2.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 1, "valid"), "sample 1 is too short, it has 4 steps here: windows span 5, with padding 0; choose smaller"),
        ((3, 1, "valid", 3), "sample 1 is too short, it has 4 steps here: windows span 7"),
        ((0,), "kernel_size=0 must be an integer of at least 1"),
        ((3, 0), "stride=0 must be an integer of at least 1"),
        (((3, 3),), r"kernel_size=\(3, 3\) must be an integer of at least 1, or one for each of 1 axes"),
        ((3, 1, "some"), "padding='some' must be 'same', 'valid', an integer"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RowWindows(np.array([9, 4, 20, 3]), *arguments)


@pytest.mark.parametrize("pool", [max_pool_rows, average_pool_rows])
def test_windows_that_hold_nothing_are_refused(pool):
    with pytest.raises(ValueError, match=r"padding=2 puts windows of size 2 wholly outside of a sample"):
        pool(np.ones((9, 1)), windows=RowWindows(np.array([5, 4]), 2, 2, 2))


@pytest.mark.parametrize("lengths", [FEW, MANY, np.array([20_000, 30, 30])], ids=["few", "many", "one long"])
@pytest.mark.parametrize("windows", WINDOWS.values(), ids=WINDOWS)
def test_lines_hold_little_but_the_series(lengths, windows):
    ragged = RowWindows(lengths, *completed(*windows))
    gap = ragged.span + ragged.stride + 2 * np.max(ragged.low)
    assert ragged.inputs.n_places <= rows.UNEVEN * (lengths.sum() + gap * len(lengths))
    for places in (ragged.inputs, ragged.outputs):
        assert len(np.unique(places.at)) == len(places.at)
        assert places.at.max() < places.n_places


@pytest.mark.parametrize("channels", [(), (2,)])
def test_rows_go_to_their_places_and_come_back(channels):
    places, x = Places(np.array([4, 0]), np.array([2, 3]), 8), drawn(5, *channels)
    there = places.spread(x, -1.0)
    gaps = [np.full((k, *channels), -1.0, DTYPE) for k in (1, 2)]
    assert_array_equal(there, np.concatenate([x[2:], gaps[0], x[:2], gaps[1]]))
    assert_array_equal(places.gather(there), x)
