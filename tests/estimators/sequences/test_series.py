"""What holds of every family for series: all forms of X agree, gaps and times mean what is said, errors help."""

import pickle
import re
import tracemalloc
from math import ceil
from sys import maxsize

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import (
    HiddenLayerTransformer,
    RNNClassifier,
    RNNRegressor,
    RNNSegmenter,
    TransformerClassifier,
    TransformerRegressor,
)
from sknn.nn import Sequences

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(4, 9, 40)
SLOPES = RNG.choice([-1.0, 1.0], 40)
RISES = [slope * np.linspace(0, 1, n)[:, None] for n, slope in zip(LENGTHS, SLOPES, strict=True)]
SERIES = [
    np.hstack([np.sort(RNG.uniform(0, len(x), (len(x), 1)), axis=0), x + 0.3 * RNG.normal(size=x.shape)]) for x in RISES
]
LABELS = [(x[:, 1] > 0).astype(int) for x in SERIES]

SMALL = {"max_iter": 2, "batch_size": 10, "random_state": 0}
MODELS = {
    "RNNClassifier": RNNClassifier(3, hidden_layer_sizes=4, **SMALL),
    "RNNRegressor": RNNRegressor(3, cell="lstm", depth=2, stem=(4,), pooling="attention", **SMALL),
    "RNNSegmenter": RNNSegmenter(3, cell="rnn", **SMALL),
    "TransformerClassifier": TransformerClassifier(8, depth=1, stem=(4, 4), **SMALL),
    "TransformerRegressor": TransformerRegressor(8, depth=1, stem=None, patch_size=2, **SMALL),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def with_classes(model):
    """Whether a class is told, be it of series or of steps."""
    return hasattr(model, "class_weight")


def target(model, n=40):
    if isinstance(model, RNNSegmenter):
        return objects(LABELS[:n])
    return (np.where(SLOPES > 0, "rises", "falls") if is_classifier(model) else SLOPES)[:n]


def outputs(model, X):
    found = model.predict_proba(X) if with_classes(model) else model.predict(X)
    return np.concatenate([np.atleast_2d(each) for each in found]) if found.dtype == object else found


def objects(samples):
    array = np.empty(len(samples), object)
    for k, sample in enumerate(samples):
        array[k] = sample
    return array


def padded(series):
    longest = max(map(len, series))
    return np.stack([np.pad(x, ((0, longest - len(x)), (0, 0)), constant_values=np.nan) for x in series])


FORMS = {
    "tuple": (tuple, {}),
    "object array": (objects, {}),
    "column of objects": (lambda series: objects(series)[:, None], {}),
    "column of a table": (lambda series: pd.DataFrame({"series": list(series)}), {}),
    "series of pandas": (lambda series: pd.Series(list(series)), {}),
    "rows without padding": (Sequences.of, {}),
    "NaN at the end": (padded, {}),
    "NaN at the end of a list": (lambda series: list(padded(series)), {}),
    "channels first": (lambda series: [x.T for x in series], {"data_format": "channels_first"}),
    "channels first, NaN at the end": (
        lambda series: padded(series).transpose(0, 2, 1),
        {"data_format": "channels_first"},
    ),
    "channels first, objects": (lambda series: objects([x.T for x in series]), {"data_format": "channels_first"}),
}


# -- the forms of X ------------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize(("form", "params"), FORMS.values(), ids=FORMS)
def test_every_form_gives_the_bits_of_the_list(model, form, params):
    expected = clone(model).fit(SERIES, target(model))
    found = clone(model).set_params(**params).fit(form(SERIES), target(model))
    assert_array_equal(found.network_.theta, expected.network_.theta)
    assert_array_equal(outputs(found, form(SERIES)), outputs(expected, SERIES))
    assert found.n_features_in_ == 2


@each_model
def test_a_list_of_equal_lengths_is_the_array(model):
    cut, y = [x[:4] for x in SERIES], target(model)
    y = np.stack([labels[:4] for labels in y]) if isinstance(model, RNNSegmenter) else y
    of_list, of_array = clone(model).fit(cut, y), clone(model).fit(np.stack(cut), y)
    assert_array_equal(of_list.network_.theta, of_array.network_.theta)
    assert_array_equal(np.stack(of_list.predict(cut)), of_array.predict(np.stack(cut)))
    assert of_array.predict(np.stack(cut)).dtype != object


@each_model
def test_series_of_one_channel_need_no_axis_for_it(model):
    y = target(model)
    flat, deep = (clone(model).fit([x[:, k] for x in SERIES], y) for k in (1, [1]))
    assert_array_equal(flat.network_.theta, deep.network_.theta)
    cut = np.stack([x[:4, 1] for x in SERIES])
    labels = np.stack([each[:4] for each in y]) if isinstance(model, RNNSegmenter) else y
    table, grid = clone(model).fit(cut, labels), clone(model).fit(cut[..., None], labels)
    assert_array_equal(table.network_.theta, grid.network_.theta)
    assert_array_equal(table.predict(cut), grid.predict(cut))
    assert_array_equal(
        table.predict(cut[..., None]), grid.predict(list(cut)) if y.dtype != object else table.predict(cut)
    )
    assert (table.n_features_in_, grid.n_features_in_) == (4, 1)
    assert clone(model).fit(cut.tolist(), labels).n_features_in_ == 4
    assert clone(model).fit(list(cut), labels).n_features_in_ == 1


@each_model
def test_of_a_table_the_steps_are_features(model):
    cut = pd.DataFrame([x[:4, 1] for x in SERIES], columns=list("abcd"))
    y = np.stack([each[:4] for each in LABELS]) if isinstance(model, RNNSegmenter) else target(model)
    fitted = clone(model).fit(cut, y)
    assert fitted.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    of_array = clone(model).fit(cut.to_numpy(), y)
    assert_array_equal(of_array.predict(cut.to_numpy()), fitted.predict(cut))
    with pytest.raises(ValueError, match="X has 3 features, but"):
        of_array.predict(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"sample 1 of X has 3 steps, but .* a table of 4"):
        of_array.predict([np.zeros(4), np.zeros(3)])


@each_model
def test_a_sample_is_predicted_the_same_alone_and_with_others(model):
    fitted = clone(model).set_params(dtype="float64").fit(SERIES, target(model))
    together = fitted.predict_proba(SERIES) if with_classes(model) else fitted.predict(SERIES)
    for k, x in enumerate(SERIES):
        alone = fitted.predict_proba([x]) if with_classes(model) else fitted.predict([x])
        assert_allclose(alone[0], together[k], rtol=1e-12)
    others = [SERIES[0], *(1e3 * x for x in SERIES[1:])]
    changed = fitted.predict_proba(others) if with_classes(model) else fitted.predict(others)
    assert_array_equal(changed[0], together[0])


@each_model
def test_predictions_need_little_memory(model):
    """Series go through the network some at a time: of all at once, what lies between its layers would be more."""
    network = clone(model).set_params(**{"units": 32} if hasattr(model, "units") else {"width": 32})
    X = list(np.random.default_rng(0).normal(size=(300, 400, 2)))
    y = objects([(x[:, 0] > 0).astype(int) for x in X]) if isinstance(model, RNNSegmenter) else target(model)
    network.fit(X[:10], y[:10])
    tracemalloc.start()
    try:
        network.predict(X)
        assert tracemalloc.get_traced_memory()[1] < 80e6
    finally:
        tracemalloc.stop()


# -- what is missing -----------------------------------------------------------------------------------------------


def with_gaps(channel=1):
    series = [x.copy() for x in SERIES]
    for k in (3, 7, 20):
        series[k][2, channel] = np.nan
    return series


@each_model
def test_a_channel_tells_where_another_one_lacks_values_in_training(model):
    whole, lacking = (clone(model).fit(X, target(model)) for X in (SERIES, with_gaps()))
    assert lacking.network_.shapes[0] == (None, 3)
    assert whole.network_.shapes[0] == (None, 2)
    assert np.isfinite(outputs(lacking, with_gaps())).all()
    with pytest.raises(ValueError, match=r"Input X contains NaN: sample 3, step 2 .* missing='indicator' takes"):
        clone(model).set_params(missing="error").fit(with_gaps(), target(model))


@each_model
def test_what_is_missing_is_the_mean_of_its_channel(model):
    fitted = clone(model).set_params(dtype="float64").fit(SERIES, target(model))
    mean = np.concatenate(SERIES)[:, 1].mean()
    assert_allclose(fitted.input_scaling_.mean[1], mean)
    filled = [np.where(np.isnan(x), mean, x) for x in with_gaps()]
    assert_allclose(outputs(fitted, with_gaps()), outputs(fitted, filled), rtol=1e-9)


@each_model
def test_scales_are_those_of_the_values_that_are_there_with_their_weights(model):
    weight = np.arange(40) % 3.0
    fitted = clone(model).fit(with_gaps(), target(model), weight)
    values = np.concatenate([np.repeat(x, int(w), axis=0) for x, w in zip(with_gaps(), weight, strict=True)])
    assert_allclose(fitted.input_scaling_.mean, np.nanmean(values, axis=0))
    assert_allclose(fitted.input_scaling_.scale, np.nanstd(values, axis=0))


@each_model
def test_samples_without_weight_leave_no_trace(model):
    wild = [np.array([[0.0, np.nan], [100.0, 1e6]])] * 5
    y, counts = target(model, 35), np.arange(40) < 35
    more = objects([*y, *[np.array([0, 1])] * 5]) if isinstance(model, RNNSegmenter) else np.append(y, y[:5])
    for params in ({}, {"time_channel": 0}):
        without = clone(model).set_params(**params).fit(SERIES[:35], y)
        found = clone(model).set_params(**params).fit([*SERIES[:35], *wild], more, counts.astype(float))
        assert_array_equal(found.network_.theta, without.network_.theta)


# -- times ---------------------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("clock", [lambda t: t + 1e6, lambda t: 86400.0 * t], ids=["shifted", "in seconds"])
def test_neither_a_shift_of_the_clock_nor_its_unit_changes_anything(model, clock):
    other = [np.column_stack([clock(x[:, 0]), x[:, 1]]) for x in SERIES]
    models = [clone(model).set_params(time_channel=0, dtype="float64").fit(X, target(model)) for X in (SERIES, other)]
    assert_allclose(models[1].network_.theta, models[0].network_.theta, atol=1e-7)
    assert_allclose(outputs(models[1], other), outputs(models[0], SERIES), atol=1e-7)


@each_model
def test_times_count(model):
    fitted = clone(model).set_params(time_channel=-2, dtype="float64").fit(SERIES, target(model))
    stretched = [np.column_stack([2.0 * x[:, 0], x[:, 1]]) for x in SERIES]
    assert np.abs(outputs(fitted, stretched) - outputs(fitted, SERIES)).max() > 1e-4
    gaps = np.concatenate([np.diff(x[:, 0]) for x in SERIES])
    assert_allclose(fitted.input_scaling_.usual_gap, np.sort(gaps)[(len(gaps) - 1) // 2])


@each_model
@pytest.mark.parametrize("params", [{}, {"time_channel": 0}], ids=["steps", "times"])
def test_inputs_may_stay_as_they_are(model, params):
    fitted = clone(model).set_params(input_scaling=None, warm_start=True, **params).fit(SERIES, target(model))
    assert (fitted.input_scaling_ is None) == (not params)
    fitted.fit(SERIES, target(model))
    with pytest.raises(ValueError, match="input_scaling was changed after the first fit, to 'standard'"):
        fitted.set_params(input_scaling="standard").fit(SERIES, target(model))


# -- what scikit-learn does with them ------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize("form", [list, objects, FORMS["column of a table"][0], Sequences.of, padded])
def test_cross_validation_and_searches(model, form):
    X, y, cv = form(SERIES), target(model), KFold(2)
    expected = cross_val_predict(model, objects(SERIES), y, cv=cv)
    found = cross_val_predict(model, X, y, cv=cv)
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)
    search = GridSearchCV(model, {"dropout": [0.0, 0.2]}, cv=cv, error_score="raise").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@each_model
def test_pipelines_and_pickles(model):
    y = target(model)
    doubled = FunctionTransformer(lambda series: [2.0 * x for x in series])
    pipeline = make_pipeline(doubled, clone(model)).fit(SERIES, y)
    assert_array_equal(pipeline[-1].network_.theta, clone(model).fit([2.0 * x for x in SERIES], y).network_.theta)
    fitted = clone(model).set_params(time_channel=0).fit(with_gaps(), y)
    assert_array_equal(outputs(pickle.loads(pickle.dumps(fitted)), SERIES), outputs(fitted, SERIES))


@pytest.mark.parametrize("name", [name for name in MODELS if name != "RNNSegmenter"])
def test_the_last_hidden_layer_makes_features(name):
    model = clone(MODELS[name]).set_params(time_channel=0)
    features = HiddenLayerTransformer(model).fit(SERIES, target(model)).transform(SERIES)
    assert len(features) == 40
    assert np.isfinite(features).all()


# -- how long they train -------------------------------------------------------------------------------------------


@each_model
@pytest.mark.parametrize(
    ("n_samples", "batch_size"), [(7, 7), (100, 16), (270, 27), (640, 64), (4000, 64), (100_000, 64)]
)
def test_a_fit_is_a_thousand_steps(model, n_samples, batch_size):
    (stage,) = clone(model).set_params(batch_size="auto", max_iter="auto")._stages(n_samples)
    assert stage.plan.batch_size == batch_size
    assert stage.plan.max_epochs == np.clip(ceil(1000 / ceil(n_samples / batch_size)), 20, 150)
    (stage,) = clone(model).set_params(max_iter="auto")._stages(maxsize)
    assert stage.plan.max_epochs == 150
    (stage,) = clone(model)._stages(1000)
    assert (stage.plan.batch_size, stage.plan.max_epochs) == (10, 2)


# -- what is refused -----------------------------------------------------------------------------------------------


def spoilt(value, step=3, channel=1):
    series = [x.copy() for x in SERIES]
    series[7][step, channel] = value
    return series


TIMES = {"time_channel": 0}
ERRORS = {
    "channels differ": ({}, [*SERIES[:-1], SERIES[-1][:, :1]], "sample 39 of X has shape .* same channels"),
    "infinity": ({}, spoilt(np.inf), "Input X contains infinity: sample 7, step 3 .counted from 0., channel 1"),
    "a sample without steps": ({}, [*SERIES[:-1], SERIES[-1][:0]], "sample 39 of X has no steps"),
    "a sample of NaN": ({}, [*SERIES[:-1], np.full((3, 2), np.nan)], "sample 39 of X has no step that is not NaN"),
    "as many targets": ({}, SERIES[:-1], "inconsistent numbers of samples"),
    "words": ({}, [*SERIES[:-1], [["a", "b"]]], "sample 39 of X has dtype <U1: it must hold real numbers"),
    "numbers alone": ({}, [1.0] * 40, "Expected 2D array, got 1D array instead"),
    "times fall": (TIMES, spoilt(-1.0, channel=0), "time_channel=0: times must increase, but that of sample 7, step 3"),
    "times stay": (TIMES, [np.zeros((3, 2)) for _ in SERIES], "times must increase, but that of sample 0, step 1"),
    "a time is missing": (TIMES, spoilt(np.nan, channel=0), "time_channel=0: the time of sample 7, step 3 .* is NaN"),
    "no such channel": ({"time_channel": 2}, SERIES, re.escape("time_channel=2 is not there: X has 2 channel(s)")),
    "stem": ({"stem": (4, 0)}, SERIES, re.escape("stem=(4, 0) must hold a positive integer for each convolution")),
}


@each_model
@pytest.mark.parametrize(("params", "X", "message"), ERRORS.values(), ids=ERRORS)
def test_what_is_wrong_is_refused_and_named(model, params, X, message):
    fresh = clone(model).set_params(**params)
    with pytest.raises(ValueError, match=message):
        fresh.fit(X, target(model))
    assert not hasattr(fresh, "network_")


@each_model
def test_other_channels_than_in_the_fit_are_refused(model):
    fitted = clone(model).fit(SERIES, target(model))
    message = f"X has 1 channels, but {type(model).__name__} is expecting 2 channels as input"
    for X in ([x[:, :1] for x in SERIES], np.zeros((3, 5))):
        with pytest.raises(ValueError, match=message):
            fitted.predict(X)
