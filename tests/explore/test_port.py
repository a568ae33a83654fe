"""The explorer's formulas are those of `factcap.capacity`."""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factcap.capacity import power_law_bound, smallest_power_law_budget
from factcap.capacity.bounds.power_law import KINDS, OBJECTIVES

mini_racer = pytest.importorskip(
    "py_mini_racer", reason="no engine for JavaScript: pip install mini-racer"
)

EXPLORE = Path(__file__).parents[2] / "docs" / "explore"
SCRIPTS = ("sums.js", "bounds.js", "measured.js", "settings.js", "answers.js")
# What the tests call; JavaScript takes and gives lists of JSON values.
CALLS = """
const boundsOf = (rows) => rows.map((row) =>
  bounds.powerLawBound(row, row.bits, row.kind, row.objective));
const budgetsOf = (rows) => rows.map((row) =>
  bounds.smallestPowerLawBudget(row, row.accuracy, row.kind, row.objective));
const csvOf = (changes) => answers.csv({ ...settings.DEFAULT, ...changes });
const pythonOf = (changes) => answers.python({ ...settings.DEFAULT, ...changes });
const backOf = (changes) => {
  const none = { ...settings.DEFAULT, runs: "none" };
  const at = changes.reduce((now, [name, to]) => settings.field(name).set(now, to), none);
  const { settings: found, wrong } = settings.fromLink(settings.toLink(at));
  return { settings: found, wrong, parameters: settings.parameters(found) };
};
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with mini_racer.MiniRacer() as engine:
        for script in SCRIPTS:
            engine.eval((EXPLORE / script).read_text())
        engine.eval(CALLS)
        yield engine


def settings(count: int, seed: int) -> list[dict[str, Any]]:
    """Random settings over all that the page lets a reader set, the special ones often."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        facts = round(10 ** rng.uniform(0, rng.choice([6, 12])))
        choices = round(2 ** rng.choice([1, rng.uniform(1, 40)]))
        entropy = facts * math.log2(choices)
        found.append(
            {
                "facts": facts,
                "choices": choices,
                "exponent": float(rng.choice([0, 1, rng.uniform(0, 2), rng.uniform(0, 4)])),
                "bits": float(entropy * 10 ** rng.uniform(-min(6, math.log10(entropy)), 0.05)),
                "accuracy": float(rng.uniform(0, 1)),
                "kind": str(rng.choice(KINDS)),
                "objective": str(rng.choice(OBJECTIVES)),
            }
        )
    return found


def python_bound(row: dict[str, Any], bits: float) -> float:
    where = row["facts"], row["choices"], row["exponent"]
    return power_law_bound(*where, bits, kind=row["kind"], objective=row["objective"]).accuracy


def test_bounds_are_those_of_python(engine):
    rows = settings(1000, seed=0)
    found = engine.call("boundsOf", rows)
    wanted = [python_bound(row, row["bits"]) for row in rows]
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=0)
    assert sum(0.01 < each < 0.99 for each in wanted) > 300


def test_the_budget_of_an_accuracy_reaches_it_in_python(engine):
    rows = settings(1000, seed=1)
    for row, bits in zip(rows, engine.call("budgetsOf", rows), strict=True):
        wanted = max(row["accuracy"], 1 / row["choices"])
        assert python_bound(row, bits) == pytest.approx(wanted, rel=1e-9), row


def python_budget(row: dict[str, Any]) -> float:
    where = row["facts"], row["choices"], row["exponent"], row["accuracy"]
    return smallest_power_law_budget(*where, kind=row["kind"], objective=row["objective"])


def assert_budgets_are_those_of_python(engine, rows) -> None:
    wanted = [python_budget(row) for row in rows]
    np.testing.assert_allclose(engine.call("budgetsOf", rows), wanted, rtol=1e-8, atol=0)


def test_budgets_are_those_of_python(engine):
    rows = settings(60, seed=2)
    rows += [row | {"accuracy": accuracy} for row in rows[:9] for accuracy in (0.0, 1.0)]
    assert_budgets_are_those_of_python(engine, rows)


@pytest.mark.slow
def test_budgets_are_those_of_python_everywhere(engine):
    assert_budgets_are_those_of_python(engine, settings(1000, seed=3))


@pytest.mark.parametrize("count", ["queries", "facts"])
@pytest.mark.parametrize("exponent", [0, 0.7, 1.5])
def test_every_point_of_a_curve_is_that_of_python(engine, exponent, count):
    """A curve is computed from point to point, each beginning where the last one ended."""
    text = engine.call("csvOf", {"exponent": exponent, "count": count, "facts": 10**6, "bits": 3e6})
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["line"] in KINDS]
    assert len(rows) > 250
    for row in rows:
        setting = {
            "facts": int(row["facts"]),
            "choices": int(row["choices"]),
            "exponent": float(row["exponent"]),
            "kind": row["line"],
            "objective": "weighted" if count == "queries" else "accuracy",
        }
        wanted = python_bound(setting, float(row["budget_bits"]))
        assert float(row["accuracy"]) == pytest.approx(wanted, rel=1e-9), row


@pytest.mark.parametrize("count", ["queries", "facts"])
def test_the_python_that_the_page_shows_prints_its_numbers(engine, count, capsys):
    at = {"facts": 5000, "exponent": 1.1, "bits": 19209.5, "reach": 75, "count": count}
    exec(engine.call("pythonOf", at), {})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [kind for kind, _, _ in lines] == list(KINDS)
    objective = "weighted" if count == "queries" else "accuracy"
    row = at | {"choices": 2097152, "accuracy": 0.75, "objective": objective}
    rows = [row | {"kind": kind} for kind in KINDS]
    accuracy = [float(each) for _, each, _ in lines]
    np.testing.assert_allclose(engine.call("boundsOf", rows), accuracy, rtol=1e-9)
    bits = [float(each) for _, _, each in lines]
    np.testing.assert_allclose(engine.call("budgetsOf", rows), bits, rtol=1e-9)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        (
            [["facts", 12], ["exponent", 0.35], ["bits", 0.1 + 0.2 + 100], ["reach", 99.9]],
            {"facts": 12, "exponent": 0.35, "bits": 0.1 + 0.2 + 100, "reach": 99.9},
        ),
        # A change of the size would lead beyond what the budget may be.
        ([["parameters", 1e13], ["per", 32]], {"per": 32, "bits": 1e14}),
        ([["per", 1], ["parameters", 1], ["per", 0.01]], {"per": 0.01, "bits": 1}),
        ([["bits", 1e14], ["per", 0.01]], {"per": 0.01, "bits": 1e11}),
        ([["per", 0.01], ["bits", 1e14], ["per", 32]], {"per": 32, "bits": 1e14}),
    ],
)
def test_a_link_brings_back_the_settings(engine, changes, at):
    found = engine.call("backOf", changes)
    assert found["wrong"] == []
    assert found["settings"].items() >= (at | {"runs": "none"}).items()
    assert 1 <= found["parameters"] <= 1e13


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("facts=1.5", "Facts must be a whole number from 1 to 1,000,000,000,000, not “1.5”."),
        ("choices=1", "Choices a fact must be a whole number from 2 to 1,099,511,627,776"),
        ("exponent=-1", "Exponent must be a number from 0 to 4, not “-1”."),
        ("bits=much", "Budget in bits must be a number from 1 to 100,000,000,000,000, not “much”."),
        ("per=", "Bits a parameter must be a number from 0.01 to 32, not “”."),
        ("count=all", "The link says count=all, which is nothing that can be set."),
        ("runs=<b>", "The link says runs=<b>, which is nothing that can be set."),
        ("%=%", "The link says %=%, which is nothing that can be set."),
        ("color=red", "The link says color=red, which is nothing that can be set."),
    ],
)
def test_a_wrong_part_of_a_link_is_named_and_the_rest_is_taken(engine, link, wrong):
    engine.eval("globalThis.readLink = (link) => settings.fromLink(link)")
    found = engine.call("readLink", f"reach=50&{link}")
    [line] = found["wrong"]
    assert line.startswith(wrong)
    assert found["settings"]["reach"] == 50
    assert found["settings"]["facts"] == 1875
