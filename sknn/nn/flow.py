"""Layers that can be undone, and what a chain of them says: log-densities, and samples (a normalizing flow).

What goes through such layers is a state (n, d + 1): d values and, last, the log-volume that was gained on the way, the
logarithm of |det dz / dx|. A flow is a :class:`Network` of nothing but such layers; :func:`log_prob`,
:func:`to_noise` and :func:`from_noise` apply one both ways.
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
from ..ops.standard_normal import standard_normal
from .applied import Applied
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
SPLINE_KINDS = {"spline": True, "affine": False, "glow": False, "autoregressive": True}


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
            seen = concat(seen, _spread(condition_of(self, context, seen), self.grid))
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
        return self._moved(x, self._raw(params, x, context), slice(0, x.shape[1] - 1))

    def inverse(self, params: dict[str, Any], state: Value, context: Context) -> Value:
        n_features, by = state.shape[1] - 1, self.by
        found = state
        for k in range(n_features)[:: -1 if self.reverse else 1]:
            raw = self._raw(params, found, context)[:, k * by.n_numbers : (k + 1) * by.n_numbers]
            found = self._moved(found, raw, slice(k, k + 1), inverse=True)
        return found

    def _moved(self, state: Value, raw: Value, which: slice, inverse: bool = False) -> Value:
        return moved(state, raw, which=which, move=self.by.operation, inverse=inverse, **self.by.options)

    def _raw(self, params: dict[str, Any], state: Value, context: Context) -> Value:
        """What moves each value, of those before it."""
        n_features, n_layers = state.shape[1] - 1, len(self.units)
        x = columns(state, which=slice(0, n_features), limit=SIGHT)
        if self.n_conditions:
            x = concat(x, condition_of(self, context, x))
        for k, mask in enumerate(_masks(n_features, self.n_conditions, self.units, self.by.n_numbers, self.reverse)):
            mine = params[str(k)]
            activation = self.activation if k < n_layers else "identity"
            x = dense(x, mine["weight"] * mask, mine["bias"], activation=activation)
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


# -- both ways through a flow --------------------------------------------------------------------------------------


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


def condition_of(layer: Any, context: Context, like: Value) -> Value:
    """The conditions, as many as the layer was made for, in the precision of what they stand beside."""
    condition = context.given.get("condition")
    if condition is None or condition.shape[-1] != layer.n_conditions:
        found = "None" if condition is None else f"numbers of shape {condition.shape}"
        raise ValueError(f"condition={found}: {type(layer).__name__} needs {layer.n_conditions} numbers of each sample")
    return _as_precise(condition, like)


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


# -- flows by name -------------------------------------------------------------------------------------------------


def flow_layers(
    kind: str,
    n_features: int,
    n_conditions: int = 0,
    *,
    n_transforms: int = 4,
    hidden_layer_sizes: Sequence[int] = (64, 64),
    n_bins: int = 8,
    bound: float = 5.0,
) -> list[Layer]:
    """The layers of a flow of numbers.

    Parameters
    ----------
    kind : {"spline", "affine", "glow", "autoregressive"}
        Couplings with splines after one :class:`Mixing`, for what hangs together in a straight line; affine couplings;
        affine couplings, each after a :class:`Mixing`; splines of which each sees all values before it.
    n_features : int
        How many numbers; for one alone there is nothing to see but conditions, whatever the kind.
    n_conditions : int, default=0
        Numbers that are known of each sample.
    n_transforms : int, default=4
        Couplings, or autoregressive layers.
    hidden_layer_sizes : sequence of int, default=(64, 64)
        Units of the network of each.
    n_bins, bound
        See :class:`Spline`.

    Returns
    -------
    layers : list of Layer
        For ``Network(layers, (n_features + 1,), rng)``.

    Notes
    -----
    Couplings part the values by a binary digit of their number, in turns one digit after the other, each time one half
    and then the other: so any two values are parted by some coupling (Gao, Isaacson, Krause 2020).

    References
    ----------
    Gao, Isaacson, Krause (2020). i-flow: high-dimensional integration and sampling with normalizing flows. Machine
    Learning: Science and Technology 1, 045023. arXiv:2001.05486.

    Examples
    --------
    >>> from sknn.nn import flow_layers
    >>> [(each.stay, each.move) for each in flow_layers("affine", 3, n_transforms=4)]
    [((0, 2), (1,)), ((1,), (0, 2)), ((0, 1), (2,)), ((2,), (0, 1))]
    """
    by = Spline(n_bins, bound) if SPLINE_KINDS[kind] else Affine()
    sizes = tuple(hidden_layer_sizes)
    if kind == "autoregressive" or n_features == 1:
        return [Autoregressive(sizes, by, n_conditions, reverse=k % 2 == 1) for k in range(n_transforms)]
    hidden = tuple(Dense(units, activation="relu", init="he_uniform") for units in sizes)
    layers: list[Layer] = []
    for k in range(n_transforms):
        stay, move = parted(n_features, k)
        mixes = kind == "glow" or (kind == "spline" and k == 0)
        layers += [*[Mixing()] * mixes, Coupling(hidden, stay, move, by, n_conditions)]
    return layers


def parted(n: int, turn: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which of n values stay, and which move, in this turn."""
    digit, side = divmod(turn, 2)
    bit = np.arange(n) >> digit % max((n - 1).bit_length(), 1) & 1
    return tuple(np.flatnonzero(bit == side).tolist()), tuple(np.flatnonzero(bit != side).tolist())


def image_flow_layers(
    kind: str,
    shape: Shape,
    n_conditions: int = 0,
    *,
    n_transforms: int = 4,
    filters: Sequence[int] = (64, 64),
    n_bins: int = 8,
    bound: float = 5.0,
) -> list[Layer]:
    """The layers of a flow of images, whose networks are convolutional.

    At each scale, squares of 2 x 2 pixels become one pixel with four times the channels, couplings part the channels,
    and half of them have then reached the end; the others go on to the next scale, as long as sides are even.

    Parameters
    ----------
    kind : {"spline", "affine", "glow"}
        As for :func:`flow_layers`; what is mixed are the channels of each pixel.
    shape : tuple of int
        (height, width, channels), with even sides.
    n_conditions : int, default=0
        Numbers that are known of each image.
    n_transforms : int, default=4
        Couplings at each scale.
    filters : sequence of int, default=(64, 64)
        Of the convolutions in each; the first has kernels of 3 x 3, as the last one, the others of 1 x 1.
    n_bins, bound
        See :class:`Spline`.

    Returns
    -------
    layers : list of Layer
        For states of all values, row by row with the channels last, and the log-volume.

    Raises
    ------
    ValueError
        If a side is odd, or the kind is another.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio (2017). Density estimation using Real NVP. ICLR. arXiv:1605.08803.

    Examples
    --------
    >>> from sknn.nn import image_flow_layers
    >>> [(each.grid, len(each.stay)) for each in image_flow_layers("affine", (8, 8, 1), n_transforms=2)]
    [((4, 4), 32), ((4, 4), 32), ((2, 2), 16), ((2, 2), 16)]
    """
    if kind == "autoregressive" or len(shape) != 3 or shape[0] % 2 or shape[1] % 2:
        raise ValueError(
            f"a flow of images of shape {shape} and kind={kind!r} is not to be had: images are (height, width, "
            "channels), their sides must be even, as squares of 2 x 2 pixels are taken together, and the kind "
            "'spline', 'affine' or 'glow'"
        )
    by = Spline(n_bins, bound) if SPLINE_KINDS[kind] else Affine()
    kernels = (3, *[1] * (len(filters) - 1))
    hidden = [Conv(f, k, activation="relu", init="he_uniform") for f, k in zip(filters, kernels, strict=True)]
    places, layers = np.arange(prod(shape)).reshape(shape), list[Layer]()
    while not (places.shape[0] % 2 or places.shape[1] % 2) and (not layers or min(places.shape[:2]) >= 4):
        places = _squeezed(places[..., : places.shape[2] // 2] if layers else places)
        height, width, channels = places.shape
        for k in range(n_transforms):
            stay, move = (tuple(places[..., each].ravel().tolist()) for each in parted(channels, k))
            if kind == "glow":
                layers.append(Mixing(tuple(places.ravel().tolist()), height * width))
            layers.append(Coupling(hidden, stay, move, by, n_conditions, (height, width)))
    return layers


def _squeezed(places: Array) -> Array:
    """(h, w, c) as (h / 2, w / 2, 4 c)."""
    height, width, channels = places.shape
    squares = places.reshape(height // 2, 2, width // 2, 2, channels).transpose(0, 2, 1, 3, 4)
    return squares.reshape(height // 2, width // 2, 4 * channels)
