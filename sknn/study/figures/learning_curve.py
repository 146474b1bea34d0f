"""The score against the number of training rows: from where on does a network pay?"""

from typing import TYPE_CHECKING

import numpy as np

from .labels import settle, spread
from .scene import NothingToDrawError, Scene, far_off, limits
from .style import MUTED, in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

WORST_OUT_OF_VIEW = 0.05  # of all points
LABEL_HEIGHT = 1.25  # in heights of letters


def draw_learning_curve(scene: Scene, axes: "Axes") -> None:
    """Draw the mean score of each model, and its standard deviation over the folds, for growing training sets.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    points = _points(scene)
    for model, curve in points.items():
        look = scene.looks[model]
        axes.plot(curve["n"], curve["mean"], **look.line())
        axes.fill_between(
            curve["n"],
            curve["mean"] - curve["std"],
            curve["mean"] + curve["std"],
            color=look.color,
            alpha=0.14 if look.is_network else 0.06,
            lw=0,
        )
    sizes = sorted({float(n) for curve in points.values() for n in curve["n"]})
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / 1.1, sizes[-1] * 1.06)
    axes.set_ylim(*_limits(scene, points))
    _tick_at(axes, sizes)
    axes.set_xlabel("Training rows")
    axes.set_ylabel(scene.score_label)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    _name_ends(scene, axes, points)


def _points(scene: Scene) -> "dict[str, DataFrame]":
    """Give mean and standard deviation of the folds for each model and share of the training rows."""
    rows = scene.study.learning_curves
    rows = rows[rows["dataset"] == scene.data.name]
    if not len(rows):
        raise NothingToDrawError("learning curves need a study with learning_curve=True")
    score = scene.measure.name
    rows = rows[np.isfinite(rows[score])]
    # Folds differ by a row or so: the n-th smallest part of each fold is one point of the curve.
    rows = rows.assign(part=rows.groupby(["model", "fold"])["n_train"].rank(ascending=False))
    if not len(rows):
        scene.check_scores()
    curves = rows.groupby(["model", "part"]).agg(n=("n_train", "mean"), mean=(score, "mean"), std=(score, "std"))
    return {
        model: curves.loc[model].fillna({"std": 0.0}).sort_values("n")
        for model in scene.models
        if model in curves.index.get_level_values("model")
    }


def _limits(scene: Scene, points: "dict[str, DataFrame]") -> tuple[float, float]:
    """Leave the worst twentieth out of view: a single collapse on few rows would squeeze all curves into a corner."""
    sign = 1 if scene.measure.greater_is_better else -1
    far = far_off({model: float(sign * curve["mean"].iloc[-1]) for model, curve in points.items()})
    near = [curve for model, curve in points.items() if model not in far]
    ends = np.concatenate([curve["mean"] + share * curve["std"] for curve in near for share in (-0.5, 0.5)])
    worst = np.quantile(sign * ends, WORST_OUT_OF_VIEW)
    return limits(ends[sign * ends >= worst])


def _tick_at(axes: "Axes", sizes: list[float]) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    shown = [size for place, size in enumerate(sizes) if place == 0 or size > 1.3 * sizes[place - 1]]
    axes.xaxis.set_major_locator(FixedLocator(shown))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{size:,.0f}" for size in shown]))
    axes.xaxis.set_minor_locator(NullLocator())


def _name_ends(scene: Scene, axes: "Axes", points: "dict[str, DataFrame]") -> None:
    """Write the name of each model beside the end of its curve, moved up or down where they would overlap."""
    settle(axes)
    low, high = axes.get_ylim()
    height = axes.get_window_extent().height * 72 / axes.figure.dpi
    ends = {model: (curve["n"].iloc[-1], curve["mean"].iloc[-1]) for model, curve in points.items()}
    at = np.array([(np.clip(y, low, high) - low) / (high - low) for _, y in ends.values()])
    titles = [in_a_line(scene.looks[model].title) for model in ends]
    letters = float(axes.xaxis.label.get_fontsize())
    moved = spread(at, min(LABEL_HEIGHT * letters / height, 1.05 / max(len(at) - 1, 1)))
    moved -= max(moved.max() - 1.02, 0)
    for (model, (n, mean)), y, title in zip(ends.items(), moved, titles, strict=True):
        out = "" if low <= mean <= high else f" ({scene.out_of_view(mean)})"
        axes.annotate(
            title + out,
            (n, float(np.clip(mean, low, high))),
            (1.07, y),
            textcoords="axes fraction",
            va="center",
            color=scene.looks[model].color,
            arrowprops={
                "arrowstyle": "-",
                "color": MUTED,
                "linewidth": 0.5,
                "shrinkA": 0,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
