import json
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest

from factcap.models import Store, results, run_specs
from factcap.models.sweep.accept import made_by_other_code
from factcap.models.sweep.store.query import where
from factcap.synth.disk.files import file_digest, write_sealed
from tests.models.sweep.test_sweep import swept

OLD, OLDER = "0" * 64, "f" * 64


@contextmanager
def code(digest):
    """The code has this hash meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("factcap.models.sweep.spec.code_today", lambda source: digest)
        yield


def specs(number):
    base = {"facts": {"generator": "phonebook", "facts": 10}, "model": "8k", "batch": 16}
    return run_specs([{**base, "seed": seed} for seed in range(number)])


def other_specs(number, digest=OLD):
    with code(digest):
        return specs(number)


def make(store, spec, *, finished=True, time=None):
    """Write down that a run was made, or only begun."""
    folder = store.directory(spec.id)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(spec.config))
    if time is not None:
        line = json.dumps({"step": 0, "time": time, "code": spec.config["code"]})
        (folder / "attempts.jsonl").write_text(line + "\n")
    if finished:
        entry = {"steps": 100, "exposures": 160.0, "capped": False, "files": {}}
        entry |= {"training": spec.config["training"], "ledger": {"run_seconds": 1.5}}
        write_sealed(folder / "outcome.json", entry | {"summary": {"facts": 10, "accuracy": 0.5}})


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "store")


def test_what_other_code_finished_counts_as_done(store):
    wanted, old = specs(4), other_specs(4)
    make(store, old[0])
    make(store, wanted[1])
    make(store, old[1])  # not needed: today's code has made it
    make(store, old[2], finished=False)  # begun: left alone
    ended, engine = swept(store, wanted, {}, accept_other_code=True)
    assert ended.accepted == {wanted[0].id: old[0].id}
    assert ended.done == (old[0].id, *(spec.id for spec in wanted[1:]))
    assert engine.made == [wanted[2].id, wanted[3].id]
    assert store.planned() == {
        name: spec.label() for name, spec in zip(ended.done, wanted, strict=True)
    }
    again, engine = swept(store, wanted, {}, accept_other_code=True)
    assert (again, engine.made) == (ended, [])


def test_without_the_option_a_run_of_other_code_is_made_again(store):
    wanted, old = specs(2), other_specs(2)
    make(store, old[0])
    ended, engine = swept(store, wanted, {})
    assert (ended.accepted, len(engine.made)) == ({}, 2)


def test_what_today_s_code_began_or_failed_at_is_not_replaced(store):
    wanted, old = specs(2), other_specs(2)
    for spec in old:
        make(store, spec)
    make(store, wanted[0], finished=False)
    store.fail(wanted[1].id, {"reason": "it broke"})
    ended, engine = swept(store, wanted, {}, accept_other_code=True)
    assert engine.made == [wanted[0].id]
    assert ended.failed == {wanted[1].id: "it broke"}
    assert ended.accepted == {}


def test_another_configuration_is_not_the_same_run(store):
    [first, second] = other_specs(2)
    make(store, second)
    assert made_by_other_code(specs(1), store) == {}
    make(store, first)
    assert made_by_other_code(specs(1), store) == {specs(1)[0].id: first.id}


def test_of_several_the_newest_is_taken(store):
    [wanted] = specs(1)
    candidates = [other_specs(1, digit * 64)[0] for digit in "abc"]
    for spec, time in zip(candidates, (5.0, 7.0, 6.0), strict=True):
        make(store, spec, time=time)
    assert made_by_other_code([wanted], store) == {wanted.id: candidates[1].id}
    for spec in candidates:
        (store.directory(spec.id) / "attempts.jsonl").unlink()
    last = max(spec.id for spec in candidates)
    assert made_by_other_code([wanted], store) == {wanted.id: last}
    # what is damaged does not count
    path = store.directory(last) / "outcome.json"
    path.write_text(path.read_text().replace("160.0", "161.0"))
    rest = max(spec.id for spec in candidates if spec.id != last)
    assert made_by_other_code([wanted], store) == {wanted.id: rest}
    path = store.directory(rest) / "config.json"
    path.write_text("{")
    [left] = [spec.id for spec in candidates if spec.id not in (last, rest)]
    assert made_by_other_code([wanted], store) == {wanted.id: left}


def test_the_table_marks_what_other_code_made(store):
    wanted, old = specs(2), other_specs(2)
    make(store, old[0])
    make(store, wanted[1])
    rows = {row["run"]: row for row in results(store).to_pylist()}
    assert (rows[old[0].id]["code"], rows[old[0].id]["other_code"]) == ("0" * 12, True)
    today = wanted[1].config["code"][:12]
    assert (rows[wanted[1].id]["code"], rows[wanted[1].id]["other_code"]) == (today, False)
    assert "source" not in results(store).column_names
    for condition, run in (("not other_code", wanted[1]), ("other_code", old[0])):
        for joined in (condition, f"{condition} and facts == 10", f"accuracy < 1 and {condition}"):
            assert where(results(store), joined).column("run").to_pylist() == [run.id]


def test_the_mark_follows_the_code_that_reads(store, monkeypatch):
    [spec] = specs(1)
    make(store, spec)
    kept = [results(store)["other_code"].to_pylist() for _ in range(2)]
    with monkeypatch.context() as patch:
        patch.setattr("factcap.models.sweep.store.table.code_today", lambda source: OLDER)
        kept.append(results(store)["other_code"].to_pylist())
    kept.append(results(store)["other_code"].to_pylist())
    assert kept == [[False], [False], [True], [False]]


def test_a_run_of_two_codes_or_of_a_generator_that_is_gone_is_marked(store):
    [spec] = specs(1)
    make(store, spec)
    folder = store.directory(spec.id)
    outcome = json.loads((folder / "outcome.json").read_text())
    del outcome["sha256"]
    codes = [OLD, spec.config["code"]]
    write_sealed(folder / "outcome.json", {**outcome, "codes": codes})
    [row] = results(store).to_pylist()
    assert row["code"] == "+".join(code[:12] for code in codes)
    assert row["other_code"]
    gone = type(spec)({"generator": "telephone", "facts": 10}, "8k", spec.training)
    with code(OLD):
        make(store, gone)
    rows = {row["run"]: row for row in results(store).to_pylist()}
    assert rows[gone.id]["other_code"]


def test_a_table_from_before_codes_were_kept_is_made_anew(store):
    [spec] = specs(1)
    make(store, spec)
    whole = results(store)
    path = store.root / "results.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["code", "source"]), path)
    write_sealed(store.root / "results.json", {"sha256_of_table": file_digest(path)})
    assert results(store).equals(whole)


def test_the_commands_say_what_is_of_other_code(call, tmp_path):
    file, root = tmp_path / "sweep.py", tmp_path / "store"
    file.write_text(
        "runs = [{'facts': {'generator': 'phonebook', 'facts': 10}, 'model': '8k', 'batch': 16,"
        " 'seed': seed} for seed in range(2)]\n"
    )
    store = Store.create(root)
    # a sweep of other code that was stopped in its second run
    old = other_specs(2)
    make(store, old[0])
    make(store, old[1], finished=False)
    with pytest.raises(OSError, match="the sweep stops"):
        swept(store, old, {old[1].id: ["fatal"]})
    assert old[1].id in store.planned()
    [_, wanted] = specs(2)
    code_, out, _ = call("sweep", file, "--out", root, "--dry-run", "--accept-other-code")
    assert code_ == 0
    lines = out.splitlines()
    assert lines[1].endswith(f"done by other code: {old[0].id}")
    assert lines[-1].startswith("2 runs, 1 made by other code and accepted, 1 of them to make")
    make(store, wanted)
    code_, out, err = call("sweep", file, "--out", root, "--accept-other-code")
    assert code_ == 0, err
    assert out == f"2 runs done (1 of other code), 0 failed; {root}\n"
    assert "2 runs, 1 made by other code and accepted, 0 of them to make" in err
    # nothing waits: neither what was accepted, nor what other code has left
    states = json.loads(call("status", root, "--json")[1])
    assert sorted(states["done"]) == sorted([old[0].id, wanted.id])
    assert not states["waiting"]
    rows = json.loads(call("results", root, "--where", "not other_code", "--json")[1])
    assert [row["run"] for row in rows] == [wanted.id]
    assert call("results", root)[1].splitlines()[0].endswith("other_code")
