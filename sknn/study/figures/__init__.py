"""The figures of a study, by kind."""

from collections.abc import Callable
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from ..names import look_up
from .calibration import draw_calibration
from .cost import draw_cost
from .coverage import draw_coverage
from .differences import draw_differences
from .example import draw_example
from .learning_curve import draw_learning_curve
from .log_densities import draw_log_densities
from .ranks import draw_ranks
from .residuals import draw_residuals
from .scene import NothingToDrawError, Scene
from .scores import draw_scores
from .style import any_letters, check_axes, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..study import Study

__all__ = ["FIGURES", "OVER_ALL", "Kind", "NothingToDrawError", "draw", "draw_all"]

WIDTH = 5.2  # inches


class Kind(NamedTuple):
    """A kind of figure: what draws it, how high it is (inches, for a number of models), and how to read it."""

    function: Callable[[Scene, "Axes"], None]
    height: Callable[[int], float]
    title: str
    caption: str


def _by_rows(n_models: int) -> float:
    return max(0.75 + 0.34 * n_models, 1.6)


def _by_halves(n_models: int) -> float:
    return 1.5 + 0.15 * n_models


def _square(n_models: int) -> float:
    return 3.9


FIGURES: dict[str, Kind] = {
    "scores": Kind(
        draw_scores,
        _by_rows,
        "Scores of the folds",
        "Each point is one fold; a box holds the middle half of them, the thick line is the median; the best model "
        "comes first.",
    ),
    "cost": Kind(
        draw_cost,
        _square,
        "Score against cost",
        "Cheap models are on the left: the mean score with its standard deviation over the folds, against the median "
        "time with its quartiles, on a logarithmic scale.",
    ),
    "differences": Kind(
        draw_differences,
        _by_rows,
        "Lead of the best model",
        "The interval (95 %, for each pair alone) says how large the lead may be; where it reaches across zero the "
        "model may be as good, and within the shaded band a difference does not matter.",
    ),
    "calibration": Kind(
        draw_calibration,
        _square,
        "Calibration",
        "On the diagonal, predictions made with 80 % confidence are right 80 % of the time; below it a model is "
        "overconfident, above it underconfident.",
    ),
    "coverage": Kind(
        draw_coverage,
        _square,
        "Coverage against confidence",
        "On the diagonal, intervals of each level hold the true value as often as they say; below it a model is "
        "overconfident, above it underconfident. A point is a model that knows intervals of one level alone.",
    ),
    "residuals": Kind(
        draw_residuals,
        _square,
        "Residuals",
        "The best network and the best baseline: points spread evenly about zero are what is wanted; a bend or a "
        "funnel shows where a model errs.",
    ),
    "log_densities": Kind(
        draw_log_densities,
        _square,
        "Row by row",
        "Each point is a test row: how probable the best baseline finds it, from left to right, and by how much more "
        "or less the best network does; a mean hides whether that is so everywhere or in a few rows.",
    ),
    "example": Kind(
        draw_example,
        _square,
        "An example",
        "The first test image of the first fold, its label map, and what the best network and the best baseline "
        "predict; where there is no label it is white.",
    ),
    "learning_curve": Kind(
        draw_learning_curve,
        _square,
        "Learning curves",
        "The mean score against the number of training rows, shaded by its standard deviation over the folds: where "
        "the curve of a network crosses those of the baselines, it begins to pay.",
    ),
    "ranks": Kind(
        draw_ranks,
        _by_halves,
        "Average ranks",
        "Models by their average rank over the data sets, 1 being the best; a thick bar joins models that Nemenyi's "
        "test cannot tell apart, since their ranks differ by less than the critical difference.",
    ),
}
OVER_ALL = ("ranks",)
"""The kinds that are about all data sets together."""


def draw(study: "Study", kind: str, dataset: str | None = None, axes: "Axes | None" = None) -> "Axes":
    """Draw a figure of a study.

    Parameters
    ----------
    study : Study
        After ``run``.
    kind : str
        One of ``FIGURES``.
    dataset : str, default=None
        The name of a data set; needed if there are several, except for ``"ranks"``.
    axes : Axes, default=None
        Where to draw; None makes a figure, outside pyplot.

    Returns
    -------
    Axes
        With the figure.

    Raises
    ------
    ValueError
        If the kind or the data set is unknown, or the kind does not apply: ``NothingToDrawError`` says what is missing.
    TypeError
        If `axes` is anything else.
    """
    figure = look_up("figure", kind, FIGURES)
    check_axes(axes)
    data = study.data_sets[0] if kind in OVER_ALL else study.data_set(dataset)
    scene = Scene(study, data)
    with any_letters():
        if axes is not None:
            figure.function(scene, axes)
            return axes
        with new_axes(WIDTH, figure.height(len(scene.models))) as axes:
            figure.function(scene, axes)
    return axes


def draw_all(study: "Study") -> "dict[tuple[str | None, str], Axes]":
    """Draw all figures that apply to a study.

    Parameters
    ----------
    study : Study
        After ``run``.

    Returns
    -------
    dict of (str or None, str) to Axes
        By the name of the data set (None: over all of them) and the kind.
    """
    places: list[str | None] = [None, *(data.name for data in study.data_sets)]
    drawn: dict[tuple[str | None, str], Axes] = {}
    for name, kind in product(places, FIGURES):
        if (name is None) == (kind in OVER_ALL):
            with suppress(NothingToDrawError):
                drawn[name, kind] = draw(study, kind, name)
    return drawn
