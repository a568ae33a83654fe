"""Tables of runs that follow a law, each law written down again."""

import numpy as np

from factcap.capacity.laws import SplitRuns

LAWS = {
    "additive": lambda n, d, s: (
        1.5 + 0.5 * n**-0.34 + 0.4 * (d + 0.01) ** -0.28 + 0.3 * (s + 0.01) ** -0.3
    ),
    "transferred": lambda n, d, s: 1.5 + 0.5 * n**-0.34 + 0.6 * (s + 2 * d**0.7) ** -0.3,
    "boosted": lambda n, d, s: 1.5 + 0.5 * n**-0.34 + 0.6 * (d + 0.3 * s**0.8) ** -0.3,
    "joint": lambda n, d, s: 1.5 + 0.5 * n**-0.34 + 0.6 * (d + 0.01) ** -0.15 * (s + 0.01) ** -0.2,
    "product": lambda n, d, s: 1.5 + 0.9 * n**-0.2 * (d + 0.01) ** -0.15 * (s + 0.01) ** -0.2,
    "transferred_by_size": lambda n, d, s: (
        1.5 + 0.5 * n**-0.34 + 0.6 * (s + 2 * d**0.7 * n**0.3) ** -0.3
    ),
    "interacting": lambda n, d, s: (
        1.5
        + 0.5 * n**-0.34
        + 0.3 * (d + 0.01) ** -0.28
        + 0.6 * (d + 0.01) ** -0.06 * (s + 0.01) ** -0.2
    ),
    "pretrained_and_transferred": lambda n, d, s: (
        1.2 + 0.5 * n**-0.34 + 0.3 * (d + 0.01) ** -0.28 + 0.3 * (s + 0.5 * d**0.5) ** -0.3
    ),
    "kaplan_transferred": lambda n, d, s: (
        1.2 + (0.5 * n**-1.1 + 0.6 * (s + 2 * d**0.7) ** -1) ** 0.3
    ),
    "kaplan_joint": lambda n, d, s: (
        1.2 + (0.5 * n**-1.1 + 0.6 * (d + 0.02) ** -0.5 * (s + 0.02) ** -0.6) ** 0.3
    ),
    "kaplan_pretrained_and_transferred": lambda n, d, s: (
        1.0 + (0.5 * n**-1.1 + 0.3 * (d + 0.02) ** -0.9 + 0.2 * (s + 0.5 * d**0.5) ** -1) ** 0.3
    ),
}
# N of 1, D of 1 and D' of 1 above.
UNITS = (1e7, 1e9, 1e8)


def law(name, size, pretrained, special):
    """The loss of a law at N, D, D'."""
    n, d, s = (
        np.asarray(x, float) / unit
        for x, unit in zip((size, pretrained, special), UNITS, strict=True)
    )
    return LAWS[name](n, d, s)


def grid(sizes=4, tokens=4, zeros=True):
    """N, D and D' of a full grid."""
    d, s = np.geomspace(2e8, 4e9, tokens), np.geomspace(2e7, 8e8, tokens)
    if zeros:
        d, s = np.append(0, d), np.append(0, s)
    axes = np.meshgrid(np.geomspace(3e6, 3e7, sizes), d, s, indexing="ij")
    n, d, s = (axis.ravel() for axis in axes)
    keep = d + s > 0
    return n[keep], d[keep], s[keep]


def table(name, *, domains=2, noise=0.003, seed=0, where=None):
    """The runs of some domains, each 5 % worse than the one before."""
    rng = np.random.default_rng(seed)
    n, d, s = grid() if where is None else where
    return {
        f"domain {number}": SplitRuns(
            n,
            d,
            s,
            law(name, n, d, s) * (1 + 0.05 * number) * np.exp(noise * rng.normal(size=len(n))),
        )
        for number in range(domains)
    }
