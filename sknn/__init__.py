"""Neural networks that behave like any other scikit-learn estimator, on a NumPy backprop core."""

import sklearn  # noqa: F401 - ahead of all: after NumPy alone it takes a tenth longer, for memory goes to and fro

from .estimators.dense.hidden import HiddenLayerTransformer
from .estimators.dense.linear_neuron import PerceptronRegressor
from .estimators.dense.mlp import MLPClassifier, MLPRegressor
from .estimators.dense.network import NetworkClassifier, NetworkRegressor
from .estimators.dense.perceptron import PerceptronClassifier
from .estimators.images.cnn import CNNClassifier, CNNRegressor
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
