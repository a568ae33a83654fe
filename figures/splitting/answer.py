"""What `factcap split` answers: the law of a table of runs, and the best split of a budget."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from factcap.capacity import BestSplit, SplitLaw, SplitRuns, best_split, fit_splitting
from factcap.synth.errors import BadInput, require


@dataclass(frozen=True)
class Answer:
    """The best split of a budget, and the law that says so."""

    law: SplitLaw
    best: BestSplit

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers must know."""
        return (*self.law.warnings, *self.best.warnings)


def answer(
    runs: Mapping[str, SplitRuns],
    budget_flops: float,
    *,
    parameters: float | None = None,
    domains: int | None = None,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> Answer:
    """Fit the law and choose the split.

    Args:
        runs: those of each domain.
        budget_flops: 6 N (D + k D').
        parameters: N; None chooses it too.
        domains: k; None takes the number of domains in the table.
        seed: of starts and resamples.
        progress: called after each fit.

    Raises:
        BadInput: for a budget or size out of range, or runs from which no law can be told.
    """
    require(
        math.isfinite(budget_flops) and budget_flops > 0,
        f"the budget must be a positive number of FLOP, as in 1e18, not {budget_flops:g}",
    )
    require(
        parameters is None or (math.isfinite(parameters) and parameters >= 1),
        f"the parameters must be a number of at least 1, as in 1e8, not {parameters}",
    )
    require(domains is None or domains >= 1, f"domains must be at least 1, not {domains}")
    count = len(runs) if domains is None else domains
    try:
        law = fit_splitting(runs, rng=np.random.default_rng(seed), domains=count, progress=progress)
    except ValueError as error:
        raise BadInput(str(error)) from None
    return Answer(law, best_split(law, budget_flops, domains=count, parameters=parameters))


def as_json(found: Answer) -> dict[str, Any]:
    """Everything as JSON values; what is not known is null."""
    best, law = found.best, found.law
    return {
        "pretraining_share": best.pretraining_share,
        "interval": list(best.interval),
        "predicted_loss": best.predicted_loss,
        "loss_interval": list(best.loss_interval),
        "parameters": best.parameters,
        "pretraining_tokens": best.pretraining_tokens,
        "specialization_tokens": best.specialization_tokens,
        "domains": best.domains,
        "budget_flops": best.budget_flops,
        "no_split_loss": best.no_split_loss,
        "gain_over_no_split": _gain(best.no_split_loss, best),
        "from_nothing_loss": best.from_nothing_loss,
        "gain_over_from_nothing": _gain(best.from_nothing_loss, best),
        "law": {
            "name": law.form.name,
            "formula": law.form.formula,
            "rivals": [rival.form.name for rival in law.rivals],
            "domains": {
                name: {
                    "estimate": dict(one.estimate),
                    "interval": {constant: list(ends) for constant, ends in one.interval.items()},
                    "deviation": one.deviation,
                }
                for name, one in law.domains.items()
            },
            "held_out": [
                {"above_share_of_largest": one.share, "runs": one.runs, "error": dict(one.error)}
                for one in law.held_out
            ],
        },
        "warnings": list(found.warnings),
    }


def _gain(loss: float | None, best: BestSplit) -> float | None:
    return None if loss is None else loss - best.predicted_loss


def as_text(found: Answer) -> str:
    """The answer as lines for a terminal."""
    best, law = found.best, found.law
    lines = [
        f"law                {law.form.name}: {law.form.formula}",
        *(
            f"  held out         {one.runs} runs above {one.share:.0%} of the largest size or "
            f"compute are missed by {one.error[law.form.name]:.2%}"
            for one in law.held_out
        ),
    ]
    for name, one in law.domains.items():
        constants = ", ".join(
            f"{constant} {value:.4g} ({one.interval[constant][0]:.4g} to "
            f"{one.interval[constant][1]:.4g})"
            for constant, value in one.estimate.items()
        )
        lines.append(f"  {name:16} {constants}")
    low, high = best.interval
    lines += [
        "",
        f"budget             {best.budget_flops:.4g} FLOP = 6 N (D + k D')",
        f"parameters N       {best.parameters:,.0f}",
        f"domains k          {best.domains}",
        f"pretraining share  {best.pretraining_share:.3f} ({low:.3f} to {high:.3f})",
        f"  D                {best.pretraining_tokens:,.0f} tokens, the trunk",
        f"  D'               {best.specialization_tokens:,.0f} tokens, each branch",
        f"predicted loss     {best.predicted_loss:.4f} ({best.loss_interval[0]:.4f} to "
        f"{best.loss_interval[1]:.4f})",
        f"  {_compared('no split', best.no_split_loss, best)}",
        f"  {_compared('k from nothing', best.from_nothing_loss, best)}",
        *(f"warning: {text}" for text in found.warnings),
    ]
    return "\n".join(lines)


def _compared(name: str, loss: float | None, best: BestSplit) -> str:
    if loss is None:
        return f"{name:16} not measured"
    gain = loss - best.predicted_loss
    return f"{name:16} {loss:.4f}; the split gains {gain:.4f}, {gain / loss:.1%}"
