"""Estimators in files without code: a zip of JSON and ``.npy`` that is safe to load, whoever wrote it."""
