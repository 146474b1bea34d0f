"""The spaces in which tuning searches."""

import json
import warnings
from math import inf

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV, ParameterSampler, RandomizedSearchCV

from sknn import MLPRegressor
from sknn.study.choice import as_models, from_estimator
from sknn.study.data import DataSet
from sknn.study.models import BUILT_IN, OF_DENSITIES, OF_MAPS
from sknn.study.spaces import SPACES, LayerWidths, LogInteger, LogUniform, Uniform, describe, search_space

EVERY_MODEL = [(model, task) for model in (BUILT_IN | OF_MAPS | OF_DENSITIES).values() for task in model.makers]
TUNED = [pytest.param(*each, id=f"{each[0].name}-{each[1]}") for each in EVERY_MODEL if each[0].name != "dummy"]
DEAR = {"random_forest", "hist_gradient_boosting", "cnn", "rnn", "transformer", "resnet", "unet", "vae", "flow"}


def data_for(task, n=40):
    """Four features with a pattern, which can also be read as a signal; or signals whose steps are labelled."""
    X = np.random.RandomState(0).normal(size=(n, 4))
    if task == "density":
        return DataSet.from_arrays("toy", X, task=task)
    y = X[:, 0] + 0.1 * X[:, 1]
    if task == "classification":
        y = np.where(y > 0, "yes", "no")
    if task == "segmentation":
        return DataSet.from_arrays("toy", X[..., None], (X > 0).astype(int))
    return DataSet.from_arrays("toy", X, y, sample_shape=(4, 1))


@pytest.mark.parametrize(("model", "task"), EVERY_MODEL)
def test_every_model_but_the_dummy_can_be_tuned(model, task):
    assert bool(model.space(data_for(task))) == (model.name != "dummy")


@pytest.mark.parametrize(("model", "task"), TUNED)
def test_every_configuration_is_valid(model, task):
    data = data_for(task)
    draws = list(ParameterSampler(model.space(data), 20, random_state=0))
    for draw in draws[: 1 if model.name in DEAR else 20]:
        estimator = model.build(data, random_state=0).set_params(**draw)
        if model.name in ("rnn", "transformer", "resnet", "unet", "vae", "flow"):
            estimator.set_params(max_iter=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            estimator.fit(data.X, data.y)
        told = estimator.score_samples if task == "density" else estimator.predict
        assert len(told(data.X)) == data.n_samples


@pytest.mark.parametrize(("model", "task"), [each for each in TUNED if each.values[0].name in DEAR])
def test_parameters_are_those_of_the_estimator_and_within_its_bounds(model, task):
    data = data_for(task)
    for draw in ParameterSampler(model.space(data), 20, random_state=1):
        model.build(data, random_state=0).set_params(**draw)._validate_params()


@pytest.mark.parametrize(("model", "task"), TUNED)
def test_there_are_always_other_configurations(model, task):
    space = model.space(data_for(task))
    assert not all(isinstance(values, list) for values in space.values())  # of a finite space a search would complain
    draws = [str(draw) for draw in ParameterSampler(space, 10, random_state=0)]
    assert len(set(draws)) >= 8


@pytest.mark.parametrize(("model", "task"), TUNED)
def test_the_same_seed_gives_the_same_configurations(model, task):
    space, again = (model.space(data_for(task)) for _ in range(2))
    first, second, other = (
        list(ParameterSampler(each, 5, random_state=s)) for each, s in [(space, 1), (again, 1), (again, 2)]
    )
    assert first == second
    assert first != other
    assert joblib.hash(space) == joblib.hash(again)
    assert json.loads(json.dumps(first)) is not None


def test_a_search_finds_parameters_of_the_whole_pipeline():
    data = data_for("regression")
    for name in ("svm", "knn", "mlp"):
        model = BUILT_IN[name]
        search = RandomizedSearchCV(model.build(data, 0), model.space(data), n_iter=2, cv=2, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(data.X, data.y)
        assert search.best_params_.keys() == model.space(data).keys()


def test_names_follow_the_steps():
    assert set(BUILT_IN["ridge"].space(data_for("regression"))) == {"ridge__alpha"}
    assert "transformedtargetregressor__regressor__C" in BUILT_IN["svm"].space(data_for("regression"))
    assert "max_features" in BUILT_IN["random_forest"].space(data_for("regression"))


@pytest.mark.parametrize(("n_train", "most"), [(None, 10), (12, 6), (1, 1), (1000, 50)])
def test_there_are_never_more_neighbours_than_samples(n_train, most):
    space = BUILT_IN["knn"].space(data_for("regression", 40), n_train)
    assert space["kneighborsregressor__n_neighbors"] == LogInteger(1, most)


def test_estimators_by_their_class_are_tuned_and_your_own_are_not():
    data = data_for("classification")
    assert as_models(["RandomForestClassifier"])[0].space(data)
    own = from_estimator("mine", as_models(["RandomForestClassifier"])[0].build(data, 0))
    assert own.space(data) == {}


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (Uniform(0.1, 1), stats.uniform(0.1, 0.9)),
        (LogUniform(1e-6, 1), stats.loguniform(1e-6, 1)),
        (LogUniform(2, 8), stats.loguniform(2, 8)),
    ],
)
def test_distributions(distribution, expected):
    rng = np.random.RandomState(0)
    draws = [distribution.rvs(random_state=rng) for _ in range(500)]
    assert {type(draw) for draw in draws} == {float}
    assert stats.kstest(draws, expected.cdf).pvalue > 0.01


def test_integers_reach_both_ends():
    rng = np.random.RandomState(0)
    draws = [LogInteger(1, 4).rvs(random_state=rng) for _ in range(2000)]
    assert {type(draw) for draw in draws} == {int}
    shares = np.bincount(draws, minlength=5)[1:] / len(draws)
    np.testing.assert_allclose(shares, np.diff(np.log([1, 2, 3, 4, 5])) / np.log(5), atol=0.03)
    assert {LogInteger(3, 3).rvs(random_state=rng) for _ in range(50)} == {3}


def test_every_layer_has_a_width_of_its_own():
    rng = np.random.RandomState(0)
    draws = [LayerWidths(1, 4, fewest=0, most=3).rvs(random_state=rng) for _ in range(4000)]
    assert {type(width) for draw in draws for width in draw} == {int}
    np.testing.assert_allclose(np.bincount([len(draw) for draw in draws]) / len(draws), 0.25, atol=0.03)
    for position in range(3):
        widths = [draw[position] for draw in draws if len(draw) == 3]
        shares = np.bincount(widths, minlength=5)[1:] / len(widths)
        np.testing.assert_allclose(shares, np.diff(np.log([1, 2, 3, 4, 5])) / np.log(5), atol=0.06)
    threes = np.array([draw for draw in draws if len(draw) == 3])
    assert np.abs(np.corrcoef(threes.T) - np.eye(3)).max() < 0.1
    assert LayerWidths(8, 8, 2, 2).rvs() == (8, 8)
    assert LayerWidths(2, 90).rvs(random_state=3) == LayerWidths(2, 90).rvs(random_state=3)


@pytest.mark.parametrize("Search", [RandomizedSearchCV, HalvingRandomSearchCV])
def test_widths_are_found_by_searches(Search):
    data, widths = data_for("regression"), LayerWidths(2, 9, fewest=0)
    few = {"n_iter": 6} if Search is RandomizedSearchCV else {"n_candidates": 6, "min_resources": 20}
    search = Search(MLPRegressor(solver="lbfgs", max_iter=5), {"hidden_layer_sizes": widths}, random_state=0, **few)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(data.X, data.y)
    tried = list(search.cv_results_["param_hidden_layer_sizes"])
    assert all(isinstance(sizes, tuple) and len(sizes) <= 3 and all(2 <= n <= 9 for n in sizes) for sizes in tried)
    assert len(set(map(len, tried))) > 1
    assert search.best_params_["hidden_layer_sizes"] in tried


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ((0, 9), "low=0 and high=9 must be integers, 1 <= low <= high"),
        ((9, 2), "low=9 and high=2 must"),
        ((2, 9.5), r"low=2 and high=9\.5 must be integers"),
        ((2, 9, 3, 1), "fewest=3 and most=1 must be integers, 0 <= fewest <= most"),
        ((2, 9, -1, 1), "fewest=-1 and most=1 must"),
    ],
)
def test_ranges_of_widths_that_are_none_are_refused(ranges, message):
    with pytest.raises(ValueError, match=message):
        LayerWidths(*ranges)


def test_spaces_as_text():
    space = {
        "alpha": LogUniform(1e-6, 1),
        "share": Uniform(0.1, 1),
        "n": LogInteger(1, 50),
        "sizes": [(32,), (32, 32)],
        "nu": [0.5, inf, None],
        "widths": LayerWidths(4, 64),
    }
    assert describe(space).splitlines() == [
        "alpha: log-uniform 1e-06 to 1",
        "share: uniform 0.1 to 1",
        "n: log-uniform integer 1 to 50",
        "sizes: one of (32,), (32, 32)",
        "nu: one of 0.5, inf, None",
        "widths: 1 to 3 layers, each log-uniform integer 4 to 64",
    ]
    assert describe({}) == ""


def test_every_space_of_the_table_can_be_written():
    for space in SPACES.values():
        assert len(describe(space).splitlines()) == len(space)
        assert "object at" not in describe(space)


def test_a_space_of_its_own_for_every_call():
    data = data_for("classification")
    (estimator,) = as_models(["LogisticRegression"])
    search_space(estimator.makers["classification"](data), 100).clear()
    assert estimator.space(data)
