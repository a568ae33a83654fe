import json

import pytest

from factcap.models import read_outcome
from factcap.synth import domains, load

SHAPE = ("--width", 8, "--depth", 1, "--heads", 1, "--exposures", 1, "--all-exposures")
FACTS = ("--shared", 8, "--domains", 3, "--vocabulary", 12, "--value-length", 2)


def generate(call, path, *words):
    code, out, err = call("generate", "domains", "--private", 20, *FACTS, "--out", path, *words)
    assert (code, err) == (0, "")
    return out


def test_a_domain_goes_on_from_the_mixture(call, tmp_path):
    generate(call, tmp_path / "all.parquet")
    out = generate(call, tmp_path / "one.parquet", "--domain", 1, "--replay", 0.1, "--json")
    assert json.loads(out)["origin"]["arguments"]["replay"] == 0.1
    made = domains(20, 8, count=3, vocabulary=12, value_length=2)
    assert load(tmp_path / "one.parquet").tokens.tolist() == made.facts.tokens.tolist()
    trunk, branch = tmp_path / "trunk", tmp_path / "branch"
    code, _, _ = call("train", tmp_path / "all.parquet", *SHAPE, "--keep-rate", "--out", trunk)
    assert code == 0
    words = ("--parent", trunk, "--fresh-optimizer", "--out", branch)
    code, _, _ = call("train", tmp_path / "one.parquet", *SHAPE, *words)
    assert code == 0
    record = read_outcome(branch)["parent"]
    assert record["steps"] == read_outcome(trunk)["steps"]
    assert (record["optimizer"], record["schedule"]) == ("fresh", "continued")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fresh-schedule",), "--fresh-optimizer and --fresh-schedule need --parent"),
        (("--parent", "nowhere"), "nowhere is not a run directory"),
    ],
)
def test_bad_options_get_one_line(call, tmp_path, words, message):
    generate(call, tmp_path / "all.parquet")
    code, _, err = call(
        "train", tmp_path / "all.parquet", *SHAPE, "--out", tmp_path / "run", *words
    )
    assert code == 2
    assert message in err
    assert not (tmp_path / "run").exists()


def test_replay_is_of_a_domain(call, tmp_path):
    words = ("--private", 5, "--replay", 0.5, "--out", tmp_path / "a.parquet")
    code, _, err = call("generate", "domains", *words)
    assert (code, err) == (2, "factcap: --replay needs --domain\n")
