"""Processes of tests: each computes on one thread where there are several, and imports the sknn that is tested.

Threads that spin while another test has their processor take several times the time of one thread. NumPy must not have
been loaded when this is said. What a test starts would find the source tree first, in which nothing was built.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

tested = str(Path(find_spec("sknn").origin).parents[1])
os.environ["PYTHONSAFEPATH"] = "1"
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [tested, os.environ.get("PYTHONPATH")]))


@pytest.fixture(autouse=True)
def _figures_of_doctests_are_closed(request):
    """Matplotlib warns of more than twenty open ones."""
    yield
    if hasattr(request.node, "dtest") and "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
