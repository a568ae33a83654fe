from .errors import BadInput
from .factset import FactSet, FactStream, Origin
from .frequency import AliasTable, empirical, power_law, rank_size_exponent, uniform
from .generators.biographies.people import Biographies, biographies
from .generators.biographies.tokens import (
    BIOGRAPHY_VOCABULARY,
    detokenize_biographies,
    tokenize_biographies,
)
from .generators.bitstrings import bitstrings, bitstrings_stream
from .generators.cities import cities
from .generators.domains import Domains, domains
from .generators.phonebook import phonebook, phonebook_stream
from .generators.ruled_facts import RuledFacts, ruled_facts
from .generators.rules_and_facts import RulesAndFacts, rules_and_facts
from .generators.tuples import tuples, tuples_bits, tuples_stream
from .measurement import Measurement
from .parquet import load, load_frequency, scan, write
from .summary import summarize, summary_text
from .tabular.triples import triples

__all__ = [
    "BIOGRAPHY_VOCABULARY",
    "AliasTable",
    "BadInput",
    "Biographies",
    "Domains",
    "FactSet",
    "FactStream",
    "Measurement",
    "Origin",
    "RuledFacts",
    "RulesAndFacts",
    "biographies",
    "bitstrings",
    "bitstrings_stream",
    "cities",
    "detokenize_biographies",
    "domains",
    "empirical",
    "load",
    "load_frequency",
    "phonebook",
    "phonebook_stream",
    "power_law",
    "rank_size_exponent",
    "ruled_facts",
    "rules_and_facts",
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
