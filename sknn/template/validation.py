"""Validation while training: which samples are kept out of it, and what they say of the network.

Early stopping goes by the score on them, or they are only looked at. The loss on them is always told, without the
penalty and in the units of the training loss.
"""

from __future__ import annotations

from copy import copy, deepcopy
from inspect import signature
from math import ceil, isfinite, isnan, nan
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import train_test_split
from sklearn.utils._param_validation import HasMethods, StrOptions

from ..autodiff.tape import Array
from ..nn.draws import Draws
from ..nn.init import Random
from ..train import Verdict, objectives
from .samples import Samples, flat
from .targets import Target


class Splitters(HasMethods):  # of which words, which have a method of this name, are none
    def is_satisfied_by(self, value: Any) -> bool:
        return not isinstance(value, str | bytes) and super().is_satisfied_by(value)


SCORING: list = [StrOptions({"loss", *get_scorer_names()}), callable]  # what the parameter of this name may be


def set_aside(y: Any, fraction: float, rng: Random, stratify: bool) -> tuple[Array, Array]:
    """Rows to train on and rows to validate with: a share of them, two at least.

    With `stratify` each class has the same share in both, where there are enough samples for that; the only member of
    a class stays in training. Otherwise only the length of y counts.

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
    size, classes = n_aside if n_aside > 1 else fraction, y[common] if possible else None
    try:
        kept, aside = train_test_split(common, random_state=rng, test_size=size, stratify=classes)
    except ValueError as error:
        if len(y) == 1:
            raise ValueError(
                "n_samples=1 leaves none to validate with: give X_val and y_val, or say early_stopping=False"
            ) from error
        if len(common) < 2:  # which is not for the fraction to mend
            raise
        raise ValueError(f"validation_fraction={fraction!r} of {len(common)} samples: {error}") from error
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


def judged(model: Any, nets: Any, samples: Samples, draws: Draws, losses: Any = None) -> Verdict:
    """Score and loss on validation samples, from one pass of the raw outputs, in double precision.

    Parameters
    ----------
    model : Estimator
        As scorers are to see it.
    nets, draws
        See :meth:`Estimator._outputs`.
    samples : Samples
        Prepared for the networks, targets encoded in double precision.
    losses : callable, default=None
        What is minimised, as a function of raw outputs, targets and weights; None: the loss of the target.
    """
    target, forward = model._target, model._forward
    if not forward.at_once:
        first = samples.take(np.arange(1))
        forward.count(first.x, lambda: model._outputs(nets, first, deepcopy(draws)))
    blocks = samples.blocks(forward.at_once)
    raw = forward.in_blocks(samples.extent, blocks, lambda rows: model._outputs(nets, samples.take(rows), draws))
    raw = raw if raw.dtype == np.float64 else raw.astype(np.float64)
    y, weight = flat(samples.of(samples.encoded)), samples.of(samples.weight)
    weight = None if weight is None else flat(weight)
    values = target.loss(raw, y) if losses is None else losses(raw, y, weight)
    loss = float(objectives.mean(values, weight)[0]) * curve_scale(target)
    if not isfinite(loss):
        return Verdict(nan, loss)
    return Verdict(-loss if model._scorer is None else model._scorer(raw), loss)


def mean_objective(model: Any, nets: Any, samples: Samples, draws: Draws) -> Verdict:
    """The loss on validation samples where there is no target: the mean of the objective, batch by batch.

    Draws go on from batch to batch, and start the same in every epoch.
    """
    if not model._forward.at_once:
        again = deepcopy(draws)
        first = model._batch(samples, np.arange(1), again)
        model._forward.count(first.x, lambda: model._objective(nets, first, again))
    total = total_weight = 0.0
    for rows in samples.blocks(model._forward.at_once):
        batch = model._batch(samples, np.arange(rows.start, rows.stop), draws)
        value, weight, _ = objectives.reduced(model._objective(nets, batch, draws), batch.weight)
        weight = float(rows.stop - rows.start) if weight is None else weight
        total += float(value) * weight
        total_weight += weight
    loss = total / total_weight
    return Verdict(-loss, loss) if isfinite(loss) else Verdict(nan, loss)


def curve_scale(target: Target | None) -> float:
    """What turns the loss into the one that loss curves show."""
    if target is None or target.loss is None or not target.loss.outputs_averaged:
        return 1.0
    return 1.0 / target.n_outputs


class Scorer:
    """What the scorer says of a model, as a function of its raw outputs for the validation samples.

    Parameters
    ----------
    model : Estimator
        As the scorer is to see it.
    samples : Samples
        As they were given.
    decides : bool
        Whether training stops by the score.

    Raises
    ------
    ValueError
        If the samples have weights and the scorer takes none.
    """

    def __init__(self, model: Any, samples: Samples, decides: bool) -> None:
        self.model, self.decides, self.scoring = copy(model), decides, model.scoring
        self.x, self.y, weight = (samples.of(each) for each in (samples.x, samples.y, samples.score_weight))
        self.weight = {} if weight is None else {"sample_weight": weight}
        self.scorer = get_scorer(self.scoring)
        asked = getattr(self.scorer, "_score_func", self.scorer)  # that of a metric takes what the metric takes
        if self.weight and "sample_weight" not in signature(asked).parameters:
            raise ValueError(
                f"scoring={self.scoring!r} takes no sample_weight; choose another, or leave out the weights"
            )

    def __call__(self, raw: Array) -> float:
        """The score.

        Raises
        ------
        ValueError
            If that is no number, or NaN, and early stopping should go by it.
        """
        self.model._known = (self.x, raw)
        value = self.scorer(self.model, self.x, self.y, **self.weight)
        try:
            score = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"scoring={self.scoring!r} must give a number, got {value!r}") from None
        if self.decides and isnan(score):
            raise ValueError(f"scoring={self.scoring!r} is NaN on the validation samples; choose another, or 'loss'")
        return score
