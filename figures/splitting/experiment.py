"""The runs of the figure `splitting`: trunks of several lengths, and branches of all domains."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from factcap.capacity.splitting import UniformDomains
from factcap.figures.fields import Count, Positive, Seeds, Several, must
from factcap.models import RunSpec, TransformerConfig, run_spec
from factcap.models.training.config import SCAN_STEPS
from factcap.synth import Domains, domains
from factcap.synth.errors import require

# Facts of 3 value tokens of 64 after a key of 4: 18 bits.
VOCABULARY, VALUE, KEY = 64, 3, 4
_DEPTH = 2

Overlap = Annotated[float, must("in [0, 1)", lambda x: 0 <= x < 1)]
Width = Annotated[int, must("16 or a multiple of it", lambda n: n >= 16 and n % 16 == 0)]
InnerShare = Annotated[float, must("in (0, 1)", lambda x: 0 < x < 1)]


@dataclass(frozen=True)
class Plan:
    """Which runs are made: each size, overlap, budget and seed, in each split.

    Attributes:
        widths: of the models, which have two blocks.
        domains: k.
        asked: facts that each domain asks for.
        overlaps: shares of these that all domains ask for; 0 is among them, where the theory is
            calibrated.
        exposures: budgets, as draws of a fact if k models were trained from nothing.
        shares: of the budget that go to the trunk, besides 0, k models from nothing, and 1, one
            model for all.
        batch: facts a step.
        bits_per_parameter: that a model holds, measured before (the figure `capacity_curve`).
        replay: share of the mixture in what a branch is trained on.
        seeds: of facts, parameters and draws.
    """

    widths: tuple[Width, ...] = (16,)
    domains: Several = 4
    asked: Count = 640
    overlaps: tuple[Overlap, ...] = (0.0, 0.25, 0.5, 0.75)
    exposures: tuple[Positive, ...] = (50.0, 100.0)
    shares: tuple[InnerShare, ...] = (0.2, 0.4, 0.6, 0.8)
    batch: Count = 64
    bits_per_parameter: Positive = 2.3
    replay: Annotated[float, must("in [0, 1)", lambda x: 0 <= x < 1)] = 0.0
    seeds: Seeds = (0, 1, 2, 3, 4)

    def __post_init__(self):
        require(0 in self.overlaps, "0 must be one of the overlaps: the theory is calibrated there")
        require(list(self.shares) == sorted(set(self.shares)), "shares must rise")
        for exposures in self.exposures:
            for share in (0.0, *self.shares):
                self.split(exposures, share)

    def facts(self, overlap: float) -> UniformDomains:
        """What the domains ask for."""
        shared = round(overlap * self.asked)
        return UniformDomains(self.domains, self.asked - shared, shared, float(VOCABULARY) ** VALUE)

    def split(self, exposures: float, share: float) -> tuple[int, int]:
        """Steps of the trunk and of each branch, D and D'.

        Raises:
            BadInput: if they are not whole scans, so that the splits would not cost the same.
        """
        total = self.domains * self.asked * exposures / self.batch
        trunk, branch = share * total, (1 - share) * total / self.domains
        for steps in (trunk, branch):
            require(
                math.isclose(steps, round(steps / SCAN_STEPS) * SCAN_STEPS, abs_tol=1e-6),
                f"a share of {share:g} of {exposures:g} exposures makes {steps:g} steps, not a "
                f"multiple of {SCAN_STEPS}",
            )
        return round(trunk), round(branch)

    def model(self, width: int) -> dict[str, int]:
        """The model of a width, as a configuration has it."""
        return {"width": width, "depth": _DEPTH, "heads": width // 16}

    def parameters(self, width: int) -> int:
        """Of the model of a width."""
        return TransformerConfig(VOCABULARY, width, _DEPTH, width // 16).parameters


PRESETS = {
    "tiny": Plan(
        domains=2,
        asked=160,
        overlaps=(0.0, 0.5),
        exposures=(100.0,),
        shares=(0.4,),
        batch=32,
        seeds=(0,),
    ),
    "laptop": Plan(),
    # What a share of the mixture in the branches does.
    "replayed": Plan(replay=0.1, overlaps=(0.0, 0.5), exposures=(100.0,), seeds=(0, 1, 2)),
    # Sizes and budgets enough to fit the law to: `factcap split splitting.csv`.
    "law": Plan(
        widths=(16, 32, 48), overlaps=(0.0, 0.5), exposures=(50.0, 100.0, 200.0), seeds=(0,)
    ),
}


@dataclass(frozen=True)
class Point:
    """A run that is measured.

    Attributes:
        width: of the model.
        overlap: of the facts.
        exposures: the budget.
        share: of it that goes to the trunk.
        domain: that the run is for; None for one model for all.
        seed: of everything.
        spec: the run.
    """

    width: int
    overlap: float
    exposures: float
    share: float
    domain: int | None
    seed: int
    spec: RunSpec


def points(plan: Plan) -> list[Point]:
    """The runs of a plan that are measured; trunks are made on their way."""
    return [
        point
        for seed in plan.seeds
        for width in plan.widths
        for overlap in plan.overlaps
        for exposures in plan.exposures
        for point in _points(plan, width, overlap, exposures, seed)
    ]


def _points(plan: Plan, width: int, overlap: float, exposures: float, seed: int) -> Iterator[Point]:
    where = (width, overlap, exposures)
    whole = _steps(plan, exposures)
    trunk: dict[str, Any] | None = None
    begun = 0
    for share in (0.0, *plan.shares):
        before, after = plan.split(exposures, share)
        if share > 0:
            trunk = _config(plan, width, overlap, seed, before - begun, trunk, decay=0.0)
            begun = before
        for domain in range(plan.domains):
            config = _config(plan, width, overlap, seed, after, trunk, domain=domain)
            yield Point(*where, share, domain, seed, run_spec(config))
    # One model: the longest trunk goes on with the mixture while its learning rate falls.
    rest = whole - begun
    config = _config(plan, width, overlap, seed, rest, trunk, decay=1.0, warmup=0.0)
    yield Point(*where, 1.0, None, seed, run_spec(config))


def _steps(plan: Plan, exposures: float) -> int:
    return plan.domains * plan.split(exposures, 0.0)[1]


def _config(
    plan: Plan,
    width: int,
    overlap: float,
    seed: int,
    steps: int,
    parent: dict[str, Any] | None,
    *,
    domain: int | None = None,
    **training: float,
) -> dict[str, Any]:
    facts = plan.facts(overlap)
    replay = plan.replay if domain is not None and parent is not None else 0.0
    recipe = {"generator": "domains", "private": facts.private, "shared": facts.shared}
    recipe |= {"count": plan.domains, "vocabulary": VOCABULARY, "key_length": KEY}
    recipe |= {"value_length": VALUE, "domain": domain, "replay": replay, "seed": seed}
    count = facts.domains * facts.private + facts.shared
    config = {"facts": recipe, "model": plan.model(width), "batch": plan.batch, "seed": seed}
    # Draws are given as exposures of the whole set, rounded up to whole scans.
    config |= {"exposures": (steps - 0.5) * plan.batch / count, "fewest_steps": 0}
    config |= {"saturate": False, **training}
    return config if parent is None else config | {"parent": parent}


def made(plan: Plan, overlap: float, seed: int) -> Domains:
    """The facts of an overlap, and how often each domain asks for each."""
    facts = plan.facts(overlap)
    return domains(
        facts.private,
        facts.shared,
        count=plan.domains,
        vocabulary=VOCABULARY,
        key_length=KEY,
        value_length=VALUE,
        seed=seed,
    )
