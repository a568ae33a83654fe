import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.models import (
    Diverged,
    Job,
    Measurement,
    SelectConfig,
    TrainConfig,
    TransformerConfig,
    run,
    train_together,
)
from factcap.models.runs import slots
from factcap.models.runs.ensemble import kept_busy
from factcap.models.transformer.layout import Layout, to_device
from factcap.synth import BadInput
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)

# Facts, seed, steps, exponent, and how long keys and values are.
KINDS = [
    (40, 0, 300, 0.0, (2, 4), (1, 3)),
    (30, 1, 200, 1.0, (2, 2), (2, 2)),
    (50, 2, 400, 0.5, (2, 3), (1, 1)),
]


def jobs(folder, kinds=KINDS, **training):
    numbers: Any = {"exposures": 1e-3, "batch": 16, "optimizer": "adamw", "learning_rate": 0.005}
    return [
        Job(
            make_facts(facts, seed=seed, exponent=exponent, keys=keys, values=values),
            MODEL,
            TrainConfig(**numbers | {"fewest_steps": steps} | training),
            folder / str(seed),
        )
        for facts, seed, steps, exponent, keys, values in kinds
    ]


def assert_same(result, other):
    assert isinstance(result, Measurement)
    np.testing.assert_allclose(result.nll_bits, other.nll_bits, atol=0.01)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    return [run(job.facts, job.model, job.training, job.directory) for job in jobs(folder)]


@pytest.mark.parametrize("slot_count", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_members_know_what_they_know_alone(tmp_path, alone, slot_count):
    seen = []
    together = dict(
        train_together(
            jobs(tmp_path), slots=slot_count, progress=lambda *step: seen.append((step[0], step[1]))
        )
    )
    assert sorted(together) == [0, 1, 2]
    for number, measurement in together.items():
        assert_same(measurement, alone[number])
        steps = KINDS[number][2]
        assert [done for job, done in seen if job == number] == list(range(100, steps + 1, 100))
        lines = (tmp_path / str(number) / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == list(range(100, steps + 1, 100))


def test_a_member_is_the_same_to_the_bit_whoever_its_neighbors_are(tmp_path, monkeypatch):
    # On one device, where no group of three is closed up to two.
    monkeypatch.setattr(jax, "devices", lambda: jax.local_devices()[:1])
    first, *others = jobs(tmp_path / "a")
    again, *_ = jobs(tmp_path / "b")
    kinds = [(20, 5, 400, 0.0, (2, 4), (1, 3)), (60, 6, 300, 2.0, (3, 3), (2, 3))]
    strangers = jobs(tmp_path / "c", kinds, learning_rate=0.1)
    one: Any = dict(train_together([first, *others]))[0]
    two: Any = dict(train_together([*strangers, again]))[2]
    np.testing.assert_array_equal(one.nll_bits, two.nll_bits)


def test_a_run_that_scores_ends_at_its_own_step_and_its_neighbors_at_theirs(tmp_path, alone):
    def both(folder):
        [plain] = jobs(folder, KINDS[:1])
        [scored] = jobs(folder, KINDS[1:2], select=SelectConfig("loss_h", schedule="once"))
        return plain, scored

    seen = []
    together = dict(train_together(both(tmp_path / "a"), progress=lambda *at: seen.append(at[:2])))
    scored = both(tmp_path / "b")[1]
    once = run(scored.facts, scored.model, scored.training, scored.directory)
    # 30 facts are scored once, at a third of a draw each, and the batch has 16.
    assert [done for job, done in seen if job == 1] == [100, 199]
    assert [done for job, done in seen if job == 0] == [100, 200, 300]
    assert_same(together[0], alone[0])
    assert_same(together[1], once)
    for name in ("a", "b"):
        lines = (tmp_path / name / "1" / "metrics.jsonl").read_text().splitlines()
        assert [json.loads(line)["step"] for line in lines] == [100, 199]


def test_an_interrupted_group_goes_on_where_it_was(tmp_path, alone):
    class CutOffError(Exception):
        pass

    def cut(job, done, *_):
        if done == 300:
            raise CutOffError

    with pytest.raises(CutOffError):
        dict(train_together(jobs(tmp_path), progress=cut, checkpoint_seconds=0.0))
    seen = []
    together = dict(train_together(jobs(tmp_path), progress=lambda *step: seen.append(step[:2])))
    assert min(done for job, done in seen if job != 1) == 300
    assert not [done for job, done in seen if job == 1]  # it had ended
    for number, measurement in together.items():
        assert_same(measurement, alone[number])


def test_one_that_diverges_does_not_touch_its_neighbors(tmp_path, alone):
    some = jobs(tmp_path)
    wild = Job(
        some[1].facts,
        MODEL,
        TrainConfig(learning_rate=1e30, batch=16, optimizer="adamw"),
        tmp_path / "wild",
    )
    together = dict(train_together([some[0], wild, some[2]]))
    failed = together[1]
    assert isinstance(failed, Diverged)
    assert 0 < failed.step < 20
    assert f"not finite at step {failed.step}; try a smaller learning rate" in failed.reason
    assert not (tmp_path / "wild" / "measurement.parquet").exists()
    for number in (0, 2):
        assert_same(together[number], alone[number])


def test_a_group_that_does_not_fit_is_split(tmp_path, alone, monkeypatch):
    monkeypatch.setattr("factcap.models.runs.ensemble.member_bytes", lambda *_: 2**62)
    widths = []
    scan = slots.scan_steps

    def watched(*args, **kwargs):
        widths.append(kwargs["members"])
        return scan(*args, **kwargs)

    monkeypatch.setattr("factcap.models.runs.slots.scan_steps", watched)
    together = dict(train_together(jobs(tmp_path)))
    assert not any(widths)
    for number, measurement in together.items():
        assert_same(measurement, alone[number])


def test_the_longest_begin_and_no_slot_is_left_free(tmp_path, alone, monkeypatch):
    short = [(facts, 10 + seed, 100, *rest) for facts, seed, _, *rest in KINDS]
    widths, begun = [], []
    scan = slots.scan_steps

    def watched(reading, batch, state, *args, **kwargs):
        widths.append(state.step.shape)
        return scan(reading, batch, state, *args, **kwargs)

    monkeypatch.setattr("factcap.models.runs.slots.scan_steps", watched)
    some = jobs(tmp_path, [*short, KINDS[2]])
    together = dict(train_together(some, progress=lambda *at: begun.append(at[0])))
    # 400 steps, and three times 100: two slots end when the longest does.
    assert widths == [(2,)] * 4
    assert begun == [3, 0, 3, 1, 3, 2, 3]
    assert_same(together[3], alone[2])


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=30))
def test_fewer_slots_would_take_longer_and_more_would_end_no_sooner(steps):
    slots_ = kept_busy(steps)
    assert 1 <= slots_ <= len(steps)
    assert slots_ * max(steps) >= sum(steps) > (slots_ - 1) * max(steps)


@pytest.mark.parametrize("closes", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_members_are_spread_over_the_devices(tmp_path, alone, monkeypatch, closes):
    if closes:
        monkeypatch.setattr("factcap.models.runs.ensemble._WORTH_COMPILING", 100)
    spread = []
    scan = slots.scan_steps

    def watched(reading, batch, state, *args, **kwargs):
        leaves = jax.tree.leaves(state.params)
        spread.append({len(leaf.sharding.device_set) for leaf in leaves})
        return scan(reading, batch, state, *args, **kwargs)

    monkeypatch.setattr("factcap.models.runs.slots.scan_steps", watched)
    together = dict(train_together(jobs(tmp_path)))
    assert jax.device_count() == 2
    # Three members, a spare place beside them; one is alone at the end, which is worth a program of
    # its own if it has many steps to go.
    assert spread == [{2}] * 3 + [{1} if closes else {2}]
    for number, measurement in together.items():
        assert_same(measurement, alone[number])


def test_runs_of_several_shapes_are_refused(tmp_path):
    some = jobs(tmp_path)
    other = Job(some[0].facts, MODEL, TrainConfig(batch=32, optimizer="adamw"), tmp_path / "other")
    with pytest.raises(BadInput, match="must have one model, batch, optimizer and precision"):
        dict(train_together([*some, other]))


def test_a_common_layout_draws_and_reads_the_same_facts():
    sets = [job.facts for job in jobs(Path())]
    layout = Layout.of(sets)
    for facts in sets:
        own, common = to_device(facts), to_device(facts, layout)
        key = jax.random.key(3)
        drawn = own.draw(64, key)
        np.testing.assert_array_equal(drawn, common.draw(64, key))
        rows = common.take(drawn).tokens_BxT
        first, last = (
            layout.context - Layout.of([facts]).context,
            layout.context + Layout.of([facts]).values,
        )
        np.testing.assert_array_equal(rows[:, first:last], own.take(drawn).tokens_BxT)
