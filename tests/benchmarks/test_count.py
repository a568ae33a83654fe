"""The benchmark of counting runs, and its libraries find the same."""

import json

from benchmarks.count import made_up_names, main


def test_a_small_corpus_is_counted(capsys):
    main(["--names", "60", "--megabytes", "1", "--workers", "1", "--options=--whole-words"])
    found = json.loads(capsys.readouterr().out)
    assert found["names"] == 60
    assert found["megabytes_of_text"] >= 1
    assert found["mebibytes_of_all_processes"] > 0


def test_names_are_different():
    assert len(set(made_up_names(500))) == 500
