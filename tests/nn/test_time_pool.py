"""TimePool: each kind against NumPy on each sample."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknn.nn import Network, Sequences, TimePool

LENGTHS = np.array([4, 1, 6])
W = np.random.default_rng(1).standard_normal((3, 1))


def weighted(x):
    share = np.exp(x @ W)
    return (share * x).sum(0) / share.sum()


KINDS = {
    "last": lambda x: x[-1],
    "mean": lambda x: x.mean(0),
    "max": lambda x: x.max(0),
    "mean_max": lambda x: np.concatenate([x.mean(0), x.max(0)]),
    "attention": weighted,
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind):
    x = Sequences(np.random.default_rng(0).standard_normal((11, 3)), LENGTHS)
    network = Network([TimePool(kind)], (None, 3), np.random.RandomState(0), "float64")
    if kind == "attention":
        assert_allclose(network(x), [sample.mean(0) for sample in x], rtol=1e-12)  # as long as nothing is learned
        network.parameters["0"]["weight"][:] = W
    expected = [KINDS[kind](sample) for sample in x]
    assert_allclose(network(x), expected, rtol=1e-12)
    grid = np.random.default_rng(2).standard_normal((2, 5, 3))
    assert_allclose(network(grid), [KINDS[kind](sample) for sample in grid], rtol=1e-12)
    assert network.output_shape == np.shape(expected[0])


@pytest.mark.parametrize("kind", ["mean", "max", "mean_max", "attention"])
def test_the_order_of_steps_does_not_matter(kind):
    network = Network([TimePool(kind)], (None, 3), np.random.RandomState(0), "float64")
    x = np.random.default_rng(2).standard_normal((2, 5, 3))
    assert_allclose(network(x[:, ::-1]), network(x), rtol=1e-12)
