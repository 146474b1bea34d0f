"""The statistics of a study as functions of arrays: two models on one data set, several models on several data sets."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

# A spread below this share of the differences themselves is the rounding of sums, not a spread.
ROUNDING = 1e-10

# ------------------------------------------------------------------------------------- two models on one data set


class TTest(NamedTuple):
    """The mean difference with its interval, the statistic, its degrees of freedom and the two-sided p value."""

    difference: float
    low: float
    high: float
    t: float
    degrees_of_freedom: int
    p_value: float


class Posterior(NamedTuple):
    """The probabilities that the mean difference lies below, within and above the region of practical equivalence."""

    worse: float
    equivalent: float
    better: float


def corrected_t_test(differences: ArrayLike, n_train: float, n_test: float, confidence: float = 0.95) -> TTest:
    """Test whether two models that were scored on the same J folds differ: the corrected resampled t-test.

    Training sets of different folds overlap, so the differences dⱼ are correlated and the usual paired t-test finds
    differences where there are none. The variance is therefore enlarged::

        t = mean(d) / sqrt((1/J + n_test/n_train) s²),    s² = Σ (dⱼ - mean(d))² / (J - 1)

    with J - 1 degrees of freedom; the interval is mean(d) ± the quantile times the same root.

    Parameters
    ----------
    differences : array-like of shape (J,)
        Score of one model minus score of the other, fold by fold.
    n_train, n_test : float
        The numbers of training and of test samples, averaged over the folds.
    confidence : float, default=0.95
        The coverage of the interval, between 0 and 1.

    Returns
    -------
    TTest
        Of a single fold, only the difference: nothing is known of its spread, so the rest is NaN. The same holds if all
        differences are equal: t would be infinite and p zero, which a handful of folds cannot warrant. There is one
        exception: if all differences are zero, nothing speaks for a difference, and p is 1.

    Raises
    ------
    ValueError
        If an argument has no meaning.

    References
    ----------
    C. Nadeau and Y. Bengio (2003). Inference for the generalization error. Machine Learning 52, 239-281.

    Examples
    --------
    >>> test = corrected_t_test([0.02, 0.00, 0.01, 0.03, -0.01], n_train=80, n_test=20)
    >>> print(f"{test.difference:.3f} ({test.low:.3f} to {test.high:.3f}), p = {test.p_value:.2f}")
    0.010 (-0.019 to 0.039), p = 0.40
    """
    d = _checked_differences(differences, n_train, n_test)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r} must lie between 0 and 1")
    mean, scale, degrees = _location_and_scale(d, n_train, n_test)
    if not scale > 0:
        p_value = 1.0 if scale == 0 and not d.any() else np.nan
        return TTest(mean, np.nan, np.nan, np.nan, degrees, p_value)
    t = mean / scale
    margin = float(stats.t.ppf((1 + confidence) / 2, degrees)) * scale
    return TTest(mean, mean - margin, mean + margin, t, degrees, float(2 * stats.t.sf(abs(t), degrees)))


def correlated_t_test(differences: ArrayLike, n_train: float, n_test: float, rope: float) -> Posterior:
    """Give the probabilities that a model is worse, practically equivalent and better: the Bayesian correlated t-test.

    If the differences of J folds are Gaussian with equal correlation ρ = n_test / (n_train + n_test), the posterior of
    their mean under the matching prior, which knows nothing, is a Student distribution with J - 1 degrees of freedom::

        μ ~ t(mean(d), (1/J + ρ/(1 - ρ)) s², J - 1)

    Its mass below -rope, within ±rope and above rope are the three probabilities. Without a region (rope = 0), the
    probability of being worse is the one-sided p value of the corrected resampled t-test.

    Parameters
    ----------
    differences : array-like of shape (J,)
        Score of one model minus score of the other, fold by fold, such that positive is better.
    n_train, n_test : float
        The numbers of training and of test samples, averaged over the folds.
    rope : float
        Half the width of the region of practical equivalence: differences up to here do not matter. At least 0.

    Returns
    -------
    Posterior
        Three probabilities of sum 1, NaN for a single fold. If all differences are equal, their limit for a vanishing
        spread: all mass lies where the differences lie, and is split evenly if they and rope are 0.

    Raises
    ------
    ValueError
        If an argument has no meaning.

    References
    ----------
    A. Benavoli, G. Corani, J. Demšar and M. Zaffalon (2017). Time for a change: a tutorial for comparing multiple
    classifiers through Bayesian analysis. Journal of Machine Learning Research 18(77), 1-36.

    Examples
    --------
    >>> posterior = correlated_t_test([0.02, 0.00, 0.01, 0.03, -0.01], n_train=80, n_test=20, rope=0.01)
    >>> print("{:.2f} {:.2f} {:.2f}".format(*posterior))
    0.07 0.43 0.50
    """
    d = _checked_differences(differences, n_train, n_test)
    if not rope >= 0:
        raise ValueError(f"rope={rope!r} must be at least 0")
    mean, scale, degrees = _location_and_scale(d, n_train, n_test)
    if np.isnan(scale):
        return Posterior(np.nan, np.nan, np.nan)
    if scale == 0:
        worse, better = float(mean < -rope), float(mean > rope)
        if mean == rope == 0:
            worse = better = 0.5
    else:
        worse = float(stats.t.cdf((-rope - mean) / scale, degrees))
        better = float(stats.t.sf((rope - mean) / scale, degrees))
    return Posterior(worse, max(0.0, 1.0 - worse - better), better)


def _checked_differences(differences: ArrayLike, n_train: float, n_test: float) -> np.ndarray:
    d = np.asarray(differences, dtype=float)
    if d.ndim != 1 or d.size == 0 or not np.isfinite(d).all():
        raise ValueError(f"differences={differences!r} must be at least one finite number, in one dimension")
    for name, number in {"n_train": n_train, "n_test": n_test}.items():
        if not number > 0:
            raise ValueError(f"{name}={number!r} must be positive")
    return d


def _location_and_scale(d: np.ndarray, n_train: float, n_test: float) -> tuple[float, float, int]:
    """Mean, standard error (0 if all are equal, NaN if there is but one) and degrees of freedom."""
    if d.size == 1:
        return float(d[0]), np.nan, 0
    spread = float(d.std(ddof=1))
    if spread <= ROUNDING * np.abs(d).max():
        spread = 0.0
    return float(d.mean()), spread * float(np.sqrt(1 / d.size + n_test / n_train)), d.size - 1


# ---------------------------------------------------------------------------------------------- several tests at once


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust p values for having made several tests, so that any false alarm among them is rare: Holm's step-down.

    With p₁ ≤ ... ≤ pₘ sorted, the adjusted value is the greatest so far of (m - i + 1) pᵢ, at most 1.

    Parameters
    ----------
    p_values : array-like of shape (m,)
        Of all tests that were made; NaN stands for a test that could not be made and does not count.

    Returns
    -------
    ndarray of shape (m,)
        The adjusted p values in the same order, NaN where they were NaN.

    References
    ----------
    S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics
    6, 65-70.

    Examples
    --------
    >>> holm([0.607, 0.016, 0.019]).round(3)
    array([0.607, 0.048, 0.048])
    """
    adjusted = np.array(p_values, dtype=float)
    order = np.argsort(adjusted)[: np.count_nonzero(~np.isnan(adjusted))]  # NaN is sorted to the end
    steps = np.arange(len(order), 0, -1) * adjusted[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


# ------------------------------------------------------------------------------- several models on several data sets


class Friedman(NamedTuple):
    """Average rank of each model, both statistics, and their p values."""

    average_ranks: np.ndarray
    chi2: float
    chi2_p_value: float
    f: float
    p_value: float


class Wilcoxon(NamedTuple):
    """The smaller of the sums of signed ranks, and the two-sided p value."""

    statistic: float
    p_value: float


def rank_models(scores: ArrayLike, greater_is_better: bool = True) -> np.ndarray:
    """Rank the models on each data set, the best one first; equally good ones share the mean of their ranks.

    Parameters
    ----------
    scores : array-like of shape (n_data_sets, n_models)
        One score of each model on each data set.
    greater_is_better : bool, default=True
        Whether the greatest score is the best.

    Returns
    -------
    ndarray of shape (n_data_sets, n_models)
        Ranks from 1.

    Raises
    ------
    ValueError
        If there are fewer than two models or no data set, or a score is missing.

    Examples
    --------
    >>> rank_models([[0.9, 0.8, 0.8], [0.5, 0.7, 0.6]])
    array([[1. , 2.5, 2.5],
           [3. , 1. , 2. ]])
    """
    table = _without_rounding(_checked_table(scores), axis=1)
    return stats.rankdata(-table if greater_is_better else table, axis=1)


def friedman_test(scores: ArrayLike, greater_is_better: bool = True) -> Friedman:
    """Test whether k models have the same average rank R over N data sets.

    Friedman's statistic, and the less conservative one of Iman and Davenport, which decides here, are ::

        χ² = 12 N / (k (k + 1)) (Σ Rⱼ² - k (k + 1)² / 4)        with k - 1 degrees of freedom
        F = (N - 1) χ² / (N (k - 1) - χ²)                       with k - 1 and (k - 1)(N - 1)

    Parameters
    ----------
    scores : array-like of shape (N, k)
        One score of each model on each data set, at least 2 of both.
    greater_is_better : bool, default=True
        Whether the greatest score is the best, and has rank 1.

    Returns
    -------
    Friedman
        If all data sets agree on the order, F is infinite, and its p value is the probability of such agreement by
        chance, k!^(1 - N).

    Raises
    ------
    ValueError
        If there are fewer than two models or data sets, or a score is missing.

    References
    ----------
    J. Demšar (2006). Statistical comparisons of classifiers over multiple data sets. Journal of Machine Learning
    Research 7, 1-30.

    Examples
    --------
    >>> test = friedman_test([[0.9, 0.8, 0.7], [0.6, 0.7, 0.5], [0.8, 0.6, 0.7], [0.9, 0.8, 0.6]])
    >>> test.average_ranks
    array([1.25, 2.  , 2.75])
    >>> print(f"chi2 = {test.chi2:.1f}, F = {test.f:.2f}, p = {test.p_value:.3f}")
    chi2 = 4.5, F = 3.86, p = 0.084
    """
    ranks = rank_models(scores, greater_is_better)
    N, k = ranks.shape
    if N < 2:
        raise ValueError("the Friedman test needs at least 2 data sets, got 1")
    average = ranks.mean(axis=0)
    chi2 = float(12 * N / (k * (k + 1)) * (np.sum(average**2) - k * (k + 1) ** 2 / 4))
    rest = N * (k - 1) - chi2
    if rest <= ROUNDING * N * k:
        f, p_value = np.inf, float(np.exp((1 - N) * np.sum(np.log(np.arange(2, k + 1)))))
    else:
        f = (N - 1) * chi2 / rest
        p_value = float(stats.f.sf(f, k - 1, (k - 1) * (N - 1)))
    return Friedman(average, chi2, float(stats.chi2.sf(chi2, k - 1)), f, p_value)


def wilcoxon_test(a: ArrayLike, b: ArrayLike) -> Wilcoxon:
    """Test whether two models differ over several data sets: the signed-rank test of Wilcoxon.

    The differences are ranked by size, and the ranks of positive and of negative ones are summed; the ranks of zeros
    are split between both. The p value is exact for few data sets.

    Parameters
    ----------
    a, b : array-like of shape (n_data_sets,)
        The scores of both models.

    Returns
    -------
    Wilcoxon
        p is 1 if the scores are the same on all data sets. It is at least 2^(1 - n_data_sets): with five data sets or
        fewer, this test cannot find a difference at the level of 5 %.

    Raises
    ------
    ValueError
        If the scores are not as many on both sides, or one is missing.

    References
    ----------
    F. Wilcoxon (1945). Individual comparisons by ranking methods. Biometrics Bulletin 1, 80-83. The zeros as in
    J. Demšar (2006), Journal of Machine Learning Research 7, 1-30.

    Examples
    --------
    >>> wilcoxon_test([0.9, 0.8, 0.7, 0.9, 0.6, 0.8], [0.8, 0.6, 0.4, 0.5, 0.1, 0.2])
    Wilcoxon(statistic=0.0, p_value=0.03125)
    """
    if np.shape(a) != np.shape(b) or np.ndim(a) != 1:
        raise ValueError(f"a and b must be scores on the same data sets, got shapes {np.shape(a)} and {np.shape(b)}")
    pairs = _checked_table(np.column_stack([a, b]))
    # Equal differences are to share their rank although 0.768 - 0.763 is not quite 0.936 - 0.931.
    differences = _without_rounding(np.append(pairs[:, 0] - pairs[:, 1], np.abs(pairs).max()))[:-1]
    if not differences.any():
        n = len(differences)
        return Wilcoxon(n * (n + 1) / 4, 1.0)
    statistic, p_value = stats.wilcoxon(differences, zero_method="zsplit")
    return Wilcoxon(float(statistic), float(p_value))


def critical_difference(n_models: int, n_data_sets: int, level: float = 0.05) -> float:
    """Give the difference of average ranks from which on two models are significantly different: Nemenyi's test.

    It is ``q sqrt(k (k + 1) / (6 N))``, where q is the quantile of the studentized range of k models with infinite
    degrees of freedom, divided by √2.

    Parameters
    ----------
    n_models, n_data_sets : int
        k, at least 2, and N, at least 1.
    level : float, default=0.05
        How often a difference may be found between any of k equal models.

    Returns
    -------
    float
        The critical difference.

    Raises
    ------
    ValueError
        If there are too few of something.

    References
    ----------
    P. B. Nemenyi (1963). Distribution-free multiple comparisons. PhD thesis, Princeton University. As in J. Demšar
    (2006), Journal of Machine Learning Research 7, 1-30.

    Examples
    --------
    >>> round(critical_difference(n_models=4, n_data_sets=14), 2)
    1.25
    """
    if n_models < 2 or n_data_sets < 1:
        raise ValueError(f"needs at least 2 models on 1 data set, got n_models={n_models}, n_data_sets={n_data_sets}")
    q = stats.studentized_range.ppf(1 - level, n_models, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_models * (n_models + 1) / (6 * n_data_sets)))


def indistinct_groups(average_ranks: Sequence[float], critical_difference: float) -> list[tuple[int, ...]]:
    """Find the largest groups of models that do not differ significantly: the bars of a critical-difference diagram.

    Parameters
    ----------
    average_ranks : sequence of float
        One for each model, in any order.
    critical_difference : float
        Ranks that lie at least this far apart are significantly different.

    Returns
    -------
    list of tuple of int
        The positions of the members in ``average_ranks``, best model first. Groups of one are left out, as are those
        within another.

    Examples
    --------
    >>> indistinct_groups([3.1, 1.0, 2.0, 5.0], critical_difference=1.5)
    [(1, 2), (2, 0)]
    """
    ranks = np.asarray(average_ranks, dtype=float)
    order = np.argsort(ranks, kind="stable")
    groups: list[tuple[int, ...]] = []
    last_end = 0
    for start in range(len(order)):
        end = int(np.searchsorted(ranks[order], ranks[order[start]] + critical_difference - ROUNDING))
        if end - start > 1 and end > last_end:
            groups.append(tuple(int(model) for model in order[start:end]))
            last_end = end
    return groups


def _checked_table(scores: ArrayLike) -> np.ndarray:
    table = np.asarray(scores, dtype=float)
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise ValueError(f"scores must have one row per data set and at least 2 models as columns, got {table.shape}")
    if not (finite := np.isfinite(table)).all():
        raise ValueError(
            f"scores has {(~finite).sum()} missing or infinite values; every model needs one on each data set"
        )
    return table


def _without_rounding(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Round to ten digits of the greatest magnitude, so that what is equal but for rounding errors is equal."""
    unit = ROUNDING * np.abs(values).max(axis=axis, keepdims=True)
    return np.round(values / np.where(unit > 0, unit, 1.0))
