"""Reading the directory of a run: its configuration, and how it ended. Needs no JAX."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from factcap.synth.disk.files import Damaged, digest_of, file_digest, read_sealed
from factcap.synth.errors import BadInput, require

FORMAT_VERSION = 3


def is_finished(directory: str | os.PathLike) -> bool:
    """Whether the run in a directory has ended with a measurement."""
    return (Path(directory) / "outcome.json").exists()


def read_outcome(directory: str | os.PathLike) -> dict[str, Any]:
    """How a finished run ended.

    Its `exposures` and `steps` made, whether it was `capped`, the defaults that were filled in
    (`training`), the numbers of its `ledger`, the `summary` of its measurement, and `codes`, the
    hashes of the codes that made it. Where it went on from another run, `parent` has that run's
    name, and the steps and tokens of all that came before; those of the run's own count without.

    Raises:
        BadInput: if it is not there.
        Damaged: if it is not as it was written.
    """
    try:
        return read_sealed(Path(directory) / "outcome.json")
    except OSError as error:
        raise BadInput(f"no finished run can be read in {directory} ({error})") from None


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of the run in a directory.

    Raises:
        BadInput: if there is none, or a newer version wrote it.
        Damaged: if it is not as it was written.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise BadInput(f"{folder} is not a run directory: it has no config.json")
    try:
        config = json.loads(path.read_bytes())
        version, rest = int(config["format_version"]), {**config}
        found = rest.pop("id")
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Damaged(f"{path} is not the config.json of a run ({error!r})") from None
    if found != digest_of(rest)[:16]:
        raise Damaged(f"{path} is damaged: its id is not the hash of the rest")
    require(
        version <= FORMAT_VERSION,
        f"{path} has format version {version}, newer than {FORMAT_VERSION}, the newest known here",
    )
    return config


def but_for_code(config: Mapping[str, Any]) -> str:
    """A hash of all of a configuration but its code: of what was to be made, whatever makes it."""
    return digest_of({name: config[name] for name in config if name not in ("id", "code")})


def codes_of(folder: Path, config: Mapping[str, Any]) -> list[str]:
    """The hashes of the codes that have worked on a run, the first that began it.

    Args:
        folder: the run's directory.
        config: its configuration.
    """
    first = config.get("code", "")
    return list(dict.fromkeys([first, *(line.get("code", first) for line in attempts(folder))]))


def attempts(folder: Path) -> list[dict[str, Any]]:
    """What is noted of each time that a run began or went on; lines cut off are left out."""
    try:
        lines = (folder / "attempts.jsonl").read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def check_finished(directory: str | os.PathLike) -> dict[str, Any]:
    """How a finished run ended, all its files seen to be as they were written.

    Raises:
        Damaged: if one is not.
    """
    folder = Path(directory)
    outcome = read_sealed(folder / "outcome.json")
    for name, digest in outcome["files"].items():
        path = folder / name
        if not path.is_file() or file_digest(path) != digest:
            raise Damaged(f"{path} is damaged: its digest is not that in outcome.json")
    return outcome
