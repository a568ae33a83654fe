"""Several processes that train one model, on one host or many: joining, and taking turns.

Each process runs the same program with the same arguments. The first alone writes a run's
configuration, metrics and measurement; all of them write its checkpoints.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from factcap.synth.errors import BadInput, require

Result = TypeVar("Result")

# What `join` takes for "ask the cluster".
AUTO = "auto"


def join(
    coordinator: str, processes: int | None = None, process: int | None = None, wait: float = 300.0
) -> None:
    """Make this one of several processes whose devices are used together.

    To be called before anything asks JAX for a device.

    Args:
        coordinator: `host:port` of the first process, reachable from all; or `auto`, where the
            cluster tells (Slurm, MPI, Kubernetes, a TPU pod): see `jax.distributed.initialize`.
        processes: how many there are; not with `auto`.
        process: the number of this one, from 0; not with `auto`.
        wait: seconds until the others must be there.

    Raises:
        BadInput: if an argument is wrong or missing, or process 0 cannot be reached in time. If it
            is another that does not come, JAX ends process 0 with an error of its own.
    """
    if coordinator == AUTO:
        require(
            processes is None and process is None,
            "with the coordinator auto, the cluster tells how many processes there are",
        )
        return _initialize(AUTO, None, None, wait)
    host, _, port = coordinator.rpartition(":")
    require(
        bool(host) and port.isascii() and port.isdigit() and 0 < int(port) < 65536,
        f"{coordinator!r} is no address of a coordinator; write it as host:port, or auto",
    )
    if processes is None or process is None:
        raise BadInput("a coordinator needs the number of processes and that of this process")
    require(
        0 <= process < processes,
        f"processes are numbered from 0 to {processes - 1}; this one has number {process}",
    )
    start = time.monotonic()
    if process > 0:
        _wait_for(host.strip("[]"), int(port), wait)
    else:
        _check_free(int(port))
    _initialize(coordinator, processes, process, max(wait - (time.monotonic() - start), 1.0))


def _wait_for(host: str, port: int, seconds: float) -> None:
    """Wait until somebody listens at an address: JAX itself would fail with a page of lines."""
    start = time.monotonic()
    while True:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
            return
        except OSError as error:
            if isinstance(error, socket.gaierror) or time.monotonic() - start > seconds:
                raise BadInput(
                    f"the coordinator {host}:{port} cannot be reached ({error}); "
                    "process 0 must run there"
                ) from None
        time.sleep(0.2)


def _check_free(port: int) -> None:
    with socket.socket() as here:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            here.bind(("", port))
        except OSError as error:
            raise BadInput(f"process 0 cannot listen at port {port} ({error})") from None


def _initialize(address: str, processes: int | None, process: int | None, wait: float) -> None:
    if os.environ.get("JAX_PLATFORMS", "cpu") == "cpu":
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    seconds = max(round(wait), 1)
    try:
        if address == AUTO:
            jax.distributed.initialize(initialization_timeout=seconds)
        else:
            jax.distributed.initialize(
                address,
                num_processes=processes,
                process_id=process,
                initialization_timeout=seconds,
                cluster_detection_method="deactivate",
            )
    except (RuntimeError, ValueError) as error:
        with contextlib.suppress(RuntimeError):
            jax.distributed.shutdown()
        reason = str(error).splitlines()[0]
        raise BadInput(f"the processes cannot be joined at {address} ({reason})") from None


def is_first() -> bool:
    """Whether this is the process that writes."""
    return jax.process_index() == 0


def in_turn(work: Callable[[], Result]) -> Result:
    """Do something in the first process, and when that is done in the others."""
    if jax.process_count() == 1:
        return work()
    if not is_first():
        multihost_utils.sync_global_devices("the first process is done")
        return work()
    try:
        return work()
    finally:
        multihost_utils.sync_global_devices("the first process is done")


def agreed(answer: bool) -> bool:
    """The answer of the first process, in all of them: what depends on a clock, say."""
    if jax.process_count() == 1:
        return answer
    return bool(multihost_utils.broadcast_one_to_all(np.asarray(answer)))
