"""Models of several sizes, and how many draws cost the same at each."""

from collections.abc import Sequence

from factcap.models import TransformerConfig
from factcap.models.training.config import SCAN_STEPS

_STEP, _HEAD = 4, 16
# With fewer steps than this the batch is halved, down to the least that is still quick.
_FEWEST_STEPS, _LEAST_BATCH = 1000, 16


def heads_of(width: int) -> int:
    """Attention heads of an even width: those that are nearest to 16 wide, in ratio.

    >>> [heads_of(width) for width in (16, 24, 32, 36, 48, 52, 72)]
    [1, 2, 2, 2, 3, 2, 4]
    """
    fitting = [heads for heads in range(1, width // 2 + 1) if width % (2 * heads) == 0]
    return min(fitting, key=lambda heads: (_ratio(width / heads, _HEAD), heads), default=1)


def of_width(small: TransformerConfig, width: int) -> TransformerConfig:
    """The model of another width that is as deep as a small one."""
    heads = small.heads if width == small.width else heads_of(width)
    return TransformerConfig(small.vocabulary, width, small.depth, heads)


def near(small: TransformerConfig, times: float) -> TransformerConfig:
    """The model whose parameters come nearest to some times those of a small one.

    It is as deep; its width is that of the small one or a larger multiple of 4.

    >>> small = TransformerConfig(128, 16, 2, 1)
    >>> [near(small, times).width for times in (1, 2, 3, 4, 8, 16)]
    [16, 24, 28, 36, 48, 72]
    """
    wanted = times * small.parameters
    below = above = small
    while above.parameters < wanted:
        below, above = above, of_width(small, above.width - above.width % _STEP + _STEP)
    return min((below, above), key=lambda found: _ratio(found.parameters, wanted))


def widths(small: TransformerConfig, times: Sequence[float]) -> list[int]:
    """Widths of the models that come `near`, rising; two that are the same count once."""
    return sorted({near(small, one).width for one in times})


def _ratio(one: float, other: float) -> float:
    return max(one / other, other / one)


def same_work(draws: int, batch: int, cost: float) -> tuple[int, int]:
    """(draws, batch) of a model of which a draw costs some times as much.

    The batch is halved while there would be fewer than 1,000 steps, and draws are whole scans.

    >>> same_work(448_000, 128, 1.0), same_work(448_000, 128, 16.0)
    ((448000, 128), (28800, 16))
    """
    wanted = draws / cost
    while wanted / batch < _FEWEST_STEPS and batch >= 2 * _LEAST_BATCH:
        batch //= 2
    scan = SCAN_STEPS * batch
    return max(round(wanted / scan), 1) * scan, batch
