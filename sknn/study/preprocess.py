"""What happens to the inputs before they reach a model: all of it is learned in the training fold alone."""

from dataclasses import dataclass
from typing import Any

from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from .data import DataSet


@dataclass(frozen=True)
class Needs:
    """What a model needs of its inputs.

    Parameters
    ----------
    scaling : bool
        Features of about the same size.
    imputation : bool, default=True
        No missing values.
    flattening : bool, default=True
        One row of features for each sample, also of images.
    """

    scaling: bool
    imputation: bool = True
    flattening: bool = True


def is_sparse(X: Any) -> bool:
    return issparse(X)


def steps_before(data: DataSet, needs: Needs) -> list[BaseEstimator]:
    return [StandardScaler()] if needs.scaling else []
