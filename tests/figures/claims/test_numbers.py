"""The numbers that claims read off their runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from factcap.capacity import Background
from factcap.figures.claims import augmentation, junk, masks, mixture, plateau, random_sequences
from factcap.figures.claims.exposures import LAWS, left_out_error
from factcap.figures.claims.facts import distinct_rows, facts_file, token_facts
from factcap.figures.claims.mixture import fitted_background, threshold
from factcap.figures.claims.plateau import plateau_steps
from factcap.figures.claims.skew import ORDINARY, SELECTED, best_shares, findings
from factcap.figures.claims.table import PRESETS
from factcap.models.training.schedule import Before, make_schedule
from factcap.synth import BadInput, load


@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("exponential", (2.5, 120.0)),
        ("hyperbola", (3.0, 60.0)),
        ("hyperbola with a power", (3.0, 60.0, 0.7)),
        ("logarithm", (0.4, 10.0)),
        ("power", (0.5, 0.25)),
    ],
)
def test_the_law_that_made_the_data_foretells_what_was_left_out(name, constants):
    exposures = np.array([25.0, 50, 100, 200, 400, 800, 1600])
    bits = LAWS[name].at(exposures, constants)
    errors = {law: left_out_error(LAWS[law], exposures, bits) for law in LAWS}
    assert errors[name] < 1e-3
    if name in ("exponential", "hyperbola"):
        other = {"exponential": "hyperbola", "hyperbola": "exponential"}[name]
        assert errors[other] > 0.05


def test_the_plateau_ends_where_the_loss_has_fallen():
    steps = np.array([100.0, 200, 300, 400])
    assert plateau_steps(steps, np.array([6.0, 6.0, 5.9, 5.5]), 0.05) == pytest.approx(300)
    assert plateau_steps(steps, np.array([6.0, 6.0, 6.0, 5.8]), 0.05) == np.inf
    assert plateau_steps(steps, np.array([3.0, 2.0, 1.0, 1.0]), 0.05) == 50


def test_the_threshold_is_where_half_are_known():
    ratios = (0.01, 0.1, 1.0)
    assert threshold(ratios, [0.0, 0.0, 1.0]) == pytest.approx(10**-0.5)
    assert threshold(ratios, [0.0, 0.5, 1.0]) == pytest.approx(0.1)
    assert threshold(ratios, [0.9, 1.0, 1.0]) == 0.01
    assert threshold(ratios, [0.0, 0.0, 0.2]) == 1.0


def test_the_loss_curve_of_the_background_is_found():
    curve = Background(scale=50.0, power=0.3)
    rows = [{"parameters": size, "background_bits": curve.loss(2.0 * size)} for size in (100, 1000)]
    found = fitted_background(rows, 2.0)
    assert (found.scale, found.power) == (pytest.approx(50.0), pytest.approx(0.3))


def test_the_best_share_is_over_all_sizes_and_at_most_1():
    rows = [
        {
            **{"seed": 0, "scheme": scheme, "exponent": exponent, "parameters": 1},
            **{"stored_bits": 21.0 * stored, "facts_known": known},
        }
        for scheme, exponent, stored, known in (
            (ORDINARY, 0.0, 80, 80),
            (ORDINARY, 0.0, 100, 20),
            (ORDINARY, 1.5, 60, 50),
            (ORDINARY, 1.5, 70, 40),
            (SELECTED, 1.5, 90, 120),
        )
    ]
    assert best_shares(rows, ORDINARY, 0.0) == [0.8]
    assert best_shares(rows, ORDINARY, 1.5) == [0.5]
    assert best_shares(rows, SELECTED, 1.5) == [1.0]
    settings = PRESETS["laptop"].skew
    rows += [{**row, "exponent": exponent} for row in rows[:2] for exponent in (0.75,)]
    gap, closed = findings(settings, rows)
    assert gap.values == pytest.approx([0.3])
    assert closed.values == pytest.approx([1.0])


def test_joined_facts_are_those_that_were_given(tmp_path):
    rng = np.random.default_rng(0)
    keys = [distinct_rows(3, 2, 5, rng), distinct_rows(4, 1, 5, rng)]
    values = [np.full((3, 1), 4), np.full((4, 3), 2)]
    facts = token_facts(keys, values, [5.0, 125.0], np.arange(1.0, 8.0), 5, kind="test")
    assert facts.key_length.tolist() == [2, 2, 2, 1, 1, 1, 1]
    assert facts.length.tolist() == [3, 3, 3, 4, 4, 4, 4]
    np.testing.assert_array_equal(facts.tokens[3:, 1:], 2)
    assert facts.frequency.sum() == pytest.approx(1)
    path = facts_file(tmp_path / "facts", facts)
    assert facts_file(tmp_path / "facts", facts) == path
    np.testing.assert_array_equal(load(path).tokens, facts.tokens)


def test_rows_are_distinct():
    rows = distinct_rows(25, 2, 5, np.random.default_rng(0))
    assert len({tuple(row) for row in rows.tolist()}) == 25


def test_junk_is_met_once_and_has_its_share():
    settings = PRESETS["tiny"].junk
    alone, mixed, marked = (
        junk._facts(settings, form, 4, 0) for form in (junk.ALONE, junk.MIXED, junk.MARKED)
    )
    useful = len(alone)
    assert mixed.frequency[:useful].sum() == pytest.approx(1 / 8, rel=1e-3)
    draws = useful * 4 * 8
    np.testing.assert_allclose(draws * mixed.frequency[useful:], 1, rtol=1e-3)
    np.testing.assert_allclose(draws * mixed.frequency[:useful], 4, rtol=1e-3)
    assert set(marked.tokens[:useful, 0]) == {256}
    assert marked.key_length[:useful].tolist() == [5] * useful
    np.testing.assert_array_equal(marked.tokens[:useful, 1:], mixed.tokens[:useful, :7])


def test_facts_that_are_mixed_in_have_the_ratio():
    settings = PRESETS["tiny"].mixture
    facts = mixture._facts(settings, 0.3, 0)
    assert facts.frequency[: settings.facts].sum() == pytest.approx(0.3)
    alone = mixture._facts(settings, 0.0, 0)
    assert len(alone) == settings.background
    np.testing.assert_array_equal(alone.tokens, facts.tokens[settings.facts :])


def test_who_is_asked_for_was_not_asked_for_in_training():
    settings = PRESETS["tiny"].augmentation
    trained = augmentation.trained_facts(settings, augmentation.NEW, 0)
    asked = augmentation.asked_facts(settings, 0)
    keys = {tuple(row[:4]) for row in trained.tokens[trained.key_length == 4].tolist()}
    assert not keys & {tuple(row[:4]) for row in asked.tokens.tolist()}
    # each is told in six orders: the value of an attribute stands after its token
    told = [row for row in trained.tokens.tolist() if row[:3] == asked.tokens[0, :3].tolist()]
    assert len(told) == 6
    for row in told:
        assert row[row.index(64, 3) + 1] == asked.tokens[0, 4]
    fixed = augmentation.trained_facts(settings, augmentation.FIXED, 0)
    assert sum(row[:3] == asked.tokens[0, :3].tolist() for row in fixed.tokens.tolist()) == 1


def test_a_fact_of_a_domain_says_it_first():
    settings = PRESETS["tiny"].masks
    facts = masks.domain_facts(settings, 0)
    named, each = np.unique(facts.tokens[:, 0], return_counts=True)
    assert named.tolist() == list(range(settings.domains))
    assert len(set(each)) == 1
    assert len({tuple(key) for key in facts.tokens[:, :4].tolist()}) == len(facts)
    assert facts.entropy_bits.tolist() == [48.0] * len(facts)


def test_two_stages_have_the_exposures_of_one(tmp_path):
    settings = PRESETS["laptop"].masks
    specs = {each.labels["model"]: each.spec for each in masks.runs(settings, [0], tmp_path)}
    one, first = specs[masks.WHOLE], specs[masks.FIRST]
    assert first.model == one.model
    for name in (masks.BY_FACT, masks.BY_DOMAIN, masks.UNTOLD, masks.PRUNED):
        assert specs[name].parents == [first]
        exposures = first.training.exposures + specs[name].training.exposures
        assert exposures == one.training.exposures
    for name in (masks.SMALL, masks.MIXTURE):
        assert specs[name].parents == []
    assert specs[masks.PRUNED].model == specs[masks.SMALL].model
    assert {spec.facts["file"] for spec in specs.values()} == {one.facts["file"]}


def test_masked_models_lie_between_the_dense_ones():
    settings = PRESETS["tiny"].masks
    stored = {masks.SMALL: 100.0, masks.WHOLE: 200.0, masks.MIXTURE: 90.0, masks.FIRST: 0.0}
    stored |= {masks.BY_FACT: 180.0, masks.UNTOLD: 170.0, masks.BY_DOMAIN: 110.0}
    stored[masks.PRUNED] = 95.0
    rows = [
        {"model": name, "seed": 0, "stored_bits": bits, "parameters": 7}
        for name, bits in stored.items()
    ]
    values = [each.values[0] for each in masks.findings(settings, rows)]
    assert values == pytest.approx([0.8, 0.7, 0.1, -0.05, 2.0])


def test_a_run_with_a_warm_up_has_the_learning_rate_of_one_without(tmp_path):
    settings = PRESETS["laptop"].plateau
    made = {
        (each.labels["part"], each.labels["offered"]): each.spec.training
        for each in plateau.runs(settings, [0], tmp_path)
    }
    most, few = 2400, 600
    whole = make_schedule(made[plateau.NUMBER, most], most, 32)
    first = make_schedule(made[plateau.SUBSET, few], few, 32)
    then = make_schedule(
        made[plateau.AFTER_SUBSET, most], most, 32, before=Before(2000, 2000, warm=True)
    )
    assert float(whole.steps) == settings.steps == float(first.steps + then.steps)
    for step in (0, 300, 1999):
        assert float(first.rate(step)) == pytest.approx(float(whole.rate(step)), rel=1e-4)
    for step in (2000, 3999, 4100, 9000, 9999):
        assert float(then.rate(step)) == pytest.approx(float(whole.rate(step)), rel=1e-3)


def test_a_warm_up_counts_against_a_run_without():
    settings = PRESETS["tiny"].plateau
    shared = {"seed": 0, "parameters": 7}
    rows = [
        {**shared, "part": part, "offered": facts, "exponent": exponent}
        | {"plateau_steps": steps, "facts_known": known}
        for part, facts, exponent, steps, known in (
            (plateau.NUMBER, 50, 0.0, 100.0, 50),
            (plateau.NUMBER, 100, 0.0, 200.0, 40),
            (plateau.SKEW, 100, 0.0, np.inf, 1),
            (plateau.SKEW, 100, 1.0, 50.0, 9),
            (plateau.SUBSET, 25, 0.0, 50.0, 25),
            (plateau.AFTER_SUBSET, 100, 0.0, 150.0, 60),
        )
    ]
    power, best, shorter, gained = plateau.findings(settings, rows)
    assert (power.values, best.values) == (pytest.approx([1.0]), [1.0])
    assert (shorter.values, gained.values) == ([0.75], [1.5])
    unknown = [{**row, "facts_known": 0} if row is rows[1] else row for row in rows]
    assert plateau.findings(settings, unknown)[-1].values == [60.0]
    for endless in ([1], [5], [1, 5]):
        never = [
            {**row, "plateau_steps": np.inf} if number in endless else row
            for number, row in enumerate(rows)
        ]
        with pytest.raises(BadInput, match="must end with a warm-up and without; give more steps"):
            plateau.findings(settings, never)


def sequence_rows(settings, seeds=(0,)):
    """Labels of the runs of random sequences, as rows."""
    wanted = random_sequences.runs(settings, seeds, Path("facts"))
    return [{**each.labels, "parameters": each.labels["width"]} for each in wanted]


def test_shorter_numbers_are_compared_at_the_most_that_both_store():
    settings = replace(PRESETS["laptop"].random_sequences, bits_offered=(3.0, 5.0))
    stored = {"float32": (2.0, 3.0), "bfloat16": (1.5, 1.0), "bfloat16-stochastic": (2.0, 2.4)}
    rows = [
        {**row, "bits_per_parameter": stored[row["kept_in"]][int(row["offered"] == 5.0)]}
        for row in sequence_rows(settings)
    ]
    found = random_sequences.findings(settings, rows)
    shorter = [each.values for each in found if "kept in" in each.claim]
    assert shorter == [[2.0], [pytest.approx(1.25)]]


def test_a_reproduction_has_a_row_of_its_own():
    settings = PRESETS["laptop"].random_sequences
    rows = sequence_rows(settings, (0, 1))
    # Of one width with a shape: what is learned tells them apart.
    assert settings.middle.width == settings.reproductions[0].width
    for row in rows:
        other = row["sequences"] == "64 tokens of 2,048, adamw"
        row["bits_per_parameter"] = 9.0 + row["seed"] if other else float(row["width"])
    found = random_sequences.findings(settings, rows)
    assert [each.values for each in found[: len(settings.shapes)]] == [
        [shape.width] * 2 for shape in settings.shapes
    ]
    assert found[-1].claim.endswith("sequences, 64 tokens of 2,048, adamw, 16 parameters")
    assert found[-1].values == [9.0, 10.0]
    alone = random_sequences.findings(replace(settings, reproductions=()), rows)
    assert [each.claim for each in alone] == [each.claim for each in found[:-1]]


def test_a_reproduction_is_learned_as_it_says(tmp_path):
    settings = PRESETS["laptop"].random_sequences
    [spec] = [
        each.spec
        for each in random_sequences.runs(settings, [0], tmp_path)
        if each.labels["sequences"].startswith("64 ")
    ]
    [told] = settings.reproductions
    assert spec.training.optimizer == told.optimizer
    assert spec.training.exposures == told.exposures
    recipe = spec.facts
    assert (recipe["vocabulary"], recipe["length"], recipe["key_length"]) == (2048, 64, 0)
    # 704 bits a sequence, 39,008 parameters
    assert recipe["facts"] == round(told.offered * 39_008 / 704)
