"""An exported model is the same function in transformers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factcap.models import SIZES, TransformerConfig, load_checkpoint, named_size
from factcap.models.exchange.checkpoint import read_checkpoint
from factcap.models.exchange.export import write_model
from factcap.models.training.steps import trained_module
from factcap.synth import BadInput
from tests.models.exchange.models import NO_TOKENS, random_params, shapes

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

QUICK = ("8k", "3.2M")
SMALL = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name in SIZES
    if name not in ("11M", "25M", "gpt2-small")
]
UNPADDED, PADDED = np.array([0, 0, 0, 0]), np.array([0, 3, 7, 11])


def assert_same(folder, model, tokens_BxT, *starts):
    """Our decoder and transformers' give the same logits at the real positions.

    Args:
        folder: where the model is written.
        model: its shape.
        tokens_BxT: what is read.
        starts: first real position of each row; each is tried.
    """
    params = random_params(model)
    write_model(folder, model, params, NO_TOKENS)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    ours = jax.jit(lambda tokens, start: trained_module(model, params)(tokens, start))
    for start_B in starts:
        real_BxT = np.arange(tokens_BxT.shape[1]) >= start_B[:, None]
        mask = torch.tensor(real_BxT.astype(int)) if start_B.any() else None
        with torch.no_grad():
            found = theirs(torch.tensor(tokens_BxT), attention_mask=mask).logits.numpy()[real_BxT]
        wanted = np.asarray(ours(jnp.asarray(tokens_BxT), jnp.asarray(start_B)))[real_BxT]
        assert wanted.dtype == found.dtype == np.float32
        largest = np.abs(wanted).max()
        assert largest > 0.1
        assert np.abs(wanted - found).max() <= 1e-5 * largest


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("size", SMALL)
def test_logits_of_every_named_size(tmp_path, size, tied):
    tokens_BxT = np.random.default_rng(1).integers(50, size=(4, 12))
    model = named_size(size, 50, tied=tied)
    assert_same(tmp_path, model, tokens_BxT, UNPADDED, PADDED)


@settings(max_examples=5)
@given(shapes(), st.integers(1, 9), st.data())
def test_logits_of_every_shape(tmp_path_factory, model, time, data):
    start_B = np.array(data.draw(st.lists(st.integers(0, time - 1), min_size=1, max_size=3)))
    tokens_BxT = np.random.default_rng(2).integers(model.vocabulary, size=(len(start_B), time))
    assert_same(tmp_path_factory.mktemp("model"), model, tokens_BxT, start_B)


def test_what_transformers_writes_comes_back_until_it_is_trained(tmp_path):
    model = TransformerConfig(vocabulary=9, width=8, depth=2, heads=2)
    params = random_params(model)
    (tmp_path / "ours").mkdir()
    write_model(tmp_path / "ours", model, params, NO_TOKENS)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    theirs.save_pretrained(tmp_path / "theirs")
    found, again = read_checkpoint(tmp_path / "theirs")
    assert found == model
    for leaf, other in zip(jax.tree.leaves(again), jax.tree.leaves(params), strict=True):
        np.testing.assert_array_equal(leaf, other)
    tokens_BxT = torch.tensor([[1, 2, 3]])
    theirs(tokens_BxT, labels=tokens_BxT).loss.backward()
    torch.optim.SGD(theirs.parameters(), lr=0.1).step()
    theirs.save_pretrained(tmp_path / "trained")
    with pytest.raises(BadInput, match="it has biases that are not zero, which the decoder lacks"):
        load_checkpoint(tmp_path / "trained")
