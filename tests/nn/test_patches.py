"""Patches: to the bit a convolution whose kernel and stride are a patch."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.autodiff import primitives as F
from sknn.nn import Conv, Network, Patches, Sequences, value_and_grad


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("size", "shape"), [(4, (8, 8, 1)), (3, (8, 7, 2)), ((2, 4), (6, 9, 1)), (4, (10, 3)), (2, (5, 4, 3, 1))]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_convolution_to_the_bit(size, shape, padding, dtype):
    patches, conv = (
        Network([layer], shape, np.random.RandomState(0), dtype)
        for layer in (Patches(size, 5, padding=padding), Conv(5, size, size, padding))
    )
    x = np.random.default_rng(0).standard_normal((3, *shape)).astype(dtype)
    assert_array_equal(patches.theta, conv.theta)
    tokens = patches(x)
    assert tokens.shape == (3, *patches.output_shape)
    assert_array_equal(tokens, conv(x))
    gradients = [value_and_grad(lambda net: F.sum(F.square(net(x))), [each])[1][0] for each in (patches, conv)]
    assert_array_equal(*gradients)


def test_series_of_different_lengths_leave_as_many_tokens_as_they_fill():
    x = Sequences(np.random.default_rng(0).standard_normal((12, 2)), [7, 1, 4])
    assert_array_equal(Network([Patches(3, 5)], (None, 2), np.random.RandomState(0), "float64")(x).lengths, [3, 1, 2])


def test_what_patches_do_not_fill_is_filled_with_zeros_or_left_out():
    x = np.arange(1.0, 26.0).reshape(1, 5, 5, 1)
    sums, inside = (
        Network([Patches(2, 1, padding=padding, init="ones")], (5, 5, 1), None, "float64")(x)[0, ..., 0]
        for padding in ("same", "valid")
    )
    padded = np.pad(x[0, ..., 0], ((0, 1), (0, 1)))
    assert_array_equal(sums, padded.reshape(3, 2, 3, 2).sum(axis=(1, 3)))
    assert_array_equal(inside, sums[:2, :2])
