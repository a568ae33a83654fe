import json
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from factcap.causal_lm import scoring
from factcap.synth import phonebook, write
from factcap.synth.corpus import compose, made_up, write_documents
from factcap.synth.measurement import Measurement
from tests.causal_lm.models import save_model
from tests.test_floors import ROOT


def test_measure_and_bound(call, trained, tmp_path):
    out = tmp_path / "out"
    words = ("measure", f"hf:{trained / 'model'}", "--facts", trained / "facts.csv")
    words = (*words, "--templates", trained / "templates.jsonl", "--out", out)
    code, shown, err = call(*words, "--json")
    assert (code, err) == (0, "")
    summary = json.loads(shown)
    assert summary["facts"] == 18
    assert 0 < summary["beyond_guess"] < summary["facts_known"]
    assert json.loads(call(*words, "--json")[1]) == summary
    assert json.loads(call("measure", out, "--json")[1]) == summary
    code, text, _ = call("measure", out)
    assert f"facts known         {summary['facts_known']} of 18" in text
    assert "relation" in text
    assert "0 to 10 %" in text
    code, shown, _ = call("bound", out / "measurement.parquet", "--json")
    assert code == 0
    bound = json.loads(shown)
    assert bound["facts"] == 18
    assert bound["budget_bits"] == 2 * summary["parameters"]
    assert bound["entropy_bits"] == pytest.approx(summary["entropy_bits"])
    assert bound["measured"] == {
        "accuracy": summary["accuracy"],
        "weighted": summary["weighted_accuracy"],
    }
    # The model is far too large for these bounds; at the bits that it stores they say something.
    stored = ("bound", out / "measurement.parquet", "--bits", summary["stored_bits"], "--json")
    bound = json.loads(call(*stored)[1])
    assert bound["measured"]["accuracy"] <= bound["rate_distortion"]["accuracy"]


def test_a_fact_set_needs_no_tokenizer_and_no_folder(call, tmp_path):
    write(phonebook(20, digits=2), tmp_path / "f.parquet")
    save_model(tmp_path / "m", "gpt_neox", vocabulary=202, context=9)
    words = ("measure", f"hf:{tmp_path / 'm'}", "--facts", tmp_path / "f.parquet", "--ranks")
    code, shown, err = call(*words, "--precision", "bfloat16", "--device", "cpu", "--json")
    assert (code, err) == (0, "")
    summary = json.loads(shown)
    assert summary["entropy_bits"] == pytest.approx(20 * 2 * 3.3219, rel=1e-3)
    assert 0 <= summary["first_rank_share"] <= 1
    assert {path.name for path in tmp_path.iterdir()} == {"f.parquet", "m"}
    code, shown, _ = call(*words)
    assert "ranked first" in shown


def test_losses_and_select(call, folders, tmp_path):
    write_documents(compose(made_up(20), documents=60).documents, tmp_path / "c.jsonl")
    words = ("losses", f"hf:{folders['gpt2']}", tmp_path / "c.jsonl", "--out")
    code, shown, err = call(*words, tmp_path / "l.parquet")
    assert (code, err) == (0, "")
    assert shown == f"{tmp_path / 'l.parquet'}: losses of 60 documents\n"
    weights = tmp_path / "w.parquet"
    code, shown, _ = call(
        "select", tmp_path / "l.parquet", "--budget-bits", 2000, "--out", weights, "--json"
    )
    assert code == 0
    assert 0 < json.loads(shown)["kept"] < 60
    assert pq.read_table(weights).num_rows == 60
    code, shown, _ = call(*words, tmp_path / "s.parquet", "--spans", "--json")
    assert json.loads(shown)["rows"] == pq.read_table(tmp_path / "s.parquet").num_rows


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["measure", "hf:m"], "give the facts to ask for as --facts FILE"),
        (["measure", "run", "--facts", "facts.csv"], "give it as hf:PATH_OR_ID"),
        (["measure", "hf:empty", "--facts", "facts.csv"], "no template is known for facts.csv"),
        (["measure", "hf:./absent", "--facts", "f.parquet"], "./absent does not exist"),
        (["measure", "hf:empty", "--facts", "f.parquet"], "it has no config.json"),
        (["measure", "hf:empty", "--facts", "absent.csv"], "absent.csv does not exist"),
        (
            ["measure", "hf:m", "--facts", "f.parquet"],
            "the fact set has 202 token ids, m has 30; give a model of this fact set",
        ),
        (
            ["measure", "hf:m", "--facts", "facts.csv", "--templates", "t.jsonl"],
            "m has no tokenizer; text needs one",
        ),
        (
            ["measure", "hf:m", "--facts", "facts.csv", "--templates", "no_slot.jsonl"],
            "a template has one [Y], not 0: '[X] was born.'",
        ),
        (
            ["measure", "hf:m", "--facts", "f.parquet", "--batch-tokens", "-1"],
            "--batch-tokens must be positive, or 0, not -1",
        ),
        (
            ["losses", "m", "c.jsonl", "--out", "l.parquet"],
            "model as hf:PATH_OR_ID, not m",
        ),
        (["losses", "hf:m", "absent.jsonl", "--out", "l.parquet"], "absent.jsonl does not exist"),
        (["losses", "hf:m", "c.jsonl", "--out", "f.parquet"], "f.parquet exists"),
        (["losses", "hf:empty", "c.jsonl", "--out", "l.parquet"], "it has no config.json"),
    ],
)
def test_bad_input_gets_one_line(call, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    write(phonebook(5, digits=2), tmp_path / "f.parquet")
    save_model(tmp_path / "m", "gpt2", vocabulary=30)
    (tmp_path / "empty").mkdir()
    (tmp_path / "facts.csv").write_text("subject,relation,object\nBo,born,Rome\n")
    (tmp_path / "t.jsonl").write_text('{"pattern": "[X] was born in [Y]."}\n')
    (tmp_path / "no_slot.jsonl").write_text('{"pattern": "[X] was born."}\n')
    (tmp_path / "c.jsonl").write_text('{"text": "Bo"}\n')
    before = sorted(tmp_path.rglob("*"))
    out = ("--out", "new") if words[0] == "measure" and words[1] != "run" else ()
    code, shown, err = call(*words, *out)
    assert code == 2
    assert shown == ""
    assert err.count("\n") == 1
    assert message in err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_id_that_cannot_be_reached(call, tmp_path):
    write(phonebook(5, digits=2), tmp_path / "f.parquet")
    program = (
        "import os, sys; os.environ['HF_HUB_OFFLINE'] = '1'\n"
        f"sys.argv = ['factcap', 'measure', 'hf:nobody/nothing', '--facts', "
        f"{str(tmp_path / 'f.parquet')!r}]\n"
        "from factcap.cli import main; main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert "nobody/nothing is not a folder here, and could not be had by this id" in ran.stderr


def test_a_full_device_and_a_model_that_fails(call, tmp_path, monkeypatch):
    write(phonebook(5, digits=2), tmp_path / "f.parquet")
    save_model(tmp_path / "m", "gpt2", vocabulary=202)
    words = ("measure", f"hf:{tmp_path / 'm'}", "--facts", tmp_path / "f.parquet")
    logits_at = scoring.logits_at
    monkeypatch.setattr(scoring, "logits_at", lambda *at, **given: logits_at(*at, **given) * np.nan)
    code, _, err = call(*words)
    assert code == 1
    assert err == f"factcap: {tmp_path / 'm'} gives losses that are not finite\n"

    def full(*at, **given):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(scoring, "logits_at", full)
    code, _, err = call(*words)
    assert code == 2
    assert err.startswith("factcap: the memory of the device is full; give fewer --batch-tokens")


def test_without_the_extra_it_says_what_to_install(call, tmp_path, monkeypatch):
    write(phonebook(5, digits=2), tmp_path / "f.parquet")
    (tmp_path / "c.jsonl").write_text('{"text": "Bo"}\n')
    monkeypatch.setitem(sys.modules, "torch", None)
    for words in (
        ("measure", "hf:m", "--facts", tmp_path / "f.parquet"),
        ("losses", "hf:m", tmp_path / "c.jsonl", "--out", tmp_path / "l.parquet"),
    ):
        code, _, err = call(*words)
        assert code == 2
        assert err == (
            "factcap: this needs the library torch; install it with: pip install 'factcap[hf]'\n"
        )


def test_neither_command_imports_jax(trained, tmp_path):
    (tmp_path / "c.jsonl").write_text('{"text": "Bo Ade"}\n')
    program = (
        "import sys; from factcap import cli\n"
        f"model, folder, out = {f'hf:{trained}/model'!r}, {str(trained)!r}, {str(tmp_path)!r}\n"
        "facts = ['--facts', folder + '/facts.csv', '--templates', folder + '/templates.jsonl']\n"
        "cli.parse(['measure', model, *facts, '--out', out + '/m']).run()\n"
        "cli.parse(['losses', model, out + '/c.jsonl', '--out', out + '/l.parquet']).run()\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "assert not {'jax', 'flax', 'optax', 'matplotlib'} & loaded\n"
        "assert not [name for name in sys.modules if name.startswith('factcap.models')]\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert Measurement.load(tmp_path / "m" / "measurement.parquet").recall.shape == (18,)
