"""Every primitive: a row of the table states inputs and the expected value; each row gets every check."""

from collections.abc import Callable
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, special

from sknn.autodiff import Jet, Operation, Tensor, check_grads, grad, jet
from sknn.autodiff import primitives as p
from sknn.autodiff.jet import CARRIED
from sknn.autodiff.tape import Primitive

rng = np.random.default_rng(20)


def real(*shape: int) -> np.ndarray:
    return np.asarray(rng.standard_normal(shape))


def positive(*shape: int) -> np.ndarray:
    return np.asarray(rng.uniform(0.5, 2.0, shape))


def apart(*shape: int) -> np.ndarray:
    """No two entries close to each other, none close to zero: away from every kink."""
    n = int(np.prod(shape))
    values = (np.arange(n) - n // 2 + 0.5) / 4
    return rng.permutation(values).reshape(shape)


class Case(NamedTuple):
    function: Callable
    expected: Callable
    inputs: tuple[np.ndarray, ...]


def same(function: Callable, expected: Callable, *inputs: np.ndarray, **options: Any) -> Case:
    """The function and NumPy's take the same options."""
    return Case(lambda *xs: function(*xs, **options), lambda *xs: expected(*xs, **options), inputs)


def broadcasting(function: Callable, expected: Callable, draw_a: Callable, draw_b: Callable) -> list[Case]:
    shapes = [((2, 3), (2, 3)), ((2, 3), (3,)), ((), (2, 3)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((0, 3), (3,))]
    return [same(function, expected, draw_a(*a), draw_b(*b)) for a, b in shapes]


def reducing(function: Callable, expected: Callable, draw: Callable) -> list[Case]:
    options: list[dict] = [{}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 2)}, {"axis": (-1,)}]
    options += [{"axis": (2, 1), "keepdims": True}, {"keepdims": True}]
    return [same(function, expected, draw(2, 3, 4), **each) for each in options]


def picking(*indices: Any) -> list[Case]:
    return [Case(lambda x, i=index: p.take(x, i), lambda x, i=index: x[i], (real(3, 4),)) for index in indices]


def added_at(x: np.ndarray, index: Any, shape: tuple) -> np.ndarray:
    y = np.zeros(shape)
    np.add.at(y, index, x)
    return y


def multiplying() -> list[Case]:
    shapes = [((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (3,))]
    shapes += [((3,), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)), ((2, 3), (5, 3, 4))]
    return [Case(p.matmul, np.matmul, (real(*a), real(*b))) for a, b in shapes]


def added_along(x: np.ndarray, indices: np.ndarray, axis: int, shape: tuple) -> np.ndarray:
    y = np.zeros(shape)
    x, indices = np.broadcast_arrays(x, indices)
    for where in np.ndindex(x.shape):
        place = list(where)
        place[axis] = indices[where]
        y[tuple(place)] += x[where]
    return y


def taking_along() -> list[Case]:
    return [
        same(p.take_along, np.take_along_axis, real(3, 4), indices=np.array(indices), axis=axis)
        for indices, axis in [([[2], [0], [-1]], 1), ([[2, 2, 2], [0, 1, 0], [3, 3, -4]], -1), ([[0, 2, 1, 1]], 0)]
    ] + [
        same(p.take_along, np.take_along_axis, real(1, 4), indices=np.array([[1], [1], [3]]), axis=1),  # x is broadcast
        same(p.take_along, np.take_along_axis, real(2, 3, 2), indices=np.array([[[0], [0]], [[2], [1]]]), axis=1),
    ]


def putting_along() -> list[Case]:
    return [
        same(p.put_along, added_along, real(*shape), indices=np.array(indices), axis=axis, shape=whole)
        for shape, indices, axis, whole in [
            ((3, 1), [[2], [0], [-1]], 1, (3, 4)),
            ((2, 3), [[1, 1, 0], [2, 0, 2]], -1, (2, 3)),
            ((2, 3), [[1, 1, 0], [2, 2, 2]], 0, (4, 3)),
            ((1, 3), [[1, 1, 0], [2, 0, 2]], 1, (2, 3)),  # x is broadcast
        ]
    ]


LARGE = [  # so many numbers that they are summed up by other means
    (rng.integers(-6, 6, 1_500), (6, 7)),
    (rng.integers(0, 10_000, 1_500), (10_000, 7)),
    (rng.integers(0, 4, 10_000), (4,)),
    ((rng.integers(0, 3, 5_000), rng.integers(-2, 2, (2, 1))), (3, 2)),
    ((rng.integers(0, 3, 1_000), rng.integers(-2, 2, 1_000)), (3, 2, 9)),
    ((slice(None, None, -1), rng.integers(0, 2, 1_500)), (6, 2)),
    ((np.array([True, False, True]), np.array([1, 1])), (3, 2, 5_000)),
    ([[0, 1], [1, 0]], (2, 2, 2_500)),
]

SPARSE = sparse.random_array((5, 3), density=0.5, rng=rng, format="csr", dtype=np.float32)
MASK = np.array([[True, False, True], [False, False, True]])

ROWS: dict[str, list[Case]] = {
    "identity": [same(Operation.table["identity"], np.copy, real(2, 3))],
    "cast": [Case(lambda x: Operation.table["cast"](x, dtype=x.dtype), np.copy, (real(2, 3),))],
    "negative": [same(p.negative, np.negative, real(2, 3))],
    "square": [same(p.square, np.square, real(2, 3))],
    "sqrt": [same(p.sqrt, np.sqrt, positive(2, 3))],
    "sign": [same(p.sign, np.sign, apart(2, 3))],
    "absolute": [same(p.absolute, np.absolute, apart(2, 3))],
    "exp": [same(p.exp, np.exp, real(2, 3))],
    "expm1": [same(p.expm1, np.expm1, real(2, 3))],
    "log": [same(p.log, np.log, positive(2, 3))],
    "log1p": [same(p.log1p, np.log1p, positive(2, 3))],
    "sin": [same(p.sin, np.sin, real(2, 3))],
    "cos": [same(p.cos, np.cos, real(2, 3))],
    "sinh": [same(p.sinh, np.sinh, real(2, 3))],
    "cosh": [same(p.cosh, np.cosh, real(2, 3))],
    "tanh": [same(p.tanh, np.tanh, real(2, 3))],
    "sigmoid": [same(p.sigmoid, special.expit, real(2, 3))],
    "erf": [same(p.erf, special.erf, real(2, 3))],
    "add": broadcasting(p.add, np.add, real, real),
    "subtract": broadcasting(p.subtract, np.subtract, real, real),
    "multiply": broadcasting(p.multiply, np.multiply, real, real),
    "divide": broadcasting(p.divide, np.divide, real, positive),
    "logaddexp": [
        *broadcasting(p.logaddexp, np.logaddexp, real, real),
        same(p.softplus, lambda x: np.log(1 + np.exp(x)), real(2, 3)),
    ],
    "power": [
        *broadcasting(p.power, np.power, positive, real),
        Case(p.power, np.power, (positive(4), np.array([0.0, 1.0, 2.0, -1.0]))),
        *(Case(lambda x, n=n: p.power(x, n), lambda x, n=n: np.power(x, n), (apart(6),)) for n in (0, 1, 2, 3, -1.0)),
        Case(lambda n: p.power(2, n), lambda n: np.power(2.0, n), (real(4),)),
    ],
    "maximum": [
        *broadcasting(p.maximum, np.maximum, apart, lambda *s: apart(*s) / 2 + 0.05),
        same(lambda x: p.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5), apart(2, 3)),
        same(lambda x: p.clip(x, low=-0.5), lambda x: np.maximum(x, -0.5), apart(2, 3)),
    ],
    "minimum": broadcasting(p.minimum, np.minimum, apart, lambda *s: apart(*s) / 2 + 0.05),
    "where": [
        Case(lambda a, b: p.where(MASK, a, b), lambda a, b: np.where(MASK, a, b), (real(*a), real(*b)))
        for a, b in [((2, 3), (2, 3)), ((3,), (2, 3)), ((2, 1), ()), ((4, 1, 1), (2, 3))]
    ],
    "matmul": [
        *multiplying(),
        Case(lambda x: p.matmul(SPARSE, x), lambda x: SPARSE.toarray() @ x, (real(3, 2),)),
        Case(lambda x: p.matmul(SPARSE, x), lambda x: SPARSE.toarray() @ x, (real(3),)),
        *(
            Case(lambda x, kind=kind: kind(SPARSE) @ x, lambda x: SPARSE.toarray() @ x, (real(3, *columns),))
            for kind in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.coo_array)
            for columns in ((), (1,), (2,))
        ),
        Case(lambda x: SPARSE.dot(x), lambda x: SPARSE.toarray() @ x, (real(3, 2),)),
        Case(lambda x: x @ SPARSE, lambda x: x @ SPARSE.toarray(), (real(2, 5),)),
    ],
    "sum": reducing(p.sum, np.sum, real) + reducing(p.mean, np.mean, real),
    "cumsum": [same(p.cumsum, np.cumsum, real(2, 3, 4), axis=axis) for axis in (0, 1, -1)],
    "max": reducing(p.max, np.max, apart),
    "min": reducing(p.min, np.min, apart),
    "logsumexp": [
        *reducing(p.logsumexp, special.logsumexp, real),
        same(p.log_softmax, special.log_softmax, real(2, 3), axis=-1),
        same(p.log_softmax, special.log_softmax, real(2, 3), axis=0),
    ],
    "softmax": [same(p.softmax, special.softmax, real(2, 3, 4), axis=axis) for axis in (-1, 0, (0, 2))],
    "reshape": [
        Case(lambda x: p.reshape(x, (4, -1)), lambda x: np.reshape(x, (4, -1)), (real(2, 6),)),
        Case(lambda x: p.reshape(x, -1), np.ravel, (real(2, 6),)),
        same(p.expand_dims, np.expand_dims, real(2, 3), axis=0),
        same(p.expand_dims, np.expand_dims, real(2, 3), axis=-1),
    ],
    "transpose": [
        same(p.transpose, np.transpose, real(2, 3, 4)),
        same(p.transpose, np.transpose, real(2, 3, 4), axes=(1, 2, 0)),
        same(p.transpose, np.transpose, real(2, 3, 4), axes=(0, -1, 1)),
        Case(lambda x: p.swapaxes(x, -1, 0), lambda x: np.swapaxes(x, -1, 0), (real(2, 3, 4),)),
    ],
    "broadcast_to": [same(p.broadcast_to, np.broadcast_to, real(*s), shape=(4, 2, 3)) for s in [(3,), (2, 1), ()]],
    "concatenate": [
        Case(lambda *xs: p.concatenate(xs), lambda *xs: np.concatenate(xs), (real(2, 3), real(1, 3))),
        Case(lambda a: p.concatenate([a, a], -1), lambda a: np.concatenate([a, a], -1), (real(2, 3),)),
        Case(lambda *xs: p.stack(xs, -1), lambda *xs: np.stack(xs, -1), (real(2, 3), real(2, 3))),
        Case(lambda *xs: p.stack(xs), lambda *xs: np.stack(xs), (real(), real())),
    ],
    "take": picking(
        1, -1, slice(1, 3), (slice(None), 2), (..., None, slice(None, None, -2)), [0, 2, 0], np.array([[1, 1], [0, 2]]),
        ([0, 0, 2], [1, 1, 3]), (slice(None), [3, 3]), np.array([True, False, True]), real(3, 4) > 0, (1, 2),
        (np.int64(1), np.array([False, True, True, True])),
    ) + taking_along() + [same(p.flip, np.flip, real(2, 3), axis=axis) for axis in (0, -1)],
    "put": [
        Case(lambda x: p.put(x, slice(1, 3), (4, 2)), lambda x: added_at(x, slice(1, 3), (4, 2)), (real(2, 2),)),
        Case(lambda x: p.put(x, [1, 3, 1], (4, 2)), lambda x: added_at(x, [1, 3, 1], (4, 2)), (real(3, 2),)),
        Case(lambda x: p.put(x, [1, 1], (4, 2)), lambda x: added_at(x, [1, 1], (4, 2)), (real(2),)),
        Case(lambda x: p.pad(x, ((1, 0), (0, 2))), lambda x: np.pad(x, ((1, 0), (0, 2))), (real(2, 3),)),
        Case(lambda x: p.pad(x, 1, -2.0), lambda x: np.pad(x, 1, constant_values=-2.0), (real(2, 3),)),
        Case(lambda x: p.pad(x, (0, 2)), lambda x: np.pad(x, (0, 2)), (real(2, 3),)),
        *putting_along(),
        Case(
            lambda *xs: p.put_all(xs, [slice(2), slice(1, 4), [0, 3, 0], (2, 1)], (4, 2)),
            lambda a, b, c, d: np.pad(a, ((0, 2), (0, 0)))
            + np.pad(np.tile(b, (3, 1)), ((1, 0), (0, 0)))
            + [c[0] + c[2], [0, 0], [0, d], c[1]],
            (real(2, 2), real(2), real(3, 2), real()),
        ),
    ],
}  # fmt: skip

each_case = pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{name}-{i}") for name, cases in ROWS.items() for i, case in enumerate(cases)]
)


@pytest.mark.parametrize(("index", "shape"), LARGE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_are_put_as_one_by_one(index, shape, dtype):
    x = real(*np.zeros(shape)[index].shape).astype(dtype)
    assert x.size >= 8_000
    expected = np.zeros(shape, dtype)
    np.add.at(expected, index, x)
    found = p.put(x, index, shape)
    assert found.dtype == dtype
    assert_array_equal(found, expected)


def elementary() -> dict[str, Primitive]:
    own = {id(operation) for operation in [*vars(p).values(), Operation.table["identity"], Operation.table["cast"]]}
    return {name: each for name, each in Operation.table.items() if isinstance(each, Primitive) and id(each) in own}


def test_every_primitive_has_a_row():
    assert sorted(ROWS) == sorted(elementary())


def test_every_primitive_carries_jets():
    assert set(CARRIED) >= set(elementary().values())


@each_case
def test_value(case):
    expected = np.asarray(case.expected(*case.inputs))
    for y in (case.function(*case.inputs), case.function(*map(Tensor, case.inputs)).value):
        assert not isinstance(y, Tensor)
        assert np.shape(y) == expected.shape
        assert_allclose(y, expected, rtol=1e-12, atol=1e-15)


@each_case
def test_first_and_second_derivative(case):
    check_grads(case.function, *case.inputs)


@each_case
def test_float32_stays_float32(case):
    xs = [Tensor(x.astype(np.float32)) for x in case.inputs]
    y = case.function(*xs)
    first = grad(y, xs, seed=np.ones(y.shape, np.float32), create_graph=True)
    second = grad(p.sum(p.concatenate([p.reshape(p.square(g), -1) for g in first])), xs)
    assert {v.dtype for v in chain([case.function(*(x.value for x in xs)), y], first, second)} == {np.dtype("f4")}


@each_case
def test_nothing_is_written_into_the_inputs(case):
    for x in case.inputs:
        x.flags.writeable = False
    try:
        xs = [Tensor(x) for x in case.inputs]
        y = case.function(*xs)
        seed = np.ones(y.shape)
        seed.flags.writeable = False
        grad(y, xs, seed=seed)
    finally:
        for x in case.inputs:
            x.flags.writeable = True


@each_case
def test_inputs_of_any_memory_layout(case):
    strided = [np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x for x in case.inputs]
    reversed_ = [x[::-1].copy()[::-1] if x.ndim else x for x in case.inputs]
    layouts = (case.inputs, strided, reversed_, [np.array(x, order="F") for x in case.inputs])
    found = []
    for inputs in layouts:
        xs = [Tensor(x) for x in inputs]
        y = case.function(*xs)
        found.append([y.value, *grad(y, xs, seed=np.cos(np.arange(y.size)).reshape(y.shape))])
    for other in found[1:]:
        for value, expected in zip(other, found[0], strict=True):
            assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


@each_case
def test_jets_equal_nested_gradients(case):
    n_inputs = len(case.inputs)
    alone = [tuple(i == j for j in range(n_inputs)) for i in range(n_inputs)]
    velocities = [np.sin(1.0 + np.arange(x.size)).reshape(x.shape) for x in case.inputs]
    for moving in {(True,) * n_inputs, *alone}:

        def along(t, moving=moving):
            moved = [x + t * v if moves else x for x, v, moves in zip(case.inputs, velocities, moving, strict=True)]
            return case.function(*moved)

        terms = jet(along, np.array(0.0), np.array(1.0), order=3)
        weights = np.cos(np.arange(np.size(terms[0]))).reshape(np.shape(terms[0]))
        t = Tensor(0.0)
        nested = p.sum(weights * along(t))
        for term in terms:
            assert np.shape(term) == weights.shape
            assert_allclose(np.sum(weights * term), nested.value, rtol=1e-12, atol=1e-12)
            nested = grad(nested, t, create_graph=True)


@each_case
def test_the_sixth_derivative_is_the_third_of_the_third(case):
    velocities = [np.sin(1.0 + np.arange(x.size)).reshape(x.shape) for x in case.inputs]
    zero, one = np.array(0.0), np.array(1.0)

    def along(t):
        return case.function(*(x + t * v for x, v in zip(case.inputs, velocities, strict=True)))

    found = jet(along, zero, one, order=6)[6]
    nested = jet(lambda s: jet(lambda t: along(s + t), zero, one, order=3)[3], zero, one, order=3)[3]
    assert_allclose(found, nested, rtol=1e-10, atol=1e-10 * max(np.abs(nested).max(initial=0.0), 1.0))


# ------------------------------------------------------------------------------------ numbers, operators, methods

FORMULAS: dict[str, Callable] = {
    "numbers on the right": lambda x, W: ((x + 2) * 3.0 - 1) / 4 ** 2.0,
    "numbers on the left": lambda x, W: 2 + 3.0 * (1 - 4 / (5 + x * x)),
    "powers": lambda x, W: x**2 + 2.0**x + (x * x + 1) ** 0.5,
    "arrays": lambda x, W: W * (W + x) - W / (2 + x * x) - x * W[0],
    "matmul": lambda x, W: x @ W.T + W @ x.T,
    "unary": lambda x, W: -x + abs(x),
    "comparisons": lambda x, W: x * (x > 0) + x * (x >= W) - x * (x < 0.5) + x * (W < x),  # noqa: SIM300
    "reductions": lambda x, W: x.sum() + x.sum(axis=0) + x.mean(axis=1, keepdims=True) + x.max(axis=0) - x.min(),
    "shapes": lambda x, W: x.reshape(6) * W.reshape((3, 2)).T.reshape(-1) + x.transpose().transpose(0, 1).reshape(6),
    "indices": lambda x, W: x[0] * x[:, 1:2] + x[W > 0].sum() + x[..., [0, 0, 2]],
    "unpacking": lambda x, W: next(iter(x)) * len(x),
    "attributes": lambda x, W: x * x.shape[1] + x.ndim * x.size * x,
}  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS.values(), ids=FORMULAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_operators_and_methods_are_those_of_arrays(formula, dtype):
    x, W = apart(2, 3).astype(dtype), real(2, 3).astype(dtype)
    expected = formula(x, W)
    tensor = formula(Tensor(x), W)
    terms = jet(lambda x: formula(x, W), x, np.ones_like(x))
    for value in (tensor.value, terms[0]):
        assert value.dtype == dtype
        assert_allclose(value, expected, rtol=1e-6)
    assert {term.dtype for term in terms} == {np.dtype(dtype)}
    if dtype == np.float64:
        check_grads(lambda x: formula(x, W), x)


BINARY = {name: each for name, each in elementary().items() if len(each.rules) == 2 and name not in ("matmul",)}


@pytest.mark.parametrize("name", sorted(BINARY))
def test_numbers_beside_float32(name):
    x = Tensor(np.array([0.5, 1.5], np.float32))
    for y in (BINARY[name](x, 2.0), BINARY[name](2.0, x), BINARY[name](2, x)):
        assert y.dtype == np.float32
        assert grad(y.sum(), x).dtype == np.float32


def test_comparisons_give_boolean_arrays_for_everything_traced():
    x = np.array([-1.0, 0.0, 2.0])
    table = {p.greater: np.greater, p.greater_equal: np.greater_equal, p.less: np.less, p.less_equal: np.less_equal}
    table |= {p.equal: np.equal, p.not_equal: np.not_equal}
    for compare, expected in table.items():
        for traced in (x, Tensor(x), Jet(1, (x, x)), Jet(2, (Tensor(x), x))):
            mask = compare(traced, 0.0)
            assert type(mask) is np.ndarray
            assert_array_equal(mask, expected(x, 0.0))


FOLLOWED = {  # what NumPy asks of the traced operand
    "an array with it": lambda x, a: 2 * (a + x) - (a - x) * x / a,
    "a number of NumPy with it": lambda x, a: np.float64(2.0) * x - np.float32(1.0) ** x,
    "a product of matrices": lambda x, a: a @ x + x @ a,
    "the functions of operators": lambda x, a: np.multiply(a, np.add(x, a)),
    "a comparison": lambda x, a: np.where(a > x, 1.0, 2.0) * x,
    "what is seen of it": lambda x, a: np.full(np.shape(x), float(np.size(x) + np.ndim(x))) * x,
}


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize("kind", [Tensor, lambda x: Jet(1, (x, np.ones_like(x)))], ids=["Tensor", "Jet"])
def test_an_array_leaves_operators_to_what_is_traced(name, kind):
    x, a = np.array([[0.5, 2.0], [1.0, -1.0]]), np.array([[1.0, 3.0], [-2.0, 0.5]])
    found = FOLLOWED[name](kind(x), a)
    assert type(found) is type(kind(x))
    assert_allclose(p.plain(found), FOLLOWED[name](x, a))


UNFOLLOWED = {
    "sin": (np.sin, " through sin: use sknn.autodiff.primitives.sin, or its .value for a constant"),
    "abs": (np.abs, " through absolute: use sknn.autodiff.primitives.absolute, or"),
    "expit": (special.expit, " through expit: use sknn.autodiff.primitives.sigmoid, or"),
    "maximum": (lambda x: np.maximum(x, 0), " through maximum: use sknn.autodiff.primitives.maximum, or"),
    "sum": (np.sum, " through sum: use sknn.autodiff.primitives.sum, or"),
    "mean": (lambda x: np.mean(x, axis=0), " through mean: use sknn.autodiff.primitives.mean, or"),
    "concatenate": (lambda x: np.concatenate([x, x]), " through concatenate: use sknn.autodiff.primitives.concatenate"),
    "where": (lambda x: np.where(x > 0, x, 0), " through where: use sknn.autodiff.primitives.where, or"),
    "arctan": (np.arctan, " through arctan: use sknn.autodiff.primitives, or its .value"),
    "the rest": (lambda x: np.ones(2) % x, " through remainder: use sknn.autodiff.primitives, or its .value"),
    "reduce": (np.add.reduce, ": use sknn.autodiff.primitives, or its .value"),
    "asarray": (np.asarray, ": use sknn.autodiff.primitives, or its .value"),
    "in place": (lambda x: np.ones(2).__iadd__(x), r" into an array: write a = a \+ b for a \+= b"),
}


@pytest.mark.parametrize("name", UNFOLLOWED)
@pytest.mark.parametrize("kind", [Tensor, lambda x: Jet(1, (x, np.ones_like(x)))], ids=["Tensor", "Jet"])
def test_what_numpy_cannot_follow_is_told_with_what_can(name, kind):
    function, told = UNFOLLOWED[name]
    with pytest.raises(TypeError, match=rf"^NumPy cannot follow a (Tensor|Jet){told}"):
        function(kind(np.ones(2)))


# ------------------------------------------------------------------------------------------------- special points


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 2, 3, np.array(0.0), np.array([0.0, 0.0, 2.0])])
def test_powers_of_zero(exponent):
    x = Tensor(np.array([0.0, -2.0, 0.0]))
    n = np.broadcast_to(exponent, 3)
    first = grad(p.sum(x**exponent), x, create_graph=True)
    second = grad(p.sum(first), x)
    base = np.where(n == 0, 1.0, x.value)
    assert_array_equal(first.value, n * base ** np.where(n == 0, 0, n - 1))
    assert_array_equal(second, np.where(n < 2, 0.0, n * (n - 1) * base ** np.maximum(n - 2, 0)))


def test_power_of_zero_by_its_exponent():
    n = Tensor(np.array([0.5, 1.0, 2.0]))
    assert_array_equal(grad(p.sum(np.zeros(3) ** n), n), np.zeros(3))
    assert_array_equal(grad(p.sum(0.0**n), n), np.zeros(3))


TIES: dict[str, tuple[Callable, list[float]]] = {
    "maximum": (lambda x: p.maximum(x, np.array([1.0, 3.0, 3.0])), [1, 1, 1]),
    "maximum, second": (lambda x: p.maximum(np.array([1.0, 3.0, 3.0]), x), [0, 0, 0]),
    "minimum": (lambda x: p.minimum(x, np.array([1.0, 3.0, 3.0])), [1, 1, 1]),
    "minimum, second": (lambda x: p.minimum(np.array([1.0, 3.0, 3.0]), x), [0, 0, 0]),
    "max": (p.max, [0, 1, 0]),
    "max along an axis": (lambda x: p.max(p.stack([x, x], 1), axis=(1,)), [1, 1, 1]),
    "min": (lambda x: p.min(-x), [0, -1, 0]),
    "clip": (lambda x: p.clip(x, 1.0, 3.0), [1, 1, 1]),
    "rectifier": (lambda x: p.maximum(0.0, x - 1.0), [0, 1, 1]),
}


@pytest.mark.parametrize(("function", "expected"), TIES.values(), ids=TIES)
def test_in_a_tie_the_gradient_goes_to_the_first(function, expected):
    x = Tensor(np.array([1.0, 3.0, 3.0]))
    assert_array_equal(grad(p.sum(function(x)), x), expected)


def test_sign_passes_no_gradient():
    x = Tensor(np.array([-1.0, 0.0, 2.0]))
    assert_array_equal(grad(p.sum(p.sign(x) * x), x), np.sign(x.value))


EXTREMES: dict[str, tuple[Callable, list[float], list[float]]] = {
    "sigmoid": (p.sigmoid, [0, 0.5, 1], [0, 0.25, 0]),
    "softplus": (p.softplus, [0, np.log(2), 1000], [0, 0.5, 1]),
    "softmax": (p.softmax, [0, 0, 1], [0, 0, 0]),
    "log_softmax": (p.log_softmax, [-2000, -1000, 0], [1, 1, -2]),
    "logsumexp": (p.logsumexp, [1000, 1000, 1000], [0, 0, 3]),
    "tanh": (p.tanh, [-1, 0, 1], [0, 1, 0]),
    "erf": (p.erf, [-1, 0, 1], [0, 2 / np.sqrt(np.pi), 0]),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_zero(name, dtype):
    function, value, gradient = EXTREMES[name]
    x = Tensor(np.array([-1000.0, 0.0, 1000.0], dtype))
    y = p.broadcast_to(function(x), (3,))
    assert_allclose(y.value, value, rtol=1e-6)
    assert_allclose(grad(p.sum(y), x), gradient, rtol=1e-6, atol=1e-6)


def test_logsumexp_of_nothing_but_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [-np.inf, 0.0]])
    assert_array_equal(p.logsumexp(x, axis=1), [-np.inf, 0.0])


# ---------------------------------------------------------------------------------------------------------- errors

WRONG: dict[str, tuple[Callable, type[Exception], str]] = {
    "differentiating a condition": (
        lambda x: grad(p.sum(p.where(x, x, 0.0)), x), TypeError, "where cannot be differentiated .* argument 0",
    ),
    "shapes that do not match": (lambda x: p.matmul(x, np.ones((2, 2))), ValueError, "matmul"),
    "the product * of a sparse matrix": (lambda x: sparse.csr_matrix(SPARSE) * x, TypeError, "cannot follow a Tensor"),
    "a sparse matrix of another shape": (lambda x: SPARSE.T @ x, ValueError, "matmul: dimension mismatch"),
    "indices along no axis": (lambda x: p.take_along(x, np.array([0]), axis=1), ValueError, r"axis=1 is none .*\(3,\)"),
    "indices of another shape": (
        lambda x: p.take_along(x, np.array([[0]])), ValueError, r"as many axes .* they are int64 of shape \(1, 1\)",
    ),
    "indices that are none": (lambda x: p.put_along(x, np.ones(3), 0, (3,)), ValueError, "they are float64"),
    "an index out of bounds": (lambda x: p.put(x, [0, 1, 3], (3,)), IndexError, "index 3 is out of bounds"),
    "an index of many out of bounds": (
        lambda x: p.put(np.ones((5_000, 2)), np.full(5_000, 3), (3, 2)), IndexError, "index 3 is out of bounds",
    ),
    "stacks by a sparse matrix": (
        lambda x: SPARSE @ Tensor(np.ones((2, 3, 4))), ValueError,
        r"cannot multiply csr_array of shape \(5, 3\) and ndarray of shape \(2, 3, 4\)",
    ),
    "a vector by a sparse matrix": (
        lambda x: x @ SPARSE, ValueError, r"cannot multiply ndarray of shape \(3,\) and csr_array of shape \(5, 3\)",
    ),
    "an axis that is not there": (lambda x: p.sum(x, axis=3), ValueError, "axis 3"),
}  # fmt: skip


@pytest.mark.parametrize(("action", "error", "message"), WRONG.values(), ids=WRONG)
def test_errors(action, error, message):
    with pytest.raises(error, match=message):
        action(Tensor(np.ones(3)))


@pytest.mark.parametrize(("shape", "like"), [((4, 2, 3), (3,)), ((4, 2, 3), (2, 1)), ((4, 2, 3), ()), ((2, 3), (2, 3))])
def test_unbroadcast_is_the_transpose_of_broadcasting(shape, like):
    g, x = real(*shape), real(*like)
    summed = p.unbroadcast(g, x)
    assert np.shape(summed) == like
    assert_allclose(np.sum(summed * x), np.sum(g * np.broadcast_to(x, shape)))
