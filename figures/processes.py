"""Work in processes of its own, one pinned to a core, that ends when the figure does."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from factcap.models.compiler import keep_compiled
from factcap.models.runs.directory.checkpoints import silence_orbax
from factcap.models.sweep.engines.cores import pin_to_free_core
from factcap.models.sweep.engines.local import end_with_parent

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    call: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Iterator[tuple[int, Result]]:
    """(number of the item, what the call gives for it), as they are done.

    If a call fails, or this is interrupted or closed, what runs is ended and nothing more is begun;
    and the processes end with this one, however that ends.

    Args:
        call: a function of a module.
        items: pickled, as the results are.
        workers: processes.

    Raises:
        concurrent.futures.process.BrokenProcessPool: if a process was ended from outside.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin) as pool:
        try:
            numbers = {pool.submit(call, item): number for number, item in enumerate(items)}
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        except BaseException:
            # Else leaving the pool would wait for all that has been given to it.
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.kill()
            raise


def _begin() -> None:
    # An interruption of all of them ends a process at once, without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()
    pin_to_free_core()
    keep_compiled()
    silence_orbax()
