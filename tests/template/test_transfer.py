"""Transfer: what a network begins with, what it does not train, and what it trains slowly."""

import copy
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sknn
from sknn import (
    CNNClassifier,
    FTTransformerRegressor,
    LanguageModel,
    MLPClassifier,
    MLPRegressor,
    MobileNetClassifier,
    NetworkClassifier,
    ResNetClassifier,
    RNNClassifier,
    RNNSegmenter,
    Seq2Seq,
    TransformerClassifier,
    UNetSegmenter,
    ViTClassifier,
)
from sknn.autodiff import Tensor
from sknn.callbacks import Checkpoint
from sknn.nn import BatchNorm, Dense, Dropout, Network, Residual, value_and_grad
from sknn.optim import SGD
from sknn.template.side_by_side import fit_side_by_side

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(40, 5))
Y = (X[:, 0] > 2).astype(int)
OTHERS = np.array(["a", "b", "c"])[RNG.integers(3, size=40)]  # other classes for the same rows
SERIES = RNG.normal(size=(40, 12, 2))
IMAGES = RNG.normal(size=(40, 8, 8, 1))
MAPS = (IMAGES[..., 0] > 0).astype(int)
TEXTS = ["abba", "baab", "abab", "bbaa"] * 5
SHORT = {"max_iter": 3, "random_state": 0}

RESIDUAL = (
    Dense(6),
    Residual([Dense(6, use_bias=False), BatchNorm(), Dropout(0.2), Dense(6, activation="tanh")]),
    BatchNorm(),
    Dense(2),
)
# a family, its X and y, and y of another task for the same network but its output
FAMILIES = {
    "mlp": (MLPClassifier((6, 4), batch_norm=True, **SHORT), X, Y, OTHERS),
    "regressor": (MLPRegressor((6, 4), **SHORT), X, X[:, 1], X[:, :2]),
    "layers": (NetworkClassifier((Dense(8), Residual([Dense(8), BatchNorm()]), Dense(2)), **SHORT), X, Y, 1 - Y),
    "cnn": (CNNClassifier((2, 3), batch_norm=True, input_shape=(12, 2), **SHORT), SERIES, Y, OTHERS),
    "resnet": (ResNetClassifier((2, 3), **SHORT), SERIES, Y, OTHERS),
    "mobilenet": (MobileNetClassifier((2, 3), blocks=1, **SHORT), IMAGES, Y, OTHERS),
    "u-net": (UNetSegmenter(2, depth=1, patch=8, **SHORT), IMAGES, MAPS, 1 + MAPS + (IMAGES[..., 0] > 1)),
    "vision transformer": (ViTClassifier(4, width=8, depth=2, n_heads=2, **SHORT), IMAGES, Y, OTHERS),
    "rnn": (RNNClassifier(4, depth=2, **SHORT), SERIES, Y, OTHERS),
    "tags": (RNNSegmenter(4, depth=2, **SHORT), SERIES, (SERIES[..., 0] > 0) * 1, (SERIES[..., 0] > 1) + 1),
    "transformer": (TransformerClassifier(8, depth=1, n_heads=2, stem=(4,), **SHORT), SERIES, Y, OTHERS),
    "columns": (FTTransformerRegressor(8, depth=1, n_heads=2, **SHORT), X, X[:, 1], X[:, :2]),
    "language": (LanguageModel(4, depth=2, **SHORT), TEXTS, None, None),
    "sequence to sequence": (Seq2Seq(4, **SHORT), TEXTS, [text[::-1] for text in TEXTS], TEXTS),
}
each_family = pytest.mark.parametrize(("model", "x", "before", "after"), FAMILIES.values(), ids=FAMILIES)


def values(network, names):
    return {name: network.theta[slice(*network.names[name][:2])] for name in names}


def names_below(network, layers):
    return [name for name in network.names if name.split(".")[0] in layers]


def as_pretrained(model, *data):
    with warnings.catch_warnings():  # also while tests are collected
        warnings.simplefilter("ignore", ConvergenceWarning)
        return FrozenEstimator(clone(model).fit(*data))


# -- what it begins with -------------------------------------------------------------------------------------------


@each_family
def test_every_network_goes_on_from_another_and_keeps_what_is_frozen(model, x, before, after):
    source = as_pretrained(model, x, before)
    frozen = clone(model).set_params(pretrained=source, freeze=1).fit(x, after)
    network, there = frozen.network_, source.estimator.network_
    still = [name for name, rate in network.rates.items() if rate == 0]
    assert still
    for name in still:
        assert_array_equal(*(values(each, [name])[name] for each in (network, there)))
    trained = [name for name in network.trained if name in frozen._loaded]
    assert any(not np.array_equal(*(values(each, [name])[name] for each in (network, there))) for name in trained)
    model = clone(frozen)
    assert_array_equal(model.fit(x, after).network_.theta, network.theta)


def nearly_still(model, **params):
    """With steps so small that the fit leaves what it began with, to rounding."""
    return clone(model).set_params(solver=SGD(momentum=0.0), learning_rate_init=1e-12, max_iter=1, **params)


MLP = MLPClassifier((6, 4), batch_norm=True, **SHORT)
SOURCE = as_pretrained(MLP, X, Y)
THERE = SOURCE.estimator.network_
OUTPUT = [name for name in THERE.names if name.startswith("6.")]


def in_a_file(tmp_path):
    sknn.save(SOURCE.estimator, tmp_path / "source")
    return tmp_path / "source"


WAYS = {
    "an estimator": lambda tmp_path: SOURCE,
    "a network": lambda tmp_path: THERE,
    "a file": in_a_file,
    "the name of a file": lambda tmp_path: str(in_a_file(tmp_path)),
}


@pytest.mark.parametrize("way", WAYS)
def test_weights_come_from(way, tmp_path):
    fitted = nearly_still(MLP, pretrained=WAYS[way](tmp_path)).fit(X, Y)
    assert fitted._loaded == tuple(THERE.names)  # the same classes: the output layer too
    assert_allclose(fitted.network_.theta, THERE.theta, atol=1e-9)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (MLP, OTHERS),
        (MLP, np.where(Y, "yes", "no")),
        (MLPRegressor((6, 4), **SHORT), X[:, 0]),
    ],
    ids=["more classes", "as many others", "numbers"],
)
def test_the_output_layer_begins_anew_where_it_means_something_else(model, y):
    source = SOURCE if model is MLP else as_pretrained(MLPClassifier((6, 4), **SHORT), X, Y)
    fitted = nearly_still(model, pretrained=source).fit(X, y)
    loaded, network = set(fitted._loaded), fitted.network_
    output = f"{network.weighted[-1]}."
    assert loaded == {name for name in network.names if not name.startswith(output)}
    drawn = nearly_still(model).fit(X, y).network_
    for name in network.names:
        origin = source.estimator.network_ if name in loaded else drawn
        assert_allclose(values(network, [name])[name], values(origin, [name])[name], atol=1e-9)


def test_running_statistics_come_along():
    fitted = clone(MLP).set_params(pretrained=SOURCE, freeze=2).fit(X, OTHERS)
    assert_array_equal(fitted.network_.state, THERE.state)


def test_another_precision_is_that_of_the_new_network():
    fitted = nearly_still(MLP, pretrained=SOURCE, dtype="float64").fit(X, Y)
    assert fitted.network_.theta.dtype == np.float64
    assert_allclose(fitted.network_.theta, THERE.theta, atol=1e-7)


def test_the_scaling_of_the_inputs_comes_along():
    model = MLPClassifier((6, 4), input_scaling="standard", **SHORT)
    source = as_pretrained(model, X, Y)
    far = 100.0 + 7.0 * X
    fitted = nearly_still(model, pretrained=source).fit(far, Y)
    assert_array_equal(fitted.input_scaling_.mean, source.estimator.input_scaling_.mean)
    assert_array_equal(fitted.input_scaling_.scale, source.estimator.input_scaling_.scale)
    assert_allclose(fitted.predict_proba(far), source.estimator.predict_proba(far), atol=1e-6)
    alone = nearly_still(model, pretrained=source.estimator.network_).fit(far, Y)  # a network knows no scale
    assert_allclose(alone.input_scaling_.mean, far.mean(axis=0))


def test_a_fit_changes_neither_what_it_begins_with_nor_its_scaling():
    model = MLPClassifier((6, 4), input_scaling="standard", learning_rate_init=0.1, **SHORT)
    source = as_pretrained(model, X, Y)
    before = pickle.dumps(source)
    clone(model).set_params(pretrained=source).fit(X, OTHERS)
    assert pickle.dumps(source) == before


# -- what is not trained -------------------------------------------------------------------------------------------

FREEZE = {
    "one layer, with its norm": (1, {"0", "1"}),
    "two": (2, {"0", "1", "2", "3"}),
    "a layer by name": ("2", {"2"}),
    "layers by name": (["0", "2"], {"0", "2"}),
    "what lies behind": (["2", "3", "4"], {"2", "3", "4"}),
}


@pytest.mark.parametrize(("freeze", "layers"), FREEZE.values(), ids=FREEZE)
@pytest.mark.parametrize("pretrained", [SOURCE, None], ids=["pretrained", "random"])
@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "adamw", "alpha": 0.5}], ids=str)
def test_frozen_slices_stay_to_the_bit(freeze, layers, pretrained, options):
    model = clone(MLP).set_params(pretrained=pretrained, freeze=freeze, learning_rate_init=0.1, **options)
    began = THERE if pretrained is SOURCE else nearly_still(MLP).fit(X, Y).network_
    network = model.fit(X, Y).network_
    state = THERE.state if pretrained is SOURCE else Network(network.layers, (5,), RNG).state
    still = names_below(network, layers)
    for name, place in network.names.items():
        stays = np.array_equal(*(each.theta[place.start : place.stop] for each in (network, began)))
        if pretrained is SOURCE:
            assert stays == (name in still)
        elif name in still:
            assert_allclose(values(network, [name])[name], values(began, [name])[name], atol=1e-9)
    for name, place in network.state_names.items():
        moved = not np.array_equal(*(each[place.start : place.stop] for each in (network.state, state)))
        assert moved == (name.split(".")[0] not in layers)


def test_frozen_in_partial_fits_and_warm_starts_until_it_is_thawed():
    model = clone(MLP).set_params(pretrained=SOURCE, freeze=2, warm_start=True, learning_rate_init=0.05)
    still = names_below(THERE, {"0", "1", "2", "3"})
    for call in (model.fit, model.partial_fit, model.fit, model.partial_fit):
        call(X, Y)
        for name in still:
            assert_array_equal(values(model.network_, [name])[name], values(THERE, [name])[name])
    head = values(model.network_, OUTPUT)
    model.set_params(freeze=0).fit(X, Y)
    assert set(model.network_.rates.values()) == {0.1}
    assert all(not np.array_equal(values(model.network_, [n])[n], values(THERE, [n])[n]) for n in still)
    thawed = copy.deepcopy(model)
    model.set_params(freeze=["4"]).partial_fit(X, Y)  # what Adam kept of the output would move it on
    for name in OUTPUT:
        assert not np.array_equal(values(model.network_, [name])[name], head[name])
        assert_array_equal(values(model.network_, [name])[name], values(thawed.network_, [name])[name])


@pytest.mark.filterwarnings("ignore:lbfgs failed:sklearn.exceptions.ConvergenceWarning")
def test_a_search_over_all_samples_leaves_what_is_frozen_and_takes_frozen_norms():
    model = MLPClassifier((6, 4), solver="lbfgs", max_iter=20, random_state=0)
    source = as_pretrained(model, X, Y)
    network = clone(model).set_params(pretrained=source, freeze=1).fit(X, OTHERS).network_
    for name in names_below(network, {"0"}):
        assert_array_equal(values(network, [name])[name], values(source.estimator.network_, [name])[name])
    layers = (Dense(6), BatchNorm(), Dense(2))
    normed = as_pretrained(NetworkClassifier(layers, **SHORT), X, Y)
    searched = NetworkClassifier(layers, solver="lbfgs", max_iter=30, random_state=0, pretrained=normed)
    assert searched.set_params(freeze=1).fit(X, Y).loss_ < normed.estimator.loss_
    assert_array_equal(searched.network_.state, normed.estimator.network_.state)
    with pytest.raises(ValueError, match=r"BatchNorm.* does not apply with solver='lbfgs'"):
        clone(searched).set_params(freeze=0).fit(X, Y)


def test_frozen_norms_take_batches_of_one_sample():
    one = clone(MLP).set_params(pretrained=SOURCE, freeze=2, batch_size=1)
    assert_array_equal(one.fit(X, OTHERS).network_.state, THERE.state)
    with pytest.raises(ValueError, match=r"BatchNorm.* does not apply with batches of one sample"):
        clone(one).set_params(freeze=1).fit(X, OTHERS)


def test_norms_within_a_block_stand_still_with_their_own_parameters():
    source = as_pretrained(NetworkClassifier(RESIDUAL, **SHORT), X, Y)
    for freeze, moved in ((0, {"1.1", "2"}), (2, set()), (["1.1"], {"2"}), (["1.1.gain"], {"1.1", "2"})):
        model = NetworkClassifier(RESIDUAL, **SHORT, pretrained=source, freeze=freeze).fit(X, Y)
        network, there = model.network_, source.estimator.network_
        names = network.state_names.items()
        assert moved == {
            name.rpartition(".")[0]
            for name, (start, stop, _) in names
            if not np.array_equal(network.state[start:stop], there.state[start:stop])
        }


def test_a_frozen_prefix_leaves_nothing_on_the_tape():
    seen = []

    class Watched(MLPClassifier):
        def _outputs(self, nets, batch, draws):
            if nets.training:
                seen.append([type(nets[:k](batch.x)) for k in (2, 4, 5)])
            return nets(batch.x)

    Watched((6, 4), batch_norm=True, **SHORT, pretrained=SOURCE, freeze=2).fit(X, Y)
    assert seen == [[np.ndarray, np.ndarray, Tensor]] * 3
    seen.clear()
    Watched((6, 4), batch_norm=True, **SHORT, pretrained=SOURCE, freeze=1).fit(X, Y)
    assert seen == [[np.ndarray, Tensor, Tensor]] * 3


def test_gradients_reach_what_lies_before_a_frozen_layer():
    network = Network(RESIDUAL, (5,), np.random.RandomState(0), "float64")
    _, (whole,) = value_and_grad(lambda net: net(X).sum(), [network])
    whole = whole.copy()
    network.train_at(dict.fromkeys(names_below(network, {"1"}), 0.0))
    network.grad[:] = 0.0
    _, (found,) = value_and_grad(lambda net: net(X).sum(), [network])
    for name, (start, stop, _) in network.names.items():
        assert_allclose(found[start:stop], 0.0 if name.startswith("1.") else whole[start:stop], rtol=1e-12)


# -- what is trained slowly ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.1, 0.25, 1.0])
@pytest.mark.parametrize("freeze", [0, 1])
def test_slices_move_by_their_rate_times_the_step(rate, freeze):
    model = MLPClassifier((6, 4), solver=SGD(momentum=0.0), alpha=0.0, dtype="float64", batch_size=40, **SHORT)
    model.set_params(max_iter=1, learning_rate_init=0.5)
    source = as_pretrained(model, X, Y)
    model.set_params(pretrained=source, freeze=freeze, fine_tune_rate=rate, shuffle=False)
    network = model.fit(X, OTHERS).network_
    began = clone(model).set_params(learning_rate_init=1e-300).fit(X, OTHERS).network_
    began.train_at({})
    target = model._target
    encoded = target.encode(OTHERS, np.dtype("float64"))
    _, (gradient,) = value_and_grad(lambda net: target.loss(net(X), encoded).mean(), [began])
    for name, (start, stop, _) in network.names.items():
        layer = name.split(".")[0]
        factor = 0.0 if freeze and layer == "0" else 1.0 if layer == "2" else rate
        step = -0.5 * factor * gradient[start:stop]
        assert_allclose(network.theta[start:stop] - began.theta[start:stop], step, rtol=1e-9, atol=1e-15)


def test_weight_decay_leaves_what_is_frozen():
    network = clone(MLP).set_params(pretrained=SOURCE, freeze=2).fit(X, Y).network_
    head = network.theta[slice(*network.names["4.weight"][:2])]
    assert network.decaying_norm() == pytest.approx(float(np.dot(head, head)))


# -- as an estimator -----------------------------------------------------------------------------------------------


def test_clones_and_searches_begin_with_the_same_weights_in_every_fold():
    plain = MLPClassifier((6, 4), **SHORT)
    source = as_pretrained(plain, X, Y)
    there = source.estimator.network_
    for pretrained in (source, there):
        model = nearly_still(plain, pretrained=pretrained)
        grid = {"freeze": [0, 1, 2], "fine_tune_rate": [0.1, 1.0]}
        search = GridSearchCV(model, grid, cv=4).fit(X, Y)
        for k in range(4):  # nothing has moved, so that all candidates are alike
            assert len(set(search.cv_results_[f"split{k}_test_score"])) == 1
        assert_allclose(search.best_estimator_.network_.theta, there.theta, atol=1e-9)
        assert clone(model).fit(X, Y).network_ is not there


def kept_in_a_file(fitted, tmp_path):
    sknn.save(fitted, tmp_path / "fitted")
    return sknn.load(tmp_path / "fitted")


KEPT = {
    "a pickle": lambda fitted, tmp_path: pickle.loads(pickle.dumps(fitted)),
    "a file": kept_in_a_file,
    "a copy": lambda fitted, tmp_path: copy.deepcopy(fitted),
}


@pytest.mark.parametrize("way", KEPT)
@pytest.mark.parametrize("pretrained", [SOURCE, THERE, None], ids=["estimator", "network", "random"])
def test_it_goes_on_from(way, pretrained, tmp_path):
    model = clone(MLP).set_params(pretrained=pretrained, freeze=1).partial_fit(X, OTHERS, classes=["a", "b", "c"])
    again = KEPT[way](model, tmp_path)
    assert again.network_.rates == model.network_.rates
    assert again.network_.groups == model.network_.groups
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert_array_equal(again.partial_fit(X, OTHERS).network_.theta, model.partial_fit(X, OTHERS).network_.theta)


def test_a_path_is_kept_as_its_name(tmp_path):
    path = in_a_file(tmp_path)
    assert isinstance(path, Path)
    fitted = clone(MLP).set_params(pretrained=path, freeze=1, warm_start=True).fit(X, Y)
    again = kept_in_a_file(fitted, tmp_path)
    assert again.pretrained == str(path)
    path.unlink()  # it was read in the first fit
    assert_array_equal(again.fit(X, Y).network_.theta, fitted.fit(X, Y).network_.theta)
    with pytest.raises(ValueError, match=r"pretrained=.* is no file that can be read"):
        clone(again).fit(X, Y)


def test_a_checkpoint_restores_it(tmp_path):
    model = clone(MLP).set_params(pretrained=SOURCE, freeze=1)
    whole = clone(model).set_callbacks(Checkpoint(tmp_path)).fit(X, OTHERS)
    again = clone(model).set_callbacks(Checkpoint(tmp_path)).fit(X, OTHERS)
    assert_array_equal(again.network_.theta, whole.network_.theta)
    assert len(list(tmp_path.iterdir())) == 1
    clone(model).set_params(freeze=2).set_callbacks(Checkpoint(tmp_path)).fit(X, OTHERS)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("freeze", [0, 1, 2])
def test_members_side_by_side_are_those_alone(freeze):
    model = clone(MLP).set_params(pretrained=SOURCE, freeze=freeze, solver="adamw", alpha=0.1, batch_size=8)
    members = [clone(model).set_params(random_state=seed) for seed in range(3)]
    for together, seed in zip(fit_side_by_side(members, X, OTHERS), range(3), strict=True):
        alone = clone(model).set_params(random_state=seed).fit(X, OTHERS)
        assert_array_equal(together.network_.theta, alone.network_.theta)
        assert_array_equal(together.network_.state, alone.network_.state)


def test_members_that_freeze_different_layers_are_fitted_too():
    members = [clone(MLP).set_params(pretrained=SOURCE, freeze=freeze) for freeze in (0, 1, 2)]
    for together, freeze in zip(fit_side_by_side(members, X, OTHERS), (0, 1, 2), strict=True):
        alone = clone(MLP).set_params(pretrained=SOURCE, freeze=freeze).fit(X, OTHERS)
        assert_array_equal(together.network_.theta, alone.network_.theta)


# -- what is refused -----------------------------------------------------------------------------------------------

SCALED = as_pretrained(MLPClassifier((6, 4), batch_norm=True, input_scaling="standard", **SHORT), X, Y)
REFUSED = {
    "a bare estimator": ({"pretrained": SOURCE.estimator}, "would lose its weights when it is cloned.*FrozenEstimator"),
    "something else": ({"pretrained": 3}, "The 'pretrained' parameter of MLPClassifier must be"),
    "one that is not fitted": ({"pretrained": FrozenEstimator(clone(MLP))}, "holds no fitted network"),
    "a pipeline": (
        {"pretrained": as_pretrained(make_pipeline(StandardScaler(), MLP), X, Y)},
        "holds no fitted network of sknn, but Pipeline",
    ),
    "other shapes": (
        {"pretrained": SOURCE, "hidden_layer_sizes": (7, 4)},
        r"'0.weight' has the shape \(5, 6\) there and \(5, 7\) here.*Only the output layer '4'",
    ),
    "statistics of other shapes": (
        {"pretrained": SOURCE, "hidden_layer_sizes": (7, 4)},
        r"'1.mean' has the shape \(6,\) there and \(7,\) here",
    ),
    "a layer too few": ({"pretrained": SOURCE, "hidden_layer_sizes": (6, 4, 3)}, "'6.weight' is missing there"),
    "a layer too many": ({"pretrained": SOURCE, "hidden_layer_sizes": (6,)}, "'4.weight' is left over"),
    "another scale": (
        {"pretrained": SCALED},
        "input_scaling=None does not go with a pretrained network whose inputs had input_scaling='standard'",
    ),
    "frozen as a whole": ({"freeze": 3}, "freeze=3 leaves nothing to train: .* '0', '1', '2', '3', '4'"),
    "more than there is": ({"freeze": 8}, "freeze=8 leaves nothing to train"),
    "an unknown name": ({"freeze": ["0", "nine"]}, "names 'nine', but the layers with weights are '0', '1'"),
    "a negative number": ({"freeze": -1}, "freeze"),
    "a rate of nothing": ({"fine_tune_rate": 0.0}, "fine_tune_rate"),
}


@pytest.mark.parametrize(("params", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(params, message):
    model = clone(MLP)
    vars(model).update(params)  # a bare estimator as it is, which a call would not change either
    with pytest.raises(ValueError, match=f"(?s){message}"):
        model.fit(X, Y)
    assert not hasattr(model, "network_")


def test_a_rate_does_not_apply_to_a_search():
    model = MLPClassifier((6, 4), solver="lbfgs", pretrained=THERE, fine_tune_rate=0.5)
    with pytest.raises(ValueError, match=r"fine_tune_rate=0\.5 does not apply with solver='lbfgs'"):
        model.fit(X, Y)
