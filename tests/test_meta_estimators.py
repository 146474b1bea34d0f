"""scikit-learn's tools around a network: what they find is right, not only that they run.

All networks learn the same tasks, which a plane separates: six features, a signal of six steps for a convolution.
"""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_moons
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import balanced_accuracy_score, brier_score_loss
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor

from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, PerceptronClassifier, PerceptronRegressor

matplotlib.use("Agg")

RNG = np.random.RandomState(0)
SLOPES = np.array([2.0, -1.0, 1.0, 0.0, 0.0, 0.0])  # the last three features say nothing
X = RNG.normal(size=(400, 6))
X_train, X_test = X[:200], X[200:]
NUMBERS = X @ SLOPES + 3.0
CLASSES = np.array(["no", "yes"])[(X @ SLOPES > 0).astype(int)]
THREE = np.array(["a", "b", "c"])[np.argmax(X[:, :3], axis=1)]
NOISY = (X @ SLOPES + 2 * RNG.normal(size=400) > 0).astype(int)
RARE = (X @ SLOPES + RNG.normal(size=400) > 3.5).astype(int)  # about one in ten, not quite separable

TRAINING = {"learning_rate_init": 0.03, "tol": 0.01, "n_iter_no_change": 3, "random_state": 0}
CLASSIFIERS = {
    "MLP": MLPClassifier(8, batch_size=32, **TRAINING),
    "perceptron": PerceptronClassifier(),
    "perceptron, sgd": PerceptronClassifier(solver="sgd", batch_size=16, eta0=0.3),
    "CNN": CNNClassifier(4, padding="valid", pooling=None, hidden_layer_sizes=(), **TRAINING),
}
REGRESSORS = {
    "MLP": MLPRegressor(8, batch_size=32, **TRAINING),
    "perceptron": PerceptronRegressor(),
    "CNN": CNNRegressor(4, padding="valid", pooling=None, hidden_layer_sizes=(), **TRAINING),
}

every_classifier = pytest.mark.parametrize("network", CLASSIFIERS.values(), ids=CLASSIFIERS)
every_regressor = pytest.mark.parametrize("network", REGRESSORS.values(), ids=REGRESSORS)
every_probability = pytest.mark.parametrize(
    "network",
    [network for name, network in CLASSIFIERS.items() if name != "perceptron"],
    ids=[name for name in CLASSIFIERS if name != "perceptron"],
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def scored(model, y):
    """The score on new samples of a model fitted here."""
    return model.fit(X_train, y[:200]).score(X_test, y[200:])


# -- looking -------------------------------------------------------------------------------------------------------


def on_a_plane(network):
    """The network for two features."""
    return clone(network).set_params(**({"kernel_size": 2} if "kernel_size" in network.get_params() else {}))


def on_the_grid(display, answers):
    """Answers to the points of a display's grid, in its shape."""
    points = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    return answers(points).reshape(*display.xx0.shape, *np.shape(answers(points[:1]))[1:])


@every_classifier
def test_decision_boundary_display_shows_the_predicted_classes(network):
    model = on_a_plane(network).fit(X_train[:, :2], THREE[:200])
    display = DecisionBoundaryDisplay.from_estimator(
        model, X_train[:, :2], response_method="predict", grid_resolution=30
    )
    assert_array_equal(model.classes_[display.response.astype(int)], on_the_grid(display, model.predict))
    assert len(np.unique(display.response)) > 1


@every_probability
def test_decision_boundary_display_shows_the_probability_of_the_second_class(network):
    model = on_a_plane(network).fit(X_train[:, :2], CLASSES[:200])
    display = DecisionBoundaryDisplay.from_estimator(
        model, X_train[:, :2], response_method="predict_proba", grid_resolution=30
    )
    expected = on_the_grid(display, lambda points: model.predict_proba(points)[:, 1])
    assert_allclose(display.response, expected, atol=1e-12)
    right, left = display.xx0 > 1, display.xx0 < -1
    assert display.response[right].mean() > 0.8 > 0.2 > display.response[left].mean()


@every_regressor
def test_partial_dependence_display_shows_the_slopes(network):
    model = clone(network).fit(X_train, NUMBERS[:200])
    display = PartialDependenceDisplay.from_estimator(
        model, X_train, features=[0, 1, 4], grid_resolution=10, method="brute"
    )
    for feature, found in zip([0, 1, 4], display.pd_results, strict=True):
        slope = np.polyfit(found["grid_values"][0], found["average"][0], 1)[0]
        assert abs(slope - SLOPES[feature]) < 0.25


@every_classifier
def test_partial_dependence_of_a_class_rises_with_its_feature(network):
    model = clone(network).fit(X_train, CLASSES[:200])
    display = PartialDependenceDisplay.from_estimator(model, X_train, features=[0], grid_resolution=10, method="brute")
    average = display.pd_results[0]["average"][0]
    assert np.all(np.diff(average) >= 0)
    assert average[-1] > average[0] + 0.3


@pytest.mark.parametrize(
    ("network", "y"),
    [
        *((network, CLASSES) for network in CLASSIFIERS.values()),
        *((network, NUMBERS) for network in REGRESSORS.values()),
    ],
    ids=[*CLASSIFIERS, *(f"{name} regressor" for name in REGRESSORS)],
)
def test_permutation_importance_ranks_the_features(network, y):
    model = clone(network).fit(X_train, y[:200])
    importance = permutation_importance(model, X_test, y[200:], n_repeats=5, random_state=0).importances_mean
    assert np.argmax(importance) == 0
    assert importance[:3].min() > 3 * np.abs(importance[3:]).max()


# -- probabilities and thresholds ----------------------------------------------------------------------------------


@every_classifier
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_gives_probabilities_that_fit_the_frequencies(network, method):
    model = CalibratedClassifierCV(network, method=method, cv=3, ensemble=False).fit(X_train, NOISY[:200])
    probability = model.predict_proba(X_test)
    assert_allclose(probability.sum(axis=1), 1.0)
    assert brier_score_loss(NOISY[200:], probability[:, 1]) < 0.2  # of a coin 0.25
    likely = probability[:, 1] > 0.5
    assert NOISY[200:][likely].mean() == pytest.approx(probability[likely, 1].mean(), abs=0.15)


@every_classifier
def test_a_tuned_threshold_finds_more_of_a_rare_class(network):
    plain = clone(network).fit(X_train, RARE[:200])
    tuned = TunedThresholdClassifierCV(network, scoring="balanced_accuracy", cv=3, random_state=0)
    tuned.fit(X_train, RARE[:200])
    found = tuned.predict(X_test)
    method = "predict_proba" if hasattr(plain, "predict_proba") else "decision_function"
    response = getattr(tuned.estimator_, method)(X_test)
    positive = response[:, 1] if response.ndim == 2 else response
    assert_array_equal(found, (positive >= tuned.best_threshold_).astype(int))
    rare = RARE[200:] == 1
    assert found[rare].mean() >= plain.predict(X_test)[rare].mean()
    assert balanced_accuracy_score(RARE[200:], found) > 0.75


# -- committees ----------------------------------------------------------------------------------------------------


@every_probability
def test_soft_voting_averages_the_probabilities(network):
    forest = RandomForestClassifier(10, random_state=0)
    vote = VotingClassifier([("network", network), ("forest", forest)], voting="soft")
    assert scored(vote, CLASSES) > 0.85
    members = [clone(model).fit(X_train, CLASSES[:200]) for model in (network, forest)]
    expected = np.mean([member.predict_proba(X_test) for member in members], axis=0)
    assert_allclose(vote.predict_proba(X_test), expected)


def test_hard_voting_takes_the_majority():
    members = {name: network for name, network in CLASSIFIERS.items() if name != "perceptron, sgd"}
    vote = VotingClassifier(list(members.items())).fit(X_train, THREE[:200])
    answers = np.array([clone(member).fit(X_train, THREE[:200]).predict(X_test) for member in members.values()])
    counts = np.array([(answers == label).sum(axis=0) for label in "abc"])
    majority = counts.max(axis=0) > 1
    assert majority.mean() > 0.9
    assert_array_equal(vote.predict(X_test)[majority], np.array(list("abc"))[counts.argmax(axis=0)][majority])


@every_regressor
def test_voting_of_regressors_averages_their_predictions(network):
    forest = RandomForestRegressor(10, random_state=0)
    vote = VotingRegressor([("network", network), ("forest", forest)])
    assert scored(vote, NUMBERS) > 0.85
    members = [clone(model).fit(X_train, NUMBERS[:200]) for model in (network, forest)]
    assert_allclose(vote.predict(X_test), np.mean([member.predict(X_test) for member in members], axis=0))


@every_classifier
def test_stacking_trusts_a_network_that_fits_the_task(network):
    members = [("network", network), ("forest", RandomForestClassifier(3, max_depth=1, random_state=0))]
    stack = StackingClassifier(members, final_estimator=LogisticRegression(), cv=3)
    assert scored(stack, CLASSES) > 0.85
    assert stack.final_estimator_.coef_[0, 0] > 0


@every_regressor
def test_stacking_of_regressors_trusts_a_network_that_fits_the_task(network):
    members = [("network", network), ("forest", RandomForestRegressor(5, max_depth=2, random_state=0))]
    stack = StackingRegressor(members, final_estimator=RidgeCV(), cv=3)
    assert scored(stack, NUMBERS) > 0.95
    assert stack.final_estimator_.coef_[0] == pytest.approx(1.0, abs=0.2)
    assert abs(stack.final_estimator_.coef_[1]) < 0.2


@every_classifier
def test_bagging_trains_each_network_on_samples_of_its_own(network):
    bag = BaggingClassifier(network, n_estimators=5, oob_score=False, random_state=0)
    assert scored(bag, CLASSES) > 0.85
    weights = np.array([member.network_.theta for member in bag.estimators_])
    assert len(np.unique(weights, axis=0)) == 5
    if hasattr(network, "predict_proba"):
        expected = np.mean([member.predict_proba(X_test) for member in bag.estimators_], axis=0)
        assert_allclose(bag.predict_proba(X_test), expected)


@every_regressor
def test_bagging_averages_networks_and_leaves_samples_out_to_score_them(network):
    bag = BaggingRegressor(network, n_estimators=30, oob_score=True, random_state=0)
    assert scored(bag, NUMBERS) > 0.9
    assert bag.oob_score_ > 0.9
    assert_allclose(bag.predict(X_test), np.mean([member.predict(X_test) for member in bag.estimators_], axis=0))


MOONS, SIDES = make_moons(200, noise=0.1, random_state=0)
PLANES = {
    "MLP": MLPClassifier((), batch_size=32, **TRAINING),
    "perceptron": PerceptronClassifier(),
    "CNN": CNNClassifier(2, activation="identity", pooling=None, hidden_layer_sizes=(), **TRAINING),
}


@pytest.mark.parametrize("network", PLANES.values(), ids=PLANES)
def test_boosting_makes_the_next_network_attend_to_what_the_last_got_wrong(network):
    boosted = AdaBoostClassifier(network, n_estimators=3, random_state=0).fit(MOONS, SIDES)
    answers = np.array([member.predict(MOONS) for member in boosted.estimators_])
    wrong = answers[0] != SIDES
    assert boosted.estimator_errors_[0] == pytest.approx(wrong.mean())
    assert np.mean(answers[1][wrong] == SIDES[wrong]) > 0.1
    votes = boosted.estimator_weights_[: len(answers)] @ (2 * answers - 1)
    assert_array_equal(boosted.predict(MOONS), (votes > 0).astype(int))


@every_regressor
def test_boosting_of_regressors_fits_and_weighs_its_members(network):
    boosted = AdaBoostRegressor(network, n_estimators=5, random_state=0)
    assert scored(boosted, NUMBERS) > 0.9
    assert np.all(boosted.estimator_weights_[: len(boosted.estimators_)] > 0)


# -- several targets -----------------------------------------------------------------------------------------------


@every_classifier
def test_one_vs_rest_trains_a_network_for_each_class(network):
    model = OneVsRestClassifier(network)
    assert scored(model, THREE) > 0.75
    for label, member in zip("abc", model.estimators_, strict=True):
        own = clone(network).fit(X_train, (THREE[:200] == label).astype(int))
        assert_array_equal(member.predict(X_test), own.predict(X_test))


@every_classifier
def test_multi_output_classification_is_a_network_for_each_column(network):
    Y = np.column_stack([CLASSES, THREE])
    model = MultiOutputClassifier(network).fit(X_train, Y[:200])
    columns = [clone(network).fit(X_train, Y[:200, k]).predict(X_test) for k in range(2)]
    assert_array_equal(model.predict(X_test), np.column_stack(columns))
    assert np.all(np.mean(model.predict(X_test) == Y[200:], axis=0) > 0.75)


@every_regressor
def test_multi_output_regression_is_a_network_for_each_column(network):
    Y = np.column_stack([NUMBERS, -2 * NUMBERS])
    model = MultiOutputRegressor(network).fit(X_train, Y[:200])
    columns = [clone(network).fit(X_train, Y[:200, k]).predict(X_test) for k in range(2)]
    assert_array_equal(model.predict(X_test), np.column_stack(columns))
    assert model.score(X_test, Y[200:]) > 0.9


@every_classifier
def test_a_chain_hands_the_labels_on(network):
    first = (X[:, 0] > 0).astype(int)
    second = (2 * first + X[:, 1] > 1).astype(int)  # a plane with the first label as a feature
    Y = np.column_stack([first, second])
    chain = ClassifierChain(network, order=[0, 1]).fit(X_train, Y[:200])
    own = clone(network).fit(np.column_stack([X_train, first[:200]]), second[:200])
    found = chain.predict(X_test)
    assert_array_equal(found[:, 1], own.predict(np.column_stack([X_test, found[:, 0]])))
    assert np.all(np.mean(found == Y[200:], axis=0) > 0.8)
