"""What a run's configuration says, made: its facts by recipe, its model by name or size.

The code of this module is a part of what names a run by recipe; see `factcap.models.sweep.code`.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from factcap import synth
from factcap.models.transformer.decoder import TransformerConfig, named_size
from factcap.models.transformer.layout import model_vocabulary
from factcap.synth import FactSet


def build(recipe: Mapping[str, Any]) -> FactSet:
    """The fact set of a complete recipe; of the last few, those made before.

    Raises:
        BadInput: if it cannot be made.
    """
    return _build(json.dumps(dict(recipe), sort_keys=True))


@lru_cache(maxsize=4)
def _build(text: str) -> FactSet:
    recipe = json.loads(text)
    if "file" in recipe:
        facts = synth.load(recipe["file"])
        return facts if recipe["prefix"] is None else facts.prefix(recipe["prefix"])
    recipe.pop("data", None)
    made = getattr(synth, recipe.pop("generator"))(**recipe)
    if isinstance(made, FactSet):
        return made
    facts: FactSet | Callable[[], FactSet] = made.facts
    return facts if isinstance(facts, FactSet) else facts()


def transformer(model: str | Mapping[str, Any], facts: FactSet) -> TransformerConfig:
    """The model for some facts.

    Args:
        model: name of a size, or the fields of `TransformerConfig` but for `vocabulary`.
        facts: what it is to learn.
    """
    vocabulary = model_vocabulary(facts)
    if isinstance(model, str):
        return named_size(model, vocabulary)
    return TransformerConfig(vocabulary, **model)
