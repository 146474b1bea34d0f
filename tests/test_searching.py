"""Searches over networks: grids, draws and halving, in worker processes with their share of threads, small pickles."""

import os
import pickle
from threading import get_ident
from time import sleep

import numpy as np
import pytest
from joblib import cpu_count, parallel_config
from numpy.testing import assert_array_equal
from scipy.stats import loguniform
from sklearn.base import ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone, is_classifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

import sknn
from sknn import MLPClassifier, MLPRegressor, UNetRegressor
from sknn.ops.threads import LARGE_STEP, available_threads, share_out

pytestmark = pytest.mark.filterwarnings("ignore:.* of y hold values that are repeated")  # whole numbers, to a flow
PUBLIC = [getattr(sknn, name) for name in sknn.__all__]
APART = (
    UNetRegressor,  # whose y has a number at each pixel: the tests of its room
    MetaEstimatorMixin,  # around an estimator that reads tables and is searched, or does not and is not
)
ESTIMATORS = [
    item
    for item in PUBLIC
    if isinstance(item, type) and issubclass(item, ClassifierMixin | RegressorMixin) and not issubclass(item, APART)
]

every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)

RNG = np.random.RandomState(0)
X = RNG.normal(size=(160, 8))
NUMBERS = X @ np.arange(8.0)


def target(Estimator):
    return NUMBERS > 0 if is_classifier(Estimator()) else NUMBERS


def quick(Estimator, **params):
    known = Estimator().get_params()
    small = {"hidden_layer_sizes": (5,)} if "hidden_layer_sizes" in known else {}
    if known.get("max_iter") == "auto":  # those that train for a thousand steps
        few = {"units": 4, "width": 4, "n_heads": 2, "depth": 1, "stem": None, "filters": 4, "blocks": 1, "max_iter": 3}
        small |= {name: value for name, value in few.items() if name in known}
    return Estimator(**{"tol": 0.1, "random_state": 0, **small, **params})


# -- kinds of search -----------------------------------------------------------------------------------------------

GRID = {"tol": [0.1, 0.01], "early_stopping": [False, True]}
SEARCHES = {
    "grid": lambda model: GridSearchCV(model, GRID, cv=2, error_score="raise"),
    "draws": lambda model: RandomizedSearchCV(model, GRID, n_iter=3, cv=2, error_score="raise", random_state=0),
    "halving": lambda model: HalvingGridSearchCV(model, GRID, cv=2, factor=2, error_score="raise", random_state=0),
    "halving, by epochs": lambda model: HalvingGridSearchCV(
        model, GRID, cv=2, factor=2, resource="max_iter", min_resources=2, max_resources=8, error_score="raise"
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_estimator
@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_scores_every_candidate_and_fits_the_best(Estimator, kind):
    search = SEARCHES[kind](quick(Estimator)).fit(X, target(Estimator))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()
    assert_array_equal(
        search.predict(X), quick(Estimator).set_params(**search.best_params_).fit(X, target(Estimator)).predict(X)
    )


@pytest.mark.parametrize("kind", ["grid", "draws", "halving"])
def test_the_layers_of_a_network_in_a_pipeline_are_searched(kind):
    model = make_pipeline(StandardScaler(), MLPClassifier(solver="lbfgs", max_iter=500, random_state=0))
    grid = {"mlpclassifier__hidden_layer_sizes": [(), (3,), (4, 2)], "mlpclassifier__activation": ["tanh", "relu"]}
    search = SEARCHES[kind](model)
    parameter = "param_distributions" if kind == "draws" else "param_grid"
    search.set_params(**{parameter: grid}).fit(X, NUMBERS > 0)
    assert search.score(X, NUMBERS > 0) > 0.9
    sizes = search.best_params_["mlpclassifier__hidden_layer_sizes"]
    assert [layer.shape[1] for layer in search.best_estimator_[-1].coefs_] == [*sizes, 1]


def test_drawn_numbers_are_numbers():
    """Distributions give NumPy's scalars, which must not turn single precision into double."""
    drawn = {
        "alpha": loguniform(1e-6, 1e-2),
        "learning_rate_init": loguniform(1e-3, 1e-2),
        "momentum": loguniform(0.1, 0.9),
        "hidden_layer_sizes": np.array([3, 5]),
        "activation": np.array(["relu", "tanh"]),
        "early_stopping": np.array([False, True]),
    }
    network = quick(MLPRegressor, solver="sgd")
    search = RandomizedSearchCV(network, drawn, n_iter=3, cv=2, error_score="raise", random_state=0).fit(X, NUMBERS)
    plain = {name: value.item() for name, value in search.best_params_.items()}
    assert not any(type(value) is type(plain[name]) for name, value in search.best_params_.items())
    assert search.best_estimator_.network_.theta.dtype == "float32"
    assert_array_equal(search.predict(X), clone(network).set_params(**plain).fit(X, NUMBERS).predict(X))


# -- several at a time ---------------------------------------------------------------------------------------------


@pytest.fixture
def unlimited(monkeypatch):
    """Nothing in the environment decides about the threads of worker processes."""
    for name in [name for name in os.environ if name.endswith("_NUM_THREADS")]:
        monkeypatch.delenv(name)


def thread_counting_network():
    """A network whose validation scores, taken while it trains, are how many threads compute.

    They are those of the BLAS where it shares its products out itself, or our own times those of the BLAS in each. The
    scorer is made here so that it is sent to the workers as it is: they cannot import this file.
    """

    def threads_that_compute(*_):
        def of_the_blas():
            return max(library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas")

        def part(_):
            sleep(0.001)  # so that no thread does the work of two
            return get_ident(), of_the_blas()

        threads, inside = zip(*share_out(part, range(16), LARGE_STEP), strict=True)
        return float(max(of_the_blas(), len(set(threads)) * max(inside)))

    return MLPClassifier(max_iter=2, early_stopping=True, scoring=threads_that_compute, random_state=0)


STEPS = {"small": (10,), "medium": (200, 200), "large": (500, 500)}  # for one thread, the BLAS, our own threads


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_uses_the_threads_it_is_given():
    with threadpool_limits(2, user_api="blas"):
        if available_threads() != 2:
            pytest.skip("the threads of this BLAS cannot be counted")
        network, found = thread_counting_network(), {}
        for step, sizes in STEPS.items():
            network.set_params(hidden_layer_sizes=sizes).fit(np.tile(X, (2, 1)), np.tile(NUMBERS > 0, 2))
            found[step] = max(network.validation_scores_)
    assert found == {"small": 1, "medium": 2, "large": 2}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_two_workers_together_use_no_more_threads_than_there_are_processors(unlimited):
    def counted(network, X, y):
        return max(network.validation_scores_)

    grid = {"hidden_layer_sizes": list(STEPS.values())}
    network = thread_counting_network()
    search = GridSearchCV(network, grid, scoring=counted, cv=2, n_jobs=2, refit=False, error_score="raise")
    found = search.fit(np.tile(X, (4, 1)), np.tile(NUMBERS > 0, 4)).cv_results_
    assert 2 * max(*found["split0_test_score"], *found["split1_test_score"]) <= max(cpu_count(), 2)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_two_at_a_time_find_what_one_finds(backend, unlimited):
    searches = [
        GridSearchCV(quick(MLPClassifier), GRID, cv=2, n_jobs=n_jobs, error_score="raise") for n_jobs in (None, 2)
    ]
    with parallel_config(backend):
        one, two = (search.fit(X, NUMBERS > 0) for search in searches)
    assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert_array_equal(one.predict_proba(X), two.predict_proba(X))


# -- pickles -------------------------------------------------------------------------------------------------------

OVERHEAD = 20_000  # bytes beside the arrays
VECTORS = {"lbfgs": 0, "sgd": 1, "rmsprop": 1, "adam": 2, "adamw": 2}  # that an optimizer keeps, each as long as theta
LARGE, LARGE_TARGET = np.tile(X, (10, 4)), np.tile(NUMBERS, 10)  # 400 kB


def bytes_of(estimator):
    return len(pickle.dumps(estimator))


@every_estimator
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_pickle_holds_the_parameters_and_little_else(Estimator, early_stopping):
    estimator = quick(Estimator, early_stopping=early_stopping)
    estimator.fit(LARGE, LARGE_TARGET > 0 if is_classifier(estimator) else LARGE_TARGET)
    ranks = sum(map(bytes_of, getattr(getattr(estimator, "input_scaling_", None), "curves", ())))  # of normal quantiles
    assert bytes_of(estimator) <= 1.2 * estimator.network_.theta.nbytes + ranks + OVERHEAD


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", VECTORS)
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_with_warm_start_a_pickle_holds_what_the_optimizer_needs_to_go_on(Estimator, solver, dtype):
    params = {"solver": solver, "dtype": dtype, "hidden_layer_sizes": (300, 300), "max_iter": 2, "random_state": 0}
    without = Estimator(**params).fit(X, target(Estimator))
    within = Estimator(**params, warm_start=True).fit(X, target(Estimator))
    n_bytes = without.network_.theta.nbytes
    assert bytes_of(without) <= 1.2 * n_bytes + OVERHEAD
    assert bytes_of(within) <= 1.2 * (1 + VECTORS[solver]) * n_bytes + OVERHEAD
