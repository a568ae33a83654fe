from .asking import ask, read_facts
from .checkpoint import Checkpoint, load_checkpoint
from .example_losses import example_losses
from .losses import write_losses
from .measured import Measured
from .measuring import measure, measure_into
from .sampler import WeightedSampler
from .selecting import SelectionCallback, add_selection

__all__ = [
    "Checkpoint",
    "Measured",
    "SelectionCallback",
    "WeightedSampler",
    "add_selection",
    "ask",
    "example_losses",
    "load_checkpoint",
    "measure",
    "measure_into",
    "read_facts",
    "write_losses",
]
