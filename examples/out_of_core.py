"""Data larger than memory: a network reads a file on disk batch by batch, or chunks of a Dask array
=================================================================================================

You learn two ways to fit a network to data larger than memory, which lie in a NumPy file.

The network takes the memory-mapped array as it is and reads it batch by batch; nothing is copied. Or dask-ml's
``Incremental`` hands it one chunk of a Dask array after the other through ``partial_fit``: a single pass, for data that
come from many files or are computed on the way.

::

    python examples/out_of_core.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import dask
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask_ml.wrappers import Incremental

from sknn import MLPClassifier

ROWS, FEATURES, CHUNK = 100_000, 20, 10_000
CLASSES = [0, 1]


def write_data(path: Path) -> None:
    """Write rows whose label is a curved function of the features, part by part."""
    X = np.lib.format.open_memmap(path / "X.npy", "w+", np.float32, (ROWS, FEATURES))
    y = np.lib.format.open_memmap(path / "y.npy", "w+", np.int64, (ROWS,))
    rng = np.random.RandomState(0)
    for start in range(0, ROWS, CHUNK):
        part = rng.randn(CHUNK, FEATURES)
        X[start : start + CHUNK] = part
        y[start : start + CHUNK] = part[:, 0] ** 2 + part[:, 1] * part[:, 2] > 0.7


def main(path: Path, folder: Path) -> None:
    write_data(path)
    X, y = np.load(path / "X.npy", mmap_mode="r"), np.load(path / "y.npy", mmap_mode="r")
    n_train = ROWS - CHUNK
    X_test, y_test = X[n_train:], y[n_train:]

    network = MLPClassifier(32, tol=0.002, n_iter_no_change=1, random_state=0)
    network.fit(X[:n_train], y[:n_train])
    mapped = network.score(X_test, y_test)
    print(f"mapped, {network.n_iter_:2d} epochs:       {mapped:.3f}")

    chunks = {"chunks": (CHUNK, FEATURES), "asarray": False}
    X_parts = da.from_array(X[:n_train], **chunks)
    y_parts = da.from_array(y[:n_train], chunks=CHUNK, asarray=False)
    incremental = Incremental(MLPClassifier(32, random_state=0), shuffle_blocks=False)
    with dask.config.set(scheduler="synchronous"):  # one chunk in memory at a time
        scores = []
        for passes in range(1, 4):
            incremental.partial_fit(X_parts, y_parts, classes=CLASSES)
            scores.append(incremental.estimator_.score(X_test, y_test))
            print(f"in chunks, after {passes} pass{'es' if passes > 1 else '  '}: {scores[-1]:.3f}")

    figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
    ax.axhline(mapped, color="#0072B2", label=f"the file as it is, {network.n_iter_} epochs")
    ax.plot(range(1, 4), scores, color="#E69F00", marker="o", label="chunks of a Dask array")
    ax.set(xticks=range(1, 4), xlabel="passes over the chunks", ylabel="accuracy on rows not seen")
    ax.legend(frameon=False)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "out_of_core.png", dpi=150)
    print(f"Picture: {folder / 'out_of_core.png'}")


if __name__ == "__main__":
    with TemporaryDirectory() as path:
        main(Path(path), Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output")
