"""What X is for families of signals, images and volumes: the one rule, in every form in which it comes."""

import pickle
import re
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks

from sknn.nn import Conv, Dense, Flatten, GlobalPool, Grids, Sequences
from sknn.template import forward
from sknn.template.estimator import Estimator
from sknn.template.grids import read_grids
from sknn.template.kinds import Classifier, Regressor
from sknn.template.parameters import fitted, parameter
from sknn.template.segmenter import Segmenter

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Convolving(Estimator):
    """One convolution, and the mean of what it makes, or all of it."""

    filters: int = parameter(default=4, interval="[1, inf)", text="Of the convolution.")
    pooled: bool = parameter(default=True, text="Whether the mean over the grid is taken.")
    input_scaling = "standard"

    _shape: tuple[Any, ...] = fitted("Of a sample; None along axes of any size.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True
    _how_free: ClassVar[str] = "say pooled=True"

    @property
    def _free_grid(self):
        return self.pooled

    def _read_x(self, X, fresh):
        return read_grids(self, X, fresh)

    def _layers(self, n_outputs):
        end = GlobalPool() if self.pooled else Flatten()
        return [Conv(self.filters, activation="relu"), end, Dense(n_outputs)]


class ConvolvingClassifier(Convolving, Classifier):
    """Of classes."""


class ConvolvingRegressor(Convolving, Regressor):
    """Of amounts."""


class ConvolvingSegmenter(Convolving, Segmenter):
    """Of pixels."""

    _free_grid = True

    def _layers(self, n_outputs):
        return [Conv(self.filters, activation="relu"), Dense(n_outputs)]


CHECKED = [
    ConvolvingClassifier(solver="lbfgs", dtype="float64", max_iter=30),
    ConvolvingClassifier(solver="lbfgs", dtype="float64", max_iter=30, pooled=False),
    ConvolvingRegressor(solver="lbfgs", dtype="float64", max_iter=30, pooled=False),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


SMALL = {"max_iter": 3, "batch_size": 5, "random_state": 0}
RNG = np.random.default_rng(0)
Y = RNG.normal(size=12)
SHAPES = {
    "signals": [(n, 2) for n in RNG.integers(5, 9, 12)],
    "images": [(n, m, 2) for n, m in RNG.integers(3, 6, (12, 2))],
    "volumes": [(n, 4, m, 1) for n, m in RNG.integers(2, 4, (12, 2))],
}
RAGGED = {name: [RNG.normal(size=shape) for shape in shapes] for name, shapes in SHAPES.items()}
ALIKE = {
    "signals": RNG.normal(size=(12, 7, 2)),
    "images": RNG.normal(size=(12, 4, 5, 2)),
    "volumes": RNG.normal(size=(12, 3, 2, 4, 1)),
}


def objects(samples):
    array = np.empty(len(samples), object)
    for k, sample in enumerate(samples):
        array[k] = sample
    return array


FORMS = {
    "list": list,
    "tuple": tuple,
    "object array": objects,
    "column of objects": lambda each: objects(each)[:, None],
    "column of a table": lambda each: pd.DataFrame({"grids": list(each)}),
}
each_kind = pytest.mark.parametrize("kind", SHAPES)
each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


def model(**params):
    return ConvolvingRegressor(**{**SMALL, **params})


# -- one size ------------------------------------------------------------------------------------------------------


@each_kind
@each_form
@pytest.mark.parametrize("pooled", [True, False])
def test_grids_of_one_size_are_an_array_in_every_form(kind, form, pooled):
    X = ALIKE[kind]
    expected, found = model(pooled=pooled).fit(X, Y), model(pooled=pooled).fit(form(X), Y)
    assert_array_equal(found.network_.theta, expected.network_.theta)
    assert_array_equal(found.predict(form(X)), expected.predict(X))
    assert found.n_features_in_ == X.shape[-1]
    open_shape = (*(None,) * (X.ndim - 2), X.shape[-1])
    assert found._shape == found.network_.input_shape == (open_shape if pooled else X.shape[1:])


def test_two_axes_are_signals_of_one_channel_whose_steps_are_features():
    X = RNG.normal(size=(12, 7))
    named = pd.DataFrame(X, columns=list("abcdefg"))
    network = model().fit(named, Y)
    assert (network.n_features_in_, network._shape) == (7, (7, 1))
    assert network.feature_names_in_.tolist() == list("abcdefg")
    assert_array_equal(network.predict(named), model().fit(X, Y).predict(X))
    assert_array_equal(network.network_.theta, model().fit(X[..., None], Y).network_.theta)
    assert_array_equal(model().fit(X.tolist(), Y).predict(X.tolist()), network.predict(named))
    with pytest.raises(ValueError, match="X has 6 features, but ConvolvingRegressor is expecting 7"):
        model().fit(X, Y).predict(X[:, :6])


def test_signals_of_any_length_may_come_as_a_table_later():
    signals = RNG.normal(size=(12, 7, 1))
    network = model().fit(signals, Y)
    assert_array_equal(network.predict(signals[:, :5, 0]), network.predict(signals[:, :5]))


@each_kind
def test_inputs_are_scaled_channel_by_channel_with_the_weights_of_samples(kind):
    weight = np.arange(12) % 3.0
    for X in (ALIKE[kind], RAGGED[kind]):
        scaling = model().fit(X, Y, weight).input_scaling_
        repeated = [x.reshape(-1, x.shape[-1]) for x, n in zip(X, weight, strict=True) for _ in range(int(n))]
        assert_allclose(scaling.mean, np.concatenate(repeated).mean(axis=0), atol=1e-12)
        assert_allclose(scaling.scale, np.concatenate(repeated).std(axis=0), rtol=1e-9)


def test_a_large_array_is_scaled_in_parts(monkeypatch):
    from sknn.template import inputs

    expected = model().fit(ALIKE["images"], Y)
    monkeypatch.setattr(inputs, "POSITIONS", 45)
    found = model().fit(ALIKE["images"], Y)
    assert_allclose(found.input_scaling_.scale, expected.input_scaling_.scale, rtol=1e-12)
    assert_allclose(found.network_.theta, expected.network_.theta, rtol=1e-4)


# -- different sizes -----------------------------------------------------------------------------------------------


@each_kind
@each_form
def test_every_form_gives_the_bits_of_the_list(kind, form):
    X = RAGGED[kind]
    expected, found = model().fit(X, Y), model().fit(form(X), Y)
    assert_array_equal(found.network_.theta, expected.network_.theta)
    assert_array_equal(found.predict(form(X)), expected.predict(X))
    assert found.n_features_in_ == X[0].shape[-1]


@each_kind
def test_a_sample_is_predicted_the_same_alone_and_with_others(kind):
    network = model(dtype="float64").fit(RAGGED[kind], Y)
    assert_allclose(network.predict(RAGGED[kind]), [network.predict(x[None])[0] for x in RAGGED[kind]], rtol=1e-12)
    assert_array_equal(network.predict(ALIKE[kind]), network.predict(list(ALIKE[kind])))


def test_steps_that_are_missing_at_the_end_are_left_out():
    padded = np.full((12, 9, 2), np.nan)
    for row, x in zip(padded, RAGGED["signals"], strict=True):
        row[: len(x)] = x
    assert_array_equal(model().fit(padded, Y).network_.theta, model().fit(RAGGED["signals"], Y).network_.theta)


@each_kind
@pytest.mark.parametrize("form", [list, objects, FORMS["column of a table"]])
def test_cross_validation_searches_pickles_and_rows(kind, form):
    X = form(RAGGED[kind])
    expected = cross_val_predict(model(), objects(RAGGED[kind]), Y, cv=3)
    assert_array_equal(cross_val_predict(model(), X, Y, cv=3), expected)
    search = GridSearchCV(model(), {"filters": [2, 3]}, cv=2, error_score="raise").fit(X, Y)
    assert_array_equal(pickle.loads(pickle.dumps(search)).predict(X), search.predict(X))
    of_rows = Sequences if kind == "signals" else Grids
    assert_array_equal(model().fit(of_rows.of(RAGGED[kind]), Y).predict(X), model().fit(X, Y).predict(X))


@each_kind
@pytest.mark.parametrize("early", [{"early_stopping": True, "validation_fraction": 0.25, "scoring": "r2"}, {}])
def test_validation_samples_may_differ_in_size(kind, early):
    X = RAGGED[kind]
    given = {} if early else {"X_val": X[:5], "y_val": Y[:5]}
    network = model(**early).fit(X, Y, **given)
    assert len(network.validation_loss_curve_) == network.n_iter_


@each_kind
def test_training_goes_on_with_other_sizes(kind):
    network = model(warm_start=True).fit(RAGGED[kind], Y).fit(ALIKE[kind], Y)
    assert len(network.loss_curve_) == 6
    again = model().partial_fit(ALIKE[kind], Y).partial_fit(RAGGED[kind], Y)
    assert again.t_ == 24


@each_kind
def test_blocks_of_predict_are_counted_in_positions(kind, monkeypatch):
    network = model(dtype="float64").fit(RAGGED[kind], Y)
    expected = network.predict(RAGGED[kind]), network.predict(np.repeat(ALIKE[kind], 4, axis=0))
    monkeypatch.setattr(forward, "ELEMENTS", 500)
    network = clone(network).fit(RAGGED[kind], Y)
    sizes = []
    whole = forward.Forward._part

    def part(self, x, outputs, *given):
        sizes.append(forward.extent(x))
        return whole(self, x, outputs, *given)

    monkeypatch.setattr(forward.Forward, "_part", part)
    assert_allclose(network.predict(RAGGED[kind]), expected[0], rtol=1e-12)
    assert_allclose(network.predict(np.repeat(ALIKE[kind], 4, axis=0)), expected[1], rtol=1e-12)
    assert len(sizes) > 4
    assert max(sizes) <= max(network._forward.at_once, forward.extent(ALIKE[kind][:1]))


# -- labels of pixels ----------------------------------------------------------------------------------------------


@each_kind
def test_label_maps_lie_as_the_pixels_do(kind):
    for X in (ALIKE[kind], RAGGED[kind]):
        y = [np.where(x[..., 0] > 0, "high", "low") for x in X]
        y = np.stack(y) if X is ALIKE[kind] else objects(y)
        segmenter = ConvolvingSegmenter(**{**SMALL, "max_iter": 200}, learning_rate_init=0.03).fit(X, y)
        found = segmenter.predict(X)
        assert [labels.shape for labels in found] == [labels.shape for labels in y]
        assert found.dtype == (y.dtype if X is ALIKE[kind] else object)
        assert segmenter.score(X, y) > 0.9
        assert [p.shape for p in segmenter.predict_proba(X)] == [(*labels.shape, 2) for labels in y]
        assert_array_equal(segmenter.predict(X[:1])[0], found[0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            [np.zeros(x.shape[:2]) for x in RAGGED["images"][::-1]],
            r"sample 0 is \d x \d, but labels of shape \(\d, \d\)",
        ),
        ([np.zeros(x.shape[0]) for x in RAGGED["images"]], r"sample 0 is \d x \d, but labels of shape \(\d,\) in y"),
    ],
    ids=["of another image", "of another number of axes"],
)
def test_labels_of_other_shapes_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        ConvolvingSegmenter(**SMALL).fit(RAGGED["images"], y)


# -- what is refused -----------------------------------------------------------------------------------------------


def with_value(X, value):
    X = X.copy() if isinstance(X, np.ndarray) else [x.copy() for x in X]
    X[7].reshape(-1)[3] = value
    return X


SIZES = "X holds samples of different sizes, but ConvolvingRegressor has weights for each position; say pooled=True"
REFUSED = {
    "six axes": ({}, np.zeros((12, 1, 1, 1, 1, 1)), r"X has shape \(12, 1, 1, 1, 1, 1\): signals are \(n, T\) or"),
    "no position": ({}, np.zeros((12, 0, 2, 1)), r"X has shape \(12, 0, 2, 1\): .* with at least one position"),
    "no sample": ({}, np.zeros((0, 2, 2, 1)), r"Found array with 0 sample\(s\)"),
    "nothing": ({}, [], "X holds no samples"),
    "sparse": ({}, csr_array(np.eye(12)), "Sparse data was passed"),
    "words": ({}, np.full((12, 3, 3, 1), "a"), "could not convert string to float"),
    "NaN": ({}, np.full((12, 3, 3, 1), np.nan), "Input X contains NaN"),
    "NaN in an array": ({}, with_value(ALIKE["images"], np.nan), r"X contains NaN: sample 7, position \(0, 1\)"),
    "infinity in a list": ({}, list(with_value(ALIKE["images"], np.inf)), "X contains infinity: sample 7, position"),
    "NaN inside a signal": ({}, with_value(RAGGED["signals"], np.nan), "Input X contains NaN: sample 7, step 1"),
    "infinity in an image": (
        {},
        with_value(RAGGED["images"], np.inf),
        r"X contains infinity: sample 7, position \(0, 1",
    ),
    "images of other channels": ({}, [*RAGGED["images"][:-1], np.zeros((2, 2, 1))], "sample 11 of X has .* channels"),
    "images without channels": ({}, [x[..., 0] for x in RAGGED["images"]], r"make \[x\[..., None\] for x in X\]"),
    "images among signals": ({}, [*RAGGED["signals"][:-1], np.zeros((3, 3, 2))], "sample 11 of X has shape .3, 3, 2"),
    **{f"{kind} of different sizes": ({"pooled": False}, X, re.escape(SIZES)) for kind, X in RAGGED.items()},
}


@pytest.mark.parametrize(("params", "X", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_named_and_nothing_is_left(params, X, message):
    network = model(**params)
    with pytest.raises((ValueError, TypeError), match=message):
        network.fit(X, Y)
    assert not hasattr(network, "_shape")


OTHERS = {
    "axes": (True, ALIKE["images"], ALIKE["images"][0], r"of shape \(5, 2\), but .* fitted to .* \(None, None, 2\)"),
    "channels": (
        True,
        ALIKE["images"],
        ALIKE["images"][..., :1],
        "X has 1 channels, but ConvolvingRegressor is expecting 2",
    ),
    "sizes": (
        False,
        ALIKE["images"],
        ALIKE["images"][:, :3],
        r"shape \(3, 5, 2\), but .* \(4, 5, 2\), and takes no other",
    ),
    "steps": (
        False,
        ALIKE["signals"],
        RAGGED["signals"],
        r"of different sizes, but .* \(7, 2\), and takes no other size",
    ),
    "a table": (True, ALIKE["signals"], np.zeros((3, 7)), "X has 1 channels, but ConvolvingRegressor is expecting 2"),
}


@pytest.mark.parametrize(("pooled", "X", "other", "message"), OTHERS.values(), ids=OTHERS)
def test_samples_of_another_shape_than_in_the_fit_are_refused(pooled, X, other, message):
    network = model(pooled=pooled).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        network.predict(other)


def test_a_network_of_one_size_takes_rows_of_that_size():
    network = model(pooled=False).fit(ALIKE["images"], Y)
    assert_array_equal(network.predict(Grids.of(ALIKE["images"])), network.predict(ALIKE["images"]))


def test_three_axes_that_look_like_images_are_signals_with_a_warning():
    X = RNG.normal(size=(12, 6, 3))
    message = r"X of shape \(12, 6, 3\) is read as 12 signals of 6 steps with 3 channels; .* give X\[..., None\]"
    with pytest.warns(UserWarning, match=message):
        network = model().fit(X, Y)
    network.predict(X)  # warnings are errors here
    model().fit(RNG.normal(size=(12, 7, 3)), Y)


def test_channels_that_seem_to_come_first_are_a_grid_with_a_warning():
    message = r"read as grids \(3, 8\) with 8 channels; if the channels come first, give np.moveaxis\(X, 1, -1\)"
    with pytest.warns(UserWarning, match=message):
        model().fit(RNG.normal(size=(12, 3, 8, 8)), Y)
