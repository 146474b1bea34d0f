"""The files of a study: tables, figures and the report."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .figures import draw_all
from .figures.style import any_letters
from .output import FIGURES, REPORT, write_whole
from .page import page
from .page.svg import svg_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .study import Study

LONGEST_NAME = 60


def write_report(study: "Study", path: str | os.PathLike) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        After ``run``.
    path : str or path
        The file; in a directory, which exists or ends in a slash, it is called ``report.html``. Directories that are
        missing are made.

    Returns
    -------
    Path
        What was written.
    """
    return write_whole(_report_path(path), page(study, draw_all(study)))


def write_all(study: "Study", folder: str | os.PathLike, figures: bool = True) -> Path:
    """Write the tables, the figures and the report of a study.

    Parameters
    ----------
    study : Study
        After ``run``.
    folder : str or path
        Made if it is missing. It gets ``results.csv``, ``summary.csv``, ``learning_curves.csv`` (if there are any),
        ``figures/`` with each figure as PNG and SVG, named by data set and kind, and ``report.html``. What is there
        by these names is replaced.
    figures : bool, default=True
        Whether to draw any, also in the report.

    Returns
    -------
    Path
        Of the report.
    """
    folder = Path(folder)
    tables = {"results": study.results, "summary": study.summary(), "learning_curves": study.learning_curves}
    for name, frame in tables.items():
        if name != "learning_curves" or len(frame):
            write_whole(folder / f"{name}.csv", frame.to_csv(index=False))
    drawn = draw_all(study) if figures else {}
    _write_figures(drawn, folder / FIGURES, file_names(data.name for data in study.data_sets))
    return write_whole(folder / REPORT, page(study, drawn))


def _write_figures(drawn: "Mapping[tuple[str | None, str], Axes]", folder: Path, names: Mapping[str, str]) -> None:
    for (data, kind), axes in drawn.items():
        name = kind if data is None else f"{names[data]}_{kind}"
        write_whole(folder / f"{name}.svg", svg_text(axes))
        with any_letters():
            write_whole(folder / f"{name}.png", partial(_save, axes))


def _save(axes: "Axes", path: Path) -> None:
    axes.figure.canvas.figure.savefig(path, format="png", dpi=200, metadata={"Software": None})


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Turn names of data sets into names of files: letters, digits, dots, hyphens and underscores, each name once.

    Parameters
    ----------
    names : iterable of str
        Whatever users call their data.

    Returns
    -------
    dict of str to str
        The file name of each, without an ending.

    Examples
    --------
    >>> file_names(["iris", "Iris", "../wine & beer"])
    {'iris': 'iris', 'Iris': 'Iris_2', '../wine & beer': 'wine_beer'}
    """
    safe: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9.-]+", "_", name).strip("._-")[:LONGEST_NAME] or "data"
        number, free = 1, stem
        while free.lower() in taken:  # there are file systems to which upper and lower case are the same
            number += 1
            free = f"{stem}_{number}"
        taken.add(free.lower())
        safe[name] = free
    return safe


def _report_path(path: str | os.PathLike) -> Path:
    is_folder = os.fspath(path).endswith(("/", os.sep)) or os.path.isdir(path)
    return Path(path) / REPORT if is_folder else Path(path)
