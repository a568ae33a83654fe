import os
import sys

# Before JAX starts: what is spread over devices is spread over two in every test.
os.environ["JAX_NUM_CPU_DEVICES"] = "2"
# What asks for no level of its own compiles in two thirds of the time; nothing here runs for long.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from factcap import cli
from factcap.synth import FactSet, Origin, power_law

# The same examples at every run; `make test-slow` looks for new ones.
# Neither asks how long an example takes, nor how long to make one.
timeless = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeat", derandomize=True, **timeless)
settings.register_profile("explore", print_blob=True, **timeless)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))


def make_facts(
    facts: int, *, vocabulary=12, keys=(2, 4), values=(1, 3), exponent=0.0, seed=0
) -> FactSet:
    """Random facts; lengths of keys and values lie in inclusive ranges; no two keys are alike."""
    rng = np.random.default_rng(seed)
    key_length = rng.integers(keys[0], keys[1] + 1, facts)
    value_length = rng.integers(values[0], values[1] + 1, facts)
    length = key_length + value_length
    tokens = rng.integers(0, vocabulary, (facts, int(length.max())))
    number = rng.permutation(vocabulary ** keys[0])[:facts] if keys[0] else np.zeros(facts, int)
    for place in range(keys[0]):
        tokens[:, place] = number // vocabulary**place % vocabulary
    tokens[np.arange(tokens.shape[1]) >= length[:, None]] = 0
    return FactSet(
        keys=pa.array([f"key {i}" for i in range(facts)]),
        values=pa.array([f"value {i}" for i in range(facts)]),
        choices=float(vocabulary) ** value_length,
        frequency=power_law(facts, exponent),
        tokens=tokens.astype(np.int32),
        key_length=key_length.astype(np.int32),
        length=length.astype(np.int32),
        origin=Origin("test", {"facts": facts}, seed, vocabulary),
    )


@pytest.fixture
def facts() -> FactSet:
    return make_facts(40)


@pytest.fixture
def call(monkeypatch, capsys):
    """Run the command line in this process; gives (exit code, stdout, stderr)."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["factcap", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        return code, out, err

    return run
