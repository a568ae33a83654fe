"""A small diffusion model: trained on points of a known distribution, sampled and measured."""

from models.diffusion.measure import SavedBits, saved_bits, score_error
from models.diffusion.mixture import Mixture, clusters, memorized
from models.diffusion.network import Denoiser, DenoiserConfig
from models.diffusion.sampling import sample, sample_posterior
from models.diffusion.training import DiffusionTraining, train_denoiser

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
