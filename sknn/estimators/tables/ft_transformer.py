"""Transformers for tables, whose features are tokens."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar, Literal

import numpy as np

from ...autodiff.tape import Array
from ...nn import Activation, Attention, Dense, FeatureTokens, FeedForward, Layer, LayerNorm, Residual, TimePool
from ...template import thousand_steps
from ...template.attention import attention_weights
from ...template.categories import CATEGORICAL_FEATURES, read_mixed
from ...template.estimator import Estimator
from ...template.kinds import Classifier, Regressor
from ...template.parameters import fitted, parameter
from ...template.quantiles import NormalQuantiles
from ...template.samples import Samples
from ...template.series_inputs import channels_with_gaps
from ...train import Plan

FEEDFORWARD_DROPOUT = 0.1  # of the paper's default network


class FTTransformer(Estimator):
    """Features as tokens, then blocks of attention among them, then what one more token has gathered.

    Numbers come in as the normal quantiles of their ranks; they may be missing (NaN), as categories may. A table of
    pandas or polars tells which columns are categories.

    References
    ----------
    Gorishniy, Rubachev, Khrulkov, Babenko (2021). Revisiting deep learning models for tabular data. NeurIPS.
    arXiv:2106.11959.
    """

    width: int = parameter(
        default=64, interval="[1, inf)", text="Channels of a token, a multiple of `n_heads`.", kw_only=False
    )
    depth: int = parameter(default=2, interval="[1, inf)", text="Blocks of attention and a feed-forward network.")
    n_heads: int = parameter(default=4, interval="[1, inf)", text="Heads of attention.")
    feedforward: float = parameter(
        default=4 / 3, interval="(0, inf)", text="Hidden units of the feed-forward networks (ReGLU), in widths."
    )
    attention_dropout: float = parameter(
        default=0.1,
        interval="[0, 1)",
        text='The share of the weights of attention dropped in training. Not for "lbfgs".',
    )
    categorical_features: Literal["from_dtype"] | Sequence[int | str] | None = CATEGORICAL_FEATURES
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = thousand_steps.MAX_ITER  # type: ignore[assignment]
    input_scaling: Literal["quantiles"] | None = parameter(  # type: ignore[assignment]
        default="quantiles",
        text="What numbers are turned into in front of the network: the normal quantiles of their ranks in training; "
        "None: they stay as they are.",
    )
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 2e-3
    clip_norm = 1.0
    n_iter_no_change = inf

    _categories: list[Any] = fitted("The known values of each column, None for numbers; [] if all are numbers.")
    _lacking: tuple[int, ...] = fitted("Columns of numbers that lack some in training.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_nan: ClassVar[Any] = True

    def _layers(self, n_outputs: int) -> list[Layer]:
        counts = [0 if known is None else max(1, len(known)) for known in self._categories]
        layers: list[Layer] = [FeatureTokens(self.width, counts, self._lacking)]
        for level in range(self.depth):
            norm = [LayerNorm()] if level else []  # the first one hurts, the authors found
            layers += [
                Residual([*norm, Attention(self.n_heads, dropout=float(self.attention_dropout))]),
                Residual([LayerNorm(), FeedForward(self.feedforward, "reglu", dropout=self._feedforward_dropout)]),
            ]
        return [*layers, TimePool("last"), LayerNorm(), Activation("relu"), Dense(n_outputs)]

    @property
    def _feedforward_dropout(self) -> float:
        return FEEDFORWARD_DROPOUT if self.attention_dropout else 0.0

    def _plan(self, n_samples: int) -> Plan:
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples)

    def _read_x(self, X: Any, fresh: bool) -> Array:
        x = read_mixed(self, X, fresh)
        return super()._read_x(X, fresh) if x is None else x

    def _look_at(self, samples: Samples) -> None:
        self._lacking = channels_with_gaps(samples)

    def _new_scaling(self, samples: Samples) -> Any:
        if self.input_scaling is None:
            return None
        return NormalQuantiles(samples, self._numbers())

    def _numbers(self) -> list[int]:
        """The columns that hold them."""
        known = self._categories or [None] * self.n_features_in_
        return [k for k, each in enumerate(known) if each is None]

    def attention_weights(self, X: Any) -> Array:
        """How much each token attends to each other one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        weights : ndarray of shape (n_samples, depth, n_heads, n_tokens, n_tokens)
            For each block and head; the weights of a token that attends, along the last axis, sum to 1. Tokens are the
            features that are numbers, then those that are categories, then the one that is read out.

        See Also
        --------
        sknn.inspection.AttentionDisplay : Draws them.
        """
        return np.asarray(attention_weights(self, X))


class FTTransformerClassifier(FTTransformer, Classifier):
    """Transformer classifier for tables; loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn import FTTransformerClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> transformer = FTTransformerClassifier(16, max_iter=20, random_state=0).fit(X, y)
    >>> transformer.score(X, y) > 0.9
    True
    """


class FTTransformerRegressor(FTTransformer, Regressor):
    """Transformer regressor for tables; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sknn import FTTransformerRegressor
    >>> rng = np.random.default_rng(0)
    >>> kind, x = rng.choice(["slow", "fast"], 200), rng.normal(size=200)
    >>> X, y = pd.DataFrame({"x": x, "kind": kind}), np.where(kind == "fast", 2 * x, x)
    >>> transformer = FTTransformerRegressor(16, depth=1, max_iter=20, random_state=0).fit(X[:150], y[:150])
    >>> transformer.score(X[150:], y[150:]) > 0.75
    True
    """
