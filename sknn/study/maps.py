"""Label maps as targets of a study: an integer for each pixel of an image, or each step or voxel, -1 where unknown."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import get_tags

from sknn.series import ragged

from .series import are_ragged
from .shapes import MOST_CHANNELS
from .targets import LARGEST_LABEL

UNLABELLED = -1
MOST_CLASSES = 100  # more are objects that were counted, or intensities


def may_be_maps(X: Any, y: Any) -> bool:
    """Tell whether targets as they were given are label maps.

    Parameters
    ----------
    X : array-like
        The inputs as they were given.
    y : array-like
        The targets: those of more than one axis, where two need signals or images as inputs; and arrays in a list.

    Returns
    -------
    bool
        Whether `as_maps` should read them.

    Examples
    --------
    >>> may_be_maps(np.zeros((5, 8, 8)), np.zeros((5, 8, 8), int)), may_be_maps(np.zeros((5, 8)), np.zeros((5, 1)))
    (True, False)
    """
    if isinstance(y, pd.DataFrame) or hasattr(y, "toarray"):
        return False
    if isinstance(y, list | tuple) or getattr(getattr(y, "dtype", None), "kind", "") == "O":
        return len(y) > 0 and all(getattr(sample, "ndim", 0) and sample.size > 1 for sample in y)
    n_axes = getattr(y, "ndim", 0)
    if n_axes != 2:
        return n_axes > 2
    has_grid = isinstance(X, list | tuple | np.ndarray) and len(X) > 0 and np.ndim(X[0]) > 1
    return has_grid and y.shape[1] > 1 and y.dtype.kind in "biu"


def as_maps(name: str, y: Any) -> np.ndarray:
    """Read label maps.

    Parameters
    ----------
    name : str
        Of the data set.
    y : array-like of shape (n_samples, *grid), or list of arrays
        Whole numbers, or truth values, which become 0 and 1. What is NaN or masked has no label.

    Returns
    -------
    ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
        In memory; -1 where there is no label. Maps of several sizes are an object array.

    Raises
    ------
    ValueError
        If they are no maps of whole numbers, there is only one label, or there are so many that these are no classes.

    Examples
    --------
    >>> as_maps("toy", [[[True, False]], [[False, True]]]).tolist()
    [[[1, 0]], [[0, 1]]]
    """
    maps = [_whole(name, number, sample) for number, sample in enumerate(y)]
    if not maps:
        raise ValueError(f"y of {name!r} is empty; it must have a label map for each sample")
    found = np.stack(maps) if len({each.shape for each in maps}) == 1 else ragged(maps)
    labels = labels_of(found)
    if len(labels) < 2:
        which = f"is {labels[0]} wherever it is labelled" if len(labels) else "has no label at all"
        raise ValueError(f"y of {name!r} {which} ({UNLABELLED} is none); there must be something to tell apart")
    if len(labels) > MOST_CLASSES:
        raise ValueError(
            f"y of {name!r} holds {len(labels):,} different labels; they must be classes of pixels, at most "
            f"{MOST_CLASSES}: numbers of single objects become one class with y > 0"
        )
    return found


def _whole(name: str, number: int, sample: Any) -> np.ndarray:
    if np.ma.is_masked(sample):
        sample = sample.astype(float).filled(np.nan)
    labels = np.array(sample)
    if not labels.ndim or labels.dtype.kind not in "biuf":
        raise ValueError(
            f"y of {name!r} is of shape {labels.shape} and {labels.dtype} in sample {number}; a label map is an array "
            "of whole numbers, one for each pixel"
        )
    if labels.dtype.kind != "f":
        return labels.astype(np.uint8) if labels.dtype == bool else labels
    known = ~np.isnan(labels)
    values = labels[known]
    if (values != np.round(values)).any() or np.abs(values).max(initial=0) > LARGEST_LABEL:
        odd = values[(values != np.round(values)) | (np.abs(values) > LARGEST_LABEL)][0]
        raise ValueError(
            f"y of {name!r} holds {odd:g} in sample {number}; label maps hold whole numbers, a class for each pixel"
        )
    return np.where(known, labels, UNLABELLED).astype(int)


def labels_of(maps: np.ndarray) -> np.ndarray:
    """List the classes of label maps.

    Parameters
    ----------
    maps : ndarray
        As of `as_maps`.

    Returns
    -------
    ndarray of int of shape (n_classes,)
        Sorted, without -1.
    """
    found = np.unique(np.concatenate([np.unique(each) for each in maps]))
    return found[found != UNLABELLED]


def counts_of(maps: np.ndarray) -> dict[int, int]:
    """Count the pixels of each class, and those without a label as -1."""
    counts: dict[int, int] = {}
    for each in maps:
        for label, count in zip(*np.unique(each, return_counts=True), strict=True):
            counts[int(label)] = counts.get(int(label), 0) + int(count)
    return dict(sorted(counts.items()))


def is_segmenter(estimator: Any) -> bool:
    """Tell whether an estimator predicts, and is of none of the kinds that scikit-learn has a name for.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Fitted or not.

    Returns
    -------
    bool
        True for what predicts label maps.
    """
    return get_tags(estimator).estimator_type is None and hasattr(estimator, "fit") and hasattr(estimator, "predict")


def on_their_grid(name: str, X: Any, maps: np.ndarray) -> np.ndarray:
    """Check that inputs are images, or signals or volumes, of the size of their label maps, and name their channels.

    Parameters
    ----------
    name : str
        Of the data set.
    X : ndarray of shape (n_samples, *grid) or (n_samples, *grid, channels), or of object of shape (n_samples,)
        The inputs.
    maps : ndarray
        As many maps as of `as_maps`.

    Returns
    -------
    ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
        A view where possible.

    Raises
    ------
    ValueError
        If an image is of another size than its map.

    Examples
    --------
    >>> on_their_grid("toy", np.zeros((5, 8, 9)), np.zeros((5, 8, 9), int)).shape
    (5, 8, 9, 1)
    """
    if not isinstance(X, np.ndarray):
        raise ValueError(f"y of {name!r} holds label maps, so X must hold images, not a {type(X).__name__}")
    shapes = list(zip(_shapes(X), _shapes(maps), strict=True))
    if all(image == of_map for image, of_map in shapes) and not _has_channels(shapes[0][1]):
        return ragged(image[..., None] for image in X) if are_ragged(X) else X[..., None]
    for number, (image, of_map) in enumerate(shapes):
        if image[:-1] != of_map:
            hint = "; a map has one label for each pixel, no channels" if _has_channels(of_map) else ""
            raise ValueError(
                f"sample {number} of {name!r} has a label map of shape {of_map} for an image of shape {image}; it must "
                f"have the axes of the image without its channels, which come last{hint}"
            )
    return X


def _shapes(samples: np.ndarray) -> Iterator[tuple[int, ...]]:
    return (np.shape(sample) for sample in samples)


def _has_channels(shape: tuple[int, ...]) -> bool:
    return len(shape) > 2 and shape[-1] <= MOST_CHANNELS < min(shape[:-1])
