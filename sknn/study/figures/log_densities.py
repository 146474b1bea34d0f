"""Which rows the best network and the best baseline find probable, and where they differ."""

from typing import TYPE_CHECKING

import numpy as np

from .scene import NothingToDrawError, Scene, limits, write_above
from .style import INK, in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

MOST_POINTS = 800
OUTERMOST = 0.5  # per cent of the rows at each end that would squeeze all others


def draw_log_densities(scene: Scene, axes: "Axes") -> None:
    """Draw how much more probable the best network finds each test row, against what the best baseline finds.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    if scene.data.task != "density":
        raise NothingToDrawError(f"log-densities are for density, but {scene.data.name!r} is a {scene.data.task}")
    network, baseline = _best(scene, True), _best(scene, False)
    table = _by_row(scene)
    at, ahead = table[baseline].to_numpy(), (table[network] - table[baseline]).to_numpy()
    is_finite = np.isfinite(at) & np.isfinite(ahead)
    if not is_finite.any():
        raise NothingToDrawError(
            f"no row of {scene.data.name!r} has a density above 0 by both {network} and {baseline}"
        )
    x_ends, y_ends = (np.percentile(each[is_finite], [OUTERMOST, 100 - OUTERMOST]) for each in (at, ahead))
    (left, right), (bottom, top) = limits(x_ends), limits(np.append(y_ends, 0.0))
    in_view = is_finite & (left < at) & (at < right) & (bottom < ahead) & (ahead < top)
    rows = np.flatnonzero(in_view)
    rows = rows[:: -(-len(rows) // MOST_POINTS)]
    axes.plot(at[rows], ahead[rows], linestyle="none", **scene.looks[network].points(3.5) | {"alpha": 0.6})
    axes.axhline(0, color=INK, linewidth=0.9)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    names = [in_a_line(scene.looks[model].title) for model in (network, baseline)]
    axes.set_xlabel(f"Log-density by {names[1]} (nats)")
    axes.set_ylabel(f"{names[0]} minus that", wrap=True)
    axes.grid()
    axes.set_axisbelow(True)
    n_out = int((~in_view).sum())
    write_above(axes, {"Out of view": [f"{n_out:,} of {len(at):,} rows"] if n_out else []})


def _best(scene: Scene, is_network: bool) -> str:
    models = [model for model in scene.scored if scene.looks[model].is_network == is_network]
    if not models:
        family = "network" if is_network else "baseline"
        raise NothingToDrawError(
            f"log-densities are those of the best network and the best baseline, but no {family} has a "
            f"{scene.measure.title} on {scene.data.name!r}"
        )
    return models[0]


def _by_row(scene: Scene) -> "DataFrame":
    """The log-density of each test row, one column for each model."""
    predictions = scene.study.predictions
    predictions = predictions[predictions["dataset"] == scene.data.name]
    table = predictions.pivot(index=["fold", "sample"], columns="model", values="predicted")
    return table.astype(float)
