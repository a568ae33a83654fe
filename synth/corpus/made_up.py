"""Made-up facts with templates, for a corpus where no data is at hand."""

import numpy as np

from factcap.synth.corpus.relations import Knowledge
from factcap.synth.corpus.templates import templates_of
from factcap.synth.errors import require
from factcap.synth.frequency import power_law
from factcap.synth.generators.biographies.lists import CITIES, FIRST_NAMES, LAST_NAMES, MAJORS

_VALUES = {"birthplace": CITIES, "field": MAJORS}
_TEMPLATES = {
    "birthplace": (
        "[X] was born in [Y].",
        "[X] comes from [Y].",
        "[X] is a native of [Y].",
        "[Y] is where [X] was born.",
    ),
    "field": (
        "[X] studied [Y].",
        "The field of [X] is [Y].",
        "[X] has a degree in [Y].",
        "[Y] is the field of [X].",
    ),
}
_NAMES = len(FIRST_NAMES) * len(LAST_NAMES)


def made_up(people: int, *, seed: int = 0) -> Knowledge:
    """Two facts a person, birthplace and field, the values uniform; people by a power law.

    Args:
        people: how many; a person is a given name and a surname, no two alike.
        seed: of names and values.

    Raises:
        BadInput: for more people than there are names.

    >>> knowledge = made_up(3)
    >>> len(knowledge), knowledge.relations[:2]
    (6, ('birthplace', 'field'))
    """
    require(1 <= people <= _NAMES, f"people must number 1 to {_NAMES:,}, not {people}")
    rng = np.random.default_rng(seed)
    number = rng.permutation(_NAMES)[:people]
    names = [
        f"{FIRST_NAMES[i % len(FIRST_NAMES)]} {LAST_NAMES[i // len(FIRST_NAMES)]}" for i in number
    ]
    relations = list(_VALUES) * people
    values = tuple(
        _VALUES[relation][int(rng.integers(len(_VALUES[relation])))] for relation in relations
    )
    return Knowledge(
        tuple(name for name in names for _ in _VALUES),
        tuple(relations),
        values,
        np.repeat(power_law(people, 1.0), len(_VALUES)),
        {name: templates_of(texts) for name, texts in _TEMPLATES.items()},
        (),
    )
