from .nearest import memorized_fraction, nearest_ratio, takeover_noise
from .posterior import MixturePosterior, linear_posterior, mixture_posterior
from .prior import MixturePrior, mixture_prior
from .weights import effective_modes, empirical_weights

__all__ = [
    "MixturePosterior",
    "MixturePrior",
    "effective_modes",
    "empirical_weights",
    "linear_posterior",
    "memorized_fraction",
    "mixture_posterior",
    "mixture_prior",
    "nearest_ratio",
    "takeover_noise",
]
