"""Series of different lengths: from tables and files, as windows, scaled, and as rows of features."""

from ..namespace import lazy

__getattr__, __dir__, __all__ = lazy(__name__)
