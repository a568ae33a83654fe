import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from factcap.causal_lm import measuring
from factcap.causal_lm.asking import ask, read_facts
from factcap.causal_lm.checkpoint import load_checkpoint
from factcap.causal_lm.measured import measured
from factcap.causal_lm.measuring import measure, measure_into, steps
from factcap.synth.errors import BadInput
from factcap.synth.measurement import Measurement


@pytest.fixture(scope="module")
def checkpoint(trained):
    return load_checkpoint(str(trained / "model"))


@pytest.fixture(scope="module")
def probes(trained):
    return read_facts(trained / "facts.csv", trained / "templates.jsonl")


@pytest.fixture(scope="module")
def asked(checkpoint, probes):
    return ask(checkpoint, probes)


@pytest.fixture(scope="module")
def found(checkpoint, asked):
    return measure(checkpoint, asked, ranks=True)


def continuation(checkpoint, text: str, value: str) -> tuple[list[int], list[int]]:
    """Tokens before the value and of the value; a space goes with the word in this tokenizer."""
    words = checkpoint.tokenizer
    before = words(text.rstrip(" "))["input_ids"]
    return before, words(text + value)["input_ids"][len(before) :]


@torch.no_grad()
def log_likelihood(checkpoint, before: list[int], after: list[int]) -> float:
    logs = checkpoint.model(input_ids=torch.tensor([before + after])).logits[0].double()
    logs = logs.log_softmax(-1)
    return sum(float(logs[len(before) - 1 + i, token]) for i, token in enumerate(after))


def test_it_is_what_one_finds_prompt_by_prompt(checkpoint, probes, found):
    nll, recall = [], []
    for fact, prompts in enumerate(probes.prompts):
        for prompt in prompts:
            before, after = continuation(checkpoint, prompt.text, probes.values[fact])
            nll.append(-log_likelihood(checkpoint, before, after) / np.log(2))
            said = checkpoint.model.generate(
                torch.tensor([before]),
                attention_mask=torch.ones(1, len(before), dtype=torch.long),
                max_new_tokens=len(after),
                do_sample=False,
                pad_token_id=0,
            )[0, len(before) :]
            recall.append(said.tolist() == after)
    assert len(nll) == 9 * 2 + 9 * 2
    np.testing.assert_allclose(found.nll_bits_of_prompt, nll, atol=1e-4)
    assert found.recall_of_prompt.tolist() == recall
    by_fact = np.array(nll).reshape(-1, 2)
    np.testing.assert_allclose(found.measurement.nll_bits, by_fact.mean(axis=1), atol=1e-4)
    known = np.array(recall).reshape(-1, 2).mean(axis=1) > 0.5
    assert found.measurement.recall.tolist() == known.tolist()
    # It knows what it was trained on, and has only guesses of the rest.
    told = np.array([*[True] * 6, *[False] * 3] * 2)
    assert known[told].mean() > max(0.4, 2 * known[~told].mean())


def test_ranks_are_those_of_all_candidates_one_by_one(checkpoint, probes, found):
    ranks = []
    for fact, prompts in enumerate(probes.prompts):
        relation, value = probes.relations[fact], probes.values[fact]
        names = zip(probes.relations, probes.values, strict=True)
        candidates = {each for name, each in names if name == relation}
        for prompt in prompts:
            score = {}
            for candidate in candidates:
                before, after = continuation(checkpoint, prompt.text, candidate)
                score[candidate] = log_likelihood(checkpoint, before, after) / len(after)
            ranks.append(1 + sum(each > score[value] for each in score.values()))
    assert found.rank_of_prompt.tolist() == ranks
    assert min(ranks) == 1
    assert max(ranks) >= 3


@pytest.mark.parametrize("tokens", [1, 30, 10_000])
def test_the_size_of_a_batch_does_not_matter(checkpoint, asked, found, tokens):
    other = measure(checkpoint, asked, ranks=True, batch_tokens=tokens)
    np.testing.assert_allclose(other.nll_bits_of_prompt, found.nll_bits_of_prompt, atol=1e-4)
    assert other.recall_of_prompt.tolist() == found.recall_of_prompt.tolist()
    np.testing.assert_array_equal(other.rank_of_prompt, found.rank_of_prompt)


def test_the_file_is_a_measurement_with_more_columns(checkpoint, asked, found, tmp_path):
    done = []
    summary = measure_into(tmp_path / "out", checkpoint, asked, ranks=True, progress=done.append)
    assert sum(done) == steps(asked, ranks=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "measurement.parquet",
        "summary.json",
    }
    loaded = Measurement.load(tmp_path / "out" / "measurement.parquet")
    np.testing.assert_allclose(loaded.nll_bits, found.measurement.nll_bits, atol=1e-4)
    assert loaded.summary().items() <= summary.items()
    table = pq.read_table(tmp_path / "out" / "measurement.parquet")
    assert table.column("entity")[3].as_py() == "Ana Ade"
    assert table.column("template_recall").to_pylist() == [
        row.tolist() for row in found.recall_of_prompt.reshape(-1, 2)
    ]
    assert table.column("template_rank").to_pylist() == found.rank_of_prompt.reshape(-1, 2).tolist()
    assert table.column("rank").to_pylist() == [
        float(np.median(row)) for row in found.rank_of_prompt.reshape(-1, 2)
    ]
    # "Rome" and "law" are the commonest; the first fact is of Rome.
    commonest = [row["value"] in ("Rome", "law") for row in table.to_pylist()]
    assert table.column("commonest").to_pylist() == commonest
    assert summary == json.loads((tmp_path / "out" / "summary.json").read_text())


def test_the_summary_counts_by_relation_and_by_decile(found):
    summary = found.summary()
    known, frequency = found.measurement.recall, found.measurement.frequency
    assert summary["facts_known"] == known.sum()
    assert summary["beyond_guess"] == (known & ~found.commonest).sum()
    assert summary["weighted_accuracy"] == pytest.approx(frequency[known].sum())
    for name in (
        "facts",
        "facts_known",
        "beyond_guess",
        "stored_bits",
        "entropy_bits",
        "frequency",
    ):
        for parts in (summary["by_relation"].values(), summary["by_decile"]):
            whole = 1.0 if name == "frequency" else summary[name]
            assert sum(part[name] for part in parts) == pytest.approx(whole), name
    born = summary["by_relation"]["born"]
    share = np.array([3, 2, 1, 1, 2]) / 9
    assert born["entropy_bits"] == pytest.approx(-9 * (share * np.log2(share)).sum())
    assert summary["by_decile"][0]["frequency"] > summary["by_decile"][9]["frequency"]
    even = np.full(len(known), 1 / len(known))
    facts = replace(found.facts, frequency=even)
    assert replace(found, facts=facts).summary()["by_decile"] == []


def test_a_fact_is_known_by_more_than_half_of_its_prompts_and_by_any_accepted_answer(asked):
    spans = len(asked.prompt_of_span)
    recall = np.zeros(spans, bool)
    recall[[0, 2, 3]] = True
    found = measured(asked, np.arange(spans, dtype=float), recall, 1)
    assert found.measurement.recall[:3].tolist() == [False, True, False]
    assert found.measurement.nll_bits[:2].tolist() == [0.5, 2.5]
    # Spans 0 and 1 as two answers that one prompt accepts.
    first = np.array([0, 0, *range(1, spans - 1)])
    merged = replace(
        asked,
        prompt_of_span=first,
        fact_of_prompt=asked.fact_of_prompt[1:],
        template_of_prompt=asked.template_of_prompt[1:],
    )
    found = measured(merged, np.arange(spans, dtype=float) + 1, recall, 1)
    assert found.measurement.recall[0]
    assert found.measurement.nll_bits[0] == 1


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("after", [1, 20, 40, 60])
def test_it_goes_on_where_it_was_interrupted(checkpoint, asked, tmp_path, monkeypatch, after):
    monkeypatch.setattr(measuring, "_TOGETHER", 2)
    options = {"ranks": True, "batch_tokens": 40}
    measure_into(tmp_path / "whole", checkpoint, asked, **options)

    def stop(done: int) -> None:
        made.append(done)
        if sum(made) >= after:
            raise Interrupted

    made: list[int] = []
    with pytest.raises(Interrupted):
        measure_into(tmp_path / "out", checkpoint, asked, **options, progress=stop)
    assert not (tmp_path / "out" / "measurement.parquet").exists()
    kept = len(list((tmp_path / "out" / "unfinished").glob("*.parquet")))
    assert (kept > 0) == (after > 1)
    read: list[int] = []
    monkeypatch.setattr(measuring, "score", counting(measuring.score, read))
    measure_into(tmp_path / "out", checkpoint, asked, **options)
    assert sum(read) < len(asked.passages) or kept == 0
    for name in ("measurement.parquet", "summary.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def counting(score, read):
    def counted(checkpoint, passages, batches):
        read.append(sum(len(batch.rows) for batch in batches))
        return score(checkpoint, passages, batches)

    return counted


def test_a_folder_of_another_measurement_is_refused(checkpoint, asked, tmp_path):
    measure_into(tmp_path / "out", checkpoint, asked)
    again = measure_into(tmp_path / "out", checkpoint, asked)
    assert again["facts"] == 18
    with pytest.raises(BadInput, match="another measurement"):
        measure_into(tmp_path / "out", checkpoint, asked, batch_tokens=9)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("x")
    with pytest.raises(BadInput, match="something else"):
        measure_into(tmp_path / "other", checkpoint, asked)

    def stop(done: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        measure_into(tmp_path / "begun", checkpoint, asked, progress=stop)
    with pytest.raises(BadInput, match="unfinished work of another batch_tokens"):
        measure_into(tmp_path / "begun", checkpoint, asked, batch_tokens=9)
