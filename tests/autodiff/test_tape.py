"""The tape: whatever was computed, however its parts were shared, is played backwards rightly."""

import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Operation, Tensor, backward, check_grads, grad, no_grad, op
from sknn.autodiff import primitives as p
from sknn.autodiff.tape import Primitive

OFFERED: list = []  # the places `affine` was offered for its gradients


@pytest.fixture(autouse=True)
def _own_table(monkeypatch):
    """The operations made here are nobody else's business."""
    monkeypatch.setattr(Operation, "table", dict(Operation.table))


def make_affine(slope_error: float = 1.0, with_backward: bool = True, with_reference: bool = True) -> Operation:
    """tanh(x W + b) as a fused operation, right or with a wrong backward."""

    @op
    def affine(x, W, b, *, scale=1.0):
        y = np.tanh(scale * (x @ W + b))
        return y, (x, W, y, scale)

    if with_backward:

        @affine.backward
        def _(g, saved, out):
            OFFERED[:] = out
            x, W, y, scale = saved
            inner = slope_error * scale * g * (1 - y * y)
            gW = np.matmul(x.T, inner, out=out[1] if isinstance(out[1], np.ndarray) else None)
            return inner @ W.T if out[0] is not None else None, gW, inner.sum(axis=0)

    if with_reference:

        @affine.reference
        def _(x, W, b, *, scale=1.0):
            return p.tanh(scale * (p.matmul(x, W) + b))

    return affine


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((5, 3)), rng.standard_normal((3, 3)), rng.standard_normal(3)


def third_derivative(f, x):
    x = Tensor(x)
    first = grad(p.sum(f(x)), x, create_graph=True)
    second = grad(p.sum(first), x, create_graph=True)
    return grad(p.sum(second), x)


# ----------------------------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x**4, lambda x: 24 * x),
        (p.tanh, lambda x: (6 * np.tanh(x) ** 2 - 2) * (1 - np.tanh(x) ** 2)),
        (lambda x: x * x * x * x, lambda x: 24 * x),
        (p.sin, lambda x: -np.cos(x)),
    ],
    ids=["x**4", "tanh", "xxxx", "sin"],
)
def test_third_derivatives(f, expected):
    x = np.linspace(-2, 2, 9)
    assert_allclose(third_derivative(f, x), expected(x), rtol=1e-12, atol=1e-12)


def random_function(rng, n_operations=12):
    """A composition of operations each of which takes any of the earlier results, so that many are shared."""
    unary = [p.tanh, p.sin, p.sigmoid, p.negative, p.transpose, lambda x: p.sum(x, axis=0, keepdims=True) * x]
    binary = [p.add, p.subtract, p.multiply, p.matmul, p.logaddexp, lambda a, b: p.stack([a, b])[1] + a * b]
    affine = make_affine()
    fused = [lambda a, b: affine(a, b, a[0]), lambda a, b: affine(b, b, b[1], scale=0.5)]
    plan = []
    for n in range(2, 2 + n_operations):
        kind = [unary, binary, fused][rng.integers(3)]
        plan.append((kind[rng.integers(len(kind))], rng.integers(n, size=1 if kind is unary else 2)))

    def function(*leaves):
        results = list(leaves)
        for operation, chosen in plan:
            results.append(p.tanh(operation(*(results[i] for i in chosen))))
        return results[-1] + results[-2] * results[2]

    return function


@pytest.mark.parametrize("seed", range(20))
def test_random_graphs_that_share_results(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 3, 3))
    function = random_function(rng)
    check_grads(function, a, b)
    leaves = [Tensor(x, sink=np.full(x.shape, np.nan)) for x in (a, b)]
    backward(p.sum(function(*leaves)), leaves)
    xs = [Tensor(a), Tensor(b)]
    for leaf, g in zip(leaves, grad(p.sum(function(*xs)), xs), strict=True):
        assert_allclose(leaf.sink, g, rtol=1e-12, atol=1e-14)


def test_a_leaf_used_twice():
    x = Tensor(np.array([1.0, 2.0]))
    assert_allclose(grad(p.sum(p.sin(x) + x * x), x), np.cos(x.value) + 2 * x.value)


def test_a_result_that_does_not_depend():
    x, other = Tensor(np.ones((2, 3), np.float32)), Tensor(1.0)
    for create_graph in (False, True):
        zeros = grad(other * 2.0, x, create_graph=create_graph)
        assert isinstance(zeros, Tensor) is create_graph
        assert (zeros.shape, zeros.dtype) == ((2, 3), np.float32)
        assert not np.any(p.plain(zeros))


def test_an_intermediate_result():
    x = Tensor(np.array([1.0, 2.0]))
    squared = x * x
    y = p.sum(p.sin(squared) * x)
    by_x, by_squared, by_y = grad(y, [x, squared, y])
    assert_allclose(by_squared, np.cos(squared.value) * x.value)
    assert_allclose(by_x, np.sin(squared.value) + by_squared * 2 * x.value)
    assert by_y == 1.0


def test_the_record_can_be_played_again():
    x = Tensor(np.array([1.0, 2.0]))
    y = p.sum(p.exp(x) * x)
    first = grad(y, x)
    grad(y, x, create_graph=True)
    assert_array_equal(grad(y, x), first)


def test_a_gradient_with_respect_to_the_seed():
    x, seed = Tensor(np.array([1.0, 2.0])), Tensor(np.array([3.0, 4.0]))
    product = grad(x**3, x, seed=seed, create_graph=True)
    assert_allclose(product.value, 3 * x.value**2 * seed.value)
    assert_allclose(grad(p.sum(product), seed), 3 * x.value**2)


def test_a_seed_chooses_the_combination():
    x = Tensor(np.array([1.0, 2.0]))
    assert_allclose(grad(x**2, x, seed=np.array([0.0, 10.0])), [0.0, 40.0])


# ------------------------------------------------------------------------------------------------- parts of one

SLICES = [slice(0, 2), slice(1, 4), [3, 0, 3], (slice(None), 1), np.array([True, False, False, True]), (..., None)]


def weighted(parts):
    return sum((n + 1) * p.sum(p.sin(part) * part) for n, part in enumerate(parts))


PARTS = {
    "parts alone": lambda x: weighted([x[i] for i in SLICES]),
    "one part": lambda x: weighted([x[1:]]),
    "the whole as well": lambda x: weighted([x[0], x * x, x[1:], x, x[SLICES[2]]]),
    "the whole first": lambda x: weighted([x, x[0], x[1:]]),
    "the whole last": lambda x: weighted([x[1:], x[0], x]),
    "parts of parts": lambda x: weighted([x[1:][i] for i in (0, slice(2), [1, 1])] + [x[0][1:], x[1]]),
    "recurrence": lambda x: weighted([p.tanh(x[0] + p.tanh(x[1] * p.sin(x[2] + x[3]))), x[2]]),
}


@pytest.mark.parametrize("function", PARTS.values(), ids=PARTS)
def test_parts_of_one_tensor(function):
    value = data()[0][:4]
    check_grads(function, value)
    check_grads(lambda x: function(p.sin(x) * x), value)
    leaf, x = Tensor(value, sink=np.full(value.shape, np.nan)), Tensor(value)
    y = function(leaf)
    for _ in range(2):
        backward(y, [leaf])
        assert_allclose(leaf.sink, grad(function(x), x), rtol=1e-12)
    middle = x * 1.0
    assert_allclose(grad(function(middle) + p.sum(x), [middle, x]), [leaf.sink, leaf.sink + 1], rtol=1e-12)
    narrow = Tensor(value.astype(np.float32))
    found = grad(function(narrow) + p.sum(value * narrow[:]), narrow)
    assert found.dtype == np.float32
    assert_allclose(found, leaf.sink + value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradients_of_parts_are_gathered_in_one_array(create_graph, monkeypatch):
    put, shapes = Operation.table["put"], []
    function = put.function
    monkeypatch.setattr(put, "function", lambda *xs, **o: (shapes.append(o["shape"]), function(*xs, **o))[1])
    x = Tensor(data()[0])
    y = x * 1.0
    first = grad(weighted([y[n % 5] for n in range(50)]), x, create_graph=create_graph)
    assert shapes == [(5, 3)]
    if create_graph:
        grad(p.sum(first * first), x)
        assert shapes == [(5, 3)] * 2


# ---------------------------------------------------------------------------------------------------- sinks


def test_sinks_are_overwritten_and_zero_where_nothing_arrives():
    used, unused = (Tensor(np.ones(2), sink=np.full(2, np.nan)) for _ in range(2))
    backward(p.sum(used * 3.0), [used, unused])
    assert_array_equal(used.sink, [3.0, 3.0])
    assert_array_equal(unused.sink, [0.0, 0.0])


@pytest.mark.parametrize("operation", [p.multiply, p.add, p.matmul, lambda a, b: p.stack([a, b])])
def test_the_same_leaf_twice_in_one_operation(operation):
    value = np.array([[1.0, 2.0], [3.0, 4.0]])
    leaf, x = Tensor(value, sink=np.full((2, 2), np.nan)), Tensor(value)
    backward(p.sum(p.sin(operation(leaf, leaf))), [leaf])
    assert_allclose(leaf.sink, grad(p.sum(p.sin(operation(x, x))), x))


def test_a_kernel_writes_into_the_sink_at_the_first_arrival_only():
    affine = make_affine()
    x, W, b = data()
    flat = np.full(W.size, np.nan)
    leaf = Tensor(W, sink=flat.reshape(W.shape))
    y = affine(x, leaf, b)
    backward(p.sum(y), [leaf])
    assert [place is not None for place in OFFERED] == [False, True, False]
    assert OFFERED[1] is leaf.sink
    once = flat.copy()
    backward(p.sum(affine(affine(x, leaf, b), leaf, b)), [leaf])
    assert OFFERED[1] is ...
    w = Tensor(W)
    assert_allclose(flat.reshape(W.shape), grad(p.sum(affine(affine(x, w, b), w, b)), w), rtol=1e-12)
    assert_allclose(once.reshape(W.shape), grad(p.sum(affine(x, w, b)), w), rtol=1e-12)


def test_the_same_leaf_twice_in_one_kernel_is_offered_its_sink_once():
    affine = make_affine()
    _, W, b = data()
    leaf, w = Tensor(W, sink=np.full(W.shape, np.nan)), Tensor(W)
    backward(p.sum(affine(leaf, leaf, b)), [leaf])
    assert OFFERED[0] is leaf.sink
    assert OFFERED[1] is ...
    assert_allclose(leaf.sink, grad(p.sum(affine(w, w, b)), w), rtol=1e-12)


# ------------------------------------------------------------------------------------------------------ precision


@pytest.mark.parametrize("scalar", [np.float64(0.5), np.sqrt(0.25), np.float32(0.5), np.int64(2)], ids=repr)
@pytest.mark.parametrize("operation", [p.add, p.multiply, p.divide, p.power, p.maximum, p.logaddexp])
def test_scalars_of_numpy_are_numbers(operation, scalar):
    x = Tensor(np.array([1.0, 2.0], np.float32))
    for y, expected in (
        (operation(x, scalar), operation(x, scalar.item())),
        (operation(scalar, x), operation(scalar.item(), x)),
    ):
        assert y.dtype == np.float32
        assert_array_equal(y.value, expected.value)
        assert_array_equal(grad(p.sum(y), x), grad(p.sum(expected), x))


def test_arrays_of_float64_make_float64():
    x = Tensor(np.ones(2, np.float32))
    assert (x * np.full(2, 0.5)).dtype == (x * np.array(0.5)).dtype == np.float64


WIDENED = {
    "one product": lambda x: p.sum(x * np.array([0.5, 3.0])),
    "several ways": lambda x: p.sum(p.sin(x) * np.array([0.5, 3.0]) + x * x),
    "fused": lambda x: p.sum(make_affine()(np.eye(2), p.stack([x, x * x]), np.array([0.5, 3.0]))),
    "a seed": lambda x: x[0] * 3.0,
    "from the middle": lambda x: p.sum(np.linspace(0, 1, 6).reshape(3, 2) * x) ** 2,
}


@pytest.mark.parametrize("function", WIDENED.values(), ids=WIDENED)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_gradient_has_the_precision_of_what_it_arrives_at(function, create_graph):
    value = np.array([0.5, -0.25], np.float32)
    x, exact = Tensor(value), Tensor(value.astype(np.float64))
    middle = p.sin(x)
    y, expected = function(middle), function(p.sin(exact))
    found = grad(y, [x, middle], seed=np.ones(()), create_graph=create_graph)
    assert {g.dtype for g in found} == {np.dtype("f4")}
    assert_allclose(p.plain(found[0]), grad(expected, exact), rtol=1e-6)
    if create_graph:
        again = grad(expected, exact, create_graph=True)
        twice = grad(p.sum(p.square(found[0])), x)
        assert twice.dtype == np.float32
        assert_allclose(twice, grad(p.sum(p.square(again)), exact), rtol=1e-5, atol=1e-6)


def test_a_kernel_is_offered_sinks_of_its_own_precision_only():
    affine = make_affine()
    x, W, b = data()
    leaf = Tensor(W.astype(np.float32), sink=np.full(W.shape, np.nan, np.float32))
    backward(p.sum(affine(affine(x, leaf, b), leaf, b)), [leaf])
    assert OFFERED[1] is ...
    w = Tensor(leaf.value.astype(np.float64))
    assert_allclose(leaf.sink, grad(p.sum(affine(affine(x, w, b), w, b)), w), rtol=1e-6)


def test_a_gradient_by_integers_keeps_its_fraction():
    x = Tensor(3)
    assert grad(x * 0.5, x) == 0.5


# ------------------------------------------------------------------------------------------------ what is recorded


def test_without_a_tensor_nothing_is_recorded():
    assert type(p.multiply(np.ones(2), 3.0)) is np.ndarray
    assert type(make_affine()(*data())) is np.ndarray


def test_no_grad_computes_plain_arrays():
    x = Tensor(np.ones(2))
    with no_grad():
        assert type(x * 2.0) is np.ndarray
        with no_grad():
            pass
        assert type(x * 2.0) is np.ndarray
    assert isinstance(x * 2.0, Tensor)


def test_no_grad_ends_with_an_exception():
    x = Tensor(np.ones(2))
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert isinstance(x * 2.0, Tensor)


def test_no_grad_is_of_one_thread():
    x, seen = Tensor(np.ones(2)), []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(x * 2.0))
        thread.start()
        thread.join()
    assert isinstance(seen[0], Tensor)


def test_two_threads_differentiate_their_own_graphs():
    barrier, found = threading.Barrier(2), {}

    def work(seed):
        x = Tensor(data(seed)[0])
        barrier.wait()
        for _ in range(50):
            y = x
            for _ in range(20):
                y = p.sin(y) * x
            first = grad(p.sum(y), x, create_graph=True)
            found.setdefault(seed, []).append(grad(p.sum(first * first), x))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = {seed: list(results) for seed, results in found.items()}
    barrier = threading.Barrier(1)
    for seed in (1, 2):
        found.clear()
        work(seed)
        for alone, result in zip(found[seed], together[seed], strict=True):
            assert_array_equal(result, alone)


def test_a_chain_of_ten_thousand_operations():
    x = Tensor(2.0)
    y = x
    for _ in range(10_000):
        y = y + x * 1e-4
    first = grad(y * y, x, create_graph=True)
    assert_allclose(first.value, 2 * 2 * 2.0 * 2.0)
    assert_allclose(grad(first, x), 2 * 2.0**2)
    del y, first  # what is freed is as long


def test_a_long_chain_of_fused_operations_twice_differentiated():
    affine = make_affine()
    x, W, b = data()
    w = Tensor(W * 0.1)
    y = Tensor(x)
    for _ in range(1_000):
        y = affine(y, w, b)
    reference = Tensor(x)
    for _ in range(1_000):
        reference = p.tanh(p.matmul(reference, w) + b)
    for recorded in (False, True):
        found, expected = (grad(p.sum(z), w, create_graph=recorded) for z in (y, reference))
        assert_allclose(p.plain(found), p.plain(expected), rtol=1e-10, atol=1e-12)


# ----------------------------------------------------------------------------------------------- fused operations


def test_every_order_of_a_fused_operation_equals_its_reference():
    affine = make_affine()
    values = data()
    found = []
    for function in (affine, affine.refer):
        xs = [Tensor(x) for x in values]
        derivatives = [function(*xs, scale=0.7)]
        for _ in range(3):
            gradients = grad(p.sum(p.square(derivatives[-1])), xs, create_graph=True)
            derivatives.append(p.concatenate([p.reshape(g, -1) for g in gradients]))
        found.append(derivatives)
    for fused, reference in zip(*found, strict=True):
        assert_allclose(fused.value, reference.value, rtol=1e-10, atol=1e-10)


def test_a_fused_operation_one_input_of_which_depends_on_another():
    affine = make_affine()
    check_grads(lambda x, W, b: affine(x, p.sin(W) * p.sum(x), p.sum(x * x, axis=0) + b), *data())


def test_a_wrong_backward_is_detected():
    with pytest.raises(AssertionError, match="order 1"):
        check_grads(make_affine(slope_error=1.001), *data())


@pytest.mark.parametrize("knows", [True, False])
def test_a_recorded_backward_pass_goes_ahead_of_the_reference(knows):
    affine, asked = make_affine(), []

    @affine.recorded
    def _(g, y, wanted, x, W, b):
        asked.append((type(y), wanted))
        return (p.matmul(g, p.transpose(W)), None, None) if knows else None  # as if tanh were not there

    x, W, b = map(Tensor, data())
    y = affine(x, W, b)
    first = grad(p.sum(y), x, create_graph=True)
    assert asked == [(np.ndarray, [True, False, False])]
    assert_allclose(first.value, (np.ones((5, 3)) if knows else 1 - y.value**2) @ W.value.T, rtol=1e-12)
    if knows:
        assert_array_equal(grad(p.sum(first), W), np.full((3, 3), 5.0))


def test_without_a_reference_there_is_one_derivative():
    affine = make_affine(with_reference=False)
    check_grads(affine, *data(), order=1)
    x = Tensor(data()[0])
    with pytest.raises(TypeError, match="affine has no reference"):
        grad(p.sum(affine(x, *data()[1:])), x, create_graph=True)


def test_without_a_backward_there_is_none():
    x = Tensor(data()[0])
    y = p.sum(make_affine(with_backward=False)(x, *data()[1:]))
    with pytest.raises(TypeError, match="affine has no backward"):
        grad(y, x)


def test_a_primitive_without_a_rule():
    rounded = Primitive(np.round, name="rounded")
    x = Tensor(np.ones(2))
    with pytest.raises(TypeError, match="rounded cannot be differentiated with respect to its argument 0"):
        grad(p.sum(rounded(x)), x)


# ---------------------------------------------------------------------------------------------------------- errors

WRONG = {
    "no scalar": (lambda x: grad(x * x, x), ValueError, r"y has shape \(3,\)"),
    "seed of another shape": (lambda x: grad(x * x, x, seed=np.ones((2, 3))), ValueError, r"shape \(3,\) of y"),
    "y is an array": (lambda x: grad(np.ones(3), x), TypeError, "got ndarray, Tensor"),
    "x is an array": (lambda x: grad(p.sum(x), [x, np.ones(3)]), TypeError, "got Tensor, Tensor, ndarray"),
}


@pytest.mark.parametrize(("action", "error", "message"), WRONG.values(), ids=WRONG)
def test_errors(action, error, message):
    with pytest.raises(error, match=message):
        action(Tensor(np.ones(3)))


def test_every_operation_is_in_the_table():
    affine = make_affine()
    assert Operation.table["affine"] is affine
    assert repr(affine) == "<operation affine>"


def test_a_tensor_shows_its_value():
    assert repr(Tensor(np.array([1.0, 2.0]))) == "Tensor(array([1., 2.]))"


def test_backward_of_a_leaf_itself_writes_its_sink():
    leaf = Tensor(np.array(3.0), sink=np.array(7.0))
    backward(leaf, [leaf])
    assert leaf.sink == 1.0


def test_equality_compares_values_and_leaves_tensors_hashable():
    x = Tensor(np.array([0.0, 1.0]))
    assert_array_equal(x == 0.0, [True, False])
    assert_array_equal(x != 0.0, [False, True])
    assert len({x, Tensor(1.0)}) == 2


def test_the_truth_of_a_tensor_is_that_of_its_value():
    assert Tensor(2.0)
    assert not Tensor(0.0)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor(np.zeros(2)))


def test_a_gradient_the_backward_pass_does_not_know_comes_from_the_reference():
    @op
    def scaled_(x, s):
        return x * s, (x, s)

    @scaled_.backward
    def _(g, saved, out):
        return g * saved[1], None

    @scaled_.reference
    def _(x, s):
        return p.multiply(x, s)

    del Operation.table["scaled_"]
    x, s = Tensor(np.array([1.0, 2.0])), Tensor(np.array([3.0, 4.0]))
    assert_array_equal(grad(scaled_(x, s).sum(), [x, s]), [[3.0, 4.0], [1.0, 2.0]])
