"""Runs of a store that other code has made, taken for those that a sweep wants."""

from collections.abc import Iterable

from factcap.models.runs.directory.reading import attempts, but_for_code, read_config
from factcap.models.sweep.spec import RunSpec
from factcap.models.sweep.store.store import Store
from factcap.synth.errors import BadInput


def made_by_other_code(specs: Iterable[RunSpec], store: Store) -> dict[str, str]:
    """For the runs that a store lacks, those of the same configuration that other code finished.

    Of several the one that was last at work is taken; of those whose time is not known the last by
    name. What other code has begun and not finished does not count, nor what is damaged.

    Args:
        specs: the runs that are wanted.
        store: where they would lie.

    Returns:
        By the name of the wanted run the name of the one that is there.
    """
    begun = store.runs()
    there = set(begun)
    lacking = {but_for_code(spec.config): spec.id for spec in specs if spec.id not in there}
    found: dict[str, tuple[float, str]] = {}
    for run in begun if lacking else ():
        wanted = lacking.get(_made(store, run) or "")
        if wanted is not None:
            candidate = (_last_at_work(store, run), run)
            if candidate > found.get(wanted, (float("-inf"), "")) and store.is_whole(run):
                found[wanted] = candidate
    return {wanted: run for wanted, (_, run) in found.items()}


def _made(store: Store, run: str) -> str | None:
    """What a finished run has made, whatever its code."""
    if not store.is_finished(run):
        return None
    try:
        config = read_config(store.directory(run))
    except BadInput:
        return None
    return but_for_code(config) if config["id"] == run else None


def _last_at_work(store: Store, run: str) -> float:
    """When a run was last begun or taken up; before all times if that is not known."""
    times = (line.get("time") for line in attempts(store.directory(run)))
    return max((time for time in times if isinstance(time, int | float)), default=float("-inf"))
