import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from benchmarks.any_model import byte_level
from tests.causal_lm import models

transformers.utils.logging.disable_progress_bar()


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Small arrays gain nothing from more, and tests run beside each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A folder with a small model of each kind: GPT-2 and GPT-NeoX cut into bytes, Llama not."""
    root = tmp_path_factory.mktemp("models")
    made = {}
    for kind in models.KINDS:
        tokenizer = models.metaspace() if kind == "llama" else byte_level(models.TEXTS, 400)
        made[kind] = models.save_model(root / kind, kind, tokenizer)
    return made


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A GPT-2 trained by PyTorch until it knows some of the facts, and a table of the facts."""
    folder = tmp_path_factory.mktemp("trained")
    models.write_facts(folder)
    models.train_model(folder / "model", models.sentences())
    return folder
