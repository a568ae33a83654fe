"""What trained networks keep of a rule and of its exceptions, by size, time and share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from factcap.figures.files import claim, save
from factcap.figures.presets import Changes, choose
from factcap.figures.rules.picture import draw
from factcap.figures.rules.tokens import Plan, bound_rows, order_of, planned_runs
from factcap.figures.rules.units import NetworkPlan, network_row, theory_rows
from factcap.figures.runs import make_runs
from factcap.figures.style import look

NAME = "rules_in_transformers"
COLUMNS = (
    *("kind", "epsilon", "order", "choices", "rule_bits", "held_bits", "width", "hidden"),
    *("parameters", "facts", "exposures", "seed", "exceptions_known", "rule_facts_known"),
    *("fresh_known", "memorized_bits", "fresh_nll_bits", "generalization_error"),
    *("memorization_error", "rule_training_error", "run"),
)

PRESETS = {
    "tiny": Plan(
        facts=300,
        fresh=100,
        epsilons=(0.2, 1.0),
        widths=(8, 12),
        orders=(1,),
        exposures=(25, 50),
        seeds=(0,),
        networks=NetworkPlan(dimension=40, hidden=(1, 4, 16), steps=500, repeats=2),
    ),
    "laptop": Plan(),
}


def rules_in_transformers(
    folder: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int, float], object] = lambda run, runs, share: None,
    preset: str = "laptop",
    changes: Changes = (),
) -> list[dict[str, Any]]:
    """Train on rules with exceptions; draw `rules_in_transformers.png` and `.svg`, write `.csv`.

    Networks of one hidden layer learn the points of `factcap.synth.rules_and_facts`, transformers
    the facts of `factcap.synth.ruled_facts`. What a transformer has memorized is the bits that the
    training values cost one who knows the rule and epsilon, minus its NLL, not clipped. Its
    capacity, for the bounds, is the most that any size stored for each parameter where every fact
    is an exception.

    Args:
        folder: where to write, a store of runs too; finished ones are read. The networks of one
            hidden layer take seconds each and are trained again.
        workers: processes; 0: this one.
        progress: called with (number of the run, runs in all, share of the run that is done).
        preset: a name in `PRESETS`.
        changes: of the preset: see `factcap.figures.presets`.

    Returns:
        The rows of the CSV.

    Raises:
        BadInput: for an unknown preset or change, or if something else in the folder has these
            names.
    """
    plan, record = choose(NAME, PRESETS, preset, changes)
    claim(folder, record)
    runs = planned_runs(plan)
    networks = [(h, seed) for h in plan.networks.hidden for seed in range(plan.networks.repeats)]
    total = len(runs) + len(networks)
    finished = make_runs(
        [run.spec for run in runs],
        folder,
        workers=workers,
        progress=lambda number, _, share: progress(number, total, share),
    )
    measured = [run.row(made.measurement) for run, made in zip(runs, finished, strict=True)]
    measured.sort(key=order_of)
    trained = []
    for number, (hidden, seed) in enumerate(networks):
        trained.append(network_row(plan.networks, hidden, seed))
        progress(len(runs) + number, total, 1.0)
    found = [*measured, *bound_rows(plan, measured), *trained, *theory_rows(plan.networks)]
    rows = [dict.fromkeys(COLUMNS, "") | row for row in found]
    with look():
        save(draw(rows, plan), rows, COLUMNS, folder, record)
    return rows
