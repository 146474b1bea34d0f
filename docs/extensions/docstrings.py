"""How docstrings become pages: they may write shapes and attributes as code does, and what is inherited is brief.

In reStructuredText the star of ``(n, *shape)`` would begin emphasis, and the end of ``n_features_in_`` make it a link.
"""

import re

ROLE = re.compile(r":[\w:+-]+:`(?:~?([^`<]+?)\s*(?:<[^`]*>)?)`")
STAR = re.compile(r"(?<![\w*\\])\*(?=\w+(?:\[[^\]]*\])?[,)])")
TRAILING = re.compile(r"(?<![\w.`\\])(\w+)_(?![\w`:])")
NAMED = re.compile(r"^\s*[\w, *]+ : ")  # an entry of a section of numpydoc, whose name numpydoc looks up
LITERAL = re.compile(r"(`+[^`]*`+)")
AS_IT_IS = (">>>", "...", "..", "--", "==")


def shorten(lines: list[str]) -> list[str]:
    """The first paragraph, without links that other packages' sites know."""
    end = lines.index("") if "" in lines else len(lines)
    return [*(ROLE.sub(r"\1", line) for line in lines[:end]), ""]


def escape(line: str) -> str:
    """A line whose stars and trailing underscores stand for themselves."""
    if line.lstrip().startswith(AS_IT_IS) or "\\" in line:
        return line
    entry = NAMED.match(line)
    name, rest = (entry[0], line[entry.end() :]) if entry else ("", line)
    parts = LITERAL.split(rest)
    parts[::2] = [TRAILING.sub(r"\1\\_", STAR.sub(r"\\*", part)) for part in parts[::2]]
    return name + "".join(parts)


def process(app, what, name, obj, options, lines: list[str]) -> None:
    home = getattr(obj, "__module__", None) or getattr(getattr(obj, "fget", None), "__module__", None) or ""
    lines[:] = map(escape, lines) if home.split(".")[0] in ("sknn", "") else shorten(lines)


def setup(app):
    app.connect("autodoc-process-docstring", process, priority=0)  # before numpydoc reads it
    return {"parallel_read_safe": True}
