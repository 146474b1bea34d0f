"""Networks of your own layers: what they build, how searches reach into the list, and that nobody's list is changed."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_moons
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sknn import CNNClassifier, MLPClassifier, MLPRegressor, NetworkClassifier, NetworkRegressor
from sknn.nn import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalPool,
    Layer,
    LayerNorm,
    Pool,
    Residual,
    Standardise,
    Unflatten,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.standard_normal((60, 36))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
IMAGES = X.reshape(60, 6, 6, 1)
QUICK = {"max_iter": 2, "random_state": 0}


def two_layers():
    return [Dense(4, activation="tanh"), Dropout(0.2)]


def fitted(layers, X=X, y=Y, **params):
    return NetworkClassifier(layers, **{**QUICK, **params}).fit(X, y)


# -- what is built -------------------------------------------------------------------------------------------------


def test_the_estimator_adds_the_output_layer():
    three = np.arange(60) % 3
    assert fitted(two_layers(), y=three).network_.layers == (*two_layers(), Dense(3))
    assert fitted([]).network_.layers == (Dense(1),)
    two_targets = NetworkRegressor(two_layers(), **QUICK).fit(X, X[:, :2])
    assert two_targets.network_.layers == (*two_layers(), Dense(2))


def test_without_layers_given_there_is_one_of_100_rectified_units():
    assert NetworkClassifier().layers == NetworkRegressor().layers == (Dense(100, activation="relu"),)


@pytest.mark.parametrize(("Own", "MLP"), [(NetworkClassifier, MLPClassifier), (NetworkRegressor, MLPRegressor)])
def test_training_parameters_and_their_defaults_are_those_of_the_mlp(Own, MLP):
    said_by_layers = {"hidden_layer_sizes", "depth", "activation", "batch_norm", "layer_norm", "residual", "dropout"}
    by_descriptions = {"momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon", "max_fun", "power_t"}
    elsewhere = said_by_layers | by_descriptions
    expected = {name: value for name, value in MLP().get_params().items() if name not in elsewhere}
    found = Own().get_params(deep=False)
    assert {name: value for name, value in found.items() if name not in ("layers", "input_shape")} == expected
    assert set(Own._parameter_constraints) >= set(found)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("Own", "MLP", "y"), [(NetworkClassifier, MLPClassifier, Y), (NetworkRegressor, MLPRegressor, X[:, 0] ** 2)]
)
def test_the_layers_of_an_mlp_learn_what_the_mlp_learns(Own, MLP, y, solver):
    params = {**QUICK, "solver": solver, "dtype": "float64", "alpha": 0.1, "input_scaling": "standard"}
    mlp = MLP((4, 3), "tanh", **params).fit(X, y)
    layers = [layer for layer in mlp.network_.layers if isinstance(layer, Dense)][:-1]
    own = Own(layers, **params, warm_start=True).fit(X, y)  # with an output layer of other initial weights
    assert own.network_.names.keys() == mlp.network_.names.keys()
    own, mlp = own.set_params(max_iter=5), mlp.set_params(max_iter=5, warm_start=True)
    own.network_.theta[:] = mlp.network_.theta
    own.network_.state[:] = mlp.network_.state
    assert_allclose(own.fit(X, y).predict(X), mlp.fit(X, y).predict(X))
    assert_allclose(own.network_.theta, mlp.network_.theta)


def test_learns_what_a_line_cannot_separate():
    moons, side = make_moons(200, noise=0.1, random_state=0)
    network = NetworkClassifier(
        [Dense(16, activation="gelu"), LayerNorm(), Dense(16, activation="gelu")],
        learning_rate_init=0.03,
        max_iter=60,
        random_state=0,
    )
    assert network.fit(moons[:100], side[:100]).score(moons[100:], side[100:]) > 0.95


def test_partial_fit_and_warm_start_go_on_with_the_same_layers():
    network = NetworkClassifier(two_layers(), **QUICK, warm_start=True)
    network.partial_fit(X[:30], Y[:30], classes=[0, 1]).fit(X, Y)
    assert len(network.loss_curve_) == 3
    with pytest.raises(ValueError, match=r"were changed after the first fit: layer 0 from Dense\(4, .* to Dense\(5"):
        network.set_params(layers__0__units=5).fit(X, Y)


def test_a_layer_that_standardises_learns_its_scale_wherever_it_stands():
    shifted = 1000 + 50 * X
    network = fitted([Standardise(), Dense(4)], X=shifted)
    assert_allclose(network.network_.parameters["0"]["mean"], shifted.mean(axis=0))
    images = fitted([Unflatten((6, 6, 1)), Standardise(), Flatten()], X=shifted)
    assert_allclose(images.network_.parameters["1"]["scale"], [shifted.std()])


# -- how X is read -------------------------------------------------------------------------------------------------

CONVOLUTIONS = [Conv(3, activation="relu"), Pool(), Flatten()]


@pytest.mark.parametrize("shape", [(36,), (36, 1), (6, 6), (6, 6, 1), (3, 3, 4), (3, 3, 2, 2)])
def test_samples_keep_the_shape_they_have_in_x(shape):
    network = fitted([Flatten(), Dense(3)], X=X.reshape(60, *shape))
    given = network.network_.input_shape if len(shape) == 1 else network.network_.shapes[0]
    assert given == shape
    assert network.n_features_in_ == 36


@pytest.mark.parametrize("given", [(36,), (6, 6), (6, 6, 1)])
def test_flattened_samples_take_the_shape_that_is_stated(given):
    one = fitted(CONVOLUTIONS, X=IMAGES)
    other = fitted(CONVOLUTIONS, X=X.reshape(60, *given), input_shape=[6, 6, 1])
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.predict_proba(IMAGES), other.predict_proba(X.reshape(60, *given)))
    assert_array_equal(one.predict_proba(X), one.predict_proba(IMAGES))


def test_sparse_samples_go_into_a_dense_layer_only():
    assert get_tags(NetworkClassifier([Dense(3)])).input_tags.sparse
    for layers, shape in [([BatchNorm(), Dense(3)], None), (CONVOLUTIONS, (6, 6, 1)), ([Dense(3)], (6, 6))]:
        assert not get_tags(NetworkClassifier(layers, input_shape=shape)).input_tags.sparse


FAULTS = {
    "dropout with lbfgs": (
        [Dropout(0.2)],
        {"solver": "lbfgs"},
        r"Dropout\(rate=0.2\) does not apply with solver=.lbfgs.",
    ),
    "within a layer": (
        [Residual([BatchNorm()])],
        {"solver": "lbfgs"},
        r"BatchNorm\(\) does not apply with solver=.lbfgs.",
    ),
    "batches of one": ([BatchNorm()], {"batch_size": 1}, r"BatchNorm\(\) does not apply with batches of one"),
    "a class": ([Dense], {}, r"layers\[0\]=<class .*Dense'> is no layer of sknn.nn, such as Dense\(100\)"),
    "a number": ([Dense(3), 5], {}, r"layers\[1\]=5 is no layer"),
    "one layer": (Dense(3), {}, "'layers' parameter of NetworkClassifier must be an instance of 'list' or"),
    "no rows": ([Conv(2)], {"input_shape": (6, 6, 1)}, r"layers end in samples of shape \(6, 6, 2\), .* Flatten\(\)"),
    "no grid": ([Conv(2)], {}, r"Conv\(2\) works on grids, .* but they are of shape \(36,\): state the input_shape"),
    "no grid to pool": ([Pool()], {}, r"Pool\(\) works on grids"),
    "no grid to pool at once": ([GlobalPool("max")], {}, r"GlobalPool\(kind='max'\) works on grids"),
    "too few features": ([], {"input_shape": (6, 5)}, r"shape=\(6, 5\) holds 30 features, but there are 36"),
    "an empty axis": ([], {"input_shape": (6, 0)}, r"input_shape=\(6, 0\) must be positive integers"),
}


@pytest.mark.parametrize(("layers", "params", "message"), FAULTS.values(), ids=FAULTS)
def test_what_does_not_fit_is_named_and_nothing_is_left(layers, params, message):
    network = NetworkClassifier(layers, **{**QUICK, **params})
    before = dict(vars(network))
    with pytest.raises(ValueError, match=message):
        network.fit(X, Y)
    assert vars(network) == before


@dataclass(frozen=True)
class Half(Layer):
    """Promises half of the features, and gives as many as `gives` says."""

    gives: str = "half"

    def build(self, shape, store):
        return (*shape[:-1], shape[-1] // 2)

    def apply(self, params, x, context):
        half = x[..., : x.shape[-1] // 2]
        return {"half": half, "all": x, "one": half[..., :1], "a mean": half.mean(axis=0)}[self.gives]


BROKEN = {
    "alone": (
        [Half("all")], X, r"layer 0, Half\(gives='all'\), promises \(2, 18\) .*, but its apply gave \(2, 36\)",
    ),
    "after another": (
        [Dense(8), Half("one"), Dense(3)], X, r"layer 1, Half\(gives='one'\), promises \(2, 4\) .* gave \(2, 1\)",
    ),
    "within, where it is broadcast": (
        [Residual([Half("one")], shortcut=[Half()])], X, r"layer 0.0, Half\(gives='one'\), promises"
    ),
    "on the shortcut": ([Residual([Half()], shortcut=[Half("one")])], X, r"layer 0.shortcut.0, Half\(gives='one'\)"),
    "samples made one": ([Half("a mean")], X, r"promises \(2, 18\) .* but its apply gave \(18,\)"),
    "on steps": (
        [Conv(4, 3), Half("one"), GlobalPool()], [row[: 20 + k % 3, None] for k, row in enumerate(X)],
        r"layer 1, Half\(gives='one'\), promises \(n_steps, 2\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("where", BROKEN)
def test_a_layer_that_breaks_its_promise_is_named(where):
    layers, samples, message = BROKEN[where]
    network = NetworkClassifier(layers)
    with pytest.raises(ValueError, match=message):
        network.fit(samples, Y)
    assert vars(network).keys() == vars(clone(network)).keys()


def test_a_layer_that_keeps_its_promise_is_taken():
    NetworkClassifier([Half(), Residual([Half(), Dense(18)])], max_iter=2, tol=9, n_iter_no_change=1).fit(X, Y)


def test_validation_samples_are_read_as_the_others_are():
    network = NetworkClassifier(CONVOLUTIONS, **QUICK, early_stopping=True)
    network.fit(IMAGES[:40], Y[:40], X_val=IMAGES[40:], y_val=Y[40:])
    flattened = NetworkClassifier(CONVOLUTIONS, **QUICK, early_stopping=True, input_shape=(6, 6, 1))
    flattened.fit(X[:40], Y[:40], X_val=X[40:], y_val=Y[40:])
    assert len(network.validation_scores_) == 2
    assert network.validation_scores_ == flattened.validation_scores_


def test_samples_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"samples of shape \(4, 9, 1\), but input_shape is \(6, 6, 1\): give it"):
        fitted(CONVOLUTIONS, X=IMAGES).predict(X.reshape(60, 4, 9, 1))


# -- parameters of parameters --------------------------------------------------------------------------------------


def test_get_params_tells_layers_and_what_is_in_them():
    network = NetworkClassifier(two_layers())
    params = network.get_params()
    assert params["layers"] is network.layers
    assert params["layers__0"] is network.layers[0]
    assert (params["layers__0__units"], params["layers__0__activation"], params["layers__1__rate"]) == (4, "tanh", 0.2)
    assert not any(name.startswith("layers__") for name in network.get_params(deep=False))


CHANGES = {
    "a parameter": ({"layers__0__units": 7}, [Dense(7, activation="tanh"), Dropout(0.2)]),
    "two layers": ({"layers__0__units": 7, "layers__1__rate": 0.5}, [Dense(7, activation="tanh"), Dropout(0.5)]),
    "a whole layer": ({"layers__1": BatchNorm()}, [Dense(4, activation="tanh"), BatchNorm()]),
    "a new layer and then its parameter": (
        {"layers__0__activation": "relu", "layers__0": Dense(9)},
        [Dense(9, activation="relu"), Dropout(0.2)],
    ),
    "a new list and then its parameter": ({"layers__0__units": 3, "layers": [Dense(9)]}, [Dense(3)]),
    "a tuple stays a tuple": ({"layers__0__units": 3, "layers": (Dense(9),)}, (Dense(3),)),
}


@pytest.mark.parametrize(("params", "expected"), CHANGES.values(), ids=CHANGES)
def test_set_params_makes_new_layers_and_leaves_the_given_ones(params, expected):
    given = two_layers()
    network = NetworkClassifier(given)
    assert network.set_params(**params) is network
    assert network.layers == expected
    assert type(network.layers) is type(expected)
    assert given == two_layers()


def test_parameters_reach_into_layers_within_layers():
    block = Residual([Dense(36, activation="relu"), Dropout(0.1)])
    network = NetworkClassifier([block], **QUICK)
    assert network.get_params()["layers__0__layers__0__activation"] == "relu"
    network.set_params(layers__0__layers__1=LayerNorm(), layers__0__layers__0__activation="tanh")
    assert network.layers == [Residual([Dense(36, activation="tanh"), LayerNorm()])]
    assert block == Residual([Dense(36, activation="relu"), Dropout(0.1)])
    assert network.fit(X, Y).n_layers_ == 3
    assert network.summary()["output_shape"].tolist() == [(36,), (1,)]


WRONG = {
    "no such layer": ({"layers__2__units": 3}, r"Invalid parameter '2' for \[Dense\(4, .*Valid .*: \['0', '1'\]"),
    "no such parameter": ({"layers__1__units": 3}, r"'units' for Dropout\(rate=0.2\). Valid parameters are: \['rate'"),
    "a layer refuses": ({"layers__0__units": 0}, r"units must be an integer in \[1, inf\); got 0"),
    "a layer refuses words": ({"layers__0__units": "a"}, "units must be an integer in .*; got 'a'"),
    "no such parameter beside": ({"layers__0__units": 3, "n_neurons": 1}, "Invalid parameter 'n_neurons'"),
    "nothing inside a number": ({"layers__0__units__0": 3}, "Invalid parameter '0' for 4"),
}


@pytest.mark.parametrize(("params", "message"), WRONG.values(), ids=WRONG)
def test_set_params_names_what_is_wrong_and_changes_no_layer(params, message):
    network = NetworkClassifier(two_layers())
    with pytest.raises(ValueError, match=message):
        network.set_params(**params)
    assert network.get_params() == NetworkClassifier(two_layers()).get_params()


def test_a_clone_has_equal_layers_in_a_list_of_its_own():
    network = fitted(two_layers())
    twin = clone(network)
    assert twin.layers == network.layers
    assert twin.layers is not network.layers
    twin.layers.append(Dense(3))
    twin.set_params(layers__0__units=9)
    assert network.layers == two_layers()
    with pytest.raises(NotFittedError):
        twin.predict(X)


@pytest.mark.parametrize(
    "layers", [two_layers(), [BatchNorm(), Dense(3)], [Conv(2, kernel_size=[3, 3]), Flatten(), Dropout()]], ids=repr
)
def test_fit_changes_no_layer(layers):
    before, parts = copy.deepcopy(layers), list(layers)
    network = NetworkClassifier(layers, **QUICK, input_shape=(6, 6, 1) if isinstance(layers[0], Conv) else None)
    network.fit(X, Y).partial_fit(X, Y)
    network.predict(X)
    assert network.layers is layers
    assert layers == before
    assert all(one is other for one, other in zip(layers, parts, strict=True))


def test_the_same_layers_serve_in_two_networks():
    layers = [Dense(4, activation="tanh")]
    one, other = fitted(layers), fitted(layers, random_state=1)
    alone = fitted([Dense(4, activation="tanh")])
    assert not np.array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.network_.theta, alone.network_.theta)
    assert_array_equal(pickle.loads(pickle.dumps(one)).predict_proba(X), alone.predict_proba(X))


GRIDS = {
    "parameters": {"layers__0__units": [2, 5], "layers__0__activation": ["relu", "tanh"]},
    "whole layers": {"layers__1": [Dropout(0.1), BatchNorm(), Dense(3)]},
    "lists": {"layers": [[Dense(2)], (Dense(3), Dense(2)), []]},
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_a_search_reaches_into_the_layers(grid):
    network = NetworkClassifier(two_layers(), **QUICK)
    search = GridSearchCV(network, grid, cv=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == np.prod([len(values) for values in grid.values()])
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()
    n_hidden = len(search.best_estimator_.layers)
    assert search.best_estimator_.network_.layers[:n_hidden] == tuple(search.best_estimator_.layers)
    assert network.layers == two_layers()


def test_a_random_search_draws_layers_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(two_layers(), **QUICK))
    draws = {"networkclassifier__layers__0__units": np.arange(2, 9), "networkclassifier__layers__1__rate": [0.0, 0.3]}
    search = RandomizedSearchCV(pipeline, draws, n_iter=3, cv=2, random_state=0, error_score="raise").fit(X, Y)
    units = search.best_params_["networkclassifier__layers__0__units"]
    assert search.best_estimator_[-1].network_.output_shape == (1,)
    assert search.best_estimator_[-1].network_.shapes[0] == (units,)
    assert search.best_estimator_[-1].network_.theta.dtype == np.float32


# -- looking -------------------------------------------------------------------------------------------------------


def test_the_repr_shows_what_was_chosen():
    network = NetworkClassifier([Conv(8, activation="relu"), Pool(), Flatten(), Dense(32)], max_iter=5)
    assert " ".join(repr(network).split()) == (
        "NetworkClassifier(layers=[Conv(8, activation='relu'), Pool(), Flatten(), Dense(32)], max_iter=5)"
    )
    assert repr(NetworkRegressor()) == "NetworkRegressor()"


@pytest.mark.parametrize("layers", [two_layers(), CONVOLUTIONS], ids=repr)
def test_the_html_repr_shows_the_layers(layers):
    network = NetworkClassifier(layers, **QUICK, input_shape=(6, 6, 1) if layers is CONVOLUTIONS else None)
    for html in (network._repr_html_(), network.fit(X, Y)._repr_html_(), make_pipeline(network)._repr_html_()):
        assert "layers__0" in html
        assert type(layers[0]).__name__ in html


def test_summary_tells_the_layers_with_shapes_and_parameters():
    table = fitted(CONVOLUTIONS, X=IMAGES).summary()
    assert table["layer"].tolist() == [
        "Unflatten((6, 6, 1))",
        "Conv(3, relu)",
        "Pool(max, 2)",
        "Flatten()",
        "Dense(1)",
    ]
    assert table["output_shape"].tolist() == [(6, 6, 1), (6, 6, 3), (3, 3, 3), (27,), (1,)]
    assert table["parameters"].tolist() == [0, 30, 0, 0, 28]
    assert table["receptive_field"].tolist()[1:3] == [(3, 3), (4, 4)]


@pytest.mark.parametrize(
    "estimator",
    [MLPClassifier(4, **QUICK), CNNClassifier(2, **QUICK), NetworkClassifier([Dense(4)], **QUICK)],
    ids=repr,
)
def test_all_networks_of_layers_have_a_summary(estimator):
    with pytest.raises(NotFittedError):
        estimator.summary()
    assert estimator.fit(X, Y).summary()["parameters"].sum() == estimator.network_.n_parameters


def test_layers_with_weights_are_counted():
    assert fitted([Dense(3), BatchNorm(), Dense(2)]).n_layers_ == 4
    assert fitted(CONVOLUTIONS, X=IMAGES).n_layers_ == 3
