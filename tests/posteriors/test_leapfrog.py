"""Hamiltonian dynamics, steps and the agreement of chains, on densities whose answers are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sknn.posteriors.diagnostics import split_r_hat
from sknn.posteriors.leapfrog import kinetic, leapfrog, point, transition
from sknn.posteriors.step_size import DualAveraging, first_step

VARIANCE = np.array([0.25, 1.0, 9.0])


def normal(q):
    return 0.5 * float(q @ (q / VARIANCE)), q / VARIANCE


def quartic(q):  # two wells, and coordinates that know of each other
    return float(np.square(q @ q - 1.0) + q[0] * q[1]), 4.0 * (q @ q - 1.0) * q + np.array([q[1], q[0], 0.0])


@pytest.mark.parametrize("variance", [1.0, VARIANCE])
@pytest.mark.parametrize("energy", [normal, quartic])
def test_leapfrog_runs_backwards(energy, variance):
    start, momentum = point(energy, np.array([0.3, -0.8, 1.1])), np.array([0.5, 1.0, -0.7])
    end, arrived = leapfrog(energy, start, momentum, 0.05, 40, variance)
    assert np.abs(end.position - start.position).max() > 0.1
    back, turned = leapfrog(energy, end, -arrived, 0.05, 40, variance)
    assert_allclose(back.position, start.position, atol=1e-12)
    assert_allclose(-turned, momentum, atol=1e-12)
    assert_allclose(back.value, start.value, atol=1e-12)


def test_error_of_the_energy_falls_fourfold_when_the_step_halves():
    start, momentum = point(quartic, np.array([0.3, -0.8, 1.1])), np.array([0.5, 1.0, -0.7])
    errors = []
    for step, n_steps in ((0.02, 50), (0.01, 100), (0.005, 200)):
        end, arrived = leapfrog(quartic, start, momentum, step, n_steps)
        errors.append(abs(end.value + kinetic(arrived) - start.value - kinetic(momentum)))
    assert_allclose(np.divide(errors[:-1], errors[1:]), 4.0, rtol=0.1)


def test_leapfrog_preserves_volume():
    def flow(both):
        end, arrived = leapfrog(quartic, point(quartic, both[:3]), both[3:], 0.1, 5, VARIANCE)
        return np.concatenate([end.position, arrived])

    start, size = np.array([0.3, -0.8, 1.1, 0.5, 1.0, -0.7]), 1e-5
    jacobian = [(flow(start + size * each) - flow(start - size * each)) / (2.0 * size) for each in np.eye(6)]
    assert_allclose(abs(np.linalg.det(jacobian)), 1.0, rtol=1e-7)


def test_what_diverges_is_rejected():
    def cliff(q):
        return (float(q @ q), 2.0 * q) if abs(q[0]) < 1.5 else (np.nan, np.full(1, np.nan))

    start = point(cliff, np.array([1.4]))
    rng = np.random.RandomState(0)
    with np.errstate(invalid="ignore"):
        ends = [transition(cliff, start, 5.0, 20, 1.0, rng) for _ in range(20)]
    assert all(acceptance == 0.0 and end is start for end, acceptance in ends)


def _moves(energy, n, start=(1.0, 1.0, 1.0), wanted=0.8):
    """So many moves after a warm-up of 300, and the mean acceptance."""
    rng = np.random.RandomState(0)
    at = point(energy, np.array(start))
    adapted = DualAveraging(first_step(energy, at, 1.0, rng), wanted)
    seen, accepted = [], []
    for moves in range(300 + n):
        step = adapted.step if moves < 300 else adapted.averaged
        at, acceptance = transition(energy, at, step * rng.uniform(0.8, 1.2), 8, 1.0, rng)
        if moves < 300:
            adapted.update(acceptance)
        else:
            seen.append(at.position)
            accepted.append(acceptance)
    return np.array(seen), np.mean(accepted)


def _standard_error(values):
    """That of the mean of a chain, by the means of 20 batches."""
    batches = values[: len(values) // 20 * 20].reshape(20, -1, *values.shape[1:]).mean(axis=1)
    return batches.std(axis=0, ddof=1) / np.sqrt(20)


def test_moments_of_a_normal_distribution():
    seen, _ = _moves(normal, 6000)
    squares = np.square(seen)
    assert (np.abs(seen.mean(axis=0)) < 4 * _standard_error(seen)).all()
    assert (np.abs(squares.mean(axis=0) - VARIANCE) < 4 * _standard_error(squares)).all()
    assert (_standard_error(squares) < 0.1 * VARIANCE).all()


@pytest.mark.parametrize("wanted", [0.7, 0.8, 0.9])
def test_dual_averaging_reaches_the_acceptance_that_is_wanted(wanted):
    variance = np.linspace(0.1, 1.0, 50)

    def wide(q):
        return 0.5 * float(q @ (q / variance)), q / variance

    assert abs(_moves(wide, 500, np.sqrt(variance), wanted)[1] - wanted) < 0.1


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_first_step_is_of_the_size_of_the_density(scale):
    def energy(q):
        return 0.5 * float(q @ q) / scale**2, q / scale**2

    step = first_step(energy, point(energy, np.full(3, scale)), 1.0, np.random.RandomState(0))
    assert 0.2 < step / scale < 5.0


def test_split_r_hat_by_hand():
    # halves 1, 3 | 5, 7 and 2, 4 | 6, 8: each of variance 2, means 2, 6, 3, 7 of variance 17 / 3
    draws = np.array([[1.0, 3.0, 5.0, 7.0], [2.0, 4.0, 6.0, 8.0]])
    assert_allclose(split_r_hat(draws), np.sqrt(0.5 + 17.0 / 3.0 / 2.0))


def test_split_r_hat_sees_chains_apart_chains_that_drift_and_chains_that_stand_still():
    noise = np.random.default_rng(0).normal(size=(2, 1000))
    apart, drifting = noise + np.array([[0.0], [1.0]]), noise + np.linspace(0.0, 3.0, 1000)
    still, stuck = np.ones((2, 1000)), np.ones((2, 1000)) * [[0.0], [1.0]]
    found = split_r_hat(np.stack([noise, apart, drifting, still, stuck], axis=-1))
    assert found[0] < 1.005
    assert (found[1:3] > 1.1).all()
    assert_allclose(found[3:], [1.0, np.inf])
