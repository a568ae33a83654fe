"""How to train and what to train on: the configurations, their defaults, and how many steps."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from factcap.models.training.optim import check_optimizer
from factcap.models.transformer.fast.values import check_precision
from factcap.synth.errors import require
from factcap.synth.selection import SelectConfig

# Steps of one jitted scan; between two scans progress is shown and state is saved.
SCAN_STEPS = 100


@dataclass(frozen=True)
class TrainConfig:
    """How to train.

    Attributes:
        exposures: how often a fact is drawn, on average over the set (the mean over facts; fact i
            is drawn `exposures * N * p_i` times in expectation). These are the most: a run ends
            before when nothing is left to learn (`StoppingRule.is_full`).
        fewest_steps: a set so small that these exposures make fewer steps gets this many.
        batch: facts a step; 0 means `default_batch` of the set.
        learning_rate: the peak; 0 means `default_learning_rate` of width, optimizer and batch.
        optimizer: a name in `factcap.models.training.optim.OPTIMIZERS`.
        saturate: end before, too, when the stored bits no longer grow (`stopped_growing`), or all
            facts are recalled and the bits cannot grow any more by as much
            (`StoppingRule.can_grow`); a run that uses up its exposures while they still grow is
            `capped`.
        precision: of what products multiply, and on accelerators of activations, a name in
            `factcap.models.transformer.fast.values.PRECISIONS`.
        warmup: share of the steps in which the learning rate rises linearly from 0.
        decay: share of the steps, the last ones, in which it falls linearly to a hundredth of its
            peak; between the two it is constant. 0 keeps it there to the end, from where other
            runs go on (`factcap.models.runs.parent`). Where `saturate` ends the run before, it
            falls from there, for half as many steps again. Schedule-Free keeps it constant to the
            end.
        weight_decay: decoupled, of AdamW.
        beta2: decay of AdamW's second moment.
        seed: of the initial parameters and of the draws.
        select: what to train on, chosen as it is learned; None: all facts, by their frequency.
            Scoring is paid for by fewer steps, and `saturate` is not read: stored bits grow again
            after each selection.

    Raises:
        BadInput: for a value out of range.
    """

    exposures: float = 400.0
    fewest_steps: int = 2000
    batch: int = 0
    learning_rate: float = 0.0
    optimizer: str = "muon"
    saturate: bool = True
    precision: str = "float32"
    warmup: float = 0.05
    decay: float = 0.6
    weight_decay: float = 0.01
    beta2: float = 0.98
    seed: int = 0
    select: SelectConfig | None = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            if field.type is float:  # 10 and 10.0 are one configuration, with one hash
                object.__setattr__(self, field.name, float(getattr(self, field.name)))
        require(
            math.isfinite(self.exposures) and self.exposures > 0,
            f"exposures must be positive and finite, not {self.exposures}",
        )
        require(self.fewest_steps >= 0, f"fewest_steps must be at least 0, not {self.fewest_steps}")
        require(self.batch >= 0, f"batch must be positive, or 0 for the default, not {self.batch}")
        require(
            math.isfinite(self.learning_rate) and self.learning_rate >= 0,
            "learning_rate must be positive and finite, or 0 for the default, "
            f"not {self.learning_rate}",
        )
        check_optimizer(self.optimizer)
        check_precision(self.precision)
        require(0 <= self.warmup < 1, f"warmup must lie in [0, 1), not {self.warmup}")
        require(
            0 <= self.decay <= 1 - self.warmup,
            f"decay must be at least 0 and at most 1 - warmup = {1 - self.warmup:g}, "
            f"not {self.decay}",
        )
        require(
            math.isfinite(self.weight_decay) and self.weight_decay >= 0,
            f"weight_decay must be finite and >= 0, not {self.weight_decay}",
        )
        require(0 <= self.beta2 < 1, f"beta2 must lie in [0, 1), not {self.beta2}")
        require(0 <= self.seed < 2**32, f"seed must lie in [0, 2^32), not {self.seed}")


def default_batch(facts: int) -> int:
    """Facts a step: a power of two near a sixteenth of the set, from 16 to 256.

    >>> [default_batch(n) for n in (10, 1000, 100_000)]
    [16, 64, 256]
    """
    return int(np.clip(2 ** round(math.log2(facts / 16)), 16, 256))


def default_learning_rate(width: int, optimizer: str, batch: int) -> float:
    """Peak learning rate, tuned as docs/performance.md tells.

    It falls as 1 / width, so that one value serves all sizes (Yang et al. 2022, 2203.03466), and
    rises as the square root of the batch.

    >>> default_learning_rate(32, "muon", 64)
    0.01
    """
    return _RATES[optimizer] / width * math.sqrt(batch / _RATED_BATCH)


_RATED_BATCH = 64
_RATES = {
    "adamw": 0.32,
    "muon": 0.32,
    "schedule-free-adamw": 0.32,
    "schedule-free-muon": 0.64,
}


def filled(config: TrainConfig, facts: int, width: int) -> TrainConfig:
    """The configuration with its defaults filled in."""
    batch = config.batch or default_batch(facts)
    rate = config.learning_rate or default_learning_rate(width, config.optimizer, batch)
    return dataclasses.replace(config, batch=batch, learning_rate=rate)


def total_steps(config: TrainConfig, facts: int, scoring_draws: float = 0.0) -> int:
    """Steps of a whole training: a multiple of `SCAN_STEPS`, less those that scoring costs.

    Args:
        config: of the training.
        facts: how many there are.
        scoring_draws: what scoring costs, in facts drawn: so many fewer are drawn to train.
    """
    batch = config.batch or default_batch(facts)
    wanted = config.exposures * facts / batch
    whole = math.ceil(max(wanted, config.fewest_steps) / SCAN_STEPS) * SCAN_STEPS
    return whole - math.ceil(scoring_draws / batch)
