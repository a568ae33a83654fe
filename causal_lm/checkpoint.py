"""A causal model of `transformers` with its tokenizer, loaded and checked."""

import contextlib
import hashlib
import inspect
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from factcap.synth.errors import BadInput, require

PRECISIONS = ("float32", "bfloat16")
# Numbers of each parameter that its model's fingerprint takes.
_SAMPLED = 4096


@dataclass(frozen=True)
class Checkpoint:
    """A causal language model.

    Attributes:
        name: where it was loaded from.
        model: in evaluation mode, on its device.
        tokenizer: None where the checkpoint has none, or it was not asked for.
        context: the most tokens that it reads; None where its configuration names no limit.
    """

    name: str
    model: transformers.PreTrainedModel = field(repr=False)
    tokenizer: Any = field(repr=False)
    context: int | None

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.model.parameters()).device

    @property
    def parameters(self) -> int:
        """How many there are; those that two layers share count once."""
        return sum(each.numel() for each in self.model.parameters())

    @property
    def bytes(self) -> int:
        """Of its parameters."""
        return sum(each.numel() * each.element_size() for each in self.model.parameters())

    @property
    def vocabulary(self) -> int:
        """Its logits are of so many tokens."""
        return self.text_config.vocab_size

    @property
    def text_config(self) -> Any:
        """Its configuration, of a model of several media that of its text."""
        return self.model.config.get_text_config()

    @property
    def cache_argument(self) -> str:
        """What its forward pass calls the key-value cache."""
        known = inspect.signature(self.model.forward).parameters
        return "cache" if "cache" in known else "past_key_values"

    def fingerprint(self) -> str:
        """A hash of its configuration and of a sample of each parameter, wherever it lies."""
        config = {
            name: value
            for name, value in self.model.config.to_dict().items()
            if name not in ("_name_or_path", "transformers_version")
        }
        digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
        for name, each in self.model.named_parameters():
            flat = each.detach().flatten()
            sample = flat[:: max(1, len(flat) // _SAMPLED)].float().cpu().numpy()
            digest.update(name.encode())
            digest.update(sample.tobytes())
        return digest.hexdigest()


def load_checkpoint(
    name: str, *, device: str | None = None, precision: str = "float32", tokenizer: bool = True
) -> Checkpoint:
    """A model from a folder, or by its id from the hub or what is kept of it here.

    Code that lies beside a model is not run.

    Args:
        name: folder or id.
        device: as PyTorch names it; None: a GPU if there is one.
        precision: of the parameters and of what is computed with them.
        tokenizer: whether it needs one.

    Raises:
        BadInput: if it cannot be loaded, lacks weights, or has no tokenizer that tells the place of
            each token in the text.
    """
    require(
        precision in PRECISIONS, f"precision must be {' or '.join(PRECISIONS)}, not {precision!r}"
    )
    place = _device(device)
    folder = Path(name).expanduser()
    if folder.exists():
        require(folder.is_dir(), f"{name} is a file; give the folder of a model, or its id")
        require(
            (folder / "config.json").is_file(),
            f"{name} is no model of transformers: it has no config.json",
        )
    else:
        looks_like_an_id = name.count("/") <= 1 and not name.startswith((".", "/", "~"))
        require(looks_like_an_id, f"{name} does not exist; give the folder of a model, or its id")
    where = str(folder) if folder.exists() else name
    with _quiet():
        try:
            loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
                where,
                dtype=getattr(torch, precision),
                trust_remote_code=False,
                output_loading_info=True,
            )
        # Whatever a library of many models says of one that it cannot load.
        except Exception as error:
            raise _not_loaded(name, error, local=folder.exists()) from None
        model, found = loaded
        missing = sorted(found["missing_keys"])
        require(
            not missing,
            f"{name} is no whole causal language model: it lacks {len(missing)} parameters, "
            f"{', '.join(missing[:3])} among them",
        )
        words = _tokenizer(name, where) if tokenizer else None
    config = model.config.get_text_config()
    limit = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    return Checkpoint(name, model.eval().to(place), words, limit)


def _device(name: str | None) -> torch.device:
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"there is no device {name!r} here ({reason})") from None
    return device


def _tokenizer(name: str, where: str) -> Any:
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, trust_remote_code=False)
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(f"{name} has no tokenizer that can be loaded ({reason})") from None
    # Where a folder has none, the library makes one of special tokens alone.
    require(
        len(tokenizer.get_vocab()) > len(set(tokenizer.all_special_ids)),
        f"{name} has no tokenizer; text needs one, a fact set does not",
    )
    require(
        bool(getattr(tokenizer, "is_fast", False)),
        f"the tokenizer of {name} does not say where its tokens stand in a text; save it as "
        "tokenizer.json, as a fast tokenizer",
    )
    return tokenizer


def _not_loaded(name: str, error: Exception, *, local: bool) -> BadInput:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if local:
        return BadInput(f"{name} is no causal language model that can be loaded ({reason})")
    return BadInput(
        f"{name} is not a folder here, and could not be had by this id ({reason}); give the folder "
        "of a model, or an id of the hub where it can be reached"
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Meanwhile the libraries say nothing: what is wrong is said once, by `BadInput`."""
    names = ("transformers", "huggingface_hub")
    levels = {name: logging.getLogger(name).level for name in names}
    bars = transformers.utils.logging.is_progress_bar_enabled()
    try:
        transformers.utils.logging.disable_progress_bar()
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()


def logits_at(checkpoint: Checkpoint, row_P: Tensor, column_P: Tensor, **inputs: Any) -> Tensor:
    """Logits at some positions only, shape (positions, vocabulary), as the model gives them.

    What enters the layer that makes the logits is cut down to these positions, so that logits of
    all others are never made: they would take more memory than the rest of the model. What a model
    does to its logits after that layer, a scale or a soft cap, is done to these.

    Args:
        checkpoint: the model.
        row_P: row of the batch of each position.
        column_P: its place in that row.
        inputs: of the forward pass.
    """
    head, was_cut = checkpoint.model.get_output_embeddings(), False

    def cut(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        nonlocal was_cut
        was_cut = given[0].dim() == 3
        return (given[0][row_P, column_P][None], *given[1:]) if was_cut else given

    handle = None if head is None else head.register_forward_pre_hook(cut)
    try:
        logits = checkpoint.model(**inputs).logits
    finally:
        if handle is not None:
            handle.remove()
    # A model may make its logits elsewhere; then all are there.
    return logits[0] if was_cut else logits[row_P, column_P]
