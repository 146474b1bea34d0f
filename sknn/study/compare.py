"""Which model is better: every pair of models on each data set, and the ranks of models over several data sets.

Only models with a finite score in every fold of a data set are compared there. On the folds that are left, a model that
failed where it was difficult would look better than it is; ``left_out`` names those models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .statistics import (
    corrected_t_test,
    correlated_t_test,
    critical_difference,
    friedman_test,
    holm,
    indistinct_groups,
    wilcoxon_test,
)

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from .measures import Measure

NAMES = ("dataset", "model_a", "model_b")
PAIR_COLUMNS = (
    *NAMES,
    *("difference", "low", "high", "p_value", "p_holm"),
    *("p_a_better", "p_equivalent", "p_b_better", "rope", "n_folds"),
)
DIGITS = 12  # of the scores; what is beyond is the rounding of sums


def compare_pairs(results: "DataFrame", measure: "Measure", rope: float = 0.01) -> "DataFrame":
    """Compare every two models on each data set, fold by fold.

    Parameters
    ----------
    results : DataFrame
        ``Study.results``, or some rows of it.
    measure : Measure
        The score that decides.
    rope : float, default=0.01
        The difference that begins to matter: of a scale-free measure as it is (0.01 of accuracy), otherwise as a share
        of the mean score of both models (1 % of the RMSE).

    Returns
    -------
    DataFrame
        One row per data set and pair of models, the one that is better on average as ``model_a``; best pairs first.

        ==================================== ==========================================================================
        ``difference``                       mean over the folds, positive: by how much a is better
        ``low, high``                        its 95 % interval, for this pair alone
        ``p_value``                          of the corrected resampled t-test
        ``p_holm``                           the same, adjusted for all pairs of this data set
        ``p_a_better``, ``p_b_better``       probability that the difference is worth more than ``rope``
        ``p_equivalent``                     probability that it is not, either way (Bayesian correlated t-test)
        ``rope``                             in the unit of the measure
        ``n_folds``                          how many folds there are
        ==================================== ==========================================================================

        Models without a finite score in some fold are left out: see ``left_out``. An interval or p value that the folds
        cannot give (there is one fold, or all differ by the same) is missing.

    Raises
    ------
    ValueError
        If ``rope`` is negative.

    Examples
    --------
    >>> import pandas as pd
    >>> from sknn.study.measures import MEASURES
    >>> folds = {"forest": [0.98, 0.96, 0.97, 0.99, 0.95], "mlp": [0.95, 0.94, 0.96, 0.96, 0.93]}
    >>> results = pd.DataFrame(
    ...     [
    ...         {"dataset": "toy", "model": model, "fold": fold, "n_train": 80, "n_test": 20, "accuracy": score}
    ...         for model, scores in folds.items()
    ...         for fold, score in enumerate(scores)
    ...     ]
    ... )
    >>> pairs = compare_pairs(results, MEASURES["accuracy"])
    >>> pairs[["model_a", "model_b", "difference", "low", "high", "p_holm"]].round(3)
      model_a model_b  difference    low   high  p_holm
    0  forest     mlp       0.022  0.006  0.038   0.017
    """
    import pandas as pd

    if not rope >= 0:
        raise ValueError(f"rope={rope!r} must be at least 0")
    rows: list[dict[str, Any]] = []
    for name, group in results.groupby("dataset", sort=False):
        n_train, n_test = float(group["n_train"].mean()), float(group["n_test"].mean())
        scores = complete_scores(group, measure)
        tests = [_pair(scores[list(pair)], measure, rope, n_train, n_test) for pair in combinations(scores, 2)]
        adjusted = holm([test["p_value"] for test in tests])
        rows += [{"dataset": name, **test, "p_holm": p} for test, p in zip(tests, adjusted, strict=True)]
    types = dict.fromkeys(PAIR_COLUMNS, "float") | dict.fromkeys(NAMES, "object") | {"n_folds": "int"}
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS)).astype(types)


def _pair(scores: "DataFrame", measure: "Measure", rope: float, n_train: float, n_test: float) -> dict[str, Any]:
    a, b = scores.columns
    size = float(scores.abs().to_numpy().max())
    sign = 1 if measure.greater_is_better else -1
    differences = _rounded(sign * (scores[a] - scores[b]).to_numpy(), size)
    if not measure.scale_free:
        rope = rope * float(scores.abs().to_numpy().mean())
    test = corrected_t_test(differences, n_train, n_test)
    posterior = correlated_t_test(differences, n_train, n_test, rope)
    return {
        **{"model_a": a, "model_b": b, "difference": test.difference, "low": test.low, "high": test.high},
        **{"p_value": test.p_value, "p_a_better": posterior.better, "p_equivalent": posterior.equivalent},
        **{"p_b_better": posterior.worse, "rope": rope, "n_folds": len(differences)},
    }


def _rounded(values: np.ndarray, size: float) -> np.ndarray:
    return np.round(values, DIGITS - int(np.ceil(np.log10(size)))) if size > 0 else values


def complete_scores(results: "DataFrame", measure: "Measure") -> "DataFrame":
    """Give the scores of the models that have a finite one in every fold.

    Parameters
    ----------
    results : DataFrame
        The rows of ``Study.results`` of one data set.
    measure : Measure
        The score.

    Returns
    -------
    DataFrame
        One row per fold, one column per model, the best one on average first.
    """
    scores = results.pivot(index="fold", columns="model", values=measure.name)
    scores = scores[list(dict.fromkeys(results["model"]))].astype(float)
    scores = scores.loc[:, np.isfinite(scores).all()]
    means = scores.mean().to_numpy()
    means = _rounded(means, float(np.abs(means).max(initial=0)))
    return scores.iloc[:, np.argsort(-means if measure.greater_is_better else means, kind="stable")]


def left_out(results: "DataFrame", measure: "Measure") -> dict[str, list[str]]:
    """Name the models that take no part in the comparisons, because they lack the score of some fold.

    Parameters
    ----------
    results : DataFrame
        ``Study.results``, or some rows of it.
    measure : Measure
        The score.

    Returns
    -------
    dict of str to list of str
        The models of each data set where there are any: they failed in a fold, gave no finite score there,
        or cannot give this score at all.
    """
    missing: dict[str, list[str]] = {}
    for name, group in results.groupby("dataset", sort=False):
        whole = complete_scores(group, measure).columns
        if models := [model for model in dict.fromkeys(group["model"]) if model not in whole]:
            missing[str(name)] = models
    return missing


@dataclass(frozen=True, eq=False)
class Ranks:
    """The models ranked over several data sets.

    Parameters
    ----------
    average : Series
        The average rank of each model, 1 being the best; best model first.
    scores : DataFrame
        The mean score over the folds, one row per data set, one column per model in the order of ``average``.
    chi2, f : float
        The statistics of Friedman, and of Iman and Davenport.
    p_value : float
        Of the latter: how likely such ranks are if no model is better than another.
    critical_difference : float
        Average ranks this far apart are significantly different at the level of 5 % (Nemenyi).
    groups : tuple of tuple of str
        The largest groups of models whose average ranks are closer to each other than that.
    pairs : DataFrame
        ``model_a`` (of the better average rank), ``model_b``, ``difference`` (of average ranks, at least 0),
        ``statistic`` and ``p_value`` (Wilcoxon) and ``p_holm`` (adjusted for all pairs).
    left_out : dict of str to list of str
        The models without a score on some data set, which are not ranked, and on which data sets.
    """

    average: "Series"
    scores: "DataFrame"
    chi2: float
    f: float
    p_value: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    pairs: "DataFrame"
    left_out: dict[str, list[str]]

    @property
    def n_data_sets(self) -> int:
        """On how many data sets the models were ranked."""
        return len(self.scores)


def ranks_of(results: "DataFrame", measure: "Measure") -> Ranks:
    """Rank the models by their mean score on each data set, and test whether the average ranks differ.

    Parameters
    ----------
    results : DataFrame
        ``Study.results`` with at least two data sets.
    measure : Measure
        The score that decides.

    Returns
    -------
    Ranks
        Average ranks, Friedman's test, Nemenyi's critical difference, and Wilcoxon's test of each pair. A model that
        lacks a score in a fold of some data set is left out, and named in ``left_out``.

    Raises
    ------
    ValueError
        If there are fewer than two data sets, or fewer than two models with scores on all of them.

    References
    ----------
    J. Demšar (2006). Statistical comparisons of classifiers over multiple data sets. Journal of Machine Learning
    Research 7, 1-30.
    """
    import pandas as pd

    means = {
        str(name): complete_scores(group, measure).mean() for name, group in results.groupby("dataset", sort=False)
    }
    if len(means) < 2:
        raise ValueError(f"ranks need at least 2 data sets, the results have {len(means)}: {_listed(list(means))}")
    models = list(dict.fromkeys(results["model"]))
    table = pd.DataFrame(means).T.reindex(columns=models)
    whole = table.dropna(axis="columns")
    missing = {model: list(table.index[table[model].isna()]) for model in models if model not in whole}
    if whole.shape[1] < 2:
        raise ValueError(
            f"ranks need at least 2 models with a {measure.name} in every fold of all data sets; of the models "
            f"{_listed(models)} there are {whole.shape[1]}"
        )
    test = friedman_test(whole.to_numpy(), bool(measure.greater_is_better))
    order = np.argsort(test.average_ranks, kind="stable")
    average = pd.Series(test.average_ranks[order], index=list(whole.columns[order]), name="average_rank")
    scores = whole[list(average.index)]
    distance = critical_difference(len(average), len(scores))
    groups = indistinct_groups(average.to_list(), distance)
    return Ranks(
        average=average,
        scores=scores,
        chi2=test.chi2,
        f=test.f,
        p_value=test.p_value,
        critical_difference=distance,
        groups=tuple(tuple(average.index[model] for model in group) for group in groups),
        pairs=_rank_pairs(average, scores),
        left_out=missing,
    )


def _rank_pairs(average: "Series", scores: "DataFrame") -> "DataFrame":
    import pandas as pd

    rows = [
        {"model_a": a, "model_b": b, "difference": average[b] - average[a]}
        | wilcoxon_test(scores[a].to_numpy(), scores[b].to_numpy())._asdict()
        for a, b in combinations(average.index, 2)
    ]
    return pd.DataFrame(rows).assign(p_holm=lambda pairs: holm(pairs["p_value"]))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(str, names)) or "none"
