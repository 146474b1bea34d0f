"""Positions: what is added to each step, and what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.nn import Network, Positions, Sequences
from sknn.nn.cache import Cache

LENGTHS = np.array([4, 1, 6])
ZEROS = Sequences(np.zeros((11, 5)), LENGTHS)


def added(layer: Positions, x=ZEROS, dtype="float64", **given):
    return Network([layer], (None, 5), np.random.RandomState(0), dtype)(x, **given)


def waves(times, width=5):
    """As the formula has it, one number at a time."""
    p = np.empty((len(times), width))
    for row, t in zip(p, times, strict=True):
        for k in range(width):
            angle = t / 10_000 ** (2 * (k // 2) / width)
            row[k] = np.cos(angle) if k % 2 else np.sin(angle)
    return p


def test_waves_of_the_steps_begin_anew_with_each_sample():
    for found, n in zip(added(Positions()), LENGTHS, strict=True):
        assert_allclose(found, waves(np.arange(n)), rtol=1e-12, atol=1e-14)
    assert_allclose(added(Positions(), np.zeros((2, 300, 5))), np.stack([waves(np.arange(300))] * 2), atol=1e-12)


@pytest.mark.parametrize(("grid", "shares"), [((3, 4), (4, 5)), ((2, 3, 2), (3, 3, 3)), ((1, 6), (1, 1))])
def test_each_axis_of_a_grid_has_its_share_of_the_channels(grid, shares):
    network = Network([Positions()], (*grid, sum(shares)), None, "float64")
    found = network(np.ones((2, *grid, sum(shares)))) - 1.0
    for place in np.ndindex(*grid):
        by_hand = np.concatenate([waves([t], width)[0] for t, width in zip(place, shares, strict=True)])
        assert_allclose(found[(slice(None), *place)], [by_hand, by_hand], rtol=1e-12, atol=1e-14)


def test_waves_of_two_axes_are_those_of_pytorch_s_authors():
    """Those of He et al.'s masked autoencoders (``get_2d_sincos_pos_embed(8, 2)``) but for the order of channels."""
    found = Network([Positions()], (2, 2, 8), None, "float64")(np.zeros((1, 2, 2, 8)))[0, 1, 0]
    theirs = [0.8414709848, 0.0099998333, 0.5403023059, 0.9999500004, 0.0, 0.0, 1.0, 1.0]  # sines, cosines, each axis
    assert_allclose(found[[0, 2, 1, 3, 4, 6, 5, 7]], theirs, atol=1e-10)


def test_waves_of_times_begin_with_the_first_step_of_each_sample():
    times = ZEROS.like(np.cumsum(np.random.default_rng(0).uniform(0.5, 2.0, 11)))
    found = added(Positions("time"), times=times)
    for p, t in zip(found, times, strict=True):
        assert_allclose(p, waves(t - t[0]), rtol=1e-10, atol=1e-12)
    later = added(Positions("time"), times=times.like(times.values + 1e6))
    assert_allclose(later.values, found.values, atol=1e-8)
    steps = np.broadcast_to(np.arange(7), (2, 7))
    assert_array_equal(
        added(Positions("time"), np.zeros((2, 7, 5)), times=steps), added(Positions(), np.zeros((2, 7, 5)))
    )


def test_times_go_on_with_a_cache():
    times = np.cumsum(np.random.default_rng(0).uniform(0.5, 2.0, (2, 6)), axis=1)
    whole, cache = added(Positions("time"), np.zeros((2, 6, 5)), times=times), Cache()
    for part in (slice(0, 4), slice(4, 6)):
        cache.begin()
        x = np.zeros((2, len(times[0, part]), 5))
        assert_allclose(added(Positions("time"), x, times=times[:, part], cache=cache), whole[:, part], atol=1e-14)


def test_learned_ones_are_parameters():
    network = Network([Positions("learned", length=6)], (None, 5), np.random.RandomState(0), "float64")
    weight = network.parameters["0"]["weight"]
    for found, n in zip(network(ZEROS), LENGTHS, strict=True):
        assert_array_equal(found, weight[:n])
    assert Network([Positions("learned")], (7, 5), np.random.RandomState(0)).n_parameters == 35
    of_grid = Network([Positions("learned")], (3, 2, 5), np.random.RandomState(0), "float64")
    assert_array_equal(of_grid(np.zeros((2, 3, 2, 5))), [of_grid.parameters["0"]["weight"]] * 2)


@pytest.mark.parametrize("kind", ["sinusoidal", "learned", "time"])
def test_precision_stays(kind):
    given = {"times": ZEROS.like(np.arange(11.0))}
    assert added(Positions(kind, length=6), ZEROS.astype("float32"), "float32", **given).dtype == np.float32


REFUSED = {
    "longer than learned": (
        lambda: added(Positions("learned", length=5)),
        r"sample 2 has 6 steps, but Positions\('learned'\) has learned 5: state a greater length, or take 'sinusoidal'",
    ),
    "a longer grid": (
        lambda: added(Positions("learned", length=5), np.zeros((2, 6, 5))),
        "sample 0 has 6 steps, but .* has learned 5",
    ),
    "no times": (lambda: added(Positions("time")), r"times=None: Positions\('time'\) needs the time of each step"),
    "other times": (
        lambda: added(Positions("time"), times=np.arange(10.0)),
        "times must be one for each of 11 steps; there are 10",
    ),
}


@pytest.mark.parametrize(("action", "message"), REFUSED.values(), ids=REFUSED)
def test_errors(action, message):
    with pytest.raises(ValueError, match=message):
        action()
