"""Which tokens attend to which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from .common import SEQUENTIAL, given_axes, innermost, pyplot

INCHES = (4.6, 4.0)
MOST_NAMES = 40  # that have room along an axis


class AttentionDisplay:
    """How much each token of a sample attends to each other one, as a picture: a row for a token that attends.

    Make one with :meth:`from_estimator`. Tokens are the steps of a series, or the features of a table and one more,
    from which the output is read; from one sequence to another, those that are written attend to those that were read.

    Parameters
    ----------
    weights : ndarray of shape (n_attending, n_tokens)
        Each row sums to 1.
    names : sequence of str, default=None
        Of the tokens attended to; None: their numbers.
    attending : sequence of str, default=None
        Of those that attend; None: `names`, if there are as many of both.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the weights are.
    image_ : matplotlib AxesImage
        The weights.
    colorbar_ : matplotlib Colorbar or None
        Their scale.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import AttentionDisplay
    >>> display = AttentionDisplay(weights=np.eye(3), names=["a", "b", "c"]).plot()
    >>> display.ax_.get_xlabel(), display.image_.get_clim()
    ('attended to', (0.0, 1.0))
    """

    def __init__(
        self, *, weights: Array, names: Sequence[str] | None = None, attending: Sequence[str] | None = None
    ) -> None:
        self.weights = weights
        self.names = names
        self.attending = attending

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        block: int = -1,
        head: int | None = None,
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
            One sample: a series (n_steps, n_channels) or (n_steps,), a sequence of tokens, or a row of features; or a
            table with one row.
        block : int, default=-1
            Of which block; -1 is the last. A recurrent network has one.
        head : int, default=None
            Of which head; None: the mean of all. A recurrent network has one.
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
            If X is not one sample, or there is no such block or head.
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
        of_blocks = found[0] if found[0].ndim == 4 else found[0][None, None]
        of_heads = _chosen("block", of_blocks, block)
        weights = of_heads.mean(axis=0) if head is None else _chosen("head", of_heads, head)
        return cls(weights=weights, names=names, attending=attending).plot(ax=ax, colorbar=colorbar, **kwargs)

    def plot(self, ax: Any = None, *, colorbar: bool = True, **kwargs: Any) -> AttentionDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        colorbar : bool, default=True
            Whether to draw the scale.
        **kwargs
            Of the picture, for `matplotlib.axes.Axes.imshow`.

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
        style = {"cmap": SEQUENTIAL, "vmin": 0.0, "interpolation": "nearest", **kwargs}
        self.image_ = ax.imshow(np.asarray(self.weights), **style)
        ax.set(xlabel="attended to", ylabel="attends")
        attending = self.attending
        if attending is None and self.names is not None and len(self.names) == len(self.weights):
            attending = self.names
        if self.names is not None and len(self.names) <= MOST_NAMES:
            ax.set_xticks(range(len(self.names)), self.names, rotation=90)
        if attending is not None and len(attending) <= MOST_NAMES:
            ax.set_yticks(range(len(attending)), attending)
        self.colorbar_ = ax.figure.colorbar(self.image_, ax=ax, label="weight") if colorbar else None
        return self


def _chosen(what: str, weights: Array, number: int) -> Array:
    if not -len(weights) <= number < len(weights):
        raise ValueError(f"{what}={number!r} is not there: there are {len(weights)}, counted from 0")
    return weights[number]
