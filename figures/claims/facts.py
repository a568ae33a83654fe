"""Facts of claims that no generator makes: joined sets, and the files that runs read them from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int

from factcap.synth import FactSet, Origin, write
from factcap.synth.disk.files import digest_of


def token_facts(
    keys: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    choices: Sequence[float],
    frequency: Float64[np.ndarray, " all_facts"],
    vocabulary: int,
    **made_of: Any,
) -> FactSet:
    """Several kinds of facts as one set.

    Args:
        keys: tokens of the keys of each kind, (facts, tokens).
        values: tokens of the values of each kind, (facts, tokens).
        choices: of a fact of each kind.
        frequency: of all facts, of any sum above 0.
        vocabulary: token ids.
        made_of: what determines the facts, as JSON values.
    """
    longest = max(key.shape[1] + value.shape[1] for key, value in zip(keys, values, strict=True))
    rows = [
        np.pad(joined, [(0, 0), (0, longest - joined.shape[1])])
        for joined in (np.hstack(pair) for pair in zip(keys, values, strict=True))
    ]
    counts = [len(key) for key in keys]
    key_length = np.repeat([key.shape[1] for key in keys], counts).astype(np.int32)
    value_length = np.repeat([value.shape[1] for value in values], counts).astype(np.int32)
    return FactSet(
        keys=_texts(keys),
        values=_texts(values),
        choices=np.repeat(np.asarray(choices, float), counts),
        frequency=frequency / frequency.sum(),
        tokens=np.vstack(rows).astype(np.int32),
        key_length=key_length,
        length=key_length + value_length,
        origin=Origin("claims", made_of, None, vocabulary),
    )


def _texts(kinds: Sequence[np.ndarray]) -> pa.StringArray:
    return pa.array([" ".join(map(str, row)) for kind in kinds for row in kind.tolist()])


def facts_file(folder: Path, facts: FactSet) -> str:
    """The path of a file with these facts, written if it is not there; its name is their origin's.

    Args:
        folder: where files of facts lie.
        facts: whose origin says what determines them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{digest_of(dict(facts.origin.arguments))[:16]}.parquet"
    if not path.exists():
        write(facts, path)
    return str(path)


def distinct_rows(
    rows: int, tokens: int, vocabulary: int, rng: np.random.Generator
) -> Int[np.ndarray, "rows tokens"]:
    """Different rows of random tokens."""
    numbers = rng.choice(vocabulary**tokens, size=rows, replace=False, shuffle=False)
    places = vocabulary ** np.arange(tokens)
    return numbers[:, None] // places % vocabulary
