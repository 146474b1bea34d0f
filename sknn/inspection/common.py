"""What all displays need: matplotlib, the estimator inside of others, letters that fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

DARK, PALE = "0.25", "0.5"  # of texts: what is said, and what is said aside
DIVERGING, SEQUENTIAL, PLAIN = "RdBu_r", "magma", "Greys"  # values about 0, from 0 upwards, samples
SCALE = 20.0  # points that a unit of a drawing takes in a figure of its own
LARGEST = 9.0  # letters, in points
LETTER = 0.45  # letters, in units, where units are small
LETTER_WIDTH, LINE_HEIGHT = 0.58 * LETTER, 1.35 * LETTER  # in units


def pyplot(caller: str) -> Any:
    """matplotlib.pyplot, or an error that says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} requires matplotlib. You can install it with `pip install matplotlib`") from error
    return plt


def innermost(estimator: Any) -> Any:
    """The fitted estimator itself, or that inside of a search or at the end of a pipeline."""
    check_is_fitted(estimator)
    if hasattr(estimator, "best_estimator_"):
        return innermost(estimator.best_estimator_)
    return innermost(estimator[-1]) if isinstance(estimator, Pipeline) else estimator


def fitted_network(estimator: Any) -> Any:
    """The network of a fitted estimator, which may be inside of others."""
    inner = innermost(estimator)
    if not hasattr(inner, "network_"):
        raise TypeError(
            f"estimator={inner!r} has no network_; give an estimator of sknn, or a pipeline or search of one"
        )
    return inner.network_


def given_axes(plt: Any, ax: Any) -> Any:
    """The axes to draw in, None for those of a new figure; ValueError on anything else."""
    if ax is None or isinstance(ax, plt.Axes):
        return ax
    several = "; take one of them, as in ax[0]" if np.iterable(ax) and not isinstance(ax, str) else ""
    raise ValueError(f"ax must be a matplotlib Axes, or None for a new figure; got {ax!r}{several}")


def line_colors(n: int) -> list[Any]:
    """The colours of the style in turn; where they would repeat, as many from light to dark."""
    import matplotlib as mpl

    cycle = mpl.rcParams["axes.prop_cycle"].by_key().get("color", ["C0"])
    return cycle[:n] if n <= len(cycle) else list(mpl.colormaps["viridis"](np.linspace(0, 0.9, n)))


def square_axes(plt: Any, ax: Any, box: tuple[float, float, float, float], inches: tuple[float, float]) -> Any:
    """The axes, or those of a new figure of such a size, with the limits of a box, equal units and no frame."""
    own = given_axes(plt, ax) is None
    if own:
        _, ax = plt.subplots(figsize=inches, layout="constrained")
    ax.set(xlim=box[:2], ylim=box[2:], aspect="equal", xticks=[], yticks=[])
    ax.set_frame_on(False)
    if own:
        ax.figure.draw_without_rendering()  # lays it out, so that letters can tell how much space they have
    return ax


def letter_size(ax: Any, share: float = LETTER) -> float:
    """The size of letters in points, of which no more than this share of a unit of the axes."""
    box, (left, right), (bottom, top) = ax.get_window_extent(), ax.get_xlim(), ax.get_ylim()
    unit = min(box.width / (right - left), box.height / (top - bottom)) * 72 / ax.figure.dpi
    return min(LARGEST, share * unit)


def write(ax: Any, x: float, y: float, lines: Sequence[str], colors: Sequence[str]) -> None:
    """Lines of text one below the other, centred on x; the first stands on y."""
    size = letter_size(ax)
    for k, (line, color) in enumerate(zip(lines, colors, strict=True)):
        ax.text(x, y - k * LINE_HEIGHT, line, ha="center", va="baseline", fontsize=size, color=color)


def draw_colorbar(
    ax: Any, mappable: Any, label: str, bounds: tuple[float, float, float, float], share: float = LETTER
) -> Any:
    """The scale of colours inside of the axes, at (left, bottom, width, height) in its units."""
    size = letter_size(ax, share)
    bar = ax.figure.colorbar(mappable, cax=ax.inset_axes(bounds, transform=ax.transData))
    bar.ax.tick_params(labelsize=size, labelcolor=DARK, color=PALE, length=2, pad=2)
    bar.set_label(label, size=size, color=DARK)
    bar.outline.set(edgecolor=PALE, linewidth=0.6)
    return bar
