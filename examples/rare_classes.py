"""Rare classes: are samples of a generator worth more than weights?
===================================================================

You learn to add samples of a rare class from a generator without deceiving yourself, and to ask whether it helped. Of
3000 made-up objects 2 % are of a class that lies on an arc through the common one, too few for boosted trees to see its
shape. Four ways say that these few count as much as the others: weights, the same rows again, points between neighbours
(SMOTE), and rows that a generator has drawn, a mixture of Gaussians or a normalizing flow that knows the class as its
condition. Whatever draws, draws from the training rows of a fold alone: a generator that has seen the test rows copies
something of them into the training, and every score is too high. That is why drawing is part of the estimator here.

Two questions have two answers. What the classifier calls rare at a threshold of one half (balanced accuracy) is better
with nearly anything that makes the class heavier; most of that is there for free, with a lower threshold. Whether the
rare ones are ranked higher (average precision) is what new samples could really add, and that is what the study at the
end asks. It finds nothing that is certain: the mixture is ahead, the flow, which has thousands of parameters to learn
from 48 rows, is behind the classifier as it is, and ten folds with 12 rare rows each do not tell either from luck. No
generator is worth its trouble here until there are more rare objects, and then it is needed less. (The flow is small
and trains briefly, so that the script is done in a minute; the data are those of one seed.)

::

    python examples/rare_classes.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.neighbors import NearestNeighbors

from sknn import NormalizingFlow
from sknn.study import Study

N, N_RARE, RARE = 3000, 60, 1
COMMON_COLOR, RARE_COLOR, DRAWN_COLOR = "0.8", "#D55E00", "#0072B2"  # orange and blue of Okabe and Ito


def objects(rng):
    """Four features of each, and whether it is rare."""
    mixing = [[1, 0.6, 0.2, 0], [0, 0.8, 0, 0.3], [0, 0, 1, 0.5], [0, 0, 0, 0.7]]
    common = rng.normal(size=(N - N_RARE, 4)) @ mixing
    angle = rng.uniform(0, np.pi, N_RARE)
    arc = [2.2 * np.cos(angle), 2.2 * np.sin(angle) - 0.4, 0.8 * np.cos(2 * angle), 0.6 * np.sin(2 * angle)]
    rare = np.column_stack(arc) + 0.25 * rng.normal(size=(N_RARE, 4))
    return np.concatenate([common, rare]), np.repeat([0, RARE], [N - N_RARE, N_RARE])


# Each is given all training rows, and draws n of the rare class.


def again(X, y, n, rng):
    return X[y == RARE][rng.integers((y == RARE).sum(), size=n)]


def between_neighbours(X, y, n, rng):
    """SMOTE (Chawla et al. 2002): points on the way from one to one of its five neighbours."""
    rare = X[y == RARE]
    neighbours = NearestNeighbors(n_neighbors=6).fit(rare).kneighbors(rare, return_distance=False)[:, 1:]
    start = rng.integers(len(rare), size=n)
    end = neighbours[start, rng.integers(5, size=n)]
    return rare[start] + rng.random((n, 1)) * (rare[end] - rare[start])


def by_mixture(X, y, n, rng):
    return GaussianMixture(3, reg_covar=0.01, random_state=0).fit(X[y == RARE]).sample(n)[0]


def by_flow(X, y, n, rng):
    """It learns from the common class too, what both have in common, and draws under the condition."""
    flow = NormalizingFlow(n_transforms=4, hidden_layer_sizes=(32, 32), conditional=True, max_iter=20, random_state=0)
    return flow.fit(X, y).sample(n, y=RARE, random_state=0)


class Augmented(ClassifierMixin, BaseEstimator):
    """A classifier that is fitted to as many rare rows as common ones, those that lack being drawn."""

    def __init__(self, classifier, draw):
        self.classifier = classifier
        self.draw = draw

    def fit(self, X, y):
        n_lacking = (y != RARE).sum() - (y == RARE).sum()
        drawn = self.draw(X, y, n_lacking, np.random.default_rng(0))
        self.classifier_ = clone(self.classifier).fit(np.concatenate([X, drawn]), np.append(y, [RARE] * n_lacking))
        self.classes_ = self.classifier_.classes_
        return self

    def predict_proba(self, X):
        return self.classifier_.predict_proba(X)

    def predict(self, X):
        return self.classifier_.predict(X)


X, y = objects(np.random.default_rng(0))
trees = HistGradientBoostingClassifier(random_state=0)
models = {
    "as it is": trees,
    "threshold moved": TunedThresholdClassifierCV(trees, cv=3, random_state=0),
    "class weights": clone(trees).set_params(class_weight="balanced"),
    "same rows again": Augmented(trees, again),
    "SMOTE": Augmented(trees, between_neighbours),
    "mixture": Augmented(trees, by_mixture),
    "flow": Augmented(trees, by_flow),
}
study = Study(models, cv=5, repeats=2, scoring=["average_precision", "balanced_accuracy"]).run({"objects": (X, y)})

summary = study.summary().set_index("model")
print(f"Ten folds, each with {int(0.8 * N_RARE)} rare rows to learn from")
print(summary[["average_precision_mean", "balanced_accuracy_mean"]].round(3).to_string())
print("Average precision beside the classifier as it is; p after Holm's correction for all pairs of models")
helped = {}
pairs = study.compare()
for name in list(models)[2:]:  # a threshold changes no ranking
    pair = pairs[pairs["model_a"].isin(["as it is", name]) & pairs["model_b"].isin(["as it is", name])].iloc[0]
    sign = 1 if pair["model_a"] == name else -1
    helped[name] = sign * pair["difference"], *sorted([sign * pair["low"], sign * pair["high"]])
    said = "no difference is certain" if not pair["p_holm"] < 0.05 else "it helped" if sign > 0 else "it did harm"
    print(f"  {name:16} {helped[name][0]:+.3f} ({helped[name][1]:+.3f} to {helped[name][2]:+.3f}): {said}")

figure, axes = plt.subplots(1, 4, figsize=(15, 4.2), layout="constrained", width_ratios=[1, 1, 1, 1.1])
rng = np.random.default_rng(1)
for ax, (name, draw) in zip(
    axes, {"SMOTE": between_neighbours, "mixture": by_mixture, "flow": by_flow}.items(), strict=False
):
    drawn = draw(X, y, 300, rng)
    ax.plot(*X[y != RARE, :2].T, ".", color=COMMON_COLOR, markersize=2)
    ax.plot(*drawn[:, :2].T, ".", color=DRAWN_COLOR, markersize=4, label="drawn")
    ax.plot(*X[y == RARE, :2].T, "o", color=RARE_COLOR, markersize=5, label="rare")
    ax.set(title=name, xlim=(-4, 4), ylim=(-3, 3.5), xlabel="first feature")
axes[0].set_ylabel("second feature")
axes[0].legend(loc="lower left")
for row, (difference, low, high) in enumerate(helped.values()):
    axes[-1].plot([low, high], [row, row], color=DRAWN_COLOR)
    axes[-1].plot(difference, row, "o", color=DRAWN_COLOR)
axes[-1].axvline(0, color="black", linewidth=0.8)
axes[-1].set_yticks(range(len(helped)), helped)
axes[-1].invert_yaxis()
axes[-1].set(title="did it help?", xlabel="average precision, less that as it is (95 %)")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "rare_classes.png", dpi=150)
print(f"Picture: {folder / 'rare_classes.png'}")
