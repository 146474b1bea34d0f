"""Fitting a convolutional network: the time of one training step, and the memory of a fit; Adam, ReLU, log loss.

All contestants do the same work, in float32 and on equally many threads: the same data, the same layers, batch size and
number of epochs, starting from the same weights, without penalty or scaling of the inputs. PyTorch takes part in both
of its memory layouts, contiguous (N, C, H, W) and channels_last; the faster of the two is what sknn is held against.
Its threads go on spinning for a while after their work, so contestants take turns by whole fits, not by steps.

That the work is the same is checked: on one batch, taken again and again, the losses of the first steps must agree. In
the fits that are timed each shuffles for itself, so their final losses agree but roughly.

Memory is the most by which a process of its own grows beyond what it held before the fit, when data and libraries were
loaded. It includes a copy of the data where a contestant makes one, parameters, gradients, the state of Adam,
activations, buffers, the stacks of threads, and the pages of the libraries that the fit is the first to touch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from statistics import median

import numpy as np

from sknn import CNNClassifier

from .common import Fit, Parameters, Workload, against_goal, loss_curve, timed
from .memory import peak_growth

N_CLASSES = 10
FIRST_STEPS = 5
TOLERANCE = 1e-4  # relative; float32 rounds to 1e-7, and every step makes more of it
RATE = 1e-4  # ten times smaller than usual, so that they make little more
EPSILON = 1e-12  # next to nothing, since sknn, like scikit-learn, adds it before Adam's bias correction, PyTorch after
NAMES = ("sknn", "PyTorch", "channels_last")


@dataclass(frozen=True)
class Case(Workload):
    """One network on samples of one shape, and how many times as fast as PyTorch sknn is to be."""

    shape: tuple[int, ...]
    filters: tuple[tuple[int, ...], ...]
    goal: float
    kernel_size: int = 3

    @property
    def name(self) -> str:
        blocks = " ".join("-".join(map(str, block)) for block in self.filters)
        return f"{'x'.join(map(str, self.shape))}: {blocks} at {self.batch_size}"


CASES = [
    Case(64, 2560, 12, shape=(8, 8, 1), filters=((16,), (32,)), goal=1.0),
    Case(128, 1280, 2, shape=(28, 28, 1), filters=((32, 32), (64, 64)), goal=0.45),
    Case(128, 640, 2, shape=(32, 32, 3), filters=((32, 32), (64, 64), (128, 128)), goal=0.45),
    Case(64, 640, 2, shape=(1000, 1), filters=((32,), (64,)), goal=0.45, kernel_size=7),
]


def make_data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """A pattern for each class, in noise as strong; made in place, lest freed memory be there for a fit to take."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((case.n_samples, *case.shape), dtype=np.float32)
    patterns = rng.standard_normal((N_CLASSES, *case.shape), dtype=np.float32)
    for k, pattern in enumerate(patterns):
        X[k::N_CLASSES] += pattern
    return X, np.arange(case.n_samples) % N_CLASSES


def classifier(case: Case) -> CNNClassifier:
    """The estimator, without what the others have not: a penalty, a scaling of the inputs, a stop before the end."""
    return CNNClassifier(
        case.filters,
        kernel_size=case.kernel_size,
        input_shape=case.shape,
        alpha=0.0,
        input_scaling=None,
        learning_rate_init=RATE,
        epsilon=EPSILON,
        batch_size=case.batch_size,
        max_iter=case.epochs,
        n_iter_no_change=np.inf,
        random_state=0,
    )


def initial_parameters(case: Case) -> Parameters:
    """Weight and bias of each layer as the classifier draws them: fitted at a rate that changes nothing."""
    one_batch = replace(case, n_samples=case.batch_size, epochs=1)
    fitted = classifier(one_batch).set_params(learning_rate_init=1e-30)
    loss_curve(fitted, *make_data(one_batch))
    layers = [fitted.network_.parameters.get(str(k)) for k in range(len(fitted.network_.layers))]
    return [(layer["weight"], layer["bias"]) for layer in layers if layer]


def contestants(case: Case, start: Parameters) -> dict[str, Fit]:
    """The fit of each contestant, with its data at hand."""
    X, y = make_data(case)
    fits: dict[str, Fit] = {"sknn": lambda: loss_curve(classifier(case), X, y)}
    if find_spec("torch"):
        from .peers import LAYOUTS, torch_cnn

        blocks = [len(block) for block in case.filters]
        for layout in LAYOUTS:
            fits[layout] = partial(torch_cnn, X, y, case, blocks, start, layout, lr=RATE, eps=EPSILON)
    return fits


def contestant(name: str, case: Case, start: Parameters) -> Fit:
    """The fit of one contestant."""
    return contestants(case, start)[name]


def check_same_work(case: Case, start: Parameters) -> float:
    """How far the losses of the first steps are apart, relatively, where each step takes the same batch."""
    one_batch = replace(case, n_samples=case.batch_size, epochs=FIRST_STEPS)
    curves = np.array([fit() for fit in contestants(one_batch, start).values()])
    apart = float(np.max(np.abs(curves / curves[0] - 1)))
    if apart > TOLERANCE:
        raise RuntimeError(f"{case.name}: the contestants do different work, their first losses are\n{curves}")
    return apart


def row(case: Case, repeats: int) -> str:
    """The line of a case in the table."""
    start = initial_parameters(case)
    apart = check_same_work(case, start)
    times, losses = timed(contestants(case, start), repeats)
    step = {name: 1e3 * median(values) / case.steps for name, values in times.items()}
    memory = {name: peak_growth(contestant, name, replace(case, epochs=1), start) for name in times}
    peers = [name for name in times if name != "sknn"]
    versus = against_goal(times, min(peers, key=step.__getitem__), case.goal) if peers else "-"
    cells = [f"{case.name:38}", _cells(step, ".2f"), f"{versus:>28}", _cells(memory, ".0f"), _cells(losses, ".4f")]
    return "".join(cells) + f"{f'{apart:.0e}' if peers else '-':>14}"


def _cells(values: dict[str, float] | dict[str, float | None], style: str) -> str:
    """One cell for each contestant, with a dash where there is no value."""
    found = (values.get(name) for name in NAMES)
    cells = ["-" if value is None else format(value, style) for value in found]
    return "".join(f"{cell:>{len(name) + 3}}" for cell, name in zip(cells, NAMES, strict=True))


def run(repeats: int = 7) -> None:
    """Print a table: milliseconds per training step, how many times as fast sknn is and is to be, memory, losses."""
    names = "".join(f"{name:>{len(name) + 3}}" for name in NAMES)
    width = len(names)
    print(
        f"{'':38}{'milliseconds per step':>{width}}{'times as fast as':>28}{'peak memory of a fit, MB':>{width}}"
        f"{'final loss':>{width}}{'first':>14}"
    )
    print(f"{'':38}{names}{'faster PyTorch (goal)':>28}{names}{names}{'losses apart':>14}")
    for case in CASES:
        print(row(case, repeats), flush=True)
