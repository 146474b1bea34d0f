"""Convolution against SciPy, its symmetries, and that blocks and threads are seen in nothing but speed and memory."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import correlate
from threadpoolctl import threadpool_limits

from sknn.autodiff import Tensor, grad
from sknn.ops import kernels, threads
from sknn.ops.conv import conv
from sknn.ops.windows import make_windows

rng = np.random.default_rng(3)


def drawn(n: int, size: tuple[int, ...], kernel: tuple[int, ...], channels: int, filters: int, groups: int = 1) -> list:
    """Images, weights and biases."""
    shapes = ((n, *size, channels), (*kernel, channels // groups, filters), (filters,))
    return [rng.standard_normal(shape) for shape in shapes]


def value_and_gradients(operands: list, **options) -> list[np.ndarray]:
    leaves = [Tensor(x) for x in operands]
    y = conv(*leaves, **options)
    seed = np.cos(np.arange(y.value.size)).reshape(y.shape).astype(y.dtype)
    return [y.value.copy(), *grad(y, leaves, seed=seed)]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "kernel"), [((9,), (3,)), ((8, 7), (3, 5)), ((5, 6, 4), (3, 1, 3))])
def test_values_are_those_of_scipy(size, kernel, padding):
    x, w, b = drawn(2, size, kernel, 3, 4)
    y = conv(x, w, b, windows=make_windows(size, kernel, padding=padding))
    for image, of_image in zip(x, y, strict=True):
        for f in range(4):
            each = [correlate(image[..., c], w[..., c, f], mode=padding, method="direct") for c in range(3)]
            assert_allclose(of_image[..., f], sum(each) + b[f], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("stride", [2, 3, (1, 4)])
def test_a_stride_leaves_out_windows(stride):
    x, w, b = drawn(2, (9, 11), (3, 2), 2, 3)
    rows, columns = (stride, stride) if isinstance(stride, int) else stride
    every = conv(x, w, b, windows=make_windows((9, 11), (3, 2)))
    some = conv(x, w, b, windows=make_windows((9, 11), (3, 2), stride))
    assert_allclose(some, every[:, ::rows, ::columns], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("padding", ["same", "valid", 2])
def test_dilation_is_a_kernel_with_zeros_between(padding):
    x, w, b = drawn(2, (9, 8), (3, 2), 2, 3)
    stuffed = np.zeros((5, 4, 2, 3))
    stuffed[::2, ::3] = w
    found = conv(x, w, b, windows=make_windows((9, 8), (3, 2), 1, padding, dilation=(2, 3)))
    assert_allclose(
        found, conv(x, stuffed, b, windows=make_windows((9, 8), (5, 4), 1, padding)), rtol=1e-12, atol=1e-13
    )


def test_a_shifted_image_has_a_shifted_feature_map():
    x, w, b = drawn(1, (12, 12), (3, 3), 2, 3)
    x[:, :2] = x[:, -4:] = x[:, :, :2] = x[:, :, -4:] = 0.0  # the shift pushes nothing over the edge
    windows = make_windows((12, 12), 3, padding="same")
    y = conv(x, w, b, windows=windows, activation="tanh")
    shifted = conv(np.roll(x, (2, 1), (1, 2)), w, b, windows=windows, activation="tanh")
    assert_allclose(shifted, np.roll(y, (2, 1), (1, 2)), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("groups", "filters"), [(2, 6), (4, 4), (4, 8)])
def test_groups_are_separate_convolutions(groups, filters):
    """As many groups as channels is the depthwise convolution."""
    x, w, b = drawn(3, (6, 5), (3, 2), 4, filters, groups)
    windows = make_windows((6, 5), (3, 2), 2, "same")
    y, dx, dw, db = value_and_gradients([x, w, b], windows=windows, groups=groups)
    seed = np.cos(np.arange(y.size)).reshape(y.shape)
    for k in range(groups):
        of_x = (..., slice(k * 4 // groups, (k + 1) * 4 // groups))
        of_y = (..., slice(k * filters // groups, (k + 1) * filters // groups))
        leaves = [Tensor(each) for each in (x[of_x], w[of_y], b[of_y])]
        alone = conv(*leaves, windows=windows)
        assert_allclose(y[of_y], alone.value, rtol=1e-12, atol=1e-13)
        expected = grad(alone, leaves, seed=seed[of_y])
        for found, each in zip((dx[of_x], dw[of_y], db[of_y]), expected, strict=True):
            assert_allclose(found, each, rtol=1e-12, atol=1e-13)


def test_one_tap_is_a_dense_layer_at_every_position():
    x, w, b = drawn(3, (4, 5), (1, 1), 3, 2)
    assert_allclose(conv(x, w, b, windows=make_windows((4, 5), 1)), x @ w[0, 0] + b, rtol=1e-12, atol=1e-14)


def test_an_image_alone_is_as_in_its_batch():
    operands = drawn(4, (6, 7), (3, 3), 2, 3)
    windows = make_windows((6, 7), 3, padding="same")
    y, dx, *_ = value_and_gradients(operands, windows=windows, activation="gelu")
    seed = np.cos(np.arange(y.size)).reshape(y.shape)
    for k in range(4):
        leaf = Tensor(operands[0][k : k + 1])
        alone = conv(leaf, *operands[1:], windows=windows, activation="gelu")
        assert_allclose(alone.value[0], y[k], rtol=1e-12, atol=1e-14)
        assert_allclose(grad(alone, leaf, seed=seed[k : k + 1])[0], dx[k], rtol=1e-12, atol=1e-14)


def test_float32_stays_float32():
    operands = [each.astype(np.float32) for each in drawn(2, (6, 7), (3, 3), 2, 4, groups=2)]
    for activation in ("identity", "relu", "tanh"):
        options = {"windows": make_windows((6, 7), 3, 2, "same"), "groups": 2, "activation": activation}
        assert {each.dtype for each in value_and_gradients(operands, **options)} == {np.dtype(np.float32)}


SHAPES = [
    pytest.param((11,), (3,), {"padding": "same"}, 1, id="1-D"),
    pytest.param((9, 7), (3, 2), {"padding": "same"}, 1, id="2-D"),
    pytest.param((9, 7), (3, 2), {"stride": (2, 3), "padding": 2}, 2, id="stride"),
    pytest.param((9, 7), (3, 2), {"stride": 2, "dilation": 2, "padding": "same"}, 4, id="dilation, depthwise"),
    pytest.param((10, 7), (2, 2), {"stride": 3}, 1, id="gaps"),
    pytest.param((5, 4, 3), (2, 3, 2), {"padding": "same"}, 2, id="3-D"),
]


def taps_of(w: np.ndarray, groups: int) -> int:
    return w[..., 0].size * groups


@pytest.mark.parametrize("several", [0.02, 0.3, 1, 2.5], ids="{} images a block".format)
@pytest.mark.parametrize(("size", "kernel", "options", "groups"), SHAPES)
def test_blocks_do_not_change_the_result(size, kernel, options, groups, several, monkeypatch):
    operands = drawn(7, size, kernel, 4, 8, groups)
    windows = make_windows(size, kernel, **options)
    every = {"windows": windows, "groups": groups, "activation": "gelu"}
    whole = value_and_gradients(operands, **every)
    taps = taps_of(operands[1], groups)
    assert len(kernels.blocks(7, windows, taps)) == 1
    monkeypatch.setattr(kernels, "PATCHES", max(1, int(several * taps * prod(windows.output))))
    assert len(kernels.blocks(7, windows, taps)) > (7 if several < 0.25 else 3)
    for found, expected in zip(value_and_gradients(operands, **every), whole, strict=True):
        assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("patches", [1, 40, 300, 2000, 1 << 18])
def test_blocks_hold_every_output_once(patches, monkeypatch):
    monkeypatch.setattr(kernels, "PATCHES", patches)
    for n in (1, 2, 5):
        for size in ((9,), (8, 5)):
            windows = make_windows(size, 3, padding="same")
            count = np.zeros((n, *windows.output, 1))
            for block in kernels.blocks(n, windows, taps=6):
                of_block = block.of(count)
                assert np.shares_memory(of_block, count)
                of_block += 1
            assert_array_equal(count, 1)


def with_threads(count: int, operands: list, **options) -> list[np.ndarray]:
    with threadpool_limits(count, user_api="blas"):
        if threads.available_threads() != count:
            pytest.skip("the threads of this BLAS cannot be counted")
        return value_and_gradients(operands, **options)


@pytest.mark.parametrize("several", [0.02, 1], ids="{} images a block".format)
@pytest.mark.parametrize(("size", "kernel", "options", "groups"), SHAPES)
def test_threads_do_not_change_a_bit(size, kernel, options, groups, several, monkeypatch):
    monkeypatch.setattr(threads, "SMALL_WORK", 0)
    operands = drawn(11, size, kernel, 4, 8, groups)
    every = {"windows": make_windows(size, kernel, **options), "groups": groups, "activation": "gelu"}
    patches = several * taps_of(operands[1], groups) * prod(every["windows"].output)
    monkeypatch.setattr(kernels, "PATCHES", max(1, int(patches)))
    one, two, again = (with_threads(count, operands, **every) for count in (1, 2, 2))
    for a, b, c in zip(one, two, again, strict=True):
        assert_array_equal(a, b)
        assert_array_equal(b, c)


def test_threads_do_not_change_a_bit_of_large_arrays():
    """Large enough for threads without being told so."""
    operands = [each.astype(np.float32) for each in drawn(21, (24, 24), (3, 3), 8, 16)]
    every = {"windows": make_windows((24, 24), 3, padding="same"), "activation": "silu"}
    assert 21 * 24 * 24 * operands[1].size > threads.SMALL_WORK
    one, two = (with_threads(count, operands, **every) for count in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert_array_equal(a, b)


def peak(operands: list, **options) -> int:
    """The bytes that forward and backward take at most, in a thread that owns no buffers yet."""
    with ThreadPoolExecutor(1) as fresh:
        tracemalloc.start()
        try:
            fresh.submit(value_and_gradients, operands, **options).result()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("stride", [1, 2])
def test_the_patches_of_a_batch_never_exist(stride):
    operands = [each.astype(np.float32) for each in drawn(64, (16, 16), (7, 7), 8, 8)]
    all_patches = 7 * 7 * operands[0].nbytes
    windows = make_windows((16, 16), 7, stride, "same")
    assert peak(operands, windows=windows, activation="relu") < all_patches / 4


def test_many_blocks_keep_few_gradients_of_large_weights(monkeypatch):
    x, w, b = drawn(40, (3, 3), (3, 3), 64, 64)
    windows = make_windows((3, 3), 3, padding="same")
    monkeypatch.setattr(kernels, "PATCHES", taps_of(w, 1) * prod(windows.output))
    assert len(kernels.blocks(40, windows, taps_of(w, 1))) == 40
    assert peak([x, w, b], windows=windows) < 20 * w.nbytes


def test_a_huge_image_goes_row_by_row():
    x, w, b = drawn(1, (700, 300), (5, 5), 1, 2)
    windows = make_windows((700, 300), 5, padding="same")
    parts = kernels.blocks(1, windows, taps_of(w, 1))
    assert len(parts) > 4
    assert all(part.images == slice(0, 1) for part in parts)
    y = conv(x, w, b, windows=windows)
    for f in range(2):
        expected = correlate(x[0, ..., 0], w[..., 0, f], mode="same", method="direct") + b[f]
        assert_allclose(y[0, ..., f], expected, rtol=1e-12, atol=1e-12)
    assert peak([x, w, b], windows=windows) < 25 * x.nbytes / 2
