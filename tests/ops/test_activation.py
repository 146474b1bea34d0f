"""Activation functions against values computed by hand; the checks that all operations share are in test_fused."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, check_grads, grad, jet
from sknn.ops import ACTIVATIONS, activate
from sknn.ops.activation import sloped

DTYPES = [np.float32, np.float64]


class Known(NamedTuple):
    """f and its slope at -2, 0 and 1, and f at -1000 and 1000."""

    values: tuple[float, float, float]
    slopes: tuple[float, float, float]
    far: tuple[float, float]


LOGISTIC = Known(
    values=(0.11920292202211756, 0.5, 0.73105857863000488),
    slopes=(0.10499358540350652, 0.25, 0.19661193324148185),
    far=(0, 1),
)
KNOWN: dict[str, Known] = {
    "identity": Known((-2, 0, 1), (1, 1, 1), (-1000, 1000)),
    "logistic": LOGISTIC,
    "sigmoid": LOGISTIC,
    "tanh": Known(
        values=(-0.96402758007581688, 0, 0.76159415595576489),
        slopes=(0.070650824853164466, 1, 0.41997434161402607),
        far=(-1, 1),
    ),
    "relu": Known((0, 0, 1), (0, 0, 1), (0, 1000)),
    "leaky_relu": Known((-0.02, 0, 1), (0.01, 0.01, 1), (-10, 1000)),
    "elu": Known((-0.86466471676338731, 0, 1), (0.13533528323661269, 1, 1), (-1, 1000)),
    "selu": Known(
        values=(-1.520166468595695, 0, 1.0507009873554805),
        slopes=(0.23793287225168181, 1.7580993408473766, 1.0507009873554805),
        far=(-1.7580993408473766, 1050.7009873554805),
    ),
    "gelu": Known(
        values=(-0.045500263896358414, 0, 0.84134474606854295),
        slopes=(-0.085231801078196897, 0.5, 1.0833154705876863),
        far=(0, 1000),
    ),
    "silu": Known(
        values=(-0.23840584404423511, 0, 0.73105857863000488),
        slopes=(-0.090784248784895479, 0.5, 0.92767051187148673),
        far=(0, 1000),
    ),
    "mish": Known(
        values=(-0.25250148269570886, 0, 0.86509838826731035),
        slopes=(-0.10835509242039394, 0.6, 1.0490362200997922),
        far=(0, 1000),
    ),
    "softplus": Known(
        values=(0.1269280110429725, 0.69314718055994531, 1.3132616875182228),
        slopes=(0.11920292202211756, 0.5, 0.73105857863000488),
        far=(0, 1000),
    ),
}

each_known = pytest.mark.parametrize("name", KNOWN)


def value_and_slope(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = Tensor(z)
    y = activate(x, activation=name)
    return y.value, grad(y, x, seed=np.ones_like(z))


def test_every_activation_has_a_row():
    assert sorted([*KNOWN, "softmax"]) == sorted(ACTIVATIONS)


@each_known
def test_values_and_slopes(name):
    value, slope = value_and_slope(name, np.array([-2.0, 0.0, 1.0]))
    assert_allclose(value, KNOWN[name].values, rtol=1e-14, atol=1e-16)
    assert_allclose(slope, KNOWN[name].slopes, rtol=1e-14, atol=1e-16)


@each_known
@pytest.mark.parametrize("dtype", DTYPES)
def test_far_from_zero(name, dtype):
    value, slope = value_and_slope(name, np.array([-1000.0, 1000.0], dtype))
    assert_allclose(value, KNOWN[name].far, rtol=1e-6, atol=1e-30)
    _, beyond = value_and_slope(name, np.array([-999.0, 999.0], dtype))
    assert_allclose(slope, beyond, rtol=1e-6, atol=1e-30)  # straight lines there


@each_known
def test_forward_overwrites_an_array_of_any_memory_layout(name):
    z = np.linspace(-3.0, 3.0, 24).reshape(4, 6)
    expected = activate(z, activation=name)
    for overwritten in (z.copy(), np.array(z, order="F"), np.repeat(z, 2, axis=1)[:, ::2]):
        ACTIVATIONS[name].forward(overwritten)
        assert_array_equal(overwritten, expected)


def test_softmax():
    x = Tensor(np.log([[1.0, 2.0, 3.0]]))
    y = activate(x, activation="softmax")
    assert_allclose(y.value, [[1 / 6, 1 / 3, 1 / 2]], rtol=1e-14)
    assert_allclose(grad(y, x, seed=np.array([[1.0, 0.0, 0.0]])), [[5 / 36, -1 / 18, -1 / 12]], rtol=1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_far_from_zero(dtype):
    value, slope = value_and_slope("softmax", np.array([[-1000.0, 1000.0, 1000.0], [1000.0, 0.0, -1000.0]], dtype))
    assert_array_equal(value, [[0, 0.5, 0.5], [1, 0, 0]])
    assert_array_equal(slope, np.zeros((2, 3)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(65_535,), (65_536,), (65_537,), (300, 500), (70, 1001, 3)])
def test_relu_of_large_arrays(dtype, shape):
    z = np.sin(np.arange(np.prod(shape))).reshape(shape).astype(dtype)
    y = activate(z, activation="relu")
    assert y.dtype == dtype
    assert_array_equal(y, np.maximum(z, 0))


@pytest.mark.parametrize("name", [name for name, each in ACTIVATIONS.items() if each.is_piecewise_linear])
@pytest.mark.parametrize("dtype", DTYPES)
def test_slopes_of_piecewise_linear_functions_are_an_operation(name, dtype):
    z, g = np.arange(-3.0, 3.0).reshape(2, 3).astype(dtype) + 0.25, np.cos(np.arange(6.0)).reshape(2, 3).astype(dtype)
    x = Tensor(z)
    y = activate(x, activation=name)
    found = sloped(g, y.value, activation=name)
    assert found.dtype == dtype
    assert_array_equal(found, grad(y, x, seed=g))
    for each in jet(lambda t: sloped(t * g, y.value, activation=name), np.ones((), dtype), np.ones((), dtype))[:2]:
        assert_array_equal(each, found)
    if dtype == np.float64:
        check_grads(lambda g: sloped(g, y.value, activation=name), g)


def test_piecewise_linear_functions_have_no_second_derivative():
    z, seed = np.arange(-3.0, 3.0) + 0.25, np.arange(6.0)
    for name, each in ACTIVATIONS.items():
        x = Tensor(z)
        y = activate(x, activation=name)
        first = grad(y, x, seed=seed, create_graph=True)
        assert each.is_piecewise_linear == (not grad(first, x, seed=seed).any())
