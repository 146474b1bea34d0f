"""Samplers on scores that are known: Gaussians, of which every step is a matrix."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sknn.estimators.generative.samplers import SAMPLERS, ddim, ddpm, dpm, even_in_noise, even_in_time, level, time_of
from sknn.nn import Draws

COVARIANCE = np.array([[1.0, 0.9], [0.9, 1.0]])
IDENTITY = np.eye(2)


def denoise(x, time):
    """The mean of the data given x, for data of this covariance."""
    alpha, sigma = level(time)
    return x @ np.linalg.solve(alpha**2 * COVARIANCE + sigma**2 * IDENTITY, alpha * COVARIANCE)


def reached(sampler, times):
    """The covariance of what becomes of noise: without new noise each row of a matrix is mapped by itself."""
    way = sampler(denoise, IDENTITY, times)
    return way.T @ way


def test_levels_are_those_of_the_cosine_schedule():
    assert_allclose([level(0.0), level(0.5), level(1.0)], [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-15)
    for ratio in (0.01, 1.0, 80.0):
        assert_allclose(level(time_of(ratio)).sigma / level(time_of(ratio)).alpha, ratio)
        assert_allclose(level(time_of(ratio)).log_ratio, -np.log(ratio), atol=1e-12)


@pytest.mark.parametrize("grid", [even_in_noise, even_in_time])
def test_times_fall_from_80_to_a_hundredth_and_end_without_noise(grid):
    times = np.array(grid(20))
    assert times.shape == (21,)
    assert (np.diff(times) < 0).all()
    assert_allclose(np.tan(0.5 * np.pi * times[[0, -2, -1]]), [80, 0.01, 0])
    steps = np.diff(np.log(np.tan(0.5 * np.pi * times[:-1])) if grid is even_in_noise else times[:-1])
    assert_allclose(steps, steps[0])


@pytest.mark.parametrize(
    ("sampler", "grid", "n_steps", "error"),
    [
        (dpm, even_in_noise, 20, 0.03),
        (dpm, even_in_noise, 50, 0.02 * 0.9),  # 2 % of each
        (ddim, even_in_time, 400, 0.015),
        (ddim, even_in_noise, 1600, 0.01),
    ],
)
def test_the_covariance_of_a_gaussian_is_reached(sampler, grid, n_steps, error):
    assert_allclose(reached(sampler, grid(n_steps)), COVARIANCE, atol=error)


def test_the_error_of_the_second_order_falls_faster():
    exact = reached(dpm, even_in_noise(4000))
    errors = {
        sampler: [np.abs(reached(sampler, even_in_noise(n)) - exact).max() for n in (50, 100)]
        for sampler in (ddim, dpm)
    }
    assert errors[ddim][0] / errors[ddim][1] == pytest.approx(2, abs=0.3)
    assert errors[dpm][0] / errors[dpm][1] > 3
    assert errors[dpm][0] < errors[ddim][1] / 10


def test_new_noise_in_each_step_reaches_the_same_distribution():
    draws = Draws(0, "float64")
    x = ddpm(denoise, draws.normal((40_000, 2)), even_in_time(200), draws)
    assert_allclose(np.cov(x.T), COVARIANCE, atol=0.05)
    assert_allclose(x.mean(axis=0), 0, atol=0.03)


def test_there_and_back_is_the_identity_but_for_an_error_of_one_over_the_steps():
    x = np.random.default_rng(0).multivariate_normal([0, 0], COVARIANCE, 100)
    errors = []
    for n_steps in (50, 100, 200):
        times = even_in_time(n_steps)[:-1]
        errors.append(np.abs(ddim(denoise, ddim(denoise, x, times[::-1]), times) - x).max())
    assert errors[-1] < 0.05
    assert_allclose(np.divide(errors[:-1], errors[1:]), 2, atol=0.3)


@pytest.mark.parametrize("name", SAMPLERS)
def test_data_that_are_known_exactly_are_returned(name):
    sampler, truth, draws = SAMPLERS[name], np.array([[3.0, -1.0]]), Draws(0, "float64")
    x = sampler.draw(lambda x, time: truth + 0.0 * x, draws.normal((5, 2)), sampler.times(3), draws)
    assert_allclose(x, np.repeat(truth, 5, axis=0), rtol=1e-12)


@pytest.mark.parametrize("name", SAMPLERS)
def test_single_precision_stays(name):
    sampler, draws, noise = SAMPLERS[name], Draws(0), np.ones((2, 2), np.float32)
    kept = noise.copy()
    x = sampler.draw(lambda x, time: 0.5 * x, noise, sampler.times(4), draws)
    assert x.dtype == np.float32
    assert_array_equal(noise, kept)
