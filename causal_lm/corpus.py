"""The examples of a corpus that may be larger than memory, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.synth.corpus import Document
from factcap.synth.corpus.files import document_of, read_rows
from factcap.synth.errors import BadInput, require


@dataclass(frozen=True)
class Example:
    """A row of a corpus.

    Attributes:
        id: its name, or the number of its row, from 0, where the corpus names none.
        document: its text, and the facts that are marked in it.
        count: how often it occurs; None where the corpus does not say.
    """

    id: str | int
    document: Document
    count: float | None


def read_examples(path: Path, text: str = "text") -> Iterator[Example]:
    """The rows of a .jsonl or .parquet file, or of a folder that `datasets` has saved.

    Columns are `id`, a text or a whole number, `text`, `spans` (see
    `factcap.synth.corpus.read_documents`) and `count`; all but the text may be missing.

    Args:
        path: the file or folder.
        text: the column of the text.

    Raises:
        BadInput: for what cannot be read, or a row that is no example; it names the row.
    """
    require(path.exists(), f"{path} does not exist; give a .jsonl or .parquet file, or a folder")
    names = ("id", text, "spans", "count")
    rows = _saved_rows(path, names) if path.is_dir() else read_rows(path, names, needed=(text,))
    first: Example | None = None
    for number, (row, entry) in enumerate(rows):
        try:
            example = _example(entry, number, text)
            if first is not None:
                _check_alike(first, example)
        except BadInput as error:
            raise BadInput(f"{path}: row {row}: {error}") from None
        first = first or example
        yield example
    require(first is not None, f"{path} is empty; it needs at least one document")


def _example(entry: Any, number: int, text: str) -> Example:
    require(isinstance(entry, dict), "it is not an object, as in {...}")
    name = entry.get("id")
    if name is None:
        name = number
    require(
        isinstance(name, str | int) and not isinstance(name, bool),
        "'id' must be text or a whole number",
    )
    require(isinstance(entry.get(text), str), f"{text!r} must be text")
    document = document_of({"id": str(name), "text": entry[text], "spans": entry.get("spans")})
    count = entry.get("count")
    require(
        count is None or (isinstance(count, int | float) and not isinstance(count, bool)),
        "'count' must be a number",
    )
    return Example(name, document, None if count is None else float(count))


def _check_alike(first: Example, other: Example) -> None:
    require(
        isinstance(other.id, type(first.id)), "its id is not of the kind that the first row has"
    )
    require(
        (other.count is None) == (first.count is None), "either all rows have a count, or none has"
    )


def _saved_rows(folder: Path, names: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
    import datasets

    datasets.disable_progress_bars()
    try:
        found = datasets.load_from_disk(str(folder))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{folder} is not a dataset saved by datasets ({reason})") from None
    if isinstance(found, datasets.DatasetDict):
        splits = ", ".join(map(str, found))
        raise BadInput(f"{folder} holds the splits {splits}; give the folder of one of them")
    held = [name for name in names if name in found.column_names]
    require(
        names[1] in held,
        f"{folder} has no column {names[1]!r}; it has {', '.join(found.column_names)}",
    )
    yield from enumerate(found.select_columns(held), 1)
