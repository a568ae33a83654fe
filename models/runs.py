"""One run: train a model on a fact set and measure it, in a directory, resumable."""

import dataclasses
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp
from jaxtyping import Bool, Float32

import synth
from models.fast.values import Reading
from models.layout import context_length, model_vocabulary, to_device
from models.measure import Measurement, measure_device
from models.schedule import (
    SCAN_STEPS,
    TrainConfig,
    default_batch,
    default_learning_rate,
    make_schedule,
    total_steps,
)
from models.train import TrainState, initial_state, scan_steps
from models.transformer import TransformerConfig
from synth import FactSet
from synth.errors import BadInput, require

_FORMAT_VERSION = 1
# A run is done when this share of the entropy is stored and every fact recalled.
_FULL = 0.999


def run_config(facts: FactSet, model: TransformerConfig, training: TrainConfig) -> dict[str, Any]:
    """All that decides a run's numbers, as JSON values; `id` is the hash of the rest.

    It holds the facts (a digest of the arrays, and their origin), the model, the training with
    its defaults filled in, and a digest of the code that computes the result.
    """
    batch = training.batch or default_batch(len(facts))
    rate = training.learning_rate or default_learning_rate(model.width, training.optimizer)
    filled = dataclasses.replace(training, batch=batch, learning_rate=rate)
    steps = total_steps(training, len(facts))
    config: dict[str, Any] = {
        "format_version": _FORMAT_VERSION,
        "facts": {
            "digest": facts_digest(facts),
            "facts": len(facts),
            "entropy_bits": float(facts.entropy_bits.sum()),
            "origin": json.loads(facts.origin.to_json()),
        },
        "model": {**dataclasses.asdict(model), "parameters": model.parameters},
        "training": {
            **dataclasses.asdict(filled),
            "steps": steps,
            "exposures_given": steps * batch / len(facts),
        },
        "code": code_digest(),
    }
    text = json.dumps(config, sort_keys=True)
    return {"id": hashlib.sha256(text.encode()).hexdigest()[:16], **config}


def facts_digest(facts: FactSet) -> str:
    """SHA-256 of what training and measuring read of a fact set."""
    digest = hashlib.sha256(str(facts.vocabulary_size).encode())
    for name in ("tokens", "key_length", "length", "choices", "frequency"):
        array = getattr(facts, name)
        digest.update(f"{name}{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """SHA-256 of the source of `synth` and `models`: numbers of other code are other numbers."""
    digest = hashlib.sha256()
    for package in (Path(synth.__file__).parent, Path(__file__).parent):
        for source in sorted(package.rglob("*.py")):
            name = source.relative_to(package).as_posix()
            digest.update(name.encode() + source.read_bytes())
    return digest.hexdigest()


def run(
    facts: FactSet,
    model: TransformerConfig,
    training: TrainConfig,
    directory: str | os.PathLike,
    *,
    progress: Callable[[int, int, Mapping[str, float]], object] = lambda done, total, metrics: None,
    checkpoint_seconds: float = 60.0,
) -> Measurement:
    """Train, measure, and write `directory`; go on where an interrupted call stopped.

    Training ends at the steps of its configuration, or earlier if a check (`check_steps`) finds
    every fact recalled and 99.9 % of the set's entropy stored.

    The directory gets `config.json`, `metrics.jsonl` (a line for each 100 steps),
    `checkpoint/` (the latest training state) and, last, `measurement.parquet`.

    Args:
        facts: what to learn.
        model: the transformer; its vocabulary must be `model_vocabulary(facts)` or more.
        training: how to train.
        directory: a new one, or one that holds this very run.
        progress: called with (steps done, steps in all, metrics) after each 100 steps; training
            that ends early has as many in all as were done.
        checkpoint_seconds: time between two saved states.

    Returns:
        The measurement. A run that is already finished is read, not run again.

    Raises:
        BadInput: if the directory holds something else, or another run.
        FloatingPointError: if the loss is not finite any more.
    """
    needed = model_vocabulary(facts)
    require(
        model.vocabulary >= needed,
        f"the model has {model.vocabulary} token ids; this fact set needs {needed}",
    )
    folder = Path(directory)
    config = run_config(facts, model, training)
    finished = _claim(folder, config)
    if finished is not None:
        return finished

    device_facts = to_device(facts)
    schedule = make_schedule(training, len(facts), model.width)
    state = initial_state(model, schedule, training.seed)
    reading = Reading(model, context_length(facts))
    batch, steps = config["training"]["batch"], config["training"]["steps"]
    entropy = float(facts.entropy_bits.sum())

    def look(state: TrainState, done: int) -> _Look:
        if done == 0 or (done % check_steps(len(facts), batch) and done < steps):
            return _NO_LOOK
        nll_bits, recall = measure_device(reading, state.params, device_facts)
        stored = float((facts.entropy_bits - nll_bits).sum())
        full = stored > _FULL * entropy and bool(recall.all())
        metrics = {"stored_bits": stored, "facts_known": int(recall.sum())}
        return _Look(done >= steps or full, metrics, nll_bits, recall)

    with _checkpoints(folder) as checkpoints:
        state = _restore(checkpoints, state)
        done = int(state.step)
        _keep_lines(folder / "metrics.jsonl", done // SCAN_STEPS)
        saved = start = time.monotonic()
        measured = look(state, done)
        while not measured.ended:
            state, nats = scan_steps(reading, batch, state, device_facts, schedule)
            done += SCAN_STEPS
            metrics = {
                "step": done,
                "exposures": done * batch / len(facts),
                "loss_bits_per_token": float(nats.mean()) / float(np.log(2)),
                "learning_rate": float(schedule.rate(state.step)),
                "seconds": time.monotonic() - start,
            }
            measured = look(state, done)
            metrics |= measured.metrics
            if not np.isfinite(metrics["loss_bits_per_token"]):
                raise FloatingPointError(
                    f"the loss is not finite at step {done}; try a smaller learning rate than "
                    f"{config['training']['learning_rate']:g}"
                )
            with (folder / "metrics.jsonl").open("a") as lines:
                lines.write(json.dumps(metrics) + "\n")
            progress(done, done if measured.ended else steps, metrics)
            if time.monotonic() - saved > checkpoint_seconds or measured.ended:
                checkpoints.save(done, args=ocp.args.StandardSave(state._asdict()))
                saved = time.monotonic()
    measurement = Measurement(
        nll_bits=measured.nll_bits,
        recall=measured.recall,
        entropy_bits=facts.entropy_bits,
        frequency=facts.frequency,
        parameters=model.parameters,
    )
    measurement.save(folder / "measurement.parquet")
    return measurement


def check_steps(facts: int, batch: int) -> int:
    """Steps between two checks of all facts: a thousand, and four draws of each fact at least.

    A check then costs less than a tenth of the training between.

    >>> check_steps(1000, 64), check_steps(1_000_000, 256)
    (1000, 15700)
    """
    return math.ceil(max(1000, 4 * facts / batch) / SCAN_STEPS) * SCAN_STEPS


class _Look(NamedTuple):
    """What a check in the course of training found."""

    ended: bool
    metrics: dict[str, float]
    nll_bits: Float32[np.ndarray, " facts"]
    recall: Bool[np.ndarray, " facts"]


_NO_LOOK = _Look(False, {}, np.zeros(0, np.float32), np.zeros(0, bool))


def read_run(directory: str | os.PathLike) -> tuple[dict[str, Any], Measurement]:
    """The configuration and the measurement of a finished run.

    Raises:
        BadInput: if the directory is not a run, or the run is not finished.
    """
    folder = Path(directory)
    config = _read_config(folder)
    if not (folder / "measurement.parquet").exists():
        raise BadInput(f"the run in {folder} is not finished; give `factcap train` again to resume")
    return config, Measurement.load(folder / "measurement.parquet")


def last_metrics(directory: str | os.PathLike) -> dict[str, float]:
    """The last line of a run's metrics: its steps, exposures, loss and so on as they ended.

    Raises:
        BadInput: if the run has none.
    """
    path = Path(directory) / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    require(bool(lines), f"{path} is missing or empty; give `factcap train` again to resume")
    return json.loads(lines[-1])


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
        version <= _FORMAT_VERSION,
        f"{path} has format version {version}, newer than {_FORMAT_VERSION}, the newest known here",
    )
    return config


def _claim(folder: Path, config: dict[str, Any]) -> Measurement | None:
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


def _checkpoints(folder: Path) -> ocp.CheckpointManager:
    options = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False)
    return ocp.CheckpointManager((folder / "checkpoint").absolute(), options=options)


def _restore(checkpoints: ocp.CheckpointManager, state: TrainState) -> TrainState:
    """The latest saved state, or the given one where none was saved."""
    latest = checkpoints.latest_step()
    if latest is None:
        return state
    like = jax.tree.map(ocp.utils.to_shape_dtype_struct, state._asdict())
    return TrainState(**checkpoints.restore(latest, args=ocp.args.StandardRestore(like)))


def _keep_lines(path: Path, count: int) -> None:
    """Drop the metrics that were written after the state that training goes on from."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    path.write_text("".join(lines[:count]))
