from __future__ import annotations

from pipeline.knowledge.prior import CURATED, OTHER, TOWN, WIDER_CIRCLE, prior, source_rank


def test_what_is_known_of_a_row_orders_namesakes() -> None:
    country = prior("iso:GE", "CLDR", None)
    picked = prior("exonym:x", "curated 2026-11", None)
    wider = prior("exonym:y", "curated 2026-11; wider circle", None)
    town = prior("exonym:z-ro", "curated 2026-12; town", None)
    body = prior("wikidata:Q1", "supraverden", None)
    metropolis = prior("geonames:1", "GeoNames", 20_000_000)
    village = prior("geonames:2", "GeoNames", 300)
    assert (picked, wider, town) == (CURATED, WIDER_CIRCLE, TOWN)
    assert country > picked > metropolis > wider > body > town > village > 0
    assert prior("wikidata:Q2", "EveryPolitician/Wikidata", None) == OTHER


def test_pages_make_an_imported_entry_likelier() -> None:
    def imported(sitelinks: int) -> float:
        return prior("wikidata:Q3", "Wikidata latest-all.json.gz", None, sitelinks)

    assert 0 < imported(0) < imported(3) < imported(80) < imported(300) == imported(900) < CURATED


def test_a_source_may_say_more_than_its_name() -> None:
    assert source_rank("Wikidata latest-all.json.gz") == source_rank("Wikidata") > 0
    assert source_rank("Wikidata-like list") == source_rank("curated 2026-11") == 0
