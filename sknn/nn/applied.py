"""Layers with parameters as a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .containers import run
from .layer import Context, Layer


class Applied:
    """A network, or some of its layers, as a function of a batch: ``f(x)``, ``f(x, time=t)`` with what layers ask for.

    Made by :meth:`sknn.nn.Network.function` and by slicing: ``network[:2]`` are the first two layers.

    Parameters
    ----------
    layers : sequence of Layer
        Applied in order.
    parameters : dict
        Those of each layer under its position: arrays or Tensors by name.
    context : Context
        How they are applied.

    Attributes
    ----------
    training : bool
        Whether this is a step of training, and not validation or prediction.
    progress : float
        The share of the fit that is done, which the loop keeps up; 1 outside of a fit.
    """

    __slots__ = ("context", "layers", "parameters", "progress", "steps", "training")

    def __init__(self, layers: Sequence[Layer], parameters: dict[str, Any], context: Context) -> None:
        self.layers, self.parameters, self.context = layers, parameters, context
        self.training, self.progress = context.training, 1.0
        self.steps = [(layer.apply, parameters.get(str(k), {})) for k, layer in enumerate(layers)]

    def __call__(self, x: Any, **given: Any) -> Any:
        """The output for a batch x of shape (n, *input_shape), a Tensor where x or the parameters are Tensors.

        For rows of steps or of pixels, :class:`sknn.nn.Sequences` or :class:`sknn.nn.Grids`, it is such rows too,
        unless a layer has made one row of each sample.
        """
        context = self.context
        if given:
            context = context._replace(given=given)
        if hasattr(x, "lengths"):
            y, context = run(self.layers, self.parameters, x.values, context._replace(sequences=x))
            return y if context.sequences is None else context.sequences.like(y)
        for apply, params in self.steps:  # as `run` does where no lengths have to be followed, in half its time
            x = apply(params, x, context)
        return x

    def __getitem__(self, part: slice) -> Applied:
        """Some of the layers, in their order."""
        positions = range(len(self.layers))[part]
        parameters = {str(k): self.parameters.get(str(old), {}) for k, old in enumerate(positions)}
        some = Applied([self.layers[k] for k in positions], parameters, self.context)
        some.progress = self.progress
        return some
