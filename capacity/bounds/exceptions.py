"""Facts that follow a rule but for exceptions: bits they hold, and what fewer bits must miss."""

import math
from typing import Any

from scipy import optimize

from factcap.capacity.classical import binary_entropy


def exception_bits(epsilon: float, choices: float) -> float:
    """Bits of a fact whose value is the rule's, or with probability epsilon uniform on K choices.

    $h2(e) + e log2(K - 1)$, $e = epsilon (1 - 1/K)$: whether the value is another one than the
    rule's, and which. For a large K it is near $epsilon log2 K$, the values of the exceptions, plus
    $h2(epsilon)$, which facts are exceptions. The rule itself is known.

    Args:
        epsilon: 0 to 1.
        choices: K, finite and > 1.

    Raises:
        ValueError: for an argument out of range.

    >>> exception_bits(1.0, 256), round(exception_bits(0.1, 256), 3)
    (8.0, 1.264)
    """
    _check(epsilon, choices)
    return _off_rule_bits(epsilon * (1 - 1 / choices), choices)


def least_exception_error(epsilon: float, choices: float, bits: float) -> float:
    """Least share of such facts that is recalled wrongly with so many bits a fact.

    The rate-distortion function of Hamming distortion: $R(D) = h2(e) - h2(D) + (e - D) log2(K - 1)$
    for $0 <= D <= e = epsilon (1 - 1/K)$, the error of the rule alone. Shannon's lower bound gives
    it, and it is exact in this whole range: a value that is $D / (K - 1)$ likely to be each wrong
    one of what is recalled has the wanted distribution as long as the rarest value, of probability
    $epsilon / K$, is at least $D / (K - 1)$ likely (Cover and Thomas 2006, exercise 10.6).

    It holds for every number of facts and every model. One that keeps to the rule where the rule
    holds knows at most a share $1 - D / e$ of the exceptions that are off the rule.

    Args:
        epsilon: 0 to 1.
        choices: K, finite and > 1.
        bits: what the model can hold about the facts, beside the rule, for each of them; >= 0.

    Raises:
        ValueError: for an argument out of range.

    >>> least_exception_error(0.1, 2.0, 0.0)
    0.05
    >>> least_exception_error(0.1, 2.0, 0.5)
    0.0
    """
    total = exception_bits(epsilon, choices)
    if not bits >= 0:
        raise ValueError(f"bits must be >= 0, not {bits}")
    by_rule = epsilon * (1 - 1 / choices)
    if bits >= total:
        return 0.0
    if bits == 0:
        return by_rule
    found: Any = optimize.brentq(
        lambda wrong: _off_rule_bits(wrong, choices) - (total - bits), 0.0, by_rule, xtol=1e-15
    )
    return float(found)


def _off_rule_bits(share: float, choices: float) -> float:
    return float(binary_entropy(share)) + share * math.log2(choices - 1)


def _check(epsilon: float, choices: float) -> None:
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must lie in [0, 1], not {epsilon}")
    if not 1 < choices < math.inf:
        raise ValueError(f"choices must be finite and > 1, not {choices}")
