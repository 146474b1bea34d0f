"""The delta rule: a linear neuron learns from its error on one sample after the other.

For sample i with inputs x_i (a last 1 for the bias), target y_i and step length eta_i

.. math:: e_i = y_i - x_i w, \\qquad w \\leftarrow w + \\eta_i x_i^\\top e_i

(Widrow & Hoff 1960). The rule is sequential, but within a block of samples it is a triangular system: later errors
follow from earlier ones through the inner products of the samples,

.. math:: e_i + \\sum_{j < i} \\eta_j (x_i \\cdot x_j)\\, e_j = y_i - x_i w_0,

so a block costs one matrix product and one forward substitution, and gives the weights of the loop to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.sparse import issparse

from ..autodiff.tape import Array

BLOCK = 64  # samples whose errors are found together


def delta_rule_epoch(X: Any, y: Array, step: Array, weights: Array, bias: Array | None, order: Array) -> Array:
    """Visit the samples in this order and learn from each.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, n_features)
    y : ndarray of shape (n, n_outputs)
    step : ndarray of shape (n,), the step length of each sample
    weights, bias : ndarray of shape (n_features, n_outputs) and (n_outputs,), changed in place; bias may be None
    order : ndarray of int

    Returns
    -------
    ndarray of shape (len(order), n_outputs)
        The error on each visited sample, before learning from it.
    """
    errors = np.empty((len(order), y.shape[1]))
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        rows = X[block]
        products = (rows @ rows.T).toarray() if issparse(rows) else rows @ rows.T
        error = y[block] - rows @ weights
        if bias is not None:
            products = products + 1.0
            error -= bias
        error = solve_triangular(products * step[block], error, lower=True, unit_diagonal=True, check_finite=False)
        moved = step[block, None] * error
        weights += rows.T @ moved
        if bias is not None:
            bias += moved.sum(axis=0)
        errors[start : start + BLOCK] = error
    return errors
