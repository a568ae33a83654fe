"""Documents: text, and in it, where they are marked, the values of facts."""

from collections.abc import Iterable
from dataclasses import dataclass

from factcap.synth.errors import require


@dataclass(frozen=True)
class Span:
    """The value of a fact, at its place in a document.

    Attributes:
        entity: what the fact is about.
        relation: which fact about it.
        value: the answer.
        start: character of the text at which the value begins.
        end: character after its last.
    """

    entity: str
    relation: str
    value: str
    start: int
    end: int

    @property
    def fact(self) -> tuple[str, str, str]:
        """(entity, relation, value): spans of one fact have this in common."""
        return (self.entity, self.relation, self.value)


@dataclass(frozen=True)
class Document:
    """A text.

    Attributes:
        id: its name, not empty.
        text: not empty.
        spans: the facts that are marked in it, in their order, none over another; none at all in
            a document that nobody marked.

    Raises:
        BadInput: for an empty id or text, or a span that is not where its value is.

    >>> Document("a", "Bo is from Rome.", (Span("Bo", "birthplace", "Rome", 11, 15),)).id
    'a'
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()

    def __post_init__(self):
        require(bool(self.id), "a document has no id")
        require(bool(self.text), f"the document {self.id!r} has no text")
        free = 0
        for span in self.spans:
            place = f"characters {span.start} to {span.end} of the document {self.id!r}"
            require(bool(span.entity), f"the fact at {place} has no entity")
            require(bool(span.relation), f"the fact at {place} has no relation")
            require(
                free <= span.start < span.end <= len(self.text),
                f"{place} are no span; a span lies in the text of {len(self.text)} characters, "
                "is not empty, and follows the one before",
            )
            require(
                self.text[span.start : span.end] == span.value,
                f"{place} are {self.text[span.start : span.end]!r}, not the value {span.value!r}",
            )
            free = span.end

    def tells(self, span: Span) -> bool:
        """Whether the entity stands before the value, so that a reader can know which is asked."""
        return span.entity in self.text[: span.start]


def check_ids(documents: Iterable[Document]) -> None:
    """Raise `BadInput` if two documents have one id."""
    seen: set[str] = set()
    for document in documents:
        require(document.id not in seen, f"two documents have the id {document.id!r}; rename one")
        seen.add(document.id)
