"""The compiled recurrent cells do what NumPy does, to rounding, and neither threads nor other samples change a bit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.ops import _kernels, compiled, threads
from sknn.ops.recurrence import CELLS, Steps, recurrence

pytestmark = pytest.mark.skipif(_kernels.native is None, reason="there are no compiled kernels, or NumPy is asked for")

TOLERANCE = {"float32": 5e-5, "float64": 1e-12}
each_dtype = pytest.mark.parametrize("dtype", sorted(TOLERANCE))
each_cell = pytest.mark.parametrize("cell", CELLS)


def instruction_sets():
    found = []
    for name in ("baseline", "avx2", "avx512"):
        try:
            found.append(_kernels.native.use(name))
        except ValueError:  # this processor has it not
            continue
    _kernels.native.use(_kernels.in_use)
    return found


SETS = [] if _kernels.native is None else instruction_sets()


@pytest.fixture(params=SETS, autouse=True)
def instruction_set(request):
    _kernels.native.use(request.param)
    yield request.param
    _kernels.native.use(_kernels.in_use)


@pytest.fixture(autouse=True)
def threads_at_any_size(monkeypatch):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)


def drawn(rng, cell, lengths, channels, units, dtype):
    """x, W, U, b and the initial states, large enough for gates to open and close."""
    kind = CELLS[cell]
    gates = len(kind.logistic) * units
    shapes = (sum(lengths), channels), (channels, gates), (units, gates), (kind.n_biases * units,)
    shapes += ((len(lengths), kind.n_states * units),)
    scales = 2.0, 1.0, 1.0 / np.sqrt(units), 1.0, 0.5
    return [(scale * rng.standard_normal(shape)).astype(dtype) for scale, shape in zip(scales, shapes, strict=True)]


def value_and_gradients(inputs, seed, n_threads=1, **options):
    with threads._counting_on(n_threads):
        leaves = [Tensor(each) for each in inputs]
        y = recurrence(*leaves, **options)
        return [y.value, *grad(y, leaves, seed=seed[:, : y.shape[1]])]


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=70),
    cell=st.sampled_from(sorted(CELLS)),
    channels=st.sampled_from([1, 3, 8, 17]),
    units=st.sampled_from([1, 2, 7, 16, 24, 33]),
    has_state=st.booleans(),
    reverse=st.booleans(),
    whole=st.booleans(),
    dtype=st.sampled_from(sorted(TOLERANCE)),
    count=st.sampled_from([1, 2]),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
def test_values_and_gradients(
    monkeypatch, lengths, cell, channels, units, has_state, reverse, whole, dtype, count, seed
):
    rng = np.random.default_rng(seed)
    inputs = drawn(rng, cell, lengths, channels, units, dtype)[: 4 + has_state]
    slopes = rng.standard_normal((sum(lengths), 2 * units)).astype(dtype)
    options = {"steps": Steps(lengths), "cell": cell, "reverse": reverse, "whole": whole}
    with monkeypatch.context() as patch:
        patch.setattr(compiled, "native", None)
        expected = value_and_gradients(inputs, slopes, **options)
    copies = [each.copy() for each in inputs]
    for found, other in zip(value_and_gradients(inputs, slopes, count, **options), expected, strict=True):
        assert found.dtype == other.dtype == dtype
        assert_allclose(found, other, rtol=0, atol=TOLERANCE[dtype] * max(1.0, np.abs(other).max()))
    for before, after in zip(copies, inputs, strict=True):
        assert_array_equal(before, after)


def many(cell, dtype):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 12, 150)
    return lengths, drawn(rng, cell, lengths, 5, 20, dtype), rng.standard_normal((lengths.sum(), 40)).astype(dtype)


@each_cell
@each_dtype
def test_neither_threads_nor_repetition_change_a_bit(cell, dtype):
    lengths, inputs, seed = many(cell, dtype)
    options = {"steps": Steps(lengths), "cell": cell}
    expected = value_and_gradients(inputs, seed, **options)
    for count in (1, 2, 3):
        for one, other in zip(value_and_gradients(inputs, seed, count, **options), expected, strict=True):
            assert_array_equal(one, other)


@each_cell
@each_dtype
@pytest.mark.parametrize("reverse", [False, True])
def test_a_sample_gets_the_same_bits_alone_and_among_others(cell, dtype, reverse):
    lengths, (x, W, U, b, state), seed = many(cell, dtype)
    steps = Steps(lengths)
    y, dx, *_, dstate = value_and_gradients((x, W, U, b, state), seed, 2, steps=steps, cell=cell, reverse=reverse)
    for k in (0, 33, 149):
        mine = slice(steps.starts[k], steps.starts[k] + lengths[k])
        alone = (x[mine], W, U, b, state[k : k + 1])
        found = value_and_gradients(alone, seed[mine], steps=Steps(lengths[k : k + 1]), cell=cell, reverse=reverse)
        for one, other in zip((found[0], found[1], found[5]), (y[mine], dx[mine], dstate[k : k + 1]), strict=True):
            assert_array_equal(one, other)


@each_cell
@each_dtype
def test_gates_of_huge_and_of_undefined_numbers(cell, dtype):
    lengths, inputs, _ = many(cell, dtype)
    inputs[0][:4] = [[1e30], [-1e30], [np.inf], [-np.inf]]
    inputs[1][:] = np.abs(inputs[1])
    y = recurrence(*inputs, steps=Steps(lengths), cell=cell)
    assert np.isfinite(y).all()
    inputs[0][0, 0] = np.nan
    y = recurrence(*inputs, steps=Steps(lengths), cell=cell)
    assert np.isnan(y[: lengths[0]]).all()
    assert np.isfinite(y[lengths[0] :]).all()


# -- what cannot be ------------------------------------------------------------------------------------------------


def arguments(**changes):
    """Of the entry: two samples of two steps and one, three channels, four units of a GRU."""
    given = {"x": np.ones((3, 3)), "state": None, "y": np.ones((3, 4)), "gates": np.ones((3, 16)), "cells": None}
    given |= {"cell": "gru", "w": np.ones((3, 12)), "u": np.ones((4, 12)), "b": np.ones(16)}
    given |= {"order": np.array([1, 0]), "starts": np.array([0, 1]), "lengths": np.array([1, 2]), "reverse": False}
    return tuple((given | changes | {"threads": 1}).values())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"cell": "lsd"}, ValueError, "no kernel is for this cell"),
        ({"cell": 3}, TypeError, "by its name"),
        ({"cell": "lstm", "w": np.ones((3, 16)), "u": np.ones((4, 16))}, TypeError, "an argument is None"),
        ({"w": np.ones((3, 13))}, ValueError, "beside each other"),
        ({"w": np.ones((3, 24))[:, ::2]}, ValueError, "contiguous"),
        ({"u": np.ones((3, 12))}, ValueError, "wrong size"),
        ({"b": np.ones(12)}, ValueError, "wrong size"),
        ({"y": np.ones((3, 3))}, ValueError, "wrong size"),
        ({"gates": None}, TypeError, "an argument is None"),
        ({"state": np.ones((2, 3))}, ValueError, "wrong size"),
        ({"u": np.ones((4, 12), np.float32)}, TypeError, "one type"),
        ({"lengths": np.array([1, 3])}, ValueError, "a sample lies elsewhere"),
        ({"starts": np.array([-1, 1])}, ValueError, "a sample lies elsewhere"),
        ({"order": np.array([2, 0])}, ValueError, "a sample lies elsewhere"),
        ({"order": np.array([0, 1])}, ValueError, "the longest sample comes first"),
        ({"starts": np.array([0])}, ValueError, "wrong size"),
    ],
)
def test_wrong_arguments_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        _kernels.native.recurrence(*arguments(**changes))


def test_right_arguments_are_taken():
    given = arguments()
    _kernels.native.recurrence(*given)
    assert np.isfinite(given[2]).all()


@each_cell
@each_dtype
@pytest.mark.parametrize("n_samples", [1, 5])
def test_step_by_step_to_the_bit_as_at_once(cell, dtype, n_samples):
    """Of a few steps weights are read where they lie, of many packed."""
    lengths = [7] * n_samples
    x, *weights, state = drawn(np.random.default_rng(0), cell, lengths, 3, 64, dtype)
    x, options = x.reshape(n_samples, 7, 3), {"cell": cell, "whole": True}
    at_once = recurrence(x, *weights, state, steps=Steps(lengths), **options)
    for t in range(7):
        y = recurrence(x[:, t : t + 1], *weights, state, steps=Steps([1] * n_samples), **options)
        state = y[:, 0]
        assert_array_equal(state, at_once[:, t])
