"""Transposed convolution is PyTorch's, and the transpose of the convolution, down to the kernels that compute it."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.ops.conv import conv
from sknn.ops.conv_transpose import conv_transpose
from sknn.ops.windows import make_transposed_windows, make_windows

rng = np.random.default_rng(7)


class Case(NamedTuple):
    """Sizes, and what PyTorch calls stride, padding, output_padding, groups and dilation."""

    n: int
    grid: tuple[int, ...]
    kernel: tuple[int, ...]
    channels: int
    filters: int
    stride: int = 1
    padding: int = 0
    longer: int = 0
    groups: int = 1
    dilation: int = 1


CASES = {
    "1-D": Case(1, (4,), (3,), 2, 1),
    "1-D, stride": Case(2, (3,), (4,), 1, 2, stride=2, padding=1),
    "1-D, all": Case(1, (3,), (3,), 4, 2, stride=3, padding=2, longer=2, groups=2, dilation=2),
    "2-D": Case(1, (2, 3), (2, 3), 1, 1, padding=1),
    "2-D, stride": Case(1, (2, 2), (3, 2), 2, 1, stride=2, padding=1, longer=1, dilation=2),
    "3-D": Case(1, (2, 1, 2), (2, 3, 3), 1, 1, stride=2, padding=1, longer=1),
}

# What torch.nn.functional.conv_transpose1d, 2d and 3d (2.13) make of them, channels last.
RECORDED = {
    "1-D": [6, -14, -1, -19, 2, 7],
    "1-D, stride": [-12, 5, -6, 8, -9, 12, -8, 4, -1, 4, -1, 0, 6, -1, 9, -4, -6, -5, -7, 6, -5, 8, -3, 2],
    "1-D, all": [-7, -6, 3, 11, -6, 7, -7, 13, 0, 13, -3, -6, -7, 11, -3, 2, 0, -5],
    "2-D": [-2, 9, -5],
    "2-D, stride": [-3, -3, -3, -3, -3, -19, -3, -2, -3, -3, -3, -3, -3, 15, -3, 13, -3, -3, -3, -3, -3, -10, -3, -11],
    "3-D": [-6, 8, -4, 0, -12, 0, -6, -2, -1, -8, 3, -9, -6, 0, -12, -3, -2, -12, 0, -12, 0, -4, 6, -6],
}  # fmt: skip


def whole(shape: tuple[int, ...], step: int) -> np.ndarray:
    """Whole numbers from -3 to 3, so that sums are exact."""
    return (np.arange(np.prod(shape)) * step % 7 - 3.0).reshape(shape)


def operands(case: Case, draw: Any = None) -> list[np.ndarray]:
    """x, weights and bias."""
    shapes = (
        (case.n, *case.grid, case.channels),
        (*case.kernel, case.filters // case.groups, case.channels),
        (case.filters,),
    )
    return [whole(shape, step) if draw is None else draw(shape) for shape, step in zip(shapes, (2, 3, 5), strict=True)]


def options(case: Case) -> dict[str, Any]:
    shared = (case.grid, case.kernel, case.stride, case.padding, case.dilation)
    size = tuple(n + case.longer for n in make_transposed_windows(*shared).size)
    return {"windows": make_transposed_windows(*shared, size), "groups": case.groups}


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_pytorch(name):
    y = conv_transpose(*operands(CASES[name]), **options(CASES[name]))
    assert_array_equal(y.ravel(), RECORDED[name])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_values_and_gradients_beside_pytorch(case):
    torch = pytest.importorskip("torch")
    arrays = operands(case, rng.standard_normal)
    leaves = [Tensor(each) for each in arrays]
    y = conv_transpose(*leaves, **options(case))
    seed = rng.standard_normal(y.shape)
    found = [y.value, *grad(y, leaves, seed=seed)]

    x, w, b = (torch.tensor(each, requires_grad=True) for each in arrays)
    function = getattr(torch.nn.functional, f"conv_transpose{len(case.grid)}d")
    weights = w.permute(-1, -2, *range(len(case.grid))).contiguous()
    others = (case.stride, case.padding, case.longer, case.groups, case.dilation)
    there = function(x.movedim(-1, 1).contiguous(), weights, b, *others).movedim(1, -1)
    there.backward(torch.tensor(seed))
    for one, other in zip(found, (there, x.grad, w.grad, b.grad), strict=True):
        assert_allclose(one, other.detach().numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_the_gradient_of_the_convolution_to_the_bit(case, dtype):
    z, w, _ = (each.astype(dtype) for each in operands(case, rng.standard_normal))
    told = options(case)
    x = Tensor(np.zeros((case.n, *told["windows"].size, case.filters), dtype))
    assert_array_equal(conv_transpose(z, w, **told), grad(conv(x, w, **told), x, seed=z))


@pytest.mark.parametrize("seed", range(30))
def test_it_is_the_transpose_of_the_convolution_as_a_linear_map(seed):
    """<conv(x), y> = <x, conv_transpose(y)> for any sizes, odd ones and windows that leave a rest among them."""
    draw = np.random.default_rng(seed)
    n_axes = int(draw.integers(1, 4))
    size, kernel, stride, dilation = (tuple(draw.integers(1, top, n_axes).tolist()) for top in (12, 4, 4, 3))
    padding = "same" if seed % 3 == 0 else tuple(draw.integers(0, 3, n_axes).tolist())
    size = tuple(n + (k - 1) * d for n, k, d in zip(size, kernel, dilation, strict=True))
    windows = make_windows(size, kernel, stride, padding, dilation)
    back = make_transposed_windows(windows.output, kernel, stride, padding, dilation, size)
    x, w = draw.standard_normal((2, *size, 2)), draw.standard_normal((*kernel, 2, 3))
    y = draw.standard_normal((2, *windows.output, 3))
    there, home = conv(x, w, windows=windows), conv_transpose(y, w, windows=back)
    assert home.shape == x.shape
    scale = np.linalg.norm(there) * np.linalg.norm(y)
    assert abs(np.vdot(there, y) - np.vdot(x, home)) < 1e-12 * scale


def test_two_layers_of_a_stride_make_images_four_times_as_large():
    """As in a DCGAN: kernels of 4, stride 2."""
    x = rng.standard_normal((2, 7, 7, 5))
    for w in (rng.standard_normal((4, 4, 3, 5)), rng.standard_normal((4, 4, 1, 3))):
        x = conv_transpose(x, w, windows=make_transposed_windows(x.shape[1:-1], 4, 2, "same"), activation="tanh")
    assert x.shape == (2, 28, 28, 1)
