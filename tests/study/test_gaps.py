"""Columns without values: histogram boosting learns beside them, and keeps the missing values that tell something."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline

from sknn.study import Study
from sknn.study.gaps import GapFiller


def table(n_samples):
    random = np.random.RandomState(0)
    X = random.normal(size=(n_samples, 3))
    return X, (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "as_table", [np.asarray, pd.DataFrame, lambda X: pd.DataFrame(X, columns=list("abc")).assign(kind="a")]
)
def test_a_column_that_is_missing_throughout_a_training_fold_fails_nothing(as_table):
    X, y = table(100)
    X[:, 2] = np.where(np.arange(100) < 50, 1.0, np.nan)
    X[::7, 1] = np.nan
    halves = [(np.arange(50, 100), np.arange(50)), (np.arange(50), np.arange(50, 100))]
    results = Study(["hist_gradient_boosting", "logistic"], cv=halves).run(as_table(X), y).results
    assert results["error"].isna().all()
    assert (results["accuracy"] > 0.8).all()


def test_a_value_that_boosting_holds_back_fails_nothing():
    X, y = table(10_100)
    X[:, 2] = np.nan
    X[0, 2] = 1.0
    boosting = HistGradientBoostingClassifier(max_iter=1, random_state=11)  # with the value among the rows held back
    with pytest.raises(ValueError, match="window shape"):
        boosting.fit(X, y)
    make_pipeline(GapFiller(), boosting).fit(X, y)


@pytest.mark.parametrize(("n_known", "n_samples", "filled"), [(1, 100, False), (1, 101, True), (20, 3000, False)])
def test_few_values_count_as_none_only_beside_many_rows(n_known, n_samples, filled):
    X = np.full((n_samples, 1), np.nan)
    X[:n_known] = 5.0
    Z = GapFiller().fit_transform(X)
    assert_array_equal(Z[:n_known], 5.0)
    assert_array_equal(np.isnan(Z[n_known:]), not filled)
