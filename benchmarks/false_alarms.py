"""How often two equal learners are called different at the level of 5 %, by cross-validation on freshly drawn data.

The learners of a case are equal by symmetry. Either they are the same, but see mirrored halves of the inputs: these
enter the truth with the same weights, and which half a data set favours is chance. Or they see the same inputs and
differ only in their seed. The corrected resampled t-test, on which the verdicts of a study rest, is to stay near 5 % or
below; the plain paired t-test over the folds takes the overlap of the training sets for evidence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from sknn.study.statistics import corrected_t_test

LEVEL = 0.05
STUDIES_PER_REPEAT = 100
N_SAMPLES = 200
WEIGHTS = np.linspace(1.0, 0.1, 8)


@dataclass(frozen=True)
class Case:
    """A learner, made from a seed; whether two of it see mirrored halves of the inputs; how often it is split."""

    name: str
    learner: Callable[[int], ClassifierMixin]
    mirrored: bool
    n_repeats: int = 1


CASES = [
    Case("logistic regression, mirrored inputs", lambda seed: LogisticRegression(), mirrored=True),
    Case("decision tree, mirrored inputs", lambda seed: DecisionTreeClassifier(random_state=0), mirrored=True),
    Case(
        "randomised tree, different seeds",
        lambda seed: DecisionTreeClassifier(splitter="random", random_state=seed),
        mirrored=False,
    ),
    Case("decision tree, mirrored inputs", lambda seed: DecisionTreeClassifier(random_state=0), True, n_repeats=10),
]


def draw(rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two halves of the inputs and the label, whose odds depend on both halves alike."""
    one, other = rng.standard_normal((2, N_SAMPLES, len(WEIGHTS)))
    odds = np.exp((one + other) @ WEIGHTS)
    return one, other, (rng.uniform(size=N_SAMPLES) < odds / (1 + odds)).astype(int)


def scores(case: Case, study: int) -> np.ndarray:
    """The accuracies of both learners in every fold of one study, of shape (2, n_folds)."""
    one, other, y = draw(np.random.RandomState(study))
    inputs = (one, other) if case.mirrored else (np.hstack([one, other]),) * 2
    folds = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=case.n_repeats, random_state=study).split(one, y))
    return np.array(
        [
            [case.learner(2 * study + which).fit(X[train], y[train]).score(X[test], y[test]) for train, test in folds]
            for which, X in enumerate(inputs)
        ]
    )


def called_different(a: np.ndarray, b: np.ndarray) -> tuple[bool, bool]:
    """What the corrected and the plain t-test say of the accuracies of two learners."""
    n_test = N_SAMPLES / 5
    differences = np.round(a - b, 12)
    corrected = corrected_t_test(differences, N_SAMPLES - n_test, n_test).p_value < LEVEL
    # As if the test sets were negligible, and the folds independent: then nothing is corrected.
    plain = corrected_t_test(differences, N_SAMPLES, n_test=1e-12).p_value < LEVEL
    return corrected, plain


def run(repeats: int = 7) -> None:
    """Print for each case how often both tests call equal learners different, over 100 studies for each repeat."""
    n_studies = STUDIES_PER_REPEAT * repeats
    error = np.sqrt(LEVEL * (1 - LEVEL) / n_studies)
    print(
        f"\nfalse alarms: equal learners called different in {n_studies} studies; {LEVEL:.0%} ± {error:.1%} are right"
    )
    print(f"{'learners':<40}{'folds':>8}{'corrected':>12}{'plain':>8}")
    for case in CASES:
        found = np.array([called_different(*scores(case, study)) for study in range(n_studies)])
        corrected, plain = found.mean(axis=0)
        print(f"{case.name:<40}{5 * case.n_repeats:>8}{corrected:>12.1%}{plain:>8.1%}")
