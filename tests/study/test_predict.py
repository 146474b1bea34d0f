"""Predictions in a table: classes with probabilities, numbers, and quantiles, for files that come later."""

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

import sknn
from sknn.study import Study
from sknn.study.load import load, load_inputs
from sknn.study.predict import predictions, read_model, reading_of, what_is_missing
from sknn.study.quantiles import OneByOne

X, Y = load_iris(return_X_y=True)
TABLE = pd.DataFrame(X, columns=list("abcd"))


def test_classes_have_probabilities_where_the_model_has_them():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    model = LogisticRegression(max_iter=500).fit(X, names)
    found = predictions(model, X)
    assert list(found) == ["predicted", "probability_setosa", "probability_versicolor", "probability_virginica"]
    assert_array_equal(found["predicted"], model.predict(X))
    assert_allclose(found.iloc[:, 1:], model.predict_proba(X))
    assert list(predictions(LinearSVC().fit(X, names), X)) == ["predicted"]


def test_numbers_stand_in_intervals_if_these_are_wanted():
    x = np.arange(20.0)[:, None]
    ridge = BayesianRidge().fit(x, x[:, 0] + np.sin(x[:, 0]))
    table = predictions(ridge, x, intervals=0.5)
    assert list(table) == ["predicted", "low_0.5", "high_0.5"]
    assert ((table["low_0.5"] < table["predicted"]) & (table["predicted"] < table["high_0.5"])).all()
    with pytest.raises(ValueError, match=r"intervals=0.5 were asked for, but LinearRegression has no predict_interval"):
        predictions(LinearRegression().fit(x, x[:, 0]), x, intervals=0.5)


def test_numbers_stand_alone_and_quantiles_in_order():
    data = load_diabetes(return_X_y=True)
    assert_allclose(predictions(LinearRegression().fit(*data), data[0])["predicted"].mean(), data[1].mean())
    model = OneByOne(DummyRegressor(strategy="quantile"), [0.9, 0.25])
    found = predictions(make_pipeline(StandardScaler(), model).fit(*data), data[0][:2])
    assert list(found) == ["predicted", "quantile_0.25", "quantile_0.9"]
    assert_allclose(found["quantile_0.9"], np.quantile(data[1], 0.9), rtol=0.01)


def test_columns_of_a_table_are_found_by_name_if_the_model_knows_names():
    model = LinearRegression().fit(TABLE, Y)
    shuffled = TABLE.iloc[:, ::-1].assign(more=1)
    assert_allclose(predictions(model, shuffled)["predicted"], model.predict(TABLE))
    without_names = LinearRegression().fit(X, Y)
    assert_allclose(predictions(without_names, TABLE)["predicted"], without_names.predict(X))
    with pytest.raises(ValueError, match="the table has 5 columns, but the model has learnt 4 without names"):
        predictions(without_names, shuffled)


def test_numbers_of_a_file_are_read_as_those_that_were_learnt(tmp_path):
    path = tmp_path / "sizes.csv"
    sizes = np.arange(1.5, 61.5)
    path.write_text("size;y\n-;0\n" + "".join(f"{size:.3f};{size}\n" for size in sizes).replace(".", ","))
    with pytest.warns(UserWarning, match="'-' in 1 row"):
        data = load(path, "y")
    model = make_pipeline(SimpleImputer(), LinearRegression()).fit(data.X, data.y)
    with pytest.warns(UserWarning, match="1 of 61 cells, such as '-', are none"):
        found = predictions(model, load_inputs(path))
    assert_allclose(found["predicted"][1:], sizes, rtol=0.5)


def test_text_stays_text_for_a_model_that_knows_no_types():
    table = pd.DataFrame({"kind": ["a", "b"] * 20, "size": np.arange(40.0)})
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough"), Ridge())
    model.fit(table, np.arange(40) % 2)
    new = pd.DataFrame({"size": ["1.5", "2"], "kind": ["b", "a"]})
    assert_allclose(predictions(model, new)["predicted"], model.predict(new.astype({"size": float})))


@pytest.mark.parametrize(
    ("model", "remark"),
    [
        (LinearRegression(), "there are no intervals around its numbers; a study with --quantiles 0.05 0.5 0.95 keeps"),
        (LinearSVC(), "The model has no probabilities"),
        (LogisticRegression(max_iter=500), ""),
        (OneByOne(DummyRegressor(strategy="quantile"), [0.1, 0.9]), ""),
        (
            make_pipeline(StandardScaler(), BayesianRidge()),
            "with --intervals 0.9 it tells intervals around its",
        ),
    ],
)
def test_what_a_model_cannot_say_is_said(model, remark):
    model.fit(X, Y)
    said = what_is_missing(model, predictions(model, X))
    assert remark in said if remark else said == ""


def test_a_winner_says_which_columns_held_text():
    table = pd.DataFrame({"code": ["007", "A12", "012"] * 10, "size": np.arange(30.0)})
    best = Study(["logistic"], cv=2).run(table, ["no", "yes", "no"] * 10).best()
    assert reading_of(best)["texts"] == ["code"]
    assert not any(reading_of(LinearRegression()).values())


def test_a_winner_remembers_what_means_missing(tmp_path):
    rng = np.random.RandomState(0)
    stars = pd.DataFrame({"colour": rng.normal(size=60), "survey": ["none", "north", "south"] * 20})
    stars["kind"] = np.where(stars["colour"] > 0, "blue", "red")
    stars.loc[:9, "colour"] = -99
    stars.to_csv(path := tmp_path / "stars.csv", index=False)
    data = load(path, "kind", na_values=[-99], not_na=["none"])
    model = Study(["logistic"], cv=3).run(data).best()
    reading = reading_of(model)
    assert list(reading["words"]) == ["none"]
    new = load_inputs(path, **reading)
    assert new["survey"].isna().sum() == 0
    given = new.assign(colour=new["colour"].replace(-99, np.nan))
    np.testing.assert_array_equal(model.predict_proba(new), model.predict_proba(given))


def test_models_in_files(tmp_path):
    model = sknn.PerceptronClassifier().fit(X, Y)
    joblib.dump(model, tmp_path / "a.joblib")
    sknn.save(model, tmp_path / "a.sknn")
    for path in tmp_path.iterdir():
        assert_array_equal(read_model(path).predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no file"), (b"no model", "cannot be read as a model"), ({"a": 1}, "holds no model .*, but dict")],
)
def test_files_without_a_model(content, message, tmp_path):
    path = tmp_path / "model.joblib"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        joblib.dump(content, path)
    with pytest.raises(ValueError, match=message):
        read_model(path)
