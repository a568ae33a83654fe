"""The front door: `factcap` and its subcommands, from `generate` to `curve`."""

import contextlib
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import tyro
from tyro.conf import subcommand

from factcap.commands.any_model import Losses
from factcap.commands.count import Count
from factcap.commands.describe import Bound, Show
from factcap.commands.exchange import Export, ExportTask
from factcap.commands.generate import Generate
from factcap.commands.measure import Measure
from factcap.commands.pictures import Curve, Figure
from factcap.commands.predict import Predict
from factcap.commands.select import Select
from factcap.commands.split import Split
from factcap.commands.sweeps import Results, Status, Sweep
from factcap.commands.train import Train

Command = (
    Annotated[Generate, subcommand("generate", prefix_name=False)]
    | Annotated[Show, subcommand("show", prefix_name=False)]
    | Annotated[Bound, subcommand("bound", prefix_name=False)]
    | Annotated[Train, subcommand("train", prefix_name=False)]
    | Annotated[Measure, subcommand("measure", prefix_name=False)]
    | Annotated[Export, subcommand("export", prefix_name=False)]
    | Annotated[ExportTask, subcommand("export-task", prefix_name=False)]
    | Annotated[Sweep, subcommand("sweep", prefix_name=False)]
    | Annotated[Results, subcommand("results", prefix_name=False)]
    | Annotated[Status, subcommand("status", prefix_name=False)]
    | Annotated[Losses, subcommand("losses", prefix_name=False)]
    | Annotated[Select, subcommand("select", prefix_name=False)]
    | Annotated[Count, subcommand("count", prefix_name=False)]
    | Annotated[Predict, subcommand("predict", prefix_name=False)]
    | Annotated[Split, subcommand("split", prefix_name=False)]
    | Annotated[Figure, subcommand("figure", prefix_name=False)]
    | Annotated[Curve, subcommand("curve", prefix_name=False)]
)


def parse(args: Sequence[str] | None = None) -> Command:
    """The command that the words ask for; exits with 2 and one line on stderr if they are wrong."""
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                Command,
                prog="factcap",
                description="How many facts a model of a given size can know.",
                args=args,
                config=(
                    tyro.conf.FlagCreatePairsOff,
                    tyro.conf.DisallowNone,
                    tyro.conf.OmitArgPrefixes,
                ),
            )
    except SystemExit as stop:
        if stop.code == 2:
            _complain(_one_line(complaint.getvalue()))
        raise


def _one_line(boxed: str) -> str:
    """The first section of tyro's boxed message, as one line."""
    lines = [line.strip("│ ") for line in boxed.splitlines() if not line.startswith(("╭", "╰"))]
    section = lines[: next((i for i, line in enumerate(lines) if line.startswith("──")), None)]
    text = " ".join(" ".join(section).split())
    # Of an optional number tyro lists the types that it tried; what was wrong comes last.
    text = re.sub(r"no type matching .* Got errors: - typing\..*\]: ", "", text)
    return text + "; see factcap --help"


def _complain(message: str) -> None:
    print(f"factcap: {message}", file=sys.stderr)


def _warn(otherwise: Callable[..., None], message: Warning, *rest: Any) -> None:
    from factcap.synth.errors import Notice

    if isinstance(message, Notice):
        _complain(str(message))
    else:
        otherwise(message, *rest)


def main() -> None:
    """Run the command line."""
    command = parse()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = partial(_warn, warnings.showwarning)
            command.run()
    except KeyboardInterrupt:
        _complain("interrupted; what is finished is kept, give the same command again to go on")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except FloatingPointError as error:
        _complain(str(error))
        sys.exit(1)
    except (ValueError, OSError) as error:
        from factcap.synth import BadInput

        if isinstance(error, ValueError) and not isinstance(error, BadInput):
            raise
        _complain(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
