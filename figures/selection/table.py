"""The numbers of selection: means over seeds, with intervals, against the bound."""

from collections.abc import Sequence
from typing import Any

from factcap.figures.selection.experiment import ORDINARY, Row, mean_of

COLUMNS = (
    *("exponent", "load", "facts", "scheme", "seeds"),
    *("facts_known", "facts_known_half_width", "known_ratio", "known_ratio_half_width"),
    *("weighted_accuracy", "weighted_accuracy_half_width"),
    *("weighted_accuracy_least", "weighted_accuracy_most"),
    *("weighted_ratio", "weighted_ratio_half_width", "times_ordinary"),
)


def make_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One row for each exponent, load and scheme.

    Half widths are those of 95 % intervals over seeds (Student's t). They say little of the
    weighted accuracy of random subsampling where a few facts are asked for most of the time: it is
    high or low as these are kept or not; hence the least and the most of it. `times_ordinary` is
    the ratio of the mean facts known to that of ordinary training.
    """
    groups: dict[tuple[float, float, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["exponent"], row["load"], row["scheme"]), []).append(row)
    table = []
    for (exponent, load, scheme), group in groups.items():
        entry: dict[str, Any] = {
            "exponent": exponent,
            "load": load,
            "facts": group[0]["facts"],
            "scheme": scheme,
            "seeds": len(group),
        }
        for name in ("facts_known", "known_ratio", "weighted_accuracy", "weighted_ratio"):
            entry[name], entry[f"{name}_half_width"] = mean_of(group, name)
        found = [row["weighted_accuracy"] for row in group]
        entry["weighted_accuracy_least"] = min(found)
        entry["weighted_accuracy_most"] = max(found)
        ordinary, _ = mean_of(groups[exponent, load, ORDINARY], "facts_known")
        entry["times_ordinary"] = entry["facts_known"] / ordinary if ordinary else float("inf")
        table.append(entry)
    return table
