"""What a network says of each pixel of an image, beside what is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .common import DARK, PLAIN, given_axes, innermost, pyplot

INCHES = 2.6  # along the side of a panel
GAP = 0.06  # between panels, in heights of one
COLOURS = ("#e8e8e8", "#3b6fb6", "#e08a2e", "#4c9a61", "#8a5fae", "#c9b03c", "#5bb5c9", "#b56a6a", "#7d7d7d", "#d17fb3")
UNKNOWN, WRONG = (1.0, 1.0, 1.0, 1.0), (0.84, 0.1, 0.11, 1.0)  # pixels without a label, and those that are not right
FADED = 0.55  # the share of white in the image behind the differences


class SegmentationDisplay:
    """An image, its labels, those that a network predicts, and where the two differ, side by side.

    Make one with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    image : ndarray of shape (H, W) or (H, W, channels)
        Of three channels a picture in colours, otherwise the mean of all in grey.
    prediction : ndarray of shape (H, W)
        Labels.
    truth : ndarray of shape (H, W), default=None
        The labels that are there; None: nobody knows, and only image and prediction are drawn.
    classes : sequence of labels, default=None
        All that have a colour, in their order; None: those that occur.
    unlabelled : label, default=-1
        Marks pixels of `truth` that nobody has labelled; they are white, and count as no difference.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the panels are.
    images_ : dict of str to matplotlib AxesImage
        "image", "truth", "prediction" and "differences".
    legend_ : matplotlib Legend or None
        The colours of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import SegmentationDisplay
    >>> truth = np.array([[0, 0], [1, -1]])
    >>> display = SegmentationDisplay(image=np.eye(2), prediction=np.array([[0, 1], [1, 1]]), truth=truth).plot()
    >>> list(display.images_), display.different.tolist()
    (['image', 'truth', 'prediction', 'differences'], [[False, True], [False, False]])
    """

    def __init__(
        self,
        *,
        image: Array,
        prediction: Array,
        truth: Array | None = None,
        classes: Sequence[Any] | None = None,
        unlabelled: Any = -1,
    ) -> None:
        self.image = image
        self.prediction = prediction
        self.truth = truth
        self.classes = classes
        self.unlabelled = unlabelled

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, legend: bool = True, ax: Any = None, **kwargs: Any
    ) -> SegmentationDisplay:
        """Draw what a fitted segmenter sees in an image.

        Parameters
        ----------
        estimator : estimator
            Fitted; a search stands for its best estimator, a pipeline for its last step, which has to be given what
            the steps before it make of the image.
        X : array-like of shape (H, W, channels)
            One image.
        y : array-like of shape (H, W), default=None
            Its labels.
        legend, ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : SegmentationDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            If the estimator has no labels at pixels.
        ValueError
            If X is not one image, or y has another size.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn import UNetSegmenter
        >>> from sknn.inspection import SegmentationDisplay
        >>> X = np.random.default_rng(0).normal(size=(4, 16, 16, 1))
        >>> y = (X[..., 0] > 0).astype(int)
        >>> unet = UNetSegmenter(2, depth=1, max_iter=2, random_state=0).fit(X, y)
        >>> SegmentationDisplay.from_estimator(unet, X[0], y[0]).prediction.shape
        (16, 16)
        """
        pyplot(f"{cls.__name__}.from_estimator")
        inner = innermost(estimator)
        if not hasattr(inner, "unlabelled"):
            raise TypeError(f"estimator={inner!r} has no labels at pixels; give a segmenter, such as UNetSegmenter")
        image = np.asarray(X)
        if image.ndim != 3:
            raise ValueError(f"X must be one image (H, W, channels), but has shape {image.shape}")
        display = cls(
            image=image,
            prediction=inner.predict(image[None])[0],
            truth=None if y is None else np.asarray(y),
            classes=inner.classes_,
            unlabelled=inner.unlabelled,
        )
        return display.plot(ax=ax, legend=legend, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        image: Any,
        classes: Sequence[Any] | None = None,
        unlabelled: Any = -1,
        legend: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> SegmentationDisplay:
        """Draw labels that are known already, of whatever they were predicted with.

        Parameters
        ----------
        y_true : array-like of shape (H, W) or None
            The labels that are there.
        y_pred : array-like of shape (H, W)
            Those that are predicted.
        image : array-like of shape (H, W) or (H, W, channels)
            The image.
        classes, unlabelled
            See above.
        legend, ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : SegmentationDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If image and labels differ in size.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn.inspection import SegmentationDisplay
        >>> image = np.random.default_rng(0).normal(size=(8, 8))
        >>> display = SegmentationDisplay.from_predictions(image > 0, image > 0.5, image=image)
        >>> bool(display.different.any())
        True
        """
        pyplot(f"{cls.__name__}.from_predictions")
        truth = None if y_true is None else np.asarray(y_true)
        display = cls(
            image=np.asarray(image), prediction=np.asarray(y_pred), truth=truth, classes=classes, unlabelled=unlabelled
        )
        return display.plot(ax=ax, legend=legend, **kwargs)

    @property
    def different(self) -> Array:
        """Which pixels are predicted to be something else than they are; those without a label are not."""
        if self.truth is None:
            return np.zeros(np.shape(self.prediction), bool)
        return self._known & (self.truth != self.prediction)

    @property
    def _known(self) -> Array:
        """Which pixels have a label."""
        return np.ones(self.truth.shape, bool) if self.unlabelled is None else self.truth != self.unlabelled  # type: ignore[union-attr]

    def plot(self, ax: Any = None, *, legend: bool = True, **kwargs: Any) -> SegmentationDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        legend : bool, default=True
            Whether to name the colours.
        **kwargs
            Of the image, for `matplotlib.axes.Axes.imshow`, such as ``vmax=1.0`` or ``cmap="viridis"``.

        Returns
        -------
        display : SegmentationDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If image and labels differ in size.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        self._check_sizes()
        panels = self._panels(plt, kwargs)
        height, width = np.shape(self.prediction)
        if given_axes(plt, ax) is None:
            inches = INCHES * width / height
            _, ax = plt.subplots(figsize=(len(panels) * inches, 1.25 * INCHES), layout="constrained")
        self.ax_, self.figure_, self.images_ = ax, ax.figure, {}
        for k, (name, (picture, style)) in enumerate(panels.items()):
            left = k * (width + GAP * height)
            extent = (left, left + width, height, 0)
            self.images_[name] = ax.imshow(picture, extent=extent, interpolation="nearest", **style)
            ax.text(left + width / 2, -0.02 * height, self._title(name), ha="center", va="bottom", color=DARK)
        ax.set(xlim=(0, left + width), ylim=(height, -0.12 * height), xticks=[], yticks=[], aspect="equal")
        ax.set_frame_on(False)
        self.legend_ = self._named_colours(plt, ax) if legend else None
        return self

    def _check_sizes(self) -> None:
        size = np.shape(self.prediction)
        truth = size if self.truth is None else np.shape(self.truth)
        if len(size) != 2 or np.shape(self.image)[:2] != size or truth != size:
            raise ValueError(
                f"image of shape {np.shape(self.image)}, truth {truth} and prediction {size} must be of one size (H, W)"
            )

    def _panels(self, plt: Any, kwargs: dict[str, Any]) -> dict[str, tuple[Array, dict[str, Any]]]:
        """What is drawn, by name, with the style of each."""
        image, style = self._picture(kwargs)
        panels = {"image": (image, style), "prediction": (self._coloured(plt, self.prediction), {})}
        if self.truth is None:
            return panels
        greys = plt.cm.ScalarMappable(plt.Normalize(style.get("vmin"), style.get("vmax")), style.get("cmap"))
        behind = image if image.ndim == 3 else greys.to_rgba(image)[..., :3]
        differences = FADED + (1.0 - FADED) * behind
        differences[self.different] = WRONG[:3]
        truth = self._coloured(plt, self.truth)
        truth[~self._known] = UNKNOWN
        return {
            "image": panels["image"],
            "truth": (truth, {}),
            "prediction": panels["prediction"],
            "differences": (differences, {}),
        }

    def _picture(self, kwargs: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
        image = np.asarray(self.image, np.float64)
        if image.ndim == 3 and image.shape[-1] == 3:
            low, high = image.min(), image.max()
            return (image - low) / (high - low if high > low else 1.0), kwargs
        grey = image.mean(axis=-1) if image.ndim == 3 else image
        return grey, {"cmap": PLAIN + "_r", **kwargs}

    @property
    def _classes(self) -> list[Any]:
        if self.classes is not None:
            return list(self.classes)
        labels = np.unique(self.prediction)
        return list(labels if self.truth is None else np.union1d(labels, self.truth[self._known]))

    def _coloured(self, plt: Any, labels: Array) -> Array:
        to_rgba = plt.matplotlib.colors.to_rgba_array
        colours = to_rgba([COLOURS[k % len(COLOURS)] for k in range(len(self._classes))])
        found = np.zeros((*labels.shape, 4))
        for label, colour in zip(self._classes, colours, strict=True):
            found[labels == label] = colour
        return found

    def _title(self, name: str) -> str:
        if name != "differences":
            return name
        known = self._known.sum()
        return f"differences: {self.different.sum() / known:.1%}" if known else name

    def _named_colours(self, plt: Any, ax: Any) -> Any:
        patch = plt.matplotlib.patches.Patch
        patches = [patch(color=COLOURS[k % len(COLOURS)], label=str(label)) for k, label in enumerate(self._classes)]
        if self.truth is not None:
            patches.append(patch(color=WRONG, label="wrong"))
        return ax.legend(
            handles=patches, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=len(patches), frameon=False
        )
