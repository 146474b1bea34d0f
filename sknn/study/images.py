"""Images of different sizes as inputs of a study: an object array of arrays (height, width, channels)."""

from typing import Any, Self

import numpy as np
from scipy.ndimage import zoom
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sknn.series import ragged

from .shapes import MOST_CHANNELS

LONGEST_SIDE = 32  # of what rows of pixels are made: more are more features than most data have images


def may_be_images(X: Any) -> bool:
    """Tell whether inputs as they were given hold images, or volumes, of different sizes.

    Parameters
    ----------
    X : object
        A list or column of arrays of at least three axes that are not all of one shape; or of two, of which the second
        ones differ and are longer than 4, so that these are no channels.

    Returns
    -------
    bool
        Whether `as_images` should read them. Lists of images of one size are an array.
    """
    of_objects = getattr(getattr(X, "dtype", None), "kind", "") == "O" and X.ndim == 1
    if not (isinstance(X, list | tuple) or of_objects) or not len(X):
        return False
    if not all(hasattr(sample, "shape") for sample in X):
        return False
    shapes = {sample.shape for sample in X}
    if min(map(len, shapes)) > 2:
        return len(shapes) > 1 or of_objects
    if {len(shape) for shape in shapes} != {2}:
        return False
    widths = {shape[1] for shape in shapes}
    return len(widths) > 1 and min(widths) > MOST_CHANNELS


def as_images(X: Any) -> np.ndarray:
    """Read images of different sizes.

    Parameters
    ----------
    X : list or object array of arrays of shape (height, width, channels) or (height, width)
        Or volumes, with an axis more. There are no channels where the last axes differ.

    Returns
    -------
    ndarray of object of shape (n_samples,), or of numbers of shape (n_samples, *grid, channels)
        Arrays with channels, of the type they were given in; one array if all are of one shape.

    Raises
    ------
    ValueError
        If an image has no pixels, other axes or channels than the first, or is none of numbers.

    Examples
    --------
    >>> [image.shape for image in as_images([np.zeros((4, 6)), np.zeros((5, 3))])]
    [(4, 6, 1), (5, 3, 1)]
    """
    images = [np.asarray(image) for image in X]
    first = images[0]
    for number, image in enumerate(images):
        if image.dtype.kind not in "biuf" or not image.size:
            raise ValueError(f"image {number} of X is of shape {image.shape} and {image.dtype}; it must hold numbers")
        if image.ndim != first.ndim:
            raise ValueError(
                f"image {number} of X is of shape {image.shape}, but image 0 of {first.shape}; all need the same axes, "
                "and as many channels as the last one"
            )
    if len({image.shape[-1] for image in images}) > 1:
        images = [image[..., None] for image in images]
    return np.stack(images) if len({image.shape for image in images}) == 1 else ragged(images)


class RowsOfPixels(TransformerMixin, BaseEstimator):
    """Make a row of features of each image, whatever its size: all are resized to one, and flattened.

    Parameters
    ----------
    longest_side : int, default=32
        How many pixels a side has at most.

    Attributes
    ----------
    size_ : tuple of int
        The size: the median of each side over the images of the training fold, or `longest_side` if that is less.

    Examples
    --------
    >>> RowsOfPixels().fit_transform(as_images([np.ones((4, 6)), np.ones((6, 4))])).shape
    (2, 25)
    """

    def __init__(self, longest_side: int = LONGEST_SIDE) -> None:
        self.longest_side = longest_side

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the size.

        Parameters
        ----------
        X : ndarray of object of shape (n_samples,)
            Images with channels.
        y : None
            Ignored.

        Returns
        -------
        RowsOfPixels
            Itself.
        """
        sides = np.median([image.shape[:-1] for image in X], axis=0)
        self.size_ = tuple(int(side) for side in np.minimum(sides, self.longest_side))
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Make rows.

        Parameters
        ----------
        X : ndarray of object of shape (n_samples,)
            Images with channels.

        Returns
        -------
        ndarray of shape (n_samples, n_pixels * channels)
            Each pixel is interpolated linearly.
        """
        check_is_fitted(self)
        return np.stack([self._resized(image).ravel() for image in X])

    def _resized(self, image: np.ndarray) -> np.ndarray:
        factors = [new / old for new, old in zip(self.size_, image.shape[:-1], strict=True)]
        numbers = image.astype(np.result_type(image.dtype, np.float32), copy=False)
        return zoom(numbers, [*factors, 1], order=1, grid_mode=True, mode="nearest")
