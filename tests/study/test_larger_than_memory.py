"""Data larger than memory: networks and studies read a mapped array in parts, and leave no files behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MEGABYTES = 60  # of the data
LIMIT = 20  # by how many megabytes the memory of the process may grow

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="anonymous memory is told by Linux alone")

SCRIPT = """
import sys, threading, time
import numpy as np
import sknn
from sknn.study import Study

def anonymous():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(lines["RssAnon"].split()[0]) / 1024

def watch():
    global peak
    while True:
        peak = max(peak, anonymous())
        time.sleep(0.002)

small = np.random.RandomState(0).randn(200, 8).astype("float32")
X = np.load("X.npy", mmap_mode="r")
y = np.arange(len(X)) % 2
number = y.astype("float32")
def images(X): return X.reshape(-1, 20, 40)
def warm_up(): # what is loaded at the first fit does not count
    sknn.MLPClassifier(4, max_iter=1).fit(small, y[:200])
    sknn.CNNClassifier(filters=(2,), input_shape=(2, 4, 1), max_iter=1).fit(small.reshape(-1, 2, 4), y[:200])
    Study(["mlp"], cv=2).run(small, y[:200])
import warnings; warnings.simplefilter("ignore")
warm_up()
peak = before = anonymous()
threading.Thread(target=watch, daemon=True).start()
ACTION
time.sleep(0.01)
print(peak - before)
"""

STUDY = """
study = Study(MODELS, cv=2, scoring="accuracy").run(X, y)
assert study.results["error"].isna().all(), study.results["error"].tolist()
"""
SEARCH = """
from sklearn.model_selection import KFold
from sknn.study.measures import MEASURES
from sknn.study.tune import best_configuration
network, space, folds = sknn.MLPClassifier(4, max_iter=1), {"alpha": [0.1, 0.2]}, KFold(2, shuffle=True, random_state=0)
best_configuration(network, space, 2, X, y, None, folds, MEASURES["accuracy"], 0)
"""
MLP = '{"mlp": sknn.MLPClassifier(4, max_iter=1)}'
PERCEPTRON = "sknn.PerceptronClassifier(max_iter=2).fit(X, y).predict(X)"

ACTIONS = {
    "MLPClassifier": "sknn.MLPClassifier(4, max_iter=1).fit(X, y).predict(X)",
    "MLPClassifier, stopping early": "sknn.MLPClassifier(4, max_iter=1, early_stopping=True).fit(X, y)",
    "MLPRegressor": "sknn.MLPRegressor(4, max_iter=1).fit(X, number).predict(X)",
    "CNNClassifier": "sknn.CNNClassifier(filters=(2,), input_shape=(20, 40, 1), max_iter=1).fit(images(X), y)",
    "PerceptronClassifier": PERCEPTRON,
    "PerceptronClassifier on NumPy alone": "import sknn.ops.compiled; sknn.ops.compiled.native = None; " + PERCEPTRON,
    "PerceptronRegressor": "sknn.PerceptronRegressor(max_iter=1).fit(X, number).predict(X)",
    "study": STUDY.replace("MODELS", MLP),
    "study with a scaler": STUDY.replace("MODELS", '["mlp"]'),
    "search": SEARCH,
}
QUICK = ("MLPClassifier", "PerceptronClassifier", "study")
CASES = [each if each in QUICK else pytest.param(each, marks=pytest.mark.slow) for each in ACTIONS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("larger")
    n_rows = MEGABYTES * 2**20 // (4 * 800)
    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (n_rows, 800))
    part = np.random.RandomState(0).randn(512, 800).astype(np.float32)
    for start in range(0, n_rows, 512):
        X[start : start + 512] = part[: n_rows - start]
    return folder


@LINUX
@pytest.mark.parametrize("action", CASES)
def test_a_mapped_array_is_never_held_whole(action, folder, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", SCRIPT.replace("ACTION", ACTIONS[action])]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < LIMIT
    assert list(temporary.iterdir()) == []
