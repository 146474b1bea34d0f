"""The figures of a study: what they show, of studies as they should be and of awkward ones."""

import re
import sys
from itertools import combinations

import numpy as np
import pytest
from matplotlib import _pylab_helpers
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import BayesianRidge, LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from sknn import MLPRegressor, NormalizingFlow, PerceptronClassifier, PerceptronRegressor
from sknn.study import Study
from sknn.study.choice import as_models
from sknn.study.data import DataSet
from sknn.study.figures import FIGURES, OVER_ALL, NothingToDrawError, draw_all
from sknn.study.figures.calibration import reliability
from sknn.study.figures.labels import label_points, settle, spread
from sknn.study.figures.scene import far_off
from sknn.study.figures.style import COOL, DARK, INK, MUTED, PAPER, WARM, in_lines, looks_of
from sknn.study.page.svg import svg_text
from sknn.study.quantiles import OneByOne

IRIS, WINE = load_iris(return_X_y=True), load_wine(return_X_y=True)
DIABETES = tuple(part[:120] for part in load_diabetes(return_X_y=True))
LONG = "a name that goes on and on and does not come to an end before the page does"


class Fails(DummyClassifier):
    def fit(self, X, y):
        raise RuntimeError("cannot learn")


class FailsOnWine(GaussianNB):
    def fit(self, X, y):
        if X.shape[1] == 13:
            raise RuntimeError("no wine")
        return super().fit(X, y)


def perceptron():
    return make_pipeline(StandardScaler(), PerceptronClassifier(random_state=None))


def not_a_number(estimator, X, y):
    return np.nan


def sometimes_not_a_number(estimator, X, y):
    return np.nan if 0 in X[:, 0] or X[0, 0] > 5 else float(X[0, 0])


def classification():
    models = {"net": perceptron(), "nearest": KNeighborsClassifier(), "margin": LinearSVC(), "dummy": DummyClassifier()}
    return Study(models, cv=3, learning_curve=True).run({"iris": IRIS})


def regression():
    net = make_pipeline(StandardScaler(), PerceptronRegressor(random_state=None))
    return Study({"net": net, "ridge": Ridge(), "nearest": KNeighborsRegressor()}, cv=3).run({"diabetes": DIABETES})


def several():
    models = {"net": perceptron(), "bayes": GaussianNB(), "tree": DecisionTreeClassifier(), "picky": FailsOnWine()}
    return Study(models, cv=3).run({"iris": IRIS, "wine": WINE, "flowers": IRIS})


def segmentation():
    maps = np.indices((6, 9, 12)).sum(axis=0) // 4 % 3
    images = maps[..., None] + np.random.default_rng(0).normal(0, 0.1, (*maps.shape, 1))
    return Study(["dummy", "otsu"], cv=2).run({"stripes": (images, np.where(maps == 2, -1, maps))})


def density():
    table = IRIS[0] + np.random.default_rng(0).uniform(-0.05, 0.05, IRIS[0].shape)  # it was rounded
    data = DataSet.from_arrays("iris", table, task="density")
    return Study({"flow": NormalizingFlow(max_iter=3), "mixture": GaussianMixture()}, cv=3).run(data)


def intervals():
    ends = OneByOne(DummyRegressor(strategy="quantile"), [0.1, 0.9])
    models = {
        "net": MLPRegressor((), loss="normal", max_iter=5),
        "bayes": BayesianRidge(),
        "ends": ends,
        "ridge": Ridge(),
    }
    return Study(models, cv=3, intervals=0.8).run({"diabetes": DIABETES})


STUDIES = {
    "classification": classification,
    "regression": regression,
    "several": several,
    "segmentation": segmentation,
    "density": density,
    "intervals": intervals,
}
APPLY = {
    "classification": {"scores", "cost", "differences", "calibration", "learning_curve"},
    "regression": {"scores", "cost", "differences", "residuals"},
    "several": {"scores", "cost", "differences", "calibration", "ranks"},
    "segmentation": {"scores", "cost", "differences", "example"},
    "density": {"scores", "cost", "differences", "log_densities"},
    "intervals": {"scores", "cost", "differences", "residuals", "coverage"},
}
FIRST = {"classification": "iris", "regression": "diabetes", "several": "wine", "segmentation": "stripes"}
FIRST |= {"density": "iris", "intervals": "diabetes"}


@pytest.fixture(scope="module")
def studies():
    return {name: make() for name, make in STUDIES.items()}


@pytest.fixture
def study(studies):
    return studies["classification"]


def texts(axes):
    return [text.get_text() for text in axes.texts if text.get_text()]


def row_names(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


# ------------------------------------------------------------------------------------------------------- every kind


def test_every_kind_is_drawn_for_some_study():
    assert set.union(*APPLY.values()) == set(FIGURES)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in STUDIES for kind in FIGURES])
def test_a_kind_is_drawn_or_says_what_is_missing(studies, name, kind):
    if kind in APPLY[name]:
        axes = studies[name].plot(kind, None if kind in OVER_ALL else FIRST[name])
        assert isinstance(axes.figure, Figure)
        assert len(axes.lines) + len(axes.patches) + len(axes.images) > 0
    else:
        missing = {
            "ranks": "at least 2 data sets",
            "learning_curve": "learning_curve=True",
            "residuals": "regression",
            "calibration": "classification",
            "example": "label maps",
            "log_densities": "for density",
            "coverage": "a study of intervals",
        }
        with pytest.raises(ValueError, match=missing[kind]):
            studies[name].plot(kind, FIRST[name])


@pytest.mark.parametrize("name", STUDIES)
def test_figures_have_only_colours_that_have_a_partner_for_dark_backgrounds(studies, name):
    for axes in draw_all(studies[name]).values():
        assert set(re.findall(r"#[0-9a-f]{6}\b", svg_text(axes))) <= set(DARK)


@pytest.mark.parametrize("kind", sorted(APPLY["classification"]))
def test_a_figure_is_drawn_where_it_is_told(study, kind):
    axes = Figure().add_subplot()
    assert study.plot(kind, ax=axes) is axes
    assert len(axes.lines) > 0
    inner = Figure().subfigures(1, 2)[0].add_subplot()
    assert study.plot(kind, "iris", inner) is inner


def test_no_figure_is_left_to_pyplot(study):
    before = len(_pylab_helpers.Gcf.figs)
    study.plot("scores")
    assert len(_pylab_helpers.Gcf.figs) == before


def test_figures_are_the_same_at_every_run(study):
    for kind in APPLY["classification"]:
        assert svg_text(study.plot(kind)) == svg_text(study.plot(kind))


ERRORS = {
    "unknown kind": ("classification", ("scorse",), "did you mean 'scores'"),
    "unknown data set": ("several", ("scores", "whine"), "did you mean 'wine'"),
    "which data set": ("several", ("scores",), "give one of: iris, wine, flowers"),
}


@pytest.mark.parametrize(("name", "arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_tell_what_would_be_right(studies, name, arguments, message):
    with pytest.raises(ValueError, match=message):
        studies[name].plot(*arguments)


def test_there_is_nothing_to_draw_before_run():
    with pytest.raises(RuntimeError, match="call run"):
        Study(["dummy"]).plot("scores")


def test_without_matplotlib_the_error_names_the_extra(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'sknn\[study\]'"):
        study.plot("scores")


def test_an_example_shows_image_labels_and_predictions(studies):
    axes = studies["segmentation"].plot("example")
    assert texts(axes) == ["Image", "Labels", "Otsu's threshold"]
    grey, labels, predicted = (image.get_array() for image in axes.images)
    assert grey.shape == labels.shape == predicted.shape == (9, 12, 3)
    unknown = (np.round(labels, 2) == 1).all(axis=-1)
    assert unknown.mean() == pytest.approx(1 / 3, abs=0.1)
    assert (labels == predicted)[~unknown].mean() > 0.4


def test_an_example_of_volumes_is_a_slice_and_of_signals_there_is_none():
    maps = np.indices((4, 3, 5, 6)).sum(axis=0) // 4 % 2
    volumes = Study(["otsu"], cv=2).run(1.0 * maps[..., None], maps)
    assert volumes.plot("example").images[0].get_array().shape == (5, 6, 3)
    signals = Study(["otsu"], cv=2).run(1.0 * maps[:, 0, 0, :, None], maps[:, 0, 0])
    with pytest.raises(ValueError, match="an example is for images, but 'data' holds signals"):
        signals.plot("example")


def test_coverage_is_a_curve_of_models_of_all_levels_and_a_point_of_others(studies):
    study = studies["intervals"]
    axes = study.plot("coverage")
    drawn = {line.get_label(): line.get_data() for line in axes.lines}
    rows = study.predictions
    needed = rows.loc[rows["model"] == "bayes", "confidence"].astype(float)
    levels, inside = drawn["bayes"]
    np.testing.assert_allclose(inside, [(needed <= level).mean() for level in levels])
    coverage = study.results.groupby("model")["coverage"].mean()
    assert inside[list(levels).index(0.8)] == pytest.approx(coverage["bayes"])
    assert [float(each[0]) for each in drawn["ends"]] == pytest.approx([0.8, coverage["ends"]])
    assert axes.get_title(loc="left") == "No intervals: ridge"


# -------------------------------------------------------------------------------------------------- awkward studies

DUMMY = DummyClassifier
AWKWARD = {
    "one fold": lambda: Study({"net": perceptron(), "tree": DUMMY()}, cv=[(range(0, 150, 2), range(1, 150, 2))]),
    "equal scores": lambda: Study({"one": DUMMY(), "other": DUMMY()}, cv=3, learning_curve=True),
    "one model": lambda: Study({"alone": DUMMY()}, cv=3),
    "one failed": lambda: Study({"net": perceptron(), "broken": Fails(), "tree": DUMMY()}, cv=3, learning_curve=True),
    "all failed": lambda: Study({"broken": Fails(), "too": Fails()}, cv=3, learning_curve=True),
    "no scores": lambda: Study({"one": DUMMY(), "other": DUMMY()}, cv=3, scoring=not_a_number),
    "some scores": lambda: Study(
        {"one": DUMMY(), "other": DUMMY()}, cv=3, scoring=sometimes_not_a_number, learning_curve=True
    ),
    "names": lambda: Study({"$x_1$": DUMMY(), "_hidden": DUMMY(), LONG: DUMMY(), "模型": DUMMY()}, cv=3),
    "many models": lambda: Study(
        {f"{LONG} {number}": LogisticRegression(C=10.0 ** (number - 6)) for number in range(12)},
        cv=3,
        learning_curve=True,
    ),
}
NOT_THERE = {"all failed": set(), "no scores": {"calibration"}, "one model": {"scores", "cost", "calibration"}}


@pytest.mark.parametrize("case", AWKWARD)
@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_awkward_studies_are_drawn_without_a_warning(case):
    drawn = draw_all(AWKWARD[case]().run({"iris": IRIS}))
    kinds = {kind for _, kind in drawn}
    assert kinds >= NOT_THERE.get(case, {"scores", "cost", "calibration"})
    if case in NOT_THERE:
        assert kinds == NOT_THERE[case]
    for axes in drawn.values():
        assert "<svg" in svg_text(axes)


def test_names_are_never_read_as_formulas_nor_hidden():
    study = AWKWARD["names"]().run({"iris": IRIS})
    shown = svg_text(study.plot("scores")) + svg_text(study.plot("calibration"))
    for name in ("$x_1$", "_hidden", "模型"):
        assert shown.count(f">{name}<") + shown.count(f"> {name}<") == 2
    assert LONG not in shown


# ------------------------------------------------------------------------------------------------- how models look


def test_networks_are_told_from_baselines_by_colour_and_marker():
    for look in looks_of(as_models(None)).values():
        points = look.points()
        assert points["markerfacecolor"] == (look.color if look.is_network else PAPER)
        assert (look.color in WARM) == look.is_network


def test_a_dozen_models_all_look_different():
    looks = looks_of(as_models({f"model {number}": DUMMY() for number in range(12)})).values()
    assert len({(look.color, look.marker) for look in looks}) == 12


@pytest.mark.parametrize("kind", ["scores", "cost", "learning_curve"])
def test_a_model_has_one_colour_in_all_figures(study, kind):
    looks = looks_of(study.models)
    shown = {to_hex(line.get_color()) for line in study.plot(kind).lines}
    assert looks["net"].color in shown
    assert shown <= {look.color for look in looks.values()} | {INK}


def _luminance(color):
    channels = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    """The contrast ratio of the Web Content Accessibility Guidelines 2.1."""
    light, dark = sorted([_luminance(one), _luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("color", [INK, MUTED, *WARM, *COOL])
def test_texts_can_be_read_on_light_and_on_dark(color):
    assert contrast(color, PAPER) >= 4.5
    assert contrast(DARK[color], DARK[PAPER]) >= 4.5


TITLES = {
    "MLP": "MLP",
    "k nearest neighbours of all": "k nearest neighbours of\nall",
    "HistGradientBoostingClassifier": "HistGradientB…Classifier",
    "one two three four five six seven eight nine ten eleven": "one two three four five\nsix seven eig…ten eleven",
}


@pytest.mark.parametrize(("title", "lines"), TITLES.items())
def test_long_titles_are_broken_or_cut(title, lines):
    assert in_lines(title) == lines


# -------------------------------------------------------------------------------------------------- what is far off

FAR = {
    "a dummy": ({"a": 0.97, "b": 0.96, "c": 0.94, "d": 0.1}, {"d"}),
    "two of six": ({"a": 0.97, "b": 0.96, "c": 0.95, "d": 0.94, "e": 0.3, "f": 0.1}, {"e", "f"}),
    "even steps": ({"a": 0.9, "b": 0.7, "c": 0.5, "d": 0.3}, set()),
    "two models": ({"a": 0.9, "b": 0.1}, set()),
    "equal": ({"a": 0.5, "b": 0.5, "c": 0.5}, set()),
    "losses": ({"a": -0.1, "b": -0.12, "c": -9.0}, {"c"}),
    "one": ({"a": 0.5}, set()),
    "none": ({}, set()),
}


@pytest.mark.parametrize(("goodness", "far"), FAR.values(), ids=FAR)
def test_models_that_would_squeeze_the_others_are_far_off(goodness, far):
    assert far_off(goodness) == far


def test_a_model_out_of_view_is_told_with_its_score(study):
    score = study.results.loc[study.results["model"] == "dummy", "accuracy"].mean()
    assert texts(study.plot("scores")) == [f"← {score:.2f}, out of view"]
    assert study.plot("cost").get_title(loc="left") == f"Out of view: dummy ({score:.2f})"


# --------------------------------------------------------------------------------------------------- each of the kinds


def test_scores_has_a_row_for_each_model_and_a_point_for_each_fold(study):
    axes = study.plot("scores")
    assert row_names(axes) == list(study.summary()["model"])
    points = [line for line in axes.lines if line.get_linestyle() == "None"]
    best = study.summary()["model"][0]
    expected = study.results.loc[study.results["model"] == best, "accuracy"]
    assert points[0].get_xdata() == pytest.approx(expected)
    assert len(points) == 3  # one is out of view


def test_scores_says_who_failed():
    study = AWKWARD["one failed"]().run({"iris": IRIS})
    assert texts(study.plot("scores")) == ["(failed)"]


def test_cost_is_the_median_time_and_the_mean_score(study):
    axes = study.plot("cost")
    places = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if len(line.get_xdata()) == 1}
    for model in ("net", "nearest", "margin"):
        rows = study.results[study.results["model"] == model]
        assert (rows["fit_time"].median(), rows["accuracy"].mean()) in places


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("apart", [0.5, 0.05])
def test_names_of_points_do_not_overlap(apart, seed):
    axes = Figure((5.2, 3.9), layout="constrained").add_subplot()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    places = 0.5 + apart * np.random.RandomState(seed).uniform(-1, 1, (12, 2))
    label_points(axes, places, [f"regularised\nby {n}" for n in range(12)], [INK] * 12, [])
    settle(axes)
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the lines that lead there
    assert len(boxes) == 12
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_differences_are_those_of_compare(study):
    axes = study.plot("differences")
    best = study.summary()["model"][0]
    pairs = study.compare().query("model_a == @best").sort_values("difference")
    assert row_names(axes) == list(pairs["model_b"])
    assert best in axes.get_xlabel()
    shown = pairs[pairs["model_b"] != "dummy"]
    intervals = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    assert np.array(intervals[:2]) == pytest.approx(shown[["low", "high"]].to_numpy())
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.02] * 3)


RELIABILITY = {
    "all alike": (np.full(50, 0.5), np.arange(50) < 20, [0.5], [0.4]),
    "few": ([0.6, 0.8], [True, False], [0.7], [0.5]),
    "two bins": (
        np.r_[np.full(20, 0.6), np.full(20, 0.9)],
        np.r_[np.arange(20) < 10, np.arange(20) < 19],
        [0.6, 0.9],
        [0.5, 0.95],
    ),
}


@pytest.mark.parametrize(("confidence", "correct", "means", "accuracy"), RELIABILITY.values(), ids=RELIABILITY)
def test_reliability_by_hand(confidence, correct, means, accuracy):
    found = reliability(np.asarray(confidence), np.asarray(correct))
    assert found[0] == pytest.approx(means)
    assert found[1] == pytest.approx(accuracy)


def test_reliability_of_every_prediction_counts_once():
    random = np.random.RandomState(0)
    confidence = random.uniform(0.5, 1, 400)
    means, accuracy = reliability(confidence, random.uniform(size=400) < confidence)
    assert len(means) == 10
    assert means.mean() == pytest.approx(confidence.mean())
    assert np.abs(means - accuracy).max() < 0.3


def test_calibration_names_models_without_probabilities(study):
    axes = study.plot("calibration")
    assert "No probabilities: margin" in axes.get_title(loc="left")
    assert "margin" not in [text.get_text() for text in axes.get_legend().get_texts()]


def test_residuals_are_of_the_best_network_and_the_best_baseline(studies):
    study = studies["regression"]
    axes = study.plot("residuals")
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    baseline = study.summary().query("family == 'baseline'")["model"].iloc[0]
    assert set(names) == {"net", baseline}
    rows = study.predictions[study.predictions["model"] == "net"]
    (line,) = [line for line in axes.lines if line.get_label() == "net"]
    assert line.get_ydata() == pytest.approx((rows["target"] - rows["predicted"]).to_numpy(dtype=float))


def test_learning_curves_end_in_the_mean_of_the_results(study):
    axes = study.plot("learning_curve")
    ends = {line.get_ydata()[-1] for line in axes.lines}
    means = study.results.groupby("model")["accuracy"].mean()
    assert sorted(ends) == pytest.approx(sorted(means))
    sizes = study.learning_curves.groupby("model")["n_train"].nunique()
    assert {len(line.get_xdata()) for line in axes.lines} == set(sizes)
    assert {text.split(" (")[0] for text in texts(axes)} == {"net", "nearest", "margin", "dummy"}


def test_ranks_puts_models_at_their_average_ranks(studies):
    study = studies["several"]
    ranks, axes = study.ranks(), study.plot("ranks")
    dots = sorted(line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1)
    assert dots == pytest.approx(sorted(ranks.average))
    names = " ".join(texts(axes))
    assert all(f"{rank:.2f}" in names and model in names for model, rank in ranks.average.items())
    assert "picky" not in names
    assert f"critical difference {ranks.critical_difference:.2f}" in names


SPREAD = {
    "far apart": ([0.0, 5.0, 9.0], 1.0, [0.0, 5.0, 9.0]),
    "on one another": ([2.0, 2.0, 2.0], 1.0, [1.0, 2.0, 3.0]),
    "in any order": ([5.0, 1.0, 1.0], 1.0, [5.0, 0.5, 1.5]),
    "one pushes the next": ([0.0, 0.5, 1.2], 1.0, [-0.4333333, 0.5666667, 1.5666667]),
    "none": ([], 1.0, []),
}


@pytest.mark.parametrize(("positions", "gap", "moved"), SPREAD.values(), ids=SPREAD)
def test_positions_are_moved_apart_as_little_as_may_be(positions, gap, moved):
    assert spread(np.array(positions), gap) == pytest.approx(moved)


def test_what_does_not_apply_is_a_value_error():
    assert issubclass(NothingToDrawError, ValueError)


@pytest.mark.parametrize(
    ("ax", "message"),
    [
        (np.empty((2, 2), object), r"ax=an array of shape \(2, 2\) is not one Axes .* such as ax\[0, 0\]"),
        (np.empty(3, object), r"ax=an array of shape \(3,\) .* such as ax\[0\]"),
        ("first", "ax='first' is not one Axes of Matplotlib; it must be an Axes, or None"),
    ],
)
def test_there_is_one_axes_to_draw_in(ax, message):
    study = Study({"bayes": GaussianNB(), "net": perceptron()}, cv=2).run(*IRIS)
    with pytest.raises(TypeError, match=message):
        study.plot(ax=ax)
