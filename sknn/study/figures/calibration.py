"""Whether probabilities mean what they say."""

from typing import TYPE_CHECKING

import numpy as np

from .scene import NothingToDrawError, Scene, write_above
from .style import INK, in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

MOST_BINS = 10
FEWEST_IN_A_BIN = 20


def reliability(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare confidence with accuracy in bins of about as many predictions each.

    Parameters
    ----------
    confidence : ndarray of shape (n,)
        The probability of the predicted class.
    correct : ndarray of bool of shape (n,)
        Whether the prediction is right.

    Returns
    -------
    confidence, accuracy : ndarray of shape (n_bins,)
        Their means in each bin; equal confidences are never divided.

    Examples
    --------
    >>> reliability(np.full(100, 0.75), np.arange(100) < 60)
    (array([0.75]), array([0.6]))
    """
    n_bins = int(np.clip(len(confidence) // FEWEST_IN_A_BIN, 1, MOST_BINS))
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, n_bins + 1)[1:-1]))
    _, of, counts = np.unique(np.searchsorted(edges, confidence), return_inverse=True, return_counts=True)
    return np.bincount(of, confidence) / counts, np.bincount(of, correct) / counts


def draw_calibration(scene: Scene, axes: "Axes") -> None:
    """Draw the accuracy among predictions of about the same confidence, for each model with probabilities.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    known = _with_confidence(scene)
    curves = {
        model: reliability(
            rows["confidence"].to_numpy(dtype=float), (rows["predicted"] == rows["target"]).to_numpy(dtype=bool)
        )
        for model in scene.models
        if model not in scene.far and len(rows := known[known["model"] == model])
    }
    for model, (confidence, accuracy) in curves.items():
        axes.plot(confidence, accuracy, label=in_a_line(scene.looks[model].title), **scene.looks[model].line())
    lowest = min(min(confidence.min(), accuracy.min()) for confidence, accuracy in curves.values())
    low = max(lowest - 0.04, -0.02)
    axes.plot([low, 1.02], [low, 1.02], color=INK, linewidth=0.9, zorder=0.5)
    axes.set_xlim(low, 1.02)
    axes.set_ylim(low, 1.02)
    axes.set_xlabel("Confidence: mean probability of the predicted class")
    axes.set_ylabel("Share of right predictions")
    axes.grid()
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, handlelength=3, borderaxespad=0)
    _name_the_others(scene, known, axes)


def _with_confidence(scene: Scene) -> "DataFrame":
    if scene.data.task != "classification":
        raise NothingToDrawError(f"calibration is for classification, but {scene.data.name!r} is a {scene.data.task}")
    predictions = scene.study.predictions
    known = predictions[(predictions["dataset"] == scene.data.name) & predictions["confidence"].notna()]
    if not len(known):
        raise NothingToDrawError(f"calibration needs probabilities, but no model gave any on {scene.data.name!r}")
    return known


def _name_the_others(scene: Scene, known: "DataFrame", axes: "Axes") -> None:
    models = set(known["model"])
    titles = {model: in_a_line(scene.looks[model].title) for model in scene.models}
    without = [titles[model] for model in scene.scored if model not in models]
    far = [titles[model] for model in scene.models if model in models & scene.far]
    write_above(axes, {"No probabilities": without, "Out of view": far})
