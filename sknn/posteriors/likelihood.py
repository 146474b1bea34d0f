"""How probable targets are by the weights of a network, and how that curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autodiff.tape import Array, Tensor, grad
from ..losses import BinaryLogLoss, CategoricalLogLoss, Loss, NormalLogLoss, SquaredError
from ..nn import per_sample_gradients
from ..template.samples import Batch

AT_ONCE = 1 << 22  # numbers of a Jacobian
ROWS = 1024  # that are differentiated at once


def curvature_roots(loss: Loss, raw: Array) -> Array:
    r"""R with R' R = the expected second derivatives of a loss by raw outputs: (n, n_outputs) to (n, m, n_outputs).

    With probabilities p they are diag(p) - p p'; of a normal distribution, whose second derivatives may be negative,
    they are the Fisher information. In R J, with J the Jacobian of the outputs by the weights, the Gauss-Newton matrix
    is (R J)' (R J).

    Raises
    ------
    ValueError
        If the loss is another.

    Examples
    --------
    >>> R = curvature_roots(CategoricalLogLoss(), np.log([[0.5, 0.25, 0.25]]))
    >>> (R[0].T @ R[0]).round(4)
    array([[ 0.25  , -0.125 , -0.125 ],
           [-0.125 ,  0.1875, -0.0625],
           [-0.125 , -0.0625,  0.1875]])
    """
    if isinstance(loss, CategoricalLogLoss):
        p = loss.predict(raw)
        root = np.sqrt(p)
        return root[:, :, None] * (np.eye(raw.shape[1]) - p[:, None, :])
    if isinstance(loss, BinaryLogLoss):
        return _diagonal(np.sqrt(loss.predict(raw) * loss.predict(-raw)))
    if isinstance(loss, NormalLogLoss):
        variance = loss.variance(raw)
        grows = np.exp(raw[:, raw.shape[1] // 2 :]) / variance
        return _diagonal(np.hstack([1.0 / np.sqrt(variance), grows / np.sqrt(2.0)]))
    if isinstance(loss, SquaredError):
        return np.broadcast_to(np.eye(raw.shape[1]), (len(raw), raw.shape[1], raw.shape[1]))
    raise ValueError(f"loss={type(loss).__name__} has no curvature here; take 'squared_error', 'normal' or a log loss")


def _diagonal(values: Array) -> Array:
    return values[:, :, None] * np.eye(values.shape[1])


class Likelihood:
    r"""How probable the targets are, as a function of the weights of a network.

    Minus its logarithm is :math:`\beta E(\theta)`, where E is the weighted sum of the losses, up to what does not
    depend on the weights. For squared errors :math:`\beta` is the precision of the noise, else it is 1.

    Parameters
    ----------
    estimator : Estimator
        Whose network it is: it says what becomes of a batch, and its target has the loss.
    network : Network or Parts
        In double precision; it is at the weights in question.
    x, y, weight
        Inputs as the network takes them, encoded targets (n, n_outputs) or class numbers (n,), and weights or None. The
        derivatives of outputs need no targets.

    Attributes
    ----------
    units : ndarray of shape (n_outputs,)
        In these squared errors are measured, so that outputs may differ in their noise; 1 at first.
    free : ndarray of int
        Which parameters of the network are not frozen.
    """

    def __init__(self, estimator: Any, network: Any, x: Any, y: Any = None, weight: Array | None = None) -> None:
        self.estimator, self.network, self.x, self.y = estimator, network, x, y
        self.loss = estimator._target.loss
        self.weight = np.ones(len(x)) if weight is None else np.asarray(weight, np.float64)
        self.units = np.ones(network.output_shape[-1])
        self.free = np.concatenate([np.arange(each.start, each.stop) for each in network.groups])

    @property
    def has_noise(self) -> bool:
        """Whether there is a constant noise beside the network."""
        return isinstance(self.loss, SquaredError)

    @property
    def n_values(self) -> float:
        """How many numbers are seen with that noise."""
        return float(self.weight.sum()) * len(self.units)

    def raw(self) -> Array:
        """Raw outputs."""
        found: Array = applied(self.estimator, self.network.function(), self.x)
        return found

    def error(self, raw: Array) -> float:
        """E."""
        return self._value_and_slopes(raw, slice(None))[0]

    def slope(self) -> tuple[float, Array]:
        """E and its gradient by the free parameters, from one pass there and back."""
        error, gradient = 0.0, np.zeros(len(self.free))
        function = self.network.function(watched=True)
        for rows in self.blocks():
            raw = applied(self.estimator, function, self.x[rows])
            value, slopes = self._value_and_slopes(raw.value, rows)
            error += value
            gradient += np.concatenate([each.ravel() for each in grad(raw, self.network.leaves, seed=slopes)])
        return error, gradient

    def _value_and_slopes(self, raw: Array, rows: slice) -> tuple[float, Array]:
        """E of some rows, and its slopes by their raw outputs."""
        weight = self.weight[rows]
        if self.has_noise:  # which is most of what a step of a chain does beside the network
            errors = (raw - self.y[rows]) / self.units
            return 0.5 * float(weight @ np.square(errors).sum(axis=1)), weight[:, None] * errors / self.units
        watched = Tensor(raw)
        losses = self.loss(watched, self.y[rows])
        return float(weight @ losses.value), grad(losses, watched, seed=weight)

    def measure_units(self) -> None:
        """Measure the errors of each output by what they are now."""
        squares = np.square(self.raw() - self.y)
        found = np.sqrt(np.average(squares, axis=0, weights=self.weight))
        self.units = np.maximum(found, 1e-12) / np.exp(np.log(np.maximum(found, 1e-12)).mean())

    def expanded(self) -> tuple[float, Array, Array]:
        """E, its gradient, and its Gauss-Newton matrix, both by the free parameters."""
        size = len(self.free)
        error, gradient, matrix = 0.0, np.zeros(size), np.zeros((size, size))
        for rows, raw, jacobian in self.jacobians():
            value, slopes = self._value_and_slopes(raw, rows)
            error += value
            gradient += slopes.ravel() @ jacobian.reshape(-1, size)
            whitened = self.whitened(raw, jacobian, rows)
            matrix += whitened.T @ whitened
        return error, gradient, matrix

    def blocks(self) -> Iterator[slice]:
        """Of rows, so that what lies between layers stays in the cache, and in memory."""
        for start in range(0, len(self.x), ROWS):
            yield slice(start, start + ROWS)

    def jacobians(self) -> Iterator[tuple[slice, Array, Array]]:
        """Those of :func:`jacobians` for all samples, by the free parameters."""
        for rows, raw, jacobian in jacobians(self.estimator, self.network, self.x):
            yield rows, raw, jacobian if len(self.free) == jacobian.shape[-1] else jacobian[..., self.free]

    def roots(self, raw: Array, rows: slice = slice(None)) -> Array:
        """R (n, m, n_outputs) of the weighted losses: see :func:`curvature_roots`."""
        found: Array = curvature_roots(self.loss, raw) / self.units * np.sqrt(self.weight[rows])[:, None, None]
        return found

    def whitened(self, raw: Array, jacobian: Array, rows: slice) -> Array:
        """R J for the rows, (m, n_free): the Gauss-Newton matrix is the sum of their products with themselves."""
        return np.matmul(self.roots(raw, rows), jacobian).reshape(-1, jacobian.shape[-1])


def jacobians(estimator: Any, network: Any, x: Any) -> Iterator[tuple[slice, Array, Array]]:
    """For blocks of samples: which, raw outputs (n, n_outputs), their derivatives by all parameters of the network."""
    size = max(1, AT_ONCE // (network.n_parameters * network.output_shape[-1]))
    for start in range(0, len(x), size):
        rows = slice(start, start + size)
        yield rows, *per_sample_gradients(lambda nets, x: applied(estimator, nets, x), network, x[rows])


def applied(estimator: Any, nets: Any, x: Any) -> Any:
    """What an estimator makes of its networks' outputs for a batch."""
    return estimator._outputs(nets, Batch(x), None)
