"""What a chain of layers that can be undone says: log-densities, and samples (a normalizing flow).

A flow is a :class:`Network` of nothing but such layers (see `sknn.nn.bijections`); here it is applied both ways.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array, Value
from ..ops.standard_normal import standard_normal
from .applied import Applied


def log_prob(flow: Applied, x: Value, condition: Any = None) -> Value:
    """The log-density of samples, in nats.

    Parameters
    ----------
    flow : Applied
        A network of layers that can be undone, as a function: ``network.function()``, or what an objective is given.
    x : array of shape (n, d)
        Samples, in the precision in which is computed.
    condition : array of shape (n, n_conditions), default=None
        What is known of each.

    Returns
    -------
    log_density : array or Tensor of shape (n,)
        ``log N(z; 0, I) + log |det dz / dx|`` of what the flow makes of them, z.
    """
    return standard_normal(flow(_begun(x), **_given(condition)))


def to_noise(flow: Applied, x: Array, condition: Any = None) -> tuple[Array, Array]:
    """What the flow makes of samples, which is standard normal if the flow has learnt it, and the log-volume gained.

    Parameters
    ----------
    flow, x, condition
        As for :func:`log_prob`.

    Returns
    -------
    z : ndarray of shape (n, d)
    log_volume : ndarray of shape (n,)
        ``log |det dz / dx|``.
    """
    state = flow(_begun(x), **_given(condition))
    return state[:, :-1], state[:, -1]


def from_noise(flow: Applied, z: Array, condition: Any = None) -> Array:
    """The samples of which the flow makes z.

    Parameters
    ----------
    flow : Applied
        As for :func:`log_prob`.
    z : ndarray of shape (n, d)
        Standard normal numbers, to draw from the density.
    condition : array of shape (n, n_conditions), default=None
        What is known of each.

    Returns
    -------
    x : ndarray of shape (n, d)
        In the precision of z.
    """
    state, context, layers = _begun(z), flow.context._replace(given=_given(condition)), list[Any](flow.layers)
    for k in reversed(range(len(layers))):
        state = layers[k].inverse(flow.parameters[str(k)], state, context)
    return state[:, :-1]


def _given(condition: Any) -> dict[str, Any]:
    return {} if condition is None else {"condition": condition}


def _begun(x: Array) -> Array:
    """Samples as states that have gained nothing yet."""
    state = np.zeros((x.shape[0], x.shape[1] + 1), x.dtype)
    state[:, :-1] = x
    return state
