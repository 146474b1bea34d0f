"""Rows gathered by tokens, and gradients added up where a token comes again; see test_fused.py for derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.ops.embedding import embed

rng = np.random.default_rng(3)


@pytest.mark.parametrize(("n_tokens", "shape"), [(7, (4, 5)), (3, (6,)), (65, (40, 64)), (5000, (50, 30))])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_gathered_and_their_gradients_added_up(n_tokens, shape, dtype):
    W, tokens = rng.standard_normal((n_tokens, 6)).astype(dtype), rng.integers(0, n_tokens, shape)
    leaf = Tensor(W)
    y = embed(leaf, tokens)
    assert_array_equal(y.value, W[tokens])
    g = rng.standard_normal(y.shape).astype(dtype)
    expected = np.zeros_like(W)
    np.add.at(expected, tokens, g)
    found = grad(y, leaf, seed=g)
    assert found.dtype == dtype
    assert_allclose(found, expected, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-5)


@pytest.mark.parametrize("wrong", [-1, 7])
def test_a_token_that_is_none_is_named(wrong):
    with pytest.raises(ValueError, match=f"tokens must be numbers from 0 to n_tokens - 1 = 6; got {wrong}"):
        embed(np.ones((7, 2)), np.array([[0, wrong]]))
