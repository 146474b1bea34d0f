"""What two adversaries minimise: a critic that tells real rows from generated ones, a generator that is to pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...autodiff import Tensor, grad
from ...autodiff import primitives as F
from ...autodiff.tape import Array, Value
from ...nn import Draws
from ...ops.loss import margin_loss, sigmoid_cross_entropy

Critic = Callable[[Value], Value]  # rows to scores (n, 1)


def squared_slope(critic: Critic, x: Array) -> tuple[Value, Value]:
    """The scores of rows x, and for each the sum of its squared derivatives with respect to all that the row holds.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 0.0]])
    >>> scores, slope = squared_slope(lambda rows: F.sum(rows**2, axis=1, keepdims=True), x)
    >>> slope.value
    array([20., 36.])
    """
    rows = Tensor(x)
    scores = critic(rows)
    slope = grad(scores, rows, seed=np.ones(scores.shape, x.dtype), create_graph=True)
    return scores, F.sum(F.square(slope), axis=tuple(range(1, x.ndim)))


class Adversaries:
    """What each of the two minimises, and how the slope of the critic is held down.

    Attributes
    ----------
    is_bounded : bool
        Whether the critic's loss is 0 where it tells all generated rows from real ones.
    """

    is_bounded = True

    def critic(self, real: Value, fake: Value) -> Value:
        """One value for each row, from the scores of as many real and generated ones (n, 1)."""
        raise TypeError(f"{type(self).__name__} has no critic")

    def generator(self, fake: Value) -> Value:
        """One value for each generated row, from its score."""
        return -F.sum(fake, axis=1)

    def criticism(self, critic: Critic, real: Array, fake: Array, penalty: float, draws: Draws) -> dict[str, Any]:
        r"""What the critic minimises, by terms: its loss, and R1, half the squared slope of its scores at real rows,

        .. math:: \frac{1}{2} \lVert \nabla_x C(x) \rVert^2,

        which is to vanish where the generator is perfect (Mescheder, Geiger, Nowozin 2018).
        """
        if not penalty:
            return {"critic_loss": self.critic(critic(real), critic(fake))}
        scores, slope = squared_slope(critic, real)
        return {"critic_loss": self.critic(scores, critic(fake)), "penalty": (penalty, 0.5 * slope)}


class NonSaturating(Adversaries):
    r"""The first of them (Goodfellow et al. 2014): scores are log-odds of being real,

    .. math:: \log(1 + e^{-C(x)}) + \log(1 + e^{C(G(z))}), \qquad \log(1 + e^{-C(G(z))}).

    The best critic of densities p and q has C = log p / q, and a loss of 2 log 2 - 2 JSD(p, q).
    """

    def critic(self, real: Value, fake: Value) -> Value:
        return sigmoid_cross_entropy(real, 1.0) + sigmoid_cross_entropy(fake, 0.0)

    def generator(self, fake: Value) -> Value:
        return sigmoid_cross_entropy(fake, 1.0)


class Hinge(Adversaries):
    r"""Margins (Lim & Ye 2017): :math:`\max(0, 1 - C(x)) + \max(0, 1 + C(G(z)))` and :math:`-C(G(z))`."""

    def critic(self, real: Value, fake: Value) -> Value:
        return margin_loss(real, 1.0) + margin_loss(fake, 0.0)


class Wasserstein(Adversaries):
    r"""The distance that the critic finds (Arjovsky, Chintala, Bottou 2017): :math:`C(G(z)) - C(x)` and
    :math:`-C(G(z))`, for critics whose slope is 1 at most.
    """

    is_bounded = False

    def critic(self, real: Value, fake: Value) -> Value:
        return F.sum(fake - real, axis=1)

    def criticism(self, critic: Critic, real: Array, fake: Array, penalty: float, draws: Draws) -> dict[str, Any]:
        r"""What the critic minimises, by terms: its loss, and how far its slope is from 1 between real and generated
        rows,

        .. math:: (\lVert \nabla_x C(x) \rVert - 1)^2

        (Gulrajani et al. 2017).
        """
        terms: dict[str, Any] = {"critic_loss": self.critic(critic(real), critic(fake))}
        if penalty:
            share = draws.uniform((len(real), *[1] * (real.ndim - 1)))
            _, slope = squared_slope(critic, fake + share * (real - fake))
            terms["penalty"] = (penalty, F.square(F.sqrt(slope + 1e-12) - 1.0))
        return terms


ADVERSARIES: dict[str, Adversaries] = {
    "non_saturating": NonSaturating(),
    "wasserstein": Wasserstein(),
    "hinge": Hinge(),
}
