import re
import shlex

import pytest

from docs.extensions.gallery import (
    COMMANDS,
    DOCS,
    caption,
    command,
    drawing_modules,
    files,
    picture,
    section,
)
from docs.extensions.public import source_file
from factcap import cli
from factcap.figures import FIGURES


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_all_its_parts(name):
    assert picture(name) in files(name, ".png")
    assert files(name, ".csv")
    assert caption(name)
    for module in drawing_modules(name):
        assert source_file(module).exists()
    text = "\n".join(section(name))
    assert f".. _figure-{name}:" in text
    assert text.count(".. dropdown::") == len(drawing_modules(name)) >= 1


@pytest.mark.parametrize("name", FIGURES)
def test_its_command_can_be_given(name):
    program, *words = shlex.split(command(name))
    assert program == "factcap"
    asked = cli.parse(words)
    assert getattr(asked, "name", "capacity_curve") == name


def test_commands_of_kept_pictures_stand_in_a_page():
    pages = [" ".join(path.read_text().split()) for path in DOCS.rglob("*.md")]
    for name, words in COMMANDS.items():
        assert name in FIGURES
        # as a whole, not as the beginning of a longer command
        whole = re.compile(re.escape(words) + r"(?! --|\w|[,=-])")
        assert any(whole.search(page) for page in pages), words


def test_the_drawing_modules_of_a_folder_are_found():
    assert "factcap.figures.retention.own_picture" in drawing_modules("retention")
    assert drawing_modules("bounds") == ["factcap.figures.theory.bounds"]


def test_files_of_a_figure_with_a_longer_name_are_not_its_own():
    assert {path.stem for path in files("capacity_curve", ".png")} >= {"capacity_curve_gpu"}
    assert all(path.stem != "rules_and_facts" for path in files("capacity_ratio", ".csv"))


def test_a_figure_without_a_picture_is_told():
    with pytest.raises(FileNotFoundError, match="draw the figure"):
        picture("no_such_figure")
