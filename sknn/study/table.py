"""The table of a study: one row per model, and as many columns as the terminal has room for."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pandas import DataFrame

MISSING = "—"
BEST = "bold green"
LEVEL = 0.005  # percentage points: a smaller difference does not show in the table
HEADERS = {
    "model": "Model\n",
    "kind": "Kind\n",
    "accuracy": "Accuracy\n%",
    "log loss": "Log\nloss",
    "fit": "Fit\ns",
    "predict": "Predict\nms",
    "parameters": "Parameters\n",
}
LEFT_OUT_FIRST = ("parameters", "predict", "fit", "kind", "log loss")  # where the terminal is too narrow for all
NOTES = {
    "accuracy": "± is the standard deviation over the folds.",
    "log loss": "Log loss: lower is better; it needs a model that predicts probabilities.",
    "fit": "Times are means per fold on one thread.",
}
GAP = 2  # between two columns
NAME_WIDTH = 16  # a longer name wraps before a column is left out
NARROWEST = 24  # holds a part of the name and the accuracy

Row = Mapping[str, str]  # the cells of one model, by column


def rows_of(summary: "DataFrame", results: "DataFrame", families: Mapping[str, str]) -> list[Row]:
    """Write out the measures of every model.

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
    list of dict of str to str
        The cells of every model by column, in the order of the summary.
    """
    n_folds = results["fold"].nunique()
    units = results.groupby("model")["parameter_unit"].first().fillna("")
    return [_row(row, families[row["model"]], units[row["model"]], n_folds) for row in summary.to_dict("records")]


def _row(row: Mapping[Any, Any], family: str, unit: str, n_folds: int) -> Row:
    failed = f" (failed in {row['n_failed']} of {n_folds})" if row["n_failed"] else ""
    spread = "" if np.isnan(row["accuracy_std"]) else f" ± {100 * row['accuracy_std']:.2f}"
    nodes = " nodes" if unit == "nodes" else ""
    return {
        "model": row["model"] + failed,
        "kind": family,
        "accuracy": _number(100 * row["accuracy_mean"], ".2f") + spread,
        "log loss": _number(row["log_loss_mean"], ".3f"),
        "fit": _number(row["fit_time_mean"], ".3f"),
        "predict": _number(1000 * row["predict_time_mean"], ".1f"),
        "parameters": _number(row["n_parameters_mean"], ",.0f") + nodes,
    }


def _number(value: float, form: str) -> str:
    return MISSING if np.isnan(value) else format(value, form)


def are_best(summary: "DataFrame") -> Iterable[bool]:
    """Tell which models are the most accurate of those that went through all folds.

    Parameters
    ----------
    summary : DataFrame
        The rows of ``Study.summary`` for one data set.

    Returns
    -------
    Series of bool
        Several are true where the table shows the same accuracy.
    """
    accuracy = summary["accuracy_mean"].where(summary["n_failed"] == 0)
    return 100 * (accuracy.max() - accuracy) < LEVEL


def columns_that_fit(rows: Sequence[Row], width: int) -> list[str]:
    """Choose the columns of a table that leaves a column out rather than cut a number.

    Parameters
    ----------
    rows : sequence of dict of str to str
        The cells of every model by column.
    width : int
        The width of the terminal.

    Returns
    -------
    list of str
        Names from ``HEADERS``; the name of the model, which may wrap, and its accuracy are always among them.

    Examples
    --------
    >>> columns_that_fit([dict.fromkeys(HEADERS, "12.345")], width=40)
    ['model', 'kind', 'accuracy', 'log loss', 'fit']
    """
    widths = {column: _width(column, rows) + GAP for column in HEADERS}
    for column in LEFT_OUT_FIRST:
        if sum(widths.values()) - GAP > width:
            del widths[column]
    return list(widths)


def _width(column: str, rows: Sequence[Row]) -> int:
    lines = [*HEADERS[column].splitlines(), *(row[column] for row in rows)]
    if column == "model":
        return min(NAME_WIDTH, max(cell_len(word) for line in lines for word in line.split()))
    return max(map(cell_len, lines))


def table(rows: Sequence[Row], columns: Sequence[str], are_best: Iterable[bool], box: Box = SIMPLE_HEAD) -> Table:
    """Lay the measures of every model out as a table, the best accuracy highlighted.

    Parameters
    ----------
    rows : sequence of dict of str to str
        The cells of every model by column.
    columns : sequence of str
        The columns to show, names from ``HEADERS``.
    are_best : iterable of bool
        Whether to highlight each row.
    box : rich.box.Box, default=SIMPLE_HEAD
        What the rule below the headers is drawn with.

    Returns
    -------
    rich.table.Table
        One row per model.
    """
    layout = Table(box=box, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for column in columns:
        is_name = column == "model"
        is_number = column not in ("model", "kind")
        layout.add_column(
            HEADERS[column], justify="right" if is_number else "left", no_wrap=not is_name, overflow="fold"
        )
    for row, is_best in zip(rows, are_best, strict=True):
        layout.add_row(*(Text(row[column]) for column in columns), style=BEST if is_best else None)
    return layout


def notes(columns: Sequence[str]) -> str:
    """Explain the columns of the table, and name those that the terminal is too narrow for.

    Parameters
    ----------
    columns : sequence of str
        The columns that are shown, names from ``HEADERS``.

    Returns
    -------
    str
        Some short sentences.

    Examples
    --------
    >>> notes(["model", "kind", "accuracy", "fit", "predict", "parameters"])
    '± is the standard deviation over the folds. Times are means per fold on one thread. No room for: log loss.'
    """
    sentences = [NOTES[column] for column in columns if column in NOTES]
    left_out = [column for column in HEADERS if column not in columns]
    if left_out:
        sentences.append(f"No room for: {', '.join(left_out)}.")
    return " ".join(sentences)
