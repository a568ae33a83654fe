import json
from dataclasses import replace

import numpy as np
import pytest

from factcap.models import (
    Job,
    Parent,
    TrainConfig,
    TransformerConfig,
    read_outcome,
    run,
    train_together,
)
from factcap.models.runs.result import measured
from factcap.synth import BadInput, domains
from factcap.synth.disk.files import Damaged
from tests.conftest import make_facts

MODEL = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)
# No warm-up and no fall, so that two halves are one whole.
EVEN = TrainConfig(
    exposures=1e-3,
    fewest_steps=200,
    batch=16,
    optimizer="adamw",
    learning_rate=0.005,
    warmup=0.0,
    decay=0.0,
    saturate=False,
)


@pytest.fixture(scope="module")
def facts():
    return make_facts(40)


@pytest.fixture(scope="module")
def trunk(facts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "trunk"
    run(facts, MODEL, EVEN, folder)
    return folder


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "schedule-free-adamw"])
def test_a_trunk_and_its_branch_are_one_run(facts, tmp_path, optimizer):
    """Same draws, same optimizer, same rate: to the bit what one run of both lengths is."""
    training = replace(EVEN, optimizer=optimizer)
    run(facts, MODEL, training, tmp_path / "trunk")
    parent = Parent(tmp_path / "trunk")
    found = run(facts, MODEL, training, tmp_path / "branch", parent=parent)
    grandchild = run(facts, MODEL, training, tmp_path / "twig", parent=Parent(tmp_path / "branch"))
    for steps, halves in ((400, found), (600, grandchild)):
        whole = run(facts, MODEL, replace(training, fewest_steps=steps), tmp_path / f"{steps}")
        np.testing.assert_array_equal(halves.nll_bits, whole.nll_bits)


def test_the_outcome_says_what_came_before(facts, trunk, tmp_path):
    run(facts, MODEL, EVEN, tmp_path / "branch", parent=Parent(trunk))
    fresh = Parent(tmp_path / "branch", optimizer="fresh", schedule="fresh")
    run(facts, MODEL, EVEN, tmp_path / "twig", parent=fresh)
    last = Parent(tmp_path / "twig")
    run(facts, MODEL, EVEN, tmp_path / "leaf", parent=last)
    records = [read_outcome(tmp_path / name)["parent"] for name in ("branch", "twig", "leaf")]
    assert [record["steps"] for record in records] == [200, 400, 600]
    assert [record["optimizer_steps"] for record in records] == [200, 0, 200]
    own = read_outcome(trunk)["ledger"]["tokens"]
    assert [record["tokens"] for record in records] == [own, 2 * own, 3 * own]
    # its own cost is that of its own steps
    assert read_outcome(tmp_path / "leaf")["ledger"]["tokens"] == own
    config = json.loads((trunk / "config.json").read_text())
    assert records[0]["run"] == config["id"]
    assert (records[1]["optimizer"], records[1]["schedule"]) == ("fresh", "fresh")


def test_a_fresh_optimizer_and_schedule_make_another_run(facts, trunk, tmp_path):
    training = replace(EVEN, warmup=0.5)
    known = {}
    for optimizer in ("continued", "fresh"):
        for schedule in ("continued", "fresh"):
            folder = tmp_path / f"{optimizer} {schedule}"
            parent = Parent(trunk, optimizer=optimizer, schedule=schedule)
            known[optimizer, schedule] = run(facts, MODEL, training, folder, parent=parent)
    losses = [tuple(each.nll_bits.tolist()) for each in known.values()]
    assert len(set(losses)) == 4


@pytest.mark.parametrize("optimizer", ["adamw", "schedule-free-adamw"])
def test_a_fresh_optimizer_begins_where_the_parent_was_measured(facts, tmp_path, optimizer):
    training = replace(EVEN, optimizer=optimizer)
    measured = run(facts, MODEL, training, tmp_path / "trunk")
    still = replace(training, fewest_steps=100, learning_rate=1e-30, weight_decay=0.0)
    parent = Parent(tmp_path / "trunk", optimizer="fresh")
    found = run(facts, MODEL, still, tmp_path / "branch", parent=parent)
    np.testing.assert_allclose(found.nll_bits, measured.nll_bits, atol=1e-4)


def test_another_optimizer_begins_fresh(facts, trunk, tmp_path):
    training = replace(EVEN, optimizer="muon")
    with pytest.raises(BadInput, match="the state of adamw cannot be continued with muon"):
        run(facts, MODEL, training, tmp_path / "no", parent=Parent(trunk))
    found = run(facts, MODEL, training, tmp_path / "yes", parent=Parent(trunk, optimizer="fresh"))
    assert np.isfinite(found.nll_bits).all()


def test_identity_records_the_parent(facts, trunk, tmp_path):
    def config(parent, training=EVEN):
        return Job(facts, MODEL, training, tmp_path / "new", parent=parent).config

    run(facts, MODEL, replace(EVEN, seed=1), tmp_path / "other")
    several = [
        config(None),
        config(Parent(trunk)),
        config(Parent(tmp_path / "other")),
        config(Parent(trunk, optimizer="fresh")),
        config(Parent(trunk, schedule="fresh")),
    ]
    assert len({each["id"] for each in several}) == 5
    assert "parent" not in several[0]
    assert several[1]["parent"]["optimizer"] == "continued"
    # a run of the same name elsewhere is the same parent
    run(facts, MODEL, EVEN, tmp_path / "again")
    assert config(Parent(tmp_path / "again"))["id"] == several[1]["id"]


def test_a_branch_that_is_interrupted_goes_on(facts, trunk, tmp_path):
    longer = replace(EVEN, fewest_steps=400)
    whole = run(facts, MODEL, longer, tmp_path / "whole", parent=Parent(trunk))

    def stop(done, total, metrics):
        if done == 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(
            facts,
            MODEL,
            longer,
            tmp_path / "halves",
            parent=Parent(trunk),
            progress=stop,
            checkpoint_seconds=0,
        )
    found = run(facts, MODEL, longer, tmp_path / "halves", parent=Parent(trunk))
    np.testing.assert_array_equal(found.nll_bits, whole.nll_bits)
    lines = (tmp_path / "halves" / "attempts.jsonl").read_text().splitlines()
    begun = [json.loads(line)["step"] for line in lines]
    assert begun[0] == 0 < begun[1]


def test_branches_of_all_domains_train_in_one_program(tmp_path):
    made = domains(20, 10, count=3, vocabulary=12, key_length=3, value_length=2)
    run(made.view(), MODEL, EVEN, tmp_path / "trunk")

    def jobs(folder):
        return [
            Job(
                made.view(domain, replay=0.1),
                MODEL,
                EVEN,
                tmp_path / folder / str(domain),
                parent=Parent(tmp_path / "trunk"),
            )
            for domain in range(3)
        ]

    together = {number: measured(result) for number, result in train_together(jobs("together"))}
    for number, job in enumerate(jobs("alone")):
        [(_, result)] = train_together([job])
        alone = measured(result).nll_bits
        np.testing.assert_allclose(together[number].nll_bits, alone, atol=0.02)
    # each has learned what its domain asks for better than what the others ask for
    for number in range(3):
        asks = made.asks(number)
        loss = together[number].nll_bits
        assert loss[asks].mean() < loss[~asks].mean()


@pytest.mark.parametrize(
    "change", [{"feed_forward": "masked", "active": 8}, {"hidden": 12}], ids=["masked", "pruned"]
)
def test_another_form_begins_with_what_the_parent_learned(facts, trunk, tmp_path, change):
    model, short = replace(MODEL, **change), replace(EVEN, fewest_steps=100)
    with pytest.raises(BadInput, match="its optimizer must begin fresh"):
        run(facts, model, short, tmp_path / "no", parent=Parent(trunk))
    parent = Parent(trunk, optimizer="fresh")
    found = run(facts, model, short, tmp_path / "branch", parent=parent)
    assert found.parameters == model.parameters
    alone = run(facts, model, short, tmp_path / "alone")
    assert found.stored_bits > alone.stored_bits + 5


def test_what_cannot_be_gone_on_from_is_refused(facts, trunk, tmp_path):
    with pytest.raises(BadInput, match="nothing can go on from it"):
        _ = Parent(tmp_path / "none").before
    with pytest.raises(BadInput, match="optimizer must be continued or fresh, not 'old'"):
        Parent(trunk, optimizer="old")
    wider = TransformerConfig(vocabulary=12, width=16, depth=1, heads=1)
    with pytest.raises(
        BadInput, match=r"the parent has a model of .* parameters and 1 heads; a run"
    ):
        run(facts, wider, EVEN, tmp_path / "wider", parent=Parent(trunk))
    run(facts, MODEL, EVEN, tmp_path / "bare")
    for state in (tmp_path / "bare" / "checkpoint" / "200").rglob("*"):
        if state.is_file():
            state.write_bytes(b"x" + state.read_bytes()[1:])
    with pytest.raises(Damaged, match="is damaged"):
        run(facts, MODEL, EVEN, tmp_path / "no", parent=Parent(tmp_path / "bare"))
