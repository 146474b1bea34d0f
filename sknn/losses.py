"""What is minimised, by name: a loss of raw outputs and the link that turns raw outputs into predictions.

A loss is called with raw outputs (n, n_outputs) and encoded targets and gives one value per sample, for members side by
side with an axis of members in front of all these; weighting and averaging happen in ``sknn.ops.loss.average``
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from scipy.special import expit, log_expit, log_softmax, softmax

from .autodiff import primitives as F
from .autodiff.tape import Array, Value
from .description import check_fields, integers, number, numbers
from .ops import loss as ops

LOG_2_PI = float(np.log(2.0 * np.pi))
SMALLEST_VARIANCE = 1e-6  # of standardised targets, so that what can be told exactly has a density


class Loss:
    """The base of all losses.

    Attributes
    ----------
    link : str
        What predictions are made of raw outputs: "identity", "logistic", "softmax" or "exp".
    outputs_averaged : bool
        Whether learning curves show the mean over several outputs; the sum over outputs is what is minimised.
    """

    link = "identity"
    outputs_averaged = False

    def __post_init__(self) -> None:
        check_fields(self)

    def __call__(self, raw: Value, target: Array) -> Value:
        """The loss of each sample, shape (n,)."""
        raise TypeError(f"{type(self).__name__} is no loss")

    def predict(self, raw: Array) -> Array:
        """The prediction that the raw outputs stand for, in their precision."""
        return raw


@dataclass(frozen=True)
class CategoricalLogLoss(Loss):
    """-sum_k q_k log p_k with p = softmax(raw) and integer targets (n,).

    Parameters
    ----------
    smoothing : float, default=0.0
        q is 1 - smoothing at the class, plus smoothing / n_classes everywhere (Szegedy et al. 2016).

    Examples
    --------
    >>> import numpy as np
    >>> CategoricalLogLoss()(np.array([[0.0, 0.0], [1000.0, -1000.0]]), np.array([1, 1]))
    array([6.93147181e-01, 2.00000000e+03])
    """

    smoothing: float = number("[0, 1)", default=0.0)
    link = "softmax"

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.softmax_cross_entropy(raw, target, smoothing=self.smoothing)

    def predict(self, raw: Array) -> Array:
        return softmax(raw, axis=-1)

    def log_proba(self, raw: Array) -> Array:
        """log p, finite for any finite raw outputs."""
        return log_softmax(raw, axis=-1)


@dataclass(frozen=True)
class BinaryLogLoss(Loss):
    """-sum_k q_k log p_k + (1 - q_k) log(1 - p_k) with p = sigmoid(raw), targets (n, n_outputs) of 0 and 1: one output
    for two classes, one for each label of a multilabel target.

    Parameters
    ----------
    smoothing : float, default=0.0
        q is (1 - smoothing) target + smoothing / 2.

    Examples
    --------
    >>> import numpy as np
    >>> BinaryLogLoss()(np.array([[0.0], [1000.0]]), np.array([[1.0], [0.0]]))
    array([6.93147181e-01, 1.00000000e+03])
    """

    smoothing: float = number("[0, 1)", default=0.0)
    link = "logistic"

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.sigmoid_cross_entropy(raw, target, smoothing=self.smoothing)

    def predict(self, raw: Array) -> Array:
        return expit(raw)

    def log_proba(self, raw: Array) -> Array:
        """log p, finite for any finite raw outputs."""
        return log_expit(raw)


@dataclass(frozen=True)
class JointLogLoss(Loss):
    """The sum of the log losses of several class targets, whose raw outputs lie side by side.

    Targets (n, n_targets) are class numbers. What a target says of a sample is taken as independent of what the others
    say, given the inputs.

    Parameters
    ----------
    n_outputs : tuple of int
        How many raw outputs each target has: one (logistic) for two classes, else one for each class (softmax).
    smoothing : float, default=0.0
        That of :class:`BinaryLogLoss` and :class:`CategoricalLogLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> JointLogLoss((1, 3))(np.zeros((1, 4)), np.array([[1, 2]]))  # log 2 + log 3
    array([1.79175947])
    """

    n_outputs: tuple[int, ...] = integers("[1, inf)", alone=False)
    smoothing: float = number("[0, 1)", default=0.0)
    link = "softmax"

    def __call__(self, raw: Value, target: Array) -> Value:
        losses = []
        for part, classes in zip(self.parts, np.moveaxis(target, -1, 0), strict=True):
            if part.stop - part.start == 1:
                loss, wanted = ops.sigmoid_cross_entropy, classes[..., None].astype(raw.dtype)
            else:
                loss, wanted = ops.softmax_cross_entropy, classes
            losses.append(loss(raw[..., part], wanted, smoothing=self.smoothing))
        return sum(losses[1:], start=losses[0])

    @property
    def parts(self) -> list[slice]:
        """The columns of the raw outputs that belong to each target."""
        stops = list(accumulate(self.n_outputs))
        return [slice(stop - n, stop) for stop, n in zip(stops, self.n_outputs, strict=True)]


@dataclass(frozen=True)
class DiceLoss(Loss):
    r"""1 - the mean Dice coefficient of the classes, with probabilities in the place of predictions.

    Over all positions i of a batch together, with weights w, probabilities p and truth t (0 or 1) of each class k,

    .. math:: L = 1 - \frac{1}{K} \sum_k \frac{2 \sum_i w_i p_{ik} t_{ik} + s}
        {\sum_i w_i p_{ik} + \sum_i w_i t_{ik} + s},

    so that a class counts as much as any other, however rare it is. Unlike all other losses this one depends on how the
    positions are weighted: it is told the weights, and gives a value for each position, whose mean with these weights
    is L. What has no weight has no influence, and no gradient.

    Parameters
    ----------
    smooth : float, default=1.0
        s, as much as so many positions: it keeps the loss of a batch finite that lacks a class.

    References
    ----------
    Milletari, Navab, Ahmadi (2016). V-Net: fully convolutional neural networks for volumetric medical image
    segmentation. 3DV. arXiv:1606.04797.

    Examples
    --------
    >>> import numpy as np
    >>> raw, truth = np.array([[0.0], [0.0], [9.0]]), np.array([[0.0], [1.0], [1.0]])
    >>> DiceLoss(smooth=1e-9)(raw, truth).mean().round(3)  # the Dice coefficients are 1 / 2 and 3 / 4
    np.float64(0.375)
    """

    smooth: float = number("(0, inf)", default=1.0)

    def __call__(self, raw: Value, target: Array, weight: Array | None = None) -> Value:
        """A value for each position: raw (..., n_outputs), class numbers (...), or 0 and 1 (..., 1) for one output."""
        positions, n_outputs = raw.shape[:-1], raw.shape[-1]
        rows = raw.reshape(-1, n_outputs)
        probability = F.softmax(rows, axis=-1) if n_outputs > 1 else _of_both(F.sigmoid(rows))
        n_classes = probability.shape[-1]
        truth = np.eye(n_classes, dtype=raw.dtype)[target.reshape(-1).astype(np.intp)]
        each = np.ones(len(truth), raw.dtype) if weight is None else weight.reshape(-1).astype(raw.dtype)
        sizes = F.matmul(each, probability + truth)
        apart = probability + truth - 2.0 * probability * truth
        values = F.matmul(apart, float(each.sum()) / n_classes / (sizes + self.smooth))
        return values.reshape(*positions)


def _of_both(probability: Value) -> Value:
    """The probabilities of two classes, from that of the second."""
    return F.concatenate([1.0 - probability, probability], axis=-1)


@dataclass(frozen=True)
class PerceptronLoss(Loss):
    """sum_k max(0, -t_k raw_k), t = +-1 (Rosenblatt 1958); targets (n, n_outputs) of 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> PerceptronLoss()(np.array([[2.0], [2.0]]), np.array([[1.0], [0.0]]))
    array([0., 2.])
    """

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.margin_loss(raw, target, margin=0.0)


@dataclass(frozen=True)
class HingeLoss(Loss):
    """sum_k max(0, 1 - t_k raw_k), t = +-1 (Cortes & Vapnik 1995); targets (n, n_outputs) of 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> HingeLoss()(np.array([[2.0], [0.5]]), np.array([[1.0], [1.0]]))
    array([0. , 0.5])
    """

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.margin_loss(raw, target, margin=1.0)


@dataclass(frozen=True)
class SquaredError(Loss):
    """sum_k (raw_k - y_k)^2 / 2: the prediction is the mean.

    Examples
    --------
    >>> import numpy as np
    >>> SquaredError()(np.array([[3.0]]), np.array([[1.0]]))
    array([2.])
    """

    outputs_averaged = True

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.squared_error(raw, target)


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """``sum_k |raw_k - y_k|``: the prediction is the median.

    Examples
    --------
    >>> import numpy as np
    >>> AbsoluteError()(np.array([[3.0]]), np.array([[1.0]]))
    array([2.])
    """

    outputs_averaged = True

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.absolute_error(raw, target)


@dataclass(frozen=True)
class HuberLoss(Loss):
    """sum_k of e_k^2 / 2 where ``|e_k| <= delta``, else ``delta (|e_k| - delta / 2)``; e = raw - y (Huber 1964).

    Parameters
    ----------
    delta : float, default=1.35
        From where on errors count linearly.

    Examples
    --------
    >>> import numpy as np
    >>> HuberLoss(delta=1.0)(np.array([[0.5], [3.0]]), np.array([[0.0], [0.0]]))
    array([0.125, 2.5  ])
    """

    delta: float = number("(0, inf)", default=1.35)
    outputs_averaged = True

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.huber_error(raw, target, delta=self.delta)


@dataclass(frozen=True)
class QuantileLoss(Loss):
    """sum_k max(q_k e_k, (q_k - 1) e_k), e = y - raw: the prediction is the q-quantile (Koenker & Bassett 1978).

    Parameters
    ----------
    quantile : float or sequence of float, default=0.5
        Between 0 and 1; one for all outputs or one for each.

    Examples
    --------
    >>> import numpy as np
    >>> QuantileLoss(0.9)(np.array([[1.0], [1.0]]), np.array([[2.0], [0.0]]))
    array([0.9, 0.1])
    """

    quantile: float | Sequence[float] = numbers("(0, 1)", default=0.5)
    outputs_averaged = True

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.quantile_error(raw, target, quantile=self.quantile)


@dataclass(frozen=True)
class NormalLogLoss(Loss):
    r"""-log N(y; m, v), of a normal distribution whose mean and variance are both outputs (Nix & Weigend 1994).

    .. math:: L = \tfrac{1}{2} \sum_k \log 2 \pi v_k + (m_k - y_k)^2 / v_k, \qquad v_k = e^{s_k} + 10^{-6}

    Raw outputs (n, 2 n_outputs) are all m, then all s; the prediction is the mean m.

    References
    ----------
    Nix, Weigend (1994). Estimating the mean and variance of the target probability distribution. ICNN.

    Examples
    --------
    >>> import numpy as np
    >>> NormalLogLoss()(np.array([[1.0, 0.0]]), np.array([[3.0]])).round(4)  # log(2 pi) / 2 + 2
    array([2.9189])
    """

    def __call__(self, raw: Value, target: Array) -> Value:
        n_outputs = target.shape[-1]
        variance = F.exp(raw[..., n_outputs:]) + SMALLEST_VARIANCE
        error = raw[..., :n_outputs] - target
        return 0.5 * F.sum(F.log(variance) + F.square(error) / variance + LOG_2_PI, axis=-1)

    def predict(self, raw: Array) -> Array:
        return raw[..., : raw.shape[-1] // 2]

    def variance(self, raw: Array) -> Array:
        """That of each output around its mean."""
        return np.exp(raw[..., raw.shape[-1] // 2 :]) + SMALLEST_VARIANCE


@dataclass(frozen=True)
class PoissonDeviance(Loss):
    """sum_k y_k log(y_k / m_k) - y_k + m_k with mean m = exp(raw): half the Poisson deviance, for counts y >= 0.

    Examples
    --------
    >>> import numpy as np
    >>> PoissonDeviance()(np.array([[0.0]]), np.array([[1.0]]))
    array([0.])
    """

    link = "exp"

    def __call__(self, raw: Value, target: Array) -> Value:
        return ops.poisson_deviance(raw, target)

    def predict(self, raw: Array) -> Array:
        return np.exp(raw)


LOSSES: dict[str, type[Loss]] = {
    "log_loss": CategoricalLogLoss,
    "binary_log_loss": BinaryLogLoss,
    "perceptron": PerceptronLoss,
    "hinge": HingeLoss,
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": HuberLoss,
    "quantile": QuantileLoss,
    "normal": NormalLogLoss,
    "poisson": PoissonDeviance,
}
