"""Transformers for series."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar, Literal

from ...autodiff.tape import Array
from ...nn import Dense, Dropout, Layer, LayerNorm, Patches, Positions, Sequences, TimePool, TransformerBlock
from ...template import series_inputs as series
from ...template import thousand_steps
from ...template.attention import attention_weights
from ...template.estimator import Estimator
from ...template.kinds import Classifier, Regressor
from ...template.parameters import fitted, parameter
from ...template.samples import Batch, Samples
from ...train import Plan
from .front import DROPOUT, STEM, front

LEARNED = 512  # positions at least, so that series may be longer than those of training


class Transformer(Estimator):
    """Convolutions, then blocks of self-attention, then what is read out of the steps.

    Series may be of any length: a list of arrays (T_i, C), a column of such, or an array (n, T, C), of which steps that
    are NaN in all channels are left out at the end of a series. An array (n, T) is one channel of T steps.

    References
    ----------
    Vaswani et al. (2017). Attention is all you need. NeurIPS. arXiv:1706.03762.

    Xiong et al. (2020). On layer normalization in the transformer architecture. ICML. arXiv:2002.04745.
    """

    width: int = parameter(
        default=64, interval="[1, inf)", text="Channels of a token, a multiple of `n_heads`.", kw_only=False
    )
    depth: int = parameter(default=2, interval="[1, inf)", text="Blocks of attention and a feed-forward network.")
    n_heads: int = parameter(default=4, interval="[1, inf)", text="Heads of attention.")
    feedforward: float = parameter(
        default=2.0, interval="(0, inf)", text="Hidden units of the feed-forward networks, in widths."
    )
    stem: int | Sequence[int] | None = parameter(default=(64, 64), interval="[1, inf)", text=STEM)
    patch_size: int = parameter(
        default=1,
        interval="[1, inf)",
        text="Steps that make one token; attention costs as the square of the number of tokens.",
    )
    positions: Literal["sinusoidal", "rotary", "learned"] | None = parameter(
        default="sinusoidal",
        text="How attention knows where tokens stand: by waves that are added to them, by turning queries and keys "
        '("rotary"), by vectors that are learned, for 512 tokens or as many as the longest series of training has; '
        "None: not at all, but for what the stem has seen of the neighbours. Times, where there are any, take their "
        "place.",
    )
    pooling: Literal["mean", "max", "mean_max", "last", "attention"] = parameter(
        default="mean",
        text="How one row is made of the tokens: their mean, their maximum, both side by side, the last one, or an "
        'average with weights that are learnt ("attention").',
    )
    dropout: float = DROPOUT
    causal: bool = parameter(
        default=False, text="Whether a token attends only to itself and those before it; a stem still sees neighbours."
    )
    time_channel: int | None = series.TIME_CHANNEL
    missing: Literal["indicator", "error"] = series.MISSING
    data_format: Literal["channels_last", "channels_first"] = series.DATA_FORMAT
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = thousand_steps.MAX_ITER  # type: ignore[assignment]
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 2e-3
    clip_norm = 1.0
    n_iter_no_change = inf
    input_scaling = "standard"

    _lacking: tuple[int, ...] = fitted("Channels that lack values in training.")
    _n_steps: int | None = fitted("Of a table, whose features they are; None: as many as there are.")
    _longest: int = fitted("Steps of the longest series of training.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True

    @property
    def _accepts_nan(self) -> bool:
        return self.missing == "indicator"

    def _check_options(self) -> None:
        super()._check_options()
        if self.time_channel is not None:
            self._refuse(("positions",), f"time_channel={self.time_channel!r}, which takes their place")

    def _layers(self, n_outputs: int) -> list[Layer]:
        dropout = float(self.dropout)
        block = TransformerBlock(
            self.n_heads,
            feedforward=self.feedforward,
            causal=self.causal,
            dropout=dropout,
            rotary=self._where == "rotary",
        )
        positions = [] if self._where in ("rotary", None) else [Positions(self._where, length=self._learned)]
        blocks = [block] * self.depth
        return [
            *front(self),
            Dense(self.width) if self.patch_size == 1 else Patches(self.patch_size, self.width),
            *positions,
            *([Dropout(dropout)] if dropout else []),
            *blocks,
            LayerNorm(),
            TimePool(self.pooling),
            Dense(n_outputs),
        ]

    @property
    def _where(self) -> Any:
        """How attention knows where tokens stand."""
        return self.positions if self.time_channel is None else "time"

    @property
    def _learned(self) -> int | None:
        """How many positions are learned."""
        return max(LEARNED, -(-self._longest // self.patch_size)) if self._where == "learned" else None

    def _outputs(self, nets: Any, batch: Batch, draws: Any) -> Any:
        return nets(batch.x, **batch.given, **self._times(batch.x))

    def _times(self, x: Sequences) -> dict[str, Any]:
        """What attention is to know of the times of tokens; that of a patch is the time of its first step."""
        if self.time_channel is None:
            return {}
        times = series.times_of(x, self.time_channel % x.values.shape[1])
        if self.patch_size == 1:
            return {"times": times}
        tokens = x.of_lengths(-(-x.lengths // self.patch_size))
        return {"times": times[tokens.at_positions(x.starts) + tokens.step * self.patch_size]}

    def _plan(self, n_samples: int) -> Plan:
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples)

    def _read_x(self, X: Any, fresh: bool) -> Sequences:
        return series.read_steps(self, X, fresh)

    def _look_at(self, samples: Samples) -> None:
        self._lacking = series.channels_with_gaps(samples)
        self._longest = int(samples.of(samples.x.lengths).max())

    def _new_scaling(self, samples: Samples) -> Any:
        return series.new_scaling(self, samples)

    def attention_weights(self, X: Any) -> Array | list[Array]:
        """How much each token attends to each other one.

        Parameters
        ----------
        X : list of arrays, or array-like of shape (n_samples, n_steps, n_channels) or (n_samples, n_steps)
            Series.

        Returns
        -------
        weights : ndarray of shape (n_samples, depth, n_heads, n_tokens, n_tokens), or a list of such
            For each block and head; the weights of a token that attends, along the last axis, sum to 1. Where series
            differ in length it is a list with an array for each.

        See Also
        --------
        sknn.inspection.AttentionDisplay : Draws them.
        """
        return attention_weights(self, X)


class TransformerClassifier(Transformer, Classifier):
    """Transformer classifier for series of any length; loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import TransformerClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=200)
    >>> lengths = rng.integers(8, 20, 200)
    >>> X = [np.sin((1 + c) * np.arange(n) + rng.uniform(0, 6))[:, None] for n, c in zip(lengths, y)]
    >>> transformer = TransformerClassifier(16, depth=1, stem=(8,), max_iter=10, random_state=0)
    >>> transformer.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.9
    True
    >>> transformer.attention_weights(X[:1]).shape == (1, 1, 4, lengths[0], lengths[0])
    True
    """


class TransformerRegressor(Transformer, Regressor):
    """Transformer regressor for series of any length; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import TransformerRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 2)) for n in rng.integers(5, 15, 200)]
    >>> y = [x[:, 0].mean() for x in X]
    >>> transformer = TransformerRegressor(16, depth=1, stem=None, max_iter=20, random_state=0)
    >>> transformer.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.75
    True
    """
