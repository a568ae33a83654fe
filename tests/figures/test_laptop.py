import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from factcap.figures.capacity_curve import capacity_curve
from factcap.figures.capacity_experiment import PRESETS
from factcap.models.sweep.engines.local import default_workers

ROOT = Path(__file__).parent.parent.parent


def known_by_load(rows):
    """Mean number of facts known, by frequency and by the nearest of the preset's loads."""
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        load = min(PRESETS["laptop"].loads, key=lambda load: abs(np.log(float(row["load"]) / load)))
        found[row["frequency"]][load].append(float(row["facts_known"]))
    return {
        name: {load: float(np.mean(known)) for load, known in loads.items()}
        for name, loads in found.items()
    }


def assert_claims(rows):
    assert all(
        float(row["accuracy"]) >= 0.99 for row in rows if abs(float(row["load"]) - 0.25) < 0.05
    )
    for prefix in ("", "weighted_"):
        for row in rows:
            assert float(row[f"{prefix}accuracy"]) <= float(row[f"{prefix}rate_distortion"]) + 1e-12
    for loads in known_by_load(rows).values():
        assert len(loads) >= 6
        assert loads[max(loads)] <= 0.5 * max(loads.values())


def test_the_committed_curve_shows_what_the_readme_says():
    with open(ROOT / "docs" / "results" / "capacity_curve.csv") as file:
        rows = list(csv.DictReader(file))
    assert_claims(rows)
    readme = " ".join((ROOT / "README.md").read_text().split())
    known = known_by_load(rows)
    capacity, parameters = float(rows[0]["capacity_bits"]), int(rows[0]["parameters"])
    for sentence in (
        f"{parameters:,} parameters",
        f"holds {capacity:,.0f} bits, {capacity / parameters:.2f} a parameter",
        f"it knows {known['uniform'][1]:.0f} at load 1 but {known['uniform'][4]:.0f} at load 4",
        f"{known['population'][0.75]:.0f} at load 0.75 and {known['population'][4]:.0f} at load 4",
    ):
        assert sentence in readme


@pytest.mark.slow
def test_the_laptop_preset_shows_it_again(tmp_path):
    assert_claims(capacity_curve(tmp_path, preset="laptop", workers=default_workers()))
