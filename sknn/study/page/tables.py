"""The tables of the page."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data import DataSet
from ..figures.style import Look, looks_of
from ..measures import Measure
from .html import Markup, joined, tag
from .numbers import MISSING, data_size, fixed, places_for, seconds

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..study import Study

ARROWS = {True: "\u00a0↑", False: "\u00a0↓", None: ""}
FILLED = dict(zip(("o", "s", "D", "^", "v", "P", "X", "<", ">", "p", "h"), "●■◆▲▼✚✖◀▶⬟⬢", strict=True))
HOLLOW = dict(zip(FILLED, "○□◇△▽✛✕◁▷⬠⬡", strict=True))


def table(label: str, header: Sequence[Markup], rows: Iterable[Sequence[Markup]]) -> Markup:
    """Write a table within a box of its own to scroll in.

    Parameters
    ----------
    label : str
        What the table is, for screen readers.
    header : sequence of Markup
        The cells of the header.
    rows : iterable of sequence of Markup
        The cells of each row.

    Returns
    -------
    Markup
        The box with the table.
    """
    body = tag("tbody", *(tag("tr", *row) for row in rows))
    inner = tag("table", tag("thead", tag("tr", *header)), body)
    return tag("div", inner, class_="scroll", role="region", aria_label=label, tabindex="0")


def heads(*titles: str, text: Iterable[int] = (0,)) -> list[Markup]:
    """Write the cells of a header; the columns `text` hold texts."""
    texts = set(text)
    return [tag("th", title, scope="col", class_="text" if at in texts else None) for at, title in enumerate(titles)]


def model_head(look: Look, title: str, remark: str = "") -> Markup:
    """Write the head of the row of a model, with the marker it has in the figures."""
    sign = (FILLED if look.is_network else HOLLOW)[look.marker]
    mark = tag("span", sign, class_="mark", style=f"color:var(--{look.color[1:]})", aria_hidden="true")
    family = "network" if look.is_network else "baseline"
    below = tag("span", f"{family}, {remark}" if remark else family, class_="family")
    return tag("th", mark, title, below, scope="row", class_="model with-mark")


# -------------------------------------------------------------------------------------------------------- the summary


def summary_table(study: "Study", data: DataSet) -> Markup:
    """Write the scores, times and sizes of all models on a data set, best model first.

    Parameters
    ----------
    study : Study
        After ``run``.
    data : DataSet
        One of its data sets.

    Returns
    -------
    Markup
        The table.
    """
    summary = study.summary()
    summary = summary[summary["dataset"] == data.name]
    results = study.results[study.results["dataset"] == data.name]
    measures, looks = study.measures_of(data), looks_of(study.models)
    tuned = bool((results["tune_time"] > 0).any())
    titles = {model.name: model.title for model in study.models}
    scores = [_score_cells(summary, measure) for measure in measures]
    units = results.groupby("model")["parameter_unit"].first()
    times = ["fit_time_mean", *(["tune_time_mean"] if tuned else []), "predict_time_mean"]
    rows = [
        [
            model_head(looks[row["model"]], titles[row["model"]], _failures(row)),
            *(column[place] for column in scores),
            *(tag("td", seconds(row[time])) for time in times),
            tag("td", _size(row["n_parameters_mean"], units[row["model"]])),
            tag("td", data_size(row["pickle_bytes_mean"])),
        ]
        for place, row in enumerate(summary.to_dict("records"))
    ]
    header = heads(
        "Model",
        *(f"{measure.title}{ARROWS[measure.greater_is_better]}" for measure in measures),
        *["Fit", *(["Tune"] if tuned else []), "Predict", "Size", "Pickle"],
    )
    return table(f"Scores, times and sizes on {data.name}", header, rows)


def _score_cells(summary: "DataFrame", measure: Measure) -> list[Markup]:
    means = summary[f"{measure.name}_mean"].to_numpy(dtype=float)
    deviations = summary[f"{measure.name}_std"].to_numpy(dtype=float)
    places = places_for(deviations)
    cannot_be_best = (summary["n_failed"] > 0) | (measure.greater_is_better is None)
    best = are_best(np.where(cannot_be_best, np.nan, means), bool(measure.greater_is_better), places)
    return [
        tag("td", _with_deviation(mean, deviation, places, is_best))
        for mean, deviation, is_best in zip(means, deviations, best, strict=True)
    ]


def _with_deviation(mean: float, deviation: float, places: int, is_best: bool) -> Markup:
    shown = tag("span", fixed(mean, places), class_="best" if is_best else None)
    if not np.isfinite(deviation):
        return shown
    return joined(shown, tag("span", f" ± {fixed(deviation, places)}", class_="sd"))


def are_best(scores: np.ndarray, greater_is_better: bool, places: int) -> np.ndarray:
    """Tell which scores are the best one; of several that look equal, all of them.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Missing ones are never the best.
    greater_is_better : bool
        What is best.
    places : int
        How many decimal places the reader sees.

    Returns
    -------
    ndarray of bool of shape (n,)
        Which they are.
    """
    seen = np.round(scores, places)
    known = np.isfinite(seen)
    if not known.any():
        return known
    return seen == (seen[known].max() if greater_is_better else seen[known].min())


def _size(number: float, unit: object) -> Markup:
    return joined(f"{number:,.0f}", tag("span", f" {unit}", class_="unit")) if np.isfinite(number) else joined(MISSING)


def _failures(row: dict) -> str:
    return f"failed in {row['n_failed']} of {row['n_folds']} folds" if row["n_failed"] else ""


# ------------------------------------------------------------------------------------------------------------ the ranks


def ranks_table(study: "Study") -> Markup:
    """Write the mean score of each ranked model on each data set, and its average rank.

    Parameters
    ----------
    study : Study
        Whose ``ranks`` can be told.

    Returns
    -------
    Markup
        The table, best average rank first.
    """
    ranks, looks = study.ranks(), looks_of(study.models)
    measure = study.measures_of(study.data_sets[0])[0]
    titles = {model.name: model.title for model in study.models}
    scores = ranks.scores.to_numpy(dtype=float)
    places = places_for(np.ptp(scores, axis=1) / 10, 2.5)
    best = np.array([are_best(row, bool(measure.greater_is_better), places) for row in scores])
    rows = [
        [
            model_head(looks[model], titles[model]),
            tag("td", f"{rank:.2f}"),
            *(
                tag("td", tag("span", fixed(score, places), class_="best" if is_best else None))
                for score, is_best in zip(scores[:, at], best[:, at], strict=True)
            ),
        ]
        for at, (model, rank) in enumerate(zip(map(str, ranks.average.index), ranks.average, strict=True))
    ]
    header = heads("Model", "Average rank ↓", *map(str, ranks.scores.index))
    return table(f"Average ranks, and {measure.title} on each data set", header, rows)


# --------------------------------------------------------------------------------------------------------- what failed


def troubles_table(results: "DataFrame", column: str, titles: dict[str, str]) -> Markup | None:
    """Write each distinct error or warning of each model once, or of all of them, with the folds it occurred in.

    Parameters
    ----------
    results : DataFrame
        Of one data set.
    column : {"error", "warnings"}
        What to write.
    titles : dict of str to str
        What each model is called.

    Returns
    -------
    Markup or None
        None if there is nothing.
    """
    folds: dict[tuple[str, str], list[int]] = {}
    for row in results[results[column].notna()].to_dict("records"):
        for text in [row[column]] if column == "error" else row[column].splitlines():
            folds.setdefault((row["model"], text), []).append(row["fold"] + 1)
    if not folds:
        return None
    alike: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (model, text), where in folds.items():
        alike.setdefault((text, tuple(where)), []).append(titles[model])
    n_folds, n_models = results["fold"].nunique(), results["model"].nunique()
    rows = [
        [
            tag("th", name, scope="row", class_="model"),
            tag("td", _folds(where, n_folds), class_="text"),
            tag("td", text, class_="wrap"),
        ]
        for (text, where), names in alike.items()
        for name in (["All models"] if len(names) == n_models > 1 else names)
    ]
    label = "Errors" if column == "error" else "Warnings"
    return table(label, heads("Model", "Folds", label, text=(0, 1, 2)), rows)


def _folds(numbers: Sequence[int], n_folds: int) -> str:
    return f"all {n_folds}" if len(numbers) == n_folds > 1 else ", ".join(map(str, numbers))
