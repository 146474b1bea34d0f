"""Galaxies sharpened: a U-net beside Wiener and Richardson and Lucy
=================================================================

You learn to predict an image from an image. The atmosphere and a telescope spread each point of the sky over several
pixels, and counting photons adds noise. Two methods undo that without having seen a galaxy: Wiener's filter, the best
linear one where signal and noise have known spectra (1949), and the iteration of Richardson (1972) and Lucy (1974),
which makes photon counts most probable and keeps brightness positive. A U-net is given pairs, galaxies before and
after, and learns what galaxies look like as well: disks, spiral arms, bulges. That is why it can do better, and why it
must not be trusted with what is no galaxy. The last row is a ring, which it has never seen. It sharpens that, too, with
the smallest error of all; but it breaks it into clumps that are not in the sky, and nothing tells them from real ones.

::

    python examples/deconvolution_unet.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from sknn import UNetRegressor

SIZE, SPREAD, PHOTONS = 64, 2.0, 200.0
rows, columns = np.indices((SIZE, SIZE)) - SIZE / 2
point = np.exp(-(rows[8:57, 8:57] ** 2 + columns[8:57, 8:57] ** 2) / (2 * SPREAD**2))
point /= point.sum()  # what becomes of a point


def galaxy(rng):
    """A disk with spiral arms and a bulge, seen at an angle; the brightest pixel is 1."""
    turn, tilt, scale, arms, wind = rng.uniform([0, 0.3, 5, 0.3, 2], [np.pi, 1, 10, 1, 4])
    x, y = columns - rng.uniform(-6, 6), rows - rng.uniform(-6, 6)
    x, y = np.cos(turn) * x + np.sin(turn) * y, (np.cos(turn) * y - np.sin(turn) * x) / tilt
    radius, angle = np.hypot(x, y) + 0.5, np.arctan2(y, x)
    spiral = 1 + arms * np.sin(2 * angle - wind * np.log(radius))
    light = np.exp(-radius / scale) * spiral + rng.uniform(0, 2) * np.exp(-((x**2 + (tilt * y) ** 2) / 8))
    return light / light.max()


def observed(sky, rng):
    """Blurred, and counted photon by photon on a dark sky of five."""
    blurred = np.maximum(gaussian_filter(sky, (0, SPREAD, SPREAD)), 0)
    return (rng.poisson(PHOTONS * blurred + 5) - 5) / PHOTONS


def wiener(image, noise):
    """Wiener's filter, with the mean spectrum of the galaxies trained on for the signal."""
    blur = np.fft.fft2(np.fft.ifftshift(np.pad(point, ((8, 7), (8, 7)))))
    return np.fft.ifft2(np.fft.fft2(image) * blur.conj() * SPECTRUM / (np.abs(blur) ** 2 * SPECTRUM + noise)).real


def richardson_lucy(image, n_steps):
    """So many steps towards the most probable sky."""
    counts = np.maximum(PHOTONS * image + 5, 0)
    sky = np.full_like(image, counts.mean())
    for _ in range(n_steps):
        sky *= fftconvolve(counts / np.maximum(fftconvolve(sky, point, mode="same"), 1e-9), point, mode="same")
    return (sky - 5) / PHOTONS


def error(found, sky):
    """Root mean square, in units of the brightest pixel."""
    return np.sqrt(np.mean((found - sky) ** 2))


rng = np.random.default_rng(0)
skies = np.stack([galaxy(rng) for _ in range(400)])
images = observed(skies, rng)
train, choose, test = slice(0, 300), slice(300, 340), slice(340, 400)
SPECTRUM = np.mean(np.abs(np.fft.fft2(skies[train])) ** 2, axis=0)

# The one number of each classical method is chosen on galaxies that neither is tested on.
noises = np.geomspace(1e-2, 1e2, 13)
noise = min(noises, key=lambda n: error([wiener(image, n) for image in images[choose]], skies[choose]))
steps = min(
    (2, 5, 10, 15, 20, 30, 50), key=lambda n: error([richardson_lucy(i, n) for i in images[choose]], skies[choose])
)
start = perf_counter()
unet = UNetRegressor(residual=True, max_iter=15, random_state=0).fit(images[train, ..., None], skies[train])
seconds = perf_counter() - start

ring = np.exp(-((np.hypot(rows, columns) - 16) ** 2) / 2)
shown = np.concatenate([skies[340:342], ring[None]])
seen = np.concatenate([images[340:342], observed(ring[None], rng)])
methods = {
    "as observed": lambda images: images,
    "Wiener": lambda images: np.stack([wiener(image, noise) for image in images]),
    f"Richardson-Lucy, {steps} steps": lambda images: np.stack([richardson_lucy(image, steps) for image in images]),
    "U-net": lambda images: unet.predict(images[..., None]),
}
crest = np.abs(np.hypot(rows, columns) - 16) < 0.5
print(
    "Root mean square error of a pixel in % of the brightest, and how much the brightness of the ring varies along it"
)
print(f"{'':30}  60 galaxies  a ring  varies by   (fit of the U-net: {seconds:.0f} s)")
figure, axes = plt.subplots(3, 5, figsize=(10, 6.2), layout="constrained")
for ax, sky in zip(axes[:, -1], shown, strict=True):
    ax.imshow(sky, cmap="magma", vmin=0, vmax=1)
axes[0, -1].set_title("the sky")
for column, (name, method) in zip(axes.T, methods.items(), strict=False):
    found = method(seen)
    uneven = found[2][crest].std() / found[2][crest].mean()
    print(f"  {name:28} {error(method(images[test]), skies[test]):12.2%} {error(found[2], ring):7.2%} {uneven:10.0%}")
    column[0].set_title(name)
    for ax, picture in zip(column, found, strict=True):
        ax.imshow(picture, cmap="magma", vmin=0, vmax=1)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
axes[2, 0].set_ylabel("no galaxy")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "deconvolution_unet.png", dpi=150)
print(f"Picture: {folder / 'deconvolution_unet.png'}")
