"""Formulas as MathML, made when the site is built: nothing is run or fetched to read them."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

_log = logging.getLogger(__name__)

# The converter sets "a ln 2" and "a log2 K" without spaces; TeX has a thin one on either side.
_NAME = r"(?:(?<!<msub>)<mi>(?:ln|exp|log)</mi>|<msub><mi>log</mi><m[in]>\w+</m[in]></msub>)"
_BEFORE = re.compile(rf"(?:(?<=</m[in]>)|(?<=</msu[bp]>)|(?<=&#x00029;</mo>))(?={_NAME})")
_AFTER = re.compile(rf"({_NAME})(?=<m[in]>)")
_THIN = '<mspace width="0.167em"/>'


def formula(latex: str, display: str, place: nodes.Node) -> str:
    """The MathML of a formula; a warning, which ends the build, where it cannot be read."""
    try:
        return _spaced(convert(latex, display=display))
    except Exception as error:
        _log.warning("formula %r: %s", latex, error, location=place)
        return f"<code>{latex}</code>"


def _spaced(mathml: str) -> str:
    """Thin spaces around named functions.

    >>> _spaced("<mi>a</mi><mi>ln</mi><mn>2</mn>").count("mspace")
    2
    """
    return _AFTER.sub(rf"\1{_THIN}", _BEFORE.sub(_THIN, mathml))


def _inline(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(formula(node.astext(), "inline", node))
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.Element) -> None:
    mathml = formula(node.astext(), "block", node)
    translator.body.append(f'<div class="formula">{mathml}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer as `mathml`."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
