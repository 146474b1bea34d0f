"""Convolution and its transposes: each case gets every check that the elementary operations get."""

from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknn.autodiff import Tensor, check_grads, grad, jet
from sknn.autodiff import primitives as p
from sknn.ops.convolution import convolution, transposed_convolution, weight_gradient
from sknn.ops.windows import Windows, make_windows

rng = np.random.default_rng(5)


class Case(NamedTuple):
    """x, w and z of one geometry."""

    windows: Windows
    groups: int
    x: np.ndarray
    w: np.ndarray
    z: np.ndarray


def case(x: tuple[int, ...], w: tuple[int, ...], groups: int = 1, **options: Any) -> Case:
    windows = make_windows(x[1:-1], w[:-2], **options)
    shapes = (x, w, (x[0], *windows.output, w[-1]))
    return Case(windows, groups, *(rng.standard_normal(shape) for shape in shapes))


CASES = {
    "1-D": case((3, 6, 2), (3, 2, 3)),
    "2-D, same": case((2, 5, 4, 2), (3, 2, 2, 3), padding="same"),
    "3-D, same": case((1, 3, 4, 3, 1), (2, 3, 2, 1, 2), padding="same", stride=(1, 2, 2)),
    "stride": case((2, 7, 2), (3, 2, 2), stride=2, padding="same"),
    "strides and padding": case((2, 7, 6, 1), (2, 3, 1, 2), stride=(3, 2), padding=(1, 2)),
    "stride longer than the kernel": case((2, 8, 5, 1), (2, 2, 1, 2), stride=3),
    "stride longer than the grid": case((2, 2, 3, 1), (1, 3, 1, 2), stride=5, padding=(0, 1)),
    "positions that no window meets": case((2, 9, 2), (2, 2, 3), stride=4),
    "stride and dilation": case((2, 8, 2), (3, 2, 2), stride=2, dilation=2, padding=3),
    "stride and dilation without common divisor": case((2, 11, 9, 1), (3, 2, 1, 2), stride=(2, 3), dilation=(3, 2)),
    "stride and dilation with one": case((2, 19, 1), (3, 1, 2), stride=6, dilation=4, padding=5),
    "padding beyond the kernel": case((2, 4, 1), (2, 1, 2), stride=2, padding=5),
    "groups": case((3, 5, 4), (3, 2, 6), groups=2, padding=1),
    "depthwise": case((2, 5, 4, 3), (2, 2, 1, 3), groups=3, padding="same", stride=2),
    "depthwise, several filters": case((2, 7, 3), (3, 1, 6), groups=3, stride=2, padding=2),
}


def by_taps(x: np.ndarray, w: np.ndarray, z: np.ndarray, windows: Windows, groups: int) -> list[np.ndarray]:
    """The three, tap by tap."""
    y, dx, dw = np.zeros_like(z), np.zeros_like(x), np.zeros((prod(windows.kernel), *w.shape[-2:]))
    weights = w.reshape(len(dw), -1, groups, w.shape[-1] // groups)
    for tap, (seen, positions) in enumerate(windows.taps):
        at, on = (slice(None), *seen), (slice(None), *positions)
        pixels, slopes = x[on].reshape(-1, groups, w.shape[-2]), z[at].reshape(-1, *weights.shape[2:])
        y[at] += np.einsum("pgc,cgf->pgf", pixels, weights[tap]).reshape(z[at].shape)
        dx[on] += np.einsum("pgf,cgf->pgc", slopes, weights[tap]).reshape(x[on].shape)
        dw[tap] = np.einsum("pgc,pgf->cgf", pixels, slopes).reshape(w.shape[-2:])
    return [y, dx, dw.reshape(w.shape)]


def three(case: Case) -> list[tuple]:
    """Each operation of the case with its operands."""
    options = {"windows": case.windows, "groups": case.groups}
    operations = {
        convolution: (case.x, case.w),
        transposed_convolution: (case.z, case.w),
        weight_gradient: (case.z, case.x),
    }
    return [(partial(operation, **options), operands) for operation, operands in operations.items()]


def seed_for(y: Any) -> np.ndarray:
    return np.cos(1.0 + np.arange(y.size)).reshape(y.shape).astype(y.dtype)


def value_and_gradients(operation: Any, operands: Any) -> list[np.ndarray]:
    leaves = [Tensor(each) for each in operands]
    y = operation(*leaves)
    return [y.value, *grad(y, leaves, seed=seed_for(y))]


each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@each_case
def test_values_are_those_tap_by_tap(case):
    expected = by_taps(case.x, case.w, case.z, case.windows, case.groups)
    for (operation, operands), value in zip(three(case), expected, strict=True):
        found = operation(*operands)
        assert type(found) is np.ndarray
        assert found.shape == value.shape
        assert_allclose(found, value, rtol=1e-12, atol=1e-13)


@each_case
def test_they_are_transposes_of_each_other(case):
    """<z, x * w> = <x, z *' w> = <w, dw>."""
    found = [operation(*operands) for operation, operands in three(case)]
    sums = [np.sum(a * b) for a, b in zip(found, (case.z, case.x, case.w), strict=True)]
    assert_allclose(sums, sums[0], rtol=1e-12)


@each_case
def test_three_orders_of_derivatives(case):
    for operation, operands in three(case):
        check_grads(operation, *operands, order=3)


@each_case
def test_gradient_of_one_operand_alone(case):
    for operation, (a, b) in three(case):
        _, by_a, by_b = value_and_gradients(operation, (a, b))
        for found, together in (
            (value_and_gradients(lambda a, op=operation, b=b: op(a, b), [a])[1], by_a),
            (value_and_gradients(lambda b, op=operation, a=a: op(a, b), [b])[1], by_b),
        ):
            assert_allclose(found, together, rtol=1e-14)


@each_case
def test_precision(case):
    for operation, operands in three(case):
        expected = value_and_gradients(operation, operands)
        for dtypes in ("ff", "fd", "df"):
            mixed = [each.astype(dtype) for each, dtype in zip(operands, dtypes, strict=True)]
            found = value_and_gradients(operation, mixed)
            assert [each.dtype.char for each in found] == [max(dtypes, key="fd".index), *dtypes]
            for one, other in zip(found, expected, strict=True):
                assert_allclose(one, other, rtol=1e-4, atol=1e-4)


LAYOUTS = {
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "reversed": lambda x: x[::-1].copy()[::-1],
    "column by column": lambda x: np.array(x, order="F"),
}


@each_case
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_operands_of_any_memory_layout_are_not_changed(case, layout):
    for operation, operands in three(case):
        moved = [layout(each) for each in operands]
        for each in moved:
            each.flags.writeable = False
        for one, other in zip(
            value_and_gradients(operation, moved), value_and_gradients(operation, operands), strict=True
        ):
            assert_allclose(one, other, rtol=1e-12, atol=1e-13)


@each_case
def test_jets_equal_nested_gradients(case):
    for operation, (a, b) in three(case):
        for moves_a, moves_b in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):

            def along(t, operation=operation, a=a, b=b, moves_a=moves_a, moves_b=moves_b):
                return operation(a + t * (moves_a * seed_for(a)), b + t * (moves_b * seed_for(b)))

            terms = jet(along, np.array(0.0), np.array(1.0), order=3)
            t = Tensor(0.0)
            nested = p.sum(along(t) * seed_for(terms[0]))
            for term in terms:
                assert_allclose(np.sum(term * seed_for(terms[0])), nested.value, rtol=1e-11, atol=1e-11)
                nested = grad(nested, t, create_graph=True)
