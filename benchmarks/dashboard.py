"""How long the dashboard's pages take over many made-up mentions.

Run ``python benchmarks/dashboard.py [--mentions N] [--days N] [--folder DIR]``. Makes the tables of
``pipeline.schemas`` with N mentions (a million), opens the dashboard over them and asks for each
page several times, in one process. Prints, by the median of the answers after the first: the
processor time and the wall time of the page with all its queries, those of its slowest query, and
the size of the page. A query runs on all cores, so that its processor time is the higher of the
two on a machine that has nothing else to do. Suggestions ask the spellings in memory and put no
query to the tables.

The data: 20 mentions a document, entities drawn so that few are named often (rank by the cube of
a uniform number), five languages in turn, sentences of a real sentence's length in the language's
script. Every row follows from its number, so that the same arguments give the same tables.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from starlette.testclient import TestClient

from pipeline.dashboard.app import application
from pipeline.dashboard.reader import Row, Tables
from pipeline.schemas import TABLES
from pipeline.settings import load
from pipeline.store import Store, files

FIRST_DAY = date(2025, 1, 1)
MENTIONS_A_DOCUMENT = 20
DOCUMENTS_AN_ENTITY = 2
REPEATS = 7

SENTENCES = {
    "hi": "हवाई अड्डे पर राष्ट्रपति {} ने उनका भव्य स्वागत किया और इसके बाद दोनों नेताओं की बैठक हुई।",
    "ro": "Președintele {} s-a întâlnit miercuri cu omologul său, în contextul noilor negocieri.",
    "tr": "Cumhurbaşkanı {} başkentteki sarayda düzenlenen törenin ardından açıklama yaptı.",
    "en": "President {} met his counterpart on Wednesday before the delegations signed the treaty.",
    "vi": "Tổng thống {} đã tới Quảng trường Chiến thắng và đặt vòng hoa tại Ngọn lửa Vĩnh cửu.",
}

NUMBERED = """
CREATE TABLE sentences(number INTEGER, lang VARCHAR, pattern VARCHAR);
CREATE TABLE numbered AS
SELECT i AS number, i // $per_document AS document, i % $per_document AS place,
       hash(i) / 18446744073709551616.0 AS chance
FROM range($mentions) t(i);
CREATE TABLE drawn AS
SELECT n.number, document, place, s.lang, pattern,
       CAST(floor($entities * pow(chance, 3)) AS INTEGER) AS entity,
       $first + CAST(document * $days // $documents AS INTEGER) AS date
FROM numbered n JOIN sentences s ON s.number = document % 5;
"""

ROWS = {
    "documents": """
        SELECT md5('d' || document) AS doc_id, 'Title of article ' || document AS title, date,
               'input' AS date_origin, lang, 1.0 AS lang_score,
               string_agg(replace(pattern, '{}', 'Name Surname' || entity), ' ' ORDER BY place)
                   AS text,
               length(text) AS n_chars, 260 AS n_words, NULL AS near_duplicate_of,
               NULL AS superseded_by, 'run' AS run_id
        FROM drawn GROUP BY document, date, lang ORDER BY date, doc_id""",
    "document_sources": """
        SELECT DISTINCT md5('d' || document) AS doc_id,
               'news/' || lang || '-' || document % 40 || '.jsonl' AS source,
               CAST(document AS VARCHAR) AS source_id,
               'https://paper' || document % 40 || '.example/' || document AS url,
               date, 'run' AS run_id
        FROM drawn ORDER BY date, doc_id""",
    "segments": """
        SELECT DISTINCT md5('d' || document) AS doc_id, 0 AS segment, date, 0 AS start, 1 AS "end",
               lang, 1.0 AS lang_score, MAP {'cld2': lang} AS lang_votes,
               'agreement' AS lang_reason, 'body' AS kind, 'run' AS run_id
        FROM drawn ORDER BY date, doc_id""",
    "mentions": """
        SELECT md5('m' || number) AS mention_id, md5('d' || document) AS doc_id, 0 AS segment, date,
               lang, 'body' AS kind, ['PER', 'LOC', 'ORG'][entity % 3 + 1] AS label,
               label AS ner_label,
               'Name Surname' || entity AS surface, NULL AS suffix, surface AS name,
               replace(pattern, '{}', surface) AS sentence,
               coalesce(sum(length(sentence) + 1) OVER (
                   PARTITION BY document ORDER BY place
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS sentence_start,
               sentence_start + strpos(pattern, '{}') - 1 AS start,
               start + length(surface) AS "end",
               0.9 AS ner_score, 'onnx' AS engine, 'joint' AS model,
               md5('e' || entity)[:16] AS entity_id, 'alias' AS link_method, 0.99 AS link_score,
               'run' AS run_id
        FROM drawn ORDER BY date, doc_id, start""",
    "entities": """
        SELECT md5('e' || entity)[:16] AS entity_id, ['PER', 'LOC', 'ORG'][entity % 3 + 1] AS label,
               'Name Surname' || entity AS name, NULL AS name_hi, name AS name_ro, name AS name_tr,
               name AS name_en, name AS name_vi, if(entity % 2 = 0, 'known', 'new') AS status,
               NULL AS wikidata, NULL AS geonames, NULL AS iso_country, count(*) AS n_mentions,
               count(DISTINCT document) AS n_documents, list_sort(list(DISTINCT lang)) AS langs,
               min(date) AS first_seen, max(date) AS last_seen
        FROM drawn GROUP BY entity ORDER BY entity_id""",
    "entity_names": """
        SELECT md5('e' || entity)[:16] AS entity_id, lang, 'Latn' AS script,
               'Name Surname' || entity AS name, 'news' AS origin, count(*) AS n_mentions,
               min(date) AS first_seen, max(date) AS last_seen
        FROM drawn GROUP BY entity, lang ORDER BY entity_id, lang""",
    "daily_entities": """
        SELECT date, lang, md5('e' || entity)[:16] AS entity_id, 'Name Surname' || entity AS name,
               ['PER', 'LOC', 'ORG'][entity % 3 + 1] AS label, count(*) AS n_mentions,
               count(DISTINCT document) AS n_documents, n_documents AS n_stories
        FROM drawn GROUP BY date, lang, entity ORDER BY date, lang, entity_id""",
    "daily_pairs": """
        WITH named AS (
            SELECT DISTINCT date, document, md5('e' || entity)[:16] AS entity_id FROM drawn)
        SELECT a.date, a.entity_id AS entity_a, b.entity_id AS entity_b,
               count(*) AS n_documents, n_documents AS n_stories
        FROM named a JOIN named b ON a.document = b.document AND a.entity_id < b.entity_id
        GROUP BY ALL ORDER BY a.date, entity_a, entity_b""",
}
"""What each table holds; the others have no rows. The dated ones are written a file a day."""


def make(out: Path, n_mentions: int, n_days: int) -> None:
    """Write tables with ``n_mentions`` mentions over ``n_days`` days to the folder ``out``."""
    store = Store(out)
    n_documents = n_mentions // MENTIONS_A_DOCUMENT
    with duckdb.connect() as database:
        create, *draw = [part for part in NUMBERED.split(";") if part.strip()]
        database.execute(create)
        rows = [(number, *item) for number, item in enumerate(SENTENCES.items())]
        database.executemany("INSERT INTO sentences VALUES (?, ?, ?)", rows)
        values = {
            "mentions": n_mentions,
            "per_document": MENTIONS_A_DOCUMENT,
            "entities": n_documents // DOCUMENTS_AN_ENTITY,
            "first": FIRST_DAY,
            "days": n_days,
            "documents": n_documents,
        }
        for statement in draw:
            used = {name: value for name, value in values.items() if f"${name}" in statement}
            database.execute(statement, used)
        for table in ("entities", "entity_names"):
            files.write_parquet(store.live(table), TABLES[table], batches(database, ROWS[table]))
        for table in ("redirects", "quarantine", "runs"):
            files.write_parquet(store.live(table), TABLES[table], [])
        for table in sorted(set(ROWS) - {"entities", "entity_names"}):
            write_days(database, store, table, n_days)


def write_days(database: duckdb.DuckDBPyConnection, store: Store, table: str, n_days: int) -> None:
    database.execute("ALTER TABLE drawn RENAME TO every_day")
    for number in range(n_days):
        day = FIRST_DAY + timedelta(number)
        database.execute(
            f"CREATE TEMP VIEW drawn AS SELECT * FROM every_day WHERE date = DATE '{day}'"
        )
        files.write_parquet(store.live(table, day), TABLES[table], batches(database, ROWS[table]))
        database.execute("DROP VIEW drawn")
    database.execute("ALTER TABLE every_day RENAME TO drawn")


def batches(database: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.Table]:
    for batch in database.sql(query).to_arrow_reader(50_000):
        yield pa.Table.from_batches([batch])


@contextmanager
def query_times() -> Iterator[list[tuple[float, float]]]:
    """Collect processor and wall time of each query put to the tables, in milliseconds."""
    rows = Tables.rows
    times: list[tuple[float, float]] = []

    def timed(tables: Tables, query: str, **values: Any) -> list[Row]:
        started, used = time.perf_counter(), time.process_time()
        found = rows(tables, query, **values)
        times.append((1000 * (time.process_time() - used), 1000 * (time.perf_counter() - started)))
        return found

    Tables.rows = timed  # type: ignore[method-assign]
    try:
        yield times
    finally:
        Tables.rows = rows  # type: ignore[method-assign]


def measure(client: TestClient, path: str) -> str:
    """Return one line: the path, four medians in milliseconds, KiB of the page."""
    times = []
    for _ in range(REPEATS + 1):
        with query_times() as of_queries:
            started, used = time.perf_counter(), time.process_time()
            response = client.get(path)
            of_page = [1000 * (time.process_time() - used), 1000 * (time.perf_counter() - started)]
        slowest = [max(values) for values in zip(*of_queries, strict=True)] or [0.0, 0.0]
        times.append(of_page + slowest)
        assert response.status_code == 200, (path, response.status_code)
    # The first answer opens the files; it is not counted.
    medians = [statistics.median(values) for values in zip(*times[1:], strict=True)]
    cells = "".join(f"{value:10.0f}" if value else f"{'-':>10}" for value in medians)
    return f"{path:<46}{cells}{len(response.content) / 1024:10.0f}"


def pages(client: TestClient) -> list[str]:
    """Return each kind of page, for the most named entity and for one of the middle."""
    day = client.get("/").url.path
    most = client.get("/suggest?q=Name Surname0").json()[0]["url"]
    middle = client.get("/suggest?q=Name Surname1234").json()[0]["url"]
    links = re.findall("/document/[0-9a-f]+", client.get(middle).text)
    return [
        day,
        f"{day}?lang=hi&label=PER&page=3",
        most,
        f"{most}?days=all",
        f"{most}?lang=vi&page=5",
        middle,
        f"{middle}?days=all",
        links[0],
        "/suggest?q=name",
        "/suggest?q=surname12",
        "/suggest?q=сурнаме12",
        "/suggest?q=Σουρνειμ",
        "/compare",
        "/compare?days=7",
        "/runs",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--folder", type=Path, help="keep the tables here; made if not there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = arguments.folder or Path(temporary) / "tables"
        if not out.exists():
            make(out, arguments.mentions, arguments.days)
        started = time.perf_counter()
        client = TestClient(application(out, load()), base_url="http://localhost")
        ready = time.perf_counter() - started
        rows = duckdb.execute(
            "SELECT count(*), count(DISTINCT date) FROM read_parquet(?)", [f"{out}/mentions/*"]
        ).fetchone()
        assert rows
        print(
            f"python benchmarks/dashboard.py, {date.today()}, exonym {version('exonym')}, "
            f"DuckDB {duckdb.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        print(f"{rows[0]:,} mentions over {rows[1]} days")
        print(f"open the tables {1000 * ready:.0f} ms")
        started = time.perf_counter()
        client.get("/suggest?q=a")
        print(f"read the spellings {1000 * (time.perf_counter() - started):.0f} ms, once")
        print("milliseconds, by processor and by wall time")
        print(f"{'':<46}{'page':>20}{'slowest query':>20}")
        print(f"{'':<46}" + f"{'processor':>10}{'wall':>10}" * 2 + f"{'KiB':>10}")
        for path in pages(client):
            print(measure(client, path), flush=True)
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
