"""The loss of each example under a model of `transformers`, as its training reads it."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Int64

from factcap.causal_lm.scoring import nats
from factcap.synth.errors import require

# So many batches are fetched together, and sorted by length.
_TOGETHER = 64


def example_losses(
    model: torch.nn.Module,
    examples: Any,
    numbers: Int64[np.ndarray, " scored"],
    collate: Callable[[list[Any]], Mapping[str, torch.Tensor]],
    rows: int,
) -> Float64[np.ndarray, " scored"]:
    """Loss of some examples in bits, summed over the labels of each.

    A forward pass over each, without dropout and gradients. Labels of -100 do not count, nor does
    the first one, which nothing stands before.

    Args:
        model: a causal language model of `transformers`; it is left in the mode it was in.
        examples: a dataset; batches are of alike lengths where examples have `input_ids`.
        numbers: of the examples to be scored.
        collate: makes a batch of examples, with `labels`.
        rows: of a batch.

    Raises:
        BadInput: if there are no `labels`.
    """
    bits, trained = np.empty(len(numbers)), model.training
    model.eval()
    try:
        for start in range(0, len(numbers), rows * _TOGETHER):
            fetched = [
                examples[int(number)] for number in numbers[start : start + rows * _TOGETHER]
            ]
            places = np.argsort([-_length(example) for example in fetched], kind="stable")
            for batch in (places[at : at + rows] for at in range(0, len(places), rows)):
                bits[start + batch] = _batch_bits(model, collate([fetched[row] for row in batch]))
    finally:
        model.train(trained)
    return bits


def _length(example: Any) -> int:
    known = isinstance(example, Mapping) and "input_ids" in example
    return len(example["input_ids"]) if known else 0


def _batch_bits(
    model: torch.nn.Module, batch: Mapping[str, torch.Tensor]
) -> Float64[np.ndarray, " rows"]:
    require("labels" in batch, "the data collator must give labels, from which losses are taken")
    device = next(model.parameters()).device
    inputs = {name: tensor.to(device) for name, tensor in batch.items() if name != "labels"}
    labels_BxT = batch["labels"].to(device)[:, 1:]
    row_P, place_P = torch.nonzero(labels_BxT != -100, as_tuple=True)
    with torch.no_grad():
        logits_PxV = model(**inputs, use_cache=False).logits[row_P, place_P]
        nats_P = nats(logits_PxV, labels_BxT[row_P, place_P])
    return np.bincount(row_P.cpu().numpy(), nats_P, minlength=len(labels_BxT)) / math.log(2)
