import re
from pathlib import Path

import numpy as np
import pytest

from factcap.models import RunSpec, TrainConfig, run_spec, run_specs
from factcap.models.runs.ledger import most_flops
from factcap.models.sweep.file import configurations
from factcap.models.sweep.making import build
from factcap.models.sweep.recipes import complete, sample
from factcap.synth import BadInput, cities, phonebook, write

BOOK = {"generator": "phonebook", "facts": 30}


def test_defaults_given_or_not_are_one_run():
    base = run_spec({"facts": BOOK})
    same = [
        {"facts": {**BOOK, "digits": 7, "seed": 0}, "model": "29k"},
        {"facts": dict(reversed(BOOK.items())), "exposures": 400, "seed": 0},
    ]
    assert {run_spec(config).id for config in same} == {base.id}
    others = [
        {"facts": {**BOOK, "seed": 1}},
        {"facts": {**BOOK, "facts": 31}},
        {"facts": BOOK, "seed": 1},
        {"facts": BOOK, "model": "8k"},
        {"facts": BOOK, "model": {"width": 32, "depth": 2, "heads": 2}},
        {"facts": BOOK, "exposures": 401},
    ]
    assert len({base.id, *(run_spec(config).id for config in others)}) == 7
    assert len(run_specs([*same, *others])) == 7


def test_the_code_is_part_of_the_run(monkeypatch):
    before = run_spec({"facts": BOOK}).id
    monkeypatch.setattr("factcap.models.sweep.spec.code_today", lambda source: "another")
    assert run_spec({"facts": BOOK}).id != before


def test_a_file_counts_by_its_bytes(tmp_path):
    for name in ("a", "b"):
        write(phonebook(20), tmp_path / f"{name}.parquet")
    write(phonebook(21), tmp_path / "c.parquet")
    ids = [run_spec({"facts": tmp_path / f"{name}.parquet"}).id for name in "abc"]
    assert ids[0] == ids[1] != ids[2]
    spec = run_spec({"facts": {"file": str(tmp_path / "a.parquet"), "prefix": 7}})
    assert spec.job(tmp_path / "run").facts.keys == phonebook(20).prefix(7).keys
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "recipe",
    [
        BOOK,
        {"generator": "bitstrings", "facts": 300, "vocabulary": 16, "length": 9},
        {"generator": "tuples", "people": 200},
        {"generator": "biographies", "people": 100},
        {"generator": "cities", "facts": 500},
    ],
)
def test_the_cost_of_a_run_is_known_from_a_sample(recipe):
    spec = run_spec({"facts": recipe, "model": "8k", "batch": 32})
    facts = build(spec.facts)
    few, count = sample(spec.facts)
    assert count == len(facts)
    assert len(few) <= len(facts)
    whole = most_flops(facts, spec.transformer(facts), spec.training)
    # the longest key may be longer than those of the sample
    assert 0.6 * whole <= spec.most_flops() <= whole


def test_a_smaller_set_is_a_prefix_of_a_larger_one():
    large, small = cities(300, seed=3), build(complete({**_cities(100), "seed": 3}))
    np.testing.assert_array_equal(large.prefix(100).tokens, small.tokens)
    np.testing.assert_allclose(large.prefix(100).frequency, small.frequency)


def _cities(facts):
    return {"generator": "cities", "facts": facts}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"facts": BOOK, "batchsize": 3}, "has no batchsize; it has facts, model, exposures"),
        ({"model": "8k"}, "needs facts"),
        ({"facts": {"generator": "telephone"}}, "one of biographies, .* not 'telephone'"),
        ({"facts": {**BOOK, "pages": 3}}, "phonebook takes facts, digits, .* 'pages'"),
        ({"facts": {"generator": "phonebook"}}, "missing a required argument: 'facts'"),
        ({"facts": "no.parquet"}, "there is no fact set .*no.parquet"),
        ({"facts": 7}, "facts must be a dictionary or a path, not 7"),
        ({"facts": BOOK, "model": "9k"}, "9k"),
        ({"facts": BOOK, "model": {"width": 8}}, "must be the name of a size, or give width"),
        ({"facts": BOOK, "model": {"width": 9, "depth": 1, "heads": 1}}, "width must be a mult"),
        ({"facts": BOOK, "batch": 2.5}, "batch must be of type int, not 2.5"),
        ({"facts": BOOK, "exposures": "many"}, "exposures must be of type float, not 'many'"),
        ({"facts": BOOK, "saturate": 1}, "saturate must be of type bool, not 1"),
        ({"facts": BOOK, "optimizer": "sgd"}, "no optimizer is called 'sgd'"),
        (["facts"], "a configuration is a dictionary"),
    ],
)
def test_a_wrong_configuration_is_one_line(config, message):
    with pytest.raises(BadInput, match=f"configuration 1: .*{message}") as raised:
        run_specs([{"facts": BOOK}, config])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("facts", [{**BOOK, "facts": 0}, {**BOOK, "digits": 500}])
def test_facts_that_cannot_be_made_are_found_before_the_run(facts):
    spec = RunSpec(complete(facts), "8k", TrainConfig())
    with pytest.raises(BadInput):
        spec.most_flops()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs = [", "sweep.py, line 1: '\\[' was never closed"),
        ("x = 1\nruns = undefined", "sweep.py, line 2: name 'undefined' is not defined"),
        ("def runs():\n    yield 1 / 0", "sweep.py, line 2: division by zero"),
        ("from factcap.models import zipped\nruns = zipped(a=[1], b=[])", "line 2: axes zipped"),
        ("other = []", "sweep.py must define `runs`"),
        ("runs = []", "`runs` has no configuration"),
        ("import nonsense_package", "line 1: No module named 'nonsense_package'"),
    ],
)
def test_a_wrong_sweep_file_is_one_line(tmp_path, text, message):
    path = tmp_path / "sweep.py"
    path.write_text(text)
    with pytest.raises(BadInput, match=message) as raised:
        configurations(path)
    assert "\n" not in str(raised.value)


def test_the_example_is_a_dozen_runs():
    path = Path(__file__).parents[3] / "examples" / "sweep_small.py"
    specs = run_specs(configurations(path))
    assert len(specs) == 12
    assert re.fullmatch("[0-9a-f]{16}", specs[0].id)
