"""What diffusion models learn to predict, and what a fitted one makes of noisy samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...autodiff.tape import Array
from ...template.forward import Forward
from .imputing import Gapped
from .noise_networks import Seen, predicted
from .samplers import level


class Prediction(NamedTuple):
    """What a network predicts, as functions of what x = alpha data + sigma noise consists of."""

    wanted: Callable[[Array, Array, Any, Any], Array]  # of data, noise, alpha, sigma
    data: Callable[[Array, Array, Any, Any], Array]  # of x, prediction, alpha, sigma
    noise: Callable[[Array, Array, Any, Any], Array]


PREDICTIONS = {
    "noise": Prediction(
        wanted=lambda data, noise, alpha, sigma: noise,
        data=lambda x, raw, alpha, sigma: (x - sigma * raw) / alpha,
        noise=lambda x, raw, alpha, sigma: raw,
    ),
    "v": Prediction(
        wanted=lambda data, noise, alpha, sigma: alpha * noise - sigma * data,
        data=lambda x, raw, alpha, sigma: alpha * x - sigma * raw,
        noise=lambda x, raw, alpha, sigma: sigma * x + alpha * raw,
    ),
}


class Denoiser:
    """A fitted model as a function of noisy samples and a time, under conditions and beside known values.

    The mean of the data given x lies where the data lie; what a network says beyond the range of those of the fit is
    brought back into it. (Where there is little else than noise, an error in it is one of 80 times its size in them.)

    Parameters
    ----------
    model : DiffusionModel
        Fitted.
    condition : ndarray of shape (n, ...), default=None
        Encoded conditions.
    guidance : float, default=0.0
        By how much what the condition changes is exaggerated: (1 + w) times the prediction with the condition, minus w
        times that without (Ho & Salimans 2021). 0 is the first alone, -1 the second.
    known : Gapped, default=None
        What is known of the samples; None: nothing.
    """

    def __init__(
        self, model: Any, condition: Array | None = None, guidance: float = 0.0, known: Gapped | None = None
    ) -> None:
        self.has_roles = model._fills_gaps
        self.forward, self.prediction = Forward(model.network_), PREDICTIONS[model._predicts]
        self.condition, self.guidance, self.known = condition, float(guidance), known
        self.lowest, self.highest = model._scaled(model._range, self.forward.dtype)

    def __call__(self, x: Array, time: float) -> Array:
        """The mean of the data, given x (n, ...) at a time."""
        alpha, sigma = level(time)
        data = np.clip(self.prediction.data(x, self.raw(x, time), alpha, sigma), self.lowest, self.highest)
        return data if self.known is None else self.known.shown(data)

    def predicted_noise(self, x: Array, time: float) -> Array:
        """The mean of the noise, given x (n, ...) at a time."""
        alpha, sigma = level(time)
        return self.prediction.noise(x, self.raw(x, time), alpha, sigma)

    def raw(self, x: Array, time: float) -> Array:
        """What the network predicts, with guidance."""
        if self.known is not None:
            x = self.known.shown(x)
        w = self.guidance
        if self.condition is None or w in (0.0, -1.0):
            return self.outputs(x, time, told=w == 0.0)
        with_condition, without = (self.outputs(x, time, told) for told in (True, False))
        return (1.0 + w) * with_condition - w * without

    def outputs(self, x: Array, time: float, told: bool) -> Array:
        """What the network puts out, block by block."""
        forward = self.forward

        def part(rows: slice) -> Array:
            raw: Array = predicted(forward.nets, self.seen(x[rows], time, told, rows))
            return raw.reshape(x[rows].shape)

        return forward.over(x, part)

    def seen(self, x: Array, time: float, told: bool, rows: slice) -> Seen:
        """What the network is shown of some rows."""
        n, dtype = len(x), x.dtype
        roles = condition = is_told = None
        if self.has_roles:
            roles = np.zeros(x.shape, dtype) if self.known is None else self.known.roles[rows]
        if self.condition is not None:
            condition = self.condition[rows].astype(dtype, copy=False) * dtype.type(told)
            is_told = np.full(n, told, dtype)
        return Seen(x, np.full(n, time, dtype), roles, condition, is_told)
