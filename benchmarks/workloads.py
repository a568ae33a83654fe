"""What is trained: models of several sizes on facts, on CPU and on a GPU."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.task import Recipe
from factcap.models import TrainConfig, TransformerConfig, model_vocabulary, named_size
from factcap.models.instructions import cpu_has_bfloat16
from factcap.models.training.config import default_learning_rate
from factcap.synth import FactSet, bitstrings, phonebook
from factcap.synth.errors import BadInput

_GPT2_VOCABULARY = 50_257


@dataclass(frozen=True)
class Workload:
    """A sweep of equal models that differ in their seed.

    Attributes:
        name: what the report calls it.
        size: name of the model's size.
        precision: of both engines.
        facts: number of facts.
        members: models of the sweep.
        batch: facts a step.
        pairs: how often both engines take turns.
        segment: steps of each model in one turn.
        long: facts of 513 tokens and GPT-2's vocabulary, in place of phone book entries.
    """

    name: str
    size: str
    precision: str
    facts: int
    members: int
    batch: int
    pairs: int
    segment: int
    long: bool = False

    @property
    def steps(self) -> int:
        """Steps of each model, the last turn's included."""
        return self.pairs * self.segment

    def fact_set(self) -> FactSet:
        """The facts, uniform in frequency."""
        if self.long:
            return bitstrings(self.facts, vocabulary=2, length=513, seed=0)
        return phonebook(self.facts, seed=0)

    def model(self) -> TransformerConfig:
        """The model of the size, with as many token ids as the facts need, or GPT-2's."""
        vocabulary = _GPT2_VOCABULARY if self.long else model_vocabulary(self.fact_set())
        return named_size(self.size, vocabulary)

    def recipe(self) -> Recipe:
        """The model and its training, with the defaults of `factcap.models.TrainConfig`."""
        model, training = self.model(), TrainConfig()
        return Recipe(
            size=self.size,
            vocabulary=model.vocabulary,
            width=model.width,
            depth=model.depth,
            heads=model.heads,
            batch=self.batch,
            steps=self.steps,
            learning_rate=default_learning_rate(model.width, "adamw", self.batch),
            warmup=training.warmup,
            decay=training.decay,
            weight_decay=training.weight_decay,
            beta2=training.beta2,
        )

    def quick(self) -> "Workload":
        """The same with a few steps and members, to see that all runs; its numbers say little."""
        batch, members = min(self.batch, 8), min(self.members, 2)
        return replace(self, facts=16, members=members, batch=batch, pairs=2, segment=2)


# Steps as many as bring the loss below that of a guess (2.30 nats) in some minutes on two cores.
_CPU = tuple(
    Workload(
        size + ("" if precision == "float32" else "-bfloat16"),
        size,
        precision,
        facts,
        members=8,
        batch=256,
        pairs=pairs,
        segment=segment,
    )
    for size, facts, pairs, segment in (("29k", 32, 5, 40), ("0.8M", 16, 6, 4), ("3.2M", 16, 5, 2))
    for precision in ("float32", "bfloat16")
)


_GPU_SMALL = tuple(
    Workload(
        name + ("" if precision == "float32" else "-bfloat16"),
        size,
        precision,
        64,
        members=members,
        batch=256,
        pairs=5,
        segment=50,
    )
    for precision in ("float32", "bfloat16")
    for name, size, members in (
        ("29k", "29k", 8),
        ("0.8M", "0.8M", 8),
        ("3.2M", "3.2M", 8),
        ("sweep-0.2M", "0.2M", 64),
    )
)
# Rows of 512 positions: what the device is used for at best.
_GPT2 = Workload(
    "gpt2-small", "gpt2-small", "bfloat16", 4096, 1, batch=32, pairs=5, segment=10, long=True
)

WORKLOADS = {"cpu": _CPU, "gpu": (*_GPU_SMALL, _GPT2)}


def choose(device: str, chosen: Sequence[str] = ()) -> tuple[Workload, ...]:
    """All workloads of a device, or those of these names; raises `BadInput` that lists the names.

    A CPU without bfloat16 instructions emulates them, PyTorch ten times slower than float32: a race
    there says nothing of CPUs that have them, and is not run.
    """
    rows = WORKLOADS[device]
    if device == "cpu" and not cpu_has_bfloat16():
        rows = tuple(row for row in rows if row.precision != "bfloat16")
    known = {row.name: row for row in rows}
    for name in chosen:
        if name not in known:
            names = ", ".join(known)
            raise BadInput(f"no workload on {device} is called {name!r}; there are {names}")
    return tuple(known[name] for name in chosen) or rows
