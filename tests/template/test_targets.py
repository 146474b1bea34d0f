"""Targets: every kind of y goes into numbers for the loss and comes back out of raw outputs."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sknn import MLPClassifier, PerceptronClassifier
from sknn.losses import HuberLoss, PoissonDeviance, QuantileLoss, SquaredError
from sknn.template.targets import (
    ClassTarget,
    JointClassTarget,
    MultilabelTarget,
    QuantileTarget,
    RealTarget,
    class_target,
    complete,
    stated_target,
)

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")

# -- classes -------------------------------------------------------------------------------------------------------


class Labels(NamedTuple):
    """Labels, the sorted classes they should give, and the numbers they should be encoded as."""

    y: np.ndarray
    classes: list
    numbers: list


LABELS = {
    "words": Labels(np.array(["c", "a", "b", "a"]), ["a", "b", "c"], [2, 0, 1, 0]),
    "negative": Labels(np.array([7, -1, 0]), [-1, 0, 7], [2, 0, 1]),
    "floats": Labels(np.array([2.0, 0.0, 5.0]), [0.0, 2.0, 5.0], [1, 0, 2]),
    "two": Labels(np.array(["yes", "no", "yes"]), ["no", "yes"], [[1], [0], [1]]),
    "bools": Labels(np.array([True, False]), [False, True], [[1], [0]]),
    "one": Labels(np.array([3, 3]), [3], [[0], [0]]),
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("dtype", [FLOAT32, FLOAT64])
def test_classes_are_encoded_as_the_loss_wants_them(dtype, labels):
    y, classes, numbers = LABELS[labels]
    target = ClassTarget(y)
    encoded = target.encode(y, dtype)
    assert_array_equal(target.classes_, classes)
    assert_array_equal(encoded, numbers)
    assert target.n_outputs == (1 if len(classes) < 3 else len(classes))
    assert target.loss.link == ("logistic" if target.n_outputs == 1 else "softmax")
    if target.n_outputs == 1:
        assert encoded.dtype == dtype  # a factor in the loss; the numbers of several classes are an index
    else:
        assert encoded.dtype.kind == "i"
    assert np.isfinite(target.loss(np.zeros((len(y), target.n_outputs), dtype), encoded)).all()
    assert_array_equal(target.attributes["classes_"], classes)


@pytest.mark.parametrize("labels", LABELS)
def test_classes_come_back_from_raw_outputs_that_say_them(labels):
    y, classes, numbers = LABELS[labels]
    target = ClassTarget(y)
    raw = 8.0 * np.eye(len(classes))[numbers] if len(classes) > 2 else 16.0 * np.array(numbers) - 8.0
    decoded = target.decode(raw)
    assert_array_equal(decoded, y)
    assert decoded.dtype == target.classes_.dtype
    assert target.proba(raw).shape == target.log_proba(raw).shape == (len(y), len(classes))
    assert_allclose(target.proba(raw).sum(axis=1), 1.0)
    assert_allclose(np.exp(target.log_proba(raw)), target.proba(raw))
    assert_array_equal(target.classes_[target.proba(raw).argmax(axis=1)], y)


def test_probabilities_by_hand():
    two, three = ClassTarget(np.array([0, 1])), ClassTarget(np.array([0, 1, 2]))
    assert_allclose(two.proba(np.array([[np.log(3.0)], [0.0]])), [[0.25, 0.75], [0.5, 0.5]])
    assert_allclose(three.proba(np.log([[1.0, 2.0, 5.0]])), [[0.125, 0.25, 0.625]])
    assert_array_equal(two.decode(np.array([[0.0]])), [0])  # undecided: the first, as argmax would say


@pytest.mark.parametrize("raw", [-1000.0, 1000.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_probabilities_are_finite_and_keep_the_precision(dtype, raw):
    outputs = np.array([[raw, 0.0, -raw]], dtype)
    for target, columns in [
        (ClassTarget(np.array([0, 1])), 1),
        (ClassTarget(np.array([0, 1, 2])), 3),
        (MultilabelTarget(np.zeros((1, 3))), 3),
    ]:
        logs = target.log_proba(outputs[:, :columns])
        assert np.isfinite(logs).all()
        assert logs.min() <= (-1000 if dtype == "float64" else np.log(np.finfo(dtype).tiny))
        assert logs.dtype == target.proba(outputs[:, :columns]).dtype == dtype


def test_a_later_fit_may_lack_classes_only_where_it_is_a_part():
    target = ClassTarget(np.array(["a", "b", "c"]))
    target.check(np.array(["b", "a"]), all_of_them=False)
    target.check(np.array(["c", "b", "a", "a"]), all_of_them=True)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        target.check(np.array(["b", "a"]), all_of_them=True)
    for all_of_them, message in [(True, "same classes"), (False, "`y` has classes not in `self.classes_`")]:
        with pytest.raises(ValueError, match=message):
            target.check(np.array(["a", "b", "d"]), all_of_them=all_of_them)


# -- several labels at once ----------------------------------------------------------------------------------------


def test_labels_go_in_and_come_out():
    y = np.array([[1, 0, 1], [0, 0, 0]])
    target = MultilabelTarget(y)
    assert target.n_outputs == 3
    assert_array_equal(target.classes_, [0, 1, 2])
    assert target.encode(y, FLOAT32).dtype == FLOAT32
    assert_array_equal(target.encode(y, FLOAT32), y)
    raw = np.where(y, np.log(3.0), -np.log(3.0))
    assert_array_equal(target.decode(raw), y)
    assert_allclose(target.proba(raw), np.where(y, 0.75, 0.25))
    assert_allclose(target.log_proba(raw), np.log(target.proba(raw)))
    assert target.loss.link == "logistic"


@pytest.mark.parametrize("y", [np.array([0, 1]), np.zeros((2, 2)), np.zeros((2, 4))])
def test_another_number_of_labels_is_refused(y):
    with pytest.raises(ValueError, match="but the first fit had 3 labels"):
        MultilabelTarget(np.zeros((2, 3))).check(y, all_of_them=False)


# -- several classes at once ---------------------------------------------------------------------------------------

COLUMNS = {
    "words": np.array([["a", "x"], ["b", "yy"], ["b", "z"], ["a", "yy"]]),
    "numbers": np.array([[1, 7], [1, 8], [2, 9], [1, 8]]),
    "words and numbers": np.array([["a", 7], ["b", 8], ["b", 9], ["a", 8]], dtype=object),
    "numbers and words": np.array([[1, "u"], [2, "v"], [2, "w"], [1, "v"]], dtype=object),
    "bools and words": np.array([[True, "u"], [False, "v"], [False, "w"], [True, "v"]], dtype=object),
    "one class beside three": np.array([[4, 0], [4, 1], [4, 2], [4, 1]]),
}


@pytest.mark.parametrize("columns", COLUMNS)
def test_columns_of_classes_go_in_and_come_out(columns):
    y = COLUMNS[columns]
    target = class_target(y)
    assert [len(classes) for classes in target.classes_] == [len(set(column)) for column in y.T]
    assert target.n_outputs == 4
    target.check(y, all_of_them=True)
    numbers = target.encode(y, FLOAT32)
    assert numbers.dtype.kind == "i"
    raw = np.hstack([16.0 * numbers[:, :1] - 8.0, 8.0 * np.eye(3)[numbers[:, 1]]])
    assert_array_equal(target.decode(raw), y)
    for probability, logarithm, classes, column in zip(
        target.proba(raw), target.log_proba(raw), target.classes_, y.T, strict=True
    ):
        assert_allclose(probability.sum(axis=1), 1.0)
        assert_allclose(np.exp(logarithm), probability)
        assert_array_equal(classes[probability.argmax(axis=1)], column)


def test_another_class_in_a_column_is_refused():
    target = class_target(COLUMNS["words and numbers"])
    target.check(COLUMNS["words and numbers"][:2], all_of_them=False)
    with pytest.raises(ValueError, match="`y` has classes not in"):
        target.check(np.array([["ab", 7]], dtype=object), all_of_them=False)
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        target.check(COLUMNS["words and numbers"][:2], all_of_them=True)
    with pytest.raises(ValueError, match=r"shape \(2,\), but the first fit had 2 columns of classes"):
        target.check(np.array(["a", "b"]), all_of_them=False)


# -- which kind it is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.array([0, 1, 1]), ClassTarget),
        (np.array(["a", "b", "c"]), ClassTarget),
        (np.array([1.0, 2.0]), ClassTarget),
        (np.array([[0, 1], [1, 1]]), MultilabelTarget),
        (np.array([[True, False], [True, True]]), MultilabelTarget),
        (np.array([[1, 2], [3, 1]]), JointClassTarget),
        (np.array([[1, 2], [2, 1]]), JointClassTarget),  # two numbers, but no indicators
        (np.array([["a", "b"], ["b", "b"]]), JointClassTarget),
        (np.array([[0, "b"], [1, "c"]], dtype=object), JointClassTarget),
    ],
)
def test_kind_of_target_for_classes(y, kind):
    assert isinstance(class_target(y), kind)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([0.5, 1.5]), "Unknown label type: continuous"),
        (np.array([[0.5, 1.5], [1.0, 2.0]]), "Unknown label type: continuous-multioutput"),
        (np.array([0, 1e300, -1e300]), r"type: continuous\b.* such as 0.0, 1e\+300, -1e\+300: turn them into integers"),
    ],
)
def test_no_target_for_a_classifier(y, message):
    with pytest.raises(ValueError, match=message):
        class_target(y)


MISSING = {
    "None": (
        ["a", None, "b", None],
        r"y contains NaN, None or NA in 2 of 4 places, the first \(None\) in row 1: leave",
    ),
    "NaN": (["a", "b", float("nan")], r"in 1 of 3 places, the first \(nan\) in row 2"),
    "NA": ([pd.NA, "b"], r"in 1 of 2 places, the first \(<NA>\) in row 0"),
    "several columns": ([["a", "b"], ["b", None]], r"in 1 of 4 places, the first \(None\) in row 1"),
}


@pytest.mark.parametrize(("y", "message"), MISSING.values(), ids=MISSING)
@pytest.mark.parametrize(
    "fit",
    [
        lambda y: MLPClassifier().fit(np.eye(len(y)), y),
        lambda y: MLPClassifier().partial_fit(np.eye(len(y)), y, classes=["a", "b"]),
        lambda y: PerceptronClassifier().fit(np.eye(len(y)), y),
    ],
    ids=["fit", "partial_fit", "the rule"],
)
def test_missing_labels_are_counted_and_the_first_is_named(fit, y, message):
    with pytest.raises(ValueError, match=message):
        fit(np.array(y, object))


def test_objects_without_gaps_are_complete():
    y = np.array(["a", 1, 2.5], object)
    assert complete(y) is y


class First(NamedTuple):
    """A first call of partial_fit, and the classes that follow."""

    y: Any
    classes: Any
    expected: list


@pytest.mark.parametrize(
    "call",
    [
        First([0, 1], [2, 0, 1], [0, 1, 2]),
        First(np.array(["b"]), np.array(["b", "a"]), ["a", "b"]),
        First(np.array([[0, 1, 1], [1, 0, 0]]), [0, 1, 2], [0, 1, 2]),
        First(csr_array(np.array([[0, 1, 1], [1, 0, 0]])), [0, 1, 2], [0, 1, 2]),
    ],
)
def test_the_first_partial_fit_makes_the_target(call):
    target = stated_target(call.y, call.classes)
    assert_array_equal(target.classes_, call.expected)


@pytest.mark.parametrize("classes", [[[0, 1, 2], ["a", "b"]], [np.array([2, 1, 0]), np.array(["b", "a"])]])
def test_classes_of_columns_come_in_a_list(classes):
    y = np.array([[0, "a"], [1, "b"]], dtype=object)
    target = stated_target(y, classes)
    assert [list(each) for each in target.classes_] == [[0, 1, 2], ["a", "b"]]
    assert stated_target(y, classes, target.classes_) is None
    for others in ([[0, 1], ["a", "b"]], [[0, 1, 2]], [0, 1, 2]):
        with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
            stated_target(y, others, target.classes_)


def test_the_first_partial_fit_needs_classes():
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        stated_target([0, 1], None)


def test_later_partial_fits_may_repeat_the_classes_but_not_change_them():
    known = np.array([0, 1, 2])
    assert stated_target([0, 1], None, known) is None
    assert stated_target([0, 1], [2, 1, 0], known) is None
    with pytest.raises(ValueError, match="is not the same as on last call to partial_fit"):
        stated_target([0, 1], [0, 1], known)


# -- real numbers --------------------------------------------------------------------------------------------------

Y = np.random.RandomState(0).normal(size=40) * 3.0 + 7.0
TWO = np.column_stack([Y, 1e4 * Y**2])


@pytest.mark.parametrize("y", [Y, TWO], ids=["one output", "two outputs"])
def test_numbers_are_standardised(y):
    target = RealTarget(y, None, SquaredError(), standardise=True)
    encoded = target.encode(y, FLOAT64)
    assert target.n_outputs == encoded.shape[1] == (1 if y.ndim == 1 else 2)
    assert_array_equal(encoded, np.round(encoded * 2**32) / 2**32)  # so that a change of units changes no bit
    assert_allclose(encoded.mean(axis=0), 0.0, atol=2**-33)
    assert_allclose(encoded.std(axis=0), 1.0)
    assert_allclose(target.decode(encoded), y)
    assert target.decode(encoded).shape == y.shape
    assert_allclose(target.attributes["y_mean_"], y.mean(axis=0))
    assert_allclose(target.attributes["y_scale_"], y.std(axis=0))


def test_numbers_are_left_alone_without_standardising():
    target = RealTarget(TWO, None, SquaredError(), standardise=False)
    assert_array_equal(target.encode(TWO, FLOAT64), TWO)
    assert_array_equal(target.decode(TWO), TWO)
    assert_array_equal(target.attributes["y_mean_"], [0.0, 0.0])
    assert_array_equal(target.attributes["y_scale_"], [1.0, 1.0])


def test_a_sample_of_weight_two_counts_like_two():
    weight = np.arange(len(Y)) % 3
    weighted = RealTarget(Y, weight, SquaredError(), standardise=True)
    repeated = RealTarget(np.repeat(Y, weight), None, SquaredError(), standardise=True)
    assert_allclose(weighted.mean_, repeated.mean_)
    assert_allclose(weighted.scale_, repeated.scale_)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e-30, 1e300])
def test_a_constant_is_shifted_only(value):
    y = np.full(7, value)
    target = RealTarget(y, None, SquaredError(), standardise=True)
    assert_array_equal(target.scale_, [1.0])
    assert_allclose(target.decode(np.zeros((7, 1))), y, rtol=1e-14)
    assert np.isfinite(target.encode(y, FLOAT64)).all()


@pytest.mark.parametrize("factor", [1e-300, 1e-12, 1e12, 1e300])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_no_scale_overflows_or_vanishes(shift, factor):
    y = factor * (Y - Y.mean() + shift)
    target = RealTarget(y, None, SquaredError(), standardise=True)
    assert_allclose(target.scale_, factor * Y.std())
    assert_allclose(target.encode(y, FLOAT64).std(), 1.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_keep_the_precision_of_the_raw_outputs(dtype):
    target = RealTarget(TWO, None, HuberLoss(), standardise=True)
    assert target.encode(TWO, np.dtype(dtype)).dtype == dtype
    assert target.decode(np.zeros((3, 2), dtype)).dtype == dtype
    assert_allclose(target.decode(np.zeros((3, 2), dtype)), np.tile(TWO.mean(axis=0), (3, 1)), rtol=1e-6)


def test_whole_numbers_and_bools_are_numbers():
    for y in (np.array([1, 2, 6]), np.array([True, False, True])):
        target = RealTarget(y, None, SquaredError(), standardise=True)
        assert_allclose(target.decode(target.encode(y, FLOAT64)), y, rtol=0, atol=1e-9)


def test_counts_are_predicted_through_their_link():
    target = RealTarget(np.array([0.0, 3.0]), None, PoissonDeviance(), standardise=False)
    assert_allclose(target.decode(np.log([[2.0], [5.0]])), [2.0, 5.0])
    target.check(np.array([0.0, 9.0]), all_of_them=False)
    with pytest.raises(ValueError, match=r"loss='poisson' takes counts: y must not be negative, got -1\.0"):
        target.check(np.array([0.0, -1.0]), all_of_them=False)


@pytest.mark.parametrize(("first", "later"), [(Y, TWO), (TWO, Y), (TWO, np.zeros((5, 3)))])
def test_another_number_of_outputs_is_refused(first, later):
    target = RealTarget(first, None, SquaredError(), standardise=True)
    target.check(first[:3], all_of_them=False)
    with pytest.raises(ValueError, match=f"but the first fit had {target.n_outputs} outputs"):
        target.check(later, all_of_them=False)


# -- quantiles -----------------------------------------------------------------------------------------------------


def quantiles(*levels: float) -> QuantileTarget:
    return QuantileTarget(Y, None, QuantileLoss(levels), standardise=True)


def test_quantiles_never_cross_and_keep_the_order_asked_for():
    raw = np.random.RandomState(1).normal(size=(50, 4))
    found = quantiles(0.9, 0.1, 0.5, 0.7).all_quantiles(raw)
    assert (np.diff(found[:, [1, 2, 3, 0]], axis=1) >= 0).all()
    assert_allclose(np.sort(found, axis=1), np.sort(raw, axis=1) * Y.std() + Y.mean())


def test_sorting_raises_no_pinball_loss():
    raw, levels = np.random.RandomState(2).normal(size=(200, 3)), (0.2, 0.5, 0.9)
    loss, target = QuantileLoss(levels), np.random.RandomState(3).normal(size=(200, 1))
    assert (loss(np.sort(raw, axis=1), target) <= loss(raw, target) + 1e-15).all()


@pytest.mark.parametrize(
    ("levels", "nearest"),
    [((0.3,), 0.3), ((0.1, 0.9), 0.1), ((0.7, 0.3), 0.3), ((0.4, 0.6), 0.4), ((0.05, 0.9, 0.6), 0.6)],
)
def test_the_prediction_is_the_quantile_nearest_the_median(levels, nearest):
    target, raw = quantiles(*levels), np.random.RandomState(1).normal(size=(9, len(levels))).astype("float32")
    assert target.central == nearest
    assert target.decode(raw).dtype == target.all_quantiles(raw).dtype == np.float32
    assert_array_equal(target.decode(raw), target.all_quantiles(raw)[:, levels.index(nearest)])


def test_quantiles_share_one_encoded_target():
    target = quantiles(0.1, 0.5)
    assert target.n_outputs == 2
    assert target.encode(Y, FLOAT32).shape == (len(Y), 1)
    assert_allclose(target.attributes["y_scale_"], Y.std())
    target.check(Y, all_of_them=True)


def test_quantiles_are_those_of_one_target():
    with pytest.raises(ValueError, match=r"loss='quantile' takes one target, got y of shape \(40, 2\)"):
        QuantileTarget(TWO, None, QuantileLoss((0.5,)), standardise=True)


# -- classes that are stated ----------------------------------------------------------------------------------------

STATED: dict[str, tuple[Any, type[Exception], str]] = {
    "one number": (3, TypeError, "classes must be an array, a table or a list, got int"),
    "a word": ("ab", TypeError, "classes must be an array, a table or a list, got str"),
    "a set": ({0, 1}, TypeError, "classes must be an array, a table or a list, got set"),
    "a generator": ((k for k in (0, 1)), TypeError, "classes must be an array, a table or a list, got generator"),
    "None": ([0, None], ValueError, r"classes contains NaN, None or NA in 1 of 2 places, the first \(None\) in row 1"),
    "masked": (np.ma.masked_array([0, 1], [0, 1]), ValueError, r"classes is masked in 1 place\(s\)"),
}


@pytest.mark.parametrize("case", STATED)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_classes_that_are_none_are_refused_and_named(method, case):
    classes, error, message = STATED[case]
    classes = (k for k in (0, 1)) if case == "a generator" else classes
    with pytest.raises(error, match=message):
        getattr(MLPClassifier(), method)(np.zeros((2, 1)), [0, 1], classes=classes)


def test_labels_that_are_none_are_told_by_a_few_of_them():
    with pytest.raises(ValueError, match=r"Unknown label type. y has labels such as 0.5, 1.5, 2.5: turn them") as found:
        MLPClassifier().partial_fit(np.zeros((90, 1)), np.arange(90) + 0.5, classes=[0, 1])
    assert len(str(found.value)) < 200


def test_columns_of_classes_are_refused_where_there_was_one():
    model = MLPClassifier(2, n_iter_no_change=1, tol=100.0, warm_start=True)
    X, y = np.arange(8.0)[:, None], np.arange(8) % 2
    theta = model.fit(X, y).network_.theta.copy()
    with pytest.raises(ValueError, match=r"`y` has shape \(8, 2\), but the first fit, or `classes`, had one column"):
        model.fit(X, np.column_stack([y, y]))
    assert_array_equal(model.network_.theta, theta)
    with pytest.raises(ValueError, match=r"`y` has shape \(8, 2\), but the first fit, or `classes`, had one column"):
        MLPClassifier().partial_fit(X, np.column_stack([y, y + 3]), classes=[0, 1, 3, 4])


def test_strings_of_any_length_are_labels():
    y = np.array(["a", "bb"] * 4, np.dtypes.StringDType())
    model = MLPClassifier(2, n_iter_no_change=1, tol=100.0).fit(np.arange(8.0)[:, None], y)
    assert_array_equal(model.classes_, ["a", "bb"])
