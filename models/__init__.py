"""What is memorized: transformers, their training, and the measurement of what they know."""

from models.ensemble import train_together
from models.layout import model_vocabulary
from models.measure import Measurement
from models.mesh import make_mesh
from models.runs.job import Job, run_config
from models.runs.member import Diverged
from models.runs.record import read_outcome, read_run
from models.runs.single import run
from models.schedule import TrainConfig
from models.transformer import SIZES, Transformer, TransformerConfig, named_size

__all__ = [
    "SIZES",
    "Diverged",
    "Job",
    "Measurement",
    "TrainConfig",
    "Transformer",
    "TransformerConfig",
    "make_mesh",
    "model_vocabulary",
    "named_size",
    "read_outcome",
    "read_run",
    "run",
    "run_config",
    "train_together",
]
