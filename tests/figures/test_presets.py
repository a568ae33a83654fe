import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.figures import FIGURES, figure_presets
from factcap.figures.fields import Count, Items, Positive, Seeds, Share, Size, one_of
from factcap.figures.presets import as_json, as_texts, changed, choose, listing
from factcap.synth import BadInput

WITH_PRESETS = [name for name, entry in FIGURES.items() if entry.quick is not None]


@dataclass(frozen=True)
class Part:
    name: Annotated[str, one_of(("red", "blue"))]
    share: Share = 1.0


@dataclass(frozen=True)
class Inner:
    width: Count = 4
    depth: int = 2

    def __post_init__(self):
        if self.width < self.depth:
            raise BadInput(f"width {self.width} is below depth {self.depth}")


@dataclass(frozen=True)
class Sample:
    """A field of each kind."""

    facts: Count = 10
    offset: int = 0
    rate: Positive = 0.5
    averaged: bool = False
    size: Size = "8k"
    most: Count | None = None
    loads: tuple[Positive, ...] = (0.5, 2.0)
    names: Annotated[tuple[str, ...], Items(empty=True)] = ()
    parts: tuple[Part, ...] = (Part("red"),)
    seeds: Seeds = (0,)
    draws: Mapping[str, Count] = field(default_factory=lambda: {"uniform": 1, "power law": 2})
    inner: Inner = field(default_factory=Inner)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("facts", "1e3", 1000),
        ("facts", "1_000", 1000),
        ("offset", "-3", -3),
        ("rate", "1e-3", 0.001),
        ("averaged", "true", True),
        ("size", "0.1M", "0.1M"),
        ("most", "none", None),
        ("most", "7", 7),
        ("loads", "1", (1.0,)),
        ("loads", "0.5, 1,2", (0.5, 1.0, 2.0)),
        ("names", "", ()),
        ("names", "a,b", ("a", "b")),
        ("parts", "blue:0.5,red", (Part("blue", 0.5), Part("red"))),
        ("seeds", "2", (0, 1)),
        ("seeds", "0,3,7", (0, 3, 7)),
        ("seeds", "7,", (7,)),
        ("draws", "power law:1e6", {"power law": 1_000_000}),
    ],
)
def test_each_kind_is_read(name, text, value):
    found = changed(Sample(), {name: text})
    assert found == replace(Sample(), **{name: value})
    assert type(getattr(found, name)) is type(value)


def test_fields_of_fields_are_put_in_together():
    found = changed(Sample(), {"inner.depth": "9", "facts": "3", "inner.width": "9"})
    assert found == Sample(facts=3, inner=Inner(9, 9))
    with pytest.raises(BadInput, match="width 4 is below depth 9"):
        changed(Sample(), {"inner.depth": "9"})


FIELDS = (
    "facts, offset, rate, averaged, size, most, loads, names, parts, seeds, draws, inner.width, "
    "inner.depth"
)
SIZES = "8k, 29k, 0.1M, 0.2M, 0.8M, 3.2M, 11M, 25M, gpt2-small"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("fact=3", f"there is no field 'fact'; there are {FIELDS}"),
        ("inner=3", f"there is no field 'inner'; there are {FIELDS}"),
        ("facts", "a change must be FIELD=VALUE, not 'facts'"),
        ("=3", "a change must be FIELD=VALUE, not '=3'"),
        ("facts=", "facts must be a whole number, not ''"),
        ("facts=1.5", "facts must be a whole number, not '1.5'"),
        ("facts=0", "facts must be at least 1, not 0"),
        ("inner.width=0", "inner.width must be at least 1, not 0"),
        ("rate=many", "rate must be a number, not 'many'"),
        ("rate=nan", "rate must be a number, not 'nan'"),
        ("rate=inf", "rate must be a number, not 'inf'"),
        ("rate=-1", "rate must be positive, not -1.0"),
        ("averaged=yes", "averaged must be true or false, not 'yes'"),
        ("size=9k", f"no model is called '9k'; there are {SIZES}"),
        ("size=", "size must be a name, not ''"),
        ("most=some", "most must be a whole number, not 'some'"),
        ("most=0", "most must be at least 1, not 0"),
        ("loads=", "loads must have one item at least"),
        ("loads=1,,2", "each of loads must be a number, not ''"),
        ("loads=1,0", "each of loads must be positive, not 0.0"),
        ("loads=1,1.0", "loads must not have an item twice, as in '1,1.0'"),
        ("parts=green", "name of green must be one of red, blue, not green"),
        ("parts=red:2", "share of red:2 must be in (0, 1], not 2.0"),
        ("parts=red:1:1", "each of parts must be name:share or less, not 'red:1:1'"),
        (
            "seeds=0",
            "seeds=0 is a count, which must be 1 to 1000; for 0 alone write seeds=0,",
        ),
        (
            "seeds=20240101",
            "seeds=20240101 is a count, which must be 1 to 1000; for 20240101 alone write "
            "seeds=20240101,",
        ),
        ("seeds=-1,", "each of seeds must be in [0, 2^32), not -1"),
        ("seeds=a", "seeds must be a whole number, not 'a'"),
        ("draws=zipf:3", "draws has no 'zipf'; there are uniform, power law"),
        ("draws=uniform", "uniform of draws must be a whole number, not ''"),
        ("draws=uniform:0", "uniform of draws must be at least 1, not 0"),
        ("draws=", "draws must have one item at least"),
    ],
)
def test_bad_changes_get_one_line(change, line):
    with pytest.raises(BadInput) as error:
        choose("sample", {"one": Sample()}, "one", [change])
    assert str(error.value) == line


def test_a_field_is_given_once_and_presets_are_listed():
    with pytest.raises(BadInput, match=r"^facts is given twice, as 3 and as 4$"):
        choose("sample", {"one": Sample()}, "one", ["facts=3", "facts=4"])
    with pytest.raises(BadInput, match=r"^no preset is called 'two'; there are one$"):
        choose("sample", {"one": Sample()}, "two", ())
    assert listing({"one": Inner(), "two": Inner(5)}) == (
        "one\n  width=4\n  depth=2\ntwo\n  width=5\n  depth=2"
    )


names = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1)
positive = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
some = {"min_size": 1, "max_size": 4, "unique": True}
samples = st.builds(
    Sample,
    facts=st.integers(1, 2**50),
    offset=st.integers(-(2**50), 2**50),
    rate=positive,
    averaged=st.booleans(),
    size=st.sampled_from(["8k", "gpt2-small"]),
    most=st.none() | st.integers(1, 2**50),
    loads=st.lists(positive, **some).map(tuple),
    names=st.lists(names, max_size=4, unique=True).map(tuple),
    parts=st.lists(
        st.builds(Part, st.sampled_from(["red", "blue"]), st.floats(0, 1, exclude_min=True)),
        **some,
    ).map(tuple),
    seeds=st.lists(st.integers(0, 2**32 - 1), **some).map(tuple),
    draws=st.dictionaries(st.sampled_from(list(Sample().draws)), st.integers(1, 99), min_size=1),
    inner=st.builds(Inner, st.integers(5, 9), st.integers(0, 5)),
)


@given(samples)
def test_text_says_all_of_a_preset(sample):
    assert changed(Sample(), as_texts(sample)) == sample
    assert json.loads(json.dumps(as_json(sample)))["draws"] == sample.draws


@pytest.mark.parametrize("name", WITH_PRESETS)
def test_every_preset_is_json_and_comes_back_from_text(name):
    presets = figure_presets(name)
    assert {FIGURES[name].quick, "laptop"} <= set(presets)
    for start in presets.values():
        for end in presets.values():
            texts = json.loads(json.dumps(as_texts(end)))
            whole = as_json(end)
            assert json.loads(json.dumps(whole)) == whole
            if getattr(start, "source", None) == getattr(end, "source", None):
                found = changed(start, texts)
                assert found == end
                assert as_json(found) == whole


def test_functions_are_named_and_not_offered():
    preset = figure_presets("capacity_curve")["gpu"]
    assert as_json(preset)["source"] == "_phonebook"
    assert "source" not in as_texts(preset)
    with pytest.raises(BadInput, match="no field 'source'; there are frequencies, sizes, loads"):
        changed(preset, {"source": "_cities"})


@pytest.mark.parametrize(
    ("name", "changes", "line"),
    [
        (
            "stored_bits",
            ["optimizers=sgd"],
            "each of optimizers must be one of adamw, muon, schedule-free-adamw, "
            "schedule-free-muon, not sgd",
        ),
        ("stored_bits", ["exposures=9,8"], "at must be one of the exposures 9, 8, not 100"),
        ("stored_bits", ["sizes=8k,1k"], f"no model is called '1k'; there are {SIZES}"),
        ("capacity_curve", ["exposures=-1"], "exposures must be positive, not -1.0"),
        (
            "capacity_curve",
            ["frequencies=population:9"],
            "uniform must be one of the frequencies: the capacity is measured there",
        ),
        ("capacity_ratio", ["people=0,8"], "each of people must be at least 1, not 0"),
        ("corpus_selection", ["facts=0"], "facts must be at least 1, not 0"),
        (
            "corpus_selection",
            ["schemes=random"],
            "the scheme random must be told a share of the bits, as in random:spans:0.2",
        ),
        (
            "diffusion_transition",
            ["points=8,16"],
            "posterior_points must be one of the points 8, 16, not 32",
        ),
        (
            "diffusion_transition",
            ["training.steps=150"],
            "steps must be a multiple of 100 and not 0, not 150",
        ),
        (
            "selection_gain",
            ["exponents=1"],
            "0 must be one of the exponents: the capacity is measured on uniform facts",
        ),
        ("selection_gain", ["loads=1e-6"], "a load of 1e-06 is less than one fact of 21 bits"),
        (
            "rules_in_transformers",
            ["facts=2", "epsilons=1"],
            "of 2 facts a share of 0.2 makes no exceptions, or all of them",
        ),
        (
            "rules_in_transformers",
            ["networks.load=1e-3"],
            "a load of 0.001 is less than one point in 100 dimensions",
        ),
        ("equivalent_size", ["times=2,4"], "the first of times must be 1, not 2"),
        (
            "equivalent_size",
            ["seeds=3,", "tuned_on=3,"],
            "seeds are tuned on or reported, not both: [3]",
        ),
        (
            "equivalent_size",
            ["exponents="],
            "there are no exponents and no data; give exponents, or a corpus with --data",
        ),
        ("equivalent_size", ["loads=1e-6"], "a load of 1e-06 is less than one fact of 21 bits"),
        ("what_is_lost", ["load=1e-6"], "a load of 1e-06 is less than one fact of 21 bits"),
        ("what_is_lost", ["others=0"], "others must be at least 1, not 0"),
        ("rules_and_facts", ["dimension=7"], "dimension must be at least 8, not 7"),
        ("kernel_plane", ["repeats=1"], "repeats must be at least 2, not 1"),
    ],
)
def test_what_makes_no_sense_in_a_figure_gets_one_line(call, tmp_path, name, changes, line):
    words = [word for change in changes for word in ("--set", change)]
    code, out, err = call("figure", name, "--out", tmp_path / "new", *words)
    assert (code, out, err) == (2, "", f"factcap: {line}\n")
    assert list(tmp_path.iterdir()) == []


def test_schemes_of_the_corpus_are_checked_by_name(call, tmp_path):
    for scheme, line in (
        ("best", "name of best must be one of random, random_flat, "),
        (
            "loss_h:words",
            "scored of loss_h:words must be one of spans, documents, alone, nothing",
        ),
        ("random:nothing:1", "share of random:nothing:1 must be in [0, 1), not 1.0"),
    ):
        code, _, err = call(
            "figure", "corpus_selection", "--set", f"schemes={scheme}", "--out", tmp_path / "new"
        )
        assert (code, err.count("\n")) == (2, 1)
        assert err.startswith(f"factcap: {line}")
    assert list(tmp_path.iterdir()) == []
