"""Samples in float64 for parameters in float32: every operation computes in float64, as with parameters in float64."""

import numpy as np
import pytest

from sknn.ops.conv import conv
from sknn.ops.dense import dense
from sknn.ops.group_norm import group_norm
from sknn.ops.norm import layer_norm, rescale
from sknn.ops.windows import make_windows

rng = np.random.default_rng(0)
WINDOWS = make_windows((5, 4), 3, padding="same")

OPERATIONS = {
    "dense, one row": (lambda x, w, b: dense(x, w, b, activation="relu"), (1, 70), (70, 90), (90,)),
    "dense, a few rows": (lambda x, w, b: dense(x, w, b, activation="tanh"), (20, 70), (70, 90), (90,)),
    "dense, large": (lambda x, w, b: dense(x, w, b, activation="relu"), (90, 300), (300, 250), (250,)),
    "dense, no bias": (lambda x, w: dense(x, w), (3, 7), (7, 9)),
    "dense, transposed": (lambda x, w: dense(x, w.T), (3, 7), (9, 7)),
    "conv": (lambda x, w, b: conv(x, w, b, windows=WINDOWS), (2, 5, 4, 3), (3, 3, 3, 8), (8,)),
    "conv, no bias": (lambda x, w: conv(x, w, windows=WINDOWS), (2, 5, 4, 3), (3, 3, 3, 8)),
    "rescale": (lambda x, gain, shift: rescale(x, gain, shift, mean=np.full(6, 0.1)), (4, 3, 6), (6,), (6,)),
    "layer_norm": (layer_norm, (4, 3, 6), (6,), (6,)),
    "group_norm": (lambda x, gain, shift: group_norm(x, gain, shift, groups=2), (4, 3, 6), (6,), (6,)),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_computed_in_the_precision_of_the_samples(name):
    operation, shape, *shapes = OPERATIONS[name]
    x, *parameters = (rng.standard_normal(each) for each in (shape, *shapes))
    narrow = [parameter.astype(np.float32) for parameter in parameters]
    found = operation(x, *narrow)
    assert found.dtype == np.float64
    expected = operation(x, *(parameter.astype(np.float64) for parameter in narrow))
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
