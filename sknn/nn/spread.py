"""A network whose weights are drawn anew for each batch, or for each sample where that can be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .applied import Applied
from .dense import Dense
from .layer import Layer, Spread


def with_spread(nets: Applied, layers: Mapping[str, Layer], std: dict[str, Any], locally: bool = True) -> Applied:
    """A network as a function of a batch whose weights are normal around those it has, each by itself.

    Dense layers draw their outputs, which for each sample have the distribution that drawn weights would give them;
    since the samples of a batch do not share what is drawn, gradients have less noise (local reparametrisation). Other
    layers, and those that are applied at several positions of a sample, draw weights once for the batch.

    Parameters
    ----------
    nets : Applied
        The network with the means; its context has the draws.
    layers : mapping of str to Layer
        Its layers by their full names.
    std : dict
        How far parameters spread, nested as those are; what is not named does not.
    locally : bool, default=True
        False: all layers draw weights.

    References
    ----------
    Kingma, Salimans, Welling (2015). Variational dropout and the local reparameterization trick. NeurIPS.
    arXiv:1506.02557.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import Dense, Draws, Network, with_spread
    >>> network = Network([Dense(1, init="ones")], (1,), None, "float64")
    >>> nets = network.function(draws=Draws(0, "float64"))
    >>> y = with_spread(nets, network.layers_by_name, {"0": {"weight": np.full((1, 1), 0.1)}})(np.ones((5000, 1)))
    >>> y.mean().round(1), y.std().round(1)
    (np.float64(1.0), np.float64(0.1))
    """
    local = layers if locally else {}
    drawn = Applied(nets.layers, _spread(nets.parameters, std, "", local, nets.context.draws), nets.context)
    drawn.training, drawn.progress = nets.training, nets.progress
    return drawn


def _spread(
    means: dict[str, Any], std: dict[str, Any], name: str, layers: Mapping[str, Layer], draws: Any
) -> dict[str, Any]:
    """The parameters of the layer of this name, and of those within it."""
    if not std:
        return means
    if isinstance(layers.get(name), Dense):
        return Spread(means, std)
    inner = {each: value for each, value in means.items() if isinstance(value, dict)}
    own = Spread({each: value for each, value in means.items() if each not in inner}, std).drawn(draws)
    for each, value in inner.items():
        own[each] = _spread(value, std.get(each, {}), f"{name}.{each}" if name else each, layers, draws)
    return own
