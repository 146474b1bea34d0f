"""The threads of the compiled kernels: as many as the user, joblib or a fork leave them; the results tell nothing."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from sknn import MLPRegressor
from sknn.ops import threads
from sknn.ops._kernels import native


def can_count():
    if native is None:
        return False
    with threadpool_limits(2, user_api="openmp"):
        return native.threads() == 2


pytestmark = pytest.mark.skipif(not can_count(), reason="there are no compiled kernels with threads")


def run(code, folder, **environment):
    """What Python prints."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_user_sets_a_limit():
    large = 2 * threads.SMALL_KERNEL
    for count in (3, 1):
        with threadpool_limits(count):
            assert threads.threads_of_kernels(large) == count
            with threadpool_limits(2):
                assert threads.threads_of_kernels(large) == 2
            assert threads.threads_of_kernels(large) == count


@pytest.mark.parametrize(
    ("multiplications", "expected"), [(0, 1), (0.9, 1), (1, 2), (1.5, 3), (2, 4), (3.9, 7), (4, 8), (1e3, 8)]
)
def test_small_work_takes_few_threads(multiplications, expected):
    with threadpool_limits(8):
        assert threads.threads_of_kernels(multiplications * threads.SMALL_KERNEL) == expected


STARTED_THREADS = """
import json, os
import numpy as np
from threadpoolctl import threadpool_limits
from sknn.ops import compiled
from sknn.ops._kernels import native

def started():
    before = len(os.listdir("/proc/self/task"))
    compiled.dense(a, a, None, False)
    return len(os.listdir("/proc/self/task")) - before

a = np.ones((512, 512), np.float32)
with threadpool_limits(1):
    limited = started()
print(json.dumps([native.threads(), limited, started(), started()]))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not list threads")
def test_no_more_threads_start_than_there_may_be(tmp_path):
    assert run(STARTED_THREADS, tmp_path, OMP_NUM_THREADS="3") == [3, 0, 2, 0]


WAITS = """
import json, time
import numpy as np
from sknn.ops import compiled

x, w = np.ones((256, 128), np.float32), np.ones((128, 128), np.float32)
used = []
for _ in range(20):
    compiled.dense(x, w, None, False)
    start = time.process_time()
    time.sleep(0.02)
    used.append(time.process_time() - start)
print(json.dumps(sorted(used)[10]))
"""


def test_threads_that_wait_sleep(tmp_path):
    assert run(WAITS, tmp_path, OMP_NUM_THREADS="2", OMP_WAIT_POLICY="active") < 0.003


def test_workers_of_joblib_get_their_share(monkeypatch):
    def threads_in_a_worker(path):  # in here it is pickled by value: workers need not find this file
        """Of the module alone: to import all of sknn takes a worker seconds."""
        from importlib.util import module_from_spec, spec_from_file_location

        spec = spec_from_file_location("_native", path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.threads()

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with joblib.parallel_config("loky", inner_max_num_threads=3):
        found = joblib.Parallel(2)(joblib.delayed(threads_in_a_worker)(native.__file__) for _ in range(2))
    assert found == [3, 3]


X = np.random.default_rng(0).standard_normal((400, 300)).astype(np.float32)
Y = X @ np.random.default_rng(1).standard_normal((300, 2)).astype(np.float32)


def fitted(seed):
    """The parameters of a network whose steps are large enough for several threads."""
    network = MLPRegressor((200, 20), batch_size=200, random_state=seed)
    network.partial_fit(X, Y).partial_fit(X, Y)
    return b"".join(coefs.tobytes() for coefs in network.coefs_)


def test_a_fit_is_the_same_from_run_to_run_on_any_number_of_threads():
    def on(count):
        with threadpool_limits(count, user_api="openmp"):
            return fitted(0)

    assert on(1) == on(2) == on(2) == on(5)


def test_fits_side_by_side_in_python_threads():
    seeds = [0, 1, 2, 3] * 2
    expected = [fitted(seed) for seed in seeds[:4]] * 2
    with ThreadPoolExecutor(4) as pool:

        def fit(seed):
            with threadpool_limits(2, user_api="openmp"):  # which counts for the thread that says so
                return fitted(seed)

        assert list(pool.map(fit, seeds)) == expected
    assert len(set(expected)) == 4


FITS_IN_FORKED_CHILDREN = """
import json, multiprocessing
import numpy as np
from sknn import MLPRegressor
from sknn.ops._kernels import native

X = np.random.default_rng(0).standard_normal((400, 300)).astype(np.float32)

def fit(seed):
    network = MLPRegressor((200, 20), batch_size=200, random_state=seed).partial_fit(X, X[:, 0])
    return native.threads(), [coefs.tolist() for coefs in network.coefs_]

(count, here), (other_count, other) = fit(0), fit(1)
with multiprocessing.get_context("fork").Pool(2) as pool:
    there = pool.map(fit, [0, 1])
print(json.dumps([count, other_count, there == [(1, here), (1, other)]]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_children_fit_on_one_thread_each(tmp_path):
    assert run(FITS_IN_FORKED_CHILDREN, tmp_path, OMP_NUM_THREADS="2") == [2, 2, True]


ENDS_WHILE_A_THREAD_COMPUTES = """
import threading, time
import numpy as np
from sknn.ops import compiled

x = np.ones((256, 256), np.float32)

def compute():
    while True:
        compiled.dense(x, x, None, False)

threading.Thread(target=compute, daemon=True).start()
time.sleep(0.05)
print("true")
"""


def test_the_interpreter_ends_while_a_thread_computes(tmp_path):
    assert run(ENDS_WHILE_A_THREAD_COMPUTES, tmp_path, OMP_NUM_THREADS="2")


FORKS_WHILE_A_THREAD_COMPUTES = """
import os, threading, time
import numpy as np
from sknn.ops import compiled

x = np.ones((256, 256), np.float32)
over = False

def compute():
    while not over:
        compiled.dense(x, x, None, False)

thread = threading.Thread(target=compute)
thread.start()
for _ in range(5):
    time.sleep(0.01)
    child = os.fork()
    if child == 0:
        os._exit(0 if (compiled.dense(x, x, None, False) == 256).all() else 1)
    assert os.waitpid(child, 0)[1] == 0
over = True
thread.join()
assert (compiled.dense(x, x, None, False) == 256).all()
print("true")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_child_forked_while_a_thread_computes(tmp_path):
    assert run(FORKS_WHILE_A_THREAD_COMPUTES, tmp_path, OMP_NUM_THREADS="2")


@pytest.mark.parametrize("decaying", [0, 4_000, 50_001])
def test_a_step_is_the_same_on_any_number_of_threads(decaying):
    rng = np.random.default_rng(0)
    theta, grad, velocity = rng.standard_normal((3, 50_001)).astype(np.float32)

    def on(count):
        moved, speed = theta.copy(), velocity.copy()
        with threadpool_limits(count, user_api="openmp"):
            native.sgd(moved, grad, speed, decaying, 0.9, True, 0.1, 0.01, None, 0.0, count)
        return moved.tobytes(), speed.tobytes()

    assert on(1) == on(2) == on(3)
