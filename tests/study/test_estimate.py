"""The time left: model by model, taken off while cells run, and shared by the workers."""

import numpy as np
import pytest

from sknn.study.cell import Cell
from sknn.study.estimate import Estimate, spelled
from sknn.study.folds import Fold
from sknn.study.outcome import Outcome


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def cell(model, fold=0, n_train=100, dataset="toy", is_whole=True):
    return Cell(
        dataset=dataset,
        model=model,
        fold=Fold(fold, np.arange(n_train), np.arange(3)),
        is_whole=is_whole,
        estimator=None,
        measures=(),
        tune=0,
        space={},
        inner=None,
        seed=0,
    )


def outcome(seconds):
    return Outcome({"fit_time": seconds / 2, "tune_time": seconds / 4, "predict_time": seconds / 4})


def left_after(finished, to_do, n_workers=1):
    """The seconds left when these cells are finished, each with its time, and those are not begun."""
    estimate = Estimate([*(each for each, _ in finished), *to_do], n_workers, Clock())
    for each, seconds in finished:
        estimate.ended(each, outcome(seconds))
    return estimate.left()


@pytest.mark.parametrize(
    ("finished", "to_do", "n_workers", "seconds"),
    [
        ([("slow", 10.0), ("fast", 0.1)], ["slow", "fast", "fast"], 1, 10.2),
        ([("slow", 10.0), ("slow", 20.0)], ["slow", "slow"], 1, 30.0),
        ([("slow", 10.0), ("fast", 5.0)], ["slow", "fast", "fast"], 2, 10.0),
        ([("slow", 10.0), ("fast", 1.0)], ["slow", "fast"], 64, 10.0),
        ([("slow", 10.0)], [], 1, 0.0),
    ],
)
def test_cells_take_as_long_as_finished_ones_of_their_model(finished, to_do, n_workers, seconds):
    left = left_after([(cell(model), time) for model, time in finished], [cell(model, 1) for model in to_do], n_workers)
    assert left == (pytest.approx(seconds), True)


def test_a_model_that_has_not_been_seen_makes_it_a_lower_bound():
    assert left_after([(cell("fast"), 1.0)], [cell("fast", 1), cell("slow")]) == (pytest.approx(1.0), False)


@pytest.mark.parametrize(
    ("finished", "to_do", "seconds"),
    [
        ([(cell("mlp", n_train=100), 1.0)], cell("mlp", 1, n_train=101), 1.01),
        ([(cell("mlp", n_train=50), 1.0), (cell("mlp", n_train=200), 9.0)], cell("mlp", 1, n_train=400), 18.0),
        ([(cell("mlp", n_train=100, dataset="other"), 1.0)], cell("mlp", n_train=200), 2.0),
    ],
)
def test_other_sizes_and_data_count_by_their_rows(finished, to_do, seconds):
    assert left_after(finished, [to_do]) == (pytest.approx(seconds), True)


def test_the_time_runs_down_while_a_cell_is_running_but_not_while_it_waits_for_a_worker():
    clock, cells = Clock(), [cell("mlp", fold) for fold in range(4)]
    estimate = Estimate(cells, 1, clock)
    estimate.ended(cells[0], outcome(10.0))
    estimate.began(cells[1])
    estimate.began(cells[2])
    assert estimate.running() == [cells[1]]
    clock.now = 4.0
    assert estimate.left() == (pytest.approx(26.0), True)
    clock.now = 15.0  # longer than expected
    assert estimate.left() == (pytest.approx(20.0), True)
    estimate.ended(cells[1], outcome(16.0))
    assert estimate.running() == [cells[2]]
    clock.now = 18.0
    assert estimate.left() == (pytest.approx(13.0 - 3.0 + 13.0), True)


def test_a_cell_that_is_handed_out_again_counts_once():
    cells = [cell("mlp", fold) for fold in range(2)]
    estimate = Estimate(cells, 1, Clock())
    estimate.ended(cells[0], outcome(10.0))
    estimate.began(cells[1])
    estimate.began(cells[1])
    assert estimate.left().seconds == pytest.approx(10.0)


def test_a_failed_cell_takes_no_time():
    failed = Outcome({"error": "RuntimeError: no luck"})
    estimate = Estimate([cell("mlp"), cell("mlp", 1)], 1, Clock())
    estimate.ended(cell("mlp"), failed)
    assert estimate.left() == (0.0, True)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3600, "1 h 00 min"), (90_000, "25 h 00 min")]
)
def test_durations(seconds, text):
    assert spelled(seconds) == text


@pytest.mark.parametrize(
    ("is_whole", "label"), [(True, "digits: mlp, fold 3"), (False, "digits: mlp, fold 3, 1,200 rows")]
)
def test_label_of_a_cell(is_whole, label):
    assert cell("mlp", 2, 1200, "digits", is_whole).label == label
