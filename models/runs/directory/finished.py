"""Reading what a finished run measured."""

import os
from pathlib import Path
from typing import Any

from factcap.models.runs.directory.reading import check_finished, is_finished, read_config
from factcap.synth.errors import BadInput
from factcap.synth.measurement import Measurement


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
