"""Facts that a figure reads from a folder, and what its companion file says of them."""

from dataclasses import replace
from pathlib import Path

from factcap.figures.files import Record
from factcap.figures.presets import as_json
from factcap.synth.corpus import Knowledge, read_knowledge
from factcap.synth.disk.files import digest_of


def recorded(data: Path, record: Record) -> tuple[Knowledge, Record]:
    """The facts of a folder, and the record of a figure that is made of them.

    Args:
        data: a folder that `factcap.synth.corpus.read_knowledge` reads.
        record: of the figure; the folder and a hash of its facts are added.

    Raises:
        BadInput: if the folder cannot be read.
    """
    knowledge = read_knowledge(data)
    known = record.settings | {"data_sha256": knowledge_digest(knowledge)}
    return knowledge, replace(record, data=data, settings=known)


def knowledge_digest(knowledge: Knowledge) -> str:
    """Other data, other numbers, wherever they lie."""
    facts = (knowledge.entities, knowledge.relations, knowledge.values)
    return digest_of(
        {
            "facts": as_json(facts),
            "counts": knowledge.counts.tolist(),
            "templates": as_json(knowledge.templates),
        }
    )
