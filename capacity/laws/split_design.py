"""Whether runs can tell what size, pretraining and specialization do to the loss."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from factcap.capacity.laws.split_runs import SplitRuns

_FEWEST_RUNS = 9
_FEWEST_VALUES = 3
_NAMES = {
    "parameters": ("sizes", "exponent a of the parameters N"),
    "pretraining_tokens": (
        "numbers of pretraining tokens",
        "exponent b of the pretraining tokens D",
    ),
    "specialization_tokens": (
        "numbers of specialization tokens",
        "exponent s of the specialization tokens D'",
    ),
}
# Two quantities rise together if what one does not tell of the other is less than this, as a share
# of its variance.
_APART = 1e-4
# The probability of so large an effect by chance, above which a quantity is said to have none.
_CHANCE = 0.01
# In medians of the distances.
_OUTLIER = 8.0


def check_design(name: str, runs: SplitRuns) -> None:
    """See that a domain's runs differ in all three quantities, and not only together.

    Raises:
        ValueError: for fewer than three values of one, fewer than nine runs, or quantities that
            rise together; it names the constant that cannot be told.
    """
    for column, (what, constant) in _NAMES.items():
        values = np.unique(getattr(runs, column))
        if len(values) < _FEWEST_VALUES:
            raise ValueError(
                f"{name}: too few {what} to fit the {constant}: {len(values)}; "
                f"give {_FEWEST_VALUES} at least"
            )
    if len(runs) < _FEWEST_RUNS:
        raise ValueError(f"{name}: {len(runs)} runs are too few; give {_FEWEST_RUNS} at least")
    logs = {column: _log(getattr(runs, column)) for column in _NAMES}
    # The last first: how much of the specialization goes with the rest is asked most often.
    for column in reversed(_NAMES):
        others = [logs[other] for other in _NAMES if other != column]
        design = np.column_stack([np.ones(len(runs)), *others])
        left = _residual(design, logs[column])
        if np.sum(left**2) < _APART * np.sum((logs[column] - logs[column].mean()) ** 2):
            _, constant = _NAMES[column]
            raise ValueError(
                f"{name}: the {constant} is not identified: {column} follows from the other two in "
                "these runs; vary it alone"
            )


def check_effects(name: str, runs: SplitRuns) -> list[str]:
    """See that the loss changes with the quantities; which of them have no effect, as warnings.

    Quadratics of the logarithms of all three are compared with those of two (F-test).

    Raises:
        ValueError: if neither pretraining nor specialization tokens have an effect.
    """
    loss = np.log(runs.loss)
    logs = {column: _log(getattr(runs, column)) for column in _NAMES}
    kept = _without_outliers(loss, _quadratic(logs))
    loss, logs = loss[kept], {column: values[kept] for column, values in logs.items()}
    without = []
    for column in _NAMES:
        others = {other: logs[other] for other in _NAMES if other != column}
        if not _helps(loss, logs, others):
            without.append(column)
    said = [f"the {_NAMES[column][1]} is not identified" for column in without]
    if {"pretraining_tokens", "specialization_tokens"} <= set(without):
        raise ValueError(
            f"{name}: {' and '.join(said)}: the loss does not change with the tokens of either"
        )
    return [
        f"{name}: {text}: the loss hardly changes with {column}"
        for text, column in zip(said, without, strict=True)
    ]


def _helps(loss: npt.NDArray, all_: dict[str, npt.NDArray], fewer: dict[str, npt.NDArray]) -> bool:
    full, small = _quadratic(all_), _quadratic(fewer)
    if len(loss) <= full.shape[1] + 1:
        full, small = _linear(all_), _linear(fewer)
    whole, part = (float(np.sum(_residual(design, loss) ** 2)) for design in (full, small))
    if part <= 1e-12 * max(float(np.sum(loss**2)), 1e-12) or part <= 1e-20 * len(loss):
        return False
    more = np.linalg.matrix_rank(full) - np.linalg.matrix_rank(small)
    left = len(loss) - np.linalg.matrix_rank(full)
    if more < 1 or left < 1:
        return True
    ratio = (part - whole) / more / max(whole / left, 1e-300)
    return bool(stats.f.sf(ratio, more, left) < _CHANCE)


def _without_outliers(loss: npt.NDArray, design: npt.NDArray) -> npt.NDArray:
    """Which runs lie near the surface through most of them (least absolute deviations)."""
    weight, missed = np.ones(len(loss)), np.abs(loss)
    for _ in range(30):
        root = np.sqrt(weight)
        found, *_ = np.linalg.lstsq(design * root[:, None], loss * root, rcond=None)
        missed = np.abs(loss - design @ found)
        weight = 1 / np.maximum(missed, 1e-6)
    return missed <= _OUTLIER * np.median(missed) + 1e-9


def _linear(columns: dict[str, npt.NDArray]) -> npt.NDArray:
    values = list(columns.values())
    return np.column_stack([np.ones(len(values[0])), *values])


def _quadratic(columns: dict[str, npt.NDArray]) -> npt.NDArray:
    values = list(columns.values())
    products = [a * b for i, a in enumerate(values) for b in values[i:]]
    return np.column_stack([_linear(columns), *products])


def _residual(design: npt.NDArray, values: npt.NDArray) -> npt.NDArray:
    found, *_ = np.linalg.lstsq(design, values, rcond=None)
    return values - design @ found


def _log(values: npt.NDArray) -> npt.NDArray:
    """Logarithms, centered; no tokens count as a tenth of the fewest."""
    positive = values[values > 0]
    logs = np.log(np.where(values > 0, values, positive.min() / 10))
    return logs - logs.mean()
