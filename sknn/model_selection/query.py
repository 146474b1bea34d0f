"""Active learning: which samples of a pool a model would learn most from, were they labelled."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, Literal, Protocol

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from ..autodiff.tape import Array
from ..pipeline import last_step
from .labels import Labels
from .values import (
    Alone,
    Criterion,
    Spread,
    SpreadOfDraws,
    SpreadOfProbabilities,
    SpreadOfProcess,
    Values,
    deviation,
    disagreement,
    information,
)

Strategy = Literal["auto", "mutual_information", "disagreement", "std"]
CRITERIA: dict[str, Criterion] = {"mutual_information": information, "disagreement": disagreement, "std": deviation}
NOTHING_LEFT = 1e-9  # of what the best sample was worth at first


class Belief(Protocol):
    """What a model does not know of the pool, given the labels of samples that have been chosen."""

    def gains(self, left: Array) -> Array:
        """What the label of each sample would be worth; `left` is True where a sample can still be chosen."""

    def after(self, sample: int) -> Belief:
        """When the label of a sample is known as well."""


def query(estimator: Any, X_pool: Any, n: int = 1, strategy: Strategy = "auto", *, random_state: Any = None) -> Array:
    r"""Choose the samples of a pool whose labels would teach a fitted model most, several at a time.

    Samples are chosen one after another, each given that the labels of those before it will be known. So a batch does
    not fill with neighbours that all say the same, and of two equal samples one is enough. A strategy says what a label
    is worth:

    - "mutual_information": what it tells of the network, in nats. For classes (BALD; batches by BatchBALD)

      .. math:: I(y; w) = H\bigl(\mathbb{E}_w\, p(y \mid x, w)\bigr) - \mathbb{E}_w H\bigl(p(y \mid x, w)\bigr);

      for numbers, as Gaussians, :math:`\frac12 \log(1 + v / s^2)` with the variance v of what networks say and that of
      the noise, :math:`s^2`. Where all is noise, or all networks agree, a label is worth nothing.
    - "disagreement": the variance v of what the networks say, of classes that of their probabilities. A batch of labels
      takes a fraction of the time.
    - "std": the variance :math:`v + s^2` of what would be measured, as ``predict(X, return_std=True)`` tells it; of
      regressors alone. It asks for noisy samples too.

    In a batch of numbers, and of disagreeing probabilities, covariances say what is still unknown after a label. With
    constant noise all three of numbers choose the same batch, that of greedily largest determinant ("D-optimal").

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline or a search stands for the estimator in it. One with ``predict_draws(X)``, as
        `BayesianClassifier`, `BayesianRegressor`, `EnsembleClassifier` and `EnsembleRegressor`; for numbers also one
        whose ``predict`` takes ``return_cov``, as ``GaussianProcessRegressor``, or for "std" ``return_std`` alone, as
        ``BayesianRidge``: that tells no covariance, so that the samples of largest standard deviation are taken as they
        come, with a warning.
    X_pool : array-like of shape (n_samples, ...)
        Samples without labels, in whatever form the estimator takes them.
    n : int, default=1
        How many to choose.
    strategy : {"auto", "mutual_information", "disagreement", "std"}, default="auto"
        "auto" is disagreement, and "std" where nothing but standard deviations is known.
    random_state : int, RandomState instance or None, default=None
        Decides between samples that are worth the same, and draws the outcomes of large batches of labels; pass an int
        for the same batch each time.

    Returns
    -------
    chosen : ndarray of int of shape (n,)
        Rows of the pool, the most telling one first.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If the estimator does not tell what the strategy asks for.
    ValueError
        If the pool has fewer than `n` samples, the strategy is something else, or is "mutual_information" where the
        estimator knows no noise.

    Warns
    -----
    UserWarning
        If several samples are chosen by standard deviations alone.

    Notes
    -----
    Few networks are soon told apart: five of them hold log 5 nats at most, and agree on everything once four values are
    known without noise. When no sample is worth anything more, the others are chosen as though the batch began anew.

    References
    ----------
    Houlsby, Huszar, Ghahramani, Lengyel (2011). Bayesian active learning for classification and preference learning.
    arXiv:1112.5745.

    Kirsch, van Amersfoort, Gal (2019). BatchBALD: efficient and diverse batch acquisition for deep Bayesian active
    learning. NeurIPS. arXiv:1906.08158.

    MacKay (1992). Information-based objective functions for active data selection. Neural Computation 4.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.gaussian_process import GaussianProcessRegressor
    >>> from sklearn.gaussian_process.kernels import RBF, WhiteKernel
    >>> from sknn.model_selection import query
    >>> process = GaussianProcessRegressor(RBF() + WhiteKernel(0.01), optimizer=None).fit([[0.0]], [0.0])
    >>> X_pool = np.array([[0.1], [5.0], [5.0], [5.1], [9.0]])
    >>> batch = query(process, X_pool, 2, random_state=0)
    >>> X_pool[batch].ravel()  # not 5.0 and 5.1, of which each tells the other
    array([9., 5.])
    """
    check_is_fitted(estimator)
    n_pool = _num_samples(X_pool)
    if not isinstance(n, int | np.integer) or not 1 <= n <= n_pool:
        raise ValueError(f"n={n!r} must be a whole number from 1 to {n_pool}, the number of samples in X_pool")
    if strategy not in ("auto", *CRITERIA):
        raise ValueError(f"strategy={strategy!r} must be 'auto' or one of {', '.join(map(repr, CRITERIA))}")
    random = check_random_state(random_state)
    model, X = last_step(estimator, X_pool)
    if is_classifier(model):
        belief = _labels(model, X, n_pool, strategy, random)
    else:
        belief = _values(model, X, n_pool, n, strategy)
    return _greedy(belief, n, random.permutation(n_pool))


def _greedy(belief: Belief, n: int, ties: Array) -> Array:
    """The best sample, the best one beside it, and so on; of equal ones that which comes first in `ties`."""
    start, left = belief, np.ones(len(ties), bool)
    gains = belief.gains(left)
    enough = NOTHING_LEFT * gains.max()
    chosen: list[int] = []
    while True:
        order = ties[left[ties]]
        if gains[order].max() <= enough:
            belief, gains = start, start.gains(left)
        chosen.append(int(order[np.argmax(gains[order])]))
        if len(chosen) == n:
            return np.array(chosen)
        left[chosen[-1]] = False
        belief = belief.after(chosen[-1])
        gains = belief.gains(left)


def _labels(model: Any, X: Any, n_pool: int, strategy: str, random: np.random.RandomState) -> Belief:
    """What a classifier does not know."""
    if strategy == "std":
        raise TypeError(
            f"strategy='std' is of numbers, but estimator={model!r} is a classifier; take 'mutual_information' or "
            "'disagreement'"
        )
    if not hasattr(model, "predict_draws"):
        raise _cannot(model, strategy)
    probabilities = _draws(model, X, n_pool)
    if probabilities.ndim != 3:
        raise ValueError(f"predict_draws must give (n_draws, n_samples, n_classes), got {probabilities.shape}")
    if strategy in ("auto", "disagreement"):
        return Values.of(SpreadOfProbabilities(probabilities), disagreement, compare=False)
    return Labels.of(probabilities, random)


def _values(model: Any, X: Any, n_pool: int, n: int, strategy: str) -> Belief:
    """What a regressor does not know."""
    spread: Spread
    if hasattr(model, "predict_draws"):
        draws = _draws(model, X, n_pool)
        draws = draws.reshape(*draws.shape[:2], -1)
        noise, std = (_told(model, X, kind, draws.shape[1:]) for kind in ("noise", "epistemic"))
        spread = SpreadOfDraws(draws, np.zeros(draws.shape[1:]) if noise is None else noise**2, std)
    elif _takes(model, "return_cov"):
        spread = SpreadOfProcess(model, X, n_pool)
    elif _takes(model, "return_std") and strategy in ("auto", "std"):
        return _alone(model, X, n)
    else:
        raise _cannot(model, strategy)
    if strategy == "mutual_information" and not spread.noise.all():
        raise ValueError(
            f"strategy={strategy!r} is in units of the noise, of which estimator={model!r} knows none; take "
            "'disagreement'"
        )
    return Values.of(spread, CRITERIA["disagreement" if strategy == "auto" else strategy])


def _takes(model: Any, option: str) -> bool:
    return hasattr(model, "predict") and option in inspect.signature(model.predict).parameters


def _cannot(model: Any, strategy: str) -> TypeError:
    return TypeError(
        f"strategy={strategy!r} asks what several networks say, but estimator={model!r} has no predict_draws(X); "
        "give a BayesianClassifier, BayesianRegressor, EnsembleClassifier or EnsembleRegressor, or for numbers a "
        "GaussianProcessRegressor"
    )


def _draws(model: Any, X: Any, n_pool: int) -> Array:
    """What each of the networks says, (n_draws, n_samples, ...)."""
    draws = np.asarray(model.predict_draws(X), np.float64)
    if draws.ndim not in (2, 3) or draws.shape[1] != n_pool:
        raise ValueError(f"predict_draws must give (n_draws, {n_pool}, ...) for X_pool, got {draws.shape}")
    if not np.isfinite(draws).all():
        raise ValueError(f"estimator={model!r} predicts NaN or infinity for samples in X_pool")
    return draws


def _told(model: Any, X: Any, kind: str, shape: tuple[int, ...]) -> Array | None:
    """A standard deviation of each sample; None where a model knows of none."""
    try:
        return np.asarray(model.uncertainty(X, kind=kind), np.float64).reshape(shape)
    except (AttributeError, ValueError):  # members of an ensemble agree or not, and say no more
        return None


def _alone(model: Any, X: Any, n: int) -> Belief:
    if n > 1:
        warnings.warn(
            f"{model!r} tells no covariance: the {n} samples of largest standard deviation may be neighbours. Ask for "
            "one at a time, or an estimator with predict_draws(X) or predict(X, return_cov=True)",
            UserWarning,
            stacklevel=4,  # at the call of query
        )
    return Alone(np.asarray(model.predict(X, return_std=True)[1], np.float64))
