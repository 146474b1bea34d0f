"""Labels saved: asking about the right digits
===========================================

You learn to have those samples labelled from which a model learns most, and to count what that saves. Of 1097 digits
nobody has said what they are. Twenty are labelled at random; then, again and again, five networks learn from all that
are labelled, and twenty more are chosen: at random, the twenty of which the networks are least sure (largest entropy of
the mean probabilities), or a batch by `query`, in which each digit is chosen given that the labels of those before it
will be known. 700 other digits, drawn at random and never asked about, say how good the networks are. All of that five
times.

With 300 labels at random the networks read 0.945 of the others. Of queried ones some 140 do that, and 220 make networks
as good as those that know all 1097. Batches count: the twenty of which the networks are least sure are much alike, and
for the first hundred labels no better than random ones. In the beginning nothing is saved, for networks that know next
to nothing do not know what they do not know either. And digits are easy to read. Where more samples have something new
to say, less is saved; half of the labels is much.

::

    python examples/labels_saved.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sknn import EnsembleClassifier, MLPClassifier
from sknn.model_selection import query

FIRST, BATCH, MOST, SEEDS = 20, 20, 300, range(5)
COLOURS = {"random": "#999999", "least sure": "#E69F00", "query": "#0072B2"}  # of Okabe and Ito
X, y = load_digits(return_X_y=True)
X /= 16


def choose(way, ensemble, pool, rng):
    """Rows of the pool."""
    if way == "random":
        return rng.choice(len(pool), BATCH, replace=False)
    if way == "least sure":
        return np.argsort(ensemble.uncertainty(pool, kind="total"))[-BATCH:]
    return query(ensemble, pool, BATCH, random_state=rng)


def five_networks(labelled, seed):
    network = MLPClassifier(50, learning_rate="one_cycle", learning_rate_init=0.02, batch_size=20, max_iter=60)
    return EnsembleClassifier(network, random_state=seed).fit(X[labelled], y[labelled])


def split(rng):
    """Digits to test, and the pool."""
    return np.split(rng.permutation(len(X)), [700])


def accuracies(way, seed):
    """Of the networks, after each batch; and what was labelled, in the order in which it was."""
    rng = np.random.RandomState(seed)
    test, pool = split(rng)
    labelled, pool = pool[:FIRST], pool[FIRST:]
    found = []
    while True:
        ensemble = five_networks(labelled, seed)
        found.append(ensemble.score(X[test], y[test]))
        if len(labelled) == MOST:
            return found, labelled
        chosen = choose(way, ensemble, X[pool], rng)
        labelled, pool = np.append(labelled, pool[chosen]), np.delete(pool, chosen)


def with_all_labels(seed):
    test, pool = split(np.random.RandomState(seed))
    return five_networks(pool, seed).score(X[test], y[test])


numbers = np.arange(FIRST, MOST + 1, BATCH)
runs = {way: [accuracies(way, seed) for seed in SEEDS] for way in COLOURS}
curves = {way: np.array([found for found, _ in each]) for way, each in runs.items()}
all_labels = np.mean([with_all_labels(seed) for seed in SEEDS])
means = {way: curve.mean(axis=0) for way, curve in curves.items()}


def labels_for(accuracy, mean):
    """How many labels the mean accuracy takes, between two batches on a straight line."""
    k = int(np.argmax(mean >= accuracy))
    if mean[k] < accuracy:
        return f"> {MOST}"
    return f"{np.interp(accuracy, mean[k - 1 : k + 1], numbers[k - 1 : k + 1]):.0f}"


levels = (0.85, 0.9, 0.93, 0.95)
print("Labels that a mean accuracy takes" + f"{f'accuracy with {MOST}':>28}")
print(f"{'':12}", *(f"{level:>7}" for level in levels))
for way, mean in means.items():
    cells = [f"{labels_for(level, mean):>7}" for level in levels]
    print(f"{way:12}", *cells, f"{mean[-1]:14.3f} +- {curves[way][:, -1].std():.3f}")
print(f"with all labels of the pool {all_labels:.3f}")

# -- the picture ---------------------------------------------------------------------------------------------------

figure = plt.figure(figsize=(11, 4.5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[3, 2])
ax = left.subplots()
for way, colour in COLOURS.items():
    ax.plot(numbers, curves[way].T, color=colour, linewidth=0.6, alpha=0.5)
    ax.plot(numbers, means[way], color=colour, linewidth=2.5, label=way)
ax.axhline(all_labels, color="black", linewidth=0.8, linestyle=":", label="all 1097 labels")
ax.set(xlabel="labels", ylabel="accuracy on other digits", ylim=(0.7, 1.0), title="five runs of each, and their means")
ax.legend(frameon=False, loc="lower right")
for (way, each), part in zip(runs.items(), right.subfigures(3, 1), strict=True):
    part.suptitle(f"{way}: ten of the third batch", fontsize=10)
    for image, cell in zip(each[0][1][FIRST + 2 * BATCH :], part.subplots(1, 10), strict=False):
        cell.imshow(X[image].reshape(8, 8), cmap="gray_r")
        cell.set_axis_off()

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "labels_saved.png", dpi=150)
print(f"Picture: {folder / 'labels_saved.png'}")
