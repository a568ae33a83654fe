"""Saved training states: written beside the training, proved by digests, the last two kept."""

import logging
import os
import re
import shutil
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint.checkpoint_manager import StepAlreadyExistsError

from factcap.models.training.devices.hosts import in_turn, is_first
from factcap.models.training.steps import TrainState
from factcap.synth.disk.files import (
    Damaged,
    DamagedWarning,
    file_digest,
    read_sealed,
    write_sealed,
)

_KEPT = 2


class Checkpoints:
    """The saved states of a run, in `checkpoint/`.

    Orbax writes each in a thread of its own, into a folder named by its step. Once it is there, a
    file beside it, `<step>.json`, holds the digest of each of its files and what the host needs to
    go on. A state without this file, or not as the file says, counts as none.
    """

    def __init__(self, folder: Path):
        self._folder = folder.absolute()
        self._manager: ocp.CheckpointManager | None = None
        self._unproved: tuple[int, dict[str, Any]] | None = None

    def save(self, step: int, state: TrainState, host: Mapping[str, Any]) -> None:
        """Begin to save a state; the one before the last is dropped once it is there."""
        self.settle()
        try:
            self._open().save(step, args=ocp.args.StandardSave(state._asdict()))
        except StepAlreadyExistsError:
            return  # proved when it was restored
        self._unproved = (step, dict(host))

    def settle(self, *, wait: bool = True) -> None:
        """Prove the state that was last saved, if it is there by now, or once it is."""
        manager = self._manager
        if manager is None or self._unproved is None:
            return
        if not wait and manager.is_saving_in_progress():
            return
        step, host = self._unproved
        self._unproved = None
        try:
            manager.wait_until_finished()
        except Exception as error:
            self._manager = None
            raise _reason(error, self._place(step)) from error
        if not is_first():
            return
        write_sealed(self._proof(step), {"files": _digests(self._place(step)), "host": host})
        kept = {str(step) for step in manager.all_steps()}
        for proof in self._folder.glob("*.json"):
            if proof.stem not in kept:
                proof.unlink()

    def restore(self, like: TrainState) -> tuple[TrainState, dict[str, Any]] | None:
        """The latest state that is as it was saved, and what the host needs; None without any.

        Args:
            like: a state of the same shapes, types and devices.

        Warns:
            DamagedWarning: for a state that is not as it was saved; it is removed.
        """
        found = in_turn(self._latest)
        if found is None:
            return None
        step, host = found
        arguments = ocp.args.StandardRestore(
            jax.tree.map(ocp.utils.to_shape_dtype_struct, like._asdict())
        )
        return TrainState(**self._open().restore(step, args=arguments)), host

    def _latest(self) -> tuple[int, dict[str, Any]] | None:
        """The latest step that is as it was saved; those after it are removed."""
        names = [path.name for path in self._folder.glob("*") if path.name.isdigit()]
        for step in sorted(map(int, names), reverse=True):
            try:
                return step, self.proved(step)
            except Damaged as error:
                warnings.warn(f"{error}; an earlier state is used", DamagedWarning, 3)
                shutil.rmtree(self._place(step))
                self._proof(step).unlink(missing_ok=True)
        if names:
            warnings.warn(
                f"{self._folder} has no whole state; the run starts anew", DamagedWarning, 3
            )
        return None

    def close(self) -> None:
        """Wait for what is being saved, and let go."""
        if self._manager is not None:
            self.settle()
            self._manager.close()
            self._manager = None

    def proved(self, step: int) -> dict[str, Any]:
        """What was saved with a state for the host.

        Raises:
            Damaged: if a file of this state is not as it was written.
        """
        try:
            proof = read_sealed(self._proof(step))
        except FileNotFoundError:
            raise Damaged(f"the state in {self._place(step)} was not saved to its end") from None
        if _digests(self._place(step)) != proof["files"]:
            raise Damaged(f"the state in {self._place(step)} is damaged")
        return proof["host"]

    def _place(self, step: int) -> Path:
        return self._folder / str(step)

    def _proof(self, step: int) -> Path:
        return self._folder / f"{step}.json"

    def _open(self) -> ocp.CheckpointManager:
        if self._manager is None:
            options = ocp.CheckpointManagerOptions(
                max_to_keep=_KEPT, enable_async_checkpointing=True
            )
            self._manager = ocp.CheckpointManager(self._folder, options=options)
        return self._manager


def silence_orbax() -> None:
    """Keep Orbax from logging errors that it raises too; for a command or a worker."""
    logging.getLogger("absl").setLevel(logging.CRITICAL + 1)
    threading.excepthook = lambda _: None


def _reason(error: Exception, place: Path) -> OSError:
    """The error of the system within one of Orbax's."""
    code = re.search(r"os_error_code='(\d+)'", str(error))
    if code is None:
        return OSError(f"the state {place} could not be saved: {str(error).splitlines()[0]}")
    return OSError(int(code[1]), os.strerror(int(code[1])), str(place))


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
