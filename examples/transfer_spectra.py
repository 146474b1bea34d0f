"""Transfer: a network that has learnt from simulated spectra goes on with a few observed ones
==============================================================================================

You learn to begin with the weights of another network, to freeze some of them, and to see when that helps. Simulated
stars are cheap: of 4000 spectra the temperature is known, and a convolutional network learns to read it from the
strengths of eight lines, whatever the velocity that shifts them. The observed ones differ as they do in life: the
instrument blurs lines, dust reddens the continuum, the air absorbs at wavelengths of its own, and the noise has memory.
The temperature of only some of these is known. What is the simulation worth then?

``pretrained=FrozenEstimator(network)`` begins with the simulation's weights and its scale of the inputs, ``freeze``
says how many layers stay as they are, ``fine_tune_rate`` how slowly the others move. Beside them stand the network that
begins with nothing, that of the simulation as it is, and ridge regression. With few labels the simulation is worth a
lot, with a thousand nothing. **Both worlds were made up for this picture, and alike enough that the lines of one are
those of the other**; how much yours is like its simulation is for your test samples to say.

::

    python examples/transfer_spectra.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter1d
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sknn import CNNRegressor

LABELS, DRAWS = [10, 30, 100, 300, 1000], 3
wavelength = np.linspace(480, 520, 160)
CENTRES = np.array([484.0, 488.5, 492.0, 497.0, 501.5, 505.0, 511.0, 516.5])  # nm
ENERGIES = np.array([0.0, 2.0, 0.5, 3.0, 1.0, 2.5, 1.5, 3.5])  # of the lower levels, in eV
BOLTZMANN = 8.617e-5  # eV / K
AIR = [486.2, 499.1, 508.3]  # where the air absorbs
rng = np.random.default_rng(0)


def simulated(n):
    """Spectra without noise to speak of, and their temperatures in 1000 K."""
    temperature = rng.uniform(4.0, 9.0, n)
    velocity, abundance = rng.uniform(-0.7, 0.7, (n, 1, 1)), rng.uniform(0.5, 1.5, (n, 1))  # nm; of its element
    depth = abundance * 0.9 * np.exp(-ENERGIES / (BOLTZMANN * 1000) * (1 / temperature[:, None] - 1 / 9.0))
    lines = np.exp(-(((wavelength[:, None] - CENTRES - velocity) / 0.5) ** 2))
    flux = np.exp(-(lines * depth[:, None]).sum(axis=-1))
    return flux + 0.01 * rng.normal(size=flux.shape), temperature


def observed(n):
    """The same stars through air, dust and an instrument."""
    flux, temperature = simulated(n)
    air = rng.uniform(0.2, 0.8, (n, 1)) * np.exp(-(((wavelength[:, None] - AIR) / 0.3) ** 2)).sum(axis=1)
    dust = 1 + rng.uniform(-0.3, 0.5, (n, 1)) * (wavelength - 500) / 20
    noise = gaussian_filter1d(rng.normal(size=flux.shape), 1.5)
    return gaussian_filter1d(flux * dust * (1 - air), 2.0) + 0.05 * noise / noise.std(), temperature


X_simulated, y_simulated = simulated(4000)
X, y = observed(max(LABELS) * DRAWS)
X_test, y_test = observed(2000)

network = CNNRegressor(
    (16, 32, 32),
    kernel_size=7,
    hidden_layer_sizes=32,
    solver="adamw",
    learning_rate="one_cycle",
    learning_rate_init=0.003,
    batch_size=32,
    max_iter=25,
    random_state=0,
)
simulation = clone(network).fit(X_simulated, y_simulated)
begun = FrozenEstimator(simulation)


def steps(model, n):
    """The model with as many epochs as make about 600 steps, however few samples there are."""
    return clone(model).set_params(batch_size=min(32, n), max_iter=max(25, 600 * min(32, n) // n))


models = {
    "from nothing": network,
    "fine-tuned": clone(network).set_params(pretrained=begun, fine_tune_rate=0.3),
    "convolutions frozen": clone(network).set_params(pretrained=begun, fine_tune_rate=0.3, freeze=3),
}
ridge = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))
errors = {name: np.zeros((len(LABELS), DRAWS)) for name in [*models, "ridge"]}
for row, n in enumerate(LABELS):
    for draw in range(DRAWS):
        few = slice(draw * n, draw * n + n)
        for name, model in [*models.items(), ("ridge", ridge)]:
            fitted = clone(ridge) if model is ridge else steps(model, n)
            read = fitted.fit(X[few], y[few]).predict(X_test)
            errors[name][row, draw] = root_mean_squared_error(y_test, read)
as_it_is = root_mean_squared_error(y_test, simulation.predict(X_test))

print("Error of the temperature on 2000 observed spectra, root mean square in K, mean of 3 draws of the labels")
print(f"{'labels':>24}" + "".join(f"{n:>7}" for n in LABELS))
for name, found in errors.items():
    print(f"  {name:22}" + "".join(f"{1000 * error:7.0f}" for error in found.mean(axis=1)))
print(f"  {'the simulation as it is':22} {1000 * as_it_is:6.0f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
for k, shift in ((np.argmin(abs(y_simulated - 5.0)), 1.2), (np.argmin(abs(y_simulated - 8.0)), 0.0)):
    left.plot(wavelength, X_simulated[k] + shift, color="#0072B2", label="simulated" if shift else None)
    like = np.argmin(abs(y_test - y_simulated[k]))
    left.plot(wavelength, X_test[like] + shift, color="#D55E00", alpha=0.8, label="observed" if shift else None)
    left.text(480.3, shift + 1.28, f"{1000 * y_simulated[k]:.0f} K")
left.set(xlabel="wavelength (nm)", ylabel="flux", title="Two temperatures in both worlds", yticks=[])
left.legend(frameon=False, loc="center right", bbox_to_anchor=(1.0, 0.42), ncols=2)

colors = {"from nothing": "black", "fine-tuned": "#D55E00", "convolutions frozen": "#0072B2", "ridge": "#999999"}
for name, color in colors.items():
    middle = 1000 * errors[name].mean(axis=1)
    right.fill_between(
        LABELS, *(1000 * edge(errors[name], axis=1) for edge in (np.min, np.max)), color=color, alpha=0.15
    )
    right.plot(LABELS, middle, "o-", color=color, label=name)
right.axhline(1000 * as_it_is, color="#0072B2", linestyle=":", label="the simulation as it is")
right.set(xscale="log", xlabel="observed spectra with labels", ylabel="error of the temperature (K)", ylim=(0, None))
right.set(title="What the simulation is worth (bands: three draws)", xticks=LABELS, xticklabels=LABELS)
right.minorticks_off()
right.legend(frameon=False)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "transfer_spectra.png", dpi=150)
print(f"Picture: {folder / 'transfer_spectra.png'}")
