"""A finished run as a folder in the Hugging Face format, for programs that know none of ours."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.models.exchange.card import model_card
from factcap.models.exchange.checkpoint import WEIGHTS
from factcap.models.exchange.finished_run import FinishedRun
from factcap.models.exchange.folders import check_new, whole_folder
from factcap.models.exchange.neox_config import LONGEST_CONTEXT, check_neox, neox_config
from factcap.models.exchange.neox_weights import to_neox
from factcap.models.exchange.spelled import is_text, spelling_of, text_spelling
from factcap.models.exchange.spelling import Spelling, by_number
from factcap.models.transformer.decoder import TransformerConfig
from factcap.models.transformer.fast.values import Params
from factcap.models.transformer.layout import model_vocabulary
from factcap.synth import FactSet, Origin
from factcap.synth.errors import BadInput, require
from factcap.synth.libraries import library


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        run: the run.
        spelling: how its facts are typed.
        misspelled: how many of those at hand the tokenizer cuts otherwise than the run.
    """

    run: FinishedRun
    spelling: Spelling
    misspelled: int


def export_run(
    directory: str | os.PathLike,
    out: str | os.PathLike,
    *,
    facts: str | os.PathLike | None = None,
    tokenizer: str | os.PathLike | None = None,
) -> Exported:
    """Write a finished run as a folder that `transformers` loads: a GPT-NeoX with zero biases.

    The folder gets the weights, config.json, generation_config.json, a tokenizer, and a model card.
    It appears whole or not at all.

    Args:
        directory: of the run.
        out: a folder that does not exist yet, or is empty.
        facts: the file of the run's facts. Triples need it: the run does not hold their words.
        tokenizer: the tokenizer.json of a run on documents, which does not hold it either.

    Raises:
        BadInput: if the run is not finished, the format does not hold its model, its state is gone,
            the facts or the tokenizer are not those of the run, the folder is not empty, or a
            library of the extra `hf` is missing.
    """
    folder = Path(out)
    for name in ("safetensors", "tokenizers"):
        library(name)
    check_new(folder)
    run = FinishedRun.read(directory)
    check_neox(run.model)
    given = None if facts is None else run.facts_in(Path(facts))
    kind = run.made_again() if given is None else given
    origin = run.origin() or (None if kind is None else kind.origin)
    spelling = _spelling(run, origin, kind, tokenizer)
    misspelled = 0 if kind is None else int(spelling.misspelled(kind).sum())
    longest = None if kind is None else int((kind.length - kind.key_length).max())
    words = ["factcap", "export", str(directory), "--out", str(out)]
    words += [] if facts is None else ["--facts", str(facts)]
    words += [] if tokenizer is None else ["--tokenizer", str(tokenizer)]
    example = None if kind is None else spelling.texts(kind)[0]
    card = model_card(run, origin, spelling, misspelled, example, shlex.join(words))
    params = run.params()
    with whole_folder(folder) as partial:
        write_model(partial, run.model, params, spelling.special_ids(), longest)
        (partial / "tokenizer.json").write_text(spelling.definition, encoding="utf-8")
        _write_json(partial / "tokenizer_config.json", _tokenizer_config(spelling))
        (partial / "README.md").write_text(card, encoding="utf-8")
    return Exported(run, spelling, misspelled)


def write_model(
    folder: Path,
    model: TransformerConfig,
    params: Params,
    special: Mapping[str, int | None],
    longest_value: int | None = None,
) -> None:
    """Write the weights, config.json and generation_config.json of a model into a folder.

    Args:
        folder: that is there.
        model: its shape.
        params: its parameters.
        special: numbers of its special tokens, as `eos_token_id`; None where there is none.
        longest_value: tokens of the longest value: so many are generated. None: not known.

    Raises:
        BadInput: if a library of the extra `hf` is missing.
    """
    weights = library("safetensors.numpy").save(to_neox(model, params), {"format": "pt"})
    (folder / WEIGHTS).write_bytes(weights)
    _write_json(folder / "config.json", {**neox_config(model), **special})
    longest = {} if longest_value is None else {"max_new_tokens": longest_value}
    _write_json(folder / "generation_config.json", {"do_sample": False, **special, **longest})


def _spelling(
    run: FinishedRun,
    origin: Origin | None,
    facts: FactSet | None,
    tokenizer: str | os.PathLike | None,
) -> Spelling:
    """How the facts of a run are typed, by its tokenizer where it was trained on text."""
    if tokenizer is not None:
        require(
            origin is not None and is_text(origin),
            f"the facts of {run.directory} are no text and take no tokenizer from a file",
        )
        assert origin is not None
        try:
            definition = Path(tokenizer).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{tokenizer} cannot be read ({error})") from None
        return text_spelling(origin, definition)
    if origin is None:
        return by_number(run.model.vocabulary, has_start=False)
    vocabulary = run.model.vocabulary if facts is None else model_vocabulary(facts)
    return spelling_of(origin, vocabulary, facts)


def _tokenizer_config(spelling: Spelling) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": LONGEST_CONTEXT,
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
        **spelling.special,
    }


def _write_json(path: Path, entry: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(entry, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
