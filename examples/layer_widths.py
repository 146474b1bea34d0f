"""How many layers, how wide? A random search that draws a width for every layer
=============================================================================

You learn to search over shapes of a network that no short list holds. Three layers of thirty widths are 27,000 shapes,
and a grid would try all of them. A random search draws the number of layers and each width, and so sees as many
different widths as it has draws (Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012). They
also tell what matters: here, two spirals that wind around each other, more weights help, but the same forty weights do
better in one layer than in two or three, each of which is narrow.

::

    python examples/layer_widths.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
import warnings
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold

from sknn import MLPClassifier
from sknn.study.spaces import LayerWidths

N_DRAWS = 30
COLORS = ["#0072B2", "#E69F00", "#009E73"]  # of Okabe and Ito, which every eye can tell apart
MARKERS = ["o", "s", "^"]

rng = np.random.RandomState(0)
turn = np.sqrt(rng.uniform(0.02, 1, 500)) * 4 * np.pi
y = rng.randint(2, size=500)
X = (turn / (4 * np.pi))[:, None] * np.column_stack([np.cos(turn + np.pi * y), np.sin(turn + np.pi * y)])
X += rng.normal(scale=0.02, size=X.shape)

widths = LayerWidths(2, 32, fewest=1, most=3)
network = MLPClassifier(activation="tanh", solver="lbfgs", max_iter=100, random_state=0)
folds = StratifiedKFold(3, shuffle=True, random_state=0)
search = RandomizedSearchCV(network, {"hidden_layer_sizes": widths}, n_iter=N_DRAWS, cv=folds, random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # 100 iterations are enough to tell good shapes from bad
    search.fit(X, y)

shapes = search.cv_results_["param_hidden_layer_sizes"]
accuracy = search.cv_results_["mean_test_score"]


def n_weights(shape):
    """The parameters of a network with two inputs and one output."""
    sizes = [2, *shape, 1]
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))


print(f"Accuracy in three folds of {N_DRAWS} shapes, drawn from {widths}: the best and the worst")
order = np.argsort(-accuracy)
for k in [*order[:4], *order[-4:]]:
    print(f"  {accuracy[k]:.3f}  {n_weights(shapes[k]):5} weights  {shapes[k]}")
print(f"Refitted on all points: {search.best_estimator_}")

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
for n_layers, color, marker in zip((1, 2, 3), COLORS, MARKERS, strict=True):
    chosen = np.array([len(shape) == n_layers for shape in shapes])
    weights = [n_weights(shape) for shape in shapes[chosen]]
    label = f"{n_layers} hidden layer{'s' if n_layers > 1 else ''}"
    ax.scatter(weights, accuracy[chosen], s=36, c=color, marker=marker, edgecolor="white", label=label)
ax.set(xscale="log", xlabel="weights", ylabel="accuracy, mean of three folds", title="Two spirals: which shape?")
ax.legend(frameon=False)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "layer_widths.png", dpi=150)
print(f"Picture: {folder / 'layer_widths.png'}")
