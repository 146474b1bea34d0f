"""Timings side by side: sknn, scikit-learn and, where it is installed, PyTorch."""
