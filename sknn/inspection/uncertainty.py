"""Error against uncertainty: whether predictions are as far off as they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2

from ..autodiff.tape import Array
from ..pipeline import mean_and_std, predicts_std
from .common import PALE, given_axes, pyplot
from .draws import as_columns, draw_outputs, fitted_model, output_names, true_values
from .ranks import BAND


class ErrorUncertaintyDisplay:
    r"""How far predictions are off, against the standard deviations that were predicted.

    Make one with :meth:`from_estimator` or :meth:`from_predictions`. Samples are put in order of their predicted
    deviation :math:`\sigma_i` and divided into bins; of each bin

    .. math:: \mathrm{RMSE} = \sqrt{\tfrac1m \sum_i (y_i - \hat y_i)^2} \quad \text{stands against} \quad
        \sqrt{\tfrac1m \sum_i \sigma_i^2}.

    Each output has a line. Calibrated ones lie on the diagonal, of normal errors 99 % of the bins within the band;
    above it predictions are overconfident. A line that does not rise says that the deviations do not tell sure
    predictions from unsure ones, even if they are right on average, which coverage cannot show.

    Parameters
    ----------
    uncertainty, error : ndarray of shape (n_bins,) or (n_bins, n_outputs)
        The root mean square of predicted deviations and of errors in each bin.
    n_samples : int
        How many samples lie in a bin: the band depends on it.
    names : sequence of str, default=None
        Those of the outputs; None: they are numbered.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the curves are.
    lines_ : dict of str to matplotlib Line2D
        The curve of each output.
    band_ : matplotlib PolyCollection
        Where the errors of calibrated predictions lie.

    References
    ----------
    Levi, Gispan, Giladi, Fetaya (2022). Evaluating and calibrating uncertainty prediction in regression tasks. Sensors
    22. arXiv:1905.11659.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import ErrorUncertaintyDisplay
    >>> rng = np.random.default_rng(0)
    >>> std = rng.uniform(1, 3, 1000)
    >>> y = rng.normal(0, 2 * std)  # errors are twice as large as predicted
    >>> display = ErrorUncertaintyDisplay.from_predictions(y, np.zeros(1000), std)
    >>> (display.error / display.uncertainty).mean().round(1)
    np.float64(2.0)
    """

    def __init__(self, *, uncertainty: Array, error: Array, n_samples: int, names: Sequence[str] | None = None) -> None:
        self.uncertainty = uncertainty
        self.error = error
        self.n_samples = n_samples
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_bins: int = 10,
        names: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> ErrorUncertaintyDisplay:
        """Draw the errors of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with a ``predict(X, return_std=True)`` as that of `BayesianRegressor`, ``GaussianProcessRegressor``
            or ``BayesianRidge``, or a network of ``loss="normal"``; a pipeline or a search stands for the estimator in
            it.
        X : array-like of shape (n_samples, ...)
            Samples it was not fitted to.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their true values.
        n_bins : int, default=10
            How many bins; they hold equally many samples, or one more.
        names : sequence of str, default=None
            Names of the outputs; None: those of the columns of y, if it is a table.
        ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : ErrorUncertaintyDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError
            If the estimator predicts no standard deviation.
        ValueError
            If y is not what is predicted, or there are not as many samples as bins.
        NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import BayesianRidge
        >>> from sknn.inspection import ErrorUncertaintyDisplay
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(1000, 3))
        >>> y = X[:, 0] + rng.normal(0, 0.5, 1000)
        >>> ridge = BayesianRidge().fit(X[:500], y[:500])
        >>> display = ErrorUncertaintyDisplay.from_estimator(ridge, X[500:], y[500:], n_bins=2)
        >>> display.uncertainty.round(1), display.error.round(1)
        (array([0.5, 0.5]), array([0.5, 0.5]))
        """
        given_axes(pyplot(f"{cls.__name__}.from_estimator"), ax)
        model, x = fitted_model(estimator, X)
        if not predicts_std(model):
            raise TypeError(
                f"estimator={model!r} has no predict(X, return_std=True); give one that predicts standard deviations, "
                "such as BayesianRegressor, GaussianProcessRegressor or BayesianRidge"
            )
        mean, std = mean_and_std(model, x)
        return cls.from_predictions(y, mean, std, n_bins=n_bins, names=names, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        y_std: Any,
        *,
        n_bins: int = 10,
        names: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> ErrorUncertaintyDisplay:
        """Draw the errors of predictions, whatever made them.

        Parameters
        ----------
        y_true, y_pred, y_std : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values, those predicted, and the standard deviations predicted for them.
        n_bins, names
            See :meth:`from_estimator`.
        ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : ErrorUncertaintyDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If shapes differ, a deviation is negative, or there are not as many samples as bins.

        Examples
        --------
        >>> from sknn.inspection import ErrorUncertaintyDisplay
        >>> y, mean, std = [3.0, 0.0, 0.0], [0.0, 0.0, 1.0], [3.0, 1.0, 1.0]
        >>> display = ErrorUncertaintyDisplay.from_predictions(y, mean, std, n_bins=2)
        >>> display.error.round(1), display.uncertainty
        (array([0.7, 3. ]), array([1., 3.]))
        """
        truth, std = true_values(y_true, y_true), as_columns("y_std", y_std, 0.0, np.inf)
        predicted = as_columns("y_pred", y_pred, -np.inf, np.inf)
        if not truth.shape == predicted.shape == std.shape:
            shapes = " and ".join(str(np.shape(each)) for each in (y_true, y_pred, y_std))
            raise ValueError(f"y_true, y_pred and y_std must have one shape, got {shapes}")
        if not isinstance(n_bins, int | np.integer) or not 1 <= n_bins <= len(truth):
            raise ValueError(f"n_bins={n_bins!r} must be a whole number from 1 to the {len(truth)} samples")
        order = np.argsort(std, axis=0, kind="stable")
        shape = (n_bins, *np.shape(y_true)[1:])
        found = {
            name: _in_bins(np.take_along_axis(values, order, axis=0), n_bins).reshape(shape)
            for name, values in {"uncertainty": std, "error": truth - predicted}.items()
        }
        display = cls(**found, n_samples=len(truth) // n_bins, names=output_names(y_true, names))
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax: Any = None, **kwargs: Any) -> ErrorUncertaintyDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs
            Of the lines, for `matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : ErrorUncertaintyDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If there are not as many errors as deviations, some are negative, or `names` are not as many as the outputs.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        uncertainty = as_columns("uncertainty", self.uncertainty, 0.0, np.inf)
        error = as_columns("error", self.error, 0.0, np.inf)
        if uncertainty.shape != error.shape or self.n_samples < 1:
            raise ValueError(
                f"uncertainty of shape {uncertainty.shape}, error of shape {error.shape} and n_samples="
                f"{self.n_samples!r}: there must be as many of both, and one sample at least"
            )
        if given_axes(plt, ax) is None:
            _, ax = plt.subplots(figsize=(5, 5), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        grid = np.array([0.0, 1.05 * uncertainty.max()])
        low, high = np.sqrt(np.array(chi2.interval(0.99, self.n_samples)) / self.n_samples)
        self.band_ = ax.fill_between(grid, low * grid, high * grid, linewidth=0, **BAND)
        ax.plot(grid, grid, color=PALE, linewidth=0.8)

        def draw(k: int, **style: Any) -> Any:
            return ax.plot(uncertainty[:, k], error[:, k], **{**style, "marker": ".", **kwargs})[0]

        self.lines_ = draw_outputs(ax, error.shape[1], self.names, draw)
        ax.set(xlabel="predicted standard deviation", ylabel="root mean squared error")
        ax.set(xlim=(0, ax.dataLim.x1), ylim=(0, 1.05 * ax.dataLim.y1))  # of all that is drawn there
        return self


def _in_bins(values: Array, n_bins: int) -> Array:
    """The root mean square of each bin of rows."""
    return np.array([np.sqrt(np.mean(rows**2, axis=0)) for rows in np.array_split(values, n_bins)])
