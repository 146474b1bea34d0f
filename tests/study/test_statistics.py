"""The statistics against published examples, against calculation by hand, and against their promise by simulation."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats

from sknn.study.statistics import (
    corrected_t_test,
    correlated_t_test,
    critical_difference,
    friedman_test,
    holm,
    indistinct_groups,
    rank_models,
    wilcoxon_test,
)

# Demšar (2006), table 6: the AUC of C4.5, and with tuned m, tuned cf, and both, on 14 data sets. It is
# rounded to three digits; by its ranks, the third variant was ahead of the fourth on the data set before the last.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.97501, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)

# ------------------------------------------------------------------------------------- two models on one data set


def test_the_corrected_t_test_is_what_the_hand_finds():
    # d = 1, 2, 3, 6: mean 3, s² = (4 + 1 + 0 + 9) / 3; of 60 samples 15 are for testing: 1/4 + 15/45 = 7/12.
    test = corrected_t_test([1, 2, 3, 6], n_train=45, n_test=15)
    error = np.sqrt(7 / 12 * 14 / 3)
    assert_allclose(test.t, 3 / error)
    assert test.degrees_of_freedom == 3
    # Of three degrees of freedom, the distribution has a closed form; 3.182446 is the tabulated quantile.
    x = test.t / np.sqrt(3)
    assert_allclose(test.p_value, 1 - 2 / np.pi * (x / (1 + x**2) + np.arctan(x)))
    assert_allclose([test.low, test.high], [3 - 3.182446 * error, 3 + 3.182446 * error], rtol=1e-6)


def test_without_test_samples_to_speak_of_it_is_the_paired_t_test():
    a, b = np.random.default_rng(0).normal(size=(2, 10))
    theirs = stats.ttest_rel(a, b)
    test = corrected_t_test(a - b, n_train=1, n_test=1e-12)
    assert_allclose((test.t, test.p_value), (theirs.statistic, theirs.pvalue))
    assert_allclose((test.low, test.high), theirs.confidence_interval(0.95))


def test_another_confidence_gives_another_interval():
    wide, narrow = (corrected_t_test([1, 2, 3, 6], 45, 15, confidence) for confidence in (0.99, 0.5))
    assert wide.low < narrow.low < 3 < narrow.high < wide.high
    assert wide.p_value == narrow.p_value


@pytest.mark.parametrize("p_value", [0.05, 0.01])
def test_the_interval_ends_at_zero_where_p_is_at_its_level(p_value):
    d = np.array([0.1, 0.3, 0.2, 0.5])
    test = corrected_t_test(d, 75, 25, confidence=1 - p_value)
    moved = corrected_t_test(d - test.low, 75, 25, confidence=1 - p_value)
    assert_allclose((moved.low, moved.p_value), (0, p_value), atol=1e-12)


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [([0.0] * 5, 1.0), ([0.1] * 5, np.nan), ([0.7 - 0.6, 0.8 - 0.7, 0.9 - 0.8], np.nan), ([0.1], np.nan)],
    ids=["all zero", "all equal", "all equal but for rounding", "one fold"],
)
def test_without_a_spread_there_is_no_interval(differences, p_value):
    test = corrected_t_test(differences, 80, 20)
    assert_allclose(test.difference, differences[0])
    assert_allclose([test.low, test.high, test.t, test.p_value], [np.nan, np.nan, np.nan, p_value])


@pytest.mark.parametrize("rope", [0.0, 0.5, 2.0])
def test_the_posterior_is_the_integral_of_its_density(rope):
    d, n_train, n_test = np.array([1.0, 2, 3, 6]), 45, 15
    rho = n_test / (n_train + n_test)
    scale = np.sqrt((1 / 4 + rho / (1 - rho)) * d.var(ddof=1))

    def density(mu):
        # Student's distribution of three degrees of freedom, written out.
        return 2 / (np.pi * np.sqrt(3) * (1 + ((mu - 3) / scale) ** 2 / 3) ** 2) / scale

    parts = [(-np.inf, -rope), (-rope, rope), (rope, np.inf)]
    posterior = correlated_t_test(d, n_train, n_test, rope)
    assert_allclose(posterior, [integrate.quad(density, *part)[0] for part in parts], atol=1e-7)
    assert_allclose(sum(posterior), 1)


def test_the_posterior_follows_from_the_likelihood_of_correlated_folds():
    # The paper starts from d ~ N(μ 1, σ² M) with 1 on the diagonal of M and ρ elsewhere, and the prior 1/σ².
    d, rho = np.array([0.4, -0.2, 0.5]), 0.25
    inverse = np.linalg.inv(np.full((3, 3), rho) + (1 - rho) * np.eye(3))

    def unscaled(mu):  # σ integrated out: ∫ σ⁻ⁿ⁻¹ exp(-q / 2σ²) dσ is proportional to q^(-n/2)
        return ((d - mu) @ inverse @ (d - mu)) ** (-3 / 2)

    mass = [integrate.quad(unscaled, *part)[0] for part in [(-np.inf, -0.1), (-0.1, 0.1), (0.1, np.inf)]]
    assert_allclose(correlated_t_test(d, 75, 25, rope=0.1), np.divide(mass, sum(mass)), atol=1e-6)


def test_without_a_region_the_posterior_is_the_one_sided_t_test():
    for d in np.random.default_rng(1).normal(0.3, 1, size=(5, 6)):
        worse, equivalent, better = correlated_t_test(d, 80, 20, rope=0)
        test = corrected_t_test(d, 80, 20)
        assert equivalent < 1e-15
        assert_allclose(2 * min(worse, better), test.p_value)
        assert (better > worse) == (test.difference > 0)


@pytest.mark.parametrize(
    ("differences", "rope", "expected"),
    [
        ([0.02] * 4, 0.01, (0, 0, 1)),
        ([-0.02] * 4, 0.01, (1, 0, 0)),
        ([0.005] * 4, 0.01, (0, 1, 0)),
        ([0.0] * 4, 0.01, (0, 1, 0)),
        ([0.0] * 4, 0.0, (0.5, 0, 0.5)),
        ([0.02], 0.01, (np.nan,) * 3),
    ],
)
def test_without_a_spread_the_posterior_is_its_limit(differences, rope, expected):
    assert_allclose(correlated_t_test(differences, 80, 20, rope), expected)
    if len(differences) > 1:
        nearly = np.array(differences) + 1e-6 * np.array([1, -1, 1, -1])
        assert_allclose(correlated_t_test(nearly, 80, 20, rope), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 80, 20), r"differences=\[\]"),
        (([1.0, np.nan], 80, 20), "finite"),
        (([[1.0]], 80, 20), "one dimension"),
        (([1.0, 2.0], 0, 20), "n_train=0"),
        (([1.0, 2.0], 80, -1), "n_test=-1"),
    ],
)
def test_arguments_without_a_meaning_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        corrected_t_test(*arguments)
    with pytest.raises(ValueError, match=message):
        correlated_t_test(*arguments, rope=0.01)


def test_a_confidence_or_region_without_a_meaning_is_refused():
    with pytest.raises(ValueError, match="confidence=95"):
        corrected_t_test([1, 2], 80, 20, confidence=95)
    with pytest.raises(ValueError, match=r"rope=-0\.1"):
        correlated_t_test([1, 2], 80, 20, rope=-0.1)


# --------------------------------------------------------------------------------------- the promise, by simulation

N_STUDIES = 2_000


@pytest.mark.parametrize(("n_folds", "n_train", "n_test"), [(5, 80, 20), (10, 90, 10), (100, 90, 10)])
def test_of_equal_models_one_in_twenty_is_called_different(n_folds, n_train, n_test):
    rho = n_test / (n_train + n_test)
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2, N_STUDIES, 1)), rng.normal(size=(2, N_STUDIES, n_folds))
    a, b = 0.8 + 0.05 * (np.sqrt(rho) * common + np.sqrt(1 - rho) * own)

    def share(found):
        return np.mean(found), 3 * np.sqrt(np.mean(found) * (1 - np.mean(found)) / N_STUDIES)

    found, error = share([corrected_t_test(d, n_train, n_test).p_value < 0.05 for d in a - b])
    assert found == pytest.approx(0.05, abs=error)
    p_better = np.array([correlated_t_test(d, n_train, n_test, rope=0).better for d in a - b])
    found, error = share((p_better < 0.025) | (p_better > 0.975))
    assert found == pytest.approx(0.05, abs=error)
    # What the paired t-test finds can be foretold: its t is too large by a known factor.
    factor = np.sqrt(1 + n_folds * n_test / n_train)
    naive = 2 * stats.t.sf(stats.t.ppf(0.975, n_folds - 1) / factor, n_folds - 1)
    found, error = share(stats.ttest_rel(a, b, axis=1).pvalue < 0.05)
    assert found == pytest.approx(naive, abs=error)
    assert found > 0.12


# ---------------------------------------------------------------------------------------------- several tests at once


def test_holm_finds_what_demsar_finds():
    # His section 3.2.2: the three variants against C4.5; the first two are significant, 0.016 < 0.017, 0.019 < 0.025.
    ranks = friedman_test(DEMSAR).average_ranks
    z = (ranks[0] - ranks[1:]) / np.sqrt(4 * 5 / (6 * 14))
    assert_allclose(z, [2.342, 0.512, 2.416], atol=1e-3)
    p_values = 2 * stats.norm.sf(z)
    assert_allclose(p_values[[0, 2]], [0.019, 0.016], atol=5e-4)
    assert (holm(p_values) < 0.05).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.9, 0.8], [1, 1]),
        ([0.2], [0.2]),
        ([], []),
        ([0.02, np.nan, 0.03], [0.04, np.nan, 0.04]),
        ([np.nan, np.nan], [np.nan, np.nan]),
    ],
)
def test_holm_steps_down_and_leaves_missing_values(p_values, adjusted):
    given = np.array(p_values)
    assert_allclose(holm(given), adjusted)
    assert_allclose(given, p_values)


# ------------------------------------------------------------------------------- several models on several data sets


def test_wilcoxon_finds_what_demsar_finds():
    # His table 2: sums of 93 and 12, where 21 would be enough for the level of 5 %.
    for a, b in [(0, 1), (1, 0)]:
        test = wilcoxon_test(DEMSAR[:, a], DEMSAR[:, b])
        assert test.statistic == 12
        assert 0.005 < test.p_value < 0.02


def test_equal_scores_are_no_evidence():
    assert wilcoxon_test([0.5, 0.7, 0.9], [0.5, 0.7, 0.9]) == (3, 1)


@pytest.mark.parametrize(("n_data_sets", "smallest"), [(2, 0.5), (5, 1 / 16), (6, 1 / 32)])
def test_few_data_sets_cannot_give_a_small_p(n_data_sets, smallest):
    assert_allclose(wilcoxon_test(np.arange(n_data_sets) + 1.0, np.zeros(n_data_sets)).p_value, smallest)


def test_friedman_finds_what_demsar_finds():
    test = friedman_test(DEMSAR)
    assert_allclose(test.average_ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert test.chi2 == pytest.approx(9.28, abs=0.005)
    assert test.f == pytest.approx(3.69, abs=0.005)
    assert stats.f.ppf(0.95, 3, 39) == pytest.approx(2.85, abs=0.005)  # his critical value
    assert 0.01 < test.p_value < 0.05
    assert test.chi2_p_value == pytest.approx(stats.chi2.sf(9.28, 3), abs=1e-4)


def test_errors_are_ranked_the_other_way_round():
    assert_allclose(rank_models(1 - DEMSAR, greater_is_better=False), rank_models(DEMSAR))
    assert friedman_test(1 - DEMSAR, greater_is_better=False).p_value == friedman_test(DEMSAR).p_value


def test_friedman_without_ties_is_scipys():
    scores = np.random.default_rng(0).normal(size=(8, 4))
    theirs = stats.friedmanchisquare(*scores.T)
    test = friedman_test(scores)
    assert_allclose((test.chi2, test.chi2_p_value), theirs)


def test_data_sets_that_all_agree_have_the_probability_of_such_agreement():
    # Four data sets put three models in the order of the first by chance with probability (1/6)³.
    test = friedman_test([[3, 2, 1]] * 4)
    assert test.f == np.inf
    assert_allclose(test.p_value, 6.0**-3)


def test_models_that_never_differ_do_not_differ():
    test = friedman_test(np.ones((5, 3)))
    assert_allclose(test.average_ranks, 2)
    assert (test.chi2, test.f, test.p_value) == (0, 0, 1)


def test_rounding_errors_do_not_break_a_tie():
    assert_allclose(rank_models([[0.1 + 0.2, 0.3, 0.1]]), [[1.5, 1.5, 3]])
    assert_allclose(rank_models([[1e-9, 2e-9], [0, 0]]), [[2, 1], [1.5, 1.5]])


@pytest.mark.parametrize(
    ("n_models", "q"),
    [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (7, 2.949), (8, 3.031), (9, 3.102), (10, 3.164)],
)
def test_the_critical_values_are_demsars(n_models, q):
    # His table 5a; with k (k + 1) = 6 N the critical difference is the critical value.
    assert critical_difference(n_models, 1) / np.sqrt(n_models * (n_models + 1) / 6) == pytest.approx(q, abs=1e-3)


def test_the_critical_difference_is_demsars():
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, level=0.10) == pytest.approx(1.12, abs=0.005)


@pytest.mark.parametrize(
    ("ranks", "difference", "groups"),
    [
        ([1, 2, 3], 5, [(0, 1, 2)]),
        ([1, 2, 3], 0.5, []),
        ([1, 2, 3], 1, []),
        ([1, 2, 3], 1.5, [(0, 1), (1, 2)]),
        ([3, 1, 2, 2], 1.5, [(1, 2, 3), (2, 3, 0)]),
        ([1, 1.2, 4, 4.1, 8], 1, [(0, 1), (2, 3)]),
        ([1, 2, 2.5, 3.9], 1.6, [(0, 1, 2), (2, 3)]),
    ],
)
def test_groups_are_as_large_as_the_critical_difference_allows(ranks, difference, groups):
    assert indistinct_groups(ranks, difference) == groups


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: friedman_test([[1, 2, 3]]), "2 data sets, got 1"),
        (lambda: friedman_test([[1], [2]]), r"2 models .* \(2, 1\)"),
        (lambda: friedman_test([[1, 2], [3, np.nan]]), "1 missing"),
        (lambda: wilcoxon_test([1, 2], [1, 2, 3]), r"\(2,\) and \(3,\)"),
        (lambda: critical_difference(1, 5), "n_models=1"),
    ],
)
def test_tables_that_cannot_be_ranked_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
