"""The critical-difference diagram of Demšar (2006)."""

from typing import TYPE_CHECKING

from ..compare import Ranks
from .scene import NothingToDrawError, Scene
from .style import INK, MUTED, Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BETWEEN_GROUPS, FIRST_NAME = 0.32, 0.75  # in rows of names


def draw_ranks(scene: Scene, axes: "Axes") -> None:
    """Draw the models along their average ranks; a bar joins those that Nemenyi's test cannot tell apart.

    Parameters
    ----------
    scene : Scene
        Any data set of a study with several.
    axes : Axes
        Where to draw.
    """
    ranks, looks = _ranks(scene), scene.looks
    n_models = len(ranks.average)
    _scale(axes, n_models)
    _critical_difference(axes, ranks.critical_difference, n_models)
    groups = [group for group in ranks.groups if len(group) > 1]
    for depth, group in enumerate(groups):
        ends = [ranks.average[group[0]] - 0.04, ranks.average[group[-1]] + 0.04]
        y = 0.3 + BETWEEN_GROUPS * depth
        axes.plot(ends, [y, y], color=INK, linewidth=3.2, solid_capstyle="butt")
    first = FIRST_NAME + BETWEEN_GROUPS * len(groups)
    half = (n_models + 1) // 2
    for place, (model, rank) in enumerate(ranks.average.items()):
        on_left = place < half
        depth = place if on_left else n_models - 1 - place
        _name(axes, float(rank), first + depth, looks[str(model)], 1 if on_left else n_models, on_left)
    axes.set_ylim(first + half - 0.4, -2.1)
    axes.set_xlim(0.9, n_models + 0.1)


def _ranks(scene: Scene) -> Ranks:
    try:
        return scene.study.ranks()
    except ValueError as error:
        raise NothingToDrawError(str(error)) from error


def _scale(axes: "Axes", n_models: int) -> None:
    axes.set_axis_off()
    axes.plot([1, n_models], [0, 0], color=INK, linewidth=1.2)
    for rank in range(1, n_models + 1):
        axes.plot([rank, rank], [0, -0.18], color=INK, linewidth=1.2)
        axes.text(rank, -0.28, f"{rank}", ha="center", va="bottom")


def _critical_difference(axes: "Axes", distance: float, n_models: int) -> None:
    end = min(1 + distance, float(n_models))
    axes.plot([1, end], [-1.25, -1.25], color=INK, linewidth=1.2)
    for x in (1, *([end] if end == 1 + distance else [])):
        axes.plot([x, x], [-1.37, -1.13], color=INK, linewidth=1.2)
    beyond = "" if end == 1 + distance else ", more than the whole scale"
    axes.text(1, -1.45, f"critical difference {distance:.2f}{beyond}", ha="left", va="bottom")


def _name(axes: "Axes", rank: float, y: float, look: Look, edge: float, on_left: bool) -> None:
    axes.plot([rank, rank, edge], [0, y, y], color=MUTED, linewidth=0.8)
    axes.plot(rank, 0, linestyle="none", zorder=4, clip_on=False, **look.points(6))
    title = look.title if len(look.title) <= 26 else look.title[:25] + "…"
    text = f"{title} {rank:.2f}" if on_left else f"{rank:.2f} {title}"
    offset, align = ((-4, 0), "right") if on_left else ((4, 0), "left")
    axes.annotate(text, (edge, y), offset, textcoords="offset points", ha=align, va="center", color=look.color)
