"""Near duplicates among the documents of a day, by MinHash and locality-sensitive hashing.

Texts are compared by the words they share three in a row. Broder (1997), On the resemblance and
containment of documents; banding after Leskovec, Rajaraman and Ullman (2014), Mining of Massive
Datasets, chapter 3. With 20 bands of 6 rows, two texts that share 70 % of their shingles are found
in 92 of 100 cases, of 80 % in 99.8. Signatures lie on disk, so memory does not grow with the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import pyarrow as pa
from rensa import RMinHash

from pipeline.store import files
from pipeline.store.query import stream, view

_BANDS: Final = 20
_ROWS: Final = 6
_SEED: Final = 1
_SHINGLE_WORDS: Final = 3
_SIMILAR: Final = 0.7
"""From this estimated Jaccard similarity of their shingles on, two texts are near duplicates."""

_BAND_BYTES: Final = _ROWS * 4

NEAR_DUPLICATES: Final = pa.schema([("doc_id", pa.string()), ("near_duplicate_of", pa.string())])

_SIGNATURES: Final = pa.schema(
    [
        ("date", pa.date32()),
        ("doc_id", pa.string()),
        ("signature", pa.binary()),
        ("bands", pa.list_(pa.binary(_BAND_BYTES))),
    ]
)

# A bucket's documents are compared with the least of them, not all with all: a thousand copies of
# one text are a thousand pairs and not half a million.
_CANDIDATES: Final = """
WITH banded AS (
    SELECT date, doc_id, unnest(bands) AS content, generate_subscripts(bands, 1) AS band
    FROM signatures
), bucketed AS (
    SELECT doc_id, min(doc_id) OVER (PARTITION BY date, band, content) AS least FROM banded
), pairs AS (
    SELECT DISTINCT least, doc_id FROM bucketed WHERE least <> doc_id
)
SELECT p.least, p.doc_id, a.signature AS of_least, b.signature AS of_other
FROM pairs p JOIN signatures a ON a.doc_id = p.least JOIN signatures b ON b.doc_id = p.doc_id
"""


def near_duplicates(
    connection: duckdb.DuckDBPyConnection, documents: Iterable[pa.Table], scratch: Path
) -> pa.Table:
    """Return :data:`NEAR_DUPLICATES`: every near duplicate with the document it stands behind.

    ``documents`` are rows of ``date``, ``doc_id``, ``text`` and the code points ``starts`` and
    ``ends`` of the parts to compare. Documents that are alike, or alike to the same one, make a
    group; all of it stand behind the one with the least id. The answer does not depend on the order
    of the rows. ``connection`` works the groups out, in ``scratch``.
    """
    path = scratch / "signatures.parquet"
    files.write_parquet(path, _SIGNATURES, map(_signatures, documents))
    view(connection, "signatures", [path], _SIGNATURES)
    heads: dict[str, str] = {}
    for least, other in _similar(stream(connection, _CANDIDATES)):
        one, two = sorted((_head(heads, least), _head(heads, other)))
        heads[two] = one
    path.unlink()
    rows = sorted((doc_id, _head(heads, doc_id)) for doc_id in heads if heads[doc_id] != doc_id)
    columns = zip(*rows, strict=True) if rows else [[], []]
    return pa.table([pa.array(list(column), pa.string()) for column in columns], NEAR_DUPLICATES)


def _signatures(documents: pa.Table) -> pa.Table:
    rows = []
    for row in documents.to_pylist():
        parts = zip(row["starts"], row["ends"], strict=True)
        signature = signature_of(" ".join(row["text"][start:end] for start, end in parts))
        if signature:
            bands = range(0, len(signature), _BAND_BYTES)
            rows.append(
                {
                    "date": row["date"],
                    "doc_id": row["doc_id"],
                    "signature": signature,
                    "bands": [signature[band : band + _BAND_BYTES] for band in bands],
                }
            )
    return pa.Table.from_pylist(rows, _SIGNATURES)


def signature_of(text: str) -> bytes:
    """Return the MinHash signature of ``text``, 120 numbers of 4 bytes; empty without words."""
    words = text.casefold().split()
    if not words:
        return b""
    last = max(len(words) - _SHINGLE_WORDS, 0)
    shingles = {" ".join(words[at : at + _SHINGLE_WORDS]) for at in range(last + 1)}
    minhash = RMinHash(_BANDS * _ROWS, _SEED)
    minhash.update(sorted(shingles))
    return np.array(minhash.digest(), "<u4").tobytes()


def _similar(candidates: Iterable[pa.Table]) -> Iterator[tuple[str, str]]:
    for table in candidates:
        one, two = (
            np.frombuffer(b"".join(table[name].to_pylist()), "<u4").reshape(-1, _BANDS * _ROWS)
            for name in ("of_least", "of_other")
        )
        alike = ((one == two).mean(axis=1) >= _SIMILAR).tolist()
        pairs = zip(table["least"].to_pylist(), table["doc_id"].to_pylist(), strict=True)
        yield from (pair for pair, is_alike in zip(pairs, alike, strict=True) if is_alike)


def _head(heads: dict[str, str], doc_id: str) -> str:
    """Return the least id of the group of ``doc_id``, and shorten the way there."""
    way = []
    while (before := heads.get(doc_id, doc_id)) != doc_id:
        way.append(doc_id)
        doc_id = before
    for passed in way:
        heads[passed] = doc_id
    return doc_id
