"""docs/check.py finds what is wrong with a site, and nothing in one that is right."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / "docs" / "check.py"
GOOD = '<article><h1 id="top">Title</h1><p>five words that make sense</p>{}</article>'


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def site(folder: Path, more: str = "", style: str = "") -> Path:
    (folder / "sub").mkdir()
    (folder / "index.html").write_text(GOOD.format(more))
    (folder / "sub" / "page.html").write_text(GOOD.format('<a href="../index.html#top">up</a>'))
    (folder / "a.png").write_bytes(b"\x89PNG")
    (folder / "site.css").write_text(style)
    return folder


def test_nothing_is_wrong_with_a_good_site(check: ModuleType, tmp_path: Path) -> None:
    more = (
        '<link href="site.css"><a href="#top">top</a><a href="sub/page.html?x=1#top">page</a>'
        '<img src="a.png" alt="a picture"><img src="data:image/png;base64,AA" alt="a dot">'
        '<a href="https://example.org">elsewhere</a><a href="mailto:a@example.org">us</a>'
    )
    style = "/* url(https://example.org/a.css) */ a { background: url('a.png') } b { filter: url(#f) }"
    assert check.wrong(site(tmp_path, more, style)) == []


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ('<script src="https://example.org/a.js"></script>', "asks the network: https://example.org/a.js"),
        ('<script src="//example.org/a.js"></script>', "asks the network: //example.org/a.js"),
        ('<link href="http://example.org/a.css">', "asks the network: http://example.org/a.css"),
        ('<img src="https://example.org/b.svg" alt="b">', "asks the network: https://example.org/b.svg"),
        ('<img src="a.png" srcset="b.png 2x" alt="a">', "missing file: b.png"),
        ('<p style="background: url(b.png)">', "missing file: b.png"),
        (
            "<style>@import 'https://example.org/a.css';</style>",
            "asks the network: https://example.org/a.css",
        ),
        ('<img src="b.png" alt="b">', "missing file: b.png"),
        ('<img src="a.png">', "an image without words: a.png"),
        ('<img src="a.png" alt="a.png">', "an image without words: a.png"),
        ('<a href="sub/none.html">x</a>', "broken link: sub/none.html"),
        ('<a href="sub/page.html#none">x</a>', "no such anchor: sub/page.html#none"),
        ('<a href="#none">x</a>', "no such anchor: #none"),
    ],
)
def test_what_is_wrong_with_a_page_is_named(check: ModuleType, tmp_path: Path, more: str, line: str) -> None:
    assert check.wrong(site(tmp_path, more)) == [f"index.html: {line}"]


@pytest.mark.parametrize(
    ("style", "line"),
    [
        (
            "@font-face { src: url(https://example.org/f.woff2) }",
            "asks the network: https://example.org/f.woff2",
        ),
        ('@import "//example.org/a.css";', "asks the network: //example.org/a.css"),
        ("a { background: url( 'none.png' ) }", "missing file: none.png"),
    ],
)
def test_what_is_wrong_with_a_style_sheet_is_named(
    check: ModuleType, tmp_path: Path, style: str, line: str
) -> None:
    assert check.wrong(site(tmp_path, style=style)) == [f"site.css: {line}"]


def test_an_empty_page_is_noticed(check: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<nav>many words here that are of no page</nav><article></article>")
    assert check.wrong(tmp_path) == ["index.html: no title", "index.html: only 0 words"]


def test_a_folder_without_pages_is_no_site(check: ModuleType, tmp_path: Path) -> None:
    assert check.wrong(tmp_path) == [f"{tmp_path}: no pages"]
