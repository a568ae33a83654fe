import csv
from dataclasses import replace

import pytest

from factcap.figures.capacity_curve import capacity_curve, findings, lines, table
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
        rows = capacity_curve(
            folder, preset="quick", progress=lambda run, runs, share: shares.update({run: share})
        )
        assert set(shares.values()) == {1.0}
        yield folder, rows


def test_rows_are_those_of_the_csv_and_hang_together(curve):
    folder, rows = curve
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
    folder, rows = curve
    for suffix in ("png", "svg"):
        assert (folder / f"capacity_curve.{suffix}").stat().st_size > 10_000
    text = table(rows)
    assert text.count("\n") == sum(map(len, lines(rows).values())) == 4
    assert f"{rows[0]['accuracy']:.3f}" in text
    sentences = findings(rows)
    assert f"most facts known {max(r['facts_known'] for r in rows[:2]):,}" in sentences[0]
    impossible = [{**row, "accuracy": row["rate_distortion"] + 0.01} for row in rows]
    assert any("above the rate-distortion bound" in sentence for sentence in findings(impossible))


def test_a_second_call_reads_the_runs(curve, monkeypatch):
    folder, rows = curve
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
