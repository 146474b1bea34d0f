"""Coverage: how often predicted intervals of a level hold the true value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import binom

from ..autodiff.tape import Array
from ..pipeline import predict_interval
from .common import PALE, given_axes, pyplot
from .draws import as_columns, as_numbers, draw_outputs, draws_y, fitted_model, output_names, true_values
from .pit import pit
from .ranks import BAND

LEVELS = tuple((np.arange(1, 20) / 20).tolist())


def coverage(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    confidence: float | Sequence[float] = LEVELS,
    n_draws: int = 1000,
    random_state: Any = None,
) -> Array:
    r"""The share of true values inside of the central intervals that are predicted for them.

    The interval of level c leaves out :math:`(1 - c) / 2` of the predicted probability on either side. Of calibrated
    predictions it holds a share c of the true values, of overconfident ones less. The intervals are those of draws, or
    of ``predict_interval(X, confidence)`` where an estimator does not draw.

    Parameters
    ----------
    estimator : estimator
        Fitted, with a ``sample_y(X, n_samples, random_state)`` as that of `FlowRegressor` or
        ``GaussianProcessRegressor``, with a ``predict(X, return_std=True)`` as that of ``BayesianRidge``, or with a
        ``predict_interval(X, confidence)`` as that of `ConformalRegressor`; or one of ``loss="quantile"`` that predicts
        the ends of these intervals. A pipeline or a search stands for the estimator in it.
    X : array-like of shape (n_samples, ...)
        Samples it was not fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.
    confidence : float or sequence of float, default=(0.05, 0.1, ..., 0.95)
        The levels, between 0 and 1.
    n_draws : int, default=1000
        Draws for each sample.
    random_state : int, RandomState instance or None, default=None
        Determines the draws; pass an int for the same shares each time.

    Returns
    -------
    share : ndarray of shape (n_levels,) or (n_levels, n_outputs)
        Without the axis of levels if `confidence` is a single one.

    Raises
    ------
    TypeError
        If the estimator has none of these methods.
    AttributeError
        If it predicts other quantiles.
    ValueError
        If a level lies outside of 0 and 1, or y is not what is predicted.
    NotFittedError
        If the estimator is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from sknn.inspection import coverage
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-3, 3, (300, 1))
    >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.2, 300)
    >>> process = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X[:100], y[:100])
    >>> coverage(process, X[100:], y[100:], confidence=[0.5, 0.9], random_state=0).round(1)
    array([0.5, 0.9])
    """
    levels = as_numbers("confidence", confidence)
    if levels.ndim > 1 or not levels.size or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"confidence={confidence!r} must be a level between 0 and 1, or a sequence of such")
    model, x = fitted_model(estimator, X)
    tells_intervals = hasattr(model, "predict_interval") or hasattr(model, "predict_quantiles")
    if tells_intervals and not draws_y(model):
        truth = true_values(X, y)
        shares = np.array([_inside(truth, predict_interval(model, x, level)) for level in levels.flat])
    else:
        place = pit(estimator, X, y, n_draws=n_draws, random_state=random_state)
        shares = (2 * np.abs(place - 0.5) <= levels.reshape(-1, *[1] * place.ndim)).mean(axis=1)
    return shares.reshape(levels.shape + np.shape(y)[1:])


def _inside(truth: Array, intervals: Any) -> Array:
    """The share of values (n_samples, n_outputs) in their intervals (n_samples, 2) or (n_samples, n_outputs, 2)."""
    low, high = np.moveaxis(np.reshape(intervals, (*truth.shape, 2)), -1, 0)
    return ((low <= truth) & (truth <= high)).mean(axis=0)


class CoverageDisplay:
    """How often predicted intervals hold the true value, against their level.

    Make one with :meth:`from_estimator`. Each output has a line, calibrated ones lie on the diagonal: at each level in
    99 % of cases within the band. Below it, predictions are overconfident: their intervals are too narrow.

    Parameters
    ----------
    confidence : ndarray of shape (n_levels,)
        The levels.
    shares : ndarray of shape (n_levels,) or (n_levels, n_outputs)
        Of :func:`coverage`.
    n_samples : int
        Of how many samples: the band depends on it.
    names : sequence of str, default=None
        Those of the outputs; None: they are numbered.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the curves are.
    lines_ : dict of str to matplotlib Line2D
        The curve of each output.
    band_ : matplotlib PolyCollection
        Where the shares of calibrated predictions lie.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import CoverageDisplay
    >>> display = CoverageDisplay(confidence=np.array([0.5, 0.9]), shares=np.array([0.3, 0.6]), n_samples=200).plot()
    >>> display.ax_.get_ylabel()
    'share of true values inside'
    """

    def __init__(self, *, confidence: Array, shares: Array, n_samples: int, names: Sequence[str] | None = None) -> None:
        self.confidence = confidence
        self.shares = shares
        self.n_samples = n_samples
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        confidence: Sequence[float] = LEVELS,
        n_draws: int = 1000,
        random_state: Any = None,
        names: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> CoverageDisplay:
        """Draw the coverage of what a fitted estimator predicts.

        Parameters
        ----------
        estimator, X, y, confidence, n_draws, random_state
            See :func:`coverage`.
        names : sequence of str, default=None
            Names of the outputs; None: those of the columns of y, if it is a table.
        ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : CoverageDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError, ValueError, NotFittedError
            See :func:`coverage`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.gaussian_process import GaussianProcessRegressor
        >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
        >>> from sknn.inspection import CoverageDisplay
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-3, 3, (300, 1))
        >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.2, 300)
        >>> process = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X[:100], y[:100])
        >>> display = CoverageDisplay.from_estimator(process, X[100:], y[100:], random_state=0)
        >>> bool(np.abs(display.shares - display.confidence).max() < 0.1)
        True
        """
        plt = pyplot(f"{cls.__name__}.from_estimator")
        given_axes(plt, ax)
        levels = np.atleast_1d(as_numbers("confidence", confidence))
        shares = coverage(estimator, X, y, confidence=levels.tolist(), n_draws=n_draws, random_state=random_state)
        display = cls(confidence=levels, shares=shares, n_samples=len(y), names=output_names(y, names))
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> CoverageDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs
            Of the lines, for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CoverageDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If there is not a share between 0 and 1 for each level, no sample, or `names` are not as many as the
            outputs.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        shares = as_columns("shares", self.shares, 0.0, 1.0)
        if len(shares) != len(self.confidence) or self.n_samples < 1:
            raise ValueError(
                f"{len(shares)} shares, {len(self.confidence)} levels in confidence and n_samples={self.n_samples!r}: "
                "there must be as many of both, and one sample at least"
            )
        if given_axes(plt, ax) is None:
            _, ax = plt.subplots(figsize=(5, 5), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        grid = np.linspace(0, 1, 201)
        low, high = binom.interval(0.99, self.n_samples, grid) / np.float64(self.n_samples)
        self.band_ = ax.fill_between(grid, low, high, linewidth=0, **BAND)
        ax.plot([0, 1], [0, 1], color=PALE, linewidth=0.8)

        def draw(k: int, **style: Any) -> Any:
            return ax.plot(self.confidence, shares[:, k], **{**style, "marker": ".", **kwargs})[0]

        self.lines_ = draw_outputs(ax, shares.shape[1], self.names, draw)
        ax.set(xlabel="level of the interval", ylabel="share of true values inside", xlim=(0, 1), ylim=(0, 1))
        ax.set_aspect("equal")
        return self
