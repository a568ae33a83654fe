"""One model on many devices: the mesh, and which part of what lies where.

A mesh has two axes. Parameters, their gradients and the optimizer's state are divided over the
devices along `model` and repeated along `data`. The batch is divided over all devices, whichever
the axis. So `data=8` is plain data parallelism, `model=8` is what is called fully sharded
(ZeRO-3), and `data=4,model=2` keeps four copies, each divided over two devices.

A device gathers the parameters of a block when it needs them, and its gradients are summed and
divided in one go; see `factcap.models.transformer.fast.parts`. Nothing but the rounding of sums
depends on the mesh.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.parts import Part
from factcap.synth.errors import BadInput, require

DATA, MODEL = "data", "model"
AXES = (DATA, MODEL)


def mesh_sizes(text: str) -> dict[str, int]:
    """The sizes of a mesh written as `data=4,model=2`; an axis that is not named has size 1.

    >>> mesh_sizes("data=4,model=2"), mesh_sizes("model=8")
    ({'data': 4, 'model': 2}, {'data': 1, 'model': 8})

    Raises:
        BadInput: for another axis, one named twice, or a size that is not a positive number.
    """
    sizes: dict[str, int] = {}
    for word in text.split(","):
        name, _, size = word.strip().partition("=")
        require(
            name in AXES and size.isascii() and size.isdigit() and int(size) > 0,
            f"{word.strip()!r} is no axis of a mesh; write it as data=4,model=2",
        )
        require(name not in sizes, f"the mesh {text!r} names {name} twice")
        sizes[name] = int(size)
    return {name: sizes.get(name, 1) for name in AXES}


def make_mesh(text: str) -> Mesh:
    """The mesh written as `data=4,model=2`, of all devices of all processes.

    Devices that are next to each other lie along `model`, which is used the more often.

    Raises:
        BadInput: if it is written wrongly, or the sizes do not multiply to the number of devices.
    """
    sizes = mesh_sizes(text)
    needed, there = math.prod(sizes.values()), jax.device_count()
    require(needed == there, f"the mesh {text} needs {needed} devices; there are {there}")
    return Mesh(mesh_utils.create_device_mesh(tuple(sizes.values())), AXES)


def check_mesh(mesh: Mesh, model: TransformerConfig, batch: int) -> None:
    """Raise `BadInput` unless the model and the batch can be divided over the mesh."""
    if mesh.axis_names != AXES:
        raise BadInput(f"the axes of a mesh must be {AXES}, not {mesh.axis_names}")
    parts = mesh.shape[MODEL]
    require(
        model.feed_forward != "experts",
        "a mixture of experts is not divided over a mesh; train it on one device",
    )
    require(
        model.width % parts == 0,
        f"width {model.width} cannot be divided over model={parts} devices",
    )
    require(
        batch % mesh.size == 0,
        f"a batch of {batch} facts cannot be divided over {mesh.size} devices; "
        f"give one that is a multiple of {mesh.size}",
    )


def divided_axis(shape: tuple[int, ...], parts: int) -> int | None:
    """Along which axis an array is divided in equal parts; None: it stays whole.

    Of a matrix, or of each in a stack, the longer axis that can be. Vectors are too small to
    matter.

    >>> divided_axis((64, 192), 8), divided_axis((12, 64), 8), divided_axis((2, 64, 64), 8)
    (1, 1, 2)
    >>> divided_axis((64,), 8), divided_axis((64, 192), 1)
    (None, None)
    """
    if len(shape) < 2 or parts == 1:
        return None
    last = len(shape) - 1
    fitting = [axis for axis in (last, last - 1) if shape[axis] % parts == 0]
    return max(fitting, key=lambda axis: shape[axis], default=None)


def specs(mesh: Mesh, tree: Any) -> Any:
    """How each leaf of a training state, or of parameters, is divided: a tree of the same form."""

    def spec(path: tuple, leaf: Any) -> PartitionSpec:
        # Scales of norms are vectors, though an optimizer may have stacked them.
        scale = bool(path) and getattr(path[-1], "key", None) == "scale"
        axis = None if scale else divided_axis(leaf.shape, mesh.shape[MODEL])
        return PartitionSpec() if axis is None else PartitionSpec(*[None] * axis, MODEL)

    return jax.tree_util.tree_map_with_path(spec, tree)


def shardings(mesh: Mesh, tree: Any) -> Any:
    """The same as shardings."""
    return jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs(mesh, tree))


def kept_divided(mesh: Mesh, tree: Any) -> Any:
    """Within a program: the tree, its leaves divided as `specs` says."""
    return jax.lax.with_sharding_constraint(tree, shardings(mesh, tree))


def kept_whole(mesh: Mesh, tree: Any) -> Any:
    """Within a program: the tree, whole on each device."""
    return jax.lax.with_sharding_constraint(tree, NamedSharding(mesh, PartitionSpec()))


def whole_on_each(mesh: Mesh, tree: Any) -> Any:
    """Put a tree on each device, those of other processes too, which hold the same."""
    repeated = NamedSharding(mesh, PartitionSpec())

    def put(leaf: Array) -> Array:
        if jax.process_count() == 1:
            return jax.device_put(leaf, repeated)
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            data = put(jax.random.key_data(leaf))
            return jax.random.wrap_key_data(data, impl=jax.random.key_impl(leaf))
        here = np.asarray(leaf)
        return jax.make_array_from_callback(here.shape, repeated, lambda index: here[index])

    return jax.tree.map(put, tree)


def parts_of(mesh: Mesh, params: Any) -> Callable[[Any], Any]:
    """A function that takes what a device holds of these parameters for parts of the whole.

    To be called within a `shard_map`, where a leaf no more tells the shape of the whole.
    """
    axes = jax.tree.map(lambda leaf: divided_axis(leaf.shape, mesh.shape[MODEL]), params)

    return lambda here: jax.tree.map(
        lambda leaf, axis: leaf if axis is None else Part(leaf, axis, MODEL),
        here,
        axes,
    )


def summed(gradient: Any) -> Any:
    """The gradient summed over the devices that have a share in it, within a `shard_map`.

    That of a part was already summed along `model`, when the part was put together.
    """

    def total(leaf: Array | Part) -> Array:
        if isinstance(leaf, Part):
            return jax.lax.psum(leaf.shard, DATA)
        return jax.lax.psum(leaf, AXES)

    return jax.tree.map(total, gradient, is_leaf=lambda leaf: isinstance(leaf, Part))


def spread(mesh: Mesh, stack: Float[Array, "matrices rows columns"]) -> Array:
    """Within a program: a stack of divided matrices, as whole ones that the devices share out.

    Zeros fill it up, in between too, so that each device has as many.
    """
    axis = divided_axis(stack.shape, mesh.shape[MODEL])

    def filled(here: Array, devices: int) -> Array:
        return jnp.pad(here, [(0, -len(here) % devices), (0, 0), (0, 0)])

    def move(here: Array) -> Array:
        here = filled(here, mesh.shape[MODEL])
        if axis is not None:
            here = jax.lax.all_to_all(here, MODEL, 0, axis, tiled=True)
        here = filled(here, mesh.shape[DATA])
        share = len(here) // mesh.shape[DATA]
        first = jax.lax.axis_index(DATA) * share
        return jax.lax.dynamic_slice_in_dim(here, first, share)

    return jax.shard_map(
        move,
        mesh=mesh,
        in_specs=specs(mesh, stack),
        out_specs=PartitionSpec((MODEL, DATA)),
        check_vma=False,
    )(stack)


def gathered(
    mesh: Mesh, stack: Float[Array, "filled rows columns"], matrices: int
) -> Float[Array, "matrices rows columns"]:
    """Within a program: a stack that was `spread`, its matrices divided again."""
    axis = divided_axis(stack.shape, mesh.shape[MODEL])

    def move(here: Array) -> Array:
        here = jax.lax.all_gather(here, DATA, axis=0, tiled=True)
        here = here[: math.ceil(matrices / mesh.shape[MODEL])]
        if axis is not None:
            here = jax.lax.all_to_all(here, MODEL, axis, 0, tiled=True)
        return here[:matrices]

    return jax.shard_map(
        move,
        mesh=mesh,
        in_specs=PartitionSpec((MODEL, DATA)),
        out_specs=specs(mesh, stack),
        check_vma=False,
    )(stack)
