"""A study that is run when the site is built: its report and its figure are today's, and pages show them.

The store is kept between builds, so that what has not changed is not computed again.
"""

import re
from pathlib import Path

from sknn.study import Study
from sknn.study.figures.style import DARK
from sknn.study.load import load
from sknn.study.page.svg import svg_text

FOLDER = "_live"  # what is in it comes beside the pages, through html_extra_path


def write(app, config) -> None:
    """The report and the figure, before Sphinx looks for what to copy."""
    folder = Path(app.srcdir, FOLDER, "study")
    folder.mkdir(parents=True, exist_ok=True)
    store = Path(app.doctreedir, "study.sqlite")
    store.parent.mkdir(parents=True, exist_ok=True)
    study = Study(store=store, n_jobs=2).run(load("digits"))
    study.report(folder / "digits.html")
    light = svg_text(study.plot("scores", "digits"))
    dark = re.sub("|".join(DARK), lambda match: DARK[match[0]], light)
    (folder / "scores.svg").write_text(light, "utf-8")
    (folder / "scores-dark.svg").write_text(dark, "utf-8")


def setup(app):
    app.connect("config-inited", write)
    return {"parallel_read_safe": True}
