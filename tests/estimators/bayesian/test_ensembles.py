"""Ensembles: what members say together, that they are members trained alone, and that scikit-learn's say the same."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, RepeatedKFold, TimeSeriesSplit, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sknn
from sknn import (
    CNNClassifier,
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    PerceptronClassifier,
    RNNRegressor,
    UNetRegressor,
)
from sknn.estimators.bayesian.disagreement import spread
from sknn.posteriors import class_uncertainty, mean_of_draws
from sknn.template import side_by_side

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # a few epochs are enough

X, NUMBERS = (np.ascontiguousarray(each[:150]) for each in load_diabetes(return_X_y=True))
FLOWERS, KINDS = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(150)
FLOWERS, KINDS = FLOWERS[ORDER], np.array(["setosa", "versicolor", "virginica"])[KINDS[ORDER]]
TWO = np.where(KINDS == "virginica", "yes", "no")
WEIGHT = np.random.default_rng(1).uniform(0.5, 2.0, 150)
FEW = {
    "hidden_layer_sizes": 6,
    "max_iter": 8,
    "batch_size": 32,
    "learning_rate_init": 0.02,
    "input_scaling": "standard",
}
REGRESSOR, CLASSIFIER = MLPRegressor(**FEW), MLPClassifier(**FEW)
DATA = {EnsembleRegressor: (REGRESSOR, X, NUMBERS), EnsembleClassifier: (CLASSIFIER, FLOWERS, KINDS)}

both = pytest.mark.parametrize("Ensemble", DATA)


@pytest.fixture
def together(monkeypatch):
    """How many networks took their steps together, group by group."""
    sizes = []

    def noted(trainings):
        sizes.append(len(trainings))
        return train(trainings)

    train = side_by_side.train_side_by_side
    monkeypatch.setattr(side_by_side, "train_side_by_side", noted)
    return sizes


def draws_of(members, X, method):
    return np.stack([getattr(member, method)(X) for member in members])


def says(ensemble):
    return "predict_proba" if isinstance(ensemble, EnsembleClassifier) else "predict"


# -- what several predictions say together -------------------------------------------------------------------------


def test_mean_and_spread_of_a_mixture_by_hand():
    draws = np.array([[1.0, 5.0], [3.0, 5.0], [8.0, 5.0]])
    assert_allclose(mean_of_draws(draws), [4.0, 5.0], atol=1e-15)
    assert_allclose(spread(draws) ** 2, [(9 + 1 + 16) / 3, 0.0], atol=1e-14)
    assert_allclose(mean_of_draws(draws, [1, 1, 2]), [5.0, 5.0], atol=1e-15)
    assert_allclose(spread(draws, [1, 1, 2]) ** 2, [(16 + 4 + 2 * 9) / 4, 0.0], atol=1e-14)


def test_mutual_information_by_hand():
    draws = np.array([[[0.9, 0.1]], [[0.5, 0.5]]])
    total = -0.7 * np.log(0.7) - 0.3 * np.log(0.3)
    noise = (-0.9 * np.log(0.9) - 0.1 * np.log(0.1) + np.log(2)) / 2
    found = [class_uncertainty(draws, kind)[0] for kind in ("total", "noise", "epistemic")]
    assert_allclose(found, [total, noise, total - noise], atol=1e-15)
    weighted = 0.8, 0.2
    total = -np.dot(weighted, np.log(weighted))
    noise = (3 * (-0.9 * np.log(0.9) - 0.1 * np.log(0.1)) + np.log(2)) / 4
    assert_allclose(class_uncertainty(draws, "epistemic", [3, 1]), total - noise, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_draws_that_are_the_same_differ_by_nothing(n, dtype):
    probability = np.random.default_rng(0).dirichlet([1, 1, 1], size=50).astype(dtype)
    draws, weights = np.stack([probability] * n), np.arange(1, n + 1)
    for given in (None, weights):
        assert_array_equal(mean_of_draws(draws, given), probability)
        assert_array_equal(spread(draws, given), 0.0)
        assert_array_equal(class_uncertainty(draws, "epistemic", given), 0.0)
        found = mean_of_draws(draws, given), spread(draws, given), class_uncertainty(draws, "total", given)
        assert {each.dtype for each in found} == {np.dtype(dtype)}


# -- members -------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("options", [{}, {"early_stopping": True, "n_iter_no_change": 1, "max_iter": 40}])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_members_side_by_side_are_members_alone_to_the_bit(together, Ensemble, options, weight):
    network, x, y = DATA[Ensemble]
    network = clone(network).set_params(**options)
    ensemble = Ensemble(network, random_state=0).fit(x, y, weight)
    assert together == [5]
    seeds = [member.random_state for member in ensemble.estimators_]
    assert len(set(seeds)) == 5
    alone = [clone(network).set_params(random_state=seed).fit(x, y, weight) for seed in seeds]
    for member, other in zip(ensemble.estimators_, alone, strict=True):
        assert_array_equal(member.network_.theta, other.network_.theta)
        assert member.loss_curve_ == other.loss_curve_
        assert member.validation_scores_ == other.validation_scores_
    assert not options or len({member.n_iter_ for member in alone}) > 1  # each stops by itself
    assert_array_equal(ensemble.predict_draws(x), draws_of(alone, x, says(ensemble)))


@both
def test_several_processes_fit_the_same(Ensemble):
    network, x, y = DATA[Ensemble]
    one, two = (
        Ensemble(network, 3, method="stacking", cv=2, bootstrap=True, n_jobs=n_jobs, random_state=0).fit(x, y)
        for n_jobs in (None, 2)
    )
    assert_array_equal(two.predict_draws(x), one.predict_draws(x))
    assert_array_equal(two.predict(x), one.predict(x))


@both
def test_the_random_state_governs_members(Ensemble):
    network, x, y = DATA[Ensemble]
    one, same, other = (
        Ensemble(network, 2, bootstrap=True, random_state=k).fit(x, y).predict_draws(x) for k in (0, 0, 1)
    )
    assert_array_equal(one, same)
    assert (one != other).any(axis=tuple(range(1, one.ndim))).all()


@both
def test_each_of_a_list_keeps_the_random_state_it_has(Ensemble):
    network, x, y = DATA[Ensemble]
    members = [clone(network).set_params(random_state=7), network]
    for random_state in (None, 0):
        found = Ensemble(members, random_state=random_state).fit(x, y).estimators_
        assert found[0].random_state == 7
        assert isinstance(found[1].random_state, int)
    assert members[1].random_state is None
    twice = Ensemble(members, 2, random_state=0).fit(x, y)
    assert len({member.random_state for member in twice.estimators_} - {7}) == 4
    names = [f"{type(network).__name__.lower()}-{k}" for k in ("1-1", "1-2", "2-1", "2-2")]
    assert list(twice.named_estimators_) == names


@both
def test_random_states_inside_of_a_pipeline_are_set(Ensemble):
    network, x, y = DATA[Ensemble]
    ensemble = Ensemble(make_pipeline(StandardScaler(), network), 2, random_state=0).fit(x, y)
    assert len({member[-1].random_state for member in ensemble.estimators_}) == 2


@both
def test_identical_members_do_not_disagree(Ensemble):
    network, x, y = DATA[Ensemble]
    twin = clone(network).set_params(random_state=0)
    ensemble = Ensemble([twin] * 3).fit(x, y)
    assert_array_equal(ensemble.uncertainty(x), 0.0)
    assert_array_equal(ensemble.predict(x), clone(twin).fit(x, y).predict(x))


@both
def test_bootstrap_draws_the_samples_of_each_member(together, Ensemble):
    network, x, y = DATA[Ensemble]
    ensemble = Ensemble(network, 3, bootstrap=True, random_state=5).fit(x, y)
    assert together == [3]
    rng = np.random.RandomState(5)
    seeds = [rng.randint(np.iinfo(np.int32).max) for _ in range(3)]
    for member, seed in zip(ensemble.estimators_, seeds, strict=True):
        rows = rng.randint(150, size=150)
        alone = clone(network).set_params(random_state=seed).fit(x[rows], y[rows])
        assert_array_equal(member.network_.theta, alone.network_.theta)
    assert not Ensemble().bootstrap


@both
def test_a_sample_without_weight_is_none(Ensemble):
    network, x, y = DATA[Ensemble]
    weight = np.where(np.arange(150) < 100, WEIGHT, 0.0)
    for params in ({}, {"bootstrap": True}, {"method": "stacking", "cv": 2}):
        ensemble = Ensemble(network, 2, random_state=0, **params)
        expected = clone(ensemble).fit(x[:100], y[:100], weight[:100])
        assert_array_equal(ensemble.fit(x, y, weight).predict(x), expected.predict(x))


# -- as scikit-learn has them --------------------------------------------------------------------------------------

REGRESSORS = [
    ("network", clone(REGRESSOR).set_params(random_state=0)),
    ("line", Ridge()),
    ("forest", RandomForestRegressor(5, random_state=0)),
]
CLASSIFIERS = [
    ("network", clone(CLASSIFIER).set_params(random_state=0)),
    ("line", LogisticRegression()),
    ("forest", RandomForestClassifier(5, max_depth=2, random_state=0)),
]


@pytest.mark.parametrize("weights", [None, [1, 0.5, 3]])
def test_the_mean_is_that_of_voting_regressors(weights):
    expected = VotingRegressor(REGRESSORS, weights=weights).fit(X, NUMBERS, sample_weight=WEIGHT)
    ensemble = EnsembleRegressor(REGRESSORS, weights=weights).fit(X, NUMBERS, WEIGHT)
    assert_allclose(ensemble.predict(X), expected.predict(X), rtol=1e-12)
    assert_array_equal(ensemble.transform(X), expected.transform(X))
    draws = ensemble.predict_draws(X)
    variance = np.average((draws - expected.predict(X)) ** 2, axis=0, weights=weights)
    assert_allclose(ensemble.uncertainty(X) ** 2, variance, rtol=1e-9)


@pytest.mark.parametrize("y", [KINDS, TWO], ids=["three", "two"])
@pytest.mark.parametrize("weights", [None, [1, 0.5, 3]])
@pytest.mark.parametrize(("method", "voting"), [("mean", "soft"), ("vote", "hard")])
def test_mean_and_vote_are_those_of_voting_classifiers(method, voting, weights, y):
    expected = VotingClassifier(CLASSIFIERS, voting=voting, weights=weights).fit(FLOWERS, y, sample_weight=WEIGHT)
    ensemble = EnsembleClassifier(CLASSIFIERS, method=method, weights=weights).fit(FLOWERS, y, WEIGHT)
    assert_array_equal(ensemble.predict(FLOWERS), expected.predict(FLOWERS))
    assert_array_equal(ensemble.transform(FLOWERS), expected.transform(FLOWERS))
    if voting == "soft":
        assert_allclose(ensemble.predict_proba(FLOWERS), expected.predict_proba(FLOWERS), rtol=1e-12)


def test_of_as_many_votes_the_first_class_wins():
    members = [("a", KNeighborsClassifier(1)), ("b", RandomForestClassifier(1, max_depth=1, random_state=1))]
    expected = VotingClassifier(members).fit(FLOWERS, KINDS)
    found = EnsembleClassifier(members, method="vote").fit(FLOWERS, KINDS)
    assert (found.transform(FLOWERS).T[0] != found.transform(FLOWERS).T[1]).any()
    assert_array_equal(found.predict(FLOWERS), expected.predict(FLOWERS))


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
@pytest.mark.parametrize("final", [None, Ridge(3.0)])
def test_stacking_is_that_of_stacking_regressors(final, weight):
    cv = KFold(3, shuffle=True, random_state=0)
    weights = {} if weight is None else {"sample_weight": weight}
    expected = StackingRegressor(REGRESSORS, final, cv=cv).fit(X, NUMBERS, **weights)
    ensemble = EnsembleRegressor(REGRESSORS, method="stacking", final_estimator=final, cv=cv).fit(X, NUMBERS, weight)
    assert_allclose(ensemble.final_estimator_.coef_, expected.final_estimator_.coef_, rtol=1e-12)
    assert_allclose(ensemble.predict(X), expected.predict(X), rtol=1e-12)


@pytest.mark.parametrize("y", [KINDS, TWO], ids=["three", "two"])
@pytest.mark.parametrize("members", [CLASSIFIERS, [*CLASSIFIERS, ("margin", RidgeClassifier())]], ids=["", "margins"])
def test_stacking_is_that_of_stacking_classifiers(y, members):
    members = [*members, ("labels", PerceptronClassifier(random_state=0))]
    expected = StackingClassifier(members, cv=3).fit(FLOWERS, y)
    ensemble = EnsembleClassifier(members, method="stacking", cv=3, random_state=0).fit(FLOWERS, y)
    assert_array_equal(ensemble.transform(FLOWERS), expected.transform(FLOWERS))
    assert_allclose(ensemble.final_estimator_.coef_, expected.final_estimator_.coef_, rtol=1e-12)
    for method in ("predict_proba", "decision_function"):
        assert_allclose(getattr(ensemble, method)(FLOWERS), getattr(expected, method)(FLOWERS), rtol=1e-12)
    assert_array_equal(ensemble.predict(FLOWERS), expected.predict(FLOWERS))
    assert len(ensemble.get_feature_names_out()) == ensemble.transform(FLOWERS).shape[1]


# -- stacking ------------------------------------------------------------------------------------------------------


def test_a_stack_is_told_the_groups():
    members, groups = [Ridge(), KNeighborsRegressor()], np.arange(150) % 10
    ensemble = EnsembleRegressor(members, method="stacking", cv=GroupKFold(5)).fit(X, NUMBERS, groups=groups)
    folds = list(GroupKFold(5).split(X, groups=groups))
    assert_array_equal(
        ensemble.predict(X), EnsembleRegressor(members, method="stacking", cv=folds).fit(X, NUMBERS).predict(X)
    )


def test_networks_are_told_the_groups_and_refuse_to_divide_them():
    ensemble = EnsembleRegressor(clone(REGRESSOR).set_params(early_stopping=True), 2)
    with pytest.raises(ValueError, match=r"validation_fraction=0.1 would divide the groups"):
        ensemble.fit(X, NUMBERS, groups=np.arange(150) % 10)


def test_the_first_steps_of_a_series_only_train_members():
    ensemble = EnsembleRegressor(
        [Ridge(), KNeighborsRegressor()], method="stacking", cv=TimeSeriesSplit(3), final_estimator=Ridge()
    )
    folds = list(TimeSeriesSplit(3).split(X))
    said = [
        np.column_stack([clone(each).fit(X[a], NUMBERS[a]).predict(X[b]) for each in ensemble.estimator])
        for a, b in folds
    ]
    expected = Ridge().fit(np.concatenate(said), NUMBERS[np.concatenate([b for _, b in folds])])
    assert_allclose(ensemble.fit(X, NUMBERS).final_estimator_.coef_, expected.coef_, rtol=1e-12)


def test_a_class_that_a_fold_lacks_has_no_probability_there():
    y = np.where(np.arange(150) < 3, "rare", TWO)
    folds = [(np.arange(75, 150), np.arange(75)), (np.arange(75), np.arange(75, 150))]
    members = [("network", CLASSIFIER), ("line", LogisticRegression())]
    ensemble = EnsembleClassifier(members, method="stacking", cv=folds, random_state=0).fit(FLOWERS, y)
    assert ensemble.predict_proba(FLOWERS).shape == (150, 3)
    with pytest.raises(ValueError, match=r"RidgeClassifier was fitted to samples without the class\(es\) \['rare'\]"):
        EnsembleClassifier(RidgeClassifier(), method="stacking", cv=folds).fit(FLOWERS, y)


# -- whatever members take -----------------------------------------------------------------------------------------


def test_images():
    images = np.random.default_rng(0).normal(size=(24, 6, 6, 1))
    y = np.arange(24) % 2
    images[y == 1, :3] += 2
    network = CNNClassifier(4, kernel_size=3, hidden_layer_sizes=(), max_iter=30, learning_rate_init=0.03)
    for params in ({"bootstrap": True}, {"method": "stacking", "cv": 2}):
        ensemble = EnsembleClassifier(network, 2, random_state=0, **params).fit(images, y)
        assert ensemble.predict_draws(images).shape == (2, 24, 2)
        assert ensemble.score(images, y) > 0.9


def test_maps():
    images = np.random.default_rng(0).normal(size=(6, 8, 8, 1))
    network = UNetRegressor(filters=2, depth=1, max_iter=2)
    ensemble = EnsembleRegressor(network, 2, random_state=0).fit(images, images[..., 0])
    assert_allclose(ensemble.predict(images), draws_of(ensemble.estimators_, images, "predict").mean(axis=0), atol=1e-6)
    assert ensemble.uncertainty(images).shape == (6, 8, 8)


@pytest.mark.parametrize("params", [{}, {"bootstrap": True}, {"method": "stacking", "cv": 2}])
def test_series_of_different_lengths(params):
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(n, 2)) for n in rng.integers(3, 9, size=30)]
    y = np.array([each.mean() for each in series])
    ensemble = EnsembleRegressor(RNNRegressor(3, max_iter=3), 2, random_state=0, **params).fit(series, y)
    assert ensemble.predict(series).shape == ensemble.uncertainty(series).shape == (30,)


def test_several_outputs():
    Y = np.column_stack([NUMBERS, -2 * NUMBERS])
    ensemble = EnsembleRegressor([LinearRegression(), REGRESSOR], random_state=0).fit(X, Y)
    draws = ensemble.predict_draws(X)
    assert draws.shape == (2, 150, 2)
    assert_allclose(ensemble.predict(X), draws.mean(axis=0), rtol=1e-6)
    assert_allclose(ensemble.uncertainty(X), draws.std(axis=0), rtol=1e-4)
    assert_array_equal(ensemble.transform(X), np.hstack(list(draws)))
    names = [f"ensembleregressor_{name}_{k}" for name in ("linearregression", "mlpregressor") for k in range(2)]
    assert ensemble.get_feature_names_out().tolist() == names
    assert ensemble.set_params(method="stacking").fit(X, Y).predict(X).shape == (150, 2)


def test_fitted_members_are_used_as_they_are():
    members = [LinearRegression().fit(X, NUMBERS), KNeighborsRegressor().fit(X, NUMBERS)]
    ensemble = EnsembleRegressor([FrozenEstimator(each) for each in members]).fit(X[:2], NUMBERS[:2])
    assert_allclose(ensemble.predict(X), draws_of(members, X, "predict").mean(axis=0), rtol=1e-12)
    frozen = FrozenEstimator(LogisticRegression().fit(FLOWERS, KINDS))
    with pytest.raises(ValueError, match=r"knows the labels \['setosa', 'versicolor', 'virginica'\], but y has"):
        EnsembleClassifier(frozen, 1).fit(FLOWERS, TWO)


# -- classes -------------------------------------------------------------------------------------------------------


def test_uncertainty_of_classes_is_that_of_the_draws():
    ensemble = EnsembleClassifier(CLASSIFIERS, weights=[1, 2, 3]).fit(FLOWERS, KINDS)
    draws = ensemble.predict_draws(FLOWERS)
    for kind in ("epistemic", "noise", "total"):
        assert_array_equal(ensemble.uncertainty(FLOWERS, kind), class_uncertainty(draws, kind, [1, 2, 3]))
    assert (ensemble.uncertainty(FLOWERS) > 0).all()
    with pytest.raises(ValueError, match="kind='votes' is unknown; choose one of 'epistemic', 'noise', 'total'"):
        ensemble.uncertainty(FLOWERS, "votes")


def test_scores_of_samples_are_their_log_probabilities():
    ensemble = EnsembleClassifier(CLASSIFIERS).fit(FLOWERS, KINDS)
    scores = ensemble.score_samples(FLOWERS, KINDS)
    assert_allclose(-scores.mean(), log_loss(KINDS, ensemble.predict_proba(FLOWERS)), rtol=1e-6)
    each = [log_loss(KINDS, member.predict_proba(FLOWERS)) for member in ensemble.estimators_]
    assert -scores.mean() <= np.mean(each)
    assert ensemble.score_samples(FLOWERS[:1], ["rose"]) == [-np.inf]


def test_a_bootstrap_sample_may_lack_a_class():
    y = np.where(np.arange(150) == 0, "rare", KINDS)
    ensemble = EnsembleClassifier(CLASSIFIER, 4, bootstrap=True, random_state=0).fit(FLOWERS, y)
    assert {len(member.classes_) for member in ensemble.estimators_} == {3, 4}
    assert_allclose(ensemble.predict_proba(FLOWERS).sum(axis=1), 1.0, rtol=1e-6)


METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "uncertainty")
KNOWN = {
    "mean": ({}, {"predict", "predict_proba", "predict_log_proba", "score_samples", "uncertainty"}),
    "vote": ({"method": "vote"}, {"predict", "uncertainty"}),
    "votes of labels": ({"method": "vote", "estimator": PerceptronClassifier()}, {"predict"}),
    "a stack": ({"method": "stacking"}, set(METHODS)),
    "a stack that decides": (
        {"method": "stacking", "final_estimator": RidgeClassifier()},
        {"predict", "decision_function", "uncertainty"},
    ),
    "a stack of labels": ({"method": "stacking", "estimator": RidgeClassifier()}, set(METHODS) - {"uncertainty"}),
}


@pytest.mark.parametrize(("params", "known"), KNOWN.values(), ids=KNOWN)
def test_methods_are_there_where_they_make_sense(params, known):
    ensemble = EnsembleClassifier(**{"estimator": CLASSIFIER, "n_members": 2, "cv": 2, **params})
    for model in (ensemble, clone(ensemble).fit(FLOWERS, KINDS)):
        assert {name for name in METHODS if hasattr(model, name)} == known


# -- refusals ------------------------------------------------------------------------------------------------------

REFUSED = {
    "no estimator": ({"estimator": [3]}, {}, r"estimator=\[3\] must be an estimator, or a list"),
    "none at all": ({"estimator": []}, {}, "must be an estimator, or a list"),
    "one name twice": ({"estimator": [("a", Ridge()), ("a", Ridge())]}, {}, "'a': names must differ"),
    "no members": ({"n_members": 0}, {}, "'n_members' parameter .* must be"),
    "another method": ({"method": "median"}, {}, "'method' parameter .* must be"),
    "weights of others": ({"weights": [1, 2]}, {}, r"weights=\[1, 2\] must be 3 numbers, one for each member"),
    "a weight below 0": ({"weights": [1, 2, -1]}, {}, "none below 0"),
    "no weight": ({"weights": [0, 0, 0]}, {}, "not all 0"),
    "weights of a stack": ({"method": "stacking", "weights": [1, 1, 1]}, {}, "does not apply with method='stacking'"),
    "samples twice": ({"method": "stacking", "cv": RepeatedKFold(n_splits=2, n_repeats=2)}, {}, "several test parts"),
    "no y": ({}, {"y": None}, "requires y"),
    "fewer targets": ({}, {"y": NUMBERS[:7]}, "inconsistent numbers of samples"),
    "weights of samples": ({}, {"sample_weight": -WEIGHT}, "Negative values"),
    "nothing counts": ({}, {"sample_weight": 0 * WEIGHT}, "at least one non-zero"),
    "NaN": ({}, {"X": np.full_like(X, np.nan)}, "Input X contains NaN"),
}
OF_REGRESSORS = {
    "a classifier": ({"estimator": CLASSIFIER}, {}, "is no regressor; for classes there is EnsembleClassifier"),
    "a transformer that predicts": ({"estimator": [Ridge(), StandardScaler()]}, {}, "is no regressor"),
    "a final classifier": (
        {"method": "stacking", "final_estimator": CLASSIFIER},
        {},
        "(?s)final_estimator=.* no regressor",
    ),
}
OF_CLASSIFIERS = {
    "a regressor": (
        {"estimator": REGRESSOR},
        {},
        "is no classifier of samples; for numbers there is EnsembleRegressor",
    ),
    "without probabilities": (
        {"estimator": RidgeClassifier()},
        {},
        "(?s)estimator=RidgeClassifier.*has no predict_proba.*'vote' or 'stacking'",
    ),
    "a final regressor": (
        {"method": "stacking", "final_estimator": Ridge()},
        {},
        "(?s)final_estimator=.* no classifier",
    ),
    "several columns": ({}, {"y": np.column_stack([KINDS, TWO])}, r"\(150, 2\).*one label for each sample"),
    "numbers": ({}, {"y": NUMBERS + 0.5}, "Unknown label type"),
}
CASES = [
    *((EnsembleRegressor, name, case) for name, case in {**REFUSED, **OF_REGRESSORS}.items()),
    *(
        (EnsembleClassifier, name, case)
        for name, case in {**REFUSED, **OF_CLASSIFIERS}.items()
        if name != "one name twice"
    ),
]


@pytest.mark.parametrize(
    ("Ensemble", "case"), [pytest.param(E, case, id=f"{E.__name__}: {name}") for E, name, case in CASES]
)
@pytest.mark.parametrize("earlier", [False, True], ids=["", "after a fit"])
def test_what_is_wrong_is_named_and_the_ensemble_is_left_as_it_was(Ensemble, case, earlier):
    params, data, message = case
    network, x, y = DATA[Ensemble]
    ensemble = Ensemble(network, 3, random_state=0)
    if earlier:
        ensemble.fit(x, y)
    ensemble.set_params(**params)
    before = pickle.dumps(ensemble)
    with pytest.raises(ValueError, match=message):
        ensemble.fit(**{"X": x, "y": y, **data})
    assert pickle.dumps(ensemble) == before


@both
def test_a_member_that_fails_takes_nothing_with_it(Ensemble):
    network, x, y = DATA[Ensemble]
    ensemble = Ensemble([network, clone(network).set_params(max_iter=1)], random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Warning, match="converged"):
            ensemble.fit(x, y)
    assert vars(ensemble) == vars(Ensemble(ensemble.estimator, random_state=0))


@both
def test_weights_of_samples_need_members_that_take_them(Ensemble):
    network, x, y = DATA[Ensemble]
    neighbours = KNeighborsClassifier() if Ensemble is EnsembleClassifier else KNeighborsRegressor()
    with pytest.raises(TypeError, match=r"sample_weight was given, but KNeighbors\w+ takes none"):
        Ensemble([network, make_pipeline(StandardScaler(), neighbours)]).fit(x, y, WEIGHT)


@both
def test_weights_reach_the_network_in_a_pipeline(Ensemble):
    network, x, y = DATA[Ensemble]
    piped = Ensemble(make_pipeline(FunctionTransformer(), network), 2, random_state=0).fit(x, y, WEIGHT)
    assert_array_equal(piped.predict(x), Ensemble(network, 2, random_state=0).fit(x, y, WEIGHT).predict(x))


@pytest.mark.parametrize("kind", ["noise", "total", "votes"])
def test_regressors_know_nothing_of_the_noise(kind):
    ensemble = EnsembleRegressor([Ridge(), LinearRegression()]).fit(X, NUMBERS)
    with pytest.raises(ValueError, match=f"kind='{kind}' does not apply.*nothing of the noise.*ConformalRegressor"):
        ensemble.uncertainty(X, kind)


@both
def test_before_a_fit_there_is_nothing(Ensemble):
    ensemble = Ensemble()
    assert not hasattr(ensemble, "n_features_in_")
    assert not hasattr(ensemble, "named_estimators_")
    for method in ("predict", "predict_draws", "uncertainty", "transform"):
        with pytest.raises(NotFittedError):
            getattr(ensemble, method)(X)


# -- as estimators -------------------------------------------------------------------------------------------------


@both
def test_by_default_there_are_five_networks_that_scale_their_inputs(Ensemble):
    _, x, y = DATA[Ensemble]
    members = Ensemble(random_state=0).fit(x[:30], y[:30]).estimators_
    assert len(members) == 5
    assert {(type(member), member.input_scaling) for member in members} == {
        (MLPRegressor if Ensemble is EnsembleRegressor else MLPClassifier, "standard")
    }


@both
def test_searches_reach_into_members(Ensemble):
    network, x, y = DATA[Ensemble]
    line = Ridge() if Ensemble is EnsembleRegressor else LogisticRegression()
    one = Ensemble(network, 2, random_state=0)
    search = GridSearchCV(one, {"estimator__alpha": [0.0, 1.0], "n_members": [1, 2]}, cv=2, error_score="raise").fit(
        x, y
    )
    assert len(search.best_estimator_.estimators_) == search.best_params_["n_members"]
    several = Ensemble([("network", network), ("line", line)], random_state=0)
    search = GridSearchCV(several, {"estimator__network__hidden_layer_sizes": [3], "method": ["stacking"]}, cv=2).fit(
        x, y
    )
    assert search.best_estimator_.named_estimators_.network.hidden_layer_sizes == 3
    assert network.hidden_layer_sizes == 6
    assert np.isfinite(cross_val_score(several, x, y, cv=2)).all()


@both
def test_tables_pickles_files_and_names(Ensemble, tmp_path):
    network, x, y = DATA[Ensemble]
    frame = pd.DataFrame(x, columns=[f"column {k}" for k in range(x.shape[1])])
    ensemble = Ensemble([("a", network), ("b", clone(network))], method="stacking", cv=2, random_state=0).fit(frame, y)
    assert ensemble.feature_names_in_.tolist() == list(frame)
    assert ensemble.n_features_in_ == x.shape[1]
    assert list(ensemble.named_estimators_) == ["a", "b"]
    sknn.save(ensemble, tmp_path / "ensemble")
    for copy in (pickle.loads(pickle.dumps(ensemble)), sknn.load(tmp_path / "ensemble")):
        assert_array_equal(copy.predict(frame), ensemble.predict(frame))
        assert_array_equal(copy.uncertainty(frame), ensemble.uncertainty(frame))
    features = ensemble.set_output(transform="pandas").transform(frame)
    prefix = Ensemble.__name__.lower()
    columns = ["a", "b"] if Ensemble is EnsembleRegressor else [f"{name}_{k}" for name in "ab" for k in range(3)]
    assert list(features) == [f"{prefix}_{column}" for column in columns]


def test_weights_are_those_of_the_fit():
    ensemble = EnsembleRegressor(REGRESSORS, weights=[1, 0.5, 3]).fit(X, NUMBERS)
    before = ensemble.predict(X)
    assert_array_equal(ensemble.set_params(weights=[1.0]).predict(X), before)
    with pytest.raises(ValueError, match="one for each member"):
        ensemble.fit(X, NUMBERS)
    assert_array_equal(ensemble.predict(X), before)
