"""Selection during training: what is trained on follows from what is learned."""

from models.selection.config import SelectConfig
from models.selection.influence import influence_scores
from models.selection.selector import Selector
from models.selection.training import Selected, train_selected

__all__ = ["SelectConfig", "Selected", "Selector", "influence_scores", "train_selected"]
