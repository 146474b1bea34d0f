"""Attention as layers: what steps see of each other, beside PyTorch's modules, and piece by piece with a cache."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sknn import NetworkClassifier
from sknn.autodiff import Tensor, grad
from sknn.autodiff import primitives as F
from sknn.nn import (
    Attention,
    AttentiveRecurrent,
    Conv,
    CrossAttention,
    DecoderBlock,
    Dense,
    Draws,
    Embedding,
    Layer,
    LayerNorm,
    Network,
    Patches,
    Positions,
    Sequences,
    TimePool,
    TransformerBlock,
    value_and_grad,
)
from sknn.nn.cache import Cache
from sknn.nn.summary import describe

LENGTHS = np.array([5, 2, 7, 5])


def built(*layers: Layer, shape=(None, 8), dtype="float64") -> Network:
    network = Network(layers, shape, np.random.RandomState(0), dtype)
    network.theta[:] += 0.1 * np.random.RandomState(1).standard_normal(len(network.theta))  # biases too
    return network


def drawn(lengths=LENGTHS, width=8, seed=1) -> Sequences:
    return Sequences(np.random.default_rng(seed).standard_normal((np.sum(lengths), width)), lengths)


# -- what steps see ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [Attention(2), TransformerBlock(2, feedforward=2)])
def test_without_positions_steps_may_come_in_any_order(layer):
    network, x = built(layer), np.random.default_rng(0).standard_normal((3, 6, 8))
    order = np.random.default_rng(1).permutation(6)
    assert_allclose(network(x[:, order]), network(x)[:, order], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("first", [Positions(), Positions("learned", length=6, gain=1.0)])
def test_with_positions_their_order_counts(first):
    network, x = built(first, Attention(2)), np.random.default_rng(0).standard_normal((3, 6, 8))
    assert np.abs(network(x[:, ::-1])[:, ::-1] - network(x)).max() > 0.01


def test_turned_queries_and_keys_know_how_far_steps_are_apart_alone():
    network, x = built(Attention(2, rotary=True)), np.random.default_rng(0).standard_normal((1, 6, 8))
    assert np.abs(network(x[:, ::-1])[:, ::-1] - network(x)).max() > 0.01
    cache = Cache()
    cache.begin()
    cache.slot()["n_steps"] = np.array([100])  # so that all steps are counted from there
    cache._slots[0]["kv"] = np.zeros((1, 100, 16))
    keys = []
    for begun in (None, cache):
        weights: list = []
        if begun is not None:
            begun.begin()
        network(x, attention_weights=weights, **({} if begun is None else {"cache": begun}))
        own = weights[0][0][..., -6:]
        keys.append(own / own.sum(axis=-1, keepdims=True))
    assert_allclose(keys[1], keys[0], rtol=1e-10)


CAUSAL = {
    "Attention": [Attention(2, causal=True)],
    "turned": [Attention(2, causal=True, rotary=True)],
    "blocks": [
        Positions(),
        TransformerBlock(2, causal=True),
        TransformerBlock(4, causal=True, rotary=True),
        LayerNorm(),
    ],
}


@pytest.mark.parametrize("layers", CAUSAL.values(), ids=CAUSAL)
def test_no_step_sees_a_later_one(layers):
    network, x = built(*layers), np.random.default_rng(0).standard_normal((2, 9, 8))
    before = network(x)
    for t in (1, 4, 8):
        other = x.copy()
        other[:, t] += 1
        after = network(other)
        assert_array_equal(after[:, :t], before[:, :t])
        assert (after[:, t:] != before[:, t:]).any()
        leaf = Tensor(x)
        assert_array_equal(grad(F.sum(F.square(network(leaf)[:, :t])), leaf)[:, t:], 0)


@pytest.mark.parametrize("layer", [Attention(2), TransformerBlock(2), Attention(4, causal=True, rotary=True)])
def test_rows_and_grids_agree(layer):
    network, x = built(layer), np.random.default_rng(0).standard_normal((3, 6, 8))
    assert_array_equal(np.stack(list(network(Sequences.of(x)))), network(x))


def test_a_step_sees_the_whole_series():
    rows = describe(built(Conv(8), Attention(2), Conv(8), shape=(9, 8)))
    assert [row.receptive_field for row in rows] == [(3,), (9,), (9,)]
    assert describe(built(TransformerBlock(2)))[0].receptive_field == (None,)


# -- across --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "layer", [layer(2, memory_width=3) for layer in (CrossAttention, DecoderBlock, AttentiveRecurrent)]
)
def test_each_sample_looks_at_its_own_memory(layer):
    network, x, memory = built(layer), drawn(), drawn([3, 6, 1, 4], 3, seed=2)
    together = network(x, memory=memory)
    for found, sample, own in zip(together, x, memory, strict=True):
        assert_allclose(found, network(sample[None], memory=own[None])[0], rtol=1e-12, atol=1e-13)
    others = memory.like(memory.values + (memory.sample == 1)[:, None])
    for k, (one, other) in enumerate(zip(together, network(x, memory=others), strict=True)):
        assert (one == other).all() == (k != 1)


def test_gradients_pass_into_the_memory():
    encoder, decoder = built(Dense(8, activation="tanh"), shape=(None, 3)), built(CrossAttention(2))
    x, y = drawn([3, 6, 1, 4], 3), drawn()

    def objective(encoder, decoder):
        return F.sum(F.square(decoder(y, memory=encoder(x)).values))

    gradient = value_and_grad(objective, [encoder, decoder])[1][0].copy()
    step = 1e-6 * np.random.default_rng(0).standard_normal(len(encoder.theta))
    encoder.theta += step
    above = value_and_grad(objective, [encoder, decoder])[0]
    encoder.theta -= 2 * step
    assert_allclose(gradient @ step, (above - value_and_grad(objective, [encoder, decoder])[0]) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        (
            None,
            r"memory=None: CrossAttention\(n_heads=2\) looks at another series; call network\(x, memory=encoder\(x\)\)",
        ),
        (
            np.ones((2, 3, 5)),
            r"memory must be series of 8 channels for CrossAttention\(n_heads=2\); its shape is \(2, 3, 5\)",
        ),
        (np.ones((2, 8)), r"its shape is \(2, 8\)"),
        (np.ones((3, 4, 8)), "there are queries of 2 samples, but keys of 3"),
    ],
)
def test_a_memory_that_is_none(memory, message):
    with pytest.raises(ValueError, match=message):
        built(CrossAttention(2))(np.ones((2, 3, 8)), **({} if memory is None else {"memory": memory}))


# -- dropout and weights -------------------------------------------------------------------------------------------


def test_dropout_needs_draws_and_repeats_with_them():
    network, x = built(Attention(2, dropout=0.5)), drawn()
    with pytest.raises(ValueError, match="draws=None: Attention drops weights in training"):
        network(x, training=True)
    once, again, other = (network(x, training=True, draws=Draws(seed)).values for seed in (0, 0, 1))
    assert_array_equal(once, again)
    assert (once != other).any()
    assert_array_equal(network(x).values, built(Attention(2))(x).values)


def test_weights_on_request():
    network = built(TransformerBlock(2), TransformerBlock(4, causal=True))
    for x in (drawn(), np.random.default_rng(0).standard_normal((3, 6, 8))):
        asked: list = []
        y = network(x, attention_weights=asked)
        assert [len(each) for each in asked] == [len(x), len(x)]
        for layer, n_heads in zip(asked, (2, 4), strict=True):
            for weights, sample in zip(layer, x, strict=True):
                assert weights.shape == (n_heads, len(sample), len(sample))
                assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)
        without = network(x)
        assert_array_equal(*(each.values if isinstance(each, Sequences) else each for each in (y, without)))


# -- piece by piece ------------------------------------------------------------------------------------------------

DECODERS = {
    "sinusoidal": [Embedding(7, 8), Positions(), TransformerBlock(2, causal=True), TransformerBlock(4, causal=True)],
    "learned": [Embedding(7, 8), Positions("learned", length=40, gain=1.0), TransformerBlock(2, causal=True)],
    "turned": [Embedding(7, 8), TransformerBlock(2, causal=True, rotary=True), Attention(1, causal=True, rotary=True)],
    "decoder": [Embedding(7, 8), Positions(), DecoderBlock(2, memory_width=3), DecoderBlock(4, memory_width=3)],
    "recurrent": [Embedding(7, 8), AttentiveRecurrent(4, memory_width=3), AttentiveRecurrent(3, memory_width=3)],
}
each_decoder = pytest.mark.parametrize("name", DECODERS)
MEMORY = drawn([3, 6, 1], 3, seed=5)


def tokens(lengths) -> Sequences:
    return Sequences(np.random.default_rng(3).integers(0, 7, np.sum(lengths)), lengths)


def in_pieces(network: Network, x: Sequences, cuts: list[int], **given) -> list[np.ndarray]:
    """The outputs for each sample, of which so many steps come at a time; what is left of the shorter ones last."""
    cache, found = Cache(), [[] for _ in x]
    begun = np.zeros(len(x), int)
    for cut in cuts:
        cache.begin()
        here = np.minimum(x.lengths - begun, cut)
        rows = [sample[start : start + n] for sample, start, n in zip(x, begun, here, strict=True)]
        y = network(Sequences.of(rows), cache=cache, **given)
        for one, other in zip(found, y, strict=True):
            one.append(other)
        begun += here
    return [np.concatenate(each) for each in found]


@each_decoder
@pytest.mark.parametrize("cuts", [[1] * 33, [5, 1, 20, 1, 6], [33]])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_step_by_step_as_in_one_pass(name, cuts, dtype, tolerance):
    network, x = built(*DECODERS[name], shape=(None,), dtype=dtype), tokens([33, 33, 33])
    given = {"memory": MEMORY.astype(dtype)}
    for found, whole in zip(in_pieces(network, x, cuts, **given), network(x, **given), strict=True):
        assert_allclose(found, whole, rtol=0, atol=tolerance * np.abs(whole).max())


@each_decoder
def test_prefixes_of_different_lengths_go_on_together(name):
    network, x = built(*DECODERS[name], shape=(None,)), tokens([4, 1, 7])
    cache = Cache()
    cache.begin()
    network(x, cache=cache, memory=MEMORY)
    cache.begin()
    added = np.array([[2, 3], [0, 6], [5, 5]])
    found = network(added, cache=cache, memory=MEMORY)
    longer = Sequences.of([np.concatenate([sample, more]) for sample, more in zip(x, added, strict=True)])
    for one, whole in zip(found, network(longer, memory=MEMORY), strict=True):
        assert_allclose(one, whole[-2:], rtol=0, atol=1e-12)


@each_decoder
def test_what_is_kept_of_some_samples_goes_on_for_them(name):
    network, x = built(*DECODERS[name], shape=(None,)), tokens([4, 1, 7])
    cache, order = Cache(), [2, 0, 0]
    cache.begin()
    network(x, cache=cache, memory=MEMORY)
    beams = cache.take(order)
    beams.begin()
    added = np.array([[2], [0], [6]])
    found = network(added, cache=beams, memory=MEMORY[order])
    longer = Sequences.of([np.concatenate([x[k], more]) for k, more in zip(order, added, strict=True)])
    for one, whole in zip(found, network(longer, memory=MEMORY[order]), strict=True):
        assert_allclose(one, whole[-1:], rtol=0, atol=1e-12)


# -- beside PyTorch, with copied weights ---------------------------------------------------------------------------


def copied(params, attention) -> None:
    """Weights of a MultiheadAttention from those of Attention or CrossAttention."""
    import torch

    with torch.no_grad():
        joined = [params["qkv"]] if "qkv" in params else [params["q"], params["kv"]]
        weight, bias = (np.concatenate([each[name] for each in joined], axis=-1) for name in ("weight", "bias"))
        attention.in_proj_weight.copy_(torch.tensor(weight.T))
        attention.in_proj_bias.copy_(torch.tensor(bias))
        attention.out_proj.weight.copy_(torch.tensor(params["out"]["weight"].T))
        attention.out_proj.bias.copy_(torch.tensor(params["out"]["bias"]))


def padded(x: Sequences):
    """The samples with zeros behind them, and where these are."""
    import torch

    longest = x.lengths.max()
    grid = np.zeros((len(x), longest, x.values.shape[1]))
    grid[np.arange(longest) < x.lengths[:, None]] = x.values
    return torch.tensor(grid), torch.tensor(np.arange(longest) >= x.lengths[:, None])


def valid(x, like: Sequences) -> np.ndarray:
    return x.detach().numpy()[np.arange(like.lengths.max()) < like.lengths[:, None]]


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_pytorch_under_a_mask_of_padding(causal):
    torch = pytest.importorskip("torch")
    network, x = built(Attention(2, causal=causal)), drawn()
    there = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    copied(network.parameters["0"], there)
    grid, missing = padded(x)
    grid.requires_grad_()
    later = torch.ones(7, 7, dtype=torch.bool).triu(1) if causal else None
    expected, _ = there(grid, grid, grid, key_padding_mask=missing, attn_mask=later)
    assert_allclose(network(x).values, valid(expected, x), rtol=0, atol=1e-10)

    valid_steps = ~missing[..., None]
    (expected * valid_steps).square().sum().backward()
    leaf = Tensor(x.values)
    found = grad(F.sum(F.square(network(x.like(leaf)).values)), leaf)
    assert_allclose(found, valid(grid.grad, x), rtol=0, atol=1e-10)
    value_and_grad(lambda net: F.sum(F.square(net(x).values)), [network])
    place = network.names["0.qkv.weight"]
    assert_allclose(
        network.grad[place.start : place.stop].reshape(place.shape), there.in_proj_weight.grad.T, rtol=0, atol=1e-10
    )


def test_cross_attention_is_that_of_pytorch():
    torch = pytest.importorskip("torch")
    network, x, memory = built(CrossAttention(2)), drawn(), drawn([3, 6, 1, 4], seed=2)
    there = torch.nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    copied(network.parameters["0"], there)
    (queries, _), (keys, missing) = padded(x), padded(memory)
    expected, weights = there(queries, keys, keys, key_padding_mask=missing, average_attn_weights=False)
    asked: list = []
    found = network(x, memory=memory, attention_weights=asked)
    assert_allclose(found.values, valid(expected, x), rtol=0, atol=1e-10)
    for own, other in zip(asked[0], weights.detach().numpy(), strict=True):
        assert_allclose(own, other[:, : own.shape[1], : own.shape[2]], rtol=0, atol=1e-10)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_a_block_is_that_of_pytorch(activation):
    torch = pytest.importorskip("torch")
    network, x = built(TransformerBlock(2, feedforward=3, activation=activation)), drawn()
    there = torch.nn.TransformerEncoderLayer(
        8, 2, 24, 0.0, activation, batch_first=True, norm_first=True, dtype=torch.float64
    ).train()
    first, second = network.parameters["0"]["0"], network.parameters["0"]["1"]
    copied(first["1"], there.self_attn)
    with torch.no_grad():
        for norm, own in ((there.norm1, first["0"]), (there.norm2, second["0"])):
            norm.weight.copy_(torch.tensor(own["gain"]))
            norm.bias.copy_(torch.tensor(own["shift"]))
        for linear, own in ((there.linear1, second["1"]["up"]), (there.linear2, second["1"]["down"])):
            linear.weight.copy_(torch.tensor(own["weight"].T))
            linear.bias.copy_(torch.tensor(own["bias"]))
    grid, missing = padded(x)
    expected = there(grid, src_key_padding_mask=missing)
    assert_allclose(network(x).values, valid(expected, x), rtol=0, atol=1e-10)


def test_a_vision_transformer_is_that_of_pytorch_block_by_block():
    """Recorded: a Conv2d, waves of row and column, two ``TransformerEncoderLayer``, a LayerNorm, a mean, a Linear."""
    network = Network(
        [
            Patches((4, 2), 8),
            Positions(),
            *[TransformerBlock(2, feedforward=2)] * 2,
            LayerNorm(),
            TimePool("mean"),
            Dense(3),
        ],
        (8, 6, 2),
        np.random.RandomState(0),
        "float64",
    )
    network.theta[:] = 0.4 * np.sin(1.7 * np.arange(network.n_parameters) ** 1.1)
    x = np.cos(0.9 * np.arange(192) ** 1.05).reshape(2, 8, 6, 2)
    tokens = [
        [0.6611646189607, 1.100313471199, -0.5520680076357, 1.510620881012],
        [1.360180351351, 0.7604325065237, -0.6268079211264, 1.899819552956],
        [0.9894797991679, 1.186916112353, -1.009340360112, 2.157276142986],
    ]
    for n_layers, expected in enumerate(tokens, start=2):
        assert_allclose(network[:n_layers](x)[1, -1, -1, :4], expected, rtol=0, atol=1e-10)
    outputs = [
        [-0.324664749796, 0.008041769494396, 0.3056385536822],
        [-0.3727070732689, 0.06032342178224, 0.2703432216185],
    ]
    assert_allclose(network(x), outputs, rtol=0, atol=1e-10)
    _, [gradient] = value_and_grad(lambda net: F.sum(F.square(net(x))), [network])
    of_kernels = gradient[slice(*network.names["0.weight"][:2])].reshape(4, 2, 2, 8)
    assert_allclose(
        of_kernels[1, 1, 1, :4],
        [0.003359505913836, 0.004554729116555, 0.007479179866518, -0.02966846366601],
        atol=1e-10,
    )


def test_tokens_of_a_grid_are_those_of_a_series_in_its_order():
    network, x = (
        built(TransformerBlock(2), TimePool("mean_max")),
        np.random.default_rng(0).standard_normal((2, 3, 4, 8)),
    )
    of_grid = built(TransformerBlock(2), TimePool("mean_max"), shape=(None, None, 8))
    assert_array_equal(of_grid(x), network(x.reshape(2, 12, 8)))


# -- in an estimator -----------------------------------------------------------------------------------------------


def test_a_classifier_learns_what_only_the_order_tells():
    rng = np.random.default_rng(0)
    marks = [rng.permutation(n)[:2] for n in rng.integers(4, 9, 300)]  # where two marks stand among noise
    lengths = [max(each) + 2 for each in marks]
    X = [0.1 * rng.standard_normal((n, 2)) for n in lengths]
    for series, (first, second) in zip(X, marks, strict=True):
        series[first, 0] += 1
        series[second, 1] += 1
    y = np.array([first < second for first, second in marks])
    layers = [Dense(8), Positions(), TransformerBlock(2, feedforward=2, dropout=0.1), LayerNorm(), TimePool()]
    network = NetworkClassifier(layers, max_iter=25, learning_rate_init=0.01, batch_size=32, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert network.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.85
