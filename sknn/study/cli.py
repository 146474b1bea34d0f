"""The command line: ``sknn study DATA...`` and ``sknn predict MODEL DATA``."""

import os
import re
import signal
import sys
import warnings
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import joblib
from sklearn.model_selection import TimeSeriesSplit

from sknn import __version__

from .best import winner
from .data import DataSet
from .load import LOADERS, load, load_inputs
from .maps import is_segmenter
from .measures import DEFAULTS as MEASURES
from .measures import FORECASTS
from .measures import of_intervals as measures_of_intervals
from .model import Model
from .models import ALL, of_intervals
from .names import listed
from .numbers import rows
from .output import REPORT, check_file, check_files, check_room, write_whole
from .predict import predictions, read_model, reading_of, what_is_missing
from .readers import ENDINGS
from .readers.images import image_files, write_map
from .store import StoreError
from .study import Study
from .targets import TASKS

if TYPE_CHECKING:
    from rich.console import Console

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
WIDTH = 80
NEEDED = ("rich", "matplotlib")  # by the terminal and the report; the extra `study` brings them
STORE = "study.sqlite"
ROOM_FOR_REPORT = 2_000_000  # bytes that the tables, figures and the page may take for a data set
MOST_NAMES = 4  # of data sets in the name of the folder
# What errors call the arguments, and what the user typed.
TYPED = {"random_state": "--seed", "sample_shape": "--shape", "order": "--order-by", "na_values": "--na"}
TYPED |= {"horizon": "--forecast"}
TYPED |= {"not_na": "--not-na", "drop_missing_target": "--drop-missing-target", "time_channel": "--time-channel"}
READING = "classes|features|drop|drop_missing_target|time_channel|sep|encoding|comment|na_values|not_na|images|masks"
AHEAD = "forecast|horizon|window|season|known"
ARGUMENT = re.compile(
    rf"\b(cv|repeats|quantiles|intervals|scoring|tune|target|task|groups|random_state|sample_shape|order|{READING}|{AHEAD})="
)
IN_PYTHON = re.compile(rf" \((?:task|forecast|season|{READING})=[^()]*\)")  # beside what is to be typed
NEGATIVE = re.compile(r"-(inf|nan|[\d.]+(e[+-]?\d+)?)$", re.IGNORECASE)  # values; to argparse -1e30 is an option
SHAPE = re.compile(r"(?<=--shape )\((\d+(?:, \d+)*),?\)")

DESCRIPTION = """\
Compare neural networks with classical models: cross-validate all of them on the
same folds, and say whether the difference is more than luck. Scores, times and
sizes are printed, and with figures and tests they stand in DIR/report.html.

Every finished fit is kept in DIR/study.sqlite. Interrupted or killed, the same
command continues where it was; finished, it only writes the report again."""

PREDICT = """\
Predict for every row of DATA with the model that `sknn study --keep` kept, or
that joblib or sknn.save wrote. Columns are found by their names, and others are
ignored; where there was text when the model learnt, 007 is text again, not 7.
Beside each prediction stand the probabilities of the classes, or the quantiles
if the model predicts these, or with --intervals the ends of intervals, if it
knows how sure it is; other models of numbers tell nothing of that. Of a
density there is the log-density of each row. A model of label maps writes one
for each image, under the name of that, into a folder.

A file of joblib can run any code when it is opened: open your own alone."""

EXAMPLES = """\
examples:
  sknn study digits
  sknn study birds.csv --target species --models defaults ExtraTreesClassifier
  sknn study iris wine breast_cancer --repeats 10 --out three-sets
  sknn study houses.parquet --target price --tune 20 --scoring rmse r2
  sknn study faces.npz --shape 64x64 --models cnn random_forest --learning-curve
  sknn study openml:61 --n-jobs 4
  sknn study houses.csv --target price --quantiles 0.05 0.5 0.95
  sknn study houses.csv --target price --intervals 0.9
  sknn study grid.csv --target load --order-by time --forecast 24 --season 168
  sknn study birds.csv --target species --images photographs
  sknn study cells --masks cell-maps --models otsu pixel_forest
  sknn study stars.csv --task density --drop name
  sknn study birds.csv --target species --keep best.joblib
  sknn predict best.joblib new-birds.csv"""


def build_parser() -> ArgumentParser:
    """Describe the command line.

    Returns
    -------
    ArgumentParser
        Its arguments carry the function that does the work as ``run``.

    Examples
    --------
    >>> build_parser().parse_args(["study", "iris", "--cv", "3"]).cv
    3
    """
    parser = ArgumentParser(
        "sknn",
        description="Neural networks that behave like any other scikit-learn estimator.",
        formatter_class=_formatter,
    )
    parser.add_argument("--version", action="version", version=f"sknn {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    study = commands.add_parser(
        "study",
        help="compare networks with classical models on data sets",
        usage="sknn study DATA... [options]",
        description=DESCRIPTION,
        epilog=f"{_models()}\n\n{_measures()}\n\n{EXAMPLES}",
        formatter_class=_formatter,
        add_help=False,  # it stands with the options for running
    )
    _add_data(study)
    _add_protocol(study)
    _add_running(study)
    study.set_defaults(run=run_study)
    predict = commands.add_parser(
        "predict",
        help="predict for new data with the model that a study kept",
        usage="sknn predict MODEL DATA [options]",
        description=PREDICT,
        formatter_class=_formatter,
        add_help=False,
    )
    _add_predicting(predict)
    predict.set_defaults(run=run_predict)
    for each in (study, predict):
        each._negative_number_matcher = NEGATIVE
    return parser


def _formatter(prog: str, **options: Any) -> RawDescriptionHelpFormatter:
    return RawDescriptionHelpFormatter(prog, **{"max_help_position": 24, "width": WIDTH - 1, **options})


def _add_data(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the data")
    add = group.add_argument
    add(
        "data",
        nargs="+",
        metavar="DATA",
        help=f"one or several data sets: a built-in one ({', '.join(LOADERS)}), a file of a table or of arrays "
        f"({ENDINGS}; stars.fits[2] is one extension of several), a folder with a table for each curve and labels.csv, "
        "a folder of images with labels.csv or label maps, or openml:ID",
    )
    add(
        "--target",
        metavar="COLUMN",
        help="what to predict, the same in all files; tables need it, but for --task density",
    )
    add("--groups", metavar="COLUMN", help="rows of one group are never divided between training and test")
    add("--classes", nargs="+", metavar="CLASS", help="all classes, where the file or a fold may lack some")
    add("--task", choices=TASKS, metavar="TASK", help=f"{', '.join(TASKS)} (default: found from the target)")
    add("--images", metavar="FOLDER", help="where the images are that a column of the table DATA names: the inputs")
    add(
        "--masks",
        metavar="FOLDER",
        help="where the label maps of the images in the folder DATA are, under the same names (default: beside the "
        "images, as NAME_mask.png)",
    )
    add(
        "--shape",
        type=_shape,
        metavar="HxW[xC]",
        help="the shape of an image, or LxC of a signal (default: found from the data)",
    )
    add(
        "--time-channel",
        metavar="CHANNEL",
        help="the channel of series that holds the times of their steps: its number from 0, or in a folder the name of "
        "a column of the curves (default: found where the file says it, or a column is called time, date or mjd)",
    )
    add("--features", nargs="+", metavar="COLUMN", default=(), help="the inputs (default: all other columns)")
    add("--drop", nargs="+", metavar="COLUMN", default=(), help="columns to be left out, such as identifiers")
    add("--drop-missing-target", action="store_true", help="leave out the rows whose target is missing")
    _add_reading(group)


def _add_reading(group: Any) -> None:
    add = group.add_argument
    add("--na", nargs="+", metavar="WORD", default=(), help="more words and numbers that mean missing, such as -999")
    add("--not-na", nargs="+", metavar="WORD", default=(), help="words that are labels, such as None or NA")
    add("--sep", metavar="CHAR", help="what separates the columns of a text, or tab or space (default: found)")
    add("--encoding", metavar="NAME", help="of a text, such as latin-1 (default: utf-8, or found)")
    add("--comment", metavar="START", help="what lines of a text to be left out begin with (default: #)")


def _add_predicting(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("what to predict")
    add = group.add_argument
    add("model", type=Path, metavar="MODEL", help="the file of the model")
    add("data", metavar="DATA", help="the file of the new data, of any kind that `sknn study` reads")
    _add_reading(group)
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help="the table of predictions, or the folder of label maps (default: the name of DATA with -predictions.csv, "
        "or without the ending for the folder)",
    )
    add(
        "--intervals",
        type=float,
        metavar="C",
        help="beside each number the ends of the interval that holds it with a probability of C, such as 0.9",
    )
    add("-h", "--help", action="help", help="show this text and exit")


def _add_protocol(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("the comparison")
    add = group.add_argument
    add("--models", nargs="+", metavar="MODEL", help="which models, see below (default: defaults)")
    add("--cv", type=int, default=5, metavar="K", help="number of folds (default: 5)")
    add("--repeats", type=int, default=1, metavar="N", help="shuffle and divide anew so often (default: 1)")
    add(
        "--time-order",
        action="store_true",
        help="the rows are in the order of time: train on the past, test on what follows, in K steps",
    )
    add("--order-by", metavar="COLUMN", help="the same, after sorting by this column of numbers or dates")
    add(
        "--forecast",
        type=_steps,
        metavar="STEPS",
        help="the rows are the steps of one series, in the order of time or of --order-by: forecast so many steps of "
        "the target at once, from the rows before; train on the past, test on what follows, in K steps",
    )
    add("--window", type=_steps, metavar="STEPS", help="how many rows a forecast sees (default: 4 x --forecast)")
    add("--season", type=_steps, metavar="STEPS", help="how many rows a season has, for the forecast that repeats it")
    add("--known", nargs="+", metavar="COLUMN", default=(), help="columns that are known before a forecast is made")
    add("--scoring", nargs="+", metavar="NAME", help="what to measure, see below; the first one decides")
    add(
        "--tune",
        type=int,
        default=0,
        metavar="N",
        help="let every model try N random configurations in an inner cross-validation (default: 0, none)",
    )
    add(
        "--quantiles",
        nargs="+",
        type=float,
        metavar="Q",
        help="predict these quantiles of numbers, such as 0.05 0.5 0.95, instead of their mean",
    )
    add(
        "--intervals",
        type=float,
        metavar="C",
        help="compare intervals that hold numbers with a probability of C, such as 0.9: models that know how sure they "
        "are",
    )
    add("--learning-curve", action="store_true", help="train on 1/16, 1/8, 1/4 and 1/2 of the rows, too")
    add("--seed", type=int, default=0, metavar="N", help="seed of folds, models and searches (default: 0)")


def _add_running(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("running")
    add = group.add_argument
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder where all of it is kept (default: sknn- and the names of the data sets, as in sknn-digits)",
    )
    add(
        "--n-jobs",
        type=_n_jobs,
        default=-1,
        metavar="N",
        help="how many models to fit at a time, each on one thread (default: -1, one on every core)",
    )
    add(
        "--keep",
        type=Path,
        metavar="FILE",
        help="fit the best model to all rows and keep it in this file, for `sknn predict FILE`",
    )
    add("--no-figures", action="store_true", help="draw no figures, which takes some seconds")
    add("-h", "--help", action="help", help="show this text and exit")


def _shape(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*){0,3}", text):
        raise ArgumentTypeError(f"{text!r} is not a shape such as 28x28 or 64x64x3")
    return tuple(map(int, text.split("x")))


def _steps(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise ArgumentTypeError(f"{text!r} is not a number of steps")
    return int(text)


def _n_jobs(text: str) -> int:
    if not re.fullmatch(r"-?[1-9]\d*", text):
        raise ArgumentTypeError(f"{text!r} is not a number of models at a time, or -1 for all cores")
    return int(text)


def _models() -> str:
    rows = [f"  {model.name:24}{model.family:10}{model.title}{_for_what(model)}" for model in ALL.values()]
    others = "  and any classifier or regressor of scikit-learn by the name of its class"
    sure = fill(
        f"with --intervals: {', '.join(of_intervals(0.9))}",
        WIDTH - 1,
        initial_indent=2 * " ",
        subsequent_indent=4 * " ",
    )
    return "\n".join(["models (defaults: those that suit the data):", *rows, others, sure])


def _for_what(model: Model) -> str:
    return f" ({', '.join(model.limits)})" if model.limits else ""


def _measures() -> str:
    kinds = {task: MEASURES[task] for task in TASKS} | {"forecasts": FORECASTS, "intervals": measures_of_intervals(0.9)}
    rows = [f"  {kind:16}{', '.join(measure.name for measure in of_kind)}" for kind, of_kind in kinds.items()]
    return "\n".join(
        ["measures (default: all of the task):", *rows, "  and scorers of scikit-learn: f1_macro, neg_max_error"]
    )


def run_study(arguments: Namespace) -> int:
    """Run the study that the command line asks for, print what it found, and write the report.

    Parameters
    ----------
    arguments : Namespace
        From the parser.

    Returns
    -------
    int
        The exit code: 0, 1 if a model failed in some fold or the report cannot be kept, 2 if an argument is wrong, or
        130 after Ctrl-C.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return _stop(FAILED, f"{' and '.join(missing)} must be installed: pip install 'sknn[study]'")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that workers end, and leases are given back
    try:
        study = _study(arguments)  # first: to read large data only to refuse the name of a model would be a pity
        data_sets = _load_all(arguments)
        folder = arguments.out or Path("-".join(["sknn", *_names_in_folder(data_sets)]))
        if arguments.keep is not None:
            _check_keep(arguments.keep, data_sets)
        return _run_in(folder, study, data_sets, arguments.keep, not arguments.no_figures)
    except ValueError as error:
        return _stop(WRONG_USAGE, _as_typed(str(error)))
    except (StoreError, OSError) as error:
        return _stop(FAILED, str(error))
    except KeyboardInterrupt:
        return _stop(INTERRUPTED, "interrupted; every finished fit is kept, and the same command continues")


def _check_keep(path: Path, data_sets: dict[str, DataSet]) -> None:
    if len(data_sets) > 1:
        raise ValueError(f"--keep {path} is for the best model of one data set, but there are {len(data_sets)}")
    check_file(path)


def run_predict(arguments: Namespace) -> int:
    """Predict for new data, and write the predictions.

    Parameters
    ----------
    arguments : Namespace
        From the parser.

    Returns
    -------
    int
        The exit code: 0, 1 if a file cannot be written, or 2 if the model or the data cannot be read or do not go
        together.
    """
    reading = {name: getattr(arguments, name) for name in ("sep", "encoding", "comment", "not_na")}
    name = f"{re.split(r'[.]', Path(arguments.data).name)[0]}-predictions"
    try:
        with _warnings_in_lines("predict"):
            model = read_model(arguments.model)
            if is_segmenter(model):
                return _predict_maps(model, arguments.data, arguments.out or Path(name))
            out = arguments.out or Path(f"{name}.csv")
            check_file(out)
            reading |= {"na_values": arguments.na, **reading_of(model)}
            table = predictions(model, load_inputs(arguments.data, **reading), arguments.intervals)
        write_whole(out, table.to_csv(index=False))
    except ValueError as error:
        return _stop(WRONG_USAGE, _as_typed(str(error)), "predict")
    except OSError as error:
        return _stop(FAILED, str(error), "predict")
    print(f"Predictions: {out} ({rows(len(table))}: {listed(map(str, table.columns))})")
    if remark := what_is_missing(model, table):
        print(remark)
    return 0


def _predict_maps(model: Any, data: str, out: Path) -> int:
    maps = model.predict(load_inputs(data))
    names = list(image_files(Path(data))) if Path(data).is_dir() else [f"{number:04}" for number in range(len(maps))]
    written = [write_map(out, *each) for each in zip(names, maps, strict=True)]
    print(f"Label maps: {out} ({len(written):,}, such as {written[0].name})")
    return 0


def _stop(code: int, message: str, command: str = "study") -> int:
    _say(message, command)
    return code


def _say(message: str, command: str) -> None:
    print(f"sknn {command}: {' '.join(message.split())}", file=sys.stderr)  # on one line, whatever others wrote


@contextmanager
def _warnings_in_lines(command: str) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        _say(_as_typed(text), command)


def _as_typed(message: str) -> str:
    message = message.removesuffix(", or a splitter")  # which cannot be typed
    message = IN_PYTHON.sub("", message)
    message = ARGUMENT.sub(lambda found: TYPED.get(found[1], f"--{found[1]}") + " ", message)
    return SHAPE.sub(lambda found: found[1].replace(", ", "x"), message)


def _load_all(arguments: Namespace) -> dict[str, DataSet]:
    columns = {"target": arguments.target, "groups": arguments.groups, "order": arguments.order_by}
    columns |= {name: getattr(arguments, name) for name in ("features", "drop", "not_na", "sep", "encoding", "comment")}
    columns |= {"na_values": arguments.na, "classes": arguments.classes}
    others = ("drop_missing_target", "time_channel", "forecast", "window", "season", "known", "images", "masks")
    columns |= {name: getattr(arguments, name) for name in others}
    all_are_built_in = all(text in LOADERS for text in arguments.data)
    data_sets: dict[str, DataSet] = {}
    for text in arguments.data:
        # Beside files the columns are theirs; alone, a built-in data set says that it has none.
        own = columns if all_are_built_in or text not in LOADERS else {}
        with _warnings_in_lines("study"):
            data = load(text, task=arguments.task, sample_shape=arguments.shape, **own)
        if data.name in data_sets:
            raise ValueError(f"two data sets are called {data.name!r}; give each file a name of its own")
        data_sets[data.name] = data
    return data_sets


def _study(arguments: Namespace) -> Study:
    by_time = arguments.time_order or arguments.order_by is not None or arguments.forecast is not None
    if by_time and arguments.repeats != 1:
        raise ValueError(f"repeats={arguments.repeats} needs folds that are shuffled, which time forbids")
    study = Study(
        arguments.models,
        cv=arguments.cv,
        scoring=arguments.scoring,
        tune=arguments.tune,
        n_jobs=arguments.n_jobs,
        random_state=arguments.seed,
        repeats=arguments.repeats,
        learning_curve=arguments.learning_curve,
        quantiles=arguments.quantiles,
        intervals=arguments.intervals,
        verbose=True,
    )
    if by_time:
        study.cv = TimeSeriesSplit(arguments.cv)  # of a number that is checked by now
    return study


def _names_in_folder(data_sets: dict[str, DataSet]) -> list[str]:
    names = [re.sub(r"[^\w.]+", "_", name) for name in data_sets]
    return names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES - 1], f"and-{len(names) - MOST_NAMES + 1}-more"]


def _run_in(folder: Path, study: Study, data_sets: dict[str, DataSet], keep: Path | None, figures: bool) -> int:
    from rich.console import Console

    from .files import write_all
    from .table import NARROWEST
    from .terminal import show

    study.store = folder / STORE
    is_new = _make(folder)
    try:
        check_files(folder, figures)
        check_room(folder / REPORT, ROOM_FOR_REPORT * len(data_sets))
        study.run(data_sets)
    finally:
        if is_new:
            with suppress(OSError):  # it is not empty: something was computed
                folder.rmdir()
    console = Console()
    console.width = max(console.width, NARROWEST)
    # Before anything is printed: whoever reads that may go away.
    report = write_all(study, folder, figures)
    show(study, console)
    if keep is not None:
        _keep(study, keep, console)
    console.out(f"Report: {report}", highlight=False)
    return FAILED if study.results["error"].notna().any() else 0


def _keep(study: Study, path: Path, console: "Console") -> None:
    data = study.data_set()
    with _warnings_in_lines("study"):
        write_whole(path, partial(joblib.dump, study.best()))
    title = winner(study, data).title
    console.out(f"Best model: {title}, fitted to all {data.n_samples:,} rows, is in {path}", highlight=False)


def _make(folder: Path) -> bool:
    """Make the folder, before anything is computed; False if it is there already."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file; it must be a folder, or the name of a new one")
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"--out {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"--out {folder} cannot be written to")
    return is_new
