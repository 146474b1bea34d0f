"""What is kept of a Gauss-Newton matrix: all of it, Kronecker factors of each layer, or its diagonal."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..autodiff.tape import Array
from ..nn import per_sample_factors
from .likelihood import Likelihood, applied


class Full:
    """All of it, by its eigenvectors.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n_free,)
        Those of a matrix G; the precision of the weights is ``beta G + alpha I``.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        _, _, matrix = likelihood.expanded()
        values, self.vectors = np.linalg.eigh(matrix)
        self.eigenvalues = np.maximum(values, 0.0)

    def covariance(self, jacobian: Array, alpha: float, beta: float) -> Array:
        """Of outputs with these derivatives (n, n_outputs, n_free): (n, n_outputs, n_outputs)."""
        along = jacobian @ self.vectors
        return np.matmul(along / (beta * self.eigenvalues + alpha), along.swapaxes(1, 2))

    def root(self, normal: Array, alpha: float, beta: float) -> Array:
        """Weights around zero with the covariance of the weights, from standard normal numbers (n_free, m)."""
        return self.vectors @ (normal / np.sqrt(beta * self.eigenvalues + alpha)[:, None])


class Diagonal:
    """Its diagonal: no weight knows of another."""

    def __init__(self, likelihood: Likelihood) -> None:
        self.eigenvalues = np.zeros(len(likelihood.free))
        for rows, raw, jacobian in likelihood.jacobians():
            self.eigenvalues += np.square(likelihood.whitened(raw, jacobian, rows)).sum(axis=0)

    def covariance(self, jacobian: Array, alpha: float, beta: float) -> Array:
        return np.matmul(jacobian / (beta * self.eigenvalues + alpha), jacobian.swapaxes(1, 2))

    def root(self, normal: Array, alpha: float, beta: float) -> Array:
        return normal / np.sqrt(beta * self.eigenvalues + alpha)[:, None]


class Block(NamedTuple):
    """The matrix of one parameter (n_in, n_out) as the Kronecker product of two, by the eigenvectors of both."""

    start: int
    stop: int
    inputs: Array
    slopes: Array


class Kronecker:
    r"""For the weights of each dense layer :math:`A \otimes B / n`, for its biases :math:`B` (Martens & Grosse 2015).

    A is the sum over samples of the products of a layer's inputs, B that of the slopes behind it, which are weighted
    with the curvature of the loss. Layers, weights and biases know nothing of each other.
    """

    def __init__(self, likelihood: Likelihood) -> None:
        names, place = likelihood.network.names, {position: k for k, position in enumerate(likelihood.free)}
        self.blocks: list[Block] = []
        self.eigenvalues = np.empty(len(place))
        for name, (inputs, slopes) in _factors(likelihood).items():
            slope_values, slope_vectors = np.linalg.eigh(slopes)
            input_values, input_vectors = np.linalg.eigh(inputs / likelihood.weight.sum())
            bias = name.removesuffix("weight") + "bias"
            for each, vectors, along in ((name, input_vectors, input_values), (bias, np.ones((1, 1)), np.ones(1))):
                if each in names and names[each].start in place:
                    start = place[names[each].start]
                    stop = start + len(along) * len(slope_values)
                    self.eigenvalues[start:stop] = np.maximum(np.outer(along, slope_values), 0.0).ravel()
                    self.blocks.append(Block(start, stop, vectors, slope_vectors))

    def covariance(self, jacobian: Array, alpha: float, beta: float) -> Array:
        along = np.empty_like(jacobian)
        for start, stop, inputs, slopes in self.blocks:
            part = jacobian[..., start:stop].reshape(*jacobian.shape[:2], len(inputs), len(slopes))
            along[..., start:stop] = (inputs.T @ part @ slopes).reshape(*jacobian.shape[:2], -1)
        return np.matmul(along / (beta * self.eigenvalues + alpha), along.swapaxes(1, 2))

    def root(self, normal: Array, alpha: float, beta: float) -> Array:
        scaled, found = normal / np.sqrt(beta * self.eigenvalues + alpha)[:, None], np.empty_like(normal)
        for start, stop, inputs, slopes in self.blocks:
            part = scaled[start:stop].T.reshape(-1, len(inputs), len(slopes))
            found[start:stop] = (inputs @ part @ slopes.T).reshape(len(part), -1).T
        return found


def _factors(likelihood: Likelihood) -> dict[str, tuple[Array, Array]]:
    """Of each dense layer, by the name of its weights: the sums of products of inputs, and of weighted slopes."""
    sums: dict[str, tuple[Array, Array]] = {}
    for rows in likelihood.blocks():
        raw, factors = per_sample_factors(
            lambda nets, x: applied(likelihood.estimator, nets, x), likelihood.network, likelihood.x[rows]
        )
        roots, weight = likelihood.roots(raw, rows), likelihood.weight[rows]
        for name, (inputs, slopes) in factors.items():
            whitened = np.einsum("nmk,kno->nmo", roots, slopes).reshape(-1, slopes.shape[-1])
            products = (inputs.T * weight) @ inputs, whitened.T @ whitened
            sums[name] = tuple(map(np.add, sums[name], products)) if name in sums else products  # type: ignore[assignment]
    return sums


STRUCTURES: dict[str, Any] = {"full": Full, "last_layer": Full, "kronecker": Kronecker, "diagonal": Diagonal}
