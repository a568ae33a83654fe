"""Claiming a directory for a run: it becomes that run's, or is refused as another's."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factcap.models.runs.directory.reading import but_for_code, codes_of, read_config
from factcap.synth.disk.files import Damaged, DamagedWarning, write_whole
from factcap.synth.errors import require


def claim(folder: Path, config: Mapping[str, Any], *, accept_other_code: bool = False) -> None:
    """Make a directory this run's: its `config.json` says so from now on.

    Args:
        folder: a new directory, an empty one, or one that holds this very run.
        config: of the run; `id` is its name.
        accept_other_code: whether it may hold what other code has made of this run.

    Raises:
        BadInput: if the directory holds something else, another run, or this one made by other code
            where that is not accepted.

    Warns:
        DamagedWarning: if its configuration is not as it was written, though the directory has the
            run's name; it is written again.
    """
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
