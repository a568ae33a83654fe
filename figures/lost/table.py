"""The table of what is lost: means over seeds, ordinary training above, selection below."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from factcap.figures.corpus.experiment import scheme_label
from factcap.figures.intervals import mean_and_half
from factcap.figures.lost.answered import MEASURES
from factcap.figures.lost.on_text import TEXT_MEASURES

Row = Mapping[str, Any]
WHICH = ("set", "scheme", "scored", "trained")
NUMBERS = ("dropped", *MEASURES, *TEXT_MEASURES)
COLUMNS = (
    *WHICH,
    "seeds",
    *(column for name in NUMBERS for column in (name, f"{name}_half_width")),
)
# What a page shows of it: heading, column, digits, whether in percent.
_PAGE = (
    ("kept, right", "known_kept", 0, True),
    ("dropped, right", "known_dropped", 0, True),
    ("commonest value", "guess_dropped", 0, True),
    ("calibration error", "calibration_error", 3, False),
    ("wrong above 0.5: kept", "sure_kept", 0, True),
    ("dropped", "sure_dropped", 0, True),
    ("above 0.9: dropped", "very_sure_dropped", 0, True),
)
_TEXT_PAGE = (
    ("bits a token, other text", "other_text_loss", 2, False),
    ("in new templates", "new_template_text_loss", 2, False),
    ("kept, right by new templates", "new_template_known", 0, True),
    ("bits of a value never told", "untold_loss", 1, False),
    ("wrong above 0.5: never told", "untold_sure", 0, True),
)


def make_table(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each set, scheme and training: means over seeds and 95 % half widths (Student's t).

    What has no number at some seed has its mean over the others, and None if there is no other.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in WHICH), []).append(row)
    return [_mean(dict(zip(WHICH, which, strict=True)), some) for which, some in groups.items()]


def _mean(which: dict[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    found = which | {"seeds": len(rows)}
    for name in NUMBERS:
        values = [row[name] for row in rows if row.get(name) is not None]
        mean, half = mean_and_half(values) if values else (None, None)
        found |= {name: mean, f"{name}_half_width": half}
    return found


def lines(table: Sequence[Row], *, text: bool = False) -> Iterator[str]:
    """The table for a page, in Markdown.

    Args:
        table: of `make_table`.
        text: the columns that only a corpus has, instead of those that all have.
    """
    page = _TEXT_PAGE if text else _PAGE
    yield f"| facts | scheme | training | {' | '.join(heading for heading, *_ in page)} |"
    yield "|---" * (3 + len(page)) + "|"
    for row in table:
        if text and row["scored"] == "":
            continue
        cells = [_cell(row[column], digits, share) for _, column, digits, share in page]
        words = (
            row["set"],
            scheme_label(f"`{row['scheme']}`", row["scored"]),
            row["trained"],
            *cells,
        )
        yield f"| {' | '.join(words)} |"


def _cell(value: float | None, digits: int, share: bool) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.{digits}f} %" if share else f"{value:.{digits}f}"
