"""Series of different lengths in a study: read from files and folders, as data sets, and before each model."""

import gzip
import pickle
import re
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import StandardScaler

import sknn
from sknn.__main__ import main
from sknn.series import SeriesFeatures, ragged
from sknn.study import Study
from sknn.study.data import DataSet
from sknn.study.load import load, load_inputs
from sknn.study.models import BUILT_IN, as_models
from sknn.study.page.method import size_of
from sknn.study.predict import predictions
from sknn.study.preprocess import Needs, steps_before
from sknn.study.series import PaddedRows, SeriesFiller, as_series

RNG = np.random.default_rng(0)
RISES = RNG.random(40) < 0.5
SERIES = [
    np.column_stack([(1 if rises else -1) * np.linspace(0, 1, n), RNG.normal(size=n)])
    for rises, n in zip(RISES, RNG.integers(6, 12, 40), strict=True)
]
LABELS = np.where(RISES, "rises", "falls")


def data_of(X=SERIES, y=LABELS, **stated):
    return DataSet.from_arrays("curves", X, y, **stated)


# -- data sets -----------------------------------------------------------------------------------------------------


def padded(series):
    return np.stack([np.pad(x, ((0, 11 - len(x)), (0, 0)), constant_values=np.nan) for x in series])


FORMS = {
    "list": list,
    "objects": ragged,
    "column": lambda series: pd.DataFrame({"curve": list(series)}),
    "series of pandas": lambda series: pd.Series(list(series)),
    "NaN at the end": padded,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_data(form):
    data = data_of(form(SERIES))
    assert data.sample_shape == (None, 2)
    assert (data.n_samples, data.n_features) == (40, 2)
    assert data.fingerprint == data_of().fingerprint
    for found, given in zip(data.X, SERIES, strict=True):
        assert_array_equal(found, given)


def test_rows_are_series_and_travel():
    data = data_of()
    assert data.take([3, 1]).shape == (2,)
    assert_array_equal(data.take(np.arange(40) == 3)[0], SERIES[3])
    again = pickle.loads(pickle.dumps(data))
    assert again.fingerprint == data.fingerprint
    assert data.__sizeof__() > sum(x.nbytes for x in SERIES)


def test_any_change_gives_another_fingerprint():
    shorter, other = list(SERIES), list(SERIES)
    shorter[5] = SERIES[5][:-1]
    other[5] = SERIES[5] + np.eye(len(SERIES[5]), 2)
    moved = [*SERIES[:5], SERIES[5][:-1], np.vstack([SERIES[5][-1:], SERIES[6]]), *SERIES[7:]]
    layout = [np.asfortranarray(x) for x in SERIES]
    prints = {data_of(X).fingerprint for X in (SERIES, shorter, other, moved, SERIES[::-1])}
    assert len(prints) == 5
    assert data_of(layout).fingerprint == data_of().fingerprint


def test_arrays_of_one_length_stay_what_they_are():
    assert data_of(np.zeros((40, 6, 2))).sample_shape == (6, 2)
    assert data_of(list(np.zeros((40, 8, 8)))).sample_shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("X", "stated", "message"),
    [
        ([*SERIES[:-1], SERIES[-1][:, :1]], {}, "sample 39 of X has 1 channels, but sample 0 2"),
        ([*SERIES[:-1], SERIES[-1][:0]], {}, "sample 39 of X has no steps"),
        ([*SERIES[:-1], [["a", "b"]]], {}, "sample 39 of X is of shape .* a series is numbers"),
        (SERIES[:-1], {}, "y of 'curves' has 40 values, but X has 39 samples"),
        (SERIES, {"sample_shape": (4, 2)}, "X holds series of different lengths"),
        (SERIES, {"time_channel": 2}, "time_channel=2 of 'curves' is no channel of series"),
        (np.zeros((40, 3)), {"time_channel": 0}, "time_channel=0 of 'curves' is no channel of series"),
        ([*SERIES[:-1], np.full((3, 2), np.inf)], {}, "6 infinite values"),
    ],
)
def test_wrong_series(X, stated, message):
    with pytest.raises(ValueError, match=message):
        data_of(X, **stated)


# -- models --------------------------------------------------------------------------------------------------------


def test_padded_rows_are_as_long_as_the_longest_of_the_training_fold():
    rows = PaddedRows().fit(as_series([[1, 2], [3]]))
    assert rows.transform(as_series([[4, 5, 6], [7]])).tolist() == [[4, 5], [7, 0]]


def test_gaps_are_filled_with_means_of_the_training_fold():
    filler = SeriesFiller().fit(as_series([[1, 2], [6]]))
    assert [x.ravel().tolist() for x in filler.transform(as_series([[np.nan, 1], [5]]))] == [[3, 1], [5]]


def test_what_comes_before_a_model():
    data, gap = data_of(), data_of([*SERIES[:-1], np.array([[np.nan, 1.0], [2.0, 3.0]])])
    kinds = [type(each) for each in steps_before(data, Needs(scaling=True))]
    assert kinds == [PaddedRows, StandardScaler]
    assert [type(each) for each in steps_before(data, Needs(False, statistics=True))] == [SeriesFeatures]
    assert steps_before(data, Needs(False, flattening=False)) == []
    assert [type(each) for each in steps_before(gap, Needs(False, flattening=False))] == [SeriesFiller]


def test_default_models_are_those_that_suit_series():
    data = data_of()
    assert [name for name, model in BUILT_IN.items() if not model.suits(data)] == [
        "dummy", "logistic", "knn", "random_forest", "cnn", "rnn", "transformer",
    ]  # fmt: skip
    assert BUILT_IN["svm"].can_fit(data) == ""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", [*BUILT_IN, "ExtraTreesClassifier", "CNNClassifier"])
@pytest.mark.parametrize("gap", [False, True])
def test_every_model_can_be_fitted_to_series(name, gap):
    y = RISES.astype(float) if name == "ridge" else LABELS
    X = [x.copy() for x in SERIES]
    if gap:
        X[3][2, 1] = np.nan
    data = data_of(X, y, task="regression" if name == "ridge" else None)
    (model,) = as_models([name])
    estimator = model.build(data, random_state=0)
    if name in ("rnn", "transformer"):
        estimator.set_params(max_iter=20)
    predicted = estimator.fit(data.X, data.y).predict(data.X)
    if name not in ("dummy", "hist_gradient_boosting"):  # which wants 20 samples in a leaf
        assert np.mean((predicted > 0.5) == RISES if name == "ridge" else predicted == LABELS) > 0.8


# -- files ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ts(tmp_path):
    def write(series, labels=LABELS, name="curves.ts"):
        channels = [":".join(",".join(map(str, column)) for column in x.T) for x in series]
        lines = [f"{each}:{label}" for each, label in zip(channels, labels, strict=True)]
        path = tmp_path / name
        path.write_text("@classLabel true falls rises\n@data\n" + "\n".join(lines) + "\n")
        return path

    return write


def test_a_file_of_series(ts):
    data = load(ts(SERIES))
    assert data.name == "curves"
    assert data.fingerprint == data_of().fingerprint


def test_a_file_of_series_of_one_length_holds_signals_and_no_images(ts):
    data = load(ts([np.resize(x, (9, 5)) for x in SERIES]))
    assert data.X.shape == (40, 9, 5)
    assert data.sample_shape == (9, 5)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "curves"
    path.mkdir()
    for k, x in enumerate(SERIES):
        text = pd.DataFrame(x, columns=["flux", "error"]).to_csv(index=False)
        (path / f"star.{k}.csv").write_text(text)
    names = [f"star.{k}.csv" if k % 2 else f"star.{k}" for k in range(40)]
    pd.DataFrame({"survey": "one", "file": names, "kind": LABELS}).to_csv(path / "labels.csv", index=False)
    return path


def test_a_folder_of_curves(folder):
    data = load(folder, "kind")
    assert data.name == "curves"
    assert data.fingerprint == data_of().fingerprint
    assert load(f"{folder}/", "kind", groups="survey").groups.tolist() == ["one"] * 40


def test_curves_that_have_no_labels_are_left_out_and_told(folder):
    labels = pd.read_csv(folder / "labels.csv").iloc[1:]
    labels.to_csv(folder / "labels.csv", index=False)
    with pytest.warns(UserWarning, match=r"no row of labels.csv names 'star.0', left out"):
        assert load(folder, "kind").n_samples == 39


def test_a_column_of_times_is_told_to_models_that_know_of_times(folder):
    for k, x in enumerate(SERIES):
        columns = {"MJD": 60000.5 + np.arange(len(x)), "flux": x[:, 0]}
        pd.DataFrame(columns).to_csv(folder / f"star.{k}.csv", index=False)
    with pytest.warns(UserWarning, match="column 'MJD' of the curves is taken for the times of their steps"):
        data = load(folder, "kind")
    assert data.time_channel == 0
    features = BUILT_IN["random_forest"].build(data, 0)[0].fit(data.X)
    assert "x1_frequency_1" in features.get_feature_names_out()
    assert data.fingerprint != data_of(data.X).fingerprint
    (folder / "star.3.csv").write_text("MJD,flux\n2,1\n1,2\n")
    assert load(folder, "kind").time_channel is None


def test_packed_curves_and_dates(folder):
    (folder / "star.0.csv").unlink()
    (folder / "star.0.csv.gz").write_bytes(gzip.compress(b"flux,error\n1,2\n3,\n"))
    (folder / "star.1.csv").write_text("flux,error\n1970-01-02,2\n1970-01-03,4\n")
    X = load(folder, "kind").X
    assert_array_equal(X[0], [[1, 2], [3, np.nan]])
    assert_array_equal(X[1], [[1, 2], [2, 4]])


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("labels.csv", "kind\nrises\n", r"no column of labels names files of '.*curves', such as star.0, star.1"),
        ("labels.csv", "file,kind\nstar.1,a\nstar.99,b\n", r"labels names 'star.99', but '.*curves' has no such file"),
        ("star.7.csv", "flux,mass\n1,2\n", "star.7.csv has the columns flux.* mass, but the first curve flux.* error"),
        ("star.7.csv", "flux,error\n1,big\n2,small\n", "column 'error' of star.7.csv holds text; the steps of curves"),
    ],
)
def test_wrong_folders(folder, file, text, message):
    (folder / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        load(folder, "kind")


def test_folders_without_curves_or_labels(folder, tmp_path):
    (folder / "labels.csv").unlink()
    with pytest.raises(ValueError, match=r"curves' is a folder without labels.csv; one of curves has a file for each"):
        load(folder, "kind")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty' is a folder without tables in text"):
        load(tmp_path / "empty", "kind")


def test_series_and_other_inputs_do_not_go_together(folder):
    with pytest.raises(ValueError, match=re.escape("series of different lengths (curve) and other inputs")):
        load(folder, "kind", features=["curve", "survey"])


# -- studies -------------------------------------------------------------------------------------------------------


def test_a_study_of_series_is_stored_and_goes_on(tmp_path):
    models = ["dummy", "logistic", ("network", sknn.CNNClassifier(4, global_pooling="max", max_iter=3, random_state=0))]
    study = Study(models, cv=3, random_state=0, store=tmp_path / "study.sqlite").run(SERIES, LABELS)
    assert study.results["error"].isna().all()
    accuracies = study.results.groupby("model")["accuracy"].mean()
    assert accuracies["logistic"] > 0.8
    again = Study(models, cv=3, random_state=0, store=tmp_path / "study.sqlite").run(ragged(SERIES), LABELS)
    pd.testing.assert_frame_equal(again.results, study.results)


def test_the_best_model_predicts_for_a_folder_without_labels(folder):
    study = Study(["dummy", "random_forest"], cv=2, random_state=0).run(load(folder, "kind"))
    (folder / "labels.csv").unlink()
    table = predictions(study.best(), load_inputs(folder))
    order = sorted(range(40), key=lambda k: f"star.{k}.csv")
    assert np.mean(table["predicted"].to_numpy() == LABELS[order]) > 0.95


def test_a_folder_from_the_command_line(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    report = SimpleNamespace(write_all=lambda study, folder, figures=True: out / "report.html")
    monkeypatch.setitem(sys.modules, "sknn.study.files", report)
    models = ["--cv", "2", "--n-jobs", "1", "--models", "dummy", "logistic", "random_forest"]
    assert main(["study", str(folder), "--target", "kind", "--out", str(out), *models]) == 0
    assert "curves: 40 samples, 2 channels, 2 classes" in capsys.readouterr().out


def test_the_report_says_how_long_series_are():
    assert size_of(data_of()) == "40 rows, series of 6 to 11 steps with 2 channels, 2 classes"
