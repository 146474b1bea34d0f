"""Augmentation: digits that are shifted, turned and disturbed while a network learns
===================================================================================

You learn to tell a network what does not matter: a digit that lies a pixel to the left, is turned a little or a little
larger is the same digit. ``augment=["shift", "rotate"]`` changes every sample anew each time that it is seen, in
training alone, so that of 100 digits no two epochs show the same images. What an augmentation claims has to be true:
digits that are reversed are other signs, and with ``"flip"`` the network gets worse.

::

    python examples/augmented_digits.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedShuffleSplit

from sknn import CNNClassifier
from sknn.augment import Flip, Noise, Rotate, Shift, Zoom, augmented
from sknn.nn import Draws

X, y = load_digits(return_X_y=True)
images = X.reshape(-1, 8, 8, 1) / 16.0
splits = list(StratifiedShuffleSplit(3, train_size=100, random_state=0).split(images, y))

cnn = CNNClassifier(
    (16, 32),
    solver="adamw",
    learning_rate="one_cycle",
    learning_rate_init=0.005,
    max_iter=300,
    n_iter_no_change=np.inf,
    random_state=0,
)
choices = {
    "nothing": None,
    "shift": "shift",
    "rotate": "rotate",
    "shift, rotate, zoom": ["shift", "rotate", "zoom"],
    "noise": Noise(0.3),
    "flip": "flip",
}
models = {name: clone(cnn).set_params(augment=augment) for name, augment in choices.items()}
scores = {
    name: [clone(model).fit(images[few], y[few]).score(images[rest], y[rest]) for few, rest in splits]
    for name, model in models.items()
}
flat = images.reshape(len(images), -1)
forest = RandomForestClassifier(300, random_state=0)
scores["forest"] = [clone(forest).fit(flat[few], y[few]).score(flat[rest], y[rest]) for few, rest in splits]

print("Share of 1697 digits that are read right after 100, mean and spread of 3 draws of these")
for name, found in scores.items():
    print(f"  {name:20} {np.mean(found):.3f} ± {np.std(found):.3f}")

shown = [Shift(0.25), Rotate(30), Zoom(0.3), Noise(0.3), Flip(), [Shift(), Rotate(), Zoom()]]
titles = ["Shift(0.25)", "Rotate(30)", "Zoom(0.3)", "Noise(0.3)", "Flip()", "shift, rotate, zoom"]
figure = plt.figure(figsize=(13, 5.5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1.3, 1])
left.suptitle("One digit as training sees it, time after time")
seven = images[[7]].repeat(6, axis=0)
for row, augment, title in zip(left.subplots(len(shown), 6), shown, titles, strict=True):
    for ax, image in zip(row, augmented(seven, augment, Draws(0, "float64")).x, strict=True):
        ax.imshow(image[..., 0], cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(title, rotation=0, ha="right", va="center")
ax = right.subplots()
names = list(scores)[::-1]
for at, name in enumerate(names):
    ax.plot(scores[name], [at] * len(splits), "o", color="#0072B2" if name in models else "#999999", alpha=0.7)
ax.set(yticks=range(len(names)), yticklabels=names, xlabel="accuracy after 100 digits, on 1697 others")
ax.set_title("What it is worth, for three draws of the digits")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "augmented_digits.png", dpi=150)
print(f"Picture: {folder / 'augmented_digits.png'}")
