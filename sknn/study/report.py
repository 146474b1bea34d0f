"""The report of a study in the terminal: a heading, a table, one sentence that compares, and how to read it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .data import DataSet
from .study import Study

if TYPE_CHECKING:
    from pandas import DataFrame

MISSING = "—"
BEST = "bold green"
LEVEL = 0.005  # percentage points: a smaller difference does not show in the table
NOTES = (
    "± is the standard deviation over the folds. Log loss: lower is better; it needs a model that predicts "
    "probabilities. Fit and predict are mean times per fold on one thread."
)


def show(study: Study, data: DataSet, console: Console) -> None:
    """Print what a study found on one data set.

    Parameters
    ----------
    study : Study
        After its run.
    data : DataSet
        One of the data sets it ran on.
    console : rich.console.Console
        Where to print.
    """
    results = study.results[study.results["dataset"] == data.name]
    summary = study.summary().query("dataset == @data.name")
    families = {model.name: model.family for model in study.models}
    paragraphs = (
        Text(heading(data, study.cv)),
        table(summary, results, families),
        *(Text(line, style="red") for line in failures(results)),
        Text(comparison(summary, results, families), style="bold"),
        Text(NOTES, style="dim"),
    )
    for paragraph in paragraphs:
        console.print(paragraph)
        console.print()


def heading(data: DataSet, cv: int) -> str:
    """Say what was compared, and how, in one line.

    Parameters
    ----------
    data : DataSet
        The data set.
    cv : int
        The number of folds.

    Returns
    -------
    str
        The line.

    Examples
    --------
    >>> heading(DataSet.from_arrays("toy", [[0], [1], [2], [3]], [0, 0, 1, 1]), cv=2)
    'toy: 4 samples, 1 feature, 2 classes; same 2 folds for every model'
    """
    n_samples, n_features = np.shape(data.X)
    counts = (_count(n_samples, "sample"), _count(n_features, "feature"), f"{len(np.unique(data.y))} classes")
    return f"{data.name}: {', '.join(counts)}; same {cv} folds for every model"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def table(summary: "DataFrame", results: "DataFrame", families: Mapping[str, str]) -> Table:
    """Lay the summary of one data set out as a table, the best accuracy highlighted.

    Parameters
    ----------
    summary : DataFrame
        The rows of ``Study.summary`` for one data set.
    results : DataFrame
        The rows of ``Study.results`` for that data set.
    families : mapping of str to str
        "network" or "baseline" by model name.

    Returns
    -------
    rich.table.Table
        One row per model.
    """
    n_folds = results["fold"].nunique()
    layout = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    layout.add_column("Model\n", overflow="fold")
    layout.add_column("Kind\n")
    for header in ("Accuracy\n%", "Log\nloss", "Fit\ns", "Predict\nms", "Parameters\n"):
        layout.add_column(header, justify="right")
    units = results.groupby("model")["parameter_unit"].first().fillna("")
    best = summary.loc[summary["n_failed"] == 0, "accuracy_mean"].max()
    for row in summary.to_dict("records"):
        is_best = row["n_failed"] == 0 and 100 * (best - row["accuracy_mean"]) < LEVEL
        cells = _cells(row, families[row["model"]], units[row["model"]], n_folds)
        layout.add_row(*cells, style=BEST if is_best else None)
    return layout


def _cells(row: dict[Any, Any], family: str, unit: str, n_folds: int) -> Iterator[Text]:
    failed = f" (failed in {row['n_failed']} of {n_folds})" if row["n_failed"] else ""
    spread = "" if np.isnan(row["accuracy_std"]) else f" ± {100 * row['accuracy_std']:.2f}"
    nodes = " nodes" if unit == "nodes" else ""
    yield Text(row["model"] + failed)
    yield Text(family)
    yield Text(_number(100 * row["accuracy_mean"], ".2f") + spread)
    yield Text(_number(row["log_loss_mean"], ".3f"))
    yield Text(_number(row["fit_time_mean"], ".3f"))
    yield Text(_number(1000 * row["predict_time_mean"], ".1f"))
    yield Text(_number(row["n_parameters_mean"], ",.0f") + nodes)


def _number(value: float, form: str) -> str:
    return MISSING if np.isnan(value) else format(value, form)


def failures(results: "DataFrame") -> list[str]:
    """List what went wrong, each error of a model once.

    Parameters
    ----------
    results : DataFrame
        Rows of ``Study.results``.

    Returns
    -------
    list of str
        One line per model and error, the first of its text; empty if all went well.
    """
    failed = results.dropna(subset="error")[["model", "error"]].drop_duplicates()
    return [f"{model} failed: {error.splitlines()[0]}" for model, error in failed.to_numpy()]


def comparison(summary: "DataFrame", results: "DataFrame", families: Mapping[str, str]) -> str:
    """Compare the best network with the best baseline in one sentence.

    Parameters
    ----------
    summary : DataFrame
        The rows of ``Study.summary`` for one data set.
    results : DataFrame
        The rows of ``Study.results`` for that data set.
    families : mapping of str to str
        "network" or "baseline" by model name.

    Returns
    -------
    str
        The difference of the mean accuracies and the number of folds in which the network was ahead. Models that failed
        in a fold are left out, and without a model on either side there is nothing to compare.
    """
    whole = summary[summary["n_failed"] == 0]
    networks, baselines = (whole[whole["model"].map(families) == family] for family in ("network", "baseline"))
    if networks.empty or baselines.empty:
        missing = "network" if networks.empty else "classical baseline"
        return f"No {missing} went through all folds, so there is nothing to compare."
    network, baseline = networks["model"].iloc[0], baselines["model"].iloc[0]
    accuracy = results.pivot(index="fold", columns="model", values="accuracy")
    difference = accuracy[network] - accuracy[baseline]
    return (
        f"The best network ({network}) is {_verdict(100 * difference.mean())} the best classical baseline ({baseline}) "
        f"on average, and was ahead in {(difference > 0).sum()} of {len(difference)} folds{_ties(difference)}."
    )


def _verdict(points: float) -> str:
    if abs(points) < LEVEL:
        return "as accurate as"
    return f"{abs(points):.2f} percentage points {'more' if points > 0 else 'less'} accurate than"


def _ties(difference: "DataFrame") -> str:
    n_ties = (difference == 0).sum()
    return f" (level in {n_ties})" if n_ties else ""
