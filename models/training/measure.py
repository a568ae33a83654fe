"""Measuring what a model knows: per-fact NLL in bits and exact recall by greedy decoding."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Bool, Float, Float32, Int

from factcap.models.compiler import fast_options
from factcap.models.training.devices.mesh import AXES, kept_whole, parts_of, specs
from factcap.models.transformer.fast.values import Params, Reading, value_logits
from factcap.models.transformer.layout import DeviceFacts, context_length, to_device
from factcap.synth import FactSet


def _measure_rows(
    reading: Reading,
    batch_size: int,
    chunks: Int[Array, ""],
    params: Params,
    facts: DeviceFacts,
    start: Int[Array, ""] | int = 0,
) -> tuple[Float[Array, " rows"], Bool[Array, " rows"]]:
    def one(first: Array) -> tuple[Float[Array, " batch"], Bool[Array, " batch"]]:
        batch = facts.take(start + first + jnp.arange(batch_size))
        logits_BxVxW = value_logits(reading, params, batch)
        target_BxV = batch.tokens_BxT[:, reading.context :]
        nll_BxV = optax.softmax_cross_entropy_with_integer_labels(logits_BxVxW, target_BxV)
        # Greedy decoding gives the value exactly if and only if, at each of its tokens and given
        # the true ones before it, the true token has the largest logit.
        right_BxV = jnp.argmax(logits_BxVxW, axis=-1) == target_BxV
        if batch.counted_BxV is not None:
            nll_BxV = jnp.where(batch.counted_BxV, nll_BxV, 0.0)
            right_BxV |= ~batch.counted_BxV
        return jnp.sum(nll_BxV, axis=1), jnp.all(right_BxV, axis=1)

    def more(
        place: Array, found: tuple[Float[Array, " rows"], Bool[Array, " rows"]]
    ) -> tuple[Float[Array, " rows"], Bool[Array, " rows"]]:
        first = place * batch_size
        return jax.tree.map(
            lambda all_, some: jax.lax.dynamic_update_slice(all_, some, (first,)),
            found,
            one(first),
        )

    rows = len(facts.keep_F)
    nothing = (jnp.zeros(rows), jnp.zeros(rows, bool))
    return jax.lax.fori_loop(0, chunks, more, nothing)


@cache
def _compiled_measure(members: bool, precision: str) -> Callable[..., tuple[Array, Array]]:
    def several(reading: Reading, batch_size: int, chunks: Array, *args: Any) -> Any:
        return jax.vmap(partial(_measure_rows, reading, batch_size, chunks))(*args)

    return jax.jit(
        several if members else _measure_rows,
        static_argnums=(0, 1),
        compiler_options=dict(fast_options(precision)),
    )


@cache
def _compiled_divided(mesh: Mesh, precision: str) -> Callable[..., tuple[Array, Array]]:
    def divided(reading: Reading, batch_size: int, chunks: int, params: Params, facts: Any) -> Any:
        parts = parts_of(mesh, params)

        def here(params: Params, facts: DeviceFacts) -> tuple[Array, Array]:
            rows = batch_size * chunks
            start = jax.lax.axis_index(AXES) * rows
            found = _measure_rows(
                reading, batch_size, jnp.asarray(chunks), parts(params), facts, start
            )
            return found[0][:rows], found[1][:rows]

        found = jax.shard_map(
            here,
            mesh=mesh,
            in_specs=(specs(mesh, params), PartitionSpec()),
            out_specs=PartitionSpec(AXES),
            check_vma=False,
        )(params, facts)
        return kept_whole(mesh, found)

    return jax.jit(
        divided, static_argnums=(0, 1, 2), compiler_options=dict(fast_options(precision))
    )


def _chunks(facts: int, batch_size: int) -> Int[Array, ""]:
    """How many batches the facts make; the padding after them is not read."""
    return jnp.asarray(math.ceil(facts / batch_size), jnp.int32)


def measure_device(
    reading: Reading, params: Params, facts: DeviceFacts, mesh: Mesh | None = None
) -> tuple[Float32[np.ndarray, " facts"], Bool[np.ndarray, " facts"]]:
    """Per-fact NLL in bits and exact recall of the facts on a device, or of a mesh a share each."""
    count, batch_size = int(facts.facts), _rows_at_once(reading, facts, 1)
    if mesh is not None:
        share = math.ceil(count / mesh.size)
        batch_size = min(batch_size, 2 ** math.ceil(math.log2(share)))
        chunks = math.ceil(share / batch_size)
        both = _compiled_divided(mesh, reading.precision)(
            reading, batch_size, chunks, params, facts
        )
        return _of_facts(*both, count)
    measure = _compiled_measure(False, reading.precision)
    nll, right = measure(reading, batch_size, _chunks(count, batch_size), params, facts)
    return _of_facts(nll, right, count)


def measure_facts(
    reading: Reading, params: Params, facts: FactSet, mesh: Mesh | None = None
) -> tuple[Float32[np.ndarray, " facts"], Bool[np.ndarray, " facts"]]:
    """`measure_device` of any facts, in a layout of their own instead of that of `reading`."""
    own = replace(reading, context=context_length(facts))
    return measure_device(own, params, to_device(facts), mesh)


def measure_members(
    reading: Reading, params: Params, facts: DeviceFacts
) -> list[tuple[Float32[np.ndarray, " facts"], Bool[np.ndarray, " facts"]]]:
    """`measure_device` for several members, stacked along a first axis."""
    counts = np.asarray(facts.facts)
    batch_size = _rows_at_once(reading, facts, len(counts))
    measure = _compiled_measure(True, reading.precision)
    both = measure(reading, batch_size, _chunks(int(counts.max()), batch_size), params, facts)
    return [
        _of_facts(nll, right, int(count)) for nll, right, count in zip(*both, counts, strict=True)
    ]


def _rows_at_once(reading: Reading, facts: DeviceFacts, members: int) -> int:
    # The logits are the largest array: keep them near 64 million numbers, and the number of rows
    # a power of two, so that it divides the padded number of facts.
    positions = facts.rows.tokens_BxT.shape[-1] - reading.context
    fitting = 2**26 // (positions * reading.model.vocabulary * members)
    return 2 ** int(np.clip(np.log2(max(fitting, 1)), 0, 9))


def _of_facts(
    nll_nats: Array, right: Array, count: int
) -> tuple[Float32[np.ndarray, " facts"], Bool[np.ndarray, " facts"]]:
    return np.asarray(nll_nats[:count]) / np.float32(np.log(2)), np.asarray(right[:count])
