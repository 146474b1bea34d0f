"""The report of a study in the terminal: a heading, a table, one sentence that compares, and how to read it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD, Box
from rich.console import Console
from rich.text import Text

from .data import DataSet
from .study import Study
from .table import LEVEL, MISSING, are_best, columns_that_fit, notes, rows_of, table

if TYPE_CHECKING:
    from pandas import DataFrame

# Spellings for an output whose encoding has no more.
ASCII = str.maketrans({"±": "+-", MISSING: "-"})
ASCII_HEAD = Box(str(SIMPLE_HEAD).replace("─", "-"), ascii=True)


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
    rows = rows_of(summary, results, families)
    rows = [{column: _spell(cell, console) for column, cell in row.items()} for row in rows]
    columns = columns_that_fit(rows, console.width)

    def text(line: str, style: str = "") -> Text:
        return Text(_spell(line, console), style)

    paragraphs = (
        text(heading(data, study.cv)),
        table(rows, columns, are_best(summary), ASCII_HEAD if console.options.ascii_only else SIMPLE_HEAD),
        *(text(line, "red") for line in failures(results)),
        text(comparison(summary, results, families), "bold"),
        text(notes(columns), "dim"),
    )
    for paragraph in paragraphs:
        console.print(paragraph)
        console.print()


def _spell(line: str, console: Console) -> str:
    if not console.options.ascii_only:
        return line
    return line.translate(ASCII).encode("ascii", "backslashreplace").decode("ascii")


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
        family, name = ("network", "network") if networks.empty else ("baseline", "classical baseline")
        reason = "went through all folds" if family in families.values() else "was asked for"
        return f"No {name} {reason}, so there is nothing to compare."
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
