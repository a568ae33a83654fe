"""Text of many facts at once: pieces joined through lookup tables, without Python strings."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Integer

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def join_pieces(
    ids: Integer[np.ndarray, "rows places"], tables: Sequence[Sequence[str]]
) -> pa.StringArray:
    """Row by row, the text of each place's piece from that place's table, joined.

    Args:
        ids: number of the piece of each place, in [0, length of the place's table).
        tables: ASCII texts of the pieces, a table a place.

    >>> join_pieces(np.array([[0, 1], [1, 0]]), [["a", "bc"], ["-", "!?"]]).to_pylist()
    ['a!?', 'bc-']
    """
    matrices, widths = zip(*(_matrix(tuple(table)) for table in tables), strict=True)
    text = np.concatenate([matrix[ids[:, place]] for place, matrix in enumerate(matrices)], axis=1)
    lengths = sum(width[ids[:, place]] for place, width in enumerate(widths))
    offsets = np.zeros(len(ids) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    flat = text.ravel()
    if int(offsets[-1]) != flat.size:
        flat = flat[flat != 0]
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(flat))


def token_texts(vocabulary: int) -> np.ndarray:
    """The text of each token, all of one width, as items of that many bytes.

    >>> token_texts(3).tobytes()
    b'012'
    """
    width = next(w for w in range(1, 7) if 64**w >= vocabulary)
    number = np.arange(vocabulary)[:, None] // 64 ** np.arange(width - 1, -1, -1) % 64
    text = np.frombuffer(_ALPHABET, np.uint8)[number]
    # One item a token: taking whole items is several times faster than rows of bytes.
    return text.view(f"V{width}").ravel()


def token_strings(tokens: Integer[np.ndarray, "rows places"], texts: np.ndarray) -> pa.StringArray:
    """Row by row, the texts of the tokens, joined.

    Args:
        tokens: token ids.
        texts: what `token_texts` gives.

    >>> token_strings(np.array([[0, 11], [61, 1]]), token_texts(62)).to_pylist()
    ['0B', 'z1']
    """
    width = tokens.shape[1] * texts.dtype.itemsize
    offsets = np.arange(len(tokens) + 1, dtype=np.int32) * np.int32(width)
    return pa.StringArray.from_buffers(
        len(tokens), pa.py_buffer(offsets), pa.py_buffer(np.take(texts, tokens))
    )


def _matrix(
    table: tuple[str, ...],
) -> tuple[Integer[np.ndarray, "pieces width"], Integer[np.ndarray, " pieces"]]:
    """The pieces as bytes, padded with 0, and their lengths."""
    width = max(map(len, table))
    padded = b"".join(piece.encode("ascii").ljust(width, b"\0") for piece in table)
    lengths = np.array([len(piece) for piece in table], np.int32)
    return np.frombuffer(padded, np.uint8).reshape(len(table), width), lengths
