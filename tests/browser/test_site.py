"""Every page of the built site, opened from disk."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

SITE = Path(__file__).parents[2] / "out" / "site"
PAGES = sorted(SITE.rglob("*.html"))


def test_there_is_a_start_page_and_the_explorer():
    names = {page.relative_to(SITE).as_posix() for page in PAGES}
    assert {"index.html", "explore/index.html"} <= names, "build the site first: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(SITE).as_posix())
def test_a_page_opens_without_errors_and_fetches_nothing(opened, page):
    with opened(page.as_uri()) as shown:
        assert shown.title()
        # What is not there is not waited for.
        assert [text for text in shown.locator("h1").all_text_contents() if text.strip()]


def test_the_search_finds_a_function_without_a_server(opened):
    with opened(f"{(SITE / 'search.html').as_uri()}?q=rate_distortion_bound") as shown:
        shown.locator("#search-results li").first.wait_for()
        assert "rate_distortion_bound" in shown.locator("#search-results").text_content()
