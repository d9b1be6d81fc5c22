from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest
from tokenizers import Tokenizer, models

from pipeline.recognise.pieces import MAX_PIECES_PER_WORD, WordPieces

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def make_tokenizer() -> Tokenizer:
    pieces = [*((piece, 0.0) for piece in SPECIAL), ("a", -1.0), ("b", -1.0), ("ab", -1.5)]
    return Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))


def test_pieces_of_a_word() -> None:
    pieces = WordPieces(make_tokenizer())
    assert pieces.encode("aab") == (4, 6)
    assert (pieces.start, pieces.padding, pieces.end, pieces.unknown) == (0, 1, 2, 3)


def test_a_word_without_pieces_is_unknown() -> None:
    assert WordPieces(make_tokenizer()).encode("") == (3,)


def test_a_long_word_is_cut() -> None:
    assert WordPieces(make_tokenizer()).encode("ba" * 50) == tuple(
        make_tokenizer().encode("ba" * 50).ids[:MAX_PIECES_PER_WORD]
    )


@pytest.mark.parametrize(
    "word", ["Nguyễn", "tướng", "Chișinău", "Erdoğan", "İstanbul", "Iğdır", "राष्ट्रपति", "ज़फ़र"]
)
def test_pieces_do_not_depend_on_how_accents_are_encoded(root: Path, word: str) -> None:
    pieces = WordPieces.from_file(root / "models" / "joint" / "tokenizer.json")
    assert pieces.encode(normalize("NFD", word)) == pieces.encode(normalize("NFC", word))


def test_a_full_store_changes_nothing() -> None:
    small, large = WordPieces(make_tokenizer(), capacity=1), WordPieces(make_tokenizer())
    for word in ("ab", "ba", "ab", "aab"):
        assert small.encode(word) == large.encode(word)


def test_a_tokenizer_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no piece"):
        WordPieces(Tokenizer(models.Unigram([("a", 0.0)])))
