"""Every public estimator: scikit-learn's own checks, and what must hold of all of them in daily use."""

import pickle
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr
from sklearn.utils.estimator_checks import parametrize_with_checks

import sknn
from sknn import (
    Autoencoder,
    BayesianClassifier,
    BayesianRegressor,
    CNNClassifier,
    CNNRegressor,
    ConformalClassifier,
    ConformalRegressor,
    DensityClassifier,
    EnsembleClassifier,
    EnsembleRegressor,
    FlowRegressor,
    Forecaster,
    FTTransformerClassifier,
    FTTransformerRegressor,
    HiddenLayerTransformer,
    LanguageModel,
    MLPClassifier,
    MLPRegressor,
    MobileNetClassifier,
    MobileNetRegressor,
    NetworkClassifier,
    NetworkRegressor,
    OutlierDetector,
    PerceptronClassifier,
    PerceptronRegressor,
    ResNetClassifier,
    ResNetRegressor,
    RNNClassifier,
    RNNRegressor,
    RNNSegmenter,
    Seq2Seq,
    TransformerClassifier,
    TransformerRegressor,
    UNetRegressor,
    UNetSegmenter,
    ViTClassifier,
    ViTRegressor,
)
from sknn.template.generator import Generator

pytestmark = pytest.mark.filterwarnings("ignore:.* of y hold values that are repeated")  # whole numbers, to a flow
PUBLIC = [getattr(sknn, name) for name in sknn.__all__]
OF_MANY_NETWORKS = [BayesianClassifier, BayesianRegressor]  # likewise
AROUND_A_NETWORK = [HiddenLayerTransformer]  # take an estimator, predict nothing: scikit-learn's checks alone
AROUND_A_DENSITY = [DensityClassifier, OutlierDetector]  # likewise; they have tests of their own
AROUND_ANYTHING = [ConformalClassifier, ConformalRegressor]  # likewise
AROUND_MEMBERS = [EnsembleClassifier, EnsembleRegressor]  # likewise
WITHOUT_TARGET = [Autoencoder]  # ignore y, as generators do, which have tests of their own too
LABELS_AT_POSITIONS = [
    RNNSegmenter,
    UNetRegressor,
    UNetSegmenter,
]  # whose y has several for each sample: the tests of their room, and of families
OF_STEPS = [RNNClassifier, RNNRegressor, TransformerClassifier, TransformerRegressor]
OF_TOKENS = [FTTransformerClassifier, FTTransformerRegressor]
OF_GRIDS = [ResNetClassifier, ResNetRegressor, MobileNetClassifier, MobileNetRegressor]
OF_PATCHES = [ViTClassifier, ViTRegressor]
OF_ONE_SERIES = [Forecaster]  # whose rows are steps, not samples: it has tests of its own
OF_SEQUENCES = [LanguageModel, Seq2Seq]  # take no table; they have rows in tests/template/test_families.py
NOT_HERE = [
    *(*AROUND_A_NETWORK, *AROUND_A_DENSITY, *AROUND_ANYTHING, *AROUND_MEMBERS, *OF_MANY_NETWORKS, *WITHOUT_TARGET),
    *(*LABELS_AT_POSITIONS, *OF_ONE_SERIES, *OF_SEQUENCES),
]
ESTIMATORS = [
    item
    for item in PUBLIC
    if isinstance(item, type) and issubclass(item, BaseEstimator) and not issubclass(item, (*NOT_HERE, Generator))
]

every_estimator = pytest.mark.parametrize("Estimator", ESTIMATORS)

# -- scikit-learn's checks -----------------------------------------------------------------------------------------

WEIGHT_CHECKS = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)
ROUNDING = "compares at 1e-7, which is the rounding of float32; with dtype='float64' it passes"
SEQUENTIAL = (
    "a rule that goes from sample to sample takes one step for a sample of weight two and two steps for a sample seen "
    "twice; scikit-learn's Perceptron fails too"
)
MINI_BATCHES = (
    "batches do not hold the same for samples of weight two and samples seen twice; with all in one batch it passes"
)
FOLDS = "folds do not hold the same where a sample of weight two is one sample; scikit-learn's stacks fail too"
NORMS = "a norm over the batch counts each sample once, whatever its weight; with norm='group' and one batch it passes"
SEARCH = (
    "rounding decides after which step a search ends, and the last steps still move weights that data say little of; "
    "after the same steps they agree"
)
EXPECTED_FAILURES = {
    BayesianClassifier: SEARCH,
    BayesianRegressor: SEARCH,
    **dict.fromkeys(OF_GRIDS, NORMS),
    **dict.fromkeys([*OF_STEPS, *OF_TOKENS, *OF_PATCHES, FlowRegressor], MINI_BATCHES),
    CNNClassifier: ROUNDING,
    CNNRegressor: ROUNDING,
    MLPClassifier: ROUNDING,
    MLPRegressor: ROUNDING,
    NetworkClassifier: ROUNDING,
    NetworkRegressor: ROUNDING,
    PerceptronClassifier: SEQUENTIAL,
    PerceptronRegressor: SEQUENTIAL,
}


def takes_sparse(Estimator):
    """All but the networks that need a grid, series, or a token of each feature, or are conditioned on it."""
    return Estimator not in (CNNClassifier, CNNRegressor, *OF_STEPS, *OF_TOKENS, *OF_GRIDS, *OF_PATCHES, FlowRegressor)


def takes_nan(Estimator):
    return Estimator in OF_STEPS + OF_TOKENS


# What makes those quick that train for a thousand steps; these end by themselves, as the others do.
SMALL = {
    **{"units": 4, "width": 4, "n_heads": 2, "depth": 1, "stem": None, "dropout": 0.0, "attention_dropout": 0.0},
    **{"filters": 4, "blocks": 1, "kernel_size": 3, "learning_rate": "constant"},
    **{"n_iter_no_change": 10, "max_iter": 400, "batch_size": 30},
}


def small(Estimator, **params):
    known = Estimator().get_params()
    chosen = {**SMALL, **params} if known.get("max_iter") == "auto" else {"n_draws": 50, "n_transforms": 2}
    return {name: value for name, value in chosen.items() if name in known}


def instances():
    """Each estimator with its defaults (but small), and in double precision where there is a choice."""
    for Estimator in ESTIMATORS:
        params = small(Estimator, max_iter=60, batch_size="auto", learning_rate_init=0.02)
        yield Estimator(**params)
        if "dtype" in Estimator().get_params():
            yield Estimator(dtype="float64", **params)
    for Estimator in AROUND_A_NETWORK:
        for network in (MLPClassifier(4, random_state=0), NetworkRegressor(random_state=0)):
            yield Estimator(network)
    for Estimator in AROUND_A_DENSITY:
        yield Estimator(KernelDensity())
    for method in ("cv+", "split"):
        yield ConformalClassifier(LogisticRegression(), method=method)
        yield ConformalRegressor(Ridge(), method=method)
    yield BayesianClassifier(MLPClassifier(4))
    yield BayesianRegressor(MLPRegressor(4))
    for Estimator, Network in zip(AROUND_MEMBERS, (MLPClassifier, MLPRegressor), strict=True):
        network = Network(4, dtype="float64", max_iter=20, learning_rate_init=0.02)
        yield Estimator(network, 2, random_state=0)
        yield Estimator([network, network], method="stacking", cv=2, random_state=0)


def expected_failures(estimator):
    if getattr(estimator, "method", None) == "stacking":
        return dict.fromkeys(WEIGHT_CHECKS, FOLDS)
    reason = EXPECTED_FAILURES.get(type(estimator))
    if reason is None or (reason is ROUNDING and estimator.dtype == "float64"):
        return {}
    return dict.fromkeys(WEIGHT_CHECKS, reason)


# xfail_strict=False: whether rounding comes to more than 1e-7 depends on the BLAS.
# The checks cut training off after a few epochs.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(list(instances()), expected_failed_checks=expected_failures, xfail_strict=False)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_table_of_expected_failures_names_public_estimators_only():
    assert set(EXPECTED_FAILURES) <= {*ESTIMATORS, *OF_MANY_NETWORKS}


# -- the data of the tests below -----------------------------------------------------------------------------------

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 4))
SLOPES = np.array([2.0, -1.0, 0.5, 0.0])
TARGETS = {
    "classes": np.array(["no", "yes"])[(X @ SLOPES > 0).astype(int)],
    "numbers": X @ SLOPES + 3.0,
}


def target(Estimator):
    return TARGETS["classes" if is_classifier(Estimator()) else "numbers"]


def quick(Estimator, **params):
    """An estimator that is small and done after a few epochs, by itself."""
    wanted = {
        "hidden_layer_sizes": (5,),
        "tol": 0.1,
        "early_stopping": False,
        "random_state": 0,
        **small(Estimator),
        **params,
    }
    names = Estimator().get_params()
    return Estimator(**{name: value for name, value in wanted.items() if name in names})


def fitted(Estimator, X=X, **params):
    return quick(Estimator, **params).fit(X, target(Estimator))


def outputs(estimator, X):
    """Whatever the fitted estimator predicts, by the name of the method."""
    methods = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    return {name: getattr(estimator, name)(X) for name in methods if hasattr(estimator, name)}


def assert_same_outputs(one, other, X=X):
    expected = outputs(other, X)
    for name, values in outputs(one, X).items():
        assert_array_equal(values, expected[name], err_msg=name)


# -- parameters, clones, pickles -----------------------------------------------------------------------------------


@every_estimator
def test_clone_and_set_params_carry_every_parameter(Estimator):
    estimator = quick(Estimator, max_iter=77, warm_start=True)
    params = estimator.get_params()
    assert clone(estimator).get_params() == params
    assert Estimator().set_params(**params).get_params() == params
    with pytest.raises(ValueError, match="Invalid parameter 'n_neurons'"):
        estimator.set_params(n_neurons=3)


@every_estimator
def test_a_clone_is_not_fitted_and_learns_the_same(Estimator):
    estimator = fitted(Estimator)
    twin = clone(estimator)
    with pytest.raises(NotFittedError):
        twin.predict(X)
    assert_same_outputs(twin.fit(X, target(Estimator)), estimator)


@every_estimator
def test_a_fit_again_forgets_the_first(Estimator):
    estimator = fitted(Estimator)
    again = quick(Estimator).fit(X[:50, :2], target(Estimator)[50:100]).fit(X, target(Estimator))
    assert_same_outputs(again, estimator)
    assert vars(again).keys() == vars(estimator).keys()


@every_estimator
def test_fitting_draws_from_its_own_random_state_only(Estimator):
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    fitted(Estimator)
    assert_array_equal(np.random.get_state()[1], before)


@every_estimator
@pytest.mark.parametrize("warm_start", [False, True])
def test_a_pickle_predicts_the_same_bits(Estimator, warm_start):
    estimator = fitted(Estimator, warm_start=warm_start)
    copy = pickle.loads(pickle.dumps(estimator))
    assert_same_outputs(copy, estimator)
    assert_same_outputs(copy.partial_fit(X, target(Estimator)), estimator.partial_fit(X, target(Estimator)))


@every_estimator
def test_a_pickle_holds_the_weights_and_little_else(Estimator):
    wide = np.tile(X, (20, 5 if Estimator in OF_TOKENS else 50))  # 4 MB; attention looks at every pair of features
    brief = small(Estimator, max_iter=1, learning_rate="one_cycle")
    estimator = quick(Estimator, hidden_layer_sizes=(50,), **brief).fit(wide, np.tile(target(Estimator), 20))
    ranks = sum(len(pickle.dumps(curve)) for curve in getattr(getattr(estimator, "input_scaling_", 0), "curves", ()))
    assert len(pickle.dumps(estimator)) < 1.1 * estimator.network_.theta.nbytes + ranks + 5000


# -- failures leave no trace ---------------------------------------------------------------------------------------


def with_a(value):
    spoilt = X.copy()
    spoilt[7, 2] = value
    return spoilt


class Failure(NamedTuple):
    """Something that makes a fit fail: before training, or at its very end (a warning, which is an error here)."""

    X: np.ndarray
    params: dict
    error: type[Exception]
    message: str


FAILURES = {
    "nan": Failure(with_a(np.nan), {}, ValueError, "Input X contains NaN"),
    "infinity": Failure(with_a(np.inf), {}, ValueError, "Input X contains infinity"),
    "other features": Failure(X[:, :2], {"warm_start": True}, ValueError, "X has 2 features, but"),
    "not converged": Failure(X, {"max_iter": 1}, ConvergenceWarning, "(?i)maximum"),
    "not converged, going on": Failure(X, {"max_iter": 1, "warm_start": True}, ConvergenceWarning, "(?i)maximum"),
}


def failure_for(Estimator, name):
    """What is missing is no failure where it is taken."""
    return FAILURES["infinity" if name == "nan" and takes_nan(Estimator) else name]


FAILURES_OF_PARTIAL_FIT = ["nan", "infinity", "other features"]
FIRST_FAILURES = ["nan", "infinity", "not converged"]


@every_estimator
@pytest.mark.parametrize(
    ("method", "failure"),
    [*(("fit", name) for name in FAILURES), *(("partial_fit", name) for name in FAILURES_OF_PARTIAL_FIT)],
)
@pytest.mark.parametrize("earlier", ["fit", "fit and partial_fit"])
def test_a_failed_fit_leaves_a_fitted_estimator_as_it_was(Estimator, method, failure, earlier):
    bad, params, error, message = failure_for(Estimator, failure)
    estimator = fitted(Estimator)
    if "partial_fit" in earlier:
        estimator.partial_fit(X, target(Estimator))
    estimator.set_params(**params)
    attributes, before = dict(vars(estimator)), pickle.dumps(estimator)
    with pytest.raises(error, match=message):
        getattr(estimator, method)(bad, target(Estimator))
    assert pickle.dumps(estimator) == before
    assert all(vars(estimator)[name] is value for name, value in attributes.items())


@every_estimator
@pytest.mark.parametrize(
    ("method", "failure"),
    [*(("fit", name) for name in FIRST_FAILURES), *(("partial_fit", name) for name in FIRST_FAILURES[:2])],
)
def test_a_failed_first_fit_leaves_an_estimator_unfitted(Estimator, method, failure):
    bad, params, error, message = failure_for(Estimator, failure)
    estimator = quick(Estimator, **params)
    more = {"classes": np.unique(target(Estimator))} if method == "partial_fit" and is_classifier(estimator) else {}
    with pytest.raises(error, match=message):
        getattr(estimator, method)(bad, target(Estimator), **more)
    assert vars(estimator) == vars(quick(Estimator, **params))
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@every_estimator
def test_missing_values_are_taken_by_some(Estimator):
    if takes_nan(Estimator):
        assert np.isfinite(outputs(fitted(Estimator, X=with_a(np.nan)), with_a(np.nan)).popitem()[1]).all()
    else:
        with pytest.raises(ValueError, match="Input X contains NaN"):
            fitted(Estimator).predict(with_a(np.nan))


# -- one at a time -------------------------------------------------------------------------------------------------


@every_estimator
def test_partial_fit_goes_through_the_samples_once(Estimator):
    estimator = fitted(Estimator).partial_fit(X, target(Estimator))
    assert estimator.n_iter_ == 1
    assert estimator.partial_fit(X, target(Estimator)).n_iter_ == 1


@every_estimator
def test_partial_fit_in_passes_learns_the_task(Estimator):
    estimator, more = quick(Estimator), {}
    if is_classifier(estimator):
        more = {"classes": np.unique(target(Estimator))}
    for _ in range(600):
        estimator.partial_fit(X, target(Estimator), **more)
    assert estimator.score(X, target(Estimator)) > 0.9


# -- containers and precision --------------------------------------------------------------------------------------


@every_estimator
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_predictions_come_back_in_the_precision_of_x(Estimator, dtype):
    estimator = fitted(Estimator)
    found = outputs(estimator, X.astype(dtype))
    if is_classifier(estimator):
        assert found.pop("predict").dtype == target(Estimator).dtype
    assert all(values.dtype == ("float32" if dtype == "float32" else "float64") for values in found.values())


@every_estimator
def test_predictions_in_single_precision_are_those_in_double_rounded(Estimator):
    estimator = fitted(Estimator)
    single = X.astype("float32")
    expected = outputs(estimator, single.astype("float64"))
    for name, values in outputs(estimator, single).items():
        if values.dtype.kind == "f":
            assert_allclose(values, expected[name], rtol=1e-5, atol=1e-5, err_msg=name)


@every_estimator
def test_a_data_frame_gives_names_to_the_features(Estimator):
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    estimator = fitted(Estimator, X=frame)
    assert_array_equal(estimator.feature_names_in_, ["a", "b", "c", "d"])
    assert estimator.n_features_in_ == 4
    with pytest.raises(ValueError, match="feature names should match"):
        estimator.predict(frame.rename(columns={"a": "e"}))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert_array_equal(estimator.predict(np.asarray(frame)), estimator.predict(frame))


@every_estimator
@pytest.mark.parametrize(
    "container",
    [sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix, sp.csc_matrix],
    ids=lambda kind: kind.__name__,
)
def test_sparse_is_dense(Estimator, container):
    if not takes_sparse(Estimator):
        with pytest.raises(TypeError, match="Sparse data was passed"):
            fitted(Estimator, X=container(X))
        return
    gaps = np.where(np.abs(X) > 0.5, X, 0.0)
    params = {"dtype": "float64"}
    dense = fitted(Estimator, X=gaps, **params)
    sparse = fitted(Estimator, X=container(gaps), **params)
    for name, expected in outputs(dense, gaps).items():
        for estimator, rows in [(sparse, gaps), (sparse, container(gaps)), (dense, container(gaps))]:
            found = outputs(estimator, rows)[name]
            if expected.dtype.kind == "f":
                assert_allclose(found, expected, rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                assert_array_equal(found, expected, err_msg=name)


# -- looking -------------------------------------------------------------------------------------------------------


@every_estimator
def test_the_html_repr_is_scikit_learns_and_says_whether_it_is_fitted(Estimator):
    name, mark = Estimator.__name__, "<span>Fitted</span>"
    unfitted, done = estimator_html_repr(quick(Estimator)), fitted(Estimator)
    assert f"<div>{name}</div>" in unfitted
    assert mark not in unfitted
    assert mark in estimator_html_repr(done)
    assert done._repr_mimebundle_()["text/html"].count(f"<div>{name}</div>") == 1
    inside = estimator_html_repr(make_pipeline(StandardScaler(), quick(Estimator)))
    assert inside.index("<div>StandardScaler</div>") < inside.index(f"<div>{name}</div>")
    for parameter in Estimator().get_params():
        assert f'<td class="param">{parameter}</td>' in unfitted


# -- beside other estimators ---------------------------------------------------------------------------------------


@every_estimator
def test_in_a_pipeline(Estimator):
    rate = 0.02 if Estimator in OF_STEPS + OF_TOKENS + OF_GRIDS + OF_PATCHES else 0.03
    # a token of four numbers learns or not as its initial weights are drawn, which differ in effect from BLAS to BLAS
    pipeline = make_pipeline(StandardScaler(), quick(Estimator, tol=1e-3, learning_rate_init=rate, width=8))
    shifted = 1e3 * X + 1e5  # hopeless without the scaler
    assert pipeline.fit(shifted, target(Estimator)).score(shifted, target(Estimator)) > 0.9


@every_estimator
def test_in_a_grid_search(Estimator):
    grid = {"tol": [0.1, 0.01], "early_stopping": [False, True]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(quick(Estimator), grid, cv=2, error_score="raise").fit(X, target(Estimator))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()


@every_estimator
def test_in_a_cross_validation(Estimator):
    found = cross_validate(
        quick(Estimator),
        X,
        target(Estimator),
        cv=3,
        return_estimator=True,
        return_train_score=True,
        error_score="raise",
    )
    assert np.isfinite(found["test_score"]).all()
    assert all(isinstance(estimator, Estimator) for estimator in found["estimator"])


@every_estimator
def test_kind_and_tags(Estimator):
    estimator = Estimator()
    assert is_classifier(estimator) != is_regressor(estimator)
    tags = estimator.__sklearn_tags__()
    assert tags.target_tags.required
    assert tags.input_tags.allow_nan == takes_nan(Estimator)
    assert tags.input_tags.sparse == takes_sparse(Estimator)


@every_estimator
def test_at_most_four_classes_of_ours_stand_between_an_estimator_and_scikit_learns_base(Estimator):
    between = [base for base in Estimator.__mro__[1:] if base.__module__.startswith("sknn.")]
    assert len(between) <= 4, between
