"""What `factcap predict` prints and writes: JSON, a table, and a row a fact."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from factcap.capacity.retention import CountedFacts, PublishedFit, RetentionLaw, fit_allocation
from factcap.figures.files import write_csv
from factcap.figures.retention.study import Extrapolation, Trial, ceiling
from factcap.synth.disk.files import write_whole
from factcap.synth.errors import require

SCORES = ("r2", "r2_bins", "log_loss", "brier", "calibration_error")
_TABLE = (
    *("model", "predictor", "split"),
    *("r2", "r2_low", "r2_high", "r2_memory", "r2_of_flexible", "noise_ceiling"),
    *("r2_bins", "log_loss", "brier", "calibration_error", "rank_correlation"),
)
PREDICTIONS, TABLE = "predictions.parquet", "scores.csv"


def law_parameters(law: RetentionLaw) -> dict[str, dict[str, float | None]]:
    """The law's parameters, each with its estimate, 95 % interval and spread between relations."""
    found: dict[str, dict[str, float | None]] = {
        name: {"estimate": one.estimate, "low": one.low, "high": one.high, "spread": one.spread}
        for name, one in law.coefficients().items()
    }
    found["echo"] = {"estimate": law.echo}
    found["answers"] = {"estimate": math.sqrt(law.posterior.answer_variance) / math.log(2)}
    found["dispersion"] = {"estimate": law.posterior.dispersion}
    return found


def theory_parameters(several: Sequence[CountedFacts]) -> dict[str, dict[str, dict[str, float]]]:
    """The constants of the laws of theory for each model."""
    kinds = ("rate_distortion", "all_or_nothing")
    return {
        facts.model: {kind: fit_allocation([facts], kind).constants for kind in kinds}
        for facts in several
    }


def as_json(
    several: Sequence[CountedFacts],
    laws: Mapping[str, RetentionLaw],
    done: Sequence[Trial],
    published: Sequence[tuple[str, PublishedFit]],
    beyond: Sequence[Extrapolation],
) -> dict[str, Any]:
    """Everything as JSON values; what is not known is null."""
    rows = table_rows(several, done)
    return {
        "law": {name: law_parameters(law) for name, law in laws.items()},
        "scores": [
            {key: row[key] for key in ("model", "predictor", "split", *SCORES)} for row in rows
        ],
        "details": [{key: row[key] for key in _TABLE if key not in SCORES} for row in rows],
        "models": [_describe(facts) for facts in several],
        "theory": theory_parameters(several),
        "published": [
            {
                "model": model,
                "predictor": fit.kind,
                "r2_bins": fit.r2,
                "slope": fit.slope,
                "intercept": fit.intercept,
                "mse": fit.mse,
                "upper_bound": fit.upper_bound,
                "bins": fit.bins,
            }
            for model, fit in published
        ],
        "sizes": [
            {
                "size": one.size,
                "models": list(one.models),
                "accuracy": one.accuracy,
                "low": one.low,
                "high": one.high,
            }
            for one in beyond
        ],
    }


def _describe(facts: CountedFacts) -> dict[str, Any]:
    standing = None if facts.names is None else float(facts.names.standing.mean())
    return {
        "model": facts.model,
        "facts": len(facts),
        "size": _known(facts.size),
        "documents": facts.documents,
        "accuracy": float(facts.accuracy.mean()),
        "answer_in_question": standing,
        "noise_ceiling": _known(ceiling(facts)),
    }


def table_rows(several: Sequence[CountedFacts], done: Sequence[Trial]) -> list[dict[str, Any]]:
    """A row a trial: scores, and the ceilings beside them."""
    flexible = {
        (trial.model, trial.split): trial.scores.r2
        for trial in done
        if trial.predictor == "boosting"
    }
    ceilings = {facts.model: ceiling(facts) for facts in several}
    rows = []
    for trial in done:
        low, high = trial.scores.r2_interval
        most = flexible.get((trial.model, trial.split), math.nan)
        values = (
            trial.scores.r2,
            low,
            high,
            trial.r2_memory,
            trial.scores.r2 / most if most > 0 else math.nan,
            ceilings[trial.model],
            trial.scores.r2_bins,
            trial.scores.log_loss,
            trial.scores.brier,
            trial.scores.calibration_error,
            trial.scores.rank_correlation,
        )
        named = (trial.model, trial.predictor, trial.split)
        rows.append(dict(zip(_TABLE, (*named, *map(_known, values)), strict=True)))
    return rows


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def as_text(
    several: Sequence[CountedFacts],
    laws: Mapping[str, RetentionLaw],
    done: Sequence[Trial],
    beyond: Sequence[Extrapolation],
) -> str:
    """The scores and the law as lines for a terminal."""
    lines = []
    for facts in several:
        told = _describe(facts)
        share = told["answer_in_question"]
        echo = "" if share is None else f", the answer stands in the question of {share:.1%}"
        lines.append(
            f"{facts.model}: {len(facts):,} facts, accuracy {told['accuracy']:.3f}{echo}; "
            f"noise ceiling of R^2 {_number(told['noise_ceiling'])}"
        )
    header = ("R^2", "95 % interval", "memory", "of flex.", "bins", "log loss", "Brier", "calibr.")
    for (model, split), rows in _grouped(table_rows(several, done)).items():
        lines += ["", f"{model}, held-out {split}"]
        lines.append("".join([f"{'':16}", *(f"{name:>{_width(name)}}" for name in header)]))
        for row in rows:
            interval = f"{_number(row['r2_low'])} to {_number(row['r2_high'])}"
            cells = [_number(row["r2"]), interval]
            cells += [_number(row[name]) for name in ("r2_memory", "r2_of_flexible")]
            cells += [_number(row[name]) for name in SCORES[1:]]
            widths = map(_width, header)
            shown = "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
            lines.append(f"{row['predictor']:16}{shown}")
    for name, law in laws.items():
        lines += ["", f"law of {name}: exponents of the odds, with 95 % intervals"]
        for parameter, one in law_parameters(law).items():
            ends = f" ({one['low']:.2f} to {one['high']:.2f})" if "low" in one else ""
            spread = f", between relations +-{one['spread']:.2f}" if "spread" in one else ""
            lines.append(f"  {parameter:22}{one['estimate']:8.3f}{ends}{spread}")
    for one in beyond:
        lines += [
            "",
            f"at {one.size:.3g} parameters, from {' + '.join(one.models)}: accuracy "
            f"{one.accuracy:.3f} ({one.low:.3f} to {one.high:.3f})",
        ]
    return "\n".join(lines)


def _grouped(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["model"], row["split"]), []).append(row)
    return groups


def _width(name: str) -> int:
    return max(len(name) + 2, 10) if name != "95 % interval" else 19


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def check_folder(folder: Path) -> None:
    """See that the reports can be written to a folder.

    Raises:
        BadInput: if it is a file, or has a report already.
    """
    require(not folder.is_file(), f"{folder} is a file; --out is a folder")
    for name in (PREDICTIONS, TABLE):
        require(not (folder / name).exists(), f"{folder / name} exists; choose another folder")


def write_reports(
    folder: Path,
    several: Sequence[CountedFacts],
    laws: Mapping[str, RetentionLaw],
    done: Sequence[Trial],
    beyond: Sequence[Extrapolation],
) -> list[Path]:
    """Write the table of scores (CSV) and the predictions of each fact (Parquet).

    A row of the predictions is a fact and a model: `predicted` is the law's chance when the fact
    was held out (`split` says with what), `low` and `high` its 95 % interval. A model of another
    size has no accuracy, and the split `size`.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {key: _rounded(value) for key, value in row.items()} for row in table_rows(several, done)
    ]
    write_csv(rows, _TABLE, folder / TABLE)
    tables = [
        _fact_table(facts, trial.predicted, laws[facts.model], trial.split)
        for facts in several
        for trial in done
        if trial.predictor == "law" and trial.model == facts.model
    ]
    for one in beyond:
        law = laws[" + ".join(one.models)]
        tables.append(_fact_table(one.facts, one.predicted, law, "size"))
    if tables:
        whole = pa.concat_tables(tables)
        write_whole(folder / PREDICTIONS, lambda path: pq.write_table(whole, path))
    return [folder / TABLE, *([folder / PREDICTIONS] if tables else [])]


def _fact_table(
    facts: CountedFacts, predicted: np.ndarray, law: RetentionLaw, split: str
) -> pa.Table:
    low, high = law.interval(predicted)
    nothing = pa.nulls(len(facts), pa.string())
    known = np.isfinite(facts.accuracy)
    return pa.table(
        {
            "model": pa.array([facts.model] * len(facts)),
            "split": pa.array([split] * len(facts)),
            "relation": pa.array(facts.relation.tolist()),
            "subject": nothing if facts.subject is None else pa.array(facts.subject.tolist()),
            "object": nothing if facts.names is None else pa.array(facts.object.tolist()),
            "accuracy": pa.array(facts.accuracy, mask=~known),
            "predicted": pa.array(predicted),
            "low": pa.array(low),
            "high": pa.array(high),
        }
    )


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
