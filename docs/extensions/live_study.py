"""A study that is run when the site is built: its report and its figure are today's, and pages show them.

The store is kept between builds, so that what has not changed is not computed again.
"""

from pathlib import Path

from sknn.study import Study
from sknn.study.figures.style import DARK
from sknn.study.load import load

FOLDER = "_live"  # what is in it comes beside the pages, through html_extra_path


def write(app, config) -> None:
    """The report and the figure, before Sphinx looks for what to copy."""
    folder = Path(app.srcdir, FOLDER, "study")
    folder.mkdir(parents=True, exist_ok=True)
    store = Path(app.doctreedir, "study.sqlite")
    store.parent.mkdir(parents=True, exist_ok=True)
    study = Study(store=store, n_jobs=2).run(load("digits"))
    study.report(folder / "digits.html")
    light = folder / "scores.svg"
    study.plot("scores", "digits").figure.savefig(light)
    dark = light.read_text("utf-8")
    for colour, other in DARK.items():
        dark = dark.replace(colour, other)
    light.with_name("scores-dark.svg").write_text(dark, "utf-8")


def setup(app):
    app.connect("config-inited", write)
    return {"parallel_read_safe": True}
