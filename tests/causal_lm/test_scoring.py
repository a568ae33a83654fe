import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.causal_lm import passages as passages_module
from factcap.causal_lm.batches import Room, plan
from factcap.causal_lm.checkpoint import Checkpoint, load_checkpoint, logits_at
from factcap.causal_lm.passages import Passage, Passages
from factcap.causal_lm.scoring import can_share, room_of, score
from tests.causal_lm.models import KINDS


@pytest.fixture(scope="module")
def checkpoints(folders):
    return {kind: load_checkpoint(str(folder)) for kind, folder in folders.items()}


def passages_of(checkpoint, seed: int, count: int = 24) -> Passages:
    """Passages of all lengths, of which some begin alike and some go on as the model would."""
    rng = np.random.default_rng(seed)
    heads = rng.integers(1, checkpoint.vocabulary, (2, 12))
    made = []
    for number in range(count):
        head = heads[number % 2][: rng.integers(9, 13)] if number % 3 else heads[0][:0]
        rest = rng.integers(1, checkpoint.vocabulary, rng.integers(5, 14))
        tokens = np.concatenate([head, rest])
        first = len(head) + int(rng.integers(1, 3))
        last = int(rng.integers(first + 1, len(tokens)))
        if number % 4 == 0:
            tokens = greedily(checkpoint, tokens, last)
        spans = ((first, last), (last, len(tokens)))[number % 2 :]
        made.append(Passage(tokens.astype(np.int32), spans))
    return Passages(made)


@torch.no_grad()
def greedily(checkpoint, tokens: np.ndarray, first: int) -> np.ndarray:
    """The tokens, those from `first` on replaced by what the model finds likeliest."""
    for at in range(first, len(tokens)):
        given = torch.from_numpy(tokens[None, :at].astype(np.int64))
        tokens[at] = checkpoint.model(input_ids=given).logits[0, -1].argmax()
    return tokens


def brute_force(checkpoint, passages):
    """Passage by passage, in one pass each, with all logits."""
    nll, recall = [], []
    for passage in passages:
        tokens = torch.from_numpy(passage.tokens.astype(np.int64))[None]
        with torch.no_grad():
            logs = checkpoint.model(input_ids=tokens).logits[0].double().log_softmax(-1)
        for start, end in passage.spans:
            places = range(start, end)
            nll.append(-sum(float(logs[at - 1, tokens[0, at]]) for at in places) / np.log(2))
            recall.append(all(int(logs[at - 1].argmax()) == tokens[0, at] for at in places))
    return np.array(nll), np.array(recall)


def ours(checkpoint, passages, room, *, sharing=True):
    batches = plan(passages, room, sharing=sharing)
    assert sorted(row for batch in batches for row in batch.rows) == list(range(len(passages)))
    spans = sum(len(passage.spans) for passage in passages)
    nll, recall = np.full(spans, np.nan), np.zeros(spans, bool)
    for found in score(checkpoint, passages, batches):
        nll[found.span], recall[found.span] = found.nll_bits, found.recall
    return nll, recall, batches


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tokens", [0, 1, 40, 200])
def test_cache_batches_and_padding_change_nothing(checkpoints, kind, tokens):
    checkpoint = checkpoints[kind]
    passages = passages_of(checkpoint, 1)
    assert can_share(checkpoint)
    nll, recall = brute_force(checkpoint, passages)
    found, right, batches = ours(checkpoint, passages, room_of(checkpoint, tokens))
    np.testing.assert_allclose(found, nll, rtol=1e-4, atol=1e-4)
    assert right.tolist() == recall.tolist()
    assert 0 < recall.sum() < len(recall)
    assert any(batch.shared for batch in batches)
    room = room_of(checkpoint, tokens)
    alone, also_right, batches = ours(checkpoint, passages, room, sharing=False)
    assert not any(batch.shared for batch in batches)
    np.testing.assert_allclose(alone, nll, rtol=1e-4, atol=1e-4)
    assert also_right.tolist() == recall.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_passages_does_not_matter(checkpoints, kind):
    checkpoint = checkpoints[kind]
    passages = passages_of(checkpoint, 2)
    nll, recall, _ = ours(checkpoint, passages, room_of(checkpoint, 100))
    order = np.random.default_rng(0).permutation(len(passages))
    first = passages.first_span
    moved = [span for row in order for span in range(first[row], first[row + 1])]
    found, right, _ = ours(
        checkpoint, Passages(passages[row] for row in order), room_of(checkpoint, 100)
    )
    np.testing.assert_allclose(found, nll[moved], rtol=1e-4, atol=1e-4)
    assert right.tolist() == recall[moved].tolist()


def test_logits_are_made_at_the_asked_positions_only(checkpoints):
    """What the model does to its logits after its last layer is done to these, too."""
    checkpoint = checkpoints["gpt2"]
    tokens = torch.arange(1, 13).reshape(2, 6)
    row, column = torch.tensor([0, 1, 1]), torch.tensor([5, 0, 3])
    sizes = []
    head = checkpoint.model.get_output_embeddings()
    handle = head.register_forward_hook(lambda *given: sizes.append(given[2].shape))
    with torch.no_grad():
        wanted = checkpoint.model(input_ids=tokens).logits[row, column]
        found = logits_at(checkpoint, row, column, input_ids=tokens)
        again = checkpoint.model(input_ids=tokens).logits[row, column]
    handle.remove()
    assert sizes[1] == (1, 3, checkpoint.vocabulary)
    torch.testing.assert_close(found, wanted)
    assert torch.equal(again, wanted)


def test_logits_that_are_made_elsewhere_are_found(checkpoints):
    checkpoint = checkpoints["gpt2"]
    tokens = torch.arange(1, 13).reshape(2, 6)
    row, column = torch.tensor([0, 1, 1]), torch.tensor([5, 0, 3])
    with torch.no_grad():
        wanted = checkpoint.model(input_ids=tokens).logits[row, column]
        for head in (torch.nn.Linear(2, 2), None):
            model = copy.copy(checkpoint.model)
            model.get_output_embeddings = lambda head=head: head
            found = logits_at(replace(checkpoint, model=model), row, column, input_ids=tokens)
            torch.testing.assert_close(found, wanted)


def test_a_soft_cap_of_the_logits_is_kept():
    made = transformers.Gemma2Config(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        sliding_window=4,
        final_logit_softcapping=0.5,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(made).eval()
    checkpoint = Checkpoint("capped", model, None, 64)
    passages = passages_of(checkpoint, 3)
    nll, recall = brute_force(checkpoint, passages)
    found, right, _ = ours(checkpoint, passages, room_of(checkpoint, 200))
    np.testing.assert_allclose(found, nll, rtol=1e-4, atol=1e-4)
    assert right.tolist() == recall.tolist()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 5), st.integers(0, 3)), min_size=1),
    st.integers(1, 2000),
)
def test_every_passage_is_in_one_batch_and_the_room_is_kept(shapes, size):
    rng = np.random.default_rng(0)
    heads = rng.integers(0, 9, (4, 10))
    passages = Passages(
        Passage(
            np.concatenate([heads[head], rng.integers(0, 9, before + length)]).astype(np.int32),
            ((10 + before, 10 + before + length),),
        )
        for before, length, head in shapes
    )
    room = Room(bytes=size, token=3, logits=5, kept=1)
    batches = plan(passages, room, sharing=True)
    rows = np.concatenate([batch.rows for batch in batches])
    assert sorted(rows.tolist()) == list(range(len(passages)))
    for batch in batches:
        some = [passages[row] for row in batch.rows]
        longest = max(passage.read for passage in some) - batch.shared
        scored = sum(end - start for each in some for start, end in each.spans)
        groups = len(np.unique(batch.group))
        assert batch.group.tolist() == sorted(batch.group)
        needed = room.needed(len(some), longest, scored, batch.shared, groups)
        assert len(some) == 1 or needed <= size
        for number in range(int(batch.group.max()) + 1):
            group = [each for each, of in zip(some, batch.group, strict=True) if of == number]
            assert len({tuple(each.tokens[: batch.shared].tolist()) for each in group}) == 1
            assert all(each.spans[0][0] > batch.shared for each in group)


def test_passages_are_kept_as_they_are(monkeypatch):
    monkeypatch.setattr(passages_module, "_TOGETHER", 2)
    given = [
        Passage(np.arange(5, dtype=np.int32), ((1, 3), (2, 5))),
        Passage(np.arange(2, dtype=np.int32), ((1, 2),)),
        Passage(np.arange(9, dtype=np.int32), ((4, 6), (6, 7), (7, 9))),
    ]
    kept = Passages(iter(given))
    assert len(kept) == 3
    for one, other in zip(kept, given, strict=True):
        assert one.tokens.tolist() == other.tokens.tolist()
        assert one.spans == other.spans
    assert kept.first_span.tolist() == [0, 2, 3, 6]
    assert kept.read.tolist() == [4, 1, 8] == [each.read for each in given]
    assert kept.scored.tolist() == [5, 1, 5]
    assert kept.free.tolist() == [0, 0, 3]
    assert [each.spans for each in kept[1:]] == [each.spans for each in given[1:]]
    with pytest.raises(IndexError):
        kept[3]
    assert Passages(given).digest() == kept.digest() != Passages(given[:2]).digest()
    assert plan(Passages([]), Room(1, 1, 1, 1), sharing=True) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_many_passages_at_once_are_one_after_the_other(seed, count):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        tokens = rng.integers(0, 2, rng.integers(4, 9)).astype(np.int32)
        first, middle = sorted(rng.integers(1, len(tokens) - 1, 2).tolist())
        made.append(Passage(tokens, ((first, middle + 1), (middle + 1, len(tokens)))))
    passages = Passages(made)
    rows = rng.permutation(count)[: rng.integers(1, count + 1)]
    skip = int(passages.free[rows].min())
    tokens = passages.tokens_of(rows, skip)
    assert tokens.shape[1] == max(made[row].read for row in rows) - skip
    for row, found in zip(rows, tokens, strict=True):
        read = made[row].tokens[skip : made[row].read].tolist()
        assert found.tolist() == read + [0] * (len(found) - len(read))
    scored = passages.scored_of(rows)
    assert [tuple(map(int, each)) for each in zip(*scored, strict=True)] == [
        (int(passages.first_span[row]) + number, place, at, int(made[row].tokens[at]))
        for place, row in enumerate(rows)
        for number, (start, end) in enumerate(made[row].spans)
        for at in range(start, end)
    ]
    order = passages.in_order()
    texts = [made[row].tokens.tolist() for row in order]
    assert texts == sorted(texts)
    for one, other, alike in zip(order, order[1:], passages.alike(order), strict=False):
        most = min(passages.free[[one, other]])
        assert made[one].tokens[:alike].tolist() == made[other].tokens[:alike].tolist()
        assert alike == most or made[one].tokens[alike] != made[other].tokens[alike]
