"""What a network of sknn brings along: next to nothing that ``import sklearn.neural_network`` does not."""

import json
import subprocess
import sys

import pytest

LOADED = """
import json, sys
import sklearn.neural_network
before = set(sys.modules)
from sknn import MLPClassifier
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture(scope="module")
def added() -> set[str]:
    """The modules that it loads in a fresh process after scikit-learn's networks."""
    run = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_no_other_package_is_loaded(added):
    others = {name.partition(".")[0] for name in added} - {"sknn", "sklearn"} - sys.stdlib_module_names
    assert others == set()


@pytest.mark.parametrize("room", ["study", "inspection", "__main__"])
def test_a_room_for_later_is_not_loaded(added, room):
    assert not {name for name in added if name.split(".")[:2] == ["sknn", room]}


def test_little_of_scikit_learn_is_loaded(added):
    heavy = {"compose", "datasets", "ensemble", "experimental", "feature_extraction", "inspection", "svm"}
    assert not heavy & {name.split(".")[1] for name in added if name.startswith("sklearn.")}
