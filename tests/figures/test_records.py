import csv
import json
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import factcap
from factcap import cli, figures
from factcap.commands.pictures import Figure
from factcap.figures import FIGURES, capacity_curve, capacity_ratio, figure_function, figure_presets
from factcap.figures.corpus.corpus_selection import corpus_selection
from factcap.figures.files import Held, Record, claim
from factcap.figures.presets import as_json, changed
from factcap.figures.theory import kernel_plane
from factcap.models.sweep.engines import local
from factcap.synth import BadInput
from tests.figures.test_capacity_curve import PRESETS as CURVES
from tests.figures.test_capacity_curve import QUICK
from tests.synth.corpus.mini import write_folder

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
CHANGES = {"loads": "2,0.5", "frequencies": "uniform:0", "exposures": "1"}


@pytest.fixture
def here(monkeypatch):
    """Runs are made in this process."""
    monkeypatch.setattr(local, "default_workers", lambda: 0)


def companion(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def rows(folder, name):
    with (folder / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_figure_of_theory_is_changed_recorded_and_made_again(call, tmp_path):
    out = tmp_path / "out"
    words = ["--preset", "tiny", "--set", "repeats=2", "--set", "dimension=1e1", "--out", out]
    assert call("figure", "kernel_plane", *words)[0] == 0
    found = companion(out, "kernel_plane")
    assert found == {
        "figure": "kernel_plane",
        "preset": "tiny",
        "changes": {"repeats": "2", "dimension": "1e1"},
        "settings": {"dimension": 10, "repeats": 2},
        "version": factcap.__version__,
        "command": "factcap figure kernel_plane --preset tiny --set repeats=2 --set dimension=1e1",
    }
    made = {path.name: path.read_bytes() for path in out.iterdir()}
    assert call(*shlex.split(found["command"])[1:], "--out", out)[0] == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == made
    # the same settings by other words are the same figure
    assert (
        call("figure", "kernel_plane", "--set", "dimension=10", *words[2:4], "--out", out)[0] == 0
    )
    assert companion(out, "kernel_plane")["preset"] == "laptop"
    code, _, err = call("figure", "kernel_plane", "--out", out)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{out} holds what `factcap figure kernel_plane --preset laptop --set dimens" in err
    assert f"of factcap {factcap.__version__} made, with other settings than `factcap " in err
    assert (out / "kernel_plane.csv").read_bytes() == made["kernel_plane.csv"]


def test_the_curve_is_changed_and_its_folder_is_its_own(call, here, tmp_path, monkeypatch):
    monkeypatch.setitem(CURVES, "quick", QUICK)
    words = ("curve", "--preset", "quick", "--out", tmp_path, "--json")
    changes = [word for name, text in CHANGES.items() for word in ("--set", f"{name}={text}")]
    code, out, _ = call(*words, *changes)
    assert code == 0
    assert len(json.loads(out)["rows"]) == 2
    assert {row["frequency"] for row in rows(tmp_path, "capacity_curve")} == {"uniform"}
    found = companion(tmp_path, "capacity_curve")
    assert str(tmp_path / "capacity_curve.json") in json.loads(out)["files"]
    assert found["changes"] == CHANGES
    assert found["settings"]["source"] == "_phonebook"
    assert found["settings"]["loads"] == [2, 0.5]
    assert changed(QUICK, found["changes"]) == replace(
        QUICK, loads=(2, 0.5), frequencies={"uniform": 0}, exposures=1
    )
    code, out, err = call(*words, *changes, "--set", "seeds=2")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "choose another directory" in err
    code, _, err = call(*words[:3], "--out", tmp_path / "new", "--set", "loads=0")
    assert (code, err) == (2, "factcap: each of loads must be positive, not 0.0\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_the_corpus_of_made_up_people_is_changed(call, here, tmp_path):
    changes = (
        *("--set", "facts=20", "--set", "documents=60", "--set", "draws=3200"),
        *("--set", "seeds=3,", "--set", "schemes=random:nothing:0.5"),
    )
    words = ("figure", "corpus_selection", "--preset", "tiny", *changes, "--out", tmp_path)
    assert call(*words)[0] == 0
    made = rows(tmp_path, "corpus_selection")
    assert [(row["scheme"], row["seed"], row["facts"]) for row in made] == [
        *(("ordinary", "3", "20"), ("random 50%", "3", "20")),
    ]
    found = companion(tmp_path, "corpus_selection")
    assert found["changes"]["facts"] == "20"
    assert found["settings"]["facts"] == 20
    assert found["settings"]["seeds"] == [3]
    assert found["settings"]["schemes"] == [{"name": "random", "scored": "nothing", "share": 0.5}]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/outcome.json")}
    assert len(before) == 2
    assert call(*shlex.split(found["command"])[1:], "--out", tmp_path)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    # other facts are another figure
    with pytest.raises(Held, match="with other settings"):
        corpus_selection(
            tmp_path,
            preset="tiny",
            changes=found["changes"],
            data=write_folder(tmp_path / "data"),
        )


def test_what_is_asked_of_the_wrong_figure_gets_one_line(call, tmp_path):
    for words, line in (
        (["bounds", "--set", "facts=3"], "bounds has no presets and nothing to set; these have: "),
        (["bounds", "--presets"], "bounds has no presets and nothing to set; these have: rules_"),
        (["--all", "--set", "facts=3"], "--preset, --set, --presets and --data are for one figure"),
        (["--all", "--presets"], "--preset, --set, --presets and --data are for one figure"),
        (["kernel_plane", "--preset", ""], "no preset is called ''; there are tiny, laptop"),
        (["kernel_plane", "--set", "=2"], "a change must be FIELD=VALUE, not '=2'"),
        (
            ["kernel_plane", "--set", "loads=2"],
            "there is no field 'loads'; there are dimension, re",
        ),
    ):
        code, out, err = call("figure", *words, "--out", tmp_path / "new")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"factcap: {line}")
    assert list(tmp_path.iterdir()) == []


def test_presets_are_listed_and_nothing_is_made(call, tmp_path):
    code, out, err = call("figure", "kernel_plane", "--presets", "--out", tmp_path / "new")
    assert (code, err) == (0, "")
    assert out == ("tiny\n  dimension=60\n  repeats=3\nlaptop\n  dimension=300\n  repeats=16\n")
    _, out, _ = call("figure", "stored_bits", "--presets")
    assert "tiny\n  size=8k\n  optimizers=adamw,muon\n  exposures=25,50\n" in out
    assert "  biographies=\n  seeds=0,\nlaptop\n" in out
    assert not (tmp_path / "new").exists()


def test_the_gallery_goes_on_and_leaves_what_was_made_otherwise(call, tmp_path, monkeypatch):
    few = {name: FIGURES[name] for name in ("kernel_plane", "classical")}
    monkeypatch.setattr(figures, "FIGURES", few)
    monkeypatch.setitem(kernel_plane.PRESETS, "tiny", kernel_plane.Plan(dimension=10, repeats=2))
    kernel_plane.kernel_plane(tmp_path, preset="tiny", changes=["dimension=9"])
    before = (tmp_path / "kernel_plane.csv").read_bytes()
    code, out, err = call("figure", "--all", "--out", tmp_path)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith(f"kernel_plane is left as it is: {tmp_path} holds what `factcap figure ")
    assert out == f"{tmp_path / 'classical.png'}\n"
    assert (tmp_path / "kernel_plane.csv").read_bytes() == before
    assert call("figure", "--all", "--out", tmp_path / "again")[0] == 0
    assert companion(tmp_path / "again", "kernel_plane")["preset"] == "tiny"
    assert call("figure", "--all", "--out", tmp_path / "again")[::2] == (0, "")


def test_a_figure_without_presets_is_recorded_too(tmp_path):
    figure_function("classical")(tmp_path)
    assert companion(tmp_path, "classical") == {
        "figure": "classical",
        "preset": None,
        "changes": {},
        "settings": {},
        "version": factcap.__version__,
        "command": "factcap figure classical",
    }


def test_an_interrupted_figure_goes_on_with_what_is_made(tmp_path, monkeypatch):
    monkeypatch.setitem(CURVES, "quick", QUICK)
    make = partial(capacity_curve.capacity_curve, tmp_path, preset="quick")

    draw = capacity_curve.draw

    def interrupt(rows, *, unfinished=False):
        if not unfinished:
            raise KeyboardInterrupt
        return draw(rows, unfinished=True)

    with monkeypatch.context() as patch:
        patch.setattr(capacity_curve, "draw", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make(changes=CHANGES)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/outcome.json")}
    assert len(before) == 2
    assert len(make(changes=CHANGES)) == 2
    with pytest.raises(Held, match="with other settings"):
        make(changes=CHANGES | {"batch": "17"})
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_facts_that_cannot_be_made_leave_nothing_behind(tmp_path):
    with pytest.raises(BadInput, match="there are 1073741824 names"):
        capacity_ratio.capacity_ratio(tmp_path / "new", preset="tiny", changes=["people=2e9"])
    with pytest.raises(BadInput, match="facts, with most_alike 10; ask for 1 to that, not 100000"):
        corpus_selection(tmp_path / "new", preset="tiny", changes=["facts=1e5"])
    assert list(tmp_path.iterdir()) == []


def test_tables_of_a_figure_are_not_overwritten_either(tmp_path):
    (tmp_path / "selection_gain_table.csv").write_text("precious")
    with pytest.raises(
        BadInput, match=r"selection_gain_table\.csv exists and no selection_gain\.j"
    ):
        claim(tmp_path, Record("selection_gain"), "selection_gain_table.csv")


def test_the_command_of_a_record_is_what_a_shell_reads():
    record = Record("capacity_curve", "gpu", {"frequencies": "power law:0,uniform:0"})
    assert shlex.split(record.command)[1:] == [
        *("figure", "capacity_curve", "--preset", "gpu"),
        *("--set", "frequencies=power law:0,uniform:0"),
    ]
    command = cli.parse(shlex.split(record.command)[1:])
    assert isinstance(command, Figure)
    assert command.set == ("frequencies=power law:0,uniform:0",)


@pytest.mark.parametrize("name", [name for name, entry in FIGURES.items() if not entry.trains])
def test_the_committed_gallery_says_how_it_was_made(name):
    found = companion(GALLERY, name)
    preset = None if FIGURES[name].quick is None else "laptop"
    settings = {} if preset is None else as_json(figure_presets(name)[preset])
    assert found == Record(name, preset, {}, settings).companion() | {"version": found["version"]}
