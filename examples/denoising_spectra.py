"""Denoising: an autoencoder takes the noise from spectra, and what a smoother, PCA and Wiener's filter leave of it
==================================================================================================================

You learn to teach an autoencoder to remove noise, and to see what its code is worth beside a linear one. It is shown
simulated spectra of stars with fresh noise in every step, ``noise=...``, and has to give the clean ones: eight lines
whose depths follow the temperature, all moved by the velocity of the star, on a continuum that leans. A shift is no
linear thing, so principal components need many numbers for it, and bring back noise with each. Wiener's filter is the
best that a linear map can do, Savitzky and Golay's knows nothing of spectra at all.

What has never been shown is not there: the bottom spectrum has a line in emission, which no star of the simulation has.
The autoencoder does not draw it. But its error, ``score_samples``, is larger there than for any other spectrum, which
tells that this one is not to be believed.

::

    python examples/denoising_spectra.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import savgol_filter
from sklearn.decomposition import PCA

from sknn import Autoencoder

NOISE = 0.1  # of the continuum
wavelength = np.linspace(480, 520, 160)
CENTRES = np.array([484.0, 488.5, 492.0, 497.0, 501.5, 505.0, 511.0, 516.5])  # nm
ENERGIES = np.array([0.0, 2.0, 0.5, 3.0, 1.0, 2.5, 1.5, 3.5])  # of the lower levels, in eV
BOLTZMANN = 8.617e-5  # eV / K
rng = np.random.default_rng(0)


def simulated(n):
    """Spectra without noise."""
    temperature, velocity = rng.uniform(4.0, 9.0, (n, 1)), rng.uniform(-1.5, 1.5, (n, 1, 1))  # 1000 K; nm
    depth = 0.9 * rng.uniform(0.5, 1.5, (n, 1))  # of its metals
    depth = depth * np.exp(-ENERGIES / (BOLTZMANN * 1000) * (1 / temperature - 1 / 9.0))
    lines = np.exp(-(((wavelength[:, None] - CENTRES - velocity) / 0.5) ** 2))
    slope = rng.uniform(-0.3, 0.3, (n, 1))
    return np.exp(-(lines * depth[:, None]).sum(axis=-1)) * (1 + slope * (wavelength - 500) / 20)


clean, clean_test = simulated(4000), simulated(1000)
seen = clean_test + NOISE * rng.normal(size=clean_test.shape)


def error(found):
    """Root mean square, against the spectra without noise."""
    return float(np.sqrt(np.square(found - clean_test).mean()))


def autoencoder(**params):
    """Noise is given in units of scaled spectra, all of which have one scale."""
    return Autoencoder(8, hidden_layer_sizes=(256,), random_state=0, **params)


found = {"no filter": seen}
smooth = [savgol_filter(seen, window, 2, axis=1) for window in range(3, 16, 2)]
found["Savitzky-Golay"] = min(smooth, key=error)
through_pca = [pca.inverse_transform(pca.transform(seen)) for pca in (PCA(k).fit(clean) for k in range(1, 41))]
found["PCA"] = min(through_pca, key=error)
covariance, mean = np.cov(clean.T), clean.mean(axis=0)
wiener = np.linalg.solve(covariance + NOISE**2 * np.eye(len(mean)), covariance)
found["Wiener's filter"] = mean + (seen - mean) @ wiener
plain = autoencoder().fit(clean)
found["autoencoder, taught without noise"] = plain.reconstruct(seen)
denoising = autoencoder(noise=NOISE / clean.std()).fit(clean)
found["autoencoder, taught with noise"] = denoising.reconstruct(seen)

print(f"Root mean square error of {len(seen)} spectra, in units of the continuum")
for name, spectra in found.items():
    print(f"  {name:34} {error(spectra):.3f}")
best = [errors.index(min(errors)) for errors in ([error(x) for x in smooth], [error(x) for x in through_pca])]
print(f"(the best window, {3 + 2 * best[0]} pixels, and the best number of components, {1 + best[1]}, by this error)")

strange = seen[:1] + 0.8 * np.exp(-(((wavelength - 508.0) / 0.5) ** 2))
scores, score = denoising.score_samples(seen), denoising.score_samples(strange)[0]
print(f"Score of the spectrum in emission {score:.1f}, of all others {scores.min():.1f} to {scores.max():.1f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(13, 7), layout="constrained", width_ratios=[1.5, 1])
colors = {"Wiener's filter": "#E69F00", "autoencoder, taught with noise": "#0072B2"}
hot, cold = np.argmin(clean_test.min(axis=1)), np.argmax(clean_test.min(axis=1))
panels = [
    (seen[hot], clean_test[hot], {name: found[name][hot] for name in colors}),
    (seen[cold], clean_test[cold], {name: found[name][cold] for name in colors}),
    (
        strange[0],
        strange[0] - seen[0] + clean_test[0],
        {"autoencoder, taught with noise": denoising.reconstruct(strange)[0]},
    ),
]
for row, (noisy, truth, lines) in enumerate(panels):
    shift = 1.3 * (2 - row)
    left.plot(wavelength, noisy + shift, color="0.75", linewidth=1, label="seen" if row == 0 else None)
    left.plot(wavelength, truth + shift, color="black", linewidth=1, label="without noise" if row == 0 else None)
    for name, spectrum in lines.items():
        left.plot(wavelength, spectrum + shift, color=colors[name], linewidth=1.5, label=name if row == 0 else None)
left.set(xlabel="wavelength (nm)", ylabel="flux", yticks=[], title="Two stars, and one with a line in emission")
left.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2)

names = list(found)[::-1]
right.barh(names, [error(found[name]) for name in names], color=[colors.get(name, "0.6") for name in names])
right.set(xlabel="error (root mean square)", title="What is left of the noise")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "denoising_spectra.png", dpi=150)
print(f"Picture: {folder / 'denoising_spectra.png'}")
