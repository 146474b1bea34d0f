"""The distance of a star, with error bars
=======================================

You learn to predict a number with an interval that fits each sample, and to look whether it does where it matters. A
star's parallax tells its distance if it is large beside its error; for faint stars it is all error, and what is left is
how bright a star of that colour should be, which is known to half a magnitude at best, and not at all for one that may
be dwarf or giant. Dust dims and reddens them all. From parallax, its error, brightness and colour of 1500 made-up stars
whose distances are known, networks and others learn the distance modulus, 5 log10(r / 10 pc), and are asked about 5000
new ones.

Three of the four hold nine in ten stars in their intervals of 90 %, and that says little. With one noise level for all,
the network as well as a ridge with cubic terms, intervals are too wide where the parallax is good, and far too narrow
where it is poor: there three of ten stars lie outside. `noise="learned"` lets the network say the noise of each star.
Its intervals are less than half as wide where the parallax is good, two thirds wider where it is poor, and hold 0.89 to
0.93 in each group; of the very nearest star, the like of which it has hardly seen, it says that it does not know.
Quantile boosting too sees where the noise is large, but holds only 0.80, in each group: 1500 stars are few for it.

::

    python examples/star_distance.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import BayesianRidge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sknn import BayesianRegressor

N_TRAIN, N_TEST = 1500, 5000
GROUPS = {"poor": (-np.inf, 5), "fair": (5, 20), "good": (20, np.inf)}  # parallax, in units of its error
COLOURS = ["#E69F00", "#009E73", "#56B4E9", "#0072B2"]  # of Okabe and Ito, which every eye can tell apart
rng = np.random.default_rng(0)


def stars(n):
    """Parallax in units of its error, and on a scale that takes negative ones; its error, brightness, colour."""
    r = 50 + 5000 * rng.beta(2, 3, n)
    is_giant = rng.uniform(size=n) < 0.25
    colour = np.where(is_giant, rng.normal(1.25, 0.15, n), rng.uniform(0.5, 2.6, n))
    dwarf = 2.9 + 2.9 * (colour - 0.5) + 0.25 * np.sin(3 * colour) + rng.normal(0, 0.25, n)
    magnitude = np.where(is_giant, 0.5 - 3 * (colour - 1.25) + rng.normal(0, 0.6, n), dwarf)
    dust = 0.1 * np.minimum(r, 1500) / 1000 * rng.lognormal(0, 0.4, n)
    modulus = 5 * np.log10(r / 10)
    brightness, reddened = magnitude + modulus + 2.7 * dust, colour + 1.3 * dust + rng.normal(0, 0.01, n)
    error = 0.02 * np.sqrt(1 + 10 ** (0.4 * (brightness - 15)))
    parallax = rng.normal(1000 / r, error)
    X = np.column_stack([parallax / error, np.arcsinh(parallax / 0.1), np.log(error), brightness, reddened])
    return X[brightness < 18], modulus[brightness < 18]


X, y = stars(4 * (N_TRAIN + N_TEST))
X_new, y_new = X[N_TRAIN : N_TRAIN + N_TEST], y[N_TRAIN : N_TRAIN + N_TEST]
X, y = X[:N_TRAIN], y[:N_TRAIN]

intervals = {}
ridge = make_pipeline(StandardScaler(), PolynomialFeatures(3), BayesianRidge()).fit(X, y)
mean, std = ridge.predict(X_new, return_std=True)
intervals["ridge with cubic terms"] = np.stack([mean - 1.645 * std, mean + 1.645 * std], axis=1)
boosting = [HistGradientBoostingRegressor(loss="quantile", quantile=q).fit(X, y) for q in (0.05, 0.95)]
intervals["quantile boosting"] = np.stack([each.predict(X_new) for each in boosting], axis=1)
for noise in ("constant", "learned"):
    network = BayesianRegressor(noise=noise, random_state=0).fit(X, y)
    intervals[f"network, {noise} noise"] = network.predict_interval(X_new, confidence=0.9)

group = {name: (low <= X_new[:, 0]) & (X_new[:, 0] < high) for name, (low, high) in GROUPS.items()}
held = {name: (low_high[:, 0] <= y_new) & (y_new <= low_high[:, 1]) for name, low_high in intervals.items()}
print("Share of stars within their intervals of 90 %, and the interval's median width in magnitudes")
print(f"{'parallax':26}{'all':>12}", *(f"{f'{name} ({inside.sum()})':>14}" for name, inside in group.items()))
for name, low_high in intervals.items():
    width = low_high[:, 1] - low_high[:, 0]
    cells = [f"{held[name][k].mean():.2f}, {np.median(width[k]):.2f}" for k in (slice(None), *group.values())]
    print(f"{name:26}{cells[0]:>12}", *(f"{cell:>14}" for cell in cells[1:]))

# -- the picture ---------------------------------------------------------------------------------------------------

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
ratio = X_new[:, 0]  # of parallax to error
shown = np.random.default_rng(1).choice(np.flatnonzero(ratio > 1), 150, replace=False)
low, high = intervals["network, learned noise"][shown].T - y_new[shown]
error = network.predict(X_new[shown]) - y_new[shown]
left.errorbar(ratio[shown], error, [error - low, high - error], fmt=".", color=COLOURS[3], elinewidth=0.8, markersize=4)
outside = ~held["network, learned noise"][shown]
left.plot(ratio[shown][outside], error[outside], "o", mfc="none", color="#D55E00", label="truth outside")
left.axhline(0, color="black", linewidth=0.8)
left.set(xscale="log", xlabel="parallax, in units of its error", ylabel="predicted less true modulus", ylim=(-1.2, 2))
left.set_title("intervals of 150 stars, learned noise")
left.legend(frameon=False)

for k, (name, inside) in enumerate(held.items()):
    shares = [inside[each].mean() for each in group.values()]
    right.plot(range(3), shares, "osD^"[k], linestyle="-", color=COLOURS[k], linewidth=0.8, markersize=8, label=name)
right.axhline(0.9, color="black", linewidth=0.8)
right.set(xticks=range(3), xticklabels=[f"{name} parallax" for name in group], xlim=(-0.3, 2.3), ylim=(0.6, 1.02))
right.set(ylabel="share of stars inside", title="intervals of 90 %: do they hold, for each kind of star?")
right.legend(frameon=False, loc="lower right")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "star_distance.png", dpi=150)
print(f"Picture: {folder / 'star_distance.png'}")
