"""The tables of a study: results, predictions and the summary."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sknn.series import ragged

from .cell import Cell
from .data import DataSet
from .measures import Measure
from .outcome import Outcome

if TYPE_CHECKING:
    from pandas import DataFrame

Computed = tuple[DataSet, Cell, Outcome]

WHERE = ("dataset", "model", "family", "fold")
TIMES = ("fit_time", "tune_time", "predict_time")
TEXTS = ("parameter_unit", "params", "warnings", "error")
PREDICTIONS = ("dataset", "model", "fold", "sample", "target", "predicted", "confidence")


def results_frame(computed: Sequence[Computed], families: Mapping[str, str]) -> "DataFrame":
    """Write the outcomes of cells in rows, by data set, model, fold and size of the training set.

    Parameters
    ----------
    computed : sequence of (DataSet, Cell, Outcome)
        In the order of computation.
    families : mapping of str to str
        "network" or "baseline" by model name.

    Returns
    -------
    DataFrame
        The columns of ``Study.results``.
    """
    import pandas as pd

    scores = list(dict.fromkeys(measure.name for _, cell, _ in computed for measure in cell.measures))
    size = ["n_parameters", "parameter_unit", "pickle_bytes"]
    columns = [*WHERE, "n_train", "n_test", *scores, *TIMES, *size, "params", "warnings", "error"]
    rows = [
        {
            "dataset": cell.dataset,
            "model": cell.model,
            "family": families[cell.model],
            "fold": cell.fold.number,
            **outcome.row,
        }
        for _, cell, outcome in _by_model(computed)
    ]
    types = dict.fromkeys([*scores, *TIMES, "n_parameters", "pickle_bytes"], "float") | dict.fromkeys(TEXTS, "string")
    return pd.DataFrame(rows, columns=columns).astype(types)


def _by_model(computed: Sequence[Computed]) -> list[Computed]:
    place: dict[tuple[str, str], int] = {}
    for _, cell, _ in computed:
        place.setdefault((cell.dataset, cell.model), len(place))
    data_sets = list(dict.fromkeys(cell.dataset for _, cell, _ in computed))
    return sorted(
        computed,
        key=lambda each: (
            data_sets.index(each[1].dataset),
            place[each[1].dataset, each[1].model],
            each[1].fold.number,
            len(each[1].fold.train),
        ),
    )


def predictions_frame(computed: Sequence[Computed]) -> "DataFrame":
    """List what was predicted for every test row; failed cells have no rows.

    Parameters
    ----------
    computed : sequence of (DataSet, Cell, Outcome)
        The outcomes.

    Returns
    -------
    DataFrame
        The columns of ``Study.predictions``.
    """
    import pandas as pd

    parts = [_predictions(*each) for each in _by_model(computed) if each[2].arrays]
    if not parts:
        return pd.DataFrame(columns=list(PREDICTIONS))
    return pd.concat(parts, ignore_index=True)


def _predictions(data: DataSet, cell: Cell, outcome: Outcome) -> "DataFrame":
    import pandas as pd

    predicted = outcome.arrays["predicted"]
    if data.task == "segmentation":
        return _example(data, cell, predicted)
    return pd.DataFrame(
        {
            "dataset": cell.dataset,
            "model": cell.model,
            "fold": cell.fold.number,
            "sample": cell.fold.test,
            "target": data.y[cell.fold.test],
            "predicted": data.labels[predicted] if data.task == "classification" else predicted,
            "confidence": outcome.arrays.get("confidence", np.full(len(predicted), np.nan)),
        },
        columns=list(PREDICTIONS),
    )


def _example(data: DataSet, cell: Cell, predicted: np.ndarray) -> "DataFrame":
    import pandas as pd

    where = {"dataset": cell.dataset, "model": cell.model, "fold": cell.fold.number, "sample": cell.fold.test[:1]}
    maps = {"target": ragged([data.y[cell.fold.test[0]]]), "predicted": ragged([predicted]), "confidence": [np.nan]}
    return pd.DataFrame(where | maps, columns=list(PREDICTIONS))


def summary_frame(results: "DataFrame", primary: Mapping[str, Measure]) -> "DataFrame":
    """Average the results over the folds.

    Parameters
    ----------
    results : DataFrame
        The columns of ``Study.results``.
    primary : mapping of str to Measure
        By the name of the data set, the measure whose best model comes first.

    Returns
    -------
    DataFrame
        The columns of ``Study.summary``. A mean over fewer folds is not comparable: models that failed anywhere come
        last.
    """
    groups = results.groupby(["dataset", "model", "family"], sort=False)
    summary = groups.size().rename("n_folds").to_frame()
    summary["n_failed"] = groups["error"].count()
    for measure in _averaged(results, [measure.name for measure in primary.values()]):
        summary[f"{measure}_mean"] = groups[measure].mean()
        summary[f"{measure}_std"] = groups[measure].std()
    summary = summary.reset_index()
    order = summary.assign(
        at=summary.groupby("dataset", sort=False).ngroup(),
        failed=summary["n_failed"] > 0,
        loss=[_loss(row, primary[row["dataset"]]) for row in summary.to_dict("records")],
    ).sort_values(["at", "failed", "loss"], kind="stable")
    return summary.loc[order.index].reset_index(drop=True)


def _averaged(results: "DataFrame", primary: Sequence[str]) -> list[str]:
    """Scores come last, and those that decide last of all: pandas leaves out the middle of a wide table."""
    others = {*WHERE, "n_train", "n_test", *TEXTS}
    averaged = [column for column in results.columns if column not in others]
    costs = (*TIMES, "n_parameters", "pickle_bytes")
    return sorted(averaged, key=lambda column: (column not in costs, column in primary))


def _loss(row: Mapping, measure: Measure) -> float:
    mean = row[f"{measure.name}_mean"]
    if not np.isfinite(mean):
        return np.nan  # comes last: it cannot be compared
    return -mean if measure.greater_is_better else mean
