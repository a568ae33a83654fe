"""A decoder in the format of GPT-NeoX: its config.json.

GPT-NeoX (Black et al. 2022, 2204.06745) holds the architecture of
`factcap.models.transformer.decoder` exactly, if its residual is not parallel.
"""

from collections.abc import Mapping
from typing import Any

from factcap.models.transformer.decoder import OPTIONS, TransformerConfig
from factcap.synth.errors import require

# The decoder has no longest context; programs that ask for one are told what is usual.
LONGEST_CONTEXT = 2048

# What the decoder has without saying so. Three names of one activation; the first is written.
_ROTARY_BASE = 10_000
_NORM_EPSILON = 1e-6
_ACTIVATIONS = ("gelu_pytorch_tanh", "gelu_new", "gelu_fast")
_SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")


def check_neox(model: TransformerConfig) -> None:
    """Raise `BadInput` unless GPT-NeoX holds a model of this kind."""
    unusual = sorted(set(model.entry) & set(OPTIONS))
    require(
        not unusual,
        f"GPT-NeoX holds no model that sets {', '.join(unusual)}; only usual ones are exported",
    )


def neox_config(model: TransformerConfig) -> dict[str, Any]:
    """The content of config.json, as JSON values, but for the numbers of special tokens.

    Raises:
        BadInput: for a model that the format does not hold.
    """
    check_neox(model)
    rotary = {"rope_type": "default", "rope_theta": _ROTARY_BASE, "partial_rotary_factor": 1.0}
    return {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        "dtype": "float32",
        "vocab_size": model.vocabulary,
        "hidden_size": model.width,
        "intermediate_size": 4 * model.width,
        "num_hidden_layers": model.depth,
        "num_attention_heads": model.heads,
        "tie_word_embeddings": model.tied,
        "hidden_act": _ACTIVATIONS[0],
        "layer_norm_eps": _NORM_EPSILON,
        "use_parallel_residual": False,
        "attention_bias": True,
        "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
        # The rotary positions twice: older programs read the second form.
        "rope_parameters": rotary,
        "rotary_emb_base": _ROTARY_BASE,
        "rotary_pct": 1.0,
        "max_position_embeddings": LONGEST_CONTEXT,
    }


def model_of(config: Mapping[str, Any]) -> TransformerConfig:
    """The decoder that a config.json describes.

    What the file leaves out is what `transformers` would take for it.

    Raises:
        BadInput: if it describes what the decoder does not have; the message lists all of it.
    """
    kind = config.get("model_type")
    require(kind == "gpt_neox", f"its architecture is {kind}; only gpt_neox can have that of ours")
    missing = [name for name in _SIZES if not isinstance(config.get(name), int)]
    require(not missing, f"its config.json does not say {', '.join(missing)}")
    wrong = [text for text, found in _lacking(config).items() if found]
    require(not wrong, f"it has what the decoder has not: {', '.join(wrong)}")
    return TransformerConfig(
        vocabulary=config["vocab_size"],
        width=config["hidden_size"],
        depth=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def _lacking(config: Mapping[str, Any]) -> dict[str, bool]:
    """What a config may ask for that the decoder lacks, and whether it does."""
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    require(isinstance(rotary, Mapping), f"its rope_parameters are {rotary!r}, not an object")
    share = rotary.get("partial_rotary_factor", config.get("rotary_pct", 0.25))
    base = rotary.get("rope_theta", config.get("rotary_emb_base", 10_000))
    kind = rotary.get("rope_type", rotary.get("type", "default"))
    activation = config.get("hidden_act", "gelu")
    epsilon = config.get("layer_norm_eps", 1e-5)
    inner, wanted = config.get("intermediate_size", 24_576), 4 * config["hidden_size"]
    return {
        "a parallel residual": config.get("use_parallel_residual", True) is not False,
        f"rotary positions on a share of {share} of each head, not 1": share != 1,
        f"the rotary base {base}, not {_ROTARY_BASE}": base != _ROTARY_BASE,
        f"rotary positions of the kind {kind}": kind != "default",
        f"the activation {activation}, not {_ACTIVATIONS[0]}": activation not in _ACTIVATIONS,
        f"layer_norm_eps {epsilon}, not {_NORM_EPSILON}": epsilon != _NORM_EPSILON,
        f"an intermediate_size of {inner}, not {wanted}": inner != wanted,
    }
