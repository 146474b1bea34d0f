"""The displays: what is drawn is what was learnt, every name has room, and the manners are scikit-learn's."""

import sys
from itertools import combinations

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as ScikitLearnsMLP
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import (
    CNNClassifier,
    CNNRegressor,
    FTTransformerClassifier,
    MLPClassifier,
    MLPRegressor,
    PerceptronClassifier,
    Seq2Seq,
    TransformerRegressor,
    UNetSegmenter,
    ViTClassifier,
)
from sknn.inspection import (
    AttentionDisplay,
    CoverageDisplay,
    ErrorUncertaintyDisplay,
    FeatureMapDisplay,
    FilterDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    PITDisplay,
    SBCDisplay,
    SegmentationDisplay,
    segmentation,
)
from sknn.nn import BatchNorm, Conv, Dense, Flatten, GlobalPool, LayerNorm, Network, Pool, Residual

matplotlib.use("Agg")

RNG = np.random.RandomState(0)
QUICK = {"tol": 0.5, "n_iter_no_change": 2, "random_state": 0}
LABELS = np.array(["ash", "birch", "cedar"])[np.arange(60) % 3]
TABLE = pd.DataFrame(RNG.normal(size=(60, 4)), columns=["height", "width", "age", "colour"])
IMAGES = RNG.normal(size=(60, 6, 5, 1))
COLOURS = RNG.normal(size=(60, 6, 5, 3))
SIGNALS = RNG.normal(size=(60, 20))
VOLUMES = RNG.normal(size=(60, 4, 4, 4, 1))

MLP = MLPClassifier((5, 30), **QUICK).fit(TABLE, LABELS)
TWO_CLASSES = MLPClassifier(5, **QUICK).fit(TABLE, LABELS == "ash")
REGRESSOR = MLPRegressor(3, **QUICK).fit(TABLE, TABLE["age"])
STOPPED = MLPClassifier(5, early_stopping=True, validation_fraction=0.2, **QUICK).fit(TABLE, LABELS)
PERCEPTRON = PerceptronClassifier(solver="sgd").fit(TABLE, LABELS)
CNN = CNNClassifier((4, 6), input_shape=(6, 5, 1), **QUICK).fit(IMAGES, LABELS)
NORMED = CNNClassifier(
    ((4, 4), (6, 6)), activation="tanh", batch_norm=True, dropout=0.5, global_pooling="max", **QUICK
).fit(IMAGES, LABELS)
COLOURED = CNNClassifier(((4, 4), 6), **QUICK).fit(COLOURS, LABELS)
SIGNAL = CNNRegressor(4, kernel_size=5, **QUICK).fit(SIGNALS, SIGNALS[:, 0])
VOLUME = CNNClassifier(4, **QUICK).fit(VOLUMES, LABELS)
SERIES = TransformerRegressor(8, stem=None, max_iter=1, random_state=0).fit(SIGNALS, SIGNALS[:, 0])
PIXELS = np.where(COLOURS[..., 0] > 0.5, 2, COLOURS[..., 1] > 0)
PIXELS[:, 0] = -1
SEGMENTER = UNetSegmenter(2, depth=1, max_iter=1, random_state=0).fit(COLOURS, PIXELS)
PATCHED = ViTClassifier(2, width=8, depth=3, n_heads=2, max_iter=1, random_state=0).fit(COLOURS, LABELS)
FEATURES = FTTransformerClassifier(8, max_iter=1, random_state=0).fit(TABLE, LABELS)
PIPELINE = make_pipeline(StandardScaler(), CNNClassifier(4, input_shape=(6, 5, 1), **QUICK))
PIPELINE.fit(IMAGES.reshape(60, 30), LABELS)
PROCESS = GaussianProcessRegressor(alpha=0.1).fit(TABLE, TABLE["age"])
SEARCH = GridSearchCV(MLPClassifier(**QUICK), {"hidden_layer_sizes": [3, 4]}, cv=2).fit(TABLE, LABELS)

DISPLAYS = {
    "loss curve": lambda **more: LossCurveDisplay.from_estimator(MLP, **more),
    "filters": lambda **more: FilterDisplay.from_estimator(CNN, **more),
    "feature maps": lambda **more: FeatureMapDisplay.from_estimator(CNN, IMAGES[0], **more),
    "network": lambda **more: NetworkDisplay.from_estimator(MLP, **more),
    "attention": lambda **more: AttentionDisplay.from_estimator(SERIES, SIGNALS[0], **more),
    "segmentation": lambda **more: SegmentationDisplay.from_estimator(SEGMENTER, COLOURS[0], PIXELS[0], **more),
    "attention over an image": lambda **more: AttentionDisplay.from_estimator(PATCHED, COLOURS[0], **more),
    "ranks": lambda **more: SBCDisplay.from_estimator(PROCESS, TABLE, TABLE["age"], random_state=0, **more),
    "coverage": lambda **more: CoverageDisplay.from_estimator(PROCESS, TABLE, TABLE["age"], random_state=0, **more),
    "integral transform": lambda **more: PITDisplay.from_estimator(
        PROCESS, TABLE, TABLE["age"], random_state=0, **more
    ),
    "error against uncertainty": lambda **more: ErrorUncertaintyDisplay.from_estimator(
        PROCESS, TABLE, TABLE["age"], **more
    ),
    "network, as blocks": lambda **more: NetworkDisplay.from_estimator(CNN, **more),
}
every_display = pytest.mark.parametrize("from_estimator", DISPLAYS.values(), ids=DISPLAYS)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def texts(ax):
    """All that is written in axes, but their ticks, and where: bounding boxes in pixels."""
    ax.figure.draw_without_rendering()
    return [(text.get_text(), text.get_window_extent()) for text in ax.texts if text.get_text()]


def words(display):
    return [text for text, _ in texts(display.ax_)]


# -- the manners of displays ---------------------------------------------------------------------------------------


@every_display
@pytest.mark.parametrize(
    ("ax", "message"),
    [
        (lambda: plt.subplots(1, 2)[1], r"ax must be a matplotlib Axes, or None .*; take one of them, as in ax\[0\]"),
        (lambda: plt.subplots(1, 2)[1].tolist(), r"ax must be a matplotlib Axes, .*; take one of them, as in ax\[0\]"),
        (lambda: "here", "ax must be a matplotlib Axes, or None for a new figure; got 'here'$"),
        (plt.figure, "ax must be a matplotlib Axes, or None for a new figure; got <Figure"),
    ],
    ids=["an array", "a list", "a word", "a figure"],
)
def test_what_are_no_axes_is_refused(from_estimator, ax, message):
    with pytest.raises(ValueError, match=message):
        from_estimator(ax=ax())


@every_display
def test_a_display_draws_into_the_axes_given(from_estimator):
    figure, ax = plt.subplots()
    display = from_estimator(ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@every_display
def test_a_display_makes_a_figure_of_its_own_and_can_be_drawn_again(from_estimator):
    display = from_estimator()
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first


@every_display
def test_the_error_without_matplotlib_says_how_to_get_it(from_estimator, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display\.from_estimator requires matplotlib.*pip install matplotlib"):
        from_estimator()


@pytest.mark.parametrize(
    "display",
    [
        LossCurveDisplay(loss_curves={"a": [1.0]}),
        FilterDisplay(kernels=np.ones((3, 1, 2))),
        FeatureMapDisplay(maps=np.ones((4, 2))),
        AttentionDisplay(weights=np.eye(3)),
        AttentionDisplay(weights=np.eye(4), image=np.ones((6, 5, 1)), patch_size=3),
        NetworkDisplay(network=MLP.network_),
        SegmentationDisplay(image=np.eye(3), prediction=np.eye(3)),
        SBCDisplay(ranks=np.arange(5), n_draws=4),
        CoverageDisplay(confidence=np.array([0.5]), shares=np.array([0.4]), n_samples=5),
        PITDisplay(values=np.array([0.5])),
    ],
    ids=lambda display: type(display).__name__,
)
def test_the_error_without_matplotlib_comes_from_plot_too(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display\.plot requires matplotlib"):
        display.plot()


@pytest.mark.parametrize(
    "draw",
    [
        LossCurveDisplay.from_estimator,
        FilterDisplay.from_estimator,
        lambda cnn: FeatureMapDisplay.from_estimator(cnn, IMAGES[0]),
        NetworkDisplay.from_estimator,
    ],
    ids=["loss curve", "filters", "feature maps", "network"],
)
def test_an_estimator_that_is_not_fitted_is_refused(draw):
    with pytest.raises(NotFittedError):
        draw(CNNClassifier())


def test_an_estimator_without_a_network_is_refused():
    with pytest.raises(TypeError, match="has no network_"):
        NetworkDisplay.from_estimator(StandardScaler().fit(TABLE))


@pytest.mark.parametrize("estimator", [MLP, TWO_CLASSES, REGRESSOR, STOPPED, PERCEPTRON, CNN, NORMED, SIGNAL, VOLUME])
@pytest.mark.parametrize("size", [None, (3, 3), (12, 2)])
def test_nothing_that_is_written_in_a_drawn_network_overlaps(estimator, size):
    ax = None if size is None else plt.subplots(figsize=size, dpi=300)[1]  # where pixels do not count
    found = texts(NetworkDisplay.from_estimator(estimator, ax=ax).ax_)
    assert len(found) > 4
    for (one, box), (other, another) in combinations(found, 2):
        assert not box.overlaps(another), (one, other)


# -- loss curves ---------------------------------------------------------------------------------------------------


def test_the_training_loss_is_drawn_against_the_epochs():
    display = LossCurveDisplay.from_estimator(MLP)
    line = display.lines_["MLPClassifier"]["training loss"]
    assert_array_equal(line.get_xdata(), np.arange(1, MLP.n_iter_ + 1))
    assert_array_equal(line.get_ydata(), MLP.loss_curve_)
    assert display.ax_.get_legend() is None


def test_a_dict_names_the_networks():
    display = LossCurveDisplay.from_estimator({"small": MLP, "searched": SEARCH, "piped": PIPELINE, "flat": PERCEPTRON})
    assert list(display.loss_curves) == ["small", "searched", "piped", "flat"]
    assert display.loss_curves["searched"] == SEARCH.best_estimator_.loss_curve_
    assert display.loss_curves["piped"] == PIPELINE[-1].loss_curve_
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == list(display.loss_curves)


def test_the_networks_of_a_list_are_named_by_their_classes():
    display = LossCurveDisplay.from_estimator([MLP, CNN, TWO_CLASSES])
    assert list(display.loss_curves) == ["MLPClassifier 1", "CNNClassifier", "MLPClassifier 2"]


def test_twenty_networks_have_twenty_colours():
    display = LossCurveDisplay(loss_curves={str(k): [1.0, 0.5 + k] for k in range(20)}).plot()
    assert len({str(lines["training loss"].get_color()) for lines in display.lines_.values()}) == 20


def test_a_network_of_scikit_learn_is_drawn_beside():
    other = ScikitLearnsMLP(5, **QUICK).fit(TABLE, LABELS)
    display = LossCurveDisplay.from_estimator({"sknn": MLP, "scikit-learn": other})
    assert_array_equal(display.lines_["scikit-learn"]["training loss"].get_ydata(), other.loss_curve_)


SCORES = {"loss_curves": {"a": [3.0, 2.0, 1.0]}, "validation_scores": {"a": [0.1, 0.9, 0.5]}}


def test_a_validation_score_is_read_on_the_right_and_its_best_epoch_marked():
    display = LossCurveDisplay(**SCORES).plot()
    line, dot = display.score_ax_.get_lines()
    assert line is display.lines_["a"]["validation score"]
    assert_array_equal(line.get_ydata(), [0.1, 0.9, 0.5])
    assert_array_equal(dot.get_xydata(), [[2, 0.9]])
    assert display.score_ax_.get_ylabel() == "validation score"
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["training loss", "validation score"]


def test_the_validation_of_a_fit_that_stopped_early_is_drawn():
    display = LossCurveDisplay.from_estimator([STOPPED, MLP])
    validation = [kind for kind in display.lines_["MLPClassifier 1"] if kind != "training loss"]
    assert validation
    assert list(display.lines_["MLPClassifier 2"]) == ["training loss"]


def test_a_validation_loss_has_the_axis_of_the_loss_and_is_not_drawn_again_as_a_score():
    losses = {"a": [3.0, 1.5, 2.0]}
    scores = {"a": [-3.0, -1.5, -2.0]}
    display = LossCurveDisplay(loss_curves={"a": [3, 2, 1]}, validation_loss_curves=losses, validation_scores=scores)
    display.plot()
    assert display.score_ax_ is None
    assert_array_equal(display.lines_["a"]["validation loss"].get_ydata(), losses["a"])
    assert_array_equal(display.ax_.get_lines()[-1].get_xydata(), [[2, 1.5]])


def test_where_a_score_decides_the_best_validation_loss_is_not_marked():
    display = LossCurveDisplay(**SCORES, validation_loss_curves={"a": [3.0, 2.0, 2.5]}).plot()
    assert len(display.ax_.get_lines()) == 2
    assert len(display.score_ax_.get_lines()) == 2


def test_epochs_without_a_score_are_gaps():
    display = LossCurveDisplay(loss_curves={"a": [3.0, 2.0]}, validation_scores={"a": [np.nan, 0.5]}).plot()
    assert_array_equal(display.score_ax_.get_lines()[-1].get_xydata(), [[2, 0.5]])


@pytest.mark.parametrize(
    ("curve", "scale"), [([2.0, 0.01], "log"), ([2.0, 1.0], "linear"), ([2.0, -1.0], "linear")], ids=str
)
def test_a_loss_that_falls_by_orders_of_magnitude_is_drawn_logarithmically(curve, scale):
    assert LossCurveDisplay(loss_curves={"a": curve}).plot().ax_.get_yscale() == scale


def test_lines_take_the_style_that_is_given():
    line = LossCurveDisplay.from_estimator(MLP, color="red", linewidth=3).lines_["MLPClassifier"]["training loss"]
    assert line.get_color() == "red"
    assert line.get_linewidth() == 3


def test_a_solver_without_a_loss_curve_is_named():
    with pytest.raises(ValueError, match=r"solver='lbfgs'.*has no loss_curve_"):
        LossCurveDisplay.from_estimator(MLPClassifier(3, solver="lbfgs", max_iter=500).fit(TABLE, LABELS))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_single_class_leaves_no_loss_curve(solver):
    model = MLPClassifier(3, solver=solver).fit(TABLE, np.full(len(TABLE), "a"))
    with pytest.raises(ValueError, match=r"y has a single class, \['a'\], so that nothing was to be learnt"):
        LossCurveDisplay.from_estimator(model)


def test_there_must_be_an_estimator():
    with pytest.raises(ValueError, match="is empty"):
        LossCurveDisplay.from_estimator([])


# -- filters -------------------------------------------------------------------------------------------------------


def tile(display, row, column, height, width):
    """The values of one picture in the mesh; one cell lies between two."""
    mesh = display.image_.get_array()
    return mesh[row * (height + 1) :, column * (width + 1) :][:height, :width]


def kernels(network, layer):
    return network.network_.parameters[str(layer)]["weight"]


def test_filters_are_those_of_the_first_convolution():
    display = FilterDisplay.from_estimator(CNN, n_columns=3)
    for k, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0)]):
        assert_array_equal(tile(display, row, column, 3, 3), kernels(CNN, 1)[:, :, 0, k])
    assert words(display) == ["0", "1", "2", "3"]
    assert np.ma.count(display.image_.get_array()) == 4 * 9


def test_colours_of_filters_are_symmetric_about_zero():
    display = FilterDisplay.from_estimator(CNN)
    limit = np.abs(kernels(CNN, 1)).max()
    assert_allclose(display.image_.get_clim(), (-limit, limit))
    assert display.colorbar_.ax.get_ylabel() == "weight"
    assert FilterDisplay.from_estimator(CNN, colorbar=False).colorbar_ is None


@pytest.mark.parametrize("layer", [3, -5])
def test_a_layer_is_chosen_by_its_row_in_the_summary(layer):
    assert CNN.summary()["layer"].iloc[layer].startswith("Conv(6")
    assert_array_equal(FilterDisplay.from_estimator(CNN, layer=layer).kernels, kernels(CNN, 3))


def test_filters_and_channel_are_chosen():
    display = FilterDisplay.from_estimator(CNN, layer=3, filters=[5, 1], channel=3)
    assert words(display) == ["5", "1"]
    for column, k in enumerate([5, 1]):
        assert_array_equal(tile(display, 0, column, 3, 3), kernels(CNN, 3)[:, :, 3, k])


def test_several_channels_are_a_table():
    display = FilterDisplay.from_estimator(COLOURED)
    for channel in range(3):
        for k in range(4):
            assert_array_equal(tile(display, channel, k, 3, 3), kernels(COLOURED, 0)[:, :, channel, k])
    assert words(display) == ["0", "1", "2", "3", "channel 0", "channel 1", "channel 2"]


def test_filters_over_signals_are_curves_on_one_scale():
    display = FilterDisplay.from_estimator(SIGNAL)
    assert display.image_ is None
    heights = np.array([line.get_ydata() - line.get_ydata().mean() for line in display.lines_])
    weights = kernels(SIGNAL, 0)[:, 0].T
    scaled = weights - weights.mean(axis=1, keepdims=True)
    assert_allclose(heights / np.abs(heights).max(), scaled / np.abs(scaled).max(), atol=1e-6)
    assert f"{np.abs(weights).max():.2g} in each" in display.ax_.get_xlabel()


def test_filters_over_volumes_show_their_middle_slices():
    display = FilterDisplay.from_estimator(VOLUME)
    assert_array_equal(tile(display, 0, 2, 3, 3), kernels(VOLUME, 0)[1, :, :, 0, 2])


def test_filters_take_the_style_that_is_given():
    assert FilterDisplay.from_estimator(CNN, cmap="PuOr").image_.get_cmap().name == "PuOr"
    assert FilterDisplay.from_estimator(SIGNAL, color="red").lines_[0].get_color() == "red"


@pytest.mark.parametrize(
    ("estimator", "layer", "message"),
    [
        (CNN, 2, r"layer=2 is Pool.*convolutions are the layers \[1, 3\]"),
        (CNN, 99, "layer=99 is out of range: the network has 8 layers, 0 to 7"),
        (CNN, "a", "layer='a' is out of range: the network has 8 layers, 0 to 7"),
        (MLP, None, "no layer of the network is a convolution"),
    ],
)
def test_a_layer_that_is_no_convolution_is_refused(estimator, layer, message):
    with pytest.raises(ValueError, match=message):
        FilterDisplay.from_estimator(estimator, layer=layer)


# -- feature maps --------------------------------------------------------------------------------------------------


def before(cnn, layer, image):
    """What comes to a layer of the network of a CNN from one image."""
    scaled = cnn.input_scaling_(image[None] if cnn.network_.input_shape[0] is None else image.reshape(1, 30))
    return cnn.network_[:layer](scaled.astype("float32"))[0]


def test_feature_maps_are_what_the_first_convolution_puts_out():
    display = FeatureMapDisplay.from_estimator(CNN, IMAGES[7])
    expected = before(CNN, 2, IMAGES[7])
    assert_array_equal(display.maps, expected)
    for k in range(4):
        assert_array_equal(tile(display, 0, k, 6, 5), expected[:, :, k])
    assert_allclose(display.image_.get_clim(), (0, expected.max()))
    assert words(display) == ["input", "0", "1", "2", "3"]


@pytest.mark.parametrize("shape", [(6, 5, 1), (6, 5), (30,), (1, 30), (1, 6, 5), (1, 6, 5, 1)], ids=str)
def test_a_sample_comes_in_any_shape_that_the_network_takes(shape):
    expected = FeatureMapDisplay.from_estimator(CNN, IMAGES[7]).maps
    assert_array_equal(FeatureMapDisplay.from_estimator(CNN, IMAGES[7].reshape(shape)).maps, expected)


def test_normalisation_and_activation_belong_to_the_first_convolution():
    display = FeatureMapDisplay.from_estimator(NORMED, IMAGES[0])
    assert [type(layer).__name__ for layer in NORMED.network_.layers[:3]] == ["Conv", "BatchNorm", "Conv"]
    assert_array_equal(display.maps, before(NORMED, 2, IMAGES[0]))
    low, high = display.image_.get_clim()
    assert low == -high < 0


def test_maps_of_a_layer_and_channels_are_chosen():
    display = FeatureMapDisplay.from_estimator(CNN, IMAGES[0], layer=4, channels=[4, 2], include_sample=False)
    expected = before(CNN, 5, IMAGES[0])
    assert words(display) == ["4", "2"]
    for column, k in enumerate([4, 2]):
        assert_array_equal(tile(display, 0, column, 2, 2), expected[:, :, k])


def test_the_steps_of_a_pipeline_are_applied_to_the_sample():
    row = IMAGES[:1].reshape(1, 30)
    expected = FeatureMapDisplay.from_estimator(PIPELINE[-1], PIPELINE[0].transform(row))
    assert_array_equal(FeatureMapDisplay.from_estimator(PIPELINE, row).maps, expected.maps)


def test_maps_of_signals_are_curves():
    display = FeatureMapDisplay.from_estimator(SIGNAL, SIGNALS[0])
    assert len(display.lines_) == 4
    assert all(len(line.get_ydata()) == 20 for line in display.lines_)


@pytest.mark.parametrize("chosen", [[99], [-99], 1, "a", [], [True], [1.0], {1}], ids=repr)
def test_what_is_not_there_to_draw_is_refused(chosen):
    with pytest.raises(ValueError, match=r"^filters=.* must name some of \d+, 0 to \d+, or be None for all"):
        FilterDisplay.from_estimator(CNN, filters=chosen)
    with pytest.raises(ValueError, match=r"^channel=.* must name some of 1, 0 to 0, or be None for all"):
        FilterDisplay.from_estimator(CNN, channel=chosen)
    with pytest.raises(ValueError, match=r"^channels=.* must name some of \d+, 0 to \d+, or be None for all"):
        FeatureMapDisplay.from_estimator(CNN, IMAGES[0], channels=chosen)


def test_maps_of_volumes_show_their_middle_slices():
    display = FeatureMapDisplay.from_estimator(VOLUME, VOLUMES[0])
    assert_array_equal(tile(display, 0, 1, 4, 4), display.maps[2, :, :, 1])


@pytest.mark.parametrize(
    ("estimator", "sample", "n_colours"), [(COLOURED, COLOURS[0], 3), (CNN, IMAGES[0], 1)], ids=["colour", "grey"]
)
def test_the_sample_is_drawn_beside_its_maps(estimator, sample, n_colours):
    (image,) = FeatureMapDisplay.from_estimator(estimator, sample).ax_.get_images()
    expected = (sample - sample.min()) / np.ptp(sample)
    assert_allclose(np.reshape(image.get_array(), (6, 5, n_colours)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("X", "layer", "message"),
    [
        (IMAGES[:2], None, r"X has shape \(2, 6, 5, 1\); give one sample, whose shape holds 30 values"),
        (IMAGES[0], 5, "layer=5 puts out 24 numbers without positions, not maps"),
        (IMAGES[0], -99, "layer=-99 is out of range"),
        (IMAGES[0] * np.nan, None, "X must be a sample without NaN, infinity or a mask"),
        (np.ma.masked_array(IMAGES[0], IMAGES[0] > 0), None, "X must be a sample without NaN, infinity or a mask"),
    ],
)
def test_what_has_no_maps_is_refused(X, layer, message):
    with pytest.raises(ValueError, match=message):
        FeatureMapDisplay.from_estimator(CNN, X, layer=layer)


# -- networks ------------------------------------------------------------------------------------------------------


def test_units_and_connections_are_those_of_the_layers():
    display = NetworkDisplay.from_estimator(REGRESSOR)
    assert [len(units.get_paths()) for units in display.units_] == [4, 3, 1]
    for connections, weight in zip(display.connections_, REGRESSOR.coefs_, strict=True):
        assert_array_equal(np.sort(connections.get_array()), np.sort(weight.ravel()))
        limit = max(np.abs(W).max() for W in REGRESSOR.coefs_)
        assert_allclose(connections.get_clim(), (-limit, limit))


def test_a_connection_lies_between_its_units():
    network = Network([Dense(2, init="zeros")], (3,), None)
    network.parameters["0"]["weight"][...] = [[1, -2], [3, -4], [5, -6]]
    (lines,) = NetworkDisplay(network=network).plot().connections_
    found = {tuple(ends[:, 1]): weight for ends, weight in zip(lines.get_segments(), lines.get_array(), strict=True)}
    assert found == {(1, 0.5): 1, (1, -0.5): -2, (0, 0.5): 3, (0, -0.5): -4, (-1, 0.5): 5, (-1, -0.5): -6}
    strongest = np.argmax(lines.get_linewidths())
    assert lines.get_array()[strongest] == -6


def test_of_a_wide_layer_the_first_and_the_last_units_are_drawn():
    display = NetworkDisplay.from_estimator(MLP, max_units=6)
    assert [len(units.get_paths()) for units in display.units_] == [4, 5, 5, 3]
    shown = [0, 1, 2, 28, 29]
    assert_array_equal(np.sort(display.connections_[1].get_array()), np.sort(MLP.coefs_[1][:, shown].ravel()))


@pytest.mark.parametrize(
    ("estimator", "outputs"),
    [(MLP, ["ash", "birch", "cedar"]), (TWO_CLASSES, ["True"]), (REGRESSOR, ["y"]), (PERCEPTRON, list(MLP.classes_))],
    ids=["classes", "two classes", "a number", "perceptron"],
)
def test_features_and_classes_are_named(estimator, outputs):
    display = NetworkDisplay.from_estimator(estimator)
    assert display.feature_names == list(TABLE.columns)
    assert display.output_names == outputs
    assert set(words(display)) >= {*TABLE.columns, *outputs}


def test_features_without_names_are_numbered():
    assert NetworkDisplay.from_estimator(MLPClassifier(3, **QUICK).fit(TABLE.values, LABELS)).feature_names[3] == "x3"


def test_names_may_be_given_and_long_ones_are_cut():
    display = NetworkDisplay.from_estimator(SEARCH, feature_names=["a", "b", "c", "d" * 50], output_names=[1, 2, 3])
    assert {"a", "1", "d" * 23 + "…"} <= set(words(display))


def test_each_layer_says_what_it_is():
    found = words(NetworkDisplay.from_estimator(MLP))
    captions = ["input", "4 features", "hidden 1", "5 units", "relu", "hidden 2", "30 units", "relu", "output"]
    assert found[-len(captions) - 2 :] == [*captions, "3 units", "softmax"]


def test_blocks_say_shapes_and_parameters():
    display = NetworkDisplay.from_estimator(CNN)
    found = words(display)
    assert [len(block.get_paths()) for block in display.blocks_] == [3, 3, 3, 3, 3, 1, 1, 1]
    for text in ("input", "conv", "3×3", "relu", "max pool", "2×2", "flatten", "dense", "softmax"):
        assert text in found
    for text in ("6×5×1", "6×5×4", "3×3×4", "3×3×6", "2×2×6", "24", "128", "40", "222", "3,200", "387"):
        assert text in found


def test_what_accompanies_a_layer_is_said_above_its_block():
    found = words(NetworkDisplay.from_estimator(NORMED))
    conv = found.index("conv")
    assert found[conv : conv + 4] == ["conv", "3×3", "batch norm", "tanh"]
    assert {"global", "max", "dropout 0.5"} <= set(found)


def test_a_residual_layer_says_what_it_goes_around():
    layers = [Residual([Conv(2, activation="relu"), BatchNorm(), Conv(2)]), Dense(1)]
    found = words(NetworkDisplay(network=Network(layers, (8, 2), np.random.RandomState(0))).plot())
    start = found.index("residual")
    assert found[start : start + 5] == ["residual", "conv length 3", "relu", "batch norm", "conv length 3"]


def test_many_blocks_take_several_rows():
    display = NetworkDisplay(network=Network([Conv(2)] * 24 + [Flatten()], (8, 1), np.random.RandomState(0))).plot()
    centres = [np.mean(block.get_paths()[0].get_extents().get_points()[:, 1]) for block in display.blocks_]
    assert len(display.blocks_) == 26
    assert len(np.unique(np.round(centres, 6))) == 3


@pytest.mark.parametrize(
    "layers", [[LayerNorm(), Dense(2)], [Pool("average"), GlobalPool()], [Dense(3)]], ids=["norm", "pools", "steps"]
)
def test_any_network_has_blocks(layers):
    assert NetworkDisplay(network=Network(layers, (8, 2), np.random.RandomState(0))).plot().blocks_


def test_a_multi_layer_perceptron_may_be_drawn_as_blocks():
    display = NetworkDisplay.from_estimator(MLP, kind="blocks")
    assert display.units_ is None
    assert len(display.blocks_) == 4


@pytest.mark.parametrize(
    ("estimator", "params", "message"),
    [
        (CNN, {"kind": "units"}, "kind='units' draws networks of dense layers only"),
        (MLP, {"kind": "cubes"}, "kind='cubes' is unknown; choose 'units', 'blocks' or None"),
        (MLP, {"max_units": 2}, "max_units=2 must be at least 3"),
        (MLP, {"feature_names": ["a"]}, "feature_names has 1 names, but there are 4"),
        (MLP, {"output_names": "abcd"}, "output_names has 4 names, but there are 3"),
    ],
)
def test_what_cannot_be_drawn_is_refused(estimator, params, message):
    with pytest.raises(ValueError, match=message):
        NetworkDisplay.from_estimator(estimator, **params)


# -- attention -----------------------------------------------------------------------------------------------------


def test_attention_is_that_of_a_block_and_a_head_or_the_mean_of_all():
    weights = SERIES.attention_weights(SIGNALS[:1])[0]
    for block in (0, 1):
        of_one = AttentionDisplay.from_estimator(SERIES, SIGNALS[0], block=block, head=2)
        assert_array_equal(of_one.weights, weights[block, 2])
        assert_array_equal(of_one.image_.get_array(), weights[block, 2])
        of_all = AttentionDisplay.from_estimator(SERIES, SIGNALS[0], block=block, colorbar=False)
        assert_allclose(of_all.weights, weights[block].mean(axis=0))
        assert of_all.colorbar_ is None


def test_tokens_of_a_table_may_have_names():
    display = AttentionDisplay.from_estimator(FEATURES, TABLE.head(1), names=[*TABLE.columns, "output"])
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == [*TABLE.columns, "output"]


def test_attention_of_patches_lies_over_the_image():
    """Patches of 2 x 2 fill 6 rows, and 5 columns with one of zeros behind."""
    weights = PATCHED.attention_weights(COLOURS[:1])[0]
    display = AttentionDisplay.from_estimator(PATCHED, COLOURS[0], block=1, head=0, vmax=0.5)
    assert_array_equal(display.weights, weights[1, 0])
    assert_allclose(display.image_.get_array(), weights[1, 0].mean(axis=0).reshape(3, 3))
    assert display.image_.get_extent() == [-0.5, 5.5, 5.5, -0.5]
    assert (display.image_.get_clim(), display.ax_.get_xlim(), display.ax_.get_ylim()) == (
        (0, 0.5),
        (-0.5, 4.5),
        (5.5, -0.5),
    )
    picture = display.ax_.get_images()[0].get_array()
    assert_allclose(picture, (COLOURS[0] - COLOURS[0].min()) / np.ptp(COLOURS[0]))
    for token in (5, (1, 2), (-2, -1)):
        of_one = AttentionDisplay.from_estimator(PATCHED, COLOURS[0], token=token)
        assert_array_equal(of_one.weights, weights[-1].mean(axis=0)[5:6])
        assert_array_equal(of_one.image_.get_array().ravel(), of_one.weights[0])


def test_a_roll_out_follows_tokens_through_all_blocks():
    blocks = PATCHED.attention_weights(COLOURS[:1])[0].mean(axis=1)
    first, second, third = (np.eye(9) + each for each in blocks)
    display = AttentionDisplay.from_estimator(PATCHED, COLOURS[0], block="rollout")
    assert_allclose(display.weights, third @ second @ first / 8.0, rtol=1e-6)
    assert_allclose(display.weights.sum(axis=1), 1.0, rtol=1e-6)
    two = Seq2Seq(8, max_iter=1, random_state=0).fit(["ab", "ba"] * 8, ["a", "b"] * 8)
    with pytest.raises(ValueError, match="block='rollout' follows tokens through the blocks, but"):
        AttentionDisplay.from_estimator(two, "ab", block="rollout")


@pytest.mark.parametrize("architecture", ["rnn", "transformer"])
def test_what_is_written_attends_to_what_was_read(architecture):
    words = ["abc", "bcaa", "ca"] * 4
    model = Seq2Seq(8, architecture=architecture, max_iter=1, random_state=0).fit(words, [word[:1] for word in words])
    steps = model.attention_weights(["bcaa"])[0].shape[-2]
    names = [f"y{k}" for k in range(steps)]
    display = AttentionDisplay.from_estimator(model, "bcaa", names=list("bcaa"), attending=names)
    assert display.weights.shape == (steps, 4)
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == list("bcaa")
    assert [tick.get_text() for tick in display.ax_.get_yticklabels()] == names


@pytest.mark.parametrize(
    ("estimator", "X", "params", "error", "message"),
    [
        (lambda: MLP, SIGNALS[0], {}, TypeError, "has no attention_weights; give a network of sknn with attention"),
        (lambda: FEATURES, TABLE.head(2), {}, ValueError, "X must be one sample, but holds 2"),
        (lambda: SERIES, SIGNALS[0], {"block": 2}, ValueError, "block=2 is not there: there are 2"),
        (lambda: SERIES, SIGNALS[0], {"block": "roll"}, ValueError, "block='roll' is not there: there are 2"),
        (lambda: SERIES, SIGNALS[0], {"head": -5}, ValueError, "head=-5 is not there: there are 4"),
        (lambda: SERIES, SIGNALS[0], {"token": 20}, ValueError, "token=20 is not there: there are 20"),
        (lambda: PATCHED, COLOURS[0], {"token": (3, 0)}, ValueError, "row=3 is not there: there are 3"),
        (lambda: PATCHED, COLOURS[0], {"token": (0, 3)}, ValueError, "column=3 is not there: there are 3"),
        (
            lambda: PATCHED,
            COLOURS[0],
            {"token": (0, 1, 2)},
            ValueError,
            r"token=\(0, 1, 2\) must be .* a row and a column",
        ),
        (lambda: SERIES, SIGNALS[0], {"token": (0, 1)}, ValueError, r"token=\(0, 1\) must be the number of a token"),
        (TransformerRegressor, SIGNALS[0], {}, NotFittedError, "is not fitted yet"),
    ],
)
def test_attention_that_is_not_there_is_refused(estimator, X, params, error, message):
    with pytest.raises(error, match=message):
        AttentionDisplay.from_estimator(estimator(), X, **params)


# -- labels of pixels ----------------------------------------------------------------------------------------------


def test_a_segmentation_shows_image_truth_prediction_and_where_they_differ():
    display = DISPLAYS["segmentation"]()
    assert list(display.images_) == ["image", "truth", "prediction", "differences"]
    assert_array_equal(display.prediction, SEGMENTER.predict(COLOURS[:1])[0])
    different = (display.prediction != PIXELS[0]) & (PIXELS[0] != -1)
    assert_array_equal(display.different, different)
    red = (display.images_["differences"].get_array() == segmentation.WRONG[:3]).all(axis=-1)
    assert_array_equal(red, different)
    share = different.sum() / (PIXELS[0] != -1).sum()
    assert words(display) == ["image", "truth", "prediction", f"differences: {share:.1%}"]
    assert [text.get_text() for text in display.legend_.get_texts()] == ["0", "1", "2", "wrong"]


def test_every_label_has_a_colour_of_its_own_and_what_is_not_labelled_has_none():
    display = DISPLAYS["segmentation"]()
    truth = np.asarray(display.images_["truth"].get_array())
    colours = {label: {tuple(colour) for colour in truth[PIXELS[0] == label]} for label in (-1, 0, 1, 2)}
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 4
    assert colours[-1] == {segmentation.UNKNOWN}


def test_without_a_truth_there_are_two_pictures():
    display = SegmentationDisplay.from_estimator(SEGMENTER, COLOURS[0], legend=False)
    assert list(display.images_) == ["image", "prediction"]
    assert display.legend_ is None
    assert not display.different.any()


def test_predictions_of_anything_can_be_drawn():
    image = RNG.normal(size=(5, 7))
    truth = np.where(image > 0, "high", "low")
    display = SegmentationDisplay.from_predictions(
        truth, np.full((5, 7), "low"), image=image, vmax=1.0, unlabelled=None
    )
    assert_array_equal(display.different, image > 0)
    assert display.images_["image"].get_clim()[1] == 1.0
    assert [text.get_text() for text in display.legend_.get_texts()] == ["high", "low", "wrong"]


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda: SegmentationDisplay.from_estimator(MLP, COLOURS[0]), TypeError, "has no labels at pixels"),
        (
            lambda: SegmentationDisplay.from_estimator(SEGMENTER, COLOURS),
            ValueError,
            r"one image .* shape \(60, 6, 5, 3",
        ),
        (
            lambda: SegmentationDisplay.from_estimator(SEGMENTER, COLOURS[0], PIXELS[0, 1:]),
            ValueError,
            r"truth \(5, 5\) and prediction \(6, 5\) must be of one size",
        ),
    ],
    ids=["another network", "several images", "another size"],
)
def test_what_is_no_segmentation_is_refused(action, error, message):
    with pytest.raises(error, match=message):
        action()
