"""Facts known by a GPT-NeoX that PyTorch trains, with selection and without.

`python -m benchmarks.select_in_pytorch --out docs/results/select_in_pytorch.csv`: one thread, some
25 minutes. The `Trainer` of `transformers` trains on uniform facts, twice and four times as many as
fit; the same Trainer then trains with `add_selection`, for as many draws, scoring included.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from factcap.figures.files import write_csv
from factcap.figures.selection.experiment import ORDINARY, mean_of
from factcap.synth.errors import BadInput

# With seed 90, which is not reported, ordinary training stored 59,479 bits of 2,708 facts that do
# not fit, and of 2,500 facts 60,465, 64,591 and 64,001 at the learning rates 0.005, 0.01 and 0.02.
CAPACITY_BITS = 62_000.0
COLUMNS = (
    *("load", "facts", "training", "seeds", "facts_known", "facts_known_half_width"),
    *("stored_bits", "stored_bits_half_width", "facts_kept", "draws", "scoring_draws"),
    *("parameters", "times_ordinary"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train all, print the table, write the CSV.

    Returns:
        The exit code: 0; 2 where nothing can be trained.
    """
    options = _parser().parse_args(arguments)
    if missing := [name for name in ("torch", "transformers") if find_spec(name) is None]:
        return _refuse(f'this needs {", ".join(missing)}; give `pip install -e ".[hf]"`')
    # Without PyTorch there is no such module.
    from benchmarks.trainer_run import BITS, Plan, train

    results = []
    try:
        for load in options.loads:
            for seed in options.seeds:
                for training in (ORDINARY, options.scheme):
                    plan = Plan(
                        facts=round(load * CAPACITY_BITS / BITS),
                        scheme=None if training == ORDINARY else training,
                        seed=seed,
                        draws=options.draws,
                        learning_rate=options.learning_rate,
                        width=options.width,
                    )
                    results.append({"load": load, "training": training, **train(plan)})
                    print(f"seed {seed}: {results[-1]}", file=sys.stderr, flush=True)
    except BadInput as error:
        return _refuse(str(error))
    rows = table(results)
    print("| load | facts | training | facts known | stored bits | facts kept |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        known = f"{row['facts_known']:,.1f} ± {row['facts_known_half_width']:.1f}"
        stored = f"{row['stored_bits']:,.0f} ± {row['stored_bits_half_width']:,.0f}"
        cells = (f"{row['load']:g}", f"{row['facts']:,}", row["training"], known, stored)
        print(f"| {' | '.join(cells)} | {row['facts_kept']:,.0f} |")
    if options.out is not None:
        write_csv(rows, COLUMNS, options.out)
        print(f"wrote {options.out}")
    return 0


def table(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over the seeds, with half the widths of their 95 % intervals.

    `times_ordinary` is the ratio of the mean facts known to that of ordinary training.
    """
    groups: dict[tuple[float, str], list[dict[str, Any]]] = {}
    for found in results:
        groups.setdefault((found["load"], found["training"]), []).append(found)
    rows = []
    for (load, _), group in groups.items():
        row = {name: group[0][name] for name in ("load", "facts", "training")}
        row["seeds"] = len(group)
        for name in ("facts_known", "stored_bits"):
            row[name], row[f"{name}_half_width"] = mean_of(group, name)
        for name in ("facts_kept", "draws", "scoring_draws", "parameters"):
            row[name] = mean_of(group, name)[0]
        ordinary = mean_of(groups[load, ORDINARY], "facts_known")[0]
        row["times_ordinary"] = row["facts_known"] / ordinary if ordinary else float("inf")
        rows.append(row)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.select_in_pytorch", description=__doc__
    )
    parser.add_argument("--loads", type=float, nargs="+", default=(2.0, 4.0))
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument("--scheme", default="loss_h")
    parser.add_argument("--draws", type=int, default=448_000)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--out", type=Path, help="the CSV file; by default none is written")
    return parser


def _refuse(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
