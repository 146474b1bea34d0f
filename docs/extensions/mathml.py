"""Formulas as MathML, made when the site is built: they need no script, no font and no network."""

import re
from html import escape

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

SPELLED = {r"\dots": r"\ldots"}  # what docutils knows by another name
BARS = re.compile("<mo([^>]*)>(?=‖)")  # of a norm; one with an exponent would be stretched as far as that
logger = logging.getLogger(__name__)


def _mathml(node: nodes.Element, as_block: bool) -> str:
    tex = node.astext()
    for name, other in SPELLED.items():
        tex = tex.replace(name, other)
    try:
        return BARS.sub(r'<mo\1 stretchy="false">', tex2mathml(tex, as_block=as_block))
    except (MathError, SyntaxError) as error:
        logger.warning("no MathML of %s: %s", tex, error, location=node)
        return f"<code>{escape(tex)}</code>"


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    number = node["number"]
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if number:
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append(_mathml(node, as_block=True) + "</div>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
