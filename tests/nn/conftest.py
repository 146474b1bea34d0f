"""The check that all tests of networks share: is the gradient right with respect to every parameter?"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknn.nn import Network, value_and_grad


def _check_parameters(objective: Callable, networks: Sequence[Network], *batch: Any, eps: float = 1e-3) -> None:
    """Compare value_and_grad with the slope of the objective along random directions in the space of all parameters.

    The slope is the central difference of fourth order, (8 (F(e) - F(-e)) - (F(2e) - F(-2e))) / 12e.
    """
    gradient = np.concatenate(value_and_grad(objective, networks, *batch)[1])
    start = [network.theta.copy() for network in networks]
    ends = np.cumsum([theta.size for theta in start])[:-1]

    def at(step: np.ndarray) -> float:
        for network, theta, part in zip(networks, start, np.split(step, ends), strict=True):
            network.theta[:] = theta + part
        return value_and_grad(objective, networks, *batch)[0]

    for direction in np.random.default_rng(0).standard_normal((4, gradient.size)):
        e = eps * direction / np.linalg.norm(direction)
        slope = (8 * (at(e) - at(-e)) - (at(2 * e) - at(-2 * e))) / (12 * eps)
        assert_allclose(gradient @ e / eps, slope, rtol=1e-6)
    at(np.zeros_like(gradient))


@pytest.fixture
def check_parameters() -> Callable:
    return _check_parameters
