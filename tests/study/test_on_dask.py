"""A study on a cluster of two Dask workers gives what it gives in one process, whatever happens to a worker."""

import os
import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

dask = pytest.importorskip("dask")
pytest.importorskip("distributed")

from dask.distributed import Client, LocalCluster  # noqa: E402
from dask.sizeof import sizeof  # noqa: E402
from sklearn.base import BaseEstimator, ClassifierMixin  # noqa: E402
from sklearn.naive_bayes import GaussianNB  # noqa: E402

from sknn.study import Study  # noqa: E402
from sknn.study.data import DataSet  # noqa: E402

X, Y = load_iris(return_X_y=True)
SPENT = ["fit_time", "tune_time", "predict_time", "pickle_bytes"]  # a pickle written elsewhere may differ by some bytes


class Dies(GaussianNB):
    """Kills its worker, the first time or always."""

    def __init__(self, flag=None):
        super().__init__()
        self.flag = flag

    def fit(self, X, y):
        if self.flag is None or not os.path.exists(self.flag):
            if self.flag:
                open(self.flag, "w").close()
            os._exit(1)
        return super().fit(X, y)


class Seen(ClassifierMixin, BaseEstimator):
    """Predicts the first class, and fails with what it has seen: the process and whether X is mapped."""

    def fit(self, X, y):
        raise RuntimeError(f"{os.getpid()} {isinstance(X, np.memmap)}")


class NoReturn(GaussianNB):
    """Can be pickled, but not read again."""

    def __setstate__(self, state):
        raise ValueError("no way back")


@pytest.fixture(scope="module")
def client():
    import cloudpickle

    # Workers cannot import this file: its classes go to them by value.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=60) as cluster,
        Client(cluster) as client,
    ):
        yield client
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def run_on(client, models, X=X, y=Y, **options):
    client.wait_for_workers(2)
    with joblib.parallel_config(backend="dask"):
        return Study(models, cv=3, **options).run(X, y)


def assert_same(study, other):
    pd.testing.assert_frame_equal(study.results.drop(columns=SPENT), other.results.drop(columns=SPENT))
    pd.testing.assert_frame_equal(study.predictions, other.predictions)


def test_results_are_those_of_one_process(client, tmp_path):
    models = ["mlp", "knn", "random_forest", "dummy"]
    options = {"tune": 1}
    assert_same(run_on(client, models, store=tmp_path / "store", **options), Study(models, cv=3, **options).run(X, Y))


def test_cells_are_computed_by_the_workers(client, tmp_path):
    np.save(tmp_path / "X.npy", X)
    for inputs, mapped in ((X, "False"), (np.load(tmp_path / "X.npy", mmap_mode="r"), "True")):
        seen = run_on(client, {"a": Seen(), "b": Seen(), "c": Seen()}, inputs).results["error"]
        processes, kinds = zip(*(text.removeprefix("RuntimeError: ").split() for text in seen), strict=True)
        assert set(kinds) == {mapped}
        assert str(os.getpid()) not in processes


def test_cells_of_a_worker_that_dies_are_computed_again(client, tmp_path):
    models = {"dies": Dies(str(tmp_path / "died")), "bayes": GaussianNB()}
    study = run_on(client, models)
    assert (tmp_path / "died").exists()
    assert_same(study, Study(models, cv=3).run(X, Y))


def test_a_cell_that_kills_every_worker_fails_and_the_others_complete(client):
    pair = (np.arange(0, 150, 2), np.arange(1, 150, 2))
    client.wait_for_workers(2)
    with joblib.parallel_config(backend="dask"):
        results = Study({"dies": Dies(), "bayes": GaussianNB()}, cv=[pair]).run(X, Y).results.set_index("model")
    assert results.loc["dies", "error"].startswith("KilledWorker: ")
    assert results.loc["bayes", "accuracy"] > 0.9


def test_what_cannot_be_sent_fails_alone(client):
    results = run_on(client, {"bad": NoReturn(), "bayes": GaussianNB()}).results.set_index("model")
    assert (results.loc["bad", "error"] == "ValueError: no way back").all()
    assert results.loc["bayes", "error"].isna().all()


def test_data_go_to_each_worker_once(client, monkeypatch):
    sent = []
    whole = DataSet.__getstate__

    def counted(data):
        sent.append(data.name)
        return whole(data)

    monkeypatch.setattr(DataSet, "__getstate__", counted)
    run_on(client, {"a": GaussianNB(), "b": GaussianNB(), "c": GaussianNB(), "d": GaussianNB()})
    assert len(sent) <= 2  # there are twelve cells


def test_the_size_of_data_is_what_they_take_in_memory(tmp_path):
    big = np.zeros((1000, 100))
    np.save(tmp_path / "X.npy", big)
    y = np.arange(1000) % 2
    in_memory = DataSet.from_arrays("memory", big, y)
    on_disk = DataSet.from_arrays("disk", np.load(tmp_path / "X.npy", mmap_mode="r"), y)
    assert sizeof(in_memory) > big.nbytes
    assert sizeof(on_disk) < 0.02 * big.nbytes
    assert len(pickle.dumps(on_disk)) < 0.02 * big.nbytes
