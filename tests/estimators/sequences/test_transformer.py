"""Transformers for series: what their parameters make of the network, and what their attention looks at."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sknn import TransformerClassifier, TransformerRegressor

RNG = np.random.default_rng(0)
SERIES = [np.column_stack([np.sort(RNG.uniform(0, n, n)), RNG.normal(size=n)]) for n in RNG.integers(3, 12, 120)]
MEANS = np.array([x[:, 1].mean() for x in SERIES])
SMALL = {"max_iter": 3, "batch_size": 10, "random_state": 0}
MODEL = TransformerRegressor(8, stem=None, dtype="float64", **SMALL)


@pytest.mark.parametrize(
    "params",
    [
        {"positions": "sinusoidal"},
        {"positions": "rotary"},
        {"positions": "learned"},
        {"positions": None},
        {"time_channel": 0},
        {"time_channel": 0, "patch_size": 3},
        {"patch_size": 2, "positions": "learned"},
        {"stem": (8,), "causal": True},
        {"pooling": "mean_max"},
        {"pooling": "attention"},
        {"pooling": "max"},
    ],
    ids=str,
)
def test_it_learns_whatever_is_chosen(params):
    model = TransformerRegressor(16, depth=1, stem=None, max_iter=25, learning_rate_init=5e-3, random_state=0)
    model.set_params(**params).fit(SERIES[:90], MEANS[:90])
    assert model.score(SERIES[90:], MEANS[90:]) > 0.5


def test_without_positions_the_order_of_steps_is_nothing():
    model = clone(MODEL).set_params(positions=None).fit(SERIES, MEANS)
    assert_allclose(model.predict([x[::-1] for x in SERIES]), model.predict(SERIES), rtol=1e-9)
    with_them = clone(MODEL).fit(SERIES, MEANS)
    assert np.abs(with_them.predict([x[::-1] for x in SERIES]) - with_them.predict(SERIES)).max() > 1e-4


def test_series_may_be_longer_than_those_of_training():
    model = clone(MODEL).set_params(positions="learned").fit(SERIES, MEANS)
    assert np.isfinite(model.predict([np.zeros((500, 2))])).all()
    with pytest.raises(ValueError, match="sample 0 has 513 steps, but Positions"):
        model.predict([np.zeros((513, 2))])


# -- attention -----------------------------------------------------------------------------------------------------


def test_weights_are_told_for_each_block_and_head():
    model = clone(MODEL).set_params(depth=3, n_heads=2).fit(SERIES, MEANS)
    weights = model.attention_weights(SERIES)
    assert [each.shape for each in weights] == [(3, 2, len(x), len(x)) for x in SERIES]
    for each, x in zip(weights, SERIES, strict=True):
        assert_allclose(each.sum(axis=-1), 1.0)
        assert_allclose(model.attention_weights([x])[0], each, rtol=1e-9)
    grid = np.stack([x[:3] for x in SERIES])
    assert model.attention_weights(grid).shape == (120, 3, 2, 3, 3)
    before = model.predict(SERIES)
    assert_array_equal(model.predict(SERIES), before)


def test_attention_that_looks_back_has_no_weights_ahead():
    model = clone(MODEL).set_params(causal=True).fit(SERIES, MEANS)
    for weights in model.attention_weights(SERIES):
        assert_array_equal(np.triu(weights, 1), 0.0)


def test_patches_are_the_tokens():
    model = clone(MODEL).set_params(patch_size=4, time_channel=0).fit(SERIES, MEANS)
    assert [each.shape[-1] for each in model.attention_weights(SERIES)] == [-(-len(x) // 4) for x in SERIES]


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_heads": 3}, "n_heads=3 must divide the 8 channels"),
        ({"time_channel": 0, "positions": "rotary"}, "positions='rotary' does not apply with time_channel=0"),
        ({"solver": "lbfgs"}, "Dropout"),
        ({"pooling": "median"}, "The 'pooling' parameter of TransformerClassifier must be a str among"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        TransformerClassifier(8, **SMALL).set_params(**params).fit(SERIES, MEANS > 0)
