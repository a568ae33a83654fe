import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from factcap.models import Store, results

ROOT = Path(__file__).parents[2]

# What differs from one making of a run to the next: how long it took, and on what.
TIMES = (
    *("run_seconds", "compile_seconds", "flops_per_second", "peak_flops_per_second"),
    *("peak_share", "device"),
)


def write_sweep(path: Path, runs: int, steps: int = 600) -> Path:
    """A sweep of small runs, half a second each once they are compiled."""
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


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "factcap", *map(str, words)]


# Starts Python again where no file may grow larger.
_LIMITED = (
    "import os, resource, sys; limit = int(sys.argv[1]); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


def start(*words: object, cache: Path, largest_file: int | None = None) -> subprocess.Popen:
    """Start factcap in a process group of its own."""
    python, *rest = command(*words)
    if largest_file is not None:
        rest = ["-c", _LIMITED, str(largest_file), *rest]
    return subprocess.Popen(
        [python, *rest],
        cwd=ROOT,
        env={
            **os.environ,
            "JAX_COMPILATION_CACHE_DIR": str(cache),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen, seconds: float = 300) -> tuple[int, str, str]:
    try:
        out, err = process.communicate(timeout=seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out, err


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
