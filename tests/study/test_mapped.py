"""Standardising memory-mapped inputs without holding them."""

import gc
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.format import open_memmap
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn import MLPClassifier
from sknn.study.mapped import MappedScaler
from sknn.study.rows import is_mapped, rows_at_once


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """A function that maps an array, with a place of its own for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def save(X):
        np.save(tmp_path / "X.npy", X)
        return np.load(tmp_path / "X.npy", mmap_mode="r")

    return save


def temporary_files():
    return list(Path(tempfile.gettempdir()).iterdir())


@parametrize_with_checks([MappedScaler()])
def test_it_is_a_scaler_like_scikit_learns(estimator, check):
    check(estimator)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
def test_it_scales_as_standard_scaler_does(mapped, dtype):
    n_features = 7
    X = np.random.RandomState(0).normal(5, 30, (300_000, n_features)).astype(dtype)
    assert len(X) > 2 * rows_at_once(X)
    expected = StandardScaler().fit_transform(X)
    Z = MappedScaler().fit_transform(mapped(X))
    assert is_mapped(Z)
    assert Z.dtype == expected.dtype
    assert_allclose(Z, expected, rtol=1e-4 if dtype == "float32" else 1e-9, atol=1e-5 if dtype == "float32" else 1e-9)


def test_other_inputs_are_left_in_memory():
    X = np.random.RandomState(0).normal(size=(20, 3))
    Z = MappedScaler().fit_transform(X)
    assert not is_mapped(Z)
    assert_array_equal(Z, StandardScaler().fit_transform(X))


def test_a_second_fit_forgets_the_first(mapped):
    scaler = MappedScaler().fit(mapped(np.full((5, 2), 100.0)))
    assert_array_equal(scaler.fit(mapped(np.array([[0.0, 2.0], [2.0, 4.0]]))).mean_, [1, 3])


def test_sample_weights_are_heeded(mapped):
    scaler = MappedScaler().fit(mapped(np.array([[0.0], [4.0]])), sample_weight=np.array([3.0, 1.0]))
    assert_array_equal(scaler.mean_, [1])


def test_the_inputs_stay_as_they_are(mapped, tmp_path):
    X = open_memmap(tmp_path / "W.npy", "w+", float, (10, 2))
    X[:] = np.arange(20).reshape(10, 2)
    MappedScaler(copy=False).fit_transform(X)
    assert_array_equal(X, np.arange(20).reshape(10, 2))


def test_the_temporary_file_goes_with_the_array(mapped):
    Z = MappedScaler().fit_transform(mapped(np.eye(4)))
    part = Z[1:, :2]
    assert len(temporary_files()) == 1
    del Z
    gc.collect()
    assert_allclose(part[0], StandardScaler().fit_transform(np.eye(4))[1, :2])
    assert len(temporary_files()) == 1
    del part
    gc.collect()
    assert temporary_files() == []


def test_a_network_behind_it_never_holds_the_inputs_whole(mapped, tmp_path):
    X = open_memmap(tmp_path / "big.npy", "w+", np.float32, (200_000, 50))
    for start in range(0, len(X), 10_000):
        X[start : start + 10_000] = np.random.RandomState(start).normal(3, 5, (10_000, 50))
    y = np.arange(len(X)) % 2
    pipeline = make_pipeline(
        MappedScaler(), MLPClassifier((4,), max_iter=1, batch_size=5000, tol=10, n_iter_no_change=1)
    )
    tracemalloc.start()
    try:
        pipeline[0].fit_transform(X)
        _, by_scaler = tracemalloc.get_traced_memory()
        with pytest.warns(match="Maximum iterations"):
            pipeline.fit(X, y)
        _, by_both = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert by_scaler < X.nbytes / 5
    assert by_both < X.nbytes / 2
