"""A corpus larger than a model holds, trained on as it is and with selection."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Bool

from factcap.figures.fields import Count, NotNegative, Part, Positive, Seeds, Share, must, one_of
from factcap.figures.processes import in_processes
from factcap.figures.sizes import heads_of
from factcap.models import (
    Job,
    Measurement,
    SelectConfig,
    TrainConfig,
    TransformerConfig,
    measure_other_facts,
)
from factcap.models import train_together as make
from factcap.models.compiler import on_cpu
from factcap.models.runs.directory.reading import is_finished, read_outcome
from factcap.models.runs.result import measured
from factcap.models.runs.shape import by_shape
from factcap.synth import FactSet
from factcap.synth.corpus import (
    Corpus,
    Grouping,
    Knowledge,
    Questions,
    Tokenized,
    commonest,
    compose,
    document_facts,
    learn_vocabulary,
    marked_groups,
    questions,
    single_documents,
    tokenize,
    unmarked_groups,
)
from factcap.synth.errors import require
from factcap.synth.selection import SCHEMES

ORDINARY = "ordinary"
COLUMNS = (
    *("scheme", "scored", "seed", "facts_known", "known_ratio", "beyond_guess", "beyond_ratio"),
    *("known_by_all", "weighted_accuracy", "prompt_accuracy", "stored_bits", "facts", "guessable"),
    *("documents", "entropy_bits", "facts_kept", "documents_kept", "draws", "scoring_draws"),
    *("parameters", "run"),
)
TEMPLATE_COLUMNS = ("scheme", "scored", "seed", "relation", "template", "answered", "asked")


@dataclass(frozen=True)
class Scheme:
    """A way to train.

    Attributes:
        name: in `factcap.synth.selection.SCHEMES`, or `ORDINARY`.
        scored: what its losses are of: `spans`, the marked values, or `documents`, as if nobody had
            marked them (see `unmarked_groups`); `alone`, whole documents, as if no marks could be
            found in them either; `nothing`, where it reads no losses.
        share: of all facts' entropy that it keeps from the start; 0 where the budget sets itself.
    """

    name: Annotated[str, one_of(SCHEMES)]
    scored: Annotated[str, one_of(("spans", "documents", "alone", "nothing"))] = "spans"
    share: Part = 0.0

    def __post_init__(self):
        require(
            self.name == ORDINARY or self.share > 0 or SCHEMES[self.name].sets_budget,
            f"the scheme {self.name} must be told a share of the bits, as in "
            f"{self.name}:{self.scored}:0.2",
        )

    @property
    def label(self) -> str:
        """What tables and pictures call it."""
        return f"{self.name} {self.share:.0%}" if self.share else self.name


def scheme_label(name: str, scored: str) -> str:
    """What tables and pictures call a scheme, with what its losses are of where that is unusual.

    Args:
        name: `Scheme.label`, or the same in quotes.
        scored: `Scheme.scored`; empty for a fact set.

    >>> scheme_label("loss_h", "documents"), scheme_label("loss_h", "spans")
    ('loss_h, unmarked documents', 'loss_h')
    """
    said = {"documents": ", unmarked documents", "alone": ", documents alone"}
    return name + said.get(scored, "")


ORDINARILY = Scheme(ORDINARY, "nothing")


@dataclass(frozen=True)
class Plan:
    """Which runs are made: each scheme for each seed.

    Attributes:
        facts: that the documents tell; they number so many documents.
        documents: the same.
        pieces: of the vocabulary.
        width: of the model.
        depth: its blocks.
        draws: documents drawn in a run, scoring included.
        batch: documents a step.
        learning_rate: of all runs; the one at which ordinary training knows most, of those tried up
            to 0.2M parameters, and extrapolated above.
        exponent: documents tell a fact by its count to this power.
        longest: characters of entity and value together.
        most_alike: facts of a relation with one value; None: any number.
        first: share of the training after which it is selected first.
        rest: share of the draws that goes to what was dropped, of schemes that set their budget.
        schemes: besides ordinary training.
        seeds: of corpus, parameters and draws.
    """

    facts: Count = 1000
    documents: Count = 4000
    pieces: Count = 512
    width: Annotated[int, must("at least 16", lambda n: n >= 16)] = 16
    depth: Count = 2
    draws: Count = 160_000
    batch: Count = 64
    learning_rate: Positive = 0.03
    exponent: NotNegative = 0.5
    longest: Count = 28
    most_alike: Count | None = 10
    first: Share = 0.2
    rest: Part = 0.0
    schemes: tuple[Scheme, ...] = (
        # The baseline knows nothing by waiting: it is told a budget, and drops at once.
        Scheme("random", "nothing", 0.2),
        Scheme("loss_h"),
        Scheme("loss_hf"),
        Scheme("worth"),
        Scheme("loss_h", "documents"),
        Scheme("worth", "documents"),
    )
    seeds: Seeds = (0, 1, 2, 3, 4)


def _at_size(facts: int, learning_rate: float, **rest: Any) -> Plan:
    """As many documents a fact, and draws of each, as a small model has; values as they come."""
    return Plan(
        facts=facts,
        documents=4 * facts,
        draws=160 * facts,
        learning_rate=learning_rate,
        most_alike=None,
        schemes=(Scheme("loss_h"), Scheme("worth"), Scheme("loss_h", "documents")),
        **rest,
    )


_FEW: dict[str, Any] = {"schemes": (Scheme("loss_h"),), "seeds": (0, 1, 2)}

PRESETS = {
    "tiny": Plan(
        facts=60,
        documents=240,
        pieces=160,
        draws=9600,
        batch=32,
        schemes=(Scheme("loss_h"), Scheme("loss_h", "documents")),
        seeds=(0,),
    ),
    "laptop": Plan(),
    # What the learning rate does, to ordinary training above all.
    "half-rate": Plan(learning_rate=0.015, **_FEW),
    "twice-rate": Plan(learning_rate=0.06, **_FEW),
    # Values as common as they are in the data: half of what a model can say is "French".
    "skewed-values": Plan(learning_rate=0.04, most_alike=None, seeds=(0, 1)),
    "0.2M": _at_size(64_000, 0.015, width=64, depth=2, pieces=2048, batch=1024, seeds=(0, 1)),
    "0.8M": _at_size(256_000, 0.01, width=128, depth=3, pieces=2048, batch=2048, seeds=(0,)),
    "3.2M": _at_size(1_000_000, 0.0075, width=256, depth=3, pieces=4096, batch=4096, seeds=(0,)),
}


@dataclass(frozen=True)
class Material:
    """What the runs of a seed have in common."""

    seed: int
    corpus: Corpus
    tokenized: Tokenized
    documents: FactSet
    marked: Grouping[FactSet]
    asked: Questions
    guessable: Bool[np.ndarray, " facts"]

    @cached_property
    def unmarked(self) -> Grouping[FactSet]:
        """The groups that are found without the marks."""
        return unmarked_groups(self.tokenized, seed=self.seed)

    def grouping(self, scored: str) -> Grouping[FactSet]:
        """What losses are of: see `Scheme.scored`."""
        if scored == "alone":
            return single_documents(self.tokenized)
        return self.unmarked if scored == "documents" else self.marked


def material(plan: Plan, knowledge: Knowledge, seed: int) -> Material:
    """The corpus of a seed, its tokens, and what is asked.

    A fact is guessable if its value is the commonest of its relation: whoever always says French
    for a native language is right for most without having memorized any.
    """
    corpus = compose(
        knowledge,
        documents=plan.documents,
        facts=plan.facts,
        exponent=plan.exponent,
        longest=plan.longest,
        most_alike=plan.most_alike,
        seed=seed,
    )
    tokenized = tokenize(corpus.documents, learn_vocabulary(corpus.documents, plan.pieces))
    return Material(
        seed,
        corpus,
        tokenized,
        document_facts(tokenized),
        marked_groups(tokenized, seed=seed),
        questions(corpus, tokenized),
        commonest(corpus.knowledge.relations, corpus.knowledge.values),
    )


def job(plan: Plan, made: Material, scheme: Scheme, seed: int, folder: Path) -> Job:
    """The run of a scheme, in a directory of its own."""
    select, grouping = None, None
    if scheme.share:
        assert made.marked.entropies is not None
        budget = scheme.share * float(made.marked.entropies.sum())
        select = SelectConfig(scheme.name, budget, schedule="once", first=0.001)
    elif scheme.name != ORDINARY:
        select = SelectConfig(scheme.name, first=plan.first, rest=plan.rest)
    if select is not None:
        grouping = made.grouping(scheme.scored)
    training = TrainConfig(
        exposures=plan.draws / plan.documents,
        fewest_steps=0,
        batch=plan.batch,
        learning_rate=plan.learning_rate,
        saturate=False,
        seed=seed,
        select=select,
    )
    vocabulary = made.tokenized.pairs.size + 1
    model = TransformerConfig(vocabulary, plan.width, plan.depth, heads_of(plan.width))
    planned = Job(made.documents, model, training, folder, grouping=grouping)
    return Job(
        made.documents,
        model,
        training,
        folder / "runs" / planned.config["id"],
        planned.config,
        grouping,
    )


def make_jobs(
    jobs: Sequence[Job], *, workers: int, progress: Callable[[int, int, float], object]
) -> None:
    """Make those of the runs that are not finished, each in a process of its own if there are any.

    On an accelerator those of one shape are members of one program, in this process. Runs of one
    directory are made once: where all marks are found, documents that nobody marked are the same
    run as marked ones.

    Raises:
        FloatingPointError: if a run diverged.
    """
    ready = [number for number, job in enumerate(jobs) if is_finished(job.directory)]
    for number in ready:
        progress(number, len(jobs), 1.0)
    left: dict[Path, list[int]] = {}
    for number in sorted(set(range(len(jobs))) - set(ready)):
        left.setdefault(jobs[number].directory, []).append(number)
    numbers = list(left.values())
    made = [jobs[own[0]] for own in numbers]

    def tell(place: int, share: float) -> None:
        for number in numbers[place]:
            progress(number, len(jobs), share)

    if not on_cpu():
        done = _make_together(made, tell)
    elif workers == 0 or len(made) < 2:
        done = enumerate(map(_make, made))
    else:
        done = in_processes(_make, made, workers)
    for place, _ in done:
        tell(place, 1.0)


def _make(job: Job) -> None:
    for _, result in make([job]):
        measured(result)


def _make_together(
    jobs: Sequence[Job], tell: Callable[[int, float], object]
) -> Iterator[tuple[int, None]]:
    for places in by_shape(jobs):
        together = make(
            [jobs[place] for place in places],
            progress=lambda number, done, steps, _, places=places: tell(
                places[number], done / steps
            ),
        )
        for number, result in together:
            measured(result)
            yield places[number], None


def row(
    plan: Plan, made: Material, scheme: Scheme, seed: int, job: Job
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of a finished run, and its rows a template; ratios are filled in later."""
    found, outcome = measure_other_facts(job, made.asked.rows), read_outcome(job.directory)
    known, shares = made.asked.known(found.recall), made.asked.shares(found.recall)
    selection = outcome.get("selection", {})
    kept = np.ones(len(made.corpus.fact), bool)
    if scheme.name != ORDINARY:
        kept = pq.read_table(job.directory / "weights.parquet")["weight"].to_numpy() > 0
    which = {"scheme": scheme.label, "scored": scheme.scored, "seed": seed}
    templates = [
        {**which, "relation": relation, "template": text, "answered": answered, "asked": asked}
        for (relation, text), (answered, asked) in made.asked.by_template(found.recall).items()
    ]
    bits = made.marked.entropies
    assert bits is not None
    return {
        **which,
        "facts_known": int(known.sum()),
        "beyond_guess": int((known & ~made.guessable).sum()),
        "known_by_all": int((shares == 1).sum()),
        "weighted_accuracy": float(made.corpus.frequency[known].sum()),
        "prompt_accuracy": found.accuracy,
        "stored_bits": _stored(found, made.asked),
        "facts": len(known),
        "guessable": int(made.guessable.sum()),
        "documents": len(kept),
        "entropy_bits": float(bits.sum()),
        "facts_kept": len(np.unique(made.corpus.fact[kept])),
        "documents_kept": int(kept.sum()),
        "draws": outcome["steps"] * plan.batch,
        "scoring_draws": selection.get("scoring_draws", 0.0),
        "parameters": job.model.parameters,
        "run": job.config["id"],
    }, templates


def _stored(found: Measurement, asked: Questions) -> float:
    """Stored bits, the loss of a fact being the mean over its prompts."""
    times = np.bincount(asked.fact)
    loss = np.bincount(asked.fact, weights=found.nll_bits) / times
    entropy = np.bincount(asked.fact, weights=found.entropy_bits) / times
    return float(np.maximum(entropy - loss, 0).sum())
