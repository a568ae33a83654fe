import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.synth import BadInput
from factcap.synth.selection import Evidence, identifiers, select, table
from factcap.synth.selection.cut import find_cut, sortable, unsorted
from factcap.synth.selection.frequencies import shrunk_counts
from factcap.synth.selection.stream import STREAMED, select_file
from factcap.synth.selection.table import LossTable

ROWS = 500


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Batches and hash files so small that there are several."""
    monkeypatch.setattr(table, "_ROWS", 64)
    monkeypatch.setattr(identifiers, "_TOGETHER", 100)


def columns(seed=0, **changed):
    rng = np.random.default_rng(seed)
    bits = rng.choice([8.0, 16.0, 20.5], ROWS)
    made = {
        "id": np.arange(ROWS)[::-1],
        "loss": bits * rng.random(ROWS).round(2),  # rounded: there are ties
        "bits": bits,
        "count": rng.zipf(2.0, ROWS),
    }
    return {
        name: made[name] if value is None else value for name, value in (made | changed).items()
    }


def written(folder, **changed):
    path = folder / "losses.parquet"
    pq.write_table(pa.table({k: v for k, v in columns(**changed).items() if v is not False}), path)
    return path


def weights_of(path, out, scheme, budget, **options):
    report = select_file(LossTable(path, **options), scheme, budget, out)
    return pq.read_table(out), report


def _frequency(scheme, count):
    return shrunk_counts(count) if scheme == "worth" else count


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("scheme", [name for name in STREAMED if name != "random"])
def test_a_stream_gives_what_all_rows_in_memory_give(tmp_path, scheme, counted):
    if scheme == "frequency" and not counted:
        return
    path = written(tmp_path, **({} if counted else {"count": False}))
    made = columns()
    count = made["count"].astype(float)
    for number, share in enumerate((0.003, 0.2, 0.63, 0.99, 1.0)):
        budget = share * float(made["bits"].sum())
        found, report = weights_of(path, tmp_path / f"{number}", scheme, budget)
        evidence = Evidence(
            made["loss"],
            count if counted else np.ones(ROWS),
            made["bits"],
            budget,
            _frequency(scheme, count) if counted else None,
        )
        expected = select(scheme, evidence)
        np.testing.assert_allclose(found["weight"].to_numpy(), expected, rtol=1e-12)
        assert found["id"].to_pylist() == made["id"].tolist()
        assert report.kept == (expected > 0).sum()
        assert report.kept_bits == pytest.approx(made["bits"][expected > 0].sum())
        assert report.kept_in_bin.sum() == report.kept
        assert report.offered_in_bin.sum() == ROWS


def test_random_keeps_the_budget_and_another_seed_keeps_others(tmp_path):
    path, budget = written(tmp_path), 0.3 * float(columns()["bits"].sum())
    kept = []
    for number, seed in enumerate((0, 0, 1)):
        out = tmp_path / str(number)
        report = select_file(LossTable(path), "random", budget, out, seed=seed)
        assert budget - 20.5 < report.kept_bits <= budget
        kept.append(pq.read_table(out)["weight"].to_numpy() > 0)
    assert np.array_equal(kept[0], kept[1])
    assert not np.array_equal(kept[0], kept[2])
    assert abs(np.flatnonzero(kept[0]).mean() - ROWS / 2) < 40


def test_the_file_is_the_same_every_time(tmp_path):
    path = written(tmp_path)
    for name in ("a", "b"):
        weights_of(path, tmp_path / name, "worth", 2000.0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_expected_accuracy_is_that_of_even_spreading_and_of_whole_facts(tmp_path):
    path = written(tmp_path, bits=np.full(ROWS, 4.0), loss=np.linspace(0, 4, ROWS))
    _, report = weights_of(path, tmp_path / "w", "loss_h", 4.0 * ROWS / 2)
    assert report.accuracy_before == pytest.approx(2.0**-2)
    assert report.accuracy_after == pytest.approx(0.5 + 0.5 / 16)
    count = columns()["count"]
    after = np.where(np.arange(ROWS) < ROWS / 2, 1.0, 1 / 16)
    assert report.weighted_after == pytest.approx(count @ after / count.sum())


def test_texts_as_ids_and_nats(tmp_path):
    ids = [f"é{i:03}" for i in range(ROWS)]
    path = written(tmp_path, id=ids, bits=False, count=False)
    found, report = weights_of(path, tmp_path / "w", "loss_h", 500.0, bits_each=10.0, unit_bits=2.0)
    assert found["id"].to_pylist() == ids
    assert report.kept == 50
    assert report.cut == 2 * np.sort(columns()["loss"])[49]


@given(st.lists(st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 1.0]), min_size=1), st.data())
def test_the_cut_is_that_of_sorting(keys, data):
    key = np.array(keys)
    bits = np.array(data.draw(st.lists(st.integers(1, 9), min_size=len(key), max_size=len(key))))
    budget = data.draw(st.integers(0, int(bits.sum()) - 1))
    half = len(key) // 2
    parts = [(key[:half], bits[:half].astype(float)), (key[half:], bits[half:].astype(float))]
    keep = find_cut(lambda: iter(parts), float(budget)).keeper()
    found = np.concatenate([keep(*part) for part in parts])
    order = np.argsort(key + 0.0, kind="stable")
    expected = np.zeros(len(key), bool)
    expected[order[np.cumsum(bits[order]) <= budget]] = True
    assert np.array_equal(found, expected)


@given(st.lists(st.floats(allow_nan=False), min_size=2, unique=True))
def test_codes_have_the_order_of_the_numbers(numbers):
    array = np.sort(np.array(numbers))
    code = sortable(array)
    assert np.all(np.diff(code.astype(object)) >= 0)
    assert np.array_equal(unsorted(code), array)


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.int32(), pa.string()])
def test_a_duplicate_far_away_is_found(tmp_path, kind):
    made = np.random.default_rng(0).permutation(ROWS)
    assert identifiers.find_duplicate(lambda: _batches(made, kind), ROWS, tmp_path) is None
    made[431] = made[17]
    found = identifiers.find_duplicate(lambda: _batches(made, kind), ROWS, tmp_path)
    assert found is not None
    assert (str(found[0]), *found[1:]) == (str(made[17]), 17, 431)
    assert list(tmp_path.iterdir()) == []


def _batches(numbers, kind):
    for start in range(0, len(numbers), 64):
        yield pa.array(numbers[start : start + 64]).cast(kind)


def test_hashes_tell_long_texts_and_swapped_places_apart():
    texts = ["", "\0", "\0\0", "x" * 300, "x" * 301, "a" + "x" * 256 + "b", "b" + "x" * 256 + "a"]
    array = pa.array(texts)
    assert len(set(identifiers.hashes(array).tolist())) == len(texts)
    assert identifiers.hashes(array.slice(3, 2)).tolist() == identifiers.hashes(array).tolist()[3:5]


@pytest.mark.parametrize(
    ("changed", "scheme", "budget", "message"),
    [
        ({"loss": np.where(np.arange(ROWS) == 77, np.nan, 1.0)}, "loss_h", 9, "row 77 has nan"),
        ({"loss": np.where(np.arange(ROWS) == 77, np.inf, 1.0)}, "loss_h", 9, "row 77 has inf"),
        ({"loss": np.where(np.arange(ROWS) == 77, -1, 1)}, "loss_h", 9, "loss must be .* -1"),
        ({"bits": np.where(np.arange(ROWS) == 77, -1, 1)}, "loss_h", 9, "bits must be .* -1"),
        ({"count": np.zeros(ROWS)}, "worth", 9, "all counts are 0"),
        ({"loss": ["x"] * ROWS}, "loss_h", 9, "'loss' must hold numbers, not string"),
        ({"loss": pa.array([None] + [1.0] * (ROWS - 1))}, "loss_h", 9, "missing values"),
        ({"id": np.arange(ROWS) // 499}, "loss_h", 99, "the id 0 occurs twice, in rows 0 and 1;"),
        ({"id": np.ones(ROWS) / 3}, "loss_h", 99, "ids must be integers or texts"),
        ({"id": pa.array([None] + ["a"] * (ROWS - 1))}, "loss_h", 99, "none missing"),
        ({"loss": False}, "loss_h", 99, "lacks the column 'loss'; it needs id and loss"),
        ({"bits": False}, "loss_h", 99, "give the entropy of an example as --bits-each"),
        ({"extra": np.ones(ROWS)}, "loss_h", 99, "unknown column 'extra'; known are id, loss"),
        ({}, "loss_h", 1e9, "is above the .* nothing needs to go"),
        ({}, "loss_h", 0.0, "the budget must be positive, in bits, not 0"),
        ({}, "loss_h", float("nan"), "the budget must be positive, in bits, not nan"),
        ({}, "loss_h", 1.0, "too small for the first example that loss_h would keep"),
        ({}, "best", 99, "no scheme is called 'best'; there are random"),
        ({}, "influence", 99, "influence needs the model; of a file of losses there are"),
        ({"count": False}, "frequency", 99, "needs a column count"),
    ],
)
def test_bad_files_are_refused_and_nothing_is_left(tmp_path, changed, scheme, budget, message):
    path = written(tmp_path, **changed)
    with pytest.raises(BadInput, match=message) as caught:
        select_file(LossTable(path), scheme, float(budget), tmp_path / "w.parquet")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_are_none_are_refused(tmp_path):
    empty = tmp_path / "empty.parquet"
    pq.write_table(
        pa.table({"id": pa.array([], pa.int64()), "loss": pa.array([], pa.float64())}), empty
    )
    with pytest.raises(BadInput, match="is empty; it needs at least one example"):
        LossTable(empty, 1.0)
    (tmp_path / "text").write_text("id,loss\n1,2\n")
    with pytest.raises(BadInput, match="is not a readable Parquet file"):
        LossTable(tmp_path / "text")
    with pytest.raises(BadInput, match="does not exist"):
        LossTable(tmp_path / "absent")
    path = written(tmp_path)
    with pytest.raises(BadInput, match="exists; choose another name"):
        select_file(LossTable(path), "loss_h", 99.0, path)
