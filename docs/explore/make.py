"""Make the parts of the explorer that come from elsewhere: our measured points, and the palette.

`python docs/explore/make.py` writes `measured.js` from the tables in docs/results and `palette.css`
from `factcap.figures.style`. A test says when they are no longer the same.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from factcap.figures.claims.page import read_table
from factcap.figures.style import palette_css

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"

Row = Mapping[str, str]

# Which rows of a table are drawn: the schemes of selection, and how the page calls them.
_ALL, _FITTING = "trained on all facts", "trained on what fits"
_SCHEMES = {"ordinary": _ALL, "worth": _FITTING}


def measured() -> list[dict[str, Any]]:
    """Groups of our runs: each of one frequency of facts, with a series for each way to train."""
    selection = read_table(RESULTS / "selection_gain.csv")
    groups = [
        _group(
            f"selection-{exponent}",
            "Equally frequent facts" if exponent == "0.0" else f"Power law, exponent {exponent}",
            [row for row in selection if row["exponent"] == exponent],
            "selection_gain.csv",
            _SCHEMES,
        )
        for exponent in sorted({row["exponent"] for row in selection}, key=float)
    ]
    cities = [
        row
        for row in read_table(RESULTS / "capacity_curve.csv")
        if row["frequency"] == "population"
    ]
    exponent = float(cities[0]["exponent"])
    title = f"Cities, exponent {exponent:.2f}"
    return [*groups, _group("cities", title, cities, "capacity_curve.csv", {"none": _ALL})]


def measured_js() -> str:
    """The points as a plain script, which a page opened from disk may load."""
    shown = json.dumps(measured())
    for begin in ('{"name"', '{"title"', '{"facts"'):
        shown = shown.replace(begin, "\n" + begin)
    return (
        '"use strict";\n'
        "/** Made by docs/explore/make.py from docs/results. @type {Runs[]} */\n"
        f"const MEASURED = {shown};\n"
    )


def _group(
    name: str, title: str, rows: Sequence[Row], source: str, schemes: Mapping[str, str]
) -> dict[str, Any]:
    first = rows[0]
    column = "scheme" if "scheme" in first else "selection"
    return {
        "name": name,
        "title": title,
        "source": source,
        "exponent": float(first["exponent"]),
        "choices": round(2 ** (float(first["entropy_bits"]) / int(first["facts"]))),
        "bits": float(first["capacity_bits"]),
        "parameters": int(first["parameters"]),
        "series": [
            {"title": label, "points": _points([row for row in rows if row[column] == scheme])}
            for scheme, label in schemes.items()
        ],
    }


def _points(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Mean, least and most over seeds, for each number of facts."""
    by_facts: dict[int, list[Row]] = {}
    for row in rows:
        by_facts.setdefault(int(row["facts"]), []).append(row)
    return [
        {
            "facts": facts,
            "load": float(seeds[0]["entropy_bits"]) / float(seeds[0]["capacity_bits"]),
            "seeds": len(seeds),
            "queries": _spread([float(row["weighted_accuracy"]) for row in seeds]),
            "known": _spread([int(row["facts_known"]) / facts for row in seeds]),
        }
        for facts, seeds in sorted(by_facts.items())
    ]


def _spread(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in (mean(values), min(values), max(values))]


def main() -> None:
    """Write both files."""
    (HERE / "measured.js").write_text(measured_js())
    (HERE / "palette.css").write_text(palette_css())


if __name__ == "__main__":
    main()
