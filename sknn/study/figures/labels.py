"""Names beside points that do not overlap."""

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIRECTIONS = (
    *((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)),
    *((1, 0.4), (1, -0.4), (-1, 0.4), (-1, -0.4), (0.4, 1), (0.4, -1), (-0.4, 1), (-0.4, -1)),
)
DISTANCES = (7, 12, 18, 25, 33, 42, 52, 64, 78, 94, 112)  # in points
AROUND = np.array([5.0, 1.0])  # a name, kept free
MUCH_WORSE = 10  # is to cover a name than to cover a line
WITH_A_LINE = 10  # from which distance on a line leads to the name
Box = tuple[float, float, float, float]  # left, bottom, right, top; in points


def label_points(axes: "Axes", places: np.ndarray, names: list[str], colors: list[str], obstacles: list[Box]) -> None:
    """Write a name beside each point, where it covers neither another name nor what is drawn.

    Parameters
    ----------
    axes : Axes
        With its limits set; they must not change any more.
    places : ndarray of shape (n_points, 2)
        In data coordinates.
    names, colors : list of str
        One for each point.
    obstacles : list of (left, bottom, right, top)
        What must not be covered, in data coordinates.
    """
    settle(axes)
    to_points = 72 / axes.figure.dpi
    window = _box(np.array(axes.get_window_extent().extents) * to_points)
    taken = [_box(axes.transData.transform(np.reshape(box, (2, 2))).ravel() * to_points) for box in obstacles]
    at = axes.transData.transform(places) * to_points
    names_placed: list[Box] = []
    for place, point, name, color in zip(places, at, names, colors, strict=True):
        text = axes.annotate(name, place, (0, 0), textcoords="offset points", in_layout=False)
        size = np.array(text.get_window_extent().size) * to_points + AROUND
        text.remove()
        candidates = [_beside(point, size, direction, far) for far, direction in product(DISTANCES, DIRECTIONS)]
        costs = [_cost(box, taken, window) + _cost(box, names_placed, window) * MUCH_WORSE for box in candidates]
        best = int(np.argmin([cost + 2.0 * position for position, cost in enumerate(costs)]))
        box = candidates[best]
        leads = DISTANCES[best // len(DIRECTIONS)] > WITH_A_LINE
        axes.annotate(
            name,
            place,
            (np.array(box[:2]) + size / 2 - point).tolist(),
            textcoords="offset points",
            ha="center",
            va="center",
            color=color,
            in_layout=False,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "shrinkB": 4} if leads else None,
        )
        names_placed.append(box)


def settle(axes: "Axes") -> None:
    """Let the layout find its final sizes."""
    axes.figure.canvas.figure.draw_without_rendering()


def _box(extents: np.ndarray) -> Box:
    x0, y0, x1, y1 = map(float, extents)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _beside(point: np.ndarray, size: np.ndarray, direction: tuple[float, float], far: float) -> Box:
    reach = far / np.hypot(*direction)
    left, bottom = point - size / 2 + np.array(direction) * (reach + size / 2 * np.array([1, 0.8]))
    return float(left), float(bottom), float(left + size[0]), float(bottom + size[1])


def _cost(box: Box, taken: list[Box], window: Box) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return sum(_shared(box, other) for other in taken) + 3 * (area - _shared(box, window))


def _shared(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def spread(positions: np.ndarray, gap: float) -> np.ndarray:
    """Move positions apart as little as may be, so that neighbours keep a distance.

    Parameters
    ----------
    positions : ndarray of shape (n,)
        In any order.
    gap : float
        The least distance.

    Returns
    -------
    ndarray of shape (n,)
        In the same order.

    Examples
    --------
    >>> spread(np.array([1.0, 1.0, 5.0]), 1.0).tolist()
    [0.5, 1.5, 5.0]
    """
    order = np.argsort(positions, kind="stable")
    # Isotonic regression of what is left when every position gives up the room of those below.
    room = gap * np.arange(len(order))
    blocks: list[list[float]] = []
    for value in positions[order] - room:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, n_one), (two, n_two) = blocks[-2:]
            blocks[-2:] = [[(one * n_one + two * n_two) / (n_one + n_two), n_one + n_two]]
    moved = np.concatenate([np.full(int(count), value) for value, count in blocks]) if blocks else np.empty(0)
    result = np.empty(len(order))
    result[order] = moved + room
    return result
