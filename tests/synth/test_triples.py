import csv
import json
import math
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput, load, write
from factcap.synth.tabular.triples import triples
from tests.real_data import DATA, needs_data

short = st.text("ab '-.é", min_size=1, max_size=5).map(str.strip).filter(bool)
phrases = st.lists(st.tuples(short, st.sampled_from("rq"), short), min_size=1, max_size=12)


def from_rows(rows, columns=("subject", "relation", "object", "count"), **options):
    """The fact set of rows that are written as JSONL; None leaves a cell out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        entries = [dict(zip(columns, row, strict=False)) for row in rows]
        path.write_text("\n".join(map(json.dumps, entries)), encoding="utf-8")
        return triples(path, **options)


def parts(facts):
    """Tokens of each fact's relation, subject, object and end."""
    return [
        (row[0], tuple(row[1:key]), tuple(row[key : end - 1]), row[end - 1])
        for row, key, end in zip(facts.tokens.tolist(), facts.key_length, facts.length, strict=True)
    ]


def by_key(facts):
    # Rounded: the sum that frequencies are divided by depends on the order in its last digits.
    frequency = facts.frequency.round(12)
    columns = (facts.values.to_pylist(), facts.choices, frequency, parts(facts))
    return dict(zip(facts.keys.to_pylist(), zip(*columns, strict=True), strict=True))


def assert_same(left, right):
    assert (left.keys, left.values) == (right.keys, right.values)
    np.testing.assert_array_equal(left.tokens, right.tokens)
    np.testing.assert_array_equal(left.key_length, right.key_length)
    np.testing.assert_array_equal(left.length, right.length)
    np.testing.assert_array_equal(left.choices, right.choices)
    np.testing.assert_allclose(left.frequency, right.frequency, rtol=1e-12)
    assert left.vocabulary_size == right.vocabulary_size


def lines_of(name):
    return (DATA / name).read_text(encoding="utf-8").splitlines()


def settled(rows):
    """What the rows come to, one by one: {(relation, subject): (object, count)}, in order."""
    given_counts = [count for *_, count in rows if count is not None]
    positive = [count for count in given_counts if count > 0]
    missing = min(positive, default=1) if given_counts else 1
    total = defaultdict(float)
    for subject, relation, object_, count in rows:
        total[relation, subject, object_] += missing if count is None else count
    best = {}
    for (relation, subject, object_), count in total.items():
        if (relation, subject) not in best or count > best[relation, subject][1]:
            best[relation, subject] = (object_, count)
    kept = [key for key in total if best[key[:2]][0] == key[2]]
    return {key[:2]: best[key[:2]] for key in kept}


rows = st.lists(
    st.tuples(
        st.sampled_from("stu"),
        st.sampled_from("rq"),
        st.sampled_from("abc"),
        st.none() | st.integers(0, 4),
    ),
    min_size=1,
    max_size=15,
).filter(lambda rows: any(count for *_, count in rows))


@given(rows)
def test_rows_merge_and_the_most_counted_object_is_kept(rows):
    kept = settled(rows)
    facts = from_rows(rows)
    assert facts.keys.to_pylist() == [f"{relation}: {subject}" for relation, subject in kept]
    assert facts.values.to_pylist() == [object_ for object_, _ in kept.values()]
    counts = np.array([count for _, count in kept.values()])
    np.testing.assert_allclose(facts.frequency, counts / counts.sum())


@given(rows)
def test_choices_are_two_to_the_entropy_of_the_relation(rows):
    kept = settled(rows)
    facts = from_rows(rows)
    for (relation, _), bits in zip(kept, facts.entropy_bits, strict=True):
        counts = Counter(object_ for (r, _), (object_, _) in kept.items() if r == relation)
        n = counts.total()
        expected = sum(c / n * math.log2(n / c) for c in counts.values())
        assert bits == pytest.approx(expected, abs=1e-12)


@given(phrases, st.sampled_from(["word", "character"]))
def test_tokens_tell_all_texts_apart_and_share_what_they_share(rows, level):
    facts = from_rows(rows, level=level)
    relations, subjects, objects, ends = zip(*parts(facts), strict=True)
    assert set(ends) == {0}
    keys = [key.split(": ", 1) for key in facts.keys.to_pylist()]
    text_of = {}
    for tokens, text in [
        *zip(subjects, (subject for _, subject in keys), strict=True),
        *zip(objects, facts.values.to_pylist(), strict=True),
    ]:
        assert text_of.setdefault(tokens, text) == text
        assert len(tokens) == len(text) or level == "word"
    assert len(set(text_of.values())) == len(text_of)
    assert len(set(zip(relations, (relation for relation, _ in keys), strict=True))) == len(
        set(relations)
    )
    used = {token for tokens in text_of for token in tokens} | set(relations) | {0}
    assert not set(relations) & {token for tokens in text_of for token in (*tokens, 0)}
    assert used <= set(range(facts.vocabulary_size))


def test_a_word_is_one_token_wherever_it_stands():
    facts = from_rows([("York", "in", "New York"), ("O'York-x York", "in", "York")])
    (_, york, new_york, _), (_, long_name, york_again, _) = parts(facts)
    assert york == york_again == new_york[1:] == long_name[-1:]
    assert [len(york), len(new_york), len(long_name)] == [1, 2, 6]
    joined = from_rows([("York", "in", "a"), ("xYork", "in", "a")])
    assert parts(joined)[0][1] != parts(joined)[1][1][-1:]


@pytest.mark.parametrize("seed", [None, 3])
def test_fewer_facts_are_a_prefix(seed):
    rng = np.random.default_rng(0)
    rows = [(f"s {i}", f"r{i % 3}", f"o {rng.integers(9)}", i + 1) for i in range(60)]
    whole = from_rows(rows, seed=seed)
    for count in (1, 7, 60):
        assert_same(from_rows(rows, seed=seed, facts=count), whole.prefix(count))
    in_file_order = [f"r{i % 3}: s {i}" for i in range(60)]
    assert (whole.keys.to_pylist() == in_file_order) == (seed is None)
    assert by_key(whole) == by_key(from_rows(rows))


def test_all_formats_and_a_file_of_our_own_give_the_same_facts(tmp_path):
    rows = [(f"s, {i}", f"r{i % 2}", f'o "{i % 5}"', 2 * i + 1) for i in range(20)]
    columns = ("subj", "prop", "obj", "s_pop")
    expected = from_rows(rows, columns)
    table = pa.table(
        {name: list(cells) for name, cells in zip(columns, zip(*rows, strict=True), strict=True)}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    pa_csv.write_csv(table, tmp_path / "t.csv")
    assert_same(triples(tmp_path / "t.parquet"), expected)
    assert_same(triples([tmp_path / "t.csv"]), expected)
    write(expected, tmp_path / "facts.parquet")
    assert_same(load(tmp_path / "facts.parquet"), expected)


def test_the_notes_say_what_was_changed():
    rows = [
        ("s", "r", "a", 2),
        ("s", "r", "a", 1),
        ("s", "r", "b", 1),
        ("t", "r", "a"),
        ("", "r", "a"),
    ]
    notes = from_rows(rows).origin.notes
    for words in (
        "empty subject, relation or object: 1",
        "without a count, which take the smallest positive one: 1",
        "rows that repeat a triple, whose counts add up: 1",
        "another object of the same key, of higher count or first: 1",
        "r: 2 facts, 1 objects, 0.00 bits, low by about 0.00; the commonest object is right for 1",
    ):
        assert sum(words in note for note in notes) == 1
    many = from_rows([(f"s{i}", f"r{i}", "o") for i in range(25)]).origin.notes
    assert many[-1] == "and 5 smaller relations"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"facts": 0}, "there are 2 facts; ask for 1 to that many, not 0"),
        ({"facts": 3}, "there are 2 facts"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"subject": "nobody"}, "no column 'nobody'"),
        ({"facts": 1}, "all counts are 0"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, message):
    with pytest.raises(BadInput, match=message) as caught:
        from_rows([("s", "r", "o", 0), ("t", "r", "o", 1)], **arguments)
    assert "\n" not in str(caught.value)


@needs_data
def test_characters_of_comics_a_wide_table():
    columns = ("ALIGN", "EYE", "HAIR", "SEX", "ID")
    facts = triples(DATA / "dc-characters.csv", subject="name", object=columns, count="APPEARANCES")
    with (DATA / "dc-characters.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {
        f"{name}: {row['name']}": (row[name], int(row["APPEARANCES"] or 1))
        for row in rows
        for name in columns
        if row[name]
    }
    assert facts.keys.to_pylist() == list(expected)
    assert facts.values.to_pylist() == [value for value, _ in expected.values()]
    counts = np.array([count for _, count in expected.values()], float)
    np.testing.assert_allclose(facts.frequency, counts / counts.sum())


@needs_data
def test_questions_on_people_a_long_table():
    facts = triples(DATA / "popqa-1000.jsonl")
    entries = [json.loads(line) for line in lines_of("popqa-1000.jsonl")]
    keys = dict.fromkeys(f"{entry['prop']}: {entry['subj']}" for entry in entries)
    assert set(facts.keys.to_pylist()) == set(keys)
    assert len(facts) == len(keys)
    views = {(entry["subj"], entry["prop"], entry["obj"]): entry["s_pop"] for entry in entries}
    by_fact = [
        views[key.split(": ", 1)[1], key.split(": ", 1)[0], value]
        for key, value in zip(facts.keys.to_pylist(), facts.values.to_pylist(), strict=True)
    ]
    np.testing.assert_allclose(facts.frequency, np.array(by_fact) / sum(by_fact))


@needs_data
def test_relations_of_a_folder_one_a_file():
    facts = triples(DATA / "pararel")
    pairs = defaultdict(set)
    for relation in ("P103", "P19", "P36"):
        for line in lines_of(f"pararel/{relation}.jsonl"):
            entry = json.loads(line)
            pairs[f"{relation}: {entry['sub_label']}"].add(entry["obj_label"])
    assert sorted(facts.keys.to_pylist()) == sorted(pairs)
    assert all(
        value in pairs[key]
        for key, value in zip(facts.keys.to_pylist(), facts.values.to_pylist(), strict=True)
    )
    assert len(set(facts.choices)) == 3
