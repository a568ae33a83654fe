import operator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.models.sweep.store.query import where
from factcap.synth import BadInput

ROWS = pa.table(
    {"model": ["8k", "29k", "8k", "29k"], "facts": [10, 20, 30, 40], "capped": [True, False] * 2}
)
COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@given(st.sampled_from(sorted(COMPARISONS)), st.integers(0, 50), st.integers(-5, 50))
def test_conditions_are_those_of_python(comparison, few, many):
    condition = f"facts {comparison} {few} or not ({many} >= facts and model == '8k')"
    wanted = [
        row
        for row in ROWS.to_pylist()
        if COMPARISONS[comparison](row["facts"], few)
        or not (many >= row["facts"] and row["model"] == "8k")
    ]
    assert where(ROWS, condition).to_pylist() == wanted


def test_values_in_and_ranges():
    assert where(ROWS, "facts in (10, 40)").num_rows == 2
    assert where(ROWS, "facts not in [10, 40]").num_rows == 2
    assert where(ROWS, "10 < facts <= 30").num_rows == 2
    assert where(ROWS, "capped == True and facts > -1").num_rows == 2


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("facts >", "is not a condition"),
        ("fact > 3", "no column is called 'fact'; there are model, facts, capped"),
        ("facts + 1 > 3", r"it cannot have 'facts \+ 1'"),
        ("__import__('os').system('true')", "it cannot have"),
        ("1 > 2", "are both no column"),
        ("facts in 3", "needs several values"),
        ("facts is 3", "comparisons are"),
        ("facts > 'many'", "does not fit the table"),
        ("3", "does not fit the table"),
    ],
)
def test_a_wrong_condition_is_one_line(condition, message):
    with pytest.raises(BadInput, match=message) as raised:
        where(ROWS, condition)
    assert "\n" not in str(raised.value)
