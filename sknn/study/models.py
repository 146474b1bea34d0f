"""The models of a study: sknn's networks and the classical baselines they have to beat."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
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
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

import sknn

from .data import DataSet
from .densities import Standardised
from .kernels import GaussianKernels
from .model import Maker, Model, Repetition
from .pixels import MajoritySegmenter, OtsuSegmenter, PixelForest
from .preprocess import Needs
from .quantiles import FromDeviation, OneByOne
from .series import are_ragged

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
