"""Measurements side by side: sknn, scikit-learn and, where they are installed, PyTorch and skorch.

A suite is a module with its `MEASUREMENTS` (see :mod:`.measure`); ``python -m benchmarks`` runs them.
"""
