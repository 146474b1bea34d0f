"""Scores of labels at positions: numbers worked out by hand, and scikit-learn's scores as the oracle."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import f1_score, jaccard_score

from sknn.metrics import dice_score, iou_score

TRUTH = [[0, 0, 1, 1], [0, 0, 0, -1]]
PREDICTED = [[0, 0, 0, 1], [0, 0, 0, 1]]
RAGGED = [np.array([0, 1]), np.array([1, 1, 2])], [np.array([0, 0]), np.array([1, 2, 2])]


class Case(NamedTuple):
    truth: Any
    predicted: Any
    scores: list  # of each class that occurs
    options: dict = {}  # noqa: RUF012


CASES = {
    # 5 of class 0 in truth, 6 predicted, 5 in both; 2 of class 1, 1 predicted, 1 in both
    "two classes": Case(TRUTH, PREDICTED, [10 / 11, 2 / 3], {"unlabelled": -1}),
    "where -1 is a class": Case(TRUTH, PREDICTED, [0.0, 10 / 11, 2 / 4]),
    "weights of samples": Case(TRUTH, PREDICTED, [2 * 8 / 17, 2 / 3], {"unlabelled": -1, "sample_weight": [1, 2]}),
    "a sample of weight zero": Case(TRUTH, PREDICTED, [4 / 5, 2 / 3], {"unlabelled": -1, "sample_weight": [1, 0]}),
    "classes that weigh nothing": Case([[0], [1]], [[0], [1]], [1.0], {"sample_weight": [3, 0]}),
    "ragged lists": Case(*RAGGED, [2 / 3, 2 / 4, 2 / 3]),
    "object arrays": Case(*(np.array(each, object) for each in RAGGED), [2 / 3, 2 / 4, 2 / 3]),
    "perfect": Case(TRUTH, TRUTH, [1.0, 1.0, 1.0]),
    "nothing right": Case([[0, 0]], [[1, 1]], [0.0, 0.0]),
    "words": Case([["a", "?", "b"]], [["a", "a", "a"]], [2 / 3, 0.0], {"unlabelled": "?"}),
    "label maps": Case(np.eye(4).reshape(1, 4, 4), np.ones((1, 4, 4)), [0.0, 8 / 20]),
    "a class predicted that occurs nowhere": Case([[0, 0]], [[0, 3]], [2 / 3, 0.0]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_by_hand(case):
    found = dice_score(case.truth, case.predicted, average=None, **case.options)
    assert_allclose(found, case.scores, rtol=1e-12)
    assert_allclose(dice_score(case.truth, case.predicted, **case.options), np.mean(case.scores), rtol=1e-12)
    overlaps = np.array(case.scores) / (2 - np.array(case.scores))
    assert_allclose(iou_score(case.truth, case.predicted, average=None, **case.options), overlaps, rtol=1e-12)
    assert_allclose(iou_score(case.truth, case.predicted, **case.options), np.mean(overlaps), rtol=1e-12)


def test_intersection_over_union_by_hand():
    # class 0: 5 in both, 6 in either; class 1: 1 in both, 2 in either
    assert_allclose(iou_score(TRUTH, PREDICTED, average=None, unlabelled=-1), [5 / 6, 1 / 2], rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("unlabelled", [None, 2])
@pytest.mark.parametrize(
    ("score", "oracle"), [(dice_score, f1_score), (iou_score, jaccard_score)], ids=["Dice and F1", "IoU and Jaccard"]
)
def test_it_is_the_score_of_positions(score, oracle, weighted, unlabelled):
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(4, size=(2, 7, 5, 3))
    weight = rng.uniform(size=7) if weighted else None
    known = truth.ravel() != unlabelled
    each = None if weight is None else np.repeat(weight, 15)[known]
    rows = truth.ravel()[known], predicted.ravel()[known]
    for average in ("macro", None):
        found = score(truth, predicted, average=average, unlabelled=unlabelled, sample_weight=weight)
        assert_allclose(found, oracle(*rows, average=average, sample_weight=each), rtol=1e-12)


each_score = pytest.mark.parametrize("score", [dice_score, iou_score])


@each_score
def test_no_labelled_position_has_no_score(score):
    assert np.isnan(score([[-1, -1]], [[0, 1]], unlabelled=-1))
    assert score([[-1, -1]], [[0, 1]], unlabelled=-1, average=None).shape == (0,)
    assert np.isnan(score([[1, 1]], [[0, 1]], sample_weight=[0]))


@each_score
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 1]], [[0, 1]], "micro"), "average='micro' must be 'macro' or None"),
        (([[0, 1], [0]], [[0, 1], [0, 0]]), "must have the same positions, but differ in sample 1"),
        (([[0, 1], [0]], [[0, 1]]), "must have the same positions, but differ in sample 1"),
        (([], []), "y_true holds no samples"),
        ((None, [[1]]), "y_true must hold the labels of each sample, got None"),
        (([[1]], 1), "y_pred must hold the labels of each sample, got 1"),
        (([[np.nan, 1.0]], [[1, 1]]), "y_true contains NaN, which is no label"),
        ((np.ma.masked_array([[0, 1]], [[0, 1]]), [[0, 1]]), "y_true is masked in places: fill them with a label"),
        (([[0, 1]], [np.ma.masked_array([0, 1], [0, 1])]), "y_pred is masked in places: fill them with a label"),
        (([[0, 1]], [[0, 1]], "macro", None, [-1]), "sample_weight must not be negative or NaN"),
        (([[0, 1]], [[0, 1]], "macro", None, [np.nan]), "sample_weight must not be negative or NaN"),
        (([[0, 1]], [[0, 1]], "macro", None, [1, 2]), r"sample_weight has shape \(2,\), but there are 1 samples"),
    ],
)
def test_errors(score, arguments, message):
    truth, predicted, *options = arguments
    named = dict(zip(("average", "unlabelled", "sample_weight"), options, strict=False))
    with pytest.raises(ValueError, match=message):
        score(truth, predicted, **named)
