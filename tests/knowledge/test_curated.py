"""The curated files of names: their form, their scripts, their ids and their size."""

from __future__ import annotations

import csv
import lzma
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KNOWLEDGE = ROOT / "models" / "knowledge"
SHARED = ROOT / ".." / "shared" / "names"

COLUMNS = [
    "key",
    "label",
    "name",
    "en",
    "hi",
    "ro",
    "tr",
    "vi",
    "any",
    "iso_country",
    "wikidata",
    "geonames",
    "population",
    "source",
]
LANGUAGES = ("en", "hi", "ro", "tr", "vi")
CELLS = (*LANGUAGES, "any")
LABELS = {
    "organisations": {"ORG"},
    "persons": {"PER"},
    "geography": {"LOC"},
}
KEY = re.compile(
    r"wikidata:Q[1-9][0-9]*|(exonym|supraverden):[a-z0-9]+(-[a-z0-9]+)*|cricketer:[0-9]+"
    r"|iso:[A-Z]{2}|m49:[0-9]{3}|geonames:[1-9][0-9]*|geonames-admin1:[A-Z]{2}\.[A-Z0-9]+"
)
ACRONYM = re.compile(r"[A-Z0-9().&+-]+")
ROMAN_NUMERAL = re.compile(r"\b[IVX]+\b")

# Acronyms and short names that the press of one language uses for two bodies.
KNOWN_AMBIGUITIES = {
    ("en", "lse"),
    ("en", "congress"),
    ("en", "ec"),
    ("en", "mit"),
    ("en", "pif"),
    ("en", "rsf"),
    ("hi", "आरएसएफ"),
    ("tr", "ap"),
}

# Persons whom the press of the world calls by one word, which nobody else of note bears.
MONONYMS = {
    "AMLO",
    "Lalduhoma",
    "Rajinikanth",
    "Siddaramaiah",
    "Waker-uz-Zaman",
    "आतिशी",
    "कमलनाथ",
    "रजनीकांत",
    "लालदुहोमा",
    "वाकर-उज-जमान",
    "सिद्धारमैया",
    "Atatürk",
    "Bartholomeos",
    "CR7",
    "Colani",
    "Hamideti",
    "Hemedti",
    "Hımidti",
    "Jokowi",
    "Lula",
    "MBS",
    "Mayawati",
    "Naruhito",
    "Prachanda",
    "Sugiono",
    "एमबीएस",
    "नारुहितो",
    "प्रचंड",
    "मायावती",
    "सुगियोनो",
    "हेमेदती",
}


def rows(name: str) -> list[dict[str, str]]:
    with (KNOWLEDGE / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def names(row: dict[str, str], column: str) -> list[str]:
    return row[column].split("|") if row[column] else []


def scripts(text: str) -> set[str]:
    return {unicodedata.name(char).split()[0] for char in text if char.isalpha()}


FILES = {name: rows(name) for name in LABELS}
each_file = pytest.mark.parametrize("name", LABELS)


@each_file
def test_every_line_has_the_columns_of_the_format(name: str) -> None:
    lines = (KNOWLEDGE / f"{name}.tsv").read_text(encoding="utf-8").split("\n")
    assert lines[0].split("\t") == COLUMNS
    assert lines[-1] == ""
    assert {line.count("\t") for line in lines[:-1]} == {len(COLUMNS) - 1}


@each_file
def test_keys_are_well_formed_unique_and_sorted(name: str) -> None:
    keys = [row["key"] for row in FILES[name]]
    assert [key for key in keys if not KEY.fullmatch(key)] == []
    assert keys == sorted(set(keys))


def test_no_key_stands_in_two_files() -> None:
    keys = Counter(row["key"] for file in FILES.values() for row in file)
    assert [key for key, times in keys.items() if times > 1] == []


@each_file
def test_label_source_and_country(name: str) -> None:
    for row in FILES[name]:
        assert row["label"] in LABELS[name], row["key"]
        assert row["source"].startswith("curated 20"), row["key"]
        assert re.fullmatch(r"([A-Z]{2})?", row["iso_country"]), row["key"]


@each_file
def test_key_and_id_columns_agree(name: str) -> None:
    for row in FILES[name]:
        scheme, _, value = row["key"].partition(":")
        assert row["wikidata"] == (value if scheme == "wikidata" else ""), row["key"]
        assert row["geonames"] == (value if scheme == "geonames" else ""), row["key"]
        assert row["population"] == "", row["key"]
        if scheme == "iso":
            assert row["iso_country"] == value


@each_file
def test_every_row_is_named_in_english_hindi_and_romanian(name: str) -> None:
    """Turkish and Vietnamese have no word of their own for England: their press means Britain."""
    for row in FILES[name]:
        empty = {lang for lang in LANGUAGES if not row[lang]}
        assert empty == ({"tr", "vi"} if row["key"] == "geonames-admin1:GB.ENG" else set()), row[
            "key"
        ]
        assert row["name"] and scripts(row["name"]) <= {"LATIN"}, row["key"]


@each_file
def test_names_are_clean_and_none_stands_twice_in_a_cell(name: str) -> None:
    for row in FILES[name]:
        for column in CELLS:
            cell = names(row, column)
            folded = [text.casefold() for text in cell]
            assert len(folded) == len(set(folded)), (row["key"], column)
            for text in cell:
                assert text and text == " ".join(text.split()), (row["key"], column)


@each_file
def test_everything_is_in_nfc(name: str) -> None:
    text = (KNOWLEDGE / f"{name}.tsv").read_text(encoding="utf-8")
    assert unicodedata.is_normalized("NFC", text)


@each_file
def test_hindi_is_in_devanagari_but_for_acronyms(name: str) -> None:
    for row in FILES[name]:
        for text in names(row, "hi"):
            rest = ROMAN_NUMERAL.sub("", text)
            assert scripts(rest) == {"DEVANAGARI"} or ACRONYM.fullmatch(text), (row["key"], text)


@each_file
def test_other_languages_are_in_latin_script(name: str) -> None:
    for row in FILES[name]:
        for lang in ("en", "ro", "tr", "vi"):
            for text in names(row, lang):
                assert scripts(text) <= {"LATIN"}, (row["key"], lang, text)
        assert "DEVANAGARI" not in scripts(row["any"]), row["key"]


@each_file
def test_romanian_has_comma_below_and_no_cedilla(name: str) -> None:
    cedilla = set("\u015e\u015f\u0162\u0163")
    assert [row["ro"] for row in FILES[name] if cedilla & set(row["ro"])] == []


def test_turkish_has_cedilla_and_no_comma_below() -> None:
    comma = set("\u0218\u0219\u021a\u021b")
    wrong = [row["tr"] for file in FILES.values() for row in file if comma & set(row["tr"])]
    assert wrong == []


def test_two_organisations_share_a_name_only_where_the_press_does() -> None:
    shared = set()
    for lang in CELLS:
        times = Counter(
            text.casefold() for row in FILES["organisations"] for text in names(row, lang)
        )
        shared |= {(lang, text) for text, count in times.items() if count > 1}
    assert shared == KNOWN_AMBIGUITIES


def test_two_persons_share_no_full_name() -> None:
    for lang in CELLS:
        times = Counter(text.casefold() for row in FILES["persons"] for text in names(row, lang))
        assert [text for text, count in times.items() if count > 1] == [], lang


def test_no_person_is_listed_by_a_bare_surname() -> None:
    single = {
        text
        for row in FILES["persons"]
        for column in CELLS
        for text in names(row, column)
        if " " not in text
    }
    assert single == MONONYMS


def test_there_are_enough_names() -> None:
    countries = [row for row in FILES["geography"] if row["key"].startswith("iso:")]
    assert len(FILES["organisations"]) >= 600
    assert len(FILES["persons"]) >= 1_500
    assert len(countries) >= 90
    assert len(FILES["geography"]) - len(countries) >= 150


@pytest.mark.skipif(not SHARED.exists(), reason="no ../shared/names")
def test_country_codes_are_those_of_cldr() -> None:
    with (SHARED / "cldr_territories_5lang.tsv").open(encoding="utf-8") as file:
        codes = {row["code"] for row in csv.DictReader(file, delimiter="\t")}
    used = {row["iso_country"] for file_rows in FILES.values() for row in file_rows} - {""}
    assert used <= codes


@pytest.mark.skipif(not SHARED.exists(), reason="no ../shared/names")
def test_wikidata_ids_stand_in_the_files_they_are_from_with_the_same_name() -> None:
    known: dict[str, set[str]] = {}
    with (SHARED / "intl_orgs_supraverden.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            labels = {row["en"], *row["other_en"].split("|")}
            known.setdefault(row["wikidata"], set()).update(labels)
    with lzma.open(SHARED / "persons_5lang.tsv.xz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            known.setdefault(row["id"], set()).add(row["en"])
    for file_rows in FILES.values():
        for row in file_rows:
            if row["wikidata"]:
                ours = {plain(text) for text in names(row, "en")}
                theirs = {plain(text) for text in known.get(row["wikidata"], set())}
                assert ours & theirs, (row["key"], row["name"])


def plain(text: str) -> str:
    """``text`` without marks, case, punctuation and the choice between -isation and -ization."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().replace("isation", "ization")
    decomposed = decomposed.replace("ø", "o").replace("ł", "l")
    return "".join(char for char in decomposed if char.isalnum())


def test_no_region_stands_under_two_keys() -> None:
    """What GeoNames and CLDR have a key for is curated under that key."""
    known: dict[tuple[str, str], set[str]] = {}
    for name in ("places", "territories"):
        with (KNOWLEDGE / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row["key"].startswith(("m49:", "geonames-admin1:")):
                    known.setdefault((row["en"], row["iso_country"]), set()).add(row["key"])
    twice = {
        row["key"]: keys
        for row in FILES["geography"]
        if row["key"].startswith("exonym:")
        and (keys := known.get((row["name"], row["iso_country"]), set()))
    }
    assert twice == {}


def test_towns_are_named_at_home_and_add_to_no_other_list() -> None:
    """They need no name in other languages: the press there spells them as at home."""
    at_home = {"RO": "ro", "MD": "ro", "TR": "tr", "VN": "vi", "IN": "hi"}
    towns = rows("towns")
    keys = [row["key"] for row in towns]
    assert keys == sorted(set(keys))
    others = {row["key"] for name in FILES for row in FILES[name]}
    for row in towns:
        assert KEY.fullmatch(row["key"])
        assert row["key"] not in others
        assert row["label"] == "LOC"
        assert row["source"].endswith("; town")
        assert row[at_home.get(row["iso_country"], "en")], row["key"]
        assert row["geonames"] == row["key"].partition("geonames:")[2], row["key"]


def test_a_city_is_called_as_it_is_now() -> None:
    (astana,) = (row for row in rows("towns") if row["name"] == "Astana")
    assert any(row["key"] == astana["key"] for row in rows("places"))
