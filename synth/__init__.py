"""What there is to memorize: fact sets, their frequencies, and their files."""

from synth.errors import BadInput
from synth.factset import FactSet, FactStream, Origin
from synth.frequency import AliasTable, empirical, power_law, rank_size_exponent, uniform
from synth.generators.biographies.people import Biographies, biographies
from synth.generators.biographies.tokens import (
    BIOGRAPHY_VOCABULARY,
    detokenize_biographies,
    tokenize_biographies,
)
from synth.generators.bitstrings import bitstrings, bitstrings_stream
from synth.generators.cities import cities
from synth.generators.phonebook import phonebook, phonebook_stream
from synth.generators.tuples import tuples, tuples_bits, tuples_stream
from synth.parquet import load, load_frequency, scan, write
from synth.summary import summarize, summary_text
from synth.tabular.triples import triples

__all__ = [
    "BIOGRAPHY_VOCABULARY",
    "AliasTable",
    "BadInput",
    "Biographies",
    "FactSet",
    "FactStream",
    "Origin",
    "biographies",
    "bitstrings",
    "bitstrings_stream",
    "cities",
    "detokenize_biographies",
    "empirical",
    "load",
    "load_frequency",
    "phonebook",
    "phonebook_stream",
    "power_law",
    "rank_size_exponent",
    "scan",
    "summarize",
    "summary_text",
    "tokenize_biographies",
    "triples",
    "tuples",
    "tuples_bits",
    "tuples_stream",
    "uniform",
    "write",
]
