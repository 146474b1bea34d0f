"""Solvers and schedules are names or descriptions: by both the same fit, and both go wherever parameters go."""

import pickle
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sknn import CNNClassifier, MLPClassifier, MLPRegressor, NetworkClassifier
from sknn.callbacks import Checkpoint
from sknn.optim import LBFGS, SGD, SOLVERS, Adam, AdamW, RMSprop
from sknn.schedules import SCHEDULES, Cosine, InvScaling, OneCycle

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 16))
Y = (X[:, 0] > 0).astype(int)

FAMILIES = [MLPClassifier, MLPRegressor, CNNClassifier, NetworkClassifier]


def fitted(Estimator=MLPClassifier, **params):
    cnn = {"filters": 2, "input_shape": (4, 4, 1)} if Estimator is CNNClassifier else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Estimator(**{"max_iter": 3, "random_state": 0, **cnn, **params}).fit(X, Y)


def assert_same(one, other):
    assert_array_equal(one.network_.theta, other.network_.theta)


@pytest.mark.parametrize("Estimator", FAMILIES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_name_means_a_description(Estimator, solver):
    assert_same(fitted(Estimator, solver=SOLVERS[solver], alpha=0.01), fitted(Estimator, solver=solver, alpha=0.01))


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (SGD(0.5, nesterov=False), {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False}),
        (RMSprop(epsilon=0.1), {"solver": "rmsprop", "epsilon": 0.1}),
        (Adam(0.5, 0.6, 0.1), {"solver": "adam", "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.1}),
        (AdamW(0.5, 0.6, 0.1), {"solver": "adamw", "beta_1": 0.5, "beta_2": 0.6, "epsilon": 0.1}),
        (LBFGS(max_fun=2), {"solver": "lbfgs", "max_fun": 2}),
        (AdamW(weight_decay=0.3), {"solver": "adamw", "alpha": 0.3}),
    ],
    ids=str,
)
def test_what_parameters_say_of_a_name_a_description_says_itself(solver, named):
    found = fitted(solver=solver)
    assert_same(found, fitted(**named))
    assert_same(
        found,
        fitted(solver=solver, momentum=0.1, nesterovs_momentum=False, beta_1=0.1, beta_2=0.1, epsilon=1, max_fun=1),
    )


@pytest.mark.parametrize("Estimator", FAMILIES)
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_name_means_a_schedule(Estimator, name):
    assert_same(fitted(Estimator, learning_rate=SCHEDULES[name]), fitted(Estimator, learning_rate=name))


def test_power_t_is_the_power_of_the_name():
    found = fitted(learning_rate=InvScaling(power=0.2), power_t=0.7)
    assert_same(found, fitted(learning_rate="invscaling", power_t=0.2))


def test_a_schedule_says_itself_what_its_name_would_leave_to_its_defaults():
    one, other = (fitted(learning_rate=schedule).network_.theta for schedule in (OneCycle(), OneCycle(rise=2.0)))
    assert np.any(one != other)


@pytest.mark.parametrize("Estimator", FAMILIES)
def test_of_two_decays_one_is_refused(Estimator):
    solver = AdamW(weight_decay=0.1)
    message = f"alpha=0.5 does not apply with solver={solver!r}, whose weight_decay is given"
    with pytest.raises(ValueError, match=re.escape(message)):
        fitted(Estimator, solver=solver, alpha=0.5)


def test_what_does_not_apply_with_lbfgs_does_not_with_its_description_either():
    assert not hasattr(MLPClassifier(solver=LBFGS()), "partial_fit")
    with pytest.raises(
        ValueError, match=re.escape("dropout=0.5 does not apply with solver=LBFGS(max_fun=15000), which")
    ):
        fitted(solver=LBFGS(), dropout=0.5)


@pytest.mark.parametrize("change", [clone, lambda model: pickle.loads(pickle.dumps(model))], ids=["clone", "pickle"])
def test_a_description_is_a_parameter_as_any_other(change):
    model = MLPClassifier(solver=SGD(0.5), learning_rate=Cosine(), random_state=0)
    assert change(model).get_params() == model.get_params()
    assert "solver=SGD(momentum=0.5" in repr(model)


@pytest.mark.parametrize("given", ["adam", Adam()], ids=str)
@pytest.mark.parametrize("Estimator", FAMILIES)
def test_a_search_reaches_into_a_solver(Estimator, given):
    cnn = {"filters": 2, "input_shape": (4, 4, 1)} if Estimator is CNNClassifier else {}
    model = Estimator(solver=given, max_iter=2, random_state=0, **cnn)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(model, {"solver__beta_2": [0.9, 0.95]}, cv=2, error_score="raise").fit(X, Y)
    assert search.best_estimator_.solver in (Adam(beta_2=0.9), Adam(beta_2=0.95))
    assert model.solver == given


def test_what_a_name_leaves_is_that_of_the_parameters_beside_it():
    model = MLPClassifier(beta_1=0.5).set_params(solver__beta_2=0.9, learning_rate="invscaling", learning_rate__power=1)
    assert (model.solver, model.learning_rate) == (Adam(0.5, 0.9), InvScaling(power=1))


@pytest.mark.parametrize("given", ["lbfgs", LBFGS()], ids=str)
def test_a_number_that_a_solver_has_not_is_a_value_error(given):
    with pytest.raises(
        ValueError, match=r"Invalid parameter 'beta_2' for LBFGS\(.*Valid parameters are: \['max_fun'\]"
    ):
        NetworkClassifier(solver=given).set_params(solver__beta_2=0.9)


def test_names_have_no_parts_so_that_parameters_can_be_handed_over():
    params = NetworkClassifier().get_params()
    assert not any(name.startswith(("solver__", "learning_rate__")) for name in params)
    assert NetworkClassifier().set_params(**params).solver == "adam"


def test_a_search_goes_over_descriptions():
    solvers = [SGD(0.5), Adam(beta_2=0.9), "adam"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(MLPClassifier(max_iter=2, random_state=0), {"solver": solvers}, cv=2).fit(X, Y)
    assert list(search.cv_results_["param_solver"]) == solvers


@pytest.mark.parametrize("solver", [solver for solver in SOLVERS.values() if solver.is_stochastic], ids=str)
def test_a_fit_by_a_description_goes_on_from_its_checkpoint(solver, tmp_path):
    params = {"solver": solver, "max_iter": 6, "random_state": 0}
    whole = fitted(**params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(2):
            again = MLPClassifier(**params).set_callbacks(Checkpoint(tmp_path, every=2)).fit(X, Y)
    assert_same(again, whole)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("solver", ["newton", SGD, None])
def test_what_is_no_solver_is_refused_by_name(solver):
    with pytest.raises(ValueError, match=r"'solver' parameter of MLPClassifier must be a str among .*Solver'"):
        fitted(solver=solver)
