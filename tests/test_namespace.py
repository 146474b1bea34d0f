"""Names that are loaded when they are first asked for."""

import subprocess
import sys

import pytest

import sknn
import sknn.nn
import sknn.series


@pytest.mark.parametrize("package", [sknn, sknn.nn, sknn.series], ids=lambda package: package.__name__)
def test_every_name_is_there(package):
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
        assert name in dir(package)


def test_a_star_brings_every_name():
    names: dict = {}
    exec("from sknn import *", names)
    assert set(sknn.__all__) <= names.keys()


def test_the_packages_that_users_import_from_can_be_reached():
    assert sknn.optim.SGD().momentum == 0.9
    assert not {"nn", "optim", "callbacks", "inspection", "metrics", "model_selection", "series"} & set(sknn.__all__)


@pytest.mark.parametrize("package", [sknn, sknn.nn, sknn.series], ids=lambda package: package.__name__)
def test_what_is_not_there_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match=rf"module '{package.__name__}' has no attribute 'MLPClustering'"):
        _ = package.MLPClustering
    with pytest.raises(ImportError):
        exec(f"from {package.__name__} import MLPClustering")


def test_a_name_loads_what_it_needs_and_no_more():
    loaded = "import sys, sknn; before = set(sys.modules); sknn.MLPClassifier; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert "sknn.estimators.dense.mlp" in run.stdout.split()
    for module in ("estimators.images.cnn", "estimators.dense.perceptron", "inspection", "study"):
        assert f"sknn.{module}" not in run.stdout.split()
