"""How figures look: ink and paper, and one colour and marker for each model in all of them.

Networks have warm colours, filled markers and solid lines, baselines cool colours, hollow markers and dashed lines: so
they are told apart without colours, too. Every colour has a partner for dark backgrounds, which the page swaps in.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..model import Model

INK, MUTED, GRID, BAND, PAPER = "#1c2127", "#5b6570", "#dfe3e8", "#e9eef4", "#fffffe"
GREY = "#707274"  # of the dummy
WARM = {"#c43b00": "#ff8f57", "#a8004f": "#ff85b8", "#8f6800": "#f0c252", "#7a2e8e": "#d8a2f2"}
COOL = {
    "#0067b1": "#6cb8ff",
    "#00806a": "#42d3b3",
    "#4b3fb5": "#aca5ff",
    "#08799a": "#5cd4f0",
    "#56657a": "#a6b5c9",
    "#1f6b43": "#7fd4a5",
}
DARK = {
    **{INK: "#e8eaed", MUTED: "#a3adb8", GRID: "#333b44", BAND: "#232c36", PAPER: "#14181c", GREY: "#a2a4a6"},
    **WARM,
    **COOL,
}
"""What each colour becomes on a dark background; figures have no others."""

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "p", "h")
DASHES = ("--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
LINE_WIDTH, TAIL = 24, 10  # letters of a name in a line, and of its end if the middle is cut out
RC: dict[Any, Any] = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color", "axes.edgecolor"), MUTED),
    **dict.fromkeys(("xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize"), 9),
    "font.family": "sans-serif",
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.grid": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.usetex": False,
}


@dataclass(frozen=True)
class Look:
    """How a model is drawn and what it is called."""

    title: str
    color: str
    marker: str
    is_network: bool
    dashes: Any

    def points(self, size: float = 6) -> dict[str, Any]:
        """Return the keywords of a plot of points."""
        return {
            "marker": self.marker,
            "markersize": size,
            "color": self.color,
            "markeredgecolor": self.color,
            "markerfacecolor": self.color if self.is_network else PAPER,
            "markeredgewidth": 1.2,
        }

    def line(self) -> dict[str, Any]:
        """Return the keywords of a line with points on it."""
        return {"linestyle": self.dashes, "linewidth": 1.8 if self.is_network else 1.3, **self.points(4.5)}


def looks_of(models: "list[Model]") -> dict[str, Look]:
    """Give every model of a study its colour and marker.

    Parameters
    ----------
    models : list of Model
        In the order of the study, which decides.

    Returns
    -------
    dict of str to Look
        By the name of the model.
    """
    looks: dict[str, Look] = {}
    counts = {"network": 0, "baseline": 0}
    for model in models:
        title = plain(model.title)
        if model.name == "dummy":
            looks[model.name] = Look(title, GREY, "o", False, ":")
            continue
        number = counts[model.family]
        counts[model.family] += 1
        is_network = model.family == "network"
        colors = tuple(WARM if is_network else COOL)
        dashes = "-" if is_network else DASHES[number % len(DASHES)]
        looks[model.name] = Look(
            title, colors[number % len(colors)], MARKERS[number % len(MARKERS)], is_network, dashes
        )
    return looks


def plain(text: str) -> str:
    """Keep Matplotlib from reading formulas into a text of the user, or hiding it."""
    text = text.replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def in_lines(title: str, width: int = LINE_WIDTH) -> str:
    """Break a long title into at most two lines, with something of its beginning and of its end.

    Examples
    --------
    >>> print(in_lines("one two three four five six seven eight nine ten eleven twelve"))
    one two three four five
    six seven eig…ven twelve
    """
    first, *rest = wrap(title, width, break_long_words=False) or [title]
    return "\n".join(in_a_line(line) for line in (first, " ".join(rest)) if line)


def in_a_line(title: str) -> str:
    """Cut out the middle of a long title: names that begin alike often end differently.

    Examples
    --------
    >>> in_a_line("HistGradientBoostingClassifier")
    'HistGradientB…Classifier'
    """
    if len(title) <= LINE_WIDTH:
        return title
    return f"{title[: LINE_WIDTH - TAIL - 1]}…{title[-TAIL:]}"


@contextmanager
def any_letters() -> Iterator[None]:
    """Keep quiet about letters that Matplotlib's own font lacks: in a page or an SVG file the reader's fonts count."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def check_axes(axes: Any) -> None:
    """Raise TypeError for anything to draw in but None and one Axes: `plt.subplots` returns an array of several."""
    if axes is None or hasattr(axes, "inset_axes"):
        return
    shape = getattr(axes, "shape", None)
    what = f"an array of shape {shape}" if shape else repr(axes)
    remedy = f"take one of them, such as ax[{', '.join('0' * len(shape))}]" if shape else "or None"
    raise TypeError(f"ax={what} is not one Axes of Matplotlib; it must be an Axes, {remedy}")


@contextmanager
def new_axes(width: float, height: float) -> "Iterator[Axes]":
    """Make the axes of a figure of its own, outside pyplot, and draw in this style meanwhile.

    Parameters
    ----------
    width, height : float
        In inches.

    Yields
    ------
    Axes
        Empty ones.

    Raises
    ------
    ImportError
        If there is no Matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("figures need Matplotlib; install it with: pip install 'sknn[study]'") from error
    with matplotlib.rc_context(RC):
        yield Figure((width, height), layout="constrained").add_subplot()
