"""The study: same folds for every model, failures recorded, and numbers that agree with scikit-learn's."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from sknn import MLPClassifier
from sknn.study import Study

X, Y = load_iris(return_X_y=True)
NUMBERS = load_diabetes(return_X_y=True)
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
TIMES = ["fit_time", "tune_time", "predict_time", "pickle_bytes"]  # a pickle written elsewhere may differ by some bytes


def but_times(frame):
    return frame.drop(columns=TIMES)


class Recorder(ClassifierMixin, BaseEstimator):
    """Guess the first class, and note in a list which samples were seen."""

    def __init__(self, notes):
        self.notes = notes

    def __sklearn_clone__(self):
        return self

    def __reduce__(self):
        return Recorder, ([],)

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.notes.append(("fit", X.tobytes(), y.tobytes()))
        return self

    def predict(self, X):
        self.notes.append(("predict", X.tobytes()))
        return np.full(len(X), self.classes_[0])


class CountsThreads(DummyClassifier):
    """Refuse to learn on more than one thread."""

    def fit(self, X, y):
        if any(pool["num_threads"] > 1 for pool in threadpool_info()):
            raise RuntimeError("too many threads")
        return super().fit(X, y)


class FailsInAFold(DummyClassifier):
    """Refuse to learn when the very first sample is among the training data."""

    def fit(self, X, y):
        if (X[:, 0] == 0).any():
            raise RuntimeError("not with sample 0")
        return super().fit(X, y)


def test_every_model_sees_the_same_folds():
    first, second = [], []
    Study({"first": Recorder(first), "second": Recorder(second)}, cv=3).run(X, Y)
    assert len(first) == 6
    assert first == second


@pytest.mark.parametrize(
    ("estimator", "data", "folds", "scoring"),
    [
        (GaussianNB(), (X, Y), FOLDS, ["accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc_ovr"]),
        (LinearSVC(random_state=0), (X, Y), FOLDS, ["accuracy", "balanced_accuracy"]),
        (
            LinearRegression(),
            NUMBERS,
            KFold(3, shuffle=True, random_state=0),
            ["r2", "neg_root_mean_squared_error", "neg_mean_absolute_error"],
        ),
    ],
)
def test_scores_agree_with_cross_validate(estimator, data, folds, scoring):
    results = Study({"baseline": estimator}, cv=3).run(*data).results
    expected = cross_validate(estimator, *data, cv=folds, scoring=scoring)
    for scorer, column in zip(scoring, results.columns[6:], strict=False):
        np.testing.assert_allclose(results[column], np.abs(expected[f"test_{scorer}"]), atol=1e-14)


def test_a_log_loss_is_missing_without_probabilities_and_no_failure():
    results = Study({"machine": LinearSVC(random_state=0)}, cv=3).run(X, Y).results
    assert results["log_loss"].isna().all()
    assert results["error"].isna().all()


def test_results_have_a_row_for_each_data_set_model_and_fold():
    study = Study(["perceptron", "logistic", "dummy"], cv=2).run({"b": (X, Y), "a": (X, Y)})
    results = study.results
    assert list(results["dataset"]) == ["b"] * 6 + ["a"] * 6
    assert list(results["model"]) == ["perceptron", "perceptron", "logistic", "logistic", "dummy", "dummy"] * 2
    assert list(results["fold"]) == [0, 1] * 6
    assert list(results["family"].unique()) == ["network", "baseline"]
    assert results["error"].isna().all()
    assert (results[["n_train", "n_test"]] == 75).all(axis=None)
    assert (results[["fit_time", "predict_time", "pickle_bytes"]] > 0).all(axis=None)
    assert (results["tune_time"] == 0).all()
    assert results.query("model != 'dummy'")["n_parameters"].tolist() == [15] * 8
    assert study.learning_curves.empty


def test_predictions_are_those_of_the_models_of_each_fold():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    study = Study({"bayes": GaussianNB(), "machine": LinearSVC(random_state=0)}, cv=3).run(X, names)
    assert len(study.predictions) == 300
    for (model, number), rows in study.predictions.groupby(["model", "fold"]):
        train, test = list(FOLDS.split(X, names))[number]
        np.testing.assert_array_equal(rows["sample"], test)
        np.testing.assert_array_equal(rows["target"], names[test])
        if model == "bayes":
            fitted = GaussianNB().fit(X[train], names[train])
            np.testing.assert_array_equal(rows["predicted"], fitted.predict(X[test]))
            np.testing.assert_allclose(rows["confidence"], fitted.predict_proba(X[test]).max(axis=1))
        else:
            assert rows["confidence"].isna().all()


def test_numbers_are_predicted_with_numbers():
    study = Study({"line": LinearRegression()}, cv=3).run(*NUMBERS)
    errors = (study.predictions["predicted"] - study.predictions["target"]).abs()
    by_fold = errors.groupby(study.predictions["fold"]).mean()
    np.testing.assert_allclose(by_fold, study.results["mae"])


def test_a_failure_is_recorded_and_the_others_go_on():
    numbered, labels = np.arange(30.0)[:, np.newaxis], np.tile([0, 1], 15)
    study = Study({"fails": FailsInAFold(), "dummy": DummyClassifier()}, cv=3).run(numbered, labels)
    alone = Study({"dummy": DummyClassifier()}, cv=3).run(numbered, labels)
    failed = study.results[study.results["model"] == "fails"]
    assert failed["error"].dropna().tolist() == ["RuntimeError: not with sample 0"] * 2
    assert failed["accuracy"].isna().tolist() == failed["error"].notna().tolist()
    others = study.results.query("model == 'dummy'").reset_index(drop=True)
    pd.testing.assert_frame_equal(but_times(others), but_times(alone.results))


def refuses(estimator, X, y):
    raise ValueError("not today\nand not tomorrow")


def test_a_measure_that_raises_is_missing_alone_and_says_why():
    models = ["perceptron", "logistic"]
    study = Study(models, cv=3, scoring=["accuracy", refuses, "log_loss"]).run(X, Y)
    plain = Study(models, cv=3, scoring=["accuracy", "log_loss"]).run(X, Y)
    assert study.results["refuses"].isna().all()
    assert study.results["error"].isna().all()
    assert study.results["accuracy"].equals(plain.results["accuracy"])
    assert study.predictions.equals(plain.predictions)
    told = study.results["warnings"].str.split("\n").str[-1]
    assert told.unique().tolist() == ["Refuses is missing: ValueError: not today"]
    first = Study(models, cv=3, scoring=[refuses, "accuracy"]).run(X, Y).verdicts()["data"]
    assert "gave no refuses in any fold and is left out (ValueError: not today)" in first


def test_a_model_without_any_measure_failed():
    results = Study(["dummy"], cv=2, scoring=refuses).run(X, Y).results
    assert results["error"].tolist() == ["ValueError: not today\nand not tomorrow"] * 2


def test_probabilities_that_do_not_work_cost_their_measures_alone():
    class Broken(DummyClassifier):
        def predict_proba(self, X):
            raise ArithmeticError("no sum")

    study = Study({"broken": Broken(strategy="most_frequent")}, cv=2).run(X, Y)
    assert study.results["error"].isna().all()
    assert study.results["accuracy"].notna().all()
    assert study.results[["log_loss", "roc_auc"]].isna().all(axis=None)
    assert study.predictions["confidence"].isna().all()


@pytest.mark.parametrize("sign", [1, -1])
def test_an_infinite_score_is_left_out_of_what_cannot_be_computed_with_it(sign, tmp_path):
    def score(estimator, X, y):
        return sign * np.inf if estimator.predict(X).std() == 0 else estimator.score(X, y)

    data = {"one": NUMBERS, "two": (NUMBERS[0], -NUMBERS[1])}
    study = Study(["perceptron", "dummy", "ridge"], cv=3, scoring=score).run(data)
    assert study.summary()["model"].tolist()[-1] == "dummy"
    assert np.isinf(study.summary()["score_mean"]).sum() == 2
    assert {"dummy"}.isdisjoint(study.compare()[["model_a", "model_b"]].to_numpy().ravel())
    assert "Dummy" not in study.verdicts()["one"] or "Dummy gave an infinite score" in study.verdicts()["one"]
    assert study.ranks().left_out == {"dummy": ["one", "two"]}
    assert study.report(tmp_path).is_file()


def test_warnings_are_recorded():
    study = Study({"short": MLPClassifier(5, max_iter=2), "dummy": DummyClassifier()}, cv=2).run(X, Y)
    told = study.results.set_index("model")["warnings"]
    assert told["short"].str.startswith("ConvergenceWarning: ").all()
    assert told["dummy"].isna().all()


def test_models_compute_on_one_thread():
    with threadpool_limits(limits=2):
        results = Study({"counts": CountsThreads()}, cv=2).run(X, Y).results
        assert max(pool["num_threads"] for pool in threadpool_info()) == 2
    assert results["error"].isna().all()


def test_summary_puts_the_best_first_and_the_failed_last():
    models = {"dummy": DummyClassifier(), "fails": GaussianNB(var_smoothing=-1), "naive_bayes": GaussianNB()}
    for scoring in ("accuracy", "log_loss"):
        summary = Study(models, cv=3, scoring=scoring).run({"second": (X, Y), "first": (X, Y)}).summary()
        assert list(summary["dataset"]) == ["second"] * 3 + ["first"] * 3
        assert list(summary["model"]) == ["naive_bayes", "dummy", "fails"] * 2
        assert list(summary["n_failed"]) == [0, 0, 3] * 2


def test_pandas_shows_the_score_that_decides_in_a_narrow_terminal():
    summary = Study(["dummy", "hist_gradient_boosting"], cv=2).run({"iris": (X, Y)}).summary()
    with pd.option_context("display.width", 80, "display.max_columns", 0):
        shown = repr(summary).splitlines()
    assert shown[0].split() == ["dataset", "model", "...", "accuracy_mean", "accuracy_std"]
    assert "hist_gradient_boosting" in shown[1]


@pytest.mark.parametrize("method", ["summary", "compare", "ranks", "verdicts"])
def test_questions_before_run(method):
    with pytest.raises(RuntimeError, match="call run"):
        getattr(Study(["dummy"]), method)()


@pytest.mark.parametrize("name", ["results", "predictions", "learning_curves", "data_sets"])
def test_results_before_run(name):
    study = Study(["dummy"])
    with pytest.raises(AttributeError, match=f"^{name} is there after run"):
        getattr(study, name)
    with pytest.raises(AttributeError, match="'Study' object has no attribute 'resuls'"):
        _ = study.resuls
    assert not hasattr(study, name)


def test_progress_needs_rich_and_says_so_at_once(monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    with pytest.raises(ImportError, match=r"verbose=True needs rich: pip install 'sknn\[study\]'"):
        Study(["dummy"], verbose=True)
    Study(["dummy"])


def test_same_seed_same_scores_in_one_process_or_two():
    def results(seed, n_jobs=None):
        models = {"forest": RandomForestClassifier(n_estimators=3), "tree": DecisionTreeClassifier(max_features=1)}
        study = Study(models, cv=3, random_state=seed, n_jobs=n_jobs).run(X, Y)
        return but_times(study.results), study.predictions

    for first, again in zip(results(1), results(1, n_jobs=2), strict=True):
        pd.testing.assert_frame_equal(first, again)
    assert not results(1)[0].equals(results(2)[0])


def test_every_fold_has_a_seed_of_its_own():
    seeds = []

    class Seeded(DummyClassifier):
        def fit(self, X, y):
            seeds.append(self.random_state)
            return super().fit(X, y)

    Study({"a": Seeded(), "b": Seeded()}, cv=2).run(X, Y)
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]


def test_labels_may_be_strings_and_inputs_a_data_frame():
    frame, names = pd.DataFrame(X, columns=list("abcd")), pd.Series(Y).map({0: "x", 1: "y", 2: "z"})
    by_name = Study({"naive_bayes": GaussianNB()}, cv=3).run(frame, names)
    by_number = Study({"naive_bayes": GaussianNB()}, cv=3).run(X, Y)
    scores = ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"]
    pd.testing.assert_frame_equal(by_name.results[scores], by_number.results[scores])


def test_repeats_and_splitters():
    assert Study(["dummy"], cv=2, repeats=3).run(X, Y).results["fold"].tolist() == list(range(6))
    by_time = Study(["dummy"], cv=TimeSeriesSplit(4)).run(*NUMBERS).results
    assert by_time["n_train"].tolist() == [90, 178, 266, 354]


def test_groups_are_not_divided_and_reach_the_search():
    rng = np.random.RandomState(0)
    groups = np.repeat(np.arange(30), 5)
    leak = np.c_[groups, rng.randn(150)]  # the group tells the label, if it has been seen
    labels = rng.randint(2, size=30)[groups]
    nearest = {"nearest": KNeighborsClassifier(1)}
    assert Study(nearest, cv=5).run(leak, labels).results["accuracy"].mean() > 0.9
    assert Study(nearest, cv=5).run(leak, labels, groups=groups).results["accuracy"].mean() < 0.7
    tuned = Study(["knn"], cv=3, tune=2).run(leak, labels, groups=groups)
    assert tuned.results["error"].isna().all()


def test_tuning_tries_the_budget_on_inner_folds_only():
    study = Study(["logistic", "knn", "dummy"], cv=3, tune=4).run(X, Y)
    results = study.results.set_index("model")
    assert results["error"].isna().all()
    for model in ("logistic", "knn"):
        assert (results.loc[model, "tune_time"] > results.loc[model, "fit_time"]).all()
        assert all(json.loads(chosen) for chosen in results.loc[model, "params"])
    assert results.loc["dummy", "params"].isna().all()
    again = Study(["knn"], cv=3, tune=4).run(X, Y).results
    assert again["params"].tolist() == results.loc["knn", "params"].tolist()


def test_the_test_rows_play_no_part_in_the_choice():
    notes = []
    recorder = Study({"recorder": Recorder(notes)}, cv=3)
    recorder.run(X, Y)
    study = Study(["knn"], cv=3, tune=3).run(X, Y)
    spoiled = X.copy()
    first_test = next(iter(FOLDS.split(X, Y)))[1]
    spoiled[first_test] = 1e3
    other = Study(["knn"], cv=3, tune=3).run(spoiled, Y)
    assert study.results["params"][0] == other.results["params"][0]


def test_learning_curves_grow_to_the_whole_fold():
    study = Study({"bayes": GaussianNB(), "dummy": DummyClassifier()}, cv=3, learning_curve=True).run(X, Y)
    curve = study.learning_curves.query("model == 'bayes' and fold == 0")
    assert curve["n_train"].tolist() == [12, 25, 50, 100]
    whole = study.learning_curves.query("n_train == 100").reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, study.results)
    plain = Study({"bayes": GaussianNB(), "dummy": DummyClassifier()}, cv=3).run(X, Y)
    pd.testing.assert_frame_equal(but_times(plain.results), but_times(study.results))


def test_data_sets_of_both_tasks():
    study = Study(["mlp", "logistic", "ridge", "dummy"], cv=2).run({"flowers": (X[::5], Y[::5]), "sugar": NUMBERS})
    assert study.results.query("dataset == 'flowers'")["model"].unique().tolist() == ["mlp", "logistic", "dummy"]
    assert study.results.query("dataset == 'sugar'")["model"].unique().tolist() == ["mlp", "ridge", "dummy"]
    with pytest.raises(ValueError, match="accuracy and r2"):
        study.ranks()


def test_images_get_convolutional_networks():
    digits, labels = load_digits(return_X_y=True)
    study = Study(cv=2)
    images = digits[:200].reshape(-1, 8, 8)
    tables = {model.name for model in study.models if not model.skips(study_data(digits[:200], labels[:200]))}
    shaped = {model.name for model in study.models if not model.skips(study_data(images, labels[:200]))}
    assert shaped - tables == {"cnn", "resnet"}
    cnn = Study(["cnn"], cv=2).run(digits[:60], labels[:60] % 2, sample_shape=(8, 8))
    assert cnn.results["error"].isna().all()


def study_data(X, y):
    return Study(["dummy"], cv=2).run(X, y).data_sets[0]


def test_compare_and_verdict_follow_the_first_measure():
    data = load_breast_cancer(return_X_y=True)
    study = Study(["perceptron", "logistic", "dummy"], scoring=["roc_auc", "accuracy"]).run(*data)
    pairs = study.compare()
    assert len(pairs) == 3
    assert (pairs["difference"] >= 0).all()
    auc = study.summary().set_index("model")["roc_auc_mean"]
    for _, pair in pairs.iterrows():
        assert pair["difference"] == pytest.approx(auc[pair["model_a"]] - auc[pair["model_b"]])
    (sentence,) = study.verdicts().values()
    assert "ROC AUC" in sentence


def test_models_asked_for_by_name_that_fit_no_data_set():
    with pytest.raises(ValueError, match=r"'ridge' cannot be fitted to 'data': for regression"):
        Study(["ridge"]).run(X, Y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": 1}, "cv=1 is not a number of folds"),
        ({"cv": 0}, "cv=0 is not a number of folds"),
        ({"cv": 2.5}, "cv=2.5 is neither"),
        ({"cv": "five"}, "cv='five' is neither"),
        ({"cv": True}, "cv=True is neither"),
        ({"random_state": -1}, "random_state=-1 is not a seed"),
        ({"random_state": 2**32}, "is not a seed"),
        ({"random_state": "one"}, "random_state='one' is not a seed"),
        ({"repeats": 0}, "repeats=0"),
        ({"repeats": 2, "cv": KFold(3)}, "repeats=2 needs a number of folds"),
        ({"tune": -1}, "tune=-1"),
        ({"n_jobs": 0}, "n_jobs=0 must be"),
        ({"tune": 1.5}, "tune=1.5"),
        ({"scoring": "acuracy"}, "did you mean 'accuracy'"),
        ({"models": ["mpl"]}, "did you mean 'mlp'"),
    ],
)
def test_wrong_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        Study(**options)


@pytest.mark.parametrize("seed", [None, 2**32 - 1, np.int8(3)])
def test_seeds_that_are_taken(seed):
    assert Study(["dummy"], cv=2, random_state=seed).run(X, Y).results["error"].isna().all()


@pytest.mark.parametrize("scoring", ["rmse", "r2", "neg_max_error", ["accuracy", "mae"]])
def test_a_measure_of_the_wrong_task_is_refused_before_anything_is_fitted(scoring):
    with pytest.raises(ValueError, match="is for regression, but 'data' is classification data"):
        Study(["dummy"], scoring=scoring).run(X, Y)
    with pytest.raises(ValueError, match="'f1_macro' is for classification, but 'data' is regression data"):
        Study(["dummy"], scoring="f1_macro").run(*NUMBERS)


def test_a_study_says_what_it_is():
    study = Study(["dummy", "logistic"], cv=2)
    assert repr(study) == "<Study of dummy, logistic: not run>"
    assert repr(study.run({"iris": (X, Y)})) == "<Study of dummy, logistic: ran on iris>"


def test_a_model_that_would_end_the_process_is_a_failure_too():
    class Exits(DummyClassifier):
        def fit(self, X, y):
            raise SystemExit(3)

    results = Study({"exits": Exits(), "dummy": DummyClassifier()}, cv=2).run(X, Y).results
    assert results["error"].tolist()[:2] == ["SystemExit: 3"] * 2


def test_own_estimators_are_not_fitted_themselves():
    own = {"line": LogisticRegression(max_iter=500), "constant": DummyRegressor()}
    before = {name: clone(estimator).get_params() for name, estimator in own.items()}
    Study({"line": own["line"]}, cv=2).run(X, Y)
    assert {name: estimator.get_params() for name, estimator in own.items()} == before
    assert not hasattr(own["line"], "coef_")
