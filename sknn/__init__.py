"""Neural networks that behave like any other scikit-learn estimator, on a NumPy backprop core."""

from .estimators.mlp import MLPClassifier, MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
__version__ = "0.1.0"
