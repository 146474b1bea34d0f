"""One-pixel filaments: what the skips of a U-net are for
=========================================================

You learn what makes a U-net a U-net. It goes down to coarser and coarser grids, where it sees much at once, and up
again to the pixels. On the way down it loses where things are to the pixel; the skips, which go past the coarse grids,
bring that back (Ronneberger, Fischer, Brox, "U-Net: convolutional networks for biomedical image segmentation", 2015).
Whether that matters depends on what is sought. Here it is filaments one pixel wide, on a bright and dark background,
in noise: gas between galaxies, cracks, vessels, roads. The same network is trained with and without skips, for as many
steps; beside them stand a threshold and a forest that knows smoothed values, slopes and curvatures of each pixel.

::

    python examples/filaments_unet.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace
from sklearn.ensemble import RandomForestClassifier

from sknn import UNetSegmenter
from sknn.inspection import SegmentationDisplay
from sknn.metrics import dice_score


def filaments(n, rng, size=256, n_lines=15, length=160):
    """Images (n, size, size, 1) with wandering lines one pixel wide, and where they are."""
    lines = np.zeros((n, size, size), int)
    for image in lines:
        for _ in range(n_lines):
            angles = rng.uniform(0, 2 * np.pi) + np.cumsum(0.12 * rng.normal(size=length))
            steps = np.cumsum(np.stack([np.sin(angles), np.cos(angles)], axis=1), axis=0)
            places = (rng.uniform(0, size, 2) + steps).astype(int)
            places = places[((places >= 0) & (places < size)).all(axis=1)]
            image[tuple(places.T)] = 1
    background = 8 * gaussian_filter(rng.normal(size=lines.shape), (0, 8, 8))
    noise = 0.5 * rng.normal(size=lines.shape)
    return (1.5 * lines + background + noise)[..., None], lines


def of_pixels(images):
    """Value, smoothed values, slopes and curvatures at 1, 2, 4 and 8 pixels: a row for each pixel."""
    filters = (gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace)
    rows = []
    for image in images[..., 0]:
        found = [image, *(f(image, scale) for f in filters for scale in (1, 2, 4, 8))]
        rows.append(np.stack(found, axis=-1).reshape(-1, len(found)))
    return np.concatenate(rows)


def dice(predicted):
    """That of the filaments, over all pixels of all images together."""
    return dice_score(truth, predicted, average=None)[1]


rng = np.random.default_rng(0)
X, y = filaments(20, rng)
images, truth = X[16:], y[16:]  # not trained on

print("Dice coefficient of the filaments in four images that are new to all")
smooth = gaussian_filter(X[..., 0], (0, 1, 1)) - gaussian_filter(X[..., 0], (0, 4, 4))
cuts = np.quantile(smooth[:16], np.linspace(0.9, 0.995, 20))
best = max(cuts, key=lambda cut: dice_score(y[:16], (smooth[:16] > cut).astype(int), average=None)[1])
print(f"  best threshold of the image less its surroundings  {dice((smooth[16:] > best).astype(int)):.2f}")

some = rng.choice(y[:16].size, 40_000, replace=False)
forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0)
forest.fit(of_pixels(X[:16])[some], y[:16].ravel()[some])
guess = forest.predict(of_pixels(images)).reshape(truth.shape)
print(f"  forest on features of each pixel                   {dice(guess):.2f}")

figure, axes = plt.subplots(2, 1, figsize=(9, 4.8), layout="constrained")
for skips, ax in zip((True, False), axes, strict=True):
    start = perf_counter()
    unet = UNetSegmenter(skips=skips, max_iter=25, random_state=0).fit(X[:16], y[:16])  # 200 steps
    name = f"U-net with{'' if skips else 'out'} skips"
    found = dice(unet.predict(images))
    print(f"  {name:50} {found:.2f}   ({unet.network_.n_parameters:,} parameters, {perf_counter() - start:.0f} s)")
    SegmentationDisplay.from_estimator(unet, images[0, :128, :160], truth[0, :128, :160], legend=not skips, ax=ax)
    ax.set_title(f"{name}: Dice {found:.2f}")
print("With three times as many steps the network without skips finds most of them, too (Dice about 0.75).")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "filaments_unet.png", dpi=150)
print(f"Picture: {folder / 'filaments_unet.png'}")
