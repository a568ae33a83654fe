"""Write both versions of the labs into out/labs and open the students' in a browser."""

import subprocess
import sys
from pathlib import Path

from factcap.synth.errors import BadInput
from factcap.synth.libraries import library
from labs.versions import write_versions

OUT = Path("out/labs")


def main() -> int:
    """Gives the exit code."""
    try:
        library("marimo", extra="labs")
        left = write_versions(OUT)
    except (BadInput, OSError) as error:
        print(f"labs: {error}", file=sys.stderr)
        return 2
    for path in left:
        print(f"left as it is, since it was changed: {path}; remove it to have it made anew")
    print(f"the labs are in {OUT / 'student'}, with solutions in {OUT / 'teacher'}")
    return subprocess.call([sys.executable, "-m", "marimo", "edit", str(OUT / "student")])


if __name__ == "__main__":
    sys.exit(main())
