"""Make the students' and the teacher's version of the labs from the same files.

A lab holds its solutions. In the students' version the lines between `### BEGIN SOLUTION` and
`### END SOLUTION`, as nbgrader marks them, give way to a blank, and cells marked `### TEACHER` are
left out. The teacher's version is the file as it stands.

    python -m labs.versions out/labs
"""

import ast
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from factcap.synth.errors import BadInput, require

HERE = Path(__file__).parent
BEGIN, END, TEACHER = "### BEGIN SOLUTION", "### END SOLUTION", "### TEACHER"


def write_versions(folder: Path) -> list[Path]:
    """Write both versions, with the kit beside them, into `folder/student` and `folder/teacher`.

    A file that is there already and differs is someone's work: it is left as it is.

    Returns:
        The files that were left.
    """
    labs = {path.name: path.read_text() for path in sorted(HERE.glob("lab_*.py"))}
    kit = {f"kit/{path.name}": path.read_text() for path in sorted((HERE / "kit").glob("*.py"))}
    blank = {name: student_version(text) for name, text in labs.items()}
    left = []
    for version, files in (("student", blank | kit), ("teacher", labs | kit)):
        (folder / version / "kit").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            target = folder / version / name
            if target.exists() and target.read_text() != text:
                left.append(target)
            else:
                target.write_text(text)
    return left


def student_version(text: str) -> str:
    """A lab without its solutions and the teacher's cells.

    Raises:
        BadInput: if a mark of a solution has no partner.
    """
    return without_solutions(without_teacher_cells(text))


def without_teacher_cells(text: str) -> str:
    """A lab without the cells that hold the teacher's mark."""
    lines = text.splitlines(keepends=True)
    drop: set[int] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)]) - 1
            own = range(first, node.end_lineno or first)
            if any(lines[number].strip() == TEACHER for number in own):
                drop |= set(own)
    return "".join(line for number, line in enumerate(lines) if number not in drop)


def without_solutions(text: str) -> str:
    """A lab with a blank in place of each solution: `name = ...` for each name that it sets.

    >>> print(without_solutions('''
    ... def rule(losses):
    ...     ### BEGIN SOLUTION
    ...     kept = losses < 1
    ...     return kept
    ...     ### END SOLUTION
    ... '''))
    <BLANKLINE>
    def rule(losses):
        # Your code here.
        return ...
    <BLANKLINE>
    """
    out: list[str] = []
    solution: list[str] | None = None
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark = line.strip()
        if mark in (BEGIN, END):
            require((mark == BEGIN) == (solution is None), f"line {number}: {mark} has no partner")
        if mark == BEGIN:
            solution = []
        elif mark == END:
            assert solution is not None
            indent = line[: line.index("#")]
            out += [f"{indent}{blank}\n" for blank in _blanks("".join(solution))]
            solution = None
        elif solution is not None:
            solution.append(line)
        else:
            out.append(line)
    require(solution is None, f"the last {BEGIN} has no partner")
    return "".join(out)


def _blanks(solution: str) -> list[str]:
    """What stands in place of a solution."""
    code = textwrap.dedent(solution)
    body = ast.parse(f"def solution():\n{textwrap.indent(code, '    ')}").body[0]
    assert isinstance(body, ast.FunctionDef)
    returns = any(isinstance(node, ast.Return) for node in ast.walk(body))
    names = [
        target.id
        for node in body.body
        for target in (node.targets if isinstance(node, ast.Assign) else [])
        if isinstance(target, ast.Name) and not target.id.startswith("_")
    ]
    blanks = ["return ..."] if returns else [f"{name} = ..." for name in dict.fromkeys(names)]
    return ["# Your code here.", *blanks]


def report(folder: Path, left: Sequence[Path]) -> str:
    """What to tell of the versions in a folder, of which some files were left."""
    lines = [f"left as it is: {path}; remove it to have it made anew" for path in left]
    where = f"the labs are in {folder / 'student'}, with solutions in {folder / 'teacher'}"
    return "\n".join([*lines, where])


def main() -> None:
    """The command line."""
    try:
        require(len(sys.argv) == 2, "give one folder: python -m labs.versions out/labs")
        folder = Path(sys.argv[1])
        print(report(folder, write_versions(folder)))
    except (BadInput, OSError) as error:
        print(f"labs: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
