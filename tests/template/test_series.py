"""Series of different lengths as X: every form in which they come, and everything that scikit-learn does with them."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import CNNClassifier, CNNRegressor, NetworkClassifier, NetworkRegressor
from sknn.callbacks import Checkpoint
from sknn.nn import (
    Conv,
    Dense,
    Flatten,
    GlobalPool,
    Pool,
    Positions,
    Sequences,
    Standardise,
    TimePool,
    TransformerBlock,
)
from sknn.template import forward

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(6, 15, 48)
SLOPES = RNG.choice([-1.0, 1.0], 48)
RISES = [slope * np.linspace(0, 1, n)[:, None] for n, slope in zip(LENGTHS, SLOPES, strict=True)]
SERIES = [x + 0.3 * RNG.normal(size=(len(x), 2)) for x in RISES]
CLASSES = np.where(SLOPES > 0, "rises", "falls")

SMALL = {"max_iter": 3, "batch_size": 10, "random_state": 0}
LAYERS = [Conv(4, 3, activation="relu"), Pool("max", 2, padding="same"), GlobalPool(), Dense(4, activation="tanh")]
ATTENTION = [Dense(2), Positions(), TransformerBlock(1, feedforward=2, dropout=0.1), TimePool()]
CONVOLUTIONS = {"filters": 4, "global_pooling": "average", "hidden_layer_sizes": 4}
MODELS = {
    "NetworkClassifier": NetworkClassifier(LAYERS, **SMALL),
    "NetworkClassifier, attention": NetworkClassifier(ATTENTION, **SMALL),
    "NetworkRegressor": NetworkRegressor(LAYERS, **SMALL, input_scaling="standard"),
    "CNNClassifier": CNNClassifier(**CONVOLUTIONS, **SMALL, dropout=0.2),
    "CNNRegressor": CNNRegressor(**CONVOLUTIONS, **SMALL, batch_norm=True, padding="valid"),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def target(model):
    return CLASSES if is_classifier(model) else SLOPES


def outputs(model, X):
    return model.predict_proba(X) if is_classifier(model) else model.predict(X)


def objects(series):
    array = np.empty(len(series), object)
    array[:] = series
    return array


def padded(series):
    """(n, T, C), NaN after the end of each."""
    longest = max(map(len, series))
    return np.stack([np.pad(x, ((0, longest - len(x)), (0, 0)), constant_values=np.nan) for x in series])


FORMS = {
    "tuple": tuple,
    "object array": objects,
    "column of objects": lambda series: objects(series)[:, None],
    "column of a table": lambda series: pd.DataFrame({"series": list(series)}),
    "series of pandas": lambda series: pd.Series(list(series)),
    "rows without padding": Sequences.of,
    "NaN at the end": padded,
}


@each_model
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_bits_of_the_list(model, form):
    expected, found = (clone(model).fit(X, target(model)) for X in (SERIES, form(SERIES)))
    assert_array_equal(found.network_.theta, expected.network_.theta)
    assert_array_equal(found.network_.state, expected.network_.state)
    assert_array_equal(outputs(found, form(SERIES)), outputs(expected, SERIES))
    assert found.n_features_in_ == 2


@each_model
def test_series_of_one_channel_need_no_axis_for_it(model):
    flat, deep = ([x[:, 0] for x in SERIES], [x[:, :1] for x in SERIES])
    models = [clone(model).fit(X, target(model)) for X in (flat, deep)]
    assert_array_equal(models[0].network_.theta, models[1].network_.theta)
    assert_array_equal(outputs(models[0], flat), outputs(models[1], deep))
    assert models[0].n_features_in_ == 1


@each_model
def test_a_list_of_equal_lengths_is_the_array(model):
    cut = [x[:6] for x in SERIES]
    of_list = clone(model).fit(cut, target(model))
    stated = clone(model).set_params(input_shape=(None, 2)).fit(np.stack(cut), target(model))
    assert_array_equal(of_list.network_.theta, stated.network_.theta)
    fixed = clone(model).set_params(input_shape=(6, 2)).fit(np.stack(cut), target(model))
    assert_allclose(of_list.network_.theta, fixed.network_.theta, atol=2e-4)  # float32, summed in another order
    assert_allclose(outputs(of_list, cut), outputs(fixed, np.stack(cut)), atol=1e-3)


@each_model
def test_a_sample_is_predicted_the_same_alone_and_with_others(model):
    fitted = clone(model).set_params(dtype="float64").fit(SERIES, target(model))
    together = outputs(fitted, SERIES)
    alone = np.concatenate([outputs(fitted, [x]) for x in SERIES])
    assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("model", [MODELS["NetworkClassifier"], MODELS["CNNRegressor"]], ids=["network", "CNN"])
def test_it_learns(model):
    longer = clone(model).set_params(max_iter=60, learning_rate_init=0.02).fit(SERIES[:36], target(model)[:36])
    assert longer.score(SERIES[36:], target(model)[36:]) > 0.8


@each_model
@pytest.mark.parametrize("early", [{"early_stopping": True, "validation_fraction": 0.25}, {}])
def test_validation_samples_may_be_ragged(model, early):
    given = {} if early else {"X_val": SERIES[:9], "y_val": target(model)[:9]}
    scoring = "accuracy" if is_classifier(model) else "r2"
    fitted = clone(model).set_params(scoring=scoring, **early).fit(SERIES, target(model), **given)
    assert len(fitted.validation_scores_) == fitted.n_iter_
    if given:
        assert_allclose(fitted.validation_scores_[-1], fitted.score(*given.values()), rtol=1e-5)


# -- what scikit-learn does with them ------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("form", [list, objects, FORMS["column of a table"], Sequences.of, padded])
def test_cross_validation_and_searches(model, form):
    X, y = form(SERIES), target(model)
    expected = cross_val_predict(model, objects(SERIES), y, cv=2)
    assert_array_equal(cross_val_predict(model, X, y, cv=2), expected)
    search = GridSearchCV(model, {"alpha": [0.0, 0.1]}, cv=2, error_score="raise").fit(X, y)
    assert_array_equal(search.predict(X), search.best_estimator_.predict(X))


def backwards(series):
    return [x[::-1] for x in series]


@each_model
def test_pipelines_clones_pickles_and_weights(model):
    y = target(model)
    pipeline = make_pipeline(FunctionTransformer(backwards), clone(model)).fit(SERIES, y)
    assert_array_equal(pipeline[-1].network_.theta, clone(model).fit(backwards(SERIES), y).network_.theta)
    fitted = clone(model).fit(SERIES, y, np.arange(48) % 2.0)
    assert_array_equal(outputs(pickle.loads(pickle.dumps(fitted)), SERIES), outputs(fitted, SERIES))
    assert_array_equal(clone(fitted).fit(SERIES[1::2], y[1::2]).network_.theta, fitted.network_.theta)


@each_model
def test_warm_starts_and_partial_fits(model):
    y = target(model)
    classes = {"classes": np.unique(CLASSES)} if is_classifier(model) else {}
    assert clone(model).partial_fit(SERIES[:24], y[:24], **classes).partial_fit(SERIES[24:], y[24:]).t_ == 48
    warm = clone(model).set_params(warm_start=True).fit(SERIES, y).fit(SERIES[::-1], y[::-1])
    assert len(warm.loss_curve_) == 6


def test_a_checkpoint_finds_series_again_whatever_was_asked_of_them(tmp_path):
    """What rows without padding have worked out, as where samples start, is no part of what decides a fit."""
    series = Sequences.of(SERIES)
    for _ in range(2):
        clone(MODELS["CNNRegressor"]).set_callbacks(Checkpoint(tmp_path)).fit(series, SLOPES)
        assert len(series.sample) == LENGTHS.sum()
    assert len(list(tmp_path.iterdir())) == 1


def test_the_summary_leaves_the_length_open():
    fitted = clone(MODELS["NetworkClassifier"]).fit(SERIES, CLASSES)
    assert fitted.summary()["output_shape"].tolist() == [(None, 4), (None, 4), (4,), (4,), (1,)]


# -- blocks --------------------------------------------------------------------------------------------------------


@each_model
def test_blocks_of_predict_are_counted_in_positions(model, monkeypatch):
    monkeypatch.setattr(forward, "ELEMENTS", 20 * 8)
    fitted = clone(model).set_params(dtype="float64").fit(SERIES, target(model))
    sizes = []
    whole = forward.Forward._part

    def part(self, x, outputs, *given):
        sizes.append(len(x.values))
        return whole(self, x, outputs, *given)

    expected = outputs(fitted, SERIES)
    monkeypatch.setattr(forward.Forward, "_part", part)
    found = outputs(fitted, SERIES)
    assert len(sizes) > 10
    assert sum(sizes) == LENGTHS.sum()
    assert max(sizes) <= fitted._forward.at_once
    assert_allclose(found, expected, rtol=1e-12)


# -- what is refused -----------------------------------------------------------------------------------------------


def with_nan(value=np.nan):
    series = [x.copy() for x in SERIES]
    series[7][3, 1] = value
    return series


ERRORS = {
    "channels differ": ([*SERIES[:-1], SERIES[-1][:, :1]], "sample 47 of X has shape .* same channels"),
    "NaN inside": (with_nan(), "Input X contains NaN: sample 7, step 3 .counted from 0."),
    "infinity": (with_nan(np.inf), "Input X contains infinity: sample 7, step 3"),
    "a sample without steps": ([*SERIES[:-1], SERIES[-1][:0]], "sample 47 of X has no steps"),
    "as many targets": (SERIES[:-1], "inconsistent numbers of samples"),
    "words": ([*SERIES[:-1], [["a", "b"]]], "sample 47 of X has dtype <U1: it must hold real numbers"),
}


@each_model
@pytest.mark.parametrize(("X", "message"), ERRORS.values(), ids=ERRORS)
def test_series_that_are_wrong_are_refused_and_named(model, X, message):
    with pytest.raises(ValueError, match=message):
        clone(model).fit(X, target(model))


@each_model
def test_other_channels_than_in_the_fit_are_refused(model):
    fitted = clone(model).fit(SERIES, target(model))
    name = type(model).__name__
    with pytest.raises(ValueError, match=f"X has 1 channels, but {name} is expecting 2 channels as input"):
        fitted.predict([x[:, :1] for x in SERIES])


@each_model
def test_a_network_of_one_length_refuses_others(model):
    cut = np.stack([x[:6] for x in SERIES])
    fitted = clone(model).set_params(input_shape=(6, 2)).fit(cut, target(model))
    remedy = "fitted to samples of shape (6, 2); fit it with input_shape=(None, 2)"
    with pytest.raises(ValueError, match=re.escape(remedy)):
        fitted.predict(SERIES)
    with pytest.raises(ValueError, match=re.escape("input_shape=(6, 2) states one; say (None, channels)")):
        clone(model).set_params(input_shape=(6, 2)).fit(SERIES, target(model))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (NetworkClassifier([Conv(4, 3), Flatten()]), "Flatten"),
        (CNNClassifier(4), "say global_pooling='average' or 'max'"),
        (NetworkClassifier([Conv(4, 3)]), r"put Flatten\(\) or GlobalPool\(\)"),
    ],
    ids=["Flatten", "CNN without global pooling", "nothing that ends the series"],
)
def test_what_needs_one_length_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(SERIES, CLASSES)


def test_a_sample_too_short_for_its_kernel_is_named():
    with pytest.raises(ValueError, match=r"too short, it has \d steps here: windows span 9"):
        NetworkClassifier([Conv(4, 9, padding="valid"), GlobalPool()]).fit(
            [np.ones((8, 2)), *SERIES], ["falls", *CLASSES]
        )


def test_own_layers_take_images_of_any_size():
    images, y = [np.ones((3 + k % 3, 5 - k % 2, 2)) * k for k in range(12)], np.arange(12.0)
    network = NetworkRegressor(LAYERS, **SMALL, input_shape=(None, None, 2), dtype="float64").fit(images, y)
    assert network.network_.input_shape == (None, None, 2)
    assert_allclose(network.predict(images), [network.predict(x[None])[0] for x in images], rtol=1e-12)
    with pytest.raises(ValueError, match="X has 1 channels, but NetworkRegressor is expecting 2"):
        network.predict(np.ones((2, 4, 4, 1)))


def test_a_list_of_grids_of_one_shape_is_an_array_where_the_shape_is_known():
    images, y = np.random.RandomState(0).standard_normal((8, 5, 5)), np.arange(8.0)
    network = NetworkRegressor([Flatten(), Dense(2)], input_shape=(5, 5, 1), max_iter=2, random_state=0)
    found = network.fit(list(images), y).predict(list(images))
    assert_array_equal(found, network.fit(images, y).predict(images))


def test_a_layer_that_standardises_learns_from_all_positions_with_their_weights():
    series = [np.arange(4.0)[:, None], np.array([[10.0], [20.0]])]
    network = NetworkRegressor([Standardise(), Dense(3), GlobalPool()], max_iter=1, batch_size=2, random_state=0)
    network.fit(series, [0.0, 1.0], sample_weight=[1.0, 3.0])
    positions = np.array([0, 1, 2, 3, *[10, 20] * 3], float)
    assert_allclose(network.network_.parameters["0"]["mean"], positions.mean())
    assert_allclose(network.network_.parameters["0"]["scale"], positions.std())
