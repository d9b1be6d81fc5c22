"""The site that `make docs-site` builds from docs/: whole, and without anything from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("material", reason="needs the extra: pip install 'exonym[docs]'")

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "form": "action"}


class Loaded(HTMLParser):
    """The addresses that a browser fetches when it shows a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in _LOADED:
            self.addresses.append(attributes.get(_LOADED[tag]) or "")
        if tag == "link" and attributes.get("rel") != "canonical":
            self.addresses.append(attributes.get("href") or "")


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return folder


def test_every_page_is_there(site: Path, root: Path) -> None:
    pages = {path.relative_to(root / "docs") for path in (root / "docs").rglob("*.md")}
    assert {path.with_suffix(".html") for path in pages} <= {
        path.relative_to(site) for path in site.rglob("*.html")
    }


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        addresses = Loaded(path.read_text(encoding="utf-8")).addresses
        assert not [address for address in addresses if re.match(r"(\w+:)?//", address)], path
    for path in site.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        assert not re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", style), path


def test_a_browser_fetches_nothing_from_elsewhere_and_finds_words(site: Path, browser: Any) -> None:
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    fetched: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        page = browser.new_page(base_url=address)
        page.set_default_timeout(60_000)
        page.on("request", lambda request: fetched.append(request.url))
        page.goto("/index.html")
        search = page.locator("input.md-search__input")
        search.fill("quarantine")
        search.press("End")  # the site reads the field at a key, or a moment after it has the focus
        page.locator(".md-search-result__item").first.wait_for()
        page.close()
        server.shutdown()
    assert not [url for url in fetched if not url.startswith((address, "data:"))]
