import json

import pytest

from factcap.models import Store, results, run_spec, run_specs, run_sweep
from factcap.models.sweep.engines.engine import InProcess
from factcap.synth import BadInput
from tests.models.sweep.test_sweep import Fake, swept

RECIPE = {
    "generator": "domains",
    "private": 12,
    "shared": 6,
    "count": 2,
    "vocabulary": 12,
    "key_length": 3,
    "value_length": 2,
}
BASE = {
    "model": {"width": 8, "depth": 1, "heads": 1},
    "batch": 16,
    "exposures": 1e-3,
    "optimizer": "adamw",
    "saturate": False,
}


def trunk(steps, seed=0, **more):
    """A trunk; one of 300 steps goes on from one of 200."""
    earlier = {"parent": trunk(200, seed), "fewest_steps": steps - 200} if steps > 200 else {}
    whole = {**BASE, "facts": RECIPE, "decay": 0.0, "seed": seed, "fewest_steps": steps}
    return whole | earlier | more


def branch(of, domain, steps=100, **more):
    facts = {**RECIPE, "domain": domain, "replay": 0.1}
    return {**BASE, "facts": facts, "fewest_steps": steps, "parent": of, **more}


def study():
    """N x D x D': two lengths of the trunk, two of the branches, two domains."""
    return [
        branch(trunk(before), domain, steps)
        for before in (200, 300)
        for steps in (100, 200)
        for domain in (0, 1)
    ]


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "store")


def test_the_trunk_is_trained_once(store):
    specs = run_specs(study())
    assert len(specs) == 2 + 8
    ended = run_sweep(specs, store)
    assert ended.failed == {}
    table = results(store).to_pylist()
    assert len(table) == 10
    # Each step of a trunk is in the ledger once: 200, and 100 more.
    trunks = [row for row in table if row["facts_domain"] is None]
    assert sorted(row["steps_made"] for row in trunks) == [100, 200]
    per_step = trunks[0]["tokens"] / trunks[0]["steps_made"]
    assert sum(row["tokens"] for row in table) == per_step * (300 + 4 * (100 + 200))
    for row in table:
        if row["facts_domain"] is not None:
            assert row["parent_steps"] in (200, 300)
            assert row["parent_tokens"] == per_step * row["parent_steps"]
    for run in store.runs():
        assert len((store.directory(run) / "attempts.jsonl").read_text().splitlines()) == 1
    # the same sweep again makes nothing
    assert run_sweep(specs, store) == ended


def test_a_sweep_that_ends_between_trunk_and_branch_goes_on(store):
    specs = run_specs(study())
    first, *rest = [spec for spec in specs if spec.branch is None]
    assert rest == []
    run_sweep([first], store)
    ended = run_sweep(specs, store)
    assert ended.failed == {}
    assert set(ended.done) == {spec.id for spec in specs}
    lines = (store.directory(first.id) / "attempts.jsonl").read_text().splitlines()
    assert len(lines) == 1


@pytest.mark.slow
def test_branches_are_made_together_after_their_trunk(store):
    made = []

    class Watched(InProcess):
        def submit(self, task):
            made.append({spec.id for spec in task.specs})
            super().submit(task)

    specs = run_specs([branch(trunk(200), domain) for domain in (0, 1)])
    ended = run_sweep(specs, store, engine=lambda: Watched(together=1))
    assert ended.failed == {}
    assert made == [{specs[0].id}, {specs[1].id, specs[2].id}]


def test_parents_are_made_though_nobody_asks_for_them(store):
    spec = run_spec(branch(trunk(300), 1))
    ended = run_sweep([spec], store)
    assert ended.done == (*(parent.id for parent in spec.parents), spec.id)
    assert [parent.training.fewest_steps for parent in spec.parents] == [200, 100]


def test_identity_is_that_of_the_whole_line():
    several = [
        trunk(200),
        branch(trunk(200), 0),
        branch(trunk(300), 0),
        branch(trunk(200, seed=1), 0),
        branch(trunk(200), 0, parent_optimizer="fresh"),
        branch(trunk(200), 0, parent_schedule="fresh"),
    ]
    assert len({run_spec(each).id for each in several}) == 6
    assert run_spec(branch(trunk(200), 0)).id == run_spec(branch(trunk(200), 0)).id
    assert "parent" not in run_spec(trunk(200)).config


def test_what_waits_for_a_run_that_fails_fails(store):
    specs = run_specs([branch(trunk(300), 0), branch(trunk(200), 1)])
    of_200, of_300, late, early = specs[0], specs[1], specs[2], specs[3]
    ended, engine = swept(store, specs, {of_300.id: ["failed"]})
    assert set(ended.done) == {of_200.id, early.id}
    assert ended.failed[late.id] == f"the run {of_300.id}, from which it goes on, failed"
    # tried again, all of it is made
    ended, engine = swept(store, specs, {}, retry_failed=True)
    assert ended.failed == {}
    assert engine.made == [of_300.id, late.id]


def test_a_new_branch_of_a_run_that_failed_fails(store):
    swept(store, run_specs([trunk(200)]), {run_spec(trunk(200)).id: ["failed"]})
    engine = Fake(store, {})
    ended = run_sweep(run_specs([branch(trunk(200), 0)]), store, engine=lambda: engine)
    assert engine.made == []
    assert len(ended.failed) == 2


def test_a_trunk_that_another_process_makes_is_waited_for(store):
    specs = run_specs([branch(trunk(200), 0)])
    ended, engine = swept(store, specs, {specs[0].id: ["busy", "busy"]})
    assert ended.failed == {}
    assert engine.made == [specs[0].id] * 3 + [specs[1].id]


def test_a_trunk_of_other_code_serves_no_new_branch(store):
    """Numbers of two codes would be mixed; what is finished whole is taken."""
    specs = run_specs([branch(trunk(200), domain) for domain in (0, 1)])
    run_sweep(specs[:2], store)
    # As if other code had made them: other names, and the code in their configurations.
    for spec in specs[:2]:
        config = json.loads((store.directory(spec.id) / "config.json").read_text())
        rest = {name: value for name, value in config.items() if name != "id"} | {"code": "old"}
        from factcap.synth.disk.files import digest_of

        other = digest_of(rest)[:16]
        (store.directory(spec.id) / "config.json").write_text(json.dumps({"id": other, **rest}))
        store.directory(spec.id).rename(store.directory(other))
    ended, engine = swept(store, specs[:2], {}, accept_other_code=True)
    assert engine.made == []
    assert len(ended.accepted) == 2
    ended, engine = swept(store, specs, {}, accept_other_code=True)
    assert engine.made == [specs[0].id, specs[2].id]
    assert list(ended.accepted) == [specs[1].id]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (trunk(200, parent_optimizer="fresh"), "parent_optimizer need a parent"),
        (branch(trunk(200), 0, parent_schedule="old"), "parent_schedule must be continued or"),
        (
            branch(trunk(200), 0, model="8k"),
            "the parent has the model .* goes on has the same model",
        ),
        (branch({"facts": {"generator": "none"}}, 0), "the parent: facts need a generator"),
        (branch(7, 0), "the parent: a configuration is a dictionary"),
    ],
)
def test_bad_configurations_are_named(config, message):
    with pytest.raises(BadInput, match=message):
        run_spec(config)
