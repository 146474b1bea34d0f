"""U-nets: that they are PyTorch's, keep the size of any image, and see as far as they say."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.autodiff import Tensor, backward, grad
from sknn.autodiff import primitives as F
from sknn.nn import AttentionGate, Concat, Conv, Network, Sequences
from sknn.nn.blocks import reach, unet

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "attention": {"attention": True},
    "residual": {"residual": True},
    "nearest": {"up": "nearest"},
    "without skips": {"skips": False},
    "all": {"attention": True, "residual": True, "up": "nearest"},
}

each_kind = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def network(shape: tuple[int, ...], filters: int = 2, depth: int = 3, **options: Any) -> Network:
    """With running statistics that are not those of the beginning."""
    net = Network([*unet(filters, depth, **options), Conv(2, 1)], shape, np.random.default_rng(0), "float64")
    rng = np.random.default_rng(1)
    net.state[:] += rng.uniform(-0.3, 0.3, net.state.size)
    net.theta[:] += 0.1 * rng.standard_normal(net.theta.size)
    return net


@each_kind
@pytest.mark.parametrize("size", range(17, 41))
def test_the_output_has_the_size_of_the_input(options, size):
    net = network((size, 23, 1), **options)
    assert net.output_shape == (size, 23, 2)
    assert net(np.zeros((1, size, 23, 1))).shape == (1, size, 23, 2)
    assert net(np.zeros((1, 41 - size, size, 1))).shape == (1, 41 - size, size, 2)  # other sizes than it was built for


@each_kind
def test_series_of_any_lengths_give_what_each_gives_alone(options):
    net, rng = network((None, 1), **options), np.random.default_rng(2)
    series = Sequences.of([rng.standard_normal((n, 1)) for n in (17, 40, 1, 23)])
    found = net(series)
    assert_array_equal(found.lengths, series.lengths)
    for one, all_of_it in zip(series, found, strict=True):
        assert_allclose(net(one[None])[0], all_of_it, rtol=0, atol=1e-12)


def test_volumes_keep_their_size():
    assert network((5, 7, 6, 1), depth=2)(np.zeros((1, 5, 7, 6, 1))).shape == (1, 5, 7, 6, 2)


def test_a_level_is_one_concatenation():
    layers = unet(4, 2)
    names = Network(layers, (8, 8, 1), np.random.default_rng(0)).layers_by_name
    assert [type(layer).__name__ for layer in names.values()].count("Concat") == 2
    assert sum(isinstance(layer, Concat) for layer in layers) == 1
    assert sum(isinstance(layer, AttentionGate) for layer in unet(4, 2, attention=True)) == 1


@each_kind
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_output_sees_as_far_as_it_says(options, depth):
    net, size = network((None, 1), 4, depth, **options), 4 * reach(depth) + 1
    x = Tensor(np.random.default_rng(3).standard_normal((20, size, 1)))
    for place in range(size // 2, size // 2 + (1 << depth)):
        seen = np.flatnonzero(grad(F.sum(net(x)[:, place]), x).any(axis=(0, 2)))
        assert place - seen.min() <= reach(depth)
        assert seen.max() - place <= reach(depth)
    assert seen.max() - seen.min() > reach(depth)  # and not much less


def flipped(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters with all kernels of images mirrored along the rows."""
    return {
        name: flipped(value) if isinstance(value, dict) else value[::-1] if value.ndim == 4 else value
        for name, value in params.items()
    }


@each_kind
def test_flips_of_data_and_kernels_commute(options):
    """On grids that are halved without a rest: else the windows lie differently from the other end."""
    net, x = network((16, 24, 1), **options), np.random.default_rng(4).standard_normal((2, 16, 24, 1))
    mirrored = net.function()
    mirrored.steps = [
        (layer.apply, flipped(params)) for layer, (_, params) in zip(net.layers, mirrored.steps, strict=True)
    ]
    assert_allclose(mirrored(x[:, ::-1]), net(x)[:, ::-1], rtol=0, atol=1e-12)


# -- beside PyTorch ------------------------------------------------------------------------------------------------


class There:
    """A U-net in PyTorch, level by level, with the parameters of a network of ours in the order of its layers."""

    def __init__(self, torch: Any, net: Network, kind: str, training: bool) -> None:
        self.torch, self.f, self.kind, self.training = torch, torch.nn.functional, kind, training
        self.leaves: dict[str, Any] = {}
        for names, vector in ((net.names, net.theta), (net.state_names, net.state)):
            for name, at in names.items():
                value = vector[at.start : at.stop].reshape(at.shape)
                value = value.transpose(-1, -2, *range(value.ndim - 2)) if value.ndim == 4 else value
                self.leaves[name] = torch.tensor(value.copy(), requires_grad=vector is net.theta)
        self.order = iter([name for name in net.layers_by_name if any(own.startswith(f"{name}.") for own in net.names)])

    def next_one(self, kind: str) -> dict[str, Any]:
        """The parameters of the next layer that has one of this name and none within it."""
        for name in self.order:
            own = {
                leaf.removeprefix(f"{name}."): value
                for leaf, value in self.leaves.items()
                if leaf.startswith(f"{name}.")
            }
            if kind in own:
                return own
        raise AssertionError(f"no layer with {kind} is left")

    def conv(self, x: Any) -> Any:
        own = self.next_one("weight")
        return self.f.conv2d(x, own["weight"], own.get("bias"), padding="same")

    def pair(self, x: Any) -> Any:
        for _ in range(2):
            z, own = self.conv(x), self.next_one("gain")
            norm = [own[each] for each in ("mean", "variance", "gain", "shift")]
            x = self.f.relu(self.f.batch_norm(z, *norm, training=self.training))
        return x

    def level(self, x: Any, depth: int) -> Any:
        x = self.pair(x)
        if depth == 0:
            return x
        below = self.level(self.f.max_pool2d(x, 2), depth - 1)
        if self.kind == "nearest":
            up = self.conv(self.f.interpolate(below, scale_factor=2))
        else:
            own = self.next_one("weight")
            up = self.f.conv_transpose2d(below, own["weight"], own["bias"], 2)
        x = self.torch.cat([x, up], 1)
        return self.pair(self.gate(x) if self.kind == "attention" else x)

    def gate(self, x: Any) -> Any:
        own, gated = self.next_one("share.weight"), x.shape[1] // 2
        rows = x.movedim(1, -1)
        hidden = self.f.relu(rows @ own["seen.weight"] + own["seen.bias"])
        share = self.torch.sigmoid(hidden @ own["share.weight"] + own["share.bias"]).movedim(-1, 1)
        return self.torch.cat([share * x[:, :gated], x[:, gated:]], 1)


@pytest.mark.parametrize("kind", ["plain", "attention", "nearest"])
@pytest.mark.parametrize("training", [False, True])
def test_values_and_gradients_beside_pytorch(kind, training):
    torch = pytest.importorskip("torch", reason="PyTorch is no dependency; its numbers are recorded below")
    rng = np.random.default_rng(5)
    net, x = network((16, 24, 1), **OPTIONS[kind]), rng.standard_normal((3, 16, 24, 1))
    there = There(torch, net, kind, training)
    inputs = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    expected = there.conv(there.level(inputs, 3)).movedim(1, -1)
    leaf = Tensor(x, sink=np.empty_like(x))
    found = net.function(watched=True, training=training)(leaf)
    assert_allclose(found.value, expected.detach().numpy(), rtol=0, atol=1e-10)

    seed = rng.standard_normal(found.shape)
    expected.backward(torch.tensor(seed))
    backward(F.sum(found * seed), [*net.leaves, leaf])
    assert_allclose(leaf.sink, inputs.grad.permute(0, 2, 3, 1).numpy(), rtol=0, atol=1e-10)
    for name, at in net.names.items():
        mine, theirs = net.grad[at.start : at.stop].reshape(at.shape), there.leaves[name].grad.numpy()
        theirs = theirs.transpose(2, 3, 1, 0) if theirs.ndim == 4 else theirs
        assert_allclose(mine, theirs, rtol=0, atol=1e-10 * max(1.0, np.abs(theirs).max()))


# The sum of outputs times a seed, in training and as it predicts, that PyTorch makes of the same numbers.
RECORDED = {
    "plain": (46.85076977467699, 35.73501945425695),
    "attention": (-40.11630519576796, 66.96325439261088),
    "nearest": (33.764023346103436, -35.60259746997785),
}


@pytest.mark.parametrize("kind", RECORDED)
def test_the_numbers_of_pytorch(kind):
    for training, expected in zip((True, False), RECORDED[kind], strict=True):
        rng = np.random.default_rng(5)
        net, x = network((16, 24, 1), **OPTIONS[kind]), rng.standard_normal((3, 16, 24, 1))
        y = net(x, training=training)
        assert_allclose((y * rng.standard_normal(y.shape)).sum(), expected, rtol=0, atol=1e-9)
