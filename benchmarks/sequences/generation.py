"""Text of 200 characters by a language model, one after the other, beside the loop that one writes in PyTorch.

The recurrent network goes on from its state in both; the transformer keeps keys and values in sknn, while the loop
computes anew all of the context that it sees, as nanoGPT's does. What is drawn differs, which does not matter to the
time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from sknn import LanguageModel

from ..common import installed
from ..core.rows import ONE_THREAD
from ..measure import Measurement, Sample, Turn
from ..timing import timed

LENGTH = 200
DRAWN = 4  # texts, for some end early
CHARACTERS = [chr(code) for code in range(48, 113)]


@dataclass(frozen=True)
class Generation:
    """A model as it is made, hardly trained; and how many characters its text has to learn from."""

    units: int
    architecture: str
    options: dict[str, Any] = field(default_factory=dict)
    n_characters: int = 4_000
    length: int = LENGTH

    def fitted(self) -> LanguageModel:
        drawn = np.random.default_rng(0).choice(CHARACTERS, self.n_characters)
        drawn[: len(CHARACTERS)] = CHARACTERS
        made = LanguageModel(self.units, architecture=self.architecture, max_iter=1, random_state=0, **self.options)
        return made.fit(["".join(drawn)])

    def sknn(self) -> Turn:
        model = self.fitted()

        def turn() -> Sample:
            draw = partial(model.sample, max_length=self.length)
            seconds, texts = timed(lambda: [draw(random_state=seed)[0] for seed in range(DRAWN)])
            return Sample(1e3 * seconds * self.length / sum(map(len, texts)))

        return turn


def milliseconds(work: Generation) -> dict[str, Turn]:
    turns = {"sknn": work.sknn()}
    if installed("torch"):
        from .pytorch import generation

        task = generation(work.architecture, work.units, len(CHARACTERS), work.length, **work.options)
        turns[ONE_THREAD] = lambda: Sample(1e3 * timed(task)[0])
    return turns


MEASUREMENTS = [
    Measurement("sequences", name, "ms", work, milliseconds)
    for name, work in {
        "200 characters, gru 256": Generation(256, "gru"),
        "200 characters, transformer 128": Generation(128, "transformer", {"depth": 4, "n_heads": 4}),
    }.items()
]
