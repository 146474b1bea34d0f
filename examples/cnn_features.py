"""Features from a convolutional network for a random forest: what a hidden layer is worth to another model
========================================================================================================

You learn that a network is a maker of features. Its last layer is a linear model; all layers before it turn pixels
into numbers that a linear model can work with, and any other model can have these numbers. HiddenLayerTransformer
hands them on, in a pipeline like any other transformer. By itself it fits the network first; here it takes a fitted and
frozen one, so that three forests look at three layers of the same network. To a forest on pixels the columns are
strangers to each other; features of convolutions tell it of strokes, and that helps it. Those of the first layer help
most: the deeper ones are made for the network's own last layer, which with them stays ahead of the forests.

::

    python examples/cnn_features.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline

from sknn import HiddenLayerTransformer, NetworkClassifier
from sknn.nn import Conv, Dense, Flatten, Pool

X, y = load_digits(return_X_y=True)  # 1797 images of 8 x 8 pixels, each a row of 64 numbers
convolutions = [Conv(16, activation="relu"), Pool(), Conv(32, activation="relu"), Pool(), Flatten()]
cnn = NetworkClassifier(
    [*convolutions, Dense(32, activation="relu")],
    input_shape=(8, 8, 1),
    input_scaling="standard",
    batch_size=32,
    learning_rate_init=0.003,
    tol=0.001,
    random_state=0,
)
forest = RandomForestClassifier(random_state=0)

scores, n_features = {}, {}
for rest, few in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):  # a fifth to learn from
    fitted = cnn.fit(X[few], y[few])
    models = {"forest on pixels": make_pipeline("passthrough", forest)}
    for layer in range(3):
        features = HiddenLayerTransformer(FrozenEstimator(fitted), layer)
        models[f"forest on layer {layer}"] = make_pipeline(features, forest)
    for name, model in models.items():
        scores.setdefault(name, []).append(model.fit(X[few], y[few]).score(X[rest], y[rest]))
        n_features[name] = model[-1].n_features_in_
    scores.setdefault("the CNN itself", []).append(fitted.score(X[rest], y[rest]))

print("Five times another fifth of the digits to learn from: accuracy on the rest, mean ± standard deviation;")
print("in how many of the five the model is ahead of the forest on pixels; how many features the forest has")
pixels = np.array(scores["forest on pixels"])
for name, found in scores.items():
    accuracy, ahead = np.array(found), np.sum(found > pixels)
    print(f"  {name:17}  {accuracy.mean():.3f} ± {accuracy.std(ddof=1):.3f}  {ahead}  {n_features.get(name, '')}")

print(f"\nThe layers of the CNN\n{cnn.summary()[['layer', 'output_shape', 'parameters']]}")

figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for fold in zip(*scores.values(), strict=True):
    ax.plot(fold, range(len(scores)), color="0.75", linewidth=1, marker="o", markersize=4)
means = [np.mean(found) for found in scores.values()]
ax.scatter(means, range(len(scores)), s=90, c=["#E69F00"] * 4 + ["#0072B2"], edgecolor="white", zorder=3)
ax.set_yticks(range(len(scores)), scores)
ax.set(xlabel="accuracy: grey in each fold, in colour the mean", title="Forests on layers of a network")
ax.invert_yaxis()

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "cnn_features.png", dpi=150)
print(f"Picture: {folder / 'cnn_features.png'}")
