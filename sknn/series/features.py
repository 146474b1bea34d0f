"""Series as rows of statistics, for models of tables such as forests."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from ..autodiff.tape import Array
from ..template.declaring import Declaring
from ..template.parameters import fitted, parameter
from ..template.scikit_learn import TransformerMixin
from .forms import as_sequences, checked_channel
from .periodogram import peaks

N_PEAKS = 3
OF_VALUES = ("mean", "std", "min", "lower_quartile", "median", "upper_quartile", "max", "first", "last")
OF_ORDER = ("slope", "mean_change", "autocorrelation")
OF_PEAKS = tuple(f"{what}_{k}" for k in range(1, N_PEAKS + 1) for what in ("frequency", "power"))


class SeriesFeatures(TransformerMixin, Declaring):
    """Makes a row of statistics of each series: how long it is, and what its channels are like.

    Of a series its ``length``, and with times its ``duration`` and ``median_step``. Of each of its other channels
    ``mean``, ``std``, ``min``, ``lower_quartile``, ``median``, ``upper_quartile``, ``max``, ``first`` and ``last``; the
    ``slope`` of the least-squares line, against times or else the number of the step; ``mean_change``, the mean
    absolute difference of neighbours; ``autocorrelation`` at lag 1, sum (x_t - m)(x_t+1 - m) / sum (x_t - m)^2; with
    times the ``frequency`` and ``power`` of the three highest peaks of the Lomb-Scargle periodogram, a power being the
    share of the variance that a sine explains.

    Missing values (NaN) are left out, channel by channel; of a channel without values all statistics are NaN, which
    forests take. Shifting the clock changes nothing.

    Raises
    ------
    ValueError
        If X holds no series, infinite values, other channels than in the fit, or times that are missing or fall.

    References
    ----------
    Richards et al. (2011). On machine-learned classification of variable stars with sparse and noisy time-series data.
    Astrophysical Journal 733.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn.series import SeriesFeatures
    >>> rng = np.random.default_rng(0)
    >>> slow = rng.random(100) < 0.5
    >>> X = [rng.normal(0.0, 0.1, 40) + np.sin(np.arange(40.0) / (5 if each else 2)) for each in slow]
    >>> forest = make_pipeline(SeriesFeatures(), RandomForestClassifier(random_state=0))
    >>> forest.fit(X[:50], slow[:50]).score(X[50:], slow[50:])
    1.0
    >>> forest[0].get_feature_names_out()[:4]
    array(['length', 'x0_mean', 'x0_std', 'x0_min'], dtype=object)
    """

    time_channel: int | None = parameter(
        default=None, text="The channel that holds the times of the steps. None: steps are even."
    )
    max_frequency: float | None = parameter(
        default=None,
        interval="(0, inf)",
        text="The highest frequency looked at, in cycles for each unit of time. None: of each series half of one over "
        "its median step of time, that of Nyquist if steps are even. Uneven times tell higher ones, too: for variable "
        "stars seen every few nights, say how fast they may be. Computing time grows with duration and frequency.",
    )

    n_features_in_: int = fitted("The number of channels; of 2-D X, series of one channel, that of steps.")
    _n_channels: int = fitted("The number of channels.")

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how many channels there are.

        Parameters
        ----------
        X : list or object array of arrays (T_i,) or (T_i, channels), or array of shape (n, T) or (n, T, channels)
            Series.
        y : None
            Ignored.

        Returns
        -------
        self : SeriesFeatures
        """
        as_sequences(self, X, fresh=True)
        if self.max_frequency is not None and self.time_channel is None:
            raise ValueError(f"max_frequency={self.max_frequency} has no effect without time_channel")
        self._time = checked_channel("time_channel", self.time_channel, self._n_channels)
        self._others = [channel for channel in range(self._n_channels) if channel != self._time]
        self._column = getattr(X, "name", None) if getattr(X, "ndim", 0) == 1 else None  # of a table
        return self

    def transform(self, X: Any) -> Array:
        """The statistics of series.

        Parameters
        ----------
        X : list or object array of arrays (T_i,) or (T_i, channels), or array of shape (n, T) or (n, T, channels)
            Series.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features)
            A row for each; their names are those of :meth:`get_feature_names_out`.
        """
        check_is_fitted(self)
        series = as_sequences(self, X, fresh=False)
        rows = [self._of_series(number, np.asarray(x, np.float64)) for number, x in enumerate(series)]
        return np.array(rows, series.dtype)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """The names of the statistics.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the channels; None: ``x0``, ``x1`` and so on. Those of the steps of 2-D X are not used, nor that of
            the column of a table that the series stood in.

        Returns
        -------
        names : ndarray of str objects
            Such as ``length`` and ``x0_mean``.
        """
        check_is_fitted(self, "_others")
        if self._column is not None and input_features is not None and list(input_features) == [self._column]:
            input_features = None
        channels = _check_feature_names_in(self, input_features)
        if self.n_features_in_ != self._n_channels:  # steps of one channel
            channels = ["x0"]
        of_series = ["length"] if self._time is None else ["length", "duration", "median_step"]
        of_channel = [*OF_VALUES, *OF_ORDER, *(OF_PEAKS if self._time is not None else ())]
        names = of_series + [f"{channels[channel]}_{what}" for channel in self._others for what in of_channel]
        return np.array(names, object)

    def _of_series(self, number: int, x: Array) -> list[float]:
        times = np.arange(float(len(x)))
        row = [float(len(x))]
        if self._time is not None:
            times = _checked(x[:, self._time], number)
            row += [times[-1], float(np.median(np.diff(times))) if len(times) > 1 else 0.0]
        others = x[:, self._others]
        if not np.isnan(others).any():
            return row + self._of_channels(times, others).T.ravel().tolist()
        for channel in others.T:
            known = ~np.isnan(channel)
            row += self._of_channels(times[known], channel[known, None])[:, 0].tolist()
        return row

    def _of_channels(self, times: Array, x: Array) -> Array:
        """(n_statistics, n_channels) of channels without gaps."""
        if not len(x):
            n_statistics = len(OF_VALUES) + len(OF_ORDER) + (len(OF_PEAKS) if self._time is not None else 0)
            return np.full((n_statistics, x.shape[1]), np.nan)
        quartiles = np.quantile(x, [0, 0.25, 0.5, 0.75, 1], axis=0)
        rows = [x.mean(axis=0), x.std(axis=0), *quartiles, x[0], x[-1], *_of_order(times, x)]
        if self._time is not None:
            found = [peaks(times, channel, N_PEAKS, self.max_frequency) for channel in x.T]
            rows += list(np.column_stack([np.column_stack(each).ravel() for each in found]))
        return np.stack(rows)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _checked(times: Array, number: int) -> Array:
    """Times since the first one."""
    if np.isnan(times).any():
        raise ValueError(f"the time of step {np.argmax(np.isnan(times))} of sample {number} is missing")
    falls = np.diff(times) < 0
    if falls.any():
        k = int(np.argmax(falls))
        raise ValueError(
            f"times must not fall, but in sample {number} that of step {k} is {times[k]} and that of step {k + 1} is "
            f"{times[k + 1]}; sort the steps"
        )
    return times - times[0]


def _of_order(times: Array, x: Array) -> tuple[Array, Array, Array]:
    """Slope, mean change and autocorrelation of each channel; 0 where there is nothing to tell them from."""
    t, c = times - times.mean(), x - x.mean(axis=0)
    spread, variance = t @ t, (c * c).sum(axis=0)
    change = np.abs(np.diff(x, axis=0)).mean(axis=0) if len(x) > 1 else np.zeros(x.shape[1])
    together = (c[:-1] * c[1:]).sum(axis=0)
    return t @ c / (spread or 1.0), change, together / np.where(variance > 0, variance, 1.0)
