import warnings

import pytest

from factcap.models import TrainConfig, TransformerConfig, instructions, run, run_spec
from factcap.models.instructions import (
    EmulatedWarning,
    chosen_precision,
    cpu_flags,
    cpu_has_bfloat16,
    cpu_name,
)
from tests.conftest import make_facts

X86 = "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu avx2 avx512_bf16 amx_tile\n\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n\n"


@pytest.fixture
def cpu(monkeypatch, tmp_path):
    """Let a text be what the system says of the CPU."""

    def pretend(text):
        file = tmp_path / "cpuinfo"
        if text is not None:
            file.write_text(text)
        monkeypatch.setattr(instructions, "_CPUINFO", file)
        cpu_flags.cache_clear()

    yield pretend
    cpu_flags.cache_clear()


@pytest.mark.parametrize(
    ("text", "has"),
    [(X86, True), (X86.replace("avx512_bf16", "avx512f"), False), (ARM, True), (None, False)],
)
def test_the_cpu_is_asked_for_its_instructions_and_not_for_its_name(cpu, text, has):
    cpu(text)
    assert cpu_has_bfloat16() == has
    assert (cpu_name() == "A CPU") == (text is not None and "A CPU" in text)


def test_bfloat16_is_warned_of_in_one_line_where_it_is_emulated(cpu, tmp_path):
    facts = make_facts(10)
    model = TransformerConfig(vocabulary=12, width=8, depth=1, heads=1)

    def trained(precision):
        training = TrainConfig(exposures=1, fewest_steps=100, precision=precision)
        return run(facts, model, training, tmp_path / precision)

    cpu(X86.replace("avx512_bf16", ""))
    with pytest.warns(EmulatedWarning, match=r"this CPU \(A CPU\) has no bfloat16 instructions"):
        trained("bfloat16")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained("float32")
        cpu(X86)
        trained("bfloat16")  # read, not run again


def test_auto_is_bfloat16_where_the_cpu_has_it_and_the_run_says_which(cpu, monkeypatch):
    config = {"facts": {"generator": "phonebook", "facts": 10}, "precision": "auto"}
    for text, chosen in ((X86, "bfloat16"), (X86.replace("avx512_bf16", ""), "float32")):
        cpu(text)
        assert chosen_precision("auto") == run_spec(config).training.precision == chosen
        assert run_spec(config).id == run_spec(config | {"precision": chosen}).id
        assert chosen_precision("float32") == "float32"
    cpu(X86)
    monkeypatch.setattr(instructions, "on_cpu", lambda: False)
    assert chosen_precision("auto") == "float32"
