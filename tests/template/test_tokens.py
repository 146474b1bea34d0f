"""Tokens: what is read as a sequence, how tokens are numbered, and what is refused."""

import pickle
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from sknn.template.tokens import Vocabulary, as_objects, read_sequences

TEXTS = ["abba", "cab"]
FORMS: dict[str, tuple[Any, list]] = {
    "strings": (TEXTS, TEXTS),
    "array of strings": (np.array(TEXTS), TEXTS),
    "Series": (pd.Series(TEXTS), TEXTS),
    "a column": (pd.DataFrame({"text": TEXTS}), TEXTS),
    "lists": ([[1, 2], (3,)], [[1, 2], (3,)]),
    "ragged arrays": ([np.array([1, 2]), np.array([3])], [[1, 2], [3]]),
    "object array": (as_objects([["a"], ["b", "c"]]), [["a"], ["b", "c"]]),
    "rows of an array": (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
}


@pytest.mark.parametrize("form", FORMS)
def test_sequences_come_in_many_forms(form):
    given, expected = FORMS[form]
    assert read_sequences("X", given) == expected


class Refused(NamedTuple):
    """What is no list of sequences, and what is said of it."""

    X: Any
    error: type[Exception]
    message: str


REFUSED = {
    "one string": Refused(
        "abc", TypeError, r"X must be an array, a table or a list, got str; make one of it, as \[X\]"
    ),
    "nothing": Refused(None, TypeError, "got NoneType"),
    "a set": Refused({"abc"}, TypeError, "got set"),
    "numbers": Refused([1, 2], TypeError, r"X\[0\]=1 is no sequence: it must be a string or a list of tokens"),
    "None among them": Refused(["a", None], TypeError, r"X\[1\]=None is no sequence"),
    "two kinds": Refused(["ab", ["a", "b"]], TypeError, r"X\[1\] is a list, but X\[0\] a str: all must be of one kind"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_by_name(name):
    X, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        read_sequences("X", X)


def test_characters_words_and_items_are_numbered_in_their_order():
    assert Vocabulary(["ba", "c"]).tokens == ["a", "b", "c"]
    words = Vocabulary(["to be or  not", "to be"], by_words=True)
    assert words.tokens == ["be", "not", "or", "to"]
    assert words.joined(words.numbers(["not\nto be"])[0]) == "not to be"
    items = Vocabulary([[3, 1], (2,)])
    assert (items.tokens, items.joined([2, 0])) == ([1, 2, 3], [3, 1])
    assert Vocabulary([[2, "a", ("b", 1)]]).tokens == [2, "a", ("b", 1)]  # kinds that have no order between them


def test_every_sequence_begins_behind_the_end_and_ends_with_it():
    vocabulary = Vocabulary(TEXTS)
    rows = vocabulary.after_start(["ab", "", "c"])
    assert (rows.values.tolist(), rows.lengths.tolist()) == ([3, 0, 1, 3, 3, 2], [3, 1, 2])
    assert vocabulary.before_end(["ab", ""]).values.tolist() == [0, 1, 3, 3]


def test_tokens_that_occur_once_teach_what_is_unknown():
    vocabulary = Vocabulary(["aab", "abc"], has_unknown=True)
    assert (vocabulary.tokens, vocabulary.size) == (["a", "b"], 4)
    assert vocabulary.numbers(["acz"]) == [[0, 2, 2]]


def test_an_unknown_token_and_another_kind_are_named():
    with pytest.raises(ValueError, match=r"X\[1\] holds the token 'd', which did not occur in fit; unknown="):
        Vocabulary(TEXTS).numbers(["a", "ad"])
    with pytest.raises(TypeError, match=r"y\[0\] is a list, but fit was given strings"):
        Vocabulary(TEXTS).numbers([["a"]], "y")
    with pytest.raises(TypeError, match=r"X\[0\] holds what is no token: unhashable type"):
        Vocabulary([[1]]).numbers([[[1]]])


@pytest.mark.parametrize("token", [0.5, np.float32(0.5), None, [1]])
def test_quantities_are_no_tokens(token):
    with pytest.raises(TypeError, match="tokens are words, whole numbers or other names"):
        Vocabulary([[1, token]])


def test_a_pickle_is_small_and_numbers_the_same():
    vocabulary = Vocabulary(TEXTS)
    before = len(pickle.dumps(vocabulary))
    numbers = vocabulary.numbers(TEXTS)
    assert len(pickle.dumps(vocabulary)) == before
    assert pickle.loads(pickle.dumps(vocabulary)).numbers(TEXTS) == numbers
