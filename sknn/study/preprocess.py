"""What happens to the inputs before they reach a model: all of it is learned in the training fold alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, OneHotEncoder, StandardScaler

from sknn.series import SeriesFeatures

from .data import DataSet
from .gaps import GapFiller
from .images import RowsOfPixels
from .mapped import MappedScaler
from .rows import is_mapped
from .series import PaddedRows, SeriesFiller, are_ragged, are_series

MOST_CATEGORIES = 32  # of a column; rarer ones share one


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
    statistics : bool, default=False
        Rows of statistics of series of different lengths, rather than of their steps with zeros behind the end.
    shaped : bool, default=False
        Signals and images with their channels last, (n_samples, length, channels) or (n_samples, height, width,
        channels), whatever they were given as; but signals of one channel may be rows.
    """

    scaling: bool
    imputation: bool = True
    flattening: bool = True
    statistics: bool = False
    shaped: bool = False


def steps_before(data: DataSet, needs: Needs, gaps: bool = False) -> list[BaseEstimator]:
    """List the transformers that data need before a model, and none that would change nothing.

    - Missing numbers become the median of the training fold. A column that is missing there altogether becomes 0, also
      for models that take missing values.
    - Scaling gives a mean of 0 and a deviation of 1; of sparse data, which have to stay sparse, a largest absolute
      value of 1.
    - Categories (texts, pandas categories, objects) become one column of 0 and 1 each, the rarest beyond
      ``MOST_CATEGORIES`` a common one, to which unknown ones count as well. Missing is a category of its own.
    - Booleans are 0 and 1; times count as seconds.
    - Images and signals become rows of features. So do series of different lengths, with zeros behind the end of
      each, or as rows of statistics; and images of different sizes, resized to one.
    - What is to be segmented stays as it is. Missing pixels become the mean of their channel in the training fold.
    - A memory-mapped array is never held whole; its values must not be missing.

    What kind a column is, and whether anything is missing, is read from the whole data set: that is no knowledge of the
    test fold's values.

    Parameters
    ----------
    data : DataSet
        The data.
    needs : Needs
        What the model needs.
    gaps : bool, default=False
        Whether values may be missing in a table that comes later, though none are in this one.

    Returns
    -------
    list of transformer
        In the order in which they are applied.

    Examples
    --------
    >>> data = DataSet.from_arrays("toy", np.array([[0.0, np.nan], [1.0, 2.0]]), ["no", "yes"])
    >>> steps_before(data, Needs(scaling=True))
    [SimpleImputer(keep_empty_features=True, strategy='median'), StandardScaler()]
    """
    if data.task == "segmentation":
        return [SeriesFiller()] if needs.imputation and not is_mapped(data.X) and _any_gap(data.X) else []
    if are_ragged(data.X):
        return _one_by_one(data, needs)
    if issparse(data.X):
        return [*_imputers(_any_nan(data.X.data), needs), *([MaxAbsScaler()] if needs.scaling else [])]
    if is_mapped(data.X):
        shapers = _shapers(data.X.shape[1:], data.sample_shape) if needs.shaped else []
        return [*_flatteners(data.X, needs.flattening), *([MappedScaler()] if needs.scaling else []), *shapers]
    if _has_columns(data.X):
        return [_column_by_column(data.X, needs, gaps)]
    numbers = np.asarray(data.X)
    imputers = _imputers(gaps or _any_nan(numbers), needs)
    scalers = [StandardScaler()] if needs.scaling else []
    flatteners = _flatteners(numbers, needs.flattening or bool(imputers))
    axes = (data.n_features,) if flatteners else numbers.shape[1:]
    return [*flatteners, *imputers, *scalers, *(_shapers(axes, data.sample_shape) if needs.shaped else [])]


def _one_by_one(data: DataSet, needs: Needs) -> list[BaseEstimator]:
    missing = _any_gap(data.X)
    if not needs.flattening:
        return [SeriesFiller()] if missing and needs.imputation else []
    return [_rows_of(data, needs), *_imputers(missing, needs), *([StandardScaler()] if needs.scaling else [])]


def _rows_of(data: DataSet, needs: Needs) -> BaseEstimator:
    if not are_series(data.X):
        return RowsOfPixels()
    return SeriesFeatures(time_channel=data.time_channel) if needs.statistics else PaddedRows()


def _any_gap(samples: np.ndarray) -> bool:
    return any(_any_nan(sample) for sample in samples)


def _any_nan(numbers: np.ndarray) -> bool:
    return numbers.dtype.kind == "f" and numbers.size > 0 and bool(np.isnan(np.min(numbers)))


def _imputers(missing: bool, needs: Needs) -> list[BaseEstimator]:
    if not missing:
        return []
    return [SimpleImputer(strategy="median", keep_empty_features=True) if needs.imputation else GapFiller()]


def _flatteners(X: Any, wanted: bool) -> list[BaseEstimator]:
    return [FunctionTransformer(flatten)] if wanted and X.ndim > 2 else []


def _shapers(axes: tuple[int, ...], shape: Any) -> list[BaseEstimator]:
    """Rows that are signals of one channel are taken for these as they are."""
    is_right = shape is None or axes == shape or (len(axes) == 1 and shape == (*axes, 1))
    return [] if is_right else [FunctionTransformer(as_signals, kw_args={"shape": shape})]


def as_signals(X: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Make signals, or images, of rows of features, or name the channel of those that have but one.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
        As many values in each sample.
    shape : tuple of int
        (length, channels), or (height, width, channels) and so on.

    Returns
    -------
    ndarray of shape (n_samples, *shape)
        A view where possible.

    Examples
    --------
    >>> as_signals(np.zeros((5, 12)), (6, 2)).shape
    (5, 6, 2)
    """
    return np.asarray(X).reshape(len(X), *shape)


def flatten(X: Any) -> Any:
    """Make a row of features of each sample.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Images, signals, volumes.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        A view where possible.

    Examples
    --------
    >>> flatten(np.zeros((5, 8, 8, 3))).shape
    (5, 192)
    """
    return X.reshape(X.shape[0], -1)


# ------------------------------------------------------------------------------------------- columns of several kinds


def _has_columns(X: Any) -> bool:
    """Whether columns have to be looked at one by one: those of a table that do not all hold plain numbers."""
    dtypes = getattr(X, "dtypes", [])
    return not all(isinstance(dtype, np.dtype) and dtype.kind in "iufb" for dtype in dtypes)


def _column_by_column(X: pd.DataFrame, needs: Needs, gaps: bool) -> ColumnTransformer:
    frame = X.infer_objects()
    numeric = [_is_numeric(dtype) for dtype in frame.dtypes]
    numbers, categories = np.flatnonzero(numeric).tolist(), np.flatnonzero(np.logical_not(numeric)).tolist()
    branches = []
    if numbers:
        imputers = _imputers(gaps or bool(frame.iloc[:, numbers].isna().any(axis=None)), needs)
        scalers = [StandardScaler()] if needs.scaling else []
        branches.append(("numbers", make_pipeline(FunctionTransformer(as_floats), *imputers, *scalers), numbers))
    if categories:
        encoder = OneHotEncoder(
            handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False
        )
        branches.append(("categories", make_pipeline(FunctionTransformer(as_texts), encoder), categories))
    return ColumnTransformer(branches, sparse_threshold=0)


def _is_numeric(dtype: Any) -> bool:
    if isinstance(dtype, pd.CategoricalDtype):
        return False
    types = pd.api.types
    tests = (types.is_numeric_dtype, types.is_bool_dtype, types.is_datetime64_any_dtype, types.is_timedelta64_dtype)
    return any(is_so(dtype) for is_so in tests)


def as_floats(columns: pd.DataFrame) -> np.ndarray:
    """Make floats of columns of numbers, booleans or times, whatever their dtypes; missing values become NaN.

    Parameters
    ----------
    columns : DataFrame of shape (n_samples, n_columns)
        The columns.

    Returns
    -------
    ndarray of float of shape (n_samples, n_columns)
        Times in seconds, points in time since 1970.

    Examples
    --------
    >>> as_floats(pd.DataFrame({"n": [1, None], "flag": [True, False]}))
    array([[ 1.,  1.],
           [nan,  0.]])
    """
    return np.column_stack([_floats(column) for _, column in columns.items()])


def _floats(column: Any) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column - pd.Timestamp(0, tz=column.dt.tz)
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    return column.to_numpy(float, na_value=np.nan)


def as_texts(columns: pd.DataFrame) -> np.ndarray:
    """Make texts of columns of categories, whatever their dtypes; missing values become ``"missing"``.

    Parameters
    ----------
    columns : DataFrame of shape (n_samples, n_columns)
        The columns.

    Returns
    -------
    ndarray of object of shape (n_samples, n_columns)
        Texts.

    Examples
    --------
    >>> as_texts(pd.DataFrame({"word": ["a", None], "anything": [True, 3]}))
    array([['a', 'True'],
           ['missing', '3']], dtype=object)
    """
    objects = columns.astype(object)
    return objects.where(objects.notna(), "missing").map(str).to_numpy(object)
