"""What a run cost: tokens, arithmetic, seconds, and the share of the device's peak it reached."""

import dataclasses
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from factcap.models.compiler import on_cpu
from factcap.models.training.config import TrainConfig, filled, total_steps
from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.values import PRECISIONS, Reading
from factcap.models.transformer.layout import Layout
from factcap.synth import FactSet

# Sizes of the square product whose rate is taken for the peak.
_CPU_SIZE, _ACCELERATOR_SIZE = 768, 8192
_PEAK_TRIALS = 5

# Of a device's peak, what small models reach in training.
_USUAL_SHARE = 0.15


@dataclass(frozen=True)
class Ledger:
    """What a run cost.

    Attributes:
        tokens: of the facts drawn, key and value.
        flops: floating-point operations that the model needs, forward and backward: see
            `step_flops`.
        run_seconds: of training and checks, compiling included.
        compile_seconds: by how much the first scan took longer than a median one.
        flops_per_second: of the time that was not spent compiling.
        peak_flops_per_second: see `measured_peak`; of all devices that the model was divided over.
        peak_share: of the second in the first; what is called model FLOP utilization.
        device: its name.
    """

    tokens: int
    flops: float
    run_seconds: float
    compile_seconds: float
    flops_per_second: float
    peak_flops_per_second: float
    peak_share: float
    device: str

    def as_dict(self) -> dict[str, Any]:
        """The numbers, as JSON values."""
        return dataclasses.asdict(self)


def make_ledger(
    *,
    facts_drawn: int,
    flops: float,
    layout: Layout,
    precision: str,
    scans: Sequence[float],
    seconds: float,
    devices: int = 1,
) -> Ledger:
    """The ledger of a run.

    Args:
        facts_drawn: facts a step times steps.
        flops: of all steps.
        layout: of its facts.
        precision: of products.
        scans: seconds of each scan, the first compiled where it had to be.
        seconds: of the whole run.
        devices: over which the model was divided; on CPU, where they share cores, processes.
    """
    compiling = max(scans[0] - statistics.median(scans), 0.0) if scans else 0.0
    rate = flops / max(seconds - compiling, 1e-9)
    peak = devices * measured_peak(precision)
    return Ledger(
        tokens=facts_drawn * layout.time,
        flops=flops,
        run_seconds=seconds,
        compile_seconds=compiling,
        flops_per_second=rate,
        peak_flops_per_second=peak,
        peak_share=rate / peak,
        device=jax.devices()[0].device_kind,
    )


def step_flops(reading: Reading, layout: Layout, facts: int) -> float:
    """Floating-point operations that the model needs to learn from some facts.

    Two for each weight and position in a product forward and four backward, and those of attention.
    Of the last block only the positions count that predict a value, for the rest is not needed.
    Of a mixture of experts those count that a position goes through. In training a masked layer
    computes all its units; its predictor reads a fact once.
    """
    model = reading.model
    width, depth, layer = model.width, model.depth, model.layer.computed_parameters
    time, values = layout.time - 1, layout.values
    block = (4 * width**2 + layer) * time + width * time * (time + 1)
    last = 2 * (time + values) * width**2 + layer * values
    last += width * values * (2 * time - values + 1)
    outside = model.vocabulary * width * values + model.predictor_parameters
    return 6.0 * facts * ((depth - 1) * block + last + outside)


def most_flops(
    facts: FactSet, model: TransformerConfig, training: TrainConfig, *, count: int | None = None
) -> float:
    """`step_flops` of a whole training that uses all its exposures.

    Args:
        facts: what is learned, or some of it.
        model: the transformer.
        training: how.
        count: number of facts, where `facts` are some of them.
    """
    layout, count = Layout.of([facts]), len(facts) if count is None else count
    batch = filled(training, count, model.width).batch
    return total_steps(training, count) * step_flops(Reading(model, layout.context), layout, batch)


@cache
def measured_peak(precision: str) -> float:
    """Floating-point operations a second in a large square product on the default device.

    Its sums are float32: a CPU makes products of bfloat16 half as fast where they are not.
    """
    size = _CPU_SIZE if on_cpu() else _ACCELERATOR_SIZE
    left = jnp.full((size, size), 0.5, PRECISIONS[precision])
    product = jax.jit(lambda x: jax.lax.dot(x, x, preferred_element_type=jnp.float32))
    product(left).block_until_ready()
    seconds = []
    for _ in range(_PEAK_TRIALS):
        start = time.perf_counter()
        product(left).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return 2.0 * size**3 / min(seconds)


def estimated_seconds(flops: float) -> float:
    """About how long this process's devices need for runs of small models."""
    return flops / (_USUAL_SHARE * measured_peak("float32"))
