"""A model of a folder in the Hugging Face format, read as our transformer."""

import json
import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from factcap.models.exchange.neox_config import model_of
from factcap.models.exchange.neox_weights import Weights, from_neox, is_parameter
from factcap.models.training.steps import trained_module
from factcap.models.transformer.decoder import Transformer, TransformerConfig
from factcap.models.transformer.fast.values import Params
from factcap.synth.errors import BadInput, require
from factcap.synth.libraries import library

WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
# What is read of the kinds of numbers that a file may have; each is exact as float32.
_KINDS = ("F32", "F16")


def load_checkpoint(directory: str | os.PathLike) -> Transformer:
    """The model of a folder in the Hugging Face format, as our transformer.

    Its architecture must be GPT-NeoX with the structure of ours, as `factcap export` writes it: no
    parallel residual, no biases but zeros, rotary positions on whole heads.

    Args:
        directory: with config.json and weights as safetensors, in one file or several.

    Raises:
        BadInput: if it is no such folder, or the model has what our transformer lacks; the message
            says what.
    """
    return trained_module(*read_checkpoint(directory))


def read_checkpoint(directory: str | os.PathLike) -> tuple[TransformerConfig, Params]:
    """The shape and the parameters of `load_checkpoint`; float32.

    Raises:
        BadInput: as `load_checkpoint`.
    """
    folder = Path(directory)
    config = _read_json(folder / "config.json")
    try:
        model = model_of(config)
        params = from_neox(model, _read_weights(folder))
    except BadInput as error:
        raise BadInput(f"{folder} cannot be read as our transformer: {error}") from None
    return model, jax.tree.map(jnp.asarray, params)


def _read_json(path: Path) -> dict[str, Any]:
    require(path.is_file(), f"{path.parent} is no folder of a model: it has no {path.name}")
    try:
        entry = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as JSON ({error})") from None
    require(isinstance(entry, dict), f"{path} must hold an object, as in {{...}}")
    return entry


def _read_weights(folder: Path) -> Weights:
    """All weights of a folder, float32, whatever files they lie in."""
    files = {WEIGHTS}
    if (folder / _INDEX).is_file():
        places = _read_json(folder / _INDEX).get("weight_map")
        if not isinstance(places, dict) or not all(
            isinstance(name, str) for name in places.values()
        ):
            raise BadInput(f"{_INDEX} has no weight_map from weights to files")
        files = set(places.values())
    weights: Weights = {}
    for name in sorted(files):
        weights |= _read_file(folder / name)
    return weights


def _read_file(path: Path) -> Weights:
    require(path.is_file(), f"it has no {path.name}; only safetensors are read")
    safetensors = library("safetensors")
    weights: Weights = {}
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            for name in filter(is_parameter, file.keys()):
                kind = file.get_slice(name).get_dtype()
                require(
                    kind in _KINDS,
                    f"{name} is stored as {kind}; only {' and '.join(_KINDS)} are read",
                )
                weights[name] = file.get_tensor(name).astype(np.float32)
    except (safetensors.SafetensorError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path.name} is no readable file of safetensors ({reason})") from None
    return weights
