"""How large a fitted model is: how many numbers it has to remember, or how many nodes its trees have."""

from typing import Any

import numpy as np

# A standardised density, a search, a scaled target, a Gaussian process, a classifier that was taught fewer classes than
# there are, a forest of pixels.
WRAPPED = ("density_", "best_estimator_", "regressor_", "base_estimator_", "classifier_", "forest_")

# What a model keeps of its training, by the attributes that tell its kind; the first row that fits counts.
KEPT = (
    ("coefs_", "intercepts_"),  # networks
    ("coef_", "intercept_"),  # linear models
    ("support_vectors_", "dual_coef_", "intercept_"),  # support vector machines
    ("X_train_", "y_train_"),  # Gaussian processes, which need all of the training data
    ("theta_", "var_", "class_prior_"),  # naive Bayes
    ("class_prior_",),  # what is most frequent
    ("constant_",),  # the mean
    ("levels_",),  # the brightness of each class
    ("samples_",),  # kernels around all samples
    ("weights_", "means_", "covariances_"),  # mixtures of Gaussians
)


def model_size(estimator: Any) -> tuple[int, str] | tuple[None, None]:
    """Count what a fitted estimator has learned.

    Parameters
    ----------
    estimator : fitted scikit-learn estimator
        Of a pipeline, the last step is counted; of a search, what it found best; of an ensemble, the sum.

    Returns
    -------
    count : int or None
        "parameters" are the numbers that predictions need: weights and biases of a network or linear model, support
        vectors with their coefficients, and the training data of nearest neighbours and Gaussian processes. "nodes" are
        those of a tree or an ensemble of trees, leaves included. None for a model of another kind.
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
    if hasattr(estimator, "forecaster_"):  # ensembles have an `estimator_` as well, which is not fitted
        return model_size(getattr(estimator.forecaster_, "estimator_", None))
    for name in WRAPPED:
        if hasattr(estimator, name):
            return model_size(getattr(estimator, name))
    if hasattr(estimator, "members_"):  # the networks of an ensemble
        return _size_of_all(estimator.members_)
    if hasattr(estimator, "network_"):  # of networks that know how sure they are it is an estimator
        network = estimator.network_
        return model_size(network) if hasattr(network, "network_") else (network.n_parameters, "parameters")
    if hasattr(estimator, "n_samples_fit_"):  # nearest neighbours keep all samples with their targets
        return estimator.n_samples_fit_ * (estimator.n_features_in_ + 1), "parameters"
    if hasattr(estimator, "bandwidth_"):  # a KernelDensity, which keeps all samples in a tree
        return int(np.size(estimator.tree_.data)), "parameters"
    if hasattr(estimator, "tree_"):
        return estimator.tree_.node_count, "nodes"
    if hasattr(estimator, "_predictors"):  # of histogram gradient boosting, which tells its trees nowhere else
        return sum(len(tree.nodes) for trees in estimator._predictors for tree in trees), "nodes"
    for names in KEPT:
        if all(hasattr(estimator, name) for name in names):
            return sum(_count(getattr(estimator, name)) for name in names), "parameters"
    return _size_of_all(getattr(estimator, "estimators_", ()))


def _count(numbers: Any) -> int:
    return sum(map(np.size, numbers)) if isinstance(numbers, list) else int(np.size(numbers))


def _size_of_all(estimators: Any) -> tuple[int, str] | tuple[None, None]:
    sizes = [model_size(estimator) for estimator in np.ravel(estimators)]
    units = {unit for _, unit in sizes}
    if len(units) != 1 or None in units:
        return None, None
    return sum(count for count, _ in sizes if count is not None), str(units.pop())
