"""Pairs of models on each data set and ranks over several: what the frames say, and who is left out."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sknn.study.compare import PAIR_COLUMNS, compare_pairs, left_out, ranks_of
from sknn.study.measures import MEASURES
from sknn.study.statistics import corrected_t_test, correlated_t_test, critical_difference, friedman_test, holm

ACCURACY, RMSE = MEASURES["accuracy"], MEASURES["rmse"]
FOREST = [0.98, 0.96, 0.97, 0.99, 0.95]
MLP = [0.95, 0.94, 0.96, 0.96, 0.93]
KNN = [0.94, 0.95, 0.90, 0.97, 0.91]


def frame(data_sets, measure="accuracy", n_train=80, n_test=20):
    rows = [
        {"dataset": name, "model": model, "fold": fold, "n_train": n_train, "n_test": n_test, measure: score}
        for name, models in data_sets.items()
        for model, scores in models.items()
        for fold, score in enumerate(scores)
    ]
    return pd.DataFrame(rows)


def test_each_pair_has_a_row_with_the_better_model_first():
    pairs = compare_pairs(frame({"toy": {"mlp": MLP, "knn": KNN, "forest": FOREST}}), ACCURACY)
    assert tuple(pairs.columns) == PAIR_COLUMNS
    assert pairs[["model_a", "model_b"]].to_numpy().tolist() == [["forest", "mlp"], ["forest", "knn"], ["mlp", "knn"]]
    assert (pairs["difference"] > 0).all()
    assert (pairs["n_folds"] == 5).all()
    assert_allclose(pairs[["p_a_better", "p_equivalent", "p_b_better"]].sum(axis=1), 1)


def test_a_row_holds_both_tests():
    (_, row), *_ = compare_pairs(frame({"toy": {"mlp": MLP, "forest": FOREST}}), ACCURACY, rope=0.02).iterrows()
    d = np.subtract(FOREST, MLP)
    test, posterior = corrected_t_test(d, 80, 20), correlated_t_test(d, 80, 20, rope=0.02)
    found = row[["difference", "low", "high", "p_value", "p_holm", "p_a_better", "p_equivalent", "p_b_better", "rope"]]
    expected = [test.difference, test.low, test.high, test.p_value, test.p_value]
    assert_allclose(
        found.astype(float), [*expected, posterior.better, posterior.equivalent, posterior.worse, 0.02], rtol=1e-9
    )


def test_p_values_are_adjusted_for_the_pairs_of_their_own_data_set():
    alone = frame({"one": {"mlp": MLP, "knn": KNN, "forest": FOREST}})
    both = pd.concat([alone, frame({"two": {"mlp": KNN, "knn": MLP, "svm": FOREST, "forest": FOREST[::-1]}})])
    pairs = compare_pairs(both, ACCURACY)
    assert pairs["dataset"].value_counts().to_dict() == {"one": 3, "two": 6}
    for _, of_one in pairs.groupby("dataset"):
        assert_allclose(of_one["p_holm"], holm(of_one["p_value"]))
    pd.testing.assert_frame_equal(pairs[pairs["dataset"] == "one"], compare_pairs(alone, ACCURACY))


def test_folds_of_different_sizes_count_by_their_mean():
    results = frame({"toy": {"mlp": MLP, "forest": FOREST}})
    results["n_test"] = results["fold"].map({0: 21, 1: 21, 2: 20, 3: 20, 4: 20})
    results["n_train"] = 102 - results["n_test"]
    test = corrected_t_test(np.subtract(FOREST, MLP), n_train=81.6, n_test=20.4)
    assert_allclose(compare_pairs(results, ACCURACY)["p_value"], test.p_value)


def test_the_smaller_error_is_the_better_one_and_the_region_a_share_of_it():
    metres = {"ridge": [1.0, 1.2, 1.1], "mlp": [1.3, 1.5, 1.6]}
    pairs = compare_pairs(frame({"toy": metres}, "rmse"), RMSE, rope=0.1)
    assert pairs.loc[0, "model_a"] == "ridge"
    assert_allclose(pairs["difference"], 1.1 / 3)
    assert_allclose(pairs["rope"], 0.1 * np.mean(list(metres.values())))
    # In another unit, the conclusion is the same.
    millimetres = {name: [1000 * value for value in values] for name, values in metres.items()}
    again = compare_pairs(frame({"toy": millimetres}, "rmse"), RMSE, rope=0.1)
    same, scaled = ["p_value", "p_a_better", "p_equivalent"], ["difference", "low", "high", "rope"]
    assert_allclose(again[same], pairs[same], rtol=1e-9)
    assert_allclose(again[scaled], 1000 * pairs[scaled])


def test_models_without_a_score_in_every_fold_are_left_out_and_named():
    results = frame({"toy": {"mlp": MLP, "cnn": [0.99, np.nan, 0.99, 0.99, 0.99], "knn": KNN, "svm": [np.nan] * 5}})
    unfinished = results.drop(index=results.index[results["model"] == "knn"][-1])
    assert left_out(results, ACCURACY) == {"toy": ["cnn", "svm"]}
    assert compare_pairs(results, ACCURACY)[["model_a", "model_b"]].to_numpy().tolist() == [["mlp", "knn"]]
    assert left_out(unfinished, ACCURACY) == {"toy": ["cnn", "knn", "svm"]}
    none = compare_pairs(unfinished, ACCURACY)
    assert none.empty
    assert none.dtypes.to_dict() == compare_pairs(results, ACCURACY).dtypes.to_dict()
    assert left_out(frame({"toy": {"mlp": MLP}}), ACCURACY) == {}


def test_the_same_difference_in_every_fold_is_found_through_its_rounding():
    pairs = compare_pairs(frame({"toy": {"a": [0.9, 0.8, 0.7], "b": [0.8, 0.7, 0.6]}}), ACCURACY)
    assert pairs[["low", "high", "p_value", "p_holm"]].isna().all(axis=None)
    assert pairs.loc[0, "p_a_better"] == 1
    level = compare_pairs(frame({"toy": {"a": [0.1 + 0.2, 0.5], "b": [0.3, 0.5]}}), ACCURACY)
    assert level.loc[0, ["difference", "p_value", "p_equivalent"]].to_list() == [0, 1, 1]


def test_a_negative_region_is_refused():
    with pytest.raises(ValueError, match=r"rope=-0\.01"):
        compare_pairs(frame({"toy": {"a": MLP, "b": KNN}}), ACCURACY, rope=-0.01)


# -------------------------------------------------------------------------------------------------------------- ranks

MEANS = np.array([[0.8, 0.9, 0.7], [0.6, 0.8, 0.7], [0.5, 0.6, 0.5], [0.7, 0.9, 0.8]])


def over_data_sets(means=MEANS, measure="accuracy"):
    wiggle = np.array([0.01, -0.02, 0.01])
    models = ("mlp", "forest", "knn")
    return frame(
        {f"data{i}": {m: s + wiggle for m, s in zip(models, row, strict=True)} for i, row in enumerate(means)}, measure
    )


def test_ranks_are_of_the_mean_scores_best_first():
    ranks = ranks_of(over_data_sets(), ACCURACY)
    assert ranks.average.to_dict() == pytest.approx({"forest": 1.0, "knn": 2.375, "mlp": 2.625})
    assert list(ranks.average.index) == list(ranks.scores.columns) == ["forest", "knn", "mlp"]
    assert_allclose(ranks.scores, MEANS[:, [1, 2, 0]])
    assert ranks.n_data_sets == 4
    test = friedman_test(MEANS)
    assert_allclose((ranks.chi2, ranks.f, ranks.p_value), (test.chi2, test.f, test.p_value))
    assert ranks.critical_difference == critical_difference(3, 4)
    assert ranks.groups == (("forest", "knn", "mlp"),)
    assert ranks.left_out == {}


def test_each_pair_is_tested_over_the_data_sets():
    pairs = ranks_of(over_data_sets(), ACCURACY).pairs
    assert list(pairs.columns) == ["model_a", "model_b", "difference", "statistic", "p_value", "p_holm"]
    assert_allclose(pairs["difference"], [1.375, 1.625, 0.25])
    assert_allclose(pairs["p_value"][:2], 1 / 8)  # four of four data sets
    assert_allclose(pairs["p_holm"], holm(pairs["p_value"]))


def test_the_smallest_error_has_rank_one():
    ranks = ranks_of(over_data_sets(1 - MEANS, "rmse"), RMSE)
    assert ranks.average.to_dict() == pytest.approx({"forest": 1.0, "knn": 2.375, "mlp": 2.625})


def test_a_model_missing_on_one_data_set_is_not_ranked_but_named():
    results = over_data_sets()
    results.loc[(results["model"] == "knn") & (results["dataset"] == "data2") & (results["fold"] == 1), "accuracy"] = (
        None
    )
    ranks = ranks_of(results, ACCURACY)
    assert ranks.left_out == {"knn": ["data2"]}
    assert list(ranks.average.index) == ["forest", "mlp"]
    assert_allclose(ranks.average, [1, 2])


def test_ranks_need_two_data_sets_and_two_models():
    with pytest.raises(ValueError, match="at least 2 data sets, the results have 1: toy"):
        ranks_of(frame({"toy": {"mlp": MLP, "knn": KNN}}), ACCURACY)
    one_each = pd.concat([frame({"one": {"mlp": MLP}}), frame({"two": {"mlp": MLP, "knn": KNN}})])
    with pytest.raises(ValueError, match=r"at least 2 models .* of the models mlp, knn there are 1"):
        ranks_of(one_each, ACCURACY)
