"""Both sides of sequence to sequence: tokens, or series of numbers; as inputs, and as targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..losses import CategoricalLogLoss, SquaredError
from ..nn import Dense, Embedding, Layer, Sequences
from .scaling import Scaling
from .targets import Target
from .tokens import Vocabulary, as_objects, read_sequences
from .values import numbers


def holds_tokens(X: Any) -> bool:
    """Whether samples are sequences of tokens: strings, or lists of anything but numbers with fractions.

    Examples
    --------
    >>> holds_tokens(["abc"]), holds_tokens([[1, 2], [3]]), holds_tokens([[1.0, 2.0]]), holds_tokens([[[1], [2]]])
    (True, True, False, False)
    """
    if not hasattr(X, "__iter__"):  # which is refused where it is read
        return True
    first = next(iter(np.asarray(X, object).ravel()[:1] if hasattr(X, "columns") else X), "")
    if isinstance(first, str):
        return True
    if isinstance(first, np.ndarray) and first.dtype.kind == "f":  # which may have no steps
        return False
    item = next(iter(first), 0) if hasattr(first, "__iter__") else first
    return not isinstance(item, float | np.floating) and np.ndim(item) == 0


def read_numbers(name: str, X: Any) -> Sequences:
    """Series as rows without padding, (n_positions,) or (n_positions, channels), in double precision at least.

    Raises
    ------
    ValueError
        If a value is not finite, or X holds no series.
    """
    X = numbers(name, X)
    grid = isinstance(X, np.ndarray) and X.dtype != object
    if grid and X.ndim < 2:
        raise ValueError(f"{name} has shape {X.shape}, but must hold a sequence for each sample")
    flat = grid and X.ndim == 2
    series = Sequences(X.reshape(-1), np.full(len(X), X.shape[1])) if flat else Sequences.of(X)
    if series.dtype not in (np.float32, np.float64):
        series = series.astype(np.float64)
    finite = np.isfinite(series.values)
    if not finite.all():
        position = int(np.argmin(finite.reshape(len(finite), -1).all(axis=1)))
        sample = int(series.sample[position])
        raise ValueError(f"{name} contains NaN or infinity: sample {sample}, step {position - series.starts[sample]}")
    return series


def _in_channels(series: Sequences) -> Sequences:
    return series if series.values.ndim > 1 else series.like(series.values[:, None])


class TokenSource:
    """Sequences of tokens as inputs.

    Parameters
    ----------
    X : list of str or of lists of tokens
        Those to learn the vocabulary from.
    by_words, has_unknown : bool
        See :class:`Vocabulary`.
    """

    def __init__(self, X: Any, by_words: bool, has_unknown: bool) -> None:
        self.vocabulary = Vocabulary(read_sequences("X", X), by_words, has_unknown)

    def read(self, X: Any) -> Sequences:
        """Numbers of tokens; ValueError if a sequence is empty, or holds an unknown token."""
        found = self.vocabulary.numbers(read_sequences("X", X))
        for k, each in enumerate(found):
            if not each:
                raise ValueError(f"X[{k}] is empty: a sequence has at least one token")
        return Sequences(np.concatenate(found), [len(each) for each in found])

    def inputs(self, x: Sequences) -> Sequences:
        """As the first layer takes them: whole numbers, which a fit has cast to its precision."""
        return x.astype(np.intp)

    def first_layer(self, width: int) -> Layer:
        return Embedding(self.vocabulary.size, width)


class NumberSource:
    """Series of numbers as inputs, standardised channel by channel; the arguments are those to learn that from."""

    def __init__(self, X: Any) -> None:
        series = _in_channels(read_numbers("X", X))
        self.n_channels = series.values.shape[1]
        self.scaling = Scaling([(series.values, None)])

    def read(self, X: Any) -> Sequences:
        """Standardised; ValueError if there are other channels than in the fit."""
        if holds_tokens(X):
            raise ValueError("X holds tokens, but fit was given series of numbers")
        series = _in_channels(read_numbers("X", X))
        if series.values.shape[1] != self.n_channels:
            raise ValueError(f"X has {series.values.shape[1]} channels, but fit was given {self.n_channels}")
        return self.scaling(series)

    def inputs(self, x: Sequences) -> Sequences:
        return x

    def first_layer(self, width: int) -> Layer:
        return Dense(width)


class TokenTarget(Target):
    """Sequences of tokens, each followed by the end.

    Parameters
    ----------
    y : ndarray of object
        Strings or lists of tokens; the vocabulary is learnt from them.
    by_words, has_unknown : bool
        See :class:`Vocabulary`.
    """

    loss = CategoricalLogLoss()
    is_of_tokens = True

    def __init__(self, y: Array, by_words: bool, has_unknown: bool) -> None:
        self.vocabulary = Vocabulary(y, by_words, has_unknown)
        self.n_outputs = self.vocabulary.size
        self.longest = max(map(len, self.vocabulary.numbers(y, "y")))
        self.attributes = {"vocabulary_": self.vocabulary.tokens}

    def check(self, y: Any, all_of_them: bool) -> None:
        """Raise ValueError or TypeError if y holds something else, or an unknown token."""
        if hasattr(y, "lengths"):
            raise ValueError("y holds series of numbers, but the first fit was given tokens")
        self.vocabulary.numbers(y, "y")

    def encode(self, y: Array, dtype: np.dtype) -> Sequences:
        """The numbers of the tokens, and that of the end."""
        return self.vocabulary.before_end(y)

    def shifted(self, encoded: Sequences) -> Sequences:
        """What stands in front of each: the end in front of the first."""
        return encoded.like(np.roll(encoded.values, 1))

    def guess(self, raw: Array) -> Array:
        """The most probable tokens, by their numbers."""
        return raw.argmax(axis=-1)

    def first_layer(self, width: int) -> Layer:
        return Embedding(self.vocabulary.size, width)

    def decode(self, raw: Any) -> Array:
        """Sequences of the kind of y, from lists of numbers."""
        return as_objects([self.vocabulary.joined(each) for each in raw])


class NumberTarget(Target):
    """Series of numbers, standardised channel by channel: all of one length, or each as long as its inputs.

    Parameters
    ----------
    y : Sequences
        Those to learn the scale from.
    weight : ndarray of shape (n_samples,) or None
        Of the samples.
    """

    loss = SquaredError()
    is_of_tokens = False

    def __init__(self, y: Sequences, weight: Array | None) -> None:
        values = _in_channels(y).values
        self.in_a_row, self.n_outputs = y.values.ndim == 1, values.shape[1]
        self.n_steps = int(y.lengths[0]) if (y.lengths == y.lengths[0]).all() else None
        self.scaling = Scaling([(values, None if weight is None else y.at_positions(weight))])
        self.attributes = {}

    def check(self, y: Any, all_of_them: bool) -> None:
        """Raise ValueError if y holds something else, or other channels or lengths."""
        if not hasattr(y, "lengths"):
            raise ValueError("y holds tokens, but the first fit was given series of numbers")
        if _in_channels(y).values.shape[1] != self.n_outputs:
            raise ValueError(
                f"y has {_in_channels(y).values.shape[1]} channels, but the first fit had {self.n_outputs}"
            )
        if self.n_steps is not None and (y.lengths != self.n_steps).any():
            raise ValueError(f"y has series of {y.lengths.min()} to {y.lengths.max()} steps, but in fit {self.n_steps}")

    def lengths(self, x: Sequences) -> Array:
        """How long the series are that belong to inputs."""
        return x.lengths if self.n_steps is None else np.full(len(x), self.n_steps)

    def encode(self, y: Sequences, dtype: np.dtype) -> Sequences:
        return self.scaling(_in_channels(y)).astype(dtype)

    def shifted(self, encoded: Sequences) -> Sequences:
        """What stands in front of each: the mean, which is 0, in front of the first."""
        values = np.roll(encoded.values, 1, axis=0)
        values[encoded.starts] = 0.0
        return encoded.like(values)

    def guess(self, raw: Array) -> Array:
        return raw

    def first_layer(self, width: int) -> Layer:
        return Dense(width)

    def restored(self, raw: Sequences) -> Sequences:
        """In the units of y, in the form of its steps."""
        values = raw.values * self.scaling.scale + self.scaling.mean
        return raw.like(values[:, 0] if self.in_a_row else values)

    def decode(self, raw: Any) -> Array:
        """An array (n_samples, n_steps, ...), or an object array of series that differ in length."""
        series = self.restored(raw)
        if self.n_steps is not None:
            return series.values.reshape(len(series), self.n_steps, *series.values.shape[1:])
        return np.asarray(series)
