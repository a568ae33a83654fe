import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factcap.models import Job, TrainConfig, TransformerConfig, named_size, train_together
from factcap.models.training import memory
from factcap.models.training.memory import (
    activation_bytes,
    check_fits,
    facts_at_once,
    free_memory_bytes,
    member_bytes,
)
from factcap.models.transformer.fast.values import Reading
from factcap.models.transformer.layout import Layout
from factcap.synth import BadInput, bitstrings
from tests.conftest import make_facts

FACTS = make_facts(10, keys=(3, 3), values=(2, 2))
LAYOUT = Layout.of([FACTS])


def reading(width=8, vocabulary=12, depth=2):
    model = TransformerConfig(vocabulary=vocabulary, width=width, depth=depth, heads=1)
    return Reading(model, LAYOUT.context)


def test_memory_grows_with_what_is_kept():
    def needed(width, batch):
        return member_bytes(reading(width), LAYOUT, batch)

    assert needed(8, 16) < needed(8, 32) < needed(64, 32)
    assert needed(64, 1) > 16 * reading(64).model.parameters


@given(
    st.integers(1, 1024),
    st.integers(2, 1025),
    st.sampled_from([8, 64, 768]),
    st.sampled_from([12, 50_257]),
    st.booleans(),
)
def test_a_batch_is_read_in_equal_parts_that_fit(facts, time, width, vocabulary, cpu):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "on_cpu", lambda: cpu)
        read = reading(width, vocabulary)
        count = facts_at_once(read, facts, time)
        most = memory._CPU_BYTES if cpu else memory._ACCELERATOR_BYTES
    assert facts % count == 0
    each = activation_bytes(read.model, time - 1)
    assert count == 1 or count * each <= most
    if not cpu and facts * each <= most:
        assert count == facts


def test_gpt2_on_rows_of_512_positions_fits_a_machine_of_24_gib():
    model = named_size("gpt2-small", 50_257)
    long = Reading(model, 512)
    layout = Layout.of([bitstrings(4, vocabulary=2, length=513, seed=0)])
    assert activation_bytes(model, 32 * 512) > 24 * 2**30  # all at once does not
    assert member_bytes(long, layout, 32) < 12 * 2**30


def test_what_does_not_fit_is_refused_with_what_would():
    read = Reading(named_size("3.2M", 12), LAYOUT.context)
    needed = member_bytes(read, LAYOUT, 16)
    check_fits(read, LAYOUT, 16, needed)
    check_fits(read, LAYOUT, 16, 0)  # not known
    with pytest.raises(BadInput, match=r"0.1 GiB are free; --model 0.8M would fit"):
        check_fits(read, LAYOUT, 16, needed - 1)
    with pytest.raises(BadInput, match=r"0.0 GiB are free; no named size would fit"):
        check_fits(read, LAYOUT, 16, 1000)


def test_it_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("factcap.models.runs.ensemble.free_memory_bytes", lambda: 1000)
    job = Job(FACTS, reading().model, TrainConfig(), tmp_path / "run")
    with pytest.raises(BadInput, match="needs about"):
        list(train_together([job]))
    assert not (tmp_path / "run").exists()


def test_free_memory_is_asked_of_the_system_or_of_the_device(monkeypatch, tmp_path):
    assert free_memory_bytes() > 2**20
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: 7 kB\n")
    monkeypatch.setattr(memory, "_MEMORY_INFO", info)
    assert free_memory_bytes() == 7 * 1024
    monkeypatch.setattr(memory, "_MEMORY_INFO", tmp_path / "none")
    assert free_memory_bytes() > 2**20

    class Device:
        def __init__(self, stats):
            self.memory_stats = lambda: stats

    monkeypatch.setattr(memory, "on_cpu", lambda: False)
    devices = [Device({"bytes_limit": 10, "bytes_in_use": 3}), Device(None)]
    monkeypatch.setattr(jax, "local_devices", lambda: devices)
    assert free_memory_bytes() == 7
