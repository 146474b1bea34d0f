"""Sequence to sequence: an encoder that reads, a decoder that writes, and attention between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any, Literal

import numpy as np
from scipy.special import log_softmax
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_consistent_length

from ...autodiff import primitives as F
from ...autodiff.tape import Array
from ...description import is_integer
from ...nn import (
    AttentiveRecurrent,
    Beside,
    DecoderBlock,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Network,
    Parts,
    Positions,
    Recurrent,
    Sequences,
    TransformerBlock,
)
from ...nn.draws import Draws
from ...nn.init import Random
from ...ops.threads import single_thread
from ...template.estimator import Estimator
from ...template.inputs import given
from ...template.parameters import fitted, fixed, parameter
from ...template.samples import Batch, Samples, taken
from ...template.sides import NumberSource, NumberTarget, TokenSource, TokenTarget, holds_tokens, read_numbers
from ...template.thousand_steps import BATCH_SIZE, planned
from ...template.tokens import Vocabulary, as_objects, read_sequences
from ...template.validation import mean_objective
from ...train import Plan, Verdict
from .beam_search import Found, beam_search
from .stepping import Stepping

N_STEPS = 2000  # of max_iter="auto"
AT_ONCE = 256  # samples, that are decoded side by side


class Seq2Seq(Estimator):
    """Sequences from sequences: a recurrent encoder and decoder with attention between them, or a transformer.

    Either side holds strings, lists of tokens (anything but numbers with fractions), or series of numbers. Of tokens
    the model says how probable they are,

    .. math:: p(y \\mid x) = p(\\text{end} \\mid y_1 \\ldots y_n, x) \\prod_t p(y_t \\mid y_1 \\ldots y_{t-1}, x),

    and :meth:`predict` looks for the most probable sequence, by greedy or beam search. Series of numbers, which have to
    be all of one length or each as long as its input, are predicted step by step, each from those before.

    With attention, the state h of the recurrent decoder asks at each step for a mean c of the encoder's states m, and
    reads it at the next step beside the token before,

    .. math::
        h_t = \\mathrm{GRU}([y_{t-1}, c_{t-1}], h_{t-1}), \\quad
        c_t = \\sum_j w_{tj} m_j, \\quad
        w_t = \\mathrm{softmax}_j \\, e \\cdot \\tanh(h_t Q + m_j K),

    and the outputs are those of a dense layer of tanh units on :math:`[h_t, c_t]`; of several layers the last one does
    so (:class:`sknn.nn.AttentiveRecurrent`). Without attention it reads at each step a summary of the input, the
    encoder's last states.

    References
    ----------
    Cho et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine translation.
    EMNLP.
    Sutskever, Vinyals, Le (2014). Sequence to sequence learning with neural networks. NeurIPS.
    Bahdanau, Cho, Bengio (2015). Neural machine translation by jointly learning to align and translate. ICLR.
    Luong, Pham, Manning (2015). Effective approaches to attention-based neural machine translation. EMNLP.
    Vaswani et al. (2017). Attention is all you need. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from sknn import Seq2Seq
    >>> rng = np.random.default_rng(0)
    >>> X = ["".join(rng.choice(list("abcd"), rng.integers(2, 6))) for _ in range(1000)]
    >>> y = [x[::-1] for x in X]
    >>> model = Seq2Seq(32, learning_rate_init=0.01, max_iter=12, random_state=0).fit(X[:900], y[:900])
    >>> model.score(X[900:], y[900:]) > 0.9
    True
    """

    units: int = parameter(
        default=128,
        interval="[1, inf)",
        text="Units of each recurrent layer (of the encoder, in each direction); of a transformer the numbers at each "
        "position.",
        kw_only=False,
    )
    architecture: Literal["rnn", "transformer"] = parameter(
        default="rnn",
        text="Gated recurrent units, the encoder in both directions; or blocks of attention, causal in the decoder.",
    )
    attention: bool = parameter(
        default=True,
        text="Whether the recurrent decoder sees all states of the encoder; otherwise only the last ones. A "
        "transformer always does.",
    )
    depth: int = parameter(default=1, interval="[1, inf)", text="Layers, or blocks, of encoder and decoder each.")
    n_heads: int = parameter(
        default=4, interval="[1, inf)", text="Heads of the attention of a transformer; `units` is a multiple of it."
    )
    dropout: float = parameter(
        default=0.0, interval="[0, 1)", text="The share of values dropped in training, after each layer."
    )
    tokens: Literal["auto", "words"] = parameter(
        default="auto",
        text='What a token is: "auto" takes characters of strings and items of lists, "words" splits strings at white '
        "space.",
    )
    unknown: Literal["error", "token"] = parameter(
        default="error",
        text="What becomes of tokens that do not occur in fit: an error, or one token that stands for all of them. "
        'With "token", those that occur once in fit are taken for it too; it is never predicted.',
    )
    teacher_forcing: float = parameter(
        default=1.0,
        interval="[0, 1]",
        text="In training, the share of steps that the decoder gets as they are in y; the others as it would have "
        "guessed them itself.",
    )
    beam_size: int = parameter(
        default=1, interval="[1, inf)", text="Beginnings of a sequence that `predict` goes on with; 1 is greedy search."
    )
    length_penalty: float = parameter(
        default=0.0,
        interval="[0, inf)",
        text="Sequences are ranked by log p / n ** `length_penalty`, of n tokens with the end: above 0 longer ones are "
        "preferred.",
    )
    max_length: int | Literal["auto"] = parameter(
        default="auto",
        interval="[1, inf)",
        text='Most tokens of a predicted sequence; "auto" is 1.5 times as many as the longest of fit has.',
    )
    solver = "adamw"
    learning_rate = "one_cycle"
    learning_rate_init = 0.002
    clip_norm = 1.0
    batch_size: int | Literal["auto"] = BATCH_SIZE
    max_iter: int | Literal["auto"] = parameter(  # type: ignore[assignment]
        default="auto",
        interval="[1, inf)",
        text='Most epochs; "auto" is as many as 2,000 steps take, but at least 5 and at most 150.',
    )
    scoring: str | Callable = fixed("loss")
    input_scaling: Literal["standard"] | None = fixed(None)

    vocabulary_: list[Any] = fitted("The tokens of y, sorted; for tokens only.")
    _source: TokenSource | NumberSource = fitted("How X is read.")

    # -- the data --------------------------------------------------------------------------------------------------

    def _read_x(self, X: Any, fresh: bool) -> Any:
        if fresh:
            self._source = TokenSource(X, *self._about_tokens()) if holds_tokens(X) else NumberSource(X)
        return self._source.read(X)

    def _read_y(self, y: Any) -> Any:
        y = given(self, y)
        return as_objects(read_sequences("y", y)) if holds_tokens(y) else read_numbers("y", y)

    def _read(self, X: Any, y: Any, *others: Any) -> Samples:
        samples = super()._read(X, y, *others)
        lengths = getattr(samples.y, "lengths", None)
        if lengths is not None and (lengths != lengths[0]).any() and (lengths != samples.x.lengths).any():
            k = int(np.argmax(lengths != samples.x.lengths))
            raise ValueError(
                f"y must hold series of one length, or each as long as that of X, but sample {k} has "
                f"{samples.x.lengths[k]} steps in X and {lengths[k]} in y"
            )
        return samples

    def _new_target(self, y: Any, sample_weight: Array | None) -> TokenTarget | NumberTarget:
        return NumberTarget(y, sample_weight) if hasattr(y, "lengths") else TokenTarget(y, *self._about_tokens())

    def _about_tokens(self) -> tuple[bool, bool]:
        return self.tokens == "words", self.unknown == "token"

    def _batch(self, samples: Samples, index: slice | Array, draws: Draws) -> Batch:
        rows = index if samples.rows is None else samples.rows[index]
        y = taken(samples.encoded, rows)
        weight = None if samples.weight is None else y.at_positions(taken(samples.weight, rows))
        return Batch(taken(samples.x, rows), y.values, weight, {"y": y}, rows)

    # -- the networks ----------------------------------------------------------------------------------------------

    def _networks(self, x: Any, target: Any, rng: Random, dtype: np.dtype) -> Parts:
        of_y: Any = (None,) if target.is_of_tokens else (None, target.n_outputs)
        return Parts(
            encoder=Network(self._encoder(), x.sample_shape, rng, dtype),
            decoder=Network(self._decoder(target), of_y, rng, dtype),
        )

    def _encoder(self) -> list[Layer]:
        first, dropout = self._source.first_layer(self.units), self._dropout()
        if self.architecture == "rnn":
            return [first, *[Recurrent(self.units, "gru", bidirectional=True), *dropout] * self.depth]
        blocks = [TransformerBlock(self.n_heads, dropout=self.dropout)] * self.depth
        return [first, Positions("sinusoidal"), *dropout, *blocks, LayerNorm()]

    def _decoder(self, target: Any) -> list[Layer]:
        first, last = target.first_layer(self.units), Dense(target.n_outputs, gain=0.1)  # at first all are as probable
        if self.architecture == "transformer":
            blocks = [DecoderBlock(self.n_heads, dropout=self.dropout)] * self.depth
            return [first, Positions("sinusoidal"), *self._dropout(), *blocks, LayerNorm(), last]
        plain = [Recurrent(self.units, "gru"), *self._dropout()]
        if not self.attention:
            return [first, Beside("summary", 2 * self.units), *plain * self.depth, last]
        attentive = [AttentiveRecurrent(self.units, memory_width=2 * self.units), *self._dropout()]
        return [first, *plain * (self.depth - 1), *attentive, Dense(self.units, "tanh"), last]

    def _dropout(self) -> list[Layer]:
        return [Dropout(float(self.dropout))] if self.dropout else []

    def _check_unchanged(self) -> None:
        parts: Any = self.network_.parts
        now = {"encoder": self._encoder(), "decoder": self._decoder(self._target)}
        for name, layers in now.items():
            if tuple(layers) != parts[name].layers:
                raise ValueError(
                    f"the parameters that shape the {name} were changed after the first fit; fit anew with "
                    "warm_start=False"
                )

    def _given(self, nets: Any, x: Sequences) -> dict[str, Any]:
        """What the decoder is given of the inputs."""
        memory = nets.encoder(self._source.inputs(x))
        if self.architecture == "transformer" or self.attention:
            return {"memory": memory}
        u, values = self.units, memory.values
        last, first = F.take(values, memory.starts + memory.lengths - 1), F.take(values, memory.starts)
        summary = F.concatenate([last[:, :u], first[:, u:]], axis=1)  # where each direction has seen all
        return {"summary": summary}

    def _outputs(self, nets: Any, batch: Batch, draws: Draws | None) -> Any:
        """The raw outputs at all steps of y, each from those before."""
        y, given, target = batch.given["y"], self._given(nets, batch.x), self._target
        raw = nets.decoder(target.shifted(y), **given).values
        if nets.training and self.teacher_forcing < 1.0 and draws is not None:
            own = draws.uniform((len(y.values),)) >= self.teacher_forcing
            mixed = y.values.copy()
            mixed[own] = target.guess(F.plain(raw))[own]
            raw = nets.decoder(target.shifted(y.like(mixed)), **given).values
        return raw

    def _objective(self, nets: Any, batch: Batch, draws: Draws) -> Any:
        return self._target.loss(self._outputs(nets, batch, draws), batch.y)

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        return mean_objective(self, nets, samples, draws)

    # -- how long to train -----------------------------------------------------------------------------------------

    def _plan(self, n_samples: int) -> Plan:
        return planned(self, super()._plan(n_samples), n_samples, steps=N_STEPS, fewest=5)

    def _check_options(self) -> None:
        super()._check_options()
        if self.architecture == "transformer":
            self._refuse(("attention",), "architecture='transformer', which is made of it")
        else:
            self._refuse(("n_heads",), "architecture='rnn', whose attention has one head")

    # -- what it says of sequences ---------------------------------------------------------------------------------

    def predict(self, X: Any) -> Array:
        """The most probable sequence of tokens that the search finds, or the series of numbers.

        Parameters
        ----------
        X : list of str, of lists of tokens or of series of numbers
            Inputs.

        Returns
        -------
        y : ndarray of shape (n_samples,) of str, list or ndarray, or of shape (n_samples, n_steps, ...)
            Of the kind of y in fit; series of one length are one array.
        """
        x = self._inputs(X)
        if self._target.is_of_tokens:
            return self._target.decode([found[0].tokens for found in self._found(x, self.beam_size)])
        return self._target.decode(self._continued(x))

    def predict_n_best(self, X: Any, n: int = 5) -> tuple[Array, Array]:
        """Several sequences of tokens for each sample, the best one first.

        Parameters
        ----------
        X : list of str, of lists of tokens or of series of numbers
            Inputs.
        n : int, default=5
            How many; the beam is at least as wide.

        Returns
        -------
        y : ndarray of shape (n_samples, n) of str or list
            None where there are not so many.
        log_probability : ndarray of shape (n_samples, n)
            As :meth:`score_samples` tells it; -inf where there is none.

        Raises
        ------
        ValueError
            If y in fit held numbers, or n is no positive integer.
        """
        if not is_integer(n) or n < 1:
            raise ValueError(f"n={n!r} must be an integer, at least 1")
        x = self._inputs(X)
        self._check_tokens("predict_n_best")
        sequences, log_p = np.full((len(x), n), None, object), np.full((len(x), n), -np.inf)
        for k, found in enumerate(self._found(x, max(n, self.beam_size))):
            some = found[:n]
            sequences[k, : len(some)] = self._target.decode([each.tokens for each in some])
            log_p[k, : len(some)] = [each.log_probability for each in some]
        return sequences, log_p

    def score_samples(self, X: Any, y: Any) -> Array:
        """log p(y | x) of sequences of tokens, their end included, in nats.

        Parameters
        ----------
        X : list of str, of lists of tokens or of series of numbers
            Inputs.
        y : list of str or of lists of tokens
            The sequences.

        Returns
        -------
        log_probability : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            If y in fit held numbers, or y holds an unknown token.
        """
        x = self._inputs(X)
        self._check_tokens("score_samples")
        y = self._encoded(x, self._read_y(y))
        return np.add.reduceat(self._log_probabilities(x, y), y.starts)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of sequences that are predicted without any error; of numbers R2 over all steps.

        Parameters
        ----------
        X : list of str, of lists of tokens or of series of numbers
            Inputs.
        y : list of str, of lists of tokens or of series of numbers
            What they should become.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights.

        Returns
        -------
        score : float
        """
        x, target = self._inputs(X), self._target
        y = self._read_y(y)
        check_consistent_length(x, y)
        if target.is_of_tokens:
            found = self._found(x, self.beam_size)
            split = [list(target.vocabulary.split(each)) for each in y]
            right = [target.vocabulary.named(one[0].tokens) == each for one, each in zip(found, split, strict=True)]
            return float(np.average(right, weights=sample_weight))
        target.check(y, all_of_them=False)
        predicted = target.restored(self._continued(x))
        weight = None if sample_weight is None else y.at_positions(np.asarray(sample_weight))
        return float(r2_score(y.values, predicted.values, sample_weight=weight))

    def attention_weights(self, X: Any, y: Any = None) -> Array:
        """Where the decoder looks in the input at each step of its output, the end among them.

        Parameters
        ----------
        X : list of str, of lists of tokens or of series of numbers
            Inputs.
        y : list of str, of lists of tokens or of series of numbers, default=None
            Outputs; None: what is predicted.

        Returns
        -------
        weights : ndarray of object, of shape (n_samples,)
            For each sample the weights (steps of y, steps of X), of which those of a step add up to 1; of a transformer
            (depth, n_heads, steps of y, steps of X).

        Raises
        ------
        ValueError
            If there is no attention.
        """
        x = self._inputs(X)
        if not (self.attention or self.architecture == "transformer"):
            raise ValueError("attention=False: the decoder does not look at the states of the encoder")
        y = self._encoded(x, self._read_y(self.predict(X) if y is None else y))
        nets, found = self._forward.nets, []
        for k, some in enumerate(self._blocks(x)):
            layers: list[Any] = []
            steps = self._target.shifted(y[k * AT_ONCE : (k + 1) * AT_ONCE])
            nets.decoder(steps, **self._given(nets, some), attention_weights=layers)
            if self.architecture == "rnn":
                found += [weights[0] for weights in layers[0]]
            else:  # of each block those within y come first
                found += [np.stack(of_sample) for of_sample in zip(*layers[1::2], strict=True)]
        return as_objects(found)

    def _found(self, x: Sequences, beam_size: int) -> list[list[Found]]:
        """The best sequences of tokens for each sample."""
        vocabulary, nets, found = self._target.vocabulary, self._forward.nets, []
        longest = ceil(1.5 * self._target.longest) if self.max_length == "auto" else self.max_length
        with single_thread():
            for some in self._blocks(x):
                steps = _Tokens(Stepping(nets.decoder, given=self._given(nets, some)), vocabulary)
                found += beam_search(steps, len(some), vocabulary.end, longest, beam_size, self.length_penalty)
        return found

    def _continued(self, x: Sequences) -> Sequences:
        """Series of numbers in the network's units, step by step."""
        nets, target, found = self._forward.nets, self._target, []
        with single_thread():
            for some in self._blocks(x):
                lengths = target.lengths(some)
                steps, now = (
                    Stepping(nets.decoder, given=self._given(nets, some)),
                    np.zeros((len(some), target.n_outputs)),
                )
                series = []
                for _ in range(lengths.max()):
                    now = steps(now[:, None])
                    series.append(now)
                grid = np.stack(series, axis=1)
                found.append(grid[np.arange(grid.shape[1]) < lengths[:, None]])
        return Sequences(np.concatenate(found), target.lengths(x))

    def _log_probabilities(self, x: Sequences, y: Sequences) -> Array:
        """Those of each token, and each end, after those before it."""
        nets, found = self._forward.nets, []
        for k, some in enumerate(self._blocks(x)):
            wanted = y[k * AT_ONCE : (k + 1) * AT_ONCE]
            raw = self._outputs(nets, Batch(some, given={"y": wanted}), None)
            found.append(-self._target.loss(raw.astype(np.float64), wanted.values))
        return np.concatenate(found)

    def _encoded(self, x: Sequences, y: Any) -> Sequences:
        """Targets, read, as the loss takes them."""
        check_consistent_length(x, y)
        self._target.check(y, all_of_them=False)
        return self._target.encode(y, np.dtype(np.float64))

    def _blocks(self, x: Sequences) -> Iterator[Sequences]:
        """Some samples at a time, in the precision of the network, or of x if that is higher."""
        precision = np.promote_types(x.dtype, self._forward.dtype)
        return (x[k : k + AT_ONCE].astype(precision) for k in range(0, len(x), AT_ONCE))

    def _check_tokens(self, method: str) -> None:
        if not self._target.is_of_tokens:
            raise ValueError(f"{method} tells probabilities of tokens, but y in fit held series of numbers")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = tags.input_tags.three_d_array = True
        return tags


class _Tokens:
    """A decoder as a search asks it: log-probabilities of what follows tokens."""

    def __init__(self, steps: Stepping, vocabulary: Vocabulary) -> None:
        self.steps, self.vocabulary = steps, vocabulary

    def __call__(self, tokens: Array) -> Array:
        log_p = log_softmax(self.steps(tokens[:, None]).astype(np.float64), axis=1)
        if self.vocabulary.has_unknown:
            log_p[:, self.vocabulary.end - 1] = -np.inf
        return log_p

    def take(self, rows: Array) -> _Tokens:
        return _Tokens(self.steps.take(rows), self.vocabulary)
