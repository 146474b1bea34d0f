"""Several networks, trained from different initial weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from ..autodiff.tape import Array
from ..description import flag, integer
from ..template.side_by_side import fit_side_by_side
from .noise import noise_of
from .posterior import Learnt, Outputs, Posterior, Task, raw_outputs


@dataclass(frozen=True)
class Ensemble(Posterior):
    """Several networks, each trained as it says, from its own initial weights and in its own order (deep ensembles).

    They differ where the data leave them free to. It suits networks of any size and kind, and predicts better than a
    single one; five are usual. Those of dense layers are trained side by side, in much less time than one after the
    other, each with the bits that it has when trained alone, its own validation samples and its own end.

    Constant noise is what the members are wrong by on the samples that they set aside to stop by; of networks that do
    not stop early, on folds that clones of the first have not seen. A prior there is none: what keeps weights small is
    the `alpha` of the network.

    Parameters
    ----------
    n_members : int, default=5
        How many.
    bootstrap : bool, default=False
        Whether each is shown as many samples drawn with replacement, of each class as many as there are, instead of
        all once. Networks differ enough without, and learn more from all.

    References
    ----------
    Lakshminarayanan, Pritzel, Blundell (2017). Simple and scalable predictive uncertainty estimation using deep
    ensembles. NeurIPS. arXiv:1612.01474.

    Examples
    --------
    >>> from sknn.posteriors import Ensemble
    >>> Ensemble(n_members=10)
    Ensemble(n_members=10, bootstrap=False)
    """

    n_members: int = integer("[1, inf)", default=5)
    bootstrap: bool = flag(default=False)

    def learn(self, task: Task) -> Learnt:
        members = [clone(task.network).set_params(random_state=task.seed()) for _ in range(self.n_members)]
        rows = [_drawn_rows(task) for _ in members] if self.bootstrap else None
        fit_side_by_side(members, task.X, task.y, task.sample_weight, rows=rows)
        noise = _noise(task, members)
        return Members(members[0], noise, {"members_": members}, members)


@dataclass
class Members(Learnt):
    """Several fitted networks.

    Attributes
    ----------
    networks : list of Estimator
    """

    networks: list[Any] = field(default_factory=list)

    def outputs(self, X: Any) -> Outputs:
        first = self.network._target
        return Outputs(np.stack([_in_units_of(first, each._target, raw_outputs(each, X)) for each in self.networks]))


def _noise(task: Task, members: list[Any]) -> Array | None:
    """That of all members that know it from stopping; where they do not stop early, that of the first."""
    stopped = members[0].best_loss_ is None if task.noise == "constant" else False
    found = [noise_of(task, each) for each in (members if stopped else members[:1])]
    known = [each for each in found if each is not None]
    return np.sqrt(np.mean(np.square(known), axis=0)) if known else None


def _drawn_rows(task: Task) -> Array:
    """As many rows as there are, with replacement; of each class as many as it has."""
    y = np.asarray(task.y)
    if task.noise is not None:
        return task.rng.randint(len(y), size=len(y))
    classes = [np.flatnonzero(y == label) for label in np.unique(y)]
    return np.concatenate([task.rng.choice(rows, len(rows)) for rows in classes])


def _in_units_of(first: Any, target: Any, raw: Array) -> Array:
    """Raw outputs of a member that has seen other samples, and so has other units, in those of the first."""
    if not hasattr(target, "scale_") or (
        np.array_equal(first.scale_, target.scale_) and np.array_equal(first.mean_, target.mean_)
    ):
        return raw
    n_outputs = len(first.scale_)
    mean = (raw[:, :n_outputs] * target.scale_ + target.mean_ - first.mean_) / first.scale_
    return np.hstack([mean, raw[:, n_outputs:] + 2.0 * np.log(target.scale_ / first.scale_)])
