"""What is memorized: transformers, their training, and the measurement of what they know."""

from models.layout import model_vocabulary
from models.measure import Measurement
from models.runs import last_metrics, read_run, run, run_config
from models.schedule import TrainConfig
from models.transformer import SIZES, Transformer, TransformerConfig, named_size

__all__ = [
    "SIZES",
    "Measurement",
    "TrainConfig",
    "Transformer",
    "TransformerConfig",
    "last_metrics",
    "model_vocabulary",
    "named_size",
    "read_run",
    "run",
    "run_config",
]
