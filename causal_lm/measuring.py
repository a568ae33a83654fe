"""Measuring what a causal language model knows of facts, and going on after an interruption."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import torch
import transformers

from factcap.causal_lm.asking import Asked
from factcap.causal_lm.batches import Batch, plan
from factcap.causal_lm.checkpoint import Checkpoint
from factcap.causal_lm.measured import Measured, measured
from factcap.causal_lm.parts import Parts
from factcap.causal_lm.ranks import Question, questions, rank
from factcap.causal_lm.scoring import can_share, room_of, score
from factcap.synth.disk.files import digest_of, write_whole
from factcap.synth.errors import require

MEASUREMENT, SUMMARY, _UNFINISHED = "measurement.parquet", "summary.json", "unfinished"
# Batches whose results are kept together.
_TOGETHER = 16

Progress = Callable[[int], object]
_Work = TypeVar("_Work", Batch, Question)


def steps(asked: Asked, *, ranks: bool) -> int:
    """How many steps `measure` reports in all: passages, and prompts that are ranked."""
    return len(asked.passages) + ranks * len(asked.fact_of_prompt)


def measure(
    checkpoint: Checkpoint,
    asked: Asked,
    *,
    ranks: bool = False,
    batch_tokens: int = 0,
    parts: Parts | None = None,
    progress: Progress = lambda done: None,
) -> Measured:
    """What a model knows of facts: see `measured`.

    Args:
        checkpoint: the model.
        asked: the facts, as `ask` makes them for it.
        ranks: whether to rank each value among those of its relation; that takes many times longer.
        batch_tokens: tokens read at once; 0: see `room_of`.
        parts: where finished parts are kept, and are found again.
        progress: called with the number of steps done; see `steps`.

    Raises:
        BadInput: for ranks of a model that keeps no keys and values.
    """
    room, sharing = room_of(checkpoint, batch_tokens), can_share(checkpoint)
    require(sharing or not ranks, f"{checkpoint.name} keeps no keys and values; leave out --ranks")
    found = iter(() if parts is None else parts)

    def tables(work: Sequence[_Work], do: Callable[[Sequence[_Work]], Iterator[Any]]) -> Iterator:
        """A table for some of the work at a time: one that is there, or one that is made now."""
        for first in range(0, len(work), _TOGETHER):
            some = work[first : first + _TOGETHER]
            table = next(found, None)
            if table is not None:
                progress(sum(len(each.rows) for each in some))
            else:
                made = []
                for each, result in zip(some, do(some), strict=True):
                    made.append(pa.table(result._asdict()))
                    progress(len(each.rows))
                table = pa.concat_tables(made)
                if parts is not None:
                    parts.add(table)
            yield (column.to_numpy() for column in table.columns)

    nll_bits = np.empty(len(asked.prompt_of_span))
    recall = np.empty(len(asked.prompt_of_span), bool)
    batches = plan(asked.passages, room, sharing=sharing)
    for span, bits, right in tables(batches, partial(score, checkpoint, asked.passages)):
        nll_bits[span], recall[span] = bits, right
    if not ranks:
        return measured(asked, nll_bits, recall, checkpoint.parameters)
    rank_of_prompt = np.empty(len(asked.fact_of_prompt), np.int64)
    asking = questions(asked, nll_bits, room)
    for prompt, place in tables(asking, partial(rank, checkpoint, room=room)):
        rank_of_prompt[prompt] = place
    return measured(asked, nll_bits, recall, checkpoint.parameters, rank_of_prompt)


def measure_into(
    folder: Path,
    checkpoint: Checkpoint,
    asked: Asked,
    *,
    ranks: bool = False,
    batch_tokens: int = 0,
    progress: Progress = lambda done: None,
) -> dict[str, Any]:
    """`measure`, with `measurement.parquet` and `summary.json` in a folder; gives the summary.

    What is finished is kept in the folder meanwhile, so that the same call goes on after an
    interruption; a measurement that is there already is read again.

    Args:
        folder: a new one, an empty one, or one in which this very measurement has been begun.
        checkpoint: as of `measure`.
        asked: as of `measure`.
        ranks: as of `measure`.
        batch_tokens: as of `measure`.
        progress: as of `measure`.

    Raises:
        BadInput: if the folder holds something else, or another process is at work there.
    """
    work = _work(checkpoint, asked, ranks=ranks, batch_tokens=batch_tokens)
    found = _finished(folder, work)
    if found is not None:
        return found
    parts = Parts(folder / _UNFINISHED, work)
    try:
        made = measure(
            checkpoint,
            asked,
            ranks=ranks,
            batch_tokens=batch_tokens,
            parts=parts,
            progress=progress,
        )
        summary = {**made.summary(), "model": checkpoint.name, "work": work}
        made.save(folder / MEASUREMENT)
        text = json.dumps(summary, indent=2) + "\n"
        write_whole(folder / SUMMARY, lambda path: path.write_text(text))
        parts.remove()
    finally:
        parts.close()
    return summary


def _work(
    checkpoint: Checkpoint, asked: Asked, *, ranks: bool, batch_tokens: int
) -> dict[str, Any]:
    """What decides the numbers."""
    digest = hashlib.sha256(asked.passages.digest().encode())
    for array in (asked.prompt_of_span, asked.fact_of_prompt, asked.template_of_prompt):
        digest.update(np.asarray(array, np.int64).tobytes())
    facts = asked.facts
    digest.update(facts.frequency.tobytes() + facts.entropy_bits.tobytes())
    digest.update(digest_of({"relations": facts.relations, "values": facts.values}).encode())
    return {
        "model": checkpoint.fingerprint(),
        "facts": digest.hexdigest(),
        "precision": str(checkpoint.model.dtype).removeprefix("torch."),
        "device": checkpoint.device.type,
        "ranks": ranks,
        "batch_tokens": batch_tokens,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _finished(folder: Path, work: dict[str, Any]) -> dict[str, Any] | None:
    """The summary of this measurement, if it is there."""
    if not folder.exists():
        return None
    require(folder.is_dir(), f"{folder} is a file; choose another name")
    names = {path.name for path in folder.iterdir()}
    if SUMMARY in names:
        summary: dict[str, Any] = {}
        with suppress(ValueError):
            summary = json.loads((folder / SUMMARY).read_bytes())
        same = isinstance(summary, dict) and summary.get("work") == work
        require(same, f"{folder} holds another measurement; choose another --out")
        shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)
        return summary
    ours = all(name in (_UNFINISHED, MEASUREMENT) or name.endswith(".part") for name in names)
    require(ours, f"{folder} holds something else; choose another --out")
    return None
