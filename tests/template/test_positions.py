"""Targets at positions: any target, behind the labels of steps and pixels."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.estimators.images.pixels import numbers_at_pixels
from sknn.losses import SquaredError
from sknn.nn import Dense, Sequences
from sknn.series import lies_in_series, read_series
from sknn.template.positions import PositionTarget, aligned
from sknn.template.segmenter import Segmenter
from sknn.template.targets import ClassTarget, RealTarget

NAN = float("nan")


def classes(labels, weight):
    return ClassTarget(labels)


def numbers(values, weight):
    return RealTarget(values, weight, SquaredError(), True)


class Case(NamedTuple):
    y: Any
    make: Any
    unlabelled: Any
    known: list
    raw: list  # an output for each position, in a row
    decoded: list


WORDS = [["sky", "tree"], ["tree", "?"]]
CASES = {
    "words": Case(WORDS, classes, "?", [1, 1, 1, 0], [-1, 2, 3, -4], ["sky", "tree", "tree", "sky"]),
    "words, ragged": Case([["b", "a", "?"], ["a"]], classes, "?", [1, 1, 0, 1], [1, -1, 1, -2], ["b", "a", "b", "a"]),
    "integers": Case(
        [[3, -1], [7, 7], [-1, 3]], classes, -1, [1, 0, 1, 1, 0, 1], [-1, 1, -1, 1, 1, 1], [3, 7, 3, 7, 7, 7]
    ),
    "-1 and 1 as classes": Case([[-1, 1]], classes, None, [1, 1], [-3, 3], [-1, 1]),
    "numbers": Case([[1.0, NAN], [3.0, NAN]], numbers, None, [1, 0, 1, 0], [-1, 0, 1, 2], [1.0, 2.0, 3.0, 4.0]),
    "numbers, ragged": Case([[1.0, NAN, 3.0], [NAN]], numbers, None, [1, 0, 1, 0], [-1, 0, 1, 2], [1.0, 2.0, 3.0, 4.0]),
    "none unknown": Case([[0.0, 2.0]], numbers, None, [1, 1], [-1, 1], [0.0, 2.0]),
}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def read(y):
    """Labels at the positions of samples of the same lengths."""
    lengths = [len(sample) for sample in y]
    ragged = len(set(lengths)) > 1
    return aligned(Sequences(np.zeros((sum(lengths), 1)), lengths) if ragged else np.zeros((len(y), lengths[0], 1)), y)


def form(case):
    """y as read, and the target."""
    y = read(case.y)
    return y, PositionTarget(y, None, case.make, case.unlabelled)


def row(values):
    return values.values if hasattr(values, "lengths") else np.asarray(values).reshape(-1, *np.shape(values)[2:])


@each_case
def test_unlabelled_positions_weigh_nothing(case):
    y, target = form(case)
    assert row(target.weights(y, None)).tolist() == case.known
    weight = np.arange(1.0, len(case.y) + 1)
    of_sample = np.repeat(weight, [len(sample) for sample in case.y])
    assert_allclose(row(target.weights(y, weight)), of_sample * case.known)
    assert_allclose(
        row(target.weights(y, None, lambda labels: np.full(len(labels), 3.0))), np.multiply(3.0, case.known)
    )


@each_case
def test_the_target_is_that_of_the_labelled_positions_alone(case):
    y, target = form(case)
    labels = np.concatenate([np.asarray(sample) for sample in case.y])
    inner = case.make(labels[np.array(case.known, bool)], None)
    for name, value in inner.attributes.items():
        assert_array_equal(target.attributes[name], value)
    encoded = row(target.encode(y, np.float64))
    known = np.array(case.known, bool)
    assert_array_equal(encoded[known], inner.encode(labels[known], np.float64))
    assert np.isfinite(encoded).all()
    assert (target.n_outputs, target.exclusive, target.is_certain) == (
        inner.n_outputs,
        inner.exclusive,
        inner.is_certain,
    )


@each_case
def test_predictions_come_in_the_form_of_the_raw_outputs(case):
    y, target = form(case)
    raw = np.array(case.raw, np.float64)[:, None]
    raw = y.like(raw) if hasattr(y, "lengths") else raw.reshape(*y.shape, 1)
    found = target.decode(raw)
    labels = np.concatenate([np.asarray(sample) for sample in found])
    assert_array_equal(labels.round(9) if labels.dtype.kind == "f" else labels, case.decoded)
    if hasattr(y, "lengths"):
        assert found.dtype == object
        assert [len(sample) for sample in found] == y.lengths.tolist()
    else:
        assert found.shape == y.shape


@pytest.mark.parametrize("ragged", [False, True])
def test_the_loss_has_a_value_for_each_position(ragged):
    y, target = form(CASES["words, ragged" if ragged else "words"])
    raw = np.random.default_rng(0).normal(size=(4, 1))
    encoded = target.encode(y, np.float64)
    given = (y.like(raw), encoded.values) if ragged else (raw.reshape(2, 2, 1), encoded)
    assert_allclose(np.ravel(target.loss(*given)), target.inner.loss(raw, row(encoded)))
    assert (target.loss.link, target.loss.outputs_averaged) == (
        target.inner.loss.link,
        target.inner.loss.outputs_averaged,
    )


def test_numbers_are_standardised_with_the_weights_of_their_samples():
    y = np.array([[1.0, NAN], [3.0, 5.0]])
    target = PositionTarget(y, np.array([2.0, 1.0]), numbers)
    assert_allclose(target.attributes["y_mean_"], np.mean([1, 1, 3, 5]))
    assert_allclose(target.attributes["y_scale_"], np.std([1, 1, 3, 5]))


def test_probabilities_have_the_classes_last():
    _, target = form(CASES["words"])
    proba = target.proba(np.zeros((2, 2, 1)))
    assert proba.shape == (2, 2, 2)
    assert_allclose(proba, 0.5)


@pytest.mark.parametrize("y", [[[-1, 1], [1, 1]], [[-1, 1], [1]]], ids=["array", "ragged"])
def test_labels_that_are_minus_one_and_one_are_refused_by_the_name_of_the_parameter(y):
    y = read(y)
    with pytest.raises(ValueError, match=r"of which unlabelled=-1 says .* say unlabelled=None if it is a label"):
        PositionTarget(y, None, classes, unlabelled=-1)
    assert PositionTarget(y, None, classes, unlabelled=None).attributes["classes_"].tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("y", "make", "unlabelled"), [([[-1, -1]], classes, -1), ([["?"]], classes, "?"), ([[NAN, NAN]], numbers, None)]
)
def test_a_label_is_needed_somewhere(y, make, unlabelled):
    with pytest.raises(ValueError, match="y has no labelled position"):
        PositionTarget(np.array(y), None, make, unlabelled)


def test_other_classes_than_in_the_first_fit_are_refused_and_unknown_ones_are_not():
    _, target = form(CASES["words"])
    target.check(np.array([["sky", "?"]]), all_of_them=False)
    with pytest.raises(ValueError, match="sea"):
        target.check(np.array([["sky", "sea"]]), all_of_them=False)


def test_positions_without_any_label_can_be_encoded():
    _, target = form(CASES["words"])
    assert target.encode(np.array([["?", "?"]]), np.float64).shape == (1, 2, 1)


RAGGED = np.arange(3), np.arange(2)


@pytest.mark.parametrize("y", [[[1, 2], [3]], RAGGED, np.array(RAGGED, object)], ids=["list", "tuple", "object array"])
def test_labels_of_different_lengths_are_rows(y):
    assert isinstance(read(y), Sequences)
    assert [list(sample) for sample in read(y)] == [list(sample) for sample in y]


# -- segmenters ----------------------------------------------------------------------------------------------------


class Pixels(Segmenter):
    """A label for each pixel of an image, or each step of a series, of its channels alone."""

    def _read_x(self, X, fresh):
        if lies_in_series(self, X, fresh):
            return read_series(self, X, fresh)
        self.n_features_in_ = np.shape(X)[-1]
        return np.asarray(X, np.float64)

    input_shape, _shape = None, (3, 3)

    def _layers(self, n_outputs):
        return [Dense(4, activation="tanh"), Dense(n_outputs)]


RNG = np.random.RandomState(0)
IMAGES = RNG.standard_normal((12, 6, 5, 2))
TWO, THREE = (IMAGES[..., 0] > 0).astype(int), np.digitize(IMAGES[..., 1], [-0.5, 0.5])
SERIES = [IMAGES[k, :, 0] for k in range(12)]
STEPS = [labels[:, 0] for labels in TWO]


def pixels(**params):
    return Pixels(max_iter=30, learning_rate_init=0.05, tol=0, random_state=0, **params)


FORMS = {
    "an array": (IMAGES, TWO),
    "three classes": (IMAGES, THREE),
    "a list of maps": (IMAGES, list(TWO)),
    "series": (SERIES, STEPS),
    "series of one length, labels in an array": (SERIES, np.array(STEPS)),
}
OPTIONS = {
    "nothing": {},
    "class weights": {"class_weight": "balanced"},
    "scaled inputs": {"input_scaling": "standard"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.25, "class_weight": {0: 2.0, 1: 1.0}},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("X", "y"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights and unknown labels"])
def test_segmenters_take_labels_in_every_form(X, y, options, weighted):
    if weighted:
        y = [np.array(labels) for labels in y]
        for labels in y:
            labels[0] = -1
    weight = {"sample_weight": np.arange(12) % 3 + 1.0} if weighted else {}
    model = pixels(**options).fit(X, y, **weight)
    assert model.score(X, y) > 0.75  # which guessing is far from; scales of each position alone blur the classes
    assert np.shape(model.predict(X)[0]) == np.shape(y[0])


GAP = r"y contains NaN, None or NA in 1 of 6 places of sample 0, the first \(None\) in row 2: leave those samples out"


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (IMAGES, TWO.transpose(0, 2, 1), r"sample 0 has shape \(5, 6\), and the sample positions of shape \(6, 5\)"),
        (IMAGES, TWO[:, 0, 0], "a label for each position"),
        (SERIES, [np.where(np.arange(len(labels)) == 2, None, "a") for labels in STEPS], GAP),
        (
            IMAGES,
            np.full(TWO.shape, None),
            r"y contains NaN, None or NA in .* of sample 0, the first \(None\) in row 0",
        ),
        (SERIES, [labels[1:] for labels in STEPS], r"sample 0 has 6 steps, but labels of shape \(5,\)"),
    ],
    ids=["another shape", "one for a sample", "a gap", "nothing", "too few"],
)
def test_labels_elsewhere_than_the_positions_are_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        pixels().fit(X, y)


PIXELS = np.zeros((2, 3, 4), int)
NOT_ALIGNED = {
    "no axis for channels": (np.zeros((2, 3, 4)), PIXELS, r"if X has no axis for the channel, give X\[..., None\]"),
    "one too many": (np.zeros((2, 3, 4, 1)), PIXELS[..., None], r"; give y\[..., 0\]"),
    "masked": (np.zeros((2, 3, 4, 1)), np.ma.masked_array(PIXELS, PIXELS == 0), r"y is masked in 24 place\(s\): fill"),
    "masked in a list": (
        np.zeros((2, 3, 4, 1)),
        [PIXELS[0], np.ma.masked_array(PIXELS[1], PIXELS[1] == 0)],
        r"y is masked in 12 place\(s\): fill",
    ),
}


@pytest.mark.parametrize(("x", "y", "message"), NOT_ALIGNED.values(), ids=NOT_ALIGNED)
def test_labels_that_lie_elsewhere_or_under_a_mask_are_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        aligned(x, y)


def test_a_masked_array_without_a_mask_is_an_array():
    assert type(aligned(np.zeros((2, 3, 4, 1)), np.ma.masked_array(PIXELS))) is np.ndarray


def test_images_that_are_masked_in_places_are_refused():
    masked = np.ma.masked_array(PIXELS, PIXELS == 0)
    for y in (masked, list(masked)):
        with pytest.raises(ValueError, match=r"^y is masked in 24 place"):
            numbers_at_pixels(y)
