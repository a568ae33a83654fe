"""What the runs of the figure `splitting` know, a row a run and domain, and what theory says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import optimize

from factcap.capacity.splitting import (
    Learning,
    UniformDomains,
    best_moment,
    facts_known,
    uniform_ways,
)
from factcap.figures.intervals import mean_and_half
from factcap.figures.runs import Finished
from factcap.figures.splitting.experiment import KEY, VALUE, Plan, Point, made

COLUMNS = (
    *("parameters", "pretraining_tokens", "specialization_tokens", "domain", "loss", "seed"),
    *("overlap", "exposures", "pretraining_share", "facts_known", "facts_asked", "predicted"),
    *("bound", "stored_bits", "run"),
)
TABLE_COLUMNS = (
    *("parameters", "overlap", "exposures", "from_nothing", "one_model", "chosen_share"),
    *("chosen_known", "gain", "gain_low", "gain_high", "best_share", "best_known"),
    *("theory_share", "theory_earliest", "bound_one", "bound_branches", "bound_one_large"),
)

Row = Mapping[str, Any]


def measured_rows(plan: Plan, runs: Iterable[tuple[Point, Finished]]) -> list[dict[str, Any]]:
    """A row for each run and each domain that it answers, theory not yet filled in.

    The loss is in bits a fact, as often as the domain asks for it. Tokens are those of facts drawn,
    key and value; of the branch those of this domain's own.
    """
    rows = []
    for point, run in runs:
        asked = made(plan, point.overlap, point.seed).asked
        trunk, branch = plan.split(point.exposures, point.share)
        per_step = plan.batch * (KEY + VALUE)
        for domain in range(plan.domains) if point.domain is None else (point.domain,):
            often = asked[domain]
            rows.append(
                {
                    "parameters": plan.parameters(point.width),
                    "pretraining_tokens": trunk * per_step,
                    "specialization_tokens": branch * per_step,
                    "domain": f"domain {domain}",
                    "loss": float(often @ run.measurement.nll_bits),
                    "seed": point.seed,
                    "overlap": point.overlap,
                    "exposures": point.exposures,
                    "pretraining_share": point.share,
                    "facts_known": int(run.measurement.recall[often > 0].sum()),
                    "facts_asked": plan.asked,
                    "stored_bits": run.measurement.stored_bits,
                    "run": point.spec.id,
                }
            )
    return rows


def capacity_of(plan: Plan, rows: Sequence[Row], width: int) -> float:
    """What a model holds, in bits: what the plan says, or the most of any run if that is more."""
    parameters = plan.parameters(width)
    most = max(row["stored_bits"] for row in rows if row["parameters"] == parameters)
    return max(most, plan.bits_per_parameter * parameters)


def calibrate(plan: Plan, rows: Sequence[Row], width: int, capacity_bits: float) -> Learning:
    """How facts are learned, fitted to the splits without overlap alone.

    Least squares in the facts known, over all budgets and shares but one model for all. What is
    said of other overlaps is then predicted.
    """
    domains = plan.facts(0.0)
    measured = _means(
        row
        for row in rows
        if row["overlap"] == 0
        and row["parameters"] == plan.parameters(width)
        and row["pretraining_share"] < 1
    )
    longest = max(plan.exposures)

    def learning(theta: np.ndarray) -> Learning:
        rate, lag = np.exp(np.clip(theta[0], -12, 5)), longest * _unit(theta[1])
        return Learning(float(rate), float(lag), float(_unit(theta[2])))

    def missed(theta: np.ndarray) -> float:
        how, total = learning(theta), 0.0
        for exposures in plan.exposures:
            shares = [share for other, share in measured if other == exposures]
            known = np.array([measured[exposures, share] for share in shares])
            budget = budget_draws(plan, exposures)
            said = facts_known(domains, capacity_bits, how, budget, budget * np.array(shares))
            total += float(np.sum((said - known) ** 2))
        return total

    starts = [
        np.array([np.log(rate / longest), lag, -1.0]) for rate in (1.0, 4.0) for lag in (-3.0, -0.5)
    ]
    found = min(
        (
            optimize.minimize(missed, start, method="Nelder-Mead", options={"maxiter": 300})
            for start in starts
        ),
        key=lambda one: one.fun,
    )
    return learning(found.x)


def _unit(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -30, 30))))


def _means(rows: Iterable[Row]) -> dict[tuple[float, float], float]:
    """Facts known in a domain, the mean over domains and seeds, by budget and share."""
    found: dict[tuple[float, float], list[int]] = {}
    for row in rows:
        place = (row["exposures"], row["pretraining_share"])
        found.setdefault(place, []).append(row["facts_known"])
    return {place: float(np.mean(known)) for place, known in found.items()}


def budget_draws(plan: Plan, exposures: float) -> float:
    """Facts drawn in a budget."""
    return plan.domains * plan.asked * exposures


def _known(
    plan: Plan,
    domains: UniformDomains,
    capacity_bits: float,
    learning: Learning,
    exposures: float,
    share: float,
) -> float:
    budget = budget_draws(plan, exposures)
    return float(facts_known(domains, capacity_bits, learning, budget, share * budget))


def with_theory(
    plan: Plan, rows: Sequence[Row], capacity: Mapping[int, float], learning: Mapping[int, Learning]
) -> list[dict[str, Any]]:
    """The rows with the facts that theory predicts, and those that the bound allows."""
    width_of = {plan.parameters(width): width for width in plan.widths}
    found = []
    for row in rows:
        width, domains = width_of[row["parameters"]], plan.facts(row["overlap"])
        how, bits = learning[width], capacity[width]
        known = _known(plan, domains, bits, how, row["exposures"], row["pretraining_share"])
        ways = uniform_ways(domains, bits)
        bound = ways.one if row["pretraining_share"] == 1 else ways.branches
        found.append({**row, "predicted": known, "bound": float(bound[0]) * plan.asked})
    return found


def make_table(
    plan: Plan, rows: Sequence[Row], capacity: Mapping[int, float], learning: Mapping[int, Learning]
) -> list[dict[str, Any]]:
    """A row for each size, overlap and budget: the two ends, the chosen split, the measured best.

    Chosen is the share of the plan that is nearest to the theory's best moment. Facts are known in
    all domains together; the gain is that over the better end, seed by seed, with the 95 % interval
    of its mean (Student's t).
    """
    table = []
    for width in plan.widths:
        for overlap in plan.overlaps:
            for exposures in plan.exposures:
                some = [
                    row
                    for row in rows
                    if (row["parameters"], row["overlap"], row["exposures"])
                    == (plan.parameters(width), overlap, exposures)
                ]
                table.append(
                    _table_row(
                        plan, some, width, overlap, exposures, capacity[width], learning[width]
                    )
                )
    return table


def _table_row(
    plan: Plan,
    rows: Sequence[Row],
    width: int,
    overlap: float,
    exposures: float,
    capacity_bits: float,
    learning: Learning,
) -> dict[str, Any]:
    known: dict[float, dict[int, int]] = {}
    for row in rows:
        by_seed = known.setdefault(row["pretraining_share"], {})
        by_seed[row["seed"]] = by_seed.get(row["seed"], 0) + row["facts_known"]
    mean = {share: float(np.mean(list(by_seed.values()))) for share, by_seed in known.items()}
    domains = plan.facts(overlap)
    moment = best_moment(domains, capacity_bits, learning, budget_draws(plan, exposures))
    chosen = min(mean, key=lambda share: (abs(share - moment.share), share))
    best = max(mean, key=lambda share: mean[share])
    end = max((0.0, 1.0), key=lambda share: mean[share])
    gains = np.array([known[chosen][seed] - known[end][seed] for seed in plan.seeds], float)
    gain, half = mean_and_half(gains)
    ways = uniform_ways(domains, capacity_bits)
    total = plan.domains * plan.asked
    return {
        "parameters": plan.parameters(width),
        "overlap": overlap,
        "exposures": exposures,
        "from_nothing": mean[0.0],
        "one_model": mean[1.0],
        "chosen_share": chosen,
        "chosen_known": mean[chosen],
        "gain": gain,
        "gain_low": gain - half,
        "gain_high": gain + half,
        "best_share": best,
        "best_known": mean[best],
        "theory_share": moment.share,
        "theory_earliest": moment.earliest,
        "bound_one": float(ways.one[0]) * total,
        "bound_branches": float(ways.branches[0]) * total,
        "bound_one_large": float(ways.one_large[0]) * total,
    }
