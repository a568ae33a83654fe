"""`python -m benchmarks.step`: what a training step takes on CPU, and what bounds it."""

import argparse
import glob
import gzip
import json
import os
import re
import resource
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

_TRIALS, _LONG_TRIALS = 8, 3
# What the compiler calls matrix products: alone, and joined with what surrounds them.
_PRODUCTS = ("dot", "ynn_fusion")
_HEADER = (
    f"{'size':14}{'precision':>10}{'ms a step':>11}{'least':>9}{'most':>9}{'products':>10}"
    f"{'at peak':>9}{'share of peak':>15}{'GiB':>6}  most of the rest"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each size and precision."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.step", description=__doc__)
    parser.add_argument("--size", nargs="+", default=["29k", "0.8M", "3.2M"])
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument(
        "--form", nargs="+", default=["gelu"], help="of the feed-forward layers, of one active size"
    )
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument(
        "--long", action="store_true", help="rows of 513 tokens, and the vocabulary of GPT-2"
    )
    options = parser.parse_args(arguments)
    # Before JAX makes its threads.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    print(_HEADER, flush=True)
    for size in options.size:
        for precision in options.precision:
            for form in options.form:
                print(line(size, form, precision, options.batch, options.long), flush=True)


def line(size: str, form: str, precision: str, batch: int, long: bool) -> str:
    """The step of a size: its time, that of its products, and what they would take at the peak.

    On one core seconds are those that this process had, so that others may be at work beside it.
    Memory is the most that the process has had so far.
    """
    from factcap.models.runs.ledger import measured_peak

    clock = time.process_time if len(os.sched_getaffinity(0)) == 1 else time.perf_counter
    advance, flops, steps = prepare(size, form, precision, batch, long)
    advance()
    seconds = []
    for _ in range(_LONG_TRIALS if long else _TRIALS):
        begin = clock()
        advance()
        seconds.append((clock() - begin) / steps)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    median, peak = statistics.median(seconds), measured_peak(precision)
    kinds = traced(advance)
    whole = sum(kinds.values())
    shares = {kind: took / whole for kind, took in kinds.most_common()}
    products = sum(share for kind, share in shares.items() if kind.startswith(_PRODUCTS))
    rest = [
        f"{kind.removesuffix('_fusion')} {100 * share:.0f} %"
        for kind, share in shares.items()
        if not kind.startswith(_PRODUCTS)
    ]
    return (
        f"{f'{size} {form}':14}{precision:>10}{1e3 * median:>11.2f}{1e3 * min(seconds):>9.2f}"
        f"{1e3 * max(seconds):>9.2f}{1e3 * median * products:>10.2f}{1e3 * flops / peak:>9.2f}"
        f"{flops / peak / median:>15.0%}{memory:>6.1f}  {', '.join(rest[:4])}"
    )


def prepare(
    size: str, form: str, precision: str, batch: int, long: bool
) -> tuple[Callable[[], None], float, int]:
    """A training: a call that takes some steps, FLOP a step, and how many steps.

    A masked model has twice the units and leaves half of them, a mixture has 8 experts and takes
    one, so that all forms have about as many active parameters.
    """
    import jax

    from benchmarks.workloads import Workload
    from factcap.models import TrainConfig
    from factcap.models.runs.ledger import step_flops
    from factcap.models.training.schedule import make_schedule
    from factcap.models.training.steps import initial_state, scan_steps
    from factcap.models.transformer.fast.values import Reading
    from factcap.models.transformer.layout import Layout, context_length, to_device

    workload = Workload(size, size, precision, 512, 1, batch, pairs=1, segment=1, long=long)
    usual = workload.model()
    layers: dict[str, dict[str, Any]] = {
        "gelu": {},
        "gated": {"feed_forward": "gated"},
        "masked": {
            "feed_forward": "masked",
            "hidden": 8 * usual.width,
            "active": 4 * usual.width,
        },
        "experts": {"feed_forward": "experts", "experts": 8, "active": 1},
    }
    facts, model = workload.fact_set(), replace(usual, **layers[form])
    reading = Reading(model, context_length(facts), precision)
    config = TrainConfig(batch=batch, optimizer="adamw", exposures=1000)
    schedule, rows = make_schedule(config, len(facts), model.width), to_device(facts)
    state = initial_state(model, schedule, 0)
    flops = step_flops(reading, Layout.of([facts]), batch)
    steps = max(1, round(2e10 / flops))

    def advance() -> None:
        nonlocal state
        state, nats = scan_steps(reading, batch, state, rows, schedule, steps=steps, longest=steps)
        jax.block_until_ready(nats)

    return advance, flops, steps


def traced(call: Callable[[], None]) -> Counter[str]:
    """Microseconds of each kind of compiled operation in a call, by `jax.profiler`."""
    import jax

    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            call()
        [path] = glob.glob(f"{folder}/**/*.trace.json.gz", recursive=True)
        with gzip.open(path) as file:
            events: list[dict[str, Any]] = json.load(file)["traceEvents"]
    kinds: Counter[str] = Counter()
    for event in events:
        name = event.get("name", "")
        # Loops are there beside what happens in them.
        if event.get("ph") == "X" and "hlo_op" in event.get("args", {}) and "while" not in name:
            kinds[re.sub(r"[.\d]+$", "", name)] += event["dur"]
    return kinds


if __name__ == "__main__":
    main()
