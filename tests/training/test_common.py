from __future__ import annotations

import json
import lzma
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.decode import tag_runs
from pipeline.recognise.words import split_words
from pipeline.schemas import LANGUAGES
from pipeline.training.common import catalogue, read_sentences, split_tokens


def test_tags_follow_the_words() -> None:
    words, tags = split_tokens(
        ["U.S.", "envoy", "O’Neil", "-", "\u200b"], ["B-LOC", "O", "B-PER", "O", "O"]
    )
    assert words == ["U", ".", "S", ".", "envoy", "O", "’", "Neil", "-"]
    assert tags == ["B-LOC", *["I-LOC"] * 3, "O", "B-PER", "I-PER", "I-PER", "O"]


@given(st.lists(st.tuples(st.text(max_size=6), st.sampled_from(["O", "B-PER", "I-PER", "B-LOC"]))))
def test_split_tokens_agrees_with_split_words(rows: list[tuple[str, str]]) -> None:
    words, tags = split_tokens([token for token, _ in rows], [tag for _, tag in rows])
    text = " ".join(token for token, _ in rows)
    assert words == [text[start:end] for start, end in split_words(text)]
    assert len(tags) == len(words)


@given(
    st.lists(st.tuples(st.sampled_from(["Abc", "d.e.", "x-y"]), st.sampled_from(["O", "B-PER"])))
)
def test_splitting_keeps_the_number_of_names(rows: list[tuple[str, str]]) -> None:
    before = [tag for _, tag in rows]
    _, after = split_tokens([token for token, _ in rows], before)
    assert len(tag_runs(after)) == len(tag_runs(before))


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl.xz"
    rows = [
        {"tokens": ["Oslo", "."], "tags": ["B-LOC", "O"], "space_after": [False, False]},
        {"tokens": ["a", "b"], "tags": ["O", "O"]},
    ]
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    first, second = read_sentences(path)
    assert first.tokens == ("Oslo", ".")
    assert first.tags == ("B-LOC", "O")
    assert first.space_after == (False, False)
    assert second.space_after == (True, True)


def test_every_catalogued_file_is_there(shared: Path) -> None:
    parts = 0
    for corpus in catalogue().values():
        assert corpus.lang in LANGUAGES
        for part in ("train", "dev", "test"):
            path = corpus.path(part, shared / "corpora")
            if path is not None and not corpus.written:
                assert corpus.annotations or next(read_sentences(path)).tokens
                parts += path.is_file()
    assert parts == 38


def test_a_corpus_without_a_part() -> None:
    assert catalogue()["uner_pud"].path("train") is None
