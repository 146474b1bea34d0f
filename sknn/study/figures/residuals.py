"""By how much predicted numbers are wrong, and where."""

from typing import TYPE_CHECKING

from .scene import NothingToDrawError, Scene
from .style import INK, in_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 400  # of a model


def draw_residuals(scene: Scene, axes: "Axes") -> None:
    """Draw target minus prediction against prediction, for the best network and the best baseline.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    if scene.data.task != "regression":
        raise NothingToDrawError(f"residuals are for regression, but {scene.data.name!r} is a {scene.data.task}")
    predictions = scene.study.predictions
    predictions = predictions[predictions["dataset"] == scene.data.name]
    scene.check_scores()
    best = {scene.looks[model].is_network: model for model in reversed(scene.scored)}
    for model in sorted(best.values(), key=scene.models.index, reverse=True):  # the better one on top
        rows = predictions[predictions["model"] == model]
        rows = rows.iloc[:: -(-len(rows) // MOST_POINTS)]
        predicted = rows["predicted"].to_numpy(dtype=float)
        residual = rows["target"].to_numpy(dtype=float) - predicted
        look = scene.looks[model]
        axes.plot(
            predicted, residual, linestyle="none", label=in_lines(look.title), **look.points(3.5) | {"alpha": 0.75}
        )
    axes.axhline(0, color=INK, linewidth=0.9)
    axes.margins(0.04)
    axes.set_xlabel("Predicted")
    axes.set_ylabel("Residual: target minus predicted")
    axes.grid()
    axes.set_axisbelow(True)
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1], names[::-1], loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0
    )
