import pytest

from factcap.synth.disk.files import write_whole


def test_two_may_write_a_file_at_once(tmp_path):
    file = tmp_path / "file"

    def write(partial):
        partial.write_text("one, begun first and ended last")
        write_whole(file, lambda beside: beside.write_text("other"))
        assert file.read_text() == "other"

    write_whole(file, write)
    assert file.read_text() == "one, begun first and ended last"
    assert list(tmp_path.iterdir()) == [file]


def test_what_was_not_written_to_its_end_is_not_left(tmp_path):
    def write(partial):
        partial.write_text("some")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write_whole(tmp_path / "file", write)
    assert not list(tmp_path.iterdir())
