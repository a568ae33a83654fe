"""Ray as the engine of a sweep: workers on the machines of a cluster, one store that all see."""

import socket
from pathlib import Path
from typing import Any

from factcap.models.compiler import keep_compiled
from factcap.models.runs.directory.checkpoints import silence_orbax
from factcap.models.sweep.engines.attempt import Report, attempt
from factcap.models.sweep.engines.cores import pin_to_free_core
from factcap.models.sweep.engines.engine import Task
from factcap.synth.errors import BadInput, require
from factcap.synth.libraries import library

_CONNECT_SECONDS = 10


class RayEngine:
    """Tasks on a Ray cluster, one a CPU, or one a GPU where a node has some.

    The store must lie where every node sees it, with locks that reach across nodes. A task whose
    worker or node dies is reported lost, and the sweep gives it out again.

    Args:
        address: of the cluster's head, `host:port`; `auto` finds the one that this machine is part
            of; None starts one on this machine.

    Raises:
        BadInput: if Ray is not installed or the cluster cannot be reached.
    """

    def __init__(self, address: str | None = None):
        self._ray = library("ray", "cluster")
        _connect(self._ray, address)
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        self.together, self._kind = gpus, "GPU" if gpus else "CPU"
        # The sweep counts attempts, so Ray itself makes one.
        once = self._ray.remote(max_retries=0, num_cpus=1, num_gpus=1 if gpus else 0)
        self._attempt = once(_attempt)
        self._tasks: dict[Any, Task] = {}

    def free(self) -> int:
        """CPUs or GPUs of the cluster, as it is now, that have no task."""
        there = self._ray.cluster_resources().get(self._kind, 0)
        return max(0, int(there) - len(self._tasks))

    def submit(self, task: Task) -> None:
        """Give a task to the cluster."""
        root = str(task.root)
        self._tasks[self._attempt.remote(root, task.specs, task.checkpoint_seconds)] = task

    def wait(self, seconds: float) -> list[Report]:
        """The reports that have come, after at most this time."""
        if not self._tasks:
            return []
        reports: list[Report] = []
        ready, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=seconds)
        for reference in ready:
            task = self._tasks.pop(reference)
            try:
                reports += self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                reports += task.lost(f"Ray lost its worker: {str(error).splitlines()[0]}")
        return reports

    def close(self) -> None:
        """End the tasks at once; a cluster that was there before stays."""
        for reference in self._tasks:
            self._ray.cancel(reference, force=True)
        self._tasks.clear()
        self._ray.shutdown()


def _attempt(root: str, specs: tuple, checkpoint_seconds: float) -> list[Report]:
    pin_to_free_core()
    keep_compiled()
    silence_orbax()
    return attempt(Path(root), specs, checkpoint_seconds=checkpoint_seconds)


def _connect(ray: Any, address: str | None) -> None:
    if address not in (None, "auto"):
        _check_reachable(str(address))
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(
            f"no Ray cluster is reached at {address or 'this machine'} ({reason})"
        ) from None


def _check_reachable(address: str) -> None:
    # A cluster that answers does so at once; for one that does not Ray would wait for minutes.
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    require(bool(colon) and port.isdigit(), f"a Ray address is auto or host:port, not {address!r}")
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise BadInput(f"no Ray cluster is reached at {address} ({error})") from None
