"""From a study to its winner: the best model of a data set, fitted to all of its rows."""

from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.pipeline import make_pipeline

from .cell import seed_of
from .classes import fit_to_classes
from .compare import complete_scores
from .data import DataSet
from .folds import inner_splitter
from .same_columns import SameColumns
from .tune import best_configuration

if TYPE_CHECKING:
    from .model import Model
    from .study import Study


def winner(study: "Study", data: DataSet) -> "Model":
    """Name the best model of a data set.

    Parameters
    ----------
    study : Study
        After ``run``.
    data : DataSet
        One of its data sets.

    Returns
    -------
    Model
        Of the models with a finite score in every fold, the one with the best mean of the first measure.

    Raises
    ------
    ValueError
        If there is no such model.
    """
    measure = study.measures_of(data)[0]
    scores = complete_scores(study.results[study.results["dataset"] == data.name], measure)
    if not scores.shape[1]:
        raise ValueError(f"no model has a score for {measure.title} in every fold of {data.name!r}, so none is best")
    return next(model for model in study.models if model.name == scores.columns[0])


def refitted(study: "Study", data: DataSet) -> Any:
    """Fit the best model of a data set anew, to all of its rows, searching for its parameters again if they were tuned.

    Parameters
    ----------
    study : Study
        After ``run``.
    data : DataSet
        One of its data sets.

    Returns
    -------
    estimator
        Fitted, with all preprocessing in it, and a probability for each class of the data set; of a table it finds the
        columns by name, and values may be missing.
    """
    model = winner(study, data)
    seed = seed_of(study.seed_, int(study.results["fold"].max()) + 1)  # one more than those of the folds
    is_table, classes = isinstance(data.X, pd.DataFrame), data.labels if data.task == "classification" else None
    estimator = model.build(data, seed, gaps=is_table and data.task != "density")
    if study.tune and (space := model.space(data, data.n_samples)):
        inner, measure = inner_splitter(data, study.cv, seed), study.measures_of(data)[0]
        rows = (data.X, data.y, data.groups)
        chosen = best_configuration(estimator, space, study.tune, *rows, inner, measure, seed, classes)
        estimator = estimator.set_params(**chosen)
    if not is_table:
        return fit_to_classes(estimator, data.X, data.y, classes)
    columns = SameColumns(data.na_values, data.not_na).fit(data.X)
    return make_pipeline(columns, fit_to_classes(estimator, columns.transform(data.X), data.y, classes))
