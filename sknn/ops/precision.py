"""Parameters in a lower precision than the samples: operations compute in the higher one, that of the samples."""

from __future__ import annotations

import numpy as np

from .memory import scratch

Array = np.ndarray


def widened(parameter: Array, dtype: np.dtype) -> Array:
    """The parameter in this precision, or in its own where that is higher.

    Examples
    --------
    >>> widened(np.ones(2, "float32"), np.dtype("float64")).dtype, widened(np.ones(2), np.dtype("float32")).dtype
    (dtype('float64'), dtype('float64'))
    """
    return parameter if parameter.dtype == dtype else parameter.astype(np.promote_types(parameter.dtype, dtype))


def widened_for_now(parameter: Array, dtype: np.dtype) -> Array:
    """The same until this thread calls it again, in memory that is kept: large arrays take longer to come by than to
    fill."""
    wider = dtype if parameter.dtype == dtype else np.promote_types(parameter.dtype, dtype)
    if parameter.dtype == wider:
        return parameter
    wide = scratch("widened", parameter.shape, wider)
    wide[...] = parameter
    return wide
