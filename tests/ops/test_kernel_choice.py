"""Which compiled kernels a process uses: what the environment says, and one thread after a fork."""

import os
import subprocess
import sys

import pytest

from sknn.ops import _kernels

pytestmark = pytest.mark.skipif(_kernels.native is None, reason="there are no compiled kernels, or NumPy is asked for")


def run(code, folder, **environment):
    """Run Python in a folder, with more in its environment."""
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=200
    )


IN_USE = "from sknn.ops._kernels import in_use; print(in_use)"


@pytest.fixture
def best():
    """The best instruction set that this processor has."""
    yield _kernels.native.use("best")
    _kernels.native.use(_kernels.in_use)


@pytest.mark.parametrize("wanted", ["numpy", "best", "", "baseline"])
def test_the_environment_chooses(wanted, best, tmp_path):
    found = run(IN_USE, tmp_path, SKNN_KERNELS=wanted).stdout.strip()
    assert found == (best if wanted in ("best", "") else wanted)


def test_a_wrong_choice_says_what_there_is(tmp_path):
    message = "SKNN_KERNELS='fast' is none that this processor has"
    assert message in run(IN_USE, tmp_path, SKNN_KERNELS="fast").stderr


FORK = """
import os, numpy as np
from sknn.ops._kernels import native
a = np.ones((512, 512), np.float32)
def product():
    z = np.empty_like(a)
    native.dense(a, a, None, 0, z, 2)
    return z
product()
if os.fork() == 0:
    os._exit(0 if native.threads() == 1 and (product() == 512).all() else 1)
_, status = os.wait()
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_computes_on_one_thread(tmp_path):
    done = run(FORK, tmp_path)
    assert done.stdout.strip() == "0", done.stderr
