"""Which samples are chosen: against what is known by hand, by counting all outcomes, and by determinants."""

import itertools
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import entr, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sknn import (
    BayesianClassifier,
    BayesianRegressor,
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
)
from sknn.model_selection import query
from sknn.model_selection.labels import MOST_OUTCOMES, Labels
from sknn.model_selection.values import SpreadOfDraws, SpreadOfProbabilities, Values, disagreement, information

RNG = np.random.RandomState(0)
ALL = slice(None)


class Drawn(BaseEstimator):
    """Knows what its networks say of a sample: X are row numbers, in whatever form, of `draws`."""

    def __init__(self, draws=None, noise=None):
        self.draws = draws
        self.noise = noise

    def fit(self, X=None, y=None):
        self.fitted_ = True
        return self

    def predict_draws(self, X):
        return self.draws[:, [int(np.ravel(np.asarray(x, float))[0]) for x in np.asarray(X, object)]]


class Numbers(RegressorMixin, Drawn):
    def uncertainty(self, X, kind="epistemic"):
        if kind == "epistemic":
            return self.predict_draws(X).std(axis=0)
        if self.noise is None:
            raise ValueError(f"kind={kind!r} is not known")
        return np.broadcast_to(self.noise, self.draws.shape[1:])


class Exact(Numbers):
    """Knows variances exactly, of which the draws are a few."""

    def uncertainty(self, X, kind="epistemic"):
        return np.array([1.0, 3.0, 2.0]) if kind == "epistemic" else np.array([0.1, 0.1, 3.0])


class Halves(Numbers):
    def predict_draws(self, X):
        return super().predict_draws(X)[:, ::2]


class Classes(ClassifierMixin, Drawn):
    pass


def rows(n):
    return np.arange(n)[:, None]


def ask(model, n, strategy="auto", size=None, random_state=0):
    """What is chosen of all rows that a model knows."""
    size = model.draws.shape[1] if size is None else size
    return query(model.fit(), rows(size), n, strategy, random_state=random_state).tolist()


def linear_draws(features):
    """Draws of a linear model whose weights have mean zero and, to the bit of rounding, the identity for covariance."""
    p = features.shape[1]
    weights = np.sqrt(p) * np.concatenate([np.eye(p), -np.eye(p)])
    return weights @ features.T


# ------------------------------------------------------------------------------------------------------------ labels


def entropy_of(probabilities, samples):
    """H of the labels of samples, jointly, by going through all ways in which they may turn out."""
    n_classes = probabilities.shape[2]
    joint = [
        np.prod([probabilities[:, i, k] for i, k in zip(samples, labels, strict=True)], axis=0).mean()
        for labels in itertools.product(range(n_classes), repeat=len(samples))
    ]
    return entr(joint).sum()


def joint_information(probabilities, samples):
    noise = sum(entr(probabilities[:, i]).sum(axis=1).mean() for i in samples)
    return entropy_of(probabilities, samples) - noise


def probabilities_of(n_draws, n, n_classes, sharpness=2.0, seed=0):
    return softmax(sharpness * np.random.RandomState(seed).normal(size=(n_draws, n, n_classes)), axis=2)


@pytest.mark.parametrize(
    ("networks", "nats"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], np.log(2)),
        ([[1.0, 0.0], [1.0, 0.0]], 0.0),
        ([[0.5, 0.5], [0.5, 0.5]], 0.0),
        ([[0.9, 0.1], [0.5, 0.5]], 0.1017492),  # H(.7, .3) - (H(.9, .1) + H(.5, .5)) / 2 = .6108643 - .5091151
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1.0]], np.log(3)),
    ],
)
def test_the_information_of_one_label_is_known_by_hand(networks, nats):
    assert_allclose(Labels.of(np.array(networks)[:, None], RNG).gains(np.ones(1, bool)), nats, atol=1e-7)


@pytest.mark.parametrize(("n_draws", "n_classes"), [(2, 2), (4, 3), (7, 2)])
def test_that_of_several_labels_counts_all_outcomes(n_draws, n_classes):
    probabilities = probabilities_of(n_draws, 5, n_classes)
    belief, known = Labels.of(probabilities, RNG), []
    for sample in (3, 0, 1, 2):
        before = joint_information(probabilities, known) if known else 0.0
        left = np.array([i not in known for i in range(5)])
        expected = [joint_information(probabilities, [*known, i]) - before for i in np.flatnonzero(left)]
        assert_allclose(belief.gains(left)[left], expected, atol=1e-12)
        belief, known = belief.after(sample), [*known, sample]


def test_only_samples_that_may_be_the_best_are_looked_at(monkeypatch):
    probabilities = probabilities_of(6, 200, 4)
    probabilities[:, 20:] = 0.99 * probabilities[:1, 20:] + 0.01 * probabilities[:, 20:]  # on these, networks agree
    batch = ask(Classes(probabilities), 5, "mutual_information")
    looked_at, gains = [], Labels._gains
    monkeypatch.setattr("sknn.model_selection.labels.LARGEST", 40)  # ten samples at first
    monkeypatch.setattr(Labels, "_gains", lambda self, p: looked_at.append(p.shape[1]) or gains(self, p))
    assert ask(Classes(probabilities), 5, "mutual_information") == batch
    assert looked_at[:20] == [10] * 20
    assert sum(looked_at[20:]) <= 4 * 20


def test_of_too_many_outcomes_as_many_are_drawn():
    probabilities, known = probabilities_of(4, 14, 2, sharpness=0.3), list(range(11))
    before = joint_information(probabilities, known)
    expected = [joint_information(probabilities, [*known, i]) - before for i in (11, 12, 13)]
    estimates = []
    for seed in range(40):
        belief = Labels.of(probabilities, np.random.RandomState(seed))
        for sample in known:
            belief = belief.after(sample)
        assert len(belief.mass) == MOST_OUTCOMES < 2 ** len(known)
        estimates.append(belief.gains(np.arange(14) > 10)[11:])
    assert_allclose(estimates, np.broadcast_to(expected, (40, 3)), atol=0.003)
    errors = np.std(estimates, axis=0) / np.sqrt(40)
    assert (np.abs(np.mean(estimates, axis=0) - expected) < 3 * errors).all()
    assert np.min(estimates) >= 0


def test_outcomes_that_cannot_be_are_dropped():
    belief = Labels.of(np.array([[[1.0, 0.0]], [[1.0, 0.0]]]), RNG)
    assert_array_equal(belief.after(0).mass, [1.0])


def test_a_batch_of_labels_is_the_greedy_one():
    probabilities = probabilities_of(5, 8, 3)
    chosen: list[int] = []
    for _ in range(4):
        rest = [i for i in range(8) if i not in chosen]
        chosen.append(max(rest, key=lambda i: joint_information(probabilities, [*chosen, i])))
    assert ask(Classes(probabilities), 4, "mutual_information") == chosen


def test_labels_that_are_noise_are_not_asked_for():
    sure, noisy = [[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]
    model = Classes(np.array([noisy, sure, noisy]).transpose(1, 0, 2))
    assert [ask(model, 1, each) for each in ("auto", "mutual_information", "disagreement")] == [[1], [1], [1]]


def test_disagreement_of_two_classes_is_that_of_one_probability():
    """What is known of one class is known of the other; the label of a sample is a Bernoulli variable."""
    p = np.random.RandomState(0).uniform(size=(6, 9))
    belief = Values.of(SpreadOfProbabilities(np.stack([p, 1 - p], axis=2)), disagreement, compare=False)
    covariance = np.cov(p.T, bias=True)
    assert_allclose(belief.gains(ALL), 2 * np.diag(covariance), rtol=1e-10)
    noise = (p * (1 - p)).mean(axis=0)
    left = np.diag(covariance) - covariance[4] ** 2 / (covariance[4, 4] + noise[4])
    assert_allclose(belief.after(4).gains(ALL), 2 * left, rtol=1e-10)
    assert ask(Classes(np.stack([p, 1 - p], axis=2)), 1, "disagreement") == [np.argmax(np.diag(covariance))]


# ------------------------------------------------------------------------------------------------------------ values


def best_determinants(covariance, noise, n):
    """Greedily, the rows of the largest determinant of the covariance of what would be measured there."""
    measured, chosen = covariance + noise * np.eye(len(covariance)), []
    for _ in range(n):
        rest = [i for i in range(len(measured)) if i not in chosen]
        chosen.append(max(rest, key=lambda i: np.linalg.slogdet(measured[np.ix_([*chosen, i], [*chosen, i])])[1]))
    return chosen


@pytest.mark.parametrize("strategy", ["mutual_information", "disagreement", "std"])
def test_a_line_is_measured_at_its_ends(strategy):
    """The D-optimal design of a straight line: one end, the other, and again."""
    x = np.array([-0.9, 0.3, 1.0, 0.0, -1.0, 0.99])
    model = Numbers(linear_draws(np.column_stack([np.ones(6), x])), noise=0.1)
    batch = ask(model, 4, strategy)
    assert sorted(x[batch[:2]]) == [-1.0, 1.0]
    assert sorted(x[batch[2:]]) == [-0.9, 0.99]


@pytest.mark.parametrize("strategy", ["mutual_information", "disagreement", "std"])
def test_with_constant_noise_batches_are_those_of_largest_determinant(strategy):
    features = np.random.RandomState(1).normal(size=(12, 3))
    model = Numbers(linear_draws(features), noise=0.7)
    assert ask(model, 6, strategy) == best_determinants(features @ features.T, 0.49, 6)


def test_conditioning_is_bayesian_linear_regression():
    features = np.random.RandomState(2).normal(size=(10, 3))
    noise = np.random.RandomState(3).uniform(0.1, 1.0, size=(10, 1))
    belief = Values.of(SpreadOfDraws(linear_draws(features)[..., None], noise), information)
    precision, nats, known = np.eye(3), 0.0, []
    for sample in (4, 7, 4, 0):
        variances = np.einsum("np,pq,nq->n", features, np.linalg.inv(precision), features)
        assert_allclose(belief.spread.variances()[:, 0], variances, rtol=1e-10)
        assert_allclose(belief.gains(ALL), 0.5 * np.log1p(variances / noise[:, 0]), rtol=1e-10)
        nats += belief.gains(ALL)[sample]
        known.append(sample)
        precision += np.outer(features[sample], features[sample]) / noise[sample]
        belief = belief.after(sample)
    phi = features[known] / np.sqrt(noise[known])
    assert_allclose(nats, 0.5 * np.linalg.slogdet(np.eye(4) + phi @ phi.T)[1], rtol=1e-10)


def test_several_outputs_are_measured_together():
    draws = np.random.RandomState(4).normal(size=(9, 6, 2))
    noise = np.random.RandomState(5).uniform(0.2, 1.0, size=(6, 2))
    belief = Values.of(SpreadOfDraws(draws, noise), information).after(3).after(1)
    covariance = np.cov(draws.reshape(9, 12).T, bias=True)

    def nats(samples):
        outputs = [2 * i + k for i in samples for k in (0, 1)]
        inverse = np.diag(1 / noise.ravel()[outputs])
        return 0.5 * np.linalg.slogdet(np.eye(len(outputs)) + inverse @ covariance[np.ix_(outputs, outputs)])[1]

    assert_allclose(belief.gains(ALL)[[0, 2, 4, 5]], [nats([3, 1, i]) - nats([3, 1]) for i in (0, 2, 4, 5)], rtol=1e-9)


@pytest.mark.parametrize("strategy", ["disagreement", "std"])
def test_units_of_outputs_do_not_matter(strategy):
    draws = np.random.RandomState(6).normal(size=(9, 12, 2))
    assert ask(Numbers(draws), 5, strategy) == ask(Numbers(draws * [1.0, 1e6]), 5, strategy)


def test_information_is_worth_less_where_noise_is_large_and_deviation_more():
    draws = np.array([[1.0, 1.1], [-1.0, -1.1]])
    model = Numbers(draws, noise=np.array([0.1, 5.0]))
    assert [ask(model, 1, each) for each in ("mutual_information", "disagreement", "std")] == [[0], [1], [1]]
    model = Numbers(draws * [1.0, 0.5], noise=np.array([0.1, 5.0]))
    assert [ask(model, 1, each) for each in ("mutual_information", "disagreement", "std")] == [[0], [0], [1]]


def test_exact_variances_are_taken_where_they_are_known():
    model = Exact(np.array([[5.0, 1.0, 1.0], [-5.0, -1.0, 1.5]]))
    assert [ask(model, 1, each) for each in ("mutual_information", "disagreement", "std")] == [[1], [1], [2]]
    assert ask(Exact(np.ones((2, 3))), 1, "std") == [2]  # draws that agree, by chance


def process(noise=0.01, outputs=1):
    x = np.array([[0.0], [0.5], [4.0]])
    y = np.column_stack([np.sin(x[:, 0])] * outputs)
    kernel = RBF(1.0) + WhiteKernel(noise) if noise else RBF(1.0)
    return GaussianProcessRegressor(kernel, optimizer=None).fit(x, y if outputs > 1 else y[:, 0])


GRID = np.linspace(-3, 8, 45)[:, None]


@pytest.mark.parametrize("strategy", ["auto", "mutual_information", "disagreement", "std"])
def test_of_a_gaussian_process_those_of_largest_determinant(strategy, monkeypatch):
    model = process()
    expected = best_determinants(model.predict(GRID, return_cov=True)[1] - 0.01 * np.eye(len(GRID)), 0.01, 6)
    assert query(model, GRID, 6, strategy, random_state=0).tolist() == expected
    monkeypatch.setattr("sknn.model_selection.values.BLOCK", 7)
    assert query(model, GRID, 6, strategy, random_state=0).tolist() == expected


def test_a_process_without_noise_is_measured_once_and_for_all():
    model = process(noise=0.0)
    chosen = query(model, GRID, 4, random_state=0)
    assert chosen.tolist() == best_determinants(model.predict(GRID, return_cov=True)[1], 0.0, 4)
    with pytest.raises(ValueError, match="knows none; take 'disagreement'"):
        query(model, GRID, 4, "mutual_information")


def test_a_process_in_a_pipeline_is_asked_in_the_form_it_was_fitted_to():
    named = pd.DataFrame(GRID, columns=["x"], index=np.arange(len(GRID)) % 3)
    model = make_pipeline(FunctionTransformer(), process()).fit(named[:3], np.arange(3.0))
    assert_array_equal(query(model, named, 5, random_state=0), query(model[-1], named, 5, random_state=0))


def test_outputs_of_a_process_are_alike():
    assert_array_equal(query(process(outputs=2), GRID, 5, random_state=0), query(process(), GRID, 5, random_state=0))


def test_the_first_one_is_that_of_the_largest_standard_deviation():
    X, y = np.random.RandomState(0).normal(size=(20, 3)), np.random.RandomState(1).normal(size=20)
    pool = np.random.RandomState(2).normal(size=(50, 3))
    for model in (BayesianRidge().fit(X, y), process().fit(X, y)):
        deviation = model.predict(pool, return_std=True)[1]
        assert query(model, pool, 1, "std", random_state=0).tolist() == [np.argmax(deviation)]


def test_standard_deviations_alone_make_no_batch_and_say_so():
    X, y = np.random.RandomState(0).normal(size=(20, 3)), np.random.RandomState(1).normal(size=20)
    model, pool = BayesianRidge().fit(X, y), np.random.RandomState(2).normal(size=(50, 3))
    with pytest.warns(UserWarning, match="may be neighbours") as caught:
        chosen = query(model, pool, 4)
    assert caught[0].filename == __file__
    assert_array_equal(chosen, np.argsort(-model.predict(pool, return_std=True)[1])[:4])


# ------------------------------------------------------------------------------------------------------------- batches

TWINS = np.repeat(np.arange(5), 3)  # each row three times
DOUBLED = {
    "labels": (Classes(probabilities_of(40, 5, 3)[:, TWINS]), ["mutual_information", "disagreement"]),
    "values": (Numbers(np.random.RandomState(0).normal(size=(40, 5))[:, TWINS]), ["disagreement", "std"]),
    "noisy values": (
        Numbers(np.random.RandomState(0).normal(size=(40, 5))[:, TWINS], noise=0.3),
        ["mutual_information", "disagreement", "std"],
    ),
}


@pytest.mark.parametrize(
    ("model", "strategy"),
    [pytest.param(model, each, id=f"{name}, {each}") for name, (model, all_) in DOUBLED.items() for each in all_],
)
def test_of_equal_samples_one_is_enough(model, strategy):
    assert sorted(TWINS[ask(model, 5, strategy)]) == [0, 1, 2, 3, 4]


def test_of_equal_samples_a_process_takes_one():
    pool = np.repeat([[2.0], [7.0], [-3.0], [10.0]], 5, axis=0)
    assert sorted(pool[query(process(), pool, 4, random_state=0), 0]) == [-3.0, 2.0, 7.0, 10.0]


TOLD = {
    "networks that agree": np.ones((4, 6)),
    "two networks": np.random.RandomState(0).normal(size=(2, 6)),
    "one network": np.random.RandomState(0).normal(size=(1, 6)),
}


@pytest.mark.parametrize("draws", TOLD.values(), ids=TOLD)
def test_when_nothing_is_left_to_tell_others_are_chosen_still(draws):
    assert sorted(ask(Numbers(draws), 6)) == list(range(6))
    probabilities = np.stack([draws > 0, draws <= 0], axis=2).astype(float)
    for strategy in ("mutual_information", "disagreement"):
        assert sorted(ask(Classes(probabilities), 6, strategy)) == list(range(6))


def test_what_two_networks_tell_is_told_by_one_value_and_then_begins_anew():
    draws = np.array([[1.0, 3.0, 2.0, 0.5], [-1.0, -3.0, -2.0, -0.5]])
    assert ask(Numbers(draws), 4) == [1, 2, 0, 3]


def test_random_state_decides_between_equals():
    model = Numbers(np.ones((3, 50)))
    assert ask(model, 5, random_state=0) == ask(model, 5, random_state=0)
    assert ask(model, 5, random_state=0) != ask(model, 5, random_state=1)


# ------------------------------------------------------------------------------------------------- what may be asked

DRAWS = np.random.RandomState(7).normal(size=(8, 10))
SHIFT = FunctionTransformer(lambda X: np.asarray(X) - 100)


def zero(model, X, y):
    return 0.0


ONCE = [(np.arange(5), np.arange(5, 10))]


class Form(NamedTuple):
    """A model and the ten samples of the pool in some form."""

    model: Any
    pool: Any


FORMS = {
    "array": Form(Numbers(DRAWS), rows(10)),
    "table": Form(Numbers(DRAWS), pd.DataFrame({"x": np.arange(10), "z": 0.0}, index=list("abcdefghij"))),
    "signals": Form(Numbers(DRAWS), np.arange(10.0)[:, None, None] * np.ones((1, 4, 2))),
    "ragged": Form(Numbers(DRAWS), [np.full((2 + k % 3, 1), float(k)) for k in range(10)]),
    "pipeline": Form(make_pipeline(SHIFT, Numbers(DRAWS)), rows(10) + 100),
    "search": Form(
        GridSearchCV(make_pipeline(SHIFT, Numbers(DRAWS)), {"numbers__noise": [None]}, cv=ONCE, scoring=zero),
        rows(10) + 100,
    ),
    "frozen": Form(FrozenEstimator(Numbers(DRAWS).fit()), rows(10)),
    "one output": Form(Numbers(DRAWS[..., None]), rows(10)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_whatever_holds_the_samples(form):
    model = form.model.fit(rows(10), np.zeros(10))
    chosen = query(model, form.pool, 4, random_state=0)
    assert chosen.dtype.kind == "i"
    assert_array_equal(chosen, ask(Numbers(DRAWS), 4))


X, LABELS = RNG.normal(size=(20, 2)), np.repeat([0, 1], 10)
NUMBERS, CLASSES = Numbers(DRAWS).fit(), Classes(probabilities_of(3, 10, 2)).fit()
REFUSED = {
    "not fitted": (Numbers(DRAWS), {}, NotFittedError, "not fitted"),
    "none": (NUMBERS, {"n": 0}, ValueError, "n=0 must be a whole number from 1 to 10"),
    "too many": (NUMBERS, {"n": 11}, ValueError, "n=11 must be a whole number from 1 to 10"),
    "a share": (NUMBERS, {"n": 0.5}, ValueError, r"n=0\.5 must be a whole number"),
    "another strategy": (NUMBERS, {"strategy": "votes"}, ValueError, "strategy='votes' must be 'auto' or one of 'mut"),
    "no noise": (
        NUMBERS,
        {"strategy": "mutual_information"},
        ValueError,
        "(?s)of which estimator=.*take 'disagreement'",
    ),
    "std of classes": (CLASSES, {"strategy": "std"}, TypeError, "is a classifier; take 'mutual_information' or"),
    "one classifier": (LogisticRegression().fit(X, LABELS), {}, TypeError, "no predict_draws.*EnsembleClassifier"),
    "one regressor": (LinearRegression().fit(X, LABELS), {}, TypeError, "no predict_draws.*GaussianProcessRegressor"),
    "only std": (BayesianRidge().fit(X, LABELS), {"strategy": "disagreement"}, TypeError, "no predict_draws"),
    "neither": (KMeans(2, n_init=1).fit(X), {}, TypeError, "no predict_draws"),
    "NaN": (Numbers(DRAWS * np.nan).fit(), {}, ValueError, "predicts NaN or infinity"),
    "other shapes": (Halves(DRAWS).fit(), {}, ValueError, r"must give \(n_draws, 10, ...\) for X_pool, got \(8, 5\)"),
    "classes of one number": (
        Classes(DRAWS).fit(),
        {},
        ValueError,
        r"\(n_draws, n_samples, n_classes\), got \(8, 10\)",
    ),
}


@pytest.mark.parametrize(("model", "options", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(model, options, error, message):
    with pytest.raises(error, match=message):
        query(model, rows(10), **options)


# ------------------------------------------------------------------------------------------------- estimators of sknn

SMALL = {"hidden_layer_sizes": 8, "activation": "tanh", "solver": "lbfgs", "max_iter": 50}
MEASURED = np.concatenate([np.linspace(-1, -0.4, 15), np.linspace(0.4, 1, 15)])[:, None]
ESTIMATORS = {
    "EnsembleRegressor": (EnsembleRegressor(MLPRegressor(**SMALL), random_state=0), {"disagreement", "std"}),
    "BayesianRegressor": (
        BayesianRegressor(MLPRegressor(**SMALL), random_state=0),
        {"mutual_information", "disagreement", "std"},
    ),
    "EnsembleClassifier": (
        EnsembleClassifier(MLPClassifier(**SMALL), random_state=0),
        {"mutual_information", "disagreement"},
    ),
    "BayesianClassifier": (
        BayesianClassifier(MLPClassifier(**SMALL), random_state=0),
        {"mutual_information", "disagreement"},
    ),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("model", "strategies"), ESTIMATORS.values(), ids=ESTIMATORS)
def test_estimators_of_sknn_ask_where_nothing_was_measured(model, strategies):
    y = np.sin(3 * MEASURED[:, 0])
    model.fit(MEASURED, np.where(y > 0, "up", "down") if is_classifier(model) else y)
    pool = np.concatenate([MEASURED[::3], np.linspace(-0.2, 0.2, 7)[:, None], [[2.5]]])
    for strategy in strategies | {"auto"}:
        batch = query(model, pool, 2, strategy, random_state=0)
        assert not set(batch) & set(range(10)), strategy
    for strategy in {"mutual_information", "std"} - strategies:
        with pytest.raises((TypeError, ValueError), match=f"strategy='{strategy}'"):
            query(model, pool, 2, strategy)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_first_one_is_that_of_the_largest_standard_deviation_of_a_network_too():
    model = BayesianRegressor(MLPRegressor(**SMALL), random_state=0).fit(MEASURED, np.sin(3 * MEASURED[:, 0]))
    pool = np.random.RandomState(0).uniform(-2, 2, (100, 1))
    assert query(model, pool, 1, "std") == np.argmax(model.predict(pool, return_std=True)[1])
    assert query(model, pool, 1) == np.argmax(model.uncertainty(pool))
