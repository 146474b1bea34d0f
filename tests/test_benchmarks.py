"""The machinery of the benchmarks on tiny work: what is measured runs, what comes out is written."""

import json
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # at the end, so that sknn is the one installed

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import (  # noqa: E402
    against,
    cnn,
    defaults,
    grid_search,
    load,
    mlp,
    perceptron,
    predict,
    revisions,
    scaling,
    sgemm,
    worker,
    writers,
)
from benchmarks.bayesian import chains, ensembles  # noqa: E402
from benchmarks.common import installed  # noqa: E402
from benchmarks.core import convolutions, derivatives, kernels, members, pages, primitives, rows  # noqa: E402
from benchmarks.generative import steps as generative_steps  # noqa: E402
from benchmarks.generative.objectives import SplineFlow  # noqa: E402
from benchmarks.images import steps  # noqa: E402
from benchmarks.measure import KERNELS_IN_USE, Goal, Measurement, Point, Sample, measure  # noqa: E402
from benchmarks.report import Report, goals, tables  # noqa: E402
from benchmarks.sequences import attention, generation, kept_pages, recurrent  # noqa: E402
from benchmarks.timing import Spread, interleaved  # noqa: E402

# ------------------------------------------------------------------------------------------- what there is to measure


def small_mlp(case):
    *sizes, n_classes = case.sizes
    return replace(case, batch_size=20, n_samples=40, epochs=1, sizes=(*(min(size, 4) for size in sizes), n_classes))


def small_step(work):
    shape = (*(8 for _ in work.shape[:-1]), work.shape[-1])
    return replace(work, filters=8 if work.network_name == "vit" else 2, shape=shape, n_samples=6)


def small_cnn(case):
    *grid, channels = case.shape
    filters = ((2,) * len(case.filters[0]), (3,))
    return replace(case, batch_size=10, n_samples=20, epochs=1, shape=(*(4 for _ in grid), channels), filters=filters)


TINY = {
    mlp.Case: small_mlp,
    cnn.Case: small_cnn,
    defaults.Problem: lambda work: replace(work, n_samples=60, n_features=8),
    predict.Rows: lambda work: replace(work, case=tiny(work.case), n_rows=min(work.n_rows, 30), calls=1),
    perceptron.Problem: lambda work: replace(work, n_samples=50, n_features=3),
    grid_search.Search: lambda work: replace(work, case=tiny(work.case), n_penalties=2, n_folds=2),
    load.Beside: lambda work: replace(work, case=tiny(work.case), busy=min(work.busy, 1)),
    sgemm.Share: lambda work: replace(work, case=tiny(work.case), side=8, products=1),
    primitives.Put: lambda work: replace(work, n_rows=20, n_places=5, n_channels=3),
    primitives.PackedGRU: lambda work: replace(work, n_steps=3, n_series=2, n_units=4),
    primitives.BySegment: lambda work: replace(work, n_rows=20, n_segments=5, n_channels=3),
    primitives.SparseProduct: lambda work: replace(work, n_rows=10, n_channels=3, filled=0.3),
    convolutions.Strided: lambda work: replace(work, n=2, size=5, channels=2, filters=3),
    convolutions.ResNet: lambda work: replace(work, n=3, size=8, filters=2),
    convolutions.Penalty: lambda work: replace(work, n=2, size=8, filters=2),
    derivatives.PerSample: lambda work: replace(work, sizes=(2, 3, 2), n_rows=4),
    derivatives.JVP: lambda work: replace(work, sizes=(2, 3, 2), n_rows=4),
    derivatives.HVP: lambda work: replace(work, sizes=(2, 3, 2), n_rows=4),
    derivatives.GGN: lambda work: replace(work, sizes=(2, 3, 2), n_rows=4),
    derivatives.Jets: lambda work: replace(work, sizes=(2, 3, 1), n_rows=4),
    kernels.RowsBack: lambda work: replace(work, n_rows=4, n_channels=8),
    kernels.NarrowBack: lambda work: replace(work, n_rows=4, n_channels=8),
    kernels.Widths: lambda work: replace(work, n_rows=2, usual=(4, 8), narrower=(3, 7)),
    kernels.Averaging: lambda work: replace(work, width=8, batch_size=2),
    members.Members: lambda work: replace(work, n_members=2, n_samples=64, n_epochs=1),
    chains.LogLikelihood: lambda work: replace(work, n_samples=10),
    ensembles.Ensemble: lambda work: replace(work, n_members=2, n_samples=64, n_epochs=1),
    pages.Step: lambda work: replace(work, n_samples=2),
    pages.Equation: lambda work: replace(work, widths=(3,), n_points=5),
    attention.Encoder: lambda work: replace(work, width=8, n_steps=3, batch_size=2, depth=1),
    attention.LanguageModel: lambda work: replace(work, width=8, n_steps=3, batch_size=2, depth=1),
    generation.Generation: lambda work: replace(work, units=8, n_characters=70, length=3),
    steps.Step: small_step,
    generative_steps.Step: lambda work: replace(work, n_samples=4),
    generative_steps.Sampling: lambda work: replace(work, n_samples=4),
    recurrent.Step: lambda work: replace(work, units=3, n_steps=4, n_samples=3),
    recurrent.Ragged: lambda work: replace(work, units=3, n_steps=4, n_samples=3),
    dict: lambda work: {"sknn": "import math", "scikit-learn": "import string"},
}
PEERS_WORK = [replace(small_mlp(mlp.LARGEST), batch_size=200), *map(small_cnn, cnn.CASES)]  # all classes in a batch
PROCESSES = {"memory", "grid_search"}  # take a second or more to start
SINGLE = [each for each in command.MEASUREMENTS if each.suite not in PROCESSES and each.contest is not steps.megabytes]


def tiny(work):
    return TINY[type(work)](work)


def measured(measurement):
    return measure(replace(measurement, work=tiny(measurement.work), warm_up=0), repeats=1)


@pytest.fixture
def without_peers(monkeypatch):
    """As where PyTorch and skorch are not installed: to import them takes seconds."""
    for module in (mlp, cnn, predict, sgemm, rows, steps, generative_steps, generation, kept_pages):
        monkeypatch.setattr(module, "installed", lambda name: False)


@pytest.mark.usefixtures("without_peers")
@pytest.mark.parametrize("measurement", SINGLE, ids=lambda each: each.path)
def test_a_measurement_runs(measurement):
    result = measured(measurement)
    assert measurement.subject in result.values
    assert all(value > 0 for values in result.values.values() for value in values)
    assert list(tables([result]))


def test_a_grid_search_runs_with_one_job_and_with_two():
    (measurement,) = command.chosen(["grid_search"], command.MEASUREMENTS)
    assert list(measured(measurement).values) == ["n_jobs=1", "n_jobs=2"]


@pytest.mark.parametrize("name", ["memory/20-*", "images/memory of ViT*"])
def test_memory_is_that_of_a_process_of_its_own(name):
    (measurement,) = command.chosen([name], command.MEASUREMENTS)
    growth = measurement.contest(tiny(measurement.work))["sknn"]().value
    assert 0 < growth < 100


def test_each_work_has_a_tiny_size_and_a_path_of_its_own():
    assert {type(each.work) for each in command.MEASUREMENTS} == TINY.keys()
    paths = [each.path for each in command.MEASUREMENTS]
    assert len(set(paths)) == len(paths)


def test_goals_are_held_against_contestants_that_there_are():
    pytest.importorskip("torch")
    for suite, case in ((mlp, small_mlp(mlp.LARGEST)), (cnn, small_cnn(cnn.IMAGES))):
        found = suite.fits(case, suite.initial_parameters(case))
        named = {name for each in suite.MEASUREMENTS for goal in each.goals for name in goal.against}
        assert named <= found.keys()


@pytest.mark.parametrize("case", PEERS_WORK, ids=lambda case: case.name)
def test_the_peers_do_the_same_work(case):
    pytest.importorskip("torch")
    suite = mlp if isinstance(case, mlp.Case) else cnn
    assert suite.first_losses_apart(case) < 1e-4


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # of its own jvp
@pytest.mark.parametrize(
    "measurement",
    [
        each
        for each in command.chosen(["core", "sequences", "images", "generative", "bayesian"], command.MEASUREMENTS)
        if each.contest not in (generation.milliseconds, steps.megabytes)
        and not isinstance(getattr(each.work, "objective", None), SplineFlow)  # zuko's networks are others
    ],
    ids=lambda each: each.path,
)
@pytest.mark.filterwarnings("ignore:Using padding=.same.:UserWarning")  # PyTorch makes a padded copy, as is measured
def test_the_core_is_the_same_in_pytorch(measurement):
    pytest.importorskip("torch")
    assert (measurement.check or rows.apart)(tiny(measurement.work)) < 1e-4


def test_other_work_in_the_core_is_found(monkeypatch):
    monkeypatch.setattr(rows, "contestants", lambda _: {"one": lambda: [np.ones(2)], "other": lambda: [np.zeros(2)]})
    with pytest.raises(RuntimeError, match="one, other do different work"):
        rows.apart(primitives.Put())


def test_a_peer_that_does_other_work_is_found():
    with pytest.raises(RuntimeError, match="one, other do different work"):
        mlp.losses_apart({"one": lambda: [1.0, 0.5], "other": lambda: [1.0, 0.6]})


@pytest.mark.parametrize(
    ("case", "multiply_adds"),
    [
        (mlp.Case(2, 4, 3, sizes=(5, 7, 2)), 3 * 4 * (2 * 5 * 7 + 3 * 7 * 2)),
        (
            cnn.Case(2, 4, 1, shape=(4, 4, 1), filters=((2,), (3,))),
            4 * (2 * 16 * 9 * 2 + 3 * (4 * 9 * 2 * 3 + 3 * 128 + 128 * 10)),
        ),
    ],
    ids=["mlp", "cnn"],
)
def test_multiplications_are_counted(case, multiply_adds):
    assert case.multiply_adds == multiply_adds


# ----------------------------------------------------------------------------------------------- ratios, goals, slopes


def contest(work, losses=True):
    """Contestants whose values are given, one for each turn."""
    given = {name: iter(values) for name, values in work.items()}
    return {name: lambda name=name: Sample(next(given[name]), 0.25 if losses else None) for name in work}


def example(goals=(), **changes):
    work = {"sknn": [9.0, 1.0, 2.0, 6.0], "slow": [9.0, 10.0, 10.0, 10.0], "quick": [9.0, 4.0, 4.0, 4.0]}
    return replace(Measurement("suite", "case", "ms", work, contest, goals), **changes)


def test_ratios_are_of_turns_without_the_warm_up():
    result = measure(example(), repeats=3)
    assert result.values["sknn"] == [1.0, 2.0, 6.0]
    assert result.ratios == {"slow": Spread(0.2, 0.1, 0.6), "quick": Spread(0.5, 0.25, 1.5)}


def test_rounds_go_there_and_back():
    order = []
    interleaved({name: partial(order.append, name) for name in "ABC"}, repeats=2)
    assert "".join(order) == "ABCCBAABC"


def test_some_measurements_repeat_less():
    assert measure(example(most_repeats=2), repeats=3).values["sknn"] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("goal", "opponent", "reached"),
    [
        (Goal(("slow",), 0.2), "slow", True),
        (Goal(("slow",), 0.19), "slow", False),
        (Goal(("slow", "quick", "absent"), 0.3), "quick", False),
        (Goal(("slow", "quick"), 0.2, ">="), "slow", True),
        (Goal(("quick",), 0.6, ">="), "quick", False),
        (Goal(("quick",), 0.5, kernels=KERNELS_IN_USE), "quick", True),
    ],
)
def test_a_goal_is_held_against_the_hardest_opponent(goal, opponent, reached):
    result = measure(example((goal,)), repeats=3)
    assert result.goals == {opponent: goal}
    assert goals([result]).title == f"{int(reached)} of 1 goals reached"


def test_goals_without_opponent_or_of_other_kernels_do_not_count():
    other = "numpy" if KERNELS_IN_USE == "compiled" else "compiled"
    held = (Goal(("absent",), 1.0), Goal(("slow",), 1.0, kernels=other))
    assert measure(example(held), repeats=3).goals == {}


def test_the_slope_of_a_power_is_its_exponent():
    sizes = np.array([1, 10, 100])
    assert scaling.slope(sizes, 3 * sizes**1.5) == pytest.approx(1.5)


# ----------------------------------------------------------------------------------------------------- two revisions


def git(folder, *arguments):
    command = ["git", "-c", "user.name=one", "-c", "user.email=one@example.com", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


SETUP = """
import sys
from pathlib import Path
Path({built!r}).write_text("built from " + Path("{kernels}/one.cpp").read_text())
"""


@pytest.fixture
def repository(tmp_path):
    """One commit of kernels that are quickly built."""
    root = tmp_path / "repository"
    (root / revisions.KERNELS).mkdir(parents=True)
    (root / revisions.KERNELS / "one.cpp").write_text("old")
    (root / "setup.py").write_text(SETUP.format(built=str(revisions.BUILT), kernels=revisions.KERNELS.as_posix()))
    (root / ".gitignore").write_text(revisions.BUILT.as_posix())
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "old"]):
        git(root, *arguments)
    return root


def test_a_worktree_is_gone_when_it_has_been_used_or_interrupted(repository):
    commit = revisions.commit_of("HEAD", repository)
    (repository / "setup.py").write_text("changed")
    with pytest.raises(KeyboardInterrupt), revisions.worktree(commit, repository) as folder:  # noqa: PT012
        assert (folder / "setup.py").read_text() != "changed"
        raise KeyboardInterrupt
    assert not folder.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("source", "kept", "here", "there"),
    [
        ("old", None, "built from old", "built from old"),
        ("old", "kept", "kept", "kept"),  # younger than its sources, the same as there
        ("new", None, "built from new", "built from old"),
        ("new", "kept", "kept", "built from old"),
    ],
)
def test_each_side_has_kernels_of_its_own_sources(repository, source, kept, here, there):
    commit = revisions.commit_of("HEAD", repository)
    (repository / revisions.KERNELS / "one.cpp").write_text(source)
    if kept:
        (repository / revisions.BUILT).write_text(kept)
    with revisions.worktree(commit, repository) as folder:
        revisions.provide_kernels(folder, commit, repository)
        assert [(side / revisions.BUILT).read_text() for side in (repository, folder)] == [here, there]


def smaller(work):
    if isinstance(work, worker.Predict):
        return replace(work, fit=smaller(work.fit), calls=1)
    return replace(work, n_samples=40, settings=work.settings | {"batch_size": 20, "max_iter": 2})


@pytest.mark.parametrize("work", [work for _, _, work in against.WORK], ids=lambda work: work.name)
def test_the_work_of_a_side_runs(work):
    value, loss = smaller(work).turn()()
    assert value > 0
    assert loss > 0


@pytest.fixture
def comparison(monkeypatch):
    """Both sides are the sources here, without git."""
    monkeypatch.setattr(against, "commit_of", lambda revision: "abc")
    monkeypatch.setattr(against, "worktree", lambda commit: nullcontext(ROOT))
    monkeypatch.setattr(against, "provide_kernels", lambda folder, commit: None)
    monkeypatch.setattr(against, "WORK", [(suite, unit, smaller(work)) for suite, unit, work in against.WORK[-1:]])
    return against.Comparison("before")


def test_sides_take_turns_in_processes_of_their_own(comparison):
    with comparison:
        steps, imports = comparison.measurements
        imports = replace(imports, work={name: "import math" for name in imports.work})
        steps, imports = [measure(replace(each, warm_up=0), repeats=1) for each in (steps, imports)]
        with pytest.raises(RuntimeError, match=r"the sknn of .* failed, see above"):
            comparison.workers["before"].turn("no work")
    assert steps.values.keys() == {"working tree", "before"}
    assert steps.apart == 0
    assert steps.goals.keys() == {"before"}
    assert imports.values.keys() == {"working tree", "before", "sklearn.neural_network"}
    assert imports.goals.keys() == {"sklearn.neural_network"}


# --------------------------------------------------------------------------------------------------------- the writers


@pytest.fixture
def report():
    goal = (Goal(("quick",), 0.2),)
    measurements = [example(goal, check=lambda work: 1e-7)]
    for size in (10, 100):
        work = {"sknn": [size, size], "slow": [size**2, size**2]}
        measurements.append(example(name=f"n = {size}", work=work, contest=partial(contest, losses=False)))
        measurements[-1] = replace(measurements[-1], point=Point("n", size), most_repeats=1)
    found = [measure(measurement, repeats=3) for measurement in measurements]
    return Report("today", "abc", {"processor": "one", "kernels": "some"}, 3, found, {"suite": 61.4})


def test_tables_leave_out_empty_columns(report):
    case, growth = tables(report.results)
    assert case.title == "case (first results 1e-07 apart)"
    assert case.heads == ["", "ms", "loss", "sknn to it", "goal"]
    assert case.rows[2] == ["quick", "4.00 [4.00, 4.00]", "0.2500", "0.50 [0.25, 1.50]", "<= 0.20 missed"]
    assert growth.rows == [
        ["10", "10.0", "100"],
        ["100", "100", "10,000"],
        ["slope", "1.00", "2.00"],
        ["of the last 3", "1.00", "2.00"],
    ]


def test_plain_tables_are_aligned(report):
    lines = writers.plain(next(tables(report.results))).splitlines()
    ends = {line.index("]") for line in lines[2:]}
    assert len(ends) == 1
    assert lines[2].startswith("sknn")


def test_markdown_has_the_machine_the_goals_and_all_tables(report):
    page = writers.markdown(report)
    assert "| processor | one |" in page
    assert "## 0 of 1 goals reached" in page
    assert "| suite/case | sknn | quick | 0.50 [0.25, 1.50] | <= 0.20 missed |" in page
    assert "## suite\n\nIt took 61 seconds." in page
    assert "| slope | 1.00 | 2.00 |" in page


def test_json_has_every_single_value(report):
    found = json.loads(writers.as_json(report))
    first = found["measurements"][0]
    assert found["machine"]["kernels"] == "some"
    assert found["seconds"] == {"suite": 61.4}
    assert first["values"]["sknn"] == [1.0, 2.0, 6.0]
    assert first["ratios"]["quick"] == {"median": 0.5, "low": 0.25, "high": 1.5}
    assert first["goals"] == [{"against": "quick", "relation": "<=", "limit": 0.2, "reached": False}]
    assert found["slopes"]["n"]["slow"]["all"] == pytest.approx(2)


def test_json_tells_the_work_of_every_measurement():
    for measurement in command.MEASUREMENTS:
        json.dumps(writers.told(measurement.work))


def test_pictures_are_drawn(report, tmp_path):
    from benchmarks.plots import draw

    draw(report, tmp_path / "pictures")
    assert sorted(file.name for file in (tmp_path / "pictures").iterdir()) == ["goals.png", "scaling.png"]


# ----------------------------------------------------------------------------------------------------- the command line


def test_a_run_shows_and_writes(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "MEASUREMENTS", [example((Goal(("slow",), 0.5),))])
    files = [tmp_path / "results.json", tmp_path / "results.md"]
    command.main(["--repeats", "3", "--json", str(files[0]), "--markdown", str(files[1])])
    shown = capsys.readouterr().out
    assert "suite (0 seconds)" in shown
    assert "1 of 1 goals reached" in shown
    told = json.loads(files[0].read_text("utf-8"))
    assert {"processor", "cores", "kernels", "threads", "BLAS of NumPy"} <= told["machine"].keys()
    assert told["commit"]
    assert "<= 0.50 reached" in files[1].read_text("utf-8")


def test_what_there_is_to_compare_needs_no_sides(monkeypatch, capsys):
    monkeypatch.setattr(against, "commit_of", lambda revision: "abc")
    command.main(["--against", "before", "--list", "mlp", "import"])
    assert capsys.readouterr().out.split("\n")[1:] == ["import/MLPClassifier", ""]


def test_the_list_names_what_there_is(capsys):
    command.main(["--list"])
    listed = capsys.readouterr().out.split("\n")
    assert "import/sknn" in listed
    assert "false_alarms" in listed


@pytest.mark.parametrize(
    ("names", "number"), [(["mlp"], 5), (["mlp/784*"], 2), (["import", "perceptron"], 2), (["false_alarms"], 0)]
)
def test_parts_are_chosen_by_name(names, number):
    assert len(command.chosen(names, command.MEASUREMENTS)) == number


@pytest.mark.parametrize("arguments", [["mlpp"], ["mlp/1*"], ["--repeats", "0"], ["--against", "no/such"]], ids=str)
def test_what_makes_no_sense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert "error" in capsys.readouterr().err


@pytest.mark.skipif(not installed("rich"), reason="rich is not installed")
def test_a_terminal_gets_the_same_cells(report, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    writers.show(goals(report.results))
    assert "0.50 [0.25, 1.50]" in capsys.readouterr().out
