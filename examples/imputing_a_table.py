"""Gaps in a table, filled by what could have stood there
======================================================

You learn to fill gaps several times over (multiple imputation), to check whether the fillings are honest, and when a
diffusion model is worth it beside scikit-learn's IterativeImputer.

A gap that is filled by a single best guess pretends to know what nobody measured. Drawn several times from what could
stand there, given the rest of the row, the filled tables differ by as much as is not known: each is analysed, and the
spread of the answers says how far to trust them (Rubin 1987).

Two tables of 2,000 rows are made, of which a quarter of the values is hidden:

- **rings**: positions on two rings and something that tells, with noise, which ring. Given one coordinate, the other is
  one of two or of four values, and their mean is never right.
- **normal**: five columns of a normal distribution, in which each column is a linear function of the others, and noise.

IterativeImputer draws each column from a linear regression on the others, in turns. A diffusion model is trained with
masks (``missing=0.5``): it is shown some values of a row and takes the noise from the others, so that it knows the
distribution of what is missing given what is known, whatever that is. It learns from rows with gaps.

Two figures say how good 19 fillings are: how often the truth lies between the least and the largest of them, which
should be in 18 of 20 cases (it is one of 20 numbers drawn alike, and the least or largest in two cases); and the
continuous ranked probability score, in standard deviations of the column, which is the less the nearer and the
sharper the draws are (it is the absolute error of a single guess). On the normal table the linear model is the truth,
and wins in less time; on the rings it does not know what it does not know.

::

    python examples/imputing_a_table.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer

from sknn import DiffusionModel

N_ROWS, N_FILLINGS = 2000, 19
rng = np.random.default_rng(0)


def rings():
    angle, outer = rng.uniform(0, 2 * np.pi, N_ROWS), rng.integers(2, size=N_ROWS)
    exact = np.c_[(1 + outer) * np.cos(angle), (1 + outer) * np.sin(angle), 2 * outer]
    return exact + rng.normal(size=exact.shape) * [0.05, 0.05, 0.3]


def normal():
    factor = rng.normal(size=(5, 5))
    return rng.normal(size=(N_ROWS, 5)) @ factor


def by_regressions(table):
    draw = [IterativeImputer(sample_posterior=True, random_state=seed) for seed in range(N_FILLINGS)]
    return np.stack([imputer.fit_transform(table) for imputer in draw])


def by_diffusion(table):
    return DiffusionModel(missing=0.5, random_state=0).fit(table).impute(table, N_FILLINGS, random_state=0)


def score(draws, truth):
    """The mean continuous ranked probability score of draws (m, n), as a fair estimate from m of them."""
    ranks = 2 * np.arange(1, len(draws) + 1) - len(draws) - 1
    half_distance = (ranks[:, None] * np.sort(draws, axis=0)).sum(axis=0) / (len(draws) * (len(draws) - 1))
    return (np.abs(draws - truth).mean(axis=0) - half_distance).mean()


filled = {}
print("table   filled by    score  within")
for name, table in {"rings": rings(), "normal": normal()}.items():
    hidden = rng.random(table.shape) < 0.25
    with_gaps, spread = np.where(hidden, np.nan, table), table.std(axis=0)
    truth = (table / spread)[hidden]
    for way, fill in {"regressions": by_regressions, "diffusion": by_diffusion}.items():
        filled[name, way] = fill(with_gaps)
        draws = (filled[name, way] / spread)[:, hidden]
        low, high = draws.min(axis=0), draws.max(axis=0)
        print(f"{name:7} {way:12} {score(draws, truth):.3f}  {np.mean((low <= truth) & (truth <= high)):.2f}")
    if name == "rings":
        second_alone = hidden[:, 1] & ~hidden[:, 0] & ~hidden[:, 2]
        shown = {"as it was": table}
shown |= {f"filled by {way}": filled["rings", way][0] for way in ("regressions", "diffusion")}

figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained")
for axis, (title, table) in zip(axes, shown.items(), strict=True):
    axis.scatter(*table[second_alone, :2].T, s=6, color="#0072B2")
    axis.set(title=title, xlabel="known", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
axes[0].set_ylabel("hidden")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "imputing_a_table.png", dpi=150)
print(f"Picture: {folder / 'imputing_a_table.png'}")
