"""What a model of studies is: for which data it is, what comes before it, and which estimator it makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from .data import DataSet
from .forecast import BlockForecasts, Forecast
from .preprocess import Needs, steps_before
from .series import are_ragged
from .spaces import Space, search_space

Family = Literal["network", "baseline"]
Maker = Callable[[DataSet], BaseEstimator]


@dataclass(frozen=True, eq=False)
class Model:
    """One competitor of a study.

    Parameters
    ----------
    name : str
        The name in the results.
    title : str
        The name in reports.
    family : {"network", "baseline"}
        Which side of the comparison the model is on.
    makers : mapping of str to callable
        For each task the model is for, "classification", "regression", "segmentation" or "density", ``maker(data)``
        returns a fresh estimator.
    needs : Needs or None, default=None
        What has to happen to the inputs first; None: nothing, the estimator is used as it is.
    most_rows : int or None, default=None
        Data sets with more rows are left to those who name the model.
    dense, grid : bool, default=False
        Whether the model is only for dense data, and only for images or signals.
    steps : bool, default=False
        Whether the model is only for signals and series, whose steps it takes one after the other.
    series : bool, default=False
        Whether the model is a default model for series of different lengths, and images of different sizes, too.
    forecasts : bool, default=False
        Whether the model is a default model for forecasts, too, as a regression on windows of the past.
    short : str, default=""
        A name for narrow tables; "": the title.
    by_default : bool, default=False
        Whether the model is here because it is one of the default models, not because it was named.
    """

    name: str
    title: str
    family: Family
    makers: Mapping[str, Maker]
    needs: Needs | None = None
    most_rows: int | None = None
    dense: bool = False
    grid: bool = False
    steps: bool = False
    series: bool = False
    forecasts: bool = False
    short: str = ""
    by_default: bool = False

    def build(self, data: DataSet, random_state: int | None, gaps: bool = False) -> BaseEstimator:
        """Return a fresh estimator for a data set, behind the preprocessing it needs.

        Parameters
        ----------
        data : DataSet
            Its columns decide on the preprocessing, which learns nothing before ``fit``.
        random_state : int or None
            The seed of the estimator, wherever a random state is None.
        gaps : bool, default=False
            Whether values may be missing in a table that comes later, though none are in this one.

        Returns
        -------
        estimator
            Not fitted yet; a pipeline if there is anything to do before the model.

        Raises
        ------
        ValueError
            If the model cannot be fitted to such data.
        """
        reason = self.can_fit(data)
        if reason:
            raise ValueError(f"the model {self.name!r} cannot be fitted to {data.name!r}: {reason}")
        if data.forecast is not None:
            return BlockForecasts(self._forecaster(data.forecast, data, random_state))
        before = [] if self.needs is None else steps_before(data, self.needs, gaps)
        estimator = self._estimator(data, random_state)
        return make_pipeline(*before, estimator) if before else estimator

    def _estimator(self, data: DataSet, random_state: int | None) -> BaseEstimator:
        return _seeded(self.makers[data.task](data), random_state)

    def _forecaster(self, forecast: Forecast, data: DataSet, random_state: int | None) -> BaseEstimator:
        return forecast.of(self._estimator(data, random_state))

    def space(self, data: DataSet, n_train: int | None = None) -> Space:
        """Where to search for the parameters of the estimator that ``build`` returns.

        Parameters
        ----------
        data : DataSet
            As for ``build``.
        n_train : int or None, default=None
            The rows to train on, among which neighbours are searched for; None: half of the data.

        Returns
        -------
        dict of str to list or distribution
            By name of the parameter; empty if there is nothing to tune. Your own estimators are never tuned: their
            parameters are your choice.
        """
        if self.needs is None:
            return {}
        return search_space(self.build(data, random_state=None), data.n_samples // 2 if n_train is None else n_train)

    def can_fit(self, data: DataSet) -> str:
        """Say why the model cannot be fitted to a data set.

        Parameters
        ----------
        data : DataSet
            The data set.

        Returns
        -------
        str
            The reason, or "" if it can be fitted.
        """
        if data.task not in self.makers:
            from .models import ALL  # which are made of this class

            others = ", ".join(model.name for model in ALL.values() if data.task in model.makers)
            return f"for {' and '.join(self.makers)}, not {data.task}; models for {data.task}: {others}"
        if data.forecast is not None:
            return "not for forecasts" if self.grid else ""
        if self.grid and data.sample_shape is None:
            return "no images or signals"
        if self.steps and len(data.sample_shape or ()) != 2:
            return "no signals or series"
        if self.dense and issparse(data.X):
            return "not for sparse data"
        return ""

    def suits(self, data: DataSet) -> str:
        """Say why the model should not be among the default models for a data set.

        Parameters
        ----------
        data : DataSet
            The data set.

        Returns
        -------
        str
            The reason, or "" if it can be a default.
        """
        reason = self.can_fit(data)
        if not reason and are_ragged(data.X) and data.task != "segmentation" and not self.series:
            return "samples of different sizes, for which others are better known"
        if not reason and data.forecast is not None and not self.forecasts:
            return "forecasts, for which others are better known"
        if not reason and self.most_rows is not None and data.n_samples > self.most_rows:
            return f"more than {self.most_rows:,} rows"
        return reason

    def skips(self, data: DataSet) -> str:
        """Say why a study leaves this model out for a data set: what is named is left out only if it cannot be fitted.

        Parameters
        ----------
        data : DataSet
            The data set.

        Returns
        -------
        str
            The reason, or "" if the model takes part.
        """
        return self.suits(data) if self.by_default else self.can_fit(data)

    @property
    def limits(self) -> list[str]:
        """What the model is for, where that is not everything."""
        tasks = {
            "classification": "for labels",
            "regression": "for numbers",
            "segmentation": "for label maps",
            "density": "for densities",
        }
        of_vectors = {"classification", "regression"}
        found = [tasks[task] for task in self.makers if not of_vectors <= set(self.makers)]
        if self.grid:
            found.append("for images and signals")
        if self.steps:
            found.append("for signals and series")
        if self.most_rows is not None:
            found.append(f"up to {self.most_rows:,} rows")
        return found


def _one_step(forecast: Forecast) -> int:
    return 1


@dataclass(frozen=True, eq=False)
class Repetition(Model):
    """The forecast that repeats the last steps. It learns nothing, and is for series to forecast alone.

    Parameters
    ----------
    period : callable
        How many steps come again, ``period(forecast)``; None: that was not named.
    """

    period: Callable[[Forecast], int | None] = _one_step

    def _forecaster(self, forecast: Forecast, data: DataSet, random_state: int | None) -> BaseEstimator:
        return forecast.repeated(self.period(forecast))  # type: ignore[arg-type]  # can_fit has seen that it is one

    def can_fit(self, data: DataSet) -> str:
        """See `Model.can_fit`."""
        if data.forecast is None:
            return "not a series to forecast"
        return "no season was named with --season (season=)" if self.period(data.forecast) is None else ""

    @property
    def limits(self) -> list[str]:
        """See `Model.limits`."""
        return ["for forecasts"]


def _seeded(estimator: BaseEstimator, random_state: int | None) -> BaseEstimator:
    unset = [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return estimator.set_params(**dict.fromkeys(unset, random_state))
