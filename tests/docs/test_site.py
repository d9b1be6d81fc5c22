"""The site that `make docs-site` builds from docs/: whole, and without anything from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

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
    assert "not included" not in told.stderr, "put every page into nav in mkdocs.yml"
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
