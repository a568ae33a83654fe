"""The texts of a piece of a corpus, read block by block."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from factcap.synth.counting.pieces import PACKED, PARQUET, Piece, kind_of
from factcap.synth.errors import BadInput, require

# Bytes of text that are looked at together, and rows of Parquet read at once.
BLOCK = 1 << 20
_ROWS = 64


def read_blocks(piece: Piece, column: str) -> Iterator[list[bytes]]:
    """The texts of a piece in UTF-8, some at once: of about `BLOCK` bytes together, or one longer.

    * JSONL: the texts under one key, an object a line; blank lines are left out.
    * Parquet: those of one column.
    * Text: each line is a document, blank lines left out.

    Args:
        piece: of a file.
        column: key or column of the texts.

    Raises:
        BadInput: for a file that cannot be read, or a row without text; it names file and row.
    """
    block: list[bytes] = []
    size = 0
    for texts in _read(piece, column):
        block += texts
        size += sum(map(len, texts))
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _read(piece: Piece, column: str) -> Iterator[list[bytes]]:
    path = Path(piece.path)
    try:
        if path.suffix.lower() == PARQUET:
            yield from _parquet_texts(piece, column)
        else:
            yield from _line_texts(piece, column)
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path} cannot be read ({reason})") from None


def _parquet_texts(piece: Piece, column: str) -> Iterator[list[bytes]]:
    groups = range(piece.start, piece.stop)
    # With a buffer, a row group is not read whole.
    with pq.ParquetFile(piece.path, buffer_size=BLOCK) as file:
        names = file.schema_arrow.names
        require(
            column in names,
            f"{piece.path} has no column {column!r}; it has {', '.join(names)}: "
            "name that of the text by --text",
        )
        row = sum(file.metadata.row_group(group).num_rows for group in range(piece.start))
        for batch in file.iter_batches(_ROWS, row_groups=list(groups), columns=[column]):
            texts = batch.column(0)
            good = pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)
            require(good, f"{piece.path}: the column {column!r} is {texts.type}, not text")
            if texts.null_count:
                empty = next(place for place, text in enumerate(texts) if not text.is_valid)
                raise BadInput(f"{piece.path}: {column!r} in row {row + empty + 1} is empty")
            row += len(texts)
            yield texts.cast(pa.large_binary()).to_pylist()


def _line_texts(piece: Piece, column: str) -> Iterator[list[bytes]]:
    plain = kind_of(Path(piece.path)) == ".txt"
    for before, lines in _lines(piece):
        texts = []
        for place, line in enumerate(lines):
            if not line.isspace():
                try:
                    texts.append(_plain_text(line) if plain else _json_text(line, column))
                except BadInput as error:
                    number = _lines_before(piece, before) + place + 1
                    raise BadInput(f"{piece.path}: line {number:,} {error}") from None
        yield texts


def _json_text(line: bytes, column: str) -> bytes:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        raise BadInput("is not valid JSON") from None
    require(isinstance(entry, dict), "is not a JSON object, as in {...}")
    text = entry.get(column)
    if not isinstance(text, str):
        raise BadInput(f"has no text under {column!r}; name the key of the text by --text")
    return text.encode("utf-8", "surrogatepass")


def _plain_text(line: bytes) -> bytes:
    try:
        line.decode()
    except UnicodeDecodeError:
        raise BadInput("is not UTF-8") from None
    return line.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n")


def _lines(piece: Piece) -> Iterator[tuple[int, list[bytes]]]:
    """Some lines at once, and how many of the piece came before them."""
    before = 0
    with _open(Path(piece.path)) as file:
        if piece.start:
            # The line that reaches into the piece from before it belongs to the one before.
            file.seek(piece.start - 1)
            file.readline()
        packed = Path(piece.path).suffix.lower() in PACKED
        while packed or file.tell() < piece.stop:
            rest = BLOCK if packed else piece.stop - file.tell()
            # `readlines` ends with the first line that exceeds what it is told, and 0 means all.
            enough = min(BLOCK, rest) - 1
            lines = file.readlines(enough) if enough else [file.readline()]
            if not lines:
                return
            yield before, lines
            before += len(lines)


def _lines_before(piece: Piece, within: int) -> int:
    """Lines of the file before the piece, and so many of the piece."""
    if not piece.start:
        return within
    with open(piece.path, "rb") as file:
        breaks, left, text = 0, piece.start, b""
        while left and (text := file.read(min(BLOCK, left))):
            breaks += text.count(b"\n")
            left -= len(text)
        # A line that is cut by the start of the piece was begun before it.
        cut = not text.endswith(b"\n")
    return breaks + cut + within


def _open(path: Path) -> io.BufferedReader:
    packing = PACKED.get(path.suffix.lower())
    if packing is None:
        return path.open("rb")
    return io.BufferedReader(pa.input_stream(str(path), compression=packing))  # pyright: ignore[reportArgumentType] it has what a reader needs
