"""Optimizers on one flat parameter vector, in order of increasing complexity.

``SGD``, ``RMSprop``, ``Adam`` and ``AdamW`` walk down a gradient one mini-batch at a time; ``minimize_lbfgs`` minimises
a deterministic function; ``clip_norm`` tames a gradient before any of them sees it. None knows what a layer is.

A new optimizer is a subclass of `Optimizer` that says three things: its hyper-parameters, the state vectors it keeps
(``slot_names``) and how one block of the vector moves (``update``).
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field, fields
from functools import cached_property
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, minimize

from .ops._kernels import native

Vector = npt.NDArray[np.floating[Any]]

# Elements per block: the slices that one update reads and writes stay in the cache, so a long vector crosses the memory
# bus once a step and not once an operation; and each NumPy call is long enough for two threads not to get in each
# other's way (smaller blocks gain nothing from a second thread).
BLOCK = 131_072
FUSED_BLOCK = 1 << 15  # elements from which on a compiled step is shared by threads

# Attributes of an optimizer that no copy takes along.
_REBUILT_LAZILY = ("_shares", "_pool", "_fused_groups")


class Group(NamedTuple):
    """The trainable stretch ``theta[start:stop]``; its first part ``theta[start:decay_stop]`` decays."""

    start: int
    decay_stop: int
    stop: int
    rate: float


class Block(NamedTuple):
    """A piece of the vector with its slots, views into those of the whole."""

    group: Group
    slots: dict[str, Vector]


class Share(NamedTuple):
    """What one thread does in a step: its blocks, and the scratch that no other thread touches."""

    blocks: list[Block]
    scratch: Vector


def number(interval: str, *, default: float) -> float:
    """A hyper-parameter in an interval written as mathematicians do, like ``"[0, 1)"``."""
    return field(default=default, metadata={"interval": interval})


@dataclass(eq=False)
class Optimizer:
    """What all optimizers share: groups, blocks, threads, state vectors and the L2 penalty.

    Attributes
    ----------
    slots : dict of str to ndarray
        State vectors as long as ``theta``, by name. Write into them (and set ``steps``) to resume from a checkpoint.
    steps : int
        Steps taken since ``start``.

    Examples
    --------
    A whole optimizer, one that only looks at the sign of the gradient:

    >>> class SignDescent(Optimizer):
    ...     def update(self, learning_rate, theta, grad, scratch):
    ...         np.sign(grad, out=grad)
    ...         grad *= learning_rate
    ...         theta -= grad
    >>> theta = np.array([1.0, -2.0])
    >>> SignDescent().start(theta).step(theta, np.array([0.3, -7.0]), learning_rate=0.25)
    >>> theta
    array([ 0.75, -1.75])
    """

    def __post_init__(self) -> None:
        for hyper_parameter in fields(self):
            if interval := hyper_parameter.metadata.get("interval"):
                name = hyper_parameter.name
                setattr(self, name, _checked_number(name, getattr(self, name), interval))
        self.slots: dict[str, Vector] = {}
        self.steps = 0
        self._layout: tuple[tuple[int, ...], np.dtype[Any]] | None = None

    @property
    def slot_names(self) -> tuple[str, ...]:
        """Names of the state vectors, which are also the names of the last arguments of ``update``."""
        return ()

    def start(
        self, theta: Vector, groups: Sequence[tuple[int, int, int, float]] | None = None, workers: int = 1
    ) -> Self:
        """Allocate the state for a vector and forget all earlier steps.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,), floating
            The vector to be optimized; only its length and dtype are remembered.
        groups : sequence of (start, decay_stop, stop, rate), default=None
            Trainable stretches ``theta[start:stop]``: ``theta[start:decay_stop]`` is subject to weight decay, and
            ``rate`` multiplies the learning rate. What no group covers is frozen. None: everything is trained and
            decays, at rate 1.
        workers : int, default=1
            Threads that share one step when the vector is long. Results do not depend on it by a single bit.

        Returns
        -------
        self : Optimizer

        Raises
        ------
        ValueError
            If theta is no floating vector, groups overlap or leave the vector, or workers is not positive.
        """
        if theta.ndim != 1 or theta.dtype.kind != "f":
            raise ValueError(
                f"theta must be a floating array of shape (n_parameters,); got shape {theta.shape}, dtype {theta.dtype}"
            )
        if workers < 1:
            raise ValueError(f"workers must be at least 1; got {workers!r}")
        if groups is None:
            groups = [(0, theta.size, theta.size, 1.0)]
        self.slots = {name: np.zeros_like(theta) for name in self.slot_names}
        self.steps = 0
        self._layout = theta.shape, theta.dtype
        self._groups = _checked_groups(groups, theta.size)
        self._blocks = [block for group in self._groups for block in _cut(group)]
        self._workers = workers
        self._forget_threads()
        return self

    def step(self, theta: Vector, grad: Vector, learning_rate: float, l2: float = 0.0) -> None:
        """Move theta one step, in place.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            The vector to be optimized, of the length and dtype given to ``start``.
        grad : ndarray of shape (n_parameters,)
            The gradient at theta. It serves as scratch: its values are lost.
        learning_rate : float
            Step size of this step.
        l2 : float, default=0.0
            Coefficient of the L2 penalty: ``l2 * theta`` is added to the gradient where theta decays.

        Raises
        ------
        ValueError
            If theta or grad is not like the vector given to ``start``.
        """
        if (theta.shape, theta.dtype) != self._layout or (grad.shape, grad.dtype) != self._layout:
            raise ValueError(self._mismatch(theta, grad))
        # Python floats: a NumPy float64 scalar would make float32 arithmetic run, and round, in float64.
        learning_rate, l2 = float(learning_rate), float(l2)
        self.steps += 1
        if self._fused_groups and theta.flags.c_contiguous and grad.flags.c_contiguous:
            self._work_fused(theta, grad, learning_rate, l2)
        elif len(self._shares) == 1:
            self._work(self._shares[0], theta, grad, learning_rate, l2)
        else:
            self._work_together(theta, grad, learning_rate, l2)

    def decay_weights(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, l2: float) -> None:
        """Let the decaying part of one block decay, before its ``update``: ``grad += l2 * theta``."""
        if l2:
            np.multiply(theta, l2, out=scratch)
            grad += scratch

    def update(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, *_: Any, **slots: Any) -> None:
        """Move one block of theta in place, and its slots; grad and scratch are free to be overwritten.

        Subclasses write ``slots`` out as arguments, by name. Several threads call this at the same time for different
        blocks: it must not change attributes.
        """
        raise TypeError(f"{type(self).__name__} defines no update")

    def fused(
        self, learning_rate: float, theta: Vector, grad: Vector, decaying: int, l2: float, *_: Any, **slots: Any
    ) -> None:
        """Move one group in a single compiled pass; of its parameters, the first ones decay, `decaying` in number.

        Optional, and not inherited: an ``update`` that is overridden is another step.
        """
        raise TypeError(f"{type(self).__name__} defines no fused")

    def _work_fused(self, theta: Vector, grad: Vector, learning_rate: float, l2: float) -> None:
        for (start, decay_stop, stop, rate), slots in self._fused_groups:
            self.fused(rate * learning_rate, theta[start:stop], grad[start:stop], decay_stop - start, l2, **slots)

    @cached_property
    def _fused_groups(self) -> list[Block]:
        """The groups as they are, without blocks, if compiled kernels work on them; else none."""
        assert self._layout is not None
        if native is None or "fused" not in vars(type(self)) or self._layout[1] not in (np.float32, np.float64):
            return []
        return [self._with_slots(group) for group in self._groups]

    def _with_slots(self, group: Group) -> Block:
        return Block(group, {name: slot[group.start : group.stop] for name, slot in self.slots.items()})

    def _threads(self, size: int) -> int:
        return self._workers if size >= FUSED_BLOCK else 1

    def _work(self, share: Share, theta: Vector, grad: Vector, learning_rate: float, l2: float) -> None:
        """Decay and update the blocks of one share, one after the other."""
        for (start, decay_stop, stop, rate), slots in share.blocks:
            rate *= learning_rate
            if start < decay_stop:
                scratch = share.scratch[: decay_stop - start]
                self.decay_weights(rate, theta[start:decay_stop], grad[start:decay_stop], scratch, l2)
            self.update(rate, theta[start:stop], grad[start:stop], share.scratch[: stop - start], **slots)

    def _work_together(self, *arguments: Any) -> None:
        """Work through all shares at once: the calling thread takes the first one, the pool the others."""
        mine, *others = self._shares
        # Each in a copy of the caller's context, so that np.errstate holds in every thread.
        tasks = [self._pool.submit(copy_context().run, self._work, share, *arguments) for share in others]
        try:
            self._work(mine, *arguments)
        finally:
            wait(tasks)
        for task in tasks:
            task.result()

    @cached_property
    def _shares(self) -> list[Share]:
        """The blocks dealt out to as many threads as have a full block to do."""
        n_trained = sum(block.stop - block.start for block in self._blocks)
        n_shares = max(1, min(self._workers, math.ceil(n_trained / BLOCK)))
        n_scratch = max((block.stop - block.start for block in self._blocks), default=0)
        assert self._layout is not None
        dtype = self._layout[1]
        blocks = [self._with_slots(block) for block in self._blocks]
        return [Share(blocks[k::n_shares], np.empty(n_scratch, dtype)) for k in range(n_shares)]

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(self._shares) - 1, thread_name_prefix="sknn-optim")

    def _forget_threads(self) -> None:
        """Drop the pool and the scratch; the next step builds them anew."""
        for name in _REBUILT_LAZILY:
            vars(self).pop(name, None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in _REBUILT_LAZILY}

    def _mismatch(self, theta: Vector, grad: Vector) -> str:
        if self._layout is None:
            return f"call start(theta) before the first step of {self!r}"
        shape, dtype = self._layout
        return (
            f"theta and grad must have the shape {shape} and dtype {dtype} given to start; got theta of shape "
            f"{theta.shape}, dtype {theta.dtype} and grad of shape {grad.shape}, dtype {grad.dtype}"
        )


def _checked_number(name: str, value: Any, interval: str) -> float:
    """The value as a Python float, or an error if it is not in the interval."""
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = operator.ge if interval.startswith("[") else operator.gt
    below = operator.le if interval.endswith("]") else operator.lt
    if not (isinstance(value, Real) and above(value, low) and below(value, high)):
        raise ValueError(f"{name} must be a number in {interval}; got {value!r}")
    return float(value)


def _checked_groups(groups: Sequence[tuple[int, int, int, float]], size: int) -> list[Group]:
    """The groups in order of position, or an error if they overlap or leave the vector."""
    ordered = sorted(Group(*group) for group in groups)
    covered = 0
    for group in ordered:
        if not covered <= group.start <= group.decay_stop <= group.stop <= size:
            raise ValueError(
                f"groups must be (start, decay_stop, stop, rate) with start <= decay_stop <= stop, "
                f"without overlap and within a vector of {size}; got {group} after {covered} covered elements"
            )
        if not 0 <= group.rate < math.inf:
            raise ValueError(f"the rate of a group must be finite and not negative; got {group}")
        covered = group.stop
    return ordered


def _cut(group: Group) -> Iterator[Group]:
    """Cut a group into pieces of at most BLOCK elements."""
    for start in range(group.start, group.stop, BLOCK):
        stop = min(start + BLOCK, group.stop)
        yield Group(start, min(group.decay_stop, stop), stop, float(group.rate))


@dataclass(eq=False)
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
    >>> optimizer = SGD(momentum=0.5, nesterov=False).start(theta)
    >>> for _ in range(20):
    ...     optimizer.step(theta, grad=2 * theta, learning_rate=0.25)
    >>> theta.round(2)
    array([-0.,  0.])
    """

    momentum: float = number("[0, 1]", default=0.9)
    nesterov: bool = True

    @property
    def slot_names(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def update(
        self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, velocity: Vector | None = None
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
        theta: Vector,
        grad: Vector,
        decaying: int,
        l2: float,
        velocity: Vector | None = None,
    ) -> None:
        numbers = (decaying, self.momentum, self.nesterov, learning_rate, l2)
        native.sgd(theta, grad, velocity, *numbers, self._threads(theta.size))


@dataclass(eq=False)
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

    def update(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, v: Vector) -> None:
        unit = math.sqrt(1 - self.decay)
        v *= self.decay
        np.multiply(grad, grad, out=scratch)
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += self.epsilon / unit
        grad /= scratch
        grad *= learning_rate / unit
        theta -= grad

    def fused(self, learning_rate: float, theta: Vector, grad: Vector, decaying: int, l2: float, v: Vector) -> None:
        unit = math.sqrt(1 - self.decay)
        numbers = (decaying, self.decay, self.epsilon / unit, learning_rate / unit, l2)
        native.rmsprop(theta, grad, v, *numbers, self._threads(theta.size))


@dataclass(eq=False)
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
    >>> optimizer = Adam().start(theta)
    >>> for _ in range(3):
    ...     optimizer.step(theta, grad=np.array([1.0, -1000.0]), learning_rate=0.1)
    >>> theta.round(3)
    array([ 0.7, -1.7])
    >>> optimizer.steps, sorted(optimizer.slots)
    (3, ['m', 'v'])
    """

    beta_1: float = number("[0, 1)", default=0.9)
    beta_2: float = number("[0, 1)", default=0.999)
    epsilon: float = number("(0, inf)", default=1e-8)

    @property
    def slot_names(self) -> tuple[str, ...]:
        return "m", "v"

    def update(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, m: Vector, v: Vector) -> None:
        mean_weight = (1 - self.beta_1) / (1 - self.beta_1**self.steps)
        m *= self.beta_1
        m += grad
        v *= self.beta_2
        grad *= grad
        v += grad
        # The gradient is spent: its memory takes the step.
        np.sqrt(v, out=grad)
        grad += self.epsilon / self._epsilon_unit()
        np.divide(m, grad, out=grad)
        grad *= learning_rate * mean_weight / self._root_weight()
        theta -= grad

    def fused(
        self, learning_rate: float, theta: Vector, grad: Vector, decaying: int, l2: float, m: Vector, v: Vector
    ) -> None:
        self._fused(learning_rate, theta, grad, decaying, l2, 1.0, m, v)

    def _fused(
        self,
        learning_rate: float,
        theta: Vector,
        grad: Vector,
        decaying: int,
        l2: float,
        shrink: float,
        m: Vector,
        v: Vector,
    ) -> None:
        step = learning_rate * (1 - self.beta_1) / (1 - self.beta_1**self.steps) / self._root_weight()
        epsilon = self.epsilon / self._epsilon_unit()
        numbers = (decaying, self.beta_1, self.beta_2, epsilon, step, l2, shrink)
        native.adam(theta, grad, m, v, *numbers, self._threads(theta.size))

    def _root_weight(self) -> float:
        """The factor that turns the root of the slot v into the bias-corrected root mean square of the gradient."""
        return math.sqrt((1 - self.beta_2) / (1 - self.beta_2**self.steps))

    def _epsilon_unit(self) -> float:
        """What the root of the slot v is multiplied by where epsilon is added: not yet the bias correction."""
        return math.sqrt(1 - self.beta_2)


@dataclass(eq=False)
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
    weight_decay : float >= 0, default=0.01
        The decay :math:`\lambda` of a weight per step and unit of learning rate.

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

    weight_decay: float = number("[0, inf)", default=0.01)

    def decay_weights(self, learning_rate: float, theta: Vector, grad: Vector, scratch: Vector, l2: float) -> None:
        super().decay_weights(learning_rate, theta, grad, scratch, l2)
        theta *= 1 - learning_rate * self.weight_decay

    def fused(
        self, learning_rate: float, theta: Vector, grad: Vector, decaying: int, l2: float, m: Vector, v: Vector
    ) -> None:
        self._fused(learning_rate, theta, grad, decaying, l2, 1 - learning_rate * self.weight_decay, m, v)

    def _epsilon_unit(self) -> float:
        return self._root_weight()


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam, "adamw": AdamW}


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


@dataclass(frozen=True)
class Minimum:
    """Where `minimize_lbfgs` stopped.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,), float64
        The best vector found.
    value : float
        The function there.
    n_iter : int
        Iterations done.
    converged : bool
        Whether a tolerance was met, and not a limit.
    message : str
        Why it stopped, in SciPy's words.
    """

    theta: npt.NDArray[np.float64]
    value: float
    n_iter: int
    converged: bool
    message: str


# SciPy's own criterion: the search is over when a step gains less than this share of the value.
SCIPY_FTOL = 2.220446049250313e-09
EPS = float(np.finfo(np.float64).eps)  # no gain can be told from rounding below a few of these


def minimize_lbfgs(
    value_and_grad: Callable[[npt.NDArray[np.float64]], tuple[float, Vector]],
    theta: Vector,
    *,
    max_iter: int = 200,
    max_fun: int = 15_000,
    tol: float = 1e-4,
    callback: Callable[[npt.NDArray[np.float64], float], None] | None = None,
) -> Minimum:
    """Minimise a deterministic function by L-BFGS, a quasi-Newton method with little memory.

    Parameters
    ----------
    value_and_grad : callable
        Takes a float64 vector, returns the value and the gradient there. It may return the same gradient array every
        time.
    theta : ndarray of shape (n_parameters,)
        Where to begin; not changed.
    max_iter : int, default=200
        Most iterations.
    max_fun : int, default=15000
        Most evaluations of the function.
    tol : float, default=1e-4
        Converged when no component of the gradient is larger, or when an iteration lowers the value by less than a
        2e-9th part, SciPy's own limit; a tolerance below the default tightens that in proportion.
    callback : callable, default=None
        Called as ``callback(theta, value)`` after every iteration; it may raise StopIteration to end the search.

    Returns
    -------
    minimum : Minimum
        The vector, the value, n_iter, converged and message.

    References
    ----------
    Liu, Nocedal (1989). On the limited memory BFGS method for large scale optimization. Mathematical Programming 45.

    Examples
    --------
    >>> target = np.array([1.0, -2.0])
    >>> minimum = minimize_lbfgs(lambda theta: (np.sum((theta - target) ** 2), 2 * (theta - target)), np.zeros(2))
    >>> minimum.theta.round(6), minimum.converged
    (array([ 1., -2.]), True)
    """

    def evaluate(vector: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        value, gradient = value_and_grad(vector)
        # A copy: the gradient may be a network's own array, which the next evaluation overwrites.
        return float(value), np.array(gradient, dtype=np.float64)

    def report(intermediate_result: OptimizeResult) -> None:  # SciPy goes by the argument's name
        if callback is not None:
            callback(intermediate_result.x, float(intermediate_result.fun))

    result = minimize(
        evaluate,
        np.array(theta, dtype=np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=report,
        options={
            "maxiter": max_iter,
            "maxfun": max_fun,
            "gtol": tol,
            "ftol": max(SCIPY_FTOL * min(tol / 1e-4, 1), 64 * EPS),
        },
    )
    return Minimum(result.x, float(result.fun), int(result.nit), bool(result.success), str(result.message))
