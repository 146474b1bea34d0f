"""Noise for rows, which is drawn by what stands in them: the same for a row in any batch."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from ...autodiff.tape import Array
from ...nn.draws import Draws


def noise_of_rows(x: Array, shape: tuple[int, ...]) -> Array:
    """Standard normal numbers of a shape for each row of x, in its precision.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> noise_of_rows(x, (3,)).shape
    (2, 3)
    >>> bool((noise_of_rows(x[1:], (3,)) == noise_of_rows(x, (3,))[1:]).all())
    True
    """
    draws = Draws(0, x.dtype)
    noise = np.empty((len(x), *shape), x.dtype)
    # in single precision, so that the last digits of other units do not matter; -0.0 is the same number as 0.0
    rows = np.ascontiguousarray(x.reshape(len(x), -1), np.float32) + 0.0
    for row, own in zip(rows, noise, strict=True):
        draws.at(0, int.from_bytes(blake2b(row.tobytes(), digest_size=7).digest(), "little"))
        own[...] = draws.normal(shape)
    return noise
