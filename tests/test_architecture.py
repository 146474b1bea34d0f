"""Imports point one way. They are read from the source, so that an import inside a function counts as well."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import sknn

ROOT = Path(sknn.__file__).parent

# The rooms of the house, and the rooms from which each may import; "sknn" is the public interface in __init__.py.
CORE = {"description", "autodiff", "ops", "nn", "losses", "optim", "schedules", "train"}
ROOMS: dict[str, set[str]] = {
    "description": set(),
    "namespace": set(),
    "autodiff": set(),
    "ops": {"autodiff", "description"},
    "optim": {"ops", "description"},
    "schedules": {"description"},
    "nn": {"autodiff", "description", "ops", "optim", "namespace"},
    "losses": {"autodiff", "description", "ops"},
    "train": CORE,
    "callbacks": CORE,
    "metrics": CORE | {"pipeline"},
    "augment": {"autodiff", "description", "nn"},
    "template": CORE | {"callbacks", "metrics", "augment"},
    "series": CORE | {"template", "namespace"},
    "posteriors": CORE | {"template"},
    "estimators": CORE | {"augment", "callbacks", "metrics", "template", "series", "posteriors", "pipeline"},
    "inspection": CORE | {"template", "estimators", "pipeline"},
    "persistence": CORE | {"augment", "callbacks", "template", "series", "posteriors"},
    "pipeline": {"autodiff", "description"},
    "model_selection": {"autodiff", "pipeline"},
    "versions": {"ops"},
    "sknn": {
        "augment",
        "estimators",
        "callbacks",
        "inspection",
        "persistence",
        "pipeline",
        "metrics",
        "model_selection",
        "series",
        "nn",
        "optim",
        "posteriors",
        "versions",
        "namespace",
    },
    "study": {"sknn", "pipeline", "metrics", "series"},
    "__main__": {"sknn", "study"},
}
ONLY = {("nn", "optim"): {"Group"}, ("optim", "ops"): {"native"}}  # all that may be imported from there
# The files of estimators/ that are no family, but what families of a room share.
SHARED_BY_FAMILIES = {"perceptron_rule", "single_layer"} | {
    *("beam_search", "front", "naive", "sampling", "stepping", "windows"),
    *("crops", "pixels", "stages", "tiles"),
    *("denoising", "imputing", "lower_bound", "noise_networks", "samplers"),
    *("coding", "fitted_density", "parts", "pictures", "row_noise"),
    "bayesian",
    *("adversarial_layers", "adversaries", "collapse"),
    *("bands", "class_scores", "kth_score", "set_aside"),
    *("committee", "disagreement", "members", "stacking"),
}

EVERYWHERE = {"numpy", "scipy", *sys.stdlib_module_names}
SKLEARN = {"sklearn", "joblib", "threadpoolctl", "cloudpickle"}  # scikit-learn and what it brings along
ALSO: dict[str, set[str]] = {
    "ops": {"threadpoolctl"},
    "sknn": {"sklearn"},  # which it imports ahead of all
    **dict.fromkeys(("callbacks", "template", "series", "posteriors", "estimators", "inspection"), SKLEARN),
    **dict.fromkeys(("persistence", "pipeline", "model_selection"), SKLEARN),
    "study": SKLEARN | {"pandas", "matplotlib", "rich"},
}
IN_FUNCTIONS = {"pandas", "matplotlib", "rich"}  # where scikit-learn may be imported


class Import(NamedTuple):
    """One imported name with its full path, and whether the import waits for a function to be called."""

    path: str
    in_function: bool
    line: int


def imports(module: str, source: str, is_package: bool = False) -> Iterator[Import]:
    """Every import of a module, wherever it stands, relative ones made absolute."""
    tree = ast.parse(source)
    delayed = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _is_for_type_checkers(outer)
        for inner in ast.walk(outer)
    }
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            paths = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*start, *([node.module] if node.module else [])])
            paths = [f"{whole}.{alias.name}" for alias in node.names]
        else:
            continue
        for path in paths:
            yield Import(path, id(node) in delayed, node.lineno)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def room_of(path: str) -> str:
    """The room of a module or a name within sknn; what lies in none is a name of the public interface."""
    _, *inner = path.split(".")
    return inner[0] if inner and inner[0] in ROOMS else "sknn"


def violations(module: str, source: str, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of a module, one line for each."""
    if module != "sknn" and module.split(".")[1] not in ROOMS:
        return [f"{module} lies in no room of ROOMS"]
    found = []
    for each in imports(module, source, is_package):
        wrong = _wrong_inside(module, each) if each.path.split(".")[0] == "sknn" else _wrong_outside(module, each)
        if wrong:
            found.append(f"{module}, line {each.line}: {wrong}")
    return found


def _wrong_inside(module: str, each: Import) -> str | None:
    path = each.path
    here, there = room_of(module), room_of(path)
    if (here, there, each.in_function) == ("estimators", "sknn", True):  # the default estimator of a meta-estimator
        return None
    if (here, path, each.in_function) == ("template", "sknn.load", True):  # a file whose weights a fit begins with
        return None
    if here == there:
        return _wrong_family(module, path) if here == "estimators" else None
    if there not in ROOMS[here]:
        return f"{here} may not import {path}"
    if (here, there) in ONLY and path.split(".")[-1] not in ONLY[here, there]:
        return f"of {there}, {here} may only import {', '.join(ONLY[here, there])}, not {path}"
    return None


def _wrong_family(module: str, path: str) -> str | None:
    """A family is a file of a room of estimators/: ``sknn.estimators.dense.mlp``."""
    importer, imported = (name.split(".")[3:4] for name in (module, path))
    if importer and imported and imported != importer and imported[0] not in SHARED_BY_FAMILIES:
        return f"the family {importer[0]} may not import the family {imported[0]}"
    return None


def _wrong_outside(module: str, each: Import) -> str | None:
    name, allowed = each.path.split(".")[0], ALSO.get(room_of(module), set())
    if name in EVERYWHERE | allowed:
        return None
    if name in IN_FUNCTIONS and "sklearn" in allowed:
        return None if each.in_function else f"{name} may only be imported inside a function"
    return f"{room_of(module)} may not import {name}"


# ------------------------------------------------------------------------------------------------------ the tests


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted([*ROOT.rglob("*.py"), *ROOT.rglob("*.pyi")]):  # a stub says what is loaded when it is asked for
        parts = ["sknn", *file.relative_to(ROOT).with_suffix("").parts]
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


@pytest.mark.parametrize(
    ("module", "file"), [pytest.param(*each, id=str(each[1].relative_to(ROOT))) for each in modules()]
)
def test_imports_point_one_way(module, file):
    assert violations(module, file.read_text("utf-8"), is_package=file.stem == "__init__") == []


def test_the_rooms_can_be_put_in_an_order():
    placed: set[str] = set()
    while waiting := ROOMS.keys() - placed:
        ready = {room for room in waiting if ROOMS[room] - {room} <= placed}
        assert ready, f"{sorted(waiting)} import each other"
        placed |= ready


FORBIDDEN = {
    "upwards": ("sknn.autodiff.tape", "from ..ops.dense import dense"),
    "upwards, the room itself": ("sknn.ops.dense", "from .. import nn"),
    "upwards, absolute": ("sknn.ops.dense", "import sknn.nn.network"),
    "upwards, in a function": ("sknn.losses", "def f():\n    from .train import train"),
    "upwards, in a class": ("sknn.nn.layer", "class A:\n    if True:\n        from ..train import train"),
    "upwards, from a package": ("sknn.nn", "from ..train import train"),
    "sideways": ("sknn.losses", "from .nn import Network"),
    "the public interface": ("sknn.train", "from . import MLPClassifier"),
    "an optimizer that knows networks": ("sknn.optim", "from .nn import Network"),
    "a schedule that knows optimizers": ("sknn.schedules", "from .optim import SGD"),
    "a layer that knows optimizers": ("sknn.nn.network", "from ..optim import Group, Adam"),
    "all of the optimizers": ("sknn.nn.network", "from .. import optim"),
    "scikit-learn in the core": ("sknn.train", "from sklearn.base import clone"),
    "scikit-learn in a function of the core": ("sknn.nn.layer", "def f():\n    import sklearn.base"),
    "joblib in the public interface": ("sknn", "import joblib"),
    "pandas at the top": ("sknn.template.base", "import pandas as pd"),
    "matplotlib at the top": ("sknn.inspection", "from matplotlib import pyplot as plt"),
    "rich in a class": ("sknn.callbacks", "class A:\n    import rich"),
    "pandas in the core": ("sknn.losses", "def f():\n    import pandas"),
    "something new": ("sknn.template.base", "import torch"),
    "jobs in the core": ("sknn.train", "from joblib import Parallel"),
    "threads in the optimizer": ("sknn.optim", "import threadpoolctl"),
    "a study that looks inside": ("sknn.study.models", "from sknn.estimators.dense.mlp import MLPClassifier"),
    "a study that looks inside, relatively": ("sknn.study.models", "from ..train import train"),
    "a study that looks inside, by the room": ("sknn.study.models", "from sknn import nn"),
    "an estimator that studies": ("sknn.template.base", "from ..study import Study"),
    "a public study": ("sknn", "from .study import Study"),
    "another family": ("sknn.estimators.dense.mlp", "from .perceptron import PerceptronClassifier"),
    "another family, the module": ("sknn.estimators.dense.mlp", "from . import perceptron"),
    "a family of another room": ("sknn.estimators.dense.mlp", "from ..images.cnn import CNNClassifier"),
    "the default of a meta-estimator at the top": (
        "sknn.estimators.sequences.forecaster",
        "from ... import MLPRegressor",
    ),
    "a family in the template": ("sknn.template.base", "from ..estimators.dense.mlp import MLPClassifier"),
    "another public name in the template": ("sknn.template.transfer", "def f():\n    from .. import save"),
    "an unknown room": ("sknn.attic", ""),
}
PERMITTED = {
    "downwards": ("sknn.nn.dense", "from ..autodiff import primitives as F\nfrom ..ops.dense import dense"),
    "the same room": ("sknn.ops.dense", "from .activation import ACTIVATIONS\nfrom . import memory"),
    "groups of parameters": ("sknn.nn.network", "from ..optim import Group"),
    "numbers": ("sknn.optim", "import math\nimport numpy as np\nfrom scipy.optimize import minimize"),
    "threads in operations": ("sknn.ops.threads", "from threadpoolctl import ThreadpoolController"),
    "scikit-learn": (
        "sknn.estimators.dense.mlp",
        "from sklearn.base import BaseEstimator\nfrom joblib import Parallel",
    ),
    "pandas in a function": ("sknn.template.base", "def f():\n    import pandas as pd"),
    "matplotlib in a method": ("sknn.inspection", "class A:\n    def f(self):\n        import matplotlib.pyplot"),
    "the file that a fit begins with": ("sknn.template.transfer", "def f():\n    from .. import load"),
    "pandas for type checkers": ("sknn.inspection", "if TYPE_CHECKING:\n    from pandas import DataFrame"),
    "what families share": ("sknn.estimators.dense.mlp", "from ...template import targets\nfrom . import single_layer"),
    "the default of a meta-estimator": (
        "sknn.estimators.sequences.forecaster",
        "def f():\n    from ... import MLPRegressor",
    ),
    "the public interface": ("sknn", "from .estimators.dense.mlp import MLPClassifier"),
    "public names": ("sknn.study.models", "from sknn import MLPClassifier\nfrom .. import __version__"),
    "tables and figures of a study": ("sknn.study.report", "import pandas\nimport matplotlib\nfrom rich import box"),
    "the study from the command line": ("sknn.__main__", "from sknn.study.cli import build_parser"),
}


@pytest.mark.parametrize(("module", "source"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_forbidden_import_is_found(module, source):
    assert len(violations(module, source, is_package=module in ("sknn", "sknn.nn"))) == 1


@pytest.mark.parametrize(("module", "source"), PERMITTED.values(), ids=PERMITTED)
def test_a_permitted_import_is_left_alone(module, source):
    assert violations(module, source, is_package=module == "sknn") == []
