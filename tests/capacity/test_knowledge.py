import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.capacity import (
    KnowledgeRun,
    biography_capacity_ratio,
    bit_complexity,
    capacity_ratio,
    max_capacity_ratio,
    read_knowledge_runs,
)
from factcap.synth import biographies, tuples_bits

SHAPE: dict[str, Any] = {"N": 20, "N_0": 1e4, "K": 3, "C": 2, "D": 8, "L": 2, "T": 16}


def test_a_perfect_model_holds_the_bits_of_the_set():
    # log2 of the number of bioD sets, counted: names, diversity sets, values
    n, k, c, d = 20, 3, 2, 8
    names = math.log2(math.comb(10_000, n))
    exact = names + k * math.log2(math.comb(16**2, d)) + n * k * c * math.log2(d)
    perfect = max_capacity_ratio(**SHAPE, P=1)
    # N log(N_0/N) and K D log(T^L/D) are these binomials but for 1.44 bits an item
    assert exact - 1.4427 * (n + k * d) < perfect < exact
    assert perfect == pytest.approx(
        tuples_bits(n, attributes=k, chunks=c, diversity=d, length=2, vocabulary=16, names=10_000)
    )
    lower = bit_complexity(**SHAPE, p1=math.log(n), p2=0.0, p3=0.0)
    assert lower <= perfect


@given(st.floats(0, 9), st.floats(0, 5), st.floats(0, 5), st.integers(1, 10_000))
@settings(deadline=None)
def test_more_loss_is_less_knowledge(p1, p2, p3, parameters):
    ratio = capacity_ratio(**SHAPE, p1=p1, p2=p2, p3=p3, P=parameters)
    for worse in ({"p1": p1 + 1}, {"p2": p2 + 1}, {"p3": p3 + 1}):
        losses: dict[str, Any] = {"p1": p1, "p2": p2, "p3": p3} | worse
        assert capacity_ratio(**SHAPE, **losses, P=parameters) < ratio
        assert bit_complexity(**SHAPE, **losses) <= bit_complexity(**SHAPE, p1=p1, p2=p2, p3=p3)
    if p1 >= math.log(20):
        assert ratio <= max_capacity_ratio(**SHAPE, P=parameters) + 1e-9
    twice = capacity_ratio(**SHAPE, p1=p1, p2=p2, p3=p3, P=2 * parameters)
    assert twice == pytest.approx(ratio / 2)


def test_a_guessing_model_knows_nothing():
    losses: dict[str, Any] = {"p1": math.log(1e4), "p2": 2 * math.log(8), "p3": math.log(16**2 / 8)}
    assert capacity_ratio(**SHAPE, **losses, P=100) == pytest.approx(0, abs=1e-12)
    assert bit_complexity(**SHAPE, **losses) == 0


def test_chunks_beyond_doubles():
    large = {**SHAPE, "L": 400, "T": 50_000}
    bits = bit_complexity(**large, p1=0.0, p2=0.0, p3=0.0)
    assert math.isfinite(bits)
    assert bits > 3 * 8 * 400 * 15


def test_biographies_have_the_published_entropy():
    people = biographies(50)
    perfect = biography_capacity_ratio(50, math.log(50), 0.0, 1)
    assert perfect == pytest.approx(people.total_bits)
    guessed = biography_capacity_ratio(50, math.log(400 * 400 * 1000), 47.592 * math.log(2), 1)
    assert guessed == pytest.approx(0, abs=0.1)


def test_losses_measured_elsewhere(tmp_path):
    row = {**SHAPE, "p1": 3.0, "p2": 0.5, "p3": 0.1, "P": 5000, "note": "extra"}
    wanted = KnowledgeRun(**{k: v for k, v in row.items() if k != "note"})
    table = tmp_path / "runs.csv"
    table.write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n")
    lines = tmp_path / "runs.jsonl"
    lines.write_text(json.dumps(row) + "\n\n")
    for path in (table, lines):
        (run,) = read_knowledge_runs(path)
        assert run == wanted
        assert run.capacity_ratio() == capacity_ratio(**vars(wanted))
        assert run.capacity_ratio() < run.max_capacity_ratio()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p1": None}, "row 1 lacks the column 'p1'"),
        ({"p2": "low"}, "row 1: p2 is 'low', which is not a number"),
        ({"p2": -1}, "row 1: p2 must be finite and >= 0"),
        ({"K": 2.5}, "row 1: K must be a whole number"),
        ({"D": 1000}, r"row 1: D must be at most T\^L = 16\^2, not 1000"),
        ({"N": 1e400}, "row 1: N must be a whole number, not inf"),
        ({"p1": 1e400}, "row 1: p1 must be finite, not inf"),
        ({"P": 0}, "row 1: P must be a whole number >= 1"),
        ({"N_0": 5}, "row 1: N_0 must be finite and at least N = 20"),
    ],
)
def test_bad_rows_are_named(tmp_path, change, message):
    row = {**SHAPE, "p1": 3.0, "p2": 0.5, "p3": 0.1, "P": 5000} | change
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(row))
    with pytest.raises(ValueError, match=message):
        read_knowledge_runs(path)


def test_files_without_rows(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,P\n")
    with pytest.raises(ValueError, match="has no rows"):
        read_knowledge_runs(path)
    path = tmp_path / "runs.jsonl"
    path.write_text("not json\n")
    with pytest.raises(ValueError, match=r"runs\.jsonl, line 1 is not JSON"):
        read_knowledge_runs(path)


def test_names_must_be_chosen_from_more():
    with pytest.raises(ValueError, match="N_0 must be above N = 20, not 20"):
        bit_complexity(**{**SHAPE, "N_0": 20}, p1=0.0, p2=0.0, p3=0.0)
    with pytest.raises(ValueError, match="S_0 must be finite and at least 1"):
        biography_capacity_ratio(5, 1.0, 1.0, 10, S_0=0)
