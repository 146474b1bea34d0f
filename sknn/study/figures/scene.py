"""What every figure of one data set starts from: its rows, the models in order, their looks, and what is in view."""

from collections.abc import Mapping
from functools import cached_property
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from ..data import DataSet
from ..measures import Measure
from .style import MUTED, Look, looks_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from ..study import Study

LETTERS_ABOVE = 64  # in a line
SHARE_OF_RANGE = 0.4  # what the others must fit in before a model is said to be far off


class NothingToDrawError(ValueError):
    """A kind of figure that does not apply to a study."""


class Scene:
    """One data set of a study, as figures see it.

    Parameters
    ----------
    study : Study
        After ``run``.
    data : DataSet
        One of its data sets.
    """

    def __init__(self, study: "Study", data: DataSet) -> None:
        self.study, self.data = study, data
        self.results = _of(study.results, data)

    @cached_property
    def measure(self) -> Measure:
        return self.study.measures_of(self.data)[0]

    @cached_property
    def looks(self) -> dict[str, Look]:
        return looks_of(self.study.models)

    @cached_property
    def models(self) -> list[str]:
        """The models of the data set, best first."""
        summary = self.study.summary()
        return list(summary.loc[summary["dataset"] == self.data.name, "model"])

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """The finite scores of each model over the folds, best model first."""
        return {model: finite(self.rows(model)[self.measure.name]) for model in self.models}

    @property
    def scored(self) -> dict[str, np.ndarray]:
        """The same, of models that have any."""
        return {model: scores for model, scores in self.scores.items() if len(scores)}

    def rows(self, model: str) -> "DataFrame":
        """Return the results of a model."""
        return self.results[self.results["model"] == model]

    def why_no_score(self, model: str) -> str:
        """Say why a model has no score at all."""
        if self.rows(model)["error"].notna().any():
            return "failed"
        return f"gives no {self.measure.title}"

    @property
    def score_label(self) -> str:
        """The label of an axis of scores."""
        return f"{self.measure.title} ({'higher' if self.measure.greater_is_better else 'lower'} is better)"

    def check_scores(self) -> None:
        """Raise NothingToDrawError if no model has a score."""
        if not self.scored:
            raise NothingToDrawError(f"no model has a score for {self.measure.title} on {self.data.name!r}")

    @cached_property
    def in_view(self) -> dict[str, np.ndarray]:
        """The scores that an axis covers: without those of models far off."""
        return {model: scores for model, scores in self.scored.items() if model not in self.far}

    @cached_property
    def far(self) -> set[str]:
        """The models far off."""
        sign = 1 if self.measure.greater_is_better else -1
        return far_off({model: float(sign * scores.mean()) for model, scores in self.scored.items()})

    def out_of_view(self, score: float) -> str:
        """Write a score that is out of view, to about the precision of those in view."""
        spread = float(np.ptp(np.concatenate(list(self.in_view.values())))) or abs(score) or 1.0
        places = int(np.clip(1 - np.floor(np.log10(spread)), 0, 6))
        return f"{round(score, places) + 0.0:.{places}f}".replace("-", "−")


def _of(frame: "DataFrame", data: DataSet) -> "DataFrame":
    return frame[frame["dataset"] == data.name]


def finite(values: "np.typing.ArrayLike") -> np.ndarray:
    """Return the finite ones among some values."""
    values = np.asarray(values, dtype=float)
    return values[np.isfinite(values)]


def far_off(goodness: Mapping[str, float]) -> set[str]:
    """Find the models so bad that showing them would squeeze all others into a corner of the figure.

    Parameters
    ----------
    goodness : mapping of str to float
        The mean score of each model, greater being better.

    Returns
    -------
    set of str
        At most a third of the models: the fewest without which the others keep within 40 % of the range.

    Examples
    --------
    >>> far_off({"forest": 0.97, "mlp": 0.96, "logistic": 0.94, "dummy": 0.1})
    {'dummy'}
    >>> far_off({"forest": 0.97, "dummy": 0.1})
    set()
    """
    models = sorted(goodness, key=lambda model: -goodness[model])
    values = [goodness[model] for model in models]
    for n_kept in range(len(models) - 1, -(-2 * len(models) // 3) - 1, -1):
        if n_kept >= 2 and values[0] - values[n_kept - 1] < SHARE_OF_RANGE * (values[0] - values[-1]):
            return set(models[n_kept:])
    return set()


def limits(values: np.ndarray, margin: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis that shows some values."""
    low, high = float(values.min()), float(values.max())
    pad = margin * (high - low) or 0.05 * abs(high) or 0.05
    return low - pad, high + pad


def write_above(axes: "Axes", remarks: Mapping[str, list[str]]) -> None:
    """Write who is missing from a figure, and why."""
    lines = [f"{what}: {', '.join(names)}" for what, names in remarks.items() if names]
    text = "\n".join(fill(line, LETTERS_ABOVE) for line in lines)
    axes.set_title(text, fontsize=8, color=MUTED, loc="left")


def name_rows(axes: "Axes", labels: list[str]) -> None:
    """Write the names of models beside the rows of an axes, the first one at the top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
