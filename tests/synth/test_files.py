import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import (
    AliasTable,
    BadInput,
    empirical,
    load,
    load_frequency,
    phonebook,
    scan,
    write,
)
from tests.conftest import make_facts


def test_written_and_read_are_equal(tmp_path):
    facts = make_facts(50, exponent=1.0)
    write(facts, tmp_path / "f.parquet")
    read = load(tmp_path / "f.parquet")
    for field in dataclasses.fields(facts):
        ours, theirs = getattr(facts, field.name), getattr(read, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert ours == theirs
    assert [path.name for path in tmp_path.iterdir()] == ["f.parquet"]
    frequency, choices = load_frequency(tmp_path / "f.parquet")
    np.testing.assert_array_equal(frequency, facts.frequency)
    np.testing.assert_array_equal(choices, facts.choices)


def test_a_stream_is_read_block_by_block(tmp_path):
    write(phonebook(1000).stream(), tmp_path / "f.parquet")
    stream = scan(tmp_path / "f.parquet")
    assert stream.facts == 1000
    assert sum(block.num_rows for block in stream.blocks()) == 1000


def test_what_exists_is_not_overwritten(tmp_path):
    path = tmp_path / "f.parquet"
    path.write_text("precious")
    with pytest.raises(BadInput, match="exists"):
        write(phonebook(3), path)
    assert path.read_text() == "precious"


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def stop(rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(phonebook(3), tmp_path / "f.parquet", progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("frequency", [0.5, -0.5, 1.0], "frequency must be finite and >= 0; fact 1 has -0.5"),
        ("frequency", [0.5, float("nan"), 0.5], "fact 1 has nan"),
        ("frequency", [0.0, 0.0, 0.0], "all frequencies are 0"),
        ("frequency", [0.5, 0.5, 0.5], "must sum to 1; they sum to 1.5"),
        ("frequency", ["a", "b", "c"], "frequency|wrong type"),
        ("choices", [2.0, 0.5, 2.0], "choices must be finite and >= 1; fact 1 has 0.5"),
    ],
)
@pytest.mark.parametrize("read", [load, load_frequency])
def test_wrong_columns_are_named(tmp_path, column, values, message, read):
    write(phonebook(3), tmp_path / "good.parquet")
    table = pq.read_table(tmp_path / "good.parquet")
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array(values)), tmp_path / "bad.parquet")
    with pytest.raises(BadInput, match=message) as caught:
        read(tmp_path / "bad.parquet")
    assert "bad.parquet" in str(caught.value)
    pq.write_table(table.drop_columns([column]), tmp_path / "less.parquet")
    with pytest.raises(BadInput, match=f"lacks the column '{column}'"):
        read(tmp_path / "less.parquet")


def test_files_that_are_no_fact_sets(tmp_path):
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(BadInput, match="not a readable Parquet file"):
        load(tmp_path / "text.parquet")
    with pytest.raises(BadInput, match="does not exist"):
        load(tmp_path / "absent.parquet")
    with pytest.raises(BadInput, match="is not a file"):
        load(tmp_path)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(any))
def test_alias_tables_draw_by_the_frequency(counts):
    frequency = empirical(counts)
    table = AliasTable.build(frequency)
    np.testing.assert_allclose(table.probabilities(), frequency, atol=1e-12)
    assert np.all((table.keep >= 0) & (table.keep <= 1))


def test_draws_follow_the_table():
    frequency = empirical([5, 0, 1, 4])
    drawn = AliasTable.build(frequency).sample(100_000, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 1e5, frequency, atol=0.01)


@pytest.mark.parametrize("read", [load, load_frequency])
def test_damaged_pages_are_bad_input(tmp_path, read):
    path = tmp_path / "facts.parquet"
    write(phonebook(2000), path)
    whole = path.read_bytes()
    messages = []
    for start in range(8, len(whole) - 2000, len(whole) // 60):
        path.write_bytes(whole[:start] + b"\xff" * 200 + whole[start + 200 :])
        try:
            read(path)
        except BadInput as error:
            messages.append(str(error))
    assert messages
    assert all("facts.parquet" in message for message in messages)
