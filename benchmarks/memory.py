"""Peak memory of a fit: the most by which a process of its own grows beyond what data and libraries take before.

It includes a copy of the data where a contestant makes one, parameters, gradients, the state of Adam, activations,
buffers, the stacks of threads, and the pages of the libraries that the fit is the first to touch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from . import cnn, mlp
from .common import NHWC, PYTORCH, Fit, Parameters, installed
from .measure import Measurement, Sample, Turn
from .process import peak_growth, tells_peak

CONTESTANTS = {  # that differ in memory, and the module that has to be there
    mlp: {"sknn": "sknn", "scikit-learn": "sklearn", PYTORCH: "torch", "skorch": "skorch"},
    cnn: {"sknn": "sknn", PYTORCH: "torch", NHWC: "torch", "skorch": "skorch"},
}


def fit_of(fits: Callable[..., dict[str, Fit]], name: str, case: Any, start: Parameters) -> Fit:
    """The fit of one contestant, made in the process that measures it."""
    return fits(case, start)[name]


def megabytes(case: Any) -> dict[str, Turn]:
    """The turns of all contestants; none where the system does not tell."""
    if not tells_peak():
        return {}
    suite = mlp if isinstance(case, mlp.Case) else cnn
    names = [name for name, module in CONTESTANTS[suite].items() if installed(module)]
    start = suite.initial_parameters(case)

    def turn(name: str) -> Sample:
        return Sample(peak_growth(fit_of, suite.fits, name, case, start))

    return {name: partial(turn, name) for name in names}


CASES: list[mlp.Case | cnn.Case] = [mlp.Case(200, 10_000, 1, sizes=(20, 100, 5)), mlp.LARGEST, *cnn.CASES]
MEASUREMENTS = [
    Measurement("memory", case.name, "MB", replace(case, epochs=1), megabytes, most_repeats=2, warm_up=0)
    for case in CASES
]
