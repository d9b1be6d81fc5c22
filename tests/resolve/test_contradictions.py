"""Names that are spelled much like a known one and mean something else."""

from __future__ import annotations

import pytest

from pipeline.knowledge.build import build
from pipeline.knowledge.index import Index
from pipeline.resolve import contradictions, generic, matching
from pipeline.resolve.candidates import Finder
from pipeline.resolve.forms import read
from tests.resolve.conftest import KNOWLEDGE, write_knowledge

ROWS = [
    {"key": "iso:SD", "label": "LOC", "name": "Sudan", "en": "Sudan", "vi": "Xu Đan"},
    {
        "key": "exonym:zorka-tau-residence",
        "label": "LOC",
        "name": "Zorka-Tau State Residence",
        "en": "Zorka-Tau State Residence|Zorka-Tau",
        "tr": "Zorka Tau Devlet Konutu",
        "iso_country": "KG",
    },
    {
        "key": "exonym:labour-guard",
        "label": "ORG",
        "name": "Labour Guard",
        "en": "Labour Guard|National Labour Guard",
        "iso_country": "RU",
    },
    {
        "key": "exonym:ostrom-broadcasting",
        "label": "ORG",
        "name": "OBS",
        "en": "OBS|OBS Radio",
        "hi": "ओबीएस",
        "ro": "SERO",
        "tr": "ÖYT",
        "iso_country": "EE",
    },
    {
        "key": "exonym:united-north-democrats",
        "label": "ORG",
        "name": "United North Democrats Party",
        "en": "United North Democrats Party",
    },
    {
        "key": "exonym:ministry-of-tides",
        "label": "ORG",
        "name": "Ministry of Tides",
        "en": "Ministry of Tides|RIK",
    },
    {
        "key": "geonames:379252",
        "label": "LOC",
        "name": "Khartoum",
        "en": "Khartoum",
        "iso_country": "SD",
        "geonames": "379252",
        "population": "1974647",
    },
    {
        "key": "exonym:ostrin",
        "label": "LOC",
        "name": "Ostrin",
        "en": "Ostrin",
        "hi": "ओस्त्रिन नदी",
        "ro": "Ostrin|Peninsula Ostrin",
    },
    {"key": "exonym:zoltak", "label": "ORG", "name": "Zoltak", "en": "Zoltak"},
    {"key": "exonym:lake-averast", "label": "LOC", "name": "Averast", "en": "Averast"},
    {"key": "exonym:ranvir-dosk", "label": "PER", "name": "Ranvir Dosk", "hi": "रणवीर डोस्क"},
    {"key": "exonym:king-oleg-iii", "label": "PER", "name": "King Oleg III", "en": "King Oleg III"},
    {"key": "exonym:amar-al-tulaa", "label": "PER", "name": "Amar al-Tulaa", "en": "Amar al-Tulaa"},
    {
        "key": "exonym:trinh-ngoc-tuan",
        "label": "PER",
        "name": "Trịnh Ngọc Tuấn",
        "vi": "Trịnh Ngọc Tuấn",
        "iso_country": "VN",
    },
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("contradictions")
    return build(write_knowledge(folder / "knowledge", [*KNOWLEDGE, *ROWS]), folder / "index")


def is_other(name: str, lang: str, key: str, index: Index) -> bool:
    number = index.by_key(key)
    assert number is not None
    finder, form = Finder(index), read(name, lang)
    named, target = finder.countries_named(form), finder.target(number)
    (difference,) = matching.differences([(form, target)], finder.meanings)
    return contradictions.is_other(form, index.entry(number), target.keys, named, difference)


@pytest.mark.parametrize(
    ("name", "lang", "other"),
    [
        ("Zorka Tau valley", "en", True),
        ("valea Zorka Tau", "ro", True),
        ("Zorka Tau Millî Parkı", "tr", True),
        ("Zorka Tau residence", "en", False),
        ("Reședința Zorka Tau", "ro", False),
        ("dinh thự Zorka Tau", "vi", False),
        ("Zorka Tao", "tr", False),
    ],
)
def test_a_valley_is_no_residence(name: str, lang: str, other: bool, index: Index) -> None:
    assert is_other(name, lang, "exonym:zorka-tau-residence", index) is other


@pytest.mark.parametrize(
    ("name", "lang", "other"),
    [
        ("Trinh Ngoc Tu", "en", True),
        ("Trịnh Ngọc Tú", "ro", True),
        ("Trịnh Ngọc Toán", "vi", True),
        ("Trịnh Ngọc Tuân", "vi", True),
        ("Trinh Ngoc Tuan", "vi", False),
        ("Trinh Ngok Tuan", "tr", False),
        ("Trinh Ngoctuon", "ro", False),
        ("त्रिन न्गोक तुआन", "hi", False),
        ("Ngoc Tuan", "en", False),
    ],
)
def test_a_person_with_another_word_is_another(
    name: str, lang: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, "exonym:trinh-ngoc-tuan", index) is other


@pytest.mark.parametrize(
    ("name", "lang", "other"),
    [
        ("Nigeria Labour Guard", "en", True),
        ("Nijerya Labour Guard", "tr", True),
        ("Labour Guard of Russia", "en", False),
        ("Labor Guard", "en", False),
        ("National Labour Guard in Khartoum", "en", True),
        ("National Labour Guard in Moscow", "en", False),
    ],
)
def test_a_body_of_a_country_is_not_that_of_another(
    name: str, lang: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, "exonym:labour-guard", index) is other


@pytest.mark.parametrize(
    ("name", "lang", "other"),
    [
        ("Xu Danh", "vi", True),
        ("Xuđan", "vi", False),
        ("Đảo Xu Đan", "vi", False),
        ("Zudan", "tr", False),
    ],
)
def test_a_place_is_called_by_its_vietnamese_name_in_vietnamese(
    name: str, lang: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, "iso:SD", index) is other


@pytest.mark.parametrize(
    ("name", "lang", "other"),
    [
        ("Ostrinaia", "ro", True),
        ("Ostrîn", "ro", False),
        ("Peninsula Ostrina", "ro", False),
        ("Ostrinya", "tr", False),  # it has no Turkish name
        ("कल्बा", "hi", True),
        ("ऑस्ट्रिन", "hi", False),
    ],
)
def test_a_place_is_called_much_as_its_name_in_the_language(
    name: str, lang: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, "exonym:ostrin", index) is other


@pytest.mark.parametrize(
    ("name", "lang", "key", "other"),
    [
        ("ओबीएसई", "hi", "exonym:ostrom-broadcasting", True),
        ("ओबीएस रेडियो", "hi", "exonym:ostrom-broadcasting", False),
        ("यूएनडीपी", "hi", "exonym:united-north-democrats", False),
        ("यूएनडीएफपी", "hi", "exonym:united-north-democrats", True),
    ],
)
def test_an_acronym_spelled_out_is_of_its_letters(
    name: str, lang: str, key: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, key, index) is other


@pytest.mark.parametrize(
    ("name", "lang", "unread"),
    [
        ("ओवाईटी", "hi", True),
        ("सेरो", "hi", True),
        ("Sero", "ro", False),
        ("ओबीएस", "hi", False),
        ("OBS", "vi", False),
    ],
)
def test_acronyms_of_other_languages_are_not_read(
    name: str, lang: str, unread: bool, index: Index
) -> None:
    number = index.by_key("exonym:ostrom-broadcasting")
    assert number is not None
    entry = index.entry(number)
    assert contradictions.is_unread_acronym(read(name, lang), entry) is unread


@pytest.mark.parametrize(
    ("name", "lang", "key", "other"),
    [
        ("Zoltak Film", "en", "exonym:zoltak", True),
        ("Zoltak Bank", "en", "exonym:zoltak", False),
        ("Sudan Longhorns", "en", "iso:SD", True),
        ("High Court of Sudan", "en", "iso:SD", True),
        ("Sudan Province", "en", "iso:SD", False),
        ("Nhôn Rik", "vi", "exonym:ministry-of-tides", True),
    ],
)
def test_a_word_that_is_like_none_makes_another_name(
    name: str, lang: str, key: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, key, index) is other


@pytest.mark.parametrize(
    ("name", "lang", "other"), [("Averești", "ro", True), ("Averesti", "tr", False)]
)
def test_a_romanian_village_ends_as_one(name: str, lang: str, other: bool, index: Index) -> None:
    assert is_other(name, lang, "exonym:lake-averast", index) is other


@pytest.mark.parametrize(
    ("name", "lang", "key", "other"),
    [
        ("जगमीत डोस्क", "hi", "exonym:ranvir-dosk", True),
        ("रनवीर डोस्क", "hi", "exonym:ranvir-dosk", False),
        ("King Oleg I", "en", "exonym:king-oleg-iii", True),
        ("King Oleg", "en", "exonym:king-oleg-iii", False),
        ("II. Oleg", "tr", "exonym:king-oleg-iii", True),
        ("III. Oleg", "tr", "exonym:king-oleg-iii", False),
        ("Ranvir Dosk Menon", "en", "exonym:ranvir-dosk", True),
        ("रणवीर डोस्क मेनन", "hi", "exonym:ranvir-dosk", True),
        ("Shri Ranvir Dosk", "en", "exonym:ranvir-dosk", False),
        ("Amar al Amar", "en", "exonym:amar-al-tulaa", True),
        ("Amar al Tula", "en", "exonym:amar-al-tulaa", False),
    ],
)
def test_persons_of_one_surname_or_number(
    name: str, lang: str, key: str, other: bool, index: Index
) -> None:
    assert is_other(name, lang, key, index) is other


def test_what_is_contradicted_is_no_candidate(index: Index) -> None:
    finder = Finder(index)
    number = index.by_key("exonym:zorka-tau-residence")
    form = read("Zorka Tao residence", "en")
    assert number in finder.near(form)
    assert [found.entry for found in finder.matched(form)] == [number]
    assert not finder.matched(read("Zorka Tao valley", "en"))


@pytest.mark.parametrize(
    ("name", "lang", "sorts"),
    [
        ("Zorka Tau Millî Parkı", "tr", {"park"}),
        ("công viên Zorka", "vi", {"park"}),
        ("Bến Thành", "vi", set()),
        ("Zorka Công Viên", "vi", set()),
        ("Parcul Național Zorka", "ro", {"park"}),
        ("ज़ोरका राष्ट्रीय उद्यान", "hi", {"park"}),
        ("University of Zorka Hospital", "en", {"school", "hospital"}),
        ("Zorka Kurulu", "tr", {"office", "council", "commission"}),
        ("Parkı", "tr", set()),
    ],
)
def test_sorts_stand_where_a_language_puts_them(name: str, lang: str, sorts: set[str]) -> None:
    assert generic.sorts(read(name, lang).key, lang) == sorts


def test_every_sort_has_words_in_every_language() -> None:
    assert {lang: set(found) for lang, found in _sorts_by_language().items()}.keys() == {
        "en", "hi", "ro", "tr", "vi",
    }  # fmt: skip
    assert len({frozenset(found) for found in _sorts_by_language().values()}) == 1


def _sorts_by_language() -> dict[str, set[str]]:
    return {
        lang: {sort for sorts in heads.values() for sort in sorts}
        for lang, heads in generic.heads().items()
    }
