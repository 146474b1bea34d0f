"""What a hidden layer makes of the inputs, as features for another model."""

from __future__ import annotations

from math import prod
from typing import Any, Self

from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, _routing_enabled, process_routing
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...nn import Network
from ...template.declaring import Declaring
from ...template.estimator import Estimator
from ...template.fitted import left_by_fit
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import ClassNamePrefixFeaturesOutMixin, MetaEstimatorMixin, TransformerMixin


class HiddenLayerTransformer(ClassNamePrefixFeaturesOutMixin, MetaEstimatorMixin, TransformerMixin, Declaring):
    """Transforms samples to the activations of a hidden layer of a network.

    A hidden layer is one with weights, any but the last, together with all that follows it up to the next layer with
    weights: normalisation, activation, pooling. Its activations are what that next layer sees. A grid, as
    convolutions put out, becomes a row of features, position by position, channel by channel.

    Raises
    ------
    TypeError
        If `estimator` is no network of sknn.
    ValueError
        If the network has no such hidden layer, and where the network raises it.
    NotFittedError
        If a frozen network is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sknn import HiddenLayerTransformer, MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> network = MLPClassifier(8, learning_rate_init=0.03, tol=0.01, random_state=0)
    >>> features = HiddenLayerTransformer(network).set_output(transform="pandas")
    >>> features.fit_transform(X, y).shape
    (150, 8)
    >>> forest = make_pipeline(HiddenLayerTransformer(network), RandomForestClassifier(random_state=0))
    >>> forest.fit(X, y).score(X, y) > 0.9
    True
    """

    estimator: Estimator | FrozenEstimator = parameter(
        text="The network. :meth:`fit` trains a clone of it, whether it is fitted or not, with the network's own "
        "callbacks. Wrapped in scikit-learn's ``FrozenEstimator`` a fitted one is used as it is, in clones and "
        "searches too.",
        kw_only=False,
    )
    layer: int = parameter(
        default=-1,
        text="Which hidden layer: 0 is the first, -1 the last one, which the output layer sees.",
        kw_only=False,
    )

    estimator_: Estimator | FrozenEstimator = fitted("The fitted network.")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Fit the network; a frozen one is only checked.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the network takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets. A frozen network needs none.
        **fit_params : dict
            Handed on to the network's fit, such as ``sample_weight``; with metadata routing, what was requested.

        Returns
        -------
        self : HiddenLayerTransformer
        """
        if _routing_enabled():
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        fitted = clone(self.estimator).fit(X, y, **fit_params)
        if not isinstance(getattr(fitted, "network_", None), Network):
            raise TypeError(f"estimator must be a network of sknn, got {self.estimator!r}")
        _end(fitted.network_, self.layer)
        self.estimator_ = fitted
        return self

    def transform(self, X: Any) -> Array:
        """The activations of the hidden layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Samples, as the network takes them.

        Returns
        -------
        activations : ndarray of shape (n_samples, n_activations)
            In the precision of X.
        """
        check_is_fitted(self)
        activations = self.estimator_._outputs_of_first(_end(self.estimator_.network_, self.layer), X)
        return activations.reshape(len(activations), -1)

    @property
    def n_features_in_(self) -> int:
        """The number of features seen in fit."""
        return left_by_fit(self, "estimator_").n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """The names of the features seen in fit, if they have string names."""
        return left_by_fit(self, "estimator_").feature_names_in_

    @property
    def _n_features_out(self) -> int:
        network = self.estimator_.network_
        return prod(network.shapes[_end(network, self.layer) - 1])

    def get_metadata_routing(self) -> MetadataRouter:
        """How metadata reach the network's fit.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        return MetadataRouter(owner=type(self).__name__).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.target_tags.required = not isinstance(self.estimator, FrozenEstimator)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _end(network: Network, layer: int) -> int:
    """How many layers of a network lie before and in its hidden layer of this number; ValueError if it has none."""
    n_hidden = len(network.weighted) - 1
    if not -n_hidden <= layer < n_hidden:
        raise ValueError(f"layer={layer} is not there: the network has {n_hidden} hidden layer(s), counted from 0")
    return network.weighted[1:][layer]
