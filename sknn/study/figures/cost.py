"""The score of each model against the time it takes to fit."""

from typing import TYPE_CHECKING

import numpy as np

from .labels import Box, label_points
from .scene import Scene, finite, limits
from .style import MUTED, in_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME_WIDTH = 15  # letters
LEAST_TIME = 1e-6  # seconds; a clock may be too coarse for a dummy


def draw_cost(scene: Scene, axes: "Axes") -> None:
    """Draw a point for each model, with the standard deviation of scores over folds, and the quartiles of the times.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    scene.check_scores()
    tuned = bool((scene.results["tune_time"] > 0).any())
    places, boxes = [], []
    for model, scores in scene.in_view.items():
        rows = scene.rows(model)
        times = np.maximum(finite(rows["fit_time"] + rows["tune_time"]), LEAST_TIME)
        time, (early, late) = np.median(times), np.percentile(times, [25, 75])
        score, error = scores.mean(), scores.std(ddof=1) if len(scores) > 1 else 0.0
        axes.errorbar(
            time,
            score,
            yerr=error,
            xerr=[[time - early], [late - time]],
            linestyle="none",
            elinewidth=1,
            **scene.looks[model].points(7),
        )
        places.append((time, score))
        boxes += [(time, score - error, time, score + error), (early, score, late, score)]
    axes.set_xscale("log")
    left, bottom, right, top = np.transpose(boxes)
    axes.set_xlim(left.min() / 3, right.max() * 3)
    axes.set_ylim(*limits(np.concatenate([bottom, top]), 0.12))
    axes.set_xlabel("Seconds to tune and fit, per fold" if tuned else "Seconds to fit, per fold")
    axes.set_ylabel(scene.score_label)
    axes.grid()
    axes.set_axisbelow(True)
    _name_those_out_of_view(scene, axes)
    names = [in_lines(scene.looks[model].title, NAME_WIDTH) for model in scene.in_view]
    colors = [scene.looks[model].color for model in scene.in_view]
    label_points(axes, np.array(places), names, colors, [_widened(axes, box) for box in boxes])


def _widened(axes: "Axes", box: Box) -> Box:
    """Give a line the width of a marker, in data coordinates."""
    pixels = axes.transData.transform(np.reshape(box, (2, 2))) + np.array([[-5.0], [5.0]]) * axes.figure.dpi / 72
    left, bottom, right, top = axes.transData.inverted().transform(pixels).ravel()
    return float(left), float(bottom), float(right), float(top)


def _name_those_out_of_view(scene: Scene, axes: "Axes") -> None:
    far = [
        f"{scene.looks[model].title} ({scene.out_of_view(scores.mean())})"
        for model, scores in scene.scored.items()
        if model not in scene.in_view
    ]
    if far:
        axes.set_title(f"Out of view: {', '.join(far)}", fontsize=8, color=MUTED, loc="left", wrap=True)
