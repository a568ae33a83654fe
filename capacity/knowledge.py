"""Bit complexity and capacity ratio of the knowledge benchmarks of Allen-Zhu and Li 2024."""

import csv
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factcap.capacity.arguments import require_whole

# Names of bioS: first, middle and last.
BIO_S_NAMES = 400 * 400 * 1000
# Birth date, city, university, major, employer (its city follows), pronoun.
BIO_S_VALUES = (12 * 28 * 200) * 200 * 300 * 100 * 263 * 2


def bit_complexity(
    N: int, N_0: float, K: int, C: int, D: int, L: int, T: int, p1: float, p2: float, p3: float
) -> float:
    """A lower bound on the bits that a model with these losses holds about bioD(N,K,C,D,L,T).

        $log2|W| >= N log2((N_0-N)/e^p1) + N K log2(D^C/e^p2) + K D log2((T^L-D)/(D e^p3)) - o(K D)$

    This is theorem 3.2 of 2404.05405. A term in which the model is worse than a guess counts 0, and
    so does the $o(K D)$.

    Args:
        N: names, 1 or more.
        N_0: names there were to choose from, above N.
        K: attributes of a name.
        C: chunks of a value.
        D: strings that are possible as a chunk of one attribute (its diversity).
        L: tokens of a chunk.
        T: size of the vocabulary.
        p1: loss on a name, in nats: summed over its tokens, averaged over names.
        p2: loss on a value, in nats: summed over its tokens, averaged over names and attributes.
        p3: loss on the first chunk, in nats: summed over its tokens, averaged likewise.

    Returns:
        Bits.

    Raises:
        ValueError: for an argument out of range.
    """
    _check(N, N_0, K, C, D, L, T, {"p1": p1, "p2": p2, "p3": p3})
    if not N_0 > N:
        raise ValueError(f"N_0 must be above N = {N}, not {N_0}")
    names = N * (math.log2(N_0 - N) - _bits(p1))
    values = N * K * (C * math.log2(D) - _bits(p2))
    diversity = K * D * (_log2_left(D, L, T) - math.log2(D) - _bits(p3))
    return max(names, 0.0) + max(values, 0.0) + max(diversity, 0.0)


def capacity_ratio(
    N: int,
    N_0: float,
    K: int,
    C: int,
    D: int,
    L: int,
    T: int,
    p1: float,
    p2: float,
    p3: float,
    P: int,
) -> float:
    """The capacity ratio $R(F)$ of a model on bioD, in bits a parameter.

        $R = [N log2(N_0/e^p1) + N K log2(D^C/e^p2) + K D log2(T^L/(D e^p3))] / P$

    This is definition 4.1 of 2404.05405.

    Args:
        N: names; see `bit_complexity` for this and the other symbols.
        N_0: names there were to choose from.
        K: attributes.
        C: chunks of a value.
        D: diversity.
        L: tokens of a chunk.
        T: vocabulary.
        p1: name loss, nats.
        p2: value loss, nats.
        p3: first-chunk loss, nats.
        P: parameters.

    Raises:
        ValueError: for an argument out of range.

    >>> perfect = capacity_ratio(100, 1e6, 3, 1, 16, 2, 64, math.log(100), 0.0, 0.0, 1000)
    >>> perfect == max_capacity_ratio(100, 1e6, 3, 1, 16, 2, 64, 1000)
    True
    """
    _check(N, N_0, K, C, D, L, T, {"p1": p1, "p2": p2, "p3": p3})
    require_whole("P", P)
    names = N * (math.log2(N_0) - _bits(p1))
    values = N * K * (C * math.log2(D) - _bits(p2))
    diversity = K * D * (L * math.log2(T) - math.log2(D) - _bits(p3))
    return (names + values + diversity) / P


def max_capacity_ratio(N: int, N_0: float, K: int, C: int, D: int, L: int, T: int, P: int) -> float:
    """The capacity ratio of a model that knows all of bioD, $R_max$, in bits a parameter.

        $R_max = [N log2(N_0/N) + N K C log2 D + K D log2(T^L/D)] / P$

    This is R with $p1 = ln N$ and $p2 = p3 = 0$.

    Args:
        N: names; see `bit_complexity` for this and the other symbols.
        N_0: names there were to choose from.
        K: attributes.
        C: chunks of a value.
        D: diversity.
        L: tokens of a chunk.
        T: vocabulary.
        P: parameters.

    Raises:
        ValueError: for an argument out of range.
    """
    return capacity_ratio(N, N_0, K, C, D, L, T, math.log(N) if N > 0 else 0.0, 0.0, 0.0, P)


def biography_capacity_ratio(
    N: int, p1: float, p2: float, P: int, N_0: float = BIO_S_NAMES, S_0: float = BIO_S_VALUES
) -> float:
    """The capacity ratio of a model on bioS, in bits a parameter.

        $R = [N log2(N_0/e^p1) + N log2(S_0/e^p2)] / P$

    Args:
        N: people.
        p1: loss on a name, in nats: summed over its tokens, averaged over people.
        p2: loss on all values of a person, in nats: summed over their tokens, averaged.
        P: parameters.
        N_0: names there were to choose from.
        S_0: values that one person may have; $2^47.6$ in bioS.

    Raises:
        ValueError: for an argument out of range.

    >>> round(math.log2(BIO_S_VALUES), 1)
    47.6
    """
    _check(N, N_0, 1, 1, 1, 1, 1, {"p1": p1, "p2": p2})
    require_whole("P", P)
    if not (S_0 >= 1 and math.isfinite(S_0)):
        raise ValueError(f"S_0 must be finite and at least 1, not {S_0}")
    return N * (math.log2(N_0) - _bits(p1) + math.log2(S_0) - _bits(p2)) / P


@dataclass(frozen=True)
class KnowledgeRun:
    """Losses of one model on bioD, measured anywhere; the symbols of `bit_complexity`."""

    N: int
    N_0: float
    K: int
    C: int
    D: int
    L: int
    T: int
    p1: float
    p2: float
    p3: float
    P: int

    def capacity_ratio(self) -> float:
        """$R(F)$, in bits a parameter."""
        return capacity_ratio(**vars(self))

    def max_capacity_ratio(self) -> float:
        """$R_max$, in bits a parameter."""
        losses = ("p1", "p2", "p3")
        return max_capacity_ratio(**{k: v for k, v in vars(self).items() if k not in losses})


def read_knowledge_runs(path: str | os.PathLike) -> list[KnowledgeRun]:
    """Read losses measured elsewhere: CSV with a header, or JSON lines, one model a row.

    Columns are the symbols N, $N_0$, K, C, D, L, T, p1, p2, p3 (losses in nats) and P; others are
    passed over.

    Raises:
        ValueError: if a row lacks a column or has a value out of range; the message names the
            row.
    """
    file = Path(path)
    with file.open(newline="") as lines:
        if file.suffix.lower() == ".csv":
            rows = list(csv.DictReader(lines))
        else:
            numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
            rows = [_json_row(line, f"{file}, line {number}") for number, line in numbered]
    if not rows:
        raise ValueError(f"{file} has no rows; it needs one a model")
    return [_run(row, f"{file}, row {number}") for number, row in enumerate(rows, 1)]


def _json_row(line: str, place: str) -> dict[str, object]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise ValueError(f"{place} is not JSON")
    return row


def _run(row: Mapping[Any, Any], place: str) -> KnowledgeRun:
    if None in row:
        raise ValueError(f"{place} has more cells than the header")
    values = {}
    for name, kind in KnowledgeRun.__annotations__.items():
        if row.get(name) in (None, ""):
            raise ValueError(f"{place} lacks the column {name!r}")
        try:
            number = float(str(row[name]))
        except ValueError:
            raise ValueError(f"{place}: {name} is {row[name]!r}, which is not a number") from None
        if not math.isfinite(number) or (kind is int and number != int(number)):
            wanted = "a whole number" if kind is int else "finite"
            raise ValueError(f"{place}: {name} must be {wanted}, not {number}")
        values[name] = kind(number)
    run = KnowledgeRun(**values)
    try:
        run.capacity_ratio()
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    return run


def _bits(nats: float) -> float:
    return nats / math.log(2)


def _log2_left(D: int, L: int, T: int) -> float:
    """log2(T^L - D), where T^L may be beyond a double."""
    whole = L * math.log2(T)
    return whole if whole > 1000 else math.log2(T**L - D) if T**L > D else -math.inf


def _check(N, N_0, K, C, D, L, T, losses: Mapping[str, float]) -> None:
    for name, value in {"N": N, "K": K, "C": C, "D": D, "L": L, "T": T}.items():
        require_whole(name, value)
    if not (N_0 >= N and math.isfinite(N_0)):
        raise ValueError(f"N_0 must be finite and at least N = {N}, not {N_0}")
    if math.log2(D) > L * math.log2(T) * (1 + 1e-12):
        raise ValueError(f"D must be at most T^L = {T}^{L}, not {D}")
    for name, value in losses.items():
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be finite and >= 0 (nats), not {value}")
