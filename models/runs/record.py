"""The directory of a run: configuration, metrics, saved states, ledger and measurement."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from models.hosts import in_turn, is_first
from models.measure import Measurement
from models.runs.job import FORMAT_VERSION
from models.schedule import SCAN_STEPS
from models.train import TrainState
from synth.errors import BadInput, require


class Record:
    """A run's directory, claimed for it, while the run goes on.

    It gets `config.json`, `metrics.jsonl` (a line for each 100 steps), `checkpoint/` (the latest
    training state) and, last, `measurement.parquet` and `outcome.json`. Of several processes the
    first writes these, all of them the training state.

    Args:
        directory: a new one, or one that holds this very run.
        config: see `run_config`.

    Raises:
        BadInput: if the directory holds something else, or another run.
    """

    def __init__(self, directory: str | os.PathLike, config: Mapping[str, Any]):
        self.folder = Path(directory)
        self.finished = in_turn(lambda: _claim(self.folder, config))
        self._manager: ocp.CheckpointManager | None = None

    def restore(self, state: TrainState) -> TrainState:
        """The latest saved state, or the given one where none was saved."""
        latest = self._checkpoints().latest_step()
        if latest is None:
            return state
        like = jax.tree.map(ocp.utils.to_shape_dtype_struct, state._asdict())
        arguments = ocp.args.StandardRestore(like)
        return TrainState(**self._checkpoints().restore(latest, args=arguments))

    def keep_metrics(self, step: int) -> list[dict[str, float]]:
        """The metrics up to this step; later ones, of steps to be made again, are dropped."""
        path = self.folder / "metrics.jsonl"

        def keep() -> list[str]:
            lines = path.read_text().splitlines(keepends=True) if path.exists() else []
            kept = lines[: step // SCAN_STEPS]
            if is_first():
                path.write_text("".join(kept))
            return kept

        return [json.loads(line) for line in in_turn(keep)]

    def append(self, metrics: Mapping[str, float]) -> None:
        """Add a line of metrics."""
        if not is_first():
            return
        with (self.folder / "metrics.jsonl").open("a") as lines:
            lines.write(json.dumps(metrics) + "\n")

    def save(self, step: int, state: TrainState) -> None:
        """Save the training state; the one before is dropped."""
        self._checkpoints().save(step, args=ocp.args.StandardSave(state._asdict()))

    def finish(self, measurement: Measurement, outcome: Mapping[str, Any]) -> None:
        """Write how it ended, then what the model knows: with that the run is finished."""
        if is_first():
            partial = self.folder / "outcome.json.part"
            partial.write_text(json.dumps(outcome, indent=2) + "\n")
            partial.rename(self.folder / "outcome.json")
            measurement.save(self.folder / "measurement.parquet")
        self.close()

    def close(self) -> None:
        """Let go of the saved states."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    def _checkpoints(self) -> ocp.CheckpointManager:
        if self._manager is None:
            options = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)
            path = (self.folder / "checkpoint").absolute()
            self._manager = ocp.CheckpointManager(path, options=options)
        return self._manager


def is_finished(directory: str | os.PathLike) -> bool:
    """Whether a directory holds the measurement of a run."""
    return (Path(directory) / "measurement.parquet").exists()


def read_run(directory: str | os.PathLike) -> tuple[dict[str, Any], Measurement]:
    """The configuration and the measurement of a finished run.

    Raises:
        BadInput: if the directory is not a run, or the run is not finished.
    """
    folder = Path(directory)
    config = _read_config(folder)
    if not is_finished(folder):
        raise BadInput(f"the run in {folder} is not finished; give `factcap train` again to resume")
    return config, Measurement.load(folder / "measurement.parquet")


def read_outcome(directory: str | os.PathLike) -> dict[str, Any]:
    """How a finished run ended: `exposures` made, `capped`, and the numbers of its ledger.

    Raises:
        BadInput: if it is not there or damaged.
    """
    path = Path(directory) / "outcome.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path} cannot be read ({error}); remove the run and make it again"
        ) from None


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise BadInput(f"{folder} is not a run directory: it has no config.json")
    try:
        config = json.loads(path.read_text())
        version = int(config["format_version"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is not the config.json of a run ({error!r})") from None
    require(
        version <= FORMAT_VERSION,
        f"{path} has format version {version}, newer than {FORMAT_VERSION}, the newest known here",
    )
    return config


def _claim(folder: Path, config: Mapping[str, Any]) -> Measurement | None:
    """Make the directory this run's; the measurement if it is already there."""
    if folder.is_dir() and any(folder.iterdir()):
        found = _read_config(folder)
        require(
            found.get("id") == config["id"],
            f"{folder} holds another run ({found.get('id')}, not {config['id']}); "
            "choose another directory",
        )
        path = folder / "measurement.parquet"
        return Measurement.load(path) if path.exists() else None
    require(not folder.is_file(), f"{folder} is a file; a run needs a directory")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "config.json.part"
    partial.write_text(json.dumps(config, indent=2) + "\n")
    partial.rename(folder / "config.json")
    return None
