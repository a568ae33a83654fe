"""What there is to memorize: fact sets, their frequencies, and their files."""

from synth.cities import cities
from synth.errors import BadInput
from synth.factset import FactSet, FactStream, Origin
from synth.frequency import AliasTable, empirical, power_law, rank_size_exponent, uniform
from synth.parquet import load, load_frequency, scan, write
from synth.summary import summarize, summary_text

__all__ = [
    "AliasTable",
    "BadInput",
    "FactSet",
    "FactStream",
    "Origin",
    "cities",
    "empirical",
    "load",
    "load_frequency",
    "power_law",
    "rank_size_exponent",
    "scan",
    "summarize",
    "summary_text",
    "uniform",
    "write",
]
