"""Two pictures of a report: the scaling curves, and the ratios beside their goals."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .report import Curve, Report, curves

TICKS = (0.1, 0.2, 0.5, 1, 2)  # of the ratios


def draw(report: Report, folder: Path) -> None:
    """Write scaling.png and goals.png, each if there is something to show."""
    folder.mkdir(parents=True, exist_ok=True)
    if curves(report.results):
        _draw_scaling(report, folder / "scaling.png")
    if any(result.goals for result in report.results):
        _draw_goals(report, folder / "goals.png")


def _draw_scaling(report: Report, file: Path) -> None:
    found = curves(report.results)
    figure = Figure(figsize=(3.6 * len(found), 3.6), layout="constrained")
    row = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, ((axis, unit), of_axis) in zip(row, found.items(), strict=True):
        for name, curve in of_axis.items():
            _draw_curve(axes, name, curve)
        axes.set(xscale="log", yscale="log", xlabel=axis, title=unit)
        axes.set_xticks(curve.sizes, [str(size) for size in curve.sizes])
        axes.minorticks_off()
        axes.legend(fontsize="x-small", frameon=False)
    figure.savefig(file, dpi=150)


def _draw_curve(axes: Axes, name: str, curve: Curve) -> None:
    (line,) = axes.plot(curve.sizes, [cost.median for cost in curve.costs], marker="o", markersize=3)
    line.set_label(f"{name} (slope {curve.slope():.2f})")
    lows, highs = ([getattr(cost, end) for cost in curve.costs] for end in ("low", "high"))
    axes.fill_between(curve.sizes, lows, highs, color=line.get_color(), alpha=0.2)


def _draw_goals(report: Report, file: Path) -> None:
    """A dot for each ratio, a bar from its smallest to its largest value, and a tick where the goal is."""
    judged = [(result, name, goal) for result in report.results for name, goal in result.goals.items()][::-1]
    figure = Figure(figsize=(9, 1.2 + 0.3 * len(judged)), layout="constrained")
    axes = figure.subplots()
    for height, (result, name, goal) in enumerate(judged):
        median, low, high = result.ratios[name]
        color = "tab:green" if goal.reached_by(median) else "tab:red"
        axes.plot([low, high], [height, height], color=color, alpha=0.5)
        axes.plot(median, height, "o", color=color)
        axes.plot(goal.limit, height, "k>" if goal.relation == ">=" else "k<", markersize=5)
    axes.set_yticks(range(len(judged)), [f"{result.measurement.path}  to {name}" for result, name, _ in judged])
    axes.set(xscale="log", xlabel="ratio; a triangle is the goal\nand points to where the ratio is to be")
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS], minor=False)
    axes.minorticks_off()
    axes.grid(axis="x", which="both", alpha=0.3)
    figure.savefig(file, dpi=150)
