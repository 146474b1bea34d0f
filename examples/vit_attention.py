"""Attention over images: where a vision transformer looks
=======================================================

You learn what the patches of an image look at, and how to draw it. Each image holds one of scikit-learn's handwritten
digits, somewhere, among scraps of others; a network is told which digit it is, never where. To answer it has to find
out, and when its attention is drawn over the image, it can be seen that it does. A forest on the pixels cannot: to it a
digit in another place is another digit.

That a network looked somewhere is no proof that it answered for that reason; here it is known what counts, and so it
can be asked: how much of the attention lies on the digit, of which share of the image? (One seed.)

::

    python examples/vit_attention.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from sknn import ViTClassifier
from sknn.inspection import AttentionDisplay

N_TRAIN = 7000  # images, of 1400 digits; the others are to test
SIDE, DIGIT, SCRAP, PATCH = 20, 8, 4, 4  # pixels along the side
N_SCRAPS, NOISE = 4, 0.1
N_SHOWN = 4

rng = np.random.default_rng(0)
digits = load_digits()
order = rng.permutation(len(digits.target))
pictures, labels = digits.images[order] / 16, digits.target[order]


def somewhere(size):
    return rng.integers(0, SIDE - size + 1, 2)


def scene(picture):
    """An image with the picture among scraps of others, and where the picture is."""
    image = np.zeros((SIDE, SIDE))
    for _ in range(N_SCRAPS):
        other = pictures[rng.integers(1400)]
        (row, column), (a, b) = somewhere(SCRAP), rng.integers(0, DIGIT - SCRAP + 1, 2)
        image[row : row + SCRAP, column : column + SCRAP] = other[a : a + SCRAP, b : b + SCRAP]
    row, column = somewhere(DIGIT)
    image[row : row + DIGIT, column : column + DIGIT] = picture
    return image + NOISE * rng.standard_normal(image.shape), (row, column)


def scenes(numbers):
    images, places = zip(*(scene(pictures[number]) for number in numbers), strict=True)
    return np.array(images)[..., None], np.array(places), labels[numbers]


X, _, y = scenes(rng.integers(0, 1400, N_TRAIN))
X_test, places, y_test = scenes(np.arange(1400, len(labels)))

vit = ViTClassifier(
    PATCH, width=48, depth=2, stem=(16, 16), max_iter=15, batch_size=64, learning_rate_init=5e-3, random_state=0
)
vit.fit(X, y)
forest = RandomForestClassifier(random_state=0, n_jobs=2).fit(X.reshape(len(X), -1), y)
print(f"{len(X_test)} new digits in new places, accuracy:")
print(f"  vision transformer    {vit.score(X_test, y_test):.2f}")
print(f"  forest on the pixels  {forest.score(X_test.reshape(len(X_test), -1), y_test):.2f}")

# how much of each patch is the digit, and how much of the attention of all patches goes there
n = SIDE // PATCH
covered = np.zeros((len(X_test), SIDE, SIDE))
for mask, (row, column) in zip(covered, places, strict=True):
    mask[row : row + DIGIT, column : column + DIGIT] = 1
covered = covered.reshape(-1, n, PATCH, n, PATCH).mean(axis=(2, 4)).reshape(-1, n * n)
weights = vit.attention_weights(X_test).mean(axis=(2, 3))  # of all heads and patches: (images, blocks, patches)
shares = (weights * covered[:, None]).sum(axis=-1).mean(axis=0)
print(f"Share of the attention that lies on the digit, which is {covered.mean():.2f} of the image:")
for block, share in enumerate(shares):
    print(f"  block {block}  {share:.2f}")

figure, axes = plt.subplots(3, N_SHOWN, figsize=(10, 7.6), layout="constrained")
for column, (image, (top, left)) in enumerate(zip(X_test[:N_SHOWN], places[:N_SHOWN], strict=True)):
    axes[0, column].imshow(image[..., 0], cmap="Greys")
    axes[0, column].set_title(f"a {y_test[column]}, told to be a {vit.predict(image[None])[0]}", fontsize=11)
    for ax, block in zip(axes[1:, column], (0, "rollout"), strict=True):
        AttentionDisplay.from_estimator(vit, image, block=block, colorbar=False, ax=ax)
        ax.add_patch(Rectangle((left - 0.5, top - 0.5), DIGIT, DIGIT, fill=False, edgecolor="#56B4E9", linewidth=2))
for ax, name in zip(axes[:, 0], ("image", "attention of the first block", "both blocks, rolled out"), strict=True):
    ax.set_ylabel(name, fontsize=11)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "vit_attention.png", dpi=150)
print(f"Picture: {folder / 'vit_attention.png'}")
