"""Language models: how probable a sequence of tokens is, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite, nan
from sys import maxsize
from typing import Any, Literal

import numpy as np
from scipy.special import softmax
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...autodiff.tape import Array
from ...description import is_integer, is_number
from ...losses import CategoricalLogLoss
from ...nn import Dense, Dropout, Embedding, Layer, LayerNorm, Positions, Recurrent, Sequences, TransformerBlock
from ...nn.draws import Draws
from ...ops.threads import single_thread
from ...template.estimator import Estimator
from ...template.fit import FamilyData, Fit
from ...template.parameters import fitted, fixed, parameter
from ...template.samples import Batch, Samples
from ...template.scikit_learn import DensityMixin
from ...template.thousand_steps import planned
from ...template.tokens import Vocabulary, as_objects, read_sequences
from ...train import FitLoop, Observer, Plan, Stage, TrainingState, Verdict, train
from .sampling import draw_sequences, next_probabilities
from .stepping import Stepping
from .windows import Windows, first_seen, following, overlapping

LOG_LOSS = CategoricalLogLoss()
EMBEDDING = 64  # numbers that a recurrent network gets for a token, at most
N_STEPS = 2000  # of max_iter="auto"
FEW = 64  # positions, that tell how much work one is


class LanguageModel(DensityMixin, Estimator):
    """How probable sequences of tokens are, and what comes next: a recurrent network or a transformer.

    The probability of a sequence is the product of those of its tokens, each given all before it, and of its end,

    .. math:: p(x_1 \\ldots x_n) = p(\\text{end} \\mid x_1 \\ldots x_n) \\prod_t p(x_t \\mid x_1 \\ldots x_{t-1}),

    so that those of all sequences add up to one. It learns from windows of `context` tokens anywhere in the samples; an
    epoch is as many of them as take all tokens once. In :meth:`predict_proba` and :meth:`sample` a recurrent network
    has seen all of a sequence; a transformer sees the last tokens, `context` of them at most and half as many at least.

    References
    ----------
    Mikolov, Karafiat, Burget, Cernocky, Khudanpur (2010). Recurrent neural network based language model. Interspeech.
    Radford, Narasimhan, Salimans, Sutskever (2018). Improving language understanding by generative pre-training.

    Examples
    --------
    >>> from sknn import LanguageModel
    >>> words = ["banana", "bandana", "cabana", "anna", "hannah"] * 10
    >>> model = LanguageModel(16, max_iter=60, learning_rate_init=0.02, random_state=0).fit(words)
    >>> model.score(["banana"]) > model.score(["nabnaa"])
    True
    >>> model.sample(prefix="ban", temperature=0, max_length=10)[0] in words
    True
    """

    units: int = parameter(
        default=256,
        interval="[1, inf)",
        text="Units of each layer; of a transformer the numbers at each position.",
        kw_only=False,
    )
    architecture: Literal["gru", "lstm", "transformer"] = parameter(
        default="gru", text="Recurrent cells, or blocks of causal self-attention."
    )
    depth: int = parameter(default=1, interval="[1, inf)", text="Recurrent layers, or blocks of the transformer.")
    n_heads: int = parameter(
        default=4, interval="[1, inf)", text="Heads of the attention of a transformer; `units` is a multiple of it."
    )
    dropout: float = parameter(
        default=0.0, interval="[0, 1)", text="The share of values dropped in training, after each layer."
    )
    context: int = parameter(
        default=64,
        interval="[2, inf)",
        text="Tokens of a window to learn from; also how many a transformer can see.",
    )
    tokens: Literal["auto", "words"] = parameter(
        default="auto",
        text='What a token is: "auto" takes characters of strings and items of lists, "words" splits strings at white '
        "space.",
    )
    unknown: Literal["error", "token"] = parameter(
        default="error",
        text="What becomes of tokens that do not occur in fit: an error, or one token that stands for all of them. "
        'With "token", those that occur once in fit are taken for it too, which teaches how probable it is; it '
        "is never drawn.",
    )
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 0.003
    clip_norm = 1.0
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Windows in a mini-batch; "auto" is a tenth of those of an epoch, but at least 16 and at most 32.',
    )
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as 2,000 steps take, but at most 150.',
    )
    scoring: str | Callable = fixed("loss")
    input_scaling: Literal["standard"] | None = fixed(None)

    vocabulary_: list[Any] = fitted("The tokens, sorted.")
    _vocabulary: Vocabulary = fitted("What makes numbers of tokens.")

    # -- the data --------------------------------------------------------------------------------------------------

    def _read_x(self, X: Any, fresh: bool) -> Any:
        sequences = read_sequences("X", X)
        if fresh:
            _check_learnt_from(sequences, self.tokens)
            self._vocabulary = Vocabulary(sequences, self.tokens == "words", self.unknown == "token")
            self.vocabulary_ = self._vocabulary.tokens
        return self._vocabulary.after_start(sequences)

    def _batch(self, samples: Any, index: slice | Array, draws: Draws) -> Batch:
        """Windows anywhere, as many as are asked for."""
        return samples.drawn(len(np.arange(len(samples))[index]), draws)

    def _run(
        self, fit: Fit, stages: list[Stage], state: TrainingState, *, observer: Observer | None, **watching: Any
    ) -> FitLoop:
        windows: Any = Windows(fit.samples, self.context)
        plan = self._plan(len(windows))
        size, epochs = plan.batch_size, plan.max_epochs
        stages = [replace(stage, plan=replace(stage.plan, batch_size=size, max_epochs=epochs)) for stage in stages]
        return train(fit.network, FamilyData(self, windows), stages, state, fit.rng, observer=observer, **watching)

    def _plan(self, n_samples: int) -> Plan:
        return planned(self, super()._plan(n_samples), n_samples, steps=N_STEPS, fewest=1, largest=32)

    def _batch_size(self, n_samples: int) -> int:
        return n_samples if self.batch_size == "auto" else self.batch_size  # however few samples the windows are of

    def _check_options(self) -> None:
        super()._check_options()
        if self.architecture != "transformer":
            self._refuse(("n_heads",), f"architecture={self.architecture!r}, which has no attention")

    # -- the network -----------------------------------------------------------------------------------------------

    def _layers(self, n_outputs: int) -> list[Layer]:
        size = self._vocabulary.size
        dropout = [Dropout(float(self.dropout))] if self.dropout else []
        if self.architecture == "transformer":
            blocks = [TransformerBlock(self.n_heads, causal=True, dropout=self.dropout)] * self.depth
            hidden = [Embedding(size, self.units), Positions("sinusoidal"), *dropout, *blocks, LayerNorm()]
        else:
            recurrent = [Recurrent(self.units, self.architecture), *dropout] * self.depth
            hidden = [Embedding(size, min(self.units, EMBEDDING)), *recurrent]
        return [*hidden, Dense(size, gain=0.1)]  # at first all tokens are about as probable

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        return LOG_LOSS(nets(batch.x).values, batch.y)

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        """The mean log-probability of a token."""
        x = samples.of(samples.x)
        weight = samples.of(samples.weight)
        log_p = self._log_probabilities(x.astype(np.intp), nets)
        mean = float(np.average(log_p, weights=None if weight is None else x.at_positions(weight)))
        return Verdict(mean, -mean) if isfinite(mean) else Verdict(nan, -mean)

    # -- what it says of sequences ---------------------------------------------------------------------------------

    @property
    def _sight(self) -> int:
        """How many tokens the network sees at most."""
        return self.context if self.architecture == "transformer" else maxsize

    def _log_probabilities(self, x: Sequences, nets: Any = None) -> Array:
        """That of what follows each position, in nats, in double precision."""
        after = following(x, x.values)
        positions, kept = overlapping(x, self._sight)

        def found(raw: Array, places: Array) -> Array:
            return -LOG_LOSS(raw.astype(np.float64), after[places])

        return self._at_positions(x.values, positions, found, nets)[kept]

    def _at_positions(self, tokens: Array, positions: Sequences, found: Callable, nets: Any = None) -> Array:
        """``found(raw, places)`` of raw outputs at these positions, of as many at once as there is memory for."""
        forward, nets = self._forward, nets or self._forward.nets
        few = tokens[positions[0][:FEW]]
        forward.count(Sequences(few, [len(few)]), lambda: nets(Sequences(few, [len(few)])))

        def part(rows: slice) -> Array:
            some = positions[rows]
            if len(some.values) <= forward.at_once:
                return found(nets(some.like(tokens[some.values])).values, some.values)
            steps = Stepping(nets)  # a long sequence, piece by piece
            pieces = np.split(some.values, range(forward.at_once, len(some.values), forward.at_once))
            return np.concatenate([found(steps.outputs(tokens[piece][None])[0], piece) for piece in pieces])

        return forward.in_blocks(len(positions.values), positions.blocks(forward.at_once), part)

    def score_samples(self, X: Any) -> Array:
        """The log-probability of each sequence, its end included, in nats.

        Parameters
        ----------
        X : list of str or of lists of tokens
            Sequences; an empty one has a probability too.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)
        """
        x = self._inputs(X)
        return np.add.reduceat(self._log_probabilities(x), x.starts)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean log-probability of a token, the end of a sequence being one.

        Parameters
        ----------
        X : list of str or of lists of tokens
            Sequences.
        y : None
            Ignored.

        Returns
        -------
        log_probability : float
            In nats; larger is better.
        """
        return float(self._log_probabilities(self._inputs(X)).mean())

    def perplexity(self, X: Any) -> float:
        """exp(-score): among how many tokens, all as probable, the model would be as uncertain of the next one.

        Parameters
        ----------
        X : list of str or of lists of tokens
            Sequences.

        Returns
        -------
        perplexity : float
            1 at least; smaller is better.
        """
        return float(np.exp(-self.score(X)))

    def predict_proba(self, X: Any) -> Array:
        """How probable each token is after a beginning.

        Parameters
        ----------
        X : list of str or of lists of tokens
            Beginnings of sequences; an empty one asks for the first token.

        Returns
        -------
        probability : ndarray of shape (n_samples, n_tokens + 1)
            In the order of ``vocabulary_``; then, with ``unknown="token"``, of all tokens that are not known; and last
            of the end of the sequence.
        """
        x = self._inputs(X)
        last = x.lengths - 1
        first = first_seen(last, self._sight)
        seen = x.of_lengths(last + 1 - first)
        places = seen.at_positions(x.starts + first - seen.starts) + np.arange(len(seen.values))
        is_last = np.zeros(len(x.values), bool)
        is_last[x.starts + last] = True
        raw = self._at_positions(x.values, seen.like(places), lambda raw, places: raw[is_last[places]])
        return softmax(raw.astype(np.float64), axis=1)

    def sample(
        self,
        n_samples: int = 1,
        prefix: Any = "",
        max_length: int = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> Array:
        """Draw sequences, token by token, each from :meth:`predict_proba` of those before.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        prefix : str or list, default=""
            What they all begin with.
        max_length : int, default=200
            Tokens of a sequence at most, those of the prefix included; one that has so many is not ended, but cut.
        temperature : float, default=1.0
            Probabilities are raised to the power of 1 / `temperature`: below 1 what is probable is drawn more often; at
            0 always the most probable token.
        top_k : int, default=None
            Draw from so many of the most probable tokens only; None: from all.
        random_state : int, RandomState or None, default=None
            None draws anew in each call, an int repeats.

        Returns
        -------
        X : ndarray of shape (n_samples,) of str or list
            Sequences as those of the fit.

        Raises
        ------
        ValueError
            If a number is out of range, or the prefix holds an unknown token or is longer than `max_length`.
        """
        check_is_fitted(self)
        _check_drawing(n_samples, max_length, temperature, top_k)
        vocabulary = self._vocabulary
        (begin,) = vocabulary.numbers([prefix if vocabulary.of_strings or len(prefix) else []], "prefix")
        if len(begin) > max_length:
            raise ValueError(f"prefix has {len(begin)} tokens, more than max_length={max_length!r}")

        def probability(raw: Array) -> Array:
            if vocabulary.has_unknown:
                raw[:, vocabulary.end - 1] = -np.inf
            return next_probabilities(raw, temperature, top_k)

        steps, rng = Stepping(self._forward.nets, self._sight), check_random_state(random_state)
        with single_thread():
            found = draw_sequences(steps, probability, n_samples, begin, vocabulary.end, max_length, rng)
        return as_objects([vocabulary.joined(numbers) for numbers in found])


def _check_learnt_from(sequences: list[Any], tokens: str) -> None:
    if tokens == "words" and not isinstance(sequences[0], str):
        raise ValueError("tokens='words' splits strings, but X holds lists of tokens; leave it at 'auto'")
    for k, sequence in enumerate(sequences):
        if not len(sequence):
            raise ValueError(f"X[{k}]={sequence!r} is empty: a sequence to learn from has at least one token")


def _check_drawing(n_samples: Any, max_length: Any, temperature: Any, top_k: Any) -> None:
    for name, value in (("n_samples", n_samples), ("max_length", max_length), ("top_k", 1 if top_k is None else top_k)):
        if not is_integer(value) or value < 1:
            raise ValueError(f"{name}={value!r} must be an integer, at least 1")
    if not is_number(temperature) or not 0 <= temperature < inf:
        raise ValueError(f"temperature={temperature!r} must be a number, at least 0")
