"""What a cell in a store is known by: whatever changes its result makes it another, and nothing else does."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sknn.study import Study
from sknn.study.identity import digest

X, Y = load_iris(return_X_y=True)
CHANGED = X.copy()
CHANGED[77, 2] += 1e-9
RELABELLED = Y.copy()
RELABELLED[0] = 1
GROUPS = np.arange(150) // 2

BASE = {
    "X": X,
    "y": Y,
    "models": {"bayes": GaussianNB()},
    "cv": 2,
    "scoring": "accuracy",
    "random_state": 0,
}


def constant(estimator, X, y):
    return 1.0


def computed(path, X, y, groups=None, **options):
    """How many cells a study adds to a store."""
    before = cells_in(path)
    results = Study(store=path, **options).run(X, y, groups=groups).results
    assert results["error"].isna().all()
    return cells_in(path) - before


def cells_in(path):
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM cells WHERE outcome IS NOT NULL").fetchone()[0]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"X": CHANGED}, id="a value"),
        pytest.param({"X": X.astype(np.float32)}, id="a type"),
        pytest.param({"X": X[:, ::-1]}, id="the order of columns"),
        pytest.param({"X": pd.DataFrame(X, columns=list("abcd"))}, id="a table with names"),
        pytest.param({"y": RELABELLED}, id="a label"),
        pytest.param({"y": Y.astype(str)}, id="the kind of labels"),
        pytest.param({"groups": GROUPS}, id="groups"),
        pytest.param({"models": {"bayes": GaussianNB(var_smoothing=1e-8)}}, id="a parameter"),
        pytest.param({"models": {"bayes": make_pipeline(StandardScaler(), GaussianNB())}}, id="a step before"),
        pytest.param({"models": {"other": GaussianNB()}}, id="the name"),
        pytest.param({"models": {"bayes": DummyClassifier()}}, id="the estimator"),
        pytest.param({"cv": KFold(2)}, id="the folds"),
        pytest.param({"random_state": 1}, id="the seed"),
        pytest.param({"scoring": ["accuracy", "log_loss"]}, id="one more measure"),
        pytest.param({"scoring": {"accuracy": constant}}, id="another measure of the same name"),
    ],
)
def test_what_changes_a_result_makes_another_cell(change, tmp_path):
    path = tmp_path / "store"
    assert computed(path, **BASE) == 2
    assert computed(path, **BASE) == 0
    assert computed(path, **BASE | change) == 2
    assert computed(path, **BASE | change) == computed(path, **BASE) == 0


@pytest.mark.parametrize("change", [{"tune": 2}, {"random_state": 1, "cv": KFold(2)}, {"scoring": "log_loss"}])
def test_the_search_is_part_of_the_cell(change, tmp_path):
    search = BASE | {"models": ["knn"], "tune": 1, "cv": KFold(2)}
    path = tmp_path / "store"
    assert computed(path, **search) == 2
    assert computed(path, **search) == 0
    assert computed(path, **search | change) == 2


def test_the_search_space_is_part_of_the_cell(tmp_path, monkeypatch):
    search = BASE | {"models": ["knn"], "tune": 1}
    path = tmp_path / "store"
    assert computed(path, **search) == 2
    monkeypatch.setattr("sknn.study.model.search_space", lambda *_: {"kneighborsclassifier__n_neighbors": [1, 2]})
    assert computed(path, **search) == 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"X": X.copy(order="F")}, id="the order in memory"),
        pytest.param({"y": list(Y)}, id="a list"),
        pytest.param({"n_jobs": 2}, id="the number of jobs"),
        pytest.param({"verbose": True}, id="whether progress is shown"),
        pytest.param({"models": {"bayes": GaussianNB(), "dummy": DummyClassifier()}}, id="more models"),
    ],
)
def test_the_rest_does_not(change, tmp_path):
    path = tmp_path / "store"
    assert computed(path, **BASE) == 2
    models = (BASE | change)["models"]
    assert computed(path, **BASE | change) == 2 * (len(models) - 1)


def test_cells_are_shared_by_studies_with_more_folds_or_a_learning_curve(tmp_path):
    path = tmp_path / "store"
    assert computed(path, **BASE) == 2
    assert computed(path, **BASE | {"repeats": 2}) == 2
    assert computed(path, **BASE | {"learning_curve": True}) > 0
    assert computed(path, **BASE | {"learning_curve": True, "repeats": 2}) > 0


def test_a_fold_given_twice_is_computed_once(tmp_path):
    rows = np.arange(150)
    pair = (rows[::2], rows[1::2])
    study = Study({"bayes": GaussianNB()}, cv=[pair, pair], store=tmp_path / "store").run(X, Y)
    assert study.results["accuracy"].nunique() == 1
    assert study.results["fold"].tolist() == [0, 1]
    assert cells_in(tmp_path / "store") == 1


def power(exponent):
    def raised(X):
        return X**exponent

    return raised


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(lambda X: X + 1, lambda X: X + 2, id="constants"),
        pytest.param(lambda X: np.sin(X), lambda X: np.cos(X), id="names"),
        pytest.param(lambda X, shift=1: X + shift, lambda X, shift=2: X + shift, id="defaults"),
        pytest.param(power(2), power(3), id="what they close over"),
        pytest.param(lambda X: [x + 1 for x in X], lambda X: [x + 2 for x in X], id="constants further in"),
    ],
)
def test_functions_are_known_by_what_they_do(first, second):
    assert digest("it", first) == digest("it", first)
    assert digest("it", FunctionTransformer(first)) != digest("it", FunctionTransformer(second))


SCRIPT = """
import os, sys
import numpy as np
from scipy.stats import loguniform, norm
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sknn import MLPClassifier
from sknn.study import Study

class Own(DummyClassifier):
    def __init__(self, strategy="prior", tags=frozenset("abcdef"), names=("a", "b")):
        super().__init__(strategy=strategy)
        self.tags, self.names = tags, names

    def __sklearn_clone__(self):
        return Own(self.strategy)

    def fit(self, X, y):
        with open("log", "a") as log:
            log.write("fit\\n")
        return super().fit(X, y)  # CODE

def plus(X):
    return X + 1

def own_scorer(estimator, X, y):
    return estimator.score(X, y) + len({"a", "b", "c"} & {*"abc"})

models = {
    "own": Own(),
    "search": RandomizedSearchCV(GaussianNB(), {"var_smoothing": loguniform(1e-9, 1e-3)}, n_iter=1, cv=2),
    "function": make_pipeline(FunctionTransformer(plus), StandardScaler(), GaussianNB()),
    "lambda": make_pipeline(FunctionTransformer(lambda X: X - 1), GaussianNB()),
    "ufunc": make_pipeline(FunctionTransformer(np.log1p), GaussianNB()),
    "state": LogisticRegression(random_state=np.random.RandomState(3)),
    "nested": BaggingClassifier(make_pipeline(StandardScaler(), GaussianNB()), 2),
    "weights": DummyClassifier(strategy="constant", constant=1),
}
scoring = {"own": own_scorer, "f1": make_scorer(f1_score, average="macro"), "accuracy": "accuracy"}
results = Study(models, cv=2, scoring=scoring, store="store").run(*load_iris(return_X_y=True)).results
assert results["error"].isna().all(), results["error"].tolist()
"""


def run_script(folder, script, hash_seed):
    (folder / "script.py").write_text(script, encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, "script.py"], cwd=folder, env=environment, check=True, timeout=300)


def test_another_process_finds_all_cells_and_new_code_is_another_cell(tmp_path):
    run_script(tmp_path, SCRIPT, "1")
    assert cells_in(tmp_path / "store") == 16
    run_script(tmp_path, "# a line that moves the others\n" + SCRIPT, "2")
    assert cells_in(tmp_path / "store") == 16
    assert (tmp_path / "log").read_text() == "fit\n" * 2
    run_script(tmp_path, SCRIPT.replace("# CODE", "and self").replace("X + 1", "X + 2"), "3")
    assert cells_in(tmp_path / "store") == 16 + 2 * 2


def test_what_cannot_be_identified_is_named(tmp_path):
    with pytest.raises(TypeError, match=r"models: 'lock' cannot be pickled .* study without a store"):
        Study({"lock": Locked()}, store=tmp_path / "store").run(X, Y)
    assert Study({"lock": Locked()}, cv=2).run(X, Y).results["error"].isna().all()


class Locked(DummyClassifier):
    """Fits, but cannot be pickled."""

    def __reduce__(self):
        raise TypeError("it holds a lock")
