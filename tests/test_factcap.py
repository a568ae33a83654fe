import json
import re

import pytest

from factcap.commands.train import size_lines
from factcap.models import named_size
from factcap.synth import phonebook, write


def test_generate_show_bound(call, tmp_path):
    path = tmp_path / "f.parquet"
    code, out, _ = call("generate", "phonebook", "--facts", "1e3", "--out", path, "--json")
    assert code == 0
    assert json.loads(out)["facts"] == 1000
    code, out, _ = call("show", path, "--json")
    summary = json.loads(out)
    assert summary["entropy_bits"] == pytest.approx(7000 * 3.321928, rel=1e-6)
    code, out, _ = call("bound", path, "--params", 5000, "--json")
    result = json.loads(out)
    assert result["budget_bits"] == 10_000
    for objective in ("accuracy", "weighted"):
        even, stored, limit = (
            result[name][objective]
            for name in ("even_spreading", "all_or_nothing", "rate_distortion")
        )
        assert 0 < even < stored < limit < 1
    code, table, _ = call("bound", path, "--params", 5000)
    assert f"{result['rate_distortion']['accuracy']:.6f}" in table


def test_train_and_measure(call, tmp_path):
    path, run = tmp_path / "f.parquet", tmp_path / "run"
    write(phonebook(30, digits=2), path)
    shape = ("--width", 8, "--depth", 1, "--heads", 1)
    code, out, err = call("train", path, "--out", run, *shape, "--exposures", 5, "--json")
    assert code == 0
    assert err.splitlines()[0] == "2,408 parameters with 202 token ids; 792 without embeddings"
    assert err.splitlines()[1].startswith("warning: embeddings are 67% of the parameters")
    trained = json.loads(out)
    code, out, err = call("measure", run, "--json")
    assert json.loads(out) == trained
    assert err == ""
    wanted = "facts parameters accuracy weighted_accuracy facts_known stored_bits"
    assert {*wanted.split(), "bits_per_parameter"} <= set(trained)
    code, _, err = call("train", path, "--out", run, *shape, "--exposures", 5)
    assert code == 2
    assert "holds a finished run" in err
    none = ("--width", 0, "--depth", 0, "--heads", 0)
    code, _, err = call("train", path, "--out", tmp_path / "none", *none)
    assert code == 2
    assert "width" in err
    assert not (tmp_path / "none").exists()


def test_no_warning_where_most_parameters_are_not_embeddings():
    small = named_size("8k", 128)
    assert size_lines(small) == ["8,272 parameters with 128 token ids; 6,224 without embeddings"]
    [_, warning] = size_lines(named_size("8k", 13_706))
    assert warning.startswith("warning: embeddings are 97% of the parameters")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bound", "--facts", "10", "--choices", "4"], "--bits B or as --params P"),
        (["bound", "--facts", "10", "--choices", "4", "--bits", "0"], "greater than 0, not 0"),
        (["bound", "--facts", "10", "--choices", "0", "--bits", "5"], "at least 1, not 0"),
        (["bound", "absent.parquet", "--bits", "5"], "absent.parquet does not exist"),
        (["bound", "--facts", "1.5", "--choices", "4", "--bits", "5"], "whole number"),
        (["bound", "--facts", "10", "--choices", "4", "--params", "1.5"], "whole number"),
        (["bound", "--facts", "1e400", "--choices", "4", "--bits", "5"], "whole number"),
        (["bound", "--facts", "1e13", "--choices", "4", "--bits", "5"], "[1, 1e12]"),
        (
            ["bound", "--facts", "9", "--choices", "4", "--bits", "5", "--bits-per-param", "3"],
            "goes with --params",
        ),
        (
            ["bound", "--facts", "9", "--choices", "4", "--exponent", "5", "--bits", "9"],
            "[0, 4], not 5",
        ),
        (["bound", "absent.parquet", "--exponent", "1", "--bits", "5"], "not both"),
        (["bound", "--bots", "5"], "--bots"),
        (["generate", "phonebook", "--facts", "1e12", "--out", "x"], "1073741824 names"),
        (["generate", "phonebook", "--facts", "5", "--out", "no/x"], "does not exist"),
        (["generate", "biographies", "--people", "1e9", "--out", "x"], "160000000 names"),
        (["generate", "tuples", "--people", "0", "--out", "x"], "1073741824 names"),
        (["measure", "absent"], "not a run directory"),
        (["train", "absent.parquet", "--out", "r", "--model", "huge"], "gpt2-small"),
        (["train", "absent.parquet", "--out", "r", "--width", "8"], "--width, --depth and --heads"),
        (["train", "absent.parquet", "--out", "r", "--model", ""], "gpt2-small"),
        (["train", "absent.parquet", "--out", "r", "--optimizer", "sgd"], "there are adamw, muon"),
        (["train", "absent.parquet", "--out", "r", "--select", "best"], "there are random, random"),
        (["train", "a.parquet", "--out", "r", "--budget-bits", "9"], "need --select SCHEME"),
        (["train", "a.parquet", "--out", "r", "--select-rest", "0.1"], "need --select SCHEME"),
        (
            ["train", "a.parquet", "--out", "r", "--select", "worth", "--select-rest", "1"],
            "the share of the draws for what was dropped must be in [0, 1), not 1",
        ),
        (
            ["train", "a.parquet", "--out", "r", "--select", "worth", "--budget-bits", "-1"],
            "the budget must be positive, or 0 to set itself",
        ),
        (
            ["train", "a.parquet", "--out", "r", "--select", "deduplicate", "--select-rest", "0.1"],
            "deduplicate drops nothing, so that no draws can go to what was dropped",
        ),
        (["figure", "bounds", "--preset", "laptop"], "bounds has no presets and nothing to set"),
        (["figure", "selection_gain", "--preset", "huge"], "there are tiny, laptop, five-seeds"),
        (["figure", "nothing"], "there are bounds"),
        (["figure"], "or --all"),
        (["curve", "--preset", "nothing", "--out", "c"], "there are tiny, laptop, gpu"),
        ([], "generate, show, bound"),
    ],
)
def test_bad_input_gets_one_line(call, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*words)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(re.escape(message), err)
    assert list(tmp_path.iterdir()) == []
