"""The inner search of a study: random configurations, compared by cross-validation on the training rows alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterSampler

from .classes import fit_to_classes
from .measures import Answers, Measure
from .rows import take_rows


def best_configuration(
    estimator: Any,
    space: Mapping[str, Any],
    budget: int,
    X: Any,
    y: np.ndarray,
    groups: np.ndarray | None,
    inner: Any,
    measure: Measure,
    seed: int,
    classes: np.ndarray | None = None,
) -> dict[str, Any]:
    """Try random configurations, as scikit-learn's ``RandomizedSearchCV`` does, but never hold a mapped X whole.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Only its clones are fitted.
    space : mapping of str to list or distribution
        By name of the parameter.
    budget : int
        The number of configurations.
    X : array-like
        The training rows of an outer fold.
    y, groups : ndarray or None
        Their targets and groups.
    inner : scikit-learn splitter
        The inner folds.
    measure : Measure
        What makes a configuration the best, on average over the inner folds.
    seed : int
        Of the drawing.
    classes : ndarray or None, default=None
        All classes, of which y may lack some; None: y are numbers, or there are no others.

    Returns
    -------
    dict of str to object
        The parameters. A configuration that fails in some fold is not chosen.

    Raises
    ------
    Exception
        The last one, if every configuration failed.
    """
    configurations = list(ParameterSampler(dict(space), budget, random_state=seed))
    scores = np.zeros(len(configurations))
    last_error: Exception | None = None
    for train, test in inner.split(np.zeros(len(y)), y, groups):
        X_train, X_test = take_rows(X, train), take_rows(X, test)
        for number, configuration in enumerate(configurations):
            if np.isnan(scores[number]):
                continue
            try:
                chosen = clone(estimator).set_params(**clone(configuration, safe=False))
                fitted = Answers(fit_to_classes(chosen, X_train, y[train], classes), X_test, y[train])
                scores[number] += measure.signed(fitted, X_test, y[test])
            except Exception as error:
                scores[number], last_error = np.nan, error
    if np.isnan(scores).all():
        raise last_error or ValueError(f"{measure.title} is missing for all {budget} configurations")
    return configurations[int(np.nanargmax(scores))]
