"""The report of a study in the terminal: for each data set a table, the verdict, and what went wrong."""

from collections.abc import Mapping
from dataclasses import replace
from textwrap import shorten
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console
from rich.text import Text

from .data import DataSet
from .series import are_ragged
from .study import Study
from .table import MISSING, are_best, columns_of, columns_that_fit, notes, table
from .verdict import verdict_over_data_sets

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_LINES = 3  # of a warning
# Spellings for an output whose encoding has no more.
ASCII = str.maketrans({"±": "+-", MISSING: "-", "²": "2"})
ASCII_HEAD = Box(str(SIMPLE_HEAD).replace("─", "-"), ascii=True)


def show(study: Study, console: Console) -> None:
    """Print what a study found on each of its data sets, and on all of them together.

    Parameters
    ----------
    study : Study
        After its run.
    console : rich.console.Console
        Where to print.
    """
    verdicts = study.verdicts()
    for data in study.data_sets:
        _show_one(study, data, verdicts[data.name], console)
    if len(study.data_sets) > 1:
        _print(console, overall(study), "bold")


def _show_one(study: Study, data: DataSet, verdict: str, console: Console) -> None:
    results = study.results[study.results["dataset"] == data.name]
    summary = study.summary().query("dataset == @data.name")
    measures = study.measures_of(data)
    titles = {model.name: model.title for model in study.models}
    columns = [
        replace(
            column,
            header=_spell(column.header, console),
            cells=[_spell(cell, console) for cell in column.cells],
            short=[_spell(cell, console) for cell in column.short],
        )
        for column in columns_of(summary, results, measures, study.models)
    ]
    shown = columns_that_fit(columns, console.width)
    best = are_best(summary, columns[1])
    _print(console, heading(data, results))
    for note in data.notes:
        _print(console, note, "yellow")
    console.print(table(shown, best, ASCII_HEAD if console.options.ascii_only else SIMPLE_HEAD))
    console.print()
    _print(console, verdict, "bold")
    for line in failures(results, titles):
        _print(console, line, "red")
    for line in warnings_of(results, titles, console.width):
        _print(console, line, "yellow")
    _print(console, notes(shown, columns, measures), "dim")


def _print(console: Console, line: str, style: str = "") -> None:
    console.print(Text(_spell(line, console), style))
    console.print()


def _spell(line: str, console: Console) -> str:
    if not console.options.ascii_only:
        return line
    return line.translate(ASCII).encode("ascii", "backslashreplace").decode("ascii")


def heading(data: DataSet, results: "DataFrame") -> str:
    """Say what was compared, and how, in one line.

    Parameters
    ----------
    data : DataSet
        The data set.
    results : DataFrame
        The rows of ``Study.results`` for it.

    Returns
    -------
    str
        The line.

    Examples
    --------
    >>> import pandas as pd
    >>> toy = DataSet.from_arrays("toy", [[0], [1], [2], [3]], [0, 0, 1, 1])
    >>> heading(toy, pd.DataFrame({"fold": [0, 1]}))
    'toy: 4 samples, 1 feature, 2 classes; the same 2 folds for every model'
    """
    counts = [_count(data.n_samples, "sample"), _count(data.n_features, "channel" if are_ragged(data.X) else "feature")]
    of_numbers = data.task if data.forecast is None else f"forecasts of {data.forecast}"
    counts.append(f"{len(data.labels)} classes" if data.has_labels else of_numbers)
    folds = _count(results["fold"].nunique(), "fold")
    return f"{data.name}: {', '.join(counts)}; the same {folds} for every model"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def failures(results: "DataFrame", titles: Mapping[str, str]) -> list[str]:
    """List what went wrong, each error of a model once.

    Parameters
    ----------
    results : DataFrame
        Rows of ``Study.results``.
    titles : mapping of str to str
        What each model is called.

    Returns
    -------
    list of str
        One line per model and error, the first of its text; empty if all went well.
    """
    failed = results.dropna(subset="error")[["model", "error"]].drop_duplicates()
    return [f"{titles[model]} failed: {_first_line(error)}" for model, error in failed.to_numpy()]


def warnings_of(results: "DataFrame", titles: Mapping[str, str], width: int) -> list[str]:
    """List the warnings, each of a model once, with the number of folds it came in.

    Parameters
    ----------
    results : DataFrame
        Rows of ``Study.results``.
    titles : mapping of str to str
        What each model is called.
    width : int
        The width of the terminal. A text of more than three lines is cut to one; the whole of it is in the results.

    Returns
    -------
    list of str
        One line per model and kind of warning; one for all models where each of them warned alike in every fold.
    """
    warned = results.dropna(subset="warnings").assign(warning=lambda rows: rows["warnings"].str.split("\n"))
    folds: dict[tuple[str, str], dict[int, str]] = {}
    for model, fold, warnings in zip(warned["model"], warned["fold"], warned["warning"], strict=True):
        for text in warnings:
            folds.setdefault((model, text.partition(":")[0]), {}).setdefault(fold, text)
    alike: dict[tuple[tuple[int, str], ...], list[str]] = {}
    for (model, _), texts in folds.items():
        alike.setdefault(tuple(texts.items()), []).append(titles[model])
    n_models = results["model"].nunique()
    lines = [
        f"{name} warned in {_count(len(texts), 'fold')}: {texts[0][1]}"
        for texts, names in alike.items()
        for name in (["All models"] if len(names) == n_models > 1 else names)
    ]
    return [line if len(line) <= MOST_LINES * width else shorten(line, width, placeholder=" ...") for line in lines]


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


def overall(study: Study) -> str:
    """Compare the models over all data sets of a study.

    Parameters
    ----------
    study : Study
        After its run on several data sets.

    Returns
    -------
    str
        Some sentences, or the reason why there is nothing to compare.
    """
    families = {model.name: model.family for model in study.models}
    titles = {model.name: model.title for model in study.models}
    try:
        return verdict_over_data_sets(study.ranks(), families, titles)
    except ValueError as reason:
        return f"Nothing can be said of all data sets together: {reason}."
