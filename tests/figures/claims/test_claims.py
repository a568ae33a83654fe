from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.figures.claims import claims as figure
from factcap.figures.claims import page
from factcap.figures.claims.claim import HOLDS, IN_PART, NOT_HERE, Finding
from factcap.figures.claims.claims import claims
from factcap.figures.claims.picture import draw_claim, draw_findings
from factcap.figures.claims.table import CLAIMS, PRESETS, table_rows
from factcap.figures.files import Held
from factcap.synth import BadInput

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "docs" / "results" / "claims.csv"


def finding(values, published: float | None = 1.0, **more):
    return Finding("A claim", published, values, (0.9, 1.1), (0.5, 2.0), 1234, **more)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.95, 1.15], HOLDS), ([1.2, 1.4], IN_PART), ([2.5, 2.5], NOT_HERE), ([0.1], NOT_HERE)],
)
def test_the_verdict_reads_the_mean(values, verdict):
    assert finding(values).verdict() == verdict


def test_a_row_has_the_mean_and_the_interval_of_the_seeds():
    claim = CLAIMS["quantization"]
    [row] = table_rows(claim, [finding([1.0, 2.0, 3.0])], (0, 1, 2), "factcap figure claims")
    # 4.303 / sqrt 3
    assert (row["measured"], row["low"], row["high"]) == ("2", "-0.484", "4.48")
    assert (row["seeds"], row["parameters"], row["source"]) == (3, 1234, claim.source)
    [row] = table_rows(claim, [finding([1.0], None, source="us")], (0,), "factcap figure claims")
    assert (row["published"], row["source"]) == ("", "us")


def test_the_page_is_made_of_the_table():
    assert (ROOT / "docs" / "claims.md").read_text() == page.page(
        page.read_table(TABLE), "results/"
    )


def test_every_row_of_the_table_is_of_a_claim_with_seeds_and_an_interval():
    rows = page.read_table(TABLE)
    assert list(rows[0]) == list(page.COLUMNS)
    for row in rows:
        assert int(row["seeds"]) >= 3
        assert float(row["low"]) <= float(row["measured"]) <= float(row["high"])
        assert row["verdict"] in (HOLDS, IN_PART, NOT_HERE)


def test_the_table_follows_from_the_runs_behind_it():
    """The findings, made again from the rows of the runs that lie beside them."""
    table = page.read_table(TABLE)
    seen = []
    for name, claim in CLAIMS.items():
        path = TABLE.parent / "claims" / f"{name}.csv"
        if not path.exists():
            continue
        runs = [{key: number(text) for key, text in row.items()} for row in page.read_table(path)]
        seeds = sorted({int(row["seed"]) for row in runs})
        command = next(row["command"] for row in table if f"claims={name}" in row["command"])
        preset = command.split("--preset ")[1].split()[0]
        settings = getattr(PRESETS[preset], name)
        made = table_rows(claim, claim.findings(settings, runs), seeds, command)
        texts = [{key: str(value) for key, value in row.items()} for row in made]
        assert texts == [row for row in table if row["command"] == command]
        seen += texts
    assert len(seen) == len(table)


def number(text):
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


# Their files of facts take seconds to write.
SLOW = {("junk", "tiny"), ("junk", "laptop"), ("mixture", "laptop")}


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        pytest.param(name, preset, marks=pytest.mark.slow if (name, preset) in SLOW else ())
        for name in CLAIMS
        for preset in ("tiny", "laptop")
    ],
)
def test_runs_differ_and_have_every_seed(name, preset, tmp_path):
    plan = PRESETS[preset]
    wanted = CLAIMS[name].runs(getattr(plan, name), (0, 1), tmp_path)
    assert len({each.spec.id for each in wanted}) == len(wanted)
    labels = [tuple(each.labels.items()) for each in wanted]
    assert len(set(labels)) == len(labels)
    by_seed = [{k: v for k, v in each.labels.items() if k != "seed"} for each in wanted]
    assert all(by_seed.count(label) == 2 for label in by_seed)


def test_pictures_have_a_point_a_row(tmp_path):
    rows = [
        {"exposures": at, "bits_per_parameter": at / 10, "optimizer": name, "seed": seed}
        for at in (1, 10)
        for name in ("muon", "adamw")
        for seed in (0, 1)
    ]
    [axes] = draw_claim(CLAIMS["exposures"], rows).axes
    assert [str(bars.get_label()) for bars in axes.containers] == ["muon", "adamw"]
    made = table_rows(CLAIMS["exposures"], [finding([1.0, 2.0])], (0, 1), "factcap")
    [axes] = draw_findings([{key: str(value) for key, value in row.items()} for row in made]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A claim"]


@pytest.mark.parametrize("name", CLAIMS)
def test_a_point_is_the_mean_of_one_value_a_seed(name):
    panel = CLAIMS[name].panel
    columns = [each for each in (panel.by, panel.x, "seed", panel.y) if each]
    rows = page.read_table(TABLE.parent / "claims" / f"{name}.csv")
    values = {tuple(row[each] for each in columns) for row in rows}
    assert len({value[:-1] for value in values}) == len(values)


QUICK = {"claims": "exposures", "seeds": "2", "exposures.exposures": "1,2,3,4,5"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    return folder, claims(folder, preset="tiny", changes=QUICK)


@pytest.mark.slow
def test_a_claim_is_made_once_and_read_again(made):
    folder, rows = made
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*.parquet")}
    assert len(before) == 10
    assert claims(folder, preset="tiny", changes=QUICK) == rows
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert (folder / "claims.md").read_text() == page.page(page.read_table(folder / "claims.csv"))
    assert {row["command"] for row in rows} == {
        "factcap figure claims --preset tiny --set claims=exposures --set seeds=2 "
        "--set exposures.exposures=1,2,3,4,5"
    }
    with pytest.raises(Held):
        claims(folder, preset="tiny", changes={**QUICK, "seeds": "1,2"})


@pytest.mark.slow
def test_a_claim_that_fails_leaves_the_others(made, monkeypatch):
    folder, rows = made
    broken = replace(CLAIMS["gated"], findings=lambda settings, rows: 1 / 0)
    monkeypatch.setattr(figure, "CLAIMS", {**CLAIMS, "gated": broken})
    changes = {**QUICK, "claims": "gated,exposures", "gated.exposures": "1,2"}
    with pytest.raises(FloatingPointError, match="not all claims were measured: gated: division"):
        claims(folder, preset="tiny", changes=changes)
    assert page.read_table(folder / "claims.csv") == rows


@pytest.mark.slow
def test_every_claim_can_be_measured(tmp_path):
    changes = {"claims": ",".join(CLAIMS), "seeds": "0,"}
    rows = claims(tmp_path, preset="tiny", changes=changes)
    measured = {row["command"].split("claims=")[1].split()[0] for row in rows}
    assert measured == set(CLAIMS)
    for name in CLAIMS:
        assert (tmp_path / "claims" / f"{name}.png").stat().st_size > 5_000


def test_what_makes_no_sense_is_refused(tmp_path):
    for changes, message in (
        ({"claims": "gravity"}, "claims must be one of two_bits, random_sequences"),
        ({"exposures.exposures": "1,2"}, "laws need 5 numbers of exposures at least, not 2"),
        ({"skew.exponents": "1,2"}, "0 must be one of the exponents"),
        ({"masks.active": "256"}, "active must be less than hidden, 256, not 256"),
        ({"masks.hidden": "32"}, "active must be less than hidden, 32, not 64"),
    ):
        with pytest.raises(BadInput, match=message):
            claims(tmp_path, changes=changes)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_seeds_are_in_their_order():
    from factcap.figures.claims.claim import column

    rows = [{"seed": 1, "x": 2.0, "of": "a"}, {"seed": 0, "x": 1.0, "of": "a"}]
    np.testing.assert_array_equal(column(rows, "x", of="a"), [1.0, 2.0])
