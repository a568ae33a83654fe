"""A sampler of PyTorch that draws by weights, which may change while it is iterated."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from torch.utils.data import Sampler

from factcap.synth.errors import require
from factcap.synth.selection.as_text import packed, unpacked
from factcap.synth.selection.evidence import check_numbers

Weights = Float64[np.ndarray, " examples"]


class WeightedSampler(Sampler[int]):
    """Draws the numbers of examples, each as often as its weight says.

    The draws are numbered over the whole training, an epoch after the other. In an epoch of n draws
    an example of the share p of all weight is drawn n p times, rounded down or up, in a random
    order: with equal weights each once, as ordinary training shuffles. What is drawn follows from
    the seed, the number of the draw and the weights that hold there, so that draws can be skipped.
    New weights hold from the first draw on that has not been made yet; a loader that fetches ahead
    has made some of those to come.

    Attributes:
        drawn: draws made so far, those of earlier epochs included.
    """

    def __init__(self, weights: Weights, draws: int, seed: int):
        """A sampler before its first draw.

        Args:
            weights: of each example, finite and >= 0, not all 0; their scale does not matter.
            draws: an epoch.
            seed: of what is drawn.

        Raises:
            BadInput: for weights out of range, or no draws.
        """
        require(draws > 0, f"an epoch must have at least one draw, not {draws}")
        self._draws, self._seed, self.drawn = draws, seed, 0
        # (first draw, weights from there on), in order.
        self._changes = [(0, _checked(weights, len(weights)))]

    def __len__(self) -> int:
        return self._draws

    @property
    def weights(self) -> Weights:
        """Those that the next draw is made by."""
        return self._changes[-1][1]

    def update(self, weights: Weights) -> None:
        """Draw by these weights from now on.

        Raises:
            BadInput: for weights out of range, or of another number of examples.
        """
        new = _checked(weights, len(self.weights))
        if self._changes[-1][0] == self.drawn:
            self._changes.pop()
        self._changes.append((self.drawn, new))

    def set_epoch(self, epoch: int) -> None:
        """Go to the first draw of an epoch, counted from 0; loaders call it."""
        self.drawn = epoch * self._draws

    def __iter__(self) -> Iterator[int]:
        """The draws from `drawn` to the end of its epoch."""
        epoch = self.drawn // self._draws * self._draws
        end = epoch + self._draws
        while self.drawn < end:
            latest = self.weights
            first, weights, until = self._holding(self.drawn, epoch, end)
            drawn = self._shuffled(weights, first, end - first)[self.drawn - first : until - first]
            for example in drawn.tolist():
                if self.weights is not latest:
                    break
                self.drawn += 1
                yield example

    def state_dict(self, drawn: int | None = None) -> dict[str, Any]:
        """What going on needs, as JSON values.

        Args:
            drawn: draws that were trained on, where a loader has fetched more; default: all.
        """
        drawn = self.drawn if drawn is None else drawn
        past = sum(first <= drawn for first, _ in self._changes) - 1
        changes = [(first, packed(weights)) for first, weights in self._changes[max(past, 0) :]]
        return {"seed": self._seed, "draws": self._draws, "drawn": drawn, "changes": changes}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            BadInput: if it is of a sampler of other examples or epochs.
        """
        changes = [(int(first), unpacked(text)) for first, text in state["changes"]]
        was, now = (len(changes[-1][1]), state["draws"]), (len(self.weights), self._draws)
        require(
            was == now,
            f"the state is of {was[0]} examples and {was[1]} draws an epoch; "
            f"there are {now[0]} and {now[1]}",
        )
        self._seed, self.drawn, self._changes = int(state["seed"]), int(state["drawn"]), changes

    def _holding(self, draw: int, epoch: int, end: int) -> tuple[int, Weights, int]:
        """The weights that hold at a draw, since which one of this epoch, and until which."""
        now = sum(first <= draw for first, _ in self._changes) - 1
        if now < 0:  # these weights are no longer kept; such a draw is only skipped
            first, weights = self._changes[0]
            return epoch, weights, min(first, end)
        first, weights = self._changes[now]
        until = self._changes[now + 1][0] if now + 1 < len(self._changes) else end
        return max(first, epoch), weights, min(until, end)

    def _shuffled(self, weights: Weights, first: int, draws: int) -> Int64[np.ndarray, " draws"]:
        """Examples by evenly spaced places on the line of all weights, in a random order."""
        rng = np.random.default_rng([self._seed, first])
        order = rng.permutation(np.flatnonzero(weights))
        line = np.cumsum(weights[order])
        places = (np.arange(draws) + rng.random()) / draws * line[-1]
        drawn = order[np.minimum(np.searchsorted(line, places, side="right"), len(order) - 1)]
        rng.shuffle(drawn)
        return drawn


def _checked(weights: Weights, examples: int) -> Weights:
    check_numbers(weights, "weights", examples)
    require(bool(weights.any()), "all weights are 0; at least one must be positive")
    return weights.copy()
