"""`python -m benchmarks.count`: how fast `factcap count` reads a corpus, and in how much memory.

A made-up corpus (JSONL) is counted by the command, and one of a single document too, whose time is
that of starting: Python, and compiling the names. Seconds are those of the processor, of all
processes together, so that other programs on the machine count little. `--matchers` also takes the
time of finding the names by each library that is installed, in some of these texts.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any

import psutil

from factcap.synth.counting.matching import Matcher, compile_names

# Characters from one name to the next, about; documents are a few thousand characters long.
_APART = 80
_WORDS = 20_000
_MATCHED_MB = 20
# Seconds between two looks at the memory.
_LOOK = 0.02


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a corpus, count, print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--names", type=int, default=25_000)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--options", nargs="*", default=[], help="say --options=--whole-words")
    parser.add_argument("--matchers", action="store_true", help="compare libraries")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = made_up_names(options.names)
        _write_facts(folder / "facts.csv", names)
        texts = made_up_texts(names)
        size = _write_corpus(folder / "corpus.jsonl", texts, options.megabytes * 1_000_000)
        _write_corpus(folder / "start.jsonl", texts, 1)
        start, _ = _count(folder, "start", options.workers, options.options)
        seconds, peak = _count(folder, "corpus", options.workers, options.options)
        result: dict[str, Any] = {
            "names": len(names),
            "megabytes_of_text": round(size / 1e6),
            "workers": options.workers,
            "options": options.options,
            "seconds": round(seconds, 2),
            "seconds_to_start": round(start, 2),
            "megabytes_a_second_and_core": round(size / 1e6 / (seconds - start), 1),
            "mebibytes_of_all_processes": round(peak / 2**20),
        }
        if options.matchers:
            result["matchers"] = _matchers(names, texts)
        print(json.dumps(result, indent=2))


def made_up_names(number: int) -> list[str]:
    """Names of two or three words, all different; one in fifty is not capitalized."""
    rng = random.Random(0)
    found: dict[str, None] = {}
    while len(found) < number:
        words = " ".join(_word(rng) for _ in range(rng.choice((2, 2, 3))))
        found[words if rng.random() < 0.02 else words.title()] = None
    return list(found)


def made_up_texts(names: Sequence[str]) -> Iterator[str]:
    """Documents without end: words, the first of them the most frequent, and names among them."""
    rng = random.Random(1)
    words = [_word(rng) for _ in range(_WORDS)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(_WORDS)))
    while True:
        pieces: list[str] = []
        for _ in range(int(min(rng.lognormvariate(3, 1), 1000)) + 1):
            pieces += rng.choices(words, cum_weights=weights, k=_APART // 6)
            pieces.append(rng.choice(names))
        yield " ".join(pieces)


def _word(rng: random.Random) -> str:
    letters = zip(rng.choices("tnshrdlcmwfgpbvk", k=3), rng.choices("eaoiu", k=3), strict=True)
    word = "".join(consonant + vowel for consonant, vowel in letters)
    return word[: rng.choice((2, 3, 5, 6))] + rng.choice(("", "n", "r", "s", "ing"))


def _write_facts(path: Path, names: Sequence[str]) -> None:
    half = len(names) // 2
    lines = [
        f"{subject},knows,{answer}"
        for subject, answer in zip(names[:half], names[-half:], strict=True)
    ]
    path.write_text("\n".join(["subject,relation,object", *lines]) + "\n")


def _write_corpus(path: Path, texts: Iterator[str], size: int) -> int:
    """Write at least so many bytes of text; how many they are."""
    # Making texts takes longer than counting them.
    some, held = [], 0
    for text in texts:
        some.append(json.dumps({"text": text}) + "\n")
        held += len(text)
        if held >= min(size, 20_000_000):
            break
    written = 0
    with path.open("w") as lines:
        while written < size:
            lines.writelines(some)
            written += held
    return written


def _count(folder: Path, corpus: str, workers: int, options: Sequence[str]) -> tuple[float, int]:
    """Seconds, and the most bytes of memory that all processes had together."""
    command = [sys.executable, "-m", "factcap", "count", folder / f"{corpus}.jsonl"]
    files = [folder / "facts.csv", "--out", folder / f"{corpus}.parquet"]
    words = [*map(str, (*command, *files)), "--workers", str(workers), *options]
    before, peak = _spent(), 0
    with psutil.Popen(words, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None:
            # A process may end while it is looked at.
            with suppress(psutil.Error):
                all_of_it = (running, *running.children())
                peak = max(peak, sum(each.memory_info().rss for each in all_of_it))
            time.sleep(_LOOK)
        if running.returncode:
            raise SystemExit(f"factcap count ended with {running.returncode}")
    return _spent() - before, peak


def _spent() -> float:
    """Seconds that processes that have ended took of all cores."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _matchers(names: Sequence[str], texts: Iterator[str]) -> dict[str, dict[str, float]]:
    """Megabytes a second of each library, as it is used in one loop over documents."""
    encoded = [name.encode() for name in names]
    some: list[str] = []
    while sum(map(len, some)) < _MATCHED_MB * 1_000_000:
        some += [next(texts) for _ in range(100)]
    found: dict[str, dict[str, float]] = {}
    for library, build in (
        ("hyperscan", lambda: _hyperscan(encoded)),
        ("ahocorasick_rs", lambda: _ahocorasick_rs(encoded)),
        ("ahocorasick", lambda: _pyahocorasick(names)),
    ):
        with suppress(ImportError):
            import_module(library)
            start = time.process_time()
            find = build()
            built = time.process_time()
            matches = sum(find(text) for text in some)
            seconds = time.process_time() - built
            found[library] = {
                "megabytes_a_second": round(sum(map(len, some)) / 1e6 / seconds, 1),
                "seconds_to_build": round(built - start, 2),
                "matches": matches,
            }
    return found


def _hyperscan(names: Sequence[bytes]) -> Callable[[str], int]:
    matcher = Matcher(names, compile_names(names), words=False)
    return lambda text: len(matcher.find([text.encode()])[0])


def _ahocorasick_rs(names: Sequence[bytes]) -> Callable[[str], int]:
    automaton = import_module("ahocorasick_rs").BytesAhoCorasick(names)
    return lambda text: len(automaton.find_matches_as_indexes(text.encode(), overlapping=True))


def _pyahocorasick(names: Sequence[str]) -> Callable[[str], int]:
    automaton = import_module("ahocorasick").Automaton()
    for number, name in enumerate(names):
        automaton.add_word(name, number)
    automaton.make_automaton()
    return lambda text: sum(1 for _ in automaton.iter(text))


if __name__ == "__main__":
    main()
