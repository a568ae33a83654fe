"""Fact sets as tasks for lm-evaluation-harness."""

import json

import numpy as np
import pytest

from factcap.models import export_run, export_task
from factcap.synth import bitstrings, phonebook, write
from factcap.synth.corpus import learn_vocabulary, prompt_facts, tokenize
from tests.models.exchange.test_spelling import DOCUMENTS

pytest.importorskip("tokenizers")


def rows(folder):
    lines = (folder / f"{folder.name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def harness():
    return pytest.importorskip("lm_eval")


def accuracy(harness, folder, model, facts):
    """What the harness finds: its accuracy, and which facts it finds right."""
    found = harness.simple_evaluate(
        model="hf",
        # No token of these models is one to begin with, but the harness asks for one.
        model_args={"pretrained": str(model), "dtype": "float32", "prefix_token_id": 0},
        tasks=[folder.name],
        task_manager=harness.tasks.TaskManager(include_path=str(folder), include_defaults=False),
        device="cpu",
        batch_size=32,
        bootstrap_iters=0,
        log_samples=True,
    )
    samples = sorted(found["samples"][folder.name], key=lambda sample: sample["doc_id"])
    assert len(samples) == facts
    return found["results"][folder.name]["acc,none"], [sample["acc"] for sample in samples]


@pytest.mark.filterwarnings("ignore")  # those of the harness
def test_accuracy_in_the_harness_is_ours(harness, tmp_path, half_known, told):
    directory, facts, found = half_known
    write(facts, tmp_path / "facts.parquet")
    export_run(directory, tmp_path / "hf", facts=tmp_path / "facts.parquet")
    export_task(tmp_path / "facts.parquet", tmp_path / "half")
    mean, right = accuracy(harness, tmp_path / "half", tmp_path / "hf", len(facts))
    np.testing.assert_array_equal(np.array(right, bool), found.recall)
    assert mean == pytest.approx(found.accuracy)
    folder, facts = told
    export_run(folder / "triples", tmp_path / "told", facts=folder / "facts.parquet")
    export_task(folder / "facts.parquet", tmp_path / "triples")
    assert accuracy(harness, tmp_path / "triples", tmp_path / "told", len(facts))[0] == 1


def test_a_task_has_what_is_typed_and_what_is_asked(tmp_path, told, call):
    folder, facts = told
    code, out, err = call("export-task", folder / "facts.parquet", "--out", tmp_path / "asked")
    assert (code, err) == (0, "")
    assert "the task asked, 6 facts" in out
    assert {file.name for file in (tmp_path / "asked").iterdir()} == {"asked.jsonl", "asked.yaml"}
    found = rows(tmp_path / "asked")
    assert found[0] == {
        "prompt": "born in: Albert Einstein",
        "completion": " Ulm<|end|>",
        "key": "born in: Albert Einstein",
        "value": "Ulm",
        "entropy_bits": facts.entropy_bits[0],
        "frequency": facts.frequency[0],
    }
    assert [row["key"] for row in found] == facts.keys.to_pylist()
    task = (tmp_path / "asked" / "asked.yaml").read_text()
    assert f"    test: {json.dumps(str(tmp_path / 'asked' / 'asked.jsonl'))}\n" in task


def test_prompts_about_documents_are_a_task_for_any_model(tmp_path):
    tokenized = tokenize(DOCUMENTS, learn_vocabulary(DOCUMENTS, 40))
    one = np.ones(1)
    asked = prompt_facts(tokenized, [("Bo was born in ", "Rome")], one, one)
    write(asked, tmp_path / "facts.parquet")
    export_task(tmp_path / "facts.parquet", tmp_path / "asked")
    [row] = rows(tmp_path / "asked")
    assert (row["prompt"], row["completion"]) == ("Bo was born in", " Rome")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["absent.parquet", "--out", "task"], "absent.parquet does not exist"),
        (["keyless.parquet", "--out", "task"], "has facts without a key"),
        (["facts.parquet", "--out", "full"], "full is not empty"),
        (["facts.parquet", "--out", "no/task"], "the folder no does not exist"),
        (["facts.parquet", "--out", "a,b"], "a task is called as its folder"),
    ],
)
def test_bad_input_gets_one_line_and_nothing_is_written(
    call, monkeypatch, tmp_path, words, message
):
    monkeypatch.chdir(tmp_path)
    write(phonebook(5), "facts.parquet")
    write(bitstrings(5, vocabulary=9, length=3, key_length=0), "keyless.parquet")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("export-task", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert sorted(tmp_path.rglob("*")) == before
