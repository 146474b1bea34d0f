"""Neural networks that behave like any other scikit-learn estimator, on a NumPy backprop core."""

import sklearn  # noqa: F401 - ahead of all: after NumPy alone it takes a tenth longer, for memory goes to and fro

from .estimators.cnn import CNNClassifier, CNNRegressor
from .estimators.hidden import HiddenLayerTransformer
from .estimators.linear_neuron import PerceptronRegressor
from .estimators.mlp import MLPClassifier, MLPRegressor
from .estimators.network import NetworkClassifier, NetworkRegressor
from .estimators.perceptron import PerceptronClassifier
from .versions import show_versions

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "HiddenLayerTransformer",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
    "PerceptronClassifier",
    "PerceptronRegressor",
    "show_versions",
]
__version__ = "0.1.0"
