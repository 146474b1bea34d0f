"""Shape and regularisation: what each option does to the network and to training, and where it does not apply."""

import pickle
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV

import sknn.nn.dropout
from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor
from sknn.nn import BatchNorm, Conv, Dense, Dropout, LayerNorm
from sknn.optim import SGD

# Training that is cut off on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning",
    "ignore:lbfgs failed to converge:sklearn.exceptions.ConvergenceWarning",
)

X, Y = make_blobs(90, 6, centers=3, cluster_std=1.0, center_box=(-4, 4), random_state=0)
EVERY = [MLPClassifier, MLPRegressor, CNNClassifier, CNNRegressor]
every = pytest.mark.parametrize("Estimator", EVERY)
both = pytest.mark.parametrize("Estimator", EVERY[:2])


def small(Estimator, **params):
    """A small network for X, that of a CNN with one convolution of two filters over the six features."""
    cnn = {"filters": 2, "pooling": None} if Estimator in EVERY[2:] else {}
    return Estimator(**{"hidden_layer_sizes": 8, "max_iter": 3, "random_state": 0, **cnn, **params})


def fitted(Estimator, **params):
    return small(Estimator, **params).fit(X, Y)


def layers(estimator, kind) -> list:
    return [layer for layer, _ in estimator.network_.walk() if isinstance(layer, kind)]


def assert_same(one, other):
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.predict(X), other.predict(X))


# -- activation functions and depth --------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("name", ["logistic", "tanh", "relu"])
@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_one_activation_for_each_layer_may_be_the_same(Estimator, kind, name):
    one_each = fitted(Estimator, hidden_layer_sizes=(5, 4), activation=kind([name, name]))
    assert_same(one_each, fitted(Estimator, hidden_layer_sizes=(5, 4), activation=name))


def test_each_layer_has_its_own_activation():
    mlp = fitted(MLPRegressor, hidden_layer_sizes=(5, 4), activation=("tanh", "relu"), target_scaling=None)
    (first, second, last), (a, b, c) = mlp.coefs_, mlp.intercepts_
    by_hand = np.maximum(np.tanh(X @ first + a) @ second + b, 0) @ last + c
    assert_allclose(mlp.predict(X), by_hand[:, 0], rtol=1e-4, atol=1e-5)


def test_activations_of_a_cnn_come_in_the_order_of_its_layers():
    names = ["relu", "tanh", "gelu", "logistic"]
    cnn = fitted(CNNClassifier, filters=((2, 3), 4), activation=names)
    assert [layer.activation for layer in layers(cnn, Conv | Dense)] == [*names, "identity"]


@every
@pytest.mark.parametrize("names", [["relu"], ["relu"] * 4, []])
def test_activations_must_be_as_many_as_layers(Estimator, names):
    n = 3 if "filters" in Estimator().get_params() else 2
    with pytest.raises(ValueError, match=rf"activation=.* names {len(names)} layers, but there are {n}"):
        fitted(Estimator, hidden_layer_sizes=(4, 4), activation=names)


@every
def test_an_unknown_activation_in_a_list_is_named(Estimator):
    with pytest.raises(ValueError, match="names 'step'; choose of identity"):
        fitted(Estimator, activation=["relu", "step"])


@every
@pytest.mark.parametrize("depth", [1, 3])
def test_depth_repeats_the_width(Estimator, depth):
    deep = fitted(Estimator, hidden_layer_sizes=np.int64(5), depth=depth)
    assert_same(deep, fitted(Estimator, hidden_layer_sizes=(5,) * depth))


@every
@pytest.mark.parametrize("sizes", [(5,), [5, 5], ()])
def test_depth_needs_one_width(Estimator, sizes):
    with pytest.raises(ValueError, match="depth=2 repeats the width of an integer hidden_layer_sizes, got"):
        fitted(Estimator, hidden_layer_sizes=sizes, depth=2)


def test_a_search_over_width_and_depth_as_two_numbers():
    grid = {"hidden_layer_sizes": [4, 8], "depth": [1, 2, 3]}
    search = GridSearchCV(small(MLPClassifier), grid, cv=2, error_score="raise").fit(X, Y)
    best = search.best_params_
    assert len(search.best_estimator_.coefs_) == best["depth"] + 1
    assert len(search.cv_results_["params"]) == 6


@pytest.mark.parametrize("change", [{"hidden_layer_sizes__0": 3}, {"activation__0": "tanh"}], ids=repr)
def test_items_of_lists_that_are_no_descriptions_are_not_reached(change):
    mlp = MLPClassifier(hidden_layer_sizes=[5, 4], activation=["relu", "tanh"])
    with pytest.raises(ValueError, match=r"Invalid parameter '0' for \["):
        mlp.set_params(**change)


# -- norms ---------------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(("option", "kind"), [("batch_norm", BatchNorm), ("layer_norm", LayerNorm)])
def test_norms_come_between_weights_and_activation(Estimator, option, kind):
    estimator = fitted(Estimator, hidden_layer_sizes=(4, 3), activation="tanh", **{option: True})
    found = estimator.network_.layers
    before = [k for k, layer in enumerate(found) if isinstance(layer, kind)]
    assert len(before) == len(layers(estimator, Conv | Dense)) - 1
    for k in before:
        assert isinstance(found[k - 1], Conv | Dense)
        assert found[k - 1].use_bias is (option == "layer_norm")  # a norm of the batch would take it away again
        assert (found[k] if kind is BatchNorm else found[k + 1]).activation == "tanh"


def test_the_batch_is_normalised_in_training_and_by_running_statistics_afterwards():
    mlp = fitted(MLPClassifier, batch_norm=True, activation="identity", max_iter=200, shuffle=False)
    hidden = mlp.network_[:2](X.astype("float32"))
    parameters = mlp.network_.parameters["1"]
    assert_allclose(hidden.mean(0), parameters["shift"], atol=0.1)
    assert_allclose(hidden.std(0), np.abs(parameters["gain"]), rtol=0.1)
    assert_allclose(mlp.predict_proba(X[:1]), mlp.predict_proba(X)[:1], rtol=1e-6)


def test_units_of_a_layer_are_normalised_sample_by_sample():
    mlp = fitted(MLPClassifier, layer_norm=True)
    parameters = mlp.network_.parameters["1"]
    hidden = (mlp.network_[:2](X) - parameters["shift"]) / parameters["gain"]
    assert_allclose(hidden.mean(1), 0, atol=1e-5)
    assert_allclose(hidden.std(1), 1, rtol=1e-3)


@pytest.mark.parametrize("params", [{}, {"batch_norm": True}, {"layer_norm": True}, {"residual": True}], ids=repr)
def test_every_layer_has_weights_and_a_bias_to_show(params):
    mlp = fitted(MLPClassifier, hidden_layer_sizes=(5, 5), **params)
    assert [weight.shape for weight in mlp.coefs_] == [(6, 5), (5, 5), (5, 3)]
    assert [bias.shape for bias in mlp.intercepts_] == [(5,), (5,), (3,)]
    assert mlp.n_layers_ == 4
    assert all(np.shares_memory(each, mlp.network_.theta) for each in mlp.coefs_ + mlp.intercepts_)


# -- connections around layers -------------------------------------------------------------------------------------


def test_a_residual_network_by_hand():
    mlp = fitted(MLPClassifier, hidden_layer_sizes=5, depth=3, residual=True, activation="tanh")
    *hidden, last = zip(mlp.coefs_, mlp.intercepts_, strict=True)
    h = np.tanh(X @ hidden[0][0] + hidden[0][1])
    for weight, bias in hidden[1:]:
        h = h + np.tanh(h @ weight + bias)
    raw = h @ last[0] + last[1]
    probability = np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
    assert_allclose(mlp.predict_proba(X), probability, rtol=1e-4, atol=1e-6)


@both
def test_residual_layers_start_from_the_weights_of_plain_ones(Estimator):
    plain, residual = (small(Estimator, hidden_layer_sizes=(4, 4), residual=on, max_iter=1) for on in (False, True))
    for estimator in (plain, residual):
        estimator.set_params(learning_rate_init=1e-30).fit(X, Y)
    for one, other in zip(plain.coefs_ + plain.intercepts_, residual.coefs_ + residual.intercepts_, strict=True):
        assert_array_equal(one, other)


def test_connections_go_around_norm_and_dropout_too():
    mlp = fitted(MLPClassifier, hidden_layer_sizes=4, depth=2, residual=True, batch_norm=True, dropout=0.5)
    assert [type(layer).__name__ for layer in mlp.network_.layers] == [
        "Dense", "BatchNorm", "Dropout", "Residual", "Dense",
    ]  # fmt: skip
    assert [type(layer).__name__ for layer in mlp.network_.layers[3].layers] == [
        "Dense", "BatchNorm", "Dropout",
    ]  # fmt: skip


@both
@pytest.mark.parametrize("sizes", [(4, 5), (4, 4, 5), (4,), 7])
def test_residual_needs_hidden_layers_of_equal_width(Estimator, sizes):
    shown = str([sizes] if isinstance(sizes, int) else list(sizes)).replace("[", r"\[").replace("]", r"\]")
    with pytest.raises(ValueError, match=rf"residual=True .* of equal width, got hidden_layer_sizes={shown}"):
        fitted(Estimator, hidden_layer_sizes=sizes, residual=True)


def test_connections_let_a_deep_network_learn():
    params = {"hidden_layer_sizes": 16, "depth": 30, "activation": "tanh", "max_iter": 30, "learning_rate_init": 0.003}
    assert fitted(MLPClassifier, residual=True, **params).score(X, Y) > 0.95


# -- dropout -------------------------------------------------------------------------------------------------------


@pytest.fixture
def masks(monkeypatch):
    """What is kept at each step, as the layer says it."""
    kept: list[np.ndarray] = []
    drop = sknn.nn.dropout.drop

    def watched(x, keep, *, rate):
        kept.append(keep)
        return drop(x, keep, rate=rate)

    monkeypatch.setattr(sknn.nn.dropout, "drop", watched)
    return kept


@every
def test_dropout_follows_each_hidden_layer_in_training_only(Estimator, masks):
    estimator = fitted(Estimator, hidden_layer_sizes=(8, 4), dropout=0.25, batch_size=90)
    assert [layer.rate for layer in layers(estimator, Dropout)] == [0.25, 0.25]
    assert [mask.shape for mask in masks[:2]] == [(90, 8), (90, 4)]
    assert np.mean(masks[0]) == pytest.approx(0.75, abs=0.08)
    n = len(masks)
    assert_array_equal(estimator.predict(X), estimator.predict(X))
    assert len(masks) == n


@every
def test_dropout_repeats_with_the_seed(Estimator):
    assert_same(fitted(Estimator, dropout=0.5), fitted(Estimator, dropout=0.5))
    other = fitted(Estimator, dropout=0.5, random_state=1)
    assert (other.network_.theta != fitted(Estimator, dropout=0.5).network_.theta).any()


@pytest.mark.parametrize("random_state", [0, None, "instance"])
def test_no_two_calls_of_partial_fit_drop_the_same(masks, random_state):
    state = np.random.RandomState(0) if random_state == "instance" else random_state
    mlp = small(MLPRegressor, dropout=0.5, random_state=state)
    for _ in range(3):
        mlp.partial_fit(X, Y)
    assert all((one != other).any() for one, other in pairwise(masks))


def test_partial_fits_with_dropout_repeat_with_the_seed_and_survive_a_pickle():
    one, other = (small(MLPRegressor, dropout=0.5).partial_fit(X, Y).partial_fit(X, Y) for _ in range(2))
    assert_same(one, other)
    assert_same(pickle.loads(pickle.dumps(one)).partial_fit(X, Y), other.partial_fit(X, Y))


# -- clipping ------------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("size", [1e-3, 1e6])
def test_a_step_is_no_longer_than_the_clipped_gradient(Estimator, size):
    plain_sgd = {"solver": SGD(momentum=0.0), "alpha": 0.0, "dtype": "float64", "batch_size": 90, "max_iter": 1}
    start = fitted(Estimator, **plain_sgd, learning_rate_init=1e-300).network_.theta
    free, clipped = (
        fitted(Estimator, **plain_sgd, learning_rate_init=1.0, clip_norm=limit).network_.theta - start
        for limit in (None, size)
    )
    norm = np.linalg.norm(free)
    assert_allclose(clipped, free * min(1.0, size / norm), rtol=1e-6, atol=1e-12)


# -- smoothed labels -----------------------------------------------------------------------------------------------

CONSTANT = np.zeros((8, 2))
FREQUENCIES = {"two": [0, 0, 1, 0, 1, 0, 0, 0], "three": [0, 0, 1, 2, 1, 0, 0, 0]}


@pytest.mark.parametrize("labels", FREQUENCIES)
def test_smoothed_labels_spread_a_share_over_all_classes(labels):
    y = np.array(FREQUENCIES[labels])
    mlp = MLPClassifier((), solver="lbfgs", label_smoothing=0.3, alpha=0, tol=1e-10, random_state=0).fit(CONSTANT, y)
    share = np.bincount(y) / len(y)
    assert_allclose(mlp.predict_proba(CONSTANT[:1]), [0.7 * share + 0.3 / len(share)], rtol=1e-5)


def test_smoothed_labels_of_several_columns():
    y = np.column_stack([FREQUENCIES["two"], np.array(FREQUENCIES["three"])])
    mlp = MLPClassifier((), solver="lbfgs", label_smoothing=0.3, alpha=0, tol=1e-10, random_state=0).fit(CONSTANT, y)
    for probability, column in zip(mlp.predict_proba(CONSTANT[:1]), y.T, strict=True):
        share = np.bincount(column) / len(column)
        assert_allclose(probability, [0.7 * share + 0.3 / len(share)], rtol=1e-5)


def test_label_smoothing_may_change_before_a_partial_fit():
    one, other = (small(MLPClassifier).partial_fit(X, Y, classes=[0, 1, 2]) for _ in range(2))
    one.set_params(label_smoothing=0.5).partial_fit(X, Y)
    assert (one.network_.theta != other.partial_fit(X, Y).network_.theta).any()


# -- the penalty ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm"])
def test_the_penalty_is_alpha_over_twice_the_batch_weight_and_spares_biases_and_norms(norm):
    params = {"solver": "sgd", "momentum": 0.0, "dtype": "float64", "batch_size": 90, "max_iter": 1, norm: True}
    weight = np.full(len(X), 2.0)
    free, penalised = (small(MLPClassifier, **params, alpha=alpha, learning_rate_init=0.1) for alpha in (0.0, 6.0))
    for estimator in (free, penalised):
        estimator.fit(X, Y, sample_weight=weight)
    start = small(MLPClassifier, **params, learning_rate_init=1e-300).fit(X, Y)
    for one, other, before in zip(free.coefs_, penalised.coefs_, start.coefs_, strict=True):
        assert_allclose(one - other, 0.1 * 6.0 / weight.sum() * before, rtol=1e-9, atol=1e-15)
    decaying = free.network_.groups[0].decay_stop
    assert decaying == sum(weight.size for weight in free.coefs_)
    assert_allclose(free.network_.theta[decaying:], penalised.network_.theta[decaying:], rtol=1e-12)
    squares = sum(np.square(weight).sum() for weight in start.coefs_)
    assert penalised.loss_ - free.loss_ == pytest.approx(6.0 / (2 * weight.sum()) * squares, rel=1e-9)


# -- all of them ---------------------------------------------------------------------------------------------------

OPTIONS: list[dict[str, Any]] = [
    {"dropout": 0.2},
    {"batch_norm": True},
    {"layer_norm": True},
    {"residual": True, "depth": 3},
    {"activation": ["tanh", "relu"], "depth": 2},
    {"clip_norm": 0.5},
    {"label_smoothing": 0.1},
    {"dropout": 0.1, "batch_norm": True, "residual": True, "depth": 2, "clip_norm": 1.0, "label_smoothing": 0.1},
]


@every
@pytest.mark.parametrize("option", OPTIONS, ids=repr)
def test_every_option_learns(option, Estimator):
    names = Estimator().get_params()
    option = {name: value for name, value in option.items() if name in names}
    if "activation" in option and "filters" in names:
        option["activation"] = ["relu", *option["activation"]]
    if "layer_norm" in option and "filters" in names:
        option["filters"] = 8  # of two channels the norm leaves nothing but which is larger
    params = {"hidden_layer_sizes": 32, "max_iter": 100, "learning_rate_init": 0.01, "n_iter_no_change": 100, **option}
    estimator = fitted(Estimator, **params)
    assert estimator.score(X, Y) > (0.95 if is_classifier(estimator) else 0.8)


@both
@pytest.mark.parametrize("change", [{"batch_norm": True}, {"dropout": 0.1}, {"residual": True}], ids=repr)
def test_another_shape_is_refused_when_going_on(Estimator, change):
    estimator = fitted(Estimator, hidden_layer_sizes=(4, 4), warm_start=True).set_params(**change)
    with pytest.raises(ValueError, match="the parameters that shape the network were changed after the first fit"):
        estimator.fit(X, Y)


# -- where they do not apply ---------------------------------------------------------------------------------------


class Misfit(NamedTuple):
    """An option, where it does not apply, and the estimators that have it."""

    option: dict[str, Any]
    where: dict[str, Any]
    message: str
    estimators: list = EVERY


LBFGS = {"solver": "lbfgs"}
MISFITS = [
    Misfit({"dropout": 0.1}, LBFGS, "dropout=0.1 does not apply with solver='lbfgs'"),
    Misfit({"conv_dropout": 0.1}, {"filters": ()}, "conv_dropout=0.1 does not apply with no blocks", EVERY[2:]),
    Misfit({"pool_size": 3}, {"pooling": None}, "pool_size=3 does not apply with pooling=None", EVERY[2:]),
    Misfit({"conv_dropout": 0.1}, LBFGS, "conv_dropout=0.1 does not apply with solver='lbfgs'", EVERY[2:]),
    Misfit({"batch_norm": True}, LBFGS, "batch_norm=True does not apply with solver='lbfgs'"),
    Misfit({"clip_norm": 1.0}, LBFGS, "clip_norm=1.0 does not apply with solver='lbfgs'"),
    Misfit({"batch_norm": True}, {"batch_size": 1}, r"BatchNorm\(.*\) does not apply with batches of one"),
    Misfit({"layer_norm": True}, {"batch_norm": True}, "layer_norm=True does not apply with batch_norm=True"),
    Misfit({"dropout": 0.1}, {"hidden_layer_sizes": ()}, "dropout=0.1 does not apply with no hidden"),
    Misfit({"batch_norm": True}, {"hidden_layer_sizes": ()}, "batch_norm=True does not apply with no", EVERY[:2]),
    Misfit({"layer_norm": True}, {"hidden_layer_sizes": ()}, "layer_norm=True does not apply with no", EVERY[:2]),
    Misfit({"residual": True}, {"hidden_layer_sizes": ()}, "residual=True does not apply with no", EVERY[:2]),
    Misfit({"delta": 2.0}, {}, "delta=2.0 does not apply with loss='squared_error'", EVERY[1::2]),
    Misfit({"quantile": 0.9}, {}, "quantile=0.9 does not apply with loss='squared_error'", EVERY[1::2]),
    Misfit({"quantile": [0.5]}, {"loss": "huber"}, r"quantile=\[0.5\] does not apply with loss='huber'", EVERY[1::2]),
]


@pytest.mark.parametrize(
    ("Estimator", "misfit"), [(kind, misfit) for misfit in MISFITS for kind in misfit.estimators], ids=repr
)
def test_an_option_that_does_not_apply_is_refused(Estimator, misfit):
    estimator = small(Estimator, **misfit.where)
    estimator.fit(X, Y)
    estimator = small(Estimator, **misfit.where, **misfit.option)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=misfit.message):
        estimator.fit(X, Y)
    assert vars(estimator) == before
    if misfit.where != LBFGS:
        with pytest.raises(ValueError, match=misfit.message):
            estimator.partial_fit(X, Y, **({"classes": [0, 1, 2]} if is_classifier(estimator) else {}))


@pytest.mark.parametrize("Estimator", [MLPClassifier, CNNClassifier])
def test_smoothing_does_not_apply_to_labels_that_do_not_exclude_each_other(Estimator):
    with pytest.raises(ValueError, match=r"label_smoothing=0\.1 does not apply to labels that do not exclude"):
        small(Estimator, label_smoothing=0.1).fit(X, np.eye(3, dtype=int)[Y])


INERT = {
    "learning_rate": "cosine",
    "learning_rate_init": 0.5,
    "power_t": 0.9,
    "shuffle": False,
    "momentum": 0.1,
    "nesterovs_momentum": False,
    "beta_1": 0.1,
    "beta_2": 0.1,
    "epsilon": 0.1,
    "early_stopping": True,
    "validation_fraction": 0.5,
    "n_iter_no_change": 1,
    "batch_size": 7,
}


@every
def test_parameters_of_scikit_learn_stay_inert_where_they_do_not_apply(Estimator):
    inert = {name: value for name, value in INERT.items() if name in Estimator().get_params()}
    assert_same(fitted(Estimator, solver="lbfgs", **inert), fitted(Estimator, solver="lbfgs"))


def test_what_is_said_for_other_solvers_stays_inert():
    assert_same(fitted(MLPClassifier, max_fun=1, power_t=0.9, momentum=0.1), fitted(MLPClassifier))


def test_the_logistic_function_of_the_last_hidden_layer_decides_how_the_output_starts():
    params = {"hidden_layer_sizes": (3, 3), "learning_rate_init": 1e-30, "max_iter": 1}
    plain, last = (fitted(MLPRegressor, activation=names, **params) for names in ("tanh", ("tanh", "logistic")))
    factors = [np.mean(one / other) for one, other in zip(last.coefs_, plain.coefs_, strict=True)]
    assert_allclose(factors, [1, 3**-0.5, 3**-0.5], rtol=1e-5)
