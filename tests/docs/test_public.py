"""Every public name, command and figure has its place in the sources of the site."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from docs.extensions.commands import commands, help_text
from docs.extensions.public import defined_once, public_packages
from docs.extensions.reference import page
from factcap import cli

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PACKAGES = sorted(public_packages())
# It takes PyTorch to read what causal_lm says.
READ = [
    pytest.param(name, marks=pytest.mark.slow if name == "factcap.causal_lm" else ())
    for name in PACKAGES
]


def test_each_package_that_lists_names_has_a_page():
    directives = [
        found
        for path in REFERENCE.glob("*.rst")
        for found in re.findall(r"^\.\. public:: (.+)$", path.read_text(), re.MULTILINE)
    ]
    assert sorted(directives) == PACKAGES


def test_the_pages_are_in_the_table_of_contents():
    listed = re.findall(r"^   (\w+)$", (REFERENCE / "index.rst").read_text(), re.MULTILINE)
    assert sorted([*listed, "index"]) == sorted(path.stem for path in REFERENCE.glob("*.rst"))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_read_from_the_files_is_what_can_be_imported(package):
    names = [name.name for name in public_packages()[package]]
    assert sorted(names) == sorted(import_module(package).__all__)


@pytest.mark.parametrize("package", READ)
def test_a_page_tells_of_each_name(package):
    """In full where it is defined, by a link to that place elsewhere; never without a word."""
    names = public_packages()[package]
    text = "\n".join(page(package, names))
    for name in names:
        place = defined_once()[name.origin]
        summary = re.search(rf"`{name.name} <{re.escape(place.path)}>`\n     - (.+)", text)
        assert summary, name.path
        thing = getattr(import_module(package), name.name)
        if place == name and not inspect.ismodule(thing):
            assert re.search(rf"^\.\. .+:: ({re.escape(name.path)}|{name.name})$", text, re.M)


def test_a_name_of_two_packages_is_told_once():
    places = defined_once()
    assert places["factcap.synth.measurement.Measurement"].path == "factcap.synth.Measurement"
    assert places["factcap.capacity.laws.curves.Fit"].path == "factcap.capacity.laws.Fit"
    assert len({place.path for place in places.values()}) == len(places)


def test_the_commands_are_those_of_the_command_line(capsys):
    with pytest.raises(SystemExit):
        cli.parse(["--help"])
    shown = capsys.readouterr().out
    first = {words[0] for words in commands()}
    [listed] = re.findall(r"\{([^}]+)\}", shown)
    assert first == set("".join(listed.split()).split(","))
    assert ("generate", "phonebook") in commands()


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_explains_itself(words):
    text = help_text(words)
    assert text.startswith(f"usage: factcap {' '.join(words)} ")
    assert "\x1b" not in text
    assert max(map(len, text.split("\n"))) <= 88
