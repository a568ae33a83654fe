"""Sentences with a place for an entity and one for a value."""

from collections.abc import Sequence
from dataclasses import dataclass

from factcap.synth.errors import require

ENTITY, VALUE = "[X]", "[Y]"


@dataclass(frozen=True)
class Template:
    """A sentence for a relation, as ParaRel writes it (Elazar et al. 2021, 2102.01017).

    Attributes:
        text: with one `[X]`, where the entity goes, and one `[Y]`, where the value does.

    Raises:
        BadInput: if one of them is missing or comes twice.

    >>> template = Template("[X] was born in [Y].")
    >>> template.fill("Bo", "Rome"), template.prompt("Bo"), template.promptable
    (('Bo was born in Rome.', 15), 'Bo was born in ', True)
    """

    text: str

    def __post_init__(self):
        for place in (ENTITY, VALUE):
            require(
                self.text.count(place) == 1,
                f"a template has one {place}, not {self.text.count(place)}: {self.text!r}",
            )

    @property
    def promptable(self) -> bool:
        """Whether the entity comes before the value, so that the text before the value asks it."""
        return self.text.index(ENTITY) < self.text.index(VALUE)

    def fill(self, entity: str, value: str) -> tuple[str, int]:
        """The sentence, and the character at which the value begins."""
        before, after = self.text.split(VALUE)
        # What is put in may itself hold the marks, so that each is replaced where it stands.
        before, after = before.replace(ENTITY, entity), after.replace(ENTITY, entity)
        return before + value + after, len(before)

    def prompt(self, entity: str) -> str:
        """The text before the value, of a promptable template."""
        require(self.promptable, f"the value comes before the entity: {self.text!r}")
        return self.text.split(VALUE)[0].replace(ENTITY, entity)


def templates_of(texts: Sequence[str]) -> tuple[Template, ...]:
    """The templates of a relation, each once; at least one of them promptable.

    Raises:
        BadInput: for a text that is no template, or if none can be prompted with.
    """
    templates = tuple(map(Template, dict.fromkeys(texts)))
    require(
        any(template.promptable for template in templates),
        f"a relation needs a template with {ENTITY} before {VALUE}",
    )
    return templates
