"""A batch as training sees it: samples, and label maps with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..autodiff.tape import Array
from ..description import in_order
from .augmentation import Augmentation
from .geometric import Flip, Rotate, Shift, Zoom
from .noise import Noise
from .placement import Placement

if TYPE_CHECKING:
    from ..nn.draws import Draws

AUGMENTATIONS: dict[str, Augmentation] = {
    "shift": Shift(),
    "flip": Flip(),
    "rotate": Rotate(),
    "zoom": Zoom(),
    "noise": Noise(),
}


class Augmented(NamedTuple):
    """What has become of a batch.

    Attributes
    ----------
    x : ndarray of shape (n, *grid, channels), or rows without padding
        The samples.
    maps : tuple of ndarray
        The label maps, each position with the label of the nearest that it shows.
    inside : ndarray of bool, of shape (n, *grid), or None
        Which positions show something of their sample; at the others its border goes on. None: all.
    """

    x: Any
    maps: tuple[Any, ...]
    inside: Array | None


def listed(augmentations: Any) -> tuple[Augmentation, ...]:
    """The augmentations that are meant, in their order.

    Parameters
    ----------
    augmentations : None, str, Augmentation or sequence of these
        Names stand for what they do in :data:`AUGMENTATIONS`.

    Raises
    ------
    ValueError
        If one is neither a name nor a description.

    Examples
    --------
    >>> from sknn.augment import Noise, listed
    >>> listed(["flip", Noise(0.2)])
    (Flip(axes=-1), Noise(std=0.2))
    """
    if augmentations is None:
        return ()
    several = list(augmentations) if in_order(augmentations) else [augmentations]
    found: list[Any] = [AUGMENTATIONS.get(each, each) if isinstance(each, str) else each for each in several]
    for each in found:
        if not isinstance(each, Augmentation):
            names = ", ".join(map(repr, AUGMENTATIONS))
            raise ValueError(
                f"augment={augmentations!r} holds {each!r}; choose of {names}, or describe one: Shift(0.2)"
            )
    return tuple(found)


def augmented(x: Any, augmentations: Any, draws: Draws, *maps: Any) -> Augmented:
    """Samples, changed at random; label maps move along with them.

    What moves is one map, in the order of the augmentations, and interpolated once; after that values are changed.

    Parameters
    ----------
    x : ndarray of shape (n, *grid, channels), Sequences or Grids
        Signals, images or volumes; of different sizes as rows without padding. Left as it is. Integers, as pixels often
        are, are changed in float64.
    augmentations : None, str, Augmentation or sequence of these
        See :func:`listed`.
    draws : Draws
        Random numbers; each sample gets its own.
    *maps : ndarray of shape (n, *grid, ...)
        Labels at the positions of x; for rows without padding in rows as these.

    Returns
    -------
    augmented : Augmented
        The samples, the maps, and which positions lie inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.augment import Shift, augmented
    >>> from sknn.nn import Draws
    >>> x, labels = np.array([[[1.0], [3.0], [5.0]]]), np.array([["a", "b", "c"]])
    >>> x, (labels,), inside = augmented(x, Shift(0.4), Draws(0), labels)
    >>> x[0, :, 0], labels[0], inside[0]
    (array([1., 1., 3.]), array(['a', 'a', 'b'], dtype='<U1'), array([False,  True,  True]))
    """
    steps = listed(augmentations)
    if not steps:
        return Augmented(x, maps, None)
    x = x if np.issubdtype(x.dtype, np.floating) else x.astype(np.float64)
    return _of_rows(x, steps, draws, maps) if hasattr(x, "lengths") else _of_grid(x, steps, draws, maps)


def _of_grid(x: Array, steps: tuple[Augmentation, ...], draws: Draws, maps: tuple[Array, ...]) -> Augmented:
    n, *grid, _ = x.shape
    placement = Placement(n, tuple(grid))
    for step in steps:
        placement = placement.then(*step.placed(n, placement.grid, draws))
    inside = None
    if placement.moves:
        x = placement.interpolated(x)
        if maps:
            maps, inside = tuple(map(placement.nearest, maps)), placement.inside
    for step in steps:
        x = step.changed(x, draws)
    return Augmented(x, maps, inside)


def _of_rows(x: Any, steps: tuple[Augmentation, ...], draws: Draws, maps: tuple[Array, ...]) -> Augmented:
    """Sample after sample, as each has a grid of its own."""
    done = []
    for start, length, grid in zip(x.starts, x.lengths, x.shapes, strict=True):
        rows = slice(start, start + length)
        sample, *own = (each[rows].reshape(1, *grid, *each.shape[1:]) for each in (x.values, *maps))
        done.append(_of_grid(sample, steps, draws, tuple(own)))
    rows_of = [np.concatenate([each.x.reshape(-1, *x.values.shape[1:]) for each in done])]
    for k, whole in enumerate(maps):
        rows_of.append(np.concatenate([each.maps[k].reshape(-1, *whole.shape[1:]) for each in done]))
    inside = None
    if any(each.inside is not None for each in done):
        shown = zip((each.inside for each in done), x.lengths, strict=True)
        inside = np.concatenate([np.ones(n, bool) if each is None else each.ravel() for each, n in shown])
    return Augmented(x.like(rows_of[0]), tuple(rows_of[1:]), inside)
