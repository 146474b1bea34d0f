"""The same folds for every model: stratified, grouped, by time, repeated; and growing training sets."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold, TimeSeriesSplit

from sknn.study.data import DataSet
from sknn.study.folds import folds_of, growing, inner_splitter, is_by_time

rng = np.random.RandomState(0)
X = rng.randn(120, 3)
LABELS = np.repeat(["a", "b", "c"], [80, 30, 10])
NUMBERS = rng.randn(120)
GROUPS = rng.permutation(np.arange(120) % 12)


def data_set(y=LABELS, groups=None):
    return DataSet.from_arrays("toy", X, y, groups=groups)


def test_labels_are_stratified_and_every_row_is_tested_once_per_repeat():
    folds = folds_of(data_set(), cv=5, repeats=2, seed=3)
    assert [fold.number for fold in folds] == list(range(10))
    for start in (0, 5):
        tested = np.concatenate([fold.test for fold in folds[start : start + 5]])
        np.testing.assert_array_equal(np.sort(tested), np.arange(120))
    for fold in folds:
        assert np.unique(LABELS[fold.test], return_counts=True)[1].tolist() == [16, 6, 2]
        assert not set(fold.train) & set(fold.test)
    assert folds[0].test.tolist() != folds[5].test.tolist()


def test_one_repeat_is_scikit_learns_shuffled_split():
    expected = StratifiedKFold(4, shuffle=True, random_state=7).split(X, LABELS)
    for fold, (train, test) in zip(folds_of(data_set(), 4, 1, seed=7), expected, strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.test, test)


@pytest.mark.parametrize("y", [LABELS, NUMBERS])
def test_a_group_is_never_divided(y):
    data = data_set(y, GROUPS)
    folds = folds_of(data, cv=3, repeats=2, seed=0)
    assert len(folds) == 6
    for fold in folds:
        assert not set(GROUPS[fold.train]) & set(GROUPS[fold.test])
        inner = inner_splitter(data, 3, 0).split(X[fold.train], y[fold.train], GROUPS[fold.train])
        for train, test in inner:
            assert not set(GROUPS[fold.train][train]) & set(GROUPS[fold.train][test])


def test_time_goes_on_in_outer_inner_and_growing_splits():
    data, splitter = data_set(NUMBERS), TimeSeriesSplit(4)
    assert is_by_time(splitter, data)
    assert not is_by_time(5, data)
    for fold in folds_of(data, splitter, 1, 0):
        assert fold.train.max() < fold.test.min()
        parts = list(growing(fold, data, by_time=True, seed=0))
        for part in parts:
            np.testing.assert_array_equal(part, fold.train[-len(part) :])
        for train, test in inner_splitter(data, splitter, 0).split(fold.train):
            assert train.max() < test.min()


def test_splitters_of_ones_own():
    by_group = folds_of(data_set(groups=GROUPS), GroupKFold(4), 1, 0)
    assert all(not set(GROUPS[fold.train]) & set(GROUPS[fold.test]) for fold in by_group)
    listed = folds_of(data_set(), [(np.arange(60), np.arange(60, 120))], 1, 0)
    assert [(len(fold.train), len(fold.test)) for fold in listed] == [(60, 60)]


@pytest.mark.parametrize(
    ("cv", "groups", "message"),
    [
        ([(np.arange(60), np.arange(50, 120))], None, "fold 0 trains on 10 of the rows"),
        (TimeSeriesSplit(3), GROUPS, "same 12 groups of 'toy'"),
        (KFold(3), GROUPS, "same 12 groups of 'toy'"),
    ],
)
def test_what_is_tested_on_is_never_trained_on(cv, groups, message):
    with pytest.raises(ValueError, match=message):
        folds_of(data_set(groups=groups), cv, 1, 0)


@pytest.mark.parametrize("splitter", [ShuffleSplit(3), KFold(3, shuffle=True)])
def test_a_splitter_without_a_seed_gets_that_of_the_study(splitter):
    first, again, other = ([f.test.tolist() for f in folds_of(data_set(), splitter, 1, seed)] for seed in (0, 0, 1))
    assert first == again != other
    assert splitter.random_state is None


@pytest.mark.parametrize(
    ("data", "cv", "message"),
    [
        (data_set(), 11, "class c of 'toy' has 10"),
        (data_set(NUMBERS), 121, "'toy' has 120"),
        (data_set(groups=GROUPS), 13, "'toy' has 12"),
    ],
)
def test_more_folds_than_data(data, cv, message):
    with pytest.raises(ValueError, match=message):
        folds_of(data, cv, 1, 0)


@pytest.mark.parametrize("y", [LABELS, NUMBERS])
def test_growing_training_sets_lie_within_each_other(y):
    data = data_set(y)
    (fold, *_) = folds_of(data, 3, 1, 0)
    parts = list(growing(fold, data, by_time=False, seed=5))
    assert [len(part) for part in parts] == [10, 20, 40]
    for smaller, larger in zip(parts, [*parts[1:], fold.train], strict=True):
        assert set(smaller) < set(larger)


def test_growing_training_sets_hold_the_classes_in_their_shares():
    (fold, *_) = folds_of(data_set(), 3, 1, 0)
    for part in growing(fold, data_set(), by_time=False, seed=5):
        shares = np.array([np.mean(LABELS[part] == label) for label in "abc"])
        assert np.abs(shares - [8 / 12, 3 / 12, 1 / 12]).max() <= 1 / len(part) + 1e-9
