"""Recurrent cells: what is at the same time, what cells keep, and that samples know nothing of each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.ops.recurrence import CELLS, Steps, recurrence

LENGTHS = [4, 9, 1, 6, 6, 2]

each_cell = pytest.mark.parametrize("cell", CELLS)
each_direction = pytest.mark.parametrize("reverse", [False, True], ids=["forth", "back"])


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def parameters(cell: str, n_channels: int = 3, n_units: int = 5) -> tuple[np.ndarray, ...]:
    gates = len(CELLS[cell].logistic) * n_units
    return drawn(n_channels, gates), drawn(n_units, gates, seed=1), drawn(CELLS[cell].n_biases * n_units, seed=2)


# -- what is at the same time --------------------------------------------------------------------------------------


def test_rows_in_time():
    steps = Steps([2, 3, 1])
    assert (len(steps), steps.n_positions) == (3, 6)
    assert_array_equal(steps.going, [3, 2, 1])
    assert steps.spans == [(0, 3), (3, 5), (5, 6)]
    assert_array_equal(steps.rows(reverse=False), [2, 0, 5, 3, 1, 4])
    assert_array_equal(steps.rows(reverse=True), [4, 1, 5, 3, 0, 2])
    assert_array_equal(steps.last(reverse=False), [1, 4, 5])
    assert_array_equal(steps.last(reverse=True), [0, 2, 5])


def test_states_before():
    steps, states = Steps([1, 3, 2]), np.arange(6.0)[:, None]
    assert_array_equal(steps.before(states, None).ravel(), [0, 0, 0, 0, 1, 3])
    assert_array_equal(steps.before(states, -np.ones((3, 1))).ravel(), [-1, -1, -1, 0, 1, 3])


def test_positions_have_to_be_those_of_the_steps():
    with pytest.raises(ValueError, match=r"x must have the 28 positions of the steps; its shape is \(27, 3\)"):
        recurrence(drawn(27, 3), *parameters("gru"), steps=Steps(LENGTHS), cell="gru")


# -- what cells keep -----------------------------------------------------------------------------------------------


def biases(*parts: float) -> np.ndarray:
    return np.repeat(parts, 5).astype(float)


def test_an_lstm_that_lets_nothing_in_keeps_its_cells_exactly():
    W, U, _ = parameters("lstm")
    state = drawn(6, 10, seed=3)
    y = recurrence(
        drawn(28, 3, seed=4),
        0 * W,
        0 * U,
        biases(-1e3, 1e3, 0, 0),
        state,
        steps=Steps(LENGTHS),
        cell="lstm",
        whole=True,
    )
    assert_array_equal(y[:, 5:], np.repeat(state[:, 5:], LENGTHS, axis=0))


def test_a_gru_that_updates_nothing_keeps_its_state_exactly():
    W, U, _ = parameters("gru")
    state = np.random.default_rng(3).integers(-4, 5, (6, 5)) / 4.0
    y = recurrence(drawn(28, 3, seed=4), 0 * W, 0 * U, biases(0, 1e3, 1, 0), state, steps=Steps(LENGTHS), cell="gru")
    assert_allclose(y, np.repeat(state, LENGTHS, axis=0), rtol=0, atol=1e-15)


def test_where_tanh_is_linear_a_state_passes_through_powers_of_the_weights():
    U, n_steps = 0.5 * drawn(5, 5), 7
    state = Tensor(np.zeros((1, 5)))
    y = recurrence(
        np.zeros((1, n_steps, 3)), np.zeros((3, 5)), U, np.zeros(5), state, steps=Steps([n_steps]), cell="rnn"
    )
    for k in range(5):
        seed = np.zeros((1, n_steps, 5))
        seed[0, -1, k] = 1.0
        assert_allclose(grad(y, state, seed=seed)[0], np.linalg.matrix_power(U, n_steps)[:, k], rtol=1e-12, atol=1e-15)


@each_cell
@each_direction
def test_later_steps_change_nothing_before_them(cell, reverse):
    x = Tensor(drawn(28, 3))
    y = recurrence(x, *parameters(cell), steps=Steps(LENGTHS), cell=cell, reverse=reverse)
    third = 4 + 2  # step of the second sample, of nine
    slopes = grad(F.sum(y[third]), x)
    reached = slice(third, 13) if reverse else slice(4, third + 1)
    assert np.all(slopes[reached])
    slopes[reached] = 0.0
    assert_array_equal(slopes, 0.0)


# -- samples know nothing of each other ----------------------------------------------------------------------------


@each_cell
@each_direction
def test_alone_as_in_a_batch(cell, reverse):
    x, weights = drawn(28, 3), parameters(cell)
    together = recurrence(x, *weights, steps=Steps(LENGTHS), cell=cell, reverse=reverse)
    for start, n in zip(np.cumsum(LENGTHS) - LENGTHS, LENGTHS, strict=True):
        alone = recurrence(x[None, start : start + n], *weights, steps=Steps([n]), cell=cell, reverse=reverse)
        assert_allclose(together[start : start + n], alone[0], rtol=1e-12, atol=1e-13)


@each_cell
@each_direction
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("other", [0.0, 1e30, np.nan])
def test_values_of_other_samples_change_not_a_bit(cell, reverse, dtype, other):
    x, seed = drawn(28, 3).astype(dtype), drawn(28, 5, seed=5).astype(dtype)
    weights = [each.astype(dtype) for each in parameters(cell)]
    mine = np.arange(28) < 4
    found = []
    for values in (x, np.where(mine[:, None], x, other).astype(dtype)):
        leaf = Tensor(values)
        y = recurrence(leaf, *weights, steps=Steps(LENGTHS), cell=cell, reverse=reverse)
        found.append((y.value[mine], grad(y, leaf, seed=seed)[mine]))
    for one, changed in zip(*found, strict=True):
        assert_array_equal(one, changed)


@each_cell
def test_series_read_from_the_end_are_reversed_series(cell):
    x, weights, lengths = drawn(28, 3), parameters(cell), np.array(LENGTHS)
    turned = np.repeat(2 * np.cumsum(lengths) - lengths - 1, lengths) - np.arange(28)
    forth = recurrence(x[turned], *weights, steps=Steps(LENGTHS), cell=cell)
    back = recurrence(x, *weights, steps=Steps(LENGTHS), cell=cell, reverse=True)
    assert_array_equal(back, forth[turned])


@each_cell
def test_in_pieces_as_in_one(cell):
    x, weights = drawn(4, 9, 3), parameters(cell)
    whole = recurrence(x, *weights, steps=Steps([9] * 4), cell=cell, whole=True)
    first = recurrence(x[:, :2], *weights, steps=Steps([2] * 4), cell=cell, whole=True)
    rest = recurrence(x[:, 2:], *weights, first[:, -1], steps=Steps([7] * 4), cell=cell, whole=True)
    assert_allclose(np.concatenate([first, rest], axis=1), whole, rtol=1e-12, atol=1e-14)


def test_no_steps_of_no_samples():
    y = recurrence(np.empty((0, 3)), *parameters("gru"), steps=Steps([]), cell="gru")
    assert y.shape == (0, 5)
