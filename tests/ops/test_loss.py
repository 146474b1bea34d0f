"""Losses and their slopes against values computed by hand; the checks that all operations share are in test_fused."""

from math import log
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Operation, Tensor, check_grads, grad
from sknn.ops import loss
from sknn.ops.loss import average

DTYPES = [np.float32, np.float64]


class Known(NamedTuple):
    """A loss at the raw outputs of one sample: its value and its slope by each of them."""

    name: str
    raw: list[float]
    target: Any
    value: float
    slope: list[float]
    options: dict = {}  # noqa: RUF012 - never changed


THIRDS = [0.0, log(2), log(3)]  # of probability 1/6, 1/3 and 1/2

BY_HAND = [
    Known("softmax_cross_entropy", THIRDS, 2, log(2), [1 / 6, 1 / 3, -1 / 2]),
    Known("softmax_cross_entropy", THIRDS, 0, log(6), [-5 / 6, 1 / 3, 1 / 2]),
    Known(
        "softmax_cross_entropy", THIRDS, 2, 0.8 * log(2) + 0.1 * log(6) + 0.1 * log(3),
        [1 / 6 - 0.1, 1 / 3 - 0.1, 1 / 2 - 0.8], {"smoothing": 0.3},
    ),
    Known("sigmoid_cross_entropy", [0.0, log(3)], [1, 0], log(2) + log(4), [-0.5, 0.75]),
    Known(
        "sigmoid_cross_entropy", [0.0, log(3)], [1, 0], log(2) + log(4) - 0.1 * log(3),
        [0.5 - 0.9, 0.75 - 0.1], {"smoothing": 0.2},
    ),
    Known("margin_loss", [2.0, -1.0, 0.5], [1, 1, 0], 0 + 2 + 1.5, [0, -1, 1]),
    Known("margin_loss", [2.0, -1.0, 0.5], [1, 1, 0], 0 + 1 + 0.5, [0, -1, 1], {"margin": 0.0}),
    Known("margin_loss", [1.0, -1.0], [1, 0], 0, [-1, 1]),  # just at the margin: still short of it
    Known("margin_loss", [0.0, 0.0], [1, 0], 0, [-1, 1], {"margin": 0.0}),
    Known("squared_error", [3.0, 0.0], [1, 0.5], 2 + 0.125, [2, -0.5]),
    Known("absolute_error", [3.0, 0.0, 1.0], [1, 0.5, 1], 2 + 0.5, [1, -1, 0]),
    Known("huber_error", [2.0, -0.5, -3.0], [0, 0, 0], 1.5 + 0.125 + 2.5, [1, -0.5, -1]),
    Known("huber_error", [2.0, -0.5, 1.0], [0, 0, 0], 0.875 + 0.125 + 0.375, [0.5, -0.5, 0.5], {"delta": 0.5}),
    Known("quantile_error", [1.0, 1.0, 1.0], [2, 0, 1], 0.5 + 0.5, [-0.5, 0.5, 0]),
    Known("quantile_error", [1.0, 1.0, 1.0], [2, 0, 1], 0.9 + 0.1, [-0.9, 0.1, 0], {"quantile": 0.9}),
    Known("quantile_error", [1.0, 1.0], [2, 0], 0.9 + 0.8, [-0.9, 0.8], {"quantile": [0.9, 0.2]}),
    Known("poisson_deviance", [0.0, log(2)], [1, 3], 0 + 3 * log(1.5) - 1, [0, -1]),
    Known("poisson_deviance", [log(2)], [0], 2, [2]),
]  # fmt: skip

FAR_AWAY = [
    Known("softmax_cross_entropy", [1000.0, -1000.0, 0.0], 0, 0, [0, 0, 0]),
    Known("softmax_cross_entropy", [1000.0, -1000.0, 0.0], 1, 2000, [1, -1, 0]),
    Known("softmax_cross_entropy", [1000.0, -1000.0], 1, 1900, [0.95, -0.95], {"smoothing": 0.1}),
    Known("sigmoid_cross_entropy", [1000.0, -1000.0], [1, 0], 0, [0, 0]),
    Known("sigmoid_cross_entropy", [1000.0, -1000.0], [0, 1], 2000, [1, -1]),
    Known("sigmoid_cross_entropy", [1000.0, -1000.0], [0, 1], 1900, [0.95, -0.95], {"smoothing": 0.1}),
    Known("margin_loss", [1000.0, -1000.0], [0, 1], 2002, [1, -1]),
    Known("squared_error", [1000.0, -1000.0], [0, 0], 1e6, [1000, -1000]),
    Known("absolute_error", [1000.0, -1000.0], [0, 0], 2000, [1, -1]),
    Known("huber_error", [1000.0, -1000.0], [0, 0], 1999, [1, -1]),
    Known("quantile_error", [1000.0, -1000.0], [0, 0], 1000, [0.5, -0.5]),
    Known("poisson_deviance", [-1000.0, -1000.0], [0, 1], 999, [0, -1]),
]

LOSSES = {each.__name__: each for each in vars(loss).values() if isinstance(each, Operation)}
del LOSSES["average"]

each_loss = pytest.mark.parametrize("name", LOSSES)


def target_for(known: Known, dtype: type) -> np.ndarray:
    return np.array([known.target], dtype if isinstance(known.target, list) else int)


@pytest.mark.parametrize("table", [BY_HAND, FAR_AWAY], ids=["by hand", "far away"])
def test_every_loss_has_a_row(table):
    assert {known.name for known in table} == set(LOSSES)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("known", BY_HAND + FAR_AWAY, ids=lambda known: f"{known.name} {known.raw} {known.options}")
def test_value_and_slope(known, dtype):
    raw = Tensor(np.array([known.raw], dtype))
    values = LOSSES[known.name](raw, target_for(known, dtype), **known.options)
    assert values.dtype == dtype
    precision = {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-13, "atol": 1e-14}
    assert_allclose(values.value, [known.value], **precision)
    assert_allclose(grad(values, raw, seed=np.ones(1, dtype)), [known.slope], **precision)


def several(name: str) -> tuple[np.ndarray, np.ndarray]:
    raw = np.random.default_rng(5).standard_normal((6, 3))
    labels = np.array([0, 2, 1, 1, 0, 2])
    return raw, labels if name == "softmax_cross_entropy" else np.eye(3)[labels]


@each_loss
def test_samples_do_not_depend_on_each_other(name):
    raw, target = several(name)
    together = LOSSES[name](raw, target)
    assert together.shape == (6,)
    one_by_one = [LOSSES[name](raw[i : i + 1], target[i : i + 1]) for i in range(6)]
    assert_allclose(together, np.concatenate(one_by_one), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_labels_may_be_integers_of_any_size(dtype):
    labels = np.arange(300) % 3
    raw = np.sin(np.arange(900.0)).reshape(300, 3)
    expected = np.log(np.exp(raw).sum(axis=1)) - raw[np.arange(300), labels]
    assert_allclose(loss.softmax_cross_entropy(raw, labels.astype(dtype)), expected, rtol=1e-13)


@each_loss
def test_nan_is_passed_on(name):
    raw, target = several(name)
    raw[2, 1] = np.nan
    with np.errstate(invalid="ignore"):
        assert_array_equal(np.isnan(LOSSES[name](raw, target)), np.arange(6) == 2)


# -- the mean ------------------------------------------------------------------------------------------------------

MEANS = {
    "without weights": (None, 3.0, [1 / 3, 1 / 3, 1 / 3]),
    "of equal weights": ([5.0, 5.0, 5.0], 3.0, [1 / 3, 1 / 3, 1 / 3]),
    "of some": ([2.0, 2.0, 0.0], 1.5, [0.5, 0.5, 0]),
    "of whole numbers": ([1, 2, 1], 2.75, [0.25, 0.5, 0.25]),
}


@pytest.mark.parametrize(("weight", "mean", "share"), MEANS.values(), ids=MEANS)
def test_average(weight, mean, share):
    values = Tensor(np.array([1.0, 2.0, 6.0]))
    y = average(values) if weight is None else average(values, np.array(weight))
    assert_allclose(y.value, mean, rtol=1e-15)
    assert_allclose(grad(y, values), share, rtol=1e-15)


@pytest.mark.parametrize("weight", [None, np.full(100_000, 0.3, np.float32)])
def test_average_is_summed_in_float64(weight):
    values = np.full(100_000, 0.1, np.float32)
    assert_allclose(average(values, weight), float(np.float32(0.1)), rtol=1e-13)


def test_averages_of_a_repeated_sample_and_of_its_weight_agree():
    values = np.array([1.0, 2.0, 6.0])
    assert_allclose(average(values, np.array([1.0, 3.0, 2.0])), average(np.repeat(values, [1, 3, 2])), rtol=1e-15)


@pytest.mark.parametrize("error", [loss.squared_error, loss.absolute_error, loss.huber_error, loss.quantile_error])
def test_targets_and_weights_can_be_differentiated_too(error):
    rng = np.random.default_rng(0)
    raw, target, weight = rng.standard_normal((5, 2)), rng.standard_normal((5, 2)), rng.uniform(1, 2, 5)
    check_grads(lambda z, t, w: loss.average(error(z, t), w), raw, target, weight, order=1)
