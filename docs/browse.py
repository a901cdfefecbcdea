"""Open every page of a built site in headless Chromium: ``python docs/browse.py docs/_build/html``.

A page may load only files of the site, print no error, and not scroll sideways at the width of a phone. With
the name of a folder behind it, a few pages are kept there as pictures, as a screen and a phone show them.
Needs Debian's chromium and the extra `browser`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from check import html
from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PHONE, DESK = 375, 1280
HEIGHT = 812
SHOWN = (
    "index",
    "tutorial",
    "gallery/index",
    "gallery/inverter",
    "reference/fastneuron",
    "reference/fastneuron.Sweep",
    "reference/command-line",
)


def wrong(site: Path, pictures: Path | None = None) -> list[str]:
    """All that is wrong, a line each."""
    found: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": PHONE, "height": HEIGHT})
        here = ""
        page.on("request", lambda asked: _note(found, here, asked.url))
        page.on("requestfailed", lambda asked: found.append(f"{here}: did not load {asked.url}"))
        page.on(
            "console", lambda said: found.append(f"{here}: {said.text}") if said.type == "error" else None
        )
        page.on("pageerror", lambda error: found.append(f"{here}: {error}"))
        for path in html(site):
            here = str(path.relative_to(site))
            page.goto(path.as_uri(), wait_until="load")
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > PHONE:
                found.append(f"{here}: {wide} pixels wide on a phone of {PHONE}: {_widest(page)}")
        if pictures is not None:
            _keep(page, site, pictures)
        browser.close()
    return found


def _note(found: list[str], here: str, url: str) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        found.append(f"{here}: asks the network: {url}")


def _widest(page: Page) -> str:
    """The elements that stick out on the right, innermost first."""
    return page.evaluate(
        """() => [...document.querySelectorAll("article *")]
            .filter(e => e.getBoundingClientRect().right > innerWidth)
            .reverse().slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")"""
    )


def _keep(page: Page, site: Path, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for name in SHOWN:
            page.goto((site / f"{name}.html").as_uri(), wait_until="load")
            page.wait_for_timeout(300)
            page.screenshot(path=pictures / f"{name.replace('/', '-')}-{width}.png", full_page=True)


if __name__ == "__main__":
    site = Path(sys.argv[1]).resolve()
    lines = wrong(site, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    print(*lines, sep="\n", end="\n" if lines else "")
    print(f"{len(html(site))} pages opened, {len(lines)} things wrong")
    sys.exit(bool(lines))
