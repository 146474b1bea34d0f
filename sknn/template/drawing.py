"""The draws of one call of a fitted model."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from ..nn.draws import Draws


def draws_by(random_state: Any, dtype: np.dtype) -> Draws:
    """Those of a precision that an int repeats in each call; None gives others in each.

    Examples
    --------
    >>> bool((draws_by(0, np.dtype("float32")).normal((3,)) == draws_by(0, np.dtype("float32")).normal((3,))).all())
    True
    """
    return Draws(int(check_random_state(random_state).randint(1 << 31)), dtype)
