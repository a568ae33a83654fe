from .example_losses import example_losses
from .sampler import WeightedSampler
from .selecting import SelectionCallback, add_selection

__all__ = [
    "SelectionCallback",
    "WeightedSampler",
    "add_selection",
    "example_losses",
]
