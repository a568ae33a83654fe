"""Finished runs as folders for transformers."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from factcap import cli
from factcap.models import (
    Job,
    Measurement,
    SelectConfig,
    TrainConfig,
    TransformerConfig,
    export_run,
    load_checkpoint,
    named_size,
    run_spec,
)
from factcap.models.exchange import export
from factcap.models.exchange.card import train_command
from factcap.models.exchange.finished_run import FinishedRun, model_of_run
from factcap.models.runs.job import facts_digest, run_config
from factcap.models.training.config import filled
from factcap.synth import BadInput, phonebook, ruled_facts, write
from factcap.synth.corpus import document_facts, learn_vocabulary, tokenize
from tests.conftest import make_facts
from tests.models.exchange.conftest import model_for, untrained
from tests.models.exchange.test_spelling import DOCUMENTS

ROOT = Path(__file__).parents[3]
pytest.importorskip("safetensors")

FILES = {
    *("README.md", "config.json", "generation_config.json", "model.safetensors"),
    *("tokenizer.json", "tokenizer_config.json"),
}


def test_greedy_recall_is_the_same_fact_for_fact(tmp_path, half_known):
    torch, transformers = (pytest.importorskip(name) for name in ("torch", "transformers"))
    directory, facts, found = half_known
    export_run(directory, tmp_path / "hf")
    assert {file.name for file in (tmp_path / "hf").iterdir()} == FILES
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf")
    context = facts.key_length.max()
    ids, mask = np.zeros((2, len(facts), context), int)
    for fact, key in enumerate(facts.key_length):
        ids[fact, context - key :] = facts.tokens[fact, :key]
        mask[fact, context - key :] = 1
    longest = int((facts.length - facts.key_length).max())
    said = model.generate(
        torch.tensor(ids), attention_mask=torch.tensor(mask), max_new_tokens=longest
    )[:, context:].numpy()
    recall = [
        said[fact, : length - key].tolist() == facts.tokens[fact, key:length].tolist()
        for fact, (key, length) in enumerate(zip(facts.key_length, facts.length, strict=True))
    ]
    np.testing.assert_array_equal(recall, found.recall)


def test_triples_are_asked_as_text(tmp_path, told):
    transformers = pytest.importorskip("transformers")
    folder, facts = told
    export_run(folder / "triples", tmp_path / "hf", facts=folder / "facts.parquet")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf")
    keys = facts.keys.to_pylist()
    for key, tokens, length in zip(keys, facts.tokens.tolist(), facts.key_length, strict=True):
        assert tokenizer(key)["input_ids"] == tokens[:length]
    asked = tokenizer(keys, return_tensors="pt", padding=True)
    said = model.generate(**asked)[:, asked["input_ids"].shape[1] :]
    answers = tokenizer.batch_decode(said, skip_special_tokens=True)
    assert answers == [f" {value}" for value in facts.values.to_pylist()]
    card = (tmp_path / "hf" / "README.md").read_text()
    assert f"| facts known | {len(facts)} of {len(facts)} |" in card
    assert "born in: Albert Einstein" in card


def test_text_is_exported_with_its_tokenizer(tmp_path, call):
    transformers = pytest.importorskip("transformers")
    tokenized = tokenize(DOCUMENTS, learn_vocabulary(DOCUMENTS, 40))
    facts = document_facts(tokenized)
    untrained(Job(facts, model_for(facts), TrainConfig(), tmp_path / "run"))
    (tmp_path / "tokenizer.json").write_text(tokenized.pairs.definition)
    options = ("--tokenizer", tmp_path / "tokenizer.json")
    assert call("export", tmp_path / "run", "--out", tmp_path / "hf", *options)[0] == 0
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    text = DOCUMENTS[1].text
    assert tokenizer(text)["input_ids"] == [tokenized.start_token, *tokenized.tokens[1]]
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text
    config = transformers.AutoConfig.from_pretrained(tmp_path / "hf")
    assert config.bos_token_id == config.pad_token_id == tokenized.start_token
    # Without it tokens are numbers, and that is said.
    code, out, err = call("export", tmp_path / "run", "--out", tmp_path / "numbers")
    assert code == 0
    assert "Tokens are typed as their numbers" in out
    assert "warning: the run does not hold its words" in err


def test_runs_of_a_sweep_are_exported(tmp_path):
    """Their configurations leave the vocabulary, or the facts, to be found."""
    write(phonebook(30, digits=2), tmp_path / "facts.parquet")
    model = {"width": 8, "depth": 1, "heads": 1, "tied": False}
    generated = {"generator": "phonebook", "facts": 20, "digits": 2}
    given = {"file": tmp_path / "facts.parquet", "prefix": 20}
    specs = [run_spec({"facts": facts, "model": model}) for facts in (generated, given)]
    runs = [untrained(spec.job(tmp_path / spec.id)) for spec in specs]
    by_generator = export_run(runs[0], tmp_path / "made")
    assert by_generator.run.model == TransformerConfig(202, **model)
    assert "(facts=20, digits=2, exponent=0.0, seed=0)" in (tmp_path / "made/README.md").read_text()
    by_file = export_run(runs[1], tmp_path / "given", facts=tmp_path / "facts.parquet")
    assert by_file.spelling == by_generator.spelling
    assert by_file.misspelled == by_generator.misspelled == 0
    assert load_checkpoint(tmp_path / "given")
    assert export_run(runs[1], tmp_path / "numbers").spelling.by_number
    write(phonebook(20, digits=2), tmp_path / "fewer.parquet")
    with pytest.raises(BadInput, match="holds other facts than those of the run in"):
        export_run(runs[1], tmp_path / "refused", facts=tmp_path / "fewer.parquet")


def test_how_a_run_was_trained_is_read(half_known):
    directory, facts, _ = half_known
    found = FinishedRun.read(directory)
    assert found.training == filled(found.training, len(facts), found.model.width)
    assert found.training.fewest_steps == 1500
    chosen = replace(found.training, select=SelectConfig("worth", 50.0, "once", 0.1, counted=False))
    entry = json.loads(json.dumps(asdict(chosen)))
    assert replace(found, outcome={"training": entry}).training == chosen


def made(facts, config=None):
    """A finished run on some facts, as far as these are asked for."""
    model, nothing = model_for(facts), np.zeros(len(facts), np.float32)
    found = Measurement.of(facts, nothing, nothing > 0, model.parameters)
    config = config or run_config(facts, model, TrainConfig())
    return FinishedRun(Path("run"), config, {}, found, model)


def test_facts_are_made_again_by_their_generator():
    for facts in (phonebook(5), phonebook(60).prefix(20), ruled_facts(80, 0.5).facts):
        again = made(facts).made_again()
        assert again is not None
        assert facts_digest(again) == facts_digest(facts)
    many = made(phonebook(100)).made_again()
    assert many is not None
    assert many.tokens.tolist() == phonebook(100).tokens[: len(many)].tolist()
    assert made(make_facts(5)).made_again() is None


def test_facts_that_a_generator_makes_otherwise_are_to_be_given():
    facts = phonebook(5)
    other = replace(facts, frequency=np.array([0.0, 0.1, 0.2, 0.3, 0.4]))
    recipe = {**run_spec({"facts": {"generator": "phonebook", "facts": 5}}).facts, "data": "a 1.0"}
    for run in (made(other), made(facts, {"recipe": recipe})):
        with pytest.raises(BadInput, match=r"phonebook makes other facts here .* by --facts"):
            run.made_again()


@pytest.mark.parametrize("tied", [True, False])
def test_a_vocabulary_that_is_not_said_follows_from_the_parameters(tied):
    size = {"width": 8, "depth": 2, "heads": 2, "tied": tied}
    sized = TransformerConfig(202, **size)
    assert model_of_run(size, sized.parameters) == sized
    assert model_of_run("8k", named_size("8k", 50).parameters) == named_size("8k", 50)


@pytest.fixture
def bad(tmp_path, told):
    """A folder of things that cannot be exported, or not there."""
    folder, _ = told
    shutil.copytree(folder / "triples", tmp_path / "run")
    shutil.copy(folder / "facts.parquet", tmp_path / "facts.parquet")
    write(phonebook(5), tmp_path / "other.parquet")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "gone").mkdir()
    shutil.copytree(folder / "triples", tmp_path / "stateless")
    shutil.rmtree(tmp_path / "stateless" / "checkpoint")
    shutil.copytree(folder / "triples", tmp_path / "damaged")
    state = max(
        (tmp_path / "damaged" / "checkpoint").rglob("*"),
        key=lambda path: path.stat().st_size if path.is_file() else 0,
    )
    state.write_bytes(b"")
    shutil.copytree(folder / "triples", tmp_path / "unfinished")
    (tmp_path / "unfinished" / "outcome.json").unlink()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone"], "gone is not a run directory: it has no config.json"),
        (["unfinished"], "is not finished"),
        (["stateless"], "has no saved state"),
        (["damaged"], "damaged"),
        (["run", "--out", "full"], "full is not empty; choose another folder or remove it"),
        (["run", "--out", "other.parquet"], "other.parquet is a file; choose another folder"),
        (["run", "--out", "no/hf"], "the folder no does not exist; create it first"),
        (["run", "--facts", "absent.parquet"], "absent.parquet does not exist"),
        (["run", "--facts", "other.parquet"], "other.parquet holds other facts than those of"),
        (["run", "--tokenizer", "facts.parquet"], "are no text and take no tokenizer"),
    ],
)
def test_bad_input_gets_one_line_and_nothing_is_written(call, monkeypatch, bad, words, message):
    monkeypatch.chdir(bad)
    before = sorted(bad.rglob("*"))
    code, out, err = call("export", *words, *([] if "--out" in words else ["--out", "hf"]))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert sorted(bad.rglob("*")) == before


def test_without_the_library_it_is_said_what_to_install(call, monkeypatch, bad):
    monkeypatch.chdir(bad)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    code, _, err = call("export", "run", "--out", "hf")
    assert code == 2
    assert err.endswith("install it with: pip install 'factcap[hf]'\n")
    assert not (bad / "hf").exists()


def test_an_interruption_leaves_nothing(monkeypatch, bad):
    before = sorted(bad.rglob("*"))

    def interrupted(path, entry):
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "_write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_run(bad / "run", bad / "hf")
    assert sorted(bad.rglob("*")) == before
    (bad / "hf").mkdir()
    monkeypatch.undo()
    export_run(bad / "run", bad / "hf")
    assert {file.name for file in (bad / "hf").iterdir()} == FILES


def test_what_was_written_is_said_as_json(call, bad):
    code, out, err = call("export", bad / "run", "--out", bad / "hf", "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["vocabulary"], found["misspelled"], found["zeros_added"]) == (37, 0, 12 * 16)
    assert "give them by --facts" in err


def test_neither_pytorch_nor_transformers_is_needed(bad):
    code = (
        "import sys; from factcap import cli\n"
        "cli.parse(['export', 'run', '--out', 'hf', '--facts', 'facts.parquet']).run()\n"
        "from factcap.models import load_checkpoint; load_checkpoint('hf')\n"
        "assert not {'torch', 'transformers', 'matplotlib'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=bad, env=environment)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exposures": 12.0, "batch": 32, "learning_rate": 0.5, "optimizer": "adamw", "seed": 3},
        {"saturate": False, "precision": "bfloat16"},
        {"select": SelectConfig("worth", 50.0, "once", 0.1, counted=False, rest=0.1)},
    ],
)
@pytest.mark.parametrize("tied", [True, False])
def test_the_command_of_a_card_trains_the_run(monkeypatch, tmp_path, options, tied):
    facts = phonebook(5)
    write(facts, tmp_path / "FACTS.parquet")
    model, training = model_for(facts, tied=tied), TrainConfig(**options)
    asked = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("factcap.models.run", lambda *given, **_: asked.append(given))
    command = train_command(run_config(facts, model, training))
    assert command is not None
    with pytest.raises(AttributeError):  # there is no measurement to print
        cli.parse(command.split()[1:]).run()
    [(_, found_model, found_training, _)] = asked
    assert (found_model, found_training) == (model, training)


def test_what_no_command_trains_is_shown_as_a_configuration(tmp_path, half_known):
    facts = phonebook(5)
    assert train_command(run_config(facts, model_for(facts), TrainConfig(warmup=0.1))) is None
    directory, _, _ = half_known
    exported = export_run(directory, tmp_path / "hf")
    assert train_command(exported.run.config) is None
    [shown] = re.findall(r"```json\n(.*?)```", (tmp_path / "hf" / "README.md").read_text(), re.S)
    assert json.loads(shown)["training"]["fewest_steps"] == 1500
