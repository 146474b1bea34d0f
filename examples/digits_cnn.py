"""Handwritten digits: a convolutional network beside a perceptron and a forest, and what its filters see
======================================================================================================

You learn what a convolution does. A filter is a small window of weights, here 3 x 3. It slides over the image, and
where the pixels under it resemble it, its feature map lights up: one filter answers to strokes that rise from left to
right, another to strokes that fall. Nobody draws these filters; the network finds them while it learns to tell digits
apart (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998). A multi-layer
perceptron and a random forest see the same 64 numbers, but not that they form an image.

::

    python examples/digits_cnn.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_validate

from sknn import CNNClassifier, MLPClassifier
from sknn.inspection import FeatureMapDisplay, FilterDisplay

X, y = load_digits(return_X_y=True)  # 1797 images of 8 x 8 pixels, each a row of 64 numbers
folds = StratifiedKFold(5, shuffle=True, random_state=0)
training = {"batch_size": 32, "learning_rate_init": 0.003, "tol": 0.001, "random_state": 0}
models = {
    "CNN": CNNClassifier((16, 32), hidden_layer_sizes=(), input_shape=(8, 8, 1), **training),
    "MLP": MLPClassifier(128, input_scaling="standard", **training),
    "random forest": RandomForestClassifier(random_state=0),
}

print("Five folds of shuffled digits, the same for all: mean accuracy ± standard deviation, seconds for a fit")
results = {}
for name, model in models.items():
    results[name] = cross_validate(model, X, y, cv=folds, return_estimator=True, return_indices=True)
    score, seconds = results[name]["test_score"], results[name]["fit_time"].mean()
    print(f"  {name:13}  {score.mean():.3f} ± {score.std(ddof=1):.3f}  {seconds:5.2f}")
print("Some folds are harder than others for every model, so compare fold by fold:")
for name in ("MLP", "random forest"):
    ahead = np.sum(results["CNN"]["test_score"] > results[name]["test_score"])
    print(f"  the CNN is ahead of the {name} in {ahead} folds of 5")

# The network of the first fold looks at a zero that it was not trained on: a ring has strokes in all directions.
cnn, unseen = results["CNN"]["estimator"][0], results["CNN"]["indices"]["test"][0]
print(f"\nThe layers of the CNN\n{cnn.summary()[['layer', 'output_shape', 'parameters']]}")
zero = X[unseen[y[unseen] == 0][1:2]]

figure, (above, below) = plt.subplots(2, 1, figsize=(8, 5), layout="constrained")
FilterDisplay.from_estimator(cnn, n_columns=8, ax=above)
FeatureMapDisplay.from_estimator(cnn, zero, n_columns=8, ax=below)
above.set_title("the 16 filters of the first convolution")
below.set_title("where each answers to a zero that is new to the network")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "digits_cnn.png", dpi=150)
print(f"Picture: {folder / 'digits_cnn.png'}")
