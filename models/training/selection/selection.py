"""Which of the two kinds of selection serves which facts."""

from factcap.models.training.config import TrainConfig, total_steps
from factcap.models.transformer.decoder import TransformerConfig
from factcap.synth import FactSet
from factcap.synth.corpus import Grouping
from factcap.synth.selection.budget import late_exponent
from factcap.synth.selection.groups import GroupSelector
from factcap.synth.selection.selection import Selection
from factcap.synth.selection.selector import Selector


def make_selection(
    facts: FactSet,
    training: TrainConfig,
    model: TransformerConfig,
    grouping: Grouping[FactSet] | None = None,
) -> Selection | None:
    """The selection that a configuration asks for, as it is before the first step.

    Args:
        facts: what is learned.
        training: how, its defaults filled in.
        model: the transformer.
        grouping: where the facts are documents, what is scored instead of them.

    Returns:
        The selection; None where all facts are trained on.
    """
    if training.select is None:
        return None
    draws = total_steps(training, len(facts)) * training.batch
    rest = (training.select, model.parameters, draws, training.seed)
    if grouping is None:
        return Selector(facts, *rest, late=late_exponent(model.depth))
    return GroupSelector(grouping, facts.frequency, *rest)
