"""What the pages ask the tables. Every function takes the tables of one generation, returns rows.

Days that were published before two entities were merged keep the old id: each question follows
``redirects``. Counts leave out documents that were superseded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pipeline.dashboard.reader import Row, Tables, placeholders

RISING_AGAINST_DAYS: Final = 7
"""How many days before a day its risers are compared with."""

_LISTED: Final = 15
"""Rows of a short list."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def n_days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


_DAY_TOTALS: Final = """
SELECT lang, count(*) AS n_documents, sum(n_words) AS n_words,
       count(*) FILTER (near_duplicate_of IS NULL) AS n_stories
FROM read_parquet($documents) WHERE superseded_by IS NULL GROUP BY lang ORDER BY lang
"""

# From the mentions: summed over languages, a document in two of them would count twice.
_DAY_ENTITIES: Final = """
WITH live AS (
    SELECT doc_id FROM read_parquet($documents) WHERE superseded_by IS NULL
), named AS (
    SELECT coalesce(r.replaced_by, m.entity_id) AS entity_id, m.lang, m.doc_id
    FROM read_parquet($mentions) m SEMI JOIN live USING (doc_id)
         LEFT JOIN read_parquet($redirects) r ON r.entity_id = m.entity_id
    WHERE m.kind = 'body' AND ($lang IS NULL OR m.lang = $lang)
), by_lang AS (
    SELECT entity_id, lang, count(*) AS n FROM named GROUP BY ALL
), languages AS (
    SELECT entity_id, map_from_entries(list((lang, n) ORDER BY lang)) AS by_language
    FROM by_lang GROUP BY entity_id
), counted AS (
    SELECT entity_id, count(*) AS n_mentions, count(DISTINCT doc_id) AS n_documents
    FROM named GROUP BY entity_id
)
SELECT entity_id, e.name, e.label, c.n_mentions, c.n_documents, by_language,
       count(*) OVER () AS n_all
FROM counted c JOIN languages USING (entity_id) JOIN read_parquet($entities) e USING (entity_id)
WHERE $label IS NULL OR e.label = $label
ORDER BY c.n_documents DESC, c.n_mentions DESC, e.name
LIMIT $limit OFFSET $offset
"""

_RISERS: Final = """
WITH counted AS (
    SELECT coalesce(r.replaced_by, d.entity_id) AS entity_id,
           sum(d.n_documents) FILTER (d.date = $day) AS today,
           coalesce(sum(d.n_documents) FILTER (d.date < $day), 0) / $n_days AS before
    FROM read_parquet($daily_entities) d LEFT JOIN read_parquet($redirects) r USING (entity_id)
    GROUP BY 1
)
SELECT entity_id, name, label, today, before
FROM counted JOIN read_parquet($entities) USING (entity_id)
WHERE today > before ORDER BY today - before DESC, name LIMIT $limit
"""

_NEW_NAMES: Final = """
SELECT entity_id, name, label, sum(d.n_documents) AS n_documents
FROM read_parquet($entities) e JOIN read_parquet($daily_entities) d USING (entity_id, name, label)
WHERE e.status = 'new' AND e.first_seen = $day
GROUP BY ALL ORDER BY n_documents DESC, name LIMIT $limit
"""

_DAY_PAIRS: Final = """
WITH live AS (
    SELECT coalesce(a.replaced_by, p.entity_a) AS entity_a,
           coalesce(b.replaced_by, p.entity_b) AS entity_b, sum(p.n_documents) AS n_documents
    FROM read_parquet($daily_pairs) p
         LEFT JOIN read_parquet($redirects) a ON a.entity_id = p.entity_a
         LEFT JOIN read_parquet($redirects) b ON b.entity_id = p.entity_b
    GROUP BY ALL
), top AS (
    SELECT * FROM live WHERE entity_a <> entity_b
    ORDER BY n_documents DESC, entity_a, entity_b LIMIT $limit
)
SELECT entity_a, a.name AS name_a, entity_b, b.name AS name_b, top.n_documents
FROM top JOIN read_parquet($entities) a ON a.entity_id = entity_a
     JOIN read_parquet($entities) b ON b.entity_id = entity_b
ORDER BY top.n_documents DESC, name_a, name_b
"""


def day_totals(tables: Tables, day: date) -> list[Row]:
    """Return the documents, stories and words of a day by language."""
    return tables.rows(_DAY_TOTALS, documents=tables.files("documents", day, day))


def day_entities(
    tables: Tables, day: date, lang: str | None, label: str | None, limit: int, offset: int
) -> list[Row]:
    """Return who was named on a day, in the most documents first.

    ``lang`` and ``label`` admit one language and one label; ``by_language`` maps a language to
    mentions, ``n_all`` is how many rows there are without ``limit`` and ``offset``.
    """
    return tables.rows(
        _DAY_ENTITIES,
        documents=tables.files("documents", day, day),
        mentions=tables.files("mentions", day, day),
        redirects=tables.files("redirects"),
        entities=tables.files("entities"),
        lang=lang,
        label=label,
        limit=limit,
        offset=offset,
    )


def risers(tables: Tables, day: date) -> list[Row]:
    """Return who was named in more documents than on an average day of the week before.

    Empty when the tables hold no day of that week.
    """
    first = day - timedelta(RISING_AGAINST_DAYS)
    earlier = tables.files("daily_entities", first, day - timedelta(1))
    if not earlier:
        return []
    return tables.rows(
        _RISERS,
        daily_entities=[*earlier, *tables.files("daily_entities", day, day)],
        redirects=tables.files("redirects"),
        entities=tables.files("entities"),
        day=day,
        n_days=len(earlier),
        limit=_LISTED,
    )


def new_names(tables: Tables, day: date) -> list[Row]:
    """Return the entities outside the knowledge base that were first seen on a day."""
    return tables.rows(
        _NEW_NAMES,
        entities=tables.files("entities"),
        daily_entities=tables.files("daily_entities", day, day),
        day=day,
        limit=_LISTED,
    )


def day_pairs(tables: Tables, day: date) -> list[Row]:
    """Return the pairs that the most documents of a day name together."""
    return tables.rows(
        _DAY_PAIRS,
        daily_pairs=tables.files("daily_pairs", day, day),
        redirects=tables.files("redirects"),
        entities=tables.files("entities"),
        limit=_LISTED,
    )


def entity(tables: Tables, entity_id: str) -> Row | None:
    """Return the row of ``entities``; that of its heir for an id that is no longer live."""
    query = """
        SELECT * FROM read_parquet($entities) WHERE entity_id = coalesce(
            (SELECT replaced_by FROM read_parquet($redirects) WHERE entity_id = $id), $id)"""
    found = tables.rows(
        query,
        entities=tables.files("entities"),
        redirects=tables.files("redirects"),
        id=entity_id,
    )
    return found[0] if found else None


def merged_into(tables: Tables, entity_id: str) -> list[Row]:
    """Return the rows of ``redirects`` that lead to an entity."""
    return tables.rows(
        "SELECT * FROM read_parquet($redirects) WHERE replaced_by = $id ORDER BY entity_id",
        redirects=tables.files("redirects"),
        id=entity_id,
    )


def spellings(tables: Tables, entity_id: str) -> list[Row]:
    """Return the rows of ``entity_names`` of an entity, by language, the most used first."""
    return tables.rows(
        "SELECT * FROM read_parquet($entity_names) WHERE entity_id = $id"
        " ORDER BY lang, n_mentions DESC, name",
        entity_names=tables.files("entity_names"),
        id=entity_id,
    )


def timeline(tables: Tables, ids: Sequence[str], period: Period) -> list[Row]:
    """Return the mentions and documents of an entity (all its ids) by day and language."""
    names, values = placeholders(ids)
    return tables.rows(
        "SELECT date, lang, sum(n_mentions) AS n_mentions, sum(n_documents) AS n_documents"
        f" FROM read_parquet($daily_entities) WHERE entity_id IN ({names})"
        " GROUP BY ALL ORDER BY date, lang",
        daily_entities=tables.files("daily_entities", period.first, period.last),
        **values,
    )


def neighbours(tables: Tables, ids: Sequence[str], days: Sequence[date]) -> list[Row]:
    """Return who is named in the most documents beside an entity (all its ids).

    ``days`` are those on which it was named, in order: no other files are read. From the mentions,
    which are several times fewer than the rows of ``daily_pairs``, and read once; ids are compared
    by 64-bit hashes, which takes less than half the time of comparing their characters.
    """
    if not days:
        return []
    names, values = placeholders(ids)
    hashes = ", ".join(f"hash({name})" for name in names.split(", "))
    query = f"""
        WITH left_out AS (
            SELECT hash(doc_id) AS document FROM read_parquet($documents)
            WHERE superseded_by IS NOT NULL
        ), said AS MATERIALIZED (
            SELECT hash(doc_id) AS document, hash(entity_id) AS entity
            FROM read_parquet($mentions) WHERE kind = 'body'
        ), named AS (
            SELECT DISTINCT document FROM said ANTI JOIN left_out USING (document)
            WHERE entity IN ({hashes})
        ), heirs AS (
            SELECT hash(entity_id) AS entity, hash(replaced_by) AS heir
            FROM read_parquet($redirects)
        ), beside AS (
            SELECT DISTINCT document, coalesce(heir, entity) AS entity
            FROM said SEMI JOIN named USING (document) LEFT JOIN heirs USING (entity)
        ), counted AS (
            SELECT entity, count(*) AS n_documents FROM beside
            WHERE entity NOT IN ({hashes}) GROUP BY entity
        )
        SELECT entity_id, name, label, counted.n_documents
        FROM counted JOIN read_parquet($entities) ON hash(entity_id) = entity
        ORDER BY counted.n_documents DESC, name LIMIT $limit"""
    return tables.rows(
        query,
        documents=tables.files_of("documents", days),
        mentions=tables.files_of("mentions", days),
        redirects=tables.files("redirects"),
        entities=tables.files("entities"),
        limit=_LISTED,
        **values,
    )


def link_methods(tables: Tables, ids: Sequence[str], period: Period) -> list[Row]:
    """Return how an entity's mentions were linked: method, mentions, mean score."""
    names, values = placeholders(ids)
    return tables.rows(
        "SELECT link_method, count(*) AS n_mentions, avg(link_score) AS mean_score"
        f" FROM read_parquet($mentions) WHERE entity_id IN ({names})"
        " GROUP BY 1 ORDER BY n_mentions DESC, link_method",
        mentions=tables.files("mentions", period.first, period.last),
        **values,
    )


def sentences(
    tables: Tables, ids: Sequence[str], days: Sequence[date], lang: str | None, limit: int
) -> list[Row]:
    """Return sentences that name an entity (all its ids), the latest first.

    ``days`` are those on which it was named, in order. ``spans`` are the places of the name in
    the sentence, in code points; ``mention_id``, ``link_method`` and ``link_score`` those of the
    first. One row more than ``limit`` says that there is more.
    """
    found: list[Row] = []
    for end in range(len(days), 0, -_DAYS_AT_ONCE):
        some = days[max(0, end - _DAYS_AT_ONCE) : end]
        found += _sentences_of(tables, ids, some, lang, limit + 1 - len(found))
        if len(found) > limit:
            break
    return found


_DAYS_AT_ONCE: Final = 7
"""Days whose files are read together: for the latest sentences a few days do."""


def _sentences_of(
    tables: Tables, ids: Sequence[str], days: Sequence[date], lang: str | None, limit: int
) -> list[Row]:
    names, values = placeholders(ids)
    files = {
        table: tables.files_of(table, days)
        for table in ("mentions", "documents", "document_sources")
    }
    query = f"""
        WITH named AS (
            SELECT date, doc_id, sentence_start, any_value(lang) AS lang,
                   any_value(sentence) AS sentence, arg_min(mention_id, start) AS mention_id,
                   arg_min(link_method, start) AS link_method,
                   arg_min(link_score, start) AS link_score,
                   list([start - sentence_start, "end" - sentence_start] ORDER BY start) AS spans
            FROM read_parquet($mentions)
            WHERE entity_id IN ({names}) AND kind = 'body' AND ($lang IS NULL OR lang = $lang)
            GROUP BY date, doc_id, sentence_start
        ), top AS (
            SELECT n.*, d.title FROM named n JOIN read_parquet($documents) d USING (doc_id)
            WHERE d.superseded_by IS NULL
            ORDER BY n.date DESC, n.doc_id, n.sentence_start LIMIT $limit
        )
        SELECT top.*, (SELECT min({{'url': s.url, 'source': s.source}})
                       FROM read_parquet($document_sources) s WHERE s.doc_id = top.doc_id) AS origin
        FROM top ORDER BY date DESC, doc_id, sentence_start"""
    return tables.rows(query, lang=lang, limit=limit, **files, **values)


def document(tables: Tables, doc_id: str) -> Row | None:
    """Return a document with ``mentions`` (in order, with their entity's name) and ``origins``."""
    found = tables.rows(
        "SELECT * FROM read_parquet($documents) WHERE doc_id = $id",
        documents=tables.files("documents"),
        id=doc_id,
    )
    if not found:
        return None
    (row,) = found
    day = row["date"]
    row["mentions"] = tables.rows(
        'SELECT m.mention_id, m.start, m."end", e.label, e.entity_id, e.name'
        " FROM read_parquet($mentions) m LEFT JOIN read_parquet($redirects) r USING (entity_id)"
        " JOIN read_parquet($entities) e"
        " ON e.entity_id = coalesce(r.replaced_by, m.entity_id)"
        " WHERE m.doc_id = $id ORDER BY m.start",
        mentions=tables.files("mentions", day, day),
        redirects=tables.files("redirects"),
        entities=tables.files("entities"),
        id=doc_id,
    )
    row["origins"] = tables.rows(
        "SELECT source, url FROM read_parquet($document_sources) WHERE doc_id = $id"
        " ORDER BY source, url",
        document_sources=tables.files("document_sources", day, day),
        id=doc_id,
    )
    return row


_LANGUAGES: Final = """
WITH named AS (
    SELECT lang, sum(n_mentions) AS n_mentions, count(DISTINCT entity_id) AS n_entities
    FROM read_parquet($daily_entities) GROUP BY lang
), written AS (
    SELECT lang, count(*) AS n_documents, sum(n_words) AS n_words
    FROM read_parquet($documents) WHERE superseded_by IS NULL GROUP BY lang
)
SELECT lang, coalesce(n_documents, 0) AS n_documents, coalesce(n_words, 0) AS n_words,
       coalesce(n_mentions, 0) AS n_mentions, coalesce(n_entities, 0) AS n_entities
FROM written FULL JOIN named USING (lang) ORDER BY lang
"""

_TOP_BY_LANGUAGE: Final = """
WITH counted AS (
    SELECT d.lang, coalesce(r.replaced_by, d.entity_id) AS entity_id,
           sum(d.n_documents) AS n_documents, sum(d.n_mentions) AS n_mentions
    FROM read_parquet($daily_entities) d LEFT JOIN read_parquet($redirects) r USING (entity_id)
    GROUP BY ALL
), ranked AS (
    SELECT * FROM counted
    QUALIFY row_number() OVER (
        PARTITION BY lang ORDER BY n_documents DESC, n_mentions DESC, entity_id) <= $limit
), spread AS (
    SELECT entity_id, count(*) AS n_languages
    FROM counted SEMI JOIN ranked USING (entity_id) GROUP BY entity_id
)
SELECT lang, entity_id, name, label, ranked.n_documents, n_languages = 1 AS only_here
FROM ranked JOIN spread USING (entity_id) JOIN read_parquet($entities) USING (entity_id)
ORDER BY lang, ranked.n_documents DESC, ranked.n_mentions DESC, entity_id
"""

_SOURCES: Final = """
WITH origins AS (
    SELECT doc_id, coalesce(nullif(regexp_extract(url, '^https?://([^/?#]+)', 1), ''),
                            regexp_replace(source, '[^/]*$', ''), source) AS origin
    FROM read_parquet($document_sources) GROUP BY ALL
), mentioned AS (
    SELECT doc_id, count(*) AS n_mentions FROM read_parquet($mentions)
    WHERE kind = 'body' GROUP BY doc_id
)
SELECT origin, count(*) AS n_documents, list_sort(list(DISTINCT d.lang)) AS langs,
       sum(d.n_words) AS n_words, coalesce(sum(n_mentions), 0) AS n_mentions
FROM origins JOIN read_parquet($documents) d USING (doc_id) LEFT JOIN mentioned USING (doc_id)
WHERE d.superseded_by IS NULL
GROUP BY origin ORDER BY n_documents DESC, origin LIMIT $limit
"""

_SOURCES_LISTED: Final = 50


def languages(tables: Tables, period: Period) -> list[Row]:
    """Return documents, words, mentions and entities of each language."""
    return tables.rows(
        _LANGUAGES,
        daily_entities=tables.files("daily_entities", period.first, period.last),
        documents=tables.files("documents", period.first, period.last),
    )


def top_by_language(tables: Tables, period: Period) -> list[Row]:
    """Return whom each language names most; ``only_here`` is true of those no other names."""
    return tables.rows(
        _TOP_BY_LANGUAGE,
        daily_entities=tables.files("daily_entities", period.first, period.last),
        redirects=tables.files("redirects"),
        entities=tables.files("entities"),
        limit=_LISTED,
    )


def sources(tables: Tables, period: Period) -> list[Row]:
    """Return documents, languages, words and mentions of each source.

    A source is the host of the address, and where there is none the folder of the file.
    """
    return tables.rows(
        _SOURCES,
        document_sources=tables.files("document_sources", period.first, period.last),
        documents=tables.files("documents", period.first, period.last),
        mentions=tables.files("mentions", period.first, period.last),
        limit=_SOURCES_LISTED,
    )


def quarantine_counts(tables: Tables) -> list[Row]:
    """Return how much input each stage could not process, by error."""
    return tables.rows(
        "SELECT stage, error, count(*) AS n FROM read_parquet($quarantine)"
        " GROUP BY ALL ORDER BY n DESC, stage, error",
        quarantine=tables.files("quarantine"),
    )


def quarantined(tables: Tables, limit: int) -> list[Row]:
    """Return the latest rows of quarantine, without their payload."""
    return tables.rows(
        "SELECT source, line, stage, error, message, attempts, run_id"
        " FROM read_parquet($quarantine) ORDER BY run_id DESC, source, line LIMIT $limit",
        quarantine=tables.files("quarantine"),
        limit=limit,
    )
