"""The answer in plain English: does the network beat the baseline, can one tell, and what does it cost?

Of several networks and baselines, the best of each are compared. To have picked the luckiest flatters it; this is paid
for by counting a difference as found only if it survives Holm's correction for all pairs of models, picked or not.
"""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .compare import Ranks, complete_scores, left_out

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from .measures import Measure

LEVEL = 0.05
SURE = 0.95
DUMMY, FOREST = "dummy", "random_forest"


class _Names(NamedTuple):
    """How models are called, and how a model is introduced that is the best, or only, one of its family."""

    families: Mapping[str, str]
    titles: Mapping[str, str]

    def title(self, model: str) -> str:
        return self.titles.get(model, model)

    def of_family(self, models: Sequence[str], family: str) -> list[str]:
        return [model for model in models if self.families[model] == family]

    def introduce(self, model: str, among: Sequence[str]) -> str:
        family = self.families[model]
        alike = self.of_family(among, family)  # the best comes first
        if model != alike[0]:
            return self.title(model)
        return f"{self.title(model)} ({'only' if len(alike) == 1 else 'best'} {family})"


def verdict(
    results: "DataFrame",
    pairs: "DataFrame",
    measure: "Measure",
    families: Mapping[str, str],
    titles: Mapping[str, str],
) -> str:
    """Say in a few sentences whether the best network or the best baseline is better on one data set, and at what cost.

    Parameters
    ----------
    results : DataFrame
        The rows of ``Study.results`` of one data set.
    pairs : DataFrame
        What ``compare_pairs`` made of them; rows of other data sets do no harm.
    measure : Measure
        The score that was compared.
    families : mapping of str to str
        "network" or "baseline" by model; the dummy is a baseline.
    titles : mapping of str to str
        What each model is called; a model without a title goes by its name.

    Returns
    -------
    str
        One is better if p is below 0.05 after Holm's correction for all pairs. Otherwise there is no difference worth
        having if they are practically equivalent with a probability above 0.95, and one is probably better if it is so,
        by more than that, with such a probability; else the folds do not decide. The same is said of the best network
        and the random forest, where another baseline is ahead of that. A network that cannot be told from the dummy
        follows, the times, and the models that were left out because they failed in a fold.

    Raises
    ------
    ValueError
        If the results are not of exactly one data set.
    """
    names = list(dict.fromkeys(results["dataset"]))
    if len(names) != 1:
        raise ValueError(
            f"a verdict is about one data set, the results have {len(names)}: {', '.join(map(str, names))}"
        )
    calls = _Names(families, titles)
    pairs = pairs[pairs["dataset"] == names[0]]
    whole = list(complete_scores(results, measure).columns)
    networks, baselines = (calls.of_family(whole, family) for family in ("network", "baseline"))
    excluded = left_out(results, measure).get(names[0], [])
    if not networks or not baselines:
        return _nothing_to_compare("baseline" if networks else "network", results, measure, calls)
    network, baseline = networks[0], baselines[0]
    sentences = [
        _comparison(_pair(pairs, network, baseline), len(pairs), results, measure, calls),
        _beside_the_forest(pairs, network, baseline, results, measure, calls) if FOREST in whole else "",
        _beside_the_dummy(pairs, network, whole, calls),
        _times(results, network, baseline, calls),
        _absence(results, excluded, measure, calls),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _pair(pairs: "DataFrame", one: str, other: str) -> "Series":
    both = pairs[pairs["model_a"].isin([one, other]) & pairs["model_b"].isin([one, other])]
    return both.iloc[0]


def _is_found(pair: "Series") -> bool:
    """Whether model a is significantly better, all pairs considered."""
    return pair["p_holm"] < LEVEL


def _is_constant(pair: "Series") -> bool:
    """Whether the difference is the same in every fold: no test can be made, so it is told as it is."""
    return pair["n_folds"] > 1 and np.isnan(pair["low"])


# ------------------------------------------------------------------------------------------------- who is better


def _comparison(pair: "Series", n_pairs: int, results: "DataFrame", measure: "Measure", calls: _Names) -> str:
    scores = complete_scores(results, measure)
    better, worse = (calls.introduce(pair[model], list(scores.columns)) for model in ("model_a", "model_b"))
    decimals = _decimals(pair)
    by = _number(pair["difference"], decimals)
    interval = f"95 % interval {_number(pair['low'], decimals)} to {_number(pair['high'], decimals)}"
    means = [float(scores[pair[model]].mean()) for model in ("model_a", "model_b")]
    a, b = (_number(mean, decimals) for mean in means)
    against = f"{a} against {b}{'' if measure.greater_is_better else ', lower being better'}"
    within = f"in {_in_a_sentence(measure.title)}"

    if pair["n_folds"] == 1:
        return f"One fold cannot decide {within} between {better} and {worse}: {against}."
    if _is_constant(pair):
        return _the_same_everywhere(pair, f"{better} {{}} {worse} {within}", by, against)
    if _is_found(pair):
        small = (
            f" That is less than {_what_matters(pair, measure, means)}." if pair["difference"] < pair["rope"] else ""
        )
        return f"{better} is better than {worse} by {by} {within} ({interval}): {against}.{small}"
    if pair["p_equivalent"] > SURE:
        return (
            f"No difference worth {_what_matters(pair, measure, means)} could be found {within} between {better} and "
            f"{worse}: {against}, a difference of {by} ({interval}), which is smaller than that with a probability of "
            f"{_percent(pair['p_equivalent'])}."
        )
    if pair["p_a_better"] > SURE:
        return (
            f"{better} is probably better than {worse} by {by} {within} ({interval}): {against}. The probability that "
            f"it is better by more than {_what_matters(pair, measure, means)} is {_percent(pair['p_a_better'])}, but "
            f"the t-test does not confirm it {_as_one_of(pair, n_pairs)}."
        )
    lead = f"is ahead of {worse} by {by}" if float(by.replace(",", "")) else f"is level with {worse}"
    return (
        f"The {pair['n_folds']} folds do not decide: {better} {lead} {within} ({interval}): "
        f"{against}.{_for_itself(pair, n_pairs)}"
    )


def _beside_the_forest(
    pairs: "DataFrame", network: str, baseline: str, results: "DataFrame", measure: "Measure", calls: _Names
) -> str:
    """What most want to know first, whoever is ahead of the forest."""
    if FOREST in (network, baseline):
        return ""
    return _comparison(_pair(pairs, network, FOREST), len(pairs), results, measure, calls)


def _the_same_everywhere(pair: "Series", relation: str, by: str, against: str) -> str:
    folds = f"every one of the {pair['n_folds']} folds"
    if pair["difference"] == 0:
        return f"{relation.format('is level with')} in {folds}: {against}."
    return f"{relation.format('is ahead of')} by the same {by} in {folds}, which leaves nothing to test: {against}."


def _what_matters(pair: "Series", measure: "Measure", means: Sequence[float]) -> str:
    """The region of practical equivalence in per cent, and in the unit of the measure."""
    whole = 1.0 if measure.scale_free else float(np.mean(np.abs(means)))
    rope = float(f"{pair['rope']:.2g}")
    return f"{100 * pair['rope'] / whole:.3g} % ({rope:,.10g})"


def _for_itself(pair: "Series", n_pairs: int) -> str:
    """An interval without zero seems to contradict the verdict, so it is explained."""
    if not pair["p_value"] < LEVEL:
        return ""
    return f" Taken alone this would count as a difference, but not {_as_one_of(pair, n_pairs)}."


def _as_one_of(pair: "Series", n_pairs: int) -> str:
    alone, among = _p_value(pair["p_value"]), _p_value(pair["p_holm"])
    return f"as one of {n_pairs} comparisons (p {among}; alone, p {alone})" if n_pairs > 1 else f"(p {alone})"


def _beside_the_dummy(pairs: "DataFrame", network: str, models: Sequence[str], calls: _Names) -> str:
    if DUMMY not in models:
        return ""
    pair = _pair(pairs, network, DUMMY)
    is_ahead = pair["model_a"] == network and pair["difference"] > 0
    if is_ahead and (_is_found(pair) or _is_constant(pair)):
        return ""
    dummy = f"{calls.title(DUMMY)}, which never looks at the inputs"
    if is_ahead:
        return f"It is not even certain that {calls.title(network)} is better than {dummy}."
    return f"On average, {calls.title(network)} is no better than {dummy}."


# ------------------------------------------------------------------------------------------------------ what it costs


def _times(results: "DataFrame", network: str, baseline: str, calls: _Names) -> str:
    tuned = (results["tune_time"] > 0).any()
    seconds = (results["fit_time"] + results["tune_time"]).groupby(results["model"]).mean()
    slow, fast = (network, baseline) if seconds[network] >= seconds[baseline] else (baseline, network)
    if not seconds[fast] > 0:
        return ""
    ratio = seconds[slow] / seconds[fast]
    work = "tune and fit" if tuned else "fit"
    factor, unit = (1, "s") if seconds[slow] >= 0.1 else (1000, "ms")
    longer, shorter = (_significant(factor * seconds[model], 2) for model in (slow, fast))
    each = f"({longer} {unit} against {shorter} {unit} per fold)"
    if ratio < 1.25:
        return f"{calls.title(slow)} took about as long to {work} as {calls.title(fast)} {each}."
    return f"{calls.title(slow)} took {_significant(ratio, 2)} times as long to {work} as {calls.title(fast)} {each}."


# ---------------------------------------------------------------------------------------------------- who is missing


def _nothing_to_compare(family: str, results: "DataFrame", measure: "Measure", calls: _Names) -> str:
    models = calls.of_family(list(dict.fromkeys(results["model"])), family)
    if not models:
        return f"No {family} took part, so there is nothing to compare."
    return (
        f"No {family} has a score for {_in_a_sentence(measure.title)} in every fold, so there is nothing to compare. "
        f"{_absence(results, models, measure, calls)}"
    )


def _absence(results: "DataFrame", models: Sequence[str], measure: "Measure", calls: _Names) -> str:
    """Say of each model why it is missing: it failed, or cannot give this score."""
    return " ".join(_why_absent(results[results["model"] == model], measure, calls.title(model)) for model in models)


def _why_absent(rows: "DataFrame", measure: "Measure", title: str) -> str:
    errors = rows["error"].dropna()
    if len(errors):
        return (
            f"{title} failed in {len(errors)} of {len(rows)} folds and is left out ({_shortened(str(errors.iloc[0]))})."
        )
    scores = rows[measure.name].to_numpy(dtype=float)
    what = _in_a_sentence(measure.title)
    if n_infinite := int(np.isinf(scores).sum()):
        return f"{title} gave an infinite {what} in {n_infinite} of {len(rows)} folds and is left out."
    reasons = [measure.reason(text) for text in rows["warnings"].dropna()]
    why = next((f" ({_shortened(reason)})" for reason in reasons if reason), "")
    return f"{title} gave no {what} in {_of_folds(int(np.isnan(scores).sum()), len(rows))} and is left out{why}."


def _of_folds(number: int, n_folds: int) -> str:
    return "any fold" if number == n_folds else f"{number} of {n_folds} folds"


def _shortened(text: str) -> str:
    return shorten(text.strip().splitlines()[0], 120, placeholder=" ...").rstrip(".")


# --------------------------------------------------------------------------------------------------- several data sets


def verdict_over_data_sets(ranks: Ranks, families: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Say in a few sentences which models are better over several data sets, and how networks and baselines compare.

    Parameters
    ----------
    ranks : Ranks
        From ``ranks_of``.
    families : mapping of str to str
        "network" or "baseline" by model.
    titles : mapping of str to str
        What each model is called; a model without a title goes by its name.

    Returns
    -------
    str
        Friedman's test first. Only if it finds a difference: the models that Nemenyi's test cannot tell from the best.
        Then the best network beside the best baseline, by Wilcoxon's test after Holm's correction for all pairs.
    """
    calls = _Names(families, titles)
    sentences = [_over_all(ranks, calls), _network_beside_baseline(ranks, calls), _unranked(ranks, calls)]
    return " ".join(sentence for sentence in sentences if sentence)


def _over_all(ranks: Ranks, calls: _Names) -> str:
    best, models = ranks.average.index[0], list(ranks.average.index)
    p = f"p {_p_value(ranks.p_value)}"
    if not ranks.p_value < LEVEL:
        return f"Over {ranks.n_data_sets} data sets, Friedman's test finds no difference between the models ({p})."
    near = next((group for group in ranks.groups if best in group), (best,))
    others = [calls.title(model) for model in near if model != best]
    told = f"by ranks alone, {_listed(others)} cannot be told from it" if others else "all others are worse"
    return (
        f"Over {ranks.n_data_sets} data sets, the models differ (Friedman's test, {p}). {calls.title(best)} has the "
        f"best average rank, {ranks.average.iloc[0]:.2f} of {len(models)}; {told} (Nemenyi's test, critical difference "
        f"{ranks.critical_difference:.2f})."
    )


def _network_beside_baseline(ranks: Ranks, calls: _Names) -> str:
    models = list(ranks.average.index)
    networks, baselines = (calls.of_family(models, family) for family in ("network", "baseline"))
    if not networks or not baselines:
        family = "baseline" if networks else "network"
        return f"No {family} has a score on all data sets, so networks and baselines cannot be compared."
    pair = _pair(ranks.pairs, networks[0], baselines[0])
    better, worse = (calls.introduce(pair[model], models) for model in ("model_a", "model_b"))
    a, b = (f"{ranks.average[pair[model]]:.2f}" for model in ("model_a", "model_b"))
    against = f"average rank {a} against {b}"
    if pair["p_holm"] < LEVEL:
        return f"{better} is better than {worse} ({against}; Wilcoxon's test, p {_p_value(pair['p_holm'])} after Holm)."
    smallest = len(ranks.pairs) * 2.0 ** (1 - ranks.n_data_sets)  # p if one model is better on all data sets
    if smallest >= LEVEL:
        why = (
            f"{against}; by Wilcoxon's test after Holm's correction for {len(ranks.pairs)} pairs, so few data sets "
            f"cannot tell any two models apart"
        )
    else:
        why = f"{against}; Wilcoxon's test, p {_p_value(pair['p_holm'])} after Holm"
    return f"{better} cannot be told from {worse} ({why})."


def _unranked(ranks: Ranks, calls: _Names) -> str:
    return " ".join(
        f"{calls.title(model)} is left out, because it lacks a score on {_listed(data_sets)}."
        for model, data_sets in ranks.left_out.items()
    )


# ------------------------------------------------------------------------------------------------------------- numbers


def _decimals(pair: "Series") -> int:
    """As many as show two digits of the interval's width, and keep an end of it that is not zero from looking so."""
    width = pair["high"] - pair["low"]
    if not width > 0:
        return _decimals_of(pair["difference"], 3)
    return max(_decimals_of(width, 2), *(_decimals_of(end, 1) for end in (pair["low"], pair["high"]) if end))


def _decimals_of(value: float, digits: int) -> int:
    return max(0, digits - 1 - int(np.floor(np.log10(abs(value))))) if value else digits


def _number(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0 takes the sign from -0.0


def _significant(value: float, digits: int) -> str:
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.{_decimals_of(rounded, digits)}f}"


def _percent(probability: float) -> str:
    return "over 99 %" if probability > 0.99 else f"{np.floor(100 * probability):.0f} %"


def _p_value(value: float) -> str:
    if value < 0.001:
        return "< 0.001"
    return "= 1" if value > 0.995 else f"= {_significant(value, 2)}"


def _in_a_sentence(title: str) -> str:
    """Lower case, unless the title is an abbreviation."""
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
