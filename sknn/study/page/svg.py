"""A figure within a page: its colours follow the page, and its names clash with those of no other figure."""

import re
from io import StringIO
from typing import TYPE_CHECKING

from ..figures.style import DARK, any_letters
from .html import Markup, tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DEFINED, USED = re.compile(r' id="([^"]+)"'), re.compile(r'href="#([^"]+)"|url\(#([^)]+)\)')


def inline_svg(axes: "Axes", name: str, label: str) -> Markup:
    """Write the figure of some axes as an element of a page.

    Parameters
    ----------
    axes : Axes
        All in the colours of ``figures.style.DARK``.
    name : str
        Of this figure alone within the page: letters, digits and hyphens.
    label : str
        What is to be seen, for those who cannot.

    Returns
    -------
    Markup
        An ``<svg>``; each colour ``#abc`` is a variable ``--abc`` that the page defines, for light and for dark.
    """
    svg = svg_text(axes, transparent=True)
    view_box = re.search(r'viewBox="[^"]+"', svg)
    assert view_box is not None
    body = re.sub(
        r"<metadata>.*?</metadata>", "", svg[svg.index(">", view_box.end()) + 1 : svg.rindex("</svg>")], flags=re.S
    )
    body = _with_variables(_with_names(body, name))
    head = f'<svg {view_box[0]} role="img" aria-labelledby="{name}-title" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return Markup(f"{head}{tag('title', label, id=f'{name}-title')}{body}</svg>")


def svg_text(axes: "Axes", transparent: bool = False) -> str:
    """Write the figure of some axes as an SVG file, the same at every run, its texts as texts."""
    import matplotlib

    buffer = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sknn"}), any_letters():
        axes.figure.canvas.figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=transparent)
    return buffer.getvalue()


def _with_names(svg: str, name: str) -> str:
    used = {one or other for one, other in USED.findall(svg)}
    svg = DEFINED.sub(lambda match: f' id="{name}-{match[1]}"' if match[1] in used else "", svg)
    return USED.sub(lambda match: match[0].replace("#", f"#{name}-"), svg)


def _with_variables(svg: str) -> str:
    return re.sub("|".join(DARK), lambda match: f"var(--{match[0][1:]})", svg)
