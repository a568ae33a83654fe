import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.figures import diffusion_experiment as experiment
from factcap.figures.diffusion_experiment import (
    COLUMNS,
    MEMORIZED,
    NETWORK,
    POSTERIOR,
    PRESETS,
    TRUTH,
    Plan,
    Trial,
    measured,
    truth,
)
from factcap.figures.diffusion_transition import capacity_points, diffusion_transition, distance
from factcap.models.diffusion import DenoiserConfig, DiffusionTraining, memorized
from factcap.synth import BadInput

ROOT = Path(__file__).parent.parent.parent
PLAN = Plan(
    points=(8, 64),
    seeds=(0, 1),
    denoiser=DenoiserConfig(dimension=3, width=8, depth=1),
    training=DiffusionTraining(steps=100, batch=16),
    noises=(0.1, 1.0),
    samples=200,
    posterior_points=8,
    observations=2,
)


def one(rows, **wanted):
    [row] = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


@pytest.mark.slow
def test_every_run_is_made_once_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", PLAN)
    seen = {}
    rows = diffusion_transition(
        tmp_path, preset="quick", progress=lambda run, runs, share: seen.update({run: share})
    )
    assert seen == dict.fromkeys(range(4), 1.0)
    with open(tmp_path / "diffusion_transition.csv") as file:
        read = list(csv.DictReader(file))
    for row, text in zip(rows, read, strict=True):
        assert tuple(row) == COLUMNS
        assert {name: str(value) for name, value in row.items()} == text
    counts = [sum(row["panel"] == name for row in rows) for name in ("samples", "score", "stored")]
    assert counts == [4 * 4, 4 * 2, 4]
    # two series of two observations of eight points, at one N, for two seeds
    posterior = [row for row in rows if row["panel"] == "posterior"]
    assert len(posterior) == 2 * 2 * 8 * 2
    for column in ("share", "empirical_weight", "mixture_weight"):
        assert sum(row[column] for row in posterior) == pytest.approx(2 * 2 * 2, abs=1e-4)
    assert (tmp_path / "diffusion_transition.png").stat().st_size > 10_000

    def never(*_, **__):
        raise AssertionError("it was trained again")

    monkeypatch.setattr(experiment, "train_denoiser", never)
    # a run does not depend on the others of its plan
    monkeypatch.setitem(PRESETS, "fewer", replace(PLAN, points=(64, 8), seeds=(1,)))
    assert diffusion_transition(tmp_path, preset="quick") == rows
    # which is another figure, in a folder of its own
    runs = "diffusion_transition_runs"
    shutil.copytree(tmp_path / runs, tmp_path / "fewer" / runs)
    again = diffusion_transition(tmp_path / "fewer", preset="fewer")
    assert again == [row for n in (64, 8) for row in rows if (row["points"], row["seed"]) == (n, 1)]


def test_runs_that_differ_have_different_names(tmp_path):
    trial = Trial(PLAN, 8, 0, tmp_path)
    others = [
        replace(trial, points=64),
        replace(trial, seed=1),
        replace(trial, plan=replace(PLAN, samples=201)),
        replace(trial, plan=replace(PLAN, observations=3)),
        replace(trial, plan=replace(PLAN, training=replace(PLAN.training, least_noise=0.1))),
    ]
    assert len({each.run for each in (trial, *others)}) == 6
    far = replace(trial, points=64)
    assert far.run == replace(far, plan=replace(PLAN, observations=3)).run


def test_the_exact_memorized_denoiser_in_place_of_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(
        experiment, "train_denoiser", lambda points, *_, **__: memorized(points).denoiser()
    )
    rows = measured(Trial(PLAN, 8, 0, tmp_path), lambda share: None)
    for series in (NETWORK, POSTERIOR):
        assert one(rows, panel="samples", series=series)["memorized_fraction"] > 0.99
    for noise in PLAN.noises:
        row = one(rows, panel="score", noise=noise)
        assert row["memorized_error"] == 0
        assert row["true_error"] > 0.01
    stored = one(rows, panel="stored")
    assert stored["stored_bits"] == stored["most_bits"] > 8 * 5
    assert stored["excess_bits"] > 5
    shares = [
        [row["share"] for row in rows if row["panel"] == "posterior" and row["series"] == series]
        for series in (NETWORK, MEMORIZED)
    ]
    assert shares[0] == shares[1]


def test_the_true_denoiser_in_place_of_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "train_denoiser", lambda *_, **__: truth(3).denoiser())
    rows = measured(Trial(PLAN, 64, 0, tmp_path), lambda share: None)
    network, fresh = (
        one(rows, panel="samples", series=series)["memorized_fraction"]
        for series in (NETWORK, TRUTH)
    )
    # of points in three dimensions, one in 3^3 passes by chance
    for fraction in (network, fresh):
        assert abs(fraction - 1 / 27) < 3 * np.sqrt(1 / 27 / PLAN.samples)
    for noise in PLAN.noises:
        row = one(rows, panel="score", noise=noise)
        assert row["true_error"] == 0
        assert row["memorized_error"] > 0.01
    stored = one(rows, panel="stored")
    assert stored["stored_bits"] == stored["excess_bits"] == 0


def test_lines_show_means_capacity_and_distances():
    rows = [
        {
            **{"panel": "stored", "points": n, "seed": seed, "noise": 0.05, "parameters": 9},
            **{"stored_bits": bits + 20 * seed, "most_bits": 10.0 * n},
        }
        for n, bits in ((10, 90.0), (100, 390.0), (1000, 200.0))
        for seed in (0, 1)
    ]
    # the most stored, 400 bits, are all there is to store of 40 points
    assert capacity_points(rows) == pytest.approx(40)
    assert capacity_points(rows[:2]) is None
    shares = [
        {"seed": 0, "observation": number, "share": share, "empirical_weight": weight}
        for number, pairs in enumerate([[(0.5, 0.8), (0.5, 0.2)], [(1.0, 1.0), (0.0, 0.0)]])
        for share, weight in pairs
    ]
    assert distance(shares) == pytest.approx(0.15)


def test_unknown_presets_list_the_known(tmp_path):
    with pytest.raises(BadInput, match="no preset is called 'huge'; there are tiny, laptop"):
        diffusion_transition(tmp_path / "new", preset="huge")
    assert not (tmp_path / "new").exists()


def test_the_committed_results_show_the_transition():
    with open(ROOT / "docs" / "results" / "diffusion_transition.csv") as file:
        rows = list(csv.DictReader(file))

    def mean(column, points, **wanted):
        wanted = {"points": str(points), **wanted}
        found = [
            float(row[column])
            for row in rows
            if row[column] and all(row[name] == value for name, value in wanted.items())
        ]
        assert len(found) == 2
        return np.mean(found)

    every = sorted({int(row["points"]) for row in rows})
    few, many = every[0], every[-1]
    for series in (NETWORK, POSTERIOR):
        assert mean("memorized_fraction", few, series=series) > 0.9
        assert mean("memorized_fraction", many, series=series) < 0.01
    for noise in ("0.1", "0.3", "1.0"):
        away = {
            points: [mean(name, points, noise=noise) for name in ("memorized_error", "true_error")]
            for points in (few, many)
        }
        assert away[few][0] < away[few][1] / 50
        if noise != "1.0":  # there both closed forms are nearly alike
            assert away[many][1] < away[many][0] / 5
    stored = [mean("stored_bits", points) for points in every]
    best = int(np.argmax(stored))
    assert 0 < best < len(every) - 1
    assert stored[-1] < 0.5 * stored[best]
    assert stored[0] > 0.98 * mean("most_bits", few)
