"""Theory against measurement: one module a figure, experiment and picture."""

from collections.abc import Callable
from importlib import import_module

# Modules are named, not imported: a list of the figures needs neither JAX nor matplotlib.
FIGURES = {"capacity_curve": "figures.capacity_curve"}


def figure_function(name: str) -> Callable:
    """The function that makes the figure; takes a folder and `workers=`, `progress=`."""
    return getattr(import_module(FIGURES[name]), name)
