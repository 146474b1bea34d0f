"""How large a fitted model is."""

from typing import Any

import numpy as np


def model_size(estimator: Any) -> tuple[int, str] | tuple[None, None]:
    """Count what a fitted estimator has learned.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        Of a pipeline, the last step is counted.

    Returns
    -------
    count : int or None
        Weights and biases of a network or linear model, nodes of a tree or an ensemble of trees; None for any other.
    unit : {"parameters", "nodes"} or None
        What was counted.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> model_size(LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], [0, 1]))
    (3, 'parameters')
    """
    if hasattr(estimator, "steps"):
        return model_size(estimator.steps[-1][1])
    if hasattr(estimator, "coefs_"):
        return sum(array.size for array in (*estimator.coefs_, *estimator.intercepts_)), "parameters"
    if hasattr(estimator, "coef_"):
        return np.size(estimator.coef_) + np.size(estimator.intercept_), "parameters"
    trees = np.ravel(getattr(estimator, "estimators_", [estimator]))
    if all(hasattr(tree, "tree_") for tree in trees):
        return sum(tree.tree_.node_count for tree in trees), "nodes"
    return None, None
