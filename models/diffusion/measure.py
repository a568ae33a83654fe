"""What a denoiser has stored of its training points, in bits, and its score errors.

The code length of a point x at resolution sigma_0 is the relative entropy, in bits, of x blurred by
sigma_0 to what the model samples there: by bits-back coding that many bits send x to that
precision. For the reverse diffusion of a denoiser D, up to a term at the most noise that no
denoiser changes (Girsanov's theorem; the variational bound of Kingma et al. 2021, 2107.00630),

    L_D(x) = int_{sigma_0}^{sigma_1} E|x - D(x + sigma z, sigma)|^2 / sigma^2 d ln sigma   nats.

With the true distribution's denoiser this is exact: L = KL(N(x, sigma_0^2 I) || p_sigma_0).

*Stored bits* are what the model saves of its own training points against the true distribution,
sum_n [L_true(x_n) - L_D(x_n)] / ln 2, which no model can gain by knowing the distribution: the
unintended memorization of Morris et al. 2025 (2505.24832) with the true distribution as the
reference, and the counterpart of N H - sum NLL for facts. The sum is not clipped, and negative for
a model that describes its points worse than the true distribution does. Points drawn from the true
distribution let a model of C bits save more than C + t bits with probability 2^-t at most. The
memorized mixture of N points far apart saves all there is to know of them at that resolution,
KL(N(x_n, sigma_0^2 I) || p_sigma_0) less log2 N each: a set has no order.

The same difference on fresh points, with the sign changed, is the *excess code length*, in bits a
point: the relative entropy of the true diffusion to the model's, and at least that of the points.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from jaxtyping import Array, Float, PRNGKeyArray

from factcap.synth.errors import require


class SavedBits(NamedTuple):
    """Bits saved in coding points, a point, and the standard error of that estimate.

    The error is that of the draws of noise; the points are taken as given.
    """

    mean: float
    standard_error: float


def saved_bits(
    denoiser: Partial,
    reference: Partial,
    points: Float[np.ndarray, "points dimension"],
    key: PRNGKeyArray,
    *,
    least_noise: float = 0.05,
    most_noise: float = 10.0,
    levels: int = 32,
    draws: int = 4096,
) -> SavedBits:
    """By how many bits a point the denoiser's code is shorter than the reference's.

    The integral over ln sigma is by Gauss's rule, the mean over z by draws that both codes share.

    Args:
        denoiser: a function (x, noise) with a row a query.
        reference: the same of the other code.
        points: what is coded, a row each.
        key: of the noise.
        least_noise: $sigma_0$, the resolution.
        most_noise: $sigma_1$, where all denoisers agree.
        levels: nodes of the rule.
        draws: of noise at each level, at least; every point gets equally many, and two or more.

    Raises:
        BadInput: for noises out of order, or a number below 1.
    """
    require(levels >= 1 and draws >= 1, "levels and draws must be at least 1")
    require(
        0 < least_noise < most_noise < float("inf"),
        f"least_noise must be > 0 and below most_noise, not {least_noise} and {most_noise}",
    )
    nodes, weights = np.polynomial.legendre.leggauss(levels)
    half = math.log(most_noise / least_noise) / 2
    noises = least_noise * np.exp(half * (nodes + 1))
    repeats = max(2, -(-draws // len(points)))
    clean = np.tile(np.asarray(points, np.float32), (repeats, 1))
    drawn = (jnp.asarray(noises, jnp.float32), jax.random.split(key, levels))
    nats_LxR = np.asarray(_square_differences(denoiser, reference, clean, drawn), float)
    nats_LxR = nats_LxR.reshape(levels, repeats, -1).mean(axis=2) / noises[:, None] ** 2
    saved = half * weights @ nats_LxR / math.log(2)
    return SavedBits(float(saved.mean()), float(saved.std(ddof=1)) / math.sqrt(repeats))


@jax.jit
def _square_differences(
    denoiser: Partial, reference: Partial, clean_RxD: Array, drawn: tuple[Array, Array]
) -> Float[Array, "levels rows"]:
    """|x - D_ref|^2 - |x - D|^2 at each noise, for the same noise in both."""

    def at(drawn: tuple[Array, Array]) -> Array:
        noise, key = drawn
        noisy_RxD, noise_R = _noised(clean_RxD, noise, key)
        longer, shorter = (
            jnp.sum((clean_RxD - each(noisy_RxD, noise_R)) ** 2, axis=1)
            for each in (reference, denoiser)
        )
        return longer - shorter

    return jax.lax.map(at, drawn)


def score_error(
    denoiser: Partial,
    reference: Partial,
    points: Float[np.ndarray, "points dimension"],
    noise: float,
    key: PRNGKeyArray,
    *,
    draws: int = 4096,
) -> float:
    """Mean of sigma^2 |score - reference's score|^2 / d over noised points.

    sigma score is of size 1 a dimension, so 0 is exact and 1 as wrong as no denoiser at all, about.
    The score is $(D(x) - x) / sigma^2$, so this is $|D - D_ref|^2 / (d sigma^2)$. On the points
    that the reference is the best denoiser of (the training points for the memorized mixture, fresh
    ones for the true distribution) it is what the denoiser's loss exceeds the least possible by.

    Args:
        denoiser: a function (x, noise) with a row a query.
        reference: the same, with the score that is right.
        points: what noise is added to, a row each.
        noise: sigma.
        key: of the noise.
        draws: noised points, at least; every point gets equally many.

    Raises:
        BadInput: for a noise that is not above 0, or fewer draws than 1.
    """
    require(0 < noise < float("inf"), f"noise must be finite and > 0, not {noise}")
    require(draws >= 1, f"draws must be at least 1, not {draws}")
    clean = np.tile(np.asarray(points, np.float32), (-(-draws // len(points)), 1))
    found = _difference(denoiser, reference, clean, jnp.float32(noise), key)
    return float(found) / (clean.shape[1] * noise**2)


@jax.jit
def _difference(
    denoiser: Partial, reference: Partial, clean_RxD: Array, noise: Array, key: PRNGKeyArray
) -> Float[Array, ""]:
    noisy = _noised(clean_RxD, noise, key)
    return jnp.mean(jnp.sum((denoiser(*noisy) - reference(*noisy)) ** 2, axis=1))


def _noised(clean_RxD: Array, noise: Array, key: PRNGKeyArray) -> tuple[Array, Array]:
    standard_RxD = jax.random.normal(key, clean_RxD.shape)
    return clean_RxD + noise * standard_RxD, jnp.full(len(clean_RxD), noise)
