"""How often the intervals of each model hold the true value, against their level."""

from typing import TYPE_CHECKING

import numpy as np

from ..intervals import LEVELS
from .scene import NothingToDrawError, Scene, finite, write_above
from .style import INK, in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_coverage(scene: Scene, axes: "Axes") -> None:
    """Draw the share of true values inside of intervals of each level; of models that know one level, a point.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    asked = scene.study.intervals
    if asked is None:
        raise NothingToDrawError("coverage against confidence is for a study of intervals, with intervals=0.9")
    without = []
    for model in scene.models:
        levels, shares = _coverage(scene, model, asked)
        look = scene.looks[model]
        style = look.line() if len(levels) > 1 else look.points(5.0) | {"linestyle": "none"}
        if len(levels):
            axes.plot(levels, shares, label=in_a_line(look.title), **style)
        else:
            without.append(in_a_line(look.title))
    if len(without) == len(scene.models):
        raise NothingToDrawError(f"no model gave intervals on {scene.data.name!r}")
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.9, zorder=0.5)
    axes.axvline(asked, color=INK, linewidth=0.6, linestyle=":", zorder=0.5)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("Confidence: level of the intervals")
    axes.set_ylabel("Share of true values inside")
    axes.grid()
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, handlelength=3, borderaxespad=0)
    write_above(axes, {"No intervals": without})


def _coverage(scene: Scene, model: str, asked: float) -> tuple[np.ndarray, np.ndarray]:
    """Levels, and the shares of true values inside of their intervals; of a model of one level those of the folds."""
    rows = scene.study.predictions
    of_model = rows[(rows["dataset"] == scene.data.name) & (rows["model"] == model)]
    needed = of_model["confidence"].to_numpy(dtype=float)
    if len(needed) and not np.isnan(needed).any():
        return np.array(LEVELS), np.array([np.mean(needed <= level) for level in LEVELS])
    scores = scene.rows(model)["coverage"] if "coverage" in scene.results else []
    known = finite(scores)
    return np.array([asked])[: len(known)], np.array([known.mean()] if len(known) else [])
