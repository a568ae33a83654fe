"""`python -m benchmarks.compare`: our training engine against PyTorch, pair by pair."""

# The processes of the engines load this module too: what is heavy is imported where it is used.
import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
LATEST = {"cpu": RESULTS / "latest.json", "gpu": RESULTS / "latest-gpu.json"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the workloads, print a table, write the JSON.

    Returns:
        The exit code: 0; 1 where final losses differ or a workload failed; 2 where none can be run.
    """
    options = _parser().parse_args(arguments)
    if find_spec("torch") is None:
        return _refuse(
            'PyTorch is not installed; give `pip install -e ".[bench]"`, or `make bench`'
        )
    # Before JAX starts in any process. On a GPU both engines share its memory.
    os.environ["JAX_PLATFORMS"] = {"cpu": "cpu", "gpu": "cuda,cpu"}[options.device]
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    from benchmarks.processes import EngineFailed
    from benchmarks.race import race
    from benchmarks.workloads import choose
    from factcap.synth.errors import BadInput

    try:
        workloads = choose(options.device, options.workload or ())
    except BadInput as error:
        return _refuse(str(error))
    if options.quick:
        workloads = [workload.quick() for workload in workloads]
    out = options.out or (None if options.quick or options.workload else LATEST[options.device])
    entries, failed = [], False
    for workload in workloads:
        try:
            entries.append(race(workload, options.device, _say, options.modes))
        except EngineFailed as error:
            _say("")
            print(f"{workload.name} FAILED: {error}", file=sys.stderr)
            failed = True
            continue
        _say("")
        if options.peak_tflops:
            entries[-1] |= utilization(entries[-1], workload, options.peak_tflops)
        if out is not None:
            write(entries, out)
        print(row(entries[-1]) if len(entries) > 1 else f"{HEADER}\n{row(entries[-1])}", flush=True)
        for setup, reason in entries[-1]["peer_failures"].items():
            print(f"  skipped: PyTorch {setup}: {reason}", file=sys.stderr)
    if not entries:
        return _refuse(f"no workload could be run on {options.device}")
    if out is not None:
        print(f"wrote {out}")
    different = [entry["workload"] for entry in entries if not entry["losses_agree"]]
    if different:
        print(f"THE FINAL LOSSES DIFFER: {', '.join(different)}", file=sys.stderr)
    return 1 if different or failed else 0


HEADER = (
    f"{'workload':15}{'parameters':>12}{'ratio':>8}{'least':>8}{'most':>8}"
    f"{'ours tok/s':>12}{'peer tok/s':>12}{'loss ours':>11}{'peer':>8}  best of PyTorch"
)


def row(entry: dict[str, Any]) -> str:
    """A line of the table."""
    agree = "" if entry["losses_agree"] else "  THE LOSSES DIFFER"
    return (
        f"{entry['workload']:15}{entry['parameters']:>12,}{entry['ratio_median']:>8.2f}"
        f"{entry['ratio_min']:>8.2f}{entry['ratio_max']:>8.2f}"
        f"{entry['ours_tokens_per_second']:>12,.0f}{entry['peer_tokens_per_second']:>12,.0f}"
        f"{entry['final_loss_ours']:>11.3f}{entry['final_loss_peer']:>8.3f}  {entry['peer']}{agree}"
    )


def utilization(entry: dict[str, Any], workload: Any, peak_tflops: float) -> dict[str, float]:
    """Model FLOPs of each engine over what the device can do at most (MFU).

    A token of training takes 6 FLOPs a parameter and 12 x depth x width x context in the
    attention, as if none were masked (Chowdhery et al. 2022, appendix B).
    """
    recipe, context = workload.recipe(), workload.fact_set().tokens.shape[1] - 1
    flops = 6 * entry["parameters"] + 12 * recipe.depth * recipe.width * context
    return {
        f"{name}_mfu": entry[f"{name}_tokens_per_second"] * flops / (peak_tflops * 1e12)
        for name in ("ours", "peer")
    }


def write(entries: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the entries as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(list(entries), indent=2) + "\n")
    partial.replace(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument(
        "--workload", nargs="+", help="only these; nothing is written unless --out is set"
    )
    parser.add_argument("--quick", action="store_true", help="a few steps, to see that it runs")
    parser.add_argument("--out", type=Path, help="the JSON file; by default in benchmarks/results")
    parser.add_argument(
        "--modes",
        nargs="+",
        metavar="MODE",
        help="those of PyTorch to search; tuning takes max-autotune 10 s for each product",
    )
    parser.add_argument(
        "--peak-tflops", type=float, help="what the device can do; adds the utilization (MFU)"
    )
    return parser


def _say(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
