"""Models with parameters that are far from zero, so that a wrong convention shows."""

import numpy as np
from hypothesis import strategies as st

from factcap.models import TransformerConfig

NO_TOKENS = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": 0}


def random_params(model: TransformerConfig, seed: int = 0):
    """Parameters by name, as numpy arrays, float32."""
    rng = np.random.default_rng(seed)

    def matrix(inputs, outputs):
        return rng.normal(size=(inputs, outputs), scale=inputs**-0.5).astype(np.float32)

    def scale():
        return {"scale": rng.uniform(0.5, 1.5, model.width).astype(np.float32)}

    width = model.width
    blocks = {
        number: {
            "attention_norm": scale(),
            "query_key_value": {"kernel": matrix(width, 3 * width)},
            "attention_out": {"kernel": matrix(width, width)},
            "feed_forward_norm": scale(),
            "feed_forward_in": {"kernel": matrix(width, 4 * width)},
            "feed_forward_out": {"kernel": matrix(4 * width, width)},
        }
        for number in range(model.depth)
    }
    embedding = rng.normal(size=(model.vocabulary, width)).astype(np.float32)
    params = {"embedding": {"embedding": embedding}, "blocks": blocks, "norm": scale()}
    if not model.tied:
        params["readout"] = {"kernel": matrix(width, model.vocabulary)}
    return params


@st.composite
def shapes(draw):
    """Shapes of small models."""
    # Of fewer than 8 channels a norm may be near 0, and makes rounding errors large.
    heads = draw(st.integers(1, 5))
    return TransformerConfig(
        vocabulary=draw(st.integers(2, 40)),
        width=2 * heads * draw(st.integers(-(-4 // heads), 6)),
        depth=draw(st.integers(1, 3)),
        heads=heads,
        tied=draw(st.booleans()),
    )
