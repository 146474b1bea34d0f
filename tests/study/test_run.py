"""How a study's cells are run: what goes wrong around them is said, and nothing is lost or half done."""

import sqlite3
import threading
import time
import warnings
from contextlib import closing

import joblib
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from sknn.study import Study
from sknn.study.store import Store, StoreError

X, Y = load_iris(return_X_y=True)


class NotSent(GaussianNB):
    """Cannot be pickled before it is fitted."""

    def __getstate__(self):
        raise ValueError("it stays here")


class Alone(DummyClassifier):
    """Fails if another one is computing in another thread, and warns of itself."""

    running = threading.Lock()

    def fit(self, X, y):
        if not self.running.acquire(blocking=False):
            raise RuntimeError("not alone")
        time.sleep(0.02)
        warnings.warn(f"one of {len(X)}", UserWarning, stacklevel=1)
        self.running.release()
        return super().fit(X, y)


def test_an_estimator_that_cannot_be_sent_fails_and_the_others_complete():
    results = Study({"stays": NotSent(), "bayes": GaussianNB()}, cv=3, n_jobs=2).run(X, Y).results.set_index("model")
    assert results.loc["stays", "error"].tolist() == ["ValueError: it stays here"] * 3
    assert results.loc["bayes", "error"].isna().all()


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("method", ["claim", "commit", "finished"])
def test_a_store_that_fails_in_the_middle_ends_the_study(method, n_jobs, tmp_path, monkeypatch):
    study = Study(["dummy"], cv=5, n_jobs=n_jobs).run(X, Y)
    before = study.results
    working, calls = getattr(Store, method), []

    def breaks(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise StoreError("the disk is gone")
        return working(*arguments)

    monkeypatch.setattr(Store, method, breaks)
    study.store = tmp_path / "store"
    with pytest.raises(StoreError, match="the disk is gone"):
        study.run(X[:100], Y[:100])
    assert study.results is before
    assert study.data_sets[0].n_samples == 150
    monkeypatch.undo()
    pd.testing.assert_frame_equal(study.run(X, Y).results[["accuracy"]], before[["accuracy"]])


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_worker_leaves_what_it_finished_in_the_store_before_it_takes_the_next_cell(backend, tmp_path, monkeypatch):
    working, came_too_late = Store.commit, []

    def commit(store, key, outcome):
        came_too_late.append(key in store.finished([key]))
        working(store, key, outcome)

    monkeypatch.setattr(Store, "commit", commit)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        Study(["dummy"], cv=5, store=tmp_path / "store").run(X, Y)
    assert came_too_late == [True] * 5


def test_a_damaged_store_is_reported_and_left_alone(tmp_path):
    path = tmp_path / "store"
    path.write_bytes(b"no store at all" * 100)
    with pytest.raises(StoreError, match="is not an SQLite file"):
        Study(["dummy"], cv=2, store=path).run(X, Y)
    assert path.read_bytes() == b"no store at all" * 100


def test_cells_of_another_process_are_waited_for(tmp_path, monkeypatch):
    path, told = tmp_path / "store", []
    Study(["dummy"], cv=2, store=path).run(X, Y)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE cells SET outcome = NULL, checksum = NULL, owner = 'dead', renewed = ?, lease = 1.0", (time.time(),)
        )
    monkeypatch.setattr("sknn.study.run.Progress.waiting", lambda self: told.append("waiting"))
    assert Study(["dummy"], cv=2, store=path).run(X, Y).results["error"].isna().all()
    assert told


def test_cells_in_threads_take_turns():
    with joblib.parallel_config(backend="threading", n_jobs=3):
        results = Study({"a": Alone(), "b": Alone()}, cv=3).run(X, Y).results
    assert results["error"].isna().all()
    assert (results["warnings"] == "UserWarning: one of 100").all()
