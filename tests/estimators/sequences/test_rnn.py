"""Recurrent networks: what their parameters make of the network, labels at steps, and that nothing looks ahead."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sknn import RNNClassifier, RNNRegressor, RNNSegmenter
from sknn.metrics import dice_score
from sknn.nn import Dense, FillGaps, Recurrent, TimePool

RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=(n, 2)) for n in RNG.integers(3, 12, 120)]
SUMS = np.array([x[:, 0].mean() for x in SERIES])
LABELS = [(np.cumsum(x[:, 0]) > 0).astype(int) for x in SERIES]
GRID, TAGS = np.stack([x[:3] for x in SERIES]), np.stack([y[:3] for y in LABELS])
SMALL = {"max_iter": 3, "batch_size": 10, "random_state": 0}
CAUSAL = RNNSegmenter(4, bidirectional=False, dtype="float64", **SMALL)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("pooling", ["mean_max", "last", "mean", "max", "attention"])
def test_every_cell_and_every_way_to_read_out_learns(cell, pooling):
    model = RNNRegressor(8, cell=cell, pooling=pooling, max_iter=25, learning_rate_init=0.02, random_state=0)
    assert model.fit(SERIES[:90], SUMS[:90]).score(SERIES[90:], SUMS[90:]) > 0.6


def test_the_layers_are_those_that_the_parameters_name():
    model = RNNClassifier(5, depth=2, cell="lstm", stem=(7,), hidden_layer_sizes=(6, 3), dropout=0, **SMALL)
    layers = model.fit(SERIES, SUMS > 0).network_.layers
    assert [type(layer).__name__ for layer in layers] == [
        *("FillGaps", "Conv", "LayerNorm", "Activation"),
        *("Recurrent", "Recurrent", "TimePool", "Dense", "Dense", "Dense"),
    ]
    assert layers[5] == Recurrent(5, "lstm", bidirectional=True)
    assert [layer.units for layer in layers[-3:]] == [6, 3, 1]


def test_the_last_state_is_that_of_each_direction():
    model = RNNRegressor(4, depth=2, pooling="last", missing="error", dropout=0.0, **SMALL).fit(SERIES, SUMS)
    both = {"bidirectional": True}
    assert model.network_.layers == (Recurrent(4, **both), Recurrent(4, sequences=False, **both), Dense(1))
    assert TimePool("mean_max") in RNNRegressor(4, **SMALL).fit(SERIES, SUMS).network_.layers


def test_one_sequence_of_gaps_and_dropout_stands_between_the_layers():
    layers = RNNRegressor(4, depth=2, **SMALL).fit(SERIES, SUMS).network_.layers
    assert layers[0] == FillGaps()
    assert [type(layer).__name__ for layer in layers[1:]] == [
        *("Recurrent", "Dropout") * 2,
        *("TimePool", "Dense"),
    ]


# -- labels at steps -----------------------------------------------------------------------------------------------


def test_a_segmenter_learns():
    model = RNNSegmenter(8, max_iter=15, learning_rate_init=0.02, random_state=0).fit(SERIES[:90], LABELS[:90])
    assert model.score(SERIES[90:], LABELS[90:]) > 0.85
    predicted = model.predict(SERIES[90:])
    assert predicted.dtype == object
    assert [len(each) for each in predicted] == [len(x) for x in SERIES[90:]]
    assert model.predict_proba(SERIES[:2])[1].shape == (len(SERIES[1]), 2)
    assert model.score(SERIES[90:], LABELS[90:]) == dice_score(LABELS[90:], predicted)


def test_labels_come_back_in_the_form_of_an_array():
    model = RNNSegmenter(4, **SMALL).fit(GRID, TAGS)
    assert model.predict(GRID).shape == TAGS.shape
    assert model.predict_proba(GRID).shape == (*TAGS.shape, 2)
    first = clone(model).set_params(data_format="channels_first").fit(GRID.transpose(0, 2, 1), TAGS)
    assert_array_equal(first.predict(GRID.transpose(0, 2, 1)), model.predict(GRID))
    assert clone(model).fit(GRID[..., 0], TAGS).predict(GRID[..., 0]).shape == TAGS.shape


def test_steps_without_a_label_count_for_nothing():
    some = np.where(np.arange(3) == 1, -1, TAGS)
    one, other = (clone(CAUSAL).fit(GRID, y) for y in (some, np.where(some < 0, -1, TAGS)))
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert one.classes_.tolist() == [0, 1]


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_a_segmenter_of_one_direction_does_not_look_ahead(cell):
    model = clone(CAUSAL).set_params(cell=cell, depth=2).fit(SERIES, LABELS)
    x = RNG.normal(size=(9, 2))
    changed = x.copy()
    changed[5:] = 1e3
    before, after = (model.predict_proba([each])[0] for each in (x, changed))
    assert_array_equal(before[:5], after[:5])
    assert (before[5:] != after[5:]).any()
    with pytest.raises(ValueError, match=r"stem=\(4,\) does not apply with bidirectional=False: convolutions see"):
        clone(model).set_params(stem=(4,)).fit(SERIES, LABELS)


def test_labels_that_are_not_one_for_each_step_are_refused():
    with pytest.raises(ValueError, match=r"sample 1 has \d+ steps, but labels of shape \(2,\) in y"):
        RNNSegmenter(4, **SMALL).fit(SERIES, [LABELS[0], LABELS[1][:2], *LABELS[2:]])
    assert "pooling" not in RNNSegmenter().get_params()


def test_labels_may_be_padded_as_the_series_are():
    longest = max(map(len, SERIES))
    X = np.stack([np.pad(x, ((0, longest - len(x)), (0, 0)), constant_values=np.nan) for x in SERIES])
    y = np.stack([np.pad(labels, (0, longest - len(labels)), constant_values=7) for labels in LABELS])
    ragged, padded = RNNSegmenter(4, **SMALL).fit(SERIES, LABELS), RNNSegmenter(4, **SMALL).fit(X, y)
    assert_array_equal(padded.network_.theta, ragged.network_.theta)
    assert padded.score(X, y) == ragged.score(SERIES, LABELS)
    first = RNNSegmenter(4, data_format="channels_first", **SMALL).fit(X.transpose(0, 2, 1), y)
    assert first.score(X.transpose(0, 2, 1), y) == padded.score(X, y)
