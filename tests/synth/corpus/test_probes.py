import json
from pathlib import Path

import numpy as np
import pytest

from factcap.synth.corpus import commonest, read_probes
from factcap.synth.errors import BadInput
from tests.real_data import DATA, needs_data


@pytest.fixture
def table(tmp_path):
    rows = [
        "Bo,born,Rome,8",
        "Ana,born,Rome,4",
        "Kim,born,Lima,",
        "Bo,field,law,2",
        "Bo,born,Oslo,1",
    ]
    (tmp_path / "facts.csv").write_text("subject,relation,object,count\n" + "\n".join(rows) + "\n")
    return tmp_path / "facts.csv"


def write_lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def texts(probes) -> list[list[str]]:
    return [[prompt.text for prompt in prompts] for prompts in probes.prompts]


def test_templates_of_a_relation_and_of_all(table):
    patterns = [
        {"pattern": "[X] was born in [Y].", "relation": "born"},
        {"pattern": "[Y] was the place of [X].", "relation": "born"},
        {"pattern": "The fact of [X] is [Y]", "relation": None},
    ]
    probes = read_probes(table, write_lines(table.with_name("t.jsonl"), patterns))
    assert probes.entities == ("Bo", "Ana", "Kim", "Bo")
    assert probes.values == ("Rome", "Rome", "Lima", "law")
    assert texts(probes)[0] == ["Bo was born in ", "The fact of Bo is "]
    assert texts(probes)[3] == ["The fact of Bo is "]
    assert probes.templates["born"] == ("[X] was born in [Y].", "The fact of [X] is [Y]")
    # Kim's count is missing and becomes the median of 8, 4, 2 and 1.
    np.testing.assert_allclose(probes.frequency, np.array([8, 4, 3, 2]) / 17)
    np.testing.assert_allclose(probes.entropy_bits, np.log2([1.5, 1.5, 3, 1]))
    assert probes.notes == (
        "facts without a positive count, which get the median of the others: 1",
        "facts left out for another value of the same entity and relation: 1",
        "templates left out because the value comes before the entity: 1",
    )


def test_patterns_beside_the_table_as_pararel_has_them(tmp_path):
    rows = [{"sub_label": "Bo", "obj_label": "Rome"}, {"sub_label": "Ana", "obj_label": "Lima"}]
    file = write_lines(tmp_path / "P19.jsonl", rows)
    write_lines(tmp_path / "P19.patterns.jsonl", [{"pattern": "[X], born in [Y]"}])
    for probes in (read_probes(file), read_probes(tmp_path)):
        assert probes.relations == ("P19", "P19")
        assert texts(probes) == [["Bo, born in "], ["Ana, born in "]]
        assert probes.accepted == (("Rome",), ("Lima",))


def test_questions_and_accepted_answers_as_popqa_has_them(tmp_path):
    rows = [
        ("Bo", "law", 5, "What does Bo do?", ["law", "legal matters", "law"]),
        ("Bo", "arts", 2, "What does Bo do?", ["arts", "fine arts"]),
        ("Ana", "physics", 3, "What does Ana do?", [" physical science "]),
    ]
    names = ("subj", "obj", "s_pop", "question")
    lines = [
        {
            **dict(zip(names, row, strict=False)),
            "prop": "job",
            "possible_answers": json.dumps(row[4]),
        }
        for row in rows
    ]
    probes = read_probes(write_lines(tmp_path / "q.jsonl", lines))
    assert texts(probes) == [["Q: What does Bo do? A: "], ["Q: What does Ana do? A: "]]
    assert probes.accepted == (("law", "legal matters"), ("physics",))
    assert probes.templates == {"job": ("Q: [X] A: [Y]",)}
    templates = write_lines(tmp_path / "t.jsonl", [{"pattern": "[X] does [Y]."}])
    probes = read_probes(tmp_path / "q.jsonl", templates)
    assert texts(probes)[0] == ["Bo does "]
    assert probes.accepted[0] == ("law", "legal matters")


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (
            [{"pattern": "[X] was born there."}],
            r"born: a template has one \[Y\], not 0: '",
        ),
        ([{"pattern": "in [Y]"}], r"a template has one \[X\], not 0"),
        ([{"pattern": "[Y] of [X]"}], r"born: a relation needs a template with \[X\] before"),
        ([{"text": "[X] [Y]"}], "has no column 'pattern'"),
        ([{"pattern": "[X] [Y]", "relation": "field"}], "no template is known for born"),
        (None, "no template is known for .*facts.csv; give --templates"),
    ],
)
def test_bad_templates(table, patterns, message):
    path = None if patterns is None else write_lines(table.with_name("t.jsonl"), patterns)
    with pytest.raises(BadInput, match=message):
        read_probes(table, path)


def test_bad_answers(tmp_path):
    line = {"subj": "Bo", "prop": "job", "obj": "law", "question": "?", "possible_answers": "law"}
    with pytest.raises(BadInput, match="must be a JSON list of texts, not 'law'"):
        read_probes(write_lines(tmp_path / "q.jsonl", [line]))
    with pytest.raises(BadInput, match=r"absent.csv does not exist"):
        read_probes(tmp_path / "absent.csv")
    with pytest.raises(BadInput, match=r"absent.jsonl does not exist"):
        read_probes(tmp_path / "q.jsonl", tmp_path / "absent.jsonl")


def test_the_commonest_value_of_a_relation():
    relations, values = ["a", "a", "a", "b", "b", "b"], ["x", "y", "x", "y", "y", "x"]
    assert commonest(relations, values).tolist() == [True, False, True, True, True, False]
    assert commonest(["a", "a"], ["x", "y"]).tolist() == [True, False]


@needs_data
def test_real_tables():
    probes = read_probes(DATA / "pararel")
    assert len(probes) > 2000
    assert {len(prompts) for prompts in probes.prompts} == {2, 8, 13}
    probes = read_probes(DATA / "popqa-1000.jsonl")
    assert probes.accepted[0][:2] == ("politician", "political leader")
