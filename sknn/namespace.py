"""Flat namespaces whose names are loaded when they are first asked for (PEP 562).

What a package offers stands in its ``__init__.pyi``, a line for each name, where checkers and editors read it too::

    from .estimators.dense.mlp import MLPClassifier as MLPClassifier

Packages within it (``from . import nn as nn``) can be reached too, but are no names of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

LINE = re.compile(r"^from (\.\S*) import (\w+) as \2$", re.MULTILINE)


def lazy(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package, and its ``__all__``.

    Parameters
    ----------
    package : str
        Its ``__name__``; a file ``__init__.pyi`` lies beside its ``__init__.py``.

    Returns
    -------
    getattr_, dir_, all_ : callable, callable, list of str
        For the package to take as its own.
    """
    module = sys.modules[package]
    stub = Path(str(module.__file__)).with_name("__init__.pyi").read_text("utf-8")
    homes = {name: home for home, name in LINE.findall(stub)}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        value = import_module(f".{name}", package) if home == "." else getattr(import_module(home, package), name)
        setattr(module, name, value)  # the next time it is there
        return value

    def names() -> list[str]:
        return sorted(vars(module).keys() | homes.keys())

    return load, names, sorted(name for name, home in homes.items() if home != ".")
