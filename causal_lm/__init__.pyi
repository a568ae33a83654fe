from .asking import ask, read_facts
from .checkpoint import Checkpoint, load_checkpoint
from .losses import write_losses
from .measured import Measured
from .measuring import measure, measure_into

__all__ = [
    "Checkpoint",
    "Measured",
    "ask",
    "load_checkpoint",
    "measure",
    "measure_into",
    "read_facts",
    "write_losses",
]
