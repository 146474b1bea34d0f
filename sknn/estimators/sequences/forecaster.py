"""Forecasts by regression: windows of the past are the samples, the steps that follow each are its targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.linear_model import Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...description import is_integer, is_number
from ...series import read_series, windows
from ...series.windows import are_several, check_lengths
from ...template.declaring import Declaring
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, MetaEstimatorMixin
from .naive import naive_forecasts, skill

if TYPE_CHECKING:
    from pandas import DataFrame


def _has_quantiles(forecaster: Any) -> bool:
    if forecaster.quantiles is None:
        raise AttributeError("predict_quantiles needs quantiles=[...], got quantiles=None")
    return True


class Forecaster(MetaEstimatorMixin, Declaring):
    """Forecasts series with any regressor: from a window of the past, all steps of the horizon at once.

    Each stretch of `window` steps is a sample, the `horizon` steps behind it are its targets, and one regression learns
    from all of them, those of several series together. What a window looks like is told relative to its last values,
    since a level that wanders is what ruins regressions on raw values; the forecast is given it back.

    The last value and the last season are hard to beat, and so is ridge regression: :meth:`score` is measured against
    the first two, and :meth:`backtest` shows all three beside the forecaster.

    Raises
    ------
    ValueError
        If a series is shorter than `window` + `horizon`, holds NaN or infinity, or has other channels than in the fit;
        if `season` is longer than `window`; if there is no channel of a number in `known`, or none is left to forecast.

    See Also
    --------
    sknn.series.windows : The samples that it learns from.

    References
    ----------
    Ben Taieb, Bontempi, Atiya, Sorjamaa (2012). A review and comparison of strategies for multi-step ahead time series
    forecasting. Expert Systems with Applications 39.
    Zeng, Chen, Zhang, Xu (2023). Are transformers effective for time series forecasting? AAAI.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sknn import Forecaster
    >>> t = np.arange(400)
    >>> series = np.sin(2 * np.pi * t / 12) + 0.01 * t + 0.1 * np.random.default_rng(0).normal(size=400)
    >>> forecaster = Forecaster(Ridge(), window=24, horizon=6, season=12).fit(series[:300])
    >>> forecaster.predict().shape
    (6, 1)
    >>> forecaster.score(series[300:]) > 0.5
    True
    >>> tested = forecaster.backtest(series, n_splits=3)
    >>> tested.groupby("model")["mse"].mean().idxmin()
    'forecaster'
    """

    estimator: BaseEstimator | None = parameter(
        default=None,
        allowed=[HasMethods(["fit", "predict"]), None],
        text="The regressor, of sknn or scikit-learn, a pipeline too. One that takes series gets windows of several "
        "channels as such, (n, window, channels), any other all of their values in a row; for one with a single output "
        "there is a clone for each step. None: ``RNNRegressor(learning_rate_init=0.003)``, gated recurrent units.",
        kw_only=False,
    )
    window: int = parameter(default=96, interval="[1, inf)", text="How many steps of the past a forecast sees.")
    horizon: int = parameter(default=24, interval="[1, inf)", text="How many steps it tells.")
    season: int | None = parameter(
        default=None,
        interval="[1, inf)",
        text="How many steps a season has, at most `window`: the forecast that repeats the last one is a baseline. "
        "None: there is none.",
    )
    normalise: Literal["last", "each"] | None = parameter(
        default="last",
        text='What values are relative to: "last" to the last value of the window, so that forecasts follow a level '
        'that wanders; "each" to mean and standard deviation of the window, so that they follow its spread too; None '
        "to the mean of the series in the fit.",
    )
    quantiles: Sequence[float] | None = parameter(
        default=None,
        text="Which quantiles :meth:`predict_quantiles` gives, between 0 and 1. They are those of the errors on the "
        "last fifth of each series, made by a clone that was fitted to the rest, for each step of the horizon.",
    )
    stride: int = parameter(
        default=1, interval="[1, inf)", text="How many steps windows of the fit start one after the other."
    )
    known: Sequence[int] = parameter(
        default=(),
        text="Numbers of channels that are known in advance, such as hours, holidays or a weather forecast. They are "
        "not forecast: their values over the horizon are among the inputs, and `predict` is given them as `future`.",
    )

    estimator_: BaseEstimator = fitted("The fitted regressor.")
    mean_: Array = fitted("The mean of each channel in the fit.", shape="(n_channels,)")
    scale_: Array = fitted("The standard deviation of each, 1 of one that is constant.", shape="(n_channels,)")
    residual_quantiles_: Array = fitted(
        "With `quantiles`, those of the errors, in units of the spread that `normalise` says.",
        shape="(horizon, n_forecast_channels, n_quantiles)",
    )
    n_features_in_: int = fitted("The number of channels.")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, series: Any, y: Any = None) -> Self:
        """Fit the regressor to all windows of the series.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, channels), or list of arrays
            One series, or several, of at least `window` + `horizon` steps each.
        y : None
            Ignored.

        Returns
        -------
        self : Forecaster
        """
        learnt = clone(self)._fit(series)  # so that a fit that fails leaves this one as it was
        vars(self).pop("residual_quantiles_", None)
        vars(self).update({name: value for name, value in vars(learnt).items() if name not in self._get_param_names()})
        return self

    def _fit(self, series: Any) -> Self:
        each = self._read(series, fresh=True)
        self._several = are_several(series)
        self._check_options()
        check_lengths([len(x) for x in each], self.window, self.horizon)
        if self.quantiles is not None:
            self.residual_quantiles_ = self._quantiles_of_errors(each)
        values = np.concatenate(each)
        self.mean_, spread = values.mean(axis=0), values.std(axis=0)
        self.scale_ = np.where(spread > 1e-12 * np.abs(self.mean_), spread, 1.0)
        self._last = np.stack([x[-self.window :] for x in each])
        past, future = windows(each, self.window, self.horizon, self.stride)
        level, spread = self._level(past)
        targets = (future[:, :, self._targets] - level) / spread
        regressor = self._regressor(targets[0].size)
        self._as_series = bool(get_tags(regressor).input_tags.three_d_array) and self.n_features_in_ > 1
        y = targets.reshape(len(targets), -1)
        self.estimator_ = regressor.fit(
            self._inputs(past, future[:, :, self._known]), y[:, 0] if y.shape[1] == 1 else y
        )
        return self

    def predict(self, series: Any = None, future: Any = None) -> Any:
        """Forecast the steps that follow the end of series.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, channels), or list of arrays, default=None
            One series, or several, of at least `window` steps each. None: those of the fit.
        future : array-like of shape (horizon, n_known), or list of such, default=None
            The channels that are known in advance, over the horizon; one for each series.

        Returns
        -------
        forecast : ndarray of shape (horizon, n_forecast_channels), or list of such
            One for each series of a list.
        """
        past, ahead, several = self._asked(series, future)
        forecasts = self._forecasts(past, ahead)
        return list(forecasts) if several else forecasts[0]

    @available_if(_has_quantiles)
    def predict_quantiles(self, series: Any = None, future: Any = None) -> Any:
        """Forecast quantiles of the steps that follow the end of series.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, channels), or list of arrays, default=None
            One series, or several, of at least `window` steps each. None: those of the fit.
        future : array-like of shape (horizon, n_known), or list of such, default=None
            The channels that are known in advance, over the horizon; one for each series.

        Returns
        -------
        quantiles : ndarray of shape (horizon, n_forecast_channels, n_quantiles), or list of such
            In the order of `quantiles`; one for each series of a list.
        """
        past, ahead, several = self._asked(series, future)
        spread = self._level(past)[1][..., None]
        found = self._forecasts(past, ahead)[..., None] + spread * self.residual_quantiles_
        return list(found) if several else found[0]

    def score(self, series: Any, y: Any = None) -> float:
        """The skill of forecasts from every window of the series.

        That is 1 - e / b, where e is the mean squared error and b that of the better of the last value and, with
        `season`, the last season; errors of each channel are in units of `scale_`. 1 is perfect, 0 as good as the
        better of these, below 0 worse.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, channels), or list of arrays
            One series, or several, of at least `window` + `horizon` steps each.
        y : None
            Ignored.

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        past, future = windows(self._read(series, fresh=False), self.window, self.horizon)
        truth, scale = future[:, :, self._targets], self.scale_[self._targets]
        forecast = self._forecasts(past, future[:, :, self._known])
        baselines = naive_forecasts(past[:, :, self._targets], self.horizon, self.season)
        error, *others = [float((((truth - each) / scale) ** 2).mean()) for each in (forecast, *baselines.values())]
        return skill(error, others)

    def backtest(self, series: Any, n_splits: int = 5) -> DataFrame:
        """Forecast the past: fit to the beginning of the series, forecast what follows, and again with more of it.

        Each series is cut into `n_splits` + 1 parts of equal length. In fold k a clone is fitted to the first k + 1
        of them and forecasts the next part, from every window that ends in front of a whole horizon within it; nothing
        of what it forecasts, nor of what comes later, is seen by the fit. The last value, the last season (with
        `season`) and scikit-learn's `Ridge` in place of the regressor do the same.

        Parameters
        ----------
        series : array-like of shape (T,) or (T, channels), or list of arrays
            One series, or several.
        n_splits : int, default=5
            How many folds.

        Returns
        -------
        results : DataFrame
            A row for each fold, channel and model ("forecaster", "ridge", "last value", "season"), with the number of
            forecasts (``n_forecasts``), their mean squared and mean absolute error (``mse``, ``mae``) in units of the
            series, and the ``skill`` against the better of last value and season (see :meth:`score`).

        Raises
        ------
        ValueError
            If a part is too short to learn from or to forecast.
        """
        from pandas import DataFrame

        if not is_integer(n_splits) or n_splits < 1:
            raise ValueError(f"n_splits={n_splits!r} must be a positive integer")
        each = clone(self)._read(series, fresh=True)
        parts = [len(x) // (n_splits + 1) for x in each]
        check_lengths(parts, self.window, self.horizon, f" in each of {n_splits + 1} parts")
        rows = [row for fold in range(n_splits) for row in self._fold(each, fold, n_splits)]
        return DataFrame(rows, columns=["fold", "channel", "model", "n_forecasts", "mse", "mae", "skill"])

    # -- data ----------------------------------------------------------------------------------------------------------

    def _read(self, series: Any, fresh: bool) -> list[Array]:
        """Each series as (T, channels)."""
        found = read_series(self, series if are_several(series) else [np.asarray(series)], fresh)
        return list(found.astype(np.float64))

    def _check_options(self) -> None:
        n = self.n_features_in_
        if any(not is_integer(channel) or not 0 <= channel < n for channel in self.known):
            raise ValueError(f"known={self.known!r} must hold numbers of channels, of which there are {n}, from 0")
        self._known = list(dict.fromkeys(self.known))
        self._targets = [channel for channel in range(n) if channel not in self._known]
        if not self._targets:
            raise ValueError(f"known={self.known!r} leaves none of {n} channels to forecast")
        if self.season is not None and self.season > self.window:
            raise ValueError(
                f"season={self.season} must not be longer than window={self.window}, in which the last season is found"
            )
        if self.quantiles is not None and not all(is_number(q) and 0 < q < 1 for q in self.quantiles):
            raise ValueError(f"quantiles={self.quantiles!r} must hold numbers between 0 and 1")

    def _asked(self, series: Any, future: Any) -> tuple[Array, Array, bool]:
        """The last window of each series, what is known of the steps behind it, and whether there are several."""
        check_is_fitted(self)
        past, several = self._last, self._several
        if series is not None:
            several, each = are_several(series), self._read(series, fresh=False)
            check_lengths([len(x) for x in each], self.window)
            past = np.stack([x[-self.window :] for x in each])
        if future is None:
            if self._known:
                raise ValueError(f"future must give the channels {self._known} over the horizon, got None")
            return past, np.empty((len(past), self.horizon, 0)), several
        given = [np.asarray(one, np.float64) for one in (future if several else [future])]
        given = [one[:, None] if one.ndim == 1 else one for one in given]
        wanted = (self.horizon, len(self._known))
        if len(given) != len(past) or any(one.shape != wanted for one in given):
            raise ValueError(
                f"future must have shape (horizon, n_known) = {wanted} for each of {len(past)} series, got "
                f"{[one.shape for one in given]}"
            )
        return past, np.stack(given), several

    # -- what the regressor sees ---------------------------------------------------------------------------------------

    def _level(self, past: Array) -> tuple[Array, Array]:
        """What values to forecast are relative to, and in units of what, (n, 1, channels)."""
        x = past[:, :, self._targets]
        scale = np.broadcast_to(self.scale_[self._targets], x[:, :1].shape)
        if self.normalise is None:
            return np.broadcast_to(self.mean_[self._targets], scale.shape), scale
        if self.normalise == "last":
            return x[:, -1:], scale
        spread = x.std(axis=1, keepdims=True)
        return x.mean(axis=1, keepdims=True), np.where(spread > 1e-6 * scale, spread, scale)

    def _inputs(self, past: Array, ahead: Array) -> Array:
        """Windows as the regressor takes them, in a row or as series; those go on where something is known ahead."""
        level, spread = self._level(past)
        x = (past - self.mean_) / self.scale_
        x[:, :, self._targets] = (past[:, :, self._targets] - level) / spread
        ahead = (ahead - self.mean_[self._known]) / self.scale_[self._known]
        if not self._as_series:
            return np.concatenate([x.reshape(len(x), -1), ahead.reshape(len(x), -1)], axis=1)
        if not self._known:
            return x
        on = np.repeat(x[:, -1:], self.horizon, axis=1)  # what is not known stays as it was last
        on[:, :, self._known] = ahead
        return np.concatenate([x, on], axis=1)

    def _regressor(self, n_outputs: int) -> Any:
        regressor = self._default() if self.estimator is None else clone(self.estimator)
        several = get_tags(regressor).target_tags.multi_output
        return regressor if several or n_outputs == 1 else MultiOutputRegressor(regressor)

    def _default(self) -> Any:
        from ... import RNNRegressor

        return RNNRegressor(learning_rate_init=0.003)  # of .001 to .005 the best on ETTh1's validation rows

    def _forecasts(self, past: Array, ahead: Array) -> Array:
        """(n, horizon, channels) in units of the series."""
        level, spread = self._level(past)
        found = np.asarray(self.estimator_.predict(self._inputs(past, ahead)))  # type: ignore[attr-defined]
        return level + spread * found.reshape(len(past), self.horizon, len(self._targets))

    # -- what came out -------------------------------------------------------------------------------------------------

    def _quantiles_of_errors(self, each: list[Array]) -> Array:
        held_out = [max(self.horizon, len(x) // 5) for x in each]
        lengths = [len(x) - n for x, n in zip(each, held_out, strict=True)]
        check_lengths(lengths, self.window, self.horizon, " without their last fifth, on which quantiles are learnt")
        earlier = clone(self).set_params(quantiles=None)._fit([x[:n] for x, n in zip(each, lengths, strict=True)])
        later = [x[n - self.window :] for x, n in zip(each, lengths, strict=True)]
        past, future = windows(later, self.window, self.horizon)
        errors = future[:, :, self._targets] - earlier._forecasts(past, future[:, :, self._known])
        relative = errors / earlier._level(past)[1]
        return np.moveaxis(np.quantile(relative, list(self.quantiles or ()), axis=0), 0, -1)

    def _fold(self, each: list[Array], fold: int, n_splits: int) -> list[tuple[Any, ...]]:
        """A row for each channel and model."""
        ends = [[len(x) * (fold + k) // (n_splits + 1) for k in (1, 2)] for x in each]
        learnt = [x[:cut] for x, (cut, _) in zip(each, ends, strict=True)]
        ridge = {"estimator": Ridge(), "normalise": "last"}
        models = {
            name: clone(self).set_params(quantiles=None, **other).fit(learnt)
            for name, other in {"forecaster": {}, "ridge": ridge}.items()
        }
        tested = [x[cut - self.window : end] for x, (cut, end) in zip(each, ends, strict=True)]
        past, future = windows(tested, self.window, self.horizon)
        known, targets = models["ridge"]._known, models["ridge"]._targets
        naive = naive_forecasts(past[:, :, targets], self.horizon, self.season)
        forecasts = {name: model._forecasts(past, future[:, :, known]) for name, model in models.items()} | naive
        errors = {name: future[:, :, targets] - forecast for name, forecast in forecasts.items()}
        squared = {name: (error**2).mean(axis=(0, 1)) for name, error in errors.items()}
        absolute = {name: np.abs(error).mean(axis=(0, 1)) for name, error in errors.items()}
        return [
            (fold, channel, name, len(past), mse, absolute[name][k], skill(mse, [squared[each][k] for each in naive]))
            for k, channel in enumerate(targets)
            for name, mse in ((name, squared[name][k]) for name in errors)
        ]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = tags.input_tags.three_d_array = True
        return tags
