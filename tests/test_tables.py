"""Tables of pandas and polars: the same answers as for arrays, names kept and checked, nullable dtypes, categories."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import ClassifierMixin, MetaEstimatorMixin, RegressorMixin, is_classifier
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sknn
from sknn import MLPClassifier, MLPRegressor, PerceptronClassifier, UNetRegressor

pytestmark = pytest.mark.filterwarnings("ignore:.* of y hold values that are repeated")  # whole numbers, to a flow
PUBLIC = [getattr(sknn, name) for name in sknn.__all__]
APART = (
    UNetRegressor,  # whose y has a number at each pixel: the tests of its room
    MetaEstimatorMixin,  # around an estimator that reads tables and is searched, or does not and is not
)
ESTIMATORS = [
    item
    for item in PUBLIC
    if isinstance(item, type) and issubclass(item, ClassifierMixin | RegressorMixin) and not issubclass(item, APART)
]
CLASSIFIERS = [Estimator for Estimator in ESTIMATORS if issubclass(Estimator, ClassifierMixin)]

every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)

NAMES = ["a", "b", "c"]
WHOLE = np.random.RandomState(0).randint(-3, 4, (60, 3))
REAL = WHOLE.astype(float)
POSITIVE = WHOLE > 0


def target(Estimator, X=REAL):
    number = X @ [2.0, -1.0, 0.5]
    return np.where(number > 0, "yes", "no") if is_classifier(Estimator()) else number


def small(Estimator):
    """What makes those quick that train for a thousand steps."""
    known = Estimator().get_params()
    few = {"units": 4, "width": 4, "n_heads": 2, "depth": 1, "stem": None, "filters": 4, "blocks": 1, "max_iter": 3}
    return {name: value for name, value in few.items() if name in known} if known.get("max_iter") == "auto" else {}


def quick(Estimator):
    return Estimator(tol=0.1, random_state=0, **small(Estimator))


def fitted(Estimator, X, **params):
    return quick(Estimator).set_params(**params).fit(X, target(Estimator))


def assert_same_predictions(found, expected):
    """Numbers may differ in rounding: tables lie in memory column by column."""
    if expected.dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    else:
        assert_array_equal(found, expected)


# -- X -------------------------------------------------------------------------------------------------------------


class Table(NamedTuple):
    """A table, and the same values as an array."""

    frame: object
    values: np.ndarray


TABLES = {
    "pandas": Table(pd.DataFrame(REAL, columns=NAMES), REAL),
    "Int64": Table(pd.DataFrame(WHOLE, columns=NAMES, dtype="Int64"), REAL),
    "Float64": Table(pd.DataFrame(REAL, columns=NAMES, dtype="Float64"), REAL),
    "boolean": Table(pd.DataFrame(POSITIVE, columns=NAMES, dtype="boolean"), POSITIVE.astype(float)),
    "mixed": Table(
        pd.DataFrame({"a": pd.array(WHOLE[:, 0], "Int64"), "b": REAL[:, 1], "c": pd.array(POSITIVE[:, 2], "boolean")}),
        np.column_stack([REAL[:, :2], POSITIVE[:, 2]]),
    ),
    "polars": Table(pl.DataFrame(REAL, schema=NAMES), REAL),
    "polars, whole numbers": Table(pl.DataFrame(WHOLE, schema=NAMES), REAL),
    "polars, booleans": Table(pl.DataFrame(POSITIVE, schema=NAMES), POSITIVE.astype(float)),
}


@every_estimator
@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_learnt_like_the_array_of_its_values(Estimator, kind):
    frame, values = TABLES[kind]
    estimator = fitted(Estimator, frame)
    assert_same_predictions(estimator.predict(frame), fitted(Estimator, values).predict(values))
    assert_array_equal(estimator.feature_names_in_, NAMES)


@every_estimator
@pytest.mark.parametrize("frame", [pd.DataFrame(REAL, columns=NAMES), pl.DataFrame(REAL, schema=NAMES)], ids=type)
def test_names_survive_partial_fit_and_early_stopping(Estimator, frame):
    estimator = fitted(Estimator, frame, early_stopping=True).set_params(early_stopping=False)
    assert_array_equal(estimator.partial_fit(frame, target(Estimator)).feature_names_in_, NAMES)
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.partial_fit(frame[["b", "a", "c"]], target(Estimator))


MISTAKES = {
    "renamed": lambda frame: frame.rename(columns={"a": "z"}),
    "reordered": lambda frame: frame[["b", "a", "c"]],
    "one missing": lambda frame: frame[["a", "b"]],
    "one more": lambda frame: frame.assign(d=0.0),
}


@every_estimator
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_other_names_are_refused_in_scikit_learns_words(Estimator, mistake, kind):
    def table(frame):
        return frame if kind == "pandas" else pl.DataFrame(frame.to_dict("list"))

    frame = pd.DataFrame(REAL, columns=NAMES)
    wrong = table(MISTAKES[mistake](frame))
    peer = LogisticRegression() if is_classifier(Estimator()) else LinearRegression()
    with pytest.raises(ValueError, match="feature names should match") as expected:
        peer.fit(table(frame), target(Estimator)).predict(wrong)
    with pytest.raises(ValueError, match="feature names should match") as found:
        fitted(Estimator, table(frame)).predict(wrong)
    assert str(found.value) == str(expected.value)


@every_estimator
def test_an_array_after_a_table_and_a_table_after_an_array_are_taken_with_a_warning(Estimator):
    frame = pd.DataFrame(REAL, columns=NAMES)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        fitted(Estimator, frame).predict(REAL)
    with pytest.warns(UserWarning, match="X has feature names"):
        fitted(Estimator, REAL).predict(frame)
    assert not hasattr(fitted(Estimator, REAL), "feature_names_in_")


@every_estimator
@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean"])
def test_missing_values_are_refused(Estimator, dtype):
    holed = pd.DataFrame(POSITIVE, columns=NAMES).astype(dtype).mask(POSITIVE & (WHOLE > 2))
    if Estimator().__sklearn_tags__().input_tags.allow_nan:
        assert len(fitted(Estimator, holed).predict(holed)) == len(holed)
    else:
        with pytest.raises(ValueError, match="Input X contains NaN"):
            fitted(Estimator, holed)
    with pytest.raises(ValueError, match=r"(Input y|y) contains NaN"):
        quick(Estimator).fit(REAL, holed["a"])


# -- y and sample weights ------------------------------------------------------------------------------------------

LABELS = {
    "Int64": (pd.Series(WHOLE[:, 0] % 3, dtype="Int64"), "int64"),
    "UInt8": (pd.Series(WHOLE[:, 0] % 3, dtype="UInt8"), "uint8"),
    "Float64": (pd.Series(WHOLE[:, 0] % 3, dtype="Float64"), "float64"),
    "boolean": (pd.Series(POSITIVE[:, 0], dtype="boolean"), "bool"),
    "string": (pd.Series(target(MLPClassifier), dtype="string"), "<U3"),
    "category": (pd.Series(target(MLPClassifier), dtype="category"), "<U3"),
    "polars": (pl.Series(WHOLE[:, 0] % 3), "int64"),
    "polars, categories": (pl.Series(target(MLPClassifier), dtype=pl.Categorical), "<U3"),
}


@pytest.mark.parametrize("Estimator", CLASSIFIERS)
@pytest.mark.parametrize("kind", LABELS)
def test_classes_keep_the_kind_of_the_labels(Estimator, kind):
    labels, dtype = LABELS[kind]
    frame = pd.DataFrame(REAL, columns=NAMES)
    estimator = quick(Estimator).fit(frame, labels)
    assert estimator.classes_.dtype == dtype
    plain = labels.to_numpy().astype(dtype)
    assert_array_equal(estimator.classes_, np.unique(plain))
    assert_array_equal(estimator.predict(frame), quick(Estimator).fit(REAL, plain).predict(REAL))
    estimator.partial_fit(frame, labels, classes=labels.unique())
    assert quick(Estimator).partial_fit(frame, labels, classes=labels.unique()).classes_.dtype == dtype


@pytest.mark.parametrize("dtype", ["Int64", "boolean"])
def test_validation_data_and_weights_of_classes_take_nullable_labels(dtype):
    labels = pd.Series(POSITIVE[:, 0])
    frame = pd.DataFrame(REAL, columns=NAMES)
    weights = {0: 1.0, 1: 2.0}
    estimator = quick(MLPClassifier).set_params(class_weight=weights)
    expected = estimator.fit(frame, labels, X_val=frame, y_val=labels).validation_scores_
    labels = labels.astype(dtype)
    assert estimator.fit(frame, labels, X_val=frame, y_val=labels).validation_scores_ == expected
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.fit(frame, labels, X_val=frame[["b", "a", "c"]], y_val=labels)


def test_large_whole_labels_stay_apart():
    labels = pd.Series(np.where(POSITIVE[:, 0], 2**53, 2**53 + 1), dtype="Int64")
    assert_array_equal(quick(PerceptronClassifier).fit(REAL, labels).classes_, [2**53, 2**53 + 1])


def test_several_columns_of_nullable_labels():
    labels = pd.DataFrame(POSITIVE[:, :2], columns=["p", "q"])
    expected = quick(MLPClassifier).fit(REAL, labels.astype(int)).predict(REAL)
    for dtype in ("boolean", "Int64"):
        assert_array_equal(quick(MLPClassifier).fit(REAL, labels.astype(dtype)).predict(REAL), expected)


NUMBERS = {
    "Int64": pd.Series(WHOLE[:, 0], dtype="Int64"),
    "Float64": pd.Series(REAL[:, 0], dtype="Float64"),
    "boolean": pd.Series(POSITIVE[:, 0], dtype="boolean"),
    "polars": pl.Series(REAL[:, 0]),
    "two columns, Float64": pd.DataFrame(REAL[:, :2], columns=["p", "q"], dtype="Float64"),
    "two columns, mixed": pd.DataFrame({"p": pd.array(WHOLE[:, 0], "Int64"), "q": REAL[:, 1]}),
    "two columns, polars": pl.DataFrame(REAL[:, :2], schema=["p", "q"]),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_nullable_numbers_are_learnt_like_those_of_numpy(kind):
    values = np.asarray(NUMBERS[kind]).astype(float)
    frame = pd.DataFrame(REAL, columns=NAMES, dtype="Float64")
    found = quick(MLPRegressor).fit(frame, NUMBERS[kind])
    assert_same_predictions(found.predict(frame), quick(MLPRegressor).fit(REAL, values).predict(REAL))
    assert found.score(frame, NUMBERS[kind]) == found.score(frame, values)


@every_estimator
@pytest.mark.parametrize(
    "column", [lambda values: pd.Series(values, dtype="Float64"), pl.Series], ids=["Float64", "polars"]
)
def test_sample_weights_from_a_column(Estimator, column):
    weight = 1.0 + POSITIVE[:, 0]
    found = quick(Estimator).fit(REAL, target(Estimator), sample_weight=column(weight))
    assert_array_equal(
        found.predict(REAL), quick(Estimator).fit(REAL, target(Estimator), sample_weight=weight).predict(REAL)
    )


# -- categories ----------------------------------------------------------------------------------------------------


def mixed_table(kind):
    """Numbers with gaps and a category; what is asked for depends on both."""
    rng = np.random.RandomState(0)
    size, colour = rng.normal(size=200), rng.choice(["red", "green", "blue"], 200)
    y = 2.0 * size + np.where(colour == "red", 3.0, -1.0)
    size[::20] = np.nan
    columns = {"size": size, "colour": colour}
    return (pd if kind == "pandas" else pl).DataFrame(columns), y


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_categories_come_through_a_column_transformer(Estimator, kind):
    frame, y = mixed_table(kind)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["size"]),
        (OneHotEncoder(sparse_output=False), ["colour"]),
        verbose_feature_names_out=False,
    ).set_output(transform=kind)
    estimator = Estimator(20, solver="lbfgs", max_iter=2000, alpha=0.1, random_state=0)
    model = make_pipeline(columns, estimator)
    y = y > 0 if is_classifier(estimator) else y
    assert cross_val_score(model, frame, y, cv=3, error_score="raise").mean() > 0.85
    names = ["size", "colour_blue", "colour_green", "colour_red"]
    assert_array_equal(model.fit(frame, y)[-1].feature_names_in_, names)
    with pytest.raises(ValueError, match="feature names should match"):
        model[-1].predict(model[:-1].transform(frame)[names[::-1]])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("truth", ["bool", "boolean", "category"])
def test_columns_of_labels_keep_each_its_own_kind(truth):
    numbers = np.arange(30) % 3
    labels = pd.DataFrame({"number": pd.Series(numbers, dtype="Int64"), "truth": pd.Series(numbers > 0).astype(truth)})
    network = MLPClassifier(4, max_iter=1).fit(np.random.RandomState(0).standard_normal((30, 3)), labels)
    assert [classes.dtype.kind for classes in network.classes_] == ["i", "b"]
