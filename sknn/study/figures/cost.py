"""The score of each model against the time it takes to fit."""

from typing import TYPE_CHECKING

import numpy as np

from .labels import Box, label_points
from .scene import Scene, finite, limits, write_above
from .style import in_a_line, in_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY_TIMES = 50  # from which ratio on powers of ten are enough on the axis of times
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
    left, bottom, right, top = np.transpose(boxes)
    _scale_of_times(axes, left.min() / 3, right.max() * 3)
    axes.set_ylim(*limits(np.concatenate([bottom, top]), 0.12))
    axes.set_xlabel("Time to tune and fit, per fold" if tuned else "Time to fit, per fold")
    axes.set_ylabel(scene.score_label)
    axes.grid()
    axes.set_axisbelow(True)
    write_above(axes, {"Out of view": [_with_score(scene, model) for model in scene.models if model in scene.far]})
    names = [in_lines(scene.looks[model].title, NAME_WIDTH) for model in scene.in_view]
    colors = [scene.looks[model].color for model in scene.in_view]
    label_points(axes, np.array(places), names, colors, [_widened(axes, box) for box in boxes])


def _scale_of_times(axes: "Axes", least: float, most: float) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_xlim(least, most)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if most / least > MANY_TIMES else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(lambda time, _: f"{1000 * time:.3g} ms" if time < 0.09 else f"{time:,.3g} s")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _widened(axes: "Axes", box: Box) -> Box:
    """Give a line the width of a marker, in data coordinates."""
    pixels = axes.transData.transform(np.reshape(box, (2, 2))) + np.array([[-5.0], [5.0]]) * axes.figure.dpi / 72
    left, bottom, right, top = axes.transData.inverted().transform(pixels).ravel()
    return float(left), float(bottom), float(right), float(top)


def _with_score(scene: Scene, model: str) -> str:
    return f"{in_a_line(scene.looks[model].title)} ({scene.out_of_view(scene.scores[model].mean())})"
