"""What is said of speed beside what this machine takes: `python -m benchmarks.claims_of_speed`.

Tests ask for no seconds, so that they pass on any machine. These numbers are looked at by hand.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from factcap.capacity import power_law_bound
from factcap.capacity.rules_and_facts import solve_curve
from factcap.models import Store, results, run_specs
from factcap.models.sweep.store.query import where
from factcap.synth.disk.files import write_sealed

_RUNS = 10_000
_LOADS = np.geomspace(0.05, 200, 200).tolist()
_COMMAND = "bound --facts 1e12 --choices 1e6 --exponent 1.2 --bits 1e9"


def claims() -> Iterator[tuple[str, float, float]]:
    """What is claimed, in how many seconds, and the seconds it takes here.

    Each is timed at its second time, when files are read and libraries loaded.
    """
    yield "a bound on 1e12 facts", 0.1, _seconds(lambda: power_law_bound(1e12, 1e6, 1.2, 1e9))
    yield f"factcap {_COMMAND}", 0.4, _seconds(_bound)
    yield "the learner of a hinge at 200 loads", 10.0, _seconds(_learn)
    with tempfile.TemporaryDirectory() as folder:
        store = _store(Path(folder) / "store")
        chosen = _seconds(lambda: where(results(store), "capped == True and accuracy > 0.5"))
        yield f"choosing among {_RUNS:,} runs of a store", 2.0, chosen


def _seconds(call: Callable[[], object]) -> float:
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _bound() -> None:
    words = [sys.executable, "-m", "factcap", *_COMMAND.split()]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def _learn() -> None:
    solve_curve(loss="hinge", alpha=_LOADS, epsilon=0.2, ridge=0.05)


def _store(root: Path) -> Store:
    """A store that says that its runs were made."""
    store = Store.create(root)
    facts = {"generator": "phonebook", "facts": 10}
    specs = run_specs([{"facts": facts, "model": "8k", "seed": seed} for seed in range(_RUNS)])
    for number, spec in enumerate(specs):
        folder = store.directory(spec.id)
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(spec.config))
        outcome = {
            **{"steps": 100, "exposures": 160.0, "capped": number % 2 == 1, "files": {}},
            **{"training": spec.config["training"], "ledger": {"run_seconds": 1.5}},
            "summary": {"facts": 10, "accuracy": number / _RUNS},
        }
        write_sealed(folder / "outcome.json", outcome)
    return store


if __name__ == "__main__":
    print(f"{'seconds here':>12}  {'claimed':>7}")
    for claim, claimed, taken in claims():
        print(f"{taken:12.3f}  {claimed:7g}  {claim}")
