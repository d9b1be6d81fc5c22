"""The kinds of lines, shown on invented pages of many sites' shapes in five languages."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.detect.kinds import pieces_of
from tests.detect.conftest import PAGES, Page, read_page

FLORES = Path(__file__).parents[3] / "shared/corpora/parallel/flores_5lang.jsonl.xz"
LANGUAGES = ("hi", "ro", "tr", "en", "vi")


def kinds(text: str) -> list[tuple[str, str]]:
    return [(piece.line.text, piece.kind) for piece in pieces_of(text)]


def test_every_line_of_a_page_has_its_kind(page: Page) -> None:
    expected = [(page.text[row.start : row.end], row.kind) for row in page.rows]
    assert kinds(page.text) == expected


def test_pages_show_all_languages_and_kinds() -> None:
    shown = {(row.lang, row.kind) for path in PAGES for row in read_page(path).rows}
    wanted = {(lang, kind) for lang in LANGUAGES for kind in ("body", "credit", "boilerplate")}
    assert wanted <= shown
    assert len(PAGES) >= 25


@pytest.mark.skipif(not FLORES.exists(), reason="the shared corpora are not here")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_ordinary_text_is_body(lang: str) -> None:
    with lzma.open(FLORES, "rt", encoding="utf-8") as file:
        sentences = [json.loads(line)[lang] for line in file]
    for first in range(0, len(sentences), 50):
        article = "\n\n".join(sentences[first : first + 10])
        assert {kind for _, kind in kinds(article)} == {"body"}


def test_a_headline_is_repeated_whatever_its_case_punctuation_and_site() -> None:
    text = (
        "Ministers Agree On New Fishing Quotas | Business | news.example\n"
        "MINISTERS AGREE ON NEW FISHING QUOTAS\n"
        "“Ministers agree on new fishing quotas”\n"
        "Ministers agreed on new fishing quotas after two days of talks in the capital."
    )
    assert [kind for _, kind in kinds(text)] == ["body", "repeat", "repeat", "body"]


def test_a_paragraph_that_begins_with_the_headline_is_body() -> None:
    text = (
        "The bridge is closed.\n"
        "The bridge is closed. It will stay closed until the last of the repairs is done in May."
    )
    assert [kind for _, kind in kinds(text)] == ["body", "body"]


@pytest.mark.parametrize(
    "line",
    [
        "Photo: the minister could not say who had taken it, or when, or why it was there?",
        "By Tuesday the river had risen to the second step of the old town hall.",
        "Publicat în 1932, romanul a fost tradus în peste douăzeci de limbi și a fost ecranizat.",
        "Kaynakların tükenmesi, bölgedeki köylerin en büyük sorunu olmaya devam ediyor.",
        "Ngày 25/11, đoàn đại biểu đã đến thăm một trường học ở ngoại ô thành phố.",
        "26 नवंबर को प्रकाशित रिपोर्ट में कहा गया है कि शहर की हवा पिछले साल से साफ है।",
        "Many sites use cookies, and the court ruled on Monday that they must ask their visitors "
        "in plain words, after a case that took lawyers, judges and engineers of three countries "
        "no less than seven years and that cost the company, which has its seat on an island, "
        "far more than the fine that it had refused to pay when the case began.",
    ],
)
def test_sentences_that_begin_like_credits_and_notices_are_body(line: str) -> None:
    text = (
        f"A headline of several plain words\n{line}\nAnother sentence of the same article ends it."
    )
    assert dict(kinds(text))[line] == "body"


def test_a_list_of_names_at_the_end_is_body() -> None:
    text = "The winners are these three.\nAnna Weber\nPeter Novak\nMaria Silva"
    assert {kind for _, kind in kinds(text)} == {"body"}


def test_a_heading_of_links_before_any_article_takes_only_itself() -> None:
    text = "Trending\nCouncil adopts budget\nThe council adopted the budget of the town on Friday."
    assert [kind for _, kind in kinds(text)] == ["boilerplate", "body", "body"]


def test_the_article_goes_on_behind_a_box_of_links(page_named: Callable[[str], Page]) -> None:
    page = page_named("en_inline_link")
    box = page.text.index("Also read")
    behind = [piece.kind for piece in pieces_of(page.text) if piece.line.start > box]
    assert behind[:3] == ["boilerplate", "body", "body"]


def test_teasers_with_excerpts_do_not_resume_the_article(
    page_named: Callable[[str], Page],
) -> None:
    page = page_named("en_feed_excerpts")
    box = page.text.index("You may also like")
    assert {p.kind for p in pieces_of(page.text) if p.line.start >= box} == {"boilerplate"}


def test_only_the_end_of_a_caption_is_cut() -> None:
    text = (
        "Un titlu simplu de articol\nPodul nou de la intrarea în oraș. Foto: Primăria Municipiului"
    )
    assert kinds(text)[1:] == [
        ("Podul nou de la intrarea în oraș.", "body"),
        ("Foto: Primăria Municipiului", "credit"),
    ]


def test_who_wrote_is_cut_off_the_last_line_too() -> None:
    for text, credit in (
        (
            "Kar yağdı. Haber: Mehmet Yıldırım - Foto: Ayşe Kara",
            ["Haber: Mehmet Yıldırım -", "Foto: Ayşe Kara"],
        ),
        (
            "He was held. (Writing by Ada Lee; Editing by Bo Ray)",
            ["(Writing by Ada Lee; Editing by Bo Ray)"],
        ),
        ("राज्यपाल ने दुख जताया। (इनपुट: पीटीआई)", ["(इनपुट: पीटीआई)"]),
        ("Mưa lớn. Tác giả: Nguyễn Văn Nam", ["Tác giả: Nguyễn Văn Nam"]),
        ("He spoke (by phone).", []),
        ("Kitabı aldı. Yazar: sordu", []),
        ("They came (de Maia Sandu).", []),
    ):
        found = kinds(f"A plain headline\n{text}")[1:]
        assert [said for said, kind in found if kind == "credit"] == credit, text


@pytest.mark.parametrize("text", ["", " \n\t\n ", "\u3000"])
def test_white_space_has_no_lines(text: str) -> None:
    assert pieces_of(text) == []
