"""Write both versions of the labs into out/labs and open the students' in a browser."""

import os
import sys
from pathlib import Path

from factcap.synth.errors import BadInput
from factcap.synth.libraries import library
from labs.versions import report, write_versions

OUT = Path("out/labs")


def main() -> None:
    """The command line."""
    try:
        library("marimo", extra="labs")
        left = write_versions(OUT)
    except (BadInput, OSError) as error:
        print(f"labs: {error}", file=sys.stderr)
        sys.exit(2)
    print(report(OUT, left), flush=True)
    command = [sys.executable, "-m", "marimo", "edit", str(OUT / "student")]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
