"""Bayesian inverse problems under a prior that has memorized its training points, in closed form.

The empirical prior is the training points themselves; the mixture prior is what a diffusion model
holds of them at noise sigma, $(1/N) sum_n N(x_n, sigma^2 I)$ (Siahkoohi and Sabeddu 2026,
2603.19629). Data are at most 1e75 in size and noises from 1e-75 to 1e75, so that no square
overflows; logarithms are natural.
"""

from lazy_loader import attach_stub

# Each name is imported when it is first used; `__init__.pyi` says from where.
__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
