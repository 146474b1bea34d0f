"""By how much the best model is ahead of each other one."""

from typing import TYPE_CHECKING

import numpy as np

from ..compare import compare_pairs
from .scene import NothingToDrawError, Scene, far_off, name_rows
from .style import BAND, INK, MUTED, in_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


def draw_differences(scene: Scene, axes: "Axes") -> None:
    """Draw the lead of the best model on each other one, with its 95 % interval and the differences that do not matter.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    best, pairs = _against_the_best(scene)
    far = far_off({row["model_b"]: -row["difference"] for row in pairs.to_dict("records")})
    shown = pairs[~pairs["model_b"].isin(far)]
    ends = shown[["difference", "low", "high"]].to_numpy(dtype=float)
    reach = np.nanmax(np.abs([*ends.ravel(), *shown["rope"]])) * 1.08 or 1.0
    right = reach
    left = min(np.nanmin(ends), -float(shown["rope"].max()), 0.0) - 0.08 * reach
    for row, pair in enumerate(pairs.to_dict("records")):
        look = scene.looks[pair["model_b"]]
        axes.barh(row, 2 * pair["rope"], left=-pair["rope"], height=1.0, color=BAND, zorder=0.5, linewidth=0)
        if pair["model_b"] in far:
            value = f"{scene.out_of_view(pair['difference'])}, out of view →"
            axes.text(0.99, row, value, transform=axes.get_yaxis_transform(), ha="right", va="center", color=MUTED)
            continue
        if np.isfinite(pair["low"]):
            axes.plot([pair["low"], pair["high"]], [row, row], color=look.color, linewidth=1.6)
        axes.plot(pair["difference"], row, linestyle="none", **look.points(7))
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.set_xlim(left, right)
    ahead = "higher" if scene.measure.greater_is_better else "lower"
    axes.set_xlabel(f"{scene.measure.title}: by how much {scene.looks[best].title} is {ahead}", wrap=True)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    name_rows(axes, [in_lines(scene.looks[model].title) for model in pairs["model_b"]])


def _against_the_best(scene: Scene) -> "tuple[str, DataFrame]":
    pairs = compare_pairs(scene.results, scene.measure)
    if not len(pairs):
        raise NothingToDrawError(
            f"differences need two models with a {scene.measure.title} in every fold of {scene.data.name!r}"
        )
    compared = set(pairs["model_a"]) | set(pairs["model_b"])
    best = next(model for model in scene.models if not (pairs["model_b"] == model).any() and model in compared)
    return best, pairs[pairs["model_a"] == best].sort_values("difference", kind="stable")
