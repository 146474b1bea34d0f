"""The scale of series: of each channel over the steps of all of them, or of each series on its own."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils.validation import check_is_fitted

from ..autodiff.tape import Array
from ..template.declaring import Declaring
from ..template.parameters import fitted, parameter
from ..template.scikit_learn import TransformerMixin
from .forms import as_grid, as_sequences, checked_channel, in_form_of, is_grid


class SeriesScaler(TransformerMixin, Declaring):
    """Standardises the channels of series: mean 0 and standard deviation 1, over steps rather than over samples.

    Missing values (NaN) stay missing and count for nothing. A channel that is constant becomes 0.

    Raises
    ------
    ValueError
        If X holds no series, infinite values, or other channels than in the fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.series import SeriesScaler
    >>> scaled = SeriesScaler("each").fit_transform([np.array([1.0, 3.0]), np.array([0.0, 0.0, 6.0, 6.0])])
    >>> scaled[0], scaled[1]
    (array([-1.,  1.]), array([-1., -1.,  1.,  1.]))
    """

    scale: Literal["all", "each"] = parameter(
        default="all",
        text='Over what: "all" takes the mean and the spread of a channel over all steps of all series in the fit, '
        '"each" those of every series itself, so that only its shape is left, as is the custom with the series of UCR.',
        kw_only=False,
    )
    time_channel: int | None = parameter(
        default=None, text="The channel that holds the times of the steps, which are left as they are."
    )

    mean_: Array = fitted('The mean of each channel over all steps; 0 with "each".', shape="(n_channels,)")
    scale_: Array = fitted(
        'The standard deviation of each, 1 of one that is constant and with "each".', shape="(n_channels,)"
    )
    n_features_in_: int = fitted("The number of channels; of 2-D X, series of one channel, that of steps.")
    _n_channels: int = fitted("The number of channels.")

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn mean and spread of the channels.

        Parameters
        ----------
        X : list or object array of arrays (T_i,) or (T_i, channels), or array of shape (n, T) or (n, T, channels)
            Series.
        y : None
            Ignored.

        Returns
        -------
        self : SeriesScaler
        """
        series = as_sequences(self, X, fresh=True)
        n = self._n_channels
        self._time = checked_channel("time_channel", self.time_channel, n)
        self.mean_, self.scale_ = np.zeros(n), np.ones(n)
        if self.scale == "all":
            self.mean_, self.scale_ = self._moments(series.values)
        return self

    def transform(self, X: Any) -> Array:
        """Scale series.

        Parameters
        ----------
        X : list or object array of arrays (T_i,) or (T_i, channels), or array of shape (n, T) or (n, T, channels)
            Series.

        Returns
        -------
        X : ndarray
            Series of the same lengths: an array if X was one, otherwise an object array of arrays.
        """
        samples = self._samples(X)
        if self.scale == "all":
            return in_form_of(X, [_scaled(x, self.mean_, self.scale_) for x in samples])
        return in_form_of(X, [_scaled(x, *self._moments(x)) for x in samples])

    def inverse_transform(self, X: Any) -> Array:
        """Give series their scale back.

        Parameters
        ----------
        X : list or object array of arrays (T_i,) or (T_i, channels), or array of shape (n, T) or (n, T, channels)
            Series as :meth:`transform` gives them.

        Returns
        -------
        X : ndarray
            Series as they were before.

        Raises
        ------
        ValueError
            If ``scale="each"``: no series keeps the scale that it had.
        """
        if self.scale == "each":
            raise ValueError("scale='each' leaves nothing of the scale of a series; only scale='all' has an inverse")
        return in_form_of(X, [(x * self.scale_ + self.mean_).astype(x.dtype, copy=False) for x in self._samples(X)])

    def _samples(self, X: Any) -> list[Array]:
        check_is_fitted(self)
        series = as_sequences(self, X, fresh=False)
        return list(as_grid(self, X, fresh=False) if is_grid(X) else series)

    def _moments(self, values: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of each channel, 0 and 1 of times and where there is no spread."""
        known = ~np.isnan(values)
        n = np.maximum(known.sum(axis=0), 1)
        mean = np.sum(values, axis=0, where=known, dtype=np.float64) / n
        spread = np.sqrt(np.sum((values - mean) ** 2, axis=0, where=known) / n)
        spread[spread <= 10 * np.finfo(values.dtype).eps * np.abs(mean)] = 1.0  # rounding of what is constant
        if self._time is not None:
            mean[self._time], spread[self._time] = 0.0, 1.0
        return mean, spread

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _scaled(x: Array, mean: Array, scale: Array) -> Array:
    return ((x - mean) / scale).astype(x.dtype, copy=False)
