"""The table of a study: one row per model, and as many columns as the terminal has room for."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from .measures import Measure
from .model import Model

if TYPE_CHECKING:
    from pandas import DataFrame

MISSING = "—"
BEST = "bold green"
GAP = 2  # between two columns
NAME_WIDTH = 16  # a longer name wraps before a measure is left out
LINE_OF_NAME = 28  # up to here it has one line before any other column
HEADER_WIDTH = 9  # a longer header is written on several lines
NARROWEST = 40  # the width that is kept to at least
MOST_DECIMALS, TOO_LONG = 6, 1e7  # smaller and larger numbers are written with an exponent


@dataclass(frozen=True)
class TableColumn:
    """One column of the table.

    Parameters
    ----------
    title : str
        What it shows, as one line.
    header : str
        The same as it stands above the column, with its unit.
    cells : sequence of str
        One for each model.
    is_text : bool, default=False
        Whether it holds names rather than numbers.
    is_score : bool, default=False
        Whether it holds a measure: these are kept before anything else.
    short : sequence of str, default=()
        Shorter names, where there is no room for the others on one line.
    """

    title: str
    header: str
    cells: Sequence[str]
    is_text: bool = False
    is_score: bool = False
    short: Sequence[str] = ()

    @property
    def width(self) -> int:
        """The width at which nothing is cut and nothing wraps."""
        return max(map(cell_len, [*self.header.splitlines(), *self.cells]))

    def shortened(self) -> "TableColumn":
        """The same with the shorter names, if there are any."""
        return replace(self, cells=self.short, short=()) if self.short else self


def columns_of(
    summary: "DataFrame", results: "DataFrame", measures: Sequence[Measure], models: Sequence[Model]
) -> list[TableColumn]:
    """Write out what was measured of every model.

    Parameters
    ----------
    summary : DataFrame
        The rows of ``Study.summary`` for one data set.
    results : DataFrame
        The rows of ``Study.results`` for that data set.
    measures : sequence of Measure
        The scores, the primary one first.
    models : sequence of Model
        Which say what they are called.

    Returns
    -------
    list of TableColumn
        The names of the models and the primary score first, the latter with its standard deviation over the folds.
    """
    rows = [{str(name): value for name, value in row.items()} for row in summary.to_dict("records")]
    units = results.groupby("model")["parameter_unit"].first().fillna("")
    primary, *others = measures
    called = {model.name: model for model in models}
    names = [called[row["model"]].title + _failed(row) for row in rows]
    short = _short_names([called[row["model"]] for row in rows])
    short = [name + _failed(row) for name, row in zip(short, rows, strict=True)]
    columns = [
        TableColumn("model", "Model", names, is_text=True, short=short),
        _score(primary, rows, with_spread=True),
        TableColumn("kind", "Kind", [row["family"] for row in rows], is_text=True),
        TableColumn("fit time", "Fit\ns", _times(rows, "fit_time", 1, ".3f")),
        TableColumn("prediction time", "Predict\nms", _times(rows, "predict_time", 1000, ".1f")),
        TableColumn("size", "Parameters", [_size(row, units[row["model"]]) for row in rows]),
        *(_score(measure, rows) for measure in others),
    ]
    if (results["tune_time"] > 0).any():
        columns.insert(4, TableColumn("search time", "Search\ns", _times(rows, "tune_time", 1, ".2f")))
    return columns


def _short_names(models: Sequence[Model]) -> list[str]:
    """The short name of each model, or its title where another has the same one."""
    short = [model.short or model.title for model in models]
    return [name if short.count(name) == 1 else model.title for name, model in zip(short, models, strict=True)]


def _failed(row: Mapping[str, Any]) -> str:
    return f" (failed in {row['n_failed']} of {row['n_folds']})" if row["n_failed"] else ""


def _score(measure: Measure, rows: Sequence[Mapping[str, Any]], with_spread: bool = False) -> TableColumn:
    means, spreads = ([row[f"{measure.name}_{what}"] for row in rows] for what in ("mean", "std"))
    form = form_of(means, spreads, digits=2 if with_spread else 1)
    cells = [_number(mean, form) for mean in means]
    if with_spread:
        cells = [cell if np.isnan(std) else f"{cell} ± {std:{form}}" for cell, std in zip(cells, spreads, strict=True)]
    header = "\n".join(textwrap.wrap(measure.title, HEADER_WIDTH, break_long_words=False))
    return TableColumn(measure.title, header, cells, is_score=True)


def form_of(means: Sequence[float], spreads: Sequence[float], digits: int) -> str:
    """Tell how to write the scores of all models: with so many digits of the best one's spread, and three of its score.

    Parameters
    ----------
    means, spreads : sequence of float
        Of each model, the best one first.
    digits : int
        The significant digits of the spread.

    Returns
    -------
    str
        A format specification; an exponent where numbers would be too long.

    Examples
    --------
    >>> form_of([0.97215, 0.1], [0.0051, 0.0], digits=2)
    ',.4f'
    """
    sizes = ((abs(means[0]), 3), (spreads[0], digits))
    decimals = [max(0, n - 1 - int(np.floor(np.log10(size)))) for size, n in sizes if 0 < size < np.inf]
    is_long = max(decimals, default=0) > MOST_DECIMALS or any(TOO_LONG <= abs(mean) < np.inf for mean in means)
    return ".3g" if is_long else f",.{max(decimals, default=3)}f"


def _times(rows: Sequence[Mapping[str, Any]], name: str, factor: float, form: str) -> list[str]:
    return [_number(factor * row[f"{name}_mean"], form) for row in rows]


def _size(row: Mapping[str, Any], unit: str) -> str:
    return _number(row["n_parameters_mean"], ",.0f") + (" nodes" if unit == "nodes" else "")


def _number(value: float, form: str) -> str:
    return MISSING if np.isnan(value) else format(value, f"z{form}")  # z: no -0.00


def are_best(summary: "DataFrame", column: TableColumn) -> list[bool]:
    """Tell which models have the best score of those that went through all folds.

    Parameters
    ----------
    summary : DataFrame
        The rows of ``Study.summary`` for one data set, the best first.
    column : TableColumn
        The primary score.

    Returns
    -------
    list of bool
        Several are true where the table shows the same mean.
    """
    means = [cell.partition(" ")[0] for cell in column.cells]
    return [
        n_failed == 0 and mean == means[0] != MISSING for n_failed, mean in zip(summary["n_failed"], means, strict=True)
    ]


def columns_that_fit(columns: Sequence[TableColumn], width: int) -> list[TableColumn]:
    """Choose the columns of a table: it leaves a column out rather than cut a number, and a measure after all others.

    Parameters
    ----------
    columns : sequence of TableColumn
        All columns; of those that are no measures, the most important ones first.
    width : int
        The width of the terminal.

    Returns
    -------
    list of TableColumn
        In the same order. The names of the models and their primary score are always among them. The names are the
        short ones if the others would wrap; up to 28 letters of these are kept on a line before any column that is no
        measure, and longer ones wrap.

    Examples
    --------
    >>> all_columns = [TableColumn(title, title, ["0.123"]) for title in ("model", "score", "a long title", "time")]
    >>> [column.title for column in columns_that_fit(all_columns, width=20)]
    ['model', 'score', 'time']
    """
    names, score, *others = columns
    least = names.shortened()
    for_names = _width_of_names(least)
    chosen, room = [score], width - for_names - GAP - score.width
    for are_scores in (True, False):
        for column in others:
            if column.is_score == are_scores and GAP + column.width <= room:
                chosen.append(column)
                room -= GAP + column.width
        if least.width <= LINE_OF_NAME and least.width - for_names <= room:  # behind the measures, names come first
            for_names, room = least.width, room - (least.width - for_names)
    has_room = names.width - for_names <= room
    return [names if has_room else least, *(column for column in columns if column in chosen)]


def _width_of_names(column: TableColumn) -> int:
    lines = [line for name in column.cells for line in textwrap.wrap(name, NAME_WIDTH, break_on_hyphens=False)]
    return max(map(cell_len, [column.header, *lines]))


def table(columns: Sequence[TableColumn], are_best: Iterable[bool], box: Box = SIMPLE_HEAD) -> Table:
    """Lay the measures of every model out as a table, the best score highlighted.

    Parameters
    ----------
    columns : sequence of TableColumn
        The columns to show, that of the names first.
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
    for place, column in enumerate(columns):
        layout.add_column(
            column.header, justify="left" if column.is_text else "right", no_wrap=place > 0, overflow="fold"
        )
    for row, is_best in zip(zip(*(column.cells for column in columns), strict=True), are_best, strict=True):
        layout.add_row(*map(Text, row), style=BEST if is_best else None)
    return layout


def notes(shown: Sequence[TableColumn], columns: Sequence[TableColumn], measures: Sequence[Measure]) -> str:
    """Explain the columns of the table, and name those that the terminal is too narrow for.

    Parameters
    ----------
    shown : sequence of TableColumn
        The columns that are shown.
    columns : sequence of TableColumn
        All of them.
    measures : sequence of Measure
        The scores.

    Returns
    -------
    str
        Some short sentences.
    """
    titles = [column.title for column in shown]
    sentences = ["± is the standard deviation over the folds."]
    losses = [measure.title for measure in measures if measure.greater_is_better is False and measure.title in titles]
    if losses:
        sentences.append(f"Lower is better: {', '.join(losses)}.")
    if any(title.endswith("time") for title in titles):
        sentences.append("Times are means per fold on one thread.")
    left_out = [column.title for column in columns if column.title not in titles]
    if left_out:
        sentences.append(f"No room for: {', '.join(left_out)}.")
    return " ".join(sentences)
