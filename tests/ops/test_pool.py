"""Pooling against a walk over every window; ties, ragged edges and threads."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_limits

from sknn.autodiff import Tensor, grad
from sknn.ops import threads
from sknn.ops.pool import average_pool, max_pool
from sknn.ops.windows import Windows, make_windows

rng = np.random.default_rng(5)


def one_by_one(x: np.ndarray, windows: Windows, summary) -> np.ndarray:
    """The summary of each window over those of its elements that lie on the grid."""
    y = np.empty((len(x), *windows.output, x.shape[-1]))
    for window in product(*map(range, windows.output)):
        positions = [
            [p for p in (w * s + t * d - low for t in range(k)) if 0 <= p < n]
            for w, s, d, low, k, n in zip(
                window, windows.stride, windows.dilation, windows.low, windows.kernel, windows.size, strict=True
            )
        ]
        part = x[np.ix_(range(len(x)), *positions, range(x.shape[-1]))]
        y[(slice(None), *window)] = summary(part.reshape(len(x), -1, x.shape[-1]), axis=1)
    return y


def pulled_back(operation, x: np.ndarray, windows: Windows, seed: np.ndarray | None = None) -> np.ndarray:
    leaf = Tensor(x)
    y = operation(leaf, windows=windows)
    return grad(y, leaf, seed=np.ones_like(y.value) if seed is None else seed)


CASES = [
    ((7,), 2, 2, "same"),
    ((7,), 3, 1, "valid"),
    ((1,), 3, 2, "same"),
    ((5, 6), 2, 2, "valid"),
    ((5, 6), (3, 2), (2, 3), "same"),
    ((5, 6), 3, 2, 1),
    ((7, 8), 2, 1, "valid", 3),
    ((3, 5, 4), 2, 2, "same"),
    ((3, 5, 4), (1, 3, 2), 1, (0, 1, 1)),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("operation", "summary"), [(max_pool, np.max), (average_pool, np.mean)])
def test_values(operation, summary, case):
    size, *arguments = case
    windows = make_windows(size, *arguments)
    x = rng.standard_normal((3, *size, 2)) - 3.0  # negative: what lies outside counts neither as 0 nor as an element
    assert_allclose(operation(x, windows=windows), one_by_one(x, windows, summary), rtol=1e-14)


@pytest.mark.parametrize("operation", [max_pool, average_pool])
def test_at_a_ragged_edge_same_keeps_the_rest(operation):
    for size, window in product(range(1, 8), range(1, 5)):
        y = operation(np.ones((1, size, size, 1)), windows=make_windows((size, size), window, window, "same"))
        assert y.shape == (1, -(-size // window), -(-size // window), 1)
        assert_array_equal(y, 1.0)


def test_average_divides_by_the_elements_there_are():
    x = np.array([1.0, 3.0, 5.0, 7.0, 11.0]).reshape(1, 5, 1)
    windows = make_windows((5,), 2, 2, "same")
    assert_array_equal(average_pool(x, windows=windows).ravel(), [2, 6, 11])
    assert_array_equal(pulled_back(average_pool, x, windows).ravel(), [0.5, 0.5, 0.5, 0.5, 1])
    around = make_windows((3, 3), 3, 1, 1)
    assert_allclose(average_pool(np.ones((1, 3, 3, 1)), windows=around), 1.0, rtol=1e-15)


def test_in_a_tie_the_first_takes_all():
    windows = make_windows((4, 4), 2, 2)
    x = np.zeros((2, 4, 4, 3))
    expected = np.zeros_like(x)
    expected[:, ::2, ::2] = 1.0
    assert_array_equal(pulled_back(max_pool, x, windows), expected)
    assert_array_equal(
        pulled_back(max_pool, np.array([1.0, 2.0, 2.0]).reshape(1, 3, 1), make_windows((3,), 3)).ravel(), [0, 1, 0]
    )


@pytest.mark.parametrize("case", CASES)
def test_every_window_sends_its_gradient_to_one_of_its_largest(case):
    size, *arguments = case
    windows = make_windows(size, *arguments)
    x = rng.integers(0, 2, (3, *size, 2)).astype(float)  # ties everywhere
    y = max_pool(x, windows=windows)
    for window in product(*map(range, windows.output)):
        seed = np.zeros_like(y)
        seed[(slice(None), *window)] = 1.0
        g = pulled_back(max_pool, x, windows, seed)
        chosen = g != 0
        assert_array_equal(g[chosen], 1.0)
        assert_array_equal(chosen.sum(axis=tuple(range(1, x.ndim - 1))), 1)
        assert_array_equal((x * chosen).sum(axis=tuple(range(1, x.ndim - 1))), y[(slice(None), *window)])


def test_overlapping_windows_add_their_gradients():
    x = np.array([0.0, 9.0, 1.0, 2.0, 8.0]).reshape(1, 5, 1)
    windows = make_windows((5,), 3)
    assert_array_equal(
        pulled_back(max_pool, x, windows, np.array([1.0, 10.0, 100.0]).reshape(1, 3, 1)).ravel(), [0, 11, 0, 0, 100]
    )
    assert_allclose(pulled_back(average_pool, x, windows).ravel(), np.array([1, 2, 3, 2, 1]) / 3, rtol=1e-15)


def test_minus_infinity_is_a_number_like_any_other():
    x = np.array([-np.inf, -np.inf, -np.inf, 1.0, -np.inf]).reshape(1, 5, 1)
    windows = make_windows((5,), 2, 2, "same")
    assert_array_equal(max_pool(x, windows=windows).ravel(), [-np.inf, 1, -np.inf])
    assert_array_equal(pulled_back(max_pool, x, windows).ravel(), [1, 0, 0, 1, 1])


@pytest.mark.parametrize("operation", [max_pool, average_pool])
def test_windows_that_hold_nothing_are_refused(operation):
    with pytest.raises(ValueError, match=r"padding=\(2,\) puts windows of size \(2,\) wholly outside"):
        operation(np.ones((1, 6, 1)), windows=make_windows((6,), 2, 2, 2))


@pytest.mark.parametrize("operation", [max_pool, average_pool])
def test_float32_stays_float32(operation):
    x = rng.standard_normal((2, 7, 5, 3)).astype(np.float32)
    windows = make_windows((7, 5), 3, 2, "same")
    assert operation(x, windows=windows).dtype == pulled_back(operation, x, windows).dtype == np.float32


@pytest.mark.parametrize("operation", [max_pool, average_pool])
@pytest.mark.parametrize("n", [1, 7, 17])
def test_threads_do_not_change_a_bit(operation, n, monkeypatch):
    monkeypatch.setattr(threads, "SMALL_WORK", 0)
    x = rng.integers(0, 5, (n, 9, 8, 3)).astype(np.float32)
    windows = make_windows((9, 8), 3, 2, "same")
    found = []
    for count in (1, 2):
        with threadpool_limits(count, user_api="blas"):
            if threads.available_threads() != count:
                pytest.skip("the threads of this BLAS cannot be counted")
            found.append((operation(x, windows=windows), pulled_back(operation, x, windows)))
    for one, two in zip(*found, strict=True):
        assert_array_equal(one, two)
