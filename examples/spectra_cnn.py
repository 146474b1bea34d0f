"""Spectra: a convolutional network reads where a noisy emission line lies and how wide it is
==========================================================================================

You learn to read physical quantities from a signal with a network, two at once, and to ask how good it could be. Each
spectrum is a smooth continuum with one line, all at random, and noise. A line looks alike wherever it lies: that is
built into a convolution, while a random forest, a support vector machine and ridge regression have to learn it anew at
each wavelength. (This is one split; the CNN was set by hand, the others hardly.) The yardstick is a fit of the formula
that made the spectra, by least squares. The network has seen nothing but examples, yet reads the width nearly as well
as the fit does; in the position the fit, which knows the physics, stays well ahead. But a fit needs a good start, and
here it takes that from the network.

::

    python examples/spectra_cnn.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import curve_fit
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from sknn import CNNRegressor

N_TRAIN, N_TEST = 3000, 1000
OUTPUTS = ["position", "width"]  # in nm, as is the wavelength
COLORS = {"truth": "black", "CNN": "#0072B2", "random forest": "#E69F00"}  # blue and orange of Okabe and Ito
wavelength = np.linspace(600, 700, 128)


def spectrum(wavelength, position, width, height, level, slope, bend):
    """A Gaussian line, its width taken at half of its height, on a parabola."""
    x = (wavelength - 650) / 50
    return height * np.exp(-4 * np.log(2) * ((wavelength - position) / width) ** 2) + level + slope * x + bend * x**2


rng = np.random.RandomState(0)
size = (N_TRAIN + N_TEST, 1)
position, width, height = rng.uniform(620, 680, size), rng.uniform(3, 12, size), rng.uniform(0.5, 1.5, size)
level, slope, bend = rng.normal(1.0, 0.2, size), rng.normal(0.0, 0.3, size), rng.normal(0.0, 0.3, size)
clean = spectrum(wavelength, position, width, height, level, slope, bend)
X, y = clean + rng.normal(0.0, 0.1, clean.shape), np.hstack([position, width])
X_train, X_test, y_train, y_test = X[:N_TRAIN], X[N_TRAIN:], y[:N_TRAIN], y[N_TRAIN:]

models = {
    # Averages tell a position better than maxima do; an adaptive learning rate lets the weights settle at the end.
    "CNN": CNNRegressor(
        (8, 16),
        kernel_size=9,
        pooling="average",
        pool_size=4,
        hidden_layer_sizes=(128, 64),
        alpha=0.03,
        learning_rate="adaptive",
        learning_rate_init=0.003,
        n_iter_no_change=2,
        tol=0.001,
        random_state=0,
    ),
    "random forest": RandomForestRegressor(max_features=1 / 3, random_state=0),  # a third is the custom
    "SVM": TransformedTargetRegressor(MultiOutputRegressor(SVR(C=10)), transformer=StandardScaler()),
    "ridge": RidgeCV(),
}
predicted = {name: model.fit(X_train, y_train).predict(X_test) for name, model in models.items()}

# The fit starts at what the network read, and stays within what a spectrum can be.
lowest, highest = [600, 1, 0, -np.inf, -np.inf, -np.inf], [700, 20, np.inf, np.inf, np.inf, np.inf]
predicted["least squares"] = np.array(
    [
        curve_fit(spectrum, wavelength, x, p0=[*start, 1, 1, 0, 0], bounds=(lowest, highest))[0][:2]
        for x, start in zip(X_test, predicted["CNN"], strict=True)
    ]
)

errors, scores = {}, {}
print(f"Errors on {N_TEST} spectra not seen in training: root mean square in nm, and R²")
print(f"{'position':>28}{'width':>16}")
for name, read in predicted.items():
    errors[name] = root_mean_squared_error(y_test, read, multioutput="raw_values")
    scores[name] = r2_score(y_test, read, multioutput="raw_values")
    columns = [f"{error:5.2f}  {score:6.3f}" for error, score in zip(errors[name], scores[name], strict=True)]
    print(f"  {name:15}{'   '.join(columns)}")

figure = plt.figure(figsize=(13, 7), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.2])
left.suptitle("a narrow, a middling and a wide line; bars: position and width")
readings = {"truth": y_test} | predicted
by_width = np.argsort(y_test[:, 1])
for k, ax in zip(by_width[[100, 500, 900]], left.subplots(3, 1, sharex=True, sharey=True), strict=True):
    ax.plot(wavelength, X_test[k], color="0.7", label="spectrum")
    ax.plot(wavelength, clean[N_TRAIN + k], color="black", linewidth=1, label="without noise")
    for row, (name, color) in enumerate(COLORS.items()):
        center, extent = readings[name][k]
        ax.errorbar(center, -0.3 * row, xerr=extent / 2, color=color, linewidth=2.5, marker="o", capsize=4, label=name)
    ax.set(xlabel="wavelength (nm)", ylabel="intensity", yticks=[0, 1, 2])
    ax.label_outer()
left.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)

for row, (output, panels) in enumerate(zip(OUTPUTS, right.subplots(2, 2, sharex="row", sharey="row"), strict=True)):
    for ax, name in zip(panels, list(COLORS)[1:], strict=True):
        ax.scatter(y_test[:, row], predicted[name][:, row], s=10, color=COLORS[name], alpha=0.5, linewidth=0)
        ax.axline((y_test[0, row], y_test[0, row]), slope=1, color="black", linewidth=1)
        ax.set_title(f"{name}: {output}\nRMSE {errors[name][row]:.2f} nm, $R^2$ {scores[name][row]:.3f}")
        ax.set(xlabel=f"true {output} (nm)", box_aspect=1)
    panels[0].set_ylabel(f"predicted {output} (nm)")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "spectra_cnn.png", dpi=150)
print(f"Picture: {folder / 'spectra_cnn.png'}")
