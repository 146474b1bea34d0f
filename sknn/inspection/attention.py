"""Which tokens attend to which, as a table or over the image that they are patches of."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

import numpy as np

from ..autodiff.tape import Array
from ..description import in_order, is_integer
from ..ops.windows import Windows, make_windows
from .common import PLAIN, SEQUENTIAL, given_axes, innermost, pyplot

INCHES = (4.6, 4.0)
MOST_NAMES = 40  # that have room along an axis
OVER, OPACITY = "Oranges", 0.6  # of weights over an image, which shows where they are small


class AttentionDisplay:
    """How much each token of a sample attends to each other one, as a picture: a row for a token that attends.

    Make one with :meth:`from_estimator`. Tokens are the steps of a series, or the features of a table and one more,
    from which the output is read; from one sequence to another, those that are written attend to those that were read.
    Where tokens are patches of an image, the mean over those that attend is drawn over the image: how much each patch
    is attended to.

    Parameters
    ----------
    weights : ndarray of shape (n_attending, n_tokens)
        Each row sums to 1.
    names : sequence of str, default=None
        Of the tokens attended to; None: their numbers.
    attending : sequence of str, default=None
        Of those that attend; None: `names`, if there are as many of both.
    image : ndarray of shape (H, W, n_channels), default=None
        What the tokens are patches of, row by row; three channels are red, green and blue, of others the mean is drawn.
        None: weights are drawn as a table.
    patch_size : int or sequence of two int, default=1
        Of the patches, in pixels.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the weights are.
    image_ : matplotlib AxesImage
        The weights.
    colorbar_ : matplotlib Colorbar or None
        Their scale.

    References
    ----------
    Abnar, Zuidema (2020). Quantifying attention flow in transformers. ACL. arXiv:2005.00928. (Roll-out.)

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import AttentionDisplay
    >>> display = AttentionDisplay(weights=np.eye(3), names=["a", "b", "c"]).plot()
    >>> display.ax_.get_xlabel(), display.image_.get_clim()
    ('attended to', (0.0, 1.0))
    """

    def __init__(
        self,
        *,
        weights: Array,
        names: Sequence[str] | None = None,
        attending: Sequence[str] | None = None,
        image: Array | None = None,
        patch_size: int | Sequence[int] = 1,
    ) -> None:
        self.weights = weights
        self.names = names
        self.attending = attending
        self.image = image
        self.patch_size = patch_size

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        block: int | Literal["rollout"] = -1,
        head: int | None = None,
        token: int | Sequence[int] | None = None,
        names: Sequence[str] | None = None,
        attending: Sequence[str] | None = None,
        colorbar: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> AttentionDisplay:
        """Draw what a fitted network with attention looks at in a sample.

        Parameters
        ----------
        estimator : estimator
            Fitted, with a method `attention_weights`; a search stands for its best estimator, a pipeline for its last
            step, which has to be given what the steps before it make of the sample.
        X : array-like
            One sample: a series (n_steps, n_channels) or (n_steps,), an image (H, W, n_channels), a sequence of tokens,
            or a row of features; or a table with one row.
        block : int or "rollout", default=-1
            Of which block; -1 is the last. A recurrent network has one. "rollout" is all blocks together: the product
            of (A + 1) / 2 over their weights A, half of what a token is after a block being what it was before.
        head : int, default=None
            Of which head; None: the mean of all. A recurrent network has one.
        token : int or pair of int, default=None
            Of which token that attends: its number, or the row and the column of a patch. None: of all.
        names, attending : sequence of str, default=None
            Of the tokens attended to, and of those that attend; see above.
        colorbar, ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : AttentionDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            If the estimator has no attention.
        ValueError
            If X is not one sample, there is no such block, head or token, or one sequence attends to another, which has
            no roll-out.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from sknn import TransformerRegressor
        >>> from sknn.inspection import AttentionDisplay
        >>> X = np.random.default_rng(0).normal(size=(20, 7, 1))
        >>> model = TransformerRegressor(8, stem=None, max_iter=1, random_state=0).fit(X, X.mean(axis=(1, 2)))
        >>> AttentionDisplay.from_estimator(model, X[0], head=1).weights.shape
        (7, 7)
        """
        pyplot(f"{cls.__name__}.from_estimator")
        inner = innermost(estimator)
        if not hasattr(inner, "attention_weights"):
            raise TypeError(f"estimator={inner!r} has no attention_weights; give a network of sknn with attention")
        found = inner.attention_weights(X if hasattr(X, "columns") else [X])
        if len(found) != 1:
            raise ValueError(f"X must be one sample, but holds {len(found)}")
        of_heads = found[0] if found[0].ndim == 4 else found[0][None, None]
        of_heads = of_heads if head is None else _chosen("head", of_heads.swapaxes(0, 1), head)[:, None]
        of_blocks = of_heads.mean(axis=1)
        weights = _rolled_out(of_blocks) if block == "rollout" else _chosen("block", of_blocks, block)
        image = np.asarray(X) if not isinstance(X, str) and np.ndim(X) == 3 else None
        display = cls(weights=weights, names=names, attending=attending, image=image)
        if image is not None:
            display.patch_size = inner.patch_size
        if token is not None:
            display.weights = _chosen("token", weights, display._number_of(token))[None]
        return display.plot(ax=ax, colorbar=colorbar, **kwargs)

    def plot(self, ax: Any = None, *, colorbar: bool = True, **kwargs: Any) -> AttentionDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        colorbar : bool, default=True
            Whether to draw the scale.
        **kwargs
            Of the picture of the weights, for `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : AttentionDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        if given_axes(plt, ax) is None:
            _, ax = plt.subplots(figsize=INCHES, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        style = {"vmin": 0.0, "interpolation": "nearest", **kwargs}
        self.image_ = self._table(ax, style) if self.image is None else self._over_image(ax, style)
        self.colorbar_ = ax.figure.colorbar(self.image_, ax=ax, label="weight") if colorbar else None
        return self

    def _table(self, ax: Any, style: dict[str, Any]) -> Any:
        """A row for each token that attends."""
        drawn = ax.imshow(np.asarray(self.weights), **{"cmap": SEQUENTIAL, **style})
        ax.set(xlabel="attended to", ylabel="attends")
        attending = self.attending
        if attending is None and self.names is not None and len(self.names) == len(self.weights):
            attending = self.names
        if self.names is not None and len(self.names) <= MOST_NAMES:
            ax.set_xticks(range(len(self.names)), self.names, rotation=90)
        if attending is not None and len(attending) <= MOST_NAMES:
            ax.set_yticks(range(len(attending)), attending)
        return drawn

    # -- over an image ---------------------------------------------------------------------------------------------

    @property
    def _patches(self) -> Windows:
        """Where the patches lie in the image."""
        return make_windows(np.asarray(self.image).shape[:2], self.patch_size, self.patch_size, "same")

    def _number_of(self, token: int | Sequence[int]) -> int:
        """The number of a token, or of the patch in a row and a column."""
        if is_integer(token):
            return int(token)  # type: ignore[arg-type]
        if self.image is None or not in_order(token) or len(token) != 2:  # type: ignore[arg-type]
            raise ValueError(f"token={token!r} must be the number of a token, or of an image a row and a column")
        row, column = token  # type: ignore[misc]
        numbers = np.arange(prod(self._patches.output)).reshape(self._patches.output)
        return int(_chosen("column", _chosen("row", numbers, row), column))

    def _over_image(self, ax: Any, style: dict[str, Any]) -> Any:
        """The mean over the tokens that attend, patch by patch."""
        image, patches = np.asarray(self.image), self._patches
        picture = (image - image.min()) / (np.ptp(image) or 1.0)
        ax.imshow(picture if picture.shape[-1] == 3 else picture.mean(axis=-1), cmap=PLAIN)
        weights = np.asarray(self.weights).mean(axis=0).reshape(patches.output)
        top, left = (-0.5 - low for low in patches.low)
        height, width = (n * size for n, size in zip(patches.output, patches.kernel, strict=True))
        drawn = ax.imshow(
            weights, extent=(left, left + width, top + height, top), **{"cmap": OVER, "alpha": OPACITY, **style}
        )
        ax.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5), xticks=[], yticks=[])
        return drawn


def _rolled_out(of_blocks: Array) -> Array:
    """What each token is made of after all blocks; ValueError if tokens attend to those of another sequence."""
    _, n_attending, n_tokens = of_blocks.shape
    if n_attending != n_tokens:
        raise ValueError(
            f"block='rollout' follows tokens through the blocks, but here {n_attending} attend to {n_tokens} others; "
            "choose a block"
        )
    flow = np.eye(n_tokens)
    for weights in of_blocks:
        flow = (weights @ flow + flow) / 2.0
    return flow


def _chosen(what: str, weights: Array, number: int) -> Array:
    if not is_integer(number) or not -len(weights) <= number < len(weights):
        raise ValueError(f"{what}={number!r} is not there: there are {len(weights)}, counted from 0")
    return weights[number]
