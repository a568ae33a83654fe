"""Training: the steps, in jitted scans; facts drawn by frequency, the loss on value tokens."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, Int, PRNGKeyArray

from factcap.models.compiler import fast_options, once_options
from factcap.models.training.config import SCAN_STEPS
from factcap.models.training.devices.mesh import (
    AXES,
    kept_divided,
    kept_whole,
    parts_of,
    specs,
    summed,
)
from factcap.models.training.memory import facts_at_once
from factcap.models.training.schedule import Schedule
from factcap.models.transformer.decoder import Transformer, TransformerConfig
from factcap.models.transformer.fast.values import Params, Reading, value_nll_and_balance
from factcap.models.transformer.layout import Batch, DeviceFacts
from factcap.models.transformer.rounding import kept, rounded
from factcap.models.transformer.routing import BALANCE


class TrainState(NamedTuple):
    """What changes from step to step; the draws of a step depend on the seed and its number.

    Where a training goes on from another run, the steps of that are counted before its own.
    """

    params: Params
    optimizer: optax.OptState
    step: Int[Array, "*members"]


def initial_state(
    model: TransformerConfig, schedule: Schedule, seed: int, mesh: Mesh | None = None
) -> TrainState:
    """Parameters drawn from the seed, an empty optimizer, step 0; divided over a mesh if given."""
    return _compiled_start(model, mesh)(schedule, jax.random.key(seed))


@cache
def _compiled_start(
    model: TransformerConfig, mesh: Mesh | None
) -> Callable[[Schedule, PRNGKeyArray], TrainState]:
    def start(schedule: Schedule, key: PRNGKeyArray) -> TrainState:
        _, state = nnx.split(Transformer(model, rngs=nnx.Rngs(key)), nnx.Param)
        params = nnx.to_pure_dict(state)
        fresh = TrainState(params, schedule.optimizer().init(params), jnp.asarray(0, jnp.int32))
        return fresh if mesh is None else kept_divided(mesh, fresh)

    return jax.jit(start, compiler_options=dict(once_options()))


def state_of(params: Params, schedule: Schedule, mesh: Mesh | None = None) -> TrainState:
    """These parameters, an empty optimizer, step 0; divided over a mesh if given."""
    return _compiled_begin(mesh)(params, schedule)


@cache
def _compiled_begin(mesh: Mesh | None) -> Callable[[Params, Schedule], TrainState]:
    def begin(params: Params, schedule: Schedule) -> TrainState:
        fresh = TrainState(params, schedule.optimizer().init(params), jnp.asarray(0, jnp.int32))
        return fresh if mesh is None else kept_divided(mesh, fresh)

    return jax.jit(begin, compiler_options=dict(once_options()))


def trained_module(model: TransformerConfig, params: Params) -> Transformer:
    """The transformer as a Flax module, with these parameters, rounded if the model has them so."""
    shapes = nnx.eval_shape(lambda: Transformer(model, rngs=nnx.Rngs(0)))
    graph, state = nnx.split(shapes, nnx.Param)
    used = rounded(params, model.weight_bits) if model.weight_bits else params
    nnx.replace_by_pure_dict(state, used)
    return nnx.merge(graph, state)


def scan_steps(
    reading: Reading,
    batch_size: int,
    state: TrainState,
    facts: DeviceFacts,
    schedule: Schedule,
    *,
    steps: int = SCAN_STEPS,
    longest: int = SCAN_STEPS,
    members: bool = False,
    mesh: Mesh | None = None,
) -> tuple[TrainState, Float[Array, "*members longest"]]:
    """Run some steps; returns the new state and each step's loss, nats a value token.

    The memory of the given state is reused for the new one. Any number of steps up to the longest
    is one program; losses of steps that were not made are 0.

    Args:
        reading: how the model reads facts.
        batch_size: facts a step.
        state: of the training, or of several, stacked.
        facts: what to learn, or of several members, stacked.
        schedule: the same.
        steps: number of steps.
        longest: the most steps that the program can make.
        members: whether the arguments are those of several members along a first axis.
        mesh: over which the state of one training is divided, facts and schedule repeated.
    """
    return _compiled_scan(members, reading.precision)(
        reading, batch_size, longest, mesh, jnp.int32(steps), state, facts, schedule
    )


@cache
def _compiled_scan(members: bool, precision: str) -> Callable[..., tuple[TrainState, Array]]:
    def several(
        reading: Reading, batch_size: int, longest: int, mesh: None, steps: Array, *args: Any
    ) -> Any:
        return jax.vmap(partial(_scan, reading, batch_size, longest, mesh, steps))(*args)

    return jax.jit(
        several if members else _scan,
        static_argnums=(0, 1, 2, 3),
        donate_argnums=(5,),
        compiler_options=dict(fast_options(precision)),
    )


def _scan(
    reading: Reading,
    batch_size: int,
    longest: int,
    mesh: Mesh | None,
    steps: Int[Array, ""],
    state: TrainState,
    facts: DeviceFacts,
    schedule: Schedule,
) -> tuple[TrainState, Float[Array, " longest"]]:
    optimizer = schedule.optimizer(mesh)

    def one(number: Array, made: tuple[TrainState, Array]) -> tuple[TrainState, Array]:
        (state, nats_S), drawn_B = made, drawn_SxB[number]
        if mesh is None:
            nats, gradient = loss_and_gradient(reading, state.params, facts.take(drawn_B))
        else:
            nats, gradient = _divided_gradient(reading, mesh, state.params, facts, drawn_B)
        update, optimizer_state = optimizer.update(gradient, state.optimizer, state.params)
        params: Any = optax.apply_updates(state.params, update)
        params = kept(params, reading.model.kept_in, schedule.rounding_key(state.step))
        state = TrainState(params, optimizer_state, state.step + 1)
        state = state if mesh is None else kept_divided(mesh, state)
        return state, nats_S.at[number].set(nats)

    # All draws at once: step by step, random numbers take a tenth of a small model's time.
    numbers_S = schedule.steps_before + state.step + jnp.arange(longest)
    drawn_SxB = jax.vmap(
        lambda number: facts.draw(batch_size, jax.random.fold_in(schedule.key, number))
    )(numbers_S)
    state, nats_S = jax.lax.fori_loop(0, steps, one, (state, jnp.zeros(longest)))
    return state, nats_S if mesh is None else kept_whole(mesh, nats_S)


def _divided_gradient(
    reading: Reading, mesh: Mesh, params: Params, facts: DeviceFacts, drawn_B: Int[Array, " batch"]
) -> tuple[Float[Array, ""], Params]:
    """`loss_and_gradient` of the facts drawn, each device reading its share of them."""
    parts, divided = parts_of(mesh, params), specs(mesh, params)

    def here(
        params: Params, facts: DeviceFacts, drawn_B: Int[Array, " share"]
    ) -> tuple[Float[Array, ""], Params]:
        batch = facts.take(drawn_B)
        nats, gradient = loss_and_gradient(reading, parts(params), batch, devices=AXES)
        return jax.lax.psum(nats, AXES), summed(gradient)

    return jax.shard_map(
        here,
        mesh=mesh,
        in_specs=(divided, PartitionSpec(), PartitionSpec(AXES)),
        out_specs=(PartitionSpec(), divided),
        # Gradients are summed explicitly, so that each sum is made once and where it should be.
        check_vma=False,
    )(params, facts, drawn_B)


def loss_and_gradient(
    reading: Reading, params: Params, batch: Batch, devices: tuple[str, ...] = ()
) -> tuple[Float[Array, ""], Params]:
    """Mean NLL of the batch's value tokens in nats, and its gradient.

    The gradient of a mixture of experts is that of the balancing loss too.

    Args:
        reading: how the model reads facts.
        params: the parameters.
        batch: the facts.
        devices: axes of a mesh over whose devices the batch is divided, within a `shard_map`; what
            is returned is then this device's share of loss and gradient, to be summed.
    """
    facts, time = batch.tokens_BxT.shape
    chunk = facts_at_once(reading, facts, time)
    counted = batch.counted_BxV
    tokens = facts * (time - reading.context) if counted is None else jnp.sum(counted)
    if devices:
        tokens = jax.lax.psum(tokens, devices)

    def total(params: Params, batch: Batch) -> tuple[Float[Array, ""], Float[Array, ""]]:
        nll_BxV, balance = value_nll_and_balance(reading, params, batch)
        nats = jnp.sum(nll_BxV) / tokens
        return nats if balance is None else nats + BALANCE * balance * chunk / facts, nats

    def of(part: Batch) -> tuple[Float[Array, ""], Params]:
        (_, nats), gradient = jax.value_and_grad(total, has_aux=True)(params, part)
        return nats, gradient

    if chunk == facts:
        return of(batch)

    def add(
        sums: tuple[Array, Params], part: Batch
    ) -> tuple[tuple[Float[Array, ""], Params], None]:
        return jax.tree.map(jnp.add, sums, of(part)), None

    parts = jax.tree.map(lambda rows: rows.reshape(-1, chunk, *rows.shape[1:]), batch)
    start = (jnp.zeros(()), jax.tree.map(jnp.zeros_like, params))
    return jax.lax.scan(add, start, parts)[0]
