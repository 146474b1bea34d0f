"""Flows by name: how their couplings part the values."""

import pytest

from sknn.nn.flow_kinds import parted


@pytest.mark.parametrize("n", [2, 3, 5, 8, 10])
def test_any_two_values_are_parted_by_some_coupling(n):
    turns = [parted(n, turn) for turn in range(2 * (n - 1).bit_length())]
    assert all(sorted((*stay, *move)) == list(range(n)) for stay, move in turns)
    assert {(i, j) for stay, move in turns for i in stay for j in move} == {
        (i, j) for i in range(n) for j in range(n) if i != j
    }
