"""A fact set in a few numbers and lines."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from factcap.synth.factset import FactSet
from factcap.synth.frequency import rank_size_exponent


def summarize(facts: FactSet, examples: int = 5) -> dict[str, Any]:
    """Counts, bits, frequencies and the first few facts, as JSON values.

    Entropies are in bits, lengths in tokens. `share_of_top_tenth` is the frequency that the most
    frequent tenth of the facts has together.

    >>> from factcap.synth import phonebook
    >>> round(summarize(phonebook(100, digits=2))["entropy_bits_per_fact"]["mean"], 3)
    6.644
    """
    ranked = np.sort(facts.frequency)[::-1]
    positive = int(np.count_nonzero(ranked))
    return {
        "facts": len(facts),
        "entropy_bits": float(facts.entropy_bits.sum()),
        "entropy_bits_per_fact": _spread(facts.entropy_bits),
        "key_tokens": _spread(facts.key_length),
        "value_tokens": _spread(facts.length - facts.key_length),
        "vocabulary_size": facts.vocabulary_size,
        "frequency": {
            "largest": float(ranked[0]),
            "smallest": float(ranked[-1]),
            "zero": len(facts) - positive,
            "share_of_top_tenth": float(ranked[: max(1, len(ranked) // 10)].sum()),
            "rank_size_exponent": rank_size_exponent(ranked) if positive > 1 else None,
        },
        "origin": json.loads(facts.origin.to_json()),
        "examples": [
            {"key": facts.keys[row].as_py(), "value": facts.values[row].as_py()}
            for row in range(min(examples, len(facts)))
        ],
    }


def summary_text(summary: dict[str, Any]) -> str:
    """What `summarize` gives, as lines for a terminal."""
    origin, frequency = summary["origin"], summary["frequency"]
    exponent = frequency["rank_size_exponent"]
    arguments = ", ".join(f"{name} {value}" for name, value in origin["arguments"].items())
    lines = [
        f"generator   {origin['generator']}; {arguments}; seed {origin['seed']}",
        f"facts       {summary['facts']:,}",
        f"entropy     {summary['entropy_bits']:,.1f} bits; "
        f"{_range(summary['entropy_bits_per_fact'])} bits a fact",
        f"tokens      key {_range(summary['key_tokens'])}, "
        f"value {_range(summary['value_tokens'])}; vocabulary {summary['vocabulary_size']:,}",
        f"frequency   {frequency['smallest']:.3g} to {frequency['largest']:.3g}; the most frequent "
        f"tenth of the facts has {frequency['share_of_top_tenth']:.1%}; rank-size exponent "
        + ("undefined" if exponent is None else f"{abs(exponent):.2f}"),
    ]
    if frequency["zero"]:
        lines.append(f"            {frequency['zero']:,} facts have frequency 0")
    lines += [f"note        {note}" for note in origin["notes"]]
    lines += [f"fact        {fact['key']}  ->  {fact['value']}" for fact in summary["examples"]]
    return "\n".join(lines)


def _spread(array: npt.NDArray[Any]) -> dict[str, float]:
    return {"min": float(array.min()), "mean": float(array.mean()), "max": float(array.max())}


def _range(spread: dict[str, float]) -> str:
    if spread["min"] == spread["max"]:
        return f"{spread['min']:.4g}"
    return f"{spread['min']:.4g} to {spread['max']:.4g} (mean {spread['mean']:.4g})"
