"""Losses and greedy recall of marked spans, batch by batch."""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

from factcap.causal_lm.batches import Batch, Room
from factcap.causal_lm.checkpoint import Checkpoint, logits_at
from factcap.causal_lm.passages import Passages

# So many logits are made float32 at a time: on a GPU more, which is slow at small arrays.
_TOGETHER = {"cpu": 2**20, "cuda": 2**26}
# What is computed for a batch takes at most this share of the model's own memory, or 32 MiB. On a
# CPU what the libraries keep for themselves comes on top.
_SHARE, _LEAST_ROOM = {"cpu": 0.1, "cuda": 0.25}, 2**25
# Where memory need not be spared on a GPU.
_GPU_ROOM = 2**31


class Scored(NamedTuple):
    """What a model says of some spans.

    Attributes:
        span: their numbers, counted through all passages.
        nll_bits: negative log-likelihood of all tokens of each, in bits.
        recall: whether each of its tokens is the likeliest after those before it, so that greedy
            decoding gives exactly them; None where it was not asked for.
    """

    span: Int64[np.ndarray, " spans"]
    nll_bits: Float64[np.ndarray, " spans"]
    recall: Bool[np.ndarray, " spans"] | None


def room_of(checkpoint: Checkpoint, batch_tokens: int = 0, *, alone: bool = False) -> Room:
    """What a batch may take: a tenth of the model's memory, on a GPU a quarter; at least 32 MiB.

    Args:
        checkpoint: the model.
        batch_tokens: tokens read at once instead; 0: as said.
        alone: whether a GPU need not be shared with others: 2 GiB then, if that is more.
    """
    config = checkpoint.text_config
    size = next(checkpoint.model.parameters()).element_size()
    width = config.hidden_size
    inner = next(
        (
            found
            for name in ("intermediate_size", "n_inner", "ffn_dim")
            if isinstance(found := getattr(config, name, None), int)
        ),
        4 * width,
    )
    # Of a block some eight arrays of its width and five of its inner width are held at once.
    token = size * (8 * width + 5 * inner)
    least = _GPU_ROOM if alone and checkpoint.device.type == "cuda" else _LEAST_ROOM
    share = _SHARE.get(checkpoint.device.type, _SHARE["cpu"])
    most = max(least, int(share * checkpoint.bytes))
    return Room(
        bytes=most if batch_tokens == 0 else batch_tokens * token,
        token=token,
        logits=size * config.vocab_size if batch_tokens == 0 else 0,
        kept=2 * size * width * config.num_hidden_layers,
    )


def can_share(checkpoint: Checkpoint) -> bool:
    """Whether a model's keys and values can be kept, and given to several rows."""
    cache = new_cache(checkpoint)
    known = transformers.cache_utils.DynamicLayer
    return len(cache.layers) > 0 and all(isinstance(each, known) for each in cache.layers)


def score(
    checkpoint: Checkpoint,
    passages: Passages,
    batches: Sequence[Batch],
    *,
    recall: bool = True,
) -> Iterator[Scored]:
    """What the model says of the spans of each batch.

    Rows are padded behind, where a causal model does not look, so that no mask is needed.

    Args:
        checkpoint: the model.
        passages: all of them.
        batches: as `plan` makes them.
        recall: whether to find what is recalled.

    Raises:
        FloatingPointError: for a loss that is not finite.
    """
    for batch in batches:
        yield _score(checkpoint, passages, batch, recall)


@torch.inference_mode()
def _score(
    checkpoint: Checkpoint,
    passages: Passages,
    batch: Batch,
    recall: bool,
) -> Scored:
    shared = batch.shared
    tokens = passages.tokens_of(batch.rows, shared)
    scored = passages.scored_of(batch.rows)
    inputs: dict[str, Any] = {"use_cache": False}
    if shared:
        inputs = _read_ahead(checkpoint, passages, batch)
    device = checkpoint.device
    logits_PxV = logits_at(
        checkpoint,
        torch.from_numpy(scored.row).to(device),
        torch.from_numpy(scored.place - 1 - shared).to(device),
        input_ids=torch.from_numpy(tokens).to(device),
        **inputs,
    )
    target_P = torch.from_numpy(scored.target).to(device)
    number, place = np.unique(scored.span, return_inverse=True)
    bits = np.bincount(place, weights=nats(logits_PxV, target_P)) / math.log(2)
    if not np.isfinite(bits).all():
        raise FloatingPointError(f"{checkpoint.name} gives losses that are not finite")
    if not recall:
        return Scored(number, bits, None)
    wrong = (logits_PxV.argmax(dim=1) != target_P).cpu().numpy()
    return Scored(number, bits, np.bincount(place, weights=wrong) == 0)


def nats(logits_PxV: Tensor, target_P: Tensor) -> Float64[np.ndarray, " positions"]:
    """NLL of each target in nats, summed in float32 whatever the logits are."""
    most = _TOGETHER.get(logits_PxV.device.type, _TOGETHER["cpu"])
    rows = max(1, most // logits_PxV.shape[1])
    found = [
        nn.functional.cross_entropy(some_PxV.float(), target, reduction="none")
        for some_PxV, target in zip(logits_PxV.split(rows), target_P.split(rows), strict=True)
    ]
    return torch.cat(found).double().cpu().numpy()


def _read_ahead(checkpoint: Checkpoint, passages: Passages, batch: Batch) -> dict[str, Any]:
    """Keys and values of what the rows of each group share, a copy a row."""
    _, one_of_each = np.unique(batch.group, return_index=True)
    heads = passages.tokens_of(batch.rows[one_of_each], 0)[:, : batch.shared]
    device, cache = checkpoint.device, new_cache(checkpoint)
    kept = {checkpoint.cache_argument: cache, "use_cache": True}
    first = torch.tensor([0], device=device)
    given = torch.from_numpy(heads).to(device)
    logits_at(checkpoint, first, first, input_ids=given, **kept)
    chosen = torch.from_numpy(batch.group).to(device)
    return {**kept, checkpoint.cache_argument: taken(cache, chosen)}


def new_cache(checkpoint: Checkpoint) -> Any:
    """Room for keys and values, still empty."""
    return transformers.DynamicCache(config=checkpoint.model.config)


def taken(cache: Any, rows: Tensor) -> Any:
    """Keys and values of these rows, some perhaps several times; those that there are stay."""
    other = copy.copy(cache)
    other.layers = [copy.copy(layer) for layer in cache.layers]
    other.batch_select_indices(rows)
    return other
