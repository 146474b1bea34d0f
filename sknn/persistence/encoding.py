"""Objects as JSON and arrays, and back: values of a closed set of types, and objects of classes that are registered.

What an object keeps it says by Python's own means, so that pickle, copy and files agree: the fields of a dataclass,
what ``__reduce__`` gives, or ``__getstate__``. In the JSON a dict with one entry stands for what JSON has no word
for: ``{"tuple": [1, 2]}``.
"""

from __future__ import annotations

import copyreg
import os
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from math import isfinite, prod
from reprlib import repr as shortened
from types import FunctionType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..autodiff.tape import Array
from ..nn import Network
from .archive import KINDS
from .registry import function, known, name_in_files

PLAIN = (type(None), bool, int, str)
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
TYPES = {  # what dtypes are chosen by
    f"{each.__module__}.{each.__name__}": each
    for each in (object, bool, int, float, complex, str, bytes, *vars(np).values())
    if isinstance(each, type) and (each.__module__ == "builtins" or issubclass(each, np.generic))
}
NETWORK = ("layers", "input_shape", "theta", "state", "rates")  # what all else about a network follows from
CALLBACKS = "_skl_callbacks"  # they watch a fit, and are no part of a model


class Encoder:
    """Encodes one object, with all that it consists of; what occurs twice in it will again be one.

    Attributes
    ----------
    arrays : list of ndarray
        Those that the JSON refers to by their number.
    """

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._seen: dict[int, dict[str, int]] = {}
        self._alive: list[Any] = []  # an id is one only as long as its object lives

    def encode(self, value: Any, path: str) -> Any:
        """What stands for a value in JSON.

        Parameters
        ----------
        value : object
            What is to be kept.
        path : str
            Where it stands, for errors.

        Raises
        ------
        TypeError
            If it is, or holds, something that a file without code cannot hold.
        """
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        kind: Any = type(value)
        if kind in PLAIN:
            return value
        if kind is float:
            return value if isfinite(value) else {"float": str(value)}
        if kind is list:
            return self._items(value, path)
        if kind is tuple:
            return {"tuple": self._items(value, path)}
        if kind is dict:
            pairs = [[self.encode(k, f"a key of {path}"), self.encode(v, f"{path}[{k!r}]")] for k, v in value.items()]
            return {"dict": pairs}
        if kind is slice:
            return {"slice": self._items([value.start, value.stop, value.step], path)}
        if isinstance(value, np.dtype) and value.kind in KINDS:
            return {"dtype": value.str}
        if TYPES.get(_name(value)) is value:
            return {"type": _name(value)}
        if _is_function_of_numpy(value):
            return {"ufunc": value.__name__}
        if _is_function_of_sknn(value):
            return {"function": value.__name__}
        if isinstance(value, np.generic) and value.dtype.kind in KINDS:
            return {"scalar": self._number(np.asarray(value))}
        return self._seen[id(value)] if id(value) in self._seen else self._new(value, path)

    def _items(self, values: Sequence[Any], path: str) -> list[Any]:
        return [self.encode(value, f"{path}[{k}]") for k, value in enumerate(values)]

    def _new(self, value: Any, path: str) -> Any:
        """Of something that may occur again."""
        number = len(self._alive)
        self._alive.append(value)
        self._seen[id(value)] = {"same": number}
        if type(value) in (np.ndarray, np.memmap):
            return {"array": {"number": number, **self._array(value, path)}}
        if isinstance(value, np.random.RandomState):
            return {"random_state": {"number": number, "state": self.encode(value.get_state(legacy=False), path)}}
        return {"object": {"number": number, **self._object(value, path)}}

    def _array(self, value: Array, path: str) -> dict[str, Any]:
        if value.dtype == object:
            return {"shape": list(value.shape), "items": self._items(value.ravel().tolist(), path)}
        if value.dtype.kind not in KINDS:
            raise TypeError(f"{path} is an array of dtype {value.dtype}, which files of sknn.save cannot hold")
        return {"file": self._number(value)}

    def _number(self, array: Array) -> int:
        self.arrays.append(array)
        return len(self.arrays) - 1

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        cls = type(value)
        name = name_in_files(cls)
        if name is None:
            raise TypeError(_refusal(value, path))
        if fault := _fault(value):
            raise TypeError(f"{path}: {fault}")
        how = {"class": name}
        if cls is Network:
            return {**how, "network": self._named({name: getattr(value, name) for name in NETWORK}, path)}
        if is_dataclass(value):
            named = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
            return {**how, "fields": self._named(named, path)}
        make, args, state = (*value.__reduce_ex__(2), None)[:3]
        if make is cls:
            return {**how, "args": self._items(args, path)}
        if make is not copyreg.__newobj__ or not isinstance(state, dict | None):  # type: ignore[attr-defined]
            raise TypeError(f"{path}={shortened(value)} cannot be saved: its class says by no dict what it keeps")
        kept = {name: each for name, each in (state or {}).items() if name != CALLBACKS}
        return {**how, "new": self._items(args[1:], path), "state": self._named(kept, path)}

    def _named(self, values: dict[str, Any], path: str) -> dict[str, Any]:
        return {name: self.encode(value, f"{path}.{name}") for name, value in values.items()}


def _name(cls: Any) -> str:
    """The full name of a class; of anything else no such."""
    return f"{cls.__module__}.{cls.__name__}" if isinstance(cls, type) else ""


def _is_function_of_numpy(value: Any) -> bool:
    return isinstance(value, np.ufunc) and getattr(np, value.__name__, None) is value


def _is_function_of_sknn(value: Any) -> bool:
    return isinstance(value, FunctionType) and function(value.__name__) is value


def _refusal(value: Any, path: str) -> str:
    """Why an object of a class that is not known cannot be kept, and what to do."""
    cls = type(value)
    if callable(value) and hasattr(value, "__name__"):
        what = f"{path} is {value.__module__}.{value.__name__}"
        return f"{what}: code, which files of sknn.save do not hold; choose a name instead, or use pickle or joblib"
    what = f"{path}={shortened(value)} cannot be saved"
    if hasattr(value, "best_estimator_"):
        return f"{what}: of a search save its best_estimator_"
    if cls.__module__ == "builtins":
        return f"{what}: files of sknn.save hold no {cls.__name__}; use pickle or joblib"
    return (
        f"{what}: {cls.__name__} of {cls.__module__} is not among the classes that files may name; register it with "
        f"sknn.register({cls.__name__}), or use pickle or joblib"
    )


def _fault(value: Any) -> str | None:
    """What is wrong with an object that a file is to hold; None if nothing is."""
    if isinstance(value, BaseEstimator) and getattr(value, "memory", None) is not None:
        return f"memory={value.memory!r} names a folder of pickles, which are code; set memory=None"
    return None


class Decoder:
    """Makes objects again of what an :class:`Encoder` has made of them.

    Parameters
    ----------
    arrays : callable
        The array of a number.
    """

    def __init__(self, arrays: Callable[[int], Array]) -> None:
        self._arrays = arrays
        self._made: dict[int, Any] = {}
        self._by_tag: dict[str, Callable[[Any], Any]] = {
            "float": float,
            "tuple": lambda items: tuple(self._items(items)),
            "dict": lambda pairs: {self.decode(k): self.decode(v) for k, v in pairs},
            "slice": lambda ends: slice(*self._items(ends)),
            "dtype": _dtype,
            "type": TYPES.__getitem__,
            "ufunc": _ufunc,
            "function": _function,
            "scalar": lambda number: self._arrays(number)[()],
            "same": lambda number: self._made[number],
            "array": self._array,
            "random_state": self._random_state,
            "object": self._object,
        }

    def decode(self, tree: Any) -> Any:
        """The value that stands in the JSON.

        Raises
        ------
        ValueError
            If nothing can be made of it; other errors, if it has been tampered with.
        """
        if isinstance(tree, list):
            return self._items(tree)
        if not isinstance(tree, dict):
            return tree
        ((tag, content),) = tree.items()
        return self._by_tag[tag](content)

    def _items(self, trees: Any) -> list[Any]:
        return [self.decode(tree) for tree in trees]

    def _named(self, trees: Any) -> dict[str, Any]:
        return {name: self.decode(tree) for name, tree in trees.items()}

    def _array(self, content: Any) -> Array:
        if "file" in content:
            array = self._arrays(content["file"])
        else:
            items, shape = self._items(content["items"]), content["shape"]
            if prod(shape) != len(items) or min(shape, default=0) < 0:
                raise ValueError(f"an array of shape {shape} has {len(items)} items")
            array = np.empty(len(items), object)
            for k, item in enumerate(items):
                array[k] = item
            array = array.reshape(shape)
        self._made[content["number"]] = array
        return array

    def _random_state(self, content: Any) -> np.random.RandomState:
        state = self.decode(content["state"])
        if state["bit_generator"] not in BIT_GENERATORS:
            raise ValueError(f"there is no bit generator {state['bit_generator']!r}")
        rng = np.random.RandomState(getattr(np.random, state["bit_generator"])())
        rng.set_state(state)
        self._made[content["number"]] = rng
        return rng

    def _object(self, content: Any) -> Any:
        name = content["class"]
        cls: Any = known(name)
        if cls is None:
            raise ValueError(
                f"it holds a {name}, which is no class of sknn; if it is one of yours, import the module that defines "
                f"it and call sknn.register({name}) before loading"
            )
        value = self._made[content["number"]] = self._begun(cls, content)
        if "state" in content and (state := self._named(content["state"])):
            if hasattr(cls, "__setstate__"):
                value.__setstate__(state)
            else:
                vars(value).update(state)
        if fault := _fault(value):
            raise ValueError(fault)
        return value

    def _begun(self, cls: Any, content: Any) -> Any:
        """The object, complete where it is made by a call; its class, not the file, says how it is made."""
        if cls is Network:
            return _network(**self._named(content["network"]))
        if is_dataclass(cls):
            return cls(**self._named(content["fields"]))  # type: ignore[operator]
        if "__reduce__" in vars(cls):
            return cls(*self._items(content["args"]))
        return cls.__new__(cls, *self._items(content["new"]))


def _network(layers: Any, input_shape: Any, theta: Array, state: Array, rates: Any) -> Network:
    """Built anew, so that where the parameters lie is what the layers say, and not what a file may say."""
    network = Network(layers, input_shape, np.random.RandomState(0), theta.dtype)
    found, wanted = (theta, state), (network.theta, network.state)
    if theta.dtype.kind != "f" or [(a.shape, a.dtype) for a in found] != [(a.shape, a.dtype) for a in wanted]:
        raise ValueError(
            f"{network!r} cannot have parameters of shape {theta.shape} and dtype {theta.dtype}, and statistics of "
            f"shape {state.shape} and dtype {state.dtype}"
        )
    for mine, read in zip(wanted, found, strict=True):
        mine[:] = read
    network.train_at(rates)
    return network


def _dtype(name: Any) -> np.dtype:
    dtype = np.dtype(str(name))
    if dtype.kind not in KINDS:
        raise ValueError(f"an array of dtype {dtype} is not allowed")
    return dtype


def _ufunc(name: Any) -> np.ufunc:
    found = getattr(np, str(name), None)
    if not isinstance(found, np.ufunc):
        raise ValueError(f"NumPy has no function {name!r}")
    return found


def _function(name: Any) -> Callable:
    found = function(str(name))
    if found is None:
        raise ValueError(f"sknn has no function {name!r} that files may name")
    return found
