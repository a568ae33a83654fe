"""The directory of a run: configuration, metrics, saved states, measurement, and how it ended."""

import json
import os
import platform
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64

from factcap.models.runs.checkpoints import Checkpoints
from factcap.models.runs.files import (
    Damaged,
    DamagedWarning,
    file_digest,
    write_sealed,
    write_whole,
)
from factcap.models.runs.lock import DirectoryLock
from factcap.models.runs.reading import (
    but_for_code,
    check_finished,
    codes_of,
    is_finished,
    read_config,
)
from factcap.models.training.devices.hosts import in_turn, is_first
from factcap.models.training.measure import Measurement
from factcap.models.training.steps import TrainState
from factcap.synth.errors import BadInput, require


class Record:
    """A run's directory, held for it by this process while the run goes on.

    It gets `config.json`; `attempts.jsonl`, a line each time it begins or goes on; `metrics.jsonl`,
    a line for each 100 steps; `checkpoint/`, the latest training states; and, last,
    `measurement.parquet`, `weights.parquet` where facts were selected, and `outcome.json`, which
    holds the digests of these and of the metrics, and with which the run is finished. Of several
    processes the first writes these, all of them the training states.

    Args:
        directory: a new one, or one that holds this very run.
        config: all that decides the run's numbers; `id` is its hash.
        accept_other_code: whether the directory may hold what other code has made of this run. Each
            line of `attempts.jsonl` has the hash of its code, and `outcome.json` has all of them.

    Attributes:
        folder: the directory.
        finished: the measurement, where the run is finished.

    Raises:
        BadInput: if the directory holds something else, another run, or this one made by other code
            where that is not accepted.
        Busy: if another process is making this run.

    Warns:
        DamagedWarning: if the run was finished and its files are not as they were written; what is
            damaged is removed, and made again from the last saved state.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        config: Mapping[str, Any],
        *,
        accept_other_code: bool = False,
    ):
        self.folder, self._code = Path(directory), config["code"]
        self._lock: DirectoryLock | None = None
        self.finished = in_turn(lambda: self._enter(config, accept_other_code))
        self._checkpoints = Checkpoints(self.folder / "checkpoint")
        self._lines: TextIO | None = None

    def _enter(self, config: Mapping[str, Any], accept_other_code: bool) -> Measurement | None:
        """Claim the directory and hold it; the measurement, where the run is finished."""
        if not is_first():
            return self._found()
        _claim(self.folder, config, accept_other_code)
        lock = DirectoryLock(self.folder)
        try:
            finished = self._found()
        except BaseException:
            lock.release()
            raise
        if finished is None:
            self._lock = lock
        else:
            lock.release()
        return finished

    def restore(self, like: TrainState) -> tuple[TrainState, dict[str, Any]] | None:
        """The latest saved state and what was saved with it; None where there is none."""
        return self._checkpoints.restore(like)

    def keep_metrics(self, step: int) -> None:
        """Drop the metrics of steps to be made again, those after this one."""
        if not is_first():
            return
        path = self.folder / "metrics.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        kept = [line for line in lines if _step(line) <= step]
        if len(kept) < len(lines):
            write_whole(path, lambda partial: partial.write_bytes(b"".join(kept)))

    def began(self, step: int) -> None:
        """Note in `attempts.jsonl` that the run begins, or goes on from a step."""
        if not is_first():
            return
        line = {"step": step, "time": time.time(), "host": platform.node(), "pid": os.getpid()}
        line["code"] = self._code
        with (self.folder / "attempts.jsonl").open("a") as lines:
            lines.write(json.dumps(line) + "\n")

    def append(self, metrics: Mapping[str, float]) -> None:
        """Add a line of metrics."""
        if not is_first():
            return
        if self._lines is None:
            self._lines = (self.folder / "metrics.jsonl").open("a", buffering=1)
        self._lines.write(json.dumps(metrics) + "\n")

    def save(self, step: int, state: TrainState, host: Mapping[str, Any]) -> None:
        """Begin to save the training state, and what the host needs to go on from it."""
        self._checkpoints.save(step, state, host)

    def settle(self) -> None:
        """Prove the state that was last saved, if it is on disk by now."""
        self._checkpoints.settle(wait=False)

    def finish(
        self,
        measurement: Measurement,
        outcome: Mapping[str, Any],
        weights: Float64[np.ndarray, " facts"] | None = None,
    ) -> None:
        """Write what the model knows, then how the run ended: with that it is finished.

        Args:
            measurement: what it knows.
            outcome: how it ended.
            weights: sampling weights at the end, where they were chosen.
        """
        self._checkpoints.close()
        if not is_first():
            return
        path = self.folder / "measurement.parquet"
        write_whole(path, measurement.save)
        files = {"measurement.parquet": file_digest(path)}
        if weights is not None:
            table, chosen = pa.table({"weight": weights}), self.folder / "weights.parquet"
            write_whole(chosen, lambda partial: pq.write_table(table, partial))
            files["weights.parquet"] = file_digest(chosen)
        metrics = self.folder / "metrics.jsonl"
        if metrics.exists():
            files["metrics.jsonl"] = file_digest(metrics)
        summary = measurement.summary()
        codes = codes_of(self.folder, read_config(self.folder))
        entry = {**outcome, "codes": codes, "summary": summary, "files": files}
        write_sealed(self.folder / "outcome.json", entry)
        self.close()

    def close(self) -> None:
        """Let go of the directory."""
        try:
            self._checkpoints.close()
        finally:
            if self._lines is not None:
                self._lines.close()
                self._lines = None
            if self._lock is not None:
                self._lock.release()

    def _found(self) -> Measurement | None:
        """The measurement of a finished run; None if there is none, or none as it was written."""
        if not is_finished(self.folder):
            return None
        try:
            return read_finished(self.folder)[0]
        except Damaged as error:
            warnings.warn(f"{error}; the run goes on from its saved state", DamagedWarning, 2)
            (self.folder / "outcome.json").unlink(missing_ok=True)
            return None


def read_run(directory: str | os.PathLike) -> tuple[dict[str, Any], Measurement]:
    """The configuration and the measurement of a finished run.

    Raises:
        BadInput: if the directory is not a run, or the run is not finished.
        Damaged: if a file is not as it was written.
    """
    folder = Path(directory)
    config = read_config(folder)
    if not is_finished(folder):
        raise BadInput(f"the run in {folder} is not finished; give its command again to resume")
    return config, read_finished(folder)[0]


def read_finished(directory: str | os.PathLike) -> tuple[Measurement, dict[str, Any]]:
    """The measurement of a finished run, and how it ended.

    Raises:
        Damaged: if a file is not as it was written.
    """
    outcome = check_finished(directory)
    return Measurement.load(Path(directory) / "measurement.parquet"), outcome


def _claim(folder: Path, config: Mapping[str, Any], accept_other_code: bool) -> None:
    """Make the directory this run's."""
    path = folder / "config.json"
    if folder.is_dir() and any(folder.iterdir()):
        names = {file.name for file in folder.iterdir()}
        if all(name == "lock" or name.endswith(".part") for name in names):
            _write_config(path, config)
            return
        try:
            found = read_config(folder)
        except Damaged as error:
            if folder.name != config["id"]:
                raise
            warnings.warn(f"{error}; it is written again", DamagedWarning, 2)
            _write_config(path, config)
            return
        require(
            but_for_code(found) == but_for_code(config),
            f"{folder} holds another run ({found['id']}, not {config['id']}); choose another "
            "directory",
        )
        require(
            accept_other_code or set(codes_of(folder, found)) == {config["code"]},
            f"{folder} holds this run, made by other code; choose another directory, or go on with "
            "it by --accept-other-code (accept_other_code=True)",
        )
        return
    require(not folder.is_file(), f"{folder} is a file; a run needs a directory")
    folder.mkdir(parents=True, exist_ok=True)
    _write_config(path, config)


def _write_config(path: Path, config: Mapping[str, Any]) -> None:
    write_whole(path, lambda partial: partial.write_text(json.dumps(config, indent=2) + "\n"))


def _step(line: bytes) -> float:
    """The step of a line of metrics; infinite for a line that was not written to its end."""
    try:
        return json.loads(line)["step"] if line.endswith(b"\n") else float("inf")
    except (ValueError, KeyError, TypeError):
        return float("inf")
