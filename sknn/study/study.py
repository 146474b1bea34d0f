"""Study: the comparison of models on one or several data sets."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from .cell import Cell, seed_of
from .choice import as_models
from .compare import Ranks, compare_pairs, ranks_of
from .data import DataSet
from .data_sets import as_data_sets
from .folds import Fold, check_search, folds_of, growing, inner_splitter, is_by_time
from .frames import predictions_frame, results_frame, summary_frame
from .identity import key_of
from .measures import DEFAULTS, FORECASTS, QUANTILES, Measure, as_measures, of_intervals, of_maps
from .model import Model
from .names import look_up
from .outcome import Outcome
from .output import check_room
from .run import Progress, Run
from .store import Store
from .verdict import verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

FOUND = ("results", "learning_curves", "predictions", "data_sets", "seed_")
LARGEST_SEED = 2**32 - 1  # NumPy's RandomState takes 32 bits


class Study:
    """Compare networks with classical baselines by cross-validation on the same folds.

    Parameters
    ----------
    models : None, list, or dict of str to estimator, default=None
        The competitors. None takes the defaults that suit the data; entries of a list are names of built-in models,
        ``"defaults"`` for all those, class names of any scikit-learn estimator, and pairs ``(name, estimator)``;
        a dict holds estimators of your own, which are used as they are, except that a ``random_state`` of None becomes
        the study's.
    cv : int, scikit-learn splitter or list of (train, test), default=5
        The number of shuffled folds, stratified for labels, and with `groups` never dividing one, and of a series to
        forecast (see ``sknn.study.data.DataSet.of_series``) that of steps in time; or a splitter,
        ``TimeSeriesSplit(5)`` where the future must not be known.
    scoring : None, str, callable, list or dict, default=None
        What to measure, see `measures_of`; the first measure decides. None is accuracy, balanced accuracy, log loss
        and ROC AUC for labels, R², RMSE and MAE for numbers, Dice and IoU for label maps, MSE, MAE and skill for
        forecasts, and mean, median and lowest log-density for densities.
    tune : int, default=0
        The number of random configurations that every model may try in an inner cross-validation of three folds, from
        the search spaces of ``sknn.study.spaces``. With 0 every model has its default parameters. Your own estimators
        are not tuned: hand in a search.
    n_jobs : int or None, default=None
        How many models are fitted at a time, as in joblib; -1 takes all cores, None one or what
        ``joblib.parallel_config`` says. Each computes on one thread.
    random_state : int or None, default=0
        The seed of folds, models and searches. With an int the scores are the same at every run; None draws one.
    store : str, path or None, default=None
        An SQLite file that keeps every finished cell, so that the same study, started again, computes only what is
        missing. Several processes may share it.
    repeats : int, default=1
        How often to shuffle anew and divide into `cv` folds again.
    learning_curve : bool, default=False
        Whether to fit also on 1/16, 1/8, 1/4 and 1/2 of the training rows of every fold.
    quantiles : sequence of float or None, default=None
        Compare predictions of these quantiles of numbers, such as ``[0.05, 0.5, 0.95]``, rather than of their mean: the
        built-in models are those that predict them, and `scoring` of None is pinball loss, coverage (how many values
        lie from the lowest to the highest quantile) and, with the median among them, MAE. Your own estimators say what
        they predict by their method ``predict_quantiles`` and parameter ``quantile``.
    intervals : float or None, default=None
        Compare intervals that shall hold numbers with this probability, such as 0.9: the built-in models are those that
        know how sure they are, and `scoring` of None is interval score, coverage and width of the intervals, and
        negative log-likelihood and CRPS of models that tell a whole distribution. Your own estimators need a
        ``predict_interval(X, confidence)`` or a ``predict(X, return_std=True)``.
    verbose : bool, default=False
        Whether to show a progress bar on standard error; needs rich.

    Attributes
    ----------
    results : DataFrame
        One row per data set, model and fold: ``dataset``, ``model``, ``family`` ("network" or "baseline"), ``fold``
        (from 0), ``n_train``, ``n_test``, a column for each measure (missing where a model cannot give it),
        ``fit_time``, ``tune_time`` (all of the search but the last fit) and ``predict_time`` in seconds on one
        thread, ``n_parameters`` and ``parameter_unit`` ("parameters", or "nodes" of trees), ``pickle_bytes``,
        ``params`` (the choice of the search, as JSON), ``warnings`` and ``error`` (missing, or the text of the
        exception that stopped the model in this fold).
    learning_curves : DataFrame
        The same columns, with rows for the smaller training sets, too; empty without `learning_curve`.
    predictions : DataFrame
        One row per data set, model, fold and test row: ``dataset``, ``model``, ``fold``, ``sample`` (the row in the
        data), ``target``, ``predicted`` and ``confidence``, the probability of the predicted class, or in a study of
        intervals the least of some levels whose interval holds the target (1: none does). Of label maps there
        is the first test row of each fold alone; of densities there is no target, and what is predicted is the
        log-density.
    data_sets : list of DataSet
        What the study ran on.

    Raises
    ------
    ValueError
        If a parameter is out of its range or a name is unknown; the message suggests the nearest one.

    Notes
    -----
    In fold ``i`` all models have the same seed, derived from `random_state` and ``i``, so that the differences between
    folds hold the luck of the start, too. All preprocessing (imputation, one-hot encoding, scaling for the models that
    need it) is fitted on the training rows of the fold.

    All models have a probability for each class of the data set, also where the training rows of a fold lack some:
    networks of sknn, alone, tuned or at the end of a pipeline, are told of these in ``fit``, and with other models they
    have probability 0. Nobody can learn such a class, so the comparison does not depend on who was told: in test rows
    that have it every model counts as wrong with the smallest probability (a log loss of 36 for the row), ROC AUC is
    missing, and `results` say so among the warnings.

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
        models: Any = None,
        cv: Any = 5,
        scoring: Any = None,
        tune: int = 0,
        n_jobs: int | None = None,
        random_state: int | None = 0,
        store: str | PathLike | None = None,
        *,
        repeats: int = 1,
        learning_curve: bool = False,
        quantiles: Sequence[float] | None = None,
        intervals: float | None = None,
        verbose: bool = False,
    ) -> None:
        if _is_integer(cv) and cv < 2:
            raise ValueError(f"cv={cv!r} is not a number of folds; it must be an integer of at least 2, or a splitter")
        if isinstance(cv, bool | float | str):
            raise ValueError(f"cv={cv!r} is neither an integer of at least 2 nor a scikit-learn splitter")
        if not _is_integer(repeats) or repeats < 1:
            raise ValueError(f"repeats={repeats!r} must be an integer of at least 1")
        if repeats > 1 and not _is_integer(cv):
            raise ValueError(f"repeats={repeats!r} needs a number of folds, but cv, {_brief(cv)}, splits by itself")
        if n_jobs is not None and (not _is_integer(n_jobs) or n_jobs == 0):
            raise ValueError(f"n_jobs={n_jobs!r} must be a number of processes, -1 for all cores, or None")
        if not _is_integer(tune) or tune < 0:
            raise ValueError(f"tune={tune!r} must be a number of configurations, or 0 for none")
        if random_state is not None and not (_is_integer(random_state) and 0 <= random_state <= LARGEST_SEED):
            raise ValueError(
                f"random_state={random_state!r} is not a seed; it must be an integer from 0 to {LARGEST_SEED}"
            )
        if quantiles is not None and not (len(quantiles) and all(0 < level < 1 for level in quantiles)):
            raise ValueError(f"quantiles={quantiles!r} must be numbers between 0 and 1, such as [0.05, 0.5, 0.95]")
        if intervals is not None and not 0 < intervals < 1:
            raise ValueError(f"intervals={intervals!r} must be a confidence between 0 and 1, such as 0.9")
        if intervals is not None and quantiles is not None:
            raise ValueError(f"quantiles={quantiles!r} and intervals={intervals!r} are two studies; give one of them")
        if verbose and find_spec("rich") is None:
            raise ImportError(f"verbose={verbose!r} needs rich: pip install 'sknn[study]', or leave it out")
        self.models = as_models(models, quantiles, intervals)
        self.cv = cv
        self.scoring = scoring
        self.tune = int(tune)
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store = store
        self.repeats = int(repeats)
        self.learning_curve = learning_curve
        self.quantiles = quantiles
        self.intervals = None if intervals is None else float(intervals)
        self.verbose = verbose
        self._measures = as_measures(scoring, self.intervals)

    def __getattr__(self, name: str) -> Any:
        if name in FOUND:
            raise AttributeError(f"{name} is there after run(X, y); call it first")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        models = ", ".join(model.name for model in self.models)
        ran = f"ran on {', '.join(data.name for data in self.data_sets)}" if hasattr(self, "data_sets") else "not run"
        return f"<Study of {models}: {ran}>"

    def run(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_shape: Any = None,
        task: str | None = None,
        classes: Any = None,
        drop_missing_target: bool = False,
        time_channel: int | None = None,
    ) -> "Study":
        """Fit and score every model in every fold; a model that fails is recorded and the study goes on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...), DataFrame, or dict of str to (X, y), (X, y, groups) or DataSet
            The inputs, or several data sets by name. A memory-mapped array is never held whole by the study.
        y : array-like of shape (n_samples,), or label maps, default=None
            Labels or numbers; or for each image (signal, volume) an array of integers, a label for each pixel, -1 where
            it is not known. Left out when X is a dict, and for the density of X.
        groups : array-like of shape (n_samples,), default=None
            What must not be divided between training and test rows: patients, nights, stars.
        sample_shape : tuple of int, default=None
            The shape of one image or signal where the rows of X are flattened ones: ``(8, 8)``.
        task : {"classification", "regression", "segmentation", "density"}, default=None
            Stated where it cannot be found from y: integers that are measurements, say; or that there is no y, but a
            density of X to be learnt.
        classes : array-like of shape (n_classes,), default=None
            All classes, where y lacks some, or some are so rare that the training rows of a fold may lack them. None:
            those in y, and of a pandas categorical y its unused categories.
        drop_missing_target : bool, default=False
            Whether to leave out rows whose target is missing, as of a table that is labelled in part; the notes of the
            data set say how many.
        time_channel : int, default=None
            Which channel of series holds the times of their steps, where these are not even: recurrent networks,
            transformers and statistics know what to make of them.

        Returns
        -------
        Study
            The study itself, with its results.

        Raises
        ------
        ValueError
            If X and y are no data set, no model suits it, or there are more folds than it can be divided into.
        StoreError
            If the store is damaged, or not one of sknn's; it is left as it is.
        """
        stated = {"groups": groups, "sample_shape": sample_shape, "task": task, "classes": classes}
        stated |= {"drop_missing_target": drop_missing_target, "time_channel": time_channel}
        data_sets = as_data_sets(X, y, **stated)
        for data in data_sets:
            for name in ("quantiles", "intervals"):
                self._check_of_numbers(name, data)
            if data.forecast is not None and self.repeats > 1:
                raise ValueError(
                    f"repeats={self.repeats!r} needs folds that are shuffled, but {data.name!r} goes by time"
                )
            _check_measures(self.measures_of(data), data)
        models_of = self._models_of(data_sets)
        seed = int(check_random_state(None).randint(2**31)) if self.random_state is None else int(self.random_state)
        cells = [(data, cell) for data in data_sets for cell in self._cells(data, models_of[data.name], seed)]
        outcomes = self._compute(cells)

        computed = [(data, cell, outcome) for (data, cell), outcome in zip(cells, outcomes, strict=True)]
        whole = [each for each in computed if each[1].is_whole]
        families = {model.name: model.family for model in self.models}
        results = results_frame(whole, families)
        learning_curves = results_frame(computed if self.learning_curve else [], families)
        predictions = predictions_frame(whole)
        self.data_sets, self.seed_ = data_sets, seed
        self.results, self.learning_curves, self.predictions = results, learning_curves, predictions
        return self

    def _check_of_numbers(self, name: str, data: DataSet) -> None:
        given = getattr(self, name)
        if given is not None and data.task != "regression":
            raise ValueError(f"{name}={given!r} are of numbers, but {data.name!r} is {data.task} data")
        if given is not None and data.forecast is not None:
            raise ValueError(f"{name}={given!r} were given, but {data.name!r} is to be forecast, by means")

    def _models_of(self, data_sets: list[DataSet]) -> dict[str, list[Model]]:
        models_of = {data.name: [model for model in self.models if not model.skips(data)] for data in data_sets}
        for model in self.models:
            if not model.by_default and not any(model in models for models in models_of.values()):
                raise ValueError(f"models: {model.name!r} cannot be fitted to {_reasons(model, data_sets)}")
        for data in data_sets:
            if not models_of[data.name]:
                raise ValueError(f"models: none of {[model.name for model in self.models]} fits {data.name!r}")
        return models_of

    def _cells(self, data: DataSet, models: list[Model], seed: int) -> list[Cell]:
        folds = folds_of(data, self.cv, self.repeats, seed)
        if self.tune:
            check_search(folds, data)
        # Fold by fold, not model by model: then the first fold already tells how long the others will take.
        return [
            self._cell(data, model, part, part is fold, seed)
            for fold in folds
            for part in (*self._parts(data, fold, seed), fold)
            for model in models
        ]

    def _parts(self, data: DataSet, fold: Fold, seed: int) -> list[Fold]:
        if not self.learning_curve:
            return []
        parts = growing(fold, data, is_by_time(self.cv, data), seed_of(seed, fold.number))
        return [Fold(fold.number, rows, fold.test) for rows in parts]

    def _cell(self, data: DataSet, model: Model, fold: Fold, is_whole: bool, seed: int) -> Cell:
        fold_seed = seed_of(seed, fold.number)
        return Cell(
            dataset=data.name,
            model=model.name,
            fold=fold,
            is_whole=is_whole,
            estimator=model.build(data, fold_seed),
            measures=self.measures_of(data),
            tune=self.tune,
            space=model.space(data, len(fold.train)) if self.tune else {},
            inner=inner_splitter(data, self.cv, fold_seed),
            seed=fold_seed,
            intervals=is_whole and self.intervals is not None,
        )

    def _compute(self, cells: list[tuple[DataSet, Cell]]) -> list[Outcome]:
        with ExitStack() as stack:
            store, keys = None, [f"{number}" for number in range(len(cells))]
            if self.store is not None:
                keys = [key_of(data, cell) for data, cell in cells]
                store = stack.enter_context(Store(self.store))
                check_room(store.path, sum(_bytes_of(*each) for each in cells))
            progress = stack.enter_context(_progress_bar()) if self.verbose else None
            return Run(cells, keys, store, self.n_jobs, progress).outcomes_in_order()

    def measures_of(self, data: DataSet) -> tuple[Measure, ...]:
        """Tell what is measured on a data set.

        Parameters
        ----------
        data : DataSet
            Its task decides where `scoring` is None.

        Returns
        -------
        tuple of Measure
            The first one decides which model is better.
        """
        if self._measures is None and data.task == "segmentation":
            return of_maps(data.labels)
        if self._measures is None and self.intervals is not None:
            return of_intervals(self.intervals)
        if self._measures or self.quantiles is None:
            return self._measures or (DEFAULTS[data.task] if data.forecast is None else FORECASTS)
        return QUANTILES if 0.5 in self.quantiles else QUANTILES[:-1]  # an absolute error is that of a median

    def summary(self) -> "DataFrame":
        """Mean and standard deviation of every measure over the folds.

        Returns
        -------
        DataFrame
            One row per data set and model, the best model of each data set first: ``dataset``, ``model``, ``family``,
            ``n_folds``, ``n_failed`` (folds in which the model failed, and which are missing in its means), and
            ``<measure>_mean`` and ``<measure>_std`` of the times, of ``n_parameters``, of ``pickle_bytes`` and of every
            score. The score that decides comes last, where pandas shows it however narrow the terminal is.

        Raises
        ------
        RuntimeError
            Before ``run``.
        """
        self._check_run()
        primary = {data.name: self.measures_of(data)[0] for data in self.data_sets}
        return summary_frame(self.results, primary)

    def compare(self, rope: float = 0.01) -> "DataFrame":
        """Compare all pairs of models on each data set, by the first measure.

        Parameters
        ----------
        rope : float, default=0.01
            The region of practical equivalence: a smaller difference does not matter. It is a difference of scores
            where these have no unit (accuracy, R²), and a share of their mean where they have (RMSE, log loss).

        Returns
        -------
        DataFrame
            One row per data set and pair, see `sknn.study.compare.compare_pairs`: ``model_a`` is better on average by
            ``difference``, from ``low`` to ``high``, with ``p_value`` and Holm's ``p_holm`` of the corrected resampled
            t-test, and the Bayesian probabilities ``p_a_better``, ``p_equivalent``, ``p_b_better``.

        Raises
        ------
        RuntimeError
            Before ``run``.
        """
        import pandas as pd

        self._check_run()
        return pd.concat(
            [compare_pairs(self._results_of(data), self.measures_of(data)[0], rope) for data in self.data_sets],
            ignore_index=True,
        )

    def ranks(self) -> Ranks:
        """Compare the models over several data sets, by the first measure.

        Returns
        -------
        Ranks
            Average ranks, Friedman's test, the critical difference, and Wilcoxon's test of all pairs.

        Raises
        ------
        RuntimeError
            Before ``run``.
        ValueError
            If there are fewer than two data sets, or these are measured differently.
        """
        self._check_run()
        measures = {self.measures_of(data)[0] for data in self.data_sets}
        if len(measures) > 1:
            names = sorted(measure.name for measure in measures)
            raise ValueError(f"the data sets are compared by {' and '.join(names)}: give one scoring for all")
        return ranks_of(self.results, measures.pop())

    def verdicts(self) -> dict[str, str]:
        """Say for each data set whether the best network beats the best baseline.

        Returns
        -------
        dict of str to str
            Two or three sentences by the name of the data set.

        Raises
        ------
        RuntimeError
            Before ``run``.
        """
        pairs = self.compare()
        titles = {model.name: model.title for model in self.models}
        families = {model.name: model.family for model in self.models}
        return {
            data.name: verdict(
                self._results_of(data),
                pairs[pairs["dataset"] == data.name],
                self.measures_of(data)[0],
                families,
                titles,
            )
            for data in self.data_sets
        }

    def best(self, dataset: str | None = None) -> Any:
        """Fit the best model anew, to all rows of a data set: what to go on with after the study.

        Parameters
        ----------
        dataset : str, default=None
            The name of the data set, if there are several.

        Returns
        -------
        estimator
            Of the models with a score in every fold, the one with the best mean of the first measure; with `tune`, its
            parameters are searched for once more. A scikit-learn estimator, fitted, with all preprocessing in it, that
            can be pickled. If X was a table, it takes tables, finds their columns by name and ignores others.

        Raises
        ------
        RuntimeError
            Before ``run``.
        ValueError
            If the data set is unknown, or no model went through all folds.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> Study(models=["logistic", "dummy"]).run(X, y).best().predict(X[:2]).tolist()
        [0, 0]
        """
        from .best import refitted

        return refitted(self, self.data_set(dataset))

    def data_set(self, name: str | None = None) -> DataSet:
        """Find one of the data sets that the study ran on.

        Parameters
        ----------
        name : str, default=None
            Its name, if there are several.

        Returns
        -------
        DataSet
            The data set.

        Raises
        ------
        RuntimeError
            Before ``run``.
        ValueError
            If there is none of that name; the message suggests the nearest one.
        """
        self._check_run()
        by_name = {data.name: data for data in self.data_sets}
        if name is None and len(by_name) > 1:
            raise ValueError(f"dataset=None, but the study has {len(by_name)}; give one of: {', '.join(by_name)}")
        return self.data_sets[0] if name is None else look_up("data set", name, by_name)

    def plot(self, kind: str = "scores", dataset: str | None = None, ax: "Axes | None" = None) -> "Axes":
        """Draw a figure; needs Matplotlib.

        Parameters
        ----------
        kind : str, default="scores"
            ``"scores"`` of the folds, score against ``"cost"``, ``"differences"`` from the best model,
            ``"calibration"``, ``"coverage"`` of intervals, ``"residuals"``, ``"log_densities"`` row by row, an
            ``"example"`` of label maps, ``"learning_curve"``, or average ``"ranks"`` over all data sets.
        dataset : str, default=None
            The name of the data set, if there are several; ``"ranks"`` needs none.
        ax : Axes, default=None
            Where to draw; None makes a figure, which does not show by itself.

        Returns
        -------
        Axes
            With the figure, ``axes.figure.savefig("scores.svg")`` writes it.

        Raises
        ------
        RuntimeError
            Before ``run``.
        ValueError
            If the kind or the data set is unknown, or the study has not what the figure shows.
        TypeError
            If `ax` is anything but one Axes.
        """
        from .figures import draw

        self._check_run()
        return draw(self, kind, dataset, ax)

    def report(self, path: str | PathLike) -> Path:
        """Write the report: one HTML page with the answer, tables and figures in it; needs Matplotlib.

        Parameters
        ----------
        path : str or path
            The file; in a directory, which exists or ends in a slash, it is called ``report.html``. Missing directories
            are made.

        Returns
        -------
        Path
            What was written.

        Raises
        ------
        RuntimeError
            Before ``run``.
        """
        from .files import write_report

        self._check_run()
        return write_report(self, path)

    def _results_of(self, data: DataSet) -> "DataFrame":
        return self.results[self.results["dataset"] == data.name]

    def _check_run(self) -> None:
        if not hasattr(self, "results"):
            raise RuntimeError("there are no results yet; call run(X, y) first")


def _brief(cv: Any) -> str:
    return shorten(repr(cv), 80, placeholder=" ...")


def _progress_bar() -> AbstractContextManager[Progress]:
    from rich.console import Console

    from .progress import show_progress

    return show_progress(Console(stderr=True))


def _bytes_of(data: DataSet, cell: Cell) -> int:
    """What the outcome of a cell takes in the store: a row, and two numbers for each prediction, or one label map."""
    n_numbers = data.y[cell.fold.test[0]].size if data.task == "segmentation" else 2 * len(cell.fold.test)
    return 2_000 + 8 * n_numbers


def _check_measures(measures: tuple[Measure, ...], data: DataSet) -> None:
    if measures[0].greater_is_better is None:
        raise ValueError(f"scoring: {measures[0].name!r} says of no model that it is better; put another measure first")
    for measure in measures:
        if measure.task not in (None, data.task):
            raise ValueError(f"scoring: {measure.name!r} is for {measure.task}, but {data.name!r} is {data.task} data")


def _reasons(model: Model, data_sets: list[DataSet]) -> str:
    return "; ".join(f"{data.name!r}: {model.skips(data)}" for data in data_sets)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
