"""Digits that nobody wrote: drawn by class, by one hand, and between two others
==============================================================================

You learn how a diffusion model makes samples of noise, how to ask it for a class, and what lies between two samples.

A network sees digits of scikit-learn (8 x 8 pixels, 1,797 of them) under more and less noise and learns to take it
away. To draw a digit it begins with nothing but noise, and takes that away in 20 steps. As the network is told which
digit it is (``conditional=True``), it can be asked for one.

- **Drawn by class.** A forest that has seen nothing but 2,000 drawn digits reads those that people wrote, which neither
  it nor the diffusion model has ever seen. So the drawn ones have what matters of the real ones. Whether they are mere
  copies says their distance to the nearest digit of the training: as large as that of new real ones.
- **By one hand.** The steps of DDIM draw nothing anew, so that the noise at the beginning decides all, and can be found
  again (``to_noise``). The noise of a 7, say, told to become all other digits, keeps slant and stroke.
- **Between two.** Halfway between two fives, pixel by pixel, is a blur of both. Halfway between their noise is another
  five, nearly as rich in contrast as real ones: the picture has a pair in which that is plain to see, and the mean over
  200 pairs is printed.

::

    python examples/digits_generated.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from sknn import DiffusionModel

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
model = DiffusionModel(conditional=True, random_state=0).fit(X_train, y_train)

# Drawn by class: as good as real ones to learn from, and no copies of them?
wanted = np.repeat(np.arange(10), 200)
drawn = model.sample(y=wanted, n_samples=len(wanted), random_state=0)
print("A forest reads the digits of the test")
for name, learnt_from in {"real": (X_train, y_train), "drawn": (drawn, wanted)}.items():
    forest = RandomForestClassifier(random_state=0).fit(*learnt_from)
    print(f"  after {len(learnt_from[0]):4d} {name:5} digits: {forest.score(X_test, y_test):.3f}")
nearest = NearestNeighbors(n_neighbors=1).fit(X_train)
print("Mean distance to the nearest digit of the training")
for name, digits in {"real, new": X_test, "drawn": drawn}.items():
    print(f"  {name:9}: {nearest.kneighbors(digits)[0].mean():.1f}")

# By one hand: the noise of some digits becomes all ten.
digits = np.array([0, 4, 7])
rows = [np.flatnonzero(y_test == digit)[0] for digit in digits]
noise = model.to_noise(X_test[rows], y_test[rows])
by_one_hand = model.from_noise(np.repeat(noise, 10, axis=0), np.tile(np.arange(10), len(digits)))

# Between two: along an arc, since noise of many pixels lies near a sphere, and its middle would be too faint.
rng = np.random.default_rng(0)
some = rng.permutation(len(X_test))[:200]
others = np.array([rng.choice(np.flatnonzero(y_test == y_test[row])) for row in some])
one, other = (model.to_noise(X_test[rows], y_test[rows]) for rows in (some, others))
halfway = {
    "real": X_test[some],
    "by noise": model.from_noise((one + other) / np.sqrt(2), y_test[some]),
    "by pixels": (X_test[some] + X_test[others]) / 2,
}
print("Halfway between two of a class: contrast, the standard deviation of the pixels of a digit")
for name, digits_there in halfway.items():
    print(f"  {name:9}: {digits_there.std(axis=1).mean():.2f}")

first, last = np.flatnonzero(y_test == 5)[[37, 12]]
one, other = model.to_noise(X_test[[first, last]], [5, 5])
angle, share = (np.linspace(0, end, 10)[:, None] for end in (np.pi / 2, 1))
between_noise = model.from_noise(np.cos(angle) * one + np.sin(angle) * other, [5] * 10)
between_pixels = (1 - share) * X_test[first] + share * X_test[last]

figure = plt.figure(figsize=(9, 6.6), layout="constrained")
top, middle, bottom = figure.subfigures(3, 1, height_ratios=[4, 3, 2])
parts = {
    "Drawn by class": (top, drawn.reshape(10, 200, 64)[:, :4].swapaxes(0, 1)),
    "By one hand: the noise of the framed digits becomes all ten": (middle, by_one_hand.reshape(3, 10, 64)),
    "Between two fives: by their noise (above), pixel by pixel (below)": (
        bottom,
        np.stack([between_noise, between_pixels]),
    ),
}
for title, (part, images) in parts.items():
    part.suptitle(title)
    for axis, image in zip(part.subplots(*images.shape[:2]).flat, images.reshape(-1, 64), strict=True):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
for row, digit in enumerate(digits):
    middle.axes[10 * row + digit].spines[:].set(visible=True, color="#D55E00", linewidth=3)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "digits_generated.png", dpi=150)
print(f"Picture: {folder / 'digits_generated.png'}")
