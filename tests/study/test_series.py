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
from sknn.pipeline import predict_quantiles
from sknn.series import SeriesFeatures, ragged
from sknn.study import Study
from sknn.study.choice import as_models
from sknn.study.data import DataSet
from sknn.study.load import load, load_inputs
from sknn.study.models import BUILT_IN
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


def test_series_with_times_of_one_length_are_held_one_by_one():
    X = np.stack([np.column_stack([np.arange(5) ** 1.5, x[:5, 1]]) for x in SERIES])
    data = data_of(X, time_channel=0)
    assert (data.sample_shape, data.time_channel, data.X.shape) == ((None, 2), 0, (40,))
    assert data.fingerprint != data_of(X).fingerprint
    assert Study(["dummy"], cv=2).run(X, LABELS, time_channel=0).data_sets[0].fingerprint == data.fingerprint


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
        (SERIES, {"time_channel": 2}, "time_channel=2 of 'curves' is none of its 2 channels, counted from 0"),
        (
            SERIES,
            {"time_channel": 1},
            "time_channel=1 of 'curves' holds no times: that of sample 0 does not always rise",
        ),
        (np.zeros((40, 3)), {"time_channel": 0}, "time_channel=0 was given, but 'curves' holds no series"),
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
        "dummy", "logistic", "knn", "random_forest", "cnn", "rnn", "transformer", "resnet",
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
    predicted = quick(model.build(data, random_state=0)).fit(data.X, data.y).predict(data.X)
    if name not in ("dummy", "hist_gradient_boosting"):  # which wants 20 samples in a leaf
        assert np.mean((predicted > 0.5) == RISES if name == "ridge" else predicted == LABELS) > 0.8


def quick(estimator):
    """Networks with fewer steps: of those that read steps 20 epochs are enough, of others what they have."""
    if type(estimator).__name__.startswith(("RNN", "Transformer", "ResNet")):
        estimator.set_params(max_iter=20)
    return estimator


@pytest.mark.parametrize("name", [name for name, model in BUILT_IN.items() if model.series and name != "logistic"])
def test_every_default_model_of_series_learns_numbers(name):
    data = data_of(y=[x[-1, 0] + 0.1 * len(x) for x in SERIES])
    model = quick(BUILT_IN[name].build(data, random_state=0)).fit(data.X, data.y)
    assert name == "dummy" or model.score(data.X, data.y) > 0.5


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("times", [False, True])
def test_default_models_of_series_predict_quantiles(times):
    X = [np.column_stack([np.cumsum(RNG.random(len(x)) + 0.1), x[:, 0]]) for x in SERIES] if times else SERIES
    data = data_of(X, [x[-1, 1] + 0.1 * len(x) for x in X], time_channel=0 if times else None)
    models = [model for model in as_models(None, [0.1, 0.5, 0.9]) if not model.skips(data)]
    assert [model.name for model in models] == [
        "dummy", "linear", "hist_gradient_boosting", "cnn", "rnn", "transformer", "resnet",
    ]  # fmt: skip
    for model in models:
        estimator = quick(model.build(data, random_state=0)).fit(data.X, data.y)
        found = predict_quantiles(estimator, data.X)
        assert found.shape == (40, 3)
        assert (np.diff(found, axis=1) >= 0).all()
        if model.name in ("rnn", "transformer"):
            assert estimator.time_channel == data.time_channel


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


@pytest.mark.parametrize("lengths", [[4, 4], [4, 3]], ids=["one length", "several"])
def test_times_in_a_file_are_known_as_such(tmp_path, lengths):
    steps = [
        ",".join(f"({time},{value})" for time, value in zip([0.5, 1, 4, 9], range(n), strict=False)) for n in lengths
    ]
    head = "@problemName waves\n@timeStamps true\n@classLabel true falls rises\n@data\n"
    (tmp_path / "waves.ts").write_text(head + "".join(f"{each}:rises\n{each}:falls\n" for each in steps))
    data = load(tmp_path / "waves.ts")
    assert (data.time_channel, data.sample_shape) == (0, (None, 2))
    assert data.X[0].tolist() == [[0.5, 0], [1, 1], [4, 2], [9, 3]]
    assert BUILT_IN["rnn"].build(data, 0).time_channel == 0
    assert BUILT_IN["random_forest"].build(data, 0)[0].time_channel == 0


def test_a_channel_of_a_file_is_said_to_hold_times(ts):
    path = ts([np.column_stack([x, np.arange(len(x)) ** 2]) for x in SERIES])
    assert load(path).time_channel is None
    assert load(path, time_channel=2).time_channel == load(path, time_channel="2").time_channel == 2
    with pytest.raises(ValueError, match="time_channel=3 of 'curves' is none of its 3 channels"):
        load(path, time_channel=3)


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
    (folder / "star.3.csv").write_text("MJD,flux\n2,1\n2,2\n")
    with pytest.warns(
        UserWarning, match="'MJD' of the curves is not taken for the times of their steps: in star.3 two"
    ):
        assert load(folder, "kind").time_channel is None


def test_a_column_of_curves_is_said_to_hold_times(folder, recwarn):
    for k, x in enumerate(SERIES):
        columns = {"flux": x[:, 0], "t": np.arange(len(x)), "phase": np.arange(len(x)) ** 2}
        pd.DataFrame(columns).to_csv(folder / f"star.{k}.csv", index=False)
    assert load(folder, "kind", time_channel="phase").time_channel == 2
    assert not [each for each in recwarn if "taken for the times" in str(each.message)]
    with pytest.raises(ValueError, match="unknown channel of 'curves' 'fase', did you mean 'phase'"):
        load(folder, "kind", time_channel="fase")


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
    with pytest.raises(ValueError, match=re.escape("images of different sizes (curve) and other inputs")):
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
    assert main(["study", str(folder), "--target", "kind", "--time-channel", "error", "--out", str(out), *models]) == 2
    told = "sknn study: --time-channel 1 of 'curves' holds no times: that of sample 0 does not always rise\n"
    assert capsys.readouterr().err == told


def test_the_report_says_how_long_series_are():
    assert size_of(data_of()) == "40 rows, series of 6 to 11 steps with 2 channels, 2 classes"
