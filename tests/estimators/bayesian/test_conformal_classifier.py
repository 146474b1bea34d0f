"""Sets around any classifier: what they cover, against MAPIE and by hand, and what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import CNNClassifier, ConformalClassifier, MLPClassifier, RNNClassifier
from sknn.estimators.bayesian.class_scores import adaptive, least_ambiguous

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, NUMBERS = load_iris(return_X_y=True)
Y = np.array(["setosa", "versicolor", "virginica"])[NUMBERS]
NEW = np.array(
    [[5.0, 3.4, 1.5, 0.2], [6.0, 2.8, 4.9, 1.7], [6.3, 2.5, 4.8, 1.5], [5.9, 2.9, 4.7, 1.6], [6.1, 2.7, 5.0, 1.6]]
)
FOLDS = KFold(5, shuffle=True, random_state=0)
NETWORK = MLPClassifier(4, max_iter=5, random_state=0)


class Told(ClassifierMixin, BaseEstimator):
    """Probabilities of three classes that are told: the columns of X."""

    def fit(self, X, y):
        self.classes_ = np.array([0, 1, 2])
        return self

    def predict_proba(self, X):
        return np.asarray(X)

    def predict(self, X):
        return np.argmax(X, axis=1)


# -- against others ------------------------------------------------------------------------------------------------

# What MAPIE 1.6 says of the same folds. Its cross-conformal sets take a class if more than a share 1 - confidence of
# n - 1 scores are as large as its own, those of the paper of n + 1 less one; of 150 scores both mean 15 at 0.9.
ONE = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]
MAPIE = {
    "split": ("split", GaussianNB(), 0.9, [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]]),
    "split, surer": ("split", GaussianNB(), 0.95, [[1, 0, 0], [0, 1, 1], [0, 1, 0], [0, 1, 0], [0, 1, 0]]),
    "split, smooth": ("split", GaussianNB(var_smoothing=0.3), 0.9, [*ONE[:1], [0, 1, 1], *ONE[2:4], [0, 1, 1]]),
    "cv+": ("cv+", GaussianNB(), 0.9, [[1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]]),
    "cv+, smooth": ("cv+", GaussianNB(var_smoothing=0.3), 0.9, ONE),
}


@pytest.mark.parametrize("name", MAPIE)
def test_sets_are_those_of_mapie(name):
    method, estimator, confidence, expected = MAPIE[name]
    classifier = ConformalClassifier(estimator, method=method, cv=FOLDS).fit(X, Y)
    assert_array_equal(classifier.predict_set(NEW, confidence), np.array(expected, bool))


ROWS = [(np.arange(1), np.arange(1, 6))]
PROBABILITY = np.array(
    [[1.0, 0.0, 0.0], [0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.2, 0.5], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]
)
TRUE = [0, 0, 1, 0, 0, 2]


def test_least_ambiguous_sets_by_hand():
    classifier = ConformalClassifier(Told(), method="split", cv=ROWS).fit(PROBABILITY, TRUE)
    assert_allclose(classifier.conformity_scores_, [0.3, 0.4, 0.7, 0.2, 0.7])
    new = [[0.45, 0.35, 0.2], [0.65, 0.3, 0.05]]
    assert_array_equal(classifier.predict_set(new, 0.5), [[False] * 3, [True, False, False]])  # to 0.4
    assert_array_equal(classifier.predict_set(new, 0.8), [[True, True, False], [True, True, False]])  # to 0.7


def test_adaptive_sets_by_hand():
    classifier = ConformalClassifier(Told(), method="split", cv=ROWS, conformity="aps").fit(PROBABILITY, TRUE)
    assert_allclose(classifier.conformity_scores_, [0.0, 0.0, 0.5, 0.0, 0.5])
    new = [[0.45, 0.35, 0.2], [0.65, 0.3, 0.05]]
    assert_array_equal(classifier.predict_set(new, 0.5), [[True, False, False]] * 2)
    assert_array_equal(classifier.predict_set(new, 0.8), [[True, True, False], [True, False, False]])  # to 0.5


def test_adaptive_scores_are_the_probability_of_all_that_is_more_probable():
    probability = np.random.default_rng(0).integers(1, 4, (50, 6)).astype(float)  # with many ties
    probability /= probability.sum(axis=1, keepdims=True)
    more = probability[:, None, :] > probability[:, :, None]
    assert_allclose(adaptive(probability), (probability[:, None, :] * more).sum(axis=2), atol=1e-15)
    assert_array_equal(adaptive(probability).argmin(axis=1), least_ambiguous(probability).argmin(axis=1))


# -- what they cover -----------------------------------------------------------------------------------------------


def coverage(method, n, n_new, **params):
    """That of 200 repeats: three classes, of which a classifier that learns nothing tells wrong probabilities."""
    rng, found = np.random.default_rng(0), []
    for seed in range(200):
        probability = rng.dirichlet(np.ones(3), n + n_new)
        y = (rng.uniform(size=(n + n_new, 1)) > probability.cumsum(axis=1)).sum(axis=1).clip(max=2)
        wrong = probability**3 + rng.uniform(0, 0.1, probability.shape)
        x = wrong / wrong.sum(axis=1, keepdims=True)
        classifier = ConformalClassifier(Told(), method=method, random_state=seed, **params).fit(x[:n], y[:n])
        found.append(classifier.predict_set(x[n:])[np.arange(n_new), y[n:]].mean())
    return np.array(found)


def test_split_covers_exactly_as_much_as_the_theorem_says():
    found = coverage("split", 101, 500, cv=100 / 101)
    standard_error = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - np.ceil(101 * 0.9) / 101) < 3 * standard_error
    assert standard_error < 0.003


@pytest.mark.parametrize(("method", "params"), [("split", {"cv": 0.9}), ("cv+", {"cv": 5})])
def test_adaptive_sets_cover_at_least_as_much(method, params):
    assert coverage(method, 40, 100, conformity="aps", **params).mean() > 0.9


def test_cv_plus_covers_about_as_much():
    assert abs(coverage("cv+", 40, 100, cv=5).mean() - 0.9) < 0.02


def test_too_few_samples_give_all_classes():
    classifier = ConformalClassifier(GaussianNB(), method="split", cv=8, random_state=0).fit(X[::2], Y[::2])
    with pytest.warns(UserWarning, match="10 conformity scores are too few for confidence=0.95, which takes 19"):
        assert classifier.predict_set(NEW, 0.95).all()


# -- samples, weights, groups --------------------------------------------------------------------------------------


def test_weights_by_hand():
    """Scores 0.3, 0.4, 0.7, 0.2, 0.7 that weigh 2, 1, 1, 0, 2: of four, with 1.5 for the new sample."""
    weight = np.array([1.0, 2.0, 1.0, 1.0, 0.0, 2.0])

    class Weighed(Told):
        def fit(self, X, y, sample_weight):
            return super().fit(X, y)

    classifier = ConformalClassifier(Weighed(), method="split", cv=ROWS).fit(PROBABILITY, TRUE, weight)
    assert_allclose(classifier.conformity_scores_, [0.3, 0.4, 0.7, 0.7])
    new = [[0.71, 0.29, 0.0], [0.61, 0.39, 0.0]]
    assert_array_equal(classifier.predict_set(new, 1.9 / 7.5), [[True, False, False], [False, False, False]])
    assert_array_equal(classifier.predict_set(new, 2.9 / 7.5), [[True, False, False], [True, False, False]])
    assert_array_equal(classifier.predict_set([[0.4, 0.31, 0.29]], 5.9 / 7.5), [[True, True, False]])


def test_equal_weights_change_nothing():
    for method in ("split", "cv+"):
        plain = ConformalClassifier(GaussianNB(), method=method, cv=FOLDS).fit(X, Y)
        weighted = clone(plain).fit(X, Y, np.full(150, 0.3))
        assert_array_equal(weighted.predict_set(X), plain.predict_set(X))


def test_a_class_that_a_fold_has_never_seen_has_no_probability_there():
    by_class = ConformalClassifier(GaussianNB(), cv=GroupKFold(3)).fit(X, Y, groups=Y)
    assert_array_equal(by_class.conformity_scores_, np.ones(150))
    assert by_class.predict_proba(NEW).shape == (5, 3)
    assert by_class.predict_set(NEW).all()


@pytest.mark.parametrize(
    "labels",
    [Y.tolist(), pd.Series(Y, dtype="category"), pd.Series(NUMBERS, dtype="Int64"), NUMBERS == 1],
    ids=["list", "categories", "pandas' integers", "truth values"],
)
def test_labels_keep_their_kind(labels):
    classifier = ConformalClassifier(GaussianNB(), random_state=0).fit(X, labels)
    assert classifier.classes_.dtype == classifier.predict(X).dtype
    assert (classifier.predict(X) == np.asarray(labels)).mean() > 0.9


# -- any estimator -------------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=(RNG.integers(5, 9), 2)) for _ in range(60)]
WAVES = RNG.normal(size=(60, 8, 2))
SOME = np.arange(0, 150, 2)[:60]
AROUND = {
    "series": (RNNClassifier(units=3, max_iter=2), SERIES),
    "grids": (CNNClassifier(2, max_iter=2), WAVES),
    "rows": (NETWORK, X[SOME]),
    "a table": (make_pipeline(StandardScaler(), NETWORK), pd.DataFrame(X[SOME]).add_prefix("x")),
    "a search": (GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2), X[SOME]),
}


@pytest.mark.parametrize("name", AROUND)
@pytest.mark.parametrize("method", ["split", "cv+"])
def test_around_any_estimator(name, method):
    estimator, x = AROUND[name]
    classifier = ConformalClassifier(estimator, method=method, cv=3, random_state=0).fit(x, Y[SOME])
    inside = classifier.predict_set(x)
    assert inside.dtype == bool
    assert inside[np.arange(60), np.searchsorted(classifier.classes_, Y[SOME])].mean() > 0.75
    assert_array_equal(clone(classifier).fit(x, Y[SOME]).predict_set(x), inside)
    assert_array_equal(pickle.loads(pickle.dumps(classifier)).predict_set(x), inside)


def test_a_frozen_estimator_is_calibrated_on_all_samples():
    model = GaussianNB().fit(X, Y)
    part = np.arange(50, 150)  # of two classes, where the model knows three
    classifier = ConformalClassifier(FrozenEstimator(model)).fit(X[part], Y[part])
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    of_true = model.predict_proba(X[part])[np.arange(100), NUMBERS[part]]
    assert_allclose(classifier.conformity_scores_, 1 - of_true)


def test_the_default_is_a_network():
    classifier = ConformalClassifier(cv=2, random_state=0).fit(X[::10], Y[::10])
    assert type(classifier.estimator_) is MLPClassifier


def test_tables_searches_and_files(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcd"))
    search = GridSearchCV(
        ConformalClassifier(make_pipeline(StandardScaler(), NETWORK), cv=KFold(3, shuffle=True, random_state=0)),
        {"estimator__mlpclassifier__alpha": [0.0, 1.0], "conformity": ["lac", "aps"]},
        cv=2,
        error_score="raise",
    ).fit(frame, Y)
    best = search.best_estimator_
    assert best.feature_names_in_.tolist() == list("abcd")
    sknn.save(best, tmp_path / "model")
    assert_array_equal(sknn.load(tmp_path / "model").predict_set(frame), best.predict_set(frame))


# -- what is refused -----------------------------------------------------------------------------------------------


class Nothing(GaussianNB):
    def predict_proba(self, X):
        return super().predict_proba(X) * np.nan


REFUSED = {
    "a share for folds": ({"cv": 0.2}, Y, 'cv=0.2 is a share, which method="split" takes'),
    "another score": ({"conformity": "naive"}, Y, "conformity"),
    "no probabilities": ({"estimator": Perceptron()}, Y, "estimator"),
    "numbers": ({}, X[:, 0] + 0.01, "Unknown label type"),
    "two columns": ({}, np.stack([NUMBERS, NUMBERS], axis=1), "one label for each sample"),
    "NaN": ({"estimator": Nothing()}, Y, "gave NaN for 15"),
    "other lengths": ({}, Y[:-1], "inconsistent numbers of samples"),
    "no y": ({}, None, "requires y"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_go_together_is_refused_and_leaves_the_estimator_as_it_was(name):
    params, y, message = REFUSED[name]
    classifier = ConformalClassifier(GaussianNB(), random_state=0).fit(X, Y)
    classifier.set_params(**params)
    before = dict(vars(classifier))
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, y)
    assert vars(classifier).keys() == before.keys()
    assert all(vars(classifier)[key] is value for key, value in before.items())


def test_before_a_fit_there_is_nothing_and_weights_need_somebody_who_takes_them():
    classifier = ConformalClassifier(KNeighborsClassifier())
    assert not hasattr(classifier, "n_features_in_")
    for method in (classifier.predict, classifier.predict_proba, classifier.predict_set):
        with pytest.raises(NotFittedError):
            method(X)
    with pytest.raises(TypeError, match="KNeighborsClassifier takes none"):
        classifier.fit(X, Y, np.ones(150))
