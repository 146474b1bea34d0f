"""What generators are: models that samples are drawn from, of everything or under a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..autodiff.tape import Array
from ..description import checked_count
from ..nn.draws import Draws
from ..train import Verdict
from .conditions import CHANGED, ConditionTarget, check_names, names_of, read_conditions
from .drawing import draws_by
from .estimator import Estimator
from .parameters import fitted, fixed, parameter
from .samples import Samples
from .validation import mean_objective


class Generator(Estimator):
    """What generators add: samples that are drawn, and conditions that they may be drawn under.

    In objectives a condition is `batch.y`: numbers (n, n_conditions), see :class:`ConditionTarget`.
    """

    conditional: bool = parameter(
        default=False,
        text="Whether y tells something of each sample that is known when one is drawn or scored: classes (whole "
        "numbers, words), numbers (floats), or a table of both. Without it y is ignored.",
    )
    scoring: str | Callable = fixed("loss")

    _condition_names: list[str] | None = fitted("The columns of conditions that came as a table.")
    _accepted_sparse: ClassVar[Any] = False
    _takes_grids_as_conditions: ClassVar[bool] = False

    # -- what a family says ----------------------------------------------------------------------------------------

    def _sampled(self, n: int, condition: Array | None, draws: Draws) -> Array:
        """Samples in the units of X, under encoded conditions if there are any."""
        raise TypeError(f"{type(self).__name__} defines no _sampled")

    # -- conditions ------------------------------------------------------------------------------------------------

    def _read(self, X: Any, y: Any, sample_weight: Any, fresh: bool, allow_all_zero: bool) -> Samples:
        if fresh:
            self._condition_names = names_of(y)
        elif self.conditional:
            check_names(y, self._condition_names)
        return super()._read(X, y, sample_weight, fresh, allow_all_zero)

    def _read_y(self, y: Any) -> Any:
        return read_conditions(self, y) if self.conditional else None

    def _new_target(self, y: Any, sample_weight: Array | None) -> Any:
        return ConditionTarget(y, sample_weight) if self.conditional else None

    def _verdict(self, nets: Any, samples: Samples, draws: Draws) -> Verdict:
        return mean_objective(self, nets, samples, draws)

    def _check_unchanged(self) -> None:
        super()._check_unchanged()
        if self.conditional != (self._target is not None):
            raise ValueError(CHANGED.format(self.conditional))

    def _conditions(self, y: Any, n: int, dtype: np.dtype) -> Array | None:
        """Encoded conditions of n samples, from one for all or one for each; None where y is ignored."""
        if self._target is None:
            return None
        encoded: Array = self._target.for_each(n, self._told(y), dtype)
        return encoded

    def _told(self, y: Any) -> Array:
        """One condition, or one for each sample, as validated rows."""
        check_names(y, self._condition_names)
        told: Array = self._target.of(self, y)
        return told

    # -- drawing ---------------------------------------------------------------------------------------------------

    def sample(self, n_samples: int = 1, y: Any = None, random_state: Any = None) -> Array:
        """Draw samples.

        Parameters
        ----------
        n_samples : int, default=1
            How many.
        y : scalar or array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            For ``conditional=True`` the condition that all are drawn under, or one for each, which says how many.
            None: conditions are drawn from those of the fit.
        random_state : int, RandomState instance or None, default=None
            An int gives the same samples in every call; None others in each.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features) or (n_samples, ...)
            In the units and the shape of the X of the fit.

        Raises
        ------
        ValueError
            If `n_samples` is negative, y is given without ``conditional=True``, has another number of rows, or a class
            that was not there in fit.
        """
        return self._drawn(n_samples, y, random_state, self._sampled)

    def _drawn(self, n_samples: Any, y: Any, random_state: Any, sampled: Callable[..., Array]) -> Array:
        """What ``sampled(n, condition, draws)`` gives for what :meth:`sample` was asked."""
        check_is_fitted(self)
        n_samples, draws = checked_count("n_samples", n_samples, 0), draws_by(random_state, self.network_.theta.dtype)
        n, condition = self._drawn_under(n_samples, y, draws)
        if n == 0:
            return sampled(1, None if condition is None else self._target.drawn(1, draws), draws)[:0]
        return sampled(n, condition, draws)

    def _drawn_under(self, n: int, y: Any, draws: Draws) -> tuple[int, Array | None]:
        """How many samples, and the encoded condition of each."""
        target = self._target
        if y is None:
            return n, None if target is None else target.drawn(n, draws)
        if target is None:
            raise ValueError("y is given, but this model was fitted with conditional=False: its samples have none")
        if np.shape(y)[:1] == (0,):
            return 0, target.drawn(0, draws)
        given = self._told(y)
        n = len(given) if n == 1 else n
        return n, target.for_each(n, given, draws.dtype)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.conditional
        return tags
