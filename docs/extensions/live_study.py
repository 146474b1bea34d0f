"""A study that is run when the site is built: its report and its figure of scores are today's, and pages link to them.

The store is kept between builds, so that what has not changed is not computed again.
"""

from pathlib import Path

from sklearn.datasets import load_digits

from sknn.study import Study

FOLDER = "_live"  # what is in it comes beside the pages, through html_extra_path


def write(app, config) -> None:
    """The report and the figure, before Sphinx looks for what to copy."""
    folder = Path(app.srcdir, FOLDER, "study")
    folder.mkdir(parents=True, exist_ok=True)
    study = Study(store=Path(app.doctreedir, "study.sqlite"), n_jobs=2)
    study.run({"digits": load_digits(return_X_y=True)})
    study.report(folder / "digits.html")
    study.plot("scores", "digits").figure.savefig(folder / "scores.svg")


def setup(app):
    app.connect("config-inited", write)
    return {"parallel_read_safe": True}
