"""The compiled kernels do what NumPy does, to rounding, in any shape, layout and precision, on one thread or two."""

import platform
from threading import Thread
from time import perf_counter

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sknn import autodiff, optim
from sknn.autodiff import Tensor, grad
from sknn.ops import _kernels, attention, compiled, kernels, perceptron, threads
from sknn.ops.activation import ACTIVATIONS, Compiled
from sknn.ops.concat import concat
from sknn.ops.conv import conv
from sknn.ops.dense import dense
from sknn.ops.dropout import drop
from sknn.ops.gate import gate
from sknn.ops.group_norm import group_norm
from sknn.ops.loss import softmax_cross_entropy
from sknn.ops.norm import batch_norm, batch_statistics, layer_norm, rescale
from sknn.ops.pool import average_pool, max_pool
from sknn.ops.residual import join
from sknn.ops.shift import shift
from sknn.ops.spline import spline
from sknn.ops.upsample import upsample
from sknn.ops.windows import make_windows
from sknn.optim import descent

pytestmark = pytest.mark.skipif(_kernels.native is None, reason="there are no compiled kernels, or NumPy is asked for")

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
dtypes = st.sampled_from(sorted(TOLERANCE))
n_threads = st.sampled_from([1, 2])


def instruction_sets():
    found = []
    for name in ("baseline", "avx2", "avx512"):
        try:
            found.append(_kernels.native.use(name))
        except ValueError:  # this processor has it not
            continue
    return found


SETS = [] if _kernels.native is None else instruction_sets()


@pytest.fixture(params=SETS, autouse=True)
def instruction_set(request):
    _kernels.native.use(request.param)
    yield request.param
    _kernels.native.use(_kernels.in_use)


@pytest.fixture
def on_numpy(monkeypatch):
    """Compute something on NumPy alone."""

    def compute(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(compiled, "native", None)
            patch.setattr(descent, "native", None)
            return function(*arguments)

    return compute


def close(found, expected, dtype, at_least=0.0):
    scale = max(np.abs(expected).max(initial=0), at_least, 1e-30)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, atol=TOLERANCE[dtype] * scale, rtol=0)


@st.composite
def convolutions(draw):
    """Windows, and shapes of x, w and b: in groups that connect several channels, or each channel by itself."""
    n_axes = draw(st.integers(1, 3))
    axes = [draw(st.tuples(*[st.integers(*bounds)] * n_axes)) for bounds in ((1, 9), (1, 4), (1, 3), (1, 2))]
    size, kernel, stride, dilation = axes
    try:
        windows = make_windows(size, kernel, stride, draw(st.sampled_from(["same", "valid", 1, 2])), dilation)
    except ValueError:  # no window fits
        assume(False)
    assume(windows.all_touch_the_grid)
    if draw(st.booleans()):
        groups, channels, filters = draw(st.integers(1, 40)), 1, draw(st.integers(1, 3))
    else:
        groups, channels = draw(st.sampled_from([1, 1, 2, 3])), draw(st.integers(1, 9))
        filters = draw(st.sampled_from([1, 2, 7, 16, 17, 33, 40]))
    x_shape = (draw(st.sampled_from([1, 2, 5, 16])), *windows.size, channels * groups)
    return windows, groups, x_shape, (*windows.kernel, channels, filters * groups)


@given(
    shapes=convolutions(),
    activation=st.sampled_from(["identity", "relu", "tanh", "gelu"]),
    has_bias=st.booleans(),
    wanted=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_convolution_and_its_gradients(on_numpy, monkeypatch, shapes, activation, has_bias, wanted, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    windows, groups, x_shape, w_shape = shapes
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal(x_shape).astype(dtype), rng.standard_normal(w_shape).astype(dtype)
    b = rng.standard_normal(w_shape[-1]).astype(dtype) if has_bias else None
    wanted = (wanted[0], wanted[1], wanted[2] and has_bias)
    function = ACTIVATIONS[activation]
    inputs = x.copy(), w.copy()

    expected, kept = on_numpy(kernels.convolve, x, w, b, windows, groups, function)
    g = rng.standard_normal(expected.shape).astype(dtype)
    slopes = on_numpy(kernels.convolve_back, g, x, w, expected, kept, windows, groups, function, wanted)

    with threads._counting_on(count):
        y, whole = compiled.convolve(x, w, b, windows, groups, function)
        found = compiled.convolve_back(g, x, w, expected, whole, windows, groups, function, wanted)
    close(y, expected, dtype)
    for one, other in zip(found, slopes, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            close(one, other, dtype)
    assert all(np.array_equal(*pair) for pair in zip(inputs, (x, w), strict=True))


@given(shapes=convolutions(), dtype=dtypes, count=n_threads, seed=st.integers(0, 2**20))
@PROPERTY
def test_transposes_of_a_convolution(on_numpy, monkeypatch, shapes, dtype, count, seed):
    """Gradients for which only two of the three arrays are there; to that of x a bias may be added."""
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    windows, groups, x_shape, w_shape = shapes
    rng = np.random.default_rng(seed)
    shapes = ((x_shape[0], *windows.output, w_shape[-1]), x_shape, w_shape)
    z, x, w, b = (rng.standard_normal(shape).astype(dtype) for shape in (*shapes, x_shape[-1:]))
    for name, operands, bias in (
        ("input_gradient", (z, w), ()),
        ("input_gradient", (z, w), (b,)),
        ("weight_gradient", (z, x), ()),
    ):
        with threads._counting_on(count):
            found = getattr(compiled, name)(*operands, windows, groups, *bias)
        close(found, on_numpy(getattr(kernels, name), *operands, windows, groups, *bias), dtype)


@given(
    shapes=convolutions(),
    activation=st.sampled_from(["identity", "relu", "tanh"]),
    layouts=st.tuples(*[st.sampled_from("CFSR")] * 3),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_convolution_in_any_layout(on_numpy, shapes, activation, layouts, dtype, count, seed):
    windows, groups, x_shape, w_shape = shapes
    rng = np.random.default_rng(seed)
    x = laid_out(rng.standard_normal(x_shape).astype(dtype), layouts[0])
    w = laid_out(rng.standard_normal(w_shape).astype(dtype), layouts[1])
    b = rng.standard_normal(w_shape[-1]).astype(dtype)
    gradient = rng.standard_normal((len(x), *windows.output, w_shape[-1])).astype(dtype)
    gradient = laid_out(gradient, layouts[2])
    compare_gradients(
        on_numpy, conv, (x, w, b), gradient, dtype, count, groups=groups, activation=activation, windows=windows
    )


def compare_gradients(on_numpy, operation, inputs, gradient, dtype, count, **options):
    """The operation and its gradients are those of NumPy alone, whatever the layouts of inputs and gradient."""

    def compute():
        leaves = [Tensor(x) for x in inputs]
        y = operation(*leaves, **options)
        return [y.value, *autodiff.grad(y, leaves, seed=gradient)]

    with threads._counting_on(count):
        found = compute()
    for one, other in zip(found, on_numpy(compute), strict=True):
        close(one, other, dtype)


@given(
    kind=st.sampled_from([max_pool, average_pool]),
    n_axes=st.integers(1, 3),
    images=st.integers(1, 4),
    sizes=st.tuples(*[st.integers(1, 9)] * 3),
    kernel=st.tuples(*[st.integers(1, 4)] * 3),
    stride=st.none() | st.tuples(*[st.integers(1, 3)] * 3),
    dilation=st.tuples(*[st.integers(1, 2)] * 3),
    padding=st.sampled_from(["same", "valid", 1]),
    channels=st.sampled_from([1, 2, 8, 16, 19, 28]),
    layouts=st.tuples(*[st.sampled_from("CCFSR")] * 2),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_pooling_and_its_gradients(
    on_numpy,
    monkeypatch,
    kind,
    n_axes,
    images,
    sizes,
    kernel,
    stride,
    dilation,
    padding,
    channels,
    layouts,
    dtype,
    count,
    seed,
):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    stride = kernel if stride is None else stride  # as is usual: then windows do not overlap
    try:
        windows = make_windows(sizes[:n_axes], kernel[:n_axes], stride[:n_axes], padding, dilation[:n_axes])
        for axis in range(n_axes):
            kernels.window_sizes(windows, axis)
    except ValueError:  # no window fits, or one lies beyond the grid
        assume(False)
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (images, *windows.size, channels)).astype(dtype)  # many are equally large
    g = rng.standard_normal((images, *windows.output, channels)).astype(dtype)
    inputs, gradient = (laid_out(x, layouts[0]),), laid_out(g, layouts[1])
    compare_gradients(on_numpy, kind, inputs, gradient, dtype, count, windows=windows)


def test_the_largest_is_nan_where_one_is():
    x = np.zeros((1, 6, 17))
    x[0, [0, 3], :9] = np.nan
    y = kernels.pool_max(x, make_windows((6,), 2, 2))
    assert np.array_equal(np.isnan(y[0]), np.isnan(x[0, ::2]) | np.isnan(x[0, 1::2]))


@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 600), st.integers(1, 70)),
    layouts=st.tuples(st.sampled_from("CFSR"), st.sampled_from("CFSR")),
    has_bias=st.booleans(),
    relu=st.booleans(),
    dtype=dtypes,
    single=st.booleans(),
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_products_of_matrices(monkeypatch, shape, layouts, has_bias, relu, dtype, single, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    rows, n, results = shape
    a = laid_out(rng.standard_normal((rows, n)).astype(dtype), layouts[0])
    precision = np.float32 if single else dtype  # of the weights
    b = laid_out(rng.standard_normal((n, results)).astype(precision), layouts[1])
    bias = rng.standard_normal(results).astype(precision) if has_bias else None
    expected = a.astype(float) @ b + (0 if bias is None else bias)
    expected = (np.maximum(expected, 0) if relu else expected).astype(dtype)
    with threads._counting_on(count):
        found = compiled.dense(a, b, bias, relu)
    scale = np.sqrt(n)
    np.testing.assert_allclose(found, expected, atol=10 * TOLERANCE[dtype] * scale, rtol=0)


@pytest.mark.parametrize("n_results", [3, 64])
@pytest.mark.parametrize("rows", [slice(None), slice(2, 3)], ids=["among others", "alone"])
def test_relu_lets_nan_through(n_results, rows):
    a = np.ones((4, 5), np.float32)
    a[2, 1] = np.nan
    with threads._counting_on(2):
        found = compiled.dense(a[rows], np.ones((5, n_results), np.float32), None, True)
    expected = [False, False, True, False][rows]
    assert np.isnan(found).all(axis=1).tolist() == np.isnan(found).any(axis=1).tolist() == expected


@pytest.mark.parametrize(("n", "results"), [(5, 3), (100, 70), (1000, 333)])
@pytest.mark.parametrize(("dtype", "precision"), [("f4", "f4"), ("f8", "f8"), ("f8", "f4")])
def test_a_row_gets_the_same_bits_alone_and_among_others(monkeypatch, n, results, dtype, precision):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(0)
    a = rng.standard_normal((30, n)).astype(dtype)
    b, bias = rng.standard_normal((n, results)).astype(precision), rng.standard_normal(results).astype(precision)
    for count in (1, 2):
        with threads._counting_on(count):
            together = compiled.dense(a, b, bias, True)
            alone = [compiled.dense(a[i : i + 1], b, bias, True) for i in range(len(a))]
        assert np.concatenate(alone).tobytes() == together.tobytes()


@pytest.mark.parametrize(("rows", "n", "results"), [(30, 512, 1024), (128, 1024, 512), (29, 500, 1000), (3, 1023, 515)])
@pytest.mark.parametrize("layout", "CFSR")
@pytest.mark.parametrize(("dtype", "precision"), [("f4", "f4"), ("f8", "f8"), ("f8", "f4")])
def test_neither_threads_nor_layouts_change_a_bit_of_large_products(
    monkeypatch, rows, n, results, layout, dtype, precision
):
    """Also where rows lie a multiple of 4 KB apart."""
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(0)
    a = laid_out(rng.standard_normal((rows, n)).astype(dtype), layout)
    b = rng.standard_normal((n, results)).astype(precision)
    found = []
    for count in (1, 2, 3):
        with threads._counting_on(count):
            found.extend(compiled.dense(a, laid_out(b, each), None, False) for each in "CFSR")
    expected = a.astype(float) @ b
    np.testing.assert_allclose(found[0], expected, atol=10 * TOLERANCE[a.dtype.name] * np.sqrt(n), rtol=0)
    assert len({each.tobytes() for each in found}) == 1


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64", "aarch64", "arm64"),
    reason="on other processors the kernels leave these numbers alone",
)
@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("rows", [1, 3, 600])
def test_numbers_below_full_precision_count_as_zero_in_kernels_alone(monkeypatch, rows, dtype):
    """They take a processor a hundred times as long, and gradients behind a softmax are full of them."""
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    subnormal = np.finfo(dtype).smallest_subnormal
    a, b = np.full((rows, 40), 2 * subnormal, dtype), np.full((40, 30), 0.5, dtype)
    for count in (1, 2):
        with threads._counting_on(count):
            assert not compiled.dense(a, b, None, False).any()
            assert not compiled.activate_back(a, np.full_like(a, 0.5), "logistic", None).any()
        assert (a[0, :1] * b[0, :1]).item() == subnormal


def laid_out(array, layout):
    """Row by row, column by column, every other element of a larger one, or reversed."""
    if layout == "S":
        others = (slice(None, None, 2),) * array.ndim
        larger = np.zeros([2 * n for n in array.shape], array.dtype)
        larger[others] = array
        return larger[others]
    if layout == "R":
        return np.ascontiguousarray(np.flip(array))[(slice(None, None, -1),) * array.ndim]
    return np.asarray(array, order=layout)


@given(
    shape=st.tuples(st.integers(0, 70), st.integers(1, 300), st.integers(1, 70)),
    layouts=st.tuples(st.sampled_from("CFSR"), st.sampled_from("CFSR"), st.sampled_from("CFSR")),
    wanted=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    activation=st.sampled_from(["identity", "relu", "tanh"]),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_gradients_of_dense_layers(monkeypatch, on_numpy, shape, layouts, wanted, activation, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    rows, n, results = shape
    x = laid_out(rng.standard_normal((rows, n)).astype(dtype), layouts[0])
    w = laid_out(rng.standard_normal((n, results)).astype(dtype), layouts[1])
    g = laid_out(rng.standard_normal((rows, results)).astype(dtype), layouts[2])
    b = rng.standard_normal(results).astype(dtype)

    def gradients():
        _, saved = dense.forward(x, w, b, activation=activation)
        return dense._backward(g, saved, [... if want else None for want in wanted])

    expected = on_numpy(gradients)
    with threads._counting_on(count):
        found = gradients()
    for one, other, scale in zip(found, expected, np.sqrt([results, rows, rows]), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, atol=20 * TOLERANCE[dtype] * max(scale, 1), rtol=0)


@pytest.mark.parametrize(
    ("rows", "n", "results"),
    [(513, 1, 1), (1100, 16, 16), (700, 64, 40), (999, 33, 70), (600, 90, 3), (600, 130, 400), (515, 500, 260)],
)
@pytest.mark.parametrize("activation", ["relu", "identity"])
@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
def test_narrow_layers_with_many_rows(monkeypatch, on_numpy, rows, n, results, activation, dtype):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(0)
    shapes = (rows, n), (n, results), (results,), (rows, results)
    *inputs, g = (rng.standard_normal(shape).astype(dtype) for shape in shapes)

    def layer():
        return value_and_gradients(dense, inputs, g, activation=activation)

    expected, found = on_numpy(layer), []
    for count in (1, 2, 3):
        with threads._counting_on(count):
            found.append(layer())
    for one, two, three, other in zip(*found, expected, strict=True):
        close(one, other, dtype)
        assert one.tobytes() == two.tobytes() == three.tobytes()


def test_gradients_are_written_where_they_are_to_go():
    x, w, g = np.ones((3, 2), np.float32), np.ones((2, 4), np.float32), np.ones((3, 4), np.float32)
    to_w, to_b = np.empty_like(w), np.empty(4, np.float32)
    dx, dw, db = compiled.dense_back(g, x, w, g, False, (None, to_w, to_b))
    assert [dx, id(dw), id(db)] == [None, id(to_w), id(to_b)]
    assert {*to_w.flat, *to_b} == {3}


@given(
    n=st.integers(0, 40),
    outputs=st.integers(1, 40),
    smoothing=st.sampled_from([0.0, 0.1]),
    spread=st.sampled_from([1.0, 30.0, 1000.0]),
    layout=st.sampled_from("CFSR"),
    dtype=dtypes,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_softmax_cross_entropy(on_numpy, n, outputs, smoothing, spread, layout, dtype, seed):
    rng = np.random.default_rng(seed)
    raw = laid_out((spread * rng.standard_normal((n, outputs))).astype(dtype), layout)
    target = rng.integers(outputs, size=n)
    expected = on_numpy(lambda: softmax_cross_entropy.forward(raw, target, smoothing=smoothing))
    found = softmax_cross_entropy.forward(raw, target, smoothing=smoothing)
    close(found[0], expected[0], dtype)
    np.testing.assert_allclose(found[1], expected[1], atol=TOLERANCE[dtype], rtol=0)  # differences of probabilities


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_raw_outputs_that_are_not_finite_show_in_the_loss(bad):
    raw = np.zeros((3, 4), np.float32)
    raw[1, 2] = bad
    values, _ = softmax_cross_entropy.forward(raw, np.array([0, 1, 2]))
    assert np.isfinite(values).tolist() == [True, False, True]


@pytest.mark.parametrize("wrong", [-1, 4])
def test_a_class_that_is_no_output_is_refused(wrong):
    with pytest.raises(IndexError, match="none of the outputs"):
        softmax_cross_entropy.forward(np.zeros((3, 4)), np.array([0, wrong, 2]))


@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    layouts=st.tuples(*[st.sampled_from("CFSR")] * 2),
    activation=st.sampled_from(["identity", "relu", "tanh"]),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_sums_of_residual_blocks(on_numpy, monkeypatch, shape, layouts, activation, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    x, branch = (laid_out(rng.standard_normal(shape).astype(dtype), each) for each in layouts)
    g = rng.standard_normal(shape).astype(dtype)
    compare_gradients(on_numpy, join, (x, branch), g, dtype, count, activation=activation)


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 6)),
    widths=st.tuples(*[st.sampled_from([1, 3, 8, 16, 21, 64])] * 2),
    layouts=st.tuples(*[st.sampled_from("CFSR")] * 3),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_arrays_beside_each_other(on_numpy, monkeypatch, shape, widths, layouts, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    *inputs, g = (
        laid_out(rng.standard_normal((*shape, n)).astype(dtype), layout)
        for n, layout in zip((*widths, sum(widths)), layouts, strict=True)
    )
    compare_gradients(on_numpy, concat, inputs, g, dtype, count)


def value_and_gradients(operation, inputs, g, **options):
    """What goes through the public operation, kernels and all."""
    leaves = [Tensor(x) for x in inputs]
    y = operation(*leaves, **options)
    return [y.value, *grad(y, leaves, seed=g)]


def by_group(activation):
    """In four groups of channels where these can be split so, else in one."""

    def operation(x, gain, shift):
        groups = 4 if len(gain) % 4 == 0 and len(gain) > 4 else 1
        return group_norm(x, gain, shift, groups=groups, epsilon=1e-3, activation=activation)

    return operation


NORMS = {
    "batch_norm": lambda x, gain, shift: batch_norm(x, gain, shift, epsilon=1e-3),
    "batch_norm and tanh": lambda x, gain, shift: batch_norm(x, gain, shift, epsilon=1e-3, activation="tanh"),
    "batch_norm and SiLU": lambda x, gain, shift: batch_norm(x, gain, shift, epsilon=1e-3, activation="silu"),
    "rescale and SiLU": lambda x, gain, shift: rescale(x, gain, shift, mean=np.zeros(len(gain)), activation="silu"),
    "batch_norm and ReLU": lambda x, gain, shift: batch_norm(x, gain, shift, epsilon=1e-3, activation="relu"),
    "layer_norm": lambda x, gain, shift: layer_norm(x, gain, shift, epsilon=1e-3),
    "group_norm": by_group("identity"),
    "group_norm and SiLU": by_group("silu"),
    "rescale": lambda x, gain, shift: rescale(x, gain, shift, mean=np.linspace(1, 3, len(gain)).astype(gain.dtype)),
    "rescale and ReLU": lambda x, gain, shift: rescale(x, gain, shift, mean=np.zeros(len(gain)), activation="relu"),
}


@pytest.mark.parametrize("name", NORMS)
@given(
    rows=st.integers(1, 300),
    positions=st.lists(st.integers(1, 6), max_size=2),
    channels=st.sampled_from([1, 2, 3, 16, 31, 64, 65, 130, 400]),
    offset=st.sampled_from([0.0, 3.0]),
    layouts=st.tuples(st.sampled_from("CFSR"), st.sampled_from("CFSR")),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_norms(on_numpy, monkeypatch, name, rows, positions, channels, offset, layouts, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    assume(rows > 1 if name.startswith("batch_norm") else channels > 1)  # a single value has no spread
    rng = np.random.default_rng(seed)
    shape = (rows, *positions, channels)
    x = laid_out((offset + rng.standard_normal((len_of(shape), channels))).astype(dtype), layouts[0]).reshape(shape)
    g = laid_out(rng.standard_normal((len_of(shape), channels)).astype(dtype), layouts[1]).reshape(shape)
    inputs = [x, *(1 + rng.standard_normal((2, channels))).astype(dtype)]
    expected = on_numpy(value_and_gradients, NORMS[name], inputs, g)
    with threads._counting_on(count):
        found = value_and_gradients(NORMS[name], inputs, g)
    # gradients are sums, of which almost nothing may be left: of the inputs' where there are two rows, or by chance
    terms = [0.0, np.abs(inputs[1] * g).max(), np.abs(g).max(), np.abs(g).max()]
    for one, other, at_least in zip(found, expected, terms, strict=True):
        close(one, other, dtype, at_least)


def len_of(shape):
    return int(np.prod(shape[:-1]))


@given(
    rows=st.integers(1, 3000),
    channels=st.sampled_from([1, 3, 16, 65, 300]),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_statistics_of_batches(monkeypatch, rows, channels, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    x = (1e3 + np.random.default_rng(seed).standard_normal((rows, channels))).astype(dtype)
    with threads._counting_on(count):
        mean, variance = batch_statistics(x)
    exact = x.astype(np.longdouble)
    worst = rows * np.finfo(float).eps  # of adding up one after the other
    np.testing.assert_allclose(mean, exact.mean(axis=0).astype(float), rtol=worst)
    np.testing.assert_allclose(variance, exact.var(axis=0).astype(float), rtol=1e-12)


@given(
    shape=st.tuples(st.integers(0, 40), st.integers(1, 70)),
    layouts=st.tuples(st.sampled_from("CFSR"), st.sampled_from("CFSR")),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_dropout(on_numpy, monkeypatch, shape, layouts, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    x, g = (laid_out(rng.standard_normal(shape).astype(dtype), layout) for layout in layouts)
    kept = rng.random(shape) >= 0.3

    def thinned(x):
        return drop(x, kept, rate=0.3)

    expected = on_numpy(value_and_gradients, thinned, [x], g)
    with threads._counting_on(count):
        found = value_and_gradients(thinned, [x], g)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["relu", *(name for name in ACTIVATIONS if isinstance(ACTIVATIONS[name], Compiled))])
@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 70)),
    layouts=st.tuples(st.sampled_from("CFSR"), st.sampled_from("CFSR")),
    spread=st.sampled_from([1e-3, 1.0, 10.0, 100.0]),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_activations(on_numpy, monkeypatch, name, shape, layouts, spread, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    z = laid_out((spread * rng.standard_normal(shape)).astype(dtype), layouts[0])
    g = laid_out(rng.standard_normal(shape).astype(dtype), layouts[1])

    def value_and_slope():
        y = z.copy(order="K")
        kept = ACTIVATIONS[name].forward(y)
        return y, ACTIVATIONS[name].backward(g, y, kept)

    expected = on_numpy(value_and_slope)
    with threads._counting_on(count):
        found = value_and_slope()
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == z.dtype
        np.testing.assert_allclose(one, other, rtol=32 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


# Rounded from fifty digits.
EXACTLY = {
    "logistic": {-40.0: 4.248354255291589e-18, -5.0: 0.0066928509242848554, 0.25: 0.5621765008857981},
    "elu": {-(2.0**-30): -9.313225741817976e-10, -0.25: -0.22119921692859512, -5.0: -0.9932620530009145},
    "softplus": {-30.0: 9.357622968839737e-14, -5.0: 0.006715348489118068, 0.5: 0.9740769841801067},
    "silu": {-30.0: -2.8072868906517896e-12, -5.0: -0.03346425462142428, 0.5: 0.3112296656009273},
    "gelu": {-3.0: -0.0040496940948902835, -1.0: -0.15865525393145705, 0.5: 0.34573123063700656},
    "mish": {-30.0: -2.807286890651921e-12, -5.0: -0.033576237730161704, 0.5: 0.37524521130489513},
}


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("name", EXACTLY)
def test_activations_are_exact_to_a_few_units_in_the_last_place(name, dtype):
    z = np.array([*EXACTLY[name]], dtype)
    assert compiled.activate(z, name) is not None
    np.testing.assert_allclose(z, np.array([*EXACTLY[name].values()]), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("name", sorted(compiled.WITH_VALUES))
def test_activations_of_what_is_not_finite_or_huge(name, dtype):
    z = np.array([np.nan, np.inf, 1e30, -1e30], dtype)
    expected = z[1:].copy()
    ACTIVATIONS[name].on_numpy.forward(expected)
    assert compiled.activate(z, name) is not None
    assert np.isnan(z[0])
    np.testing.assert_allclose(z[1:], expected, rtol=1e-6)


OPTIMIZERS = {
    **{name: solver for name, solver in optim.SOLVERS.items() if "fused" in vars(type(solver))},
    "sgd, plain": optim.SGD(momentum=0.0),
    "sgd, heavy ball": optim.SGD(nesterov=False),
    "rmsprop, forgetful": optim.RMSprop(decay=0.0),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(
    size=st.integers(1, 300),
    cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    l2=st.sampled_from([0.0, 0.1]),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_steps_of_optimizers(on_numpy, monkeypatch, name, size, cuts, l2, dtype, count, seed):
    monkeypatch.setattr(descent, "FUSED_BLOCK", 0)
    rng = np.random.default_rng(seed)
    start, gradients = rng.standard_normal(size).astype(dtype), rng.standard_normal((5, size)).astype(dtype)
    decay_stop, stop = sorted(int(cut * size) for cut in cuts)
    groups = [(0, decay_stop, stop, 1.0), (stop, stop, size, 0.5)]

    def walk():
        theta, run = start.copy(), OPTIMIZERS[name].start(start, groups, workers=count)
        for gradient in gradients:
            run.step(theta, gradient.copy(), learning_rate=0.1, l2=l2)
        return theta

    close(walk(), on_numpy(walk), dtype)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("count", [1, 2])
def test_averages_follow_as_in_numpy_to_the_last_bit(monkeypatch, name, dtype, count):
    monkeypatch.setattr(descent, "FUSED_BLOCK", 0)
    rng = np.random.default_rng(0)
    theta, gradients = rng.standard_normal(9001).astype(dtype), rng.standard_normal((3, 9001)).astype(dtype)
    groups = [(5, 4200, 4207, 1.0), (4210, 4210, 9000, 0.5)]
    run, alone = (OPTIMIZERS[name].start(theta, groups, workers=count) for _ in range(2))
    average, other = rng.standard_normal(9001).astype(dtype), theta.copy()
    expected = average.copy()
    for gradient in gradients:
        run.step(theta, gradient.copy(), 0.1, 0.01, average, 0.3)
        alone.step(other, gradient.copy(), 0.1, 0.01)
        expected += 0.3 * (theta - expected)
        assert average.tobytes() == expected.tobytes()
        assert theta.tobytes() == other.tobytes()


def samples_of(values, shape, dtype, density, layout, rng):
    X = values(rng, shape)
    X = np.where(rng.random(shape) < density, X, 0).astype(dtype)
    return sp.csr_array(X) if layout == "sparse" else X


VALUES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "small integers, margins often exactly zero": lambda rng, shape: rng.integers(-2, 3, shape),
    "tenths, margins within rounding of zero": lambda rng, shape: rng.integers(-3, 4, shape) / 10,
    "sums that depend on their order": lambda rng, shape: rng.choice([-1e16, 1e16, -1.0, 1.0, 3.0], shape),
    "squares underflow": lambda rng, shape: rng.standard_normal(shape) * 1e-30,
}


@given(
    values=st.sampled_from(sorted(VALUES)),
    shape=st.tuples(st.integers(1, 60), st.integers(1, 70)),
    density=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    layout=st.sampled_from(["dense", "sparse"]),
    fit_intercept=st.booleans(),
    in_order=st.booleans(),
    dtype=dtypes,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_the_perceptron_to_the_last_bit(on_numpy, values, shape, density, layout, fit_intercept, in_order, dtype, seed):
    rng = np.random.default_rng(seed)
    X = samples_of(VALUES[values], shape, dtype, density, layout, rng)
    y, step = rng.choice([-1.0, 1.0], shape[0]), rng.choice([0.0, 0.1, 1.0], shape[0])
    order = None if in_order else rng.permutation(shape[0])[: rng.integers(0, shape[0] + 1)]
    start = rng.integers(-1, 2) * rng.standard_normal(shape[1] + fit_intercept)

    def epochs():
        samples, weights = perceptron.Samples(X, y, step, fit_intercept), start.copy()
        return [perceptron.perceptron_epoch(samples, weights, order) for _ in range(4)], weights

    (losses, weights), (expected_losses, expected) = epochs(), on_numpy(epochs)
    assert losses == expected_losses
    np.testing.assert_array_equal(weights, expected)


@given(n_samples=st.integers(1, 300), seed=st.integers(1, 2**32 - 1))
@PROPERTY
def test_shuffles_of_the_perceptron(on_numpy, n_samples, seed):
    def order():
        return next(perceptron.xorshift_orders(n_samples, seed))

    assert order().tolist() == on_numpy(order).tolist()


def visits(n, **changes):
    """Arguments of a pass over three samples, visited n times."""
    rng = np.random.default_rng(0)
    order = np.arange(n) % 3
    arguments = {"values": rng.standard_normal((3, 40)), "columns": None, "starts": None, "features": 40}
    arguments |= {"label": np.ones(3), "step": np.ones(3), "order": order, "weights": np.zeros(40), "loss": np.zeros(1)}
    return tuple((arguments | changes).values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": np.array([0, 3])}, "names a sample that is not there"),
        ({"order": np.array([-1])}, "names a sample that is not there"),
        ({"features": 41}, "wrong size"),
        ({"weights": np.zeros(42)}, "wrong size"),
        ({"weights": np.zeros(40, np.float32)}, "one type"),
        ({"starts": np.zeros(4, np.int32)}, "an array is missing"),
        ({"columns": np.zeros(120, np.int32)}, "an array is missing"),
        ({"label": None}, "wrong size"),
        ({"loss": None}, "an array is missing"),
    ],
)
def test_wrong_samples_are_refused(changes, message):
    with pytest.raises((TypeError, ValueError, IndexError), match=message):
        _kernels.native.perceptron(*visits(5, **changes))


def test_python_goes_on_beside_the_perceptron():
    arguments, span = visits(5_000_000), []

    def visit():
        span.append(perf_counter())
        _kernels.native.perceptron(*arguments)
        span.append(perf_counter())

    thread = Thread(target=visit)
    thread.start()
    ticks = []
    while thread.is_alive():
        ticks.append(perf_counter())
    thread.join()
    quarter = (span[1] - span[0]) / 4
    assert any(span[0] + quarter < tick < span[1] - quarter for tick in ticks)


@pytest.mark.parametrize("columns", [1, 3, 8, 24, 30, 64, 100, 1024])
@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
def test_layer_norm_of_a_row_gets_the_same_bits_alone_and_among_others(columns, dtype):
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 7, columns)).astype(dtype)
    inputs = rng.standard_normal((2, columns)).astype(dtype)
    y, dx, *_ = value_and_gradients(NORMS["layer_norm"], [x, *inputs], g)
    for k in range(len(x)):
        row, slope, *_ = value_and_gradients(NORMS["layer_norm"], [x[k : k + 1], *inputs], g[k : k + 1])
        assert row.tobytes() == y[k : k + 1].tobytes()
        assert slope.tobytes() == dx[k : k + 1].tobytes()


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape) for name in ("layer_norm", "group_norm") for shape in [(1_000, 1024), (3, 150, 150, 8)]]
    + [("layer_norm", (20_000, 16))],
)
def test_many_float32_far_from_zero(monkeypatch, name, shape):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(0)
    inputs = [30 + rng.standard_normal(shape), *(1 + rng.standard_normal((2, shape[-1])))]
    inputs, g = [each.astype(np.float32) for each in inputs], rng.standard_normal(shape).astype(np.float32)
    exact = value_and_gradients(NORMS[name], [each.astype(float) for each in inputs], g.astype(float))
    for found, expected in zip(value_and_gradients(NORMS[name], inputs, g), exact, strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("shape", [(700, 100), (60, 8, 8, 24), (9000, 3)])
def test_the_number_of_threads_changes_no_bit_of_norms(monkeypatch, name, shape):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, *shape)).astype(np.float32)
    inputs = [x, *rng.standard_normal((2, shape[-1])).astype(np.float32)]
    results = []
    for count in (1, 2, 2):
        with threads._counting_on(count):
            results.append(value_and_gradients(NORMS[name], inputs, g))
    for one, two, again in zip(*results, strict=True):
        assert one.tobytes() == two.tobytes() == again.tobytes()


@pytest.mark.parametrize(("size", "groups"), [(16, 1), (16, 24), (4, 1)])
def test_the_number_of_threads_changes_no_bit(monkeypatch, size, groups):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, size, size, 24)).astype(np.float32)
    w = rng.standard_normal((3, 3, 24 // groups, 48)).astype(np.float32)
    windows, relu = make_windows((size, size), 3, padding="same"), ACTIVATIONS["relu"]
    results = []
    for count in (1, 2, 2):
        with threads._counting_on(count):
            y, whole = compiled.convolve(x, w, None, windows, groups, relu)
            slopes = compiled.convolve_back(y, x, w, y, whole, windows, groups, relu, (True, True, True))
            results.append([y, *slopes, compiled.dense(y.reshape(-1, 48), w[0, 0].T, None, False)])
    for one, two, again in zip(*results, strict=True):
        assert one.tobytes() == two.tobytes() == again.tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 3)), np.zeros((2, 3)), None, 0, np.zeros((2, 3)), 1), "do not fit"),
        ((np.zeros((2, 3)), np.zeros((3, 2)), None, 0, np.zeros((2, 3)), 1), "wrong size"),
        ((np.zeros((4, 2, 3)), np.zeros((5, 3, 2)), None, 0, ..., 1), "do not fit"),
        ((np.zeros((4, 2, 3)), np.zeros((3, 2)), None, 0, ..., 1), "do not fit"),
        ((np.zeros((0, 2, 3)), np.zeros((0, 3, 2)), None, 0, ..., 1), "no members"),
        ((np.zeros((4, 2, 3)), np.zeros((4, 3, 2)), np.zeros(8), 0, ..., 1), "wrong size"),
        ((np.zeros((4, 2, 3)), np.zeros((4, 3, 2)), np.zeros((2, 4)).T, 0, ..., 1), "must be contiguous"),
        ((np.zeros((4, 2, 3)), np.zeros((4, 3, 2)), None, 0, np.zeros((2, 4, 2)), 1), "wrong size"),
        ((np.zeros((2, 3), np.float32), np.zeros((3, 2)), None, 0, np.zeros((2, 2)), 1), "one type"),
        ((np.zeros((2, 3)), np.zeros((3, 2), np.float32), np.zeros(2), 0, np.zeros((2, 2)), 1), "one type"),
        ((np.zeros((2, 3)), None, None, 0, np.zeros((2, 2)), 1), "no array"),
        ((np.zeros((2, 3), int), np.zeros((3, 2)), None, 0, np.zeros((2, 2)), 1), "float32 or float64"),
        ((np.zeros((2, 3)), np.zeros((3, 2)), None, 0), "number of arguments"),
        ((np.zeros((2, 3)), np.zeros((3, 2)), None, 0, np.zeros((2, 4))[:, ::2], 1), "contiguous"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        _kernels.native.dense(*arguments)


def runs(**changes):
    """Two runs of rows of four, which change places."""
    numbers = {"start": np.array([0, 2]), "to": np.array([1, 0]), "lengths": np.array([2, 1])}
    return tuple(({"x": np.ones((3, 4)), "y": np.ones((3, 4)), "width": 4} | numbers | changes).values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lengths": np.array([2, 2])}, "a run goes beyond the rows"),
        ({"lengths": np.array([2, -1])}, "a run goes beyond the rows"),
        ({"to": np.array([2, 0])}, "a run goes beyond the rows"),
        ({"start": np.array([-1, 2])}, "a run goes beyond the rows"),
        ({"start": np.array([0])}, "wrong size"),
        ({"to": np.array([1.0, 0.0])}, "one type"),
        ({"y": np.ones((3, 4), np.float32)}, "one type"),
        ({"y": None}, "None"),
    ],
)
def test_runs_of_rows_that_are_not_there_are_refused(changes, message):
    with pytest.raises((TypeError, ValueError, IndexError), match=message):
        _kernels.native.copy_runs(*runs(**changes))


MISSING = {
    "softmax_cross_entropy": (np.ones((3, 4)), None, 0.0),
    "dense": (np.ones((3, 4)), np.ones((4, 2)), None, 0, None, 1),
    "dense_back": (np.ones((3, 2)), np.ones((3, 4)), np.ones((4, 2)), None, 1, ..., ..., ..., 1),
    "convolve": (np.ones((1, 1, 1)), (1, 1, 1, 1, *[1] * 15, 0, 0, 0), None, None, 0, np.ones((1, 1, 1)), 1),
    "pool_max": (np.ones((1, 1, 1)), (1, 1, 1, 1, *[1] * 15, 0, 0, 0), None, 1),
    "adam": (np.ones(3), None, np.ones(3), np.ones(3), 3, 0.9, 0.9, 1e-8, 0.1, 0.0, 1.0, None, 0.0, 1),
    "rmsprop": (np.ones(3), np.ones(3), None, 3, 0.9, 1e-8, 0.1, 0.0, None, 0.0, 1),
}


@pytest.mark.parametrize("name", MISSING)
def test_an_array_that_must_be_there(name):
    with pytest.raises(TypeError, match="None"):
        getattr(_kernels.native, name)(*MISSING[name])


# -- attention -----------------------------------------------------------------------------------------------------


@st.composite
def scopes(draw):
    """Samples within which there is attention, or across which; keys in the same rows or with others between them."""
    counts = st.sampled_from([1, 2, 5, 17, 28, 29, 33, 64])
    lengths = draw(st.lists(counts, min_size=1, max_size=3))
    causal, within = draw(st.booleans()), draw(st.booleans())
    if within:
        return attention.Scope(lengths, causal=causal), None
    more = [draw(st.sampled_from([0, 1, 4, 16])) for _ in lengths]
    key_lengths = [n + extra for n, extra in zip(lengths, more, strict=True)]
    if not causal:
        key_lengths.reverse()
    gaps = [draw(st.sampled_from([0, 3])) for _ in lengths]
    starts = np.cumsum([0, *key_lengths])[:-1] + np.cumsum(gaps)
    return attention.Scope(lengths, key_lengths, starts, causal=causal), int(starts[-1] + key_lengths[-1] + gaps[0])


@given(
    scope=scopes(),
    n_heads=st.sampled_from([1, 2, 4]),
    width=st.sampled_from([1, 3, 8, 16, 24, 32, 40]),
    drops=st.booleans(),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_attention_and_its_gradients(on_numpy, monkeypatch, scope, n_heads, width, drops, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    scope, n_keys = scope
    n_queries, d = int(scope.lengths.sum()), n_heads * width
    shapes = [(n_queries, 3 * d)] if n_keys is None else [(n_queries, d), (n_keys, 2 * d)]
    inputs = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    options = {"scope": scope, "n_heads": n_heads}
    if drops:
        options |= {"kept": rng.random(n_heads * scope.n_weights) > 0.3, "rate": 0.3}
    g = rng.standard_normal((n_queries, d)).astype(dtype)

    def compute():
        leaves = [Tensor(x) for x in inputs]
        y = attention.attention(*leaves, **options)
        return [y.value, *grad(y, leaves, seed=g)], y.saved[-1]

    expected, kept = on_numpy(compute)
    assert not isinstance(kept, compiled.Weighed)
    with threads._counting_on(count):
        found, kept = compute()
    assert isinstance(kept, compiled.Weighed)
    for one, other in zip(found, expected, strict=True):
        close(one, other, dtype)


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
def test_a_head_of_a_sample_has_the_same_bits_beside_any_other(dtype):
    rng = np.random.default_rng(0)
    lengths = np.array([40, 3, 70, 40])
    qkv, g = (rng.standard_normal((lengths.sum(), width)).astype(dtype) for width in (96, 32))

    def compute(rows, scope):
        leaf = Tensor(qkv[rows])
        y = attention.attention(leaf, scope=scope, n_heads=2)
        return y.value, grad(y, leaf, seed=g[rows])

    together = compute(slice(None), attention.Scope(lengths, causal=True))
    for start, n in zip(np.cumsum(lengths) - lengths, lengths, strict=True):
        alone = compute(slice(start, start + n), attention.Scope([n], causal=True))
        for one, other in zip(alone, together, strict=True):
            assert np.array_equal(one, other[start : start + n])


def test_attention_to_thousands_of_keys_keeps_no_weights(on_numpy):
    rng = np.random.default_rng(0)
    q, kv = (rng.standard_normal(shape).astype("float32") for shape in ((9, 16), (20_000, 32)))
    scope = attention.Scope([9], [20_000])
    close(
        attention.attention(q, kv, scope=scope, n_heads=2),
        on_numpy(lambda: attention.attention(q, kv, scope=scope, n_heads=2)),
        "float32",
    )


def samples_table(*rows):
    return np.array(rows, np.intp)


@pytest.mark.parametrize(
    "table",
    [
        samples_table((0, 5, 0, 4, 0)),
        samples_table((0, 4, 1, 4, 0)),
        samples_table((-1, 4, 0, 4, 0)),
        samples_table((0, 4, 0, 0, 0)),
        samples_table((0, 4, 0, 3, 0)),
        samples_table((0, 2, 0, 2, 0), (2, 2, 2, 2, 5)),
    ],
)
def test_samples_of_attention_must_lie_within_the_rows(table):
    q, y, sums = np.ones((4, 6)), np.empty((4, 6)), np.empty((4, 2, 2))
    with pytest.raises(ValueError, match="a sample lies outside of the rows"):
        _kernels.native.attention(q, q, q, table, 2, True, None, 1.0, y, sums, 1)


@given(
    operation=st.sampled_from([gate, shift]),
    n=st.integers(1, 4),
    grid=st.lists(st.integers(1, 40), max_size=2),
    channels=st.sampled_from([1, 3, 8, 16, 31, 64, 100]),
    layouts=st.tuples(*[st.sampled_from("CCFSR")] * 3),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_what_meets_all_positions(on_numpy, monkeypatch, operation, n, grid, channels, layouts, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    x, each, g = (rng.standard_normal((n, *positions, channels)).astype(dtype) for positions in (grid, (), grid))
    x, each, g = (laid_out(*pair) for pair in zip((x, each, g), layouts, strict=True))
    compare_gradients(on_numpy, operation, (x, each), g, dtype, count)


@given(
    n=st.integers(1, 3),
    axes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=3),
    channels=st.sampled_from([1, 3, 16, 21, 64]),
    layouts=st.tuples(*[st.sampled_from("CCFSR")] * 2),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 99),
)
@PROPERTY
def test_repetition(on_numpy, monkeypatch, n, axes, channels, layouts, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    size, factors = zip(*axes, strict=True)
    x = laid_out(rng.standard_normal((n, *size, channels)).astype(dtype), layouts[0])
    larger = [side * factor for side, factor in axes]
    g = laid_out(rng.standard_normal((n, *larger, channels)).astype(dtype), layouts[1])
    compare_gradients(on_numpy, upsample, (x,), g, dtype, count, factors=factors)


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 3)),
    n_bins=st.sampled_from([1, 2, 3, 8, 11]),
    bound=st.sampled_from([0.5, 3.0]),
    inverse=st.booleans(),
    layouts=st.tuples(*[st.sampled_from("CCFSR")] * 3),
    dtype=dtypes,
    count=n_threads,
    seed=st.integers(0, 2**20),
)
@PROPERTY
def test_splines(on_numpy, monkeypatch, shape, n_bins, bound, inverse, layouts, dtype, count, seed):
    monkeypatch.setattr(threads, "SMALL_KERNEL", 0)
    rng = np.random.default_rng(seed)
    x, raw, g = (rng.standard_normal(each).astype(dtype) for each in (shape, (*shape, 3 * n_bins - 1), (2, *shape)))
    raw *= 0.2 if dtype == "float32" else 1.0  # of knots close to each other, it knows few digits of how far they are
    x, raw, g = (laid_out(*pair) for pair in zip((2 * x, raw, g), layouts, strict=True))
    compare_gradients(on_numpy, spline, (x, raw), g, dtype, count, bound=bound, inverse=inverse)
