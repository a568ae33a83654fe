"""Theory against measurement: one module a figure, experiment and picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["FIGURES", "Entry", "figure_function", "figure_presets"]


@dataclass(frozen=True)
class Entry:
    """A figure of the gallery.

    Attributes:
        module: where the function of the figure's name is. It is named and not imported, so that
            a list of the figures needs neither JAX nor matplotlib.
        trains: whether it trains models; its function then takes `workers=` and `progress=`.
        reads_data: whether it takes `data=`, a folder of facts.
        quick: the preset with which the whole gallery is made in a minute or two; None where there
            are no presets. Else the module has them as `PRESETS`, and the function takes `preset=`
            and `changes=`.
    """

    module: str
    trains: bool = False
    reads_data: bool = False
    quick: str | None = None


# The figures of the gallery, by name.
FIGURES = {
    "bounds": Entry("factcap.figures.theory.bounds"),
    "joint_coding": Entry("factcap.figures.theory.joint_coding"),
    "luck": Entry("factcap.figures.theory.luck"),
    "mixture": Entry("factcap.figures.theory.mixture"),
    "classical": Entry("factcap.figures.theory.classical"),
    "membership": Entry("factcap.figures.theory.membership"),
    "memorized_prior": Entry("factcap.figures.theory.memorized_prior"),
    "rules_and_facts": Entry("factcap.figures.theory.rules_and_facts", quick="tiny"),
    "kernel_plane": Entry("factcap.figures.theory.kernel_plane", quick="tiny"),
    "rules_in_transformers": Entry(
        "factcap.figures.rules.rules_in_transformers", trains=True, quick="tiny"
    ),
    "capacity_ratio": Entry("factcap.figures.capacity_ratio", trains=True, quick="tiny"),
    "stored_bits": Entry("factcap.figures.stored_bits", trains=True, quick="tiny"),
    "diffusion_transition": Entry(
        "factcap.figures.diffusion_transition", trains=True, quick="tiny"
    ),
    "selection_gain": Entry("factcap.figures.selection.selection_gain", trains=True, quick="tiny"),
    "splitting": Entry("factcap.figures.splitting.splitting", trains=True, quick="tiny"),
    "corpus_selection": Entry(
        "factcap.figures.corpus.corpus_selection",
        trains=True,
        reads_data=True,
        quick="tiny",
    ),
    "corpus_loads": Entry(
        "factcap.figures.corpus.corpus_loads", trains=True, reads_data=True, quick="tiny"
    ),
    "equivalent_size": Entry(
        "factcap.figures.equivalent.equivalent_size",
        trains=True,
        reads_data=True,
        quick="tiny",
    ),
    "what_is_lost": Entry(
        "factcap.figures.lost.what_is_lost", trains=True, reads_data=True, quick="tiny"
    ),
    "claims": Entry("factcap.figures.claims.claims", trains=True, quick="tiny"),
    "retention": Entry(
        "factcap.figures.retention.retention", trains=True, reads_data=True, quick="tiny"
    ),
    "capacity_curve": Entry("factcap.figures.capacity_curve", trains=True, quick="tiny"),
}


def figure_function(name: str) -> Callable:
    """The function that makes the figure in a folder and returns the rows of its CSV."""
    return getattr(import_module(FIGURES[name].module), name)


def figure_presets(name: str) -> Mapping[str, Any]:
    """The presets of a figure that has some."""
    return import_module(FIGURES[name].module).PRESETS
