"""scikit-learn's own tests of its multi-layer perceptrons and of its perceptron, as installed, run against sknn's."""

from pathlib import Path
from typing import NamedTuple

import pytest
import sklearn


class Suite(NamedTuple):
    """A file of scikit-learn's tests, the one line of it that imports what it tests, and what stands there instead."""

    path: str
    imports: str
    instead: str


SUITES = (
    Suite(
        "neural_network/tests/test_mlp.py",
        "from sklearn.neural_network import MLPClassifier, MLPRegressor\n",
        "from sknn import MLPClassifier, MLPRegressor\n",
    ),
    Suite(
        "linear_model/tests/test_perceptron.py",
        "from sklearn.linear_model import Perceptron\n",
        "from sknn import PerceptronClassifier as Perceptron\n",
    ),
)


def load(suite):
    """The tests of a suite by name, with their own parameters and marks."""
    path = Path(sklearn.__file__).parent / suite.path
    source = path.read_text(encoding="utf-8")
    if source.count(suite.imports) != 1:
        raise ImportError(f"{path} imports what it tests in another way than {suite.imports!r}")
    namespace = {"__name__": f"{__name__}.{path.stem}"}
    exec(compile(source.replace(suite.imports, suite.instead), path, "exec"), namespace)
    return {name: test for name, test in namespace.items() if name.startswith("test_")}


TESTS = {name: test for suite in SUITES for name, test in load(suite).items()}
globals().update(TESTS)  # where pytest collects them

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # as scikit-learn runs them


class Failure(NamedTuple):
    """What a test that is to fail raises, and why."""

    raises: type[BaseException]
    reason: str


PRIVATE = Failure(AttributeError, "reaches into private members of scikit-learn's classes, or sets fitted attributes")
FLOAT64 = Failure(AssertionError, "demands float64 weights by default; sknn has them with dtype='float64'")
SINGLE_MEMBER = Failure(pytest.fail.Exception, "wants an error for a class with a single member; sknn goes on")
NO_PENALTY = Failure(TypeError, "sknn's perceptron has no penalties")
EXPECTED_FAILURES = {
    "test_fit": PRIVATE,
    "test_gradient": PRIVATE,
    "test_learning_rate_warmstart": PRIVATE,
    "test_adaptive_learning_rate": PRIVATE,
    "test_n_iter_no_change": PRIVATE,
    "test_n_iter_no_change_inf": PRIVATE,
    "test_mlp_param_dtypes[MLPClassifier-float64]": FLOAT64,
    "test_mlp_param_dtypes[MLPRegressor-float64]": FLOAT64,
    "test_early_stopping_stratified": SINGLE_MEMBER,
    "test_perceptron_l1_ratio": NO_PENALTY,
}


@pytest.fixture(autouse=True)
def _expected_to_fail(request):
    """Strict: one that starts to pass, or fails for another reason, is noticed."""
    failure = EXPECTED_FAILURES.get(request.node.name)
    if failure is not None:
        request.applymarker(pytest.mark.xfail(raises=failure.raises, reason=failure.reason, strict=True))


@pytest.fixture
def global_random_seed():
    """The one that scikit-learn's own run takes unless it is told another."""
    return 42


def test_the_table_of_expected_failures_names_tests_of_scikit_learn():
    assert {name.partition("[")[0] for name in EXPECTED_FAILURES} <= set(TESTS)
