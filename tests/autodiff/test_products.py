"""Products with derivatives: against the whole matrix, column by column, and against finite differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, ggn, grad, hvp, jvp
from sknn.autodiff import primitives as p
from sknn.ops.dense import dense
from sknn.ops.loss import poisson_deviance, sigmoid_cross_entropy, softmax_cross_entropy, squared_error

rng = np.random.default_rng(5)
X, THETA = rng.standard_normal((4, 3)), rng.standard_normal(3 * 2 + 2 + 2 * 3)
V, W = rng.standard_normal((2, THETA.size))
COUNTS = rng.poisson(2.0, (4, 3)).astype(float)
EPS = 1e-5

LOSSES = {
    "squares": lambda raw: p.sum(squared_error(raw, np.ones((4, 3)))),
    "softmax": lambda raw: p.sum(softmax_cross_entropy(raw, np.array([0, 2, 1, 1]), smoothing=0.1)),
    "sigmoid": lambda raw: p.sum(sigmoid_cross_entropy(raw, (COUNTS > 1) * 1.0)),
    "counts": lambda raw: p.mean(poisson_deviance(raw, COUNTS)),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def outputs(theta):
    hidden = dense(X, p.reshape(theta[:6], (3, 2)), theta[6:8], activation="softplus")
    return dense(hidden, p.reshape(theta[8:], (2, 3)))


def jacobian(f, x):
    """By central differences, of shape (number of outputs, number of inputs)."""
    steps = EPS * np.eye(x.size).reshape(-1, *x.shape)
    columns = [(f(x + e) - f(x - e)).ravel() / (2 * EPS) for e in steps]
    return np.stack(columns, axis=1)


def gradient(f):
    def found(x):
        point = Tensor(x)
        return grad(f(point), point)

    return found


def test_jvp_is_a_product_with_the_jacobian():
    y, slope = jvp(outputs, THETA, V)
    assert_array_equal(y, jvp(outputs, THETA, W)[0])
    assert_allclose(y, outputs(THETA), rtol=1e-14)
    assert_allclose(slope, (jacobian(outputs, THETA) @ V).reshape(4, 3), rtol=1e-8, atol=1e-9)


@each_loss
def test_hvp_is_a_product_with_the_hessian(loss):
    hessian = jacobian(gradient(lambda theta: loss(outputs(theta))), THETA)
    assert_allclose(hvp(lambda theta: loss(outputs(theta)), THETA, V), hessian @ V, rtol=1e-7, atol=1e-8)


@each_loss
def test_ggn_leaves_out_the_curvature_of_the_outputs(loss):
    J, H = jacobian(outputs, THETA), jacobian(gradient(loss), outputs(THETA))
    assert_allclose(ggn(outputs, loss, THETA, V), J.T @ H @ J @ V, rtol=1e-7, atol=1e-8)


@each_loss
def test_matrices_are_symmetric_and_gauss_newton_is_positive(loss):
    def whole(theta):
        return loss(outputs(theta))

    for product in (lambda v: hvp(whole, THETA, v), lambda v: ggn(outputs, loss, THETA, v)):
        assert_allclose(W @ product(V), V @ product(W), rtol=1e-10, atol=1e-12)
        assert_allclose(product(V + 2.0 * W), product(V) + 2.0 * product(W), rtol=1e-10, atol=1e-12)
    assert V @ ggn(outputs, loss, THETA, V) > 0.0


def test_hessian_and_gauss_newton_are_the_same_for_linear_outputs():
    A = rng.standard_normal((5, THETA.size))

    def linear(theta):
        return p.matmul(A, theta)

    def loss(raw):
        return p.sum(p.exp(raw))

    expected = A.T @ (np.exp(A @ THETA) * (A @ V))
    assert_allclose(ggn(linear, loss, THETA, V), expected, rtol=1e-12)
    assert_allclose(hvp(lambda theta: loss(linear(theta)), THETA, V), expected, rtol=1e-12)


def test_a_function_that_is_flat_or_straight_has_no_curvature():
    for f in (lambda x: 3.0, lambda x: p.sum(x), lambda x: p.sum(p.sign(x))):
        assert_array_equal(hvp(f, THETA, V), np.zeros(THETA.size))


def test_float32_stays_float32():
    def single(f, *xs):
        return f(*(x.astype(np.float32) for x in xs))

    def loss(raw):
        return p.sum(p.exp(raw))

    def squares(theta):
        return theta * theta

    assert {each.dtype for each in single(lambda x, v: jvp(squares, x, v), THETA, V)} == {np.dtype("f4")}
    assert single(lambda x, v: hvp(lambda x: loss(squares(x)), x, v), THETA, V).dtype == np.float32
    assert single(lambda x, v: ggn(squares, loss, x, v), THETA, V).dtype == np.float32


WRONG = {
    "direction": (lambda: jvp(p.sin, THETA, V[:2]), r"shape \(14,\) of x; it has \(2,\)"),
    "no scalar": (lambda: hvp(p.sin, THETA, V), r"y has shape \(14,\)"),
    "no scalar loss": (lambda: ggn(outputs, p.sin, THETA, V), r"y has shape \(4, 3\)"),
}


@pytest.mark.parametrize(("action", "message"), WRONG.values(), ids=WRONG)
def test_errors(action, message):
    with pytest.raises(ValueError, match=message):
        action()
