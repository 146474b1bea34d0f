"""The progress of a study: a bar where there is a terminal, plain lines where there is none."""

import re
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from sknn.study import Study
from sknn.study.cell import Cell
from sknn.study.folds import Fold
from sknn.study.outcome import Outcome
from sknn.study.progress import MOST_LINES, show_progress

SECOND = Outcome({"fit_time": 90.0, "tune_time": 0.0, "predict_time": 0.0})


def cells(n_folds, models=("random_forest",), dataset="breast_cancer"):
    folds = [Fold(number, np.arange(100), np.arange(20)) for number in range(n_folds)]
    return [
        Cell(dataset, model, fold, True, estimator=None, measures=(), tune=0, space={}, inner=None, seed=0)
        for fold in folds
        for model in models
    ]


def shown(tell, width=80, terminal=False):
    output = StringIO()
    with show_progress(Console(file=output, width=width, force_terminal=terminal, color_system=None)) as progress:
        tell(progress)
    return output.getvalue()


@pytest.mark.parametrize("width", [40, 50, 60, 80])
def test_a_bar_cuts_no_number(width):
    def half(progress):
        all_cells = cells(25)
        progress.started(all_cells, 2)
        progress.found(all_cells[:11], [SECOND] * 11)
        progress.began(all_cells[11])

    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(half, width, terminal=True))
    assert "11/25 " in text
    assert "10:30 left" in text
    assert "…" not in text
    assert ("random_forest, fold 12 " in text) == (width >= 60)


def test_a_bar_with_a_model_that_has_not_been_seen_tells_the_least_time():
    def first(progress):
        all_cells = cells(2, ["random_forest", "mlp"])
        progress.started(all_cells, 1)
        progress.ended(all_cells[0], SECOND)

    assert "over 1:30 left" in shown(first, terminal=True)


def test_a_bar_says_that_it_waits_and_survives_brackets():
    def wait(progress):
        all_cells = cells(2, dataset="x[/b]y")
        progress.started(all_cells, 1)
        progress.began(all_cells[0])
        progress.waiting()

    assert "waiting for another process" in shown(wait, terminal=True)


def test_a_line_for_each_finished_cell_without_a_terminal():
    def all_of_them(progress):
        first, second, third = all_cells = cells(3)
        progress.started(all_cells, 1)
        progress.found([first], [SECOND])
        for each in (second, third):
            progress.began(each)
            progress.ended(each, SECOND)

    assert shown(all_of_them).splitlines() == [
        "[1/3] 1 finished before, 3:00 left",
        "[2/3] breast_cancer: random_forest, fold 2, 1:30 left",
        "[3/3] breast_cancer: random_forest, fold 3",
    ]


def test_many_cells_share_lines():
    def many(progress):
        all_cells = cells(1000)
        progress.started(all_cells, 1)
        for each in all_cells:
            progress.ended(each, SECOND)

    lines = shown(many).splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[-1].startswith("[1000/1000] ")


def test_a_study_shows_its_progress_on_request(capsys):
    Study(["dummy"], cv=2, verbose=True).run([[0], [1], [2], [3]], [0, 1, 0, 1])
    assert re.findall(r"\[(\d)/2\] data: dummy, fold (\d)", capsys.readouterr().err) == [("1", "1"), ("2", "2")]


def test_a_finished_study_has_nothing_left(tmp_path, capsys):
    for _ in range(2):
        study = Study(["dummy"], cv=2, store=tmp_path / "study.sqlite", verbose=True)
        study.run([[0], [1], [2], [3]], [0, 1, 0, 1])
    assert capsys.readouterr().err.splitlines()[-1] == "[2/2] 2 finished before"
