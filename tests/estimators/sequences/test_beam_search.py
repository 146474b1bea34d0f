"""Beam search against all sequences there are."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_softmax

from sknn.estimators.sequences.beam_search import beam_search

END, MAX_LENGTH = 3, 4


class Table:
    """Log-probabilities of what follows, drawn for every beginning of every sample."""

    def __init__(self, samples, beginnings=None):
        self.samples, self.beginnings = samples, beginnings or [()] * len(samples)

    def __call__(self, tokens):
        pairs = zip(self.beginnings, tokens.tolist(), strict=True)
        self.beginnings = [(*before, token) for before, token in pairs]
        rows = zip(self.samples, self.beginnings, strict=True)
        return np.array([self.log_p(sample, before[1:]) for sample, before in rows])

    def take(self, rows):
        return Table([self.samples[k] for k in rows], [self.beginnings[k] for k in rows])

    @staticmethod
    def log_p(sample, before):
        rng = np.random.default_rng([sample, len(before), *before])
        return log_softmax(1.5 * rng.normal(size=END + 1))


def log_p_of(sample, tokens):
    whole = [*tokens, END]
    return sum(Table.log_p(sample, tuple(whole[:k]))[token] for k, token in enumerate(whole))


def all_sequences(sample):
    """From the best to the worst."""
    found = [(log_p_of(sample, t), list(t)) for n in range(MAX_LENGTH + 1) for t in product(range(END), repeat=n)]
    return sorted(found, reverse=True)


SAMPLES = list(range(8))
WIDE = (END + 1) ** (MAX_LENGTH + 1)


def search(samples, **options):
    return beam_search(Table(samples), len(samples), END, MAX_LENGTH, **options)


def test_the_widest_beam_finds_the_most_probable_sequences():
    for sample, found in zip(SAMPLES, search(SAMPLES, beam_size=WIDE), strict=True):
        expected = all_sequences(sample)
        assert [each.tokens for each in found] == [tokens for _, tokens in expected]
        assert_allclose([each.log_probability for each in found], [log_p for log_p, _ in expected], rtol=1e-12)


def test_a_beam_of_one_is_greedy():
    for sample, (found,) in zip(SAMPLES, search(SAMPLES), strict=True):
        tokens = []
        while len(tokens) < MAX_LENGTH and (best := int(Table.log_p(sample, tuple(tokens)).argmax())) != END:
            tokens.append(best)
        assert found.tokens == tokens
        assert_allclose(found.log_probability, log_p_of(sample, tokens), rtol=1e-12)


@pytest.mark.parametrize("beam_size", [1, 2, 5])
def test_samples_side_by_side_are_as_each_alone(beam_size):
    together = search(SAMPLES, beam_size=beam_size)
    assert together == [search([sample], beam_size=beam_size)[0] for sample in SAMPLES]
    assert all(1 <= len(found) <= beam_size for found in together)


def test_a_wider_beam_finds_nothing_worse_here_and_probabilities_are_those_of_the_sequences():
    for sample, narrow, wide in zip(SAMPLES, search(SAMPLES), search(SAMPLES, beam_size=20), strict=True):
        assert wide[0].log_probability >= narrow[0].log_probability
        assert all(np.isclose(log_p_of(sample, each.tokens), each.log_probability) for each in wide)


@pytest.mark.parametrize("penalty", [0.5, 1.0, 2.0])
def test_a_length_penalty_ranks_by_the_mean(penalty):
    for sample, found in zip(SAMPLES, search(SAMPLES, beam_size=WIDE, length_penalty=penalty), strict=True):
        best = max(all_sequences(sample), key=lambda each: each[0] / (len(each[1]) + 1) ** penalty)
        assert found[0].tokens == best[1]
    assert search([0], beam_size=WIDE, length_penalty=0.0)[0][0].score == all_sequences(0)[0][0]
