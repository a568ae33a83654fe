"""What runs must share to be trained together in one program."""

from collections.abc import Sequence
from typing import NamedTuple

from factcap.models.runs.job import Job
from factcap.models.training.config import filled
from factcap.models.transformer.decoder import TransformerConfig


class Shape(NamedTuple):
    """What one compiled program has in common for all runs that it trains.

    Attributes:
        model: the transformer, its vocabulary included.
        batch: facts a step.
        optimizer: its name.
        precision: of products.
    """

    model: TransformerConfig
    batch: int
    optimizer: str
    precision: str


def shape_of(job: Job) -> Shape:
    """The shape of a run; its batch may depend on how many facts there are."""
    training = filled(job.training, len(job.facts), job.model.width)
    return Shape(job.model, training.batch, training.optimizer, training.precision)


def by_shape(jobs: Sequence[Job]) -> list[list[int]]:
    """The numbers of the jobs of each shape, shapes and numbers in the order of the jobs."""
    groups: dict[Shape, list[int]] = {}
    for number, job in enumerate(jobs):
        groups.setdefault(shape_of(job), []).append(number)
    return list(groups.values())
