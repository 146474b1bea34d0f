"""Recurrent networks for series."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar, Literal

from ...nn import Dense, Dropout, Layer, Recurrent, Sequences, TimePool
from ...template import series_inputs as series
from ...template import thousand_steps
from ...template.estimator import Estimator
from ...template.kinds import Classifier, Regressor
from ...template.layers import listed_sizes
from ...template.parameters import fitted, fixed, parameter
from ...template.samples import Samples
from ...template.segmenter import Segmenter
from ...train import Plan
from .front import DROPOUT, STEM, front


class RNN(Estimator):
    """Recurrent layers, then what is read out of their steps, then dense layers.

    Series may be of any length: a list of arrays (T_i, C), a column of such, or an array (n, T, C), of which steps that
    are NaN in all channels are left out at the end of a series. An array (n, T) is one channel of T steps.

    References
    ----------
    Hochreiter, Schmidhuber (1997). Long short-term memory. Neural Computation 9.

    Cho et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine translation.
    EMNLP. arXiv:1406.1078.

    Schuster, Paliwal (1997). Bidirectional recurrent neural networks. IEEE Transactions on Signal Processing 45.
    """

    units: int = parameter(
        default=64,
        interval="[1, inf)",
        text="Of each recurrent layer, in each direction.",
        kw_only=False,
    )
    depth: int = parameter(default=1, interval="[1, inf)", text="Recurrent layers, one on the other.")
    cell: Literal["gru", "lstm", "rnn"] = parameter(
        default="gru",
        text='What a unit is: "gru" and "lstm" have gates, which let it remember over hundreds of steps; "rnn" is a '
        "tanh of inputs and earlier outputs, which does not.",
    )
    bidirectional: bool = parameter(
        default=True, text="Whether a series is also read backwards, so that a step knows what follows."
    )
    pooling: Literal["mean_max", "last", "mean", "max", "attention"] = parameter(
        default="mean_max",
        text='How one row is made of the steps: their mean and maximum side by side, either of them, the "last" state '
        'of each direction, or an average with weights that are learnt ("attention").',
    )
    stem: int | Sequence[int] | None = parameter(default=None, interval="[1, inf)", text=STEM)
    hidden_layer_sizes: int | Sequence[int] = parameter(
        default=(), interval="[1, inf)", text="Units of dense layers (ReLU) in front of the output."
    )
    dropout: float = DROPOUT
    time_channel: int | None = series.TIME_CHANNEL
    missing: Literal["indicator", "error"] = series.MISSING
    data_format: Literal["channels_last", "channels_first"] = series.DATA_FORMAT
    batch_size: int | Literal["auto"] = thousand_steps.BATCH_SIZE
    max_iter: int | Literal["auto"] = thousand_steps.MAX_ITER  # type: ignore[assignment]
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 5e-3
    clip_norm = 1.0
    n_iter_no_change = inf
    input_scaling = "standard"

    _lacking: tuple[int, ...] = fitted("Channels that lack values in training.")
    _n_steps: int | None = fitted("Of a table, whose features they are; None: as many as there are.")
    _accepted_sparse: ClassVar[Any] = False
    _accepts_grids: ClassVar[bool] = True

    @property
    def _accepts_nan(self) -> bool:
        return self.missing == "indicator"

    def _layers(self, n_outputs: int) -> list[Layer]:
        dropout = [Dropout(float(self.dropout))] if self.dropout else []
        layers = front(self)
        for level in range(self.depth):
            read_out = level + 1 == self.depth and self.pooling == "last"
            layers += [Recurrent(self.units, self.cell, bidirectional=self.bidirectional, sequences=not read_out)]
            layers += dropout
        if self.pooling not in (None, "last"):
            layers.append(TimePool(self.pooling))
        for units in listed_sizes(self.hidden_layer_sizes):
            layers += [Dense(units, activation="relu", init="he_uniform"), *dropout]
        return [*layers, Dense(n_outputs)]

    def _plan(self, n_samples: int) -> Plan:
        return thousand_steps.planned(self, super()._plan(n_samples), n_samples)

    def _read_x(self, X: Any, fresh: bool) -> Sequences:
        return series.read_steps(self, X, fresh)

    def _look_at(self, samples: Samples) -> None:
        self._lacking = series.channels_with_gaps(samples)

    def _new_scaling(self, samples: Samples) -> Any:
        return series.new_scaling(self, samples)


class RNNClassifier(RNN, Classifier):
    """Recurrent network classifier for series of any length; loss and outputs are those of :class:`MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=200)
    >>> lengths = rng.integers(5, 20, 200)
    >>> X = [np.cumsum(rng.normal(0.5 * c, 1, (n, 1)), axis=0) for n, c in zip(lengths, y)]
    >>> rnn = RNNClassifier(8, max_iter=10, learning_rate_init=0.02, random_state=0).fit(X[:150], y[:150])
    >>> rnn.score(X[150:], y[150:]) > 0.75
    True
    """


class RNNRegressor(RNN, Regressor):
    """Recurrent network regressor for series of any length; standardises the target inside.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 2)) for n in rng.integers(5, 15, 200)]
    >>> y = [x[:, 0].mean() for x in X]
    >>> rnn = RNNRegressor(8, max_iter=20, learning_rate_init=0.02, random_state=0).fit(X[:150], y[:150])
    >>> rnn.score(X[150:], y[150:]) > 0.75
    True
    """


class RNNSegmenter(RNN, Segmenter):
    """Recurrent network for a label at every step of series of any length.

    With ``bidirectional=False`` the label of a step depends on that step and those before it alone, so that it may be
    told while a series is still coming in; a stem, which looks ahead, is then refused.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import RNNSegmenter
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(5, 15, 200)]
    >>> y = [(np.cumsum(x) > 0).astype(int) for x in X]
    >>> rnn = RNNSegmenter(8, max_iter=15, learning_rate_init=0.02, random_state=0).fit(X[:150], y[:150])
    >>> rnn.score(X[150:], y[150:]) > 0.8
    True
    """

    pooling: None = fixed(None)  # type: ignore[assignment]

    def _check_options(self) -> None:
        super()._check_options()
        if not self.bidirectional:
            self._refuse(("stem",), "bidirectional=False: convolutions see the steps that follow")

    def _read(self, X: Any, y: Any, *others: Any) -> Samples:
        return super()._read(X, series.labels_of_steps(X, y, self.data_format), *others)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The mean Dice coefficient of the classes, over all labelled steps together.

        Parameters
        ----------
        X : list of arrays, or array-like of shape (n_samples, n_steps, n_channels) or (n_samples, n_steps)
            Series.
        y : list of arrays, or array-like of shape (n_samples, n_steps)
            The labels of their steps.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
            See :func:`sknn.metrics.dice_score`.
        """
        return super().score(X, series.labels_of_steps(X, y, self.data_format), sample_weight)

    def _raw_outputs(self, X: Any) -> Any:
        raw: Any = super()._raw_outputs(X)
        return series.in_the_form_of(X, raw, self.data_format)
