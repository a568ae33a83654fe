import numpy as np

from tests.labs.answers.unpredicted import unpredicted


def measured():
    return unpredicted(
        "predicted_copies",
        "predicted_half",
        "predicted_instrument",
    )


def nearest(x, points, sigma):
    return points[((points - x) ** 2).sum(axis=1).argmin()]


def without_the_two(x, points, sigma):
    share = np.exp(-((points - x) ** 2).sum(axis=1) / sigma**2)
    return share / share.sum() @ points


WRONG = (
    {
        "denoise": nearest,
        "by_chance": lambda d, threshold: threshold,
        "full_at": lambda points, stored, everything: points[int(np.argmax(stored))],
        "claimed_spread": lambda weights, points: np.mean(
            weights @ (points - weights @ points) ** 2
        ),
    },
    {
        "denoise": without_the_two,
        "by_chance": lambda d, threshold: threshold ** (1 / d),
        "full_at": lambda points, stored, everything: np.interp(max(stored), everything, points),
        "claimed_spread": lambda weights, points: np.sqrt(points.var(axis=0).mean()),
    },
)
