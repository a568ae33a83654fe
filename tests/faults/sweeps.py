import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from factcap.models import Store, results
from tests.faults import killable

ROOT = Path(__file__).parents[2]

# What differs from one making of a run to the next: how long it took, and on what.
TIMES = (
    *("run_seconds", "compile_seconds", "flops_per_second", "peak_flops_per_second"),
    *("peak_share", "device"),
)


def write_sweep(path: Path, runs: int, steps: int = 300) -> Path:
    """A sweep of small runs that can save a state at each 100 steps, their last one too."""
    path.write_text(
        "from factcap.models import product\n"
        'bits = {"generator": "bitstrings", "vocabulary": 16, "length": 6, "key_length": 3}\n'
        "runs = product(\n"
        f'    facts=[{{**bits, "facts": facts}} for facts in (20, 60)], seed=range({runs // 2}),\n'
        '    model=[{"width": 8, "depth": 1, "heads": 1}], exposures=[1], batch=[16],\n'
        f"    fewest_steps=[{steps}], saturate=[False], optimizer=['adamw'],\n"
        ")\n"
    )
    return path


# Starts Python again where no file may grow larger.
_LIMITED = (
    "import os, resource, sys; limit = int(sys.argv[1]); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


def start(
    *words: object, cache: Path, largest_file: int | None = None, moments: Path | None = None
) -> subprocess.Popen:
    """Start factcap in a process group of its own.

    Args:
        words: of its command line.
        cache: where compiled programs are kept.
        largest_file: bytes that a file may have.
        moments: at which it is struck; see `tests.faults.killable`.
    """
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    if moments is not None:
        environment[killable.VARIABLE] = str(moments)
    limit = [] if largest_file is None else ["-c", _LIMITED, str(largest_file)]
    module = "factcap" if moments is None else killable.__name__
    return subprocess.Popen(
        [sys.executable, *limit, "-m", module, *map(str, words)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    """Wait for the end of a process and of all that it started; (exit code, stdout, stderr)."""
    try:
        out, err = process.communicate()
    finally:
        end(process)
    return process.returncode, out, err


def end(process: subprocess.Popen) -> None:
    """Kill a process and all that it started, as far as they are there."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def numbers(store: Path) -> list[dict]:
    """The rows of a store, but for what differs from one making to the next."""
    rows = results(Store.open(store)).to_pylist()
    return [{name: row[name] for name in row if name not in TIMES} for row in rows]


def attempts(store: Path) -> dict[str, list[int]]:
    """For each run, the steps at which it began or went on."""
    return {
        path.parent.name: [json.loads(line)["step"] for line in path.read_text().splitlines()]
        for path in sorted(store.glob("runs/*/attempts.jsonl"))
    }
