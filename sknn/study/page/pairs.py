"""Every model against every other: the tests, and what they are."""

from typing import TYPE_CHECKING

import numpy as np

from ..compare import compare_pairs
from ..data import DataSet
from ..verdict import LEVEL, SURE
from .html import Markup, joined, tag
from .numbers import MISSING, counted, fixed, p_value, places_for
from .tables import heads, table

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from ..study import Study

MOST_PAIRS = 15  # that are shown without being asked for
TESTS = (
    "p: how likely folds at least this different are, if both models are equally good. Folds share training rows, "
    "which makes an ordinary t-test find far too many differences; the corrected resampled t-test allows for that: C. "
    "Nadeau and Y. Bengio (2003), Inference for the generalization error, Machine Learning 52, 239-281, "
    "doi:10.1023/A:1024068626366.",
    "p (Holm): the same, raised because so many pairs are tested that some would differ by luck; below 0.05 a "
    "difference is called certain: S. Holm (1979), A simple sequentially rejective multiple test procedure, "
    "Scandinavian Journal of Statistics 6, 65-70.",
    "P(better), P(equivalent), P(worse): the probabilities that the first model is really better, that the difference "
    "is too small to matter, and that it is worse, given these folds (Bayesian correlated t-test). Above 0.95 for "
    "equivalent, there is no difference worth having; above 0.95 for better, it is probably better: A. Benavoli, "
    "G. Corani, J. Demšar and M. Zaffalon (2017), Time for a change: a tutorial for comparing multiple classifiers "
    "through Bayesian analysis, Journal of Machine Learning Research 18, 1-36.",
)


def pairs_part(study: "Study", data: DataSet) -> list[Markup]:
    """Write what is found between the models, the tests of all pairs, and what these tests are.

    Parameters
    ----------
    study : Study
        After ``run``.
    data : DataSet
        One of its data sets.

    Returns
    -------
    list of Markup
        A sentence, and the rest folded up if it is long.
    """
    measure = study.measures_of(data)[0]
    pairs = compare_pairs(study.results[study.results["dataset"] == data.name], measure)
    if not len(pairs):
        return [tag("p", f"There are no two models with a score for {measure.title} in every fold.")]
    titles = {model.name: model.title for model in study.models}
    whole = pairs_table(pairs, titles, f"Tests of all pairs of models on {data.name}")
    title = f"{measure.title}: {counted(len(pairs), 'pair')} of models, best model first"
    return [
        tag("p", _explained(pairs, measure.scale_free)),
        tag("details", tag("summary", title), whole, open=len(pairs) <= MOST_PAIRS),
        tag("details", tag("summary", "What these tests are"), *(tag("p", text) for text in TESTS)),
    ]


def _explained(pairs: "DataFrame", scale_free: bool) -> str:
    found = int((pairs["p_holm"] < LEVEL).sum())
    ropes = pairs["rope"].to_numpy(dtype=float)
    rope = fixed(float(ropes.mean()), max(places_for(ropes), 2))
    worth = f"{rope}" if scale_free else f"1 % of the mean score of a pair (about {rope})"
    return (
        f"{'No difference' if not found else counted(found, 'difference')} of {counted(len(pairs), 'pair')} "
        f"{'is' if found < 2 else 'are'} certain at the level of 5 % after Holm's correction. Differences below "
        f"{worth} count as equivalent."
    )


def pairs_table(pairs: "DataFrame", titles: dict[str, str], label: str) -> Markup:
    """Write the tests of all pairs of models.

    Parameters
    ----------
    pairs : DataFrame
        Of one data set, as of ``Study.compare``.
    titles : dict of str to str
        What each model is called.
    label : str
        What the table is, for screen readers.

    Returns
    -------
    Markup
        The table.
    """
    places = places_for((pairs["high"] - pairs["low"]).to_numpy(dtype=float), 2)
    rows = [
        [
            tag("th", titles[pair["model_a"]], scope="row", class_="model"),
            tag("td", titles[pair["model_b"]], class_="text"),
            tag("td", conclusion(pair), class_="text"),
            tag("td", fixed(pair["difference"], places)),
            tag("td", _interval(pair, places)),
            *(tag("td", p_value(pair[name])) for name in ("p_value", "p_holm")),
            *(tag("td", _probability(pair[name])) for name in ("p_a_better", "p_equivalent", "p_b_better")),
        ]
        for _, pair in pairs.iterrows()
    ]
    header = heads(
        *("Better on average", "than", "Conclusion", "by", "95 % interval", "p", "p (Holm)"),
        *("P(better)", "P(equivalent)", "P(worse)"),
        text=(0, 1, 2),
    )
    return table(label, header, rows)


def _interval(pair: "Series", places: int) -> str:
    if not np.isfinite(pair["low"]):
        return MISSING
    return f"{fixed(pair['low'], places)} to {fixed(pair['high'], places)}"


def _probability(value: float) -> str:
    if not np.isfinite(value):
        return MISSING
    return "> 0.99" if value > 0.99 else "< 0.01" if value < 0.01 else f"{value:.2f}"


def conclusion(pair: "Series") -> Markup:
    """Say in a word what the tests of a pair find.

    Parameters
    ----------
    pair : Series
        A row of ``Study.compare``.

    Returns
    -------
    Markup
        "better", "probably better", "equivalent" or "undecided", with the folds where all of them agree or there is
        one.
    """
    if pair["n_folds"] == 1:
        return joined("one fold cannot tell")
    if not np.isfinite(pair["low"]):
        return joined("equal in every fold" if pair["difference"] == 0 else "better by the same in every fold")
    if pair["p_holm"] < LEVEL:
        return tag("span", "better" if pair["difference"] >= pair["rope"] else "better, by little", class_="sure")
    if pair["p_equivalent"] > SURE:
        return joined("equivalent")
    return joined("probably better" if pair["p_a_better"] > SURE else "undecided")
