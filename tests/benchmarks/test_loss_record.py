import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks.loss_record import RANKINGS, Look, main, ranked, table
from factcap.synth import power_law

FACTS, KEPT = 400, 100
PAGES = Path(__file__).parents[2] / "docs"


def looks(losses, frequency):
    """A record in which the mean is that of all looks, and nothing is dropped."""
    left = np.full(len(losses[0]), True)
    return [
        Look(number / 10, left, frequency, seen, np.mean(losses[:number], axis=0))
        for number, seen in enumerate(losses, 1)
    ]


def test_losses_that_fall_with_the_frequency_rank_without_error():
    pytest.importorskip("sklearn")
    frequency = power_law(FACTS, 0.8)
    rows = ranked(looks([1 - frequency / frequency.max()], frequency), KEPT, seed=0)
    assert rows[0]["mean"] == rows[0]["latest"] == 1
    assert rows[0]["linear"] > 0.98  # four fits, which differ a little
    assert rows[0]["boosted"] > 0.9  # trees find the most frequent ones alike
    assert rows[0]["facts_left"] == FACTS


def test_an_oracle_finds_what_the_mean_does_not_see():
    """The mean of a look that tells all and of one that tells the contrary tells nothing."""
    pytest.importorskip("sklearn")
    rng, frequency = np.random.default_rng(0), power_law(FACTS, 0.8)
    told = np.argsort(np.argsort(-frequency)) / FACTS
    noise = rng.normal(scale=1e-3, size=FACTS)
    rows = ranked(looks([told, 1 - told + noise], frequency), KEPT, seed=0)
    assert rows[1]["mean"] < 0.7
    assert rows[1]["linear"] > 0.95
    assert rows[1]["boosted"] > 0.9


def test_an_oracle_is_not_told_what_it_ranks():
    """It would find every fact again by a loss that is noise, had it been fitted to it."""
    pytest.importorskip("sklearn")
    rng, frequency = np.random.default_rng(1), power_law(FACTS, 0.8)
    noise = [rng.uniform(size=FACTS) for _ in range(3)]
    found = ranked(looks(noise, frequency), KEPT, seed=0)
    chance = KEPT / FACTS / np.sort(frequency)[::-1][:KEPT].sum()
    assert [row["boosted"] for row in found] == pytest.approx([chance] * 3, abs=0.2)
    assert chance < 0.5


def test_facts_that_were_dropped_are_not_ranked():
    pytest.importorskip("sklearn")
    frequency, losses = np.full(FACTS, 1 / FACTS), np.linspace(0, 1, FACTS)
    look = Look(0.3, losses > 0.5, frequency, losses, losses)
    assert [row["facts_left"] for row in ranked([look], KEPT, 0)] == [FACTS // 2]
    assert ranked([look], FACTS // 2, 0) == []


def test_the_table_has_the_means_of_each_look():
    one = {"exponent": 0.8, "load": 4.0, "share": 0.1, "facts_left": 30}
    rankings = {"latest": 0.5, "mean": 0.6, "linear": 0.7, "boosted": 0.8}
    rows = [one | rankings, one | rankings | {"facts_left": 50, "mean": 0.8}]
    later = one | rankings | {"share": 0.05}
    first, second = table([*rows, later])
    assert (first["share"], first["seeds"], second["share"], second["seeds"]) == (0.05, 1, 0.1, 2)
    assert (second["facts_left"], second["mean"]) == (40, pytest.approx(0.7))


@pytest.mark.slow
def test_a_small_training_is_ranked(tmp_path, capsys):
    pytest.importorskip("sklearn")
    out = tmp_path / "out.csv"
    assert main(["--preset", "tiny", "--load", "2", "--seeds", "0", "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert rows
    for row in rows:
        assert all(0 < float(row[name]) <= 1 for name in ("latest", "mean", "linear", "boosted"))
    left = [float(row["facts_left"]) for row in rows]
    assert left == sorted(left, reverse=True)
    assert "| after | facts left |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--exponent", "-1"], "error: the exponent must be finite"),
        (["--load", "1"], "error: --load must be above 1, not 1"),
        (["--load", "nan"], "error: --load must be above 1, not nan"),
    ],
)
def test_what_cannot_be_offered_is_refused(capsys, words, message):
    pytest.importorskip("sklearn")
    assert main(["--preset", "tiny", *words]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_the_page_says_what_was_ranked_and_that_no_oracle_ranks_much_better():
    with open(PAGES / "results" / "loss_record.csv") as file:
        rows = list(csv.DictReader(file))
    page = (PAGES / "selection.md").read_text()
    said = 0
    for row in rows:
        after, left = (float(row[name]) for name in ("share", "facts_left"))
        cells = [f"{after:.2f}", f"{left:,.0f}", *(f"{float(row[name]):.3f}" for name in RANKINGS)]
        said += f"| {' | '.join(cells)} |" in page
        best = max(float(row["linear"]), float(row["boosted"]))
        assert best <= float(row["mean"]) + 0.0025
    assert said == 6
