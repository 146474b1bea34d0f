"""Every schedule in the table is a value and gives the rates of its formula, scikit-learn's where it has them."""

import copy
import math
import pickle
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from typing import NamedTuple

import pytest
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from sknn import schedules
from sknn.schedules import SCHEDULES, Adaptive, Exponential, InvScaling, Moment, OneCycle

INIT = 0.1


class Row(NamedTuple):
    """A moment of a training of 1000 samples, and the rate there when it began with 0.1."""

    name: str
    samples: int
    rate: float
    stalls: int = 0


ROWS = [
    Row("constant", 0, 0.1),
    Row("constant", 1000, 0.1, stalls=3),
    Row("invscaling", 0, 0.1),
    Row("invscaling", 99, 0.01),
    Row("invscaling", 399, 0.005, stalls=1),
    Row("adaptive", 500, 0.1),
    Row("adaptive", 500, 0.02, stalls=1),
    Row("adaptive", 900, 0.0008, stalls=3),
    Row("cosine", 0, 0.1),
    Row("cosine", 250, 0.05 * (1 + math.sqrt(0.5))),
    Row("cosine", 500, 0.05),
    Row("cosine", 1000, 0.0),
    Row("one_cycle", 0, 0.004),
    Row("one_cycle", 150, 0.052),
    Row("one_cycle", 300, 0.1),
    Row("one_cycle", 650, 0.050005),
    Row("one_cycle", 1000, 1e-5),
    Row("exponential", 0, 0.1),
    Row("exponential", 500, 0.01),
    Row("exponential", 1000, 0.001),
]

ASKED = {
    "constant": "epoch",
    "invscaling": "epoch",
    "adaptive": "epoch",
    "cosine": "batch",
    "one_cycle": "batch",
    "exponential": "batch",
}

BY_PROGRESS = [name for name, per in ASKED.items() if per == "batch"]


def test_every_schedule_has_its_rows():
    assert {row.name for row in ROWS} == set(SCHEDULES)
    assert {name: schedule.per for name, schedule in SCHEDULES.items()} == ASKED


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_rate(row):
    moment = Moment(row.samples, total=1000, stalls=row.stalls)
    assert SCHEDULES[row.name].rate(INIT, moment) == pytest.approx(row.rate, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", SCHEDULES)
def test_is_proportional_to_the_first_rate_and_never_above_it(name):
    for samples in range(0, 1001, 50):
        moment = Moment(samples, total=1000, stalls=samples // 300)
        rate = SCHEDULES[name].rate(INIT, moment)
        assert 0 <= rate <= INIT
        assert SCHEDULES[name].rate(10 * INIT, moment) == pytest.approx(10 * rate)


@pytest.mark.parametrize("name", ["invscaling", "cosine", "exponential"])
def test_falls_from_batch_to_batch(name):
    rates = [SCHEDULES[name].rate(INIT, Moment(samples, total=1000)) for samples in range(0, 1001, 10)]
    assert all(later < earlier for earlier, later in pairwise(rates))


def test_one_cycle_climbs_to_its_peak_and_falls_without_a_jump():
    rates = [SCHEDULES["one_cycle"].rate(INIT, Moment(samples, total=1000)) for samples in range(1001)]
    peak = rates.index(max(rates))
    assert peak == 300
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert max(abs(a - b) for a, b in pairwise(rates)) < 0.01 * INIT


@pytest.mark.parametrize("name", BY_PROGRESS)
def test_training_beyond_its_total_stays_at_the_last_rate(name):
    rate = SCHEDULES[name].rate
    assert rate(INIT, Moment(5000, total=1000)) == rate(INIT, Moment(1000, total=1000))


@pytest.mark.parametrize("name", BY_PROGRESS)
def test_an_empty_training_has_no_progress(name):
    with pytest.raises(ValueError, match="total must be at least one sample; got 0"):
        SCHEDULES[name].rate(INIT, Moment(0, total=0))


@pytest.mark.parametrize(
    ("schedule", "moment", "rate"),
    [
        (InvScaling(power=1), Moment(9, total=1000), 0.01),
        (Adaptive(divisor=2), Moment(9, total=1000, stalls=3), 0.0125),
        (OneCycle(warm_up=0.5), Moment(500, total=1000), 0.1),
        (OneCycle(rise=2), Moment(0, total=1000), 0.05),
        (OneCycle(fall=5), Moment(1000, total=1000), 0.02),
        (Exponential(share=0.5), Moment(1000, total=1000), 0.05),
    ],
    ids=str,
)
def test_what_a_schedule_is_told(schedule, moment, rate):
    assert schedule.rate(INIT, moment) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("duplicate", [lambda schedule: pickle.loads(pickle.dumps(schedule)), copy.deepcopy, replace])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_is_a_frozen_value(name, duplicate):
    schedule = SCHEDULES[name]
    twin = duplicate(schedule)
    assert twin == schedule
    assert hash(twin) == hash(schedule)
    assert eval(repr(schedule), vars(schedules)) == schedule
    assert [other for other in SCHEDULES if SCHEDULES[other] == schedule] == [name]
    with pytest.raises(FrozenInstanceError):
        schedule.power = 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InvScaling(-0.5), r"power must be a number in \[0, inf\); got -0.5"),
        (lambda: Adaptive(divisor=1), r"divisor must be a number in \(1, inf\); got 1"),
        (lambda: Adaptive(stop_at=0), r"stop_at must be a number in \(0, inf\); got 0"),
        (lambda: OneCycle(warm_up=1), r"warm_up must be a number in \(0, 1\); got 1"),
        (lambda: OneCycle(rise=0.5), r"rise must be a number in \[1, inf\); got 0.5"),
        (lambda: OneCycle(fall="far"), r"fall must be a number in \[1, inf\); got 'far'"),
        (lambda: Exponential(0), r"share must be a number in \(0, 1\]; got 0"),
    ],
)
def test_errors_name_the_argument_and_its_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("power_t", [0.25, 0.5, 1.0])
def test_invscaling_is_scikit_learns(power_t):
    reference = SGDOptimizer([], INIT, lr_schedule="invscaling", power_t=power_t)
    for samples in (0, 150, 300):
        reference.iteration_ends(samples)
        rate = InvScaling(power_t).rate(INIT, Moment(samples, total=1000))
        assert rate == pytest.approx(reference.learning_rate, rel=1e-14)


@pytest.mark.parametrize("name", ["constant", "invscaling", "adaptive"])
def test_stalls_lower_the_rate_or_stop_as_in_scikit_learn(name):
    reference = SGDOptimizer([], INIT, lr_schedule=name)
    schedule, stalls = SCHEDULES[name], 0
    while True:
        rate = schedule.rate(INIT, Moment(samples=0, total=1000, stalls=stalls))
        assert rate == pytest.approx(reference.learning_rate, rel=1e-12)
        stops = rate <= schedule.stop_at
        assert stops == reference.trigger_stopping("stalled.", verbose=False)
        if stops:
            break
        stalls += 1
    assert stalls == (8 if name == "adaptive" else 0)
