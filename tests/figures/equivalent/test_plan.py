from dataclasses import replace

import numpy as np
import pytest

from factcap.figures.corpus.experiment import Plan as TextPlan
from factcap.figures.corpus.experiment import Scheme
from factcap.figures.equivalent.fact_sets import fact_series, run_of
from factcap.figures.equivalent.plan import (
    BOTH,
    DATA,
    PRESETS,
    WORK,
    Series,
    Trial,
    best_rates,
    reported,
    tuning,
)
from factcap.figures.selection.experiment import ORDINARY
from factcap.figures.sizes import heads_of, near, same_work, widths
from factcap.models import TransformerConfig, named_size
from factcap.models.training.config import total_steps
from factcap.synth import BadInput

LAPTOP = PRESETS["laptop"]


def test_sizes_come_near_what_is_asked_for():
    for name, vocabulary in (("8k", 128), ("0.2M", 128), ("29k", 512)):
        small = named_size(name, vocabulary)
        for times in (1.5, 2, 3, 4, 8, 16, 100):
            model = near(small, times)
            assert (model.depth, model.vocabulary) == (small.depth, vocabulary)
            found = model.parameters / small.parameters
            for width in (model.width - 4, model.width + 4):
                if width >= small.width:
                    heads = heads_of(width)
                    other = TransformerConfig(vocabulary, width, small.depth, heads).parameters
                    distance = abs(np.log(other / small.parameters / times))
                    assert abs(np.log(found / times)) <= distance
    assert widths(named_size("8k", 128), (1, 1.01, 2)) == [16, 24]


def test_heads_divide_the_width():
    for width in range(2, 200, 2):
        assert width % (2 * heads_of(width)) == 0
    assert [heads_of(16 * heads) for heads in range(1, 9)] == list(range(1, 9))


def test_a_run_of_equal_work_costs_what_the_small_one_costs():
    found = fact_series(LAPTOP)
    assert len(found) == len(set(found)) == 2 * (1 + 2 * 5 + 3)
    for exponent in LAPTOP.exponents:
        some = [one for one in found if one.exponent == exponent and one.scheme == ORDINARY]
        assert some[0].budget == BOTH
        specs = {one: run_of(LAPTOP, Trial(one, 1.0, 0)) for one in some}
        steps = {
            one: total_steps(spec.training, LAPTOP.offered(one.load)) for one, spec in specs.items()
        }
        small = specs[some[0]].most_flops()
        for one, spec in specs.items():
            assert steps[one] * one.batch == one.draws
            if one.budget == WORK:
                assert spec.most_flops() == pytest.approx(small, rel=0.06)
                assert steps[one] >= 1000
            else:
                assert one.draws == LAPTOP.draws
        assert {one.width for one in some if one.budget == WORK} == {
            one.width for one in some if one.budget == DATA
        }


def test_selection_is_charged_within_the_draws():
    [worth] = [one for one in fact_series(LAPTOP) if (one.scheme, one.exponent) == ("worth", 0)]
    spec = run_of(LAPTOP, Trial(worth, 2.0, 3))
    assert spec.training.select is not None
    assert spec.training.learning_rate == pytest.approx(2 * 0.32 / 16 * 2**0.5)
    assert (spec.training.seed, spec.facts["seed"]) == (3, 3)


SERIES = [Series("uniform", ORDINARY, BOTH, width, 100, 10) for width in (16, 32)]


def test_the_rate_that_knows_most_on_other_seeds_is_reported():
    plan = replace(LAPTOP, tuned_on=(7, 8), seeds=(0, 1))
    trials = tuning(plan, SERIES)
    assert len(trials) == len(set(trials)) == 2 * 2 * 3
    assert {trial.seed for trial in trials} == {7, 8}
    # the first knows most at twice the default on average; all rates of the other know as much
    known = {(7, 0.5): 0.5, (8, 0.5): 0.1, (7, 2.0): 0.2, (8, 2.0): 0.6}
    tuned = [
        (t, known.get((t.seed, t.rate), 0.3) if t.series == SERIES[0] else 0.3) for t in trials
    ]
    best = best_rates(tuned)
    assert best == {SERIES[0]: 2.0, SERIES[1]: 1.0}
    found = reported(SERIES, plan.seeds, best, 0.5)
    assert [(t.series.width, t.rate, t.seed) for t in found] == [
        *((16, 2.0, 0), (32, 1.0, 0), (16, 2.0, 1), (32, 1.0, 1)),
    ]


def test_one_rate_is_not_tuned():
    plan = replace(LAPTOP, rates=(0.5,))
    assert tuning(plan, SERIES) == []
    assert {trial.rate for trial in reported(SERIES, (0,), {}, plan.rates[0])} == {0.5}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"times": (2.0, 4.0)}, "the first of times must be 1, not 2"),
        ({"times": (1.0, 4.0, 2.0)}, "times must rise"),
        ({"tuned_on": (1, 100)}, r"seeds are tuned on or reported, not both: \[1\]"),
        ({"loads": (1e-6,)}, "a load of 1e-06 is less than one fact of 21 bits"),
        (
            {"text": TextPlan(schemes=(Scheme("random", "nothing", 0.2),), seeds=(0,))},
            "the scheme random 20% must set its budget itself",
        ),
    ],
)
def test_plans_that_make_no_sense_get_one_line(changes, line):
    with pytest.raises(BadInput, match=rf"^{line}$"):
        replace(LAPTOP, **changes)


def test_five_seeds_report_what_the_laptop_reports():
    trials = reported(fact_series(LAPTOP), LAPTOP.seeds, {}, 1.0)
    more = PRESETS["five-seeds"]
    assert set(trials) < set(reported(fact_series(more), more.seeds, {}, 1.0))
    assert more.seeds == more.text.seeds == (0, 1, 2, 3, 4)
    assert replace(more.text, seeds=LAPTOP.text.seeds) == LAPTOP.text


def test_equal_work_is_whole_scans_of_smaller_batches():
    for draws, batch, cost in ((448_000, 128, 1.0), (448_000, 128, 3.3), (10_000, 128, 2.0)):
        found, smaller = same_work(draws, batch, cost)
        assert batch % smaller == 0
        assert found % (100 * smaller) == 0
        assert smaller == 16 or found / smaller >= 1000 or smaller == batch
