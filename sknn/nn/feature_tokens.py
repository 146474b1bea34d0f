"""The features of a table as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autodiff import primitives as F
from ..autodiff.tape import Array, Value
from ..description import in_order, integer, is_integer
from ..ops.embedding import embed
from .layer import Context, Layer, Shape, Store


@dataclass(frozen=True, repr=False)
class FeatureTokens(Layer):
    """Rows of a table (n, features) as series of tokens (n, features + 1, width), the last of which is for reading out.

    The token of a number is x w + b, that of a category a vector of its own. A missing number, NaN, counts as 0, and
    has one more vector added if it is among the `lacking`; of categories 0 is what is missing or unknown. The last
    token is the same for all samples: attention gathers in it what the output needs.

    Parameters
    ----------
    width : int
        The channels of a token.
    categories : sequence of int, default=()
        For each feature how many categories it has, coded 1, 2, ...; 0 for numbers. (): all are numbers.
    lacking : sequence of int, default=()
        The features, numbers all, that have a vector for what is missing.

    Raises
    ------
    ValueError
        If a parameter is out of range, or samples do not have as many features as there are `categories`.

    References
    ----------
    Gorishniy, Rubachev, Khrulkov, Babenko (2021). Revisiting deep learning models for tabular data. NeurIPS.
    arXiv:2106.11959.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn.nn import FeatureTokens, Network
    >>> network = Network([FeatureTokens(8, categories=[0, 3], lacking=[0])], (2,), np.random.RandomState(0))
    >>> network(np.array([[0.5, 1.0], [np.nan, 3.0]], "float32")).shape
    (2, 3, 8)
    """

    width: int = integer("[1, inf)")
    categories: Sequence[int] = ()
    lacking: Sequence[int] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("categories", "lacking"):
            value = getattr(self, name)
            listed = tuple(value) if in_order(value) else (None,)
            if not all(is_integer(each) and each >= 0 for each in listed):
                raise ValueError(f"{name} must be a list of integers that are not negative; got {value!r}")
            object.__setattr__(self, name, tuple(map(int, listed)))

    def build(self, shape: Shape, store: Store) -> Shape:
        (n_features,) = shape if len(shape) == 1 else (None,)
        if n_features is None or (self.categories and len(self.categories) != n_features):
            raise ValueError(f"{self!r} works on rows of features, but samples are of shape {shape}")
        numbers, coded, lacking = self._places(n_features)
        if not set(self.lacking) <= set(numbers.tolist()):
            raise ValueError(f"lacking={self.lacking!r} must be features that are numbers, of {n_features}")
        for name, rows in (
            ("weight", len(numbers)),
            ("bias", len(numbers)),
            ("missing", len(lacking)),
            ("category", sum(self.categories) + len(coded)),
            ("readout", 1),
        ):
            if rows:
                store.parameter(name, (rows, self.width), "lecun_uniform", fans=(3 * self.width, 1), decay=False)
        return (n_features + 1, self.width)

    def apply(self, params: dict[str, Any], x: Value, context: Context) -> Value:
        numbers, coded, lacking = self._places(x.shape[1])
        n, parts = x.shape[0], []
        if len(numbers):
            values = x[:, numbers] if len(coded) else x
            missing = np.isnan(F.plain(values))
            values = F.where(missing, 0.0, values) if missing.any() else values
            tokens = F.expand_dims(values, 2) * params["weight"] + params["bias"]
            if len(lacking):
                there = np.zeros((n, len(numbers), len(lacking)), F.plain(x).dtype)
                there[:, lacking, np.arange(len(lacking))] = missing[:, lacking]
                tokens = tokens + F.matmul(there, params["missing"])
            parts.append(tokens)
        if len(coded):
            counts = np.asarray(self.categories)[coded] + 1
            first = np.cumsum(counts) - counts
            parts.append(embed(params["category"], F.plain(x)[:, coded].astype(np.intp) + first))
        parts.append(F.broadcast_to(params["readout"], (n, 1, self.width)))
        return F.concatenate(parts, axis=1)

    def _places(self, n_features: int) -> tuple[Array, Array, Array]:
        """The features that are numbers, those that are categories, and which of the former are lacking somewhere."""
        is_coded = np.asarray(self.categories or (0,) * n_features) > 0
        numbers = np.flatnonzero(~is_coded)
        return numbers, np.flatnonzero(is_coded), np.searchsorted(numbers, self.lacking)

    def caption(self, shape: Shape) -> str:
        return "feature tokens"
