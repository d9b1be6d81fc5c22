from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import languages
from pipeline.knowledge.build import build, build_command
from pipeline.knowledge.files import read_entries
from pipeline.knowledge.index import ENTRY_COLUMNS, Index, IndexMissingError
from pipeline.knowledge.keys import comparison_names
from pipeline.languages.shared import sound


@pytest.fixture
def index(knowledge_dir: Path) -> Index:
    return build(knowledge_dir)


def key_of(index: Index, entry: int) -> str:
    return index.entry(entry).key


def test_entries_read_back_as_the_files_say(index: Index, knowledge_dir: Path) -> None:
    assert [index.entry(i) for i in range(len(index))] == list(read_entries(knowledge_dir))


def test_an_entry_is_found_by_its_key(index: Index) -> None:
    for i in range(len(index)):
        assert index.by_key(key_of(index, i)) == i
    assert index.by_key("iso:ZZ") is None
    assert index.by_key("") is None
    with pytest.raises(IndexError):
        index.entry(len(index))


def test_parts_of_an_entry_are_read_without_the_whole(index: Index) -> None:
    for i in range(len(index)):
        entry = index.entry(i)
        assert index.n_aliases(i) == len(entry.aliases)
        assert index.columns(i) == {name: getattr(entry, name) for name in ENTRY_COLUMNS}


@pytest.mark.parametrize(
    ("text", "lang", "names"),
    [
        ("Ann Ray, Lady Ray", "en", ("ann ray lady ray", "ann ray")),
        ("Donostia / San Sebas", "en", ("donostia san sebas", "donostia", "san sebas")),
        ("Zed (Kuzey Osetya)", "tr", ("zed kuzey osetya", "zed north osetya", "zed")),
        ("Bishkek", "und", ("bishkek",)),
    ],
)
def test_names_to_compare_with_are_folded_translated_and_parted(
    text: str, lang: str, names: tuple[str, ...]
) -> None:
    assert comparison_names(text, lang) == names


def test_an_entry_is_compared_by_the_names_of_its_aliases(index: Index) -> None:
    for i in range(len(index)):
        aliases = index.entry(i).aliases
        names = dict.fromkeys(n for a in aliases for n in comparison_names(a.text, a.lang))
        assert index.names(i) == tuple(names)
        assert index.sounds([i]) == [tuple(dict.fromkeys(sound(name) or name for name in names))]


@pytest.mark.parametrize(
    ("text", "lang", "key"),
    [
        ("रूस", "hi", "iso:RU"),
        ("Nga", "vi", "iso:RU"),
        ("Rusya", "tr", "iso:RU"),
        ("RUSIA", "ro", "iso:RU"),
        ("BİŞKEK", "tr", "geonames:1528675"),
        ("Bișkek", "ro", "geonames:1528675"),
        ("киргизия", "und", "iso:KG"),
        ("exu", "en", "exonym:example-union"),
    ],
)
def test_exact_text_finds_every_script_without_regard_to_case(
    index: Index, text: str, lang: str, key: str
) -> None:
    assert key_of(index, index.exact_text(text, lang)[0].entry) == key


def test_exact_text_knows_the_dotless_i(index: Index) -> None:
    assert index.exact_text("İSTANBUL", "tr")
    assert not index.exact_text("ISTANBUL", "tr")
    assert index.exact_text("ISTANBUL", "en")


def test_exact_text_prefers_the_language_then_the_prior(index: Index) -> None:
    hits = index.exact_text("Istanbul", "ro")
    assert [(key_of(index, hit.entry), hit.alias_lang) for hit in hits] == [
        ("geonames:745044", "ro"),
        ("geonames:745044", "tr"),
        ("geonames:745044", "en"),
        ("geonames:999", "en"),
    ]


def test_every_key_of_every_alias_finds_it(index: Index, knowledge_dir: Path) -> None:
    for number, entry in enumerate(read_entries(knowledge_dir)):
        for alias in entry.aliases:
            for rank, key in enumerate(languages.get(alias.lang).keys(alias.text)):
                hits = [
                    h for h in index.exact(key) if (h.entry, h.alias_text) == (number, alias.text)
                ]
                assert hits, (alias, key)
                if alias.lang != "und":
                    assert (alias.lang, alias.source, rank) in [
                        (hit.alias_lang, hit.source, hit.key_rank) for hit in hits
                    ]


def test_exact_hits_come_by_rank_then_prior(index: Index) -> None:
    hits = index.exact("istanbul")
    assert key_of(index, hits[0].entry) == "geonames:745044"
    assert key_of(index, hits[-1].entry) == "geonames:999"
    assert [hit.key_rank for hit in hits] == sorted(hit.key_rank for hit in hits)
    assert index.exact("no such key") == []


def test_the_likeliest_hits_come_by_prior_and_no_more_than_asked(index: Index) -> None:
    every = index.exact("istanbul")
    assert set(index.likeliest("istanbul", 99)) == set(every)
    (first,) = index.likeliest("istanbul", 1)
    assert index.prior(first.entry) == max(index.prior(hit.entry) for hit in every)
    assert index.likeliest("no such key", 5) == []


def test_similar_gives_each_entry_once_with_its_best_key(index: Index) -> None:
    found = index.similar("istanbol")
    assert [key_of(index, hit.entry) for hit in found[:2]] == ["geonames:745044", "geonames:999"]
    assert found[0].key == "istanbul"
    assert found[0].similarity == found[1].similarity
    assert len({hit.entry for hit in found}) == len(found)
    similarities = [hit.similarity for hit in found]
    assert similarities == sorted(similarities, reverse=True)
    assert all(0 < similarity <= 1 for similarity in similarities)


def test_a_key_of_the_index_is_similar_to_itself_by_one(index: Index) -> None:
    best = index.similar("sergei shamba", 1)
    assert len(best) == 1
    assert (key_of(index, best[0].entry), best[0].similarity) == ("wikidata:Q11", 1.0)


@pytest.mark.parametrize("least", [0.2, 0.4, 0.7])
def test_asking_for_near_entries_alone_loses_none(index: Index, least: float) -> None:
    for key in ("istanbol", "sergei shamba", "shamba", "an istanbul of bishkek", "qqqq"):
        near = {hit.entry for hit in index.similar(key, 99) if hit.similarity >= least}
        assert set(index.likest(key, 99, least).tolist()) == near


def test_similar_shares_nothing_with_a_strange_key(index: Index) -> None:
    assert index.similar("qqqq") == ()


def test_by_word_finds_part_of_a_name_by_falling_prior(index: Index) -> None:
    assert [key_of(index, i) for i in index.by_word("shamba")] == ["wikidata:Q11"]
    cities = [key_of(index, i) for i in index.by_word("istanbul")]
    assert cities == ["geonames:745044", "geonames:999"]
    assert index.by_word("istanbul", limit=1) == index.by_word("istanbul")[:1]
    assert index.by_word("nobody") == []


def test_word_idf_is_higher_for_rarer_words(index: Index) -> None:
    nobody, shamba, istanbul = index.word_idfs(["nobody", "shamba", "istanbul"])
    assert nobody > shamba > istanbul > 0


def test_there_must_be_an_index_to_open(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="knowledge build"):
        Index.open(tmp_path)


def test_the_summary_counts_files_labels_and_languages(knowledge_dir: Path) -> None:
    summary = build_command(knowledge_dir)
    assert summary.by_file == {"bulk.tsv": 5, "curated.tsv": 2, "people.tsv": 2}
    assert summary.by_label == {"LOC": 5, "ORG": 1, "PER": 2}
    assert summary.entries == 8
    assert summary.aliases == sum(len(entry.aliases) for entry in read_entries(knowledge_dir))
    assert summary.by_language["vi"] == 1
    assert summary.size_bytes > 0
