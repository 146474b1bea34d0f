"""Recurrent layers beside PyTorch's, and piece by piece."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import GRU, LSTM, RNN, Conv, Dense, Network, Recurrent, Sequences, value_and_grad
from sknn.nn.cache import Cache
from sknn.nn.summary import describe

LENGTHS = [5, 9, 1, 4]
each_cell = pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])


def built(*layers, channels: int = 3, dtype: str = "float64") -> Network:
    return Network(layers, (None, channels), np.random.RandomState(0), dtype)


def series(lengths=LENGTHS, channels: int = 3, seed: int = 1) -> Sequences:
    return Sequences(np.random.default_rng(seed).standard_normal((sum(lengths), channels)), lengths)


# -- beside PyTorch ------------------------------------------------------------------------------------------------


def waves(network: Network) -> tuple[Network, Sequences]:
    """The network with parameters, and series, that need no generator."""
    network.theta[:] = np.sin(np.arange(network.n_parameters)) * 0.6
    return network, Sequences(np.cos(np.arange(3.0 * sum(LENGTHS))).reshape(-1, 3), LENGTHS)


def in_torch(torch, network: Network, cell: str, depth: int, both: bool):
    """The same network in PyTorch, where the biases of the states are 0 but for the one in n of a GRU."""
    kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}[cell]
    twin = kind(3, 2, num_layers=depth, bidirectional=both, batch_first=True).double()
    with torch.no_grad():
        for layer in range(depth):
            for suffix, params in _ways(network.parameters[str(layer)], both):
                name = f"l{layer}{suffix}"
                n_inputs = params["recurrent_weight"].shape[1]
                getattr(twin, f"weight_ih_{name}")[:] = torch.from_numpy(params["weight"].T.copy())
                getattr(twin, f"weight_hh_{name}")[:] = torch.from_numpy(params["recurrent_weight"].T.copy())
                getattr(twin, f"bias_ih_{name}")[:] = torch.from_numpy(params["bias"][:n_inputs])
                inner = getattr(twin, f"bias_hh_{name}")
                inner[:] = 0.0
                if cell == "gru":
                    inner[-2:] = torch.from_numpy(params["bias"][n_inputs:])
    return twin


def _ways(params: dict, both: bool):
    return [("", params), ("_reverse", params.get("back", {}))][: 1 + both]


@each_cell
@pytest.mark.parametrize("both", [False, True], ids=["forth", "both ways"])
@pytest.mark.parametrize("depth", [1, 2])
def test_values_states_and_gradients_beside_pytorch(cell, both, depth):
    torch = pytest.importorskip("torch")
    rnn = torch.nn.utils.rnn

    layers = [Recurrent(2, cell, bidirectional=both) for _ in range(depth)]
    network, x = built(*layers), series()
    network.theta[:] = np.random.default_rng(2).standard_normal(network.n_parameters)
    twin = in_torch(torch, network, cell, depth, both)

    padded = torch.zeros(len(x), 9, 3, dtype=torch.float64)
    for k, sample in enumerate(x):
        padded[k, : len(sample)] = torch.from_numpy(sample)
    padded.requires_grad_(True)
    packed = rnn.pack_padded_sequence(padded, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False)
    output, state = twin(packed)
    there = rnn.pad_packed_sequence(output, batch_first=True)[0]
    there = torch.cat([there[k, :n] for k, n in enumerate(LENGTHS)])
    seed = np.random.default_rng(3).standard_normal(there.shape)
    (there * torch.from_numpy(seed)).sum().backward()

    leaf = Tensor(x.values)
    y = network(x.like(leaf)).values
    assert_allclose(y.value, there.detach().numpy(), rtol=0, atol=1e-10)
    of_x = torch.cat([padded.grad[k, :n] for k, n in enumerate(LENGTHS)]).numpy()
    assert_allclose(grad(y, leaf, seed=seed), of_x, rtol=0, atol=1e-10)

    value_and_grad(lambda net: F.sum(net(x).values * seed), [network])
    for layer in range(depth):
        for suffix, params in _ways(_nested(network, network.grad)[str(layer)], both):
            name = f"l{layer}{suffix}"
            assert_allclose(params["weight"].T, getattr(twin, f"weight_ih_{name}").grad, rtol=0, atol=1e-10)
            assert_allclose(params["recurrent_weight"].T, getattr(twin, f"weight_hh_{name}").grad, rtol=0, atol=1e-10)
            bias_ih, bias_hh = (getattr(twin, f"bias_{kind}_{name}").grad for kind in ("ih", "hh"))
            assert_allclose(params["bias"][: len(bias_ih)], bias_ih, rtol=0, atol=1e-10)
            if cell == "gru":
                assert_allclose(params["bias"][-2:], bias_hh[-2:], rtol=0, atol=1e-10)

    last = built(*layers[:-1], Recurrent(2, cell, bidirectional=both, sequences=False))
    last.theta[:] = network.theta
    h = state[0] if cell == "lstm" else state
    assert_allclose(last(x), torch.cat(list(h[-1 - both :]), dim=1).detach(), rtol=0, atol=1e-10)
    if not both:
        cache = Cache()
        cache.begin()
        network(x, cache=cache)
        cache.begin()
        kept = [cache.slot()["state"] for _ in range(depth)][-1]
        expected = [each[-1] for each in state] if cell == "lstm" else [state[-1]]
        assert_allclose(kept, torch.cat(expected, dim=1).detach(), rtol=0, atol=1e-10)


def _nested(network: Network, vector: np.ndarray) -> dict:
    """Parts of a vector like theta, nested as the parameters are."""
    found: dict = {}
    for name, place in network.names.items():
        *path, own = name.split(".")
        inside = found
        for part in path:
            inside = inside.setdefault(part, {})
        inside[own] = vector[place.start : place.stop].reshape(place.shape)
    return found


# What torch.nn.GRU, LSTM and RNN (2.13) of two layers, both ways, make of `waves`: the outputs at positions 4 and 13,
# and how large the gradients of the sum of squares of all outputs by the weights of states are, summed up.
OF_PYTORCH = {
    "gru": (
        [0.4627272096300844, 0.5516794136605401, -0.061794953091573734, -0.1977913988305502],
        [0.4369084877450497, 0.5616476864448982, -0.06649367882950306, -0.2022130723678462],
        [2.9804272728832664, 10.580280866075828, 11.31602843612742, 3.4890281815921673],
    ),
    "lstm": (
        [0.20343119910581048, 0.1246084384626433, -0.028629634916331012, -0.1795655050684693],
        [0.18527231185197543, 0.10689294691185829, -0.03828501499671869, -0.12605488445040908],
        [0.6765702063083503, 0.450916833492393, 0.765546460918971, 1.6777654830169915],
    ),
    "rnn": (
        [-0.0886316438088647, -0.4822101272447769, 0.2172907866843691, 0.4227638283667141],
        [-0.6913132200070948, -0.8742367091601739, 0.01996751573868848, -0.09786086861075508],
        [13.426117886152102, 11.375223166107444, 6.758907626636649, 10.7147863102839],
    ),
}


@each_cell
def test_the_numbers_of_pytorch(cell):
    network, x = waves(built(*(Recurrent(2, cell, bidirectional=True) for _ in range(2))))
    at_4, at_13, sizes = OF_PYTORCH[cell]
    assert_allclose(network(x).values[[4, 13]], [at_4, at_13], rtol=1e-10)
    value_and_grad(lambda net: F.sum(F.square(net(x).values)), [network])
    found = [np.abs(params["recurrent_weight"]).sum() for layer in "01" for _, params in _of(network, layer)]
    assert_allclose(found, sizes, rtol=1e-9)


def _of(network: Network, layer: str):
    return _ways(_nested(network, network.grad)[layer], both=True)


# -- piece by piece ------------------------------------------------------------------------------------------------


@each_cell
def test_step_by_step_as_all_at_once(cell):
    network = built(Recurrent(4, cell), Dense(3, activation="tanh"), Recurrent(5, cell), Dense(2))
    x = np.random.default_rng(1).standard_normal((6, 7, 3))
    cache, found = Cache(), []
    for t in range(7):
        cache.begin()
        found.append(network(x[:, t : t + 1], cache=cache))
    assert_allclose(np.concatenate(found, axis=1), network(x), rtol=1e-12, atol=1e-14)


@each_cell
def test_a_network_that_goes_on_from_the_states_of_another_passes_gradients_to_it(cell, check_parameters):
    coder, decoder = built(Recurrent(4, cell, sequences=False)), built(Recurrent(4, cell), Dense(1))

    def loss(coder, decoder, x, y):
        cache = Cache()
        cache.begin()
        coder(x, cache=cache)
        cache.begin()
        return F.sum(F.square(decoder(y, cache=cache).values))

    check_parameters(loss, [coder, decoder], series(), series([3, 2, 4, 1], seed=5))


def test_a_cache_and_both_ways():
    cache = Cache()
    cache.begin()
    with pytest.raises(ValueError, match=r"Recurrent\(2, bidirectional=True\) reads series from their ends too"):
        built(GRU(2, bidirectional=True))(series(), cache=cache)


# -- what it is ----------------------------------------------------------------------------------------------------


@each_cell
def test_reversed_series_with_the_cells_swapped_give_reversed_states(cell):
    network, swapped = (built(Recurrent(4, cell, bidirectional=True)) for _ in range(2))
    for name in ("weight", "recurrent_weight", "bias"):
        swapped.parameters["0"][name][...] = network.parameters["0"]["back"][name]
        swapped.parameters["0"]["back"][name][...] = network.parameters["0"][name]
    x = np.random.default_rng(1).standard_normal((6, 7, 3))
    expected = network(x)[:, ::-1]
    assert_allclose(swapped(x[:, ::-1]), np.roll(expected, 4, axis=-1), rtol=1e-12, atol=1e-14)


def test_initial_weights_of_states_are_orthogonal_gate_by_gate_and_cells_are_kept():
    params = built(LSTM(4)).parameters["0"]
    for gate in np.split(params["recurrent_weight"], 4, axis=1):
        assert_allclose(gate.T @ gate, np.eye(4), atol=1e-12)
    assert np.abs(params["weight"]).max() <= np.sqrt(6 / (3 + 4))
    assert_array_equal(params["bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 4))
    assert built(GRU(4)).parameters["0"]["bias"].shape == (16,)


def test_short_names():
    assert LSTM(3, sequences=False) == Recurrent(3, "lstm", sequences=False)
    assert GRU(3, bidirectional=True) == Recurrent(3, "gru", bidirectional=True)
    assert repr(RNN(3)) == "Recurrent(3, cell='rnn')"


def test_how_it_is_told():
    network = Network([Conv(4), GRU(5, bidirectional=True), Dense(2)], (9, 3), np.random.RandomState(0))
    rows = describe(network)
    assert [row.layer for row in rows] == ["Conv(4)", "Recurrent(5, bidirectional=True)", "Dense(2)"]
    assert [row.receptive_field for row in rows] == [(3,), (9,), (9,)]
    assert rows[1].n_weights == 2 * (4 + 5) * 15
    assert network.layers[1].caption((9, 4)) == "GRU\nboth ways"
    assert LSTM(2).caption((9, 4)) == "LSTM"
