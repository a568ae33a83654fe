"""Folders in the Hugging Face format come back as our transformer, or are refused."""

import json

import jax
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.models import TransformerConfig, load_checkpoint
from factcap.models.exchange.checkpoint import read_checkpoint
from factcap.models.exchange.export import write_model
from factcap.models.exchange.neox_weights import to_neox, zeros_added
from factcap.synth import BadInput
from tests.models.exchange.models import NO_TOKENS, random_params, shapes

safetensors = pytest.importorskip("safetensors")
numpy_files = pytest.importorskip("safetensors.numpy")

MODEL = TransformerConfig(vocabulary=11, width=8, depth=2, heads=2, tied=False)
LAYER = "gpt_neox.layers.1."


def assert_same_bits(found, wanted):
    leaves, tree = jax.tree.flatten(found)
    others, other_tree = jax.tree.flatten(wanted)
    assert tree == other_tree
    for leaf, other in zip(leaves, others, strict=True):
        assert leaf.dtype == np.float32
        np.testing.assert_array_equal(leaf, other)


@settings(max_examples=12)
@given(shapes(), st.integers(0, 99))
def test_what_is_written_comes_back_to_the_bit(tmp_path_factory, model, seed):
    folder = tmp_path_factory.mktemp("model")
    params = random_params(model, seed)
    write_model(folder, model, params, NO_TOKENS)
    found, again = read_checkpoint(folder)
    assert found == model
    assert_same_bits(again, params)


def test_a_checkpoint_is_a_transformer(tmp_path):
    params = random_params(MODEL)
    write_model(tmp_path, MODEL, params, NO_TOKENS)
    _, state = nnx.split(load_checkpoint(tmp_path), nnx.Param)
    assert_same_bits(nnx.to_pure_dict(state), params)


def test_the_zeros_that_the_format_adds_are_counted():
    weights = to_neox(MODEL, random_params(MODEL))
    biases = {name: bias for name, bias in weights.items() if name.endswith(".bias")}
    assert zeros_added(MODEL) == sum(bias.size for bias in biases.values())
    assert not any(bias.any() for bias in biases.values())
    assert sum(weight.size for weight in weights.values()) == MODEL.parameters + zeros_added(MODEL)


def written(folder, *, model=MODEL, config=None, weights=None, dropped=()):
    """A folder with a model, some entries of its config and some weights changed."""
    write_model(folder, model, random_params(model), NO_TOKENS)
    entry = json.loads((folder / "config.json").read_text()) | (config or {})
    kept = {name: value for name, value in entry.items() if name not in dropped}
    (folder / "config.json").write_text(json.dumps(kept))
    arrays = numpy_files.load_file(folder / "model.safetensors") | (weights or {})
    kept = {name: array for name, array in arrays.items() if name not in dropped}
    numpy_files.save_file(kept, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize(
    ("config", "lacking"),
    [
        ({"model_type": "gpt2"}, "its architecture is gpt2; only gpt_neox can have that of ours"),
        ({"use_parallel_residual": True}, "a parallel residual"),
        ({"rope_parameters": None, "rotary_pct": 0.25}, "rotary positions on a share of 0.25"),
        ({"rope_parameters": {"rope_theta": 500_000}}, "the rotary base 500000, not 10000"),
        ({"rope_parameters": {"rope_type": "linear"}}, "rotary positions of the kind linear"),
        ({"rope_parameters": 3}, "its rope_parameters are 3, not an object"),
        ({"hidden_act": "gelu"}, "the activation gelu, not gelu_pytorch_tanh"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-05, not 1e-06"),
        ({"intermediate_size": 16}, "an intermediate_size of 16, not 32"),
        ({"num_attention_heads": 8}, "width must be a multiple of 2 x heads"),
        ({"vocab_size": "11"}, "its config.json does not say vocab_size"),
        ({"hidden_size": 16, "intermediate_size": 64}, "has the shape"),
    ],
)
def test_a_config_of_something_else_is_refused(tmp_path, config, lacking):
    with pytest.raises(BadInput, match="cannot be read as our transformer") as error:
        load_checkpoint(written(tmp_path, config=config))
    assert lacking in str(error.value)
    assert "\n" not in str(error.value)


def test_all_that_is_lacking_is_said_at_once(tmp_path):
    """A config that says nothing is that of Pythia."""
    usual = ("use_parallel_residual", "hidden_act", "layer_norm_eps", "rotary_pct")
    folder = written(tmp_path, dropped=(*usual, "rope_parameters"))
    lacking = "parallel residual, rotary .* 0.25 .*, the activation gelu, .* layer_norm_eps 1e-05"
    with pytest.raises(BadInput, match=lacking):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("weights", "dropped", "message"),
    [
        ({f"{LAYER}attention.dense.bias": np.ones(8)}, (), f"not zero.*: {LAYER}attention.dense"),
        (
            {
                f"{LAYER}attention.dense.bias": np.ones(8),
                "gpt_neox.final_layer_norm.bias": np.ones(8),
            },
            (),
            "gpt_neox.final_layer_norm.bias and 1 more",
        ),
        ({"gpt_neox.adapter.weight": np.ones(8)}, (), "decoder lacks: gpt_neox.adapter.weight"),
        ({}, ("gpt_neox.embed_in.weight",), "its weights lack gpt_neox.embed_in.weight"),
        ({}, ("embed_out.weight",), "its weights lack embed_out.weight"),
        ({"embed_out.weight": np.ones((11, 4))}, (), r"shape \(11, 4\), not \(11, 8\)"),
        ({"embed_out.weight": np.ones((11, 8), np.int64)}, (), "is stored as I64; only F32 and"),
    ],
)
def test_weights_of_something_else_are_refused(tmp_path, weights, dropped, message):
    weights = {
        name: array.astype(np.float32) if array.dtype == np.float64 else array
        for name, array in weights.items()
    }
    with pytest.raises(BadInput, match=message) as error:
        load_checkpoint(written(tmp_path, weights=weights, dropped=dropped))
    assert "\n" not in str(error.value)


def test_a_tied_model_with_another_readout_is_refused(tmp_path):
    tied = TransformerConfig(11, 8, 2, 2)
    readout = random_params(tied)["embedding"]["embedding"]
    again, _ = read_checkpoint(written(tmp_path, model=tied, weights={"lm_head.weight": readout}))
    assert again == tied
    with pytest.raises(BadInput, match="its readout is not its embedding"):
        load_checkpoint(written(tmp_path, model=tied, weights={"lm_head.weight": readout + 1}))


def test_what_older_versions_wrote_is_read(tmp_path):
    """Half precision, a causal mask, rotary frequencies, several files, the old rotary names."""
    params = random_params(MODEL)
    half = jax.tree.map(lambda leaf: leaf.astype(np.float16), params)
    folder = written(
        tmp_path,
        weights={
            **{name: array.astype(np.float16) for name, array in to_neox(MODEL, half).items()},
            f"{LAYER}attention.bias": np.ones((1, 1, 4, 4), bool),
            f"{LAYER}attention.rotary_emb.inv_freq": np.ones(2, np.float32),
        },
        dropped=("rope_parameters",),
    )
    arrays = numpy_files.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    first = sorted(arrays)[: len(arrays) // 2]
    places = {name: "one.safetensors" if name in first else "two.safetensors" for name in arrays}
    for file in ("one.safetensors", "two.safetensors"):
        part = {name: arrays[name] for name in arrays if places[name] == file}
        numpy_files.save_file(part, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    found, again = read_checkpoint(folder)
    assert found == MODEL
    assert_same_bits(again, jax.tree.map(lambda leaf: leaf.astype(np.float32), half))


def test_a_folder_of_no_model_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"is no folder of a model: it has no config\.json"):
        load_checkpoint(tmp_path / "absent")
    folder = written(tmp_path)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(BadInput, match=r"model\.safetensors is no readable file of safetensors"):
        load_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(BadInput, match=r"it has no model\.safetensors; only safetensors are read"):
        load_checkpoint(folder)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(BadInput, match="has no weight_map"):
        load_checkpoint(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(BadInput, match="must hold an object"):
        load_checkpoint(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(BadInput, match="cannot be read as JSON"):
        load_checkpoint(folder)
