"""Long studies: killed and started again, shared by two processes, and with workers that die."""

import os
import random
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

SLOW = pytest.mark.slow
POSIX = pytest.mark.skipif(not hasattr(os, "killpg"), reason="processes are killed by signals")

# A study of cells that take a little time each, and note in a file when they are computed.
SCRIPT = """
import os, sys, time
from functools import partial
import numpy as np
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
import sknn.study.study as study_module
from sknn.study import Study
from sknn.study.store import Store

study_module.Store = partial(Store, lease=LEASE)

def once():
    try:
        os.mkdir("died")
    except FileExistsError:  # by the other worker
        return False
    return True

class Slow(DecisionTreeClassifier):
    def fit(self, X, y):
        with open("log", "a") as log:
            log.write(f"{X.sum()}, {self.max_depth}\\n")
        time.sleep(0.05)
        TROUBLE
        return super().fit(X, y)

if __name__ == "__main__":
    models = {f"depth_{depth}": Slow(max_depth=depth, max_features=1) for depth in (1, 2, 3)}
    study = Study(models, cv=4, n_jobs=int(sys.argv[1]), store=STORE).run(*load_iris(return_X_y=True))
    study.results.to_csv(sys.argv[2])
    study.predictions.to_csv(sys.argv[2] + ".predictions")
"""
CELLS = 12
SPENT = ["fit_time", "tune_time", "predict_time", "pickle_bytes"]  # a pickle written elsewhere may differ by some bytes


def write_script(folder, trouble="", store="'store'", lease=1.0):
    text = SCRIPT.replace("TROUBLE", trouble).replace("STORE", store).replace("LEASE", str(lease))
    (folder / "script.py").write_text(text, encoding="utf-8")


def start(folder, n_jobs, output="results"):
    command = [sys.executable, "-W", "error", "script.py", str(n_jobs), output]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, **streams)


def finish(process, timeout=300):
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == 0, errors


def read(folder, output="results"):
    results = pd.read_csv(folder / output).drop(columns=SPENT)
    return results, pd.read_csv(folder / f"{output}.predictions")


def assert_same(first, second):
    for one, other in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, other)


def computed(folder):
    return (folder / "log").read_text().splitlines() if (folder / "log").exists() else []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    write_script(folder)
    finish(start(folder, 1))
    assert len(set(computed(folder))) == len(computed(folder)) == CELLS
    return read(folder)


@POSIX
@pytest.mark.parametrize("n_jobs", [pytest.param(1, marks=SLOW), 2])
def test_a_study_killed_at_any_moment_computes_what_is_missing(n_jobs, undisturbed, tmp_path):
    write_script(tmp_path)
    in_flight = 0
    for kills, after in enumerate((1, 6), start=1):  # some cells further each time, and then at a moment of chance
        process = start(tmp_path, n_jobs)
        while process.poll() is None and len(computed(tmp_path)) < after + in_flight:
            time.sleep(0.01)
        time.sleep(random.Random(after).uniform(0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        in_flight = kills * n_jobs
    finish(start(tmp_path, n_jobs))
    assert len(set(computed(tmp_path))) == CELLS
    assert len(computed(tmp_path)) <= CELLS + in_flight
    assert_same(read(tmp_path), undisturbed)
    n_before = len(computed(tmp_path))
    finish(start(tmp_path, 1))
    assert len(computed(tmp_path)) == n_before


def test_two_processes_share_a_study(undisturbed, tmp_path):
    write_script(tmp_path, lease=20.0)
    both = [start(tmp_path, 1, "first"), start(tmp_path, 1, "second")]
    for process in both:
        finish(process)
    assert len(set(computed(tmp_path))) == len(computed(tmp_path)) == CELLS
    assert_same(read(tmp_path, "first"), undisturbed)
    assert_same(read(tmp_path, "second"), undisturbed)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "first"), pd.read_csv(tmp_path / "second"))  # times as well


@pytest.mark.parametrize("store", ["'store'", pytest.param("None", marks=SLOW)])
def test_cells_of_a_worker_that_dies_are_submitted_again(store, undisturbed, tmp_path):
    die_once = 'if os.path.getsize("log") > 60 and once(): os._exit(1)'
    write_script(tmp_path, die_once, store)
    finish(start(tmp_path, 2))
    assert (tmp_path / "died").exists()
    assert_same(read(tmp_path), undisturbed)


@SLOW
def test_a_cell_that_kills_every_worker_fails_and_the_others_complete(undisturbed, tmp_path):
    write_script(tmp_path, "if self.max_depth == 2 and X.sum() > 1570: os._exit(1)")
    finish(start(tmp_path, 2))
    results, _ = read(tmp_path)
    failed = results["error"].notna()
    assert 0 < failed.sum() <= 4
    assert results.loc[failed, "error"].str.startswith("TerminatedWorkerError: ").all()
    assert (results.loc[failed, "model"] == "depth_2").all()
    pd.testing.assert_frame_equal(
        results[~failed].drop(columns=["error", "Unnamed: 0"]),
        undisturbed[0][~failed].drop(columns=["error", "Unnamed: 0"]),
        check_dtype=False,
    )


@POSIX
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=SLOW)])
def test_an_interrupt_gives_the_leases_back_and_ends_the_workers(n_jobs, undisturbed, tmp_path):
    write_script(tmp_path, lease=1000.0)
    process = start(tmp_path, n_jobs)
    while len(computed(tmp_path)) < 4:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert not alive(process.pid)
    finish(start(tmp_path, n_jobs))  # which would wait a thousand seconds for a lease
    assert len(computed(tmp_path)) <= CELLS + 2 * n_jobs
    assert_same(read(tmp_path), undisturbed)


def alive(group):
    """Whether a process of the group is left, a little while after its leader ended."""
    for _ in range(400):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


@POSIX
def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    write_script(tmp_path, trouble="time.sleep(120)")
    process = start(tmp_path, 2)
    while not (tmp_path / "log").exists():
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=100)  # the pipes are open for as long as any worker lives
