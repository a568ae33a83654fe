"""What is raced gives the same numbers."""

import json

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from benchmarks.any_model import main


@pytest.mark.parametrize("by_hand", ["sparing", "plain"])
def test_both_ways_to_measure_agree(capsys, by_hand):
    options = ("--size", "tiny", "--facts", "20", "--pairs", "1", "--by-hand", by_hand)
    main(["measure", *options])
    found = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert found["prompts"] == 80
    assert found["largest_difference_bits"] < 1e-3
    assert found["ratio"] > 0
    assert found["memory_to_model"] > 0


def test_a_corpus_is_scored(capsys):
    main(["losses", "--size", "tiny", "--facts", "20", "--documents", "12", "--pairs", "1"])
    found = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert found["documents"] == 12
    assert found["tokens"] > 12
