"""Learning what words mean, from a handful of made-up names."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from pipeline.resolve.meaning import by_language, learned
from pipeline.training.meaning import ASKED, Learner, Text, glossary, main

NAMES = [
    ("Kuzey Ticaret Konseyi", "Northern Trade Council"),
    ("Kuzey Deniz Komisyonu", "Northern Maritime Commission"),
    ("Doğu Ticaret Komisyonu", "Eastern Trade Commission"),
    ("Doğu Deniz Konseyi", "Eastern Maritime Council"),
    ("Güney Ticaret Bankası", "Southern Trade Bank"),
]
TEXTS = [Text("tr", name, english, frozenset({english.lower()})) for name, english in NAMES]


def surest(meanings: dict[str, dict[str, float]], word: str) -> str | None:
    """Return what ``word`` means most surely."""
    return max(meanings.get(word, {}), key=lambda english: meanings[word][english], default=None)


def test_words_mean_what_they_stand_beside_again_and_again() -> None:
    found = by_language(Learner(TEXTS).learn())["tr"]
    assert surest(found, "kuzey") == "northern"
    assert surest(found, "ticare") == "trade"
    assert surest(found, "deniz") == "maritime"
    assert surest(found, "konsey") == "council"
    assert surest(found, "komisy") == "commission"


def test_names_that_are_left_out_teach_nothing() -> None:
    rows = Learner(TEXTS).learn(frozenset({"southern trade bank"}))
    assert not {word for _, word, _, _ in rows} & {"guney", "bankas"}
    assert "northern" in {english for _, _, english, _ in rows}


def test_the_list_of_words_gives_every_word_in_every_language() -> None:
    texts = list(glossary())
    assert all(text.text and text.text == text.text.strip() for text in texts)
    for lang in ASKED:
        mine = {text.english for text in texts if text.lang == lang}
        assert mine == {text.english for text in texts}
    council = {text.text for text in texts if (text.lang, text.english) == ("tr", "council")}
    assert "konseyi" in council
    assert {text.keys for text in texts if text.english == "council"} == {frozenset({"council"})}


def test_the_command_writes_what_names_sentences_and_the_list_say(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = dict.fromkeys(ASKED, "zarfan") | {"en": "blixtar"}
    parallel, out = tmp_path / "parallel.jsonl.xz", tmp_path / "meaning.tsv"
    parallel.write_bytes(lzma.compress((json.dumps(sentence) + "\n").encode() * 5))
    knowledge = root / "models" / "knowledge"
    arguments = ["", str(parallel), "--knowledge", str(knowledge), "--out", str(out)]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()[1:]]
    found = by_language((lang, word, english, float(share)) for lang, word, english, share in rows)
    assert surest(found["hi"], "zarfan") == "blixtar"
    assert surest(found["tr"], "bakanl") == "ministry"  # of the list
    assert surest(found["hi"], "sudan") == "sudan"  # of the names


def test_hindi_says_english_words_of_bodies_in_its_own_letters() -> None:
    for word, english in (
        ("orgena", "organization"),
        ("helth", "health"),
        ("ejukes", "education"),
        ("kaunsi", "council"),
    ):
        assert surest(learned()["hi"], word) == english
