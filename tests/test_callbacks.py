"""Callbacks: scikit-learn's on every estimator, and early stopping, checkpoints and learning rates on top."""

import os
import pickle
import signal
import stat
import subprocess
import sys
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.callback import CallbackContext, ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import CNNClassifier, CNNRegressor, MLPClassifier, MLPRegressor, PerceptronClassifier, PerceptronRegressor
from sknn.callbacks import Checkpoint, EarlyStopping, FitObserver, LearningRateLogger, Training, fingerprint
from sknn.nn import Dense, Network
from sknn.train import FitLoop, Plan, Stage, TrainingState

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.RandomState(0)
X = RNG.normal(size=(60, 6)).astype(np.float32)
NUMBERS = X @ np.arange(6.0) + 0.1 * RNG.normal(size=60)
CLASSES = np.array(["a", "b", "c"])[np.digitize(NUMBERS, [-4, 4])]
EPOCHS = 6
MANY = {"max_iter": EPOCHS, "tol": 0.0, "random_state": 0}
SMALL = {**MANY, "hidden_layer_sizes": (4,), "batch_size": 16}

ESTIMATORS = {
    "MLPClassifier": MLPClassifier(**SMALL),
    "MLPClassifier, early stopping": MLPClassifier(**SMALL, early_stopping=True),
    "MLPClassifier, lbfgs": MLPClassifier(4, solver="lbfgs", max_iter=EPOCHS, tol=1e-9, random_state=0),
    "MLPRegressor": MLPRegressor(**SMALL),
    "MLPRegressor, lbfgs": MLPRegressor(4, solver="lbfgs", max_iter=EPOCHS, tol=1e-9, random_state=0),
    "CNNClassifier": CNNClassifier(4, input_shape=(6, 1), **SMALL),
    "CNNRegressor": CNNRegressor(4, input_shape=(6, 1), **SMALL),
    "PerceptronClassifier": PerceptronClassifier(max_iter=EPOCHS, tol=None),
    "PerceptronClassifier, early stopping": PerceptronClassifier(max_iter=EPOCHS, tol=None, early_stopping=True),
    "PerceptronClassifier, sgd": PerceptronClassifier(solver="sgd", max_iter=EPOCHS, tol=None),
    "PerceptronRegressor": PerceptronRegressor(max_iter=EPOCHS, tol=None),
}
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)

CONTINUED = {
    "adam": MLPClassifier(**SMALL),
    "adam, double precision": MLPClassifier(**SMALL, dtype="float64"),
    "adamw, cosine": MLPClassifier(**SMALL, solver="adamw", learning_rate="cosine"),
    "rmsprop, one cycle": MLPRegressor(**SMALL, solver="rmsprop", learning_rate="one_cycle"),
    "sgd, adaptive": MLPRegressor(
        **{**SMALL, "tol": 1.0}, solver="sgd", learning_rate="adaptive", learning_rate_init=0.01, n_iter_no_change=1
    ),
    "early stopping": MLPClassifier(**SMALL, early_stopping=True, learning_rate_init=0.2),
    "early stopping by a score": MLPClassifier(
        **SMALL, early_stopping=True, scoring="f1_macro", class_weight="balanced"
    ),
    "dropout and running statistics": MLPClassifier(**SMALL, dropout=0.3, batch_norm=True),
    "one batch": MLPRegressor(**{**SMALL, "batch_size": 60}),
    "CNN with dropout": CNNClassifier(4, input_shape=(6, 1), dropout=0.3, **SMALL),
    "CNN with running statistics": CNNRegressor(4, input_shape=(6, 1), batch_norm=True, **SMALL),
    "logistic layer": PerceptronClassifier(solver="sgd", batch_size=16, max_iter=EPOCHS, tol=None, random_state=0),
    "delta rule": PerceptronRegressor(max_iter=EPOCHS, tol=None, random_state=0),
}
continued = pytest.mark.parametrize("estimator", CONTINUED.values(), ids=CONTINUED)


def target(estimator):
    return CLASSES if is_classifier(estimator) else NUMBERS


def metric(estimator):
    return "accuracy" if is_classifier(estimator) else "r2"


def fitted(estimator, *callbacks, X=X, **params):
    model = clone(estimator).set_params(**params).set_callbacks(*callbacks)
    return model.fit(X, target(estimator))


class Listener:
    """Notes what it is told; asks to stop after a number of epochs."""

    def __init__(self, stop_after=np.inf):
        self.events, self.stop_after = [], stop_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.events.append(("end", context.task_name, context.task_id))
        self.last = fitted_estimator
        return context.task_name == "epoch" and context.task_id + 1 >= self.stop_after

    def count(self, what, task="epoch"):
        return sum(event[:2] == (what, task) for event in self.events)


class Crash(Listener):
    """Ends a fit with an error after some epochs."""

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 == self.stop_after:
            raise RuntimeError("a crash")


def crashed(estimator, directory, after, *callbacks, every=1):
    """Fit with checkpoints until an error."""
    with pytest.raises(RuntimeError, match="a crash"):
        fitted(estimator, Checkpoint(directory, every=every), *callbacks, Crash(after))


def assert_same_fit(one, other):
    assert_array_equal(one.network_.theta, other.network_.theta)
    assert_array_equal(one.network_.state, other.network_.state)
    curves = ("loss_curve_", "validation_scores_", "validation_loss_curve_")
    for name in ("n_iter_", "t_", "loss_", "best_loss_", "best_validation_score_", *curves):
        assert getattr(one, name, None) == getattr(other, name, None), name


# -- scikit-learn's protocol ---------------------------------------------------------------------------------------


@every_estimator
def test_scikit_learns_callbacks_work_on_every_estimator(estimator, capsys):
    monitor = ScoringMonitor(scoring=[metric(estimator)])
    model = fitted(estimator, ProgressBar(max_propagation_depth=None), monitor)
    log = monitor.get_logs().data
    scores = {row["task_id_path"]: row[metric(estimator)] for row in log}
    n_units = len(model.classes_) if model.get_params().get("solver") == "perceptron" else 1
    assert sum(row["task_name"] == "epoch" for row in log) == EPOCHS * n_units
    assert scores[0,] == model.score(X, target(model))
    assert "100%" in capsys.readouterr().out


@every_estimator
def test_callbacks_change_nothing(estimator):
    listener = Listener()
    assert_same_fit(fitted(estimator, listener), fitted(estimator))
    assert_array_equal(listener.last.predict(X), fitted(estimator).predict(X))


@every_estimator
def test_true_at_the_end_of_an_epoch_stops_the_training(estimator, recwarn):
    listener = Listener(stop_after=2)
    model = fitted(estimator, listener)
    assert model.n_iter_ == 2
    assert listener.events[-1] == "teardown"
    assert listener.count("end") == listener.count("begin") == 2 * max(1, listener.count("end", "unit"))
    assert not [each for each in recwarn if each.category is ConvergenceWarning]


def test_epochs_are_numbered_subtasks_of_the_fit():
    listener = Listener()
    fitted(MLPClassifier(**{**SMALL, "max_iter": 2}), listener)
    epochs = [(what, "epoch", number) for number in range(2) for what in ("begin", "end")]
    assert listener.events == ["setup", ("begin", "fit", 0), *epochs, ("end", "fit", 0), "teardown"]


def test_the_estimator_given_to_callbacks_is_the_one_that_would_result():
    class Recorder(Listener):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            self.events.append(fitted_estimator)

    recorder = Recorder()
    fitted(ESTIMATORS["MLPClassifier, early stopping"], recorder)
    models = [event for event in recorder.events if isinstance(event, MLPClassifier)]
    for epochs in (1, 3, 5):
        shorter = fitted(ESTIMATORS["MLPClassifier, early stopping"], max_iter=epochs)
        assert_same_fit(models[epochs - 1], shorter)


def test_sample_weights_reach_the_monitor():
    weight = np.linspace(0.0, 3.0, len(X))
    monitor = ScoringMonitor(scoring="accuracy")
    model = MLPClassifier(**SMALL).set_callbacks(monitor).fit(X, CLASSES, weight)
    assert monitor.get_logs().data[0]["accuracy"] == model.score(X, CLASSES, weight)


@every_estimator
def test_without_callbacks_the_loop_pays_nothing(estimator, monkeypatch):
    def observed(*_, **__):
        raise AssertionError("nobody listens")

    monkeypatch.setattr(CallbackContext, "subcontext", observed)
    monkeypatch.setattr(FitLoop, "advance_observed", observed)
    monkeypatch.setattr(FitObserver, "__init__", observed)
    assert fitted(estimator).n_iter_ == EPOCHS


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_callbacks_work_through_searches_and_pipelines(n_jobs, capsys):
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL).set_callbacks(monitor))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.0, 1.0]}, cv=2, n_jobs=n_jobs)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, CLASSES)
    log = monitor.get_logs()
    assert log.estimator_name == "GridSearchCV"
    assert sum(row["task_name"] == "epoch" for row in log.data) == 5 * EPOCHS
    shown = capsys.readouterr().out
    assert shown.count("MLPClassifier - fit") == 5
    assert "100%" in shown


def test_an_error_in_a_callback_leaves_the_estimator_as_it_was_and_tears_down():
    model = fitted(ESTIMATORS["MLPClassifier"])
    before, listener = model.predict_proba(X), Listener()
    with pytest.raises(RuntimeError, match="a crash"):
        model.set_callbacks(listener, Crash(2)).fit(X, CLASSES[::-1])
    assert_array_equal(model.predict_proba(X), before)
    assert listener.events[-1] == "teardown"
    assert not {"_observer", "_callback_fit_ctx", "_skl_callbacks_to_teardown"} & vars(model).keys()


def test_a_single_class_is_a_fit_without_epochs():
    listener = Listener()
    MLPClassifier(**SMALL).set_callbacks(listener, EarlyStopping(), LearningRateLogger()).fit(X, np.zeros(len(X)))
    assert listener.events == ["setup", ("begin", "fit", 0), ("end", "fit", 0), "teardown"]


def test_partial_fit_calls_no_callbacks():
    listener = Listener()
    MLPClassifier(**SMALL).set_callbacks(listener).partial_fit(X, CLASSES, classes=np.unique(CLASSES))
    assert listener.events == []


@every_estimator
def test_nothing_of_the_fit_stays_on_the_estimator(estimator):
    names = vars(fitted(estimator)).keys()
    assert vars(fitted(estimator, Listener())).keys() - names == {"_skl_callbacks"}
    assert pickle.loads(pickle.dumps(fitted(estimator, LearningRateLogger()))).n_iter_ == EPOCHS


# -- early stopping ------------------------------------------------------------------------------------------------


def scripted(values):
    """A monitor that gives these values, one for each epoch."""
    return lambda model: values[model.n_iter_ - 1]


@pytest.mark.parametrize(
    ("values", "params", "epochs", "best"),
    [
        ([1, 2, 3, 4, 5, 6], {"n_iter_no_change": 1}, 6, 6),
        ([1, 2, 0, 0, 0, 0], {"n_iter_no_change": 1}, 4, 2),
        ([1, 2, 2, 2, 9, 9], {"n_iter_no_change": 2}, 6, 5),
        ([1, 2, 2, 2, 9, 9], {"n_iter_no_change": 1}, 4, 2),
        ([1, 1.5, 2.1, 2.2, 2.3, 9], {"n_iter_no_change": 1, "tol": 1}, 5, 3),
        ([1, np.nan, np.nan, 0, 0, 0], {"n_iter_no_change": 1}, 3, 1),
        ([1, 2, 0, 0, 0, 0], {"n_iter_no_change": 1, "restore_best": False}, 4, 4),
    ],
)
def test_early_stopping_waits_and_restores_the_best(values, params, epochs, best):
    model = fitted(MLPClassifier(**SMALL), EarlyStopping(scripted(values), **params))
    assert model.n_iter_ == epochs
    assert_array_equal(model.network_.theta, fitted(MLPClassifier(**SMALL), max_iter=best).network_.theta)


def test_early_stopping_by_the_training_loss():
    model = fitted(MLPClassifier(**SMALL), EarlyStopping(tol=100.0, n_iter_no_change=1))
    assert model.n_iter_ == 3


@pytest.mark.parametrize("monitor", ["validation_loss", "validation_score"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_early_stopping_by_what_validation_says(monitor, solver):
    """The samples are only looked at: it is the callback alone that decides."""
    model = MLPRegressor(4, solver=solver, max_iter=EPOCHS, tol=0.0, random_state=0)
    plain = clone(model).fit(X, NUMBERS, X_val=X[:20], y_val=NUMBERS[:20])
    model.set_callbacks(EarlyStopping(monitor, tol=1e9, n_iter_no_change=1))
    model.fit(X, NUMBERS, X_val=X[:20], y_val=NUMBERS[:20])
    assert plain.n_iter_ == EPOCHS
    assert model.n_iter_ == len(model.validation_scores_) == 3
    assert model.validation_loss_curve_ == plain.validation_loss_curve_[:3]


def test_early_stopping_by_the_validation_score_takes_the_split_too():
    stopping = EarlyStopping("validation_score", tol=1.0, n_iter_no_change=1)
    model = fitted(MLPClassifier(**SMALL, early_stopping=True, scoring="accuracy"), stopping)
    assert model.n_iter_ == len(model.validation_scores_) == 3


def test_early_stopping_of_lbfgs():
    model = fitted(ESTIMATORS["MLPRegressor, lbfgs"], EarlyStopping(tol=1e9, n_iter_no_change=1))
    assert model.n_iter_ == 3


def test_a_reused_callback_starts_afresh_in_each_fold():
    """Values fall over the whole run, so that a memory of earlier folds would end the later ones at once."""
    values = iter(range(100, 0, -1))
    stopping = EarlyStopping(lambda model: next(values), n_iter_no_change=1)
    found = cross_validate(
        MLPClassifier(**SMALL).set_callbacks(stopping), X, CLASSES, cv=KFold(3), return_estimator=True
    )
    assert [model.n_iter_ for model in found["estimator"]] == [3, 3, 3]


def test_two_fits_with_one_callback_at_the_same_time():
    stopping = EarlyStopping(tol=100.0, n_iter_no_change=1)
    inner = []

    def fit_another(model):
        if model.n_iter_ == 1:
            inner.append(fitted(MLPClassifier(**SMALL), stopping).n_iter_)
        return 0.0

    outer = fitted(MLPClassifier(**SMALL), EarlyStopping(fit_another), stopping)
    assert (inner, outer.n_iter_) == ([3], 3)


def test_callbacks_of_networks_refuse_what_is_around_them():
    for callback in (EarlyStopping(), LearningRateLogger()):
        search = GridSearchCV(MLPClassifier(), {"alpha": [0.0]}).set_callbacks(callback)
        with pytest.raises(TypeError, match="set it on the network"):
            search.fit(X, CLASSES)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EarlyStopping("accuracy"), "monitor must be"),
        (lambda: EarlyStopping(n_iter_no_change=0), "n_iter_no_change must be"),
        (lambda: EarlyStopping(tol=-1.0), "tol must be"),
        (lambda: EarlyStopping(tol=True), "tol must be a number that is not negative; got True"),
        (lambda: EarlyStopping(n_iter_no_change=True), "n_iter_no_change must be a positive integer; got True"),
        (lambda: Checkpoint("somewhere", every=True), "every must be a positive integer; got True"),
        (lambda: Checkpoint("somewhere", every=0.5), "every must be"),
        (lambda: Checkpoint("somewhere", resume="no"), "resume must be True or False; got 'no'"),
        (lambda: EarlyStopping(restore_best=0), "restore_best must be True or False; got 0"),
        (lambda: fitted(ESTIMATORS["MLPClassifier"], EarlyStopping(lambda model: "a")), "must give a number, got 'a'"),
        (
            lambda: fitted(ESTIMATORS["MLPClassifier"], EarlyStopping(lambda model: None)),
            "must give a number, got None",
        ),
        (lambda: LearningRateLogger().get_logs(), "no logs yet"),
        (lambda: LearningRateLogger().get_logs("first"), "select must be"),
        (lambda: fitted(ESTIMATORS["MLPClassifier"], EarlyStopping("validation_loss")), "needs validation samples"),
        (lambda: fitted(ESTIMATORS["PerceptronClassifier"], EarlyStopping()), "solver='perceptron'"),
        (lambda: fitted(ESTIMATORS["PerceptronClassifier"], Checkpoint("no")), "solver='perceptron'"),
    ],
)
def test_wrong_parameters_and_places_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("directory", [None, 3, "", b"somewhere"], ids=repr)
def test_a_checkpoint_needs_a_directory(directory):
    with pytest.raises(TypeError, match="directory must be a path, such as a word that is not empty, got"):
        Checkpoint(directory)


# -- learning rates ------------------------------------------------------------------------------------------------


def test_learning_rates_of_every_fit_are_logged():
    logger = LearningRateLogger()
    model = MLPClassifier(**SMALL, learning_rate="exponential", learning_rate_init=0.1).set_callbacks(logger)
    cross_validate(model, X, CLASSES, cv=KFold(2))
    expected = 0.1 * 0.01 ** (np.arange(EPOCHS) / EPOCHS)
    logs = logger.get_logs(select="all")
    assert len(logs) == 2
    assert len({log.run_id for log in logs}) == 2
    for log in logs:
        np.testing.assert_allclose(log.rates, expected, rtol=1e-12)
    assert logger.get_logs() is logs[-1]


def test_without_a_learning_rate_there_is_nothing_to_log():
    logger = LearningRateLogger()
    fitted(ESTIMATORS["MLPClassifier, lbfgs"], logger)
    fitted(ESTIMATORS["PerceptronClassifier"], logger)
    with pytest.raises(ValueError, match="no logs yet"):
        logger.get_logs()


# -- checkpoints ---------------------------------------------------------------------------------------------------


@continued
@pytest.mark.parametrize("every", [1, 2])
def test_a_fit_that_crashed_continues_to_the_same_bits(estimator, every, tmp_path):
    crashed(estimator, tmp_path, 5, every=every)
    listener = Listener()
    model = fitted(estimator, Checkpoint(tmp_path), listener)
    assert_same_fit(model, fitted(estimator))
    # the file knows of the epochs before the one that crashed
    assert listener.count("begin") == EPOCHS - 4
    assert ("begin", "epoch", 4) in listener.events


@continued
def test_a_finished_fit_is_restored_at_once(estimator, tmp_path):
    first = fitted(estimator, Checkpoint(tmp_path, every=100))
    listener = Listener()
    again = fitted(estimator, Checkpoint(tmp_path), listener)
    assert listener.count("begin") == 0
    assert_same_fit(again, first)


def test_a_search_that_crashed_begins_again_and_a_finished_one_is_restored(tmp_path):
    search = MLPClassifier(4, solver="lbfgs", max_iter=EPOCHS, tol=1e-9, random_state=0)
    crashed(search, tmp_path, 3, every=1)
    first = fitted(search, Checkpoint(tmp_path), listener := Listener())
    assert_same_fit(first, fitted(search))
    assert listener.count("begin") == EPOCHS
    assert_same_fit(fitted(search, Checkpoint(tmp_path), listener := Listener()), first)
    assert listener.count("begin") == 0


def test_a_file_of_another_format_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("sknn.callbacks.checkpoint.FORMAT", 1)
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="format 1, of another version of sknn, instead of 2"):
        fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))


class Walk(FitLoop):
    """Goes at random, by numbers and by the order of the samples."""

    def epoch(self):
        self.shuffle()
        self.network.theta += self.order[0] * self.rng.normal(size=self.network.theta.size)
        return 0.0


def walked(rng, *callbacks):
    """Where a random walk of six epochs ends, and the generator's next number."""
    estimator, network = MLPClassifier().set_callbacks(*callbacks), Network([Dense(1)], (2,), rng, "float64")
    observer = FitObserver(estimator, estimator._init_callback_context(max_subtasks=6), None, None, None)
    observer.training = Training(network, rng, estimator, dict, {"rng": rng})
    Walk(network, 9, [Stage([], Plan(9, 6, tol=-np.inf))], TrainingState(), rng).epochs(observer)
    return *network.theta, rng.normal()


GENERATORS = {
    "RandomState": np.random.RandomState,
    "RandomState of another kind": lambda seed: np.random.RandomState(np.random.PCG64(seed)),
    "Generator": np.random.default_rng,
    "Generator with arrays for its state": lambda seed: np.random.Generator(np.random.Philox(seed)),
}


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=GENERATORS)
def test_every_kind_of_random_generator_continues(generator, tmp_path):
    with pytest.raises(RuntimeError, match="a crash"):
        walked(generator(0), Checkpoint(tmp_path, every=1), Crash(4))
    assert walked(generator(0), Checkpoint(tmp_path), last := Listener()) == walked(generator(0), Listener())
    assert last.count("begin") == 3
    assert walked(generator(0), Checkpoint(tmp_path), last := Listener()) == walked(generator(0), Listener())
    assert last.count("begin") == 0


def test_resume_false_starts_anew(tmp_path):
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))
    listener = Listener()
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path, resume=False), listener)
    assert listener.count("begin") == EPOCHS


def test_an_interrupt_from_the_keyboard_can_be_continued(tmp_path):
    class Interrupt(Crash):
        def on_fit_task_end(self, estimator, context):
            if context.task_id == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path, every=1), Interrupt())
    assert_same_fit(fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path)), fitted(MLPClassifier(**SMALL)))


def test_a_warm_start_is_another_fit_and_continues_as_well(tmp_path):
    warm = MLPClassifier(**SMALL, warm_start=True)
    expected = fitted(warm).fit(X, CLASSES)
    model = fitted(warm, Checkpoint(tmp_path))
    with pytest.raises(RuntimeError, match="a crash"):
        model.set_callbacks(Checkpoint(tmp_path, every=1), Crash(4)).fit(X, CLASSES)
    model.set_callbacks(Checkpoint(tmp_path)).fit(X, CLASSES)
    assert_same_fit(model, expected)
    assert len(list(tmp_path.iterdir())) == 2


def test_clones_in_a_search_never_meet(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    grid = {"alpha": [0.0, 1.0], "hidden_layer_sizes": [(3,), (4,)], "random_state": [0, 1]}
    search = GridSearchCV(MLPClassifier(**SMALL).set_callbacks(checkpoint), grid, cv=2).fit(X, CLASSES)
    plain = GridSearchCV(MLPClassifier(**SMALL), grid, cv=2).fit(X, CLASSES)
    assert len(list(tmp_path.iterdir())) == 2 * 8 + 1
    assert_array_equal(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert_same_fit(search.best_estimator_, plain.best_estimator_)


CHANGES = {
    "a parameter": ({"alpha": 0.5}, X),
    "the initial weights": ({"random_state": 1}, X),
    "the data": ({}, X + np.eye(len(X), 6, dtype=np.float32)),
    "the precision": ({"dtype": "float64"}, X),
}


@pytest.mark.parametrize(("params", "other"), CHANGES.values(), ids=CHANGES)
def test_another_fit_has_another_directory(params, other, tmp_path):
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path), X=other, **params)
    assert len(list(tmp_path.iterdir())) == 2


def test_what_does_not_change_the_result_does_not_change_the_directory(tmp_path, capsys):
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path), LearningRateLogger(), verbose=True)
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path), random_state=np.random.RandomState(0))
    assert len(list(tmp_path.iterdir())) == 1
    assert f"Continuing after {EPOCHS} epochs" in capsys.readouterr().out


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_other_callbacks_continue_too(first, tmp_path):
    def callbacks(checkpoint):
        stopping = EarlyStopping(scripted([1, 3, 2, 2, 2, 2]), n_iter_no_change=2)
        others = [stopping, LearningRateLogger()]
        return [checkpoint, *others] if first else [*others, checkpoint]

    estimator = MLPClassifier(**SMALL, learning_rate="cosine")
    expected = fitted(estimator, *callbacks(Checkpoint(tmp_path / "whole")))
    with pytest.raises(RuntimeError, match="a crash"):
        fitted(estimator, *callbacks(Checkpoint(tmp_path / "parts", every=1)), Crash(4))
    for _ in range(2):  # continued, and restored when it is finished
        used = callbacks(Checkpoint(tmp_path / "parts"))
        model = fitted(estimator, *used)
        assert_same_fit(model, expected)
        assert model.n_iter_ == 5
        assert len(used[-1 if first else 1].get_logs().rates) == 5


def test_a_checkpoint_holds_no_code(tmp_path):
    fitted(MLPClassifier(**SMALL, early_stopping=True), Checkpoint(tmp_path))
    (file,) = tmp_path.glob("*/checkpoint.npz")
    with np.load(file, allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "fiu" for name in stored.files)


def test_nothing_half_written_stays_behind(tmp_path):
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path, every=1))
    (fit,) = tmp_path.iterdir()
    old, young = fit / "0.tmp", fit / "1.tmp"
    for file in (old, young):
        file.touch()
    os.utime(old, (0, 0))
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))
    assert sorted(file.name for file in fit.iterdir()) == ["1.tmp", "checkpoint.npz"]


DAMAGES = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "something else": lambda content: b"no checkpoint",
    "one bit of the weights": lambda content: content.replace(b"\x93NUMPY", b"\x92NUMPY"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_files_are_reported_and_not_used(damage, tmp_path):
    crashed(MLPClassifier(**SMALL), tmp_path, 4)
    (file,) = tmp_path.glob("*/checkpoint.npz")
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning, match=r"checkpoint.npz is damaged and not used: .* starts anew"):
        model = fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path))
    assert_same_fit(model, fitted(MLPClassifier(**SMALL)))


def test_no_flipped_byte_goes_unnoticed(tmp_path, recwarn):
    """Whatever byte is changed, the fit ends with the same weights: from the file if it is sound, or else anew."""
    estimator = MLPClassifier(**{**SMALL, "hidden_layer_sizes": (2,), "max_iter": 3})
    expected = fitted(estimator)
    crashed(estimator, tmp_path, 2)
    (file,) = tmp_path.glob("*/checkpoint.npz")
    whole = file.read_bytes()
    for place in np.random.RandomState(0).choice(len(whole), 100, replace=False):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        file.write_bytes(changed)
        assert_same_fit(fitted(estimator, Checkpoint(tmp_path, every=100)), expected)
    assert sum("damaged" in str(each.message) for each in recwarn) > 50


def test_the_fit_of_another_estimator_is_not_used(tmp_path):
    crashed(MLPClassifier(**SMALL), tmp_path, 4)
    (file,) = tmp_path.glob("*/checkpoint.npz")
    fitted(MLPClassifier(**SMALL, alpha=1.0), Checkpoint(tmp_path))
    (other,) = set(tmp_path.glob("*/checkpoint.npz")) - {file}
    file.replace(other)
    with pytest.warns(UserWarning, match="belongs to another fit"):
        fitted(MLPClassifier(**SMALL, alpha=1.0), Checkpoint(tmp_path))


def test_a_failed_write_is_an_error_and_leaves_the_last_file(tmp_path, monkeypatch):
    crashed(MLPClassifier(**SMALL), tmp_path, 3)
    (file,) = tmp_path.glob("*/checkpoint.npz")
    before = file.read_bytes()

    def full(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path, every=1))
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_file_is_on_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    calls, fsync, replace = [], os.fsync, os.replace

    def note_fsync(descriptor):
        found = os.fstat(descriptor)
        calls.append(("sync", "directory" if stat.S_ISDIR(found.st_mode) else found.st_size))
        fsync(descriptor)

    def note_replace(new, file):
        calls.append(("replace", os.stat(new).st_size))
        replace(new, file)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    fitted(MLPClassifier(**SMALL), Checkpoint(tmp_path, every=100))
    (file,) = tmp_path.glob("*/checkpoint.npz")
    size = file.stat().st_size
    assert [call for call in calls if call != ("sync", "directory")] == [("sync", size), ("replace", size)]
    if os.name == "posix":
        assert calls[-1] == ("sync", "directory")


# For each line of seconds and a directory: a fit in a process of its own, killed after that time. Answers with the
# signal that ended it, 0 if it was done before.
FITS = """
import os, signal, sys, time, warnings
import numpy as np
from sklearn.datasets import load_iris
from sknn import MLPClassifier
from sknn.callbacks import Checkpoint

warnings.simplefilter("ignore")
warnings.filterwarnings("error", "The checkpoint")
X, y = load_iris(return_X_y=True)
for line in sys.stdin:
    seconds, directory = line.strip().split(" ", 1)
    child = os.fork()
    if child == 0:
        model = MLPClassifier((6,), batch_size=32, max_iter=150, n_iter_no_change=200, learning_rate="invscaling",
                              early_stopping=True, random_state=0)
        model.set_callbacks(Checkpoint(directory, every=1)).fit(X, y)
        np.save(directory + ".npy", model.network_.theta)
        os._exit(0)
    if seconds != "inf":
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_process_killed_at_random_instants_continues_to_the_same_bits(tmp_path):
    instants = np.random.default_rng(0)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", FITS], **pipes) as process:

        def ended_by(name, seconds):
            print(seconds, tmp_path / name, file=process.stdin, flush=True)
            return int(process.stdout.readline())

        begin = time.perf_counter()
        assert ended_by("whole", np.inf) == 0
        duration = time.perf_counter() - begin
        killed, runs = 0, 1
        while killed < 10:
            signalled = ended_by(f"run {runs}", instants.uniform(0, duration / 5))
            assert signalled in (0, signal.SIGKILL)
            killed += signalled == signal.SIGKILL
            runs += signalled == 0  # done before it could be killed: another one
        assert ended_by(f"run {runs}", np.inf) == 0
    for run in range(1, runs + 1):
        assert_array_equal(np.load(tmp_path / f"run {run}.npy"), np.load(tmp_path / "whole.npy"))


# -- fingerprints --------------------------------------------------------------------------------------------------


def holding_itself(*parts):
    held = [*parts]
    held.append(held)
    return held


class Node:
    def __init__(self, label):
        self.label, self.children, self.parent = label, [], None

    def __repr__(self):
        return f"Node({self.label!r})"

    def add(self, child):
        child.parent = self
        self.children.append(child)
        return self


DIFFERENT = [
    None, 0, 0.0, False, "0", b"0", "", [], (), {}, [0], (0,), [0, 0], [[0], 0], ["ab", "c"], ["a", "bc"], {"a": 0},
    {"a": 1}, {0}, np.zeros(2), np.zeros((2, 1)), np.zeros(2, np.float32), np.zeros(2, int), np.array(["a"]),
    np.array(["a"], object), np.array(["b"], object), np.sin, np.cos, MLPClassifier(), MLPClassifier(alpha=1.0),
    np.random.RandomState(0), np.random.RandomState(1), np.random.default_rng(0),
    holding_itself(), [holding_itself()], holding_itself(0), holding_itself([]), {"a": holding_itself()},
    Node("a").add(Node("b")), Node("a").add(Node("c")), Node("a").add(Node("b")).children[0],
]  # fmt: skip


def test_fingerprints_tell_values_apart():
    assert len({fingerprint(value) for value in DIFFERENT}) == len(DIFFERENT)


@pytest.mark.parametrize("value", DIFFERENT, ids=str)
def test_fingerprints_go_by_content(value):
    assert fingerprint(pickle.loads(pickle.dumps(value))) == fingerprint(value)
