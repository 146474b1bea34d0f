"""The scores of all folds, a box for each model."""

from typing import TYPE_CHECKING

import numpy as np

from .scene import Scene, limits, name_rows
from .style import MUTED, PAPER, Look, in_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST_FOR_A_BOX = 3


def draw_scores(scene: Scene, axes: "Axes") -> None:
    """Draw a row for each model, best first: the box of its folds, and each fold as a point.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    scene.check_scores()
    for row, (model, scores) in enumerate(scene.scores.items()):
        if not len(scores):
            _note(axes, row, f"({scene.why_no_score(model)})", at_left=True)
        elif model in scene.in_view:
            _row(axes, row, scores, scene.looks[model])
        else:
            _far(axes, row, scene, scores)
    axes.set_xlim(*limits(np.concatenate(list(scene.in_view.values()))))
    axes.set_xlabel(scene.score_label)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    name_rows(axes, [in_lines(scene.looks[model].title) for model in scene.scores])


def _row(axes: "Axes", row: int, scores: np.ndarray, look: Look) -> None:
    if len(scores) >= FEWEST_FOR_A_BOX:
        low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75])
        axes.plot([scores.min(), scores.max()], [row, row], color=look.color, linewidth=1.2)
        axes.barh(row, high - low, 0.62, left=low, facecolor=PAPER, edgecolor=look.color, linewidth=1.2, zorder=2.2)
        axes.plot([middle, middle], [row - 0.31, row + 0.31], color=look.color, linewidth=2.8, zorder=2.4)
    apart = np.linspace(-0.18, 0.18, len(scores)) if len(scores) > 1 else np.zeros(1)
    axes.plot(scores, row + apart, linestyle="none", zorder=3, **look.points(4))


def _far(axes: "Axes", row: int, scene: Scene, scores: np.ndarray) -> None:
    shown = scene.out_of_view(scores.mean())
    at_left = bool(scene.measure.greater_is_better)
    _note(axes, row, f"← {shown}, out of view" if at_left else f"{shown}, out of view →", at_left)


def _note(axes: "Axes", row: int, text: str, at_left: bool) -> None:
    across = axes.get_yaxis_transform()
    x, align = (0.01, "left") if at_left else (0.99, "right")
    axes.text(x, row, text, transform=across, ha=align, va="center", color=MUTED)
