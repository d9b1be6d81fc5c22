"""One entity of a dump as a row of a knowledge file.

The format is Wikibase's JSON (doc.wikimedia.org/Wikibase, "Wikibase JSON format"): labels and
aliases by language code, statements by property, each with a rank and a main value. An empty object
may be written as an empty list.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

from anyascii import anyascii

from pipeline.knowledge.files import Row
from pipeline.knowledge.wikidata.settings import ImportSettings
from pipeline.schemas import LANGUAGES, UNDETERMINED

Entity = Mapping[str, Any]

_ITEM_VALUE: Final = re.compile(rb'"numeric-id"\s*:\s*(\d+)')
_CEDILLA_TO_COMMA: Final = str.maketrans("ŞşŢţ", "ȘșȚț")
_LATIN_FIRST: Final = ("en", UNDETERMINED, "ro", "tr", "vi", "hi")
_SEPARATORS: Final = re.compile(r"[|\s\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2060\ufeff]+")


def decode(line: bytes) -> Entity | None:
    """Return the entity in a line of a dump, ``None`` where the line holds none.

    Raises ValueError where it is not valid JSON.
    """
    text = line.strip().rstrip(b",")
    if text in (b"", b"[", b"]"):
        return None
    entity: Entity = json.loads(text)
    return entity


def may_be_instance(line: bytes, property_id: str, classes: Set[bytes]) -> bool:
    """Tell whether the entity in ``line`` may be an instance of one of ``classes``, undecoded.

    ``classes`` are the numbers of items. Never wrongly false; decoding a line takes much longer.
    """
    start = line.find(f'"{property_id}"'.encode())
    return start >= 0 and any(found in classes for found in _ITEM_VALUE.findall(line, start))


def items(entity: Entity, property_id: str) -> Iterator[str]:
    """Yield the items that the best statements of a property name: ``Q5``."""
    for value in _values(entity, property_id):
        if isinstance(value, Mapping) and value.get("entity-type") == "item":
            yield str(value.get("id") or f"Q{value['numeric-id']}")


def strings(entity: Entity, property_id: str) -> Iterator[str]:
    """Yield the texts that the best statements of a property hold, outside ids for instance."""
    for value in _values(entity, property_id):
        if isinstance(value, str):
            yield value


def row(
    entity: Entity,
    label: str,
    countries: Mapping[str, str],
    settings: ImportSettings,
    source: str,
) -> Row | None:
    """Return ``entity`` as a row, or ``None`` where it has no name in the languages asked for.

    ``countries`` gives a country's ISO code by its item.
    """
    names = _names(entity, settings)
    if not names:
        return None
    identifier = str(entity["id"])
    codes = (
        countries.get(item)
        for property_id in settings.properties.countries
        for item in items(entity, property_id)
    )
    geonames = next(strings(entity, settings.properties.geonames), "")
    first = next(names[lang][0] for lang in _LATIN_FIRST if lang in names)
    return Row(
        key=f"wikidata:{identifier}",
        label=label,
        name=_latin(first),
        names=names,
        iso_country=next(filter(None, codes), None),
        wikidata=identifier,
        geonames=geonames if label == "LOC" and re.fullmatch(r"[1-9]\d*", geonames) else None,
        population=_population(entity, settings.properties.population),
        source=source,
        sitelinks=len(entity.get("sitelinks") or ()),
    )


def _names(entity: Entity, settings: ImportSettings) -> dict[str, tuple[str, ...]]:
    """Return labels, then aliases, by column; of the languages, then of no particular one."""
    codes = settings.languages.model_dump()
    names = {}
    for lang in LANGUAGES:
        if found := _forms(entity, codes[lang], lang):
            names[lang] = found
    known = {form for forms in names.values() for form in forms}
    if others := [form for form in _forms(entity, codes["any"], UNDETERMINED) if form not in known]:
        names[UNDETERMINED] = tuple(others)
    return names


def _forms(entity: Entity, codes: Iterable[str], lang: str) -> tuple[str, ...]:
    labels, aliases = entity.get("labels") or {}, entity.get("aliases") or {}
    terms = [labels[code] for code in codes if code in labels]
    terms += [term for code in codes for term in aliases.get(code, ())]
    forms = (_tidy(str(term["value"])) for term in terms)
    if lang == "ro":
        forms = (form.translate(_CEDILLA_TO_COMMA) for form in forms)
    return tuple(dict.fromkeys(form for form in forms if any(map(str.isalnum, form))))


def _tidy(text: str) -> str:
    """Return ``text`` in NFC without control characters and bars, spaces single."""
    return _SEPARATORS.sub(" ", unicodedata.normalize("NFC", text)).strip()


def _latin(name: str) -> str:
    letters = [char for char in name if char.isalpha()]
    latin = all(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    return name if latin else _tidy(anyascii(name)) or name


def _population(entity: Entity, property_id: str) -> int | None:
    amounts = [
        int(float(value["amount"]))
        for value in _values(entity, property_id)
        if isinstance(value, Mapping) and "amount" in value
    ]
    return max([amount for amount in amounts if amount >= 0], default=None)


def _values(entity: Entity, property_id: str) -> Iterator[Any]:
    """Yield the values of the preferred statements, or where there is none, of the normal ones."""
    statements = (entity.get("claims") or {}).get(property_id, ())
    ranks = {statement.get("rank", "normal") for statement in statements}
    best = "preferred" if "preferred" in ranks else "normal"
    for statement in statements:
        snak = statement["mainsnak"]
        if statement.get("rank", "normal") == best and snak.get("snaktype") == "value":
            yield snak["datavalue"]["value"]
