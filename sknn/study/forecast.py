"""Forecasts in a study: the rows are the steps of one series, forecast block by block from those before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted

from sknn import Forecaster

from .names import listed, look_up

HORIZONS = 4  # of the past that a forecast sees, unless it is said


@dataclass(frozen=True)
class Forecast:
    """What a study forecasts, and from what.

    Parameters
    ----------
    horizon : int
        How many steps at once.
    window : int
        How many steps of the past a forecast sees.
    season : int or None, default=None
        How many steps a season has; None: there is none.
    known : tuple of int, default=()
        Columns of the table whose values are known in advance.

    Raises
    ------
    ValueError
        If a number is not positive, or the window shorter than a season.
    """

    horizon: int
    window: int
    season: int | None = None
    known: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, value in {"horizon": self.horizon, "window": self.window, "season": self.season}.items():
            if value is not None and not (isinstance(value, int | np.integer) and value > 0):
                raise ValueError(f"{name}={value!r} must be a positive number of steps")
        if self.season is not None and self.season > self.window:
            raise ValueError(f"season={self.season} must not be longer than window={self.window}, where it is found")

    @property
    def fewest_rows(self) -> int:
        """How many steps it takes to learn anything."""
        return self.window + self.horizon

    def of(self, regressor: Any) -> Forecaster:
        """A regressor that forecasts."""
        return Forecaster(regressor, window=self.window, horizon=self.horizon, season=self.season, known=self.known)

    def repeated(self, period: int) -> "Repeated":
        """The forecast that repeats the last steps."""
        return Repeated(self.window, self.horizon, self.known, period)

    def __str__(self) -> str:
        season = f", with a season of {self.season:,}" if self.season else ""
        return f"{self.horizon:,} steps at once from the {self.window:,} before{season}"


def forecast_of(
    horizon: int, window: int | None, season: int | None, known: Sequence[str], names: Sequence[str]
) -> Forecast:
    """Settle what is forecast.

    Parameters
    ----------
    horizon, season : int
        As of `Forecast`.
    window : int or None
        None: four times the horizon, and at least a season.
    known : sequence of str
        The names of the columns that are known in advance.
    names : list of str
        Those of all columns; the first one is forecast.

    Returns
    -------
    Forecast
        With the numbers of these columns.

    Raises
    ------
    ValueError
        If a number is not positive, or there is no such column.
    """
    if isinstance(horizon, int | np.integer) and window is None:
        window = max(HORIZONS * horizon, season or 0)
    columns = {name: number for number, name in enumerate(names) if number}
    numbers = [look_up("known column", str(name), columns) for name in ([known] if isinstance(known, str) else known)]
    return Forecast(horizon, window, season, tuple(numbers))  # type: ignore[arg-type]


def table_of(name: str, y: np.ndarray, called: str, X: Any) -> pd.DataFrame:
    """The series to forecast, and beside it what else is measured, as one table of numbers.

    Parameters
    ----------
    name : str
        Of the data set, for messages.
    y : ndarray of shape (n_steps,)
        The series.
    called : str
        The name of its column.
    X : DataFrame, array-like of shape (n_steps, n_others) or None
        The others.

    Returns
    -------
    DataFrame
        Of floats; the series is the first column.

    Raises
    ------
    ValueError
        If lengths differ, or a column has gaps or is none of numbers.
    """
    if y.dtype.kind not in "biuf":
        raise ValueError(f"y of {name!r} holds no numbers but such as '{y[0]!s}'; a forecast is of numbers")
    if X is None:
        X = pd.DataFrame(index=range(len(y)))
    elif not isinstance(X, pd.DataFrame):
        X = np.asarray(X)
        X = pd.DataFrame(X if X.ndim > 1 else X[:, None]).add_prefix("x")
    if len(X) != len(y):
        raise ValueError(f"y of {name!r} has {len(y):,} values, but X has {len(X):,} rows")
    if called in X:
        raise ValueError(f"X of {name!r} has a column {called!r}, as the series to forecast is called; leave it out")
    columns = {str(key): column.reset_index(drop=True) for key, column in X.items()}
    if texts := [key for key, column in columns.items() if not pd.api.types.is_numeric_dtype(column.dtype)]:
        raise ValueError(
            f"X of {name!r} holds other things than numbers in {listed(map(repr, texts))}, which no forecast takes; "
            "leave these columns out with --drop, or make numbers of them"
        )
    table = pd.DataFrame({called: y, **columns}).astype(float)
    if gaps := [key for key in table if table[key].isna().any()]:
        raise ValueError(
            f"X of {name!r} has gaps in {listed(map(repr, gaps))}; a forecast takes each step: fill them, say by "
            "interpolation, or leave the columns out with --drop"
        )
    return table


class Repeated(BaseEstimator):
    """Forecast that the last steps come again: the last value, or the last season.

    Parameters
    ----------
    window : int
        How many steps of the past it is given.
    horizon : int
        How many steps it forecasts.
    known : sequence of int, default=()
        Columns that are not to be forecast.
    period : int, default=1
        How many steps come again.

    Examples
    --------
    >>> Repeated(window=4, horizon=3, period=2).predict([np.array([[1.0], [2.0], [3.0], [4.0]])])[0].ravel()
    array([3., 4., 3.])
    """

    def __init__(self, window: int, horizon: int, known: Sequence[int] = (), period: int = 1) -> None:
        self.window = window
        self.horizon = horizon
        self.known = known
        self.period = period

    def fit(self, series: Any, y: Any = None) -> Self:
        """Learn nothing."""
        return self

    def predict(self, series: Any, future: Any = None) -> list[np.ndarray]:
        """Forecast the steps behind each of several series, (horizon, n_columns) each."""
        steps = np.arange(self.horizon) % self.period - self.period
        return [one[len(one) + steps] for one in series]


class BlockForecasts(RegressorMixin, BaseEstimator):
    """Forecast rows that follow the training rows, a horizon at a time, so that each row is forecast once.

    The first column of X is the series itself: before a block is forecast all rows in front of it are known, and no row
    in it or behind it is looked at, but for the columns that are known in advance.

    Parameters
    ----------
    forecaster : Forecaster or Repeated
        A copy of it is fitted.

    Attributes
    ----------
    forecaster_ : estimator
        The fitted copy.
    past_ : ndarray of shape (window, n_columns)
        The last training rows.

    Examples
    --------
    >>> X = np.arange(10.0)[:, None]
    >>> blocks = BlockForecasts(Repeated(window=1, horizon=2)).fit(X[:4])
    >>> blocks.predict(X[4:9])
    array([3., 3., 5., 5., 7.])
    """

    def __init__(self, forecaster: Any) -> None:
        self.forecaster = forecaster

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the forecaster to the series.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_columns)
            The steps, the series to forecast first.
        y : array-like of shape (n_steps,), default=None
            The series once more, not used.

        Returns
        -------
        BlockForecasts
            Itself.
        """
        steps = np.asarray(X, float)
        self.forecaster_ = clone(self.forecaster).fit(steps)
        self.past_ = steps[-self.forecaster.window :]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Forecast the rows that follow the training rows.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_columns)
            These rows; in the last horizon of them the series, and what is not known in advance, may be missing.

        Returns
        -------
        ndarray of shape (n_steps,)
            The forecast of each.
        """
        windows, futures = zip(*self._blocks(X), strict=True)
        known = {"future": list(futures)} if len(self.forecaster.known) else {}
        forecasts = self.forecaster_.predict(list(windows), **known)
        return np.concatenate([forecast[:, 0] for forecast in forecasts])[: len(X)]

    def last_values(self, X: Any) -> np.ndarray:
        """Forecast for each of these rows the last value in front of its block, as a measure of others."""
        lasts = [window[-1, 0] for window, _ in self._blocks(X)]
        return np.repeat(lasts, self.forecaster.horizon)[: len(X)]

    def _blocks(self, X: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """What is in front of each block, and what is known of it; behind the end the last row comes again."""
        check_is_fitted(self)
        window, horizon = self.forecaster.window, self.forecaster.horizon
        steps = np.concatenate([self.past_, np.asarray(X, float)])
        ahead = np.pad(steps[:, list(self.forecaster.known)], ((0, horizon), (0, 0)), "edge")
        for start in range(0, len(X), horizon):
            end = start + window
            yield steps[start:end], ahead[end : end + horizon]
