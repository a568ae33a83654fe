import csv
from dataclasses import replace

import pytest

from factcap.figures.capacity_curve import capacity_curve, findings, lines, seldom, table
from factcap.figures.capacity_experiment import COLUMNS, PRESETS, Preset
from factcap.synth import BadInput

QUICK = Preset(
    source=PRESETS["gpu"].source,
    frequencies={"uniform": 0, "power law": 0},
    sizes=("8k",),
    loads=(0.5, 2.0),
    seeds=(0,),
    exposures=2.0,
    batch=16,
    expected=0.02,
)


@pytest.fixture(scope="module")
def curve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curve")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "quick", QUICK)
        shares = {}
        seen = []
        rows = capacity_curve(
            folder,
            preset="quick",
            progress=lambda run, runs, share: shares.update({run: share}),
            ended=lambda rows: seen.append((rows, _drawn(folder))),
        )
        assert set(shares.values()) == {1.0}
        yield folder, rows, seen


def _drawn(folder):
    return sorted(path.name for path in folder.glob("capacity_curve.*"))


def test_rows_are_those_of_the_csv_and_hang_together(curve):
    folder, rows, _ = curve
    with open(folder / "capacity_curve.csv") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS
    assert len(read) == len(rows) == 4
    for row, text in zip(rows, read, strict=True):
        assert all(str(row[column]) == text[column] for column in COLUMNS)
        assert row["load"] == pytest.approx(row["entropy_bits"] / row["capacity_bits"])
        assert row["accuracy"] == pytest.approx(row["facts_known"] / row["facts"])
        assert row["bits_per_parameter"] == pytest.approx(row["stored_bits"] / row["parameters"])
        assert row["all_or_nothing"] <= row["rate_distortion"] <= 1
    uniform = [row["unclipped_stored_bits"] for row in rows if row["frequency"] == "uniform"]
    assert rows[0]["capacity_bits"] == pytest.approx(max(uniform))
    for row in rows:
        assert row["exponent"] == pytest.approx(float(row["frequency"] == "power law"))


def test_files_table_and_findings(curve):
    folder, rows, _ = curve
    for suffix in ("png", "svg"):
        assert (folder / f"capacity_curve.{suffix}").stat().st_size > 10_000
    text = table(rows)
    assert text.count("\n") == sum(map(len, lines(rows).values())) == 4
    assert f"{rows[0]['accuracy']:.3f}" in text
    sentences = findings(rows)
    assert f"most facts known {max(r['facts_known'] for r in rows[:2]):,}" in sentences[0]
    impossible = [{**row, "accuracy": row["rate_distortion"] + 0.01} for row in rows]
    assert any("above the rate-distortion bound" in sentence for sentence in findings(impossible))


def test_table_and_picture_grow_while_the_runs_end(curve):
    _, rows, seen = curve
    assert seen
    final = {row["run"]: row for row in rows}
    begun: set[str] = set()
    for some, _ in seen:
        names = {row["run"] for row in some}
        assert begun < names <= set(final)
        begun = names
        uniform = [row for row in some if row["frequency"] == "uniform"]
        measured = final[some[0]["run"]]["capacity_bits"]
        expected = QUICK.expected * some[0]["parameters"]
        # The capacity is measured on all uniform runs; until then it is the expected one.
        assert {row["capacity_bits"] for row in some} == {
            measured if len(uniform) == 2 else expected
        }
        for row in some:
            assert row["facts_known"] == final[row["run"]]["facts_known"]
    # What was drawn when the first had ended is there when the next does.
    assert all("capacity_curve.png" in drawn for _, drawn in seen[1:])
    assert all("capacity_curve.json" in drawn for _, drawn in seen[1:])


def test_a_call_is_left_out_while_it_would_take_more_than_its_share(monkeypatch):
    now = [0.0]
    calls = []

    def slow(argument):
        calls.append((now[0], argument))
        now[0] += 2

    monkeypatch.setattr("factcap.figures.capacity_curve.time.monotonic", lambda: now[0])
    call = seldom(slow, 0.1)
    for moment in (0, 5, 21, 22, 30, 43):  # at 22 s the first, of 2 s, was less than a tenth
        now[0] = float(moment)
        call(moment)
    assert [argument for _, argument in calls] == [0, 22]


def test_a_second_call_reads_the_runs(curve, monkeypatch):
    folder, rows, _ = curve
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*.parquet")}
    assert capacity_curve(folder, preset="quick") == rows
    assert {p: p.stat().st_mtime_ns for p in folder.glob("runs/*/*.parquet")} == before
    monkeypatch.setitem(PRESETS, "other", replace(QUICK, exposures=3.0))
    with pytest.raises(BadInput, match=r"`factcap .* --preset quick` .* --preset other`"):
        capacity_curve(folder, preset="other")


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "capacity_curve.png").write_text("precious")
    with pytest.raises(BadInput, match=r"capacity_curve.png exists"):
        capacity_curve(tmp_path, preset="tiny")
    assert [path.name for path in tmp_path.iterdir()] == ["capacity_curve.png"]
