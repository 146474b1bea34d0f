"""Neural networks that behave like any other scikit-learn estimator, on a NumPy backprop core."""

import sklearn  # noqa: F401 - ahead of all: after NumPy alone it takes a tenth longer, for memory goes to and fro

from .namespace import lazy

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy(__name__)
