"""Whether an id occurs twice among many, in bounded memory."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Int64, UInt64

# Hashes looked at together: 64 MiB.
_TOGETHER = 1 << 23
_LONGEST = 256


def find_duplicate(
    ids: Callable[[], Iterator[pa.Array]], rows: int, folder: Path
) -> tuple[object, int, int] | None:
    """The first id found twice, and two of its rows; None if all differ.

    Each id becomes a 64-bit hash (an integer is its own), written to one of so many files, by the
    hash, that each holds some 8 million; the hashes of a file are then sorted in memory. Where two
    are equal the ids themselves are read again and compared, so that the answer is exact.

    Args:
        ids: starts the stream of ids anew.
        rows: number of ids.
        folder: where the files, 8 bytes an id, may lie meanwhile.
    """
    parts = max(1, -(-rows // _TOGETHER))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".ids-") as name:
        paths = [Path(name) / str(part) for part in range(parts)]
        files = [path.open("wb") for path in paths]
        try:
            for array in ids():
                code = hashes(array)
                part = _mixed(code) % np.uint64(parts)
                for number, file in enumerate(files):
                    file.write(code[part == number].tobytes() if parts > 1 else code.tobytes())
        finally:
            for file in files:
                file.close()
        twice = []
        for path in paths:
            code = np.fromfile(path, np.uint64)
            code.sort()
            twice.append(np.unique(code[1:][code[1:] == code[:-1]]))
    suspects = np.concatenate(twice)
    return _first_repeated(ids, suspects) if len(suspects) else None


def _first_repeated(
    ids: Callable[[], Iterator[pa.Array]], suspects: UInt64[np.ndarray, " suspects"]
) -> tuple[object, int, int] | None:
    # Of many suspects the first will do: that one does not really repeat is all but impossible.
    suspects = np.sort(suspects)[:1000]
    seen: dict[object, int] = {}
    first = 0
    for array in ids():
        for place in np.flatnonzero(np.isin(hashes(array), suspects)):
            value = array[int(place)].as_py()
            if value in seen:
                return value, seen[value], first + int(place)
            seen[value] = first + int(place)
        first += len(array)
    return None


def hashes(array: pa.Array) -> UInt64[np.ndarray, " rows"]:
    """A 64-bit hash of each id: an integer itself; of a text the multilinear hash of its bytes.

    >>> code = hashes(pa.array(["a", "b", "ab", "ba", "a"]))
    >>> len(set(code.tolist())), bool(code[0] == code[4])
    (4, True)
    """
    if pa.types.is_integer(array.type):
        return array.to_numpy().astype(np.int64).view(np.uint64)
    text = array.cast(pa.large_binary())
    _, offset_buffer, data_buffer = text.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[text.offset : text.offset + len(text) + 1]
    start, stop = int(offsets[0]), int(offsets[-1])
    data = np.frombuffer(data_buffer or b"", np.uint8)[start:stop]
    length: Int64[np.ndarray, " rows"] = np.diff(offsets)
    place = np.arange(stop - start) - np.repeat(offsets[:-1] - start, length)
    # hash = length + sum_t (byte_t + 1) r_t, r_t odd random numbers, modulo 2^64
    term = (data.astype(np.uint64) + np.uint64(1)) * _multipliers()[place % _LONGEST]
    if len(term) and int(length.max()) > _LONGEST:
        term = _mixed(term + place.astype(np.uint64))
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(term, dtype=np.uint64)])
    return total[offsets[1:] - start] - total[offsets[:-1] - start] + length.astype(np.uint64)


def _multipliers() -> UInt64[np.ndarray, " places"]:
    return np.random.default_rng(0).integers(2**64, size=_LONGEST, dtype=np.uint64) | np.uint64(1)


def _mixed(code: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """The hash, its bits mixed (the finalizer of splitmix64)."""
    code = (code ^ code >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    code = (code ^ code >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return code ^ code >> np.uint64(31)


def check_ids(array: pa.Array) -> bool:
    """Whether ids are of a kind that can be told apart: integers or texts, none missing."""
    kind = array.type
    known = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return known and array.null_count == 0
