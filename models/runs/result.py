"""What comes of a run: a measurement, a loss that is not finite, or that another makes it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from factcap.synth.disk.lock import Busy
from factcap.synth.measurement import Measurement


@dataclass(frozen=True)
class Diverged:
    """A run that failed: its loss is not finite any more.

    Attributes:
        step: the first step whose loss was not.
        reason: what to tell the user.
    """

    step: int
    reason: str


def divergence(
    nats: Float[np.ndarray, " steps"], first: int, learning_rate: float
) -> Diverged | None:
    """Where a run diverged; None if all losses are finite.

    Args:
        nats: loss of each of some steps.
        first: number of the first of them.
        learning_rate: its peak, for the message.
    """
    finite = np.isfinite(nats)
    if finite.all():
        return None
    step = first + int(np.argmin(finite))
    reason = f"the loss is not finite at step {step}"
    return Diverged(step, f"{reason}; try a smaller learning rate than {learning_rate:g}")


Result = Measurement | Diverged | Busy


def measured(result: Result) -> Measurement:
    """The measurement; raises `FloatingPointError` for a run that diverged, or `Busy`."""
    if isinstance(result, Busy):
        raise result
    if isinstance(result, Diverged):
        raise FloatingPointError(result.reason)
    return result
