"""Transfer: networks that begin with the weights of another one, of which some are frozen and others trained slowly."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from copy import deepcopy
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from ..autodiff.tape import Array
from ..description import is_integer
from ..nn import Network, Parts
from ..nn.trainable import Place
from .parameters import interval, parameter

PRETRAINED = parameter(
    default=None,
    allowed=(Network, Parts, BaseEstimator, str, os.PathLike, None),
    text="Whose weights a first fit begins with: a network, a fitted estimator in scikit-learn's ``FrozenEstimator``, "
    "or the path of a file of :func:`save`. They are matched by the names of parameters and have to fit, but for those "
    "of the output layer, which begins anew where its shape, the classes or the kind of target are others. Running "
    "statistics come along, and the scaling of the inputs that an estimator has learnt. None: weights are drawn.",
)
FREEZE = parameter(
    default=0,
    allowed=(interval(Integral, "[0, inf)"), str, "array-like"),
    text="What is not trained: the first so many layers with weights (a block that holds several counts once), or the "
    "names of parameters or layers, such as ``['0', '2.1.weight']``. Norms of frozen layers keep their statistics. "
    "Without `pretrained` it is what was drawn that stays: random features.",
)
FINE_TUNE_RATE = parameter(
    default=0.1,
    interval="(0, inf)",
    text="A factor on the learning rate of weights that come from `pretrained` and are not frozen; 1: they are trained "
    'as all others. Not for "lbfgs", which has no learning rate.',
)


class Start(NamedTuple):
    """What new networks begin with.

    Attributes
    ----------
    names : tuple of str
        Of the parameters that were loaded.
    scaling : Any
        Of the inputs.
    is_scaled : bool
        Whether `scaling` says all; otherwise it is to be learnt.
    """

    names: tuple[str, ...] = ()
    scaling: Any = None
    is_scaled: bool = False


def check_transfer(estimator: Any) -> None:
    """Raise ValueError if `pretrained` is an estimator that clones do not keep."""
    given = estimator.pretrained
    if isinstance(given, BaseEstimator) and not isinstance(given, FrozenEstimator):
        raise ValueError(
            f"pretrained={given!r} would lose its weights when it is cloned, as searches and cross-validation do: give "
            "it in scikit-learn's FrozenEstimator, or the path of a file of sknn.save"
        )


def begin_from(estimator: Any, network: Any, target: Any) -> Start:
    """Give new networks the weights and running statistics of `pretrained`, if there is one.

    Raises
    ------
    ValueError
        If parameters or statistics are missing, left over, or of another shape where they may not be, or if the inputs
        were scaled in another way.
    """
    if estimator.pretrained is None:
        return Start()
    source, there = _source(estimator.pretrained)
    output = _output(network)
    anew = {name for name in network.names if name.startswith(output)}
    fits = all(_shape(there.names, name) == _shape(network.names, name) for name in anew)
    if fits and not _is_another_task(source, target):
        anew = set()
    faults = [
        *_faults(there.names, network.names, but=anew),
        *_faults(there.state_names, network.state_names),
    ]
    if faults:
        raise ValueError(
            f"pretrained={_told(estimator.pretrained)} does not fit this network: {'; '.join(faults)}. Only the output "
            f"layer {output.rstrip('.')!r} may have another shape"
        )
    loaded = tuple(name for name in network.names if name not in anew)
    for name in loaded:
        _copy(there.theta, there.names[name], network.theta, network.names[name])
    for name, place in network.state_names.items():
        _copy(there.state, there.state_names[name], network.state, place)
    return Start(loaded, *_scaling(estimator, source))


def set_rates(estimator: Any, network: Any) -> None:
    """Have networks train what was loaded slowly, and what is frozen not at all.

    Raises
    ------
    ValueError
        If there is nothing of a name that `freeze` holds, or nothing is left to train.
    """
    wanted = dict.fromkeys(estimator._loaded, float(estimator.fine_tune_rate))
    wanted.update(dict.fromkeys(_frozen(estimator.freeze, network), 0.0))
    if wanted != network.rates:
        network.train_at(wanted)
        if not network.trained:
            raise ValueError(f"freeze={estimator.freeze!r} leaves nothing to train: {_told_layers(network)}")


# -- what is transferred -------------------------------------------------------------------------------------------


def _source(given: Any) -> tuple[Any, Any]:
    """The estimator and its networks; no estimator where networks come alone."""
    if isinstance(given, Network | Parts):
        return None, given
    estimator = given.estimator if isinstance(given, FrozenEstimator) else _loaded(given)
    if not isinstance(getattr(estimator, "network_", None), Network | Parts):
        raise ValueError(f"pretrained={_told(given)} holds no fitted network of sknn, but {estimator!r}")
    return estimator, estimator.network_


def _loaded(path: Any) -> Any:
    from .. import load

    try:
        return load(path)
    except OSError as error:
        raise ValueError(f"pretrained={path!r} is no file that can be read: {error}") from error


def _told(given: Any) -> str:
    """Which one it is, in a few words."""
    if isinstance(given, Network | Parts):
        return f"{type(given).__name__}(...)"
    return f"FrozenEstimator({type(given.estimator).__name__}(...))" if hasattr(given, "estimator") else repr(given)


def _is_another_task(source: Any, target: Any) -> bool:
    """Whether the outputs of an estimator mean something else than those for a target: other classes, another link."""
    if source is None or target is None or source._target is None:
        return False
    before, now = source._target, target
    return before.loss.link != now.loss.link or not _same(
        before.attributes.get("classes_"), now.attributes.get("classes_")
    )


def _same(one: Any, other: Any) -> bool:
    """Whether these are the same classes, be they in one array or in several."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one is other if one is None or other is None else bool(np.array_equal(one, other))


def _scaling(estimator: Any, source: Any) -> tuple[Any, bool]:
    """The scaling of the inputs that comes along, and whether one does."""
    if source is None:
        return None, False
    kind = getattr(source.input_scaling_, "kind", None)
    if kind != estimator.input_scaling:
        raise ValueError(
            f"input_scaling={estimator.input_scaling!r} does not go with a pretrained network whose inputs had "
            f"input_scaling={kind!r}: its weights mean nothing under another scale"
        )
    return deepcopy(source.input_scaling_), True


def _faults(there: dict[str, Place], here: dict[str, Place], but: Collection[str] = ()) -> Iterator[str]:
    """What does not fit, in words."""
    for name, place in here.items():
        if name not in there:
            yield f"{name!r} is missing there"
        elif name not in but and there[name].shape != place.shape:
            yield f"{name!r} has the shape {there[name].shape} there and {place.shape} here"
    for name in there.keys() - here.keys():
        yield f"{name!r} is left over"


def _shape(places: dict[str, Place], name: str) -> Any:
    return places[name].shape if name in places else None


def _copy(source: Array, there: Place, target: Array, here: Place) -> None:
    target[here.start : here.stop] = source[there.start : there.stop]


# -- which parameters are meant ------------------------------------------------------------------------------------


def _output(network: Any) -> str:
    """What the names of the parameters of the last layer with weights begin with."""
    if network.parts:
        name, part = next((name, part) for name, part in reversed(network.parts.items()) if hasattr(part, "weighted"))
        return f"{name}.{_output(part)}"
    if not network.weighted:
        return "."
    top = str(network.weighted[-1])
    within = [name for name in network.layers_by_name if f"{name}.".startswith(f"{top}.")]
    with_parameters = {name.rpartition(".")[0] for name in network.names}
    return next((f"{name}." for name in reversed(within) if name in with_parameters), f"{top}.")


def _frozen(freeze: Any, network: Any) -> set[str]:
    """The names of the parameters that are frozen."""
    if is_integer(freeze):
        return {name for layer in _in_order(network)[:freeze] for name in layer}
    named = [freeze] if isinstance(freeze, str) else list(freeze)
    found: set[str] = set()
    for each in named:
        below = {name for name in network.names if name == each or name.startswith(f"{each}.")}
        if not below:
            raise ValueError(f"freeze={freeze!r} names {each!r}, but {_told_layers(network)}")
        found |= below
    return found


def _in_order(network: Any) -> list[list[str]]:
    """The names of the parameters of each layer with weights, with those of what accompanies it."""
    if network.parts:
        return [
            [f"{name}.{own}" for own in layer]
            for name, part in network.parts.items()
            if hasattr(part, "weighted")
            for layer in _in_order(part)
        ]
    ends = [*network.weighted[1:], len(network.layers)]
    return [
        [name for name in network.names if start <= int(name.partition(".")[0]) < end]
        for start, end in zip([0, *ends], ends, strict=False)
    ]


def _told_layers(network: Any) -> str:
    names = sorted({name.rpartition(".")[0] for name in network.names})
    return f"the layers with weights are {', '.join(map(repr, names))}"
