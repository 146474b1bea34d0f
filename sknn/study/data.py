"""The data of a study: names, inputs and targets, checked, with the task and the shape of a sample."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from .columns import settle
from .densities import as_quantities
from .fingerprint import fingerprint
from .forecast import Forecast, forecast_of, table_of
from .inputs import as_inputs
from .maps import as_maps, labels_of, may_be_maps, on_their_grid
from .names import listed
from .numbers import rows
from .place import Place
from .rows import in_memory, is_mapped, take_rows
from .series import are_ragged, are_series, as_series, steps_of
from .shapes import find_sample_shape
from .targets import LARGEST_AMOUNT, all_classes, as_column, as_integers, as_vector, categories_of, find_task

MAPS_SAY = "whose label maps say all of that"
DENSITIES_HAVE_NONE = "of which the density of X is to be learnt, and that has none"
LEAVE_OUT = "leave these out with --drop-missing-target (drop_missing_target=True)"


@dataclass(frozen=True, eq=False)
class DataSet:
    """One data set of a study; ``DataSet.from_arrays`` makes one from whatever the data are in.

    Parameters
    ----------
    name : str
        The name in the results.
    X : ndarray or memmap of shape (n_samples, ...), DataFrame or sparse matrix
        The inputs. Series of different lengths are an object array of arrays (T_i, channels), images of different
        sizes one of arrays (height_i, width_i, channels).
    y : ndarray of shape (n_samples,), or label maps
        The targets: labels, or floats in regression. In segmentation an array of integers of shape (n_samples, *grid),
        or an object array of maps; -1 has no label. NaN where there is no target, but a density to be learnt.
    task : {"classification", "regression", "segmentation", "density"}
        What is to be learnt.
    groups : ndarray of shape (n_samples,), default=None
        Samples of one group come into the same fold.
    sample_shape : tuple of int, default=None
        The shape of one signal, image or volume with its channels last, as in (40, 1) or (8, 8, 1), or (None, channels)
        for series of different lengths, (None, None, channels) for images of different sizes; None: a table.
    notes : tuple of str, default=()
        What is to be said about how the data were read, such as cells that were taken as missing.
    classes : ndarray of shape (n_classes,), default=None
        All labels, of which ``y``, and the training rows of a fold, may lack some; None: those in ``y``.
    time_channel : int, default=None
        Which channel of series holds the times of their steps; None: none does.
    forecast : Forecast, default=None
        What is forecast, where the rows are the steps of one series, in order, and the first column is ``y`` itself;
        None: nothing is, and rows are samples.
    na_values, not_na : tuple of str, default=()
        What meant missing in the file, and what did not though it looks like it: a model that is kept remembers them.

    Attributes
    ----------
    n_samples, n_features : int
        The size of ``X``; every value of an image is a feature, and every channel where samples differ in size.
    labels : ndarray
        All labels, sorted; not for regression and densities.
    has_labels : bool
        Whether there are any.
    fingerprint : str
        A digest of the content (inputs, targets, groups, sample shape, task and labels, but not the name), the same in
        any process; another as soon as a value, a type or the name of a column is another.

    Examples
    --------
    >>> data = DataSet.from_arrays("toy", [[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]], ["no", "yes", "no"])
    >>> data.task, data.labels.tolist(), data.n_samples, data.n_features
    ('classification', ['no', 'yes'], 3, 2)
    >>> data.take([0, 2])
    array([[0., 1.],
           [3., 4.]])
    """

    name: str
    X: Any
    y: np.ndarray
    task: str
    groups: np.ndarray | None = None
    sample_shape: tuple[Any, ...] | None = None
    notes: tuple[str, ...] = ()
    classes: np.ndarray | None = None
    time_channel: int | None = None
    forecast: Forecast | None = None
    na_values: tuple[str, ...] = ()
    not_na: tuple[str, ...] = ()

    @classmethod
    def from_arrays(
        cls,
        name: str,
        X: Any,
        y: Any = None,
        *,
        task: str | None = None,
        groups: Any = None,
        sample_shape: Any = None,
        classes: Any = None,
        drop_missing_target: bool = False,
        notes: Sequence[str] = (),
        time_channel: int | None = None,
    ) -> "DataSet":
        """Build a data set, and find out what is not stated.

        Parameters
        ----------
        name : str
            The name in the results.
        X : array-like of shape (n_samples, n_features) or (n_samples, ...), DataFrame or sparse matrix
            The inputs. An array stays what it is, on disk if it is memory-mapped; so does a table of pandas. A table of
            polars, and text among numbers, become a table of pandas; a sparse matrix becomes one of rows (CSR). A list
            or a column of arrays (T_i,) or (T_i, channels), and an array (n, T, channels) of which some samples end in
            NaN, are series of different lengths; one of arrays (height_i, width_i, channels), or without channels, are
            images of different sizes.
        y : array-like of shape (n_samples,) or (n_samples, 1), or label maps, default=None
            The targets; left out for the density of X. Maps are an array (n_samples, *grid), or a list of arrays, of
            whole numbers with the axes of the images (or signals, volumes) without their channels; -1, NaN and what is
            masked has no label.
        task : {"classification", "regression", "segmentation", "density"}, default=None
            None: maps are to be segmented; text, truth values and categories are labels; fractional numbers are
            amounts, and so are whole numbers of more than 20 different values, unless each occurs at least 5 times and
            20 times on average.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group come into the same fold.
        sample_shape : tuple of int, default=None
            The shape of a signal, image or volume, where the channels of a single one may be left out: (28, 28) means
            (28, 28, 1). None: the axes of X, where two are an image if the second is longer than 4 and neither is more
            than twice the other, and a signal with channels otherwise; and an image for a table whose columns are named
            like pixels.
        classes : array-like of shape (n_classes,), default=None
            All classes, of which y may lack some, and rare ones may be lacking in a fold: every model has a probability
            for each. None: those in y, and of a pandas categorical y its unused categories.
        drop_missing_target : bool, default=False
            Whether to leave out rows whose target is missing, as of a table that is labelled in part.
        notes : sequence of str, default=()
            What is to be said about the data already.
        time_channel : int, default=None
            Which channel of series holds the times of their steps; None: none does. Series with times are held as those
            of different lengths are, also where all have as many steps.

        Returns
        -------
        DataSet
            The data set.

        Raises
        ------
        ValueError
            If lengths differ, y is no complete vector, or what is stated does not go with the data; for a density, if
            X is no table of numbers without gaps.

        Warns
        -----
        UserWarning
            If a column of text in a table is nearly always a number: it becomes one of numbers, and what is none is
            missing; how many rows without a target were left out; and for a density, where values repeat or columns
            follow from others, so that it has no bound. The data set's notes say it too.

        Examples
        --------
        >>> import numpy as np
        >>> DataSet.from_arrays("toy", np.zeros((3, 64)), [0.5, 1.0, 2.0], sample_shape=(8, 8)).sample_shape
        (8, 8, 1)
        """
        if task == "segmentation" or (task is None and may_be_maps(X, y)):
            beside = {"sample_shape": sample_shape, "classes": classes, "time_channel": time_channel}
            _refuse_beside(name, beside | {"drop_missing_target": drop_missing_target or None}, MAPS_SAY)
            return cls._of_maps(name, X, y, groups, notes)
        if task == "density":
            beside = {"y": y, "sample_shape": sample_shape, "classes": classes, "time_channel": time_channel}
            _refuse_beside(name, beside | {"drop_missing_target": drop_missing_target or None}, DENSITIES_HAVE_NONE)
            return cls._of_density(name, X, groups, notes)
        if y is None:
            raise ValueError(f"y of {name!r} is None; give the targets, or say task='density' for the density of X")
        _check_index(name, X, y)
        categories = categories_of(y)
        remarks: list[str] = []
        X, y = as_inputs(X), as_column(f"y of {name!r}", y)
        if time_channel is not None:
            X = _with_times(name, X, time_channel)
        groups = None if groups is None else as_column(f"groups of {name!r}", groups)
        _check_lengths(name, X, {"y": y, "groups": groups})
        if drop_missing_target and pd.isna(y).any():
            X, y, groups, remarks = _with_targets(name, X, y, groups)
        y = as_vector(f"y of {name!r}", y, LEAVE_OUT)
        groups = None if groups is None else as_vector(f"groups of {name!r}", groups)
        _check_names(name, X)
        if isinstance(X, pd.DataFrame):
            X, about_columns = settle(X, repr(name))
            remarks = [*remarks, *about_columns]
        for remark in remarks:
            warnings.warn(remark, UserWarning, stacklevel=3)
        notes = [*notes, *remarks]
        check_size(name, X)
        task = find_task(y, task if classes is None else task or "classification")
        if task == "regression" and classes is not None:
            raise ValueError(f"classes of {name!r} were given, but its task is regression, which has none")
        if task == "regression" and y.dtype.kind != "f":
            y = y.astype(float)
        if task == "classification" and classes is None:
            classes = categories
        if classes is not None:
            classes = all_classes(name, classes, y)
            notes = [*notes, *_without_rows(name, classes, y)]
        return cls(name, X, y, task, groups, find_sample_shape(X, sample_shape), tuple(notes), classes, time_channel)

    @classmethod
    def _of_maps(cls, name: str, X: Any, y: Any, groups: Any, notes: Sequence[str]) -> "DataSet":
        X, maps = as_inputs(X), as_maps(name, y)
        groups = None if groups is None else as_vector(f"groups of {name!r}", groups)
        _check_lengths(name, X, {"y": maps, "groups": groups})
        X = on_their_grid(name, X, maps)
        check_size(name, X)
        shape = find_sample_shape(X) if are_ragged(X) else X.shape[1:]
        return cls(name, X, maps, "segmentation", groups, shape, tuple(notes))

    @classmethod
    def _of_density(cls, name: str, X: Any, groups: Any, notes: Sequence[str]) -> "DataSet":
        X = as_inputs(X)
        groups = None if groups is None else as_vector(f"groups of {name!r}", groups)
        _check_lengths(name, X, {"groups": groups})
        _check_names(name, X)
        remarks: list[str] = []
        if isinstance(X, pd.DataFrame):
            X, remarks = settle(X, repr(name))
        check_size(name, X)
        X, about_columns = as_quantities(name, X)
        remarks = [*remarks, *about_columns]
        for remark in remarks:
            warnings.warn(remark, UserWarning, stacklevel=4)
        return cls(name, X, np.full(X.shape[0], np.nan), "density", groups, notes=(*notes, *remarks))

    @classmethod
    def of_series(
        cls,
        name: str,
        y: Any,
        X: Any = None,
        *,
        horizon: int,
        window: int | None = None,
        season: int | None = None,
        known: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> "DataSet":
        """Build a data set of one long series, whose next steps are to be forecast.

        Its folds go by time: a model learns from the steps up to some moment, and forecasts those that follow,
        `horizon` at once, with all steps in front of these known.

        Parameters
        ----------
        name : str
            The name in the results.
        y : array-like of shape (n_steps,)
            The series, in the order of time and in even steps.
        X : array-like of shape (n_steps, n_others) or DataFrame, default=None
            What else is measured at each step.
        horizon : int
            How many steps are forecast at once.
        window : int, default=None
            How many steps of the past a forecast sees; None: four times the horizon, and at least a season.
        season : int, default=None
            How many steps a season has; None: there is none.
        known : sequence of str, default=()
            Columns of X that are known in advance, such as hours, holidays or a weather forecast; those of an array are
            called ``x0``, ``x1`` and so on.
        notes : sequence of str, default=()
            What is to be said about the data already.

        Returns
        -------
        DataSet
            Of regression.

        Raises
        ------
        ValueError
            If lengths differ, something is missing or no number, or a number of steps is out of its range.

        Examples
        --------
        >>> import numpy as np
        >>> data = DataSet.of_series("waves", np.sin(np.arange(100.0)), horizon=6)
        >>> print(data.forecast)
        6 steps at once from the 24 before
        """
        called = str(getattr(y, "name", None) or "y")
        y = as_vector(f"y of {name!r}", y, "fill these gaps, say by interpolation: a forecast takes each step")
        table = table_of(name, y, called, X)
        check_size(name, table)
        forecast = forecast_of(horizon, window, season, known, list(table))
        return cls(name, table, table[called].to_numpy(), "regression", notes=tuple(notes), forecast=forecast)

    def __getstate__(self) -> dict[str, Any]:
        # Workers map a mapped array themselves: its values may not fit into memory, let alone into a message.
        return vars(self) | {"X": Place.of(self.X) or self.X}

    def __setstate__(self, state: dict[str, Any]) -> None:
        X = state["X"]
        # joblib maps large arrays for its workers: those do not count as data on disk, which are treated differently.
        vars(self).update(state, X=X.open() if isinstance(X, Place) else in_memory(X), y=in_memory(state["y"]))

    def __sizeof__(self) -> int:
        """Dask asks for it, as it sends what is large to each worker once and not with every cell."""
        return object.__sizeof__(self) + _bytes_in_memory(self.y) + _bytes_in_memory(self.X)

    @property
    def n_samples(self) -> int:
        return self.X.shape[0]

    @property
    def n_features(self) -> int:
        return self.X[0].shape[-1] if are_ragged(self.X) else prod(self.X.shape[1:])

    @property
    def has_labels(self) -> bool:
        return self.task in ("classification", "segmentation")

    @cached_property
    def labels(self) -> np.ndarray:
        if not self.has_labels:
            raise AttributeError(f"{self.name!r} is a {self.task} data set, which has no labels")
        if self.task == "segmentation":
            return labels_of(self.y)
        return np.unique(self.y) if self.classes is None else self.classes

    @cached_property
    def fingerprint(self) -> str:
        in_y = [self.X, self.y, self.groups, self.sample_shape, self.task]
        lacks_some = self.classes is not None and len(self.classes) > len(np.unique(self.y))
        with_times = [] if self.time_channel is None else ["time", self.time_channel]
        ahead = [] if self.forecast is None else ["forecast", *map(str, astuple(self.forecast))]
        return fingerprint([*in_y, *([self.classes] if lacks_some else []), *with_times, *ahead])

    def take(self, rows: Any) -> Any:
        """Return the inputs of some samples, as the kind of container that ``X`` is.

        Parameters
        ----------
        rows : array-like of int or bool, or slice
            Which samples.

        Returns
        -------
        ndarray, memmap, DataFrame or sparse matrix
            Their inputs. Those of a memory-mapped ``X`` stay on disk: neighbouring samples are a read-only view, others
            are copied to a temporary file that goes with the last reference to it.
        """
        return take_rows(self.X, rows)


def _check_lengths(name: str, X: Any, arguments: Mapping[str, np.ndarray | None]) -> None:
    for argument, values in arguments.items():
        if values is not None and len(values) != X.shape[0]:
            raise ValueError(f"{argument} of {name!r} has {len(values):,} values, but X has {X.shape[0]:,} samples")


def _refuse_beside(name: str, beside: Mapping[str, Any], why: str) -> None:
    for argument, value in beside.items():
        if value is not None:
            given = "y" if argument == "y" else f"{argument}={value!r}"
            raise ValueError(f"{given} was given for {name!r}, {why}; leave it out")


def _with_times(name: str, X: Any, channel: int) -> np.ndarray:
    """Series one by one, though they be of one length: those of several instruments would not share their times."""
    if not are_series(X) and (len(X.shape) != 3 or is_mapped(X)):
        raise ValueError(
            f"time_channel={channel!r} was given, but {name!r} holds no series: these are arrays (T_i, channels) or "
            "(n_samples, T, channels) in memory"
        )
    series = X if are_series(X) else as_series(X)
    n_channels = series[0].shape[1]
    if not 0 <= channel < n_channels:
        raise ValueError(f"time_channel={channel!r} of {name!r} is none of its {n_channels} channels, counted from 0")
    for number, each in enumerate(series):
        if not (np.diff(each[:, channel], prepend=-np.inf) > 0).all():
            raise ValueError(
                f"time_channel={channel!r} of {name!r} holds no times: that of sample {number} does not always rise"
            )
    return series


def _with_targets(name: str, X: Any, y: np.ndarray, groups: np.ndarray | None) -> tuple[Any, Any, Any, list[str]]:
    """The rows that have a target, and how many have none."""
    known = np.flatnonzero(~pd.isna(y))
    if not len(known):
        raise ValueError(f"y of {name!r} is missing in all of its {len(y):,} rows, so there is nothing to learn")
    remark = f"y of {name!r} is missing in {rows(len(y) - len(known))} of {len(y):,}, which were left out"
    targets = as_integers(as_vector(f"y of {name!r}", y[known]))
    return take_rows(X, known), targets, None if groups is None else groups[known], [remark]


def _without_rows(name: str, classes: np.ndarray, y: np.ndarray) -> list[str]:
    lacking = np.setdiff1d(classes, y)
    return [f"no row of {name!r} has the class {listed(map(repr, lacking.tolist()))}"] if len(lacking) else []


def _bytes_in_memory(X: Any) -> int:
    if are_ragged(X) and isinstance(X[0], np.ndarray):
        return sum(sample.nbytes for sample in X)
    if isinstance(X, pd.DataFrame):
        return int(X.memory_usage().sum())
    if sparse.issparse(X):
        return X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    return 0 if is_mapped(X) else X.nbytes


def _check_index(name: str, X: Any, y: Any) -> None:
    labelled = isinstance(X, pd.DataFrame) and isinstance(y, pd.Series) and len(X) == len(y)
    if labelled and not X.index.equals(y.index):
        warnings.warn(
            f"X and y of {name!r} have different indices, and are paired row by row as they come: check that they "
            "belong together, or say y.loc[X.index]",
            UserWarning,
            stacklevel=4,
        )


def _check_names(name: str, X: Any) -> None:
    """Names that every model would stumble over are refused at once."""
    if not isinstance(X, pd.DataFrame):
        return
    if not X.columns.is_unique:
        twice = ", ".join(map(repr, dict.fromkeys(X.columns[X.columns.duplicated()])))
        raise ValueError(f"X of {name!r} has several columns called {twice}; every column needs a name of its own")
    types = {type(each): each for each in X.columns}
    if len(types) > 1 and str in types:  # scikit-learn takes names that are all text, or none of them
        examples = " and ".join(repr(each) for each in types.values())
        raise ValueError(
            f"X of {name!r} has columns called {examples}; their names must all be text: "
            "X.columns = X.columns.astype(str)"
        )


def check_size(name: str, X: Any) -> None:
    """Refuse at once what every model would stumble over; an array on disk is not read for it.

    Parameters
    ----------
    name : str
        What the error calls the data.
    X : DataFrame, ndarray, memmap or sparse matrix
        The inputs.

    Raises
    ------
    ValueError
        If there are infinite values, or some whose squares are.
    """
    numbers = X.select_dtypes("float").to_numpy(dtype=float, na_value=np.nan) if isinstance(X, pd.DataFrame) else X
    if are_ragged(X):
        numbers = steps_of(X)
    if sparse.issparse(numbers):
        numbers = numbers.data
    if is_mapped(numbers) or numbers.dtype.kind not in "fO":
        return
    numbers = numbers.astype(float, copy=False)
    large = (numbers > LARGEST_AMOUNT) | (numbers < -LARGEST_AMOUNT)
    if not large.any():
        return
    infinite = np.isinf(numbers)
    if n_infinite := int(infinite.sum()):
        where = f" {_in_columns(X, infinite)}" if isinstance(X, pd.DataFrame) else ""
        raise ValueError(
            f"X of {name!r} has {n_infinite:,} infinite values{where}; say what they are, NaN where unknown, which "
            "--na inf -inf (na_values=) makes of them in a table"
        )
    where = f" {_in_columns(X, large)}" if isinstance(X, pd.DataFrame) else ""
    raise ValueError(
        f"X of {name!r} goes up to {np.abs(numbers[large]).max():.3g} in size{where}, whose square is infinite; give "
        "it in other units, or its logarithm"
    )


def _in_columns(X: pd.DataFrame, are_such: np.ndarray) -> str:
    names = X.select_dtypes("float").columns[are_such.any(axis=0)]
    return f"in {', '.join(map(repr, names[:3]))}{' and others' if len(names) > 3 else ''}"
