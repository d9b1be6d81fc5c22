"""The five gold articles, with gold mentions: what resolving alone reaches there.

They are known to those who wrote the rules, so this shows that the parts fit together; the
scenarios show more.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

from pipeline.knowledge.index import Index
from pipeline.resolve import registry
from pipeline.resolve.document import settle
from pipeline.resolve.finish import finish
from pipeline.resolve.ids import assign, distinct

LANGUAGES = {"000": "hi", "001": "ro", "002": "tr", "003": "en", "004": "vi"}


def marked_text(text: str, mentions: list[dict[str, Any]]) -> str:
    """Return ``text`` with gold mentions marked."""
    for m in sorted(mentions, key=lambda m: -m["start"]):
        mark = f"[[{m['text']}|{m['label']}|{m['entity']}]]"
        text = text[: m["start"]] + mark + text[m["end"] :]
    return text


def test_b_cubed_over_gold_mentions(shared: Path, shipped_index: Index, mark: Any) -> None:
    documents = {}
    for line in (shared / "gold" / "seeds.jsonl").read_text(encoding="utf-8").splitlines():
        gold = json.loads(line)
        text = (shared / "gold" / "seeds" / gold["doc"]).read_bytes().decode()
        doc_id = gold["doc"][:3]
        documents[doc_id] = (LANGUAGES[doc_id], marked_text(text, gold["mentions"]))
    marked = mark(documents)
    settled = settle(marked.documents, marked.segments, marked.mentions.to_pylist(), shipped_index)
    connection = sqlite3.connect(":memory:")
    registry.create(connection)
    assignment = assign([distinct(settled)], connection, shipped_index, "r1")
    answers = {
        (r["doc_id"], r["start"]): r["entity_id"]
        for r in finish(settled, assignment, "r1").to_pylist()
    }
    assert answers.keys() == marked.gold.keys()
    ours, theirs = defaultdict(set), defaultdict(set)
    for place, entity in marked.gold.items():
        ours[answers[place]].add(place)
        theirs[entity].add(place)
    shares = [
        (len(both) / len(ours[answers[place]]), len(both) / len(theirs[entity]))
        for place, entity in marked.gold.items()
        if (both := ours[answers[place]] & theirs[entity])
    ]
    precision, recall = (sum(column) / len(shares) for column in zip(*shares, strict=True))
    assert 2 * precision * recall / (precision + recall) >= 0.95
