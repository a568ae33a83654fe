import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import transformers

from tests.causal_lm import models


@pytest.fixture(autouse=True, scope="session")
def _silent_bars():
    transformers.utils.logging.disable_progress_bar()


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A folder with a small model of each kind: GPT-2 and GPT-NeoX cut into bytes, Llama not."""
    root = tmp_path_factory.mktemp("models")
    made = {}
    for kind in models.KINDS:
        tokenizer = models.metaspace() if kind == "llama" else models.byte_level()
        made[kind] = models.save_model(root / kind, kind, tokenizer)
    return made
