"""A study on a Dask cluster: its cells are computed by two worker processes
=========================================================================

You learn how to compute the cells of a study on a Dask cluster: here of two worker processes on this machine.

A cell is one model in one fold. joblib's backend sends each to a worker, the data once to each; results come back to
the study, which keeps them in its store. On a cluster of several machines, ``Client`` takes the scheduler's address.

::

    python examples/study_on_dask.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import matplotlib.pyplot as plt
from dask.distributed import Client, LocalCluster
from sklearn.datasets import load_breast_cancer

from sknn.study import Study

MODELS = ["mlp", "perceptron", "logistic", "dummy"]


def main(path: Path, folder: Path) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    with (
        # One thread each, as the cells in one process take turns; no web page that shows what the workers do.
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        print("workers:", len(client.scheduler_info()["workers"]))
        study = Study(MODELS, cv=3, store=path / "study.sqlite").run({"breast_cancer": (X, y)})
    print(study.summary()[["model", "accuracy_mean", "log_loss_mean", "fit_time_mean"]].to_string(index=False))
    print(study.compare()[["model_a", "model_b", "difference", "p_holm"]].to_string(index=False))
    print(*study.verdicts().values(), sep="\n")

    figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    study.plot("scores", ax=ax)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "study_on_dask.png", dpi=150)
    print(f"Picture: {folder / 'study_on_dask.png'}")


if __name__ == "__main__":  # Dask's workers load this file, too
    with TemporaryDirectory() as path:
        main(Path(path), Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output")
