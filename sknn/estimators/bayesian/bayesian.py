"""What Bayesian regressors and classifiers share: a network, and how the uncertainty of its weights is found."""

from __future__ import annotations

from math import inf
from typing import Any, Literal, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_samples, check_is_fitted

from ...autodiff.tape import Array
from ...posteriors import POSTERIORS, Learnt, Posterior, Task
from ...template.declaring import Declaring
from ...template.estimator import Estimator, nothing_lost
from ...template.fitted import left_by_fit
from ...template.parameters import fitted, parameter
from ...template.scikit_learn import BaseEstimator, MetaEstimatorMixin
from ...template.wrapped import seeded

KINDS = ("epistemic", "noise", "total")
FEW = 20  # samples, of which none are set aside
DEFAULT_NETWORK: dict[str, Any] = {  # 50 units, few enough for all posteriors; the best of all epochs is kept
    **{"hidden_layer_sizes": (50,), "activation": "tanh", "input_scaling": "standard"},
    **{"learning_rate": "one_cycle", "learning_rate_init": 0.03, "max_iter": 300},
    **{"early_stopping": True, "n_iter_no_change": inf},
}


class Bayesian(MetaEstimatorMixin, Declaring):
    """Not one network but a distribution of networks, all of which agree with the data.

    References
    ----------
    MacKay (1992). A practical Bayesian framework for backpropagation networks. Neural Computation 4(3).

    Neal (1996). Bayesian learning for neural networks. Springer.
    """

    network: Estimator | None = parameter(
        default=None,
        allowed=(Estimator, None),
        text="Any network of sknn with dense, convolutional, recurrent or other layers, unfitted: :meth:`fit` trains a "
        "clone. None: a multi-layer perceptron with 50 tanh units that standardises its inputs; where it is trained in "
        "epochs, there are 300, of which the best on a tenth of the samples is kept.",
        kw_only=False,
    )
    posterior: str | Posterior = parameter(
        default="laplace",
        named=POSTERIORS,
        text="How the distribution of the weights is found: a name, or a description of :mod:`sknn.posteriors` such as "
        '``Laplace(structure="kronecker")``, into which searches reach: ``posterior__structure``.',
        kw_only=False,
    )
    prior_scale: float | Literal["auto"] = parameter(
        default="auto",
        interval="(0, inf)",
        text="The standard deviation of the weights before any data are seen, where there is such a prior; "
        '"auto": found from the data.',
    )
    n_draws: int = parameter(
        default=100, interval="[1, inf)", text="How many networks are drawn, where the distribution is one of draws."
    )
    n_jobs: int | None = parameter(
        default=None, text="Processes for what is independent, such as chains; None: one, -1: all."
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None, interval="[0, 4294967295]", text="Determines initial weights and all that is drawn."
    )

    network_: Estimator = fitted("A fitted network: the most probable one, or the first of several.")
    prior_scale_: float = fitted("The standard deviation of the prior, where there is one.")
    log_evidence_: float = fitted("The logarithm of the marginal likelihood (Laplace).")
    draws_: Array = fitted("Weights of the networks drawn (HMC).", shape="(n_draws, n_parameters)")
    r_hat_: float = fitted("The median over some samples of how far chains disagree, 1 being not at all (HMC).")
    acceptance_rate_: float = fitted("The share of proposals that were accepted (HMC).")
    members_: list[Estimator] = fitted("The fitted networks (ensembles).")
    n_features_in_: int = fitted("Features seen in fit.")
    feature_names_in_: Array = fitted("Their names, if they have string names.", shape="(n_features_in_,)")
    _learnt: Learnt = fitted("What is known of the weights.")

    def _learn(self, network: Any, X: Any, y: Any, sample_weight: Any, noise: Any) -> Self:
        """Fit the posterior of a network, which is nobody else's; on any error the estimator is left as it was."""
        rng = check_random_state(self.random_state)
        task = Task(
            seeded(network, rng), X, y, sample_weight, noise, self.prior_scale, int(self.n_draws), rng, self.n_jobs
        )
        learnt = self._meant("posterior", self.posterior).learn(task)
        with nothing_lost(self):
            for name in ("prior_scale_", "log_evidence_", "draws_", "r_hat_", "acceptance_rate_", "members_"):
                vars(self).pop(name, None)
            vars(self).update(learnt.attributes)
            self._learnt, self.network_ = learnt, learnt.network
            for name in ("n_features_in_", "feature_names_in_"):
                vars(self).pop(name, None)
                if hasattr(learnt.network, name):
                    setattr(self, name, getattr(learnt.network, name))
        return self

    def _fitted_posterior(self) -> Learnt:
        check_is_fitted(self)
        learnt: Learnt = left_by_fit(self, "_learnt")
        return learnt

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_learnt")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if isinstance(self.network, BaseEstimator):
            tags.input_tags = self.network.__sklearn_tags__().input_tags
        return tags


def default_network(family: Any, X: Any, posterior: Posterior) -> Any:
    """The default of a family of perceptrons, for samples X."""
    training, n_samples = {**DEFAULT_NETWORK, **posterior.default_training}, _num_samples(X)
    if n_samples < FEW:
        training["early_stopping"] = False
    aside = 10 if training["early_stopping"] else min(5, n_samples)  # a tenth, or a fold that tells the noise
    return family(batch_size=max(1, min(32, n_samples - -(-n_samples // aside))), **training)


def check_kind(kind: str) -> None:
    """Raise ValueError if there is no such uncertainty."""
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is unknown; choose one of {', '.join(map(repr, KINDS))}")
