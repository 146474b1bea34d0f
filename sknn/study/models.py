"""The models of a study: sknn's networks and the classical baselines they have to beat."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import MLPClassifier, PerceptronClassifier

from .names import look_up

Family = Literal["network", "baseline"]


@dataclass(frozen=True)
class Model:
    """One competitor of a study.

    Parameters
    ----------
    name : str
        The name in the results.
    factory : callable
        ``factory(random_state)`` returns a fresh estimator.
    scale : bool
        Whether the inputs are standardised first, with the mean and deviation of the training fold.
    family : {"network", "baseline"}
        Which side of the comparison the model is on.
    """

    name: str
    factory: Callable[[int | None], BaseEstimator]
    scale: bool
    family: Family

    def build(self, random_state: int | None) -> BaseEstimator:
        """Return a fresh estimator, behind a scaler if the model needs one.

        Parameters
        ----------
        random_state : int or None
            The seed of the estimator.

        Returns
        -------
        estimator
            Not fitted yet.
        """
        estimator = self.factory(random_state)
        return make_pipeline(StandardScaler(), estimator) if self.scale else estimator


def _mlp(random_state: int | None) -> BaseEstimator:
    return MLPClassifier(max_iter=1000, random_state=random_state)


def _perceptron(random_state: int | None) -> BaseEstimator:
    return PerceptronClassifier(random_state=random_state)


def _random_forest(random_state: int | None) -> BaseEstimator:
    return RandomForestClassifier(random_state=random_state)


def _logistic(random_state: int | None) -> BaseEstimator:
    return LogisticRegression(max_iter=1000, random_state=random_state)


def _dummy(random_state: int | None) -> BaseEstimator:
    return DummyClassifier(random_state=random_state)


CLASSIFIERS: dict[str, Model] = {
    model.name: model
    for model in (
        Model("mlp", _mlp, scale=True, family="network"),
        Model("perceptron", _perceptron, scale=True, family="network"),
        Model("random_forest", _random_forest, scale=False, family="baseline"),
        Model("logistic", _logistic, scale=True, family="baseline"),
        Model("dummy", _dummy, scale=False, family="baseline"),
    )
}


def from_estimator(name: str, estimator: Any) -> Model:
    """Make a model of an estimator that the user configured.

    It is used as it is: scaling is up to the estimator, and a random state that is None becomes the study's. It counts
    as a network if it, or the last step of a pipeline, is one of sknn's.

    Parameters
    ----------
    name : str
        The name in the results.
    estimator : scikit-learn classifier
        Never fitted itself, only its clones are.

    Returns
    -------
    Model
        The competitor.

    Examples
    --------
    >>> from_estimator("nearest", DummyClassifier()).family
    'baseline'
    """

    def factory(random_state: int | None) -> BaseEstimator:
        return _seeded(clone(estimator), random_state)

    return Model(name, factory, scale=False, family=_family(estimator))


def _seeded(estimator: BaseEstimator, random_state: int | None) -> BaseEstimator:
    unset = [
        name
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    return estimator.set_params(**dict.fromkeys(unset, random_state))


def _family(estimator: Any) -> Family:
    last_step = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    return "network" if type(last_step).__module__.partition(".")[0] == "sknn" else "baseline"


def as_models(models: Iterable[str] | Mapping[str, Any] | None) -> list[Model]:
    """Turn the ``models`` argument of ``Study`` into competitors.

    Parameters
    ----------
    models : None, list of str, or dict of str to estimator
        All built-in models, some of them by name, or the user's own estimators.

    Returns
    -------
    list of Model
        In the order given.

    Raises
    ------
    ValueError
        If a name is unknown (the message suggests the nearest one) or not in a list.

    Examples
    --------
    >>> [model.name for model in as_models(["logistic", "dummy"])]
    ['logistic', 'dummy']
    """
    if models is None:
        return list(CLASSIFIERS.values())
    if isinstance(models, Mapping):
        return [from_estimator(name, estimator) for name, estimator in models.items()]
    if isinstance(models, str):
        raise ValueError(f"models={models!r} is a single string; it must be a list of names, a dict or None")
    return [look_up("model", name, CLASSIFIERS) for name in dict.fromkeys(models)]
