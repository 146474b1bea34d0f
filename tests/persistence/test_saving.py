"""Files without code: what comes back is what was saved, to the bit, and nothing else is ever made or run."""

import io
import json
import os
import pickle
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from scipy.special import expit
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC

import sknn
from sknn import (
    GAN,
    VAE,
    Autoencoder,
    BayesianClassifier,
    BayesianRegressor,
    CNNClassifier,
    CNNRegressor,
    ConformalClassifier,
    ConformalRegressor,
    DensityClassifier,
    DiffusionModel,
    EnsembleClassifier,
    EnsembleRegressor,
    FlowRegressor,
    Forecaster,
    FTTransformerClassifier,
    FTTransformerRegressor,
    HiddenLayerTransformer,
    LanguageModel,
    MLPClassifier,
    MLPRegressor,
    MobileNetClassifier,
    MobileNetRegressor,
    NetworkClassifier,
    NetworkRegressor,
    NormalizingFlow,
    OutlierDetector,
    PerceptronClassifier,
    PerceptronRegressor,
    ResNetClassifier,
    ResNetRegressor,
    RNNClassifier,
    RNNRegressor,
    RNNSegmenter,
    Seq2Seq,
    TransformerClassifier,
    TransformerRegressor,
    UNetRegressor,
    UNetSegmenter,
    ViTClassifier,
    ViTRegressor,
)
from sknn.augment import Noise, Shift
from sknn.callbacks import EarlyStopping
from sknn.nn import BatchNorm, Constants, Conv, Dense, Dropout, GlobalPool, Layer, Network, Parts, Residual, Standardise
from sknn.optim import LBFGS, SGD, AdamW
from sknn.posteriors import Laplace
from sknn.schedules import Cosine, InvScaling
from sknn.template.estimator import Estimator
from sknn.template.parameters import parameter

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 6))
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0, 0.0, 1.0]
ABOVE = NUMBERS > 0
THIRDS = np.digitize(NUMBERS, [-1, 1])
FRAME = pd.DataFrame(X, columns=list("abcdef"))
MIXED = FRAME.assign(f=np.array(["x", "y", None], object)[RNG.randint(3, size=60)]).mask(X > 2)
SERIES = [RNG.normal(size=(RNG.randint(8, 14), 2)) for _ in range(60)]
TIMED = [np.column_stack([np.cumsum(RNG.exponential(size=len(x))), x]) for x in SERIES]
IMAGES = list(RNG.normal(size=(60, 5, 4, 2)))
PICTURES = np.stack(IMAGES)
TEXTS = ["to be or not to be", "to do", "do be do"] * 20
METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "predict_quantiles",
    "predict_interval",
    "predict_set",
    "decision_function",
    "transform",
    "score_samples",
    "critic",
)
FEW = {"max_iter": 3, "random_state": 0}
LEVELS = PICTURES.round()


def words(above):
    return np.where(above, "yes", "no")


class Case(NamedTuple):
    """An estimator, and what it is fitted to."""

    estimator: Any
    X: Any = X
    y: Any = ABOVE


CLASSES = {
    "str": words(ABOVE),
    "object": words(ABOVE).astype(object),
    "int": THIRDS - 1,
    "uint8": THIRDS.astype("uint8"),
    "float32": THIRDS.astype("float32"),
    "bool": ABOVE,
    "dates": np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "M8[D]")[THIRDS],
    "one class": np.zeros(60, int),
    "multilabel": np.column_stack([ABOVE, X[:, 0] > 0]).astype(int),
    "columns": np.column_stack([THIRDS, ABOVE]),
    "words beside numbers": np.column_stack([words(ABOVE).astype(object), THIRDS.astype(object)]),
}
CASES = {
    **{f"classes: {kind}": Case(MLPClassifier(4, **FEW), y=y) for kind, y in CLASSES.items()},
    "classes of a perceptron": Case(PerceptronClassifier(), y=CLASSES["str"]),
    "logistic perceptron": Case(PerceptronClassifier(solver="sgd", max_iter=3), y=THIRDS),
    "linear neuron": Case(PerceptronRegressor(max_iter=3), y=NUMBERS),
    "names of features": Case(MLPRegressor(4, **FEW), FRAME, NUMBERS),
    "several outputs": Case(MLPRegressor(4, **FEW), y=X[:, :2]),
    "quantiles": Case(MLPRegressor(4, loss="quantile", quantile=[0.1, 0.5, 0.9], **FEW), y=NUMBERS),
    "huber": Case(MLPRegressor(4, loss="huber", delta=np.float32(1.5), **FEW), y=NUMBERS),
    "poisson": Case(MLPRegressor(4, loss="poisson", **FEW), y=np.exp(NUMBERS / 9)),
    "descriptions": Case(MLPRegressor(4, solver=SGD(momentum=0.5), learning_rate=InvScaling(power=0.3), **FEW)),
    "cosine, AdamW": Case(MLPClassifier(4, solver=AdamW(weight_decay=0.1), learning_rate=Cosine(), alpha=1e-4, **FEW)),
    "L-BFGS": Case(MLPClassifier(4, solver=LBFGS(max_fun=20), **FEW)),
    "early stopping": Case(MLPClassifier(4, early_stopping=True, scoring="roc_auc", **FEW)),
    "class weights": Case(MLPClassifier(4, class_weight={"no": 2.0, "yes": 1}, **FEW), y=words(ABOVE)),
    "NumPy's numbers": Case(MLPClassifier(np.array([4, 3]), alpha=np.float64(0.1), max_iter=np.int64(3))),
    "random numbers": Case(MLPClassifier(4, max_iter=3, dropout=0.5, random_state=np.random.RandomState(3))),
    "norms": Case(MLPClassifier((4, 4), batch_norm=True, dropout=0.2, residual=True, **FEW)),
    "a signal": Case(CNNRegressor(4, input_shape=(6, 1), **FEW), y=NUMBERS),
    "an image": Case(CNNClassifier(4, input_shape=(2, 3, 1), conv_dropout=0.1, **FEW)),
    "channels first": Case(CNNClassifier(4, input_shape=(2, 3, 1), data_format="channels_first", **FEW)),
    "ragged": Case(CNNClassifier(4, global_pooling="max", **FEW), SERIES),
    "recurrent": Case(RNNClassifier(3, **FEW), SERIES),
    "recurrent, times": Case(RNNRegressor(3, cell="lstm", time_channel=0, **FEW), TIMED, NUMBERS),
    "recurrent, labels of steps": Case(RNNSegmenter(3, **FEW), X, (X > 0).astype(int)),
    "transformer": Case(TransformerClassifier(4, n_heads=2, stem=(4,), positions="learned", **FEW), SERIES),
    "transformer, times": Case(TransformerRegressor(4, n_heads=2, time_channel=0, **FEW), TIMED, NUMBERS),
    "residual network": Case(ResNetClassifier(4, kernel_size=[3, 1], augment=["flip", Noise(0.2)], **FEW), SERIES),
    "residual network, numbers": Case(ResNetRegressor(4, kernel_size=3, norm="group", **FEW), SERIES, NUMBERS),
    "network of few weights, labels": Case(MobileNetClassifier(8, blocks=1, squeeze=0, **FEW), SERIES),
    "network of few weights": Case(MobileNetRegressor(8, blocks=1, scale=-1, **FEW), SERIES, NUMBERS),
    "patches": Case(
        ViTClassifier(2, width=4, n_heads=2, positions="learned", augment=["flip", Shift(0.2)], **FEW), IMAGES
    ),
    "patches of any image": Case(
        ViTRegressor(2, width=4, n_heads=2, stem=3, **FEW), [x[k % 2 :] for k, x in enumerate(IMAGES)], NUMBERS
    ),
    "labels of pixels": Case(UNetSegmenter(2, depth=1, **FEW), PICTURES, (PICTURES[..., 0] > 0).astype(int)),
    "images from images": Case(UNetRegressor(2, depth=1, augment="flip", **FEW), PICTURES, PICTURES[..., 0]),
    "tokens of features": Case(FTTransformerRegressor(4, n_heads=2, **FEW), FRAME, NUMBERS),
    "tokens of categories": Case(FTTransformerClassifier(4, n_heads=2, **FEW), MIXED),
    "own layers": Case(
        NetworkClassifier([Standardise(), Residual([Dense(6), BatchNorm()]), Dropout(0.1), Dense(3)], **FEW)
    ),
    "own convolutions": Case(NetworkRegressor((Conv(2, 3, activation="tanh"), GlobalPool()), **FEW), X[..., None]),
    "language model": Case(LanguageModel(8, unknown="token", **FEW), TEXTS, None),
    "tokens to tokens": Case(Seq2Seq(8, **FEW), TEXTS, [text[::-1].split() for text in TEXTS]),
    "numbers to numbers": Case(Seq2Seq(8, architecture="transformer", **FEW), SERIES, X[:, :3]),
    "hidden layer": Case(HiddenLayerTransformer(MLPClassifier(4, **FEW)).set_output(transform="pandas")),
    "frozen": Case(HiddenLayerTransformer(FrozenEstimator(MLPClassifier(4, tol=9, n_iter_no_change=1).fit(X, ABOVE)))),
    "forecasts": Case(Forecaster(MLPRegressor(4, **FEW), window=3, horizon=2), y=None),
    "codes": Case(Autoencoder(2, **FEW)),
    "codes of images": Case(Autoencoder(2, filters=(3,), sparsity=0.1, **FEW), PICTURES, None),
    "noise taken away": Case(DiffusionModel((4,), missing=0.3, **FEW), y=None),
    "noise taken away from images": Case(DiffusionModel(filters=2, **FEW), PICTURES, None),
    "a posterior": Case(FlowRegressor(hidden_layer_sizes=4, n_draws=9, bounds="unit", **FEW), y=expit(X[:, :2])),
    "codes that are distributions": Case(VAE(2, n_importance=3, **FEW)),
    "codes of levels": Case(VAE(2, filters=(3,), likelihood="categorical", n_importance=3, **FEW), LEVELS, None),
    "density": Case(NormalizingFlow(n_bins=4, bounds=([-9] * 6, np.inf), **FEW)),
    "density of images": Case(NormalizingFlow("glow", filters=3, dequantize=True, **FEW), PICTURES[:, :4], None),
    "adversaries": Case(GAN(hidden_layer_sizes=4, **FEW)),
    "adversaries of images": Case(GAN(filters=(3,), **FEW), PICTURES, None),
    "outliers": Case(OutlierDetector(PCA(2))),
    "intervals": Case(ConformalRegressor(MLPRegressor(4, **FEW), cv=KFold(3))),
    "sets of classes": Case(ConformalClassifier(MLPClassifier(4, **FEW), method="split"), y=words(ABOVE)),
    "a density for each class": Case(DensityClassifier(PCA(2)), y=words(ABOVE)),
    "around the best weights": Case(BayesianRegressor(MLPRegressor(4, **FEW)), y=NUMBERS),
    "Kronecker factors": Case(BayesianClassifier(MLPClassifier(4, **FEW), Laplace(structure="kronecker"))),
    "networks of a posterior": Case(BayesianRegressor(MLPRegressor(4, **FEW), "ensemble", noise="learned"), y=NUMBERS),
    "members": Case(EnsembleRegressor(MLPRegressor(4, **FEW), 2, random_state=0), y=NUMBERS),
    "a stack": Case(
        EnsembleClassifier([("a", MLPClassifier(4, **FEW)), ("b", LogisticRegression())], method="stacking", cv=2)
    ),
    "pipeline": Case(make_pipeline(StandardScaler(), PCA(3), MLPClassifier(4, **FEW))),
    "scalers": Case(make_pipeline(RobustScaler(), MinMaxScaler(), "passthrough", MLPClassifier(4, **FEW))),
    "powers": Case(make_pipeline(PowerTransformer(), QuantileTransformer(n_quantiles=9), MLPClassifier(4, **FEW))),
    "table": Case(
        make_pipeline(
            ColumnTransformer(
                [
                    ("number", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["a", "b"]),
                    ("word", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["f"]),
                    ("rank", OrdinalEncoder(), slice(2, 3)),
                    ("same", "passthrough", [3]),
                ]
            ),
            SimpleImputer(),
            MLPClassifier(4, **FEW),
        ),
        MIXED,
    ),
    "table by its dtypes": Case(
        make_pipeline(
            make_column_transformer(
                (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include=np.number)),
                (
                    OneHotEncoder(dtype=float, sparse_output=False),
                    make_column_selector(dtype_exclude=["number", float]),
                ),
                verbose_feature_names_out=False,
            ).set_output(transform="pandas"),
            MLPClassifier(4, **FEW),
        ),
        MIXED,
    ),
    "logarithm of y": Case(
        TransformedTargetRegressor(MLPRegressor(4, **FEW), func=np.log, inverse_func=np.exp), y=np.exp(NUMBERS)
    ),
    "scaled y": Case(TransformedTargetRegressor(MLPRegressor(4, **FEW), transformer=MinMaxScaler()), y=NUMBERS),
    "logarithm of X": Case(make_pipeline(FunctionTransformer(np.abs), MLPClassifier(4, **FEW))),
}


def outputs(estimator, X):
    return {method: getattr(estimator, method)(X) for method in METHODS if takes_x_alone(estimator, method)}


def takes_x_alone(estimator, method):
    if not hasattr(estimator, method):
        return False
    parameters = signature(getattr(estimator, method)).parameters.values()
    required = [each for each in parameters if each.kind != Parameter.VAR_KEYWORD and each.default is Parameter.empty]
    return len(required) <= 1


def assert_same_outputs(found, expected, X):
    found, expected = outputs(found, X), outputs(expected, X)
    assert found.keys() == expected.keys() != set()
    for method, values in expected.items():
        assert type(found[method]) is type(values)
        for one, other in zip(*(v if isinstance(v, list) else [v] for v in (found[method], values)), strict=True):
            assert_array_equal(one, other, err_msg=method)
            assert getattr(one, "dtype", None) == getattr(other, "dtype", None)


def same_repr(estimator):
    """Addresses apart, of which scikit-learn's may be cut off."""
    return re.sub("( at )?(0x)?[0-9A-Fa-f]{6,}", "", repr(estimator))


# -- there and back ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Each case fitted, and saved in a file."""
    folder = tmp_path_factory.mktemp("saved")
    models = {}
    for number, (name, case) in enumerate(CASES.items()):
        models[name] = clone(case.estimator).fit(case.X, case.y), folder / f"{number}.sknn"
        sknn.save(*models[name])
    return models


@pytest.mark.parametrize("name", CASES)
def test_what_is_loaded_predicts_the_same_bits(name, fitted):
    estimator, file = fitted[name]
    again = sknn.load(file)
    assert type(again) is type(estimator)
    assert_same_outputs(again, estimator, CASES[name].X)
    assert same_repr(again) == same_repr(estimator)
    assert vars(again).keys() == vars(estimator).keys()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if hasattr(case.estimator, "partial_fit")])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_is_loaded_goes_on_as_a_pickle_does(name, method, tmp_path):
    case = CASES[name]
    estimator = clone(case.estimator).set_params(warm_start=True)
    if method == "partial_fit":
        has_scorer = getattr(case.estimator, "scoring", "loss") != "loss"
        estimator.set_params(early_stopping=False, **({"scoring": "loss"} if has_scorer else {}))
    estimator.fit(case.X, case.y)
    sknn.save(estimator, tmp_path / "model")
    models = [sknn.load(tmp_path / "model"), pickle.loads(pickle.dumps(estimator))]
    for model in models:
        for _ in range(2):
            getattr(model, method)(case.X, case.y)
    assert_same_outputs(*models, case.X)


FRESH = """
import pickle, sys
import sknn
from sknn.persistence import saving
for file, X, expected in pickle.load(open(sys.argv[1], "rb")):
    model = sknn.load(file)
    for method, values in expected.items():
        found = getattr(model, method)(X)
        assert pickle.dumps(found) == values, (model, method)
assert "sknn.study" not in sys.modules
"""


def test_a_fresh_process_predicts_the_same_bits(fitted, tmp_path):
    work = [
        (file, CASES[name].X, {method: pickle.dumps(v) for method, v in outputs(model, CASES[name].X).items()})
        for name, (model, file) in fitted.items()
    ]
    (tmp_path / "work").write_bytes(pickle.dumps(work))
    done = subprocess.run([sys.executable, "-c", FRESH, "work"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [name for name in sknn.__all__ if isinstance(getattr(sknn, name), type)])
def test_every_estimator_can_be_saved_before_it_is_fitted(name, tmp_path):
    Estimator = getattr(sknn, name)
    estimator = Estimator(MLPClassifier()) if Estimator is HiddenLayerTransformer else Estimator()
    sknn.save(estimator, tmp_path / "model")
    again = sknn.load(tmp_path / "model")
    assert repr(again.get_params()) == repr(estimator.get_params())
    assert vars(again).keys() == vars(estimator).keys()


def test_every_estimator_has_a_case():
    names = {name for name in sknn.__all__ if isinstance(getattr(sknn, name), type)}
    assert names == {type(case.estimator).__name__ for case in CASES.values()} & names


@pytest.mark.parametrize("name", CASES)
def test_pickle_and_joblib_keep_working(name, fitted, tmp_path):
    estimator, file = fitted[name]
    joblib.dump(sknn.load(file), tmp_path / "model.joblib")
    assert_same_outputs(joblib.load(tmp_path / "model.joblib"), estimator, CASES[name].X)


def test_weights_that_are_mapped_into_memory_can_be_saved(tmp_path):
    joblib.dump(MLPClassifier(4, **FEW).fit(X, ABOVE), tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    sknn.save(mapped, tmp_path / "model")
    assert_same_outputs(sknn.load(tmp_path / "model"), mapped, X)


def test_numbers_that_json_does_not_know(tmp_path):
    odd = {"class_weight": {np.int64(0): np.inf, (1, "a"): -np.inf, None: np.nan, True: -0.0, 1 << 80: 5e-324}}
    sknn.save(MLPClassifier(**odd), tmp_path / "model")
    again = sknn.load(tmp_path / "model").class_weight
    assert repr(again) == repr(odd["class_weight"])


def test_what_is_one_object_comes_back_as_one(fitted, tmp_path):
    again = sknn.load(fitted["pipeline"][1])
    assert again[-1]._forward.network is again[-1].network_
    rng = np.random.RandomState(0)
    sknn.save(make_pipeline(PCA(random_state=rng), MLPClassifier(random_state=rng)), tmp_path / "model")
    again = sknn.load(tmp_path / "model")
    assert again[0].random_state is again[1].random_state


def test_metadata_requests_are_kept_and_callbacks_are_not(tmp_path):
    with config_context(enable_metadata_routing=True):
        estimator = MLPClassifier(4, **FEW).set_fit_request(sample_weight=True)
        sknn.save(estimator.set_callbacks(EarlyStopping()), tmp_path / "model")
        again = sknn.load(tmp_path / "model")
        assert again.get_metadata_routing().fit.requests["sample_weight"] is True
    assert not hasattr(again, "_skl_callbacks")
    assert hasattr(estimator, "_skl_callbacks")


# -- classes of one's own ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Twice(Layer):
    """Times two, or so."""

    factor: float = 2.0

    def build(self, shape, store):
        return shape

    def apply(self, params, x, context):
        return self.factor * x


class Line(Estimator):
    """y = c x, of two parts."""

    start: float = parameter(default=1.0, interval="(-inf, inf)", text="Where the constant begins.")

    def _networks(self, x, target, rng, dtype):
        return Parts(network=Network([Dense(1)], x.shape[1:], rng, dtype), constants=Constants(dtype, c=self.start))

    def _objective(self, nets, batch, draws):
        return ((nets.network(batch.x)[:, 0] * nets.constants.c - 1.0) ** 2).mean()


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr("sknn.persistence.registry._registered", {})


def test_a_layer_of_ones_own_is_registered(registry, tmp_path):
    network = NetworkClassifier([Twice(3.0), Dense(4)], **FEW).fit(X, ABOVE)
    with pytest.raises(TypeError, match=r"NetworkClassifier.layers\[0\]=.*register it with sknn.register\(Twice\)"):
        sknn.save(network, tmp_path / "model")
    assert not list(tmp_path.iterdir())
    assert sknn.register(Twice) is Twice
    sknn.save(network, tmp_path / "model")
    again = sknn.load(tmp_path / "model")
    assert again.layers == network.layers
    assert_same_outputs(again, network, X)


def test_a_class_that_is_not_registered_is_named(registry, tmp_path, monkeypatch):
    sknn.register(Twice)
    sknn.save(NetworkClassifier([Twice()]), tmp_path / "model")
    monkeypatch.setattr("sknn.persistence.registry._registered", {})
    with pytest.raises(ValueError, match=r"model' cannot be loaded: it holds a Twice.*sknn.register\(Twice\)"):
        sknn.load(tmp_path / "model")


def test_an_estimator_of_ones_own_with_several_parts(registry, tmp_path):
    sknn.register(Line)
    line = Line(**FEW).fit(X)
    sknn.save(line, tmp_path / "model")
    again = sknn.load(tmp_path / "model")
    assert_array_equal(again.network_.theta, line.network_.theta)
    assert again.network_.constants.theta.base is again.network_.theta
    assert_array_equal(again.partial_fit(X).network_.theta, line.partial_fit(X).network_.theta)


def test_a_class_that_is_defined_again_takes_the_place_of_the_first(registry):
    def define():
        @sknn.register
        @dataclass(frozen=True)
        class Own(Layer):
            pass

        return Own

    assert define() is not define()


@pytest.mark.parametrize(("cls", "error"), [("Dense", TypeError), (Dense(2), TypeError)])
def test_only_classes_are_registered(registry, cls, error):
    with pytest.raises(error, match="register takes a class"):
        sknn.register(cls)


@pytest.mark.parametrize("name", ["Dense", "MLPClassifier", "StandardScaler", "ClassTarget", "Adam"])
def test_names_are_not_taken_twice(registry, name):
    with pytest.raises(ValueError, match=f"{name!r} is the name of s"):
        sknn.register(type(name, (Layer,), {}))


# -- what cannot be saved ------------------------------------------------------------------------------------------


def own_function(estimator, X, y):
    return 0.0


REFUSED = {
    "a scorer": (MLPClassifier(scoring=own_function), r"MLPClassifier\.scoring is .*\.own_function: code"),
    "a lambda": (MLPClassifier(scoring=lambda *_: 0.0), r"MLPClassifier\.scoring is .*<lambda>: code"),
    "a metric": (MLPClassifier(scoring=make_scorer(accuracy_score)), r"MLPClassifier\.scoring=.*sknn\.register"),
    "a class": (MLPClassifier(hidden_layer_sizes=dict), r"\.hidden_layer_sizes is builtins\.dict: code"),
    "all of a module": (MLPClassifier(hidden_layer_sizes=np), r"\.hidden_layer_sizes=.*hold no module"),
    "a set": (MLPClassifier(hidden_layer_sizes={3}), r"\.hidden_layer_sizes=\{3\}.*hold no set"),
    "an object": (MLPClassifier(class_weight={0: object()}), r"\.class_weight\[0\]=.*hold no object"),
    "a table": (MLPClassifier(class_weight=FRAME), r"\.class_weight=.*DataFrame"),
    "records": (MLPClassifier(class_weight=np.zeros(2, "i4,f4")), r"\.class_weight is an array of dtype"),
    "objects": (MLPClassifier(class_weight=np.array([1, len], object)), r"\.class_weight\[1\] is builtins\.len: code"),
    "a stranger": (make_pipeline(StandardScaler(), SVC()), r"Pipeline\.steps\[1\]\[1\]=SVC\(\).*sknn\.register"),
    "an own transform": (make_pipeline(FunctionTransformer(own_function), SVC()), r"steps\[0\]\[1\]\.func is .*: code"),
    "a search": (
        GridSearchCV(MLPClassifier(4, tol=9, n_iter_no_change=1), {"alpha": [1, 2]}, cv=2).fit(X, ABOVE),
        "of a search save its best_estimator_",
    ),
    "a folder of pickles": (Pipeline([("a", MLPClassifier())], memory="cache"), "set memory=None"),
    "no estimator": ({"weights": X}, "save takes an estimator, got"),
    "a class of estimators": (MLPClassifier, "save takes an estimator, got"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_file_without_code_cannot_hold_is_refused_by_name(what, tmp_path):
    estimator, message = REFUSED[what]
    with pytest.raises(TypeError, match=message):
        sknn.save(estimator, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_directory_is_no_file_and_one_that_is_not_there_is_named(tmp_path):
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        sknn.save(MLPClassifier(), tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        sknn.save(MLPClassifier(), tmp_path / "nowhere" / "model")
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        sknn.load(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        sknn.load(tmp_path / "nowhere")


@pytest.mark.parametrize("path", [None, 3, "", b"model", io.BytesIO()], ids=lambda path: type(path).__name__)
def test_what_is_no_path_is_refused_by_name(path):
    with pytest.raises(TypeError, match="path must be a path, such as a word that is not empty, got"):
        sknn.save(MLPClassifier(), path)
    with pytest.raises(TypeError, match="path must be a path, such as a word that is not empty, got"):
        sknn.load(path)


@pytest.mark.skipif(os.name != "posix", reason="no pipes with names")
def test_no_file_takes_the_place_of_a_device(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"save needs the name of a file, and this is none: .*pipe"):
        sknn.save(MLPClassifier(), tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(os.name != "posix", reason="where systems are not POSIX, only administrators make links")
def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "model")
    sknn.save(MLPClassifier(alpha=0.5), tmp_path / "link")
    sknn.save(MLPClassifier(alpha=0.25), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sknn.load(tmp_path / "model").alpha == 0.25


def test_a_full_disk_is_told_with_the_file_and_leaves_the_old_one(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    file = tmp_path / "model"
    sknn.save(MLPClassifier(), file)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*model"):
        sknn.save(MLPRegressor(), file)
    assert list(tmp_path.iterdir()) == [file]
    assert isinstance(sknn.load(file), MLPClassifier)


def test_equal_models_make_equal_files(tmp_path):
    for name in ("a", "b"):
        sknn.save(MLPClassifier(4, **FEW).fit(X, ABOVE), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# -- files that are not what they should be ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    file = tmp_path_factory.mktemp("good") / "model"
    sknn.save(MLPClassifier(4, **FEW, warm_start=True).fit(X, words(ABOVE)), file)
    return file


def rewritten(good, file, change=None, honest=False, **of_zip):
    """The file with other members; an honest forger also writes the list of digests anew."""
    from hashlib import sha256

    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if change is not None:
        change(members)
    if honest:
        about = json.loads(members.pop("manifest.json"))
        about["sha256"] = {name: sha256(content).hexdigest() for name, content in members.items()}
        members["manifest.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(file, "w", **of_zip) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def replacing(name, old, new):
    def change(members):
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    return change


def with_format(number):
    def change(members):
        about = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps({**about, "format": number}).encode()

    return change


def without(name):
    return lambda members: members.pop(name)


def member(name, content):
    return lambda members: members.update({name: content})


def npy(array, **as_if):
    """The bytes of an array, whose header may say something else."""
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape, **as_if}
    text = repr(header).encode()
    text += b" " * (117 - len(text)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + array.tobytes()


def of(tree):
    return member("content.json", json.dumps(tree).encode())


def thing(cls, **how):
    return of({"object": {"number": 0, "class": cls, **how}})


THETA = "arrays/1.npy"
CHANGED = {
    "JSON changed": (replacing("content.json", b'"alpha":0.0001', b'"alpha":0.0002'), "content.json.*was changed"),
    "an array changed": (replacing(THETA, b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00"), "cannot be loaded"),
    "an array less": (without(THETA), "it lacks .*arrays/1.npy"),
    "a file more": (member("model.py", b"print(1)"), "model.py.*do not belong"),
    "a way out": (member("../../outside", b"1"), "outside.*do not belong"),
    "an absolute name": (member("/etc/cron.d/evil", b"1"), "evil.*do not belong"),
    "no list": (without("manifest.json"), "not written by sknn.save"),
    "a list of nothing": (member("manifest.json", b"{}"), "KeyError"),
    "a list that is none": (member("manifest.json", b"[]"), "is no list"),
    "no JSON": (member("manifest.json", b"\xff{"), "cannot be loaded"),
    "newer": (with_format(2), r"written by sknn .* in format 2; this is sknn .* reads format 1"),
    "odd format": (with_format("x"), "in format x"),
}
FORGED = {
    "pickled array": (member(THETA, pickle.dumps(X)), "magic string"),
    "objects": (member(THETA, npy(np.zeros(4), descr="|O")), "dtype object is not allowed"),
    "records": (member(THETA, npy(np.zeros(4), descr=[("a", "<f8")])), "dtype .* is not allowed"),
    "huge": (member(THETA, npy(np.zeros(4), shape=(1 << 60,))), "cannot be as short or long"),
    "negative": (member(THETA, npy(np.zeros(4), shape=(-1, -4))), "cannot be as short or long"),
    "short": (member(THETA, npy(np.zeros(4), shape=(3,))), "cannot be as short or long"),
    "another length": (member(THETA, npy(np.zeros(4, "f4"))), r"cannot have parameters of shape \(4,\)"),
    "another layer": (replacing("content.json", b'"units":4', b'"units":3'), "cannot have parameters of shape"),
    "integers": (member(THETA, npy(np.zeros(33, "i4"))), "cannot have parameters of shape .* int32"),
    "a module": (thing("os.system", args=["true"]), "holds a os.system, which is no class of sknn"),
    "a function": (thing("save", args=[]), "holds a save, which is no class of sknn"),
    "a stranger": (thing("SVC", new=[], state={}), "holds a SVC"),
    "subprocess": (thing("Popen", args=[["true"]]), "holds a Popen"),
    "another way": (thing("Network", args=[[], [1 << 40]]), "KeyError: 'network'"),
    "no estimator": (of([1, 2]), r"holds no estimator but \[1, 2\]"),
    "nothing": (of(None), "holds no estimator"),
    "a layer": (thing("Dense", fields={"units": 2}), "holds no estimator but Dense"),
    "unknown words": (of({"eval": "1"}), "KeyError: 'eval'"),
    "two words": (of({"tuple": [], "dict": []}), "cannot be loaded"),
    "no function of NumPy": (of({"ufunc": "load"}), "no function 'load'"),
    "no function of sknn": (of({"function": "load"}), "sknn has no function 'load' that files may name"),
    "no generator": (of({"random_state": {"number": 0, "state": {"dict": [["bit_generator", "os"]]}}}), "'os'"),
    "before it was": (of({"same": 7}), "KeyError: 7"),
    "in itself": (thing("Residual", fields={"layers": {"same": 0}}), "KeyError: 0"),
    "deep": (member("content.json", b"[" * 100_000 + b"]" * 100_000), "RecursionError"),
    "many": (of({"array": {"number": 0, "shape": [1 << 60], "items": []}}), "has 0 items"),
    "an impossible layer": (thing("Dropout", fields={"rate": 7}), "cannot be loaded"),
    "missing numbers": (of({"array": {"number": 0, "file": 99}}), "it lacks 'arrays/99.npy'"),
    "a name as number": (of({"array": {"number": 0, "file": "../x"}}), "it lacks 'arrays/../x.npy'"),
    "a cache": (
        thing("Pipeline", new=[], state={"steps": [], "memory": "/tmp/x", "_sklearn_version": sklearn.__version__}),
        "memory='/tmp/x' names a folder of pickles",
    ),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_file_that_was_changed_is_refused_by_name(what, good, tmp_path):
    change, message = CHANGED[what]
    with pytest.raises(ValueError, match=rf"model' cannot be loaded: .*{message}|model' {message}"):
        sknn.load(rewritten(good, tmp_path / "model", change))


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_file_is_refused_by_name(what, good, tmp_path):
    change, message = FORGED[what]
    with pytest.raises(ValueError, match=rf"(?s)model' cannot be loaded: .*{message}|model' {message}"):
        sknn.load(rewritten(good, tmp_path / "model", change, honest=True))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["model"]


def test_an_honest_copy_is_taken(good, tmp_path):
    assert_same_outputs(sknn.load(rewritten(good, tmp_path / "model", honest=True)), sknn.load(good), X)


def test_a_bomb_is_refused(good, tmp_path):
    with pytest.raises(ValueError, match="compressed or encrypted"):
        sknn.load(rewritten(good, tmp_path / "model", compression=zipfile.ZIP_DEFLATED))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(good, tmp_path):
    file = rewritten(good, tmp_path / "model")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("content.json", "1")
    with pytest.raises(ValueError, match="its members overlap"):
        sknn.load(file)


def test_a_file_that_was_cut_off_anywhere_is_refused(good, tmp_path):
    whole = good.read_bytes()
    file = tmp_path / "model"
    for size in [*range(0, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"model' cannot be loaded"):
            sknn.load(file)


def test_a_byte_that_was_flipped_is_a_value_error_or_means_nothing(good, tmp_path):
    whole, expected = bytearray(good.read_bytes()), sknn.load(good)
    file = tmp_path / "model"
    for position in range(0, len(whole), 61):
        spoilt = whole.copy()
        spoilt[position] ^= 0xFF
        file.write_bytes(spoilt)
        with suppress(ValueError):
            assert_same_outputs(sknn.load(file), expected, X)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(MLPClassifier()), "it is a pickle; if you trust its author"),
        (b"", "it is no zip"),
        (b"a,b\n1,2\n", "it is no zip"),
    ],
    ids=["pickle", "empty", "table"],
)
def test_another_kind_of_file_is_told(content, message, tmp_path):
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        sknn.load(tmp_path / "model")


def test_an_npz_is_told(tmp_path):
    np.savez(tmp_path / "model.npz", X=X)
    with pytest.raises(ValueError, match=r"not written by sknn\.save"):
        sknn.load(tmp_path / "model.npz")


def test_nothing_runs_that_a_file_says(good, tmp_path, monkeypatch):
    monkeypatch.setattr("pickle.loads", None)
    monkeypatch.setattr("pickle.load", None)
    monkeypatch.setattr("pickle.Unpickler", None)
    assert isinstance(sknn.load(good), BaseEstimator)
