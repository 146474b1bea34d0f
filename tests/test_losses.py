"""Every loss: what its constant minimiser is, what is predicted from it, and that nothing overflows on the way."""

from dataclasses import FrozenInstanceError, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax
from scipy.stats import norm

from sknn.autodiff import Tensor, check_grads, grad
from sknn.losses import (
    LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    CategoricalLogLoss,
    DiceLoss,
    HingeLoss,
    HuberLoss,
    JointLogLoss,
    Loss,
    NormalLogLoss,
    PerceptronLoss,
    PoissonDeviance,
    QuantileLoss,
    SquaredError,
)
from sknn.ops.loss import average

DTYPES = [np.float32, np.float64]


class Known(NamedTuple):
    """The raw output that minimises the mean loss over the targets if it is the same for all, and its prediction."""

    loss: Loss
    targets: Any
    raw: list[float]
    prediction: list[float]


REAL = [[0.0], [0.0], [1.0], [2.0], [7.0]]
ONE_IN_FOUR, THREE_IN_FOUR = [[0.0], [0.0], [1.0], [0.0]], [[1.0], [0.0], [1.0], [1.0]]
CLASSES = [0, 1, 1, 2, 2, 2, 2, 2]
FREQUENCY = np.array([1, 2, 5]) / 8

MINIMISERS = [
    Known(SquaredError(), REAL, [2.0], [2.0]),
    Known(AbsoluteError(), REAL, [1.0], [1.0]),
    Known(HuberLoss(), REAL, [1.0875], [1.0875]),  # where 4 r - 3 - 1.35 = 0
    Known(HuberLoss(delta=1.0), REAL, [1.0], [1.0]),
    Known(HuberLoss(delta=100.0), REAL, [2.0], [2.0]),
    Known(QuantileLoss(), REAL, [1.0], [1.0]),
    Known(QuantileLoss(0.7), REAL, [2.0], [2.0]),
    Known(QuantileLoss(0.95), REAL, [7.0], [7.0]),
    Known(QuantileLoss([0.7, 0.3]), np.repeat(REAL, 2, axis=1), [2.0, 0.0], [2.0, 0.0]),
    Known(PoissonDeviance(), REAL, [np.log(2)], [2.0]),
    Known(NormalLogLoss(), REAL, [2.0, np.log(6.8 - 1e-6)], [2.0]),
    Known(BinaryLogLoss(), THREE_IN_FOUR, [np.log(3)], [0.75]),
    Known(BinaryLogLoss(smoothing=0.2), THREE_IN_FOUR, [np.log(0.7 / 0.3)], [0.7]),
    Known(BinaryLogLoss(), np.hstack([THREE_IN_FOUR, ONE_IN_FOUR]), [np.log(3), -np.log(3)], [0.75, 0.25]),
    Known(CategoricalLogLoss(), CLASSES, list(np.log(FREQUENCY)), list(FREQUENCY)),
    Known(CategoricalLogLoss(smoothing=0.3), CLASSES, list(np.log(0.7 * FREQUENCY + 0.1)), list(0.7 * FREQUENCY + 0.1)),
    Known(HingeLoss(), THREE_IN_FOUR, [1.0], [1.0]),
    Known(HingeLoss(), ONE_IN_FOUR, [-1.0], [-1.0]),
    Known(PerceptronLoss(), THREE_IN_FOUR, [0.0], [0.0]),
]

each_loss = pytest.mark.parametrize("loss", [cls() for cls in LOSSES.values()], ids=LOSSES)
each_minimiser = pytest.mark.parametrize("known", MINIMISERS, ids=lambda known: repr(known.loss))
with_probabilities = pytest.mark.parametrize(
    "loss", [cls() for cls in LOSSES.values() if hasattr(cls, "log_proba")], ids=lambda loss: type(loss).__name__
)


def test_every_loss_has_a_row():
    assert {type(known.loss) for known in MINIMISERS} == set(LOSSES.values())
    assert len(set(LOSSES.values())) == len(LOSSES)


def raw_for(loss: Loss, n: int, n_outputs: int) -> np.ndarray:
    n_raw = 2 * n_outputs if isinstance(loss, NormalLogLoss) else n_outputs
    return np.random.default_rng(0).standard_normal((n, n_raw))


def targets_for(loss: Loss, n: int, n_outputs: int) -> np.ndarray:
    labels = np.arange(n) % n_outputs
    return labels if isinstance(loss, CategoricalLogLoss) else np.eye(n_outputs)[labels]


@each_minimiser
def test_every_step_away_from_the_minimiser_costs(known):
    targets = np.asarray(known.targets)

    def mean_loss(raw: np.ndarray) -> float:
        return known.loss(np.tile(raw, (len(targets), 1)), targets).mean()

    raw = np.array(known.raw)
    directions = np.random.default_rng(0).standard_normal((20, raw.size))
    for direction in np.vstack([directions, -directions, np.eye(raw.size), -np.eye(raw.size)]):
        for step in (1e-3, 1e-2, 0.1, 1.0):
            assert mean_loss(raw + step * direction) > mean_loss(raw)


@each_minimiser
@pytest.mark.parametrize("dtype", DTYPES)
def test_prediction(known, dtype):
    prediction = known.loss.predict(np.array([known.raw], dtype))
    assert prediction.dtype == dtype
    assert_allclose(prediction, [known.prediction], rtol=1e-6, atol=1e-7)


LINKS = {"identity": lambda raw: raw, "logistic": expit, "softmax": lambda raw: softmax(raw, axis=1), "exp": np.exp}


@each_loss
def test_prediction_is_what_the_link_says(loss):
    raw = raw_for(loss, 5, 3)
    assert_allclose(loss.predict(raw), LINKS[loss.link](raw[:, :3]), rtol=1e-13)


@each_loss
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_value_per_sample_in_the_precision_of_the_raw_outputs(loss, dtype):
    raw = Tensor(raw_for(loss, 5, 3).astype(dtype))
    targets = targets_for(loss, 5, 3)
    values = loss(raw, targets.astype(dtype) if targets.ndim == 2 else targets)
    assert (values.shape, values.dtype) == ((5,), dtype)
    assert (values.value >= 0).all() or isinstance(loss, NormalLogLoss)  # minus a log-density may be negative
    assert grad(values, raw, seed=np.ones(5, dtype)).dtype == dtype


@pytest.mark.parametrize(
    "loss", [cls() for cls in LOSSES.values() if cls is not CategoricalLogLoss], ids=lambda loss: type(loss).__name__
)
def test_outputs_add_up(loss):
    raw, targets = raw_for(loss, 5, 3), targets_for(loss, 5, 3)
    one_by_one = [loss(raw[:, k::3], targets[:, [k]]) for k in range(3)]
    assert_allclose(loss(raw, targets), np.sum(one_by_one, axis=0), rtol=1e-13)


def test_classes_lie_on_the_last_axis():
    raw = np.random.default_rng(0).normal(size=(4, 5, 3))
    for function in (CategoricalLogLoss().predict, CategoricalLogLoss().log_proba):
        assert_array_equal(function(raw), function(raw.reshape(-1, 3)).reshape(raw.shape))


@with_probabilities
def test_log_proba_is_the_logarithm_of_the_prediction(loss):
    raw = np.random.default_rng(0).standard_normal((5, 3))
    assert_allclose(loss.log_proba(raw), np.log(loss.predict(raw)), rtol=1e-12)


@with_probabilities
@pytest.mark.parametrize("dtype", DTYPES)
def test_log_proba_is_finite_where_the_probability_is_not_distinguishable_from_zero(loss, dtype):
    raw = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0]], dtype)
    log_proba = loss.log_proba(raw)
    assert log_proba.dtype == dtype
    assert np.isfinite(log_proba).all()
    assert np.isfinite(loss.predict(raw)).all()
    lowest = -2000 if loss.link == "softmax" else -1000
    assert_allclose(log_proba[0], [0, lowest, lowest / 2 if loss.link == "softmax" else np.log(0.5)], rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_joint_loss_is_the_sum_of_those_of_its_targets(smoothing):
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((6, 5))
    numbers = np.column_stack([rng.integers(0, k, 6) for k in (2, 3, 2)])
    one, many = BinaryLogLoss(smoothing), CategoricalLogLoss(smoothing)
    expected = one(raw[:, :1], numbers[:, :1]) + many(raw[:, 1:4], numbers[:, 1]) + one(raw[:, 4:], numbers[:, 2:])
    joint = JointLogLoss((1, 3, 1), smoothing)
    assert_allclose(joint(raw, numbers), expected, rtol=1e-14)
    check_grads(lambda raw: joint(raw, numbers), raw)
    assert joint(Tensor(raw.astype("float32")), numbers).dtype == np.float32


def dice_of(raw, truth, weight):
    """The loss as its formula has it, class by class."""
    p = softmax(raw, axis=-1) if raw.shape[-1] > 1 else np.concatenate([1 - expit(raw), expit(raw)], axis=-1)
    t = np.eye(p.shape[-1])[truth.reshape(p.shape[:-1]).astype(int)]
    axes = tuple(range(p.ndim - 1))
    both, sizes = ((weight[..., None] * each).sum(axis=axes) for each in (p * t, p + t))
    return 1 - np.mean((2 * both + 1) / (sizes + 1))


@pytest.mark.parametrize("grid", [(), (4,), (3, 2)])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_dice_loss_is_the_weighted_mean_of_what_it_gives_each_position(grid, n_outputs):
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((6, *grid, n_outputs))
    truth = rng.integers(0, 2, (6, *grid, 1)).astype(float) if n_outputs == 1 else rng.integers(0, 3, (6, *grid))
    weight = rng.integers(0, 3, (6, *grid)).astype(float)
    values = DiceLoss()(raw, truth, weight)
    assert values.shape == weight.shape
    assert_allclose(np.average(values, weights=weight), dice_of(raw, truth, weight), rtol=1e-13)
    assert_allclose(DiceLoss()(raw, truth).mean(), dice_of(raw, truth, np.ones_like(weight)), rtol=1e-13)

    def mean_loss(raw):
        return average(DiceLoss()(raw, truth, weight).reshape(-1), weight.ravel())

    check_grads(mean_loss, raw)
    leaf = Tensor(raw)
    slope = grad(mean_loss(leaf), leaf)
    assert (slope[weight == 0] == 0).all()
    assert (slope[weight > 0] != 0).all()
    assert DiceLoss()(Tensor(raw.astype("float32")), truth, weight).dtype == np.float32


@pytest.mark.parametrize("weight", [np.ones(5), np.zeros(5)], ids=["no position of a class", "no position that counts"])
def test_the_dice_loss_is_finite_without(weight):
    raw = Tensor(np.zeros((5, 3)))
    value = average(DiceLoss()(raw, np.zeros(5, int), weight), weight)
    slope = grad(value, raw)
    assert 0 < value.value < 1 if weight.any() else value.value == 0
    assert np.isfinite(slope).all()
    assert slope.any() == weight.any()


@each_loss
def test_a_loss_is_an_unchangeable_description(loss):
    assert is_dataclass(loss)
    assert loss == type(loss)()
    for each in fields(loss):
        with pytest.raises(FrozenInstanceError):
            setattr(loss, each.name, 0.5)


WRONG = {
    HuberLoss: ["delta", 0.0, -1.0, np.nan, "a", True, [1.0], 10**400],
    QuantileLoss: ["quantile", 0.0, 1.0, [], [0.5, 2.0], "a", None, np.array(0.5)],
    BinaryLogLoss: ["smoothing", 1.0, -0.1, "a", True, [0.1]],
    CategoricalLogLoss: ["smoothing", 1.0, np.nan, None],
    DiceLoss: ["smooth", 0.0, -1.0, "a", None],
    JointLogLoss: ["n_outputs", 2, [], [0], [1.5], "12"],
}


@pytest.mark.parametrize("loss", WRONG)
def test_what_a_loss_cannot_be_is_refused_when_it_is_made(loss):
    name, *values = WRONG[loss]
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name}\S* must be"):
            loss(value)
    assert hash(QuantileLoss([0.1, 0.9])) == hash(QuantileLoss((0.1, 0.9)))


def test_the_base_is_no_loss():
    with pytest.raises(TypeError, match="Loss is no loss"):
        Loss()(np.zeros((1, 1)), np.zeros((1, 1)))


def test_the_normal_loss_is_minus_the_log_density():
    rng = np.random.default_rng(0)
    raw, targets = rng.standard_normal((5, 6)), rng.standard_normal((5, 3))
    std = np.sqrt(np.exp(raw[:, 3:]) + 1e-6)
    assert_allclose(NormalLogLoss()(raw, targets), -norm(raw[:, :3], std).logpdf(targets).sum(axis=1), rtol=1e-13)
    assert_allclose(NormalLogLoss().variance(raw), std**2, rtol=1e-13)
    check_grads(lambda raw: NormalLogLoss()(raw, targets).sum(), raw)
