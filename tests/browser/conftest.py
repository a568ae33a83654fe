"""Chromium, and pages that must not complain, fetch from elsewhere or scroll sideways."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Opens a page in a width and color scheme; when it is left, it must have had no error.
Opener = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; where there is none, one line says what to install."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        pytest.exit("no Playwright: pip install 'factcap[browser]'", returncode=2)
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.exit("no Chromium or Chrome: on Debian `apt install chromium`", returncode=2)
    # Chromium's sandbox does not start for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium) -> Opener:
    """A page in a context of its own, watched while it is open."""

    @contextmanager
    def opener(address: str, *, width: int = 1280, scheme: str = "light") -> Iterator[Any]:
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        # Nothing here is to fail because a machine is slow.
        context.set_default_timeout(0)
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        place = urlsplit(address)
        ours = (f"{place.scheme}://{place.netloc}", "data:", "blob:")
        page.on("request", lambda asked: asked.url.startswith(ours) or wrong.append(asked.url))
        try:
            page.goto(address, wait_until="load")
            yield page
        finally:
            context.close()
        assert wrong == [], "errors in the console, or what was fetched from elsewhere"

    return opener
