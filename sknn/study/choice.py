"""The models that a study is asked for: built-in ones, classes of scikit-learn by name, estimators of one's own."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.discovery import all_estimators

import sknn

from .densities import is_density
from .maps import is_segmenter
from .model import Family, Maker, Model
from .models import ALL, fixed, of_intervals, of_quantiles, on_grids
from .names import look_up
from .preprocess import Needs

NETWORK_LIBRARIES = {"sknn", "skorch", "scikeras"}
BASELINES = "sknn.study."
SCIKIT_LEARNS_NETWORKS = {"MLPClassifier", "MLPRegressor", "Perceptron"}


def as_models(
    models: Iterable[str | tuple[str, Any]] | Mapping[str, Any] | None,
    quantiles: Sequence[float] | None = None,
    intervals: float | None = None,
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
    intervals : float or None, default=None
        With a confidence the built-in models are those that know how sure they are, and there are no other names.

    Returns
    -------
    list of Model
        In the order given, but "defaults" come first; what is named as well takes the place of the default so called.

    Raises
    ------
    ValueError
        If there is no model, a name is unknown (the message suggests the nearest one) or given twice, or an estimator
        is neither a classifier nor a regressor nor a segmenter nor a density.

    Examples
    --------
    >>> [model.name for model in as_models(["logistic", "ExtraTreesClassifier", ("shallow", sknn.MLPClassifier(5))])]
    ['logistic', 'ExtraTreesClassifier', 'shallow']
    """
    built_in = ALL
    if quantiles is not None:
        built_in = of_quantiles(quantiles)
    elif intervals is not None:
        built_in = of_intervals(intervals)
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
    needs = Needs(scaling=bare, flattening=bare, shaped=not bare and _reads_grids(estimator))
    makers = dict.fromkeys(_tasks(name, estimator), _shaped(estimator))
    short = re.sub("(Classifier|Regressor|Segmenter)$", "", name)
    return Model(name, name, family_of(estimator), makers, needs, short=short)


def _reads_grids(estimator: BaseEstimator) -> bool:
    """Whether it takes signals and images as such, and cannot be told the shape of a sample."""
    return get_tags(estimator).input_tags.three_d_array and "input_shape" not in estimator.get_params()


def _shaped(estimator: BaseEstimator) -> Maker:
    """Networks that can be told the shape of a sample are told that of the data."""
    return partial(on_grids, type(estimator)) if "input_shape" in estimator.get_params() else fixed(estimator)


@cache
def _classes() -> dict[str, type]:
    """All classifiers and regressors of scikit-learn and sknn, and sknn's segmenters, by name."""
    kinds = ("Classifier", "Regressor", "Segmenter")
    own = {name: getattr(sknn, name) for name in sknn.__all__ if name.endswith(kinds)}
    return {name: each for kind in ("classifier", "regressor") for name, each in all_estimators(kind)} | own


def from_estimator(name: str, estimator: Any) -> Model:
    """Make a model of an estimator that the user configured.

    It is used as it is: preprocessing is up to the estimator, and a random state that is None becomes the study's.

    Parameters
    ----------
    name : str
        The name in the results.
    estimator : scikit-learn classifier, regressor or density, or segmenter
        Never fitted itself, only its clones are.

    Returns
    -------
    Model
        The competitor.

    Raises
    ------
    ValueError
        If the estimator is neither a classifier nor a regressor nor a segmenter nor a density, or is a density of what
        a pipeline makes of the data.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from_estimator("nearest", KNeighborsClassifier(1)).family
    'baseline'
    """
    return Model(name, name, family_of(estimator), dict.fromkeys(_tasks(name, estimator), fixed(estimator)))


def _tasks(name: str, estimator: Any) -> list[str]:
    if isinstance(estimator, type):
        raise ValueError(f"the model {name!r} is the class {estimator.__name__}; give an instance of it")
    kinds = {
        "classification": is_classifier,
        "regression": is_regressor,
        "segmentation": is_segmenter,
        "density": is_density,
    }
    tasks = [task for task, is_for in kinds.items() if hasattr(estimator, "__sklearn_tags__") and is_for(estimator)]
    if not tasks:
        raise ValueError(
            f"the model {name!r} is neither a classifier nor a regressor of scikit-learn's kind, nor a segmenter, nor "
            f"a density: {estimator!r}"
        )
    if tasks == ["density"] and len(getattr(estimator, "steps", [])) > 1:
        raise ValueError(
            f"the model {name!r} is a pipeline: its log-densities are those of what the first steps make of the data, "
            "not of the data as given, and cannot be compared with those of others; give the density alone, or "
            "sknn.study.densities.Standardised(density)"
        )
    return tasks


def family_of(estimator: Any) -> Family:
    """Tell networks from baselines.

    Networks are those of sknn (but for the baselines of its studies), skorch and SciKeras, and scikit-learn's
    ``MLPClassifier``, ``MLPRegressor`` and ``Perceptron``; also as the last step of a pipeline, or inside a search, a
    bag or a ``TransformedTargetRegressor``.

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
    >>> import sknn
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
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
        if kind.__module__.startswith(BASELINES):
            return "baseline"
        if library in NETWORK_LIBRARIES or (library == "sklearn" and kind.__name__ in SCIKIT_LEARNS_NETWORKS):
            return "network"
    return "baseline"
