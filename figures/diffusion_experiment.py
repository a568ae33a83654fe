"""The runs of the diffusion transition: a denoiser trained on N points, and what is measured."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from factcap.capacity.memorized_prior import (
    empirical_weights,
    memorized_fraction,
    mixture_posterior,
)
from factcap.figures.fields import Count, Positive, Seeds, Several
from factcap.figures.processes import in_processes
from factcap.models.diffusion import (
    DenoiserConfig,
    DiffusionTraining,
    Mixture,
    clusters,
    memorized,
    sample,
    sample_posterior,
    saved_bits,
    score_error,
    train_denoiser,
)
from factcap.models.runs.code.digest import code_digest
from factcap.synth.errors import require

COLUMNS = (
    *("panel", "points", "seed", "parameters", "series", "noise", "memorized_fraction"),
    *("memorized_error", "true_error", "stored_bits", "stored_bits_standard_error", "most_bits"),
    *("excess_bits", "observation", "point", "empirical_weight", "mixture_weight", "share", "run"),
)
NETWORK, MEMORIZED, TRUTH = "network", "memorized mixture", "true distribution"
POSTERIOR = "network, posterior"
OBSERVATION_NOISE = 0.3


@dataclass(frozen=True)
class Plan:
    """Which runs are made, and how.

    Attributes:
        points: training points, N.
        seeds: of points, parameters and draws.
        denoiser: the network.
        training: how it is trained; its least noise is the resolution of stored bits.
        noises: at which the score is compared.
        samples: drawn from each model.
        posterior_points: one of `points`, with few enough to be memorized; at these, posterior
            samples are counted by training point.
        observations: of the inverse problem, there.
    """

    points: tuple[Several, ...] = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    seeds: Seeds = (0, 1)
    denoiser: DenoiserConfig = field(
        default_factory=lambda: DenoiserConfig(dimension=8, width=64, depth=3)
    )
    training: DiffusionTraining = field(default_factory=DiffusionTraining)
    noises: tuple[Positive, ...] = (0.1, 0.3, 1.0)
    samples: Count = 2000
    posterior_points: Count = 32
    observations: Count = 6

    def __post_init__(self):
        require(
            self.posterior_points in self.points,
            f"posterior_points must be one of the points {', '.join(map(str, self.points))}, "
            f"not {self.posterior_points}",
        )


PRESETS = {
    "tiny": Plan(
        points=(8, 32, 512),
        seeds=(0,),
        training=DiffusionTraining(steps=1000),
        samples=500,
        posterior_points=8,
        observations=2,
    ),
    "laptop": Plan(),
}


@dataclass(frozen=True)
class Trial:
    """A run: one network, trained on the first `points` points of a seed.

    Attributes:
        plan: what is done.
        points: N.
        seed: see `Plan`.
        folder: where the result is kept.
    """

    plan: Plan
    points: int
    seed: int
    folder: Path

    @property
    def run(self) -> str:
        """The hash of all that decides the numbers, the code among it."""
        plan = dataclasses.asdict(self.plan)
        # a run does not depend on which others there are
        counts = plan.pop("posterior_points") == self.points
        del plan["points"], plan["seeds"]
        if not counts:
            del plan["observations"]
        decisive = [plan, counts, self.points, self.seed, code_digest(__name__)]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def truth(dimension: int) -> Mixture:
    """The distribution that is learned: four clusters of standard deviation 1/2."""
    return clusters(4, dimension, spread=0.5, seed=0)


def forward(x: Float[Array, " dimension"]) -> Float[Array, "2"]:
    """The operator of the inverse problem: [x1 + 0.3 x1 x2, x2 + 0.2 x1^2]."""
    return jnp.stack([x[0] + 0.3 * x[0] * x[1], x[1] + 0.2 * x[0] ** 2])


def measured(trial: Trial, report: Callable[[float], object]) -> list[dict[str, Any]]:
    """The rows of a run; one that is finished is read.

    Args:
        trial: the run.
        report: called with the share of it that is done.
    """
    path = trial.folder / f"{trial.run}.json"
    if path.exists():
        report(1.0)
        return json.loads(path.read_text())
    rows = [dict.fromkeys(COLUMNS, "") | _rounded(row) for row in _measure(trial, report)]
    trial.folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(rows))
    partial.replace(path)
    report(1.0)
    return rows


def measure_each(
    trials: Sequence[Trial], workers: int, progress: Callable[[int, int, float], object]
) -> dict[int, list[dict[str, Any]]]:
    """`measured` of every trial, by number; in processes pinned to a core, or in this one."""
    if not workers:
        return {
            number: measured(trial, lambda share, n=number: progress(n, len(trials), share))
            for number, trial in enumerate(trials)
        }
    found: dict[int, list[dict[str, Any]]] = {}
    for number, rows in in_processes(_measured, trials, workers):
        found[number] = rows
        progress(number, len(trials), 1.0)
    return found


def _measured(trial: Trial) -> list[dict[str, Any]]:
    return measured(trial, lambda share: None)


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Six digits are more than the draws decide."""
    return {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in row.items()
    }


def _measure(trial: Trial, report: Callable[[float], object]) -> list[dict[str, Any]]:
    plan, config = trial.plan, trial.plan.denoiser
    true = truth(config.dimension)
    # The points of a run are the first of those of a larger one.
    rng, fresh_rng, observed_rng = np.random.default_rng(trial.seed).spawn(3)
    points = true.draw(trial.points, rng)
    fresh = true.draw(max(plan.samples, 4096), fresh_rng)
    seen = _observe(true, plan.observations, observed_rng)
    network = train_denoiser(
        points,
        config,
        plan.training,
        seed=trial.seed,
        progress=lambda done, steps: report(0.9 * done / steps),
    )
    models = {NETWORK: network, MEMORIZED: memorized(points).denoiser(), TRUTH: true.denoiser()}
    keys = jax.random.split(jax.random.key(trial.seed), 4)
    known = {
        **{"points": trial.points, "seed": trial.seed, "parameters": config.parameters},
        "run": trial.run,
    }
    rows = [
        *_samples(plan, models, points, fresh, seen[0], keys[0]),
        *_scores(plan, models, points, fresh, keys[1]),
        _stored(plan, models, points, fresh, keys[2]),
    ]
    if trial.points == plan.posterior_points:
        rows += _posterior(plan, models, points, seen, keys[3])
    return [known | row for row in rows]


def _samples(plan, models, points, fresh, seen, key):
    """Memorized fractions: of samples, of posterior samples, and of fresh points."""
    bounds = _bounds(plan)
    flow_key, posterior_key = jax.random.split(key)
    shape = (plan.samples, points.shape[1])
    drawn = {
        NETWORK: sample(models[NETWORK], *shape, flow_key, **bounds),
        MEMORIZED: sample(models[MEMORIZED], *shape, flow_key, **bounds),
        TRUTH: fresh[: plan.samples],
        POSTERIOR: sample_posterior(
            models[NETWORK],
            forward,
            seen,
            OBSERVATION_NOISE,
            *shape,
            posterior_key,
            **bounds,
        ),
    }
    return [
        {"panel": "samples", "series": name, "memorized_fraction": memorized_fraction(x, points)}
        for name, x in drawn.items()
    ]


def _scores(plan, models, points, fresh, key):
    """The network's score against both closed forms, each where it is the best one."""
    rows = []
    for noise, at in zip(plan.noises, jax.random.split(key, len(plan.noises)), strict=True):
        rows.append(
            {
                **{"panel": "score", "series": NETWORK, "noise": noise},
                "memorized_error": score_error(
                    models[NETWORK], models[MEMORIZED], points, noise, at
                ),
                "true_error": score_error(models[NETWORK], models[TRUTH], fresh, noise, at),
            }
        )
    return rows


def _stored(plan, models, points, fresh, key):
    """Bits stored of all points, the most that could be, and bits lost on a fresh one."""
    own_key, fresh_key = jax.random.split(key)
    bounds = _bounds(plan)
    network, best = (
        saved_bits(models[name], models[TRUTH], points, own_key, **bounds)
        for name in (NETWORK, MEMORIZED)
    )
    lost = saved_bits(models[TRUTH], models[NETWORK], fresh, fresh_key, **bounds)
    count = len(points)
    return {
        **{"panel": "stored", "series": NETWORK, "noise": plan.training.least_noise},
        "stored_bits": count * network.mean,
        "stored_bits_standard_error": count * network.standard_error,
        "most_bits": count * best.mean,
        "excess_bits": lost.mean,
    }


def _posterior(plan, models, points, observed, key):
    """Shares of posterior samples by nearest training point, beside the exact weights."""
    outputs = np.asarray(jax.vmap(forward)(jnp.asarray(points, jnp.float32)), float)
    jacobians = np.asarray(jax.vmap(jax.jacfwd(forward))(jnp.asarray(points, jnp.float32)), float)
    noise, rows = plan.training.least_noise, []
    keys = jax.random.split(key, len(observed))
    for number, (seen, at) in enumerate(zip(observed, keys, strict=True)):
        empirical = empirical_weights(outputs, seen, OBSERVATION_NOISE)
        mixture = mixture_posterior(points, outputs, jacobians, seen, noise, OBSERVATION_NOISE)
        for name in (NETWORK, MEMORIZED):
            drawn = sample_posterior(
                models[name],
                forward,
                seen,
                OBSERVATION_NOISE,
                plan.samples,
                points.shape[1],
                at,
                **_bounds(plan),
            )
            nearest = ((drawn[:, None] - points) ** 2).sum(axis=2).argmin(axis=1)
            share = np.bincount(nearest, minlength=len(points)) / len(drawn)
            rows += [
                {
                    **{"panel": "posterior", "series": name, "noise": OBSERVATION_NOISE},
                    **{"observation": number, "point": point, "share": float(share[point])},
                    "empirical_weight": float(empirical[point]),
                    "mixture_weight": float(mixture.weights[point]),
                }
                for point in range(len(points))
            ]
    return rows


def _observe(
    true: Mixture, count: int, rng: np.random.Generator
) -> Float[np.ndarray, "observations 2"]:
    """Observations of points of the true distribution; fewer are the first of more."""
    point_rng, noise_rng = rng.spawn(2)
    points = jnp.asarray(true.draw(count, point_rng), jnp.float32)
    noise = OBSERVATION_NOISE * noise_rng.standard_normal((count, 2))
    return np.asarray(jax.vmap(forward)(points), float) + noise


def _bounds(plan: Plan) -> dict[str, Any]:
    """The noises between which the network was trained."""
    return {name: getattr(plan.training, name) for name in ("least_noise", "most_noise")}
