"""The reference, from what the modules offer: a page for each public module, from which autosummary goes on.

A module of sknn is public unless it is one of `INSIDE`; its names are its ``__all__``, or else the classes and
functions that it defines itself. The names of `sknn` stand under the rooms that hold them.
"""

import inspect
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from docstrings import escape

import sknn
from sknn.autodiff import Operation
from sknn.namespace import LINE

INSIDE = {"__main__", "description", "estimators", "namespace", "persistence", "template", "train", "versions"}
DEEPER = [  # within public packages
    "sknn.autodiff.primitives",
    "sknn.nn.blocks",
    "sknn.nn.init",
    "sknn.study.load",
    "sknn.study.spaces",
]
FOLDER = "reference"


def modules() -> Iterator[str]:
    """The public modules below `sknn`, in the order of the alphabet."""
    found = [f"sknn.{each.name}" for each in iter_modules(sknn.__path__) if each.name not in INSIDE]
    yield from sorted([*found, *DEEPER])


def names(module: str) -> tuple[list[str], list[str]]:
    """The public classes and functions of a module, and its data: tables of what names mean, numbers, types."""
    package = import_module(module)

    def offered(name: str, value: Any) -> bool:
        if hasattr(package, "__all__"):
            return name in package.__all__ and not inspect.ismodule(value)
        if name.startswith("_"):
            return False
        if _has_docstring(value):
            return value.__module__ == module
        return isinstance(value, Operation) or (isinstance(value, dict) and name.isupper())

    public = {name: getattr(package, name) for name in getattr(package, "__all__", vars(package))}
    public = {name: value for name, value in public.items() if offered(name, value)}
    documented = [name for name, value in public.items() if _has_docstring(value)]
    return documented, [name for name in public if name not in documented]


def _has_docstring(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isroutine(value)


def data(module: str, name: str) -> list[str]:
    """A table by its names, an operation by its first paragraph, another value as it is."""
    value = getattr(import_module(module), name)
    if isinstance(value, Operation):
        return [f".. py:function:: {name}(*inputs, **options)", f"   :module: {module}", "", *_about(name, value), ""]
    if isinstance(value, dict):
        keys = (key.__name__ if inspect.isclass(key) else repr(key) for key in value)
        text = "What names mean: " + ", ".join(f"``{key}``" for key in keys) + "."
    else:
        text = f"``{value}``"
    return [f".. py:data:: {name}", f"   :module: {module}", "", f"   {text}", ""]


def _about(name: str, operation: Operation) -> list[str]:
    lines = (inspect.getdoc(operation) or "").partition("\n\n")[0].splitlines()
    if lines and lines[0].startswith(f"{name}("):  # NumPy's own docstring begins with the call
        lines = [f"As ``numpy.{name}``."]
    return [f"   {escape(line)}" for line in lines]


def rooms() -> Iterator[tuple[str, list[str]]]:
    """Title and names of each room from which `sknn` has public names, estimators first."""
    stub = Path(sknn.__file__).with_name("__init__.pyi").read_text("utf-8")
    homes = [(name, home) for home, name in LINE.findall(stub) if home != "."]

    def room(each: tuple[str, str]) -> str:
        _, first, *rest = each[1].split(".")
        return f"Estimators: {rest[0]}" if first == "estimators" else "Functions"

    for title, group in groupby(sorted(homes, key=lambda each: (room(each), each[0])), key=room):
        yield title, [name for name, _ in group]


def page(module: str, sections: list[tuple[str, list[str]]], constants: list[str]) -> str:
    """The page of a module in reStructuredText, with a table of names under each section."""
    lines = [module, "=" * len(module), "", f".. automodule:: {module}", "   :no-members:", ""]
    for heading, members in sections:
        lines += [heading, "-" * len(heading), ""] if heading else []
        lines += [f".. currentmodule:: {module}", "", ".. autosummary::", "   :nosignatures:", "   :toctree: generated"]
        lines += ["", *(f"   {name}" for name in members), ""]
    for name in constants:
        lines += data(module, name)
    return "\n".join(lines)


def write(app, config) -> None:
    """The pages, before Sphinx looks for sources; those of modules that are gone are gone too."""
    folder = Path(app.srcdir) / FOLDER
    pages = {"sknn": page("sknn", list(rooms()), [])}
    for module in modules():
        documented, constants = names(module)
        pages[module] = page(module, [("", documented)] if documented else [], constants)
    for old in folder.glob("sknn*.rst"):
        if old.stem not in pages:
            old.unlink()
    for module, text in pages.items():
        path = folder / f"{module}.rst"
        if not path.exists() or path.read_text("utf-8") != text:  # what has not changed is not built again
            path.write_text(text, "utf-8")


def setup(app):
    app.connect("config-inited", write)
    return {"parallel_read_safe": True}
