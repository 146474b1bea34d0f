"""What stands in place of an array while a computation is followed, and what NumPy is told that meets it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from .tape import Operation


class Traced:
    """What operations follow instead of computing on it directly; of two kinds the higher `rank` leads."""

    __slots__ = ()
    operators: ClassVar[dict[Callable, Callable]] = {}  # by NumPy's functions, which `array + traced` calls
    rank = 0
    value: Any

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: self.value.dtype)

    __hash__ = object.__hash__  # although == compares values

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        if _asked_by_sparse_matmul():
            unreadable = np.empty((), object)
            unreadable[()] = self
            return unreadable
        raise self._unfollowed()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or ufunc not in self.operators:
            raise self._unfollowed(ufunc if method == "__call__" else None)
        if options:
            raise TypeError(f"NumPy cannot follow a {type(self).__name__} into an array: write a = a + b for a += b")
        return self.operators[ufunc](*inputs)

    def __array_function__(self, function: Callable, types: Any, inputs: tuple, options: dict) -> Any:
        if function in (np.shape, np.ndim, np.size) and len(inputs) == 1:
            return getattr(inputs[0], function.__name__)
        raise self._unfollowed(function)

    def _unfollowed(self, function: Callable | None = None) -> TypeError:
        """What is wrong with a function of NumPy, and what does the same here."""
        ours = "sknn.autodiff.primitives" if function is None else _instead_of(function)
        through = "" if function is None else f" through {function.__name__}"
        kind = type(self).__name__
        return TypeError(f"NumPy cannot follow a {kind}{through}: use {ours}, or its .value for a constant")

    @staticmethod
    def apply(operation: Operation, inputs: tuple, options: dict) -> Any:
        """What the operation gives for inputs of this kind."""
        raise TypeError("Traced is a base class; trace a computation with Tensor or Jet")


def _asked_by_sparse_matmul() -> bool:
    """Whether an array is asked for in ``A @ traced``, by the method of a scipy.sparse A.

    This leaves the product to the other operand, so to its ``__rmatmul__``, only if NumPy cannot read that as an array,
    by which it means: not as anything but a single object. No attribute could tell it so.
    """
    caller = sys._getframe(2)
    return caller.f_code.co_name == "_matmul_dispatch" and caller.f_back.f_code.co_name == "__matmul__"  # type: ignore[union-attr]


def _instead_of(function: Callable) -> str:
    """Where that stands which can be followed: most has NumPy's names."""
    from . import primitives

    same = [name for name, each in vars(primitives).items() if getattr(each, "function", None) is function]
    name = (*same, function.__name__)[0]
    return f"sknn.autodiff.primitives{f'.{name}' if callable(getattr(primitives, name, None)) else ''}"
