"""A small dump with Wikidata's structure. The items, their names and their ids are made up.

Only ``Q5`` and the classes of the shipped settings are those of Wikidata.
"""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def item_statement(prop: str, *items: str, rank: str = "normal") -> list[dict[str, Any]]:
    """Statements whose values are items."""
    return [
        {
            "mainsnak": {
                "snaktype": "value",
                "property": prop,
                "datavalue": {
                    "value": {"entity-type": "item", "numeric-id": int(name[1:]), "id": name},
                    "type": "wikibase-entityid",
                },
                "datatype": "wikibase-item",
            },
            "type": "statement",
            "id": f"{name}$0",
            "rank": rank,
        }
        for name in items
    ]


def text_statement(prop: str, text: str) -> list[dict[str, Any]]:
    """A statement whose value is an outside id."""
    value = {"value": text, "type": "string"}
    snak = {
        "snaktype": "value",
        "property": prop,
        "datavalue": value,
        "datatype": "external-id",
    }
    return [{"mainsnak": snak, "type": "statement", "id": "x$1", "rank": "normal"}]


def amount_statement(prop: str, amount: str) -> list[dict[str, Any]]:
    """A statement whose value is a number."""
    value = {"value": {"amount": amount, "unit": "1"}, "type": "quantity"}
    snak = {"snaktype": "value", "property": prop, "datavalue": value, "datatype": "quantity"}
    return [{"mainsnak": snak, "type": "statement", "id": "x$2", "rank": "normal"}]


def entity(
    identifier: str,
    labels: dict[str, str],
    claims: dict[str, list[dict[str, Any]]] | None = None,
    aliases: dict[str, list[str]] | None = None,
    sitelinks: int = 3,
) -> dict[str, Any]:
    """An entity as a dump has it."""
    return {
        "type": "property" if identifier.startswith("P") else "item",
        "id": identifier,
        "labels": {lang: {"language": lang, "value": text} for lang, text in labels.items()} or [],
        "descriptions": {"en": {"language": "en", "value": "made up"}},
        "aliases": {
            lang: [{"language": lang, "value": text} for text in texts]
            for lang, texts in (aliases or {}).items()
        }
        or [],
        "claims": claims or [],
        "sitelinks": {
            f"x{i}wiki": {"site": f"x{i}wiki", "title": "T", "badges": []} for i in range(sitelinks)
        }
        or [],
        "lastrevid": 1,
    }


PERSON, CITY, TOWN_COUNCIL, SCHOOL, LAND = "Q5", "Q90000001", "Q90000002", "Q90000003", "Q90000004"

ENTITIES = [
    entity(
        "Q90000100",
        {"en": "Ada Vellimore", "hi": "अदा वेलीमोर", "tr": "Ada Vellimor", "ro": "Ada Veliţmor"},
        {
            "P31": item_statement("P31", PERSON),
            "P27": item_statement("P27", "Q90000200"),
        },
        {"en": ["A. Vellimore", "Vellimore|Ada"], "de": ["Ada von Vellimore"]},
        sitelinks=40,
    ),
    entity(CITY, {"en": "made-up city"}, {"P279": item_statement("P279", "Q618123")}),
    entity(
        "Q90000101",
        {"en": "Torvale", "vi": "Tô-va-lê"},
        {
            "P31": item_statement("P31", CITY),
            "P17": item_statement("P17", "Q90000200"),
            "P1566": text_statement("P1566", "1528675"),
            "P1082": amount_statement("P1082", "+123456"),
        },
    ),
    entity(
        "Q90000102",
        {"mul": "Torvale Council"},
        {"P31": item_statement("P31", TOWN_COUNCIL)},
        sitelinks=2,
    ),
    # Classes may come after their instances, and go round in a circle.
    entity(
        TOWN_COUNCIL,
        {"en": "made-up council"},
        {"P279": item_statement("P279", "Q43229", SCHOOL)},
    ),
    entity(SCHOOL, {"en": "made-up school"}, {"P279": item_statement("P279", TOWN_COUNCIL)}),
    entity(
        "Q90000200",
        {"en": "Vallia", "hi": "वालिया"},
        {
            "P31": item_statement("P31", LAND),
            "P297": text_statement("P297", "KG"),
        },
        sitelinks=200,
    ),
    entity(
        "Q90000201",
        {"en": "Old Vallia"},
        {"P31": item_statement("P31", LAND), "P297": text_statement("P297", "KG")},
        sitelinks=5,
    ),
    # A land is nearer to a place than to an organisation.
    entity(LAND, {"en": "made-up land"}, {"P279": item_statement("P279", CITY, SCHOOL, "Q618123")}),
    entity(
        "Q90000300", {"en": "Nobody's Page"}, {"P31": item_statement("P31", PERSON)}, sitelinks=0
    ),
    entity("Q90000301", {"de": "Niemand"}, {"P31": item_statement("P31", PERSON)}),
    entity("Q90000302", {"en": "A poem"}, {"P31": item_statement("P31", "Q90000999")}),
    entity(
        "Q90000303",
        {"en": "Once a person"},
        {
            "P31": item_statement("P31", PERSON, rank="deprecated")
            + item_statement("P31", "Q90000999")
        },
    ),
    entity("P31", {"en": "made-up name of P31"}),
    entity("Q5", {"en": "made-up name of Q5"}, {}),
]


def text_of(entities: Sequence[dict[str, Any]]) -> bytes:
    """The dump unpacked: one array, an entity a line."""
    lines = ",\n".join(
        json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in entities
    )
    return f"[\n{lines}\n]\n".encode()


def write_dump(path: Path, text: bytes, members: int = 1) -> Path:
    """Write ``text`` to ``path`` by its ending, in as many members."""
    pack = {".gz": lambda part: gzip.compress(part, mtime=0), ".bz2": bz2.compress}.get(
        path.suffix, bytes
    )
    size = -(-len(text) // members)
    path.write_bytes(b"".join(pack(text[i : i + size]) for i in range(0, len(text), size)))
    return path
