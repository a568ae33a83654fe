"""A decoder in the format of GPT-NeoX: its weights, by their names there.

The format adds biases, which are zero here. It keeps matrices as (outputs, inputs), and query, key
and value of a head lie together.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32

from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.values import Params
from factcap.synth.errors import require

Weights = dict[str, np.ndarray]


class _Matrix(NamedTuple):
    """A matrix of a block: its name in the format, and its sides as multiples of the width."""

    name: str
    outputs: int
    inputs: int


_NORMS = {
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
}
_MATRICES = {
    "query_key_value": _Matrix("attention.query_key_value", 3, 1),
    "attention_out": _Matrix("attention.dense", 1, 1),
    "feed_forward_in": _Matrix("mlp.dense_h_to_4h", 4, 1),
    "feed_forward_out": _Matrix("mlp.dense_4h_to_h", 1, 4),
}
_EMBEDDING, _NORM = "gpt_neox.embed_in.weight", "gpt_neox.final_layer_norm"
# The second name is that of newer versions of `transformers`.
_READOUTS = ("embed_out.weight", "lm_head.weight")
# What older versions wrote beside the parameters.
_BUFFERS = (".attention.bias", ".attention.masked_bias", ".attention.rotary_emb.inv_freq")


def to_neox(model: TransformerConfig, params: Params) -> Weights:
    """The weights, by their names in a file of `safetensors`; float32.

    Args:
        model: its shape.
        params: its parameters, as `flax.nnx.to_pure_dict` gives them.
    """
    weights: Weights = {_EMBEDDING: _array(params["embedding"]["embedding"])}

    def put(name: str, weight: np.ndarray) -> None:
        weights[f"{name}.weight"] = np.ascontiguousarray(weight)
        weights[f"{name}.bias"] = np.zeros(len(weight), np.float32)

    for number in range(model.depth):
        block = params["blocks"][number]
        for ours, name in _NORMS.items():
            put(_in_block(number, name), _array(block[ours]["scale"]))
        for ours, matrix in _MATRICES.items():
            weight = _array(block[ours]["kernel"]).T
            by_head = ours == "query_key_value"
            put(_in_block(number, matrix.name), _by_head(model, weight) if by_head else weight)
    put(_NORM, _array(params["norm"]["scale"]))
    if not model.tied:
        weights[_READOUTS[0]] = np.ascontiguousarray(_array(params["readout"]["kernel"]).T)
    return weights


def zeros_added(model: TransformerConfig) -> int:
    """How many biases, all of them zero, the format adds to the parameters.

    >>> zeros_added(TransformerConfig(vocabulary=128, width=16, depth=2, heads=1))
    368
    """
    matrices = sum(matrix.outputs for matrix in _MATRICES.values())
    return model.width * (model.depth * (len(_NORMS) + matrices) + 1)


def is_parameter(name: str) -> bool:
    """Whether a name in a file is that of a parameter, and not of what follows from its place."""
    return not name.endswith(_BUFFERS)


def from_neox(model: TransformerConfig, weights: Mapping[str, np.ndarray]) -> Params:
    """The parameters of the decoder, from weights by their names in GPT-NeoX.

    Raises:
        BadInput: for a weight that is missing or of another shape, for one that the decoder has no
            place for, or for a bias that is not zero.
    """
    left = dict(weights)
    width = model.width

    def take(name: str, *shape: int) -> np.ndarray:
        require(name in left, f"its weights lack {name}")
        array = left.pop(name)
        require(array.shape == shape, f"{name} has the shape {array.shape}, not {shape}")
        return _array(array)

    def norm(name: str) -> dict[str, np.ndarray]:
        return {"scale": take(f"{name}.weight", width)}

    blocks: dict[int, Any] = {}
    for number in range(model.depth):
        block = {ours: norm(_in_block(number, name)) for ours, name in _NORMS.items()}
        for ours, (name, outputs, inputs) in _MATRICES.items():
            weight = take(f"{_in_block(number, name)}.weight", outputs * width, inputs * width)
            weight = _by_part(model, weight) if ours == "query_key_value" else weight
            block[ours] = {"kernel": np.ascontiguousarray(weight.T)}
        blocks[number] = block
    embedding = take(_EMBEDDING, model.vocabulary, width)
    params: Params = {"embedding": {"embedding": embedding}, "blocks": blocks, "norm": norm(_NORM)}
    readouts = [take(name, model.vocabulary, width) for name in _READOUTS if name in left]
    if model.tied:
        require(
            all(np.array_equal(readout, embedding) for readout in readouts),
            "its readout is not its embedding, though tie_word_embeddings says that it is",
        )
    else:
        require(len(readouts) > 0, f"its weights lack {_READOUTS[0]}")
        params["readout"] = {"kernel": np.ascontiguousarray(readouts[0].T)}
    _check_rest(left)
    return params


def _check_rest(left: Mapping[str, np.ndarray]) -> None:
    """Raise `BadInput` unless what is left are biases of zero."""
    biases = sorted(name for name in left if name.endswith(".bias") and np.any(left[name]))
    require(
        not biases, f"it has biases that are not zero, which the decoder lacks: {_first(biases)}"
    )
    unknown = sorted(name for name in left if not name.endswith(".bias"))
    require(not unknown, f"it has weights that the decoder lacks: {_first(unknown)}")


def _first(names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return "".join(names[:1]) + more


def _in_block(number: int, name: str) -> str:
    return f"gpt_neox.layers.{number}.{name}"


def _array(leaf: Any) -> Float32[np.ndarray, "..."]:
    return np.asarray(leaf, np.float32)


def _by_head(
    model: TransformerConfig, matrix: Float32[np.ndarray, "three_widths width"]
) -> Float32[np.ndarray, "three_widths width"]:
    """Rows that lie by query, key and value, then by head: by head first."""
    parts = matrix.reshape(3, model.heads, -1, model.width)
    return parts.swapaxes(0, 1).reshape(matrix.shape)


def _by_part(
    model: TransformerConfig, matrix: Float32[np.ndarray, "three_widths width"]
) -> Float32[np.ndarray, "three_widths width"]:
    """The inverse of `_by_head`."""
    parts = matrix.reshape(model.heads, 3, -1, model.width)
    return parts.swapaxes(0, 1).reshape(matrix.shape)
