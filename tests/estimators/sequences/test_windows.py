"""Windows of token streams, counted by hand."""

from sys import maxsize

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.estimators.sequences.windows import Windows, first_seen, following, overlapping
from sknn.nn import Draws, Sequences
from sknn.template.samples import Samples

END = 9
X = Sequences(np.array([9, 1, 2, 3, 9, 4, 9, 5, 6], "float32"), [4, 2, 3])


def test_what_follows_the_last_token_is_the_end():
    assert following(X, X.values).tolist() == [1, 2, 3, END, 4, END, 5, 6, END]


def test_windows_begin_anew_where_a_sequence_does():
    windows = Windows(Samples(X, weight=np.array([1.0, 2.0, 3.0])), 4)
    assert len(windows) == 3
    seen = set()
    for step in range(50):
        draws = Draws(0)
        draws.at(0, step)
        batch = windows.drawn(2, draws)
        assert batch.x.values.dtype == np.intp
        assert batch.x.lengths.sum() == 8
        ends = np.cumsum(batch.x.lengths)
        assert 4 in ends
        for piece, after, weight in zip(
            batch.x, np.split(batch.y, ends[:-1]), np.split(batch.weight, ends[:-1]), strict=True
        ):
            assert END not in piece[1:]  # it begins sequences and ends none
            assert_array_equal(piece[1:], after[:-1])
            assert len(set(weight)) == 1
            seen.add((tuple(piece), int(after[-1])))
    assert ((9, 1, 2, 3), END) in seen
    assert ((2, 3), END) in seen  # a window in the midst of a sequence
    assert ((9, 5), 6) in seen


def test_a_window_is_no_longer_than_all_there_is():
    windows = Windows(Samples(X), 100)
    assert (len(windows), windows.drawn(1, Draws(0)).x.lengths.tolist()) == (1, [4, 2, 3])


@pytest.mark.parametrize("context", [1, 2, 3, 4, 7, maxsize])
def test_every_position_is_predicted_once_from_enough_before_it(context):
    lengths = [1, 5, 2, 17, 8]
    x = Sequences(np.arange(sum(lengths)), lengths)
    positions, kept = overlapping(x, context)
    assert_array_equal(positions.values[kept], x.values)
    assert positions.lengths.max() <= context
    before = positions.at_positions(positions.starts)
    n_seen = (np.arange(len(kept)) - before + 1)[kept]
    place = np.concatenate([np.arange(n) for n in lengths])
    assert_array_equal(place + 1 - n_seen, first_seen(place, context))
    assert (n_seen >= np.minimum(place + 1, context - context // 2)).all()
