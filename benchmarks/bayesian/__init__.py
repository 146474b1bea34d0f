"""Estimators that say how sure they are, beside what users would do without them."""

from . import chains, ensembles

MODULES = (chains, ensembles)
MEASUREMENTS = [measurement for module in MODULES for measurement in module.MEASUREMENTS]
