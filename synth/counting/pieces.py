"""A corpus on disk, cut into parts that can be read by themselves."""

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from factcap.synth.errors import BadInput, require

LINES = (".jsonl", ".ndjson", ".json", ".txt")
PACKED = {".gz": "gzip", ".zst": "zstd"}
PARQUET = ".parquet"
_READABLE = ".jsonl, .ndjson, .json or .txt (perhaps with .gz or .zst), or .parquet"


@dataclass(frozen=True)
class Piece:
    """What is read of one file.

    Attributes:
        path: of the file.
        start: first byte, or first row group of Parquet.
        stop: byte after the last, or row group. A line belongs to the piece in which it begins.
        size: about its bytes.
    """

    path: str
    start: int
    stop: int
    size: int


# Some pieces that are counted together.
Part = tuple[Piece, ...]


def corpus_files(corpus: str) -> list[Path]:
    """The files of a corpus: one, those in a folder and its folders, or those that a glob matches.

    Of a folder, files of other suffixes and hidden ones are left out.

    Raises:
        BadInput: if there is none, or a file has another suffix.
    """
    path = Path(corpus)
    if path.is_dir():
        inside = sorted(file for file in path.rglob("*") if _is_readable(file, path))
        require(bool(inside), f"the folder {corpus} has no {_READABLE} file")
        return inside
    found = [path] if path.exists() else sorted(map(Path, glob.glob(corpus, recursive=True)))
    files = [file for file in found if file.is_file()]
    require(bool(files), f"{corpus} does not exist; give documents as {_READABLE}")
    for file in files:
        require(bool(kind_of(file)), f"{file}: the suffix must be {_READABLE}")
    return files


def kind_of(path: Path) -> str:
    """The suffix that says how a file is read, without that of its packing; empty if not known.

    >>> kind_of(Path("a/part.jsonl.gz")), kind_of(Path("notes.pdf"))
    ('.jsonl', '')
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = bool(suffixes) and suffixes[-1] in PACKED
    suffix = "".join(suffixes[-2:-1] if packed else suffixes[-1:])
    return suffix if suffix in LINES or (suffix == PARQUET and not packed) else ""


def cut_corpus(files: list[Path], size: int) -> list[Part]:
    """Cut files into parts of about equal size; small files are counted together.

    A packed file and a row group of Parquet stay whole.

    Args:
        files: as `corpus_files` lists them.
        size: bytes of a part.

    Raises:
        BadInput: for a Parquet file that cannot be read.
    """
    parts: list[Part] = []
    waiting: list[Piece] = []
    for file in files:
        for piece in _pieces(file, size):
            waiting.append(piece)
            if sum(each.size for each in waiting) >= size:
                parts.append(tuple(waiting))
                waiting = []
    return [*parts, tuple(waiting)] if waiting else parts


def _pieces(file: Path, size: int) -> Iterator[Piece]:
    if file.suffix.lower() == PARQUET:
        yield from _row_groups(file)
        return
    whole = file.stat().st_size
    if file.suffix.lower() in PACKED:
        yield Piece(str(file), 0, whole, whole)
        return
    for start in range(0, whole, size):
        stop = min(start + size, whole)
        yield Piece(str(file), start, stop, stop - start)


def _row_groups(file: Path) -> Iterator[Piece]:
    try:
        metadata = pq.read_metadata(file)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{file} cannot be read as Parquet ({reason})") from None
    for group in range(metadata.num_row_groups):
        yield Piece(str(file), group, group + 1, metadata.row_group(group).total_byte_size)


def _is_readable(file: Path, folder: Path) -> bool:
    hidden = any(name.startswith(".") for name in file.relative_to(folder).parts)
    return file.is_file() and not hidden and bool(kind_of(file))
