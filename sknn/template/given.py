"""What a call of fit or partial_fit is given: read and checked, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.utils.validation import check_consistent_length, column_or_1d

from ..autodiff.tape import Array
from .fit import NO_VALIDATION, Fit
from .inputs import count_for_nothing
from .samples import Samples
from .targets import Target


def new_fit(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any,
    incremental: bool = False,
    target: Target | None = None,
    groups: Any = None,
    validation: tuple[Any, Any, Any] = NO_VALIDATION,
) -> Fit | None:
    """A fit to what was given, once that is checked; None if no sample counts.

    `target` is known in the first call of partial_fit; `validation` holds X_val, y_val and sample_weight_val.
    """
    fresh = not hasattr(estimator, "network_") or not (estimator.warm_start or incremental)
    samples = estimator._influential(estimator._read(X, y, sample_weight, fresh, incremental))
    groups = None if groups is None else column_or_1d(groups)
    check_consistent_length(samples.x, groups)
    if count_for_nothing(samples, fresh):
        return None
    y, weight = samples.of(samples.y), samples.of(samples.score_weight)
    target = (target or estimator._new_target(y, weight)) if fresh else estimator._target
    if target is not None:
        target.check(y, all_of_them=not fresh and not incremental)
        estimator._check_target(target)
    by_class = estimator._class_weights(target, y, weight)
    samples = estimator._influential(estimator._weighted(samples, target, by_class))
    if count_for_nothing(samples, not incremental):
        return None
    held_out = _validation_samples(estimator, validation, target, samples, by_class)
    if target is None and estimator.scoring != "loss":
        raise ValueError(f"scoring={estimator.scoring!r} does not apply where y is ignored; leave it at 'loss'")
    if not incremental:
        estimator._check_scoring(held_out)
        _check_groups(estimator, groups, held_out)
    return Fit(estimator, samples, target, held_out, fresh, incremental, groups)


def _validation_samples(
    estimator: Any,
    given: tuple[Any, Any, Any],
    target: Target | None,
    training: Samples,
    by_class: Callable[[Array], Array] | None,
) -> Samples | None:
    """X_val, y_val and sample_weight_val, validated as the training data is."""
    X, y, sample_weight = given
    if all(value is None for value in given):
        return None
    if X is None or (y is None and target is not None):
        missing = "X_val and y_val" if X is y else "X_val" if X is None else "y_val"
        raise ValueError(f"X_val and y_val belong together, and sample_weight_val to both; {missing} is missing")
    with _naming_validation_data():
        samples = estimator._read(X, y, sample_weight, False, False)
        if target is not None and not target.per_position and samples.y.shape[1:] != training.y.shape[1:]:
            raise ValueError(f"y has shape {samples.y.shape}, but that of the training has {training.y.shape}")
        samples = samples.influential()
        if target is not None:
            target.check(samples.of(samples.y), all_of_them=False)
        samples = estimator._weighted(samples, target, by_class).influential()
        count_for_nothing(samples, True)
    return samples


def _check_groups(estimator: Any, groups: Any, validation: Samples | None) -> None:
    """Raise ValueError if there are groups, and the split for early stopping would divide them."""
    share = estimator.validation_fraction
    sets_aside = estimator.early_stopping and estimator._solver().is_stochastic and validation is None
    if groups is not None and sets_aside and not hasattr(share, "split"):
        raise ValueError(
            f"validation_fraction={share!r} would divide the groups: give a splitter that keeps "
            "them together, such as GroupShuffleSplit(1), or X_val and y_val"
        )


@contextmanager
def _naming_validation_data() -> Iterator[None]:
    """Errors in the block say that it is not the training data that is wrong."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise type(error)(f"in the validation data (X_val, y_val, sample_weight_val): {error}") from error
