"""Simulation-based calibration: the ranks of true values among draws of their posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import binom, kstest
from sklearn.utils import check_random_state

from ..autodiff.tape import Array
from .common import given_axes, pyplot
from .draws import as_columns, draw_outputs, output_names, places

IN_A_BIN = 20  # ranks that a bin of the histogram should hold at least
BAND = {"color": "0.9", "zorder": 0}


def sbc_ranks(estimator: Any, X: Any, y: Any, *, n_draws: int = 100, random_state: Any = None) -> Array:
    r"""Ranks of simulation-based calibration: how many draws of p(y | X) lie below each true value.

    Parameters y that were drawn from the prior, and X simulated with them, are one more draw of the posterior: if the
    estimator knows it, every rank :math:`r = \#\{s : y_s < y\}` among :math:`S` draws is as probable as any other,
    :math:`r \sim \mathrm{Uniform}\{0, \ldots, S\}`. More ranks at both ends: the posteriors are too narrow; more in the
    middle: too wide; more at one end: they are shifted. Equal values are ordered at random.

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
    n_draws : int, default=100
        Draws for each sample, :math:`S`.
    random_state : int, RandomState instance or None, default=None
        Determines the draws; pass an int for the same ranks each time.

    Returns
    -------
    ranks : ndarray of int of shape (n_samples,) or (n_samples, n_outputs)
        Between 0 and `n_draws`, of each output by itself.

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
    Talts, Betancourt, Simpson, Vehtari, Gelman (2018). Validating Bayesian inference algorithms with simulation-based
    calibration. arXiv:1804.06788.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from sknn.inspection import sbc_ranks
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-3, 3, (300, 1))
    >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.2, 300)
    >>> process = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X[:100], y[:100])
    >>> ranks = sbc_ranks(process, X[100:], y[100:], n_draws=99, random_state=0)
    >>> ranks.shape, (ranks.mean() / 99).round(1)
    ((200,), np.float64(0.5))
    """
    rng = check_random_state(random_state)
    below, equal = places(estimator, X, y, n_draws, rng)
    return (below + rng.randint(0, equal + 1)).reshape(np.shape(y))


class SBCDisplay:
    """Histograms of the ranks of simulation-based calibration, against what calibrated posteriors would give.

    Make one with :meth:`from_estimator`. Each output has a line; the band holds 99 % of the bins of uniform ranks. A
    valley in the middle: the posteriors are too narrow; a hill: too wide; a slope: shifted.

    Parameters
    ----------
    ranks : ndarray of int of shape (n_samples,) or (n_samples, n_outputs)
        Of :func:`sbc_ranks`.
    n_draws : int
        The largest rank there may be.
    names : sequence of str, default=None
        Those of the outputs; None: they are numbered.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the histograms are.
    lines_ : dict of str to matplotlib StepPatch
        The histogram of each output.
    band_ : matplotlib StepPatch
        Where bins of uniform ranks lie.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari, Gelman (2018). Validating Bayesian inference algorithms with simulation-based
    calibration. arXiv:1804.06788.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.inspection import SBCDisplay
    >>> ranks = np.random.default_rng(0).integers(0, 101, size=(200, 2))
    >>> display = SBCDisplay(ranks=ranks, n_draws=100, names=["mass", "age"]).plot()
    >>> display.ax_.get_xlabel(), bool((display.p_values > 0.001).all())
    ('rank of the true value', True)
    """

    def __init__(self, *, ranks: Array, n_draws: int, names: Sequence[str] | None = None) -> None:
        self.ranks = ranks
        self.n_draws = n_draws
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        n_draws: int = 100,
        random_state: Any = None,
        names: Sequence[str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> SBCDisplay:
        """Draw the ranks of true values among what a fitted estimator draws.

        Parameters
        ----------
        estimator, X, y, n_draws, random_state
            See :func:`sbc_ranks`.
        names : sequence of str, default=None
            Names of the outputs; None: those of the columns of y, if it is a table.
        ax, **kwargs
            See :meth:`plot`.

        Returns
        -------
        display : SBCDisplay

        Raises
        ------
        ImportError
            Without matplotlib.
        TypeError, ValueError, NotFittedError
            See :func:`sbc_ranks`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.gaussian_process import GaussianProcessRegressor
        >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
        >>> from sknn.inspection import SBCDisplay
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-3, 3, (300, 1))
        >>> y = np.sin(X[:, 0]) + rng.normal(0, 0.2, 300)
        >>> process = GaussianProcessRegressor(RBF() + WhiteKernel()).fit(X[:100], y[:100])
        >>> display = SBCDisplay.from_estimator(process, X[100:], y[100:], random_state=0)
        >>> bool(display.p_values[0] > 0.001)
        True
        """
        plt = pyplot(f"{cls.__name__}.from_estimator")
        given_axes(plt, ax)
        ranks = sbc_ranks(estimator, X, y, n_draws=n_draws, random_state=random_state)
        return cls(ranks=ranks, n_draws=n_draws, names=output_names(y, names)).plot(ax=ax, **kwargs)

    @property
    def p_values(self) -> Array:
        """Of each output, how probable ranks so uneven are if it is calibrated: Kolmogorov and Smirnov's test.

        The test is made for continuous numbers; with few draws it is a little kind.
        """
        shares = (self._columns() + 0.5) / (self.n_draws + 1)
        return np.array([kstest(each, "uniform").pvalue for each in shares.T])

    def plot(self, ax: Any = None, *, n_bins: int | None = None, **kwargs: Any) -> SBCDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.
        n_bins : int, default=None
            Bins of the histograms; None: at most 20, with 20 ranks or more in each if there are enough.
        **kwargs
            Of the histograms, for `matplotlib.axes.Axes.stairs`.

        Returns
        -------
        display : SBCDisplay
            This one.

        Raises
        ------
        ImportError
            Without matplotlib.
        ValueError
            If ranks are no whole numbers between 0 and `n_draws`, or `names` are not as many as the outputs.
        """
        plt = pyplot(f"{type(self).__name__}.plot")
        ranks = self._columns()
        if given_axes(plt, ax) is None:
            _, ax = plt.subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        edges = self._edges(len(ranks) if n_bins is None else n_bins * IN_A_BIN)
        expected = np.diff(edges) / (self.n_draws + 1)
        low, high = binom.interval(0.99, len(ranks), expected) / (len(ranks) * expected)
        self.band_ = ax.stairs(high, edges, baseline=low, fill=True, **BAND)

        def draw(k: int, **style: Any) -> Any:
            counts = np.histogram(ranks[:, k], edges)[0]
            return ax.stairs(
                counts / (len(ranks) * expected), edges, baseline=None, **{**style, "linewidth": 1.5, **kwargs}
            )

        self.lines_ = draw_outputs(ax, ranks.shape[1], self.names, draw)
        ax.set(xlabel="rank of the true value", ylabel="ranks, as a multiple of those expected", xlim=edges[[0, -1]])
        ax.set_ylim(bottom=0)
        return self

    def _columns(self) -> Array:
        ranks = as_columns("ranks", self.ranks, 0, self.n_draws)
        if (ranks % 1 != 0).any():
            raise ValueError("ranks must be whole numbers, as sbc_ranks gives them; values between 0 and 1 are a PIT's")
        return ranks

    def _edges(self, n_ranks: int) -> Array:
        """Between ranks, so that bins hold as many of the possible ones as can be."""
        n_bins = int(np.clip(n_ranks // IN_A_BIN, 1, min(20, self.n_draws + 1)))
        return np.round(np.linspace(0, self.n_draws + 1, n_bins + 1)) - 0.5
