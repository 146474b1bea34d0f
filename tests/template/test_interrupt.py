"""Ctrl-C in a fit: what was learnt stays, and whoever called the fit hears of it."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import cross_val_score

from sknn import CNNClassifier, MLPClassifier, MLPRegressor, NetworkRegressor, PerceptronClassifier, PerceptronRegressor
from sknn.nn import Dense

X = np.random.RandomState(0).normal(size=(60, 4))
Y = {True: np.where(X[:, 0] > 0, "yes", "no"), False: X @ [1.0, -2.0, 0.0, 1.0]}
MODELS = {
    "MLPClassifier": MLPClassifier(5, random_state=0),
    "MLPRegressor, lbfgs": MLPRegressor(5, solver="lbfgs", random_state=0),
    "NetworkRegressor": NetworkRegressor([Dense(5)], random_state=0),
    "CNNClassifier": CNNClassifier(2, random_state=0),
    "PerceptronClassifier": PerceptronClassifier(tol=None, random_state=0),
    "PerceptronClassifier, sgd": PerceptronClassifier(solver="sgd", tol=None, random_state=0),
    "PerceptronRegressor": PerceptronRegressor(tol=None, random_state=0),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Interrupt:
    """A user who hits the keys in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch" and context.task_id == self.epoch:
            raise KeyboardInterrupt

    def on_fit_task_end(self, estimator, context): ...


def interrupted(model, epoch):
    model = clone(model).set_callbacks(Interrupt(epoch))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y[is_classifier(model)])
    return model


@every_model
def test_what_was_learnt_stays_on_the_estimator(model):
    model = interrupted(model, epoch=3)
    assert model.n_iter_ == 3
    expected = clone(model).set_params(max_iter=3).fit(X, Y[is_classifier(model)])
    np.testing.assert_array_equal(model.network_.theta, expected.network_.theta)


@every_model
def test_without_a_finished_epoch_the_estimator_stays_as_it_was(model):
    assert not hasattr(interrupted(model, epoch=0), "network_")


@every_model
def test_a_cross_validation_ends_with_it(model):
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(clone(model).set_callbacks(Interrupt(2)), X, Y[is_classifier(model)])
