"""Activation functions: kernel, slope and reference side by side, in one table.

Every activation is a small class with three methods:

- ``forward(z)`` overwrites the array z with f(z) and returns what the slope needs besides the result;
- ``backward(g, y, kept)`` returns g f'(z), from the result y where f' can be had from it;
- ``reference(z)`` is the same function composed from primitives, valid for every order of derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import erf, expit

from ..autodiff import primitives as F
from ..autodiff.jet import CARRIED
from ..autodiff.tape import Array, Primitive, Value, op
from . import compiled

ZEROS = 1 << 16  # elements; up to this many are compared in one go


@lru_cache(maxsize=16)
def _zeros(size: int, dtype: np.dtype) -> Array:
    """Read-only zeros: NumPy compares two arrays several times faster than an array and a number."""
    zeros = np.zeros(size, dtype)
    zeros.flags.writeable = False
    return zeros


class Activation:
    """One activation function."""

    is_identity = False
    is_relu = False
    is_piecewise_linear = False  # so that nothing of a gradient passes through its slope

    def forward(self, z: Array) -> Any:
        """Overwrite z with f(z); return what :meth:`backward` needs besides f(z)."""
        raise TypeError(f"{type(self).__name__} defines no forward")

    def backward(self, g: Array, y: Array, kept: Any) -> Array:
        """The gradient with respect to z, given that with respect to y = f(z)."""
        raise TypeError(f"{type(self).__name__} defines no backward")

    def reference(self, z: Value) -> Value:
        """f(z) in primitives."""
        raise TypeError(f"{type(self).__name__} defines no reference")


class Identity(Activation):
    """f(z) = z."""

    is_identity = True
    is_piecewise_linear = True

    def forward(self, z: Array) -> None:
        return None

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        return g

    def reference(self, z: Value) -> Value:
        return z


class Logistic(Activation):
    """The sigmoid, f(z) = 1 / (1 + exp(-z))."""

    def forward(self, z: Array) -> None:
        expit(z, out=z)

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        slope = np.subtract(1.0, y)
        slope *= y
        slope *= g
        return slope

    def reference(self, z: Value) -> Value:
        return F.sigmoid(z)


class Tanh(Activation):
    """The hyperbolic tangent."""

    def forward(self, z: Array) -> None:
        np.tanh(z, out=z)

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        slope = np.multiply(y, y)
        np.subtract(1.0, slope, out=slope)
        slope *= g
        return slope

    def reference(self, z: Value) -> Value:
        return F.tanh(z)


class ReLU(Activation):
    """The rectified linear unit, f(z) = max(z, 0); its slope at 0 is 0."""

    is_relu = True
    is_piecewise_linear = True

    def forward(self, z: Array) -> None:
        if z.size > ZEROS or not z.flags.c_contiguous:
            zeros = _zeros(z.shape[-1], z.dtype)
        else:
            zeros = _zeros(ZEROS, z.dtype)[: z.size].reshape(z.shape)
        np.maximum(z, zeros, out=z)

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        dz = compiled.activate_back(g, y, "relu", kept)
        return np.multiply(g, y > 0) if dz is None else dz

    def reference(self, z: Value) -> Value:
        return F.where(z > 0, z, 0.0)


class LeakyReLU(Activation):
    """f(z) = z for z > 0, else 0.01 z (Maas et al. 2013)."""

    slope = 0.01
    is_piecewise_linear = True

    def forward(self, z: Array) -> None:
        np.maximum(z, self.slope * z, out=z)

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        return np.where(y > 0, g, self.slope * g)

    def reference(self, z: Value) -> Value:
        return F.where(z > 0, z, self.slope * z)


class ELU(Activation):
    """The exponential linear unit, f(z) = scale z for z > 0, else scale alpha (exp(z) - 1) (Clevert et al. 2016)."""

    alpha = 1.0
    scale = 1.0

    def forward(self, z: Array) -> None:
        below = np.expm1(np.minimum(z, 0.0))
        below *= self.alpha
        np.copyto(z, below, where=z <= 0)
        if self.scale != 1.0:
            z *= self.scale

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        slope = np.where(y > 0, y.dtype.type(self.scale), y + self.scale * self.alpha)
        slope *= g
        return slope

    def reference(self, z: Value) -> Value:
        positive = z > 0
        below = self.alpha * (F.exp(F.where(positive, 0.0, z)) - 1.0)
        return self.scale * F.where(positive, z, below)


class SELU(ELU):
    """The self-normalising ELU (Klambauer et al. 2017)."""

    alpha = 1.6732632423543772
    scale = 1.0507009873554805


class Softplus(Activation):
    """f(z) = log(1 + exp(z))."""

    def forward(self, z: Array) -> None:
        np.logaddexp(z, 0.0, out=z)

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        slope = -np.expm1(-y)
        slope *= g
        return slope

    def reference(self, z: Value) -> Value:
        return F.softplus(z)


class GELU(Activation):
    """The Gaussian error linear unit, f(z) = z Phi(z), exact, not the tanh approximation (Hendrycks & Gimpel 2016)."""

    def forward(self, z: Array) -> tuple[Array, Array]:
        kept = z.copy()
        below = 0.5 * (1.0 + erf(z * 0.5**0.5))
        z *= below
        return kept, below

    def backward(self, g: Array, y: Array, kept: tuple[Array, Array]) -> Array:
        z, below = kept
        density = np.exp(-0.5 * z * z) * 0.3989422804014327
        return g * (below + z * density)

    def reference(self, z: Value) -> Value:
        return 0.5 * z * (1.0 + F.erf(z * 0.5**0.5))


class SiLU(Activation):
    """The sigmoid linear unit or swish, f(z) = z sigmoid(z) (Elfwing et al. 2018)."""

    def forward(self, z: Array) -> Array:
        gate = expit(z)
        z *= gate
        return gate

    def backward(self, g: Array, y: Array, gate: Array) -> Array:
        return g * (gate + y * (1.0 - gate))

    def reference(self, z: Value) -> Value:
        return z * F.sigmoid(z)


class Mish(Activation):
    """f(z) = z tanh(softplus(z)) (Misra 2020)."""

    def forward(self, z: Array) -> tuple[Array, Array]:
        kept = z.copy()
        gate = np.tanh(np.logaddexp(z, 0.0))
        z *= gate
        return kept, gate

    def backward(self, g: Array, y: Array, kept: tuple[Array, Array]) -> Array:
        z, gate = kept
        return g * (gate + z * (1.0 - gate * gate) * expit(z))

    def reference(self, z: Value) -> Value:
        return z * F.tanh(F.softplus(z))


class Softmax(Activation):
    """f(z)_k = exp(z_k) / sum_j exp(z_j) over the last axis."""

    def forward(self, z: Array) -> None:
        z -= z.max(axis=-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=-1, keepdims=True)

    def backward(self, g: Array, y: Array, kept: None) -> Array:
        return y * (g - (g * y).sum(axis=-1, keepdims=True))

    def reference(self, z: Value) -> Value:
        return F.softmax(z, axis=-1)


class Compiled(Activation):
    """The function that the compiled kernels know by this name; where they do not apply, NumPy's."""

    def __init__(self, name: str, on_numpy: Activation) -> None:
        self.name = name
        self.on_numpy = on_numpy
        self.is_piecewise_linear = on_numpy.is_piecewise_linear

    def forward(self, z: Array) -> Any:
        kept = compiled.activate(z, self.name)
        return self.on_numpy.forward(z) if kept is None else kept

    def backward(self, g: Array, y: Array, kept: Any) -> Array:
        dz = compiled.activate_back(g, y, self.name, kept)
        return self.on_numpy.backward(g, y, kept) if dz is None else dz

    def reference(self, z: Value) -> Value:
        return self.on_numpy.reference(z)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Identity(),
    "logistic": Compiled("logistic", Logistic()),
    "sigmoid": Compiled("logistic", Logistic()),
    "tanh": Compiled("tanh", Tanh()),
    "relu": ReLU(),
    "softmax": Softmax(),
    "leaky_relu": Compiled("leaky_relu", LeakyReLU()),
    "elu": Compiled("elu", ELU()),
    "selu": Compiled("selu", SELU()),
    "gelu": Compiled("gelu", GELU()),
    "silu": Compiled("silu", SiLU()),
    "mish": Compiled("mish", Mish()),
    "softplus": Compiled("softplus", Softplus()),
}


sloped: Primitive = Primitive(
    lambda g, y, activation: ACTIVATIONS[activation].backward(g, np.asarray(y, g.dtype), None),
    lambda h, _, g, y, activation: sloped(h, y, activation=activation),
    name="sloped",
    doc="g f'(z) of a piecewise linear function, from y = f(z), an array: linear in g, and its own transpose.",
)
CARRIED[sloped] = CARRIED[F.reshape]  # linear


@op
def activate(x: Array, *, activation: str) -> tuple[Array, Any]:
    """The activation function of this name, elementwise (softmax: over the last axis). x and the result: any shape."""
    y = np.array(x, order="C", ndmin=1)
    kept = ACTIVATIONS[activation].forward(y)
    return y.reshape(np.shape(x)), (activation, y, kept)


@activate.backward
def _(g: Array, saved: tuple, out: list) -> tuple:
    activation, y, kept = saved
    return (ACTIVATIONS[activation].backward(np.reshape(g, y.shape), y, kept).reshape(np.shape(g)),)


@activate.reference
def _(x: Value, *, activation: str) -> Value:
    return ACTIVATIONS[activation].reference(x)


@activate.recorded
def _(g: Value, y: Array, wanted: Sequence[bool], x: Value, *, activation: str) -> tuple | None:
    return (sloped(g, y, activation=activation),) if ACTIVATIONS[activation].is_piecewise_linear else None
