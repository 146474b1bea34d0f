"""Every fused operation: a row of the table states inputs and options; each row gets every check."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import sknn.ops
from sknn.autodiff import Operation, Tensor, backward, check_grads, grad, jet
from sknn.autodiff import primitives as p
from sknn.autodiff.tape import Fused
from sknn.ops import ACTIVATIONS
from sknn.ops.affine import affine
from sknn.ops.attention import Scope
from sknn.ops.recurrence import CELLS, Steps
from sknn.ops.rows import Places
from sknn.ops.segment import Segments
from sknn.ops.spline import spline
from sknn.ops.windows import make_transposed_windows, make_windows

# Operations enter their table when they are loaded.
for module in pkgutil.walk_packages(sknn.ops.__path__, "sknn.ops."):
    importlib.import_module(module.name)

rng = np.random.default_rng(11)


def real(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape)


def positive(*shape: int) -> np.ndarray:
    return rng.uniform(0.5, 2.0, shape)


def apart(*shape: int) -> np.ndarray:
    """Odd multiples of 1/8, no two alike: away from kinks at 0 and +-1, and from ties."""
    n = int(np.prod(shape))
    return rng.permutation((np.arange(n) - n // 2 + 0.5) / 4).reshape(shape)


def binary(*shape: int) -> np.ndarray:
    return rng.integers(0, 2, shape).astype(float)


class Case(NamedTuple):
    """Inputs, the positions of those that are differentiated, and options."""

    inputs: tuple
    wrt: tuple[int, ...] = (0,)
    options: dict = {}  # noqa: RUF012 - never changed


def activations(n: int) -> list[Case]:
    return [Case((apart(n, 4),), options={"activation": name}) for name in ACTIVATIONS] + [
        Case((apart(n, 3, 2),), options={"activation": "softmax"}),
        Case((apart(n),), options={"activation": "relu"}),
    ]


def dense_layers(n: int) -> list[Case]:
    W, b, sparse_x = real(4, 3), real(3), sparse.random_array((n, 4), density=0.5, rng=rng, format="csr")
    return [
        *(Case((real(n, 4), W, b), (0, 1, 2), {"activation": name}) for name in ACTIVATIONS),
        Case((real(n, 4), W), (0, 1), {"activation": "tanh"}),
        Case((real(n, 4), W, None), (0, 1), {"activation": "tanh"}),
        Case((real(n, 2, 4), W, b), (0, 1, 2), {"activation": "gelu"}),
        Case((real(4), W, b), (0, 1, 2), {"activation": "silu"}),
        Case((real(n, 1), real(1, 1), real(1)), (0, 1, 2)),
        Case((sparse_x, W, b), (1, 2), {"activation": "softplus"}),
        Case((sparse.csc_matrix(sparse_x), W), (1,)),
    ]


def convolution(x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **options: Any) -> Case:
    """Images of shape x and weights of shape w; what is no option of the operation describes the windows."""
    own = {name: options.pop(name) for name in ("groups", "activation") if name in options}
    inputs = (real(*x), real(*w), real(w[-1])) if bias else (real(*x), real(*w))
    windows = make_windows(x[1:-1], w[:-2], **options)
    return Case(inputs, tuple(range(len(inputs))), {"windows": windows, **own})


def convolutions(n: int) -> list[Case]:
    off_the_kink = (apart(n, 5, 2), rng.integers(-2, 3, (3, 2, 3)).astype(float), np.full(3, 1 / 16))
    return [
        convolution((n, 6, 2), (3, 2, 3)),
        convolution((n, 5, 4, 2), (3, 2, 2, 3), padding="same", activation="tanh"),
        convolution((n, 3, 4, 3, 1), (2, 3, 2, 1, 2), padding="same", activation="gelu"),
        convolution((n, 7, 2), (3, 2, 2), stride=2, padding="same", bias=False),
        convolution((n, 7, 6, 1), (2, 3, 1, 2), stride=(3, 2), padding=(1, 2), activation="softplus"),
        convolution((n, 7, 5, 1), (2, 2, 1, 2), stride=3, bias=False),
        convolution((n, 8, 2), (3, 2, 2), stride=2, dilation=2, padding=3),
        convolution((n, 6, 5, 1), (2, 3, 1, 2), dilation=(3, 2), padding="same", activation="logistic"),
        convolution((n, 5, 4), (3, 2, 6), groups=2, padding=1, activation="silu"),
        convolution((n, 4, 4, 3), (2, 2, 1, 3), groups=3, padding="same", activation="tanh"),
        convolution((n, 4, 3), (3, 1, 6), groups=3, stride=2, padding="same", bias=False, activation="elu"),
        convolution((n, 1, 2), (5, 2, 2), padding="same"),
        convolution((n, 3, 2, 2), (1, 1, 2, 3), padding=1),
        Case(off_the_kink, (0, 1, 2), {"windows": make_windows((5,), 3, padding="same"), "activation": "relu"}),
        Case(off_the_kink, (0, 1, 2), {"windows": make_windows((5,), 3, 2), "activation": "leaky_relu"}),
        Case((*off_the_kink[:2], None), (0, 1), {"windows": make_windows((5,), 3, 2)}),
    ]


def transposed(x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **options: Any) -> Case:
    """Images of shape x and weights of shape w, from filters to channels."""
    own = {name: options.pop(name) for name in ("groups", "activation") if name in options}
    bias_of = real(w[-2] * own.get("groups", 1))
    inputs = (real(*x), real(*w), bias_of) if bias else (real(*x), real(*w))
    windows = make_transposed_windows(x[1:-1], w[:-2], **options)
    return Case(inputs, tuple(range(len(inputs))), {"windows": windows, **own})


def transposed_convolutions(n: int) -> list[Case]:
    off_the_kink = (apart(n, 3, 2), rng.integers(-2, 3, (3, 3, 2)).astype(float), np.full(3, 1 / 16))
    return [
        Case(off_the_kink, (0, 1, 2), {"windows": make_transposed_windows((3,), 3, 2), "activation": "leaky_relu"}),
        transposed((n, 4, 2), (3, 3, 2)),
        transposed((n, 3, 2, 3), (4, 4, 2, 3), stride=2, padding="same", activation="tanh"),
        transposed((n, 2, 2, 3, 2), (2, 3, 2, 1, 2), stride=(1, 2, 3), padding="same", activation="gelu"),
        transposed((n, 4, 1), (2, 2, 1), stride=3, bias=False),
        transposed((n, 3, 2), (3, 3, 2), stride=2, dilation=2, padding=1, size=8, activation="softplus"),
        transposed((n, 3, 4), (3, 3, 4), groups=2, stride=2, padding=1, activation="silu"),
        transposed((n, 3, 2, 3), (2, 2, 1, 3), groups=3, stride=2, padding="same", size=(5, 4), activation="softmax"),
    ]


def poolings(n: int) -> list[Case]:
    return [
        Case((apart(n, *size, 2),), options={"windows": make_windows(size, *arguments)})
        for size, *arguments in (
            ((6,), 2, 2),
            ((7,), 3, 2, "same"),
            ((5, 4), (2, 3), 1),
            ((5, 3), 2, 2, "same"),
            ((5, 4), 3, 2, 1),
            ((3, 2, 3), 2, 1, "same"),
            ((8,), 2, 3, "valid", 3),
        )
    ]


def upsamplings(n: int) -> list[Case]:
    return [
        Case((real(n, *grid, 2),), options={"factors": factors, "linear": linear})
        for grid, factors in (((4,), (2,)), ((3, 2), (1, 3)), ((2, 1, 3), (2, 4, 2)))
        for linear in (False, True)
    ]


def places(n: int) -> list[Places]:
    """For n rows: without gaps, in one run between gaps, and in runs of another order."""
    first = n // 2
    runs = Places(np.array([n + 1, 1]), np.array([first, n - first]), 2 * n + 3)
    return [Places(np.array([0]), np.array([n]), n), Places(np.array([2]), np.array([n]), n + 3), runs]


def spreadings(n: int) -> list[Case]:
    return [Case((real(n, 2),), options={"places": each}) for each in places(n)] + [
        Case((real(n, 3, 2),), options={"places": places(n)[1], "fill": 2.0})
    ]


def gatherings(n: int) -> list[Case]:
    return [Case((real(each.n_places, 2),), options={"places": each}) for each in places(n)]


def segments(n: int) -> list[Case]:
    """With and without empty ones, one after the other and anywhere, of rows of any shape."""
    few = [Segments(np.arange(1, n + 1)), Segments(np.full(n, 3)), Segments(np.ones(n, int)), Segments([0, n, 0, 2, 0])]
    few += [Segments.by(rng.integers(0, 3, 2 * n), 3), Segments.by(rng.permutation(np.arange(n) // 2), n)]
    return [
        *(Case((apart(each.n_rows, 2),), options={"segments": each}) for each in few),
        *(Case((apart(each.n_rows, *rest),), options={"segments": each}) for each in few[-3:] for rest in ((), (3, 2))),
    ]


def attentions(n: int) -> list[Case]:
    """Within samples of different lengths and across, with rows between their keys, and with some weights dropped."""
    within, causal = Scope([n, 2, n, 1]), Scope([3, n, 1], causal=True)
    across, gaps = Scope([2, n], [n, 3]), Scope([1, n], [n, n + 2], [1, n + 4], causal=True)
    dropout = {"kept": rng.random(2 * within.n_weights) > 0.3, "rate": 0.3}
    return [
        Case((real(2 * n + 3, 12),), options={"scope": within, "n_heads": 2}),
        Case((real(n + 4, 6),), options={"scope": causal, "n_heads": 1}),
        Case((real(n + 2, 4), real(n + 3, 8)), (0, 1), {"scope": across, "n_heads": 2}),
        Case((real(n + 1, 4), real(2 * n + 7, 8)), (0, 1), {"scope": gaps, "n_heads": 4}),
        Case((real(2 * n + 3, 12),), options={"scope": within, "n_heads": 2, **dropout}),
    ]


def rotations(n: int) -> list[Case]:
    return [
        Case((real(n, 12),), options={"cos": real(n, half), "sin": real(n, half), "turned": turned})
        for half, turned in ((2, 8), (1, 12), (6, 12))
    ]


def embeddings(n: int) -> list[Case]:
    return [Case((real(4, 3), rng.integers(0, 4, (n, *rest)))) for rest in ((), (2,))]


def recurrences(n: int) -> list[Case]:
    """Each cell over samples of different lengths and of one, from the front and from the end."""
    ragged, alike = Steps(rng.integers(1, 4, n)), Steps([2] * n)
    cases = []
    for name, cell in CELLS.items():
        gates = 2 * len(cell.logistic)
        parameters = (real(3, gates), real(2, gates), real(2 * cell.n_biases))
        x, state = real(ragged.n_positions, 3), real(n, 2 * cell.n_states)
        cases += [
            Case((x, *parameters), (0, 1, 2, 3), {"steps": ragged, "cell": name, "reverse": True}),
            Case((x, *parameters, state), (0, 1, 2, 3, 4), {"steps": ragged, "cell": name, "whole": True}),
            Case((real(n, 2, 3), *parameters, None), (0, 1, 2, 3), {"steps": alike, "cell": name}),
        ]
    return cases


def attentive_recurrences(n: int) -> list[Case]:
    """Samples of different lengths, and keys and values of others with gaps between them; from 0, and from a state."""
    steps, key_lengths = Steps(rng.integers(1, 4, n)), rng.integers(1, 4, n)
    starts = np.cumsum(key_lengths + 1) - key_lengths
    scope = Scope(steps.lengths, key_lengths, starts)
    shapes = [(steps.n_positions, 6), (3, 6), (2, 6), (2,), (2, 2), (int(starts[-1] + key_lengths[-1]), 5), (2,)]
    inputs = [real(*shape) for shape in shapes]
    options = {"steps": steps, "scope": scope}
    return [Case((*inputs, real(n, 5)), tuple(range(8)), options), Case(tuple(inputs), tuple(range(7)), options)]


def of_raw(n: int, draw_target: Callable, *each_options: dict) -> list[Case]:
    return [Case((apart(n, 3), draw_target(n, 3)), options=options) for options in each_options or ({},)]


def of_error(n: int, *each_options: dict) -> list[Case]:
    """Raw outputs that miss their targets, but by neither 0 nor 1."""
    target = real(n, 3)
    return [Case((target + apart(n, 3), target), options=options) for options in each_options or ({},)]


def classes(n: int, n_outputs: int) -> np.ndarray:
    return rng.integers(0, n_outputs, n)


def normalisations(n: int) -> list[Case]:
    grids = [(n, 4), (n, 3, 2), (n, 2, 3, 2), (n, 1)]
    return [Case((real(*grid), real(grid[-1]), real(grid[-1])), (0, 1, 2), {"epsilon": 1e-2}) for grid in grids]


def normalisations_and_activations(n: int) -> list[Case]:
    activated = [("tanh", (n, 4)), ("gelu", (n, 3, 2)), ("softmax", (n, 2, 3, 2))]
    return (
        normalisations(n)
        + [
            Case((real(*grid), real(grid[-1]), real(grid[-1])), (0, 1, 2), {"epsilon": 1e-2, "activation": name})
            for name, grid in activated
        ]
        + [Case((apart(n, 4), positive(4), 3 * apart(4)), (0, 1, 2), {"epsilon": 1e-2, "activation": "relu"})]
    )


def group_normalisations(n: int) -> list[Case]:
    shapes = [((n, 4), 2), ((n, 3, 6), 3), ((n, 2, 3, 4), 1), ((n, 5, 3), 3)]
    ragged = Segments(np.arange(2, n + 2))
    rows = {"groups": 2, "epsilon": 1e-2, "segments": ragged}
    return [
        Case((real(*shape), real(shape[-1]), real(shape[-1])), (0, 1, 2), {"groups": groups, "epsilon": 1e-2})
        for shape, groups in shapes
    ] + [
        Case((real(ragged.n_rows, 4), real(4), real(4)), (0, 1, 2), rows),
        Case((real(ragged.n_rows, 4), real(4), real(4)), (0, 1, 2), {**rows, "activation": "gelu"}),
        Case((real(n, 3, 4), real(4), real(4)), (0, 1, 2), {"groups": 2, "epsilon": 1e-2, "activation": "silu"}),
        Case((real(n, 2, 4), real(4), real(4)), (0, 1, 2), {"groups": 1, "epsilon": 1e-2, "activation": "softmax"}),
        Case((apart(n, 4), positive(4), 3 * apart(4)), (0, 1, 2), {"groups": 2, "epsilon": 1e-2, "activation": "relu"}),
    ]


def gates(n: int) -> list[Case]:
    ragged = Segments(np.arange(1, n + 1))
    return [Case((real(n, *grid, 3), real(n, 3)), (0, 1)) for grid in ((), (4,), (2, 3))] + [
        Case((real(ragged.n_rows, 3), real(n, 3)), (0, 1), {"segments": ragged})
    ]


def rescalings(n: int) -> list[Case]:
    grids = [("identity", (3,)), ("identity", (2, 3)), ("identity", (2, 2, 3)), ("silu", (2, 3)), ("relu", (3,))]
    return [
        Case((real(n, *rest), real(3), real(3)), (0, 1, 2), {"mean": real(3), "activation": name})
        for name, rest in grids
    ]


def sums(n: int) -> list[Case]:
    return [
        Case((real(n, *rest), real(n, *rest)), (0, 1), {"activation": name})
        for rest, name in [((4,), "identity"), ((3, 2), "relu"), ((4,), "gelu")]
    ]


def neighbours(n: int) -> list[Case]:
    return [Case((real(n, *rest, 2), real(n, *rest, 3)), (0, 1)) for rest in [(), (3,)]]


def droppings(n: int) -> list[Case]:
    return [Case((real(*shape), binary(*shape) > 0), options={"rate": 0.3}) for shape in [(n, 4), (n, 3, 2)]]


def splines(n: int) -> list[Case]:
    """Inside and outside of the interval, in both directions, of one bin and of several."""
    cases = [((n, 3), 4, 2.0, False), ((n, 3), 4, 2.0, True), ((n, 2), 1, 0.5, True), ((n,), 5, 3.0, False)]
    return [
        Case((1.5 * real(*shape), real(*shape, 3 * n_bins - 1)), (0, 1), {"bound": bound, "inverse": inverse})
        for shape, n_bins, bound, inverse in cases
    ]


COLUMNS = (slice(1, 4, 2), (2, 0), slice(0, 1))  # of states of three values


def affine_maps(n: int) -> list[Case]:
    return [Case((real(n, 3), real(n, 3, 2)), (0, 1), {"inverse": inverse}) for inverse in (False, True)]


def columns_taken(n: int) -> list[Case]:
    return [Case((apart(n, 4),), options={"which": which, "limit": limit}) for which in COLUMNS for limit in (inf, 1.0)]


def columns_moved(n: int) -> list[Case]:
    """By an affine map and by a spline, either way."""
    return [
        Case((real(n, 4), real(n, n_columns * each)), (0, 1), {"which": which, "inverse": inverse, **by})
        for which, n_columns in zip(COLUMNS, (2, 2, 1), strict=True)
        for each, by in ((2, {"move": affine}), (8, {"move": spline, "bound": 2.0}))
        for inverse in (False, True)
    ]


def columns_placed(n: int) -> list[Case]:
    widths = zip(COLUMNS, (2, 2, 1), strict=True)
    return [Case((real(n, 4), real(n, width), real(1)), (0, 1, 2), {"which": which}) for which, width in widths]


ROWS: dict[str, Callable[[int], list[Case]]] = {
    "activate": activations,
    "dense": dense_layers,
    "conv": convolutions,
    "conv_transpose": transposed_convolutions,
    "max_pool": poolings,
    "average_pool": poolings,
    "upsample": upsamplings,
    "softmax_cross_entropy": lambda n: of_raw(n, classes, {}, {"smoothing": 0.1}),
    "sigmoid_cross_entropy": lambda n: of_raw(n, binary, {}, {"smoothing": 0.1}),
    "margin_loss": lambda n: of_raw(n, binary, {"margin": 0.0}, {"margin": 1.0}),
    "squared_error": of_error,
    "absolute_error": of_error,
    "huber_error": lambda n: of_error(n, {}, {"delta": 0.5}),
    "quantile_error": lambda n: of_error(n, {}, {"quantile": 0.9}, {"quantile": [0.1, 0.5, 0.9]}),
    "poisson_deviance": lambda n: of_raw(n, lambda *shape: rng.poisson(2.0, shape).astype(float)),
    "average": lambda n: [Case((real(n),)), Case((real(n), positive(n))), Case((real(n), np.zeros(n)))],
    "batch_norm": normalisations_and_activations,
    "layer_norm": normalisations,
    "group_norm": group_normalisations,
    "gate": gates,
    "shift": gates,
    "rescale": rescalings,
    "join": sums,
    "concat": neighbours,
    "drop": droppings,
    "attention": attentions,
    "rotate": rotations,
    "embed": embeddings,
    "spread": spreadings,
    "gather": gatherings,
    "recurrence": recurrences,
    "attentive_recurrence": attentive_recurrences,
    "segment_max": segments,
    "segment_mean": segments,
    "segment_sum": segments,
    "segment_softmax": segments,
    "spline": splines,
    "affine": affine_maps,
    "columns": columns_taken,
    "moved": columns_moved,
    "placed": columns_placed,
    "standard_normal": lambda n: [Case((real(n, 4),))],
    "mix": lambda n: [Case((real(n, d), real(d), real(d), real(d, d)), (0, 1, 2, 3)) for d in (1, 4)],
}

SUMS_IN_FLOAT64 = {"average"}

WITHOUT_MEMBERS = {"conv", "conv_transpose", "max_pool", "average_pool", "upsample", "spread", "gather"} | {
    *("affine", "columns", "moved", "placed", "standard_normal", "mix"),
    *("gate", "shift", "attention", "rotate", "embed", "recurrence", "attentive_recurrence", "spline"),
    *(name for name in ROWS if name.startswith("segment_")),
}


def of_members(name: str, n: int) -> list[list[Case]]:
    """Cases of three members, each with inputs of its own, that can stand side by side."""
    cases = zip(*(ROWS[name](n) for _ in range(3)), strict=True)
    return [list(each) for each in cases if name != "dense" or _has_rows(each[0].inputs[0])]


def _has_rows(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 1


def side_by_side(cases: Sequence[Case]) -> Case:
    """The inputs of all members, and the options that are arrays, with an axis of members in front."""
    first = cases[0]
    inputs = [
        None if each[0] is None else np.stack(each) for each in zip(*(case.inputs for case in cases), strict=True)
    ]
    options = {key: [case.options[key] for case in cases] for key in first.options}
    stacked = {key: np.stack(each) if isinstance(each[0], np.ndarray) else each[0] for key, each in options.items()}
    return Case(tuple(inputs), first.wrt, stacked)


ALONE = [
    pytest.param(Operation.table[name], case, id=f"{name}-{i}-{'batch of one' if n == 1 else 'batch'}")
    for name, rows in ROWS.items()
    for n in (5, 1)
    for i, case in enumerate(rows(n))
]
SIDE_BY_SIDE = [
    pytest.param(Operation.table[name], side_by_side(cases), id=f"{name}-{i}-members")
    for name in ROWS
    if name not in WITHOUT_MEMBERS
    for i, cases in enumerate(of_members(name, 4))
]
each_case = pytest.mark.parametrize(("operation", "case"), ALONE + SIDE_BY_SIDE)
each_case_alone = pytest.mark.parametrize(("operation", "case"), ALONE)


def test_every_fused_operation_has_a_row():
    fused = {name: each for name, each in Operation.table.items() if isinstance(each, Fused)}
    assert sorted(ROWS) == sorted(name for name, each in fused.items() if each.forward.__module__.startswith("sknn."))


def seed_for(y: Any) -> np.ndarray:
    return np.cos(1.0 + np.arange(np.size(y))).reshape(np.shape(y)).astype(y.dtype)


def watched(case: Case) -> tuple[list, list[Tensor]]:
    """The inputs with leaves in the place of those that are differentiated, and the leaves."""
    inputs = [Tensor(x) if i in case.wrt else x for i, x in enumerate(case.inputs)]
    return inputs, [inputs[i] for i in case.wrt]


def value_and_gradients(function: Callable, case: Case, seed: np.ndarray | None = None) -> list[np.ndarray]:
    inputs, leaves = watched(case)
    y = function(*inputs, **case.options)
    return [y.value, *grad(y, leaves, seed=seed_for(y) if seed is None else seed)]


def converted(x: Any, convert: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A dense array converted; anything else as it is."""
    return convert(x) if isinstance(x, np.ndarray) else x


def freeze(kept: Any) -> None:
    """Make every array in what was given or kept read-only."""
    if isinstance(kept, tuple | list):
        for part in kept:
            freeze(part)
    elif sparse.issparse(kept):
        freeze((kept.data, kept.indices, kept.indptr))
    elif isinstance(kept, np.ndarray):
        kept.flags.writeable = False


@each_case
def test_value_is_that_of_the_reference(operation, case):
    expected = operation.refer(*case.inputs, **case.options)
    on_arrays = operation(*case.inputs, **case.options)
    assert not isinstance(on_arrays, Tensor)
    for y in (on_arrays, operation(*watched(case)[0], **case.options).value):
        assert np.shape(y) == np.shape(expected)
        assert_allclose(y, expected, rtol=1e-12, atol=1e-14)


@each_case
def test_gradients_are_those_of_the_reference(operation, case):
    by_hand, derived = value_and_gradients(operation, case), value_and_gradients(operation.refer, case)
    for x, g, expected in zip((case.inputs[i] for i in case.wrt), by_hand[1:], derived[1:], strict=True):
        assert g.shape == x.shape
        assert_allclose(g, expected, rtol=1e-10, atol=1e-12)


@each_case
def test_first_and_second_derivative(operation, case):
    def function(*xs):
        inputs = list(case.inputs)
        for i, x in zip(case.wrt, xs, strict=True):
            inputs[i] = x
        return operation(*inputs, **case.options)

    check_grads(function, *(case.inputs[i] for i in case.wrt))


@each_case
def test_jets_equal_nested_gradients(operation, case):
    inputs = dict(enumerate(case.inputs))
    velocities = {i: np.sin(1.0 + np.arange(inputs[i].size)).reshape(inputs[i].shape) for i in case.wrt}

    def along(t):
        moved = {i: inputs[i] + t * v for i, v in velocities.items()}
        return operation(*(inputs | moved).values(), **case.options)

    terms = jet(along, np.array(0.0), np.array(1.0), order=3)
    t = Tensor(0.0)
    weights = seed_for(terms[0])
    nested = p.sum(p.multiply(weights, along(t)))
    for term in terms:
        assert_allclose(np.sum(weights * term), nested.value, rtol=1e-10, atol=1e-10)
        nested = grad(nested, t, create_graph=True)


FACTORED = [name for name, each in Operation.table.items() if each.has_factors]


@each_case_alone
def test_what_each_sample_adds_to_the_gradients(operation, case):
    inputs, leaves = watched(case)
    y = operation(*inputs, **case.options)
    if operation.__name__ not in FACTORED:
        with pytest.raises(TypeError, match=f"{operation.__name__} does not say"):
            operation.factors(y, seed_for(y))
        return
    x, slopes = operation.factors(y, seed_for(y))
    expected = dict(zip(case.wrt, grad(y, leaves, seed=seed_for(y)), strict=True))
    assert_allclose(np.tensordot(x, slopes, (range(x.ndim - 1),) * 2), expected[1], rtol=1e-10, atol=1e-12)
    if 2 in expected:
        assert_allclose(slopes.reshape(-1, slopes.shape[-1]).sum(axis=0), expected[2], rtol=1e-10, atol=1e-12)


@each_case
def test_gradient_of_one_input_alone(operation, case):
    together = value_and_gradients(operation, case)
    for i, expected in zip(case.wrt, together[1:], strict=True):
        assert_allclose(value_and_gradients(operation, case._replace(wrt=(i,)))[1], expected, rtol=1e-14)


@each_case
def test_gradients_are_written_into_sinks_and_added_there(operation, case):
    inputs, _ = watched(case)
    leaves = [Tensor(case.inputs[i], sink=np.full_like(case.inputs[i], np.nan)) for i in case.wrt]
    for i, leaf in zip(case.wrt, leaves, strict=True):
        inputs[i] = leaf
    expected = value_and_gradients(operation, case)[1:]
    for n_uses in (1, 2):
        ys = [operation(*inputs, **case.options) for _ in range(n_uses)]
        backward(p.sum(p.multiply(sum(ys), seed_for(ys[0]))), leaves)
        for leaf, g in zip(leaves, expected, strict=True):
            assert_allclose(leaf.sink, n_uses * g, rtol=1e-12, atol=1e-14)


@each_case
def test_nothing_given_or_kept_is_changed(operation, case):
    expected = value_and_gradients(operation, case)
    frozen = case._replace(inputs=tuple(x.copy() if hasattr(x, "copy") else x for x in case.inputs))
    freeze(frozen.inputs)
    inputs, leaves = watched(frozen)
    y = operation(*inputs, **case.options)
    g = seed_for(y)
    freeze((g, y.value, y.saved))
    for _ in range(2):  # what was kept serves a second pass as well as the first
        found = [y.value, *grad(y, leaves, seed=g)]
        for value, before in zip(found, expected, strict=True):
            assert_array_equal(value, before)


LAYOUTS = {
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "reversed": lambda x: x[::-1].copy()[::-1] if x.ndim else x,
    "column by column": lambda x: np.array(x, order="F"),
}


@each_case
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_inputs_of_any_memory_layout(operation, case, layout):
    expected = value_and_gradients(operation, case)
    moved = case._replace(inputs=tuple(converted(x, layout) for x in case.inputs))
    found = value_and_gradients(operation, moved, seed=layout(np.asarray(seed_for(expected[0]))))
    for value, before in zip(found, expected, strict=True):
        assert_allclose(value, before, rtol=1e-12, atol=1e-14)


@each_case
def test_float32_stays_float32(operation, case):
    single = case._replace(
        inputs=tuple(x.astype(np.float32) if getattr(x, "dtype", None) == np.float64 else x for x in case.inputs)
    )
    value, *gradients = value_and_gradients(operation, single)
    assert value.dtype == (np.float64 if operation.__name__ in SUMS_IN_FLOAT64 else np.float32)
    assert {g.dtype for g in gradients} == {np.dtype(np.float32)}
    for found, expected in zip((value, *gradients), value_and_gradients(operation, case), strict=True):
        assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    derived = value_and_gradients(operation.refer, single)
    assert {each.dtype for each in derived} == {np.dtype(np.float32)}


def halved(x: Any, i: int) -> Any:
    """Inputs after the first in float32; what has no precision as it is."""
    return x.astype(np.float32) if i and getattr(x, "dtype", None) == np.float64 else x


@each_case
def test_sinks_of_float32_behind_samples_of_float64(operation, case):
    mixed = case._replace(inputs=tuple(halved(x, i) for i, x in enumerate(case.inputs)))
    inputs, _ = watched(mixed)
    leaves = []
    for i in case.wrt:
        leaf = inputs[i] = Tensor(mixed.inputs[i], sink=np.full_like(mixed.inputs[i], np.nan))
        leaves.append(leaf)
    y = operation(*inputs, **case.options)
    backward(p.sum(p.multiply(y, seed_for(y))), leaves)
    for leaf, expected in zip(leaves, value_and_gradients(operation, case)[1:], strict=True):
        assert_allclose(leaf.sink, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 4, 33, 150])
@pytest.mark.parametrize("name", [name for name in ROWS if name not in WITHOUT_MEMBERS])
def test_members_side_by_side_have_the_bits_of_each_alone(name, n, dtype):
    for cases in of_members(name, n):
        cases = [
            case._replace(inputs=tuple(x if x is None or x.dtype.kind != "f" else x.astype(dtype) for x in case.inputs))
            for case in cases
        ]
        together = value_and_gradients(Operation.table[name], side_by_side(cases))
        seed = seed_for(together[0])
        for k, case in enumerate(cases):
            for found, expected in zip(
                together, value_and_gradients(Operation.table[name], case, seed[k]), strict=True
            ):
                assert_array_equal(found[k], expected)


@pytest.mark.parametrize("name", ["group_norm", "gate", "shift", "upsample", "spline"])
def test_of_no_samples_there_is_nothing(name):
    for case in ROWS[name](2):
        if case.options.get("segments") is None:
            inputs = [x[:0] if i == 0 or name in ("gate", "shift", "spline") else x for i, x in enumerate(case.inputs)]
            assert Operation.table[name](*inputs, **case.options).size == 0
