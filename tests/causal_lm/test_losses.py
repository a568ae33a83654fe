import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from factcap.causal_lm import losses
from factcap.causal_lm.checkpoint import load_checkpoint
from factcap.causal_lm.losses import write_losses
from factcap.synth.corpus import compose, made_up, write_documents
from factcap.synth.errors import BadInput
from factcap.synth.selection.stream import select_file
from factcap.synth.selection.table import LossTable

FILLED = "Bo Ade was born in Rome. Ana Eck was born in New York. Ida Fay comes from Lima. "


@pytest.fixture(scope="module")
def checkpoint(folders):
    return load_checkpoint(str(folders["gpt2"]))


@pytest.fixture(scope="module")
def corpus():
    """Documents of made-up facts, all of which the tokenizer can write."""
    return compose(made_up(20), documents=60)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(losses, "_DOCUMENTS", 7)


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@torch.no_grad()
def loss_of(checkpoint, text: str, start: int = 0, end: int | None = None) -> float:
    """NLL in bits of the characters from start to end, by the whole text at once."""
    words = checkpoint.tokenizer
    found = words(text, return_offsets_mapping=True)
    tokens = torch.tensor([[words.bos_token_id, *found["input_ids"]]])
    logs = checkpoint.model(input_ids=tokens).logits[0].double().log_softmax(-1)
    return -sum(
        float(logs[place, token])
        for place, (token, (_, after)) in enumerate(
            zip(found["input_ids"], found["offset_mapping"], strict=True)
        )
        if start < after <= (len(text) if end is None else end)
    ) / np.log(2)


def test_the_loss_of_a_document_is_that_of_its_whole_text(
    checkpoint, corpus, tmp_path, small_chunks
):
    write_documents(corpus.documents, tmp_path / "c.jsonl")
    done: list[int] = []
    rows = write_losses(
        checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", progress=done.append
    )
    assert rows == sum(done) == 60
    table = pq.read_table(tmp_path / "l.parquet")
    assert table.column_names == ["id", "loss", "bits"]
    assert table.column("id").to_pylist() == [each.id for each in corpus.documents]
    wanted = [loss_of(checkpoint, each.text) for each in corpus.documents]
    np.testing.assert_allclose(table.column("loss").to_numpy(), wanted, rtol=1e-4)
    assert table.column("bits").equals(table.column("loss"))
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_marked_values_are_scored_after_all_text_before_them(checkpoint, corpus, tmp_path):
    write_documents(corpus.documents, tmp_path / "c.parquet")
    rows = write_losses(checkpoint, tmp_path / "c.parquet", tmp_path / "l.parquet", spans=True)
    table = pq.read_table(tmp_path / "l.parquet").to_pylist()
    told = [(each, span) for each in corpus.documents for span in each.spans if each.tells(span)]
    only_before = {span.fact for each in corpus.documents for span in each.spans} - {
        span.fact for _, span in told
    }
    wanted = {
        f"{each.id}:{span.start}": (each, span)
        for each in corpus.documents
        for span in each.spans
        if each.tells(span) or span.fact in only_before
    }
    assert rows == len(table) == len(wanted)
    facts = list({span.fact for each in corpus.documents for span in each.spans})
    for row in table:
        document, span = wanted[row["id"]]
        space = span.start > 0 and document.text[span.start - 1] == " "
        loss = loss_of(checkpoint, document.text, span.start - space, span.end)
        assert row["loss"] == pytest.approx(loss, rel=1e-3, abs=1e-3)
        values = [value for _, relation, value in facts if relation == span.relation]
        assert row["bits"] == pytest.approx(-np.log2(values.count(span.value) / len(values)))
        places = [each for other in corpus.documents for each in other.spans]
        assert row["count"] == sum(each.fact == span.fact for each in places)


@pytest.mark.parametrize("spans", [False, True])
def test_select_takes_them(checkpoint, corpus, tmp_path, spans):
    write_documents(corpus.documents, tmp_path / "c.jsonl")
    write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", spans=spans)
    table = LossTable(tmp_path / "l.parquet")
    assert table.counted == spans
    report = select_file(table, "loss_h", table.check().bits / 3, tmp_path / "w.parquet")
    assert 0 < report.kept < report.rows


def test_a_document_longer_than_the_context_is_read_in_pieces(checkpoint, tmp_path):
    text = FILLED * 9
    write_lines(tmp_path / "c.jsonl", [{"text": text}, {"text": "Bo"}])
    write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet")
    tokens = [checkpoint.tokenizer.bos_token_id, *checkpoint.tokenizer(text)["input_ids"]]
    assert len(tokens) > 3 * checkpoint.context
    nats = 0.0
    for first in range(0, len(tokens) - 1, checkpoint.context):
        piece = torch.tensor([tokens[first : first + checkpoint.context + 1]])
        with torch.no_grad():
            logs = checkpoint.model(input_ids=piece[:, :-1]).logits[0].double().log_softmax(-1)
        nats -= float(logs.gather(1, piece[0, 1:, None]).sum())
    table = pq.read_table(tmp_path / "l.parquet")
    assert table.column("loss")[0].as_py() == pytest.approx(nats / np.log(2), rel=1e-4)
    # Nobody names the documents: their ids are the numbers of their rows.
    assert table.column("id").to_pylist() == [0, 1]


def test_a_value_far_behind_is_read_after_what_the_context_holds(checkpoint, tmp_path):
    text = FILLED * 9 + "Kim Ode is Porto."
    start = text.index("Porto")
    span = {
        "entity": "Kim Ode",
        "relation": "is",
        "value": "Porto",
        "start": start,
        "end": start + 5,
    }
    write_lines(tmp_path / "c.jsonl", [{"id": 7, "text": text, "spans": [span]}])
    write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", spans=True)
    tokens = checkpoint.tokenizer(text[: start + 5])["input_ids"]
    value = len(checkpoint.tokenizer(" Porto")["input_ids"])
    read = torch.tensor([tokens[-checkpoint.context - 1 :]])
    with torch.no_grad():
        logs = checkpoint.model(input_ids=read[:, :-1]).logits[0].double().log_softmax(-1)
    nats = -float(logs[-value:].gather(1, read[0, -value:, None]).sum())
    [row] = pq.read_table(tmp_path / "l.parquet").to_pylist()
    assert row["id"] == f"7:{start}"
    assert row["loss"] == pytest.approx(nats / np.log(2), rel=1e-4)
    long = {**span, "value": text, "start": 0, "end": len(text), "entity": "x"}
    write_lines(tmp_path / "d.jsonl", [{"text": text, "spans": [long]}])
    with pytest.raises(BadInput, match=r"a value in the document 0 has \d+ tokens; the"):
        write_losses(checkpoint, tmp_path / "d.jsonl", tmp_path / "m.parquet", spans=True)
    assert {path.suffix for path in tmp_path.iterdir()} == {".jsonl", ".parquet"}


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "datasets"])
def test_all_kinds_of_corpora_give_the_same(checkpoint, tmp_path, kind):
    datasets = pytest.importorskip("datasets")
    rows = [{"id": 3 * i, "body": FILLED[i : i + 20], "count": 1 + i % 3} for i in range(20)]
    path = tmp_path / f"c.{kind}"
    if kind == "jsonl":
        write_lines(path, rows)
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        datasets.disable_progress_bars()
        datasets.Dataset.from_list(rows).save_to_disk(str(path))
    write_losses(checkpoint, path, tmp_path / "l.parquet", text="body")
    table = pq.read_table(tmp_path / "l.parquet")
    assert table.column("id").to_pylist() == [row["id"] for row in rows]
    assert table.column("count").to_pylist() == [row["count"] for row in rows]
    wanted = [loss_of(checkpoint, row["body"]) for row in rows]
    np.testing.assert_allclose(table.column("loss").to_numpy(), wanted, rtol=1e-4)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("spans", [False, True])
def test_it_goes_on_where_it_was_interrupted(
    checkpoint, corpus, tmp_path, small_chunks, monkeypatch, spans
):
    write_documents(corpus.documents, tmp_path / "c.jsonl")
    write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "whole.parquet", spans=spans)

    def stop(done: int) -> None:
        made.append(done)
        if len(made) == 4:
            raise Interrupted

    made: list[int] = []
    with pytest.raises(Interrupted):
        write_losses(
            checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", spans=spans, progress=stop
        )
    assert not (tmp_path / "l.parquet").exists()
    with pytest.raises(BadInput, match="unfinished work of another kind of rows"):
        write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", spans=not spans)
    chunks: list[int] = []
    score = losses._losses
    monkeypatch.setattr(losses, "_losses", lambda *given: (chunks.append(1), score(*given))[1])
    write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", spans=spans)
    assert len(chunks) == 9 - 4
    assert (tmp_path / "l.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    with pytest.raises(BadInput, match="exists; choose another name"):
        write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet")


@pytest.mark.parametrize(
    ("rows", "spans", "message"),
    [
        ([], False, "is empty; it needs at least one document"),
        ([{"id": "a"}], False, "row 1: 'text' must be text"),
        ([{"text": ""}], False, "row 1: the document '0' has no text"),
        ([{"text": "x", "id": 1.5}], False, "row 1: 'id' must be text or a whole number"),
        ([{"text": "x", "id": 1}, {"text": "x", "id": "a"}], False, "row 2: its id is not of the"),
        ([{"text": "x", "count": 1}, {"text": "x"}], False, "row 2: either all rows have a count"),
        ([{"text": "x", "count": "many"}], False, "row 1: 'count' must be a number"),
        ([{"text": "x"}], True, "no document has a marked fact; leave out --spans"),
    ],
)
def test_bad_corpora(checkpoint, tmp_path, rows, spans, message):
    write_lines(tmp_path / "c.jsonl", rows)
    with pytest.raises(BadInput, match=message):
        write_losses(checkpoint, tmp_path / "c.jsonl", tmp_path / "l.parquet", spans=spans)
    assert [path.name for path in tmp_path.iterdir()] == ["c.jsonl"]


def test_bad_folders(checkpoint, tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    (tmp_path / "empty").mkdir()
    rows = datasets.Dataset.from_list([{"body": "x"}])
    rows.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": rows}).save_to_disk(str(tmp_path / "splits"))
    for name, message in (
        ("empty", "is not a dataset saved by datasets"),
        ("one", "has no column 'text'; it has body"),
        ("splits", "holds the splits train; give the folder of one of them"),
        ("absent", "does not exist; give a .jsonl or .parquet file, or a folder"),
    ):
        with pytest.raises(BadInput, match=message):
            write_losses(checkpoint, tmp_path / name, tmp_path / "l.parquet")
    assert not list(tmp_path.glob(".*"))
