"""Values that NumPy would read as something else are refused by name, wherever they are handed over."""

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from sknn import CNNClassifier, MLPClassifier, MLPRegressor, NetworkRegressor, PerceptronClassifier, PerceptronRegressor
from sknn.template.values import numbers, rows

ESTIMATORS = [
    MLPClassifier, MLPRegressor, CNNClassifier, NetworkRegressor, PerceptronClassifier, PerceptronRegressor,
]  # fmt: skip
rng = np.random.RandomState(0)
X, Y = rng.normal(size=(12, 3)), np.arange(12) % 2
QUICK: dict[str, Any] = {"tol": 100.0, "n_iter_no_change": 1}
MASK = np.arange(12) == 3
DAYS = np.arange("2020-01-01", "2020-01-13", dtype="datetime64[D]")
SECONDS = DAYS - DAYS[0]


class Refused(NamedTuple):
    """Values, and the error that they get."""

    values: Any
    error: type[Exception]
    message: str


NO_ROWS = {
    "a generator": Refused((row for row in X), TypeError, "must be an array, a table or a list, got generator; make"),
    "a dict": Refused({"a": X[:, 0]}, TypeError, "got dict"),
    "a set": Refused({1, 2}, TypeError, "got set"),
    "a word": Refused("abc", TypeError, "got str"),
    "a lazy table": Refused(pl.DataFrame(X).lazy(), TypeError, r"got LazyFrame; make .* collect\(\)"),
}
MASKED = {
    "masked": Refused(np.ma.masked_array(X, X > 1), ValueError, rf"is masked in {(X > 1).sum()} place\(s\): fill"),
    "masked rows": Refused([np.ma.masked_array([1.0, 2.0], [0, 1])] * 2, ValueError, r"is masked in 2 place\(s\)"),
}
DATES = {
    "dates": Refused(DAYS[:, None], ValueError, "holds dates or times, which are no numbers: measure them, as"),
    "spans of time": Refused(SECONDS[:, None], ValueError, "holds dates or times, which"),
    "dates of a table": Refused(
        pd.DataFrame({"a": X[:, 0], "day": DAYS}), ValueError, "dates or times in column 'day'"
    ),
    "dates with a zone": Refused(
        pd.DataFrame({"day": pd.to_datetime(DAYS).tz_localize("UTC")}), ValueError, "in column 'day'"
    ),
    "dates of polars": Refused(pl.DataFrame({"day": [datetime.date(2020, 1, 1)] * 12}), ValueError, "in column 'day'"),
    "dates of arrow": Refused(pd.DataFrame({"day": DAYS}).astype("date32[pyarrow]"), ValueError, "in column 'day'"),
}


@pytest.mark.parametrize("case", {**NO_ROWS, **MASKED, **DATES})
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_x_is_refused_in_fit_and_predict(estimator, case):
    values, error, message = {**NO_ROWS, **MASKED, **DATES}[case]
    with pytest.raises(error, match=f"^X .*{message}"):
        estimator().fit(values, Y)
    fitted = estimator(**QUICK).fit(X, Y)
    before = dict(vars(fitted))
    with pytest.raises(error, match=f"^X .*{message}"):
        fitted.predict(values)
    with pytest.raises(error, match=f"^X .*{message}"):
        fitted.fit(values, Y)
    assert all(vars(fitted)[name] is value for name, value in before.items())


@pytest.mark.parametrize("case", NO_ROWS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_y_and_weights_have_rows(estimator, case):
    values, error, message = NO_ROWS[case]
    with pytest.raises(error, match=f"^y .*{message}"):
        estimator().fit(X, values)
    with pytest.raises(error, match=f"^sample_weight .*{message}"):
        estimator().fit(X, Y, sample_weight=values)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_masks_of_y_and_weights_are_not_dropped(estimator):
    hidden = np.ma.masked_array(np.ones(12, int), MASK)
    with pytest.raises(ValueError, match=r"^y is masked in 1 place\(s\)"):
        estimator().fit(X, np.ma.masked_array(Y, MASK))
    with pytest.raises(ValueError, match=r"^sample_weight is masked in 1 place\(s\)"):
        estimator().fit(X, Y, sample_weight=hidden)
    with pytest.raises(
        ValueError, match=r"^sample_weight must be one number for each sample, but has shape \(12, 1, 1\)"
    ):
        estimator().fit(X, Y, sample_weight=np.ones((12, 1, 1)))
    with pytest.raises(ValueError, match=r"^y has shape \(12, 1, 1\), but .* takes one target for each sample"):
        estimator().fit(X, np.ones((12, 1, 1), int))
    with pytest.raises(ValueError, match=r"^sample_weight must be|Input sample_weight contains NaN"):
        estimator().fit(X, Y, sample_weight=np.nan)


@pytest.mark.parametrize("y", [DAYS, SECONDS, pd.Series(DAYS), np.r_[DAYS[:-1], np.datetime64("NaT")]])
def test_dates_are_no_numbers_to_learn(y):
    with pytest.raises(ValueError, match=r"^y holds dates or times, which are no numbers: measure them"):
        MLPRegressor().fit(X, y)
    model = MLPRegressor(4, **QUICK)
    assert np.isfinite(model.fit(X, (DAYS - DAYS.min()) / np.timedelta64(1, "D")).predict(X)).all()


def test_dates_may_be_labels_but_none_is_missing():
    labels = np.array(["2020", "2021"], "datetime64[Y]")
    model = MLPClassifier(4, **QUICK).fit(X, labels[Y])
    assert_array_equal(model.classes_, labels)
    labels[0] = "NaT"
    with pytest.raises(ValueError, match=r"y contains NaN, None or NA in 6 of 12 places, the first .* in row 0"):
        MLPClassifier().fit(X, labels[Y])


WORDS = pd.DataFrame({"mass": X[:, 0], "island": ["Dream", "Biscoe"] * 6})
UNREADABLE: dict[str, tuple[Callable, str]] = {
    "words of a table": (lambda: MLPClassifier().fit(WORDS, Y), "'Dream' in column 'island' of X: turn words into"),
    "ragged rows": (lambda: MLPClassifier().fit([[1.0], [2.0, 3.0]] * 6, Y), "X must be rows of numbers, all of one"),
    "words to learn": (lambda: MLPRegressor().fit(X, ["a", "b"] * 6), "y must be numbers for a regressor: .*'a'"),
    "several words to learn": (lambda: MLPRegressor().fit(X, np.full((12, 2), "a", object)), "y must be numbers for a"),
    "lists of labels": (lambda: MLPClassifier().fit(X, [["a", "b"], ["c"]] * 6), "y holds lists of .*MultiLabelBinari"),
    "None among series": (
        lambda: CNNClassifier(global_pooling="max").fit([np.ones(3), None] * 6, Y),
        r"sample 1 of X has shape \(\)",
    ),
    "a masked series": (
        lambda: CNNClassifier(global_pooling="max").fit(
            pd.Series([np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), np.ones(4)] * 6), Y
        ),
        "sample 0 of X is masked in 1 of its 3 places",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_number_is_named(case):
    call, message = UNREADABLE[case]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("values", [X, X.tolist(), tuple(map(tuple, X)), pd.DataFrame(X), pl.DataFrame(X), range(3)])
def test_what_has_rows_comes_back_as_it_is(values):
    assert rows("X", values) is numbers("X", values) is values


def test_what_is_masked_nowhere_is_taken():
    model = MLPClassifier(4, **QUICK, random_state=0)
    expected = model.fit(X, Y).predict_proba(X)
    assert_array_equal(
        model.fit(np.ma.masked_array(X), np.ma.masked_array(Y)).predict_proba(np.ma.masked_array(X)), expected
    )
