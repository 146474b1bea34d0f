"""How a study was done: data, protocol, models and their parameters, versions and machine."""

import json
import os
import platform
import re
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

import sknn

from ..cell import seed_of
from ..data import DataSet
from ..folds import INNER_FOLDS, is_by_time
from ..maps import UNLABELLED, counts_of
from ..model import Model
from ..series import are_ragged, are_series
from ..spaces import describe
from .html import Markup, joined, tag
from .numbers import counted

if TYPE_CHECKING:
    from pandas import DataFrame

    from ..study import Study

LIBRARIES = {"scikit-learn": "scikit-learn", "numpy": "NumPy", "scipy": "SciPy", "pandas": "pandas"}
MOST_SEEDS = 10
AS_GIVEN = (
    "Logarithms in nats a row, of the data as given: where a model scales its inputs, the change of volume is counted, "
    "so that all models are told in the same units."
)


def facts(pairs: list[tuple[str, Any]]) -> Markup:
    """Write terms with what is to be said of each."""
    return tag("dl", *(joined(tag("dt", term), tag("dd", said)) for term, said in pairs))


# ------------------------------------------------------------------------------------------------------------ the data


def size_of(data: DataSet) -> str:
    """Say in a line how large a data set is.

    Examples
    --------
    >>> size_of(DataSet.from_arrays("toy", [[0.0], [1.0], [2.0]], ["no", "yes", "no"]))
    '3 rows, 1 column, 2 classes'
    """
    classes = [counted(len(data.labels), "class", "classes")] if data.has_labels else []
    groups = [] if data.groups is None else [counted(len(np.unique(data.groups)), "group")]
    shape = [] if data.sample_shape is None else [_shape(data)]
    columns = [] if shape else [counted(data.n_features, "column")]
    return ", ".join([counted(data.n_samples, "row"), *columns, *shape, *classes, *groups])


def _shape(data: DataSet) -> str:
    if not are_ragged(data.X):
        return f"samples of {' × '.join(map(str, data.sample_shape or ()))}"
    if not are_series(data.X):
        pixels = [image[..., 0].size for image in data.X]
        return f"images of {min(pixels):,} to {max(pixels):,} pixels with {counted(data.n_features, 'channel')}"
    lengths = [len(series) for series in data.X]
    return f"series of {min(lengths):,} to {max(lengths):,} steps with {counted(data.n_features, 'channel')}"


def data_facts(data: DataSet) -> Markup:
    """Write what a data set is.

    Parameters
    ----------
    data : DataSet
        The data set.

    Returns
    -------
    Markup
        A list.
    """
    return facts(
        [
            ("Task", data.task),
            ("Size", size_of(data)),
            ("Target", _target(data)) if data.task != "density" else ("Densities", AS_GIVEN),
            *([("Forecast", str(data.forecast))] if data.forecast is not None else []),
            ("Fingerprint", tag("code", data.fingerprint)),
        ]
    )


def _target(data: DataSet) -> str:
    if data.task == "regression":
        y = np.asarray(data.y, dtype=float)
        return f"mean {y.mean():.4g}, standard deviation {y.std():.4g}, from {y.min():.4g} to {y.max():.4g}"
    if data.task == "segmentation":
        counts_by_label = counts_of(data.y)
        n_pixels = sum(counts_by_label.values())
        shares = {label: f"{100 * count / n_pixels:.3g} %" for label, count in counts_by_label.items()}
        unknown = shares.pop(UNLABELLED, None)
        told = ", ".join(f"class {label} in {share} of the pixels" for label, share in shares.items())
        return told if unknown is None else f"{told}, no label in {unknown}"
    _, counts = np.unique(data.y, return_counts=True)
    if counts.min() == counts.max():
        return f"{counted(int(counts.min()), 'row')} of each class"
    return f"{counts.min():,} to {counts.max():,} rows of each class"


# -------------------------------------------------------------------------------------------------------- the protocol


def protocol_facts(study: "Study") -> Markup:
    """Write how the data were divided, and what was drawn from which seed.

    Parameters
    ----------
    study : Study
        After ``run``.

    Returns
    -------
    Markup
        A list.
    """
    n_folds = int(study.results["fold"].max()) + 1
    seeds = [seed_of(study.seed_, fold) for fold in range(min(n_folds, MOST_SEEDS))]
    more = "" if n_folds <= MOST_SEEDS else ", …"
    rows = study.results.groupby("dataset", sort=False)[["n_train", "n_test"]].mean().round().astype(int)
    sizes = "; ".join(
        f"{f'{name}: ' if len(rows) > 1 else ''}{train:,} to train on, {test:,} to test on"
        for name, (train, test) in zip(rows.index, rows.to_numpy(), strict=True)
    )
    return facts(
        [
            ("Folds", _folds(study, n_folds)),
            ("Rows per fold", sizes),
            ("Preprocessing", "All of it is fitted on the training rows of the fold alone."),
            ("Seed", f"{study.seed_}; in a fold all models have the same one: {', '.join(map(str, seeds))}{more}"),
            ("Tuning", _tuning(study)),
            ("Times", f"In seconds, each model on one thread; {_jobs(study)}."),
        ]
    )


def _folds(study: "Study", n_folds: int) -> str:
    if any(data.forecast is not None for data in study.data_sets):
        return (
            f"{counted(n_folds, 'fold')}, the same for every model: each trains on all steps up to some moment and "
            "forecasts those that follow, block by block, with all steps in front of a block known"
        )
    if isinstance(study.cv, int | np.integer):
        labels = any(data.task == "classification" for data in study.data_sets)
        groups = any(data.groups is not None for data in study.data_sets)
        kind = f"shuffled{', stratified by class' if labels else ''}{', no group divided' if groups else ''}"
        times = f", {study.repeats} times" if study.repeats > 1 else ""
        return f"{study.cv}-fold cross-validation{times}, {kind}; the same folds for every model"
    if isinstance(study.cv, list | tuple):
        return f"{counted(n_folds, 'split')} given as row numbers; the same for every model"
    by_time = ", later rows are never trained on" if is_by_time(study.cv, study.data_sets[0]) else ""
    return f"{_shown(study.cv)}{by_time}; the same {counted(n_folds, 'fold')} for every model"


def _tuning(study: "Study") -> str:
    if not study.tune:
        return "None: every model has the parameters listed below."
    return (
        f"Every model with a search space tried {counted(study.tune, 'random configuration')} in an inner "
        f"cross-validation of {INNER_FOLDS} folds of the training rows."
    )


def _jobs(study: "Study") -> str:
    return "one at a time" if study.n_jobs in (None, 1) else f"n_jobs={study.n_jobs}"


# ---------------------------------------------------------------------------------------------------------- the models


def model_details(study: "Study", data: DataSet, model: Model) -> Markup:
    """Write the parameters of a model on a data set, and where and what a search has found.

    Parameters
    ----------
    study : Study
        After ``run``.
    data : DataSet
        One of its data sets.
    model : Model
        One of those that took part there.

    Returns
    -------
    Markup
        Folded up.
    """
    parts: list[Markup] = [tag("pre", _shown(model.build(data, None)))]
    if study.tune:
        space = model.space(data)
        parts += [tag("h4", "Search space"), tag("pre", describe(space) if space else "nothing to tune")]
        rows = study.results[(study.results["dataset"] == data.name) & (study.results["model"] == model.name)]
        if rows["params"].notna().any():
            parts += [tag("h4", "Chosen in each fold"), tag("pre", _choices(rows))]
    return tag("details", tag("summary", f"{model.title} ({model.family})"), *parts)


def _choices(rows: "DataFrame") -> str:
    lines = []
    for fold, params in zip(rows["fold"], rows["params"], strict=True):
        if isinstance(params, str):
            chosen = ", ".join(f"{name}={_rounded(value)}" for name, value in json.loads(params).items())
            lines.append(f"fold {fold + 1}: {chosen}")
    return "\n".join(lines)


def _rounded(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _shown(thing: Any) -> str:
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(thing))  # addresses differ from run to run


# ---------------------------------------------------------------------------------------------- versions and machine


def environment_facts(now: datetime) -> Markup:
    """Write what the report was made with.

    Parameters
    ----------
    now : datetime
        With its time zone.

    Returns
    -------
    Markup
        A list.
    """
    libraries = [f"{title} {version(name)}" for name, title in LIBRARIES.items()]
    return facts(
        [
            ("Software", ", ".join([f"Python {platform.python_version()}", f"sknn {sknn.__version__}", *libraries])),
            ("Machine", f"{platform.system()} {platform.machine()}, {counted(os.cpu_count() or 1, 'CPU')}"),
            ("Report of", tag("time", f"{now:%d %B %Y, %H:%M %Z}".lstrip("0"), datetime=now.isoformat("T", "seconds"))),
        ]
    )
