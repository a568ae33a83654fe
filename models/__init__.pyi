from .exchange.checkpoint import load_checkpoint
from .exchange.export import export_run
from .exchange.task import export_task
from .runs.directory.finished import read_run
from .runs.directory.reading import read_outcome
from .runs.ensemble import train_together
from .runs.job import Job, run_config
from .runs.other_facts import measure_other_facts
from .runs.parent import Parent
from .runs.result import Diverged, Measurement
from .runs.single import run
from .sweep.grid import chain, product, zipped
from .sweep.spec import RunSpec, run_spec, run_specs
from .sweep.store.store import Store
from .sweep.store.table import results
from .sweep.sweep import run_sweep
from .training.config import SelectConfig, TrainConfig
from .training.devices.mesh import make_mesh
from .training.selection.influence import influence_scores
from .training.selection.selection import Selector
from .transformer.decoder import SIZES, Transformer, TransformerConfig, named_size
from .transformer.layout import model_vocabulary

__all__ = [
    "SIZES",
    "Diverged",
    "Job",
    "Measurement",
    "Parent",
    "RunSpec",
    "SelectConfig",
    "Selector",
    "Store",
    "TrainConfig",
    "Transformer",
    "TransformerConfig",
    "chain",
    "export_run",
    "export_task",
    "influence_scores",
    "load_checkpoint",
    "make_mesh",
    "measure_other_facts",
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
    "run_sweep",
    "train_together",
    "zipped",
]
