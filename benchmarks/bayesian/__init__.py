"""Estimators that say how sure they are, beside what users would do without them."""

from . import ensembles

MODULES = (ensembles,)
MEASUREMENTS = [measurement for module in MODULES for measurement in module.MEASUREMENTS]
