"""The check of gradients passes what is right and catches what is wrong, each in its order."""

import numpy as np
import pytest

from sknn.autodiff import Operation, Tensor, check_grads, op
from sknn.autodiff import primitives as p
from sknn.autodiff.tape import Primitive

X = np.random.default_rng(5).standard_normal((4, 3))


@pytest.fixture(autouse=True)
def _own_table(monkeypatch):
    monkeypatch.setattr(Operation, "table", dict(Operation.table))


def sine_with(rule):
    return Primitive(np.sin, rule, name="sine")


def fused_sine(reference=None, factor=1.0):
    @op
    def sine(x):
        return np.sin(x), x

    @sine.backward
    def _(g, x, out):
        return (factor * g * np.cos(x),)

    if reference is not None:
        sine.reference(reference)
    return sine


RIGHT = {
    "one input": (p.sin, [X]),
    "several": (lambda a, b: p.tanh(a @ b), [X, X.T]),
    "scalar result": (lambda x: p.sum(p.exp(x)), [X]),
    "linear": (lambda x: 3.0 * x, [X]),
    "scalar input": (lambda x: x**3, [2.0]),
    "one it does not depend on": (lambda a, b: p.sin(a), [X, X]),
    "large values": (lambda x: p.sum(p.exp(10.0 * x)), [X]),
    "small values": (lambda x: 1e-9 * p.sin(x), [X]),
    "labels, a mask and None": (lambda x, i, m, n: x[i] * m, [X, np.array([0, 0, 2]), X[0] > 0, None]),
    "not contiguous": (p.sin, [np.asfortranarray(X)[::2]]),
}  # fmt: skip


@pytest.mark.parametrize(("function", "inputs"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_passes(function, inputs):
    check_grads(function, *inputs, order=3)


def one_entry_wrong(g, y, x):
    return g * p.cos(x) * (1.0 + 1e-3 * (np.arange(12).reshape(4, 3) == 7))


def tangent(x):
    """The value and slope of the sine at x, but no curvature."""
    at = p.plain(x)
    return np.sin(at) + (x - at) * np.cos(at)


WRONG = {
    "factor": (lambda: sine_with(lambda g, y, x: g * p.cos(x) * 1.00001), "^derivative of order 1"),
    "other function": (lambda: sine_with(lambda g, y, x: g * p.sin(x)), "^derivative of order 1"),
    "no gradient": (lambda: sine_with(lambda g, y, x: None), "^derivative of order 1"),
    "not a number": (lambda: sine_with(lambda g, y, x: g * np.nan), "^derivative of order 1"),
    "one entry": (lambda: sine_with(one_entry_wrong), "^derivative of order 1"),
    "cut off": (lambda: sine_with(lambda g, y, x: g * np.cos(p.plain(x))), "^derivative of order 2"),
    "fused factor": (lambda: fused_sine(p.sin, 1.001), "^derivative of order 1"),
    "fused reference": (lambda: fused_sine(lambda x: 1.001 * p.sin(x)), "^recorded derivative of order 1"),
    "fused curvature": (lambda: fused_sine(tangent), "^derivative of order 2"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_fails_in_its_order(make, message):
    with pytest.raises(AssertionError, match=message):
        check_grads(make(), X)


def test_the_message_gives_both_numbers_and_the_error():
    with pytest.raises(
        AssertionError, match=r"-?\d+\.\d+ by backpropagation, -?\d+\.\d+ by .* \(relative error 5.0e-01"
    ):
        check_grads(sine_with(lambda g, y, x: 2.0 * g * p.cos(x)), X)


def test_the_tolerance_is_relative():
    slightly_wrong = sine_with(lambda g, y, x: g * p.cos(x) * 1.0001)
    check_grads(slightly_wrong, X, order=1, rtol=1e-3)
    with pytest.raises(AssertionError, match="allowed 1e-05"):
        check_grads(slightly_wrong, X, order=1, rtol=1e-5)
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(lambda x: 1e-6 * slightly_wrong(x), X, order=1, rtol=1e-5)


def test_the_second_of_two_inputs_is_checked_too():
    half = Primitive(np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: 0.5 * g * a, name="half")
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(half, X, X + 1.0)


def test_one_order_needs_no_reference():
    check_grads(fused_sine(), X, order=1)
    with pytest.raises(TypeError, match="no reference"):
        check_grads(fused_sine(), X, order=2)


def test_the_directions_come_from_the_generator_given():
    def measured(seed):
        with pytest.raises(AssertionError) as caught:
            check_grads(sine_with(lambda g, y, x: g), X, rng=np.random.default_rng(seed))
        return str(caught.value)

    assert measured(1) == measured(1) != measured(2)


def test_inputs_are_left_alone():
    x = X.copy()
    x.flags.writeable = False
    check_grads(p.sin, x)
    np.testing.assert_array_equal(x, X)


REFUSED = {
    "float32": (p.sin, [X, X.astype(np.float32)], TypeError, "input 1 is float32"),
    "complex": (p.sin, [X.astype(complex)], TypeError, "input 0 is complex128"),
    "nothing to check": (p.sin, [np.arange(3)], ValueError, "none of the inputs"),
    "an array returned": (lambda x: np.sin(x.value), [X], TypeError, "it gave ndarray"),
}


@pytest.mark.parametrize(("function", "inputs", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_errors(function, inputs, error, message):
    with pytest.raises(error, match=message):
        check_grads(function, *inputs)


def test_a_leaf_made_by_the_function_is_no_dependence():
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(lambda x: p.sin(Tensor(x.value)), X)
