"""The inputs of a study, of whatever they come in."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .images import as_images, may_be_images
from .series import as_series, may_be_series


def as_inputs(X: Any) -> Any:
    """The inputs as an array, a table of pandas or a sparse matrix of rows; ValueError on anything else."""
    if may_be_images(X):
        return as_images(X)
    if may_be_series(X):
        return as_series(X)
    if sparse.issparse(X):
        X = X.tocsr()
    elif type(X).__module__.partition(".")[0] == "polars":
        X = _from_polars(X)
    elif isinstance(X, list | tuple):
        X = _from_lists(X)
    elif np.ma.is_masked(X):
        X = _with_gaps(X)
    elif not isinstance(X, pd.DataFrame | np.memmap):
        X = np.asarray(X)
    if isinstance(X, np.ndarray) and X.dtype.kind in "USO" and X.ndim == 2:
        X = _table(pd.DataFrame(X, dtype=object).infer_objects())
    if isinstance(X, np.ndarray) and X.dtype.kind not in "biuf":
        raise ValueError(f"X is an array of dtype {X.dtype}; it must hold numbers, or be a table")
    if not 2 <= len(X.shape) <= 5:
        raise ValueError(
            f"X has shape {X.shape}; it must be (n_samples, n_features), or with two to four axes for each sample "
            "(n_samples, length, channels), (n_samples, height, width, channels) and so on"
        )
    if 0 in X.shape:
        raise ValueError(f"X has shape {X.shape}; it must have samples and features")
    return X


def _with_gaps(X: Any) -> np.ndarray:
    """What is masked is missing, whatever stands behind the mask."""
    return X.astype(np.result_type(X.dtype, np.float32) if X.dtype.kind in "biuf" else object).filled(np.nan)


def _from_lists(X: list[Any] | tuple[Any, ...]) -> np.ndarray:
    array = np.asarray(X)
    # Numbers beside text stay numbers.
    return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array


def _from_polars(X: Any) -> pd.DataFrame:
    # Column by column, because polars' own way needs pyarrow.
    return pd.DataFrame({column.name: _polars_column(column) for column in X.iter_columns()})


def _polars_column(column: Any) -> Any:
    kind = str(column.dtype)
    if not kind.startswith(("Enum", "Categorical")):
        return column.to_numpy()
    return pd.Categorical(column.to_list(), list(column.dtype.categories) if kind.startswith("Enum") else None)


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    frame.columns = pd.Index([f"x{position}" for position in range(frame.shape[1])])
    return frame
