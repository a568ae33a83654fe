import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from factcap.models.runs.files import write_whole


def test_two_may_write_a_file_at_once(tmp_path):
    both_wrote = threading.Barrier(2)

    def write(partial):
        partial.write_text("whole")
        both_wrote.wait(timeout=10)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write_whole, tmp_path / "file", write) for _ in range(2)]:
            done.result()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "whole"


def test_what_was_not_written_to_its_end_is_not_left(tmp_path):
    def write(partial):
        partial.write_text("some")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "file", write)
    assert not list(tmp_path.iterdir())
