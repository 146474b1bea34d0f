"""Noise for rows: normal, even, the same in any batch, and smooth in the row."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest

from sknn.estimators.generative.row_noise import noise_of_rows

ROWS = np.random.default_rng(1).normal(size=(2000, 3))


def noise_of(x, n=16, k=2):
    return np.stack(list(noise_of_rows(x, n, k)), axis=1)


def test_it_is_normal_over_rows_and_over_points():
    noise = noise_of(ROWS)
    assert all(kstest(noise[:, point, column], "norm").pvalue > 0.001 for point in range(16) for column in range(2))
    assert np.abs(np.corrcoef(*noise.transpose(2, 1, 0))[:16, 16:]).max() < 0.15  # of one column with the other
    assert_allclose(noise_of(ROWS[:20], 1000).mean(axis=1), 0.0, atol=0.01)
    assert_allclose(noise_of(ROWS[:20], 1000).std(axis=1), 1.0, atol=0.01)


@pytest.mark.parametrize("n_features", [1, 3, 100])
def test_it_is_the_same_in_any_batch_and_precision(n_features):
    rows = np.random.default_rng(0).normal(size=(50, n_features))
    assert_array_equal(noise_of(rows[7:8]), noise_of(rows)[7:8])
    assert_allclose(noise_of(rows.astype(np.float32)), noise_of(rows), atol=1e-3)


def test_it_is_finite_however_far_a_row_is_off():
    assert np.isfinite(noise_of(np.array([[1e300, -1e300], [np.finfo(float).max, 0.0]]))).all()
