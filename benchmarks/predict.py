"""Predicting the classes of one row, and of many: what a fitted network costs in use.

For one row nearly all is validation of the input, so that of scikit-learn alone stands beside: `validate_data` of a
row, as scikit-learn's MLPClassifier calls it. PyTorch starts and ends with NumPy arrays, like the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier as SklearnMLP
from sklearn.utils.validation import validate_data

from sknn import MLPClassifier

from . import cnn, mlp
from .common import PYTORCH, Parameters, installed, loss_curve
from .measure import Measurement, Sample, Turn
from .timing import timed

Prediction = Callable[[], object]


@dataclass(frozen=True)
class Rows:
    """How many rows a fitted network of a case is given, and how many times in a turn; times are told in a unit."""

    case: Any  # of mlp or cnn
    n_rows: int
    calls: int
    scale: float = 1e6

    @property
    def name(self) -> str:
        rows = "1 row" if self.n_rows == 1 else f"{self.n_rows} rows"
        return f"{self.case.name.rsplit(' at ')[0]}, {rows}"

    @property
    def to_fit(self) -> Any:
        """The case with just enough work to have a fitted network."""
        return replace(self.case, n_samples=self.case.batch_size, epochs=1)

    def turns(self, predictions: dict[str, Prediction]) -> dict[str, Turn]:
        def turn_of(predict: Prediction) -> Turn:
            def turn() -> Sample:
                seconds, _ = timed(lambda: [predict() for _ in range(self.calls)])
                return Sample(self.scale * seconds / self.calls)

            return turn

        return {name: turn_of(predict) for name, predict in predictions.items()}


def with_mlp(work: Rows) -> dict[str, Turn]:
    """The turns of the multi-layer perceptrons, the validation, and the random forest."""
    X, y = mlp.make_data(work.to_fit)
    ours, theirs = (make(**mlp.settings(work.to_fit)) for make in (MLPClassifier, SklearnMLP))
    loss_curve(ours, X, y)
    loss_curve(theirs, X, y)
    forest = RandomForestClassifier(random_state=0).fit(X, y)
    rows, _ = mlp.make_data(replace(work.case, n_samples=work.n_rows))
    predictions: dict[str, Prediction] = {
        "sknn": lambda: ours.predict(rows),
        "scikit-learn": lambda: theirs.predict(rows),
        "validation alone": lambda: validate_data(theirs, rows, accept_sparse=["csr", "csc"], reset=False),
        "random forest": lambda: forest.predict(rows),
    }
    if installed("torch"):
        from .pytorch import mlp as torch_mlp
        from .pytorch import predict, set_up

        set_up()
        model = torch_mlp(list(zip(ours.coefs_, ours.intercepts_, strict=True)))
        predictions[PYTORCH] = lambda: predict(model, rows.astype(np.float32))
    return work.turns(predictions)


def with_cnn(work: Rows) -> dict[str, Turn]:
    """The turns of the convolutional networks."""
    classifier = cnn.classifier(work.to_fit)
    loss_curve(classifier, *cnn.make_data(work.to_fit))
    rows, _ = cnn.make_data(replace(work.case, n_samples=work.n_rows))
    predictions: dict[str, Prediction] = {"sknn": lambda: classifier.predict(rows)}
    if installed("torch"):
        from .pytorch import as_images, predict, set_up
        from .pytorch import cnn as torch_cnn

        set_up()
        start: Parameters = cnn.initial_parameters(work.to_fit)
        model = torch_cnn([len(block) for block in work.case.filters], start)
        predictions[PYTORCH] = lambda: predict(model, as_images(rows))
    return work.turns(predictions)


SMALL = mlp.Case(200, 1_000, 1, sizes=(20, 100, 5))
MEASUREMENTS = [
    Measurement("predict", work.name, unit, work, contest)
    for work, unit, contest in [
        (Rows(SMALL, 1, calls=300), "µs per call", with_mlp),
        (Rows(SMALL, 10_000, calls=5, scale=1e3), "ms per call", with_mlp),
        (Rows(mlp.LARGEST, 1, calls=100), "µs per call", with_mlp),
        (Rows(mlp.LARGEST, 5_000, calls=1, scale=1e3), "ms per call", with_mlp),
        (Rows(cnn.IMAGES, 1, calls=100), "µs per call", with_cnn),
        (Rows(cnn.IMAGES, 1_000, calls=1, scale=1e3), "ms per call", with_cnn),
    ]
]
