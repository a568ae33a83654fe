"""Theory against measurement: one module a figure, experiment and picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A figure of the gallery.

    Attributes:
        module: where the function of the figure's name is. It is named and not imported, so that
            a list of the figures needs neither JAX nor matplotlib.
        trains: whether it trains models; its function then takes `workers=` and `progress=`.
        reads_data: whether it takes `data=`, a folder of facts.
        quick: options with which the whole gallery is made in a minute or two.
    """

    module: str
    trains: bool = False
    reads_data: bool = False
    quick: Mapping[str, Any] = field(default_factory=dict)


FIGURES = {
    "bounds": Entry("factcap.figures.theory.bounds"),
    "joint_coding": Entry("factcap.figures.theory.joint_coding"),
    "luck": Entry("factcap.figures.theory.luck"),
    "mixture": Entry("factcap.figures.theory.mixture"),
    "classical": Entry("factcap.figures.theory.classical"),
    "membership": Entry("factcap.figures.theory.membership"),
    "memorized_prior": Entry("factcap.figures.theory.memorized_prior"),
    "rules_and_facts": Entry(
        "factcap.figures.theory.rules_and_facts", quick={"dimension": 60, "repeats": 3}
    ),
    "kernel_plane": Entry(
        "factcap.figures.theory.kernel_plane", quick={"dimension": 60, "repeats": 3}
    ),
    "rules_in_transformers": Entry(
        "factcap.figures.rules.rules_in_transformers", trains=True, quick={"preset": "tiny"}
    ),
    "capacity_ratio": Entry(
        "factcap.figures.capacity_ratio", trains=True, quick={"preset": "tiny"}
    ),
    "stored_bits": Entry("factcap.figures.stored_bits", trains=True, quick={"preset": "tiny"}),
    "diffusion_transition": Entry(
        "factcap.figures.diffusion_transition", trains=True, quick={"preset": "tiny"}
    ),
    "selection_gain": Entry(
        "factcap.figures.selection.selection_gain", trains=True, quick={"preset": "tiny"}
    ),
    "corpus_selection": Entry(
        "factcap.figures.corpus.corpus_selection",
        trains=True,
        reads_data=True,
        quick={"preset": "tiny"},
    ),
    "capacity_curve": Entry(
        "factcap.figures.capacity_curve", trains=True, quick={"preset": "tiny"}
    ),
}


def figure_function(name: str) -> Callable:
    """The function that makes the figure in a folder and returns the rows of its CSV."""
    return getattr(import_module(FIGURES[name].module), name)
