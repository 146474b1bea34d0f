"""A gap in a curve: who knows that nothing was measured there
===========================================================

You learn what is said of a curve where there are no data, by five ways of finding the distribution of a network's
weights, and by a Gaussian process. A curve was measured 240 times in two stretches, with noise; nothing was measured
between them, nor beyond either end. Dark bands hold the curve itself with 90 %, in the opinion of each, light ones a
new measurement.

In the gap, the error bars of the Laplace approximation, the ensemble and the process are two or three times those at
the data, of Markov chains ten times, which know of steeper and flatter ways across; all of them hold the curve, which
does there what it did before. Beyond the ends it turns, and no band of a network knows of that: they follow the last
slope. Only the process gives up its opinion soon enough to be right for some of the way. An error bar says how much the
functions differ that a model can think of. It does not say what no function of the model does.

Dropout and mean-field variational inference are as unsure at the data as elsewhere, dropout least of all in the gap:
how wide their bands are has little to do with where the data lie. Begin with Laplace; in one dimension, with the
process.

::

    python examples/gap_in_a_curve.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from sknn import BayesianRegressor
from sknn.posteriors import HMC

BLUE, RED = "#0072B2", "#D55E00"  # of Okabe and Ito, which every eye can tell apart
KERNEL = ConstantKernel() * RBF() + WhiteKernel()
rng = np.random.default_rng(0)


def curve(x):
    return np.sin(1.5 * x) + 0.3 * x


X = np.concatenate([rng.uniform(-3, -0.8, 120), rng.uniform(0.8, 3, 120)])[:, None]
y = curve(X[:, 0]) + rng.normal(0, 0.2, 240)
grid = np.linspace(-4.5, 4.5, 361)[:, None]
x = grid[:, 0]
places = {"at data": (abs(x) > 0.8) & (abs(x) < 3), "in the gap": abs(x) < 0.8, "beyond": abs(x) > 3}

models = {
    "Laplace": BayesianRegressor(posterior="laplace", random_state=0),
    "ensemble": BayesianRegressor(posterior="ensemble", random_state=0),
    "dropout": BayesianRegressor(posterior="dropout", random_state=0),
    "variational": BayesianRegressor(posterior="variational", random_state=0),
    "Markov chains (HMC)": BayesianRegressor(posterior=HMC(n_warmup=800, n_samples=800), random_state=0),
    "Gaussian process": GaussianProcessRegressor(KERNEL, n_restarts_optimizer=4, random_state=0),
}

print("Standard deviation of what is not known of the curve, and the share of it within its intervals of 90 %")
print(f"{'':20}", *(f"{place:>12}" for place in places))
figure, axes = plt.subplots(2, 3, figsize=(12, 6.5), sharex=True, sharey=True, layout="constrained")
for (name, model), ax in zip(models.items(), axes.flat, strict=True):
    model.fit(X, y)
    mean, total = model.predict(grid, return_std=True)
    if name == "Gaussian process":
        unknown = np.sqrt(np.maximum(total**2 - model.kernel_.k2.noise_level, 0.0))
    else:
        unknown = model.uncertainty(grid, kind="epistemic")
    off = np.abs(mean - curve(x))
    print(
        f"{name:20}",
        *(f"{unknown[k].mean():6.2f}, {np.mean(off[k] < 1.645 * unknown[k]):.2f}" for k in places.values()),
    )
    ax.fill_between(x, mean - 1.645 * total, mean + 1.645 * total, color=BLUE, alpha=0.15, linewidth=0)
    ax.fill_between(x, mean - 1.645 * unknown, mean + 1.645 * unknown, color=BLUE, alpha=0.35, linewidth=0)
    ax.plot(x, mean, color=BLUE)
    ax.plot(x, curve(x), color=RED, linestyle="--", linewidth=1)
    ax.plot(X[:, 0], y, ".", color="black", markersize=3)
    ax.set(title=name, ylim=(-3.5, 3.5))

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "gap_in_a_curve.png", dpi=150)
print(f"Picture: {folder / 'gap_in_a_curve.png'}")
