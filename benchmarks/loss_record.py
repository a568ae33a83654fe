"""How well losses tell frequent facts from rare ones, and what an oracle could read from them.

`python -m benchmarks.loss_record --out docs/results/loss_record.csv`: one minute on one core. The
scheme `loss_hf` ranks facts by the mean of their losses so far. Here it selects from four times
what fits, and two oracles read the same losses: a linear regression and boosted trees, told how
frequent the other facts are. Where they rank no better, no simple rule on losses should.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from jaxtyping import Bool, Float64

from factcap.figures.files import write_csv
from factcap.figures.runs import make_runs
from factcap.figures.selection.experiment import PRESETS, fixed_draws, mean_of, power_law_recipe
from factcap.models import RunSpec
from factcap.synth.errors import BadInput, require
from factcap.synth.libraries import library
from factcap.synth.selection.selector import Selector

SCHEME = "loss_hf"
# Facts are ranked by an oracle that was fitted to the others: to all but one part of so many.
_PARTS = 4
RANKINGS = ("latest", "mean", "linear", "boosted")
COLUMNS = ("exponent", "load", "share", "seeds", "facts_left", *RANKINGS)


@dataclass(frozen=True)
class Look:
    """What a selection saw at one of its looks.

    Attributes:
        share: of the training so far.
        left: which facts it still trained on.
        frequency: of all facts.
        losses: of all facts, as shares of their entropies.
        mean: of the losses so far: the lower, the sooner the scheme keeps a fact.
    """

    share: float
    left: Bool[np.ndarray, " facts"]
    frequency: Float64[np.ndarray, " facts"]
    losses: Float64[np.ndarray, " facts"]
    mean: Float64[np.ndarray, " facts"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train all, print the table, write the CSV.

    Returns:
        The exit code: 0; 2 where nothing can be trained or boosted.
    """
    options = _parser().parse_args(arguments)
    plan, rows = PRESETS[options.preset], list[dict[str, Any]]()
    setting = {"exponent": options.exponent, "load": options.load}
    try:
        require(options.load > 1, f"--load must be above 1, not {options.load:g}")
        facts, kept = plan.offered(options.load), plan.offered(1.0)
        library("sklearn.ensemble", "predict")
        for seed in options.seeds:
            recipe = power_law_recipe(facts, options.exponent, seed)
            record = recorded(
                fixed_draws(
                    *(recipe, plan.size, plan.draws, plan.batch, seed, SCHEME),
                    precision=plan.precision,
                )
            )
            rows += [setting | row for row in ranked(record, kept, seed)]
            print(f"seed {seed} is ranked", file=sys.stderr, flush=True)
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = table(rows)
    print(f"| after | facts left | {' | '.join(RANKINGS)} |")
    print("|---|---|" + "---|" * len(RANKINGS))
    for row in rows:
        cells = (f"{row['share']:.2f}", f"{row['facts_left']:,.0f}")
        print(f"| {' | '.join([*cells, *(f'{row[name]:.3f}' for name in RANKINGS)])} |")
    if options.out is not None:
        write_csv(rows, COLUMNS, options.out)
        print(f"wrote {options.out}")
    return 0


def recorded(spec: RunSpec) -> list[Look]:
    """What the selection of a run sees, which is made from nothing."""
    record, select = list[Look](), Selector.look

    def look(
        selector: Selector, share: float, nll_bits: np.ndarray, scores: np.ndarray | None = None
    ) -> bool:
        left, facts = selector.weights > 0, selector.facts
        changed = select(selector, share, nll_bits, scores)
        assert selector.seen_loss is not None
        losses = nll_bits.astype(np.float64) / facts.entropy_bits
        mean = selector.seen_loss / selector.looks
        record.append(Look(share, left, facts.frequency, losses, mean))
        return changed

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Selector, "look", look):
        make_runs([spec], Path(folder), workers=0)
    return record


def ranked(record: Sequence[Look], kept: int, seed: int) -> list[dict[str, Any]]:
    """Frequency of the facts that each ranking keeps, over that of the most frequent ones.

    Of the facts that were left at a look; only looks at which there were more than `kept`.

    Args:
        record: of one training.
        kept: facts that are kept.
        seed: of the parts that the oracles are fitted to, and of the trees.
    """
    rows = []
    for number, look in enumerate(record, 1):
        left = np.flatnonzero(look.left)
        if len(left) <= kept:
            continue
        seen = np.column_stack([past.losses[left] for past in record[:number]])
        asked = look.frequency[left]
        best = np.sort(asked)[::-1][:kept].sum()
        scores = {
            "latest": seen[:, -1],
            "mean": look.mean[left],
            **{name: -told for name, told in _foretold(seen, np.log(asked), seed).items()},
        }
        shares = {
            name: float(asked[np.argsort(score, kind="stable")[:kept]].sum() / best)
            for name, score in scores.items()
        }
        rows.append({"share": round(look.share, 3), "facts_left": len(left), **shares})
    return rows


def _foretold(
    seen: Float64[np.ndarray, "facts looks"], asked: Float64[np.ndarray, " facts"], seed: int
) -> dict[str, Float64[np.ndarray, " facts"]]:
    """What each oracle (scikit-learn), fitted to the other facts, foretells of each.

    The linear one reads losses of no more than a guess, and their roots.
    """
    learners = {
        "linear": library("sklearn.linear_model", "predict").Ridge(),
        "boosted": library("sklearn.ensemble", "predict").HistGradientBoostingRegressor(
            **{"max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 8},
            **{"min_samples_leaf": 30, "random_state": seed},
        ),
    }
    no_more = np.minimum(seen, 1.0)
    columns = {"linear": np.column_stack([no_more, np.sqrt(no_more)]), "boosted": seen}
    choosing = library("sklearn.model_selection", "predict")
    parts = choosing.KFold(_PARTS, shuffle=True, random_state=seed)
    with library("threadpoolctl", "predict").threadpool_limits(1):
        return {
            name: choosing.cross_val_predict(learner, columns[name], asked, cv=parts)
            for name, learner in learners.items()
        }


def table(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the seeds, a row a look."""
    looks: dict[float, list[dict[str, Any]]] = {}
    for row in rows:
        looks.setdefault(row["share"], []).append(row)
    return [
        {name: mean_of(group, name)[0] for name in ("exponent", "load", "facts_left", *RANKINGS)}
        | {"share": share, "seeds": len(group)}
        for share, group in sorted(looks.items())
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loss_record", description=__doc__)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="laptop")
    parser.add_argument("--exponent", type=float, default=0.8)
    parser.add_argument("--load", type=float, default=4.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=range(30, 35))
    parser.add_argument("--out", type=Path, help="the CSV file; by default none is written")
    return parser


if __name__ == "__main__":
    sys.exit(main())
