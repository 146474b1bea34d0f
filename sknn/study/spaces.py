"""Where ``tune`` searches for the parameters of each model.

What is not in the table stays at its default, as the number of trees of a forest: more are never worse, and cost time
alone. The ranges follow the sources below, cut to what is affordable, and hold for standardised inputs.

References
----------
Bergstra, Bengio (2012). Random search for hyper-parameter optimization. JMLR 13.
Gorishniy, Rubachev, Khrulkov, Babenko (2021). Revisiting deep learning models for tabular data. NeurIPS 34. (MLP.)
Grinsztajn, Oyallon, Varoquaux (2022). Why do tree-based models still outperform deep learning on typical tabular data?
NeurIPS 35. (Forests, boosting.)
Hsu, Chang, Lin (2003). A practical guide to support vector classification. National Taiwan University.
Probst, Boulesteix, Bischl (2019). Tunability: importance of hyperparameters of machine learning algorithms. JMLR 20.
"""

from dataclasses import dataclass
from math import exp, inf, log
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, SVR
from sklearn.utils import check_random_state

from sknn import (
    VAE,
    BayesianRegressor,
    CNNClassifier,
    CNNRegressor,
    ConformalRegressor,
    FlowRegressor,
    MLPClassifier,
    MLPRegressor,
    NormalizingFlow,
    PerceptronClassifier,
    PerceptronRegressor,
    ResNetClassifier,
    ResNetRegressor,
    RNNClassifier,
    RNNRegressor,
    TransformerClassifier,
    TransformerRegressor,
    UNetSegmenter,
)

from .densities import Standardised
from .forecast import BlockForecasts
from .kernels import GaussianKernels
from .pixels import OtsuSegmenter, PixelForest
from .quantiles import FromDeviation, OneByOne


@dataclass(frozen=True)
class Uniform:
    """Numbers of a range, all as likely.

    Parameters
    ----------
    low, high : float
        The ends of the range.

    Examples
    --------
    >>> print(Uniform(0.1, 1))
    uniform 0.1 to 1
    """

    low: float
    high: float

    def rvs(self, random_state: Any = None) -> float:
        """Draw one, as ``ParameterSampler`` asks for it.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            The source of chance.

        Returns
        -------
        float
            A Python number, which JSON can hold.
        """
        return float(check_random_state(random_state).uniform(self.low, self.high))

    def __str__(self) -> str:
        return f"uniform {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class LogUniform(Uniform):
    """Numbers of a range, all magnitudes as likely.

    Parameters
    ----------
    low, high : float
        The ends of the range, positive.

    Examples
    --------
    >>> print(LogUniform(1e-6, 1))
    log-uniform 1e-06 to 1
    """

    def rvs(self, random_state: Any = None) -> float:
        return exp(check_random_state(random_state).uniform(log(self.low), log(self.high)))

    def __str__(self) -> str:
        return f"log-{super().__str__()}"


@dataclass(frozen=True)
class LogInteger(LogUniform):
    """Integers of a range, both ends included, the smaller ones the likelier.

    Parameters
    ----------
    low, high : int
        The ends of the range, positive.

    Examples
    --------
    >>> print(LogInteger(1, 50))
    log-uniform integer 1 to 50
    """

    def rvs(self, random_state: Any = None) -> int:
        return int(LogUniform(self.low, self.high + 1 - 1e-9).rvs(random_state))

    def __str__(self) -> str:
        return f"log-uniform integer {self.low} to {self.high}"


@dataclass(frozen=True)
class LayerWidths:
    """Hidden layers, each with a width of its own: as many as between two numbers, all as likely, then the widths.

    The grid of all widths of all layers grows with the power of the number of layers; random draws do not care
    (Bergstra & Bengio 2012).

    Parameters
    ----------
    low, high : int
        The ends of the range of widths, positive. Both are included, and all magnitudes are as likely.
    fewest, most : int, default=1, 3
        How many layers; with 0 a linear model is among them.

    Raises
    ------
    ValueError
        If one of the ranges is none.

    Examples
    --------
    >>> from sklearn.model_selection import ParameterSampler
    >>> widths = LayerWidths(16, 256)
    >>> print(widths)
    1 to 3 layers, each log-uniform integer 16 to 256
    >>> for draw in ParameterSampler({"hidden_layer_sizes": widths}, 3, random_state=0):
    ...     print(draw["hidden_layer_sizes"])
    (82,)
    (85,)
    (90, 46)
    """

    low: int
    high: int
    fewest: int = 1
    most: int = 3

    def __post_init__(self) -> None:
        for first, last, least in (("low", "high", 1), ("fewest", "most", 0)):
            start, end = getattr(self, first), getattr(self, last)
            if not all(isinstance(each, int | np.integer) for each in (start, end)) or not least <= start <= end:
                raise ValueError(f"{first}={start!r} and {last}={end!r} must be integers, {least} <= {first} <= {last}")

    def rvs(self, random_state: Any = None) -> tuple[int, ...]:
        """Draw the widths of all layers, as ``ParameterSampler`` asks for them.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            The source of chance.

        Returns
        -------
        tuple of int
            A value of ``hidden_layer_sizes``.
        """
        rng = check_random_state(random_state)
        width = LogInteger(self.low, self.high)
        return tuple(width.rvs(rng) for _ in range(rng.randint(self.fewest, self.most + 1)))

    def __str__(self) -> str:
        return f"{self.fewest} to {self.most} layers, each {LogInteger(self.low, self.high)}"


Space = dict[str, Any]

_KNN: Space = {"n_neighbors": LogInteger(1, 50), "weights": ["uniform", "distance"], "p": [1, 2]}
_FOREST: Space = {
    "max_features": Uniform(0.1, 1),
    "min_samples_leaf": LogInteger(1, 50),
    "bootstrap": [True, False],
}
_BOOSTING: Space = {
    "learning_rate": LogUniform(0.01, 0.5),
    "max_iter": LogInteger(30, 300),
    "max_leaf_nodes": LogInteger(4, 64),
    "min_samples_leaf": LogInteger(2, 50),
    "l2_regularization": LogUniform(1e-6, 10),
}
_SVM: Space = {"C": LogUniform(0.03, 1000), "gamma": LogUniform(3e-5, 8)}
_NETWORK: Space = {
    "alpha": LogUniform(1e-6, 1),
    "learning_rate_init": LogUniform(3e-4, 1e-2),
    "dropout": [0.0, 0.1, 0.25, 0.5],
    "batch_norm": [False, True],
}
_MLP: Space = {
    "hidden_layer_sizes": [(32,), (100,), (300,), (32, 32), (100, 100), (300, 300), (100, 100, 100)],
    "activation": ["relu", "tanh"],
    **_NETWORK,
}
_CNN: Space = {
    "filters": [(16, 32), (32, 64), ((16, 16), (32, 32)), ((32, 32), (64, 64))],
    "kernel_size": [3, 5],
    "hidden_layer_sizes": [(64,), (128,), (256,)],
    "conv_dropout": [0.0, 0.1, 0.25],
    **_NETWORK,
}
_STEPS: Space = {
    "learning_rate_init": LogUniform(1e-3, 1e-2),
    "alpha": LogUniform(1e-6, 1e-1),
    "dropout": [0.0, 0.1, 0.25],
    "stem": [None, (32,), (64, 64)],
}
_RNN: Space = {"units": [32, 64, 128], "cell": ["gru", "lstm"], "depth": [1, 2], **_STEPS}
_TRANSFORMER: Space = {"width": [32, 64, 128], "depth": [1, 2, 3], **_STEPS}
_RESNET: Space = {
    "filters": [(8, 16, 32), (16, 32, 64), (32, 64, 128)],
    "blocks": [1, 2],
    "block": ["basic", "preactivation"],
    "learning_rate_init": LogUniform(1e-3, 3e-2),
    "alpha": LogUniform(1e-6, 1e-1),
    "stochastic_depth": [0.0, 0.1],
}
_SMOOTHNESS = [0.5, 1.5, 2.5, inf]  # of a Matern kernel; inf is the Gaussian (RBF) kernel
_START = LogUniform(0.3, 30)  # the length scale is fitted: from here, to the nearest optimum

SPACES: dict[type, Space] = {
    LogisticRegression: {"C": LogUniform(1e-4, 1e4)},
    Ridge: {"alpha": LogUniform(1e-4, 1e4)},
    BayesianRidge: {name: LogUniform(1e-8, 1e2) for name in ("alpha_1", "alpha_2", "lambda_1", "lambda_2")},
    KNeighborsClassifier: _KNN,
    KNeighborsRegressor: _KNN,
    RandomForestClassifier: _FOREST,
    RandomForestRegressor: _FOREST,
    HistGradientBoostingClassifier: _BOOSTING,
    HistGradientBoostingRegressor: _BOOSTING,
    SVC: _SVM,
    SVR: {**_SVM, "epsilon": LogUniform(1e-3, 1)},
    GaussianProcessClassifier: {"kernel__k2__length_scale": _START, "kernel__k2__nu": _SMOOTHNESS},
    GaussianProcessRegressor: {
        "kernel__k1__k2__length_scale": _START,
        "kernel__k1__k2__nu": _SMOOTHNESS,
        "alpha": LogUniform(1e-10, 1e-3),
    },
    PerceptronClassifier: {
        "solver": ["perceptron", "sgd"],
        "eta0": LogUniform(1e-2, 1),
        "tol": LogUniform(1e-5, 1e-2),
        "class_weight": [None, "balanced"],
    },
    PerceptronRegressor: {"eta0": LogUniform(1e-3, 0.1), "tol": LogUniform(1e-6, 1e-2)},
    MLPClassifier: _MLP,
    MLPRegressor: _MLP,
    CNNClassifier: _CNN,
    CNNRegressor: _CNN,
    RNNClassifier: _RNN,
    RNNRegressor: _RNN,
    OtsuSegmenter: {"sigma": Uniform(0, 4)},
    PixelForest: {
        "scales": [(1, 2, 4), (1, 2, 4, 8), (0.7, 1.4, 2.8, 5.6), (1, 2, 4, 8, 16)],
        "min_samples_leaf": LogInteger(1, 50),
        "max_features": Uniform(0.1, 1),
    },
    TransformerClassifier: _TRANSFORMER,
    TransformerRegressor: _TRANSFORMER,
    ResNetClassifier: _RESNET,
    ResNetRegressor: _RESNET,
    GaussianMixture: {
        "n_components": LogInteger(1, 50),
        "covariance_type": ["full", "diag"],
        "reg_covar": LogUniform(1e-7, 1e-2),
    },
    GaussianKernels: {"bandwidth": LogUniform(0.03, 2)},
    NormalizingFlow: {
        "kind": ["spline", "affine"],
        "n_transforms": [4, 6, 8],
        "hidden_layer_sizes": [(32, 32), (64, 64), (128, 128)],
        "n_bins": [5, 8, 12],
        "learning_rate_init": LogUniform(1e-3, 1e-2),
        "alpha": LogUniform(1e-5, 1),
    },
    FlowRegressor: {
        "n_transforms": [2, 4, 6],
        "hidden_layer_sizes": [(32, 32), (64, 64), (128, 128)],
        "learning_rate_init": LogUniform(1e-3, 1e-2),
        "alpha": LogUniform(1e-5, 1),
    },
    BayesianRegressor: {"noise": ["constant", "learned"]},
    VAE: {
        "n_components": LogInteger(1, 16),
        "hidden_layer_sizes": [(100,), (500,), (200, 200)],
        "activation": ["relu", "tanh"],
        "learning_rate_init": LogUniform(5e-4, 5e-3),
        "alpha": LogUniform(1e-4, 1),
    },
    UNetSegmenter: {
        "filters": [8, 16],
        "depth": [2, 3],
        "loss": ["cross_entropy", "dice", "both"],
        "class_weight": [None, "balanced"],
        "augment": [None, "flip"],
        "learning_rate_init": LogUniform(1e-3, 2e-2),
        "alpha": LogUniform(1e-6, 1e-1),
    },
}


def search_space(estimator: Any, n_train: int) -> Space:
    """Look up the space of an estimator, by the names that its parameters have in a pipeline.

    Parameters
    ----------
    estimator : scikit-learn estimator
        With a pipeline, a ``TransformedTargetRegressor``, what predicts several quantiles or what calibrates intervals
        around it, or without.
    n_train : int
        The rows to train on. The neighbours are at most half as many, so that there are enough in the inner folds, and
        the components of a mixture a tenth.

    Returns
    -------
    dict of str to list or distribution
        Lists, and objects with a method ``rvs``, for ``RandomizedSearchCV``; empty if there is nothing to tune.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> print(describe(search_space(make_pipeline(LogisticRegression()), n_train=100)))
    logisticregression__C: log-uniform 0.0001 to 10000
    """
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return _prefixed(name, search_space(last, n_train))
    if isinstance(estimator, TransformedTargetRegressor):
        return _prefixed("regressor", search_space(estimator.regressor, n_train))
    if isinstance(estimator, BlockForecasts):
        return _prefixed(
            "forecaster__estimator", search_space(getattr(estimator.forecaster, "estimator", None), n_train)
        )
    if isinstance(estimator, Standardised):  # which then searches for nothing by itself
        return {"grid": [None], **_prefixed("estimator", search_space(estimator.estimator, n_train))}
    if isinstance(estimator, OneByOne | FromDeviation | ConformalRegressor):
        return _prefixed("estimator", search_space(estimator.estimator, n_train))
    space = SPACES.get(type(estimator), {})
    if "n_neighbors" in space:
        return {**space, "n_neighbors": LogInteger(1, max(1, min(50, n_train // 2)))}
    if isinstance(estimator, GaussianMixture):
        return {**space, "n_components": LogInteger(1, max(1, min(50, n_train // 10)))}
    return dict(space)


def _prefixed(name: str, space: Space) -> Space:
    return {f"{name}__{parameter}": values for parameter, values in space.items()}


def describe(space: Space) -> str:
    """Write a space for people, one parameter to a line.

    Parameters
    ----------
    space : dict of str to list or distribution
        As of ``search_space``, or an entry of ``SPACES``.

    Returns
    -------
    str
        Name and values of each parameter.

    Examples
    --------
    >>> print(describe({"alpha": LogUniform(1e-6, 1), "activation": ["relu", "tanh"]}))
    alpha: log-uniform 1e-06 to 1
    activation: one of relu, tanh
    """
    return "\n".join(f"{parameter}: {_values(values)}" for parameter, values in space.items())


def _values(values: Any) -> str:
    return f"one of {', '.join(map(str, values))}" if isinstance(values, list) else str(values)
