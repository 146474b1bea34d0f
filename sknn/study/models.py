"""The models of a study: sknn's networks and the classical baselines they have to beat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel
from sklearn.linear_model import BayesianRidge, LogisticRegression, QuantileRegressor, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

import sknn

from .data import DataSet
from .densities import Standardised
from .forecast import BlockForecasts, Forecast
from .kernels import GaussianKernels
from .pixels import MajoritySegmenter, OtsuSegmenter, PixelForest
from .preprocess import Needs, steps_before
from .quantiles import FromDeviation, OneByOne
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


# ------------------------------------------------------------------------------------------------ the built-in models
# With the parameters that the estimators have by default, as somebody would use them who does not tune: the networks as
# well, whose 200 epochs are what keeps them from overfitting small data.

SCALED = Needs(scaling=True)
UNSCALED = Needs(scaling=False)
OF_STEPS = Needs(scaling=False, imputation=False, flattening=False, shaped=True)
OF_GRIDS = Needs(scaling=False, flattening=False, shaped=True)  # it standardises itself, channel by channel
AS_THEY_ARE = Needs(scaling=False, imputation=False)  # densities scale by themselves, and say what that changes
OF_TREES = Needs(scaling=False, statistics=True)  # which split single values, and a step of a series says little alone
ROWS_TO_STOP_EARLY = 2_000


def fixed(estimator: BaseEstimator) -> Maker:
    return partial(_copy_of, estimator)


def _copy_of(estimator: BaseEstimator, data: DataSet) -> BaseEstimator:
    return clone(estimator)


def _both(classifier: BaseEstimator, regressor: BaseEstimator) -> dict[str, Maker]:
    return {"classification": fixed(classifier), "regression": fixed(regressor)}


def on_grids(network: Callable[..., BaseEstimator], data: DataSet) -> BaseEstimator:
    options = {"global_pooling": "average"} if are_ragged(data.X) else {}
    return network(input_shape=data.sample_shape, **options)


def _on_steps(network: Callable[..., BaseEstimator], data: DataSet) -> BaseEstimator:
    return network(time_channel=data.time_channel)


def _stopped_early(network: Callable[..., BaseEstimator], data: DataSet) -> BaseEstimator:
    # Small data cannot spare rows to validate on; large ones, trained to the end, overfit and take many times longer.
    if data.n_samples <= ROWS_TO_STOP_EARLY:
        return network()
    if data.forecast is None:
        return network(early_stopping=True, n_iter_no_change=20)
    latest = TimeSeriesSplit(9, gap=data.forecast.horizon - 1)  # of the windows, as others overlap with all
    return network(early_stopping=True, n_iter_no_change=20, validation_fraction=latest)


def _kernel(data: DataSet) -> Kernel:
    # One length scale for all features: one for each would cost a gradient each, and overfit below 1,000 rows. Samples
    # of d standardised features are sqrt(2 d) apart, so that the search starts where they are neither all alike nor
    # all unrelated.
    return ConstantKernel(1.0, (1e-3, 1e5)) * Matern(float(np.sqrt(data.n_features)), (1e-2, 1e4), nu=2.5)


def _gaussian_process_classifier(data: DataSet) -> BaseEstimator:
    return GaussianProcessClassifier(_kernel(data))


def _gaussian_process_regressor(data: DataSet) -> BaseEstimator:
    return GaussianProcessRegressor(_kernel(data) + WhiteKernel(0.1, (1e-8, 1e2)), normalize_y=True)


# Support vector regression measures its tolerance epsilon and its penalty C in units of y: only of a scaled y are the
# defaults sensible.
_SVR = TransformedTargetRegressor(SVR(), transformer=StandardScaler())

BUILT_IN: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "dummy",
            "Dummy",
            "baseline",
            {**_both(DummyClassifier(), DummyRegressor()), "segmentation": fixed(MajoritySegmenter())},
            UNSCALED,
            series=True,
        ),
        Model(
            "logistic",
            "Logistic regression",
            "baseline",
            {"classification": fixed(LogisticRegression(max_iter=1000))},
            SCALED,
            series=True,
            short="Logistic",
        ),
        Model(
            "ridge",
            "Ridge regression",
            "baseline",
            {"regression": fixed(Ridge())},
            SCALED,
            series=True,
            forecasts=True,
            short="Ridge",
        ),
        Model(
            "knn",
            "k nearest neighbours",
            "baseline",
            _both(KNeighborsClassifier(), KNeighborsRegressor()),
            SCALED,
            series=True,
            short="k nearest",
        ),
        Model(
            "random_forest",
            "Random forest",
            "baseline",
            _both(RandomForestClassifier(), RandomForestRegressor()),
            OF_TREES,
            series=True,
        ),
        Model(
            "hist_gradient_boosting",
            "Gradient boosting",
            "baseline",
            _both(HistGradientBoostingClassifier(), HistGradientBoostingRegressor()),
            Needs(scaling=False, imputation=False, statistics=True),
            dense=True,
            forecasts=True,
            short="Boosting",
        ),
        Model("svm", "Support vector machine", "baseline", _both(SVC(), _SVR), SCALED, most_rows=10_000, short="SVM"),
        Model(
            "gaussian_process",
            "Gaussian process",
            "baseline",
            {"classification": _gaussian_process_classifier, "regression": _gaussian_process_regressor},
            SCALED,
            most_rows=999,
            dense=True,
        ),
        Model(
            "perceptron",
            "Perceptron",
            "network",
            _both(sknn.PerceptronClassifier(random_state=None), sknn.PerceptronRegressor(random_state=None)),
            SCALED,
        ),
        Model(
            "mlp",
            "MLP",
            "network",
            {
                "classification": partial(_stopped_early, sknn.MLPClassifier),
                "regression": partial(_stopped_early, sknn.MLPRegressor),
            },
            SCALED,
            forecasts=True,
        ),
        Model(
            "cnn",
            "CNN",
            "network",
            {
                "classification": partial(on_grids, sknn.CNNClassifier),
                "regression": partial(on_grids, sknn.CNNRegressor),
            },
            Needs(scaling=False, flattening=False),  # it standardises itself, channel by channel
            dense=True,
            grid=True,
            series=True,
        ),
        Model(
            "rnn",
            "Recurrent network",
            "network",
            {
                "classification": partial(_on_steps, sknn.RNNClassifier),
                "regression": partial(_on_steps, sknn.RNNRegressor),
            },
            OF_STEPS,
            dense=True,
            steps=True,
            series=True,
            forecasts=True,
            short="RNN",
        ),
        Model(
            "transformer",
            "Transformer",
            "network",
            {
                "classification": partial(_on_steps, sknn.TransformerClassifier),
                "regression": partial(_on_steps, sknn.TransformerRegressor),
            },
            OF_STEPS,
            dense=True,
            steps=True,
            series=True,
        ),
        Model(
            "resnet",
            "Residual network",
            "network",
            _both(sknn.ResNetClassifier(), sknn.ResNetRegressor()),
            OF_GRIDS,
            dense=True,
            grid=True,
            series=True,
            short="ResNet",
        ),
    )
}


OF_FORECASTS: dict[str, Model] = {
    model.name: model
    for model in (
        Repetition("last_value", "Last value", "baseline", {}, forecasts=True),
        Repetition("season", "Last season", "baseline", {}, forecasts=True, period=attrgetter("season")),
    )
}
OF_MAPS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("otsu", "Otsu's threshold", "baseline", {"segmentation": fixed(OtsuSegmenter())}, UNSCALED, short="Otsu"),
        Model(
            "pixel_forest",
            "Forest of pixels",
            "baseline",
            {"segmentation": fixed(PixelForest())},
            UNSCALED,
            short="Pixels",
        ),
        Model("unet", "U-net", "network", {"segmentation": fixed(sknn.UNetSegmenter())}, OF_GRIDS),
    )
}
COMPONENTS, ROWS_OF_A_COMPONENT = (1, 2, 4, 8, 16, 32), 20
BANDWIDTHS = np.geomspace(0.02, 1.6, 10).tolist()  # in standard deviations of the columns


def _gaussian_mixture(data: DataSet) -> BaseEstimator:
    numbers = [number for number in COMPONENTS if number == 1 or number * ROWS_OF_A_COMPONENT <= data.n_samples]
    return Standardised(GaussianMixture(max_iter=500), {"n_components": numbers})


# A density has no default that suits most data: the number of components and the bandwidth are always searched for, in
# inner folds of the training rows.
OF_DENSITIES: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            "gaussian_mixture",
            "Gaussian mixture",
            "baseline",
            {"density": _gaussian_mixture},
            AS_THEY_ARE,
            short="Mixture",
        ),
        Model(
            "kernel_density",
            "Kernels",
            "baseline",
            {"density": fixed(Standardised(GaussianKernels(), {"bandwidth": BANDWIDTHS}))},
            AS_THEY_ARE,
            most_rows=10_000,
        ),
        Model("vae", "Variational autoencoder", "network", {"density": fixed(sknn.VAE())}, AS_THEY_ARE, short="VAE"),
        Model(
            "flow", "Normalizing flow", "network", {"density": fixed(sknn.NormalizingFlow())}, AS_THEY_ARE, short="Flow"
        ),
    )
}
ALL = BUILT_IN | OF_FORECASTS | OF_MAPS | OF_DENSITIES


CALIBRATION_FOLDS = 5


def of_quantiles(quantiles: Sequence[float]) -> dict[str, Model]:
    """Make the built-in models that predict quantiles.

    Parameters
    ----------
    quantiles : sequence of float
        Between 0 and 1.

    Returns
    -------
    dict of str to Model
        By name: all are for regression.

    Examples
    --------
    >>> list(of_quantiles([0.1, 0.5, 0.9]))
    ['dummy', 'linear', 'hist_gradient_boosting', 'gaussian_process', 'mlp', 'cnn', 'rnn', 'transformer', 'resnet']
    """
    levels = [float(level) for level in quantiles]
    learns: dict[str, Any] = {"loss": "quantile", "quantile": levels}
    makers: dict[str, Maker] = {
        "dummy": fixed(OneByOne(DummyRegressor(strategy="quantile"), levels)),
        "linear": fixed(OneByOne(QuantileRegressor(alpha=0), levels)),
        "hist_gradient_boosting": fixed(OneByOne(HistGradientBoostingRegressor(loss="quantile", quantile=0.5), levels)),
        "gaussian_process": partial(_with_deviation, levels),
        "mlp": partial(_stopped_early, partial(sknn.MLPRegressor, **learns)),
        "cnn": partial(on_grids, partial(sknn.CNNRegressor, **learns)),
        "rnn": partial(_on_steps, partial(sknn.RNNRegressor, **learns)),
        "transformer": partial(_on_steps, partial(sknn.TransformerRegressor, **learns)),
        "resnet": fixed(sknn.ResNetRegressor(**learns)),
    }
    linear = replace(
        BUILT_IN["ridge"], name="linear", title="Linear quantile regression", most_rows=10_000, short="Linear"
    )
    boosting = replace(
        BUILT_IN["hist_gradient_boosting"], series=True
    )  # there is no forest that learns from statistics
    known = BUILT_IN | {"linear": linear, "hist_gradient_boosting": boosting}
    return {name: replace(known[name], makers={"regression": maker}) for name, maker in makers.items()}


def of_intervals(confidence: float) -> dict[str, Model]:
    """Make the built-in models that know how sure they are.

    Parameters
    ----------
    confidence : float
        The level of the intervals, between 0 and 1.

    Returns
    -------
    dict of str to Model
        By name: all are for regression. Gradient boosting learns the ends of intervals of that level, which are
        calibrated; the dummy and the MLP learn them and are taken at their word.

    Examples
    --------
    >>> models = of_intervals(0.9)
    >>> [name for name, model in models.items() if model.family == "baseline"]
    ['dummy', 'bayesian_ridge', 'hist_gradient_boosting', 'gaussian_process']
    >>> [name for name, model in models.items() if model.family == "network"]
    ['mlp', 'conformal', 'flow', 'bayesian', 'ensemble']
    """
    of_ends = of_quantiles([(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    boosting = partial(_calibrated, of_ends["hist_gradient_boosting"].makers["regression"], confidence)
    conformal = partial(_calibrated, BUILT_IN["mlp"].makers["regression"], confidence)
    network = partial(_network_of_numbers, needs=UNSCALED)
    models = (
        of_ends["dummy"],
        replace(
            BUILT_IN["ridge"],
            name="bayesian_ridge",
            title="Bayesian ridge",
            makers={"regression": fixed(BayesianRidge())},
            dense=True,
            short="",
        ),
        replace(of_ends["hist_gradient_boosting"], makers={"regression": boosting}),
        replace(BUILT_IN["gaussian_process"], makers={"regression": _gaussian_process_regressor}),
        of_ends["mlp"],
        _network_of_numbers("conformal", "Conformal MLP", conformal, SCALED),
        network("flow", "Conditional flow", fixed(sknn.FlowRegressor())),
        network("bayesian", "Bayesian network", fixed(sknn.BayesianRegressor())),
        network("ensemble", "Ensemble of networks", fixed(sknn.BayesianRegressor(posterior="ensemble"))),
    )
    return {model.name: model for model in models}


def _network_of_numbers(name: str, title: str, maker: Maker, needs: Needs) -> Model:
    return Model(name, title, "network", {"regression": maker}, needs, dense=True, short=title.split()[0])


def _calibrated(maker: Maker, confidence: float, data: DataSet) -> BaseEstimator:
    return sknn.ConformalRegressor(maker(data), cv=CALIBRATION_FOLDS, confidence=confidence)


def _with_deviation(levels: list[float], data: DataSet) -> BaseEstimator:
    return FromDeviation(_gaussian_process_regressor(data), levels)


def _seeded(estimator: BaseEstimator, random_state: int | None) -> BaseEstimator:
    unset = [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return estimator.set_params(**dict.fromkeys(unset, random_state))
