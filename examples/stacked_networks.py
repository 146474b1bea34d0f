"""Does a network help a forest? Five networks, a mean and a stack, in the same folds
======================================================================================

You learn to put a network and a random forest together in two ways, and to ask whether it was worth it. The mean of
both trusts each alike. A stack learns from samples that neither had seen how far to trust each (Wolpert, "Stacked
generalization", 1992), and trains all of them once more in every fold for that. Beside them stand five networks that
differ in nothing but their random states and train side by side. The stack gains nothing over the mean here, and the
five networks gain most: each has set other samples aside to stop by, and their mean has seen all.

The data are scikit-learn's diabetes, 442 patients and little to learn, and a smooth function of five numbers with
noise (Friedman 1, 500 rows). All models see the same ten folds, so differences are taken fold by fold: what varies
from fold to fold is how hard its patients are, and cancels.

::

    python examples/stacked_networks.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold, cross_val_score

from sknn import EnsembleRegressor, MLPRegressor

TABLES = {
    "diabetes": load_diabetes(return_X_y=True),
    "Friedman 1": make_friedman1(500, noise=1.0, random_state=0),
}
FOLDS = KFold(10, shuffle=True, random_state=0)

network = MLPRegressor(input_scaling="standard", learning_rate_init=0.01, early_stopping=True, random_state=0)
forest = RandomForestRegressor(100, random_state=0)
both = [("network", network), ("forest", forest)]
MODELS = {
    "forest": forest,
    "network": network,
    "five networks": EnsembleRegressor(network, random_state=0),
    "mean of both": EnsembleRegressor(both),
    "stack of both": EnsembleRegressor(both, method="stacking", cv=KFold(5, shuffle=True, random_state=1)),
}

figure, axes = plt.subplots(1, len(TABLES), figsize=(9, 3.6), layout="constrained")
for ax, (name, (X, y)) in zip(axes, TABLES.items(), strict=True):
    scores = {model: cross_val_score(estimator, X, y, cv=FOLDS) for model, estimator in MODELS.items()}
    best_alone = max("forest", "network", key=lambda model: scores[model].mean())
    print(f"{name}: R², and by how much it beats the {best_alone} in the same folds (± standard error)")
    for row, (model, score) in enumerate(scores.items()):
        gain = score - scores[best_alone]
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        print(f"  {model:14} {score.mean():.3f}   {gain.mean():+.3f} ± {error:.3f}")
        ax.errorbar(gain.mean(), row, xerr=2 * error, fmt="o", color="#0072B2", capsize=4)
    ax.axvline(0, color="#BBBBBB", zorder=0)
    ax.set(title=f"{name}: gain over the {best_alone}", xlabel="difference of R², ± 2 standard errors")
    ax.locator_params(axis="x", nbins=5)
    ax.set_yticks(range(len(MODELS)), list(MODELS) if ax is axes[0] else [""] * len(MODELS))
    ax.invert_yaxis()

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "stacked_networks.png", dpi=150)
print(f"Picture: {folder / 'stacked_networks.png'}")
