"""What people see of links: short, with the deciding evidence, in colour on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from rich.console import Console, RenderableType

from pipeline import report_links
from pipeline.diff import Change, Diff
from pipeline.relink import Move, Relinked
from pipeline.resolve.explain import Result

ENTITY: dict[str, Any] = {
    "entity_id": "e1",
    "name": "Sadyr Japarov",
    "label": "PER",
    "status": "known",
    "n_mentions": 1200,
    "n_documents": 300,
    "first_seen": date(2026, 3, 1),
    "last_seen": date(2026, 3, 5),
    "wikidata": "Q1",
    "geonames": None,
    "iso_country": "KG",
}


def candidate(name: str, key: str, score: float) -> dict[str, Any]:
    return {
        "knowledge_key": key,
        "name": name,
        "label": "PER",
        "score": score,
        "logit": 1.0,
        "found_by": "key",
        "alias": name,
        "alias_lang": "en",
        "similarity": 0.96,
        "bias": -3.0,
        "parts": {"name": 1.3, "label_same": 1.4, "prior": -2.5, "words": 0.1},
    }


def mention(met_as: Sequence[Mapping[str, Any]] = (), **link: Any) -> dict[str, Any]:
    """Return the chain of a mention, with changes to its link."""
    return {
        "mention": {
            "mention_id": "m1",
            "surface": "Caparov",
            "suffix": "’un",
            "name": "Caparov",
            "start": 10,
            "end": 17,
            "sentence": "Bugün Caparov’un sözü geçti.",
        },
        "document": {
            "doc_id": "d1",
            "date": date(2026, 3, 1),
            "date_origin": "text",
            "sources": [{"source": "raw/tr.txt", "source_id": None, "url": None}],
        },
        "segment": {
            "segment": 2,
            "kind": "body",
            "lang": "tr",
            "lang_score": 1.0,
            "lang_reason": "agreement",
            "lang_votes": [("langdetect", "tr"), ("cld2", "tr")],
        },
        "recognised": {
            "engine": "onnx",
            "model": "joint",
            "ner_label": "PER",
            "ner_score": 0.97,
            "run_id": "r1",
        },
        "linked": {"label": "PER", "link_method": "key", "link_score": 0.93},
        "link": {
            "readings": [
                {"name": "Caparov", "key": "caparov", "cost": 0.0},
                {"name": "Caparov", "key": "japarov", "cost": 0.1},
            ],
            "cluster": [
                {"mention_id": "m1", "surface": "Caparov", "joined": None},
                {"mention_id": "m0", "surface": "Sadır Caparov", "joined": "surname"},
            ],
            "candidates": [
                candidate("Sadyr Japarov", "exonym:sadyr-japarov", 0.93),
                candidate("Akylbek Japarov", "exonym:akylbek-japarov", 0.41),
            ],
            "knowledge_key": "exonym:sadyr-japarov",
            "threshold": 0.5,
            "ruling": None,
            "differs": False,
            **link,
        },
        "past": [],
        "met_as": met_as,
        "entity": ENTITY,
    }


def shown(what: RenderableType, *, terminal: bool = False) -> str:
    colours: Any = "standard" if terminal else None
    console = Console(width=110, force_terminal=terminal, color_system=colours)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def test_a_mention_is_a_short_tree_with_the_deciding_evidence() -> None:
    text = shown(report_links.explained(mention()))
    assert len(text.splitlines()) < 20
    for part in (
        "raw/tr.txt, code points 10–17",
        "tr  agreement; langdetect tr, cld2 tr",
        "0.97",
        "keys caparov, japarov",
        "Sadır Caparov (surname)",
        "✔ 0.93  Sadyr Japarov PER",
        "prior -2.5, label_same +1.4, name +1.3",
        "· 0.41  Akylbek Japarov PER",
        "decided  key  0.93",
    ):
        assert part in text, part
    assert "words" not in text


def test_why_an_unknown_name_is_one_with_earlier_ones_is_said() -> None:
    met = [
        {"key": "elena laskoni", "script": "Latn", "kinship": "word more"},
        {"key": "e laskoni", "script": "Latn", "kinship": None},
    ]
    text = shown(report_links.explained(mention(met)))
    assert "in the news as  elena laskoni, e laskoni" in text
    assert "elena laskoni  it is the same but for a word that one of the two leaves out" in text
    assert "in the news as" not in shown(report_links.explained(mention(met[1:])))


def test_how_often_past_news_named_the_candidates_is_said() -> None:
    rows = [("Akylbek Japarov", 2, 0), ("Sadyr Japarov", 31, 7)]
    past = [{"name": name, "n_stories": n, "n_beside": beside} for name, n, beside in rows]
    text = shown(report_links.explained({**mention(), "past": past}))
    assert "Sadyr Japarov  31  7 beside another name of this document" in text
    assert text.index("Sadyr Japarov  31") < text.index("Akylbek Japarov  2")
    assert "past news" not in shown(report_links.explained(mention()))


def test_what_a_person_decided_is_said() -> None:
    ruled = mention(ruling="alias in overrides.toml: asked (Ana)", differs=True)
    text = shown(report_links.explained(ruled))
    assert "asked (Ana)" in text
    assert "exonym relink --dry-run" in text
    assert "overrides.toml" not in shown(report_links.explained(mention()))


def test_an_entity_shows_its_names_and_history() -> None:
    chain = {
        "redirected": {"entity_id": "e0", "reason": "both are iso:KG"},
        "entity": ENTITY,
        "knowledge": {"key": "exonym:sadyr-japarov", "prior": 0.9, "aliases": ["a", "b"]},
        "decisions": [
            {"run_id": "r1", "action": "mint", "meaning": "an unknown name", "cause": None},
            {"run_id": "r2", "action": "merge", "meaning": "one", "cause": "asked (Ana)"},
        ],
        "former_ids": ["e0"],
        "names": [
            {"name": n, "lang": lang, "script": "Latn", "origin": "news", "n_mentions": count}
            for n, lang, count in (("Japarov", "en", 3), ("Sadyr Japarov", "en", 9), ("X", "tr", 1))
        ],
        "examples": [
            {
                "mention_id": "m1",
                "lang": "tr",
                "surface": "Caparov",
                "link_method": "key",
                "sentence": "Bugün\nCaparov.",
            }
        ],
    }
    text = shown(report_links.explained(chain))
    assert "asked for  e0" in text
    assert "1,200 mentions in 300 documents" in text
    assert "Sadyr Japarov 9, Japarov 3" in text
    assert "mint  r1  an unknown name" in text
    assert "merge  r2  asked (Ana)" in text
    assert "Bugün Caparov." in text


@pytest.mark.parametrize("terminal", [True, False])
def test_colour_is_for_terminals(terminal: bool) -> None:
    result = Result(entity_id="e1", name="Japarov", label="PER", score=0.95, method="alias")
    text = shown(report_links.found("Caparov", [result]), terminal=terminal)
    assert ("\x1b[32m0.95" in text) == terminal
    assert "written exactly as an alias" in text
    assert "nothing has that name" in shown(report_links.found("Xyz", []))


def test_a_dry_run_speaks_of_what_would_be() -> None:
    moves = [Move("e1", "Old", "e2", "New", 3), Move("e3", "Gone", None, None, 1)]
    done = Relinked(None, 100, 5, moves, {"e1": "e2"}, {"e4": ("A", "B")})
    text = shown(report_links.relinked(done, dry_run=True))
    assert "4 of 100 mentions, of 2 entities, would go elsewhere" in text
    assert "nothing was published" in text
    assert "left out" in text
    published = Relinked("r9", 100, 5, moves, {}, {})
    assert "published as r9" in shown(report_links.relinked(published, dry_run=False))


def test_a_difference_is_counted_by_kind_and_cause() -> None:
    changes = [
        Change("new", f"e{n}", "Name", "PER", None, 1, cause, "")
        for n, cause in enumerate(("data", "data", "alias"))
    ]
    text = shown(report_links.difference(Diff("r1", "r2", changes)))
    assert "2 new (data), 1 new (alias)" in text
    assert "no entity changed" in shown(report_links.difference(Diff("r1", "r2", [])))
