"""Draws: numbers that depend on seed, phase, step and the order of calls in a step, and on nothing else."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sknn.nn import Draws

KINDS = {
    "normal": lambda draws: draws.normal((3, 2)),
    "uniform": lambda draws: draws.uniform((5,)),
    "integers": lambda draws: draws.integers(1000, (4,)),
    "choice": lambda draws: draws.choice(100, (6,)),
    "choice with probabilities": lambda draws: draws.choice(4, (60,), p=np.array([0.1, 0.2, 0.3, 0.4])),
    "permutation": lambda draws: draws.permutation(9),
}
each_kind = pytest.mark.parametrize("draw", KINDS.values(), ids=KINDS)


def at(phase, step, seed=3, dtype="float32"):
    draws = Draws(seed, dtype)
    draws.at(phase, step)
    return draws


@each_kind
def test_a_place_gives_the_same_numbers_whatever_was_drawn_before(draw):
    draws = Draws(3)
    for _ in range(4):
        draws.at(1, 7)
        first, second = draw(draws), draw(draws)
        assert_array_equal(first, draw(at(1, 7)))
        assert (first != second).any()
        draws.at(0, 2)
        draws.integers(5, (3,))  # which leaves half a number behind


@each_kind
@pytest.mark.parametrize("other", [(0, 7), (1, 8), (7, 1), (2, 7)])
def test_another_place_or_seed_gives_others(draw, other):
    assert (draw(at(1, 7)) != draw(at(*other))).any()
    assert (draw(at(1, 7)) != draw(at(1, 7, seed=4))).any()


def test_steps_do_not_overlap_however_much_is_drawn_in_one():
    long = at(0, 0, dtype="float64").uniform((100_000,))
    for place in ((0, 1), (1, 0), (0, 2)):
        assert not np.isin(at(*place, dtype="float64").uniform((3,)), long).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_come_in_the_precision_asked_for_and_are_distributed_as_they_say(dtype):
    draws = Draws(0, dtype)
    normal, uniform = draws.normal((100_000,)), draws.uniform((100_000,))
    assert normal.dtype == uniform.dtype == dtype
    assert abs(normal.mean()) < 0.015
    assert abs(normal.std() - 1) < 0.01
    assert 0 <= uniform.min() < 1e-3
    assert 1 - 1e-3 < uniform.max() < 1
    assert_array_equal(np.unique(draws.integers(3, (100,))), [0, 1, 2])
    assert_array_equal(np.unique(draws.choice(3, (100,), p=[0.5, 0.0, 0.5])), [0, 2])
    assert_array_equal(np.sort(draws.permutation(5)), np.arange(5))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda draws: pickle.loads(pickle.dumps(draws))])
@pytest.mark.parametrize("drawn", [0, 3])
def test_a_copy_goes_on_where_the_original_stands_and_by_itself(copied, drawn):
    draws, expected = at(2, 5), at(2, 5)
    assert_array_equal(draws.normal((drawn,)), expected.normal((drawn,)))
    twin = copied(draws)
    assert_array_equal(twin.uniform((4,)), expected.uniform((4,)))
    twin.at(0, 0)
    again = at(2, 5)
    again.normal((drawn,))
    assert_array_equal(draws.uniform((4,)), again.uniform((4,)))


ERRORS = {
    "seed": (lambda: Draws(-1), r"seed=-1 must be at least 0 and less than 2\*\*128"),
    "dtype": (lambda: Draws(0, "int32"), "dtype='int32' must be 'float32' or 'float64'"),
}


@pytest.mark.parametrize(("action", "message"), ERRORS.values(), ids=ERRORS)
def test_errors(action, message):
    with pytest.raises(ValueError, match=message):
        action()
