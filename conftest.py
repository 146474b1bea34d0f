"""Tests in several processes: each computes on one thread, and so do the processes that it starts.

Threads that spin while another test has their processor take several times the time of one thread. NumPy must not have
been loaded when this is said.
"""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
