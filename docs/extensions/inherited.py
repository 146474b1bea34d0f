"""What is inherited from other packages is told there: the reference has its first paragraph, without their links."""

import re

ROLE = re.compile(r":[\w:+-]+:`(?:~?([^`<]+?)\s*(?:<[^`]*>)?)`")


def shorten(app, what, name, obj, options, lines: list[str]) -> None:
    home = getattr(obj, "__module__", None) or getattr(getattr(obj, "fget", None), "__module__", "")
    if home.split(".")[0] == "sknn":
        return
    end = lines.index("") if "" in lines else len(lines)
    lines[:] = [ROLE.sub(r"\1", line) for line in lines[:end]] + [""]


def setup(app):
    app.connect("autodoc-process-docstring", shorten, priority=0)  # before numpydoc reads it
    return {"parallel_read_safe": True}
