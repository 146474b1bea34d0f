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

import sknn
from sknn.namespace import LINE

INSIDE = {"__main__", "description", "estimators", "namespace", "ops", "persistence", "template", "train", "versions"}
DEEPER = ["sknn.autodiff.primitives", "sknn.study.load", "sknn.study.spaces"]  # modules within public packages
FOLDER = "reference"


def modules() -> Iterator[str]:
    """The public modules below `sknn`, in the order of the alphabet."""
    found = [f"sknn.{each.name}" for each in iter_modules(sknn.__path__) if each.name not in INSIDE]
    yield from sorted([*found, *DEEPER])


def names(module: str) -> list[str]:
    """The public names of a module."""
    package = import_module(module)
    if hasattr(package, "__all__"):
        return [name for name in package.__all__ if not inspect.ismodule(getattr(package, name))]
    return [
        name
        for name, value in vars(package).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module
    ]


def rooms() -> Iterator[tuple[str, list[str]]]:
    """Title and names of each room from which `sknn` has public names, estimators first."""
    stub = Path(sknn.__file__).with_name("__init__.pyi").read_text("utf-8")
    homes = [(name, home) for home, name in LINE.findall(stub) if home != "."]

    def room(each: tuple[str, str]) -> str:
        _, first, *rest = each[1].split(".")
        return f"Estimators: {rest[0]}" if first == "estimators" else "Functions"

    for title, group in groupby(sorted(homes, key=lambda each: (room(each), each[0])), key=room):
        yield title, [name for name, _ in group]


def page(title: str, module: str, sections: list[tuple[str, list[str]]]) -> str:
    """The page of a module in reStructuredText, with a table of names under each section."""
    lines = [title, "=" * len(title), "", f".. automodule:: {module}", "   :no-members:", ""]
    for heading, members in sections:
        lines += [heading, "-" * len(heading), ""] if heading else []
        lines += [f".. currentmodule:: {module}", "", ".. autosummary::", "   :nosignatures:", "   :toctree: generated"]
        lines += ["", *(f"   {name}" for name in members), ""]
    return "\n".join(lines)


def write(app) -> None:
    """The pages, before autosummary looks for what they ask for; those of modules that are gone are gone too."""
    folder = Path(app.srcdir) / FOLDER
    pages = {"sknn": page("sknn", "sknn", list(rooms()))}
    pages |= {module: page(module, module, [("", names(module))]) for module in modules()}
    for old in folder.glob("sknn*.rst"):
        if old.stem not in pages:
            old.unlink()
    for module, text in pages.items():
        path = folder / f"{module}.rst"
        if not path.exists() or path.read_text("utf-8") != text:  # what has not changed is not built again
            path.write_text(text, "utf-8")


def setup(app):
    app.connect("builder-inited", write, priority=100)
    return {"parallel_read_safe": True}
