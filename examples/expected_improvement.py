"""The best of few experiments: expected improvement
=================================================

You learn to choose experiments by what a model does not know. An enzyme makes a product; warmer is faster, until the
enzyme comes apart, and the product decays if one waits too long. Temperature, time and pH are to be chosen, an
experiment takes a day, and yields are measured to 0.01. Eight experiments are spread over the whole range. Each of the
next eighteen is done where the expected improvement on the best so far is largest, under a model of all that was
measured: where the mean is high, or where nobody knows.

Ten networks, an ensemble, win by a little: after twelve of these the best yield is 0.60, of 0.61 that can be had, and
0.57 in the worst of five runs. The Gaussian process is quicker at first, has 0.58 then, and one of its runs stays at a
lesser hill. As many experiments at random or on a Latin hypercube come to 0.5. The same network with the Laplace
approximation is no better than they are. The picture shows why: linear in its weights, it goes on beyond the data, up
or down, so that edges of what may be chosen promise most to it, and it measures there, one after another. Networks of
an ensemble level off, and a process falls back to its mean. With a handful of smooth knobs begin with the process; it
is a baseline of four lines.

::

    python examples/expected_improvement.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm, qmc
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from sknn import BayesianRegressor, MLPRegressor
from sknn.posteriors import Ensemble

warnings.simplefilter("ignore", ConvergenceWarning)  # of lengths that are as large as they may be, and of L-BFGS
LOW, HIGH = np.array([20, 0, 4.0]), np.array([90, 3, 9.0])  # temperature in Celsius, log10 of minutes, pH
N_FIRST, N_ALL, NOISE, SEEDS = 8, 26, 0.01, range(5)


def speed_up(energy, celsius, at):
    """Arrhenius: how many times as fast as at the temperature `at`; energy in kJ/mol."""
    return np.exp(-energy / 8.314e-3 * (1 / (celsius + 273.15) - 1 / (at + 273.15)))


def true_yield(X):
    """Of experiments given between 0 and 1 in each of the three."""
    celsius, log_time, ph = (LOW + X * (HIGH - LOW)).T
    time = 10**log_time
    made = 0.03 * speed_up(60, celsius, 50) * np.exp(-(((ph - 6.6) / 1.2) ** 2) / 2)
    broken = 0.01 * speed_up(200, celsius, 55)
    decayed = 0.0015 * speed_up(30, celsius, 20)
    return (1 - np.exp(-made * (1 - np.exp(-broken * time)) / broken)) * np.exp(-decayed * time)


def expected_improvement(mean, std, best):
    gain = mean - best
    return gain * norm.cdf(gain / std) + std * norm.pdf(gain / std)


def process():
    kernel = ConstantKernel() * Matern(np.ones(3), (0.05, 10), nu=2.5)
    return GaussianProcessRegressor(kernel, alpha=NOISE**2, n_restarts_optimizer=1, random_state=0)


def network(posterior):
    tanh = MLPRegressor(50, activation="tanh", input_scaling="standard", solver="lbfgs", alpha=1e-3)
    return BayesianRegressor(tanh, posterior=posterior, noise=NOISE, random_state=0)


def known(model, X):
    """Mean and standard deviation of the yield itself, without the noise of a measurement."""
    if isinstance(model, GaussianProcessRegressor):
        return model.predict(X, return_std=True)  # its noise is alpha, which is not predicted
    return model.predict(X), model.uncertainty(X, kind="epistemic")


def chosen(new_model, seed):
    """Experiments one after another, each where it promises most."""
    rng = np.random.default_rng(seed)
    X = qmc.LatinHypercube(3, rng=rng).random(N_FIRST)
    y = true_yield(X) + NOISE * rng.normal(size=N_FIRST)
    while len(X) < N_ALL:
        model, candidates = new_model().fit(X, y), rng.uniform(size=(2000, 3))
        mean, std = known(model, candidates)
        promise = expected_improvement(mean, np.maximum(std, 1e-9), known(model, X)[0].max())
        X = np.vstack([X, candidates[promise.argmax()]])
        y = np.append(y, true_yield(X[-1:]) + NOISE * rng.normal())
    return X


designs = {
    "random": lambda seed: np.random.default_rng(seed).uniform(size=(N_ALL, 3)),
    "Latin hypercube": lambda seed: qmc.LatinHypercube(3, rng=np.random.default_rng(seed)).random(N_ALL),
    "Gaussian process": lambda seed: chosen(process, seed),
    "network, Laplace": lambda seed: chosen(lambda: network("laplace"), seed),
    "ten networks": lambda seed: chosen(lambda: network(Ensemble(n_members=10)), seed),
}
everywhere = qmc.Sobol(3, rng=np.random.default_rng(0)).random(2**15)
largest = true_yield(everywhere).max()
experiments = {name: [design(seed) for seed in SEEDS] for name, design in designs.items()}
best = {name: [np.maximum.accumulate(true_yield(X)) for X in runs] for name, runs in experiments.items()}
print(f"Best yield after so many experiments, mean of {len(SEEDS)} runs and the worst; {largest:.2f} can be had")
for name, curves in best.items():
    cells = [
        f"{n}: {np.mean([c[n - 1] for c in curves]):.2f} ({min(c[n - 1] for c in curves):.2f})" for n in (14, 20, 26)
    ]
    print(f"{name:18}", "   ".join(cells))

# -- the picture ---------------------------------------------------------------------------------------------------

COLOURS = dict(zip(designs, ["#999999", "#E69F00", "#009E73", "#56B4E9", "#0072B2"], strict=True))  # of Okabe and Ito
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for name, curves in best.items():
    left.plot(np.arange(1, N_ALL + 1), np.transpose(curves), color=COLOURS[name], linewidth=0.6, alpha=0.4)
    left.plot(np.arange(1, N_ALL + 1), np.mean(curves, axis=0), color=COLOURS[name], linewidth=2.5, label=name)
left.axhline(largest, color="black", linewidth=0.8)
left.axvline(N_FIRST, color="black", linewidth=0.8, linestyle=":")
left.set(xlabel="experiments", ylabel="best yield so far", title=f"{len(SEEDS)} runs, and their means")
left.legend(frameon=False, loc="lower right")

celsius, log_time = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
plane = np.stack([celsius, log_time, np.full_like(celsius, (6.6 - LOW[2]) / (HIGH[2] - LOW[2]))], axis=-1)
axes = LOW + plane * (HIGH - LOW)
drawn = right.contourf(
    axes[..., 0], 10 ** axes[..., 1], true_yield(plane.reshape(-1, 3)).reshape(101, 101), cmap="Greys"
)
for name in list(designs)[2:]:
    X = LOW + experiments[name][0] * (HIGH - LOW)
    right.plot(X[N_FIRST:, 0], 10 ** X[N_FIRST:, 1], "o", color=COLOURS[name], markersize=5, label=name)
right.plot(X[:N_FIRST, 0], 10 ** X[:N_FIRST, 1], "x", color="black", label="first eight")
right.set(yscale="log", xlabel="temperature in Celsius", ylabel="minutes", title="the first run; grey: yield at pH 6.6")
right.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncol=2, columnspacing=1)
figure.colorbar(drawn, ax=right, label="yield")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "expected_improvement.png", dpi=150)
print(f"Picture: {folder / 'expected_improvement.png'}")
