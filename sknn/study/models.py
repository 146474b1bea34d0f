"""The models of a study: sknn's networks and the classical baselines they have to beat."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Literal

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
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
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge
from sklearn.model_selection import TimeSeriesSplit
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils.discovery import all_estimators

import sknn

from .data import DataSet
from .forecast import BlockForecasts
from .names import look_up
from .preprocess import Needs, steps_before
from .quantiles import FromDeviation, OneByOne
from .series import are_series
from .spaces import Space, search_space

Family = Literal["network", "baseline"]
Maker = Callable[[DataSet], BaseEstimator]

NETWORK_LIBRARIES = {"sknn", "skorch", "scikeras"}
SEASON = "season"
SCIKIT_LEARNS_NETWORKS = {"MLPClassifier", "MLPRegressor", "Perceptron"}


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
        For each task the model is for, "classification" or "regression", ``maker(data)`` returns a fresh estimator.
    needs : Needs or None, default=None
        What has to happen to the inputs first; None: nothing, the estimator is used as it is.
    most_rows : int or None, default=None
        Data sets with more rows are left to those who name the model.
    dense, grid : bool, default=False
        Whether the model is only for dense data, and only for images or signals.
    steps : bool, default=False
        Whether the model is only for signals and series, whose steps it takes one after the other.
    series : bool, default=False
        Whether the model is a default model for series of different lengths, too.
    forecasts : bool, default=False
        Whether the model is a default model for forecasts, too, as a regression on windows of the past.
    only_forecasts : bool, default=False
        Whether the model is for nothing else: its makers return what forecasts by itself.
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
    only_forecasts: bool = False
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
        estimator = _seeded(self.makers[data.task](data), random_state)
        if data.forecast is not None:
            return BlockForecasts(estimator if self.only_forecasts else data.forecast.of(estimator))
        before = [] if self.needs is None else steps_before(data, self.needs, gaps)
        return make_pipeline(*before, estimator) if before else estimator

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
            others = ", ".join(model.name for model in BUILT_IN.values() if data.task in model.makers)
            return f"for {' and '.join(self.makers)}, not {data.task}; models for {data.task}: {others}"
        if data.forecast is not None:
            return self._cannot_forecast(data)
        if self.only_forecasts:
            return "not a series to forecast"
        if self.grid and data.sample_shape is None:
            return "no images or signals"
        if self.steps and len(data.sample_shape or ()) != 2:
            return "no signals or series"
        if self.dense and issparse(data.X):
            return "not for sparse data"
        return ""

    def _cannot_forecast(self, data: DataSet) -> str:
        if self.grid:
            return "not for forecasts"
        is_lacking = self.name == SEASON and data.forecast is not None and data.forecast.season is None
        return "no season was named with --season (season=)" if is_lacking else ""

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
        if not reason and are_series(data.X) and not self.series:
            return "series of different lengths, for which others are better known"
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


# ------------------------------------------------------------------------------------------------ the built-in models
# With the parameters that the estimators have by default, as somebody would use them who does not tune: the networks as
# well, whose 200 epochs are what keeps them from overfitting small data.

SCALED = Needs(scaling=True)
UNSCALED = Needs(scaling=False)
OF_STEPS = Needs(scaling=False, imputation=False, flattening=False, steps=True)
OF_TREES = Needs(scaling=False, statistics=True)  # which split single values, and a step of a series says little alone
ROWS_TO_STOP_EARLY = 2_000


def _fixed(estimator: BaseEstimator) -> Maker:
    return partial(_copy_of, estimator)


def _copy_of(estimator: BaseEstimator, data: DataSet) -> BaseEstimator:
    return clone(estimator)


def _both(classifier: BaseEstimator, regressor: BaseEstimator) -> dict[str, Maker]:
    return {"classification": _fixed(classifier), "regression": _fixed(regressor)}


def _on_grids(network: Callable[..., BaseEstimator], data: DataSet) -> BaseEstimator:
    options = {"global_pooling": "average"} if are_series(data.X) else {}
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
        Model("dummy", "Dummy", "baseline", _both(DummyClassifier(), DummyRegressor()), UNSCALED, series=True),
        Model(
            "logistic",
            "Logistic regression",
            "baseline",
            {"classification": _fixed(LogisticRegression(max_iter=1000))},
            SCALED,
            series=True,
            short="Logistic",
        ),
        Model(
            "ridge",
            "Ridge regression",
            "baseline",
            {"regression": _fixed(Ridge())},
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
                "classification": partial(_on_grids, sknn.CNNClassifier),
                "regression": partial(_on_grids, sknn.CNNRegressor),
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
    )
}


def _repeated(what: str, data: DataSet) -> BaseEstimator:
    forecast: Any = data.forecast  # which these models are for alone
    return forecast.repeated(forecast.season if what == SEASON else 1)


OF_FORECASTS: dict[str, Model] = {
    name: Model(name, title, "baseline", {"regression": partial(_repeated, name)}, forecasts=True, only_forecasts=True)
    for name, title in (("last_value", "Last value"), (SEASON, "Last season"))
}
ALL = BUILT_IN | OF_FORECASTS


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
    ['dummy', 'linear', 'hist_gradient_boosting', 'gaussian_process', 'mlp', 'cnn', 'rnn', 'transformer']
    """
    levels = [float(level) for level in quantiles]
    learns: dict[str, Any] = {"loss": "quantile", "quantile": levels}
    makers: dict[str, Maker] = {
        "dummy": _fixed(OneByOne(DummyRegressor(strategy="quantile"), levels)),
        "linear": _fixed(OneByOne(QuantileRegressor(alpha=0), levels)),
        "hist_gradient_boosting": _fixed(
            OneByOne(HistGradientBoostingRegressor(loss="quantile", quantile=0.5), levels)
        ),
        "gaussian_process": partial(_with_deviation, levels),
        "mlp": partial(_stopped_early, partial(sknn.MLPRegressor, **learns)),
        "cnn": partial(_on_grids, partial(sknn.CNNRegressor, **learns)),
        "rnn": partial(_on_steps, partial(sknn.RNNRegressor, **learns)),
        "transformer": partial(_on_steps, partial(sknn.TransformerRegressor, **learns)),
    }
    linear = replace(
        BUILT_IN["ridge"], name="linear", title="Linear quantile regression", most_rows=10_000, short="Linear"
    )
    boosting = replace(
        BUILT_IN["hist_gradient_boosting"], series=True
    )  # there is no forest that learns from statistics
    known = BUILT_IN | {"linear": linear, "hist_gradient_boosting": boosting}
    return {name: replace(known[name], makers={"regression": maker}) for name, maker in makers.items()}


def _with_deviation(levels: list[float], data: DataSet) -> BaseEstimator:
    return FromDeviation(_gaussian_process_regressor(data), levels)


DEFAULTS: tuple[Model, ...] = tuple(replace(model, by_default=True) for model in BUILT_IN.values())
"""The models that ``models=None`` means: for each data set those that suit it."""


# ---------------------------------------------------------------------------------------------------- models by choice


def as_models(
    models: Iterable[str | tuple[str, Any]] | Mapping[str, Any] | None, quantiles: Sequence[float] | None = None
) -> list[Model]:
    """Turn the ``models`` argument of ``Study`` into competitors.

    Parameters
    ----------
    models : None, list, or dict of str to estimator
        None: all built-in models, for each data set those that suit it. The entries of a list are names of built-in
        models, the word "defaults" for all of these, names of classifiers and regressors of scikit-learn or sknn
        (``"ExtraTreesClassifier"``; of two with the same name it is sknn's), or pairs of a name and an estimator.
    quantiles : sequence of float or None, default=None
        With quantiles the built-in models are those that predict them, and there are no other names.

    Returns
    -------
    list of Model
        In the order given, but "defaults" come first; what is named as well takes the place of the default so called.

    Raises
    ------
    ValueError
        If there is no model, a name is unknown (the message suggests the nearest one) or given twice, or an estimator
        is neither a classifier nor a regressor.

    Examples
    --------
    >>> [model.name for model in as_models(["logistic", "ExtraTreesClassifier", ("shallow", sknn.MLPClassifier(5))])]
    ['logistic', 'ExtraTreesClassifier', 'shallow']
    """
    built_in = ALL if quantiles is None else of_quantiles(quantiles)
    defaults = {name: replace(model, by_default=True) for name, model in built_in.items()}
    if models is None:
        return list(defaults.values())
    if isinstance(models, str):
        raise ValueError(f"models={models!r} is a single string; it must be a list of names, a dict or None")
    entries = list(models.items() if isinstance(models, Mapping) else models)
    if not entries:
        raise ValueError(f"models={models!r} holds no model; None means all built-in ones")
    chosen: dict[str, Model] = {}
    for model in (_as_model(entry, built_in) for entry in entries if entry != "defaults"):
        if model.name in chosen:
            raise ValueError(f"models names {model.name!r} twice; every model needs a name of its own")
        chosen[model.name] = model
    if "defaults" not in entries:
        return list(chosen.values())
    return list((defaults | chosen).values())


def _as_model(entry: Any, built_in: Mapping[str, Model]) -> Model:
    if isinstance(entry, str):
        return _by_name(entry, built_in)
    if isinstance(entry, tuple | list) and len(entry) == 2 and isinstance(entry[0], str):
        return from_estimator(*entry)
    raise ValueError(f"models contains {entry!r}; an entry must be a name or a pair of a name and an estimator")


def _by_name(name: str, built_in: Mapping[str, Model]) -> Model:
    classes = _classes() if built_in is ALL else {}
    if name not in classes:
        return look_up("model", name, built_in, also=["defaults", *classes])
    try:
        estimator = classes[name]()
    except TypeError:
        raise ValueError(f"{name} cannot be made without arguments; give a pair of a name and an estimator") from None
    bare = getattr(estimator, "input_scaling", None) is None  # convolutional networks standardise images as such
    needs = Needs(scaling=bare, flattening=bare)
    makers = dict.fromkeys(_tasks(name, estimator), _shaped(estimator))
    short = re.sub("(Classifier|Regressor)$", "", name)
    return Model(name, name, family_of(estimator), makers, needs, short=short)


def _shaped(estimator: BaseEstimator) -> Maker:
    """Networks that can be told the shape of a sample are told that of the data."""
    return partial(_on_grids, type(estimator)) if "input_shape" in estimator.get_params() else _fixed(estimator)


@cache
def _classes() -> dict[str, type]:
    """All classifiers and regressors of scikit-learn and sknn, by name."""
    own = {name: getattr(sknn, name) for name in sknn.__all__ if name.endswith(("Classifier", "Regressor"))}
    return {name: each for kind in ("classifier", "regressor") for name, each in all_estimators(kind)} | own


def from_estimator(name: str, estimator: Any) -> Model:
    """Make a model of an estimator that the user configured.

    It is used as it is: preprocessing is up to the estimator, and a random state that is None becomes the study's.

    Parameters
    ----------
    name : str
        The name in the results.
    estimator : scikit-learn classifier or regressor
        Never fitted itself, only its clones are.

    Returns
    -------
    Model
        The competitor.

    Raises
    ------
    ValueError
        If the estimator is neither a classifier nor a regressor.

    Examples
    --------
    >>> from_estimator("nearest", KNeighborsClassifier(1)).family
    'baseline'
    """
    return Model(name, name, family_of(estimator), dict.fromkeys(_tasks(name, estimator), _fixed(estimator)))


def _tasks(name: str, estimator: Any) -> list[str]:
    if isinstance(estimator, type):
        raise ValueError(f"the model {name!r} is the class {estimator.__name__}; give an instance of it")
    kinds = {"classification": is_classifier, "regression": is_regressor}
    tasks = [task for task, is_for in kinds.items() if hasattr(estimator, "__sklearn_tags__") and is_for(estimator)]
    if not tasks:
        raise ValueError(
            f"the model {name!r} is neither a classifier nor a regressor of scikit-learn's kind: {estimator!r}"
        )
    return tasks


def family_of(estimator: Any) -> Family:
    """Tell networks from baselines.

    Networks are those of sknn, skorch and SciKeras, and scikit-learn's ``MLPClassifier``, ``MLPRegressor`` and
    ``Perceptron``; also as the last step of a pipeline, or inside a search, a bag or a ``TransformedTargetRegressor``.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Fitted or not.

    Returns
    -------
    {"network", "baseline"}
        Which side of the comparison it is on.

    Examples
    --------
    >>> family_of(make_pipeline(StandardScaler(), sknn.MLPClassifier()))
    'network'
    """
    if getattr(estimator, "steps", None):
        return family_of(estimator.steps[-1][1])
    for name in ("estimator", "regressor"):
        if hasattr(getattr(estimator, name, None), "fit"):
            return family_of(getattr(estimator, name))
    for kind in type(estimator).__mro__:
        library = kind.__module__.partition(".")[0]
        if library in NETWORK_LIBRARIES or (library == "sklearn" and kind.__name__ in SCIKIT_LEARNS_NETWORKS):
            return "network"
    return "baseline"


def _seeded(estimator: BaseEstimator, random_state: int | None) -> BaseEstimator:
    unset = [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return estimator.set_params(**dict.fromkeys(unset, random_state))
