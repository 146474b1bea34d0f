"""The command line: ``sknn study DATA``."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from sknn import __version__

from .load import LOADERS, load
from .models import CLASSIFIERS
from .study import Study

WRONG_USAGE = 2
OPTIONS = {"cv=": "--folds ", "random_state=": "--seed "}  # what errors call the arguments, and what the user typed


def build_parser() -> ArgumentParser:
    """Describe the command line.

    Returns
    -------
    ArgumentParser
        Its arguments carry the function that does the work as ``run``.

    Examples
    --------
    >>> build_parser().parse_args(["study", "iris", "--folds", "3"]).folds
    3
    """
    parser = ArgumentParser("sknn", description="Neural networks that behave like any other scikit-learn estimator.")
    parser.add_argument("--version", action="version", version=f"sknn {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    study = commands.add_parser(
        "study",
        help="compare networks with classical models on a data set",
        description="Compare networks with classical models: cross-validate all of them on\n"
        "the same folds of a data set, and print accuracy, log loss, times and sizes,\n"
        "the most accurate model first.",
        epilog=_choices(),
        formatter_class=RawDescriptionHelpFormatter,
    )
    study.add_argument("data", metavar="DATA", help="name of a data set, see below")
    study.add_argument("--folds", type=int, default=5, metavar="N", help="number of folds (default: 5)")
    study.add_argument("--seed", type=int, default=0, metavar="N", help="seed of folds and models (default: 0)")
    study.add_argument("--models", nargs="+", metavar="MODEL", help="which models, see below (default: all)")
    study.set_defaults(run=run_study)
    return parser


def _choices() -> str:
    models = "\n".join(
        f"  {name:15}{model.family:10}{type(model.factory(0)).__name__}" for name, model in CLASSIFIERS.items()
    )
    example = "sknn study digits --models mlp logistic"
    return f"data sets:\n  {', '.join(LOADERS)}\n\nmodels:\n{models}\n\nexample:\n  {example}"


def run_study(arguments: Namespace) -> int:
    """Run the study that the command line asks for and print its report.

    Parameters
    ----------
    arguments : Namespace
        ``data``, ``folds``, ``seed`` and ``models``.

    Returns
    -------
    int
        The exit code: 0, 1 if a model failed in some fold, or 2 if an argument is wrong.
    """
    from rich.console import Console

    from .progress import show_progress
    from .report import show
    from .table import NARROWEST

    try:
        data = load(arguments.data)
        study = Study(arguments.models, cv=arguments.folds, random_state=arguments.seed)
        with show_progress(Console(stderr=True)) as progress:
            study.run({data.name: (data.X, data.y)}, progress=progress)
    except ValueError as error:
        print(f"sknn study: {_as_typed(str(error))}", file=sys.stderr)
        return WRONG_USAGE
    console = Console()
    console.width = max(console.width, NARROWEST)
    show(study, data, console)
    return int(study.results["error"].notna().any())


def _as_typed(message: str) -> str:
    for argument, option in OPTIONS.items():
        message = message.replace(argument, option)
    return message
