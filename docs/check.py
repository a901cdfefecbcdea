"""Check a built site without a network: ``python docs/check.py docs/_build/html``.

Every page has a title and a text; no page or style sheet asks anything of the network; links within the site
lead to pages and anchors that exist; images exist and say in words what they show. What scripts ask for, only
a browser sees: browse.py.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FEWEST_WORDS = 5
# attributes by which a browser loads something at once; a link that is followed by a click is not among them
LOADED = {
    ("img", "src"),
    ("script", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("embed", "src"),
    ("object", "data"),
    ("link", "href"),
}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """What a page holds: its anchors, what it links to, what it loads, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.styles: list[str] = []
        self.words = 0
        self.titled = False
        self.wordless: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if "style" in given:
            self.styles.append(given["style"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += [value for name, value in given.items() if (tag, name) in LOADED]
        self.loads += [part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()]
        if tag == "img" and given.get("alt", "").strip() in ("", given.get("src")):
            self.wordless.append(given.get("src", ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.styles.append(data)
        elif "article" in self._open:
            self.words += len(data.split())
            self.titled |= "h1" in self._open and bool(data.strip())


def html(site: Path) -> list[Path]:
    """The pages of a site; among its static files are templates, which are none."""
    return sorted(path for path in site.rglob("*.html") if path.relative_to(site).parts[0] != "_static")


def wrong(site: Path) -> list[str]:
    """All that is wrong with a built site, a line each."""
    pages = {path: Page(path.read_text()) for path in html(site)}
    if not pages:
        return [f"{site}: no pages"]
    found = []
    for path, page in pages.items():
        here = path.relative_to(site)
        found += [f"{here}: {text}" for text in _wrong_in(path, page, pages)]
    for path in sorted(site.rglob("*.css")):
        loads = _of_style(path.read_text())
        found += [f"{path.relative_to(site)}: {text}" for text in _wrong_loads(path, loads)]
    return found


def _wrong_in(path: Path, page: Page, pages: dict[Path, Page]) -> list[str]:
    found = []
    if path.name not in ("search.html", "genindex.html"):  # filled by a script; may be a list without words
        if not page.titled:
            found.append("no title")
        if page.words < FEWEST_WORDS:
            found.append(f"only {page.words} words")
    # a thumbnail stands above the words that it would repeat
    found += [f"an image without words: {url}" for url in page.wordless if "_thumb." not in url]
    found += _wrong_loads(path, [*page.loads, *(url for style in page.styles for url in _of_style(style))])
    for link in page.links:
        if _is_outside(link):
            continue
        target, anchor = _target(path, link)
        if not target.exists():
            found.append(f"broken link: {link}")
        elif anchor and target in pages and anchor not in pages[target].anchors:
            found.append(f"no such anchor: {link}")
    return found


def _wrong_loads(path: Path, loads: list[str]) -> list[str]:
    found = []
    for url in loads:
        if url.startswith("data:"):
            continue
        if _is_outside(url):
            found.append(f"asks the network: {url}")
        elif not _target(path, url)[0].exists():
            found.append(f"missing file: {url}")
    return found


def _of_style(text: str) -> list[str]:
    """The addresses in a style sheet."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found = re.findall(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)\s]*))\s*\)|@import\s+["']([^"']*)""", text)
    return ["".join(parts) for parts in found if not "".join(parts).startswith("#")]


def _is_outside(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.scheme or parts.netloc)


def _target(path: Path, url: str) -> tuple[Path, str]:
    parts = urlsplit(url)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    return (target / "index.html" if target.is_dir() else target), unquote(parts.fragment)


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    lines = wrong(site)
    print(*lines, sep="\n", end="\n" if lines else "")
    print(f"{len(html(site))} pages, {len(lines)} things wrong")
    sys.exit(bool(lines))
