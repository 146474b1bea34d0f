"""What readers, editors and type checkers see of every public estimator's parameters."""

import inspect
import pydoc
import re
from pathlib import Path

import pytest
from mypy import api as mypy
from numpydoc.validate import validate
from sklearn.base import BaseEstimator

import sknn

ROOT = Path(__file__).parents[1]
PUBLIC = [getattr(sknn, name) for name in sknn.__all__]
PUBLIC += [sknn.series.SeriesFeatures, sknn.series.SeriesScaler]
ESTIMATORS = [item for item in PUBLIC if isinstance(item, type) and issubclass(item, BaseEstimator)]

every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)


@every_estimator
def test_signature_and_help_tell_every_parameter_with_type_default_and_text(Estimator):
    arguments = inspect.signature(Estimator).parameters
    told = pydoc.render_doc(Estimator, renderer=pydoc.plaintext)
    assert arguments.keys() == {*Estimator._parameter_constraints}
    for name, argument in arguments.items():
        assert argument.annotation not in (argument.empty, "Any")
        entry = re.search(rf"^ \|  {name} : (\S.*)\n \|      [A-Z(]", told, re.MULTILINE)
        assert entry, f"{name} is not told in the docstring"
        assert (argument.default is argument.empty) == (", default=" not in entry[1])
        assert re.search(rf"\b{name}: ['\"].", told), f"{name} is not told in the signature"


@every_estimator
def test_what_fits_leave_is_told(Estimator):
    assert re.search(r"Attributes\n-+\n[a-z]\w*_ : \S+", Estimator.__doc__)
    assert not hasattr(Estimator, "network_")


@every_estimator
def test_the_docstring_is_as_numpydoc_wants_it(Estimator):
    found = validate(f"{Estimator.__module__}.{Estimator.__name__}")["errors"]
    assert [error for error in found if error[0] not in ("SA01", "ES01")] == []  # see also; an extended summary


@every_estimator
def test_at_most_four_classes_stand_between_an_estimator_and_scikit_learns(Estimator):
    ours = [base for base in Estimator.__mro__[1:] if base.__module__.partition(".")[0] == "sknn"]
    assert len(ours) <= 4


CALLS = """
from sknn import CNNRegressor, HiddenLayerTransformer, MLPClassifier, MLPRegressor, NetworkClassifier
from sknn import PerceptronClassifier, PerceptronRegressor
from sknn.nn import Dense
from sknn.optim import LBFGS, SGD
from sknn.schedules import InvScaling

MLPClassifier()
MLPClassifier((10, 5), "tanh", alpha=1e-3, beta_1=0.5, class_weight="balanced", scoring="accuracy")
MLPRegressor(hidden_layer_sizes=3, depth=2, loss="huber", quantile=[0.1, 0.9], random_state=0)
CNNRegressor(((8, 8), 16), kernel_size=[3, 5], padding="same", solver=SGD(momentum=0.5), input_scaling=None)
NetworkClassifier([Dense(3)], solver=LBFGS(max_fun=10), learning_rate=InvScaling(power=0.2), tol=1)
PerceptronRegressor(tol=None, eta0=0.1, warm_start=True)
HiddenLayerTransformer(MLPClassifier(), layer=0)
MLPClassifier().set_params(alpha=1.0).fit([[0.0]], [0]).partial_fit([[0.0]], [0]).predict([[0.0]]).shape

MLPClassifier(beta=1)  # call-arg
MLPClassifier((10,), "tanh", True)  # arg-type, call-arg
MLPClassifier(alpha="0.1")  # arg-type
MLPClassifier(batch_size="all")  # arg-type
MLPClassifier(loss="huber")  # call-arg
MLPRegressor(loss="hinge")  # arg-type
MLPRegressor(label_smoothing=0.1)  # call-arg
CNNRegressor(momentum=0.9)  # call-arg
CNNRegressor(8, 3)  # arg-type, call-arg
NetworkClassifier(3)  # arg-type
NetworkClassifier(learning_rate=0.1)  # arg-type
PerceptronClassifier(alpha=0.1)  # call-arg
PerceptronRegressor(target_scaling="standard")  # call-arg
HiddenLayerTransformer()  # call-arg
MLPClassifier(network_=None)  # call-arg
MLPClassifier().n_units_  # attr-defined
"""


def test_a_type_checker_accepts_right_calls_and_refuses_wrong_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "calls.py"
    file.write_text(CALLS)
    said, wrong, _ = mypy.run([str(file), "--config-file", "pyproject.toml", "--follow-imports=silent"])
    assert not wrong
    found: dict[int, set[str]] = {}
    for line, code in re.findall(r"calls\.py:(\d+): error: .*\[([\w-]+)\]$", said, re.MULTILINE):
        found.setdefault(int(line), set()).add(code)
    lines = enumerate(CALLS.splitlines(), 1)
    assert found == {k: set(line.split("  # ")[1].split(", ")) for k, line in lines if "  # " in line}, said
