import sys

import pytest

_hidden = {}


def _hide_marimo():
    """From other tests: `transformers` takes a program with marimo for a notebook of IPython."""
    if "marimo" in sys.modules:
        _hidden["marimo"] = sys.modules.pop("marimo")


def pytest_collection_finish(session):
    _hide_marimo()


@pytest.fixture(scope="module", autouse=True)
def shown_marimo():
    sys.modules.update(_hidden)
    yield
    _hide_marimo()
