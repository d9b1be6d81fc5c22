"""The dashboard over HTTP: what pages say, and that no article can make them do anything."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.dashboard import queries
from pipeline.dashboard.app import application
from pipeline.dashboard.reader import Reader
from pipeline.errors import UsageError
from pipeline.schemas import MENTIONS
from pipeline.settings import load
from pipeline.store import Store

PAGES = [
    "/day/2025-11-26",
    "/day/2025-11-25",
    "/day/2025-11-26?lang=hi&label=PER",
    "/entity/ejaparov",
    "/entity/eevil?days=all",
    "/entity/eputin?days=7&lang=hi",
    "/search",
    "/search?q=japarov",
    "/compare",
    "/compare?days=all",
    "/runs",
]


class Page(HTMLParser):
    """What a browser would see of a page: its text, its tags, its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marked: list[str] = []
        self._in_mark = False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_mark = tag == "mark"
        if tag in ("td", "th"):
            self.text += " "

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._in_mark:
            self.marked.append(data)

    def links(self) -> list[str]:
        return [str(attributes.get("href")) for tag, attributes in self.tags if tag == "a"]


def read(client: TestClient, path: str) -> Page:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return Page(response.text)


def hostile_document(client: TestClient) -> str:
    links = read(client, "/entity/eevil").links()
    return next(link for link in links if link.startswith("/document/"))


def test_the_first_page_is_the_last_day(client: TestClient) -> None:
    page = read(client, "/")
    assert "26 Nov 2025" in page.text
    assert "Sadyr Japarov" in page.text
    assert "/day/2025-11-25" in page.links()
    assert "English 2 documents" in page.text


def test_any_day_by_the_form(client: TestClient) -> None:
    assert client.get("/day?date=2025-11-25").url.path == "/day/2025-11-25"


def test_a_day_counts_mentions_by_language(client: TestClient) -> None:
    page = read(client, "/day/2025-11-26")
    assert "Sadyr Japarov person: hi 1 · tr 1 · en 4 person 4 1 1 4 6" in page.text


def test_a_day_can_be_one_language_and_one_kind(client: TestClient) -> None:
    page = read(client, "/day/2025-11-26?lang=tr&label=ORG")
    rows = page.text.partition("Mentions Collective")[2]
    assert "1 names" in page.text
    assert rows
    assert "Sadyr Japarov person" not in page.text


def test_a_day_shows_what_is_new_and_who_stood_together(client: TestClient) -> None:
    page = read(client, "/day/2025-11-26")
    assert "Rising" in page.text
    assert "Bishkek – Sadyr Japarov 3" in page.text
    assert f"New names Not in the knowledge base, first met this day. {escaped_name()}" in page.text


def escaped_name() -> str:
    return "Eve\"><img src=x onerror=alert(1)><script>document.title='hacked'</script>"


def test_an_entity_has_its_names_neighbours_and_sentences(client: TestClient) -> None:
    page = read(client, "/entity/ejaparov")
    assert "Hindi जापारोव 1" in page.text
    assert "Turkish Caparov 1" in page.text
    assert "Bishkek 3" in page.text.partition("Named beside")[2]
    assert page.marked.count("Japarov") == 4
    assert "Japarov spoke of the CSTO; Japarov smiled. 🤝 Bishkek." in page.text
    assert "https://paper.example/2" in page.links()
    assert "the name is written exactly as an alias" in page.text


def test_neighbours_are_sought_on_the_days_of_the_entity_alone(folder: Path) -> None:
    reader = Reader(Store(folder))

    def names(days: list[date]) -> list[str]:
        rows = reader.ask(lambda tables: queries.neighbours(tables, ["ebishkek"], days))
        return [row["entity_id"] for row in rows]

    assert names([]) == []
    assert names([date(2025, 11, 25)]) == ["eputin"]
    assert "ejaparov" in names([date(2025, 11, 25), date(2025, 11, 26)])


def test_sentences_of_one_language(client: TestClient) -> None:
    assert read(client, "/entity/ejaparov?lang=hi").marked == ["जापारोव"]


def test_days_before_a_merge_count_for_the_heir(client: TestClient) -> None:
    page = read(client, "/entity/eputin")
    assert "Putin came to Bishkek." in page.text
    assert "same man" in page.text
    day = read(client, "/day/2025-11-25")
    assert "Vladimir Putin person: en 1" in day.text


def test_an_old_id_leads_to_its_heir(client: TestClient) -> None:
    assert client.get("/entity/eputinold").url.path == "/entity/eputin"


def test_the_timeline_draws_what_its_table_says(client: TestClient) -> None:
    page = read(client, "/entity/ejaparov?days=7")
    bars = [attributes for tag, attributes in page.tags if tag == "rect" and "y" in attributes]
    assert {bar["class"] for bar in bars} == {"bar hi", "bar tr", "bar en"}
    assert sum(float(bar["height"] or 0) for bar in bars) == pytest.approx(100, abs=0.1)
    assert "2025-11-26, en: 4" in page.text


def suggested(client: TestClient, typed: str) -> list[str]:
    return [entity["url"] for entity in client.get("/suggest", params={"q": typed}).json()]


@pytest.mark.parametrize("typed", ["जापा", "japa", "JAPA", "capar"])
def test_suggestions_in_any_script(client: TestClient, typed: str) -> None:
    assert suggested(client, typed) == ["/entity/ejaparov"]


@pytest.mark.parametrize(
    ("typed", "entity"),
    [
        ("Жапаров", "ejaparov"),
        ("жапар", "ejaparov"),
        ("Джапаров", "ejaparov"),
        ("Τζαπάροφ", "ejaparov"),
        ("ジャパロフ", "ejaparov"),
        ("ჯაპაროვი", "ejaparov"),
        ("Бишкек", "ebishkek"),
        ("비슈케크", "ebishkek"),
        ("Путін", "eputin"),
        ("プーチン", "eputin"),
    ],
)
def test_a_spelling_that_no_article_has_is_found_by_its_sound(
    client: TestClient, typed: str, entity: str
) -> None:
    assert suggested(client, typed)[:1] == [f"/entity/{entity}"]
    assert f"/entity/{entity}" in read(client, f"/search?q={typed}").links()


@pytest.mark.parametrize(
    "typed", ["sadyr j", "Жап", "Нурмагомедов", "北京", "ж" * 5000, "Ж'\"%_\\"]
)
def test_what_sounds_like_nobody_finds_nobody(client: TestClient, typed: str) -> None:
    assert suggested(client, typed) == []


def test_suggestions_say_by_which_spelling(client: TestClient) -> None:
    (best, *_) = client.get("/suggest", params={"q": "पुति"}).json()
    assert best["name"] == "Vladimir Putin"
    assert (best["spelling"], best["lang"]) == ("पुतिन", "hi")


def test_search_lists_entities(client: TestClient) -> None:
    assert "/entity/ebishkek" in read(client, "/search?q=bişk").links()
    assert "Nobody" in read(client, "/search?q=zzzzqqqq").text


def test_languages_and_sources_side_by_side(client: TestClient) -> None:
    page = read(client, "/compare")
    assert "English 3" in page.text
    assert "paper.example en 2" in page.text
    assert "news/ hi en" in page.text


def test_every_page_lists_languages_in_one_order(client: TestClient) -> None:
    order = ["Hindi", "Turkish", "English"]
    compared = read(client, "/compare").text
    day = read(client, "/day/2025-11-26").text.partition("Who was in the news")[0]
    sentences = read(client, "/entity/ejaparov").text.rpartition("all languages")[2]
    tops = compared.partition("Whom each language names most")[2]
    for text in (compared.partition("Whom each")[0], day, sentences, tops):
        places = [text.index(f"{name} ") for name in order]
        assert places == sorted(places)


def test_the_legend_names_the_languages_of_the_bars_alone(client: TestClient) -> None:
    legend = read(client, "/entity/ejaparov").text.partition("a bar a day")[2]
    legend = legend.partition("The numbers")[0]
    assert "HindiTurkishEnglish" in legend
    assert "Vietnamese" not in legend


def test_a_name_that_one_language_alone_has_is_marked(client: TestClient) -> None:
    top = read(client, "/compare").text.partition("Whom each language names most")[2]
    assert "Sadyr Japarov ◆" not in top
    assert f"{escaped_name()} ◆ 1" in top


def test_quarantine_is_listed(client: TestClient) -> None:
    page = read(client, "/runs")
    assert "not_utf8 in ingest 1" in page.text
    assert "byte 0xff" in page.text


def test_a_document_marks_every_name(client: TestClient) -> None:
    links = [link for link in read(client, "/entity/ecsto").links() if "/document/" in link]
    pages = [read(client, link) for link in links]
    assert any("🤝 Bishkek." in page.text and "/entity/ebishkek" in page.links() for page in pages)


@pytest.mark.parametrize("path", [*PAGES, "document"])
def test_article_text_is_never_markup(client: TestClient, path: str) -> None:
    page = read(client, hostile_document(client) if path == "document" else path)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert scripts == [{"src": "/static/suggest.js", "defer": None}]
    assert not any(tag in ("img", "b", "iframe") and "onerror" in a for tag, a in page.tags)
    assert not any(name.startswith("on") or name == "style" for _, a in page.tags for name in a)
    assert not any(link.lower().startswith("javascript") for link in page.links())
    assert str(7 * 191) not in page.text


def test_hostile_text_is_shown_as_it_stands(client: TestClient) -> None:
    page = read(client, hostile_document(client))
    assert "<script>document.title='hacked'</script>" in page.text
    assert "{{ 7 * 191 }}" in page.text
    assert "&amp;<b>bold</b>" in page.text


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "' OR 1=1 --", '"><svg onload=alert(1)>', "%", "\x00", "'" * 500],
)
def test_a_hostile_search(client: TestClient, text: str) -> None:
    page = client.get("/search", params={"q": text})
    assert page.status_code == 200
    assert not [tag for tag, _ in Page(page.text).tags if tag in ("svg", "img")]
    assert client.get("/suggest", params={"q": text}).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/static/style.css", "/suggest?q=a"])
def test_every_answer_forbids_what_is_not_its_own(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_nothing_is_loaded_from_elsewhere(client: TestClient, root: Path) -> None:
    for path in PAGES:
        for tag, attributes in read(client, path).tags:
            for name in ("src", "action") if tag != "link" else ("href",):
                value = attributes.get(name)
                assert value is None or re.match(r"/(?!/)", value), (path, tag, value)
    for file in (root / "pipeline" / "dashboard" / "static").iterdir():
        content = file.read_text(encoding="utf-8")
        assert set(re.findall(r"\w+://[^\s\"']+", content)) <= {"http://www.w3.org/2000/svg"}
        assert "@import" not in content
        assert "url(" not in content


@pytest.mark.parametrize(
    "path",
    [
        "/day/2025-11-27",
        "/day/yesterday",
        "/day?date=' OR 1=1",
        "/entity/nobody",
        "/entity/' OR '1'='1",
        "/document/nothing",
        "/nowhere",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
    ],
)
def test_what_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    "query", ["lang=xx", "label=DOG", "page=0", "page=-1", "page=9999", "page=x", "page=²"]
)
def test_wrong_parameters_are_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/day/2025-11-26?{query}").status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client: TestClient, method: str) -> None:
    assert client.request(method, "/day/2025-11-26").status_code == 405


def test_another_host_name_is_refused(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_fault_shows_no_inside(folder: Path, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("pipeline.dashboard.queries.languages", fail)
    app = application(folder, load())
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    response = client.get("/compare")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "content-security-policy" in response.headers


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exonym run"):
        application(tmp_path, load())


class FreshIndex:
    """An index of names that is as its files are."""

    @classmethod
    def open(cls, folder: Path) -> FreshIndex:
        return cls()

    def stale(self, folder: Path) -> bool:
        return False


def test_no_page_builds_the_index_of_names(client: TestClient, monkeypatch: Any) -> None:
    monkeypatch.setattr(FreshIndex, "stale", lambda *_: True)
    monkeypatch.setattr("pipeline.dashboard.app.Index", FreshIndex)
    response = client.get("/mention/m1")
    assert response.status_code == 500
    assert "exonym knowledge build" in response.text


def test_why_leads_from_a_mention_to_the_reasons(client: TestClient, monkeypatch: Any) -> None:
    def explain(store: object, item: str, settings: object) -> dict[str, Any]:
        mention = dict.fromkeys(MENTIONS.names, "")
        return {
            "mention": {**mention, "mention_id": item, "surface": "<b>Putin",
                        "sentence": "<i>x <b>Putin</b>", "start": 105, "end": 113,
                        "sentence_start": 100},
            "document": {"doc_id": "d", "date": date(2025, 11, 26), "date_origin": "text",
                         "sources": [{"url": "javascript:x", "source": "s"}]},
            "segment": {"lang": "tr", "lang_reason": "agreement", "lang_score": 1.0,
                        "lang_votes": {"cld2": "tr"}},
            "recognised": {"engine": "onnx", "model": "joint", "ner_label": "PER",
                           "ner_score": None},
            "linked": {"label": "PER", "link_method": "alias", "link_score": 0.9},
            "link": {"readings": [{"key": "putin", "name": "Putin", "cost": 0.0}], "candidates": [
                {"name": "<u>Putin", "label": "PER", "score": 0.9, "found_by": "alias",
                 "alias": "Putin", "parts": {"exact": 2.0}}], "threshold": 0.5, "differs": True},
            "entity": {"entity_id": "eputin", "name": "Vladimir Putin"},
        }  # fmt: skip

    monkeypatch.setattr("pipeline.dashboard.app.explain", explain)
    monkeypatch.setattr("pipeline.dashboard.app.Index", FreshIndex)
    page = read(client, "/mention/m1")
    assert "exact +2.00" in page.text
    assert "<u>Putin" in page.text
    assert page.marked == ["<b>Putin"]
    assert not [tag for tag, _ in page.tags if tag in ("u", "i")]
    assert not any(link.startswith("javascript") for link in page.links())
    assert "/entity/eputin" in page.links()
