"""What is memorized: transformers, their training, and the measurement of what they know."""

from models.ensemble import train_together
from models.layout import model_vocabulary
from models.measure import Measurement
from models.runs.job import Job, run_config
from models.runs.member import Diverged
from models.runs.record import read_outcome, read_run
from models.runs.single import run
from models.schedule import TrainConfig
from models.store.store import Store
from models.store.table import results
from models.sweep.grid import chain, product, zipped
from models.sweep.spec import RunSpec, run_spec, run_specs
from models.sweep.sweep import sweep
from models.transformer import SIZES, Transformer, TransformerConfig, named_size

__all__ = [
    "SIZES",
    "Diverged",
    "Job",
    "Measurement",
    "RunSpec",
    "Store",
    "TrainConfig",
    "Transformer",
    "TransformerConfig",
    "chain",
    "model_vocabulary",
    "named_size",
    "product",
    "read_outcome",
    "read_run",
    "results",
    "run",
    "run_config",
    "run_spec",
    "run_specs",
    "sweep",
    "train_together",
    "zipped",
]
