"""Scores of sequences: numbers worked out by hand, and the definition as the oracle."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.metrics import make_scorer

from sknn.metrics import edit_distance, exact_match
from sknn.series import ragged

PAIRS = {  # and what has to be changed
    "nothing": ("walk", "walk", 0),
    "replaced": ("walk", "talk", 1),
    "inserted": ("walk", "walks", 1),
    "deleted": ("walk", "wal", 1),
    "moved by one": ("abcdef", "bcdefa", 2),
    "all others": ("abc", "xyz", 3),
    "kitten": ("kitten", "sitting", 3),
    "intention": ("intention", "execution", 5),
    "nothing predicted": ("abc", "", 3),
    "nothing there": ("", "abc", 3),
    "both empty": ("", "", 0),
    "words": (["turn", "left", "twice"], ["turn", "twice"], 1),
    "numbers": (np.array([1, 2, 3, 4]), np.array([2, 3, 4, 4, 4]), 3),
}


@pytest.mark.parametrize(("truth", "predicted", "distance"), PAIRS.values(), ids=PAIRS)
def test_edits_by_hand(truth, predicted, distance):
    assert edit_distance([truth], [predicted], average=None).tolist() == [distance]
    assert edit_distance([predicted], [truth]) == distance  # what is inserted here is deleted there
    assert exact_match([truth], [predicted]) == (distance == 0)


def test_averages_of_distances():
    truth, predicted = ["walk", "turn left"], ["talk", "turn"]
    assert edit_distance(truth, predicted) == (1 + 5) / 2
    assert edit_distance(truth, predicted, average="rate") == (1 + 5) / (4 + 9)
    assert edit_distance(truth, predicted, sample_weight=[3, 1]) == (3 + 5) / 4
    assert edit_distance(truth, predicted, average="rate", sample_weight=[3, 1]) == (3 + 5) / (3 * 4 + 9)
    assert np.isnan(edit_distance([""], ["a"], average="rate"))


def test_distances_are_those_of_the_definition():
    def distance(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0]))

    rng = np.random.default_rng(0)
    pairs = [[rng.integers(3, size=rng.integers(6)).tolist() for _ in range(2)] for _ in range(50)]
    truth, predicted = zip(*pairs, strict=True)
    assert edit_distance(truth, predicted, average=None).tolist() == [distance(*pair) for pair in pairs]


MATCHES = {
    "strings": (["run", "walk"], ["run", "walks"], {}, 1 / 2),
    "ragged": (ragged([[1, 2], [3]]), ragged([[1, 2], [4]]), {}, 1 / 2),
    "another length": ([[1, 2], [3]], [[1], [3]], {}, 1 / 2),
    "label maps": (np.zeros((2, 3, 3)), np.stack([np.zeros((3, 3)), np.eye(3)]), {}, 1 / 2),
    "another shape": ([np.zeros((2, 3))], [np.zeros((3, 2))], {}, 0.0),
    "unlabelled": ([[0, -1], [1, -1]], [[0, 1], [0, 1]], {"unlabelled": -1}, 1 / 2),
    "weights": (["a", "b"], ["a", "c"], {"sample_weight": [3, 1]}, 3 / 4),
    "labels alone": ([1, 2, 3, 4], [1, 2, 3, 5], {}, 3 / 4),
}


@pytest.mark.parametrize(("truth", "predicted", "options", "share"), MATCHES.values(), ids=MATCHES)
def test_matches_by_hand(truth, predicted, options, share):
    assert exact_match(truth, predicted, **options) == share


@pytest.mark.parametrize("score", [exact_match, edit_distance])
@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ("run", ["run"], "y_true must hold a sequence for each sample, got 'run'"),
        (["run"], None, "y_pred must hold a sequence for each sample, got None"),
        (["run"], ["run", "walk"], "y_true has 1 samples, but y_pred has 2"),
        ([], [], "y_true holds no samples"),
    ],
)
def test_errors_of_sequences(score, truth, predicted, message):
    with pytest.raises(ValueError, match=message):
        score(truth, predicted)


def test_an_average_that_is_none_is_refused():
    with pytest.raises(ValueError, match="average='macro' must be 'mean', 'rate' or None"):
        edit_distance(["a"], ["b"], average="macro")


def test_they_are_scorers():
    class Reader(BaseEstimator):
        def predict(self, X):
            return X

    assert make_scorer(exact_match)(Reader(), ["a", "b"], ["a", "c"]) == 0.5
    assert make_scorer(edit_distance, greater_is_better=False)(Reader(), ["a", "b"], ["a", "cd"]) == -1
