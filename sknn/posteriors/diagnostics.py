"""Whether chains have come to agree."""

from __future__ import annotations

import numpy as np

from ..autodiff.tape import Array


def split_r_hat(draws: Array) -> Array:
    r"""How far chains disagree: 1 if not at all, and the more above, the less they may be taken for one.

    Each chain is cut into halves, so that one that drifts disagrees with itself. With the variance W within these
    sequences of length n, in the mean, and the variance B / n of their means,

    .. math:: \hat R = \sqrt{\frac{n - 1}{n} + \frac{B}{n W}}.

    Weights of a network are exchangeable, hidden units among each other, so that chains may differ in all weights and
    agree in all that counts: ask for it of predictions.

    Parameters
    ----------
    draws : ndarray of shape (n_chains, n_draws, ...)
        Any numbers of interest; at least four draws.

    Returns
    -------
    r_hat : ndarray of shape (...)
        1 where nothing varies.

    References
    ----------
    Gelman et al. (2013). Bayesian data analysis, third edition, 11.4.

    Vehtari, Gelman, Simpson, Carpenter, Buerkner (2021). Rank-normalization, folding, and localization: an improved
    R-hat. Bayesian Analysis 16(2).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> bool(split_r_hat(rng.normal(size=(2, 500))) < 1.01)
    True
    >>> bool(split_r_hat(rng.normal(size=(2, 500)) + [[0.0], [2.0]]) > 1.1)
    True
    """
    half = draws.shape[1] // 2
    sequences = np.concatenate([draws[:, :half], draws[:, -half:]])
    within = sequences.var(axis=1, ddof=1).mean(axis=0)
    between = sequences.mean(axis=1).var(axis=0, ddof=1)
    varies = within > 0
    ratio = np.where(varies, between / np.where(varies, within, 1.0), np.where(between > 0, np.inf, 1.0 / half))
    r_hat: Array = np.sqrt((half - 1.0) / half + ratio)
    return r_hat
