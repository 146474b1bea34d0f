"""Text that is a number, in the ways that files have it."""

import numpy as np
import pandas as pd
import pytest

from sknn.study.numbers import NO_VALUE, numbers_of

WRITTEN = {
    "as Python has it": (["1.5", "-2", "+3", ".5", "7.", "1e3", "1E-2"], [1.5, -2, 3, 0.5, 7, 1000, 0.01]),
    "blanks around": ([" 1.5", "2 "], [1.5, 2]),
    "Fortran": (["1.5D+03", "1.5d-1", "-2.5+103", "1.5Q2"], [1500, 0.15, -2.5e103, 150]),
    "thousands": (["1,234", "999", "1,234,567.5"], [1234, 999, 1234567.5]),
    "thousands apart": (["1 234", "1\u00a0234\u00a0567,5", "12"], [1234, 1234567.5, 12]),
    "thousands of Switzerland": (["1'234.5", "12’345"], [1234.5, 12345]),
    "decimal commas": (["1,5", "2,25", "3"], [1.5, 2.25, 3]),
    "decimal commas and thousands": (["1.234,5", "1.234.567,0", "12,5"], [1234.5, 1234567, 12.5]),
    "three decimals": (["1.234", "2.345"], [1.234, 2.345]),
    "the minus sign of typesetters": (["−1.5", "2"], [-1.5, 2]),
    "percentages": (["12.5%", "7 %"], [12.5, 7]),
    "money": (["$1,200.50", "-$3", "12 €"], [1200.5, -3, 12]),
    "quotes of spreadsheets": (['="12"', "'13", "'14.5'"], [12, 13, 14.5]),
    "numbers among text": ([1.5, "2.5", 3], [1.5, 2.5, 3]),
    "infinite": (["inf", "-Infinity", "1"], [np.inf, -np.inf, 1]),
}


@pytest.mark.parametrize(("texts", "numbers"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_a_number(texts, numbers):
    found = numbers_of(pd.Series(texts, dtype=object))
    assert found.values.tolist() == numbers
    assert found.are_most
    assert found.odd.empty


@pytest.mark.parametrize(
    "text", ["1_000", "0x1F", "1,5", "1.2*", "<0.1", "12:30:00", "1/2", "3-5", "M31", "1e", "five", "1 2", "²"]
)
def test_what_is_none(text):
    found = numbers_of(pd.Series(["1.5"] * 20 + [text]))
    assert found.values.isna().sum() == 1
    assert (found.are_most, found.odd.tolist()) == (True, [text])


@pytest.mark.parametrize("word", [*sorted(NO_VALUE), " ", "N.A.", "None", "Missing "])
def test_words_for_missing_values_may_be_many(word):
    found = numbers_of(pd.Series([word, "1.5", word, "2.5", word]))
    assert found.are_most
    assert found.odd.tolist() == [word] * 3


@pytest.mark.parametrize(
    "texts",
    [["1", "2", "a"], ["1"] * 8 + ["low"], ["none", "unknown"], ["none"] * 20 + ["1"]],
    ids=["one in three", "one in nine", "words alone", "hardly a number"],
)
def test_what_is_no_column_of_numbers(texts):
    assert not numbers_of(pd.Series(texts)).are_most


def test_what_commas_are_is_told_by_other_numbers_or_said():
    commas = pd.Series(["1,234", "2,345"])
    assert numbers_of(commas).values.tolist() == [1234, 2345]
    assert numbers_of(commas, decimal=",").values.tolist() == [1.234, 2.345]
    assert numbers_of(pd.Series(["1,234", "2,345.5"]), decimal=",").values.tolist() == [1234, 2345.5]


def test_examples_come_with_their_counts():
    odd = ["-"] * 3 + ["*"] * 2 + ["a", "b"]
    assert numbers_of(pd.Series(["1"] * 90 + odd)).examples() == (
        "'-' in 3 rows, '*' in 2 rows, 'a' in 1 row, and 1 more such texts"
    )
