"""The site in the hand of a study's report: its ink and paper, its blue for links, its letters, its figures."""

from pathlib import Path

import matplotlib

from sknn.study.figures.style import BAND, COOL, DARK, GRID, INK, MUTED, PAPER, RC

LETTERS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
LINK = next(iter(COOL))
COLOURS = {  # of the theme
    "primary": LINK,
    "secondary": LINK,
    "accent": LINK,
    "link": LINK,
    "link-hover": INK,
    "text-base": INK,
    "text-muted": MUTED,
    "border": GRID,
    "surface": BAND,
    "background": PAPER,
    "on-background": PAPER,
    "on-surface": INK,
}


def style_sheet() -> str:
    """The colours for light and for dark, as variables of the theme, and its fonts."""

    def rule(theme: str, colours: dict[str, str]) -> str:
        said = "".join(f"--pst-color-{name}:{colour};" for name, colour in colours.items())
        return f'html[data-theme="{theme}"]{{{said}}}\n'

    fonts = f"html{{--pst-font-family-base:{LETTERS};--pst-font-family-heading:{LETTERS}}}\n"
    return rule("light", COLOURS) + rule("dark", {name: DARK[colour] for name, colour in COLOURS.items()}) + fonts


def draw_so(gallery_conf, example) -> None:
    """Figures of the gallery look like those of a study; called before each example."""
    matplotlib.rcParams.update(RC)


def write(app, config) -> None:
    """The style sheet among the static files."""
    Path(app.srcdir, "_static", "hand.css").write_text(style_sheet(), "utf-8")


def setup(app):
    app.connect("config-inited", write)
    app.add_css_file("hand.css")
    return {"parallel_read_safe": True}
