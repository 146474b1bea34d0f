"""What happens to the inputs before a model sees them."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.pipeline import make_pipeline

from sknn.study.data import DataSet
from sknn.study.preprocess import MOST_CATEGORIES, Needs, steps_before

SCALED, UNSCALED = Needs(scaling=True), Needs(scaling=False)
TREES = Needs(scaling=False, imputation=False)
GRIDS = Needs(scaling=False, flattening=False)

TABLE = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 60.0]])
HOLES = np.array([[1.0, 10.0], [np.nan, 20.0], [3.0, 60.0]])
IMAGES = np.arange(3 * 2 * 2, dtype=float).reshape(3, 2, 2)
SPARSE = csr_array([[0.0, 2.0], [4.0, 0.0], [0.0, -8.0]])


def data_of(X):
    return DataSet("data", X, np.arange(X.shape[0]) % 2, "classification")


def fitted(X, needs):
    return make_pipeline(*steps_before(data_of(X), needs)).fit(X)


@pytest.mark.parametrize(
    ("X", "needs", "steps"),
    [
        (TABLE, UNSCALED, []),
        (TABLE.astype(int), UNSCALED, []),
        (TABLE > 2, UNSCALED, []),
        (pd.DataFrame(TABLE), UNSCALED, []),
        (SPARSE, UNSCALED, []),
        (IMAGES, GRIDS, []),
        (HOLES, TREES, ["GapFiller"]),
        (TABLE, SCALED, ["StandardScaler"]),
        (pd.DataFrame(TABLE), SCALED, ["StandardScaler"]),
        (SPARSE, SCALED, ["MaxAbsScaler"]),
        (HOLES, UNSCALED, ["SimpleImputer"]),
        (pd.DataFrame(HOLES), SCALED, ["SimpleImputer", "StandardScaler"]),
        (csr_array(HOLES), SCALED, ["SimpleImputer", "MaxAbsScaler"]),
        (IMAGES, UNSCALED, ["FunctionTransformer"]),
        (IMAGES, SCALED, ["FunctionTransformer", "StandardScaler"]),
        (np.where(IMAGES > 3, np.nan, IMAGES), GRIDS, ["FunctionTransformer", "SimpleImputer"]),
        (pd.DataFrame({"a": ["x", "y"]}), TREES, ["ColumnTransformer"]),
    ],
)
def test_there_are_no_steps_that_change_nothing(X, needs, steps):
    assert [type(step).__name__ for step in steps_before(data_of(X), needs)] == steps


def test_numbers_get_a_mean_of_0_and_a_deviation_of_1():
    Z = fitted(TABLE, SCALED).transform(TABLE)
    assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    assert_allclose(Z.std(axis=0), 1)


def test_sparse_data_stay_sparse():
    Z = fitted(SPARSE, SCALED).transform(SPARSE)
    assert_allclose(Z.toarray(), [[0, 0.25], [1, 0], [0, -1]])
    assert Z.nnz == SPARSE.nnz


def test_missing_numbers_become_the_median_of_the_training_fold():
    pipeline = make_pipeline(*steps_before(data_of(HOLES), UNSCALED)).fit(HOLES[[0, 2]])
    assert_array_equal(pipeline.transform(HOLES[[1]]), [[2, 20]])


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame])
def test_a_column_may_be_missing_altogether_in_the_training_fold(kind):
    X = np.array([[1.0, np.nan], [3.0, np.nan], [5.0, 7.0]])
    pipeline = make_pipeline(*steps_before(data_of(kind(X)), SCALED)).fit(kind(X[:2]))
    Z = pipeline.transform(kind(X))
    assert Z.shape == (3, 2)
    assert np.isfinite(Z).all()


def test_images_become_rows():
    assert_array_equal(fitted(IMAGES, UNSCALED).transform(IMAGES), IMAGES.reshape(3, 4))


MIXED = pd.DataFrame(
    {
        "number": [1.0, np.nan, 3.0, 4.0],
        "whole": pd.array([1, None, 3, 8], dtype="Int64"),
        "float": pd.array([1.5, None, 3.5, 8.0], dtype="Float32"),
        "flag": [True, False, True, True],
        "maybe": pd.array([True, None, True, False], dtype="boolean"),
        "objects": pd.Series([1, None, 3, 4], dtype=object),
        "when": pd.to_datetime(["1970-01-01", "1970-01-02", None, "1970-01-03"]),
        "zoned": pd.to_datetime(["1970-01-01", "1970-01-02", None, "1970-01-03"]).tz_localize("UTC"),
        "took": pd.to_timedelta(["1s", "2s", None, "4s"]),
        "text": pd.array(["a", None, "b", "a"], dtype="string"),
        "old text": pd.Series(["a", None, "b", np.nan], dtype=object),
        "category": pd.Categorical(["x", "y", None, "x"]),
        "grade": pd.Categorical([1, 2, None, 1], categories=[2, 1, 3], ordered=True),
        "truths": pd.Categorical([True, False, None, True]),
        "mixture": pd.Series([1, "one", None, 1], dtype=object),
    }
)
NUMERIC = ["number", "whole", "float", "flag", "maybe", "objects", "when", "zoned", "took"]


@pytest.mark.parametrize("column", MIXED.columns.drop("flag"))  # which needs nothing
def test_every_kind_of_column(column):
    X = MIXED[[column]]
    Z = fitted(X, UNSCALED).transform(X)
    assert Z.dtype.kind == "f"
    if column in NUMERIC:
        assert Z.shape == (4, 1)
        assert np.isfinite(Z).all()
    else:
        assert Z.shape == (4, 3)  # two categories and a missing one
        assert_array_equal(Z.sum(axis=1), 1)


def test_all_columns_together():
    transformer = fitted(MIXED, SCALED)
    Z = transformer.transform(MIXED)
    assert isinstance(Z, np.ndarray)
    assert Z.shape == (4, len(NUMERIC) + 3 * (MIXED.shape[1] - len(NUMERIC)))
    assert_allclose(Z[:, : len(NUMERIC)].mean(axis=0), 0, atol=1e-12)
    assert_array_equal(transformer.transform(MIXED[::-1]), Z[::-1])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("maybe", [1, 1, 1, 0]),
        ("whole", [1, 3, 3, 8]),
        ("when", [0, 86400, 86400, 2 * 86400]),
        ("zoned", [0, 86400, 86400, 2 * 86400]),
        ("took", [1, 2, 2, 4]),
    ],
)
def test_what_is_a_number(column, values):
    assert_array_equal(fitted(MIXED[[column]], UNSCALED).transform(MIXED[[column]])[:, 0], values)


def test_flags_beside_texts_are_numbers():
    X = MIXED[["flag", "text"]]
    assert_array_equal(fitted(X, UNSCALED).transform(X)[:, 0], [1, 0, 1, 1])


def test_missing_numbers_are_kept_for_models_that_take_them():
    Z = fitted(MIXED, TREES).transform(MIXED)
    assert_array_equal(
        np.isnan(Z).any(axis=0), [column in NUMERIC and column != "flag" for column in NUMERIC] + [0] * 18
    )


def test_categories_are_learned_in_the_training_fold():
    X = pd.DataFrame({"a": pd.Categorical(["x", "y", "z"])})
    pipeline = make_pipeline(*steps_before(data_of(X), UNSCALED)).fit(X[:2])
    assert_array_equal(pipeline.transform(X), [[1, 0], [0, 1], [0, 0]])


def test_rare_categories_share_a_column():
    X = pd.DataFrame({"id": [f"person {k}" for k in range(100)] * 2 + ["unknown"] * 9})
    pipeline = make_pipeline(*steps_before(data_of(X), UNSCALED)).fit(X)
    Z = pipeline.transform(X)
    assert Z.shape == (209, MOST_CATEGORIES)
    assert_array_equal(Z.sum(axis=1), 1)
    nobody = pipeline.transform(pd.DataFrame({"id": ["somebody new"]}))
    assert Z[:, nobody.argmax()].sum() == 2 * (100 - MOST_CATEGORIES + 2)


@pytest.mark.parametrize(
    "X", [TABLE, HOLES, IMAGES, SPARSE, MIXED], ids=["table", "holes", "images", "sparse", "mixed"]
)
def test_the_steps_travel_and_have_a_lasting_hash(X):
    steps, again = steps_before(data_of(X), SCALED), steps_before(data_of(X), SCALED)
    assert joblib.hash(steps) == joblib.hash(again)
    assert joblib.hash(pickle.loads(pickle.dumps(steps))) == joblib.hash(steps)
    assert len(pickle.dumps(steps)) < 5000


def test_a_mapped_array_is_neither_imputed_nor_searched_for_missing_values(tmp_path):
    np.save(tmp_path / "X.npy", IMAGES)
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert [type(step).__name__ for step in steps_before(data_of(X), SCALED)] == ["FunctionTransformer", "MappedScaler"]
    assert_allclose(fitted(X, SCALED).transform(X), fitted(IMAGES, SCALED).transform(IMAGES))
