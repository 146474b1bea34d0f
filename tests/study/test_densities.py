"""Densities in a study: as data sets, what is measured, the baselines, and a study from fit to report."""

import pickle
import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import multivariate_normal, norm
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import Autoencoder, NormalizingFlow
from sknn.study import Study
from sknn.study.choice import as_models
from sknn.study.cli import build_parser
from sknn.study.compare import compare_pairs
from sknn.study.data import DataSet
from sknn.study.densities import Standardised, is_density
from sknn.study.folds import folds_of
from sknn.study.load import load
from sknn.study.measures import MEASURES, as_measures
from sknn.study.models import ALL, BUILT_IN, OF_DENSITIES
from sknn.study.page.method import data_facts, size_of
from sknn.study.predict import predictions, read_model, what_is_missing
from sknn.study.size import model_size
from sknn.study.terminal import heading

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 2)) @ [[30.0, 0.2], [0.0, 0.1]] + [1000.0, 0.0]
FRAME = pd.DataFrame(X, columns=["flux", "colour"])


def data_of(X=X, **stated):
    return DataSet.from_arrays("stars", X, task="density", **stated)


# -- data sets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [X, X.tolist(), X.astype(np.float32), FRAME, FRAME.astype({"flux": "Float64"}), X.reshape(150, 1, 2)],
    ids=["array", "lists", "float32", "table", "pandas' own floats", "images"],
)
def test_every_form_is_rows_of_numbers(given):
    data = data_of(given)
    assert (data.task, data.sample_shape, data.n_features, data.has_labels) == ("density", None, 2, False)
    assert_allclose(np.asarray(data.X), X, rtol=1e-6)
    assert data.y.shape == (150,)
    assert np.isnan(data.y).all()
    assert pickle.loads(pickle.dumps(data)).fingerprint == data.fingerprint


def test_whole_numbers_and_truth_values_become_floats():
    table = pd.DataFrame({"n": np.arange(150), "is_so": X[:, 0] > 1000})
    with pytest.warns(UserWarning, match="values repeat in 'is_so'"):
        assert [dtype.kind for dtype in data_of(table).X.dtypes] == ["f", "f"]


@pytest.mark.parametrize(
    ("column", "note"),
    [
        (np.full(150, 3.0), "column 'more' of 'stars' has one value in all rows, and was left out"),
        (np.arange(150) % 5, "values repeat in 'more' (5 values, 0 in 30 rows) of 'stars': a density has no bound"),
        (np.where(np.arange(150) < 5, 7.5, X[:, 0]), "values repeat in 'more' (146 values, 7.5 in 5 rows) of 'stars'"),
        (1e3 * X[:, 0] - 7.0 * X[:, 1], "some columns of 'stars' follow from others (a sum, a copy, another unit)"),
    ],
    ids=["constant", "few values", "one value often", "dependent"],
)
def test_columns_without_a_bounded_density_are_named(column, note):
    with pytest.warns(UserWarning, match=re.escape(note)):
        data = data_of(FRAME.assign(more=column))
    assert any(each.startswith(note) for each in data.notes)
    assert list(data.X)[:2] == ["flux", "colour"]


def test_a_continuous_table_is_taken_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data_of(FRAME.round(3)).notes == ()


@pytest.mark.parametrize(
    ("given", "stated", "message"),
    [
        (FRAME.assign(kind="a", name="b"), {}, "X of 'stars' holds other things than numbers in 'kind', 'name', which"),
        (FRAME.assign(day=pd.Timestamp(0)), {}, "other things than numbers in 'day'"),
        (FRAME.mask(FRAME > 1050), {}, "X of 'stars' has gaps in 'flux'; a density is of whole rows"),
        (csr_array(X), {}, "X of 'stars' is sparse, of which no model here learns a density"),
        ([np.zeros((3, 1)), np.zeros((4, 1))], {}, "X of 'stars' is of samples of different sizes"),
        (np.ones((5, 2)), {}, "X of 'stars' has no column with more than one value"),
        (np.where(X > 1050, np.inf, X), {}, "infinite values"),
        (X, {"y": X[:, 0]}, "y was given for 'stars', of which the density of X is to be learnt, and that has none"),
        (X, {"classes": [0, 1]}, "classes=[0, 1] was given for 'stars', of which"),
        (X, {"sample_shape": (2, 1)}, "sample_shape=(2, 1) was given for 'stars', of which"),
        (X, {"drop_missing_target": True}, "drop_missing_target=True was given for 'stars', of which"),
        (X, {"groups": [1, 2]}, "groups of 'stars' has 2 values, but X has 150 samples"),
    ],
)
def test_what_has_no_density_is_refused(given, stated, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        data_of(given, **stated)


def test_what_is_mapped_is_refused(tmp_path):
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(ValueError, match=r"give np.array\(X\)"):
        data_of(np.load(tmp_path / "X.npy", mmap_mode="r"))


def test_without_a_target_a_density_has_to_be_stated():
    for run in (lambda: Study(["gaussian_mixture"]).run(X), lambda: DataSet.from_arrays("stars", X)):
        with pytest.raises(ValueError, match="task='density'"):
            run()


def test_folds_keep_groups_together():
    groups = np.arange(150) // 10
    for fold in folds_of(data_of(groups=groups), 3, 1, seed=0):
        assert not np.intersect1d(groups[fold.train], groups[fold.test]).size


# -- files ---------------------------------------------------------------------------------------------------------


def test_a_file_needs_no_target(tmp_path):
    FRAME.assign(name=[f"star {k}" for k in range(150)]).to_csv(tmp_path / "stars.csv", index=False)
    data = load(tmp_path / "stars.csv", task="density", drop=["name"])
    assert (data.task, list(data.X), data.n_samples) == ("density", ["flux", "colour"], 150)
    with pytest.raises(ValueError, match=r"target='flux' was given, but a density has none; --drop flux"):
        load(tmp_path / "stars.csv", "flux", task="density")


def test_arrays_and_built_in_data_are_taken_without_theirs(tmp_path):
    np.savez(tmp_path / "stars.npz", X=X, y=X[:, 0] > 1000)
    np.savez(tmp_path / "alone.npz", X=X)
    assert {load(tmp_path / f"{name}.npz", task="density").n_features for name in ("stars", "alone")} == {2}
    with pytest.warns(UserWarning, match="was left out|and 58 other columns of 'digits'"):
        digits = load("digits", task="density")
    assert (digits.n_features, digits.sample_shape) == (61, None)


def test_the_command_line_has_the_task():
    assert build_parser().parse_args(["study", "stars.csv", "--task", "density"]).task == "density"


# -- models --------------------------------------------------------------------------------------------------------


def test_standardised_densities_are_those_of_the_data_as_given():
    mixture = Standardised(GaussianMixture(reg_covar=0.0)).fit(X)
    exact = multivariate_normal(X.mean(axis=0), np.cov(X, rowvar=False, bias=True)).logpdf(X)
    assert_allclose(mixture.score_samples(X), exact, rtol=1e-9)
    assert mixture.score(X) == pytest.approx(exact.mean())
    kernels = Standardised(KernelDensity(bandwidth=0.5)).fit([[100.0], [300.0]])  # of deviation 100
    expected = np.log(norm(100.0, 50.0).pdf([130.0, 900.0]) / 2 + norm(300.0, 50.0).pdf([130.0, 900.0]) / 2)
    assert_allclose(kernels.score_samples([[130.0], [900.0]]), expected, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_other_units_shift_all_densities_alike(scale):
    for density in (GaussianMixture(2, random_state=0), KernelDensity(bandwidth=0.3)):
        as_given, scaled = (Standardised(clone(density)).fit(x).score_samples(x) for x in (X, X * scale))
        assert_allclose(scaled, as_given - 2 * np.log(scale), rtol=1e-6)


def test_baselines_choose_components_and_bandwidth_in_inner_folds():
    two = np.concatenate([X, X + np.array([200.0, 1.0])])
    data = data_of(two)
    mixture, kernels = (OF_DENSITIES[name].build(data, 0) for name in ("gaussian_mixture", "kernel_density"))
    mixture.fit(two)
    assert mixture.density_.best_params_["n_components"] in (2, 4)
    assert 0.02 < kernels.fit(two).density_.best_params_["bandwidth"] < 1.0
    assert mixture.estimator.random_state == 0


def test_few_rows_have_few_components():
    assert OF_DENSITIES["gaussian_mixture"].build(data_of(X[:45]), 0).grid == {"n_components": [1, 2]}


def test_sizes():
    assert model_size(OF_DENSITIES["kernel_density"].build(data_of(), 0).fit(X)) == (300, "parameters")
    assert model_size(Standardised(GaussianMixture(2)).fit(X)) == (2 + 4 + 8, "parameters")


@pytest.mark.parametrize(
    ("estimator", "is_so"),
    [
        (KernelDensity(), True),
        (NormalizingFlow(), True),
        (Autoencoder(), False),
        (GaussianMixture(), True),
        (PCA(), True),
        (Standardised(KernelDensity()), True),
        (GridSearchCV(KernelDensity(), {}), True),
        (make_pipeline(StandardScaler(), KernelDensity()), True),
        (make_pipeline(StandardScaler(), IsolationForest()), False),
        (IsolationForest(), False),
        (StandardScaler(), False),
    ],
)
def test_densities_are_known(estimator, is_so):
    assert is_density(estimator) == is_so


def test_own_densities_take_part_and_pipelines_with_a_scaler_do_not():
    [own] = as_models({"own": KernelDensity()})
    assert (own.family, list(own.makers), own.space(data_of())) == ("baseline", ["density"], {})
    with pytest.raises(ValueError, match="'scaled' is a pipeline: its log-densities are those of what the first steps"):
        as_models({"scaled": make_pipeline(StandardScaler(), KernelDensity())})


def test_models_are_for_densities_or_for_other_tasks():
    for model in ALL.values():
        assert ("density" in model.makers) == (model.name in OF_DENSITIES)
    assert OF_DENSITIES["kernel_density"].limits == ["for densities", "up to 10,000 rows"]
    assert "models for density: gaussian_mixture, kernel_density" in BUILT_IN["ridge"].can_fit(data_of())


# -- measures ------------------------------------------------------------------------------------------------------


class Told:
    """A density that gives each row what is asked of it."""

    def score_samples(self, X):
        return np.asarray(X)


def test_measures_are_numbers_of_the_log_densities():
    told = np.array([-1.0, 2.0, -6.0])
    found = {name: MEASURES[name].scorer(Told(), told, None) for name in MEASURES if "log_density" in name}
    assert found == pytest.approx({"log_density": -5 / 3, "median_log_density": -1.0, "lowest_log_density": -6.0})
    assert all(MEASURES[name].greater_is_better and MEASURES[name].task == "density" for name in found)
    assert [measure.name for measure in as_measures(["lowest_log_density"])] == ["lowest_log_density"]


# -- studies -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study():
    models = ["gaussian_mixture", "kernel_density", ("flow", NormalizingFlow(max_iter=20, random_state=0))]
    models += [("gauss", GaussianMixture(1)), ("box", KernelDensity(kernel="tophat", bandwidth=15.0))]
    return Study(models, cv=3, learning_curve=True).run(FRAME, task="density")


def test_all_models_are_told_in_the_same_units(study):
    """A Gaussian by hand, as given, is what the mixture of one component is, standardised."""
    results = study.results[study.results["model"] == "gauss"].set_index("fold")
    for fold in folds_of(study.data_sets[0], 3, 1, 0):
        train, test = X[fold.train], X[fold.test]
        exact = multivariate_normal(train.mean(axis=0), np.cov(train, rowvar=False, bias=True)).logpdf(test)
        assert results.loc[fold.number, "log_density"] == pytest.approx(exact.mean(), abs=1e-3)
    means = study.summary().set_index("model")["log_density_mean"]
    assert abs(means["gaussian_mixture"] - means["gauss"]) < 0.2


def test_a_density_of_0_leaves_a_model_out_and_is_said(study):
    rows = study.results[study.results["model"] == "box"]
    assert np.isneginf(rows["log_density"]).any()
    told = rows["warnings"].dropna().str.cat()
    assert re.search(r"Impossible rows: \d+ of 50 have a density of 0", told)
    assert study.summary()["model"].iloc[-1] == "box"
    assert "box" not in set(compare_pairs(study.results, MEASURES["log_density"])["model_a"])
    assert re.search(r"box gave an infinite log-density \(nats\) in \d of 3 folds", study.verdicts()["data"])


def test_predictions_are_log_densities(study):
    rows = study.predictions[study.predictions["model"] == "gauss"]
    assert rows["target"].isna().all()
    assert sorted(rows["sample"]) == list(range(150))
    of_folds = rows.groupby("fold")["predicted"].mean()
    assert_allclose(of_folds, study.results.query("model == 'gauss'")["log_density"])


def test_the_report_says_what_it_is(study, tmp_path):
    page = study.report(tmp_path / "report.html").read_text()
    assert "of the data as given" in page
    assert "Row by row" in page
    assert size_of(study.data_sets[0]) == "150 rows, 2 columns"
    assert "<dt>Target" not in data_facts(study.data_sets[0])
    assert heading(study.data_sets[0], study.results) == (
        "data: 150 samples, 2 features, density; the same 3 folds for every model"
    )


def test_the_best_model_finds_columns_by_name_and_is_kept(study, tmp_path):
    best = study.best()
    swapped = FRAME[["colour", "flux"]].assign(more="ignored")
    assert_array_equal(best.score_samples(swapped), best.score_samples(FRAME))
    joblib.dump(best, tmp_path / "best.joblib")
    table = predictions(read_model(tmp_path / "best.joblib"), swapped)
    assert_array_equal(table["log_density"], best.score_samples(FRAME))
    assert what_is_missing(best, table) == ""
    with pytest.raises(ValueError, match="NaN"):
        best.score_samples(FRAME.mask(FRAME > 1050))


def test_a_search_takes_the_place_of_the_grids_of_baselines():
    tuned = Study(["gaussian_mixture", "kernel_density"], cv=KFold(2), tune=2).run(X[:60], task="density")
    assert tuned.results["error"].isna().all()
    assert tuned.results["params"].str.contains('"grid": null').all()


def test_several_data_sets_and_groups():
    both = {"stars": data_of(groups=np.arange(150) // 5), "others": data_of(X[::-1] ** 2)}
    ran = Study(["gaussian_mixture", ("gauss", Standardised(GaussianMixture()))], cv=GroupKFold(3)).run(both["stars"])
    assert ran.results["error"].isna().all()
    ranks = Study(["gaussian_mixture", ("gauss", Standardised(GaussianMixture()))], cv=2).run(both).ranks()
    assert ranks.n_data_sets == 2
