import ast
import re

import pytest
from latex2mathml.converter import convert

from docs.extensions.docstrings import restructured
from docs.extensions.formulas import latex
from docs.extensions.public import defined_once, source_file


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sum_i w_i a_i <= C", r"\sum_{i}\,w_{i}\,a_{i} \le C"),
        ("h2(p) = -p log2 p", r"h_{2}(p) = -p\,\log_{2}\,p"),
        ("n^-(s-1)", "n^{-(s-1)}"),
        ("2^(b - H)", "2^{b - H}"),
        ("2^47.6", "2^{47.6}"),
        ("e^p1", "e^{p_{1}}"),
        ("H_{N,s}", "H_{N,s}"),
        ("x_(2)", "x_{(2)}"),
        ("J_n^T J_n", "J_{n}^{T}\\,J_{n}"),
        ("C_inf", r"C_{\infty}"),
        ("D / (D + k D')", r"D\,/\,(D + k\,D')"),
        ("w*.x / sqrt d", r"w^{*}\cdot x\,/\,\sqrt{d}"),
        ("int f(x) dx", r"\int\,f(x) \,\mathrm{d}x"),
        ("x_1 .. x_N", r"x_{1}\,\ldots\,x_{N}"),
    ],
)
def test_a_formula_becomes_latex(written, meant):
    assert latex(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("A m / (B + 1)", r"\frac{A\,m}{B + 1}"),
        ("1 - a b / zeta(s)", r"1 - \frac{a\,b}{\zeta(s)}"),
        ("a / b c / d", r"\frac{a}{b}\,\frac{c}{d}"),
        ("(a / b)^2", r"\left(\frac{a}{b}\right)^{2}"),
        ("1/K", "1/K"),
    ],
)
def test_a_spaced_slash_is_a_fraction_on_a_line_of_its_own(written, meant):
    assert latex(written, display=True) == meant


@pytest.mark.parametrize("wrong", ["(a", "{x", "[a + (b]", "a /"])
def test_what_is_not_closed_is_no_formula(wrong):
    with pytest.raises(ValueError, match="missing"):
        latex(wrong, display=True)


def formulas() -> list[str]:
    """All that stand in docstrings of modules that define public names."""
    found = []
    modules = {place.module for place in defined_once().values()}
    for module in sorted(name for name in modules if name.startswith("factcap")):
        for node in ast.walk(ast.parse(source_file(module).read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                found += re.findall(r"\$([^$]+)\$", ast.get_docstring(node) or "")
    return found


def test_all_formulas_of_docstrings_are_typeset():
    found = formulas()
    assert len(found) > 200
    for written in found:
        assert convert(latex(" ".join(written.split()))).startswith("<math")


def test_a_docstring_becomes_restructured_text():
    lines = ["`luck_bound` and `x`, |w| and a*, a_ <= 1.", "", "    $a / b$", "", ">>> `x`*2"]
    assert restructured(lines) == [
        r":py:obj:`luck_bound <factcap.capacity.luck_bound>` and ``x``, \|w\| and a\*, a\_ ≤ 1.",
        "",
        r".. math:: \frac{a}{b}",
        "",
        ">>> `x`*2",
    ]


def test_bullets_stay_bullets():
    assert restructured(["- a * b", "* c"]) == [r"- a \* b", "* c"]
