"""Spectra on grids of their own: a recurrent network reads redshifts and widths of lines
======================================================================================

You learn to read two parameters from series of different lengths and steps, and what to give a network as times. Each
made-up spectrum has broad lines of hydrogen and helium, shifted by a redshift, and comes from an instrument of its own:
it begins and ends elsewhere, its steps are 4 to 12 nm wide, and the wider they are the more the instrument broadens the
lines. The recurrent network takes all of them as they are, without padding. It is given wavelengths twice. As times,
`time_channel=0`, only their differences count: the step, by which it tells broad lines from a coarse instrument. Where
a line lies is no difference, so the wavelength is an ordinary channel too. A CNN, a forest and ridge regression need a
common grid, onto which spectra are interpolated; they are told the step as well. The two networks are about level, far
ahead of the others, and the CNN is quicker: where spectra can be brought onto one grid, do that first. The yardstick is
a fit of the formula that made the spectra, by least squares. It reads the redshift eight times better, the width, which
coarse instruments hide, hardly better; who knows the formula should fit it. (One split, the networks set by hand, the
others hardly.)

::

    python examples/spectra_parameters.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import least_squares
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import CNNRegressor, RNNRegressor

N_TRAIN, N_TEST = 1500, 300
LINES = {"Hγ": 434.0, "Hβ": 486.1, "He I": 587.6, "Hα": 656.3}  # nm at rest
HEIGHTS, SCATTER = np.array([0.2, 0.4, 0.15, 1.0]), 0.2  # of the lines, and by what share they vary
NOISE = 0.05
LIGHT = 299.792  # the speed of light in 1000 km/s, as widths are
COLORS = {"RNN": "#0072B2", "CNN": "#009E73", "random forest": "#E69F00", "least squares": "#555555"}
rest = np.array(list(LINES.values()))
rng = np.random.default_rng(0)


def lines(wavelength, redshift, width):
    """Gaussian lines of height 1, in columns: a width by motion and one by the instrument, two steps."""
    center = rest * (1 + redshift)
    full_width = np.hypot(center * width / LIGHT, 2 * (wavelength[1] - wavelength[0]))
    return np.exp(-4 * np.log(2) * ((wavelength[:, None] - center) / full_width) ** 2)


def spectrum(redshift, width):
    """Steps of wavelength, wavelength and flux."""
    step = np.exp(rng.uniform(np.log(4), np.log(12)))
    wavelength = np.arange(rng.uniform(400, 480), rng.uniform(680, 800), step)
    continuum = rng.uniform(0.7, 1.3) * (wavelength / 600) ** rng.uniform(-2, 1)
    flux = continuum + lines(wavelength, redshift, width) @ (HEIGHTS * np.exp(rng.normal(0, SCATTER, len(rest))))
    return np.column_stack([wavelength, wavelength, flux + rng.normal(0, NOISE, len(wavelength))])


y = np.column_stack([rng.uniform(0, 0.3, N_TRAIN + N_TEST), rng.uniform(3, 12, N_TRAIN + N_TEST)])
spectra = [spectrum(*parameters) for parameters in y]

# On one grid; beyond its ends a spectrum keeps its last value. How wide its own steps were is told beside it.
grid = np.arange(400, 800, 5.0)
fluxes = np.array([np.interp(grid, x[:, 1], x[:, 2]) for x in spectra])
steps = np.array([[x[1, 0] - x[0, 0]] for x in spectra])
table = np.hstack([fluxes, steps])
images = np.dstack([fluxes, np.repeat(steps, len(grid), axis=1)])  # two channels
models = {  # with what each is given
    "RNN": (RNNRegressor(32, time_channel=0, learning_rate_init=0.01, max_iter=30, random_state=0), spectra),
    "CNN": (
        CNNRegressor(
            (8, 16),
            kernel_size=9,
            pooling="average",
            pool_size=4,
            hidden_layer_sizes=(128, 64),
            input_shape=(len(grid), 2),
            alpha=0.03,
            learning_rate="cosine",
            learning_rate_init=0.003,
            max_iter=40,
            random_state=0,
        ),
        images,
    ),
    "random forest": (RandomForestRegressor(max_features=1 / 3, random_state=0), table),
    "ridge": (make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 7))), table),
}
predicted = {name: model.fit(X[:N_TRAIN], y[:N_TRAIN]).predict(X[N_TRAIN:]) for name, (model, X) in models.items()}


def fitted(x):
    """Least squares; on the way the continuum, a parabola, and the heights, known to a fifth, are solved for."""
    wavelength, _, flux = x.T
    bends = np.vander((wavelength - 600) / 200, 3)
    known = np.hstack([np.zeros((len(rest), 3)), np.diag(1 / (SCATTER * HEIGHTS))])
    wanted = np.concatenate([flux / NOISE, np.full(len(rest), 1 / SCATTER)])

    def misfit(parameters):
        shapes = np.vstack([np.hstack([bends, lines(wavelength, *parameters)]) / NOISE, known])
        return wanted - shapes @ np.linalg.lstsq(shapes, wanted, rcond=None)[0]

    start = min(([redshift, 7.0] for redshift in np.linspace(0.005, 0.295, 30)), key=lambda p: np.sum(misfit(p) ** 2))
    return least_squares(misfit, start, bounds=([0, 3], [0.3, 12]), diff_step=1e-4).x


predicted["least squares"] = np.array([fitted(x) for x in spectra[N_TRAIN:]])

truth = y[N_TRAIN:]
print(f"Root mean square errors on {N_TEST} spectra not seen in training, and medians of the absolute errors")
print(f"{'redshift':>30}{'width (km/s)':>20}")
errors = {}
for name, read in predicted.items():
    errors[name] = root_mean_squared_error(truth, read, multioutput="raw_values")
    typical = np.median(np.abs(read - truth), axis=0)
    columns = [f"{errors[name][0]:.4f}  {typical[0]:.4f}", f"{1000 * errors[name][1]:5.0f}  {1000 * typical[1]:5.0f}"]
    print(f"  {name:15}{'       '.join(columns)}")

figure = plt.figure(figsize=(13, 6.5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.8])
by_length = np.argsort([-len(x) for x in spectra[N_TRAIN:]])
for k, ax in zip(by_length[[20, 150, 280]], left.subplots(3, 1, sharex=True), strict=True):
    wavelength, _, flux = spectra[N_TRAIN + k].T
    redshift, width = truth[k]
    ax.step(wavelength, flux, where="mid", color="black", linewidth=1)
    for name, at in zip(LINES, rest * (1 + redshift), strict=True):
        ax.axvline(at, color="0.6", linewidth=1, linestyle=":")
        ax.text(at + 2, 1, name, transform=ax.get_xaxis_transform(), va="top", clip_on=True)
    ax.set(ylabel="flux", xlim=(395, 805), ylim=(None, flux.max() + 0.2 * np.ptp(flux)))
    ax.set_title(f"{len(flux)} steps, redshift {redshift:.2f}, width {1000 * width:,.0f} km/s")
ax.set_xlabel("wavelength (nm)")

labels, said = ["redshift", "width (1000 km/s)"], [lambda e: f"{e:.4f}", lambda e: f"{1000 * e:,.0f} km/s"]
for row, panels in enumerate(right.subplots(2, len(COLORS), sharex="row", sharey="row")):
    for ax, (name, color) in zip(panels, COLORS.items(), strict=True):
        ax.scatter(truth[:, row], predicted[name][:, row], s=10, color=color, alpha=0.5, linewidth=0)
        ax.axline((truth[0, row], truth[0, row]), slope=1, color="black", linewidth=1)
        ax.set_title(f"{name}\nRMSE {said[row](errors[name][row])}", fontsize="medium")
        ax.set(xlabel=f"true {labels[row]}", box_aspect=1)
    panels[0].set_ylabel(f"predicted {labels[row]}")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "spectra_parameters.png", dpi=150)
print(f"Picture: {folder / 'spectra_parameters.png'}")
