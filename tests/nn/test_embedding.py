"""Embedding: vectors of tokens, in every form in which tokens come; its gradient, and what is no token."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import sknn.nn
from sknn.autodiff import primitives as F
from sknn.nn import Dense, Embedding, Network, Sequences, value_and_grad

TOKENS = np.random.default_rng(0).integers(0, 5, (4, 3))


def built(shape=(None,), dtype="float64") -> Network:
    return Network([Embedding(5, 2), Dense(3, activation="tanh")], shape, np.random.default_rng(0), dtype)


def test_each_form_of_tokens_gives_the_same():
    expected = built()(TOKENS)
    assert expected.shape == (4, 3, 3)
    assert built((3,)).output_shape == (3, 3)
    assert built((None, 1)).output_shape == (None, 3)
    assert built(()).output_shape == (3,)
    assert_array_equal(built((3, 1))(TOKENS[..., None].astype("float32")), expected)
    assert_array_equal(built(())(TOKENS.ravel()).reshape(4, 3, 3), expected)
    for rows in (TOKENS.ravel(), TOKENS.reshape(-1, 1).astype(float)):
        assert_array_equal(built()(Sequences(rows, [3] * 4)).values.reshape(4, 3, 3), expected)


def test_gradient(check_parameters):
    check_parameters(lambda net, x: F.sum(F.square(1 + net(x))), [built()], TOKENS)


def test_float32_stays_float32():
    network = built(dtype="float32")
    value_and_grad(lambda net: F.sum(net(TOKENS)), [network])
    assert {network(TOKENS).dtype, network.grad.dtype} == {np.dtype("float32")}


def test_initial_values_have_the_spread_that_is_asked_for():
    for gain in (1.0, 0.02):
        weight = Network([Embedding(1000, 50, gain=gain)], (None,), np.random.default_rng(0)).theta
        assert_allclose([weight.mean() / gain, weight.std()], [0, gain], atol=0.02)


def test_it_is_a_description():
    layer = Embedding(5, 2, gain=0.5)
    for same in (replace(layer), pickle.loads(pickle.dumps(layer)), eval(repr(layer), vars(sknn.nn))):
        assert same == layer


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([[0.5]]), "tokens must be whole numbers; got 0.5. Inputs must not be scaled"),
        (np.array([[5]]), "tokens must be numbers from 0 to n_tokens - 1 = 4; got 5"),
        (np.array([[-1.0]]), "got -1"),
    ],
)
def test_what_is_no_token(x, message):
    with pytest.raises(ValueError, match=message):
        built()(x)
