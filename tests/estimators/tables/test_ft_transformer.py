"""Transformers for tables: numbers by their ranks, categories, what is missing, and what attention looks at."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import ndtri
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.preprocessing import QuantileTransformer

import sknn
from sknn import FTTransformerClassifier, FTTransformerRegressor
from sknn.nn import FeatureTokens, Network
from sknn.template.quantiles import NormalQuantiles
from sknn.template.samples import Samples

RNG = np.random.default_rng(0)
N = 160
KIND = RNG.choice(["slow", "fast", "still"], N)
FRAME = pd.DataFrame({"x": RNG.normal(size=N), "kind": KIND, "z": np.exp(3 * RNG.normal(size=N))})
Y = np.select([KIND == "slow", KIND == "fast"], [FRAME["x"], -FRAME["x"]], 0.0) + 0.1 * np.log(FRAME["z"])
SMALL = {"max_iter": 3, "batch_size": 16, "random_state": 0}
MODEL = FTTransformerRegressor(8, n_heads=2, **SMALL)


def predicted(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.parametrize("model", [FTTransformerClassifier, FTTransformerRegressor])
def test_it_learns_how_a_number_counts_in_each_category(model):
    y = Y > 0 if model is FTTransformerClassifier else Y
    fitted = model(16, depth=1, max_iter=40, learning_rate_init=5e-3, random_state=0).fit(FRAME[:120], y[:120])
    assert fitted.score(FRAME[120:], y[120:]) > 0.8


# -- categories ----------------------------------------------------------------------------------------------------


FORMS = {
    "categories": (FRAME.astype({"kind": "category"}), "from_dtype"),
    "words of pandas": (FRAME.astype({"kind": "string"}), "from_dtype"),
    "by name": (FRAME, ["kind"]),
    "by number": (FRAME, [1]),
    "from the end": (FRAME, [-2]),
    "a mask": (FRAME, [False, True, False]),
    "codes": (FRAME.assign(kind=FRAME["kind"].map({"fast": 3, "slow": 7, "still": 9})), ["kind"]),
}


@pytest.mark.parametrize(("X", "chosen"), FORMS.values(), ids=FORMS)
def test_all_ways_to_say_what_is_a_category_are_one(X, chosen):
    expected = clone(MODEL).fit(FRAME, Y)
    found = clone(MODEL).set_params(categorical_features=chosen).fit(X, Y)
    assert_array_equal(found.network_.theta, expected.network_.theta)
    assert_array_equal(found.predict(X), expected.predict(FRAME))
    assert found.network_.layers[0].categories == (0, 3, 0)
    assert found.feature_names_in_.tolist() == ["x", "kind", "z"]


def test_arrays_of_objects_hold_categories_too():
    model = clone(MODEL).set_params(categorical_features=[1])
    assert_array_equal(clone(model).fit(FRAME.to_numpy(), Y).network_.theta, clone(model).fit(FRAME, Y).network_.theta)


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, "never seen"])
def test_a_category_that_is_missing_or_unknown_is_one_more(nothing):
    fitted = clone(MODEL).fit(FRAME, Y)
    one, other = FRAME.head(3).copy(), FRAME.head(3).copy()
    one["kind"], other["kind"] = nothing, None
    assert_array_equal(fitted.predict(one), fitted.predict(other))
    assert (fitted.predict(one) != fitted.predict(FRAME.head(3))).all()


def test_columns_in_another_order_are_refused():
    fitted = clone(MODEL).fit(FRAME, Y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(FRAME[["kind", "x", "z"]])
    of_array = clone(MODEL).set_params(categorical_features=[1]).fit(FRAME.to_numpy(), Y)
    with pytest.raises(ValueError, match="X has 2 features, but FTTransformerRegressor is expecting 3"):
        of_array.predict(FRAME.to_numpy()[:, :2])


# -- numbers -------------------------------------------------------------------------------------------------------


def test_numbers_count_by_their_ranks_alone():
    plain = FRAME.drop(columns="kind")
    warped = plain.assign(z=np.log(plain["z"]), x=plain["x"] ** 3)
    assert_allclose(
        clone(MODEL).fit(warped, Y).predict(warped), clone(MODEL).fit(plain, Y).predict(plain), rtol=1e-4, atol=1e-5
    )


def test_ranks_are_normal_quantiles_with_weights():
    x, weight = np.array([[3.0, 0.0], [1.0, 0.0], [2.0, np.nan], [2.0, 5.0]]), np.array([1.0, 2.0, 1.0, 0.0])
    found = NormalQuantiles(Samples(x, weight=weight), [0])
    assert_allclose(found(x)[:, 0], ndtri([0.875, 0.25, 0.625, 0.625]))
    assert_array_equal(found(x)[:, 1], x[:, 1])
    repeated = NormalQuantiles(Samples(np.repeat(x, [1, 2, 1, 0], axis=0)), [0])
    assert_array_equal(found.curves[0], repeated.curves[0])
    assert_allclose(
        found(np.array([[-9.0, 0], [np.nan, 0], [9.0, 0]]))[:, 0], [*ndtri([0.25]), np.nan, *ndtri([0.875])]
    )


def test_ranks_of_many_are_those_of_scikit_learn():
    x = RNG.lognormal(size=(5000, 1))
    theirs = QuantileTransformer(output_distribution="normal", n_quantiles=1000).fit_transform(x)
    inside = np.abs(theirs) < 2.5
    assert_allclose(NormalQuantiles(Samples(x), [0])(x)[inside], theirs[inside], atol=0.02)


def test_missing_numbers_come_as_they_are():
    holes = FRAME.copy()
    holes.loc[::7, "z"] = np.nan
    fitted = clone(MODEL).fit(holes, Y)
    assert fitted.network_.layers[0].lacking == (2,)
    assert clone(MODEL).fit(FRAME, Y).network_.layers[0].lacking == ()
    assert np.isfinite(fitted.predict(holes)).all()
    unseen = FRAME.head(4).assign(x=np.nan)  # of a column that never lacked values: the median
    assert np.isfinite(fitted.predict(unseen)).all()
    numbers = holes.drop(columns="kind").to_numpy()
    assert np.isfinite(clone(MODEL).fit(numbers, Y).predict(numbers)).all()


def test_rows_without_weight_leave_no_trace():
    more = pd.concat([FRAME, pd.DataFrame({"x": [np.nan, 1e9], "kind": ["fast", "slow"], "z": [1.0, np.nan]})])
    weight = np.append(np.ones(N), [0.0, 0.0])
    found = clone(MODEL).fit(more, np.append(Y, [0.0, 0.0]), weight)
    assert_array_equal(found.network_.theta, clone(MODEL).fit(FRAME, Y).network_.theta)


ERRORS = {
    "infinity": (FRAME.assign(x=np.inf), {}, "Input X contains infinity: column 'x', row 0"),
    "words": (FRAME, {"categorical_features": ["x"]}, "column 'kind' of X: could not convert .* name it in"),
    "no column": (FRAME, {"categorical_features": ["colour"]}, "categorical_features=.* there is no column 'colour'"),
    "no number": (FRAME, {"categorical_features": [3]}, "there is no column 3"),
    "heads": (FRAME, {"n_heads": 3}, "n_heads=3 must divide the 8 channels"),
}


@pytest.mark.parametrize(("X", "params", "message"), ERRORS.values(), ids=ERRORS)
def test_what_is_wrong_is_refused_and_named(X, params, message):
    with pytest.raises(ValueError, match=message):
        clone(MODEL).set_params(**params).fit(X, Y)


# -- tokens --------------------------------------------------------------------------------------------------------


def test_the_order_of_columns_with_their_vectors_changes_nothing():
    layers = clone(MODEL).fit(FRAME.drop(columns="kind"), Y).network_.layers
    network = Network(layers, (3,), np.random.RandomState(0), "float64")
    order, x = [2, 0, 1], RNG.normal(size=(5, 3))
    other = Network(layers, (3,), np.random.RandomState(0), "float64")
    for name in ("weight", "bias"):
        other.parameters["0"][name][:] = network.parameters["0"][name][order]
    assert_allclose(other(x[:, order]), network(x), rtol=1e-12)


def test_a_token_is_the_number_times_a_vector_and_another():
    network = Network([FeatureTokens(4, [0, 2], [0])], (2,), np.random.RandomState(0), "float64")
    x = np.array([[0.5, 2.0], [np.nan, 0.0]])
    weight, bias, missing, category, readout = (
        network.parameters["0"][name] for name in ("weight", "bias", "missing", "category", "readout")
    )
    expected = [[0.5 * weight[0] + bias[0], category[2], readout[0]], [bias[0] + missing[0], category[0], readout[0]]]
    assert_allclose(network(x), expected)


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (lambda: FeatureTokens(4, [0, 1]), (3,), "works on rows of features, but samples are of shape"),
        (lambda: FeatureTokens(4), (3, 2), "works on rows of features"),
        (lambda: FeatureTokens(4, [0, 2], [1]), (2,), r"lacking=\(1,\) must be features that are numbers, of 2"),
        (lambda: FeatureTokens(4, [0.5]), (1,), "categories must be a list of integers that are not negative"),
        (lambda: FeatureTokens(0), (1,), "width must be an integer"),
    ],
)
def test_what_are_no_features_is_refused(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        Network([layer()], shape, None)


def test_attention_of_each_block_and_head_is_told():
    weights = clone(MODEL).fit(FRAME, Y).attention_weights(FRAME)
    assert weights.shape == (N, 2, 2, 4, 4)
    assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-6)


# -- beside others -------------------------------------------------------------------------------------------------


def test_copies_files_and_searches(tmp_path):
    fitted = clone(MODEL).fit(FRAME, Y)
    sknn.save(fitted, tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(fitted)), sknn.load(tmp_path / "model")):
        assert_array_equal(copy.predict(FRAME), fitted.predict(FRAME))
    assert np.isfinite(cross_val_score(MODEL, FRAME, Y, cv=2, error_score="raise")).all()
    GridSearchCV(MODEL, {"width": [8, 16]}, cv=2, error_score="raise").fit(FRAME, Y)
