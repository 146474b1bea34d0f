"""Optimizers that walk down a gradient one mini-batch at a time, in order of increasing complexity."""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..description import flag, number
from ..ops._kernels import native
from .groups import Vector
from .optimizer import Optimizer

USUAL_DECAY = 0.01  # per step and unit of learning rate, where nobody says how much; PyTorch's too


@dataclass(frozen=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum.

    .. math::
        u &\leftarrow \mu u - \eta g \\
        \theta &\leftarrow \theta + u
        \qquad\text{or, with Nesterov's look-ahead,}\qquad
        \theta \leftarrow \theta + \mu u - \eta g

    for the learning rate :math:`\eta`, as scikit-learn does.

    Parameters
    ----------
    momentum : float in [0, 1], default=0.9
        The share :math:`\mu` of the velocity that survives a step. 0: plain gradient descent, without a state.
    nesterov : bool, default=True
        Whether to look ahead along the velocity.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton (2013). On the importance of initialization and momentum in deep learning. ICML.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> descent = SGD(momentum=0.5, nesterov=False).start(theta)
    >>> for _ in range(20):
    ...     descent.step(theta, grad=2 * theta, learning_rate=0.25)
    >>> theta.round(2)
    array([-0.,  0.])
    """

    momentum: float = number("[0, 1]", default=0.9)
    nesterov: bool = flag(default=True)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def update(
        self,
        learning_rate: float,
        steps: int,
        theta: Vector,
        grad: Vector,
        scratch: Vector,
        velocity: Vector | None = None,
    ) -> None:
        grad *= learning_rate
        if velocity is None:
            theta -= grad
            return
        velocity *= self.momentum
        velocity -= grad
        if self.nesterov:
            theta -= grad
            np.multiply(velocity, self.momentum, out=scratch)
            theta += scratch
        else:
            theta += velocity

    def fused(
        self,
        learning_rate: float,
        steps: int,
        theta: Vector,
        grad: Vector,
        decaying: int,
        l2: float,
        average: Vector | None,
        share: float,
        threads: int,
        velocity: Vector | None = None,
    ) -> None:
        mu, nesterov = self.momentum, self.nesterov
        native.sgd(theta, grad, velocity, decaying, mu, nesterov, learning_rate, l2, average, share, threads)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    r"""Gradient descent in units of the recent size of each component of the gradient.

    .. math::
        v &\leftarrow \rho v + (1 - \rho) g^2 \\
        \theta &\leftarrow \theta - \eta \, g / (\sqrt v + \epsilon)

    The slot holds the unnormalised sum :math:`v / (1 - \rho)`; see `Adam` for why.

    Parameters
    ----------
    decay : float in [0, 1), default=0.9
        The share :math:`\rho` of the mean square that survives a step.
    epsilon : float > 0, default=1e-8
        Keeps the quotient finite.

    References
    ----------
    Tieleman, Hinton (2012). Lecture 6.5 - RMSprop: divide the gradient by a running average of its recent magnitude.
    Neural Networks for Machine Learning, Coursera.

    Examples
    --------
    The first step is as long for a large component of the gradient as for a small one:

    >>> theta = np.array([1.0, 1.0])
    >>> RMSprop(decay=0.75).start(theta).step(theta, grad=np.array([1e3, 1e-3]), learning_rate=0.25)
    >>> theta.round(3)
    array([0.5, 0.5])
    """

    decay: float = number("[0, 1)", default=0.9)
    epsilon: float = number("(0, inf)", default=1e-8)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("v",)

    def update(self, learning_rate: float, steps: int, theta: Vector, grad: Vector, scratch: Vector, v: Vector) -> None:
        unit = math.sqrt(1 - self.decay)
        v *= self.decay
        np.multiply(grad, grad, out=scratch)
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon / unit
        grad /= scratch
        grad *= learning_rate / unit
        theta -= grad

    def fused(
        self,
        learning_rate: float,
        steps: int,
        theta: Vector,
        grad: Vector,
        decaying: int,
        l2: float,
        average: Vector | None,
        share: float,
        threads: int,
        v: Vector,
    ) -> None:
        unit = math.sqrt(1 - self.decay)
        epsilon, step = self.epsilon / unit, learning_rate / unit
        native.rmsprop(theta, grad, v, decaying, self.decay, epsilon, step, l2, average, share, threads)


@dataclass(frozen=True)
class Adam(Optimizer):
    r"""RMSprop with momentum, both corrected for having started at zero.

    .. math::
        m &\leftarrow \beta_1 m + (1 - \beta_1) g \\
        v &\leftarrow \beta_2 v + (1 - \beta_2) g^2 \\
        \theta &\leftarrow \theta
            - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \, \frac{m}{\sqrt v + \epsilon}

    in step :math:`t = 1, 2, \dots`, as scikit-learn does: epsilon is added before the correction of :math:`v` (end of
    section 2 of the paper), not after it.

    The slots hold the unnormalised sums :math:`m / (1 - \beta_1)` and :math:`v / (1 - \beta_2)`. Everything that
    distinguishes them from the moments is one number for the whole vector, and goes into the step size and epsilon: ten
    passes over the memory instead of a dozen.

    Parameters
    ----------
    beta_1 : float in [0, 1), default=0.9
        The share of the first moment that survives a step.
    beta_2 : float in [0, 1), default=0.999
        The share of the second moment that survives a step.
    epsilon : float > 0, default=1e-8
        Keeps the quotient finite.

    References
    ----------
    Kingma, Ba (2015). Adam: A method for stochastic optimization. ICLR. arXiv:1412.6980.

    Examples
    --------
    >>> theta = np.array([1.0, -2.0])
    >>> descent = Adam().start(theta)
    >>> for _ in range(3):
    ...     descent.step(theta, grad=np.array([1.0, -1000.0]), learning_rate=0.1)
    >>> theta.round(3)
    array([ 0.7, -1.7])
    >>> descent.steps, sorted(descent.slots)
    (3, ['m', 'v'])
    """

    beta_1: float = number("[0, 1)", default=0.9)
    beta_2: float = number("[0, 1)", default=0.999)
    epsilon: float = number("(0, inf)", default=1e-8)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return "m", "v"

    def update(
        self, learning_rate: float, steps: int, theta: Vector, grad: Vector, scratch: Vector, m: Vector, v: Vector
    ) -> None:
        mean_weight = (1 - self.beta_1) / (1 - self.beta_1**steps)
        m *= self.beta_1
        m += grad
        v *= self.beta_2
        grad *= grad
        v += grad
        # The gradient is spent: its memory takes the step.
        np.sqrt(v, out=grad)
        grad += self.epsilon / self._epsilon_unit(steps)
        np.divide(m, grad, out=grad)
        grad *= learning_rate * mean_weight / self._root_weight(steps)
        theta -= grad

    def fused(
        self,
        learning_rate: float,
        steps: int,
        theta: Vector,
        grad: Vector,
        decaying: int,
        l2: float,
        average: Vector | None,
        share: float,
        threads: int,
        m: Vector,
        v: Vector,
    ) -> None:
        step = learning_rate * (1 - self.beta_1) / (1 - self.beta_1**steps) / self._root_weight(steps)
        epsilon, shrink = self.epsilon / self._epsilon_unit(steps), self._shrink(learning_rate)
        numbers = self.beta_1, self.beta_2, epsilon, step, l2, shrink
        native.adam(theta, grad, m, v, decaying, *numbers, average, share, threads)

    def _shrink(self, learning_rate: float) -> float:
        """The factor by which weights decay in a step, apart from the gradient."""
        return 1.0

    def _root_weight(self, steps: int) -> float:
        """The factor that turns the root of the slot v into the bias-corrected root mean square of the gradient."""
        return math.sqrt((1 - self.beta_2) / (1 - self.beta_2**steps))

    def _epsilon_unit(self, steps: int) -> float:
        """What the root of the slot v is multiplied by where epsilon is added: not yet the bias correction."""
        return math.sqrt(1 - self.beta_2)


@dataclass(frozen=True)
class AdamW(Adam):
    r"""Adam with weight decay apart from the gradient, so that it is not divided by the gradient's size.

    .. math::
        \theta \leftarrow \theta - \eta \lambda \theta
            - \eta \frac{\hat m}{\sqrt{\hat v} + \epsilon}, \qquad
        \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t}

    with :math:`m` and :math:`v` as in `Adam`, and epsilon where algorithm 2 of the paper has it. Only what a group lets
    decay does. The L2 penalty of ``step`` goes into the gradient as everywhere.

    Parameters
    ----------
    beta_1, beta_2, epsilon : float
        As in `Adam`.
    weight_decay : float >= 0 or None, default=None
        The decay :math:`\lambda` of a weight per step and unit of learning rate. None: 0.01; as the solver of an
        estimator, its alpha.

    References
    ----------
    Loshchilov, Hutter (2019). Decoupled weight decay regularization. ICLR. arXiv:1711.05101.

    Examples
    --------
    Where the gradient is zero, only the decay is left, and only in the decaying part of the group:

    >>> theta = np.array([1.0, 1.0])
    >>> AdamW(weight_decay=0.5).start(theta, groups=[(0, 1, 2, 1.0)]).step(theta, np.zeros(2), learning_rate=0.1)
    >>> theta
    array([0.95, 1.  ])
    """

    weight_decay: float | None = number("[0, inf)", default=None)

    @property
    def has_own_decay(self) -> bool:
        return self.weight_decay is not None

    def penalised(self, alpha: float) -> tuple[Self, float]:
        return self if self.has_own_decay else replace(self, weight_decay=alpha), 0.0

    def decay_weights(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, l2: float) -> None:
        super().decay_weights(learning_rate, theta, grad, scratch, l2)
        theta *= self._shrink(learning_rate)

    fused = Adam.fused  # not inherited: an `update` that is overridden is another step

    def _shrink(self, learning_rate: float) -> float:
        return 1 - learning_rate * (USUAL_DECAY if self.weight_decay is None else self.weight_decay)

    def _epsilon_unit(self, steps: int) -> float:
        return self._root_weight(steps)
