"""All classes of a data set: every model has a probability for each, whatever its training rows lack."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sknn import MLPClassifier
from sknn.study import Study
from sknn.study.classes import AllClasses, fit_to_classes
from sknn.study.data import DataSet
from sknn.study.predict import predictions
from sknn.study.size import model_size

X, Y = load_iris(return_X_y=True)
FLOWERS = np.array(["iris", "lily", "rose"])[Y]
EVERY = np.array(["aster", "iris", "lily", "rose"])
NETWORK = MLPClassifier(4, max_iter=20, learning_rate_init=0.05, n_iter_no_change=50, random_state=0)
# Two folds: the first one trains without roses, the second one has them on both sides.
ROWS = np.arange(150)
FOLDS = [
    (np.flatnonzero((FLOWERS != "rose") & (ROWS % 2 == 0)), np.flatnonzero(ROWS % 2 == 1)),
    (ROWS[::2], ROWS[1::2]),
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

MODELS = {
    "network": NETWORK,
    "pipeline": make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), NETWORK)),
    "search": GridSearchCV(make_pipeline(StandardScaler(), NETWORK), {"mlpclassifier__alpha": [0.0, 1.0]}, cv=2),
}


@pytest.mark.parametrize("routing", [False, True])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_networks_are_told_of_classes_that_the_rows_lack(model, routing):
    train = FOLDS[0][0]
    with config_context(enable_metadata_routing=routing):
        fitted = fit_to_classes(model, X[train], FLOWERS[train], EVERY)
    assert type(fitted) is type(model)
    assert_array_equal(fitted.classes_, EVERY)
    assert fitted.predict_proba(X).min() > 0


@pytest.mark.parametrize("model", [LogisticRegression(max_iter=500), GaussianNB()])
def test_others_give_them_probability_zero(model):
    train = FOLDS[0][0]
    fitted = fit_to_classes(model, X[train], FLOWERS[train], EVERY)
    assert_array_equal(fitted.classes_, EVERY)
    assert_allclose(fitted.predict_proba(X)[:, [1, 2]], fitted.classifier_.predict_proba(X))
    assert_array_equal(fitted.predict_proba(X)[:, [0, 3]], 0)
    assert_array_equal(fitted.predict_log_proba(X)[:, [0, 3]], -np.inf)
    assert_array_equal(fitted.predict(X), fitted.classifier_.predict(X))
    assert model_size(fitted) == model_size(fitted.classifier_)
    assert not hasattr(AllClasses(LinearSVC(), EVERY).fit(X, FLOWERS), "predict_proba")


def test_where_no_class_is_lacking_nothing_changes():
    fitted = fit_to_classes(LogisticRegression(max_iter=500), X, FLOWERS, EVERY[1:])
    assert type(fitted) is LogisticRegression


@pytest.mark.parametrize("tune", [0, 2])
def test_a_class_that_training_rows_lack_costs_all_models_the_same(tune):
    models = ["logistic", "mlp", ("network", make_pipeline(StandardScaler(), NETWORK))]
    study = Study(models, cv=FOLDS, tune=tune, n_jobs=None).run(X, FLOWERS)
    first = study.results.query("fold == 0").set_index("model")
    assert first["error"].isna().all()
    test = FOLDS[0][1]
    is_rose = FLOWERS[test] == "rose"
    in_roses = is_rose.mean() * -np.log(np.finfo(float).eps)
    assert ((first["log_loss"] > in_roses) & (first["log_loss"] < in_roses + 1)).all()
    if not tune:
        fitted = fit_to_classes(
            make_pipeline(StandardScaler(), NETWORK), X[FOLDS[0][0]], FLOWERS[FOLDS[0][0]], EVERY[1:]
        )
        others = log_loss(FLOWERS[test][~is_rose], fitted.predict_proba(X[test][~is_rose]), labels=EVERY[1:])
        assert first["log_loss"]["network"] == pytest.approx(in_roses + (1 - is_rose.mean()) * others, rel=1e-3)
    assert first["roc_auc"].isna().all()
    assert study.results.query("fold == 1")["roc_auc"].notna().all()
    assert (first["accuracy"] <= (~is_rose).mean()).all()
    for text in first["warnings"]:
        assert "ROC AUC is missing: the training rows lack 'rose'" in text
        assert "Unseen classes: the training rows lack 'rose', but 25 of 75 test rows have it" in text


def test_auc_says_what_the_test_rows_lack():
    study = Study(["dummy"], cv=[(ROWS[::2], np.arange(1, 100, 2))]).run(X, FLOWERS)
    assert study.results["roc_auc"].isna().all()
    assert study.results["warnings"][0] == "ROC AUC is missing: the test rows lack 'rose'"


@pytest.mark.parametrize(
    ("rows", "classes"), [(slice(None), ["rose", "lily", "iris", "aster"]), (slice(0, 100), ["iris", "lily", "rose"])]
)
def test_a_class_without_any_row_takes_no_measure_away(rows, classes):
    models = {"network": make_pipeline(StandardScaler(), NETWORK), "logistic": LogisticRegression(max_iter=500)}
    study = Study(models, cv=3).run(X[rows], FLOWERS[rows], classes=classes)
    data = study.data_sets[0]
    assert_array_equal(data.labels, sorted(classes))
    assert data.notes == (f"no row of 'data' has the class {sorted(set(classes) - set(FLOWERS[rows]))[0]!r}",)
    assert (study.results["roc_auc"] > 0.9).all()
    alone = Study(models, cv=3).run(X[rows], FLOWERS[rows])
    before, after = (each.results.query("model == 'logistic'") for each in (alone, study))
    assert_allclose(after[["log_loss", "roc_auc", "accuracy"]], before[["log_loss", "roc_auc", "accuracy"]])
    assert alone.data_sets[0].fingerprint != data.fingerprint


@pytest.mark.parametrize("model", ["logistic", "mlp"])
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_the_best_has_all_columns(model, container):
    X = container(load_iris().data)
    if container is pd.DataFrame:
        X.columns = list("abcd")
    best = Study([model], cv=2).run(X, pd.Categorical(FLOWERS, EVERY)).best()
    assert list(predictions(best, X)) == ["predicted", *(f"probability_{each}" for each in EVERY)]


def test_stated_classes_may_be_rare():
    y = np.where(ROWS == 149, "aster", FLOWERS)
    with pytest.raises(ValueError, match=r"class aster of 'data' has 1; if folds may lack it, state all classes with"):
        Study(["dummy"]).run(X, y)
    results = Study(["dummy", "mlp"], cv=3).run(X, y, classes=EVERY).results
    assert results["error"].isna().all()
    with pytest.raises(
        ValueError, match=r"at least 60 samples of every class, but class aster of 'data' has 1, and 3 others have"
    ):
        Study(["dummy"], cv=60).run(X, y, classes=EVERY)


@pytest.mark.parametrize(
    ("y", "classes", "labels"),
    [
        (Y, [3, 2, 1, 0], [0, 1, 2, 3]),
        (Y, ["3", "2", "1", "0"], [0, 1, 2, 3]),
        (Y.astype(np.uint8), [-1, 0, 1, 2], [-1, 0, 1, 2]),
        (Y > 0, ["True", "False"], [False, True]),
        (np.arange(150) * 7, np.arange(0, 1500, 7), np.arange(0, 1500, 7)),
        (pd.Series(FLOWERS, dtype="category"), None, ["iris", "lily", "rose"]),
        (pd.Series(pd.Categorical(FLOWERS, EVERY)), None, EVERY),
        (pd.DataFrame({"y": pd.Categorical(FLOWERS, EVERY)}), None, EVERY),
        (pd.Categorical(Y, [2, 1, 0, 9]), None, [0, 1, 2, 9]),
    ],
)
def test_classes_are_stated_or_categories(y, classes, labels):
    data = DataSet.from_arrays("toy", X, y, classes=classes)
    assert data.task == "classification"
    assert_array_equal(data.labels, labels)
    assert data.labels.dtype.kind == np.asarray(labels).dtype.kind


@pytest.mark.parametrize(
    ("y", "given", "message"),
    [
        (FLOWERS, {"classes": ["iris", "lily"]}, "classes of 'toy' lack 'rose', which y holds"),
        (FLOWERS, {"classes": "iris"}, "classes='iris' is a single text"),
        (FLOWERS, {"classes": [1, 2]}, "classes of 'toy', such as 1, are no labels like 'iris' in y"),
        (Y, {"classes": ["a", "b"]}, "classes of 'toy', such as 'a', are no labels like 0 in y"),
        (X[:, 0], {"classes": [1, 2]}, "y holds fractions"),
        (X[:, 0], {"classes": [1, 2], "task": "regression"}, "its task is regression, which has none"),
    ],
)
def test_wrong_classes(y, given, message):
    with pytest.raises(ValueError, match=message):
        DataSet.from_arrays("toy", X, y, **given)


def test_stated_classes_that_all_have_rows_make_no_other_data():
    one, other = (DataSet.from_arrays("toy", X, FLOWERS, classes=each) for each in (None, EVERY[1:]))
    assert one.fingerprint == other.fingerprint
