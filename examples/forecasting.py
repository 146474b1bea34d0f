"""Forecasting: a network against ridge regression, last week and the last value
=============================================================================

You learn to hold a forecast against what costs nothing, and where a network earns its keep. Two years of an hourly load
have a day, a week, a trend and noise, and follow the temperature, which is known a day ahead (exactly, as no weather
forecast is). In one country load falls in a straight line as it gets warmer: there ridge regression on the same windows
wins, and the network is close. In the other one heats below 15 °C and cools above 20 °C. That bend is all that has
changed, and there the network is ahead of ridge. But whoever knows of the bend makes two columns of it, degrees of
heating and of cooling, and then ridge is ahead again. (The network was set by hand, on these data.)

The backtest has a warning, too. Its first fold has learnt from a winter, and meets a summer: where there is a bend, the
week before beats all that was learnt. Ridge with the two columns is absurd there, since cooling had hardly ever been
needed, and slopes found from next to nothing are noise. What has not been seen cannot be learnt.

::

    python examples/forecasting.py [FOLDER]

The picture is written to FOLDER, by default examples/output.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.signal import lfilter
from sklearn.linear_model import Ridge

from sknn import Forecaster, MLPRegressor
from sknn.series import windows

DAY, WEEK = 24, 168
N_WEEKS, N_TRAIN = 104, 78  # the last half-year is for the picture
SHOWN = 87  # the week that is drawn
MEMORY = 0.9  # of the noise: what is left of it an hour later
# A colour of Okabe and Ito, which every eye can tell apart, and where a name stands at its line: hour and side.
LINES = {
    "MLP": ("#0072B2", 21, "bottom"),
    "ridge": ("#E69F00", 14, "top"),
    "ridge + degrees": ("#D55E00", 20, "top"),
    "last week": ("#009E73", 12, "bottom"),
    "last value": ("#CC79A7", 7, "bottom"),
}


def correlated(rng, memory, deviation, n):
    """Noise that remembers its last value."""
    return lfilter([1.0], [1.0, -memory], rng.normal(0.0, deviation * np.sqrt(1 - memory**2), n))


def country(bent):
    """Load in GW, and temperature, degrees of heating and of cooling in °C, each hour of two years: (hours, 4)."""
    rng = np.random.default_rng(0)
    t = np.arange(N_WEEKS * WEEK)
    hour, working = t % DAY, t // DAY % 7 < 5
    winter, night = np.cos(2 * np.pi * t / (365 * DAY)), np.cos(2 * np.pi * (hour - 4) / DAY)
    temperature = 11 - 9 * winter - 4 * night + correlated(rng, 0.98, 3.5, len(t))
    heating, cooling = np.maximum(15 - temperature, 0), np.maximum(temperature - 20, 0)
    habits = 6 * np.exp(-0.5 * ((hour - 9) / 2.5) ** 2) + 8 * np.exp(-0.5 * ((hour - 18) / 2) ** 2)
    weather = 0.7 * heating + 0.9 * cooling if bent else 0.7 * (15 - temperature)
    load = 45 + 3 * t / len(t) + np.where(working, habits + 3, 0.6 * habits) + weather
    return np.column_stack([load + correlated(rng, MEMORY, 1.0, len(t)), temperature, heating, cooling])


def forecaster(regressor, known):
    """Of the load over a day, from a week, which tells what day it is, and the channels that are known in advance."""
    return Forecaster(regressor, window=WEEK, horizon=DAY, season=WEEK, known=known, stride=5, quantiles=[0.1, 0.9])


network = MLPRegressor(
    64, alpha=1.0, solver="adamw", learning_rate="one_cycle", learning_rate_init=0.005, max_iter=15, random_state=0
)
countries = {"straight": country(bent=False), "bent": country(bent=True)}
learnt = {"MLP": (network, [1]), "ridge": (Ridge(), [1])}
models = {"straight": learnt, "bent": {**learnt, "ridge + degrees": (Ridge(), [1, 2, 3])}}

print("Skill in five folds of time: 1 is perfect, 0 as good as the better of last value and last week")
for where, series in countries.items():
    for name, (regressor, known) in models[where].items():
        tested = forecaster(regressor, known).backtest(series[:, : len(known) + 1])
        skill = tested.loc[tested["model"] == "forecaster", "skill"]
        print(f"  {where:9} {name:16}{''.join(f'{each:9.2f}' for each in skill)}")

# One fit to a year and a half, and a forecast from every hour of the half-year that follows.
first = N_TRAIN * WEEK
errors, drawn = {}, {}
print("\nThe last half-year: root mean square error in GW, and the share of loads within the interval of 80 %")
for where, series in countries.items():
    past, future = windows(series[first - WEEK :], WEEK, DAY)
    load = future[:, :, 0]
    found = {"last week": load - past[:, :DAY, 0], "last value": load - past[:, -1:, 0]}
    shares = {}
    for name, (regressor, known) in models[where].items():
        fitted = forecaster(regressor, known).fit(series[:first, : len(known) + 1])
        given = {"series": list(past[:, :, : len(known) + 1]), "future": list(future[:, :, known])}
        forecast = np.stack(fitted.predict(**given))[:, :, 0]
        low, high = np.moveaxis(np.stack(fitted.predict_quantiles(**given))[:, :, 0], -1, 0)
        found[name] = load - forecast
        shares[name] = f"{np.mean((low <= load) & (load <= high)):7.2f}"
        midnights = slice((SHOWN - N_TRAIN) * WEEK, (SHOWN + 1 - N_TRAIN) * WEEK, DAY)
        drawn[where, name] = [each[midnights].ravel() for each in (forecast, low, high)]
    errors[where] = {name: np.sqrt(np.mean(error**2, axis=0)) for name, error in found.items()}
    for name, error in found.items():
        print(f"  {where:9} {name:16}{np.sqrt(np.mean(error**2)):7.2f}{shares.get(name, '')}")

blue, orange, green = (LINES[name][0] for name in ("MLP", "ridge", "last week"))
figure = plt.figure(figsize=(11, 9), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=[1.2, 1])
top, weather = above.subplots(2, 1, sharex=True, height_ratios=[3, 1])
hours, load, temperature = np.arange(WEEK), countries["bent"][:, 0], countries["bent"][:, 1]
forecast, low, high = drawn["bent", "MLP"]
top.fill_between(hours, low, high, color=blue, alpha=0.2, linewidth=0, label="MLP, 80 %")
top.plot(hours, forecast, color=blue, label="MLP")
top.plot(hours, drawn["bent", "ridge"][0], color=orange, label="ridge")
top.plot(hours, load[hours + (SHOWN - 1) * WEEK], color=green, linewidth=1, label="last week")
top.plot(hours, load[hours + SHOWN * WEEK], color="black", label="truth")
top.set(ylabel="load (GW)", title="bent: a week in September; each day is forecast at the midnight before it")
top.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
weather.plot(hours, temperature[hours + SHOWN * WEEK], color="0.3")
for degrees, change in {15: "below: heating", 20: "above: cooling"}.items():
    weather.axhline(degrees, color="0.3", linewidth=0.8, linestyle=":")
    weather.annotate(change, (WEEK, degrees), xytext=(4, 0), textcoords="offset points", va="center")
weather.set(ylabel="temperature (°C)", xlim=(0, WEEK))
weather.set_xticks(np.arange(7) * DAY + DAY / 2, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
weather.tick_params(axis="x", length=0)
for ax in (top, weather):
    ax.set_xticks(np.arange(DAY, WEEK, DAY), minor=True)
    ax.grid(axis="x", which="minor", color="0.85")

ahead = np.arange(1, DAY + 1)
panels = dict(zip(errors, below.subplots(1, 2, sharey=True), strict=True))
for where, ax in panels.items():
    for name, error in errors[where].items():
        color, hour, side = LINES[name]
        ax.plot(ahead, error, color=color)
        place = {"xytext": (0, 3 if side == "bottom" else -3), "textcoords": "offset points", "ha": "center"}
        ax.annotate(name, (hour, error[hour - 1]), color=color, va=side, **place)
    ax.plot(ahead, np.sqrt(1 - MEMORY ** (2 * ahead)), color="0.4", linestyle=":")
    ax.annotate("noise: nobody can do better", (14, 0.9), color="0.4", va="top", ha="center")
    ax.set(xlabel="hours ahead", xlim=(1, DAY), ylim=(0, 5.5), xticks=[1, 6, 12, 18, 24])
    ax.spines[["top", "right"]].set_visible(False)
panels["straight"].set(title="straight: ridge is ahead", ylabel="root mean square error (GW)")
panels["bent"].set_title("bent: the network is, until ridge is told of the bend")

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "forecasting.png", dpi=150)
print(f"Picture: {folder / 'forecasting.png'}")
