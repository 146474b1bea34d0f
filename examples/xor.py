"""XOR: what a perceptron cannot learn and a multi-layer perceptron can
====================================================================

You learn why networks have hidden layers. A perceptron tells two classes apart by one straight line. Rosenblatt's rule
finds such a line where there is one, as for AND. For XOR, "the one or the other but not both", there is none, and the
rule makes mistakes for ever (Minsky and Papert, "Perceptrons", 1969). One hidden layer bends the boundary.

::

    python examples/xor.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.model_selection import train_test_split

from sknn import MLPClassifier, PerceptronClassifier

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
N_EPOCHS = 10
COLORS = ["#0072B2", "#E69F00"]  # blue and orange of Okabe and Ito, which every eye can tell apart
MARKERS = ["o", "s"]


def rosenblatt(X, y, n_epochs):
    """Rosenblatt's rule: a mistake adds its sample to the weights. Returns these and the mistakes of each epoch."""
    w, b, mistakes = np.zeros(2), 0.0, [0] * n_epochs
    for epoch in range(n_epochs):
        for x, t in zip(X, np.where(y == 1, 1.0, -1.0), strict=True):
            if t * (w @ x + b) <= 0:
                w, b = w + t * x, b + t
                mistakes[epoch] += 1
    return w, b, mistakes


print(f"Mistakes of Rosenblatt's rule in each of {N_EPOCHS} epochs, and the weights after the last")
for name, y in {"AND": np.array([0, 0, 0, 1]), "XOR": np.array([0, 1, 1, 0])}.items():
    w, b, mistakes = rosenblatt(CORNERS, y, N_EPOCHS)
    print(f"  {name}  {' '.join(map(str, mistakes))}   w = {w}, b = {b:.0f}")
    perceptron = PerceptronClassifier(shuffle=False, tol=None, max_iter=N_EPOCHS).fit(CORNERS, y)
    np.testing.assert_array_equal([*perceptron.coef_[0], *perceptron.intercept_], [*w, b])
print("For XOR the weights have come back to zero, where they began: so it goes on for ever.")
print("PerceptronClassifier finds the same weights.\n")

# The same with noise: a cloud of points around each corner.
rng = np.random.RandomState(0)
corner = rng.randint(4, size=600)
X = CORNERS[corner] + rng.normal(scale=0.2, size=(600, 2))
y = np.isin(corner, [1, 2]).astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

models = [
    PerceptronClassifier(),
    MLPClassifier(hidden_layer_sizes=(16,), learning_rate_init=0.02, max_iter=1000, random_state=0),
]
style = {"plot_method": "pcolormesh", "grid_resolution": 700, "cmap": ListedColormap(COLORS), "alpha": 0.3}
figure, panels = plt.subplots(1, 2, figsize=(8, 5.4), sharex=True, sharey=True, layout="constrained")
print("Accuracy on points not seen in training; a line has three clouds of four right at best, about 0.75")
for model, ax in zip(models, panels, strict=True):
    name, accuracy = type(model).__name__, model.fit(X_train, y_train).score(X_test, y_test)
    print(f"  {name:20}  {accuracy:.2f}")
    DecisionBoundaryDisplay.from_estimator(model, X, response_method="predict", eps=0.2, ax=ax, **style)
    for label in (0, 1):
        points = X_test[y_test == label].T
        ax.scatter(*points, s=36, c=COLORS[label], marker=MARKERS[label], edgecolor="white", label=f"class {label}")
    ax.set(title=f"{name}\naccuracy {accuracy:.2f}", xlabel="$x_1$", ylabel="$x_2$")
    ax.set(box_aspect=1, xticks=[0, 1], yticks=[0, 1])
    ax.label_outer()
what = "points: true class, background: predicted class"
figure.legend(*panels[0].get_legend_handles_labels(), title=what, loc="outside lower center", ncols=2, frameon=False)

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "xor.png", dpi=150)
print(f"Picture: {folder / 'xor.png'}")
