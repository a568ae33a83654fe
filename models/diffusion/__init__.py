"""A small diffusion model: trained on points of a known distribution, sampled and measured."""

from factcap.models.diffusion.measure import SavedBits, saved_bits, score_error
from factcap.models.diffusion.mixture import Mixture, clusters, memorized
from factcap.models.diffusion.network import Denoiser, DenoiserConfig
from factcap.models.diffusion.sampling import sample, sample_posterior
from factcap.models.diffusion.training import DiffusionTraining, train_denoiser

__all__ = [
    "Denoiser",
    "DenoiserConfig",
    "DiffusionTraining",
    "Mixture",
    "SavedBits",
    "clusters",
    "memorized",
    "sample",
    "sample_posterior",
    "saved_bits",
    "score_error",
    "train_denoiser",
]
