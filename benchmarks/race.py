"""A workload trained by both engines in turn, and what came out."""

import importlib.metadata
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import jax

from benchmarks.processes import Crew, EngineFailed, usable_cores
from benchmarks.task import Task
from benchmarks.workloads import Workload
from factcap.models.instructions import cpu_flags, cpu_name

# At 29k parameters on CPU max-autotune was as fast as default.
PEER_MODES = {
    "cpu": ("eager", "eager plain", "default", "default plain"),
    "gpu": ("eager", "default", "reduce-overhead", "max-autotune-no-cudagraphs"),
}
# Mean final losses may differ by this many nats and three standard errors of their difference:
# the engines draw other initial values and other facts from a seed.
LOSS_TOLERANCE = 0.05
_STANDARD_ERRORS = 3.0
_LONG_TURN = 2.0  # seconds
# What decides how fast products are on a CPU.
_FEATURES = {"avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16"}

Say = Callable[[str], object]


@dataclass(frozen=True)
class Setup:
    """How an engine is run.

    Attributes:
        mode: the `setup` of a `Task`.
        cores: those of each process.
    """

    mode: str
    cores: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        processes, threads = len(self.cores), len(self.cores[0])
        return f"{self.mode}, {processes} x {threads} thread{'s' if threads > 1 else ''}"


def peer_setups(
    device: str, cores: Sequence[int], members: int, modes: Sequence[str] | None = None
) -> Iterator[Setup]:
    """Each mode in one process of all cores and, on CPU, in one pinned process a core."""
    for mode in modes or PEER_MODES[device]:
        yield Setup(mode, (tuple(cores),))
        if device == "cpu" and min(len(cores), members) > 1:
            yield Setup(mode, tuple((core,) for core in cores[:members]))


def our_setup(device: str, cores: Sequence[int], members: int) -> Setup:
    """On CPU one pinned process a core; on a GPU one program for all members."""
    if device == "cpu":
        return Setup("in turn", tuple((core,) for core in cores[:members]))
    return Setup("together" if members > 1 else "in turn", (tuple(cores),))


def race(
    workload: Workload, device: str, say: Say, modes: Sequence[str] | None = None
) -> dict[str, Any]:
    """Find the peer's best set-up, train in turns, and compare; the entry of the report.

    Args:
        workload: what to train.
        device: `cpu` or `gpu`.
        say: called with what is being done, a short line.
        modes: of the peer, to search; None: those of `PEER_MODES`.

    Raises:
        EngineFailed: if ours fails, or every set-up of the peer.
    """
    cores = usable_cores()
    facts, recipe = workload.fact_set(), workload.recipe()

    def task(setup: Setup, precision: str, members: int) -> Task:
        return Task(
            recipe=recipe,
            facts=facts,
            members=tuple(range(members)),
            segment=workload.segment,
            precision=precision,
            setup=setup.mode,
            device=device,
        )

    with ExitStack() as running:
        setups = list(peer_setups(device, cores, workload.members, modes))
        best, peer, failures = _fastest(workload, device, setups, task, say)
        running.enter_context(peer)
        mine = our_setup(device, cores, workload.members)
        ours = running.enter_context(Crew("benchmarks.ours", mine.cores))
        say(f"{workload.name}: compiling")
        ours.start(task(mine, workload.precision, workload.members))
        peer.start(task(best, workload.precision, workload.members))
        seconds: dict[Crew, list[float]] = {ours: [], peer: []}
        losses: dict[Crew, list[float]] = {}
        for pair in range(workload.pairs):
            say(f"{workload.name}: pair {pair + 1} of {workload.pairs}")
            # Neither is always the first.
            for crew in (ours, peer) if pair % 2 == 0 else (peer, ours):
                taken, losses[crew] = crew.advance()
                seconds[crew].append(taken)
    turn = workload.members * workload.segment * workload.batch * facts.tokens.shape[1]
    return {
        "workload": workload.name,
        "parameters": workload.model().parameters,
        "precision": workload.precision,
        "device": device,
        **machine(device),
        "members": workload.members,
        "peer": str(best),
        "peer_searched": [str(setup) for setup in setups],
        "peer_failures": failures,
        **summarize(seconds[ours], seconds[peer], turn),
        **compare_losses(losses[ours], losses[peer]),
    }


def machine(device: str) -> dict[str, Any]:
    """What was raced on: for each row, since rows of other machines cannot be compared."""
    versions = {name: importlib.metadata.version(name) for name in ("jax", "torch")}
    if device == "gpu":
        return {"machine": jax.devices("gpu")[0].device_kind, **versions}
    features = sorted(cpu_flags() & _FEATURES)
    return {"machine": cpu_name(), "features": features, "cores": len(usable_cores()), **versions}


def summarize(ours: Sequence[float], peer: Sequence[float], tokens: int) -> dict[str, Any]:
    """Ratios of speed pair by pair, and tokens a second in the median turn.

    Args:
        ours: seconds of each of our turns.
        peer: seconds of each of the peer's.
        tokens: of one turn.
    """
    ratios = [theirs / own for own, theirs in zip(ours, peer, strict=True)]
    return {
        "pairs": len(ratios),
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "ours_tokens_per_second": tokens / statistics.median(ours),
        "peer_tokens_per_second": tokens / statistics.median(peer),
    }


def compare_losses(ours: Sequence[float], peer: Sequence[float]) -> dict[str, Any]:
    """Mean final losses of the members, and whether they agree within the tolerance."""
    variance = sum(_variance(losses) / len(losses) for losses in (ours, peer))
    tolerance = LOSS_TOLERANCE + _STANDARD_ERRORS * math.sqrt(variance)
    mean_ours, mean_peer = statistics.fmean(ours), statistics.fmean(peer)
    return {
        "final_loss_ours": mean_ours,
        "final_loss_peer": mean_peer,
        "loss_tolerance": tolerance,
        # Not a number agrees with nothing.
        "losses_agree": abs(mean_ours - mean_peer) <= tolerance,
    }


def _variance(losses: Sequence[float]) -> float:
    return statistics.variance(losses) if len(losses) > 1 else 0.0


def _fastest(
    workload: Workload,
    device: str,
    setups: Sequence[Setup],
    task: Callable[[Setup, str, int], Task],
    say: Say,
) -> tuple[Setup, Crew, dict[str, str]]:
    """The peer's fastest set-up with its processes still running, and the set-ups that failed."""
    members = min(workload.members, len(usable_cores())) if device == "cpu" else 1
    best: tuple[float, Setup, Crew] | None = None
    failures: dict[str, str] = {}
    with ExitStack() as running:
        for group in started_at_once(device, setups):
            say(f"{workload.name}: PyTorch {', '.join(map(str, group))}")
            crews = [running.enter_context(Crew("benchmarks.peer", each.cores)) for each in group]
            with ThreadPoolExecutor(len(group)) as pool:
                starts = [
                    pool.submit(crew.start, task(setup, workload.precision, members))
                    for setup, crew in zip(group, crews, strict=True)
                ]
            for setup, crew, start in zip(group, crews, starts, strict=True):
                try:
                    start.result()
                    seconds = crew.advance()[0]
                    if seconds < _LONG_TURN:  # a short one is less certain
                        seconds = min(seconds, crew.advance()[0])
                except EngineFailed as error:
                    failures[str(setup)] = str(error)
                    crew.close()
                    continue
                slower = crew
                if best is None or seconds < best[0]:
                    slower, best = None if best is None else best[2], (seconds, setup, crew)
                if slower is not None:
                    slower.close()
        running.pop_all()
    if best is None:
        raise EngineFailed(f"PyTorch fails in every set-up: {next(iter(failures.values()))}")
    return best[1], best[2], failures


def started_at_once(device: str, setups: Iterable[Setup]) -> list[list[Setup]]:
    """The set-ups in groups that compile beside each other.

    On CPU each alone, since they share the cores. On a GPU compiling leaves the device idle, but
    for the one that tunes its kernels by timing them: it starts when the others have ended.
    """
    if device == "cpu":
        return [[setup] for setup in setups]
    tunes = {True: [], False: []}
    for setup in setups:
        tunes["autotune" in setup.mode].append(setup)
    return [group for group in (tunes[False], tunes[True]) if group]
