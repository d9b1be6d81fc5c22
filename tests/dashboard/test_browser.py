"""The dashboard in a real browser: keyboard, width, colours, and hostile text that does nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import load

PAGES = ["/", "/entity/ejaparov", "/entity/eevil", "/search?q=japarov", "/compare", "/runs"]


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """A dashboard that listens at a free port."""
    import uvicorn

    from pipeline.dashboard.app import application
    from pipeline.dashboard.server import listen

    server = uvicorn.Server(uvicorn.Config(application(folder, load(), ["127.0.0.1"])))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A new page; the test fails if anything on it was blocked, broken or fetched elsewhere."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("request", lambda request: None if request.url.startswith(address)
            else trouble.append(request.url))  # fmt: skip
    yield page
    context.close()
    assert trouble == []


def test_a_name_is_found_by_the_keyboard_alone(page: Any) -> None:
    page.goto("/")
    page.locator("#q").focus()
    page.keyboard.type("जापा")
    option = page.get_by_role("option").first
    option.wait_for()
    assert "Sadyr Japarov" in option.inner_text()
    assert "जापारोव" in option.inner_text()
    page.keyboard.press("ArrowDown")
    assert option.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.wait_for_url("**/entity/ejaparov")
    assert page.get_by_role("heading", level=1).inner_text() == "Sadyr Japarov"


def test_escape_closes_the_suggestions(page: Any) -> None:
    page.goto("/")
    page.locator("#q").fill("bish")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Escape")
    assert page.locator("#suggestions").is_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=bish")


def test_the_first_stop_of_the_tab_key_skips_to_the_content(page: Any) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize("path", PAGES)
def test_hostile_text_does_nothing(page: Any, path: str) -> None:
    page.goto(path)
    assert "hacked" not in page.title() or "<script>" in page.title()
    assert page.locator("main img, main script, main b >> text=bold").count() == 0


def test_hostile_suggestions_do_nothing(page: Any) -> None:
    page.goto("/")
    page.locator("#q").fill("eve")
    option = page.get_by_role("option").first
    option.wait_for()
    assert "<img src=x onerror=alert(1)>" in option.inner_text()
    assert page.locator("#suggestions img").count() == 0


@pytest.mark.parametrize("path", PAGES)
def test_a_telephone_shows_every_page_without_scrolling_sideways(page: Any, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(browser: Any, address: str, scheme: str) -> None:
    """Deque's axe-core: contrast, labels, roles, headings, landmarks and the like."""
    axe = pytest.importorskip("axe_core_python", reason="needs axe-core-python: pip install it")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(base_url=address, color_scheme=scheme, bypass_csp=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    found = []
    for path in PAGES:
        page.goto(path)
        page.evaluate(script)
        violations = page.evaluate("axe.run()")["violations"]
        found += [(path, rule["id"], rule["nodes"][0]["html"]) for rule in violations]
    context.close()
    assert found == []


def test_dark_is_dark(page: Any) -> None:
    brightness = """() => getComputedStyle(document.body).backgroundColor
        .match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b)"""
    page.emulate_media(color_scheme="light")
    page.goto("/")
    assert page.evaluate(brightness) > 600
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(brightness) < 150
