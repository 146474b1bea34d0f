"""The probability integral transform: where true values lie in what is predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import kstest, kstwo
from sklearn.utils import check_random_state

from ..autodiff.tape import Array
from .common import given_axes, pyplot
from .draws import as_columns, draw_outputs, output_names, places
from .ranks import BAND


def pit(estimator: Any, X: Any, y: Any, *, n_draws: int = 1000, random_state: Any = None) -> Array:
    r"""The probability integral transform of true values: the predicted probability of a smaller one.

    .. math:: u = F(y \mid X),

    with the distribution function of what the estimator draws. If predictions are calibrated, u is uniform between 0
    and 1. It is found from :math:`S` draws, of which :math:`r` are smaller, as :math:`u = (r + v) / (S + 1)` with a
    uniform random number v, which is uniform for any number of draws.

    Parameters
    ----------
    estimator : estimator
        Fitted, with a ``sample_y(X, n_samples, random_state)`` as that of `FlowRegressor` or
        ``GaussianProcessRegressor``, or with a ``predict(X, return_std=True)`` as that of ``BayesianRidge``, which is
        taken for a normal distribution; a pipeline or a search stands for the estimator in it.
    X : array-like of shape (n_samples, ...)
        Samples it was not fitted to.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their true values.
    n_draws : int, default=1000
        Draws for each sample, :math:`S`.
    random_state : int, RandomState instance or None, default=None
        Determines the draws; pass an int for the same numbers each time.

    Returns
    -------
    u : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Of each output by itself.

    Raises
    ------
    TypeError
        If the estimator has neither method.
    ValueError
        If y is not what it draws, or `n_draws` is no positive number.
    NotFittedError
        If the estimator is not fitted.

    References
    ----------
    Dawid (1984). Statistical theory: the prequential approach. Journal of the Royal Statistical Society A 147.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from sknn.inspection import pit
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-3, 3, (300, 1))
    >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.2, 300)
    >>> process = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X[:100], y[:100])
    >>> u = pit(process, X[100:], y[100:], random_state=0)
    >>> u.mean().round(1), u.std().round(1)  # 1 / 2 and 1 / sqrt(12) are expected
    (np.float64(0.5), np.float64(0.3))
    """
    rng = check_random_state(random_state)
    below, equal = places(estimator, X, y, n_draws, rng)
    return ((below + rng.uniform(size=below.shape) * (equal + 1)) / (n_draws + 1)).reshape(np.shape(y))


class PITDisplay:
    """How the probability integral transform of true values differs from a uniform distribution.

    Make one with :meth:`from_estimator`. Of each output the share of values below u, less u, is drawn against u: 0
    everywhere if predictions are calibrated. Calibrated ones leave the band in 1 % of cases. A hill: true values are
    smaller than predicted; a valley: larger; first a hill and then a valley: predictions are too narrow, the other way
    round too wide.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Of :func:`pit`.
    names : sequence of str, default=None
        Those of the outputs; None: they are numbered.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the curves are.
    lines_ : dict of str to matplotlib Line2D
        The curve of each output.
    band_ : matplotlib Rectangle
        What 99 % of uniform samples of this size do not leave, by Kolmogorov and Smirnov's test.

    References
    ----------
    Säilynoja, Bürkner, Vehtari (2022). Graphical test for discrete uniformity and its applications in goodness-of-fit
    evaluation and multiple sample comparison. Statistics and Computing 32.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import PITDisplay
    >>> values = np.random.default_rng(0).beta(2, 2, size=500)  # predictions are too wide
    >>> display = PITDisplay(values=values).plot()
    >>> bool(display.p_values[0] < 0.001)
    True
    """

    def __init__(self, *, values: Array, names: Sequence[str] | None = None) -> None:
        self.values = values
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_draws: int = 1000,
        random_state: Any = None,
        names: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> PITDisplay:
        """Draw where true values lie in what a fitted estimator predicts.

        Parameters
        ----------
        estimator, X, y, n_draws, random_state
            See :func:`pit`.
        names : sequence of str, default=None
            Names of the outputs; None: those of the columns of y, if it is a table.
        ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : PITDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError, ValueError, NotFittedError
            See :func:`pit`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.gaussian_process import GaussianProcessRegressor
        >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
        >>> from sknn.inspection import PITDisplay
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-3, 3, (300, 1))
        >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.2, 300)
        >>> process = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X[:100], y[:100])
        >>> display = PITDisplay.from_estimator(process, X[100:], y[100:], random_state=0)
        >>> bool(display.p_values[0] > 0.001)
        True
        """
        plt = pyplot(f"{cls.__name__}.from_estimator")
        given_axes(plt, ax)
        values = pit(estimator, X, y, n_draws=n_draws, random_state=random_state)
        return cls(values=values, names=output_names(y, names)).plot(ax=ax, **kwargs)

    @property
    def p_values(self) -> Array:
        """Of each output, how probable values so uneven are if it is calibrated: Kolmogorov and Smirnov's test."""
        return np.array([kstest(each, "uniform").pvalue for each in self._columns().T])

    def plot(self, ax: Any = None, **kwargs: Any) -> PITDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        **kwargs
            Of the lines, for `matplotlib.axes.Axes.step`.

        Returns
        -------
        display : PITDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If values do not lie between 0 and 1, or `names` are not as many as the outputs.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        values = np.sort(self._columns(), axis=0)
        if given_axes(plt, ax) is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        n = len(values)
        largest = kstwo.ppf(0.99, n)
        self.band_ = ax.axhspan(-largest, largest, **BAND)

        def draw(k: int, **style: Any) -> Any:
            x = np.concatenate([[0.0], values[:, k], [1.0]])
            below = np.concatenate([np.arange(n + 1) / n, [1.0]])
            return ax.plot(np.repeat(x, 2)[1:], _before_and_after(below, x), **{**style, **kwargs})[0]

        self.lines_ = draw_outputs(ax, values.shape[1], self.names, draw)
        ax.set(xlabel="predicted probability of a smaller value, u", ylabel="share of true values below u, less u")
        ax.set_xlim(0, 1)
        return self

    def _columns(self) -> Array:
        return as_columns("values", self.values, 0.0, 1.0)


def _before_and_after(below: Array, x: Array) -> Array:
    """A stair less the diagonal, at each of its steps before and after it; what is before the first is left out."""
    before = np.concatenate([[0.0], below[:-1]]) - x
    return np.column_stack([before, below - x]).ravel()[1:]
