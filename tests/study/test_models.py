"""The table of models: what is compared, on which data, and which side each model is on."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Perceptron, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, SVR

import sknn
from sknn import (
    CNNClassifier,
    CNNRegressor,
    MLPClassifier,
    MLPRegressor,
    PerceptronClassifier,
    PerceptronRegressor,
    ResNetClassifier,
    ResNetRegressor,
    RNNClassifier,
    RNNRegressor,
    TransformerClassifier,
    TransformerRegressor,
)
from sknn.study.choice import as_models, family_of, from_estimator
from sknn.study.data import DataSet
from sknn.study.models import BUILT_IN

# estimator for labels, for numbers; whether it is scaled; family
TABLE = {
    "dummy": (DummyClassifier, DummyRegressor, False, "baseline"),
    "logistic": (LogisticRegression, None, True, "baseline"),
    "ridge": (None, Ridge, True, "baseline"),
    "knn": (KNeighborsClassifier, KNeighborsRegressor, True, "baseline"),
    "random_forest": (RandomForestClassifier, RandomForestRegressor, False, "baseline"),
    "hist_gradient_boosting": (HistGradientBoostingClassifier, HistGradientBoostingRegressor, False, "baseline"),
    "svm": (SVC, SVR, True, "baseline"),
    "gaussian_process": (GaussianProcessClassifier, GaussianProcessRegressor, True, "baseline"),
    "perceptron": (PerceptronClassifier, PerceptronRegressor, True, "network"),
    "mlp": (MLPClassifier, MLPRegressor, True, "network"),
    "cnn": (CNNClassifier, CNNRegressor, False, "network"),
    "rnn": (RNNClassifier, RNNRegressor, False, "network"),
    "transformer": (TransformerClassifier, TransformerRegressor, False, "network"),
    "resnet": (ResNetClassifier, ResNetRegressor, False, "network"),
}
OTHERS = ["last_value", "season", "otsu", "pixel_forest", "unet"]  # for forecasts, and for label maps, alone
OTHERS += ["gaussian_mixture", "kernel_density", "vae", "flow"]  # for densities alone
EVERY = [*TABLE, *OTHERS]
ROWS = [
    pytest.param(name, task, row[at], row[2], row[3], id=f"{name}-{task}")
    for name, row in TABLE.items()
    for at, task in enumerate(("classification", "regression"))
    if row[at] is not None
]
RNG = np.random.RandomState(0)
X = RNG.normal(size=(30, 4))
TARGETS = {"classification": np.where(X[:, 0] > 0, "yes", "no"), "regression": X[:, 0] + X[:, 1] ** 2}
HOLES = np.where(RNG.uniform(size=X.shape) < 0.1, np.nan, X)
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(flag=X[:, 0] > 1, text=np.where(X[:, 2] > 0, "left", None))


def data_of(X=X, task="classification", sample_shape=None):
    return DataSet("toy", X, TARGETS[task], task, sample_shape=sample_shape)


def large_data(n_samples):
    return DataSet("large", np.broadcast_to(0.0, (n_samples, 2)), np.arange(n_samples) % 2, "classification")


SIGNALS = {task: data_of(X, task, (4, 1)) for task in TARGETS}


def test_every_model_has_a_row():
    assert list(TABLE) == list(BUILT_IN)


@pytest.mark.parametrize(("name", "task", "kind", "scaled", "family"), ROWS)
def test_built_in_model(name, task, kind, scaled, family):
    model = BUILT_IN[name]
    built = model.build(SIGNALS[task], random_state=7)
    assert isinstance(built, Pipeline) == scaled
    estimator = built[-1] if scaled else built
    estimator = getattr(estimator, "regressor", estimator)
    assert type(estimator) is kind
    assert estimator.get_params().get("random_state", 7) == 7
    assert model.family == family
    assert model.title[0].isupper() or model.title.startswith("k ")


KINDS_OF_DATA = {
    "numbers": X,
    "holes": HOLES,
    "frame": FRAME,
    "flags": FRAME.drop(columns="text"),
    "images": X.reshape(-1, 2, 2),
    "signals": X.reshape(-1, 2, 2),
    "flat signals": X,
    "signals with holes": HOLES.reshape(-1, 2, 2),
}
SHAPES = {
    **dict.fromkeys(("images", "holes"), (2, 2, 1)),
    **dict.fromkeys(("signals", "flat signals", "signals with holes"), (2, 2)),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.* is read as 30 signals of 2 steps with 2 channels")
@pytest.mark.parametrize("kind", [*KINDS_OF_DATA, "sparse"])
@pytest.mark.parametrize(("name", "task"), [pytest.param(*row.values[:2], id=row.id) for row in ROWS])
def test_every_model_on_every_kind_of_data_that_suits_it(name, task, kind):
    inputs = csr_array(X * (X > 0)) if kind == "sparse" else KINDS_OF_DATA[kind]
    data = data_of(inputs, task, SHAPES.get(kind))
    model = BUILT_IN[name]
    reason = model.suits(data)
    expected = {
        **dict.fromkeys(("cnn", "resnet"), "" if data.sample_shape else "no images or signals"),
        **dict.fromkeys(("rnn", "transformer"), "" if "signals" in kind else "no signals or series"),
        "hist_gradient_boosting": "not for sparse data" if kind == "sparse" else "",
        "gaussian_process": "not for sparse data" if kind == "sparse" else "",
    }
    assert reason == expected.get(name, "")
    if not reason:
        estimator = model.build(data, random_state=0)
        if name in ("random_forest", "hist_gradient_boosting", "cnn", "rnn", "transformer", "resnet"):
            last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
            last.set_params(**{"n_estimators": 3} if name == "random_forest" else {"max_iter": 2})
        predicted = estimator.fit(inputs, data.y).predict(inputs)
        assert predicted.shape == data.y.shape
        assert predicted.dtype.kind == data.y.dtype.kind


def test_a_forest_of_clean_numbers_stands_alone():
    assert isinstance(BUILT_IN["random_forest"].build(data_of(), 0), RandomForestClassifier)


def test_support_vector_regression_does_not_depend_on_the_unit_of_y():
    small, large = (
        BUILT_IN["svm"].build(SIGNALS["regression"], 0).fit(X, scale * TARGETS["regression"]).predict(X) / scale
        for scale in (1, 1000)
    )
    np.testing.assert_allclose(small, large, rtol=1e-6)


def test_convolutional_networks_are_told_the_shape_of_a_sample():
    for name in ("cnn", "CNNClassifier"):
        (model,) = as_models([name])
        assert model.build(data_of(X.reshape(-1, 2, 2, 1), sample_shape=(2, 2, 1)), 0).input_shape == (2, 2, 1)


@pytest.mark.parametrize("model", BUILT_IN.values(), ids=lambda model: model.name)
def test_models_travel_and_what_they_build_has_a_lasting_hash(model):
    data = SIGNALS[next(iter(model.makers))]
    twin = pickle.loads(pickle.dumps(model))
    assert len(pickle.dumps(model)) < 5000
    assert joblib.hash(twin.build(data, 3)) == joblib.hash(model.build(data, 3))
    assert joblib.hash(model.build(data, 3)) == joblib.hash(clone(model.build(data, 3)))


# ------------------------------------------------------------------------------------------------ which model suits


@pytest.mark.parametrize(("name", "most"), [("svm", 10_000), ("gaussian_process", 999)])
def test_slow_models_are_no_default_for_large_data(name, most):
    model = BUILT_IN[name]
    assert model.suits(large_data(most)) == ""
    assert model.suits(large_data(most + 1)) == f"more than {most:,} rows"
    assert model.can_fit(large_data(most + 1)) == ""


def test_a_named_model_takes_part_whenever_it_can():
    large = large_data(50_000)
    skipped = {model.name for model in as_models(["defaults", "svm"]) if model.skips(large)}
    assert skipped == {"ridge", "gaussian_process", "cnn", "rnn", "transformer", "resnet", *OTHERS}
    (cnn,) = as_models(["cnn"])
    assert cnn.skips(large) == "no images or signals"


@pytest.mark.parametrize(
    ("model", "task", "reason"),
    [
        ("ridge", "classification", "for regression, not classification; models for classification: dummy, logistic,"),
        ("logistic", "regression", "for classification, not regression; models for regression: dummy, ridge, knn,"),
        (("mine", SVC()), "regression", "for classification, not regression"),
    ],
)
def test_a_model_for_the_other_task_names_those_for_this_one(model, task, reason):
    (model,) = as_models([model])
    assert model.can_fit(SIGNALS[task]).startswith(reason)
    assert model.suits(SIGNALS[task]) == model.can_fit(SIGNALS[task])
    with pytest.raises(ValueError, match=f"the model {model.name!r} cannot be fitted to 'toy': {reason}"):
        model.build(SIGNALS[task], 0)


def test_the_default_models_of_each_task():
    named = {task: [model.name for model in as_models(None) if not model.skips(data)] for task, data in SIGNALS.items()}
    assert named["classification"] == [name for name in TABLE if name != "ridge"]
    assert named["regression"] == [name for name in TABLE if name != "logistic"]


# ------------------------------------------------------------------------------------------------------ your choice


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (None, EVERY),
        (["dummy", "mlp"], ["dummy", "mlp"]),
        (["ExtraTreesClassifier", "dummy"], ["ExtraTreesClassifier", "dummy"]),
        ([("small", MLPClassifier(5)), "mlp"], ["small", "mlp"]),
        ({"a": SVC(), "b": SVC()}, ["a", "b"]),
        (("knn",), ["knn"]),
        (["defaults"], EVERY),
        (["SVC", "defaults", "mlp"], [*EVERY, "SVC"]),
    ],
)
def test_models_of_a_study(models, names):
    assert [model.name for model in as_models(models)] == names


def test_an_own_model_takes_the_place_of_the_default_of_its_name():
    models = {model.name: model for model in as_models(["defaults", ("mlp", MLPClassifier(5))])}
    assert list(models) == EVERY
    assert models["mlp"].build(SIGNALS["classification"], 0).hidden_layer_sizes == 5
    assert not models["mlp"].by_default


class Stranger:
    """Something that fits without being one of scikit-learn's estimators."""

    def fit(self, X, y):
        return self


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["mlpp"], "unknown model 'mlpp', did you mean 'mlp'.* Known: dummy, logistic, ridge,"),
        (["extratreesclasifier"], "unknown model 'extratreesclasifier', did you mean 'ExtraTreesClassifier'"),
        (["default"], "unknown model 'default', did you mean 'defaults'"),
        (["StandardScaler"], "unknown model 'StandardScaler'"),
        ("mlp", "models='mlp' is a single string"),
        ([], r"models=\[\] holds no model"),
        ({}, r"models={} holds no model"),
        (["svm", "svm"], "models names 'svm' twice"),
        (["svm", ("svm", SVC())], "models names 'svm' twice"),
        ([SVC()], r"models contains SVC\(\); an entry must be a name or a pair"),
        ([("a", "b", "c")], "models contains .*; an entry must be a name or a pair"),
        ({"a": SVC}, "the model 'a' is the class SVC; give an instance of it"),
        ({"a": KMeans()}, r"the model 'a' is neither a classifier nor a regressor of .*: KMeans\(\)"),
        ({"a": "svm"}, "the model 'a' is neither a classifier nor a regressor of .*: 'svm'"),
        ({"a": Stranger()}, "the model 'a' is neither a classifier nor a regressor of .*: <.*Stranger"),
        (["StackingClassifier"], "StackingClassifier cannot be made without arguments; give a pair"),
    ],
)
def test_wrong_models(models, message):
    with pytest.raises(ValueError, match=message):
        as_models(models)


def test_an_estimator_by_the_name_of_its_class_is_scaled_and_seeded():
    (model,) = as_models(["ExtraTreesClassifier"])
    built = model.build(data_of(HOLES), random_state=3)
    assert [type(step).__name__ for step in built.named_steps.values()] == [
        "SimpleImputer",
        "StandardScaler",
        "ExtraTreesClassifier",
    ]
    assert built[-1].random_state == 3
    assert model.can_fit(SIGNALS["regression"])


def test_of_two_classes_with_the_same_name_it_is_ours():
    (model,) = as_models(["MLPClassifier"])
    assert isinstance(model.build(data_of(), 0)[-1], sknn.MLPClassifier)


def test_own_estimators_are_used_as_they_are():
    own = make_pipeline(MinMaxScaler(), ExtraTreesClassifier(5))
    (model,) = as_models([("mine", own)])
    built = model.build(data_of(HOLES), 3)
    assert [type(step) for step in built] == [MinMaxScaler, ExtraTreesClassifier]
    assert built is not own
    built.fit(HOLES, TARGETS["classification"])
    assert not hasattr(own[-1], "estimators_")


def test_only_an_unset_random_state_becomes_the_studys():
    pipeline = make_pipeline(MinMaxScaler(), RandomForestClassifier())
    data = data_of()
    assert from_estimator("mine", pipeline).build(data, 3)[-1].random_state == 3
    assert from_estimator("mine", RandomForestClassifier(random_state=1)).build(data, 3).random_state == 1
    assert pipeline[-1].random_state is None


class SkorchNet(LogisticRegression):
    __module__ = "skorch.classifier"


class OwnNetwork(MLPClassifier):
    pass


@pytest.mark.parametrize(
    ("estimator", "family"),
    [
        (MLPClassifier(), "network"),
        (OwnNetwork(), "network"),
        (SkorchNet(), "network"),
        (make_pipeline(MinMaxScaler(), MLPClassifier()), "network"),
        (GridSearchCV(make_pipeline(MinMaxScaler(), MLPClassifier()), {}), "network"),
        (TransformedTargetRegressor(MLPRegressor(), transformer=StandardScaler()), "network"),
        (BaggingClassifier(PerceptronClassifier()), "network"),
        (sklearn.neural_network.MLPClassifier(), "network"),
        (sklearn.neural_network.MLPRegressor(), "network"),
        (Perceptron(), "network"),
        (LogisticRegression(), "baseline"),
        (BaggingClassifier(), "baseline"),
        (GridSearchCV(SVC(), {}), "baseline"),
    ],
)
def test_family_of_a_users_estimator(estimator, family):
    assert family_of(estimator) == from_estimator("mine", estimator).family == family


@pytest.mark.parametrize(("n_samples", "stops_early"), [(2000, False), (2001, True)])
def test_only_large_data_spare_rows_to_stop_early_on(n_samples, stops_early):
    data = DataSet.from_arrays("numbers", np.zeros((n_samples, 1)), np.arange(n_samples) / 2)
    (model,) = as_models(["mlp"])
    assert model.build(data, 0)[-1].early_stopping == stops_early
