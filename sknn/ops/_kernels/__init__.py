"""The compiled kernels, where they were built: what NumPy cannot fuse. Without them NumPy does all the work.

The environment variable ``SKNN_KERNELS`` chooses: ``best`` (the default) takes the best instruction set that this
processor has, ``baseline``, ``avx2`` or ``avx512`` that one, ``numpy`` none.
"""

from __future__ import annotations

import os
from typing import Any


def _chosen(wanted: str) -> tuple[Any, str]:
    if wanted == "numpy":
        return None, "numpy"
    try:
        from . import _native  # type: ignore[attr-defined]
    except ImportError as error:
        if wanted == "best":
            return None, "numpy"
        raise ImportError(f"SKNN_KERNELS={wanted!r}, but the compiled kernels were not built: {error}") from error
    try:
        return _native, _native.use(wanted)
    except ValueError:
        choice = "'best', 'numpy', 'baseline', 'avx2' or 'avx512'"
        raise ValueError(f"SKNN_KERNELS={wanted!r} is none that this processor has: it must be {choice}") from None


native, in_use = _chosen(os.environ.get("SKNN_KERNELS") or "best")
