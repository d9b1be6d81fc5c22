"""A made-up output folder: two days, three languages, hostile articles among the harmless."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from pipeline.schemas import DATED, TABLES
from pipeline.scripts import script_of
from pipeline.settings import load
from pipeline.store import Store, files
from pipeline.store.generations import assemble
from pipeline.store.tables import TableFiles

pytest.importorskip("starlette", reason="needs the extra: pip install 'exonym[dashboard]'")

FIRST, SECOND = date(2025, 11, 25), date(2025, 11, 26)
RUN = "2025-11-26-made-up"

JAPAROV, BISHKEK, CSTO, EVIL, PUTIN = "ejaparov", "ebishkek", "ecsto", "eevil", "eputin"
OLD_PUTIN = "eputinold"
SCRIPT = "<script>document.title='hacked'</script>"
EVIL_NAME = f'Eve"><img src=x onerror=alert(1)>{SCRIPT}'

ENTITIES = {
    JAPAROV: ("PER", "Sadyr Japarov", "known"),
    BISHKEK: ("LOC", "Bishkek", "known"),
    CSTO: ("ORG", "Collective Security Treaty Organization", "known"),
    PUTIN: ("PER", "Vladimir Putin", "known"),
    EVIL: ("PER", EVIL_NAME, "new"),
}

SPELLINGS = {
    "Japarov": JAPAROV,
    "जापारोव": JAPAROV,
    "Caparov": JAPAROV,
    "Bishkek": BISHKEK,
    "बिश्केक": BISHKEK,
    "Bişkek": BISHKEK,
    "CSTO": CSTO,
    "KGAÖ": CSTO,
    "Putin": PUTIN,
    "पुतिन": PUTIN,
    EVIL_NAME: EVIL,
}


class Article(NamedTuple):
    """An article; every spelling of :data:`SPELLINGS` in a line of its text is a mention."""

    day: date
    lang: str
    title: str | None
    url: str | None
    text: str


ARTICLES = [
    Article(FIRST, "en", "Arrival", "https://paper.example/1", "Putin came to Bishkek."),
    Article(
        SECOND,
        "en",
        "Ties",
        "https://paper.example/2",
        "Japarov met Putin in Bishkek.\nJaparov spoke of the CSTO; Japarov smiled. 🤝 Bishkek.",
    ),
    Article(SECOND, "hi", None, None, "जापारोव ने बिश्केक में पुतिन का स्वागत किया।"),
    Article(SECOND, "tr", "Zirve", "http://gazete.example/3", "Caparov Bişkek'te KGAÖ'yü andı."),
    Article(
        SECOND,
        "en",
        f"</title>{SCRIPT}",
        "javascript:document.title='hacked'",
        f"{SCRIPT} {EVIL_NAME} {{{{ 7 * 191 }}}} met Japarov. \u202e&amp;<b>bold</b>",
    ),
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up output folder. Read only."""
    out = tmp_path_factory.mktemp("dashboard") / "tables"
    write_tables(out, ARTICLES)
    return out


@pytest.fixture
def checkout(folder: Path, root: Path, tmp_path: Path) -> Path:
    """A folder as docs/dashboards.md expects it: the tables, as one kept generation, and views."""
    out = tmp_path / "data" / "processed"
    shutil.copytree(folder, out)
    assemble(Store(out).generations.place(1), RUN, TableFiles(out))
    (tmp_path / "docs").mkdir()
    shutil.copy(root / "docs" / "views.sql", tmp_path / "docs")
    return tmp_path


@pytest.fixture(scope="session")
def client(folder: Path) -> Any:
    """A browser without a window, at the dashboard of the made-up folder."""
    from starlette.testclient import TestClient

    from pipeline.dashboard.app import application

    app = application(folder, load())
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@pytest.fixture(scope="session")
def writer() -> Any:
    """The function that writes the tables of articles to a folder."""
    return write_tables


def write_tables(out: Path, articles: Sequence[Article]) -> None:
    """Write every table as a run would have, were the spellings all it knew."""
    store = Store(out)
    tables = _tables(articles)
    days = {article.day for article in articles}
    for name, schema in TABLES.items():
        rows = tables.get(name, [])
        if name in DATED:
            for day in days:
                own = [row for row in rows if row["date"] == day]
                table = pa.Table.from_pylist(own, schema)
                files.write_parquet(store.live(name, day), schema, [table])
        else:
            table = pa.Table.from_pylist(rows, schema)
            files.write_parquet(store.live(name), schema, [table])


def _tables(articles: Sequence[Article]) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number, article in enumerate(articles):
        doc_id = hashlib.sha256(article.text.encode()).hexdigest()[:32]
        shared = {"doc_id": doc_id, "date": article.day, "run_id": RUN}
        tables["documents"].append(
            {
                **shared,
                "title": article.title,
                "date_origin": "input",
                "lang": article.lang,
                "lang_score": 1.0,
                "text": article.text,
                "n_chars": len(article.text),
                "n_words": len(article.text.split()),
            }
        )
        source = {"source": f"news/{number}.txt", "url": article.url}
        tables["document_sources"].append({**shared, **source})
        tables["mentions"] += _mentions(article, shared)
    _count(tables)
    tables["redirects"] = [
        {"entity_id": OLD_PUTIN, "replaced_by": PUTIN, "reason": "same man", "run_id": RUN}
    ]
    tables["quarantine"] = [
        {
            "source": f"news/{SCRIPT}.txt",
            "line": 7,
            "stage": "ingest",
            "error": "not_utf8",
            "message": f"byte 0xff {SCRIPT}",
            "attempts": 1,
            "payload": b"\xff",
            "run_id": RUN,
        }
    ]
    return tables


def _mentions(article: Article, shared: dict[str, Any]) -> Iterator[dict[str, Any]]:
    line_start = 0
    for line in article.text.splitlines():
        places = sorted(
            (at, spelling)
            for spelling in SPELLINGS
            for at in range(len(line))
            if line.startswith(spelling, at)
        )
        for at, spelling in places:
            start = line_start + at
            # The first day was published before the merge.
            entity_id = SPELLINGS[spelling]
            if entity_id == PUTIN and article.day == FIRST:
                entity_id = OLD_PUTIN
            yield {
                **shared,
                "mention_id": f"m{shared['doc_id'][:8]}{start}",
                "segment": 0,
                "lang": article.lang,
                "kind": "body",
                "label": ENTITIES[SPELLINGS[spelling]][0],
                "ner_label": ENTITIES[SPELLINGS[spelling]][0],
                "start": start,
                "end": start + len(spelling),
                "surface": spelling,
                "name": spelling,
                "sentence": line,
                "sentence_start": line_start,
                "engine": "onnx",
                "model": "joint",
                "entity_id": entity_id,
                "link_method": "alias",
                "link_score": 0.99,
            }
        line_start += len(line) + 1


def _count(tables: dict[str, list[dict[str, Any]]]) -> None:
    live = {OLD_PUTIN: PUTIN}
    daily: Counter[tuple[date, str, str]] = Counter()
    documents: dict[tuple[date, str, str], set[str]] = defaultdict(set)
    named: dict[tuple[date, str], set[str]] = defaultdict(set)
    spelled: Counter[tuple[str, str, str]] = Counter()
    for row in tables["mentions"]:
        key = (row["date"], row["lang"], row["entity_id"])
        daily[key] += 1
        documents[key].add(row["doc_id"])
        named[row["date"], row["doc_id"]].add(row["entity_id"])
        heir = live.get(row["entity_id"], row["entity_id"])
        spelled[heir, row["lang"], row["name"]] += 1
    for (day, lang, entity_id), n_mentions in sorted(daily.items()):
        label, name, _ = ENTITIES[live.get(entity_id, entity_id)]
        n_documents = len(documents[day, lang, entity_id])
        counts = {"n_mentions": n_mentions, "n_documents": n_documents, "n_stories": n_documents}
        identity = {"entity_id": entity_id, "name": name, "label": label}
        tables["daily_entities"].append({"date": day, "lang": lang, **identity, **counts})
    pairs: Counter[tuple[date, str, str]] = Counter()
    for (day, _), ids in named.items():
        pairs.update((day, a, b) for a, b in combinations(sorted(ids), 2))
    for (day, a, b), n in sorted(pairs.items()):
        row = {"date": day, "entity_a": a, "entity_b": b, "n_documents": n, "n_stories": n}
        tables["daily_pairs"].append(row)
    for entity_id, (label, name, status) in ENTITIES.items():
        own = [row for row in tables["mentions"] if live.get(row["entity_id"], row["entity_id"])
               == entity_id]  # fmt: skip
        if own:
            tables["entities"].append(
                {
                    "entity_id": entity_id,
                    "label": label,
                    "name": name,
                    "name_en": name,
                    "status": status,
                    "n_mentions": len(own),
                    "n_documents": len({row["doc_id"] for row in own}),
                    "langs": sorted({row["lang"] for row in own}),
                    "first_seen": min(row["date"] for row in own),
                    "last_seen": max(row["date"] for row in own),
                }
            )
    for (entity_id, lang, name), n_mentions in sorted(spelled.items()):
        tables["entity_names"].append(
            {
                "entity_id": entity_id,
                "lang": lang,
                "script": script_of(name),
                "name": name,
                "origin": "news",
                "n_mentions": n_mentions,
                "first_seen": FIRST,
                "last_seen": SECOND,
            }
        )
