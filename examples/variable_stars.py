"""Variable stars: a recurrent network reads light curves with gaps, beside forests on their statistics
====================================================================================================

You learn to classify series of different lengths, at uneven times, and what the times are worth. Made-up stars pulsate
suddenly, pulsate evenly, or eclipse each other; each is seen for some hours in some nights of a week. All kinds have
the same periods and amplitudes, so that only the shape of the curve tells them apart, and hardly a night shows a whole
one. The recurrent network has the times as a channel of each curve, `time_channel=0`; without them it does no better
than a forest on general statistics, which has a periodogram, but not the shape. With them it is well ahead of that
forest. But astronomers know what to do: find the period, fit a few harmonics, compare their amplitudes and phases. A
forest on these is at least level with the network. So networks are for curves whose good statistics nobody knows. (One
set of stars. The size of the network was chosen on some of the training stars, the forests have default parameters.)

::

    python examples/variable_stars.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier

from sknn import RNNClassifier
from sknn.series import SeriesFeatures

N_TRAIN, N_TEST = 1000, 500
NETWORK, FOREST = "#0072B2", "#E69F00"  # blue and orange of Okabe and Ito
KINDS = ["sudden pulsation", "even pulsation", "eclipses"]
rng = np.random.default_rng(0)


def brightness(kind, phase):
    """From 0, faintest, to 1, brightest; a period is a phase from 0 to 1."""
    if kind == "sudden pulsation":  # up in about a sixth of the period, slowly down again
        rise = rng.uniform(0.12, 0.22)
        return np.where(phase < rise, phase / rise, (1 - phase) / (1 - rise))
    if kind == "even pulsation":
        return 0.5 + 0.5 * np.cos(2 * np.pi * phase)
    width, second = rng.uniform(0.04, 0.08), rng.uniform(0.3, 0.9)
    return 1 - np.exp(-0.5 * ((phase - 0.25) / width) ** 2) - second * np.exp(-0.5 * ((phase - 0.75) / width) ** 2)


def light_curve(kind, period):
    """Days and magnitudes, which are the smaller the brighter, in some nights of a week."""
    nights = rng.choice(7, rng.integers(3, 7), replace=False) + rng.uniform(0, 0.1)
    hours = [rng.uniform(night, night + rng.uniform(0.15, 0.35), rng.integers(8, 20)) for night in nights]
    time = np.sort(np.concatenate(hours))
    magnitude = -rng.uniform(0.2, 0.8) * brightness(kind, (time / period + rng.random()) % 1)
    magnitude += rng.normal(0, rng.uniform(0.03, 0.12), len(time))
    return np.column_stack([time, magnitude - np.median(magnitude)])  # how bright a star is does not matter


def harmonics(curve, frequency):
    """Ratios of amplitudes and differences of phases of the first three, and what they leave of the curve."""
    time, magnitude = curve.T
    number = np.arange(1, 4)
    angle = 2 * np.pi * frequency * number * time[:, None]
    waves = np.column_stack([np.ones(len(time)), np.cos(angle), np.sin(angle)])
    solution = np.linalg.lstsq(waves, magnitude, rcond=1e-3)[0]
    amplitude, phase = np.hypot(solution[1:4], solution[4:]), np.arctan2(solution[4:], solution[1:4])
    difference = phase[1:] - number[1:] * phase[0]
    rest = np.std(magnitude - waves @ solution)
    return [*amplitude, *(amplitude[1:] / amplitude[0]), *np.cos(difference), *np.sin(difference), rest]


y = rng.choice(KINDS, N_TRAIN + N_TEST)
period = np.exp(rng.uniform(np.log(0.3), np.log(1.0), len(y)))  # days
curves = [light_curve(*star) for star in zip(y, period, strict=True)]
values = [curve[:, 1:] for curve in curves]

features = SeriesFeatures(time_channel=0, max_frequency=8.0)
statistics = features.fit_transform(curves)
frequency = statistics[:, list(features.get_feature_names_out()).index("x1_frequency_1")]
shapes = np.array([harmonics(*star) for star in zip(curves, frequency, strict=True)])

rnn, forest = RNNClassifier(32, max_iter=40, random_state=0), RandomForestClassifier(random_state=0)
models = {  # with what each is given
    "RNN, no times": (rnn, values),
    "forest: statistics": (forest, statistics),
    "RNN, times": (RNNClassifier(32, time_channel=0, max_iter=40, random_state=0), curves),
    "forest: harmonics": (forest, shapes),
}

print(f"Accuracy on {N_TEST} stars not seen in training, and its standard error; guessing has a third")
right, accuracy, error = {}, {}, {}
for name, (model, X) in models.items():
    right[name] = model.fit(X[:N_TRAIN], y[:N_TRAIN]).predict(X[N_TRAIN:]) == y[N_TRAIN:]
    accuracy[name], error[name] = right[name].mean(), right[name].std() / np.sqrt(N_TEST)
    print(f"  {name:18}  {accuracy[name]:.3f} ± {error[name]:.3f}")
ahead = 1.0 * right["forest: harmonics"] - right["RNN, times"]  # star by star
print(f"The forest on harmonics is ahead of the RNN by {ahead.mean():.3f} ± {ahead.std() / np.sqrt(N_TEST):.3f}")

figure = plt.figure(figsize=(13, 6.5), layout="constrained")
curves_side, scores_side = figure.subfigures(1, 2, width_ratios=[1.9, 1])
panels = curves_side.subplots(3, 2, sharex="col", sharey="row", width_ratios=[1.6, 1])
for kind, (in_time, folded) in zip(KINDS, panels, strict=True):
    star = next(k for k in np.flatnonzero(y == kind) if np.ptp(curves[k][:, 1]) > 0.5 and len(curves[k]) > 60)
    time, magnitude = curves[star].T
    in_time.plot(time, magnitude, ".", color="black", markersize=4)
    folded.plot(time / period[star] % 1, magnitude, ".", color="black", markersize=4)
    in_time.set(ylabel="magnitude", title=f"{kind}, period {period[star]:.2f} days")
    in_time.invert_yaxis()
panels[0, 1].set_title("all periods over each other")
panels[-1, 0].set_xlabel("time (days)")
panels[-1, 1].set_xlabel("phase (periods)")

ax = scores_side.subplots()
for row, name in enumerate(models):
    color = NETWORK if name.startswith("RNN") else FOREST
    ax.errorbar(accuracy[name], row, xerr=error[name], color=color, marker="o", markersize=9, capsize=4)
    ax.annotate(f"{accuracy[name]:.2f}", (accuracy[name], row), (0, 10), textcoords="offset points", ha="center")
ax.set_yticks(range(len(models)), models)
ax.set(xlabel="accuracy on stars not seen", ylim=(-0.5, len(models) - 0.5), title="who tells the kinds apart?")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "variable_stars.png", dpi=150)
print(f"Picture: {folder / 'variable_stars.png'}")
