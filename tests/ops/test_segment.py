"""Rows summed up by segment, against a loop over the segments; see test_fused.py for gradients."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad, jet
from sknn.ops.segment import Segments, segment_max, segment_mean, segment_softmax, segment_sum

rng = np.random.default_rng(4)
INDEX = rng.integers(0, 9, 60)
INDEX[INDEX == 4] = 5  # empty

SEGMENTS = {
    "lengths": Segments([3, 1, 7]),
    "lengths, some empty": Segments([0, 3, 0, 0, 7, 0]),
    "an index": Segments.by(INDEX, 11),
    "an index in order": Segments.by(np.sort(INDEX), 11),
    "no rows": Segments([0, 0]),
    "none": Segments([]),
}


def softmax(x):
    exps = np.exp(x - x.max(0))
    return exps / exps.sum(0)


def by_loop(function, x, segments, row_by_row):
    y = np.zeros_like(x) if row_by_row else np.zeros((len(segments), *x.shape[1:]), x.dtype)
    for k in range(len(segments)):
        rows = np.flatnonzero(segments.of_row == k)
        if len(rows):
            y[rows if row_by_row else k] = function(x[rows])
    return y


OPERATIONS = [
    (segment_sum, lambda x: x.sum(0)),
    (segment_mean, lambda x: x.mean(0)),
    (segment_max, lambda x: x.max(0)),
    (segment_softmax, softmax),
]


@pytest.mark.parametrize(("operation", "function"), OPERATIONS)
@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS)
@pytest.mark.parametrize("rest", [(), (1,), (5,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values(operation, function, segments, rest, dtype):
    x = rng.standard_normal((segments.n_rows, *rest)).astype(dtype)
    y = operation(x, segments=segments)
    expected = by_loop(function, x, segments, operation is segment_softmax)
    assert (y.shape, y.dtype) == (expected.shape, dtype)
    assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    leaf = Tensor(x)
    assert grad(operation(leaf, segments=segments), leaf, seed=np.ones_like(y)).shape == x.shape


def test_what_belongs_to_each_row():
    assert_array_equal(SEGMENTS["lengths"].of_row, [0] * 3 + [1] + [2] * 7)
    assert_array_equal(SEGMENTS["an index"].of_row, INDEX)
    assert_array_equal(SEGMENTS["an index"].lengths, np.bincount(INDEX, minlength=11))
    assert len(SEGMENTS["an index"]) == 11


def test_in_a_tie_the_gradient_goes_to_the_first_row():
    leaf = Tensor(np.array([1.0, 2.0, 2.0, 2.0, 1.0]))
    y = segment_max(leaf, segments=Segments.by([1, 0, 1, 1, 0], 2))
    assert_array_equal(y.value, [2, 2])
    assert_array_equal(grad(y, leaf, seed=np.array([3.0, 5.0])), [0, 3, 5, 0, 0])


def test_a_softmax_of_large_numbers():
    x = np.array([1e4, 1e4, -1e4, 0.0, 1e4])
    assert_allclose(segment_softmax(x, segments=Segments([2, 3])), [0.5, 0.5, 0, 0, 1])


@pytest.mark.parametrize(("operation", "function"), OPERATIONS[:1])
def test_jets_pass_through(operation, function):
    x, v = rng.standard_normal((2, 60, 2))
    terms = jet(lambda x: operation(x * x, segments=SEGMENTS["an index"]), x, v)
    for term, expected in zip(terms, (x * x, 2 * x * v, 2 * v * v), strict=True):
        assert_allclose(term, by_loop(function, expected, SEGMENTS["an index"], False), rtol=1e-12, atol=1e-12)


WRONG = {
    "a negative length": (lambda: Segments([2, -1]), "lengths must not be negative; got -1"),
    "lengths that are none": (lambda: Segments([0.5]), r"lengths must be integers in one axis; they are float64"),
    "an index of two axes": (lambda: Segments.by([[0]], 1), r"index must be integers in one axis; .* shape \(1, 1\)"),
    "a negative number": (
        lambda: Segments.by([0, -2], 3),
        "index must hold numbers from 0 to n_segments - 1 = 2; got -2",
    ),
    "a number too large": (
        lambda: Segments.by([0, 3], 3),
        "index must hold numbers from 0 to n_segments - 1 = 2; got 3",
    ),
    "other rows": (
        lambda: segment_sum(np.ones((4, 2)), segments=Segments([2, 3])),
        r"x must have the 5 rows of the segments; its shape is \(4, 2\)",
    ),
    "a number": (lambda: segment_max(np.float64(3.0), segments=Segments([1])), r"its shape is \(\)"),
}


@pytest.mark.parametrize(("action", "message"), WRONG.values(), ids=WRONG)
def test_errors(action, message):
    with pytest.raises(ValueError, match=message):
        action()
