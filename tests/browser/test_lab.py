"""A lab as a student has it: opened for editing, one exercise answered wrongly and then rightly."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs.versions import write_versions

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(tmp_path) -> Iterator[str]:
    """The address at which marimo serves a student's copy of the first lab."""
    pytest.importorskip("marimo", reason="no marimo: pip install 'factcap[labs]'")
    write_versions(tmp_path / "labs")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)  # with our settings of marimo
    marimo = (sys.executable, "-m", "marimo", "edit", "lab_1_bits.py", "--headless")
    served = subprocess.Popen(
        [*marimo, "--no-token", "--skip-update-check", "--host", "127.0.0.1"],
        cwd=tmp_path / "labs" / "student",
        env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(tmp_path / "settings")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert served.stdout is not None
    try:
        said = ""
        for line in served.stdout:
            said += line
            if found := re.search(r"http://\S+", line):
                yield found[0]
                break
        else:
            pytest.fail(f"marimo does not serve the lab:\n{said}", pytrace=False)
    finally:
        # The kernel with the server, which would ask whether to save what is open.
        os.killpg(served.pid, signal.SIGKILL)
        served.wait()
        served.stdout.close()


def test_a_check_changes_with_the_answer(opened, lab):
    with opened(lab) as page:
        page.get_by_text("Not answered yet").first.wait_for()
        cell = page.get_by_role("textbox").filter(has_text="bits_each = ...")
        # Its text changes: it is held by its place.
        place = f"#{cell.evaluate('each => each.closest(`[data-cell-id]`).id')}"
        answer = page.locator(f"{place} [role=textbox]")

        def say(code: str) -> None:
            answer.click()
            page.keyboard.press("Control+A")
            page.keyboard.insert_text(code)
            page.keyboard.press("Control+Enter")

        say("bits_each = 7")
        wrong = page.get_by_text("Not yet. These are digits.")
        wrong.wait_for()
        say("bits_each = 7 * np.log2(10)")
        page.get_by_text("Right. A number is one of ten million.").wait_for()
        assert wrong.count() == 0
