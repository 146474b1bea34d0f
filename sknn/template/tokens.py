"""Tokens: characters of strings, words, or items of lists, as the numbers that networks take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from ..autodiff.tape import Array
from ..nn import Sequences
from .values import rows

REMEDY = "; unknown='token' takes one for all that did not"


def read_sequences(name: str, X: Any) -> list[Any]:
    """Strings or lists of tokens, all of one kind.

    Parameters
    ----------
    name : str
        Of X, for errors.
    X : list, array, Series or table with one column
        A string, or a list, tuple or array of tokens, for each sample; a 2-D array has one in each row.

    Raises
    ------
    TypeError
        If X has no rows, as a single string, or holds something else, or strings beside lists.
    ValueError
        If it is empty.

    Examples
    --------
    >>> read_sequences("X", np.array([[1, 2], [3, 4]]))
    [[1, 2], [3, 4]]
    """
    values = rows(name, X)
    values = values.to_numpy() if hasattr(values, "to_numpy") else values
    if getattr(values, "ndim", 1) == 2 and values.dtype == object and values.shape[1] == 1:  # one column of a table
        values = values[:, 0]
    sequences = [each.tolist() if isinstance(each, np.ndarray) else each for each in values]
    if not sequences:
        raise ValueError(f"{name} has no samples: it must hold at least one sequence")
    for k, each in enumerate(sequences):
        if not isinstance(each, str | list | tuple):
            raise TypeError(f"{name}[{k}]={each!r} is no sequence: it must be a string or a list of tokens")
        if isinstance(each, str) != isinstance(sequences[0], str):
            kinds = [type(one).__name__ for one in (each, sequences[0])]
            raise TypeError(f"{name}[{k}] is a {kinds[0]}, but {name}[0] a {kinds[1]}: all must be of one kind")
    return sequences


class Vocabulary:
    """The tokens of some sequences, numbered in their order; after them the one that stands for all unknown ones, if
    there is such a one, and last the end of a sequence, which also stands in front of its first token.

    Parameters
    ----------
    sequences : list of str, list or tuple
        Those to learn the tokens from.
    by_words : bool, default=False
        Whether strings, if they are such, are split into words, at white space; otherwise into characters.
    has_unknown : bool, default=False
        Whether there is a token for those that do not occur. Tokens that occur once are taken for it, so that there is
        something to learn of it.

    Attributes
    ----------
    tokens : list
        Sorted.
    end : int
        The number of the end of a sequence.
    size : int
        How many numbers there are.

    Raises
    ------
    TypeError
        If a token is a float, which is a quantity, or cannot be hashed.

    Examples
    --------
    >>> vocabulary = Vocabulary(["abba", "cab"])
    >>> vocabulary.tokens, vocabulary.end, vocabulary.size
    (['a', 'b', 'c'], 3, 4)
    >>> vocabulary.numbers(["cb", "a"]), vocabulary.joined([2, 1])
    ([[2, 1], [0]], 'cb')
    >>> vocabulary.numbers(["abd"])
    Traceback (most recent call last):
    ValueError: X[0] holds the token 'd', which did not occur in fit; unknown='token' takes one for all that did not
    """

    def __init__(self, sequences: Any, by_words: bool = False, has_unknown: bool = False) -> None:
        self.of_strings = isinstance(sequences[0], str)
        self.by_words, self.has_unknown = by_words and self.of_strings, has_unknown
        try:
            counts = Counter(chain.from_iterable(map(self.split, sequences)))
        except TypeError as error:
            raise TypeError(
                f"tokens are words, whole numbers or other names, but not all of these are: {error}"
            ) from None
        self.tokens = _sorted([_plain(token) for token, n in counts.items() if n > 1 or not has_unknown])

    @property
    def end(self) -> int:
        return len(self.tokens) + self.has_unknown

    @property
    def size(self) -> int:
        return self.end + 1

    @cached_property
    def _number_of(self) -> dict[Any, int]:
        return {token: number for number, token in enumerate(self.tokens)}

    def split(self, sequence: Any) -> Iterable[Any]:
        """The tokens of a sequence, one after the other."""
        return sequence.split() if self.by_words else sequence

    def joined(self, numbers: Iterable[int]) -> Any:
        """The sequence that tokens with these numbers make, of the kind that was learnt from."""
        tokens = self.named(numbers)
        return (" " if self.by_words else "").join(tokens) if self.of_strings else tokens

    def named(self, numbers: Iterable[int]) -> list[Any]:
        """The tokens with these numbers."""
        return [self.tokens[number] for number in numbers]

    def numbers(self, sequences: Any, name: str = "X") -> list[list[int]]:
        """The numbers of the tokens of each sequence.

        Raises
        ------
        ValueError
            If a token is unknown, and none stands for those.
        TypeError
            If the sequences are of another kind than those that were learnt from.
        """
        found = []
        for k, sequence in enumerate(sequences):
            if isinstance(sequence, str) != self.of_strings:
                kind = "strings" if self.of_strings else "lists of tokens"
                raise TypeError(f"{name}[{k}] is a {type(sequence).__name__}, but fit was given {kind}")
            found.append(self._numbers(sequence, f"{name}[{k}]"))
        return found

    def _numbers(self, sequence: Any, name: str) -> list[int]:
        number_of = self._number_of
        try:
            if self.has_unknown:
                unknown = self.end - 1
                return [number_of.get(token, unknown) for token in self.split(sequence)]
            return [number_of[token] for token in self.split(sequence)]
        except KeyError as error:
            raise ValueError(f"{name} holds the token {error.args[0]!r}, which did not occur in fit{REMEDY}") from None
        except TypeError as error:
            raise TypeError(f"{name} holds what is no token: {error}") from None

    def after_start(self, sequences: Any, name: str = "X") -> Sequences:
        """The numbers of the tokens, behind that of the end, with which every sequence begins."""
        return _rows([[self.end, *numbers] for numbers in self.numbers(sequences, name)])

    def before_end(self, sequences: Any, name: str = "y") -> Sequences:
        """The numbers of the tokens, and then that of the end."""
        return _rows([[*numbers, self.end] for numbers in self.numbers(sequences, name)])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_number_of"}


def as_objects(sequences: Sequence[Any]) -> Array:
    """Sequences as an array of objects, whatever their lengths."""
    found = np.empty(len(sequences), object)
    for k, sequence in enumerate(sequences):  # all at once, NumPy would make one array of lists of equal lengths
        found[k] = sequence
    return found


def _rows(numbers: list[list[int]]) -> Sequences:
    return Sequences(np.fromiter(chain.from_iterable(numbers), np.int64), [len(each) for each in numbers])


def _plain(token: Any) -> Any:
    """A token as an object of Python; TypeError if it is a quantity."""
    token = token.item() if isinstance(token, np.generic) else token
    if isinstance(token, float) or token is None:
        raise TypeError(f"tokens are words, whole numbers or other names, but {token!r} is among them")
    return token


def _sorted(tokens: list[Any]) -> list[Any]:
    try:
        return sorted(tokens)
    except TypeError:  # of several kinds
        return sorted(tokens, key=lambda token: (type(token).__name__, repr(token)))
