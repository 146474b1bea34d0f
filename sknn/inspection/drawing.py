"""A network drawn: its units and connections, or a block for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import numpy as np

from ..nn import Network
from .blocks import BlockDrawing, blocks_of
from .common import DIVERGING, SCALE, draw_colorbar, fitted_network, innermost, pyplot, square_axes
from .units import UnitDrawing, is_dense

SCALE_WIDTH = 2.8  # units, for the colours of the weights


class NetworkDisplay:
    """A network drawn.

    Make one with :meth:`from_estimator`. A network of dense layers is drawn unit by unit, each connection coloured by
    its weight: red is positive, blue negative, and the stronger the wider; of a wide layer the first and the last
    units are drawn. Any other network is drawn layer by layer as blocks: their height and depth stand for the
    grid, their width for the channels, bars for layers without a grid, with shapes and numbers of parameters below.

    Parameters
    ----------
    network : Network
        The network.
    feature_names, output_names : sequence of str, default=None
        Written beside the units of the first and the last layer; None: nothing.
    out_activation : str, default="identity"
        What is applied to the outputs of the network.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the network is.
    units_ : list of matplotlib PatchCollection or None
        The drawn units, layer by layer.
    connections_ : list of matplotlib LineCollection or None
        The connections, from layer to layer.
    blocks_ : list of matplotlib PatchCollection or None
        The blocks, the input's first.
    colorbar_ : matplotlib Colorbar or None
        The scale of the weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import NetworkDisplay
    >>> from sknn.nn import Dense, Network
    >>> network = Network([Dense(3, "relu"), Dense(1)], (2,), np.random.RandomState(0))
    >>> display = NetworkDisplay(network=network).plot()
    >>> len(display.units_), len(display.connections_)
    (3, 2)
    """

    def __init__(
        self,
        *,
        network: Network,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        out_activation: str = "identity",
    ) -> None:
        self.network = network
        self.feature_names = feature_names
        self.output_names = output_names
        self.out_activation = out_activation

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        output_names: Sequence[str] | None = None,
        kind: Literal["units", "blocks"] | None = None,
        max_units: int = 12,
        colorbar: bool = True,
        ax: Any = None,
    ) -> NetworkDisplay:
        """Draw the network of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted; a pipeline or a search stands for the network in it.
        feature_names, output_names : sequence of str, default=None
            Names of features and outputs; None: those that the estimator was fitted with, or x0, x1, ... and the
            classes (of two classes the second, whose probability the output tells), or y0, y1, ...
        kind, max_units, colorbar, ax
            See :meth:`plot`.

        Returns
        -------
        display : NetworkDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            If the estimator has no network.
        ValueError
            If `kind` is unknown, or there are more or fewer names than features or outputs, or units are asked for
            where a layer is not dense.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sknn import MLPClassifier
        >>> from sknn.inspection import NetworkDisplay
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> mlp = MLPClassifier(5, tol=0.01, random_state=0).fit(X, y)
        >>> NetworkDisplay.from_estimator(mlp).feature_names
        ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)']
        """
        pyplot(f"{cls.__name__}.from_estimator")
        network, inner = fitted_network(estimator), innermost(estimator)
        display = cls(
            network=network,
            feature_names=_feature_names(inner, network.input_shape) if feature_names is None else feature_names,
            output_names=_output_names(inner, network.output_shape[-1]) if output_names is None else output_names,
            out_activation=getattr(inner, "out_activation_", "identity"),
        )
        return display.plot(ax=ax, kind=kind, max_units=max_units, colorbar=colorbar)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Literal["units", "blocks"] | None = None,
        max_units: int = 12,
        colorbar: bool = True,
    ) -> NetworkDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure of a size that fits.
        kind : {"units", "blocks"}, default=None
            Whether to draw each unit or a block for each layer; None: units where all layers are dense.
        max_units : int, default=12
            From a layer with more units, so many less one are drawn, and dots for the others.
        colorbar : bool, default=True
            Whether to show the scale of the weights.

        Returns
        -------
        display : NetworkDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If `kind` is unknown, or there are more or fewer names than features or outputs, or units are asked for
            where a layer is not dense.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        drawing = self._drawing(kind, max_units)
        left, right, bottom, top = drawing.box
        scale_at = right + 0.3
        right += SCALE_WIDTH if colorbar and isinstance(drawing, UnitDrawing) else 0.0
        inches = (right - left) * SCALE / 72 + 0.2, (top - bottom) * SCALE / 72 + 0.2
        self.ax_ = ax = square_axes(plt, ax, (left, right, bottom, top), inches)
        self.figure_ = ax.figure
        self.units_ = self.connections_ = self.blocks_ = self.colorbar_ = None
        if isinstance(drawing, BlockDrawing):
            self.blocks_ = drawing.draw(ax)
            return self
        self.units_, self.connections_ = drawing.draw(ax, DIVERGING)
        if colorbar:
            height = min(2 * top, 8.0)
            bounds = (scale_at, -height / 2, 0.3, height)
            self.colorbar_ = draw_colorbar(ax, self.connections_[0], "weight", bounds)
        return self

    def _drawing(self, kind: str | None, max_units: int) -> UnitDrawing | BlockDrawing:
        blocks = blocks_of(self.network, self.out_activation)
        if kind not in (None, "units", "blocks"):
            raise ValueError(f"kind={kind!r} is unknown; choose 'units', 'blocks' or None")
        if kind == "units" and not is_dense(blocks):
            raise ValueError("kind='units' draws networks of dense layers only; choose 'blocks' for this one")
        if kind == "blocks" or not is_dense(blocks):
            return BlockDrawing(blocks)
        if max_units < 3:
            raise ValueError(f"max_units={max_units!r} must be at least 3: the first unit, dots, and the last")
        features = _checked("feature_names", self.feature_names, blocks[0].shape[0])
        outputs = _checked("output_names", self.output_names, blocks[-1].shape[0])
        return UnitDrawing(self.network, blocks, features, outputs, max_units)


def _checked(argument: str, names: Sequence[str] | None, n: int) -> Sequence[str]:
    if names is None:
        return []
    if len(names) != n:
        raise ValueError(f"{argument} has {len(names)} names, but there are {n}")
    return [str(name) for name in names]


def _feature_names(estimator: Any, shape: tuple[Any, ...]) -> list[str]:
    """Those of the fit, or numbers: of grids of any size the channels."""
    names = getattr(estimator, "feature_names_in_", None)
    n_features = prod(n for n in shape if n is not None)
    return [f"x{k}" for k in range(n_features)] if names is None else list(map(str, names))


def _output_names(estimator: Any, n: int) -> list[str]:
    """The classes; the second of two, whose probability a single output tells."""
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return ["y"] if n == 1 else [f"y{k}" for k in range(n)]
    names = list(map(str, np.concatenate(classes) if isinstance(classes, list) else classes))
    return names[-n:] if len(names) in (n, n + 1) else [str(k) for k in range(n)]
