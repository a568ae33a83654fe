"""Conditions on the rows of a table, as text: `model == '8k' and facts > 1000`."""

import ast
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from factcap.synth.errors import BadInput, require

_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_JOINS = {ast.And: operator.and_, ast.Or: operator.or_}


def where(table: pa.Table, condition: str) -> pa.Table:
    """The rows for which a condition holds.

    Args:
        table: any.
        condition: comparisons of columns with numbers, texts, True and False, joined by `and`,
            `or` and `not`; `x in (1, 2)`; `0.5 < x <= 2`.

    Raises:
        BadInput: for one that cannot be read, or a column that is not there.

    >>> rows = pa.table({"model": ["8k", "29k"], "facts": [100, 900]})
    >>> where(rows, "model == '29k' and 100 < facts <= 900").column("facts").to_pylist()
    [900]
    """
    try:
        expression = _expression(ast.parse(condition, mode="eval").body, table.column_names)
    except SyntaxError as error:
        raise BadInput(f"{condition!r} is not a condition ({error.msg})") from None
    try:
        return table.filter(expression)
    except (pa.ArrowException, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{condition!r} does not fit the table ({reason})") from None


def _expression(node: ast.expr, columns: list[str]) -> Any:
    match node:
        case ast.BoolOp(op, values):
            return reduce(_JOINS[type(op)], [_expression(value, columns) for value in values])
        case ast.UnaryOp(ast.Not(), operand):
            return ~_expression(operand, columns)
        case ast.UnaryOp(ast.USub(), ast.Constant(value)) if isinstance(value, int | float):
            return -value
        case ast.Compare(left, ops, rights):
            sides = [left, *rights]
            pairs = zip(sides, ops, rights, strict=False)
            return reduce(operator.and_, [_compare(*pair, columns) for pair in pairs])
        case ast.Name(name):
            require(
                name in columns, f"no column is called {name!r}; there are {', '.join(columns)}"
            )
            return pc.field(name)
        case ast.Constant(value) if isinstance(value, str | int | float):
            return value
        case ast.Tuple(parts) | ast.List(parts):
            return [_expression(part, columns) for part in parts]
    raise BadInput(
        f"a condition compares columns with values; it cannot have {ast.unparse(node)!r}"
    )


def _compare(left: ast.expr, op: ast.cmpop, right: ast.expr, columns: list[str]) -> Any:
    one, other = _expression(left, columns), _expression(right, columns)
    require(
        isinstance(one, pc.Expression) or isinstance(other, pc.Expression),
        f"{ast.unparse(left)} and {ast.unparse(right)} are both no column",
    )
    if isinstance(op, ast.In | ast.NotIn):
        require(isinstance(other, list), f"`in` needs several values, not {ast.unparse(right)}")
        found = one.isin(other)
        return ~found if isinstance(op, ast.NotIn) else found
    require(type(op) in _COMPARISONS, "comparisons are ==, !=, <, <=, >, >= and in")
    return _COMPARISONS[type(op)](one, other)
