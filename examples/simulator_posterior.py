"""The posterior of a simulator: how fast an epidemic spreads, and whether to believe it
=====================================================================================

You learn to infer the parameters of a simulator that has no likelihood to write down, and to check what was inferred. A
disease spreads by chance in a town of 2,000: each day the ill infect others, recover, and are reported or overlooked.
Three numbers are unknown: the rates of infection and of recovery, and the share that is reported; all that is seen are
the reports. `FlowRegressor` is fitted to 10,000 pairs of parameters drawn from the prior and the reports that the
simulator made of them, and is then the posterior for any other epidemic, in milliseconds. The usual way without a
likelihood, to keep those simulations that look most like what was seen (rejection, approximate Bayesian computation),
stands beside it, with the same simulations: it sees the same bent valley, more coarsely, and its means are off by some
percent more. With three unknown numbers it is a fair rival. Whether a posterior can be believed is told by simulations
that were not fitted to: the ranks of true parameters among draws are uniform, and intervals of each level hold the
truth as often as they say. New epidemics with parameters from the posterior cover the one that was seen. (Where the
likelihood can be written down, sample from it with Markov chains: they are exact.)

::

    python examples/simulator_posterior.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from sknn import FlowRegressor
from sknn.inspection import CoverageDisplay, SBCDisplay

PEOPLE, DAYS, STEP = 2000, 60, 4
NAMES = ["infection", "recovery", "reported"]
LOW, HIGH = np.array([0.15, 0.05, 0.1]), np.array([1.0, 0.4, 0.9])  # of the prior, uniform in between
TRUTH = np.array([0.45, 0.15, 0.4])
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"  # of Okabe and Ito, which every eye can tell apart
rng = np.random.default_rng(0)


def simulate(parameters):
    """Reports in each span of four days, for many epidemics side by side."""
    infection, recovery, reported = parameters.T
    ill = np.full(len(parameters), 5)
    healthy = PEOPLE - ill
    reports = np.zeros((len(parameters), DAYS))
    for day in range(DAYS):
        infected = rng.binomial(healthy, 1 - np.exp(-infection * ill / PEOPLE))
        recovered = rng.binomial(ill, 1 - np.exp(-recovery))
        healthy, ill = healthy - infected, ill + infected - recovered
        reports[:, day] = rng.binomial(infected, reported)
    return reports.reshape(len(parameters), -1, STEP).sum(axis=2)


# As roots, so that noise is much the same everywhere: counts scatter by their roots.
y = rng.uniform(LOW, HIGH, (10_500, 3))
X = np.sqrt(simulate(y))
flow = FlowRegressor(bounds=(LOW, HIGH), random_state=0).fit(X[:10_000], y[:10_000])

seen = simulate(TRUTH[None])
draws = flow.sample_y(np.sqrt(seen), 2000, random_state=0)[0].T

# Rejection: the hundred simulations that are nearest to what was seen.
scaler = StandardScaler().fit(X[:10_000])
neighbours = NearestNeighbors(n_neighbors=100).fit(scaler.transform(X[:10_000]))


def nearest(x):
    return y[neighbours.kneighbors(scaler.transform(x), return_distance=False)]


kept = nearest(np.sqrt(seen))[0]
print(f"posterior   truth{'flow':>17}{'rejection':>19}")
for k, name in enumerate(NAMES):
    both = [f"{each[:, k].mean():.3f} +- {each[:, k].std():.3f}" for each in (draws, kept)]
    print(f"{name:11} {TRUTH[k]:.2f}{both[0]:>19}{both[1]:>19}")
print("Errors of the posterior's mean for 500 other epidemics, root mean square")
means = {"flow": flow.predict(X[10_000:]), "rejection": nearest(X[10_000:]).mean(axis=1)}
for name, mean in means.items():
    errors = np.sqrt(np.square(mean - y[10_000:]).mean(axis=0))
    print(f"{name:12}", ", ".join(f"{each} {error:.3f}" for each, error in zip(NAMES, errors, strict=True)))
ranks = SBCDisplay.from_estimator(flow, X[10_000:], y[10_000:], n_draws=99, random_state=0, names=NAMES)
print("p-values of uniform ranks:", ", ".join(f"{name} {p:.2f}" for name, p in zip(NAMES, ranks.p_values, strict=True)))
plt.close(ranks.figure_)

# -- the picture ---------------------------------------------------------------------------------------------------

plt.rc("axes", prop_cycle=plt.cycler(color=[BLUE, ORANGE, GREEN]))  # of the displays
figure, axes = plt.subplots(2, 2, figsize=(10, 8), layout="constrained")
middles = np.arange(0, DAYS, STEP) + STEP / 2
again = np.quantile(simulate(draws[:500]), [0.05, 0.95], axis=0)
axes[0, 0].fill_between(middles, *again, color=BLUE, alpha=0.3, linewidth=0, label="90 % of new epidemics")
axes[0, 0].plot(middles, seen[0], "o", color="black", markersize=4, label="seen")
axes[0, 0].set(xlabel="day", ylabel="reports in four days", title="reports, seen and simulated again")
axes[0, 0].legend(frameon=False, loc="upper right")

axes[0, 1].plot(*draws[:, :2].T, ".", color=BLUE, markersize=2, alpha=0.5, label="flow")
axes[0, 1].plot(*kept[:, :2].T, ".", color=ORANGE, markersize=5, label="rejection, 100 of 10,000")
axes[0, 1].plot(*TRUTH[:2], "k*", markersize=12, label="truth")
axes[0, 1].set(xlim=(LOW[0], HIGH[0]), ylim=(LOW[1], HIGH[1]), xlabel="rate of infection", ylabel="rate of recovery")
axes[0, 1].set_title("the posterior, over all of the prior")
axes[0, 1].legend(frameon=False)

ranks.plot(ax=axes[1, 0])
axes[1, 0].set_title("ranks of 500 true parameters")
CoverageDisplay.from_estimator(flow, X[10_000:], y[10_000:], n_draws=200, random_state=0, names=NAMES, ax=axes[1, 1])
axes[1, 1].set_title("how often intervals hold them")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "simulator_posterior.png", dpi=150)
print(f"Picture: {folder / 'simulator_posterior.png'}")
