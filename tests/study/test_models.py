"""The table of models: what is compared, and which side each model is on."""

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sknn import MLPClassifier, PerceptronClassifier
from sknn.study.models import CLASSIFIERS, as_models, from_estimator

TABLE = {
    "mlp": (MLPClassifier, True, "network"),
    "perceptron": (PerceptronClassifier, True, "network"),
    "random_forest": (RandomForestClassifier, False, "baseline"),
    "logistic": (LogisticRegression, True, "baseline"),
    "dummy": (DummyClassifier, False, "baseline"),
}


def test_every_model_has_a_row():
    assert TABLE.keys() == CLASSIFIERS.keys()


@pytest.mark.parametrize("name", TABLE)
def test_built_in_model(name):
    estimator_class, scaled, family = TABLE[name]
    (model,) = as_models([name])
    built = model.build(random_state=7)
    estimator = built[-1] if scaled else built
    assert model.family == family
    assert isinstance(built, Pipeline) == scaled
    assert isinstance(estimator, estimator_class)
    assert estimator.random_state == 7


@pytest.mark.parametrize(
    ("estimator", "family"),
    [
        (MLPClassifier(), "network"),
        (make_pipeline(MinMaxScaler(), MLPClassifier()), "network"),
        (LogisticRegression(), "baseline"),
    ],
)
def test_family_of_a_users_estimator(estimator, family):
    assert from_estimator("mine", estimator).family == family


def test_only_an_unset_random_state_becomes_the_studys():
    pipeline = make_pipeline(MinMaxScaler(), RandomForestClassifier())
    assert from_estimator("mine", pipeline).build(3)[-1].random_state == 3
    assert from_estimator("mine", RandomForestClassifier(random_state=1)).build(3).random_state == 1
    assert pipeline[-1].random_state is None


def test_all_models_or_some_in_the_order_given():
    assert [model.name for model in as_models(None)] == list(TABLE)
    assert [model.name for model in as_models(["dummy", "mlp", "dummy"])] == ["dummy", "mlp"]


@pytest.mark.parametrize(
    ("models", "message"),
    [(["mlpp"], "unknown model 'mlpp', did you mean 'mlp'"), ("mlp", "models='mlp' is a single string")],
)
def test_wrong_models(models, message):
    with pytest.raises(ValueError, match=message):
        as_models(models)
