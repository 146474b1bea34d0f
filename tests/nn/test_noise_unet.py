"""The U-net of diffusion models: as many parameters as PyTorch's, of any size, told a time at each level."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknn.autodiff import primitives as F
from sknn.nn import Network, Sequences, Shifted
from sknn.nn.blocks import noise_unet


def network(shape, filters=4, depth=2, **options):
    """With a last convolution that does not begin with 0."""
    net = Network(noise_unet(filters, depth, **options), shape, np.random.default_rng(0), "float64")
    net.theta[:] += 0.1 * np.random.default_rng(1).standard_normal(net.theta.size)
    return net


@pytest.mark.parametrize(("filters", "n_parameters"), [(16, 67_873), (32, 248_321)])
def test_it_has_the_parameters_of_pytorchs(filters, n_parameters):
    """With the layer of 32 features and 64 units that the time comes through there."""
    net = Network(noise_unet(filters), (28, 28, 1), np.random.default_rng(0))
    assert net.n_parameters + 33 * 64 == n_parameters


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_the_output_has_the_size_of_the_input_and_depends_on_the_time(depth):
    net, rng = network((9, 14, 2), depth=depth, channels=2, width=3), np.random.default_rng(2)
    x, time = rng.standard_normal((3, 9, 14, 2)), rng.standard_normal((3, 3))
    y = net(x, time=time)
    assert y.shape == x.shape
    assert sum(isinstance(layer, Shifted) for layer in net.layers_by_name.values()) == 2 * depth + 1
    other = net(x, time=time + np.array([[0.0], [1.0], [0.0]]))
    assert_allclose(other[[0, 2]], y[[0, 2]], atol=1e-12)
    assert np.abs(other[1] - y[1]).max() > 1e-3


def test_it_begins_with_no_noise_at_all():
    net = Network(noise_unet(8), (8, 8, 1), np.random.default_rng(0))
    assert not net(np.ones((1, 8, 8, 1), np.float32), time=np.ones((1, 64), np.float32)).any()


def test_series_of_any_lengths_give_what_each_gives_alone():
    net, rng = network((None, 1), width=2), np.random.default_rng(2)
    series, time = Sequences.of([rng.standard_normal((n, 1)) for n in (17, 8, 23)]), rng.standard_normal((3, 2))
    found = net(series, time=time)
    for k, (one, all_of_it) in enumerate(zip(series, found, strict=True)):
        assert_allclose(net(one[None], time=time[k : k + 1])[0], all_of_it, rtol=0, atol=1e-12)


def test_gradients(check_parameters):
    net, rng = network((4, 4, 1), filters=2, depth=1, width=2), np.random.default_rng(2)
    time = rng.standard_normal((2, 2))
    check_parameters(lambda net, x: F.sum(F.square(net(x, time=time))), [net], rng.standard_normal((2, 4, 4, 1)))
