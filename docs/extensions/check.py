"""What `make docs` checks of the built site: links, what it loads, that it is complete, its size.

It is run as `python -m docs.extensions.check out/site`.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MOST_BYTES = 30_000_000

_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src"}
_LOADS |= {"video": "src", "embed": "src", "object": "data", "use": "href", "image": "href"}
# Of a <link> these only say where something is.
_SAYS = {"search", "index", "next", "prev", "canonical", "alternate", "license", "author"}
_REMOTE = re.compile(r"^\s*(https?:)?//")
_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")
_JS = re.compile(
    r"""(?:\bfetch|\bimport|importScripts|WebSocket|EventSource|\bfrom)\s*\(?\s*["'`](https?:[^"'`]+)"""
    r"""|\.src\s*=\s*["'`](https?:[^"'`]+)"""
)


@dataclass
class Page:
    """What a page has and asks for.

    Attributes:
        anchors: the ids that a link may end at.
        links: where its links lead.
        loads: what a browser fetches to show it.
        scripts: the text of scripts and styles in it.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.page, self._inside = Page(), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.anchors |= {given["id"]} if "id" in given else set()
        self._inside = tag if tag in ("script", "style") else ""
        if "style" in given:
            self.page.scripts.append(given["style"])
        if tag in ("a", "area") and "href" in given:
            self.page.links.append(given["href"])
        elif tag == "link" and not _SAYS & set(given.get("rel", "").split()):
            self.page.loads.append(given.get("href", ""))
        elif _LOADS.get(tag) in given:
            self.page.loads.append(given[_LOADS[tag]])
        self.page.loads += [part.split()[0] for part in given.get("srcset", "").split(",") if part]

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.page.scripts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def read_page(text: str) -> Page:
    """The anchors, links and loads of a page."""
    reader = _Reader()
    reader.feed(text)
    return reader.page


def problems(site: Path, wanted: Iterable[str] = ()) -> list[str]:
    """What is wrong with a built site, a line each; nothing if it is well.

    Args:
        site: its folder.
        wanted: anchors that some page must have.
    """
    site = site.resolve()
    pages = {path: read_page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    found = [*_dead_links(site, pages), *_remote(site, pages)]
    anchors = set().union(*(page.anchors for page in pages.values()))
    found += [f"no page tells of {name}" for name in sorted(set(wanted) - anchors)]
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    if size > MOST_BYTES:
        found.append(f"the site has {size:,} bytes, more than {MOST_BYTES:,}")
    return found


def _dead_links(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.is_file():
                yield f"{path.relative_to(site)} leads to {link}, which is not there"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                yield f"{path.relative_to(site)} leads to {link}, where no such anchor is"


def _remote(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    for path, page in pages.items():
        remote = [link for link in page.loads if _REMOTE.match(link)]
        remote += _fetched("\n".join(page.scripts))
        yield from (f"{path.relative_to(site)} loads {link}" for link in remote)
    for suffix in ("css", "js", "mjs", "svg"):
        for path in sorted(site.rglob(f"*.{suffix}")):
            for link in _fetched(path.read_text(errors="replace")):
                yield f"{path.relative_to(site)} loads {link}"


def _fetched(text: str) -> list[str]:
    return [*_CSS.findall(text), *("".join(found) for found in _JS.findall(text))]


def wanted_anchors() -> list[str]:
    """The anchors of all public names, commands and figures."""
    from docs.extensions.commands import commands
    from docs.extensions.public import defined_once, public_packages
    from factcap.figures import FIGURES

    modules = {f"module-{package}" for package in public_packages()}
    names = {place.path for place in defined_once().values()}
    named = {name for name in names if f"module-{name}" not in modules}
    told = [f"command-{'-'.join(words)}" for words in commands()]
    return [*modules, *named, *told, *(f"figure-{name.replace('_', '-')}" for name in FIGURES)]


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("give the folder of a built site: python -m docs.extensions.check out/site")
    wrong = problems(Path(sys.argv[1]), wanted_anchors())
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)
