"""What a model's answers show: how many are right, of what was kept and dropped, and how sure."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Bool, Float

from factcap.figures.lost.calibration import calibration_error, sure_and_wrong
from factcap.models.runs.answers import Answers

SURE, VERY_SURE = 0.5, 0.9
MEASURES = (
    *("known_kept", "known_dropped", "guess_dropped", "loss_kept", "loss_dropped"),
    *("entropy_dropped", "calibration_error", "sure_kept", "very_sure_kept"),
    *("sure_dropped", "very_sure_dropped"),
)

Numbers = Mapping[str, float | None]


def of_answers(
    answers: Answers,
    kept: Bool[np.ndarray, " questions"],
    guess: Float[np.ndarray, " questions"],
) -> dict[str, float | None]:
    """The numbers of one model; None where there is nothing of which one could be.

    `known_` is the share of the questions answered exactly, `loss_` the bits that the value costs,
    `calibration_error` that of all answers, `sure_` and `very_sure_` the share of the wrong answers
    given with a probability of more than 0.5 and 0.9.

    Args:
        answers: to the questions.
        kept: whether each asks for a fact that selection kept.
        guess: probability that the best answer that knows no fact is right.
    """
    right, sure = answers.right, answers.probability
    loss, entropy = answers.measurement.nll_bits, answers.measurement.entropy_bits

    def of(some: np.ndarray, number: Callable[[np.ndarray], float]) -> float | None:
        return number(some) if some.any() else None

    def wrong_above(some: np.ndarray, above: float) -> float | None:
        return of(some & ~right, lambda at: sure_and_wrong(sure[at], right[at], above))

    dropped = ~kept
    return {
        "known_kept": of(kept, lambda at: float(right[at].mean())),
        "known_dropped": of(dropped, lambda at: float(right[at].mean())),
        "guess_dropped": of(dropped, lambda at: float(guess[at].mean())),
        "loss_kept": of(kept, lambda at: float(loss[at].mean())),
        "loss_dropped": of(dropped, lambda at: float(loss[at].mean())),
        "entropy_dropped": of(dropped, lambda at: float(entropy[at].mean())),
        "calibration_error": calibration_error(sure, right),
        "sure_kept": wrong_above(kept, SURE),
        "very_sure_kept": wrong_above(kept, VERY_SURE),
        "sure_dropped": wrong_above(dropped, SURE),
        "very_sure_dropped": wrong_above(dropped, VERY_SURE),
    }
