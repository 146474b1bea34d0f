"""A recurrent layer that looks at another series: its formula, beside PyTorch's cell, and that samples do not mix."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import AttentiveRecurrent, Dense, Network, Sequences, value_and_grad

LENGTHS, KEYS = [3, 1, 5, 2], [4, 6, 1, 3]
LAYER = AttentiveRecurrent(4, memory_width=3)


def built(*layers, channels: int = 2) -> Network:
    network = Network(layers, (None, channels), np.random.RandomState(0), "float64")
    network.theta[:] = np.random.default_rng(2).standard_normal(network.n_parameters)
    return network


def drawn(lengths, channels: int, seed: int = 1) -> Sequences:
    return Sequences(np.random.default_rng(seed).standard_normal((sum(lengths), channels)), lengths)


def by_the_formula(params, x, memory):
    """States, what is seen, and the weights, of one sample."""
    cell, bias = params["cell"], params["cell"]["bias"]
    keys = memory @ params["k"]["weight"] + params["k"]["bias"]
    h, c = np.zeros(4), np.zeros(3)
    for step in x:
        of_inputs = np.concatenate([step, c]) @ cell["weight"] + bias[:12]
        of_states = h @ cell["recurrent_weight"]
        r, z = np.split(expit((of_inputs + of_states)[:8]), 2)
        n = np.tanh(of_inputs[8:] + r * (of_states[8:] + bias[12:]))
        h = (1.0 - z) * n + z * h
        weights = softmax(np.tanh(h @ params["q"]["weight"] + keys) @ params["energy"])
        c = weights @ memory
        yield h, c, weights


def test_the_formula_and_the_weights_on_request():
    network, x, memory = built(LAYER), drawn(LENGTHS, 2), drawn(KEYS, 3, seed=5)
    asked: list = []
    y = network(x, memory=memory, attention_weights=asked)
    for found, weights, *sample in zip(y, asked[0], x, memory, strict=True):
        h, c, expected = map(np.stack, zip(*by_the_formula(network.parameters["0"], *sample), strict=True))
        assert_allclose(found, np.concatenate([h, c], axis=1), rtol=0, atol=1e-12)
        assert_allclose(weights, expected[None], rtol=0, atol=1e-12)


def test_values_and_gradients_beside_a_cell_of_pytorch():
    torch = pytest.importorskip("torch")
    network, x, memory = built(LAYER), drawn(LENGTHS, 2), drawn(KEYS, 3, seed=5)
    own = network.parameters["0"]
    cell, query, key = (
        torch.nn.GRUCell(5, 4, dtype=torch.float64),
        torch.nn.Linear(4, 4, bias=False, dtype=torch.float64),
        torch.nn.Linear(3, 4, dtype=torch.float64),
    )
    energy = torch.tensor(own["energy"], requires_grad=True)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor(own["cell"]["weight"].T))
        cell.weight_hh.copy_(torch.tensor(own["cell"]["recurrent_weight"].T))
        cell.bias_ih.copy_(torch.tensor(own["cell"]["bias"][:12]))
        cell.bias_hh.zero_()
        cell.bias_hh[8:].copy_(torch.tensor(own["cell"]["bias"][12:]))
        query.weight.copy_(torch.tensor(own["q"]["weight"].T))
        key.weight.copy_(torch.tensor(own["k"]["weight"].T))
        key.bias.copy_(torch.tensor(own["k"]["bias"]))
    steps, looked_at = (torch.tensor(each.values, requires_grad=True) for each in (x, memory))
    there = []
    for sample, m in zip(steps.split(LENGTHS), looked_at.split(KEYS), strict=True):
        h, c = torch.zeros(4, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        for step in sample:
            h = cell(torch.cat([step, c])[None], h[None])[0]
            c = ((query(h) + key(m)).tanh() @ energy).softmax(0) @ m
            there.append(torch.cat([h, c]))
    there = torch.stack(there)
    seed = np.random.default_rng(3).standard_normal(there.shape)
    (there * torch.tensor(seed)).sum().backward()

    leaves = Tensor(x.values), Tensor(memory.values)
    y = network(x.like(leaves[0]), memory=memory.like(leaves[1])).values
    assert_allclose(y.value, there.detach(), rtol=0, atol=1e-10)
    for found, expected in zip(grad(y, leaves, seed=seed), (steps.grad, looked_at.grad), strict=True):
        assert_allclose(found, expected, rtol=0, atol=1e-10)
    value_and_grad(lambda net: F.sum(net(x, memory=memory).values * seed), [network])
    expected_of = {
        "cell.weight": cell.weight_ih.grad.T,
        "cell.recurrent_weight": cell.weight_hh.grad.T,
        "cell.bias": torch.cat([cell.bias_ih.grad, cell.bias_hh.grad[8:]]),
        "q.weight": query.weight.grad.T,
        "k.weight": key.weight.grad.T,
        "k.bias": key.bias.grad,
        "energy": energy.grad,
    }
    assert {f"0.{name}" for name in expected_of} == set(network.names)
    for name, expected in expected_of.items():
        place = network.names[f"0.{name}"]
        found = network.grad[place.start : place.stop].reshape(place.shape)
        assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_gradients_by_the_parameters_of_encoder_and_decoder(check_parameters):
    encoder, decoder = built(Dense(3, activation="tanh"), channels=5), built(LAYER, Dense(2))

    def loss(encoder, decoder, x, y):
        return F.sum(F.square(decoder(y, memory=encoder(x)).values))

    check_parameters(loss, [encoder, decoder], drawn(KEYS, 5, seed=5), drawn(LENGTHS, 2))


def test_samples_know_nothing_of_each_other_and_come_in_any_order():
    network, x, memory = built(LAYER), drawn(LENGTHS, 2), drawn(KEYS, 3, seed=5)
    y = network(x, memory=memory)
    for others, looked_at in (
        (x.like(x.values + (x.sample == 2)[:, None]), memory),
        (x, memory.like(memory.values + (memory.sample == 2)[:, None])),
    ):
        for k, (one, other) in enumerate(zip(y, network(others, memory=looked_at), strict=True)):
            assert (one == other).all() == (k != 2)
    order = [2, 0, 3, 1]
    assert_allclose(network(x[order], memory=memory[order]).values, y[order].values, rtol=0, atol=1e-13)


def test_what_was_seen_goes_into_the_next_step():
    network, x, memory = built(LAYER), np.zeros((1, 3, 2)), np.random.default_rng(0).standard_normal((1, 4, 3))
    before, after = network(x, memory=memory), network(x, memory=memory + 1.0)
    assert_array_equal(before[:, 0, :4], after[:, 0, :4])
    assert (before[:, 1:, :4] != after[:, 1:, :4]).all()


def test_keys_of_other_samples():
    with pytest.raises(ValueError, match="there are queries of 2 samples, but keys of 3"):
        built(LAYER)(np.ones((2, 3, 2)), memory=np.ones((3, 4, 3)))
    with pytest.raises(ValueError, match=r"memory=None: AttentiveRecurrent\(4, memory_width=3\) looks at another"):
        built(LAYER)(np.ones((2, 3, 2)))


def test_how_it_is_told():
    assert LAYER.caption((None, 2)) == "GRU\nwith attention"
    assert built(LAYER).output_shape == (None, 7)
