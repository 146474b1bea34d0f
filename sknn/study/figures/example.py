"""An image with its label map, and what the best models make of it."""

from typing import TYPE_CHECKING

import numpy as np

from ..maps import UNLABELLED
from .scene import NothingToDrawError, Scene
from .style import COOL, GRID, INK, PAPER, WARM, in_a_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

CLASSES = (GRID, *(color for both in zip(COOL, WARM, strict=False) for color in both))  # no two alike beside each other
MOST_PIXELS = 256  # of a side
GAP = 0.06  # between two pictures, as a share of the longer side
IN_A_ROW = 2


def draw_example(scene: Scene, axes: "Axes") -> None:
    """Draw the first test image of the first fold, its labels, and those that the best network and baseline predict.

    Parameters
    ----------
    scene : Scene
        The data set.
    axes : Axes
        Where to draw.
    """
    from matplotlib.colors import to_rgb

    example = _predictions(scene)
    image, truth = scene.data.X[example["sample"].iloc[0]], example["target"].iloc[0]
    colors = np.array([to_rgb(color) for color in (PAPER, *CLASSES)])
    pictures = {"Image": _picture(_slice(image, 3)), "Labels": _colored(_slice(truth, 2), scene, colors)}
    for row in example.itertuples():
        pictures[in_a_line(scene.looks[str(row.model)].title)] = _colored(_slice(row.predicted, 2), scene, colors)
    height, width = truth.shape[-2:]
    gap = GAP * max(height, width)
    for number, (title, picture) in enumerate(pictures.items()):
        down, across = divmod(number, IN_A_ROW)
        left, top = across * (width + gap), down * (height + 3 * gap)
        axes.imshow(picture, extent=(left, left + width, top + height, top), interpolation="nearest")
        axes.text(left, top - gap / 3, title, ha="left", va="bottom", color=INK)
    n_rows = -(-len(pictures) // IN_A_ROW)
    axes.set_xlim(0, IN_A_ROW * (width + gap) - gap)
    axes.set_ylim(n_rows * (height + 3 * gap) - 3 * gap, -2 * gap)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _predictions(scene: Scene) -> "DataFrame":
    """The rows of the best network and the best baseline, of those that predicted for the first image."""
    data = scene.data
    if data.task != "segmentation":
        raise NothingToDrawError(f"an example is for label maps, but {data.name!r} is a {data.task}")
    if len(data.sample_shape or ()) == 2:
        raise NothingToDrawError(f"an example is for images, but {data.name!r} holds signals")
    scene.check_scores()
    predictions = scene.study.predictions
    rows = predictions[(predictions["dataset"] == data.name) & (predictions["model"].isin(list(scene.scored)))]
    rows = rows[rows["fold"] == rows["fold"].min()].set_index("model", drop=False)
    best = {scene.looks[model].is_network: model for model in reversed(scene.scored) if model in rows.index}
    return rows.loc[[best[is_network] for is_network in (True, False) if is_network in best]]


def _slice(grid: np.ndarray, n_axes: int) -> np.ndarray:
    """What is shown of an image, and of a volume the slice in its middle, with not too many pixels."""
    while grid.ndim > n_axes:
        grid = grid[len(grid) // 2]
    step = -(-max(grid.shape[:2]) // MOST_PIXELS)
    return grid[::step, ::step]


def _picture(image: np.ndarray) -> np.ndarray:
    """Channels as colours where there are three or four, and as grey otherwise; the darkest per cent is black."""
    numbers = np.asarray(image, float)
    shown = numbers[..., :3] if numbers.shape[-1] in (3, 4) else numbers.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    low, high = np.nanpercentile(shown, [1, 99])
    return np.clip((np.nan_to_num(shown, nan=low) - low) / (high - low or 1.0), 0, 1)


def _colored(labels: np.ndarray, scene: Scene, colors: np.ndarray) -> np.ndarray:
    codes = np.searchsorted(scene.data.labels, labels) % len(CLASSES)
    return colors[np.where(labels == UNLABELLED, 0, codes + 1)]
