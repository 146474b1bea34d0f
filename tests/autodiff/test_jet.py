"""Jets: Taylor derivatives by the inputs, alone, within a tape and within each other."""

import gc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Operation, Tensor, check_grads, grad, jet, op
from sknn.autodiff import primitives as p
from sknn.autodiff.tape import Primitive

rng = np.random.default_rng(3)
X = rng.standard_normal((6, 2))
PARAMETERS = [rng.standard_normal(s) for s in ((2, 5), (5,), (5, 5), (5,), (5, 1))]
ALONG_FIRST = np.tile([1.0, 0.0], (6, 1))


@pytest.fixture(autouse=True)
def _own_table(monkeypatch):
    monkeypatch.setattr(Operation, "table", dict(Operation.table))


def network(x, W1, b1, W2, b2, W3):
    return p.tanh(p.tanh(x @ W1 + b1) @ W2 + b2) @ W3


def nested(f, x, v, order):
    """The same derivatives by the tape, which gives one number at a time: those of sum(f)."""
    t = Tensor(0.0)
    terms = [p.sum(f(x + t * v))]
    for _ in range(order):
        terms.append(grad(terms[-1], t, create_graph=True))
    return terms


@pytest.mark.parametrize(
    ("f", "derivatives"),
    [
        (p.exp, [np.exp] * 7),
        (p.sin, [np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin, np.cos, lambda x: -np.sin(x)]),
        (
            lambda x: x**3,
            [lambda x: x**3, lambda x: 3 * x**2, lambda x: 6 * x, lambda x: 6 + 0 * x, *[lambda x: 0 * x] * 3],
        ),
        (lambda x: 1 / x, [lambda x, n=n, c=c: c / x ** (n + 1) for n, c in enumerate([1, -1, 2, -6, 24, -120, 720])]),
    ],
    ids=["exp", "sin", "cube", "reciprocal"],
)
@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
def test_derivatives_known_in_closed_form(f, derivatives, order):
    x = np.array([-1.5, 0.5, 2.0])
    terms = jet(f, x, np.full(3, 2.0), order)
    assert len(terms) == order + 1
    for n, (term, derivative) in enumerate(zip(terms, derivatives, strict=False)):
        assert_allclose(term, 2.0**n * derivative(x), rtol=1e-12, atol=1e-12)


def test_a_network_against_nested_gradients():
    v = rng.standard_normal(X.shape)

    def f(x):
        return network(x, *PARAMETERS)

    for term, expected in zip(jet(f, X, v, 4), nested(f, X, v, 4), strict=True):
        assert_allclose(np.sum(term), expected.value, rtol=1e-12)


@pytest.mark.parametrize(("order", "most"), [(1, 25), (2, 59), (6, 170)])
def test_the_number_of_operations_grows_with_the_square_of_the_order(order, most, monkeypatch):
    called = []
    apply = Tensor.apply
    monkeypatch.setattr(
        Tensor, "apply", staticmethod(lambda operation, *rest: called.append(0) or apply(operation, *rest))
    )
    jet(lambda x: network(x, *PARAMETERS), Tensor(X), Tensor(ALONG_FIRST), order)
    assert len(called) <= most


def test_what_is_zero_by_construction_is_not_computed():
    found = jet(lambda x: (x @ PARAMETERS[0] + PARAMETERS[1]) * 2.0, Tensor(X), Tensor(ALONG_FIRST), 3)
    assert [type(term) for term in found] == [Tensor, Tensor, np.ndarray, np.ndarray]
    assert not found[2].any()
    assert not found[3].any()


def test_jets_leave_no_cycles_behind():
    gc.collect()
    gc.disable()
    try:
        kept = jet(lambda x: network(x, *PARAMETERS), X, ALONG_FIRST, 3)
        assert gc.collect() == 0
    finally:
        gc.enable()
    assert len(kept) == 4


def heat_residual(derivatives_of, parameters):
    """u_t - u_xx of a network u(x, t), as physics-informed networks minimise it."""
    u, _, u_xx = derivatives_of(lambda x: network(x, *parameters), X, ALONG_FIRST)
    _, u_t, _ = derivatives_of(lambda x: network(x, *parameters), X, ALONG_FIRST[:, ::-1])
    return p.mean(p.square(u_t - u_xx)) + p.mean(p.square(u))


def nested_by_sample(f, x, v):
    """Samples do not influence each other, so the gradient of a sum holds the derivative of each."""
    x = Tensor(x)
    u = f(x)
    u_v = p.sum(grad(p.sum(u), x, create_graph=True) * v, axis=1, keepdims=True)
    u_vv = p.sum(grad(p.sum(u_v), x, create_graph=True) * v, axis=1, keepdims=True)
    return u, u_v, u_vv


def test_the_gradient_of_a_residual_by_the_parameters():
    found = []
    for derivatives_of in (jet, nested_by_sample):
        parameters = [Tensor(each) for each in PARAMETERS]
        residual = heat_residual(derivatives_of, parameters)
        found.append([residual.value, *grad(residual, parameters)])
    for value, expected in zip(*found, strict=True):
        assert_allclose(value, expected, rtol=1e-11, atol=1e-13)


def test_the_gradient_of_a_residual_can_be_differentiated_again():
    check_grads(lambda *parameters: heat_residual(jet, parameters), *PARAMETERS)


def test_the_point_and_the_direction_can_be_tensors():
    check_grads(lambda x, v: p.concatenate(jet(lambda x: network(x, *PARAMETERS), x, v)), X, ALONG_FIRST)


def test_a_jet_in_a_jet_gives_mixed_derivatives():
    def by_second(x):
        return jet(lambda x: network(x, *PARAMETERS), x, ALONG_FIRST[:, ::-1], order=1)[1]

    mixed = jet(by_second, X, ALONG_FIRST, order=1)[1]
    plus, minus = (jet(lambda x: network(x, *PARAMETERS), X, np.tile(v, (6, 1)))[2] for v in ([1.0, 1.0], [1.0, -1.0]))
    assert_allclose(mixed, (plus - minus) / 4, rtol=1e-10, atol=1e-12)


def test_the_directions_of_nested_jets_are_not_confused():
    one = np.array(1.0)
    slope = jet(lambda x: x * jet(lambda y: x + y, one, one, order=1)[1], one, one, order=1)[1]
    assert slope == 1.0


def test_float32_stays_float32():
    parameters = [each.astype(np.float32) for each in PARAMETERS]
    terms = jet(lambda x: network(x, *parameters), X.astype(np.float32), ALONG_FIRST.astype(np.float32))
    assert {term.dtype for term in terms} == {np.dtype(np.float32)}


def test_a_result_that_does_not_depend_has_derivatives_zero():
    for f in (lambda x: np.full((2, 1), 7.0), p.sign, lambda x: p.sign(x) * 2.0, lambda x: Tensor(np.ones(3))):
        value, first, second = jet(f, np.ones(3), np.ones(3))
        assert np.shape(value) == np.shape(first) == np.shape(second)
        assert_array_equal([np.any(first), np.any(second)], False)


# ------------------------------------------------------------------------------------------------ other operations


def make_fused(with_reference=True):
    @op
    def bump(x, *, width):
        return np.exp(-np.square(x / width)), None

    if with_reference:

        @bump.reference
        def _(x, *, width):
            return p.exp(-p.square(x / width))

    return bump


def test_a_fused_operation_is_replaced_by_its_reference():
    bump = make_fused()
    for term, expected in zip(
        jet(lambda x: bump(x, width=2.0), X, ALONG_FIRST),
        jet(lambda x: bump.refer(x, width=2.0), X, ALONG_FIRST),
        strict=True,
    ):
        assert_array_equal(term, expected)


def test_a_fused_operation_without_a_reference():
    bump = make_fused(with_reference=False)
    with pytest.raises(TypeError, match="bump has no reference"):
        jet(lambda x: bump(x, width=2.0), X, X)


def test_a_primitive_of_no_class():
    doubled = Primitive(lambda x: 2.0 * x, lambda g, y, x: 2.0 * g, name="doubled")
    with pytest.raises(TypeError, match="doubled is in no class"):
        jet(doubled, X, X)


WRONG = {
    "direction of another shape": (lambda: jet(p.sin, X, X[0]), ValueError, r"shape \(6, 2\) of x; it has \(2,\)"),
    "order": (lambda: jet(p.sin, X, X, order=0), ValueError, "at least 1; got 0"),
    "a tape inside": (lambda: jet(lambda x: Tensor(x), X, X), TypeError, "Jet"),
}


@pytest.mark.parametrize(("action", "error", "message"), WRONG.values(), ids=WRONG)
def test_errors(action, error, message):
    with pytest.raises(error, match=message):
        action()
