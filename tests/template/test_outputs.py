"""What is predicted: columns of classes, labels of every kind, several outputs, counts and quantiles."""

import warnings

import numpy as np
import pytest
import sklearn.neural_network as peers
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, PoissonRegressor
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier

from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, PerceptronClassifier
from sknn.optim import LBFGS

# Training that is cut off on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
    "ignore:lbfgs failed to converge:sklearn.exceptions.ConvergenceWarning",
)

N = 120
X, MANY = make_classification(N, 6, n_informative=6, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0)
RNG = np.random.RandomState(1)
SIGNAL = np.tanh(X[:, 0]) + 0.5 * X[:, 1]
SIDE = np.array(["left", "right"])[(SIGNAL > 0).astype(int)]
COLUMNS = {
    "words": np.column_stack([SIDE, np.array(["a", "b", "c"])[MANY]]),
    "numbers": np.column_stack([SIGNAL > 0, MANY + 5]).astype(int),
    "words and numbers": np.column_stack([SIDE.astype(object), MANY]),
}

classifiers = pytest.mark.parametrize("Estimator", [MLPClassifier, CNNClassifier])
regressors = pytest.mark.parametrize("Estimator", [MLPRegressor, CNNRegressor])
each_columns = pytest.mark.parametrize("columns", COLUMNS)


def small(Estimator, **params):
    """A small network for X, that of a CNN with one convolution of two filters over the six features."""
    cnn = {"filters": 2, "pooling": None} if "filters" in Estimator().get_params() else {}
    few = {"hidden_layer_sizes": 10, "max_iter": 60, "learning_rate_init": 0.02, "random_state": 0}
    return Estimator(**{**few, **cnn, **params})


# -- a class in each of several columns ----------------------------------------------------------------------------


@classifiers
@each_columns
def test_several_columns_of_classes(Estimator, columns):
    y = COLUMNS[columns]
    model = small(Estimator).fit(X, y)
    assert isinstance(model.classes_, list)
    assert [classes.tolist() for classes in model.classes_] == [sorted(set(column)) for column in y.T]
    predicted, probabilities = model.predict(X), model.predict_proba(X)
    assert predicted.shape == y.shape
    assert [each.shape for each in probabilities] == [(N, 2), (N, 3)]
    for column, classes, probability, logarithm in zip(
        predicted.T, model.classes_, probabilities, model.predict_log_proba(X), strict=True
    ):
        assert_allclose(probability.sum(axis=1), 1.0)
        assert_allclose(np.exp(logarithm), probability)
        assert_array_equal(column, classes[probability.argmax(axis=1)])
    assert model.score(X, y) > 0.8


def test_the_score_of_several_columns_is_the_share_of_samples_with_all_of_them_right():
    y, weight = COLUMNS["words"], RNG.uniform(0.5, 2.0, N)
    model = small(MLPClassifier, max_iter=5).fit(X, y)
    right = (model.predict(X) == y).all(axis=1)
    assert 0 < right.mean() < 1
    assert model.score(X, y) == right.mean()
    assert model.score(X, y, weight) == pytest.approx(np.average(right, weights=weight))
    peer = MultiOutputClassifier(LogisticRegression()).fit(X, y)
    assert peer.score(X, y) == (peer.predict(X) == y).all(axis=1).mean()  # scikit-learn's, where it has one
    with pytest.raises(ValueError, match=r"y has shape \(120,\), but the predictions have \(120, 2\)"):
        model.score(X, y[:, 0])


def test_columns_without_a_hidden_layer_are_logistic_regressions():
    y = COLUMNS["numbers"]
    joint = MLPClassifier((), solver="lbfgs", alpha=1.0, tol=1e-9, max_iter=1000, random_state=0).fit(X, y)
    for column, probability in zip(y.T, joint.predict_proba(X), strict=True):
        alone = LogisticRegression(C=1.0, tol=1e-9, max_iter=1000).fit(X, column)
        assert_allclose(probability, alone.predict_proba(X), atol=1e-5)


@classifiers
def test_columns_of_classes_in_partial_fit(Estimator):
    y = COLUMNS["words"]
    model = small(Estimator).partial_fit(X[:1], y[:1], classes=[["left", "right"], ["c", "b", "a"]])
    for _ in range(60):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.8
    with pytest.raises(ValueError, match="`y` has classes not in"):
        model.partial_fit(X[:1], [["left", "d"]])
    with pytest.raises(ValueError, match="is not the same as on last call"):
        model.partial_fit(X, y, classes=[["left", "right"], ["a", "b"]])


@each_columns
@pytest.mark.parametrize("params", [{"early_stopping": True}, {"solver": "lbfgs"}, {"warm_start": True}], ids=repr)
def test_columns_of_classes_in_every_kind_of_fit(columns, params):
    model = small(MLPClassifier, **params)
    for _ in range(2):
        model.fit(X, COLUMNS[columns], sample_weight=np.ones(N) + (np.arange(N) % 2))
    assert model.predict(X).shape == (N, 2)
    if params.get("early_stopping"):
        assert -np.log(2) - np.log(3) < model.best_validation_score_ < 0  # better than guessing both


def test_columns_of_classes_in_cross_validation_and_search():
    scores = cross_val_score(small(MLPClassifier), X, COLUMNS["numbers"], cv=3, error_score="raise")
    assert scores.mean() > 0.6
    search = GridSearchCV(small(MLPClassifier), {"alpha": [1e-4, 1.0]}, cv=2, error_score="raise")
    assert search.fit(X, COLUMNS["numbers"]).predict(X).shape == (N, 2)


def test_a_column_of_one_class_does_no_harm():
    y = np.column_stack([np.full(N, "only"), SIDE])
    model = small(MLPClassifier).fit(X, y)
    assert (model.predict(X)[:, 0] == "only").all()
    only, side = model.predict_proba(X)
    assert_array_equal(only, np.ones((N, 1)))
    assert side.shape == (N, 2)
    assert model.score(X, y) > 0.9


# -- labels of every kind ------------------------------------------------------------------------------------------


@classifiers
@pytest.mark.parametrize(
    "labels",
    [SIDE, SIDE.astype(object), list(SIDE), SIGNAL > 0, (SIGNAL > 0).tolist(), np.array(["x", "y", "z"])[MANY]],
    ids=["words", "objects", "list of words", "bools", "list of bools", "three words"],
)
def test_words_and_bools_come_back_as_they_were(Estimator, labels):
    model = small(Estimator).fit(X, labels)
    predicted = model.predict(X)
    assert predicted.dtype == peers.MLPClassifier(max_iter=1).fit(X, labels).classes_.dtype
    assert set(predicted.tolist()) == set(np.asarray(labels).tolist())
    assert model.score(X, labels) > 0.8


@classifiers
@pytest.mark.parametrize("label", ["only", True, 3])
def test_a_single_class_is_predicted(Estimator, label):
    model = small(Estimator, max_iter=2).fit(X, np.full(N, label))
    assert_array_equal(model.predict(X), np.full(N, label))
    assert_array_equal(model.predict_proba(X), np.ones((N, 1)))


@classifiers
@pytest.mark.parametrize("dtype", [int, bool, float])
def test_several_labels_at_once_of_any_type(Estimator, dtype):
    y = np.column_stack([SIGNAL > 0, X[:, 2] > 0, MANY == 1])
    model = small(Estimator).fit(X, y.astype(dtype))
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.predict(X).shape == model.predict_proba(X).shape == (N, 3)
    assert (model.predict(X) == y).mean() > 0.9
    assert model.score(X, y) == (model.predict(X) == y).all(axis=1).mean()


# -- several outputs -----------------------------------------------------------------------------------------------

SEVERAL = np.column_stack([SIGNAL, 0.5 * X[:, 0] - 1.0, np.sin(X[:, 1])])
COUNTS = RNG.poisson(np.exp(0.5 * X[:, :2])).astype(float)


@regressors
@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_objective_of_lbfgs_has_the_gradient_that_it_is_given(monkeypatch, Estimator, loss, weighted):
    """By finite differences, for several outputs, with the penalty."""
    checked = []

    def check(self, function, theta, **settings):
        # huber's second derivative jumps, so no point on a kink: random weights
        point = np.random.RandomState(0).normal(scale=0.3, size=theta.size)
        value, gradient = function(point)
        numeric = approx_fprime(point, lambda theta: function(theta)[0], 1e-7)
        assert_allclose(gradient.copy(), numeric, rtol=1e-4, atol=1e-5)
        checked.append(value)
        return minimise(self, function, theta, **settings)

    minimise = LBFGS.minimize
    monkeypatch.setattr(LBFGS, "minimize", check)
    y = COUNTS if loss == "poisson" else SEVERAL
    weight = RNG.uniform(0.5, 2.0, N) if weighted else None
    model = small(Estimator, hidden_layer_sizes=4, activation="tanh", solver="lbfgs", alpha=3.0, loss=loss)
    model.fit(X, y, sample_weight=weight)
    assert len(checked) == 1
    assert model.predict(X).shape == y.shape


@regressors
def test_several_outputs_are_learnt(Estimator):
    model = small(Estimator, max_iter=200).fit(X, SEVERAL * [1.0, 1e6, 1e-6])
    assert model.score(X, SEVERAL * [1.0, 1e6, 1e-6]) > 0.8


# -- counts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_poisson_without_hidden_layer_is_scikit_learns_poisson_regressor(alpha, weighted):
    weight = RNG.uniform(0.5, 2.0, N) if weighted else None
    total = N if weight is None else weight.sum()
    y = COUNTS[:, 0]
    peer = PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-10).fit(X, y, weight)
    # its penalty is not divided by the weight of the samples
    ours = MLPRegressor((), loss="poisson", solver="lbfgs", alpha=alpha * total, tol=1e-12, max_iter=1000)
    ours.set_params(random_state=0).fit(X, y, weight)
    # a loss known to 1e-16 tells weights apart to 1e-8, for scikit-learn's own lbfgs too
    assert_allclose(ours.coefs_[0][:, 0], peer.coef_, rtol=1e-6, atol=1e-7)
    assert_allclose(ours.intercepts_[0][0], peer.intercept_, rtol=1e-6, atol=1e-7)
    assert_allclose(ours.predict(X), peer.predict(X), rtol=1e-6)


# -- quantiles -----------------------------------------------------------------------------------------------------

NOISY = X[:, 0] + np.exp(0.3 * X[:, 1]) * RNG.standard_normal(N)
LEVELS = [0.1, 0.5, 0.9]


def quantiles(Estimator, quantile, **params):
    return small(Estimator, loss="quantile", quantile=quantile, **params)


NO_MEDIAN = pytest.mark.filterwarnings("ignore:quantile=.* has no median:UserWarning")


@pytest.mark.parametrize(
    ("quantile", "given"), [([0.1, 0.9], 0.1), ((0.9, 0.2), 0.2), (0.9, None), ([0.9], None), ([0.1, 0.5], None)]
)
def test_without_a_median_a_fit_says_what_predict_gives(quantile, given):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = MLPRegressor((), loss="quantile", quantile=quantile, solver="sgd", max_iter=1, tol=10).fit(X, NOISY)
    told = [str(each.message) for each in caught if "median" in str(each.message)]
    if given is None:
        assert told == []
    else:
        assert told == [
            f"quantile={quantile} has no median: predict gives the quantile {given}, and predict_quantiles gives all; "
            "add 0.5 if predict is to give the median"
        ]
        at = list(quantile).index(given)
        np.testing.assert_array_equal(model.predict(X), model.predict_quantiles(X)[:, at])


@NO_MEDIAN
@regressors
@pytest.mark.parametrize("quantile", [0.5, 0.9, [0.1], [0.1, 0.5, 0.9], (0.9, 0.2), np.array([0.25, 0.75])])
def test_quantiles_are_predicted_one_or_all(Estimator, quantile):
    levels = np.atleast_1d(quantile)
    model = quantiles(Estimator, quantile, max_iter=3).fit(X, NOISY)
    every = model.predict_quantiles(X)
    assert every.shape == (N, len(levels))
    assert (np.diff(every[:, np.argsort(levels)], axis=1) >= 0).all()
    nearest = min(range(len(levels)), key=lambda k: (round(abs(levels[k] - 0.5), 9), levels[k]))
    assert_array_equal(model.predict(X), every[:, nearest])
    assert model.predict(X).shape == (N,)
    assert model.predict_quantiles(X.astype("float32")).dtype == np.float32


@NO_MEDIAN
@regressors
def test_the_score_of_quantiles_is_d2(Estimator):
    weight = RNG.uniform(0.5, 2.0, N)
    for quantile, nearest in [(0.9, 0.9), (LEVELS, 0.5), ([0.2, 0.95], 0.2)]:
        model = quantiles(Estimator, quantile).fit(X, NOISY)
        predicted = model.predict(X)
        assert model.score(X, NOISY) == pytest.approx(d2_pinball_score(NOISY, predicted, alpha=nearest))
        assert model.score(X, NOISY, weight) == pytest.approx(
            d2_pinball_score(NOISY, predicted, alpha=nearest, sample_weight=weight)
        )
        assert model.score(X, NOISY) > 0


def test_the_score_of_other_losses_is_r2():
    model = small(MLPRegressor, loss="huber").fit(X, NOISY)
    assert model.score(X, NOISY) == r2_score(NOISY, model.predict(X))


def test_quantiles_of_a_sample_are_learnt():
    y = np.random.RandomState(0).standard_normal(2000)
    levels = [0.05, 0.25, 0.5, 0.75, 0.95]
    model = MLPRegressor((), loss="quantile", quantile=levels, learning_rate="cosine", learning_rate_init=0.05)
    model.set_params(max_iter=80, tol=0.0, random_state=0).fit(np.zeros((2000, 1)), y)
    assert_allclose(model.predict_quantiles([[0.0]])[0], np.quantile(y, levels), atol=0.03)


@regressors
def test_about_as_many_lie_below_as_the_quantile_says(Estimator):
    model = quantiles(Estimator, LEVELS, max_iter=150, alpha=1.0).fit(X, NOISY)
    below = (NOISY[:, None] <= model.predict_quantiles(X)).mean(axis=0)
    assert_allclose(below, LEVELS, atol=0.06)


@regressors
@pytest.mark.parametrize("params", [{}, {"early_stopping": True}, {"solver": "lbfgs", "max_iter": 20}], ids=repr)
@pytest.mark.parametrize("factor", [1e-6, 1024.0, 1e9])
def test_quantiles_follow_the_scale_of_the_target(Estimator, params, factor):
    plain, scaled = (quantiles(Estimator, LEVELS, **params).fit(X, y) for y in (NOISY, factor * NOISY + 3 * factor))
    assert_allclose(scaled.predict_quantiles(X), factor * (plain.predict_quantiles(X) + 3), rtol=1e-5)
    assert scaled.y_scale_ == pytest.approx(factor * NOISY.std())


def test_early_stopping_is_decided_by_a_score_of_the_quantile():
    model = quantiles(MLPRegressor, 0.9, early_stopping=True, max_iter=30).fit(X, NOISY)
    assert all(np.isfinite(model.validation_scores_))


def test_quantiles_go_on_in_partial_fit_and_warm_start():
    model = quantiles(MLPRegressor, LEVELS, warm_start=True).fit(X, NOISY).partial_fit(X, NOISY).fit(X, NOISY)
    assert model.predict_quantiles(X).shape == (N, 3)
    with pytest.raises(ValueError, match="the loss was changed after the first fit, from QuantileLoss"):
        model.set_params(quantile=[0.2, 0.5, 0.9]).partial_fit(X, NOISY)


def test_a_loss_is_not_changed_when_going_on():
    model = small(MLPRegressor, warm_start=True).fit(X, SIGNAL)
    with pytest.raises(ValueError, match=r"from SquaredError\(\) to PoissonDeviance\(\); fit anew"):
        model.set_params(loss="poisson").fit(X, COUNTS[:, 0])
    assert model.set_params(warm_start=False).fit(X, COUNTS[:, 0]).out_activation_ == "exp"


@regressors
def test_predict_quantiles_is_there_for_quantiles_only(Estimator):
    assert not hasattr(Estimator(), "predict_quantiles")
    with pytest.raises(AttributeError, match="has no attribute 'predict_quantiles'") as caught:
        Estimator(loss="huber").predict_quantiles(X)
    assert "needs loss='quantile', got loss='huber'" in str(caught.value.__cause__)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_the_normal_loss_learns_a_noise_that_depends_on_x(n_columns):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 1))
    noise = np.where(x > 0, 2.0, 0.5)
    y = 10.0 * x + noise * rng.standard_normal((600, n_columns))
    model = MLPRegressor(4, activation="tanh", loss="normal", solver="lbfgs", alpha=0.1, max_iter=1000, random_state=0)
    model.fit(x, y if n_columns > 1 else y[:, 0])
    asked = np.array([[-0.5], [0.5]])
    mean, std = model.predict(asked), model.predict_std(asked)
    assert mean.shape == std.shape == ((2, 2) if n_columns > 1 else (2,))
    assert_allclose(mean.reshape(2, -1), np.repeat([[-5.0], [5.0]], n_columns, axis=1), atol=0.6)
    assert_allclose(std.reshape(2, -1), np.repeat([[0.5], [2.0]], n_columns, axis=1), rtol=0.25)
    assert model.predict_std(asked.astype("float32")).dtype == np.float32
    other_units = clone(model).fit(x, 100.0 * (y if n_columns > 1 else y[:, 0]))
    assert_allclose(other_units.predict_std(asked), 100.0 * std, rtol=1e-4)


@regressors
def test_predict_std_is_there_for_the_normal_loss_only(Estimator):
    assert not hasattr(Estimator(), "predict_std")
    with pytest.raises(AttributeError) as caught:
        Estimator(loss="huber").predict_std(X)
    assert "needs loss='normal', got loss='huber'" in str(caught.value.__cause__)


@regressors
def test_quantiles_are_of_one_target(Estimator):
    with pytest.raises(ValueError, match=r"loss='quantile' takes one target, got y of shape \(120, 3\)"):
        quantiles(Estimator, 0.5).fit(X, SEVERAL)


@regressors
@pytest.mark.parametrize("quantile", [[], [0.0, 0.5], [0.5, 1.0], [[0.5]], [0.5, np.nan]], ids=repr)
def test_bad_quantiles_are_named(Estimator, quantile):
    with pytest.raises(ValueError, match=r"quantile=.* must be a number between 0 and 1, or a list of such"):
        quantiles(Estimator, quantile).fit(X, NOISY)


# -- stated classes --------------------------------------------------------------------------------------------------

STATED = {
    "MLP": MLPClassifier(5, max_iter=30, learning_rate_init=0.1, random_state=0),
    "two": MLPClassifier(5, max_iter=30, learning_rate_init=0.1, random_state=0, class_weight="balanced"),
    "CNN": CNNClassifier(2, max_iter=20, learning_rate_init=0.1, random_state=0),
    "perceptron": PerceptronClassifier(solver="sgd", random_state=0),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", STATED.values(), ids=STATED)
def test_classes_may_be_more_than_those_in_y(model):
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.where(X[:, 0] > 0, "b", "d")
    model = clone(model).fit(X, y, classes=["d", "c", "b", "a"])
    assert_array_equal(model.classes_, ["a", "b", "c", "d"])
    probability = model.predict_proba(X)
    assert probability.shape == (60, 4)
    assert probability[:, [0, 2]].max() < probability[:, [1, 3]].max()
    assert_array_equal(model.fit(X, y).classes_, ["b", "d"])
    with pytest.raises(ValueError, match="classes not in"):
        model.fit(X, y, classes=["a", "b"])
    with pytest.raises(ValueError, match="is not the same as"):
        model.set_params(warm_start=True).fit(X, y, classes=["b", "c"])
