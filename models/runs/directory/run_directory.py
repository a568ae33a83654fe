"""The directory of a run: configuration, metrics, saved states, measurement, and how it ended."""

import json
import os
import platform
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64

from factcap.models.runs.directory.checkpoints import Checkpoints
from factcap.models.runs.directory.claim import claim
from factcap.models.runs.directory.finished import read_finished
from factcap.models.runs.directory.metrics import MetricsFile
from factcap.models.runs.directory.reading import codes_of, is_finished, read_config
from factcap.models.training.devices.hosts import in_turn, is_first
from factcap.synth.disk.files import (
    Damaged,
    DamagedWarning,
    file_digest,
    write_sealed,
    write_whole,
)
from factcap.synth.disk.lock import DirectoryLock
from factcap.synth.measurement import Measurement


class RunDirectory:
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
        checkpoints: the saved training states.
        metrics: the lines of metrics.

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
        self.checkpoints = Checkpoints(self.folder / "checkpoint")
        self.metrics = MetricsFile(self.folder / "metrics.jsonl")

    def _enter(self, config: Mapping[str, Any], accept_other_code: bool) -> Measurement | None:
        """Claim the directory and hold it; the measurement, where the run is finished."""
        if not is_first():
            return self._found()
        claim(self.folder, config, accept_other_code=accept_other_code)
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

    def begin(self, step: int) -> None:
        """Note that the run begins, or goes on from a step; drop the metrics of later ones."""
        if is_first():
            line = {"step": step, "time": time.time(), "host": platform.node(), "pid": os.getpid()}
            line["code"] = self._code
            with (self.folder / "attempts.jsonl").open("a") as lines:
                lines.write(json.dumps(line) + "\n")
        self.metrics.drop_after(step)

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
        self.checkpoints.close()
        if not is_first():
            return
        path = self.folder / "measurement.parquet"
        write_whole(path, measurement.save)
        files = {"measurement.parquet": file_digest(path)}
        if weights is not None:
            table, chosen = pa.table({"weight": weights}), self.folder / "weights.parquet"
            write_whole(chosen, lambda partial: pq.write_table(table, partial))
            files["weights.parquet"] = file_digest(chosen)
        if self.metrics.path.exists():
            files["metrics.jsonl"] = file_digest(self.metrics.path)
        codes = codes_of(self.folder, read_config(self.folder))
        entry = {**outcome, "codes": codes, "summary": measurement.summary(), "files": files}
        write_sealed(self.folder / "outcome.json", entry)
        self.close()

    def close(self) -> None:
        """Let go of the directory."""
        try:
            self.checkpoints.close()
        finally:
            self.metrics.close()
            if self._lock is not None:
                self._lock.release()
