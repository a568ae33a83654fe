import numpy as np
import pytest

from factcap.figures.stored_bits import COLUMNS, PRESETS, SOURCES, Plan, draw, stored_bits
from factcap.synth import BadInput

PLAN = Plan(
    size="8k",
    optimizers=("muon",),
    exposures=(1, 2),
    sizes=("8k",),
    at=2,
    biographies=("8k",),
    seeds=(0, 1),
)


@pytest.mark.slow
def test_every_point_is_made_once_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", PLAN)
    seen = {}
    rows = stored_bits(
        tmp_path, preset="quick", progress=lambda run, runs, share: seen.update({run: share})
    )
    # 2 exposures of one model, one of them in both panels, and biographies; 2 seeds each
    assert seen == dict.fromkeys(range(6), 1.0)
    assert [(row["source"], row["exposures"], row["seed"]) for row in rows] == [
        *(("biographies", 2, 0), ("biographies", 2, 1)),
        *(("bitstrings", 1, 0), ("bitstrings", 1, 1), ("bitstrings", 2, 0), ("bitstrings", 2, 1)),
    ]
    assert len({row["run"] for row in rows}) == 6
    for row in rows:
        assert tuple(sorted(row)) == tuple(sorted(COLUMNS))
        stored = row["bits_per_parameter"] * row["parameters"]
        assert stored == pytest.approx(row["unclipped_stored_bits"])
        offered = SOURCES[row["source"]].bits_offered
        assert row["entropy_bits"] / row["parameters"] == pytest.approx(offered, rel=0.01)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/*.parquet")}
    assert len(before) == 6
    assert stored_bits(tmp_path, preset="quick") == rows
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/*.parquet")} == before
    assert (tmp_path / "stored_bits.png").stat().st_size > 10_000


def test_lines_are_means_over_seeds_and_bars_their_range():
    plan = Plan(optimizers=("adamw", "muon"), exposures=(50, 100), biographies=(), seeds=(0, 1))
    rows = [
        {
            **{"source": "bitstrings", "model": "29k", "parameters": 30_000},
            **{"optimizer": optimizer, "exposures": exposures, "seed": seed},
            "bits_per_parameter": best * exposures / 100 + 0.1 * seed,
        }
        for optimizer, best in (("adamw", 1.0), ("muon", 2.0))
        for exposures in (50, 100)
        for seed in (0, 1)
    ]
    left, right = draw(rows, plan).axes
    lines = {str(bars.get_label()): bars for bars in left.containers}
    np.testing.assert_allclose(lines["adamw"][0].get_xydata(), [(50, 0.55), (100, 1.05)])
    np.testing.assert_allclose(lines["muon"][0].get_xydata(), [(50, 1.05), (100, 2.05)])
    [segments] = [bars.get_segments() for bars in lines["muon"][2]]
    np.testing.assert_allclose(segments, [[(50, 1.0), (50, 1.1)], [(100, 2.0), (100, 2.1)]])
    # the published ratio at 100 exposures
    [star] = [line for line in left.lines if line.get_marker() == "*"]
    np.testing.assert_allclose(np.asarray(star.get_xydata()), [(100, 1.0)])
    [muon] = right.containers
    np.testing.assert_allclose(muon[0].get_xydata(), [(30_000, 2.05)])


def test_unknown_presets_list_the_known(tmp_path):
    with pytest.raises(BadInput, match="no preset is called 'huge'; there are tiny, laptop"):
        stored_bits(tmp_path / "new", preset="huge")
    assert not (tmp_path / "new").exists()
