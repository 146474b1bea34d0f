"""The report of a study: one HTML page with all in it, to be read from the top."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..data import DataSet
from ..figures import FIGURES
from ..verdict import verdict_over_data_sets
from .css import style_sheet
from .html import Markup, joined, tag
from .method import data_facts, environment_facts, model_details, protocol_facts, size_of
from .numbers import counted
from .pairs import pairs_part
from .svg import inline_svg
from .tables import ranks_table, summary_table, troubles_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from ..study import Study

Drawn = Mapping[tuple[str | None, str], "Axes"]


def page(study: "Study", drawn: Drawn) -> str:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        After ``run``.
    drawn : mapping of (str or None, str) to Axes
        Its figures, as of ``figures.draw_all``.

    Returns
    -------
    str
        An HTML page that needs no other file, no network and no scripts.
    """
    now = datetime.now().astimezone()
    names = [data.name for data in study.data_sets]
    title = f"Networks and baselines on {_listed(names)}"
    verdicts = study.verdicts()
    several = len(names) > 1
    sections = [
        _section(study, data, verdicts[data.name], drawn, f"data-{number}", several)
        for number, data in enumerate(study.data_sets, 1)
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(style_sheet())),
    )
    header = tag(
        "header",
        tag("p", "A study with sknn", class_="eyebrow"),
        tag("h1", title),
        tag("p", _facts(study, now), class_="facts"),
        answer(_overall(study) if several else verdicts[names[0]]),
    )
    main = tag(
        "main",
        *([_overview(study, verdicts, drawn)] if several else []),
        *sections,
        _method(study, now),
    )
    body = tag("body", header, main, tag("footer", f"Written by sknn. {WHAT_IT_NEEDS}"))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


WHAT_IT_NEEDS = "This page stands alone: it loads nothing and runs no scripts."


def answer(text: str) -> Markup:
    """Write a verdict, its first sentence large."""
    first, *rest = re.split(r"(?<=[\w)%]\.)\s+(?=\S)", text, maxsplit=1)
    return tag("div", tag("p", first, class_="first"), *(tag("p", others) for others in rest), class_="answer")


def _facts(study: "Study", now: datetime) -> str:
    n_models = study.results["model"].nunique()
    n_folds = int(study.results["fold"].max()) + 1
    what = size_of(study.data_sets[0]) if len(study.data_sets) == 1 else counted(len(study.data_sets), "data set")
    date = f"{now:%d %B %Y}".lstrip("0")
    return f"{what} · {counted(n_models, 'model')} · {counted(n_folds, 'fold')} · {date}"


def _listed(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more data sets"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _titles(study: "Study") -> dict[str, str]:
    return {model.name: model.title for model in study.models}


# ------------------------------------------------------------------------------------------------ over all data sets


def _overall(study: "Study") -> str:
    try:
        ranks = study.ranks()
    except ValueError as error:
        return f"Each data set has an answer of its own. They cannot be ranked together: {error}."
    return verdict_over_data_sets(ranks, {model.name: model.family for model in study.models}, _titles(study))


def _overview(study: "Study", verdicts: Mapping[str, str], drawn: Drawn) -> Markup:
    contents = tag(
        "nav",
        tag("h2", "Data set by data set", id="contents"),
        tag("ol", *(_entry(number, *each) for number, each in enumerate(verdicts.items(), 1))),
        tag("p", tag("a", "How it was done", href="#method")),
        aria_labelledby="contents",
    )
    if not _can_be_ranked(study):
        return contents
    figure = _figure(study, drawn, None, "ranks", "all") if (None, "ranks") in drawn else ""
    return joined(
        contents,
        tag("h2", "Over all data sets"),
        ranks_table(study),
        tag("p", STARS, " ", RANKS_EXPLAINED, class_="note"),
        tag("div", figure, class_="figures") if figure else "",
    )


def _can_be_ranked(study: "Study") -> bool:
    try:
        study.ranks()
    except ValueError:
        return False
    return True


def _entry(number: int, name: str, verdict: str) -> Markup:
    first = re.split(r"(?<=[\w)%]\.)\s+(?=\S)", verdict, maxsplit=1)[0]
    return tag("li", tag("a", name, href=f"#data-{number}"), f": {first}")


# ------------------------------------------------------------------------------------------------------- one data set


def _section(study: "Study", data: DataSet, verdict: str, drawn: Drawn, place: str, several: bool) -> Markup:
    head = [tag("h2", data.name, id=place), tag("p", size_of(data), class_="facts"), answer(verdict)] if several else []
    part = "h3" if several else "h2"
    results = study.results[study.results["dataset"] == data.name]
    return tag(
        "section",
        *head,
        tag(part, "Scores, times and sizes"),
        summary_table(study, data),
        tag("p", STARS, " ", _about_summary(study, results), class_="note"),
        *_figures(study, data, drawn, place, part),
        tag(part, "Every model against every other"),
        *pairs_part(study, data),
        *([tag(part, "What was noticed in the data"), _said(data.notes)] if data.notes else []),
        *_troubles(study, results, part),
        *([tag(part, "Data and parameters"), *_particulars(study, data)] if several else []),
        class_="one-of-several" if several else None,
        aria_labelledby=place if several else None,
        aria_label=None if several else data.name,
    )


def _figures(study: "Study", data: DataSet, drawn: Drawn, place: str, part: str) -> list[Markup]:
    kinds = [kind for kind in FIGURES if (data.name, kind) in drawn]
    if not kinds:
        return []
    shown = (_figure(study, drawn, data.name, kind, place) for kind in kinds)
    return [tag(part, "Figures"), tag("div", *shown, class_="figures")]


STARS = "★ is the best mean of its column; ↑ higher is better, ↓ lower is better."
RANKS_EXPLAINED = (
    "Friedman's test (with the correction of Iman and Davenport) asks whether the ranks could be luck; Nemenyi's test "
    "and Wilcoxon's signed-rank test, after Holm's correction, ask which models differ: J. Demšar (2006), Statistical "
    "comparisons of classifiers over multiple data sets, Journal of Machine Learning Research 7, 1-30."
)


def _about_summary(study: "Study", results: "DataFrame") -> str:
    failed = (
        " A model that failed in some fold is not comparable and comes last." if results["error"].notna().any() else ""
    )
    return (
        "± is the standard deviation over the folds. Times are means per fold on one thread; the size is the number of "
        f"parameters of a network or linear model, or of nodes of trees.{failed}"
    )


def _said(notes: Sequence[str]) -> Markup:
    return tag("ul", *(tag("li", note) for note in notes))


def _figure(study: "Study", drawn: Drawn, name: str | None, kind: str, place: str) -> Markup:
    figure = FIGURES[kind]
    label = figure.title if name is None else f"{figure.title} on {name}"
    return tag(
        "figure",
        tag("h3", figure.title) if name is None or len(study.data_sets) == 1 else tag("h4", figure.title),
        inline_svg(drawn[name, kind], f"{place}-{kind.replace('_', '-')}", label),
        tag("figcaption", figure.caption),
    )


def _troubles(study: "Study", results: "DataFrame", part: str) -> list[Markup]:
    tables = {
        "Failures": troubles_table(results, "error", _titles(study)),
        "Warnings": troubles_table(results, "warnings", _titles(study)),
    }
    return [each for title, found in tables.items() if found is not None for each in (tag(part, title), found)]


# ----------------------------------------------------------------------------------------------------- how it was done


def _particulars(study: "Study", data: DataSet) -> list[Markup]:
    results = study.results[study.results["dataset"] == data.name]
    took_part = [model for model in study.models if (results["model"] == model.name).any()]
    return [data_facts(data), *(model_details(study, data, model) for model in took_part)]


def _method(study: "Study", now: datetime) -> Markup:
    only = study.data_sets[0] if len(study.data_sets) == 1 else None
    return tag(
        "section",
        tag("h2", "How it was done", id="method"),
        protocol_facts(study),
        environment_facts(now),
        *([] if only is None else [tag("h3", "Data and parameters"), *_particulars(study, only)]),
        aria_labelledby="method",
    )
