"""Formulas of docstrings, which are written to be read as they stand, as LaTeX.

`sum_i w_i a_i <= C` is a sum with an index; `log2 K`, `h2(p)` and `p1` have theirs; `sigma` and
`Phi` are Greek; `e^(-t A)` is a power; a slash with spaces around it is a fraction where the
formula has a line of its own.
"""

import re
from collections import deque
from dataclasses import dataclass

_TOKEN = re.compile(r"\s+|\d+(?:\.\d+)?(?:e-?\d+)?|[A-Za-z]+\d*|<=|>=|!=|->|\.\.|'+|.")
_GREEK = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "kappa", "lambda", "mu"),
    *("nu", "pi", "rho", "sigma", "tau", "phi", "omega", "Phi", "Sigma", "Delta", "Gamma"),
}
_NAMED = {"ln", "log", "exp", "min", "max", "arccos", "arctan"}
_BIG = {"sum": r"\sum", "prod": r"\prod", "int": r"\int"}
_RELATIONS = {
    "<=": r"\le",
    ">=": r"\ge",
    "!=": r"\ne",
    "->": r"\to",
    "..": r"\ldots",
    "~": r"\sim",
    "%": r"\%",
    "infinity": r"\infty",
    "inf": r"\infty",
    "prop": r"\propto",
}
_LOW = {"+", "-", "=", "<", ">", "<=", ">=", "!=", "->", "~", ",", ";", "prop"}
_OPENING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class _Piece:
    """A part of a formula.

    Attributes:
        latex: how it is written.
        bare: the same without the brackets around it.
        takes: whether what follows is its argument, so that no product is meant.
        low: whether it ends a product: a sum's or a relation's sign.
        spaced: whether a space stood before it.
    """

    latex: str
    bare: str
    takes: bool = False
    low: bool = False
    spaced: bool = False


def latex(text: str, display: bool = False) -> str:
    r"""A formula as LaTeX.

    Args:
        text: the formula as a docstring has it.
        display: whether it has a line of its own; fractions are then set as such.

    Raises:
        ValueError: for a bracket that is not closed.

    >>> latex("R(a) = log2 K - h2(a)")
    'R(a) = \\log_{2}\\,K - h_{2}(a)'
    >>> latex("p^-s / zeta(s)", display=True)
    '\\frac{p^{-s}}{\\zeta(s)}'
    """
    tokens = deque(_TOKEN.findall(text))
    return _joined(_sequence(tokens, "", display))


def _sequence(tokens: deque[str], end: str, display: bool) -> list[_Piece]:
    """The pieces up to a closing bracket, which is taken too."""
    pieces: list[_Piece] = []
    spaced = False
    while tokens:
        token = tokens.popleft()
        if token.isspace():
            spaced = True
        elif token == end:
            return pieces
        elif token == "/" and spaced and display:
            pieces = _divided(pieces, tokens, display)
        else:
            piece = _piece(token, tokens, display)
            pieces.append(_Piece(piece.latex, piece.bare, piece.takes, piece.low, spaced))
            spaced = False
    if end:
        raise ValueError(f"{end!r} is missing")
    return pieces


def _divided(pieces: list[_Piece], tokens: deque[str], display: bool) -> list[_Piece]:
    """The product so far over what comes next."""
    ends = [i + 1 for i, piece in enumerate(pieces) if piece.low or piece.latex[:5] == r"\frac"]
    start = ends[-1] if ends else 0
    above, below = pieces[start:], [_next(tokens, display)]
    if tokens and tokens[0] in _OPENING:
        below.append(_next(tokens, display))
    fraction = rf"\frac{{{_bare(above)}}}{{{_bare(below)}}}"
    return [*pieces[:start], _Piece(fraction, fraction, spaced=True)]


def _bare(pieces: list[_Piece]) -> str:
    return pieces[0].bare if len(pieces) == 1 else _joined(pieces)


def _next(tokens: deque[str], display: bool) -> _Piece:
    while tokens and tokens[0].isspace():
        tokens.popleft()
    if not tokens:
        raise ValueError("something is missing at the end")
    return _piece(tokens.popleft(), tokens, display)


def _piece(token: str, tokens: deque[str], display: bool) -> _Piece:
    """A symbol or a bracketed part, with its indices and powers."""
    if token in _LOW:
        sign = _RELATIONS.get(token, token)
        return _Piece(sign, sign, low=True)
    base = _base(token, tokens, display)
    scripts, done = "", False
    while tokens and not done:
        if tokens[0] in ("^", "_"):
            mark = tokens.popleft()
            scripts += f"{mark}{{{_script(mark, tokens, display)}}}"
        elif tokens[0].startswith("'"):
            scripts += tokens.popleft()
        elif tokens[0] == "*":
            scripts += "^{" + tokens.popleft() + "}"
        else:
            done = True
    if not scripts:
        return base
    return _Piece(base.latex + scripts, base.latex + scripts, base.takes)


def _script(mark: str, tokens: deque[str], display: bool) -> str:
    """What follows ^ or _: a sign and a symbol, perhaps with an index; a power's brackets group."""
    sign = ""
    while tokens and tokens[0] in ("-", "+"):
        sign += tokens.popleft()
    if not tokens or tokens[0].isspace() or tokens[0] in ("^", "_"):
        return sign
    base = _base(tokens.popleft(), tokens, display)
    power = base.bare if mark == "^" and not sign else base.latex
    if tokens and tokens[0] == "_":
        tokens.popleft()
        power += f"_{{{_base(tokens.popleft(), tokens, display).bare}}}"
    return sign + power


def _base(token: str, tokens: deque[str], display: bool) -> _Piece:
    if token in _OPENING:
        inner = _joined(_sequence(tokens, _OPENING[token], display))
        if token == "{":
            return _Piece(inner, inner)
        left, right = (r"\left", r"\right") if r"\frac" in inner else ("", "")
        return _Piece(f"{left}{token}{inner}{right}{_OPENING[token]}", inner)
    if token == "sqrt":
        root = rf"\sqrt{{{_next(tokens, display).bare}}}"
        return _Piece(root, root)
    if token in _BIG or token in _NAMED:
        name = _BIG.get(token, f"\\{token}")
        return _Piece(name, name, takes=True)
    symbol = _symbol(token)
    return _Piece(symbol, symbol, takes=token == "log2")


def _symbol(token: str) -> str:
    if token in _RELATIONS:
        return _RELATIONS[token]
    if token == ".":
        return r"\cdot "
    letters = token.rstrip("0123456789")
    if not letters.isalpha():
        return token
    index = f"_{{{token[len(letters) :]}}}" if len(letters) < len(token) else ""
    return _letters(letters) + index


def _letters(letters: str) -> str:
    if letters in _GREEK or letters in _NAMED:
        return f"\\{letters}"
    if len(letters) == 1:
        return letters
    if letters[0] == "d" and (len(letters) == 2 or letters[1:] in _GREEK):
        return rf"\,\mathrm{{d}}{_letters(letters[1:])}"
    return rf"\mathrm{{{letters}}}"


def _joined(pieces: list[_Piece]) -> str:
    """The pieces side by side, with a thin space where a product is written with one."""
    text, before = "", None
    for piece in pieces:
        if before and piece.spaced:
            has_space = before.low or piece.low or piece.latex.startswith(r"\,")
            text += " " if has_space else r"\,"
        elif text and text[-1].isalpha() and "\\" in text and piece.latex[:1].isalpha():
            text += " "
        text += piece.latex
        before = piece
    return text
