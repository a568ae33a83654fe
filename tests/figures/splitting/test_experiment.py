import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.capacity.splitting import Learning, best_moment, facts_known
from factcap.figures.splitting.experiment import KEY, PRESETS, VALUE, Plan, made, points
from factcap.figures.splitting.picture import draw
from factcap.figures.splitting.rows import (
    COLUMNS,
    TABLE_COLUMNS,
    budget_draws,
    calibrate,
    capacity_of,
    make_table,
    with_theory,
)
from factcap.figures.splitting.splitting import splitting
from factcap.models import Store, results
from factcap.models.training.config import total_steps
from factcap.synth import BadInput

SMALL = Plan(
    domains=2,
    asked=40,
    overlaps=(0.0, 0.5),
    exposures=(80.0,),
    shares=(0.5,),
    batch=16,
    seeds=(0, 1),
)
RESULTS = Path(__file__).parents[3] / "docs" / "results"
TRUTH = Learning(rate=0.03, lag=20.0, carried=0.3)
BITS = 18_000.0


def simulated(plan, noise=0.0):
    """Rows as runs would give them, were the theory true."""
    rng, rows = np.random.default_rng(0), []
    for point in points(plan):
        domains = plan.facts(point.overlap)
        budget = budget_draws(plan, point.exposures)
        known = float(facts_known(domains, BITS, TRUTH, budget, point.share * budget))
        for domain in range(plan.domains) if point.domain is None else (point.domain,):
            rows.append(
                {
                    "parameters": plan.parameters(point.width),
                    "domain": f"domain {domain}",
                    "seed": point.seed,
                    "overlap": point.overlap,
                    "exposures": point.exposures,
                    "pretraining_share": point.share,
                    "facts_known": known + noise * rng.normal(),
                    "stored_bits": BITS if point.share == 1 else BITS / 2,
                }
            )
    return rows


def test_every_split_of_a_budget_costs_the_same():
    plan = PRESETS["laptop"]
    steps: dict = {}
    for point in points(plan):
        facts = plan.facts(point.overlap)
        count = facts.domains * facts.private + facts.shared
        line = [*point.spec.parents, point.spec]
        own, before = (
            sum(total_steps(spec.training, count) for spec in some)
            for some in (line[-1:], line[:-1])
        )
        each = steps.setdefault((point.overlap, point.exposures, point.seed, point.share), [])
        each.append((before, own))
        if point.share < 1:
            assert (before, own) == plan.split(point.exposures, point.share)
    for (_, exposures, _, share), several in steps.items():
        whole = plan.domains * plan.asked * exposures / plan.batch
        [before] = {before for before, _ in several}
        assert before + sum(own for _, own in several) == whole
        assert len(several) == (1 if share == 1 else plan.domains)


def test_trunks_are_shared():
    plan = replace(PRESETS["laptop"], overlaps=(0.0,), exposures=(100.0,), seeds=(0,))
    trunks = {parent.id for point in points(plan) for parent in point.spec.parents}
    assert len(trunks) == len(plan.shares)
    assert all(
        spec.branch is None for point in points(plan) if point.share == 0 for spec in [point.spec]
    )


def test_branches_see_their_domain_alone_or_with_a_share_of_the_mixture():
    for replay in (0.0, 0.25):
        plan = replace(SMALL, replay=replay)
        for point in points(plan):
            recipe = point.spec.facts
            assert recipe["domain"] == point.domain
            replayed = replay if 0 < point.share < 1 else 0.0
            assert recipe["replay"] == replayed


@pytest.mark.slow
def test_the_theory_is_recovered_from_what_it_says():
    plan = replace(PRESETS["laptop"], seeds=(0, 1))
    rows = simulated(plan, noise=3.0)
    assert capacity_of(plan, rows, 16) == BITS
    how = calibrate(plan, rows, 16, BITS)
    assert how.rate == pytest.approx(TRUTH.rate, rel=0.15)
    assert how.lag == pytest.approx(TRUTH.lag, rel=0.15)
    assert how.carried == pytest.approx(TRUTH.carried, abs=0.1)
    table = make_table(plan, rows, {16: BITS}, {16: how})
    assert [tuple(row) for row in table] == [TABLE_COLUMNS] * len(table)
    step = 0.2 + 1e-9
    for row in table:
        assert row["gain_low"] <= row["gain"] <= row["gain_high"]
        truth = best_moment(
            plan.facts(row["overlap"]), BITS, TRUTH, budget_draws(plan, row["exposures"])
        )
        assert abs(row["theory_share"] - truth.share) < step
        assert abs(row["best_share"] - row["chosen_share"]) < step
    predicted = with_theory(plan, rows, {16: BITS}, {16: how})
    assert max(abs(row["predicted"] - row["facts_known"]) for row in predicted) < 40
    assert all(row["facts_known"] <= row["bound"] + 15 for row in predicted)
    figure = draw(plan, predicted, table, {16: BITS}, {16: how})
    assert len(figure.axes) == len(plan.overlaps)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"overlaps": (0.5,)}, "0 must be one of the overlaps"),
        ({"shares": (0.4, 0.2)}, "shares must rise"),
        ({"shares": (0.3,)}, "a share of 0.3 of 100 exposures makes 350 steps, not a multiple"),
    ],
)
def test_plans_that_make_no_sense_are_refused(change, message):
    plan = Plan(domains=2, asked=160, exposures=(100.0,), shares=(0.4,), batch=32)
    with pytest.raises(BadInput, match=message):
        replace(plan, **change)


@pytest.mark.slow
def test_the_figure_is_made_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, "quick", SMALL)
    rows = splitting(tmp_path, preset="quick")
    assert [set(row) for row in rows] == [set(COLUMNS)] * len(rows)
    # two overlaps and seeds; from nothing, a split and one model; two domains
    assert len(rows) == 2 * 2 * 3 * 2
    for row in rows:
        tokens = row["pretraining_tokens"] + 2 * row["specialization_tokens"]
        assert tokens == 2 * 40 * 80 * (KEY + VALUE)
        asked = made(SMALL, row["overlap"], row["seed"]).asked
        assert row["facts_asked"] == (asked[0] > 0).sum() == 40
    with (tmp_path / "splitting_table.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    assert (tmp_path / "splitting.png").stat().st_size > 10_000
    store = results(Store.open(tmp_path)).to_pylist()
    # the ledger has each trunk once: a step that several branches share is counted once
    assert len(store) == 2 * 2 * (2 + 1 + 2 + 1)
    assert splitting(tmp_path, preset="quick") == rows


def test_the_page_says_what_the_table_says():
    """Every row of the page is a row of the CSV, and what it claims of them holds."""
    with (RESULTS / "splitting_table.csv").open() as file:
        table = [{name: float(text) for name, text in row.items()} for row in csv.DictReader(file)]
    page = (RESULTS.parent / "splitting.md").read_text()
    for row in table:
        cells = [
            f"{row['overlap']:.0%}",
            f"{row['exposures']:.0f}",
            f"{row['from_nothing']:,.0f}",
            f"{row['one_model']:,.0f}",
            f"{row['chosen_share']:g}",
            f"{row['chosen_known']:,.0f}",
            f"{row['best_share']:g}",
            f"{row['theory_share']:.2f}",
        ]
        assert f"| {' | '.join(cells)} |" in page
        assert row["chosen_known"] >= max(row["from_nothing"], row["one_model"])
    steps = [abs(row["chosen_share"] - row["best_share"]) / 0.2 for row in table]
    assert sum(step <= 1 + 1e-9 for step in steps) == 7
    largest = [row for row in table if row["exposures"] == max(r["exposures"] for r in table)]
    gained = [row["gain_low"] > 0 for row in largest]
    assert sum(gained) >= len(largest) / 2


def test_the_page_says_what_replay_costs():
    page = (RESULTS.parent / "splitting.md").read_text()
    without, replayed = (_known(RESULTS / f"splitting{name}.csv") for name in ("", "_replayed"))
    for overlap in (0.0, 0.5):
        for share in (0.2, 0.4):
            known = [f"{each[overlap, share]:,.0f}" for each in (without, replayed)]
            assert f"| {overlap:.0%} | {share:g} | {' | '.join(known)} |" in page
        # what is from nothing has nothing replayed
        assert replayed[overlap, 0.0] == without[overlap, 0.0]
        assert all(
            known <= replayed[overlap, 0.0]
            for (other, _), known in replayed.items()
            if other == overlap
        )
    assert f"models from nothing do: {replayed[0, 0]:,.0f} and {replayed[0.5, 0]:,.0f}" in page
    lost = replayed[0.5, 0.0] - replayed[0.5, 0.2]
    assert f"and loses {lost:.0f} facts" in page


def _known(path):
    """Facts known in all domains at 100 exposures, the mean over seeds, by overlap and share."""
    known: dict = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            if row["exposures"] == "100.0":
                place = (float(row["overlap"]), float(row["pretraining_share"]))
                known.setdefault(place, []).append(int(row["facts_known"]))
    return {place: sum(counts) / len(PRESETS["laptop"].seeds) for place, counts in known.items()}
