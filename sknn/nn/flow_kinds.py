"""The layers of a flow by name, for numbers and for images."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..autodiff.tape import Array
from .bijections import Affine, Autoregressive, Coupling, Mixing, Spline
from .conv import Conv
from .dense import Dense
from .layer import Layer, Shape

SPLINE_KINDS = {"spline": True, "affine": False, "glow": False, "autoregressive": True}


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
