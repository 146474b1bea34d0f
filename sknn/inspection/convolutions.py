"""What convolutions have learnt: their kernels, and what these make of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from ..autodiff.tape import Array
from ..description import in_order, is_integer
from ..nn import Conv, Network, Unflatten
from .common import (
    DARK,
    DIVERGING,
    LARGEST,
    PALE,
    PLAIN,
    SEQUENTIAL,
    draw_colorbar,
    fitted_network,
    innermost,
    letter_size,
    pyplot,
    square_axes,
)

INCHES, WIDEST = 0.75, 16.0  # a tile in a figure of its own, and that figure at most
LETTER_IN_TILE = 0.25  # all below in tiles
BESIDE, ROW_NAMES, SCALE_WIDTH = 1.3, 1.7, 1.2  # the space for the sample, for the names of rows, for the colours


@dataclass(frozen=True)
class Tiles:
    """Pictures (n, H, W) or curves (n, L) side by side in one Axes, each one unit wide, with its name above."""

    values: Array
    names: Sequence[str]
    n_columns: int
    rows: Sequence[str] = ()  # the names of the rows, if they have any
    gap: float = 0.14

    @property
    def head(self) -> float:
        """The space above a tile: in a table only the first row has names, in the margin."""
        return self.gap if self.rows else 0.3

    @property
    def height(self) -> float:
        """Of a tile."""
        return 0.6 if self.values.ndim == 2 else self.values.shape[1] / self.values.shape[2]

    @property
    def size(self) -> tuple[float, float]:
        """Of all together."""
        n_columns, n_rows = min(self.n_columns, len(self.values)), ceil(len(self.values) / self.n_columns)
        return n_columns * (1 + self.gap) - self.gap, n_rows * (self.height + self.head)

    def corner(self, k: int) -> tuple[float, float]:
        """The lower left corner of a tile; rows go downwards from 0."""
        row, column = divmod(k, self.n_columns)
        return column * (1 + self.gap), -(row + 1) * (self.height + self.head)

    def _frames(self, ax: Any) -> None:
        """The names and outlines."""
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        size = letter_size(ax, LETTER_IN_TILE)
        for k, name in enumerate(self.names):
            x, y = self.corner(k)
            ax.text(x + 0.5, y + self.height + 0.04, name, ha="center", va="bottom", fontsize=size, color=DARK)
        for k, name in enumerate(self.rows):
            y = self.corner(k * self.n_columns)[1] + self.height / 2
            ax.text(-self.gap, y, name, ha="right", va="center", fontsize=size, color=DARK)
        boxes = [Rectangle(self.corner(k), 1, self.height) for k in range(len(self.values))]
        ax.add_collection(PatchCollection(boxes, facecolor="none", edgecolor="0.8", linewidth=0.6, zorder=3))

    def curves(self, ax: Any, limits: tuple[float, float], **style: Any) -> list[Any]:
        """Draw curves (n, L) as lines, each over a pale one at 0."""
        self._frames(ax)
        lines, (low, high) = [], limits
        for k, curve in enumerate(self.values):
            x, y = self.corner(k)
            scaled = y + self.height * (0.06 + 0.88 * (np.stack([curve, 0 * curve]) - low) / (high - low))
            ax.plot([x, x + 1], [scaled[1, 0]] * 2, color="0.8", linewidth=0.6, zorder=1)
            lines += ax.plot(x + np.linspace(0.04, 0.96, len(curve)), scaled[0], **{"color": "C0", **style})
        return lines

    def pictures(self, ax: Any, limits: tuple[float, float], **style: Any) -> Any:
        """Draw pictures (n, H, W) as one mesh; the cells between them are empty."""
        self._frames(ax)
        n, h, w = self.values.shape
        n_rows, n_columns = ceil(n / self.n_columns), min(n, self.n_columns)
        cells = np.full((n_rows, h + 1, n_columns, w + 1), np.nan)
        for k, tile in enumerate(self.values):
            cells[k // self.n_columns, :h, k % self.n_columns, :w] = tile
        left = np.arange(n_columns)[:, None] * (1 + self.gap) + np.linspace(0, 1, w + 1)
        top = -self.head - np.arange(n_rows)[:, None] * (self.height + self.head) - np.linspace(0, self.height, h + 1)
        mesh = cells.reshape(n_rows * (h + 1), n_columns * (w + 1))[:-1, :-1]
        style = {"rasterized": True, **style}
        return ax.pcolormesh(left.ravel(), top.ravel(), mesh, vmin=limits[0], vmax=limits[1], **style)


class TileDisplay:
    """A display of small pictures or curves on one scale, with the sample that they tell of beside them."""

    def _draw(
        self,
        plt: Any,
        ax: Any,
        tiles: Tiles,
        *,
        limits: tuple[float, float],
        cmap: str,
        label: str | None,
        style: dict[str, Any],
        sample: Array | None = None,
    ) -> None:
        width, height = tiles.size
        are_curves = tiles.values.ndim == 2
        left = ROW_NAMES if tiles.rows else BESIDE if sample is not None else 0.05
        right = 0.05 if are_curves or label is None else SCALE_WIDTH
        above = 0.35 if tiles.rows else 0.0
        inches = min(INCHES * (1.4 if are_curves else 1.0), WIDEST / (width + left + right))
        size = inches * (left + width + right) + 0.1, inches * (above + height + 0.05) + (0.4 if are_curves else 0.1)
        self.ax_ = ax = square_axes(plt, ax, (-left, width + right, -height - 0.05, above), size)
        self.figure_ = ax.figure
        self.image_ = self.lines_ = self.colorbar_ = None
        if sample is not None:
            _draw_sample(ax, sample, tiles)
        if are_curves:
            self.lines_ = tiles.curves(ax, limits, **style)
            if label is not None:
                low, high = (f"{limit:.2g}".replace("-", "\N{MINUS SIGN}") for limit in limits)
                ax.set_xlabel(f"{label} from {low} to {high} in each", fontsize=LARGEST, color=PALE)
            return
        self.image_ = tiles.pictures(ax, limits, **{"cmap": cmap, **style})
        if label is not None:
            bounds = (width + 0.15, -height, 0.12, height - tiles.head)
            self.colorbar_ = draw_colorbar(ax, self.image_, label, bounds, LETTER_IN_TILE)


class FilterDisplay(TileDisplay):
    """The kernels of a convolution, one small picture each; those over signals are curves.

    Make one with :meth:`from_estimator`. Colours are symmetric about 0: red is positive, blue negative, white nothing.
    Of kernels over volumes the middle slice is drawn.

    Parameters
    ----------
    kernels : ndarray of shape (*kernel_size, n_channels, n_filters)
        The weights.
    filters : sequence of int, default=None
        Which filters to draw, in this order; None: all.
    channel : int, default=None
        Of which input channel; None: of all, one below the other.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the kernels are.
    image_ : matplotlib QuadMesh or None
        The pictures.
    lines_ : list of matplotlib Line2D or None
        The curves.
    colorbar_ : matplotlib Colorbar or None
        The scale of the pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import FilterDisplay
    >>> display = FilterDisplay(kernels=np.random.RandomState(0).normal(size=(3, 3, 1, 16))).plot()
    >>> low, high = display.image_.get_clim()
    >>> low == -high
    True
    """

    def __init__(self, *, kernels: Array, filters: Sequence[int] | None = None, channel: int | None = None) -> None:
        self.kernels = kernels
        self.filters = filters
        self.channel = channel

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        layer: int | None = None,
        filters: Sequence[int] | None = None,
        channel: int | None = None,
        n_columns: int = 8,
        colorbar: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> FilterDisplay:
        """Draw the kernels of a fitted convolutional network.

        Parameters
        ----------
        estimator : estimator
            Fitted; a pipeline or a search stands for the network in it.
        layer : int, default=None
            Which convolution: its row in ``estimator.summary()``; None: the first.
        filters : sequence of int, default=None
            Which filters to draw, in this order; None: all.
        channel : int, default=None
            Of which input channel; None: of all, one below the other.
        n_columns, colorbar, ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : FilterDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            If the estimator has no network.
        ValueError
            If the layer is not a convolution, or the network has none.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sknn import CNNClassifier
        >>> from sknn.inspection import FilterDisplay
        >>> X, y = load_digits(return_X_y=True)
        >>> cnn = CNNClassifier(8, hidden_layer_sizes=(), input_shape=(8, 8, 1), tol=0.1, random_state=0)
        >>> FilterDisplay.from_estimator(cnn.fit(X[:500], y[:500])).kernels.shape
        (3, 3, 1, 8)
        """
        pyplot(f"{cls.__name__}.from_estimator")
        network = fitted_network(estimator)
        kernels = network.parameters[str(_convolution(network, layer))]["weight"]
        display = cls(kernels=kernels, filters=filters, channel=channel)
        return display.plot(ax=ax, n_columns=n_columns, colorbar=colorbar, **kwargs)

    def plot(self, ax: Any = None, *, n_columns: int = 8, colorbar: bool = True, **kwargs: Any) -> FilterDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure of a size that fits.
        n_columns : int, default=8
            Filters in a row; where several channels are drawn, one row has all of them.
        colorbar : bool, default=True
            Whether to show the scale: of pictures beside them, of curves in words.
        **kwargs
            For `matplotlib.axes.Axes.pcolormesh`, or of the lines.

        Returns
        -------
        display : FilterDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        tiles = self._tiles(n_columns)
        limit = float(np.abs(tiles.values).max()) or 1.0
        label = "weight" if colorbar else None
        self._draw(plt, ax, tiles, limits=(-limit, limit), cmap=DIVERGING, label=label, style=kwargs)
        return self

    def _tiles(self, n_columns: int) -> Tiles:
        """The chosen kernels; those of several channels as a table with a row for each channel."""
        *_, n_channels, n_filters = self.kernels.shape
        filters = _chosen("filters", self.filters, n_filters)
        channels = _chosen("channel", None if self.channel is None else [self.channel], n_channels)
        values = np.stack([self.kernels[..., channel, each] for channel in channels for each in filters])
        names = [str(each) for each in filters]
        if len(channels) == 1:
            return Tiles(_flat(values), names, n_columns)
        names += [""] * (len(values) - len(filters))
        return Tiles(_flat(values), names, len(filters), rows=[f"channel {channel}" for channel in channels])


class FeatureMapDisplay(TileDisplay):
    """What the filters of a layer answer to one sample, and where: one small picture each; over signals, curves.

    Make one with :meth:`from_estimator`. All maps have one scale. Where responses may be negative, colours are
    symmetric about 0. Of maps over volumes the middle slice is drawn.

    Parameters
    ----------
    maps : ndarray of shape (*grid, n_channels)
        The responses.
    sample : ndarray of shape (*grid, n_channels), default=None
        What they answer to.
    channels : sequence of int, default=None
        Which maps to draw, in this order; None: all.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the maps are.
    image_ : matplotlib QuadMesh or None
        The pictures.
    lines_ : list of matplotlib Line2D or None
        The curves.
    colorbar_ : matplotlib Colorbar or None
        The scale of the pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import FeatureMapDisplay
    >>> display = FeatureMapDisplay(maps=np.random.RandomState(0).uniform(size=(8, 8, 16))).plot()
    >>> display.image_.get_clim()[0]
    0.0
    """

    def __init__(self, *, maps: Array, sample: Array | None = None, channels: Sequence[int] | None = None) -> None:
        self.maps = maps
        self.sample = sample
        self.channels = channels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        layer: int | None = None,
        channels: Sequence[int] | None = None,
        n_columns: int = 8,
        colorbar: bool = True,
        include_sample: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> FeatureMapDisplay:
        """Draw what a fitted convolutional network makes of a sample.

        Parameters
        ----------
        estimator : estimator
            Fitted; a search stands for its best estimator. The steps of a pipeline are applied to the sample.
        X : array-like
            One sample, in a shape that the network takes, alone or as a batch of one; for a pipeline a batch of one.
        layer : int, default=None
            After which layer: its row in ``estimator.summary()``; None: after the first convolution, with the
            normalisation and activation that follow it.
        channels : sequence of int, default=None
            Which maps to draw, in this order; None: all.
        n_columns, colorbar, include_sample, ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : FeatureMapDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            If the estimator has no network.
        ValueError
            If X is not one sample, or the layer puts out no maps.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sknn import CNNClassifier
        >>> from sknn.inspection import FeatureMapDisplay
        >>> X, y = load_digits(return_X_y=True)
        >>> cnn = CNNClassifier(8, hidden_layer_sizes=(), input_shape=(8, 8, 1), tol=0.1, random_state=0)
        >>> FeatureMapDisplay.from_estimator(cnn.fit(X[:500], y[:500]), X[600]).maps.shape
        (8, 8, 8)
        """
        pyplot(f"{cls.__name__}.from_estimator")
        network = fitted_network(estimator)
        x = _one_sample(network, _before_the_network(estimator, X))
        stop = _after_convolution(network) if layer is None else _position(network, layer) + 1
        scaling = innermost(estimator).input_scaling_
        maps = network[:stop]((x if scaling is None else scaling(x)).astype(network.theta.dtype))[0]
        if maps.ndim < 2:
            raise ValueError(
                f"layer={layer!r} puts out {maps.size} numbers without positions, not maps; choose one before"
            )
        seen = next((k + 1 for k, each in enumerate(network.layers) if isinstance(each, Unflatten)), 0)
        display = cls(maps=maps, sample=network[:seen](x)[0], channels=channels)
        return display.plot(ax=ax, n_columns=n_columns, colorbar=colorbar, include_sample=include_sample, **kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        n_columns: int = 8,
        colorbar: bool = True,
        include_sample: bool = True,
        **kwargs: Any,
    ) -> FeatureMapDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure of a size that fits.
        n_columns : int, default=8
            Maps in a row.
        colorbar : bool, default=True
            Whether to show the scale: of pictures beside them, of curves in words.
        include_sample : bool, default=True
            Whether the sample is drawn to the left of its maps, if there is one: in grey, or in its colours if it has
            three channels.
        **kwargs
            For `matplotlib.axes.Axes.pcolormesh`, or of the lines.

        Returns
        -------
        display : FeatureMapDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        channels = _chosen("channels", self.channels, self.maps.shape[-1])
        values = _flat(np.moveaxis(self.maps[..., channels], -1, 0))
        tiles = Tiles(values, [str(channel) for channel in channels], n_columns)
        limit = float(np.abs(values).max()) or 1.0
        signed = bool(values.min() < 0)
        self._draw(
            plt,
            ax,
            tiles,
            limits=(-limit if signed else 0.0, limit),
            cmap=DIVERGING if signed else SEQUENTIAL,
            label="response" if colorbar else None,
            style=kwargs,
            sample=self.sample if include_sample else None,
        )
        return self


def _draw_sample(ax: Any, sample: Array, tiles: Tiles) -> None:
    """The sample (*grid, n_channels) to the left of the first tile."""
    from matplotlib.patches import Rectangle

    scaled = (sample - sample.min()) / (np.ptp(sample) or 1.0)
    picture = scaled[len(scaled) // 2] if sample.ndim == 4 else scaled
    left, top = -BESIDE, -tiles.head
    height = tiles.height if sample.ndim == 2 else picture.shape[0] / picture.shape[1]
    if sample.ndim == 2:
        inside = left + np.linspace(0.04, 0.96, len(sample)), top - height * (0.94 - 0.88 * scaled)
        ax.plot(*inside, color=DARK, linewidth=0.8)
    else:
        shown = picture if picture.shape[-1] == 3 else picture.mean(axis=-1)
        extent = (left, left + 1, top - height, top)
        ax.imshow(shown, cmap=PLAIN, extent=extent, interpolation="nearest")
    ax.add_patch(Rectangle((left, top - height), 1, height, facecolor="none", edgecolor="0.8", linewidth=0.6))
    size = letter_size(ax, LETTER_IN_TILE)
    ax.text(left + 0.5, top + 0.04, "input", ha="center", va="bottom", fontsize=size, color=DARK)


def _flat(values: Array) -> Array:
    """Volumes (n, D, H, W) by their middle slices (n, H, W); pictures and curves as they are."""
    return values[:, values.shape[1] // 2] if values.ndim == 4 else values


def _chosen(name: str, chosen: Any, n: int) -> list[int]:
    """Which of n to draw, by default all."""
    if chosen is None:
        return list(range(n))
    listed = list(chosen) if in_order(chosen) else []
    if not listed or not all(is_integer(each) and -n <= each < n for each in listed):
        raise ValueError(f"{name}={chosen!r} must name some of {n}, 0 to {n - 1}, or be None for all")
    return listed


def _position(network: Network, layer: int) -> int:
    n = len(network.layers)
    if not is_integer(layer) or not -n <= layer < n:
        raise ValueError(f"layer={layer!r} is out of range: the network has {n} layers, 0 to {n - 1}")
    return layer % n


def _convolution(network: Network, layer: int | None) -> int:
    """The position of a convolution, by default of the first."""
    found = [k for k, each in enumerate(network.layers) if isinstance(each, Conv)]
    if not found:
        raise ValueError("no layer of the network is a convolution, so there are no filters to show")
    if layer is None:
        return found[0]
    position = _position(network, layer)
    if position not in found:
        raise ValueError(f"layer={layer!r} is {network.layers[position]}; convolutions are the layers {found}")
    return position


def _after_convolution(network: Network) -> int:
    """Where the first convolution ends, with the normalisation and activation that belong to it."""
    stop = _convolution(network, None) + 1
    while stop < len(network.layers) and network.layers[stop].accompanies:
        stop += 1
    return stop


def _before_the_network(estimator: Any, X: Any) -> Any:
    """What reaches the network of a pipeline or a search."""
    if hasattr(estimator, "best_estimator_"):
        return _before_the_network(estimator.best_estimator_, X)
    if isinstance(estimator, Pipeline):
        return _before_the_network(estimator[-1], estimator[:-1].transform(X) if len(estimator) > 1 else X)
    return X


def _one_sample(network: Network, X: Any) -> Array:
    """X as a batch of one, in the shape of the network's inputs."""
    x, shape = np.asarray(X), network.input_shape
    x = x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)
    grid = _grid_of(x, shape)
    if not np.isfinite(x).all() or np.ma.is_masked(X):
        raise ValueError("X must be a sample without NaN, infinity or a mask")
    return x.reshape(1, *grid)


def _grid_of(x: Array, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of the only sample in x, which the network takes; ValueError if there is not one."""
    if None not in shape:
        if x.size != prod(shape):
            raise ValueError(f"X has shape {x.shape}; give one sample, whose shape holds {prod(shape)} values")
        return shape
    alone = x.shape[1:] if x.shape[:1] == (1,) else x.shape
    for grid in (x.shape, alone, (*x.shape, 1), (*alone, 1)):  # a single channel may be left out
        if len(grid) == len(shape) and all(n in (None, m) for n, m in zip(shape, grid, strict=True)):
            return grid
    raise ValueError(f"X has shape {x.shape}; give one sample of shape {shape}, of which None may be any size")
