"""Study: the comparison of models on one or several data sets."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .data import as_data_sets
from .models import as_models
from .protocol import MEASURES, Progress, cross_validate, no_progress

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST_SEED = 2**32 - 1  # NumPy's RandomState takes 32 bits


class Study:
    """Compare networks with classical baselines by cross-validation on the same folds.

    Parameters
    ----------
    models : None, list of str, or dict of str to estimator, default=None
        The competitors: all built-in models (``mlp``, ``perceptron``, ``random_forest``, ``logistic``, ``dummy``),
        some of them by name, or classifiers of your own. The built-in ones are standardised inside the fold where
        they need it; your own are used as they are, except that a ``random_state`` of None becomes the study's.
    cv : int, default=5
        The number of stratified, shuffled folds, at least 2.
    random_state : int or None, default=0
        The seed of the folds and of the models, from 0 to 2**32 - 1. With an int the scores are the same at every run.

    Attributes
    ----------
    results : DataFrame
        After ``run``: one row per data set, fold and model, with the columns ``dataset``, ``model``, ``fold`` (from 0),
        ``accuracy``, ``log_loss`` (missing where a model has no ``predict_proba``), ``fit_time`` and ``predict_time``
        (seconds on one thread), ``n_parameters``, ``parameter_unit`` ("parameters", or "nodes" of trees) and ``error``
        (missing, or the text of the exception that stopped the model in this fold).

    Raises
    ------
    ValueError
        If a model name is unknown, ``cv`` is not an integer of at least 2 or ``random_state`` is not a seed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sknn.study import Study
    >>> study = Study(models=["logistic", "dummy"]).run(*load_iris(return_X_y=True))
    >>> study.summary()[["model", "accuracy_mean"]].round(2)
          model  accuracy_mean
    0  logistic           0.96
    1     dummy           0.33
    """

    def __init__(
        self,
        models: Iterable[str] | Mapping[str, Any] | None = None,
        cv: int = 5,
        random_state: int | None = 0,
    ) -> None:
        if not isinstance(cv, int | np.integer) or cv < 2:
            raise ValueError(f"cv={cv!r} is not a number of folds; it must be an integer of at least 2")
        if random_state is not None and not _is_seed(random_state):
            raise ValueError(
                f"random_state={random_state!r} is not a seed; it must be an integer from 0 to {LARGEST_SEED}"
            )
        self.models = as_models(models)
        self.cv = cv
        self.random_state = random_state

    def run(self, X: Any, y: Any = None, *, progress: Progress = no_progress) -> "Study":
        """Fit and score every model in every fold; a model that fails is recorded and the study goes on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or dict of str to (X, y)
            The inputs, or several data sets by name.
        y : array-like of shape (n_samples,), default=None
            The class labels; left out when X is a dict.
        progress : callable, default=no_progress
            ``progress(done, total, label)``, called before each fit and once at the end.

        Returns
        -------
        Study
            The study itself, with ``results``.

        Raises
        ------
        ValueError
            If a target is not a vector of class labels, or a class has fewer samples than there are folds.
        """
        self.results = cross_validate(as_data_sets(X, y), self.models, self.cv, self.random_state, progress)
        return self

    def summary(self) -> "DataFrame":
        """Mean and standard deviation of every measure over the folds.

        Returns
        -------
        DataFrame
            One row per data set and model, the most accurate model of each data set first: ``dataset``, ``model``,
            ``n_failed`` (folds in which the model failed, and which are missing in its means), and ``<measure>_mean``
            and ``<measure>_std`` of accuracy, log_loss, fit_time, predict_time and n_parameters.

        Raises
        ------
        RuntimeError
            Before ``run``.
        """
        if not hasattr(self, "results"):
            raise RuntimeError("there are no results to summarise yet; call run(X, y) first")
        groups = self.results.groupby(["dataset", "model"], sort=False)
        summary = groups["error"].count().rename("n_failed").to_frame()
        for measure in MEASURES:
            summary[f"{measure}_mean"] = groups[measure].mean()
            summary[f"{measure}_std"] = groups[measure].std()
        return _best_first(summary.reset_index())


def _is_seed(random_state: Any) -> bool:
    return isinstance(random_state, int | np.integer) and 0 <= int(random_state) <= LARGEST_SEED


def _best_first(summary: "DataFrame") -> "DataFrame":
    # A mean over fewer folds is not comparable: models that failed anywhere come last.
    order = summary.assign(at=summary.groupby("dataset", sort=False).ngroup(), failed=summary["n_failed"] > 0)
    order = order.sort_values(["at", "failed", "accuracy_mean"], ascending=[True, True, False], kind="stable")
    return summary.loc[order.index].reset_index(drop=True)
