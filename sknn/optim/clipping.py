"""A gradient that is too long is shortened before any optimizer sees it."""

import math

import numpy as np

from .groups import BLOCK, Vector


def clip_norm(grad: Vector, max_norm: float) -> float:
    r"""Shorten a gradient that is too long, in place: :math:`g \leftarrow g \min(1, c / \lVert g \rVert_2)`.

    The norm is accumulated in float64 in units of the largest component, so that nothing overflows.

    Parameters
    ----------
    grad : ndarray of shape (n_parameters,)
        The gradient. One that holds nan or inf has no direction to keep and is left alone.
    max_norm : float > 0
        The length :math:`c` beyond which it is shortened.

    Returns
    -------
    norm : float
        The Euclidean norm before clipping; not finite if the gradient is not.

    Raises
    ------
    ValueError
        If max_norm is not positive.

    References
    ----------
    Pascanu, Mikolov, Bengio (2013). On the difficulty of training recurrent neural networks. ICML. arXiv:1211.5063.

    Examples
    --------
    >>> grad = np.array([3.0, 4.0])
    >>> clip_norm(grad, max_norm=1.0)
    5.0
    >>> grad
    array([0.6, 0.8])
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive; got {max_norm!r}")
    largest = float(max(grad.max(initial=0), -grad.min(initial=0)))
    if largest == 0 or not math.isfinite(largest):
        return largest
    length = math.sqrt(sum(_sum_of_squares(grad[k : k + BLOCK], largest) for k in range(0, grad.size, BLOCK)))
    norm = largest * length
    if norm > max_norm:
        # In two factors: max_norm / norm alone may be too small for float32.
        grad /= largest
        grad *= float(max_norm) / length
    return norm


def _sum_of_squares(block: Vector, unit: float) -> float:
    scaled = np.divide(block, unit, dtype=np.float64)
    return float(np.multiply(scaled, scaled, out=scaled).sum())
