"""Draw the pictures of docs/learn: `python -m factcap.figures.learn.pictures docs/learn`."""

import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from factcap.figures.files import save_pictures
from factcap.figures.learn import bits, capacity, load, over_full, selection
from factcap.figures.style import look
from factcap.synth.errors import BadInput, require

# By the name of the chapter.
PICTURES: dict[str, Callable[[Path], Figure]] = {
    "1-bits": bits.draw,
    "2-load": load.draw,
    "3-capacity": capacity.draw,
    "4-over-full": over_full.draw,
    "5-selection": selection.draw,
}


def write_pictures(folder: Path, results: Path) -> None:
    """Write a PNG and an SVG a chapter.

    Args:
        folder: where to write.
        results: the measured tables, docs/results of a clone.

    Raises:
        BadInput: if `results` has no measured tables.
    """
    require(
        (results / "capacity_curve.csv").is_file(),
        f"{results} has no capacity_curve.csv; give the folder docs/results of a clone",
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        with look():
            save_pictures(draw(results), folder / name)


def main(arguments: list[str]) -> None:
    """The command."""
    require(
        len(arguments) in (1, 2),
        "give the folder to write to, and perhaps that of the measured tables (docs/results)",
    )
    folder, results = [*arguments, "docs/results"][:2]
    write_pictures(Path(folder), Path(results))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BadInput as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
