"""Dense layers: by hand, sparse inputs, where its gradients go; what all operations share is in test_fused."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sknn.autodiff import Tensor, grad
from sknn.ops import ACTIVATIONS
from sknn.ops.dense import dense

rng = np.random.default_rng(3)

X = np.array([[1.0, 2.0], [3.0, -1.0]])
W = np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])
B = np.array([0.5, -0.5, 0.0])


def test_by_hand():
    leaves = x, w, b = Tensor(X), Tensor(W), Tensor(B)
    y = dense(x, w, b, activation="relu")
    assert_array_equal(y.value, [[5.5, 1.5, 0], [1.5, 0, 0]])
    dx, dW, db = grad(y, leaves, seed=np.ones((2, 3)))
    assert_array_equal(dx, [[1, 3], [1, 2]])
    assert_array_equal(dW, [[4, 1, 0], [1, 2, 0]])
    assert_array_equal(db, [2, 1, 0])


def test_without_bias():
    expected = [[5, 2, -1], [1, -1, -3]]
    for y in (dense(X, W), dense(X, W, None), dense(X, W, 0 * B)):
        assert_array_equal(y, expected)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_sparse_inputs_equal_dense_ones(kind, dtype, activation):
    x = (rng.standard_normal((7, 5)) * rng.integers(0, 2, (7, 5))).astype(dtype)
    seed = rng.standard_normal((7, 3)).astype(dtype)
    leaves = [Tensor(rng.standard_normal(shape).astype(dtype)) for shape in ((5, 3), (3,))]
    results = []
    for given in (x, kind(x)):
        y = dense(given, *leaves, activation=activation)
        results.append([y.value, *grad(y, leaves, seed=seed)])
    for of_dense, of_sparse in zip(*results, strict=True):
        assert type(of_sparse) is np.ndarray
        assert of_sparse.dtype == dtype
        assert_allclose(of_sparse, of_dense, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-6)


@pytest.mark.parametrize("lead", [(), (1,), (4,), (4, 2), (4, 2, 3), (0,)])
def test_any_number_of_leading_axes(lead):
    x, w, b = Tensor(rng.standard_normal((*lead, 2))), Tensor(W), Tensor(B)
    y = dense(x, w, b, activation="tanh")
    assert y.shape == (*lead, 3)
    assert_allclose(y.value, np.tanh(x.value @ W + B), rtol=1e-14)
    g = rng.standard_normal(y.shape)
    dx, dW, db = grad(y, [x, w, b], seed=g)
    dz = g * (1 - y.value**2)
    assert_allclose(dx, dz @ W.T, rtol=1e-12, atol=1e-14)
    assert_allclose(dW, x.value.reshape(-1, 2).T @ dz.reshape(-1, 3), rtol=1e-12, atol=1e-14)
    assert_allclose(db, dz.reshape(-1, 3).sum(axis=0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("wanted", list(product([True, False], repeat=2)))
def test_gradients_that_are_wanted_are_computed_in_the_places_given(wanted):
    y = dense(X, Tensor(W), Tensor(B))
    arrays = [np.empty_like(W), np.empty_like(B)]
    places = [None, *(array if want else None for array, want in zip(arrays, wanted, strict=True))]
    found = y.operation.pull(y, np.ones((2, 3)), places)
    expected = [[[4, 4, 4], [1, 1, 1]], [2, 2, 2]]
    for g, place, by_hand in zip(found, places, [None, *expected], strict=True):
        assert g is place
        if place is not None:
            assert_array_equal(g, by_hand)


@pytest.mark.parametrize("n", [2, 1 << 16], ids=["small", "large"])
def test_the_wider_precision_of_inputs_and_weights(n):
    x, w, b = rng.standard_normal((n, 2)), W.astype(np.float32), B.astype(np.float32)
    assert dense(x.astype(np.float32), W, B).dtype == np.float64
    y = dense(x, w, b)
    assert y.dtype == np.float64
    assert_allclose(y, x @ W + B, rtol=1e-14, atol=1e-14)
