import csv
from itertools import pairwise

import pytest

from factcap import figures
from factcap.figures import FIGURES, Entry, figure_function
from factcap.figures.capacity_ratio import PRESETS, Plan, capacity_ratio, law, peaks
from factcap.synth import BadInput

# Simulations take some twenty seconds.
SIMULATED = ("rules_and_facts", "kernel_plane")
THEORY = [name for name, entry in FIGURES.items() if not entry.trains]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gallery")
    return folder, {name: figure_function(name)(folder, **quick(name)) for name in THEORY}


def quick(name):
    preset = FIGURES[name].quick
    return {} if preset is None else {"preset": preset}


@pytest.mark.parametrize("name", THEORY)
def test_picture_and_numbers_are_written(gallery, name):
    folder, made = gallery
    with open(folder / f"{name}.csv") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(made[name]) > 5
    for row, text in zip(made[name], read, strict=True):
        assert {column: str(value) for column, value in row.items()} == text
    assert (folder / f"{name}.png").stat().st_size > 10_000
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in SIMULATED else n for n in THEORY],
)
def test_the_same_is_made_again(gallery, name, tmp_path):
    folder, made = gallery
    assert figure_function(name)(tmp_path, **quick(name)) == made[name]
    for suffix in ("svg", "csv", "json"):
        first, second = (place / f"{name}.{suffix}" for place in (folder, tmp_path))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", [*THEORY, "capacity_ratio"])
def test_other_files_are_left_alone(name, tmp_path):
    (tmp_path / f"{name}.svg").write_text("precious")
    with pytest.raises(BadInput, match=rf"{name}\.svg exists"):
        figure_function(name)(tmp_path)
    (tmp_path / f"{name}.csv").write_text("my,own,table\n1,2,3\n")
    with pytest.raises(BadInput, match="choose another directory"):
        figure_function(name)(tmp_path)
    (tmp_path / f"{name}.json").write_text("[1]")
    with pytest.raises(BadInput, match=rf"{name}\.json does not say how {name} was made"):
        figure_function(name)(tmp_path)
    assert (tmp_path / f"{name}.svg").read_text() == "precious"
    with pytest.raises(BadInput, match="the figure needs a directory"):
        figure_function(name)(tmp_path / f"{name}.svg")


def test_bounds_lie_in_order(gallery):
    rows = gallery[1]["bounds"]
    for even, stored, limit in zip(rows[2::3], rows[1::3], rows[0::3], strict=True):
        kinds = (limit["kind"], stored["kind"], even["kind"])
        assert kinds == ("rate_distortion", "all_or_nothing", "even_spreading")
        assert even["accuracy"] <= stored["accuracy"] * (1 + 1e-9)
        assert stored["accuracy"] <= limit["accuracy"] * (1 + 1e-9)
        if limit["load"] < 1:
            assert even["accuracy"] == 1


def test_luck_fades_and_chernoff_lies_above(gallery):
    rows = gallery[1]["luck"]
    for row in rows:
        assert row["luck_counting"] <= row["luck_chernoff"] + 1e-9
        assert row["rate_distortion"] <= row["luck_chernoff"] + 1e-12
    for one, next_one in pairwise(rows):
        if one["choices"] == next_one["choices"]:
            assert next_one["luck_chernoff"] <= one["luck_chernoff"]


def test_multiplier_falls_with_the_alphabet(gallery):
    for panel, by in (("limit", "exponent"), ("uniform", "load")):
        found = {}
        for row in gallery[1]["joint_coding"]:
            if row["panel"] == panel:
                found.setdefault(row[by], []).append(row["multiplier"])
        for multipliers in found.values():
            assert all(a > b >= 1 for a, b in pairwise(multipliers))


def test_the_best_share_to_keep_is_the_peak(gallery):
    kept = [row for row in gallery[1]["mixture"] if row["panel"] == "kept"]
    for capacity in {row["capacity_bits"] for row in kept}:
        curve = [row for row in kept if row["capacity_bits"] == capacity]
        peak = max(curve, key=lambda row: row["all_or_nothing"])
        assert peak["stored_share"] == pytest.approx(1)
        assert 0 < curve[-1]["even_spreading"] < 1e-3 * peak["even_spreading"]


def test_linearized_posteriors_approach_the_exact_ones(gallery):
    rows = gallery[1]["memorized_prior"]
    for series in ("1D", "2D"):
        mine = [row for row in rows if row["series"] == series]
        distances = {}
        for noise in sorted({row["noise"] for row in mine if row["panel"] == "points"}):
            points = [r for r in mine if r["panel"] == "points" and r["noise"] == noise]
            assert sum(row["linearized"] for row in points) == pytest.approx(1, abs=2e-3)
            density = [r for r in mine if r["panel"] == "density" and r["noise"] == noise]
            total = sum(row["exact"] for row in density)
            apart = sum(abs(row["exact"] - row["linearized"]) for row in density)
            distances[noise] = apart / total
        assert list(distances.values()) == sorted(distances.values())
        assert min(distances.values()) < 0.05 < max(distances.values())
        modes = [row for row in mine if row["panel"] == "posterior"]
        for name in ("linearized", "without_determinant"):
            assert modes[0][name] == pytest.approx(modes[0]["exact"], rel=5e-3)
        assert modes[-1]["exact"] > 2 * modes[0]["exact"]


def test_one_training_point_takes_over_at_little_noise(gallery):
    rows = [row for row in gallery[1]["memorized_prior"] if row["panel"] == "prior"]
    for series in {row["series"] for row in rows}:
        modes = [row["exact"] for row in rows if row["series"] == series]
        assert modes == sorted(modes)
        assert modes[0] == pytest.approx(1)
        assert 1.5 in modes


PLAN = Plan(people=(4, 8), exposures=(5, 10, 20), batch=4)


@pytest.fixture(scope="module")
def ratios(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ratios")
    seen = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "quick", PLAN)
        rows = capacity_ratio(
            folder, preset="quick", progress=lambda run, runs, share: seen.update({run: share})
        )
        assert seen == dict.fromkeys(range(6), 1.0)
        yield folder, rows


def test_ratios_are_bounded_and_read_again(ratios):
    folder, rows = ratios
    assert [(row["exposures"], row["N"]) for row in rows] == [
        (exposures, people) for exposures in PLAN.exposures for people in PLAN.people
    ]
    for row in rows:
        assert row["R"] <= row["R_max"]
        # R = R_max less the losses: N K p2 for the values, K D p3 with p3 = p2
        nats = row["p2"] * row["K"] * (row["N"] + row["D"])
        lost = nats / 0.6931471805599453 / row["parameters"]
        assert row["R_max"] - row["R"] == pytest.approx(lost)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/*.parquet")}
    assert len(before) == 6
    assert capacity_ratio(folder, preset="quick") == rows
    assert {p: p.stat().st_mtime_ns for p in folder.glob("runs/*/*.parquet")} == before


def test_unknown_presets_list_the_known(tmp_path):
    with pytest.raises(BadInput, match="no preset is called 'huge'; there are tiny, laptop"):
        capacity_ratio(tmp_path / "new", preset="huge")
    assert not (tmp_path / "new").exists()


def test_peaks_and_law(ratios):
    _, rows = ratios
    assert list(peaks(rows)) == list(PLAN.exposures)
    ideal = [{**row, "R": 2 * (1 - 2.718281828459045 ** (-row["exposures"] / 8))} for row in rows]
    fit = law(ideal)
    assert fit is not None
    assert fit.estimate == pytest.approx({"saturated": 2.0, "rate": 1 / 8}, rel=1e-3)
    assert law(ideal[:2]) is None


@pytest.mark.parametrize("trains", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_command_draws_one_or_all(tmp_path, monkeypatch, capsys, trains):
    from factcap import cli

    few = {name: FIGURES[name] for name in ("classical", "membership")}
    if trains:
        few["capacity_ratio"] = Entry("factcap.figures.capacity_ratio", trains=True, quick="quick")
        monkeypatch.setitem(PRESETS, "quick", PLAN)
    monkeypatch.setattr(figures, "FIGURES", few)
    cli.parse(["figure", "classical", "--out", str(tmp_path / "one")]).run()
    assert (tmp_path / "one" / "classical.png").exists()
    cli.parse(["figure", "--all", "--out", str(tmp_path / "all")]).run()
    printed = capsys.readouterr().out.split()
    assert [line.rsplit("/", 1)[-1] for line in printed] == [
        *("classical.png", "classical.png", "membership.png"),
        *(["capacity_ratio.png"] if trains else []),
    ]
    assert {path.name for path in (tmp_path / "all").glob("*.csv")} == {
        f"{name}.csv" for name in few
    }
