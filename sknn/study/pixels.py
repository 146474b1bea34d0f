"""Baselines of segmentation: the commonest label, a threshold on brightness, a forest on filtered pixels.

All take images as an array (n_samples, *grid, channels) or an object array of arrays (*grid, channels), and label maps
in the same form without channels, -1 being unlabelled. Grids are signals, images or volumes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sknn.series import ragged

from .maps import UNLABELLED, counts_of, labels_of
from .series import are_ragged

BINS = 256  # of the histogram in which thresholds are searched for


class MajoritySegmenter(BaseEstimator):
    """Give every pixel the commonest label of the training images.

    Attributes
    ----------
    classes_ : ndarray of int of shape (n_classes,)
        The labels.

    Examples
    --------
    >>> images, maps = np.zeros((2, 2, 2, 1)), np.array([[[0, 0], [0, 1]]] * 2)
    >>> MajoritySegmenter().fit(images, maps).predict(images[:1]).tolist()
    [[[0, 0], [0, 0]]]
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Count the labels.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
            Images.
        y : ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
            Label maps.

        Returns
        -------
        MajoritySegmenter
            Itself.
        """
        counts = counts_of(y)
        counts.pop(UNLABELLED, None)
        self.classes_ = np.array(list(counts))
        self.class_prior_ = np.array(list(counts.values())) / sum(counts.values())
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict label maps.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
            Images.

        Returns
        -------
        ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
            The label everywhere.
        """
        check_is_fitted(self)
        label = self.classes_[self.class_prior_.argmax()]
        return _together(X, (np.full(image.shape[:-1], label) for image in X))


class OtsuSegmenter(BaseEstimator):
    r"""Threshold the brightness of each image by Otsu's method, with as many thresholds as it takes for all classes.

    Of the mean over the channels of an image, a histogram of 256 bins is cut into as many neighbouring parts as there
    are classes, so that the variance between the parts is largest:

    .. math:: \max \sum_k w_k \mu_k^2,

    where :math:`w_k` is how many pixels are in part :math:`k` and :math:`\mu_k` their mean brightness. The cuts are
    found by dynamic programming. What is learnt from the training images is which class is brighter: parts, from dark
    to bright, get the classes in the order of their mean brightness.

    Parameters
    ----------
    sigma : float, default=0.0
        The deviation of a Gaussian, in pixels, that smooths brightness first; 0: none does.

    Attributes
    ----------
    classes_ : ndarray of int of shape (n_classes,)
        The labels, sorted.
    levels_ : ndarray of shape (n_classes,)
        The mean brightness of each class in the training images.

    References
    ----------
    Otsu (1979). A threshold selection method from gray-level histograms. IEEE Transactions on Systems, Man, and
    Cybernetics 9.
    Liao, Chen, Chung (2001). A fast algorithm for multilevel thresholding. Journal of Information Science and
    Engineering 17.

    Examples
    --------
    >>> images = np.array([[1.0, 2.0, 9.0], [30.0, 22.0, 90.0]])[..., None]
    >>> OtsuSegmenter().fit(images, np.array([[0, 0, 1], [0, 0, 1]])).predict(images).tolist()
    [[0, 0, 1], [0, 0, 1]]
    """

    def __init__(self, sigma: float = 0.0) -> None:
        self.sigma = sigma

    def fit(self, X: Any, y: Any) -> Self:
        """Learn which class is brighter.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
            Images.
        y : ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
            Label maps.

        Returns
        -------
        OtsuSegmenter
            Itself.
        """
        self.classes_ = labels_of(y)
        sums, counts = np.zeros((2, len(self.classes_)))
        for image, labels in zip(X, y, strict=True):
            known = labels != UNLABELLED
            codes = np.searchsorted(self.classes_, labels[known])
            sums += np.bincount(codes, self._brightness(image)[known], len(self.classes_))
            counts += np.bincount(codes, minlength=len(self.classes_))
        self.levels_ = sums / counts
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict label maps, each image by thresholds of its own.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
            Images.

        Returns
        -------
        ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
            Label maps.
        """
        check_is_fitted(self)
        from_dark_to_bright = self.classes_[np.argsort(self.levels_, kind="stable")]
        brightness = (self._brightness(image) for image in X)
        n_parts = len(self.classes_)
        return _together(X, (from_dark_to_bright[np.digitize(each, thresholds(each, n_parts))] for each in brightness))

    def _brightness(self, image: np.ndarray) -> np.ndarray:
        mean = np.asarray(image, float).mean(axis=-1)
        return gaussian_filter(mean, self.sigma) if self.sigma else mean


def thresholds(values: np.ndarray, n_parts: int) -> np.ndarray:
    """Find the thresholds that divide values into parts with the largest variance between them.

    Parameters
    ----------
    values : ndarray
        Numbers of any shape.
    n_parts : int
        How many parts.

    Returns
    -------
    ndarray of shape (n_parts - 1,)
        Rising; a value that is one belongs to the part above.

    Examples
    --------
    >>> thresholds(np.array([0.0, 0.1, 5.0, 5.1, 9.9, 10.0]), 3).round(1).tolist()
    [0.1, 5.1]
    """
    counts, edges = np.histogram(values, BINS)
    middles = (edges[:-1] + edges[1:]) / 2
    weights, sums = (np.concatenate([[0.0], np.cumsum(each)]) for each in (counts, counts * middles))
    weight, total = weights[None, :] - weights[:, None], sums[None, :] - sums[:, None]
    # What a part from edge i to edge j adds; there is none where j comes before i.
    gain = np.where(weight > 0, total**2 / np.where(weight > 0, weight, 1), 0.0)
    gain[np.tril_indices(BINS + 1, -1)] = -np.inf
    best, cuts = gain[0], []
    for _ in range(n_parts - 1):
        through = best[:, None] + gain
        cuts.append(through.argmax(axis=0))
        best = through.max(axis=0)
    at, found = BINS, []
    for cut in reversed(cuts):
        at = int(cut[at])
        found.append(edges[at])
    return np.array(found[::-1])


class PixelForest(BaseEstimator):
    """A random forest that classifies each pixel by what filters see around it.

    Of each channel there are the pixel itself and, at each scale, a Gaussian mean, the magnitude of the gradient and
    the Laplacian. The forest learns from a random choice of labelled pixels, as many from each training image:
    neighbours are much alike, so that all of them would cost time and teach little.

    Parameters
    ----------
    scales : sequence of float, default=(1, 2, 4, 8)
        The deviations of the Gaussians, in pixels.
    n_pixels : int, default=20_000
        How many pixels of all training images together the forest learns from at most.
    n_estimators : int, default=50
        The number of trees.
    min_samples_leaf : int, default=5
        How many pixels a leaf holds at least.
    max_features : {"sqrt", "log2"}, int or float, default="sqrt"
        How many features a split looks at.
    random_state : int, RandomState instance or None, default=None
        The source of chance, of the choice of pixels, too.

    Attributes
    ----------
    classes_ : ndarray of int of shape (n_classes,)
        The labels, sorted.
    forest_ : RandomForestClassifier
        Of pixels.

    References
    ----------
    Arganda-Carreras et al. (2017). Trainable Weka Segmentation: a machine learning tool for microscopy pixel
    classification. Bioinformatics 33.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> images = rng.normal(size=(4, 16, 16, 1))
    >>> maps = (gaussian_filter(images, (0, 2, 2, 0))[..., 0] > 0).astype(int)
    >>> forest = PixelForest(random_state=0).fit(images[:3], maps[:3])
    >>> bool((forest.predict(images[3:]) == maps[3:]).mean() > 0.9)
    True
    """

    def __init__(
        self,
        scales: Sequence[float] = (1, 2, 4, 8),
        n_pixels: int = 20_000,
        n_estimators: int = 50,
        min_samples_leaf: int = 5,
        max_features: Any = "sqrt",
        random_state: Any = None,
    ) -> None:
        self.scales = scales
        self.n_pixels = n_pixels
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from some of the labelled pixels.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
            Images.
        y : ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
            Label maps.

        Returns
        -------
        PixelForest
            Itself.
        """
        rng = check_random_state(self.random_state)
        self.classes_ = labels_of(y)
        of_each = -(-self.n_pixels // len(X))
        chosen = [_some_of(np.flatnonzero(labels != UNLABELLED), of_each, rng) for labels in y]
        features = [pixel_features(image, self.scales)[at] for image, at in zip(X, chosen, strict=True)]
        labels = [each.ravel()[at] for each, at in zip(y, chosen, strict=True)]
        self.forest_ = RandomForestClassifier(
            self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            random_state=rng.randint(2**31),
        ).fit(np.concatenate(features), np.concatenate(labels))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict label maps.

        Parameters
        ----------
        X : ndarray of shape (n_samples, *grid, channels), or of object of shape (n_samples,)
            Images.

        Returns
        -------
        ndarray of int of shape (n_samples, *grid), or of object of shape (n_samples,)
            Label maps.
        """
        check_is_fitted(self)
        rows = (pixel_features(image, self.scales) for image in X)
        labels = (self.forest_.predict(each) for each in rows)
        return _together(X, (each.reshape(image.shape[:-1]) for each, image in zip(labels, X, strict=True)))


def pixel_features(image: np.ndarray, scales: Sequence[float]) -> np.ndarray:
    """Filter an image at several scales.

    Parameters
    ----------
    image : ndarray of shape (*grid, channels)
        The image.
    scales : sequence of float
        Deviations of Gaussians, in pixels.

    Returns
    -------
    ndarray of float32 of shape (n_pixels, n_features)
        Of each channel the pixel, and at each scale Gaussian, gradient magnitude and Laplacian.

    Examples
    --------
    >>> pixel_features(np.zeros((8, 9, 2)), (1, 2)).shape
    (72, 14)
    """
    filters = (gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace)
    columns = []
    for channel in np.moveaxis(np.asarray(image, np.float32), -1, 0):
        columns += [channel, *(each(channel, scale) for scale in scales for each in filters)]
    return np.stack([column.ravel() for column in columns], axis=1)


def _some_of(rows: np.ndarray, n: int, rng: np.random.RandomState) -> np.ndarray:
    return rows if len(rows) <= n else rng.choice(rows, n, replace=False)


def _together(X: Any, maps: Iterator[np.ndarray]) -> np.ndarray:
    """Maps in the form that their images have."""
    return ragged(maps) if are_ragged(X) else np.stack(list(maps))
