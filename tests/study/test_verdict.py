"""The verdict: what it says when one is better, when nothing can be told, and when somebody is missing."""

import re

import numpy as np
import pandas as pd
import pytest

from sknn.study.compare import compare_pairs, ranks_of
from sknn.study.measures import MEASURES
from sknn.study.verdict import verdict, verdict_over_data_sets

FAMILIES = {
    "mlp": "network",
    "cnn": "network",
    **dict.fromkeys(["forest", "random_forest", "knn", "dummy"], "baseline"),
}
TITLES = {
    "random_forest": "Random forest",
    "mlp": "MLP",
    "cnn": "CNN",
    "forest": "Random forest",
    "knn": "Nearest neighbours",
    "dummy": "Dummy",
}
WIGGLE = np.array([0.01, -0.01, 0.005, -0.005, 0])
BASE = 0.95 + WIGGLE[::-1]
ERROR = "ValueError: no room.\nTraceback of many lines"


def frame(models, measure="accuracy", times=None, tune_time=0.0, dataset="toy"):
    rows = [
        {
            **{"dataset": dataset, "model": model, "fold": fold, "n_train": 80, "n_test": 20, measure: score},
            **{"fit_time": (times or {}).get(model, 0.1), "tune_time": tune_time, "warnings": None, "error": None},
        }
        for model, scores in models.items()
        for fold, score in enumerate(scores)
    ]
    return pd.DataFrame(rows).astype({"warnings": "string", "error": "string"})


def say(models, measure="accuracy", rope=0.01, failed=(), **options):
    results = frame(models, measure, **options)
    results.loc[results["model"].isin(failed) & results[measure].isna(), "error"] = ERROR
    measure = MEASURES[measure]
    return verdict(results, compare_pairs(results, measure, rope), measure, FAMILIES, TITLES)


COMPARISONS = {
    "a baseline is better": (
        {"mlp": BASE, "forest": BASE + 0.02 + 0.6 * WIGGLE},
        "Random forest (only baseline) is better than MLP (only network) by 0.020 in accuracy (95 % interval 0.011 to "
        "0.029): 0.970 against 0.950.",
    ),
    "the network is better": (
        {"mlp": BASE + 0.02 + 0.6 * WIGGLE, "forest": BASE},
        "MLP (only network) is better than Random forest (only baseline) by 0.020 in accuracy (95 % interval 0.011 to "
        "0.029): 0.970 against 0.950.",
    ),
    "the best of several": (
        {"mlp": BASE + 0.03 + 0.6 * WIGGLE, "cnn": BASE - 0.1, "forest": BASE, "knn": BASE - 0.2},
        "MLP (best network) is better than Random forest (best baseline) by 0.030 in accuracy (95 % interval 0.021 to "
        "0.039): 0.980 against 0.950.",
    ),
    "better, but less than matters": (
        {"mlp": BASE, "forest": BASE - 0.004 + 0.2 * WIGGLE},
        "MLP (only network) is better than Random forest (only baseline) by 0.0040 in accuracy (95 % interval 0.0011 "
        "to 0.0069): 0.9500 against 0.9460. That is less than 1 % (0.01).",
    ),
    "no difference that matters": (
        {"mlp": BASE, "forest": BASE - 0.001 + 0.2 * WIGGLE},
        "No difference worth 1 % (0.01) could be found in accuracy between MLP (only network) and Random forest (only "
        "baseline): 0.9500 against 0.9490, a difference of 0.0010 (95 % interval -0.0019 to 0.0039), which is smaller "
        "than that with a probability of over 99 %.",
    ),
    "undecided": (
        {"mlp": BASE, "forest": BASE - 0.012 + 2 * WIGGLE},
        "The 5 folds do not decide: MLP (only network) is ahead of Random forest (only baseline) by 0.012 in accuracy "
        "(95 % interval -0.017 to 0.041): 0.950 against 0.938.",
    ),
    "undecided and level": (
        {"mlp": BASE, "forest": BASE - WIGGLE},
        "The 5 folds do not decide: MLP (only network) is level with Random forest (only baseline) in accuracy (95 % "
        "interval -0.015 to 0.015): 0.950 against 0.950.",
    ),
    "not after Holm's correction": (
        {"mlp": BASE, "forest": BASE - 0.02 + 1.2 * WIGGLE, "knn": BASE - 0.03 + 2 * WIGGLE},
        "The 5 folds do not decide: MLP (only network) is ahead of Random forest (best baseline) by 0.020 in accuracy "
        "(95 % interval 0.002 to 0.038): 0.950 against 0.930. Taken alone this would count as a difference, but not as "
        "one of 3 comparisons (p = 0.10; alone, p = 0.035).",
    ),
    "probably, but not after Holm's correction": (
        {"mlp": BASE, "forest": BASE - 0.03 + 1.5 * WIGGLE, "knn": BASE - 0.04 + 3 * WIGGLE},
        "MLP (only network) is probably better than Random forest (best baseline) by 0.030 in accuracy (95 % interval "
        "0.008 to 0.052): 0.950 against 0.920. The probability that it is better by more than 1 % (0.01) is 96 %, but "
        "the t-test does not confirm it as one of 3 comparisons (p = 0.059; alone, p = 0.020).",
    ),
    "the same difference in every fold": (
        {"mlp": [0.9, 0.8, 1.0], "forest": [0.8, 0.7, 0.9]},
        "MLP (only network) is ahead of Random forest (only baseline) in accuracy by the same 0.100 in every one of "
        "the 3 folds, which leaves nothing to test: 0.900 against 0.800.",
    ),
    "no difference in any fold": (
        {"mlp": [1.0] * 3, "forest": [1.0] * 3},
        "MLP (only network) is level with Random forest (only baseline) in accuracy in every one of the 3 folds: 1.000 "
        "against 1.000.",
    ),
    "a single fold": (
        {"mlp": [0.9], "forest": [0.8]},
        "One fold cannot decide in accuracy between MLP (only network) and Random forest (only baseline): 0.900 "
        "against 0.800.",
    ),
}


@pytest.mark.parametrize(("models", "sentence"), COMPARISONS.values(), ids=COMPARISONS)
def test_the_verdict_compares_the_best_of_both_families(models, sentence):
    said = say(models)
    assert said.startswith(sentence + " ")
    assert re.fullmatch(
        r" \S.* took about as long to fit as .* \(0\.10 s against 0\.10 s per fold\)\.", said[len(sentence) :]
    )


BESIDE_THE_FOREST = {
    "behind another baseline": (
        {"mlp": BASE, "knn": BASE + 0.02 + 0.6 * WIGGLE, "random_forest": BASE - 0.05 + 0.6 * WIGGLE},
        "MLP (only network) is better than Random forest by 0.050 in accuracy (95 % interval 0.041 to 0.059): 0.950 "
        "against 0.900.",
    ),
    "undecided": (
        {"mlp": BASE, "knn": BASE + 0.02 + 0.6 * WIGGLE, "random_forest": BASE - 0.012 + 2 * WIGGLE},
        "The 5 folds do not decide: MLP (only network) is ahead of Random forest by 0.012 in accuracy (95 % interval "
        "-0.017 to 0.041): 0.950 against 0.938.",
    ),
    "the best baseline": ({"mlp": BASE, "knn": BASE - 0.1, "random_forest": BASE - 0.05 + 0.6 * WIGGLE}, ""),
    "not there": ({"mlp": BASE, "knn": BASE - 0.1}, ""),
}


@pytest.mark.parametrize(("models", "sentence"), BESIDE_THE_FOREST.values(), ids=BESIDE_THE_FOREST)
def test_the_verdict_compares_the_best_network_with_the_forest_too(models, sentence):
    said = say(models)
    _, _, further = said.partition(". ")
    assert further.startswith(sentence)
    assert said.count(" Random forest") <= 2
    assert sentence or " took about as long to fit as " in further.partition(". ")[0]


def test_errors_are_in_their_unit_and_less_is_better():
    said = say({"mlp": 5400 + 2000 * WIGGLE, "forest": 5600 + 4000 * WIGGLE}, "rmse")
    assert said.startswith(
        "MLP (only network) is better than Random forest (only baseline) by 200 in RMSE (95 % interval 171 to 229): "
        "5,400 against 5,600, lower being better. MLP took"
    )


def test_what_matters_of_an_error_is_a_share_of_it():
    said = say({"mlp": 540 + 20 * WIGGLE, "forest": 541 + 200 * WIGGLE}, "rmse", rope=0.02)
    assert said.startswith("No difference worth 2 % (11) could be found in RMSE")


@pytest.mark.parametrize(
    ("times", "tune_time", "sentence"),
    [
        (
            {"mlp": 1.2, "forest": 0.1},
            0,
            "MLP took 12 times as long to fit as Random forest (1.2 s against 0.10 s per fold).",
        ),
        (
            {"mlp": 0.1, "forest": 0.25},
            0,
            "Random forest took 2.5 times as long to fit as MLP (0.25 s against 0.10 s per",
        ),
        ({"mlp": 0.041, "forest": 0.0029}, 0, "as long to fit as Random forest (41 ms against 2.9 ms per fold)."),
        ({"mlp": 0.11}, 0, "MLP took about as long to fit as Random forest (0.11 s against 0.10 s per fold)."),
        (
            {"mlp": 3, "forest": 0.002},
            0,
            "MLP took 1,500 times as long to fit as Random forest (3.0 s against 0.0020 s per",
        ),
        (
            {"mlp": 1.1},
            0.9,
            "MLP took 2.0 times as long to tune and fit as Random forest (2.0 s against 1.0 s per fold).",
        ),
    ],
)
def test_the_verdict_tells_what_it_cost(times, tune_time, sentence):
    assert sentence in say({"mlp": BASE, "forest": BASE - 0.03}, times=times, tune_time=tune_time)


@pytest.mark.parametrize(
    ("dummy", "sentence"),
    [
        (np.full(5, 0.95) - 0.5, ""),
        (BASE - 0.3, ""),
        (
            BASE - 0.01 + 2 * WIGGLE,
            "It is not even certain that MLP is better than Dummy, which never looks at the inputs.",
        ),
        (BASE + 0.01 + WIGGLE, "On average, MLP is no better than Dummy, which never looks at the inputs."),
        (BASE, "On average, MLP is no better than Dummy, which never looks at the inputs."),
    ],
)
def test_a_network_is_held_against_the_dummy(dummy, sentence):
    said = say({"mlp": BASE, "forest": BASE + 0.1, "dummy": dummy})
    assert sentence in said
    assert ("Dummy" in said) == bool(sentence)


def test_the_dummy_can_be_the_best_baseline():
    said = say({"mlp": BASE + 0.1, "dummy": BASE + WIGGLE})
    assert said.startswith("MLP (only network) is better than Dummy (only baseline) by 0.100")
    assert "never looks" not in said


@pytest.mark.parametrize(
    ("models", "failed", "said"),
    [
        ({"forest": BASE, "dummy": BASE}, (), "No network took part, so there is nothing to compare."),
        ({"mlp": BASE}, (), "No baseline took part, so there is nothing to compare."),
        (
            {"forest": BASE, "mlp": [*BASE[:3], np.nan, np.nan]},
            ["mlp"],
            "No network has a score for accuracy in every fold, so there is nothing to compare. MLP failed in 2 of 5 "
            "folds and is left out (ValueError: no room).",
        ),
        (
            {"forest": BASE, "mlp": [np.nan] * 5},
            (),
            "No network has a score for accuracy in every fold, so there is nothing to compare. MLP gave no accuracy "
            "in any fold and is left out.",
        ),
    ],
)
def test_without_a_network_or_a_baseline_it_says_why(models, failed, said):
    assert say(models, failed=failed) == said


def test_models_that_were_left_out_are_named():
    said = say({"mlp": BASE, "forest": BASE - 0.1, "cnn": [0.99, 0.99, 0.99, 0.99, np.nan]}, failed=["cnn"])
    assert said.startswith("MLP (only network) is ahead of Random forest (only baseline)")
    assert said.endswith("CNN failed in 1 of 5 folds and is left out (ValueError: no room).")


def test_an_infinite_score_is_told_as_such():
    models = {"mlp": BASE, "forest": np.where(np.arange(5) == 2, -np.inf, BASE), "knn": BASE - 0.1}
    assert say(models).endswith("Random forest gave an infinite accuracy in 1 of 5 folds and is left out.")


def test_a_verdict_is_about_one_data_set():
    results = pd.concat([frame({"mlp": BASE}, dataset=name) for name in ("one", "two")])
    with pytest.raises(ValueError, match="one data set, the results have 2: one, two"):
        verdict(results, compare_pairs(results, MEASURES["accuracy"]), MEASURES["accuracy"], FAMILIES, TITLES)


def test_pairs_of_other_data_sets_do_no_harm():
    one, two = (
        frame({"mlp": BASE, "forest": BASE - 0.1 * k}, dataset=name) for name, k in {"one": 1, "two": 2}.items()
    )
    accuracy = MEASURES["accuracy"]
    alone = verdict(one, compare_pairs(one, accuracy), accuracy, FAMILIES, TITLES)
    assert verdict(one, compare_pairs(pd.concat([two, one]), accuracy), accuracy, FAMILIES, TITLES) == alone


def test_the_interval_never_contradicts_the_verdict():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        models = {
            "mlp": BASE,
            "forest": BASE + rng.normal(0, 0.02) + rng.normal(0, 0.01, 5),
            "knn": rng.normal(0.9, 0.01, 5),
        }
        said = say(models)
        low, high = map(float, re.search(r"interval (\S+) to ([\d.-]+\d)", said).groups())
        by = re.search(r"(?:by|difference of) ([\d.]+\d) ", said)
        assert (float(by.group(1)) if by else 0.0) == pytest.approx((low + high) / 2, abs=0.001)
        if " is better than " in said:
            assert low > 0
        elif "do not decide" in said:
            assert (low > 0) == ("Taken alone" in said)
        seen.add(said.split(" is ahead ")[0].split()[0] + str("Taken alone" in said))
    assert {"TheFalse", "TheTrue", "MLPFalse"} <= seen


# --------------------------------------------------------------------------------------------------- several data sets


def over(means, *models, missing=()):
    wiggle = np.array([0.01, -0.01])
    results = pd.concat(
        frame({model: mean + wiggle for model, mean in zip(models, row, strict=True)}, dataset=f"d{i}")
        for i, row in enumerate(means)
    )
    for model, dataset in missing:
        results.loc[(results["model"] == model) & (results["dataset"] == dataset), "accuracy"] = np.nan
    return verdict_over_data_sets(ranks_of(results, MEASURES["accuracy"]), FAMILIES, TITLES)


STEPS = np.linspace(0.001, 0.014, 14)[:, np.newaxis]
CLEAR = np.array([[0.9, 0.8, 0.5]] * 14) + STEPS * [3, 2, 1]
MIXED = np.array([[0.8, 0.8]]) + STEPS * np.resize([[1, -1], [-1, 1]], (14, 2))


def test_over_many_data_sets_a_network_is_better():
    assert over(CLEAR, "mlp", "forest", "dummy") == (
        "Over 14 data sets, the models differ (Friedman's test, p < 0.001). MLP has the best average rank, 1.00 of 3; "
        "all others are worse (Nemenyi's test, critical difference 0.89). MLP (only network) is better than Random "
        "forest (best baseline) (average rank 1.00 against 2.00; Wilcoxon's test, p < 0.001 after Holm)."
    )


def test_models_that_cannot_be_told_from_the_best_are_named():
    said = over(np.column_stack([MIXED, CLEAR[:, 2]]), "mlp", "forest", "dummy")
    assert "by ranks alone, Random forest cannot be told from it" in said
    assert (
        "MLP (only network) cannot be told from Random forest (best baseline) (average rank 1.50 against 1.50; " in said
    )


def test_without_a_difference_over_data_sets_it_says_so():
    said = over(MIXED, "mlp", "forest")
    assert said.startswith("Over 14 data sets, Friedman's test finds no difference between the models (p = 1). MLP")
    assert "best average rank" not in said


def test_few_data_sets_are_called_too_few():
    said = over(CLEAR[:4], "mlp", "forest", "dummy")
    assert said.endswith(
        "(average rank 1.00 against 2.00; by Wilcoxon's test after Holm's correction for 3 pairs, so few data sets "
        "cannot tell any two models apart)."
    )


def test_over_data_sets_one_family_may_be_missing():
    said = over(CLEAR, "knn", "forest", "mlp", missing=[("mlp", "d3"), ("mlp", "d5")])
    assert said.endswith(
        "No network has a score on all data sets, so networks and baselines cannot be compared. MLP is left out, "
        "because it lacks a score on d3 and d5."
    )
