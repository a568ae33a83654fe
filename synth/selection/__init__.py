"""What to train on when not all of it fits: from losses to sampling weights."""

from factcap.synth.selection.config import SelectConfig
from factcap.synth.selection.evidence import Evidence
from factcap.synth.selection.offered import Items
from factcap.synth.selection.packing import pack
from factcap.synth.selection.schemes import SCHEMES, check_scheme, select
from factcap.synth.selection.selector import Selector

__all__ = [
    "SCHEMES",
    "Evidence",
    "Items",
    "SelectConfig",
    "Selector",
    "check_scheme",
    "pack",
    "select",
]
