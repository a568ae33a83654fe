"""Memory of a training: what it needs, what there is, and how many facts are read at once."""

import os
from pathlib import Path

import jax
import numpy as np

from factcap.models.compiler import on_cpu
from factcap.models.transformer.decoder import SIZES, TransformerConfig, named_size
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout
from factcap.synth.errors import BadInput

# On CPU a batch is read in chunks whose largest activation is about this large, some second-level
# cache: a fifth faster than all at once at 29k parameters.
_CACHED_BYTES = 2**19
_FEWEST_FACTS = 64
# All activations of a chunk take no more than this, on a CPU and on an accelerator. Gradients of
# chunks are summed, which costs next to nothing where a chunk is that large, and nothing is
# computed twice.
_CPU_BYTES, _ACCELERATOR_BYTES = 2**32, 2**34

_MEMORY_INFO = Path("/proc/meminfo")


def activation_bytes(model: TransformerConfig, positions: int) -> int:
    """About how much memory the activations of a training step take, at these positions."""
    block = 26 * model.width + 2 * model.layer.activations
    return 4 * positions * (block * model.depth + 4 * model.vocabulary)


def facts_at_once(reading: Reading, facts: int, time: int) -> int:
    """How many facts of a batch are read at once, a divisor of the batch.

    Args:
        reading: how the model reads facts.
        facts: of the batch.
        time: tokens of a fact.
    """
    model, positions = reading.model, time - 1
    fitting = (_CPU_BYTES if on_cpu() else _ACCELERATOR_BYTES) // activation_bytes(model, positions)
    wanted = facts
    if on_cpu():
        # The widest activations are those within a feed-forward layer, or logits.
        widest = max(model.layer.activations, model.vocabulary)
        wanted = max(_FEWEST_FACTS, _power_of_two(_CACHED_BYTES // (4 * widest * positions)))
    if wanted <= fitting and facts % wanted == 0:
        return wanted
    if facts <= fitting:
        return facts
    return next(count for count in range(max(fitting, 1), 0, -1) if facts % count == 0)


def _power_of_two(most: int) -> int:
    return 2 ** int(np.log2(max(most, 1)))


def member_bytes(reading: Reading, layout: Layout, batch: int) -> int:
    """About how much memory a training needs: parameters, optimizer, facts, activations."""
    model = reading.model
    # Parameters, gradient, two moments, and as much again while they are replaced.
    parameters = 8 * 4 * model.parameters
    facts = layout.rows * (4 * layout.time + layout.values + 12)
    at_once = facts_at_once(reading, batch, layout.time)
    return parameters + facts + activation_bytes(model, at_once * (layout.time - 1))


def free_memory_bytes() -> int:
    """Memory that is free on a device, all devices together; 0 where they do not tell."""
    if on_cpu():
        return _free_on_host()
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    return sum(each.get("bytes_limit", 0) - each.get("bytes_in_use", 0) for each in stats)


def _free_on_host() -> int:
    try:
        lines = _MEMORY_INFO.read_text().splitlines()
    except OSError:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    # Caches of the file system count as free.
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def check_fits(reading: Reading, layout: Layout, batch: int, free: int) -> None:
    """Raise `BadInput` if a training needs more than the free memory; it says what would fit.

    Args:
        reading: how the model reads facts.
        layout: of the facts.
        batch: facts a step.
        free: bytes; 0 where it is not known, and nothing is refused.
    """
    needed = member_bytes(reading, layout, batch)
    if needed <= free or not free:
        return
    sizes = [named_size(name, reading.model.vocabulary) for name in SIZES]
    smaller = [
        name
        for name, model in zip(SIZES, sizes, strict=True)
        if model.parameters < reading.model.parameters
        and member_bytes(Reading(model, reading.context, reading.precision), layout, batch) <= free
    ]
    remedy = f"--model {smaller[-1]} would fit" if smaller else "no named size would fit"
    raise BadInput(
        f"a model of {reading.model.parameters:,} parameters needs about {needed / 2**30:.1f} GiB "
        f"for these facts, and {free / 2**30:.1f} GiB are free; {remedy}"
    )
