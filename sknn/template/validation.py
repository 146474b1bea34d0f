"""Validation while training: which samples are kept out of it, and what they say of the network.

Early stopping goes by the score on them, or they are only looked at. The loss on them is always told, without the
penalty and in the units of the training loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import signature
from math import ceil, isfinite, isnan, nan
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import train_test_split
from sklearn.utils._param_validation import StrOptions

from ..autodiff.tape import Array
from ..nn.init import Random
from ..ops.loss import average
from ..train import Verdict
from .targets import Target

SCORING: list = [StrOptions({"loss", *get_scorer_names()}), callable]  # what the parameter of this name may be


@dataclass
class Samples:
    """Samples, their targets, and how much they count; weights of None are all one.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        Validated.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Not encoded yet.
    sample_weight : ndarray of shape (n_samples,) or None
        As it was given: what a score is weighted with.
    loss_weight : ndarray of shape (n_samples,) or None
        The same times the weights of the classes: what the loss is weighted with.
    """

    X: Any
    y: Array
    sample_weight: Array | None
    loss_weight: Array | None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: Array) -> Samples:
        """Some of the samples."""
        return Samples(self.X[rows], self.y[rows], _rows(self.sample_weight, rows), _rows(self.loss_weight, rows))

    def weighted(self, by_class: Callable[[Array], Array] | None) -> Samples:
        """With the weights of the classes, if there are any, as factors in the loss."""
        if by_class is None:
            return self
        factors = by_class(self.y)
        return replace(self, loss_weight=factors if self.sample_weight is None else factors * self.sample_weight)

    def influential(self) -> Samples:
        """Without those of weight zero; None for weights that are all one, so that both give the same bits."""
        weight = self.loss_weight
        kept = self if weight is None or weight.all() else self.take(np.flatnonzero(weight))
        return replace(kept, sample_weight=_unless_one(kept.sample_weight), loss_weight=_unless_one(kept.loss_weight))


def _rows(weight: Array | None, rows: Array) -> Array | None:
    return None if weight is None else weight[rows]


def _unless_one(weight: Array | None) -> Array | None:
    return None if weight is None or np.all(weight == 1) else weight


def set_aside(y: Array, fraction: float, rng: Random, stratify: bool) -> tuple[Array, Array]:
    """Rows to train on and rows to validate with: a share of them, two at least.

    With `stratify` each class has the same share in both, where there are enough samples for that; the only member of
    a class stays in training.

    Raises
    ------
    ValueError
        If there are too few samples to spare two.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    >>> kept, aside = set_aside(y, 0.25, np.random.RandomState(0), stratify=True)
    >>> np.sort(y[kept]).tolist(), np.sort(y[aside]).tolist()
    ([0, 0, 0, 1, 1, 1, 2], [0, 1])
    """
    common, alone = _without_lone_members(y) if stratify else (np.arange(len(y)), np.arange(0))
    n_aside = ceil(fraction * len(common))
    if n_aside == 1 and len(common) > 2 and len(y) > 3:
        n_aside = 2
    possible = stratify and _can_be_split(y[common], n_aside)
    kept, aside = train_test_split(
        common,
        random_state=rng,
        test_size=n_aside if n_aside > 1 else fraction,
        stratify=y[common] if possible else None,
    )
    if len(aside) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return np.concatenate([kept, alone]), aside


def _without_lone_members(y: Array) -> tuple[Array, Array]:
    """The rows of classes with several members, and the others; if all are alone, one is as good as the other."""
    _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
    alone = counts[classes] == 1
    if alone.all():
        alone[:] = False
    return np.flatnonzero(~alone), np.flatnonzero(alone)


def _can_be_split(y: Array, n_aside: int) -> bool:
    """Whether each class can have a member on either side."""
    counts = np.unique(y, return_counts=True)[1]
    return bool(counts.min() > 1) and len(counts) <= min(n_aside, len(y) - n_aside)


@contextmanager
def naming_validation_data() -> Iterator[None]:
    """Errors in the block say that it is not the training data that is wrong."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise type(error)(f"in the validation data (X_val, y_val, sample_weight_val): {error}") from error


class Validation:
    """Score and loss on validation samples, as a function of nothing but the network's present weights.

    Parameters
    ----------
    samples : Samples
        X in the precision of the network.
    model : Estimator
        The estimator as scorers are to see it, with target and network; it is told the raw outputs from here on.
    outputs : callable
        Gives the raw outputs of that network for X.
    loss_scale : float
        A factor on the mean loss, that of the loss curves.
    decides : bool
        Whether training stops by the score.
    """

    def __init__(
        self, samples: Samples, model: Any, outputs: Callable[[Any], Array], loss_scale: float, decides: bool
    ) -> None:
        self.samples, self.loss_scale, self.decides, self.scoring = samples, loss_scale, decides, model.scoring
        self.target: Target = model._target
        self.encoded = self.target.encode(samples.y, np.dtype(np.float64))
        self.outputs = outputs
        self.raw: Array | None = None
        self.model = model
        self.model._raw_outputs = self.known_outputs
        self.scorer = None if self.scoring == "loss" else get_scorer(self.scoring)
        self.weight = {} if samples.sample_weight is None else {"sample_weight": samples.sample_weight}
        if self.scorer is not None and self.weight and not _takes_weights(self.scorer):
            raise ValueError(
                f"scoring={self.scoring!r} takes no sample_weight; choose another, or leave out the weights"
            )

    def __call__(self) -> Verdict:
        self.raw = self.double(self.samples.X)
        loss = self.loss()
        if not isfinite(loss):
            return Verdict(nan, loss)
        return Verdict(-loss if self.scorer is None else self.score(), loss)

    def double(self, X: Any) -> Array:
        """The raw outputs in double precision, in which scores are computed."""
        return self.outputs(X).astype(np.float64, copy=False)

    def known_outputs(self, X: Any) -> Array:
        """The same, of the validation samples without going through the network again."""
        return self.raw if X is self.samples.X else self.double(X)  # type: ignore[return-value]

    def loss(self) -> float:
        """The weighted mean loss."""
        weight = self.samples.loss_weight
        values = self.target.loss()(self.raw, self.encoded)
        return float(average(values, *(() if weight is None else (weight,)))) * self.loss_scale

    def score(self) -> float:
        """What the scorer says.

        Raises
        ------
        ValueError
            If that is NaN, and early stopping should go by it.
        """
        score = float(self.scorer(self.model, self.samples.X, self.samples.y, **self.weight))  # type: ignore[misc]
        if self.decides and isnan(score):
            raise ValueError(f"scoring={self.scoring!r} is NaN on the validation samples; choose another, or 'loss'")
        return score


def _takes_weights(scorer: Any) -> bool:
    """Whether a scorer can weight samples; that of a metric is asked for the metric."""
    asked = getattr(scorer, "_score_func", scorer)
    return "sample_weight" in signature(asked).parameters
