import signal
from dataclasses import replace

import pytest

from factcap.figures.splitting.experiment import PRESETS, points
from factcap.models import run_specs
from factcap.models.sweep.file import configurations
from tests.faults.killable import Moment, write_moments
from tests.faults.sweeps import attempts, finish, numbers, start

SWEEP = """
from factcap.models import product
facts = {"generator": "domains", "private": 12, "shared": 6, "count": 2, "vocabulary": 12}
facts |= {"key_length": 3, "value_length": 2}
base = {"model": {"width": 8, "depth": 1, "heads": 1}, "batch": 16, "exposures": 1e-3}
base |= {"facts": facts, "optimizer": "adamw", "saturate": False, "fewest_steps": 300}
trunk = {**base, "decay": 0.0}
longer = {**trunk, "fewest_steps": 200, "parent": trunk}
runs = [
    {**base, "facts": {**facts, "domain": domain}, "parent": parent}
    for parent in (trunk, longer)
    for domain in (0, 1)
]
"""
# Of the figure: two domains, no overlap, a budget of 800 steps, half of it for the trunk.
CHANGES = {"asked": 40, "exposures": (160.0,), "batch": 16, "overlaps": (0.0,), "shares": (0.5,)}


def kill(command, cache, folder, moment):
    """Run a command until the moment, when it and all its workers are killed."""
    moments = write_moments(folder, moment)
    code, _, err = finish(start(*command, cache=cache, moments=moments))
    assert code == -signal.SIGKILL, (moment, err)
    assert list(moments.iterdir()) == []


def complete(command, cache):
    code, _, err = finish(start(*command, cache=cache))
    assert code == 0, err


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_trains_no_trunk_twice(tmp_path, cache):
    file = tmp_path / "sweep.py"
    file.write_text(SWEEP)
    whole, store = tmp_path / "whole", tmp_path / "store"
    words = ("sweep", file, "--workers", 1, "--checkpoint-seconds", 0, "--out")
    complete((*words, whole), cache)
    specs = run_specs(configurations(file))
    trunk, longer = (spec.id for spec in specs if spec.facts["domain"] is None)
    first, _, _, last = (spec.id for spec in specs if spec.facts["domain"] is not None)
    moments = [
        Moment("rename", rf"{trunk}/checkpoint/200\.json$", "kill all"),  # in the midst of a trunk
        Moment("write", rf"{trunk}/outcome", "kill all"),  # trained, and not said to be
        Moment("mkdir", rf"{first}$", "kill all"),  # between the trunk and its branches
        Moment("rename", rf"{first}/checkpoint/200\.json$", "kill all"),  # in the midst of a branch
        Moment("mkdir", rf"{longer}$", "kill all"),  # between the trunk and the longer one
        Moment("mkdir", rf"{last}$", "kill all"),  # between two branches
        Moment("write", rf"{last}/metrics", "kill all"),  # a branch of which nothing is saved
    ]
    for number, moment in enumerate(moments):
        kill((*words, store), cache, tmp_path / f"moments {number}", moment)
    complete((*words, store), cache)
    assert numbers(store) == numbers(whole)
    begun = {spec.id: [0] for spec in specs}
    assert attempts(store) == begun | {trunk: [0, 100, 300], first: [0, 100], last: [0, 0]}
    made = {row["run"]: (row["steps_made"], row["parent_steps"]) for row in numbers(store)}
    assert made[trunk] == (300, None)
    assert made[longer] == (200, 300)
    assert made[first] == (300, 300)
    assert made[last] == (300, 500)


@pytest.mark.slow
def test_a_killed_figure_goes_on_and_trains_no_trunk_twice(tmp_path, cache):
    plan = replace(PRESETS["tiny"], **CHANGES)
    branch = next(point.spec for point in points(plan) if point.spec.parents)
    [trunk] = branch.parents
    words = ["figure", "splitting", "--preset", "tiny"]
    for name, value in CHANGES.items():
        words += ["--set", f"{name}={value[0] if isinstance(value, tuple) else value}"]
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    complete((*words, "--out", whole), cache)
    moments = [
        Moment("mkdir", rf"{branch.id}$", "kill all"),  # between the trunk and its branches
        Moment("write", rf"{branch.id}/metrics", "kill all"),  # in the midst of a branch
    ]
    for number, moment in enumerate(moments):
        kill((*words, "--out", folder), cache, tmp_path / f"moments {number}", moment)
    complete((*words, "--out", folder), cache)
    for name in ("splitting.csv", "splitting_table.csv", "splitting.png"):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    assert numbers(folder) == numbers(whole)
    begun = attempts(folder)
    assert begun[trunk.id] == [0]
    assert begun[branch.id] == [0, 0]
    [made] = [row["steps_made"] for row in numbers(folder) if row["run"] == trunk.id]
    assert made == plan.split(*plan.exposures, *plan.shares)[0] == 400
