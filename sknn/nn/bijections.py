"""Layers that can be undone, the bricks of normalizing flows.

What goes through them is a state (n, d + 1): d values and, last, the log-volume that was gained on the way, the
logarithm of |det dz / dx|.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import solve_triangular

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Fused, Value, cast
from ..description import Description, choice, flag, integer, integers, number
from ..ops.activation import ACTIVATIONS
from ..ops.affine import affine
from ..ops.columns import Columns, columns, moved, placed
from ..ops.concat import concat
from ..ops.dense import dense
from ..ops.mixing import mix, triangles
from ..ops.spline import spline
from .containers import run
from .conv import Conv
from .dense import Dense
from .layer import Context, Layer, Shape, Store

# -- how a number is moved -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Affine(Description):
    """x exp(s) + t, with two numbers for each x that say s and t: see `sknn.ops.affine`."""

    operation: ClassVar[Fused] = affine
    options: ClassVar[dict[str, Any]] = {}
    n_numbers: ClassVar[int] = 2


@dataclass(frozen=True)
class Spline(Description):
    """A monotone spline on [-bound, bound], the identity beyond, with its numbers for each x: see
    `sknn.ops.spline`.

    Parameters
    ----------
    n_bins : int, default=8
        Its pieces, each with a width, a height and slopes of its own.
    bound : float, default=5.0
        Half the length of the interval.
    """

    n_bins: int = integer("[2, inf)", default=8)
    bound: float = number("(0, inf)", default=5.0)

    operation: ClassVar[Fused] = spline

    @property
    def options(self) -> dict[str, Any]:
        return {"bound": self.bound}

    @property
    def n_numbers(self) -> int:
        return 3 * self.n_bins - 1


SPLINE = Spline()
SIGHT = 5.0  # beyond it a network says the same as there, so that nothing is stretched as far as an outlier is off


# -- layers that can be undone -------------------------------------------------------------------------------------


class _Bijection(Layer):
    """The base of layers that can be undone: `apply` takes a state on, `inverse` takes it back."""

    def build(self, shape: Shape, store: Store) -> Shape:
        if len(shape) != 1 or shape[0] < 2:
            raise ValueError(
                f"{type(self).__name__} works on states (d + 1,), d numbers and a log-volume, but they are of shape "
                f"{shape}"
            )
        self._declare(shape[0] - 1, store)
        return shape

    def _declare(self, n_features: int, store: Store) -> None:
        """Declare the parameters for so many values."""
        raise TypeError(f"{type(self).__name__} defines no _declare")

    def inverse(self, params: dict[str, Any], state: Value, context: Context) -> Value:
        """The state that `apply` takes to this one; to the log-volume that of the way back is added."""
        raise TypeError(f"{type(self).__name__} defines no inverse")


@dataclass(frozen=True, repr=False)
class Coupling(_Bijection):
    """Some values are moved, each as a network says that sees the others, which stay.

    So it is undone without solving anything: what the network saw is still there. In the beginning nothing moves.

    Parameters
    ----------
    layers : sequence of Layer
        The network, without its last layer, a dense one (for images a convolution) that starts at zero.
    stay, move : tuple of int
        Which values.
    by : Affine or Spline, default=Spline()
        How they are moved.
    n_conditions : int, default=0
        Numbers of each sample that the network sees too, given by the name "condition".
    grid : tuple of int, default=None
        For images the positions (height, width) at which the values of each lie, with the channels last.

    Raises
    ------
    ValueError
        If a value is named twice or not there, or a part is no description.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio (2017). Density estimation using Real NVP. ICLR. arXiv:1605.08803.

    Durkan, Bekasov, Murray, Papamakarios (2019). Neural spline flows. NeurIPS. arXiv:1906.04032.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Affine, Coupling, Dense, Network, from_noise, to_noise
    >>> coupling = Coupling([Dense(8, "tanh")], stay=(0,), move=(1,), by=Affine())
    >>> flow = Network([coupling], (3,), np.random.RandomState(0))
    >>> flow.theta[:] = 0.1
    >>> z, log_volume = to_noise(flow.function(), np.array([[1.0, 2.0]]))
    >>> from_noise(flow.function(), z).round(12).tolist()
    [[1.0, 2.0]]
    """

    layers: Sequence[Layer]
    stay: tuple[int, ...] = integers("[0, inf)", alone=False)
    move: tuple[int, ...] = integers("[0, inf)", alone=False)
    by: Affine | Spline = SPLINE
    n_conditions: int = integer("[0, inf)", default=0)
    grid: tuple[int, ...] | None = integers("[1, inf)", default=None, alone=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "layers", tuple(self.layers))

    @property
    def inner(self) -> tuple[Layer, ...]:
        return (*self.layers, _last(len(self.move) * self.by.n_numbers // self._n_positions, self.grid is not None))

    @property
    def ways(self) -> tuple[str, ...]:
        return ()  # the layers within see other things than the layer does

    @property
    def _n_positions(self) -> int:
        return prod(self.grid or ())

    def _declare(self, n_features: int, store: Store) -> None:
        named = (*self.stay, *self.move)
        if not self.stay or not self.move or len({*named}) < len(named) or max(named) >= n_features:
            raise ValueError(f"stay={self.stay} and move={self.move} must name different ones of {n_features} values")
        store.chain(self.inner, (*(self.grid or ()), len(self.stay) // self._n_positions + self.n_conditions))

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        return self._moved(params, x, context, inverse=False)

    def inverse(self, params: dict[str, Any], state: Value, context: Context) -> Value:
        return self._moved(params, state, context, inverse=True)

    def _moved(self, params: dict[str, Any], state: Value, context: Context, inverse: bool) -> Value:
        seen = columns(state, which=_evenly(self.stay), limit=SIGHT)
        if self.grid:
            seen = F.reshape(seen, (len(seen), *self.grid, -1))
        if self.n_conditions:
            seen = concat(seen, _spread(_condition(self, context, seen), self.grid))
        raw, _ = run(self.inner, params, seen, context)
        if self.grid:
            raw = F.reshape(raw, (len(raw), -1))
        by = self.by
        return moved(state, raw, which=_evenly(self.move), move=by.operation, inverse=inverse, **by.options)


@lru_cache(maxsize=256)  # a network asks at every step
def _last(n_outputs: int, on_grid: bool) -> Layer:
    """What gives nothing but zeros in the beginning."""
    return Conv(n_outputs, 3, init="zeros") if on_grid else Dense(n_outputs, init="zeros")


@dataclass(frozen=True, repr=False)
class Autoregressive(_Bijection):
    """Each value is moved as a network says that sees those before it; no value sees itself or one that comes after.

    One network says it for all values at once: weights that would let one see too much are zero. It is undone value by
    value, in as many passes as there are values. In the beginning nothing moves.

    Parameters
    ----------
    units : tuple of int
        Those of each hidden layer of the network.
    by : Affine or Spline, default=Spline()
        How values are moved.
    n_conditions : int, default=0
        Numbers of each sample that all of the network sees, given by the name "condition".
    reverse : bool, default=False
        Whether the last value comes first.
    activation : str, default="relu"
        A name in :data:`sknn.ops.ACTIVATIONS`.

    References
    ----------
    Germain, Gregor, Murray, Larochelle (2015). MADE: masked autoencoder for distribution estimation. ICML.
    arXiv:1502.03509.

    Papamakarios, Pavlakou, Murray (2017). Masked autoregressive flow for density estimation. NeurIPS. arXiv:1705.07057.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Autoregressive, Network, from_noise, to_noise
    >>> flow = Network([Autoregressive((16,))], (4,), np.random.RandomState(0))
    >>> flow.theta += 0.3
    >>> x = np.array([[0.1, -0.2, 0.3], [0.1, -0.2, 3.0]])
    >>> z, log_volume = to_noise(flow.function(), x)
    >>> (z[0] == z[1]).tolist(), bool(np.abs(from_noise(flow.function(), z) - x).max() < 1e-12)
    ([True, True, False], True)
    """

    units: tuple[int, ...] = integers("[1, inf)", alone=False)
    by: Affine | Spline = SPLINE
    n_conditions: int = integer("[0, inf)", default=0)
    reverse: bool = flag(default=False)
    activation: str = choice(ACTIVATIONS, default="relu")

    def _declare(self, n_features: int, store: Store) -> None:
        width = n_features + self.n_conditions
        for k, units in enumerate(self.units):
            Dense(units, init="he_uniform").build((width,), store.inside(str(k)))
            width = units
        Dense(n_features * self.by.n_numbers, init="zeros").build((width,), store.inside(str(len(self.units))))

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        n_features, seen = x.shape[1] - 1, self._seen(x, context)
        *hidden, last = self._masked(params, n_features)
        raw = dense(self._units(hidden, seen), *last, activation="identity")
        return self._moved(x, raw, slice(0, n_features))

    def inverse(self, params: dict[str, Any], state: Value, context: Context) -> Value:
        n_features, n_numbers = state.shape[1] - 1, self.by.n_numbers
        *hidden, (weight, bias) = self._masked(params, n_features)
        found = state
        for k in range(n_features)[:: -1 if self.reverse else 1]:
            mine = slice(k * n_numbers, (k + 1) * n_numbers)
            units = self._units(hidden, self._seen(found, context))
            raw = dense(units, weight[:, mine], bias[mine], activation="identity")
            found = self._moved(found, raw, slice(k, k + 1), inverse=True)
        return found

    def _moved(self, state: Value, raw: Value, which: slice, inverse: bool = False) -> Value:
        return moved(state, raw, which=which, move=self.by.operation, inverse=inverse, **self.by.options)

    def _masked(self, params: dict[str, Any], n_features: int) -> list[tuple[Value, Value]]:
        """Weight and bias of each layer, zero where a value would see too much."""
        masks = _masks(n_features, self.n_conditions, self.units, self.by.n_numbers, self.reverse)
        return [(params[str(k)]["weight"] * mask, params[str(k)]["bias"]) for k, mask in enumerate(masks)]

    def _seen(self, state: Value, context: Context) -> Value:
        """Values, and conditions if there are any."""
        x = columns(state, which=slice(0, state.shape[1] - 1), limit=SIGHT)
        return concat(x, _condition(self, context, x)) if self.n_conditions else x

    def _units(self, hidden: Sequence[tuple[Value, Value]], x: Value) -> Value:
        """What the hidden layers make of what is seen."""
        for weight, bias in hidden:
            x = dense(x, weight, bias, activation=self.activation)
        return x


@lru_cache(maxsize=64)
def _masks(n_features: int, n_conditions: int, units: tuple[int, ...], n_numbers: int, reverse: bool) -> list[Array]:
    """Which weights of each layer may be used: an output sees inputs and units of lower ranks than its own.

    Conditions rank below all values, so that those who see nothing else rank there too.
    """
    ranks = np.arange(n_features)[:: -1 if reverse else 1]
    lowest = -1 if n_conditions else 0
    before, masks = np.concatenate([ranks, np.full(n_conditions, -1)]), []
    for n in units:
        after = lowest + np.arange(n) % max(n_features - 1 - lowest, 1)
        masks.append(after >= before[:, None])
        before = after
    masks.append(np.repeat(ranks, n_numbers) > before[:, None])
    return masks


@dataclass(frozen=True, repr=False)
class Mixing(_Bijection):
    """y = (x exp(s) + b) L U: a shift and a scale of each value (activation norm), then all of them mixed.

    L is lower and U upper triangular, both with ones on the diagonal, so that the log-volume is the sum of s and the
    inverse two substitutions. In the beginning nothing changes: values that come standardised need no first look at
    the data.

    Parameters
    ----------
    which : tuple of int, default=None
        Which values are mixed, None: all. With `n_positions` they are that many groups, each mixed in the same way: the
        channels of the pixels of an image.
    n_positions : int, default=1
        How many groups.

    References
    ----------
    Kingma, Dhariwal (2018). Glow: generative flow with invertible 1x1 convolutions. NeurIPS. arXiv:1807.03039.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Mixing, Network, to_noise
    >>> flow = Network([Mixing()], (3,), None)
    >>> flow.parameters["0"]["log_scale"][:] = np.log(2)
    >>> z, log_volume = to_noise(flow.function(), np.array([[1.0, -3.0]]))
    >>> z.round(6).tolist(), log_volume.round(6).tolist()
    ([[2.0, -6.0]], [1.386294])
    """

    which: tuple[int, ...] | None = integers("[0, inf)", default=None, alone=False)
    n_positions: int = integer("[1, inf)", default=1)

    def _declare(self, n_features: int, store: Store) -> None:
        n_values = n_features if self.which is None else len(self.which)
        if n_values % self.n_positions or (self.which and max(self.which) >= n_features):
            raise ValueError(
                f"which={self.which} must name n_positions={self.n_positions} equal groups of {n_features} values"
            )
        n = n_values // self.n_positions
        store.parameter("weight", (n, n), "zeros")
        store.parameter("log_scale", (n,), "zeros", decay=False)
        store.parameter("bias", (n,), "zeros", decay=False)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        log_scale, bias, weight = (_as_precise(params[name], x) for name in ("log_scale", "bias", "weight"))
        return self._placed(x, mix(self._groups(x, log_scale), log_scale, bias, weight), log_scale)

    def inverse(self, params: dict[str, Any], state: Value, context: Context) -> Value:
        log_scale, bias, weight = (_as_precise(params[name], state) for name in ("log_scale", "bias", "weight"))
        lower, upper = triangles(weight)
        mixed = solve_triangular(upper.T, self._groups(state, log_scale).T, lower=True, unit_diagonal=True)
        values = solve_triangular(lower.T, mixed, unit_diagonal=True).T
        return self._placed(state, (values - bias) * np.exp(-log_scale), -log_scale)

    def _columns(self, state: Value) -> Columns:
        return slice(0, state.shape[1] - 1) if self.which is None else _evenly(self.which)

    def _groups(self, state: Value, like: Value) -> Value:
        return F.reshape(columns(state, which=self._columns(state)), (-1, like.shape[0]))

    def _placed(self, state: Value, values: Value, log_scale: Value) -> Value:
        volume = F.sum(log_scale, keepdims=True) * float(self.n_positions)
        values = F.reshape(values, (state.shape[0], -1))
        return placed(state, values, volume, which=self._columns(state))


# -- what they share ------------------------------------------------------------------------------------------------


def _condition(layer: Coupling | Autoregressive, context: Context, like: Value) -> Value:
    """The conditions of each sample, in the precision of what they stand beside."""
    return _as_precise(context.of_samples("condition", layer.n_conditions, layer), like)


def _as_precise(value: Value, like: Value) -> Value:
    """In the precision of what it meets, so that there and back round alike."""
    return value if value.dtype == like.dtype else cast(value, dtype=like.dtype)


def _spread(condition: Value, grid: Shape | None) -> Value:
    """The same at all positions of a grid, if there is one."""
    if grid is None:
        return condition
    n, width = condition.shape
    return F.broadcast_to(F.reshape(condition, (n, *[1] * len(grid), width)), (n, *grid, width))


@lru_cache(maxsize=1024)
def _evenly(which: tuple[int, ...]) -> Columns:
    """A slice, which is several times as fast, where columns are equally far apart."""
    steps = {b - a for a, b in pairwise(which)}
    if len(steps) > 1 or min(steps, default=1) < 1:
        return which
    return slice(which[0], which[-1] + 1, min(steps, default=1))
